// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/reg-names.h"

#include <stdio.h>

/* KVM-API 4.68 (uapi linux/kvm.h): the arch, log2 of the size, and a number. */
#define ARCH_PPC   (UINT64_C(0x1) << 60)
#define SIZE_SHIFT 52

/* The checkpointed registers of a transaction have numbers of their own (uapi asm/kvm.h). */
#define TM 0x80000000u

#define NO_NUMBER 0xff

/*
 * uapi asm/kvm.h of powerpc, KVM_REG_PPC_*; but for OR_TSR and CLEAR_TSR, which are orders and no registers.
 * The server's and the embedded kind use some numbers twice, with different sizes.
 */
static const struct {
	const char *name;
	uint32_t    number;
	uint8_t     bytes;
	uint8_t     count; /* so many in a row */
	uint8_t     first; /* their names are numbered from this */
} regs[] = {
#define ONE(name, number, bytes)               { name, number, bytes, 1, NO_NUMBER }
#define ROW(name, number, bytes, count, first) { name, number, bytes, count, first }
	ONE("ICP_STATE", 0x8c, 8), ONE("VP_STATE", 0x8d, 16), ONE("HIOR", 0x01, 8),
	ROW("IAC", 0x02, 8, 4, 1), ROW("DAC", 0x06, 8, 2, 1), ONE("DABR", 0x08, 8),
	ONE("DSCR", 0x09, 8), ONE("PURR", 0x0a, 8), ONE("SPURR", 0x0b, 8), ONE("DAR", 0x0c, 8),
	ONE("DSISR", 0x0d, 4), ONE("AMR", 0x0e, 8), ONE("UAMOR", 0x0f, 8), ONE("MMCR0", 0x10, 8),
	ONE("MMCR1", 0x11, 8), ONE("MMCRA", 0x12, 8), ONE("MMCR2", 0x13, 8), ONE("MMCRS", 0x14, 8),
	ONE("SIAR", 0x15, 8), ONE("SDAR", 0x16, 8), ONE("SIER", 0x17, 8), ROW("PMC", 0x18, 4, 8, 1),
	ROW("FPR", 0x20, 8, 32, 0), ROW("VR", 0x40, 16, 32, 0), ROW("VSR", 0x60, 16, 32, 0),
	ONE("FPSCR", 0x80, 8), ONE("VSCR", 0x81, 4), ONE("VPA_ADDR", 0x82, 8), ONE("VPA_SLB", 0x83, 16),
	ONE("VPA_DTL", 0x84, 16), ONE("EPCR", 0x85, 4), ONE("EPR", 0x86, 4), ONE("TCR", 0x89, 4),
	ONE("TSR", 0x8a, 4), ONE("DEBUG_INST", 0x8b, 4), ROW("MAS", 0x8c, 4, 2, 0),
	ONE("MAS2", 0x8e, 8), ONE("MAS7_3", 0x8f, 8), ONE("MAS4", 0x90, 4), ONE("MAS6", 0x91, 4),
	ONE("MMUCFG", 0x92, 4), ONE("TLB0CFG", 0x93, 4), ONE("TLB1CFG", 0x94, 4),
	ONE("TLB2CFG", 0x95, 4), ONE("TLB3CFG", 0x96, 4), ONE("TLB0PS", 0x97, 4),
	ONE("TLB1PS", 0x98, 4), ONE("TLB2PS", 0x99, 4), ONE("TLB3PS", 0x9a, 4), ONE("EPTCFG", 0x9b, 4),
	ONE("TB_OFFSET", 0x9c, 8), ROW("SPMC", 0x9d, 4, 2, 1), ONE("IAMR", 0x9f, 8),
	ONE("TFHAR", 0xa0, 8), ONE("TFIAR", 0xa1, 8), ONE("TEXASR", 0xa2, 8), ONE("FSCR", 0xa3, 8),
	ONE("PSPB", 0xa4, 4), ONE("EBBHR", 0xa5, 8), ONE("EBBRR", 0xa6, 8), ONE("BESCR", 0xa7, 8),
	ONE("TAR", 0xa8, 8), ONE("DPDES", 0xa9, 8), ONE("DAWR", 0xaa, 8), ONE("DAWRX", 0xab, 8),
	ONE("CIABR", 0xac, 8), ONE("IC", 0xad, 8), ONE("VTB", 0xae, 8), ONE("CSIGR", 0xaf, 8),
	ONE("TACR", 0xb0, 8), ONE("TCSCR", 0xb1, 8), ONE("PID", 0xb2, 8), ONE("ACOP", 0xb3, 8),
	ONE("VRSAVE", 0xb4, 4), ONE("LPCR", 0xb5, 4), ONE("LPCR_64", 0xb5, 8), ONE("PPR", 0xb6, 8),
	ONE("ARCH_COMPAT", 0xb7, 4), ONE("DABRX", 0xb8, 4), ONE("WORT", 0xb9, 8), ONE("SPRG9", 0xba, 8),
	ONE("DBSR", 0xbb, 4), ONE("TIDR", 0xbc, 8), ONE("PSSCR", 0xbd, 8), ONE("DEC_EXPIRY", 0xbe, 8),
	ONE("ONLINE", 0xbf, 4), ONE("PTCR", 0xc0, 8), ONE("MMCR3", 0xc1, 8), ONE("SIER2", 0xc2, 8),
	ONE("SIER3", 0xc3, 8), ONE("DAWR1", 0xc4, 8), ONE("DAWRX1", 0xc5, 8), ONE("DEXCR", 0xc6, 8),
	ONE("HASHKEYR", 0xc7, 8), ONE("HASHPKEYR", 0xc8, 8), ROW("TM_GPR", TM | 0x00, 8, 32, 0),
	ROW("TM_VSR", TM | 0x20, 16, 64, 0), ONE("TM_CR", TM | 0x60, 8), ONE("TM_LR", TM | 0x61, 8),
	ONE("TM_CTR", TM | 0x62, 8), ONE("TM_FPSCR", TM | 0x63, 8), ONE("TM_AMR", TM | 0x64, 8),
	ONE("TM_PPR", TM | 0x65, 8), ONE("TM_VRSAVE", TM | 0x66, 8), ONE("TM_VSCR", TM | 0x67, 4),
	ONE("TM_DSCR", TM | 0x68, 8), ONE("TM_TAR", TM | 0x69, 8), ONE("TM_XER", TM | 0x6a, 8),
#undef ONE
#undef ROW
};

static uint64_t id_of(uint32_t number, unsigned int bytes)
{
	uint64_t log2 = 0;

	while (1u << log2 < bytes)
		log2++;
	return ARCH_PPC | log2 << SIZE_SHIFT | number;
}

size_t ppc_reg_ids(uint64_t *ids, size_t max)
{
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		for (unsigned int k = 0; k < regs[i].count; k++, nr++)
			if (nr < max)
				ids[nr] = id_of(regs[i].number + k, regs[i].bytes);
	return nr;
}

void ppc_reg_name(uint64_t id, char *buf, size_t size)
{
	snprintf(buf, size, "%s", "");
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		uint64_t first = id_of(regs[i].number, regs[i].bytes);

		if (id < first || id - first >= regs[i].count)
			continue;
		if (regs[i].first != NO_NUMBER)
			snprintf(buf, size, "%s%u", regs[i].name, (unsigned int)(id - first) + regs[i].first);
		else
			snprintf(buf, size, "%s", regs[i].name);
		return;
	}
}
