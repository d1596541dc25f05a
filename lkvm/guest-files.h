/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The initramfs that brings guest/init.c, the user's files and kernel modules into a guest that is to run a
 * command. It follows the user's own initrds and changes nothing of theirs but by --add.
 */
#ifndef LKVM_GUEST_FILES_H
#define LKVM_GUEST_FILES_H

#include "lkvm/config.h"
#include "lkvm/guest-root.h"
#include "lkvm/types.h"

/*
 * Makes the archive in memory: a memfd, the caller's. @root is what guest_root_choose() chose for --root; NULL: the
 * guest's root is the archive itself. Returns 0 or -errno (reported: which file, why).
 */
int guest_files_pack(const struct config *cfg, const struct guest_root *root, int *fd) LKVM_MUST_CHECK;

/*
 * Where @file, a path as the user gave it, goes in the guest: an absolute path to the same place, another to
 * the same path below @workdir; "." and ".." are resolved. 0, or -ENAMETOOLONG. Pure.
 */
int guest_files_path(const char *workdir, const char *file, char *path, size_t size) LKVM_MUST_CHECK;

#endif
