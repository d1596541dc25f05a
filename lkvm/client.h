/* SPDX-License-Identifier: GPL-2.0-only */
/* The other end of the control socket: how a command talks to a running guest. */
#ifndef LKVM_CLIENT_H
#define LKVM_CLIENT_H

#include "lkvm/types.h"

struct client_conn;
struct json_t; /* jansson's */

/*
 * Connects to the guest @name and checks that it speaks our protocol. Returns 0; -ENOENT if there is no
 * such guest; -errno. Reported, unless @quiet.
 */
int client_connect(struct client_conn **conn, const char *name, bool quiet) LKVM_MUST_CHECK;
void client_disconnect(struct client_conn *conn);

/* The guest's process. */
int client_pid(const struct client_conn *conn);

/*
 * As client_call(), for a @request object (which is taken; NULL: memory is out) that brings @nr_fds
 * descriptors along.
 */
int client_request(struct client_conn *conn, struct json_t *request, uint64_t timeout_ms, bool quiet,
		   const int *fds, unsigned int nr_fds, struct json_t **result) LKVM_MUST_CHECK;

/*
 * Sends { "command": @command } and waits up to @timeout_ms (0: for ever) for the answer. Returns 0 with
 * the result in @result (a new reference); -ETIMEDOUT; -EPIPE when the guest's process ended instead;
 * -EREMOTEIO when it refused. Reported, unless @quiet.
 */
int client_call(struct client_conn *conn, const char *command, uint64_t timeout_ms, bool quiet,
		struct json_t **result) LKVM_MUST_CHECK;

#endif
