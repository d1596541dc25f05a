/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A directory of the host, served as 9P2000.L: the protocol of Linux's 9p file system. Knows nothing of how
 * messages travel: a request comes as bytes, and so goes the answer. One thread at a time.
 *
 * Whatever a guest sends:
 *  - Nothing outside of the directory is reached: no name has a slash, ".." ends at the top, and symbolic
 *    links are never followed here, also not those that somebody puts in a path's way meanwhile. The guest
 *    reads and resolves them itself.
 *  - Only regular files and directories are opened; devices, FIFOs and sockets are names to the guest, and
 *    device nodes are not made.
 *  - The kernel's own file systems, such as /proc, look empty: through them a guest would get at lkvm itself.
 *  - Set-user-ID and set-group-ID bits of files do not get to the host.
 *  - What it makes the server remember, and how many files it holds open, is bounded.
 */
#ifndef LKVM_P9_SERVER_H
#define LKVM_P9_SERVER_H

#include "lkvm/types.h"

/* Every message starts with le32 size, u8 type, le16 tag. */
#define P9_HEADER_BYTES 7
/* The largest message, either way, that the server agrees to (Tversion's msize). */
#define P9_MAX_MESSAGE  (512u << 10)
/* An answer that says an error: what there must be room for. */
#define P9_ERROR_BYTES  (P9_HEADER_BYTES + 4)

struct p9_server;

/*
 * Serves @dir, which @option ("--9p") names; with @readonly all that would change it is EROFS. 0 or -errno (reported).
 */
int p9_server_create(struct p9_server **server, const char *option, const char *dir, bool readonly) LKVM_MUST_CHECK;
void p9_server_destroy(struct p9_server *server);

/* Forgets all that the guest has open. */
void p9_server_reset(struct p9_server *server);

/*
 * Answers the request in the first @len bytes of @request, writing at most @room bytes to @answer. Returns
 * the answer's size; 0 if @room is less than P9_ERROR_BYTES or @request has no whole header: then nobody
 * can be told anything. An answer for which there is no room becomes the error EMSGSIZE.
 */
size_t p9_server_answer(struct p9_server *server, const uint8_t *request, size_t len, uint8_t *answer,
			size_t room);

#endif
