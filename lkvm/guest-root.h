/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory of --root on its way into the guest, where guest/init.c makes it the root. */
#ifndef LKVM_GUEST_ROOT_H
#define LKVM_GUEST_ROOT_H

#include "lkvm/config.h"
#include "lkvm/disk.h"
#include "lkvm/types.h"

/* What the guest's init is to mount, and the modules that it needs for that (NULL-terminated). */
struct guest_root {
	const char        *fs; /* "9p", "ext4" */
	const char *const *modules;
};

/*
 * Chooses a way that the guest's kernel has, as far as that can be known (--modules). By 9P @disk is NULL;
 * else an image of the directory has been made, in a file without a name, and is @disk, the caller's. 0 or
 * -errno (reported).
 */
int guest_root_open(struct guest_root *root, const struct config *cfg, struct disk **disk) LKVM_MUST_CHECK;

#endif
