/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks at what a guest says, and whether it says anything: complaints of its kernel, --boot-timeout,
 * --silence-timeout, and when what happened.
 */
#ifndef LKVM_VM_WATCH_H
#define LKVM_VM_WATCH_H

#include <pthread.h>
#include <regex.h>
#include <stdatomic.h>

#include "lkvm/loop.h"
#include "lkvm/oops.h"
#include "lkvm/splat.h"
#include "lkvm/types.h"

struct vm;

struct vm_watch {
	pthread_mutex_t lock;
	regex_t        *allow;
	unsigned int    nr_allow;
	struct loop_timer tick;          /* set while there is something to watch for */
	uint64_t        heard;           /* output of the guest so far, as of ... */
	uint64_t        heard_ms;        /* ... the last time when it had grown. CLOCK_MONOTONIC. */
	/* CLOCK_MONOTONIC milliseconds; 0: has not happened. */
	_Atomic uint64_t first_line_ms;
	_Atomic uint64_t init_ms;
	_Atomic uint64_t command_start_ms;
	_Atomic uint64_t command_end_ms;
	_Atomic uint64_t end_ms;
	struct oops     oops;            /* under lock */
	struct splats   splats;          /* under lock; the last, as most of it is never touched */
};

/* Before the console. 0 or -errno (reported). vm_watch_exit() is legal for a vm that is all zeros. */
int vm_watch_init(struct vm *vm) LKVM_MUST_CHECK;
void vm_watch_exit(struct vm *vm);

/* The vCPUs run; the loop will. */
void vm_watch_start(struct vm *vm);
/* The run is over. */
void vm_watch_stop(struct vm *vm);

/* A line of the console. Any thread. */
void vm_watch_line(struct vm *vm, const char *line);

/*
 * The guest's first program began at @since_ms (CLOCK_MONOTONIC), if that is possible and nobody has said so
 * before. Any thread.
 */
void vm_watch_init_ran(struct vm *vm, uint64_t since_ms);

/*
 * All has been said: makes a success that --fail-on does not want a failure, and tells of complaints. Main
 * thread.
 */
void vm_watch_settle(struct vm *vm);

#endif
