// SPDX-License-Identifier: GPL-2.0-only
/* The host's end of a command, with frames as a guest would send them. */
#include "lkvm/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/test.h"

struct fixture {
	struct loop    *loop;
	struct command *cmd;
	struct virtio_console_port port;
	int             out[2], err[2];
	uint32_t        seq;
	int             job;
	/* What was told. */
	unsigned int    started, ended;
	enum frame_end  end;
	uint32_t        code;
	char            why[160];
};

static void on_started(void *opaque)
{
	struct fixture *f = opaque;

	f->started++;
}

static void on_ended(void *opaque, enum frame_end end, uint32_t code, const char *why)
{
	struct fixture *f = opaque;

	f->ended++;
	f->end = end;
	f->code = code;
	strncpy(f->why, why ? why : "", sizeof(f->why) - 1);
	loop_quit(f->loop);
}

static void begin_with(struct fixture *f, bool judged)
{
	static char prog[] = "prog", var[] = "A=1";
	char *argv[] = { prog, NULL }, *env[] = { var, NULL };
	struct command_job job = {
		.argv = argv, .env = env, .workdir = "/", .started = on_started, .ended = on_ended, .opaque = f,
		.keep_tail = true, .judged = judged,
	};

	memset(f, 0, sizeof(*f));
	CHECK_EQ(pipe(f->out), 0);
	CHECK_EQ(pipe(f->err), 0);
	CHECK_EQ(loop_create(&f->loop), 0);
	CHECK_EQ(command_create(&f->cmd, f->loop), 0);
	f->port = command_port(f->cmd);
	job.fds[STREAM_IN] = -1;
	job.fds[STREAM_OUT] = f->out[1];
	job.fds[STREAM_ERR] = f->err[1];
	f->job = command_start(f->cmd, &job);
	CHECK(f->job >= 0);
}

static void begin(struct fixture *f)
{
	begin_with(f, true);
}

static void end(struct fixture *f)
{
	command_destroy(f->cmd);
	loop_destroy(f->loop);
	for (int i = 0; i < 2; i++) {
		close(f->out[i]);
		close(f->err[i]);
	}
}

static void guest_sends(struct fixture *f, uint8_t type, uint8_t stream, const void *payload, uint32_t len)
{
	struct frame frame = {
		.type = type, .job = (uint16_t)f->job, .stream = stream, .len = len, .payload = payload,
	};
	uint8_t header[FRAME_HEADER_BYTES];

	frame_header(&frame, f->seq++, header);
	CHECK_EQ(f->port.write(f->port.opaque, header, sizeof(header)), sizeof(header));
	if (len)
		CHECK_EQ(f->port.write(f->port.opaque, payload, len), len);
}

static void guest_ends(struct fixture *f, enum frame_end how, uint32_t code, uint64_t out, uint64_t err)
{
	uint8_t status[STATUS_BYTES];

	frame_put_u32(status, how);
	frame_put_u32(status + 4, code);
	frame_put_u64(status + 8, out);
	frame_put_u64(status + 16, err);
	guest_sends(f, FRAME_STATUS, 0, status, sizeof(status));
}

static void test_success(void)
{
	int fds = test_open_fds();
	struct fixture f;
	char buf[16] = "";

	begin(&f);
	guest_sends(&f, FRAME_STARTED, 0, NULL, 0);
	guest_sends(&f, FRAME_DATA, STREAM_OUT, "out", 3);
	guest_sends(&f, FRAME_DATA, STREAM_ERR, "error", 5);
	guest_sends(&f, FRAME_DATA, STREAM_OUT, "put", 3);
	guest_ends(&f, END_EXITED, 42, 6, 5);
	CHECK_EQ(loop_run(f.loop), 0);
	CHECK_EQ(f.started, 1);
	CHECK_EQ(f.ended, 1);
	CHECK_EQ(f.end, END_EXITED);
	CHECK_EQ(f.code, 42);
	CHECK_STR(f.why, "");
	CHECK_EQ(read(f.out[0], buf, sizeof(buf)), 6);
	CHECK(!memcmp(buf, "output", 6));
	CHECK_EQ(read(f.err[0], buf, sizeof(buf)), 5);
	end(&f);
	CHECK_EQ(test_open_fds(), fds);
}

