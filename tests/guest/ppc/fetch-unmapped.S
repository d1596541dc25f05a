/* SPDX-License-Identifier: GPL-2.0-only */
/* Jumps to where no TLB entry is: the guest's TLB miss handler sees it. */
#include "tests/guest/ppc/guest.inc"

	map_devices
	vector 14, tlb_miss
	li32 r9, HOLE
	mtctr r9
	bctr

	.align 4
tlb_miss:
	mfspr r20, SRR0
	expect r20, HOLE, "SRR0"
	say "instruction TLB miss\n"
	power_off

	uart_functions
