// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include "lkvm/log.h"

#define CONSOLE_TAIL_BYTES 65536
/* Also the most that one write(2) gets: a pipe that polls writable takes PIPE_BUF without blocking. */
#define CONSOLE_BUF_BYTES  4096
#define CONSOLE_LINE_BYTES 1024

/* A half line is shown after this time: soon enough for a prompt, late enough to collect a line. */
#define CONSOLE_FLUSH_MS   5
/* How soon the loop tries again when the reader had no room. */
#define CONSOLE_RETRY_MS   20
/* A waiting writer looks this often whether it is still to wait. */
#define CONSOLE_SLICE_MS   100
#define CONSOLE_WAIT_FOREVER UINT_MAX

/* What a person can type ahead while the guest takes nothing. */
#define CONSOLE_TYPED_BYTES 1024
#define CONSOLE_READ_BYTES  256

#define CONSOLE_ESCAPE 0x01 /* ^A */

/* Both as in Linux kernel/panic.c. The closing line contains the first one's words, too. */
static const char panic_first[] = "Kernel panic - not syncing";
static const char panic_end[] = "---[ end Kernel panic";
/* Enough for printk's "<2>[ 1234567.123456][ T12345] ". */
#define PANIC_PREFIX_BYTES 64

/* Where in a terminal control sequence (ECMA-48) the output is. */
enum scan_state {
	SCAN_TEXT,
	SCAN_ESC,        /* after ESC */
	SCAN_CSI,        /* ESC [ ... up to a final byte: ECMA-48 5.4 */
	SCAN_STRING,     /* ESC ] P X ^ _ ... up to BEL or ESC \: ECMA-48 5.6 */
	SCAN_STRING_ESC,
};

/* The line being written, without control sequences. */
struct scan {
	enum scan_state state;
	bool   reported; /* of this line nothing more is wanted */
	bool   cut;      /* line[] is not the line's beginning */
	size_t len;
	char   line[CONSOLE_LINE_BYTES]; /* nothing beyond len counts */
};

/* One to whom the console is shown: console_attach(). Loop thread. */
struct watcher {
	struct console *console;
	struct watcher *next;
	int      fd;
	uint32_t events;   /* what the loop watches */
	bool     blocked;  /* does not take more just now */
	bool     deaf;     /* its input is over */
	bool     starved;  /* ... or waits for the front end */
	uint64_t pos;      /* of all output, what comes next */
	char     note[96]; /* a line of ours that comes before that */
	size_t   note_len;
};

struct console {
	struct loop *loop;
	void (*on_panic)(void *opaque, const char *line, bool final);
	void (*on_line)(void *opaque, const char *line);
	void (*on_quit)(void *opaque);
	void (*on_output)(void *opaque, const void *buf, size_t len);
	void (*on_input_ready)(void *opaque);
	void (*on_debug)(void *opaque);
	void *opaque;
	struct console_frontend fe;
	_Atomic uint64_t written;

	/* Tail and scanner. Never held while anything waits. */
	pthread_mutex_t lock;
	uint8_t  *tail;        /* ring */
	size_t    tail_pos;    /* where the next byte goes */
	size_t    tail_count;
	uint64_t  tail_total;  /* bytes that have ever been in it */
	bool      watched;     /* there are watchers, to be told through news_fd ... */
	bool      told;        /* ... which has been done */
	int       news_fd;     /* eventfd, -1: there were no watchers yet */
	struct scan scan;

	struct watcher *watchers; /* loop thread */
	unsigned int nr_watchers;

	/*
	 * Output. The lock is held while waiting for a slow reader; the loop thread only tries it, because
	 * the main loop must go on serving --timeout and signals.
	 */
	pthread_mutex_t out_lock;
	int       out_fd;      /* -1: nowhere (any more) */
	int       own_tty_fd;  /* non-blocking twin of a terminal's fd, -1: none */
	bool      out_waits;   /* out_fd can make a writer wait: not a regular file */
	bool      out_started; /* output may be held back for a moment */
	bool      timer_armed;
	struct loop_timer timer;
	size_t    out_len;
	int       out_error;   /* -errno that ended the output, 0: none */
	_Atomic unsigned int patience_ms; /* what is left of console_limit_wait() */

	/* Input; loop thread only, but for starved. */
	int       in_fd;
	_Atomic bool starved;  /* the front end had no room: wants console_input_ready() */
	struct loop_timer room_timer; /* it has */
	bool      in_watched;  /* in_fd is in the loop ... */
	bool      in_paused;   /* ... but silenced */
	bool      in_file;     /* epoll can't watch it: read whenever there is room */
	bool      in_raw;      /* we changed the terminal */
	bool      in_tty;
	bool      escape;      /* ^A was typed */
	size_t    typed_len;

	/* What is here is not zeroed: a small guest's start touches as few pages as can be. */
	uint8_t   typed[CONSOLE_TYPED_BYTES];
	uint8_t   out_buf[CONSOLE_BUF_BYTES];
};

