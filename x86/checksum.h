/* SPDX-License-Identifier: GPL-2.0-only */
/* The checksum of PC firmware tables (ACPI, MP): all bytes, this one included, sum up to zero. */
#ifndef X86_CHECKSUM_H
#define X86_CHECKSUM_H

#include "lkvm/types.h"

/* Sets bytes[@at] so that the @len bytes sum up to 0 mod 256. */
static inline void x86_set_checksum(uint8_t *bytes, size_t len, size_t at)
{
	uint8_t sum = 0;

	bytes[at] = 0;
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[at] = (uint8_t)-sum;
}

#endif
