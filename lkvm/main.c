// SPDX-License-Identifier: GPL-2.0-only
/* The subcommand table, and the only exit() of lkvm. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "lkvm/arch.h"
#include "lkvm/cmd.h"
#include "lkvm/console.h"
#include "lkvm/log.h"
#include "lkvm/outcome.h"

const struct cmd *const cmd_table[] = {
	&cmd_run,
	&cmd_test,
	&cmd_list,
	&cmd_pause,
	&cmd_resume,
	&cmd_stop,
	&cmd_stat,
	&cmd_debug,
	&cmd_wait,
	&cmd_balloon,
	&cmd_exec,
	&cmd_console,
	&cmd_pmu_list,
	&cmd_pmu_stat,
	&cmd_explain,
	&cmd_doctor,
	&cmd_version,
	&cmd_help,
	NULL,
};

unsigned int cmd_arch(void)
{
	return option_arch(arch_name);
}

/*
 * Started with a standard stream closed, the first file that lkvm opens (a disk, /dev/kvm) would take its
 * number, and messages would be written into it.
 */
static int open_std_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		/*
		 * The lowest free number is given out, and all below @fd are taken. What is written there stays an
		 * error, as it would be without: output that goes nowhere is no success.
		 */
		if (open("/dev/null", fd == STDIN_FILENO ? O_RDWR : O_RDONLY) != fd)
			return -errno;
	}
	return 0;
}

/* Of cmd_deadline(), for a signal handler. */
static char deadline_text[200];
static int deadline_status;

static void on_deadline(int sig)
{
	ssize_t put LKVM_UNUSED = write(STDERR_FILENO, deadline_text, strlen(deadline_text));

	(void)sig;
	_exit(deadline_status);
}

void cmd_deadline(uint64_t ms, int status, const char *when)
{
	const struct itimerval timer = {
		.it_value.tv_sec = (time_t)(ms / 1000),
		.it_value.tv_usec = (suseconds_t)(ms % 1000) * 1000,
	};
	struct sigaction sa = { .sa_handler = on_deadline };
	sigset_t set;

	if (ms) {
		deadline_status = status;
		snprintf(deadline_text, sizeof(deadline_text), "lkvm: --timeout ran out while %s (exit status %d)\n",
			 when, status);
		sigemptyset(&set);
		sigaddset(&set, SIGALRM);
		sigaction(SIGALRM, &sa, NULL);
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	}
	setitimer(ITIMER_REAL, &timer, NULL);
}

static int dispatch(int argc, char **argv)
{
	const struct cmd *cmd;
	int taken = 1;

	if (argc < 1)
		return EXIT_STATUS_START_FAILED;
	if (argc < 2) {
		cmd_print_overview(stderr);
		return EXIT_STATUS_START_FAILED;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		cmd = &cmd_help;
	else if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		cmd = &cmd_version;
	else
		cmd = cmd_find(argv + 1, argc - 1, &taken);
	return cmd ? cmd->run(argc - taken, argv + taken) : EXIT_STATUS_START_FAILED;
}

int main(int argc, char **argv)
{
	int status;

	if (open_std_streams())
		exit(EXIT_STATUS_START_FAILED);
	/* A reader of the console that goes away is an error of that write, not the end of the guest. */
	signal(SIGPIPE, SIG_IGN);
	/* So that a file that grows too large is an error of that write as well. */
	signal(SIGXFSZ, SIG_IGN);

	status = dispatch(argc, argv);

	if (fflush(stdout) || ferror(stdout)) {
		/* `lkvm help | head` has had what it wanted. */
		if (errno != EPIPE) {
			log_error("cannot write to standard output: %s", log_output_strerror(errno));
			if (!status)
				status = EXIT_STATUS_START_FAILED;
		}
	}
	exit(status);
}
