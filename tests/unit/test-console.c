// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/test.h"

/* A console with a loop on a thread of its own, and a front end that takes up to @room bytes. */
struct rig {
	struct loop    *loop;
	struct console *console;
	struct console_frontend fe;

	_Atomic size_t  room;
	_Atomic size_t  nr_received;
	uint8_t         received[8192];
	_Atomic int     nr_quits;

	_Atomic int     nr_panics;
	bool            finals[8];
	char            lines[8][1100];
	size_t          tail_in_panic;
};

static size_t fe_can_receive(void *dev)
{
	return ((struct rig *)dev)->room;
}

static void fe_receive(void *dev, const uint8_t *buf, size_t len)
{
	struct rig *rig = dev;

	CHECK(len > 0 && len <= rig->room);
	CHECK(rig->nr_received + len <= sizeof(rig->received));
	memcpy(rig->received + rig->nr_received, buf, len);
	rig->room -= len;
	rig->nr_received += len;
}

static void on_panic(void *opaque, const char *line, bool final)
{
	struct rig *rig = opaque;
	char tail[256];

	/* Must not dead-lock. */
	rig->tail_in_panic = console_tail(rig->console, tail, sizeof(tail));
	if (rig->nr_panics == 8)
		return;
	rig->finals[rig->nr_panics] = final;
	snprintf(rig->lines[rig->nr_panics], sizeof(rig->lines[0]), "%s", line);
	rig->nr_panics++;
}

static void on_quit(void *opaque)
{
	((struct rig *)opaque)->nr_quits++;
}

static void rig_init(struct rig *rig, int out_fd, int in_fd)
{
	struct console_options opt = {
		.out_fd = out_fd,
		.in_fd = in_fd,
		.on_panic = on_panic,
		.on_quit = on_quit,
		.opaque = rig,
	};

	memset(rig, 0, sizeof(*rig));
	CHECK_EQ(loop_create(&rig->loop), 0);
	opt.loop = rig->loop;
	CHECK_EQ(console_create(&rig->console, &opt), 0);
	rig->fe = (struct console_frontend){ fe_can_receive, fe_receive, rig };
	console_set_frontend(rig->console, &rig->fe);
}

static void rig_start(struct rig *rig)
{
	CHECK_EQ(console_start(rig->console), 0);
	CHECK_EQ(loop_start(rig->loop, "console"), 0);
}

static void rig_exit(struct rig *rig)
{
	loop_stop(rig->loop);
	console_stop(rig->console);
	console_destroy(rig->console);
	loop_destroy(rig->loop);
}

/* Gives the loop up to 5 s to bring @what to @want, then a moment to overshoot. */
static void wait_for(_Atomic size_t *what, size_t want)
{
	for (int i = 0; i < 5000 && *what < want; i++)
		usleep(1000);
	usleep(2000);
	CHECK_EQ(*what, want);
}

/* As above, for what may well go on. */
static void wait_for_int(_Atomic int *what, int want)
{
	for (int i = 0; i < 5000 && *what < want; i++)
		usleep(1000);
	CHECK(*what >= want);
}

