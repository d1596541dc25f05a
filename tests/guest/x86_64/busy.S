/* SPDX-License-Identifier: GPL-2.0-only */
/* Two thousand million instructions, then power-off. */
#include "tests/guest/x86_64/lib.h"

	.section .text.start, "ax"
	.globl	_start
_start:
	mov	$1000000000, %ecx
1:	dec	%ecx
	jnz	1b
	POWEROFF
