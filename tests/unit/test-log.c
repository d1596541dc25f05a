// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

static void test_prefixes(void)
{
	test_stderr_begin();
	log_set_level(LOG_DEBUG);
	log_error("cannot open %s", "x");
	log_warning("odd");
	log_info("booting");
	log_debug("deep");
	log_fatal("Unable to open kernel %s", "k");
	log_set_level(LOG_WARNING);
	CHECK_STR(test_stderr_end(), "lkvm: cannot open x\n"
				     "lkvm: warning: odd\n"
				     "lkvm: booting\n"
				     "lkvm: debug: deep\n"
				     "Fatal: Unable to open kernel k\n");
}

static void test_levels(void)
{
	CHECK_EQ(log_get_level(), LOG_WARNING);
	test_stderr_begin();
	log_info("not shown");
	log_set_level(LOG_ERROR);
	log_warning("not shown");
	log_error("shown");
	log_fatal("shown");
	log_set_level(LOG_WARNING);
	CHECK_STR(test_stderr_end(), "lkvm: shown\nFatal: shown\n");
}

/* A guest's text or a file name must neither make a second line nor move the cursor. */
static void test_control_characters(void)
{
	test_stderr_begin();
	log_error("a%sb", "\n\033[2J\r\177");
	log_error("%s", "tab\tand \xc3\xa9 stay");
	CHECK_STR(test_stderr_end(), "lkvm: a??[2J??b\nlkvm: tab\tand \xc3\xa9 stay\n");
}

static void test_long_line(void)
{
	char *text = malloc(10000);
	const char *got;

	memset(text, 'x', 9999);
	text[9999] = '\0';
	test_stderr_begin();
	log_error("%s", text);
	log_error("next");
	got = test_stderr_end();
	/* PIPE_BUF bytes at most, so that pipes keep the line in one piece. */
	CHECK_EQ(strcspn(got, "\n") + 1, 4096);
	CHECK(strstr(got, "xxx ...\nlkvm: next\n"));
	free(text);
}

static void test_longest_whole_line(void)
{
	char text[4090];
	const char *got;

	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	test_stderr_begin();
	log_error("%s", text);
	got = test_stderr_end();
	CHECK_EQ(strlen(got), 4096);
	CHECK(!strstr(got, "..."));
}

static void test_errno_kept(void)
{
	struct log_ratelimit rl = { .burst = 1 };

	test_stderr_begin();
	errno = ENOENT;
	log_error("cannot open x: %m");
	CHECK_EQ(errno, ENOENT);
	log_guest(&rl, "%m");
	CHECK_EQ(errno, ENOENT);
	log_guest(&rl, "%m");
	CHECK_EQ(errno, ENOENT);
	CHECK_STR(test_stderr_end(), "lkvm: cannot open x: No such file or directory\n"
				     "lkvm: warning: No such file or directory\n");
}

static unsigned int count_lines(const char *s)
{
	unsigned int n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

static void test_ratelimit(void)
{
	struct log_ratelimit rl = { .burst = 5 };
	const char *got;

	test_stderr_begin();
	for (int i = 0; i < 1000; i++)
		log_guest(&rl, "bad descriptor %d", i);
	/* As if seconds had passed. */
	rl.window_start -= 2;
	log_guest(&rl, "late");
	log_guest(&rl, "later");
	log_guest(&rl, "too much");
	got = test_stderr_end();
	CHECK(!strncmp(got, "lkvm: warning: bad descriptor 0\n", 32));
	/* A second may have passed in the loop; the burst may have been bigger by a few. */
	CHECK(count_lines(got) >= 5 + 2);
	CHECK(count_lines(got) <= 5 + 2 + 5);
	CHECK(strstr(got, "lkvm: warning: late ("));
	CHECK(strstr(got, " more like it were left out)\n"));
	CHECK(strstr(got, "lkvm: warning: later\n"));
}

static void test_ratelimit_without_burst(void)
{
	struct log_ratelimit rl = { 0 };

	test_stderr_begin();
	log_guest(&rl, "one");
	CHECK_STR(test_stderr_end(), "lkvm: warning: one\n");
}

static void test_ratelimit_quiet(void)
{
	struct log_ratelimit rl = { .burst = 1 };

	test_stderr_begin();
	log_set_level(LOG_ERROR);
	log_guest(&rl, "not shown");
	log_set_level(LOG_WARNING);
	log_guest(&rl, "shown");
	CHECK_STR(test_stderr_end(), "lkvm: warning: shown\n");
}

static void *writer(void *arg)
{
	for (int i = 0; i < 100; i++)
		log_error("%s", (const char *)arg);
	return NULL;
}

/* Lines of several threads stay whole in a pipe (a memfd may lose some: its offset is not locked). */
static void test_threads(void)
{
	static char got[65536];
	int copy = dup(STDERR_FILENO);
	pthread_t threads[4];
	ssize_t len = 0, n;
	int fds[2];

	CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, writer,
					(void *)(uintptr_t)"the quick brown fox"), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	dup2(copy, STDERR_FILENO);
	close(copy);
	while ((n = read(fds[0], got + len, sizeof(got) - 1 - (size_t)len)) > 0)
		len += n;
	got[len] = '\0';
	close(fds[0]);

	CHECK_EQ(count_lines(got), 400);
	for (const char *line = got; *line; line += strcspn(line, "\n") + 1)
		if (strncmp(line, "lkvm: the quick brown fox\n", 26)) {
			test_fail(__FILE__, __LINE__, "torn line: %.40s", line);
			break;
		}
}

/* Nobody reads standard error, or it is closed: log calls return all the same. */
static void test_no_stderr(void)
{
	int copy = dup(STDERR_FILENO);
	int full = open("/dev/full", O_WRONLY);

	if (full >= 0) {
		dup2(full, STDERR_FILENO);
		close(full);
		log_error("into a full device");
	}
	close(STDERR_FILENO);
	errno = 0;
	log_error("into nothing");
	CHECK_EQ(errno, 0);
	dup2(copy, STDERR_FILENO);
	close(copy);
}

const struct test log_tests[] = {
	{ "prefixes", test_prefixes },
	{ "levels", test_levels },
	{ "control-characters", test_control_characters },
	{ "long-line", test_long_line },
	{ "longest-whole-line", test_longest_whole_line },
	{ "errno-kept", test_errno_kept },
	{ "ratelimit", test_ratelimit },
	{ "ratelimit-without-burst", test_ratelimit_without_burst },
	{ "ratelimit-quiet", test_ratelimit_quiet },
	{ "threads", test_threads },
	{ "no-stderr", test_no_stderr },
	{ 0 },
};
