/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads a virtio-mmio device's magic and version, little-endian as on all machines. */
#include "tests/guest/ppc/guest.inc"

	map_devices
	map 2, VIRTIO_BASE, VIRTIO_BASE, TSIZE_4K, SR | SW
	li32 r20, VIRTIO_BASE
	lwbrx r21, 0, r20
	expect r21, 0x74726976, "magic"
	li r22, 4
	lwbrx r21, r22, r20
	expect r21, 2, "version"
	say "virtio device\n"
	power_off

	uart_functions
