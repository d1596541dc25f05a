/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory of --root on its way into the guest, where guest/init.c makes it the root. */
#ifndef LKVM_GUEST_ROOT_H
#define LKVM_GUEST_ROOT_H

#include "lkvm/config.h"
#include "lkvm/disk.h"
#include "lkvm/types.h"

/* What the guest's init is to mount, and the modules that it needs for that (NULL-terminated). */
struct guest_root {
	const char        *fs; /* "virtiofs", "9p", "ext4", or GUEST_ROOT_EITHER */
	const char *const *modules;
	/* The devices that it comes by. */
	bool               virtiofs;
	bool               p9;
	bool               image;
};

/*
 * Chooses a way, or two, that this host and the guest's kernel have, as far as that can be known
 * (--modules). Not virtio-fs if !@virtiofs: it turned out not to work. What cfg->root_type names is
 * chosen in any case. 0 or -errno (reported).
 */
int guest_root_choose(struct guest_root *root, const struct config *cfg, bool virtiofs) LKVM_MUST_CHECK;

/* Makes an image of the directory, in a file without a name. *@disk is the caller's. 0 or -errno (reported). */
int guest_root_make_image(const struct config *cfg, struct disk **disk) LKVM_MUST_CHECK;

#endif
