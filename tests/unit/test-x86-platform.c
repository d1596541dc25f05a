// SPDX-License-Identifier: GPL-2.0-only
#include "x86/layout.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"

static void test_small(void)
{
	const struct x86_platform_params p = { .nr_cpus = 2, .ram_bytes = MIB(256), .phys_bits = 40 };
	struct machine m = { 0 };

	CHECK_EQ(x86_machine_init(&m, &p), 0);
	CHECK_EQ(m.nr_ram, 1);
	CHECK_EQ(m.ram[0].base, 0);
	CHECK_EQ(m.ram[0].size_bytes, MIB(256));
	CHECK_EQ(m.nr_cpus, 2);
	CHECK_EQ(m.uart.space, MACHINE_PIO);
	CHECK_EQ(m.uart.base, 0x3f8);
	CHECK_EQ(m.uart.irq, 4);
	CHECK(m.pci.ports);
	/* The 64-bit window starts behind the 4 GiB of the 32-bit machine, aligned. */
	CHECK_EQ(m.pci.mem64.base, GIB(64));
	CHECK_EQ(m.pci.mem64.size_bytes, GIB(64));
}

static void test_split_around_hole(void)
{
	struct x86_platform_params p = { .nr_cpus = 1, .ram_bytes = GIB(3), .phys_bits = 46 };
	struct machine m = { 0 };

	CHECK_EQ(x86_machine_init(&m, &p), 0);
	CHECK_EQ(m.nr_ram, 1);
	CHECK_EQ(m.ram[0].size_bytes, GIB(3));

	p.ram_bytes = GIB(3) + 4096;
	m = (struct machine){ 0 };
	CHECK_EQ(x86_machine_init(&m, &p), 0);
	CHECK_EQ(m.nr_ram, 2);
	CHECK_EQ(m.ram[0].size_bytes, GIB(3));
	CHECK_EQ(m.ram[1].base, GIB(4));
	CHECK_EQ(m.ram[1].size_bytes, 4096);
	CHECK_EQ(machine_ram_bytes(&m), p.ram_bytes);

	p.ram_bytes = GIB(1024);
	m = (struct machine){ 0 };
	CHECK_EQ(x86_machine_init(&m, &p), 0);
	CHECK_EQ(m.ram[1].size_bytes, GIB(1021));
	CHECK(m.pci.mem64.base >= m.ram[1].base + m.ram[1].size_bytes);
}

/* No two windows of the machine share an address, nor two devices a line. */
static void test_no_overlap(void)
{
	const struct x86_platform_params p = { .nr_cpus = 1, .ram_bytes = GIB(8), .phys_bits = 48 };
	struct machine m = { 0 };
	uint32_t lines = 0;

	CHECK_EQ(x86_machine_init(&m, &p), 0);
	const struct machine_range ranges[] = {
		m.ram[0], m.ram[1], m.virtio_mmio, m.pvpanic, m.pci.ecam, m.pci.mem32, m.pci.mem64,
		{ X86_IOAPIC, X86_IOAPIC_BYTES }, { X86_LAPIC, X86_LAPIC_BYTES },
		{ X86_KVM_IDENTITY_MAP, X86_KVM_PAGES_BYTES },
	};
	for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++) {
		CHECK(ranges[i].size_bytes);
		for (unsigned int k = 0; k < i; k++)
			CHECK(!range_overlaps(ranges[i].base, ranges[i].size_bytes, ranges[k].base,
					      ranges[k].size_bytes));
	}
	lines |= 1u << m.uart.irq | 1u << X86_IRQ_RTC | 1u << X86_IRQ_KEYBOARD | 1u << 0;
	for (unsigned int i = 0; i < m.nr_irqs; i++) {
		CHECK(!(lines & 1u << (m.irq_first + i)));
		lines |= 1u << (m.irq_first + i);
	}
	for (unsigned int i = 0; i < 4; i++) {
		CHECK(m.pci.intx_irq[i] < X86_IOAPIC_PINS);
		CHECK(!(lines & 1u << m.pci.intx_irq[i]));
		lines |= 1u << m.pci.intx_irq[i];
	}
	/* As many slots as lines. */
	CHECK_EQ(m.virtio_mmio.size_bytes / MACHINE_VIRTIO_MMIO_SIZE, m.nr_irqs);
}

static void test_narrow_host(void)
{
	struct x86_platform_params p = { .nr_cpus = 1, .ram_bytes = GIB(8), .phys_bits = 36 };
	struct machine m = { 0 };

	/* 64 GiB in all: no room for the 64-bit window. */
	CHECK_EQ(x86_machine_init(&m, &p), 0);
	CHECK_EQ(m.pci.mem64.size_bytes, 0);

	p.ram_bytes = GIB(63) + 4096;
	m = (struct machine){ 0 };
	test_stderr_begin();
	CHECK_EQ(x86_machine_init(&m, &p), -EINVAL);
	CHECK(strstr(test_stderr_end(), "have 36 address bits, room for 63 GiB of RAM") != NULL);
}

static void test_refused(void)
{
	struct x86_platform_params p = { .nr_cpus = 1, .ram_bytes = MIB(1), .phys_bits = 40 };
	struct machine m = { 0 };

	test_stderr_begin();
	CHECK_EQ(x86_machine_init(&m, &p), -EINVAL);
	CHECK(strstr(test_stderr_end(), "at least 2 MiB") != NULL);

	p.ram_bytes = MIB(2);
	m = (struct machine){ 0 };
	CHECK_EQ(x86_machine_init(&m, &p), 0);

	p.nr_cpus = 256;
	m = (struct machine){ 0 };
	test_stderr_begin();
	CHECK_EQ(x86_machine_init(&m, &p), -EINVAL);
	CHECK(strstr(test_stderr_end(), "--cpus 256: the x86 machine has at most 255") != NULL);

	/* Wrapping sizes are refused, not believed. */
	p.nr_cpus = 1;
	p.ram_bytes = UINT64_MAX & ~UINT64_C(0xfff);
	m = (struct machine){ 0 };
	test_stderr_begin();
	CHECK_EQ(x86_machine_init(&m, &p), -EINVAL);
	CHECK(strstr(test_stderr_end(), "do not fit") != NULL);
}

const struct test x86_platform_tests[] = {
	{ "small", test_small },
	{ "split-around-hole", test_split_around_hole },
	{ "no-overlap", test_no_overlap },
	{ "narrow-host", test_narrow_host },
	{ "refused", test_refused },
	{ 0 },
};
