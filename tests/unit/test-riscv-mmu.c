// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/mmu.h"

#include "tests/unit/walk-util.h"

#define L(n) (WALK_RAM + (n) * 0x1000)
#define PPN(gpa) ((uint64_t)(gpa) >> 12 << 10)
#define TABLE(gpa) (PPN(gpa) | 1)
#define RWX (7 << 1)
#define V 1
#define U 0x10

static uint64_t satp(unsigned int mode)
{
	return (uint64_t)mode << 60 | UINT64_C(0x1234) << 44 | L(0) >> 12;
}

static struct walk walk(unsigned int mode, uint64_t sstatus, uint64_t va)
{
	struct riscv_mmu mmu = { .satp = mode ? satp(mode) : 0, .sstatus = sstatus };
	struct walk w;

	riscv_mmu_walk(&mmu, &walk_mem, va, &w);
	return w;
}

static void test_modes(void)
{
	static const struct {
		unsigned int mode, levels;
		const char *name;
		uint64_t va, out_of_range;
	} rows[] = {
		{ 8, 3, "Sv39", UINT64_C(0xffffffd234567abc), UINT64_C(0x0000004000000000) },
		{ 9, 4, "Sv48", UINT64_C(0xffff9f1234567abc), UINT64_C(0x0000800000000000) },
		{ 10, 5, "Sv57", UINT64_C(0xff1ff31234567abc), UINT64_C(0x0100000000000000) },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned int levels = rows[i].levels;
		struct walk w;

		walk_ram_clear();
		for (unsigned int n = 0; n < levels; n++)
			set_entry(L(n), rows[i].va >> (12 + 9 * (levels - 1 - n)) & 511,
				  n == levels - 1 ? PPN(0x9abcd000) | V | RWX | 0xc0 : TABLE(L(n + 1)));
		w = walk(rows[i].mode, 0, rows[i].va);
		check_mapped(&w, 0x9abcdabc, 4096, "rwx", "---");
		CHECK_STR(w.mode, rows[i].name);
		CHECK_EQ(w.nr_steps, levels);
		CHECK_EQ(w.steps[0].entry_gpa, L(0) + 8 * (rows[i].va >> (12 + 9 * (levels - 1)) & 511));
		CHECK_STR(w.steps[levels - 1].table, "level 0");
		w = walk(rows[i].mode, 0, rows[i].out_of_range);
		check_failed(&w, WALK_BAD_ADDRESS, 0);
		w = walk(rows[i].mode, 0, rows[i].va + 4096);
		check_failed(&w, WALK_UNMAPPED, levels);
	}
}

static void test_bare(void)
{
	struct walk w = walk(0, 0, 0x70000000);

	check_mapped(&w, 0x70000000, 0, "rwx", "rwx");
	CHECK_STR(w.mode, "Bare");
	w = walk(5, 0, 0);
	check_failed(&w, WALK_UNKNOWN, 0);
}

static void test_superpages(void)
{
	struct walk w;

	walk_ram_clear();
	set_entry(L(0), 2, PPN(0xc0000000) | V | 2 | 8); /* 1 GiB, r-x */
	w = walk(8, 0, UINT64_C(0x80123456));
	check_mapped(&w, 0xc0123456, GIB(1), "r-x", "---");
	set_entry(L(0), 1, TABLE(L(1)));
	set_entry(L(1), 3, PPN(0x90200000) | V | 2 | 4); /* 2 MiB, rw- */
	w = walk(8, 0, UINT64_C(0x40612345));
	check_mapped(&w, 0x90212345, MIB(2), "rw-", "---");
	set_entry(L(1), 3, PPN(0x90201000) | V | 2 | 4);
	w = walk(8, 0, UINT64_C(0x40612345));
	check_failed(&w, WALK_BAD_ENTRY, 2);
}

