/* SPDX-License-Identifier: GPL-2.0-only */
/* Booting with a device tree, as on every arch: seeds for the tree, and the finished tree's way into the guest. */
#ifndef LKVM_BOOT_FDT_H
#define LKVM_BOOT_FDT_H

#include "lkvm/fdt.h"
#include "lkvm/types.h"

struct vm;

/* Entropy for the guest. Early in the host's own boot there may be none yet: then the guest gathers its own. */
struct boot_fdt_seeds {
	uint8_t        bytes[FDT_RNG_SEED_BYTES];
	const uint8_t *rng;   /* bytes, or NULL */
	uint64_t       kaslr; /* 0: none */
};

void boot_fdt_seeds(struct boot_fdt_seeds *seeds);

/* A part of RAM that the tree may go to: the highest place of [@low, @high) that is free, or the lowest. */
struct boot_fdt_room {
	gpa_t low;
	gpa_t high; /* exclusive; 0: no limit */
	bool  lowest;
};

/*
 * Where the tree goes unless the arch's firmware looks for it elsewhere: in RAM below @limit (exclusive; what any
 * kernel maps early), at the top, as kernels grow upwards; but with firmware first of all at the end of the host's
 * huge page that it ends in, so that a small guest costs the host one such page.
 */
#define BOOT_FDT_ROOMS 2
void boot_fdt_usual_rooms(const struct vm *vm, gpa_t limit, struct boot_fdt_room rooms[BOOT_FDT_ROOMS]);

/*
 * The end of arch_boot_prepare(): writes @blob to the file of --dump-dtb, if there is one, and to the first of
 * @rooms that has room for its whole pages; sets vm->boot.fdt. Frees @blob, whatever happens. 0 or -errno
 * (reported).
 */
int boot_fdt_install(struct vm *vm, void *blob, size_t size_bytes, const struct boot_fdt_room *rooms,
		     unsigned int nr_rooms) LKVM_MUST_CHECK;

#endif
