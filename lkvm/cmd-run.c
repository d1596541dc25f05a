// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lkvm/clock.h"
#include "lkvm/command.h"
#include "lkvm/config.h"
#include "lkvm/control.h"
#include "lkvm/image.h"
#include "lkvm/log.h"
#include "lkvm/outcome.h"
#include "lkvm/run-options.h"
#include "lkvm/run-report.h"
#include "lkvm/symbols.h"
#include "lkvm/vm-control.h"
#include "lkvm/vm.h"

/* What blocks there, as a rule, opens a file. */
#define BEING_SET_UP "the guest was being set up: is a file that it needs a pipe without a writer?"

/* More than making a machine again takes. */
#define SET_UP_AGAIN_MS 1000

/* Whether all is freed in the end, for who looks for leaks. */
#ifdef __SANITIZE_ADDRESS__
#define KEEP_TIDY true
#else
#define KEEP_TIDY false
#endif

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
	if (cfg->command) /* the console is on standard error itself */
		return true;
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

/* What the guest's kernel said of its crash: it may be far above the end of the console. */
static void print_oops(const struct config *cfg, const struct oops *oops)
{
	char where[OOPS_WHERE_BYTES], *text = NULL;
	size_t len = 0;
	FILE *out;

	if (!oops_where(oops, where))
		return;
	log_error("where the guest's kernel went wrong: %s", where);
	out = console_was_seen(cfg) ? NULL : open_memstream(&text, &len);
	if (!out)
		return;
	oops_print(oops, out);
	if (!fclose(out))
		log_write(text, len);
	free(text);
}

static void report_outcome(const struct config *cfg, struct vm *vm)
{
	bool bad = outcome_is_bad(&vm->outcome);
	bool failed = bad || (outcome_exit_status(&vm->outcome) && vm->outcome.kind != OUTCOME_COMMAND);
	char text[sizeof(vm->outcome.text) + 64];

	if (!failed && log_get_level() < LOG_INFO)
		return;
	if (bad && !console_was_seen(cfg))
		print_console_tail(vm->console);
	if (bad)
		print_oops(cfg, &vm->watch.oops);
	outcome_format(&vm->outcome, text, sizeof(text));
	log_message(failed ? LOG_ERROR : LOG_INFO, "%s", text);
}

/* Whoever judges a good end by the output must not take what is left of it for all. */
static void note_lost_output(struct vm *vm)
{
	const char *whose = "guest's console";
	int err = console_output_error(vm->console);

	if (!err && vm->command) {
		whose = "command's";
		err = command_output_error(vm->command);
	}
	if (!err || outcome_exit_status(&vm->outcome))
		return;
	vm->outcome.kind = OUTCOME_OUTPUT_LOST;
	snprintf(vm->outcome.text, sizeof(vm->outcome.text), "the %s output is not complete: %s", whose,
		 log_output_strerror(-err));
}

static int attach_control(struct control *ctl, struct vm *vm)
{
	int ret = ctl ? control_attach(ctl, vm->loop, vm_control_commands, vm) : 0;

	if (ret)
		log_error("cannot serve the control socket: %s", strerror(-ret));
	return ret;
}

/* A success whose report is missing is none for whoever reads the report. */
static void write_report(struct run_report *report, struct vm *vm, struct outcome *outcome)
{
	report->vm = vm;
	report->outcome = outcome;
	report->lives++;
	if (!run_report_write(report) || outcome_exit_status(outcome))
		return;
	outcome->kind = OUTCOME_OUTPUT_LOST;
	outcome->override = report->cfg->exit_codes[OUTCOME_OUTPUT_LOST];
	snprintf(outcome->text, sizeof(outcome->text), "the report could not be written");
}

/* True if what ended so is to begin another life. */
static bool begins_anew(const struct config *cfg, const struct outcome *outcome)
{
	return (outcome->kind == OUTCOME_REBOOT && cfg->on_reboot == ON_REBOOT_RESTART) ||
	       (outcome->kind == OUTCOME_PANIC && cfg->on_panic == ON_PANIC_REBOOT);
}

