// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/progress.h"

#include "tests/unit/test.h"

static struct progress_look make_look(enum fetch_verdict verdict)
{
	return (struct progress_look){
		.pc = 0x80001000, .lr = 0x80002000, .sp = 0x80003000, .hash = 1, .full = true,
		.verdict = verdict,
	};
}

/* Looks at the same thing until there is news; returns after how many, 0: none in 100. */
static unsigned int looks_until(struct progress *p, const struct progress_look *look, enum progress_news want)
{
	for (unsigned int i = 1; i <= 100; i++) {
		enum progress_news news = progress_judge(p, look);

		if (news == want)
			return i;
		CHECK_EQ(news, PROGRESS_NONE);
	}
	return 0;
}

static void test_failed_fetch(void)
{
	static const struct {
		enum fetch_verdict verdict;
		bool user, proven;
	} rows[] = {
		{ FETCH_NO_MEMORY, false, true }, { FETCH_NO_MEMORY, true, true },
		{ FETCH_DEVICE, false, true },    { FETCH_DEVICE, true, true },
		{ FETCH_NO_EXEC, false, true },   { FETCH_NO_EXEC, true, false },
		{ FETCH_UNMAPPED, false, true },  { FETCH_UNMAPPED, true, false },
		{ FETCH_UNKNOWN, false, false },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct progress_look look = make_look(rows[i].verdict);
		struct progress p = { 0 };

		look.user = rows[i].user;
		CHECK_EQ(looks_until(&p, &look, PROGRESS_FETCH_FAILS), rows[i].proven ? PROGRESS_FETCH_LOOKS : 0);
		/* It does not depend on how much CPU time the host had for it. */
		look.full = false;
		progress_reset(&p);
		CHECK_EQ(looks_until(&p, &look, PROGRESS_FETCH_FAILS), rows[i].proven ? PROGRESS_FETCH_LOOKS : 0);
	}
}

/* What moves is alive, wherever it fails. */
static void test_moving_fetch(void)
{
	struct progress_look look = make_look(FETCH_NO_MEMORY);
	struct progress p = { 0 };

	for (unsigned int i = 0; i < 100; i++) {
		look.pc = 0x80001000 + (i & 1) * 4;
		CHECK_EQ(progress_judge(&p, &look), PROGRESS_NONE);
	}
	for (unsigned int i = 0; i < 100; i++) {
		look.pc = 0x80001000;
		look.sp = 0x80003000 + (i & 1) * 16;
		CHECK_EQ(progress_judge(&p, &look), PROGRESS_NONE);
	}
	/* A fetch that works in between, an exit in between. */
	for (unsigned int i = 0; i < 100; i++) {
		look = make_look(i % 3 == 2 ? FETCH_WORKS : FETCH_NO_MEMORY);
		CHECK_EQ(progress_judge(&p, &look), PROGRESS_NONE);
	}
	look = make_look(FETCH_NO_MEMORY);
	for (unsigned int i = 0; i < 100; i++) {
		if (i % 2 == 0)
			progress_reset(&p);
		CHECK_EQ(progress_judge(&p, &look), PROGRESS_NONE);
	}
}

static void test_spinning(void)
{
	struct progress_look look = make_look(FETCH_WORKS);
	struct progress p = { 0 };

	CHECK_EQ(looks_until(&p, &look, PROGRESS_SPINS), PROGRESS_SPIN_LOOKS + 1);
	/* Said once, and again for another loop. */
	CHECK_EQ(looks_until(&p, &look, PROGRESS_SPINS), 0);
	look.pc += 4096;
	CHECK_EQ(looks_until(&p, &look, PROGRESS_SPINS), PROGRESS_SPIN_LOOKS + 1);
	/* A loop of a few instructions. */
	progress_reset(&p);
	for (unsigned int i = 0; i < PROGRESS_SPIN_LOOKS; i++) {
		look.pc = 0x80001000 + i % 4 * 4;
		CHECK_EQ(progress_judge(&p, &look), PROGRESS_NONE);
	}
	CHECK_EQ(progress_judge(&p, &look), PROGRESS_SPINS);
}

static void test_busy_is_not_spinning(void)
{
	struct progress_look look = make_look(FETCH_WORKS);
	struct progress p = { 0 };

	/* A register counts. */
	for (unsigned int i = 0; i < 100; i++) {
		look.hash = i;
		CHECK_EQ(progress_judge(&p, &look), PROGRESS_NONE);
	}
	/* It sleeps: wakes often, and is seen at the instruction that waits. */
	look = make_look(FETCH_WORKS);
	look.full = false;
	CHECK_EQ(looks_until(&p, &look, PROGRESS_SPINS), 0);
	/* User mode. */
	look = make_look(FETCH_WORKS);
	look.user = true;
	CHECK_EQ(looks_until(&p, &look, PROGRESS_SPINS), 0);
}

const struct test progress_tests[] = {
	{ "failed_fetch", test_failed_fetch },
	{ "moving_fetch", test_moving_fetch },
	{ "spinning", test_spinning },
	{ "busy_is_not_spinning", test_busy_is_not_spinning },
	{ 0 },
};
