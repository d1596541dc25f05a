// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Linux's "QEMU e500" machine (arch/powerpc/platforms/85xx/qemu_e500.c) looks for. Bindings:
 * Linux Documentation/devicetree/bindings/powerpc/fsl/ and ePAPR 1.1.
 */
#include "powerpc/e500-fdt.h"

#include <stdio.h>

#include "lkvm/fdt.h"
#include "powerpc/e500-layout.h"
#include "powerpc/e500-power.h"

/* Sense of an interrupt in the binding of open-pic: active high level. */
#define OPEN_PIC_LEVEL_HIGH 2

/* Caches of an e500v2 core (e500 Core Family Reference Manual, "L1 caches"). */
#define CACHE_LINE_BYTES 32
#define CACHE_BYTES      KIB(32)

static void add_cpu(struct fdt *fdt, const struct ppc_e500_fdt *p)
{
	fdt_node(fdt, "cpus");
	fdt_u32(fdt, "#address-cells", 1);
	fdt_u32(fdt, "#size-cells", 0);
	fdt_node(fdt, "PowerPC,8544@0");
	fdt_str(fdt, "device_type", "cpu");
	fdt_u32(fdt, "reg", 0);
	fdt_str(fdt, "status", "okay");
	if (p->clock_hz)
		fdt_u32(fdt, "clock-frequency", p->clock_hz);
	fdt_u32(fdt, "timebase-frequency", p->timebase_hz);
	fdt_u32(fdt, "d-cache-line-size", CACHE_LINE_BYTES);
	fdt_u32(fdt, "i-cache-line-size", CACHE_LINE_BYTES);
	fdt_u32(fdt, "d-cache-size", CACHE_BYTES);
	fdt_u32(fdt, "i-cache-size", CACHE_BYTES);
	fdt_node_end(fdt);
	fdt_node_end(fdt);
}

/* ePAPR 1.1, chapter "Virtualization": the hypervisor node. */
static void add_hypervisor(struct fdt *fdt, const struct ppc_e500_fdt *p)
{
	if (!p->has_hcall)
		return;
	fdt_node(fdt, "hypervisor");
	fdt_str(fdt, "compatible", "linux,kvm");
	fdt_cells(fdt, "hcall-instructions", p->hcall, PPC_E500_HCALL_WORDS);
	if (p->has_idle)
		fdt_empty(fdt, "has-idle");
	fdt_node_end(fdt);
}

static unsigned int mpic_irq_cells(void *ctx, uint32_t irq, uint32_t *cells)
{
	(void)ctx;
	cells[0] = irq;
	cells[1] = OPEN_PIC_LEVEL_HIGH;
	return 2;
}

static void add_mpic(struct fdt *fdt, uint32_t phandle)
{
	fdt_node_at(fdt, "pic", PPC_E500_MPIC_BASE);
	fdt_str(fdt, "device_type", "open-pic");
	fdt_str(fdt, "compatible", "fsl,mpic");
	fdt_reg64(fdt, PPC_E500_MPIC_BASE, PPC_E500_MPIC_BYTES);
	fdt_empty(fdt, "interrupt-controller");
	fdt_u32(fdt, "#interrupt-cells", 2);
	fdt_u32(fdt, "#address-cells", 0);
	fdt_u32(fdt, "phandle", phandle);
	fdt_node_end(fdt);
}

static void add_power(struct fdt *fdt, uint32_t mpic_phandle, uint32_t gpio_phandle)
{
	uint32_t irq[2];

	/* Linux finds it by its name (arch/powerpc/sysdev/fsl_soc.c). */
	fdt_node_at(fdt, "global-utilities", PPC_E500_GUTS_BASE);
	fdt_str(fdt, "compatible", "fsl,mpc8544-guts");
	fdt_reg64(fdt, PPC_E500_GUTS_BASE, PPC_E500_GUTS_BYTES);
	fdt_empty(fdt, "fsl,has-rstcr");
	fdt_node_end(fdt);

	/* Linux's driver wants an interrupt, which never comes. */
	fdt_node_at(fdt, "gpio", PPC_E500_GPIO_BASE);
	fdt_str(fdt, "compatible", "fsl,qoriq-gpio");
	fdt_reg64(fdt, PPC_E500_GPIO_BASE, PPC_E500_GPIO_BYTES);
	fdt_u32(fdt, "interrupt-parent", mpic_phandle);
	fdt_cells(fdt, "interrupts", irq, mpic_irq_cells(NULL, PPC_E500_IRQ_GPIO, irq));
	fdt_empty(fdt, "gpio-controller");
	fdt_u32(fdt, "#gpio-cells", 2);
	fdt_u32(fdt, "phandle", gpio_phandle);
	fdt_node_end(fdt);

	fdt_node(fdt, "power-off");
	fdt_str(fdt, "compatible", "gpio-poweroff");
	fdt_cells(fdt, "gpios", (const uint32_t[]){ gpio_phandle, PPC_E500_GPIO_POWER_PIN, 0 }, 3);
	fdt_node_end(fdt);
}

int ppc_e500_fdt_build(const struct ppc_e500_fdt *p, void **blob, size_t *size_bytes)
{
	static const char soc_compatible[] = "fsl,mpc8544-immr\0simple-bus";
	struct fdt_platform platform = {
		.machine = p->machine,
		.cmdline = p->cmdline,
		.initrd = p->initrd,
		.initrd_bytes = p->initrd_bytes,
		.rng_seed = p->rng_seed,
		.irq_cells = mpic_irq_cells,
		.stdout_path = "/soc@e0000000/serial@e0004500",
	};
	uint32_t gpio_phandle;
	struct fdt fdt;

	_Static_assert(PPC_E500_CCSR_BASE == 0xe0000000 && PPC_E500_UART_BASE == 0xe0004500, "stdout-path");
	fdt_begin(&fdt);
	platform.irq_phandle = fdt.next_phandle++;
	gpio_phandle = fdt.next_phandle++;

	fdt_node(&fdt, "");
	fdt_str(&fdt, "model", "lkvm e500");
	fdt_str(&fdt, "compatible", "fsl,qemu-e500");
	fdt_u32(&fdt, "#address-cells", 2);
	fdt_u32(&fdt, "#size-cells", 2);

	fdt_add_chosen(&fdt, &platform);
	fdt_add_memory(&fdt, &platform);
	add_cpu(&fdt, p);
	add_hypervisor(&fdt, p);

	/*
	 * Linux looks for devices only in here: those of the SoC and all others. Addresses are the
	 * CPU's, so that the nodes are those of the other machines.
	 */
	fdt_node_at(&fdt, "soc", PPC_E500_CCSR_BASE);
	fdt_str(&fdt, "device_type", "soc");
	fdt_bytes(&fdt, "compatible", soc_compatible, sizeof(soc_compatible));
	fdt_u32(&fdt, "#address-cells", 2);
	fdt_u32(&fdt, "#size-cells", 2);
	fdt_empty(&fdt, "ranges");
	fdt_u32(&fdt, "bus-frequency", 0);
	add_mpic(&fdt, platform.irq_phandle);
	fdt_add_devices(&fdt, &platform, NULL);
	add_power(&fdt, platform.irq_phandle, gpio_phandle);
	fdt_node_end(&fdt);

	fdt_node_end(&fdt);
	return fdt_end(&fdt, blob, size_bytes);
}
