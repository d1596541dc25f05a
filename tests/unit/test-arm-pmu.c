// SPDX-License-Identifier: GPL-2.0-only
#include "arm/pmu.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lkvm/cpulist.h"
#include "tests/unit/test.h"

static char dir[64];

static void put(const char *pmu, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, pmu);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%s", dir, pmu, name);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0)
		test_skip("no temporary files here");
	fclose(f);
}

/* A host with two kinds of CPUs, as sysfs shows it. */
static void setup(void)
{
	strcpy(dir, "/tmp/lkvm-pmu-XXXXXX");
	if (!mkdtemp(dir))
		test_skip("no temporary files here");
	put("software", "type", "1\n");
	put("arm_cspmu_0", "type", "9\n");
	put("arm_cspmu_0", "cpumask", "0\n");
	put("armv8_cortex_a53", "type", "7\n");
	put("armv8_cortex_a53", "cpus", "0-3\n");
	put("armv8_cortex_a72", "type", "8\n");
	put("armv8_cortex_a72", "cpus", "4-5\n");
	put("broken_1", "cpus", "0-5\n");
	put("broken_2", "cpus", "0-5\n");
	put("broken_2", "type", "x\n");
	put("broken_3", "type", "12\n");
	put("broken_3", "cpus", "many\n");
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void teardown(void)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int find(const char *cpus, int *type)
{
	cpu_set_t set;

	CHECK_EQ(cpulist_parse(cpus, &set), 0);
	*type = -1;
	return arm_pmu_find(dir, &set, type);
}

static void test_kinds(void)
{
	int type;

	setup();
	CHECK_EQ(find("0-3", &type), 0);
	CHECK_EQ(type, 7);
	CHECK_EQ(find("2", &type), 0);
	CHECK_EQ(type, 7);
	CHECK_EQ(find("5", &type), 0);
	CHECK_EQ(type, 8);
	CHECK_EQ(find("4,5", &type), 0);
	CHECK_EQ(type, 8);
	/* CPUs of both kinds, and CPUs without. */
	CHECK_EQ(find("3-4", &type), -ENOENT);
	CHECK_EQ(find("6", &type), -ENOENT);
	CHECK_EQ(find("0-6", &type), -ENOENT);
	CHECK_EQ(type, -1);
	teardown();
}

static void test_nowhere(void)
{
	cpu_set_t set;
	int type = -1;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	CHECK_EQ(arm_pmu_find("/no/such/directory", &set, &type), -ENOENT);
	CHECK_EQ(type, -1);
}

static void test_name(void)
{
	int type = -1;

	setup();
	CHECK_EQ(arm_pmu_by_name(dir, "armv8_cortex_a72", &type), 0);
	CHECK_EQ(type, 8);
	CHECK_EQ(arm_pmu_by_name(dir, "software", &type), -ENOENT);
	CHECK_EQ(arm_pmu_by_name(dir, "nothing", &type), -ENOENT);
	CHECK_EQ(arm_pmu_by_name(dir, "broken_2", &type), -EINVAL);
	CHECK(arm_pmu_exists(dir));
	teardown();
	CHECK_EQ(arm_pmu_by_name(dir, "armv8_cortex_a72", &type), -ENOENT);
	CHECK(!arm_pmu_exists(dir));
}

/* What KVM leaves in registers that no guest has written, and what guests have in them. */
static void test_unset(void)
{
	CHECK(arm_pmu_event_unset(0xc0de, 0xdbadc0de));
	CHECK(arm_pmu_event_unset(0x1badc0de, 0xdbadc0de + 77)); /* counts, but nobody said what */
	CHECK(arm_pmu_event_unset(0x11, 0xdbadc0de));
	CHECK(!arm_pmu_event_unset(0x11, 0));
	CHECK(!arm_pmu_event_unset(0x11, 0xdbadc0df));
	CHECK(!arm_pmu_event_unset(0x11, UINT64_C(0x1dbadc0de)));
	CHECK(arm_pmu_cycles_unset(UINT64_C(0x1de7ec7edbadc0de)));
	CHECK(arm_pmu_cycles_unset(UINT64_C(0x1de7ec7edbadc0de) + 1538923));
	CHECK(!arm_pmu_cycles_unset(0xdbadc0de));
	CHECK(!arm_pmu_cycles_unset(0));
}

const struct test arm_pmu_tests[] = {
	{ "unset", test_unset },
	{ "kinds", test_kinds },
	{ "nowhere", test_nowhere },
	{ "name", test_name },
	{ 0 },
};
