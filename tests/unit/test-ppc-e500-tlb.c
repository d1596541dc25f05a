// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/e500-tlb.h"

#include <string.h>

#include "tests/unit/test.h"

/* Values as Linux (asm/nohash/mmu-e500.h) and the e500 manual have them. */
static void test_encoding(void)
{
	static const struct {
		uint64_t size_bytes;
		uint32_t mas1;
	} rows[] = {
		{ KIB(4), 0xc0000100 }, { KIB(16), 0xc0000200 }, { MIB(1), 0xc0000500 },
		{ MIB(64), 0xc0000800 }, { MIB(256), 0xc0000900 }, { GIB(4), 0xc0000b00 },
	};
	struct ppc_booke_tlb_entry e;

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(&e, 0xff, sizeof(e));
		ppc_e500_tlb_entry_init(&e, 0, 0, rows[i].size_bytes);
		CHECK_EQ(e.mas1, rows[i].mas1);
		CHECK_EQ(e.mas2, 0);
		CHECK_EQ(e.mas7_3, 0x3f);
		CHECK_EQ(e.mas8, 0);
	}
	/* Physical addresses have 36 bits: what is above 32 is MAS7. */
	ppc_e500_tlb_entry_init(&e, 0xc0000000, UINT64_C(0xf00000000), MIB(256));
	CHECK_EQ(e.mas2, 0xc0000000);
	CHECK_EQ(e.mas7_3, UINT64_C(0xf0000003f));
}

/* The walk that reports use finds what is made here, to its ends. */
static void test_walk(void)
{
	static struct ppc_e500_tlb tlb;
	struct ppc_booke_tlb mmu = {
		.pid = { 9 },
		.entries = tlb.tlb0,
		.nr_tlb0 = PPC_E500_TLB0_ENTRIES,
		.nr_tlb1 = PPC_E500_TLB1_ENTRIES,
	};
	struct walk w;

	memset(&tlb, 0, sizeof(tlb));
	ppc_booke_walk(&mmu, 0, true, &w);
	CHECK_EQ(w.result, WALK_UNMAPPED);
	ppc_e500_tlb_entry_init(&tlb.tlb1[15], 0xc0000000, UINT64_C(0x410000000), MIB(64));
	ppc_booke_walk(&mmu, 0xc1234567, true, &w);
	CHECK_EQ(w.result, WALK_MAPPED);
	CHECK_EQ(w.gpa, UINT64_C(0x411234567));
	CHECK_EQ(w.page_bytes, MIB(64));
	CHECK_EQ(w.kernel, WALK_R | WALK_W | WALK_X);
	ppc_booke_walk(&mmu, 0xc3ffffff, false, &w);
	CHECK_EQ(w.gpa, UINT64_C(0x413ffffff));
	ppc_booke_walk(&mmu, 0xc4000000, false, &w);
	CHECK_EQ(w.result, WALK_UNMAPPED);
	ppc_booke_walk(&mmu, 0xbfffffff, false, &w);
	CHECK_EQ(w.result, WALK_UNMAPPED);
}

static void test_text(void)
{
	struct ppc_booke_tlb_entry e;
	char text[112];

	ppc_e500_tlb_entry_init(&e, 0xc0000000, UINT64_C(0x410000000), MIB(256));
	ppc_e500_tlb_entry_text(&e, text, sizeof(text));
	CHECK_STR(text, "0xc0000000 -> 0x410000000, 262144 KiB, kernel rwx, user rwx, space 0, pid 0");
	e.mas1 |= 77 << 16 | 0x1000;
	e.mas7_3 &= ~UINT64_C(0x3f);
	e.mas7_3 |= 0x10 | 0x08 | 0x02; /* SX UW UR */
	ppc_e500_tlb_entry_text(&e, text, sizeof(text));
	CHECK_STR(text, "0xc0000000 -> 0x410000000, 262144 KiB, kernel --x, user rw-, space 1, pid 77");
}

const struct test ppc_e500_tlb_tests[] = {
	{ "encoding", test_encoding },
	{ "walk", test_walk },
	{ "text", test_text },
	{ 0 },
};
