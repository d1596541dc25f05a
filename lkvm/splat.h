/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Complaints of a Linux kernel that lives on: finds the lines with which they begin in its log, and keeps count.
 * Pure; one thread at a time.
 */
#ifndef LKVM_SPLAT_H
#define LKVM_SPLAT_H

#include "lkvm/types.h"

enum splat_kind {
	SPLAT_WARNING,   /* WARN_ON() */
	SPLAT_BUG,       /* BUG(), oopses, "BUG: ..." */
	SPLAT_KASAN,     /* also KFENCE and KMSAN: bad accesses to memory */
	SPLAT_KCSAN,     /* data races */
	SPLAT_UBSAN,
	SPLAT_LOCKDEP,
	SPLAT_RCU_STALL,
	SPLAT_HUNG_TASK,
	SPLAT_LOCKUP,    /* soft, hard, of a workqueue */
	SPLAT_KINDS,
};

#define SPLAT_ALL        ((1u << SPLAT_KINDS) - 1)
#define SPLAT_QUOTES     32  /* more are only counted */
#define SPLAT_LINE_BYTES 200

struct splat_quote {
	enum splat_kind kind;
	bool allowed;
	char line[SPLAT_LINE_BYTES];
};

struct splats {
	unsigned int count[SPLAT_KINDS]; /* without those that are allowed */
	unsigned int allowed;
	/* Whether a line is one that the user expects; NULL: none is. */
	bool (*allow)(void *opaque, const char *line);
	void *opaque;
	unsigned int nr_quotes;
	struct splat_quote quotes[SPLAT_QUOTES]; /* nothing beyond nr_quotes is touched */
};

/* "warning", "kasan", "rcu-stall" ...; static. NULL-terminated by SPLAT_KINDS. */
extern const char *const splat_words[SPLAT_KINDS + 1];

/*
 * What a line of the console, without control sequences, begins: its kind, with @text where the message starts
 * behind printk's prefix; -1 if it is nothing of that sort. A process that quotes such a line does not count
 * where the kernel puts time stamps before its own.
 */
int splat_match(const char *line, const char **text);

/* The message in @line, behind printk's prefix and blanks. */
const char *splat_text(const char *line);

/* Looks at a line and counts it. True if it was a complaint that is not allowed. */
bool splats_take(struct splats *splats, const char *line);

/* How many there are of the kinds in @mask (1 << SPLAT_...). */
unsigned int splats_count(const struct splats *splats, unsigned int mask);

/* "2 warning, 1 ubsan"; "" if there are none of @mask. */
void splats_summary(const struct splats *splats, unsigned int mask, char *buf, size_t size);

#endif
