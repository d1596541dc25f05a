/* SPDX-License-Identifier: GPL-2.0-only */
/* A little guest memory for page table walks. */
#ifndef TESTS_UNIT_WALK_UTIL_H
#define TESTS_UNIT_WALK_UTIL_H

#include <errno.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "lkvm/walk.h"
#include "tests/unit/test.h"

#define WALK_RAM       UINT64_C(0x80000000)
#define WALK_RAM_BYTES (512 * 1024)

static uint8_t walk_ram[WALK_RAM_BYTES];

static inline int walk_ram_read(void *ctx, gpa_t gpa, void *buf, uint64_t len)
{
	(void)ctx;
	if (!range_within(gpa, len, WALK_RAM, WALK_RAM_BYTES))
		return -EFAULT;
	memcpy(buf, walk_ram + (gpa - WALK_RAM), len);
	return 0;
}

static const struct walk_memory walk_mem = { .read = walk_ram_read };

static inline void walk_ram_clear(void)
{
	memset(walk_ram, 0, sizeof(walk_ram));
}

/* Entry @index (of 8 bytes) of the table at @table. */
static inline void set_entry(gpa_t table, uint64_t index, uint64_t entry)
{
	put_le64(walk_ram + (table - WALK_RAM) + index * 8, entry);
}

static inline void set_entry_be(gpa_t table, uint64_t index, uint64_t entry)
{
	put_be64(walk_ram + (table - WALK_RAM) + index * 8, entry);
}

static inline void check_mapped(const struct walk *w, gpa_t gpa, uint64_t page_bytes, const char *kernel,
				const char *user)
{
	char buf[4];

	CHECK_STR(walk_result_word(w->result), "mapped");
	CHECK_STR(w->why, "");
	CHECK_EQ(w->gpa, gpa);
	CHECK_EQ(w->page_bytes, page_bytes);
	CHECK_STR(walk_permissions_text(w->kernel, buf), kernel);
	CHECK_STR(walk_permissions_text(w->user, buf), user);
}

static inline void check_failed(const struct walk *w, enum walk_result result, unsigned int nr_steps)
{
	CHECK_STR(walk_result_word(w->result), walk_result_word(result));
	CHECK(w->why[0]);
	CHECK_EQ(w->nr_steps, nr_steps);
	CHECK_EQ(walk_permissions(w), 0);
}

#endif
