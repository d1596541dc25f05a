// SPDX-License-Identifier: GPL-2.0-only
#include "arm/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arm/pl011.h"
#include "lkvm/log.h"
#include "lkvm/pvpanic.h"
#include "lkvm/uart8250.h"

/* The smallest page of host and guest. */
#define PAGE_BYTES 4096

_Static_assert(ARM_REDIST_BASE + ARM_MAX_CPUS * ARM_REDIST_BYTES <= ARM_PCI_MEM32_BASE,
	       "redistributors end before the PCI window");
_Static_assert(ARM_ROM_BASE + ARM_ROM_BYTES <= ARM_FLASH_BASE, "ROM");
_Static_assert(ARM_FLASH_BASE + ARM_FLASH_MAX_BYTES <= ARM_GIC_DIST_BASE, "flash");
_Static_assert(ARM_UART_BASE + ARM_PL011_BYTES <= ARM_RTC_BASE, "UART");
_Static_assert(ARM_MAX_CPUS * ARM_PVTIME_CPU_BYTES <= ARM_PVTIME_BYTES, "stolen time of all CPUs");
_Static_assert(ARM_PCI_MEM32_BASE + ARM_PCI_MEM32_BYTES <= ARM_PCI_IO_BASE, "PCI windows");
_Static_assert(ARM_GIC_SPI_FIRST + ARM_SPI_V2M_FIRST + ARM_SPI_V2M_NR <= ARM_NR_IRQS, "SPIs");
_Static_assert((ARM_GIC_SPI_FIRST + ARM_SPI_V2M_FIRST) % 32 == 0, "SPIs without those of GICv2m");

int arm_machine_init(struct machine *m, const struct arm_platform_params *p)
{
	/* No more than 52 bits exist (Arm DDI0487 D8.1.6 "Implemented physical address size"). */
	uint64_t space = UINT64_C(1) << MIN(p->ipa_bits, 63u);
	uint64_t mem64;

	if (!p->nr_cpus || p->nr_cpus > ARM_MAX_CPUS) {
		log_error("--cpus %u: the arm64 platform holds 1 to %d CPUs", p->nr_cpus, ARM_MAX_CPUS);
		return -EINVAL;
	}
	if (!p->ram_bytes || p->ram_bytes % PAGE_BYTES) {
		log_error("--mem: %" PRIu64 " bytes of RAM are not a number of whole pages of %d bytes",
			  p->ram_bytes, PAGE_BYTES);
		return -EINVAL;
	}
	if (space <= ARM_RAM_BASE || p->ram_bytes > space - ARM_RAM_BASE) {
		return machine_refuse_ram(p->ram_bytes, p->ipa_bits,
					  space <= ARM_RAM_BASE ? 0 : space - ARM_RAM_BASE);
	}

	memset(m, 0, sizeof(*m));
	m->nr_cpus = p->nr_cpus;
	m->ram[0] = (struct machine_range){ ARM_RAM_BASE, p->ram_bytes };
	m->nr_ram = 1;
	m->uart = (struct machine_device){
		.kind = p->rom ? MACHINE_UART_ARCH : MACHINE_UART8250,
		.space = MACHINE_MMIO,
		.base = ARM_UART_BASE,
		.size_bytes = p->rom ? ARM_PL011_BYTES : UART8250_BYTES,
		.irq = ARM_SPI_UART,
	};
	m->pvpanic = (struct machine_range){ ARM_PVPANIC_BASE, PVPANIC_BYTES };
	m->virtio_mmio = (struct machine_range){
		ARM_VIRTIO_BASE, ARM_VIRTIO_SLOTS * MACHINE_VIRTIO_MMIO_SIZE,
	};
	m->irq_first = ARM_SPI_FIRST;
	m->nr_irqs = ARM_SPI_V2M_FIRST - ARM_SPI_FIRST;

	m->pci.ecam = (struct machine_range){ ARM_PCI_ECAM_BASE, ARM_PCI_ECAM_BYTES };
	m->pci.io = (struct machine_range){ ARM_PCI_IO_BASE, ARM_PCI_IO_BYTES };
	m->pci.mem32 = (struct machine_range){ ARM_PCI_MEM32_BASE, ARM_PCI_MEM32_BYTES };
	/* Above RAM, if the host's guest-physical addresses reach that far; naturally aligned. */
	mem64 = align_up(ARM_RAM_BASE + p->ram_bytes, ARM_PCI_MEM64_BYTES);
	if (mem64 && range_within(mem64, ARM_PCI_MEM64_BYTES, 0, space))
		m->pci.mem64 = (struct machine_range){ mem64, ARM_PCI_MEM64_BYTES };
	for (unsigned int i = 0; i < ARRAY_SIZE(m->pci.intx_irq); i++)
		m->pci.intx_irq[i] = ARM_SPI_PCI_INTX + i;
	return 0;
}

unsigned int arm_machine_ipa_bits(const struct machine *m)
{
	uint64_t last = m->pci.mem64.base + m->pci.mem64.size_bytes;
	unsigned int bits = ARM_MIN_IPA_BITS;

	for (unsigned int i = 0; i < m->nr_ram; i++)
		last = MAX(last, m->ram[i].base + m->ram[i].size_bytes);
	while (bits < 63 && last > UINT64_C(1) << bits)
		bits++;
	return bits;
}

gpa_t arm_boot_limit(gpa_t kernel)
{
	return align_down(kernel, GIB(1)) + GIB(32);
}
