/* SPDX-License-Identifier: GPL-2.0-only */
/* What people read when a vCPU stopped: the decoded exit and the state of the vCPU. */
#ifndef LKVM_REPORT_H
#define LKVM_REPORT_H

#include "lkvm/exit.h"
#include "lkvm/vcpu.h"

/* Copies what KVM_RUN left in @vcpu, with @run_errno (positive or 0). vCPU's thread. */
void report_capture(struct vcpu *vcpu, int run_errno, uint32_t reason, struct exit_info *info);

/* Prints the record and the registers of @vcpu on stderr, in one piece. vCPU's thread. */
void report_vcpu_failure(struct vcpu *vcpu, const struct exit_record *rec);

#endif
