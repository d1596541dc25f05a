/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The unit-test runner's interface. A file tests/unit/test-foo-bar.c defines the suite
 * `const struct test foo_bar_tests[]`, ended by an empty entry; the Makefile finds it by its name.
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <stdbool.h>
#include <stdint.h>

struct test {
	const char *name;
	void (*run)(void);
};

/* Record a failure (and go on). */
void test_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Ends the running test as skipped; @reason is printed. */
void test_skip(const char *reason) __attribute__((noreturn));
void test_check(bool ok, const char *file, int line, const char *expr);
void test_check_eq(uint64_t a, uint64_t b, const char *file, int line, const char *ea, const char *eb);
void test_check_str(const char *a, const char *b, const char *file, int line, const char *ea);

#define CHECK(cond)       test_check(!!(cond), __FILE__, __LINE__, #cond)
#define CHECK_EQ(a, b)    test_check_eq((uint64_t)(a), (uint64_t)(b), __FILE__, __LINE__, #a, #b)
#define CHECK_STR(a, b)   test_check_str((a), (b), __FILE__, __LINE__, #a)

/*
 * Catches what is written to stderr (log.c) from here on; test_stderr_end() puts it back and returns the
 * text (static buffer, 64 KiB).
 */
void test_stderr_begin(void);
const char *test_stderr_end(void);

/* Number of open file descriptors, to find leaks. */
int test_open_fds(void);

#endif
