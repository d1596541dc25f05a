// SPDX-License-Identifier: GPL-2.0-only
#include "x86/ioapic.h"

#include <string.h>

#include "tests/unit/test.h"

struct fixture {
	struct x86_ioapic  dev;
	struct msi_message last;
	unsigned int       sent;
	unsigned int       routes;
};

static void on_send(void *ctx, const struct msi_message *msg)
{
	struct fixture *f = ctx;

	f->last = *msg;
	f->sent++;
}

static void on_routes(void *ctx)
{
	struct fixture *f = ctx;

	f->routes++;
}

static void set_up(struct fixture *f)
{
	const struct x86_ioapic_sink sink = { on_send, on_routes, f };

	memset(f, 0, sizeof(*f));
	x86_ioapic_init(&f->dev, 2, &sink);
}

static void write_reg(struct fixture *f, uint8_t reg, uint32_t value)
{
	x86_ioapic_bus_ops.write(&f->dev, 0, 4, reg);
	x86_ioapic_bus_ops.write(&f->dev, 0x10, 4, value);
}

static uint32_t read_reg(struct fixture *f, uint8_t reg)
{
	x86_ioapic_bus_ops.write(&f->dev, 0, 4, reg);
	return (uint32_t)x86_ioapic_bus_ops.read(&f->dev, 0x10, 4);
}

/* High half first, as Linux does, so that the low half unmasks a whole entry. */
static void write_rte(struct fixture *f, unsigned int pin, uint64_t rte)
{
	write_reg(f, (uint8_t)(0x11 + 2 * pin), (uint32_t)(rte >> 32));
	write_reg(f, (uint8_t)(0x10 + 2 * pin), (uint32_t)rte);
}

static void test_registers(void)
{
	struct fixture f;

	set_up(&f);
	CHECK_EQ(read_reg(&f, 0) >> 24, 2);
	CHECK_EQ(read_reg(&f, 1), 0x170020);
	for (unsigned int pin = 0; pin < 24; pin++)
		CHECK_EQ(read_reg(&f, (uint8_t)(0x10 + 2 * pin)), 1 << 16); /* masked */
	write_reg(&f, 0, 0x0f000000);
	CHECK_EQ(read_reg(&f, 0), 0x0f000000);
	/* Reserved and read-only bits do not stick. */
	write_rte(&f, 3, UINT64_MAX);
	CHECK_EQ(read_reg(&f, 0x16), 0x1afff);
	CHECK_EQ(read_reg(&f, 0x17), 0xff000000);
	/* No such register. */
	CHECK_EQ(read_reg(&f, 0x40), 0);
	write_reg(&f, 0x40, 1);
	CHECK_EQ(x86_ioapic_bus_ops.read(&f.dev, 0x24, 4), 0);
}

static void test_edge(void)
{
	struct fixture f;

	set_up(&f);
	x86_ioapic_set_level(&f.dev, 4, true); /* masked: lost */
	write_rte(&f, 4, UINT64_C(0x03) << 56 | 0x31);
	CHECK_EQ(f.sent, 0);
	x86_ioapic_set_level(&f.dev, 4, true); /* no edge */
	CHECK_EQ(f.sent, 0);
	x86_ioapic_set_level(&f.dev, 4, false);
	x86_ioapic_set_level(&f.dev, 4, true);
	CHECK_EQ(f.sent, 1);
	CHECK_EQ(f.last.address, 0xfee03000);
	CHECK_EQ(f.last.data, 0x4031);
	/* Nothing waits for an EOI. */
	x86_ioapic_set_level(&f.dev, 4, false);
	x86_ioapic_set_level(&f.dev, 4, true);
	CHECK_EQ(f.sent, 2);
	CHECK_EQ(f.routes, 0);
}

