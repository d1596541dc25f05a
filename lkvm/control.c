// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/control.h"

#include <errno.h>

#ifdef HAVE_JANSSON

#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lkvm/cmd.h"
#include "lkvm/json.h"
#include "lkvm/log.h"
#include "lkvm/registry.h"

#define READ_BYTES 4096
/* Answers that wait to be read; from here on no more of that client's requests are looked at. */
#define MAX_PENDING_BYTES (256 * 1024)
/* Requests of one client that are answered later. */
#define MAX_CALLS 16
/* How long those who wait for the end may take to hear of it. */
#define END_WAIT_MS 200

struct control_client {
	struct control_client  *next;
	struct control *ctl;
	int             fd;
	uint32_t        events; /* what the loop watches */
	bool            closing; /* close once @out is sent */
	struct control_call *calls; /* that are answered later */
	int             fds[CONTROL_MAX_FDS]; /* that have come, for the next request that wants some */
	unsigned int    nr_fds;
	char           *in;     /* the beginning of a line; CONTROL_MAX_LINE bytes once allocated */
	size_t          in_len;
	char           *out;
	size_t          out_len;
	size_t          out_pos;
};

struct control {
	struct registry_entry entry;
	struct loop          *loop;     /* NULL: not attached */
	const struct control_command *commands;
	void                 *opaque;
	struct control_client        *clients;
	unsigned int          nr_clients;
	bool                  deaf;     /* no descriptors: not accepting until a client goes */
};

/* ---- answers ------------------------------------------------------------------------------------ */

