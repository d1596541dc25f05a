/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtiofsd process that serves a directory to a guest through vhost-user; the one written in Rust,
 * of https://gitlab.com/virtio-fs/virtiofsd. It ends when its connection is closed, so also when lkvm
 * dies. Main thread.
 */
#ifndef LKVM_VIRTIOFSD_H
#define LKVM_VIRTIOFSD_H

#include "lkvm/log.h"
#include "lkvm/types.h"

struct virtiofsd;

/* Where it is: on PATH, or in the directories that distributions have for such programs. False: nowhere. */
bool virtiofsd_find(char *path, size_t size) LKVM_MUST_CHECK;
/* It keeps a descriptor of every file that the guest knows: whether it may have enough of them (ulimit -Hn). */
bool virtiofsd_has_room(void);

/*
 * Starts @program for directory @dir. If @constant, nobody changes it: the guest may keep what it has read.
 * *@fd is a connected vhost-user socket, the caller's; whether somebody answers there is not known yet. 0 or -errno
 * (reported, at @level).
 */
int virtiofsd_start(struct virtiofsd **d, const char *program, const char *dir, bool readonly,
		    bool constant, enum log_level level, int *fd) LKVM_MUST_CHECK;

/* Where it writes its messages. */
int virtiofsd_log_fd(const struct virtiofsd *d);
/*
 * From there to the log, at info level, and as warnings, at a limited rate, once it has started. Some of it at
 * a time. False: no more will come.
 */
bool virtiofsd_read_log(struct virtiofsd *d);
void virtiofsd_started(struct virtiofsd *d);

/*
 * Once its connection is closed: waits a moment for its end and says how that was, and what its last
 * message (before virtiofsd_started(): its first) said: "ended with status 1: ...".
 */
void virtiofsd_ending(struct virtiofsd *d, char *text, size_t size);

/* Ends it, if closing its connection has not, and frees @d. NULL is legal. */
void virtiofsd_destroy(struct virtiofsd *d);

#endif
