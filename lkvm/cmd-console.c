// SPDX-License-Identifier: GPL-2.0-only
/* lkvm console: the text console of a running guest, on this terminal or through pipes. */
#include "lkvm/cmd.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "lkvm/client.h"
#include "lkvm/console.h"
#include "lkvm/log.h"
#include "lkvm/loop.h"
#include "lkvm/outcome.h"

#define ANSWER_MS 5000

static const struct option_spec console_options_spec[] = {
	{ .short_name = 'n', .long_name = "name", .metavar = "NAME", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_string, .offset = 0, .help = "the guest, instead of the word NAME" },
};

static const size_t console_options_nr = ARRAY_SIZE(console_options_spec);

#ifdef HAVE_JANSSON

/* Our own console, whose "device" is the guest's: the socket. */
struct viewer {
	struct loop    *loop;
	struct console *console;
	int             fd;
	bool            waiting;   /* for a reader of our standard output */
	bool            left;      /* by the user */
	_Atomic int     signal;    /* that ended us; 0: none */
	int             signal_fd; /* eventfd: it came */
	size_t          nr_unsent;
	uint8_t         unsent[256];
};

static size_t can_receive(void *dev)
{
	struct viewer *v = dev;

	return v->nr_unsent ? 0 : sizeof(v->unsent);
}

/* What is to be looked for on the socket. */
static void watch_socket(struct viewer *v)
{
	(void)loop_modify(v->loop, v->fd, (v->waiting ? 0 : EPOLLIN) | (v->nr_unsent ? EPOLLOUT : 0));
}

static void on_output_ready(void *opaque, uint32_t events)
{
	struct viewer *v = opaque;

	/* As with `lkvm console NAME | head`. */
	if (events & EPOLLERR)
		loop_quit(v->loop);
	loop_del(v->loop, STDOUT_FILENO);
	v->waiting = false;
	watch_socket(v);
}

/* While nobody takes our output, keys are still looked at. */
static bool wait_for_output(struct viewer *v)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	if (v->waiting)
		return true;
	if (poll(&out, 1, 0) > 0 || loop_add(v->loop, STDOUT_FILENO, EPOLLOUT, on_output_ready, v))
		return false;
	v->waiting = true;
	watch_socket(v);
	return true;
}

/* Sends what the socket takes; the rest waits for on_socket(). */
static void send_unsent(struct viewer *v)
{
	ssize_t n = send(v->fd, v->unsent, v->nr_unsent, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0) {
		v->nr_unsent -= (size_t)n;
		memmove(v->unsent, v->unsent + n, v->nr_unsent);
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		/* Should the guest be gone, then reading will say so. */
		v->nr_unsent = 0;
	}
	watch_socket(v);
}

static void receive(void *dev, const uint8_t *buf, size_t len)
{
	struct viewer *v = dev;

	memcpy(v->unsent, buf, len);
	v->nr_unsent = len;
	send_unsent(v);
}

static void on_socket(void *opaque, uint32_t events)
{
	struct viewer *v = opaque;
	struct pollfd out = { .fd = STDOUT_FILENO };
	uint8_t buf[PIPE_BUF]; /* what a pipe that is ready takes */
	ssize_t n;

	if (events & EPOLLOUT) {
		send_unsent(v);
		if (!v->nr_unsent)
			console_input_ready(v->console);
	}
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || wait_for_output(v))
		return;
	n = recv(v->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n > 0)
		console_write(v->console, buf, (size_t)n);
	/* As with `lkvm console NAME | head`. */
	if (n > 0 && poll(&out, 1, 0) > 0 && out.revents & POLLERR)
		loop_quit(v->loop);
	if (n > 0)
		return;
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		loop_quit(v->loop);
}

static void on_quit(void *opaque)
{
	struct viewer *v = opaque;

	v->left = true;
	loop_quit(v->loop);
}

static void on_signal(void *opaque, uint32_t events)
{
	struct viewer *v = opaque;

	(void)events;
	loop_quit(v->loop);
}

/* For the handler. */
static struct viewer *_Atomic viewing;

/* Not a signalfd: the loop may be waiting for a reader of ours that is stuck, which this ends. */
static void take_signal(int sig)
{
	struct viewer *v = atomic_load(&viewing);
	int saved_errno = errno;
	const uint64_t one = 1;
	ssize_t put LKVM_UNUSED;

	if (!v)
		return;
	atomic_store(&v->signal, sig);
	console_limit_wait(v->console, 0);
	put = write(v->signal_fd, &one, sizeof(one));
	errno = saved_errno;
}

