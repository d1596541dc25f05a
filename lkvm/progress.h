/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The no-progress watchdog's judgement of one vCPU, from looks at it about a second apart. Some
 * failures make neither KVM nor the guest say anything: the vCPU burns CPU time for ever, without an
 * exit to user space (a fetch from where no memory is on ppc64 HV and e500; on arm64 when the
 * exception vectors can't be fetched either). vm-progress.c takes the looks. Pure.
 *
 * Time proves nothing: a slow host, a long memset and a busy guest look alike. What proves a failed
 * fetch is the walk of pc, seen to fail at a pc that never moves. Everything else is at most worth a
 * warning.
 */
#ifndef LKVM_PROGRESS_H
#define LKVM_PROGRESS_H

#include "lkvm/fetch.h"
#include "lkvm/types.h"

#define PROGRESS_FETCH_LOOKS 3 /* that a failing fetch must be seen at the same place */
#define PROGRESS_SPIN_LOOKS  8 /* that an endless loop must be seen */
#define PROGRESS_SPIN_BYTES  16 /* how far pc may move in what counts as an endless loop */

/* What one look saw. */
struct progress_look {
	uint64_t pc;   /* as a virtual address */
	uint64_t lr;
	uint64_t sp;
	uint64_t hash; /* of all other general registers */
	bool     user; /* unprivileged code */
	bool     full; /* since the look before, the thread has hardly slept */
	enum fetch_verdict verdict; /* of pc */
};

/* What is remembered of a vCPU. Zeroed is right at the start. */
struct progress {
	bool                 started; /* @first is valid */
	struct progress_look first;   /* of the present series */
	struct progress_look last;
	unsigned int         fetch_looks; /* in a row at the same pc, all of them with a fetch that fails */
	unsigned int         spin_looks;  /* in a row without any register changing */
	bool                 spin_told;   /* of this series */
};

enum progress_news {
	PROGRESS_NONE,
	PROGRESS_FETCH_FAILS, /* proven: the vCPU will never get on */
	PROGRESS_SPINS,       /* privileged code in an endless loop; said once per loop */
};

/* The vCPU got on (or did not run) since the last look: a new series begins. */
void progress_reset(struct progress *p);

/* Takes a further look into account. */
enum progress_news progress_judge(struct progress *p, const struct progress_look *look);

#endif
