/* SPDX-License-Identifier: GPL-2.0-only */
/* Resets through the keyboard controller: a reboot. */
#include "tests/guest/x86_64/lib.h"

	.section .text.start, "ax"
	.globl	_start
_start:
	mov	$I8042_RESET, %al
	out	%al, $I8042_COMMAND
1:	hlt
	jmp	1b