/* Takes @reply. One line with its newline, or NULL. */
static char *to_line(json_t *reply)
{
	char *text = reply ? json_dumps(reply, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
	char *line = NULL;

	json_decref(reply);
	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}

static json_t *id_of(const json_t *request)
{
	json_t *id = json_object_get(request, "id");

	return id ? json_incref(id) : json_null();
}

static const char *error_word(int err)
{
	switch (-err) {
	case EINVAL: return "bad-request";
	case ENOSYS: return "unknown-command";
	case ENOTSUP: return "not-supported";
	case EBUSY: return "busy";
	default: return "failed";
	}
}

/* @request may be NULL. */
static char *error_line(const json_t *request, int err, const char *text)
{
	return to_line(json_pack("{s:o, s:b, s:{s:s, s:o}}", "id", id_of(request), "ok", 0, "error", "code",
				 error_word(err), "message", json_text(text)));
}

/* Takes @result. */
static char *result_line(const json_t *request, json_t *result)
{
	return to_line(json_pack("{s:o, s:b, s:o}", "id", id_of(request), "ok", 1, "result", result));
}

static const struct control_command *find_command(const struct control *ctl, const char *name)
{
	for (const struct control_command *cmd = ctl->commands; cmd && cmd->name; cmd++)
		if (!strcmp(cmd->name, name))
			return cmd;
	return NULL;
}

static char *unknown_command(const struct control *ctl, const json_t *request, const char *name)
{
	char text[256];
	size_t len = (size_t)snprintf(text, sizeof(text), "no command '%.40s'; there are wait", name);

	for (const struct control_command *cmd = ctl->commands; cmd && cmd->name && len < sizeof(text); cmd++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ", %s", cmd->name);
	return error_line(request, -ENOSYS, text);
}

void control_call_free(struct control_call *call)
{
	if (!call)
		return;
	for (unsigned int i = 0; i < call->nr_fds; i++)
		if (call->fds[i] >= 0)
			close(call->fds[i]);
	json_decref((json_t *)(uintptr_t)call->args);
	free(call);
}

/* The call for @request, which is taken. Descriptors that the client has sent go with it. */
static struct control_call *make_call(struct control_client *client, json_t *request)
{
	struct control_call *call = calloc(1, sizeof(*call));

	if (!call) {
		json_decref(request);
		return NULL;
	}
	call->args = request;
	call->client = client;
	if (client) {
		memcpy(call->fds, client->fds, sizeof(call->fds));
		call->nr_fds = client->nr_fds;
		client->nr_fds = 0;
	}
	return call;
}

static char *run_command(struct control *ctl, const struct control_command *cmd, struct control_call *call,
			 struct control_call **later)
{
	char error[CONTROL_ERROR_BYTES] = "";
	json_t *result = json_object();
	char *answer = NULL;
	int ret = cmd->run(ctl->opaque, call, result, error);

	if (ret == CONTROL_LATER) {
		*later = call;
	} else if (ret) {
		answer = error_line(call->args, ret, error[0] ? error : strerror(-ret));
	} else {
		answer = result_line(call->args, result);
		result = NULL;
	}
	json_decref(result);
	if (ret != CONTROL_LATER)
		control_call_free(call);
	return answer;
}

char *control_answer(struct control *ctl, struct control_client *client, const char *line, size_t len,
		     struct control_call **later)
{
	const struct control_command *cmd;
	struct control_call *call;
	char error[CONTROL_ERROR_BYTES];
	const char *name;
	json_error_t why;
	json_t *request;
	char *answer;

	*later = NULL;
	request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
	if (!request) {
		snprintf(error, sizeof(error), "not JSON: %.160s", why.text);
		return error_line(NULL, -EINVAL, error);
	}
	name = json_string_value(json_object_get(request, "command"));
	if (!name) {
		answer = error_line(request, -EINVAL, "a request is an object with a string \"command\"");
		json_decref(request);
		return answer;
	}
	cmd = find_command(ctl, name);
	if (!cmd && strcmp(name, "wait")) {
		answer = unknown_command(ctl, request, name);
		json_decref(request);
		return answer;
	}
	call = make_call(client, request);
	if (!call)
		return NULL;
	if (cmd)
		return run_command(ctl, cmd, call, later);
	call->wait = true;
	*later = call;
	return NULL;
}

/* ---- clients ------------------------------------------------------------------------------------ */

static void client_close(struct control_client *client)
{
	struct control *ctl = client->ctl;
	struct control_client **p = &ctl->clients;

	while (*p != client)
		p = &(*p)->next;
	*p = client->next;
	ctl->nr_clients--;
	if (ctl->loop)
		loop_del(ctl->loop, client->fd);
	close(client->fd);
	while (client->calls) {
		struct control_call *call = client->calls;

		client->calls = call->next;
		if (call->cancel)
			call->cancel(call);
		control_call_free(call);
	}
	for (unsigned int i = 0; i < client->nr_fds; i++)
		close(client->fds[i]);
	free(client->in);
	free(client->out);
	free(client);
	if (ctl->deaf && ctl->loop) {
		ctl->deaf = false;
		loop_modify(ctl->loop, ctl->entry.fd, EPOLLIN);
	}
}

static size_t client_pending(const struct control_client *client)
{
	return client->out_len - client->out_pos;
}

/* Sends what it can. False if the client is gone. */
static bool client_flush(struct control_client *client)
{
	while (client_pending(client)) {
		ssize_t n = send(client->fd, client->out + client->out_pos, client_pending(client),
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		client->out_pos += (size_t)n;
	}
	client->out_pos = 0;
	client->out_len = 0;
	return true;
}

/* Appends @line, which is freed; NULL (out of memory) ends the client. */
static void client_answer(struct control_client *client, char *line)
{
	size_t len = line ? strlen(line) : 0;
	char *out;

	if (client->out_pos) {
		memmove(client->out, client->out + client->out_pos, client_pending(client));
		client->out_len -= client->out_pos;
		client->out_pos = 0;
	}
	out = line ? realloc(client->out, client->out_len + len) : NULL;
	if (!out) {
		client->closing = true;
		free(line);
		return;
	}
	memcpy(out + client->out_len, line, len);
	client->out = out;
	client->out_len += len;
	free(line);
}

static void client_request(struct control_client *client, const char *line, size_t len)
{
	struct control_call **tail, *later;
	unsigned int nr = 0;
	char *answer;

	if (len && line[len - 1] == '\r')
		len--;
	if (!len)
		return;
	for (tail = &client->calls; *tail; tail = &(*tail)->next)
		nr++;
	if (nr >= MAX_CALLS) {
		client_answer(client, error_line(NULL, -EBUSY, "too many requests of this connection have no answer yet"));
		return;
	}
	answer = control_answer(client->ctl, client, line, len, &later);
	if (!later) {
		client_answer(client, answer);
		return;
	}
	*tail = later;
}

/* Serves the whole lines that have come. */
static void client_serve(struct control_client *client)
{
	size_t start = 0;
	char *end;

	while (!client->closing && client_pending(client) < MAX_PENDING_BYTES &&
	       (end = memchr(client->in + start, '\n', client->in_len - start))) {
		client_request(client, client->in + start, (size_t)(end - client->in) - start);
		start = (size_t)(end - client->in) + 1;
	}
	client->in_len -= start;
	memmove(client->in, client->in + start, client->in_len);
	if (client->in_len == CONTROL_MAX_LINE && !client->closing && client_pending(client) < MAX_PENDING_BYTES) {
		client_answer(client, error_line(NULL, -EINVAL, "the request is longer than 64 KiB"));
		client->closing = true;
	}
}

static void client_watch(struct control_client *client)
{
	/* Whole lines that were left because too many answers were pending: they come before what is to be read. */
	bool left = !client->closing && client->in_len && memchr(client->in, '\n', client->in_len);
	/* Never 0, so that one that goes while it waits for the end is noticed. */
	uint32_t events = EPOLLPRI;

	if (!client->closing && !left && client_pending(client) < MAX_PENDING_BYTES)
		events |= EPOLLIN;
	/* One that has nothing more to say and has all its answers is closed by on_client(). */
	if (client_pending(client) || left || (client->closing && !client->calls))
		events |= EPOLLOUT;
	if (events == client->events || !client->ctl->loop)
		return;
	loop_modify(client->ctl->loop, client->fd, events);
	client->events = events;
}

/* Keeps the first few of the descriptors that came with a message. */
static void take_fds(struct control_client *client, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t nr = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS ?
				    (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;

		for (size_t i = 0; i < nr; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (client->nr_fds < CONTROL_MAX_FDS)
				client->fds[client->nr_fds++] = fd;
			else
				close(fd);
		}
	}
}

/* recv() of bytes and descriptors into @in. */
static ssize_t client_receive(struct control_client *client)
{
	union {
		struct cmsghdr align;
		char           buf[CMSG_SPACE(CONTROL_MAX_FDS * sizeof(int))];
	} space;
	struct iovec iov = {
		.iov_base = client->in + client->in_len,
		.iov_len = MIN((size_t)READ_BYTES, CONTROL_MAX_LINE - client->in_len),
	};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = space.buf, .msg_controllen = sizeof(space.buf),
	};
	ssize_t n = recvmsg(client->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n >= 0)
		take_fds(client, &msg);
	return n;
}

/* Reads once. False if the client is gone. */
static bool client_read(struct control_client *client, bool hung_up)
{
	ssize_t n;

	if (!client->in)
		client->in = malloc(CONTROL_MAX_LINE);
	if (!client->in)
		return false;
	n = client_receive(client);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0) {
		/* It may have shut down its side and still read: `echo '...' | nc -U` does so. */
		if (hung_up || (!client_pending(client) && !client->calls))
			return false;
		client->closing = true;
		return true;
	}
	client->in_len += (size_t)n;
	return true;
}

