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

/* Those that a KVM ioctl, or the kernel below it, is known to return. */
static const struct {
	int         err;
	const char *name;
} errno_names[] = {
	{ EPERM, "EPERM" },         { ENOENT, "ENOENT" },       { EINTR, "EINTR" },
	{ EIO, "EIO" },             { ENXIO, "ENXIO" },         { E2BIG, "E2BIG" },
	{ ENOEXEC, "ENOEXEC" },     { EBADF, "EBADF" },         { EAGAIN, "EAGAIN" },
	{ ENOMEM, "ENOMEM" },       { EACCES, "EACCES" },       { EFAULT, "EFAULT" },
	{ EBUSY, "EBUSY" },         { EEXIST, "EEXIST" },       { ENODEV, "ENODEV" },
	{ EINVAL, "EINVAL" },       { ENOTTY, "ENOTTY" },       { ENOSPC, "ENOSPC" },
	{ ERANGE, "ERANGE" },       { EDEADLK, "EDEADLK" },     { ENOSYS, "ENOSYS" },
	{ EOVERFLOW, "EOVERFLOW" }, { EOPNOTSUPP, "EOPNOTSUPP" }, { EHWPOISON, "EHWPOISON" },
	{ ESRCH, "ESRCH" },         { EMFILE, "EMFILE" },       { ENFILE, "ENFILE" },
	{ ETIMEDOUT, "ETIMEDOUT" }, { ECANCELED, "ECANCELED" }, { ENODATA, "ENODATA" },
};

const char *exit_errno_name(int err)
{
	for (size_t i = 0; i < ARRAY_SIZE(errno_names); i++)
		if (errno_names[i].err == err)
			return errno_names[i].name;
	return NULL;
}

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

/* ---- text --------------------------------------------------------------------------------------- */

LKVM_PRINTF(2, 3)
static void what(struct exit_record *rec, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rec->what, sizeof(rec->what), fmt, ap);
	va_end(ap);
}

LKVM_PRINTF(2, 3)
static void advise(struct exit_record *rec, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rec->advice, sizeof(rec->advice), fmt, ap);
	va_end(ap);
}

/* Appends to rec->what. */
LKVM_PRINTF(2, 3)
static void what_more(struct exit_record *rec, const char *fmt, ...)
{
	size_t len = strlen(rec->what);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rec->what + len, sizeof(rec->what) - len, fmt, ap);
	va_end(ap);
}

/* "EFAULT (Bad address)" or "errno 999". */
static const char *errno_text(int err, char *buf, size_t size)
{
	const char *name = exit_errno_name(err);

	if (name)
		snprintf(buf, size, "%s (%s)", name, strerror(err));
	else
		snprintf(buf, size, "errno %d", err);
	return buf;
}

/*
 * The number of payload words that ndata claims, as far as there can be any: a wrong count must not
 * make the decoder read elsewhere.
 */
static unsigned int clamp_ndata(uint32_t ndata)
{
	return MIN(ndata, 16u);
}

static void words(struct exit_record *rec, const struct exit_info *info, size_t offset,
		  unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		what_more(rec, "%s0x%" PRIx64, i ? " " : "", exit_payload_u64(info, offset + 8 * i));
}

/* ---- the reasons -------------------------------------------------------------------------------- */

static void decode_unknown(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t hw = exit_payload_u64(info, 0);
	char buf[80];

	rec->verdict = EXIT_STOP;
	what(rec, "KVM met an exit of the hardware that it has no name for, hardware_exit_reason 0x%" PRIx64,
	     hw);
	/* A negative errno that some layer below put where a reason belongs. */
	if (hw >= (uint64_t)-4095)
		what_more(rec, ", that is -%s", errno_text((int)-(int64_t)hw, buf, sizeof(buf)));
	advise(rec, "look at the host's kernel log; the number is the CPU's own exit code");
}

static void decode_fail_entry(const struct exit_info *info, struct exit_record *rec)
{
	rec->verdict = EXIT_STOP;
	what(rec, "the hardware refused to enter the guest: hardware_entry_failure_reason 0x%" PRIx64
	     ", host CPU %" PRIu32, exit_payload_u64(info, 0), exit_payload_u32(info, 8));
	advise(rec, "the vCPU's register state is not one that this host can run; see the host's kernel log");
}

static void decode_emulation(const struct exit_info *info, struct exit_record *rec)
{
	unsigned int ndata = clamp_ndata(exit_payload_u32(info, 4));
	unsigned int len = MIN(exit_payload_u8(info, 16), 15u);

	what(rec, "KVM could not emulate an instruction of the guest");
	/* emulation_failure.flags bit 0: KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES */
	if (ndata && exit_payload_u64(info, 8) & 1) {
		what_more(rec, ":");
		for (unsigned int i = 0; i < len; i++)
			what_more(rec, " %02x", exit_payload_u8(info, 17 + i));
	} else if (ndata) {
		what_more(rec, ", nor fetch its bytes");
	}
	advise(rec, "the guest most likely ran into memory that holds no code, or used an instruction "
		    "on device memory that KVM does not emulate");
}

