/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Returns to a state that does not exist (EL3): the CPU sets PSTATE.IL, and the next instruction is an illegal
 * execution state exception of the guest's own. KVM sees nothing of it.
 */
#include "tests/guest/arm64/guest.inc"

	vectors caught
	mov x9, #0xd         /* EL3h */
	msr spsr_el1, x9
	adr x9, target
	msr elr_el1, x9
	isb
	eret
target:
	say "went on\n"
	poweroff

caught:
	mrs x15, esr_el1
	lsr x16, x15, #26
	expect x16, 0x0e, "exception class"
	mrs x15, elr_el1
	adr x16, target
	cmp x15, x16
	b.ne 9f
	say "illegal state\n"
	poweroff
9:	say "bad: elsewhere\n"
	poweroff

	uart_functions
