/* SPDX-License-Identifier: GPL-2.0-only */
/* Starts the watchdog timer, at its third expiry to reset the machine, and leaves it alone. */
#include "tests/guest/ppc/guest.inc"

/*
 * TCR (e500 Core manual): the period is the time in which timebase bit 63 - 38 toggles, 2^25
 * ticks.
 */
#define TCR_WP     (2 << 30)  /* 38 = 0b100110: its last two bits ... */
#define TCR_WPEXT  (9 << 17)  /* ... and the first four */
#define TCR_WRC    (3 << 28)  /* reset the machine */

	map_devices
	say "watchdog on\n"
	li32 r9, TCR_WP | TCR_WPEXT | TCR_WRC
	mtspr TCR, r9
1:	b 1b

	uart_functions
