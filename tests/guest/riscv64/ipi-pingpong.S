/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two harts send each other SBI IPIs, each sleeping in wfi meanwhile: no IPI and no wake-up may be lost in ROUNDS
 * rounds.
 */
#include "tests/guest/riscv64/guest.inc"

#define ROUNDS   3000
#define SBI_IPI  0x735049
#define SIE_SSIE 0x2

	/* Hart mask in a register, base 0. */
	.macro send mask
	mv a0, \mask
	li a1, 0
	sbi SBI_IPI, 0
	expect a0, 0, "send_ipi"
	.endm

	.macro receive
5:	csrr t0, sip
	andi t0, t0, SIE_SSIE
	bnez t0, 6f
	wfi
	j 5b
6:	csrci sip, SIE_SSIE
	.endm

	csrsi sie, SIE_SSIE
	li a0, 1
	lla a1, second
	li a2, 0
	sbi SBI_HSM, 0
	expect a0, 0, "hart_start"
	receive
	li s0, ROUNDS
	li s2, 2
1:	send s2
	receive
	addi s0, s0, -1
	bnez s0, 1b
	say "all well\n"
	reset 0

second:
	csrsi sie, SIE_SSIE
	li s2, 1
1:	send s2
	receive
	j 1b

	uart_functions
