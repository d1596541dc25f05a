// SPDX-License-Identifier: GPL-2.0-only
/* Bindings: Linux Documentation/devicetree/bindings/{arm,interrupt-controller,timer}/. */
#include "arm/fdt.h"

#include "arm/layout.h"
#include "arm/v2m.h"
#include "lkvm/fdt.h"

/* The GIC's three cells: kind, number within the kind, flags (arm,gic.yaml, arm,gic-v3.yaml). */
#define GIC_SPI 0
#define GIC_PPI 1
#define GIC_IRQ_CELLS 3
/* #address-cells of the GIC's node, whose children (ITS, v2m frame) have addresses. */
#define GIC_ADDRESS_CELLS 2

/* dt-bindings/interrupt-controller/irq.h */
#define IRQ_TYPE_LEVEL_HIGH 4

/* MPIDR_EL1: affinity levels 3, and 2 to 0 (Arm DDI0487 D19.2.100; arm/cpus.yaml for "reg"). */
#define MPIDR_AFF3(mpidr)   ((uint32_t)((mpidr) >> 32) & 0xff)
#define MPIDR_AFF210(mpidr) ((uint32_t)(mpidr) & 0xffffff)

/* arm,gic.yaml: a GICv2 wants to know in the flags of a PPI which CPUs it has it on. */
static uint32_t ppi_flags(const struct arm_fdt *p)
{
	uint32_t cpus = (1u << MIN(p->machine->nr_cpus, (unsigned int)ARM_GICV2_MAX_CPUS)) - 1;

	return IRQ_TYPE_LEVEL_HIGH | (p->irqchip == ARM_FDT_GICV2 ? cpus << 8 : 0);
}

/* Appends the specifier of PPI @ppi; returns the number of cells so far. */
static unsigned int add_ppi(const struct arm_fdt *p, uint32_t *cells, unsigned int n, uint32_t ppi)
{
	cells[n++] = GIC_PPI;
	cells[n++] = ppi;
	cells[n++] = ppi_flags(p);
	return n;
}

static unsigned int gic_irq_cells(void *ctx, uint32_t irq, uint32_t *cells)
{
	(void)ctx;
	cells[0] = GIC_SPI;
	cells[1] = irq;
	cells[2] = IRQ_TYPE_LEVEL_HIGH;
	return GIC_IRQ_CELLS;
}

static void add_cpus(struct fdt *fdt, const struct arm_fdt *p)
{
	fdt_node(fdt, "cpus");
	fdt_u32(fdt, "#address-cells", 2);
	fdt_u32(fdt, "#size-cells", 0);
	for (unsigned int i = 0; i < p->machine->nr_cpus; i++) {
		uint32_t reg[2] = { MPIDR_AFF3(p->mpidr[i]), MPIDR_AFF210(p->mpidr[i]) };

		fdt_node_at(fdt, "cpu", (uint64_t)reg[0] << 32 | reg[1]);
		fdt_str(fdt, "device_type", "cpu");
		fdt_str(fdt, "compatible", "arm,armv8");
		fdt_cells(fdt, "reg", reg, 2);
		fdt_str(fdt, "enable-method", "psci");
		fdt_node_end(fdt);
	}
	fdt_node_end(fdt);
}

/*
 * arm/psci.yaml. Function numbers are those of PSCI 0.2. A guest at EL2 has an HVC of its own, so there KVM
 * takes the calls by SMC.
 */
static void add_psci(struct fdt *fdt, const struct arm_fdt *p)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

	fdt_node(fdt, "psci");
	fdt_bytes(fdt, "compatible", compatible, sizeof(compatible));
	fdt_str(fdt, "method", p->el2 ? "smc" : "hvc");
	fdt_node_end(fdt);
}

/* timer/arm,arch_timer.yaml: secure, non-secure, virtual, hypervisor, hypervisor's virtual timer. */
static void add_timer(struct fdt *fdt, const struct arm_fdt *p)
{
	uint32_t cells[5 * GIC_IRQ_CELLS];
	unsigned int n = 0;

	n = add_ppi(p, cells, n, ARM_PPI_TIMER_SECURE);
	n = add_ppi(p, cells, n, ARM_PPI_TIMER_PHYS);
	n = add_ppi(p, cells, n, ARM_PPI_TIMER_VIRT);
	n = add_ppi(p, cells, n, ARM_PPI_TIMER_HYP);
	if (p->el2)
		n = add_ppi(p, cells, n, ARM_PPI_TIMER_HYP_VIRT);
	fdt_node(fdt, "timer");
	fdt_str(fdt, "compatible", "arm,armv8-timer");
	fdt_cells(fdt, "interrupts", cells, n);
	fdt_empty(fdt, "always-on");
	if (p->timer_hz)
		fdt_u32(fdt, "clock-frequency", p->timer_hz);
	fdt_node_end(fdt);
}

