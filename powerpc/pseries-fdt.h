/* SPDX-License-Identifier: GPL-2.0-only */
/* The device tree of a pseries guest. Pure. */
#ifndef PSERIES_FDT_H
#define PSERIES_FDT_H

#include "lkvm/machine.h"
#include "lkvm/pci.h"
#include "lkvm/types.h"
#include "powerpc/pseries-cpu.h"

struct pseries_fdt {
	const struct machine     *machine;
	const struct pseries_cpu *cpu;
	const char    *cmdline;
	gpa_t          initrd;
	uint64_t       initrd_bytes;
	const uint8_t *rng_seed;     /* FDT_RNG_SEED_BYTES or NULL */
	gpa_t          rtas;         /* PPC_RTAS_BYTES of RAM, entered at its start */
	unsigned int   nr_vtys;      /* terminals from PSERIES_VTY_UNIT on; the first one is the console */
	struct pci_host *pci;        /* NULL: none. Its devices are asked for their BARs */
	uint32_t       nr_msis;      /* sources for MSIs in all */
	uint32_t       xive_ipis;    /* the first of as many sources as CPUs; 0: the controller is an XICS */
};

/* Builds it: *@blob (free() it) and *@size_bytes. 0 or -errno (reported). Before the vCPUs start. */
int pseries_fdt_build(const struct pseries_fdt *p, void **blob, size_t *size_bytes) LKVM_MUST_CHECK;

#endif
