// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/bus.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "lkvm/log.h"

void bus_init(struct bus *bus, const char *name)
{
	bus->name = name;
	bus->nr_windows = 0;
}

/* Index of the first window that starts above @addr. */
static unsigned int bus_upper_bound(const struct bus *bus, uint64_t addr)
{
	unsigned int low = 0, high = bus->nr_windows;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (bus->windows[mid].base <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Last byte rather than end: the end of a window at the very top does not fit in 64 bits. */
static uint64_t window_last(const struct bus_window *w)
{
	return w->base + (w->size_bytes - 1);
}

static int bus_report_overlap(const struct bus *bus, const struct bus_window *a,
			      const struct bus_window *b)
{
	log_error("%s bus: %s at %#" PRIx64 "-%#" PRIx64 " overlaps %s at %#" PRIx64 "-%#" PRIx64,
		  bus->name, a->name, a->base, window_last(a), b->name, b->base, window_last(b));
	return -EEXIST;
}

int bus_add(struct bus *bus, const struct bus_window *window)
{
	unsigned int i;

	if (!window->size_bytes || window_last(window) < window->base) {
		log_error("%s bus: %s at %#" PRIx64 " has an impossible size of %#" PRIx64 " bytes",
			  bus->name, window->name, window->base, window->size_bytes);
		return -EINVAL;
	}

	i = bus_upper_bound(bus, window->base);
	if (i > 0 && window_last(&bus->windows[i - 1]) >= window->base)
		return bus_report_overlap(bus, window, &bus->windows[i - 1]);
	if (i < bus->nr_windows && window_last(window) >= bus->windows[i].base)
		return bus_report_overlap(bus, window, &bus->windows[i]);

	if (bus->nr_windows == BUS_MAX_WINDOWS) {
		log_error("%s bus: no room for %s: all %d windows are taken", bus->name, window->name,
			  BUS_MAX_WINDOWS);
		return -ENOSPC;
	}

	memmove(&bus->windows[i + 1], &bus->windows[i],
		(bus->nr_windows - i) * sizeof(bus->windows[0]));
	bus->windows[i] = *window;
	bus->nr_windows++;
	return 0;
}

const struct bus_window *bus_find(const struct bus *bus, uint64_t addr)
{
	unsigned int i = bus_upper_bound(bus, addr);

	if (!i || addr - bus->windows[i - 1].base >= bus->windows[i - 1].size_bytes)
		return NULL;
	return &bus->windows[i - 1];
}

/* The largest legal access at @offset: a power of two, naturally aligned, at most @len. */
static unsigned int bus_piece(uint64_t offset, unsigned int len)
{
	unsigned int size = 8;

	while (size > len || (offset & (size - 1)))
		size /= 2;
	return size;
}

int bus_access(const struct bus *bus, uint64_t addr, uint8_t *data, unsigned int len, bool is_write)
{
	const struct bus_window *w = bus_find(bus, addr);
	uint64_t offset;

	if (!w || !range_within(addr, len, w->base, w->size_bytes)) {
		if (!is_write)
			memset(data, 0xff, len);
		return -ENOENT;
	}

	offset = addr - w->base;
	while (len) {
		unsigned int size = bus_piece(offset, len);
		uint64_t value;

		if (is_write) {
			value = w->big_endian ? get_be(data, size) : get_le(data, size);
			w->ops->write(w->dev, offset, size, value);
		} else {
			value = w->ops->read(w->dev, offset, size);
			if (w->big_endian)
				put_be(data, size, value);
			else
				put_le(data, size, value);
		}
		data += size;
		offset += size;
		len -= size;
	}
	return 0;
}
