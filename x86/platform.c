// SPDX-License-Identifier: GPL-2.0-only
#include "x86/layout.h"

#include <errno.h>

#include "lkvm/log.h"
#include "lkvm/pvpanic.h"
#include "lkvm/uart8250.h"

static int add_ram(struct machine *m, const struct x86_platform_params *p)
{
	uint64_t limit = 1ull << p->phys_bits;
	uint64_t low = MIN(p->ram_bytes, X86_RAM_LOW_MAX);
	uint64_t high = p->ram_bytes - low;

	if (p->ram_bytes < X86_RAM_MIN_BYTES) {
		log_error("--mem: an x86 guest needs at least %llu MiB",
			  (unsigned long long)(X86_RAM_MIN_BYTES >> 20));
		return -EINVAL;
	}
	if (!range_within(X86_RAM_HIGH, high, 0, limit))
		return machine_refuse_ram(p->ram_bytes, p->phys_bits, limit - X86_RAM_HIGH + X86_RAM_LOW_MAX);
	m->ram[m->nr_ram++] = (struct machine_range){ 0, low };
	if (high)
		m->ram[m->nr_ram++] = (struct machine_range){ X86_RAM_HIGH, high };
	return 0;
}

static void add_pci(struct machine *m, const struct x86_platform_params *p)
{
	const struct machine_range *top = &m->ram[m->nr_ram - 1];
	uint64_t base = align_up(MAX(top->base + top->size_bytes, X86_RAM_HIGH), X86_PCI_MEM64_ALIGN);

	m->pci.ecam = (struct machine_range){ X86_PCI_ECAM, X86_PCI_ECAM_BYTES };
	m->pci.io = (struct machine_range){ X86_PCI_PORTS, X86_PCI_NR_PORTS };
	m->pci.mem32 = (struct machine_range){ X86_PCI_MEM32, X86_PCI_MEM32_BYTES };
	/* Devices get by with the 32-bit window where no other fits. */
	if (base && range_within(base, X86_PCI_MEM64_BYTES, 0, 1ull << p->phys_bits))
		m->pci.mem64 = (struct machine_range){ base, X86_PCI_MEM64_BYTES };
	for (unsigned int i = 0; i < 4; i++)
		m->pci.intx_irq[i] = X86_IRQ_PCI_INTX + i;
	m->pci.ports = true;
}

int x86_machine_init(struct machine *m, const struct x86_platform_params *p)
{
	int ret;

	if (p->nr_cpus > X86_MAX_CPUS) {
		log_error("--cpus %u: the x86 machine has at most %u, its APIC ids being 8 bits wide",
			  p->nr_cpus, X86_MAX_CPUS);
		return -EINVAL;
	}
	ret = add_ram(m, p);
	if (ret)
		return ret;
	m->nr_cpus = p->nr_cpus;
	m->uart = (struct machine_device){
		.kind = MACHINE_UART8250,
		.space = MACHINE_PIO,
		.base = X86_PORT_COM1,
		.size_bytes = UART8250_BYTES,
		.irq = X86_IRQ_COM1,
	};
	m->uart2 = (struct machine_device){
		.kind = MACHINE_UART8250,
		.space = MACHINE_PIO,
		.base = X86_PORT_COM2,
		.size_bytes = UART8250_BYTES,
		.irq = X86_IRQ_COM2,
	};
	m->irq_first = X86_IRQ_MMIO_FIRST;
	m->nr_irqs = X86_IRQ_MMIO_COUNT;
	m->virtio_mmio = (struct machine_range){
		X86_VIRTIO_MMIO, X86_IRQ_MMIO_COUNT * (uint64_t)MACHINE_VIRTIO_MMIO_SIZE
	};
	m->pvpanic = (struct machine_range){ X86_PVPANIC, PVPANIC_BYTES };
	add_pci(m, p);
	return 0;
}
