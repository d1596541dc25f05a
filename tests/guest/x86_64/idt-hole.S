/* SPDX-License-Identifier: GPL-2.0-only */
/* An exception with the interrupt table where no memory is: it can't be delivered. */
#include "tests/guest/x86_64/lib.h"

	.section .text.start, "ax"
	.globl	_start
_start:
	lidt	table(%rip)
	ud2

	.balign	8
table:	.short	0xfff
	.quad	MMIO_HOLE
