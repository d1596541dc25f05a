/* SPDX-License-Identifier: GPL-2.0-only */
/* How an arch tells `lkvm doctor` a fact about this host. */
#ifndef LKVM_DOCTOR_H
#define LKVM_DOCTOR_H

#include "lkvm/types.h"

struct doctor {
	/* Both strings live as long as the call. */
	void (*say)(void *ctx, const char *name, const char *value);
	void *ctx;
};

/* Says @name ("guest PMU") and its value, a line of at most 1 KiB. */
void doctor_say(const struct doctor *d, const char *name, const char *fmt, ...) LKVM_PRINTF(3, 4);

#endif
