// SPDX-License-Identifier: GPL-2.0-only
#include "arm/mmu.h"

#include <stdio.h>

#include "tests/unit/walk-util.h"

#define SCTLR_M 1
#define T(n) (WALK_RAM + (n) * 0x10000)
#define PAGE  (3 | 1 << 10)
#define BLOCK (1 | 1 << 10)
#define TABLE 3
#define AP_EL0 (1 << 6)
#define AP_RO  (1 << 7)
#define PXN (UINT64_C(1) << 53)
#define UXN (UINT64_C(1) << 54)

/* TCR_EL1 for both halves. */
static uint64_t make_tcr(unsigned int tg0, unsigned int tg1, unsigned int bits)
{
	return (64 - bits) | (uint64_t)(64 - bits) << 16 | (uint64_t)tg0 << 14 | (uint64_t)tg1 << 30;
}

static struct arm_mmu make_mmu(uint64_t tcr)
{
	return (struct arm_mmu){ .sctlr = SCTLR_M, .tcr = tcr, .ttbr0 = T(0), .ttbr1 = T(0) };
}

static void test_off(void)
{
	struct arm_mmu mmu = { 0 };
	struct walk w;

	arm_mmu_walk(&mmu, &walk_mem, 0x200, &w);
	check_mapped(&w, 0x200, 0, "rwx", "rwx");
	CHECK_STR(w.mode, "MMU off");
	/* A 32-bit guest: what is not known is no failure of the guest's. */
	mmu.aarch32 = true;
	arm_mmu_walk(&mmu, &walk_mem, 0x200, &w);
	check_mapped(&w, 0x200, 0, "rwx", "rwx");
	mmu.sctlr = SCTLR_M;
	arm_mmu_walk(&mmu, &walk_mem, 0x200, &w);
	check_failed(&w, WALK_UNKNOWN, 0);
}

/* EL2 with VHE is EL1 by another name. Without, there is one half and one privilege, and TCR has another layout. */
static void test_el2(void)
{
	/* TCR_EL2: T0SZ 16, TG0 4K, PS 5, TBI */
	const uint64_t tcr_el2 = 16 | 5 << 16 | 1 << 20;
	struct arm_mmu mmu = make_mmu(make_tcr(0, 2, 48));
	struct walk w;

	mmu.el2 = true;
	arm_mmu_walk(&mmu, &walk_mem, UINT64_C(0x0001000000000000), &w);
	check_failed(&w, WALK_BAD_ADDRESS, 0);
	CHECK_STR(w.why, "outside the 48 bits that TTBR0_EL2 translates");

	CHECK_EQ(arm_mmu_tcr_of_el2(tcr_el2), 16 | UINT64_C(5) << 32 | UINT64_C(1) << 37);
	CHECK_EQ(arm_mmu_tcr_of_el2(UINT64_C(1) << 32 | 7 << 20 | 1 << 24 | 1 << 29 | 0xffff),
		 UINT64_C(1) << 59 | UINT64_C(1) << 51 | UINT64_C(1) << 41 | UINT64_C(3) << 39 | UINT64_C(1) << 37 |
			 0xffff);
	mmu.alone = true;
	mmu.tcr = arm_mmu_tcr_of_el2(tcr_el2);
	walk_ram_clear();
	set_entry(T(0), 0, T(1) | TABLE);
	set_entry(T(1), 0, T(2) | TABLE);
	set_entry(T(2), 0, 0x200000 | BLOCK | AP_EL0); /* AP[1] is RES1 here, and PXN nothing */
	set_entry(T(2), 1, 0x400000 | BLOCK | AP_EL0 | PXN | AP_RO);
	set_entry(T(2), 2, 0x600000 | BLOCK | AP_EL0 | UXN);
	arm_mmu_walk(&mmu, &walk_mem, 0x1000, &w);
	check_mapped(&w, 0x201000, MIB(2), "rwx", "---");
	arm_mmu_walk(&mmu, &walk_mem, UINT64_C(0xaa00000000201000), &w);
	check_mapped(&w, 0x401000, MIB(2), "r-x", "---");
	arm_mmu_walk(&mmu, &walk_mem, 0x401000, &w);
	check_mapped(&w, 0x601000, MIB(2), "rw-", "---");
	arm_mmu_walk(&mmu, &walk_mem, UINT64_C(0xffff000000001000), &w);
	check_failed(&w, WALK_BAD_ADDRESS, 0);
	CHECK_STR(w.why, "EL2 without VHE translates no upper half");
}

