// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lkvm/run-options.h"
#include "tests/unit/test.h"

/* ---- commands of the test's own --------------------------------------------------------------- */

static int calls;

static int play_main(int argc, char **argv LKVM_UNUSED)
{
	calls++;
	return argc;
}

static const struct cmd play = {
	.name = "play",
	.summary = "play a game",
	.usage = "play [OPTIONS] -- WORDS",
	.description = "First paragraph, which is long enough to be broken into two lines of at most eighty "
		       "columns.\n\nSecond one with --dashes.",
	.run = play_main,
	.options = run_options,
	.nr_options = &run_options_nr,
};

static const struct cmd two = {
	.name = "toy list", .summary = "list toys", .usage = "toy list", .description = "Lists.", .run = play_main,
};

static const struct cmd pause_cmd = {
	.name = "pause", .summary = "wait", .usage = "pause", .description = "Waits.", .run = play_main,
};

const struct cmd *const cmd_table[] = { &play, &two, &pause_cmd, &cmd_help, NULL };

unsigned int cmd_arch(void)
{
	return OPT_RISCV64;
}

/* What @print writes to a stream. free() it. */
static char *printed(void (*print)(FILE *out))
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	print(f);
	fclose(f);
	return text;
}

/* ---- tests ------------------------------------------------------------------------------------ */

static const struct cmd *find(const char *a, const char *b, int *taken)
{
	char first[32], second[32];
	char *words[] = { first, second, NULL };

	snprintf(first, sizeof(first), "%s", a);
	snprintf(second, sizeof(second), "%s", b ? b : "");
	return cmd_find(words, b ? 2 : 1, taken);
}

static void test_find_two_words(void)
{
	int taken = 0;

	CHECK(find("toy", "list", &taken) == &two);
	CHECK_EQ(taken, 2);
	CHECK(find("play", "list", &taken) == &play);
	CHECK_EQ(taken, 1);
	test_stderr_begin();
	CHECK(!find("toy", NULL, &taken));
	CHECK(!find("toy", "lisp", &taken));
	CHECK(!find("toys", "list", &taken));
	CHECK_STR(test_stderr_end(), "lkvm: unknown command 'toy' (did you mean toy list? see lkvm help)\n"
				     "lkvm: unknown command 'toy' (did you mean toy list? see lkvm help)\n"
				     "lkvm: unknown command 'toys' (did you mean toy list? see lkvm help)\n");
}

static void test_find(void)
{
	int taken;

	CHECK(find("play", NULL, &taken) == &play);
	CHECK(find("help", NULL, &taken) == &cmd_help);
	test_stderr_begin();
	CHECK(!find("paly", NULL, &taken));
	CHECK(!find("sandbox", NULL, &taken));
	CHECK(!find("", NULL, &taken));
	CHECK_STR(test_stderr_end(), "lkvm: unknown command 'paly' (did you mean play? see lkvm help)\n"
				     "lkvm: unknown command 'sandbox' (see lkvm help)\n"
				     "lkvm: unknown command '' (see lkvm help)\n");
}

static void test_overview(void)
{
	char *text = printed(cmd_print_overview);

	CHECK_STR(text, "usage: lkvm COMMAND [OPTIONS]\n\n"
			"  play       play a game\n"
			"  toy list   list toys\n"
			"  pause      wait\n"
			"  help       list the commands, or explain one\n\n"
			"lkvm help COMMAND says more; for example: lkvm run --kernel Image --params quiet\n");
	free(text);
}

static void print_play(FILE *out)
{
	cmd_print_help(&play, out);
}

static void print_pause(FILE *out)
{
	cmd_print_help(&pause_cmd, out);
}

static void test_help_page(void)
{
	static const char head[] =
		"usage: lkvm play [OPTIONS] -- WORDS\n\n"
		"First paragraph, which is long enough to be broken into two lines of at most\n"
		"eighty columns.\n\nSecond one with --dashes.\n\nBoot:\n";
	char *text = printed(print_play);

	CHECK(!strncmp(text, head, strlen(head)));
	/* All of this arch's options, and no others. */
	for (size_t i = 0; i < run_options_nr; i++) {
		char name[64];
		const char *at;

		snprintf(name, sizeof(name), " --%s", run_options[i].long_name);
		at = strstr(text, name);
		CHECK(!at == !(run_options[i].arches & OPT_RISCV64));
	}
	/* 80 columns but for words that are longer than their column. */
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		CHECK(strcspn(line, "\n") <= 80);
	free(text);

	text = printed(print_pause);
	CHECK_STR(text, "usage: lkvm pause\n\nWaits.\n");
	free(text);
}

