// SPDX-License-Identifier: GPL-2.0-only
#include "x86/arch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/arch.h"
#include "lkvm/byteorder.h"
#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "x86/image.h"
#include "x86/layout.h"
#include "x86/mmu.h"

#define CR0_PE (1u << 0)
#define CR0_MP (1u << 1)
#define CR0_ET (1u << 4)
#define CR0_NE (1u << 5)
#define CR0_PG (1u << 31)
#define CR4_PAE (1u << 5)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define RFLAGS_RESERVED (1u << 1) /* always set */
#define RFLAGS_AC (1u << 18)

/* SDM volume 4, table 2-2. */
#define MSR_MISC_ENABLE 0x1a0
#define MISC_ENABLE_FAST_STRING (1u << 0)
#define MSR_LSTAR 0xc0000082u
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MTRR_ENABLE (1u << 11)
#define MTRR_WRITE_BACK 6

/* Local APIC registers in struct kvm_lapic_state (SDM volume 3, §11.4.1). */
#define LAPIC_LINT0 0x350
#define LAPIC_LINT1 0x360
#define LVT_MODE_MASK 0x700u
#define LVT_MODE_NMI 0x400u
#define LVT_MODE_EXTINT 0x700u
#define LVT_MASKED (1u << 16)

/* Where a CPU starts: SDM volume 3, §10.1.4. */
#define RESET_CS_BASE 0xffff0000u
#define RESET_RIP 0xfff0u

/* cpuid.h's structures stand for KVM's. */
_Static_assert(sizeof(struct x86_cpuid_entry) == sizeof(struct kvm_cpuid_entry2), "CPUID entry");
_Static_assert(offsetof(struct x86_cpuid_entry, eax) == offsetof(struct kvm_cpuid_entry2, eax), "eax");
_Static_assert(offsetof(struct x86_cpuid, entries) == sizeof(struct kvm_cpuid2), "CPUID table");
_Static_assert(X86_CPUID_INDEXED == KVM_CPUID_FLAG_SIGNIFCANT_INDEX, "CPUID flag");

/* ---- set-up ------------------------------------------------------------------------------------- */

static int set_cpuid(struct vcpu *vcpu)
{
	struct x86_cpuid *cpuid = &vcpu->vm->arch->cpuid;
	int ret;

	x86_cpuid_set_apic_id(cpuid, vcpu->index);
	ret = kvm_ioctl(vcpu->fd, KVM_SET_CPUID2, (struct kvm_cpuid2 *)(void *)cpuid);
	if (ret)
		log_error("KVM refuses the CPUID leaves of vCPU %u: %s", vcpu->index, strerror(-ret));
	return ret;
}

/*
 * What a PC's firmware leaves in the MSRs of every CPU: fast string instructions and write-back memory. Linux
 * does not use the PAT while MTRRs are off.
 */
static int set_msrs(struct vcpu *vcpu)
{
	struct {
		struct kvm_msrs      head;
		struct kvm_msr_entry entries[2];
	} msrs = {
		.head.nmsrs = 2,
		.entries = {
			{ .index = MSR_MTRR_DEF_TYPE, .data = MTRR_ENABLE | MTRR_WRITE_BACK },
			{ .index = MSR_MISC_ENABLE, .data = MISC_ENABLE_FAST_STRING },
		},
	};
	int ret = kvm_ioctl(vcpu->fd, KVM_SET_MSRS, &msrs.head);

	if (ret < 0) {
		log_error("cannot set MSRs of vCPU %u: %s", vcpu->index, strerror(-ret));
		return ret;
	}
	/* KVM stops at the first that it does not have. Both make guests faster, neither is needed. */
	if (ret < 2)
		log_debug("KVM refuses MSR 0x%x of vCPU %u", msrs.entries[ret].index, vcpu->index);
	return 0;
}

int arch_vcpu_create(struct vcpu *vcpu)
{
	int ret = set_cpuid(vcpu);

	return ret ? ret : set_msrs(vcpu);
}

void arch_vcpu_destroy(struct vcpu *vcpu)
{
	(void)vcpu; /* nothing beyond the fd */
}

