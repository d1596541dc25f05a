/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What to do about an exit that nobody serves, and with KVM_RUNs that come back for nothing: no exit may make
 * lkvm spin in silence. One struct per vCPU, used by its thread only. Pure: clock and place are given.
 */
#ifndef LKVM_EXIT_POLICY_H
#define LKVM_EXIT_POLICY_H

#include "lkvm/exit.h"
#include "lkvm/types.h"

/*
 * The same unserved exit at the same pc this often in a row, and nothing else between, is no progress. Nor are that
 * many at changing places.
 */
#define EXIT_REPEATS_MAX   1000
#define EXIT_UNSERVED_MAX  100000

/*
 * KVM_RUN that comes back this often within this time, for nothing and without having been asked to, is no progress
 * either. No signal that somebody sends on purpose comes at such a rate.
 */
#define EXIT_IDLE_RETURNS_MAX 10000
#define EXIT_IDLE_WINDOW_MS   2000

/* Places that are told apart; what comes beyond is counted only. */
#define EXIT_MAX_PLACES 16

enum exit_decision {
	EXIT_GO_ON,     /* re-enter, it has been reported before */
	EXIT_REPORT,    /* say it in a line, re-enter */
	EXIT_GIVE_UP,   /* stop the VM: the record says why */
	EXIT_NO_PROGRESS, /* stop the VM: resumable, but it comes again and again */
};

/* The same place: the same reason and hardware value at the same pc. */
struct exit_place {
	uint32_t reason;
	uint64_t pc, value;
};

struct exit_policy {
	struct exit_place places[EXIT_MAX_PLACES];
	unsigned int nr_places;
	uint64_t     total;      /* exits that were handed back to the guest */
	struct exit_place last;
	unsigned int repeats;    /* of last, in a row */
	unsigned int unserved;   /* of all places, in a row */
	unsigned int idle;       /* returns for nothing, in a row */
	int64_t      idle_since_ms;
};

/*
 * An exit that nobody serves. @stop_on_any: --on-unknown-exit=stop.
 */
enum exit_decision exit_policy_unserved(struct exit_policy *p, const struct exit_info *info,
					const struct exit_record *rec, bool stop_on_any);

/* Somebody kicked the vCPU. That says nothing about the guest: lkvm's own watchdog does it all the time. */
static inline void exit_policy_kicked(struct exit_policy *p)
{
	p->idle = 0;
}

/* An exit was served. Called for each of them: cheap. */
static inline void exit_policy_progress(struct exit_policy *p)
{
	p->unserved = 0;
	p->idle = 0;
}

/* KVM_RUN came back for nothing: EINTR, EAGAIN, KVM_EXIT_INTR. */
static inline bool exit_policy_idle_is_due(struct exit_policy *p)
{
	return p->idle++ % EXIT_IDLE_RETURNS_MAX == 0;
}

/* To be called with the time when exit_policy_idle_is_due() says so. True: it spins. */
bool exit_policy_spins(struct exit_policy *p, int64_t now_ms);

#endif
