// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/progress.h"

#include <string.h>

void progress_reset(struct progress *p)
{
	memset(p, 0, sizeof(*p));
}

/*
 * True if the CPU can't execute at pc and nobody will mend that. Page faults of user mode are the
 * guest kernel's daily work; its own would be taken at a vector, and then pc were there.
 */
static bool fetch_fails(const struct progress_look *look)
{
	switch (look->verdict) {
	case FETCH_NO_MEMORY:
	case FETCH_DEVICE:
		return true;
	case FETCH_UNMAPPED:
	case FETCH_NO_EXEC:
		return !look->user;
	default:
		return false;
	}
}

static bool same_frame(const struct progress_look *a, const struct progress_look *b)
{
	return a->lr == b->lr && a->sp == b->sp && a->user == b->user;
}

/*
 * An endless loop that touches nothing: `b .`, cpu_relax() without end. A loop that counts, copies or
 * waits for a clock changes a register, and user mode may spin as long as it likes.
 */
static bool still_spins(const struct progress *p, const struct progress_look *look)
{
	uint64_t from = MIN(p->first.pc, look->pc), to = MAX(p->first.pc, look->pc);

	return look->full && !look->user && look->verdict == FETCH_WORKS && look->hash == p->first.hash &&
	       to - from <= PROGRESS_SPIN_BYTES;
}

enum progress_news progress_judge(struct progress *p, const struct progress_look *look)
{
	bool same = p->started && same_frame(&p->first, look);
	bool stuck = same && p->last.pc == look->pc && fetch_fails(look);

	p->fetch_looks = stuck ? p->fetch_looks + 1 : fetch_fails(look);
	p->spin_looks = same && still_spins(p, look) ? p->spin_looks + 1 : 0;
	if (!p->spin_looks) {
		p->first = *look;
		p->spin_told = false;
	}
	p->last = *look;
	p->started = true;
	if (p->fetch_looks >= PROGRESS_FETCH_LOOKS)
		return PROGRESS_FETCH_FAILS;
	if (p->spin_looks < PROGRESS_SPIN_LOOKS || p->spin_told)
		return PROGRESS_NONE;
	p->spin_told = true;
	return PROGRESS_SPINS;
}
