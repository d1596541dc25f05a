// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/pseries-layout.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"

static void init(struct machine *m, uint64_t ram_bytes)
{
	const struct pseries_platform_params p = { .nr_cpus = 2, .ram_bytes = ram_bytes };

	CHECK_EQ(pseries_machine_init(m, &p), 0);
	CHECK_EQ(machine_ram_bytes(m), ram_bytes);
	CHECK_EQ(m->ram[0].base, 0);
}

/* RAM gives way to the PCI window, and nothing overlaps. */
static void test_ram(void)
{
	static const uint64_t sizes[] = { KIB(64), MIB(256), GIB(2), GIB(2) + KIB(64), GIB(16), GIB(1024) };

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct machine m;

		init(&m, sizes[i]);
		CHECK_EQ(m.nr_ram, sizes[i] > GIB(2) ? 2 : 1);
		for (unsigned int j = 0; j < m.nr_ram; j++) {
			const struct machine_range *r = &m.ram[j];

			CHECK(!range_overlaps(r->base, r->size_bytes, m.pci.mem32.base, m.pci.mem32.size_bytes));
			CHECK(!range_overlaps(r->base, r->size_bytes, m.pci.mem64.base, m.pci.mem64.size_bytes));
			CHECK(!range_overlaps(r->base, r->size_bytes, PSERIES_MSI_ADDRESS, 16));
			CHECK(r->base + r->size_bytes <= PSERIES_XIVE_TIMA_BASE);
		}
		CHECK_EQ(m.pci.mem64.base % m.pci.mem64.size_bytes, 0);
		CHECK(range_within(m.pci.mem32.base, m.pci.mem32.size_bytes, 0, GIB(4)));
		/* Nothing but PCI is in the address space. */
		CHECK_EQ(m.uart.size_bytes + m.pvpanic.size_bytes + m.virtio_mmio.size_bytes, 0);
		CHECK_EQ(m.pci.ecam.size_bytes, 0);
	}
}

static void test_lines(void)
{
	struct machine m;

	init(&m, MIB(256));
	for (unsigned int i = 0; i < 4; i++) {
		CHECK(m.pci.intx_irq[i] > PSERIES_IRQ_VTY);
		CHECK(m.pci.intx_irq[i] < PSERIES_IRQ_MSI);
	}
	/* KVM's XICS has numbers of 20 bits. */
	CHECK(PSERIES_IRQ_MSI + PSERIES_NR_MSI <= 1u << 20);
}

static void refused(unsigned int nr_cpus, uint64_t ram_bytes, const char *expect)
{
	const struct pseries_platform_params p = { .nr_cpus = nr_cpus, .ram_bytes = ram_bytes };
	struct machine m;
	const char *text;

	test_stderr_begin();
	CHECK_EQ(pseries_machine_init(&m, &p), -EINVAL);
	text = test_stderr_end();
	if (!strstr(text, expect))
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", text, expect);
}

static void test_refusals(void)
{
	refused(0, MIB(256), "1 to 2048 CPUs");
	refused(2049, MIB(256), "1 to 2048 CPUs");
	refused(1, 0, "whole pages");
	refused(1, MIB(256) + 4096, "whole pages");
	refused(1, UINT64_C(1) << 50, "do not fit");
	refused(1, UINT64_MAX - 0xffff, "do not fit");
}

const struct test pseries_platform_tests[] = {
	{ "ram", test_ram },
	{ "lines", test_lines },
	{ "refusals", test_refusals },
	{ 0 },
};
