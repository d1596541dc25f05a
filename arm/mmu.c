// SPDX-License-Identifier: GPL-2.0-only
/* Sections are those of Arm DDI0487, issue K.a. */
#include "arm/mmu.h"

#include <inttypes.h>
#include <stdio.h>

/* SCTLR_EL1, §D24.2.175; the same bits in SCTLR_EL2 */
#define SCTLR_M   (UINT64_C(1) << 0)
#define SCTLR_WXN (UINT64_C(1) << 19)
#define SCTLR_EE  (UINT64_C(1) << 25) /* byte order of data at EL1, and of table entries */

/* TCR_EL1, §D24.2.187 */
#define TCR_T0SZ(tcr) ((unsigned int)(tcr) & 0x3f)
#define TCR_EPD0      (UINT64_C(1) << 7)
#define TCR_TG0(tcr)  ((unsigned int)((tcr) >> 14) & 3)
#define TCR_T1SZ(tcr) ((unsigned int)((tcr) >> 16) & 0x3f)
#define TCR_EPD1      (UINT64_C(1) << 23)
#define TCR_TG1(tcr)  ((unsigned int)((tcr) >> 30) & 3)
#define TCR_IPS(tcr)  ((unsigned int)((tcr) >> 32) & 7)
#define TCR_TBI0      (UINT64_C(1) << 37)
#define TCR_TBI1      (UINT64_C(1) << 38)
#define TCR_HPD0      (UINT64_C(1) << 41)
#define TCR_HPD1      (UINT64_C(1) << 42)
#define TCR_TBID0     (UINT64_C(1) << 51) /* top byte ignored for data only */
#define TCR_TBID1     (UINT64_C(1) << 52)
#define TCR_DS        (UINT64_C(1) << 59) /* FEAT_LPA2: 52 bits with 4 and 16 KiB granules */

/* TCR2_EL1, §D24.2.188 */
#define TCR2_PIE  (UINT64_C(1) << 1) /* permissions by PIR_EL1 and PIRE0_EL1 */
#define TCR2_D128 (UINT64_C(1) << 5) /* descriptors of 128 bits */

/* TCR_EL2 without VHE: what lies elsewhere in TCR_EL1, as (from, to, bits) */
static const struct {
	uint8_t from, to, bits;
} tcr_el2_fields[] = {
	{ 0, 0, 16 }, /* T0SZ, walk attributes, TG0 */
	{ 16, 32, 3 }, /* PS, IPS */
	{ 20, 37, 1 }, /* TBI, TBI0 */
	{ 21, 39, 2 }, /* HA, HD */
	{ 24, 41, 1 }, /* HPD, HPD0 */
	{ 29, 51, 1 }, /* TBID, TBID0 */
	{ 32, 59, 1 }, /* DS */
};

/* Descriptors, §D8.3.1 and §D8.3.2 */
#define DESC_VALID  (UINT64_C(1) << 0)
#define DESC_TABLE  (UINT64_C(1) << 1) /* at the last level: page */
#define DESC_AP_EL0 (UINT64_C(1) << 6)
#define DESC_AP_RO  (UINT64_C(1) << 7)
#define DESC_AF     (UINT64_C(1) << 10)
#define DESC_CONT   (UINT64_C(1) << 52)
#define DESC_PXN    (UINT64_C(1) << 53)
#define DESC_UXN    (UINT64_C(1) << 54)
#define DESC_PXNTABLE (UINT64_C(1) << 59)
#define DESC_UXNTABLE (UINT64_C(1) << 60)
#define DESC_APTABLE_NO_EL0 (UINT64_C(1) << 61)
#define DESC_APTABLE_RO     (UINT64_C(1) << 62)

/* Named by the architecture's level, which starts at -1 with LPA2's 4 KiB granule. */
static const char *const level_names[] = { "level -1", "level 0", "level 1", "level 2", "level 3" };
#define LEVEL_NAME(level) level_names[(level) + 1]

