// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/host-cpu.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/cpus-util.h"

/* More nodes than are read at once, the CPU among them anywhere. */
static void test_find(void)
{
	unsigned int fds = test_open_fds();
	struct ppc_host_cpu cpu;
	char name[64], buf[5], guess[2 * PPC_HOST_CPU_PATH_BYTES] = "";

	cpus_setup();
	CHECK_EQ(ppc_host_cpu_find(&cpu, cpus_dir, NULL, "clock-frequency", buf, sizeof(buf)), -ENOENT);
	for (unsigned int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "a-cache-with-a-rather-long-name@%x", i);
		cpus_put(name, "device_type", "cache", 5);
	}
	CHECK_EQ(ppc_host_cpu_find(&cpu, cpus_dir, NULL, "clock-frequency", buf, sizeof(buf)), -ENOENT);
	cpus_put("PowerPC,e500v2@0", "clock-frequency", "1234", 4);
	cpus_put("PowerPC,e500v2@0", "reg", "12345", 5);
	CHECK_EQ(ppc_host_cpu_find(&cpu, cpus_dir, NULL, "clock-frequency", buf, sizeof(buf)), 4);
	CHECK_STR(cpu.node, "PowerPC,e500v2@0");
	CHECK(!memcmp(buf, "1234", 4));
	CHECK_EQ(ppc_host_cpu_prop(&cpu, "reg", buf, sizeof(buf)), -EMSGSIZE);
	CHECK_EQ(ppc_host_cpu_prop(&cpu, "ibm,dfp", buf, sizeof(buf)), -ENOENT);
	/* A guess that is right, another, and one that is too long. */
	CHECK_EQ(ppc_host_cpu_find(&cpu, cpus_dir, "PowerPC,e500v2@0", "clock-frequency", buf, sizeof(buf)), 4);
	CHECK_STR(cpu.node, "PowerPC,e500v2@0");
	CHECK_EQ(ppc_host_cpu_find(&cpu, cpus_dir, "PowerPC,e500mc@0", "clock-frequency", buf, sizeof(buf)), 4);
	CHECK_STR(cpu.node, "PowerPC,e500v2@0");
	memset(guess, 'x', sizeof(guess) - 1);
	CHECK_EQ(ppc_host_cpu_find(&cpu, cpus_dir, guess, "clock-frequency", buf, sizeof(buf)), 4);
	/* What has no room is not there. */
	CHECK_EQ(ppc_host_cpu_find(&cpu, cpus_dir, NULL, "reg", buf, sizeof(buf)), -ENOENT);
	CHECK_EQ(ppc_host_cpu_find(&cpu, "/nonexistent", "PowerPC,e500v2@0", "reg", buf, sizeof(buf)), -ENOENT);
	CHECK_EQ(test_open_fds(), fds);
	cpus_teardown();
}

const struct test host_cpu_tests[] = {
	{ "find", test_find },
	{ 0 },
};
