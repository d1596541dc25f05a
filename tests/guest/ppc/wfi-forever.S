/* SPDX-License-Identifier: GPL-2.0-only */
/* Waits for an interrupt that never comes. */
#include "tests/guest/ppc/guest.inc"

#define MSR_WE 0x40000

	lis r9, MSR_WE@h
1:	mtmsr r9
	isync
	b 1b
