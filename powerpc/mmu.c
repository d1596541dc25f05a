// SPDX-License-Identifier: GPL-2.0-only
/* Sections are those of Power ISA 3.1B, Book III; Book E: Power ISA 2.07, Book III-E. Tables are big-endian. */
#include "powerpc/mmu.h"

#include <inttypes.h>
#include <stdio.h>

/* Real mode ignores the four highest bits of an address (§6.7.3). */
#define REAL_MODE_MASK ((UINT64_C(1) << 60) - 1)

static bool is_user(uint64_t msr)
{
	return msr & PPC_MSR_PR;
}

/* True, with @w settled, if Book3S does not translate this access. */
static bool real_mode(uint64_t msr, uint64_t ea, bool fetch, struct walk *w)
{
	if (msr & (fetch ? PPC_MSR_IR : PPC_MSR_DR))
		return false;
	snprintf(w->mode, sizeof(w->mode), "real mode");
	walk_map_identity(w, ea & REAL_MODE_MASK);
	return true;
}

/* ---- radix -------------------------------------------------------------------------------------- */

/* §6.7.11: a process table entry, and entries that point to tables */
#define RADIX_RTS(e)  ((unsigned int)((e) >> 61 & 3) << 3 | (unsigned int)((e) >> 5 & 7))
#define RADIX_BASE(e) ((e) & UINT64_C(0x0fffffffffffff00))
#define RADIX_BITS(e) ((unsigned int)(e) & 0x1f)

/* §6.7.11.3: a leaf */
#define RPTE_VALID      (UINT64_C(1) << 63)
#define RPTE_LEAF       (UINT64_C(1) << 62)
#define RPTE_RPN        UINT64_C(0x01fffffffffff000)
#define RPTE_PRIVILEGED 0x8u
#define RPTE_READ       0x4u
#define RPTE_WRITE      0x2u
#define RPTE_EXEC       0x1u

/* PATE1: base, and log2 of the size less 12 */
#define PRTB(e) ((e) & UINT64_C(0x0ffffffffffff000))
#define PRTS(e) ((unsigned int)(e) & 0x1f)

#define RADIX_EA_BITS 52 /* all that processors have implemented */

static const char *const radix_levels[] = { "level 0", "level 1", "level 2", "level 3" };

static void map_radix(uint64_t pte, unsigned int shift, struct walk *w)
{
	uint64_t bytes = UINT64_C(1) << shift;
	gpa_t base = pte & RPTE_RPN;
	unsigned int perm = (pte & RPTE_READ ? WALK_R : 0) | (pte & RPTE_WRITE ? WALK_R | WALK_W : 0) |
			    (pte & RPTE_EXEC ? WALK_X : 0);

	if (shift < 12 || base & (bytes - 1)) {
		walk_fail(w, WALK_BAD_ENTRY, "entry 0x%" PRIx64 " maps a misaligned page", pte);
		return;
	}
	walk_map(w, base | (w->va & (bytes - 1)), bytes, perm, pte & RPTE_PRIVILEGED ? 0 : perm);
}

void ppc_radix_walk(const struct ppc_radix *mmu, const struct walk_memory *mem, uint64_t ea, bool fetch,
		    struct walk *w)
{
	unsigned int quadrant = (unsigned int)(ea >> 62);
	uint32_t pid = quadrant == 3 ? 0 : mmu->pid;
	unsigned int offset, bits;
	uint64_t entry;
	gpa_t base;

