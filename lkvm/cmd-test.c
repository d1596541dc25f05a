// SPDX-License-Identifier: GPL-2.0-only
/* lkvm test: runs the cases of a file, several at once, each as an `lkvm run` of its own. docs/test.md. */
#include "lkvm/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "lkvm/arch.h"
#include "lkvm/clock.h"
#include "lkvm/json.h"
#include "lkvm/log.h"
#include "lkvm/outcome.h"
#include "lkvm/run-report.h"
#include "lkvm/suite.h"
#include "lkvm/vm-watch.h"

#define MAX_JOBS       256
#define MAX_SUITE_SIZE (1u << 20)
#define PROGRESS_MS    1000
/* How much of a failed case's messages is shown. */
#define SHOWN_BYTES    4096

enum verdict { VERDICT_NONE, VERDICT_PASS, VERDICT_FAIL, VERDICT_FLAKY, VERDICT_SKIP };

static const char *const verdict_words[] = {
	[VERDICT_NONE] = "not-run", [VERDICT_PASS] = "pass", [VERDICT_FAIL] = "fail", [VERDICT_FLAKY] = "flaky",
	[VERDICT_SKIP] = "skip",
};

struct test_args {
	unsigned int jobs;
	char        *output;
	char        *report, *junit, *tap;
	char        *shard;
	bool         list;
	bool         json;
};

struct result {
	enum verdict verdict;
	unsigned int attempts;
	pid_t        pid;      /* 0: not running */
	uint64_t     start_ms; /* of this attempt */
	uint64_t     spent_ms; /* all attempts */
	int          status;
	char         outcome[24]; /* "" if not known */
	char         failed[320]; /* what the last attempt that failed said */
	char         text[200];
};

struct runner {
	const struct test_args *args;
	const char    *file;      /* of the suite, as the user calls it */
	struct suite   suite;
	struct result *results;
	const char    *dir;       /* of the cases' directories */
	unsigned int   next;      /* case to start */
	unsigned int   running;
	unsigned int   count[5];  /* by verdict */
	bool           interrupted;
	bool           tty;
	bool           shown;     /* a progress line is on the terminal */
	uint64_t       start_ms;
};

#define ARG(field) offsetof(struct test_args, field)
static const struct option_spec test_options[] = {
	{ .short_name = 'j', .long_name = "jobs", .metavar = "N", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_uint, .offset = ARG(jobs), .help = "run N cases at a time, 1 unless given" },
	{ .short_name = 'o', .long_name = "output", .metavar = "DIR", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_string, .offset = ARG(output),
	  .help = "keep what each case left in DIR/CASE: stdout, stderr, console, report.json; with .1, .2 ... behind the "
		  "name those of attempts that were tried again" },
	{ .long_name = "report", .metavar = "FILE", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_string, .offset = ARG(report), .help = "write the results to FILE as JSON" },
	{ .long_name = "junit", .metavar = "FILE", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_string, .offset = ARG(junit), .help = "write the results to FILE as JUnit XML" },
	{ .long_name = "tap", .metavar = "FILE", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_string, .offset = ARG(tap), .help = "write the results to FILE as TAP" },
	{ .long_name = "shard", .metavar = "I/N", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_string, .offset = ARG(shard),
	  .help = "run the I-th of N parts of the suite only, for spreading it over machines" },
	{ .long_name = "list", .arches = OPT_ALL, .section = "Options", .parse = option_parse_bool,
	  .offset = ARG(list), .help = "print the names of the cases, with # SKIP behind those that are left out, and run none" },
	{ .long_name = "json", .arches = OPT_ALL, .section = "Options", .parse = option_parse_bool,
	  .offset = ARG(json), .help = "with --list: JSON, with the lkvm run of each case" },
};
static const size_t test_options_nr = ARRAY_SIZE(test_options);

/* ---- files of a case ---------------------------------------------------------------------------- */

static const char *const case_files[] = { "stdout", "stderr", "console", "report.json" };