/* The end of both streams, from the beginning of a line on. */
static void test_tail(void)
{
	static char text[COMMAND_TAIL_BYTES + 1], line[101];
	struct fixture f;

	begin(&f);
	command_tail(f.cmd, text);
	CHECK_STR(text, "");
	guest_sends(&f, FRAME_DATA, STREAM_OUT, "out\n", 4);
	guest_sends(&f, FRAME_DATA, STREAM_ERR, "a\0b\n", 4);
	command_tail(f.cmd, text);
	CHECK_STR(text, "out\na?b\n");
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(snprintf(line, sizeof(line), "%99d\n", i), 100);
		guest_sends(&f, FRAME_DATA, i % 2 ? STREAM_ERR : STREAM_OUT, line, 100);
	}
	command_tail(f.cmd, text);
	CHECK_EQ(strlen(text), 4000);
	CHECK_EQ(strspn(text, " "), 97);
	CHECK(!strncmp(text + 97, "60\n", 3));
	CHECK_STR(text + 3900, line);
	end(&f);
}

/* None of these may look like a status. */
static void check_lost(void (*what)(struct fixture *f), const char *why)
{
	struct fixture f;

	begin(&f);
	what(&f);
	CHECK_EQ(loop_run(f.loop), 0);
	CHECK_EQ(f.ended, 1);
	CHECK_STR(f.why, why);
	end(&f);
}

static void missing_output(struct fixture *f)
{
	guest_sends(f, FRAME_DATA, STREAM_OUT, "out", 3);
	guest_ends(f, END_EXITED, 0, 4, 0);
}

static void torn_status(struct fixture *f)
{
	guest_sends(f, FRAME_STATUS, 0, "1234", 4);
}

static void wild_status(struct fixture *f)
{
	guest_ends(f, END_EXITED, 256, 0, 0);
}

/* 128 + this is 256, which exit(2) cuts to 0. */
static void wild_signal(struct fixture *f)
{
	guest_ends(f, END_SIGNALED, 128, 0, 0);
}

static void noise(struct fixture *f)
{
	f->port.write(f->port.opaque, "Kernel panic - not syncing", 26);
}

static void gap(struct fixture *f)
{
	f->seq++;
	guest_ends(f, END_EXITED, 0, 0, 0);
}

static void too_much(struct fixture *f)
{
	static char data[FRAME_MAX_DATA];

	/* More than the window, before anything could be written. */
	for (int i = 0; i < 16; i++)
		guest_sends(f, FRAME_DATA, STREAM_OUT, data, sizeof(data));
}

static void gone(struct fixture *f)
{
	guest_sends(f, FRAME_STARTED, 0, NULL, 0);
	guest_sends(f, FRAME_HELLO, 0, (const uint8_t[]){ 0, 1, 0, 0 }, 4);
	f->port.guest_open(f->port.opaque, false);
}

static void forged(struct fixture *f)
{
	guest_sends(f, FRAME_EXEC, 0, NULL, 0);
}

static void test_lost(void)
{
	check_lost(missing_output, "output of the command is missing");
	check_lost(wild_status, "the status of the command is none that there is");
	check_lost(wild_signal, "the status of the command is none that there is");
	check_lost(torn_status, "the status of the command is torn");
	check_lost(noise, "what comes from the guest's init is damaged");
	check_lost(gap, "what comes from the guest's init is damaged");
	check_lost(forged, "the guest sent what only the host may send");
}

