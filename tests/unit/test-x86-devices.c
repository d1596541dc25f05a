// SPDX-License-Identifier: GPL-2.0-only
/* The small devices of a PC: keyboard controller, clock, power registers. */
#include <string.h>

#include "tests/unit/test.h"
#include "x86/cmos.h"
#include "x86/i8042.h"
#include "x86/power.h"

static unsigned int nr_off, nr_reboot;

static void on_power(void *opaque, enum x86_power_event event)
{
	CHECK(opaque == &nr_off);
	if (event == X86_POWER_OFF)
		nr_off++;
	else
		nr_reboot++;
}

static struct x86_power make_power(void)
{
	nr_off = nr_reboot = 0;
	return (struct x86_power){ .event = on_power, .opaque = &nr_off };
}

static void test_power(void)
{
	struct x86_power power = make_power();

	/* Other sleep states, and S5 without the enable bit: nothing. */
	for (unsigned int v = 0; v < 256; v++)
		if ((v & 0x3c) != 0x34)
			x86_power_bus_ops.write(&power, 0, 1, v);
	CHECK_EQ(nr_off, 0);
	x86_power_bus_ops.write(&power, 0, 1, 0x34);
	CHECK_EQ(nr_off, 1);
	CHECK_EQ(x86_power_bus_ops.read(&power, 1, 1), 0);

	x86_power_bus_ops.write(&power, 2, 1, 0);
	x86_power_bus_ops.write(&power, 1, 1, 1);
	x86_power_bus_ops.write(&power, 3, 1, 1);
	CHECK_EQ(nr_reboot, 0);
	x86_power_bus_ops.write(&power, 2, 1, 1);
	CHECK_EQ(nr_reboot, 1);

	x86_cf9_bus_ops.write(&power, 0, 1, 2);
	CHECK_EQ(nr_reboot, 1);
	x86_cf9_bus_ops.write(&power, 0, 1, 6);
	CHECK_EQ(nr_reboot, 2);
	CHECK_EQ(nr_off, 1);
}

static unsigned int irq_changes;
static bool irq_level;

static void set_level(void *chip, uint32_t irq, bool level)
{
	(void)chip;
	CHECK_EQ(irq, 1);
	irq_changes += level != irq_level;
	irq_level = level;
}

static const struct irq_chip_ops irq_ops = { .set_level = set_level };

static void set_up_i8042(struct x86_i8042 *dev)
{
	const struct x86_power power = make_power();
	const struct irq_line irq = { .ops = &irq_ops, .irq = 1 };

	irq_changes = 0;
	irq_level = false;
	x86_i8042_init(dev, &power, &irq);
}

static void command(struct x86_i8042 *dev, uint8_t v)
{
	x86_i8042_command_ops.write(dev, 0, 1, v);
}

static void data(struct x86_i8042 *dev, uint8_t v)
{
	x86_i8042_data_ops.write(dev, 0, 1, v);
}

static uint8_t status(struct x86_i8042 *dev)
{
	return (uint8_t)x86_i8042_command_ops.read(dev, 0, 1);
}

static uint8_t fetch(struct x86_i8042 *dev)
{
	CHECK(status(dev) & 1);
	return (uint8_t)x86_i8042_data_ops.read(dev, 0, 1);
}

