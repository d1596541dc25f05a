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

int ppc_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
	return report(vcpu, "KVM_SET_SREGS", kvm_ioctl(vcpu->fd, KVM_SET_SREGS, sregs));
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

/* Digits of a register as wide as the platform's. */
#define WIDTH (2 * (int)sizeof(long))

void ppc_dump_regs(struct vcpu *vcpu, FILE *out, const struct ppc_named_reg *regs, size_t nr,
		   unsigned int columns)
{
	for (size_t i = 0; i < nr; i++) {
		uint64_t v;

		if (ppc_get_reg(vcpu, regs[i].id, &v))
			fprintf(out, "  %-6s %-*s", regs[i].name, WIDTH, "-");
		else
			fprintf(out, "  %-6s %0*" PRIx64, regs[i].name, WIDTH, v);
		if (i % columns == columns - 1 || i == nr - 1)
			fputc('\n', out);
	}
}

void ppc_vcpu_dump(struct vcpu *vcpu, const struct ppc_platform *platform, FILE *out)
{
	struct kvm_regs regs;
	int ret = kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);

	if (ret) {
		fprintf(out, "  KVM does not give the registers: %s\n", strerror(-ret));
		return;
	}
	for (unsigned int i = 0; i < 32; i++)
		fprintf(out, "  r%-2u %0*" PRIx64 "%s", i, WIDTH, (uint64_t)regs.gpr[i], i % 4 == 3 ? "\n" : "");
	fprintf(out, "  pc  %0*" PRIx64 "  msr %0*" PRIx64 "  lr  %0*" PRIx64 "  ctr %0*" PRIx64 "\n",
		WIDTH, (uint64_t)regs.pc, WIDTH, (uint64_t)regs.msr, WIDTH, (uint64_t)regs.lr,
		WIDTH, (uint64_t)regs.ctr);
	fprintf(out, "  srr0 %0*" PRIx64 "  srr1 %0*" PRIx64 "  cr %08" PRIx64 "  xer %08" PRIx64 "  pid %" PRIu64 "\n",
		WIDTH, (uint64_t)regs.srr0, WIDTH, (uint64_t)regs.srr1, (uint64_t)regs.cr,
		(uint64_t)regs.xer, (uint64_t)regs.pid);
	fprintf(out, "  sprg0 %0*" PRIx64 "  sprg1 %0*" PRIx64 "  sprg2 %0*" PRIx64 "  sprg3 %0*" PRIx64 "\n",
		WIDTH, (uint64_t)regs.sprg0, WIDTH, (uint64_t)regs.sprg1, WIDTH, (uint64_t)regs.sprg2,
		WIDTH, (uint64_t)regs.sprg3);
	platform->vcpu_dump(vcpu, &regs, out);
}
