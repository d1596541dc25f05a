/* SPDX-License-Identifier: GPL-2.0-only */
/* Starts hart 1 through SBI HSM; that one powers off. */
#include "tests/guest/riscv64/guest.inc"

	li a0, 1
	lla a1, second
	li a2, 0x5a5a
	sbi SBI_HSM, 0
	expect a0, 0, "hart_start"
1:	wfi
	j 1b

second:
	expect a0, 1, "hart id"
	expect a1, 0x5a5a, "opaque"
	say "hello from hart 1\n"
	reset 0

	uart_functions
