// SPDX-License-Identifier: GPL-2.0-only
/* A riscv vCPU is set up through ONE_REG alone: KVM_{GET,SET}_{REGS,SREGS,FPU} do not exist here. */
#include "riscv/arch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lkvm/arch.h"
#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "lkvm/registers.h"
#include "riscv/reg-names.h"
#include "riscv/mmu.h"

/* Numbers that KVM might give to extensions, where it can't list its registers. */
#define SCAN_ISA_IDS 128
#define SCAN_SBI_IDS 64

/* The PMU of the host's own kernel (drivers/perf/riscv_pmu_sbi.c). */
#define PMU_SYSFS "/sys/bus/event_source/devices/cpu"

/* CSR numbers (RISC-V privileged and scalar cryptography specs). */
#define CSR_SEED 0x015

/* seed CSR, scalar crypto spec 1.0.1 §4.1: OPST in bits 31:30, 16 bits of entropy below. */
#define SEED_OPST_WAIT (1u << 30)
#define SEED_OPST_ES16 (2u << 30)

/* ---- what KVM's vCPUs are ----------------------------------------------------------------------- */

/* One register into *@v, which stays as it was if KVM does not have it. */
static int get_optional(int fd, uint64_t id, uint64_t *v)
{
	uint64_t got = 0;
	int ret = kvm_get_reg(fd, id, &got);

	if (!ret)
		*v = got;
	return ret;
}

/* Notes register @id if it says that the host has an ISA or SBI extension, and whether it is on. */
static void note_extension(int fd, uint64_t id, struct riscv_cpu *cpu)
{
	unsigned int type = (unsigned int)(id >> 24 & 0xff);
	unsigned int subtype = (unsigned int)(id >> 16 & 0xff);
	unsigned int ext = (unsigned int)(id & 0xffff);
	uint64_t on = 0;

	if (subtype || (type != 7 && type != 8) || get_optional(fd, id, &on))
		return;
	if (type == 7) {
		if (on)
			riscv_isa_add(&cpu->isa, ext);
	} else if (ext < 64) {
		cpu->sbi |= UINT64_C(1) << ext;
		if (on)
			cpu->sbi_on |= UINT64_C(1) << ext;
	}
}

/* All extensions through KVM_GET_REG_LIST. 0, -ENOMEM, or -errno of a KVM without it (before 6.6). */
static int read_listed_extensions(int fd, struct riscv_cpu *cpu)
{
	struct kvm_reg_list none = { .n = 0 };
	struct kvm_reg_list *list;
	int ret;

	ret = kvm_ioctl(fd, KVM_GET_REG_LIST, &none);
	if (ret != -E2BIG)
		return ret ? ret : -ENOTTY; /* a vCPU without registers is not to be believed */
	list = calloc(1, sizeof(*list) + none.n * sizeof(list->reg[0]));
	if (!list)
		return -ENOMEM;
	list->n = none.n;
	ret = kvm_ioctl(fd, KVM_GET_REG_LIST, list);
	for (uint64_t i = 0; !ret && i < list->n; i++)
		note_extension(fd, list->reg[i], cpu);
	free(list);
	return ret;
}

int riscv_cpu_read(int fd, struct riscv_cpu *cpu)
{
	int ret;

	memset(cpu, 0, sizeof(*cpu));
	ret = read_listed_extensions(fd, cpu);
	if (ret == -ENOMEM) {
		log_error("out of memory for the vCPU's register list");
		return ret;
	}
	if (ret) {
		for (unsigned int i = 0; i < SCAN_ISA_IDS; i++)
			note_extension(fd, RISCV_REG_ISA(i), cpu);
		for (unsigned int i = 0; i < SCAN_SBI_IDS; i++)
			note_extension(fd, RISCV_REG_SBI(i), cpu);
	}
	ret = get_optional(fd, RISCV_REG_TIMER(RISCV_TIMER_FREQUENCY), &cpu->timebase_hz);
	if (ret) {
		log_error("KVM does not tell the vCPU's timer frequency: %s", strerror(-ret));
		return ret;
	}
	/* Absent where the host lacks the extension, or its kernel is older than the register. */
	(void)get_optional(fd, RISCV_REG_CONFIG(RISCV_CONFIG_ZICBOM_BLOCK), &cpu->cbom_block_bytes);
	(void)get_optional(fd, RISCV_REG_CONFIG(RISCV_CONFIG_ZICBOZ_BLOCK), &cpu->cboz_block_bytes);
	(void)get_optional(fd, RISCV_REG_CONFIG(RISCV_CONFIG_ZICBOP_BLOCK), &cpu->cbop_block_bytes);
	(void)get_optional(fd, RISCV_REG_CONFIG(RISCV_CONFIG_SATP_MODE), &cpu->satp_mode);
	return 0;
}

