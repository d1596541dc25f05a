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

/* Why this host cannot serve the directory by virtio-fs, or should not unless asked to; NULL: it can. */
const char *guest_root_no_virtiofs(const struct config *cfg);

/*
 * Chooses a way, or two, that the guest's kernel has, as far as that can be known (--modules); not virtio-fs
 * if @no_virtiofs says why. What cfg->root_type names is chosen in any case. 0 or -errno (reported).
 */
int guest_root_choose(struct guest_root *root, const struct config *cfg, const char *no_virtiofs)
	LKVM_MUST_CHECK;

/* Makes an image of the directory, in a file without a name. *@disk is the caller's. 0 or -errno (reported). */
int guest_root_make_image(const struct config *cfg, struct disk **disk) LKVM_MUST_CHECK;

#endif
