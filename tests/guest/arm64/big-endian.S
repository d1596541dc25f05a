/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that accesses data in big-endian order: device registers are little-endian all the same, which is what
 * virtio 1 says (virtio 1.3 §1.4) and Linux expects.
 */
#include "tests/guest/arm64/guest.inc"

	mrs x0, id_aa64mmfr0_el1
	ubfx x0, x0, #8, #4
	cbnz x0, 1f
	say "CPU without big-endian data\n"
	poweroff
1:
	movz x20, #0x0a00, lsl #16 /* the first virtio-mmio slot */
	mov w21, #1
	rev w21, w21
	mrs x0, sctlr_el1
	orr x1, x0, #(1 << 25) /* EE */
	msr sctlr_el1, x1
	isb
	ldr w22, [x20]         /* MagicValue */
	str w21, [x20, #0x14]  /* DeviceFeaturesSel: the upper half */
	ldr w23, [x20, #0x10]  /* DeviceFeatures */
	msr sctlr_el1, x0
	isb
	rev w15, w22
	expect x15, 0x74726976, "magic value"
	rev w15, w23
	and x15, x15, #1
	expect x15, 1, "VIRTIO_F_VERSION_1"
	say "registers are little-endian\n"
	poweroff

	uart_functions
