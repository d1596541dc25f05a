/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a Linux kernel says that it went wrong: the telling lines of an oops, a warning or a panic in its log,
 * which may have scrolled away before the kernel ends. Pure; one thread at a time. The log is the guest's and is
 * not trusted.
 */
#ifndef LKVM_OOPS_H
#define LKVM_OOPS_H

#include <stdio.h>

#include "lkvm/types.h"

#define OOPS_TEXT_BYTES 128
#define OOPS_FRAMES     16
#define OOPS_WHERE_BYTES (3 * OOPS_TEXT_BYTES + 64)

enum oops_phase {
	OOPS_NONE,
	OOPS_OPEN,     /* its lines are coming */
	OOPS_TRACE,    /* those of its call trace are */
	OOPS_CLOSED,   /* all has been said; another may take its place */
	OOPS_PANICKED, /* what comes now are the consequences */
};

struct oops {
	enum oops_phase phase;
	bool            panicked; /* a panic came soon after its beginning, or it is one */
	unsigned int    weight;   /* a warning does not take the place of a crash */
	unsigned int    lines;    /* since its phase began */
	char            what[OOPS_TEXT_BYTES];   /* "Unable to handle kernel NULL pointer dereference at ..." */
	char            pc[OOPS_TEXT_BYTES];     /* "f+0x10/0x20 [module]", "0x0"; "" if not told, as those below */
	char            caller[OOPS_TEXT_BYTES]; /* from the link register, where there is one */
	char            task[OOPS_TEXT_BYTES];   /* "insmod, PID 88, CPU 0" */
	char            trace[OOPS_FRAMES][OOPS_TEXT_BYTES]; /* the innermost first, without what printed it */
	unsigned int    nr_trace;
	bool            more;     /* OOPS_FRAMES was not enough */
};

/* Looks at a line of the console, without control sequences. All zeros is a new struct oops. */
void oops_take(struct oops *oops, const char *line);

/*
 * The place to look at, into @where (OOPS_WHERE_BYTES): "f+0x10/0x20", or "f+0x10/0x20, which called 0x0", "the
 * function before f, called by g+0x10/0x20". False, and "", if there is none.
 */
bool oops_where(const struct oops *oops, char *where);

/* The lines that follow "where", in the columns of a report; nothing if there is nothing to tell. */
void oops_print(const struct oops *oops, FILE *out);

#endif
