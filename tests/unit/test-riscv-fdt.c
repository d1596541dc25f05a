// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/fdt.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "lkvm/fdt.h"
#include "riscv/layout.h"
#include "riscv/plic.h"
#include "tests/unit/test.h"

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

struct fixture {
	struct machine   machine;
	struct riscv_fdt params;
	uint8_t          seed[FDT_RNG_SEED_BYTES];
	void            *blob;
	size_t           size_bytes;
};

static void setup(struct fixture *f, unsigned int cpus)
{
	const struct riscv_platform_params p = {
		.nr_cpus = cpus, .ram_bytes = MIB(256), .gpa_bits = 41, .msi = true,
	};
	static const unsigned int exts[] = { 0, 1, 2, 3, 5, 6, 8, 11, 12, 13, 14, 71, 199 };
	struct machine_device slot;

	memset(f, 0, sizeof(*f));
	CHECK_EQ(riscv_machine_init(&f->machine, &p), 0);
	CHECK_EQ(machine_add_device(&f->machine, &f->machine.uart), 0);
	CHECK_EQ(machine_place_virtio_mmio(&f->machine, &slot), 0);
	memset(f->seed, 0x5a, sizeof(f->seed));
	f->params = (struct riscv_fdt){
		.machine = &f->machine,
		.cmdline = "console=ttyS0 quiet",
		.initrd = 0x88000000,
		.initrd_bytes = 0x1234,
		.timebase_hz = 10000000,
		.cbom_block_bytes = 64,
		.cboz_block_bytes = 32,
		.cbop_block_bytes = 16,
		.satp_mode = 9,
		.irqchip = RISCV_FDT_AIA,
		.imsic_ids = 255,
		.hart_index_bits = 2,
		.rng_seed = f->seed,
		.kaslr_seed = 0x1122334455667788,
	};
	for (size_t i = 0; i < ARRAY_SIZE(exts); i++)
		riscv_isa_add(&f->params.isa, exts[i]);
}

static void build(struct fixture *f)
{
	CHECK_EQ(riscv_fdt_build(&f->params, &f->blob, &f->size_bytes), 0);
	CHECK_EQ(fdt_check_full(f->blob, f->size_bytes), 0);
}

static void test_cpus(void)
{
	struct fixture f;
	const char *list;
	int len;

	setup(&f, 3);
	build(&f);
	CHECK_EQ(cell(f.blob, "/cpus", "timebase-frequency", 0), 10000000);
	CHECK_STR(str(f.blob, "/cpus/cpu@2", "device_type"), "cpu");
	CHECK_EQ(cell(f.blob, "/cpus/cpu@2", "reg", 0), 2);
	CHECK_STR(str(f.blob, "/cpus/cpu@0", "mmu-type"), "riscv,sv48");
	CHECK_STR(str(f.blob, "/cpus/cpu@0", "riscv,isa"),
		  "rv64imafdc_zicbom_zicbop_zicboz_zbb_ssaia_sstc");
	CHECK_STR(str(f.blob, "/cpus/cpu@0", "riscv,isa-base"), "rv64i");
	list = (const char *)prop(f.blob, "/cpus/cpu@1", "riscv,isa-extensions", &len);
	CHECK(list && fdt_stringlist_contains(list, len, "zbb"));
	CHECK(list && fdt_stringlist_contains(list, len, "i"));
	CHECK(list && !fdt_stringlist_contains(list, len, "v"));
	CHECK_EQ(cell(f.blob, "/cpus/cpu@0", "riscv,cbom-block-size", 0), 64);
	CHECK_EQ(cell(f.blob, "/cpus/cpu@0", "riscv,cboz-block-size", 0), 32);
	CHECK_EQ(cell(f.blob, "/cpus/cpu@0", "riscv,cbop-block-size", 0), 16);
	CHECK(fdt_path_offset(f.blob, "/cpus/cpu@3") < 0);
	/*
	 * The harts' controllers must be the roots of the interrupt tree: no interrupt-parent above them.
	 */
	CHECK(!has(f.blob, "/", "interrupt-parent"));
	CHECK(!has(f.blob, "/cpus", "interrupt-parent"));
	CHECK(has(f.blob, "/cpus/cpu@0/interrupt-controller", "interrupt-controller"));
	free(f.blob);
}