/* ---- set-up ------------------------------------------------------------------------------------- */

/* Why KVM does not set a register of an extension or of the config group, as the end of a sentence. */
static const char *refusal(int err)
{
	switch (-err) {
	case ENOENT:
		return "this host has none: its CPUs, its firmware or its kernel's KVM lack it";
	case EINVAL:
		return "KVM has this host's value and does not let guests have another";
	case EBUSY:
		return "too late, the vCPU has already run";
	case EOPNOTSUPP:
		return "this host's kernel can't change it";
	default:
		return strerror(-err);
	}
}

/*
 * Switches the extension behind register @id on or off, and looks whether KVM did. @word is what the user
 * calls it, @option where. Turning off what is not there is done already. 0 or -errno (reported);
 * -ENOENT is silent with @optional.
 */
static int set_extension(struct vcpu *vcpu, const char *option, const char *word, uint64_t id, bool on,
			 bool optional)
{
	uint64_t now = 0, v = on;
	int ret;

	ret = kvm_get_reg(vcpu->fd, id, &now);
	if (ret == -ENOENT || ret == -EINVAL) { /* EINVAL: before Linux 6.6 */
		if (!on)
			return 0;
		if (!optional)
			log_error("%s %s=on: %s", option, word, refusal(-ENOENT));
		return -ENOENT;
	}
	if (!ret && now == v)
		return 0;
	if (!ret)
		ret = kvm_set_reg(vcpu->fd, id, &v);
	if (!ret)
		ret = kvm_get_reg(vcpu->fd, id, &now);
	if (ret) {
		log_error("%s %s=%s: vCPU %u: %s", option, word, on ? "on" : "off", vcpu->index,
			  ret != -EINVAL ? refusal(ret) :
			  on ? "this host has it, but KVM does not let guests use it" :
			       "KVM can't take it away from guests");
		return ret;
	}
	if (now == v)
		return 0;
	log_error("%s %s=%s: vCPU %u: KVM accepted that, but the extension is still %s", option, word,
		  on ? "on" : "off", vcpu->index, on ? "off" : "on");
	return -EIO;
}

/*
 * A guest that sees Ssaia expects AIA's CSRs to work, but without an in-kernel AIA KVM sends accesses
 * here. Not every host can turn it off; the device tree does not mention it either way.
 */
static int hide_aia(struct vcpu *vcpu)
{
	uint64_t off = 0;

	if (vcpu->vm->cfg->riscv.isa[RISCV_ISA_EXT_SSAIA] == CONFIG_ON) {
		log_error("--isa ssaia=on: this guest has a PLIC; Ssaia needs --irqchip aia");
		return -EINVAL;
	}
	if (kvm_set_reg(vcpu->fd, RISCV_REG_ISA(RISCV_ISA_EXT_SSAIA), &off))
		log_debug("vCPU %u keeps Ssaia", vcpu->index);
	return 0;
}

static int set_isa(struct vcpu *vcpu)
{
	const uint8_t *wanted = vcpu->vm->cfg->riscv.isa;
	char buf[RISCV_EXT_WORD_BYTES];
	int ret = 0;

	for (unsigned int id = 0; !ret && id < CONFIG_RISCV_ISA_IDS; id++)
		if (wanted[id] != CONFIG_AUTO)
			ret = set_extension(vcpu, "--isa", riscv_isa_word(id, buf), RISCV_REG_ISA(id),
					    wanted[id] == CONFIG_ON, false);
	return ret;
}

/* mvendorid and the like. Those that KVM fixes may be given as they are. */
static int set_config(struct vcpu *vcpu)
{
	const struct config_riscv *cfg = &vcpu->vm->cfg->riscv;

	for (size_t i = 0; i < riscv_config_regs_nr; i++) {
		const struct riscv_config_reg *reg = &riscv_config_regs[i];
		const uint64_t id = RISCV_REG((uint64_t)reg->group, 0, reg->reg);
		uint64_t v = cfg->config[i], now = 0;
		int ret;

		if (!(cfg->config_set >> i & 1))
			continue;
		ret = kvm_set_reg(vcpu->fd, id, &v);
		if (!ret)
			ret = kvm_get_reg(vcpu->fd, id, &now);
		if (ret) {
			log_error("--isa %s=0x%" PRIx64 ": vCPU %u: %s", reg->name, v, vcpu->index, refusal(ret));
			return ret;
		}
		if (now != v) {
			log_error("--isa %s=0x%" PRIx64 ": vCPU %u: KVM accepted that, but it is 0x%" PRIx64,
				  reg->name, v, vcpu->index, now);
			return -EIO;
		}
	}
	return 0;
}

