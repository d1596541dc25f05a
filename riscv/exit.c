// SPDX-License-Identifier: GPL-2.0-only
/*
 * What riscv's KVM_RUN leaves behind (arch/riscv/kvm/vcpu_exit.c, vcpu.c). hardware_exit_reason is never
 * written here: an exit that KVM can't handle makes KVM_RUN fail with an errno, besides exit_reason 0.
 */
#include "lkvm/exit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "riscv/isa.h"

/* KVM_EXIT_FAIL_ENTRY_NO_VSFILE; kernels before 6.5 gave the number of the hstatus CSR. */
#define FAIL_ENTRY_NO_VSFILE     (1u << 0)
#define FAIL_ENTRY_NO_VSFILE_OLD 0x600u

#define DMESG_ADVICE "the host's kernel log has \"VCPU exit error\" with SCAUSE, STVAL and HTVAL of the trap"

static void decode_failed_run(const struct exit_info *info, struct exit_record *rec)
{
	struct exit_info plain = *info;
	char pc[40] = "";

	if (info->have_pc)
		snprintf(pc, sizeof(pc), " at pc 0x%" PRIx64, info->pc);
	rec->verdict = EXIT_STOP;
	switch (info->run_errno) {
	case EOPNOTSUPP:
		/*
		 * A fetch from a place without memory (scause 20; newer kernels hand the guest an instruction
		 * access fault instead), or a device access that can't be decoded.
		 */
		if (info->have_pc && info->pc_backed) {
			snprintf(rec->what, sizeof(rec->what),
				 "KVM cannot emulate the instruction%s on device memory (KVM_RUN: EOPNOTSUPP)", pc);
			snprintf(rec->advice, sizeof(rec->advice),
				 "devices want plain loads and stores, no atomics, vectors or floating point; "
				 DMESG_ADVICE);
			break;
		}
		snprintf(rec->what, sizeof(rec->what),
			 "instruction fetch failed%s: no guest RAM there (KVM_RUN: EOPNOTSUPP)", pc);
		snprintf(rec->advice, sizeof(rec->advice),
			 "the guest jumped outside its RAM, or trapped without a handler (stvec); ra tells "
			 "where it came from; " DMESG_ADVICE);
		break;
	case EFAULT:
		snprintf(rec->what, sizeof(rec->what),
			 "KVM could not handle a trap of the guest%s, or not map its memory (KVM_RUN: EFAULT)", pc);
		snprintf(rec->advice, sizeof(rec->advice),
			 "SCAUSE 20, 21 or 23 there: the host could not provide the page; " DMESG_ADVICE);
		break;
	case EIO:
		snprintf(rec->what, sizeof(rec->what),
			 "the guest accessed a device at an address that is not a multiple of the access's size%s "
			 "(KVM_RUN: EIO)", pc);
		snprintf(rec->advice, sizeof(rec->advice), "%s", DMESG_ADVICE);
		break;
	case ENOMEM:
		snprintf(rec->what, sizeof(rec->what),
			 "the host has no memory for the guest's second-stage page tables (KVM_RUN: ENOMEM)");
		snprintf(rec->advice, sizeof(rec->advice),
			 "free memory on the host, or give the guest less with --mem");
		break;
	default:
		/* Nothing but the errno means anything. */
		plain.reason = EXIT_REASON_NOT_WRITTEN;
		exit_decode_generic(&plain, rec);
		break;
	}
	rec->name = exit_reason_name(EXIT_REASON_UNKNOWN);
}

static void decode_fail_entry(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t reason = exit_payload_u64(info, 0);

	exit_decode_generic(info, rec);
	if (reason != FAIL_ENTRY_NO_VSFILE && reason != FAIL_ENTRY_NO_VSFILE_OLD)
		return;
	snprintf(rec->what, sizeof(rec->what),
		 "host CPU %" PRIu32 " has no guest interrupt file left for the vCPU's IMSIC",
		 exit_payload_u32(info, 8));
	snprintf(rec->advice, sizeof(rec->advice),
		 "use --irqchip aia or aia-emul, which do without, or run fewer vCPUs per host CPU");
}

static void decode_sbi(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t eid = exit_payload_u64(info, 0);
	const struct riscv_sbi_ext *ext = riscv_sbi_by_eid(eid);

	exit_decode_generic(info, rec);
	snprintf(rec->what, sizeof(rec->what),
		 "SBI call, extension 0x%" PRIx64 " (%s), function %" PRIu64 ", a0 0x%" PRIx64 " a1 0x%" PRIx64,
		 eid, ext ? ext->name : eid == 0x10 ? "base" : "unknown", exit_payload_u64(info, 8),
		 exit_payload_u64(info, 16), exit_payload_u64(info, 24));
}

void riscv_exit_decode(const struct exit_info *info, struct exit_record *rec)
{
	memset(rec, 0, sizeof(*rec));
	switch (info->reason) {
	case EXIT_REASON_UNKNOWN:
		if (info->run_errno) {
			decode_failed_run(info, rec);
			return;
		}
		break;
	case EXIT_REASON_FAIL_ENTRY:
		decode_fail_entry(info, rec);
		return;
	case EXIT_REASON_RISCV_SBI:
		if (!info->run_errno) {
			decode_sbi(info, rec);
			return;
		}
		break;
	default:
		break;
	}
	exit_decode_generic(info, rec);
}
