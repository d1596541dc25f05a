// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/pseries-layout.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lkvm/log.h"

/* The host's pages, and the usual ones of guests. */
#define PAGE_BYTES KIB(64)

int pseries_machine_init(struct machine *m, const struct pseries_platform_params *p)
{
	uint64_t high = p->ram_bytes > PSERIES_LOW_RAM_BYTES ? p->ram_bytes - PSERIES_LOW_RAM_BYTES : 0;
	uint64_t most = PSERIES_SPACE - PSERIES_HIGH_RAM_BASE + PSERIES_LOW_RAM_BYTES - 2 * PSERIES_PCI_MEM64_BYTES;

	if (!p->nr_cpus || p->nr_cpus > PSERIES_MAX_CPUS) {
		log_error("--cpus %u: the pseries platform holds 1 to %d CPUs", p->nr_cpus, PSERIES_MAX_CPUS);
		return -EINVAL;
	}
	if (!p->ram_bytes || p->ram_bytes % PAGE_BYTES) {
		log_error("--mem: %" PRIu64 " bytes of RAM are not a number of whole pages of 64 KiB",
			  p->ram_bytes);
		return -EINVAL;
	}
	if (p->ram_bytes > most) {
		log_error("--mem: %" PRIu64 " MiB of RAM do not fit a pseries guest (at most %" PRIu64 " MiB)",
			  p->ram_bytes >> 20, most >> 20);
		return -EINVAL;
	}

	memset(m, 0, sizeof(*m));
	m->nr_cpus = p->nr_cpus;
	m->ram[m->nr_ram++] = (struct machine_range){ 0, p->ram_bytes - high };
	if (high)
		m->ram[m->nr_ram++] = (struct machine_range){ PSERIES_HIGH_RAM_BASE, high };

	m->pci.io = (struct machine_range){ PSERIES_PCI_IO_BASE, PSERIES_PCI_IO_BYTES };
	m->pci.mem32 = (struct machine_range){ PSERIES_PCI_MEM32_BASE, PSERIES_PCI_MEM32_BYTES };
	m->pci.mem64 = (struct machine_range){
		align_up(PSERIES_HIGH_RAM_BASE + high, PSERIES_PCI_MEM64_BYTES), PSERIES_PCI_MEM64_BYTES,
	};
	_Static_assert(ARRAY_SIZE(m->pci.intx_irq) == PSERIES_NR_PCI_INTX, "as many sources");
	for (unsigned int i = 0; i < PSERIES_NR_PCI_INTX; i++)
		m->pci.intx_irq[i] = PSERIES_IRQ_PCI_INTX + i;
	return 0;
}
