/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Illegal instructions in supervisor mode: KVM tells user space of them and gives the guest its
 * program interrupt. The handler here steps over them and counts.
 */
#include "tests/guest/ppc/guest.inc"

#define ESR_PIL 0x08000000

	map_devices
	vector 6, program_interrupt
	li r20, 0
	.globl first
first:
	.long 0x7c0006ff         /* no instruction */
	cmpwi r20, 1
	bne bad
	say "one\n"
	/* An SPR that does not exist. */
	mfspr r21, 999
	cmpwi r20, 2
	bne bad
	say "two\n"
	/* One place again and again, with other work in between. */
	li r22, 100
again:
	mtspr 999, r22
	subic. r22, r22, 1
	bne again
	cmpwi r20, 102
	bne bad
	say "a hundred more\n"
	power_off

bad:
	say "bad: the handler did not run\n"
	power_off

	.align 4
program_interrupt:
	mfspr r9, ESR
	andis. r9, r9, ESR_PIL@h
	beq bad
	addi r20, r20, 1
	mfspr r9, SRR0
	addi r9, r9, 4
	mtspr SRR0, r9
	rfi

	uart_functions
