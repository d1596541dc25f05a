// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/pseries-fdt.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "lkvm/fdt.h"
#include "powerpc/hcall.h"
#include "powerpc/pseries-layout.h"
#include "powerpc/rtas.h"
#include "tests/unit/test.h"

#define PHB  "/pci@800000020000000"
#define CPU0 "/cpus/PowerPC,POWER9@0"

struct fixture {
	struct machine     machine;
	struct pseries_cpu cpu;
	struct pseries_fdt params;
	struct bus         mmio;
	struct pci_host   *pci;
	void              *blob;
	size_t             size_bytes;
};

static void setup(struct fixture *f, uint64_t ram_bytes)
{
	const struct pseries_platform_params p = { .nr_cpus = 2, .ram_bytes = ram_bytes };
	const struct pseries_host_cpu host = { .timebase_hz = 512000000 };

	memset(f, 0, sizeof(*f));
	CHECK_EQ(pseries_machine_init(&f->machine, &p), 0);
	pseries_cpu_describe(&f->cpu, &host);
	pseries_cpu_guess(&f->cpu, &host);
	strcpy(f->cpu.name, "PowerPC,POWER9");
	f->cpu.pvr = 0x4e1202;
	f->cpu.radix = true;
	f->cpu.radix_ap[0] = 0xc;
	f->cpu.radix_ap[1] = 0xa0000010;
	f->cpu.nr_radix_ap = 2;
	f->params = (struct pseries_fdt){
		.machine = &f->machine,
		.cpu = &f->cpu,
		.cmdline = "console=hvc0",
		.rtas = 0x1000000,
		.nr_vtys = 1,
		.nr_msis = PSERIES_NR_MSI,
	};
}

static void build(struct fixture *f)
{
	CHECK_EQ(pseries_fdt_build(&f->params, &f->blob, &f->size_bytes), 0);
	CHECK_EQ(fdt_check_full(f->blob, f->size_bytes), 0);
}

static void teardown(struct fixture *f)
{
	free(f->blob);
	pci_host_destroy(f->pci);
}

static bool has_node(const struct fixture *f, const char *path)
{
	return fdt_path_offset(f->blob, path) >= 0;
}

static const uint8_t *prop(const struct fixture *f, const char *path, const char *name, int *len)
{
	int node = fdt_path_offset(f->blob, path);

	*len = -1;
	return node < 0 ? NULL : fdt_getprop(f->blob, node, name, len);
}

static uint32_t cell(const struct fixture *f, const char *path, const char *name, int i)
{
	int len;
	const uint8_t *p = prop(f, path, name, &len);

	if (!p || len < 4 * i + 4) {
		test_fail(__FILE__, __LINE__, "%s of %s has no cell %d (length %d)", name, path, i, len);
		return UINT32_MAX;
	}
	return get_be32(p + 4 * i);
}

static int length(const struct fixture *f, const char *path, const char *name)
{
	int len;

	(void)prop(f, path, name, &len);
	return len;
}

static const char *str(const struct fixture *f, const char *path, const char *name)
{
	int len;
	const uint8_t *p = prop(f, path, name, &len);

	return p && len > 0 && !p[len - 1] ? (const char *)p : "";
}

