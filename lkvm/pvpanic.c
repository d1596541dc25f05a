// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/pvpanic.h"

/* Events that a guest may report; it reads them before it writes one. */
#define PVPANIC_SUPPORTED (PVPANIC_PANICKED | PVPANIC_CRASH_LOADED | PVPANIC_SHUTDOWN)

static uint64_t pvpanic_read(void *dev, uint64_t offset, unsigned int size)
{
	(void)dev;
	(void)size;
	return offset ? 0 : PVPANIC_SUPPORTED;
}

static void pvpanic_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	struct pvpanic *pvpanic = dev;
	uint8_t event = value & PVPANIC_SUPPORTED;

	(void)size;
	if (!offset && event && pvpanic->event)
		pvpanic->event(pvpanic->opaque, event);
}

const struct bus_ops pvpanic_bus_ops = {
	.read = pvpanic_read,
	.write = pvpanic_write,
};
