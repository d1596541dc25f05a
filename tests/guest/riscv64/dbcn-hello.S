/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes through the debug console, and gets an error for each buffer that is not RAM. */
#include "tests/guest/riscv64/guest.inc"

#define TEXT_BYTES 15

	li a0, SBI_DBCN
	sbi SBI_BASE, SBI_BASE_PROBE
	expect a0, 0, "probe"
	bnez a1, 1f
	say "no DBCN\n"
	reset 0

	/* console_write */
1:	li a0, TEXT_BYTES
	lla a1, text
	li a2, 0
	sbi SBI_DBCN, 0
	expect a0, 0, "write"
	expect a1, TEXT_BYTES, "length written"
	/* console_write_byte: only the low byte counts */
	li a0, 0xffffff21 /* '!' */
	sbi SBI_DBCN, 2
	expect a0, 0, "write_byte"
	li a0, 10
	sbi SBI_DBCN, 2

	/* Nothing to write is no error. */
	li a0, 0
	lla a1, text
	li a2, 0
	sbi SBI_DBCN, 0
	expect a0, 0, "empty write"
	expect a1, 0, "empty length"

	/* Below RAM. */
	li a0, 8
	li a1, RAM_BASE - 4
	li a2, 0
	sbi SBI_DBCN, 0
	expect a0, -3, "below RAM"
	/* Starts in RAM, ends beyond it. */
	li a0, 1 << 40
	lla a1, text
	li a2, 0
	sbi SBI_DBCN, 0
	expect a0, -3, "beyond RAM"
	/* Wraps around. */
	li a0, -1
	lla a1, text
	li a2, 0
	sbi SBI_DBCN, 0
	expect a0, -3, "wraps"
	/* Bits 64 and up of the address. */
	li a0, 4
	lla a1, text
	li a2, 1
	sbi SBI_DBCN, 0
	expect a0, -3, "high half"
	/* The same for reads, and nothing was typed. */
	li a0, 8
	li a1, 0
	li a2, 0
	sbi SBI_DBCN, 1
	expect a0, -3, "read to nowhere"
	li a0, 8
	lla a1, buffer
	li a2, 0
	sbi SBI_DBCN, 1
	expect a0, 0, "read"
	expect a1, 0, "length read"
	/* No such function. */
	sbi SBI_DBCN, 99
	expect a0, -2, "function 99"
	say "all well\n"
	reset 0

	uart_functions

	.section .rodata
text:	.ascii "hello from DBCN"
	.bss
buffer:	.space 8