/* ---- terminal ----------------------------------------------------------------------------------- */

/*
 * What a signal handler needs to put the terminal back: the only state outside struct console. @fd is
 * published last and taken away first, so @saved is valid whenever fd is not -1. A process has one
 * terminal that matters, so the second console of a process leaves it alone.
 */
static struct {
	atomic_flag    taken;
	_Atomic int    fd;
	struct termios saved;
} terminal = { .taken = ATOMIC_FLAG_INIT, .fd = -1 };

void console_restore_terminal(void)
{
	int saved_errno = errno;
	int fd = atomic_exchange(&terminal.fd, -1);
	sigset_t ttou, old;

	if (fd < 0)
		return;
	/* We may be in the background by now; without this, the attempt would stop us. */
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &ttou, &old);
	tcsetattr(fd, TCSANOW, &terminal.saved);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = saved_errno;
}

/* SA_RESETHAND: the signal, raised again, then does what it would have done without us. */
static void on_fatal_signal(int sig)
{
	console_restore_terminal();
	raise(sig);
}

/*
 * Neither a crash of lkvm nor a signal may leave the user with a terminal in raw mode. These handlers stay:
 * without a raw terminal they do nothing.
 */
static void terminal_guard(void)
{
	static const int signals[] = {
		SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT, SIGSYS,
		/* While a guest runs, these are events of the main loop. */
		SIGTERM, SIGINT, SIGHUP,
		/* Others whose default is to end the process. */
		SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGIO, SIGPWR, SIGTRAP,
	};
	struct sigaction sa = { .sa_handler = on_fatal_signal, .sa_flags = SA_RESETHAND | SA_NODEFER };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction old;

		/* nohup and background jobs ignore some on purpose. */
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(signals[i], &sa, NULL);
	}
}

static int terminal_set_raw(int fd, bool *done)
{
	struct termios raw;
	int err;

	*done = false;
	if (atomic_flag_test_and_set(&terminal.taken))
		return 0;
	if (tcgetattr(fd, &terminal.saved) < 0)
		goto fail;

	/*
	 * Every key is the guest's. Output processing stays: the terminal is also where our own messages
	 * go, and they end in a bare newline.
	 */
	raw = terminal.saved;
	raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | IGNBRK | IGNCR | INLCR | INPCK | ISTRIP | IXON |
				   PARMRK);
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
	raw.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
	raw.c_cflag |= CS8;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;

	terminal_guard();
	atomic_store(&terminal.fd, fd);
	if (tcsetattr(fd, TCSANOW, &raw) < 0) {
		atomic_store(&terminal.fd, -1);
		goto fail;
	}
	*done = true;
	return 0;
fail:
	err = -errno;
	atomic_flag_clear(&terminal.taken);
	return err;
}

/* Raw mode again, after console_restore_terminal(); saves the settings anew. */
static void terminal_resume(int fd)
{
	bool done;

	if (atomic_load(&terminal.fd) >= 0)
		return;
	atomic_flag_clear(&terminal.taken);
	(void)terminal_set_raw(fd, &done);
}

static void terminal_release(void)
{
	console_restore_terminal();
	atomic_flag_clear(&terminal.taken);
}

/* A job in the background must not touch its terminal: reading or configuring it stops the process. */
static bool terminal_in_background(int fd)
{
	pid_t foreground = tcgetpgrp(fd);

	return foreground >= 0 && foreground != getpgrp();
}

