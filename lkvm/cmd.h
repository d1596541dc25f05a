/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands. Each takes argv with argv[0] = its own name and returns the process's exit status. */
#ifndef LKVM_CMD_H
#define LKVM_CMD_H

#include <stdio.h>

#include "lkvm/options.h"

/* The Makefile knows the version; this is for those who compile a file by hand. */
#ifndef LKVM_VERSION
#define LKVM_VERSION "0.1.0"
#endif

struct cmd {
	const char *name;      /* one word or two: "run", "pmu list" */
	const char *summary;   /* one line for `lkvm help` */
	const char *usage;     /* "run --kernel FILE [OPTIONS]" */
	const char *description; /* paragraphs for `lkvm help CMD` and the man page, parted by "\n\n" */
	int (*run)(int argc, char **argv);
	const struct option_spec *options;
	const size_t *nr_options; /* NULL: none */
};

extern const struct cmd cmd_run;
extern const struct cmd cmd_test;
extern const struct cmd cmd_list;
extern const struct cmd cmd_pause;
extern const struct cmd cmd_resume;
extern const struct cmd cmd_stop;
extern const struct cmd cmd_stat;
extern const struct cmd cmd_debug;
extern const struct cmd cmd_wait;
extern const struct cmd cmd_balloon;
extern const struct cmd cmd_exec;
extern const struct cmd cmd_console;
extern const struct cmd cmd_doctor;
extern const struct cmd cmd_pmu_list;
extern const struct cmd cmd_pmu_stat;
extern const struct cmd cmd_explain;
extern const struct cmd cmd_version;
extern const struct cmd cmd_help;

struct vm;

/* For commands that do what `lkvm run` does, and more. */
struct run_hooks {
	/* Before each life of the guest begins. 0 or -errno (reported): it will not run. */
	int (*created)(void *ctx, struct vm *vm);
	/* After it; also when created() failed. */
	void (*ended)(void *ctx, struct vm *vm);
	void *ctx;
};

/* `lkvm run`, with argv[0] = "run". Returns the exit status. @hooks may be NULL. */
int cmd_run_with(int argc, char **argv, const struct run_hooks *hooks);

/* All subcommands in the order of `lkvm help`; NULL-terminated. In main.c; tests bring their own. */
extern const struct cmd *const cmd_table[];

/*
 * Until it is called again with @ms 0, the process ends with @status and a line on stderr @ms from now: for what
 * can block before the main loop serves --timeout, such as opening a FIFO. @when is what lkvm is at, a clause for
 * the line. In main.c, which has the only exit.
 */
void cmd_deadline(uint64_t ms, int status, const char *when);

/* The OPT_* bit of this binary's arch. In main.c; tests bring their own. */
unsigned int cmd_arch(void);

/* The options of @cmd for this arch. */
struct option_set cmd_options(const struct cmd *cmd);

/*
 * Parses the options of a command that takes no other words. Returns true to go on; false when the command
 * is over, with its exit status in @status: help was asked for and printed, or something is wrong (reported).
 */
bool cmd_parse(const struct cmd *cmd, int argc, char **argv, void *target, int *status);

/*
 * The subcommand that the first words of @words name ("run", "pmu list"), and how many of them that took.
 * NULL, reported with the nearest one, if there is none.
 */
const struct cmd *cmd_find(char *const words[], int nr, int *taken);

/* Prints the list of commands. */
void cmd_print_overview(FILE *out);
/* Prints the help page of @cmd. */
void cmd_print_help(const struct cmd *cmd, FILE *out);
/* Prints the man page of lkvm with all commands, as man(7) source. */
void cmd_print_man(FILE *out);

#endif