/* arm/pmu.yaml */
static void add_pmu(struct fdt *fdt, const struct arm_fdt *p)
{
	uint32_t cells[GIC_IRQ_CELLS];

	if (!p->pmu)
		return;
	fdt_node(fdt, "pmu");
	fdt_str(fdt, "compatible", "arm,armv8-pmuv3");
	fdt_cells(fdt, "interrupts", cells, add_ppi(p, cells, 0, ARM_PPI_PMU));
	fdt_node_end(fdt);
}

/* The bus clock of PrimeCell devices, which Linux wants to switch on (arm,primecell.yaml): one that always runs. */
static uint32_t add_clock(struct fdt *fdt)
{
	uint32_t phandle = fdt->next_phandle++;

	fdt_node(fdt, "apb-pclk");
	fdt_str(fdt, "compatible", "fixed-clock");
	fdt_u32(fdt, "#clock-cells", 0);
	fdt_u32(fdt, "clock-frequency", 24000000);
	fdt_str(fdt, "clock-output-names", "clk24mhz");
	fdt_u32(fdt, "phandle", phandle);
	fdt_node_end(fdt);
	return phandle;
}

static void add_primecell(struct fdt *fdt, const struct machine_device *dev, uint32_t clock)
{
	static const char pl031[] = "arm,pl031\0arm,primecell";
	static const char pl011[] = "arm,pl011\0arm,primecell";
	static const char pl011_clocks[] = "uartclk\0apb_pclk";
	const uint32_t clocks[] = { clock, clock };
	uint32_t cells[GIC_IRQ_CELLS];

	if (dev->kind == MACHINE_RTC) { /* arm,pl031.yaml */
		fdt_node_at(fdt, "rtc", dev->base);
		fdt_bytes(fdt, "compatible", pl031, sizeof(pl031));
		fdt_cells(fdt, "clocks", clocks, 1);
		fdt_str(fdt, "clock-names", "apb_pclk");
	} else { /* pl011.yaml */
		fdt_node_at(fdt, "serial", dev->base);
		fdt_bytes(fdt, "compatible", pl011, sizeof(pl011));
		fdt_cells(fdt, "clocks", clocks, 2);
		fdt_bytes(fdt, "clock-names", pl011_clocks, sizeof(pl011_clocks));
	}
	fdt_reg64(fdt, dev->base, dev->size_bytes);
	fdt_cells(fdt, "interrupts", cells, gic_irq_cells(NULL, dev->irq, cells));
	fdt_node_end(fdt);
}

static void add_primecells(struct fdt *fdt, const struct arm_fdt *p)
{
	uint32_t clock = 0;

	for (unsigned int i = 0; i < p->machine->nr_devices; i++) {
		const struct machine_device *dev = &p->machine->devices[i];

		if (dev->kind != MACHINE_RTC && dev->kind != MACHINE_UART_ARCH)
			continue;
		if (!clock)
			clock = add_clock(fdt);
		add_primecell(fdt, dev, clock);
	}
}

static void add_v2m(struct fdt *fdt, uint32_t phandle)
{
	fdt_node_at(fdt, "v2m", ARM_V2M_BASE);
	fdt_str(fdt, "compatible", "arm,gic-v2m-frame");
	fdt_empty(fdt, "msi-controller");
	fdt_reg64(fdt, ARM_V2M_BASE, ARM_V2M_BYTES);
	fdt_u32(fdt, "arm,msi-base-spi", ARM_GIC_SPI_FIRST + ARM_SPI_V2M_FIRST);
	fdt_u32(fdt, "arm,msi-num-spis", ARM_SPI_V2M_NR);
	fdt_u32(fdt, "phandle", phandle);
	fdt_node_end(fdt);
}

static void add_its(struct fdt *fdt, uint32_t phandle)
{
	fdt_node_at(fdt, "msi-controller", ARM_ITS_BASE);
	fdt_str(fdt, "compatible", "arm,gic-v3-its");
	fdt_empty(fdt, "msi-controller");
	fdt_u32(fdt, "#msi-cells", 1);
	fdt_reg64(fdt, ARM_ITS_BASE, ARM_ITS_BYTES);
	fdt_u32(fdt, "phandle", phandle);
	fdt_node_end(fdt);
}

