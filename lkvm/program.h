/* SPDX-License-Identifier: GPL-2.0-only */
/* Other programs of the host that lkvm runs. */
#ifndef LKVM_PROGRAM_H
#define LKVM_PROGRAM_H

#include "lkvm/types.h"

/*
 * Finds @name on PATH, or in @more (NULL-terminated), for programs that are not on it. What busybox and toybox have
 * of that name is not taken: it knows few of the options. False: nowhere.
 */
bool program_find(const char *name, const char *const *more, char *path, size_t size) LKVM_MUST_CHECK;

#endif
