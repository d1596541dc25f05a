// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/client.h"

#ifdef HAVE_JANSSON

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lkvm/clock.h"
#include "lkvm/control.h"
#include "lkvm/log.h"
#include "lkvm/options.h"
#include "lkvm/registry.h"

/* An answer is one line; the longest is a live report. */
#define MAX_ANSWER_BYTES (64u << 20) /* "debug" of the largest guests has some 10 KiB for each vCPU */
#define GREETING_MS      2000

struct client_conn {
	char    name[REGISTRY_NAME_BYTES];
	int     fd;
	int     pid;
	char   *buf;
	size_t  len;
	size_t  size;
};

/* One line from the guest, as JSON. 0, -ETIMEDOUT, -EPIPE, -EPROTO, -ENOMEM. */
static int read_line(struct client_conn *conn, uint64_t timeout_ms, json_t **line)
{
	uint64_t end_ms = clock_now_ms() + timeout_ms;
	char *newline;

	while (!(newline = conn->len ? memchr(conn->buf, '\n', conn->len) : NULL)) {
		struct pollfd pfd = { .fd = conn->fd, .events = POLLIN };
		uint64_t now = clock_now_ms();
		ssize_t n;

		if (timeout_ms && now >= end_ms)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, timeout_ms ? (int)MIN(end_ms - now, (uint64_t)60000) : -1) <= 0)
			continue;
		if (conn->len == conn->size) {
			char *more = conn->size < MAX_ANSWER_BYTES ? realloc(conn->buf, conn->size + 65536) : NULL;

			if (!more)
				return -ENOMEM;
			conn->buf = more;
			conn->size += 65536;
		}
		n = recv(conn->fd, conn->buf + conn->len, conn->size - conn->len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		conn->len += (size_t)n;
	}
	*line = json_loadb(conn->buf, (size_t)(newline - conn->buf), 0, NULL);
	conn->len -= (size_t)(newline - conn->buf) + 1;
	memmove(conn->buf, newline + 1, conn->len);
	return *line ? 0 : -EPROTO;
}

static int no_such_guest(const char *name)
{
	char **names = NULL;
	const char *near = NULL;

	if (!registry_names(&names))
		near = nearest_word(name, (const char *const *)names);
	if (near && strcmp(near, name))
		log_error("no guest called '%s' is running (did you mean %s? see lkvm list)", name, near);
	else
		log_error("no guest called '%s' is running (see lkvm list)", name);
	registry_free_names(names);
	return -ENOENT;
}

static int greet(struct client_conn *conn, bool quiet)
{
	json_t *hello = NULL;
	json_int_t protocol;
	int ret;

	ret = read_line(conn, GREETING_MS, &hello);
	/* It was just ending, and is no more. */
	if (ret == -EPIPE)
		return quiet ? -ENOENT : no_such_guest(conn->name);
	if (ret) {
		if (!quiet)
			log_error("guest '%s' does not answer: %s", conn->name, strerror(-ret));
		return ret;
	}
	protocol = json_integer_value(json_object_get(hello, "protocol"));
	conn->pid = (int)json_integer_value(json_object_get(hello, "pid"));
	json_decref(hello);
	if (protocol != CONTROL_PROTOCOL) {
		if (!quiet)
			log_error("guest '%s' was started by another version of lkvm: it speaks control protocol %lld, this one %d",
				  conn->name, (long long)protocol, CONTROL_PROTOCOL);
		return -EPROTO;
	}
	return 0;
}

int client_connect(struct client_conn **out, const char *name, bool quiet)
{
	struct client_conn *conn;
	int fd = registry_connect(name);
	int ret;

	if (fd == -ENOENT)
		return quiet ? fd : no_such_guest(name);
	if (fd < 0) {
		if (!quiet)
			log_error("cannot connect to guest '%s': %s", name, strerror(-fd));
		return fd;
	}
	conn = calloc(1, sizeof(*conn));
	if (!conn) {
		close(fd);
		return -ENOMEM;
	}
	snprintf(conn->name, sizeof(conn->name), "%s", name);
	conn->fd = fd;
	ret = greet(conn, quiet);
	if (ret) {
		client_disconnect(conn);
		return ret;
	}
	*out = conn;
	return 0;
}

void client_disconnect(struct client_conn *conn)
{
	if (!conn)
		return;
	close(conn->fd);
	free(conn->buf);
	free(conn);
}

int client_pid(const struct client_conn *conn)
{
	return conn->pid;
}

/* The answer to what has been sent, for which @ret is the result so far. */
static int take_answer(struct client_conn *conn, const char *command, uint64_t timeout_ms, bool quiet, int ret,
		       json_t **result)
{
	json_t *answer = NULL;

	if (!ret)
		ret = read_line(conn, timeout_ms, &answer);
	if (ret) {
		if (!quiet)
			log_error("guest '%s': %s: %s", conn->name, command,
				  ret == -EPIPE      ? "its lkvm process ended without an answer"
				  : ret != -ETIMEDOUT ? strerror(-ret)
				  : strcmp(command, "wait") ? "no answer in time"
							    : "it has not ended in that time, and goes on");
		return ret;
	}
	if (json_is_true(json_object_get(answer, "ok"))) {
		*result = json_incref(json_object_get(answer, "result"));
	} else {
		const char *text =
			json_string_value(json_object_get(json_object_get(answer, "error"), "message"));

		if (!quiet)
			log_error("guest '%s': %s: %s", conn->name, command, text ? text : "refused");
		ret = -EREMOTEIO;
	}
	json_decref(answer);
	return ret;
}

int client_call(struct client_conn *conn, const char *command, uint64_t timeout_ms, bool quiet, json_t **result)
{
	char line[128];
	int len = snprintf(line, sizeof(line), "{\"id\":1,\"command\":\"%s\"}\n", command);
	int ret = send(conn->fd, line, (size_t)len, MSG_NOSIGNAL) == len ? 0 : -EPIPE;

	return take_answer(conn, command, timeout_ms, quiet, ret, result);
}

/* The descriptors, if any, go with the first byte. */
static int send_with_fds(int fd, const char *line, size_t len, const int *fds, unsigned int nr_fds)
{
	union {
		struct cmsghdr align;
		char           buf[CMSG_SPACE(CONTROL_MAX_FDS * sizeof(int))];
	} space = { .buf = { 0 } };
	struct iovec iov = { .iov_base = (char *)(uintptr_t)line, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = nr_fds ? space.buf : NULL,
		.msg_controllen = nr_fds ? CMSG_SPACE(nr_fds * sizeof(int)) : 0,
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	if (c) {
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nr_fds * sizeof(int));
	}
	while (len) {
		ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len -= (size_t)n;
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len = len;
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
	}
	return 0;
}

int client_request(struct client_conn *conn, json_t *request, uint64_t timeout_ms, bool quiet, const int *fds,
		   unsigned int nr_fds, json_t **result)
{
	const char *command = json_string_value(json_object_get(request, "command"));
	char *text = json_dumps(request, JSON_COMPACT), *line = NULL;
	int ret = -ENOMEM;

	if (text && asprintf(&line, "%s\n", text) >= 0)
		ret = send_with_fds(conn->fd, line, strlen(line), fds, nr_fds);
	free(text);
	free(line);
	ret = take_answer(conn, command ? command : "request", timeout_ms, quiet, ret, result);
	json_decref(request);
	return ret;
}

#endif
