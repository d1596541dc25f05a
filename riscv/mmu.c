// SPDX-License-Identifier: GPL-2.0-only
/* Sections are those of the RISC-V privileged architecture, version 20240411. */
#include "riscv/mmu.h"

#include <inttypes.h>
#include <stdio.h>

#define PAGE_SHIFT 12
#define INDEX_BITS 9

/* §10.1.11: satp for RV64 */
#define SATP_MODE(satp) ((unsigned int)((satp) >> 60))
#define SATP_PPN(satp)  ((satp) & ((UINT64_C(1) << 44) - 1))

/* §10.1.1 */
#define SSTATUS_SUM (UINT64_C(1) << 18)
#define SSTATUS_MXR (UINT64_C(1) << 19)

/* §10.4.1: an entry of Sv39, the same in Sv48 and Sv57 */
#define PTE_V    (UINT64_C(1) << 0)
#define PTE_R    (UINT64_C(1) << 1)
#define PTE_W    (UINT64_C(1) << 2)
#define PTE_X    (UINT64_C(1) << 3)
#define PTE_U    (UINT64_C(1) << 4)
#define PTE_A    (UINT64_C(1) << 6)
#define PTE_D    (UINT64_C(1) << 7)
#define PTE_PPN(pte) ((pte) >> 10 & ((UINT64_C(1) << 44) - 1))
#define PTE_RESERVED (UINT64_C(0x1f) << 54) /* 60:59 are for software with Svrsw60t59b */
#define PTE_PBMT     (UINT64_C(3) << 61) /* Svpbmt, §13; 3 is reserved */
#define PTE_N        (UINT64_C(1) << 63) /* Svnapot, §12 */

static const char *const level_names[] = { "level 0", "level 1", "level 2", "level 3", "level 4" };

/* Levels of satp.MODE; 0: not one of RV64's. */
static unsigned int mode_levels(unsigned int mode)
{
	return mode == 8 ? 3 : mode == 9 ? 4 : mode == 10 ? 5 : 0;
}

static void map_leaf(const struct riscv_mmu *mmu, unsigned int level, uint64_t pte, struct walk *w)
{
	uint64_t page_bytes = UINT64_C(1) << (PAGE_SHIFT + INDEX_BITS * level);
	uint64_t base = PTE_PPN(pte) << PAGE_SHIFT;
	unsigned int perm = (pte & PTE_R ? WALK_R : 0) | (pte & PTE_W ? WALK_W : 0) |
			    (pte & PTE_X ? WALK_X : 0);
	unsigned int kernel = perm, user = perm;

	if (pte & PTE_N) {
		/* Svnapot: 64 KiB pages only, ppn[3:0] = 8, and ppn[3:0] of the address counts in its place. */
		if (level || (PTE_PPN(pte) & 0xf) != 8) {
			walk_fail(w, WALK_BAD_ENTRY, "%s entry 0x%" PRIx64 " has N set, but is no 64 KiB page",
				  level_names[level], pte);
			return;
		}
		page_bytes = KIB(64);
		base &= ~(page_bytes - 1);
	}
	if (base & (page_bytes - 1)) {
		walk_fail(w, WALK_BAD_ENTRY, "%s entry 0x%" PRIx64 " maps a misaligned superpage",
			  level_names[level], pte);
		return;
	}
	if (mmu->sstatus & SSTATUS_MXR && perm & WALK_X)
		kernel |= WALK_R, user |= WALK_R;
	if (pte & PTE_U)
		/* §10.1.1.2: never fetched from in S mode, and read and written with SUM only. */
		kernel &= mmu->sstatus & SSTATUS_SUM ? WALK_R | WALK_W : 0;
	else
		user = 0;
	walk_map(w, base | (w->va & (page_bytes - 1)), page_bytes, kernel, user);
}

void riscv_mmu_walk(const struct riscv_mmu *mmu, const struct walk_memory *mem, uint64_t va, struct walk *w)
{
	unsigned int mode = SATP_MODE(mmu->satp);
	unsigned int levels = mode_levels(mode);
	unsigned int bits = PAGE_SHIFT + INDEX_BITS * levels;
	gpa_t table = SATP_PPN(mmu->satp) << PAGE_SHIFT;
	uint64_t pte;

	walk_init(w, va, mmu->user);
	if (!mode) {
		snprintf(w->mode, sizeof(w->mode), "Bare");
		walk_map_identity(w, va);
		return;
	}
	if (!levels) {
		snprintf(w->mode, sizeof(w->mode), "satp.MODE %u", mode);
		walk_fail(w, WALK_UNKNOWN, "satp.MODE %u is reserved", mode);
		return;
	}
	snprintf(w->mode, sizeof(w->mode), "Sv%u", bits);
	/* §10.4.1: the bits above must all equal the highest that is translated. */
	if ((int64_t)(va << (64 - bits)) >> (64 - bits) != (int64_t)va) {
		walk_fail(w, WALK_BAD_ADDRESS, "not an Sv%u address: bits 63 to %u differ", bits, bits - 1);
		return;
	}
	for (unsigned int level = levels; level-- > 0;) {
		uint64_t index = va >> (PAGE_SHIFT + INDEX_BITS * level) & ((1u << INDEX_BITS) - 1);

		if (!walk_read_entry(w, mem, level_names[level], table + index * 8, 8, false, &pte))
			return;
		if (!(pte & PTE_V)) {
			walk_fail(w, WALK_UNMAPPED, "%s entry has V clear", level_names[level]);
			return;
		}
		if ((pte & (PTE_R | PTE_W)) == PTE_W || pte & PTE_RESERVED || (pte & PTE_PBMT) == PTE_PBMT) {
			walk_fail(w, WALK_BAD_ENTRY, "%s entry 0x%" PRIx64 " is reserved", level_names[level],
				  pte);
			return;
		}
		if (pte & (PTE_R | PTE_X)) {
			map_leaf(mmu, level, pte, w);
			return;
		}
		/* §10.3.1: D, A, U, N and PBMT are reserved in entries that are no leaves. */
		if (pte & (PTE_D | PTE_A | PTE_U | PTE_N | PTE_PBMT)) {
			walk_fail(w, WALK_BAD_ENTRY, "%s entry 0x%" PRIx64 " points to a table, but has bits of a page",
				  level_names[level], pte);
			return;
		}
		table = PTE_PPN(pte) << PAGE_SHIFT;
	}
	walk_fail(w, WALK_BAD_ENTRY, "level 0 entry 0x%" PRIx64 " points to a further table", pte);
}
