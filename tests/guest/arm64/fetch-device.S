/* SPDX-License-Identifier: GPL-2.0-only */
/* Jumps into PCI's configuration space; the exception vectors are there, too. It aborts for ever. */
#include "tests/guest/arm64/guest.inc"

	ldr x15, =PCI_ECAM_BASE
	msr vbar_el1, x15
	isb
	blr x15
