/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 1 translation of EL1&0 (Arm DDI0487, chapter D8). Pure. */
#ifndef ARM_MMU_H
#define ARM_MMU_H

#include "lkvm/walk.h"

struct arm_mmu {
	uint64_t sctlr; /* SCTLR_EL1 */
	uint64_t tcr;   /* TCR_EL1 */
	uint64_t ttbr0; /* TTBR0_EL1 */
	uint64_t ttbr1; /* TTBR1_EL1 */
	uint64_t tcr2;  /* TCR2_EL1, PIR_EL1, PIRE0_EL1: FEAT_S1PIE; 0 without it */
	uint64_t pir;
	uint64_t pire0;
	bool     user;  /* the PE is at EL0 */
	bool     aarch32; /* EL1 is AArch32: TCR is TTBCR, and tables are of other formats */
};

/*
 * Walks @va. Always fills @w. Granules of 4, 16 and 64 KiB, with FEAT_LPA, FEAT_LPA2 and FEAT_LVA
 * sizes, blocks, contiguous entries, hierarchical and indirect (FEAT_S1PIE) permissions and both
 * TTBRs. Tables of AArch32 are not followed: WALK_UNKNOWN.
 */
void arm_mmu_walk(const struct arm_mmu *mmu, const struct walk_memory *mem, uint64_t va, struct walk *w);

#endif
