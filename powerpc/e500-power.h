/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How an e500 guest ends itself: two blocks of the SoC's registers, big-endian words, of which
 * little but that is there. Pure.
 *
 * Global utilities (MPC8544E Reference Manual, chapter of that name): RSTCR asks for a reset. GPIO
 * (P2020 QorIQ Reference Manual, chapter "General Purpose I/O"): pin 0 drives the power switch, as
 * on QEMU's machine; Linux's gpio-poweroff sets it.
 */
#ifndef PPC_E500_POWER_H
#define PPC_E500_POWER_H

#include <stdatomic.h>

#include "lkvm/bus.h"
#include "lkvm/types.h"

#define PPC_E500_GUTS_BYTES      0x1000
#define PPC_E500_GUTS_RSTCR      0xb0
#define PPC_E500_RSTCR_HRESET    0x2u

#define PPC_E500_GPIO_BYTES      0x1000
#define PPC_E500_GPIO_DIR        0x00 /* 1: output */
#define PPC_E500_GPIO_ODR        0x04 /* open drain */
#define PPC_E500_GPIO_DAT        0x08
#define PPC_E500_GPIO_IER        0x0c /* interrupt events, written to clear */
#define PPC_E500_GPIO_IMR        0x10
#define PPC_E500_GPIO_ICR        0x14
/* Pin 0 is the most significant bit. */
#define PPC_E500_GPIO_POWER_PIN  0
#define PPC_E500_GPIO_POWER_BIT  (0x80000000u >> PPC_E500_GPIO_POWER_PIN)

struct ppc_e500_power {
	/* The guest asked for it. vCPU thread. */
	void (*power_off)(void *ctx);
	void (*reset)(void *ctx);
	void *ctx;
	/* GPIO registers by their number (offset / 4). */
	_Atomic uint32_t gpio[PPC_E500_GPIO_ICR / 4 + 1];
};

/* bus_window.dev is the struct ppc_e500_power; .big_endian is to be set. */
extern const struct bus_ops ppc_e500_guts_bus_ops;
extern const struct bus_ops ppc_e500_gpio_bus_ops;

#endif
