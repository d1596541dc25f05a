/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Misses its trap handler: the illegal instruction goes to stvec = 0, where no RAM is. Where KVM hands the guest an
 * instruction access fault for that, it faults for ever.
 */
#include "tests/guest/riscv64/guest.inc"

	csrw stvec, zero
	.word 0
