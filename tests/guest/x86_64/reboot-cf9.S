/* SPDX-License-Identifier: GPL-2.0-only */
/* Resets through the chipset's register at port CF9, in two steps as its data sheets say: a reboot. */
#include "tests/guest/x86_64/lib.h"

	.section .text.start, "ax"
	.globl	_start
_start:
	mov	$0xcf9, %dx
	mov	$0x02, %al
	out	%al, %dx
	mov	$0x06, %al
	out	%al, %dx
	FAIL	bad_text

bad_text: .asciz "port CF9 does not reset\n"
