/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of TOML 1.0 that lists of tests need: tables, arrays of tables, strings of both kinds in one line, whole
 * numbers, booleans, and arrays of these over any number of lines. No dates, floats, inline or nested tables.
 * Pure.
 */
#ifndef LKVM_TOML_H
#define LKVM_TOML_H

#include "lkvm/types.h"

enum toml_type {
	TOML_STRING,
	TOML_INTEGER,
	TOML_BOOLEAN,
};

struct toml_entry {
	unsigned int   table;  /* index in toml.tables; 0 is the top of the file */
	unsigned int   line;
	char          *key;
	enum toml_type type;   /* of the value, or of all values of the array */
	bool           array;
	char         **values; /* numbers and booleans as in the file; nr of them, 1 if it is no array */
	unsigned int   nr;
	bool           used;   /* for readers that want to know what they did not understand */
};

struct toml_table {
	char        *name;  /* "" for the top */
	unsigned int line;
	bool         array; /* [[name]] */
};

struct toml {
	struct toml_table *tables;
	unsigned int       nr_tables;
	struct toml_entry *entries;
	unsigned int       nr_entries;
};

#define TOML_ERROR_BYTES 160

/*
 * Parses @text. 0; -EINVAL with "line N: what" in @error; -ENOMEM. Free in every case with toml_free().
 */
int toml_parse(struct toml *toml, const char *text, char error[TOML_ERROR_BYTES]) LKVM_MUST_CHECK;
void toml_free(struct toml *toml);

/* The entry @key of @table, marked as used; NULL if it has none. */
const struct toml_entry *toml_find(struct toml *toml, unsigned int table, const char *key);

#endif
