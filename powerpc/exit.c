// SPDX-License-Identifier: GPL-2.0-only
/*
 * What powerpc's KVM_RUN leaves behind. Book E (arch/powerpc/kvm/booke.c) and Book3S (book3s_hv.c, book3s_pr.c)
 * have nothing in common but the register file, so there are two decoders.
 */
#include "lkvm/exit.h"

#include <errno.h>
#include <inttypes.h>

#include "powerpc/hcall-names.h"

#define DMESG "the host's kernel log"

/* ---- Book E ------------------------------------------------------------------------------------- */

/* arch/powerpc/include/asm/kvm_asm.h */
static const struct exit_name booke_interrupts[] = {
	{ 0, "BOOKE_INTERRUPT_CRITICAL", "critical input" },
	{ 1, "BOOKE_INTERRUPT_MACHINE_CHECK", "machine check" },
	{ 2, "BOOKE_INTERRUPT_DATA_STORAGE", "data access not permitted" },
	{ 3, "BOOKE_INTERRUPT_INST_STORAGE", "instruction fetch not permitted" },
	{ 4, "BOOKE_INTERRUPT_EXTERNAL", "external interrupt" },
	{ 5, "BOOKE_INTERRUPT_ALIGNMENT", "unaligned access" },
	{ 6, "BOOKE_INTERRUPT_PROGRAM", "illegal or privileged instruction, or trap" },
	{ 7, "BOOKE_INTERRUPT_FP_UNAVAIL", "floating point is switched off" },
	{ 8, "BOOKE_INTERRUPT_SYSCALL", "system call" },
	{ 9, "BOOKE_INTERRUPT_AP_UNAVAIL", "auxiliary processor is switched off" },
	{ 10, "BOOKE_INTERRUPT_DECREMENTER", "decrementer" },
	{ 11, "BOOKE_INTERRUPT_FIT", "fixed interval timer" },
	{ 12, "BOOKE_INTERRUPT_WATCHDOG", "watchdog timer" },
	{ 13, "BOOKE_INTERRUPT_DTLB_MISS", "no TLB entry for a data access" },
	{ 14, "BOOKE_INTERRUPT_ITLB_MISS", "no TLB entry for an instruction fetch" },
	{ 15, "BOOKE_INTERRUPT_DEBUG", "debug event" },
	{ 35, "BOOKE_INTERRUPT_PERFORMANCE_MONITOR", "performance monitor" },
	{ 36, "BOOKE_INTERRUPT_DOORBELL", "doorbell" },
	{ 37, "BOOKE_INTERRUPT_DOORBELL_CRITICAL", "critical doorbell" },
	{ 38, "BOOKE_INTERRUPT_GUEST_DBELL", "guest doorbell" },
	{ 39, "BOOKE_INTERRUPT_GUEST_DBELL_CRIT", "critical guest doorbell" },
	{ 40, "BOOKE_INTERRUPT_HV_SYSCALL", "hypercall" },
	{ 41, "BOOKE_INTERRUPT_HV_PRIV", "hypervisor-privileged instruction" },
	{ 42, "BOOKE_INTERRUPT_LRAT_ERROR", "no logical-to-real translation" },
};

/* The same numbers mean SPE on e500v1 and e500v2, AltiVec on e6500. */
static const struct exit_name booke_interrupts_spe[] = {
	{ 32, "BOOKE_INTERRUPT_SPE_UNAVAIL", "SPE is switched off" },
	{ 33, "BOOKE_INTERRUPT_SPE_FP_DATA", "SPE floating-point data exception" },
	{ 34, "BOOKE_INTERRUPT_SPE_FP_ROUND", "SPE floating-point rounding" },
};

static const struct exit_name booke_interrupts_altivec[] = {
	{ 32, "BOOKE_INTERRUPT_ALTIVEC_UNAVAIL", "AltiVec is switched off" },
	{ 33, "BOOKE_INTERRUPT_ALTIVEC_ASSIST", "AltiVec assist" },
};

