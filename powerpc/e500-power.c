// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/e500-power.h"

/* Registers are whole words; other accesses read as 0 and go nowhere. */
#define REG_BYTES 4

static uint64_t guts_read(void *dev, uint64_t offset, unsigned int size)
{
	(void)dev;
	(void)offset;
	(void)size;
	return 0;
}

static void guts_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	struct ppc_e500_power *power = dev;

	if (offset == PPC_E500_GUTS_RSTCR && size == REG_BYTES && (value & PPC_E500_RSTCR_HRESET))
		power->reset(power->ctx);
}

const struct bus_ops ppc_e500_guts_bus_ops = {
	.read = guts_read,
	.write = guts_write,
};

static bool gpio_has(const struct ppc_e500_power *power, uint64_t offset, unsigned int size)
{
	return size == REG_BYTES && offset % REG_BYTES == 0 &&
	       offset / REG_BYTES < ARRAY_SIZE(power->gpio);
}

static uint64_t gpio_read(void *dev, uint64_t offset, unsigned int size)
{
	struct ppc_e500_power *power = dev;

	/* No pin is an input that anything drives, and none has events. */
	if (!gpio_has(power, offset, size) || offset == PPC_E500_GPIO_IER)
		return 0;
	return power->gpio[offset / REG_BYTES];
}

static void gpio_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	struct ppc_e500_power *power = dev;

	if (!gpio_has(power, offset, size))
		return;
	power->gpio[offset / REG_BYTES] = (uint32_t)value;
	if (power->gpio[PPC_E500_GPIO_DIR / REG_BYTES] & power->gpio[PPC_E500_GPIO_DAT / REG_BYTES] &
	    PPC_E500_GPIO_POWER_BIT)
		power->power_off(power->ctx);
}

const struct bus_ops ppc_e500_gpio_bus_ops = {
	.read = gpio_read,
	.write = gpio_write,
};
