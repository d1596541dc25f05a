/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses to places without memory by instructions that the CPU does not describe to KVM: each ends in an
 * external abort in the guest, which goes on behind it.
 */
#include "tests/guest/arm64/guest.inc"

	vectors aborted
	ldr x20, =0x0b000000
	mov x21, #0           /* aborts so far */
	ldp x15, x16, [x20]
	stp x15, x16, [x20]
	ldr x15, [x20], #8    /* write-back */
	expect x21, 3, "number of aborts"
	say "3 aborts\n"
	poweroff

aborted:
	mrs x15, esr_el1
	/* EC 0x25, a data abort of the same EL; the fault status code 0x10 is an external abort. */
	lsr x16, x15, #26
	expect x16, 0x25, "exception class"
	and x16, x15, #0x3f
	expect x16, 0x10, "fault status"
	add x21, x21, #1
	mrs x15, elr_el1
	add x15, x15, #4
	msr elr_el1, x15
	eret

	uart_functions