/* Not for the master end of a pty, which opens as a new pty. */
int console_open_nonblock(int fd)
{
	char name[64];

	if (!isatty(fd) || ptsname_r(fd, name, sizeof(name)) == 0)
		return -1;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* ---- panic scanner ------------------------------------------------------------------------------ */

/*
 * True if what stands before @at is what printk puts before a message, "<2>", "[   12.345678]" and
 * "[    T1]", so that it is the kernel that speaks and not somebody who quotes it. A process may have
 * begun the line, so one bracket is enough.
 */
static bool scan_is_message_start(const struct scan *scan, const char *at)
{
	const char *p = at;

	while (p > scan->line && p[-1] == ' ')
		p--;
	if (p == scan->line)
		return !scan->cut;
	if (*--p == '>')
		return scan->line[0] == '<' && p - scan->line <= 3 && !scan->cut;
	if (*p != ']')
		return false;
	while (p > scan->line && strchr("0123456789. TC", p[-1]))
		p--;
	return p > scan->line && p[-1] == '[';
}

static char *scan_find(const struct scan *scan, char *from, const char *words)
{
	char *at;

	for (at = strstr(from, words); at; at = strstr(at + 1, words))
		if (scan_is_message_start(scan, at))
			return at;
	return NULL;
}

/* Start of the telling words within the line so far, NULL if it has none. */
static char *scan_match(struct scan *scan, bool *final)
{
	char *at;

	scan->line[scan->len] = '\0';
	at = scan_find(scan, scan->line, panic_end);
	*final = at != NULL;
	return at ? at : scan_find(scan, scan->line, panic_first);
}

/*
 * Ends the line. True if it is to be reported: @text gets it from the telling words on, without blanks
 * at its end.
 */
static bool scan_end_line(struct scan *scan, char *text, bool *final)
{
	char *at = scan->reported ? NULL : scan_match(scan, final);

	if (at) {
		size_t len = strlen(at);

		while (len && at[len - 1] == ' ')
			len--;
		memcpy(text, at, len);
		text[len] = '\0';
	}
	scan->len = 0;
	scan->reported = false;
	scan->cut = false;
	return at != NULL;
}

/* The line is longer than the buffer. True if it is to be reported now, as far as it has come. */
static bool scan_full(struct scan *scan, char *text, bool *final)
{
	char *at = scan->reported ? NULL : scan_match(scan, final);

	if (at && at == scan->line) {
		memcpy(text, scan->line, scan->len + 1);
		scan->len = 0;
		scan->reported = true;
		return true;
	}
	if (!at) { /* the words, with what is before them, may be cut by the buffer's end */
		at = scan->line + scan->len - sizeof(panic_first) - PANIC_PREFIX_BYTES;
		scan->cut = true;
	} else {
		scan->cut = false; /* a match that has been accepted stays one */
	}
	scan->len = (size_t)(scan->line + scan->len - at);
	memmove(scan->line, at, scan->len);
	return false;
}

/* Takes one byte. True if @text (CONSOLE_LINE_BYTES) is now a line to report. */
static bool scan_byte(struct scan *scan, uint8_t c, char *text, bool *final)
{
	/* A newline ends the line even within a sequence that was never finished. */
	if (c == '\n') {
		scan->state = SCAN_TEXT;
		return scan_end_line(scan, text, final);
	}

	switch (scan->state) {
	case SCAN_TEXT:
		if (c == 0x1b) {
			scan->state = SCAN_ESC;
			return false;
		}
		if (c == '\t')
			c = ' ';
		if (c < ' ' || c == 0x7f)
			return false;
		scan->line[scan->len++] = (char)c;
		/* One byte is for the NUL. */
		if (scan->len == sizeof(scan->line) - 1)
			return scan_full(scan, text, final);
		return false;
	case SCAN_ESC:
		if (c == '[')
			scan->state = SCAN_CSI;
		else if (strchr("]PX^_", c) && c)
			scan->state = SCAN_STRING;
		else if (c < 0x20 || c > 0x2f) /* not an intermediate byte: the sequence is over */
			scan->state = SCAN_TEXT;
		return false;
	case SCAN_CSI:
		if (c == 0x1b)
			scan->state = SCAN_ESC;
		else if (c >= 0x40 && c <= 0x7e)
			scan->state = SCAN_TEXT;
		return false;
	case SCAN_STRING:
		if (c == '\a')
			scan->state = SCAN_TEXT;
		else if (c == 0x1b)
			scan->state = SCAN_STRING_ESC;
		return false;
	case SCAN_STRING_ESC:
		scan->state = c == '\\' ? SCAN_TEXT : SCAN_STRING;
		return false;
	}
	return false;
}

/* ---- output ------------------------------------------------------------------------------------- */

static void tail_append(struct console *con, const uint8_t *buf, size_t len)
{
	if (len > CONSOLE_TAIL_BYTES) {
		con->tail_total += len - CONSOLE_TAIL_BYTES;
		buf += len - CONSOLE_TAIL_BYTES;
		len = CONSOLE_TAIL_BYTES;
	}
	con->tail_count = MIN(con->tail_count + len, (size_t)CONSOLE_TAIL_BYTES);
	con->tail_total += len;
	while (len) {
		size_t n = MIN(len, CONSOLE_TAIL_BYTES - con->tail_pos);

		memcpy(con->tail + con->tail_pos, buf, n);
		con->tail_pos = (con->tail_pos + n) % CONSOLE_TAIL_BYTES;
		buf += n;
		len -= n;
	}
}

static void console_scan(struct console *con, const uint8_t *buf, size_t len)
{
	char text[CONSOLE_LINE_BYTES], line[CONSOLE_LINE_BYTES];
	bool final;

	for (size_t i = 0; i < len; i++) {
		struct scan *scan = &con->scan;
		bool whole = buf[i] == '\n' && con->on_line && scan->len && !scan->cut && !scan->reported;
		bool panic;

		if (whole) {
			memcpy(line, scan->line, scan->len);
			line[scan->len] = '\0';
		}
		panic = scan_byte(scan, buf[i], text, &final);
		if (!whole && !panic)
			continue;
		/* Without the lock: whoever is told may well ask for the tail. */
		pthread_mutex_unlock(&con->lock);
		if (whole)
			con->on_line(con->opaque, line);
		if (panic)
			con->on_panic(con->opaque, text, final);
		pthread_mutex_lock(&con->lock);
	}
}

static void out_give_up(struct console *con, const char *reason)
{
	if (reason)
		log_warning("guest console: %s; the rest of its output is not shown", reason);
	con->out_fd = -1;
	con->out_len = 0;
}

/* Takes @ms that were waited off the patience that is left. */
static void out_spend(struct console *con, unsigned int ms)
{
	unsigned int left = atomic_load(&con->patience_ms);

	/* Should the limit be set this very moment, then what was spent before does not count. */
	if (left != CONSOLE_WAIT_FOREVER)
		atomic_compare_exchange_strong(&con->patience_ms, &left, left - MIN(left, ms));
}

/*
 * Waits until the output takes bytes. Returns 0, -EPIPE (nobody reads any more), -EAGAIN (not now, and
 * @wait is false) or -ETIMEDOUT (patience is over).
 */
static int out_wait(struct console *con, bool wait)
{
	struct pollfd pfd = { .fd = con->out_fd, .events = POLLOUT };

	if (!con->out_waits)
		return 0;
	for (;;) {
		unsigned int left = atomic_load(&con->patience_ms);
		unsigned int slice = wait ? MIN(left, CONSOLE_SLICE_MS) : 0;
		int n = poll(&pfd, 1, (int)slice);

		if (n > 0 && (pfd.revents & (POLLERR | POLLNVAL)))
			return -EPIPE; /* and no SIGPIPE */
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (!wait)
			return -EAGAIN;
		if (!left)
			return -ETIMEDOUT;
		if (n == 0)
			out_spend(con, slice);
	}
}

/*
 * Writes out [@buf, @buf + @len); returns how much of it is done with. That is all of it unless @wait is
 * false. Under out_lock.
 */
static size_t out_write(struct console *con, const uint8_t *buf, size_t len, bool wait)
{
	size_t done = 0;

	while (done < len && con->out_fd >= 0) {
		int err = out_wait(con, wait);
		ssize_t n;

		if (err == -EAGAIN)
			return done;
		if (!err) {
			n = write(con->out_fd, buf + done, MIN(len - done, CONSOLE_BUF_BYTES));
			if (n >= 0) {
				done += (size_t)n;
				continue;
			}
			if (errno == EINTR)
				continue;
			err = -errno;
			if (err == -EAGAIN && !wait)
				return done;
			if (err == -EAGAIN && !atomic_load(&con->patience_ms))
				err = -ETIMEDOUT;
			if (err == -EAGAIN) {
				/* A terminal with room for one byte polls writable but won't take "\r\n". */
				poll(NULL, 0, CONSOLE_RETRY_MS);
				out_spend(con, CONSOLE_RETRY_MS);
				continue;
			}
		}
		if (err == -EPIPE) { /* as with `lkvm run | head`: not worth a word */
			out_give_up(con, NULL);
		} else if (err == -ETIMEDOUT) {
			out_give_up(con, "nobody reads it");
		} else {
			con->out_error = err;
			out_give_up(con, log_output_strerror(-err));
		}
	}
	return len;
}

static void out_flush(struct console *con, bool wait)
{
	size_t done = out_write(con, con->out_buf, con->out_len, wait);

	/* out_give_up() may have emptied the buffer. */
	if (con->out_len) {
		con->out_len -= done;
		memmove(con->out_buf, con->out_buf + done, con->out_len);
	}
}

static void console_on_timer(void *opaque, uint32_t events);

static void out_arm_timer(struct console *con, unsigned int ms)
{
	loop_timer_set(con->loop, &con->timer, ms, 0, console_on_timer, con);
	con->timer_armed = true;
}

static void console_on_timer(void *opaque, uint32_t events)
{
	struct console *con = opaque;

	(void)events;
	if (pthread_mutex_trylock(&con->out_lock)) {
		/* A writer is at it, or waits for a slow reader. It believes the timer armed, so arm it. */
		loop_timer_set(con->loop, &con->timer, CONSOLE_RETRY_MS, 0, console_on_timer, con);
		return;
	}
	con->timer_armed = false;
	out_flush(con, false);
	if (con->out_len)
		out_arm_timer(con, CONSOLE_RETRY_MS);
	pthread_mutex_unlock(&con->out_lock);
}

static void out_append(struct console *con, const uint8_t *buf, size_t len)
{
	if (con->out_fd < 0)
		return;

	if (len > sizeof(con->out_buf) - con->out_len)
		out_flush(con, true);
	if (len > sizeof(con->out_buf)) {
		out_write(con, buf, len, true);
		return;
	}
	memcpy(con->out_buf + con->out_len, buf, len);
	con->out_len += len;

	/* Half a line waits for its other half, so that a UART's bytes do not cost a write(2) each. */
	if (!con->out_started || memchr(buf, '\n', len))
		out_flush(con, true);
	else if (!con->timer_armed)
		out_arm_timer(con, CONSOLE_FLUSH_MS);
}

/* Under the lock. */
static void tell_watchers(struct console *con)
{
	const uint64_t one = 1;
	ssize_t put LKVM_UNUSED = write(con->news_fd, &one, sizeof(one));

	con->told = true;
}

void console_write(struct console *con, const void *buf, size_t len)
{
	if (!len)
		return;
	if (con->on_output) {
		con->on_output(con->opaque, buf, len);
		return;
	}

	atomic_fetch_add_explicit(&con->written, len, memory_order_relaxed);
	pthread_mutex_lock(&con->lock);
	tail_append(con, buf, len);
	if (con->watched && !con->told)
		tell_watchers(con);
	/* Before the output, which may have to wait: a panic must not go unnoticed meanwhile. */
	if (con->on_panic)
		console_scan(con, buf, len);
	pthread_mutex_unlock(&con->lock);

	pthread_mutex_lock(&con->out_lock);
	out_append(con, buf, len);
	pthread_mutex_unlock(&con->out_lock);
}

uint64_t console_written(const struct console *con)
{
	return atomic_load_explicit(&con->written, memory_order_relaxed);
}

void console_limit_wait(struct console *con, unsigned int ms)
{
	atomic_store(&con->patience_ms, ms);
}

int console_output_error(const struct console *con)
{
	return con->out_error;
}

size_t console_tail(struct console *con, char *buf, size_t size)
{
	size_t n, at, len = 0;
	bool line_start;

	if (!size)
		return 0;

	pthread_mutex_lock(&con->lock);
	n = MIN(con->tail_count, size - 1);
	at = (con->tail_pos + CONSOLE_TAIL_BYTES - n) % CONSOLE_TAIL_BYTES;
	/* Is the byte before ours the end of a line, or the beginning of it all? */
	if (n < con->tail_count)
		line_start = con->tail[(at + CONSOLE_TAIL_BYTES - 1) % CONSOLE_TAIL_BYTES] == '\n';
	else
		line_start = con->tail_count < CONSOLE_TAIL_BYTES;

	for (; n; n--, at = (at + 1) % CONSOLE_TAIL_BYTES) {
		char c = (char)con->tail[at];

		if (c) /* would end the string for the reader */
			buf[len++] = c;
		if (c == '\n' && !line_start) {
			/* The rest of a line that began before. Unless it is all there is, leave it out. */
			if (n > 1)
				len = 0;
			line_start = true;
		}
	}
	pthread_mutex_unlock(&con->lock);
	buf[len] = '\0';
	return len;
}

/* ---- input -------------------------------------------------------------------------------------- */

/* How much the front end takes now. If it is 0, the front end has been asked to say when that changes. */
static size_t in_room(struct console *con)
{
	size_t room = con->fe.can_receive ? con->fe.can_receive(con->fe.dev) : 0;

	if (room)
		return room;
	atomic_store(&con->starved, true);
	/* It may have made room in between, when nobody had asked yet. */
	room = con->fe.can_receive ? con->fe.can_receive(con->fe.dev) : 0;
	if (room)
		atomic_store(&con->starved, false);
	return room;
}

static void console_on_room(void *opaque, uint32_t events);

void console_input_ready(struct console *con)
{
	if (con->on_input_ready)
		con->on_input_ready(con->opaque);
	if (atomic_load(&con->starved) && atomic_exchange(&con->starved, false))
		loop_timer_set(con->loop, &con->room_timer, 0, 0, console_on_room, con);
}

/* Input is over; the guest goes on without it. */
static void in_end(struct console *con)
{
	if (con->in_watched)
		loop_del(con->loop, con->in_fd);
	con->in_watched = false;
	con->in_file = false;
}

/*
 * read(2), whose every way to say "no more" gives 0 and whose "not now" gives -1. It does not wait: another reader of
 * the same pipe may have been faster, and the main loop has more to do.
 */
static ssize_t in_read(struct console *con, uint8_t *buf, size_t size)
{
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	ssize_t n = preadv2(con->in_fd, &iov, 1, -1, RWF_NOWAIT);

	if (n < 0 && errno == EAGAIN && con->in_file)
		errno = EOPNOTSUPP; /* a file's bytes that are still on the disk: worth the wait */
	if (n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL))
		n = read(con->in_fd, buf, size);
	if (n >= 0)
		return n;
	if (errno == EINTR || errno == EAGAIN)
		return -1;
	if (errno != EIO) /* what a terminal says that was hung up */
		log_warning("guest console: cannot read its input: %s", strerror(errno));
	return 0;
}

