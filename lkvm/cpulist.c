// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/cpulist.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

/* A number at *@p, which moves behind it. Returns it, or -1. */
static long cpu_number(const char **p)
{
	char *end;
	long n;

	/* strtol() takes signs and spaces, too. */
	if (!isdigit((unsigned char)**p))
		return -1;
	n = strtol(*p, &end, 10);
	*p = end;
	return n < CPU_SETSIZE ? n : -1;
}

int cpulist_parse(const char *text, cpu_set_t *cpus)
{
	CPU_ZERO(cpus);
	for (;;) {
		long first = cpu_number(&text);
		long last = first;

		if (*text == '-') {
			text++;
			last = cpu_number(&text);
		}
		if (first < 0 || last < first)
			return -EINVAL;
		for (long cpu = first; cpu <= last; cpu++)
			CPU_SET((size_t)cpu, cpus);
		if (*text != ',')
			break;
		text++;
	}
	if (*text == '\n')
		text++;
	return *text ? -EINVAL : 0;
}