static void put(int fd, const char *text)
{
	CHECK_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void console_puts(struct rig *rig, const char *text)
{
	console_write(rig->console, text, strlen(text));
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- output ------------------------------------------------------------------------------------- */

static void test_life(void)
{
	int fds = test_open_fds();
	struct rig rig;
	int p[2];

	console_destroy(NULL);
	CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
	rig_init(&rig, p[1], p[0]);
	console_destroy(rig.console);
	loop_destroy(rig.loop);

	rig_init(&rig, p[1], p[0]);
	rig_start(&rig);
	rig_exit(&rig);

	/* No fd at all, and fds that have been closed. */
	rig_init(&rig, -1, -1);
	rig_start(&rig);
	console_puts(&rig, "nobody hears\n");
	rig_exit(&rig);
	close(p[0]);
	close(p[1]);
	rig_init(&rig, 1000, 1001);
	rig_start(&rig);
	console_puts(&rig, "nobody hears\n");
	rig_exit(&rig);
	CHECK_EQ(test_open_fds(), fds);
}

/* Each write(2) is a packet, so that they can be counted. */
static void test_lines(void)
{
	char buf[8192], big[6000];
	struct rig rig;
	int s[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	rig_init(&rig, s[1], -1);
	CHECK_EQ(console_start(rig.console), 0); /* the loop does not run: no timer comes */

	for (const char *c = "hello, world\n"; *c; c++)
		console_write(rig.console, c, 1);
	CHECK_EQ(recv(s[0], buf, sizeof(buf), MSG_DONTWAIT), 13);
	CHECK(!memcmp(buf, "hello, world\n", 13));
	CHECK_EQ(recv(s[0], buf, sizeof(buf), MSG_DONTWAIT), -1);

	console_puts(&rig, "half");
	CHECK_EQ(recv(s[0], buf, sizeof(buf), MSG_DONTWAIT), -1);
	console_puts(&rig, " line\nand");
	CHECK_EQ(recv(s[0], buf, sizeof(buf), MSG_DONTWAIT), 13);
	CHECK(!memcmp(buf, "half line\nand", 13));

	/* More than fits in the buffer. */
	memset(big, 'x', sizeof(big));
	console_puts(&rig, "123");
	console_write(rig.console, big, sizeof(big));
	CHECK_EQ(recv(s[0], buf, sizeof(buf), MSG_DONTWAIT), 3);
	CHECK_EQ(recv(s[0], buf, sizeof(buf), MSG_DONTWAIT), 4096);
	CHECK_EQ(recv(s[0], buf, sizeof(buf), MSG_DONTWAIT), sizeof(big) - 4096);

	/* What is left comes at the stop; after it, nothing is held back. */
	console_puts(&rig, "rest");
	console_stop(rig.console);
	CHECK_EQ(recv(s[0], buf, sizeof(buf), MSG_DONTWAIT), 4);
	console_puts(&rig, "late");
	CHECK_EQ(recv(s[0], buf, sizeof(buf), MSG_DONTWAIT), 4);

	rig_exit(&rig);
	close(s[0]);
	close(s[1]);
}

static void test_half_line(void)
{
	struct pollfd pfd;
	struct rig rig;
	char buf[64];
	int p[2];

	CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
	rig_init(&rig, p[1], -1);
	rig_start(&rig);
	pfd = (struct pollfd){ .fd = p[0], .events = POLLIN };
	for (int i = 0; i < 3; i++) {
		console_puts(&rig, "login: ");
		CHECK_EQ(poll(&pfd, 1, 5000), 1);
		CHECK_EQ(read(p[0], buf, sizeof(buf)), 7);
	}
	rig_exit(&rig);
	close(p[0]);
	close(p[1]);
}

struct reader {
	int       fd;
	size_t    size;
	uint8_t  *buf;
	unsigned int pause_us;
	pthread_t thread;
};

static void *reader_thread(void *opaque)
{
	struct reader *r = opaque;
	size_t room = r->size;
	ssize_t n;

	r->size = 0;
	while ((n = read(r->fd, r->buf + r->size, MIN(room - r->size, 3000))) > 0) {
		r->size += (size_t)n;
		usleep(r->pause_us);
	}
	return NULL;
}

static void stream_to_slow_reader(bool nonblock)
{
	static uint8_t sent[300000], got[300001];
	struct reader reader = { .buf = got, .size = sizeof(got), .pause_us = 200 };
	size_t at = 0;
	struct rig rig;
	int p[2];

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 7 + i / 251);
	CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
	if (nonblock)
		CHECK_EQ(fcntl(p[1], F_SETFL, O_NONBLOCK), 0);
	(void)fcntl(p[1], F_SETPIPE_SZ, 4096);
	reader.fd = p[0];
	CHECK_EQ(pthread_create(&reader.thread, NULL, reader_thread, &reader), 0);

	rig_init(&rig, p[1], -1);
	rig_start(&rig);
	for (size_t n = 1; at < sizeof(sent); n = n * 3 % 9973 + 1) {
		n = MIN(n, sizeof(sent) - at);
		console_write(rig.console, sent + at, n);
		at += n;
	}
	rig_exit(&rig);
	close(p[1]);
	pthread_join(reader.thread, NULL);
	CHECK_EQ(reader.size, sizeof(sent));
	CHECK(!memcmp(sent, got, sizeof(sent)));
	close(p[0]);
}

static void test_slow_reader(void)
{
	stream_to_slow_reader(false);
}

static void test_nonblocking_output(void)
{
	stream_to_slow_reader(true);
}

static void test_file_output(void)
{
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct rig rig;
	char buf[64];

	rig_init(&rig, fd, -1);
	rig_start(&rig);
	console_puts(&rig, "one\ntwo");
	rig_exit(&rig);
	CHECK_EQ(pread(fd, buf, sizeof(buf), 0), 7);
	CHECK(!memcmp(buf, "one\ntwo", 7));
	close(fd);
}

/* As in `lkvm run | head`: quiet, and the tail has it all the same. */
static void test_reader_gone(void)
{
	struct sigaction old, ign = { .sa_handler = SIG_IGN };
	struct rig rig;
	char buf[64];
	int p[2];

	sigaction(SIGPIPE, &ign, &old);
	CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
	rig_init(&rig, p[1], -1);
	rig_start(&rig);
	test_stderr_begin();
	close(p[0]);
	for (int i = 0; i < 3; i++)
		console_puts(&rig, "line\n");
	CHECK_STR(test_stderr_end(), "");
	CHECK_EQ(console_tail(rig.console, buf, sizeof(buf)), 15);
	CHECK_STR(buf, "line\nline\nline\n");
	rig_exit(&rig);
	close(p[1]);
	sigaction(SIGPIPE, &old, NULL);
}

static void test_device_full(void)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	const char *text;
	struct rig rig;

	if (fd < 0)
		test_skip("no /dev/full");
	rig_init(&rig, fd, -1);
	rig_start(&rig);
	test_stderr_begin();
	console_puts(&rig, "line\n");
	console_puts(&rig, "line\n");
	text = test_stderr_end();
	CHECK(strstr(text, strerror(ENOSPC)));
	CHECK(strchr(text, '\n') == text + strlen(text) - 1); /* said once */
	rig_exit(&rig);
	close(fd);
}

static void *stuck_writer(void *opaque)
{
	struct rig *rig = opaque;

	for (int i = 0; i < 5000; i++)
		console_puts(rig, "a line that nobody is ever going to read from that pipe\n");
	return NULL;
}

static void on_tick(void *opaque, uint32_t events)
{
	_Atomic int *ticks = opaque;

	(void)events;
	(*ticks)++;
	usleep(500);
}

/* A reader that never reads holds up the writer, but neither the loop nor, when told so, the end. */
static void test_stuck_reader(void)
{
	_Atomic int ticks = 0;
	pthread_t thread;
	struct rig rig;
	int64_t start;
	int p[2], tick;

	CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
	rig_init(&rig, p[1], -1);
	tick = eventfd(1, EFD_CLOEXEC);
	CHECK_EQ(loop_add(rig.loop, tick, EPOLLIN, on_tick, &ticks), 0);
	rig_start(&rig);
	test_stderr_begin();
	console_puts(&rig, "half a line, so that the timer is armed");
	CHECK_EQ(pthread_create(&thread, NULL, stuck_writer, &rig), 0);
	usleep(100000);
	/* The writer is stuck now; the loop is not. */
	ticks = 0;
	wait_for_int(&ticks, 10);

	start = now_ms();
	console_limit_wait(rig.console, 150);
	pthread_join(thread, NULL);
	rig_exit(&rig);
	CHECK(now_ms() - start < 3000);
	CHECK(strstr(test_stderr_end(), "nobody reads it"));
	close(p[0]);
	close(p[1]);
	close(tick);
}

static void test_limit_spares_good_reader(void)
{
	static uint8_t got[20000];
	struct reader reader = { .buf = got, .size = sizeof(got), .pause_us = 0 };
	struct rig rig;
	int p[2];

	CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
	reader.fd = p[0];
	CHECK_EQ(pthread_create(&reader.thread, NULL, reader_thread, &reader), 0);
	rig_init(&rig, p[1], -1);
	console_limit_wait(rig.console, 5000);
	for (int i = 0; i < 1000; i++)
		console_puts(&rig, "0123456789\n");
	rig_exit(&rig);
	close(p[1]);
	pthread_join(reader.thread, NULL);
	CHECK_EQ(reader.size, 11000);
	close(p[0]);
}

/* ---- tail --------------------------------------------------------------------------------------- */

static void test_tail(void)
{
	static char buf[70000];
	struct rig rig;
	size_t n;

	rig_init(&rig, -1, -1);
	CHECK_EQ(console_tail(rig.console, buf, sizeof(buf)), 0);
	CHECK_STR(buf, "");
	CHECK_EQ(console_tail(rig.console, buf, 0), 0);

	console_puts(&rig, "one\ntwo\nthree\nfour");
	CHECK_EQ(console_tail(rig.console, buf, sizeof(buf)), 18);
	CHECK_STR(buf, "one\ntwo\nthree\nfour");
	/* Whole lines only; a cut that falls between two loses nothing. */
	CHECK_EQ(console_tail(rig.console, buf, 17), 14);
	CHECK_STR(buf, "two\nthree\nfour");
	CHECK_EQ(console_tail(rig.console, buf, 15), 14);
	CHECK_STR(buf, "two\nthree\nfour");
	CHECK_EQ(console_tail(rig.console, buf, 14), 10);
	CHECK_STR(buf, "three\nfour");
	/* A line longer than all the room there is: better its end than nothing. */
	CHECK_EQ(console_tail(rig.console, buf, 3), 2);
	CHECK_STR(buf, "ur");
	CHECK_EQ(console_tail(rig.console, buf, 1), 0);
	console_puts(&rig, "\n");
	CHECK_EQ(console_tail(rig.console, buf, 4), 3);
	CHECK_STR(buf, "ur\n");
	CHECK_EQ(console_tail(rig.console, buf, 6), 5);
	CHECK_STR(buf, "four\n");

	console_write(rig.console, "a\0b\n", 4);
	CHECK_EQ(console_tail(rig.console, buf, 5), 3);
	CHECK_STR(buf, "ab\n");

	/* Once around the ring and more. */
	for (int i = 0; i < 10000; i++) {
		snprintf(buf, sizeof(buf), "line %04d\n", i);
		console_puts(&rig, buf);
	}
	n = console_tail(rig.console, buf, sizeof(buf));
	CHECK_EQ(n, 65530);
	CHECK(!strncmp(buf, "line 3447\n", 10));
	CHECK_STR(buf + n - 10, "line 9999\n");
	CHECK_EQ(console_tail(rig.console, buf, 21), 20);
	CHECK_STR(buf, "line 9998\nline 9999\n");

	/* More than the ring at once. */
	memset(buf, 'y', sizeof(buf));
	console_write(rig.console, buf, sizeof(buf));
	memset(buf, 0, sizeof(buf));
	n = console_tail(rig.console, buf, sizeof(buf));
	CHECK_EQ(n, 65536);
	CHECK(buf[0] == 'y' && buf[n - 1] == 'y');
	rig_exit(&rig);
}

/* ---- panics ------------------------------------------------------------------------------------- */

#define FIRST "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100"
#define END   "---[ end Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100 ]---"

static const struct {
	const char *output;
	const char *line;  /* NULL: no panic */
	bool        final;
} panics[] = {
	{ FIRST "\n", FIRST, false },
	{ FIRST "\r\n", FIRST, false },
	{ END "\n", END, true },
	{ "[    1.234567] " FIRST "\r\n", FIRST, false },
	{ "[    1.234567][    T1] " END "\r\n", END, true },
	{ "<0>[    1.234567] " FIRST "\n", FIRST, false },
	{ "\033[31m[    1.2] \033[1;37mKernel \033[0mpanic - not \033[Ksyncing: VFS\033[0m\n",
	  "Kernel panic - not syncing: VFS", false },
	{ "\033]0;title Kernel\a\033(B" FIRST "\033[m\n", FIRST, false },
	{ "\033]0;title\033\\" FIRST "\n", FIRST, false },
	/* On a line that a process began, and in somebody's mouth. */
	{ "login: [    1.234567] " FIRST "   \n", FIRST, false },
	{ "login: [    1.2][   C0] " FIRST "\n", FIRST, false },
	{ "ok 3 - dmesg has no \"Kernel panic - not syncing\"\n", NULL, false },
	{ "grep: [a] Kernel panic - not syncing\n", NULL, false },
	{ "no \"Kernel panic - not syncing\" yet [    1.2] " FIRST "\n", FIRST, false },
	{ "\0\0" FIRST "\n", NULL, false }, /* a C string ends there; the NULs are tested below */
	{ "Kernel panic - not syncing", "Kernel panic - not syncing", false }, /* cut by the end */
	{ "an unfinished \033[31\n" FIRST "\n", FIRST, false },
	{ "an unfinished \033]0;title\n" FIRST "\n", FIRST, false },
	{ "Kernel panic\n - not syncing\n", NULL, false },
	{ "kernel panic - not syncing: no\n", NULL, false },
	{ "all is well\n", NULL, false },
	{ "[ end Kernel pan\n", NULL, false },
};

static void test_panic_lines(void)
{
	static struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(panics); i++) {
		const char *text = panics[i].output;

		/* At once, byte by byte, and in pieces of three. */
		for (size_t piece = 1; piece <= 3; piece++) {
			size_t step = piece == 2 ? strlen(text) + 1 : piece;

			rig_init(&rig, -1, -1);
			console_puts(&rig, "before\n");
			for (size_t at = 0; at < strlen(text); at += step)
				console_write(rig.console, text + at, MIN(step, strlen(text) - at));
			console_stop(rig.console);
			CHECK_EQ(rig.nr_panics, panics[i].line ? 1 : 0);
			if (panics[i].line) {
				CHECK_STR(rig.lines[0], panics[i].line);
				CHECK_EQ(rig.finals[0], panics[i].final);
				CHECK(rig.tail_in_panic > 0);
			}
			rig_exit(&rig);
		}
	}
}

