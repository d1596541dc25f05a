/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes to the UART and powers off. */
#include "tests/guest/ppc/guest.inc"

	map_devices
	say "hello from the UART\n"
	power_off

	uart_functions
