// SPDX-License-Identifier: GPL-2.0-only
#include "x86/mptable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "tests/unit/test.h"
#include "x86/layout.h"

static uint8_t table[X86_MPTABLE_BYTES];

static bool sums_to_zero(const uint8_t *p, size_t len)
{
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *p++);
	return !sum;
}

static struct machine make_machine(unsigned int nr_cpus)
{
	const struct x86_platform_params p = { .nr_cpus = nr_cpus, .ram_bytes = GIB(1), .phys_bits = 40 };
	struct machine m = { 0 };

	CHECK_EQ(x86_machine_init(&m, &p), 0);
	return m;
}

static size_t build(const struct machine *m)
{
	size_t used = 0;

	memset(table, 0xa5, sizeof(table));
	CHECK_EQ(x86_mptable_build(m, X86_MPTABLE, table, sizeof(table), &used), 0);
	return used;
}

static void test_pointer(void)
{
	struct machine m = make_machine(1);
	size_t used = build(&m);

	CHECK(!memcmp(table, "_MP_", 4));
	CHECK(sums_to_zero(table, 16));
	CHECK_EQ(table[8], 1);
	CHECK_EQ(get_le32(table + 4), X86_MPTABLE + 16);
	CHECK(!memcmp(table + 16, "PCMP", 4));
	CHECK_EQ(16u + get_le16(table + 20), used);
	CHECK(sums_to_zero(table + 16, get_le16(table + 20)));
	CHECK_EQ(get_le32(table + 16 + 36), 0xfee00000);
}

static void check_entries(unsigned int nr_cpus, bool pci)
{
	struct machine m = make_machine(nr_cpus);
	unsigned int nr_cpu = 0, nr_boot = 0, nr_bus = 0, nr_ioapic = 0, nr_irq = 0, nr_lint = 0, nr = 0;
	const uint8_t *e, *end;

	if (!pci)
		m.pci = (struct machine_pci){ 0 };
	build(&m);
	end = table + 16 + get_le16(table + 20);
	for (e = table + 16 + 44; e < end; e += e[0] == 0 ? 20 : 8, nr++) {
		switch (e[0]) {
		case 0:
			CHECK_EQ(e[1], nr_cpu);
			CHECK(e[3] & 1);
			nr_boot += e[3] >> 1 & 1;
			nr_cpu++;
			break;
		case 1:
			CHECK(!memcmp(e + 2, pci && !nr_bus ? "PCI   " : "ISA   ", 6));
			nr_bus++;
			break;
		case 2:
			CHECK_EQ(get_le32(e + 4), 0xfec00000);
			CHECK_EQ(e[3], 1);
			nr_ioapic++;
			break;
		case 3:
			CHECK(e[7] < X86_IOAPIC_PINS);
			if (e[4] == 0) /* PCI: level, low; rotated by slot */
				CHECK_EQ(get_le16(e + 2), 0xf);
			if (e[4] == 0)
				CHECK_EQ(e[7], X86_IRQ_PCI_INTX + ((e[5] & 3) + (e[5] >> 2)) % 4u);
			else
				CHECK_EQ(e[7], e[5]);
			nr_irq++;
			break;
		case 4:
			nr_lint++;
			break;
		default:
			CHECK(!"an entry of no known kind");
			return;
		}
	}
	CHECK(e == end);
	CHECK_EQ(nr, get_le16(table + 16 + 34));
	CHECK_EQ(nr_cpu, nr_cpus);
	CHECK_EQ(nr_boot, 1);
	CHECK_EQ(nr_bus, pci ? 2 : 1);
	CHECK_EQ(nr_ioapic, 1);
	CHECK_EQ(nr_irq, 16 + (pci ? 128 : 0));
	CHECK_EQ(nr_lint, 2);
}

static void test_entries(void)
{
	check_entries(1, true);
	check_entries(4, false);
	check_entries(255, true);
}

static void test_no_room(void)
{
	struct machine m = make_machine(3);
	size_t used = build(&m), got;

	for (size_t size = 0; size < used; size++) {
		uint8_t *buf = malloc(size + 1);

		CHECK(buf != NULL);
		if (!buf)
			return;
		buf[size] = 0x77;
		CHECK_EQ(x86_mptable_build(&m, X86_MPTABLE, buf, size, &got), -ENOSPC);
		CHECK_EQ(buf[size], 0x77);
		free(buf);
	}
}

const struct test x86_mptable_tests[] = {
	{ "pointer", test_pointer },
	{ "entries", test_entries },
	{ "no-room", test_no_room },
	{ 0 },
};
