// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "lkvm/disasm.h"
#include "lkvm/explain.h"
#include "lkvm/json.h"
#include "lkvm/log.h"
#include "lkvm/outcome.h"

#define COLUMNS 100
#define MARGIN  12 /* where texts begin behind their label */
#define NAME_WIDTH 30 /* hardware_entry_failure_reason */

/* More readings than that are one line each. */
#define MAX_FULL_READINGS 3

struct explain_args {
	const char *arch;
	bool        json;
};

static int parse_arch(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	struct explain_args *args = target;

	args->arch = explain_arch(arg);
	/* Not one of the other names either: the message lists the proper ones. */
	return args->arch ? 0 : options_match_word(use, "value", arg, explain_arches);
}

static const struct option_spec explain_options[] = {
	{ .long_name = "arch", .metavar = "ARCH", .arches = OPT_ALL, .section = "Options", .parse = parse_arch,
	  .help = "riscv64, arm64, ppc (ppc-booke, also ppc-e500v2, ppc-e500mc; ppc-book3s), x86_64 (also "
		  "x86-intel, x86-amd); each of them where the value means something unless given" },
	{ .long_name = "json", .arches = OPT_ALL, .section = "Options", .parse = option_parse_bool,
	  .offset = offsetof(struct explain_args, json), .help = "print JSON" },
};

static const size_t explain_options_nr = ARRAY_SIZE(explain_options);

/* ---- the instruction ---------------------------------------------------------------------------- */

/* Whose it is, from the reading's arches. */
static bool insn_cpu(const struct explain_reading *r, enum disasm_cpu *cpu)
{
	if (!strncmp(r->arches, "ppc-", 4))
		*cpu = DISASM_PPC32;
	else if (!strncmp(r->arches, "x86", 3))
		*cpu = DISASM_X86_64;
	else
		return false;
	return true;
}

/* "7c 00 06 ff" and, where it can be told, what that is. */
static void insn_text(const struct explain_reading *r, char *bytes, size_t size, char *text, size_t text_size)
{
	enum disasm_cpu cpu;

	bytes[0] = text[0] = '\0';
	for (unsigned int i = 0; i < r->rec.insn_len; i++)
		snprintf(bytes + strlen(bytes), size - strlen(bytes), "%s%02x", i ? " " : "", r->rec.insn[i]);
	if (r->rec.insn_len && insn_cpu(r, &cpu))
		disasm_one(cpu, 0, r->rec.insn, r->rec.insn_len, text, text_size);
}

/* ---- text --------------------------------------------------------------------------------------- */

/* Prints @text from @column on; further lines begin at @margin. */
static void print_wrapped(const char *text, size_t column, size_t margin)
{
	bool first = true;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (!first && column + 1 + word > COLUMNS) {
			printf("\n%*s", (int)margin, "");
			column = margin;
		} else if (!first) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)word, text);
		column += word;
		text += word + strspn(text + word, " ");
		first = false;
	}
	putchar('\n');
}

/* "  LABEL     TEXT" */
static void print_labelled(const char *label, const char *text)
{
	print_wrapped(text, (size_t)printf("  %-*s", MARGIN - 2, label), MARGIN);
}

static void print_field(const char *label, const struct exit_field *f)
{
	size_t column = (size_t)printf("  %-*s%-*s %s", MARGIN - 2, label, NAME_WIDTH, f->name, f->value);

	if (f->meaning[0])
		column += (size_t)printf("  ");
	print_wrapped(f->meaning, column, MARGIN + NAME_WIDTH + 1);
}

