/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest finds when it is entered, the vterm's calls, and those that nobody serves. */
#include "tests/guest/ppc64le/guest.inc"

	/* r3: a device tree, by its magic number; r5 = 0: no Open Firmware. */
	mr 20, 3
	expect 5, 0, "r5"
	lwbrx 15, 0, 20
	lis 16, 0xd00d
	ori 16, 16, 0xfeed
	xor 15, 15, 16
	clrldi 15, 15, 32
	expect 15, 0, "magic of the device tree"
	mfmsr 15
	andi. 15, 15, 0x30 /* IR, DR */
	expect 15, 0, "translation is on"

	/* Sixteen characters in one call. */
	lis 4, VTY@h
	ori 4, 4, VTY@l
	li 5, 16
	li 16, text@l
	li 17, 8
	ldbrx 6, 0, 16
	ldbrx 7, 16, 17
	hcall H_PUT_TERM_CHAR
	expect 3, 0, "H_PUT_TERM_CHAR"
	/* More than fit, and another terminal. */
	lis 4, VTY@h
	li 5, 17
	hcall H_PUT_TERM_CHAR
	expect 3, -4, "17 characters"
	li 4, 1
	li 5, 1
	hcall H_PUT_TERM_CHAR
	expect 3, -4, "terminal 1"
	/* Nothing has been typed. */
	lis 4, VTY@h
	hcall H_GET_TERM_CHAR
	expect 3, 0, "H_GET_TERM_CHAR"
	expect 4, 0, "characters without input"

	/* Not one of LoPAR's, and one of them that is for other machines: H_FUNCTION, and the guest goes on. */
	hcall 0x7ff8
	expect 3, -2, "unknown call"
	hcall 0x104
	expect 3, -2, "H_VIO_SIGNAL"
	li 6, 33 /* '!' */
	rtas RTAS_DISPLAY_CHARACTER, 1, 1, 6
	expect 3, 0, "display-character"
	li 6, 0
	rtas 0x2fff, 1, 1, 6
	expect 3, -3, "unknown RTAS service"
	rtas RTAS_GET_TIME_OF_DAY, 0, 8
	expect 3, 0, "get-time-of-day"
	li 4, (rtas_block + 16)@l
	lwbrx 15, 0, 4
	li 16, 2024
	cmplw 15, 16
	bge 1f
	say "bad: the year\n"
1:	say " all well\n"
	poweroff

	.pushsection .rodata
text:	.ascii "hello from vterm"
	.popsection

	functions
