/* SPDX-License-Identifier: GPL-2.0-only */
/* Says of each SBI extension whether the base extension knows it. */
#include "tests/guest/riscv64/guest.inc"

	/* Extension ids: SBI specification 3.0. */
	.macro probe name, eid
	li a0, \eid
	sbi SBI_BASE, SBI_BASE_PROBE
	bnez a0, 5f
	beqz a1, 5f
	say "\name yes\n"
	j 6f
5:	say "\name no\n"
6:
	.endm

	probe time, 0x54494d45
	probe ipi, 0x735049
	probe rfence, 0x52464e43
	probe srst, SBI_SRST
	probe hsm, SBI_HSM
	probe pmu, 0x504d55
	probe dbcn, SBI_DBCN
	probe sta, 0x535441
	probe susp, SBI_SUSP
	probe fwft, 0x46574654
	probe mpxy, SBI_MPXY
	say "all asked\n"
	reset 0

	uart_functions
