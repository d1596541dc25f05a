// SPDX-License-Identifier: GPL-2.0-only
/* What x86's KVM says beyond the generic: arch/x86/kvm/{x86,vmx/vmx,svm/svm}.c. */
#include "lkvm/exit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* kvm_run.emulation_failure */
#define EMULATION_LENGTH    16
#define EMULATION_BYTES     17
#define EMULATION_MAX_BYTES 15
#define EMULATION_HAS_BYTES (1u << 0) /* KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES */
/* Data words before the debug words, of which the first is the hardware's exit reason (x86.c,
 * prepare_emulation_failure_exit()): flags, and two of instruction bytes if there are any. */
#define EMULATION_WORDS_PLAIN 1
#define EMULATION_WORDS_BYTES 3

/* EXIT_REASON_*, arch/x86/include/uapi/asm/vmx.h, without that prefix; SDM volume 3, appendix C. */
static const struct exit_name vmx_reasons[] = {
	{ 0, "EXCEPTION_NMI", NULL },
	{ 1, "EXTERNAL_INTERRUPT", NULL },
	{ 2, "TRIPLE_FAULT", NULL },
	{ 3, "INIT_SIGNAL", NULL },
	{ 4, "SIPI_SIGNAL", NULL },
	{ 6, "OTHER_SMI", NULL },
	{ 7, "INTERRUPT_WINDOW", NULL },
	{ 8, "NMI_WINDOW", NULL },
	{ 9, "TASK_SWITCH", "hardware task switch" },
	{ 10, "CPUID", NULL },
	{ 12, "HLT", NULL },
	{ 13, "INVD", NULL },
	{ 14, "INVLPG", NULL },
	{ 15, "RDPMC", NULL },
	{ 16, "RDTSC", NULL },
	{ 18, "VMCALL", "hypercall" },
	{ 19, "VMCLEAR", NULL },
	{ 20, "VMLAUNCH", NULL },
	{ 21, "VMPTRLD", NULL },
	{ 22, "VMPTRST", NULL },
	{ 23, "VMREAD", NULL },
	{ 24, "VMRESUME", NULL },
	{ 25, "VMWRITE", NULL },
	{ 26, "VMOFF", NULL },
	{ 27, "VMON", NULL },
	{ 28, "CR_ACCESS", "control-register access" },
	{ 29, "DR_ACCESS", "debug-register access" },
	{ 30, "IO_INSTRUCTION", "I/O instruction" },
	{ 31, "MSR_READ", "RDMSR" },
	{ 32, "MSR_WRITE", "WRMSR" },
	{ 33, "INVALID_STATE", "invalid guest state" },
	{ 34, "MSR_LOAD_FAIL", "a guest MSR can't be loaded" },
	{ 36, "MWAIT_INSTRUCTION", NULL },
	{ 37, "MONITOR_TRAP_FLAG", NULL },
	{ 39, "MONITOR_INSTRUCTION", NULL },
	{ 40, "PAUSE_INSTRUCTION", NULL },
	{ 41, "MCE_DURING_VMENTRY", "machine check" },
	{ 43, "TPR_BELOW_THRESHOLD", NULL },
	{ 44, "APIC_ACCESS", NULL },
	{ 45, "EOI_INDUCED", NULL },
	{ 46, "GDTR_IDTR", "access to GDTR or IDTR" },
	{ 47, "LDTR_TR", "access to LDTR or TR" },
	{ 48, "EPT_VIOLATION", "access to where the host maps nothing" },
	{ 49, "EPT_MISCONFIG", "device access, or broken page tables of the host" },
	{ 50, "INVEPT", NULL },
	{ 51, "RDTSCP", NULL },
	{ 52, "PREEMPTION_TIMER", NULL },
	{ 53, "INVVPID", NULL },
	{ 54, "WBINVD", NULL },
	{ 55, "XSETBV", NULL },
	{ 56, "APIC_WRITE", NULL },
	{ 57, "RDRAND", NULL },
	{ 58, "INVPCID", NULL },
	{ 59, "VMFUNC", NULL },
	{ 60, "ENCLS", "SGX instruction" },
	{ 61, "RDSEED", NULL },
	{ 62, "PML_FULL", NULL },
	{ 63, "XSAVES", NULL },
	{ 64, "XRSTORS", NULL },
	{ 67, "UMWAIT", NULL },
	{ 68, "TPAUSE", NULL },
	{ 74, "BUS_LOCK", NULL },
	{ 75, "NOTIFY", NULL },
	{ 76, "SEAMCALL", NULL },
	{ 77, "TDCALL", NULL },
	{ 84, "MSR_READ_IMM", NULL },
	{ 85, "MSR_WRITE_IMM", NULL },
};

