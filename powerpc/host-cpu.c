// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/host-cpu.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int ppc_host_cpu_prop(const struct ppc_host_cpu *cpu, const char *name, void *buf, size_t size)
{
	char path[sizeof(cpu->node) + 64];
	ssize_t n;
	int fd;

	stpcpy(stpcpy(stpcpy(path, cpu->node), "/"), name);
	fd = openat(cpu->cpus_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, size);
	if (n < 0)
		n = -errno;
	else if ((size_t)n == size)
		n = -EMSGSIZE;
	close(fd);
	return (int)n;
}

int ppc_host_cpu_find(struct ppc_host_cpu *cpu, const char *cpus, const char *name, void *buf, size_t size)
{
	/* Not readdir(), whose buffer is larger than all else that a start allocates. */
	union {
		struct dirent64 align;
		char bytes[1024];
	} entries;
	ssize_t n;

	cpu->cpus_fd = open(cpus, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cpu->cpus_fd < 0)
		return -ENOENT;
	while ((n = getdents64(cpu->cpus_fd, entries.bytes, sizeof(entries.bytes))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *entry = (const void *)(entries.bytes + at);
			int len;

			at += entry->d_reclen;
			if (entry->d_name[0] == '.' || (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
				continue;
			stpcpy(cpu->node, entry->d_name);
			len = ppc_host_cpu_prop(cpu, name, buf, size);
			if (len >= 0)
				return len;
		}
	}
	ppc_host_cpu_close(cpu);
	return -ENOENT;
}

void ppc_host_cpu_close(struct ppc_host_cpu *cpu)
{
	close(cpu->cpus_fd);
	cpu->cpus_fd = -1;
}