static void decode_internal_error(const struct exit_info *info, struct exit_record *rec)
{
	uint32_t suberror = exit_payload_u32(info, 0);
	uint32_t ndata = exit_payload_u32(info, 4);

	rec->verdict = EXIT_STOP;
	switch (suberror) {
	case 1: /* KVM_INTERNAL_ERROR_EMULATION */
		decode_emulation(info, rec);
		return;
	case 2: /* KVM_INTERNAL_ERROR_SIMUL_EX */
		what(rec, "KVM met an exception while it delivered another, and gave up");
		break;
	case 3: /* KVM_INTERNAL_ERROR_DELIVERY_EV */
		what(rec, "KVM could not deliver an event to the guest: its descriptor tables or stack are "
			  "not in ordinary memory");
		break;
	case 4: /* KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON */
		what(rec, "the hardware left the guest for a reason that KVM did not expect");
		break;
	default:
		what(rec, "KVM reports an internal error, suberror %" PRIu32, suberror);
		break;
	}
	if (ndata) {
		what_more(rec, "; data ");
		words(rec, info, 8, clamp_ndata(ndata));
	}
	advise(rec, "see the host's kernel log; if the guest is sound, this is a bug of the host's KVM");
}

static void decode_system_event(const struct exit_info *info, struct exit_record *rec)
{
	/* KVM_SYSTEM_EVENT_* */
	static const char *const names[] = {
		[1] = "the guest powered off",
		[2] = "the guest asked for a reset",
		[3] = "the guest reported a crash",
		[4] = "a wake-up event is pending for the suspended guest",
		[5] = "the guest asked to be suspended",
		[6] = "the confidential guest (SEV) asked to be terminated",
		[7] = "the confidential guest (TDX) reported a fatal error",
	};
	uint32_t type = exit_payload_u32(info, 0);
	uint32_t ndata = exit_payload_u32(info, 4);

	rec->verdict = type == 4 ? EXIT_RESUMABLE : EXIT_STOP;
	if (type && type < ARRAY_SIZE(names))
		what(rec, "%s", names[type]);
	else
		what(rec, "system event %" PRIu32 ", which this lkvm has no name for", type);
	if (ndata) {
		what_more(rec, "; data ");
		words(rec, info, 8, clamp_ndata(ndata));
	}
	if (!type || type >= ARRAY_SIZE(names))
		advise(rec, "the host's kernel is newer than this lkvm; see KVM_EXIT_SYSTEM_EVENT in its "
			    "Documentation/virt/kvm/api.rst");
}

static void decode_memory_fault(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t flags = exit_payload_u64(info, 0);

	rec->verdict = EXIT_STOP;
	what(rec, "KVM could not reach guest memory at 0x%" PRIx64 ", 0x%" PRIx64 " bytes%s",
	     exit_payload_u64(info, 8), exit_payload_u64(info, 16),
	     flags & (1 << 3) ? ", accessed as private memory" : ""); /* KVM_MEMORY_EXIT_FLAG_PRIVATE */
	if (info->run_errno == EHWPOISON)
		advise(rec, "the host's RAM behind it has an uncorrectable error (EHWPOISON)");
	else
		advise(rec, "the host could not provide the page: out of memory or of huge pages, or the "
			    "memory's file was truncated");
}

static void decode_access(const struct exit_info *info, struct exit_record *rec)
{
	bool is_write = exit_payload_u8(info, 20);
	unsigned int len = MIN(exit_payload_u32(info, 16), 8u);

	rec->verdict = EXIT_RESUMABLE;
	what(rec, "%s of %u bytes at 0x%" PRIx64 "%s", is_write ? "write" : "read", len,
	     exit_payload_u64(info, 0), is_write ? ":" : "");
	for (unsigned int i = 0; is_write && i < len; i++)
		what_more(rec, " %02x", exit_payload_u8(info, 8 + i));
}

static void decode_sea(const struct exit_info *info, struct exit_record *rec)
{
	rec->verdict = EXIT_STOP;
	what(rec, "the guest met bad memory (synchronous external abort), ESR 0x%" PRIx64
	     ", guest virtual address 0x%" PRIx64, exit_payload_u64(info, 8), exit_payload_u64(info, 16));
	if (exit_payload_u64(info, 0) & 1) /* KVM_EXIT_ARM_SEA_FLAG_GPA_VALID */
		what_more(rec, ", guest physical 0x%" PRIx64, exit_payload_u64(info, 24));
	advise(rec, "the host's RAM or a device behind that address failed; see the host's kernel log");
}

