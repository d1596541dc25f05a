/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host's device tree says of its CPUs. Each file that is read costs as much as a dozen other system
 * calls: ask for little. Pure.
 */
#ifndef PPC_HOST_CPU_H
#define PPC_HOST_CPU_H

#include "lkvm/types.h"

/* Where it is. */
#define PPC_HOST_CPUS "/proc/device-tree/cpus"

struct ppc_host_cpu {
	int  cpus_fd;   /* the folder */
	char node[256]; /* a file name in it: "PowerPC,POWER9@20" */
};

/*
 * Finds the first CPU in the device tree's folder @cpus: the first node that has property @name, which goes to
 * @buf. Returns its length, or -ENOENT if there is none (silent; then there is nothing to close). A value that is
 * not shorter than @size counts as absent.
 */
int ppc_host_cpu_find(struct ppc_host_cpu *cpu, const char *cpus, const char *name, void *buf, size_t size)
	LKVM_MUST_CHECK;

/* Another property of the same CPU: its length, or -errno (silent). */
int ppc_host_cpu_prop(const struct ppc_host_cpu *cpu, const char *name, void *buf, size_t size)
	LKVM_MUST_CHECK;

void ppc_host_cpu_close(struct ppc_host_cpu *cpu);

#endif
