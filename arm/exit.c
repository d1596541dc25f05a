// SPDX-License-Identifier: GPL-2.0-only
/*
 * What arm64's KVM_RUN leaves behind (arch/arm64/kvm/handle_exit.c, mmio.c, arm.c). exit_reason is UNKNOWN
 * from the start, hardware_exit_reason is never written: only the errno tells about a KVM_RUN that fails.
 */
#include "lkvm/exit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arm/esr.h"

/* KVM_EXIT_FAIL_ENTRY_CPU_UNSUPPORTED */
#define FAIL_ENTRY_CPU_UNSUPPORTED (UINT64_C(1) << 0)

/* KVM_SYSTEM_EVENT_* and their flags (include/uapi/linux/kvm.h, arch/arm64/include/uapi/asm/kvm.h) */
#define SYSTEM_EVENT_SHUTDOWN      1
#define SYSTEM_EVENT_RESET         2
#define SYSTEM_EVENT_FLAG_PSCI_2   (UINT64_C(1) << 0) /* SYSTEM_RESET2, or SYSTEM_OFF2 (hibernation) */

/* ESR_EL2.ISS of a data abort: write, not read. Valid with NISV too (handle_exit.c hands on WnR). */
#define ISS_WNR (UINT64_C(1) << 6)

#define DMESG_ADVICE "see the host's kernel log"
#define PLAIN_ADVICE "devices want plain loads and stores of one register without write-back"

static void decode_failed_run(const struct exit_info *info, struct exit_record *rec)
{
	struct exit_info plain = *info;
	char pc[40] = "";

	if (info->have_pc)
		snprintf(pc, sizeof(pc), " at pc 0x%" PRIx64, info->pc);
	rec->verdict = EXIT_STOP;
	switch (info->run_errno) {
	case ENOSYS: /* mmio.c, without KVM_CAP_ARM_NISV_TO_USER */
		snprintf(rec->what, sizeof(rec->what),
			 "the guest accessed a device%s with an instruction that the CPU does not describe "
			 "(KVM_RUN: ENOSYS)", pc);
		snprintf(rec->advice, sizeof(rec->advice),
			 PLAIN_ADVICE "; " DMESG_ADVICE);
		break;
	case EFAULT:
		snprintf(rec->what, sizeof(rec->what),
			 "the host could not provide a page of guest memory%s (KVM_RUN: EFAULT)", pc);
		snprintf(rec->advice, sizeof(rec->advice),
			 "out of memory or of huge pages, a truncated file, or memory that can't hold tags "
			 "(--disable-mte does without); " DMESG_ADVICE);
		break;
	case ENOEXEC: /* kvm_vcpu_initialized() */
		snprintf(rec->what, sizeof(rec->what),
			 "the vCPU has not been initialised (KVM_RUN: ENOEXEC)");
		break;
	case EPERM: /* kvm_arm_vcpu_is_finalized() */
		snprintf(rec->what, sizeof(rec->what),
			 "the vCPU's SVE set-up has not been finished (KVM_RUN: EPERM)");
		break;
	default:
		/* Nothing but the errno means anything. */
		plain.reason = EXIT_REASON_NOT_WRITTEN;
		exit_decode_generic(&plain, rec);
		break;
	}
	rec->name = exit_reason_name(EXIT_REASON_UNKNOWN);
}

static void decode_unknown(const struct exit_info *info, struct exit_record *rec)
{
	if (info->run_errno) {
		decode_failed_run(info, rec);
		return;
	}
	exit_decode_generic(info, rec);
	snprintf(rec->what, sizeof(rec->what), "KVM_RUN came back without giving a reason");
	snprintf(rec->advice, sizeof(rec->advice), "this is a bug of the host's KVM; " DMESG_ADVICE);
}

static void decode_fail_entry(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t reason = exit_payload_u64(info, 0);

	exit_decode_generic(info, rec);
	if (info->run_errno == EINVAL) {
		snprintf(rec->what, sizeof(rec->what),
			 "the CPU refused to enter the guest: its PSTATE is one that can't be returned to "
			 "(KVM_RUN: EINVAL)");
		snprintf(rec->advice, sizeof(rec->advice),
			 "the vCPU's state was corrupted; %s", DMESG_ADVICE);
	} else if (reason & FAIL_ENTRY_CPU_UNSUPPORTED) {
		snprintf(rec->what, sizeof(rec->what),
			 "the vCPU was scheduled on host CPU %" PRIu32 ", which does not have the guest's PMU",
			 exit_payload_u32(info, 8));
		snprintf(rec->advice, sizeof(rec->advice),
			 "on a host with different kinds of CPUs keep the guest on one kind with "
			 "--vcpu-affinity, or use --no-pmu");
	} else if (!reason && !info->run_errno) {
		snprintf(rec->what, sizeof(rec->what), "the host's hypervisor part is gone");
		snprintf(rec->advice, sizeof(rec->advice), "the host is rebooting or uses kexec");
	}
}

