// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bindings: LoPAR appendices B (PAPR binding) and C (PA binding), and the PCI bus binding to Open Firmware,
 * revision 2.1; where these leave a choice, what Linux arch/powerpc reads.
 */
#include "powerpc/pseries-fdt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lkvm/fdt.h"
#include "powerpc/hcall.h"
#include "powerpc/pseries-layout.h"
#include "powerpc/rtas.h"
#include "powerpc/xive-hcall.h"

/* "interrupts" (LoPAR appendix B): a source number, and 1 for a level. */
#define IRQ_EDGE  0
#define IRQ_LEVEL 1

/*
 * Option vector 5 of ibm,client-architecture-support, as if it had been negotiated (LoPAR appendix B; bits of Linux
 * arch/powerpc/include/asm/prom.h, OV5_*). Byte 0 is the number of those that follow.
 */
#define VEC5_BYTES      28
#define VEC5_LPAR       2, 0x80
#define VEC5_SPLPAR     2, 0x40
#define VEC5_XIVE       23, 0x40 /* interrupts: XIVE, exploited by the guest; without it XICS */
#define VEC5_RADIX      24, 0x40 /* MMU: radix; without it hash */
#define VEC5_RADIX_GTSE 26, 0x40 /* the guest may invalidate TLB entries itself */

/* PCI configuration header (PCI 3.0 §6.1). */
#define PCI_VENDOR     0x00
#define PCI_DEVICE     0x02
#define PCI_REVISION   0x08
#define PCI_CLASS      0x09
#define PCI_BAR0       0x10
#define BAR_IO         0x1 /* a BAR of ports; its flags, and those of memory */
#define BAR_IO_FLAGS   0x3u
#define BAR_FLAGS      0xfu
#define PCI_SUBVENDOR  0x2c
#define PCI_SUBDEVICE  0x2e
#define PCI_PIN        0x3d
#define CLASS_BRIDGE   0x0600 /* without the programming interface */

/* PCI bus binding §2.2.1.1: phys.hi. */
#define PHYS_FIXED     0x80000000u
#define PHYS_PREFETCH  0x40000000u
#define PHYS_IO        0x01000000u
#define PHYS_MEM32     0x02000000u
#define PHYS_MEM64     0x03000000u

static void put_bit(uint8_t *vec, unsigned int byte, uint8_t mask)
{
	vec[byte] |= mask;
}

static void add_chosen(struct fdt *fdt, const struct pseries_fdt *p, const struct fdt_platform *platform)
{
	uint8_t vec5[VEC5_BYTES] = { VEC5_BYTES - 1 };

	put_bit(vec5, VEC5_LPAR);
	put_bit(vec5, VEC5_SPLPAR);
	if (p->xive_ipis)
		put_bit(vec5, VEC5_XIVE);
	if (p->cpu->radix) {
		put_bit(vec5, VEC5_RADIX);
		put_bit(vec5, VEC5_RADIX_GTSE);
	}
	fdt_node(fdt, "chosen");
	fdt_chosen_properties(fdt, platform);
	if (p->nr_vtys)
		fdt_str(fdt, "linux,stdout-path", platform->stdout_path);
	fdt_bytes(fdt, "ibm,architecture-vec-5", vec5, sizeof(vec5));
	fdt_node_end(fdt);
}

static void add_mmu(struct fdt *fdt, const struct pseries_cpu *cpu)
{
	static const uint32_t segments[] = { 28, 40, UINT32_MAX, UINT32_MAX }; /* 256 MiB, 1 TiB */

	if (cpu->radix) {
		fdt_cells(fdt, "ibm,processor-radix-AP-encodings", cpu->radix_ap, cpu->nr_radix_ap);
		return;
	}
	fdt_cells(fdt, "ibm,pft-size", (const uint32_t[]){ 0, cpu->htab_order }, 2);
	fdt_u32(fdt, "slb-size", cpu->slb_entries);
	fdt_u32(fdt, "ibm,slb-size", cpu->slb_entries);
	if (cpu->segments_1t)
		fdt_cells(fdt, "ibm,processor-segment-sizes", segments, ARRAY_SIZE(segments));
	if (cpu->nr_page_sizes)
		fdt_cells(fdt, "ibm,segment-page-sizes", cpu->page_sizes, cpu->nr_page_sizes);
}