static void test_platform(void)
{
	struct fixture f;

	setup(&f, GIB(3));
	build(&f);
	CHECK_STR(str(&f, "/", "device_type"), "chrp");
	CHECK_STR(str(&f, "/chosen", "bootargs"), "console=hvc0");
	CHECK_STR(str(&f, "/chosen", "linux,stdout-path"), "/vdevice/vty@71000000");
	CHECK_STR(str(&f, "/chosen", "stdout-path"), "/vdevice/vty@71000000");
	CHECK_EQ(cell(&f, "/memory@0", "reg", 3), GIB(2));
	CHECK_EQ(cell(&f, "/memory@100000000", "reg", 0), 1);
	CHECK_EQ(cell(&f, "/memory@100000000", "reg", 3), GIB(1));
	CHECK_STR(str(&f, "/hypervisor", "compatible"), "linux,kvm");

	CHECK_STR(str(&f, "/interrupt-controller", "compatible"), "IBM,ppc-xicp");
	CHECK_EQ(cell(&f, "/interrupt-controller", "ibm,interrupt-server-ranges", 1), 2);
	CHECK_STR(str(&f, "/vdevice/vty@71000000", "compatible"), "hvterm1");
	CHECK_EQ(cell(&f, "/vdevice/vty@71000000", "reg", 0), PSERIES_VTY_UNIT);
	CHECK_EQ(cell(&f, "/vdevice/vty@71000000", "interrupts", 0), PSERIES_IRQ_VTY);
	CHECK_EQ(cell(&f, "/vdevice/vty@71000000", "interrupts", 1), 0);
	CHECK_EQ(cell(&f, "/vdevice/vty@71000000", "interrupt-parent", 0),
		 cell(&f, "/interrupt-controller", "phandle", 0));
	CHECK(!has_node(&f, PHB));
	teardown(&f);

	/* A second terminal, for commands. */
	setup(&f, GIB(1));
	f.params.nr_vtys = 2;
	build(&f);
	CHECK_STR(str(&f, "/chosen", "linux,stdout-path"), "/vdevice/vty@71000000");
	CHECK_EQ(cell(&f, "/vdevice/vty@71000001", "reg", 0), PSERIES_VTY_UNIT + 1);
	CHECK_EQ(cell(&f, "/vdevice/vty@71000001", "interrupts", 0), PSERIES_IRQ_VTY + 1);
	teardown(&f);

	/* A virtio console is to be the only one. */
	setup(&f, GIB(1));
	f.params.nr_vtys = 0;
	build(&f);
	CHECK(has_node(&f, "/vdevice"));
	CHECK(!has_node(&f, "/vdevice/vty@71000000"));
	CHECK_EQ(length(&f, "/chosen", "linux,stdout-path"), -FDT_ERR_NOTFOUND);
	CHECK(!has_node(&f, "/memory@100000000"));
	teardown(&f);
}

static void test_xive(void)
{
	static const char xive[] = "/interrupt-controller@4000000030000";
	struct fixture f;
	const uint8_t *vec5;
	int len;

	setup(&f, GIB(1));
	build(&f);
	vec5 = prop(&f, "/chosen", "ibm,architecture-vec-5", &len);
	CHECK(vec5 && vec5[23] == 0);
	CHECK_EQ(length(&f, "/", "ibm,plat-res-int-priorities"), -FDT_ERR_NOTFOUND);
	teardown(&f);

	setup(&f, GIB(1));
	f.params.xive_ipis = 0x1234;
	build(&f);
	vec5 = prop(&f, "/chosen", "ibm,architecture-vec-5", &len);
	CHECK(vec5 && vec5[23] == 0x40);
	CHECK_EQ(cell(&f, "/", "ibm,plat-res-int-priorities", 0), 7);
	CHECK_EQ(cell(&f, "/", "ibm,plat-res-int-priorities", 1), 0xf8);
	CHECK_STR(str(&f, xive, "compatible"), "ibm,power-ivpe");
	CHECK_EQ(length(&f, xive, "interrupt-controller"), 0);
	CHECK_EQ(cell(&f, xive, "#interrupt-cells", 0), 2);
	/* The second one is what Linux maps. */
	CHECK_EQ(length(&f, xive, "reg"), 2 * 4 * 4);
	CHECK_EQ(cell(&f, xive, "reg", 0), PSERIES_XIVE_TIMA_BASE >> 32);
	CHECK_EQ(cell(&f, xive, "reg", 1), 0x30000);
	CHECK_EQ(cell(&f, xive, "reg", 5), 0x20000);
	CHECK_EQ(cell(&f, xive, "reg", 7), 0x10000);
	CHECK_EQ(cell(&f, xive, "ibm,xive-eq-sizes", 0), 16);
	CHECK_EQ(cell(&f, xive, "ibm,xive-lisn-ranges", 0), 0x1234);
	CHECK_EQ(cell(&f, xive, "ibm,xive-lisn-ranges", 1), 2);
	CHECK_EQ(cell(&f, "/vdevice/vty@71000000", "interrupt-parent", 0), cell(&f, xive, "phandle", 0));
	/* The services of an XICS that KVM would serve. */
	CHECK_EQ(length(&f, "/rtas", "ibm,int-on"), -FDT_ERR_NOTFOUND);
	CHECK_EQ(cell(&f, "/rtas", "start-cpu", 0), ppc_rtas_token("start-cpu"));
	teardown(&f);
}