/* Gives the front end what was typed, as far as it has room. */
static void typed_deliver(struct console *con)
{
	while (con->typed_len) {
		size_t room = in_room(con);
		size_t n = MIN(room, con->typed_len);

		if (!n)
			return;
		con->fe.receive(con->fe.dev, con->typed, n);
		con->typed_len -= n;
		memmove(con->typed, con->typed + n, con->typed_len);
	}
}

static void typed_add(struct console *con, uint8_t c)
{
	/* A full buffer drops keys as a terminal's own would; without a guest nobody wants them. */
	if (con->fe.receive && con->typed_len < sizeof(con->typed))
		con->typed[con->typed_len++] = c;
}

/*
 * Keys from a terminal are always read, even when the guest takes none, because ^A x must work most of
 * all when the guest is stuck.
 */
static void console_on_keys(void *opaque, uint32_t events)
{
	struct console *con = opaque;
	uint8_t buf[CONSOLE_READ_BYTES];
	ssize_t n = in_read(con, buf, sizeof(buf));

	(void)events;
	if (n == 0)
		in_end(con);
	for (ssize_t i = 0; i < n; i++) {
		uint8_t c = buf[i];

		if (con->escape) {
			con->escape = false;
			if (c == 'x') {
				if (con->on_quit)
					con->on_quit(con->opaque);
				continue;
			}
			if (c == 'd' && con->on_debug) {
				con->on_debug(con->opaque);
				continue;
			}
			/* ^A ^A is ^A; before another key ^A is just a key, as shells have it. */
			if (c != CONSOLE_ESCAPE)
				typed_add(con, CONSOLE_ESCAPE);
			typed_add(con, c);
		} else if (c == CONSOLE_ESCAPE) {
			con->escape = true;
		} else {
			typed_add(con, c);
		}
	}
	typed_deliver(con);
}