/* arch/powerpc/include/asm/reg_booke.h */
static const struct exit_name mcsr_e500v2[] = {
	{ 0x80000000, "MCSR_MCP", NULL },       { 0x40000000, "MCSR_ICPERR", NULL },
	{ 0x20000000, "MCSR_DCP_PERR", NULL },  { 0x10000000, "MCSR_DCPERR", NULL },
	{ 0x00000080, "MCSR_BUS_IAERR", NULL }, { 0x00000040, "MCSR_BUS_RAERR", NULL },
	{ 0x00000020, "MCSR_BUS_WAERR", NULL }, { 0x00000010, "MCSR_BUS_IBERR", NULL },
	{ 0x00000008, "MCSR_BUS_RBERR", NULL }, { 0x00000004, "MCSR_BUS_WBERR", NULL },
	{ 0x00000002, "MCSR_BUS_IPERR", NULL }, { 0x00000001, "MCSR_BUS_RPERR", NULL },
};

static const struct exit_name mcsr_e500mc[] = {
	{ 0x80000000, "MCSR_MCP", NULL },        { 0x40000000, "MCSR_ICPERR", NULL },
	{ 0x20000000, "MCSR_DCPERR_MC", NULL },  { 0x04000000, "MCSR_L2MMU_MHIT", NULL },
	{ 0x00100000, "MCSR_NMI", NULL },        { 0x00080000, "MCSR_MAV", NULL },
	{ 0x00040000, "MCSR_MEA", NULL },        { 0x00010000, "MCSR_IF", NULL },
	{ 0x00008000, "MCSR_LD", NULL },         { 0x00004000, "MCSR_ST", NULL },
	{ 0x00002000, "MCSR_LDG", NULL },        { 0x00000002, "MCSR_TLBSYNC", NULL },
	{ 0x00000001, "MCSR_BSL2_ERR", NULL },
};

/* KVM_INST_FETCH_FAILED: also the word that erased flash is full of. */
#define INST_FETCH_FAILED UINT32_MAX

/* Upper halves of hardware_exit_reason. */
#define BOOKE_INSTRUCTION   UINT32_MAX
#define BOOKE_MACHINE_CHECK (UINT32_MAX - 1)

/* Opcodes are there even for words that are no instruction: they tell which manual to look in. */
static void set_insn(struct exit_record *rec, uint32_t insn)
{
	unsigned int primary = insn >> 26, extended = insn >> 1 & 0x3ff;

	for (unsigned int i = 0; i < 4; i++)
		rec->insn[i] = (uint8_t)(insn >> (24 - 8 * i));
	rec->insn_len = 4;
	exit_field(rec, "instruction", "0x%08" PRIx32, insn);
	if (primary == 19 || primary == 31 || primary == 59 || primary == 63)
		exit_field_means(rec, "instruction", "primary opcode %u, extended opcode %u", primary, extended);
	else
		exit_field_means(rec, "instruction", "primary opcode %u", primary);
}

/* The word at pc, of a big-endian guest. */
static bool code_word(const struct exit_info *info, uint32_t *word)
{
	if (!info->have_pc || info->code_len < 4)
		return false;
	*word = (uint32_t)info->code[0] << 24 | info->code[1] << 16 | info->code[2] << 8 | info->code[3];
	return true;
}

