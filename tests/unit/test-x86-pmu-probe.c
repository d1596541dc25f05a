// SPDX-License-Identifier: GPL-2.0-only
#include "x86/pmu-probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/probe-vm.h"
#include "tests/unit/test.h"

static struct {
	uint32_t vendor, max, ext_max, ext_ecx;
	uint32_t pmu[4];     /* leaf 0xA: eax ebx ecx edx */
	uint32_t amd_pmu[2]; /* leaf 0x80000022: eax ebx */
	uint32_t msr;        /* of the counter that counts; 0: none */
	bool     faults;     /* all MSRs do */
	uint64_t value;
} cpu;

static int run(const struct probe_host *host LKVM_UNUSED, struct probe_op *ops, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct probe_op *op = &ops[i];
		uint32_t a = 0, b = 0, c = 0, d = 0;

		switch (op->op) {
		case PROBE_CPUID:
			switch ((uint32_t)op->arg[0]) {
			case 0:
				a = cpu.max;
				b = cpu.vendor;
				break;
			case 0xa:
				a = cpu.pmu[0], b = cpu.pmu[1], c = cpu.pmu[2], d = cpu.pmu[3];
				break;
			case 0x80000000:
				a = cpu.ext_max;
				break;
			case 0x80000001:
				c = cpu.ext_ecx;
				break;
			case 0x80000022:
				a = cpu.amd_pmu[0], b = cpu.amd_pmu[1];
				break;
			}
			op->ret[0] = a | (uint64_t)b << 32;
			op->ret[1] = c | (uint64_t)d << 32;
			break;
		case PROBE_LOOP:
			cpu.value += 2 * op->arg[0] + 7;
			break;
		case PROBE_RDMSR:
		case PROBE_WRMSR:
			op->ret[0] = cpu.faults ? PROBE_FAULT : 0;
			op->ret[1] = cpu.faults ? 13 : op->arg[0] == cpu.msr ? cpu.value : 0;
			break;
		default:
			return -1;
		}
	}
	return 0;
}

static struct pmu_list *ask(void)
{
	const struct probe probe = { .run = run };
	struct pmu_list *list = malloc(sizeof(*list));

	CHECK_EQ(x86_pmu_list(&probe, list), 0);
	return list;
}

static void intel(void)
{
	memset(&cpu, 0, sizeof(cpu));
	cpu.vendor = 0x756e6547; /* Genu */
	cpu.max = 0x16;
	cpu.ext_max = 0x80000008;
	cpu.pmu[0] = 2 | 4 << 8 | 48 << 16 | 7u << 24;
	cpu.pmu[1] = 1 << 4;
	cpu.pmu[3] = 3 | 48 << 5;
	cpu.msr = 0xc1;
}

static void amd(void)
{
	memset(&cpu, 0, sizeof(cpu));
	cpu.vendor = 0x68747541; /* Auth */
	cpu.max = 0xd;
	cpu.ext_max = 0x80000021;
}

static void test_intel(void)
{
	struct pmu_list *list;

	intel();
	list = ask();
	CHECK(list->present);
	CHECK_STR(list->kind, "Intel PerfMon version 2");
	CHECK_EQ(list->nr_bugs, 0);
	CHECK_EQ(list->nr_notes, 0);
	CHECK_EQ(list->nr_counters, 7);
	CHECK_STR(list->counters[3].name, "IA32_PMC3");
	CHECK_EQ(list->counters[3].number, 0xc4);
	CHECK_EQ(list->counters[3].width_bits, 48);
	CHECK_STR(list->counters[6].name, "IA32_FIXED_CTR2");
	CHECK_EQ(list->counters[6].number, 0x30b);
	CHECK_EQ(list->nr_events, 7);
	CHECK(list->events[1].error == NULL);
	CHECK_STR(list->events[4].error, "not available");
	free(list);

	/* Promised, but dead. */
	intel();
	cpu.msr = 0;
	list = ask();
	CHECK(list->present);
	CHECK(list->nr_bugs == 1 && strstr(list->bugs[0], "does not move"));
	free(list);
	intel();
	cpu.faults = true;
	list = ask();
	CHECK_EQ(list->nr_bugs, 1);
	CHECK(strstr(list->facts[0].value, "<not counted>") != NULL);
	free(list);
}

static void test_amd(void)
{
	struct pmu_list *list;

	amd();
	cpu.ext_max = 0x80000022;
	cpu.ext_ecx = 1 << 23;
	cpu.amd_pmu[0] = 1;
	cpu.amd_pmu[1] = 6;
	cpu.msr = 0xc0010201;
	list = ask();
	CHECK(list->present);
	CHECK_STR(list->kind, "AMD PerfMonV2");
	CHECK_EQ(list->nr_counters, 6);
	CHECK_EQ(list->counters[5].number, 0xc001020b);
	CHECK_EQ(list->nr_bugs, 0);
	free(list);

	/* The four old ones. */
	amd();
	cpu.msr = 0xc0010004;
	list = ask();
	CHECK(list->present);
	CHECK_EQ(list->nr_counters, 4);
	CHECK_EQ(list->counters[3].number, 0xc0010007);
	free(list);
}

static void test_absent(void)
{
	struct pmu_list *list;

	intel();
	memset(cpu.pmu, 0, sizeof(cpu.pmu));
	list = ask();
	CHECK(!list->present);
	CHECK_EQ(list->nr_bugs, 0);
	free(list);
	/* Below the highest leaf, Intel repeats the last one. */
	intel();
	cpu.max = 9;
	list = ask();
	CHECK(!list->present);
	free(list);
	/* Old counters that KVM lets be written, without effect. */
	amd();
	list = ask();
	CHECK(!list->present);
	CHECK_EQ(list->nr_bugs, 0);
	free(list);
}

const struct test x86_pmu_probe_tests[] = {
	{ "intel", test_intel },
	{ "amd", test_amd },
	{ "absent", test_absent },
	{ 0 },
};