/* Names may hold what paths should not. */
static void case_path(const struct runner *r, unsigned int i, const char *file, char *path, size_t size)
{
	size_t len = (size_t)snprintf(path, size, "%s/", r->dir);

	for (const char *c = r->suite.cases[i].name; *c && len < size - 64; c++)
		path[len++] = strchr("/ \t\n\\\"'*?$", *c) ? '_' : *c;
	snprintf(path + len, size - len, "%s%s", file ? "/" : "", file ? file : "");
}

static int open_file(const struct runner *r, unsigned int i, const char *file)
{
	char path[PATH_MAX];

	case_path(r, i, file, path, sizeof(path));
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

#ifdef HAVE_JANSSON
static void read_report(const struct runner *r, unsigned int i, struct result *result)
{
	char path[PATH_MAX];
	const char *word, *text;
	json_t *root;

	case_path(r, i, "report.json", path, sizeof(path));
	root = json_load_file(path, 0, NULL);
	word = json_string_value(json_object_get(root, "outcome"));
	text = json_string_value(json_object_get(root, "text"));
	snprintf(result->outcome, sizeof(result->outcome), "%s", word ? word : "");
	snprintf(result->text, sizeof(result->text), "%s", text ? text : "");
	json_decref(root);
	/* What its options are wrong for leaves none, and its status is not the command's. */
	if (!word && result->status == EXIT_STATUS_START_FAILED)
		snprintf(result->outcome, sizeof(result->outcome), "%s", outcome_word(OUTCOME_START_FAILED));
}
#else
static void read_report(const struct runner *r LKVM_UNUSED, unsigned int i LKVM_UNUSED, struct result *result)
{
	result->outcome[0] = '\0';
	result->text[0] = '\0';
}
#endif

/* ---- one attempt -------------------------------------------------------------------------------- */

/* In the child. Returns only on failure. */
static void exec_case(const struct runner *r, unsigned int i, char **argv)
{
	int out = open_file(r, i, "stdout"), err = open_file(r, i, "stderr");
	int in = open("/dev/null", O_RDONLY);
	sigset_t none;

	if (in < 0 || out < 0 || err < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		return;
	/* ^C is for the runner, which ends its cases itself. */
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv("/proc/self/exe", argv);
}

/*
 * What an earlier run left in the same directory. Its report would be taken for that of a case whose lkvm run
 * does not get as far as to write one, and its attempts for ours.
 */
static void remove_files(const struct runner *r, unsigned int i)
{
	char path[PATH_MAX], kept[PATH_MAX + 16];

	for (size_t f = 0; f < ARRAY_SIZE(case_files); f++) {
		unsigned int attempt = 1;

		case_path(r, i, case_files[f], path, sizeof(path));
		unlink(path);
		do
			snprintf(kept, sizeof(kept), "%s.%u", path, attempt++);
		while (!unlink(kept));
	}
}

/* What attempt number @attempt left gets that number, before the next one writes over it. */
static void keep_attempt(const struct runner *r, unsigned int i, unsigned int attempt)
{
	char path[PATH_MAX], kept[PATH_MAX + 16];

	for (size_t f = 0; f < ARRAY_SIZE(case_files); f++) {
		case_path(r, i, case_files[f], path, sizeof(path));
		snprintf(kept, sizeof(kept), "%s.%u", path, attempt);
		if (rename(path, kept) && errno != ENOENT)
			log_warning("cannot keep %s of attempt %u: %s", path, attempt, strerror(errno));
	}
}

static int start_attempt(struct runner *r, unsigned int i)
{
	const struct suite_case *c = &r->suite.cases[i];
	struct result *result = &r->results[i];
	char console[PATH_MAX], report[PATH_MAX], dir[PATH_MAX];
	/* lkvm run OPTIONS-OF-OURS..., then all of the case's own words. */
	char **argv = calloc(c->nr_args + 10, sizeof(*argv));
	unsigned int n = 0;

	case_path(r, i, NULL, dir, sizeof(dir));
	case_path(r, i, "console", console, sizeof(console));
	case_path(r, i, "report.json", report, sizeof(report));
	if (!argv || (mkdir(dir, 0777) && errno != EEXIST)) {
		log_error("cannot make %s: %s", dir, strerror(argv ? errno : ENOMEM));
		free(argv);
		return -EIO;
	}
	argv[n++] = (char *)(uintptr_t)"lkvm";
	argv[n++] = c->argv[0];
	argv[n++] = (char *)(uintptr_t)"--pdeathsig";
	argv[n++] = (char *)(uintptr_t)"--console-log";
	argv[n++] = console;
#ifdef HAVE_JANSSON
	argv[n++] = (char *)(uintptr_t)"--report";
	argv[n++] = report;
#endif
	memcpy(argv + n, c->argv + 1, (c->nr_args - 1) * sizeof(*argv));
	if (result->attempts)
		keep_attempt(r, i, result->attempts);
	else
		remove_files(r, i);
	result->start_ms = clock_now_ms();
	result->attempts++;
	result->pid = fork();
	if (result->pid == 0) {
		exec_case(r, i, argv);
		_Exit(EXIT_STATUS_START_FAILED);
	}
	free(argv);
	if (result->pid < 0) {
		log_error("cannot start case %s: %s", c->name, strerror(errno));
		result->pid = 0;
		return -EAGAIN;
	}
	r->running++;
	return 0;
}

/* ---- what people see ---------------------------------------------------------------------------- */

static void clear_progress(struct runner *r)
{
	if (r->shown)
		fputs("\r\033[K", stdout);
	r->shown = false;
}

/* One line: what runs, and how long all of it will take, judging by the cases that are done. */
static void show_progress(struct runner *r)
{
	unsigned int done = 0;
	uint64_t spent = 0, now = clock_now_ms();
	size_t width = 0;

	if (!r->tty)
		return;
	clear_progress(r);
	for (unsigned int i = 0; i < r->suite.nr; i++) {
		done += r->results[i].verdict != VERDICT_NONE;
		spent += r->results[i].spent_ms;
	}
	printf("[%u/%u] %u failed", done, r->suite.nr, r->count[VERDICT_FAIL]);
	if (done && spent)
		printf(", about %llu s left",
		       (unsigned long long)(spent / done * (r->suite.nr - done) / MAX(r->args->jobs, 1u) / 1000));
	for (unsigned int i = 0; i < r->suite.nr && width < 40; i++)
		if (r->results[i].pid) {
			int n = printf("%s%.30s %llus", width ? ", " : ": ", r->suite.cases[i].name,
				       (unsigned long long)(now - r->results[i].start_ms) / 1000);

			width += n > 0 ? (size_t)n : 0;
		}
	fflush(stdout);
	r->shown = true;
}

/* The last SHOWN_BYTES of a case's @file to @text; "" if it can't be read. */
static void read_end(const struct runner *r, unsigned int i, const char *file, char text[SHOWN_BYTES + 1])
{
	char path[PATH_MAX];
	struct stat st;
	ssize_t n = 0;
	int fd;

	case_path(r, i, file, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &st))
		n = pread(fd, text, SHOWN_BYTES, st.st_size > SHOWN_BYTES ? st.st_size - SHOWN_BYTES : 0);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
}

/* What lkvm said of a case, and where it had nothing to say, its command. */
static void read_said(const struct runner *r, unsigned int i, char text[SHOWN_BYTES + 1])
{
	read_end(r, i, "stderr", text);
	if (!text[0])
		read_end(r, i, "stdout", text);
}

static void show_messages(const struct runner *r, unsigned int i)
{
	char text[SHOWN_BYTES + 1], *save = NULL;

	read_said(r, i, text);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		printf("    | %s\n", line);
}

/* "status 0, poweroff, 2 attempts, expected panic: the guest powered off" */
static void describe(const struct runner *r, unsigned int i, char *text, size_t size)
{
	const struct suite_case *c = &r->suite.cases[i];
	const struct result *result = &r->results[i];
	size_t n = (size_t)snprintf(text, size, "status %d%s%s", result->status, result->outcome[0] ? ", " : "",
				    result->outcome);

	if (result->attempts > 1)
		n += (size_t)snprintf(text + n, size - n, ", %u attempts", result->attempts);
	if (c->expect_outcome != OUTCOME_NONE || c->expect_status)
		n += (size_t)snprintf(text + n, size - n, ", expected %s", suite_expected(c));
	if (result->text[0])
		snprintf(text + n, size - n, ": %s", result->text);
}

static void show_result(struct runner *r, unsigned int i)
{
	const struct result *result = &r->results[i];
	const char *name = r->suite.cases[i].name;
	char text[320];

	clear_progress(r);
	describe(r, i, text, sizeof(text));
	if (result->verdict == VERDICT_SKIP)
		printf("skip - %s\n", name);
	else if (result->verdict == VERDICT_FAIL)
		printf("not ok - %s (%.1f s): %s\n", name, (double)result->spent_ms / 1000, text);
	else
		printf("ok - %s (%.1f s)%s\n", name, (double)result->spent_ms / 1000,
		       result->verdict == VERDICT_FLAKY ? " FLAKY: passed when tried again" : "");
	if (result->verdict == VERDICT_FAIL)
		show_messages(r, i);
	fflush(stdout);
}

/* ---- the run ------------------------------------------------------------------------------------ */

static void settle(struct runner *r, unsigned int i, enum verdict verdict)
{
	r->results[i].verdict = verdict;
	r->count[verdict]++;
	show_result(r, i);
}

static void attempt_ended(struct runner *r, unsigned int i, int wait_status)
{
	const struct suite_case *c = &r->suite.cases[i];
	struct result *result = &r->results[i];
	bool passed;

	result->pid = 0;
	r->running--;
	result->spent_ms += clock_now_ms() - result->start_ms;
	result->status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
	read_report(r, i, result);
	/* What we have ended ourselves is no result. */
	if (r->interrupted)
		return;
	passed = WIFEXITED(wait_status) &&
		 suite_passed(c, result->outcome[0] ? result->outcome : NULL, result->status);
	if (!passed)
		describe(r, i, result->failed, sizeof(result->failed));
	if (passed)
		settle(r, i, result->attempts > 1 ? VERDICT_FLAKY : VERDICT_PASS);
	else if (result->attempts > c->retries || start_attempt(r, i))
		settle(r, i, VERDICT_FAIL);
}

static void reap(struct runner *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned int i = 0; i < r->suite.nr; i++)
			if (r->results[i].pid == pid)
				attempt_ended(r, i, status);
}

