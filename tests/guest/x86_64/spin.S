/* SPDX-License-Identifier: GPL-2.0-only */
/* An endless loop, as a halted kernel's that keeps its CPU cool. */
#include "tests/guest/x86_64/lib.h"

	.section .text.start, "ax"
	.globl	_start
_start:
	pause
	jmp	_start
