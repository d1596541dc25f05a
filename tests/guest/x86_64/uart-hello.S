/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints a line on COM1 and powers off. */
#include "tests/guest/x86_64/lib.h"

	.section .text.start, "ax"
	.globl	_start
_start:
	PRINT	hello
	POWEROFF

hello:	.asciz	"hello from bare metal on x86_64\n"
