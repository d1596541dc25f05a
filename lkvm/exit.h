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

/* KVM_EXIT_* (include/uapi/linux/kvm.h), for code that is built without that header. */
enum exit_reason {
	EXIT_REASON_UNKNOWN         = 0,
	EXIT_REASON_EXCEPTION       = 1,
	EXIT_REASON_IO              = 2,
	EXIT_REASON_HYPERCALL       = 3,
	EXIT_REASON_DEBUG           = 4,
	EXIT_REASON_HLT             = 5,
	EXIT_REASON_MMIO            = 6,
	EXIT_REASON_IRQ_WINDOW_OPEN = 7,
	EXIT_REASON_SHUTDOWN        = 8,
	EXIT_REASON_FAIL_ENTRY      = 9,
	EXIT_REASON_INTR            = 10,
	EXIT_REASON_SET_TPR         = 11,
	EXIT_REASON_TPR_ACCESS      = 12,
	EXIT_REASON_S390_SIEIC      = 13,
	EXIT_REASON_S390_RESET      = 14,
	EXIT_REASON_DCR             = 15,
	EXIT_REASON_NMI             = 16,
	EXIT_REASON_INTERNAL_ERROR  = 17,
	EXIT_REASON_OSI             = 18,
	EXIT_REASON_PAPR_HCALL      = 19,
	EXIT_REASON_S390_UCONTROL   = 20,
	EXIT_REASON_WATCHDOG        = 21,
	EXIT_REASON_S390_TSCH       = 22,
	EXIT_REASON_EPR             = 23,
	EXIT_REASON_SYSTEM_EVENT    = 24,
	EXIT_REASON_S390_STSI       = 25,
	EXIT_REASON_IOAPIC_EOI      = 26,
	EXIT_REASON_HYPERV          = 27,
	EXIT_REASON_ARM_NISV        = 28,
	EXIT_REASON_X86_RDMSR       = 29,
	EXIT_REASON_X86_WRMSR       = 30,
	EXIT_REASON_DIRTY_RING_FULL = 31,
	EXIT_REASON_AP_RESET_HOLD   = 32,
	EXIT_REASON_X86_BUS_LOCK    = 33,
	EXIT_REASON_XEN             = 34,
	EXIT_REASON_RISCV_SBI       = 35,
	EXIT_REASON_RISCV_CSR       = 36,
	EXIT_REASON_NOTIFY          = 37,
	EXIT_REASON_LOONGARCH_IOCSR = 38,
	EXIT_REASON_MEMORY_FAULT    = 39,
	EXIT_REASON_TDX             = 40,
	EXIT_REASON_ARM_SEA         = 41,
	EXIT_REASON_ARM_LDST64B     = 42,
	EXIT_REASON_SNP_REQ_CERTS   = 43,
};

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

/* "EFAULT" ... for a positive errno; "errno N" text is the caller's when NULL. Static. */
const char *exit_errno_name(int err);

/* Field access in a payload, host byte order; reads beyond its end give 0. */
uint8_t exit_payload_u8(const struct exit_info *info, size_t offset);
uint16_t exit_payload_u16(const struct exit_info *info, size_t offset);
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
