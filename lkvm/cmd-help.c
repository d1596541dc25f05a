// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/cmd.h"

#include <errno.h>
#include <string.h>

#include "lkvm/log.h"
#include "lkvm/outcome.h"

#define COLUMNS      80
#define MAX_COMMANDS 32

static const char about[] =
	"lkvm boots Linux kernels in virtual machines on KVM, for people and scripts that need to know what "
	"happened: it ends with the guest's own status when all went well, and says in plain words what "
	"went wrong when it did not.";

struct option_set cmd_options(const struct cmd *cmd)
{
	return (struct option_set){
		.specs = cmd->options,
		.nr = cmd->nr_options ? *cmd->nr_options : 0,
		.command = cmd->name,
		.arch = cmd_arch(),
	};
}

bool cmd_parse(const struct cmd *cmd, int argc, char **argv, void *target, int *status)
{
	const struct option_set set = cmd_options(cmd);
	int ret = options_parse(&set, argc, argv, target);

	*status = EXIT_STATUS_START_FAILED;
	if (ret == -ECANCELED) {
		cmd_print_help(cmd, stdout);
		*status = 0;
		return false;
	}
	if (ret >= 0 && ret < argc)
		log_error("unexpected word '%s' (see lkvm help %s)", argv[ret], cmd->name);
	return ret == argc;
}

/* How many of @words are the name of @cmd; 0: they are not. */
static int words_name(const struct cmd *cmd, char *const words[], int nr)
{
	const char *second = strchr(cmd->name, ' ');
	size_t first = strcspn(cmd->name, " ");

	if (strlen(words[0]) != first || memcmp(words[0], cmd->name, first))
		return 0;
	if (!second)
		return 1;
	return nr > 1 && !strcmp(words[1], second + 1) ? 2 : 0;
}

const struct cmd *cmd_find(char *const words[], int nr, int *taken)
{
	const char *names[MAX_COMMANDS + 1];
	char both[64];
	const char *near;
	size_t n = 0;

	for (; n < MAX_COMMANDS && cmd_table[n]; n++) {
		*taken = words_name(cmd_table[n], words, nr);
		if (*taken)
			return cmd_table[n];
		names[n] = cmd_table[n]->name;
	}
	names[n] = NULL;
	near = nearest_word(words[0], names);
	if (!near && nr > 1) {
		snprintf(both, sizeof(both), "%s %s", words[0], words[1]);
		near = nearest_word(both, names);
	}
	/* The first word of two is as good as near. */
	for (size_t i = 0; !near && names[i]; i++)
		if (strchr(names[i], ' ') && !strncmp(names[i], words[0], strcspn(names[i], " ")) &&
		    strlen(words[0]) == strcspn(names[i], " "))
			near = names[i];
	if (near)
		log_error("unknown command '%s' (did you mean %s? see lkvm help)", words[0], near);
	else
		log_error("unknown command '%s' (see lkvm help)", words[0]);
	return NULL;
}

/* Prints a paragraph in COLUMNS columns. */
static void print_paragraph(FILE *out, const char *text, size_t len)
{
	size_t column = 0;

	for (size_t i = 0; i < len;) {
		size_t word = 0;

		while (i + word < len && text[i + word] != ' ')
			word++;
		if (column && column + 1 + word > COLUMNS) {
			fputc('\n', out);
			column = 0;
		} else if (column) {
			fputc(' ', out);
			column++;
		}
		fwrite(text + i, 1, word, out);
		column += word;
		i += word + 1;
	}
	fputc('\n', out);
}

/* Calls @print for every paragraph of @text. */
static void for_paragraphs(FILE *out, const char *text,
			   void (*print)(FILE *out, const char *text, size_t len))
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		size_t len = end ? (size_t)(end - text) : strlen(text);

		print(out, text, len);
		text += len;
		text += strspn(text, "\n");
	}
}

static void print_paragraph_behind_gap(FILE *out, const char *text, size_t len)
{
	fputc('\n', out);
	print_paragraph(out, text, len);
}

void cmd_print_overview(FILE *out)
{
	fprintf(out, "usage: lkvm COMMAND [OPTIONS]\n\n");
	for (const struct cmd *const *cmd = cmd_table; *cmd; cmd++)
		fprintf(out, "  %-10s %s\n", (*cmd)->name, (*cmd)->summary);
	fprintf(out, "\nlkvm help COMMAND says more; for example: lkvm run --kernel Image --params quiet\n");
}

