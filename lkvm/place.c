// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/place.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lkvm/log.h"
#include "lkvm/size.h"

void place_init(struct place *place, const struct machine *machine)
{
	memset(place, 0, sizeof(*place));
	place->machine = machine;
}

/* Enters a range that is known to be free. */
static int place_take(struct place *place, const char *name, gpa_t gpa, uint64_t size_bytes)
{
	unsigned int at = 0;

	if (place->nr_taken == PLACE_MAX)
		return -ENOSPC;
	while (at < place->nr_taken && place->taken[at].gpa < gpa)
		at++;
	memmove(&place->taken[at + 1], &place->taken[at],
		(place->nr_taken - at) * sizeof(place->taken[0]));
	place->taken[at].name = name;
	place->taken[at].gpa = gpa;
	place->taken[at].size_bytes = size_bytes;
	place->nr_taken++;
	return 0;
}

int place_reserve(struct place *place, const char *name, gpa_t gpa, uint64_t size_bytes)
{
	const struct machine *m = place->machine;
	char size[SIZE_TEXT_BYTES], ram[SIZE_TEXT_BYTES];
	bool in_ram = false;

	if (!size_bytes)
		return 0;
	for (unsigned int i = 0; i < m->nr_ram; i++)
		if (range_within(gpa, size_bytes, m->ram[i].base, m->ram[i].size_bytes))
			in_ram = true;
	if (!in_ram) {
		log_error("the %s wants %s at %#" PRIx64 ", which is not in the guest's %s of RAM at %#" PRIx64 ": give the guest more memory (-m)",
			  name, size_text(size, size_bytes), gpa,
			  size_text(ram, machine_ram_bytes(m)), m->nr_ram ? m->ram[0].base : 0);
		return -EFAULT;
	}
	for (unsigned int i = 0; i < place->nr_taken; i++) {
		if (!range_overlaps(gpa, size_bytes, place->taken[i].gpa, place->taken[i].size_bytes))
			continue;
		log_error("the %s at %#" PRIx64 "-%#" PRIx64 " would overlap the %s at %#" PRIx64 "-%#" PRIx64,
			  name, gpa, gpa + size_bytes - 1, place->taken[i].name,
			  place->taken[i].gpa,
			  place->taken[i].gpa + place->taken[i].size_bytes - 1);
		return -EEXIST;
	}
	if (place_take(place, name, gpa, size_bytes)) {
		log_error("no room to remember where the %s is: at most %d things have a place of their own",
			  name, PLACE_MAX);
		return -ENOSPC;
	}
	return 0;
}

/*
 * The address in the free gap [@start, @end) at which @size_bytes fit, aligned. No arithmetic may
 * wrap: a gap can end at the very top of the address space.
 */
static bool place_in_gap(uint64_t start, uint64_t end, uint64_t size_bytes, uint64_t align,
			 bool top_down, gpa_t *gpa)
{
	uint64_t at;

	if (start >= end || size_bytes > end - start)
		return false;
	if (top_down) {
		at = align_down(end - size_bytes, align);
		if (at < start)
			return false;
	} else {
		at = align_up(start, align);
		if (at < start || at > end - size_bytes)
			return false;
	}
	*gpa = at;
	return true;
}

int place_find(struct place *place, const char *name, uint64_t size_bytes, uint64_t align, gpa_t low,
	       gpa_t high, bool top_down, gpa_t *gpa)
{
	const struct machine *m = place->machine;
	bool found = false;
	gpa_t best = 0;

	assert(size_bytes && is_power_of_two(align));
	if (!high)
		high = UINT64_MAX;
	for (unsigned int i = 0; i < m->nr_ram; i++) {
		uint64_t ram_end = m->ram[i].base + m->ram[i].size_bytes;
		uint64_t start = MAX(low, m->ram[i].base);
		uint64_t end = MIN(high, ram_end);

		/* The gaps before each taken range, and the one after the last. */
		for (unsigned int t = 0; t <= place->nr_taken; t++) {
			bool last = t == place->nr_taken;
			uint64_t gap_end = last ? end : MIN(end, place->taken[t].gpa);
			gpa_t at;

			if (place_in_gap(start, gap_end, size_bytes, align, top_down, &at) &&
			    (!found || (top_down ? at > best : at < best))) {
				best = at;
				found = true;
			}
			if (!last)
				start = MAX(start, place->taken[t].gpa + place->taken[t].size_bytes);
		}
	}
	if (!found || place_take(place, name, best, size_bytes))
		return -ENOMEM;
	*gpa = best;
	return 0;
}
