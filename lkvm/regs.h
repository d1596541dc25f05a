/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU's registers by their ABI names, for reports: filled in by arch_vcpu_regs(), printed as text or JSON
 * by those who know nothing of the arch. Plain data.
 */
#ifndef LKVM_REGS_H
#define LKVM_REGS_H

#include <stdio.h>

#include "lkvm/types.h"

#define REGS_MAX       96
#define REGS_MAX_NOTES 12

enum reg_group {
	REG_GENERAL, /* what code computes with, and pc */
	REG_SYSTEM,
};

/* What a register is for, where others need to know. */
enum reg_role {
	ROLE_PLAIN,
	ROLE_PC,
	ROLE_SP,
	ROLE_LR,      /* where the current function returns to; not every arch has it */
	ROLE_FP,      /* frame pointer */
	ROLE_FAULT,   /* the address that the last memory fault was about, as a virtual address */
	ROLE_VECTOR,  /* where exceptions go: an address in the kernel's text */
};

/* How stack frames are linked. */
enum reg_frames {
	FRAMES_NONE,
	FRAMES_RISCV, /* [fp - 16] caller's fp, [fp - 8] return address */
	FRAMES_UP,    /* [fp] caller's fp, [fp + 1 word] return address: arm64, x86 */
	FRAMES_PPC,   /* [sp] caller's sp; in that frame the return address, at word 2 (64 bits) or 1 (32) */
};

struct reg {
	char           name[12];
	uint64_t       value;
	uint8_t        bytes;  /* 4 or 8 */
	bool           known;  /* false: KVM does not tell it */
	enum reg_group group;
	enum reg_role  role;
};

struct reg_set {
	struct reg   regs[REGS_MAX];
	unsigned int nr;
	bool         user;       /* unprivileged code runs */
	bool         halted;     /* KVM does not run it: switched off, waits for an interrupt or for its start */
	bool         big_endian; /* byte order of instructions and data */
	uint8_t      bits;       /* width of the code that runs: 16, 32 or 64 */
	uint64_t     code_base;  /* added to pc for its virtual address (x86 segments), else 0 */
	enum reg_frames frames;
	/* How many bits addresses have in the lower and the upper half, where the others may hold a signature. */
	uint8_t      signed_bits[2]; /* 0: return addresses are not signed */
	const char  *vector_symbol; /* Linux's name for the place that ROLE_VECTOR points to; or NULL */
	/* Further lines, decoded for people. */
	char         notes[REGS_MAX_NOTES][112];
	unsigned int nr_notes;
};

/* Appends a register; beyond REGS_MAX it is dropped. @value counts if @known. */
void reg_add(struct reg_set *set, enum reg_group group, enum reg_role role, const char *name,
	     uint8_t bytes, bool known, uint64_t value);

/* Appends a line; beyond REGS_MAX_NOTES it is dropped. */
void reg_note(struct reg_set *set, const char *fmt, ...) LKVM_PRINTF(2, 3);

/* The first register of that role whose value is known, or NULL. */
const struct reg *reg_find(const struct reg_set *set, enum reg_role role);

/* The value of that role, 0 if there is none. */
uint64_t reg_value(const struct reg_set *set, enum reg_role role);

/* The same for equal general registers other than pc: a loop that leaves it alone changes nothing. */
uint64_t reg_set_hash(const struct reg_set *set);

/* Prints all in 100 columns, general registers four to a line, system registers three. */
void reg_set_print(const struct reg_set *set, FILE *out);

#endif
