// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/boot-fdt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lkvm/log.h"
#include "lkvm/vm.h"

/* Kernels reserve the tree by pages of this size, or larger ones of which it is the start. */
#define PAGE_BYTES 4096

/* With pages of 4 KiB, the usual ones. */
#define HUGE_PAGE_BYTES MIB(2)

void boot_fdt_seeds(struct boot_fdt_seeds *seeds)
{
	struct {
		uint8_t  bytes[FDT_RNG_SEED_BYTES];
		uint64_t kaslr;
	} random;
	bool have = getrandom(&random, sizeof(random), GRND_NONBLOCK) == sizeof(random);

	if (have)
		memcpy(seeds->bytes, random.bytes, sizeof(seeds->bytes));
	seeds->rng = have ? seeds->bytes : NULL;
	seeds->kaslr = have ? random.kaslr : 0;
}

void boot_fdt_usual_rooms(const struct vm *vm, gpa_t limit, struct boot_fdt_room rooms[BOOT_FDT_ROOMS])
{
	gpa_t end = vm->boot.kernel_start + vm->boot.kernel_bytes;

	rooms[0] = rooms[1] = (struct boot_fdt_room){ .high = limit };
	if (vm->boot.firmware) {
		gpa_t page_end = align_up(end, HUGE_PAGE_BYTES);

		rooms[0] = (struct boot_fdt_room){ .low = end, .high = limit ? MIN(limit, page_end) : page_end };
	}
}

static int find_room(struct vm *vm, size_t size_bytes, const struct boot_fdt_room *rooms, unsigned int nr_rooms,
		     gpa_t *gpa)
{
	for (unsigned int i = 0; i < nr_rooms; i++)
		if (!place_find(&vm->place, "device tree", align_up(size_bytes, PAGE_BYTES), PAGE_BYTES,
				rooms[i].low, rooms[i].high, !rooms[i].lowest, gpa))
			return 0;
	log_error("no room for the device tree (%zu bytes) in guest RAM: give it more with --mem", size_bytes);
	return -ENOMEM;
}

int boot_fdt_install(struct vm *vm, void *blob, size_t size_bytes, const struct boot_fdt_room *rooms,
		     unsigned int nr_rooms)
{
	gpa_t gpa;
	int ret = 0;

	if (vm->cfg->dump_dtb)
		ret = fdt_dump(vm->cfg->dump_dtb, blob, size_bytes);
	if (!ret)
		ret = find_room(vm, size_bytes, rooms, nr_rooms, &gpa);
	if (ret)
		goto out;
	ret = memory_write(&vm->memory, gpa, blob, size_bytes);
	if (ret) {
		log_error("cannot write the device tree to 0x%" PRIx64 ": %s", gpa, strerror(-ret));
		goto out;
	}
	vm->boot.fdt = gpa;
	vm->boot.fdt_bytes = size_bytes;
out:
	free(blob);
	return ret;
}
