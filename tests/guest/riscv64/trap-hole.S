/* SPDX-License-Identifier: GPL-2.0-only */
/* Misses its trap handler: the illegal instruction goes to stvec = 0, where no RAM is. */
#include "tests/guest/riscv64/guest.inc"

	csrw stvec, zero
	.word 0
