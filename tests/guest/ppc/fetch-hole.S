/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Jumps to where the TLB leads outside of RAM. KVM queues a machine check, which waits for MSR[ME]:
 * until then it enters the guest again and again.
 */
#include "tests/guest/ppc/guest.inc"

	map_devices
	map 2, HOLE, HOLE, TSIZE_4K, SX | SR
	say "jumping\n"
	li32 r9, HOLE
	mtctr r9
	bctr

	uart_functions
