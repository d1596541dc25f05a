/* SPDX-License-Identifier: GPL-2.0-only */
/* A stat_table on its way through the control socket. Not there without jansson. */
#ifndef LKVM_STAT_JSON_H
#define LKVM_STAT_JSON_H

#include "lkvm/pmu-stat.h"

struct json_t; /* jansson's */

/* Adds the members "cpus" and "items" to the object @result. 0 or -ENOMEM. */
int stat_table_to_json(const struct stat_table *t, struct json_t *result) LKVM_MUST_CHECK;

/* The reverse; NULL if @result is nothing of the kind, or memory is out. .seconds is 0. The caller frees it. */
struct stat_table *stat_table_from_json(const struct json_t *result);

#endif
