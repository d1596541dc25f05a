/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An XIVE without interrupts: what is triggered ends up in the guest's queue. Pages that are none of
 * the guest's are holes in its address space.
 */
#include "tests/guest/ppc64le/guest.inc"

#define H_INT_GET_SOURCE_INFO   0x3a8 /* powerpc/xive-hcall.h */
#define H_INT_SET_SOURCE_CONFIG 0x3ac
#define H_INT_GET_SOURCE_CONFIG 0x3b0
#define H_INT_SET_QUEUE_CONFIG  0x3b8
#define H_INT_RESET             0x3d0

#define SOURCE     0x1000 /* powerpc/pseries-layout.h: the terminal's */
#define EISN       0x1234
#define PRIORITY   6
#define QUEUE_HIGH 0x10   /* at 1 MiB */

	/* Of CPU 0's; the result is in r3. */
	.macro route
	li 4, 2
	li 5, SOURCE
	li 6, 0
	li 7, PRIORITY
	li 8, EISN
	hcall H_INT_SET_SOURCE_CONFIG
	.endm

	li 20, 1
	sldi 20, 20, 50 /* the CPUs' pages */
	li 21, 1
	sldi 21, 21, 32
	add 21, 21, 20  /* the sources' */

	route
	expect 3, -56, "a route to no queue"
	li 4, 1
	li 5, 0
	li 6, PRIORITY
	lis 7, QUEUE_HIGH
	li 8, 16
	hcall H_INT_SET_QUEUE_CONFIG
	expect 3, 0, "H_INT_SET_QUEUE_CONFIG"
	route
	expect 3, 0, "H_INT_SET_SOURCE_CONFIG"

	li 4, 0
	li 5, SOURCE
	hcall H_INT_GET_SOURCE_INFO
	mr 22, 5
	mr 23, 6
	expect 3, 0, "H_INT_GET_SOURCE_INFO"
	subf 15, 21, 23
	expect 15, 0, "where the first source is"
	/* A new one is off (01); after an event, that is on its way or handled (10). */
	li 16, 0xc00
	ldbrx 15, 22, 16
	expect 15, 1, "the state of a new source"
	std 16, 0(23)
	lis 24, QUEUE_HIGH
1:	lwbrx 15, 0, 24
	cmpwi 15, 0
	beq 1b
	xoris 15, 15, 0x8000 /* the first round's are marked by a 1 */
	expect 15, EISN, "what is in the queue"
	ldbrx 15, 22, 16
	expect 15, 2, "the state of a source after its event"

	/* The hypervisor's page of a CPU, that of programs, and one behind all sources. */
	ld 15, 0(20)
	expect 15, -1, "a page of the hypervisor"
	lis 16, 3
	ldx 15, 20, 16
	expect 15, -1, "a page of programs"
	lis 16, 0x4000
	ldx 15, 21, 16
	expect 15, -1, "a page of no source"

	li 4, 0
	hcall H_INT_RESET
	expect 3, 0, "H_INT_RESET"
	li 4, 0
	li 5, SOURCE
	hcall H_INT_GET_SOURCE_CONFIG
	mr 15, 5
	expect 15, 0xff, "a route after the reset"
	route
	expect 3, -56, "a queue after the reset"
	say "all well\n"
	poweroff

	functions