static void test_user_pages(void)
{
	struct riscv_mmu mmu = { .satp = satp(8) };
	struct walk w;

	walk_ram_clear();
	set_entry(L(0), 0, PPN(0x40000000) | V | RWX | U);
	riscv_mmu_walk(&mmu, &walk_mem, 0x1000, &w);
	check_mapped(&w, 0x40001000, GIB(1), "---", "rwx");
	mmu.sstatus = 1 << 18; /* SUM */
	riscv_mmu_walk(&mmu, &walk_mem, 0x1000, &w);
	check_mapped(&w, 0x40001000, GIB(1), "rw-", "rwx");
	CHECK_EQ(walk_permissions(&w), WALK_R | WALK_W);
	mmu.user = true;
	riscv_mmu_walk(&mmu, &walk_mem, 0x1000, &w);
	CHECK_EQ(walk_permissions(&w), WALK_R | WALK_W | WALK_X);
	/* MXR: what is executable is readable. */
	set_entry(L(0), 0, PPN(0x40000000) | V | 8);
	w = walk(8, 1 << 19, 0x1000);
	check_mapped(&w, 0x40001000, GIB(1), "r-x", "---");
}

static void test_svnapot_and_svpbmt(void)
{
	struct walk w;

	walk_ram_clear();
	set_entry(L(0), 0, TABLE(L(1)));
	set_entry(L(1), 0, TABLE(L(2)));
	for (unsigned int i = 0; i < 16; i++)
		set_entry(L(2), 16 + i, UINT64_C(1) << 63 | UINT64_C(1) << 61 | PPN(0x87658000) | V | RWX);
	w = walk(8, 0, 0x1f123);
	check_mapped(&w, 0x8765f123, KIB(64), "rwx", "---");
	set_entry(L(2), 16, UINT64_C(1) << 63 | PPN(0x87654000) | V | RWX);
	w = walk(8, 0, 0x10000);
	check_failed(&w, WALK_BAD_ENTRY, 3);
	set_entry(L(2), 16, UINT64_C(3) << 61 | PPN(0x87654000) | V | RWX);
	w = walk(8, 0, 0x10000);
	check_failed(&w, WALK_BAD_ENTRY, 3);
}

static void test_hostile(void)
{
	struct walk w;

	walk_ram_clear();
	/* A table that points to itself ends after as many steps as there are levels. */
	set_entry(L(0), 0, TABLE(L(0)));
	w = walk(8, 0, 0);
	check_failed(&w, WALK_BAD_ENTRY, 3);
	w = walk(10, 0, 0);
	check_failed(&w, WALK_BAD_ENTRY, 5);
	/* A table outside RAM, at the end of the address space, or that straddles RAM's end. */
	set_entry(L(0), 1, TABLE(0x70000000));
	w = walk(8, 0, GIB(1));
	check_failed(&w, WALK_NO_TABLE, 2);
	CHECK(!w.steps[1].read);
	CHECK_EQ(w.steps[1].entry_gpa, 0x70000000);
	set_entry(L(0), 1, ((UINT64_C(1) << 44) - 1) << 10 | V);
	w = walk(8, 0, GIB(1));
	check_failed(&w, WALK_NO_TABLE, 2);
	/* Reserved: W without R, high bits, a pointer with U. */
	set_entry(L(0), 1, PPN(0x40000000) | V | 4);
	w = walk(8, 0, GIB(1));
	check_failed(&w, WALK_BAD_ENTRY, 1);
	set_entry(L(0), 1, PPN(0x40000000) | V | RWX | UINT64_C(1) << 54);
	w = walk(8, 0, GIB(1));
	check_failed(&w, WALK_BAD_ENTRY, 1);
	set_entry(L(0), 1, TABLE(L(1)) | U);
	w = walk(8, 0, GIB(1));
	check_failed(&w, WALK_BAD_ENTRY, 1);
}

const struct test riscv_mmu_tests[] = {
	{ "modes", test_modes },
	{ "bare", test_bare },
	{ "superpages", test_superpages },
	{ "user_pages", test_user_pages },
	{ "svnapot_and_svpbmt", test_svnapot_and_svpbmt },
	{ "hostile", test_hostile },
	{ 0 },
};
