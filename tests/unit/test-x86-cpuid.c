// SPDX-License-Identifier: GPL-2.0-only
#include "x86/cpuid.h"

#include <string.h>

#include "tests/unit/test.h"

static void add(struct x86_cpuid *c, uint32_t function, uint32_t index, uint32_t flags, uint32_t eax,
		uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	c->entries[c->nr++] = (struct x86_cpuid_entry){
		.function = function, .index = index, .flags = flags,
		.eax = eax, .ebx = ebx, .ecx = ecx, .edx = edx,
	};
}

/* As KVM on an Intel host shows them, with what must not get through: the host's own APIC ids and sharing. */
static struct x86_cpuid intel(void)
{
	struct x86_cpuid c = { 0 };

	add(&c, 0, 0, 0, 0x1f, 0x756e6547, 0x6c65746e, 0x49656e69);
	add(&c, 1, 0, 0, 0x806f8, 0x25400800, 0x0000a003, 0x178bfbff); /* APIC id 0x25, 64 CPUs, PDCM, HTT */
	add(&c, 4, 0, 1, 0xfc004121, 0x02c0003f, 0x3f, 0);
	add(&c, 4, 1, 1, 0xfc004122, 0x01c0003f, 0x3f, 0);
	add(&c, 4, 2, 1, 0xfc01c143, 0x03c0003f, 0x7ff, 0);
	add(&c, 4, 3, 1, 0xfc1fc163, 0x02c0003f, 0x1ffff, 4);
	add(&c, 4, 4, 1, 0, 0, 0, 0);
	add(&c, 5, 0, 0, 0x40, 0x40, 3, 0x2020);
	add(&c, 6, 0, 0, 0x77, 2, 9, 0);
	add(&c, 0xa, 0, 0, 0x07300802, 0, 0, 0x603);
	add(&c, 0xb, 0, 1, 1, 2, 0x100, 0x25);
	add(&c, 0xb, 1, 1, 6, 64, 0x201, 0x25);
	add(&c, 0x1f, 0, 1, 1, 2, 0x100, 0x25);
	add(&c, 0x80000000, 0, 0, 0x80000008, 0, 0, 0);
	add(&c, 0x80000001, 0, 0, 0, 0, 0x121, 0x2c100800);
	add(&c, 0x80000008, 0, 0, 0x3934, 0, 0, 0);
	add(&c, 0x40000000, 0, 0, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d);
	add(&c, 0x40000001, 0, 0, 0x01007efb, 0, 0, 0);
	return c;
}

static struct x86_cpuid amd(void)
{
	struct x86_cpuid c = { 0 };

	add(&c, 0, 0, 0, 0xd, 0x68747541, 0x444d4163, 0x69746e65);
	add(&c, 1, 0, 0, 0xa00f11, 0x20800, 0x81202000, 0x78bfbff);
	add(&c, 0xb, 0, 1, 0, 0, 0, 0);
	add(&c, 0x80000000, 0, 0, 0x80000026, 0, 0, 0);
	add(&c, 0x80000001, 0, 0, 0xa00f11, 0, 0x11c003f3, 0x23d3fbff); /* PERFCTR_CORE, _NB, _LLC */
	add(&c, 0x80000008, 0, 0, 0x3030, 0, 0x7001, 0);
	add(&c, 0x8000001d, 0, 1, 0x121, 0x1c0003f, 0x3f, 0);
	add(&c, 0x8000001d, 3, 1, 0x4163, 0x3c0003f, 0x7fff, 1);
	add(&c, 0x8000001e, 0, 0, 0x77, 0x101, 0x305, 0);
	add(&c, 0x80000022, 0, 0, 1, 6, 0, 0);
	add(&c, 0x80000026, 0, 1, 1, 2, 0x100, 0x25);
	return c;
}

static const struct x86_cpuid_entry *get(struct x86_cpuid *c, uint32_t function, uint32_t index)
{
	static const struct x86_cpuid_entry none;
	const struct x86_cpuid_entry *e = x86_cpuid_find(c, function, index);

	if (!e)
		test_fail(__FILE__, __LINE__, "no leaf %x.%u", function, index);
	return e ? e : &none;
}