#define VMX_FAILED_ENTRY (UINT64_C(1) << 31) /* VMX_EXIT_REASONS_FAILED_VMENTRY */

/* SVM_EXIT_*, arch/x86/include/uapi/asm/svm.h, without that prefix; APM volume 2, appendix C. */
static const struct exit_name svm_reasons[] = {
	{ 0x000, "READ_CR0", NULL },    { 0x002, "READ_CR2", NULL },    { 0x003, "READ_CR3", NULL },
	{ 0x004, "READ_CR4", NULL },    { 0x008, "READ_CR8", NULL },    { 0x010, "WRITE_CR0", NULL },
	{ 0x012, "WRITE_CR2", NULL },   { 0x013, "WRITE_CR3", NULL },   { 0x014, "WRITE_CR4", NULL },
	{ 0x018, "WRITE_CR8", NULL },   { 0x020, "READ_DR0", NULL },    { 0x021, "READ_DR1", NULL },
	{ 0x022, "READ_DR2", NULL },    { 0x023, "READ_DR3", NULL },    { 0x024, "READ_DR4", NULL },
	{ 0x025, "READ_DR5", NULL },    { 0x026, "READ_DR6", NULL },    { 0x027, "READ_DR7", NULL },
	{ 0x030, "WRITE_DR0", NULL },   { 0x031, "WRITE_DR1", NULL },   { 0x032, "WRITE_DR2", NULL },
	{ 0x033, "WRITE_DR3", NULL },   { 0x034, "WRITE_DR4", NULL },   { 0x035, "WRITE_DR5", NULL },
	{ 0x036, "WRITE_DR6", NULL },   { 0x037, "WRITE_DR7", NULL },
	{ 0x060, "INTR", "external interrupt" },
	{ 0x061, "NMI", NULL },         { 0x062, "SMI", NULL },         { 0x063, "INIT", NULL },
	{ 0x064, "VINTR", NULL },       { 0x065, "CR0_SEL_WRITE", NULL },
	{ 0x066, "IDTR_READ", NULL },   { 0x067, "GDTR_READ", NULL },   { 0x068, "LDTR_READ", NULL },
	{ 0x069, "TR_READ", NULL },     { 0x06a, "IDTR_WRITE", NULL },  { 0x06b, "GDTR_WRITE", NULL },
	{ 0x06c, "LDTR_WRITE", NULL },  { 0x06d, "TR_WRITE", NULL },    { 0x06e, "RDTSC", NULL },
	{ 0x06f, "RDPMC", NULL },       { 0x070, "PUSHF", NULL },       { 0x071, "POPF", NULL },
	{ 0x072, "CPUID", NULL },       { 0x073, "RSM", NULL },         { 0x074, "IRET", NULL },
	{ 0x075, "SWINT", NULL },       { 0x076, "INVD", NULL },        { 0x077, "PAUSE", NULL },
	{ 0x078, "HLT", NULL },         { 0x079, "INVLPG", NULL },      { 0x07a, "INVLPGA", NULL },
	{ 0x07b, "IOIO", "I/O instruction" },
	{ 0x07c, "MSR", "RDMSR or WRMSR" },
	{ 0x07d, "TASK_SWITCH", "hardware task switch" },
	{ 0x07e, "FERR_FREEZE", NULL },
	{ 0x07f, "SHUTDOWN", "triple fault" },
	{ 0x080, "VMRUN", NULL },       { 0x081, "VMMCALL", "hypercall" },
	{ 0x082, "VMLOAD", NULL },      { 0x083, "VMSAVE", NULL },      { 0x084, "STGI", NULL },
	{ 0x085, "CLGI", NULL },        { 0x086, "SKINIT", NULL },      { 0x087, "RDTSCP", NULL },
	{ 0x088, "ICEBP", NULL },       { 0x089, "WBINVD", NULL },      { 0x08a, "MONITOR", NULL },
	{ 0x08b, "MWAIT", NULL },       { 0x08c, "MWAIT_COND", NULL },  { 0x08d, "XSETBV", NULL },
	{ 0x08e, "RDPRU", NULL },       { 0x08f, "EFER_WRITE_TRAP", NULL },
	{ 0x0a2, "INVPCID", NULL },     { 0x0a5, "BUS_LOCK", NULL },    { 0x0a6, "IDLE_HLT", NULL },
	{ 0x400, "NPF", "access to where the host maps nothing" },
	{ 0x401, "AVIC_INCOMPLETE_IPI", NULL },
	{ 0x402, "AVIC_UNACCELERATED_ACCESS", NULL },
	{ 0x403, "VMGEXIT", NULL },
	{ 0xf0000000, "SW", "reserved for the hypervisor" },
	{ UINT64_MAX, "ERR", "invalid guest state" },
};