static void test_rtas(void)
{
	struct fixture f;
	const char *calls;
	int len;

	setup(&f, GIB(1));
	build(&f);
	CHECK_EQ(cell(&f, "/rtas", "linux,rtas-base", 0), 0x1000000);
	CHECK_EQ(cell(&f, "/rtas", "linux,rtas-entry", 0), 0x1000000);
	CHECK_EQ(cell(&f, "/rtas", "rtas-size", 0), PPC_RTAS_BYTES);
	for (unsigned int i = 0; ppc_rtas_name(i); i++)
		CHECK_EQ(cell(&f, "/rtas", ppc_rtas_name(i), 0), ppc_rtas_token(ppc_rtas_name(i)));
	calls = (const char *)prop(&f, "/rtas", "ibm,hypertas-functions", &len);
	CHECK(calls && fdt_stringlist_contains(calls, len, "hcall-set-mode"));
	CHECK(calls && fdt_stringlist_contains(calls, len, "hcall-multi-tce"));
	/* Kept out of the kernel's way, under a name that is not taken for /rtas. */
	CHECK_EQ(cell(&f, "/reserved-memory/rtas-code@1000000", "reg", 1), 0x1000000);
	CHECK_EQ(cell(&f, "/reserved-memory/rtas-code@1000000", "reg", 3), PPC_RTAS_BYTES);
	teardown(&f);
}

static void test_radix(void)
{
	struct fixture f;
	const uint8_t *vec5;
	int len;

	setup(&f, GIB(1));
	build(&f);
	vec5 = prop(&f, "/chosen", "ibm,architecture-vec-5", &len);
	CHECK(vec5 && len == 28 && vec5[0] == 27);
	CHECK_EQ(vec5[2], 0xc0);
	CHECK_EQ(vec5[24], 0x40);
	CHECK_EQ(vec5[26], 0x40);
	CHECK_EQ(cell(&f, CPU0, "ibm,processor-radix-AP-encodings", 1), 0xa0000010);
	CHECK_EQ(length(&f, CPU0, "ibm,pft-size"), -FDT_ERR_NOTFOUND);
	CHECK_EQ(cell(&f, CPU0, "cpu-version", 0), 0x4e1202);
	CHECK_EQ(cell(&f, CPU0, "timebase-frequency", 0), 512000000);
	CHECK_EQ(length(&f, CPU0, "ibm,pa-features"), f.cpu.pa_bytes);
	CHECK_EQ(cell(&f, "/cpus/PowerPC,POWER9@1", "ibm,ppc-interrupt-server#s", 0), 1);
	CHECK(!has_node(&f, "/cpus/PowerPC,POWER9@2"));
	teardown(&f);
}

