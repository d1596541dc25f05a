/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An interrupt whose vector no TLB entry maps, nor that of the TLB miss which follows: spins inside
 * KVM.
 */
#include "tests/guest/ppc/guest.inc"

	map_devices
	say "trapping\n"
	lis r9, HOLE@h
	mtspr IVPR, r9
	li r9, 0x700
	mtspr IVOR(6), r9
	li r9, 0x100
	mtspr IVOR(14), r9
	trap

	uart_functions
