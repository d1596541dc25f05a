// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/splat.h"

#include <string.h>

#include "tests/unit/test.h"

static const struct {
	const char *line;
	int         kind; /* -1: none */
} rows[] = {
	{ "[    1.234567] WARNING: CPU: 0 PID: 1 at kernel/x.c:12 f+0x0/0x10", SPLAT_WARNING },
	{ "[    1.234567][    T1] WARNING: CPU: 0 PID: 1 at kernel/x.c:12 f", SPLAT_WARNING },
	{ "<4>[    1.234567] WARNING: kernel/x.c:12 at f+0x0/0x10, CPU#0: sh/1", SPLAT_WARNING },
	{ "WARNING: CPU: 0 PID: 1 at kernel/x.c:12 f", SPLAT_WARNING }, /* printk.time=0 */
	{ "[    1.0] WARNING: possible circular locking dependency detected", SPLAT_LOCKDEP },
	{ "[    1.0] WARNING: possible recursive locking detected", SPLAT_LOCKDEP },
	{ "[    1.0] WARNING: inconsistent lock state", SPLAT_LOCKDEP },
	{ "[    1.0] WARNING: suspicious RCU usage", SPLAT_LOCKDEP },
	{ "[    1.0] WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected", SPLAT_LOCKDEP },
	{ "[    1.0] [ BUG: Invalid wait context ]", SPLAT_LOCKDEP },
	{ "[    1.0] BUG: KASAN: slab-out-of-bounds in f+0x1/0x2", SPLAT_KASAN },
	{ "[    1.0] BUG: KFENCE: use-after-free read in f", SPLAT_KASAN },
	{ "[    1.0] BUG: KCSAN: data-race in a / b", SPLAT_KCSAN },
	{ "[    1.0] UBSAN: array-index-out-of-bounds in x.c:1:2", SPLAT_UBSAN },
	{ "[   60.0] rcu: INFO: rcu_sched self-detected stall on CPU", SPLAT_RCU_STALL },
	{ "[   60.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", SPLAT_RCU_STALL },
	{ "[  120.0] INFO: task sh:1 blocked for more than 120 seconds.", SPLAT_HUNG_TASK },
	{ "[   30.0] watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [sh:1]", SPLAT_LOCKUP },
	{ "[   30.0] BUG: workqueue lockup - pool cpus=0 node=0", SPLAT_LOCKUP },
	{ "[    1.0] BUG: scheduling while atomic: sh/1/0x00000002", SPLAT_BUG },
	{ "[    1.0] BUG: sleeping function called from invalid context at x.c:1", SPLAT_BUG },
	{ "[    1.0] BUG: kernel NULL pointer dereference, address: 0000000000000000", SPLAT_BUG },
	{ "[    1.0] kernel BUG at kernel/x.c:12!", SPLAT_BUG },
	{ "[    1.0] Kernel BUG [#1]", -1 },
	{ "[    1.0] Unable to handle kernel NULL pointer dereference at virtual address 0", SPLAT_BUG },
	{ "[    1.0] Internal error: Oops: 0000000096000004 [#1] SMP", SPLAT_BUG },
	{ "[    1.0] Oops [#1]", SPLAT_BUG },
	{ "[    1.0] Kernel attempted to read user page (0) - exploit attempt? (uid: 0)", SPLAT_BUG },
	/* Nothing of that sort. */
	{ "[    1.0] WARNING: this is only text", -1 },
	{ "[    1.0] foo: WARNING: CPU: 0 PID: 1 at x", -1 },
	{ "the log said [    1.0] BUG: KASAN: x", -1 },
	{ "  BUG: KASAN: indented", -1 },
	{ "[    1.0] INFO: task sh:1 is fine", -1 },
	{ "[    1.0] rcu: INFO: rcu is fine", -1 },
	{ "[    1.0] Booting Linux", -1 },
	{ "[    1.0", -1 },
	{ "[", -1 },
	{ "<", -1 },
	{ "", -1 },
};

static void test_lines(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *text;
		int kind = splat_match(rows[i].line, &text);

		if (kind != rows[i].kind)
			test_fail(__FILE__, __LINE__, "\"%s\" is %d, not %d", rows[i].line, kind, rows[i].kind);
	}
}

static bool allow_fine(void *opaque, const char *line)
{
	return strstr(line, opaque) != NULL;
}

static void test_count(void)
{
	static char fine[] = "fine.c";
	static struct splats s;
	char text[64];

	memset(&s, 0, sizeof(s));
	s.allow = allow_fine;
	s.opaque = fine;
	CHECK(!splats_take(&s, "[ 1.0] hello"));
	CHECK(splats_take(&s, "[ 1.0] WARNING: CPU: 0 PID: 1 at bad.c:1 f"));
	CHECK(!splats_take(&s, "[ 1.0] WARNING: CPU: 0 PID: 1 at fine.c:1 f"));
	CHECK(splats_take(&s, "[ 1.0] UBSAN: shift in bad.c"));
	CHECK(splats_take(&s, "[ 1.0] UBSAN: shift in bad.c"));
	CHECK_EQ(s.allowed, 1);
	CHECK_EQ(splats_count(&s, SPLAT_ALL), 3);
	CHECK_EQ(splats_count(&s, 1u << SPLAT_UBSAN), 2);
	CHECK_EQ(splats_count(&s, 1u << SPLAT_KASAN), 0);
	splats_summary(&s, SPLAT_ALL, text, sizeof(text));
	CHECK_STR(text, "1 warning, 2 ubsan");
	splats_summary(&s, 1u << SPLAT_KASAN, text, sizeof(text));
	CHECK_STR(text, "");
	splats_summary(&s, SPLAT_ALL, text, 5);
	CHECK_STR(text, "1 wa");
	CHECK_EQ(s.nr_quotes, 4);
	CHECK_STR(s.quotes[0].line, "WARNING: CPU: 0 PID: 1 at bad.c:1 f");
	CHECK(s.quotes[1].allowed && !s.quotes[2].allowed);
	/* Any number of them. */
	for (int i = 0; i < 100; i++)
		splats_take(&s, "[ 1.0] UBSAN: shift in bad.c");
	CHECK_EQ(s.nr_quotes, SPLAT_QUOTES);
	CHECK_EQ(s.count[SPLAT_UBSAN], 102);
}

const struct test splat_tests[] = {
	{ "lines", test_lines },
	{ "count", test_count },
	{ 0 },
};
