// SPDX-License-Identifier: GPL-2.0-only
/* `lkvm pmu list`: what a guest's PMU would offer here. */
#include "lkvm/cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/arch.h"
#include "lkvm/log.h"
#include "lkvm/outcome.h"
#include "lkvm/pmu-list.h"
#include "lkvm/probe-vm.h"
#include "lkvm/run-options.h"

/* The host breaks the rules of its PMU. */
#define EXIT_STATUS_HOST_BUG 1

struct list_args {
	bool json;
};

static const struct option_spec list_options[] = {
	{ .long_name = "json", .arches = OPT_ALL, .section = "Options", .parse = option_parse_bool,
	  .offset = offsetof(struct list_args, json), .help = "print JSON" },
};

static const size_t list_options_nr = ARRAY_SIZE(list_options);

/* Asks on the host that @cfg names. Returns the exit status. */
static int list_pmu(const struct config *cfg, bool json)
{
	const struct probe_host host = { .dev = cfg->dev, .pmu = cfg->pmu, .cfg = cfg };
	struct pmu_list *list = calloc(1, sizeof(*list));
	int status = EXIT_STATUS_START_FAILED;

	if (!list) {
		log_error("out of memory");
		return status;
	}
	if (!arch_pmu_list(&host, list)) {
		status = list->nr_bugs ? EXIT_STATUS_HOST_BUG : 0;
		if (!json)
			pmu_list_print(list, stdout);
		else if (pmu_list_print_json(list, stdout))
			status = EXIT_STATUS_START_FAILED;
	}
	free(list);
	return status;
}

/* "[run] OPTIONS" behind "--". */
static int parse_run_words(struct config *cfg, int argc, char **argv)
{
	char name[] = "run";
	char **words;
	int nr = 1, ret;

	if (argc && !strcmp(argv[0], "run")) {
		argc--;
		argv++;
	}
	words = calloc((size_t)argc + 2, sizeof(*words));
	if (!words) {
		log_error("out of memory");
		return -ENOMEM;
	}
	words[0] = name;
	for (int i = 0; i < argc; i++)
		words[nr++] = argv[i];
	ret = run_options_parse(cfg, cmd_arch(), nr, words);
	free(words);
	return ret;
}

static int cmd_pmu_list_main(int argc, char **argv)
{
	const struct option_set set = cmd_options(&cmd_pmu_list);
	struct list_args args = { false };
	int status = EXIT_STATUS_START_FAILED;
	struct config cfg;
	int i = options_parse(&set, argc, argv, &args);

	if (i == -ECANCELED) {
		cmd_print_help(&cmd_pmu_list, stdout);
		return 0;
	}
	if (i < 0)
		return status;
	if (i < argc && strcmp(argv[i], "--")) {
		log_error("unexpected word '%s': options of run go behind -- (see lkvm help pmu list)", argv[i]);
		return status;
	}
	config_init(&cfg);
	if (i == argc || !parse_run_words(&cfg, argc - i - 1, argv + i + 1)) {
		log_set_level((enum log_level)cfg.loglevel);
		status = list_pmu(&cfg, args.json);
	}
	config_free(&cfg);
	return status;
}

const struct cmd cmd_pmu_list = {
	.name = "pmu list",
	.summary = "say what the performance counters of a guest would be",
	.usage = "pmu list [--json] [-- run OPTIONS]",
	.description = "Runs a probe guest that asks for its performance counters, and prints what it was told: "
		       "counters with their registers and widths, events that can be counted, and how a few of "
		       "them count. OPTIONS are those of lkvm run that choose what a guest has, such as --pmu, "
		       "--isa and --sbi. What breaks the rules of the architecture is called a host bug.\n\n"
		       "Exit status: 0, also where guests have no performance counters; 1 if the host has a bug; "
		       "125 if the probe guest could not be run.",
	.run = cmd_pmu_list_main,
	.options = list_options,
	.nr_options = &list_options_nr,
};
