// SPDX-License-Identifier: GPL-2.0-only
#include "arm/layout.h"

#include <errno.h>
#include <string.h>

#include "arm/v2m.h"
#include "tests/unit/test.h"

static const struct arm_platform_params usual = {
	.nr_cpus = 2, .ram_bytes = MIB(512), .ipa_bits = 40,
};

static void test_usual(void)
{
	struct machine m;

	CHECK_EQ(arm_machine_init(&m, &usual), 0);
	CHECK_EQ(m.nr_cpus, 2);
	CHECK_EQ(m.nr_ram, 1);
	CHECK_EQ(m.ram[0].base, ARM_RAM_BASE);
	CHECK_EQ(m.ram[0].size_bytes, MIB(512));
	CHECK_EQ(m.pci.mem64.base % m.pci.mem64.size_bytes, 0);
	/* Wired lines: UART, RTC, INTx, the free ones and those of MSIs do not meet. */
	CHECK_EQ(m.uart.irq, ARM_SPI_UART);
	CHECK(ARM_SPI_RTC > ARM_SPI_UART && ARM_SPI_RTC < ARM_SPI_PCI_INTX);
	CHECK_EQ(m.pci.intx_irq[0], ARM_SPI_PCI_INTX);
	CHECK(m.pci.intx_irq[3] < m.irq_first);
	CHECK_EQ(m.irq_first + m.nr_irqs, ARM_SPI_V2M_FIRST);
	CHECK(m.nr_irqs >= ARM_VIRTIO_SLOTS);
}

/* No two windows share an address, with one CPU or all of them. */
static void test_windows(void)
{
	static const unsigned int cpus[] = { 1, ARM_MAX_CPUS };

	for (size_t c = 0; c < ARRAY_SIZE(cpus); c++) {
		struct arm_platform_params p = usual;
		struct machine m;

		p.nr_cpus = cpus[c];
		CHECK_EQ(arm_machine_init(&m, &p), 0);
		{
			const struct machine_range w[] = {
				m.ram[0], m.pvpanic, m.virtio_mmio,
				m.pci.ecam, m.pci.io, m.pci.mem32, m.pci.mem64,
				{ m.uart.base, m.uart.size_bytes },
				{ ARM_RTC_BASE, 0x1000 },
				{ ARM_PVTIME_BASE, ARM_PVTIME_BYTES },
				{ ARM_GIC_DIST_BASE, ARM_GICV3_DIST_BYTES },
				{ ARM_GICV2_CPU_BASE, ARM_GICV2_CPU_BYTES },
				{ ARM_V2M_BASE, ARM_V2M_BYTES },
				{ ARM_ITS_BASE, ARM_ITS_BYTES },
				{ ARM_REDIST_BASE, p.nr_cpus * ARM_REDIST_BYTES },
			};

			for (size_t i = 0; i < ARRAY_SIZE(w); i++) {
				CHECK(w[i].size_bytes > 0);
				for (size_t j = 0; j < i; j++)
					CHECK(!range_overlaps(w[i].base, w[i].size_bytes, w[j].base,
							      w[j].size_bytes));
			}
		}
	}
}

static void refused(struct arm_platform_params p, const char *expect)
{
	struct machine m;
	const char *text;

	test_stderr_begin();
	CHECK_EQ(arm_machine_init(&m, &p), -EINVAL);
	text = test_stderr_end();
	if (!strstr(text, expect))
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", text, expect);
}

static void test_refusals(void)
{
	struct arm_platform_params p = usual;

	p.nr_cpus = 0;
	refused(p, "--cpus 0");
	p.nr_cpus = ARM_MAX_CPUS + 1;
	refused(p, "1 to 512 CPUs");
	p = usual;
	p.ram_bytes = 0;
	refused(p, "whole pages");
	p.ram_bytes = MIB(1) + 1;
	refused(p, "whole pages");
	/* One page more than 40 bits hold above 1 GiB. */
	p.ram_bytes = (UINT64_C(1) << 40) - ARM_RAM_BASE + 4096;
	refused(p, "have 40 address bits");
	p.ram_bytes = UINT64_MAX & ~UINT64_C(4095);
	refused(p, "--mem");
	p.ipa_bits = 30;
	p.ram_bytes = MIB(1);
	refused(p, "room for 0 bytes of RAM");
}

/* How many guest-physical address bits a machine asks for: RAM and, where they fit, the PCI windows. */
static void test_ipa_bits(void)
{
	static const struct {
		uint64_t     ram_bytes;
		unsigned int host_bits;
		unsigned int bits;
	} rows[] = {
		{ MIB(256), 40, 35 },                          /* 64-bit window at 16 to 32 GiB */
		{ MIB(256), 34, 32 },                          /* no such window there */
		{ GIB(3), 32, 32 },
		{ GIB(4), 33, 33 },
		{ GIB(15), 40, 35 },                           /* ends at 16 GiB */
		{ GIB(15) + 4096, 40, 36 },                    /* window at 32 to 48 GiB */
		{ (UINT64_C(1) << 40) - GIB(1), 40, 40 },      /* no window */
		{ (UINT64_C(1) << 40) - GIB(1), 48, 41 },
		{ (UINT64_C(1) << 48) - GIB(1), 48, 48 },
		{ (UINT64_C(1) << 52) - GIB(1), 52, 52 },
		{ MIB(256), 255, 35 },                         /* a host that can't be */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arm_platform_params p = usual;
		struct machine m;

		p.ram_bytes = rows[i].ram_bytes;
		p.ipa_bits = rows[i].host_bits;
		CHECK_EQ(arm_machine_init(&m, &p), 0);
		CHECK_EQ(arm_machine_ipa_bits(&m), rows[i].bits);
		CHECK(rows[i].bits <= rows[i].host_bits);
	}
}

/* 32 GiB that begin at a multiple of 1 GiB and hold the kernel. */
static void test_boot_limit(void)
{
	CHECK_EQ(arm_boot_limit(ARM_RAM_BASE), GIB(33));
	CHECK_EQ(arm_boot_limit(ARM_RAM_BASE + MIB(2)), GIB(33));
	CHECK_EQ(arm_boot_limit(GIB(100) + 5), GIB(132));
}

const struct test arm_platform_tests[] = {
	{ "usual", test_usual },
	{ "windows", test_windows },
	{ "refusals", test_refusals },
	{ "ipa_bits", test_ipa_bits },
	{ "boot_limit", test_boot_limit },
	{ 0 },
};
