// SPDX-License-Identifier: GPL-2.0-only
/* `lkvm pmu stat`: counts what a guest does, as perf stat does for a program. */
#include "lkvm/cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "lkvm/client.h"
#include "lkvm/log.h"
#include "lkvm/outcome.h"
#include "lkvm/registry.h"
#include "lkvm/stat-json.h"
#include "lkvm/stat-svg.h"
#include "lkvm/vm-stat.h"
#include "lkvm/vm.h"

#define MIN_INTERVAL_MS 10

struct stat_args {
	unsigned int interval_ms;
	unsigned int count;
	bool         per_vcpu;
	bool         json;
	char        *separator;
	char        *output;
	char        *svg;
	bool         has_events; /* some were asked for: no others */
	char        *name;       /* a running guest */
	bool         all;
	struct vm_stat_options opt;
};

#define ARG(field) offsetof(struct stat_args, field)

static int add_event(void *target, const struct option_use *use, char *name)
{
	struct stat_args *args = target;
	struct vm_stat_options *opt = &args->opt;
	const char *near;

	if (!strcmp(name, "kvm"))
		opt->kvm = true;
	else if (!strcmp(name, "guest"))
		opt->guest = true;
	else if (!strcmp(name, "time"))
		opt->time = true;
	else if (opt->nr_events == VM_STAT_MAX_EVENTS) {
		log_error("%s: more than %d events", use->name, VM_STAT_MAX_EVENTS);
		return -EINVAL;
	} else if (perf_event_parse(name, &opt->events[opt->nr_events])) {
		near = nearest_word(name, perf_event_names);
		log_error("%s: unknown event '%s'%s%s%s: a name of perf's, rHEX, each with :G (the guest, default), :H or "
			  ":GH, or kvm, guest, time (see lkvm help pmu stat)", use->name, name,
			  near ? ", did you mean '" : "", near ? near : "", near ? "'" : "");
		return -EINVAL;
	} else {
		opt->nr_events++;
	}
	return 0;
}

static int parse_events(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	struct stat_args *args = target;

	args->has_events = true;
	return options_parse_list(target, use, arg, add_event);
}

static int parse_interval(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	struct stat_args *args = target;
	uint64_t v;

	if (parse_u64(arg, &v) || v < MIN_INTERVAL_MS || v > 3600 * 1000)
		return options_bad_value(use, arg, "milliseconds, 10 or more");
	args->interval_ms = (unsigned int)v;
	return 0;
}

static const struct option_spec stat_options[] = {
	{ .short_name = 'e', .long_name = "event", .metavar = "EVENT,...", .arches = OPT_ALL, .section = "Options",
	  .parse = parse_events,
	  .help = "what to count: events of the host's perf (cycles, instructions:G, cache-misses:H, r1b, "
		  "task-clock ...), which are the guest's alone unless :H or :GH says otherwise; kvm, guest, time: "
		  "the other sources; cycles,instructions,kvm,guest,time unless given" },
	{ .short_name = 'I', .long_name = "interval-print", .metavar = "MS", .arches = OPT_ALL,
	  .section = "Options", .parse = parse_interval, .help = "print what was counted every MS milliseconds" },
	{ .short_name = 'n', .long_name = "interval-count", .metavar = "N", .arches = OPT_ALL,
	  .section = "Options", .parse = option_parse_uint, .offset = ARG(count),
	  .help = "print N intervals, then no more" },
	{ .long_name = "name", .metavar = "NAME", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_string, .offset = ARG(name),
	  .help = "count what the running guest NAME does from now on, until ^C, its end or -n intervals" },
	{ .short_name = 'a', .long_name = "all", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_bool, .offset = ARG(all),
	  .help = "the same for all running guests; lines say which" },
	{ .long_name = "per-vcpu", .arches = OPT_ALL, .section = "Options", .parse = option_parse_bool,
	  .offset = ARG(per_vcpu), .help = "print each vCPU by itself" },
	{ .short_name = 'j', .long_name = "json", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_bool, .offset = ARG(json),
	  .help = "print a JSON object in each line, as perf stat -j, with the guest's name as guest" },
	{ .short_name = 'x', .long_name = "field-separator", .metavar = "SEP", .arches = OPT_ALL,
	  .section = "Options", .parse = option_parse_string, .offset = ARG(separator),
	  .help = "print fields with SEP between them, as perf stat -x: time (with -I), guest (with --all), vCPU (with "
		  "--per-vcpu), value, unit, event, ns counted, percentage of the time, metric and its unit" },
	{ .short_name = 'o', .long_name = "output", .metavar = "FILE", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_string, .offset = ARG(output),
	  .help = "print to FILE instead of standard error" },
	{ .long_name = "svg", .metavar = "FILE", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_string, .offset = ARG(svg),
	  .help = "with intervals: also draw a chart of the rates" },
};

