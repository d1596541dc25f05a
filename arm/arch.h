/* SPDX-License-Identifier: GPL-2.0-only */
/* What the KVM-facing files of this arch share. The contract with the rest of lkvm is lkvm/arch.h. */
#ifndef ARM_ARCH_H
#define ARM_ARCH_H

#include "arm/fdt.h"
#include "arm/v2m.h"
#include "lkvm/kvm-compat.h"
#include "lkvm/log.h"
#include "lkvm/vm.h"

/* A vCPU's registers by KVM's ids (KVM-API 4.68; ids: arch/arm64/include/uapi/asm/kvm.h). */
#define ARM_REG_CORE(name) \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(name))
/* regs.regs[n]; the ids count in units of 32 bits. */
#define ARM_REG_X(n)       (ARM_REG_CORE(regs.regs[0]) + 2 * (uint64_t)(n))

/* Arm DDI0487 D19.2 */
#define ARM_REG_MIDR_EL1        ARM64_SYS_REG(3, 0, 0, 0, 0)
#define ARM_REG_MPIDR_EL1       ARM64_SYS_REG(3, 0, 0, 0, 5)
#define ARM_REG_ID_AA64MMFR0    ARM64_SYS_REG(3, 0, 0, 7, 0)
#define ARM_REG_SCTLR_EL1       ARM64_SYS_REG(3, 0, 1, 0, 0)
#define ARM_REG_TTBR0_EL1       ARM64_SYS_REG(3, 0, 2, 0, 0)
#define ARM_REG_TTBR1_EL1       ARM64_SYS_REG(3, 0, 2, 0, 1)
#define ARM_REG_TCR_EL1         ARM64_SYS_REG(3, 0, 2, 0, 2)
#define ARM_REG_TCR2_EL1        ARM64_SYS_REG(3, 0, 2, 0, 3)
#define ARM_REG_ESR_EL1         ARM64_SYS_REG(3, 0, 5, 2, 0)
#define ARM_REG_FAR_EL1         ARM64_SYS_REG(3, 0, 6, 0, 0)
#define ARM_REG_PAR_EL1         ARM64_SYS_REG(3, 0, 7, 4, 0)
#define ARM_REG_MAIR_EL1        ARM64_SYS_REG(3, 0, 10, 2, 0)
#define ARM_REG_PIRE0_EL1       ARM64_SYS_REG(3, 0, 10, 2, 2)
#define ARM_REG_PIR_EL1         ARM64_SYS_REG(3, 0, 10, 2, 3)
#define ARM_REG_VBAR_EL1        ARM64_SYS_REG(3, 0, 12, 0, 0)
#define ARM_REG_TPIDR_EL1       ARM64_SYS_REG(3, 0, 13, 0, 4)
/* Those of EL2, which guests have that may run guests of their own. */
#define ARM_REG_SCTLR_EL2       ARM64_SYS_REG(3, 4, 1, 0, 0)
#define ARM_REG_HCR_EL2         ARM64_SYS_REG(3, 4, 1, 1, 0)
#define ARM_REG_TTBR0_EL2       ARM64_SYS_REG(3, 4, 2, 0, 0)
#define ARM_REG_TTBR1_EL2       ARM64_SYS_REG(3, 4, 2, 0, 1)
#define ARM_REG_TCR_EL2         ARM64_SYS_REG(3, 4, 2, 0, 2)
#define ARM_REG_TCR2_EL2        ARM64_SYS_REG(3, 4, 2, 0, 3)
#define ARM_REG_SPSR_EL2        ARM64_SYS_REG(3, 4, 4, 0, 0)
#define ARM_REG_ELR_EL2         ARM64_SYS_REG(3, 4, 4, 0, 1)
#define ARM_REG_ESR_EL2         ARM64_SYS_REG(3, 4, 5, 2, 0)
#define ARM_REG_FAR_EL2         ARM64_SYS_REG(3, 4, 6, 0, 0)
#define ARM_REG_MAIR_EL2        ARM64_SYS_REG(3, 4, 10, 2, 0)
#define ARM_REG_PIRE0_EL2       ARM64_SYS_REG(3, 4, 10, 2, 2)
#define ARM_REG_PIR_EL2         ARM64_SYS_REG(3, 4, 10, 2, 3)
#define ARM_REG_VBAR_EL2        ARM64_SYS_REG(3, 4, 12, 0, 0)
#define ARM_REG_TPIDR_EL2       ARM64_SYS_REG(3, 4, 13, 0, 2)
#define ARM_REG_SP_EL2          ARM64_SYS_REG(3, 6, 4, 1, 0)

/* HCR_EL2 (Arm DDI0487 D24.2.48). */
#define ARM_HCR_VM  (UINT64_C(1) << 0)  /* stage 2 is on */
#define ARM_HCR_TGE (UINT64_C(1) << 27) /* EL0 belongs to EL2 */
#define ARM_HCR_E2H (UINT64_C(1) << 34) /* EL2 has two halves and EL0, as EL1 has */

