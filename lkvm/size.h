/* SPDX-License-Identifier: GPL-2.0-only */
/* Sizes as people write them, for messages. */
#ifndef LKVM_SIZE_H
#define LKVM_SIZE_H

#include <inttypes.h>
#include <stdio.h>

#include "lkvm/types.h"

#define SIZE_TEXT_BYTES 32

/* Writes "52 MiB", "1.5 GiB" or "100 bytes" to @buf (SIZE_TEXT_BYTES) and returns it. */
static inline const char *size_text(char *buf, uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned int u = 0;

	if (bytes < KIB(1)) {
		snprintf(buf, SIZE_TEXT_BYTES, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
		return buf;
	}
	while (u + 1 < ARRAY_SIZE(units) && bytes >> (10 * (u + 2)))
		u++;
	if (bytes & ((UINT64_C(1) << (10 * (u + 1))) - 1))
		snprintf(buf, SIZE_TEXT_BYTES, "%.1f %s",
			 (double)bytes / (double)(UINT64_C(1) << (10 * (u + 1))), units[u]);
	else
		snprintf(buf, SIZE_TEXT_BYTES, "%" PRIu64 " %s", bytes >> (10 * (u + 1)), units[u]);
	return buf;
}

#endif
