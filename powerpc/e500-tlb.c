// SPDX-License-Identifier: GPL-2.0-only
/* Entries are made of the MAS registers: Power ISA 2.07, Book III-E §6.10.3. */
#include "powerpc/e500-tlb.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAS1_VALID       UINT32_C(0x80000000)
#define MAS1_IPROT       UINT32_C(0x40000000)
#define MAS1_TID(m)      ((m) >> 16 & 0x3fff)
#define MAS1_TS          UINT32_C(0x1000)
#define MAS1_TSIZE_SHIFT 7 /* log2 of the size in KiB; e500v2 has even ones only */
#define MAS1_TSIZE_MASK  0x1f
#define MAS2_EPN         UINT64_C(0xfffffffffffff000)
#define MAS3_RPN         UINT64_C(0xfffffffffffff000)
#define MAS3_RIGHTS      0x3f /* UX SX UW SW UR SR */

void ppc_e500_tlb_entry_init(struct ppc_booke_tlb_entry *e, uint64_t ea, gpa_t gpa,
			     uint64_t size_bytes)
{
	unsigned int tsize = 0;

	while (KIB(1) << tsize < size_bytes)
		tsize++;
	memset(e, 0, sizeof(*e));
	e->mas1 = MAS1_VALID | MAS1_IPROT | tsize << MAS1_TSIZE_SHIFT;
	e->mas2 = ea & MAS2_EPN;
	e->mas7_3 = (gpa & MAS3_RPN) | MAS3_RIGHTS;
}

bool ppc_e500_tlb_entry_valid(const struct ppc_booke_tlb_entry *e)
{
	return e->mas1 & MAS1_VALID;
}

void ppc_e500_tlb_entry_text(const struct ppc_booke_tlb_entry *e, char *buf, size_t size)
{
	static const char rights[] = "xxwwrr"; /* from bit 5 on, user's and kernel's in turn */
	uint64_t bytes = KIB(1) << (e->mas1 >> MAS1_TSIZE_SHIFT & MAS1_TSIZE_MASK);
	char user[4] = "---", kernel[4] = "---";

	for (unsigned int i = 0; i < 6; i++)
		if (e->mas7_3 & (0x20u >> i))
			(i % 2 ? kernel : user)[2 - i / 2] = rights[i];
	snprintf(buf, size,
		 "0x%08" PRIx64 " -> 0x%09" PRIx64 ", %" PRIu64 " KiB, kernel %s, user %s, space %d, pid %" PRIu32,
		 e->mas2 & MAS2_EPN, align_down(e->mas7_3 & MAS3_RPN, bytes), bytes >> 10, kernel,
		 user, !!(e->mas1 & MAS1_TS), MAS1_TID(e->mas1));
}
