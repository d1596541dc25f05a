/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe guest (lkvm/probe.h) for arm64: entered at EL1 or EL2 with the MMU off. lkvm copies it to the
 * start of guest RAM, so it is position-independent.
 *
 * x19: the operation, x20: how many are left, x21: the script's head
 */
#include "guest/probe.h"

	.section .rodata.probe, "a"
	.globl probe_guest, probe_guest_end
	.balign 2048
probe_guest:
	b	start

	/* VBAR_EL1: synchronous exceptions of EL1 with its own stack go to offset 0x200. */
	.balign 2048
vectors:
	.space 0x200
	mrs	x1, esr_el1
	mov	x0, #-1
	adr	x2, result
	msr	elr_el1, x2
	eret

	.balign 128
start:	adr	x0, vectors
	msr	vbar_el1, x0
	isb
	adr	x21, probe_guest
	add	x21, x21, #PROBE_SCRIPT_OFFSET
	ldr	x20, [x21, #SCRIPT_NR]
	add	x19, x21, #PROBE_SCRIPT_BYTES

next:	cbz	x20, power_off
	mov	x1, #0
	ldr	x2, [x19, #OP_OP]
	ldr	x0, [x19, #OP_ARG0]
	cmp	x2, #PROBE_LOOP
	b.eq	loop
	cmp	x2, #PROBE_LOAD
	b.eq	load
	cmp	x2, #PROBE_INSN
	b.eq	insn
	mov	x0, #-1
	b	result

loop:	cbz	x0, success
1:	sub	x0, x0, #1
	cbnz	x0, 1b
	b	success

load:	ldr	x1, [x0]
	b	success

	/* The words of arg[0] are code: an instruction that works on x0, and a return. */
insn:	add	x3, x19, #OP_ARG0
	ldr	x0, [x19, #OP_ARG1]
	ic	iallu
	dsb	sy
	isb
	blr	x3
	isb
	mov	x1, x0
success:
	mov	x0, #0
result:	str	x0, [x19, #OP_RET0]
	str	x1, [x19, #OP_RET1]
	ldr	x2, [x21, #SCRIPT_DONE]
	add	x2, x2, #1
	str	x2, [x21, #SCRIPT_DONE]
	add	x19, x19, #OP_BYTES
	sub	x20, x20, #1
	b	next

power_off:
	mov	w0, #0x8
	movk	w0, #0x8400, lsl #16 /* PSCI SYSTEM_OFF */
	mrs	x1, CurrentEL
	tbnz	x1, #3, 1f /* at EL2 HVC is the guest's own */
	hvc	#0
1:	smc	#0
2:	wfi
	b	2b
probe_guest_end:

	.section .note.GNU-stack, "", %progbits
