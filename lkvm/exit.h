/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decoding of KVM exits, without KVM: a plain copy of what KVM_RUN left behind goes in, an explanation
 * comes out. Works for any arch on any machine; <arch>/exit.c holds the arch's own parts. Pure.
 *
 * What decoders do not believe: an exit_reason that the kernel did not write, members of kvm_run's union that
 * the reason does not own (neither is cleared by the kernel), counts and lengths that the union can't hold.
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

/* What lies behind pc. */
enum exit_pc_memory {
	EXIT_PC_UNKNOWN, /* nobody looked, or it can't be told */
	EXIT_PC_HOLE,    /* no guest memory: nothing mapped there, or it leads outside of RAM */
	EXIT_PC_RAM,     /* guest memory */
};

/* Whose hardware it was, where its exit numbers depend on that and somebody knows. */
enum exit_cpu {
	EXIT_CPU_UNKNOWN,
	EXIT_CPU_INTEL, /* x86 with VMX */
	EXIT_CPU_AMD,   /* x86 with SVM */
	EXIT_CPU_E500,  /* Book E without hypervisor mode: e500v1, e500v2 */
	EXIT_CPU_E500MC, /* Book E with it: e500mc, e5500, e6500 */
};

#define EXIT_CODE_BYTES 16

/* What KVM_RUN left behind. errno and reason are independent: both may carry news. All zeros is legal. */
struct exit_info {
	int      run_errno; /* 0, or the positive errno of KVM_RUN */
	uint32_t reason;    /* KVM_EXIT_*, or EXIT_REASON_NOT_WRITTEN */
	uint16_t flags;     /* kvm_run.flags */
	uint8_t  payload[EXIT_PAYLOAD_BYTES]; /* the union in kvm_run, host byte order */
	bool     stale;     /* the first 8 bytes of it are what they were before KVM_RUN, and not zero */
	enum exit_cpu cpu;

	bool     have_pc;
	uint64_t pc;
	/* With have_pc: */
	enum exit_pc_memory pc_memory;
	uint8_t  code[EXIT_CODE_BYTES]; /* guest memory at pc, as it lies there */
	uint8_t  code_len;              /* bytes of that which could be read */
};

enum exit_verdict {
	EXIT_RESUMABLE, /* re-enter; KVM has dealt with it or the guest will */
	EXIT_STOP,      /* the vCPU can't go on */
};

/* Why, as something that programs can tell apart: exit_cause_word(), exit_cause_text(). */
enum exit_cause {
	EXIT_CAUSE_UNKNOWN,          /* nothing says why */
	EXIT_CAUSE_SIGNAL,           /* a signal, or nothing to do */
	EXIT_CAUSE_REQUEST,          /* the guest wants something served: device, hypercall, register */
	EXIT_CAUSE_NOT_OFFERED,      /* the same, but lkvm does not have it */
	EXIT_CAUSE_FETCH_FAILED,     /* no instruction could be read at pc */
	EXIT_CAUSE_EMULATION_FAILED, /* KVM can't emulate the instruction */
	EXIT_CAUSE_DEVICE_ACCESS,    /* an access to a device that the CPU or KVM can't take apart */
	EXIT_CAUSE_EVENT_DELIVERY,   /* an interrupt or exception could not be delivered */
	EXIT_CAUSE_TRIPLE_FAULT,
	EXIT_CAUSE_UNEXPECTED_TRAP,  /* the hardware left the guest for something that KVM has no handler for */
	EXIT_CAUSE_ENTRY_REFUSED,    /* the hardware does not enter the guest in this state */
	EXIT_CAUSE_WRONG_CPU,        /* scheduled on a host CPU that can't run this vCPU */
	EXIT_CAUSE_NESTED,           /* the hypervisor below, which runs this host, returned an error */
	EXIT_CAUSE_MACHINE_CHECK,    /* the hardware reports an error of its own */
	EXIT_CAUSE_BAD_MEMORY,       /* RAM with an uncorrectable error */
	EXIT_CAUSE_GUEST_MEMORY,     /* the host can't provide a page of guest memory */
	EXIT_CAUSE_OUT_OF_MEMORY,    /* of the host, for KVM itself */
	EXIT_CAUSE_SETUP,            /* the vCPU is not set up as KVM wants it */
	EXIT_CAUSE_POWER,            /* the guest powers off, resets, sleeps or wakes */
	EXIT_CAUSE_GUEST_CRASH,      /* the guest says that it crashed */
	EXIT_CAUSE_WATCHDOG,         /* the guest's watchdog expired */
	EXIT_CAUSE_DEBUG,            /* breakpoint, watchpoint, single step */
	EXIT_CAUSE_HALTED,           /* waits for an interrupt that can't come */
	EXIT_CAUSE_NO_EVENT_WINDOW,  /* the guest kept the CPU from taking events */
	EXIT_CAUSE_NEW_KERNEL,       /* a reason that this lkvm does not know */
	EXIT_CAUSE_KVM_BUG,          /* KVM does what it should not, or gave up on the VM */
	EXIT_NR_CAUSES,
};

