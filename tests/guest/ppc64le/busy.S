/* SPDX-License-Identifier: GPL-2.0-only */
/* Two thousand million instructions, then power-off. */
#include "tests/guest/ppc64le/guest.inc"

	lis 3, 1000000000@h
	ori 3, 3, 1000000000@l
	mtctr 3
1:	nop
	bdnz 1b
	poweroff

	functions
