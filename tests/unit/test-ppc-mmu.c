// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/mmu.h"

#include "tests/unit/walk-util.h"

#define T(n) (WALK_RAM + (n) * 0x10000)
#define VALID (UINT64_C(1) << 63)
#define LEAF  (UINT64_C(1) << 62)
#define MSR_ON (PPC_MSR_IR | PPC_MSR_DR)
/* RTS for 52 bits, in its two parts */
#define RTS52 (UINT64_C(2) << 61 | UINT64_C(5) << 5)

/* As Linux builds them: 13, 9, 9 and 9 bits, then 12 of a 4 KiB page (or 5 and 16 of 64 KiB). */
static void build_tree(void)
{
	walk_ram_clear();
	set_entry_be(T(0), 0, RTS52 | T(1) | 13);
	set_entry_be(T(0), 2 * 5, RTS52 | T(1) | 13);
	set_entry_be(T(1), 3, VALID | T(2) | 9);
	set_entry_be(T(2), 4, VALID | T(3) | 9);
	set_entry_be(T(3), 5, VALID | T(4) | 5);
	set_entry_be(T(4), 6, VALID | LEAF | 0x12340000 | 7);
}

#define EA (UINT64_C(3) << 39 | UINT64_C(4) << 30 | UINT64_C(5) << 21 | UINT64_C(6) << 16 | 0xabcd)

static void test_radix(void)
{
	struct ppc_radix mmu = { .msr = MSR_ON, .process_table = T(0) | 4, .pid = 5 };
	struct walk w;

	build_tree();
	ppc_radix_walk(&mmu, &walk_mem, EA, true, &w);
	check_mapped(&w, 0x1234abcd, KIB(64), "rwx", "rwx");
	CHECK_EQ(w.nr_steps, 5);
	CHECK_EQ(w.steps[0].entry_gpa, T(0) + 5 * 16);
	CHECK_STR(w.mode, "radix, pid 5");
	ppc_radix_walk(&mmu, &walk_mem, EA | UINT64_C(3) << 62, true, &w);
	check_mapped(&w, 0x1234abcd, KIB(64), "rwx", "rwx");
	CHECK_STR(w.mode, "radix, pid 0");
	set_entry_be(T(3), 5, VALID | LEAF | 0x90200000 | 0x8 | 0x4);
	ppc_radix_walk(&mmu, &walk_mem, EA, true, &w);
	check_mapped(&w, 0x9026abcd, MIB(2), "r--", "---");
	set_entry_be(T(3), 5, 0);
	ppc_radix_walk(&mmu, &walk_mem, EA, true, &w);
	check_failed(&w, WALK_UNMAPPED, 4);
	/* Real mode */
	mmu.msr = 0;
	ppc_radix_walk(&mmu, &walk_mem, UINT64_C(0xc000000000000100), true, &w);
	check_mapped(&w, 0x100, 0, "rwx", "rwx");
	mmu.msr = PPC_MSR_DR;
	ppc_radix_walk(&mmu, &walk_mem, EA, true, &w);
	CHECK_STR(w.mode, "real mode");
}

