// SPDX-License-Identifier: GPL-2.0-only
/* `lkvm pmu stat`: counts what a guest does, as perf stat does for a program. */
#include "lkvm/cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lkvm/log.h"
#include "lkvm/outcome.h"
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
	bool         has_events; /* some were asked for: no others */
	struct vm_stat_options opt;
};

#define ARG(field) offsetof(struct stat_args, field)

static int add_event(struct stat_args *args, const struct option_use *use, const char *name)
{
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
	char *copy = strdup(arg), *name, *save;
	int ret = 0;

	if (!copy) {
		log_error("out of memory");
		return -ENOMEM;
	}
	args->has_events = true;
	for (name = strtok_r(copy, ",", &save); name && !ret; name = strtok_r(NULL, ",", &save))
		ret = add_event(args, use, name);
	free(copy);
	return ret;
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
	{ .long_name = "per-vcpu", .arches = OPT_ALL, .section = "Options", .parse = option_parse_bool,
	  .offset = ARG(per_vcpu), .help = "print each vCPU by itself" },
	{ .short_name = 'j', .long_name = "json", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_bool, .offset = ARG(json), .help = "print a JSON object in each line" },
	{ .short_name = 'x', .long_name = "field-separator", .metavar = "SEP", .arches = OPT_ALL,
	  .section = "Options", .parse = option_parse_string, .offset = ARG(separator),
	  .help = "print fields with SEP between them, as perf stat -x" },
	{ .short_name = 'o', .long_name = "output", .metavar = "FILE", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_string, .offset = ARG(output),
	  .help = "print to FILE instead of standard error" },
};

static const size_t stat_options_nr = ARRAY_SIZE(stat_options);

/* ---- counting a run ----------------------------------------------------------------------------- */

struct counting {
	struct stat_args  *args;
	FILE              *out;
	char               name[72];
	struct vm_stat    *stat;
	struct stat_table *last;    /* what the next interval is counted from */
	unsigned int       printed; /* intervals */
};

static bool intervals_left(const struct counting *c)
{
	return !c->args->count || c->printed < c->args->count;
}

/* Prints what was counted since the last time, or since the beginning. */
static void print_since_last(struct counting *c)
{
	struct stat_table *now = vm_stat_read(c->stat);
	struct stat_table *diff = now ? stat_table_since(now, c->last) : NULL;
	struct stat_format format = {
		.guest = c->name,
		.json = c->args->json,
		.separator = c->args->separator,
		.per_vcpu = c->args->per_vcpu,
		.interval = c->args->interval_ms,
		.at_seconds = now ? now->seconds : 0,
	};

	if (!diff) {
		log_warning("out of memory: this interval is not printed");
		stat_table_free(now);
		return;
	}
	stat_print(diff, &format, c->out);
	stat_table_free(diff);
	stat_table_free(c->last);
	c->last = now;
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

/* `run` and its words: the exit status is that of run. */
static int count_run(struct stat_args *args, int argc, char **argv)
{
	struct counting c = { .args = args, .out = stderr };
	const struct run_hooks hooks = { .created = on_created, .ended = on_ended, .ctx = &c };
	int status;

	if (args->output) {
		c.out = fopen(args->output, "we");
		if (!c.out) {
			log_error("--output: cannot open %s: %s", args->output, strerror(errno));
			return EXIT_STATUS_START_FAILED;
		}
	}
	status = cmd_run_with(argc, argv, &hooks);
	if (c.out != stderr && fclose(c.out)) {
		log_error("cannot write to %s: %s", args->output, strerror(errno));
		if (!status)
			status = EXIT_STATUS_START_FAILED;
	}
	return status;
}

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
	if (i + 1 >= argc || strcmp(argv[i], "--") || strcmp(argv[i + 1], "run")) {
		log_error("what is to be counted? -- run OPTIONS goes behind the options (see lkvm help pmu stat)");
		goto out;
	}
	if (!args.has_events)
		default_events(&args.opt);
	status = count_run(&args, argc - i - 1, argv + i + 1);
out:
	free(args.separator);
	free(args.output);
	return status;
}

const struct cmd cmd_pmu_stat = {
	.name = "pmu stat",
	.summary = "run a guest and count what it does",
	.usage = "pmu stat [OPTIONS] -- run RUN-OPTIONS",
	.description =
		"Does what lkvm run does, and prints at its end, or in intervals, what was counted: by the host's "
		"perf events on the vCPU threads, for the guest alone; by the performance counters that the guest "
		"itself has running, where KVM shows them; by KVM's own statistics; and where the time of the "
		"threads went. Each number is labelled with its source. What this host can't count is said to be "
		"<not supported>, what it did not get to <not counted>; neither is ever printed as 0. A counter that "
		"had to be shared is scaled up, and the percentage of time that it did count stands behind it.\n\n"
		"Numbers go to standard error unless --output is given. Exit status: that of lkvm run.",
	.run = cmd_pmu_stat_main,
	.options = stat_options,
	.nr_options = &stat_options_nr,
};