/* What Linux's driver does at probe. */
static void test_i8042_probe(void)
{
	struct x86_i8042 dev;

	set_up_i8042(&dev);
	CHECK_EQ(status(&dev) & 1, 0); /* nothing to flush */
	command(&dev, 0xaa);
	CHECK_EQ(fetch(&dev), 0x55);
	CHECK_EQ(status(&dev) & 1, 0);
	command(&dev, 0x20);
	CHECK(fetch(&dev) & 4);
	command(&dev, 0x60);
	data(&dev, 0x74);
	command(&dev, 0x20);
	CHECK_EQ(fetch(&dev), 0x74);
	/* The mouse port's loop test, then its own test: nothing there. */
	command(&dev, 0xd3);
	data(&dev, 0x5a);
	CHECK(status(&dev) & 0x20);
	CHECK_EQ(fetch(&dev), 0x5a);
	command(&dev, 0xa9);
	CHECK(fetch(&dev) != 0);
	command(&dev, 0xd4);
	data(&dev, 0xf2);
	CHECK_EQ(fetch(&dev), 0xfc);
	command(&dev, 0xa7);
	command(&dev, 0x20);
	CHECK(fetch(&dev) & 0x20);
	command(&dev, 0xa8);
	command(&dev, 0x20);
	CHECK(!(fetch(&dev) & 0x20));
	/* The keyboard says at once that it can't. */
	data(&dev, 0xf2);
	CHECK_EQ(fetch(&dev), 0xfc);
	command(&dev, 0x77); /* no such command */
	CHECK_EQ(status(&dev) & 1, 0);
	CHECK_EQ(nr_reboot, 0);
}

static void test_i8042_irq(void)
{
	struct x86_i8042 dev;

	set_up_i8042(&dev);
	data(&dev, 0xed);
	CHECK(irq_level);
	(void)fetch(&dev);
	CHECK(!irq_level);
	/* Disabled in the command byte. */
	command(&dev, 0x60);
	data(&dev, 0x00);
	data(&dev, 0xed);
	CHECK(!irq_level);
	(void)fetch(&dev);
	CHECK_EQ(irq_changes, 2);
}

static void test_i8042_reset(void)
{
	struct x86_i8042 dev;

	set_up_i8042(&dev);
	command(&dev, 0xfe);
	CHECK_EQ(nr_reboot, 1);
	/* By the output port: bit 0 low. */
	command(&dev, 0xd1);
	data(&dev, 0x03);
	CHECK_EQ(nr_reboot, 1);
	command(&dev, 0xd1);
	data(&dev, 0xfe);
	CHECK_EQ(nr_reboot, 2);
	CHECK_EQ(nr_off, 0);
}

static time_t fixed_now(void)
{
	return 1582979696; /* 2020-02-29 12:34:56 UTC, a Saturday */
}

static uint8_t cmos(struct x86_cmos *dev, uint8_t reg)
{
	x86_cmos_bus_ops.write(dev, 0, 1, reg);
	return (uint8_t)x86_cmos_bus_ops.read(dev, 1, 1);
}

static void test_cmos(void)
{
	static const uint8_t expect[][2] = {
		{ 0x00, 0x56 }, { 0x02, 0x34 }, { 0x04, 0x12 }, { 0x06, 0x07 }, { 0x07, 0x29 },
		{ 0x08, 0x02 }, { 0x09, 0x20 }, { 0x32, 0x20 }, { 0x0b, 0x02 }, { 0x0d, 0x80 },
		{ 0x80, 0x56 }, /* with the NMI bit: the same register */
		{ 0x0f, 0x00 },
	};
	struct x86_cmos dev;

	x86_cmos_init(&dev);
	CHECK(dev.now() > fixed_now());
	dev.now = fixed_now;
	for (unsigned int i = 0; i < ARRAY_SIZE(expect); i++)
		CHECK_EQ(cmos(&dev, expect[i][0]), expect[i][1]);
	CHECK(!(cmos(&dev, 0x0a) & 0x80)); /* never "update in progress" */
	/* Read only. */
	x86_cmos_bus_ops.write(&dev, 1, 1, 0x99);
	CHECK_EQ(cmos(&dev, 0x00), 0x56);
	CHECK_EQ(x86_cmos_bus_ops.read(&dev, 0, 1), 0xff);
}

const struct test x86_devices_tests[] = {
	{ "power", test_power },
	{ "i8042-probe", test_i8042_probe },
	{ "i8042-irq", test_i8042_irq },
	{ "i8042-reset", test_i8042_reset },
	{ "cmos", test_cmos },
	{ 0 },
};