struct regime {
	bool         upper;       /* TTBR1 */
	uint64_t     ttbr;
	unsigned int size_bits;   /* of the addresses that it translates */
	unsigned int page_shift;  /* log2 of the granule */
	bool         lpa2;        /* bits 51:48 of outputs are in bits 9:8 and 49:48 of descriptors */
	bool         lpa;         /* bits 51:48 of outputs are in bits 15:12: 64 KiB granule, 52 bits */
	bool         disabled;    /* TCR_EL1.EPDn */
	bool         flat_perms;  /* hierarchical permissions are off */
};

/* Log2 of the granule, 0 if the field is reserved. TG0 and TG1 count differently. */
static unsigned int granule_shift(unsigned int field, bool upper)
{
	static const uint8_t tg0[] = { 12, 16, 14, 0 };
	static const uint8_t tg1[] = { 0, 14, 12, 16 };

	return upper ? tg1[field] : tg0[field];
}

static void choose_regime(const struct arm_mmu *mmu, uint64_t va, struct regime *r)
{
	uint64_t tcr = mmu->tcr;

	/* §D8.2.4: bit 55 chooses the register, whether or not the top byte is ignored. */
	r->upper = va >> 55 & 1;
	r->ttbr = r->upper ? mmu->ttbr1 : mmu->ttbr0;
	r->size_bits = 64 - (r->upper ? TCR_T1SZ(tcr) : TCR_T0SZ(tcr));
	r->page_shift = granule_shift(r->upper ? TCR_TG1(tcr) : TCR_TG0(tcr), r->upper);
	r->lpa2 = tcr & TCR_DS && r->page_shift && r->page_shift != 16;
	r->lpa = r->page_shift == 16 && TCR_IPS(tcr) == 6;
	r->disabled = tcr & (r->upper ? TCR_EPD1 : TCR_EPD0);
	r->flat_perms = tcr & (r->upper ? TCR_HPD1 : TCR_HPD0);
}

/* The part of @va that must be all ones (TTBR1) or all zeros (TTBR0). */
static bool is_in_range(const struct arm_mmu *mmu, const struct regime *r, uint64_t va)
{
	uint64_t tbi = r->upper ? TCR_TBI1 : TCR_TBI0;
	uint64_t tbid = r->upper ? TCR_TBID1 : TCR_TBID0;
	/* A program counter never keeps a tag, so what is left of one here belongs to data. */
	unsigned int top = mmu->tcr & tbi && !(mmu->tcr & tbid) ? 56 : 64;
	uint64_t above = (va << (64 - top)) >> (64 - top) >> r->size_bits;

	return above == (r->upper ? (UINT64_C(1) << (top - r->size_bits)) - 1 : 0);
}

/* The output or next-table address in a descriptor: §D8.3.1. @low is its lowest address bit. */
static gpa_t desc_address(const struct regime *r, uint64_t desc, unsigned int low)
{
	gpa_t addr = desc & ((UINT64_C(1) << 48) - 1) & ~((UINT64_C(1) << low) - 1);

	if (r->lpa2)
		addr |= (desc & (UINT64_C(3) << 48)) | (desc >> 8 & 3) << 50;
	else if (r->lpa)
		addr |= (desc >> 12 & 0xf) << 48;
	return addr;
}

/* The address of the first table: §D8.2.3 (TTBRn_EL1.BADDR). @bytes is the table's size. */
static gpa_t ttbr_address(const struct regime *r, uint64_t bytes)
{
	gpa_t addr = r->ttbr & ((UINT64_C(1) << 48) - 1) & ~(uint64_t)1;

	if (r->lpa2 || r->lpa) {
		/* Bits 51:48 of the address are in bits 5:2; the table is aligned to 64 bytes at least. */
		addr = (addr & ~(uint64_t)0x3f) | (r->ttbr >> 2 & 0xf) << 48;
	}
	return addr & ~(bytes - 1);
}

/* How many entries one contiguous run has: §D8.7.1. 0: none at this level. */
static unsigned int contiguous_entries(const struct regime *r, int level)
{
	switch (r->page_shift) {
	case 12:
		return level >= 1 ? 16 : 0;
	case 14:
		return level == 3 ? 128 : level == 2 ? 32 : 0;
	default:
		return level >= 2 ? 32 : 0;
	}
}

