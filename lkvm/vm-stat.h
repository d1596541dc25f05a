/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts what a VM does while it runs, into a stat_table. Attached to a VM as its observer. */
#ifndef LKVM_VM_STAT_H
#define LKVM_VM_STAT_H

#include "lkvm/perf-event.h"
#include "lkvm/pmu-stat.h"

struct vm;
struct vm_stat;

#define VM_STAT_MAX_EVENTS 32

struct vm_stat_options {
	struct perf_event events[VM_STAT_MAX_EVENTS]; /* of the host, per vCPU thread */
	unsigned int      nr_events;
	bool              kvm, guest, time;           /* the other sources */
	unsigned int      interval_ms;                /* 0: no callback */
	/* Called on the main loop after each interval. */
	void (*tick)(void *ctx);
	void *ctx;
};

/*
 * Before vm_run(): makes @vm tell what it does. @opt outlives it. 0 or -errno (reported).
 * vm_stat_detach() undoes it, after vm_run() and before vm_destroy(); NULL is legal.
 */
int vm_stat_attach(struct vm *vm, const struct vm_stat_options *opt, struct vm_stat **stat) LKVM_MUST_CHECK;
void vm_stat_detach(struct vm_stat *stat);

/*
 * All numbers since the vCPUs were released; also once they have ended. Main thread. NULL: out of
 * memory. The caller frees it.
 */
struct stat_table *vm_stat_read(struct vm_stat *stat);

/* perf_event_open(), where the host's events can tell what a guest does; else -EOPNOTSUPP. */
int vm_stat_open_perf(const struct perf_event *event, int tid) LKVM_MUST_CHECK;

/* Adds what the perf events @fds (or -errno) of one vCPU counted. */
void vm_stat_add_perf(struct stat_table *t, unsigned int vcpu, const int *fds, const struct vm_stat_options *opt);

/*
 * The sources of @vm itself, without perf events, for those who ask from outside; the guest's own counters, for
 * which the vCPUs are stopped for a moment, only if @guest. Main thread, while it runs.
 */
struct stat_table *vm_stat_snapshot(struct vm *vm, bool guest);
/* Gives back what snapshots keep between them. Legal if there were none. */
void vm_stat_forget(struct vm *vm);

#endif
