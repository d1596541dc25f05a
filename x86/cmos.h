/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MC146818 real-time clock and its CMOS memory, read only: time of day in UTC, no alarm, no periodic
 * interrupt. Linux drivers/rtc/rtc-mc146818-lib.c. Pure.
 */
#ifndef X86_CMOS_H
#define X86_CMOS_H

#include <time.h>

#include "lkvm/bus.h"

/* Index register at offset 0, data at offset 1. */
#define X86_CMOS_BYTES 2

struct x86_cmos {
	/* The time of day; tests put theirs here. Any thread. */
	time_t          (*now)(void);
	_Atomic uint8_t index;
};

void x86_cmos_init(struct x86_cmos *dev);

/* bus_window.dev is a struct x86_cmos. */
extern const struct bus_ops x86_cmos_bus_ops;

#endif
