// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/e500-layout.h"

#include <errno.h>
#include <string.h>

#include "lkvm/bus.h"
#include "powerpc/e500-power.h"
#include "tests/unit/test.h"

static void init(struct machine *m, uint64_t ram_bytes)
{
	const struct ppc_e500_params p = { .nr_cpus = 1, .ram_bytes = ram_bytes };

	CHECK_EQ(ppc_e500_machine_init(m, &p), 0);
}

static void test_windows(void)
{
	struct machine m;

	init(&m, PPC_E500_CCSR_BASE);
	{
		const struct machine_range w[] = {
			m.ram[0], m.pvpanic, m.virtio_mmio, { m.uart.base, m.uart.size_bytes },
			{ PPC_E500_MPIC_BASE, PPC_E500_MPIC_BYTES }, { PPC_E500_GUTS_BASE, PPC_E500_GUTS_BYTES },
			{ PPC_E500_GPIO_BASE, PPC_E500_GPIO_BYTES },
		};

		for (size_t i = 0; i < ARRAY_SIZE(w); i++) {
			CHECK(w[i].size_bytes > 0);
			CHECK(range_within(w[i].base, w[i].size_bytes, 0, GIB(4)));
			for (size_t j = 0; j < i; j++)
				CHECK(!range_overlaps(w[i].base, w[i].size_bytes, w[j].base, w[j].size_bytes));
		}
	}
	CHECK_EQ(PPC_E500_MPIC_BASE % PPC_E500_MPIC_BYTES, 0);
	CHECK(range_within(PPC_E500_GPIO_BASE, PPC_E500_GPIO_BYTES, PPC_E500_CCSR_BASE, PPC_E500_CCSR_BYTES));
}

/* All lines are internal sources, which KVM takes as levels; a slot has one each. */
static void test_lines(void)
{
	struct machine m;

	init(&m, MIB(64));
	CHECK(m.uart.irq >= 16 && m.uart.irq < m.irq_first);
	CHECK(PPC_E500_IRQ_GPIO != m.uart.irq && PPC_E500_IRQ_GPIO < m.irq_first);
	CHECK_EQ(m.nr_irqs, PPC_E500_VIRTIO_SLOTS);
	CHECK_EQ(m.irq_first + m.nr_irqs, PPC_E500_NR_SOURCES);
}

static void refused(unsigned int nr_cpus, uint64_t ram_bytes, const char *expect)
{
	const struct ppc_e500_params p = { .nr_cpus = nr_cpus, .ram_bytes = ram_bytes };
	struct machine m;
	const char *text;

	test_stderr_begin();
	CHECK_EQ(ppc_e500_machine_init(&m, &p), -EINVAL);
	text = test_stderr_end();
	if (!strstr(text, expect))
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", text, expect);
}

static void test_refused(void)
{
	refused(2, MIB(64), "--cpus 2: ");
	refused(0, MIB(64), "--cpus 0: ");
	refused(1, 0, "--mem");
	refused(1, MIB(64) + 1, "--mem");
	refused(1, PPC_E500_CCSR_BASE + 4096, "3584 MiB");
	refused(1, UINT64_MAX - 4095, "--mem");
}

