// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/command.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lkvm/clock.h"
#include "lkvm/console.h"
#include "lkvm/log.h"
#include "lkvm/outcome.h"

/* The most that one write(2) gets: a pipe that polls writable takes PIPE_BUF without blocking. */
#define WRITE_BYTES 4096
/* Writes to one stream before others get their turn. */
#define WRITE_BATCH 64
/* Credit is given when it is worth a frame. */
#define CREDIT_BYTES (WINDOW_OUT / 4)
#define EXEC_HEADER_BYTES 16

/* Output on its way from the guest to a descriptor. */
struct sink {
	int      fd;        /* -1: thrown away */
	int      own_fd;    /* non-blocking twin of a terminal, -1: none */
	bool     watched;   /* in the loop: waits until it can be written */
	bool     closing;   /* the guest is to be told that nobody reads it any more */
	uint8_t *ring;      /* WINDOW_OUT bytes */
	uint32_t start, len;
	uint32_t credit;    /* written, and not told to the guest yet */
	uint64_t total;     /* what has come */
};

struct job {
	bool     used;
	bool     forgotten; /* its callbacks and descriptors are gone */
	uint16_t id;
	struct command *cmd;
	uint8_t *exec;      /* payload of FRAME_EXEC, until it is sent */
	uint32_t exec_len;
	void   (*started)(void *opaque);
	void   (*ended)(void *opaque, enum frame_end end, uint32_t code, const char *why);
	void    *opaque;

	int      in_fd;     /* -1: none, or at its end */
	bool     in_watched;
	bool     in_always; /* epoll can't watch it: a file is always ready */
	bool     in_eof;    /* to be told */
	bool     keep_tail, judged;
	uint32_t in_window;
	uint32_t kill;      /* signal to send; 0: none */
	struct sink sinks[STREAM_COUNT]; /* [STREAM_IN] is not used */

	bool     has_started, told_started;
	bool     has_status;
	enum frame_end end;
	uint32_t code;
};

/* A way to the guest. Which of them init takes shows by its HELLO. */
struct channel {
	struct command      *cmd;
	struct frame_decoder decoder;
	bool                 dead;   /* something else than init writes to it */
	/* Returns how much was taken. Loop thread. */
	size_t             (*send)(struct channel *ch, const void *buf, size_t len);
	struct virtio_device *dev;   /* of CHANNEL_VIRTIO ... */
	unsigned int         port;
	struct console_frontend fe;  /* ... and of CHANNEL_SERIAL */
};

enum { CHANNEL_VIRTIO, CHANNEL_SERIAL, CHANNEL_COUNT };

struct command {
	struct loop          *loop;
	int                   wake_fd;
	uint16_t              next_id;

	/* What follows is shared by the device's thread and the loop's. */
	pthread_mutex_t       lock;
	struct job            jobs[COMMAND_MAX_JOBS];
	struct channel        channels[CHANNEL_COUNT];
	struct channel       *active;     /* the one that init has chosen; NULL: none yet */
	char                 *tail;       /* COMMAND_TAIL_BYTES of the job with keep_tail; NULL: nothing yet */
	size_t                tail_len;
	char                  broken[160]; /* why the channel can't be used any more; "": it can */
	bool                  closed;     /* by the guest: broken, once the time for an explanation is over */
	_Atomic uint64_t      received;
	_Atomic uint64_t      init_ms;    /* when init began; 0: not known yet */
	int                   output_error; /* loop thread */
	int                   grace_fd;     /* that time's timer, -1: not needed yet. Loop thread */

	/* The frame that is being sent. Loop thread. */
	uint32_t              seq;
	uint32_t              tx_pos, tx_len;
	uint8_t               tx[FRAME_HEADER_BYTES + FRAME_MAX_PAYLOAD];
};

static void wake(struct command *cmd)
{
	uint64_t one = 1;
	ssize_t put LKVM_UNUSED = write(cmd->wake_fd, &one, sizeof(one));
}

