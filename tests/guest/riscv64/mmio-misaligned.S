/* SPDX-License-Identifier: GPL-2.0-only */
/* Loads a word of device memory from an odd address: KVM_RUN fails with EIO, or the guest gets a trap. */
#include "tests/guest/riscv64/guest.inc"

	lla t0, trapped
	csrw stvec, t0
	li t0, UART_BASE + 1
	lw t1, (t0)
	say "loaded\n"
	reset 0

	.balign 4
trapped:
	say "trapped\n"
	reset 0

	uart_functions
