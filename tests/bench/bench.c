// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures commands: runs them in turn, many rounds, and prints a line for each: name|wall us|CPU us|most memory
 * in KiB.
 *
 *   bench ROUNDS NAME CMD [ARG...] --- NAME CMD [ARG...] [--- ...]
 *
 * Times are the least of all rounds: what disturbs a command on a busy machine only ever adds to them. Memory is
 * that of one more round. Exits 1 if any command fails.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS 16

struct command {
	const char *name;
	char      **argv;
	double     *wall_us, *cpu_us;
	long        rss_kib;
};

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/*
 * A process takes over the most memory of what it was before its exec (Linux fs/exec.c: exec_mmap()): all of this
 * program's after vfork(), and little after fork(), which takes longer and so does not serve to measure times.
 */
static int run(struct command *c, unsigned int round, bool for_memory)
{
	struct rusage ru;
	double start = now_us();
	pid_t pid;
	int status;

	pid = for_memory ? fork() : vfork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		execv(c->argv[0], c->argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &ru) != pid) {
		perror("bench");
		return -1;
	}
	if (for_memory) {
		c->rss_kib = ru.ru_maxrss;
	} else {
		c->wall_us[round] = now_us() - start;
		c->cpu_us[round] = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1e6 +
				   (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "bench: %s: wait status 0x%x\n", c->name, status);
		return -1;
	}
	return 0;
}

static double least(const double *v, unsigned int n)
{
	double min = v[0];

	for (unsigned int i = 1; i < n; i++)
		min = v[i] < min ? v[i] : min;
	return min;
}

int main(int argc, char **argv)
{
	struct command commands[MAX_COMMANDS];
	unsigned int nr = 0, rounds;

	if (argc < 4 || !(rounds = (unsigned int)atoi(argv[1]))) {
		fprintf(stderr, "usage: bench ROUNDS NAME CMD [ARG...] [--- NAME CMD [ARG...]]...\n");
		return 2;
	}
	for (int i = 2; i < argc && nr < MAX_COMMANDS; i++) {
		struct command *c = &commands[nr++];

		c->name = argv[i++];
		c->argv = &argv[i];
		c->wall_us = calloc(rounds, sizeof(*c->wall_us));
		c->cpu_us = calloc(rounds, sizeof(*c->cpu_us));
		while (i < argc && strcmp(argv[i], "---"))
			i++;
		argv[i] = NULL;
	}
	for (unsigned int r = 0; r <= rounds; r++)
		for (unsigned int i = 0; i < nr; i++)
			if (run(&commands[i], r, r == rounds))
				return 1;

	for (unsigned int i = 0; i < nr; i++)
		printf("%s|%.0f|%.0f|%ld\n", commands[i].name, least(commands[i].wall_us, rounds),
		       least(commands[i].cpu_us, rounds), commands[i].rss_kib);
	return 0;
}
