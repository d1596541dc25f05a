// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/bus.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"

/* A device that is plain memory, one number per address, and counts what it is asked. */
struct fake {
	uint64_t     offsets[16];
	unsigned int sizes[16];
	uint64_t     values[16];
	unsigned int nr;
	uint64_t     answer;
};

static void fake_note(struct fake *fake, uint64_t offset, unsigned int size, uint64_t value)
{
	if (fake->nr == 16)
		return;
	fake->offsets[fake->nr] = offset;
	fake->sizes[fake->nr] = size;
	fake->values[fake->nr++] = value;
}

static uint64_t fake_read(void *dev, uint64_t offset, unsigned int size)
{
	fake_note(dev, offset, size, 0);
	return ((struct fake *)dev)->answer;
}

static void fake_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	fake_note(dev, offset, size, value);
}

static const struct bus_ops fake_ops = { .read = fake_read, .write = fake_write };

static int add(struct bus *bus, const char *name, uint64_t base, uint64_t size, struct fake *fake)
{
	const struct bus_window w = {
		.name = name, .base = base, .size_bytes = size, .ops = &fake_ops, .dev = fake,
	};

	return bus_add(bus, &w);
}

static void test_sorted(void)
{
	static const uint64_t bases[] = { 0x5000, 0x1000, 0x9000, 0x3000, 0x2000, 0x8000 };
	struct fake fake = { 0 };
	struct bus bus;

	bus_init(&bus, "mmio");
	for (size_t i = 0; i < ARRAY_SIZE(bases); i++)
		CHECK_EQ(add(&bus, "dev", bases[i], 0x1000, &fake), 0);
	CHECK_EQ(bus.nr_windows, 6);
	for (unsigned int i = 1; i < bus.nr_windows; i++)
		CHECK(bus.windows[i - 1].base < bus.windows[i].base);
	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		CHECK_EQ(bus_find(&bus, bases[i])->base, bases[i]);
		CHECK_EQ(bus_find(&bus, bases[i] + 0xfff)->base, bases[i]);
	}
	CHECK(!bus_find(&bus, 0xfff));
	CHECK(!bus_find(&bus, 0x4000));
	CHECK(!bus_find(&bus, 0xa000));
	CHECK(!bus_find(&bus, UINT64_MAX));
}

static void test_overlap(void)
{
	struct fake fake = { 0 };
	struct bus bus;
	const char *text;

	bus_init(&bus, "mmio");
	CHECK_EQ(add(&bus, "first", 0x1000, 0x1000, &fake), 0);
	test_stderr_begin();
	CHECK_EQ(add(&bus, "second", 0x1fff, 1, &fake), -EEXIST);
	text = test_stderr_end();
	CHECK(strstr(text, "first") && strstr(text, "second") && strstr(text, "0x1fff"));
	CHECK(strchr(text, '\n') == text + strlen(text) - 1);

	test_stderr_begin();
	CHECK_EQ(add(&bus, "same", 0x1000, 0x1000, &fake), -EEXIST);
	CHECK_EQ(add(&bus, "into", 0x800, 0x801, &fake), -EEXIST);
	CHECK_EQ(add(&bus, "around", 0, 0x10000, &fake), -EEXIST);
	CHECK_EQ(add(&bus, "within", 0x1800, 8, &fake), -EEXIST);
	(void)test_stderr_end();
	/* Touching is not overlapping. */
	CHECK_EQ(add(&bus, "before", 0x800, 0x800, &fake), 0);
	CHECK_EQ(add(&bus, "after", 0x2000, 1, &fake), 0);
	CHECK_EQ(bus.nr_windows, 3);
}

static void test_impossible(void)
{
	struct fake fake = { 0 };
	struct bus bus;

	bus_init(&bus, "mmio");
	test_stderr_begin();
	CHECK_EQ(add(&bus, "empty", 0x1000, 0, &fake), -EINVAL);
	CHECK_EQ(add(&bus, "wraps", UINT64_MAX, 2, &fake), -EINVAL);
	CHECK_EQ(add(&bus, "wraps", 0x1000, UINT64_MAX, &fake), -EINVAL);
	(void)test_stderr_end();
	CHECK_EQ(bus.nr_windows, 0);
}

static void test_top(void)
{
	struct fake fake = { .answer = 0x11 };
	uint8_t data[8] = { 0 };
	struct bus bus;

	bus_init(&bus, "mmio");
	CHECK_EQ(add(&bus, "top", UINT64_MAX - 0xfff, 0x1000, &fake), 0);
	CHECK(bus_find(&bus, UINT64_MAX));
	CHECK_EQ(bus_access(&bus, UINT64_MAX, data, 1, false), 0);
	CHECK_EQ(data[0], 0x11);
	CHECK_EQ(bus_access(&bus, UINT64_MAX, data, 2, false), -ENOENT);
	CHECK_EQ(bus_access(&bus, UINT64_MAX - 7, data, 8, false), 0);
	test_stderr_begin();
	CHECK_EQ(add(&bus, "more", UINT64_MAX, 1, &fake), -EEXIST);
	(void)test_stderr_end();
	CHECK_EQ(add(&bus, "bottom", 0, 0x1000, &fake), 0);
	CHECK(bus_find(&bus, 0));
}