static void test_find(void)
{
	struct x86_cpuid c = intel();

	CHECK_EQ(get(&c, 4, 2)->eax, 0xfc01c143);
	CHECK(x86_cpuid_find(&c, 4, 9) == NULL);
	CHECK(x86_cpuid_find(&c, 1, 9) != NULL); /* the index does not matter there */
	CHECK(x86_cpuid_find(&c, 0x123, 0) == NULL);
}

static void test_vendor(void)
{
	struct x86_cpuid c = intel(), empty = { 0 };
	char vendor[13];

	x86_cpuid_vendor(&c, vendor);
	CHECK_STR(vendor, "GenuineIntel");
	c = amd();
	x86_cpuid_vendor(&c, vendor);
	CHECK_STR(vendor, "AuthenticAMD");
	x86_cpuid_vendor(&empty, vendor);
	CHECK_STR(vendor, "");
}

static void test_phys_bits(void)
{
	struct x86_cpuid c = intel(), empty = { 0 };

	CHECK_EQ(x86_cpuid_phys_bits(&c), 52);
	x86_cpuid_find(&c, 0x80000008, 0)->eax = 48 << 16 | 52; /* what KVM's tables reach is less */
	CHECK_EQ(x86_cpuid_phys_bits(&c), 48);
	CHECK_EQ(x86_cpuid_phys_bits(&empty), 36);
}

static void test_intel_topology(void)
{
	const struct x86_cpuid_options opt = { .nr_cpus = 3, .pmu = true, .tsc_deadline = true };
	struct x86_cpuid c = intel();

	x86_cpuid_filter(&c, &opt);
	for (uint32_t cpu = 0; cpu < 3; cpu++) {
		x86_cpuid_set_apic_id(&c, cpu);
		CHECK_EQ(get(&c, 1, 0)->ebx >> 24, cpu);
		CHECK_EQ(get(&c, 0xb, 0)->edx, cpu);
		CHECK_EQ(get(&c, 0xb, 1)->edx, cpu);
		CHECK_EQ(get(&c, 0x1f, 1)->edx, cpu);
	}
	CHECK_EQ(get(&c, 1, 0)->ebx >> 16 & 0xff, 4); /* ids, a power of two */
	CHECK_EQ(get(&c, 1, 0)->ebx & 0xffff, 0x0800); /* CLFLUSH size stays */
	CHECK(get(&c, 1, 0)->edx & 1u << 28);
	CHECK(get(&c, 1, 0)->ecx & 1u << 31);
	CHECK(get(&c, 1, 0)->ecx & 1u << 24);
	/* One thread per core, three cores in two bits of the id. */
	CHECK_EQ(get(&c, 0xb, 0)->eax, 0);
	CHECK_EQ(get(&c, 0xb, 0)->ebx, 1);
	CHECK_EQ(get(&c, 0xb, 0)->ecx, 0x100);
	CHECK_EQ(get(&c, 0xb, 1)->eax, 2);
	CHECK_EQ(get(&c, 0xb, 1)->ebx, 3);
	CHECK_EQ(get(&c, 0xb, 1)->ecx, 0x201);
	CHECK(x86_cpuid_find(&c, 0xb, 2) == NULL);
	/* L1 and L2 private, L3 of all; four core ids. */
	CHECK_EQ(get(&c, 4, 0)->eax, 0x0c000121);
	CHECK_EQ(get(&c, 4, 2)->eax, 0x0c000143);
	CHECK_EQ(get(&c, 4, 3)->eax, 0x0c00c163);
	CHECK_EQ(get(&c, 4, 4)->eax, 0);
	/* The hypervisor's own leaves are as they were. */
	CHECK_EQ(get(&c, 0x40000001, 0)->eax, 0x01007efb);
}

static void test_one_cpu(void)
{
	const struct x86_cpuid_options opt = { .nr_cpus = 1, .pmu = true };
	struct x86_cpuid c = intel();

	x86_cpuid_filter(&c, &opt);
	x86_cpuid_set_apic_id(&c, 0);
	CHECK_EQ(get(&c, 1, 0)->ebx >> 16, 1);
	CHECK(!(get(&c, 1, 0)->edx & 1u << 28));
	CHECK(!(get(&c, 1, 0)->ecx & 1u << 24)); /* not listed by KVM, not said to be emulated */
	CHECK_EQ(get(&c, 0xb, 1)->eax, 0);
	CHECK_EQ(get(&c, 4, 3)->eax, 0x163);
}