static void test_panic_whole(void)
{
	static const char log[] = "[    2.0] " FIRST "\n[    2.1] CPU: 0 PID: 1 Comm: init\n"
				  "[    2.2] " END "\n";
	static struct rig rig;

	rig_init(&rig, -1, -1);
	console_puts(&rig, log);
	CHECK_EQ(rig.nr_panics, 2);
	CHECK_STR(rig.lines[0], FIRST);
	CHECK(!rig.finals[0]);
	CHECK_STR(rig.lines[1], END);
	CHECK(rig.finals[1]);

	console_write(rig.console, "\0\0Kernel\0 panic - not syncing: NULs\0\n", 37);
	CHECK_EQ(rig.nr_panics, 3);
	CHECK_STR(rig.lines[2], "Kernel panic - not syncing: NULs");
	rig_exit(&rig);
}

/* Wherever in a line of any length the words are: they are found, once. */
static void test_panic_long_line(void)
{
	static const char tail[] = " and so on and on";
	static struct rig rig;

	for (size_t before = 0; before < 2200; before += before % 1000 < 900 ? 97 : 1) {
		rig_init(&rig, -1, -1);
		for (size_t i = 0; i < before; i++)
			console_puts(&rig, "=");
		console_puts(&rig, "[    1.0] " FIRST "\n");
		CHECK_EQ(rig.nr_panics, 1);
		CHECK_STR(rig.lines[0], FIRST);
		rig_exit(&rig);

		rig_init(&rig, -1, -1);
		for (size_t i = 0; i < before; i++)
			console_puts(&rig, "=");
		console_puts(&rig, "[    1.0] " END "\n");
		CHECK_EQ(rig.nr_panics, 1);
		CHECK_STR(rig.lines[0], END);
		CHECK(rig.finals[0]);
		rig_exit(&rig);
	}

	/* The reason itself is endless: reported when the buffer is full, the rest is not. */
	rig_init(&rig, -1, -1);
	console_puts(&rig, FIRST);
	for (size_t i = 0; i < 200; i++)
		console_puts(&rig, tail);
	CHECK_EQ(rig.nr_panics, 1);
	CHECK(!strncmp(rig.lines[0], FIRST, strlen(FIRST)));
	CHECK_EQ(strlen(rig.lines[0]), 1023);
	console_puts(&rig, FIRST "\n");
	CHECK_EQ(rig.nr_panics, 1);
	console_puts(&rig, FIRST "\n");
	CHECK_EQ(rig.nr_panics, 2);
	rig_exit(&rig);
}

