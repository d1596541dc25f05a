// SPDX-License-Identifier: GPL-2.0-only
/* Offsets are those of the union in struct kvm_run (include/uapi/linux/kvm.h). */
#include "lkvm/exit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const reason_names[] = {
	[EXIT_REASON_UNKNOWN]         = "KVM_EXIT_UNKNOWN",
	[EXIT_REASON_EXCEPTION]       = "KVM_EXIT_EXCEPTION",
	[EXIT_REASON_IO]              = "KVM_EXIT_IO",
	[EXIT_REASON_HYPERCALL]       = "KVM_EXIT_HYPERCALL",
	[EXIT_REASON_DEBUG]           = "KVM_EXIT_DEBUG",
	[EXIT_REASON_HLT]             = "KVM_EXIT_HLT",
	[EXIT_REASON_MMIO]            = "KVM_EXIT_MMIO",
	[EXIT_REASON_IRQ_WINDOW_OPEN] = "KVM_EXIT_IRQ_WINDOW_OPEN",
	[EXIT_REASON_SHUTDOWN]        = "KVM_EXIT_SHUTDOWN",
	[EXIT_REASON_FAIL_ENTRY]      = "KVM_EXIT_FAIL_ENTRY",
	[EXIT_REASON_INTR]            = "KVM_EXIT_INTR",
	[EXIT_REASON_SET_TPR]         = "KVM_EXIT_SET_TPR",
	[EXIT_REASON_TPR_ACCESS]      = "KVM_EXIT_TPR_ACCESS",
	[EXIT_REASON_S390_SIEIC]      = "KVM_EXIT_S390_SIEIC",
	[EXIT_REASON_S390_RESET]      = "KVM_EXIT_S390_RESET",
	[EXIT_REASON_DCR]             = "KVM_EXIT_DCR",
	[EXIT_REASON_NMI]             = "KVM_EXIT_NMI",
	[EXIT_REASON_INTERNAL_ERROR]  = "KVM_EXIT_INTERNAL_ERROR",
	[EXIT_REASON_OSI]             = "KVM_EXIT_OSI",
	[EXIT_REASON_PAPR_HCALL]      = "KVM_EXIT_PAPR_HCALL",
	[EXIT_REASON_S390_UCONTROL]   = "KVM_EXIT_S390_UCONTROL",
	[EXIT_REASON_WATCHDOG]        = "KVM_EXIT_WATCHDOG",
	[EXIT_REASON_S390_TSCH]       = "KVM_EXIT_S390_TSCH",
	[EXIT_REASON_EPR]             = "KVM_EXIT_EPR",
	[EXIT_REASON_SYSTEM_EVENT]    = "KVM_EXIT_SYSTEM_EVENT",
	[EXIT_REASON_S390_STSI]       = "KVM_EXIT_S390_STSI",
	[EXIT_REASON_IOAPIC_EOI]      = "KVM_EXIT_IOAPIC_EOI",
	[EXIT_REASON_HYPERV]          = "KVM_EXIT_HYPERV",
	[EXIT_REASON_ARM_NISV]        = "KVM_EXIT_ARM_NISV",
	[EXIT_REASON_X86_RDMSR]       = "KVM_EXIT_X86_RDMSR",
	[EXIT_REASON_X86_WRMSR]       = "KVM_EXIT_X86_WRMSR",
	[EXIT_REASON_DIRTY_RING_FULL] = "KVM_EXIT_DIRTY_RING_FULL",
	[EXIT_REASON_AP_RESET_HOLD]   = "KVM_EXIT_AP_RESET_HOLD",
	[EXIT_REASON_X86_BUS_LOCK]    = "KVM_EXIT_X86_BUS_LOCK",
	[EXIT_REASON_XEN]             = "KVM_EXIT_XEN",
	[EXIT_REASON_RISCV_SBI]       = "KVM_EXIT_RISCV_SBI",
	[EXIT_REASON_RISCV_CSR]       = "KVM_EXIT_RISCV_CSR",
	[EXIT_REASON_NOTIFY]          = "KVM_EXIT_NOTIFY",
	[EXIT_REASON_LOONGARCH_IOCSR] = "KVM_EXIT_LOONGARCH_IOCSR",
	[EXIT_REASON_MEMORY_FAULT]    = "KVM_EXIT_MEMORY_FAULT",
	[EXIT_REASON_TDX]             = "KVM_EXIT_TDX",
	[EXIT_REASON_ARM_SEA]         = "KVM_EXIT_ARM_SEA",
	[EXIT_REASON_ARM_LDST64B]     = "KVM_EXIT_ARM_LDST64B",
	[EXIT_REASON_SNP_REQ_CERTS]   = "KVM_EXIT_SNP_REQ_CERTS",
};

const char *exit_reason_name(uint32_t reason)
{
	return reason < ARRAY_SIZE(reason_names) ? reason_names[reason] : NULL;
}

static const struct {
	const char *word, *text;
} causes[EXIT_NR_CAUSES] = {
	[EXIT_CAUSE_UNKNOWN]          = { "unknown", "nothing says why" },
	[EXIT_CAUSE_SIGNAL]           = { "signal", "a signal, or nothing to do" },
	[EXIT_CAUSE_REQUEST]          = { "request", "the guest wants something served" },
	[EXIT_CAUSE_NOT_OFFERED]      = { "not-offered", "the guest wants what lkvm does not have" },
	[EXIT_CAUSE_FETCH_FAILED]     = { "instruction-fetch-failed", "instruction fetch failed" },
	[EXIT_CAUSE_EMULATION_FAILED] = { "emulation-failed", "KVM can't emulate the instruction" },
	[EXIT_CAUSE_DEVICE_ACCESS]    = { "device-access", "an access to a device that KVM can't take apart" },
	[EXIT_CAUSE_EVENT_DELIVERY]   = { "event-delivery", "an interrupt or exception can't be delivered" },
	[EXIT_CAUSE_TRIPLE_FAULT]     = { "triple-fault", "triple fault" },
	[EXIT_CAUSE_UNEXPECTED_TRAP]  = { "unexpected-trap", "a hardware exit that KVM has no handler for" },
	[EXIT_CAUSE_ENTRY_REFUSED]    = { "entry-refused", "the hardware does not enter the guest in this state" },
	[EXIT_CAUSE_WRONG_CPU]        = { "wrong-cpu", "this host CPU can't run the vCPU" },
	[EXIT_CAUSE_NESTED]           = { "nested", "the hypervisor below this host returned an error" },
	[EXIT_CAUSE_MACHINE_CHECK]    = { "machine-check", "the hardware reports an error of its own" },
	[EXIT_CAUSE_BAD_MEMORY]       = { "bad-memory", "RAM with an uncorrectable error" },
	[EXIT_CAUSE_GUEST_MEMORY]     = { "guest-memory", "the host can't provide a page of guest memory" },
	[EXIT_CAUSE_OUT_OF_MEMORY]    = { "out-of-memory", "the host has no memory left for KVM" },
	[EXIT_CAUSE_SETUP]            = { "setup", "the vCPU is not set up as KVM wants it" },
	[EXIT_CAUSE_POWER]            = { "power", "the guest powers off, resets, sleeps or wakes" },
	[EXIT_CAUSE_GUEST_CRASH]      = { "guest-crash", "the guest says that it crashed" },
	[EXIT_CAUSE_WATCHDOG]         = { "watchdog", "the guest's watchdog expired" },
	[EXIT_CAUSE_DEBUG]            = { "debug", "breakpoint, watchpoint or single step" },
	[EXIT_CAUSE_HALTED]           = { "halted", "waits for an interrupt that can't come" },
	[EXIT_CAUSE_NO_EVENT_WINDOW]  = { "no-event-window", "the guest kept the CPU from taking events" },
	[EXIT_CAUSE_NEW_KERNEL]       = { "new-kernel", "the kernel is newer than this lkvm" },
	[EXIT_CAUSE_KVM_BUG]          = { "kvm-bug", "KVM does what it should not" },
};

