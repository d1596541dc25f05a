// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/cpulist.h"

#include <errno.h>

#include "tests/unit/test.h"

static void test_good(void)
{
	static const struct {
		const char *text;
		uint64_t    cpus;
	} rows[] = {
		{ "0", 0x1 }, { "3", 0x8 }, { "0-3", 0xf }, { "0,2", 0x5 }, { "5,1-2,5", 0x26 },
		{ "7-7", 0x80 }, { "007", 0x80 }, { "1-2\n", 0x6 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cpu_set_t cpus;

		CHECK_EQ(cpulist_parse(rows[i].text, &cpus), 0);
		for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
			CHECK_EQ(!!CPU_ISSET(cpu, &cpus), cpu < 64 && rows[i].cpus >> cpu & 1);
	}
}

static void test_bounds(void)
{
	cpu_set_t cpus;

	CHECK_EQ(cpulist_parse("1023", &cpus), 0);
	CHECK(CPU_ISSET(1023, &cpus));
	CHECK_EQ(cpulist_parse("0-1023", &cpus), 0);
	CHECK_EQ(CPU_COUNT(&cpus), 1024);
	CHECK_EQ(cpulist_parse("1024", &cpus), -EINVAL);
	CHECK_EQ(cpulist_parse("0-1024", &cpus), -EINVAL);
	CHECK_EQ(cpulist_parse("99999999999999999999", &cpus), -EINVAL);
}

static void test_bad(void)
{
	static const char *const texts[] = {
		"", "\n", ",", "0,", ",0", "-", "0-", "-1", "3-1", "0--1", "1-2-3", "a", "0x1", " 1", "1 ", "+1",
		"1,,2", "1;2", "1\n2", "all",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cpu_set_t cpus;

		if (cpulist_parse(texts[i], &cpus) != -EINVAL)
			test_fail(__FILE__, __LINE__, "\"%s\" was taken", texts[i]);
	}
}

const struct test cpulist_tests[] = {
	{ "good", test_good },
	{ "bounds", test_bounds },
	{ "bad", test_bad },
	{ 0 },
};
