// SPDX-License-Identifier: GPL-2.0-only
/* Sections are those of Intel's SDM, volume 3. */
#include "x86/mmu.h"

#include <inttypes.h>
#include <stdio.h>

/* §2.5 */
#define CR0_WP   (UINT64_C(1) << 16)
#define CR0_PG   (UINT64_C(1) << 31)
#define CR4_PSE  (UINT64_C(1) << 4)
#define CR4_PAE  (UINT64_C(1) << 5)
#define CR4_LA57 (UINT64_C(1) << 12)
#define CR4_SMEP (UINT64_C(1) << 20)
#define CR4_SMAP (UINT64_C(1) << 21)
#define EFER_LMA (UINT64_C(1) << 10)
#define EFER_NXE (UINT64_C(1) << 11)

/* Tables 5-4 to 5-6 and 5-9 to 5-20 */
#define PTE_P  (UINT64_C(1) << 0)
#define PTE_RW (UINT64_C(1) << 1)
#define PTE_US (UINT64_C(1) << 2)
#define PTE_PS (UINT64_C(1) << 7)
#define PTE_NX (UINT64_C(1) << 63)
#define PTE_ADDRESS (((UINT64_C(1) << 52) - 1) & ~UINT64_C(0xfff))

static const char *const level_names[] = { "PT", "PD", "PDPT", "PML4", "PML5" };

struct paging {
	unsigned int levels;
	unsigned int entry_bytes;
	unsigned int index_bits;
};

static void map_leaf(const struct x86_mmu *mmu, gpa_t base, unsigned int shift, uint64_t all, uint64_t any,
		     struct walk *w)
{
	uint64_t bytes = UINT64_C(1) << shift;
	unsigned int kernel = WALK_R | WALK_X, user = 0;

	/* §5.6.1: an access needs every entry's consent. */
	if (all & PTE_RW || !(mmu->cr0 & CR0_WP))
		kernel |= WALK_W;
	if (all & PTE_US) {
		user = WALK_R | WALK_X | (all & PTE_RW ? WALK_W : 0);
		if (mmu->cr4 & CR4_SMEP)
			kernel &= ~WALK_X;
		if (mmu->cr4 & CR4_SMAP && !mmu->ac)
			kernel &= ~(WALK_R | WALK_W);
	}
	if (any & PTE_NX) {
		kernel &= ~WALK_X;
		user &= ~WALK_X;
	}
	walk_map(w, base | (w->va & (bytes - 1)), bytes, kernel, user);
}

/* The page that a large entry maps: §5.3 for 32-bit paging, where bits 20:13 are address bits 39:32. */
static gpa_t large_base(const struct paging *p, uint64_t entry, unsigned int shift)
{
	if (p->entry_bytes == 4)
		return (entry & 0xffc00000) | (entry >> 13 & 0xff) << 32;
	return entry & PTE_ADDRESS & ~((UINT64_C(1) << shift) - 1);
}

static bool choose_paging(const struct x86_mmu *mmu, struct walk *w, struct paging *p, gpa_t *table)
{
	unsigned int bits;

	if (!(mmu->efer & EFER_LMA)) {
		/* Linear addresses have 32 bits. */
		w->va &= UINT32_MAX;
		if (mmu->cr4 & CR4_PAE) {
			*p = (struct paging){ .levels = 3, .entry_bytes = 8, .index_bits = 9 };
			*table = mmu->cr3 & 0xffffffe0;
			snprintf(w->mode, sizeof(w->mode), "PAE");
		} else {
			*p = (struct paging){ .levels = 2, .entry_bytes = 4, .index_bits = 10 };
			*table = mmu->cr3 & 0xfffff000;
			snprintf(w->mode, sizeof(w->mode), "32-bit");
		}
		return true;
	}
	*p = (struct paging){ .levels = mmu->cr4 & CR4_LA57 ? 5 : 4, .entry_bytes = 8, .index_bits = 9 };
	*table = mmu->cr3 & PTE_ADDRESS;
	snprintf(w->mode, sizeof(w->mode), "%u-level", p->levels);
	bits = 12 + 9 * p->levels;
	if ((int64_t)(w->va << (64 - bits)) >> (64 - bits) == (int64_t)w->va)
		return true;
	walk_fail(w, WALK_BAD_ADDRESS, "not canonical: bits 63 to %u differ", bits - 1);
	return false;
}

void x86_mmu_walk(const struct x86_mmu *mmu, const struct walk_memory *mem, uint64_t va, struct walk *w)
{
	uint64_t all = PTE_RW | PTE_US, any = 0, entry;
	struct paging p;
	gpa_t table;

	walk_init(w, va, mmu->user);
	if (!(mmu->cr0 & CR0_PG)) {
		snprintf(w->mode, sizeof(w->mode), "no paging");
		walk_map_identity(w, va & UINT32_MAX);
		return;
	}
	if (!choose_paging(mmu, w, &p, &table))
		return;
	for (unsigned int level = p.levels; level-- > 0;) {
		unsigned int shift = 12 + p.index_bits * level;
		uint64_t index = w->va >> shift & ((1u << p.index_bits) - 1);
		/* §5.4.1: the four entries of PAE's first table have no permissions. */
		bool is_pdpte = level == 2 && p.levels == 3;
		bool may_be_large = level == 1 ? p.entry_bytes == 8 || mmu->cr4 & CR4_PSE :
						 level == 2 && !is_pdpte;

		if (!walk_read_entry(w, mem, level_names[level], table + index * p.entry_bytes, p.entry_bytes,
				     false, &entry))
			return;
		if (!(entry & PTE_P)) {
			walk_fail(w, WALK_UNMAPPED, "%s entry is not present", level_names[level]);
			return;
		}
		/* Without EFER.NXE that bit is reserved, as is PS in the upper tables (tables 5-15 and 5-16). */
		if ((entry & PTE_NX && !(mmu->efer & EFER_NXE)) ||
		    (entry & PTE_PS && level >= 2 && !may_be_large)) {
			walk_fail(w, WALK_BAD_ENTRY, "%s entry 0x%" PRIx64 " has a reserved bit set",
				  level_names[level], entry);
			return;
		}
		if (!is_pdpte) {
			all &= entry;
			any |= entry;
		}
		if (!level) {
			map_leaf(mmu, entry & PTE_ADDRESS, shift, all, any, w);
			return;
		}
		if (entry & PTE_PS && may_be_large) {
			map_leaf(mmu, large_base(&p, entry, shift), shift, all, any, w);
			return;
		}
		table = entry & PTE_ADDRESS;
	}
}
