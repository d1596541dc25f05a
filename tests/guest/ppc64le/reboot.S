/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/guest/ppc64le/guest.inc"

	rtas RTAS_SYSTEM_REBOOT, 0, 1
1:	b 1b

	functions
