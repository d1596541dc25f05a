/* SPDX-License-Identifier: GPL-2.0-only */
/* Suspends the system. An interrupt of the UART that is already there ends that at once. */
#include "tests/guest/riscv64/guest.inc"

	li a0, SBI_SUSP
	sbi SBI_BASE, SBI_BASE_PROBE
	bnez a1, 1f
	say "no SUSP\n"
	reset 0

	/* A sleep type that does not exist. */
1:	li a0, 0x7fff0000
	lla a1, resumed
	li a2, 0
	sbi SBI_SUSP, 0
	expect a0, -3, "sleep type"
	/* "Transmitter empty" raises the line as soon as it is enabled. */
	li t0, UART_BASE
	li t1, 2
	sb t1, UART_IER(t0)
	li a0, 0
	lla a1, resumed
	li a2, 0x1234
	sbi SBI_SUSP, 0
	say "bad: came back from suspend by return\n"
	reset 0

resumed:
	expect a0, 0, "hart id"
	expect a1, 0x1234, "opaque"
	say "resumed\n"
	reset 0

	uart_functions
