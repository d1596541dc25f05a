/* SPDX-License-Identifier: GPL-2.0-only */
/* Performance monitor registers (e500 Core Family Reference Manual, "Performance Monitor Registers"): a guest has none. */
#include "tests/guest/ppc/guest.inc"

#define PMR_PMC0   16
#define PMR_PMLCA0 144
#define PMR_PMGC0  400
#define PMR_UPMC0  0 /* as user programs read it */

	map_devices
	vector 6, program_interrupt
	li r20, 0
	mfpmr r21, PMR_PMGC0
	mfpmr r21, PMR_PMC0
	mfpmr r21, PMR_PMLCA0
	mfpmr r21, PMR_UPMC0
	cmpwi r20, 4
	bne bad
	mtpmr PMR_PMGC0, r21
	cmpwi r20, 5
	bne bad
	say "no performance monitor\n"
	power_off

bad:
	say "bad: a register is there\n"
	power_off

	.align 4
program_interrupt:
	addi r20, r20, 1
	mfspr r9, SRR0
	addi r9, r9, 4
	mtspr SRR0, r9
	rfi

	uart_functions