static void booke_fetch_failed(const struct exit_info *info, struct exit_record *rec)
{
	uint32_t word;
	bool have_word = code_word(info, &word);

	rec->cause = EXIT_CAUSE_FETCH_FAILED;
	if (have_word && word == INST_FETCH_FAILED) {
		rec->cause = EXIT_CAUSE_EMULATION_FAILED;
		set_insn(rec, word);
		exit_what(rec, "the guest executed 0xffffffff");
		exit_what_pc(rec, info);
		exit_what_more(rec, ", which is no instruction; that word is really there");
		exit_field_means(rec, "hardware_exit_reason", "the word 0xffffffff, executed");
		exit_advise(rec, "erased flash or memory that nobody wrote; lr tells where the guest came from. It takes "
			    "its program interrupt");
		return;
	}
	exit_what(rec, "instruction fetch failed");
	exit_what_pc(rec, info);
	exit_field_means(rec, "hardware_exit_reason", "KVM_INST_FETCH_FAILED");
	if (have_word)
		exit_what_more(rec, ", though guest memory there holds 0x%08" PRIx32, word);
	else if (info->have_pc && info->pc_memory == EXIT_PC_HOLE)
		exit_what_more(rec, ": no guest memory there");
	else
		exit_what_more(rec, ", or the guest executed the word 0xffffffff");
	if (have_word)
		exit_advise(rec, "the page may not be executed, or is mapped with other attributes than RAM has (W, I, M, "
			    "G): look at the guest's TLB entry; " DMESG " has \"Instruction emulation from guest address\"");
	else
		exit_advise(rec, "a bad function pointer or return address, or no TLB entry: look at pc, lr and the guest's "
			    "TLB. The guest takes its program interrupt");
}

static void booke_emulation_failed(const struct exit_info *info, struct exit_record *rec, uint32_t insn)
{
	uint32_t word;

	rec->cause = EXIT_CAUSE_EMULATION_FAILED;
	set_insn(rec, insn);
	exit_what(rec, "KVM can't emulate the guest's instruction 0x%08" PRIx32, insn);
	exit_what_pc(rec, info);
	if (code_word(info, &word) && word != insn)
		exit_what_more(rec, ", where now 0x%08" PRIx32 " is", word);
	exit_field_means(rec, "hardware_exit_reason", "emulation failed, instruction 0x%08" PRIx32, insn);
	exit_advise(rec, "a privileged instruction or special register that this KVM does not have, or no instruction at "
		    "all; " DMESG " has \"emulation at ... failed\". The guest takes its program interrupt");
}

static void booke_machine_check(const struct exit_info *info, struct exit_record *rec, uint32_t mcsr)
{
	char bits[96];

	if (info->cpu == EXIT_CPU_E500MC)
		exit_bits_text(mcsr_e500mc, ARRAY_SIZE(mcsr_e500mc), mcsr, bits, sizeof(bits));
	else
		exit_bits_text(mcsr_e500v2, ARRAY_SIZE(mcsr_e500v2), mcsr, bits, sizeof(bits));
	rec->cause = EXIT_CAUSE_MACHINE_CHECK;
	exit_what(rec, "machine check while the guest ran, MCSR 0x%08" PRIx32 " (%s)", mcsr, bits);
	exit_field_means(rec, "hardware_exit_reason", "machine check, MCSR 0x%08" PRIx32, mcsr);
	exit_field(rec, "MCSR", "0x%08" PRIx32, mcsr);
	if (info->cpu == EXIT_CPU_UNKNOWN) {
		exit_field_means(rec, "MCSR", "e500v2: %s", bits);
		exit_bits_text(mcsr_e500mc, ARRAY_SIZE(mcsr_e500mc), mcsr, bits, sizeof(bits));
		exit_field(rec, "MCSR of e500mc", "0x%08" PRIx32, mcsr);
		exit_field_means(rec, "MCSR of e500mc", "%s", bits);
	} else {
		exit_field_means(rec, "MCSR", "%s", bits);
	}
	exit_advise(rec, "the host's hardware reports an error: bad memory, or an access to where nothing answers; "
		    DMESG " has \"MACHINE CHECK\" with the registers");
}