static void test_radix_hostile(void)
{
	struct ppc_radix mmu = { .msr = MSR_ON, .process_table = T(0) | 4, .pid = 5 };
	struct walk w;

	build_tree();
	ppc_radix_walk(&mmu, &walk_mem, UINT64_C(1) << 62, true, &w);
	check_failed(&w, WALK_BAD_ADDRESS, 0);
	ppc_radix_walk(&mmu, &walk_mem, UINT64_C(1) << 52, true, &w);
	check_failed(&w, WALK_BAD_ADDRESS, 0);
	/* Table sizes from 0 to 31 bits, everywhere; a loop. */
	for (unsigned int bits = 0; bits < 32; bits++) {
		set_entry_be(T(1), 3, VALID | T(1) | bits);
		ppc_radix_walk(&mmu, &walk_mem, EA, true, &w);
		CHECK(w.result != WALK_MAPPED && w.result != WALK_UNKNOWN);
		set_entry_be(T(0), 2 * 5, RTS52 | T(1) | bits);
		ppc_radix_walk(&mmu, &walk_mem, EA, true, &w);
		CHECK(w.result != WALK_MAPPED && w.result != WALK_UNKNOWN);
	}
	set_entry_be(T(0), 2 * 5, T(1) | 13);
	ppc_radix_walk(&mmu, &walk_mem, EA, true, &w);
	check_failed(&w, WALK_BAD_ENTRY, 1);
	mmu.pid = 1u << 20;
	ppc_radix_walk(&mmu, &walk_mem, EA, true, &w);
	check_failed(&w, WALK_BAD_ENTRY, 0);
	mmu.process_table = T(0) | 31;
	mmu.pid = UINT32_MAX;
	ppc_radix_walk(&mmu, &walk_mem, EA, true, &w);
	check_failed(&w, WALK_NO_TABLE, 1);
	mmu.process_table = 0;
	ppc_radix_walk(&mmu, &walk_mem, EA, true, &w);
	check_failed(&w, WALK_NO_TABLE, 0);
}

/* A hash table of the smallest size. */
#define HTAB_ORDER 18
static uint64_t htab[(1 << HTAB_ORDER) / 8];

static int read_pteg(void *ctx, uint64_t pteg, uint64_t hpte[16])
{
	(void)ctx;
	if (pteg >= (1u << (HTAB_ORDER - 7)))
		return -EFAULT;
	memcpy(hpte, htab + pteg * 16, 128);
	return 0;
}

static void set_hpte(uint64_t pteg, unsigned int slot, uint64_t v, uint64_t r)
{
	htab[(pteg & ((1u << (HTAB_ORDER - 7)) - 1)) * 16 + slot * 2] = v;
	htab[(pteg & ((1u << (HTAB_ORDER - 7)) - 1)) * 16 + slot * 2 + 1] = r;
}

static void test_hash(void)
{
	const uint64_t ea = UINT64_C(0xc000000012345678);
	const uint64_t vsid = 0x123456;
	struct ppc_slb_entry slb[2] = { { 0 } };
	struct ppc_hash mmu = {
		.msr = MSR_ON, .slb = slb, .nr_slb = 2, .order = HTAB_ORDER, .read_pteg = read_pteg,
	};
	struct walk w;

	memset(htab, 0, sizeof(htab));
	ppc_hash_walk(&mmu, ea, true, &w);
	check_failed(&w, WALK_UNMAPPED, 0);
	/* 256 MiB segment, 4 KiB pages: primary group, third slot. */
	slb[1] = (struct ppc_slb_entry){ (ea & ~UINT64_C(0xfffffff)) | 1 << 27 | 1, vsid << 12 | 0x400 };
	ppc_hash_walk(&mmu, ea, true, &w);
	check_failed(&w, WALK_UNMAPPED, 1);
	set_hpte(vsid ^ 0x2345, 2, (vsid << 5 | 0x2345678 >> 23) << 7 | 1, 0x7654000 | 0x2);
	ppc_hash_walk(&mmu, ea, true, &w);
	check_mapped(&w, 0x7654678, 4096, "rwx", "rwx");
	CHECK_STR(w.steps[1].table, "HPTE");
	/* pp 0: nothing for key 1, which Kp gives to user mode. */
	set_hpte(vsid ^ 0x2345, 2, (vsid << 5 | 0x2345678 >> 23) << 7 | 1, 0x7654000 | 0x4);
	ppc_hash_walk(&mmu, ea, true, &w);
	check_mapped(&w, 0x7654678, 4096, "rw-", "---");
	/* The secondary group, 64 KiB pages. */
	memset(htab, 0, sizeof(htab));
	slb[1].slbv = vsid << 12 | 0x110;
	set_hpte(~(vsid ^ 0x234), 7, (vsid << 5 | 0x2345678 >> 23) << 7 | 0x4 | 0x2 | 1, 0x7650000 | 0x1000 | 0x1);
	ppc_hash_walk(&mmu, ea, true, &w);
	check_mapped(&w, 0x7655678, KIB(64), "rwx", "rwx");
	CHECK_STR(w.steps[1].table, "HPTE (secondary)");
	/* 1 TiB segment, 16 MiB pages. */
	memset(htab, 0, sizeof(htab));
	slb[1] = (struct ppc_slb_entry){ (ea >> 40 << 40) | 1 << 27, UINT64_C(1) << 62 | vsid << 24 | 0x100 };
	set_hpte(vsid ^ vsid << 25 ^ 0x12, 0,
		 UINT64_C(1) << 62 | (vsid << 17 | (0x12345678 >> 24) << 1) << 7 | 0x4 | 1, 0x05000000 | 0x3);
	ppc_hash_walk(&mmu, ea, true, &w);
	check_mapped(&w, 0x05345678, MIB(16), "r-x", "r-x");
	/* A table that can't be read, or of no legal size. */
	mmu.order = 20;
	ppc_hash_walk(&mmu, ea | 0xff000000, true, &w);
	CHECK(w.result == WALK_NO_TABLE || w.result == WALK_UNMAPPED);
	mmu.order = 64;
	ppc_hash_walk(&mmu, ea, true, &w);
	check_failed(&w, WALK_UNKNOWN, 1);
}

