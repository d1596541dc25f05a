/* SPDX-License-Identifier: GPL-2.0-only */
/* Never does anything: for --timeout. */
#include "tests/guest/riscv64/guest.inc"

1:	wfi
	j 1b