	walk_init(w, ea, is_user(mmu->msr));
	if (real_mode(mmu->msr, ea, fetch, w))
		return;
	snprintf(w->mode, sizeof(w->mode), "radix, pid %" PRIu32, pid);
	/* §6.7.10: 1 and 2 are the hypervisor's. */
	if (quadrant == 1 || quadrant == 2 || ea << 2 >> 2 >> RADIX_EA_BITS) {
		walk_fail(w, WALK_BAD_ADDRESS, "not an address of 52 bits in quadrant 0 or 3");
		return;
	}
	if (!PRTB(mmu->process_table)) {
		walk_fail(w, WALK_NO_TABLE, "the guest has registered no process table");
		return;
	}
	if ((uint64_t)pid >> (PRTS(mmu->process_table) + 8)) {
		walk_fail(w, WALK_BAD_ENTRY, "pid %" PRIu32 " is beyond the process table", pid);
		return;
	}
	if (!walk_read_entry(w, mem, "process", PRTB(mmu->process_table) + (uint64_t)pid * 16, 8, true, &entry))
		return;
	offset = RADIX_RTS(entry) + 31;
	bits = RADIX_BITS(entry);
	base = RADIX_BASE(entry);
	if (!bits || offset != RADIX_EA_BITS) {
		walk_fail(w, entry ? WALK_BAD_ENTRY : WALK_UNMAPPED, "process table entry 0x%" PRIx64 " holds no tree of 52 bits",
			  entry);
		return;
	}
	for (unsigned int level = ARRAY_SIZE(radix_levels); level-- > 0;) {
		uint64_t index;

		/* §6.7.11.1: 5 to 13 bits a level, in all no more than there are. */
		if (bits < 5 || bits > 16 || bits > offset || offset - bits < 12) {
			walk_fail(w, WALK_BAD_ENTRY, "entry 0x%" PRIx64 " points to a table of an impossible size",
				  entry);
			return;
		}
		offset -= bits;
		index = ea >> offset & ((UINT64_C(1) << bits) - 1);
		if (!walk_read_entry(w, mem, radix_levels[level], base + index * 8, 8, true, &entry))
			return;
		if (!(entry & RPTE_VALID)) {
			walk_fail(w, WALK_UNMAPPED, "%s entry is not valid", radix_levels[level]);
			return;
		}
		if (entry & RPTE_LEAF) {
			map_radix(entry, offset, w);
			return;
		}
		bits = RADIX_BITS(entry);
		base = RADIX_BASE(entry);
	}
	walk_fail(w, WALK_BAD_ENTRY, "level 0 entry 0x%" PRIx64 " points to a further table", entry);
}

/* ---- hash --------------------------------------------------------------------------------------- */

/* §6.7.8.1: an SLB entry as slbmte takes it */
#define SLBE_V      (UINT64_C(1) << 27)
#define SLBV_1T(v)  ((v) >> 62 == 1)
#define SLBV_VSID(v, shift) (((v) & UINT64_C(0x3ffffffffffff000)) >> (shift))
#define SLBV_KS     0x800u
#define SLBV_KP     0x400u
#define SLBV_N      0x200u
#define SLBV_L      0x100u
#define SLBV_LP(v)  ((unsigned int)(v) >> 4 & 3)

/* §6.7.9.1: an entry of the hash table, in the format before ISA 3.0, which is what KVM hands out */
#define HPTE_V_VALID     0x1u
#define HPTE_V_SECONDARY 0x2u
#define HPTE_V_LARGE     0x4u
#define HPTE_V_AVPN      UINT64_C(0xffffffffffffff80)
#define HPTE_R_PP0       (UINT64_C(1) << 63)
#define HPTE_R_N         0x4u
#define HPTE_R_G         0x8u
#define HPTE_R_RPN       UINT64_C(0x0ffffffffffff000)

#define PTEG_BYTES 128

/* Base page of a segment, log2; 0: an encoding that no processor has. */
static unsigned int segment_page_shift(uint64_t slbv)
{
	static const uint8_t large[] = { 24, 16, 34, 0 };

	return slbv & SLBV_L ? large[SLBV_LP(slbv)] : 12;
}

/* Log2 of the page that an entry maps in a segment with pages of @base_shift; 0: it is none of this segment's. */
static unsigned int hpte_page_shift(uint64_t v, uint64_t r, unsigned int base_shift)
{
	/* What Linux and KVM use of the encodings: low and high half of LP, base and actual page. */
	static const struct {
		uint8_t low, high, base, actual;
	} sizes[] = {
		{ 0, 0, 24, 24 }, { 3, 0, 34, 34 }, { 8, 0, 16, 24 }, { 8, 3, 12, 24 },
	};
	unsigned int low = (unsigned int)(r >> 12) & 0xf, high = (unsigned int)(r >> 16) & 0xf;

	if (!(v & HPTE_V_LARGE))
		return base_shift == 12 ? 12 : 0;
	if (low == 1)
		return base_shift == 16 ? 16 : 0;
	if (low == 7)
		return base_shift == 12 ? 16 : 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		if (sizes[i].low == low && sizes[i].high == high)
			return sizes[i].base == base_shift ? sizes[i].actual : 0;
	return 0;
}

