/* SPDX-License-Identifier: GPL-2.0-only */
/* What people read when a vCPU stopped or hangs: the decoded exit and the state of all vCPUs. docs/report.md. */
#ifndef LKVM_REPORT_H
#define LKVM_REPORT_H

#include <stdio.h>

#include "lkvm/exit.h"
#include "lkvm/vcpu.h"

struct vm;
struct json_t; /* jansson's */

/* Copies what KVM_RUN left in @vcpu, with @run_errno (positive or 0). vCPU's thread. */
void report_capture(struct vcpu *vcpu, int run_errno, uint32_t reason, struct exit_info *info);

/*
 * Notes that @vcpu can't go on for the reason in @rec (copied), or, for report_request(), that it is
 * the one to look at first. The first caller wins; report_print() prints it once the vCPUs have
 * stopped. Any thread.
 */
void report_vcpu_failure(struct vcpu *vcpu, const struct exit_record *rec);
void report_request(struct vcpu *vcpu);

/*
 * Prints what was noted on stderr, in one piece; of a run that ended without such a note by a hang or
 * --timeout, one line for each vCPU: where it was; of a panic whose trace the guest did not print, that of the vCPU
 * in panic(). Nothing otherwise. Main thread, the vCPUs have ended.
 */
void report_print(struct vm *vm);

/*
 * Adds to the JSON of a run that is over (docs/report.md) what became of a guest that ended badly.
 * Main thread, the vCPUs have ended. Only with jansson.
 */
void report_add_json(struct vm *vm, struct json_t *root);

/*
 * The state of a guest that runs, to @out: the vCPUs stand still meanwhile (some milliseconds), and
 * go on. Main thread, as the loop serves signals, keys and control sockets.
 */
void report_live(struct vm *vm, FILE *out);
/* The same on stderr. */
void report_live_stderr(struct vm *vm);

#endif
