/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host's device tree says of its CPUs. Each file that is read costs as much as a dozen other system
 * calls: ask for little. Pure.
 */
#ifndef PPC_HOST_CPU_H
#define PPC_HOST_CPU_H

#include "lkvm/types.h"

/* Where it is: what /proc/device-tree is a link to. */
#define PPC_HOST_CPUS "/sys/firmware/devicetree/base/cpus"

#define PPC_HOST_CPU_PATH_BYTES 384

struct ppc_host_cpu {
	char        path[PPC_HOST_CPU_PATH_BYTES]; /* of its folder */
	const char *node;                          /* the end of that: "PowerPC,POWER9@20" */
};

/*
 * Finds a CPU in the device tree's folder @cpus: @likely if there is such a node (NULL: no guess), else the first
 * one that has property @name, which goes to @buf. Returns its length, or -ENOENT if there is none (silent). A
 * value that is not shorter than @size counts as absent.
 */
int ppc_host_cpu_find(struct ppc_host_cpu *cpu, const char *cpus, const char *likely, const char *name, void *buf,
		      size_t size) LKVM_MUST_CHECK;

/* Another property of the same CPU: its length, or -errno (silent). */
int ppc_host_cpu_prop(const struct ppc_host_cpu *cpu, const char *name, void *buf, size_t size)
	LKVM_MUST_CHECK;

#endif