static void booke_interrupt(const struct exit_info *info, struct exit_record *rec, uint32_t nr)
{
	const struct exit_name *spe = EXIT_NAME(booke_interrupts_spe, nr);
	const struct exit_name *altivec = EXIT_NAME(booke_interrupts_altivec, nr);
	const struct exit_name *any = EXIT_NAME(booke_interrupts, nr);

	if (info->cpu == EXIT_CPU_E500MC)
		spe = NULL;
	else if (info->cpu == EXIT_CPU_E500)
		altivec = NULL;
	if (!any)
		any = spe ? spe : altivec;
	rec->cause = EXIT_CAUSE_UNEXPECTED_TRAP;
	if (!any) {
		exit_what(rec, "KVM met an interrupt that it does not handle, number %" PRIu32, nr);
		exit_advise(rec, "look at " DMESG);
		return;
	}
	if (spe && altivec) {
		exit_what(rec, "KVM met an interrupt that it does not handle: %s, or on e6500 %s (%" PRIu32 ")",
			  spe->name, altivec->name, nr);
		exit_field_means(rec, "hardware_exit_reason", "%s; e6500: %s", spe->name, altivec->name);
	} else {
		exit_what(rec, "KVM met an interrupt that it does not handle: %s (%" PRIu32 "), %s", any->name, nr,
			  any->text);
		exit_field_means(rec, "hardware_exit_reason", "%s: %s", any->name, any->text);
	}
	if (spe)
		exit_advise(rec, "the host's kernel lacks SPE: build it with CONFIG_SPE");
	else
		exit_advise(rec, "a bug of the host's KVM; look at " DMESG);
}

static void booke_unknown(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t hw = exit_payload_u64(info, 0);
	uint32_t low = (uint32_t)hw;

	if (info->stale)
		return;
	if (hw >> 32 == BOOKE_INSTRUCTION) {
		rec->verdict = EXIT_RESUMABLE;
		if (low == INST_FETCH_FAILED)
			booke_fetch_failed(info, rec);
		else
			booke_emulation_failed(info, rec, low);
	} else if (hw >> 32 == BOOKE_MACHINE_CHECK) {
		booke_machine_check(info, rec, low);
	} else if (!hw) {
		rec->cause = EXIT_CAUSE_UNKNOWN;
		exit_what(rec, "KVM gave up without a reason");
		exit_field_means(rec, "hardware_exit_reason", "not set; as a number it is BOOKE_INTERRUPT_CRITICAL");
		exit_advise(rec, "look at " DMESG);
	} else if (hw < 64) {
		booke_interrupt(info, rec, low);
	} else {
		return;
	}
	rec->specific = true;
}

/* ---- both --------------------------------------------------------------------------------------- */

/* KVM_RUN fails with EINVAL and INTERNAL_ERROR, without a suberror, when kvmppc_sanity_check() says no. */
static bool decode_insane(const struct exit_info *info, struct exit_record *rec)
{
	if (info->reason != EXIT_REASON_INTERNAL_ERROR || info->run_errno != EINVAL)
		return false;
	exit_fields_drop(rec);
	rec->cause = EXIT_CAUSE_SETUP;
	rec->specific = true;
	exit_what(rec, "KVM does not run a vCPU that is set up like this");
	exit_what_errno(rec, info);
	exit_advise(rec, "its PVR is not set, or PAPR or hypervisor mode does not go with this host's KVM "
		    "(kvmppc_sanity_check)");
	return true;
}

static void decode_debug(const struct exit_info *info, struct exit_record *rec)
{
	/* arch/powerpc/include/uapi/asm/kvm.h */
	static const struct exit_name bits[] = {
		{ 1 << 1, "KVMPPC_DEBUG_BREAKPOINT", NULL },
		{ 1 << 2, "KVMPPC_DEBUG_WATCH_WRITE", NULL },
		{ 1 << 3, "KVMPPC_DEBUG_WATCH_READ", NULL },
	};
	uint32_t status = exit_payload_u32(info, 8);
	char text[96];

	exit_bits_text(bits, ARRAY_SIZE(bits), status, text, sizeof(text));
	rec->specific = true;
	exit_field(rec, "address", "0x%" PRIx64, exit_payload_u64(info, 0));
	exit_field(rec, "status", "0x%" PRIx32, status);
	exit_field_means(rec, "status", "%s", text);
	exit_what(rec, "debug event at 0x%" PRIx64 ": %s", exit_payload_u64(info, 0), text);
	exit_what_errno(rec, info);
}

