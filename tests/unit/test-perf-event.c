// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/perf-event.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

static void test_parse(void)
{
	struct perf_event e;

	CHECK_EQ(perf_event_parse("cycles", &e), 0);
	CHECK_STR(e.name, "cycles:G");
	CHECK(e.exclude_host && !e.exclude_guest);
	CHECK_EQ(e.type, 0);
	CHECK_EQ(e.config, 0);
	CHECK_EQ(perf_event_parse("instructions:H", &e), 0);
	CHECK_STR(e.name, "instructions:H");
	CHECK(!e.exclude_host && e.exclude_guest);
	CHECK_EQ(e.config, 1);
	CHECK_EQ(perf_event_parse("cache-misses:HG", &e), 0);
	CHECK_STR(e.name, "cache-misses:GH");
	CHECK(!e.exclude_host && !e.exclude_guest);
	CHECK_EQ(perf_event_parse("r1b:G", &e), 0);
	CHECK_EQ(e.type, 4);
	CHECK_EQ(e.config, 0x1b);
	CHECK_EQ(perf_event_parse("task-clock", &e), 0);
	CHECK(!e.exclude_host && !e.exclude_guest && e.is_time);
	CHECK_STR(e.name, "task-clock");
	for (size_t i = 0; perf_event_names[i]; i++)
		CHECK_EQ(perf_event_parse(perf_event_names[i], &e), 0);
}

static void test_refused(void)
{
	static const char *const bad[] = {
		"", ":G", "cycle", "cycles:", "cycles:X", "cycles:u", "r", "rxyz", "r-1", "task-clock:G",
		"an-event-name-that-is-much-longer-than-any",
	};
	struct perf_event e;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(perf_event_parse(bad[i], &e), -EINVAL);
	CHECK(strstr(perf_event_refusal(-EACCES), "perf_event_paranoid") != NULL);
	CHECK(strstr(perf_event_refusal(-ENOENT), "does not have it") != NULL);
}

/* Where the kernel lets us: a clock of this thread moves. */
static void test_count(void)
{
	struct perf_reading a, b;
	struct perf_event e;
	int fd;

	CHECK_EQ(perf_event_parse("task-clock", &e), 0);
	fd = perf_event_open(&e, 0);
	if (fd < 0)
		test_skip("no perf events here");
	CHECK_EQ(perf_event_read(fd, &a), 0);
	for (volatile int i = 0; i < 1000000; i++)
		;
	CHECK_EQ(perf_event_read(fd, &b), 0);
	CHECK(b.value > a.value);
	CHECK(b.running_ns <= b.enabled_ns);
	close(fd);
	CHECK_EQ(perf_event_read(fd, &b), -EBADF);
}

const struct test perf_event_tests[] = {
	{ "parse", test_parse },
	{ "refused", test_refused },
	{ "count", test_count },
	{ 0 },
};