void cmd_print_help(const struct cmd *cmd, FILE *out)
{
	const struct option_set set = cmd_options(cmd);

	fprintf(out, "usage: lkvm %s\n", cmd->usage);
	for_paragraphs(out, cmd->description, print_paragraph_behind_gap);
	options_print_help(&set, out);
}

/* ---- man page --------------------------------------------------------------------------------- */

static void man_text(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		/* Dashes are options here, not hyphens. */
		if (text[i] == '-')
			fputs("\\-", out);
		else if (text[i] == '\\')
			fputs("\\e", out);
		else
			fputc(text[i], out);
	}
}

static void man_paragraph(FILE *out, const char *text, size_t len)
{
	fputs(".PP\n", out);
	man_text(out, text, len);
	fputc('\n', out);
}

void cmd_print_man(FILE *out)
{
	fprintf(out, ".TH LKVM 1 \"\" \"lkvm " LKVM_VERSION "\" \"User Commands\"\n"
		     ".SH NAME\nlkvm \\- run Linux kernels in virtual machines on KVM\n.SH SYNOPSIS\n");
	for (const struct cmd *const *cmd = cmd_table; *cmd; cmd++) {
		fprintf(out, "%s.B lkvm ", cmd == cmd_table ? "" : ".br\n");
		man_text(out, (*cmd)->usage, strlen((*cmd)->usage));
		fputc('\n', out);
	}
	fputs(".SH DESCRIPTION\n", out);
	man_text(out, about, strlen(about));
	fputs("\n.SH COMMANDS\n", out);
	for (const struct cmd *const *cmd = cmd_table; *cmd; cmd++) {
		const struct option_set set = cmd_options(*cmd);

		fputs(".SS lkvm ", out);
		man_text(out, (*cmd)->usage, strlen((*cmd)->usage));
		fputc('\n', out);
		for_paragraphs(out, (*cmd)->description, man_paragraph);
		options_print_man(&set, out);
	}
	fputs(".SH FILES\n.TP\n.I /dev/kvm\nThe kernel's virtualisation device; the user must be able to "
	      "read and write it.\n"
	      ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nNot empty: no colour, also on a terminal.\n", out);
}

/* ---- the command ------------------------------------------------------------------------------ */

struct help_args {
	bool man;
};

static const struct option_spec help_options[] = {
	{ .long_name = "man", .arches = OPT_ALL, .section = "Options", .parse = option_parse_bool,
	  .offset = offsetof(struct help_args, man),
	  .help = "print the man page, as source for man(1)" },
};

static const size_t help_options_nr = ARRAY_SIZE(help_options);

/* The commands of two words whose first is @word, such as pmu. False if there are none. */
static bool print_group(const char *word)
{
	size_t len = strlen(word);
	bool any = false;

	for (const struct cmd *const *cmd = cmd_table; *cmd; cmd++) {
		if (strncmp((*cmd)->name, word, len) || (*cmd)->name[len] != ' ')
			continue;
		if (any)
			putchar('\n');
		cmd_print_help(*cmd, stdout);
		any = true;
	}
	return any;
}

static int cmd_help_main(int argc, char **argv)
{
	const struct option_set set = cmd_options(&cmd_help);
	struct help_args args = { false };
	const struct cmd *cmd;
	int taken;
	int i = options_parse(&set, argc, argv, &args);

	if (i == -ECANCELED) {
		cmd_print_help(&cmd_help, stdout);
		return 0;
	}
	if (i < 0)
		return EXIT_STATUS_START_FAILED;
	if (args.man) {
		cmd_print_man(stdout);
		return 0;
	}
	if (i == argc) {
		cmd_print_overview(stdout);
		return 0;
	}
	if (argc - i == 1 && print_group(argv[i]))
		return 0;
	cmd = cmd_find(argv + i, argc - i, &taken);
	if (!cmd)
		return EXIT_STATUS_START_FAILED;
	if (argc - i > taken) {
		log_error("help takes one command: unexpected word '%s' (see lkvm help)", argv[i + taken]);
		return EXIT_STATUS_START_FAILED;
	}
	cmd_print_help(cmd, stdout);
	return 0;
}

const struct cmd cmd_help = {
	.name = "help",
	.summary = "list the commands, or explain one",
	.usage = "help [COMMAND]",
	.description = "Lists the commands, or explains COMMAND and all of its options.",
	.run = cmd_help_main,
	.options = help_options,
	.nr_options = &help_options_nr,
};
