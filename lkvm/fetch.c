// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/fetch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lkvm/size.h"

static bool in_range(const struct machine_range *r, gpa_t gpa)
{
	return range_within(gpa, 1, r->base, r->size_bytes);
}

static void settle(struct fetch_place *place, enum fetch_behind kind, const char *name, gpa_t base,
		   uint64_t size_bytes)
{
	*place = (struct fetch_place){ kind, name, base, size_bytes };
}

void fetch_place_find(const struct memory *mem, const struct bus *mmio, const struct machine *machine, gpa_t gpa,
		      struct fetch_place *place)
{
	const struct memory_region *r = memory_find(mem, gpa);
	const struct bus_window *w = bus_find(mmio, gpa);
	/* Where devices may be put, and accesses to the space between them go nowhere. */
	const struct {
		const struct machine_range *range;
		const char *name;
	} windows[] = {
		{ &machine->pci.ecam, "pci configuration" }, { &machine->pci.io, "pci ports" },
		{ &machine->pci.mem32, "pci memory" },       { &machine->pci.mem64, "pci memory" },
		{ &machine->virtio_mmio, "virtio-mmio" },
	};

	if (r) {
		settle(place, r->readonly ? BEHIND_ROM : BEHIND_RAM, r->name, r->gpa, r->size_bytes);
		return;
	}
	if (w) {
		settle(place, BEHIND_DEVICE, w->name, w->base, w->size_bytes);
		return;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(windows); i++)
		if (in_range(windows[i].range, gpa)) {
			settle(place, BEHIND_DEVICE, windows[i].name, windows[i].range->base,
			       windows[i].range->size_bytes);
			return;
		}
	settle(place, BEHIND_HOLE, "", 0, 0);
}

const char *fetch_behind_word(enum fetch_behind kind)
{
	static const char *const words[] = {
		[BEHIND_RAM] = "ram", [BEHIND_ROM] = "rom", [BEHIND_DEVICE] = "device", [BEHIND_HOLE] = "hole",
	};

	return words[kind];
}

const char *fetch_place_text(const struct fetch_place *place, char *buf, size_t size)
{
	char bytes[SIZE_TEXT_BYTES];

	if (place->kind == BEHIND_HOLE)
		snprintf(buf, size, "nothing: no memory and no device");
	else
		snprintf(buf, size, "%s%s at 0x%" PRIx64 ", %s%s", place->kind == BEHIND_DEVICE ? "device " : "",
			 place->name, place->base, size_text(bytes, place->size_bytes),
			 place->kind == BEHIND_ROM ? ", read-only" : "");
	return buf;
}

enum fetch_verdict fetch_check(const struct walk *w, const struct fetch_place *place)
{
	switch (w->result) {
	case WALK_MAPPED:
		break;
	case WALK_UNKNOWN:
		return FETCH_UNKNOWN;
	default:
		return FETCH_UNMAPPED;
	}
	if (!(walk_permissions(w) & WALK_X))
		return FETCH_NO_EXEC;
	return place->kind == BEHIND_HOLE ? FETCH_NO_MEMORY :
	       place->kind == BEHIND_DEVICE ? FETCH_DEVICE : FETCH_WORKS;
}

const char *fetch_text(const struct walk *w, const struct fetch_place *place, enum fetch_verdict verdict,
		       char *buf, size_t size)
{
	char perm[4], physical[48] = "";

	if (w->result == WALK_MAPPED && w->gpa != w->va)
		snprintf(physical, sizeof(physical), " (guest-physical 0x%" PRIx64 ")", w->gpa);
	switch (verdict) {
	case FETCH_UNMAPPED:
		snprintf(buf, size, "instruction fetch fails at 0x%" PRIx64 ": not mapped (%s)", w->va, w->why);
		break;
	case FETCH_NO_EXEC:
		snprintf(buf, size, "instruction fetch fails at 0x%" PRIx64 ": mapped but not executable (%s in %s mode)",
			 w->va, walk_permissions_text(walk_permissions(w), perm), w->as_user ? "user" : "kernel");
		break;
	case FETCH_DEVICE:
		snprintf(buf, size, "instruction fetch fails at 0x%" PRIx64 "%s: device memory (%s)", w->va,
			 physical, place->name);
		break;
	case FETCH_NO_MEMORY:
		snprintf(buf, size, "instruction fetch fails at 0x%" PRIx64 "%s: no memory behind this address",
			 w->va, physical);
		break;
	default:
		snprintf(buf, size, "instruction fetch works at 0x%" PRIx64, w->va);
		break;
	}
	return buf;
}