#define SVM_EXCEPTIONS   0x40 /* SVM_EXIT_EXCP_BASE: 32 of them */
#define SVM_CR_WRITES    0x90 /* SVM_EXIT_CR0_WRITE_TRAP: 16 of them */

/* VMXERR_*, arch/x86/include/asm/vmx.h; SDM volume 3, section "VM instruction error numbers". */
static const struct exit_name vmx_errors[] = {
	{ 1, "VMXERR_VMCALL_IN_VMX_ROOT_OPERATION", "VMCALL executed in VMX root operation" },
	{ 2, "VMXERR_VMCLEAR_INVALID_ADDRESS", "VMCLEAR with invalid physical address" },
	{ 3, "VMXERR_VMCLEAR_VMXON_POINTER", "VMCLEAR with VMXON pointer" },
	{ 4, "VMXERR_VMLAUNCH_NONCLEAR_VMCS", "VMLAUNCH with non-clear VMCS" },
	{ 5, "VMXERR_VMRESUME_NONLAUNCHED_VMCS", "VMRESUME with non-launched VMCS" },
	{ 6, "VMXERR_VMRESUME_AFTER_VMXOFF", "VMRESUME after VMXOFF" },
	{ 7, "VMXERR_ENTRY_INVALID_CONTROL_FIELD", "VM entry with invalid control fields" },
	{ 8, "VMXERR_ENTRY_INVALID_HOST_STATE_FIELD", "VM entry with invalid host-state fields" },
	{ 9, "VMXERR_VMPTRLD_INVALID_ADDRESS", "VMPTRLD with invalid physical address" },
	{ 10, "VMXERR_VMPTRLD_VMXON_POINTER", "VMPTRLD with VMXON pointer" },
	{ 11, "VMXERR_VMPTRLD_INCORRECT_VMCS_REVISION_ID", "VMPTRLD with incorrect VMCS revision" },
	{ 12, "VMXERR_UNSUPPORTED_VMCS_COMPONENT", "access to an unsupported VMCS component" },
	{ 13, "VMXERR_WRITE_READ_ONLY_VMCS_COMPONENT", "VMWRITE to a read-only VMCS component" },
	{ 15, "VMXERR_VMXON_IN_VMX_ROOT_OPERATION", "VMXON executed in VMX root operation" },
	{ 16, "VMXERR_ENTRY_INVALID_EXECUTIVE_VMCS_POINTER", "VM entry with invalid executive-VMCS pointer" },
	{ 17, "VMXERR_ENTRY_NONLAUNCHED_EXECUTIVE_VMCS", "VM entry with non-launched executive VMCS" },
	{ 18, "VMXERR_ENTRY_EXECUTIVE_VMCS_POINTER_NOT_VMXON_POINTER",
	  "VM entry with executive-VMCS pointer that is not the VMXON pointer" },
	{ 19, "VMXERR_VMCALL_NONCLEAR_VMCS", "VMCALL with non-clear VMCS" },
	{ 20, "VMXERR_VMCALL_INVALID_VM_EXIT_CONTROL_FIELDS", "VMCALL with invalid VM-exit control fields" },
	{ 22, "VMXERR_VMCALL_INCORRECT_MSEG_REVISION_ID", "VMCALL with incorrect MSEG revision" },
	{ 23, "VMXERR_VMXOFF_UNDER_DUAL_MONITOR_TREATMENT_OF_SMIS_AND_SMM",
	  "VMXOFF under dual-monitor treatment of SMIs" },
	{ 24, "VMXERR_VMCALL_INVALID_SMM_MONITOR_FEATURES", "VMCALL with invalid SMM-monitor features" },
	{ 25, "VMXERR_ENTRY_INVALID_VM_EXECUTION_CONTROL_FIELDS_IN_EXECUTIVE_VMCS",
	  "VM entry with invalid execution control fields in executive VMCS" },
	{ 26, "VMXERR_ENTRY_EVENTS_BLOCKED_BY_MOV_SS", "VM entry with events blocked by MOV SS" },
	{ 28, "VMXERR_INVALID_OPERAND_TO_INVEPT_INVVPID", "invalid operand to INVEPT or INVVPID" },
};

