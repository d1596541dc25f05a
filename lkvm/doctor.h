/* SPDX-License-Identifier: GPL-2.0-only */
/* How an arch tells `lkvm doctor` a fact about this host, and how fast guests execute on it. */
#ifndef LKVM_DOCTOR_H
#define LKVM_DOCTOR_H

#include "lkvm/bus.h"
#include "lkvm/machine.h"
#include "lkvm/types.h"

struct doctor {
	/* Both strings live as long as the call. */
	void (*say)(void *ctx, const char *name, const char *value);
	void *ctx;
};

/* Says @name ("guest PMU") and its value, a line of at most 1 KiB. */
void doctor_say(const struct doctor *d, const char *name, const char *fmt, ...) LKVM_PRINTF(3, 4);

/* How a probe guest asks for work. */
struct doctor_work {
	enum machine_space space;
	uint64_t           base; /* of a 32-bit register: how often to go through a loop now; 0: power off */
	unsigned int       instructions; /* each time; 0: the guest does not ask */
};

/*
 * The register: asks for ever more until that takes long enough to be measured, which is over in a fraction of a
 * second whether the guest executes ten thousand instructions per second or ten thousand million.
 */
struct doctor_meter {
	double (*now)(void); /* seconds */
	double   started;
	uint32_t count;      /* what the guest is at; 0: nothing yet */
	double   per_second; /* how often it went through the loop; 0: not known */
};

double doctor_now(void);

/* What comes of it all. */
enum doctor_verdict {
	DOCTOR_WORKS,
	DOCTOR_TOO_SLOW, /* for Linux; guests that do little run */
	DOCTOR_FAILS,
};

/* Of so many problems, and so many instructions of a guest per second, 0: not known. */
enum doctor_verdict doctor_verdict(size_t problems, double instructions_per_second);
/* 0 only if a Linux guest can be run. */
int doctor_exit_status(enum doctor_verdict verdict);
/* The last line, without its newline; @buf is for it. */
const char *doctor_last_line(enum doctor_verdict verdict, size_t problems, char *buf, size_t size);

/* bus_window.dev is a struct doctor_meter. One vCPU's thread. */
extern const struct bus_ops doctor_meter_bus_ops;

#endif
