/* SPDX-License-Identifier: GPL-2.0-only */
/* RTAS argument blocks that can't be: KVM, which looks at them first, takes them for the end of the guest. */
#include "tests/guest/ppc64le/guest.inc"

	say "before\n"
	rtas RTAS_DISPLAY_CHARACTER, 17, 1
	say "after\n"
	poweroff

	functions
