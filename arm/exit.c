// SPDX-License-Identifier: GPL-2.0-only
/*
 * What arm64's KVM_RUN leaves behind (arch/arm64/kvm/handle_exit.c, mmio.c, arm.c). exit_reason is UNKNOWN
 * from the start, hardware_exit_reason is never written: only the errno tells about a KVM_RUN that fails.
 */
#include "lkvm/exit.h"

#include <errno.h>
#include <inttypes.h>

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
	exit_decode_generic(info, rec);
	rec->specific = true;
	switch (info->run_errno) {
	case ENOSYS: /* mmio.c, without KVM_CAP_ARM_NISV_TO_USER */
		rec->cause = EXIT_CAUSE_DEVICE_ACCESS;
		exit_what(rec, "the guest accessed a device");
		exit_what_pc(rec, info);
		exit_what_more(rec, " with an instruction that the CPU does not describe");
		exit_advise(rec, PLAIN_ADVICE "; " DMESG_ADVICE);
		break;
	case EFAULT:
		rec->cause = EXIT_CAUSE_GUEST_MEMORY;
		exit_what(rec, "the host could not provide a page of guest memory");
		exit_what_pc(rec, info);
		exit_advise(rec, "out of memory or of huge pages, a truncated file, or memory that can't hold tags "
			    "(--disable-mte does without); " DMESG_ADVICE);
		break;
	case ENOEXEC: /* kvm_vcpu_initialized() */
		rec->cause = EXIT_CAUSE_SETUP;
		exit_what(rec, "the vCPU has not been initialised");
		break;
	case EPERM: /* kvm_arm_vcpu_is_finalized() */
		rec->cause = EXIT_CAUSE_SETUP;
		exit_what(rec, "the vCPU's SVE set-up has not been finished");
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
	exit_advise(rec, "this is a bug of the host's KVM; " DMESG_ADVICE);
}

static void decode_fail_entry(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t reason = exit_payload_u64(info, 0);

	if (info->run_errno == EINVAL) {
		exit_fields_drop(rec); /* ARM_EXCEPTION_IL writes the reason only */
		exit_what(rec, "the CPU refused to enter the guest: its PSTATE is one that can't be returned to");
		exit_advise(rec, "the vCPU's state was corrupted; %s", DMESG_ADVICE);
	} else if (reason == FAIL_ENTRY_CPU_UNSUPPORTED) {
		rec->cause = EXIT_CAUSE_WRONG_CPU;
		exit_field_means(rec, "hardware_entry_failure_reason", "KVM_EXIT_FAIL_ENTRY_CPU_UNSUPPORTED");
		exit_what(rec, "the vCPU was scheduled on host CPU %" PRIu32 ", which does not have the guest's PMU",
			  exit_payload_u32(info, 8));
		exit_advise(rec, "on a host with different kinds of CPUs keep the guest on one kind with "
			    "--vcpu-affinity, or use --no-pmu");
	} else if (!reason && !info->run_errno) {
		exit_what(rec, "the host's hypervisor part is gone");
		exit_advise(rec, "the host is rebooting or uses kexec");
	} else {
		return;
	}
	rec->specific = true;
	exit_what_errno(rec, info);
}

static void decode_internal_error(const struct exit_info *info, struct exit_record *rec)
{
	/* handle_exit.c writes no suberror: what is there is another exit's, or was not read on this arch. */
	rec->specific = !exit_payload_u64(info, 0);
	exit_fields_drop(rec);
	rec->cause = EXIT_CAUSE_UNEXPECTED_TRAP;
	exit_what(rec, "the guest was left for a kind of exception that KVM does not support");
	exit_what_errno(rec, info);
	exit_advise(rec, "the host's kernel log has \"Unsupported exception type\" with its number");
}

static void decode_undescribed_access(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t iss = exit_payload_u64(info, 0);

	rec->specific = true;
	exit_field_means(rec, "esr_iss", "%s", iss & ISS_WNR ? "write" : "read");
	exit_field_means(rec, "fault_ipa", "guest-physical address of the device");
	if (info->reason == EXIT_REASON_ARM_LDST64B)
		exit_what(rec, "64-byte access to a device at 0x%" PRIx64, exit_payload_u64(info, 8));
	else
		exit_what(rec, "%s of a device at 0x%" PRIx64, iss & ISS_WNR ? "write" : "read",
			  exit_payload_u64(info, 8));
	exit_what_pc(rec, info);
	if (info->reason == EXIT_REASON_ARM_NISV)
		exit_what_more(rec, " by an instruction that the CPU does not describe (ISS 0x%" PRIx64 ")", iss);
	exit_what_errno(rec, info);
	exit_advise(rec, "%s", PLAIN_ADVICE);
}

