/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtual timer's interrupt arrives through the GICv3 and wakes the CPU from WFI. */
#include "tests/guest/arm64/guest.inc"

#define TIMER_ID 27 /* PPI 11 */

	vectors interrupted
	ldr x20, =GIC_DIST_BASE
	mov w15, #0x12
	str w15, [x20]                     /* GICD_CTLR */
	ldr x21, =GIC_REDIST_BASE
	str wzr, [x21, #0x14]              /* GICR_WAKER */
	add x21, x21, #0x10000
	mov w15, #1 << TIMER_ID
	str w15, [x21, #0x80]              /* GICR_IGROUPR0 */
	str w15, [x21, #0x100]             /* GICR_ISENABLER0 */
	mov x15, #1
	msr S3_0_C12_C12_5, x15            /* ICC_SRE_EL1 */
	isb
	mov x15, #0xff
	msr S3_0_C4_C6_0, x15              /* ICC_PMR_EL1 */
	mov x15, #1
	msr S3_0_C12_C12_7, x15            /* ICC_IGRPEN1_EL1 */
	isb
	/* In a hundredth of a second. */
	mrs x15, cntfrq_el0
	mov x16, #100
	udiv x15, x15, x16
	msr cntv_tval_el0, x15
	mov x15, #1
	msr cntv_ctl_el0, x15
	msr daifclr, #2
1:	wfi
	b 1b

interrupted:
	mrs x15, S3_0_C12_C12_0            /* ICC_IAR1_EL1 */
	expect x15, TIMER_ID, "interrupt id"
	mrs x15, cntv_ctl_el0
	expect x15, 5, "CNTV_CTL_EL0"
	say "the timer's interrupt\n"
	poweroff

	uart_functions
