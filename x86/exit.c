// SPDX-License-Identifier: GPL-2.0-only
/*
 * What x86's KVM says beyond the generic: arch/x86/kvm/{x86,vmx/vmx,svm/svm}.c. Offsets are those of the union
 * in struct kvm_run (include/uapi/linux/kvm.h).
 */
#include "lkvm/exit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* kvm_run.fail_entry */
#define FAIL_REASON 0
#define FAIL_CPU    8

/* kvm_run.internal, .emulation_failure */
#define INTERNAL_SUBERROR 0
#define INTERNAL_NDATA    4
#define INTERNAL_DATA     8
#define EMULATION_FLAGS   8
#define EMULATION_LENGTH  16
#define EMULATION_BYTES   17
#define EMULATION_MAX_BYTES 15
#define EMULATION_HAS_BYTES (1u << 0) /* KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES */
/* Data words before the debug words, of which the first is the hardware's exit reason (x86.c,
 * prepare_emulation_failure_exit()): flags, and two of instruction bytes if there are any. */
#define EMULATION_WORDS_PLAIN 1
#define EMULATION_WORDS_BYTES 3

enum suberror {
	SUBERROR_EMULATION = 1,
	SUBERROR_SIMUL_EX = 2,
	SUBERROR_DELIVERY_EV = 3,
	SUBERROR_UNEXPECTED_EXIT_REASON = 4,
};

struct name {
	uint64_t    value;
	const char *text;
};

/* SDM volume 3, appendix C: those that KVM hands on. Bit 31: the entry failed. */
static const struct name vmx_reasons[] = {
	{ 0, "exception or NMI" },      { 2, "triple fault" },           { 9, "task switch" },
	{ 10, "CPUID" },                { 12, "HLT" },                   { 28, "control-register access" },
	{ 30, "I/O instruction" },      { 31, "RDMSR" },                 { 32, "WRMSR" },
	{ 33, "invalid guest state" },  { 34, "MSR loading" },           { 41, "machine check" },
	{ 44, "APIC access" },          { 48, "EPT violation" },         { 49, "EPT misconfiguration" },
	{ 60, "ENCLS" },                { 74, "bus lock" },              { 75, "notify" },
};

/* APM volume 2, appendix C. */
static const struct name svm_reasons[] = {
	{ 0x4e, "page fault" },         { 0x52, "machine check" },       { 0x60, "interrupt" },
	{ 0x72, "CPUID" },              { 0x78, "HLT" },                 { 0x7b, "I/O instruction" },
	{ 0x7c, "MSR access" },         { 0x7d, "task switch" },         { 0x7f, "shutdown" },
	{ 0x400, "nested page fault" }, { 0x401, "incomplete IPI" },     { UINT64_MAX, "invalid guest state" },
};

/* SDM volume 3, §31.4, of a VMLAUNCH or VMRESUME. */
static const struct name vmx_instruction_errors[] = {
	{ 4, "VMLAUNCH with non-clear VMCS" },
	{ 5, "VMRESUME with non-launched VMCS" },
	{ 7, "VM entry with invalid control fields" },
	{ 8, "VM entry with invalid host-state fields" },
	{ 12, "access to an unsupported VMCS component" },
	{ 26, "VM entry with events blocked by MOV SS" },
};

static const char *lookup(const struct name *names, size_t nr, uint64_t value)
{
	for (size_t i = 0; i < nr; i++)
		if (names[i].value == value)
			return names[i].text;
	return NULL;
}

LKVM_PRINTF(3, 4)
static void append(char *buf, size_t size, const char *fmt, ...)
{
	size_t len = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + len, size - len, fmt, ap);
	va_end(ap);
}

#define what_more(rec, ...) append((rec)->what, sizeof((rec)->what), __VA_ARGS__)

/* Nothing tells which vendor's number it is, so both are named where both have a name. */
static void what_hardware_reason(struct exit_record *rec, uint64_t reason)
{
	const char *vmx = lookup(vmx_reasons, ARRAY_SIZE(vmx_reasons), reason & 0xffff);
	const char *svm = lookup(svm_reasons, ARRAY_SIZE(svm_reasons), reason);

	if (reason >> 32)
		vmx = NULL;
	what_more(rec, "0x%" PRIx64, reason);
	if (vmx && svm)
		what_more(rec, " (Intel: %s, AMD: %s)", vmx, svm);
	else if (vmx || svm)
		what_more(rec, " (%s)", vmx ? vmx : svm);
}

static void decode_unknown(const struct exit_info *info, struct exit_record *rec)
{
	rec->verdict = EXIT_STOP;
	snprintf(rec->what, sizeof(rec->what), "KVM met a hardware exit that it does not handle: ");
	what_hardware_reason(rec, exit_payload_u64(info, 0));
	snprintf(rec->advice, sizeof(rec->advice), "look at the host's kernel log");
}

