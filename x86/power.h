/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Power-off and reset: the sleep control and status registers of hardware-reduced ACPI (ACPI 6.5 §4.8.3.7)
 * and the FADT's reset register (§4.8.3.6), bytes at X86_PORT_POWER. Pure.
 */
#ifndef X86_POWER_H
#define X86_POWER_H

#include "lkvm/bus.h"

/* Offsets from X86_PORT_POWER. */
#define X86_POWER_SLEEP_CONTROL 0
#define X86_POWER_SLEEP_STATUS  1
#define X86_POWER_RESET         2
#define X86_POWER_BYTES         4

/* Sleep control: SLP_TYP in bits 2..4, SLP_EN in bit 5. */
#define X86_POWER_SLP_TYP_SHIFT 2
#define X86_POWER_SLP_TYP_MASK  (7 << X86_POWER_SLP_TYP_SHIFT)
#define X86_POWER_SLP_EN        (1 << 5)
/* SLP_TYP of S5; what the DSDT's \_S5 object says. */
#define X86_POWER_S5            5
/* What the FADT says is to be written to the reset register. */
#define X86_POWER_RESET_VALUE   1

enum x86_power_event {
	X86_POWER_OFF,
	X86_POWER_REBOOT,
};

/* Whoever ends the VM. Shared by the power registers, the keyboard controller and port CF9. */
struct x86_power {
	/* vCPU thread. */
	void (*event)(void *opaque, enum x86_power_event event);
	void *opaque;
};

/* bus_window.dev is a struct x86_power. */
extern const struct bus_ops x86_power_bus_ops;

/*
 * The reset control register of PC chipsets (port CF9; Linux arch/x86/kernel/reboot.c, BOOT_CF9_FORCE): bit 2
 * set resets the CPU. bus_window.dev is a struct x86_power; the window is one byte at 0xcf9.
 */
extern const struct bus_ops x86_cf9_bus_ops;

#endif