/* The highest level at which a block may be: §D8.3.2. */
static bool may_be_block(const struct regime *r, int level)
{
	switch (r->page_shift) {
	case 12:
		return level == 1 || level == 2 || (level == 0 && r->lpa2);
	case 14:
		return level == 2 || (level == 1 && r->lpa2);
	default:
		return level == 2 || (level == 1 && r->lpa);
	}
}

/* FEAT_S1PIE, §D8.4.2: the 4 bits of @pir that @desc chooses, as permissions; overlays are left out. */
static unsigned int indirect_permissions(uint64_t pir, uint64_t desc)
{
	static const uint8_t perms[16] = {
		[1] = WALK_R, [2] = WALK_X, [3] = WALK_R | WALK_X, [5] = WALK_R | WALK_W,
		[6] = WALK_R | WALK_W, [7] = WALK_R | WALK_W | WALK_X, [8] = WALK_R, [9] = WALK_R,
		[10] = WALK_R | WALK_X, [12] = WALK_R | WALK_W, [14] = WALK_R | WALK_W | WALK_X,
	};
	unsigned int index = (unsigned int)(desc >> 6 & 1) | (unsigned int)(desc >> 51 & 1) << 1 |
			     (unsigned int)(desc >> 53 & 3) << 2;

	return perms[pir >> (4 * index) & 0xf];
}

/* §D8.4.1: by the bits of the descriptors. */
static void direct_permissions(const struct arm_mmu *mmu, uint64_t desc, uint64_t inherited,
			       unsigned int *el1, unsigned int *el0)
{
	bool readonly = desc & DESC_AP_RO || inherited & DESC_APTABLE_RO;
	/* One privilege: bit 54 is XN, and there is nothing to be open for. */
	uint64_t no_exec = mmu->alone ? DESC_UXN : DESC_PXN;
	uint64_t no_exec_below = mmu->alone ? DESC_UXNTABLE : DESC_PXNTABLE;
	bool open = !mmu->alone && desc & DESC_AP_EL0 && !(inherited & DESC_APTABLE_NO_EL0);
	unsigned int rw = WALK_R | (readonly ? 0 : WALK_W);

	*el1 = rw;
	*el0 = open ? rw : 0;
	/* §D8.4.1.2: what EL0 can write is never executable at EL1. */
	if (!(desc & no_exec) && !(inherited & no_exec_below) && !(open && !readonly))
		*el1 |= WALK_X;
	if (!mmu->alone && !(desc & DESC_UXN) && !(inherited & DESC_UXNTABLE))
		*el0 |= WALK_X;
	if (mmu->sctlr & SCTLR_WXN) {
		*el1 &= *el1 & WALK_W ? ~WALK_X : ~0u;
		*el0 &= *el0 & WALK_W ? ~WALK_X : ~0u;
	}
}

static void map_leaf(const struct arm_mmu *mmu, const struct regime *r, int level, unsigned int shift,
		     uint64_t desc, uint64_t inherited, struct walk *w)
{
	uint64_t bytes = UINT64_C(1) << shift;
	gpa_t gpa = desc_address(r, desc, shift) | (w->va & (bytes - 1));
	unsigned int el1, el0;

	if (mmu->tcr2 & TCR2_PIE) {
		el1 = indirect_permissions(mmu->pir, desc);
		el0 = indirect_permissions(mmu->pire0, desc);
	} else {
		direct_permissions(mmu, desc, inherited, &el1, &el0);
	}
	/* A run of contiguous entries is one page for the TLB. */
	if (desc & DESC_CONT && contiguous_entries(r, level))
		bytes *= contiguous_entries(r, level);
	walk_map(w, gpa, bytes, el1, el0);
}

uint64_t arm_mmu_tcr_of_el2(uint64_t tcr_el2)
{
	uint64_t tcr = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(tcr_el2_fields); i++)
		tcr |= (tcr_el2 >> tcr_el2_fields[i].from & ((UINT64_C(1) << tcr_el2_fields[i].bits) - 1))
		       << tcr_el2_fields[i].to;
	return tcr;
}

