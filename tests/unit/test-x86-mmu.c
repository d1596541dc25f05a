// SPDX-License-Identifier: GPL-2.0-only
#include "x86/mmu.h"

#include "tests/unit/walk-util.h"

#define T(n) (WALK_RAM + (n) * 0x1000)
#define CR0_PG (UINT64_C(1) << 31)
#define CR0_WP (UINT64_C(1) << 16)
#define PSE  (1 << 4)
#define PAE  (1 << 5)
#define LA57 (1 << 12)
#define SMEP (1 << 20)
#define SMAP (1 << 21)
#define LMA (1 << 10)
#define NXE (1 << 11)
#define P 1
#define RW 2
#define US 4
#define PS 0x80
#define NX (UINT64_C(1) << 63)

static struct x86_mmu long_mode(void)
{
	return (struct x86_mmu){ .cr0 = CR0_PG | CR0_WP, .cr3 = T(0) | 0x18, .cr4 = PAE, .efer = LMA | NXE };
}

static void set_entry32(gpa_t table, unsigned int index, uint32_t entry)
{
	put_le32(walk_ram + (table - WALK_RAM) + index * 4, entry);
}

static void test_off(void)
{
	struct x86_mmu mmu = { 0 };
	struct walk w;

	x86_mmu_walk(&mmu, &walk_mem, UINT64_C(0x1fffffff0), &w);
	check_mapped(&w, 0xfffffff0, 0, "rwx", "rwx");
}

static void test_long_mode(void)
{
	const uint64_t va = UINT64_C(0xffff8abcdef12345);

	for (unsigned int levels = 4; levels <= 5; levels++) {
		struct x86_mmu mmu = long_mode();
		uint64_t bad = levels == 4 ? UINT64_C(0x800000000000) : UINT64_C(0x100000000000000);
		struct walk w;

		if (levels == 5)
			mmu.cr4 |= LA57;
		walk_ram_clear();
		for (unsigned int n = 0; n < levels; n++)
			set_entry(T(n), va >> (12 + 9 * (levels - 1 - n)) & 511,
				  P | RW | (n == levels - 1 ? 0x12345000 : T(n + 1)));
		x86_mmu_walk(&mmu, &walk_mem, va, &w);
		check_mapped(&w, 0x12345345, 4096, "rwx", "---");
		CHECK_EQ(w.nr_steps, levels);
		CHECK_STR(w.mode, levels == 4 ? "4-level" : "5-level");
		CHECK_STR(w.steps[0].table, levels == 4 ? "PML4" : "PML5");
		x86_mmu_walk(&mmu, &walk_mem, va + 4096, &w);
		check_failed(&w, WALK_UNMAPPED, levels);
		x86_mmu_walk(&mmu, &walk_mem, bad, &w);
		check_failed(&w, WALK_BAD_ADDRESS, 0);
	}
}

static void test_large_pages(void)
{
	struct x86_mmu mmu = long_mode();
	struct walk w;

	walk_ram_clear();
	set_entry(T(0), 0, T(1) | P | RW);
	set_entry(T(1), 1, 0xc0000000 | PS | P | 1 << 12); /* with PAT */
	set_entry(T(1), 2, T(2) | P | RW);
	set_entry(T(2), 3, 0x10600000 | PS | P | RW | NX);
	x86_mmu_walk(&mmu, &walk_mem, GIB(1) + 0x1234567, &w);
	check_mapped(&w, 0xc1234567, GIB(1), "r-x", "---");
	x86_mmu_walk(&mmu, &walk_mem, GIB(2) + 3 * MIB(2) + 0x12345, &w);
	check_mapped(&w, 0x10612345, MIB(2), "rw-", "---");
	set_entry(T(0), 1, T(1) | PS | P);
	x86_mmu_walk(&mmu, &walk_mem, GIB(512), &w);
	check_failed(&w, WALK_BAD_ENTRY, 1);
}

static void permissions(uint64_t cr0, uint64_t cr4, bool ac, uint64_t upper, uint64_t leaf, const char *kernel,
			const char *user)
{
	struct x86_mmu mmu = long_mode();
	struct walk w;

	mmu.cr0 = CR0_PG | cr0;
	mmu.cr4 |= cr4;
	mmu.ac = ac;
	walk_ram_clear();
	set_entry(T(0), 0, T(1) | P | upper);
	set_entry(T(1), 0, PS | P | leaf);
	x86_mmu_walk(&mmu, &walk_mem, 0, &w);
	check_mapped(&w, 0, GIB(1), kernel, user);
}

