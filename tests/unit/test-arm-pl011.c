// SPDX-License-Identifier: GPL-2.0-only
#include "arm/pl011.h"

#include <string.h>

#include "tests/unit/test.h"

enum { DR = 0, FR = 0x18, IBRD = 0x24, LCR_H = 0x2c, CR = 0x30, IFLS = 0x34, IMSC = 0x38, RIS = 0x3c, MIS = 0x40,
       ICR = 0x44, ID = 0xfe0 };
enum { RXFE = 1 << 4, RXFF = 1 << 6, TXFE = 1 << 7, RX = 1 << 4, TX = 1 << 5, RT = 1 << 6 };

struct rig {
	struct arm_pl011 *uart;
	struct console_frontend fe;
	bool level;
	unsigned int changes;
};

static void set_level(void *chip, uint32_t irq, bool level)
{
	struct rig *rig = chip;

	CHECK_EQ(irq, 1);
	CHECK(level != rig->level);
	rig->level = level;
	rig->changes++;
}

static void setup(struct rig *rig)
{
	static const struct irq_chip_ops ops = { .set_level = set_level };
	const struct irq_line line = { .ops = &ops, .chip = rig, .irq = 1 };

	memset(rig, 0, sizeof(*rig));
	CHECK_EQ(arm_pl011_create(&rig->uart, NULL, &line), 0);
	rig->fe = arm_pl011_frontend(rig->uart);
}

static void teardown(struct rig *rig)
{
	arm_pl011_device_ops.destroy(rig->uart);
}

static uint32_t get(struct rig *rig, uint64_t offset)
{
	return (uint32_t)arm_pl011_bus_ops.read(rig->uart, offset, 4);
}

static void put(struct rig *rig, uint64_t offset, uint32_t v)
{
	arm_pl011_bus_ops.write(rig->uart, offset, 4, v);
}

static void receive(struct rig *rig, const char *text)
{
	CHECK(rig->fe.can_receive(rig->fe.dev) >= strlen(text));
	rig->fe.receive(rig->fe.dev, (const uint8_t *)text, strlen(text));
}

static void test_registers(void)
{
	static const uint8_t id[] = { 0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
	struct rig rig;

	setup(&rig);
	for (unsigned int i = 0; i < sizeof(id); i++)
		CHECK_EQ(get(&rig, ID + 4 * i), id[i]);
	CHECK_EQ(get(&rig, CR), 0x300);
	CHECK_EQ(get(&rig, IFLS), 0x12);
	CHECK_EQ(get(&rig, FR) & (RXFE | TXFE | RXFF), RXFE | TXFE);
	put(&rig, IBRD, 0x12345);
	CHECK_EQ(get(&rig, IBRD), 0x2345);
	put(&rig, LCR_H, 0x70);
	CHECK_EQ(get(&rig, LCR_H), 0x70);
	CHECK_EQ(get(&rig, 0x100), 0);
	put(&rig, FR, 0xff);
	CHECK_EQ(get(&rig, FR) & RXFE, RXFE);
	teardown(&rig);
}

/* A byte is sent at once, which the transmit interrupt says until it is cleared. */
static void test_transmit(void)
{
	struct rig rig;

	setup(&rig);
	put(&rig, IMSC, TX);
	CHECK(!rig.level);
	put(&rig, DR, 'a');
	CHECK(rig.level);
	CHECK_EQ(get(&rig, MIS), TX);
	put(&rig, ICR, TX);
	CHECK(!rig.level);
	put(&rig, DR, 'b');
	put(&rig, IMSC, 0);
	CHECK(!rig.level);
	CHECK_EQ(get(&rig, RIS), TX);
	CHECK_EQ(get(&rig, MIS), 0);
	teardown(&rig);
}

/* What is typed waits until somebody reads: a driver that has the interrupt on, or one that polls. */
static void test_receive(void)
{
	struct rig rig;

	setup(&rig);
	CHECK_EQ(rig.fe.can_receive(rig.fe.dev), 0);
	put(&rig, IMSC, RX | RT);
	receive(&rig, "xy");
	CHECK(rig.level);
	CHECK_EQ(get(&rig, FR) & RXFE, 0);
	/* Data that is there can't be cleared away. */
	put(&rig, ICR, RX | RT);
	CHECK(rig.level);
	CHECK_EQ(get(&rig, DR), 'x');
	CHECK(rig.level);
	CHECK_EQ(get(&rig, DR), 'y');
	CHECK(!rig.level);
	CHECK_EQ(get(&rig, DR), 0);
	while (rig.fe.can_receive(rig.fe.dev))
		receive(&rig, "z");
	CHECK_EQ(get(&rig, FR) & RXFF, RXFF);
	teardown(&rig);

	setup(&rig);
	for (unsigned int i = 0; i < 100; i++)
		get(&rig, FR);
	receive(&rig, "p");
	CHECK_EQ(get(&rig, DR), 'p');
	/* One that waits to send is none that reads. */
	put(&rig, DR, 'q');
	CHECK_EQ(rig.fe.can_receive(rig.fe.dev), 0);
	teardown(&rig);
}

static void test_loopback(void)
{
	struct rig rig;

	setup(&rig);
	put(&rig, CR, 0x381);
	put(&rig, IMSC, RX);
	for (unsigned int i = 0; i < 40; i++)
		put(&rig, DR, 'A' + i);
	CHECK_EQ(rig.fe.can_receive(rig.fe.dev), 0);
	for (unsigned int i = 0; i < 32; i++)
		CHECK_EQ(get(&rig, DR), 'A' + i);
	CHECK_EQ(get(&rig, FR) & RXFE, RXFE);
	teardown(&rig);
}

const struct test arm_pl011_tests[] = {
	{ "registers", test_registers },
	{ "transmit", test_transmit },
	{ "receive", test_receive },
	{ "loopback", test_loopback },
	{ 0 },
};
