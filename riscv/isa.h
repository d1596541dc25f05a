/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of ISA and SBI extensions. KVM numbers them in its own way (KVM_RISCV_ISA_EXT_*,
 * KVM_RISCV_SBI_EXT_*, arch/riscv/include/uapi/asm/kvm.h), guests know them by name (riscv,isa-extensions)
 * or by the SBI's extension id. One table each, in which everybody looks. Pure.
 */
#ifndef RISCV_ISA_H
#define RISCV_ISA_H

#include "lkvm/types.h"

/* KVM's numbers of extensions that lkvm itself acts on. */
#define RISCV_ISA_EXT_H        4
#define RISCV_ISA_EXT_I        5
#define RISCV_ISA_EXT_ZICBOM   11
#define RISCV_ISA_EXT_ZICBOZ   12
#define RISCV_ISA_EXT_SSAIA    14
#define RISCV_ISA_EXT_SSCOFPMF 54
#define RISCV_ISA_EXT_ZICBOP   71

struct riscv_isa_ext {
	uint16_t    id;   /* KVM_RISCV_ISA_EXT_* */
	const char *name; /* as in riscv,isa-extensions: "zbb" */
};

/* Every extension that the newest kernel numbers, in the order that an ISA string wants. */
extern const struct riscv_isa_ext riscv_isa_exts[];
extern const size_t riscv_isa_exts_nr;

/* NULL if this build has no name for it. */
const struct riscv_isa_ext *riscv_isa_by_id(unsigned int id);
/* @name in any case of letters. NULL if unknown. */
const struct riscv_isa_ext *riscv_isa_by_name(const char *name);

/* A set of KVM's numbers, with or without a name. */
#define RISCV_ISA_MAX 256
struct riscv_isa_set {
	uint64_t words[RISCV_ISA_MAX / 64];
};

static inline void riscv_isa_add(struct riscv_isa_set *set, unsigned int id)
{
	if (id < RISCV_ISA_MAX)
		set->words[id / 64] |= UINT64_C(1) << (id % 64);
}

static inline void riscv_isa_remove(struct riscv_isa_set *set, unsigned int id)
{
	if (id < RISCV_ISA_MAX)
		set->words[id / 64] &= ~(UINT64_C(1) << (id % 64));
}

static inline bool riscv_isa_has(const struct riscv_isa_set *set, unsigned int id)
{
	return id < RISCV_ISA_MAX && set->words[id / 64] >> (id % 64) & 1;
}

/*
 * "rv64imafdc_zicsr_zba": all of @set that have a name. Returns its length, or -ENOSPC if it and its NUL
 * do not fit @size (RISCV_ISA_STRING_BYTES always do).
 */
int riscv_isa_string(const struct riscv_isa_set *set, char *buf, size_t size) LKVM_MUST_CHECK;

/*
 * The same as a list, "i\0m\0a\0...": the value of riscv,isa-extensions. Returns its length with all NULs, or
 * -ENOSPC.
 */
int riscv_isa_list(const struct riscv_isa_set *set, char *buf, size_t size) LKVM_MUST_CHECK;

#define RISCV_ISA_STRING_BYTES 1024

#define RISCV_CAUSE_TEXT_BYTES 64

/* "instruction page fault" for a value of scause, into @buf, which is returned. */
const char *riscv_cause_text(uint64_t scause, char *buf, size_t size);

/* KVM's numbers of SBI extensions that lkvm itself acts on. */
#define RISCV_SBI_EXT_PMU  6
#define RISCV_SBI_EXT_DBCN 9
#define RISCV_SBI_EXT_SUSP 11

/* KVM's groups of registers (KVM_REG_RISCV_CONFIG ...) that have some which can be chosen. */
#define RISCV_GROUP_CONFIG 1
#define RISCV_GROUP_VECTOR 9

/* A register that can be chosen, by its own name. */
struct riscv_config_reg {
	uint8_t     group;
	uint8_t     reg;  /* its number there: struct kvm_riscv_config, struct __riscv_v_ext_state */
	const char *name; /* "mvendorid" */
};

extern const struct riscv_config_reg riscv_config_regs[];
extern const size_t riscv_config_regs_nr;

/* That with number @reg of KVM's config group; NULL: none. */
const struct riscv_config_reg *riscv_config_by_reg(unsigned int reg);
const struct riscv_config_reg *riscv_config_by_name(const char *name);

/* Its place in config.riscv.config. */
static inline unsigned int riscv_config_slot(const struct riscv_config_reg *reg)
{
	return (unsigned int)(reg - riscv_config_regs);
}

struct riscv_sbi_ext {
	uint16_t    id;    /* KVM_RISCV_SBI_EXT_* */
	const char *name;  /* "dbcn" */
	uint32_t    first; /* extension ids that it covers (SBI 3.0, chapters of the extensions) */
	uint32_t    last;
};

extern const struct riscv_sbi_ext riscv_sbi_exts[];
extern const size_t riscv_sbi_exts_nr;

/* By KVM's number, by name in any case of letters, by a guest's extension id. NULL if unknown. */
const struct riscv_sbi_ext *riscv_sbi_by_id(unsigned int id);
const struct riscv_sbi_ext *riscv_sbi_by_name(const char *name);
const struct riscv_sbi_ext *riscv_sbi_by_eid(uint64_t eid);

/*
 * Extension @id by the word that options take: its name, or "isa-99" and "sbi-99" where this build has none.
 * @buf holds RISCV_EXT_WORD_BYTES.
 */
const char *riscv_isa_word(unsigned int id, char *buf);
const char *riscv_sbi_word(unsigned int id, char *buf);
#define RISCV_EXT_WORD_BYTES 16

#endif
