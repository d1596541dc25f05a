/* SPDX-License-Identifier: GPL-2.0-only */
/* The same as mmio-hole by hypervisor calls, for guests that have translation off. */
#include "tests/guest/ppc64le/guest.inc"

	lis 20, 0x7000 /* between RAM and the PCI window */
	li 4, 4
	mr 5, 20
	hcall H_LOGICAL_CI_LOAD
	expect 3, 0, "H_LOGICAL_CI_LOAD"
	extsw 4, 4
	expect 4, -1, "what it loads"
	li 4, 8
	mr 5, 20
	li 6, 0
	hcall H_LOGICAL_CI_STORE
	expect 3, 0, "H_LOGICAL_CI_STORE"
	li 4, 3
	mr 5, 20
	hcall H_LOGICAL_CI_LOAD
	expect 3, -4, "three bytes"
	say "went on\n"
	poweroff

	functions