static const size_t stat_options_nr = ARRAY_SIZE(stat_options);

/* ---- counting a run ----------------------------------------------------------------------------- */

struct counting {
	struct stat_args  *args;
	FILE              *out;
	char               name[72];
	struct vm_stat    *stat;
	struct stat_svg   *chart;   /* NULL: none is asked for */
	struct stat_table *last;    /* what the next interval is counted from */
	unsigned int       printed; /* intervals */
};

static bool intervals_left(const struct counting *c)
{
	return !c->args->count || c->printed < c->args->count;
}

/*
 * Prints what was counted from @last, which is replaced, or from the beginning, to @now, which is
 * taken; NULL: there was no memory.
 */
static void print_since(const struct stat_args *args, const char *guest, struct stat_table *now,
			struct stat_table **last, FILE *out, struct stat_svg *chart)
{
	struct stat_table *diff = now ? stat_table_since(now, *last) : NULL;
	struct stat_format format = {
		.guest = guest,
		/* Not by how many there are: scripts know the options, and guests come and go. */
		.many = args->all,
		.json = args->json,
		.separator = args->separator,
		.per_vcpu = args->per_vcpu,
		.interval = args->interval_ms,
		.at_seconds = now ? now->seconds : 0,
	};

	if (!diff) {
		log_warning("out of memory: this interval is not printed");
		stat_table_free(now);
		return;
	}
	stat_print(diff, &format, out);
	if (chart && stat_svg_add(chart, diff, format.at_seconds, args->per_vcpu))
		log_warning("out of memory: this interval is not in the chart");
	stat_table_free(diff);
	stat_table_free(*last);
	*last = now;
}

static void print_since_last(struct counting *c)
{
	print_since(c->args, c->name, vm_stat_read(c->stat), &c->last, c->out, c->chart);
	c->printed++;
}

static void on_tick(void *ctx)
{
	struct counting *c = ctx;

	if (intervals_left(c))
		print_since_last(c);
}

static int on_created(void *ctx, struct vm *vm)
{
	struct counting *c = ctx;

	if (vm->cfg->name)
		snprintf(c->name, sizeof(c->name), "%s", vm->cfg->name);
	else
		snprintf(c->name, sizeof(c->name), "guest-%d", (int)getpid());
	c->args->opt.interval_ms = c->args->interval_ms;
	c->args->opt.tick = on_tick;
	c->args->opt.ctx = c;
	return vm_stat_attach(vm, &c->args->opt, &c->stat);
}

static void on_ended(void *ctx, struct vm *vm)
{
	struct counting *c = ctx;

	(void)vm;
	if (c->stat && (!c->args->interval_ms || intervals_left(c)))
		print_since_last(c);
	vm_stat_detach(c->stat);
	stat_table_free(c->last);
	c->stat = NULL;
	c->last = NULL;
}

/* Where numbers go; NULL, reported, if that can't be opened. */
static FILE *open_output(const struct stat_args *args)
{
	FILE *out = args->output ? fopen(args->output, "we") : stderr;

	if (!out)
		log_error("--output: cannot open %s: %s", args->output, strerror(errno));
	/* An interval is one write(2) then: stat_print() flushes. */
	if (out == stderr)
		setvbuf(stderr, NULL, _IOFBF, BUFSIZ);
	return out;
}

/* @status, unless something was lost. */
static int close_output(const struct stat_args *args, FILE *out, int status)
{
	if (out == stderr || !fclose(out))
		return status;
	log_error("cannot write to %s: %s", args->output, strerror(errno));
	return status ? status : EXIT_STATUS_START_FAILED;
}

