/* SPDX-License-Identifier: GPL-2.0-only */
/* Paging of x86 (Intel SDM volume 3, chapter 5). Pure. */
#ifndef X86_MMU_H
#define X86_MMU_H

#include "lkvm/walk.h"

struct x86_mmu {
	uint64_t cr0, cr3, cr4, efer;
	bool     user;   /* CPL 3 */
	bool     ac;     /* RFLAGS.AC: privileged code may use user pages in spite of SMAP */
};

/*
 * Walks the linear address @va. Always fills @w. No paging, 32-bit with PSE-36, PAE, 4-level and 5-level, large
 * pages of all sizes.
 */
void x86_mmu_walk(const struct x86_mmu *mmu, const struct walk_memory *mem, uint64_t va, struct walk *w);

#endif
