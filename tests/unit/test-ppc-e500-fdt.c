// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/e500-fdt.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "lkvm/fdt.h"
#include "powerpc/e500-layout.h"
#include "powerpc/e500-power.h"
#include "tests/unit/test.h"

#define SOC "/soc@e0000000"

struct fixture {
	struct machine      machine;
	struct ppc_e500_fdt params;
	void               *blob;
	size_t              size_bytes;
};

static void setup(struct fixture *f)
{
	const struct ppc_e500_params p = { .nr_cpus = 1, .ram_bytes = MIB(96) };

	memset(f, 0, sizeof(*f));
	CHECK_EQ(ppc_e500_machine_init(&f->machine, &p), 0);
	f->params = (struct ppc_e500_fdt){
		.machine = &f->machine,
		.cmdline = "console=ttyS0",
		.timebase_hz = 400000000,
	};
}

static void build(struct fixture *f)
{
	CHECK_EQ(ppc_e500_fdt_build(&f->params, &f->blob, &f->size_bytes), 0);
	CHECK_EQ(fdt_check_full(f->blob, f->size_bytes), 0);
}

/* The bytes of a property, at least @min; NULL (and a failure) if it is not so. */
static const uint8_t *prop(const struct fixture *f, const char *path, const char *name, int min)
{
	int len = 0, node = fdt_path_offset(f->blob, path);
	const void *p = node < 0 ? NULL : fdt_getprop(f->blob, node, name, &len);

	if (!p || len < min) {
		test_fail(__FILE__, __LINE__, "%s of %s: node %d, length %d", name, path, node, len);
		return NULL;
	}
	return p;
}

static uint32_t cell(const struct fixture *f, const char *path, const char *name, int i)
{
	const uint8_t *p = prop(f, path, name, 4 * i + 4);

	return p ? get_be32(p + 4 * i) : UINT32_MAX;
}

static const char *str(const struct fixture *f, const char *path, const char *name)
{
	const uint8_t *p = prop(f, path, name, 1);

	return p ? (const char *)p : "";
}

static bool has_node(const struct fixture *f, const char *path)
{
	return fdt_path_offset(f->blob, path) >= 0;
}

static void check_reg(const struct fixture *f, const char *path, uint64_t base, uint64_t size_bytes)
{
	const uint8_t *p = prop(f, path, "reg", 16);

	CHECK_EQ(p ? get_be64(p) : 0, base);
	CHECK_EQ(p ? get_be64(p + 8) : 0, size_bytes);
}

static void test_board(void)
{
	struct fixture f;

	setup(&f);
	build(&f);
	CHECK_STR(str(&f, "/", "compatible"), "fsl,qemu-e500");
	CHECK_EQ(cell(&f, "/", "#address-cells", 0), 2);
	check_reg(&f, "/memory@0", 0, MIB(96));
	CHECK_STR(str(&f, "/chosen", "bootargs"), "console=ttyS0");
	CHECK_STR(str(&f, "/chosen", "stdout-path"), SOC "/serial@e0004500");
	CHECK_EQ(cell(&f, "/cpus/PowerPC,8544@0", "timebase-frequency", 0), 400000000);
	CHECK_EQ(cell(&f, "/cpus/PowerPC,8544@0", "d-cache-line-size", 0), 32);
	CHECK(fdt_getprop(f.blob, fdt_path_offset(f.blob, "/cpus/PowerPC,8544@0"), "clock-frequency", NULL) == NULL);
	/* Linux takes devices from nodes like this one, by type and by compatible. */
	CHECK_STR(str(&f, SOC, "device_type"), "soc");
	CHECK(fdt_node_check_compatible(f.blob, fdt_path_offset(f.blob, SOC), "simple-bus") == 0);
	CHECK(prop(&f, SOC, "ranges", 0) != NULL);
	CHECK(!has_node(&f, "/hypervisor"));
	free(f.blob);
}

