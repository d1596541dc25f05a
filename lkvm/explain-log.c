// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/explain-log.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDINGS 4

struct line {
	const char       *wordings[MAX_WORDINGS + 1]; /* of old and new kernels; in any case */
	const char       *arch;
	enum exit_cause   cause;
	enum exit_verdict verdict;
	const char       *what;
	const char       *advice;
	/* Adds to @rec->what what the line says behind @at, its wording; or NULL. */
	void (*more)(struct exit_record *rec, const char *at);
};

/* ---- numbers in a line -------------------------------------------------------------------------- */

/* The number behind the first @key behind @at in the same text, blanks and one of "=:(" between; false if none. */
static bool number_behind(const char *at, const char *key, int base, uint64_t *value)
{
	const char *p = strcasestr(at, key);
	char *end;

	if (!p)
		return false;
	p += strlen(key);
	p += strspn(p, " \t");
	if (*p && strchr("=:(", *p))
		p++;
	p += strspn(p, " \t");
	if (!isxdigit((unsigned char)*p))
		return false;
	*value = strtoull(p, &end, base);
	return end != p;
}

/* " { Op0( 3), Op1( 0), CRn(10), CRm( 4), Op2( 4), func_read }," (arch/arm64/kvm/sys_regs.h) */
static void more_sys_reg(struct exit_record *rec, const char *at)
{
	static const char *const keys[] = { "Op0", "Op1", "CRn", "CRm", "Op2" };
	uint64_t v[ARRAY_SIZE(keys)], pc;

	if (number_behind(at, "access at", 16, &pc))
		exit_what_more(rec, " at pc 0x%" PRIx64, pc);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!number_behind(at, keys[i], 10, &v[i]) || v[i] > 15)
			return;
	exit_what_more(rec, ": S%" PRIu64 "_%" PRIu64 "_C%" PRIu64 "_C%" PRIu64 "_%" PRIu64 "%s", v[0], v[1], v[2], v[3],
		       v[4], strcasestr(at, "func_write") ? ", written" : strcasestr(at, "func_read") ? ", read" : "");
}

/* "unhandled wrmsr: 0x1d9 data 0x1", "Unhandled WRMSR(0x1d9) = 0x1", "Unhandled RDMSR(0x1d9)" */
static void more_msr(struct exit_record *rec, const char *at)
{
	uint64_t msr, data;
	/* By the wording itself: lines that follow may be of the other kind. */
	bool write = tolower((unsigned char)at[strcspn(at, " ") + 1]) == 'w';

	if (!number_behind(at, write ? "wrmsr" : "rdmsr", 16, &msr))
		return;
	exit_what_more(rec, ": MSR 0x%" PRIx64, msr);
	if (write && (number_behind(at, "data", 16, &data) || number_behind(at, ") ", 16, &data)))
		exit_what_more(rec, ", 0x%" PRIx64 " written", data);
}

/* "vmwrite failed: field=681e val=0 err=12" */
static void more_vmcs_field(struct exit_record *rec, const char *at)
{
	uint64_t field, err;

	if (number_behind(at, "field", 16, &field))
		exit_what_more(rec, ": field 0x%" PRIx64, field);
	if (number_behind(at, "err", 10, &err))
		exit_what_more(rec, ", VM-instruction error %" PRIu64 "%s", err,
			       err == 12 ? " (there is no such field)" : "");
}

/* "kvmppc_emulate_mmio: emulation failed (7c00052c)", "... (opcode: 0x7c00052c)" */
static void more_opcode(struct exit_record *rec, const char *at)
{
	uint64_t insn;

	if (number_behind(at, "opcode", 16, &insn) || number_behind(at, "emulation failed", 16, &insn))
		exit_what_more(rec, ": 0x%08" PRIx64, insn);
}

/* ---- the lines ---------------------------------------------------------------------------------- */

#define UNDEFINED_ADVICE "the guest took an undefined-instruction exception: its kernel uses a feature that the ID " \
			 "registers do not offer, or that this KVM does not know. A newer host kernel, or a guest that does " \
			 "without (for Linux arm64.noFEATURE on its command line)"
#define VMCB_ADVICE "exit_code -1 is a VMRUN that the CPU refused, for a state of the guest that is not legal (APM volume 2, " \
		    "15.5.1); else it is the exit that KVM has no handler for. What KVM_RUN returned says which"
#define VMCS_ADVICE "the lines around it say why: \"VMExit: intr_info\" and \"reason\" of the dump; reason 0x80000021 is a state of " \
		    "the guest that the CPU refuses (SDM volume 3, \"VM entries\"). What KVM_RUN returned says more"

