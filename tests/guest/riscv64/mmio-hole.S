/* SPDX-License-Identifier: GPL-2.0-only */
/* Loads and stores where no device is: loads give ones, stores go nowhere, the guest goes on. */
#include "tests/guest/riscv64/guest.inc"

	li s0, 0x18000000
	lbu t5, (s0)
	expect t5, 0xff, "byte"
	lhu t5, (s0)
	expect t5, 0xffff, "halfword"
	lwu t5, (s0)
	expect t5, 0xffffffff, "word"
	ld t5, (s0)
	expect t5, -1, "doubleword"
	sb zero, (s0)
	sh zero, (s0)
	sw zero, (s0)
	sd zero, (s0)
	ld t5, (s0)
	expect t5, -1, "doubleword after stores"
	/* The last bytes below RAM, and the first ones of the address space. */
	li s0, RAM_BASE - 8
	ld t5, (s0)
	expect t5, -1, "doubleword below RAM"
	ld t5, (zero)
	expect t5, -1, "doubleword at 0"
	say "went on\n"
	reset 0

	uart_functions
