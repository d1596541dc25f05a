/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 1 translation of EL1&0, EL2&0 and EL2 (Arm DDI0487, chapter D8). Pure. */
#ifndef ARM_MMU_H
#define ARM_MMU_H

#include "lkvm/walk.h"

/* The registers are those of EL1, or of EL2 for what it translates. */
struct arm_mmu {
	uint64_t sctlr; /* SCTLR_ELx */
	uint64_t tcr;   /* TCR_ELx; without VHE: arm_mmu_tcr_of_el2() */
	uint64_t ttbr0; /* TTBR0_ELx */
	uint64_t ttbr1; /* TTBR1_ELx */
	uint64_t tcr2;  /* TCR2_ELx, PIR_ELx, PIRE0_ELx: FEAT_S1PIE; 0 without it */
	uint64_t pir;
	uint64_t pire0;
	bool     el2;     /* they are EL2's */
	bool     alone;   /* EL2 without VHE: it has one half, and no EL0 */
	bool     user;  /* the PE is at EL0 */
	bool     aarch32; /* EL1 is AArch32: TCR is TTBCR, and tables are of other formats */
};

/* What TCR_EL1 would say for TCR_EL2 without VHE, whose fields lie elsewhere (D24.2.188): no upper half. */
uint64_t arm_mmu_tcr_of_el2(uint64_t tcr_el2);

/*
 * Walks @va. Always fills @w. Granules of 4, 16 and 64 KiB, with FEAT_LPA, FEAT_LPA2 and FEAT_LVA
 * sizes, blocks, contiguous entries, hierarchical and indirect (FEAT_S1PIE) permissions and both
 * TTBRs. Tables of AArch32 are not followed: WALK_UNKNOWN.
 */
void arm_mmu_walk(const struct arm_mmu *mmu, const struct walk_memory *mem, uint64_t va, struct walk *w);

#endif