static void add_cpus(struct fdt *fdt, const struct pseries_fdt *p)
{
	const struct pseries_cpu *cpu = p->cpu;

	fdt_node(fdt, "cpus");
	fdt_u32(fdt, "#address-cells", 1);
	fdt_u32(fdt, "#size-cells", 0);
	for (unsigned int i = 0; i < p->machine->nr_cpus; i++) {
		fdt_node_at(fdt, cpu->name, i);
		fdt_str(fdt, "device_type", "cpu");
		fdt_u32(fdt, "reg", i);
		fdt_str(fdt, "status", "okay");
		fdt_u32(fdt, "cpu-version", cpu->pvr);
		fdt_empty(fdt, "64-bit");
		for (unsigned int j = 0; j < cpu->nr_props; j++)
			fdt_bytes(fdt, cpu->props[j].name, cpu->props[j].data, cpu->props[j].len);
		if (cpu->pa_bytes)
			fdt_bytes(fdt, "ibm,pa-features", cpu->pa_features, cpu->pa_bytes);
		add_mmu(fdt, cpu);
		/* One thread per core. */
		fdt_u32(fdt, "ibm,ppc-interrupt-server#s", i);
		fdt_cells(fdt, "ibm,ppc-interrupt-gserver#s", (const uint32_t[]){ i, 0 }, 2);
		fdt_node_end(fdt);
	}
	fdt_node_end(fdt);
}

static void add_rtas(struct fdt *fdt, const struct pseries_fdt *p)
{
	/* Function sets of LoPAR chapter 14 that KVM and lkvm serve. */
	static const char calls[] =
		"hcall-pft\0hcall-term\0hcall-dabr\0hcall-interrupt\0hcall-tce\0hcall-multi-tce\0"
		"hcall-splpar\0hcall-bulk\0hcall-set-mode";

	fdt_node(fdt, "rtas");
	fdt_bytes(fdt, "ibm,hypertas-functions", calls, sizeof(calls));
	fdt_u32(fdt, "rtas-version", 1);
	fdt_u32(fdt, "rtas-size", PPC_RTAS_BYTES);
	fdt_u32(fdt, "linux,rtas-base", (uint32_t)p->rtas);
	fdt_u32(fdt, "linux,rtas-entry", (uint32_t)p->rtas);
	for (unsigned int i = 0; ppc_rtas_name(i); i++) {
		/* What KVM serves is the XICS' own. */
		if (p->xive_ipis && ppc_rtas_in_kernel(i))
			continue;
		fdt_u32(fdt, ppc_rtas_name(i), PPC_RTAS_TOKEN_FIRST + i);
	}
	fdt_node_end(fdt);
}

/*
 * Nobody else tells a kernel that is entered with a device tree to leave RTAS alone. Linux finds the node /rtas
 * by its name alone, so no other one may have it.
 */
static void add_reserved(struct fdt *fdt, const struct pseries_fdt *p)
{
	fdt_node(fdt, "reserved-memory");
	fdt_u32(fdt, "#address-cells", 2);
	fdt_u32(fdt, "#size-cells", 2);
	fdt_empty(fdt, "ranges");
	fdt_node_at(fdt, "rtas-code", p->rtas);
	fdt_reg64(fdt, p->rtas, PPC_RTAS_BYTES);
	fdt_node_end(fdt);
	fdt_node_end(fdt);
}

static void add_xics(struct fdt *fdt, const struct pseries_fdt *p, uint32_t phandle)
{
	fdt_node(fdt, "interrupt-controller");
	fdt_str(fdt, "device_type", "PowerPC-External-Interrupt-Presentation");
	fdt_str(fdt, "compatible", "IBM,ppc-xicp");
	fdt_empty(fdt, "interrupt-controller");
	fdt_u32(fdt, "#interrupt-cells", 2);
	fdt_u32(fdt, "#address-cells", 0);
	fdt_cells(fdt, "ibm,interrupt-server-ranges", (const uint32_t[]){ 0, p->machine->nr_cpus }, 2);
	fdt_u32(fdt, "phandle", phandle);
	fdt_node_end(fdt);
}

