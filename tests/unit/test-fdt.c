// SPDX-License-Identifier: GPL-2.0-only
/* Device trees, read back with libfdt's own reading functions. */
#include "lkvm/fdt.h"

#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "tests/unit/test.h"

static void *finish(struct fdt *fdt)
{
	void *blob = NULL;
	size_t size = 0;

	CHECK_EQ(fdt_end(fdt, &blob, &size), 0);
	if (!blob)
		return NULL;
	CHECK_EQ(fdt_check_header(blob), 0);
	CHECK_EQ(fdt_totalsize(blob), size);
	return blob;
}

static int finish_badly(struct fdt *fdt)
{
	void *blob = &blob;
	size_t size = 1;
	int ret;

	test_stderr_begin();
	ret = fdt_end(fdt, &blob, &size);
	CHECK(strstr(test_stderr_end(), "lkvm: cannot build the guest's device tree") != NULL);
	CHECK(blob == &blob);
	return ret;
}

static int at(const void *blob, const char *path)
{
	int node = fdt_path_offset(blob, path);

	if (node < 0)
		test_fail(__FILE__, __LINE__, "there is no %s", path);
	return node;
}

/* Cell @i of property @name. */
static uint32_t cell(const void *blob, int node, const char *name, unsigned int i)
{
	int len = 0;
	const uint8_t *p = fdt_getprop(blob, node, name, &len);

	if (!p || len < (int)(i + 1) * 4) {
		test_fail(__FILE__, __LINE__, "%s has no cell %u", name, i);
		return 0;
	}
	return get_be32(p + i * 4);
}

static uint64_t cell64(const void *blob, int node, const char *name, unsigned int i)
{
	return (uint64_t)cell(blob, node, name, i) << 32 | cell(blob, node, name, i + 1);
}

static int nr_cells(const void *blob, int node, const char *name)
{
	int len = -1;

	fdt_getprop(blob, node, name, &len);
	return len < 0 ? -1 : len / 4;
}

static const char *str(const void *blob, int node, const char *name)
{
	return fdt_getprop(blob, node, name, NULL);
}

static void test_properties(void)
{
	static const uint32_t cells[] = { 1, 0xdeadbeef, 3 };
	struct fdt fdt;
	void *blob;
	int len, node;

	fdt_begin(&fdt);
	CHECK_EQ(fdt.next_phandle, 1);
	fdt_node(&fdt, "");
	fdt_u32(&fdt, "u32", 0x12345678);
	fdt_u64(&fdt, "u64", 0x123456789abcdef0);
	fdt_str(&fdt, "str", "hello");
	fdt_empty(&fdt, "empty");
	fdt_cells(&fdt, "cells", cells, 3);
	fdt_cells(&fdt, "no-cells", cells, 0);
	fdt_bytes(&fdt, "list", "a\0bc\0", 5);
	fdt_node_at(&fdt, "cpu", 0x1f);
	fdt_reg64(&fdt, 0x100000000, 0x8000000012);
	fdt_node_end(&fdt);
	fdt_node_at(&fdt, "cpu", 0);
	fdt_node_end(&fdt);
	fdt_node_at(&fdt, "pci", 0xfedcba9876543210);
	fdt_node_end(&fdt);
	fdt_node_end(&fdt);
	blob = finish(&fdt);
	if (!blob)
		return;
	CHECK_EQ(cell(blob, 0, "u32", 0), 0x12345678);
	CHECK_EQ(cell64(blob, 0, "u64", 0), 0x123456789abcdef0);
	CHECK_STR(str(blob, 0, "str"), "hello");
	CHECK(fdt_getprop(blob, 0, "empty", &len) && len == 0);
	CHECK(fdt_getprop(blob, 0, "no-cells", &len) && len == 0);
	CHECK_EQ(cell(blob, 0, "cells", 1), 0xdeadbeef);
	CHECK_EQ(nr_cells(blob, 0, "cells"), 3);
	CHECK_EQ(fdt_stringlist_count(blob, 0, "list"), 2);
	node = at(blob, "/cpu@1f");
	CHECK_EQ(cell64(blob, node, "reg", 0), 0x100000000);
	CHECK_EQ(cell64(blob, node, "reg", 2), 0x8000000012);
	CHECK(fdt_path_offset(blob, "/cpu@0") > 0 && fdt_path_offset(blob, "/pci@fedcba9876543210") > 0);
	free(blob);
}

