/* SPDX-License-Identifier: GPL-2.0-only */
/* Echoes what is typed until a newline. */
#include "tests/guest/ppc64le/guest.inc"

	say "ready\n"
1:	lis 4, VTY@h
	ori 4, 4, VTY@l
	hcall H_GET_TERM_CHAR
	cmpdi 4, 0
	beq 1b
	/* Where the last character of those in r5 and r6 is. Up to 8 of them are looked at. */
	mr 16, 4
	mr 17, 5
	mr 18, 6
	mr 7, 18
	mr 6, 17
	mr 5, 16
	lis 4, VTY@h
	ori 4, 4, VTY@l
	hcall H_PUT_TERM_CHAR
	cmpdi 16, 8
	bgt 2f
	li 19, 8
	sub 19, 19, 16
	sldi 19, 19, 3
	srd 17, 17, 19
	clrldi 17, 17, 56
	cmpdi 17, 10
	bne 1b
	poweroff
2:	li 19, 16
	sub 19, 19, 16
	sldi 19, 19, 3
	srd 18, 18, 19
	clrldi 18, 18, 56
	cmpdi 18, 10
	bne 1b
	poweroff

	functions
