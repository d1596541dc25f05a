// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/elf-needs.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

struct reader {
	const uint8_t *data;
	uint64_t       size;
	bool           big;
	bool           wide; /* 64-bit */
};

/* @bytes at @at as a number; what lies outside of the file reads as 0. */
static uint64_t get(const struct reader *r, uint64_t at, unsigned int bytes)
{
	uint64_t v = 0;

	if (!range_within(at, bytes, 0, r->size))
		return 0;
	for (unsigned int i = 0; i < bytes; i++)
		v = v << 8 | r->data[at + (r->big ? i : bytes - 1 - i)];
	return v;
}

/* The string at @at; NULL unless it ends within the file. */
static const char *get_string(const struct reader *r, uint64_t at)
{
	if (at >= r->size || !memchr(r->data + at, 0, (size_t)(r->size - at)))
		return NULL;
	return (const char *)r->data + at;
}

#define FIELD(r, at, type, field)                                                                                 \
	((r)->wide ? get((r), (at) + offsetof(Elf64_##type, field), sizeof(((Elf64_##type *)0)->field))           \
		   : get((r), (at) + offsetof(Elf32_##type, field), sizeof(((Elf32_##type *)0)->field)))
#define SIZE(r, type) ((r)->wide ? sizeof(Elf64_##type) : sizeof(Elf32_##type))

struct phdrs {
	uint64_t     at;
	uint64_t     bytes; /* of one */
	unsigned int nr;
};

/* The file offset of virtual address @addr; UINT64_MAX if no segment has it. */
static uint64_t to_offset(const struct reader *r, const struct phdrs *ph, uint64_t addr)
{
	for (unsigned int i = 0; i < ph->nr; i++) {
		uint64_t at = ph->at + i * ph->bytes;
		uint64_t start = FIELD(r, at, Phdr, p_vaddr);

		if (FIELD(r, at, Phdr, p_type) == PT_LOAD &&
		    range_within(addr, 1, start, FIELD(r, at, Phdr, p_filesz)))
			return addr - start + FIELD(r, at, Phdr, p_offset);
	}
	return UINT64_MAX;
}

static int read_dynamic(const struct reader *r, const struct phdrs *ph, uint64_t at, uint64_t bytes,
			struct elf_needs *needs)
{
	uint64_t nr = bytes / SIZE(r, Dyn);
	uint64_t strings = UINT64_MAX, runpath = 0, rpath = 0;

	if (!range_within(at, bytes, 0, r->size))
		return -EINVAL;
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t d = at + i * SIZE(r, Dyn);

		if (FIELD(r, d, Dyn, d_tag) == DT_STRTAB)
			strings = to_offset(r, ph, FIELD(r, d, Dyn, d_un.d_val));
	}
	if (strings >= r->size)
		return nr ? -EINVAL : 0;
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t d = at + i * SIZE(r, Dyn);
		uint64_t tag = FIELD(r, d, Dyn, d_tag);
		uint64_t value = FIELD(r, d, Dyn, d_un.d_val);
		const char *name;

		if (tag == DT_NULL)
			break;
		if (value > r->size - strings)
			continue;
		if (tag == DT_RUNPATH)
			runpath = strings + value;
		else if (tag == DT_RPATH)
			rpath = strings + value;
		if (tag != DT_NEEDED)
			continue;
		name = get_string(r, strings + value);
		if (!name || needs->nr_needed == ELF_MAX_NEEDED)
			return -EINVAL;
		needs->needed[needs->nr_needed++] = name;
	}
	if (runpath || rpath)
		needs->runpath = get_string(r, runpath ? runpath : rpath);
	return 0;
}

int elf_needs_read(const uint8_t *data, uint64_t size, struct elf_needs *needs)
{
	struct reader r = { .data = data, .size = size };
	struct phdrs ph;
	uint64_t type;
	int ret;

	memset(needs, 0, sizeof(*needs));
	if (size < EI_NIDENT || memcmp(data, ELFMAG, SELFMAG) ||
	    (data[EI_CLASS] != ELFCLASS32 && data[EI_CLASS] != ELFCLASS64) ||
	    (data[EI_DATA] != ELFDATA2LSB && data[EI_DATA] != ELFDATA2MSB))
		return -ENOEXEC;
	r.wide = data[EI_CLASS] == ELFCLASS64;
	r.big = data[EI_DATA] == ELFDATA2MSB;
	type = FIELD(&r, 0, Ehdr, e_type);
	if (type != ET_EXEC && type != ET_DYN)
		return -ENOEXEC;
	needs->bits = r.wide ? 64 : 32;
	needs->big_endian = r.big;
	needs->machine = (uint16_t)FIELD(&r, 0, Ehdr, e_machine);
	ph.at = FIELD(&r, 0, Ehdr, e_phoff);
	ph.nr = (unsigned int)FIELD(&r, 0, Ehdr, e_phnum);
	ph.bytes = FIELD(&r, 0, Ehdr, e_phentsize);
	if (ph.bytes < SIZE(&r, Phdr) || !range_within(ph.at, ph.nr * ph.bytes, 0, size))
		return -EINVAL;
	for (unsigned int i = 0; i < ph.nr; i++) {
		uint64_t at = ph.at + i * ph.bytes;
		uint64_t offset = FIELD(&r, at, Phdr, p_offset);

		switch (FIELD(&r, at, Phdr, p_type)) {
		case PT_INTERP:
			needs->interp = get_string(&r, offset);
			if (!needs->interp)
				return -EINVAL;
			break;
		case PT_DYNAMIC:
			ret = read_dynamic(&r, &ph, offset, FIELD(&r, at, Phdr, p_filesz), needs);
			if (ret)
				return ret;
			break;
		}
	}
	return 0;
}

bool elf_needs_same_kind(const struct elf_needs *a, const struct elf_needs *b)
{
	return a->bits == b->bits && a->big_endian == b->big_endian && a->machine == b->machine;
}
