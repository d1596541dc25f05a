/* SPDX-License-Identifier: GPL-2.0-only */
/* Time that no one sets. Pure. */
#ifndef LKVM_CLOCK_H
#define LKVM_CLOCK_H

#include <time.h>

#include "lkvm/types.h"

/* Milliseconds of CLOCK_MONOTONIC. Any thread, signal-safe. */
static inline uint64_t clock_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

#endif
