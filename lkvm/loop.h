/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An epoll loop. The main thread runs one for signals, timers and consoles; a device with blocking
 * work (a disk) owns another with a thread of its own.
 */
#ifndef LKVM_LOOP_H
#define LKVM_LOOP_H

#include <sys/epoll.h>

#include "lkvm/types.h"

struct loop;

/* Called on the loop's thread with the ready EPOLL* bits. */
typedef void loop_fn(void *opaque, uint32_t events);

/*
 * A timer of a loop; the caller's, who looks at nothing in it. No descriptor: one that is not set costs nothing.
 * Zeroed is right at the start.
 */
struct loop_timer {
	struct loop_timer *next;
	uint64_t           due_ms;    /* CLOCK_MONOTONIC; 0: not set */
	uint64_t           period_ms;
	loop_fn           *fn;
	void              *opaque;
};

/* Returns 0 or -errno. */
int loop_create(struct loop **loop) LKVM_MUST_CHECK;
/* The loop must not be running. Forgets all fds (closes none). NULL is legal. */
void loop_destroy(struct loop *loop);

/*
 * Watches @fd, which stays the caller's, for @events (EPOLLIN ...; level-triggered). From the loop's own
 * thread, or while the loop is not running. Returns 0 or -errno.
 */
int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn, void *opaque) LKVM_MUST_CHECK;
/* Changes the watched events; 0 keeps @fd but silences it. Any thread. Returns 0 or -errno. */
int loop_modify(struct loop *loop, int fd, uint32_t events);
/* Stops watching @fd: its function will not be called again. Same threads as loop_add(). */
void loop_del(struct loop *loop, int fd);

/*
 * Has @fn called, with no events, on the loop's thread in @ms, and from then on each @period_ms if that is not 0:
 * late calls are not made up for. One that is set already is set anew. Any thread.
 */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t ms, uint64_t period_ms, loop_fn *fn,
		    void *opaque);
/* The function will not be called again. Legal if it is not set. Same threads as loop_add(). */
void loop_timer_stop(struct loop *loop, struct loop_timer *timer);
/* How many ms are left until it is due; 0 if it is or if it is not set. Any thread. */
uint64_t loop_timer_left(struct loop *loop, const struct loop_timer *timer);

/* Serves events on the calling thread until loop_quit(). Returns 0 or -errno. */
int loop_run(struct loop *loop) LKVM_MUST_CHECK;
/* Makes loop_run() return soon (or at once when it is entered later). Any thread, signal-safe. */
void loop_quit(struct loop *loop);

/* Runs the loop on a thread of its own, named @name (15 characters at most). Returns 0 or -errno. */
int loop_start(struct loop *loop, const char *name) LKVM_MUST_CHECK;
/* Quits and joins that thread. Legal if never started. */
void loop_stop(struct loop *loop);

#endif