/* What the vCPU does not have is not described. */
static void test_absent(void)
{
	struct fixture f;

	setup(&f, 1);
	memset(&f.params.isa, 0, sizeof(f.params.isa));
	riscv_isa_add(&f.params.isa, RISCV_ISA_EXT_I);
	riscv_isa_add(&f.params.isa, RISCV_ISA_EXT_ZICBOZ);
	f.params.cboz_block_bytes = 0;
	f.params.satp_mode = 77;
	f.params.rng_seed = NULL;
	f.params.kaslr_seed = 0;
	f.params.initrd_bytes = 0;
	f.params.cmdline = "";
	build(&f);
	CHECK_STR(str(f.blob, "/cpus/cpu@0", "riscv,isa"), "rv64i_zicboz");
	CHECK(!has(f.blob, "/cpus/cpu@0", "riscv,cbom-block-size"));
	CHECK(!has(f.blob, "/cpus/cpu@0", "riscv,cboz-block-size"));
	CHECK(!has(f.blob, "/cpus/cpu@0", "mmu-type"));
	CHECK(!has(f.blob, "/chosen", "rng-seed"));
	CHECK(!has(f.blob, "/chosen", "kaslr-seed"));
	CHECK(!has(f.blob, "/chosen", "linux,initrd-start"));
	free(f.blob);
}

static void test_chosen(void)
{
	struct fixture f;
	int len;

	setup(&f, 1);
	build(&f);
	CHECK_STR(str(f.blob, "/chosen", "bootargs"), "console=ttyS0 quiet");
	CHECK_STR(str(f.blob, "/chosen", "stdout-path"), "/serial@10000000");
	CHECK_EQ(cell(f.blob, "/chosen", "linux,initrd-start", 1), 0x88000000);
	CHECK_EQ(cell(f.blob, "/chosen", "linux,initrd-end", 1), 0x88001234);
	CHECK(prop(f.blob, "/chosen", "rng-seed", &len) && len == FDT_RNG_SEED_BYTES);
	CHECK_EQ(cell(f.blob, "/chosen", "kaslr-seed", 0), 0x11223344);
	CHECK_EQ(cell(f.blob, "/memory@80000000", "reg", 1), RISCV_RAM_BASE);
	CHECK_EQ(cell(f.blob, "/memory@80000000", "reg", 3), MIB(256));
	free(f.blob);
}

#define IMSIC "/interrupt-controller@20000000"
#define APLIC "/interrupt-controller@8000000"
#define PLIC  "/interrupt-controller@c000000"

