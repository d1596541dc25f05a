/* SPDX-License-Identifier: GPL-2.0-only */
/* `lkvm run --timeline`: where a run's time went, and what the guest's CPUs stopped for, as a picture. Pure. */
#ifndef LKVM_TIMELINE_SVG_H
#define LKVM_TIMELINE_SVG_H

#include <stdio.h>

#include "lkvm/types.h"

#define TIMELINE_EXITS 8

enum timeline_event {
	TIMELINE_LKVM,          /* lkvm was started */
	TIMELINE_GUEST_START,   /* its CPUs were let go */
	TIMELINE_FIRST_LINE,    /* of its console */
	TIMELINE_INIT,          /* its first program */
	TIMELINE_COMMAND_START,
	TIMELINE_COMMAND_END,
	TIMELINE_GUEST_END,
	TIMELINE_EVENTS,
};

struct timeline {
	const char *title;               /* the guest's name */
	const char *outcome;             /* how it ended, a line */
	double   at[TIMELINE_EVENTS];    /* seconds since the first, which is at 0; negative: it did not happen */
	double   end;                    /* when the picture was made */
	struct {
		const char *name;
		uint64_t    count;       /* of all CPUs */
	} exits[TIMELINE_EXITS];
	unsigned int nr_exits;
};

/* Keeps the TIMELINE_EXITS highest counts, highest first. @name is not copied. */
void timeline_add_exits(struct timeline *t, const char *name, uint64_t count);

void timeline_svg_write(const struct timeline *t, FILE *out);

#endif
