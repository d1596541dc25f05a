/* SPDX-License-Identifier: GPL-2.0-only */
/* A kernel that panics says so by RTAS, and then reboots. */
#include "tests/guest/ppc64le/guest.inc"

	li 6, text@l
	rtas RTAS_OS_TERM, 1, 1, 6
	expect 3, 0, "ibm,os-term"
	rtas RTAS_SYSTEM_REBOOT, 0, 1
1:	b 1b

	.pushsection .rodata
text:	.asciz "out of cheese"
	.popsection

	functions