static void test_aia(void)
{
	struct fixture f;
	uint32_t imsic, aplic;

	setup(&f, 3);
	build(&f);
	imsic = cell(f.blob, IMSIC, "phandle", 0);
	aplic = cell(f.blob, APLIC, "phandle", 0);
	CHECK(imsic != aplic);
	CHECK_STR(str(f.blob, IMSIC, "compatible"), "riscv,imsics");
	CHECK_STR(str(f.blob, APLIC, "compatible"), "riscv,aplic");
	CHECK_EQ(cell(f.blob, IMSIC, "reg", 1), RISCV_IMSIC_BASE);
	CHECK_EQ(cell(f.blob, IMSIC, "reg", 3), 3 * 0x1000);
	CHECK_EQ(cell(f.blob, IMSIC, "riscv,num-ids", 0), 255);
	CHECK_EQ(cell(f.blob, IMSIC, "riscv,hart-index-bits", 0), 2);
	CHECK_EQ(cell(f.blob, APLIC, "msi-parent", 0), imsic);
	CHECK_EQ(cell(f.blob, APLIC, "riscv,num-sources", 0), RISCV_NR_SOURCES);
	CHECK_EQ(cell(f.blob, APLIC, "#interrupt-cells", 0), 2);
	/* Each hart's supervisor external interrupt. */
	for (unsigned int i = 0; i < 3; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/cpus/cpu@%u/interrupt-controller", i);
		CHECK_EQ(cell(f.blob, IMSIC, "interrupts-extended", 2 * i), cell(f.blob, path, "phandle", 0));
		CHECK_EQ(cell(f.blob, IMSIC, "interrupts-extended", 2 * i + 1), 9);
	}
	/* Devices: line and "level, high"; PCI gets its MSIs from the IMSIC. */
	CHECK_EQ(cell(f.blob, "/serial@10000000", "interrupt-parent", 0), aplic);
	CHECK_EQ(cell(f.blob, "/serial@10000000", "interrupts", 0), RISCV_IRQ_UART);
	CHECK_EQ(cell(f.blob, "/serial@10000000", "interrupts", 1), 4);
	CHECK_EQ(cell(f.blob, "/virtio_mmio@10100000", "interrupts", 0), RISCV_IRQ_FIRST);
	CHECK_EQ(cell(f.blob, "/pci@30000000", "msi-parent", 0), imsic);
	CHECK(!has(f.blob, PLIC, "compatible"));
	free(f.blob);
}

static void test_plic(void)
{
	struct fixture f;
	uint32_t plic;
	int len;

	setup(&f, 2);
	f.params.irqchip = RISCV_FDT_PLIC;
	build(&f);
	plic = cell(f.blob, PLIC, "phandle", 0);
	CHECK_STR(str(f.blob, PLIC, "compatible"), "sifive,plic-1.0.0");
	CHECK_EQ(cell(f.blob, PLIC, "#interrupt-cells", 0), 1);
	CHECK_EQ(cell(f.blob, PLIC, "riscv,ndev", 0), RISCV_NR_SOURCES);
	CHECK_EQ(cell(f.blob, PLIC, "reg", 3), riscv_plic_bytes(2));
	CHECK(prop(f.blob, PLIC, "interrupts-extended", &len) && len == 16);
	CHECK_EQ(cell(f.blob, PLIC, "interrupts-extended", 3), 9);
	CHECK_EQ(cell(f.blob, "/serial@10000000", "interrupt-parent", 0), plic);
	CHECK(prop(f.blob, "/serial@10000000", "interrupts", &len) && len == 4);
	CHECK(!has(f.blob, "/pci@30000000", "msi-parent"));
	CHECK(!has(f.blob, IMSIC, "compatible"));
	free(f.blob);
}

/* The tree grows with the harts; each phandle is there once. */
static void test_many(void)
{
	struct fixture f;
	int found = 0;

	setup(&f, RISCV_MAX_CPUS);
	build(&f);
	CHECK_EQ(cell(f.blob, "/cpus/cpu@1ff", "reg", 0), 511);
	for (int node = fdt_next_node(f.blob, -1, NULL); node >= 0; node = fdt_next_node(f.blob, node, NULL)) {
		uint32_t phandle = fdt_get_phandle(f.blob, node);

		if (!phandle)
			continue;
		found++;
		/* Looking each up would be quadratic in the size of the tree: every 16th will do. */
		if (phandle % 16 == 0)
			CHECK_EQ(fdt_node_offset_by_phandle(f.blob, phandle), node);
	}
	CHECK_EQ(found, RISCV_MAX_CPUS + 2);
	free(f.blob);
}

const struct test riscv_fdt_tests[] = {
	{ "cpus", test_cpus },
	{ "absent", test_absent },
	{ "chosen", test_chosen },
	{ "aia", test_aia },
	{ "plic", test_plic },
	{ "many", test_many },
	{ 0 },
};