static void interrupt(struct runner *r, int sig)
{
	for (unsigned int i = 0; i < r->suite.nr; i++)
		if (r->results[i].pid)
			kill(r->results[i].pid, r->interrupted ? SIGKILL : sig);
	r->interrupted = true;
}

static int run_all(struct runner *r)
{
	struct signalfd_siginfo info;
	sigset_t set, old;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &old);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		log_error("cannot watch for signals: %s", strerror(errno));
		return -errno;
	}
	while (r->running || (r->next < r->suite.nr && !r->interrupted)) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };

		while (!r->interrupted && r->running < r->args->jobs && r->next < r->suite.nr) {
			unsigned int i = r->next++;

			if (r->suite.cases[i].skip)
				settle(r, i, VERDICT_SKIP);
			else if (start_attempt(r, i))
				settle(r, i, VERDICT_FAIL);
		}
		show_progress(r);
		if (r->running)
			poll(&pfd, 1, r->tty ? PROGRESS_MS : -1);
		while (read(fd, &info, sizeof(info)) == sizeof(info))
			if (info.ssi_signo != SIGCHLD)
				interrupt(r, SIGTERM);
		reap(r);
	}
	clear_progress(r);
	close(fd);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return 0;
}

/* ---- results for machines ----------------------------------------------------------------------- */