/* Virtual wire mode (MP 1.4 §3.6.2.1): the PICs' interrupts and NMI come in through the boot CPU's APIC. */
static int connect_pic(struct vcpu *vcpu)
{
	struct kvm_lapic_state lapic;
	int ret;

	ret = kvm_ioctl(vcpu->fd, KVM_GET_LAPIC, &lapic);
	if (!ret) {
		uint32_t lint0 = get_le32(lapic.regs + LAPIC_LINT0);
		uint32_t lint1 = get_le32(lapic.regs + LAPIC_LINT1);

		put_le32(lapic.regs + LAPIC_LINT0, (lint0 & ~(LVT_MODE_MASK | LVT_MASKED)) | LVT_MODE_EXTINT);
		put_le32(lapic.regs + LAPIC_LINT1, (lint1 & ~(LVT_MODE_MASK | LVT_MASKED)) | LVT_MODE_NMI);
		ret = kvm_ioctl(vcpu->fd, KVM_SET_LAPIC, &lapic);
	}
	if (ret)
		log_error("cannot connect the PIC to vCPU %u's local APIC: %s", vcpu->index, strerror(-ret));
	return ret;
}

/* As the GDT entries of boot.c say. */
static void set_segments(struct kvm_sregs *s, bool long_mode)
{
	const struct kvm_segment code = {
		.selector = X86_BOOT_CS, .limit = UINT32_MAX, .type = 0xb, .present = 1,
		.s = 1, .g = 1, .l = long_mode, .db = !long_mode,
	};
	const struct kvm_segment data = {
		.selector = X86_BOOT_DS, .limit = UINT32_MAX, .type = 0x3, .present = 1,
		.s = 1, .g = 1, .db = 1,
	};
	const struct kvm_segment tss = {
		.selector = X86_BOOT_TSS, .limit = 0x67, .type = 0xb, .present = 1,
	};

	s->cs = code;
	s->ds = s->es = s->fs = s->gs = s->ss = data;
	s->tr = tss;
	s->gdt.base = X86_BOOT_GDT;
	s->gdt.limit = X86_BOOT_GDT_ENTRIES * 8 - 1;
	/* No interrupt table: the guest brings its own before it takes any. */
	s->idt.base = 0;
	s->idt.limit = 0;
}

static int set_entry(struct vcpu *vcpu, bool long_mode, const struct kvm_regs *regs)
{
	struct kvm_sregs sregs;
	int ret;

	ret = kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	if (!ret) {
		set_segments(&sregs, long_mode);
		sregs.cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | (long_mode ? CR0_PG : 0);
		sregs.cr3 = long_mode ? X86_BOOT_PML4 : 0;
		sregs.cr4 = long_mode ? CR4_PAE : 0;
		sregs.efer = long_mode ? EFER_LME | EFER_LMA : 0;
		ret = kvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
	}
	if (!ret)
		ret = kvm_ioctl(vcpu->fd, KVM_SET_REGS, regs);
	if (ret)
		log_error("KVM refuses the registers of vCPU %u: %s", vcpu->index, strerror(-ret));
	return ret;
}

/* Those after the first wait in KVM for INIT and SIPI. */
int arch_vcpu_reset(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct kvm_regs regs = { .rip = vm->boot.entry, .rflags = RFLAGS_RESERVED };
	bool long_mode = true;
	int ret;

	if (vcpu->index)
		return 0;
	switch ((enum x86_boot_protocol)vm->boot.arch[X86_IMAGE_PROTOCOL]) {
	case X86_BOOT_LINUX64:
	case X86_BOOT_ELF64:
		regs.rsi = X86_BOOT_PARAMS;
		break;
	case X86_BOOT_PVH:
		regs.rbx = X86_BOOT_PVH_INFO;
		long_mode = false;
		break;
	case X86_BOOT_FLAT:
		break;
	}
	if (vm->arch->irqchip->pic) {
		ret = connect_pic(vcpu);
		if (ret)
			return ret;
	}
	return set_entry(vcpu, long_mode, &regs);
}

