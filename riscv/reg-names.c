// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/reg-names.h"

#include <stdio.h>

#include "riscv/isa.h"

/* arch/riscv/include/uapi/asm/kvm.h: the arch in the top byte, the size in bits 55:52, then these. */
#define ID_ARCH(id)    ((id) >> 56)
#define ID_TYPE(id)    ((unsigned int)((id) >> 24) & 0xff)
#define ID_SUBTYPE(id) ((unsigned int)((id) >> 16) & 0xff)
#define ID_REG(id)     ((unsigned int)(id) & 0xffff)
#define ARCH_RISCV     0x80

enum {
	TYPE_CONFIG = RISCV_GROUP_CONFIG, TYPE_CORE, TYPE_CSR, TYPE_TIMER, TYPE_FP_F, TYPE_FP_D, TYPE_ISA, TYPE_SBI,
	TYPE_VECTOR = RISCV_GROUP_VECTOR, TYPE_SBI_STATE,
};

static const char *const core[] = {
	"pc", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
	"s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6", "mode",
};
static const char *const csr[] = {
	"sstatus", "sie", "stvec", "sscratch", "sepc", "scause", "stval", "sip", "satp", "scounteren", "senvcfg",
};
static const char *const csr_aia[] = { "siselect", "iprio1", "iprio2", "sieh", "siph", "iprio1h", "iprio2h" };
static const char *const csr_smstateen[] = { "sstateen0" };
static const char *const timer[] = { "frequency", "time", "compare", "state" };
static const char *const vector[] = { "vstart", "vl", "vtype", "vcsr", "vlenb" };
#define VECTOR_V0 6 /* behind struct __riscv_v_ext_state, whose last member is a pointer */
static const char *const sta[] = { "shmem_lo", "shmem_hi" };
static const char *const fwft[] = { "misaligned_deleg", "pointer_masking", "pte_ad_hw_updating" };
static const char *const fwft_fields[] = { "enable", "flags", "value" };

/* "GROUP.NAME" if @reg is one of @names. */
static void pick(char *buf, size_t size, const char *group, const char *const names[], size_t nr, unsigned int reg)
{
	if (reg < nr)
		snprintf(buf, size, "%s.%s", group, names[reg]);
}

static void csr_name(char *buf, size_t size, unsigned int subtype, unsigned int reg)
{
	switch (subtype) {
	case 0:
		pick(buf, size, "csr", csr, ARRAY_SIZE(csr), reg);
		break;
	case 1:
		pick(buf, size, "csr.aia", csr_aia, ARRAY_SIZE(csr_aia), reg);
		break;
	case 2:
		pick(buf, size, "csr.smstateen", csr_smstateen, ARRAY_SIZE(csr_smstateen), reg);
		break;
	default:
		break;
	}
}

static void fp_name(char *buf, size_t size, const char *group, unsigned int reg)
{
	if (reg < 32)
		snprintf(buf, size, "%s.f%u", group, reg);
	else if (reg == 32)
		snprintf(buf, size, "%s.fcsr", group);
}

static void extension_name(char *buf, size_t size, const char *group, unsigned int subtype, unsigned int reg)
{
	static const char *const bitmaps[] = { NULL, "multi_en", "multi_dis" };
	char word[RISCV_EXT_WORD_BYTES];
	bool isa = group[0] == 'i';

	if (!subtype)
		snprintf(buf, size, "%s.%s", group, isa ? riscv_isa_word(reg, word) : riscv_sbi_word(reg, word));
	else if (subtype < ARRAY_SIZE(bitmaps))
		snprintf(buf, size, "%s.%s%u", group, bitmaps[subtype], reg);
}

static void vector_name(char *buf, size_t size, unsigned int reg)
{
	if (reg < ARRAY_SIZE(vector))
		pick(buf, size, "vector", vector, ARRAY_SIZE(vector), reg);
	else if (reg >= VECTOR_V0 && reg < VECTOR_V0 + 32)
		snprintf(buf, size, "vector.v%u", reg - VECTOR_V0);
}

static void sbi_state_name(char *buf, size_t size, unsigned int subtype, unsigned int reg)
{
	if (subtype == 0)
		pick(buf, size, "sbi_state.sta", sta, ARRAY_SIZE(sta), reg);
	else if (subtype == 1 && reg / 3 < ARRAY_SIZE(fwft))
		snprintf(buf, size, "sbi_state.fwft.%s.%s", fwft[reg / 3], fwft_fields[reg % 3]);
}

void riscv_reg_name(uint64_t id, char *buf, size_t size)
{
	unsigned int subtype = ID_SUBTYPE(id), reg = ID_REG(id);
	const struct riscv_config_reg *config;

	buf[0] = '\0';
	if (ID_ARCH(id) != ARCH_RISCV)
		return;
	switch (ID_TYPE(id)) {
	case TYPE_CONFIG:
		config = riscv_config_by_reg(reg);
		if (config || !reg)
			snprintf(buf, size, "config.%s", config ? config->name : "isa");
		break;
	case TYPE_CORE:
		pick(buf, size, "core", core, ARRAY_SIZE(core), reg);
		break;
	case TYPE_CSR:
		csr_name(buf, size, subtype, reg);
		break;
	case TYPE_TIMER:
		pick(buf, size, "timer", timer, ARRAY_SIZE(timer), reg);
		break;
	case TYPE_FP_F:
		fp_name(buf, size, "fp_f", reg);
		break;
	case TYPE_FP_D:
		fp_name(buf, size, "fp_d", reg);
		break;
	case TYPE_ISA:
		extension_name(buf, size, "isa", subtype, reg);
		break;
	case TYPE_SBI:
		extension_name(buf, size, "sbi", subtype, reg);
		break;
	case TYPE_VECTOR:
		vector_name(buf, size, reg);
		break;
	case TYPE_SBI_STATE:
		sbi_state_name(buf, size, subtype, reg);
		break;
	default:
		break;
	}
}
