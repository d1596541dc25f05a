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
	OPT_FDT     = OPT_ALL & ~OPT_X86_64, /* guests that get a device tree */
};

struct option_use;

struct option_spec {
	char        short_name;  /* 0: none */
	bool        optional_arg; /* --name or --name=VALUE; -n or -nVALUE */
	bool        negatable;   /* --no-NAME, --NAME=on and --NAME=off also work */
	bool        prefix;      /* any option that begins with long_name; the rest of it is the value */
	unsigned int arches;     /* OPT_* */
	const char *long_name;   /* without dashes */
	const char *aliases;     /* more long names, space separated; NULL: none */
	const char *metavar;     /* "FILE"; NULL: takes no argument */
	const char *section;     /* heading in help: "Boot", "Machine", "Run" ...; equal ones are adjacent */
	const char *help;        /* one sentence, no full stop; NULL for refused options */
	/*
	 * Not NULL: the name is known, but using it is an error with this text ("shared folders are not
	 * built into this lkvm"), which is its help as well. Nothing that a user asks for is ignored in
	 * silence.
	 */
	const char *refused;
	/*
	 * Stores the value into @target. @arg is NULL when none was given; @enabled is false for --no-NAME.
	 * Returns 0 or -EINVAL / -ENOMEM, reported (options_bad_value() helps).
	 */
	int (*parse)(void *target, const struct option_use *use, const char *arg, bool enabled);
	size_t offset;           /* for the stock parsers: the field in @target */
};

/* The options of one command on one arch. */
struct option_set {
	const struct option_spec *specs;
	size_t       nr;
	const char  *command; /* for messages: "run" */
	unsigned int arch;    /* OPT_* of this binary */
};

/* One option as a user wrote it: what a parser needs for its messages. */
struct option_use {
	const struct option_spec *spec;
	const struct option_set  *set;
	const char               *name; /* "--memory", "-m" */
};

/* The OPT_* bit of "riscv64", "arm64", "ppc64le", "ppc", "x86_64"; 0 for other words. */
unsigned int option_arch(const char *arch_name);

/* Stock parsers. Strings are strdup()ed; a second use replaces the first. Empty strings are refused. */
int option_parse_string(void *target, const struct option_use *use, const char *arg, bool enabled);
int option_parse_bool(void *target, const struct option_use *use, const char *arg, bool enabled);
/* The field is unsigned int. */
int option_parse_uint(void *target, const struct option_use *use, const char *arg, bool enabled);
/* K/M/G/T suffixes (also KiB, MB ...), a bare number is MiB; the field is uint64_t bytes. */
int option_parse_size(void *target, const struct option_use *use, const char *arg, bool enabled);
/* "90", "90s", "5m", "1h", "250ms"; a bare number is seconds; the field is uint64_t milliseconds. */
int option_parse_duration(void *target, const struct option_use *use, const char *arg, bool enabled);

/* Numbers for others that parse values. 0, -EINVAL (no number) or -ERANGE (too large); silent. */
int parse_size(const char *s, uint64_t *bytes) LKVM_MUST_CHECK;
int parse_duration(const char *s, uint64_t *ms) LKVM_MUST_CHECK;
/* Decimal, or hexadecimal with 0x. No sign, no space, nothing behind it. */
int parse_u64(const char *s, uint64_t *v) LKVM_MUST_CHECK;
/* on, yes, true, 1; off, no, false, 0. */
int parse_on_off(const char *s, bool *v) LKVM_MUST_CHECK;

/*
 * Reports "--mem: bad value '12Q', expected a size such as 512M (see lkvm help run)". @arg may be NULL: then
 * a value is missing. Returns -EINVAL.
 */
int options_bad_value(const struct option_use *use, const char *arg, const char *expected);

/*
 * The index of @arg in @words (NULL-terminated), or -EINVAL, reported with the nearest word and all the
 * valid ones. @what is "value", "key", or a key's name.
 */
int options_match_word(const struct option_use *use, const char *what, const char *arg,
		       const char *const words[]) LKVM_MUST_CHECK;

/*
 * Calls @item for each part of a list with commas, which it may change; one part at least. 0, -ENOMEM or
 * -EINVAL (reported), or the first error of @item.
 */
int options_parse_list(void *target, const struct option_use *use, const char *arg,
		       int (*item)(void *target, const struct option_use *use, char *text)) LKVM_MUST_CHECK;

/* A key of a compound value (key=value,...). */
struct option_key {
	const char *name;
	bool        flag;  /* may stand alone, which means on: then @value is NULL */
	/* 0 or -EINVAL / -ENOMEM (reported). */
	int (*parse)(void *target, const struct option_use *use, const char *key, const char *value);
};

#define OPTION_MAX_KEYS 32

/*
 * Splits "FIRST,key=value,flag" and calls the keys' parsers in the order of the text. A first part without
 * '=' that is no known flag belongs to keys[0], and so does one whose word before the '=' can't be a key
 * (it holds a slash or a dot). A doubled comma stands for a comma inside a value. Returns 0 or -EINVAL /
 * -ENOMEM, reported: an unknown key names itself, the nearest valid one, and the help page; a key may be
 * given once.
 */
int options_parse_compound(void *target, const struct option_use *use, const char *arg,
			   const struct option_key *keys, size_t nr_keys) LKVM_MUST_CHECK;

/*
 * Parses argv[1..]; stops at "--" or at the first word that is no option. Returns the index of the first
 * unparsed word (argc if none), -EINVAL or -ENOMEM (reported), or -ECANCELED at --help or -h, which every
 * command has: the caller prints the page.
 */
int options_parse(const struct option_set *set, int argc, char **argv, void *target) LKVM_MUST_CHECK;

/* Prints the options of the set's arch by section, in 80 columns. */
void options_print_help(const struct option_set *set, FILE *out);
/* The options of all arches as man(7) source. */
void options_print_man(const struct option_set *set, FILE *out);

/* The word of @words (NULL-terminated) nearest to @word, or NULL if none is near. */
const char *nearest_word(const char *word, const char *const words[]);

#endif
