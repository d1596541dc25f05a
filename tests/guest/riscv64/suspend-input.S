/* SPDX-License-Identifier: GPL-2.0-only */
/* Suspends the system until something is typed on the UART. */
#include "tests/guest/riscv64/guest.inc"

	li a0, SBI_SUSP
	sbi SBI_BASE, SBI_BASE_PROBE
	bnez a1, 1f
	say "no SUSP\n"
	reset 0

	/* "Data received" */
1:	li t0, UART_BASE
	li t1, 1
	sb t1, UART_IER(t0)
	say "asleep\n"
	li a0, 0
	lla a1, resumed
	li a2, 0
	sbi SBI_SUSP, 0
	say "bad: came back from suspend by return\n"
	reset 0

resumed:
	say "resumed\n"
	reset 0

	uart_functions
