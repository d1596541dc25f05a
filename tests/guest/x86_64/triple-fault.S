/* SPDX-License-Identifier: GPL-2.0-only */
/* An exception without an interrupt table: triple fault, status 121. rbx says in the report that it is us. */
#include "tests/guest/x86_64/lib.h"

	.section .text.start, "ax"
	.globl	_start
_start:
	mov	$0x7219e0fa, %ebx
	ud2
