/* SPDX-License-Identifier: GPL-2.0-only */
/* Powers off at once: status 0. */
#include "tests/guest/x86_64/lib.h"

	.section .text.start, "ax"
	.globl	_start
_start:
	POWEROFF
