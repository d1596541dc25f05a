// SPDX-License-Identifier: GPL-2.0-only
/*
 * What riscv's KVM_RUN leaves behind (arch/riscv/kvm/vcpu_exit.c, vcpu.c). hardware_exit_reason is never
 * written here: an exit that KVM can't handle makes KVM_RUN fail with an errno, besides exit_reason 0.
 */
#include "lkvm/exit.h"

#include <errno.h>
#include <inttypes.h>

#include "riscv/isa.h"

/* KVM_EXIT_FAIL_ENTRY_NO_VSFILE; kernels before 6.5 gave the number of the hstatus CSR. */
#define FAIL_ENTRY_NO_VSFILE     (1u << 0)
#define FAIL_ENTRY_NO_VSFILE_OLD 0x600u

#define SBI_EXT_BASE 0x10

#define DMESG_ADVICE "the host's kernel log has \"VCPU exit error\" with SCAUSE, STVAL and HTVAL of the trap"

/* CSRs that KVM leaves to user space (arch/riscv/kvm/vcpu_insn.c, aia.c). */
static const struct exit_name csr_names[] = {
	{ 0x015, "seed", "entropy source (Zkr)" },
	{ 0x150, "siselect", "AIA" },   { 0x151, "sireg", "AIA" },
	{ 0x15c, "stopei", "AIA" },     { 0xdb0, "stopi", "AIA" },
};

/*
 * A fetch from a place without memory (scause 20; newer kernels hand the guest an instruction access fault
 * instead), or a device access that can't be decoded: what is behind pc tells.
 */
static void decode_not_supported(const struct exit_info *info, struct exit_record *rec)
{
	if (info->have_pc && info->pc_memory == EXIT_PC_RAM) {
		rec->cause = EXIT_CAUSE_DEVICE_ACCESS;
		exit_what(rec, "KVM cannot emulate the instruction");
		exit_what_pc(rec, info);
		exit_what_more(rec, " on device memory");
		exit_advise(rec, "devices want plain loads and stores, no atomics, vectors or floating point; "
			    DMESG_ADVICE);
		return;
	}
	rec->cause = EXIT_CAUSE_FETCH_FAILED;
	exit_what(rec, "instruction fetch failed");
	exit_what_pc(rec, info);
	if (info->have_pc && info->pc_memory == EXIT_PC_HOLE)
		exit_what_more(rec, ": no guest RAM there");
	else
		exit_what_more(rec, ", or a device was accessed in a way that KVM can't emulate");
	exit_advise(rec, "the guest jumped outside its RAM, or trapped without a handler (stvec); ra tells "
		    "where it came from; " DMESG_ADVICE);
}

static void decode_failed_run(const struct exit_info *info, struct exit_record *rec)
{
	exit_decode_generic(info, rec);
	rec->specific = true;
	switch (info->run_errno) {
	case EOPNOTSUPP:
		decode_not_supported(info, rec);
		break;
	case EFAULT:
		rec->cause = EXIT_CAUSE_GUEST_MEMORY;
		exit_what(rec, "KVM could not handle a trap of the guest");
		exit_what_pc(rec, info);
		exit_what_more(rec, ", or not map its memory");
		exit_advise(rec, "SCAUSE 20, 21 or 23 there: the host could not provide the page; " DMESG_ADVICE);
		break;
	case EIO:
		rec->cause = EXIT_CAUSE_DEVICE_ACCESS;
		exit_what(rec, "the guest accessed a device at an address that is not a multiple of the access's size");
		exit_what_pc(rec, info);
		exit_advise(rec, "%s", DMESG_ADVICE);
		break;
	case ENOMEM:
		rec->cause = EXIT_CAUSE_OUT_OF_MEMORY;
		exit_what(rec, "the host has no memory for the guest's second-stage page tables");
		exit_advise(rec, "free memory on the host, or give the guest less with --mem");
		break;
	default:
		rec->specific = false;
		return;
	}
	exit_what_errno(rec, info);
}

static void decode_unknown(const struct exit_info *info, struct exit_record *rec)
{
	if (info->run_errno) {
		decode_failed_run(info, rec);
		return;
	}
	exit_decode_generic(info, rec);
	exit_fields_drop(rec); /* of another exit, if anything */
	rec->cause = EXIT_CAUSE_KVM_BUG;
	exit_what(rec, "KVM_RUN came back without giving a reason");
	exit_advise(rec, "riscv's KVM never does that: this is a bug of the host's KVM");
}

static void decode_fail_entry(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t reason = exit_payload_u64(info, 0);

	if (reason != FAIL_ENTRY_NO_VSFILE && reason != FAIL_ENTRY_NO_VSFILE_OLD)
		return;
	rec->specific = true;
	rec->cause = EXIT_CAUSE_WRONG_CPU;
	exit_field_means(rec, "hardware_entry_failure_reason", "KVM_EXIT_FAIL_ENTRY_NO_VSFILE%s",
			 reason == FAIL_ENTRY_NO_VSFILE_OLD ? ", as kernels before 6.5 say it" : "");
	exit_what(rec, "host CPU %" PRIu32 " has no guest interrupt file left for the vCPU's IMSIC",
		  exit_payload_u32(info, 8));
	exit_what_errno(rec, info);
	exit_advise(rec, "use --irqchip aia or aia-emul, which do without, or run fewer vCPUs per host CPU");
}

static void decode_sbi(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t eid = exit_payload_u64(info, 0);
	const struct riscv_sbi_ext *ext = riscv_sbi_by_eid(eid);
	const char *name = ext ? ext->name : eid == SBI_EXT_BASE ? "base" : "unknown";

	rec->specific = true;
	exit_field_means(rec, "extension_id", "%s", name);
	exit_what(rec, "SBI call, extension 0x%" PRIx64 " (%s), function %" PRIu64 ", a0 0x%" PRIx64
		  " a1 0x%" PRIx64, eid, name, exit_payload_u64(info, 8), exit_payload_u64(info, 16),
		  exit_payload_u64(info, 24));
	exit_what_errno(rec, info);
}

static void decode_csr(const struct exit_info *info, struct exit_record *rec)
{
	const struct exit_name *csr = EXIT_NAME(csr_names, exit_payload_u64(info, 0));

	rec->specific = true;
	if (!csr)
		return;
	exit_field_means(rec, "csr_num", "%s: %s", csr->name, csr->text);
	exit_what(rec, "access to CSR 0x%03" PRIx64 " (%s)", csr->value, csr->name);
	exit_what_errno(rec, info);
}

void riscv_exit_decode(const struct exit_info *info, struct exit_record *rec)
{
	if (info->reason == EXIT_REASON_UNKNOWN) {
		decode_unknown(info, rec);
		return;
	}
	exit_decode_generic(info, rec);
	switch (info->reason) {
	case EXIT_REASON_FAIL_ENTRY:
		decode_fail_entry(info, rec);
		break;
	case EXIT_REASON_RISCV_SBI:
		decode_sbi(info, rec);
		break;
	case EXIT_REASON_RISCV_CSR:
		decode_csr(info, rec);
		break;
	case EXIT_REASON_DEBUG:
		rec->specific = true;
		exit_what(rec, "the guest executed ebreak");
		exit_what_pc(rec, info);
		exit_what_errno(rec, info);
		break;
	default:
		break;
	}
}