static void write_junit(const struct runner *r, FILE *out)
{
	char text[SHOWN_BYTES + 1];

	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"");
	run_report_xml(out, r->file);
	fprintf(out, "\" tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" time=\"%.3f\">\n",
		r->suite.nr, r->count[VERDICT_FAIL],
		r->suite.nr - r->count[VERDICT_FAIL] - r->count[VERDICT_PASS] - r->count[VERDICT_FLAKY] -
			r->count[VERDICT_SKIP],
		r->count[VERDICT_SKIP], (double)(clock_now_ms() - r->start_ms) / 1000);
	for (unsigned int i = 0; i < r->suite.nr; i++) {
		const struct result *result = &r->results[i];

		fprintf(out, "<testcase classname=\"lkvm.%s\" name=\"", arch_name);
		run_report_xml(out, r->suite.cases[i].name);
		fprintf(out, "\" time=\"%.3f\">", (double)result->spent_ms / 1000);
		switch (result->verdict) {
		case VERDICT_FAIL:
			fprintf(out, "<failure type=\"%s\" message=\"",
				result->outcome[0] ? result->outcome : "status");
			describe(r, i, text, sizeof(text));
			run_report_xml(out, text);
			fputs("\">", out);
			read_said(r, i, text);
			run_report_xml(out, text);
			fputs("</failure><system-out>", out);
			read_end(r, i, "stdout", text);
			run_report_xml(out, text);
			fputs("</system-out>", out);
			break;
		case VERDICT_FLAKY:
			fprintf(out, "<system-out>flaky: passed at attempt %u; before: ", result->attempts);
			run_report_xml(out, result->failed);
			fputs("</system-out>", out);
			break;
		case VERDICT_SKIP:
			fputs("<skipped/>", out);
			break;
		case VERDICT_NONE:
			fputs("<error type=\"interrupted\" message=\"the suite was interrupted\"/>", out);
			break;
		case VERDICT_PASS:
			break;
		}
		fputs("</testcase>\n", out);
	}
	fputs("</testsuite>\n</testsuites>\n", out);
}