static void test_full(void)
{
	struct fake fake = { 0 };
	struct bus bus;

	bus_init(&bus, "pio");
	for (unsigned int i = 0; i < BUS_MAX_WINDOWS; i++)
		CHECK_EQ(add(&bus, "dev", i * 8, 8, &fake), 0);
	test_stderr_begin();
	CHECK_EQ(add(&bus, "last", 0x10000, 8, &fake), -ENOSPC);
	CHECK(strstr(test_stderr_end(), "last"));
	CHECK_EQ(bus.nr_windows, BUS_MAX_WINDOWS);
	for (unsigned int i = 0; i < BUS_MAX_WINDOWS * 8; i++)
		CHECK_EQ(bus_find(&bus, i)->base, i / 8 * 8);
}

static void test_byte_order(void)
{
	static const unsigned int sizes[] = { 1, 2, 4, 8 };
	static const uint64_t little[] = { 0x11, 0x2211, 0x44332211, 0x8877665544332211 };
	static const uint64_t big[] = { 0x11, 0x1122, 0x11223344, 0x1122334455667788 };
	static const uint8_t bytes[8] = { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88 };

	for (int be = 0; be < 2; be++) {
		const uint64_t *want = be ? big : little;
		struct fake fake = { 0 };
		const struct bus_window w = {
			.name = "dev", .base = 0x1000, .size_bytes = 0x100, .ops = &fake_ops,
			.dev = &fake, .big_endian = be,
		};
		struct bus bus;

		bus_init(&bus, "mmio");
		CHECK_EQ(bus_add(&bus, &w), 0);
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			uint8_t data[8];

			fake.nr = 0;
			memcpy(data, bytes, sizeof(data));
			CHECK_EQ(bus_access(&bus, 0x1040, data, sizes[i], true), 0);
			CHECK_EQ(fake.nr, 1);
			CHECK_EQ(fake.offsets[0], 0x40);
			CHECK_EQ(fake.sizes[0], sizes[i]);
			CHECK_EQ(fake.values[0], want[i]);
			CHECK(!memcmp(data, bytes, sizeof(data)));

			fake.answer = want[i];
			memset(data, 0xee, sizeof(data));
			CHECK_EQ(bus_access(&bus, 0x1040, data, sizes[i], false), 0);
			CHECK(!memcmp(data, bytes, sizes[i]));
			for (unsigned int j = sizes[i]; j < 8; j++)
				CHECK_EQ(data[j], 0xee);
		}
	}
}

/* Bits of an answer beyond the size asked for are the device's mistake, not the guest's value. */
static void test_wide_answer(void)
{
	struct fake fake = { .answer = UINT64_MAX };
	uint8_t data[8] = { 0 };
	struct bus bus;

	bus_init(&bus, "mmio");
	CHECK_EQ(add(&bus, "dev", 0, 16, &fake), 0);
	CHECK_EQ(bus_access(&bus, 0, data, 2, false), 0);
	CHECK_EQ(data[1], 0xff);
	CHECK_EQ(data[2], 0);
}

static void test_split(void)
{
	/* Every length at every offset: legal pieces, naturally aligned, in order, nothing left out. */
	for (uint64_t offset = 0; offset < 8; offset++) {
		for (unsigned int len = 1; len <= 8; len++) {
			uint8_t data[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
			struct fake fake = { 0 };
			uint64_t at = offset;
			struct bus bus;

			bus_init(&bus, "mmio");
			CHECK_EQ(add(&bus, "dev", 0x1000, 16, &fake), 0);
			CHECK_EQ(bus_access(&bus, 0x1000 + offset, data, len, true), 0);
			for (unsigned int i = 0; i < fake.nr; i++) {
				CHECK_EQ(fake.offsets[i], at);
				CHECK(is_power_of_two(fake.sizes[i]) && fake.sizes[i] <= 8);
				CHECK_EQ(at % fake.sizes[i], 0);
				CHECK_EQ(fake.values[i] & 0xff, at - offset + 1);
				at += fake.sizes[i];
			}
			CHECK_EQ(at, offset + len);
		}
	}
}

static void test_unclaimed(void)
{
	struct fake fake = { 0 };
	uint8_t data[8] = { 0 };
	struct bus bus;

	bus_init(&bus, "mmio");
	CHECK_EQ(bus_access(&bus, 0, data, 8, false), -ENOENT);
	CHECK_EQ(add(&bus, "dev", 0x1000, 8, &fake), 0);
	CHECK_EQ(add(&bus, "next", 0x1008, 8, &fake), 0);

	memset(data, 0, sizeof(data));
	CHECK_EQ(bus_access(&bus, 0x2000, data, 4, false), -ENOENT);
	CHECK(!memcmp(data, "\xff\xff\xff\xff\0\0\0\0", 8));
	memset(data, 0, sizeof(data));
	CHECK_EQ(bus_access(&bus, 0x2000, data, 4, true), -ENOENT);
	CHECK(!memcmp(data, "\0\0\0\0\0\0\0\0", 8));

	/* Across two windows: neither is touched. */
	CHECK_EQ(bus_access(&bus, 0x1004, data, 8, false), -ENOENT);
	CHECK_EQ(bus_access(&bus, 0x1004, data, 8, true), -ENOENT);
	CHECK_EQ(bus_access(&bus, 0xffc, data, 8, true), -ENOENT);
	CHECK_EQ(bus_access(&bus, 0x100c, data, 8, true), -ENOENT);
	CHECK_EQ(fake.nr, 0);
}

const struct test bus_tests[] = {
	{ "sorted", test_sorted },
	{ "overlap", test_overlap },
	{ "impossible", test_impossible },
	{ "top", test_top },
	{ "full", test_full },
	{ "byte-order", test_byte_order },
	{ "wide-answer", test_wide_answer },
	{ "split", test_split },
	{ "unclaimed", test_unclaimed },
	{ 0 },
};