#define DELIVERY_ADVICE                                                                            \
	"look at where the guest's IDT, GDT, TSS and stack lie; its exception handling was never set up, or was " \
	"overwritten"

static const char *const exceptions[32] = {
	"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "coprocessor overrun", "#TS", "#NP", "#SS",
	"#GP", "#PF", NULL, "#MF", "#AC", "#MC", "#XM", "#VE", "#CP", [28] = "#HV", "#VC", "#SX",
};

/* "#PF", or "vector 0x31". */
static const char *vector_text(unsigned int vector, char *buf, size_t size)
{
	if (vector < ARRAY_SIZE(exceptions) && exceptions[vector])
		snprintf(buf, size, "%s", exceptions[vector]);
	else
		snprintf(buf, size, "vector 0x%x", vector);
	return buf;
}

/* "NAME", or with @explain "NAME: in plain words". False if @reason has no name. */
static bool vmx_text(uint64_t reason, bool explain, char *buf, size_t size)
{
	const struct exit_name *n = EXIT_NAME(vmx_reasons, reason & 0xffff);

	if (!n || reason >> 32)
		return false;
	snprintf(buf, size, "%s%s%s", n->name, explain && n->text ? ": " : "", explain && n->text ? n->text : "");
	return true;
}

static bool svm_text(uint64_t reason, bool explain, char *buf, size_t size)
{
	const struct exit_name *n = EXIT_NAME(svm_reasons, reason);
	char vector[24];

	if (reason >= SVM_EXCEPTIONS && reason < SVM_EXCEPTIONS + 32)
		snprintf(buf, size, "exception %s",
			 vector_text((unsigned int)reason - SVM_EXCEPTIONS, vector, sizeof(vector)));
	else if (reason >= SVM_CR_WRITES && reason < SVM_CR_WRITES + 16)
		snprintf(buf, size, "CR%u_WRITE_TRAP", (unsigned int)reason - SVM_CR_WRITES);
	else if (n)
		snprintf(buf, size, "%s%s%s", n->name, explain && n->text ? ": " : "",
			 explain && n->text ? n->text : "");
	else
		return false;
	return true;
}

