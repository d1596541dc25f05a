/* SPDX-License-Identifier: GPL-2.0-only */
/* Who occupies which part of guest RAM at boot: kernel, initrd, device tree, firmware tables. */
#ifndef LKVM_PLACE_H
#define LKVM_PLACE_H

#include "lkvm/machine.h"
#include "lkvm/types.h"

#define PLACE_MAX 24

struct place {
	const struct machine *machine;
	struct {
		const char *name; /* not owned */
		gpa_t       gpa;
		uint64_t    size_bytes;
	} taken[PLACE_MAX]; /* sorted by gpa */
	unsigned int nr_taken;
};

void place_init(struct place *place, const struct machine *machine);

/*
 * Takes [@gpa, @gpa + @size_bytes) for @name. Returns 0; -EFAULT if not wholly in one RAM range,
 * -EEXIST if taken, -ENOSPC if the table is full: each reported with names and addresses.
 */
int place_reserve(struct place *place, const char *name, gpa_t gpa, uint64_t size_bytes) LKVM_MUST_CHECK;

/*
 * Finds free RAM within [@low, @high) (@high 0: no limit) aligned to @align, the highest if
 * @top_down, else the lowest; takes it and returns its address in @gpa. 0 or -ENOMEM (silent: the
 * caller knows more).
 */
int place_find(struct place *place, const char *name, uint64_t size_bytes, uint64_t align, gpa_t low,
	       gpa_t high, bool top_down, gpa_t *gpa) LKVM_MUST_CHECK;

#endif