/* A member of the payload, or a further fact. */
struct exit_field {
	char name[32];    /* as in struct kvm_run: "hardware_exit_reason", "data[2]" */
	char value[48];   /* "0xffffffff7c0006ff" */
	char meaning[128]; /* "emulation failed, instruction 0x7c0006ff"; may be empty */
};

#define EXIT_MAX_FIELDS 24

struct exit_record {
	const char       *name;        /* "KVM_EXIT_FAIL_ENTRY"; "" if reason was not written. Static. */
	uint32_t          reason;      /* as in exit_info */
	int               run_errno;   /* as in exit_info */
	enum exit_cause   cause;
	enum exit_verdict verdict;
	bool              specific;    /* an arch's own knowledge went into it, not only the generic words */
	char              what[200];   /* one line: what happened */
	char              advice[300]; /* one line: what to look at or do next; may be empty */
	struct exit_field fields[EXIT_MAX_FIELDS];
	unsigned int      nr_fields;
	/* The instruction that it is about, as KVM reports it, in the order of memory; insn_len 0: none. */
	uint8_t           insn[EXIT_CODE_BYTES];
	uint8_t           insn_len;
};

/* "KVM_EXIT_MMIO" ... for every reason of the uapi header; NULL for unknown ones. Static. */
const char *exit_reason_name(uint32_t reason);
#define EXIT_NR_REASONS (EXIT_REASON_SNP_REQ_CERTS + 1)

/* "instruction-fetch-failed" for programs, "instruction fetch failed" for people. Static. */
const char *exit_cause_word(enum exit_cause cause);
const char *exit_cause_text(enum exit_cause cause);

/* "EFAULT" ... for a positive errno, also kernel-internal ones that leak; NULL if it has no name. Static. */
const char *exit_errno_name(int err);
/* The errno called @name ("EFAULT"), or 0. */
int exit_errno_number(const char *name);
/* "EFAULT (Bad address)" or "errno 999" into @buf, which is returned. */
const char *exit_errno_text(int err, char *buf, size_t size);

/*
 * The parts that are the same everywhere; arch decoders call it for what they do not know better. Always
 * fills all of @rec.
 */
void exit_decode_generic(const struct exit_info *info, struct exit_record *rec);

/* The decoders of the arches. Always fill all of @rec. Compiled on every host. */
void riscv_exit_decode(const struct exit_info *info, struct exit_record *rec);
void arm_exit_decode(const struct exit_info *info, struct exit_record *rec);
/* The same for somebody's log, where hardware_exit_reason is no left-over but, mostly, a syndrome. */
void arm_exit_decode_logged(const struct exit_info *info, struct exit_record *rec);
void ppc_booke_exit_decode(const struct exit_info *info, struct exit_record *rec);
void ppc_book3s_exit_decode(const struct exit_info *info, struct exit_record *rec);
void x86_exit_decode(const struct exit_info *info, struct exit_record *rec);

