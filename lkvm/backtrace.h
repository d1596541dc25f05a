/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who called whom, from the stack of a guest that cooperates or does not: frame pointers or back
 * chain where the arch links its frames, else (x86 kernels without frame pointers) whatever looks
 * like a return address. Pure.
 */
#ifndef LKVM_BACKTRACE_H
#define LKVM_BACKTRACE_H

#include "lkvm/regs.h"
#include "lkvm/symbols.h"
#include "lkvm/types.h"

#define BACKTRACE_MAX 32

struct backtrace_frame {
	uint64_t pc;
	bool     guess; /* found on the stack: may be left over from an earlier call */
};

struct backtrace {
	struct backtrace_frame frames[BACKTRACE_MAX];
	unsigned int nr;
	bool         more;    /* BACKTRACE_MAX was not enough */
	const char  *method;  /* "frame pointers", "back chain", "return addresses on the stack"; static */
	const char  *end;     /* why it ends, "" if it came to a regular end; static */
};

/* How the guest's virtual memory is read: copies @len bytes at @va, 0 or -errno. */
struct backtrace_memory {
	int (*read)(void *ctx, uint64_t va, void *buf, size_t len);
	void *ctx;
};

/*
 * Fills @bt from the registers. @pc_works: instructions can be fetched at pc; if not, the link
 * register tells who jumped. @symbols may be NULL.
 */
void backtrace_take(struct backtrace *bt, const struct reg_set *regs, bool pc_works,
		    const struct backtrace_memory *mem, const struct symbols *symbols);

#endif