void ppc_booke_exit_decode(const struct exit_info *info, struct exit_record *rec)
{
	exit_decode_generic(info, rec);
	switch (info->reason) {
	case EXIT_REASON_UNKNOWN:
		/* The reason is KVM's first guess: a failed KVM_RUN is told by its errno. */
		if (!info->run_errno)
			booke_unknown(info, rec);
		break;
	case EXIT_REASON_INTERNAL_ERROR:
		decode_insane(info, rec);
		break;
	case EXIT_REASON_DEBUG:
		decode_debug(info, rec);
		break;
	case EXIT_REASON_EPR:
		rec->specific = true;
		exit_field_means(rec, "epr", "the vector that user space's interrupt controller is to fill in");
		break;
	case EXIT_REASON_WATCHDOG:
		rec->specific = true;
		exit_what(rec, "the guest's watchdog timer expired for the last time (TCR[WRC])");
		exit_what_errno(rec, info);
		break;
	default:
		break;
	}
}

/* ---- Book3S ------------------------------------------------------------------------------------- */

/* arch/powerpc/include/asm/kvm_asm.h */
static const struct exit_name book3s_traps[] = {
	{ 0x100, "BOOK3S_INTERRUPT_SYSTEM_RESET", "system reset" },
	{ 0x200, "BOOK3S_INTERRUPT_MACHINE_CHECK", "machine check" },
	{ 0x300, "BOOK3S_INTERRUPT_DATA_STORAGE", "data access fault" },
	{ 0x380, "BOOK3S_INTERRUPT_DATA_SEGMENT", "no segment for a data access" },
	{ 0x400, "BOOK3S_INTERRUPT_INST_STORAGE", "instruction fetch fault" },
	{ 0x480, "BOOK3S_INTERRUPT_INST_SEGMENT", "no segment for an instruction fetch" },
	{ 0x500, "BOOK3S_INTERRUPT_EXTERNAL", "external interrupt" },
	{ 0x502, "BOOK3S_INTERRUPT_EXTERNAL_HV", "external interrupt for the hypervisor" },
	{ 0x600, "BOOK3S_INTERRUPT_ALIGNMENT", "unaligned access" },
	{ 0x700, "BOOK3S_INTERRUPT_PROGRAM", "illegal or privileged instruction, or trap" },
	{ 0x800, "BOOK3S_INTERRUPT_FP_UNAVAIL", "floating point is switched off" },
	{ 0x900, "BOOK3S_INTERRUPT_DECREMENTER", "decrementer" },
	{ 0x980, "BOOK3S_INTERRUPT_HV_DECREMENTER", "hypervisor decrementer" },
	{ 0xa00, "BOOK3S_INTERRUPT_DOORBELL", "doorbell" },
	{ 0xc00, "BOOK3S_INTERRUPT_SYSCALL", "system call" },
	{ 0xd00, "BOOK3S_INTERRUPT_TRACE", "single step" },
	{ 0xe00, "BOOK3S_INTERRUPT_H_DATA_STORAGE", "data access to where the host maps nothing" },
	{ 0xe20, "BOOK3S_INTERRUPT_H_INST_STORAGE", "instruction fetch from where the host maps nothing" },
	{ 0xe40, "BOOK3S_INTERRUPT_H_EMUL_ASSIST", "instruction that needs emulation" },
	{ 0xe60, "BOOK3S_INTERRUPT_HMI", "hypervisor maintenance" },
	{ 0xe80, "BOOK3S_INTERRUPT_H_DOORBELL", "hypervisor doorbell" },
	{ 0xea0, "BOOK3S_INTERRUPT_H_VIRT", "hypervisor virtualisation interrupt" },
	{ 0xf00, "BOOK3S_INTERRUPT_PERFMON", "performance monitor" },
	{ 0xf20, "BOOK3S_INTERRUPT_ALTIVEC", "AltiVec is switched off" },
	{ 0xf40, "BOOK3S_INTERRUPT_VSX", "VSX is switched off" },
	{ 0xf60, "BOOK3S_INTERRUPT_FAC_UNAVAIL", "a facility is switched off" },
	{ 0xf80, "BOOK3S_INTERRUPT_H_FAC_UNAVAIL", "a facility that the hypervisor switched off" },
	{ 0x1500, "BOOK3S_INTERRUPT_HV_SOFTPATCH", "instruction that the CPU leaves to software" },
	{ 0x5555, "BOOK3S_INTERRUPT_HV_RM_HARD", "passed-through interrupt left to the host" },
};