/* ---- input -------------------------------------------------------------------------------------- */

static void test_pipe_input(void)
{
	struct rig rig;
	int p[2];

	CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
	rig_init(&rig, -1, p[0]);
	rig.room = 100;
	rig_start(&rig);
	put(p[1], "echo hello\n");
	wait_for(&rig.nr_received, 11);
	/* ^A means nothing but on a terminal. */
	put(p[1], "\001x\001\001");
	wait_for(&rig.nr_received, 15);
	CHECK(!memcmp(rig.received, "echo hello\n\001x\001\001", 15));
	CHECK_EQ(rig.nr_quits, 0);
	put(p[1], "last");
	close(p[1]);
	wait_for(&rig.nr_received, 19);
	/* After the end, the console goes on without spinning or complaint. */
	console_input_ready(rig.console);
	console_puts(&rig, "still here\n");
	rig_exit(&rig);
	close(p[0]);
}

static void feed_slowly(struct rig *rig, size_t total)
{
	size_t granted = 0;

	for (size_t n = 1; granted < total; n = n % 7 + 1) {
		size_t grant = MIN(n, total - granted);

		rig->room += grant;
		granted += grant;
		console_input_ready(rig->console);
		for (int i = 0; i < 5000 && rig->nr_received < granted; i++)
			usleep(500);
		CHECK_EQ(rig->nr_received, granted);
	}
}

