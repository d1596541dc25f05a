/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts cycles and, on event counter 0, cycles again, over a loop; leaves the counters running and powers off. */
#include "tests/guest/arm64/guest.inc"

#define CPU_CYCLES 0x11
#define PMCR_E     1
#define PMCR_LC    (1 << 6)

	mrs x0, id_aa64dfr0_el1
	ubfx x0, x0, #8, #4
	cbnz x0, 1f
	say "no PMU\n"
	poweroff
1:	mov x0, #CPU_CYCLES
	msr pmevtyper0_el0, x0
	msr pmccntr_el0, xzr
	msr pmevcntr0_el0, xzr
	mov x0, #(PMCR_E | PMCR_LC)
	msr pmcr_el0, x0
	mov x0, #1
	movk x0, #0x8000, lsl #16
	msr pmcntenset_el0, x0
	isb
	mov x0, #0
	movk x0, #0x40, lsl #16
2:	sub x0, x0, #1
	cbnz x0, 2b
	say "counted\n"
	poweroff

	uart_functions
