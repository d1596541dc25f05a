/* SPDX-License-Identifier: GPL-2.0-only */
/* Images made in memory, for the tests of whatever reads images. */
#ifndef TESTS_UNIT_IMAGE_UTIL_H
#define TESTS_UNIT_IMAGE_UTIL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lkvm/byteorder.h"
#include "lkvm/image.h"
#include "lkvm/machine.h"
#include "tests/unit/test.h"

/* A memfd with @size bytes of @data. */
static inline int LKVM_UNUSED util_memfd(const void *data, size_t size)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(!size || write(fd, data, size) == (ssize_t)size);
	return fd;
}

/* The path of an open file. Static buffers, two in turn. */
static inline const char *LKVM_UNUSED util_fd_path(int fd)
{
	static char paths[4][64];
	static unsigned int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "/proc/self/fd/%d", fd);
	return path;
}

/* Bytes that differ from place to place and from 0. */
static inline void LKVM_UNUSED util_pattern(uint8_t *p, size_t size, uint32_t seed)
{
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (uint8_t)(seed >> 24) | 1;
	}
}

/*
 * An image of the first @size bytes of @data. The copy is exactly as large as the file, so that
 * ASan sees any access beyond it. No fd.
 */
static inline void LKVM_UNUSED util_image(struct image_file *img, const void *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	memset(img, 0, sizeof(*img));
	img->path = "test.img";
	img->data = copy;
	img->size_bytes = size;
	img->fd = -1;
}

static inline void LKVM_UNUSED util_image_free(struct image_file *img)
{
	free((void *)(uintptr_t)img->data);
	img->data = NULL;
}

static inline struct machine LKVM_UNUSED util_machine(uint64_t ram_base, uint64_t ram_bytes)
{
	struct machine m;

	memset(&m, 0, sizeof(m));
	m.nr_ram = 1;
	m.ram[0].base = ram_base;
	m.ram[0].size_bytes = ram_bytes;
	return m;
}

typedef int util_planner(const struct image_file *img, const struct machine *m, struct image_plan *plan);

/*
 * Plans the first @size bytes of @data. What went to stderr is left in util_log. Checks what must
 * hold for every result: one line on failure, none on success; and everything within file and RAM
 * on success.
 */
static char util_log[4096];

static inline int LKVM_UNUSED util_plan(util_planner *planner, const void *data, size_t size,
					const struct machine *m, struct image_plan *plan)
{
	struct image_file img;
	unsigned int lines = 0;
	int ret;

	util_image(&img, data, size);
	memset(plan, 0xa5, sizeof(*plan));
	test_stderr_begin();
	ret = planner(&img, m, plan);
	snprintf(util_log, sizeof(util_log), "%s", test_stderr_end());
	for (const char *c = util_log; *c; c++)
		lines += *c == '\n';
	CHECK_EQ(lines, ret ? 1 : 0);
	CHECK(ret <= 0);
	if (!ret) {
		const struct machine_range *ram = NULL;

		for (unsigned int i = 0; i < m->nr_ram; i++)
			if (range_within(plan->start, plan->size_bytes, m->ram[i].base,
					 m->ram[i].size_bytes))
				ram = &m->ram[i];
		CHECK(ram != NULL);
		CHECK(plan->format != NULL);
		CHECK(plan->size_bytes > 0);
		CHECK(range_within(plan->entry, 1, plan->start, plan->size_bytes));
		CHECK(plan->nr_segments > 0 && plan->nr_segments <= IMAGE_MAX_SEGMENTS);
		for (unsigned int i = 0; i < plan->nr_segments; i++) {
			const struct image_segment *s = &plan->segments[i];

			CHECK(range_within(s->file_offset, s->file_bytes, 0, size));
			CHECK(s->file_bytes <= s->mem_bytes);
			CHECK(range_within(s->gpa, s->mem_bytes, plan->start, plan->size_bytes));
		}
	}
	util_image_free(&img);
	return ret;
}

/* True if the last plan's message contains @text. */
static inline bool LKVM_UNUSED util_said(const char *text)
{
	return strstr(util_log, text) != NULL;
}

/* An ELF file to be written by util_elf(). */
struct util_segment {
	uint32_t type; /* PT_LOAD 1, PT_NOTE 4 */
	uint64_t offset, vaddr, paddr, file_bytes, mem_bytes, align;
};

struct util_elf {
	bool     is64, big_endian;
	uint16_t type;    /* ET_EXEC 2 */
	uint16_t machine;
	uint64_t entry;
	unsigned int nr;
	struct util_segment segments[20];
};

#define UTIL_ELF64_HEADER 64
#define UTIL_ELF64_PHDR   56
#define UTIL_ELF32_HEADER 52
#define UTIL_ELF32_PHDR   32

static inline void util_put(const struct util_elf *e, uint8_t *p, unsigned int len, uint64_t v)
{
	if (e->big_endian)
		put_be(p, len, v);
	else
		put_le(p, len, v);
}

/*
 * Writes headers to @buf (which holds @size zeroed bytes). Field offsets are those of the gABI,
 * chapters 4 and 5.
 */
static inline void LKVM_UNUSED util_elf(const struct util_elf *e, uint8_t *buf)
{
	unsigned int w = e->is64 ? 8 : 4; /* width of an address */
	unsigned int hdr = e->is64 ? UTIL_ELF64_HEADER : UTIL_ELF32_HEADER;
	unsigned int phdr = e->is64 ? UTIL_ELF64_PHDR : UTIL_ELF32_PHDR;

	memcpy(buf, "\x7f" "ELF", 4);
	buf[4] = e->is64 ? 2 : 1;
	buf[5] = e->big_endian ? 2 : 1;
	buf[6] = 1;
	util_put(e, buf + 16, 2, e->type);
	util_put(e, buf + 18, 2, e->machine);
	util_put(e, buf + 20, 4, 1);
	util_put(e, buf + 24, w, e->entry);
	util_put(e, buf + 24 + w, w, hdr);                /* e_phoff */
	util_put(e, buf + 24 + 3 * w + 4, 2, hdr);        /* e_ehsize */
	util_put(e, buf + 24 + 3 * w + 6, 2, phdr);
	util_put(e, buf + 24 + 3 * w + 8, 2, e->nr);
	for (unsigned int i = 0; i < e->nr; i++) {
		const struct util_segment *s = &e->segments[i];
		uint8_t *p = buf + hdr + i * phdr;

		util_put(e, p, 4, s->type);
		p += e->is64 ? 8 : 4; /* p_flags comes second in ELF64 */
		util_put(e, p, w, s->offset);
		util_put(e, p + w, w, s->vaddr);
		util_put(e, p + 2 * w, w, s->paddr);
		util_put(e, p + 3 * w, w, s->file_bytes);
		util_put(e, p + 4 * w, w, s->mem_bytes);
		util_put(e, p + 5 * w + (e->is64 ? 0 : 4), w, s->align);
	}
}

#endif
