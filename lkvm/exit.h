/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decoding of KVM exits, without KVM: a plain copy of what KVM_RUN left behind goes in, an explanation
 * comes out. Works for any arch on any machine; <arch>/exit.c holds the arch's own parts.
 */
#ifndef LKVM_EXIT_H
#define LKVM_EXIT_H

#include "lkvm/types.h"

/* Poison that vcpu.c stores in kvm_run.exit_reason before KVM_RUN: "the kernel did not write it". */
#define EXIT_REASON_NOT_WRITTEN UINT32_MAX

#define EXIT_PAYLOAD_BYTES 256

/* What KVM_RUN left behind. errno and reason are independent: both may carry news. */
struct exit_info {
	int      run_errno; /* 0, or the positive errno of KVM_RUN */
	uint32_t reason;    /* KVM_EXIT_*, or EXIT_REASON_NOT_WRITTEN */
	uint16_t flags;     /* kvm_run.flags */
	uint8_t  payload[EXIT_PAYLOAD_BYTES]; /* the union in kvm_run, host byte order */
	bool     have_pc;
	uint64_t pc;
	bool     pc_backed; /* the page behind pc is guest memory (valid with have_pc) */
};

enum exit_verdict {
	EXIT_RESUMABLE, /* re-enter; KVM has dealt with it or the guest will */
	EXIT_STOP,      /* the vCPU can't go on */
};

struct exit_record {
	const char       *name;        /* "KVM_EXIT_FAIL_ENTRY"; "" if reason was not written */
	enum exit_verdict verdict;
	char              what[200];   /* one line: what happened */
	char              advice[240]; /* one line: what to look at or do next; may be empty */
};

/* "KVM_EXIT_MMIO" ... for every reason of the uapi header; NULL for unknown ones. Static. */
const char *exit_reason_name(uint32_t reason);

/* Field access in a payload, host byte order; reads beyond its end give 0. */
uint32_t exit_payload_u32(const struct exit_info *info, size_t offset);
uint64_t exit_payload_u64(const struct exit_info *info, size_t offset);

/*
 * The parts that are the same everywhere; arch decoders call it for what they do not know better.
 * @errno_name etc. appear by name. Always fills @rec. Pure.
 */
void exit_decode_generic(const struct exit_info *info, struct exit_record *rec);

/* The decoders of the arches. Pure; compiled on every host. */
void riscv_exit_decode(const struct exit_info *info, struct exit_record *rec);
void arm_exit_decode(const struct exit_info *info, struct exit_record *rec);
void ppc_exit_decode(const struct exit_info *info, struct exit_record *rec);
void x86_exit_decode(const struct exit_info *info, struct exit_record *rec);

#endif
