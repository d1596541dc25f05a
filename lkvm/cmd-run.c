// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lkvm/config.h"
#include "lkvm/log.h"
#include "lkvm/outcome.h"
#include "lkvm/run-options.h"
#include "lkvm/vm.h"

#define TAIL_LINES 20
#define TAIL_BYTES 4096

/*
 * True if whoever reads standard error has already seen the console there: on a terminal, or in the one file
 * or pipe that both streams go to.
 */
static bool console_was_seen(const struct config *cfg)
{
	struct stat out, err;

	if (cfg->console_log)
		return false;
	if (fstat(STDOUT_FILENO, &out) || fstat(STDERR_FILENO, &err))
		return false;
	return (S_ISCHR(out.st_mode) && isatty(STDOUT_FILENO)) ||
	       (out.st_dev == err.st_dev && out.st_ino == err.st_ino);
}

static void print_console_tail(struct console *console)
{
	char text[TAIL_BYTES];
	size_t len = console_tail(console, text, sizeof(text));
	unsigned int lines = 0;
	char *start, *save, *line;

	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	if (!len)
		return;
	/* console_tail() gives whole lines, but more of them than a reader wants. */
	for (start = text + len; start > text; start--)
		if (start[-1] == '\n' && ++lines == TAIL_LINES)
			break;
	log_error("the last lines of the guest's console:");
	for (line = strtok_r(start, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t end = strlen(line);

		while (end && line[end - 1] == '\r')
			line[--end] = '\0';
		log_error("| %s", line);
	}
}

static void report_outcome(const struct config *cfg, struct vm *vm)
{
	char text[sizeof(vm->outcome.text) + 64];

	outcome_format(&vm->outcome, text, sizeof(text));
	if (outcome_is_bad(&vm->outcome)) {
		if (!console_was_seen(cfg))
			print_console_tail(vm->console);
		log_error("%s", text);
	} else if (outcome_exit_status(&vm->outcome)) {
		log_error("%s", text);
	} else {
		log_info("%s", text);
	}
}

/* One life of the guest. Returns the exit status; @reboot tells whether it ended by asking for a reset. */
static int run_guest(const struct config *cfg, bool *reboot)
{
	struct vm *vm;
	int status;

	*reboot = false;
	if (vm_create(&vm, cfg))
		return EXIT_STATUS_START_FAILED;
	if (vm_run(vm)) {
		/* Whatever the outcome says, the guest was not run as asked; the reason has been reported. */
		status = EXIT_STATUS_START_FAILED;
	} else {
		report_outcome(cfg, vm);
		status = outcome_exit_status(&vm->outcome);
		*reboot = vm->outcome.kind == OUTCOME_REBOOT;
	}
	vm_destroy(vm);
	return status;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* All lives of the guest: with --on-reboot=restart a reset begins another, in a new VM. */
static int run_guest_lives(const struct config *cfg)
{
	/* Strings are shared with @cfg, which keeps them. --timeout holds for all lives together. */
	struct config life = *cfg;
	uint64_t start = now_ms();
	char name[sizeof("guest-2147483647")];
	bool reboot;
	int status;

	snprintf(name, sizeof(name), "guest-%d", (int)getpid());
	prctl(PR_SET_NAME, cfg->name ? cfg->name : name);
	for (;;) {
		status = run_guest(&life, &reboot);
		if (!reboot || cfg->on_reboot != ON_REBOOT_RESTART)
			return status;
		life.console_log_append = true;
		life.timeout_spent_ms = now_ms() - start;
	}
}

static int cmd_run_main(int argc, char **argv)
{
	int status = EXIT_STATUS_START_FAILED;
	struct config cfg;
	int ret;

	config_init(&cfg);
	ret = run_options_parse(&cfg, cmd_arch(), argc, argv);
	if (ret == -ECANCELED) {
		cmd_print_help(&cmd_run, stdout);
		status = 0;
	} else if (!ret && !config_validate(&cfg)) {
		log_set_level((enum log_level)cfg.loglevel);
		status = run_guest_lives(&cfg);
	}
	config_free(&cfg);
	return status;
}

const struct cmd cmd_run = {
	.name = "run",
	.summary = "boot a kernel in a virtual machine",
	.usage = "run --kernel FILE [OPTIONS]",
	.description =
		"Boots a Linux kernel, or firmware, in a virtual machine on /dev/kvm. The guest's console is "
		"standard input and output; lkvm's own messages go to standard error. On a terminal, ^A x "
		"stops the guest. A kernel may also be given as a word of its own, without --kernel.\n\n"
		"Options have the names, the short letters and the meaning that they have in kvmtool. Sizes "
		"take K, M, G or T; a bare number is MiB. Values with several parts are key=value,...: the "
		"first key may be left out, a bare key means on, and a comma in a value is written twice.\n\n"
		"Exit status: 0 when the guest powered off or rebooted; 120 after a kernel panic; 121 when a "
		"vCPU stopped in a way that it can't go on from; 122 when the guest hung; 123 when it was "
		"lost; 124 when --timeout ran out; 125 when it could not be started; 128 + N when signal N "
		"stopped lkvm.",
	.run = cmd_run_main,
	.options = run_options,
	.nr_options = &run_options_nr,
};
