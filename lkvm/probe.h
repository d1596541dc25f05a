/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions that only a guest can ask. A probe guest (guest/probe-ARCH.S, built into lkvm) takes a
 * list of operations from its memory, does them one after another, writes down what came of each,
 * and powers off. What to ask and what the answers mean is decided here in C. Pure; probe-vm.h runs
 * it.
 */
#ifndef LKVM_PROBE_H
#define LKVM_PROBE_H

#include "lkvm/types.h"

/* Offsets from where the guest is loaded. Known to guest/probe.h as well. */
#define PROBE_SCRATCH_OFFSET 0x1000 /* a page for the operations' own use, zero at first */
#define PROBE_SCRATCH_BYTES  0x1000
#define PROBE_SCRIPT_OFFSET  0x2000 /* struct probe_script, then the operations */

/* What an operation does. Not every arch has every one; an unknown one fails. */
enum {
	PROBE_LOOP,  /* arg[0] times two instructions */
	PROBE_LOAD,  /* ret[1] = the 64-bit word at guest-physical arg[0] */
	PROBE_CALL,  /* riscv64: SBI extension arg[0], function arg[1], a0..a5 = arg[2..7]; ret = a0, a1 */
	PROBE_INSN,  /* not x86: executes the two instructions in arg[0], low word first, of which the second
			returns; a0, x0 or r3 = arg[1] before, ret[1] after */
	PROBE_CPUID, /* x86: leaf arg[0], index arg[1]; ret[0] = eax | ebx << 32, ret[1] = ecx | edx << 32 */
	PROBE_RDMSR, /* x86: ret[1] = MSR arg[0] */
	PROBE_WRMSR, /* x86: MSR arg[0] = arg[1] */
	PROBE_STORE, /* riscv64: the 64-bit word at guest-physical arg[0] = arg[1] */
};

/* In the guest's byte order, which is that of the host. */
struct probe_op {
	uint64_t op;     /* PROBE_* */
	uint64_t arg[8];
	/*
	 * ret[0] of all but PROBE_CALL and PROBE_CPUID: 0, or PROBE_FAULT where the operation ended
	 * in an exception, with the exception's cause in ret[1] (scause, ESR_EL1, x86 and powerpc vector).
	 */
	uint64_t ret[2];
	uint64_t reserved;
};

#define PROBE_FAULT (~UINT64_C(0))

struct probe_script {
	uint64_t nr;   /* operations that follow */
	uint64_t done; /* by the guest: how many it has finished */
	uint64_t reserved[6];
};

struct probe_host; /* see probe-vm.h */

/* Who runs the operations: a throw-away VM, or a test. */
struct probe {
	/* Fills in the results. 0 or -errno (reported). */
	int (*run)(const struct probe_host *host, struct probe_op *ops, size_t nr);
	const struct probe_host *host;
};

#endif