static void on_client(void *opaque, uint32_t events)
{
	struct control_client *client = opaque;

	if (events & EPOLLERR || (events & EPOLLHUP && !(events & EPOLLIN))) {
		client_close(client);
		return;
	}
	if ((events & EPOLLIN && !client_read(client, events & EPOLLHUP)) || !client_flush(client)) {
		client_close(client);
		return;
	}
	/* Lines may have been left when too many answers were pending. */
	if (client->in_len)
		client_serve(client);
	if (!client_flush(client) || (client->closing && !client_pending(client) && !client->calls)) {
		client_close(client);
		return;
	}
	client_watch(client);
}

static bool peer_may(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) && (cred.uid == geteuid() || cred.uid == 0);
}

static void client_add(struct control *ctl, int fd)
{
	static const char full[] = "{\"id\":null,\"ok\":false,\"error\":{\"code\":\"busy\","
				   "\"message\":\"too many clients\"}}\n";
	struct control_client *client;

	if (!peer_may(fd) || ctl->nr_clients >= CONTROL_MAX_CLIENTS) {
		send(fd, full, strlen(full), MSG_NOSIGNAL | MSG_DONTWAIT);
		close(fd);
		return;
	}
	client = calloc(1, sizeof(*client));
	if (!client || loop_add(ctl->loop, fd, EPOLLIN, on_client, client)) {
		free(client);
		close(fd);
		return;
	}
	client->ctl = ctl;
	client->fd = fd;
	client->events = EPOLLIN;
	client->next = ctl->clients;
	ctl->clients = client;
	ctl->nr_clients++;
	client_answer(client, to_line(json_pack("{s:s, s:i, s:s, s:i}", "lkvm", LKVM_VERSION, "protocol",
						CONTROL_PROTOCOL, "name", ctl->entry.name, "pid", (int)getpid())));
	client_watch(client);
}

static void on_connect(void *opaque, uint32_t events)
{
	struct control *ctl = opaque;
	int fd = accept4(ctl->entry.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0) {
		client_add(ctl, fd);
		return;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		/* It stays ready; do not spin on it. */
		log_warning("control socket: %s", strerror(errno));
		ctl->deaf = true;
		loop_modify(ctl->loop, ctl->entry.fd, 0);
	}
}

/* ---- life --------------------------------------------------------------------------------------- */

