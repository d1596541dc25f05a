/* SPDX-License-Identifier: GPL-2.0-only */
/* An endless loop. */
#include "tests/guest/ppc/guest.inc"

	b .