#define ARM_REG_PMCR_EL0        ARM64_SYS_REG(3, 3, 9, 12, 0)
#define ARM_REG_PMCNTENSET_EL0  ARM64_SYS_REG(3, 3, 9, 12, 1)
#define ARM_REG_PMCCNTR_EL0     ARM64_SYS_REG(3, 3, 9, 13, 0)
#define ARM_REG_PMEVCNTR_EL0(n)  ARM64_SYS_REG(3, 3, 14, 8 | (n) >> 3, (n) & 7)
#define ARM_REG_PMEVTYPER_EL0(n) ARM64_SYS_REG(3, 3, 14, 12 | (n) >> 3, (n) & 7)

/* ID_AA64MMFR0_EL1 (Arm DDI0487 D19.2.64): which translation granules stage 1 has, and mixed endianness. */
#define ARM_MMFR0_FIELD(v, shift) ((unsigned int)((v) >> (shift)) & 0xf)
#define ARM_MMFR0_BIGEND  8
#define ARM_MMFR0_TGRAN16 20 /* 0: no */
#define ARM_MMFR0_TGRAN64 24 /* 15: no */
#define ARM_MMFR0_TGRAN4  28 /* 15: no */

/* An interrupt controller. All functions run on the main thread unless said otherwise. */
struct arm_irqchip {
	const char *name;    /* as in --irqchip */
	uint32_t    device;  /* KVM_DEV_TYPE_ARM_VGIC_* */
	enum arm_fdt_irqchip fdt;
	enum arm_fdt_msi     msi;
	unsigned int max_cpus;
	/* Tells KVM where the chip's registers are, after all vCPUs exist. 0 or -errno (reported). */
	int (*place)(struct vm *vm);
	/* Makes the part that takes MSIs; NULL if there is none. 0 or -errno (reported). */
	int (*init_msi)(struct vm *vm);
	/* Delivers an MSI; ctx is the vm. Any thread. */
	int (*msi_send)(void *ctx, const struct msi_message *msg);
};

/*
 * A flat image in RAM is a bare-metal program as a rule. It starts in a fraction of the time without what only
 * operating systems use: an ITS, stolen time. It gets them if asked for.
 */
static inline bool arm_is_flat(const struct vm *vm)
{
	return !vm->cfg->kernel && vm->machine.uart.kind == MACHINE_UART8250;
}

struct arch_vm {
	const struct arm_irqchip *irqchip;
	int                   gic_fd;   /* -1: none */
	int                   its_fd;   /* -1: none */
	struct arm_v2m        v2m;
	struct kvm_vcpu_init  init;     /* of all vCPUs; secondary ones add KVM_ARM_VCPU_POWER_OFF */
	uint64_t             *mpidr;    /* of each vCPU */
	uint64_t              mmfr0;    /* ID_AA64MMFR0_EL1 of vCPU 0 */
	int                   pmu_type; /* perf type of the host's PMU that guests share, -1: KVM's choice */
	bool                  pvtime;   /* stolen time is told to guests that ask */
	bool                  mte;      /* guest memory holds tags */
	bool                  can_inject_abort;
	int                   flash_fd;     /* until the device has it; -1: none */
	uint64_t              flash_bytes;  /* 0: no flash */
	struct log_ratelimit  aborts;   /* messages about accesses that were answered with an abort */
};

/* ---- gic.c ---- */

/*
 * Makes the in-kernel interrupt controller that --irqchip names, or the best that the host has, before any
 * vCPU. Sets arch->irqchip and arch->gic_fd. Returns 0 or -errno (reported).
 */
int arm_gic_create(struct vm *vm) LKVM_MUST_CHECK;

/* After all vCPUs: places and initialises it; sets vm->msi. 0 or -errno (reported). */
int arm_gic_init(struct vm *vm) LKVM_MUST_CHECK;

/* Undoes both; legal after either failed. */
void arm_gic_destroy(struct vm *vm);

/* The wired lines; .chip is the vm. Any thread. */
extern const struct irq_chip_ops arm_gic_lines;

/* Whether this host's KVM can make a device of @type. */
bool arm_has_device(int vm_fd, uint32_t type);

/* ---- vcpu.c ---- */

/* Settles what all vCPUs are (arch->init), from the config and what KVM offers. 0 or -errno (reported). */
int arm_vcpu_features(struct vm *vm) LKVM_MUST_CHECK;

/* Which layer keeps the PMU from guests, from the host's kernel upwards; a clause without a stop. */
const char *arm_pmu_lacks(void);

/* Finishes the PMU of all vCPUs, which wants the GIC to be there. 0 or -errno (reported). */
int arm_pmu_init(struct vm *vm) LKVM_MUST_CHECK;

static inline bool arm_has_feature(const struct kvm_vcpu_init *init, unsigned int feature)
{
	return init->features[feature / 32] >> feature % 32 & 1;
}

#endif
