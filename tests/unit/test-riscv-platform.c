// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/layout.h"

#include <errno.h>
#include <string.h>

#include "riscv/plic.h"
#include "tests/unit/test.h"

static const struct riscv_platform_params usual = {
	.nr_cpus = 2, .ram_bytes = MIB(512), .gpa_bits = 41, .msi = true,
};

static void test_usual(void)
{
	struct machine m;

	CHECK_EQ(riscv_machine_init(&m, &usual), 0);
	CHECK_EQ(m.nr_cpus, 2);
	CHECK_EQ(m.nr_ram, 1);
	CHECK_EQ(m.ram[0].base, RISCV_RAM_BASE);
	CHECK_EQ(m.ram[0].size_bytes, MIB(512));
	CHECK(m.pci.msi);
	CHECK_EQ(m.pci.mem64.base % m.pci.mem64.size_bytes, 0);
	/* Wired lines: UART, INTx and the free ones do not meet, and all exist. */
	CHECK_EQ(m.uart.irq, 1);
	CHECK_EQ(m.pci.intx_irq[3], 5);
	CHECK_EQ(m.irq_first, 6);
	CHECK_EQ(m.irq_first + m.nr_irqs - 1, RISCV_NR_SOURCES);
}

/* No two windows share an address, with one CPU or all of them. */
static void test_windows(void)
{
	static const unsigned int cpus[] = { 1, RISCV_MAX_CPUS };

	for (size_t c = 0; c < ARRAY_SIZE(cpus); c++) {
		struct riscv_platform_params p = usual;
		struct machine m;

		p.nr_cpus = cpus[c];
		CHECK_EQ(riscv_machine_init(&m, &p), 0);
		{
			const struct machine_range w[] = {
				m.ram[0], m.pvpanic, m.virtio_mmio,
				m.pci.ecam, m.pci.io, m.pci.mem32, m.pci.mem64,
				{ m.uart.base, m.uart.size_bytes },
				{ RISCV_PLIC_BASE, riscv_plic_bytes(p.nr_cpus) },
				{ RISCV_APLIC_BASE, RISCV_APLIC_BYTES },
				{ RISCV_IMSIC_BASE, p.nr_cpus * RISCV_IMSIC_BYTES },
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

static void test_limits(void)
{
	struct riscv_platform_params p = usual;
	struct machine m;
	const char *err;

	test_stderr_begin();
	p.nr_cpus = 0;
	CHECK_EQ(riscv_machine_init(&m, &p), -EINVAL);
	p.nr_cpus = RISCV_MAX_CPUS + 1;
	CHECK_EQ(riscv_machine_init(&m, &p), -EINVAL);
	p = usual;
	p.ram_bytes = 0;
	CHECK_EQ(riscv_machine_init(&m, &p), -EINVAL);
	p.ram_bytes = 4097;
	CHECK_EQ(riscv_machine_init(&m, &p), -EINVAL);
	p.ram_bytes = 4096;
	CHECK_EQ(riscv_machine_init(&m, &p), 0);

	/* All that the host's addresses hold, and a page more. No room above RAM then. */
	p.ram_bytes = (UINT64_C(1) << 41) - RISCV_RAM_BASE;
	CHECK_EQ(riscv_machine_init(&m, &p), 0);
	CHECK_EQ(m.pci.mem64.size_bytes, 0);
	p.ram_bytes += 4096;
	CHECK_EQ(riscv_machine_init(&m, &p), -EINVAL);
	/* Nonsense from the host, and the largest there is. */
	p.ram_bytes = UINT64_MAX & ~UINT64_C(4095);
	CHECK_EQ(riscv_machine_init(&m, &p), -EINVAL);
	p.gpa_bits = 200;
	CHECK_EQ(riscv_machine_init(&m, &p), -EINVAL);
	p.gpa_bits = 12;
	p.ram_bytes = 4096;
	CHECK_EQ(riscv_machine_init(&m, &p), -EINVAL);
	err = test_stderr_end();
	CHECK(strstr(err, "--cpus 513") != NULL);
	CHECK(strstr(err, "have 41 address bits") != NULL);
}

const struct test riscv_platform_tests[] = {
	{ "usual", test_usual },
	{ "windows", test_windows },
	{ "limits", test_limits },
	{ 0 },
};
