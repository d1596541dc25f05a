/* SPDX-License-Identifier: GPL-2.0-only */
/* Never does anything: for --timeout. */
#include "tests/guest/arm64/guest.inc"

1:	wfi
	b 1b
