/* SPDX-License-Identifier: GPL-2.0-only */
/* Starts CPU 1 through RTAS; that one stops itself, is started once more, and powers off. */
#include "tests/guest/ppc64le/guest.inc"

	/* A CPU that does not exist. */
	li 6, 100
	li 7, second@l
	li 8, 0
	rtas RTAS_START_CPU, 3, 1, 6, 7, 8
	expect 3, -3, "start-cpu of a CPU that is not there"
	li 6, 1
	rtas RTAS_QUERY_CPU, 1, 2, 6
	expect 3, 0, "query-cpu-stopped-state"
	li 4, (rtas_block + 20)@l
	lwbrx 15, 0, 4
	expect 15, 0, "CPU 1 runs before it is started"

	/* Interrupts of all CPUs are to be little-endian. */
	li 4, 1
	li 5, 4
	li 6, 0
	li 7, 0
	hcall H_SET_MODE
	expect 3, 0, "H_SET_MODE"

	li 6, 1
	li 7, second@l
	li 8, 0x5a5a
	rtas RTAS_START_CPU, 3, 1, 6, 7, 8
	expect 3, 0, "start-cpu"
	/* It stops itself, which is seen by others, so that the block is free again. */
1:	li 6, 1
	rtas RTAS_QUERY_CPU, 1, 2, 6
	li 4, (rtas_block + 20)@l
	lwbrx 15, 0, 4
	cmpdi 15, 0
	bne 1b
	li 4, marker@l
	lwz 15, 0(4)
	expect 15, 0x5a5a, "what CPU 1 found in r3"
	li 6, 1
	li 7, again@l
	li 8, 0x1234
	rtas RTAS_START_CPU, 3, 1, 6, 7, 8
	expect 3, 0, "start-cpu of a stopped CPU"
2:	b 2b

	/* With a block of its own: CPU 0 uses the other one. */
second:
	little_endian
	li 4, marker@l
	stw 3, 0(4)
	li 4, stop_block@l
	hcall H_RTAS
3:	b 3b

again:
	little_endian
	mr 20, 3
	expect 20, 0x1234, "r3 of a CPU that is started again"
	say "hello from CPU 1\n"
	poweroff

	.data
	.balign 8
stop_block:
	.long 0x07200000, 0, 0x01000000, 0 /* stop-self, no arguments, one result; big-endian */
marker:
	.long 0
	.text

	functions