static void decode_fail_entry(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t reason = exit_payload_u64(info, FAIL_REASON);
	uint32_t cpu = exit_payload_u32(info, FAIL_CPU);
	const char *text;

	rec->verdict = EXIT_STOP;
	if (reason == UINT64_MAX || reason == UINT32_MAX)
		text = "invalid guest state, says AMD's VMRUN";
	else if (reason >> 31 & 1)
		text = lookup(vmx_reasons, ARRAY_SIZE(vmx_reasons), reason & 0xffff);
	else
		text = lookup(vmx_instruction_errors, ARRAY_SIZE(vmx_instruction_errors), reason);
	snprintf(rec->what, sizeof(rec->what),
		 "the CPU refused to enter the guest: 0x%" PRIx64 "%s%s%s, host CPU %" PRIu32, reason,
		 text ? " (" : "", text ? text : "", text ? ")" : "", cpu);
	snprintf(rec->advice, sizeof(rec->advice),
		 "the registers below do not go together (segments, CR0, CR4, EFER, RFLAGS); the host's "
		 "kernel log may hold a dump of the VMCS or VMCB");
}

static void decode_emulation(const struct exit_info *info, struct exit_record *rec)
{
	uint32_t ndata = MIN(exit_payload_u32(info, INTERNAL_NDATA), 16u);
	bool has_bytes = ndata && exit_payload_u64(info, EMULATION_FLAGS) & EMULATION_HAS_BYTES;
	unsigned int len = MIN(exit_payload_u8(info, EMULATION_LENGTH), EMULATION_MAX_BYTES);
	unsigned int words = has_bytes ? EMULATION_WORDS_BYTES : EMULATION_WORDS_PLAIN;

	rec->verdict = EXIT_STOP;
	if (has_bytes && len) {
		snprintf(rec->what, sizeof(rec->what), "KVM can't emulate the guest's instruction");
		for (unsigned int i = 0; i < len; i++)
			what_more(rec, " %02x", exit_payload_u8(info, EMULATION_BYTES + i));
	} else {
		/* KVM has no bytes when it could not fetch them. */
		snprintf(rec->what, sizeof(rec->what), "instruction fetch failed");
	}
	if (info->have_pc)
		what_more(rec, " at 0x%" PRIx64, info->pc);
	if (ndata > words) {
		what_more(rec, "; exit reason ");
		what_hardware_reason(rec, exit_payload_u64(info, INTERNAL_DATA + 8 * words));
	}
	if (has_bytes && len)
		snprintf(rec->advice, sizeof(rec->advice),
			 "the instruction works on device memory or in a CPU mode that KVM must emulate, "
			 "and KVM does not know it there");
	else
		snprintf(rec->advice, sizeof(rec->advice),
			 "the guest jumped to where no memory is: a bad function pointer, return address or "
			 "page table");
}

static void decode_internal_error(const struct exit_info *info, struct exit_record *rec)
{
	switch (exit_payload_u32(info, INTERNAL_SUBERROR)) {
	case SUBERROR_EMULATION:
		decode_emulation(info, rec);
		break;
	case SUBERROR_DELIVERY_EV:
		exit_decode_generic(info, rec);
		if (exit_payload_u32(info, INTERNAL_NDATA) < 2)
			break;
		snprintf(rec->what, sizeof(rec->what),
			 "KVM could not deliver an interrupt or exception (vectoring info 0x%" PRIx64
			 "): the IDT, GDT or stack lies in device memory or nowhere; exit reason ",
			 exit_payload_u64(info, INTERNAL_DATA));
		what_hardware_reason(rec, exit_payload_u64(info, INTERNAL_DATA + 8));
		break;
	case SUBERROR_UNEXPECTED_EXIT_REASON:
		exit_decode_generic(info, rec);
		if (exit_payload_u32(info, INTERNAL_NDATA) < 1)
			break;
		snprintf(rec->what, sizeof(rec->what), "the CPU left the guest for a reason that KVM did not "
			 "expect: ");
		what_hardware_reason(rec, exit_payload_u64(info, INTERNAL_DATA));
		break;
	default:
		exit_decode_generic(info, rec);
		break;
	}
}

void x86_exit_decode(const struct exit_info *info, struct exit_record *rec)
{
	const char *name = exit_reason_name(info->reason);

	memset(rec, 0, sizeof(*rec));
	rec->name = name ? name : "";
	switch (info->reason) {
	case EXIT_REASON_UNKNOWN:
		/* The reason is the initial value, too: a failed KVM_RUN is told by its errno. */
		if (!info->run_errno)
			decode_unknown(info, rec);
		else
			exit_decode_generic(info, rec);
		break;
	case EXIT_REASON_FAIL_ENTRY:
		decode_fail_entry(info, rec);
		break;
	case EXIT_REASON_INTERNAL_ERROR:
		decode_internal_error(info, rec);
		break;
	default:
		exit_decode_generic(info, rec);
		break;
	}
}
