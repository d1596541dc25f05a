// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/run-report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "lkvm/arch.h"
#include "lkvm/clock.h"
#include "lkvm/cmd.h"
#include "lkvm/command.h"
#include "lkvm/exit.h"
#include "lkvm/json.h"
#include "lkvm/log.h"
#include "lkvm/report.h"
#include "lkvm/timeline-svg.h"
#include "lkvm/vm.h"

#define TAIL_BYTES 16384

static bool is_ok(const struct outcome *o)
{
	return !outcome_is_bad(o) && !outcome_exit_status(o);
}

/* What a test page calls the run. Static. */
static const char *test_name(const struct config *cfg)
{
	const char *file = cfg->kernel ? cfg->kernel : cfg->firmware;
	const char *slash = strrchr(file, '/');

	if (cfg->name)
		return cfg->name;
	if (cfg->command)
		return cfg->command[0];
	return slash ? slash + 1 : file;
}

/* The end of the console. Static buffer. */
static const char *console_text(const struct run_report *r)
{
	static char text[TAIL_BYTES];

	text[0] = '\0';
	if (r->vm)
		console_tail(r->vm->console, text, sizeof(text));
	return text;
}

/* The end of what the command wrote. Static buffer. */
static const char *command_text(const struct run_report *r)
{
	static char text[COMMAND_TAIL_BYTES + 1];

	text[0] = '\0';
	if (r->vm && r->vm->command)
		command_tail(r->vm->command, text);
	return text;
}

/* ---- JSON --------------------------------------------------------------------------------------- */

#ifdef HAVE_JANSSON

json_t *run_report_exits(const struct vcpu *vcpu)
{
	json_t *exits = json_object();

	for (uint32_t reason = 0; reason < VCPU_EXIT_SLOTS; reason++) {
		uint64_t n = atomic_load_explicit(&vcpu->exits[reason], memory_order_relaxed);
		const char *name = exit_reason_name(reason);
		char number[24];

		if (!n)
			continue;
		snprintf(number, sizeof(number), reason == VCPU_EXIT_SLOTS - 1 ? "other" : "%u", reason);
		json_object_set_new(exits, name ? name : number, json_integer((json_int_t)n));
	}
	return exits;
}

static json_t *words(char *const *argv)
{
	json_t *array = json_array();

	for (; argv && *argv; argv++)
		json_array_append_new(array, json_text(*argv));
	return array;
}

static json_t *json_host(void)
{
	struct utsname un;

	if (uname(&un))
		return json_object();
	return json_pack("{s:o, s:o, s:o}", "kernel", json_text(un.release), "kernel_build", json_text(un.version),
			 "machine", json_text(un.machine));
}

static json_t *json_guest(const struct run_report *r)
{
	const struct config *cfg = r->cfg;
	json_t *guest = json_object();
	json_t *initrds = json_array();

	if (cfg->kernel)
		json_object_set_new(guest, "kernel", json_text(cfg->kernel));
	if (cfg->firmware)
		json_object_set_new(guest, "firmware", json_text(cfg->firmware));
	for (unsigned int i = 0; i < cfg->nr_initrds; i++)
		json_array_append_new(initrds, json_text(cfg->initrds[i]));
	json_object_set_new(guest, "initrds", initrds);
	json_object_set_new(guest, "cpus", json_integer(cfg->nr_cpus));
	json_object_set_new(guest, "memory_bytes", json_integer((json_int_t)cfg->ram_bytes));
	if (r->vm && r->vm->boot.cmdline)
		json_object_set_new(guest, "params", json_text(r->vm->boot.cmdline));
	if (cfg->command)
		json_object_set_new(guest, "command", words(cfg->command));
	return guest;
}

static void add_time(const struct run_report *r, json_t *timing, const char *name, uint64_t ms)
{
	if (ms >= r->start_ms && ms)
		json_object_set_new(timing, name, json_integer((json_int_t)(ms - r->start_ms)));
}

