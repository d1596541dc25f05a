/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes to the UART and powers off. */
#include "tests/guest/riscv64/guest.inc"

	say "hello from the UART\n"
	reset 0

	uart_functions
