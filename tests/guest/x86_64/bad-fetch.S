/* SPDX-License-Identifier: GPL-2.0-only */
/* Jumps to where no memory is, with an interrupt table that could take any exception: status 121. */
#include "tests/guest/x86_64/lib.h"

	.section .text.start, "ax"
	.globl	_start
_start:
	mov	$MMIO_HOLE, %eax
	jmp	*%rax
