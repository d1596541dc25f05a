// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/place.h"

#include <errno.h>

#include "tests/unit/image-util.h"
#include "tests/unit/test.h"

static int reserve(struct place *p, const char *name, gpa_t gpa, uint64_t size)
{
	int ret;

	test_stderr_begin();
	ret = place_reserve(p, name, gpa, size);
	snprintf(util_log, sizeof(util_log), "%s", test_stderr_end());
	return ret;
}

static void test_reserve(void)
{
	struct machine m = util_machine(0x80000000, MIB(16));
	struct place p;

	m.nr_ram = 2;
	m.ram[1].base = 0x80000000 + MIB(16);
	m.ram[1].size_bytes = MIB(16);
	place_init(&p, &m);
	CHECK_EQ(reserve(&p, "kernel", 0x80200000, MIB(4)), 0);
	CHECK_EQ(reserve(&p, "fdt", 0x80000000, 0x1000), 0);
	CHECK_EQ(p.nr_taken, 2);
	CHECK_STR(p.taken[0].name, "fdt");
	CHECK_STR(p.taken[1].name, "kernel");

	CHECK_EQ(reserve(&p, "initrd", 0x80200000 + MIB(4) - 1, 1), -EEXIST);
	CHECK(util_said("initrd at 0x805fffff-0x805fffff would overlap the kernel at 0x80200000-0x805fffff"));
	CHECK_EQ(reserve(&p, "initrd", 0x80100000, MIB(8)), -EEXIST);
	CHECK_EQ(reserve(&p, "initrd", 0x80300000, 1), -EEXIST);
	/* The bytes next to it are free. */
	CHECK_EQ(reserve(&p, "a", 0x80200000 + MIB(4), 1), 0);
	CHECK_EQ(reserve(&p, "b", 0x80200000 - 1, 1), 0);

	CHECK_EQ(reserve(&p, "big", 0x80000000, MIB(64)), -EFAULT);
	CHECK(util_said("big wants 64 MiB at 0x80000000"));
	CHECK(util_said("32 MiB of RAM"));
	CHECK(util_said("(-m)"));
	/* Not across two ranges, even though they touch. */
	CHECK_EQ(reserve(&p, "c", 0x80000000 + MIB(16) - 1, 2), -EFAULT);
	CHECK_EQ(reserve(&p, "d", 0x7fffffff, 2), -EFAULT);
	CHECK_EQ(reserve(&p, "e", UINT64_MAX, 1), -EFAULT);
	CHECK_EQ(reserve(&p, "f", 0x80000000, UINT64_MAX), -EFAULT);
	CHECK_EQ(reserve(&p, "nothing", 0, 0), 0);
	CHECK_EQ(p.nr_taken, 4);

	for (unsigned int i = p.nr_taken; i < PLACE_MAX; i++)
		CHECK_EQ(reserve(&p, "x", 0x80000000 + MIB(16) + i, 1), 0);
	CHECK_EQ(reserve(&p, "last", 0x80000000 + MIB(20), 1), -ENOSPC);
	CHECK(util_said("last"));
	for (unsigned int i = 1; i < p.nr_taken; i++)
		CHECK(p.taken[i - 1].gpa < p.taken[i].gpa);
}