/* §6.7.13: what protection bits and the segment's key allow. */
static unsigned int hash_permissions(uint64_t r, uint64_t slbv, bool key)
{
	unsigned int pp = (unsigned int)r & 3;
	unsigned int perm;

	if (r & HPTE_R_PP0)
		perm = pp == 2 && !key ? WALK_R : 0;
	else if (key)
		perm = pp == 0 ? 0 : pp == 2 ? WALK_R | WALK_W : WALK_R;
	else
		perm = pp == 3 ? WALK_R : WALK_R | WALK_W;
	if (perm & WALK_R && !(r & (HPTE_R_N | HPTE_R_G)) && !(slbv & SLBV_N))
		perm |= WALK_X;
	return perm;
}

static const struct ppc_slb_entry *find_segment(const struct ppc_hash *mmu, uint64_t ea)
{
	for (unsigned int i = 0; i < mmu->nr_slb; i++) {
		const struct ppc_slb_entry *s = &mmu->slb[i];
		unsigned int shift = SLBV_1T(s->slbv) ? 40 : 28;

		if (s->slbe & SLBE_V && s->slbe >> shift == ea >> shift)
			return s;
	}
	return NULL;
}

void ppc_hash_walk(const struct ppc_hash *mmu, uint64_t ea, bool fetch, struct walk *w)
{
	const struct ppc_slb_entry *seg;
	unsigned int seg_shift, page_shift;
	uint64_t vsid, offset, hash, avpn, avpn_mask, hpte[16];

	walk_init(w, ea, is_user(mmu->msr));
	if (real_mode(mmu->msr, ea, fetch, w))
		return;
	snprintf(w->mode, sizeof(w->mode), "hash");
	seg = find_segment(mmu, ea);
	if (!seg) {
		walk_fail(w, WALK_UNMAPPED, "no SLB entry for the segment");
		return;
	}
	walk_note_entry(w, "SLB", (uint64_t)(seg - mmu->slb), seg->slbe, seg->slbv);
	page_shift = segment_page_shift(seg->slbv);
	if (!page_shift || mmu->order < 18 || mmu->order > 46) {
		walk_fail(w, WALK_UNKNOWN, "the segment's page size or the hash table's size is unknown");
		return;
	}
	/* §6.7.9.2: hash and abbreviated virtual page number */
	if (SLBV_1T(seg->slbv)) {
		seg_shift = 40;
		vsid = SLBV_VSID(seg->slbv, 24);
		offset = ea & ((UINT64_C(1) << 40) - 1);
		hash = vsid ^ vsid << 25 ^ offset >> page_shift;
	} else {
		seg_shift = 28;
		vsid = SLBV_VSID(seg->slbv, 12);
		offset = ea & ((UINT64_C(1) << 28) - 1);
		hash = vsid ^ offset >> page_shift;
	}
	avpn_mask = HPTE_V_AVPN & ~(page_shift > 23 ? ((UINT64_C(1) << (page_shift - 23)) - 1) << 7 : 0);
	avpn = (vsid << (seg_shift - 23) | offset >> 23) << 7 & ~(UINT64_C(3) << 62);
	avpn |= (uint64_t)SLBV_1T(seg->slbv) << 62;

	for (unsigned int secondary = 0; secondary < 2; secondary++) {
		uint64_t pteg = (secondary ? ~hash : hash) & ((UINT64_C(1) << (mmu->order - 7)) - 1);

		if (mmu->read_pteg(mmu->ctx, pteg, hpte)) {
			walk_fail(w, WALK_NO_TABLE, "group 0x%" PRIx64 " of the hash table can't be read", pteg);
			return;
		}
		for (unsigned int i = 0; i < 8; i++) {
			uint64_t v = hpte[2 * i], r = hpte[2 * i + 1], bytes;
			unsigned int shift;

			if (!(v & HPTE_V_VALID) || !(v & HPTE_V_SECONDARY) != !secondary ||
			    (v ^ avpn) & avpn_mask)
				continue;
			shift = hpte_page_shift(v, r, page_shift);
			if (!shift)
				continue;
			bytes = UINT64_C(1) << shift;
			walk_note_entry(w, secondary ? "HPTE (secondary)" : "HPTE", pteg * 8 + i, v, r);
			walk_map(w, (r & HPTE_R_RPN & ~(bytes - 1)) | (ea & (bytes - 1)), bytes,
				 hash_permissions(r, seg->slbv, seg->slbv & SLBV_KS),
				 hash_permissions(r, seg->slbv, seg->slbv & SLBV_KP));
			return;
		}
	}
	walk_fail(w, WALK_UNMAPPED, "the hash table has no entry for it");
}