/* ---- exits -------------------------------------------------------------------------------------- */

enum vcpu_exit_action arch_vcpu_exit(struct vcpu *vcpu)
{
	const struct x86_irqchip *irqchip = vcpu->vm->arch->irqchip;

	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_IOAPIC_EOI:
		if (!irqchip->eoi)
			return VCPU_UNHANDLED;
		irqchip->eoi(vcpu->vm, vcpu->run->eoi.vector);
		return VCPU_RESUME;
	default:
		return VCPU_UNHANDLED;
	}
}

/* ---- reports ------------------------------------------------------------------------------------ */

bool arch_event_is_failure(const struct kvm_run *run)
{
	(void)run; /* a PC has no such event */
	return false;
}

int arch_vcpu_pc(struct vcpu *vcpu, uint64_t *pc)
{
	struct kvm_regs regs;
	int ret = kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);

	if (!ret)
		*pc = regs.rip;
	return ret;
}

static void add_general(struct reg_set *set, const struct kvm_regs *r)
{
	const struct {
		const char   *name;
		uint64_t      value;
		enum reg_role role;
	} regs[] = {
		{ "rax", r->rax, ROLE_PLAIN }, { "rbx", r->rbx, ROLE_PLAIN }, { "rcx", r->rcx, ROLE_PLAIN },
		{ "rdx", r->rdx, ROLE_PLAIN }, { "rsi", r->rsi, ROLE_PLAIN }, { "rdi", r->rdi, ROLE_PLAIN },
		{ "rbp", r->rbp, ROLE_FP },    { "rsp", r->rsp, ROLE_SP },    { "r8", r->r8, ROLE_PLAIN },
		{ "r9", r->r9, ROLE_PLAIN },   { "r10", r->r10, ROLE_PLAIN }, { "r11", r->r11, ROLE_PLAIN },
		{ "r12", r->r12, ROLE_PLAIN }, { "r13", r->r13, ROLE_PLAIN }, { "r14", r->r14, ROLE_PLAIN },
		{ "r15", r->r15, ROLE_PLAIN }, { "rip", r->rip, ROLE_PC },    { "rfl", r->rflags, ROLE_PLAIN },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++)
		reg_add(set, REG_GENERAL, regs[i].role, regs[i].name, 8, true, regs[i].value);
}

static void note_segment(struct reg_set *set, const char *name, const struct kvm_segment *s)
{
	reg_note(set, "%s %04x base %016" PRIx64 " limit %08x type %x dpl %u%s%s%s%s", name, s->selector,
		 (uint64_t)s->base, s->limit, s->type, s->dpl, s->present ? "" : " not present",
		 s->l ? " 64-bit" : s->db ? " 32-bit" : " 16-bit", s->s ? "" : " system",
		 s->unusable ? " unusable" : "");
}

/* The system call entry, an address in the kernel's text; 0 if KVM does not tell. */
static uint64_t read_lstar(struct vcpu *vcpu)
{
	struct {
		struct kvm_msrs      head;
		struct kvm_msr_entry entry;
	} msrs = { .head.nmsrs = 1, .entry.index = MSR_LSTAR };

	return kvm_ioctl(vcpu->fd, KVM_GET_MSRS, &msrs.head) == 1 ? msrs.entry.data : 0;
}