/* Two ranges of "reg": the distributor, and the CPU interface or the redistributors. */
static void add_gic_reg(struct fdt *fdt, uint64_t dist_bytes, uint64_t base, uint64_t size_bytes)
{
	const uint32_t reg[] = {
		(uint32_t)(ARM_GIC_DIST_BASE >> 32), (uint32_t)ARM_GIC_DIST_BASE,
		(uint32_t)(dist_bytes >> 32),        (uint32_t)dist_bytes,
		(uint32_t)(base >> 32),              (uint32_t)base,
		(uint32_t)(size_bytes >> 32),        (uint32_t)size_bytes,
	};

	fdt_cells(fdt, "reg", reg, ARRAY_SIZE(reg));
}

static void add_gic(struct fdt *fdt, const struct arm_fdt *p, uint32_t phandle, uint32_t msi_phandle)
{
	uint32_t cells[GIC_IRQ_CELLS];

	fdt_node_at(fdt, "interrupt-controller", ARM_GIC_DIST_BASE);
	if (p->irqchip == ARM_FDT_GICV3) {
		fdt_str(fdt, "compatible", "arm,gic-v3");
		fdt_u32(fdt, "#redistributor-regions", 1);
		add_gic_reg(fdt, ARM_GICV3_DIST_BYTES, ARM_REDIST_BASE,
			    p->machine->nr_cpus * ARM_REDIST_BYTES);
	} else {
		fdt_str(fdt, "compatible", "arm,cortex-a15-gic");
		add_gic_reg(fdt, ARM_GICV2_DIST_BYTES, ARM_GICV2_CPU_BASE, ARM_GICV2_CPU_BYTES);
	}
	fdt_empty(fdt, "interrupt-controller");
	fdt_u32(fdt, "#interrupt-cells", GIC_IRQ_CELLS);
	if (p->el2)
		fdt_cells(fdt, "interrupts", cells, add_ppi(p, cells, 0, ARM_PPI_GIC_MAINT));
	fdt_u32(fdt, "#address-cells", GIC_ADDRESS_CELLS);
	fdt_u32(fdt, "#size-cells", 2);
	fdt_empty(fdt, "ranges");
	fdt_u32(fdt, "phandle", phandle);
	if (p->msi == ARM_FDT_ITS)
		add_its(fdt, msi_phandle);
	else if (p->msi == ARM_FDT_V2M)
		add_v2m(fdt, msi_phandle);
	fdt_node_end(fdt);
}

int arm_fdt_build(const struct arm_fdt *p, void **blob, size_t *size_bytes)
{
	struct fdt_platform platform = {
		.machine = p->machine,
		.cmdline = p->cmdline,
		.initrd = p->initrd,
		.initrd_bytes = p->initrd_bytes,
		.irq_address_cells = GIC_ADDRESS_CELLS,
		.irq_cells = gic_irq_cells,
		/* An ITS tells devices apart by their requester ids. */
		.msi_map = p->msi == ARM_FDT_ITS,
		.rng_seed = p->rng_seed,
		.kaslr_seed = p->kaslr_seed,
	};
	struct fdt fdt;

	fdt_begin(&fdt);
	platform.irq_phandle = fdt.next_phandle++;
	if (p->msi != ARM_FDT_NO_MSI)
		platform.msi_phandle = fdt.next_phandle++;

	fdt_node(&fdt, "");
	fdt_str(&fdt, "model", "lkvm arm64");
	fdt_str(&fdt, "compatible", "lkvm,arm64");
	fdt_u32(&fdt, "#address-cells", 2);
	fdt_u32(&fdt, "#size-cells", 2);
	fdt_u32(&fdt, "interrupt-parent", platform.irq_phandle);

	fdt_add_chosen(&fdt, &platform);
	fdt_add_memory(&fdt, &platform);
	add_cpus(&fdt, p);
	add_psci(&fdt, p);
	add_timer(&fdt, p);
	add_pmu(&fdt, p);
	add_gic(&fdt, p, platform.irq_phandle, platform.msi_phandle);
	fdt_add_devices(&fdt, &platform, NULL); /* all but the PrimeCell ones */
	add_primecells(&fdt, p);
	fdt_add_pci(&fdt, &platform);
	fdt_node_end(&fdt);
	return fdt_end(&fdt, blob, size_bytes);
}