/* Unless somebody knows the vendor, nothing tells whose number it is: both are named. False: neither has a name. */
static bool hardware_reason_text(const struct exit_info *info, uint64_t reason, bool explain, char *buf,
				 size_t size)
{
	char vmx[72], svm[72];
	bool is_vmx = info->cpu != EXIT_CPU_AMD && vmx_text(reason, explain, vmx, sizeof(vmx));
	bool is_svm = info->cpu != EXIT_CPU_INTEL && svm_text(reason, explain, svm, sizeof(svm));

	if (is_vmx && is_svm)
		snprintf(buf, size, "Intel %s; AMD %s", vmx, svm);
	else if (is_vmx || is_svm)
		snprintf(buf, size, "%s", is_vmx ? vmx : svm);
	else
		buf[0] = '\0';
	return is_vmx || is_svm;
}

/* "0x30 (EPT_VIOLATION)" to what happened, more of it to the meaning of @field. */
static void what_hardware_reason(const struct exit_info *info, struct exit_record *rec, uint64_t reason,
				 const char *field)
{
	char text[160];

	exit_what_more(rec, "0x%" PRIx64, reason);
	if (hardware_reason_text(info, reason, false, text, sizeof(text)))
		exit_what_more(rec, " (%s)", text);
	hardware_reason_text(info, reason, true, text, sizeof(text));
	exit_field_means(rec, field, "exit reason%s%s", text[0] ? " " : "", text);
}

static void decode_unknown(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t reason = exit_payload_u64(info, 0);
	char text[160];

	/* -1 is no errno here but VMRUN's. */
	if (info->stale || (reason >= (uint64_t)-4095 && reason != UINT64_MAX))
		return;
	/* An entry that failed is another exit. */
	rec->specific = hardware_reason_text(info, reason, false, text, sizeof(text)) && reason >> 31 != 1;
	exit_what(rec, "KVM met a hardware exit that it does not handle: ");
	what_hardware_reason(info, rec, reason, "hardware_exit_reason");
	rec->cause = EXIT_CAUSE_UNEXPECTED_TRAP;
	exit_advise(rec, "look at the host's kernel log");
}

static void decode_fail_entry(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t reason = exit_payload_u64(info, 0);
	uint32_t cpu = exit_payload_u32(info, 8);
	const struct exit_name *error = EXIT_NAME(vmx_errors, reason);
	char text[160] = "";

	rec->specific = true;
	if ((reason == UINT64_MAX || reason == UINT32_MAX) && info->cpu != EXIT_CPU_INTEL)
		snprintf(text, sizeof(text), "SVM_EXIT_ERR: invalid guest state, says AMD's VMRUN");
	else if (reason >> 31 == 1 && vmx_text(reason, true, text, sizeof(text)))
		;
	else if (error && info->cpu != EXIT_CPU_AMD)
		snprintf(text, sizeof(text), "%s: %s", error->name, error->text);
	else if (!reason)
		snprintf(text, sizeof(text), "the CPU gave no reason: no current VMCS, or a hypervisor below whose VMX "
			 "is incomplete");
	else
		rec->specific = false;
	exit_what(rec, "the CPU refused to enter the guest: 0x%" PRIx64 "%s%s%s, host CPU %" PRIu32, reason,
		  text[0] ? " (" : "", text, text[0] ? ")" : "", cpu);
	exit_what_errno(rec, info);
	exit_field_means(rec, "hardware_entry_failure_reason", "%s", text);
	exit_field_means(rec, "cpu", "host CPU");
	if (error)
		exit_advise(rec, "KVM gave the CPU a control structure that it does not accept: a bug of the host's KVM or "
			    "of the hypervisor below; its kernel log may hold a dump of the VMCS");
	else
		exit_advise(rec, "the vCPU's registers do not go together (segments, CR0, CR4, EFER, RFLAGS); the host's "
			    "kernel log may hold a dump of the VMCS or VMCB");
}