/* Far more than the first buffer holds, with growth at every kind of call. */
static void test_growth(void)
{
	enum { NODES = 3000 };
	static uint8_t big[100000];
	struct fdt fdt;
	char path[64];
	void *blob;
	int len;

	memset(big, 0x5c, sizeof(big));
	fdt_begin(&fdt);
	fdt_node(&fdt, "");
	fdt_bytes(&fdt, "big", big, sizeof(big));
	for (unsigned int i = 0; i < NODES; i++) {
		char name[32];

		fdt_node_at(&fdt, "node", i);
		snprintf(name, sizeof(name), "name-%u", i);
		fdt_u32(&fdt, name, i);
		fdt_node_end(&fdt);
	}
	fdt_node_end(&fdt);
	CHECK_EQ(fdt.err, 0);
	blob = finish(&fdt);
	if (!blob)
		return;
	CHECK(fdt_getprop(blob, 0, "big", &len) && len == sizeof(big));
	for (unsigned int i = 0; i < NODES; i += 97) {
		char name[32];

		snprintf(path, sizeof(path), "/node@%x", i);
		snprintf(name, sizeof(name), "name-%u", i);
		CHECK_EQ(cell(blob, at(blob, path), name, 0), i);
	}
	free(blob);
}

static void test_errors_stick(void)
{
	struct fdt fdt;
	char name[300];

	/* A property after a subnode; later calls change nothing. */
	fdt_begin(&fdt);
	fdt_node(&fdt, "");
	fdt_node(&fdt, "a");
	fdt_node_end(&fdt);
	fdt_u32(&fdt, "late", 1);
	CHECK_EQ(fdt.err, -EINVAL);
	fdt_node(&fdt, "b");
	fdt_str(&fdt, "x", "y");
	fdt_node_end(&fdt);
	fdt_node_end(&fdt);
	CHECK_EQ(finish_badly(&fdt), -EINVAL);

	/* A node left open, one closed twice, a property outside of all nodes. */
	fdt_begin(&fdt);
	fdt_node(&fdt, "");
	fdt_node(&fdt, "a");
	fdt_node_end(&fdt);
	CHECK_EQ(finish_badly(&fdt), -EINVAL);
	fdt_begin(&fdt);
	fdt_node(&fdt, "");
	fdt_node_end(&fdt);
	fdt_node_end(&fdt);
	CHECK_EQ(finish_badly(&fdt), -EINVAL);
	fdt_begin(&fdt);
	fdt_u32(&fdt, "early", 1);
	CHECK_EQ(finish_badly(&fdt), -EINVAL);

	/* A name that does not fit. */
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	fdt_begin(&fdt);
	fdt_node_at(&fdt, name, 0);
	CHECK_EQ(fdt.err, -EINVAL);
	CHECK_EQ(finish_badly(&fdt), -EINVAL);

	/* Absurd sizes. */
	fdt_begin(&fdt);
	fdt_node(&fdt, "");
	fdt_bytes(&fdt, "x", "", SIZE_MAX);
	CHECK_EQ(fdt.err, -EINVAL);
	CHECK_EQ(finish_badly(&fdt), -EINVAL);
	fdt_begin(&fdt);
	fdt_node(&fdt, "");
	fdt_cells(&fdt, "x", (const uint32_t[]){ 0 }, SIZE_MAX / 4 + 2);
	CHECK_EQ(fdt.err, -EINVAL);
	CHECK_EQ(finish_badly(&fdt), -EINVAL);
}

/* ---- the platform's pieces ---- */

/* A controller with three cells: kind, line, trigger. */
static unsigned int irq_cells(void *ctx, uint32_t irq, uint32_t *cells)
{
	CHECK_STR(ctx, "ctx");
	cells[0] = 0;
	cells[1] = irq;
	cells[2] = 4;
	return 3;
}

static char ctx[] = "ctx";

static struct machine sample_machine(void)
{
	struct machine m;

