/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest's PMU offers, as it was found from inside, and how to print it. Pure. */
#ifndef LKVM_PMU_LIST_H
#define LKVM_PMU_LIST_H

#include <stdio.h>

#include "lkvm/types.h"

#define PMU_MAX_COUNTERS 80
#define PMU_MAX_EVENTS   160
#define PMU_MAX_FACTS    24
#define PMU_MAX_NOTES    24
#define PMU_TEXT_BYTES   200

/* A line about the PMU as a whole: "counting" = "2000 of 2001 instructions". */
struct pmu_fact {
	char name[32];
	char value[PMU_TEXT_BYTES];
};

struct pmu_counter {
	unsigned int index;      /* as the guest numbers it */
	const char  *type;       /* "hardware", "firmware", "fixed" ...; static */
	char         name[32];   /* the register that shows it: "hpmcounter3"; "" if none */
	unsigned int number;     /* ... and its number: CSR, MSR */
	unsigned int width_bits;
	const char  *error;      /* not NULL: no such counter; this is what the guest is told; static */
	unsigned int nr_events;  /* events that it was seen to take; the names are with the events */
};

struct pmu_event {
	const char *group;       /* "hardware", "cache", "firmware", "common" ...; static */
	char        name[40];
	uint64_t    code;        /* as the guest asks for it */
	const char *error;       /* NULL: can be counted; else what the guest is told; static */
	uint64_t    counters[2]; /* the counters that take it, a bit for each index, where they were tried */
};

struct pmu_list {
	char               kind[32];  /* "SBI PMU 2.0" ... */
	bool               present;
	char               missing[PMU_TEXT_BYTES]; /* without: why */
	struct pmu_fact    facts[PMU_MAX_FACTS];
	struct pmu_counter counters[PMU_MAX_COUNTERS];
	struct pmu_event   events[PMU_MAX_EVENTS];
	char               bugs[PMU_MAX_NOTES][PMU_TEXT_BYTES];  /* where the host breaks the rules */
	char               notes[PMU_MAX_NOTES][PMU_TEXT_BYTES]; /* where it is merely odd */
	unsigned int       nr_facts, nr_counters, nr_events, nr_bugs, nr_notes;
};

/* Each adds one; beyond the room, the last is overwritten by "and more". */
void pmu_list_fact(struct pmu_list *list, const char *name, const char *fmt, ...) LKVM_PRINTF(3, 4);
void pmu_list_bug(struct pmu_list *list, const char *fmt, ...) LKVM_PRINTF(2, 3);
void pmu_list_note(struct pmu_list *list, const char *fmt, ...) LKVM_PRINTF(2, 3);
/* NULL when full, which is a bug of lkvm's tables: callers that know their number need not look. */
struct pmu_counter *pmu_list_counter(struct pmu_list *list);
struct pmu_event *pmu_list_event(struct pmu_list *list);

/* Marks that counter @index takes @event. */
void pmu_event_takes(struct pmu_event *event, unsigned int index);
bool pmu_event_has(const struct pmu_event *event, unsigned int index);

/* The table for people. */
void pmu_list_print(const struct pmu_list *list, FILE *out);
/* The same as JSON. 0, or -ENOMEM / -EIO / -ENOSYS (no JSON library), reported. */
int pmu_list_print_json(const struct pmu_list *list, FILE *out) LKVM_MUST_CHECK;

#endif