static void write_tap(const struct runner *r, FILE *out)
{
	char text[320];

	fprintf(out, "TAP version 13\n1..%u\n", r->suite.nr);
	for (unsigned int i = 0; i < r->suite.nr; i++) {
		enum verdict v = r->results[i].verdict;

		fprintf(out, "%s %u - ", v == VERDICT_FAIL || v == VERDICT_NONE ? "not ok" : "ok", i + 1);
		for (const char *c = r->suite.cases[i].name; *c; c++)
			fputc(*c == '#' ? '_' : *c, out);
		fprintf(out, "%s\n", v == VERDICT_SKIP ? " # SKIP" : v == VERDICT_FLAKY ? " (flaky)" : "");
		if (v != VERDICT_FAIL && v != VERDICT_NONE && v != VERDICT_FLAKY)
			continue;
		fputs("  ---\n", out);
		if (v == VERDICT_FAIL) {
			describe(r, i, text, sizeof(text));
			run_report_yaml(out, "outcome", r->results[i].outcome);
			run_report_yaml(out, "message", text);
			fprintf(out, "  exit_status: %d\n", r->results[i].status);
		} else {
			run_report_yaml(out, "message", v == VERDICT_NONE ? "the suite was interrupted" : r->results[i].failed);
		}
		fputs("  ...\n", out);
	}
}

#ifdef HAVE_JANSSON
static void write_json(const struct runner *r, FILE *out)
{
	json_t *cases = json_array(), *root, *argv;

	for (unsigned int i = 0; i < r->suite.nr; i++) {
		const struct result *result = &r->results[i];

		argv = json_array();
		for (unsigned int k = 0; k < r->suite.cases[i].nr_args; k++)
			json_array_append_new(argv, json_text(r->suite.cases[i].argv[k]));
		json_array_append_new(cases, json_pack("{s:o, s:s, s:i, s:I, s:i, s:s, s:o, s:o, s:o}", "name",
						       json_text(r->suite.cases[i].name), "verdict",
						       verdict_words[result->verdict], "attempts", (int)result->attempts,
						       "time_ms", (json_int_t)result->spent_ms, "exit_status",
						       result->status, "outcome", result->outcome, "text",
						       json_text(result->text), "last_failure", json_text(result->failed),
						       "command_line", argv));
	}
	root = json_pack("{s:s, s:b, s:b, s:i, s:i, s:i, s:i, s:o}", "schema", "lkvm-test/1", "ok",
			 !r->count[VERDICT_FAIL] && !r->interrupted, "interrupted", r->interrupted, "passed",
			 (int)r->count[VERDICT_PASS], "failed", (int)r->count[VERDICT_FAIL], "flaky",
			 (int)r->count[VERDICT_FLAKY], "skipped", (int)r->count[VERDICT_SKIP], "cases", cases);
	json_dumpf(root, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	fputc('\n', out);
	json_decref(root);
}

static int list_json(const struct suite *suite)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < suite->nr; i++) {
		json_t *argv = json_array();

		for (unsigned int k = 0; k < suite->cases[i].nr_args; k++)
			json_array_append_new(argv, json_text(suite->cases[i].argv[k]));
		json_array_append_new(list, json_pack("{s:o, s:o, s:b}", "name", json_text(suite->cases[i].name),
						      "command_line", argv, "skip", suite->cases[i].skip));
	}
	json_dumpf(list, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(list);
	return 0;
}
#else
static void write_json(const struct runner *r LKVM_UNUSED, FILE *out LKVM_UNUSED)
{
}

