// SPDX-License-Identifier: GPL-2.0-only
#include "arm/fdt.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arm/layout.h"
#include "arm/v2m.h"
#include "lkvm/byteorder.h"
#include "lkvm/fdt.h"
#include "tests/unit/test.h"

#define GIC "/interrupt-controller@8000000"
#define ITS GIC "/msi-controller@8080000"
#define V2M GIC "/v2m@8020000"
#define PCI "/pci@3f000000"

static int node_at(const void *blob, const char *path)
{
	int node = fdt_path_offset(blob, path);

	if (node < 0)
		test_fail(__FILE__, __LINE__, "no node %s: %s", path, fdt_strerror(node));
	return node;
}

/* The bytes of a property, of length *@len; NULL (and a failure) if it is not there. */
static const uint8_t *prop(const void *blob, const char *path, const char *name, int *len)
{
	int node = node_at(blob, path);
	const void *p = node < 0 ? NULL : fdt_getprop(blob, node, name, len);

	if (!p && node >= 0)
		test_fail(__FILE__, __LINE__, "no property %s in %s", name, path);
	if (!p)
		*len = 0;
	return p;
}

static bool has(const void *blob, const char *path, const char *name)
{
	int node = fdt_path_offset(blob, path);

	return node >= 0 && fdt_getprop(blob, node, name, NULL);
}

static uint32_t cell(const void *blob, const char *path, const char *name, unsigned int i)
{
	int len;
	const uint8_t *p = prop(blob, path, name, &len);

	if ((int)(4 * i + 4) > len) {
		test_fail(__FILE__, __LINE__, "%s of %s has no cell %u", name, path, i);
		return 0;
	}
	return get_be32(p + 4 * i);
}

static const char *str(const void *blob, const char *path, const char *name)
{
	int len;
	const uint8_t *p = prop(blob, path, name, &len);

	return p && len && !p[len - 1] ? (const char *)p : "";
}

static bool compatible(const void *blob, const char *path, const char *word)
{
	int len;
	const uint8_t *p = prop(blob, path, "compatible", &len);

	return p && fdt_stringlist_contains((const char *)p, len, word);
}

struct fixture {
	struct machine machine;
	struct arm_fdt params;
	uint64_t       mpidr[ARM_MAX_CPUS];
	uint8_t        seed[FDT_RNG_SEED_BYTES];
	void          *blob;
	size_t         size_bytes;
};

static void setup(struct fixture *f, unsigned int cpus)
{
	const struct arm_platform_params p = { .nr_cpus = cpus, .ram_bytes = MIB(256), .ipa_bits = 40 };
	const struct machine_device rtc = {
		.kind = MACHINE_RTC, .base = ARM_RTC_BASE, .size_bytes = 0x1000, .irq = ARM_SPI_RTC,
	};
	struct machine_device slot;

	memset(f, 0, sizeof(*f));
	CHECK_EQ(arm_machine_init(&f->machine, &p), 0);
	CHECK_EQ(machine_add_device(&f->machine, &f->machine.uart), 0);
	CHECK_EQ(machine_place_virtio_mmio(&f->machine, &slot), 0);
	CHECK_EQ(machine_add_device(&f->machine, &rtc), 0);
	memset(f->seed, 0x5a, sizeof(f->seed));
	/* As KVM numbers them: 16 to a cluster, bit 31 always set. */
	for (unsigned int i = 0; i < cpus; i++)
		f->mpidr[i] = UINT64_C(0x80000000) | (i & 15) | (i >> 4) << 8;
	f->params = (struct arm_fdt){
		.machine = &f->machine,
		.cmdline = "console=ttyS0 quiet",
		.initrd = 0x48000000,
		.initrd_bytes = 0x1234,
		.mpidr = f->mpidr,
		.pmu = true,
		.irqchip = ARM_FDT_GICV3,
		.msi = ARM_FDT_ITS,
		.rng_seed = f->seed,
		.kaslr_seed = 0x1122334455667788,
	};
}

static void build(struct fixture *f)
{
	CHECK_EQ(arm_fdt_build(&f->params, &f->blob, &f->size_bytes), 0);
	CHECK_EQ(fdt_check_full(f->blob, f->size_bytes), 0);
}

