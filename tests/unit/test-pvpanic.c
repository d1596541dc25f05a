// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/pvpanic.h"

#include "tests/unit/test.h"

static unsigned int nr_events;
static uint8_t last_event;

static void on_event(void *opaque, uint8_t event)
{
	CHECK(opaque == &nr_events);
	nr_events++;
	last_event = event;
}

static void test_events(void)
{
	struct pvpanic pvpanic = { .event = on_event, .opaque = &nr_events };
	const struct bus_window w = {
		.name = "pvpanic", .base = 0x1000, .size_bytes = PVPANIC_BYTES,
		.ops = &pvpanic_bus_ops, .dev = &pvpanic,
	};
	uint8_t data[2] = { 0xee, 0xee };
	struct bus bus;

	nr_events = 0;
	bus_init(&bus, "mmio");
	CHECK_EQ(bus_add(&bus, &w), 0);

	/* What Linux asks before it uses the device. */
	CHECK_EQ(bus_access(&bus, 0x1000, data, 1, false), 0);
	CHECK_EQ(data[0], 7);
	CHECK_EQ(bus_access(&bus, 0x1000, data, 2, false), 0);
	CHECK_EQ(data[0], 7);
	CHECK_EQ(data[1], 0);
	CHECK_EQ(bus_access(&bus, 0x1001, data, 1, false), 0);
	CHECK_EQ(data[0], 0);
	CHECK_EQ(nr_events, 0);

	for (uint8_t event = 1; event < 8; event++) {
		CHECK_EQ(bus_access(&bus, 0x1000, &event, 1, true), 0);
		CHECK_EQ(nr_events, event);
		CHECK_EQ(last_event, event);
	}

	/* Bits that were not offered, no bit, and the second byte mean nothing. */
	nr_events = 0;
	CHECK_EQ(bus_access(&bus, 0x1000, (uint8_t[]){ 0xf8 }, 1, true), 0);
	CHECK_EQ(bus_access(&bus, 0x1000, (uint8_t[]){ 0 }, 1, true), 0);
	CHECK_EQ(bus_access(&bus, 0x1001, (uint8_t[]){ 1 }, 1, true), 0);
	CHECK_EQ(nr_events, 0);
	CHECK_EQ(bus_access(&bus, 0x1000, (uint8_t[]){ 0x81, 0xff }, 2, true), 0);
	CHECK_EQ(nr_events, 1);
	CHECK_EQ(last_event, PVPANIC_PANICKED);

	pvpanic.event = NULL;
	CHECK_EQ(bus_access(&bus, 0x1000, (uint8_t[]){ 1 }, 1, true), 0);
}

const struct test pvpanic_tests[] = {
	{ "events", test_events },
	{ 0 },
};