static void test_man(void)
{
	char *text = printed(cmd_print_man);

	CHECK(!strncmp(text, ".TH LKVM 1 ", 11));
	CHECK(strstr(text, ".SH NAME\nlkvm \\- "));
	CHECK(strstr(text, ".SH SYNOPSIS\n.B lkvm play [OPTIONS] \\-\\- WORDS\n.br\n.B lkvm toy list\n.br\n.B lkvm pause\n"));
	CHECK(strstr(text, ".PP\nSecond one with \\-\\-dashes.\n"));
	CHECK(strstr(text, ".SS lkvm pause\n.PP\nWaits.\n"));
	/* All options of all arches. */
	for (size_t i = 0; i < run_options_nr; i++) {
		char name[128] = "\\-\\-";
		size_t n = strlen(name);

		for (const char *p = run_options[i].long_name; *p; p++)
			n += (size_t)snprintf(name + n, sizeof(name) - n, "%s%c", *p == '-' ? "\\" : "", *p);
		CHECK(strstr(text, name));
	}
	CHECK(!strstr(text, "\n'"));
	free(text);
}

/* Runs `help` with @words; returns its status and what it wrote to stdout in @out. */
static int run_help(int argc, const char *const words[], char *out, size_t size)
{
	char *argv[8] = { NULL };
	FILE *f = tmpfile();
	int copy, status;
	size_t n;

	for (int i = 0; i < argc; i++)
		argv[i] = (char *)(uintptr_t)words[i];
	fflush(stdout);
	copy = dup(STDOUT_FILENO);
	dup2(fileno(f), STDOUT_FILENO);
	status = cmd_help.run(argc, argv);
	fflush(stdout);
	dup2(copy, STDOUT_FILENO);
	close(copy);
	rewind(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	fclose(f);
	return status;
}

static void test_help_command(void)
{
	static char out[65536];

	CHECK_EQ(run_help(1, (const char *const[]){ "help" }, out, sizeof(out)), 0);
	CHECK(!strncmp(out, "usage: lkvm COMMAND", 19));
	CHECK_EQ(run_help(2, (const char *const[]){ "help", "pause" }, out, sizeof(out)), 0);
	CHECK_STR(out, "usage: lkvm pause\n\nWaits.\n");
	/* The first word of two names them all. */
	CHECK_EQ(run_help(2, (const char *const[]){ "help", "toy" }, out, sizeof(out)), 0);
	CHECK_STR(out, "usage: lkvm toy list\n\nLists.\n");
	CHECK_EQ(run_help(2, (const char *const[]){ "help", "--help" }, out, sizeof(out)), 0);
	CHECK(!strncmp(out, "usage: lkvm help", 16));
	CHECK_EQ(run_help(2, (const char *const[]){ "help", "--man" }, out, sizeof(out)), 0);
	CHECK(!strncmp(out, ".TH LKVM 1", 10));

	test_stderr_begin();
	CHECK_EQ(run_help(2, (const char *const[]){ "help", "puase" }, out, sizeof(out)), 125);
	CHECK_EQ(run_help(3, (const char *const[]){ "help", "pause", "x" }, out, sizeof(out)), 125);
	CHECK_EQ(run_help(2, (const char *const[]){ "help", "--men" }, out, sizeof(out)), 125);
	CHECK_STR(test_stderr_end(),
		  "lkvm: unknown command 'puase' (did you mean pause? see lkvm help)\n"
		  "lkvm: help takes one command: unexpected word 'x' (see lkvm help)\n"
		  "lkvm: unknown option --men (did you mean --man? see lkvm help help)\n");
	CHECK_EQ(calls, 0);
}

static void test_parse(void)
{
	char *none[] = { (char *)(uintptr_t)"pause", NULL };
	char *word[] = { (char *)(uintptr_t)"pause", (char *)(uintptr_t)"x", NULL };
	char *unknown[] = { (char *)(uintptr_t)"pause", (char *)(uintptr_t)"--x", NULL };
	int status = -1;

	CHECK(cmd_parse(&pause_cmd, 1, none, NULL, &status));
	test_stderr_begin();
	CHECK(!cmd_parse(&pause_cmd, 2, word, NULL, &status));
	CHECK_EQ(status, 125);
	CHECK(!cmd_parse(&pause_cmd, 2, unknown, NULL, &status));
	CHECK_EQ(status, 125);
	CHECK_STR(test_stderr_end(), "lkvm: unexpected word 'x' (see lkvm help pause)\n"
				     "lkvm: unknown option --x (see lkvm help pause)\n");
}

const struct test cmd_tests[] = {
	{ "find", test_find },
	{ "find_two_words", test_find_two_words },
	{ "overview", test_overview },
	{ "help-page", test_help_page },
	{ "man", test_man },
	{ "help-command", test_help_command },
	{ "parse", test_parse },
	{ 0 },
};