/*
 * IDT-vectoring information of VMX, EXITINTINFO of SVM: bit 31 valid, 11 error code, 10:8 type, 7:0 vector. "none"
 * and false if it is not valid.
 */
static bool vectoring_text(uint64_t v, char *buf, size_t size)
{
	static const char *const types[8] = {
		"external interrupt", "type 1", "NMI", "exception", "software interrupt",
		"privileged software exception", "software exception", "other event",
	};
	char vector[24];

	if (!(v >> 31 & 1)) {
		snprintf(buf, size, "none");
		return false;
	}
	snprintf(buf, size, "%s %s", types[v >> 8 & 7], vector_text((unsigned int)v & 0xff, vector, sizeof(vector)));
	return true;
}

/*
 * The event that was being delivered when the exit came: the debug words end with info 1, info 2, interrupt info
 * and error code, of which VMX has it in info 2 and SVM in interrupt info (get_exit_info() of both).
 */
static uint64_t vectoring_of(const struct exit_info *info, unsigned int first, unsigned int ndata)
{
	uint64_t reason = exit_payload_u64(info, EXIT_INTERNAL_DATA + 8 * first);
	bool svm = info->cpu == EXIT_CPU_AMD ||
		   (info->cpu == EXIT_CPU_UNKNOWN && !EXIT_NAME(vmx_reasons, reason));
	unsigned int at = first + (svm ? 3 : 2);

	return at < ndata ? exit_payload_u64(info, EXIT_INTERNAL_DATA + 8 * at) : 0;
}

static void decode_emulation(const struct exit_info *info, struct exit_record *rec)
{
	static const char *const debug[] = { NULL, "exit info 1", "exit info 2", "interrupt info", "error code" };
	unsigned int ndata = MIN(exit_payload_u32(info, EXIT_INTERNAL_NDATA), (uint32_t)EXIT_MAX_NDATA);
	bool has_bytes = ndata && exit_payload_u64(info, EXIT_INTERNAL_DATA) & EMULATION_HAS_BYTES;
	unsigned int len = has_bytes ? MIN(exit_payload_u8(info, EMULATION_LENGTH), EMULATION_MAX_BYTES) : 0;
	unsigned int words = has_bytes ? EMULATION_WORDS_BYTES : EMULATION_WORDS_PLAIN;
	uint64_t vectoring = vectoring_of(info, words, ndata);
	char bytes[3 * EMULATION_MAX_BYTES + 1] = "";
	char name[16], event[64];

	rec->insn_len = (uint8_t)len;
	for (unsigned int i = 0; i < len; i++) {
		rec->insn[i] = exit_payload_u8(info, EMULATION_BYTES + i);
		snprintf(bytes + 3 * i, sizeof(bytes) - 3 * i, " %02x", rec->insn[i]);
	}
	if (len) {
		/* The words that the bytes overlay say nothing by themselves. */
		exit_field_means(rec, "data[0]", "flags: KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES");
		exit_field_means(rec, "data[1]", "insn_size %u, insn_bytes%s", len, bytes);
		exit_field_means(rec, "data[2]", "rest of insn_bytes");
	} else {
		exit_field_means(rec, "data[0]", "flags: no instruction bytes");
	}
	if (vectoring_text(vectoring, event, sizeof(event))) {
		/* Not the instruction's fault: KVM tried to emulate what cannot be emulated. */
		rec->cause = EXIT_CAUSE_EVENT_DELIVERY;
		rec->insn_len = 0;
		exit_what(rec, "KVM could not deliver an interrupt or exception (%s): IDT, GDT or stack not in RAM",
			  event);
		exit_what_pc(rec, info);
		exit_advise(rec, "%s", DELIVERY_ADVICE);
	} else if (len) {
		/* KVM hands on what it fetched, which is more than the instruction. */
		rec->cause = EXIT_CAUSE_EMULATION_FAILED;
		exit_what(rec, "KVM can't emulate the guest's instruction");
		exit_what_pc(rec, info);
		exit_what_more(rec, ", which begins%s", bytes);
		exit_advise(rec, "the instruction works on device memory or in a CPU mode that KVM must emulate, "
			    "and KVM does not know it there");
	} else if (!ndata) {
		/* KVM before 5.14 gave no data in any case, and not every log has them. */
		rec->cause = EXIT_CAUSE_EMULATION_FAILED;
		exit_what(rec, "KVM can't emulate the guest's instruction, or not fetch it");
		exit_what_pc(rec, info);
		exit_advise(rec, "the guest jumped to where no memory is, or its instruction works on device memory "
			    "or in a CPU mode that KVM must emulate, and KVM does not know it there");
	} else {
		/* KVM has no bytes when it could not fetch them. */
		rec->cause = EXIT_CAUSE_FETCH_FAILED;
		exit_what(rec, "instruction fetch failed");
		exit_what_pc(rec, info);
		exit_advise(rec, "the guest jumped to where no memory is: a bad function pointer, return address or "
			    "page table");
	}
	if (ndata > words) {
		snprintf(name, sizeof(name), "data[%u]", words);
		exit_what_more(rec, "; exit reason ");
		what_hardware_reason(info, rec, exit_payload_u64(info, EXIT_INTERNAL_DATA + 8 * words), name);
	}
	for (unsigned int i = 1; i < ARRAY_SIZE(debug); i++) {
		snprintf(name, sizeof(name), "data[%u]", words + i);
		exit_field_means(rec, name, "%s", debug[i]);
	}
}