static void test_pipe_back_pressure(void)
{
	char text[600];
	struct rig rig;
	int p[2];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 26);
	CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
	rig_init(&rig, -1, p[0]);
	rig_start(&rig);
	CHECK_EQ(write(p[1], text, sizeof(text)), sizeof(text));
	close(p[1]); /* hung up while silenced: must not spin, nor be forgotten */
	usleep(5000);
	CHECK_EQ(rig.nr_received, 0);
	feed_slowly(&rig, sizeof(text));
	CHECK(!memcmp(rig.received, text, sizeof(text)));
	rig_exit(&rig);
	close(p[0]);
}

static void test_file_input(void)
{
	char text[600];
	struct rig rig;
	int fd;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 26);
	fd = memfd_create("in", MFD_CLOEXEC);
	CHECK_EQ(write(fd, text, sizeof(text)), sizeof(text));

	lseek(fd, 0, SEEK_SET);
	rig_init(&rig, -1, fd);
	rig.room = sizeof(rig.received);
	rig_start(&rig);
	wait_for(&rig.nr_received, sizeof(text));
	CHECK(!memcmp(rig.received, text, sizeof(text)));
	console_input_ready(rig.console);
	rig_exit(&rig);

	lseek(fd, 0, SEEK_SET);
	rig_init(&rig, -1, fd);
	rig_start(&rig);
	usleep(5000);
	CHECK_EQ(rig.nr_received, 0);
	feed_slowly(&rig, sizeof(text));
	CHECK(!memcmp(rig.received, text, sizeof(text)));
	rig_exit(&rig);
	close(fd);
}

static void on_sync(void *opaque, uint32_t events)
{
	(void)events;
	loop_quit(opaque);
}

static void test_odd_input(void)
{
	static const char *const paths[] = { "/dev/null", "/", "/dev/zero" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		int sync = eventfd(1, EFD_CLOEXEC);
		struct rig rig;

		CHECK(fd >= 0);
		rig_init(&rig, -1, fd);
		rig.room = 50;
		test_stderr_begin();
		CHECK_EQ(console_start(rig.console), 0);
		/* epoll reports in the order in which things became ready: the input has had its turn. */
		CHECK_EQ(loop_add(rig.loop, sync, EPOLLIN, on_sync, rig.loop), 0);
		CHECK_EQ(loop_run(rig.loop), 0);
		rig_exit(&rig);
		/* A directory is the user's mistake; the guest runs without input. */
		CHECK_EQ(!!strstr(test_stderr_end(), strerror(EISDIR)), i == 1);
		CHECK_EQ(rig.nr_received, i == 2 ? 50 : 0);
		close(sync);
		close(fd);
	}
}

static void test_no_frontend(void)
{
	struct rig rig;
	char buf[8];
	int p[2];

	CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
	rig_init(&rig, -1, p[0]);
	console_set_frontend(rig.console, NULL);
	rig_start(&rig);
	put(p[1], "text");
	usleep(5000);
	console_input_ready(rig.console);
	rig_exit(&rig);
	/* Nobody has taken it from whoever may read it next. */
	CHECK_EQ(read(p[0], buf, sizeof(buf)), 4);
	close(p[0]);
	close(p[1]);
}

/* ---- terminal ----------------------------------------------------------------------------------- */

static void open_pty(int *master, int *slave)
{
	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*master < 0 || grantpt(*master) || unlockpt(*master))
		test_skip("no pseudo-terminals here");
	*slave = open(ptsname(*master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0) {
		close(*master);
		test_skip("cannot open a pseudo-terminal");
	}
}

static bool is_raw(int fd)
{
	struct termios t;

	CHECK_EQ(tcgetattr(fd, &t), 0);
	return !(t.c_lflag & (ICANON | ECHO | ISIG | IEXTEN)) && !(t.c_iflag & (ICRNL | IXON));
}

static bool same_termios(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
	       a->c_lflag == b->c_lflag && !memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc));
}