static void decode_system_event(const struct exit_info *info, struct exit_record *rec)
{
	uint32_t type = exit_payload_u32(info, 0);

	if (!exit_payload_u32(info, 4) || !(exit_payload_u64(info, 8) & SYSTEM_EVENT_FLAG_PSCI_2))
		return;
	if (type == SYSTEM_EVENT_SHUTDOWN) {
		exit_what(rec, "the guest hibernated (PSCI SYSTEM_OFF2)");
		exit_field_means(rec, "data[0]", "KVM_SYSTEM_EVENT_SHUTDOWN_FLAG_PSCI_OFF2");
	} else if (type == SYSTEM_EVENT_RESET) {
		exit_what(rec, "the guest asked for a reset (PSCI SYSTEM_RESET2)");
		exit_field_means(rec, "data[0]", "KVM_SYSTEM_EVENT_RESET_FLAG_PSCI_RESET2");
	} else {
		return;
	}
	rec->specific = true;
	exit_what_errno(rec, info);
}

static void decode_debug(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t esr = exit_payload_u32(info, 0) | (uint64_t)exit_payload_u32(info, 4) << 32;
	char text[ARM_ESR_TEXT_BYTES];

	rec->specific = true;
	if (!(info->flags & 1)) /* KVM_DEBUG_ARCH_HSR_HIGH_VALID */
		esr = (uint32_t)esr;
	arm_esr_text(esr, text, sizeof(text));
	exit_field(rec, "hsr", "0x%" PRIx64, esr);
	exit_field_means(rec, "hsr", "%s", text);
	exit_field(rec, "far", "0x%" PRIx64, exit_payload_u64(info, 8));
	exit_what(rec, "debug exception: %s, far 0x%" PRIx64, text, exit_payload_u64(info, 8));
	exit_what_errno(rec, info);
}

static void decode_sea(const struct exit_info *info, struct exit_record *rec)
{
	char text[ARM_ESR_TEXT_BYTES];

	rec->specific = true;
	arm_esr_text(exit_payload_u64(info, 8), text, sizeof(text));
	exit_field_means(rec, "esr", "%s", text);
	exit_what_more(rec, " (%s)", text);
}

static void decode_hypercall(const struct exit_info *info, struct exit_record *rec)
{
	/* KVM_HYPERCALL_EXIT_*, of a SMCCC filter */
	static const struct exit_name bits[] = {
		{ 1, "KVM_HYPERCALL_EXIT_SMC", NULL },
		{ 2, "KVM_HYPERCALL_EXIT_16BIT", NULL },
	};
	char buf[96];

	rec->specific = true;
	exit_field_means(rec, "nr", "SMCCC function");
	exit_field_means(rec, "flags", "%s", exit_bits_text(bits, ARRAY_SIZE(bits), exit_payload_u64(info, 64),
							     buf, sizeof(buf)));
}

void arm_exit_decode(const struct exit_info *info, struct exit_record *rec)
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
	case EXIT_REASON_INTERNAL_ERROR:
		decode_internal_error(info, rec);
		break;
	case EXIT_REASON_ARM_NISV:
	case EXIT_REASON_ARM_LDST64B:
		decode_undescribed_access(info, rec);
		break;
	case EXIT_REASON_SYSTEM_EVENT:
		decode_system_event(info, rec);
		break;
	case EXIT_REASON_DEBUG:
		decode_debug(info, rec);
		break;
	case EXIT_REASON_ARM_SEA:
		decode_sea(info, rec);
		break;
	case EXIT_REASON_HYPERCALL:
		decode_hypercall(info, rec);
		break;
	default:
		break;
	}
}

void arm_exit_decode_logged(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t value = exit_payload_u64(info, 0);
	char text[ARM_ESR_TEXT_BYTES];

	arm_exit_decode(info, rec);
	if (info->reason != EXIT_REASON_UNKNOWN || info->run_errno || !value)
		return;
	exit_field(rec, "hardware_exit_reason", "0x%" PRIx64, value);
	rec->cause = EXIT_CAUSE_UNKNOWN;
	exit_what(rec, "hardware_exit_reason 0x%" PRIx64 ", which arm64's KVM never writes", value);
	exit_advise(rec, DMESG_ADVICE);
	if (!arm_esr_plausible(value))
		return;
	rec->specific = true;
	exit_what_more(rec, "; as a syndrome (ESR_ELx): %s", arm_esr_text(value, text, sizeof(text)));
	exit_advise(rec, "the guest's own abort if it comes from the guest's log, and KVM's trap (ESR_EL2) if from the "
		    "host's");
}