/* ---- watchers ----------------------------------------------------------------------------------- */

/* Pieces that one watcher gets at a time: then it is the turn of others. */
#define WATCHER_BATCH 16

static void watcher_remove(struct watcher *w)
{
	struct console *con = w->console;
	struct watcher **p = &con->watchers;

	while (*p != w)
		p = &(*p)->next;
	*p = w->next;
	con->nr_watchers--;
	if (!con->watchers) {
		pthread_mutex_lock(&con->lock);
		con->watched = false;
		pthread_mutex_unlock(&con->lock);
	}
	loop_del(con->loop, w->fd);
	close(w->fd);
	free(w);
}

static void watcher_watch(struct watcher *w)
{
	/* Never 0, so that one that goes is noticed. */
	uint32_t events = EPOLLPRI | (w->blocked ? EPOLLOUT : 0) | (w->deaf || w->starved ? 0 : EPOLLIN);

	if (events != w->events)
		(void)loop_modify(w->console->loop, w->fd, events);
	w->events = events;
}

/* What comes next for @w, up to @size bytes; how many were lost before them goes to @lost. */
static size_t watcher_next(struct watcher *w, uint8_t *buf, size_t size, uint64_t *lost)
{
	struct console *con = w->console;
	uint64_t oldest;
	size_t n, at;

	pthread_mutex_lock(&con->lock);
	con->told = false;
	oldest = con->tail_total - con->tail_count;
	*lost = w->pos < oldest ? oldest - w->pos : 0;
	w->pos += *lost;
	n = (size_t)MIN(con->tail_total - w->pos, (uint64_t)size);
	at = (con->tail_pos + CONSOLE_TAIL_BYTES - (size_t)(con->tail_total - w->pos)) % CONSOLE_TAIL_BYTES;
	for (size_t i = 0; i < n; i++)
		buf[i] = con->tail[(at + i) % CONSOLE_TAIL_BYTES];
	pthread_mutex_unlock(&con->lock);
	return n;
}

