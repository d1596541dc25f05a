// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/doctor.h"

#include <string.h>

#include "tests/unit/test.h"

static double clock_s;

static double fake_now(void)
{
	return clock_s;
}

/* A guest of so many rounds per second that also takes @exit_s for every exit. Returns what was measured. */
static double measure(double per_second, double exit_s)
{
	struct doctor_meter m = { .now = fake_now };
	unsigned int exits = 0;
	double start;

	clock_s = 1e6;
	start = clock_s;
	for (;;) {
		uint32_t count = (uint32_t)doctor_meter_bus_ops.read(&m, 0, 4);

		if (!count || ++exits > 100)
			break;
		clock_s += count / per_second + exit_s;
	}
	CHECK(exits < 20);
	CHECK(clock_s - start < 0.25);
	/* It stays ended. */
	CHECK_EQ(doctor_meter_bus_ops.read(&m, 0, 4), 0);
	return m.per_second;
}

static void check_near(double got, double expect)
{
	if (got < 0.95 * expect || got > 1.05 * expect)
		test_fail(__FILE__, __LINE__, "measured %g, not %g", got, expect);
}

static void test_speeds(void)
{
	for (double speed = 1e4; speed < 2e10; speed *= 3)
		check_near(measure(speed, 5e-6), speed);
}

/* Success is for those who can boot Linux. */
static void test_verdict(void)
{
	static const struct {
		size_t      problems;
		double      per_second;
		int         status;
		const char *line;
	} rows[] = {
		{ 0, 0, 0, "lkvm run works here." }, /* nobody measured */
		{ 0, 2e9, 0, "lkvm run works here." },
		{ 0, 10e6, 0, "lkvm run works here." },
		{ 0, 9e6, 125, "lkvm run can't do Linux guests here: this KVM is too slow for more than tiny ones." },
		{ 1, 2e9, 125, "lkvm run can't work here: 1 problem above." },
		{ 12, 9e6, 125, "lkvm run can't work here: 12 problems above." },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		enum doctor_verdict verdict = doctor_verdict(rows[i].problems, rows[i].per_second);
		char buf[80];

		CHECK_EQ(doctor_exit_status(verdict), rows[i].status);
		CHECK_STR(doctor_last_line(verdict, rows[i].problems, buf, sizeof(buf)), rows[i].line);
	}
}

/* A guest that does none of the work is not infinitely fast, and other accesses are not its business. */
static void test_misuse(void)
{
	struct doctor_meter m = { .now = fake_now };

	CHECK_EQ(doctor_meter_bus_ops.read(&m, 1, 2), 0);
	CHECK_EQ(doctor_meter_bus_ops.read(&m, 0, 8), 0);
	doctor_meter_bus_ops.write(&m, 0, 4, 77);
	CHECK_EQ(m.count, 0);
	for (unsigned int i = 0; i < 100; i++)
		doctor_meter_bus_ops.read(&m, 0, 4);
	CHECK(m.per_second == 0);
}

static char said[3000];

static void say(void *ctx, const char *name, const char *value)
{
	CHECK_STR(name, "name");
	CHECK(ctx == said);
	strcpy(said, value);
}

static void test_say(void)
{
	const struct doctor d = { .say = say, .ctx = said };
	char text[2000];

	doctor_say(&d, "name", "%d and %s", 1, "more");
	CHECK_STR(said, "1 and more");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	doctor_say(&d, "name", "%s", text);
	CHECK_EQ(strlen(said), 1023);
}

const struct test doctor_tests[] = {
	{ "speeds", test_speeds },
	{ "verdict", test_verdict },
	{ "misuse", test_misuse },
	{ "say", test_say },
	{ 0 },
};