void arm_mmu_walk(const struct arm_mmu *mmu, const struct walk_memory *mem, uint64_t va, struct walk *w)
{
	const char *el = mmu->el2 ? "EL2" : "EL1";
	unsigned int index_bits, min_size, max_size;
	uint64_t inherited = 0, desc;
	struct regime r;
	int level;
	gpa_t table;

	walk_init(w, va, mmu->user);
	if (!(mmu->sctlr & SCTLR_M)) {
		snprintf(w->mode, sizeof(w->mode), "MMU off");
		walk_map_identity(w, va);
		return;
	}
	if (mmu->aarch32) {
		snprintf(w->mode, sizeof(w->mode), "AArch32");
		walk_fail(w, WALK_UNKNOWN, "lkvm does not know page tables of 32-bit guests");
		return;
	}
	choose_regime(mmu, va, &r);
	if (mmu->alone && r.upper) {
		snprintf(w->mode, sizeof(w->mode), "EL2 without VHE");
		walk_fail(w, WALK_BAD_ADDRESS, "EL2 without VHE translates no upper half");
		return;
	}
	if (!r.page_shift) {
		snprintf(w->mode, sizeof(w->mode), "reserved granule");
		walk_fail(w, WALK_UNKNOWN, "TCR_%s.TG%d has a reserved value", el, r.upper);
		return;
	}
	snprintf(w->mode, sizeof(w->mode), "%uK granule, %u bits, TTBR%d%s", 1u << (r.page_shift - 10),
		 r.size_bits, r.upper, r.lpa2 ? ", LPA2" : "");
	if (mmu->tcr2 & TCR2_D128) {
		walk_fail(w, WALK_UNKNOWN, "lkvm does not know 128-bit descriptors (TCR2_%s.D128)", el);
		return;
	}
	/* §D8.1.8: T0SZ and T1SZ are 16 to 39 (48 or 47 with FEAT_TTST), and 12 with FEAT_LVA or LPA2. */
	min_size = r.page_shift == 16 ? 17 : 16;
	max_size = r.page_shift == 16 || r.lpa2 ? 52 : 48;
	if (r.size_bits < min_size || r.size_bits > max_size) {
		walk_fail(w, WALK_UNKNOWN, "TCR_%s.T%dSZ %u is out of range", el, r.upper, 64 - r.size_bits);
		return;
	}
	if (!is_in_range(mmu, &r, va)) {
		walk_fail(w, WALK_BAD_ADDRESS, "outside the %u bits that TTBR%d_%s translates", r.size_bits,
			  r.upper, el);
		return;
	}
	if (r.disabled) {
		walk_fail(w, WALK_UNMAPPED, "TCR_%s.EPD%d switches walks with TTBR%d_%s off", el, r.upper,
			  r.upper, el);
		return;
	}
	index_bits = r.page_shift - 3;
	level = 3 - (int)((r.size_bits - r.page_shift - 1) / index_bits);
	/* The first table has what is left of the address bits; its alignment is its size, 64 bytes at least. */
	table = ttbr_address(&r, UINT64_C(8) << ((r.size_bits - r.page_shift - 1) % index_bits + 1));
	for (;; level++) {
		unsigned int shift = r.page_shift + index_bits * (unsigned int)(3 - level);
		unsigned int top = MIN(shift + index_bits, r.size_bits);
		uint64_t index = va >> shift & ((UINT64_C(1) << (top - shift)) - 1);

		if (!walk_read_entry(w, mem, LEVEL_NAME(level), table + index * 8, 8, mmu->sctlr & SCTLR_EE,
				     &desc))
			return;
		if (!(desc & DESC_VALID)) {
			walk_fail(w, WALK_UNMAPPED, "%s entry is invalid", LEVEL_NAME(level));
			return;
		}
		if (level == 3 || !(desc & DESC_TABLE)) {
			if (level == 3 ? !(desc & DESC_TABLE) : !may_be_block(&r, level)) {
				walk_fail(w, WALK_BAD_ENTRY, "%s entry 0x%" PRIx64 " is a block, which this level can't have",
					  LEVEL_NAME(level), desc);
				return;
			}
			map_leaf(mmu, &r, level, shift, desc, inherited, w);
			return;
		}
		if (!r.flat_perms)
			inherited |= desc & (DESC_PXNTABLE | DESC_UXNTABLE | DESC_APTABLE_NO_EL0 |
					     DESC_APTABLE_RO);
		table = desc_address(&r, desc, r.page_shift);
	}
}