static void print_full(const struct explain_reading *r)
{
	const struct exit_record *rec = &r->rec;
	char bytes[3 * EXIT_CODE_BYTES + 1], insn[96], line[sizeof(bytes) + sizeof(insn) + 2];

	printf("%s (%s)\n", r->as, r->arches);
	print_labelled("what", rec->what);
	print_labelled("cause", exit_cause_word(rec->cause));
	print_labelled("resume", rec->verdict == EXIT_RESUMABLE ?
		       "yes: the vCPU is entered again" : "no: the vCPU can't go on");
	insn_text(r, bytes, sizeof(bytes), insn, sizeof(insn));
	if (bytes[0]) {
		snprintf(line, sizeof(line), "%s%s%s", bytes, insn[0] ? ": " : "", insn);
		print_labelled("code", line);
	}
	if (rec->advice[0])
		print_labelled("advice", rec->advice);
	for (unsigned int i = 0; i < rec->nr_fields; i++)
		print_field(i ? "" : "payload", &rec->fields[i]);
}

static void print_text(const struct explain_result *res)
{
	for (unsigned int i = 0; i < res->nr; i++) {
		const struct explain_reading *r = &res->readings[i];

		if (res->nr <= MAX_FULL_READINGS) {
			if (i)
				putchar('\n');
			print_full(r);
		} else {
			printf("%s (%s)\n", r->as, r->arches);
			print_labelled("", r->rec.what);
		}
	}
	if (res->nr > MAX_FULL_READINGS)
		printf("\nMore with --arch, or with a word that says what the number is: see lkvm help explain\n");
}

/* A number alone may be what the shell said of lkvm run. */
static void print_own_status(const char *text)
{
	char *end;
	long status = strtol(text, &end, 10);

	if (!*end && status >= EXIT_STATUS_PANIC && status <= EXIT_STATUS_START_FAILED)
		printf("\nIf it is the exit status of lkvm run: see lkvm help run for what that means\n");
}

/* ---- JSON --------------------------------------------------------------------------------------- */

#ifdef HAVE_JANSSON
static json_t *json_arches(const char *names)
{
	json_t *array = json_array();

	while (*names) {
		size_t len = strcspn(names, ",");

		json_array_append_new(array, json_stringn(names, len));
		names += len + strspn(names + len, ", ");
	}
	return array;
}

static json_t *json_fields(const struct exit_record *rec)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < rec->nr_fields; i++) {
		const struct exit_field *f = &rec->fields[i];

		json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "name", f->name, "value", f->value,
						       "meaning", f->meaning));
	}
	return array;
}

static json_t *json_reading(const struct explain_reading *r)
{
	const struct exit_record *rec = &r->rec;
	char bytes[3 * EXIT_CODE_BYTES + 1], insn[96];
	json_t *o;

	insn_text(r, bytes, sizeof(bytes), insn, sizeof(insn));
	o = json_pack("{s:s, s:o, s:s, s:s, s:s, s:b, s:s, s:s, s:o}", "as", r->as, "arches", json_arches(r->arches),
		      "exit", rec->name, "cause", exit_cause_word(rec->cause), "cause_text",
		      exit_cause_text(rec->cause), "resumable", rec->verdict == EXIT_RESUMABLE, "what", rec->what,
		      "advice", rec->advice, "fields", json_fields(rec));
	if (rec->run_errno)
		json_object_set_new(o, "errno", json_integer(rec->run_errno));
	if (bytes[0])
		json_object_set_new(o, "instruction", json_pack("{s:s, s:s}", "bytes", bytes, "text", insn));
	return o;
}

static int print_json(const char *text, const struct explain_result *res)
{
	json_t *readings = json_array();
	json_t *root;
	int ret = -1;

	for (unsigned int i = 0; i < res->nr; i++)
		json_array_append_new(readings, json_reading(&res->readings[i]));
	root = json_pack("{s:o, s:o}", "text", json_text(text), "readings", readings);
	if (root)
		ret = json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	json_decref(root);
	putchar('\n');
	return ret ? EXIT_STATUS_START_FAILED : 0;
}
#else
static int print_json(const char *text LKVM_UNUSED, const struct explain_result *res LKVM_UNUSED)
{
	log_error("--json: jansson is not built into this lkvm");
	return EXIT_STATUS_START_FAILED;
}
#endif