/* As Linux reads it (arch/powerpc/sysdev/xive/spapr.c). */
static void add_xive(struct fdt *fdt, const struct pseries_fdt *p, uint32_t phandle)
{
	const uint64_t tima = PSERIES_XIVE_TIMA_BASE;
	const uint32_t page = UINT32_C(1) << PPC_XIVE_ESB_PAGE_SHIFT;
	/* The pages of programs and of the kernel. */
	const uint32_t reg[] = {
		(uint32_t)(tima >> 32), (uint32_t)tima + 3 * page, 0, page,
		(uint32_t)(tima >> 32), (uint32_t)tima + 2 * page, 0, page,
	};

	fdt_node_at(fdt, "interrupt-controller", tima + 3 * page);
	fdt_str(fdt, "device_type", "power-ivpe");
	fdt_str(fdt, "compatible", "ibm,power-ivpe");
	fdt_cells(fdt, "reg", reg, ARRAY_SIZE(reg));
	fdt_empty(fdt, "interrupt-controller");
	fdt_u32(fdt, "#interrupt-cells", 2);
	fdt_u32(fdt, "#address-cells", 0);
	fdt_u32(fdt, "ibm,xive-eq-sizes", PPC_XIVE_QUEUE_SHIFT);
	fdt_cells(fdt, "ibm,xive-lisn-ranges", (const uint32_t[]){ p->xive_ipis, p->machine->nr_cpus }, 2);
	fdt_u32(fdt, "phandle", phandle);
	fdt_node_end(fdt);
}

static void add_vtys(struct fdt *fdt, const struct pseries_fdt *p, uint32_t irqchip)
{
	fdt_node(fdt, "vdevice");
	fdt_str(fdt, "device_type", "vdevice");
	fdt_str(fdt, "compatible", "IBM,vdevice");
	fdt_u32(fdt, "#address-cells", 1);
	fdt_u32(fdt, "#size-cells", 0);
	for (unsigned int i = 0; i < p->nr_vtys; i++) {
		fdt_node_at(fdt, "vty", PSERIES_VTY_UNIT + i);
		fdt_str(fdt, "device_type", "serial");
		fdt_str(fdt, "compatible", "hvterm1");
		fdt_u32(fdt, "reg", PSERIES_VTY_UNIT + i);
		fdt_u32(fdt, "interrupt-parent", irqchip);
		fdt_cells(fdt, "interrupts", (const uint32_t[]){ PSERIES_IRQ_VTY + i, IRQ_EDGE }, 2);
		fdt_node_end(fdt);
	}
	fdt_node_end(fdt);
}

/* ---- PCI ---------------------------------------------------------------------------------------- */

/* The size of what BAR @i and, of 64 bits, the next one decode: ones written come back where bits can be set. */
static uint64_t bar_size(struct pci_host *pci, unsigned int bdf, unsigned int i, bool is_64bit)
{
	unsigned int reg = PCI_BAR0 + 4 * i;
	uint32_t low = pci_config_read(pci, bdf, reg, 4);
	uint32_t flags = low & BAR_IO ? BAR_IO_FLAGS : BAR_FLAGS;
	uint32_t high = is_64bit ? pci_config_read(pci, bdf, reg + 4, 4) : 0;
	uint64_t mask = UINT64_C(0xffffffff) << 32;

	pci_config_write(pci, bdf, reg, 4, UINT32_MAX);
	mask |= pci_config_read(pci, bdf, reg, 4) & ~flags;
	pci_config_write(pci, bdf, reg, 4, low);
	if (is_64bit) {
		pci_config_write(pci, bdf, reg + 4, 4, UINT32_MAX);
		mask = (uint64_t)pci_config_read(pci, bdf, reg + 4, 4) << 32 | (mask & 0xffffffff);
		pci_config_write(pci, bdf, reg + 4, 4, high);
	}
	return (uint32_t)mask || is_64bit ? ~mask + 1 : 0;
}

