/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arm PrimeCell real-time clock PL031 (Arm DDI0224): seconds since 1970, which follow the host's clock, and
 * an alarm, which can wake a suspended guest. Pure.
 */
#ifndef ARM_PL031_H
#define ARM_PL031_H

#include "lkvm/bus.h"
#include "lkvm/device.h"
#include "lkvm/irq.h"
#include "lkvm/loop.h"

#define ARM_PL031_BYTES UINT64_C(0x1000)

struct arm_pl031;

/*
 * Makes a clock that raises @irq at alarms, for which it needs @loop (NULL: no alarms). Returns 0 or -errno
 * (reported). Register it with arm_pl031_bus_ops.
 */
int arm_pl031_create(struct arm_pl031 **rtc, struct loop *loop, const struct irq_line *irq) LKVM_MUST_CHECK;

/* bus_window.dev is a struct arm_pl031. */
extern const struct bus_ops arm_pl031_bus_ops;
extern const struct device_ops arm_pl031_device_ops;

#endif
