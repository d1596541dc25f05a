/* SPDX-License-Identifier: GPL-2.0-only */
/* Halts with interrupts off, which nothing ends: --timeout. */
	.section .text.start, "ax"
	.globl	_start
_start:
	cli
1:	hlt
	jmp	1b
