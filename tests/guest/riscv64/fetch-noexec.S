/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Turns Sv39 on, with its own GiB mapped twice: one to one, and at 3 GiB without X. Then it jumps to
 * the latter, where the trap handler is as well: page faults for ever, of which the hypervisor sees
 * none.
 */
#include "tests/guest/riscv64/guest.inc"

#define V 1
#define R 2
#define W 4
#define X 8
#define AD 0xc0
#define ALIAS 0xc0000000

	lla t0, table
	li t1, (RAM_BASE >> 2) | V | R | W | X | AD
	sd t1, 16(t0)
	li t1, (RAM_BASE >> 2) | V | R | W | AD
	sd t1, 24(t0)
	li t1, ALIAS
	csrw stvec, t1
	srli t0, t0, 12
	li t2, 8 << 60
	or t0, t0, t2
	csrw satp, t0
	sfence.vma
	addi t1, t1, 0x7f0
	jalr t1

	.bss
	.balign 4096
table:	.skip 4096
