/* SPDX-License-Identifier: GPL-2.0-only */
/* Performance events of the host's kernel, counted on one thread: what `perf stat` counts. */
#ifndef LKVM_PERF_EVENT_H
#define LKVM_PERF_EVENT_H

#include "lkvm/types.h"

struct perf_event {
	char     name[40];     /* as asked for, with what it counts: "cycles:G" */
	uint32_t type;
	uint64_t config;
	bool     exclude_host; /* the guest only */
	bool     exclude_guest;
	bool     is_time;      /* counts nanoseconds */
};

struct perf_reading {
	uint64_t value;
	uint64_t enabled_ns;
	uint64_t running_ns; /* less than that where counters were shared */
};

/*
 * Understands "cycles", "instructions:G", "cache-misses:H", "r1b", "task-clock" ... Hardware events
 * count the guest only unless :H (the host) or :GH says otherwise. 0, or -EINVAL (silent) if there
 * is no such event.
 */
int perf_event_parse(const char *text, struct perf_event *event) LKVM_MUST_CHECK;

/* The names, NULL-terminated, for messages. */
extern const char *const perf_event_names[];

/* True if what @event counts is in part the guest's: it is of the hardware, and not the host's alone. */
bool perf_event_of_guest(const struct perf_event *event);

/* Counts @event on thread @tid (0: the caller) from now on. Returns the fd, or -errno. Silent. */
int perf_event_open(const struct perf_event *event, int tid) LKVM_MUST_CHECK;

/* Also after the thread has ended. 0 or -errno. Any thread. */
int perf_event_read(int fd, struct perf_reading *reading) LKVM_MUST_CHECK;

/* Why perf_event_open() failed with @err, for people; static. */
const char *perf_event_refusal(int err);

#endif