/* ---- from the guest (device thread) ------------------------------------------------------------- */

static void break_channel(struct command *cmd, const char *why)
{
	if (!cmd->broken[0])
		snprintf(cmd->broken, sizeof(cmd->broken), "%s", why);
}

static struct job *find_job(struct command *cmd, unsigned int id)
{
	for (size_t i = 0; i < ARRAY_SIZE(cmd->jobs); i++)
		if (cmd->jobs[i].used && cmd->jobs[i].id == id)
			return &cmd->jobs[i];
	return NULL;
}

static void keep_tail(struct command *cmd, const uint8_t *buf, size_t len)
{
	size_t kept;

	if (!cmd->tail)
		cmd->tail = malloc(COMMAND_TAIL_BYTES);
	if (!cmd->tail)
		return;
	if (len > COMMAND_TAIL_BYTES) {
		buf += len - COMMAND_TAIL_BYTES;
		len = COMMAND_TAIL_BYTES;
	}
	kept = MIN(cmd->tail_len, COMMAND_TAIL_BYTES - len);
	memmove(cmd->tail, cmd->tail + cmd->tail_len - kept, kept);
	memcpy(cmd->tail + kept, buf, len);
	cmd->tail_len = kept + len;
}

static void take_output(struct command *cmd, struct job *job, const struct frame *frame)
{
	struct sink *sink = &job->sinks[frame->stream];
	uint32_t end, first;

	if (frame->stream == STREAM_IN || frame->len > WINDOW_OUT - sink->len - sink->credit) {
		break_channel(cmd, "the guest sent more output than it was allowed to");
		return;
	}
	sink->total += frame->len;
	if (job->keep_tail)
		keep_tail(cmd, frame->payload, frame->len);
	if (sink->fd < 0) {
		sink->credit += frame->len;
		return;
	}
	end = (sink->start + sink->len) % WINDOW_OUT;
	first = MIN(frame->len, WINDOW_OUT - end);
	memcpy(sink->ring + end, frame->payload, first);
	memcpy(sink->ring, frame->payload + first, frame->len - first);
	sink->len += frame->len;
}

static void take_status(struct command *cmd, struct job *job, const struct frame *frame)
{
	if (frame->len != STATUS_BYTES) {
		break_channel(cmd, "the status of the command is torn");
		return;
	}
	job->end = (enum frame_end)frame_get_u32(frame->payload);
	job->code = frame_get_u32(frame->payload + 4);
	if (job->end > END_NOT_STARTED || (job->end == END_EXITED && job->code > 255) ||
	    (job->end == END_SIGNALED && (job->code < 1 || job->code > 127))) {
		break_channel(cmd, "the status of the command is none that there is");
		return;
	}
	if (frame_get_u64(frame->payload + 8) != job->sinks[STREAM_OUT].total ||
	    frame_get_u64(frame->payload + 16) != job->sinks[STREAM_ERR].total) {
		break_channel(cmd, "output of the command is missing");
		return;
	}
	job->has_status = true;
}

static void take_frame(struct command *cmd, struct channel *ch, const struct frame *frame)
{
	struct job *job = find_job(cmd, frame->job);

	switch (frame->type) {
	case FRAME_HELLO:
		if (cmd->active)
			break_channel(cmd, "the guest's init started a second time");
		cmd->active = ch;
		if (frame->len == 4)
			atomic_store(&cmd->init_ms, clock_now_ms() - frame_get_u32(frame->payload));
		return;
	case FRAME_LOG:
		log_warning("guest: %.*s", (int)MIN(frame->len, 200u), (const char *)frame->payload);
		return;
	default:
		break;
	}
	/* What comes late for a job that is over does not matter. */
	if (!job)
		return;
	switch (frame->type) {
	case FRAME_STARTED:
		job->has_started = true;
		break;
	case FRAME_DATA:
		take_output(cmd, job, frame);
		break;
	case FRAME_CREDIT:
		if (frame->len == 4 && frame->stream == STREAM_IN)
			job->in_window += MIN(frame_get_u32(frame->payload), WINDOW_IN - job->in_window);
		break;
	case FRAME_CLOSE:
		if (frame->stream == STREAM_IN)
			job->in_window = 0;
		job->in_eof = false;
		job->in_always = false;
		break;
	case FRAME_STATUS:
		take_status(cmd, job, frame);
		break;
	default:
		break_channel(cmd, "the guest sent what only the host may send");
	}
}