static void test_cpus(void)
{
	struct fixture f;

	setup(&f, 18);
	f.mpidr[2] = UINT64_C(0x1280000304); /* affinity level 3 */
	build(&f);
	CHECK_EQ(cell(f.blob, "/cpus", "#address-cells", 0), 2);
	CHECK_STR(str(f.blob, "/cpus/cpu@1", "device_type"), "cpu");
	CHECK_STR(str(f.blob, "/cpus/cpu@1", "enable-method"), "psci");
	CHECK(compatible(f.blob, "/cpus/cpu@1", "arm,armv8"));
	CHECK_EQ(cell(f.blob, "/cpus/cpu@1", "reg", 0), 0);
	CHECK_EQ(cell(f.blob, "/cpus/cpu@1", "reg", 1), 1);
	CHECK_EQ(cell(f.blob, "/cpus/cpu@101", "reg", 1), 0x101);
	CHECK_EQ(cell(f.blob, "/cpus/cpu@1200000304", "reg", 0), 0x12);
	CHECK_EQ(cell(f.blob, "/cpus/cpu@1200000304", "reg", 1), 0x304);
	CHECK(fdt_path_offset(f.blob, "/cpus/cpu@2") < 0);
	CHECK(fdt_path_offset(f.blob, "/cpus/cpu@102") < 0);
	free(f.blob);
}

static void test_chosen(void)
{
	struct fixture f;
	int len;

	setup(&f, 1);
	build(&f);
	CHECK_STR(str(f.blob, "/chosen", "bootargs"), "console=ttyS0 quiet");
	CHECK_STR(str(f.blob, "/chosen", "stdout-path"), "/serial@9000000");
	CHECK_EQ(cell(f.blob, "/chosen", "linux,initrd-start", 1), 0x48000000);
	CHECK_EQ(cell(f.blob, "/chosen", "linux,initrd-end", 1), 0x48001234);
	CHECK(prop(f.blob, "/chosen", "rng-seed", &len) && len == FDT_RNG_SEED_BYTES);
	CHECK_EQ(cell(f.blob, "/chosen", "kaslr-seed", 0), 0x11223344);
	CHECK_EQ(cell(f.blob, "/memory@40000000", "reg", 1), ARM_RAM_BASE);
	CHECK_EQ(cell(f.blob, "/memory@40000000", "reg", 3), MIB(256));
	free(f.blob);
}

/* What is not there is not described. */
static void test_absent(void)
{
	struct fixture f;

	setup(&f, 1);
	f.params.pmu = false;
	f.params.msi = ARM_FDT_NO_MSI;
	f.params.rng_seed = NULL;
	f.params.kaslr_seed = 0;
	f.params.initrd_bytes = 0;
	build(&f);
	CHECK(fdt_path_offset(f.blob, "/pmu") < 0);
	CHECK(fdt_path_offset(f.blob, ITS) < 0);
	CHECK(fdt_path_offset(f.blob, V2M) < 0);
	CHECK(!has(f.blob, PCI, "msi-map"));
	CHECK(!has(f.blob, PCI, "msi-parent"));
	CHECK(!has(f.blob, GIC, "interrupts"));
	CHECK(!has(f.blob, "/timer", "clock-frequency"));
	CHECK(!has(f.blob, "/chosen", "rng-seed"));
	CHECK(!has(f.blob, "/chosen", "kaslr-seed"));
	CHECK(!has(f.blob, "/chosen", "linux,initrd-start"));
	free(f.blob);
}

static void test_psci(void)
{
	struct fixture f;

	setup(&f, 1);
	build(&f);
	CHECK(compatible(f.blob, "/psci", "arm,psci-1.0"));
	CHECK(compatible(f.blob, "/psci", "arm,psci-0.2"));
	CHECK_STR(str(f.blob, "/psci", "method"), "hvc");
	free(f.blob);
}

