/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest finds when it is entered (Linux Documentation/arch/arm64/booting.rst). */
#include "tests/guest/arm64/guest.inc"

	mov x20, x0
	mov x21, x1
	mov x22, x2
	mov x23, x3
	expect x21, 0, "x1"
	expect x22, 0, "x2"
	expect x23, 0, "x3"
	/* x0: a device tree, by its big-endian magic number, at a multiple of 8. */
	and x15, x20, #7
	expect x15, 0, "alignment of the device tree"
	ldr w15, [x20]
	expect x15, 0xedfe0dd0, "magic of the device tree"
	mrs x15, CurrentEL
	expect x15, 4, "exception level"
	mrs x15, daif
	expect x15, 0x3c0, "interrupts are not masked"
	mrs x15, spsel
	expect x15, 1, "stack pointer"
	mrs x15, sctlr_el1
	ldr x16, =0x1005 /* I, C, M */
	and x15, x15, x16
	expect x15, 0, "MMU or caches are on"
	mrs x15, mpidr_el1
	and x15, x15, #0xffffff
	expect x15, 0, "affinity"
	/* Version 1.0 at least. */
	psci PSCI_VERSION
	lsr w15, w0, #16
	expect x15, 1, "PSCI version"
	say "all well\n"
	poweroff

	uart_functions
