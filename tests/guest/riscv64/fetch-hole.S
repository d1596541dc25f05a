/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Jumps to a place where no RAM is. KVM_RUN fails with EOPNOTSUPP there, or (newer kernels) the guest gets an
 * instruction access fault.
 */
#include "tests/guest/riscv64/guest.inc"

	lla t0, trapped
	csrw stvec, t0
	li t0, 0x70000000
	jr t0

	.balign 4
trapped:
	csrr s0, scause
	expect s0, 1, "scause"
	csrr s0, sepc
	expect s0, 0x70000000, "sepc"
	say "instruction access fault\n"
	reset 0

	uart_functions