	memset(&m, 0, sizeof(m));
	m.nr_ram = 2;
	m.ram[0] = (struct machine_range){ 0x80000000, GIB(2) };
	m.ram[1] = (struct machine_range){ GIB(64), GIB(1) };
	m.nr_devices = 6;
	m.devices[0] = (struct machine_device){ MACHINE_VIRTIO_MMIO, MACHINE_MMIO, 0x10001000, 0x1000, 9 };
	m.devices[1] = (struct machine_device){ MACHINE_UART8250, MACHINE_MMIO, 0x10000000, 8, 10 };
	m.devices[2] = (struct machine_device){ MACHINE_PVPANIC, MACHINE_MMIO, 0x10100000, 2, MACHINE_NO_IRQ };
	m.devices[3] = (struct machine_device){ MACHINE_RTC, MACHINE_MMIO, 0x10101000, 0x1000, 11 };
	m.devices[4] = (struct machine_device){ MACHINE_FLASH, MACHINE_MMIO, 0x20000000, MIB(32), MACHINE_NO_IRQ };
	m.devices[5] = (struct machine_device){ MACHINE_UART8250, MACHINE_PIO, 0x3f8, 8, 4 };
	m.pci.ecam = (struct machine_range){ 0x30000000, MIB(4) };
	m.pci.io = (struct machine_range){ 0x3000000, 0x10000 };
	m.pci.mem32 = (struct machine_range){ 0x40000000, GIB(1) };
	m.pci.mem64 = (struct machine_range){ GIB(256), GIB(64) };
	for (unsigned int i = 0; i < 4; i++)
		m.pci.intx_irq[i] = 32 + i;
	return m;
}

static void *build(const struct fdt_platform *p, const char *rtc)
{
	struct fdt fdt;

	fdt_begin(&fdt);
	fdt_node(&fdt, "");
	fdt_u32(&fdt, "#address-cells", 2);
	fdt_u32(&fdt, "#size-cells", 2);
	fdt_add_chosen(&fdt, p);
	fdt_add_memory(&fdt, p);
	fdt_add_devices(&fdt, p, rtc);
	fdt_add_pci(&fdt, p);
	fdt_node_end(&fdt);
	return finish(&fdt);
}

static struct fdt_platform sample_platform(const struct machine *m)
{
	return (struct fdt_platform){ .machine = m, .irq_phandle = 7, .irq_cells = irq_cells,
				      .irq_ctx = ctx };
}

static void test_chosen(void)
{
	struct machine m = sample_machine();
	struct fdt_platform p = sample_platform(&m);
	uint8_t seed[FDT_RNG_SEED_BYTES];
	void *blob;
	int node, len;

	memset(seed, 0xa7, sizeof(seed));
	p.cmdline = "console=ttyS0 panic=-1";
	p.initrd = 0x1ffffff000;
	p.initrd_bytes = 0x1234;
	p.rng_seed = seed;
	p.kaslr_seed = 0x1122334455667788;
	blob = build(&p, NULL);
	if (!blob)
		return;
	node = at(blob, "/chosen");
	CHECK_STR(str(blob, node, "bootargs"), "console=ttyS0 panic=-1");
	CHECK_EQ(nr_cells(blob, node, "linux,initrd-start"), 2);
	CHECK_EQ(cell64(blob, node, "linux,initrd-start", 0), 0x1ffffff000);
	CHECK_EQ(cell64(blob, node, "linux,initrd-end", 0), 0x2000000234);
	CHECK_EQ(cell64(blob, node, "kaslr-seed", 0), 0x1122334455667788);
	CHECK(fdt_getprop(blob, node, "rng-seed", &len) && len == 64);
	CHECK_STR(str(blob, node, "stdout-path"), "/serial@10000000");
	at(blob, str(blob, node, "stdout-path"));
	free(blob);

	/* Nothing asked for, nothing there. */
	p = sample_platform(&m);
	m.nr_devices = 1;
	blob = build(&p, NULL);
	if (!blob)
		return;
	node = at(blob, "/chosen");
	CHECK(fdt_first_property_offset(blob, node) < 0);
	free(blob);

	p.stdout_path = "/hvc";
	blob = build(&p, NULL);
	if (!blob)
		return;
	CHECK_STR(str(blob, at(blob, "/chosen"), "stdout-path"), "/hvc");
	free(blob);
}

static void test_memory(void)
{
	struct machine m = sample_machine();
	struct fdt_platform p = sample_platform(&m);
	void *blob = build(&p, NULL);
	int node;

	if (!blob)
		return;
	node = at(blob, "/memory@80000000");
	CHECK_STR(str(blob, node, "device_type"), "memory");
	CHECK_EQ(cell64(blob, node, "reg", 0), 0x80000000);
	CHECK_EQ(cell64(blob, node, "reg", 2), GIB(2));
	node = at(blob, "/memory@1000000000");
	CHECK_EQ(cell64(blob, node, "reg", 0), GIB(64));
	free(blob);
}

