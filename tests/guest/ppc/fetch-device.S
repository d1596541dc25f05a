/* SPDX-License-Identifier: GPL-2.0-only */
/* Jumps into a device's registers. */
#include "tests/guest/ppc/guest.inc"

	map 1, CCSR_BASE, CCSR_BASE, TSIZE_1M, SX | SR
	li32 r9, GUTS_RSTCR
	mtctr r9
	bctr
