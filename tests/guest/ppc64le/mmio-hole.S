/* SPDX-License-Identifier: GPL-2.0-only */
/* Loads and stores where no device is: loads give ones, stores go nowhere, the guest goes on. */
#include "tests/guest/ppc64le/guest.inc"

	lis 20, 0x7000 /* between RAM and the PCI window */
	lbz 15, 0(20)
	expect 15, 0xff, "byte"
	lhz 15, 0(20)
	xori 15, 15, 0xffff
	expect 15, 0, "halfword"
	lwa 15, 0(20)
	expect 15, -1, "word"
	ld 15, 0(20)
	expect 15, -1, "doubleword"
	li 16, 0
	stb 16, 0(20)
	sth 16, 0(20)
	stw 16, 0(20)
	std 16, 0(20)
	ld 15, 0(20)
	expect 15, -1, "doubleword after stores"
	say "went on\n"
	poweroff

	functions
