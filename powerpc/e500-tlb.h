/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MMU of an e500: two arrays of TLB entries that the guest fills, no page tables. KVM keeps
 * them in memory that it shares with lkvm (KVM_CAP_SW_TLB), so the guest's translation can be read
 * there: ppc_booke_walk(). Pure.
 */
#ifndef PPC_E500_TLB_H
#define PPC_E500_TLB_H

#include "lkvm/types.h"
#include "powerpc/mmu.h"

/* TLB0: pages of 4 KiB. TLB1: any size. Those of an e500v2, which KVM also starts with. */
#define PPC_E500_TLB0_ENTRIES 512
#define PPC_E500_TLB0_WAYS    4
#define PPC_E500_TLB1_ENTRIES 16

/* As KVM_CAP_SW_TLB lays it out. KVM changes it while the vCPU runs. */
struct ppc_e500_tlb {
	struct ppc_booke_tlb_entry tlb0[PPC_E500_TLB0_ENTRIES]; /* set by set */
	struct ppc_booke_tlb_entry tlb1[PPC_E500_TLB1_ENTRIES];
};

/*
 * An entry for TLB1 that maps @size_bytes (4^n KiB) at @gpa to @ea, both multiples of the size, in
 * address space 0, for all processes, with all rights, and protected from the guest's
 * invalidations.
 */
void ppc_e500_tlb_entry_init(struct ppc_booke_tlb_entry *e, uint64_t ea, gpa_t gpa,
			     uint64_t size_bytes);

bool ppc_e500_tlb_entry_valid(const struct ppc_booke_tlb_entry *e);

/* One valid entry in a line for people: what it maps where, and who may do what. */
void ppc_e500_tlb_entry_text(const struct ppc_booke_tlb_entry *e, char *buf, size_t size);

#endif
