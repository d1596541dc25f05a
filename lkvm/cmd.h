/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands. Each takes argv with argv[0] = its own name and returns the process's exit status. */
#ifndef LKVM_CMD_H
#define LKVM_CMD_H

#include <stdio.h>

#include "lkvm/config.h"
#include "lkvm/options.h"

struct cmd {
	const char *name;
	const char *summary;   /* one line for `lkvm help` */
	const char *usage;     /* "run --kernel FILE [OPTIONS] [-- CMD ARGS]" */
	const char *description; /* a paragraph or two for `lkvm help CMD` and the man page */
	int (*run)(int argc, char **argv);
	const struct option_spec *options;
	size_t      nr_options;
};

extern const struct cmd cmd_run;
extern const struct cmd cmd_doctor;
extern const struct cmd cmd_version;
extern const struct cmd cmd_help;

/* All subcommands in the order of `lkvm help`; NULL-terminated. */
extern const struct cmd *const cmd_table[];

/* Options of `run`, shared with whoever builds a config from words. */
extern const struct option_spec run_options[];
extern const size_t run_options_nr;

/* Prints the help page of @cmd. */
void cmd_print_help(const struct cmd *cmd, FILE *out);

#endif
