/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An address space of device registers: MMIO on every arch, port I/O on x86. Windows are added before
 * the vCPUs start and stay; bus_access() takes no lock and may run on any thread.
 */
#ifndef LKVM_BUS_H
#define LKVM_BUS_H

#include "lkvm/types.h"

#define BUS_MAX_WINDOWS 96

/*
 * Register access of a device, called on a vCPU thread: any vCPU, several at once. @offset is relative
 * to the window; @size is 1, 2, 4 or 8 and the access lies within the window. Values are numbers; the
 * window's byte order has been applied.
 */
struct bus_ops {
	uint64_t (*read)(void *dev, uint64_t offset, unsigned int size);
	void (*write)(void *dev, uint64_t offset, unsigned int size, uint64_t value);
};

struct bus_window {
	const char           *name;
	uint64_t              base;
	uint64_t              size_bytes;
	const struct bus_ops *ops;
	void                 *dev;
	bool                  big_endian; /* byte order of the device's registers; false: little */
};

struct bus {
	const char       *name; /* "mmio", "pio" */
	unsigned int      nr_windows;
	struct bus_window windows[BUS_MAX_WINDOWS]; /* sorted by base; nothing beyond nr_windows is touched */
};

void bus_init(struct bus *bus, const char *name);

/*
 * Adds a window (copied; name, ops and dev stay the caller's). Returns 0, -EEXIST if it overlaps
 * another (both are named in the error line), -EINVAL if empty or wrapping, -ENOSPC if full.
 */
int bus_add(struct bus *bus, const struct bus_window *window) LKVM_MUST_CHECK;

/*
 * Serves one access of @len (1..8) bytes as KVM hands it over: @data holds the bytes in memory order.
 * Odd lengths and accesses that straddle are split into legal sizes. Returns 0, or -ENOENT when no window
 * holds the whole of it: then a read has been filled with ones.
 */
int bus_access(const struct bus *bus, uint64_t addr, uint8_t *data, unsigned int len, bool is_write);

/* The window that holds @addr, or NULL. */
const struct bus_window *bus_find(const struct bus *bus, uint64_t addr);

#endif