static int list_json(const struct suite *suite LKVM_UNUSED)
{
	log_error("--json: jansson is not built into this lkvm");
	return EXIT_STATUS_START_FAILED;
}
#endif

/* With @r NULL the file is only made, so that a wrong place is known before the run. */
static int write_file(const struct runner *r, const char *option, const char *file,
		      void (*fn)(const struct runner *r, FILE *out))
{
	FILE *out;
	bool bad;

	if (!file)
		return 0;
	out = fopen(file, "we");
	if (out && r)
		fn(r, out);
	bad = !out || ferror(out);
	if (out && fclose(out))
		bad = true;
	if (bad)
		log_error("%s: cannot write %s: %s", option, file, strerror(errno));
	return bad ? -EIO : 0;
}

static int write_results(const struct test_args *args, const struct runner *r)
{
	int json = write_file(r, "--report", args->report, write_json);
	int junit = write_file(r, "--junit", args->junit, write_junit);
	int tap = write_file(r, "--tap", args->tap, write_tap);

	return json | junit | tap;
}

/* ---- the command -------------------------------------------------------------------------------- */

static char *read_suite(const char *file)
{
	FILE *f = fopen(file, "re");
	char *text = f ? malloc(MAX_SUITE_SIZE) : NULL;
	size_t n = text ? fread(text, 1, MAX_SUITE_SIZE, f) : 0;

	if (!text || ferror(f) || n == MAX_SUITE_SIZE) {
		log_error("cannot read %s: %s", file, n == MAX_SUITE_SIZE ? "it is larger than 1 MiB" : strerror(errno));
		free(text);
		text = NULL;
	} else {
		text[n] = '\0';
	}
	if (f)
		fclose(f);
	return text;
}

static int apply_shard(struct suite *suite, const char *shard)
{
	const char *slash = strchr(shard, '/');
	uint64_t index = 0, count = 0;
	char first[16];

	snprintf(first, sizeof(first), "%.*s", slash ? (int)MIN(slash - shard, 15) : 0, shard);
	if (!slash || parse_u64(first, &index) || parse_u64(slash + 1, &count) || !index || index > count ||
	    count > UINT_MAX) {
		log_error("--shard: bad value '%s', expected I/N, such as 1/4 (see lkvm help test)", shard);
		return -EINVAL;
	}
	suite_shard(suite, (unsigned int)index, (unsigned int)count);
	return 0;
}

static int load(struct suite *suite, const char *file, const char *shard)
{
	char error[SUITE_ERROR_BYTES];
	char *text = read_suite(file);
	int ret;

	if (!text)
		return -EIO;
	ret = suite_parse(suite, text, error);
	free(text);
	if (ret) {
		log_error("%s: %s", file, error);
		return ret;
	}
	return shard ? apply_shard(suite, shard) : 0;
}

/* Removes what passing cases have left in a directory of ours. */
static void remove_outputs(const struct runner *r)
{
	char path[PATH_MAX];

	for (unsigned int i = 0; i < r->suite.nr; i++) {
		remove_files(r, i);
		case_path(r, i, NULL, path, sizeof(path));
		rmdir(path);
	}
	rmdir(r->dir);
}

