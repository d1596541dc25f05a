/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/guest/ppc64le/guest.inc"

1:	b 1b

	functions