static void take_bytes(struct channel *ch, const uint8_t *buf, size_t len)
{
	struct command *cmd = ch->cmd;
	size_t at = 0;

	atomic_fetch_add_explicit(&cmd->received, len, memory_order_relaxed);
	pthread_mutex_lock(&cmd->lock);
	while (at < len && !cmd->broken[0] && !ch->dead) {
		struct frame frame;
		size_t used;
		int ret = frame_decode(&ch->decoder, buf + at, len - at, &used, &frame);

		at += used;
		if (ret > 0)
			take_frame(cmd, ch, &frame);
		if (ret >= 0)
			continue;
		/* On a serial port that init does not use there may be anything. */
		ch->dead = true;
		if (cmd->active == ch || ch == &cmd->channels[CHANNEL_VIRTIO])
			break_channel(cmd, "what comes from the guest's init is damaged");
	}
	pthread_mutex_unlock(&cmd->lock);
	wake(cmd);
}

static size_t port_write(void *opaque, const void *buf, size_t len)
{
	struct command *cmd = opaque;

	take_bytes(&cmd->channels[CHANNEL_VIRTIO], buf, len);
	return len;
}

static size_t port_send(struct channel *ch, const void *buf, size_t len)
{
	return virtio_console_send(ch->dev, ch->port, buf, len);
}

static void port_guest_open(void *opaque, bool open)
{
	struct command *cmd = opaque;

	pthread_mutex_lock(&cmd->lock);
	/* Only init has it open, and does not close it; but some kernels do, when they shut their devices down. */
	if (!open && cmd->active == &cmd->channels[CHANNEL_VIRTIO])
		cmd->closed = true;
	pthread_mutex_unlock(&cmd->lock);
	wake(cmd);
}

/* On a vCPU's thread. */
static void serial_output(void *opaque, const void *buf, size_t len)
{
	struct command *cmd = opaque;

	take_bytes(&cmd->channels[CHANNEL_SERIAL], buf, len);
}

static size_t serial_send(struct channel *ch, const void *buf, size_t len)
{
	size_t room = ch->fe.can_receive(ch->fe.dev);

	len = MIN(len, room);
	if (len)
		ch->fe.receive(ch->fe.dev, buf, len);
	return len;
}

static void port_input_ready(void *opaque)
{
	wake(opaque);
}

/* ---- to the guest (loop thread) ----------------------------------------------------------------- */

static void tx_frame(struct command *cmd, uint8_t type, const struct job *job, uint8_t stream,
		     const uint8_t *payload, uint32_t len)
{
	const struct frame frame = {
		.type = type, .job = job->id, .stream = stream, .len = len, .payload = payload,
	};

	assert(!cmd->tx_len);
	if (payload != cmd->tx + FRAME_HEADER_BYTES)
		memcpy(cmd->tx + FRAME_HEADER_BYTES, payload, len);
	frame_header(&frame, cmd->seq++, cmd->tx);
	cmd->tx_len = FRAME_HEADER_BYTES + len;
}

static void tx_u32(struct command *cmd, uint8_t type, const struct job *job, uint8_t stream, uint32_t value)
{
	uint8_t payload[4];

	frame_put_u32(payload, value);
	tx_frame(cmd, type, job, stream, payload, sizeof(payload));
}

