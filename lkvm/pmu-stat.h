/* SPDX-License-Identifier: GPL-2.0-only */
/* What was counted while a guest ran, and how `lkvm pmu stat` prints it. Pure. */
#ifndef LKVM_PMU_STAT_H
#define LKVM_PMU_STAT_H

#include <stdio.h>

#include "lkvm/types.h"

#define STAT_MAX_ITEMS 160

/* Where a number comes from; it is always said. */
enum stat_source {
	STAT_PERF,  /* the host's perf events of the vCPU's thread */
	STAT_GUEST, /* the counters that the guest itself programmed */
	STAT_KVM,   /* KVM's statistics */
	STAT_TIME,  /* where the thread's time went */
	STAT_SOURCES,
};

enum stat_state {
	STAT_COUNTED,
	STAT_NOT_SUPPORTED, /* this host can't */
	STAT_NOT_COUNTED,   /* it could, but did not get to it */
};

struct stat_cell {
	uint64_t value;
	uint64_t enabled_ns; /* STAT_PERF: how long it was to count ... */
	uint64_t running_ns; /* ... and how long it did */
};

struct stat_item {
	enum stat_source  source;
	uint32_t          hash;    /* of source and name */
	char              name[48];
	const char       *unit;    /* "", "ns", "bytes" ...; static */
	bool              instant; /* a level, not a sum: no differences */
	enum stat_state   state;
	char              why[112]; /* of NOT_*, for people */
	struct stat_cell *cells;   /* one for each vCPU */
};

struct stat_table {
	double           seconds;  /* since counting began; of a difference: how long it is */
	unsigned int     nr_vcpus;
	unsigned int     nr;
	struct stat_item items[STAT_MAX_ITEMS];
};

/* An empty table for @nr_vcpus. stat_table_free(NULL) is legal. NULL: out of memory. */
struct stat_table *stat_table_new(unsigned int nr_vcpus);
void stat_table_free(struct stat_table *t);

/* The item, made if it is not there. NULL when there is no room or memory. */
struct stat_item *stat_table_item(struct stat_table *t, enum stat_source source, const char *name);
/* NULL if it is not there. */
const struct stat_item *stat_table_find(const struct stat_table *t, enum stat_source source, const char *name);

/* Sets the value of one vCPU. */
void stat_item_set(struct stat_item *item, unsigned int vcpu, uint64_t value);
/* Says that it can't be had: the first reason stays. */
void stat_item_missing(struct stat_item *item, enum stat_state state, const char *why);

/* @now less @before (NULL: nothing); levels stay as they are. NULL: out of memory. */
struct stat_table *stat_table_since(const struct stat_table *now, const struct stat_table *before);

/*
 * The kernel has counted the times in @t (STAT_TIME) in ticks of @tick_ns; @rest is what these left of
 * the whole. If there was no tick, in less time than it takes for that to tell anything, all of them
 * become STAT_NOT_COUNTED; values stay, for differences.
 */
void stat_judge_ticks(struct stat_table *t, const char *rest, uint64_t tick_ns);

/* All vCPUs together. */
struct stat_cell stat_item_sum(const struct stat_table *t, const struct stat_item *item);

struct stat_format {
	const char *guest;     /* its name */
	bool        many;      /* one of several guests: lines that have no title above them say which */
	bool        json;      /* a JSON object in each line, as perf stat -j, which always says which guest */
	const char *separator; /* not NULL: perf stat -x */
	bool        per_vcpu;
	bool        interval;  /* lines begin with the time at their end, in ... */
	double      at_seconds;
};

/* Prints a difference. */
void stat_print(const struct stat_table *t, const struct stat_format *format, FILE *out);

#endif