static json_t *json_timing(const struct run_report *r)
{
	json_t *timing = json_object();
	const struct vm_watch *w;

	if (!r->vm)
		return timing;
	w = &r->vm->watch;
	add_time(r, timing, "guest_start", r->vm->start_ms);
	add_time(r, timing, "first_console_line", atomic_load(&w->first_line_ms));
	add_time(r, timing, "init", atomic_load(&w->init_ms));
	add_time(r, timing, "command_start", atomic_load(&w->command_start_ms));
	add_time(r, timing, "command_end", atomic_load(&w->command_end_ms));
	add_time(r, timing, "guest_end", atomic_load(&w->end_ms));
	return timing;
}

static json_t *json_vcpus(const struct vm *vm)
{
	json_t *vcpus = json_array();

	for (unsigned int i = 0; vm && i < vm->nr_vcpus; i++)
		json_array_append_new(vcpus, json_pack("{s:i, s:o, s:I, s:I, s:I}", "index", (int)i, "exits",
						       run_report_exits(vm->vcpus[i]), "unclaimed_accesses",
						       (json_int_t)atomic_load(&vm->vcpus[i]->mmio_unclaimed),
						       "unserved_calls",
						       (json_int_t)atomic_load(&vm->vcpus[i]->calls_unserved),
						       "unserved_csrs",
						       (json_int_t)atomic_load(&vm->vcpus[i]->csrs_unserved)));
	return vcpus;
}

static json_t *json_splats(const struct splats *s)
{
	json_t *counts = json_object(), *lines = json_array();

	for (unsigned int kind = 0; kind < SPLAT_KINDS; kind++)
		if (s->count[kind])
			json_object_set_new(counts, splat_words[kind], json_integer(s->count[kind]));
	for (unsigned int i = 0; i < s->nr_quotes; i++)
		json_array_append_new(lines, json_pack("{s:s, s:b, s:o}", "kind", splat_words[s->quotes[i].kind],
						       "allowed", s->quotes[i].allowed, "line",
						       json_text(s->quotes[i].line)));
	return json_pack("{s:o, s:i, s:o}", "counts", counts, "allowed", (int)s->allowed, "lines", lines);
}

static json_t *json_oops(const struct oops *oops)
{
	json_t *j = json_object(), *trace = json_array();
	char where[OOPS_WHERE_BYTES];

	json_object_set_new(j, "what", json_text(oops->what));
	if (oops_where(oops, where))
		json_object_set_new(j, "where", json_text(where));
	if (oops->pc[0])
		json_object_set_new(j, "pc", json_text(oops->pc));
	if (oops->caller[0])
		json_object_set_new(j, "caller", json_text(oops->caller));
	if (oops->task[0])
		json_object_set_new(j, "task", json_text(oops->task));
	for (unsigned int i = 0; i < oops->nr_trace; i++)
		json_array_append_new(trace, json_text(oops->trace[i]));
	json_object_set_new(j, "trace", trace);
	return j;
}

static json_t *json_report(const struct run_report *r)
{
	const struct outcome *o = r->outcome;
	json_t *root = json_object();
	char now[32] = "";
	time_t t = time(NULL);
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_object_set_new(root, "schema", json_string("lkvm-report/1"));
	json_object_set_new(root, "ok", json_boolean(is_ok(o)));
	json_object_set_new(root, "outcome", json_string(outcome_word(o->kind)));
	json_object_set_new(root, "exit_status", json_integer(outcome_exit_status(o)));
	json_object_set_new(root, "text", json_text(o->text));
	if (r->vm && r->vm->panic_text[0])
		json_object_set_new(root, "panic", json_text(r->vm->panic_text));
	json_object_set_new(root, "name", json_text(test_name(r->cfg)));
	json_object_set_new(root, "written_at", json_string(now));
	json_object_set_new(root, "command_line", words(r->argv));
	json_object_set_new(root, "lkvm", json_pack("{s:s, s:s}", "version", LKVM_VERSION, "arch", arch_name));
	json_object_set_new(root, "host", json_host());
	json_object_set_new(root, "guest", json_guest(r));
	json_object_set_new(root, "lives", json_integer(r->lives));
	json_object_set_new(root, "timing_ms", json_timing(r));
	json_object_set_new(root, "vcpus", json_vcpus(r->vm));
	if (r->vm)
		json_object_set_new(root, "splats", json_splats(&r->vm->watch.splats));
	if (r->vm && r->vm->watch.oops.phase != OOPS_NONE)
		json_object_set_new(root, "oops", json_oops(&r->vm->watch.oops));
	json_object_set_new(root, "console_tail", json_text(console_text(r)));
	if (r->vm && r->vm->command)
		json_object_set_new(root, "command_tail", json_text(command_text(r)));
	if (r->vm)
		report_add_json(r->vm, root);
	return root;
}

