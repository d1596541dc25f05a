// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/machine.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"

static void test_ram(void)
{
	struct machine m = { 0 };

	CHECK_EQ(machine_ram_bytes(&m), 0);
	m.nr_ram = 2;
	m.ram[0].size_bytes = GIB(3);
	m.ram[1].size_bytes = GIB(5);
	CHECK_EQ(machine_ram_bytes(&m), GIB(8));
}

static void test_virtio_mmio(void)
{
	struct machine m = { .virtio_mmio = { 0x10000000, 3 * MACHINE_VIRTIO_MMIO_SIZE + 0x800 },
			     .irq_first = 40, .nr_irqs = 10 };
	struct machine_device dev;

	for (unsigned int i = 0; i < 3; i++) {
		CHECK_EQ(machine_place_virtio_mmio(&m, &dev), 0);
		CHECK_EQ(dev.kind, MACHINE_VIRTIO_MMIO);
		CHECK_EQ(dev.space, MACHINE_MMIO);
		CHECK_EQ(dev.base, 0x10000000 + i * 0x1000);
		CHECK_EQ(dev.size_bytes, 0x1000);
		CHECK_EQ(dev.irq, 40 + i);
		CHECK_EQ(m.devices[i].base, dev.base);
	}
	test_stderr_begin();
	CHECK_EQ(machine_place_virtio_mmio(&m, &dev), -ENOSPC);
	CHECK(strstr(test_stderr_end(), "room for 3 (use --virtio-transport=pci") != NULL);
	CHECK_EQ(m.nr_virtio_mmio, 3);
	CHECK_EQ(m.nr_devices, 3);
	CHECK_EQ(m.nr_irqs_used, 3);
}

static void test_irqs_run_out(void)
{
	struct machine m = { .virtio_mmio = { 0, 8 * MACHINE_VIRTIO_MMIO_SIZE },
			     .irq_first = 5, .nr_irqs = 2 };
	struct machine_device dev;
	uint32_t irq;

	CHECK_EQ(machine_alloc_irq(&m, &irq), 0);
	CHECK_EQ(irq, 5);
	CHECK_EQ(machine_place_virtio_mmio(&m, &dev), 0);
	CHECK_EQ(dev.irq, 6);
	test_stderr_begin();
	CHECK_EQ(machine_place_virtio_mmio(&m, &dev), -ENOSPC);
	CHECK(strstr(test_stderr_end(), "all 2 wired interrupts") != NULL);
	CHECK_EQ(m.nr_virtio_mmio, 1);
	CHECK_EQ(m.nr_devices, 1);
	test_stderr_begin();
	CHECK_EQ(machine_alloc_irq(&m, &irq), -ENOSPC);
	test_stderr_end();
	CHECK_EQ(irq, 5);
}

static void test_device_table(void)
{
	struct machine m = { .virtio_mmio = { 0, 100 * MACHINE_VIRTIO_MMIO_SIZE }, .nr_irqs = 100 };
	struct machine_device dev = { .kind = MACHINE_PVPANIC, .base = 7 };

	for (unsigned int i = 0; i < MACHINE_MAX_DEVICES; i++)
		CHECK_EQ(machine_add_device(&m, &dev), 0);
	test_stderr_begin();
	CHECK_EQ(machine_add_device(&m, &dev), -ENOSPC);
	CHECK(strstr(test_stderr_end(), "too many devices") != NULL);
	/* No line is lost to a device that did not fit. */
	test_stderr_begin();
	CHECK_EQ(machine_place_virtio_mmio(&m, &dev), -ENOSPC);
	test_stderr_end();
	CHECK_EQ(m.nr_irqs_used, 0);
	CHECK_EQ(m.nr_virtio_mmio, 0);
}

static void test_no_virtio_mmio(void)
{
	struct machine m = { .nr_irqs = 4 };
	struct machine_device dev;

	test_stderr_begin();
	CHECK_EQ(machine_place_virtio_mmio(&m, &dev), -ENOSPC);
	CHECK(strstr(test_stderr_end(), "no room for virtio-mmio") != NULL);
}

const struct test machine_tests[] = {
	{ "ram", test_ram },
	{ "virtio_mmio", test_virtio_mmio },
	{ "irqs_run_out", test_irqs_run_out },
	{ "device_table", test_device_table },
	{ "no_virtio_mmio", test_no_virtio_mmio },
	{ 0 },
};