/* The guest's console behind a socket. Its descriptor, or -errno (reported). */
static int open_console(const char *name)
{
	struct client_conn *conn;
	json_t *result = NULL;
	int fds[2], ret;

	ret = client_connect(&conn, name, false);
	if (ret)
		return ret;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) {
		ret = -errno;
		log_error("console: cannot make a socket: %s", strerror(-ret));
		client_disconnect(conn);
		return ret;
	}
	ret = client_request(conn, json_pack("{s:i, s:s}", "id", 1, "command", "console"), ANSWER_MS, false,
			     &fds[1], 1, &result);
	json_decref(result);
	client_disconnect(conn);
	close(fds[1]);
	if (!ret)
		return fds[0];
	close(fds[0]);
	return ret;
}

/* Signals that end us end the loop, so that the terminal is put back. 0 or -errno. */
static int take_signals(struct viewer *v)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	const struct sigaction sa = { .sa_handler = take_signal }; /* no SA_RESTART: a write is to end */
	int ret;

	v->signal_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ret = v->signal_fd < 0 ? -errno : loop_add(v->loop, v->signal_fd, EPOLLIN, on_signal, v);
	if (ret)
		return ret;
	atomic_store(&viewing, v);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction old;

		/* nohup and background jobs ignore some on purpose. */
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(signals[i], &sa, NULL);
	}
	return 0;
}

/* Until one of the two ends it. 0 or -errno. */
static int view(struct viewer *v)
{
	const struct console_options opt = {
		.out_fd = STDOUT_FILENO, .in_fd = STDIN_FILENO, .loop = v->loop, .on_quit = on_quit, .opaque = v,
	};
	const struct console_frontend fe = { can_receive, receive, v };
	int ret;

	ret = console_create(&v->console, &opt);
	if (ret)
		return ret;
	console_set_frontend(v->console, &fe);
	ret = take_signals(v);
	if (!ret)
		ret = loop_add(v->loop, v->fd, EPOLLIN, on_socket, v);
	if (!ret)
		ret = console_start(v->console);
	if (!ret)
		ret = loop_run(v->loop);
	/* A reader of ours that is stuck must not keep us once the user has left. */
	if (v->left || v->signal)
		console_limit_wait(v->console, 0);
	console_stop(v->console);
	atomic_store(&viewing, NULL);
	console_destroy(v->console);
	return ret;
}

static int view_console(const char *name, int fd)
{
	struct viewer v = { .fd = fd, .signal_fd = -1 };
	bool person = isatty(STDIN_FILENO);
	int ret;

	if (person)
		log_error("the console of guest '%s': ^A x leaves it, and the guest goes on", name);
	ret = loop_create(&v.loop);
	if (!ret) {
		ret = view(&v);
		if (v.signal_fd >= 0)
			close(v.signal_fd);
		loop_destroy(v.loop);
	}
	if (ret) {
		log_error("console: %s", strerror(-ret));
		return EXIT_STATUS_START_FAILED;
	}
	if (v.signal)
		return 128 + v.signal;
	if (person)
		log_error(v.left ? "guest '%s' goes on" : "guest '%s' ended", name);
	return 0;
}

static int cmd_console_main(int argc, char **argv)
{
	const struct option_set set = cmd_options(&cmd_console);
	int status = EXIT_STATUS_START_FAILED;
	char *name = NULL;
	int i, fd;

	for (i = options_parse(&set, argc, argv, &name); i >= 0 && i < argc;
	     i = options_parse(&set, argc, argv, &name)) {
		if (name) {
			log_error("unexpected word '%s': one guest at a time (see lkvm help console)", argv[i]);
			goto out;
		}
		name = strdup(argv[i]);
		if (!name) {
			log_error("out of memory");
			goto out;
		}
		argc -= i;
		argv += i;
	}
	if (i == -ECANCELED) {
		cmd_print_help(&cmd_console, stdout);
		status = 0;
	} else if (i >= 0 && !name) {
		log_error("console: of which guest? lkvm list shows them (see lkvm help console)");
	} else if (i >= 0) {
		fd = open_console(name);
		if (fd >= 0) {
			status = view_console(name, fd);
			close(fd);
		}
	}
out:
	free(name);
	return status;
}

#else

static int cmd_console_main(int argc LKVM_UNUSED, char **argv LKVM_UNUSED)
{
	log_error("console: jansson, which the control socket needs, is not built into this lkvm");
	return EXIT_STATUS_START_FAILED;
}

#endif

const struct cmd cmd_console = {
	.name = "console",
	.summary = "show the text console of a running guest, and type into it",
	.usage = "console NAME",
	.description = "Prints the last lines of the guest's console, then what comes, and sends what is typed, until the "
		       "guest ends. On a terminal, ^A x leaves, and the guest goes on; ^A ^A is ^A. Without a terminal "
		       "the end of standard input ends the input only. Up to 16 can do this at once; one that reads too slowly misses "
		       "some, which is said where it happens, and never slows the guest.\n\n"
		       "Exit status: 0 when the guest ended or was left, 125 if there is no such guest, 128 + N when "
		       "signal N came.",
	.run = cmd_console_main,
	.options = console_options_spec,
	.nr_options = &console_options_nr,
};