static void add_system(struct vcpu *vcpu, struct reg_set *set, const struct kvm_sregs *s)
{
	uint64_t lstar = read_lstar(vcpu);
	const struct {
		const char   *name;
		uint64_t      value;
		enum reg_role role;
	} regs[] = {
		{ "cr0", s->cr0, ROLE_PLAIN },       { "cr2", s->cr2, ROLE_FAULT },
		{ "cr3", s->cr3, ROLE_PLAIN },       { "cr4", s->cr4, ROLE_PLAIN },
		{ "cr8", s->cr8, ROLE_PLAIN },       { "efer", s->efer, ROLE_PLAIN },
		{ "apic_base", s->apic_base, ROLE_PLAIN }, { "gdt", s->gdt.base, ROLE_PLAIN },
		{ "idt", s->idt.base, ROLE_PLAIN },  { "lstar", lstar, ROLE_VECTOR },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++)
		reg_add(set, REG_SYSTEM, regs[i].role, regs[i].name, 8, regs[i].role != ROLE_VECTOR || lstar,
			regs[i].value);
	note_segment(set, "cs ", &s->cs);
	note_segment(set, "ss ", &s->ss);
	note_segment(set, "ds ", &s->ds);
	note_segment(set, "es ", &s->es);
	note_segment(set, "fs ", &s->fs);
	note_segment(set, "gs ", &s->gs);
	note_segment(set, "tr ", &s->tr);
	note_segment(set, "ldt", &s->ldt);
	reg_note(set, "gdt limit %04x, idt limit %04x", s->gdt.limit, s->idt.limit);
}

void arch_vcpu_regs(struct vcpu *vcpu, struct reg_set *set)
{
	struct kvm_mp_state mp;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	int ret = kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);

	if (ret) {
		reg_note(set, "KVM does not give the registers: %s", strerror(-ret));
		return;
	}
	add_general(set, &regs);
	set->bits = 64;
	set->frames = FRAMES_UP;
	set->vector_symbol = "entry_SYSCALL_64";
	if (!kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs)) {
		add_system(vcpu, set, &sregs);
		set->user = sregs.ss.dpl == 3 && sregs.cr0 & CR0_PE;
		set->bits = sregs.cs.l ? 64 : sregs.cs.db ? 32 : 16;
		/* What is translated is the linear address. */
		set->code_base = sregs.cs.l ? 0 : sregs.cs.base;
		/* arch/x86/kvm/svm/svm.c, shutdown_interception(): the VMCB is undefined, so KVM resets it. */
		if (vcpu->run->exit_reason == KVM_EXIT_SHUTDOWN && regs.rip == RESET_RIP &&
		    sregs.cs.base == RESET_CS_BASE)
			reg_note(set, "these are the values at reset: AMD's SVM loses the guest's in a triple fault");
	}
	if (!kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &mp))
		set->halted = mp.mp_state != KVM_MP_STATE_RUNNABLE;
}

bool arch_vcpu_big_endian(struct vcpu *vcpu LKVM_UNUSED)
{
	return false;
}

void arch_vcpu_translate(struct vcpu *vcpu, uint64_t va, bool fetch, struct walk *w)
{
	struct walk_memory mem = memory_for_walk(&vcpu->vm->memory);
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct x86_mmu mmu;
	int ret;

	(void)fetch; /* both see the same tables */
	ret = kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	if (!ret)
		ret = kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	if (ret) {
		walk_init(w, va, false);
		walk_fail(w, WALK_UNKNOWN, "KVM does not give the control registers: %s", strerror(-ret));
		return;
	}
	mmu = (struct x86_mmu){
		.cr0 = sregs.cr0, .cr3 = sregs.cr3, .cr4 = sregs.cr4, .efer = sregs.efer,
		.user = sregs.ss.dpl == 3 && sregs.cr0 & CR0_PE, .ac = regs.rflags & RFLAGS_AC,
	};
	x86_mmu_walk(&mmu, &mem, va, w);
}

/* ---- registers: KVM's MSRs, by their numbers ---------------------------------------------------- */