/* ---- e500 --------------------------------------------------------------------------------------- */

/* MAS registers: Power ISA 2.07, Book III-E §6.10.3 */
#define MAS1_VALID    (UINT32_C(1) << 31)
#define MAS1_TID(m)   ((m) >> 16 & 0x3fff)
#define MAS1_TS       (UINT32_C(1) << 12)
#define MAS1_TSIZE(m) ((m) >> 7 & 0x1f) /* log2 of the size in KiB */
#define MAS3_RPN      UINT64_C(0xfffffffffffff000)
#define MAS3_UX 0x20u
#define MAS3_SX 0x10u
#define MAS3_UW 0x08u
#define MAS3_SW 0x04u
#define MAS3_UR 0x02u
#define MAS3_SR 0x01u

static bool pid_matches(const struct ppc_booke_tlb *mmu, uint32_t tid)
{
	if (!tid)
		return true;
	for (unsigned int i = 0; i < ARRAY_SIZE(mmu->pid); i++)
		if (mmu->pid[i] == tid)
			return true;
	return false;
}

void ppc_booke_walk(const struct ppc_booke_tlb *mmu, uint64_t ea, bool fetch, struct walk *w)
{
	/* The same bits as Book3S's IR and DR. */
	bool space = mmu->msr & (fetch ? PPC_MSR_IR : PPC_MSR_DR);

	walk_init(w, ea, is_user(mmu->msr));
	snprintf(w->mode, sizeof(w->mode), "TLB, address space %d, pid %" PRIu32, space, mmu->pid[0]);
	for (unsigned int i = 0; i < mmu->nr_tlb0 + mmu->nr_tlb1; i++) {
		const struct ppc_booke_tlb_entry *e = &mmu->entries[i];
		bool in_tlb0 = i < mmu->nr_tlb0;
		/* TLB0 has one page size and ignores TSIZE (e500 core manual, "TLB0"). */
		unsigned int shift = in_tlb0 ? 12 : 10 + MAS1_TSIZE(e->mas1);
		uint64_t bytes = UINT64_C(1) << shift;
		unsigned int kernel, user;

		if (!(e->mas1 & MAS1_VALID) || !(e->mas1 & MAS1_TS) != !space || shift < 12 ||
		    !pid_matches(mmu, MAS1_TID(e->mas1)) || (e->mas2 ^ ea) & ~(bytes - 1))
			continue;
		kernel = (e->mas7_3 & MAS3_SR ? WALK_R : 0) | (e->mas7_3 & MAS3_SW ? WALK_W : 0) |
			 (e->mas7_3 & MAS3_SX ? WALK_X : 0);
		user = (e->mas7_3 & MAS3_UR ? WALK_R : 0) | (e->mas7_3 & MAS3_UW ? WALK_W : 0) |
		       (e->mas7_3 & MAS3_UX ? WALK_X : 0);
		walk_note_entry(w, in_tlb0 ? "TLB0" : "TLB1", in_tlb0 ? i : i - mmu->nr_tlb0,
				(uint64_t)e->mas1 << 32 | (uint32_t)e->mas2, e->mas7_3);
		walk_map(w, (e->mas7_3 & MAS3_RPN & ~(bytes - 1)) | (ea & (bytes - 1)), bytes, kernel, user);
		return;
	}
	walk_fail(w, WALK_UNMAPPED, "no entry of TLB0 and TLB1 holds it");
}