static void decode_delivery(const struct exit_info *info, struct exit_record *rec)
{
	uint32_t ndata = exit_payload_u32(info, EXIT_INTERNAL_NDATA);
	uint64_t vectoring = exit_payload_u64(info, EXIT_INTERNAL_DATA);
	char event[64];

	if (ndata < 2)
		return;
	vectoring_text(vectoring, event, sizeof(event));
	exit_what(rec, "KVM could not deliver an interrupt or exception (%s, vectoring info 0x%" PRIx64
		  "): IDT, GDT or stack not in RAM; exit reason ", event, vectoring);
	what_hardware_reason(info, rec, exit_payload_u64(info, EXIT_INTERNAL_DATA + 8), "data[1]");
	exit_field_means(rec, "data[0]", "vectoring info: %s", event);
	exit_field_means(rec, "data[2]", "exit qualification or info 1");
	/* Older kernels have the address with EPT only, and the CPU last. */
	if (ndata >= 5) {
		exit_field_means(rec, "data[3]", exit_payload_u64(info, EXIT_INTERNAL_DATA + 24) == UINT64_MAX ?
				 "no guest-physical address" : "guest-physical address");
		exit_field_means(rec, "data[4]", "host CPU");
	}
	exit_advise(rec, "%s", DELIVERY_ADVICE);
}

static void decode_simultaneous(const struct exit_info *info, struct exit_record *rec)
{
	char event[64];

	if (exit_payload_u32(info, EXIT_INTERNAL_NDATA) < 2)
		return;
	vectoring_text(exit_payload_u64(info, EXIT_INTERNAL_DATA), event, sizeof(event));
	exit_field_means(rec, "data[0]", "vectoring info: %s", event);
	vectoring_text(exit_payload_u64(info, EXIT_INTERNAL_DATA + 8), event, sizeof(event));
	exit_field_means(rec, "data[1]", "interrupt info: %s", event);
	exit_field_means(rec, "data[2]", "error code");
	exit_field_means(rec, "data[3]", "host CPU");
}

