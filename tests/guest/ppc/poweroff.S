/* SPDX-License-Identifier: GPL-2.0-only */
/* Powers off. */
#include "tests/guest/ppc/guest.inc"

	map_devices
	power_off
