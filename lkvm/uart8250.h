/* SPDX-License-Identifier: GPL-2.0-only */
/* 16550A UART. Registers are bytes, one per address. */
#ifndef LKVM_UART8250_H
#define LKVM_UART8250_H

#include "lkvm/bus.h"
#include "lkvm/console.h"
#include "lkvm/device.h"
#include "lkvm/irq.h"

#define UART8250_BYTES 8
#define UART8250_CLOCK_HZ 1843200

struct uart8250;

/*
 * Makes a UART whose output goes to @console (NULL: nowhere). Returns 0 or -ENOMEM (reported). Register it
 * with uart8250_bus_ops. It becomes the console's input only through uart8250_frontend().
 */
int uart8250_create(struct uart8250 **uart, struct console *console, const struct irq_line *irq)
	LKVM_MUST_CHECK;

extern const struct bus_ops uart8250_bus_ops;
extern const struct device_ops uart8250_device_ops;

struct console_frontend uart8250_frontend(struct uart8250 *uart);

#endif