const char *exit_cause_word(enum exit_cause cause)
{
	return causes[(unsigned int)cause < EXIT_NR_CAUSES ? cause : EXIT_CAUSE_UNKNOWN].word;
}

const char *exit_cause_text(enum exit_cause cause)
{
	return causes[(unsigned int)cause < EXIT_NR_CAUSES ? cause : EXIT_CAUSE_UNKNOWN].text;
}

/* Those that a KVM ioctl, or the kernel below it, is known to return. */
static const struct {
	int         err;
	const char *name;
} errno_names[] = {
	{ EPERM, "EPERM" },         { ENOENT, "ENOENT" },       { ESRCH, "ESRCH" },
	{ EINTR, "EINTR" },         { EIO, "EIO" },             { ENXIO, "ENXIO" },
	{ E2BIG, "E2BIG" },         { ENOEXEC, "ENOEXEC" },     { EBADF, "EBADF" },
	{ EAGAIN, "EAGAIN" },       { ENOMEM, "ENOMEM" },       { EACCES, "EACCES" },
	{ EFAULT, "EFAULT" },       { EBUSY, "EBUSY" },         { EEXIST, "EEXIST" },
	{ ENODEV, "ENODEV" },       { EINVAL, "EINVAL" },       { ENFILE, "ENFILE" },
	{ EMFILE, "EMFILE" },       { ENOTTY, "ENOTTY" },       { EFBIG, "EFBIG" },
	{ ENOSPC, "ENOSPC" },       { EPIPE, "EPIPE" },         { EDOM, "EDOM" },
	{ ERANGE, "ERANGE" },       { EDEADLK, "EDEADLK" },     { ENOSYS, "ENOSYS" },
	{ ENODATA, "ENODATA" },     { ETIME, "ETIME" },         { EPROTO, "EPROTO" },
	{ EBADMSG, "EBADMSG" },     { EOVERFLOW, "EOVERFLOW" }, { EOPNOTSUPP, "EOPNOTSUPP" },
	{ ETIMEDOUT, "ETIMEDOUT" }, { EALREADY, "EALREADY" },   { EINPROGRESS, "EINPROGRESS" },
	{ ESTALE, "ESTALE" },       { ECANCELED, "ECANCELED" }, { EHWPOISON, "EHWPOISON" },
	/* Of include/linux/errno.h: not for user space, but they leak. */
	{ 512, "ERESTARTSYS" },     { 513, "ERESTARTNOINTR" },  { 514, "ERESTARTNOHAND" },
	{ 516, "ERESTART_RESTARTBLOCK" }, { 517, "EPROBE_DEFER" }, { 524, "ENOTSUPP" },
};

const char *exit_errno_name(int err)
{
	for (size_t i = 0; i < ARRAY_SIZE(errno_names); i++)
		if (errno_names[i].err == err)
			return errno_names[i].name;
	return NULL;
}

int exit_errno_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(errno_names); i++)
		if (!strcmp(errno_names[i].name, name))
			return errno_names[i].err;
	return strcmp(name, "EWOULDBLOCK") ? 0 : EAGAIN;
}

/* 512 and above are the kernel's own, which strerror() does not know. */
#define ERRNO_INTERNAL 512

const char *exit_errno_text(int err, char *buf, size_t size)
{
	const char *name = exit_errno_name(err);

	if (name && err < ERRNO_INTERNAL)
		snprintf(buf, size, "%s (%s)", name, strerror(err));
	else if (name)
		snprintf(buf, size, "%s (internal to the kernel)", name);
	else
		snprintf(buf, size, "errno %d", err);
	return buf;
}

/* ---- payload ------------------------------------------------------------------------------------ */

static void payload_get(const struct exit_info *info, size_t offset, void *val, size_t len)
{
	if (range_within(offset, len, 0, sizeof(info->payload)))
		memcpy(val, info->payload + offset, len);
}

uint8_t exit_payload_u8(const struct exit_info *info, size_t offset)
{
	uint8_t v = 0;

	payload_get(info, offset, &v, sizeof(v));
	return v;
}

uint16_t exit_payload_u16(const struct exit_info *info, size_t offset)
{
	uint16_t v = 0;

	payload_get(info, offset, &v, sizeof(v));
	return v;
}

uint32_t exit_payload_u32(const struct exit_info *info, size_t offset)
{
	uint32_t v = 0;

	payload_get(info, offset, &v, sizeof(v));
	return v;
}

uint64_t exit_payload_u64(const struct exit_info *info, size_t offset)
{
	uint64_t v = 0;

	payload_get(info, offset, &v, sizeof(v));
	return v;
}

static uint64_t payload_uint(const struct exit_info *info, size_t offset, unsigned int size_bytes)
{
	switch (size_bytes) {
	case 1:
		return exit_payload_u8(info, offset);
	case 2:
		return exit_payload_u16(info, offset);
	case 4:
		return exit_payload_u32(info, offset);
	default:
		return exit_payload_u64(info, offset);
	}
}

void exit_payload_set(struct exit_info *info, size_t offset, unsigned int size_bytes, uint64_t value)
{
	uint8_t v8 = (uint8_t)value;
	uint16_t v16 = (uint16_t)value;
	uint32_t v32 = (uint32_t)value;
	const void *v = size_bytes == 1 ? (void *)&v8 : size_bytes == 2 ? (void *)&v16 :
			size_bytes == 4 ? (void *)&v32 : (void *)&value;

	if (range_within(offset, size_bytes, 0, sizeof(info->payload)))
		memcpy(info->payload + offset, v, size_bytes);
}

/*
 * What the union holds for each reason (include/uapi/linux/kvm.h), in the order of reasons. Members that depend on
 * others (instruction bytes, the inner unions of Hyper-V, Xen and TDX) are added by hand below.
 */
