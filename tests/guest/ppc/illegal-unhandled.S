/* SPDX-License-Identifier: GPL-2.0-only */
/* An illegal instruction whose handler is an illegal instruction: no way forward. */
#include "tests/guest/ppc/guest.inc"

	vector 6, program_interrupt
	.align 4
program_interrupt:
	.long 0x7c0006ff
