/* SPDX-License-Identifier: GPL-2.0-only */
/* What a run leaves for machines: --report (JSON, docs/report.md), --junit, --tap and --timeline. */
#ifndef LKVM_RUN_REPORT_H
#define LKVM_RUN_REPORT_H

#include <stdio.h>

#include "lkvm/config.h"
#include "lkvm/outcome.h"
#include "lkvm/types.h"

struct vm;
struct vcpu;
struct json_t; /* jansson's */

struct run_report {
	const struct config  *cfg;
	struct vm            *vm;       /* NULL: it could not be made */
	const struct outcome *outcome;
	char *const          *argv;     /* of `run`, NULL-terminated */
	uint64_t              start_ms; /* CLOCK_MONOTONIC when lkvm was started */
	unsigned int          lives;    /* of the guest: this is the last of them */
};

/*
 * Makes the files, empty, so that a place that can't be written to is known before the run. 0 or -errno
 * (reported).
 */
int run_report_prepare(const struct config *cfg) LKVM_MUST_CHECK;

/* Writes the files that were asked for. Main thread, the run is over. 0 or -errno (reported). */
int run_report_write(const struct run_report *report) LKVM_MUST_CHECK;

/* Exits of @vcpu by KVM's names, as an object. Only with jansson. */
struct json_t *run_report_exits(const struct vcpu *vcpu);

/* Writes @text so that it can stand in XML: what is no UTF-8 or no character of XML becomes '?'. Pure. */
void run_report_xml(FILE *out, const char *text);
/* Writes "  KEY: 'TEXT'", a line of YAML as TAP has it behind a case; control characters become '?'. Pure. */
void run_report_yaml(FILE *out, const char *key, const char *text);

#endif