static int run_suite(const struct test_args *args, struct runner *r)
{
	char dir[PATH_MAX];
	const char *tmp = getenv("TMPDIR");
	int status;

	snprintf(dir, sizeof(dir), "%s/lkvm-test-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
	if (args->output ? mkdir(args->output, 0777) && errno != EEXIST : !mkdtemp(dir)) {
		log_error("cannot make the directory %s: %s", args->output ? args->output : dir, strerror(errno));
		return EXIT_STATUS_START_FAILED;
	}
	r->dir = args->output ? args->output : dir;
	r->tty = isatty(STDOUT_FILENO);
	r->start_ms = clock_now_ms();
	r->results = calloc(r->suite.nr, sizeof(*r->results));
	if (!r->results || write_results(args, NULL) || run_all(r))
		return EXIT_STATUS_START_FAILED;
	status = r->interrupted ? 128 + SIGINT : r->count[VERDICT_FAIL] ? 1 : 0;
	if (write_results(args, r) && !status)
		status = EXIT_STATUS_START_FAILED;
	printf("%u passed, %u failed, %u flaky, %u skipped%s\n", r->count[VERDICT_PASS], r->count[VERDICT_FAIL],
	       r->count[VERDICT_FLAKY], r->count[VERDICT_SKIP], r->interrupted ? ", interrupted" : "");
	if (!args->output && !status && !r->count[VERDICT_FLAKY])
		remove_outputs(r);
	else
		printf("what the cases left is in %s\n", r->dir);
	return status;
}

static int cmd_test_main(int argc, char **argv)
{
	const struct option_set set = cmd_options(&cmd_test);
	struct test_args args = { .jobs = 1 };
	struct runner r = { .args = &args };
	int status = EXIT_STATUS_START_FAILED;
	int i = 0;

	/* Options may stand before and behind the file. */
	for (;;) {
		i = options_parse(&set, argc, argv, &args);
		if (i < 0 || i >= argc || r.file)
			break;
		r.file = argv[i];
		argc -= i;
		argv += i;
	}
	if (i == -ECANCELED) {
		cmd_print_help(&cmd_test, stdout);
		status = 0;
	} else if (i >= 0 && i < argc) {
		log_error("unexpected word '%s': one file of tests (see lkvm help test)", argv[i]);
	} else if (i >= 0 && !r.file) {
		log_error("test: which file of tests? (see lkvm help test)");
	} else if (i >= 0 && (args.jobs < 1 || args.jobs > MAX_JOBS)) {
		log_error("--jobs: %u is not between 1 and %d", args.jobs, MAX_JOBS);
	} else if (i >= 0 && !load(&r.suite, r.file, args.shard)) {
		if (!args.list) {
			status = run_suite(&args, &r);
		} else if (args.json) {
			status = list_json(&r.suite);
		} else {
			for (unsigned int k = 0; k < r.suite.nr; k++)
				printf("%s%s\n", r.suite.cases[k].name, r.suite.cases[k].skip ? " # SKIP" : "");
			status = 0;
		}
	}
	suite_free(&r.suite);
	free(r.results);
	free(args.output);
	free(args.report);
	free(args.junit);
	free(args.tap);
	free(args.shard);
	return status;
}

const struct cmd cmd_test = {
	.name = "test",
	.summary = "run a suite of guests from a file",
	.usage = "test FILE [-j N] [--junit FILE] [--shard I/N] ...",
	.description =
		"Runs the cases of a TOML file, each an lkvm run of its own, and says which passed. Every [[case]] has "
		"a name; kernel, firmware, initrd, params, cpus, mem and timeout take a value, or an array of values, "
		"which makes a matrix; add, env, fail-on and allow are lists; command is the command's words, args are "
		"further words of lkvm run; expect is \"ok\", an exit status, or an outcome such as \"panic\"; retries "
		"is how often a failed case is tried again; skip = true leaves it out. What stands above the first "
		"[[case]] holds for all.\n\n"
		"A case that passes only when tried again is flaky, and called so. Exit status: 0 if none failed, 1 if "
		"some did, 125 if the file is wrong, 130 when interrupted; reports are written then, too.",
	.run = cmd_test_main,
	.options = test_options,
	.nr_options = &test_options_nr,
};
