/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe guest (lkvm/probe.h) for x86-64: entered in 64-bit mode, memory mapped one to one,
 * interrupts off. lkvm copies it to 1 MiB; it is position-independent.
 *
 * r12: the operation, r13: how many are left, r14: the script's head
 */
#include "guest/probe.h"

#define SLEEP_CONTROL 0x600 /* x86/layout.h; 0x34: sleep state S5 */
#define SLEEP_S5      0x34
#define STACK_TOP     0x90000
#define IDT_BASE      0x80000
#define GP_VECTOR     13
#define GATE_BYTES    16
#define GATE_PRESENT  0x8e00 /* present, ring 0, interrupt gate */

	.section .rodata.probe, "a"
	.globl probe_guest, probe_guest_end
	.balign 16
probe_guest:
	mov	$STACK_TOP, %esp
	/* One gate: general protection, which MSRs that are not there raise. */
	lea	fault(%rip), %rax
	mov	$(IDT_BASE + GP_VECTOR * GATE_BYTES), %ebx
	mov	%ax, (%rbx)
	mov	%cs, %ecx
	mov	%cx, 2(%rbx)
	movw	$GATE_PRESENT, 4(%rbx)
	shr	$16, %rax
	mov	%ax, 6(%rbx)
	movq	$0, 8(%rbx) /* below 4 GiB */
	sub	$16, %rsp
	movw	$(32 * GATE_BYTES - 1), (%rsp)
	movq	$IDT_BASE, 2(%rsp)
	lidt	(%rsp)
	add	$16, %rsp

	lea	probe_guest(%rip), %r14
	add	$PROBE_SCRIPT_OFFSET, %r14
	mov	SCRIPT_NR(%r14), %r13
	lea	PROBE_SCRIPT_BYTES(%r14), %r12

next:	test	%r13, %r13
	jz	power_off
	xor	%r9, %r9
	mov	OP_OP(%r12), %rax
	mov	OP_ARG0(%r12), %rcx
	cmp	$PROBE_LOOP, %rax
	je	count
	cmp	$PROBE_LOAD, %rax
	je	load
	cmp	$PROBE_CPUID, %rax
	je	leaf
	cmp	$PROBE_RDMSR, %rax
	je	read
	cmp	$PROBE_WRMSR, %rax
	je	write
	mov	$-1, %r8
	jmp	result

count:	test	%rcx, %rcx
	jz	success
1:	dec	%rcx
	jnz	1b
	jmp	success

load:	mov	(%rcx), %r9
	jmp	success

leaf:	mov	%ecx, %eax
	mov	OP_ARG1(%r12), %rcx
	cpuid
	shl	$32, %rbx
	mov	%eax, %r8d
	or	%rbx, %r8
	shl	$32, %rdx
	mov	%ecx, %r9d
	or	%rdx, %r9
	jmp	result

read:	rdmsr
	shl	$32, %rdx
	mov	%eax, %r9d
	or	%rdx, %r9
	jmp	success

write:	mov	OP_ARG1(%r12), %rax
	mov	%rax, %rdx
	shr	$32, %rdx
	wrmsr
success:
	xor	%r8, %r8
result:	mov	%r8, OP_RET0(%r12)
	mov	%r9, OP_RET1(%r12)
	incq	SCRIPT_DONE(%r14)
	add	$OP_BYTES, %r12
	dec	%r13
	jmp	next

	/* An operation faulted: that is its result. Nothing on the stack is needed again. */
fault:	mov	$STACK_TOP, %esp
	mov	$-1, %r8
	mov	$GP_VECTOR, %r9d
	jmp	result

power_off:
	mov	$SLEEP_CONTROL, %dx
	mov	$SLEEP_S5, %al
	out	%al, %dx
1:	hlt
	jmp	1b
probe_guest_end:

	.section .note.GNU-stack, "", @progbits