/* send() that does not wait: how much was taken, 0 if nothing, -1 if nobody is there. */
static ssize_t watcher_send(struct watcher *w, const void *buf, size_t len)
{
	ssize_t n = send(w->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n >= 0 || errno == EINTR)
		return n < 0 ? 0 : n;
	w->blocked = errno == EAGAIN || errno == EWOULDBLOCK;
	return w->blocked ? 0 : -1;
}

/* Sends what @w takes. False if it is gone. */
static bool watcher_flush(struct watcher *w)
{
	uint8_t buf[CONSOLE_BUF_BYTES];
	unsigned int budget = WATCHER_BATCH;

	w->blocked = false;
	while (!w->blocked) {
		bool note = w->note_len;
		uint64_t lost = 0;
		size_t len = note ? w->note_len : watcher_next(w, buf, sizeof(buf), &lost);
		ssize_t n;

		if (lost) {
			w->note_len = (size_t)snprintf(w->note, sizeof(w->note),
						       "\r\n[lkvm: %llu bytes were not read in time]\r\n",
						       (unsigned long long)lost);
			continue;
		}
		if (!len)
			break;
		if (!budget--) {
			w->blocked = true; /* it is ready at once: the loop comes back */
			break;
		}
		n = watcher_send(w, note ? (const void *)w->note : buf, len);
		if (n < 0)
			return false;
		if (note) {
			w->note_len -= (size_t)n;
			memmove(w->note, w->note + n, w->note_len);
		} else {
			w->pos += (uint64_t)n;
		}
	}
	watcher_watch(w);
	return true;
}

/* There is output. */
static void watchers_on_news(void *opaque, uint32_t events)
{
	struct console *con = opaque;
	uint64_t count;
	ssize_t got LKVM_UNUSED = read(con->news_fd, &count, sizeof(count));

	(void)events;
	for (struct watcher *w = con->watchers, *next; w; w = next) {
		next = w->next;
		if (!w->blocked && !watcher_flush(w))
			watcher_remove(w);
	}
}

