/* SPDX-License-Identifier: GPL-2.0-only */
/* A hart's address translation (RISC-V privileged architecture, chapter "Supervisor-Level ISA"). Pure. */
#ifndef RISCV_MMU_H
#define RISCV_MMU_H

#include "lkvm/walk.h"

struct riscv_mmu {
	uint64_t satp;
	uint64_t sstatus; /* SUM and MXR count */
	bool     user;    /* the hart is in U mode */
};

/* Walks @va. Always fills @w. Sv39, Sv48, Sv57 and Bare, with Svnapot and Svpbmt. */
void riscv_mmu_walk(const struct riscv_mmu *mmu, const struct walk_memory *mem, uint64_t va, struct walk *w);

#endif