/* ---- the command -------------------------------------------------------------------------------- */

static int out_of_memory(void)
{
	log_error("out of memory");
	return EXIT_STATUS_START_FAILED;
}

/* -22, -EINVAL and a dash are values, no options. */
static bool is_value(const char *word)
{
	return word[0] != '-' || !word[1] || (word[1] >= '0' && word[1] <= '9') || word[1] == 'E';
}

/*
 * All words that are no options, with spaces between, to @text, which the caller frees. Options may stand anywhere.
 * 0 or -errno as of options_parse().
 */
static int take_words(int argc, char **argv, struct explain_args *args, char **text)
{
	const struct option_set set = cmd_options(&cmd_explain);
	size_t size = 1;

	for (int i = 1; i < argc; i++)
		size += strlen(argv[i]) + 1;
	*text = calloc(1, size);
	if (!*text)
		return -ENOMEM;
	while (argc > 1) {
		int i = 1;

		if (!is_value(argv[1]) && strcmp(argv[1], "--")) {
			i = options_parse(&set, argc, argv, args);
			if (i < 0)
				return i;
			argc -= i - 1;
			argv += i - 1;
			continue;
		}
		if (strcmp(argv[1], "--")) {
			strcat(*text, **text ? " " : "");
			strcat(*text, argv[1]);
		}
		argc--;
		argv++;
	}
	return 0;
}

static int explain_words(const struct explain_args *args, const char *text)
{
	struct explain_result *res;
	int status = EXIT_STATUS_START_FAILED;

	if (!text[strspn(text, " \t\n")]) {
		log_error("explain what? A number or a line of a log (see lkvm help explain)");
		return status;
	}
	res = malloc(sizeof(*res));
	if (!res)
		return out_of_memory();
	if (explain(args->arch, text, res)) {
		log_error("nothing known in '%s': neither an exit of KVM nor an errno (see lkvm help %s)", text,
			  strstr(text, "exit status") ? "run for the exit statuses of lkvm" : "explain");
	} else if (args->json) {
		status = print_json(text, res);
	} else {
		print_text(res);
		print_own_status(text);
		status = 0;
	}
	free(res);
	return status;
}

static int cmd_explain_main(int argc, char **argv)
{
	struct explain_args args = { NULL, false };
	int status = EXIT_STATUS_START_FAILED;
	char *text = NULL;
	int ret;

	ret = take_words(argc, argv, &args, &text);
	if (ret == -ECANCELED) {
		cmd_print_help(&cmd_explain, stdout);
		status = 0;
	} else if (ret == -ENOMEM) {
		status = out_of_memory();
	} else if (!ret) {
		status = explain_words(&args, text);
	}
	free(text);
	return status;
}

const struct cmd cmd_explain = {
	.name = "explain",
	.summary = "say what an exit of KVM in somebody's log means",
	.usage = "explain [--arch ARCH] [--json] VALUE...",
	.description =
		"Says what a number that KVM gave, or a line of somebody's log that has one, means: what happened, "
		"why, whether the vCPU can go on, and where to look. It needs no KVM, and knows all architectures on "
		"any machine.\n\n"
		"A line of QEMU, kvmtool, Firecracker, the kernel or lkvm can be given as it is: "
		"lkvm explain \"KVM: unknown exit, hardware reason ffffffffffffffea\"\n\n"
		"A number alone is taken for whatever it can be. Words say what it is: hardware reason N, hardware "
		"error N (a failed entry), exit reason N, suberror N, errno N or NAME, trap N, instruction N, mcsr N, "
		"hcall N, scause N, esr N, pc N. A reason by its name takes the members of struct kvm_run, in their order or "
		"by name: lkvm explain KVM_EXIT_FAIL_ENTRY 0x80000021 cpu 3",
	.run = cmd_explain_main,
	.options = explain_options,
	.nr_options = &explain_options_nr,
};
