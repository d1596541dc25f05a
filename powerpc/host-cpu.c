// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/host-cpu.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The longest name of a property (Devicetree Specification 0.4, 2.2.4.1, is stricter), with what separates it. */
#define NAME_BYTES 64

int ppc_host_cpu_prop(const struct ppc_host_cpu *cpu, const char *name, void *buf, size_t size)
{
	char path[sizeof(cpu->path) + NAME_BYTES];
	ssize_t n;
	int fd;

	assert(strlen(name) + 2 <= NAME_BYTES);
	stpcpy(stpcpy(stpcpy(path, cpu->path), "/"), name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
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

static int try_node(struct ppc_host_cpu *cpu, size_t at, const char *node, const char *name, void *buf, size_t size)
{
	if (at + strlen(node) >= sizeof(cpu->path))
		return -ENAMETOOLONG;
	strcpy(cpu->path + at, node);
	cpu->node = cpu->path + at;
	return ppc_host_cpu_prop(cpu, name, buf, size);
}

int ppc_host_cpu_find(struct ppc_host_cpu *cpu, const char *cpus, const char *likely, const char *name, void *buf,
		      size_t size)
{
	/* Not readdir(), whose buffer is larger than all else that a start allocates. */
	union {
		struct dirent64 align;
		char bytes[1024];
	} entries;
	size_t base = strlen(cpus) + 1;
	int fd, len = -ENOENT;
	ssize_t n;

	assert(base < sizeof(cpu->path));
	stpcpy(stpcpy(cpu->path, cpus), "/");
	if (likely)
		len = try_node(cpu, base, likely, name, buf, size);
	if (len >= 0)
		return len;
	fd = open(cpus, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -ENOENT;
	while (len < 0 && (n = getdents64(fd, entries.bytes, sizeof(entries.bytes))) > 0) {
		for (ssize_t at = 0; at < n && len < 0;) {
			const struct dirent64 *entry = (const void *)(entries.bytes + at);

			at += entry->d_reclen;
			if (entry->d_name[0] == '.' || (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
				continue;
			len = try_node(cpu, base, entry->d_name, name, buf, size);
		}
	}
	close(fd);
	return len < 0 ? -ENOENT : len;
}