/* Three cells: PPI, number, level high; the secure, physical, virtual and hypervisor timers in this order. */
static void test_timer_pmu(void)
{
	static const uint32_t ppis[] = { 13, 14, 11, 10 };
	struct fixture f;
	int len;

	setup(&f, 3);
	f.params.timer_hz = 1000000;
	build(&f);
	CHECK_EQ(cell(f.blob, "/timer", "clock-frequency", 0), 1000000);
	CHECK(compatible(f.blob, "/timer", "arm,armv8-timer"));
	CHECK(has(f.blob, "/timer", "always-on"));
	CHECK(prop(f.blob, "/timer", "interrupts", &len) && len == 4 * 12);
	for (unsigned int i = 0; i < ARRAY_SIZE(ppis); i++) {
		CHECK_EQ(cell(f.blob, "/timer", "interrupts", 3 * i), 1);
		CHECK_EQ(cell(f.blob, "/timer", "interrupts", 3 * i + 1), ppis[i]);
		CHECK_EQ(cell(f.blob, "/timer", "interrupts", 3 * i + 2), 4);
	}
	CHECK(compatible(f.blob, "/pmu", "arm,armv8-pmuv3"));
	CHECK_EQ(cell(f.blob, "/pmu", "interrupts", 0), 1);
	CHECK_EQ(cell(f.blob, "/pmu", "interrupts", 1), 7);
	CHECK_EQ(cell(f.blob, "/pmu", "interrupts", 2), 4);
	free(f.blob);
}

/* A device's line, and that of PCI device 1's INTA: an SPI, level high, of the controller @gic. */
static void check_lines(const void *blob, uint32_t gic)
{
	CHECK_EQ(cell(blob, "/serial@9000000", "interrupt-parent", 0), gic);
	CHECK_EQ(cell(blob, "/serial@9000000", "interrupts", 0), 0);
	CHECK_EQ(cell(blob, "/serial@9000000", "interrupts", 1), ARM_SPI_UART);
	CHECK_EQ(cell(blob, "/serial@9000000", "interrupts", 2), 4);
	CHECK_EQ(cell(blob, "/virtio_mmio@a000000", "interrupts", 1), ARM_SPI_FIRST);
	/* Entries: 3 cells of address, pin, controller, 2 cells of its address, 3 of interrupt. */
	CHECK_EQ(cell(blob, PCI, "interrupt-map", 40), 1 << 11);
	CHECK_EQ(cell(blob, PCI, "interrupt-map", 43), 1);
	CHECK_EQ(cell(blob, PCI, "interrupt-map", 44), gic);
	CHECK_EQ(cell(blob, PCI, "interrupt-map", 47), 0);
	CHECK_EQ(cell(blob, PCI, "interrupt-map", 48), ARM_SPI_PCI_INTX + 1);
	CHECK_EQ(cell(blob, PCI, "interrupt-map", 49), 4);
	CHECK_EQ(cell(blob, GIC, "#address-cells", 0), 2);
	CHECK_EQ(cell(blob, GIC, "#interrupt-cells", 0), 3);
	CHECK_EQ(cell(blob, "/", "interrupt-parent", 0), gic);
}

static void test_gicv3(void)
{
	struct fixture f;
	uint32_t gic, its;

	setup(&f, 3);
	build(&f);
	gic = cell(f.blob, GIC, "phandle", 0);
	its = cell(f.blob, ITS, "phandle", 0);
	CHECK(gic && its && gic != its);
	CHECK(compatible(f.blob, GIC, "arm,gic-v3"));
	CHECK_EQ(cell(f.blob, GIC, "reg", 1), ARM_GIC_DIST_BASE);
	CHECK_EQ(cell(f.blob, GIC, "reg", 3), 0x10000);
	CHECK_EQ(cell(f.blob, GIC, "reg", 5), ARM_REDIST_BASE);
	CHECK_EQ(cell(f.blob, GIC, "reg", 7), 3 * 0x20000);
	CHECK_EQ(cell(f.blob, GIC, "#redistributor-regions", 0), 1);
	CHECK(compatible(f.blob, ITS, "arm,gic-v3-its"));
	CHECK_EQ(cell(f.blob, ITS, "#msi-cells", 0), 1);
	CHECK_EQ(cell(f.blob, ITS, "reg", 1), ARM_ITS_BASE);
	/* Requester ids as they are. */
	CHECK_EQ(cell(f.blob, PCI, "msi-map", 0), 0);
	CHECK_EQ(cell(f.blob, PCI, "msi-map", 1), its);
	CHECK_EQ(cell(f.blob, PCI, "msi-map", 2), 0);
	CHECK_EQ(cell(f.blob, PCI, "msi-map", 3), 0x10000);
	CHECK(!has(f.blob, PCI, "msi-parent"));
	check_lines(f.blob, gic);
	free(f.blob);
}

