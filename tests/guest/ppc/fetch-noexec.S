/* SPDX-License-Identifier: GPL-2.0-only */
/* Jumps to RAM that is mapped without the right to execute: an instruction storage interrupt. */
#include "tests/guest/ppc/guest.inc"

	map_devices
	map 2, HOLE, 0x1000, TSIZE_4K, SR | SW
	vector 3, instruction_storage
	li32 r9, HOLE
	mtctr r9
	bctr

	.align 4
instruction_storage:
	mfspr r20, SRR0
	expect r20, HOLE, "SRR0"
	say "instruction storage interrupt\n"
	power_off

	uart_functions
