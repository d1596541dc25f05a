/* SPDX-License-Identifier: GPL-2.0-only */
/* Jumps to a place where no RAM is, with vectors in RAM: the guest gets an abort and learns where. */
#include "tests/guest/arm64/guest.inc"

	vectors aborted
	ldr x20, =0x0b000000
	br x20

aborted:
	mrs x15, esr_el1
	lsr x16, x15, #26
	expect x16, 0x21, "exception class"
	mrs x15, far_el1
	expect x15, 0x0b000000, "fault address"
	say "caught\n"
	poweroff

	uart_functions
