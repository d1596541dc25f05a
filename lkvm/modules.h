/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel modules that a guest needs before it can talk to lkvm, from a directory as depmod(8) leaves
 * it: modules.dep says which module needs which.
 */
#ifndef LKVM_MODULES_H
#define LKVM_MODULES_H

#include "lkvm/config.h"
#include "lkvm/types.h"

/*
 * Takes @size bytes of the uncompressed module in @fd; @file is for messages. 0 or -errno (reported).
 */
typedef int modules_take_fn(void *opaque, const char *file, int fd, uint64_t size);

/*
 * Calls @take for each module that cfg->modules (a directory, or "auto" for the one of the kernel's
 * version) has of those that the machine's devices need, and of @more (NULL-terminated; NULL: none), in the
 * order in which they can be loaded. Modules that are not there are built into the kernel or cannot be
 * helped. Returns 0 or -errno (reported).
 */
int modules_find(const struct config *cfg, const char *const *more, modules_take_fn *take, void *opaque)
	LKVM_MUST_CHECK;

/*
 * Whether the kernel of cfg->modules has @name, as a module or, as modules.builtin says, in itself. 1, 0 or
 * -errno (reported).
 */
int modules_offer(const struct config *cfg, const char *name) LKVM_MUST_CHECK;

/*
 * What modules.dep (@text of @len bytes) says of the module @name ('-' and '_' are the same): the path that
 * its line begins with, and the rest of the line. False if it has none. Pure.
 */
bool modules_dep_line(const char *text, size_t len, const char *name, const char **line, size_t *line_len);

/*
 * The version in a kernel image: behind "Linux version ", or what an x86 bzImage points to. False if it
 * says none. Pure.
 */
bool modules_kernel_version(const uint8_t *data, uint64_t size_bytes, char *version, size_t size);

#endif