int control_create(struct control **out, const char *name)
{
	struct control *ctl = calloc(1, sizeof(*ctl));
	int ret;

	if (!ctl)
		return -ENOMEM;
	ret = registry_add(&ctl->entry, name);
	if (ret) {
		free(ctl);
		return ret;
	}
	*out = ctl;
	return 0;
}

void control_destroy(struct control *ctl)
{
	if (!ctl)
		return;
	control_detach(ctl);
	while (ctl->clients)
		client_close(ctl->clients);
	registry_remove(&ctl->entry);
	free(ctl);
}

const char *control_name(const struct control *ctl)
{
	return ctl->entry.name;
}

int control_attach(struct control *ctl, struct loop *loop, const struct control_command *commands,
		   void *opaque)
{
	int ret;

	ret = loop_add(loop, ctl->entry.fd, EPOLLIN, on_connect, ctl);
	if (ret)
		return ret;
	ctl->loop = loop;
	ctl->commands = commands;
	ctl->opaque = opaque;
	ctl->deaf = false;
	for (struct control_client *client = ctl->clients, *next; client; client = next) {
		next = client->next;
		if (loop_add(loop, client->fd, client->events, on_client, client))
			client_close(client);
	}
	return 0;
}

/* Whoever was to answer is about to go. Waiting for the end goes on. */
static void cancel_calls(struct control_client *client)
{
	struct control_call **p = &client->calls;

	while (*p) {
		struct control_call *call = *p;

		if (call->wait) {
			p = &call->next;
			continue;
		}
		*p = call->next;
		if (call->cancel)
			call->cancel(call);
		client_answer(client, error_line(call->args, -ECANCELED, "the guest ended"));
		control_call_free(call);
	}
}

void control_detach(struct control *ctl)
{
	if (!ctl->loop)
		return;
	for (struct control_client *client = ctl->clients; client; client = client->next) {
		loop_del(ctl->loop, client->fd);
		cancel_calls(client);
	}
	loop_del(ctl->loop, ctl->entry.fd);
	ctl->loop = NULL;
	ctl->commands = NULL;
}

static json_t *end_result(const struct outcome *outcome)
{
	return json_pack("{s:s, s:i, s:o}", "outcome", outcome_word(outcome->kind), "status",
			 outcome_exit_status(outcome), "text", json_text(outcome->text));
}

void control_announce_end(struct control *ctl, const struct outcome *outcome)
{
	unsigned int left_ms = END_WAIT_MS;

	for (struct control_client *client = ctl->clients; client; client = client->next) {
		for (struct control_call *call = client->calls; call; call = call->next)
			client_answer(client, result_line(call->args, end_result(outcome)));
		while (client_flush(client) && client_pending(client) && left_ms) {
			struct pollfd pfd = { .fd = client->fd, .events = POLLOUT };

			/* All of them together: the end does not depend on any reader. */
			if (poll(&pfd, 1, 10) == 0)
				left_ms -= 10;
		}
	}
}

void control_reply(struct control_call *call, json_t *result, int err, const char *error)
{
	struct control_client *client = call->client;
	struct control_call **p = &client->calls;

	while (*p != call)
		p = &(*p)->next;
	*p = call->next;
	client_answer(client, err ? error_line(call->args, err, error) : result_line(call->args, result));
	control_call_free(call);
	/* If that fails, on_client() will see it. */
	(void)client_flush(client);
	client_watch(client);
}

#else /* without jansson */

int control_create(struct control **ctl LKVM_UNUSED, const char *name LKVM_UNUSED)
{
	return -ENOTSUP;
}

void control_destroy(struct control *ctl LKVM_UNUSED)
{
}

const char *control_name(const struct control *ctl LKVM_UNUSED)
{
	return "";
}

int control_attach(struct control *ctl LKVM_UNUSED, struct loop *loop LKVM_UNUSED,
		   const struct control_command *commands LKVM_UNUSED, void *opaque LKVM_UNUSED)
{
	return -ENOTSUP;
}

void control_detach(struct control *ctl LKVM_UNUSED)
{
}

void control_announce_end(struct control *ctl LKVM_UNUSED, const struct outcome *outcome LKVM_UNUSED)
{
}

void control_reply(struct control_call *call LKVM_UNUSED, struct json_t *result LKVM_UNUSED, int err LKVM_UNUSED,
		   const char *error LKVM_UNUSED)
{
}

char *control_answer(struct control *ctl LKVM_UNUSED, struct control_client *client LKVM_UNUSED,
		     const char *line LKVM_UNUSED, size_t len LKVM_UNUSED, struct control_call **later)
{
	*later = NULL;
	return NULL;
}

void control_call_free(struct control_call *call LKVM_UNUSED)
{
}

#endif