static void test_tty_modes(void)
{
	struct termios before, after;
	int master, slave, fds;
	struct rig rig;

	open_pty(&master, &slave);
	fds = test_open_fds();
	CHECK_EQ(tcgetattr(slave, &before), 0);

	rig_init(&rig, slave, slave);
	CHECK(!is_raw(slave)); /* not before the start */
	rig_start(&rig);
	CHECK(is_raw(slave));
	/* Messages of our own go to the same terminal and want their newlines translated. */
	CHECK_EQ(tcgetattr(slave, &after), 0);
	CHECK_EQ(after.c_oflag, before.c_oflag);
	loop_stop(rig.loop);
	console_stop(rig.console);
	CHECK_EQ(tcgetattr(slave, &after), 0);
	CHECK(same_termios(&before, &after));

	/* From a signal handler, at any moment and more than once. */
	rig_start(&rig);
	CHECK(is_raw(slave));
	console_restore_terminal();
	CHECK_EQ(tcgetattr(slave, &after), 0);
	CHECK(same_termios(&before, &after));
	console_restore_terminal();
	/* Stopped by SIGTSTP after that, and continued. */
	console_continue(rig.console);
	CHECK(is_raw(slave));
	console_continue(rig.console);
	CHECK(is_raw(slave));
	console_restore_terminal();
	CHECK_EQ(tcgetattr(slave, &after), 0);
	CHECK(same_termios(&before, &after));

	/* Destroying without stopping will do, too. */
	loop_stop(rig.loop);
	console_stop(rig.console);
	CHECK_EQ(console_start(rig.console), 0);
	CHECK(is_raw(slave));
	console_destroy(rig.console);
	CHECK_EQ(tcgetattr(slave, &after), 0);
	CHECK(same_termios(&before, &after));
	loop_destroy(rig.loop);
	CHECK_EQ(test_open_fds(), fds);
	close(master);
	close(slave);
}

/* The second console of a process must not take the first one's raw mode for what to restore. */
static void test_tty_shared(void)
{
	static struct rig one, two;
	struct termios before, after;
	int master, slave;

	open_pty(&master, &slave);
	CHECK_EQ(tcgetattr(slave, &before), 0);
	rig_init(&one, slave, slave);
	rig_init(&two, slave, slave);
	rig_start(&one);
	rig_start(&two);
	rig_exit(&two);
	CHECK(is_raw(slave));
	rig_exit(&one);
	CHECK_EQ(tcgetattr(slave, &after), 0);
	CHECK(same_termios(&before, &after));
	close(master);
	close(slave);
}

static void test_tty_keys(void)
{
	int master, slave;
	struct rig rig;

	open_pty(&master, &slave);
	rig_init(&rig, slave, slave);
	rig.room = 1000;
	rig_start(&rig);

	/* Every key reaches the guest as it is, ^C, ^Z and Enter among them. */
	put(master, "a\003\032\r");
	wait_for(&rig.nr_received, 4);
	CHECK(!memcmp(rig.received, "a\003\032\r", 4));
	put(master, "\001\001");
	wait_for(&rig.nr_received, 5);
	CHECK_EQ(rig.received[4], 1);
	put(master, "\001b");
	wait_for(&rig.nr_received, 7);
	CHECK(!memcmp(rig.received + 5, "\001b", 2));
	CHECK_EQ(rig.nr_quits, 0);

	put(master, "\001");
	usleep(5000);
	put(master, "x");
	wait_for_int(&rig.nr_quits, 1);
	CHECK_EQ(rig.nr_received, 7);
	put(master, "x");
	wait_for(&rig.nr_received, 8);
	CHECK_EQ(rig.nr_quits, 1);

	rig_exit(&rig);
	close(master);
	close(slave);
}

/* ^A x gets through to a guest that takes no input, and what was typed waits for it. */
static void test_tty_stuck_guest(void)
{
	int master, slave;
	struct rig rig;

	open_pty(&master, &slave);
	rig_init(&rig, slave, slave);
	rig_start(&rig);
	for (int i = 0; i < 200; i++) {
		put(master, "0123456789");
		usleep(200);
	}
	put(master, "\001x");
	wait_for_int(&rig.nr_quits, 1);
	CHECK_EQ(rig.nr_received, 0);
	rig.room = 3;
	console_input_ready(rig.console);
	wait_for(&rig.nr_received, 3);
	rig.room = 4000;
	console_input_ready(rig.console);
	for (int i = 0; i < 5000 && rig.nr_received < 1024; i++)
		usleep(1000);
	CHECK(rig.nr_received >= 1024);
	for (size_t i = 0; i < 1024; i++)
		CHECK_EQ(rig.received[i], '0' + i % 10);
	rig_exit(&rig);
	close(master);
	close(slave);

	/* Nor does it take a front end. */
	open_pty(&master, &slave);
	rig_init(&rig, slave, slave);
	console_set_frontend(rig.console, NULL);
	rig_start(&rig);
	put(master, "abc\001x");
	wait_for_int(&rig.nr_quits, 1);
	rig_exit(&rig);
	close(master);
	close(slave);
}