/* Sends what is in @tx. True when it is empty. */
static bool tx_flush(struct command *cmd)
{
	if (cmd->tx_len)
		cmd->tx_pos += (uint32_t)cmd->active->send(cmd->active, cmd->tx + cmd->tx_pos,
							   cmd->tx_len - cmd->tx_pos);
	if (cmd->tx_pos < cmd->tx_len)
		return false;
	cmd->tx_pos = 0;
	cmd->tx_len = 0;
	return true;
}

static void in_unwatch(struct job *job)
{
	if (job->in_watched)
		loop_del(job->cmd->loop, job->in_fd);
	job->in_watched = false;
}

/* A job in the background that reads its terminal gets stopped for it. */
static bool may_read(int fd)
{
	return !isatty(fd) || tcgetpgrp(fd) < 0 || tcgetpgrp(fd) == getpgrp();
}

/* Reads input, once, into a frame. */
static void in_read(struct command *cmd, struct job *job)
{
	uint8_t *buf = cmd->tx + FRAME_HEADER_BYTES;
	ssize_t n = may_read(job->in_fd) ? read(job->in_fd, buf, MIN(job->in_window, (uint32_t)FRAME_MAX_DATA)) : 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		job->in_window -= (uint32_t)n;
		tx_frame(cmd, FRAME_DATA, job, STREAM_IN, buf, (uint32_t)n);
		return;
	}
	in_unwatch(job);
	job->in_fd = -1;
	job->in_always = false;
	job->in_eof = true;
}

static void on_input(void *opaque, uint32_t events)
{
	struct job *job = opaque;

	(void)events;
	/* command_pump() reads when there is room; until then the sender waits. */
	in_unwatch(job);
	wake(job->cmd);
}

/* Whether @fd has something to read, or its end. */
static bool readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) > 0;
}

static void in_pump(struct command *cmd, struct job *job)
{
	if (job->in_fd < 0 || !job->in_window || job->exec)
		return;
	if (job->in_always || readable(job->in_fd)) {
		in_unwatch(job);
		in_read(cmd, job);
		if (cmd->tx_len || job->in_fd < 0)
			return;
	}
	if (!job->in_watched) {
		int ret = loop_add(cmd->loop, job->in_fd, EPOLLIN, on_input, job);

		job->in_watched = !ret;
		job->in_always = ret == -EPERM;
	}
}

/* Puts the next frame for @job into @tx, if there is one. */
static void job_pump(struct command *cmd, struct job *job)
{
	if (job->exec) {
		tx_frame(cmd, FRAME_EXEC, job, 0, job->exec, job->exec_len);
		free(job->exec);
		job->exec = NULL;
		return;
	}
	if (job->kill) {
		tx_u32(cmd, FRAME_KILL, job, 0, job->kill);
		job->kill = 0;
		return;
	}
	for (uint8_t s = STREAM_OUT; s <= STREAM_ERR; s++) {
		struct sink *sink = &job->sinks[s];

		if (sink->closing) {
			sink->closing = false;
			tx_frame(cmd, FRAME_CLOSE, job, s, NULL, 0);
			return;
		}
		if (sink->credit >= CREDIT_BYTES || (sink->credit && !sink->len)) {
			tx_u32(cmd, FRAME_CREDIT, job, s, sink->credit);
			sink->credit = 0;
			return;
		}
	}
	if (job->in_eof) {
		job->in_eof = false;
		tx_frame(cmd, FRAME_CLOSE, job, STREAM_IN, NULL, 0);
		return;
	}
	in_pump(cmd, job);
}

/* ---- output to its descriptors (loop thread) ---------------------------------------------------- */

static void sink_unwatch(struct job *job, struct sink *sink)
{
	if (sink->watched)
		loop_del(job->cmd->loop, sink->fd);
	sink->watched = false;
}

/* Nobody reads it: the program is to learn it as it would from a pipe. */
static void sink_give_up(struct job *job, struct sink *sink, int err)
{
	if (err && err != EPIPE) {
		log_warning("cannot write the command's output: %s; the rest of it is lost", log_output_strerror(err));
		if (job->judged)
			job->cmd->output_error = -err;
	}
	sink_unwatch(job, sink);
	if (sink->own_fd >= 0)
		close(sink->own_fd);
	sink->own_fd = -1;
	sink->fd = -1;
	sink->credit += sink->len;
	sink->len = 0;
	sink->closing = !job->has_status;
}

