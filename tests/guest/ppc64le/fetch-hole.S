/* SPDX-License-Identifier: GPL-2.0-only */
/* Jumps to a place where no RAM is: KVM tries the fetch for ever and says nothing. */
#include "tests/guest/ppc64le/guest.inc"

	lis 20, 0x7000 /* between RAM and the PCI window */
	mtctr 20
	bctr

	functions