static void check_interrupt(const void *blob, int node, uint32_t irq)
{
	CHECK_EQ(cell(blob, node, "interrupt-parent", 0), 7);
	CHECK_EQ(nr_cells(blob, node, "interrupts"), 3);
	CHECK_EQ(cell(blob, node, "interrupts", 1), irq);
	CHECK_EQ(cell(blob, node, "interrupts", 2), 4);
}

static void test_devices(void)
{
	struct machine m = sample_machine();
	struct fdt_platform p = sample_platform(&m);
	void *blob = build(&p, "google,goldfish-rtc");
	int node;

	if (!blob)
		return;
	node = at(blob, "/serial@10000000");
	CHECK_STR(str(blob, node, "compatible"), "ns16550a");
	CHECK_EQ(cell(blob, node, "clock-frequency", 0), 1843200);
	CHECK_EQ(cell64(blob, node, "reg", 2), 8);
	check_interrupt(blob, node, 10);
	node = at(blob, "/virtio_mmio@10001000");
	CHECK_STR(str(blob, node, "compatible"), "virtio,mmio");
	CHECK(fdt_getprop(blob, node, "dma-coherent", NULL) != NULL);
	check_interrupt(blob, node, 9);
	node = at(blob, "/pvpanic@10100000");
	CHECK_STR(str(blob, node, "compatible"), "qemu,pvpanic-mmio");
	CHECK(!fdt_getprop(blob, node, "interrupts", NULL));
	CHECK_EQ(cell64(blob, node, "reg", 2), 2);
	node = at(blob, "/rtc@10101000");
	CHECK_STR(str(blob, node, "compatible"), "google,goldfish-rtc");
	check_interrupt(blob, node, 11);
	node = at(blob, "/flash@20000000");
	CHECK_STR(str(blob, node, "compatible"), "cfi-flash");
	/* A port is not in the memory map. */
	CHECK(fdt_path_offset(blob, "/serial@3f8") < 0);
	free(blob);

	blob = build(&p, NULL);
	if (!blob)
		return;
	CHECK(fdt_path_offset(blob, "/rtc@10101000") < 0);
	free(blob);
}

/* The line of a device's pin, as a guest looks it up in interrupt-map. */
static uint32_t map_lookup(const void *blob, int node, unsigned int slot, unsigned int pin,
			   unsigned int address_cells)
{
	unsigned int entry = 3 + 1 + 1 + address_cells + 3;
	uint32_t hi = slot << 11 & cell(blob, node, "interrupt-map-mask", 0);
	uint32_t masked_pin = pin & cell(blob, node, "interrupt-map-mask", 3);
	int nr = nr_cells(blob, node, "interrupt-map");

	CHECK_EQ(nr % (int)entry, 0);
	for (unsigned int i = 0; (int)i < nr; i += entry) {
		if (cell(blob, node, "interrupt-map", i) != hi ||
		    cell(blob, node, "interrupt-map", i + 3) != masked_pin)
			continue;
		CHECK_EQ(cell(blob, node, "interrupt-map", i + 1), 0);
		CHECK_EQ(cell(blob, node, "interrupt-map", i + 2), 0);
		CHECK_EQ(cell(blob, node, "interrupt-map", i + 4), 7);
		CHECK_EQ(cell(blob, node, "interrupt-map", i + entry - 1), 4);
		return cell(blob, node, "interrupt-map", i + entry - 2);
	}
	return UINT32_MAX;
}

