/* SPDX-License-Identifier: GPL-2.0-only */
/* An atomic on a place without memory, which KVM can't emulate: KVM_RUN fails, or the guest gets a trap. */
#include "tests/guest/riscv64/guest.inc"

	lla t0, trapped
	csrw stvec, t0
	li t0, 0x18000000
	li t1, 1
	amoadd.w t2, t1, (t0)
	say "went on\n"
	reset 0

	.balign 4
trapped:
	csrr s0, scause
	say "trapped\n"
	reset 0

	uart_functions
