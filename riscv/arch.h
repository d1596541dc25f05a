/* SPDX-License-Identifier: GPL-2.0-only */
/* What the KVM-facing files of this arch share. The contract with the rest of lkvm is lkvm/arch.h. */
#ifndef RISCV_ARCH_H
#define RISCV_ARCH_H

#include "lkvm/console-input.h"
#include "lkvm/kvm-compat.h"
#include "lkvm/vm.h"
#include "riscv/fdt.h"
#include "riscv/isa.h"
#include "riscv/sbi.h"

/* A vCPU's registers by KVM's ids (KVM-API 4.68; ids: arch/riscv/include/uapi/asm/kvm.h). */
#define RISCV_REG(type, subtype, reg)     LKVM_REG_RISCV(KVM_REG_SIZE_U64, type, subtype, reg)
#define RISCV_REG_CONFIG(reg)             RISCV_REG(1, 0, reg)
#define RISCV_REG_CORE(reg)               RISCV_REG(2, 0, reg)
#define RISCV_REG_CSR(reg)                RISCV_REG(3, 0, reg)
#define RISCV_REG_TIMER(reg)              RISCV_REG(4, 0, reg)
#define RISCV_REG_ISA(ext)                RISCV_REG(7, 0, ext)
#define RISCV_REG_SBI(ext)                RISCV_REG(8, 0, ext)

/* struct kvm_riscv_csr */
#define RISCV_CSR_SIE 1
#define RISCV_CSR_SIP 7

/* struct kvm_riscv_config */
#define RISCV_CONFIG_ZICBOM_BLOCK 1
#define RISCV_CONFIG_ZICBOZ_BLOCK 5
#define RISCV_CONFIG_SATP_MODE    6
#define RISCV_CONFIG_ZICBOP_BLOCK 7
/* struct kvm_riscv_core: pc in the place of x0, then x1 to x31 */
#define RISCV_CORE_PC             0
#define RISCV_CORE_RA             1
#define RISCV_CORE_SP             2
#define RISCV_CORE_S0             8
#define RISCV_CORE_A0             10
#define RISCV_CORE_A1             11
#define RISCV_CORE_MODE           32
/* struct kvm_riscv_csr */
#define RISCV_CSR_SSTATUS         0
#define RISCV_CSR_STVEC           2
#define RISCV_CSR_SEPC            4
#define RISCV_CSR_SCAUSE          5
#define RISCV_CSR_STVAL           6
#define RISCV_CSR_SATP            8
/* struct kvm_riscv_timer */
#define RISCV_TIMER_FREQUENCY     0

/* An interrupt controller. All functions run on the main thread unless said otherwise. */
struct riscv_irqchip {
	const char *name;  /* as in --irqchip */
	/* After all vCPUs. 0 or -errno (reported). */
	int (*init)(struct vm *vm);
	/* Undoes creation and init; legal after either failed. */
	void (*destroy)(struct vm *vm);
	/* Fills in the chip's part of the device tree. */
	void (*describe)(const struct vm *vm, struct riscv_fdt *fdt);
	/* The wired lines; .chip is the vm. Any thread. */
	const struct irq_chip_ops *lines;
	/* Delivers an MSI, NULL if there are none; ctx is the vm. Any thread. */
	int (*msi_send)(void *ctx, const struct msi_message *msg);
};

/* What the vCPUs are, asked of KVM on the first one: KVM makes all vCPUs of a host alike. */
struct riscv_cpu {
	struct riscv_isa_set isa;       /* enabled ISA extensions */
	uint64_t             sbi;       /* SBI extensions that the host has, a bit for each of KVM's ids */
	uint64_t             sbi_on;    /* of these, the enabled ones */
	uint64_t             timebase_hz;
	uint64_t             cbom_block_bytes;
	uint64_t             cboz_block_bytes;
	uint64_t             cbop_block_bytes;
	uint64_t             satp_mode;
};

struct arch_vm {
	const struct riscv_irqchip *irqchip;
	struct riscv_plic     *plic;            /* NULL with AIA */
	int                    aia_fd;          /* -1 with PLIC */
	uint32_t               imsic_ids;
	unsigned int           hart_index_bits;
	struct riscv_cpu       cpu;
	struct riscv_sbi       sbi;
	struct console_input   sbi_input;
	bool                   has_sbi_input;
	/* The vCPU that suspended the system (SBI SUSP) and waits to be woken; NULL: none. */
	struct vcpu *_Atomic   suspended;
	/* Wired lines that are high now, a bit for each; they keep the system awake. */
	_Atomic uint64_t       lines_high;
};

/* ---- aia.c ---- */

extern const struct riscv_irqchip riscv_aia;

/*
 * Makes the in-kernel interrupt controller, before any vCPU. @wanted is "aia", "aia-emul" or
 * "aia-hwaccel". Returns 0 with arch->aia_fd set; -ENODEV (silent) if this host's KVM has none; -errno
 * (reported) if it has one but not as wanted.
 */
int riscv_aia_create(struct vm *vm, const char *wanted) LKVM_MUST_CHECK;

/* ---- vcpu.c ---- */

/* Asks KVM what vCPU @fd is. 0 or -errno (reported). */
int riscv_cpu_read(int vcpu_fd, struct riscv_cpu *cpu) LKVM_MUST_CHECK;

/* Which layer keeps the PMU from guests, from the CPUs upwards; a clause without a stop. Asked of a vCPU. */
const char *riscv_pmu_lacks(int vcpu_fd);

/*
 * Something happened that ends a system suspend: an interrupt, or input on the SBI console. Any thread; cheap
 * when nothing is suspended.
 */
void riscv_wake(struct vm *vm);

#endif
