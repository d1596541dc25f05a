/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pvpanic: one byte register through which a guest says that it panicked
 * (QEMU docs/specs/pvpanic; Linux drivers/misc/pvpanic).
 */
#ifndef LKVM_PVPANIC_H
#define LKVM_PVPANIC_H

#include "lkvm/bus.h"

#define PVPANIC_BYTES          2
#define PVPANIC_PANICKED       (1 << 0)
#define PVPANIC_CRASH_LOADED   (1 << 1) /* a crash kernel will run; not the end */
#define PVPANIC_SHUTDOWN       (1 << 2)

struct pvpanic {
	/* The guest wrote @event (PVPANIC_*). vCPU thread. */
	void (*event)(void *opaque, uint8_t event);
	void *opaque;
};

/* bus_window.dev is a struct pvpanic. */
extern const struct bus_ops pvpanic_bus_ops;

#endif
