/* SPDX-License-Identifier: GPL-2.0-only */
/* What the KVM-facing files of the e500 platform share. */
#ifndef PPC_E500_H
#define PPC_E500_H

#include "lkvm/vm.h"
#include "powerpc/e500-power.h"
#include "powerpc/e500-tlb.h"

struct arch_vm {
	int                   mpic_fd;
	struct ppc_e500_power power;
	uint64_t              boot_map_bytes; /* what the boot CPU's TLB entry maps */
};

struct arch_vcpu {
	struct ppc_e500_tlb *tlb; /* shared with KVM */
};

/* ---- mpic.c ---- */

/* Makes the interrupt controller and connects all vCPUs to it. 0 or -errno (reported). */
int ppc_mpic_create(struct vm *vm) LKVM_MUST_CHECK;
void ppc_mpic_destroy(struct vm *vm);

/* Of the wired lines; .chip is the vm. */
extern const struct irq_chip_ops ppc_mpic_lines;

#endif
