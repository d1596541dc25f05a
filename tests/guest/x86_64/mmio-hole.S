/* SPDX-License-Identifier: GPL-2.0-only */
/* Where no device is, reads give ones of every size and writes go nowhere. */
#include "tests/guest/x86_64/lib.h"

	.section .text.start, "ax"
	.globl	_start
_start:
	mov	$MMIO_HOLE, %ebx
	movb	$0x5a, (%rbx)
	movl	$0x5a5a5a5a, 4(%rbx)
	xor	%eax, %eax
	movb	(%rbx), %al
	cmp	$0xff, %eax
	jne	bad
	movl	4(%rbx), %eax
	cmp	$0xffffffff, %eax
	jne	bad
	movq	8(%rbx), %rax
	cmp	$-1, %rax
	jne	bad
	/* The same for ports. */
	mov	$0x1234, %dx
	out	%al, %dx
	xor	%eax, %eax
	in	%dx, %al
	cmp	$0xff, %eax
	jne	bad
	PRINT	good_text
	POWEROFF
bad:
	FAIL	bad_text

good_text: .asciz "holes read as ones\n"
bad_text:  .asciz "a hole does not read as ones\n"