/* Draws @chart, which is freed; NULL: there is none. @status, unless it can't be written. */
static int write_chart(const struct stat_args *args, struct stat_svg *chart, const char *title, int status)
{
	FILE *f;

	if (!args->svg)
		return status;
	f = chart ? fopen(args->svg, "we") : NULL;
	if (chart && f)
		stat_svg_write(chart, title, f);
	if (!f || fclose(f)) {
		log_error("--svg: cannot write %s: %s", args->svg, chart ? strerror(errno) : "out of memory");
		status = status ? status : EXIT_STATUS_START_FAILED;
	}
	stat_svg_free(chart);
	return status;
}

/* `run` and its words: the exit status is that of run. */
static int count_run(struct stat_args *args, int argc, char **argv)
{
	struct counting c = { .args = args, .out = open_output(args) };
	const struct run_hooks hooks = { .created = on_created, .ended = on_ended, .ctx = &c };
	int status;

	if (!c.out)
		return EXIT_STATUS_START_FAILED;
	c.chart = args->svg ? stat_svg_new() : NULL;
	status = cmd_run_with(argc, argv, &hooks);
	return close_output(args, c.out, write_chart(args, c.chart, c.name, status));
}

/* ---- counting running guests -------------------------------------------------------------------- */

#ifdef HAVE_JANSSON

#define ANSWER_MS 5000
/* How often a guest is looked at that has no intervals: what it did after the last look is not seen. */
#define LOOK_MS   250

struct target {
	struct client_conn *conn;
	char                name[REGISTRY_NAME_BYTES];
	unsigned int        nr_vcpus;
	int                *perf;  /* nr_events of each vCPU: fd or -errno */
	struct stat_table  *first; /* or what the last interval ended with */
	struct stat_table  *last;  /* the newest look */
	struct stat_table  *whole; /* the newest that came with names */
	int64_t             known; /* its shape */
	double              first_seconds; /* the guest's own time at the first look */
	bool                ended;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static bool wanted(const struct vm_stat_options *opt, enum stat_source source)
{
	return source == STAT_KVM ? opt->kvm : source == STAT_GUEST ? opt->guest : opt->time;
}

/* Leaves out of @t, which is freed, what was not asked for. NULL: out of memory. */
static struct stat_table *select_items(struct stat_table *t, const struct vm_stat_options *opt)
{
	struct stat_table *kept = stat_table_new(t->nr_vcpus);

	if (kept)
		kept->seconds = t->seconds;
	for (unsigned int i = 0; kept && i < t->nr; i++) {
		struct stat_item *item;
		struct stat_cell *cells;

		if (!wanted(opt, t->items[i].source))
			continue;
		item = stat_table_item(kept, t->items[i].source, t->items[i].name);
		if (!item)
			break;
		cells = item->cells;
		memcpy(cells, t->items[i].cells, t->nr_vcpus * sizeof(*cells));
		*item = t->items[i];
		item->cells = cells;
	}
	stat_table_free(t);
	return kept;
}

static void open_perf(struct target *g, const json_t *tids, const struct vm_stat_options *opt)
{
	for (unsigned int v = 0; v < g->nr_vcpus; v++) {
		int tid = (int)json_integer_value(json_array_get(tids, v));

		for (unsigned int i = 0; i < opt->nr_events; i++)
			g->perf[v * opt->nr_events + i] = vm_stat_open_perf(&opt->events[i], tid);
	}
}

/* What the guest said, with the names of an earlier answer if it left them out. NULL: nothing, or out of memory. */
static struct stat_table *take_table(struct target *g, const json_t *result)
{
	struct stat_table *t = stat_table_from_json(result, g->whole);