static void test_permissions(void)
{
	permissions(CR0_WP, 0, false, RW | US, RW | US, "rwx", "rwx");
	permissions(CR0_WP, 0, false, RW, RW | US, "rwx", "---");
	permissions(CR0_WP, 0, false, US, RW | US, "r-x", "r-x");
	permissions(0, 0, false, US, US, "rwx", "r-x");
	permissions(CR0_WP, 0, false, RW | US | NX, RW | US, "rw-", "rw-");
	permissions(CR0_WP, SMEP, false, RW | US, RW | US, "rw-", "rwx");
	permissions(CR0_WP, SMAP, false, RW | US, RW | US, "--x", "rwx");
	permissions(CR0_WP, SMAP, true, RW | US, RW | US, "rwx", "rwx");
	permissions(CR0_WP, SMAP | SMEP, false, RW | US, RW, "rwx", "---");
}

static void test_pae(void)
{
	struct x86_mmu mmu = { .cr0 = CR0_PG | CR0_WP, .cr3 = T(0) + 0x20, .cr4 = PAE };
	struct walk w;

	walk_ram_clear();
	set_entry(T(0) + 0x20, 3, T(1) | P);
	set_entry(T(1), 1, UINT64_C(0x1234400000) | PS | P | RW);
	set_entry(T(1), 2, T(2) | P | RW | US);
	set_entry(T(2), 5, UINT64_C(0xfedcba000) | P | US);
	x86_mmu_walk(&mmu, &walk_mem, 0xc0212345, &w);
	check_mapped(&w, UINT64_C(0x1234412345), MIB(2), "rwx", "---");
	CHECK_STR(w.mode, "PAE");
	x86_mmu_walk(&mmu, &walk_mem, 0xc0405678, &w);
	check_mapped(&w, UINT64_C(0xfedcba678), 4096, "r-x", "r-x");
	x86_mmu_walk(&mmu, &walk_mem, 0x40000000, &w);
	check_failed(&w, WALK_UNMAPPED, 1);
	/* Reserved: NX without EFER.NXE, PS in the first table. */
	set_entry(T(2), 5, NX | P);
	x86_mmu_walk(&mmu, &walk_mem, 0xc0405678, &w);
	check_failed(&w, WALK_BAD_ENTRY, 3);
	set_entry(T(0) + 0x20, 3, T(1) | P | PS);
	x86_mmu_walk(&mmu, &walk_mem, 0xc0405678, &w);
	check_failed(&w, WALK_BAD_ENTRY, 1);
}

static void test_32_bit(void)
{
	struct x86_mmu mmu = { .cr0 = CR0_PG | CR0_WP, .cr3 = T(0), .cr4 = PSE };
	struct walk w;

	walk_ram_clear();
	set_entry32(T(0), 768, 0x00400000 | 0x5 << 13 | PS | P | RW);
	set_entry32(T(0), 1, (uint32_t)T(1) | P | RW | US);
	set_entry32(T(1), 2, 0x00777000 | P | US);
	x86_mmu_walk(&mmu, &walk_mem, 0xc0123456, &w);
	check_mapped(&w, UINT64_C(0x500523456), MIB(4), "rwx", "---");
	CHECK_STR(w.mode, "32-bit");
	x86_mmu_walk(&mmu, &walk_mem, UINT64_C(0xffffffff00402123), &w);
	check_mapped(&w, 0x00777123, 4096, "r-x", "r-x");
	CHECK_EQ(w.nr_steps, 2);
	/* Without PSE the bit means nothing. */
	mmu.cr4 = 0;
	x86_mmu_walk(&mmu, &walk_mem, 0xc0123456, &w);
	check_failed(&w, WALK_NO_TABLE, 2);
}

static void test_hostile(void)
{
	struct x86_mmu mmu = long_mode();
	struct walk w;

	walk_ram_clear();
	set_entry(T(0), 0, T(0) | P);
	x86_mmu_walk(&mmu, &walk_mem, 0x7, &w);
	check_mapped(&w, T(0) + 7, 4096, "r-x", "---");
	set_entry(T(0), 0, UINT64_C(0x000ffffffffff000) | P);
	x86_mmu_walk(&mmu, &walk_mem, 0xff8000, &w);
	check_failed(&w, WALK_NO_TABLE, 2);
	mmu.cr3 = 0;
	x86_mmu_walk(&mmu, &walk_mem, 0, &w);
	check_failed(&w, WALK_NO_TABLE, 1);
}

const struct test x86_mmu_tests[] = {
	{ "off", test_off },
	{ "long_mode", test_long_mode },
	{ "large_pages", test_large_pages },
	{ "permissions", test_permissions },
	{ "pae", test_pae },
	{ "32_bit", test_32_bit },
	{ "hostile", test_hostile },
	{ 0 },
};
