/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe guest (lkvm/probe.h) for pseries: entered in real mode and big-endian. lkvm copies it to address 0, so
 * that the interrupt vectors are its own.
 *
 * r31: the operation, r30: how many are left, r29: the script's head
 */
#include "guest/probe.h"

/* LoPAR 14.5.4: hypervisor calls. */
#define H_SET_MODE          0x31c
#define H_SET_MODE_LE       1 /* of interrupts */
#define H_SET_MODE_RESOURCE 4
#define KVMPPC_H_RTAS       0xf000
#define MSR_LE              1

	.section .rodata.probe, "a"
	.globl probe_guest, probe_guest_end
	.balign 256
	.set	base, .
probe_guest:
	/* Big-endian, whatever the assembler makes: asks for little-endian interrupts and goes on so itself. */
	.byte	0x38, 0x60, H_SET_MODE >> 8, H_SET_MODE & 0xff /* li    r3, H_SET_MODE */
	.byte	0x38, 0x80, 0, H_SET_MODE_LE                   /* li    r4, 1 */
	.byte	0x38, 0xa0, 0, H_SET_MODE_RESOURCE             /* li    r5, 4 */
	.byte	0x38, 0xc0, 0, 0                               /* li    r6, 0 */
	.byte	0x38, 0xe0, 0, 0                               /* li    r7, 0 */
	.byte	0x44, 0, 0, 0x22                               /* sc    1 */
	.byte	0x7c, 0x60, 0, 0xa6                            /* mfmsr r3 */
	.byte	0x60, 0x63, 0, MSR_LE                          /* ori   r3, r3, MSR_LE */
	.byte	0x7c, 0x7b, 0x03, 0xa6                         /* mtsrr1 r3 */
	.byte	0x38, 0x60, 0, 0x40                            /* li    r3, start */
	.byte	0x7c, 0x7a, 0x03, 0xa6                         /* mtsrr0 r3 */
	.byte	0x4c, 0, 0, 0x24                               /* rfid */
	.space	base + 0x40 - .

start:	li	29, PROBE_SCRIPT_OFFSET
	ld	30, SCRIPT_NR(29)
	addi	31, 29, PROBE_SCRIPT_BYTES
	b	next

	/* What an interrupt says of itself: the address that it goes to. */
	.macro	vectors first:vararg
	.irp	vector, \first
	.space	base + \vector - .
	li	4, \vector
	li	3, -1
	b	result
	.endr
	.endm
	vectors	0x100, 0x200, 0x300, 0x380, 0x400, 0x480, 0x600, 0x700, 0x800

	/* From here to 0xc00 are those of interrupts that MSR[EE] keeps away. */
	.space	base + 0x900 - .
next:	cmpdi	30, 0
	beq	power_off
	ld	5, OP_OP(31)
	ld	3, OP_ARG0(31)
	li	4, 0
	cmpdi	5, PROBE_LOOP
	beq	loop
	cmpdi	5, PROBE_LOAD
	beq	load
	cmpdi	5, PROBE_INSN
	beq	insn
	li	3, -1
	b	result

loop:	cmpdi	3, 0
	beq	success
	mtctr	3
1:	nop
	bdnz	1b
	b	success

load:	ld	4, 0(3)
	b	success

	/* The words of arg[0] are code: an instruction that works on r3, and a return. */
insn:	addi	5, 31, OP_ARG0
	ld	3, OP_ARG1(31)
	dcbst	0, 5
	sync
	icbi	0, 5
	isync
	mtctr	5
	bctrl
	mr	4, 3
success:
	li	3, 0
result:	std	3, OP_RET0(31)
	std	4, OP_RET1(31)
	ld	5, SCRIPT_DONE(29)
	addi	5, 5, 1
	std	5, SCRIPT_DONE(29)
	addi	31, 31, OP_BYTES
	addi	30, 30, -1
	b	next

power_off:
	lis	3, 0
	ori	3, 3, KVMPPC_H_RTAS
	li	4, rtas_args - base
	sc	1
1:	b	1b

	/* The argument block of RTAS is big-endian for everybody: token, one argument, one result. */
	.balign	8
rtas_args:
	.byte	0, 0, PROBE_RTAS_POWER_OFF >> 8, PROBE_RTAS_POWER_OFF & 0xff, 0, 0, 0, 2, 0, 0, 0, 1
	.byte	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0

	vectors	0xc00, 0xd00, 0xe40, 0xf20, 0xf40, 0xf60
probe_guest_end:

	.section .note.GNU-stack, "", %progbits
