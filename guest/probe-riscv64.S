/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe guest (lkvm/probe.h) for riscv64: entered in S-mode with address translation off. lkvm
 * copies it to the start of guest RAM, so it is position-independent, and the linker must not make it
 * otherwise.
 *
 * s0: the operation, s1: how many are left, s2: the script's head
 */
#include "guest/probe.h"

	.option norelax
	.section .rodata.probe, "a"
	.globl probe_guest, probe_guest_end
	.balign 8
probe_guest:
	lla	t0, trap
	csrw	stvec, t0
	csrw	sie, zero
	lla	s2, probe_guest
	li	t0, PROBE_SCRIPT_OFFSET
	add	s2, s2, t0
	ld	s1, SCRIPT_NR(s2)
	addi	s0, s2, PROBE_SCRIPT_BYTES

next:	beqz	s1, power_off
	li	a1, 0
	ld	t0, OP_OP(s0)
	ld	a0, OP_ARG0(s0)
	beqz	t0, loop
	li	t1, PROBE_LOAD
	beq	t0, t1, load
	li	t1, PROBE_CALL
	beq	t0, t1, call
	li	t1, PROBE_INSN
	beq	t0, t1, insn
	li	t1, PROBE_STORE
	beq	t0, t1, store
	li	a0, -1
	j	result

loop:	beqz	a0, success
1:	addi	a0, a0, -1
	bnez	a0, 1b
	j	success

load:	ld	a1, 0(a0)
	j	success

store:	ld	t0, OP_ARG1(s0)
	sd	t0, 0(a0)
	j	success

call:	mv	a7, a0
	ld	a6, OP_ARG1(s0)
	ld	a0, OP_ARG2(s0)
	ld	a1, (OP_ARG2 + 8)(s0)
	ld	a2, (OP_ARG2 + 16)(s0)
	ld	a3, (OP_ARG2 + 24)(s0)
	ld	a4, (OP_ARG2 + 32)(s0)
	ld	a5, (OP_ARG2 + 40)(s0)
	ecall
	j	result

	/* The words of arg[0] are code: an instruction that works on a0, and a return. */
insn:	addi	t0, s0, OP_ARG0
	ld	a0, OP_ARG1(s0)
	fence.i
	jalr	t0
	mv	a1, a0
success:
	li	a0, 0
result:	sd	a0, OP_RET0(s0)
	sd	a1, OP_RET1(s0)
	ld	t0, SCRIPT_DONE(s2)
	addi	t0, t0, 1
	sd	t0, SCRIPT_DONE(s2)
	addi	s0, s0, OP_BYTES
	addi	s1, s1, -1
	j	next

	/* An operation faulted: that is its result. */
	.balign 4
trap:	csrr	a1, scause
	li	a0, -1
	lla	t0, result
	csrw	sepc, t0
	li	t0, 1 << 8 /* sstatus.SPP: back to S-mode */
	csrs	sstatus, t0
	sret

power_off:
	li	a7, 0x53525354 /* SRST */
	li	a6, 0
	li	a0, 0
	li	a1, 0
	ecall
1:	wfi
	j	1b
probe_guest_end:

	.section .note.GNU-stack, "", %progbits
