/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes to the UART and powers off. */
#include "tests/guest/arm64/guest.inc"

	say "hello from the UART\n"
	poweroff

	uart_functions