/*
 * Until deadline_end(), --timeout and @grace_ms end lkvm by a signal, which leaves no report: that is for what is
 * stuck there. A machine that is made in time is left to the main loop.
 */
static void deadline_begin(const struct config *cfg, unsigned int grace_ms, const char *when)
{
	const struct outcome timeout = {
		.kind = OUTCOME_TIMEOUT, .override = cfg->exit_codes[OUTCOME_TIMEOUT],
	};

	if (cfg->timeout_ms)
		cmd_deadline(config_timeout_left_ms(cfg) + grace_ms, outcome_exit_status(&timeout), when);
}

static void deadline_end(const struct config *cfg)
{
	if (cfg->timeout_ms)
		cmd_deadline(0, 0, NULL);
}

/* One life of the guest: how it ended. */
static struct outcome run_guest(const struct config *cfg, struct control *ctl, struct run_report *report,
				const struct run_hooks *hooks)
{
	struct outcome outcome = {
		.kind = OUTCOME_START_FAILED, .override = cfg->exit_codes[OUTCOME_START_FAILED],
	};
	struct vm *vm = NULL;
	int ret;

	/* What the first life could open will not hold up the next. */
	if (report->lives)
		deadline_begin(cfg, SET_UP_AGAIN_MS, "the guest was being set up for another life");
	else
		deadline_begin(cfg, 0, BEING_SET_UP);
	ret = vm_create(&vm, cfg);
	deadline_end(cfg);
	if (ret) {
		write_report(report, NULL, &outcome);
		return outcome;
	}
	/* If it can't be run as asked, then whatever the outcome says: the reason has been reported. */
	if (!attach_control(ctl, vm) && !(hooks && hooks->created(hooks->ctx, vm)) && !vm_run(vm)) {
		note_lost_output(vm);
		vm->outcome.override = cfg->exit_codes[vm->outcome.kind];
		report_outcome(cfg, vm);
		outcome = vm->outcome;
	}
	if (hooks)
		hooks->ended(hooks->ctx, vm);
	if (ctl)
		control_detach(ctl);
	write_report(report, vm, &outcome);
	if (KEEP_TIDY || hooks || begins_anew(cfg, &outcome))
		vm_destroy(vm);
	else
		vm_let_go(vm);
	return outcome;
}

/* Without a place for sockets the guest runs all the same, unless another has the name that was asked for. */
static int create_control(const struct config *cfg, struct control **ctl)
{
	int ret = control_create(ctl, cfg->name);

	if (ret == -EEXIST && cfg->name) {
		log_error("--name: a guest called '%s' is running already (see lkvm list)", cfg->name);
		return ret;
	}
	if (ret && ret != -ENOTSUP)
		log_message(cfg->name ? LOG_WARNING : LOG_INFO,
			    "no control socket, lkvm list and others will not find this guest: %s "
			    "(set XDG_RUNTIME_DIR to a directory of your own)", strerror(-ret));
	return 0;
}

/* All lives of the guest: with --on-reboot=restart a reset begins another, in a new VM. */
static int run_guest_lives(struct config *cfg, struct run_report *report, const struct run_hooks *hooks)
{
	char name[sizeof("guest-2147483647")];
	struct control *ctl = NULL;
	struct outcome outcome;

	if (cfg->control && create_control(cfg, &ctl))
		return EXIT_STATUS_START_FAILED;
	if (!cfg->name && !ctl)
		snprintf(name, sizeof(name), "guest-%d", (int)getpid());
	prctl(PR_SET_NAME, cfg->name ? cfg->name : ctl ? control_name(ctl) : name);
	for (;;) {
		outcome = run_guest(cfg, ctl, report, hooks);
		if (!begins_anew(cfg, &outcome))
			break;
		cfg->console_log_append = true;
		/* It holds for all lives together. */
		cfg->timeout_spent_ms = clock_now_ms() - report->start_ms;
	}
	if (ctl)
		control_announce_end(ctl, &outcome);
	control_destroy(ctl);
	return outcome_exit_status(&outcome);
}

