/* SPDX-License-Identifier: GPL-2.0-only */
/* Two thousand million instructions, then power-off. */
#include "tests/guest/riscv64/guest.inc"

	li t0, 1000000000
1:	addi t0, t0, -1
	bnez t0, 1b
	reset 0

	uart_functions