/* ---- for decoders ------------------------------------------------------------------------------- */

/* Members of the union in struct kvm_run, beyond those in the table of exit.c. */
#define EXIT_INTERNAL_SUBERROR 0
#define EXIT_INTERNAL_NDATA    4
#define EXIT_INTERNAL_DATA     8
#define EXIT_MAX_NDATA         16

/* KVM_INTERNAL_ERROR_* */
enum exit_suberror {
	EXIT_SUBERROR_EMULATION = 1,
	EXIT_SUBERROR_SIMUL_EX = 2,
	EXIT_SUBERROR_DELIVERY_EV = 3,
	EXIT_SUBERROR_UNEXPECTED_EXIT_REASON = 4,
};

/* Field access in a payload, host byte order; reads beyond its end give 0. */
uint8_t exit_payload_u8(const struct exit_info *info, size_t offset);
uint16_t exit_payload_u16(const struct exit_info *info, size_t offset);
uint32_t exit_payload_u32(const struct exit_info *info, size_t offset);
uint64_t exit_payload_u64(const struct exit_info *info, size_t offset);
/* The inverse, for those who build an exit_info by hand; writes beyond its end do nothing. */
void exit_payload_set(struct exit_info *info, size_t offset, unsigned int size_bytes, uint64_t value);

/* A member of the payload, by name. */
struct exit_member {
	const char *name;
	uint8_t     reason;
	uint8_t     offset;
	uint8_t     size_bytes; /* 1, 2, 4 or 8 */
	uint8_t     nr;         /* > 1: an array, shown as name[0], name[1] ... */
	bool        decimal;
};

/* The first member of @reason, NULL if it has none; @nr of them follow each other. Static. */
const struct exit_member *exit_members(uint32_t reason, size_t *nr);

/* A table that gives numbers their names. */
struct exit_name {
	uint64_t    value;
	const char *name; /* the kernel's: "BOOKE_INTERRUPT_PROGRAM" */
	const char *text; /* in plain words; NULL: the name says it */
};
const struct exit_name *exit_name_find(const struct exit_name *names, size_t nr, uint64_t value);
#define EXIT_NAME(table, value) exit_name_find(table, ARRAY_SIZE(table), value)
/* The names of the bits of @value, or of @value's rest in hex: "MCSR_MCP MCSR_LD 0x20"; "none". */
const char *exit_bits_text(const struct exit_name *names, size_t nr, uint64_t value, char *buf, size_t size);

/* Set, or append to, the lines of @rec. Too long text is cut. */
void exit_what(struct exit_record *rec, const char *fmt, ...) LKVM_PRINTF(2, 3);
void exit_what_more(struct exit_record *rec, const char *fmt, ...) LKVM_PRINTF(2, 3);
void exit_advise(struct exit_record *rec, const char *fmt, ...) LKVM_PRINTF(2, 3);
/* " at pc 0x1234", or nothing if pc is not known. */
void exit_what_pc(struct exit_record *rec, const struct exit_info *info);
/* " (KVM_RUN: EFAULT)", or nothing. */
void exit_what_errno(struct exit_record *rec, const struct exit_info *info);

/* Adds a field; no more than EXIT_MAX_FIELDS are kept. */
void exit_field(struct exit_record *rec, const char *name, const char *fmt, ...) LKVM_PRINTF(3, 4);
/* Says what the field @name means; nothing happens if there is none of that name. */
void exit_field_means(struct exit_record *rec, const char *name, const char *fmt, ...) LKVM_PRINTF(3, 4);
/* Removes all fields: the payload is not believed. */
void exit_fields_drop(struct exit_record *rec);

#endif
