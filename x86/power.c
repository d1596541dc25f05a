// SPDX-License-Identifier: GPL-2.0-only
#include "x86/power.h"

#define CF9_RESET_CPU (1 << 2)

static uint64_t power_read(void *dev, uint64_t offset, unsigned int size)
{
	/* Nothing here has state: WAK_STS is clear, as no sleep but S5 exists. */
	(void)dev;
	(void)offset;
	(void)size;
	return 0;
}

static void power_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	const struct x86_power *power = dev;

	(void)size;
	switch (offset) {
	case X86_POWER_SLEEP_CONTROL:
		if ((value & X86_POWER_SLP_EN) && (value & X86_POWER_SLP_TYP_MASK) ==
							  X86_POWER_S5 << X86_POWER_SLP_TYP_SHIFT)
			power->event(power->opaque, X86_POWER_OFF);
		break;
	case X86_POWER_RESET:
		if ((value & 0xff) == X86_POWER_RESET_VALUE)
			power->event(power->opaque, X86_POWER_REBOOT);
		break;
	default:
		break;
	}
}

const struct bus_ops x86_power_bus_ops = {
	.read = power_read,
	.write = power_write,
};

static void cf9_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	const struct x86_power *power = dev;

	(void)offset;
	(void)size;
	if (value & CF9_RESET_CPU)
		power->event(power->opaque, X86_POWER_REBOOT);
}

const struct bus_ops x86_cf9_bus_ops = {
	.read = power_read,
	.write = cf9_write,
};
