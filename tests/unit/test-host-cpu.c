// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/host-cpu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test.h"

static char dir[64];

static void put(const char *node, const char *name, const char *data)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, node);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/%s", dir, node, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, data, strlen(data)) == (ssize_t)strlen(data));
	close(fd);
}

static void setup(void)
{
	strcpy(dir, "/tmp/lkvm-test-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
}

static void teardown(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	CHECK_EQ(system(cmd), 0);
}

/* More nodes than are read at once, the CPU among them anywhere. */
static void test_find(void)
{
	unsigned int fds = test_open_fds();
	struct ppc_host_cpu cpu;
	char name[64], buf[5], guess[2 * PPC_HOST_CPU_PATH_BYTES] = "";

	setup();
	CHECK_EQ(ppc_host_cpu_find(&cpu, dir, NULL, "clock-frequency", buf, sizeof(buf)), -ENOENT);
	for (unsigned int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "a-cache-with-a-rather-long-name@%x", i);
		put(name, "device_type", "cache");
	}
	CHECK_EQ(ppc_host_cpu_find(&cpu, dir, NULL, "clock-frequency", buf, sizeof(buf)), -ENOENT);
	put("PowerPC,e500v2@0", "clock-frequency", "1234");
	put("PowerPC,e500v2@0", "reg", "12345");
	CHECK_EQ(ppc_host_cpu_find(&cpu, dir, NULL, "clock-frequency", buf, sizeof(buf)), 4);
	CHECK_STR(cpu.node, "PowerPC,e500v2@0");
	CHECK(!memcmp(buf, "1234", 4));
	CHECK_EQ(ppc_host_cpu_prop(&cpu, "reg", buf, sizeof(buf)), -EMSGSIZE);
	CHECK_EQ(ppc_host_cpu_prop(&cpu, "ibm,dfp", buf, sizeof(buf)), -ENOENT);
	/* A guess that is right, another, and one that is too long. */
	CHECK_EQ(ppc_host_cpu_find(&cpu, dir, "PowerPC,e500v2@0", "clock-frequency", buf, sizeof(buf)), 4);
	CHECK_STR(cpu.node, "PowerPC,e500v2@0");
	CHECK_EQ(ppc_host_cpu_find(&cpu, dir, "PowerPC,e500mc@0", "clock-frequency", buf, sizeof(buf)), 4);
	CHECK_STR(cpu.node, "PowerPC,e500v2@0");
	memset(guess, 'x', sizeof(guess) - 1);
	CHECK_EQ(ppc_host_cpu_find(&cpu, dir, guess, "clock-frequency", buf, sizeof(buf)), 4);
	/* What has no room is not there. */
	CHECK_EQ(ppc_host_cpu_find(&cpu, dir, NULL, "reg", buf, sizeof(buf)), -ENOENT);
	CHECK_EQ(ppc_host_cpu_find(&cpu, "/nonexistent", "PowerPC,e500v2@0", "reg", buf, sizeof(buf)), -ENOENT);
	CHECK_EQ(test_open_fds(), fds);
	teardown();
}

const struct test host_cpu_tests[] = {
	{ "find", test_find },
	{ 0 },
};