static void test_hash(void)
{
	static const uint32_t sizes[] = { 12, 0, 1, 12, 0, 16, 0x110, 1, 16, 1 };
	struct fixture f;
	const uint8_t *vec5;
	int len;

	setup(&f, GIB(1));
	f.cpu.radix = false;
	f.cpu.htab_order = 23;
	f.cpu.slb_entries = 32;
	f.cpu.segments_1t = true;
	memcpy(f.cpu.page_sizes, sizes, sizeof(sizes));
	f.cpu.nr_page_sizes = ARRAY_SIZE(sizes);
	build(&f);
	vec5 = prop(&f, "/chosen", "ibm,architecture-vec-5", &len);
	CHECK(vec5 && len == 28);
	CHECK_EQ(vec5[24] | vec5[26], 0);
	CHECK_EQ(cell(&f, CPU0, "ibm,pft-size", 1), 23);
	CHECK_EQ(cell(&f, CPU0, "ibm,slb-size", 0), 32);
	CHECK_EQ(cell(&f, CPU0, "ibm,processor-segment-sizes", 1), 40);
	CHECK_EQ(length(&f, CPU0, "ibm,segment-page-sizes"), sizeof(sizes));
	CHECK_EQ(cell(&f, CPU0, "ibm,segment-page-sizes", 6), 0x110);
	CHECK_EQ(length(&f, CPU0, "ibm,processor-radix-AP-encodings"), -FDT_ERR_NOTFOUND);
	teardown(&f);
}

/* ---- PCI ---------------------------------------------------------------------------------------- */

static uint64_t no_read(void *dev, uint64_t offset, unsigned int size)
{
	(void)dev;
	(void)offset;
	(void)size;
	return 0;
}

static void no_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	(void)dev;
	(void)offset;
	(void)size;
	(void)value;
}

static const struct bus_ops no_ops = { .read = no_read, .write = no_write };

static int no_msi(void *ctx, const struct msi_message *msg)
{
	(void)ctx;
	(void)msg;
	return 0;
}

static void no_level(void *chip, uint32_t irq, bool level)
{
	(void)chip;
	(void)irq;
	(void)level;
}

