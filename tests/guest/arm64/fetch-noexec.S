/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Turns the MMU on, with its own GiB mapped twice: one to one, and at 2 GiB execute-never. Then it
 * jumps to the latter, where the exception vectors are as well.
 */
#include "tests/guest/arm64/guest.inc"

#define BLOCK (1 | 1 << 10 | 3 << 8) /* valid, AF, inner shareable, MAIR index 0 */
#define ALIAS 0x80000000

	adr x9, table
	ldr x10, =RAM_BASE + BLOCK
	str x10, [x9, #8]
	ldr x11, =3 << 53 /* PXN, UXN */
	orr x10, x10, x11
	str x10, [x9, #16]
	dsb sy
	msr ttbr0_el1, x9
	mov x10, #0xff /* normal memory, write-back */
	msr mair_el1, x10
	ldr x10, =25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 2 << 32 /* 39 bits, 4K granule, TTBR0 only */
	msr tcr_el1, x10
	ldr x15, =ALIAS
	msr vbar_el1, x15
	isb
	tlbi vmalle1
	dsb sy
	mrs x10, sctlr_el1
	orr x10, x10, #1
	msr sctlr_el1, x10
	isb
	add x15, x15, #0x800
	blr x15

	.bss
	.balign 4096
table:	.skip 4096
