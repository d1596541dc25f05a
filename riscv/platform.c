// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lkvm/log.h"
#include "lkvm/pvpanic.h"
#include "lkvm/uart8250.h"

/* The host's pages, and the smallest of the guest. */
#define PAGE_BYTES 4096

int riscv_machine_init(struct machine *m, const struct riscv_platform_params *p)
{
	/* Bits beyond 63 would not fit gpa_t, nor exist: Sv57x4 translates 59. */
	uint64_t space = UINT64_C(1) << MIN(p->gpa_bits, 63u);
	uint64_t mem64;

	if (!p->nr_cpus || p->nr_cpus > RISCV_MAX_CPUS) {
		log_error("--cpus %u: the riscv64 platform holds 1 to %d CPUs", p->nr_cpus,
			  RISCV_MAX_CPUS);
		return -EINVAL;
	}
	if (!p->ram_bytes || p->ram_bytes % PAGE_BYTES) {
		log_error("--mem: %" PRIu64 " bytes of RAM are not a number of whole pages of %d bytes",
			  p->ram_bytes, PAGE_BYTES);
		return -EINVAL;
	}
	if (space <= RISCV_RAM_BASE || p->ram_bytes > space - RISCV_RAM_BASE) {
		return machine_refuse_ram(p->ram_bytes, p->gpa_bits,
					  space <= RISCV_RAM_BASE ? 0 : space - RISCV_RAM_BASE);
	}

	memset(m, 0, sizeof(*m));
	m->nr_cpus = p->nr_cpus;
	m->ram[0] = (struct machine_range){ RISCV_RAM_BASE, p->ram_bytes };
	m->nr_ram = 1;
	m->uart = (struct machine_device){
		.kind = MACHINE_UART8250,
		.space = MACHINE_MMIO,
		.base = RISCV_UART_BASE,
		.size_bytes = UART8250_BYTES,
		.irq = RISCV_IRQ_UART,
	};
	m->pvpanic = (struct machine_range){ RISCV_PVPANIC_BASE, PVPANIC_BYTES };
	m->virtio_mmio = (struct machine_range){
		RISCV_VIRTIO_BASE, RISCV_VIRTIO_SLOTS * MACHINE_VIRTIO_MMIO_SIZE,
	};
	m->irq_first = RISCV_IRQ_FIRST;
	m->nr_irqs = RISCV_NR_SOURCES - RISCV_IRQ_FIRST + 1;

	m->pci.ecam = (struct machine_range){ RISCV_PCI_ECAM_BASE, RISCV_PCI_ECAM_BYTES };
	m->pci.io = (struct machine_range){ RISCV_PCI_IO_BASE, RISCV_PCI_IO_BYTES };
	m->pci.mem32 = (struct machine_range){ RISCV_PCI_MEM32_BASE, RISCV_PCI_MEM32_BYTES };
	/* Above RAM, if the host's guest-physical addresses reach that far; naturally aligned. */
	mem64 = align_up(RISCV_RAM_BASE + p->ram_bytes, RISCV_PCI_MEM64_BYTES);
	if (mem64 && range_within(mem64, RISCV_PCI_MEM64_BYTES, 0, space))
		m->pci.mem64 = (struct machine_range){ mem64, RISCV_PCI_MEM64_BYTES };
	for (unsigned int i = 0; i < ARRAY_SIZE(m->pci.intx_irq); i++)
		m->pci.intx_irq[i] = RISCV_IRQ_PCI_INTX + i;
	m->pci.msi = p->msi;
	return 0;
}