static const struct exit_member members[] = {
	{ "hardware_exit_reason", EXIT_REASON_UNKNOWN, 0, 8, 1, false },
	{ "exception", EXIT_REASON_EXCEPTION, 0, 4, 1, true },
	{ "error_code", EXIT_REASON_EXCEPTION, 4, 4, 1, false },
	{ "direction", EXIT_REASON_IO, 0, 1, 1, true },
	{ "size", EXIT_REASON_IO, 1, 1, 1, true },
	{ "port", EXIT_REASON_IO, 2, 2, 1, false },
	{ "count", EXIT_REASON_IO, 4, 4, 1, true },
	{ "nr", EXIT_REASON_HYPERCALL, 0, 8, 1, false },
	{ "args", EXIT_REASON_HYPERCALL, 8, 8, 6, false },
	{ "ret", EXIT_REASON_HYPERCALL, 56, 8, 1, false },
	{ "flags", EXIT_REASON_HYPERCALL, 64, 8, 1, false },
	{ "phys_addr", EXIT_REASON_MMIO, 0, 8, 1, false },
	{ "len", EXIT_REASON_MMIO, 16, 4, 1, true },
	{ "is_write", EXIT_REASON_MMIO, 20, 1, 1, true },
	{ "hardware_entry_failure_reason", EXIT_REASON_FAIL_ENTRY, 0, 8, 1, false },
	{ "cpu", EXIT_REASON_FAIL_ENTRY, 8, 4, 1, true },
	{ "rip", EXIT_REASON_TPR_ACCESS, 0, 8, 1, false },
	{ "is_write", EXIT_REASON_TPR_ACCESS, 8, 4, 1, true },
	{ "icptcode", EXIT_REASON_S390_SIEIC, 0, 1, 1, false },
	{ "ipa", EXIT_REASON_S390_SIEIC, 2, 2, 1, false },
	{ "ipb", EXIT_REASON_S390_SIEIC, 4, 4, 1, false },
	{ "s390_reset_flags", EXIT_REASON_S390_RESET, 0, 8, 1, false },
	{ "dcrn", EXIT_REASON_DCR, 0, 4, 1, false },
	{ "data", EXIT_REASON_DCR, 4, 4, 1, false },
	{ "is_write", EXIT_REASON_DCR, 8, 1, 1, true },
	{ "suberror", EXIT_REASON_INTERNAL_ERROR, 0, 4, 1, true },
	{ "ndata", EXIT_REASON_INTERNAL_ERROR, 4, 4, 1, true },
	{ "data", EXIT_REASON_INTERNAL_ERROR, 8, 8, EXIT_MAX_NDATA, false },
	{ "gprs", EXIT_REASON_OSI, 0, 8, 12, false },
	{ "nr", EXIT_REASON_PAPR_HCALL, 0, 8, 1, false },
	{ "ret", EXIT_REASON_PAPR_HCALL, 8, 8, 1, false },
	{ "args", EXIT_REASON_PAPR_HCALL, 16, 8, 9, false },
	{ "trans_exc_code", EXIT_REASON_S390_UCONTROL, 0, 8, 1, false },
	{ "pgm_code", EXIT_REASON_S390_UCONTROL, 8, 4, 1, false },
	{ "subchannel_id", EXIT_REASON_S390_TSCH, 0, 2, 1, false },
	{ "subchannel_nr", EXIT_REASON_S390_TSCH, 2, 2, 1, false },
	{ "io_int_parm", EXIT_REASON_S390_TSCH, 4, 4, 1, false },
	{ "io_int_word", EXIT_REASON_S390_TSCH, 8, 4, 1, false },
	{ "ipb", EXIT_REASON_S390_TSCH, 12, 4, 1, false },
	{ "dequeued", EXIT_REASON_S390_TSCH, 16, 1, 1, true },
	{ "epr", EXIT_REASON_EPR, 0, 4, 1, false },
	{ "type", EXIT_REASON_SYSTEM_EVENT, 0, 4, 1, true },
	{ "ndata", EXIT_REASON_SYSTEM_EVENT, 4, 4, 1, true },
	{ "data", EXIT_REASON_SYSTEM_EVENT, 8, 8, EXIT_MAX_NDATA, false },
	{ "addr", EXIT_REASON_S390_STSI, 0, 8, 1, false },
	{ "ar", EXIT_REASON_S390_STSI, 8, 1, 1, true },
	{ "fc", EXIT_REASON_S390_STSI, 10, 1, 1, true },
	{ "sel1", EXIT_REASON_S390_STSI, 11, 1, 1, true },
	{ "sel2", EXIT_REASON_S390_STSI, 12, 2, 1, true },
	{ "vector", EXIT_REASON_IOAPIC_EOI, 0, 1, 1, true },
	{ "type", EXIT_REASON_HYPERV, 0, 4, 1, true },
	{ "esr_iss", EXIT_REASON_ARM_NISV, 0, 8, 1, false },
	{ "fault_ipa", EXIT_REASON_ARM_NISV, 8, 8, 1, false },
	{ "reason", EXIT_REASON_X86_RDMSR, 8, 4, 1, false },
	{ "index", EXIT_REASON_X86_RDMSR, 12, 4, 1, false },
	{ "reason", EXIT_REASON_X86_WRMSR, 8, 4, 1, false },
	{ "index", EXIT_REASON_X86_WRMSR, 12, 4, 1, false },
	{ "data", EXIT_REASON_X86_WRMSR, 16, 8, 1, false },
	{ "type", EXIT_REASON_XEN, 0, 4, 1, true },
	{ "extension_id", EXIT_REASON_RISCV_SBI, 0, 8, 1, false },
	{ "function_id", EXIT_REASON_RISCV_SBI, 8, 8, 1, false },
	{ "args", EXIT_REASON_RISCV_SBI, 16, 8, 6, false },
	{ "csr_num", EXIT_REASON_RISCV_CSR, 0, 8, 1, false },
	{ "new_value", EXIT_REASON_RISCV_CSR, 8, 8, 1, false },
	{ "write_mask", EXIT_REASON_RISCV_CSR, 16, 8, 1, false },
	{ "flags", EXIT_REASON_NOTIFY, 0, 4, 1, false },
	{ "phys_addr", EXIT_REASON_LOONGARCH_IOCSR, 0, 8, 1, false },
	{ "len", EXIT_REASON_LOONGARCH_IOCSR, 16, 4, 1, true },
	{ "is_write", EXIT_REASON_LOONGARCH_IOCSR, 20, 1, 1, true },
	{ "flags", EXIT_REASON_MEMORY_FAULT, 0, 8, 1, false },
	{ "gpa", EXIT_REASON_MEMORY_FAULT, 8, 8, 1, false },
	{ "size", EXIT_REASON_MEMORY_FAULT, 16, 8, 1, false },
	{ "flags", EXIT_REASON_TDX, 0, 8, 1, false },
	{ "nr", EXIT_REASON_TDX, 8, 8, 1, false },
	{ "ret", EXIT_REASON_TDX, 16, 8, 1, false },
	{ "data", EXIT_REASON_TDX, 24, 8, 5, false },
	{ "flags", EXIT_REASON_ARM_SEA, 0, 8, 1, false },
	{ "esr", EXIT_REASON_ARM_SEA, 8, 8, 1, false },
	{ "gva", EXIT_REASON_ARM_SEA, 16, 8, 1, false },
	{ "gpa", EXIT_REASON_ARM_SEA, 24, 8, 1, false },
	{ "esr_iss", EXIT_REASON_ARM_LDST64B, 0, 8, 1, false },
	{ "fault_ipa", EXIT_REASON_ARM_LDST64B, 8, 8, 1, false },
	{ "gpa", EXIT_REASON_SNP_REQ_CERTS, 0, 8, 1, false },
	{ "npages", EXIT_REASON_SNP_REQ_CERTS, 8, 8, 1, true },
	{ "ret", EXIT_REASON_SNP_REQ_CERTS, 16, 8, 1, false },
};

