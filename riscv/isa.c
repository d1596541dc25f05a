// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/isa.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lkvm/config.h"

/*
 * Numbers: enum KVM_RISCV_ISA_EXT_ID. Order: RISC-V unprivileged ISA, "ISA Extension Naming
 * Conventions": single letters as in the table of standard extensions, then Z* by their second letter in the
 * same order and by alphabet, then S*.
 */
const struct riscv_isa_ext riscv_isa_exts[] = {
	/* The single letters. */
	{ 5, "i" }, { 6, "m" }, { 0, "a" }, { 3, "f" }, { 2, "d" }, { 1, "c" }, { 15, "v" },
	{ 4, "h" },
	/* Unprivileged extensions, by the letter that they belong to. */
	{ 11, "zicbom" }, { 71, "zicbop" }, { 12, "zicboz" }, { 68, "ziccrse" }, { 19, "zicntr" },
	{ 24, "zicond" }, { 20, "zicsr" }, { 21, "zifencei" }, { 48, "zihintntl" },
	{ 10, "zihintpause" }, { 22, "zihpm" }, { 76, "zilsd" }, { 55, "zimop" },
	{ 69, "zaamo" }, { 67, "zabha" }, { 53, "zacas" }, { 77, "zalasr" }, { 70, "zalrsc" },
	{ 61, "zawrs" },
	{ 51, "zfa" }, { 72, "zfbfmin" }, { 46, "zfh" }, { 47, "zfhmin" },
	{ 56, "zca" }, { 57, "zcb" }, { 58, "zcd" }, { 59, "zcf" }, { 75, "zclsd" },
	{ 60, "zcmop" },
	{ 17, "zba" }, { 13, "zbb" }, { 25, "zbc" }, { 26, "zbkb" }, { 27, "zbkc" },
	{ 28, "zbkx" }, { 18, "zbs" },
	{ 29, "zknd" }, { 30, "zkne" }, { 31, "zknh" }, { 32, "zkr" }, { 33, "zksed" },
	{ 34, "zksh" }, { 35, "zkt" },
	{ 52, "ztso" },
	{ 36, "zvbb" }, { 37, "zvbc" }, { 73, "zvfbfmin" }, { 74, "zvfbfwma" }, { 49, "zvfh" },
	{ 50, "zvfhmin" }, { 38, "zvkb" }, { 39, "zvkg" }, { 40, "zvkned" }, { 41, "zvknha" },
	{ 42, "zvknhb" }, { 43, "zvksed" }, { 44, "zvksh" }, { 45, "zvkt" },
	/* Privileged extensions. */
	{ 62, "smnpm" }, { 23, "smstateen" }, { 14, "ssaia" }, { 54, "sscofpmf" }, { 63, "ssnpm" },
	{ 8, "sstc" }, { 64, "svade" }, { 65, "svadu" }, { 9, "svinval" }, { 16, "svnapot" },
	{ 7, "svpbmt" }, { 66, "svvptc" },
};
const size_t riscv_isa_exts_nr = ARRAY_SIZE(riscv_isa_exts);

const struct riscv_isa_ext *riscv_isa_by_id(unsigned int id)
{
	for (size_t i = 0; i < riscv_isa_exts_nr; i++)
		if (riscv_isa_exts[i].id == id)
			return &riscv_isa_exts[i];
	return NULL;
}

const struct riscv_isa_ext *riscv_isa_by_name(const char *name)
{
	for (size_t i = 0; i < riscv_isa_exts_nr; i++)
		if (!strcasecmp(riscv_isa_exts[i].name, name))
			return &riscv_isa_exts[i];
	return NULL;
}

/* Appends to buf[*len] or fails whole; keeps the NUL. */
static int append(char *buf, size_t size, size_t *len, const char *s)
{
	size_t n = strlen(s);

	if (*len >= size || n >= size - *len)
		return -ENOSPC;
	memcpy(buf + *len, s, n + 1);
	*len += n;
	return 0;
}

int riscv_isa_string(const struct riscv_isa_set *set, char *buf, size_t size)
{
	size_t len = 0;
	int ret;

	ret = append(buf, size, &len, "rv64");
	for (size_t i = 0; !ret && i < riscv_isa_exts_nr; i++) {
		const struct riscv_isa_ext *ext = &riscv_isa_exts[i];

		if (!riscv_isa_has(set, ext->id))
			continue;
		if (ext->name[1]) /* a longer name needs a separator */
			ret = append(buf, size, &len, "_");
		if (!ret)
			ret = append(buf, size, &len, ext->name);
	}
	return ret ? ret : (int)len;
}

int riscv_isa_list(const struct riscv_isa_set *set, char *buf, size_t size)
{
	size_t len = 0;
	int ret = 0;

	for (size_t i = 0; !ret && i < riscv_isa_exts_nr; i++) {
		if (!riscv_isa_has(set, riscv_isa_exts[i].id))
			continue;
		ret = append(buf, size, &len, riscv_isa_exts[i].name);
		len++; /* each string keeps its NUL */
	}
	return ret ? ret : (int)len;
}

