// SPDX-License-Identifier: GPL-2.0-only
/* Runs all unit tests, or those whose "suite/name" contains one of the arguments. */
#include "tests/unit/test.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct suite {
	const char        *name;
	const struct test *tests;
};

/* SUITE(foo_bar) for every tests/unit/test-foo-bar.c, written by the Makefile. */
#define SUITE(n) extern const struct test n##_tests[];
#include "suites.inc"
#undef SUITE
#define SUITE(n) { #n, n##_tests },
static const struct suite suites[] = {
#include "suites.inc"
	{ NULL, NULL },
};
#undef SUITE

static int failures;
static const char *skip_reason;
static jmp_buf skip_jump;
static int stderr_copy = -1;
static int stderr_file = -1;

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	failures++;
	printf("    %s:%d: ", file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

void test_skip(const char *reason)
{
	skip_reason = reason;
	longjmp(skip_jump, 1);
}

void test_check(bool ok, const char *file, int line, const char *expr)
{
	if (!ok)
		test_fail(file, line, "failed: %s", expr);
}

void test_check_eq(uint64_t a, uint64_t b, const char *file, int line, const char *ea, const char *eb)
{
	if (a != b)
		test_fail(file, line, "%s is %#llx (%lld), not %s = %#llx (%lld)", ea,
			  (unsigned long long)a, (long long)a, eb, (unsigned long long)b, (long long)b);
}

void test_check_str(const char *a, const char *b, const char *file, int line, const char *ea)
{
	if (!a || strcmp(a, b))
		test_fail(file, line, "%s is \"%s\", not \"%s\"", ea, a ? a : "(null)", b);
}

void test_stderr_begin(void)
{
	fflush(stderr);
	stderr_copy = dup(2);
	stderr_file = memfd_create("stderr", MFD_CLOEXEC);
	if (stderr_copy < 0 || stderr_file < 0 || dup2(stderr_file, 2) < 0) {
		perror("test_stderr_begin");
		exit(2);
	}
}

const char *test_stderr_end(void)
{
	static char text[65536];
	ssize_t n;

	fflush(stderr);
	n = pread(stderr_file, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	dup2(stderr_copy, 2);
	close(stderr_copy);
	close(stderr_file);
	return text;
}

int test_open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static bool wanted(const char *suite, const char *name, int argc, char **argv)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", suite, name);
	for (int i = 1; i < argc; i++)
		if (strstr(full, argv[i]))
			return true;
	return argc < 2;
}

/* In a function of its own, so that no variable of the caller lives across the jump. */
static void run_test(const struct test *t)
{
	failures = 0;
	skip_reason = NULL;
	if (!setjmp(skip_jump))
		t->run();
}

int main(int argc, char **argv)
{
	unsigned int passed = 0, failed = 0, skipped = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (const struct suite *s = suites; s->name; s++) {
		for (const struct test *t = s->tests; t->name; t++) {
			if (!wanted(s->name, t->name, argc, argv))
				continue;
			run_test(t);
			if (failures) {
				printf("not ok - %s/%s\n", s->name, t->name);
				failed++;
			} else if (skip_reason) {
				printf("skip - %s/%s: %s\n", s->name, t->name, skip_reason);
				skipped++;
			} else {
				passed++;
			}
		}
	}
	if (!passed && !failed && !skipped) {
		printf("no test matches\n");
		return 2;
	}
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed ? 1 : 0;
}