/* The rest: what it is, and whether re-entering is right when nobody served it. */
static void decode_plain(const struct exit_info *info, struct exit_record *rec)
{
	rec->verdict = EXIT_RESUMABLE;
	switch (info->reason) {
	case EXIT_REASON_EXCEPTION:
		rec->verdict = EXIT_STOP;
		what(rec, "exception %" PRIu32 ", error code 0x%" PRIx32, exit_payload_u32(info, 0),
		     exit_payload_u32(info, 4));
		break;
	case EXIT_REASON_IO:
		what(rec, "%s of %u x %u bytes at port 0x%x",
		     exit_payload_u8(info, 0) ? "write" : "read", exit_payload_u32(info, 4),
		     exit_payload_u8(info, 1), exit_payload_u16(info, 2));
		break;
	case EXIT_REASON_HYPERCALL:
		rec->verdict = EXIT_STOP;
		what(rec, "hypercall 0x%" PRIx64 " that lkvm does not offer", exit_payload_u64(info, 0));
		break;
	case EXIT_REASON_DEBUG:
		rec->verdict = EXIT_STOP;
		what(rec, "a breakpoint, watchpoint or single step was hit");
		break;
	case EXIT_REASON_HLT:
		rec->verdict = EXIT_STOP;
		what(rec, "the guest halted, and without an interrupt controller in KVM nothing wakes it");
		break;
	case EXIT_REASON_IRQ_WINDOW_OPEN:
		what(rec, "the guest can take interrupts again");
		break;
	case EXIT_REASON_SHUTDOWN:
		rec->verdict = EXIT_STOP;
		what(rec, "the vCPU shut down: an exception while it handled a double fault (triple fault)");
		advise(rec, "the guest's exception handling is broken: look at the instruction pointer, the "
			    "page tables and the descriptor tables");
		break;
	case EXIT_REASON_INTR:
		what(rec, "a signal interrupted the vCPU");
		break;
	case EXIT_REASON_SET_TPR:
	case EXIT_REASON_TPR_ACCESS:
		what(rec, "the guest accessed the task priority register");
		break;
	case EXIT_REASON_S390_SIEIC:
		rec->verdict = EXIT_STOP;
		what(rec, "unserved s390 intercept 0x%02x, ipa 0x%04x, ipb 0x%08" PRIx32,
		     exit_payload_u8(info, 0), exit_payload_u16(info, 2), exit_payload_u32(info, 4));
		break;
	case EXIT_REASON_DCR:
		rec->verdict = EXIT_STOP;
		what(rec, "%s of device control register 0x%" PRIx32 ", which no current KVM has",
		     exit_payload_u8(info, 8) ? "write" : "read", exit_payload_u32(info, 0));
		break;
	case EXIT_REASON_NMI:
		rec->verdict = EXIT_STOP;
		what(rec, "a non-maskable interrupt or machine check reached the host, flags 0x%x",
		     info->flags);
		break;
	case EXIT_REASON_OSI:
		rec->verdict = EXIT_STOP;
		what(rec, "Mac-on-Linux OSI call, r5 0x%" PRIx64, exit_payload_u64(info, 8 * 5));
		break;
	case EXIT_REASON_PAPR_HCALL:
		what(rec, "PAPR hypercall 0x%" PRIx64, exit_payload_u64(info, 0));
		break;
	case EXIT_REASON_WATCHDOG:
		rec->verdict = EXIT_STOP;
		what(rec, "the guest's watchdog expired for the last time");
		advise(rec, "the guest stopped serving its watchdog: it hung, or was starved of CPU time");
		break;
	case EXIT_REASON_EPR:
		what(rec, "the guest reads its external proxy register");
		break;
	case EXIT_REASON_IOAPIC_EOI:
		what(rec, "end of interrupt, vector %u", exit_payload_u8(info, 0));
		break;
	case EXIT_REASON_HYPERV:
		rec->verdict = EXIT_STOP;
		what(rec, "Hyper-V request of type %" PRIu32, exit_payload_u32(info, 0));
		break;
	case EXIT_REASON_XEN:
		rec->verdict = EXIT_STOP;
		what(rec, "Xen request of type %" PRIu32, exit_payload_u32(info, 0));
		break;
	case EXIT_REASON_ARM_NISV:
	case EXIT_REASON_ARM_LDST64B:
		rec->verdict = EXIT_STOP;
		what(rec, "%s at guest physical 0x%" PRIx64 ", ESR ISS 0x%" PRIx64,
		     info->reason == EXIT_REASON_ARM_NISV ?
		     "device access by an instruction that the CPU does not describe" :
		     "64-byte device access", exit_payload_u64(info, 8), exit_payload_u64(info, 0));
		advise(rec, "guests must access devices with plain single-register loads and stores");
		break;
	case EXIT_REASON_X86_RDMSR:
		rec->verdict = EXIT_STOP;
		what(rec, "the guest reads model-specific register 0x%" PRIx32, exit_payload_u32(info, 12));
		break;
	case EXIT_REASON_X86_WRMSR:
		rec->verdict = EXIT_STOP;
		what(rec, "the guest writes 0x%" PRIx64 " to model-specific register 0x%" PRIx32,
		     exit_payload_u64(info, 16), exit_payload_u32(info, 12));
		break;
	case EXIT_REASON_DIRTY_RING_FULL:
		rec->verdict = EXIT_STOP;
		what(rec, "the dirty ring is full");
		break;
	case EXIT_REASON_AP_RESET_HOLD:
		what(rec, "the vCPU waits to be started");
		break;
	case EXIT_REASON_X86_BUS_LOCK:
		what(rec, "the guest used a bus lock");
		break;
	case EXIT_REASON_RISCV_SBI:
		what(rec, "SBI call, extension 0x%" PRIx64 ", function %" PRIu64,
		     exit_payload_u64(info, 0), exit_payload_u64(info, 8));
		break;
	case EXIT_REASON_RISCV_CSR:
		what(rec, "access to CSR 0x%03" PRIx64, exit_payload_u64(info, 0));
		break;
	case EXIT_REASON_NOTIFY:
		/* KVM_NOTIFY_CONTEXT_INVALID */
		if (exit_payload_u32(info, 0) & 1)
			rec->verdict = EXIT_STOP;
		what(rec, "the guest kept the CPU from taking events for too long%s",
		     rec->verdict == EXIT_STOP ? ", and its state is corrupted" : "");
		break;
	case EXIT_REASON_TDX:
	case EXIT_REASON_SNP_REQ_CERTS:
		rec->verdict = EXIT_STOP;
		what(rec, "a request of a confidential guest, which lkvm does not offer");
		break;
	default: /* s390's own */
		rec->verdict = EXIT_STOP;
		what(rec, "an exit that only s390 has");
		break;
	}
}

