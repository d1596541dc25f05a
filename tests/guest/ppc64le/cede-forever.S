/* SPDX-License-Identifier: GPL-2.0-only */
/* Idles, as a guest that waits for an interrupt does. */
#include "tests/guest/ppc64le/guest.inc"

1:	hcall H_CEDE
	b 1b

	functions
