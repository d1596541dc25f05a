/* SPDX-License-Identifier: GPL-2.0-only */
/* What an ELF program needs to be loaded: its interpreter and shared libraries. Pure. */
#ifndef LKVM_ELF_NEEDS_H
#define LKVM_ELF_NEEDS_H

#include "lkvm/types.h"

#define ELF_MAX_NEEDED 64

struct elf_needs {
	uint8_t     bits;      /* 32 or 64 */
	bool        big_endian;
	uint16_t    machine;   /* e_machine */
	const char *interp;    /* PT_INTERP; NULL: none */
	const char *runpath;   /* DT_RUNPATH, else DT_RPATH; NULL: none */
	const char *needed[ELF_MAX_NEEDED];
	unsigned int nr_needed;
};

/*
 * Reads the file [@data, @data + @size), into which the strings point. Returns 0; -ENOEXEC if this is no ELF
 * program or library; -EINVAL if it is damaged.
 */
int elf_needs_read(const uint8_t *data, uint64_t size, struct elf_needs *needs) LKVM_MUST_CHECK;

/* Whether a library can be loaded by a program of the same kind. */
bool elf_needs_same_kind(const struct elf_needs *a, const struct elf_needs *b);

#endif
