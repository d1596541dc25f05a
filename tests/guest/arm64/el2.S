/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hypervisor of a few lines: says what EL2 it found, goes down to EL1, and takes the call that comes from
 * there.
 */
#define PSCI_CONDUIT smc
#include "tests/guest/arm64/guest.inc"

#define HCR_EL2_RW  (1 << 31)
#define HCR_E2H_BIT 34
#define ESR_HVC64   0x5a000000 /* ESR_EL2: EC 0x16, IL; the call's number below */
#define SPSR_EL1H   0x3c5      /* all masked */

	mrs x15, CurrentEL
	cmp x15, #4
	b.ne 1f
	/* No SMC here. */
	say "at EL1\n"
	ldr w0, =PSCI_SYSTEM_OFF
	hvc #0
1:	expect x15, 8, "exception level"
	psci PSCI_VERSION
	lsr w15, w0, #16
	expect x15, 1, "PSCI version"
	mrs x15, hcr_el2
	tbz x15, #HCR_E2H_BIT, 2f
	say "at EL2 with VHE\n"
	b 3f
2:	say "at EL2 without VHE\n"

	/* A GICv3 that a hypervisor can use has list registers: ICH_VTR_EL2. */
3:	mrs x15, S3_4_C12_C11_1
	and x15, x15, #0x1f
	cbnz x15, 4f
	say "bad: a single list register\n"

4:	adr x15, el2_vectors
	msr vbar_el2, x15
	mrs x15, hcr_el2
	orr x15, x15, #HCR_EL2_RW
	msr hcr_el2, x15
	mov x15, #SPSR_EL1H
	msr spsr_el2, x15
	adr x15, at_el1
	msr elr_el2, x15
	isb
	eret

at_el1:
	mrs x15, CurrentEL
	expect x15, 4, "exception level below"
	hvc #0x123
	say "bad: the call came back\n"

called:
	mrs x15, esr_el2
	expect x15, ESR_HVC64 + 0x123, "ESR_EL2"
	say "called from EL1\n"
	poweroff

unexpected:
	say "bad: an exception\n"
	poweroff

	.balign 2048
el2_vectors:
	.rept 8 /* from EL2 itself */
	.balign 128
	b unexpected
	.endr
	.balign 128
	b called /* synchronous, from EL1 */
	.rept 7
	.balign 128
	b unexpected
	.endr

	uart_functions
