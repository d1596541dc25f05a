/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two harts send each other MSIs through their IMSICs, each sleeping in wfi meanwhile: no message and no wake-up
 * may be lost in ROUNDS rounds. (RISC-V AIA 1.0 chapter 3)
 */
#include "tests/guest/riscv64/guest.inc"

#define ROUNDS        3000
#define IMSIC_BASE    0x20000000
#define IMSIC_STRIDE  0x1000
#define CSR_SISELECT  0x150
#define CSR_SIREG     0x151
#define CSR_STOPEI    0x15c
#define ISELECT_EIDELIVERY  0x70
#define ISELECT_EITHRESHOLD 0x72
#define ISELECT_EIE0        0xc0
#define SIE_SEIE      0x200

	.macro imsic_set reg, value
	li t0, \reg
	csrw CSR_SISELECT, t0
	li t0, \value
	csrw CSR_SIREG, t0
	.endm

	/* Identity 1 of this hart, enabled, delivered. */
	.macro imsic_on
	imsic_set ISELECT_EITHRESHOLD, 0
	imsic_set ISELECT_EIE0, 2
	imsic_set ISELECT_EIDELIVERY, 1
	li t0, SIE_SEIE
	csrs sie, t0
	.endm

	/* Sleeps until the message is there, and takes it. */
	.macro receive
5:	csrr t0, sip
	andi t0, t0, SIE_SEIE
	bnez t0, 6f
	wfi
	j 5b
6:	csrrw s3, CSR_STOPEI, zero
	srli s3, s3, 16
	expect s3, 1, "identity"
	.endm

	lla t0, trapped
	csrw stvec, t0
	imsic_on
	li a0, 1
	lla a1, second
	li a2, 0
	sbi SBI_HSM, 0
	expect a0, 0, "hart_start"
	/* Hart 1 says that it is ready. */
	receive
	li s0, ROUNDS
	li s1, IMSIC_BASE + IMSIC_STRIDE
	li s2, 1
1:	sw s2, (s1)
	receive
	addi s0, s0, -1
	bnez s0, 1b
	say "all well\n"
	reset 0

second:
	lla t0, trapped
	csrw stvec, t0
	imsic_on
	li s1, IMSIC_BASE
	li s2, 1
1:	sw s2, (s1)
	receive
	j 1b

	.balign 4
trapped:
	say "no IMSIC\n"
	reset 0

	uart_functions