const struct exit_member *exit_members(uint32_t reason, size_t *nr)
{
	const struct exit_member *first = NULL;

	*nr = 0;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (members[i].reason != reason)
			continue;
		if (!first)
			first = &members[i];
		(*nr)++;
	}
	return first;
}

/* ---- tables of names ---------------------------------------------------------------------------- */

const struct exit_name *exit_name_find(const struct exit_name *names, size_t nr, uint64_t value)
{
	for (size_t i = 0; i < nr; i++)
		if (names[i].value == value)
			return &names[i];
	return NULL;
}

const char *exit_bits_text(const struct exit_name *names, size_t nr, uint64_t value, char *buf, size_t size)
{
	size_t len = 0;

	snprintf(buf, size, "none");
	for (size_t i = 0; i < nr && len < size; i++) {
		if (!(value & names[i].value))
			continue;
		len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? " " : "", names[i].name);
		value &= ~names[i].value;
	}
	if (value && len < size)
		snprintf(buf + len, size - len, "%s0x%" PRIx64, len ? " " : "", value);
	return buf;
}

/* ---- text and fields ---------------------------------------------------------------------------- */

#define PRINT_TO(buf, at, fmt)                                                 \
	do {                                                                   \
		va_list ap_;                                                   \
		size_t at_ = (at);                                             \
                                                                               \
		va_start(ap_, fmt);                                            \
		vsnprintf((buf) + at_, sizeof(buf) - at_, fmt, ap_);           \
		va_end(ap_);                                                   \
	} while (0)

void exit_what(struct exit_record *rec, const char *fmt, ...)
{
	PRINT_TO(rec->what, 0, fmt);
}

void exit_what_more(struct exit_record *rec, const char *fmt, ...)
{
	PRINT_TO(rec->what, strlen(rec->what), fmt);
}

void exit_advise(struct exit_record *rec, const char *fmt, ...)
{
	PRINT_TO(rec->advice, 0, fmt);
}

void exit_what_pc(struct exit_record *rec, const struct exit_info *info)
{
	if (info->have_pc)
		exit_what_more(rec, " at pc 0x%" PRIx64, info->pc);
}

void exit_what_errno(struct exit_record *rec, const struct exit_info *info)
{
	const char *name = exit_errno_name(info->run_errno);

	if (info->run_errno && name)
		exit_what_more(rec, " (KVM_RUN: %s)", name);
	else if (info->run_errno)
		exit_what_more(rec, " (KVM_RUN: errno %d)", info->run_errno);
}

void exit_field(struct exit_record *rec, const char *name, const char *fmt, ...)
{
	struct exit_field *f;

	if (rec->nr_fields == EXIT_MAX_FIELDS)
		return;
	f = &rec->fields[rec->nr_fields++];
	memset(f, 0, sizeof(*f));
	snprintf(f->name, sizeof(f->name), "%s", name);
	PRINT_TO(f->value, 0, fmt);
}

void exit_field_means(struct exit_record *rec, const char *name, const char *fmt, ...)
{
	for (unsigned int i = 0; i < rec->nr_fields; i++) {
		if (strcmp(rec->fields[i].name, name))
			continue;
		PRINT_TO(rec->fields[i].meaning, 0, fmt);
		return;
	}
}

void exit_fields_drop(struct exit_record *rec)
{
	rec->nr_fields = 0;
}

static void add_member(struct exit_record *rec, const struct exit_info *info, const struct exit_member *m,
		       unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t v = payload_uint(info, m->offset + (size_t)i * m->size_bytes, m->size_bytes);
		char name[32];

		snprintf(name, sizeof(name), m->nr > 1 ? "%s[%u]" : "%s", m->name, i);
		exit_field(rec, name, m->decimal ? "%" PRIu64 : "0x%" PRIx64, v);
	}
}

/*
 * The number of payload words that ndata claims, as far as there can be any: a wrong count must not
 * make the decoder read elsewhere.
 */
static unsigned int clamp_ndata(uint32_t ndata)
{
	return MIN(ndata, (uint32_t)EXIT_MAX_NDATA);
}

static void add_members(struct exit_record *rec, const struct exit_info *info)
{
	size_t nr;
	const struct exit_member *m = exit_members(info->reason, &nr);

	for (; nr; nr--, m++) {
		unsigned int count = m->nr;

		if (info->reason == EXIT_REASON_INTERNAL_ERROR || info->reason == EXIT_REASON_SYSTEM_EVENT)
			count = m->nr > 1 ? clamp_ndata(exit_payload_u32(info, EXIT_INTERNAL_NDATA)) : 1;
		add_member(rec, info, m, count);
	}
}

/* ---- the reasons -------------------------------------------------------------------------------- */

#define DMESG "see the host's kernel log"

static void settle(struct exit_record *rec, enum exit_cause cause, enum exit_verdict verdict)
{
	rec->cause = cause;
	rec->verdict = verdict;
}

static void decode_unknown(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t hw = exit_payload_u64(info, 0);
	char buf[80];

	settle(rec, EXIT_CAUSE_UNEXPECTED_TRAP, EXIT_STOP);
	if (info->stale) {
		rec->cause = EXIT_CAUSE_UNKNOWN;
		exit_what(rec, "KVM gave up without a reason");
		exit_field_means(rec, "hardware_exit_reason", "left over from the exit before");
		exit_advise(rec, DMESG);
		return;
	}
	exit_what(rec, "KVM met an exit of the hardware that it has no name for, hardware_exit_reason 0x%" PRIx64,
		  hw);
	/* A negative errno that some layer below put where a reason belongs. */
	if (hw >= (uint64_t)-4095) {
		rec->cause = EXIT_CAUSE_NESTED;
		exit_what_more(rec, ", that is -%s", exit_errno_text((int)-(int64_t)hw, buf, sizeof(buf)));
		exit_field_means(rec, "hardware_exit_reason", "-%s", buf);
	}
	exit_advise(rec, DMESG "; the number is the CPU's own exit code");
}

