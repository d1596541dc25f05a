// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/doctor.h"

#include <stdarg.h>
#include <stdio.h>

void doctor_say(const struct doctor *d, const char *name, const char *fmt, ...)
{
	char value[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	d->say(d->ctx, name, value);
}
