/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a walk through a guest's page tables found, the same for all arches: the steps that the CPU's own walker
 * would take, and where they lead. The walkers are <arch>/mmu.c. Pure: registers and a reader of guest memory go
 * in. Nothing in guest memory is trusted; a walk reads a bounded number of entries.
 */
#ifndef LKVM_WALK_H
#define LKVM_WALK_H

#include "lkvm/types.h"

#define WALK_MAX_STEPS   8
#define WALK_MODE_BYTES  48
#define WALK_WHY_BYTES   160

enum walk_result {
	WALK_UNKNOWN,     /* not walked: registers can't be read, or a mode that lkvm does not know */
	WALK_MAPPED,      /* gpa, page_bytes and the permissions are valid */
	WALK_UNMAPPED,    /* an entry says that nothing is there */
	WALK_BAD_ADDRESS, /* not an address that the mode translates: not canonical, too high */
	WALK_BAD_ENTRY,   /* an entry that the architecture reserves; the CPU faults on it */
	WALK_NO_TABLE,    /* a table lies outside guest memory */
};

/* Permissions, as bits. */
#define WALK_R 4u
#define WALK_W 2u
#define WALK_X 1u

struct walk_step {
	const char *table;       /* "PML4", "level 0"; static */
	gpa_t       entry_gpa;   /* where the entry is; with is_index its number in that table */
	bool        is_index;    /* tables outside guest memory: hash table, TLB */
	uint64_t    entry;       /* as a number; of a 16-byte entry the first half */
	uint64_t    entry2;      /* ... and the second */
	uint8_t     entry_bytes; /* 4, 8 or 16 */
	bool        read;        /* false: entry_gpa is outside guest memory */
};

struct walk {
	uint64_t         va;
	enum walk_result result;
	gpa_t            gpa;
	uint64_t         page_bytes; /* of the mapping; 0: everything is mapped to itself (no translation) */
	unsigned int     kernel;     /* what privileged code may do there, WALK_* bits */
	unsigned int     user;
	bool             as_user;    /* the privilege that the vCPU has now */
	unsigned int     nr_steps;
	struct walk_step steps[WALK_MAX_STEPS];
	char             mode[WALK_MODE_BYTES]; /* "Sv39", "4-level", "4K granule, 48 bits, TTBR1" */
	char             why[WALK_WHY_BYTES];   /* why it failed, one phrase; "" when mapped */
};

/* How a walker sees guest memory. @read copies @len bytes at @gpa, and returns 0 or -errno. */
struct walk_memory {
	int (*read)(void *ctx, gpa_t gpa, void *buf, uint64_t len);
	void *ctx;
};

/* ---- for users ---- */

/* What the vCPU may do there with the privilege that it has now: WALK_* bits; 0 unless mapped. */
unsigned int walk_permissions(const struct walk *w);

/* "rwx" with '-' for what is missing, into @buf (4 bytes), which is returned. */
const char *walk_permissions_text(unsigned int permissions, char *buf);

/* One word for JSON: "mapped", "unmapped", "bad-address", "bad-entry", "no-table", "unknown". Static. */
const char *walk_result_word(enum walk_result result);

/* ---- for walkers ---- */

/* Starts @w for @va; the result is WALK_UNKNOWN until one of the functions below settles it. */
void walk_init(struct walk *w, uint64_t va, bool as_user);

/* Settles a failure. */
void walk_fail(struct walk *w, enum walk_result result, const char *fmt, ...) LKVM_PRINTF(3, 4);

/* Settles success. */
void walk_map(struct walk *w, gpa_t gpa, uint64_t page_bytes, unsigned int kernel, unsigned int user);

/* Settles success for a CPU that does not translate: @va is physical, everything is allowed. */
void walk_map_identity(struct walk *w, gpa_t gpa);

/*
 * Reads an entry of @bytes (4 or 8) at @gpa, and records the step. False, with the failure settled, when no guest
 * memory is there (or the steps are used up, which no well-formed walk does).
 */
bool walk_read_entry(struct walk *w, const struct walk_memory *mem, const char *table, gpa_t gpa,
		     unsigned int bytes, bool big_endian, uint64_t *entry) LKVM_MUST_CHECK;

/* Records an entry that has been read already, at @index of a table outside guest memory. */
void walk_note_entry(struct walk *w, const char *table, uint64_t index, uint64_t entry, uint64_t entry2);

#endif
