/* SPDX-License-Identifier: GPL-2.0-only */
/* Idles, as a guest that waits for an interrupt does. The one of the decrementer only sets that anew. */
#include "tests/guest/ppc64le/guest.inc"

1:	hcall H_CEDE
	b 1b

	/* The decrementer interrupt, taken big-endian. */
	.org 0x900
	.long 0xff7fe03f /* lis r31,0x7fff */
	.long 0xa603f67f /* mtdec r31 */
	.long 0x2400004c /* rfid */

	functions