static void test_level(void)
{
	struct fixture f;
	struct msi_message msg;

	set_up(&f);
	write_rte(&f, 10, X86_IOAPIC_RTE_LEVEL | 0x41);
	CHECK(f.routes >= 1);
	CHECK(x86_ioapic_eoi_route(&f.dev, 10, &msg));
	CHECK_EQ(msg.data, 0xc041);
	CHECK(!x86_ioapic_eoi_route(&f.dev, 11, &msg));

	x86_ioapic_set_level(&f.dev, 10, true);
	CHECK_EQ(f.sent, 1);
	CHECK(read_reg(&f, 0x10 + 20) & X86_IOAPIC_RTE_REMOTE_IRR);
	/* In service: not sent again, whatever the line does. */
	x86_ioapic_set_level(&f.dev, 10, false);
	x86_ioapic_set_level(&f.dev, 10, true);
	CHECK_EQ(f.sent, 1);
	/* Another vector's EOI is not ours. */
	x86_ioapic_eoi(&f.dev, 0x42);
	CHECK_EQ(f.sent, 1);
	/* Still high: again. */
	x86_ioapic_eoi(&f.dev, 0x41);
	CHECK_EQ(f.sent, 2);
	x86_ioapic_set_level(&f.dev, 10, false);
	x86_ioapic_eoi(&f.dev, 0x41);
	CHECK_EQ(f.sent, 2);
	CHECK(!(read_reg(&f, 0x10 + 20) & X86_IOAPIC_RTE_REMOTE_IRR));
}

static void test_level_masked(void)
{
	struct fixture f;
	struct msi_message msg;
	unsigned int routes;

	set_up(&f);
	write_rte(&f, 12, X86_IOAPIC_RTE_LEVEL | 0x51);
	routes = f.routes;
	x86_ioapic_set_level(&f.dev, 12, true);
	/* Linux masks, ends the interrupt, and unmasks later: the route must stay for the EOI to arrive. */
	write_reg(&f, 0x10 + 24, (uint32_t)(X86_IOAPIC_RTE_LEVEL | X86_IOAPIC_RTE_MASKED) | 0x51);
	CHECK(x86_ioapic_eoi_route(&f.dev, 12, &msg));
	CHECK_EQ(f.routes, routes);
	x86_ioapic_eoi(&f.dev, 0x51);
	CHECK_EQ(f.sent, 1);
	write_reg(&f, 0x10 + 24, (uint32_t)X86_IOAPIC_RTE_LEVEL | 0x51);
	CHECK_EQ(f.sent, 2);
	/* The EOI register does the same as the local APIC's. */
	x86_ioapic_bus_ops.write(&f.dev, 0x40, 4, 0x51);
	CHECK_EQ(f.sent, 3);
	/* A new vector is a new route. */
	write_reg(&f, 0x10 + 24, (uint32_t)X86_IOAPIC_RTE_LEVEL | 0x52);
	CHECK_EQ(f.routes, routes + 1);
	/* Edge and back ends what is in service. */
	write_reg(&f, 0x10 + 24, (uint32_t)X86_IOAPIC_RTE_MASKED | 0x52);
	CHECK(!(read_reg(&f, 0x10 + 24) & X86_IOAPIC_RTE_REMOTE_IRR));
	CHECK(!x86_ioapic_eoi_route(&f.dev, 12, &msg));
}

static void test_message(void)
{
	struct fixture f;

	set_up(&f);
	/* Logical destination 0x81, lowest priority. */
	write_rte(&f, 5, UINT64_C(0x81) << 56 | 1 << 11 | 1 << 8 | 0x61);
	x86_ioapic_set_level(&f.dev, 5, true);
	CHECK_EQ(f.last.address, 0xfee81004);
	CHECK_EQ(f.last.data, 0x4161);
}

/* Vectors below 16 are exceptions: KVM would not take the route. */
static void test_bad_vector(void)
{
	struct fixture f;
	struct msi_message msg;

	set_up(&f);
	write_rte(&f, 7, X86_IOAPIC_RTE_LEVEL | 0x0f);
	CHECK(!x86_ioapic_eoi_route(&f.dev, 7, &msg));
	x86_ioapic_set_level(&f.dev, 24, true); /* no such pin */
	CHECK_EQ(f.dev.lines, 0);
}

const struct test x86_ioapic_tests[] = {
	{ "registers", test_registers },
	{ "edge", test_edge },
	{ "level", test_level },
	{ "level-masked", test_level_masked },
	{ "message", test_message },
	{ "bad-vector", test_bad_vector },
	{ 0 },
};
