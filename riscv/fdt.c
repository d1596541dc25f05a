// SPDX-License-Identifier: GPL-2.0-only
/* Bindings: Linux Documentation/devicetree/bindings/{riscv,interrupt-controller}/. */
#include "riscv/fdt.h"

#include <errno.h>
#include <stdlib.h>

#include "lkvm/fdt.h"
#include "lkvm/log.h"
#include "riscv/layout.h"
#include "riscv/plic.h"

/* riscv,cpu-intc: the interrupt number is the cause; 9 is the supervisor external interrupt. */
#define CPU_INTC_S_EXTERNAL 9

/* dt-bindings/interrupt-controller/irq.h */
#define IRQ_TYPE_LEVEL_HIGH 4

static const char *mmu_type(unsigned int satp_mode)
{
	switch (satp_mode) { /* RISC-V privileged spec §12.1.11, satp.MODE */
	case 8:
		return "riscv,sv39";
	case 9:
		return "riscv,sv48";
	case 10:
		return "riscv,sv57";
	default:
		return NULL; /* unknown: a kernel then finds out by trying */
	}
}

static void add_isa(struct fdt *fdt, const struct riscv_fdt *p)
{
	char buf[RISCV_ISA_STRING_BYTES];
	int len;

	/* Deprecated in favour of the two below, but all that older kernels read. */
	len = riscv_isa_string(&p->isa, buf, sizeof(buf));
	if (len > 0)
		fdt_str(fdt, "riscv,isa", buf);
	fdt_str(fdt, "riscv,isa-base", "rv64i");
	len = riscv_isa_list(&p->isa, buf, sizeof(buf));
	if (len > 0)
		fdt_bytes(fdt, "riscv,isa-extensions", buf, (size_t)len);

	if (riscv_isa_has(&p->isa, RISCV_ISA_EXT_ZICBOM) && p->cbom_block_bytes)
		fdt_u32(fdt, "riscv,cbom-block-size", (uint32_t)p->cbom_block_bytes);
	if (riscv_isa_has(&p->isa, RISCV_ISA_EXT_ZICBOZ) && p->cboz_block_bytes)
		fdt_u32(fdt, "riscv,cboz-block-size", (uint32_t)p->cboz_block_bytes);
	if (riscv_isa_has(&p->isa, RISCV_ISA_EXT_ZICBOP) && p->cbop_block_bytes)
		fdt_u32(fdt, "riscv,cbop-block-size", (uint32_t)p->cbop_block_bytes);
}

/* One node per hart; their interrupt controllers get consecutive phandles from @first_phandle. */
static void add_cpus(struct fdt *fdt, const struct riscv_fdt *p, uint32_t first_phandle)
{
	fdt_node(fdt, "cpus");
	fdt_u32(fdt, "#address-cells", 1);
	fdt_u32(fdt, "#size-cells", 0);
	fdt_u32(fdt, "timebase-frequency", p->timebase_hz);
	for (unsigned int i = 0; i < p->machine->nr_cpus; i++) {
		fdt_node_at(fdt, "cpu", i);
		fdt_str(fdt, "device_type", "cpu");
		fdt_str(fdt, "compatible", "riscv");
		fdt_u32(fdt, "reg", i);
		fdt_str(fdt, "status", "okay");
		add_isa(fdt, p);
		if (mmu_type(p->satp_mode))
			fdt_str(fdt, "mmu-type", mmu_type(p->satp_mode));

		fdt_node(fdt, "interrupt-controller");
		fdt_str(fdt, "compatible", "riscv,cpu-intc");
		fdt_u32(fdt, "#interrupt-cells", 1);
		fdt_u32(fdt, "#address-cells", 0);
		fdt_empty(fdt, "interrupt-controller");
		fdt_u32(fdt, "phandle", first_phandle + i);
		fdt_node_end(fdt);
		fdt_node_end(fdt);
	}
	fdt_node_end(fdt);
}

/* interrupts-extended: the external interrupt of every hart, in order. */
static int add_hart_interrupts(struct fdt *fdt, const struct riscv_fdt *p, uint32_t first_phandle)
{
	unsigned int nr = p->machine->nr_cpus;
	uint32_t *cells = calloc(nr, 2 * sizeof(*cells));

	if (!cells)
		return -ENOMEM;
	for (unsigned int i = 0; i < nr; i++) {
		cells[2 * i] = first_phandle + i;
		cells[2 * i + 1] = CPU_INTC_S_EXTERNAL;
	}
	fdt_cells(fdt, "interrupts-extended", cells, 2 * (size_t)nr);
	free(cells);
	return 0;
}

