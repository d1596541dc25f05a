/* SPDX-License-Identifier: GPL-2.0-only */
/* The same with MSR[ME] set: the guest takes its machine check. (KVM does not let it read MCSRR0.) */
#include "tests/guest/ppc/guest.inc"

	map_devices
	map 2, HOLE, HOLE, TSIZE_4K, SX | SR
	vector 1, machine_check
	li r9, MSR_ME
	mtmsr r9
	li32 r9, HOLE
	mtctr r9
	bctr

	.align 4
machine_check:
	say "machine check\n"
	power_off

	uart_functions
