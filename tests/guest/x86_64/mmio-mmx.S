/* SPDX-License-Identifier: GPL-2.0-only */
/* An MMX instruction on a place without memory: KVM's emulator does not know it. */
#include "tests/guest/x86_64/lib.h"

	.section .text.start, "ax"
	.globl	_start
_start:
	mov	$MMIO_HOLE, %ebx
	paddb	(%rbx), %mm0
	FAIL	text

text:	.asciz "went on\n"