/* KVM_RUN failed and the kernel did not say why. */
static void decode_errno(const struct exit_info *info, struct exit_record *rec)
{
	char buf[80];

	rec->verdict = EXIT_STOP;
	if (!info->run_errno) {
		what(rec, "KVM_RUN came back without giving a reason");
		advise(rec, "this is a bug of the host's KVM");
		return;
	}
	what(rec, "KVM_RUN failed: %s", errno_text(info->run_errno, buf, sizeof(buf)));
	switch (info->run_errno) {
	case EFAULT:
		advise(rec, "the host could not provide a page of guest memory, or KVM could not serve what "
			    "the guest did; see the host's kernel log");
		break;
	case ENOMEM:
		advise(rec, "the host has no memory left for KVM's page tables: free some, or use a smaller "
			    "--mem");
		break;
	case ENOEXEC:
	case EINVAL:
		advise(rec, "KVM rejects the vCPU's set-up; see the host's kernel log, and lkvm doctor for "
			    "what this host offers");
		break;
	case EHWPOISON:
		advise(rec, "the host's RAM behind a page of the guest has an uncorrectable error");
		break;
	case EIO:
		advise(rec, "the VM can't be used any more (KVM_BUG_ON); see the host's kernel log");
		break;
	default:
		advise(rec, "see the host's kernel log");
		break;
	}
}

void exit_decode_generic(const struct exit_info *info, struct exit_record *rec)
{
	const char *name = exit_reason_name(info->reason);
	const char *err;

	memset(rec, 0, sizeof(*rec));
	rec->name = name ? name : "";
	rec->verdict = EXIT_STOP;

	if (info->reason == EXIT_REASON_NOT_WRITTEN) {
		decode_errno(info, rec);
		return;
	}
	if (!name) {
		rec->name = "KVM_EXIT_?";
		what(rec, "exit reason %" PRIu32 ", which this lkvm has no name for (the last it knows is %zu)",
		     info->reason, ARRAY_SIZE(reason_names) - 1);
		advise(rec, "the host's kernel is newer than this lkvm: see the KVM_EXIT_ list in its "
			    "include/uapi/linux/kvm.h");
	} else {
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
		case EXIT_REASON_MMIO:
		case EXIT_REASON_LOONGARCH_IOCSR:
			decode_access(info, rec);
			break;
		case EXIT_REASON_ARM_SEA:
			decode_sea(info, rec);
			break;
		default:
			decode_plain(info, rec);
			break;
		}
	}
	/* Both may carry news: KVM_RUN's errno besides a reason that the kernel wrote. */
	if (info->run_errno) {
		rec->verdict = EXIT_STOP;
		err = exit_errno_name(info->run_errno);
		if (err)
			what_more(rec, " (KVM_RUN: %s)", err);
		else
			what_more(rec, " (KVM_RUN: errno %d)", info->run_errno);
	}
}
