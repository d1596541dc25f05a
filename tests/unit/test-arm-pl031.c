// SPDX-License-Identifier: GPL-2.0-only
#include "arm/pl031.h"

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/test.h"

struct fixture {
	struct arm_pl031 *rtc;
	struct loop      *loop;
	_Atomic unsigned int level, rises;
	int fds;
};

static void set_level(void *chip, uint32_t irq, bool level)
{
	struct fixture *f = chip;

	CHECK_EQ(irq, 2);
	if (level && !f->level)
		f->rises++;
	f->level = level;
}

static void setup(struct fixture *f, bool alarms)
{
	static const struct irq_chip_ops ops = { .set_level = set_level };
	const struct irq_line line = { .ops = &ops, .chip = f, .irq = 2 };

	*f = (struct fixture){ .fds = test_open_fds() };
	if (alarms)
		CHECK_EQ(loop_create(&f->loop), 0);
	CHECK_EQ(arm_pl031_create(&f->rtc, f->loop, &line), 0);
	CHECK_EQ(arm_pl031_device_ops.start(f->rtc), 0);
	if (alarms)
		CHECK_EQ(loop_start(f->loop, "test"), 0);
}

static void teardown(struct fixture *f)
{
	if (f->loop)
		loop_stop(f->loop);
	arm_pl031_device_ops.stop(f->rtc);
	arm_pl031_device_ops.destroy(f->rtc);
	loop_destroy(f->loop);
	CHECK_EQ(test_open_fds(), f->fds);
}

static uint32_t get(struct fixture *f, uint64_t offset)
{
	return (uint32_t)arm_pl031_bus_ops.read(f->rtc, offset, 4);
}

static void put(struct fixture *f, uint64_t offset, uint64_t v)
{
	arm_pl031_bus_ops.write(f->rtc, offset, 4, v);
}

/* Two readings of a clock, at most a few seconds apart on a busy machine. */
static bool soon_after(uint32_t later, uint32_t earlier)
{
	return later - earlier < 30;
}

static void test_time(void)
{
	struct fixture f;

	setup(&f, false);
	CHECK(soon_after(get(&f, 0), (uint32_t)time(NULL)));
	CHECK_EQ(get(&f, 0xc), 1);
	/* Setting it moves the guest's time, not the host's. */
	put(&f, 8, 1000000);
	CHECK(soon_after(get(&f, 0), 1000000));
	CHECK_EQ(get(&f, 8), 1000000);
	/* The data and status registers can't be written, nor can the clock be stopped. */
	put(&f, 0, 5);
	put(&f, 0xc, 0);
	put(&f, 0x14, 1);
	put(&f, 0x18, 1);
	CHECK(soon_after(get(&f, 0), 1000000));
	CHECK_EQ(get(&f, 0xc), 1);
	CHECK_EQ(get(&f, 0x14), 0);
	/* 32 bits of seconds: it rolls over in 2106. */
	put(&f, 8, UINT32_MAX);
	CHECK(soon_after(get(&f, 0), UINT32_MAX));
	/* Without a loop an alarm never comes. */
	put(&f, 4, get(&f, 0));
	put(&f, 0x10, 1);
	CHECK_EQ(f.level, 0);
	teardown(&f);
}

/* Linux's AMBA bus reads these to find the driver: part 031, designer Arm, and the PrimeCell magic. */
static void test_id(void)
{
	static const uint8_t want[] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
	struct fixture f;

	setup(&f, false);
	for (unsigned int i = 0; i < 8; i++)
		CHECK_EQ(get(&f, 0xfe0 + 4 * i), want[i]);
	CHECK_EQ(get(&f, 0xfdc), 0);
	CHECK_EQ(get(&f, 0x20), 0);
	CHECK_EQ(arm_pl031_bus_ops.read(f.rtc, 0xfe1, 1), 0);
	teardown(&f);
}

static bool comes(struct fixture *f, uint64_t offset, uint32_t v)
{
	for (int i = 0; i < 2000; i++) {
		if (get(f, offset) == v)
			return true;
		usleep(10000);
	}
	return false;
}

static void test_alarm(void)
{
	struct fixture f;

	setup(&f, true);
	/* Masked: seen in the raw status only. */
	put(&f, 4, get(&f, 0) + 1);
	CHECK(comes(&f, 0x14, 1));
	CHECK_EQ(get(&f, 0x18), 0);
	CHECK_EQ(f.level, 0);
	put(&f, 0x10, 1);
	CHECK_EQ(get(&f, 0x18), 1);
	CHECK_EQ(f.level, 1);
	put(&f, 0x1c, 0);
	CHECK_EQ(f.level, 1);
	put(&f, 0x1c, 1);
	CHECK_EQ(f.level, 0);
	CHECK_EQ(get(&f, 0x14), 0);
	/* This very second, and a time that is set to just before the alarm. */
	put(&f, 4, get(&f, 0));
	CHECK(comes(&f, 0x18, 1));
	CHECK_EQ(f.level, 1);
	put(&f, 0x1c, 1);
	put(&f, 4, 5000);
	CHECK_EQ(get(&f, 0x14), 0);
	put(&f, 8, 4999);
	CHECK(comes(&f, 0x18, 1));
	CHECK_EQ(f.rises, 3);
	teardown(&f);
}

/* An alarm in the past does not go off, nor does one that was moved away. */
static void test_no_alarm(void)
{
	struct fixture f;

	setup(&f, true);
	put(&f, 0x10, 1);
	put(&f, 4, get(&f, 0) - 10);
	usleep(50000);
	CHECK_EQ(get(&f, 0x14), 0);
	put(&f, 4, get(&f, 0) + 1);
	put(&f, 4, get(&f, 0) + 1000);
	usleep(1200000);
	CHECK_EQ(get(&f, 0x14), 0);
	CHECK_EQ(f.rises, 0);
	teardown(&f);
}

const struct test arm_pl031_tests[] = {
	{ "time", test_time },
	{ "id", test_id },
	{ "alarm", test_alarm },
	{ "no_alarm", test_no_alarm },
	{ 0 },
};