static int write_json(const struct run_report *r, FILE *out)
{
	json_t *root = json_report(r);
	int ret = json_dumpf(root, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER) || fputc('\n', out) == EOF ? -EIO : 0;

	json_decref(root);
	return ret;
}

#else

static int write_json(const struct run_report *r LKVM_UNUSED, FILE *out LKVM_UNUSED)
{
	return -ENOTSUP; /* run_report_prepare() has said so */
}

#endif

/* ---- JUnit and TAP ------------------------------------------------------------------------------ */

/* Bytes of the UTF-8 character at @p; 0 if there is none. */
static size_t utf8_len(const unsigned char *p)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 :
		     p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, what is beyond Unicode, and U+FFFE and U+FFFF, which XML does not have. */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f) || (p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe))
		return 0;
	return len;
}

void run_report_xml(FILE *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p) {
		size_t len = utf8_len(p);

		if (*p == '<')
			fputs("&lt;", out);
		else if (*p == '>')
			fputs("&gt;", out);
		else if (*p == '&')
			fputs("&amp;", out);
		else if (*p == '"')
			fputs("&quot;", out);
		else if (!len || (*p < ' ' && *p != '\n' && *p != '\t' && *p != '\r') || *p == 0x7f)
			fputc('?', out);
		else
			fwrite(p, 1, len, out);
		p += len ? len : 1;
	}
}

static void failure_text(const struct run_report *r, char *text, size_t size)
{
	outcome_format(r->outcome, text, size);
	/* A command's own status is said already. */
	if (r->outcome->kind == OUTCOME_COMMAND)
		snprintf(text, size, "%s", r->outcome->text);
	if (r->outcome->kind == OUTCOME_START_FAILED && !r->outcome->text[0])
		snprintf(text, size, "the guest could not be started: see lkvm's messages");
}

static int write_junit(const struct run_report *r, FILE *out)
{
	bool ok = is_ok(r->outcome), error = r->outcome->kind == OUTCOME_START_FAILED;
	double seconds = (double)(clock_now_ms() - r->start_ms) / 1000;
	const char *tag = error ? "error" : "failure", *said = command_text(r);
	/* Of a guest that worked, the boot is of no interest. */
	bool of_command = r->outcome->kind == OUTCOME_COMMAND && said[0];
	char text[300];

	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
		     "<testsuite name=\"lkvm\" tests=\"1\" failures=\"%d\" errors=\"%d\" skipped=\"0\" time=\"%.3f\">\n"
		     "<testcase classname=\"lkvm.%s\" name=\"", !ok && !error, error, seconds, arch_name);
	run_report_xml(out, test_name(r->cfg));
	fprintf(out, "\" time=\"%.3f\">\n", seconds);
	if (!ok) {
		failure_text(r, text, sizeof(text));
		fprintf(out, "<%s type=\"%s\" message=\"", tag, outcome_word(r->outcome->kind));
		run_report_xml(out, text);
		fputs("\">", out);
		run_report_xml(out, of_command ? said : console_text(r));
		fprintf(out, "</%s>\n", tag);
		if (!of_command && said[0]) {
			fputs("<system-out>", out);
			run_report_xml(out, said);
			fputs("</system-out>\n", out);
		}
	}
	fputs("</testcase>\n</testsuite>\n</testsuites>\n", out);
	return ferror(out) ? -EIO : 0;
}

/* In single quotes only they are special. */
void run_report_yaml(FILE *out, const char *key, const char *text)
{
	fprintf(out, "  %s: '", key);
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', out);
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, out);
	}
	fputs("'\n", out);
}

