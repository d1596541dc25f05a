// SPDX-License-Identifier: GPL-2.0-only
#include "arm/pmu.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lkvm/cpulist.h"

/* The text of attribute @name of PMU @pmu in @dir_fd. Returns 0 or -errno. */
static int read_attr(int dir_fd, const char *pmu, const char *name, char *buf, size_t size)
{
	char path[512];
	ssize_t n;
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", pmu, name) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		n = -errno;
	else
		buf[n] = '\0';
	close(fd);
	return n < 0 ? (int)n : 0;
}

static int read_type(int dir_fd, const char *pmu, int *type)
{
	char text[64], *end;
	long v;
	int ret = read_attr(dir_fd, pmu, "type", text, sizeof(text));

	if (ret)
		return ret;
	v = strtol(text, &end, 10);
	if (end == text || v < 0 || v > INT32_MAX)
		return -EINVAL;
	*type = (int)v;
	return 0;
}

/*
 * The CPUs that @pmu serves. Only the PMUs of CPUs have "cpus" (drivers/perf/arm_pmu.c); others
 * have "cpumask".
 */
static bool read_cpus(int dir_fd, const char *pmu, cpu_set_t *cpus)
{
	char text[4096];

	return !read_attr(dir_fd, pmu, "cpus", text, sizeof(text)) && !cpulist_parse(text, cpus);
}

/* All of @cpus; NULL: any. */
static bool serves(int dir_fd, const char *pmu, const cpu_set_t *cpus, int *type)
{
	cpu_set_t has, both;

	if (!read_cpus(dir_fd, pmu, &has))
		return false;
	if (cpus) {
		CPU_AND(&both, &has, cpus);
		if (!CPU_EQUAL(&both, cpus))
			return false;
	}
	return !read_type(dir_fd, pmu, type);
}

static int find(const char *dir, const cpu_set_t *cpus, int *type)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	bool found = false;

	if (!d)
		return -errno;
	while (!found && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			found = serves(dirfd(d), entry->d_name, cpus, type);
	closedir(d);
	return found ? 0 : -ENOENT;
}

int arm_pmu_find(const char *dir, const cpu_set_t *cpus, int *type)
{
	return find(dir, cpus, type);
}

bool arm_pmu_exists(const char *dir)
{
	int type;

	return !find(dir, NULL, &type);
}

int arm_pmu_by_name(const char *dir, const char *name, int *type)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cpu_set_t cpus;
	int ret;

	if (fd < 0)
		return -errno;
	ret = read_cpus(fd, name, &cpus) ? read_type(fd, name, type) : -ENOENT;
	close(fd);
	return ret;
}

/* reset_unknown() in Linux arch/arm64/kvm/sys_regs.h; the parts of it that the registers have. */
#define RESET_PATTERN UINT64_C(0x1de7ec7edbadc0de)

bool arm_pmu_event_unset(uint64_t event, uint64_t value)
{
	return (uint16_t)event == (uint16_t)RESET_PATTERN || value == (uint32_t)RESET_PATTERN;
}

bool arm_pmu_cycles_unset(uint64_t value)
{
	return value >> 32 == RESET_PATTERN >> 32;
}
