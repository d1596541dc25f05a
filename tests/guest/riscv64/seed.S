/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads entropy from the seed CSR, which KVM forwards to lkvm where the guest has Zkr. */
#include "tests/guest/riscv64/guest.inc"

	lla t0, trapped
	csrw stvec, t0
	csrrw s0, 0x015, zero
	csrrw s1, 0x015, zero
	/* OPST: 2 is "16 bits of entropy", 1 "wait". */
	srli t5, s0, 30
	expect t5, 2, "OPST of the first"
	srli t5, s1, 30
	expect t5, 2, "OPST of the second"
	say "entropy\n"
	reset 0

	.balign 4
trapped:
	say "no seed\n"
	reset 0

	uart_functions