/* The largest number that is a trap. */
#define BOOK3S_TRAP_MAX 0x5fff

/*
 * Where KVM-HV itself runs as a guest, what the hypervisor below answers to H_ENTER_NESTED or H_GUEST_RUN_VCPU, or
 * -EINVAL for a failed H_GUEST_RUN_VCPU, is taken for the trap, sign-extended: QEMU's "hardware reason
 * ffffffffffffffea".
 */
static void book3s_nested(struct exit_record *rec, int64_t value)
{
	const char *status = ppc_hcall_status_name(value);
	char err[80];

	exit_errno_text((int)-value, err, sizeof(err));
	rec->cause = EXIT_CAUSE_NESTED;
	exit_what(rec, "the hypervisor below this host did not enter the guest: %" PRId64 ", that is -%s%s%s", value, err,
		  status ? ", or as a hypercall's status " : "", status ? status : "");
	exit_field_means(rec, "hardware_exit_reason", "-%s%s%s", err, status ? " or " : "", status ? status : "");
	exit_advise(rec, "the host is itself a guest: its hypervisor refused the vCPU's state; " DMESG
		    " may have \"KVM Guest Run VCPU hcall failed\"");
}

static void book3s_trap(const struct exit_info *info, struct exit_record *rec, uint64_t trap, const char *field)
{
	const struct exit_name *name = EXIT_NAME(book3s_traps, trap);

	rec->cause = trap == 0x200 ? EXIT_CAUSE_MACHINE_CHECK : EXIT_CAUSE_UNEXPECTED_TRAP;
	if (name)
		exit_what(rec, "a guest interrupt arrived in the host: trap 0x%" PRIx64 ", %s (%s)", trap, name->name,
			  name->text);
	else
		exit_what(rec, "a guest interrupt arrived in the host: trap 0x%" PRIx64, trap);
	exit_what_pc(rec, info);
	if (name)
		exit_field_means(rec, field, "%s: %s", name->name, name->text);
	exit_advise(rec, "KVM queued nothing for the guest, so entering it again would only repeat this; " DMESG
		    " has \"trap=\" with the registers");
}

static void book3s_unknown(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t hw = exit_payload_u64(info, 0);

	if (info->stale)
		return;
	if (hw >= (uint64_t)-4095) {
		book3s_nested(rec, (int64_t)hw);
	} else if (!hw) {
		rec->cause = EXIT_CAUSE_UNKNOWN;
		exit_what(rec, "KVM gave up without a reason");
		exit_field_means(rec, "hardware_exit_reason", "no trap");
		exit_advise(rec, "look at " DMESG);
	} else if (hw <= BOOK3S_TRAP_MAX) {
		book3s_trap(info, rec, hw, "hardware_exit_reason");
		rec->specific = EXIT_NAME(book3s_traps, hw) != NULL;
		return;
	} else {
		return;
	}
	rec->specific = true;
}

/*
 * "KVM trap in HV mode!": book3s_hv.c says INTERNAL_ERROR, but stores the trap in hw.hardware_exit_reason, over
 * suberror (a little-endian host) or ndata (a big-endian one).
 */
static bool trap_in_hv_mode(const struct exit_info *info, uint32_t *trap)
{
	uint32_t suberror = exit_payload_u32(info, EXIT_INTERNAL_SUBERROR);
	uint32_t ndata = exit_payload_u32(info, EXIT_INTERNAL_NDATA);

	if (suberror > EXIT_SUBERROR_UNEXPECTED_EXIT_REASON && !ndata)
		*trap = suberror;
	else if (!suberror && ndata > EXIT_MAX_NDATA)
		*trap = ndata;
	else
		return false;
	return true;
}

