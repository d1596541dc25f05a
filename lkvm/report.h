/* SPDX-License-Identifier: GPL-2.0-only */
/* What people read when a vCPU stopped: the decoded exit and the state of the vCPUs. */
#ifndef LKVM_REPORT_H
#define LKVM_REPORT_H

#include "lkvm/exit.h"
#include "lkvm/vcpu.h"

struct vm;

/* Copies what KVM_RUN left in @vcpu, with @run_errno (positive or 0). vCPU's thread. */
void report_capture(struct vcpu *vcpu, int run_errno, uint32_t reason, struct exit_info *info);

/*
 * Notes that @vcpu can't go on for the reason in @rec (copied), or, for report_request(), that it is
 * the one to look at first. The first caller wins; report_print() prints it once the vCPUs have
 * stopped. Any thread.
 */
void report_vcpu_failure(struct vcpu *vcpu, const struct exit_record *rec);
void report_request(struct vcpu *vcpu);

/* Prints what was noted on stderr, in one piece; nothing if nothing was. Main thread, vCPUs have ended. */
void report_print(struct vm *vm);

#endif