static void decode_fail_entry(const struct exit_info *info, struct exit_record *rec)
{
	settle(rec, EXIT_CAUSE_ENTRY_REFUSED, EXIT_STOP);
	exit_what(rec, "the hardware refused to enter the guest: hardware_entry_failure_reason 0x%" PRIx64
		  ", host CPU %" PRIu32, exit_payload_u64(info, 0), exit_payload_u32(info, 8));
	exit_advise(rec, "the vCPU's register state is not one that this host can run; " DMESG);
}

static void decode_emulation(const struct exit_info *info, struct exit_record *rec)
{
	unsigned int ndata = clamp_ndata(exit_payload_u32(info, EXIT_INTERNAL_NDATA));
	unsigned int len = MIN(exit_payload_u8(info, 16), 15u);

	settle(rec, EXIT_CAUSE_EMULATION_FAILED, EXIT_STOP);
	exit_what(rec, "KVM could not emulate an instruction of the guest");
	/* emulation_failure.flags bit 0: KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES */
	if (ndata && exit_payload_u64(info, EXIT_INTERNAL_DATA) & 1) {
		exit_what_more(rec, ":");
		for (unsigned int i = 0; i < len; i++) {
			rec->insn[i] = exit_payload_u8(info, 17 + i);
			exit_what_more(rec, " %02x", rec->insn[i]);
		}
		rec->insn_len = (uint8_t)len;
	} else if (ndata) {
		rec->cause = EXIT_CAUSE_FETCH_FAILED;
		exit_what_more(rec, ", nor fetch its bytes");
	}
	exit_advise(rec, "the guest most likely ran into memory that holds no code, or used an instruction "
		    "on device memory that KVM does not emulate");
}

static void decode_internal_error(const struct exit_info *info, struct exit_record *rec)
{
	static const char *const names[] = {
		[EXIT_SUBERROR_EMULATION] = "KVM_INTERNAL_ERROR_EMULATION",
		[EXIT_SUBERROR_SIMUL_EX] = "KVM_INTERNAL_ERROR_SIMUL_EX",
		[EXIT_SUBERROR_DELIVERY_EV] = "KVM_INTERNAL_ERROR_DELIVERY_EV",
		[EXIT_SUBERROR_UNEXPECTED_EXIT_REASON] = "KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON",
	};
	uint32_t suberror = exit_payload_u32(info, EXIT_INTERNAL_SUBERROR);
	uint32_t ndata = exit_payload_u32(info, EXIT_INTERNAL_NDATA);

	settle(rec, EXIT_CAUSE_KVM_BUG, EXIT_STOP);
	if (suberror && suberror < ARRAY_SIZE(names))
		exit_field_means(rec, "suberror", "%s", names[suberror]);
	if (ndata > EXIT_MAX_NDATA)
		exit_field_means(rec, "ndata", "more than there can be: %d", EXIT_MAX_NDATA);
	switch (suberror) {
	case EXIT_SUBERROR_EMULATION:
		decode_emulation(info, rec);
		return;
	case EXIT_SUBERROR_SIMUL_EX:
		rec->cause = EXIT_CAUSE_EVENT_DELIVERY;
		exit_what(rec, "KVM met an exception while it delivered another, and gave up");
		break;
	case EXIT_SUBERROR_DELIVERY_EV:
		rec->cause = EXIT_CAUSE_EVENT_DELIVERY;
		exit_what(rec, "KVM could not deliver an event to the guest: its descriptor tables or stack are "
			  "not in ordinary memory");
		break;
	case EXIT_SUBERROR_UNEXPECTED_EXIT_REASON:
		rec->cause = EXIT_CAUSE_UNEXPECTED_TRAP;
		exit_what(rec, "the hardware left the guest for a reason that KVM did not expect");
		break;
	default:
		exit_what(rec, "KVM reports an internal error, suberror %" PRIu32, suberror);
		break;
	}
	for (unsigned int i = 0; i < clamp_ndata(ndata); i++)
		exit_what_more(rec, "%s0x%" PRIx64, i ? " " : "; data ",
			       exit_payload_u64(info, EXIT_INTERNAL_DATA + 8 * (size_t)i));
	exit_advise(rec, DMESG "; if the guest is sound, this is a bug of the host's KVM");
}

static void decode_system_event(const struct exit_info *info, struct exit_record *rec)
{
	/* KVM_SYSTEM_EVENT_* */
	static const struct {
		const char *name, *what;
		enum exit_cause cause;
		enum exit_verdict verdict;
	} types[] = {
		[1] = { "KVM_SYSTEM_EVENT_SHUTDOWN", "the guest powered off", EXIT_CAUSE_POWER, EXIT_STOP },
		[2] = { "KVM_SYSTEM_EVENT_RESET", "the guest asked for a reset", EXIT_CAUSE_POWER, EXIT_STOP },
		[3] = { "KVM_SYSTEM_EVENT_CRASH", "the guest reported a crash", EXIT_CAUSE_GUEST_CRASH,
			EXIT_STOP },
		[4] = { "KVM_SYSTEM_EVENT_WAKEUP", "a wake-up event is pending for the suspended guest",
			EXIT_CAUSE_POWER, EXIT_RESUMABLE },
		[5] = { "KVM_SYSTEM_EVENT_SUSPEND", "the guest asked to be suspended", EXIT_CAUSE_POWER,
			EXIT_STOP },
		[6] = { "KVM_SYSTEM_EVENT_SEV_TERM", "the confidential guest (SEV) asked to be terminated",
			EXIT_CAUSE_GUEST_CRASH, EXIT_STOP },
		[7] = { "KVM_SYSTEM_EVENT_TDX_FATAL", "the confidential guest (TDX) reported a fatal error",
			EXIT_CAUSE_GUEST_CRASH, EXIT_STOP },
	};
	uint32_t type = exit_payload_u32(info, 0);
	uint32_t ndata = exit_payload_u32(info, 4);

	if (type && type < ARRAY_SIZE(types)) {
		settle(rec, types[type].cause, types[type].verdict);
		exit_what(rec, "%s", types[type].what);
		exit_field_means(rec, "type", "%s", types[type].name);
	} else {
		settle(rec, EXIT_CAUSE_NEW_KERNEL, EXIT_STOP);
		exit_what(rec, "system event %" PRIu32 ", which this lkvm has no name for", type);
		exit_advise(rec, "the host's kernel is newer than this lkvm; see KVM_EXIT_SYSTEM_EVENT in its "
			    "Documentation/virt/kvm/api.rst");
	}
	for (unsigned int i = 0; i < clamp_ndata(ndata); i++)
		exit_what_more(rec, "%s0x%" PRIx64, i ? " " : "; data ",
			       exit_payload_u64(info, EXIT_INTERNAL_DATA + 8 * (size_t)i));
	if (type == 6 && ndata)
		exit_field_means(rec, "data[0]", "GHCB MSR: the guest's reason code");
}

