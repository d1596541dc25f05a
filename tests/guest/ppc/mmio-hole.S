/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads and writes where neither RAM nor a device is; goes on. */
#include "tests/guest/ppc/guest.inc"

	map_devices
	map 2, HOLE, HOLE, TSIZE_4K, SR | SW
	li32 r20, HOLE
	lwz r21, 0(r20)
	lhz r22, 4(r20)
	lbz r23, 8(r20)
	stw r21, 0(r20)
	expect r21, 0xffffffff, "word"
	expect r22, 0xffff, "halfword"
	expect r23, 0xff, "byte"
	say "went on\n"
	power_off

	uart_functions
