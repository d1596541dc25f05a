/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests: a host's /proc/device-tree/cpus, as a directory of its own. */
#ifndef TESTS_UNIT_CPUS_UTIL_H
#define TESTS_UNIT_CPUS_UTIL_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test.h"

static char cpus_dir[64];

static inline void cpus_put(const char *node, const char *name, const void *data, size_t len)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", cpus_dir, node);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/%s", cpus_dir, node, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	close(fd);
}

static inline void cpus_setup(void)
{
	strcpy(cpus_dir, "/tmp/lkvm-test-XXXXXX");
	CHECK(mkdtemp(cpus_dir) != NULL);
}

static inline void cpus_teardown(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", cpus_dir);
	CHECK_EQ(system(cmd), 0);
}

#endif