static void test_tty_hangup(void)
{
	int master, slave;
	struct rig rig;

	open_pty(&master, &slave);
	rig_init(&rig, slave, slave);
	rig.room = 100;
	rig_start(&rig);
	put(master, "x");
	wait_for(&rig.nr_received, 1);
	test_stderr_begin();
	close(master);
	usleep(10000);
	console_puts(&rig, "to nobody\n");
	rig_exit(&rig);
	CHECK_STR(test_stderr_end(), "");
	close(slave);
}

static void test_tty_output(void)
{
	int master, slave;
	struct rig rig;
	char buf[64];
	size_t len = 0;
	ssize_t n;

	open_pty(&master, &slave);
	rig_init(&rig, slave, -1);
	rig_start(&rig);
	console_puts(&rig, "hello\n");
	/* A terminal hands on what it has: that may be a part. */
	while (len < 7 && (n = read(master, buf + len, sizeof(buf) - len)) > 0)
		len += (size_t)n;
	CHECK_EQ(len, 7);
	CHECK(!memcmp(buf, "hello\r\n", 7));
	/* Others that have the terminal open see their blocking fd as they left it. */
	CHECK(!(fcntl(slave, F_GETFL) & O_NONBLOCK));

	/* A terminal that nobody reads does not keep the end from coming. */
	test_stderr_begin();
	console_limit_wait(rig.console, 100);
	stuck_writer(&rig);
	rig_exit(&rig);
	CHECK(strstr(test_stderr_end(), "nobody reads it"));
	close(master);
	close(slave);
}

/* In the background, touching the terminal would stop the process. Returns the child's verdict. */
static int background_child(int slave)
{
	struct termios before, after;
	struct rig rig;
	pid_t pid;
	int status, ctty;

	/* A session with the pty as its terminal, whose foreground is this process ... */
	if (setsid() < 0)
		return 77;
	ctty = open(ttyname(slave), O_RDWR);
	if (ctty < 0 || tcgetpgrp(ctty) != getpgrp())
		return 77;
	if (tcgetattr(ctty, &before))
		return 2;
	/* ... and a child of it in the background. */
	pid = fork();
	if (pid < 0)
		return 77;
	if (!pid) {
		setpgid(0, 0);
		rig_init(&rig, -1, ctty);
		rig.room = 10;
		rig_start(&rig);
		usleep(5000);
		rig_exit(&rig);
		_exit(rig.nr_received ? 3 : 0);
	}
	if (waitpid(pid, &status, WUNTRACED) != pid)
		return 4;
	if (WIFSTOPPED(status)) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return 5;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return 6;
	if (tcgetattr(ctty, &after) || !same_termios(&before, &after))
		return 7;
	return 0;
}

