/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Command-line options from one table: parsing, --help, the man page and the "did you mean" hints all
 * come from it.
 */
#ifndef LKVM_OPTIONS_H
#define LKVM_OPTIONS_H

#include <stdio.h>

#include "lkvm/types.h"

/* Arches on which an option exists. */
enum {
	OPT_RISCV64 = 1 << 0,
	OPT_ARM64   = 1 << 1,
	OPT_PPC64   = 1 << 2,
	OPT_PPC     = 1 << 3, /* e500 */
	OPT_X86_64  = 1 << 4,
	OPT_ALL     = 0x1f,
};

struct option_spec {
	char        short_name;  /* 0: none */
	const char *long_name;   /* without dashes */
	const char *aliases;     /* more long names, space separated; NULL: none */
	const char *metavar;     /* "FILE"; NULL: takes no argument (then --no-NAME also works where
				  * negatable) */
	bool        optional_arg; /* --name or --name=VALUE */
	bool        negatable;
	unsigned int arches;     /* OPT_* */
	const char *section;     /* heading in help: "Boot", "Machine", "Run" ... */
	const char *help;        /* one sentence, no full stop */
	/*
	 * Stores the value into @target. @arg is NULL when none was given; @enabled is false for --no-NAME.
	 * Returns 0 or -EINVAL, reported (options_bad_value() helps).
	 */
	int (*parse)(void *target, const struct option_spec *spec, const char *arg, bool enabled);
	size_t offset;           /* for the stock parsers: the field in @target */
};

/* Stock parsers. Strings are strdup()ed; a second use replaces the first. */
int option_parse_string(void *target, const struct option_spec *spec, const char *arg, bool enabled);
int option_parse_bool(void *target, const struct option_spec *spec, const char *arg, bool enabled);
int option_parse_uint(void *target, const struct option_spec *spec, const char *arg, bool enabled);
/* K/M/G/T suffixes (also KiB, MB ...), a bare number is MiB; the field is uint64_t bytes. */
int option_parse_size(void *target, const struct option_spec *spec, const char *arg, bool enabled);
/* "90", "90s", "5m", "1h", "250ms"; a bare number is seconds; the field is uint64_t milliseconds. */
int option_parse_duration(void *target, const struct option_spec *spec, const char *arg, bool enabled);

/* Numbers for others that parse values. 0 or -EINVAL / -ERANGE; silent. */
int parse_size(const char *s, uint64_t *bytes) LKVM_MUST_CHECK;
int parse_duration(const char *s, uint64_t *ms) LKVM_MUST_CHECK;
int parse_u64(const char *s, uint64_t *v) LKVM_MUST_CHECK;

/* Reports "--disk: key 'foo' ..." style errors: what is wrong and what would be right. -EINVAL. */
int options_bad_value(const struct option_spec *spec, const char *arg, const char *expected);

/* A key of a compound value (key=value,...). */
struct option_key {
	const char *name;
	/* A bare key means on: @value NULL. 0 or -EINVAL (reported). */
	int (*parse)(void *target, const struct option_spec *spec, const char *key, const char *value);
};

/*
 * Splits "FIRST,key=value,flag" and calls the keys' parsers; a first part without '=' that is no known flag
 * belongs to keys[0]. A doubled comma stands for a comma inside a value. Returns 0 or -EINVAL, reported: an unknown
 * key names itself, the nearest valid one, and the help page.
 */
int options_parse_compound(void *target, const struct option_spec *spec, const char *arg,
			   const struct option_key *keys, size_t nr_keys) LKVM_MUST_CHECK;

/*
 * Parses argv[1..]; stops at "--" or at the first word that is no option. @command is the subcommand's
 * name for messages. Returns the index of the first unparsed word, or -EINVAL (reported), or -ECANCELED when
 * --help was asked for and printed.
 */
int options_parse(const struct option_spec *specs, size_t nr, const char *command, int argc,
		  char **argv, void *target) LKVM_MUST_CHECK;

/* Prints the options of this arch by section. */
void options_print_help(const struct option_spec *specs, size_t nr, FILE *out);
/* The same as man(7) source. */
void options_print_man(const struct option_spec *specs, size_t nr, FILE *out);

/* The word of @words (NULL-terminated) nearest to @word, or NULL if none is near. */
const char *nearest_word(const char *word, const char *const words[]);

#endif