const char *riscv_pmu_lacks(int vcpu_fd)
{
	uint64_t v;

	if (kvm_get_reg(vcpu_fd, RISCV_REG_ISA(RISCV_ISA_EXT_SSCOFPMF), &v))
		return "its CPUs lack Sscofpmf, without which KVM gives guests none";
	if (access(PMU_SYSFS, F_OK))
		return "its own kernel has none: the firmware lacks SBI PMU, or the kernel CONFIG_RISCV_PMU_SBI";
	return "KVM does not offer one: its counters beyond cycle and instret are missing, or its kernel is older "
	       "than Linux 6.3";
}

static int set_pmu(struct vcpu *vcpu)
{
	enum config_tristate wanted = vcpu->vm->cfg->pmu;
	int ret;

	if (wanted == CONFIG_AUTO)
		return 0; /* on where the host can */
	ret = set_extension(vcpu, "--sbi", "pmu", RISCV_REG_SBI(RISCV_SBI_EXT_PMU), wanted == CONFIG_ON, true);
	if (ret == -ENOENT)
		log_error("--pmu: this host has no PMU for guests: %s (--pmu=auto does without)",
			  riscv_pmu_lacks(vcpu->fd));
	return ret;
}

/*
 * The extensions that KVM leaves to user space are off by default: lkvm serves DBCN and SUSP (sbi.c). A virtio
 * console is to be the guest's hvc0, so there DBCN stays off: Linux would make it hvc0.
 */
static bool on_by_default(const struct config *cfg, unsigned int id)
{
	return id == RISCV_SBI_EXT_SUSP || (id == RISCV_SBI_EXT_DBCN && cfg->console != CONSOLE_VIRTIO);
}

static int set_sbi(struct vcpu *vcpu)
{
	const struct config *cfg = vcpu->vm->cfg;
	char buf[RISCV_EXT_WORD_BYTES];

	for (unsigned int id = 0; id < CONFIG_RISCV_SBI_IDS; id++) {
		bool optional = cfg->riscv.sbi[id] == CONFIG_AUTO;
		bool on = optional ? on_by_default(cfg, id) : cfg->riscv.sbi[id] == CONFIG_ON;
		int ret;

		if (optional && !on)
			continue;
		ret = set_extension(vcpu, "--sbi", riscv_sbi_word(id, buf), RISCV_REG_SBI(id), on, optional);
		if (ret && !(optional && ret == -ENOENT))
			return ret;
	}
	return 0;
}

int arch_vcpu_create(struct vcpu *vcpu)
{
	struct arch_vm *arch = vcpu->vm->arch;
	bool aia = arch->irqchip == &riscv_aia;
	int ret;

	ret = aia ? 0 : hide_aia(vcpu);
	if (!ret)
		ret = set_isa(vcpu);
	if (!ret)
		ret = set_config(vcpu);
	if (!ret)
		ret = set_pmu(vcpu);
	if (!ret)
		ret = set_sbi(vcpu);
	if (ret || vcpu->index)
		return ret;
	/* What came of it is what the device tree says. */
	ret = riscv_cpu_read(vcpu->fd, &arch->cpu);
	if (!ret && !aia)
		riscv_isa_remove(&arch->cpu.isa, RISCV_ISA_EXT_SSAIA);
	return ret;
}

void arch_vcpu_destroy(struct vcpu *vcpu)
{
	(void)vcpu; /* nothing beyond the fd */
}

static int set_core(struct vcpu *vcpu, const char *name, unsigned int reg, uint64_t v)
{
	int ret = kvm_set_reg(vcpu->fd, RISCV_REG_CORE(reg), &v);

	if (ret)
		log_error("KVM refuses %s = 0x%" PRIx64 " on vCPU %u: %s", name, v, vcpu->index,
			  strerror(-ret));
	return ret;
}

/*
 * Linux Documentation/arch/riscv/boot.rst: a0 = hart id, a1 = device tree, satp = 0, which is how KVM
 * creates vCPUs. Those after the first it creates stopped; the guest starts them by SBI HSM.
 */