static void test_find(void)
{
	struct machine m = util_machine(0x80000000, MIB(16));
	struct place p;
	gpa_t at = 1;

	place_init(&p, &m);
	CHECK_EQ(place_find(&p, "a", MIB(1), 0x1000, 0, 0, true, &at), 0);
	CHECK_EQ(at, 0x80f00000);
	CHECK_EQ(place_find(&p, "b", 1, 0x1000, 0, 0, false, &at), 0);
	CHECK_EQ(at, 0x80000000);
	CHECK_EQ(place_find(&p, "c", 0x1000, MIB(2), 0, 0, false, &at), 0);
	CHECK_EQ(at, 0x80200000);
	CHECK_EQ(place_find(&p, "d", 0x1000, MIB(2), 0, 0, true, &at), 0);
	CHECK_EQ(at, 0x80e00000);
	/* Bounds: low inclusive, high exclusive. */
	CHECK_EQ(place_find(&p, "e", 0x1000, 0x1000, 0x80400000, 0x80401000, true, &at), 0);
	CHECK_EQ(at, 0x80400000);
	CHECK_EQ(place_find(&p, "f", 0x1000, 0x1000, 0x80400000, 0x80401000, false, &at), -ENOMEM);
	CHECK_EQ(place_find(&p, "g", 0x1001, 0x1000, 0x80500000, 0x80501000, false, &at), -ENOMEM);
	CHECK_EQ(place_find(&p, "h", 0x1000, 0x1000, 0x80500001, 0x80501fff, false, &at), -ENOMEM);
	CHECK_EQ(at, 0x80400000);
	/* Gaps between taken things, exactly filled. */
	CHECK_EQ(place_find(&p, "i", MIB(16), 1, 0, 0, false, &at), -ENOMEM);
	CHECK_EQ(place_find(&p, "j", MIB(2) - 0x1000, 0x1000, 0, 0x80400000, true, &at), 0);
	CHECK_EQ(at, 0x80201000);
	CHECK_EQ(place_find(&p, "k", MIB(2) - 1, 1, 0, 0x80200000, true, &at), 0);
	CHECK_EQ(at, 0x80000001);
	CHECK_EQ(place_find(&p, "l", 1, 1, 0, 0x80200000, true, &at), -ENOMEM);
	CHECK_EQ(place_find(&p, "m", UINT64_MAX, 1, 0, 0, true, &at), -ENOMEM);
	CHECK_EQ(place_find(&p, "n", 1, UINT64_C(1) << 63, 0, 0, true, &at), -ENOMEM);
	CHECK_EQ(place_find(&p, "o", 1, UINT64_C(1) << 63, 0, 0, false, &at), -ENOMEM);
}

static void test_find_two_ranges(void)
{
	struct machine m = util_machine(0, GIB(3));
	struct place p;
	gpa_t at;

	m.nr_ram = 2;
	m.ram[1].base = GIB(4);
	m.ram[1].size_bytes = GIB(1);
	place_init(&p, &m);
	CHECK_EQ(place_find(&p, "a", MIB(1), 0x1000, 0, 0, true, &at), 0);
	CHECK_EQ(at, GIB(5) - MIB(1));
	CHECK_EQ(place_find(&p, "b", MIB(1), 0x1000, 0, GIB(4), true, &at), 0);
	CHECK_EQ(at, GIB(3) - MIB(1));
	/* The limit lies in the hole, or in the upper range. */
	CHECK_EQ(place_find(&p, "c", MIB(1), 0x1000, 0, GIB(3) + MIB(5), true, &at), 0);
	CHECK_EQ(at, GIB(3) - MIB(2));
	CHECK_EQ(place_find(&p, "d", MIB(1), 0x1000, 0, GIB(4) + MIB(1), true, &at), 0);
	CHECK_EQ(at, GIB(4));
	CHECK_EQ(place_find(&p, "e", MIB(1), 0x1000, MIB(1), 0, false, &at), 0);
	CHECK_EQ(at, MIB(1));
	CHECK_EQ(place_find(&p, "f", GIB(2), 0x1000, 0, 0, true, &at), 0);
	CHECK_EQ(at, GIB(1) - MIB(2));
}

/* At the end of the address space sums wrap if written carelessly. */
static void test_top(void)
{
	struct machine m = util_machine(UINT64_MAX - MIB(1), MIB(1));
	struct place p;
	gpa_t at = 0;

	place_init(&p, &m);
	CHECK_EQ(place_find(&p, "a", 0x1000, 1, 0, 0, true, &at), 0);
	CHECK_EQ(at, UINT64_MAX - 0x1000);
	CHECK_EQ(place_find(&p, "b", MIB(1), 1, 0, 0, true, &at), -ENOMEM);
	CHECK_EQ(reserve(&p, "c", UINT64_MAX - 0x1000, 0x1000), -EEXIST);
	CHECK_EQ(reserve(&p, "d", UINT64_MAX - 0x1000, 0x1001), -EFAULT);
}

static void test_find_full(void)
{
	struct machine m = util_machine(0, MIB(16));
	struct place p;
	gpa_t at = 5;

	place_init(&p, &m);
	for (unsigned int i = 0; i < PLACE_MAX; i++)
		CHECK_EQ(place_find(&p, "x", 10, 0x1000, 0, 0, i & 1, &at), 0);
	at = 5;
	CHECK_EQ(place_find(&p, "x", 10, 0x1000, 0, 0, true, &at), -ENOMEM);
	CHECK_EQ(at, 5);
}

const struct test place_tests[] = {
	{ "reserve", test_reserve },
	{ "find", test_find },
	{ "find_two_ranges", test_find_two_ranges },
	{ "top", test_top },
	{ "find_full", test_find_full },
	{ 0 },
};
