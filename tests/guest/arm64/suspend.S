/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Suspends the system through PSCI until the UART has an interrupt: with UART_IER_BITS = 2 ("transmitter
 * empty") it is there at once, with 1 ("data received") when something is typed. GICv3.
 */
#ifndef UART_IER_BITS
#define UART_IER_BITS 2
#endif
#include "tests/guest/arm64/guest.inc"

	ldr w1, =PSCI_SYSTEM_SUSPEND
	psci PSCI_FEATURES
	cmn w0, #1
	b.ne 1f
	say "no suspend\n"
	poweroff

	/* The distributor: affinity routing and group 1 on; the UART's SPI in group 1, on, to CPU 0. */
1:	ldr x20, =GIC_DIST_BASE
	mov w15, #0x12
	str w15, [x20]                     /* GICD_CTLR */
	mov w15, #1 << (UART_ID - 32)
	str w15, [x20, #0x84]              /* GICD_IGROUPR1 */
	str w15, [x20, #0x104]             /* GICD_ISENABLER1 */
	/* The redistributor awakes; the CPU interface takes group 1 of any priority. */
	ldr x21, =GIC_REDIST_BASE
	str wzr, [x21, #0x14]              /* GICR_WAKER */
	mov x15, #1
	msr S3_0_C12_C12_5, x15            /* ICC_SRE_EL1 */
	isb
	mov x15, #0xff
	msr S3_0_C4_C6_0, x15              /* ICC_PMR_EL1 */
	mov x15, #1
	msr S3_0_C12_C12_7, x15            /* ICC_IGRPEN1_EL1 */
	isb

	/* An entry point that is not in RAM. */
	mov x1, #0
	mov x2, #0
	psci PSCI_SYSTEM_SUSPEND
	expect x0, -9, "bad entry point"

	say "asleep\n"
	ldr x20, =UART_BASE
	mov w15, #UART_IER_BITS
	strb w15, [x20, #UART_IER]
	adr x1, resumed
	ldr x2, =0x1234
	psci PSCI_SYSTEM_SUSPEND
	say "bad: came back from suspend by return\n"
	poweroff

resumed:
	mov x20, x0
	expect x20, 0x1234, "context"
	mrs x15, CurrentEL
	expect x15, 4, "exception level"
	say "resumed\n"
	poweroff

	uart_functions
