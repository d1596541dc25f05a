/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Jumps to a place where no RAM is. KVM gives the guest its abort and says nothing; as the vectors (at 0)
 * are not in RAM either, that goes on for ever at VBAR_EL1 + 0x200.
 */
#include "tests/guest/arm64/guest.inc"

	msr vbar_el1, xzr
	isb
	ldr x15, =0x0b000000
	br x15