static void test_granules(void)
{
	static const struct {
		unsigned int tg0, tg1, bits, shift, levels;
		bool lpa2;
		const char *mode0, *mode1, *first;
	} rows[] = {
		{ 0, 2, 48, 12, 4, false, "4K granule, 48 bits, TTBR0", "4K granule, 48 bits, TTBR1", "level 0" },
		{ 0, 2, 39, 12, 3, false, "4K granule, 39 bits, TTBR0", "4K granule, 39 bits, TTBR1", "level 1" },
		{ 0, 2, 25, 12, 2, false, "4K granule, 25 bits, TTBR0", "4K granule, 25 bits, TTBR1", "level 2" },
		{ 0, 2, 52, 12, 5, true, "4K granule, 52 bits, TTBR0, LPA2", "4K granule, 52 bits, TTBR1, LPA2",
		  "level -1" },
		{ 2, 1, 48, 14, 4, false, "16K granule, 48 bits, TTBR0", "16K granule, 48 bits, TTBR1", "level 0" },
		{ 2, 1, 47, 14, 3, false, "16K granule, 47 bits, TTBR0", "16K granule, 47 bits, TTBR1", "level 1" },
		{ 2, 1, 52, 14, 4, true, "16K granule, 52 bits, TTBR0, LPA2", "16K granule, 52 bits, TTBR1, LPA2",
		  "level 0" },
		{ 1, 3, 48, 16, 3, false, "64K granule, 48 bits, TTBR0", "64K granule, 48 bits, TTBR1", "level 1" },
		{ 1, 3, 42, 16, 2, false, "64K granule, 42 bits, TTBR0", "64K granule, 42 bits, TTBR1", "level 2" },
		{ 1, 3, 52, 16, 3, false, "64K granule, 52 bits, TTBR0", "64K granule, 52 bits, TTBR1", "level 1" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arm_mmu mmu = make_mmu(make_tcr(rows[i].tg0, rows[i].tg1, rows[i].bits));
		unsigned int shift = rows[i].shift, per = shift - 3, levels = rows[i].levels;
		uint64_t low = UINT64_C(0x5a5a5a5a5a5a5a5a) & ((UINT64_C(1) << rows[i].bits) - 1);
		uint64_t high = low | ~((UINT64_C(1) << rows[i].bits) - 1);
		gpa_t out = UINT64_C(0x12340000);
		struct walk w;

		if (rows[i].lpa2)
			mmu.tcr |= UINT64_C(1) << 59;
		if (rows[i].bits == 52 && shift == 16)
			mmu.tcr |= UINT64_C(6) << 32;
		walk_ram_clear();
		for (unsigned int n = 0; n < levels; n++) {
			unsigned int at = shift + per * (levels - 1 - n);
			unsigned int top = MIN(at + per, rows[i].bits);
			uint64_t index = low >> at & ((UINT64_C(1) << (top - at)) - 1);

			set_entry(T(n), index, n == levels - 1 ? out | PAGE : T(n + 1) | TABLE);
		}
		arm_mmu_walk(&mmu, &walk_mem, low, &w);
		check_mapped(&w, out | (low & ((1u << shift) - 1)), 1u << shift, "rwx", "--x");
		CHECK_STR(w.mode, rows[i].mode0);
		CHECK_STR(w.steps[0].table, rows[i].first);
		CHECK_STR(w.steps[levels - 1].table, "level 3");
		CHECK_EQ(w.nr_steps, levels);
		arm_mmu_walk(&mmu, &walk_mem, high, &w);
		check_mapped(&w, out | (low & ((1u << shift) - 1)), 1u << shift, "rwx", "--x");
		CHECK_STR(w.mode, rows[i].mode1);
		/* Between the two halves nothing is translated. */
		arm_mmu_walk(&mmu, &walk_mem, low | UINT64_C(1) << 54, &w);
		check_failed(&w, WALK_BAD_ADDRESS, 0);
		arm_mmu_walk(&mmu, &walk_mem, high & ~(UINT64_C(1) << 54), &w);
		check_failed(&w, WALK_BAD_ADDRESS, 0);
	}
}

static void test_52_bit_outputs(void)
{
	struct arm_mmu mmu = make_mmu(make_tcr(0, 2, 52) | UINT64_C(1) << 59);
	struct walk w;

	walk_ram_clear();
	/* LPA2: a block of 512 GiB at level 0; bits 49:48 in place, 51:50 in bits 9:8. */
	set_entry(T(0), 1, T(1) | TABLE);
	set_entry(T(1), 0, UINT64_C(1) << 48 | UINT64_C(3) << 8 | BLOCK);
	arm_mmu_walk(&mmu, &walk_mem, UINT64_C(1) << 48 | 0x123456, &w);
	check_mapped(&w, UINT64_C(0xd000000123456), GIB(512), "rwx", "--x");
	/* 64 KiB and 52 bits: bits 51:48 in bits 15:12. */
	mmu = make_mmu(make_tcr(1, 3, 48) | UINT64_C(6) << 32);
	walk_ram_clear();
	set_entry(T(0), 0, T(1) | TABLE);
	set_entry(T(1), 0, UINT64_C(0xa) << 12 | UINT64_C(0x123420000000) | BLOCK);
	arm_mmu_walk(&mmu, &walk_mem, 0x765432, &w);
	check_mapped(&w, UINT64_C(0xa123420765432), MIB(512), "rwx", "--x");
	/* The first table's own address. */
	mmu.ttbr0 = UINT64_C(5) << 2 | 0x10000 | 1 | UINT64_C(77) << 48;
	arm_mmu_walk(&mmu, &walk_mem, 0, &w);
	check_failed(&w, WALK_NO_TABLE, 1);
	CHECK_EQ(w.steps[0].entry_gpa, UINT64_C(5) << 48 | 0x10000);
}

static void test_blocks_and_runs(void)
{
	struct arm_mmu mmu = make_mmu(make_tcr(0, 2, 48));
	struct walk w;

	walk_ram_clear();
	set_entry(T(0), 0, T(1) | TABLE);
	set_entry(T(1), 1, 0xc0000000 | BLOCK);
	set_entry(T(1), 2, T(2) | TABLE);
	set_entry(T(2), 4, 0x90800000 | BLOCK | UINT64_C(1) << 52);
	set_entry(T(2), 5, T(3) | TABLE);
	set_entry(T(3), 1, 0x11111000 | PAGE | UINT64_C(1) << 52);
	arm_mmu_walk(&mmu, &walk_mem, GIB(1) + 0x1234567, &w);
	check_mapped(&w, 0xc1234567, GIB(1), "rwx", "--x");
	arm_mmu_walk(&mmu, &walk_mem, GIB(2) + 4 * MIB(2) + 0x4321, &w);
	check_mapped(&w, 0x90804321, MIB(32), "rwx", "--x");
	arm_mmu_walk(&mmu, &walk_mem, GIB(2) + 5 * MIB(2) + 0x1321, &w);
	check_mapped(&w, 0x11111321, KIB(64), "rwx", "--x");
	/* No blocks of 512 GiB without LPA2, and none at the last level. */
	set_entry(T(0), 1, 0 | BLOCK);
	arm_mmu_walk(&mmu, &walk_mem, GIB(512), &w);
	check_failed(&w, WALK_BAD_ENTRY, 1);
	set_entry(T(3), 2, 0x11111000 | BLOCK);
	arm_mmu_walk(&mmu, &walk_mem, GIB(2) + 5 * MIB(2) + 0x2000, &w);
	check_failed(&w, WALK_BAD_ENTRY, 4);
}

static void permissions(uint64_t sctlr, uint64_t tcr, uint64_t table, uint64_t page, const char *el1,
			const char *el0)
{
	struct arm_mmu mmu = make_mmu(make_tcr(1, 3, 42) | tcr);
	struct walk w;

	mmu.sctlr |= sctlr;
	walk_ram_clear();
	set_entry(T(0), 0, T(1) | TABLE | table);
	set_entry(T(1), 0, PAGE | page);
	arm_mmu_walk(&mmu, &walk_mem, 0, &w);
	check_mapped(&w, 0, KIB(64), el1, el0);
}

static void test_permissions(void)
{
	permissions(0, 0, 0, 0, "rwx", "--x");
	permissions(0, 0, 0, AP_RO, "r-x", "--x");
	permissions(0, 0, 0, AP_EL0, "rw-", "rwx");
	permissions(0, 0, 0, AP_EL0 | AP_RO, "r-x", "r-x");
	permissions(0, 0, 0, PXN | UXN, "rw-", "---");
	permissions(0, 0, 0, AP_EL0 | UXN, "rw-", "rw-");
	/* WXN */
	permissions(1 << 19, 0, 0, 0, "rw-", "--x");
	permissions(1 << 19, 0, 0, AP_EL0 | AP_RO, "r-x", "r-x");
	/* Hierarchical: no EL0, read-only, no execution; and switched off. */
	permissions(0, 0, UINT64_C(1) << 61, AP_EL0 | AP_RO, "r-x", "--x");
	permissions(0, 0, UINT64_C(1) << 62, AP_EL0, "r-x", "r-x");
	permissions(0, 0, UINT64_C(3) << 59, 0, "rw-", "---");
	permissions(0, UINT64_C(1) << 41, UINT64_C(0xf) << 59, AP_EL0, "rw-", "rwx");
}

static void test_indirect_permissions(void)
{
	struct arm_mmu mmu = make_mmu(make_tcr(1, 3, 42));
	struct walk w;

	walk_ram_clear();
	set_entry(T(0), 0, T(1) | TABLE);
	set_entry(T(1), 0, PAGE | PXN | UXN); /* index 12 */
	mmu.tcr2 = 1 << 1;
	mmu.pir = UINT64_C(0xa) << 48;
	mmu.pire0 = UINT64_C(0xc) << 48;
	arm_mmu_walk(&mmu, &walk_mem, 0, &w);
	check_mapped(&w, 0, KIB(64), "r-x", "rw-");
	mmu.tcr2 = 1 << 5;
	arm_mmu_walk(&mmu, &walk_mem, 0, &w);
	check_failed(&w, WALK_UNKNOWN, 0);
}

static void test_tags_and_byte_order(void)
{
	struct arm_mmu mmu = make_mmu(make_tcr(1, 3, 42));
	struct walk w;

	walk_ram_clear();
	set_entry(T(0), 0, T(1) | TABLE);
	set_entry(T(1), 0, PAGE);
	arm_mmu_walk(&mmu, &walk_mem, UINT64_C(0xab) << 56, &w);
	check_failed(&w, WALK_BAD_ADDRESS, 0);
	mmu.tcr |= UINT64_C(1) << 37; /* TBI0 */
	arm_mmu_walk(&mmu, &walk_mem, UINT64_C(0xab) << 56, &w);
	check_mapped(&w, 0, KIB(64), "rwx", "--x");
	mmu.sctlr |= 1 << 25; /* EE */
	arm_mmu_walk(&mmu, &walk_mem, 0, &w);
	check_failed(&w, WALK_UNMAPPED, 1);
	set_entry_be(T(0), 0, T(1) | TABLE);
	set_entry_be(T(1), 0, PAGE);
	arm_mmu_walk(&mmu, &walk_mem, 0, &w);
	check_mapped(&w, 0, KIB(64), "rwx", "--x");
}

static void test_hostile(void)
{
	struct arm_mmu mmu = make_mmu(make_tcr(0, 2, 48));
	struct walk w;

	walk_ram_clear();
	/* A table that is its own page ends at level 3 as a page. */
	set_entry(T(0), 0, T(0) | TABLE | 1 << 10);
	arm_mmu_walk(&mmu, &walk_mem, 0x123, &w);
	check_mapped(&w, T(0) + 0x123, 4096, "rwx", "--x");
	CHECK_EQ(w.nr_steps, 4);
	set_entry(T(0), 0, UINT64_C(0x0000fffffffff000) | TABLE);
	arm_mmu_walk(&mmu, &walk_mem, 0, &w);
	check_failed(&w, WALK_NO_TABLE, 2);
	mmu.tcr |= 1 << 7; /* EPD0 */
	arm_mmu_walk(&mmu, &walk_mem, 0, &w);
	check_failed(&w, WALK_UNMAPPED, 0);
	/* Every value of the size and granule fields. */
	for (unsigned int i = 0; i < 64 * 4; i++) {
		mmu = make_mmu((uint64_t)(i & 63) | (uint64_t)(i & 63) << 16 | (uint64_t)(i >> 6) << 14 |
			       (uint64_t)(i >> 6) << 30);
		for (unsigned int ds = 0; ds < 2; ds++) {
			mmu.tcr |= (uint64_t)ds << 59;
			arm_mmu_walk(&mmu, &walk_mem, 0x1000, &w);
			arm_mmu_walk(&mmu, &walk_mem, UINT64_C(0xfffffffffffff000), &w);
			CHECK(w.result != WALK_MAPPED);
		}
	}
}

const struct test arm_mmu_tests[] = {
	{ "off", test_off },
	{ "el2", test_el2 },
	{ "granules", test_granules },
	{ "52_bit_outputs", test_52_bit_outputs },
	{ "blocks_and_runs", test_blocks_and_runs },
	{ "permissions", test_permissions },
	{ "indirect_permissions", test_indirect_permissions },
	{ "tags_and_byte_order", test_tags_and_byte_order },
	{ "hostile", test_hostile },
	{ 0 },
};
