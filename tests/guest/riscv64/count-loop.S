/* SPDX-License-Identifier: GPL-2.0-only */
/* Executes 50 million instructions and a few, and powers off. */
#include "tests/guest/riscv64/guest.inc"

	li t0, 25000000
1:	addi t0, t0, -1
	bnez t0, 1b
	say "done\n"
	reset 0

	uart_functions
