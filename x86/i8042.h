/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keyboard controller, as much as guests need: it answers its own commands, has no keyboard and no
 * mouse, and resets the machine on command FE. Linux drivers/input/serio/i8042.c; IBM PS/2 Technical
 * Reference, "Keyboard and Auxiliary Device Controller". Pure.
 */
#ifndef X86_I8042_H
#define X86_I8042_H

#include <pthread.h>

#include "lkvm/bus.h"
#include "lkvm/irq.h"
#include "x86/power.h"

/* The window: data register at offset 0, command and status register at offset 4. Port 61 is not ours. */
#define X86_I8042_DATA    0
#define X86_I8042_COMMAND 4

struct x86_i8042 {
	pthread_mutex_t  lock;
	struct x86_power power;
	struct irq_line  irq;      /* IRQ 1 */
	uint8_t          command;  /* awaits its parameter at the data port; 0: none */
	uint8_t          control;  /* the "command byte" */
	uint8_t          output[2]; /* bytes for the guest to fetch ... */
	unsigned int     nr_output; /* ... and how many */
	bool             from_aux; /* the output comes from the mouse port */
};

/* @dev holds no resource but its lock; there is nothing to undo. */
void x86_i8042_init(struct x86_i8042 *dev, const struct x86_power *power, const struct irq_line *irq);

/* bus_window.dev is a struct x86_i8042; two windows of one byte each, by register. */
extern const struct bus_ops x86_i8042_data_ops;
extern const struct bus_ops x86_i8042_command_ops;

#endif