struct pci_addresses {
	uint32_t reg[5 * 7];
	uint32_t assigned[5 * 6];
	unsigned int nr_reg, nr_assigned;
};

static unsigned int add_address(uint32_t *cells, unsigned int n, uint32_t hi, uint64_t addr, uint64_t size)
{
	cells[n++] = hi;
	cells[n++] = (uint32_t)(addr >> 32);
	cells[n++] = (uint32_t)addr;
	cells[n++] = (uint32_t)(size >> 32);
	cells[n++] = (uint32_t)size;
	return n;
}

static void read_bars(struct pci_host *pci, unsigned int bdf, struct pci_addresses *a)
{
	memset(a, 0, sizeof(*a));
	a->nr_reg = add_address(a->reg, 0, bdf << 8, 0, 0);
	for (unsigned int i = 0; i < PCI_MAX_BARS; i++) {
		uint32_t low = pci_config_read(pci, bdf, PCI_BAR0 + 4 * i, 4);
		bool is_io = low & BAR_IO, is_64bit = !is_io && low & 4;
		uint64_t size = bar_size(pci, bdf, i, is_64bit);
		uint64_t addr = low & ~(is_io ? BAR_IO_FLAGS : BAR_FLAGS);
		uint32_t hi = bdf << 8 | (PCI_BAR0 + 4 * i);

		if (!size)
			continue;
		if (is_64bit)
			addr |= (uint64_t)pci_config_read(pci, bdf, PCI_BAR0 + 4 * i + 4, 4) << 32;
		hi |= is_io ? PHYS_IO : is_64bit ? PHYS_MEM64 : PHYS_MEM32;
		if (!is_io && low & 8)
			hi |= PHYS_PREFETCH;
		a->nr_reg = add_address(a->reg, a->nr_reg, hi, 0, size);
		a->nr_assigned = add_address(a->assigned, a->nr_assigned, hi | PHYS_FIXED, addr, size);
		i += is_64bit;
	}
}

/* A partition's kernel does not probe the bus: what is not here does not exist for it. */
static void add_pci_device(struct fdt *fdt, struct pci_host *pci, unsigned int bdf)
{
	uint32_t vendor = pci_config_read(pci, bdf, PCI_VENDOR, 2);
	uint32_t device = pci_config_read(pci, bdf, PCI_DEVICE, 2);
	uint32_t class = pci_config_read(pci, bdf, PCI_CLASS - 1, 4) >> 8;
	uint32_t pin = pci_config_read(pci, bdf, PCI_PIN, 1);
	unsigned int vectors = pci_msix_vectors(pci, bdf);
	struct pci_addresses a;
	char name[32];

	/* The host bridge itself is this node's parent. */
	if (vendor == 0xffff || class >> 8 == CLASS_BRIDGE)
		return;
	read_bars(pci, bdf, &a);
	snprintf(name, sizeof(name), "pci%" PRIx32 ",%" PRIx32, vendor, device);
	fdt_node_at(fdt, name, bdf >> 3);
	fdt_cells(fdt, "reg", a.reg, a.nr_reg);
	fdt_cells(fdt, "assigned-addresses", a.assigned, a.nr_assigned);
	fdt_u32(fdt, "vendor-id", vendor);
	fdt_u32(fdt, "device-id", device);
	fdt_u32(fdt, "revision-id", pci_config_read(pci, bdf, PCI_REVISION, 1));
	fdt_u32(fdt, "class-code", class);
	fdt_u32(fdt, "subsystem-vendor-id", pci_config_read(pci, bdf, PCI_SUBVENDOR, 2));
	fdt_u32(fdt, "subsystem-id", pci_config_read(pci, bdf, PCI_SUBDEVICE, 2));
	fdt_u32(fdt, "#address-cells", 3);
	fdt_u32(fdt, "#size-cells", 2);
	if (pin)
		fdt_u32(fdt, "interrupts", pin);
	if (vectors)
		fdt_u32(fdt, "ibm,req#msi-x", vectors);
	fdt_node_end(fdt);
}

