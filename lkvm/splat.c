// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/splat.h"

#include <stdio.h>
#include <string.h>

const char *const splat_words[SPLAT_KINDS + 1] = {
	[SPLAT_WARNING] = "warning", [SPLAT_BUG] = "bug", [SPLAT_KASAN] = "kasan", [SPLAT_KCSAN] = "kcsan",
	[SPLAT_UBSAN] = "ubsan", [SPLAT_LOCKDEP] = "lockdep", [SPLAT_RCU_STALL] = "rcu-stall",
	[SPLAT_HUNG_TASK] = "hung-task", [SPLAT_LOCKUP] = "lockup", [SPLAT_KINDS] = NULL,
};

/*
 * How messages begin, the special before the general. Linux: kernel/panic.c, lib/bug.c, mm/kasan/report.c,
 * mm/kfence/report.c, kernel/kcsan/report.c, lib/ubsan.c, kernel/locking/lockdep.c, kernel/rcu/tree_stall.h,
 * kernel/hung_task.c, kernel/watchdog.c, kernel/workqueue.c, and the arches' fault handlers.
 */
static const struct {
	const char     *start;
	const char     *further; /* must follow somewhere in the line; NULL: nothing */
	enum splat_kind kind;
} patterns[] = {
	{ "BUG: KASAN: ", NULL, SPLAT_KASAN },
	{ "BUG: KFENCE: ", NULL, SPLAT_KASAN },
	{ "BUG: KMSAN: ", NULL, SPLAT_KASAN },
	{ "BUG: KCSAN: ", NULL, SPLAT_KCSAN },
	{ "UBSAN: ", NULL, SPLAT_UBSAN },
	{ "WARNING: possible ", " detected", SPLAT_LOCKDEP },
	{ "WARNING: inconsistent lock state", NULL, SPLAT_LOCKDEP },
	{ "WARNING: suspicious RCU usage", NULL, SPLAT_LOCKDEP },
	{ "WARNING: bad unlock balance detected", NULL, SPLAT_LOCKDEP },
	{ "WARNING: lock held when returning to user space", NULL, SPLAT_LOCKDEP },
	{ "WARNING: held lock freed", NULL, SPLAT_LOCKDEP },
	{ "WARNING: Nested lock was not taken", NULL, SPLAT_LOCKDEP },
	{ "WARNING: ", "-safe -> ", SPLAT_LOCKDEP },
	{ "BUG: Invalid wait context", NULL, SPLAT_LOCKDEP },
	{ "[ BUG: Invalid wait context ]", NULL, SPLAT_LOCKDEP },
	{ "BUG: key ", " has not been registered", SPLAT_LOCKDEP },
	{ "DEBUG_LOCKS_WARN_ON(", NULL, SPLAT_LOCKDEP },
	{ "rcu: INFO: rcu", "stall", SPLAT_RCU_STALL },
	{ "INFO: rcu", "stall", SPLAT_RCU_STALL },
	{ "INFO: task ", " blocked for more than ", SPLAT_HUNG_TASK },
	{ "INFO: task ", " blocked on ", SPLAT_HUNG_TASK },
	{ "watchdog: BUG: soft lockup", NULL, SPLAT_LOCKUP },
	{ "BUG: soft lockup", NULL, SPLAT_LOCKUP },
	{ "watchdog: Watchdog detected hard LOCKUP", NULL, SPLAT_LOCKUP },
	{ "watchdog: CPU", "hard LOCKUP", SPLAT_LOCKUP },
	{ "BUG: workqueue lockup", NULL, SPLAT_LOCKUP },
	/* 6.x: "WARNING: CPU: 0 PID: 1 at file.c:12 f+0x0/0x10"; since 6.19 "WARNING: file.c:12 at f+..., CPU#0". */
	{ "WARNING: CPU: ", " PID: ", SPLAT_WARNING },
	{ "WARNING: ", " at ", SPLAT_WARNING },
	{ "BUG: ", NULL, SPLAT_BUG },
	{ "kernel BUG at ", NULL, SPLAT_BUG },
	{ "Kernel BUG at ", NULL, SPLAT_BUG },
	{ "kernel BUG ", NULL, SPLAT_BUG },
	{ "Internal error: ", NULL, SPLAT_BUG },
	{ "Oops", NULL, SPLAT_BUG },
	{ "Unable to handle kernel ", NULL, SPLAT_BUG },
	{ "Kernel attempted to ", " user page", SPLAT_BUG },
	{ "general protection fault", NULL, SPLAT_BUG },
};

/*
 * The message behind printk's prefix: "<4>", "[   12.345678]", "[    T1]", "[C0]". @has says whether there was one.
 */
static const char *skip_prefix(const char *line, bool *has)
{
	const char *p = line;

	*has = false;
	if (*p == '<') {
		size_t digits = strspn(p + 1, "0123456789");

		if (digits && p[1 + digits] == '>') {
			p += digits + 2;
			*has = true;
		}
	}
	for (;;) {
		size_t inside;

		while (*p == ' ')
			p++;
		if (*p != '[')
			return p;
		inside = strspn(p + 1, "0123456789. TC");
		if (!inside || p[1 + inside] != ']')
			return p;
		p += inside + 2;
		*has = true;
	}
}

const char *splat_text(const char *line)
{
	bool has_prefix;

	return skip_prefix(line, &has_prefix);
}

int splat_match(const char *line, const char **text)
{
	bool has_prefix;
	const char *start = skip_prefix(line, &has_prefix);

	/* A line that begins with a blank goes on with something else. */
	if (!has_prefix && line[0] == ' ')
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		size_t len = strlen(patterns[i].start);

		if (strncmp(start, patterns[i].start, len))
			continue;
		if (patterns[i].further && !strstr(start + len, patterns[i].further))
			continue;
		*text = start;
		return (int)patterns[i].kind;
	}
	return -1;
}

bool splats_take(struct splats *splats, const char *line)
{
	const char *text;
	int kind = splat_match(line, &text);
	bool allowed;

	if (kind < 0)
		return false;
	allowed = splats->allow && splats->allow(splats->opaque, text);
	if (allowed)
		splats->allowed++;
	else
		splats->count[kind]++;
	if (splats->nr_quotes < SPLAT_QUOTES) {
		struct splat_quote *quote = &splats->quotes[splats->nr_quotes++];

		quote->kind = (enum splat_kind)kind;
		quote->allowed = allowed;
		snprintf(quote->line, sizeof(quote->line), "%s", text);
	}
	return !allowed;
}

unsigned int splats_count(const struct splats *splats, unsigned int mask)
{
	unsigned int n = 0;

	for (unsigned int kind = 0; kind < SPLAT_KINDS; kind++)
		if (mask >> kind & 1)
			n += splats->count[kind];
	return n;
}

void splats_summary(const struct splats *splats, unsigned int mask, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned int kind = 0; kind < SPLAT_KINDS; kind++)
		if ((mask >> kind & 1) && splats->count[kind] && len < size)
			len += (size_t)snprintf(buf + len, size - len, "%s%u %s", len ? ", " : "", splats->count[kind],
						splat_words[kind]);
}