static int write_tap(const struct run_report *r, FILE *out)
{
	bool ok = is_ok(r->outcome);
	char text[300];

	fprintf(out, "TAP version 13\n1..1\n%s 1 - ", ok ? "ok" : "not ok");
	for (const char *c = test_name(r->cfg); *c; c++)
		fputc(*c == '#' || (unsigned char)*c < ' ' ? '_' : *c, out);
	fputc('\n', out);
	if (!ok) {
		failure_text(r, text, sizeof(text));
		fputs("  ---\n", out);
		run_report_yaml(out, "outcome", outcome_word(r->outcome->kind));
		run_report_yaml(out, "message", text);
		fprintf(out, "  exit_status: %d\n  ...\n", outcome_exit_status(r->outcome));
	}
	return ferror(out) ? -EIO : 0;
}

/* ---- timeline ----------------------------------------------------------------------------------- */

/* Seconds after the start, negative if @ms is no time after it. */
static double since_start(const struct run_report *r, uint64_t ms)
{
	return ms && ms >= r->start_ms ? (double)(ms - r->start_ms) / 1000 : -1;
}

static void add_exits(struct timeline *t, const struct vm *vm)
{
	for (uint32_t reason = 0; reason < VCPU_EXIT_SLOTS; reason++) {
		const char *name = exit_reason_name(reason);
		uint64_t n = 0;

		for (unsigned int i = 0; i < vm->nr_vcpus; i++)
			n += atomic_load_explicit(&vm->vcpus[i]->exits[reason], memory_order_relaxed);
		timeline_add_exits(t, name ? name : "others", n);
	}
}

static int write_timeline(const struct run_report *r, FILE *out)
{
	struct timeline t = {
		.title = test_name(r->cfg),
		.at = { 0, -1, -1, -1, -1, -1, -1 },
		.end = (double)(clock_now_ms() - r->start_ms) / 1000,
	};
	char text[300];

	outcome_format(r->outcome, text, sizeof(text));
	t.outcome = text;
	if (r->vm) {
		const struct vm_watch *w = &r->vm->watch;

		t.at[TIMELINE_GUEST_START] = since_start(r, r->vm->start_ms);
		t.at[TIMELINE_FIRST_LINE] = since_start(r, atomic_load(&w->first_line_ms));
		t.at[TIMELINE_INIT] = since_start(r, atomic_load(&w->init_ms));
		t.at[TIMELINE_COMMAND_START] = since_start(r, atomic_load(&w->command_start_ms));
		t.at[TIMELINE_COMMAND_END] = since_start(r, atomic_load(&w->command_end_ms));
		t.at[TIMELINE_GUEST_END] = since_start(r, atomic_load(&w->end_ms));
		add_exits(&t, r->vm);
	}
	timeline_svg_write(&t, out);
	return ferror(out) ? -EIO : 0;
}

/* ---- files -------------------------------------------------------------------------------------- */

static int failed(const char *option, const char *file, int err)
{
	log_error("%s: cannot write %s: %s", option, file, strerror(err));
	return -err;
}

static int write_file(const struct run_report *r, const char *option, const char *file,
		      int (*fn)(const struct run_report *r, FILE *out))
{
	FILE *out;
	int ret;

	if (!file)
		return 0;
	out = fopen(file, "we");
	if (!out)
		return failed(option, file, errno);
	ret = fn ? fn(r, out) : 0;
	if (fclose(out) && !ret)
		ret = -errno;
	return ret ? failed(option, file, -ret) : 0;
}

int run_report_prepare(const struct config *cfg)
{
	int ret;

#ifndef HAVE_JANSSON
	if (cfg->report) {
		log_error("--report: jansson is not built into this lkvm (--junit and --tap work)");
		return -ENOTSUP;
	}
#endif
	ret = write_file(NULL, "--report", cfg->report, NULL);
	if (!ret)
		ret = write_file(NULL, "--junit", cfg->junit, NULL);
	if (!ret)
		ret = write_file(NULL, "--tap", cfg->tap, NULL);
	return ret ? ret : write_file(NULL, "--timeline", cfg->timeline, NULL);
}

int run_report_write(const struct run_report *r)
{
	int json = write_file(r, "--report", r->cfg->report, write_json);
	int junit = write_file(r, "--junit", r->cfg->junit, write_junit);
	int tap = write_file(r, "--tap", r->cfg->tap, write_tap);
	int timeline = write_file(r, "--timeline", r->cfg->timeline, write_timeline);

	return json ? json : junit ? junit : tap ? tap : timeline;
}
