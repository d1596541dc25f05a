/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads AIA's stopei twice, which KVM leaves to lkvm where the host has AIA and the guest has none. */
#include "tests/guest/riscv64/guest.inc"

	lla t0, trapped
	csrw stvec, t0
	csrr s0, 0x15c
	expect s0, 0, "stopei"
	csrr s0, 0x15c
	expect s0, 0, "stopei again"
	say "all well\n"
	reset 0

	.balign 4
trapped:
	say "no AIA here\n"
	reset 0

	uart_functions