	if (t && json_object_get(result, "items")) {
		stat_table_free(g->whole);
		g->whole = stat_table_since(t, NULL);
		/* A guest with an older lkvm has no shapes. */
		g->known = g->whole ? json_integer_value(json_object_get(result, "shape")) : 0;
	}
	return t;
}

/* Takes a look at the guest. False once it has ended (then what was seen last stays). */
static bool look(struct target *g, const struct vm_stat_options *opt)
{
	json_t *result = NULL;
	struct stat_table *t;
	int ret;

	if (g->ended)
		return false;
	ret = client_request(g->conn, json_pack("{s:i, s:s, s:b, s:I}", "id", 1, "command", "pmu-stat", "guest",
						opt->guest, "known", (json_int_t)g->known),
			     ANSWER_MS, true, NULL, 0, &result);
	t = ret ? NULL : take_table(g, result);
	if (t && !g->perf) {
		g->first_seconds = t->seconds;
		g->nr_vcpus = t->nr_vcpus;
		g->perf = calloc((size_t)t->nr_vcpus * MAX(opt->nr_events, 1u), sizeof(*g->perf));
		if (g->perf)
			open_perf(g, json_object_get(result, "tids"), opt);
	}
	json_decref(result);
	t = t ? select_items(t, opt) : NULL;
	if (!t || !g->perf || t->nr_vcpus != g->nr_vcpus) {
		stat_table_free(t);
		g->ended = true;
		return false;
	}
	/* By the guest's clock, from which its shares of time come; ours also has the time that the answer took. */
	t->seconds -= g->first_seconds;
	for (unsigned int v = 0; v < t->nr_vcpus; v++)
		vm_stat_add_perf(t, v, g->perf + v * opt->nr_events, opt);
	stat_table_free(g->last);
	g->last = t;
	return true;
}

/* Connects to the guest and takes the first look, from which all is counted. 0 or -errno (reported). */
static int attach(struct target *g, const char *name, const struct vm_stat_options *opt)
{
	int ret = client_connect(&g->conn, name, false);

	if (ret)
		return ret;
	snprintf(g->name, sizeof(g->name), "%s", name);
	if (!look(g, opt)) {
		log_error("the guest '%s' does not say what it counts: it has ended, or its lkvm is older", name);
		return -ENODATA;
	}
	g->first = g->last;
	g->last = NULL;
	return 0;
}

static void detach(struct target *g, const struct vm_stat_options *opt)
{
	for (unsigned int i = 0; g->perf && i < g->nr_vcpus * opt->nr_events; i++)
		if (g->perf[i] >= 0)
			close(g->perf[i]);
	free(g->perf);
	stat_table_free(g->first);
	stat_table_free(g->last);
	stat_table_free(g->whole);
	if (g->conn)
		client_disconnect(g->conn);
}

static void print_target(struct target *g, const struct stat_args *args, FILE *out, struct stat_svg *chart)
{
	struct stat_table *now = g->last;

	g->last = NULL;
	if (now)
		print_since(args, g->name, now, &g->first, out, chart);
}

static void sleep_ms(unsigned int ms)
{
	const struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/* Until ^C, the last guest's end, or the number of intervals asked for. */
static void count_targets(struct target *targets, size_t nr, const struct stat_args *args, FILE *out,
			  struct stat_svg *chart)
{
	unsigned int printed = 0;
	bool alive = true;

	while (alive && !interrupted && (!args->count || printed < args->count)) {
		sleep_ms(args->interval_ms ? args->interval_ms : LOOK_MS);
		alive = false;
		for (size_t i = 0; i < nr; i++) {
			alive |= look(&targets[i], &args->opt);
			if (args->interval_ms)
				print_target(&targets[i], args, out, chart);
		}
		printed++;
	}
	for (size_t i = 0; i < nr && !args->interval_ms; i++)
		print_target(&targets[i], args, out, chart);
}

static int count_guests(const struct stat_args *args, char *const names[], size_t nr)
{
	struct sigaction sa = { .sa_handler = on_interrupt };
	struct target *targets = calloc(nr ? nr : 1, sizeof(*targets));
	struct stat_svg *chart = args->svg ? stat_svg_new() : NULL;
	FILE *out = open_output(args);
	size_t attached = 0;
	int status;

	if (!targets)
		log_error("out of memory");
	for (size_t i = 0; out && targets && i < nr; i++) {
		struct target *g = &targets[attached];

		if (!attach(g, names[i], &args->opt)) {
			attached++;
		} else {
			detach(g, &args->opt);
			memset(g, 0, sizeof(*g));
		}
	}
	if (attached) {
		sigaction(SIGINT, &sa, NULL);
		sigaction(SIGTERM, &sa, NULL);
		count_targets(targets, attached, args, out, chart);
	}
	for (size_t i = 0; i < attached; i++)
		detach(&targets[i], &args->opt);
	free(targets);
	status = attached == nr ? 0 : EXIT_STATUS_START_FAILED;
	status = write_chart(args, chart, names[0], status);
	return out ? close_output(args, out, status) : EXIT_STATUS_START_FAILED;
}

static int count_running(const struct stat_args *args)
{
	char **names = NULL;
	size_t nr = 0;
	int status;

	if (args->name)
		return count_guests(args, &args->name, 1);
	if (registry_names(&names)) {
		log_error("out of memory");
		return EXIT_STATUS_START_FAILED;
	}
	while (names[nr])
		nr++;
	if (!nr)
		log_error("--all: no guest is running");
	status = nr ? count_guests(args, names, nr) : EXIT_STATUS_START_FAILED;
	registry_free_names(names);
	return status;
}

#else
static int count_running(const struct stat_args *args LKVM_UNUSED)
{
	log_error("--name and --all: jansson is not built into this lkvm");
	return EXIT_STATUS_START_FAILED;
}
#endif

/* ---- the command -------------------------------------------------------------------------------- */

static bool check_args(const struct stat_args *args)
{
	if (args->json && args->separator) {
		log_error("--json and --field-separator exclude each other (see lkvm help pmu stat)");
		return false;
	}
	if (args->count && !args->interval_ms) {
		log_error("--interval-count needs --interval-print (see lkvm help pmu stat)");
		return false;
	}
	if (args->svg && (!args->interval_ms || args->all)) {
		log_error("--svg needs --interval-print, and one guest (see lkvm help pmu stat)");
		return false;
	}
	return true;
}

static void default_events(struct vm_stat_options *opt)
{
	static const char *const names[] = { "cycles", "instructions" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!perf_event_parse(names[i], &opt->events[opt->nr_events]))
			opt->nr_events++;
	opt->kvm = opt->guest = opt->time = true;
}

static int cmd_pmu_stat_main(int argc, char **argv)
{
	const struct option_set set = cmd_options(&cmd_pmu_stat);
	int status = EXIT_STATUS_START_FAILED;
	struct stat_args args = { 0 };
	int i = options_parse(&set, argc, argv, &args);

	if (i == -ECANCELED) {
		cmd_print_help(&cmd_pmu_stat, stdout);
		status = 0;
		goto out;
	}
	if (i < 0 || !check_args(&args))
		goto out;
	if (!args.has_events)
		default_events(&args.opt);
	if (args.name || args.all) {
		if (args.name && args.all)
			log_error("--name and --all exclude each other (see lkvm help pmu stat)");
		else if (i < argc)
			log_error("unexpected word '%s' (see lkvm help pmu stat)", argv[i]);
		else
			status = count_running(&args);
		goto out;
	}
	if (i + 1 >= argc || strcmp(argv[i], "--") || strcmp(argv[i + 1], "run")) {
		log_error("what is to be counted? -- run OPTIONS behind the options, --name or --all (see lkvm help pmu stat)");
		goto out;
	}
	status = count_run(&args, argc - i - 1, argv + i + 1);
out:
	free(args.name);
	free(args.separator);
	free(args.output);
	free(args.svg);
	return status;
}

const struct cmd cmd_pmu_stat = {
	.name = "pmu stat",
	.summary = "count what a guest does",
	.usage = "pmu stat [OPTIONS] -- run RUN-OPTIONS | --name NAME | --all",
	.description =
		"Does what lkvm run does, or looks at guests that run already, and prints at the end, or in "
		"intervals, what was counted: by the host's "
		"perf events on the vCPU threads, for the guest alone; by the performance counters that the guest "
		"itself has running, where KVM shows them; by KVM's own statistics; and where the time of the "
		"threads went. Each number is labelled with its source. What this host can't count is said to be "
		"<not supported>, what it did not get to <not counted>; neither is ever printed as 0. What the "
		"guest has running but never set is <not counted>, too. A counter that "
		"had to be shared is scaled up, and the percentage of time that it did count stands behind it. The kernel "
		"counts the threads' time in ticks: where there was none in a short run, times are <not counted>.\n\n"
		"Numbers go to standard error unless --output is given. Exit status: that of lkvm run.",
	.run = cmd_pmu_stat_main,
	.options = stat_options,
	.nr_options = &stat_options_nr,
};
