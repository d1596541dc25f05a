/* SPDX-License-Identifier: GPL-2.0-only */
/* A stat_table on its way through the control socket. Not there without jansson. */
#ifndef LKVM_STAT_JSON_H
#define LKVM_STAT_JSON_H

#include "lkvm/pmu-stat.h"

struct json_t; /* jansson's */

/*
 * Adds the members "cpus", "seconds", "shape" and "items" to the object @result. "shape" is a number that tells all
 * but values: to one who has @known that shape (0: none), "values" takes the place of "items". 0 or -ENOMEM.
 */
int stat_table_to_json(const struct stat_table *t, int64_t known, struct json_t *result) LKVM_MUST_CHECK;

/*
 * The reverse, for one who has table @before of that shape (NULL: none). NULL if @result is nothing of the kind, or
 * memory is out. The caller frees it.
 */
struct stat_table *stat_table_from_json(const struct json_t *result, const struct stat_table *before);

/* The shape of @t, never 0. */
int64_t stat_table_shape(const struct stat_table *t);

#endif