static void on_output(void *opaque, uint32_t events)
{
	struct job *job = opaque;

	(void)events;
	for (int s = STREAM_OUT; s <= STREAM_ERR; s++)
		sink_unwatch(job, &job->sinks[s]);
	wake(job->cmd);
}

static void sink_write(struct command *cmd, struct job *job, struct sink *sink)
{
	for (unsigned int i = 0; i < WRITE_BATCH && sink->len; i++) {
		struct pollfd pfd = { .fd = sink->fd, .events = POLLOUT };
		ssize_t n = -1;

		if (poll(&pfd, 1, 0) > 0) {
			if (pfd.revents & (POLLERR | POLLNVAL)) {
				sink_give_up(job, sink, EPIPE);
				return;
			}
			n = write(sink->fd, sink->ring + sink->start,
				  MIN(MIN(sink->len, WINDOW_OUT - sink->start), (uint32_t)WRITE_BYTES));
		} else {
			errno = EAGAIN;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			sink_give_up(job, sink, errno);
			return;
		}
		if (n < 0) {
			if (!sink->watched && !loop_add(cmd->loop, sink->fd, EPOLLOUT, on_output, job))
				sink->watched = true;
			return;
		}
		sink->start = (sink->start + (uint32_t)n) % WINDOW_OUT;
		sink->len -= (uint32_t)n;
		sink->credit += (uint32_t)n;
	}
	if (sink->len)
		wake(cmd);
}

/* ---- jobs --------------------------------------------------------------------------------------- */

static void job_free(struct job *job)
{
	if (job->in_fd >= 0)
		in_unwatch(job);
	for (int s = STREAM_OUT; s <= STREAM_ERR; s++) {
		struct sink *sink = &job->sinks[s];

		if (sink->fd >= 0)
			sink_unwatch(job, sink);
		if (sink->own_fd >= 0)
			close(sink->own_fd);
		free(sink->ring);
	}
	free(job->exec);
	*job = (struct job){ 0 };
}

static bool job_is_over(const struct command *cmd, const struct job *job)
{
	return (job->has_status || cmd->broken[0]) && !job->sinks[STREAM_OUT].len && !job->sinks[STREAM_ERR].len;
}

/* Tells of jobs that have started or ended. Called and returns with the lock held; drops it meanwhile. */
static void report_jobs(struct command *cmd)
{
	for (size_t i = 0; i < ARRAY_SIZE(cmd->jobs); i++) {
		struct job *job = &cmd->jobs[i];
		struct job copy;

		if (!job->used)
			continue;
		if (job->has_started && !job->told_started) {
			job->told_started = true;
			copy = *job;
			pthread_mutex_unlock(&cmd->lock);
			if (copy.started && !copy.forgotten)
				copy.started(copy.opaque);
			pthread_mutex_lock(&cmd->lock);
		}
		if (!job->used || !job_is_over(cmd, job))
			continue;
		copy = *job;
		job_free(job);
		pthread_mutex_unlock(&cmd->lock);
		if (copy.ended && !copy.forgotten)
			copy.ended(copy.opaque, copy.end, copy.code, copy.has_status ? NULL : cmd->broken);
		pthread_mutex_lock(&cmd->lock);
	}
}

/* ---- a channel that the guest closed (loop thread) ----------------------------------------------- */

static void give_up_channel(struct command *cmd)
{
	break_channel(cmd, "the way to the guest's init closed: the guest is shutting down, or init is gone");
}

static void on_grace_over(void *opaque, uint32_t events)
{
	struct command *cmd = opaque;
	uint64_t count;
	ssize_t got LKVM_UNUSED = read(cmd->grace_fd, &count, sizeof(count));

	(void)events;
	pthread_mutex_lock(&cmd->lock);
	give_up_channel(cmd);
	pthread_mutex_unlock(&cmd->lock);
	wake(cmd);
}

