/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NOR flash, whose contents outlive the guest in a file: two 16-bit chips side by side on a 32-bit bus, which
 * answer CFI queries (JEDEC JESD68.01) and take the commands of the Intel/Sharp extended set (0x0001; Intel 290737
 * "StrataFlash"). Firmware keeps its variables there.
 *
 * While it is read as an array the guest reads memory, without an exit; commands come as accesses to its registers.
 */
#ifndef LKVM_CFI_FLASH_H
#define LKVM_CFI_FLASH_H

#include "lkvm/bus.h"
#include "lkvm/device.h"
#include "lkvm/types.h"

#define CFI_FLASH_BLOCK_BYTES KIB(256) /* both chips; the least that a flash has */

struct cfi_flash;

struct cfi_flash_options {
	int      fd;         /* the contents' file: what the guest programs is written there; owned from here on */
	uint8_t *array;      /* the same contents in memory; not owned */
	uint64_t size_bytes; /* a power of two, at least a block */
	/* Makes the guest's reads of the array memory accesses, or exits. vCPU threads, one at a time. */
	void   (*set_mapped)(void *ctx, bool mapped);
	void    *ctx;
};

/*
 * Opens the file of a flash of at most @max_bytes and locks it. Returns its fd and sets @size_bytes, or -errno
 * (reported: with what is wrong with its size).
 */
int cfi_flash_open(const char *path, uint64_t max_bytes, uint64_t *size_bytes) LKVM_MUST_CHECK;

/* Takes opt->fd, whatever happens. Returns 0 or -ENOMEM (reported). Register it with cfi_flash_bus_ops. */
int cfi_flash_create(struct cfi_flash **flash, const struct cfi_flash_options *opt) LKVM_MUST_CHECK;

/* bus_window.dev is a struct cfi_flash. */
extern const struct bus_ops cfi_flash_bus_ops;
extern const struct device_ops cfi_flash_device_ops;

#endif