static void book3s_internal_error(const struct exit_info *info, struct exit_record *rec)
{
	uint32_t trap;

	if (decode_insane(info, rec) || !trap_in_hv_mode(info, &trap))
		return;
	exit_fields_drop(rec);
	exit_field(rec, "trap", "0x%" PRIx32, trap);
	book3s_trap(info, rec, trap, "trap");
	exit_what(rec, "the guest was left in hypervisor mode, trap 0x%" PRIx32, trap);
	if (EXIT_NAME(book3s_traps, trap))
		exit_what_more(rec, " (%s)", EXIT_NAME(book3s_traps, trap)->name);
	exit_what_pc(rec, info);
	exit_what_errno(rec, info);
	exit_advise(rec, "a bug of the host's KVM, or a machine check at the wrong moment; " DMESG
		    " has \"KVM trap in HV mode!\" with the registers");
	rec->specific = true;
}

static void book3s_fail_entry(const struct exit_info *info, struct exit_record *rec)
{
	if (exit_payload_u64(info, 0))
		return;
	rec->specific = true;
	if (info->run_errno == EINVAL) {
		exit_what(rec, "the guest has transactional memory active, which this host does not have");
		exit_what_errno(rec, info);
		exit_advise(rec, "a guest that was moved here from another host?");
		return;
	}
	rec->cause = EXIT_CAUSE_OUT_OF_MEMORY;
	exit_field_means(rec, "hardware_entry_failure_reason", "kvmhv_setup_mmu() failed");
	exit_what(rec, "KVM could not set up the guest's page tables");
	exit_what_errno(rec, info);
	exit_advise(rec, "the host lacks contiguous memory for a hash page table, or guest memory at address 0 is not there");
}

static void book3s_nmi(const struct exit_info *info, struct exit_record *rec)
{
	/* KVM_RUN_PPC_NMI_DISP_*: a number of two bits */
	static const struct exit_name dispositions[] = {
		{ 1, "KVM_RUN_PPC_NMI_DISP_FULLY_RECOV", "the host recovered" },
		{ 2, "KVM_RUN_PPC_NMI_DISP_LIMITED_RECOV", "the host recovered in part" },
		{ 3, "KVM_RUN_PPC_NMI_DISP_NOT_RECOV", "the host did not recover" },
	};
	const struct exit_name *d = EXIT_NAME(dispositions, info->flags & 3);

	rec->specific = true;
	exit_field(rec, "flags", "0x%x", info->flags);
	exit_field_means(rec, "flags", "%s", d ? d->name : "no disposition");
	exit_what(rec, "machine check while the guest ran, %s", d ? d->text : "of unknown effect");
	exit_what_errno(rec, info);
}

static void book3s_hcall(const struct exit_info *info, struct exit_record *rec)
{
	uint64_t nr = exit_payload_u64(info, 0);
	const char *name = ppc_hcall_name(nr);

	rec->specific = name != NULL;
	if (!name)
		return;
	exit_field_means(rec, "nr", "%s", name);
	exit_what(rec, "PAPR hypercall 0x%" PRIx64 " (%s)", nr, name);
	exit_what_errno(rec, info);
}

void ppc_book3s_exit_decode(const struct exit_info *info, struct exit_record *rec)
{
	exit_decode_generic(info, rec);
	switch (info->reason) {
	case EXIT_REASON_UNKNOWN:
		if (!info->run_errno)
			book3s_unknown(info, rec);
		break;
	case EXIT_REASON_INTERNAL_ERROR:
		book3s_internal_error(info, rec);
		break;
	case EXIT_REASON_FAIL_ENTRY:
		book3s_fail_entry(info, rec);
		break;
	case EXIT_REASON_NMI:
		book3s_nmi(info, rec);
		break;
	case EXIT_REASON_PAPR_HCALL:
		book3s_hcall(info, rec);
		break;
	case EXIT_REASON_DEBUG:
		decode_debug(info, rec);
		break;
	default:
		break;
	}
}