static void decode_internal_error(const struct exit_info *info, struct exit_record *rec)
{
	exit_decode_generic(info, rec);
	/* handle_exit.c writes no suberror. */
	snprintf(rec->what, sizeof(rec->what),
		 "the guest was left for a kind of exception that KVM does not support%s",
		 info->run_errno ? ", and KVM_RUN failed" : "");
	snprintf(rec->advice, sizeof(rec->advice),
		 "the host's kernel log has \"Unsupported exception type\" with its number");
}

static void decode_undescribed_access(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t iss = exit_payload_u64(info, 0);
	char pc[40] = "";

	exit_decode_generic(info, rec);
	if (info->have_pc)
		snprintf(pc, sizeof(pc), " at pc 0x%" PRIx64, info->pc);
	if (info->reason == EXIT_REASON_ARM_LDST64B)
		snprintf(rec->what, sizeof(rec->what), "64-byte access to a device at 0x%" PRIx64 "%s",
			 exit_payload_u64(info, 8), pc);
	else
		snprintf(rec->what, sizeof(rec->what),
			 "%s of a device at 0x%" PRIx64 "%s by an instruction that the CPU does not describe "
			 "(ISS 0x%" PRIx64 ")", iss & ISS_WNR ? "write" : "read",
			 exit_payload_u64(info, 8), pc, iss);
	snprintf(rec->advice, sizeof(rec->advice), "%s", PLAIN_ADVICE);
}

static void decode_system_event(const struct exit_info *info, struct exit_record *rec)
{
	uint32_t type = exit_payload_u32(info, 0);

	exit_decode_generic(info, rec);
	if (!exit_payload_u32(info, 4) || !(exit_payload_u64(info, 8) & SYSTEM_EVENT_FLAG_PSCI_2))
		return;
	if (type == SYSTEM_EVENT_SHUTDOWN)
		snprintf(rec->what, sizeof(rec->what), "the guest hibernated (PSCI SYSTEM_OFF2)");
	else if (type == SYSTEM_EVENT_RESET)
		snprintf(rec->what, sizeof(rec->what), "the guest asked for a reset (PSCI SYSTEM_RESET2)");
}

static void decode_debug(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t esr = exit_payload_u32(info, 0) | (uint64_t)exit_payload_u32(info, 4) << 32;
	char text[ARM_ESR_TEXT_BYTES];

	exit_decode_generic(info, rec);
	if (!(info->flags & 1)) /* KVM_DEBUG_ARCH_HSR_HIGH_VALID */
		esr = (uint32_t)esr;
	snprintf(rec->what, sizeof(rec->what), "debug exception: %s, far 0x%" PRIx64,
		 arm_esr_text(esr, text, sizeof(text)), exit_payload_u64(info, 8));
}

static void decode_sea(const struct exit_info *info, struct exit_record *rec)
{
	size_t len;
	char text[ARM_ESR_TEXT_BYTES];

	exit_decode_generic(info, rec);
	len = strlen(rec->what);
	snprintf(rec->what + len, sizeof(rec->what) - len, " (%s)",
		 arm_esr_text(exit_payload_u64(info, 8), text, sizeof(text)));
}

void arm_exit_decode(const struct exit_info *info, struct exit_record *rec)
{
	memset(rec, 0, sizeof(*rec));
	switch (info->reason) {
	case EXIT_REASON_UNKNOWN:
		decode_unknown(info, rec);
		return;
	case EXIT_REASON_FAIL_ENTRY:
		decode_fail_entry(info, rec);
		return;
	case EXIT_REASON_INTERNAL_ERROR:
		decode_internal_error(info, rec);
		return;
	case EXIT_REASON_ARM_NISV:
	case EXIT_REASON_ARM_LDST64B:
		if (!info->run_errno) {
			decode_undescribed_access(info, rec);
			return;
		}
		break;
	case EXIT_REASON_SYSTEM_EVENT:
		decode_system_event(info, rec);
		return;
	case EXIT_REASON_DEBUG:
		decode_debug(info, rec);
		return;
	case EXIT_REASON_ARM_SEA:
		decode_sea(info, rec);
		return;
	default:
		break;
	}
	exit_decode_generic(info, rec);
}
