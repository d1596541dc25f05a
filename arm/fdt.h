/* SPDX-License-Identifier: GPL-2.0-only */
/* The device tree of an arm64 guest. Pure. */
#ifndef ARM_FDT_H
#define ARM_FDT_H

#include "lkvm/machine.h"
#include "lkvm/types.h"

enum arm_fdt_irqchip {
	ARM_FDT_GICV2,
	ARM_FDT_GICV3,
};

enum arm_fdt_msi {
	ARM_FDT_NO_MSI,
	ARM_FDT_V2M, /* a GICv2m frame, with either GIC */
	ARM_FDT_ITS, /* GICv3 only */
};

struct arm_fdt {
	const struct machine *machine;
	const char           *cmdline;
	gpa_t                 initrd;
	uint64_t              initrd_bytes;

	const uint64_t       *mpidr;   /* of every CPU, as read from KVM */
	uint32_t              timer_hz; /* 0: CNTFRQ_EL0 tells */
	bool                  pmu;     /* PMUv3 with its interrupt on ARM_PPI_PMU */
	bool                  el2;     /* the guest starts at EL2: its hypervisor parts exist */

	enum arm_fdt_irqchip  irqchip;
	enum arm_fdt_msi      msi;

	const uint8_t        *rng_seed;   /* FDT_RNG_SEED_BYTES or NULL */
	uint64_t              kaslr_seed; /* 0: none */
};

/* Builds the tree: *@blob (free() it) and *@size_bytes. 0 or -errno (reported). */
int arm_fdt_build(const struct arm_fdt *params, void **blob, size_t *size_bytes) LKVM_MUST_CHECK;

#endif
