/* SPDX-License-Identifier: GPL-2.0-only */
/* Executes 50 million instructions and a few, and powers off. */
#include "tests/guest/arm64/guest.inc"

	ldr x0, =25000000
1:	sub x0, x0, #1
	cbnz x0, 1b
	say "done\n"
	poweroff

	uart_functions
