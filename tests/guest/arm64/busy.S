/* SPDX-License-Identifier: GPL-2.0-only */
/* Two thousand million instructions, then power-off. */
#include "tests/guest/arm64/guest.inc"

	ldr x0, =1000000000
1:	sub x0, x0, #1
	cbnz x0, 1b
	poweroff

	uart_functions