/* The panic or power-off that explains it is on its way, and a better answer. */
static void wait_for_explanation(struct command *cmd)
{
	const struct itimerspec grace = { .it_value = { .tv_sec = COMMAND_GRACE_MS / 1000,
							.tv_nsec = COMMAND_GRACE_MS % 1000 * 1000000l } };

	if (cmd->grace_fd >= 0)
		return;
	cmd->grace_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (cmd->grace_fd < 0 || timerfd_settime(cmd->grace_fd, 0, &grace, NULL) ||
	    loop_add(cmd->loop, cmd->grace_fd, EPOLLIN, on_grace_over, cmd))
		give_up_channel(cmd);
}

/* ---- all of it (loop thread) --------------------------------------------------------------------- */

static void command_pump(struct command *cmd)
{
	pthread_mutex_lock(&cmd->lock);
	if (cmd->closed && !cmd->broken[0])
		wait_for_explanation(cmd);
	for (size_t i = 0; i < ARRAY_SIZE(cmd->jobs); i++) {
		struct job *job = &cmd->jobs[i];

		for (int s = STREAM_OUT; job->used && s <= STREAM_ERR; s++)
			if (job->sinks[s].fd >= 0)
				sink_write(cmd, job, &job->sinks[s]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cmd->jobs) && cmd->active && !cmd->closed && !cmd->broken[0]; i++) {
		struct job *job = &cmd->jobs[i];

		while (job->used && tx_flush(cmd)) {
			job_pump(cmd, job);
			if (!cmd->tx_len && !job->in_eof)
				break;
		}
	}
	report_jobs(cmd);
	pthread_mutex_unlock(&cmd->lock);
}

static void on_wake(void *opaque, uint32_t events)
{
	struct command *cmd = opaque;
	uint64_t count;
	ssize_t got LKVM_UNUSED = read(cmd->wake_fd, &count, sizeof(count));

	(void)events;
	command_pump(cmd);
}

/* ---- interface ---------------------------------------------------------------------------------- */

int command_create(struct command **out, struct loop *loop)
{
	struct command *cmd = calloc(1, sizeof(*cmd));
	int ret;

	if (!cmd) {
		log_error("out of memory for the guest's command");
		return -ENOMEM;
	}
	pthread_mutex_init(&cmd->lock, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cmd->channels); i++)
		cmd->channels[i].cmd = cmd;
	cmd->loop = loop;
	cmd->grace_fd = -1;
	cmd->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ret = cmd->wake_fd < 0 ? -errno : loop_add(loop, cmd->wake_fd, EPOLLIN, on_wake, cmd);
	if (ret) {
		log_error("cannot watch the guest's command: %s", strerror(-ret));
		command_destroy(cmd);
		return ret;
	}
	*out = cmd;
	return 0;
}

void command_destroy(struct command *cmd)
{
	if (!cmd)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(cmd->jobs); i++)
		if (cmd->jobs[i].used)
			job_free(&cmd->jobs[i]);
	if (cmd->wake_fd >= 0) {
		loop_del(cmd->loop, cmd->wake_fd);
		close(cmd->wake_fd);
	}
	if (cmd->grace_fd >= 0) {
		loop_del(cmd->loop, cmd->grace_fd);
		close(cmd->grace_fd);
	}
	pthread_mutex_destroy(&cmd->lock);
	free(cmd->tail);
	free(cmd);
}

struct virtio_console_port command_port(struct command *cmd)
{
	return (struct virtio_console_port){
		.name = GUEST_PORT,
		.write = port_write,
		.guest_open = port_guest_open,
		.input_ready = port_input_ready,
		.opaque = cmd,
	};
}

void command_set_device(struct command *cmd, struct virtio_device *dev, unsigned int port)
{
	struct channel *ch = &cmd->channels[CHANNEL_VIRTIO];

	ch->dev = dev;
	ch->port = port;
	ch->send = port_send;
}