/* Numbers: of words of 64 bits. */
const struct riscv_config_reg riscv_config_regs[] = {
	{ RISCV_GROUP_CONFIG, 1, "zicbom_block_size" },
	{ RISCV_GROUP_CONFIG, 2, "mvendorid" },
	{ RISCV_GROUP_CONFIG, 3, "marchid" },
	{ RISCV_GROUP_CONFIG, 4, "mimpid" },
	{ RISCV_GROUP_CONFIG, 5, "zicboz_block_size" },
	{ RISCV_GROUP_CONFIG, 6, "satp_mode" },
	{ RISCV_GROUP_CONFIG, 7, "zicbop_block_size" },
	{ RISCV_GROUP_VECTOR, 4, "vlenb" },
};
const size_t riscv_config_regs_nr = ARRAY_SIZE(riscv_config_regs);
_Static_assert(ARRAY_SIZE(riscv_config_regs) <= CONFIG_RISCV_CONFIG_REGS, "a place for each");

const struct riscv_config_reg *riscv_config_by_reg(unsigned int reg)
{
	for (size_t i = 0; i < riscv_config_regs_nr; i++)
		if (riscv_config_regs[i].group == RISCV_GROUP_CONFIG && riscv_config_regs[i].reg == reg)
			return &riscv_config_regs[i];
	return NULL;
}

const struct riscv_config_reg *riscv_config_by_name(const char *name)
{
	for (size_t i = 0; i < riscv_config_regs_nr; i++)
		if (!strcasecmp(riscv_config_regs[i].name, name))
			return &riscv_config_regs[i];
	return NULL;
}

/* Numbers: enum KVM_RISCV_SBI_EXT_ID. Extension ids: SBI specification 3.0, arch/riscv/include/asm/sbi.h. */
const struct riscv_sbi_ext riscv_sbi_exts[] = {
	{ 0,  "v01",          0x0,        0x8 },
	{ 1,  "time",         0x54494d45, 0x54494d45 },
	{ 2,  "ipi",          0x735049,   0x735049 },
	{ 3,  "rfence",       0x52464e43, 0x52464e43 },
	{ 4,  "srst",         0x53525354, 0x53525354 },
	{ 5,  "hsm",          0x48534d,   0x48534d },
	{ 6,  "pmu",          0x504d55,   0x504d55 },
	{ 7,  "experimental", 0x08000000, 0x08ffffff },
	{ 8,  "vendor",       0x09000000, 0x09ffffff },
	{ 9,  "dbcn",         0x4442434e, 0x4442434e },
	{ 10, "sta",          0x535441,   0x535441 },
	{ 11, "susp",         0x53555350, 0x53555350 },
	{ 12, "fwft",         0x46574654, 0x46574654 },
	{ 13, "mpxy",         0x4d505859, 0x4d505859 },
};
const size_t riscv_sbi_exts_nr = ARRAY_SIZE(riscv_sbi_exts);

const struct riscv_sbi_ext *riscv_sbi_by_id(unsigned int id)
{
	for (size_t i = 0; i < riscv_sbi_exts_nr; i++)
		if (riscv_sbi_exts[i].id == id)
			return &riscv_sbi_exts[i];
	return NULL;
}

const struct riscv_sbi_ext *riscv_sbi_by_name(const char *name)
{
	for (size_t i = 0; i < riscv_sbi_exts_nr; i++)
		if (!strcasecmp(riscv_sbi_exts[i].name, name))
			return &riscv_sbi_exts[i];
	return NULL;
}

const struct riscv_sbi_ext *riscv_sbi_by_eid(uint64_t eid)
{
	for (size_t i = 0; i < riscv_sbi_exts_nr; i++)
		if (eid >= riscv_sbi_exts[i].first && eid <= riscv_sbi_exts[i].last)
			return &riscv_sbi_exts[i];
	return NULL;
}

const char *riscv_isa_word(unsigned int id, char *buf)
{
	const struct riscv_isa_ext *ext = riscv_isa_by_id(id);

	if (ext)
		return ext->name;
	snprintf(buf, RISCV_EXT_WORD_BYTES, "isa-%u", id);
	return buf;
}

const char *riscv_sbi_word(unsigned int id, char *buf)
{
	const struct riscv_sbi_ext *ext = riscv_sbi_by_id(id);

	if (ext)
		return ext->name;
	snprintf(buf, RISCV_EXT_WORD_BYTES, "sbi-%u", id);
	return buf;
}

const char *riscv_cause_text(uint64_t scause, char *buf, size_t size)
{
	/* Privileged architecture 20240411, table 22. */
	static const char *const exceptions[] = {
		[0] = "instruction address misaligned", [1] = "instruction access fault",
		[2] = "illegal instruction",            [3] = "breakpoint",
		[4] = "load address misaligned",        [5] = "load access fault",
		[6] = "store address misaligned",       [7] = "store access fault",
		[8] = "call from U mode",               [9] = "call from S mode",
		[12] = "instruction page fault",        [13] = "load page fault",
		[15] = "store page fault",              [18] = "software check",
		[19] = "hardware error",
	};
	static const char *const interrupts[] = {
		[1] = "software", [5] = "timer", [9] = "external", [13] = "counter overflow",
	};
	uint64_t code = scause & ~(UINT64_C(1) << 63);
	const char *name = NULL;

	if (scause >> 63) {
		name = code < ARRAY_SIZE(interrupts) ? interrupts[code] : NULL;
		if (name)
			snprintf(buf, size, "%s interrupt", name);
		else
			snprintf(buf, size, "interrupt %" PRIu64, code);
		return buf;
	}
	name = code < ARRAY_SIZE(exceptions) ? exceptions[code] : NULL;
	if (name)
		snprintf(buf, size, "%s", name);
	else
		snprintf(buf, size, "exception %" PRIu64, code);
	return buf;
}
