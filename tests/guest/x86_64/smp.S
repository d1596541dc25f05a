/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Starts the second CPU by INIT and start-up IPI. It comes up in real mode at 0x8000 and shows that it runs, and
 * that its APIC id is 1.
 */
#include "tests/guest/x86_64/lib.h"

#define AP_START 0x8000
#define FLAG     0x7000 /* written by the second CPU */

	.section .text.start, "ax"
	.globl	_start
_start:
	/* The code for the second CPU goes below 1 MiB. */
	lea	ap(%rip), %rsi
	mov	$AP_START, %edi
	mov	$(ap_end - ap), %ecx
	rep movsb
	movl	$0, FLAG

	mov	$LAPIC, %ebx
	movl	$0x1ff, LAPIC_SVR(%rbx)		/* software enable */
	movl	$(1 << 24), LAPIC_ICR_HIGH(%rbx)	/* to APIC id 1 */
	movl	$0x4500, LAPIC_ICR_LOW(%rbx)	/* INIT, assert */
	mov	$1000, %ecx
1:	pause
	loop	1b
	movl	$(1 << 24), LAPIC_ICR_HIGH(%rbx)
	movl	$(0x4600 | AP_START >> 12), LAPIC_ICR_LOW(%rbx)

	/* For a long time: the second CPU's thread may have to share this one's processor. */
2:	pause
	movl	FLAG, %eax
	test	%eax, %eax
	jz	2b
	cmp	$0x0101, %eax
	jne	bad
	PRINT	good_text
	POWEROFF
bad:
	FAIL	bad_text

	.code16
ap:
	mov	$1, %eax
	cpuid
	shr	$24, %ebx			/* initial APIC id */
	shl	$8, %ebx
	or	$1, %bl
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ebx, FLAG
1:	cli
	hlt
	jmp	1b
ap_end:
	.code64

good_text: .asciz "two CPUs run\n"
bad_text:  .asciz "the second CPU has a wrong APIC id\n"