struct console_options command_serial(struct command *cmd)
{
	return (struct console_options){
		.out_fd = -1, .in_fd = -1, .on_output = serial_output, .on_input_ready = port_input_ready,
		.opaque = cmd,
	};
}

void command_set_serial(struct command *cmd, const struct console_frontend *fe)
{
	struct channel *ch = &cmd->channels[CHANNEL_SERIAL];

	ch->fe = *fe;
	ch->send = serial_send;
}

static uint32_t words_bytes(char *const *words, uint32_t *nr)
{
	size_t bytes = 0;

	for (*nr = 0; words[*nr]; ++*nr)
		bytes += strlen(words[*nr]) + 1;
	return (uint32_t)MIN(bytes, (size_t)FRAME_MAX_PAYLOAD);
}

static uint8_t *put_word(uint8_t *at, const char *word)
{
	size_t len = strlen(word) + 1;

	memcpy(at, word, len);
	return at + len;
}

static int make_exec(struct job *job, const struct command_job *spec)
{
	uint32_t nr_args, nr_env;
	uint32_t args_bytes = words_bytes(spec->argv, &nr_args), env_bytes = words_bytes(spec->env, &nr_env);
	const char *user = spec->user ? spec->user : "";
	size_t bytes = EXEC_HEADER_BYTES + strlen(spec->workdir) + 1 + strlen(user) + 1 + args_bytes + env_bytes;
	uint8_t *at;

	if (bytes > FRAME_MAX_PAYLOAD)
		return -E2BIG;
	job->exec_len = (uint32_t)bytes;
	job->exec = malloc(job->exec_len);
	if (!job->exec)
		return -ENOMEM;
	frame_put_u32(job->exec, spec->uid);
	frame_put_u32(job->exec + 4, spec->gid);
	frame_put_u32(job->exec + 8, nr_args);
	frame_put_u32(job->exec + 12, nr_env);
	at = put_word(job->exec + EXEC_HEADER_BYTES, spec->workdir);
	at = put_word(at, user);
	for (char *const *word = spec->argv; *word; word++)
		at = put_word(at, *word);
	for (char *const *word = spec->env; *word; word++)
		at = put_word(at, *word);
	return 0;
}

int command_start(struct command *cmd, const struct command_job *spec)
{
	struct job job = { .used = true, .cmd = cmd, .in_fd = -1, .in_window = WINDOW_IN };
	struct job *slot = NULL;
	int ret = 0;

	for (int s = 0; s < STREAM_COUNT; s++) {
		job.sinks[s].fd = -1;
		job.sinks[s].own_fd = -1;
	}
	pthread_mutex_lock(&cmd->lock);
	for (size_t i = 0; i < ARRAY_SIZE(cmd->jobs) && !slot; i++)
		if (!cmd->jobs[i].used)
			slot = &cmd->jobs[i];
	job.id = cmd->next_id++;
	if (!slot)
		ret = -EAGAIN;
	if (!ret)
		ret = make_exec(&job, spec);
	for (int s = STREAM_OUT; s <= STREAM_ERR && !ret; s++) {
		struct sink *sink = &job.sinks[s];

		if (fcntl(spec->fds[s], F_GETFD) < 0)
			continue;
		sink->ring = malloc(WINDOW_OUT);
		if (!sink->ring)
			ret = -ENOMEM;
		sink->own_fd = console_open_nonblock(spec->fds[s]);
		sink->fd = sink->own_fd >= 0 ? sink->own_fd : spec->fds[s];
	}
	if (!ret) {
		job.started = spec->started;
		job.ended = spec->ended;
		job.opaque = spec->opaque;
		job.keep_tail = spec->keep_tail;
		job.judged = spec->judged;
		/* A program whose input is closed gets an empty one. */
		if (fcntl(spec->fds[STREAM_IN], F_GETFD) >= 0)
			job.in_fd = spec->fds[STREAM_IN];
		else
			job.in_eof = true;
		*slot = job;
		ret = job.id;
	} else {
		job_free(&job);
	}
	pthread_mutex_unlock(&cmd->lock);
	wake(cmd);
	return ret;
}

