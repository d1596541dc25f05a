/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address translation of powerpc guests: radix trees and hashed page tables of Book3S, TLB arrays of Book E. Pure.
 */
#ifndef POWERPC_MMU_H
#define POWERPC_MMU_H

#include "lkvm/walk.h"

/* MSR bits (Power ISA 3.1 Book III §4.2.1; Book E: the same places are IS and DS). */
#define PPC_MSR_PR 0x4000u
#define PPC_MSR_IR 0x20u
#define PPC_MSR_DR 0x10u

/* ---- radix ---- */

struct ppc_radix {
	uint64_t msr;
	uint64_t process_table; /* PATE1 as the guest registered it: base and PRTS */
	uint32_t pid;           /* PIDR */
};

/* Walks @ea; @fetch: MSR[IR] decides whether it is translated, else MSR[DR]. Always fills @w. */
void ppc_radix_walk(const struct ppc_radix *mmu, const struct walk_memory *mem, uint64_t ea, bool fetch,
		    struct walk *w);

/* ---- hash ---- */

/* As in struct kvm_sregs: RB and RS of slbmte. */
struct ppc_slb_entry {
	uint64_t slbe;
	uint64_t slbv;
};

struct ppc_hash {
	uint64_t msr;
	const struct ppc_slb_entry *slb;
	unsigned int nr_slb;
	unsigned int order; /* log2 of the table's size in bytes, 18 to 46 */
	/*
	 * Reads the eight entries of group @pteg into @hpte, V and R in turn, as numbers. In KVM the table is the
	 * host's (KVM_PPC_GET_HTAB_FD). 0 or -errno.
	 */
	int (*read_pteg)(void *ctx, uint64_t pteg, uint64_t hpte[16]);
	void *ctx;
};

void ppc_hash_walk(const struct ppc_hash *mmu, uint64_t ea, bool fetch, struct walk *w);

/* ---- e500 ---- */

/* As in struct kvm_book3e_206_tlb_entry. */
struct ppc_booke_tlb_entry {
	uint32_t mas8;
	uint32_t mas1;
	uint64_t mas2;
	uint64_t mas7_3;
};

struct ppc_booke_tlb {
	uint64_t msr;
	uint32_t pid[3];      /* PID0 to PID2; unused ones 0 */
	/* TLB0 (pages of 4 KiB), then TLB1 (any size), as KVM_CAP_SW_TLB lays them out. */
	const struct ppc_booke_tlb_entry *entries;
	unsigned int nr_tlb0;
	unsigned int nr_tlb1;
};

/* Book E always translates; @fetch chooses MSR[IS] or MSR[DS] as the address space. */
void ppc_booke_walk(const struct ppc_booke_tlb *mmu, uint64_t ea, bool fetch, struct walk *w);

#endif