/* Input of @w, as much as the guest takes. False if it is gone. */
static bool watcher_read(struct watcher *w)
{
	struct console *con = w->console;
	uint8_t buf[CONSOLE_READ_BYTES];
	size_t room = con->typed_len ? 0 : in_room(con);
	ssize_t n;

	if (!con->fe.receive)
		room = sizeof(buf); /* nobody wants it */
	if (!room) {
		w->starved = true;
		return true;
	}
	n = recv(w->fd, buf, MIN(room, sizeof(buf)), MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	w->deaf = n == 0;
	if (n > 0 && con->fe.receive)
		con->fe.receive(con->fe.dev, buf, (size_t)n);
	return true;
}

static void watcher_on_event(void *opaque, uint32_t events)
{
	struct watcher *w = opaque;
	bool there = !(events & EPOLLERR);

	/* What one has sent who is gone is input all the same. */
	if (there && events & EPOLLIN)
		there = watcher_read(w);
	if (events & EPOLLHUP && (w->deaf || !(events & EPOLLIN)))
		there = false;
	if (there && events & EPOLLOUT)
		there = watcher_flush(w);
	if (there)
		watcher_watch(w);
	else
		watcher_remove(w);
}

/* The front end has room. */
static void watchers_go_on(struct console *con)
{
	for (struct watcher *w = con->watchers; w; w = w->next) {
		w->starved = false;
		watcher_watch(w);
	}
}

/* What they take at once of the last output is theirs. */
static void watchers_stop(struct console *con)
{
	while (con->watchers) {
		while (watcher_flush(con->watchers) && con->watchers->blocked) {
			struct pollfd pfd = { .fd = con->watchers->fd, .events = POLLOUT };

			if (poll(&pfd, 1, 0) <= 0)
				break;
		}
		watcher_remove(con->watchers);
	}
	if (con->news_fd >= 0) {
		loop_del(con->loop, con->news_fd);
		close(con->news_fd);
	}
	con->news_fd = -1;
}

/* One read of input that is not typed. Returns false when there is nothing to be had for now. */
static bool in_transfer(struct console *con, size_t room)
{
	uint8_t buf[CONSOLE_READ_BYTES];
	ssize_t n = in_read(con, buf, MIN(room, sizeof(buf)));

	if (n > 0)
		con->fe.receive(con->fe.dev, buf, (size_t)n);
	else if (n == 0)
		in_end(con);
	return n > 0;
}

/* What can't be waited for is read as far as the front end has room. */
static void in_pump(struct console *con)
{
	size_t room;

	while (con->in_file && (room = in_room(con)) > 0)
		if (!in_transfer(con, room))
			break;
}

static void console_on_input(void *opaque, uint32_t events)
{
	struct console *con = opaque;
	size_t room = in_room(con);

	(void)events;
	if (room) {
		in_transfer(con, room);
	} else {
		/* Until console_on_room(): what the guest can't take stays with the sender. */
		con->in_paused = true;
		(void)loop_modify(con->loop, con->in_fd, 0);
	}
}

static void console_on_room(void *opaque, uint32_t events)
{
	struct console *con = opaque;

	(void)events;
	typed_deliver(con);
	watchers_go_on(con);
	if (con->in_watched && con->in_paused) {
		con->in_paused = false;
		(void)loop_modify(con->loop, con->in_fd, EPOLLIN);
	}
	in_pump(con);
}

static int news_start(struct console *con)
{
	int err;

	if (con->news_fd >= 0)
		return 0;
	con->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (con->news_fd < 0)
		return -errno;
	err = loop_add(con->loop, con->news_fd, EPOLLIN, watchers_on_news, con);
	if (err) {
		close(con->news_fd);
		con->news_fd = -1;
	}
	return err;
}

/* Where @w begins: with a whole line, unless one is all there is. Under the lock. */
static uint64_t first_line(const struct console *con)
{
	uint64_t oldest = con->tail_total - con->tail_count;

	if (con->tail_count < CONSOLE_TAIL_BYTES)
		return oldest;
	for (size_t i = 0; i + 1 < CONSOLE_TAIL_BYTES; i++)
		if (con->tail[(con->tail_pos + i) % CONSOLE_TAIL_BYTES] == '\n')
			return oldest + i + 1;
	return oldest;
}

int console_attach(struct console *con, int fd)
{
	struct watcher *w = calloc(1, sizeof(*w));
	int err = !w ? -ENOMEM : con->nr_watchers == CONSOLE_MAX_WATCHERS ? -EBUSY : news_start(con);

	if (!err)
		err = loop_add(con->loop, fd, EPOLLIN, watcher_on_event, w);
	if (err) {
		free(w);
		close(fd);
		return err;
	}
	*w = (struct watcher){ .console = con, .fd = fd, .events = EPOLLIN, .next = con->watchers };
	con->watchers = w;
	con->nr_watchers++;
	pthread_mutex_lock(&con->lock);
	con->watched = true;
	w->pos = first_line(con);
	tell_watchers(con);
	pthread_mutex_unlock(&con->lock);
	return 0;
}

static int in_start(struct console *con)
{
	int err;

	con->in_tty = isatty(con->in_fd);
	/* Without a front end only ^A x is of interest. */
	if (!con->fe.receive && !con->in_tty)
		return 0;
	if (con->in_tty) {
		if (terminal_in_background(con->in_fd)) {
			log_info("guest console: a job in the background gets no input");
			return 0;
		}
		err = terminal_set_raw(con->in_fd, &con->in_raw);
		if (err)
			return err;
	}

	err = loop_add(con->loop, con->in_fd, EPOLLIN,
		       con->in_tty ? console_on_keys : console_on_input, con);
	if (!err) {
		con->in_watched = true;
		con->in_paused = false;
	} else if (err == -EPERM) {
		/* Regular files and the like of /dev/null are always ready, says epoll. */
		con->in_file = true;
		in_pump(con);
		err = 0;
	}
	return err;
}

/* ---- life --------------------------------------------------------------------------------------- */

static bool fd_is_open(int fd)
{
	return fd >= 0 && fcntl(fd, F_GETFD) >= 0;
}

int console_create(struct console **out, const struct console_options *opt)
{
	struct console *con = malloc(sizeof(*con));
	struct stat st;
	int err;

	if (!con) {
		log_error("out of memory for the guest console");
		return -ENOMEM;
	}
	memset(con, 0, offsetof(struct console, typed));
	con->loop = opt->loop;
	con->on_panic = opt->on_panic;
	con->on_line = opt->on_line;
	con->on_quit = opt->on_quit;
	con->on_output = opt->on_output;
	con->on_input_ready = opt->on_input_ready;
	con->on_debug = opt->on_debug;
	con->opaque = opt->opaque;
	pthread_mutex_init(&con->lock, NULL);
	pthread_mutex_init(&con->out_lock, NULL);
	atomic_init(&con->patience_ms, CONSOLE_WAIT_FOREVER);
	con->news_fd = -1;
	con->own_tty_fd = -1;
	/* A caller's stdin or stdout may have been closed before we were started. */
	con->in_fd = opt->loop && fd_is_open(opt->in_fd) ? opt->in_fd : -1;
	con->out_fd = fd_is_open(opt->out_fd) ? opt->out_fd : -1;

	con->tail = malloc(CONSOLE_TAIL_BYTES);
	if (!con->tail) {
		err = -ENOMEM;
		goto fail;
	}
	if (con->out_fd >= 0) {
		con->out_waits = fstat(con->out_fd, &st) < 0 || !S_ISREG(st.st_mode);
		con->own_tty_fd = console_open_nonblock(con->out_fd);
		if (con->own_tty_fd >= 0)
			con->out_fd = con->own_tty_fd;
	}

	*out = con;
	return 0;
fail:
	log_error("cannot create the guest console: %s", strerror(-err));
	console_destroy(con);
	return err;
}

void console_destroy(struct console *con)
{
	if (!con)
		return;
	console_stop(con);
	if (con->own_tty_fd >= 0)
		close(con->own_tty_fd);
	free(con->tail);
	pthread_mutex_destroy(&con->out_lock);
	pthread_mutex_destroy(&con->lock);
	free(con);
}

void console_set_frontend(struct console *con, const struct console_frontend *fe)
{
	con->fe = fe ? *fe : (struct console_frontend){ 0 };
}

static void out_start(struct console *con)
{
	pthread_mutex_lock(&con->out_lock);
	con->out_started = true;
	con->timer_armed = false;
	pthread_mutex_unlock(&con->out_lock);
}

int console_start(struct console *con)
{
	int err = 0;

	if (con->loop && con->out_fd >= 0)
		out_start(con);
	if (!err && con->in_fd >= 0)
		err = in_start(con);
	if (err) {
		log_error("cannot start the guest console: %s", strerror(-err));
		console_stop(con);
	}
	return err;
}

void console_continue(struct console *con)
{
	if (con->in_raw && !terminal_in_background(con->in_fd))
		terminal_resume(con->in_fd);
}

void console_stop(struct console *con)
{
	static const uint8_t newline = '\n';

	in_end(con);
	atomic_store(&con->starved, false);
	if (con->loop)
		loop_timer_stop(con->loop, &con->room_timer);

	/* A last line that the guest did not live to finish. */
	pthread_mutex_lock(&con->lock);
	if (con->on_panic)
		console_scan(con, &newline, 1);
	pthread_mutex_unlock(&con->lock);

	pthread_mutex_lock(&con->out_lock);
	out_flush(con, true);
	if (con->out_started)
		loop_timer_stop(con->loop, &con->timer);
	con->out_started = false;
	pthread_mutex_unlock(&con->out_lock);

	watchers_stop(con);
	if (con->in_raw)
		terminal_release();
	con->in_raw = false;
}
