// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/e500-layout.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lkvm/log.h"
#include "lkvm/pvpanic.h"
#include "lkvm/uart8250.h"

#define PAGE_BYTES 4096

/* Sizes that an e500v2's TLB1 has (MAS1[TSIZE]): 4^n KiB, the largest 4 GiB. */
#define TLB1_SMALLEST KIB(4)
#define TLB1_LARGEST  GIB(4)

int ppc_e500_machine_init(struct machine *m, const struct ppc_e500_params *p)
{
	/* KVM_CAP_MAX_VCPUS is 1 there, too: an e500v2's vCPUs would all have processor ID 0. */
	if (p->nr_cpus != 1) {
		log_error("--cpus %u: the e500 platform has one CPU, and so has KVM on an e500v2", p->nr_cpus);
		return -EINVAL;
	}
	if (!p->ram_bytes || p->ram_bytes % PAGE_BYTES) {
		log_error("--mem: %" PRIu64 " bytes of RAM are not a number of whole pages of %d bytes",
			  p->ram_bytes, PAGE_BYTES);
		return -EINVAL;
	}
	if (p->ram_bytes > PPC_E500_CCSR_BASE - PPC_E500_RAM_BASE) {
		log_error("--mem: %" PRIu64 " MiB are more than the %" PRIu64 " MiB of RAM that the e500 platform holds",
			  p->ram_bytes >> 20, (PPC_E500_CCSR_BASE - PPC_E500_RAM_BASE) >> 20);
		return -EINVAL;
	}

	memset(m, 0, sizeof(*m));
	m->nr_cpus = p->nr_cpus;
	m->ram[0] = (struct machine_range){ PPC_E500_RAM_BASE, p->ram_bytes };
	m->nr_ram = 1;
	m->uart = (struct machine_device){
		.kind = MACHINE_UART8250,
		.space = MACHINE_MMIO,
		.base = PPC_E500_UART_BASE,
		.size_bytes = UART8250_BYTES,
		.irq = PPC_E500_IRQ_UART,
	};
	m->pvpanic = (struct machine_range){ PPC_E500_PVPANIC_BASE, PVPANIC_BYTES };
	m->virtio_mmio = (struct machine_range){
		PPC_E500_VIRTIO_BASE, PPC_E500_VIRTIO_SLOTS * MACHINE_VIRTIO_MMIO_SIZE,
	};
	m->irq_first = PPC_E500_IRQ_FIRST;
	m->nr_irqs = PPC_E500_NR_SOURCES - PPC_E500_IRQ_FIRST;
	return 0;
}

int ppc_e500_boot_map(const struct machine *m, gpa_t end, uint64_t *size_bytes)
{
	uint64_t ram = m->ram[0].size_bytes;
	uint64_t wanted = MAX(end - m->ram[0].base, PPC_E500_BOOT_BYTES);
	uint64_t size = TLB1_SMALLEST;

	while (size < wanted && size <= ram / 4 && size < TLB1_LARGEST)
		size *= 4;
	if (size < end - m->ram[0].base || size > ram) {
		log_error("the kernel ends at 0x%" PRIx64 ", beyond the %" PRIu64 " KiB of RAM that the boot CPU's TLB entry maps: give it more with --mem",
			  end, MIN(size, ram) >> 10);
		return -ENOMEM;
	}
	*size_bytes = size;
	return 0;
}

int ppc_e500_fdt_limit(gpa_t kernel_end, uint64_t map_bytes, uint64_t fdt_bytes, gpa_t *limit)
{
	const gpa_t end = PPC_E500_RAM_BASE + PPC_E500_BOOT_BYTES;

	if (align_up(kernel_end, PAGE_BYTES) + align_up(fdt_bytes, PAGE_BYTES) > end) {
		log_error("no room for the device tree (%" PRIu64 " bytes) between the kernel, which ends at 0x%" PRIx64
			  ", and 0x%" PRIx64 ", where what Linux has mapped when it reads the tree ends: boot a smaller kernel, more --mem does not help",
			  fdt_bytes, kernel_end, end);
		return -ENOMEM;
	}
	*limit = MIN(PPC_E500_RAM_BASE + map_bytes, end);
	return 0;
}
