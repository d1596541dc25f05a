/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of CPUs as the kernel writes them: "0-3,8". Pure. */
#ifndef LKVM_CPULIST_H
#define LKVM_CPULIST_H

#include <sched.h>

#include "lkvm/types.h"

/*
 * Reads @text, a comma-separated list of numbers and ranges, into @cpus; a newline may end it. Returns 0, or
 * -EINVAL: empty, malformed, a range that runs backwards, or a number that cpu_set_t can't hold. Silent.
 */
int cpulist_parse(const char *text, cpu_set_t *cpus) LKVM_MUST_CHECK;

#endif