static void test_gicv2(void)
{
	struct fixture f;
	uint32_t gic, v2m;

	setup(&f, 3);
	f.params.irqchip = ARM_FDT_GICV2;
	f.params.msi = ARM_FDT_V2M;
	build(&f);
	gic = cell(f.blob, GIC, "phandle", 0);
	v2m = cell(f.blob, V2M, "phandle", 0);
	CHECK(gic && v2m && gic != v2m);
	CHECK(compatible(f.blob, GIC, "arm,cortex-a15-gic"));
	CHECK_EQ(cell(f.blob, GIC, "reg", 1), ARM_GIC_DIST_BASE);
	CHECK_EQ(cell(f.blob, GIC, "reg", 3), 0x1000);
	CHECK_EQ(cell(f.blob, GIC, "reg", 5), ARM_GICV2_CPU_BASE);
	CHECK_EQ(cell(f.blob, GIC, "reg", 7), 0x2000);
	CHECK(compatible(f.blob, V2M, "arm,gic-v2m-frame"));
	CHECK_EQ(cell(f.blob, V2M, "arm,msi-base-spi", 0), 32 + ARM_SPI_V2M_FIRST);
	CHECK_EQ(cell(f.blob, V2M, "arm,msi-num-spis", 0), ARM_SPI_V2M_NR);
	CHECK_EQ(cell(f.blob, PCI, "msi-parent", 0), v2m);
	CHECK(!has(f.blob, PCI, "msi-map"));
	/* PPIs name the CPUs that have them. */
	CHECK_EQ(cell(f.blob, "/timer", "interrupts", 2), 0x704);
	CHECK_EQ(cell(f.blob, "/pmu", "interrupts", 2), 0x704);
	check_lines(f.blob, gic);
	free(f.blob);
}

/* Linux finds a PrimeCell device by both words, and takes it only with its bus clock. */
static void test_rtc(void)
{
	struct fixture f;

	setup(&f, 1);
	build(&f);
	CHECK(compatible(f.blob, "/rtc@9010000", "arm,pl031"));
	CHECK(compatible(f.blob, "/rtc@9010000", "arm,primecell"));
	CHECK_EQ(cell(f.blob, "/rtc@9010000", "reg", 1), ARM_RTC_BASE);
	CHECK_EQ(cell(f.blob, "/rtc@9010000", "interrupts", 1), ARM_SPI_RTC);
	CHECK_STR(str(f.blob, "/rtc@9010000", "clock-names"), "apb_pclk");
	CHECK_EQ(cell(f.blob, "/rtc@9010000", "clocks", 0), cell(f.blob, "/apb-pclk", "phandle", 0));
	CHECK_EQ(cell(f.blob, "/apb-pclk", "#clock-cells", 0), 0);
	free(f.blob);
}

/* A guest that starts at EL2 calls by SMC and sees what a hypervisor needs. */
static void test_el2(void)
{
	struct fixture f;

	setup(&f, 1);
	f.params.el2 = true;
	build(&f);
	CHECK_STR(str(f.blob, "/psci", "method"), "smc");
	CHECK_EQ(cell(f.blob, "/timer", "interrupts", 13), 12);
	CHECK_EQ(cell(f.blob, GIC, "interrupts", 0), 1);
	CHECK_EQ(cell(f.blob, GIC, "interrupts", 1), 9);
	free(f.blob);
}

/* The tree of the largest machine fits what a kernel takes. */
static void test_many(void)
{
	struct fixture f;

	setup(&f, ARM_MAX_CPUS);
	build(&f);
	CHECK_EQ(cell(f.blob, "/cpus/cpu@1f0f", "reg", 1), 0x1f0f);
	CHECK(f.size_bytes < MIB(2));
	free(f.blob);
}

const struct test arm_fdt_tests[] = {
	{ "cpus", test_cpus },
	{ "chosen", test_chosen },
	{ "absent", test_absent },
	{ "psci", test_psci },
	{ "timer_pmu", test_timer_pmu },
	{ "gicv3", test_gicv3 },
	{ "gicv2", test_gicv2 },
	{ "rtc", test_rtc },
	{ "el2", test_el2 },
	{ "many", test_many },
	{ 0 },
};
