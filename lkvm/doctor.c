// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "lkvm/outcome.h"

void doctor_say(const struct doctor *d, const char *name, const char *fmt, ...)
{
	char value[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	d->say(d->ctx, name, value);
}

/* ---- speed -------------------------------------------------------------------------------------- */

/* Two exits take microseconds, so less time would measure them and not the guest. */
#define ENOUGH_SECONDS 0.02

/* The first piece of work; and how much more while pieces are far too short, or nearly long enough. */
#define FIRST_COUNT    1000u
#define FAR_FACTOR     8u
#define NEAR_FACTOR    2u
#define MAX_COUNT      (1u << 30)

/*
 * What a guest must at least execute for Linux to boot in a few minutes. KVM on a host that TCG emulates does
 * twenty times that, a KVM that interprets instructions less than a tenth.
 */
#define LINUX_INSTRUCTIONS_PER_SECOND 10e6

enum doctor_verdict doctor_verdict(size_t problems, double instructions_per_second)
{
	if (problems)
		return DOCTOR_FAILS;
	if (instructions_per_second > 0 && instructions_per_second < LINUX_INSTRUCTIONS_PER_SECOND)
		return DOCTOR_TOO_SLOW;
	return DOCTOR_WORKS;
}

int doctor_exit_status(enum doctor_verdict verdict)
{
	return verdict == DOCTOR_WORKS ? 0 : EXIT_STATUS_START_FAILED;
}

const char *doctor_last_line(enum doctor_verdict verdict, size_t problems, char *buf, size_t size)
{
	switch (verdict) {
	case DOCTOR_WORKS:
		return "lkvm run works here.";
	case DOCTOR_TOO_SLOW:
		return "lkvm run can't do Linux guests here: this KVM is too slow for more than tiny ones.";
	default:
		snprintf(buf, size, "lkvm run can't work here: %zu problem%s above.", problems, problems == 1 ? "" : "s");
		return buf;
	}
}

double doctor_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static uint64_t meter_read(void *dev, uint64_t offset, unsigned int size)
{
	struct doctor_meter *m = dev;
	double seconds;

	if (offset || size != 4 || m->per_second > 0)
		return 0;
	seconds = m->now() - m->started;
	if (!m->count) {
		m->count = FIRST_COUNT;
	} else if (seconds >= ENOUGH_SECONDS || m->count > MAX_COUNT / FAR_FACTOR) {
		m->per_second = seconds > 0 ? m->count / seconds : 0;
		return 0;
	} else {
		m->count *= seconds < ENOUGH_SECONDS / FAR_FACTOR ? FAR_FACTOR : NEAR_FACTOR;
	}
	m->started = m->now();
	return m->count;
}

static void meter_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	(void)dev;
	(void)offset;
	(void)size;
	(void)value;
}

const struct bus_ops doctor_meter_bus_ops = {
	.read = meter_read,
	.write = meter_write,
};