static void test_interrupts(void)
{
	struct machine_device virtio;
	struct fixture f;
	uint32_t mpic;

	setup(&f);
	CHECK_EQ(machine_add_device(&f.machine, &f.machine.uart), 0);
	CHECK_EQ(machine_place_virtio_mmio(&f.machine, &virtio), 0);
	build(&f);
	CHECK_STR(str(&f, SOC "/pic@e0040000", "compatible"), "fsl,mpic");
	CHECK_STR(str(&f, SOC "/pic@e0040000", "device_type"), "open-pic");
	CHECK_EQ(cell(&f, SOC "/pic@e0040000", "#interrupt-cells", 0), 2);
	check_reg(&f, SOC "/pic@e0040000", PPC_E500_MPIC_BASE, PPC_E500_MPIC_BYTES);
	mpic = cell(&f, SOC "/pic@e0040000", "phandle", 0);

	CHECK_STR(str(&f, SOC "/serial@e0004500", "device_type"), "serial");
	CHECK(fdt_node_check_compatible(f.blob, fdt_path_offset(f.blob, SOC "/serial@e0004500"),
					"ns16550") == 0);
	CHECK_EQ(cell(&f, SOC "/serial@e0004500", "interrupt-parent", 0), mpic);
	CHECK_EQ(cell(&f, SOC "/serial@e0004500", "interrupts", 0), 42);
	CHECK_EQ(cell(&f, SOC "/serial@e0004500", "interrupts", 1), 2);
	CHECK_EQ(cell(&f, SOC "/virtio_mmio@e0100000", "interrupts", 0), 48);
	CHECK_EQ(cell(&f, SOC "/virtio_mmio@e0100000", "interrupt-parent", 0), mpic);
	free(f.blob);
}

static void test_power(void)
{
	struct fixture f;
	uint32_t gpio;

	setup(&f);
	build(&f);
	check_reg(&f, SOC "/global-utilities@e00e0000", PPC_E500_GUTS_BASE, PPC_E500_GUTS_BYTES);
	CHECK(prop(&f, SOC "/global-utilities@e00e0000", "fsl,has-rstcr", 0) != NULL);
	CHECK_STR(str(&f, SOC "/gpio@e00ff000", "compatible"), "fsl,qoriq-gpio");
	CHECK_EQ(cell(&f, SOC "/gpio@e00ff000", "interrupts", 0), 47);
	gpio = cell(&f, SOC "/gpio@e00ff000", "phandle", 0);
	CHECK(gpio != cell(&f, SOC "/pic@e0040000", "phandle", 0));
	CHECK_STR(str(&f, SOC "/power-off", "compatible"), "gpio-poweroff");
	CHECK_EQ(cell(&f, SOC "/power-off", "gpios", 0), gpio);
	CHECK_EQ(cell(&f, SOC "/power-off", "gpios", 1), PPC_E500_GPIO_POWER_PIN);
	CHECK_EQ(cell(&f, SOC "/power-off", "gpios", 2), 0); /* active high */
	free(f.blob);
}

static void test_optional(void)
{
	uint8_t seed[FDT_RNG_SEED_BYTES] = { 0xab };
	struct fixture f;

	setup(&f);
	f.params.clock_hz = 800000000;
	f.params.has_hcall = true;
	f.params.hcall[0] = 0x3c004b56;
	f.params.hcall[3] = 0x60000000;
	f.params.initrd = MIB(32);
	f.params.initrd_bytes = 12345;
	f.params.rng_seed = seed;
	build(&f);
	CHECK_EQ(cell(&f, "/cpus/PowerPC,8544@0", "clock-frequency", 0), 800000000);
	CHECK_STR(str(&f, "/hypervisor", "compatible"), "linux,kvm");
	CHECK_EQ(cell(&f, "/hypervisor", "hcall-instructions", 0), 0x3c004b56);
	CHECK_EQ(cell(&f, "/hypervisor", "hcall-instructions", 3), 0x60000000);
	CHECK(fdt_getprop(f.blob, fdt_path_offset(f.blob, "/hypervisor"), "has-idle", NULL) == NULL);
	CHECK_EQ(cell(&f, "/chosen", "linux,initrd-end", 1), MIB(32) + 12345);
	CHECK(prop(&f, "/chosen", "rng-seed", FDT_RNG_SEED_BYTES) != NULL);
	free(f.blob);

	f.params.has_idle = true;
	build(&f);
	CHECK(prop(&f, "/hypervisor", "has-idle", 0) != NULL);
	free(f.blob);
}

const struct test ppc_e500_fdt_tests[] = {
	{ "board", test_board },
	{ "interrupts", test_interrupts },
	{ "power", test_power },
	{ "optional", test_optional },
	{ 0 },
};