static void test_pci(void)
{
	static const struct {
		uint32_t space;
		uint64_t child, cpu, size;
	} ranges[] = {
		{ 0x01000000, 0, 0x3000000, 0x10000 },
		{ 0x02000000, 0x40000000, 0x40000000, GIB(1) },
		{ 0x43000000, GIB(256), GIB(256), GIB(64) },
	};
	struct machine m = sample_machine();
	struct fdt_platform p = sample_platform(&m);

	for (unsigned int address_cells = 0; address_cells < 3; address_cells++) {
		void *blob;
		int node;

		p.irq_address_cells = address_cells;
		blob = build(&p, NULL);
		if (!blob)
			return;
		node = at(blob, "/pci@30000000");
		CHECK_STR(str(blob, node, "compatible"), "pci-host-ecam-generic");
		CHECK_STR(str(blob, node, "device_type"), "pci");
		CHECK_EQ(cell(blob, node, "#address-cells", 0), 3);
		CHECK_EQ(cell(blob, node, "#size-cells", 0), 2);
		CHECK_EQ(cell(blob, node, "#interrupt-cells", 0), 1);
		CHECK_EQ(cell(blob, node, "bus-range", 0), 0);
		CHECK_EQ(cell(blob, node, "bus-range", 1), 3);
		CHECK(fdt_getprop(blob, node, "dma-coherent", NULL) != NULL);
		CHECK_EQ(cell64(blob, node, "reg", 0), 0x30000000);
		CHECK_EQ(nr_cells(blob, node, "ranges"), 21);
		for (unsigned int i = 0; i < 3; i++) {
			CHECK_EQ(cell(blob, node, "ranges", i * 7), ranges[i].space);
			CHECK_EQ(cell64(blob, node, "ranges", i * 7 + 1), ranges[i].child);
			CHECK_EQ(cell64(blob, node, "ranges", i * 7 + 3), ranges[i].cpu);
			CHECK_EQ(cell64(blob, node, "ranges", i * 7 + 5), ranges[i].size);
		}
		CHECK_EQ(cell(blob, node, "interrupt-map-mask", 0), 0x1800);
		CHECK_EQ(cell(blob, node, "interrupt-map-mask", 3), 7);
		for (unsigned int slot = 0; slot < 32; slot++)
			for (unsigned int pin = 1; pin <= 4; pin++)
				CHECK_EQ(map_lookup(blob, node, slot, pin, address_cells),
					 32 + (slot + pin - 1) % 4);
		CHECK(!fdt_getprop(blob, node, "msi-parent", NULL));
		CHECK(!fdt_getprop(blob, node, "msi-map", NULL));
		free(blob);
	}
}

static void test_pci_msi(void)
{
	struct machine m = sample_machine();
	struct fdt_platform p = sample_platform(&m);
	void *blob;
	int node;

	p.msi_phandle = 12;
	blob = build(&p, NULL);
	if (!blob)
		return;
	CHECK_EQ(cell(blob, at(blob, "/pci@30000000"), "msi-parent", 0), 12);
	free(blob);
	p.msi_map = true;
	m.pci.io.size_bytes = 0;
	m.pci.mem64.size_bytes = 0;
	blob = build(&p, NULL);
	if (!blob)
		return;
	node = at(blob, "/pci@30000000");
	CHECK_EQ(nr_cells(blob, node, "msi-map"), 4);
	CHECK_EQ(cell(blob, node, "msi-map", 0), 0);
	CHECK_EQ(cell(blob, node, "msi-map", 1), 12);
	CHECK_EQ(cell(blob, node, "msi-map", 2), 0);
	CHECK_EQ(cell(blob, node, "msi-map", 3), 0x10000);
	/* Windows that the machine lacks are left out. */
	CHECK_EQ(nr_cells(blob, node, "ranges"), 7);
	CHECK_EQ(cell(blob, node, "ranges", 0), 0x02000000);
	free(blob);
	/* No PCI at all. */
	m.pci.ecam.size_bytes = 0;
	blob = build(&p, NULL);
	if (!blob)
		return;
	CHECK(fdt_path_offset(blob, "/pci@30000000") < 0);
	free(blob);
}

static unsigned int too_many_cells(void *c, uint32_t irq, uint32_t *cells)
{
	(void)c;
	(void)irq;
	(void)cells;
	return 9;
}

static void test_bad_callback(void)
{
	struct machine m = sample_machine();
	struct fdt_platform p = sample_platform(&m);
	struct fdt fdt;

	p.irq_cells = too_many_cells;
	fdt_begin(&fdt);
	fdt_node(&fdt, "");
	fdt_add_devices(&fdt, &p, NULL);
	fdt_add_pci(&fdt, &p);
	fdt_node_end(&fdt);
	CHECK_EQ(finish_badly(&fdt), -EINVAL);
}

const struct test fdt_tests[] = {
	{ "properties", test_properties },
	{ "growth", test_growth },
	{ "errors_stick", test_errors_stick },
	{ "chosen", test_chosen },
	{ "memory", test_memory },
	{ "devices", test_devices },
	{ "pci", test_pci },
	{ "pci_msi", test_pci_msi },
	{ "bad_callback", test_bad_callback },
	{ 0 },
};
