// SPDX-License-Identifier: GPL-2.0-only
#include "arm/v2m.h"

#include <errno.h>

#include "tests/unit/test.h"

struct fixture {
	struct arm_v2m v2m;
	unsigned int   raised;
	uint32_t       last;
	int            ret;
};

static int raise_id(void *ctx, uint32_t id)
{
	struct fixture *f = ctx;

	f->raised++;
	f->last = id;
	return f->ret;
}

static void setup(struct fixture *f)
{
	*f = (struct fixture){ .v2m = { .first_id = 96, .nr = 128, .raise = raise_id, .ctx = f } };
}

static void test_typer(void)
{
	struct fixture f;

	setup(&f);
	/* First id in bits 25:16, number in bits 9:0. */
	CHECK_EQ(arm_v2m_bus_ops.read(&f.v2m, 8, 4), 96 << 16 | 128);
	CHECK_EQ(arm_v2m_bus_ops.read(&f.v2m, 0xfcc, 4), 0);
	CHECK_EQ(arm_v2m_bus_ops.read(&f.v2m, 0x40, 4), 0);
	CHECK_EQ(arm_v2m_bus_ops.read(&f.v2m, 0xffc, 4), 0);
}

static void test_send(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(arm_v2m_send(&f.v2m, 0x40, 96), 0);
	CHECK_EQ(f.last, 96);
	CHECK_EQ(arm_v2m_send(&f.v2m, 0x40, 223), 0);
	CHECK_EQ(f.last, 223);
	f.ret = -EIO;
	CHECK_EQ(arm_v2m_send(&f.v2m, 0x40, 100), -EIO);
	CHECK_EQ(f.raised, 3);
}

/* What a guest programs wrongly raises nothing: not other devices' lines, least of all. */
static void test_strays(void)
{
	static const uint32_t ids[] = { 0, 27, 33, 95, 224, 0x80000060, UINT32_MAX };
	struct fixture f;

	setup(&f);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		CHECK_EQ(arm_v2m_send(&f.v2m, 0x40, ids[i]), -EINVAL);
	CHECK_EQ(arm_v2m_send(&f.v2m, 0x44, 96), -EINVAL);
	CHECK_EQ(arm_v2m_send(&f.v2m, 0, 96), -EINVAL);
	CHECK_EQ(arm_v2m_send(&f.v2m, UINT64_C(0x100000040), 96), -EINVAL);
	CHECK_EQ(f.raised, 0);
}

static void test_cpu_write(void)
{
	struct fixture f;

	setup(&f);
	arm_v2m_bus_ops.write(&f.v2m, 0x40, 4, 100);
	CHECK_EQ(f.raised, 1);
	CHECK_EQ(f.last, 100);
	arm_v2m_bus_ops.write(&f.v2m, 0x40, 4, 0);
	arm_v2m_bus_ops.write(&f.v2m, 8, 4, 100);
	CHECK_EQ(f.raised, 1);
}

const struct test arm_v2m_tests[] = {
	{ "typer", test_typer },
	{ "send", test_send },
	{ "strays", test_strays },
	{ "cpu_write", test_cpu_write },
	{ 0 },
};