static int add_plic(struct fdt *fdt, const struct riscv_fdt *p, uint32_t cpu_phandle, uint32_t phandle)
{
	static const char compatible[] = "sifive,plic-1.0.0\0riscv,plic0";
	int ret;

	fdt_node_at(fdt, "interrupt-controller", RISCV_PLIC_BASE);
	fdt_bytes(fdt, "compatible", compatible, sizeof(compatible));
	fdt_reg64(fdt, RISCV_PLIC_BASE, riscv_plic_bytes(p->machine->nr_cpus));
	fdt_empty(fdt, "interrupt-controller");
	fdt_u32(fdt, "#interrupt-cells", 1);
	fdt_u32(fdt, "#address-cells", 0);
	ret = add_hart_interrupts(fdt, p, cpu_phandle);
	fdt_u32(fdt, "riscv,ndev", RISCV_NR_SOURCES);
	fdt_u32(fdt, "phandle", phandle);
	fdt_node_end(fdt);
	return ret;
}

static unsigned int plic_irq_cells(void *ctx, uint32_t irq, uint32_t *cells)
{
	(void)ctx;
	cells[0] = irq;
	return 1;
}

static int add_imsic(struct fdt *fdt, const struct riscv_fdt *p, uint32_t cpu_phandle, uint32_t phandle)
{
	int ret;

	fdt_node_at(fdt, "interrupt-controller", RISCV_IMSIC_BASE);
	fdt_str(fdt, "compatible", "riscv,imsics");
	fdt_reg64(fdt, RISCV_IMSIC_BASE, p->machine->nr_cpus * RISCV_IMSIC_BYTES);
	fdt_empty(fdt, "interrupt-controller");
	fdt_u32(fdt, "#interrupt-cells", 0);
	fdt_u32(fdt, "#address-cells", 0);
	fdt_empty(fdt, "msi-controller");
	fdt_u32(fdt, "#msi-cells", 0);
	ret = add_hart_interrupts(fdt, p, cpu_phandle);
	fdt_u32(fdt, "riscv,num-ids", p->imsic_ids);
	fdt_u32(fdt, "riscv,hart-index-bits", p->hart_index_bits);
	fdt_u32(fdt, "phandle", phandle);
	fdt_node_end(fdt);
	return ret;
}

static void add_aplic(struct fdt *fdt, uint32_t imsic_phandle, uint32_t phandle)
{
	fdt_node_at(fdt, "interrupt-controller", RISCV_APLIC_BASE);
	fdt_str(fdt, "compatible", "riscv,aplic");
	fdt_reg64(fdt, RISCV_APLIC_BASE, RISCV_APLIC_BYTES);
	fdt_empty(fdt, "interrupt-controller");
	fdt_u32(fdt, "#interrupt-cells", 2);
	fdt_u32(fdt, "#address-cells", 0);
	fdt_u32(fdt, "riscv,num-sources", RISCV_NR_SOURCES);
	fdt_u32(fdt, "msi-parent", imsic_phandle);
	fdt_u32(fdt, "phandle", phandle);
	fdt_node_end(fdt);
}

static unsigned int aplic_irq_cells(void *ctx, uint32_t irq, uint32_t *cells)
{
	(void)ctx;
	cells[0] = irq;
	cells[1] = IRQ_TYPE_LEVEL_HIGH;
	return 2;
}

int riscv_fdt_build(const struct riscv_fdt *p, void **blob, size_t *size_bytes)
{
	struct fdt_platform platform = {
		.machine = p->machine,
		.cmdline = p->cmdline,
		.initrd = p->initrd,
		.initrd_bytes = p->initrd_bytes,
		.rng_seed = p->rng_seed,
		.kaslr_seed = p->kaslr_seed,
	};
	uint32_t cpu_phandle;
	struct fdt fdt;
	int ret;

	fdt_begin(&fdt);
	cpu_phandle = fdt.next_phandle;
	fdt.next_phandle += p->machine->nr_cpus;
	platform.irq_phandle = fdt.next_phandle++;
	if (p->irqchip == RISCV_FDT_AIA)
		platform.msi_phandle = fdt.next_phandle++;

	fdt_node(&fdt, "");
	fdt_str(&fdt, "model", "lkvm riscv64");
	fdt_str(&fdt, "compatible", "lkvm,riscv64");
	fdt_u32(&fdt, "#address-cells", 2);
	fdt_u32(&fdt, "#size-cells", 2);

	fdt_add_chosen(&fdt, &platform);
	fdt_add_memory(&fdt, &platform);
	add_cpus(&fdt, p, cpu_phandle);
	if (p->irqchip == RISCV_FDT_AIA) {
		platform.irq_cells = aplic_irq_cells;
		ret = add_imsic(&fdt, p, cpu_phandle, platform.msi_phandle);
		add_aplic(&fdt, platform.msi_phandle, platform.irq_phandle);
	} else {
		platform.irq_cells = plic_irq_cells;
		ret = add_plic(&fdt, p, cpu_phandle, platform.irq_phandle);
	}
	/* No RTC: guests take the time from the network or from --params. */
	fdt_add_devices(&fdt, &platform, NULL);
	fdt_add_pci(&fdt, &platform);
	fdt_node_end(&fdt);
	if (ret && !fdt.err)
		fdt.err = ret; /* reported and cleaned up below */
	return fdt_end(&fdt, blob, size_bytes);
}