static void decode_memory_fault(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t flags = exit_payload_u64(info, 0);
	bool is_private = flags & (1 << 3); /* KVM_MEMORY_EXIT_FLAG_PRIVATE */

	settle(rec, EXIT_CAUSE_GUEST_MEMORY, EXIT_STOP);
	exit_what(rec, "KVM could not reach guest memory at 0x%" PRIx64 ", 0x%" PRIx64 " bytes%s",
		  exit_payload_u64(info, 8), exit_payload_u64(info, 16),
		  is_private ? ", accessed as private memory" : "");
	exit_field_means(rec, "flags", "%s", is_private ? "KVM_MEMORY_EXIT_FLAG_PRIVATE" : "shared memory");
	exit_field_means(rec, "gpa", "guest-physical address");
	if (info->run_errno == EHWPOISON) {
		rec->cause = EXIT_CAUSE_BAD_MEMORY;
		exit_advise(rec, "the host's RAM behind it has an uncorrectable error (EHWPOISON)");
	} else {
		exit_advise(rec, "the host could not provide the page: out of memory or of huge pages, or the "
			    "memory's file was truncated");
	}
}

static void decode_access(const struct exit_info *info, struct exit_record *rec)
{
	bool is_write = exit_payload_u8(info, 20);
	unsigned int len = MIN(exit_payload_u32(info, 16), 8u);
	char data[3 * 8 + 1] = "";

	settle(rec, EXIT_CAUSE_REQUEST, EXIT_RESUMABLE);
	for (unsigned int i = 0; is_write && i < len; i++)
		snprintf(data + strlen(data), sizeof(data) - strlen(data), " %02x", exit_payload_u8(info, 8 + i));
	exit_what(rec, "%s of %u bytes at 0x%" PRIx64 "%s%s", is_write ? "write" : "read", len,
		  exit_payload_u64(info, 0), is_write ? ":" : "", data);
	if (is_write && len)
		exit_field(rec, "data", "%s", data + 1);
	exit_field_means(rec, "is_write", "%s", is_write ? "write" : "read");
}

static void decode_io(const struct exit_info *info, struct exit_record *rec)
{
	bool out = exit_payload_u8(info, 0); /* KVM_EXIT_IO_OUT */

	settle(rec, EXIT_CAUSE_REQUEST, EXIT_RESUMABLE);
	exit_what(rec, "%s of %u x %u bytes at port 0x%x", out ? "write" : "read", exit_payload_u32(info, 4),
		  exit_payload_u8(info, 1), exit_payload_u16(info, 2));
	exit_field_means(rec, "direction", "%s", out ? "KVM_EXIT_IO_OUT" : "KVM_EXIT_IO_IN");
}

static void decode_sea(const struct exit_info *info, struct exit_record *rec)
{
	settle(rec, EXIT_CAUSE_BAD_MEMORY, EXIT_STOP);
	exit_what(rec, "the guest met bad memory (synchronous external abort), ESR 0x%" PRIx64
		  ", guest virtual address 0x%" PRIx64, exit_payload_u64(info, 8), exit_payload_u64(info, 16));
	if (exit_payload_u64(info, 0) & 1) { /* KVM_EXIT_ARM_SEA_FLAG_GPA_VALID */
		exit_what_more(rec, ", guest physical 0x%" PRIx64, exit_payload_u64(info, 24));
		exit_field_means(rec, "flags", "KVM_EXIT_ARM_SEA_FLAG_GPA_VALID");
	} else {
		exit_field_means(rec, "gpa", "not valid");
	}
	exit_advise(rec, "the host's RAM or a device behind that address failed; " DMESG);
}

static void decode_msr(const struct exit_info *info, struct exit_record *rec)
{
	static const struct exit_name bits[] = {
		{ 1, "KVM_MSR_EXIT_REASON_INVAL", NULL },
		{ 2, "KVM_MSR_EXIT_REASON_UNKNOWN", NULL },
		{ 4, "KVM_MSR_EXIT_REASON_FILTER", NULL },
	};
	char buf[96];

	settle(rec, EXIT_CAUSE_NOT_OFFERED, EXIT_STOP);
	if (info->reason == EXIT_REASON_X86_RDMSR)
		exit_what(rec, "the guest reads model-specific register 0x%" PRIx32, exit_payload_u32(info, 12));
	else
		exit_what(rec, "the guest writes 0x%" PRIx64 " to model-specific register 0x%" PRIx32,
			  exit_payload_u64(info, 16), exit_payload_u32(info, 12));
	exit_field_means(rec, "reason", "%s", exit_bits_text(bits, ARRAY_SIZE(bits), exit_payload_u32(info, 8),
							      buf, sizeof(buf)));
}

/* The inner unions of requests that lkvm does not offer, for those who read the report. */
struct inner {
	uint64_t    type;
	const char *what;
	struct exit_member members[6]; /* .name == NULL ends them */
};

static void decode_inner(const struct exit_info *info, struct exit_record *rec, const struct inner *table,
			 size_t nr, uint64_t type, const char *whose, const char *field)
{
	settle(rec, EXIT_CAUSE_NOT_OFFERED, EXIT_STOP);
	exit_advise(rec, "lkvm does not offer it and did not ask KVM for such exits: this is a bug of KVM, or of lkvm");
	exit_what(rec, "%s request of type 0x%" PRIx64, whose, type);
	for (size_t i = 0; i < nr; i++) {
		if (table[i].type != type)
			continue;
		exit_what_more(rec, ": %s", table[i].what);
		exit_field_means(rec, field, "%s", table[i].what);
		for (size_t m = 0; m < ARRAY_SIZE(table[i].members) && table[i].members[m].name; m++)
			add_member(rec, info, &table[i].members[m], table[i].members[m].nr);
	}
}

#define INNER(name, offset, size, nr) { name, 0, offset, size, nr, false }

static void decode_hyperv(const struct exit_info *info, struct exit_record *rec)
{
	static const struct inner table[] = { /* struct kvm_hyperv_exit */
		{ 1, "KVM_EXIT_HYPERV_SYNIC", { INNER("msr", 8, 4, 1), INNER("control", 16, 8, 1),
						INNER("evt_page", 24, 8, 1), INNER("msg_page", 32, 8, 1) } },
		{ 2, "KVM_EXIT_HYPERV_HCALL", { INNER("input", 8, 8, 1), INNER("result", 16, 8, 1),
						INNER("params", 24, 8, 2) } },
		{ 3, "KVM_EXIT_HYPERV_SYNDBG", { INNER("msr", 8, 4, 1), INNER("control", 16, 8, 1),
						 INNER("status", 24, 8, 1), INNER("send_page", 32, 8, 1),
						 INNER("recv_page", 40, 8, 1), INNER("pending_page", 48, 8, 1) } },
	};

	decode_inner(info, rec, table, ARRAY_SIZE(table), exit_payload_u32(info, 0), "Hyper-V", "type");
}