void command_kill(struct command *cmd, int id, int sig)
{
	struct job *job;

	pthread_mutex_lock(&cmd->lock);
	job = find_job(cmd, (unsigned int)id);
	if (job)
		job->kill = (uint32_t)sig;
	pthread_mutex_unlock(&cmd->lock);
	wake(cmd);
}

void command_forget(struct command *cmd, int id)
{
	struct job *job;

	pthread_mutex_lock(&cmd->lock);
	job = find_job(cmd, (unsigned int)id);
	if (job) {
		job->forgotten = true;
		if (job->in_fd >= 0)
			in_unwatch(job);
		job->in_fd = -1;
		job->in_always = false;
		job->in_eof = true;
		for (int s = STREAM_OUT; s <= STREAM_ERR; s++)
			if (job->sinks[s].fd >= 0)
				sink_give_up(job, &job->sinks[s], 0);
	}
	pthread_mutex_unlock(&cmd->lock);
	wake(cmd);
}

char **command_make_env(char *const *extra, unsigned int nr, char *term, size_t term_bytes)
{
	static const char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	const char *own[] = { path, "HOME=/", term };
	char **env = calloc(nr + ARRAY_SIZE(own) + 1, sizeof(*env));
	size_t used = 0;

	if (!env)
		return NULL;
	snprintf(term, term_bytes, "TERM=%s", getenv("TERM") ? getenv("TERM") : "dumb");
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		size_t len = strcspn(own[i], "=") + 1;
		bool replaced = false;

		for (unsigned int k = 0; k < nr; k++)
			replaced |= !strncmp(extra[k], own[i], len);
		if (!replaced)
			env[used++] = (char *)(uintptr_t)own[i];
	}
	for (unsigned int k = 0; k < nr; k++)
		env[used++] = extra[k];
	return env;
}

int command_exit_status(enum frame_end end, uint32_t code)
{
	switch (end) {
	case END_EXITED:
		return (int)code;
	case END_SIGNALED:
		return 128 + (int)code;
	case END_NOT_STARTED:
	default:
		return code == ENOENT || code == ENOTDIR ? EXIT_STATUS_NOT_FOUND : EXIT_STATUS_NOT_EXECUTABLE;
	}
}

const char *command_why_not_started(uint32_t code)
{
	switch (code) {
	case NO_SUCH_USER:
		return "its /etc/passwd has no such user (--user)";
	case NO_SUCH_WORKDIR:
		return "it has no such directory to run it in (--workdir)";
	default:
		return strerror((int)code);
	}
}

void command_tail(struct command *cmd, char buf[COMMAND_TAIL_BYTES + 1])
{
	const char *newline;
	size_t from = 0;

	pthread_mutex_lock(&cmd->lock);
	if (cmd->tail_len == COMMAND_TAIL_BYTES) {
		newline = memchr(cmd->tail, '\n', COMMAND_TAIL_BYTES - 1);
		from = newline ? (size_t)(newline - cmd->tail) + 1 : 0;
	}
	if (cmd->tail_len)
		memcpy(buf, cmd->tail + from, cmd->tail_len - from);
	buf[cmd->tail_len - from] = '\0';
	for (size_t i = 0; i < cmd->tail_len - from; i++)
		if (!buf[i])
			buf[i] = '?';
	pthread_mutex_unlock(&cmd->lock);
}

uint64_t command_init_ms(const struct command *cmd)
{
	return atomic_load(&cmd->init_ms);
}

uint64_t command_received(const struct command *cmd)
{
	return atomic_load_explicit(&cmd->received, memory_order_relaxed);
}

int command_output_error(const struct command *cmd)
{
	return cmd->output_error;
}