int arch_vcpu_reset(struct vcpu *vcpu)
{
	const struct vm_boot *boot = &vcpu->vm->boot;
	int ret;

	if (vcpu->index)
		return 0;
	ret = set_core(vcpu, "pc", RISCV_CORE_PC, boot->entry);
	if (!ret)
		ret = set_core(vcpu, "a0", RISCV_CORE_A0, vcpu->index);
	if (!ret)
		ret = set_core(vcpu, "a1", RISCV_CORE_A1, boot->fdt);
	return ret;
}

/* ---- exits -------------------------------------------------------------------------------------- */

static void serve_sbi(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct riscv_sbi_call call = {
		.extension = run->riscv_sbi.extension_id,
		.function = run->riscv_sbi.function_id,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(call.args); i++)
		call.args[i] = run->riscv_sbi.args[i];
	riscv_sbi_handle(&vcpu->vm->arch->sbi, &call);
	if (call.error == SBI_ERR_NOT_SUPPORTED)
		atomic_fetch_add_explicit(&vcpu->calls_unserved, 1, memory_order_relaxed);
	run->riscv_sbi.ret[0] = (unsigned long)call.error;
	run->riscv_sbi.ret[1] = call.value;
}

static uint64_t read_seed(void)
{
	uint16_t entropy;

	if (getrandom(&entropy, sizeof(entropy), GRND_NONBLOCK) != sizeof(entropy))
		return SEED_OPST_WAIT;
	return SEED_OPST_ES16 | entropy;
}

/*
 * KVM forwards only CSRs that it knows user space may serve; for others the guest gets its illegal
 * instruction in the kernel. There is no way to refuse an access here, so the rest reads as zero: that is
 * AIA's stopei and sireg on a host that has AIA, for a guest that has none.
 */
static void serve_csr(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	if (run->riscv_csr.csr_num == CSR_SEED) {
		run->riscv_csr.ret_value = read_seed();
		return;
	}
	atomic_fetch_add_explicit(&vcpu->csrs_unserved, 1, memory_order_relaxed);
	log_debug("vCPU %u: access to CSR 0x%lx, reads as 0", vcpu->index, run->riscv_csr.csr_num);
	run->riscv_csr.ret_value = 0;
}

enum vcpu_exit_action arch_vcpu_exit(struct vcpu *vcpu)
{
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_RISCV_SBI:
		serve_sbi(vcpu);
		return VCPU_RESUME;
	case KVM_EXIT_RISCV_CSR:
		serve_csr(vcpu);
		return VCPU_RESUME;
	default:
		return VCPU_UNHANDLED;
	}
}

/* On the suspended vCPU's own thread. */
static void wake_vcpu(struct vcpu *vcpu, void *arg)
{
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };
	int ret = kvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &mp);

	(void)arg;
	if (ret)
		log_error("cannot wake vCPU %u: %s", vcpu->index, strerror(-ret));
}

void riscv_wake(struct vm *vm)
{
	struct vcpu *vcpu;

	if (!atomic_load(&vm->arch->suspended))
		return;
	vcpu = atomic_exchange(&vm->arch->suspended, NULL);
	/* It waits in KVM_RUN, from where a kick always gets it. */
	if (vcpu && vcpu_call(vcpu, wake_vcpu, NULL, VCPU_WAIT_FOREVER))
		log_error("cannot wake vCPU %u", vcpu->index);
}

/* ---- reports ------------------------------------------------------------------------------------ */

/* SRST (SBI spec, chapter "System Reset Extension"): reset reason 1 is "system failure"; KVM passes it on. */
bool arch_event_is_failure(const struct kvm_run *run)
{
	return run->system_event.ndata > 0 && run->system_event.data[0] == 1;
}

int arch_vcpu_pc(struct vcpu *vcpu, uint64_t *pc)
{
	return kvm_get_reg(vcpu->fd, RISCV_REG_CORE(RISCV_CORE_PC), pc);
}