static void test_tty_background(void)
{
	int master, slave, status;
	pid_t pid;

	open_pty(&master, &slave);
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		_exit(background_child(slave));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	close(master);
	close(slave);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		test_skip("no sessions and controlling terminals here");
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

/* ---- watchers ----------------------------------------------------------------------------------- */

/* A console without input of its own, its loop not yet running, and @nr watchers' other ends. */
static void watched_init(struct rig *rig, int *ends, unsigned int nr)
{
	rig_init(rig, -1, -1);
	CHECK_EQ(console_start(rig->console), 0);
	for (unsigned int i = 0; i < nr; i++) {
		int fds[2];

		CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
		CHECK_EQ(console_attach(rig->console, fds[0]), 0);
		ends[i] = fds[1];
	}
}

/* Reads what there is within a moment, at most @size - 1 bytes. */
static size_t see(int fd, char *buf, size_t size)
{
	size_t len = 0;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	while (len + 1 < size && poll(&pfd, 1, 300) > 0) {
		ssize_t n = read(fd, buf + len, size - 1 - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	buf[len] = '\0';
	return len;
}

static void expect_seen(int fd, const char *text)
{
	char buf[256];
	size_t len = strlen(text);

	CHECK_EQ(see(fd, buf, MIN(len + 1, sizeof(buf))), len);
	CHECK_STR(buf, text);
}

/* What was before, what comes, to all of them; input of all; and one that goes takes nothing along. */
static void test_watchers(void)
{
	int fds = test_open_fds(), ends[3];
	struct rig rig;

	watched_init(&rig, ends, 1);
	console_puts(&rig, "before\n");
	CHECK_EQ(loop_start(rig.loop, "console"), 0);
	expect_seen(ends[0], "before\n");
	console_puts(&rig, "live");
	expect_seen(ends[0], "live");
	rig_exit(&rig);
	expect_seen(ends[0], "");
	CHECK_EQ(read(ends[0], &rig, 1), 0);
	close(ends[0]);

	watched_init(&rig, ends, 3);
	rig.room = 100;
	CHECK_EQ(loop_start(rig.loop, "console"), 0);
	put(ends[0], "one");
	wait_for(&rig.nr_received, 3);
	put(ends[2], "two");
	wait_for(&rig.nr_received, 6);
	CHECK(!memcmp(rig.received, "onetwo", 6));
	/* The end of its input is not its end; what one sends and goes is input. */
	shutdown(ends[0], SHUT_WR);
	put(ends[1], "three");
	close(ends[1]);
	wait_for(&rig.nr_received, 11);
	console_puts(&rig, "text\n");
	expect_seen(ends[0], "text\n");
	expect_seen(ends[2], "text\n");
	close(ends[2]);
	console_puts(&rig, "more\n");
	expect_seen(ends[0], "more\n");
	rig_exit(&rig);
	close(ends[0]);
	CHECK_EQ(test_open_fds(), fds);
}

/* Input waits with the sender while the guest takes none. */
static void test_watcher_back_pressure(void)
{
	struct rig rig;
	int end;

	watched_init(&rig, &end, 1);
	rig.room = 2;
	CHECK_EQ(loop_start(rig.loop, "console"), 0);
	put(end, "abcdef");
	wait_for(&rig.nr_received, 2);
	rig.room = 3;
	console_input_ready(rig.console);
	wait_for(&rig.nr_received, 5);
	rig.room = 3;
	console_input_ready(rig.console);
	wait_for(&rig.nr_received, 6);
	CHECK(!memcmp(rig.received, "abcdef", 6));
	rig_exit(&rig);
	close(end);
}

/* One that does not read holds nobody up; what it missed is counted, and what it gets is whole otherwise. */
static void test_slow_watcher(void)
{
	enum { LINE = 64, LINES = 20000 };
	static char seen[LINE * LINES + 4096];
	unsigned long long lost = 0;
	char line[LINE + 1], *note;
	size_t total = 0, len;
	struct rig rig;
	int ends[2];

	watched_init(&rig, ends, 2);
	CHECK_EQ(loop_start(rig.loop, "console"), 0);
	for (unsigned int i = 0; i < LINES; i++) {
		snprintf(line, sizeof(line), "%062u\n", i);
		line[LINE - 1] = '\n';
		line[LINE - 2] = '.';
		console_write(rig.console, line, LINE);
		total += LINE;
	}
	len = see(ends[0], seen, sizeof(seen));
	for (char *at = seen; (note = strstr(at, "\r\n[lkvm: ")) != NULL; at = note + 1) {
		unsigned long long n = 0;
		int used = 0;

		/* To the bracket only: what follows may begin with white space, of which scanf would take all. */
		CHECK_EQ(sscanf(note, "\r\n[lkvm: %llu bytes were not read in time]%n", &n, &used), 1);
		CHECK(n > 0 && used > 0 && !strncmp(note + used, "\r\n", 2));
		used += 2;
		lost += n;
		len -= (size_t)used;
	}
	CHECK(lost > 0);
	CHECK_EQ(len + lost, total);
	/* The last line is there. */
	CHECK(strstr(seen, "19999."));
	rig_exit(&rig);
	close(ends[0]);
	close(ends[1]);
}

static void test_watcher_limits(void)
{
	int fds = test_open_fds(), ends[CONSOLE_MAX_WATCHERS], more[2];
	char buf[64], text[300];
	struct rig rig;

	watched_init(&rig, ends, CONSOLE_MAX_WATCHERS);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, more), 0);
	CHECK_EQ(console_attach(rig.console, more[0]), -EBUSY);
	CHECK_EQ(read(more[1], buf, 1), 0);
	close(more[1]);
	rig_exit(&rig);
	for (unsigned int i = 0; i < CONSOLE_MAX_WATCHERS; i++)
		close(ends[i]);

	/* When some of the output is kept no more, it begins with a whole line. */
	rig_init(&rig, -1, -1);
	CHECK_EQ(console_start(rig.console), 0);
	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%0100u\n", i);
		console_puts(&rig, text);
	}
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, more), 0);
	CHECK_EQ(console_attach(rig.console, more[0]), 0);
	CHECK_EQ(loop_start(rig.loop, "console"), 0);
	CHECK_EQ(see(more[1], buf, 11), 10);
	CHECK_STR(buf, "0000000000");
	CHECK_EQ(read(more[1], text, 91), 91);
	CHECK_EQ(text[90], '\n');
	rig_exit(&rig);
	close(more[1]);
	CHECK_EQ(test_open_fds(), fds);
}

const struct test console_tests[] = {
	{ "watchers", test_watchers },
	{ "watcher-back-pressure", test_watcher_back_pressure },
	{ "slow-watcher", test_slow_watcher },
	{ "watcher-limits", test_watcher_limits },
	{ "life", test_life },
	{ "lines", test_lines },
	{ "half-line", test_half_line },
	{ "slow-reader", test_slow_reader },
	{ "nonblocking-output", test_nonblocking_output },
	{ "file-output", test_file_output },
	{ "reader-gone", test_reader_gone },
	{ "device-full", test_device_full },
	{ "stuck-reader", test_stuck_reader },
	{ "limit-spares-good-reader", test_limit_spares_good_reader },
	{ "tail", test_tail },
	{ "panic-lines", test_panic_lines },
	{ "panic-whole", test_panic_whole },
	{ "panic-long-line", test_panic_long_line },
	{ "pipe-input", test_pipe_input },
	{ "pipe-back-pressure", test_pipe_back_pressure },
	{ "file-input", test_file_input },
	{ "odd-input", test_odd_input },
	{ "no-frontend", test_no_frontend },
	{ "tty-modes", test_tty_modes },
	{ "tty-shared", test_tty_shared },
	{ "tty-keys", test_tty_keys },
	{ "tty-stuck-guest", test_tty_stuck_guest },
	{ "tty-hangup", test_tty_hangup },
	{ "tty-output", test_tty_output },
	{ "tty-background", test_tty_background },
	{ 0 },
};
