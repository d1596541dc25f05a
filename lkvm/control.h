/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control socket of a running guest: JSON lines on a unix socket, docs/control.md. Serves any number
 * of clients (CONTROL_MAX_CLIENTS) on the main loop; nobody waits for one that is idle, slow or hostile.
 * Knows no VM: what the commands do is in the table that it is given.
 *
 * Without jansson there is no control socket: control_create() gives -ENOTSUP.
 */
#ifndef LKVM_CONTROL_H
#define LKVM_CONTROL_H

#include "lkvm/loop.h"
#include "lkvm/outcome.h"
#include "lkvm/types.h"

#define CONTROL_PROTOCOL      1
#define CONTROL_MAX_CLIENTS   64
#define CONTROL_MAX_LINE      65536   /* of a request, with its newline */
#define CONTROL_ERROR_BYTES   200
#define CONTROL_MAX_FDS       3       /* that a request can bring along (SCM_RIGHTS) */

/* What run() returns when the answer comes later, by control_reply(). */
#define CONTROL_LATER 1

struct control;
struct control_client;
struct json_t; /* jansson's */

/* A request that is being served. */
struct control_call {
	const struct json_t *args;    /* the request object */
	int           fds[CONTROL_MAX_FDS]; /* that came with it; closed with the call unless set to -1 */
	unsigned int  nr_fds;
	/*
	 * Set by a command that answers later: the client is gone, or the VM, and control_reply() must not be
	 * called any more.
	 */
	void        (*cancel)(struct control_call *call);
	void         *opaque;         /* the command's own */
	/* The server's own. */
	struct control_client *client;
	struct control_call   *next;
	bool                   wait;
};

struct control_command {
	const char *name;
	/*
	 * Serves a request: adds members to the object @result. Returns 0, -errno with the reason in @error
	 * (CONTROL_ERROR_BYTES), or CONTROL_LATER. Loop thread; must not block.
	 */
	int (*run)(void *opaque, struct control_call *call, struct json_t *result, char *error);
};

/*
 * Registers the guest (@name NULL: guest-PID) and listens; nobody is served before control_attach().
 * Returns 0 or -errno: -EEXIST (a running guest has that name), -ENOTSUP. Silent.
 */
int control_create(struct control **ctl, const char *name) LKVM_MUST_CHECK;
/* Closes everything and removes the socket. NULL is legal. */
void control_destroy(struct control *ctl);

/* The name under which the guest is registered. */
const char *control_name(const struct control *ctl);

/*
 * Serves clients on @loop with @commands (ended by an empty entry; outlives the attachment) until
 * control_detach(), which keeps the clients: one guest may have several lives. While the loop is not
 * running. 0 or -errno.
 */
int control_attach(struct control *ctl, struct loop *loop, const struct control_command *commands,
		   void *opaque) LKVM_MUST_CHECK;
void control_detach(struct control *ctl);

/* The run is over for good: tells those who wait how it ended. Not attached. */
void control_announce_end(struct control *ctl, const struct outcome *outcome);

/*
 * Answers a call for which run() has returned CONTROL_LATER, and frees it: with @result (taken), or with the
 * error @err (-errno) and its reason. Loop thread.
 */
void control_reply(struct control_call *call, struct json_t *result, int err, const char *error);

/*
 * What is answered to the request @line of @len bytes, without its newline: one line with it, to be freed;
 * NULL if the answer comes later, for which @later is the call then, or if memory is out. For the server and the
 * fuzzer; @client may be NULL.
 */
char *control_answer(struct control *ctl, struct control_client *client, const char *line, size_t len,
		     struct control_call **later);
void control_call_free(struct control_call *call);

#endif