static void add_pci(struct fdt *fdt, const struct pseries_fdt *p, const struct fdt_platform *platform)
{
	if (!p->pci)
		return;
	fdt_node_at(fdt, "pci", PSERIES_PHB_BUID);
	fdt_str(fdt, "device_type", "pci");
	fdt_str(fdt, "compatible", "IBM,Logical_PHB");
	fdt_u32(fdt, "#address-cells", 3);
	fdt_u32(fdt, "#size-cells", 2);
	fdt_u32(fdt, "#interrupt-cells", 1);
	fdt_reg64(fdt, PSERIES_PHB_BUID, 0);
	fdt_cells(fdt, "bus-range", (const uint32_t[]){ 0, 0 }, 2);
	fdt_u32(fdt, "ibm,pci-config-space-type", 1); /* 4 KiB */
	fdt_u32(fdt, "ibm,pe-total-#msi", p->nr_msis);
	/* Number, address and size of the IOMMU's window. */
	fdt_u32(fdt, "ibm,#dma-address-cells", 2);
	fdt_u32(fdt, "ibm,#dma-size-cells", 2);
	fdt_cells(fdt, "ibm,dma-window", (const uint32_t[]){ PSERIES_PHB_LIOBN, 0, 0, 0, PPC_TCE_WINDOW_BYTES }, 5);
	fdt_pci_properties(fdt, platform);
	for (unsigned int slot = 0; slot < PCI_MAX_DEVICES; slot++)
		add_pci_device(fdt, p->pci, slot << 3);
	fdt_node_end(fdt);
}

/* Wired lines are levels. */
static unsigned int irq_cells(void *ctx, uint32_t irq, uint32_t *cells)
{
	(void)ctx;
	cells[0] = irq;
	cells[1] = IRQ_LEVEL;
	return 2;
}

int pseries_fdt_build(const struct pseries_fdt *p, void **blob, size_t *size_bytes)
{
	struct fdt_platform platform = {
		.machine = p->machine,
		.cmdline = p->cmdline,
		.initrd = p->initrd,
		.initrd_bytes = p->initrd_bytes,
		.irq_cells = irq_cells,
		.rng_seed = p->rng_seed,
		.stdout_path = p->nr_vtys ? "/vdevice/vty@71000000" : NULL,
	};
	struct fdt fdt;

	_Static_assert(PSERIES_VTY_UNIT == 0x71000000, "stdout-path");
	fdt_begin(&fdt);
	platform.irq_phandle = fdt.next_phandle++;

	fdt_node(&fdt, "");
	/* LoPAR appendix B: a Common Hardware Reference Platform; by this type Linux takes it for a pseries. */
	fdt_str(&fdt, "device_type", "chrp");
	fdt_str(&fdt, "model", "lkvm pseries");
	fdt_str(&fdt, "compatible", "lkvm,pseries");
	fdt_u32(&fdt, "#address-cells", 2);
	fdt_u32(&fdt, "#size-cells", 2);
	/* What is not the guest's: all from here to 0xfe. */
	if (p->xive_ipis)
		fdt_cells(&fdt, "ibm,plat-res-int-priorities",
			  (const uint32_t[]){ PPC_XIVE_PRIORITIES, PPC_XIVE_MASKED - PPC_XIVE_PRIORITIES }, 2);

	add_chosen(&fdt, p, &platform);
	fdt_add_memory(&fdt, &platform);
	add_reserved(&fdt, p);
	add_cpus(&fdt, p);
	add_rtas(&fdt, p);
	/* Linux arch/powerpc/kernel/kvm.c and kvm_para.h: what is below it is KVM. */
	fdt_node(&fdt, "hypervisor");
	fdt_str(&fdt, "compatible", "linux,kvm");
	fdt_node_end(&fdt);
	(p->xive_ipis ? add_xive : add_xics)(&fdt, p, platform.irq_phandle);
	add_vtys(&fdt, p, platform.irq_phandle);
	add_pci(&fdt, p, &platform);
	fdt_node_end(&fdt);
	return fdt_end(&fdt, blob, size_bytes);
}