static void test_e500(void)
{
	struct ppc_booke_tlb_entry tlb[6] = {
		/* TLB0 */
		[1] = { .mas1 = 1u << 31 | 7 << 16 | 1 << 12, .mas2 = 0x10003000,
			.mas7_3 = UINT64_C(0x3f00005000) | 0x33 },
		/* TLB1: 16 MiB at 0xc0000000, in address space 0 */
		[4] = { .mas1 = 1u << 31 | 14 << 7, .mas2 = 0xc0000000, .mas7_3 = 0x15 },
		[5] = { .mas1 = 14 << 7, .mas2 = 0xd0000000, .mas7_3 = 0x15 },
	};
	struct ppc_booke_tlb mmu = { .pid = { 7 }, .entries = tlb, .nr_tlb0 = 4, .nr_tlb1 = 2 };
	struct walk w;

	ppc_booke_walk(&mmu, 0xc0123456, true, &w);
	check_mapped(&w, 0x123456, MIB(16), "rwx", "---");
	CHECK_STR(w.steps[0].table, "TLB1");
	CHECK_EQ(w.steps[0].entry_gpa, 0);
	ppc_booke_walk(&mmu, 0xc1000000, true, &w);
	check_failed(&w, WALK_UNMAPPED, 0);
	/* Not valid */
	ppc_booke_walk(&mmu, 0xd0000000, true, &w);
	check_failed(&w, WALK_UNMAPPED, 0);
	/* Another address space for data only */
	mmu.msr = PPC_MSR_DR | PPC_MSR_PR;
	ppc_booke_walk(&mmu, 0x10003123, true, &w);
	check_failed(&w, WALK_UNMAPPED, 0);
	ppc_booke_walk(&mmu, 0x10003123, false, &w);
	check_mapped(&w, UINT64_C(0x3f00005123), 4096, "r-x", "r-x");
	CHECK_STR(w.steps[0].table, "TLB0");
	mmu.pid[0] = 8;
	ppc_booke_walk(&mmu, 0x10003123, false, &w);
	check_failed(&w, WALK_UNMAPPED, 0);
	mmu.pid[2] = 7;
	ppc_booke_walk(&mmu, 0x10003123, false, &w);
	CHECK_EQ(w.result, WALK_MAPPED);
}

const struct test ppc_mmu_tests[] = {
	{ "radix", test_radix },
	{ "radix_hostile", test_radix_hostile },
	{ "hash", test_hash },
	{ "e500", test_e500 },
	{ 0 },
};