static void decode_xen(const struct exit_info *info, struct exit_record *rec)
{
	static const struct inner table[] = { /* struct kvm_xen_exit */
		{ 1, "KVM_EXIT_XEN_HCALL", { INNER("longmode", 8, 4, 1), INNER("cpl", 12, 4, 1),
					     INNER("input", 16, 8, 1), INNER("result", 24, 8, 1),
					     INNER("params", 32, 8, 6) } },
	};

	decode_inner(info, rec, table, ARRAY_SIZE(table), exit_payload_u32(info, 0), "Xen", "type");
}

static void decode_tdx(const struct exit_info *info, struct exit_record *rec)
{
	/* TDVMCALL_* of arch/x86/include/asm/shared/tdx.h; the members are those of the table above. */
	static const struct inner table[] = {
		{ 0x10000, "TDVMCALL_GET_TD_VM_CALL_INFO", { INNER(NULL, 0, 0, 0) } },
		{ 0x10002, "TDVMCALL_GET_QUOTE", { INNER(NULL, 0, 0, 0) } },
		{ 0x10004, "TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT", { INNER(NULL, 0, 0, 0) } },
	};

	decode_inner(info, rec, table, ARRAY_SIZE(table), exit_payload_u64(info, 8), "TDX", "nr");
}

/* The rest: what it is, and whether re-entering is right when nobody served it. */
static void decode_plain(const struct exit_info *info, struct exit_record *rec)
{
	settle(rec, EXIT_CAUSE_NOT_OFFERED, EXIT_STOP);
	switch (info->reason) {
	case EXIT_REASON_EXCEPTION:
		rec->cause = EXIT_CAUSE_UNEXPECTED_TRAP;
		exit_what(rec, "exception %" PRIu32 ", error code 0x%" PRIx32, exit_payload_u32(info, 0),
			  exit_payload_u32(info, 4));
		exit_advise(rec, "no current KVM uses this exit; " DMESG);
		break;
	case EXIT_REASON_HYPERCALL:
		exit_what(rec, "hypercall 0x%" PRIx64 " that lkvm does not offer", exit_payload_u64(info, 0));
		break;
	case EXIT_REASON_DEBUG:
		rec->cause = EXIT_CAUSE_DEBUG;
		exit_what(rec, "a breakpoint, watchpoint or single step was hit");
		break;
	case EXIT_REASON_HLT:
		rec->cause = EXIT_CAUSE_HALTED;
		exit_what(rec, "the guest halted, and without an interrupt controller in KVM nothing wakes it");
		break;
	case EXIT_REASON_IRQ_WINDOW_OPEN:
		settle(rec, EXIT_CAUSE_SIGNAL, EXIT_RESUMABLE);
		exit_what(rec, "the guest can take interrupts again");
		break;
	case EXIT_REASON_SHUTDOWN:
		rec->cause = EXIT_CAUSE_TRIPLE_FAULT;
		exit_what(rec, "the vCPU shut down: an exception while it handled a double fault (triple fault)");
		exit_advise(rec, "the guest's exception handling is broken: look at the instruction pointer, the "
			    "page tables and the descriptor tables");
		break;
	case EXIT_REASON_INTR:
		settle(rec, EXIT_CAUSE_SIGNAL, EXIT_RESUMABLE);
		exit_what(rec, "a signal interrupted the vCPU");
		break;
	case EXIT_REASON_SET_TPR:
	case EXIT_REASON_TPR_ACCESS:
		settle(rec, EXIT_CAUSE_REQUEST, EXIT_RESUMABLE);
		exit_what(rec, "the guest accessed the task priority register");
		break;
	case EXIT_REASON_S390_SIEIC:
		exit_what(rec, "unserved s390 intercept 0x%02x, ipa 0x%04x, ipb 0x%08" PRIx32,
			  exit_payload_u8(info, 0), exit_payload_u16(info, 2), exit_payload_u32(info, 4));
		break;
	case EXIT_REASON_DCR:
		exit_what(rec, "%s of device control register 0x%" PRIx32 ", which no current KVM has",
			  exit_payload_u8(info, 8) ? "write" : "read", exit_payload_u32(info, 0));
		break;
	case EXIT_REASON_NMI:
		rec->cause = EXIT_CAUSE_MACHINE_CHECK;
		exit_what(rec, "a non-maskable interrupt or machine check reached the host, flags 0x%x",
			  info->flags);
		exit_advise(rec, "the host's hardware reports an error; " DMESG);
		break;
	case EXIT_REASON_OSI:
		exit_what(rec, "Mac-on-Linux OSI call, r5 0x%" PRIx64, exit_payload_u64(info, 8 * 5));
		break;
	case EXIT_REASON_PAPR_HCALL:
		settle(rec, EXIT_CAUSE_REQUEST, EXIT_RESUMABLE);
		exit_what(rec, "PAPR hypercall 0x%" PRIx64, exit_payload_u64(info, 0));
		break;
	case EXIT_REASON_WATCHDOG:
		rec->cause = EXIT_CAUSE_WATCHDOG;
		exit_what(rec, "the guest's watchdog expired for the last time");
		exit_advise(rec, "the guest stopped serving its watchdog: it hung, or was starved of CPU time");
		break;
	case EXIT_REASON_EPR:
		settle(rec, EXIT_CAUSE_REQUEST, EXIT_RESUMABLE);
		exit_what(rec, "the guest reads its external proxy register");
		break;
	case EXIT_REASON_IOAPIC_EOI:
		settle(rec, EXIT_CAUSE_REQUEST, EXIT_RESUMABLE);
		exit_what(rec, "end of interrupt, vector %u", exit_payload_u8(info, 0));
		break;
	case EXIT_REASON_ARM_NISV:
	case EXIT_REASON_ARM_LDST64B:
		rec->cause = EXIT_CAUSE_DEVICE_ACCESS;
		exit_what(rec, "%s at guest physical 0x%" PRIx64 ", ESR ISS 0x%" PRIx64,
			  info->reason == EXIT_REASON_ARM_NISV ?
			  "device access by an instruction that the CPU does not describe" :
			  "64-byte device access", exit_payload_u64(info, 8), exit_payload_u64(info, 0));
		exit_advise(rec, "guests must access devices with plain single-register loads and stores");
		break;
	case EXIT_REASON_DIRTY_RING_FULL:
		exit_what(rec, "the dirty ring is full");
		break;
	case EXIT_REASON_AP_RESET_HOLD:
		settle(rec, EXIT_CAUSE_SIGNAL, EXIT_RESUMABLE);
		exit_what(rec, "the vCPU waits to be started");
		break;
	case EXIT_REASON_X86_BUS_LOCK:
		settle(rec, EXIT_CAUSE_REQUEST, EXIT_RESUMABLE);
		exit_what(rec, "the guest used a bus lock");
		exit_advise(rec, "an atomic access that crosses a cache line, or is to uncached memory, slows the whole "
			    "host down");
		break;
	case EXIT_REASON_RISCV_SBI:
		settle(rec, EXIT_CAUSE_REQUEST, EXIT_RESUMABLE);
		exit_what(rec, "SBI call, extension 0x%" PRIx64 ", function %" PRIu64,
			  exit_payload_u64(info, 0), exit_payload_u64(info, 8));
		break;
	case EXIT_REASON_RISCV_CSR:
		settle(rec, EXIT_CAUSE_REQUEST, EXIT_RESUMABLE);
		exit_what(rec, "access to CSR 0x%03" PRIx64, exit_payload_u64(info, 0));
		break;
	case EXIT_REASON_NOTIFY:
		/* KVM_NOTIFY_CONTEXT_INVALID */
		settle(rec, EXIT_CAUSE_NO_EVENT_WINDOW,
		       exit_payload_u32(info, 0) & 1 ? EXIT_STOP : EXIT_RESUMABLE);
		exit_what(rec, "the guest kept the CPU from taking events for too long%s",
			  rec->verdict == EXIT_STOP ? ", and its state is corrupted" : "");
		if (rec->verdict == EXIT_STOP)
			exit_field_means(rec, "flags", "KVM_NOTIFY_CONTEXT_INVALID");
		break;
	case EXIT_REASON_SNP_REQ_CERTS:
		exit_what(rec, "a request of a confidential guest, which lkvm does not offer");
		break;
	default:
		exit_what(rec, "an exit that only s390 has");
		break;
	}
}

