/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arm PrimeCell UART PL011 (Arm DDI0183): the console of firmware that is built for QEMU's virt machine. Other
 * guests get the 16550A of lkvm/uart8250.h. Pure.
 */
#ifndef ARM_PL011_H
#define ARM_PL011_H

#include "lkvm/bus.h"
#include "lkvm/console.h"
#include "lkvm/device.h"
#include "lkvm/irq.h"

#define ARM_PL011_BYTES UINT64_C(0x1000)

struct arm_pl011;

/*
 * Makes a UART whose output goes to @console (NULL: nowhere). Returns 0 or -ENOMEM (reported). Register it with
 * arm_pl011_bus_ops. It becomes the console's input only through arm_pl011_frontend().
 */
int arm_pl011_create(struct arm_pl011 **uart, struct console *console, const struct irq_line *irq)
	LKVM_MUST_CHECK;

/* bus_window.dev is a struct arm_pl011. */
extern const struct bus_ops arm_pl011_bus_ops;
extern const struct device_ops arm_pl011_device_ops;

struct console_frontend arm_pl011_frontend(struct arm_pl011 *uart);

#endif