/* By KVM's number (struct kvm_riscv_core). */
static const char *const core_names[] = {
	"pc", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
	"a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

/* struct kvm_riscv_csr */
static const char *const csr_names[] = {
	"sstatus", "sie", "stvec", "sscratch", "sepc", "scause", "stval", "sip", "satp", "scounteren",
	"senvcfg",
};

static enum reg_role core_role(unsigned int i)
{
	return i == RISCV_CORE_PC ? ROLE_PC : i == RISCV_CORE_RA ? ROLE_LR : i == RISCV_CORE_SP ? ROLE_SP :
	       i == RISCV_CORE_S0 ? ROLE_FP : ROLE_PLAIN;
}

static enum reg_role csr_role(unsigned int i)
{
	return i == RISCV_CSR_STVEC ? ROLE_VECTOR : i == RISCV_CSR_STVAL ? ROLE_FAULT : ROLE_PLAIN;
}

/* A general CSR, 0 if KVM does not have it. */
static uint64_t csr(struct vcpu *vcpu, unsigned int reg)
{
	uint64_t v = 0;

	(void)get_optional(vcpu->fd, RISCV_REG_CSR(reg), &v);
	return v;
}

void arch_vcpu_regs(struct vcpu *vcpu, struct reg_set *set)
{
	uint64_t v = 0, mode = KVM_RISCV_MODE_S;
	char text[RISCV_CAUSE_TEXT_BYTES];
	struct kvm_mp_state mp;
	int ret;

	for (unsigned int i = 0; i < ARRAY_SIZE(core_names); i++) {
		ret = kvm_get_reg(vcpu->fd, RISCV_REG_CORE(i), &v);
		reg_add(set, REG_GENERAL, core_role(i), core_names[i], 8, !ret, v);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(csr_names); i++) {
		ret = kvm_get_reg(vcpu->fd, RISCV_REG_CSR(i), &v);
		/* stvec's two lowest bits are its mode. */
		reg_add(set, REG_SYSTEM, csr_role(i), csr_names[i], 8, !ret, v);
	}
	ret = kvm_get_reg(vcpu->fd, RISCV_REG_CORE(RISCV_CORE_MODE), &mode);
	set->user = !ret && mode != KVM_RISCV_MODE_S;
	set->bits = 64;
	set->frames = FRAMES_RISCV;
	set->vector_symbol = "handle_exception";
	ret = ret ? ret : kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &mp);
	set->halted = !ret && mp.mp_state == KVM_MP_STATE_STOPPED;
	reg_note(set, "mode %s, %s", set->user ? "U (user)" : "S (kernel)",
		 ret ? "state unknown" : set->halted ? "stopped" : "runnable");
	if (csr(vcpu, RISCV_CSR_SCAUSE) || csr(vcpu, RISCV_CSR_SEPC))
		reg_note(set, "last trap: %s",
			 riscv_cause_text(csr(vcpu, RISCV_CSR_SCAUSE), text, sizeof(text)));
}

/* KVM gives VS mode no other: it leaves hstatus.VSBE 0. */
bool arch_vcpu_big_endian(struct vcpu *vcpu LKVM_UNUSED)
{
	return false;
}

void arch_vcpu_translate(struct vcpu *vcpu, uint64_t va, bool fetch, struct walk *w)
{
	struct walk_memory mem = memory_for_walk(&vcpu->vm->memory);
	struct riscv_mmu mmu = { .sstatus = csr(vcpu, RISCV_CSR_SSTATUS) };
	uint64_t mode = KVM_RISCV_MODE_S;
	int ret;

	(void)fetch; /* both see the same tables */
	ret = kvm_get_reg(vcpu->fd, RISCV_REG_CSR(RISCV_CSR_SATP), &mmu.satp);
	if (!ret)
		ret = kvm_get_reg(vcpu->fd, RISCV_REG_CORE(RISCV_CORE_MODE), &mode);
	if (ret) {
		walk_init(w, va, false);
		walk_fail(w, WALK_UNKNOWN, "KVM does not give satp and mode: %s", strerror(-ret));
		return;
	}
	mmu.user = mode != KVM_RISCV_MODE_S;
	riscv_mmu_walk(&mmu, &mem, va, w);
}

/* ---- registers by KVM's ids --------------------------------------------------------------------- */

int arch_reg_ids(struct vcpu *vcpu, uint64_t **ids, size_t *nr)
{
	return registers_list(vcpu, ids, nr);
}

size_t arch_reg_bytes(uint64_t id)
{
	return registers_id_bytes(id);
}

int arch_reg_get(struct vcpu *vcpu, uint64_t id, void *value)
{
	return kvm_get_reg(vcpu->fd, id, value);
}

int arch_reg_set(struct vcpu *vcpu, uint64_t id, const void *value)
{
	return kvm_set_reg(vcpu->fd, id, value);
}

void arch_reg_name(uint64_t id, char *buf, size_t size)
{
	riscv_reg_name(id, buf, size);
}

const char *const arch_no_guest_events = NULL, *const arch_no_guest_time = NULL;

int arch_guest_counters(struct vcpu *vcpu, struct guest_counter *counters, size_t max, const char **missing)
{
	(void)vcpu;
	(void)counters;
	(void)max;
	*missing = "KVM on riscv64 does not show the counters of a guest's SBI PMU";
	return -ENOTSUP;
}