/* Sources are of Linux, up to 6.12. */
static const struct line lines[] = {
	/* arch/arm64/kvm/sys_regs.c; before 5.8 the register was in lines of their own */
	{ { "Unsupported guest sys_reg access at" }, "arm64", EXIT_CAUSE_NOT_OFFERED, EXIT_RESUMABLE,
	  "KVM does not have the system register that the guest accessed", UNDEFINED_ADVICE, more_sys_reg },
	{ { "Unsupported guest CP10 access at", "Unsupported guest CP14 access at", "Unsupported guest CP15 access at" },
	  "arm64", EXIT_CAUSE_NOT_OFFERED, EXIT_RESUMABLE,
	  "KVM does not have the coprocessor register that the 32-bit guest accessed", UNDEFINED_ADVICE, NULL },
	/* arch/x86/kvm/x86.c, kvm_do_msr_access() and what it was before; x86.h, kvm_pr_unimpl_wrmsr() (6.3) */
	{ { "unhandled wrmsr", "unhandled rdmsr" }, "x86_64", EXIT_CAUSE_NOT_OFFERED, EXIT_RESUMABLE,
	  "KVM does not have the register, or not what the guest asked of it",
	  "mostly harmless: the guest takes a #GP, which Linux expects there, or goes on as if it had worked. For a guest that "
	  "stops there: ignore_msrs=1 of the host's module kvm makes it go on", more_msr },
	{ { "ignored wrmsr", "ignored rdmsr" }, "x86_64", EXIT_CAUSE_NOT_OFFERED, EXIT_RESUMABLE,
	  "KVM does not have the register, and let the guest go on as if it had",
	  "harmless, as ignore_msrs=1 of the host's module kvm asks for it; reads give 0. report_ignored_msrs=0 makes it silent",
	  more_msr },
	{ { "dumping VMCS", "last attempted VM-entry on CPU", "dump_invalid_vmcs=1" }, "x86-intel",
	  EXIT_CAUSE_UNKNOWN, EXIT_STOP,
	  "KVM shows the state of a vCPU that the CPU did not enter, or left for what KVM does not know", VMCS_ADVICE, NULL },
	/* arch/x86/kvm/vmx/vmx.c: vmx_insn_failed() */
	{ { "vmwrite failed", "vmread failed" }, "x86-intel", EXIT_CAUSE_KVM_BUG, EXIT_STOP,
	  "the CPU refused an access of KVM to its own control structure",
	  "not the guest's doing: the hypervisor that runs this host lacks the field, or KVM is wrong. A newer host kernel, or "
	  "a newer hypervisor below it", more_vmcs_field },
	/* arch/x86/kvm/svm/svm.c: dump_vmcb(); the first wording is from before 5.3 */
	{ { "FAILED VMRUN WITH VMCB" }, "x86-amd", EXIT_CAUSE_ENTRY_REFUSED, EXIT_STOP,
	  "the CPU refused VMRUN: the state of the guest or KVM's controls are not legal",
	  "APM volume 2, 15.5.1 has the rules. The VMCB that follows shows the state; as a rule a program has set registers of "
	  "the vCPU that do not fit together", NULL },
	{ { "last attempted VMRUN on CPU", "VMCB Control Area", "dump_invalid_vmcb=1" }, "x86-amd",
	  EXIT_CAUSE_UNKNOWN, EXIT_STOP,
	  "KVM shows the state of a vCPU that the CPU did not enter, or left for what KVM does not know", VMCB_ADVICE, NULL },
	/* arch/powerpc/kvm/powerpc.c: kvmppc_emulate_mmio(); the first wording is from before 5.18 */
	{ { "kvmppc_emulate_mmio: emulation failed" }, "ppc", EXIT_CAUSE_DEVICE_ACCESS, EXIT_STOP,
	  "the guest accessed a device with an instruction that KVM can't emulate",
	  "devices are for plain loads and stores; a newer host kernel gives the guest a data storage interrupt instead",
	  more_opcode },
	{ { "Guest access to device memory using unsupported instruction" }, "ppc", EXIT_CAUSE_DEVICE_ACCESS,
	  EXIT_RESUMABLE, "the guest accessed a device with an instruction that KVM can't emulate",
	  "the guest took a data storage interrupt (Book E: a program interrupt); devices are for plain loads and stores",
	  more_opcode },
	/* arch/powerpc/kvm/book3s_64_mmu_radix.c */
	{ { "KVM: Got unsupported MMU fault" }, "ppc-book3s", EXIT_CAUSE_KVM_BUG, EXIT_STOP,
	  "the MMU has found tables of the guest or of KVM that it can't use; KVM_RUN returns EFAULT",
	  "not the guest's doing, as a rule: a host that runs threads of a core for several guests, or a KVM that is too old for "
	  "the CPU. A newer host kernel", NULL },
	{ { "KVM: Got radix HV page fault with DSISR" }, "ppc-book3s", EXIT_CAUSE_DEVICE_ACCESS, EXIT_RESUMABLE,
	  "the guest accessed an address in a way that its kind of memory does not allow",
	  "the guest took a data storage interrupt: atomic or vector instructions are not for device memory, for one", NULL },
};

static const char *find(const struct line *line, const char *text)
{
	const char *at = NULL;

	for (unsigned int i = 0; line->wordings[i] && !at; i++)
		at = strcasestr(text, line->wordings[i]);
	return at;
}

const char *explain_log(const char *text, unsigned int nth, struct exit_record *rec)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *at = find(&lines[i], text);

		if (!at || nth--)
			continue;
		*rec = (struct exit_record){ .name = "", .reason = EXIT_REASON_NOT_WRITTEN, .cause = lines[i].cause,
					     .verdict = lines[i].verdict, .specific = true };
		exit_what(rec, "%s", lines[i].what);
		if (lines[i].more)
			lines[i].more(rec, at);
		exit_advise(rec, "%s", lines[i].advice);
		return lines[i].arch;
	}
	return NULL;
}
