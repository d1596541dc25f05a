/* SPDX-License-Identifier: GPL-2.0-only */
/* Asks for a reset. */
#include "tests/guest/ppc/guest.inc"

	map_devices
	reboot