static void test_amd_topology(void)
{
	const struct x86_cpuid_options opt = { .nr_cpus = 4, .pmu = true };
	struct x86_cpuid c = amd();

	x86_cpuid_filter(&c, &opt);
	x86_cpuid_set_apic_id(&c, 3);
	CHECK_EQ(get(&c, 0x80000008, 0)->ecx, 0x2003);
	CHECK(get(&c, 0x80000001, 0)->ecx & 2);
	CHECK_EQ(get(&c, 0x8000001e, 0)->eax, 3);
	CHECK_EQ(get(&c, 0x8000001e, 0)->ebx, 3);
	CHECK_EQ(get(&c, 0x8000001e, 0)->ecx, 0);
	CHECK_EQ(get(&c, 0x8000001d, 0)->eax, 0x121);
	CHECK_EQ(get(&c, 0x8000001d, 3)->eax, 0xc163);
	CHECK(x86_cpuid_find(&c, 0x80000026, 0) == NULL);
	CHECK(x86_cpuid_find(&c, 0x1f, 0) == NULL); /* beyond the highest leaf */
	CHECK_EQ(get(&c, 0xb, 1)->ebx, 4);
}

static void test_pmu(void)
{
	struct x86_cpuid_options opt = { .nr_cpus = 1, .pmu = true };
	struct x86_cpuid c = intel();

	CHECK(x86_cpuid_has_pmu(&c));
	x86_cpuid_filter(&c, &opt);
	CHECK_EQ(get(&c, 0xa, 0)->eax, 0x07300802);
	CHECK(get(&c, 1, 0)->ecx & 1u << 15);

	opt.pmu = false;
	c = intel();
	x86_cpuid_filter(&c, &opt);
	CHECK_EQ(get(&c, 0xa, 0)->eax, 0);
	CHECK_EQ(get(&c, 0xa, 0)->edx, 0);
	CHECK(!(get(&c, 1, 0)->ecx & 1u << 15));
	CHECK(!x86_cpuid_has_pmu(&c));

	c = amd();
	CHECK(x86_cpuid_has_pmu(&c));
	x86_cpuid_filter(&c, &opt);
	CHECK_EQ(get(&c, 0x80000001, 0)->ecx & (1u << 23 | 1u << 24 | 1u << 28), 0);
	CHECK_EQ(get(&c, 0x80000022, 0)->eax, 0);
	CHECK_EQ(get(&c, 0x80000022, 0)->ebx, 0);
	CHECK(!x86_cpuid_has_pmu(&c));
}

static void test_host_only(void)
{
	const struct x86_cpuid_options opt = { .nr_cpus = 1, .pmu = true };
	struct x86_cpuid c = intel();

	x86_cpuid_filter(&c, &opt);
	CHECK_EQ(get(&c, 5, 0)->eax | get(&c, 5, 0)->edx, 0);
	CHECK_EQ(get(&c, 6, 0)->eax, 4);
	CHECK_EQ(get(&c, 6, 0)->ecx, 0);
}

/* A full table: nothing is written behind it. */
static void test_full(void)
{
	const struct x86_cpuid_options opt = { .nr_cpus = 2, .pmu = true };
	struct x86_cpuid c = intel();

	while (c.nr < X86_CPUID_MAX)
		add(&c, 0x50000000 + c.nr, 0, 0, 0, 0, 0, 0);
	/* Two entries of leaf B leave, two come back. */
	x86_cpuid_filter(&c, &opt);
	CHECK(c.nr <= X86_CPUID_MAX);
	CHECK_EQ(get(&c, 0xb, 1)->ebx, 2);
}

const struct test x86_cpuid_tests[] = {
	{ "find", test_find },
	{ "vendor", test_vendor },
	{ "phys-bits", test_phys_bits },
	{ "intel-topology", test_intel_topology },
	{ "one-cpu", test_one_cpu },
	{ "amd-topology", test_amd_topology },
	{ "pmu", test_pmu },
	{ "host-only", test_host_only },
	{ "full", test_full },
	{ 0 },
};
