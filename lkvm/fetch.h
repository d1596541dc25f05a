/* SPDX-License-Identifier: GPL-2.0-only */
/* What lies behind a guest-physical address, and whether the CPU can fetch instructions from there. Pure. */
#ifndef LKVM_FETCH_H
#define LKVM_FETCH_H

#include "lkvm/bus.h"
#include "lkvm/machine.h"
#include "lkvm/memory.h"
#include "lkvm/walk.h"

enum fetch_behind {
	BEHIND_RAM,    /* a memslot */
	BEHIND_ROM,    /* a read-only memslot */
	BEHIND_DEVICE, /* the window of a device, or one that devices get their place from */
	BEHIND_HOLE,   /* nothing */
};

/* Where an address leads. @name: "ram", "uart0", "pci memory"; "" for a hole. Not owned. */
struct fetch_place {
	enum fetch_behind kind;
	const char       *name;
	gpa_t             base;       /* of the memslot or window; of a hole 0 */
	uint64_t          size_bytes;
};

enum fetch_verdict {
	FETCH_WORKS,
	FETCH_UNMAPPED,    /* the guest's page tables do not map it */
	FETCH_NO_EXEC,     /* mapped, but not executable for the privilege that the vCPU has */
	FETCH_DEVICE,      /* leads to a device's registers */
	FETCH_NO_MEMORY,   /* leads to where nothing is */
	FETCH_UNKNOWN,     /* the walk says nothing */
};

#define FETCH_TEXT_BYTES 256

void fetch_place_find(const struct memory *mem, const struct bus *mmio, const struct machine *machine, gpa_t gpa,
		      struct fetch_place *place);

/* "ram (0x80000000, 256 MiB)", "the window of uart0", "no memory" into @buf, which is returned. */
const char *fetch_place_text(const struct fetch_place *place, char *buf, size_t size);

/* "ram", "rom", "device", "hole". Static. */
const char *fetch_behind_word(enum fetch_behind kind);

/* @place is looked at only for a walk that ended WALK_MAPPED. */
enum fetch_verdict fetch_check(const struct walk *w, const struct fetch_place *place);

/*
 * "instruction fetch fails at 0x70000000: no memory behind this address (guest-physical 0x70000000)" into @buf, which
 * is returned. For verdicts that are failures.
 */
const char *fetch_text(const struct walk *w, const struct fetch_place *place, enum fetch_verdict verdict,
		       char *buf, size_t size);

#endif
