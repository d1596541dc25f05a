/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts instructions on PMC1 and PMC5 over a loop of 8 million of them; leaves the counters running and
 * powers off.
 */
#include "tests/guest/ppc64le/guest.inc"

#define PM_INST_CMPL 0x02
#define MMCR0_FC     0x8000 /* upper half */
#define MMCR0_CC56   0x0100

	lis 3, MMCR0_FC
	mtspr 795, 3 /* MMCR0 */
	lis 3, PM_INST_CMPL << 8
	mtspr 798, 3 /* MMCR1 */
	li 3, 0
	mtspr 787, 3 /* PMC1 */
	mtspr 791, 3 /* PMC5 */
	li 3, MMCR0_CC56
	mtspr 795, 3
	lis 3, 4000000@h
	ori 3, 3, 4000000@l
	mtctr 3
1:	nop
	bdnz 1b
	say "counted\n"
	poweroff

	functions