static void decode_internal_error(const struct exit_info *info, struct exit_record *rec)
{
	rec->specific = true;
	switch (exit_payload_u32(info, EXIT_INTERNAL_SUBERROR)) {
	case EXIT_SUBERROR_EMULATION:
		decode_emulation(info, rec);
		break;
	case EXIT_SUBERROR_DELIVERY_EV:
		decode_delivery(info, rec);
		break;
	case EXIT_SUBERROR_SIMUL_EX:
		decode_simultaneous(info, rec);
		return;
	case EXIT_SUBERROR_UNEXPECTED_EXIT_REASON:
		if (exit_payload_u32(info, EXIT_INTERNAL_NDATA) < 1)
			return;
		exit_what(rec, "the CPU left the guest for a reason that KVM did not expect: ");
		what_hardware_reason(info, rec, exit_payload_u64(info, EXIT_INTERNAL_DATA), "data[0]");
		exit_field_means(rec, "data[1]", "host CPU");
		break;
	default:
		rec->specific = false;
		return;
	}
	exit_what_errno(rec, info);
}

static void decode_debug(const struct exit_info *info, struct exit_record *rec)
{
	/* struct kvm_debug_exit_arch, arch/x86/include/uapi/asm/kvm.h */
	uint32_t vector = exit_payload_u32(info, 0);
	char text[24];

	rec->specific = true;
	vector_text(vector, text, sizeof(text));
	exit_field(rec, "exception", "%" PRIu32, vector);
	exit_field_means(rec, "exception", "%s", text);
	exit_field(rec, "pc", "0x%" PRIx64, exit_payload_u64(info, 8));
	exit_field(rec, "dr6", "0x%" PRIx64, exit_payload_u64(info, 16));
	exit_field(rec, "dr7", "0x%" PRIx64, exit_payload_u64(info, 24));
	exit_what(rec, "debug exception %s at pc 0x%" PRIx64, text, exit_payload_u64(info, 8));
	exit_what_errno(rec, info);
}

static void decode_hypercall(const struct exit_info *info, struct exit_record *rec)
{
	rec->specific = true;
	/* The only one that KVM hands on (include/uapi/linux/kvm_para.h). */
	if (exit_payload_u64(info, 0) == 12)
		exit_field_means(rec, "nr", "KVM_HC_MAP_GPA_RANGE");
}

static void decode_flags(const struct exit_info *info, struct exit_record *rec)
{
	/* KVM_RUN_X86_* */
	static const struct exit_name bits[] = {
		{ 1 << 0, "KVM_RUN_X86_SMM", NULL },
		{ 1 << 1, "KVM_RUN_X86_BUS_LOCK", NULL },
		{ 1 << 2, "KVM_RUN_X86_GUEST_MODE", NULL },
	};
	char text[96];

	if (!info->flags)
		return;
	exit_field(rec, "run->flags", "0x%x", info->flags);
	exit_field_means(rec, "run->flags", "%s", exit_bits_text(bits, ARRAY_SIZE(bits), info->flags, text,
								 sizeof(text)));
}

void x86_exit_decode(const struct exit_info *info, struct exit_record *rec)
{
	exit_decode_generic(info, rec);
	decode_flags(info, rec);
	switch (info->reason) {
	case EXIT_REASON_UNKNOWN:
		/* The reason is the initial value, too: a failed KVM_RUN is told by its errno. */
		if (!info->run_errno)
			decode_unknown(info, rec);
		break;
	case EXIT_REASON_FAIL_ENTRY:
		decode_fail_entry(info, rec);
		break;
	case EXIT_REASON_INTERNAL_ERROR:
		decode_internal_error(info, rec);
		break;
	case EXIT_REASON_DEBUG:
		decode_debug(info, rec);
		break;
	case EXIT_REASON_HYPERCALL:
		decode_hypercall(info, rec);
		break;
	case EXIT_REASON_SHUTDOWN:
		rec->specific = true;
		break;
	default:
		break;
	}
}
