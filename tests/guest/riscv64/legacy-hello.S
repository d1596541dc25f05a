/* SPDX-License-Identifier: GPL-2.0-only */
/* The legacy console: what it gets, it puts; no input gives -1. a1 survives both calls. */
#include "tests/guest/riscv64/guest.inc"

	li a1, 0x1234
	li a0, 'A'
	sbi SBI_LEGACY_PUTCHAR, 0
	/* The host's kernel may be built without CONFIG_RISCV_SBI_V01. */
	li t0, -2
	bne a0, t0, 1f
	say "no legacy console\n"
	reset 0
1:	expect a0, 0, "putchar"
	expect a1, 0x1234, "a1 after putchar"
	li a0, 10
	sbi SBI_LEGACY_PUTCHAR, 0
	sbi SBI_LEGACY_GETCHAR, 0
	expect a0, -1, "getchar"
	say "all well\n"
	reset 0

	uart_functions
