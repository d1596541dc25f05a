/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running guests by name: each has a unix socket NAME.sock in a private directory. A socket that nobody
 * listens on belongs to a process that died; whoever finds one removes it.
 *
 * The directory is $XDG_RUNTIME_DIR/lkvm, else /run/user/UID/lkvm, else /tmp/lkvm-UID. A guest takes the
 * first that it can make; names are looked up in all of them, so that a shell without XDG_RUNTIME_DIR
 * finds the guests of one that has it.
 */
#ifndef LKVM_REGISTRY_H
#define LKVM_REGISTRY_H

#include "lkvm/types.h"

/* Names are file names, and short enough for any socket address. */
#define REGISTRY_NAME_BYTES 65

struct registry_entry {
	int      dir_fd;   /* of the directory, -1: not registered */
	int      fd;       /* the listening socket, -1: none */
	char     name[REGISTRY_NAME_BYTES];
	uint64_t inode;    /* of the socket's file: what is removed must be ours; 0: its name has our PID */
};

#define REGISTRY_ENTRY_NONE ((struct registry_entry){ .dir_fd = -1, .fd = -1 })

/*
 * Registers a guest and listens (non-blocking). @name NULL: "guest-PID", with a number behind it should
 * that be taken. Returns 0, -EEXIST (a running guest has the name) or -errno (no directory can be used).
 * Silent.
 */
int registry_add(struct registry_entry *entry, const char *name) LKVM_MUST_CHECK;
/* Closes the socket and removes its file. Legal for REGISTRY_ENTRY_NONE. */
void registry_remove(struct registry_entry *entry);

/*
 * Connects to the guest called @name. Returns a blocking socket, -ENOENT (no such guest; what a dead one
 * left behind is removed) or -errno. Silent.
 */
int registry_connect(const char *name) LKVM_MUST_CHECK;

/*
 * The names of all sockets, sorted and NULL-terminated; each may be that of a dead guest until
 * registry_connect() has looked. 0 or -ENOMEM. registry_free_names() frees.
 */
int registry_names(char ***names) LKVM_MUST_CHECK;
void registry_free_names(char **names);

#endif
