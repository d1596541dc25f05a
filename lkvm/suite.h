/* SPDX-License-Identifier: GPL-2.0-only */
/* `lkvm test FILE.toml`: from the file to a list of cases (docs/test.md). Pure. */
#ifndef LKVM_SUITE_H
#define LKVM_SUITE_H

#include "lkvm/outcome.h"
#include "lkvm/toml.h"
#include "lkvm/types.h"

struct suite_case {
	char       *name;     /* "smp[cpus=2]": unique in the suite */
	char      **argv;     /* of `lkvm`: "run", ...; NULL-terminated */
	unsigned int nr_args;
	unsigned int retries;
	/* What makes it pass: an outcome, or an exit status. */
	enum outcome_kind expect_outcome; /* OUTCOME_NONE: by status */
	int          expect_status;
	bool         skip;
};

struct suite {
	struct suite_case *cases;
	unsigned int       nr;
};

#define SUITE_ERROR_BYTES 240
#define SUITE_MAX_CASES   10000

/*
 * Makes the cases of @text; matrices are multiplied out. 0; -EINVAL with the reason in @error; -ENOMEM. Free in
 * every case with suite_free().
 */
int suite_parse(struct suite *suite, const char *text, char error[SUITE_ERROR_BYTES]) LKVM_MUST_CHECK;
void suite_free(struct suite *suite);

/* Keeps every @count-th case, beginning with number @index (from 1). */
void suite_shard(struct suite *suite, unsigned int index, unsigned int count);

/* What @c expects, in words: "panic", "3 of the command". Static buffer. */
const char *suite_expected(const struct suite_case *c);
/* Whether a run with @outcome (a word; NULL: not known) and exit status @status is what @c expects. */
bool suite_passed(const struct suite_case *c, const char *outcome, int status);

#endif
