/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls of extensions that nobody serves, as KVM forwards them to lkvm. */
#include "tests/guest/riscv64/guest.inc"

	li a0, 0x08000001
	sbi SBI_BASE, SBI_BASE_PROBE
	expect a0, 0, "probe of an experimental extension"
	expect a1, 0, "experimental extension exists"
	li a0, 0x09000001
	sbi SBI_BASE, SBI_BASE_PROBE
	expect a0, 0, "probe of a vendor extension"
	expect a1, 0, "vendor extension exists"
	sbi 0x08000001, 0
	expect a0, -2, "experimental call"
	sbi 0x09000001, 5
	expect a0, -2, "vendor call"
	sbi SBI_MPXY, 0
	expect a0, -2, "MPXY call"
	sbi 0x12345678, 0
	expect a0, -2, "unknown call"
	say "all well\n"
	reset 0

	uart_functions