static void decode_reason(const struct exit_info *info, struct exit_record *rec)
{
	switch (info->reason) {
	case EXIT_REASON_UNKNOWN:
		decode_unknown(info, rec);
		break;
	case EXIT_REASON_FAIL_ENTRY:
		decode_fail_entry(info, rec);
		break;
	case EXIT_REASON_INTERNAL_ERROR:
		decode_internal_error(info, rec);
		break;
	case EXIT_REASON_SYSTEM_EVENT:
		decode_system_event(info, rec);
		break;
	case EXIT_REASON_MEMORY_FAULT:
		decode_memory_fault(info, rec);
		break;
	case EXIT_REASON_IO:
		decode_io(info, rec);
		break;
	case EXIT_REASON_MMIO:
	case EXIT_REASON_LOONGARCH_IOCSR:
		decode_access(info, rec);
		break;
	case EXIT_REASON_ARM_SEA:
		decode_sea(info, rec);
		break;
	case EXIT_REASON_X86_RDMSR:
	case EXIT_REASON_X86_WRMSR:
		decode_msr(info, rec);
		break;
	case EXIT_REASON_HYPERV:
		decode_hyperv(info, rec);
		break;
	case EXIT_REASON_XEN:
		decode_xen(info, rec);
		break;
	case EXIT_REASON_TDX:
		decode_tdx(info, rec);
		break;
	default:
		decode_plain(info, rec);
		break;
	}
}

/* KVM_RUN failed and the kernel did not say why. */
static void decode_errno(const struct exit_info *info, struct exit_record *rec)
{
	char buf[80];

	settle(rec, EXIT_CAUSE_UNKNOWN, EXIT_STOP);
	if (!info->run_errno) {
		rec->cause = EXIT_CAUSE_KVM_BUG;
		exit_what(rec, "KVM_RUN came back without giving a reason");
		exit_advise(rec, "this is a bug of the host's KVM");
		return;
	}
	exit_what(rec, "KVM_RUN failed: %s", exit_errno_text(info->run_errno, buf, sizeof(buf)));
	switch (info->run_errno) {
	case EINTR:
		settle(rec, EXIT_CAUSE_SIGNAL, EXIT_RESUMABLE);
		exit_advise(rec, "a signal interrupted the vCPU, which is re-entered");
		break;
	case EAGAIN:
		settle(rec, EXIT_CAUSE_SIGNAL, EXIT_RESUMABLE);
		exit_advise(rec, "the vCPU waits to be started, or a change was under way; it is re-entered");
		break;
	case EFAULT:
		rec->cause = EXIT_CAUSE_GUEST_MEMORY;
		exit_advise(rec, "the host could not provide a page of guest memory, or KVM could not serve what "
			    "the guest did; " DMESG);
		break;
	case ENOMEM:
		rec->cause = EXIT_CAUSE_OUT_OF_MEMORY;
		exit_advise(rec, "the host has no memory left for KVM's page tables: free some, or use a smaller "
			    "--mem");
		break;
	case EPERM:
	case ENOEXEC:
	case EINVAL:
		rec->cause = EXIT_CAUSE_SETUP;
		exit_advise(rec, "KVM rejects the vCPU's set-up; " DMESG ", and lkvm doctor for "
			    "what this host offers");
		break;
	case EHWPOISON:
		rec->cause = EXIT_CAUSE_BAD_MEMORY;
		exit_advise(rec, "the host's RAM behind a page of the guest has an uncorrectable error");
		break;
	case EIO:
		rec->cause = EXIT_CAUSE_KVM_BUG;
		exit_advise(rec, "the VM can't be used any more (KVM_BUG_ON); " DMESG);
		break;
	case EBADF:
	case ENOTTY:
		rec->cause = EXIT_CAUSE_KVM_BUG;
		exit_advise(rec, "the vCPU's file descriptor is no longer one: a bug of lkvm");
		break;
	default:
		exit_advise(rec, DMESG);
		break;
	}
}

void exit_decode_generic(const struct exit_info *info, struct exit_record *rec)
{
	const char *name = exit_reason_name(info->reason);

	memset(rec, 0, sizeof(*rec));
	rec->name = name ? name : "";
	rec->reason = info->reason;
	rec->run_errno = info->run_errno;

	/* UNKNOWN is what KVM begins with: beside an errno it says nothing, and nor does its payload. */
	if (info->reason == EXIT_REASON_NOT_WRITTEN || (info->reason == EXIT_REASON_UNKNOWN && info->run_errno)) {
		decode_errno(info, rec);
		return;
	}
	add_members(rec, info);
	if (name) {
		decode_reason(info, rec);
	} else {
		rec->name = "KVM_EXIT_?";
		settle(rec, EXIT_CAUSE_NEW_KERNEL, EXIT_STOP);
		exit_what(rec, "exit reason %" PRIu32 ", which this lkvm has no name for (the last it knows is %d)",
			  info->reason, EXIT_NR_REASONS - 1);
		exit_advise(rec, "the host's kernel is newer than this lkvm: see the KVM_EXIT_ list in its "
			    "include/uapi/linux/kvm.h");
		/* What the payload means is not known, but those who know can read it. */
		for (unsigned int i = 0; i < 4; i++) {
			char word[16];

			snprintf(word, sizeof(word), "payload[%u]", i);
			exit_field(rec, word, "0x%" PRIx64, exit_payload_u64(info, 8 * (size_t)i));
		}
	}
	/* Both may carry news: KVM_RUN's errno besides a reason that the kernel wrote. */
	if (info->run_errno) {
		rec->verdict = EXIT_STOP;
		exit_what_errno(rec, info);
	}
}
