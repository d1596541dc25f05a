// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/walk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lkvm/byteorder.h"

unsigned int walk_permissions(const struct walk *w)
{
	if (w->result != WALK_MAPPED)
		return 0;
	return w->as_user ? w->user : w->kernel;
}

const char *walk_permissions_text(unsigned int permissions, char *buf)
{
	buf[0] = permissions & WALK_R ? 'r' : '-';
	buf[1] = permissions & WALK_W ? 'w' : '-';
	buf[2] = permissions & WALK_X ? 'x' : '-';
	buf[3] = '\0';
	return buf;
}

const char *walk_result_word(enum walk_result result)
{
	static const char *const words[] = {
		[WALK_UNKNOWN] = "unknown", [WALK_MAPPED] = "mapped", [WALK_UNMAPPED] = "unmapped",
		[WALK_BAD_ADDRESS] = "bad-address", [WALK_BAD_ENTRY] = "bad-entry",
		[WALK_NO_TABLE] = "no-table",
	};

	return words[result];
}

void walk_init(struct walk *w, uint64_t va, bool as_user)
{
	memset(w, 0, sizeof(*w));
	w->va = va;
	w->as_user = as_user;
}

void walk_fail(struct walk *w, enum walk_result result, const char *fmt, ...)
{
	va_list ap;

	w->result = result;
	va_start(ap, fmt);
	vsnprintf(w->why, sizeof(w->why), fmt, ap);
	va_end(ap);
}

void walk_map(struct walk *w, gpa_t gpa, uint64_t page_bytes, unsigned int kernel, unsigned int user)
{
	w->result = WALK_MAPPED;
	w->gpa = gpa;
	w->page_bytes = page_bytes;
	w->kernel = kernel;
	w->user = user;
}

void walk_map_identity(struct walk *w, gpa_t gpa)
{
	walk_map(w, gpa, 0, WALK_R | WALK_W | WALK_X, WALK_R | WALK_W | WALK_X);
}

bool walk_read_entry(struct walk *w, const struct walk_memory *mem, const char *table, gpa_t gpa,
		     unsigned int bytes, bool big_endian, uint64_t *entry)
{
	struct walk_step *step = &w->steps[w->nr_steps];
	uint8_t raw[8];

	if (w->nr_steps == WALK_MAX_STEPS) {
		walk_fail(w, WALK_BAD_ENTRY, "the tables are nested deeper than %d levels", WALK_MAX_STEPS);
		return false;
	}
	w->nr_steps++;
	step->table = table;
	step->entry_gpa = gpa;
	step->entry_bytes = (uint8_t)bytes;
	if (mem->read(mem->ctx, gpa, raw, bytes)) {
		walk_fail(w, WALK_NO_TABLE, "the table at 0x%" PRIx64 " (%s) is outside guest memory", gpa,
			  table);
		return false;
	}
	step->read = true;
	step->entry = big_endian ? get_be(raw, bytes) : get_le(raw, bytes);
	*entry = step->entry;
	return true;
}

void walk_note_entry(struct walk *w, const char *table, uint64_t index, uint64_t entry, uint64_t entry2)
{
	if (w->nr_steps == WALK_MAX_STEPS)
		return;
	w->steps[w->nr_steps++] = (struct walk_step){
		.table = table, .entry_gpa = index, .is_index = true, .entry = entry, .entry2 = entry2,
		.entry_bytes = 16, .read = true,
	};
}
