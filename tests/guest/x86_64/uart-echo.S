/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints what COM1 receives; '!' prints 4096 lines of 64 bytes, 'q' powers off. */
#include "tests/guest/x86_64/lib.h"

#define LSR_DR 0x01

	.section .text.start, "ax"
	.globl	_start
_start:
	PRINT	hello
next:	mov	$COM1_LSR, %dx
1:	in	%dx, %al
	test	$LSR_DR, %al
	jz	1b
	mov	$COM1, %dx
	in	%dx, %al
	cmp	$'q', %al
	je	off
	cmp	$'!', %al
	je	flood
	out	%al, %dx
	jmp	next

flood:	mov	$4096, %ebx
2:	mov	$COM1, %dx
	lea	line(%rip), %rsi
	mov	$64, %ecx
	rep	outsb
	dec	%ebx
	jnz	2b
	PRINT	done
	jmp	next

off:	POWEROFF

hello:	.asciz	"ready\n"
line:	.ascii	"012345678901234567890123456789012345678901234567890123456789...\n"
done:	.asciz	"flooded\n"
