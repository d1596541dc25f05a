/* SPDX-License-Identifier: GPL-2.0-only */
/* Looks at what an ePAPR client is entered with (ePAPR 1.1, "Boot CPU Initial Register State"). */
#include "tests/guest/ppc/guest.inc"

	mr r20, r3
	mr r21, r4
	mr r22, r5
	mr r23, r6
	mr r24, r7
	mr r25, r8
	mr r26, r9
	mfmsr r27
	map_devices
	lwz r28, 0(r20)
	expect r28, 0xd00dfeed, "r3 is not the device tree"
	expect r21, 0, "r4"
	expect r22, 0, "r5"
	expect r23, 0x45504150, "r6"
	expect r24, 0x1000000, "r7 is not 16 MiB, the size of RAM"
	expect r25, 0, "r8"
	expect r26, 0, "r9"
	expect r27, 0, "MSR"
	say "entered as ePAPR says\n"
	power_off

	uart_functions
