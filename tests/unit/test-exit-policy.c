// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/exit-policy.h"

#include "tests/unit/test.h"

static struct exit_record resumable = { .verdict = EXIT_RESUMABLE };
static struct exit_record fatal = { .verdict = EXIT_STOP };

static struct exit_info at(uint64_t pc, uint64_t value)
{
	struct exit_info info = { .reason = EXIT_REASON_UNKNOWN, .have_pc = true, .pc = pc };

	exit_payload_set(&info, 0, 8, value);
	return info;
}

static void test_fatal_stops_at_once(void)
{
	struct exit_policy p = { 0 };
	struct exit_info info = at(0x1000, 1);

	CHECK_EQ(exit_policy_unserved(&p, &info, &fatal, false), EXIT_GIVE_UP);
	CHECK_EQ(p.total, 0);
	CHECK_EQ(exit_policy_unserved(&p, &info, &resumable, true), EXIT_GIVE_UP);
}

static void test_once_per_place(void)
{
	struct exit_policy p = { 0 };
	struct exit_info a = at(0x1000, 1), b = at(0x1004, 1), c = at(0x1000, 2);

	CHECK_EQ(exit_policy_unserved(&p, &a, &resumable, false), EXIT_REPORT);
	CHECK_EQ(exit_policy_unserved(&p, &a, &resumable, false), EXIT_GO_ON);
	CHECK_EQ(exit_policy_unserved(&p, &b, &resumable, false), EXIT_REPORT);
	CHECK_EQ(exit_policy_unserved(&p, &c, &resumable, false), EXIT_REPORT);
	CHECK_EQ(exit_policy_unserved(&p, &a, &resumable, false), EXIT_GO_ON);
	CHECK_EQ(p.total, 5);
	/* Beyond the table places are counted only. */
	for (unsigned int i = 0; i < 100; i++) {
		struct exit_info info = at(0x2000 + 4 * i, 1);
		enum exit_decision d = exit_policy_unserved(&p, &info, &resumable, false);

		CHECK_EQ(d, i < EXIT_MAX_PLACES - 3 ? EXIT_REPORT : EXIT_GO_ON);
	}
	CHECK_EQ(p.nr_places, EXIT_MAX_PLACES);
	CHECK_EQ(p.total, 105);
}

static void test_no_progress(void)
{
	struct exit_policy p = { 0 };
	struct exit_info info = at(0x1000, 1);

	for (int i = 1; i < EXIT_REPEATS_MAX; i++) {
		CHECK(exit_policy_unserved(&p, &info, &resumable, false) != EXIT_NO_PROGRESS);
		exit_policy_kicked(&p); /* no progress of the guest */
	}
	/* An exit that is served, and all begins again. */
	exit_policy_progress(&p);
	for (int i = 1; i < EXIT_REPEATS_MAX; i++)
		CHECK_EQ(exit_policy_unserved(&p, &info, &resumable, false), EXIT_GO_ON);
	CHECK_EQ(exit_policy_unserved(&p, &info, &resumable, false), EXIT_NO_PROGRESS);
}

/* Two places in turn, or ever new ones, end as well. */
static void test_changing_places(void)
{
	struct exit_policy p = { 0 };

	for (uint64_t i = 1; i < EXIT_UNSERVED_MAX; i++) {
		struct exit_info info = at(0x1000 + 4 * (i % 2), 1);

		if (exit_policy_unserved(&p, &info, &resumable, false) == EXIT_NO_PROGRESS)
			test_fail(__FILE__, __LINE__, "after %llu", (unsigned long long)i);
	}
	CHECK_EQ(exit_policy_unserved(&p, &(struct exit_info){ 0 }, &resumable, false), EXIT_NO_PROGRESS);
}

/* Calls with the time as vcpu.c does it; returns after how many returns it is said to spin, 0: not. */
static unsigned int returns_until_spin(struct exit_policy *p, unsigned int nr, unsigned int per_second)
{
	for (unsigned int i = 1; i <= nr; i++)
		if (exit_policy_idle_is_due(p) &&
		    exit_policy_spins(p, 1000000 + (int64_t)i * 1000 / per_second))
			return i;
	return 0;
}

static void test_idle_returns(void)
{
	struct exit_policy p = { 0 };

	/* A profiler's signals are no spin, in whatever number. */
	CHECK_EQ(returns_until_spin(&p, 20 * EXIT_IDLE_RETURNS_MAX, 1000), 0);
	p = (struct exit_policy){ 0 };
	CHECK_EQ(returns_until_spin(&p, 20 * EXIT_IDLE_RETURNS_MAX, 1000000), EXIT_IDLE_RETURNS_MAX + 1);
	/* As long as something else happens there is none either. */
	p = (struct exit_policy){ 0 };
	for (unsigned int i = 0; i < 5; i++) {
		CHECK_EQ(returns_until_spin(&p, EXIT_IDLE_RETURNS_MAX, 1000000), 0);
		if (i & 1)
			exit_policy_progress(&p);
		else
			exit_policy_kicked(&p);
	}
}

const struct test exit_policy_tests[] = {
	{ "fatal_stops_at_once", test_fatal_stops_at_once },
	{ "once_per_place", test_once_per_place },
	{ "no_progress", test_no_progress },
	{ "changing_places", test_changing_places },
	{ "idle_returns", test_idle_returns },
	{ 0 },
};