static void test_window(void)
{
	struct fixture f;
	static char buf[1 << 20];
	ssize_t n = 0;

	begin(&f);
	too_much(&f);
	/* Nobody reads: the loop does not block on it. What was allowed is kept. */
	CHECK_EQ(f.ended, 0);
	CHECK_EQ(loop_start(f.loop, "loop"), 0);
	while (n < (ssize_t)(7 * FRAME_MAX_DATA))
		n += read(f.out[0], buf, sizeof(buf));
	loop_stop(f.loop);
	end(&f);
}

static void test_reader_gone(void)
{
	struct fixture f;

	begin(&f);
	close(f.out[0]);
	guest_sends(&f, FRAME_DATA, STREAM_OUT, "out", 3);
	guest_ends(&f, END_SIGNALED, 13, 3, 0);
	CHECK_EQ(loop_run(f.loop), 0);
	CHECK_EQ(f.end, END_SIGNALED);
	CHECK_EQ(f.code, 13);
	f.out[0] = dup(f.err[0]);
	end(&f);
}

/* A stream that was closed when lkvm began. What others lose of commands of their own is not this run's loss. */
static void test_lost_output(void)
{
	struct fixture f;

	for (int judged = 0; judged < 2; judged++) {
		int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		begin_with(&f, judged);
		CHECK(dup2(fd, f.out[1]) == f.out[1]);
		close(fd);
		test_stderr_begin();
		guest_sends(&f, FRAME_DATA, STREAM_OUT, "out", 3);
		guest_ends(&f, END_EXITED, 0, 3, 0);
		CHECK_EQ(loop_run(f.loop), 0);
		CHECK(strstr(test_stderr_end(), "cannot write the command's output: it is closed (send it to a file"));
		CHECK_EQ(command_output_error(f.cmd), judged ? -EBADF : 0);
		end(&f);
	}
}

static void test_limits(void)
{
	static char big[70000], prog[] = "p";
	char *argv[] = { prog, NULL }, *env[] = { NULL }, *long_argv[] = { big, NULL };
	struct command_job job = { .argv = argv, .env = env, .workdir = "/", .fds = { -1, -1, -1 } };
	struct fixture f;

	begin(&f);
	memset(big, 'x', sizeof(big) - 1);
	job.argv = long_argv;
	CHECK_EQ(command_start(f.cmd, &job), -E2BIG);
	job.argv = argv;
	for (int i = 1; i < COMMAND_MAX_JOBS; i++)
		CHECK_EQ(command_start(f.cmd, &job), f.job + i + 1);
	CHECK_EQ(command_start(f.cmd, &job), -EAGAIN);
	end(&f);
}

static void on_explanation(void *opaque, uint32_t events)
{
	struct fixture *f = opaque;

	(void)events;
	loop_quit(f->loop);
}

/* A guest that closes the channel is about to say why: a VM that ends in time does so for its own reason. */
static void test_closed(void)
{
	const struct itimerspec soon = { .it_value = { .tv_nsec = 100 * 1000000l } };
	int fds = test_open_fds(), timer;
	struct timespec before, after;
	struct fixture f;

	begin(&f);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	CHECK_EQ(timerfd_settime(timer, 0, &soon, NULL), 0);
	CHECK_EQ(loop_add(f.loop, timer, EPOLLIN, on_explanation, &f), 0);
	gone(&f);
	CHECK_EQ(loop_run(f.loop), 0);
	CHECK_EQ(f.ended, 0);
	loop_del(f.loop, timer);
	close(timer);
	end(&f);
	CHECK_EQ(test_open_fds(), fds);

	clock_gettime(CLOCK_MONOTONIC, &before);
	check_lost(gone, "the way to the guest's init closed: the guest is shutting down, or init is gone");
	clock_gettime(CLOCK_MONOTONIC, &after);
	CHECK((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 >=
	      COMMAND_GRACE_MS - 1);
}

const struct test command_tests[] = {
	{ "success", test_success },
	{ "tail", test_tail },
	{ "lost", test_lost },
	{ "window", test_window },
	{ "reader-gone", test_reader_gone },
	{ "limits", test_limits },
	{ "closed", test_closed },
	{ "lost_output", test_lost_output },
	{ 0 },
};