static void test_boot_map(void)
{
	static const struct {
		uint64_t ram_bytes;
		gpa_t    end;
		uint64_t size_bytes; /* 0: refused */
	} rows[] = {
		/* What Linux maps by itself, where there is so much ... */
		{ MIB(64), MIB(8), MIB(64) },
		{ MIB(512), 100, MIB(64) },
		{ MIB(512), MIB(64), MIB(64) },
		/* ... more for a large kernel ... */
		{ MIB(512), MIB(64) + 1, MIB(256) },
		{ GIB(3), MIB(300), GIB(1) },
		/* ... or what fits. */
		{ MIB(63), MIB(8), MIB(16) },
		{ MIB(16), MIB(16), MIB(16) },
		{ KIB(4), 100, KIB(4) },
		{ MIB(63), MIB(17), 0 },
		{ MIB(128), MIB(100), 0 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct machine m;
		uint64_t size = 0;
		const char *text;
		int ret;

		init(&m, rows[i].ram_bytes);
		test_stderr_begin();
		ret = ppc_e500_boot_map(&m, rows[i].end, &size);
		text = test_stderr_end();
		CHECK_EQ(ret, rows[i].size_bytes ? 0 : -ENOMEM);
		CHECK_EQ(size, rows[i].size_bytes);
		CHECK_EQ(strstr(text, "--mem") != NULL, ret != 0);
	}
}

/* A kernel that leaves no room below the limit is the reason, not the size of RAM. */
static void test_fdt_limit(void)
{
	static const struct {
		gpa_t    kernel_end;
		uint64_t map_bytes, fdt_bytes;
		gpa_t    limit; /* 0: refused */
	} rows[] = {
		{ MIB(8), MIB(64), 3000, MIB(64) },
		{ MIB(8), MIB(16), 3000, MIB(16) },
		/* Mapped by us, but not by Linux. */
		{ MIB(50), MIB(256), 3000, MIB(64) },
		{ MIB(64) - KIB(8), MIB(64), KIB(8), MIB(64) },
		{ MIB(64) - KIB(8), MIB(64), KIB(8) + 1, 0 },
		{ MIB(64) - KIB(8) + 1, MIB(64), KIB(8), 0 },
		{ MIB(64), MIB(64), 1, 0 },
		{ MIB(70), MIB(256), 3000, 0 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *text;
		gpa_t limit = 0;
		int ret;

		test_stderr_begin();
		ret = ppc_e500_fdt_limit(rows[i].kernel_end, rows[i].map_bytes, rows[i].fdt_bytes, &limit);
		text = test_stderr_end();
		CHECK_EQ(ret, rows[i].limit ? 0 : -ENOMEM);
		CHECK_EQ(limit, rows[i].limit);
		CHECK_EQ(strstr(text, "boot a smaller kernel, more --mem does not help") != NULL, ret != 0);
	}
}

/* ---- power ---- */

struct seen {
	unsigned int power_offs, resets;
};

static void power_off(void *ctx)
{
	((struct seen *)ctx)->power_offs++;
}

static void reset(void *ctx)
{
	((struct seen *)ctx)->resets++;
}

static void setup_power(struct ppc_e500_power *power, struct bus *bus, struct seen *seen)
{
	memset(power, 0, sizeof(*power));
	memset(seen, 0, sizeof(*seen));
	power->power_off = power_off;
	power->reset = reset;
	power->ctx = seen;
	bus_init(bus, "mmio");
	CHECK_EQ(bus_add(bus, &(struct bus_window){ .name = "gpio", .size_bytes = PPC_E500_GPIO_BYTES,
			.ops = &ppc_e500_gpio_bus_ops, .dev = power, .big_endian = true }), 0);
	CHECK_EQ(bus_add(bus, &(struct bus_window){ .name = "guts", .base = 0x10000,
			.size_bytes = PPC_E500_GUTS_BYTES, .ops = &ppc_e500_guts_bus_ops, .dev = power,
			.big_endian = true }), 0);
}

static void write_reg(const struct bus *bus, uint64_t addr, uint32_t value)
{
	uint8_t be[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value };

	CHECK_EQ(bus_access(bus, addr, be, 4, true), 0);
}

static uint32_t read_reg(const struct bus *bus, uint64_t addr)
{
	uint8_t be[4];

	CHECK_EQ(bus_access(bus, addr, be, 4, false), 0);
	return (uint32_t)be[0] << 24 | be[1] << 16 | be[2] << 8 | be[3];
}

static void test_gpio(void)
{
	struct ppc_e500_power power;
	struct seen seen;
	struct bus bus;

	setup_power(&power, &bus, &seen);
	/* Registers read back; events are only ever cleared. */
	write_reg(&bus, PPC_E500_GPIO_ODR, 0x12345678);
	CHECK_EQ(read_reg(&bus, PPC_E500_GPIO_ODR), 0x12345678);
	write_reg(&bus, PPC_E500_GPIO_IER, 0xffffffff);
	CHECK_EQ(read_reg(&bus, PPC_E500_GPIO_IER), 0);
	/* An input that is high, an output that is low, other pins: nothing. */
	write_reg(&bus, PPC_E500_GPIO_DAT, 0xffffffff);
	write_reg(&bus, PPC_E500_GPIO_DIR, 0x7fffffff);
	write_reg(&bus, PPC_E500_GPIO_DAT, 0x7fffffff);
	write_reg(&bus, PPC_E500_GPIO_DIR, 0xffffffff);
	CHECK_EQ(seen.power_offs, 0);
	/* Bytes, and beyond the registers. */
	CHECK_EQ(bus_access(&bus, PPC_E500_GPIO_DAT, (uint8_t[]){ 0x80 }, 1, true), 0);
	write_reg(&bus, PPC_E500_GPIO_ICR + 4, 0xffffffff);
	CHECK_EQ(read_reg(&bus, PPC_E500_GPIO_ICR + 4), 0);
	CHECK_EQ(seen.power_offs, 0);
	write_reg(&bus, PPC_E500_GPIO_DAT, 0x80000000);
	CHECK_EQ(seen.power_offs, 1);
	CHECK_EQ(seen.resets, 0);

	/* The other way round: level first, direction second. */
	setup_power(&power, &bus, &seen);
	write_reg(&bus, PPC_E500_GPIO_DAT, 0x80000000);
	write_reg(&bus, PPC_E500_GPIO_DIR, 0x80000000);
	CHECK_EQ(seen.power_offs, 1);
}

static void test_guts(void)
{
	struct ppc_e500_power power;
	struct seen seen;
	struct bus bus;

	setup_power(&power, &bus, &seen);
	write_reg(&bus, 0x10000 + PPC_E500_GUTS_RSTCR, 0xfffffffd);
	write_reg(&bus, 0x10000 + PPC_E500_GUTS_RSTCR + 4, 2);
	CHECK_EQ(read_reg(&bus, 0x10000 + PPC_E500_GUTS_RSTCR), 0);
	CHECK_EQ(seen.resets, 0);
	write_reg(&bus, 0x10000 + PPC_E500_GUTS_RSTCR, 2);
	CHECK_EQ(seen.resets, 1);
	CHECK_EQ(seen.power_offs, 0);
}

const struct test ppc_e500_platform_tests[] = {
	{ "windows", test_windows },
	{ "lines", test_lines },
	{ "refused", test_refused },
	{ "boot_map", test_boot_map },
	{ "fdt_limit", test_fdt_limit },
	{ "gpio", test_gpio },
	{ "guts", test_guts },
	{ 0 },
};
