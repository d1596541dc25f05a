/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RTAS argument blocks that can't be. lkvm refuses them; KVM, which looks at them first once it serves calls of its
 * own, takes them for the end of the guest.
 */
#include "tests/guest/ppc64le/guest.inc"

	rtas RTAS_DISPLAY_CHARACTER, 17, 1
	say "before\n"
	li 6, 0x1000
	rtas RTAS_INT_ON, 1, 1, 6
	rtas RTAS_DISPLAY_CHARACTER, 17, 1
	say "after\n"
	poweroff

	functions