static void test_pci(void)
{
	static const struct irq_chip_ops chip = { .set_level = no_level };
	static const struct irq_line lines[4] = {
		{ &chip, NULL, 0 }, { &chip, NULL, 1 }, { &chip, NULL, 2 }, { &chip, NULL, 3 },
	};
	static const char dev[] = PHB "/pci1af4,1042@1";
	const struct msi_sink sink = { .send = no_msi };
	const struct pci_device_info info = {
		.vendor = 0x1af4, .device = 0x1042, .subsystem_vendor = 0x1af4, .subsystem = 0x40,
		.class_code = 0x018000, .revision = 1,
		.bars[0] = { .size_bytes = 0x4000, .ops = &no_ops },
		.bars[2] = { .size_bytes = GIB(1), .is_64bit = true, .prefetchable = true, .ops = &no_ops },
		.bars[4] = { .size_bytes = 256, .is_io = true, .ops = &no_ops },
		.msix_vectors = 3, .msix_bar = 1, .name = "fake",
	};
	struct pci_device *device;
	uint32_t bar0, bar2;
	struct fixture f;

	setup(&f, GIB(1));
	bus_init(&f.mmio, "mmio");
	CHECK_EQ(pci_host_create(&f.pci, &f.machine.pci, &f.mmio, NULL, lines, &sink), 0);
	CHECK_EQ(pci_device_add(f.pci, &info, &device), 0);
	bar0 = pci_config_read(f.pci, 8, 0x10, 4);
	bar2 = pci_config_read(f.pci, 8, 0x18, 4);
	f.params.pci = f.pci;
	build(&f);

	CHECK_STR(str(&f, PHB, "compatible"), "IBM,Logical_PHB");
	CHECK_EQ(cell(&f, PHB, "reg", 0), PSERIES_PHB_BUID >> 32);
	CHECK_EQ(cell(&f, PHB, "reg", 1), (uint32_t)PSERIES_PHB_BUID);
	CHECK_EQ(cell(&f, PHB, "ibm,pe-total-#msi", 0), PSERIES_NR_MSI);
	CHECK_EQ(cell(&f, PHB, "ibm,dma-window", 0), PSERIES_PHB_LIOBN);
	CHECK_EQ(cell(&f, PHB, "ibm,dma-window", 4), PPC_TCE_WINDOW_BYTES);
	CHECK_EQ(cell(&f, PHB, "ranges", 0), 0x01000000);
	CHECK_EQ(cell(&f, PHB, "ranges", 2), 0);
	CHECK_EQ(cell(&f, PHB, "ranges", 4), PSERIES_PCI_IO_BASE);
	CHECK_EQ(cell(&f, PHB, "ranges", 7), 0x02000000);
	CHECK_EQ(cell(&f, PHB, "ranges", 9), PSERIES_PCI_MEM32_BASE);
	/* Slot 0, pin 1 first: a level of the first line. */
	CHECK_EQ(cell(&f, PHB, "interrupt-map", 4), cell(&f, "/interrupt-controller", "phandle", 0));
	CHECK_EQ(cell(&f, PHB, "interrupt-map", 5), PSERIES_IRQ_PCI_INTX);
	CHECK_EQ(cell(&f, PHB, "interrupt-map", 6), 1);

	/* The bridge at slot 0 is no device of its own bus. */
	CHECK(!has_node(&f, PHB "/pci1b36,8@0"));
	CHECK_EQ(cell(&f, dev, "vendor-id", 0), 0x1af4);
	CHECK_EQ(cell(&f, dev, "device-id", 0), 0x1042);
	CHECK_EQ(cell(&f, dev, "class-code", 0), 0x018000);
	CHECK_EQ(cell(&f, dev, "revision-id", 0), 1);
	CHECK_EQ(cell(&f, dev, "subsystem-id", 0), 0x40);
	CHECK_EQ(cell(&f, dev, "interrupts", 0), 1);
	CHECK_EQ(cell(&f, dev, "ibm,req#msi-x", 0), 3);
	CHECK_EQ(cell(&f, dev, "reg", 0), 0x800);
	/* BAR 0 and its size, MSI-X in BAR 1, the 64-bit one, ports; and where they are. */
	CHECK_EQ(length(&f, dev, "reg"), 5 * 5 * 4);
	CHECK_EQ(cell(&f, dev, "reg", 5), 0x02000810);
	CHECK_EQ(cell(&f, dev, "reg", 9), 0x4000);
	CHECK_EQ(cell(&f, dev, "reg", 10), 0x02000814);
	CHECK_EQ(cell(&f, dev, "reg", 15), 0x43000818);
	CHECK_EQ(cell(&f, dev, "reg", 19), GIB(1));
	CHECK_EQ(cell(&f, dev, "reg", 20), 0x01000820);
	CHECK_EQ(cell(&f, dev, "reg", 24), 256);
	CHECK_EQ(cell(&f, dev, "assigned-addresses", 0), 0x82000810);
	CHECK_EQ(cell(&f, dev, "assigned-addresses", 2), bar0 & ~0xfu);
	CHECK_EQ(cell(&f, dev, "assigned-addresses", 4), 0x4000);
	CHECK_EQ(cell(&f, dev, "assigned-addresses", 10), 0xc3000818);
	CHECK_EQ((uint64_t)cell(&f, dev, "assigned-addresses", 11) << 32 | cell(&f, dev, "assigned-addresses", 12),
		 f.machine.pci.mem64.base);
	CHECK_EQ(cell(&f, dev, "assigned-addresses", 15), 0x81000820);
	CHECK_EQ(cell(&f, dev, "assigned-addresses", 17), 0x1000);
	CHECK_EQ(cell(&f, dev, "assigned-addresses", 19), 256);
	/* Sizing them has left them where they were. */
	CHECK_EQ(pci_config_read(f.pci, 8, 0x20, 4), 0x1001);
	CHECK_EQ(pci_config_read(f.pci, 8, 0x10, 4), bar0);
	CHECK_EQ(pci_config_read(f.pci, 8, 0x18, 4), bar2);
	CHECK_EQ(pci_config_read(f.pci, 8, 0x1c, 4), f.machine.pci.mem64.base >> 32);
	teardown(&f);
}

const struct test pseries_fdt_tests[] = {
	{ "platform", test_platform },
	{ "xive", test_xive },
	{ "rtas", test_rtas },
	{ "radix", test_radix },
	{ "hash", test_hash },
	{ "pci", test_pci },
	{ 0 },
};