/* Intel SDM volume 4, AMD APM volume 2 appendix A, arch/x86/include/uapi/asm/kvm_para.h. */
static const struct {
	uint32_t    msr;
	const char *name;
} msr_names[] = {
	{ 0x10, "IA32_TSC" }, { 0x1b, "IA32_APIC_BASE" }, { 0x3a, "IA32_FEATURE_CONTROL" }, { 0x3b, "IA32_TSC_ADJUST" },
	{ 0x48, "IA32_SPEC_CTRL" }, { 0x49, "IA32_PRED_CMD" }, { 0x8b, "IA32_UCODE_REV" }, { 0x9e, "IA32_SMBASE" },
	{ 0x122, "IA32_TSX_CTRL" }, { 0x10a, "IA32_ARCH_CAPABILITIES" }, { 0x140, "MISC_FEATURES_ENABLES" },
	{ 0x174, "IA32_SYSENTER_CS" }, { 0x175, "IA32_SYSENTER_ESP" }, { 0x176, "IA32_SYSENTER_EIP" },
	{ 0x17a, "IA32_MCG_STATUS" }, { 0x17b, "IA32_MCG_CTL" }, { 0x1a0, "IA32_MISC_ENABLE" },
	{ 0x1c4, "IA32_XFD" }, { 0x1c5, "IA32_XFD_ERR" }, { 0x1d9, "IA32_DEBUGCTL" }, { 0x277, "IA32_PAT" },
	{ 0x309, "IA32_FIXED_CTR0" }, { 0x30a, "IA32_FIXED_CTR1" }, { 0x30b, "IA32_FIXED_CTR2" },
	{ 0x345, "IA32_PERF_CAPABILITIES" }, { 0x38d, "IA32_FIXED_CTR_CTRL" }, { 0x38e, "IA32_PERF_GLOBAL_STATUS" },
	{ 0x38f, "IA32_PERF_GLOBAL_CTRL" }, { 0x390, "IA32_PERF_GLOBAL_OVF_CTRL" }, { 0x3f1, "IA32_PEBS_ENABLE" },
	{ 0x3f2, "IA32_PEBS_DATA_CFG" }, { 0x600, "IA32_DS_AREA" }, { 0x6e0, "IA32_TSC_DEADLINE" }, { 0xda0, "IA32_XSS" },
	{ 0x34, "SMI_COUNT" }, { 0xce, "PLATFORM_INFO" }, { 0x1fc, "POWER_CTL" }, { 0xe1, "IA32_UMWAIT_CONTROL" }, { 0x4b564d00, "KVM_WALL_CLOCK_NEW" }, { 0x4b564d01, "KVM_SYSTEM_TIME_NEW" },
	{ 0x4b564d02, "KVM_ASYNC_PF_EN" }, { 0x4b564d03, "KVM_STEAL_TIME" }, { 0x4b564d04, "KVM_EOI_EN" },
	{ 0x4b564d05, "KVM_POLL_CONTROL" }, { 0x4b564d06, "KVM_ASYNC_PF_INT" }, { 0x4b564d07, "KVM_ASYNC_PF_ACK" },
	{ 0x4b564d08, "KVM_MIGRATION_CONTROL" }, { 0x11, "KVM_WALL_CLOCK" }, { 0x12, "KVM_SYSTEM_TIME" },
	{ 0xc0000080, "EFER" }, { 0xc0000081, "STAR" }, { 0xc0000082, "LSTAR" }, { 0xc0000083, "CSTAR" },
	{ 0xc0000084, "SYSCALL_MASK" }, { 0xc0000100, "FS_BASE" }, { 0xc0000101, "GS_BASE" },
	{ 0xc0000102, "KERNEL_GS_BASE" }, { 0xc0000103, "TSC_AUX" }, { 0xc0000104, "TSC_RATIO" },
	{ 0xc0010015, "K7_HWCR" }, { 0xc0010117, "VM_HSAVE_PA" }, { 0xc001011f, "VIRT_SPEC_CTRL" },
	{ 0xc0011029, "DE_CFG" },
};

void arch_reg_name(uint64_t id, char *buf, size_t size)
{
	snprintf(buf, size, "%s", "");
	for (size_t i = 0; i < ARRAY_SIZE(msr_names); i++)
		if (msr_names[i].msr == id)
			snprintf(buf, size, "%s", msr_names[i].name);
	if (id >= 0xc1 && id < 0xc9)
		snprintf(buf, size, "IA32_PMC%u", (unsigned int)id - 0xc1);
	else if (id >= 0x186 && id < 0x18e)
		snprintf(buf, size, "IA32_PERFEVTSEL%u", (unsigned int)id - 0x186);
	else if (id >= 0xc0010000 && id < 0xc0010008)
		snprintf(buf, size, id < 0xc0010004 ? "K7_EVNTSEL%u" : "K7_PERFCTR%u", (unsigned int)id & 3);
	else if (id >= 0xc0010200 && id < 0xc001020c)
		snprintf(buf, size, id & 1 ? "F15H_PERF_CTR%u" : "F15H_PERF_CTL%u", (unsigned int)(id & 0xf) / 2);
}

