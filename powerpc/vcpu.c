// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers: the general ones through KVM_{GET,SET}_REGS, those of the MMU and the like through SREGS, the rest
 * through ONE_REG. Which of these a KVM has depends on the platform.
 */
#include "lkvm/arch.h"

#include <inttypes.h>
#include <string.h>

#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "powerpc/arch.h"
#include "powerpc/mmu.h"

static int report(const struct vcpu *vcpu, const char *request, int ret)
{
	if (ret)
		log_error("%s of vCPU %u: %s", request, vcpu->index, strerror(-ret));
	return ret;
}

int ppc_get_regs(struct vcpu *vcpu, struct kvm_regs *regs)
{
	return report(vcpu, "KVM_GET_REGS", kvm_ioctl(vcpu->fd, KVM_GET_REGS, regs));
}

int ppc_set_regs(struct vcpu *vcpu, const struct kvm_regs *regs)
{
	return report(vcpu, "KVM_SET_REGS", kvm_ioctl(vcpu->fd, KVM_SET_REGS, regs));
}

int ppc_get_sregs(struct vcpu *vcpu, struct kvm_sregs *sregs)
{
	return report(vcpu, "KVM_GET_SREGS", kvm_ioctl(vcpu->fd, KVM_GET_SREGS, sregs));
}

static bool is_32bit(uint64_t id)
{
	return (id & KVM_REG_SIZE_MASK) == KVM_REG_SIZE_U32;
}

int ppc_set_reg(struct vcpu *vcpu, const char *name, uint64_t id, uint64_t value)
{
	uint32_t word = (uint32_t)value;
	int ret = kvm_set_reg(vcpu->fd, id, is_32bit(id) ? (const void *)&word : &value);

	if (ret)
		log_error("KVM refuses %s = 0x%" PRIx64 " on vCPU %u: %s", name, value, vcpu->index,
			  strerror(-ret));
	return ret;
}

int ppc_get_reg(struct vcpu *vcpu, uint64_t id, uint64_t *value)
{
	uint32_t word = 0;
	int ret;

	if (!is_32bit(id))
		return kvm_get_reg(vcpu->fd, id, value);
	ret = kvm_get_reg(vcpu->fd, id, &word);
	*value = word;
	return ret;
}

int arch_vcpu_pc(struct vcpu *vcpu, uint64_t *pc)
{
	struct kvm_regs regs;
	int ret = kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);

	if (!ret)
		*pc = regs.pc;
	return ret;
}

/* ---- reports ------------------------------------------------------------------------------------ */

/* Bytes of a register as wide as the platform's. */
#define WIDTH ((uint8_t)sizeof(long))

void ppc_add_regs(struct vcpu *vcpu, struct reg_set *set, const struct ppc_named_reg *regs, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		uint64_t v = 0;
		int ret = ppc_get_reg(vcpu, regs[i].id, &v);

		reg_add(set, REG_SYSTEM, ROLE_PLAIN, regs[i].name, is_32bit(regs[i].id) ? 4 : WIDTH, !ret, v);
	}
}

static void add(struct reg_set *set, enum reg_group group, enum reg_role role, const char *name, uint64_t value)
{
	reg_add(set, group, role, name, WIDTH, true, value);
}

void ppc_vcpu_regs(struct vcpu *vcpu, const struct ppc_platform *platform, struct reg_set *set)
{
	struct kvm_regs regs;
	int ret = kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	char name[8];

	if (ret) {
		reg_note(set, "KVM does not give the registers: %s", strerror(-ret));
		return;
	}
	for (unsigned int i = 0; i < 32; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		reg_add(set, REG_GENERAL, i == 1 ? ROLE_SP : ROLE_PLAIN, name, WIDTH, true, regs.gpr[i]);
	}
	add(set, REG_GENERAL, ROLE_PC, "pc", regs.pc);
	add(set, REG_GENERAL, ROLE_PLAIN, "msr", regs.msr);
	add(set, REG_GENERAL, ROLE_LR, "lr", regs.lr);
	add(set, REG_GENERAL, ROLE_PLAIN, "ctr", regs.ctr);
	reg_add(set, REG_GENERAL, ROLE_PLAIN, "cr", 4, true, regs.cr);
	reg_add(set, REG_GENERAL, ROLE_PLAIN, "xer", 4, true, regs.xer);
	add(set, REG_SYSTEM, ROLE_PLAIN, "srr0", regs.srr0);
	add(set, REG_SYSTEM, ROLE_PLAIN, "srr1", regs.srr1);
	reg_add(set, REG_SYSTEM, ROLE_PLAIN, "pid", 4, true, regs.pid);
	add(set, REG_SYSTEM, ROLE_PLAIN, "sprg0", regs.sprg0);
	add(set, REG_SYSTEM, ROLE_PLAIN, "sprg1", regs.sprg1);
	add(set, REG_SYSTEM, ROLE_PLAIN, "sprg2", regs.sprg2);
	add(set, REG_SYSTEM, ROLE_PLAIN, "sprg3", regs.sprg3);
	set->user = regs.msr & PPC_MSR_PR;
	set->bits = 8 * WIDTH;
	set->frames = FRAMES_PPC;
	platform->vcpu_regs(vcpu, &regs, set);
}

void ppc_vcpu_translate(struct vcpu *vcpu, const struct ppc_platform *platform, uint64_t va, bool fetch,
			struct walk *w)
{
	struct kvm_regs regs;
	int ret = kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);

	if (ret) {
		walk_init(w, va, false);
		walk_fail(w, WALK_UNKNOWN, "KVM does not give the registers: %s", strerror(-ret));
		return;
	}
	platform->vcpu_translate(vcpu, &regs, va, fetch, w);
}