/* Ends us with the process that started us, even if that is gone already. */
static int die_with_parent(void)
{
	pid_t parent = getppid();

	if (prctl(PR_SET_PDEATHSIG, SIGTERM)) {
		log_error("--pdeathsig: %s", strerror(errno));
		return -errno;
	}
	if (getppid() != parent)
		raise(SIGTERM);
	return 0;
}

/*
 * A pipe can be read once, but the guest may begin anew, and --modules auto looks into the kernel. 0 or -errno
 * (reported).
 */
static int keep_pipes(struct config *cfg)
{
	int ret = 0;

	if (cfg->on_reboot != ON_REBOOT_RESTART && cfg->on_panic != ON_PANIC_REBOOT &&
	    (!cfg->modules || strcmp(cfg->modules, "auto")))
		return 0;
	deadline_begin(cfg, 0, BEING_SET_UP);
	if (cfg->kernel)
		ret = image_keep(&cfg->kernel, "kernel");
	if (cfg->firmware)
		ret = image_keep(&cfg->firmware, "firmware");
	for (unsigned int i = 0; i < cfg->nr_initrds && !ret; i++)
		ret = image_keep(&cfg->initrds[i], "initrd");
	deadline_end(cfg);
	return ret;
}

/* What a report will need is looked at now: the crash may come once, and after days. */
static int check_vmlinux(const char *path)
{
	struct symbols *symbols = NULL;
	int ret = path ? symbols_open_elf(&symbols, path) : 0;

	symbols_free(symbols);
	return ret;
}

int cmd_run_with(int argc, char **argv, const struct run_hooks *hooks)
{
	int status = EXIT_STATUS_START_FAILED;
	struct config cfg;
	struct run_report report = { .cfg = &cfg, .argv = argv, .start_ms = clock_now_ms() };
	int ret;

	config_init(&cfg);
	ret = run_options_parse(&cfg, cmd_arch(), argc, argv);
	if (ret == -ECANCELED) {
		cmd_print_help(&cmd_run, stdout);
		status = 0;
	} else if (!ret && !config_validate(&cfg)) {
		log_set_level((enum log_level)cfg.loglevel);
		if ((!cfg.pdeathsig || !die_with_parent()) && !check_vmlinux(cfg.vmlinux) &&
		    !run_report_prepare(&cfg) && !keep_pipes(&cfg))
			status = run_guest_lives(&cfg, &report, hooks);
	}
	config_free(&cfg);
	return status;
}

static int cmd_run_main(int argc, char **argv)
{
	return cmd_run_with(argc, argv, NULL);
}

const struct cmd cmd_run = {
	.name = "run",
	.summary = "boot a kernel in a virtual machine",
	.usage = "run --kernel FILE [OPTIONS] [-- CMD [ARGS]]",
	.description =
		"Boots a Linux kernel, or firmware, in a virtual machine on /dev/kvm. The guest's console is "
		"standard input and output; lkvm's own messages go to standard error. On a terminal, ^A x "
		"stops the guest; ^A d, SIGQUIT and lkvm debug print where its CPUs are, and the guest goes on. A "
		"kernel may also be given as a word of its own, without --kernel.\n\n"
		"Options have the names, the short letters and the meaning that they have in kvmtool. Sizes "
		"take K, M, G or T; a bare number is MiB. Values with several parts are key=value,...: the "
		"first key may be left out, a bare key means on, and a comma in a value is written twice.\n\n"
		"With -- CMD the guest runs CMD, a program of its initrd or of this host, in which case it is brought "
		"along with the libraries that it needs. CMD's standard streams are lkvm's, its exit status is lkvm's "
		"(128 + N if signal N ended it, 126 if it can't be executed, 127 if it was not found), and the guest "
		"ends with it.\n\n"
		"Exit status without CMD: 0 when the guest powered off or rebooted; 120 after a kernel panic; 121 when a "
		"vCPU stopped in a way that it can't go on from; 122 when the guest hung; 123 when it was "
		"lost; 124 when --timeout ran out; 125 when it could not be started; 128 + N when signal N "
		"stopped lkvm.",
	.run = cmd_run_main,
	.options = run_options,
	.nr_options = &run_options_nr,
};