int arch_reg_ids(struct vcpu *vcpu, uint64_t **ids, size_t *nr)
{
	struct kvm_msr_list none = { 0 };
	struct kvm_msr_list *list;
	int ret;

	ret = kvm_ioctl(vcpu->vm->kvm_fd, KVM_GET_MSR_INDEX_LIST, &none);
	if (ret != -E2BIG)
		return ret ? ret : -ENODATA;
	list = calloc(1, sizeof(*list) + none.nmsrs * sizeof(list->indices[0]));
	*ids = calloc(none.nmsrs, sizeof(**ids));
	ret = list && *ids ? 0 : -ENOMEM;
	if (!ret) {
		list->nmsrs = none.nmsrs;
		ret = kvm_ioctl(vcpu->vm->kvm_fd, KVM_GET_MSR_INDEX_LIST, list);
	}
	for (*nr = 0; !ret && *nr < list->nmsrs; (*nr)++)
		(*ids)[*nr] = list->indices[*nr];
	free(list);
	if (ret) {
		free(*ids);
		*ids = NULL;
	}
	return ret;
}

size_t arch_reg_bytes(uint64_t id)
{
	(void)id;
	return sizeof(uint64_t);
}

struct one_msr {
	struct kvm_msrs      head;
	struct kvm_msr_entry entry;
};

/* KVM says how many it did: none is a refusal. */
int arch_reg_get(struct vcpu *vcpu, uint64_t id, void *value)
{
	struct one_msr msr = { .head.nmsrs = 1, .entry.index = (uint32_t)id };
	int ret = kvm_ioctl(vcpu->fd, KVM_GET_MSRS, &msr.head);

	memcpy(value, &msr.entry.data, sizeof(msr.entry.data));
	return ret < 0 ? ret : ret == 1 ? 0 : -EINVAL;
}

int arch_reg_set(struct vcpu *vcpu, uint64_t id, const void *value)
{
	struct one_msr msr = { .head.nmsrs = 1, .entry.index = (uint32_t)id };
	int ret;

	memcpy(&msr.entry.data, value, sizeof(msr.entry.data));
	ret = kvm_ioctl(vcpu->fd, KVM_SET_MSRS, &msr.head);
	return ret < 0 ? ret : ret == 1 ? 0 : -EINVAL;
}

/* ---- the guest's own performance counters ------------------------------------------------------- */

#define EVNTSEL_ENABLE (1u << 22)

/* The general counters, by their event select register: Intel SDM volume 3, 20.2; AMD APM volume 2, 13.2. */
const char *const arch_no_guest_events = NULL, *const arch_no_guest_time = NULL;

int arch_guest_counters(struct vcpu *vcpu, struct guest_counter *counters, size_t max, const char **missing)
{
	struct x86_pmu_msrs msrs;
	uint64_t select, value;
	size_t n = 0;

	*missing = NULL;
	if (!x86_cpuid_pmu_msrs(&vcpu->vm->arch->cpuid, &msrs)) {
		*missing = "the guest has no PMU";
		return -ENOTSUP;
	}
	for (unsigned int i = 0; i < msrs.nr && n < max; i++) {
		if (arch_reg_get(vcpu, msrs.select + i * msrs.stride, &select) || !(select & EVNTSEL_ENABLE) ||
		    arch_reg_get(vcpu, msrs.counter + i * msrs.stride, &value))
			continue;
		snprintf(counters[n].name, sizeof(counters[n].name), "PMC%u event=0x%02x,umask=0x%02x", i,
			 (unsigned int)(select & 0xff) | (unsigned int)(select >> 32 & 0xf) << 8,
			 (unsigned int)(select >> 8 & 0xff));
		counters[n++].value = value;
	}
	return (int)n;
}
