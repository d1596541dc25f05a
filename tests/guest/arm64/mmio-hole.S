/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads and stores where no device is: loads give ones, stores go nowhere, the guest goes on. No signed
 * loads: KVM extends them by what the CPU's syndrome says, and QEMU's has no word of the sign.
 */
#include "tests/guest/arm64/guest.inc"

	ldr x20, =0x0b000000
	ldrb w15, [x20]
	expect x15, 0xff, "byte"
	ldrh w15, [x20]
	expect x15, 0xffff, "halfword"
	ldr w15, [x20]
	expect x15, 0xffffffff, "word"
	ldr x15, [x20]
	expect x15, -1, "doubleword"
	strb wzr, [x20]
	strh wzr, [x20]
	str wzr, [x20]
	str xzr, [x20]
	ldr x15, [x20]
	expect x15, -1, "doubleword after stores"
	/* The last bytes below RAM, and the first ones of the address space. */
	ldr x20, =RAM_BASE - 8
	ldr x15, [x20]
	expect x15, -1, "doubleword below RAM"
	mov x20, #0
	ldr x15, [x20]
	expect x15, -1, "doubleword at 0"
	say "went on\n"
	poweroff

	uart_functions
