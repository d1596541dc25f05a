/* SPDX-License-Identifier: GPL-2.0-only */
/* Echoes input through the debug console until a newline: for --console hv. */
#include "tests/guest/riscv64/guest.inc"

	say "ready\n"
1:	li a0, 1
	lla a1, buffer
	li a2, 0
	sbi SBI_DBCN, 1
	expect a0, 0, "read"
	beqz a1, 1b
	lla t0, buffer
	lbu a0, (t0)
	mv s0, a0
	sbi SBI_DBCN, 2
	expect a0, 0, "write_byte"
	li t0, 10
	bne s0, t0, 1b
	reset 0

	uart_functions

	.bss
buffer:	.space 8
