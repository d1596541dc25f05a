/* SPDX-License-Identifier: GPL-2.0-only */
/* What `lkvm doctor` found out: a list of facts, printed as a table or as JSON. Pure. */
#ifndef LKVM_DOCTOR_H
#define LKVM_DOCTOR_H

#include <stdio.h>

#include "lkvm/types.h"

enum doctor_state {
	DOCTOR_INFO, /* a plain fact */
	DOCTOR_OK,
	DOCTOR_WARN, /* something will not work or not well, but `lkvm run` does */
	DOCTOR_BAD,  /* `lkvm run` can't work */
};

struct doctor_fact {
	const char       *section; /* static */
	enum doctor_state state;
	char             *name;
	char             *value;
	char             *remedy;  /* one line, NULL: none */
};

struct doctor {
	struct doctor_fact *facts;
	size_t              nr;
	size_t              room;
	bool                incomplete; /* memory ran out */
};

/* Appends a fact. Those of one section are added one after another. @remedy may be NULL. */
void doctor_add(struct doctor *d, const char *section, enum doctor_state state, const char *name,
		const char *remedy, const char *fmt, ...) LKVM_PRINTF(6, 7);

/* How many facts are DOCTOR_BAD; an incomplete list counts as one more. */
size_t doctor_problems(const struct doctor *d);

void doctor_print_text(const struct doctor *d, FILE *out, bool colour);
/* Returns 0, or -ENOMEM / -EIO / -ENOSYS (no JSON library; reported). */
int doctor_print_json(const struct doctor *d, FILE *out) LKVM_MUST_CHECK;

void doctor_free(struct doctor *d);

#endif
