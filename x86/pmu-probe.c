// SPDX-License-Identifier: GPL-2.0-only
#include "x86/pmu-probe.h"

#include <inttypes.h>
#include <string.h>

/* Intel SDM volume 2, CPUID, and volume 3 chapter 20; AMD APM volume 2 section 13.2. */
#define LEAF_VENDOR    0x0u
#define LEAF_PMU       0xau
#define LEAF_EXT_MAX   0x80000000u
#define LEAF_EXT       0x80000001u
#define LEAF_AMD_PMU   0x80000022u

#define EXT_ECX_PERFCTR_CORE (1u << 23)

#define MSR_EVNTSEL0     0x186
#define MSR_PMC0         0xc1
#define MSR_FIXED_CTR0   0x309
#define MSR_FIXED_CTRL   0x38d
#define MSR_GLOBAL_CTRL  0x38f
#define MSR_K7_EVNTSEL0  0xc0010000u
#define MSR_K7_PERFCTR0  0xc0010004u
#define MSR_F15H_CTL0    0xc0010200u
#define MSR_F15H_CTR0    0xc0010201u
#define MSR_AMD_GLOBAL_CTL 0xc0000301u

/* Retired instructions, in user and kernel mode, enabled: event 0xc0 on both makers' CPUs. */
#define EVNTSEL_INSTRUCTIONS 0x4300c0

#define AMD_WIDTH_BITS      48
#define AMD_LEGACY_COUNTERS 4
#define AMD_CORE_COUNTERS   6

#define TEST_LOOPS 100000 /* of two instructions */

static const char *const intel_events[] = {
	"core cycles", "instructions retired", "reference cycles", "last-level cache references",
	"last-level cache misses", "branches retired", "branches mispredicted", "topdown slots",
};
static const uint16_t intel_codes[] = { 0x003c, 0x00c0, 0x013c, 0x4f2e, 0x412e, 0x00c4, 0x00c5, 0x01a4 };

static const char *const fixed_names[] = {
	"instructions", "core cycles", "reference cycles", "topdown slots",
};

static struct probe_op cpuid(uint32_t leaf)
{
	return (struct probe_op){ .op = PROBE_CPUID, .arg = { leaf, 0 } };
}

static struct probe_op rdmsr(uint32_t msr)
{
	return (struct probe_op){ .op = PROBE_RDMSR, .arg = { msr } };
}

static struct probe_op wrmsr(uint32_t msr, uint64_t v)
{
	return (struct probe_op){ .op = PROBE_WRMSR, .arg = { msr, v } };
}

static uint32_t eax(const struct probe_op *op)
{
	return (uint32_t)op->ret[0];
}

static uint32_t ebx(const struct probe_op *op)
{
	return (uint32_t)(op->ret[0] >> 32);
}

static uint32_t ecx(const struct probe_op *op)
{
	return (uint32_t)op->ret[1];
}

static uint32_t edx(const struct probe_op *op)
{
	return (uint32_t)(op->ret[1] >> 32);
}

/* What the CPUID leaves promise. */
struct pmu {
	bool         amd;
	unsigned int version;     /* Intel's leaf 0xA; 0: none */
	unsigned int nr, width_bits;
	unsigned int nr_fixed, fixed_width_bits;
	bool         global;      /* counters have a common switch */
	uint32_t     ctl, ctr, stride; /* MSRs of the first counter, and from one to the next */
	uint32_t     global_ctl;
};

static void add_counter(struct pmu_list *list, unsigned int index, const char *type, const char *name,
			uint32_t msr, unsigned int width_bits)
{
	struct pmu_counter *c = pmu_list_counter(list);

	if (!c)
		return;
	c->index = index;
	c->type = type;
	c->number = msr;
	c->width_bits = width_bits;
	snprintf(c->name, sizeof(c->name), "%s", name);
}

static void describe(const struct pmu *pmu, struct pmu_list *list, const struct probe_op *leaf)
{
	char name[32];

	for (unsigned int i = 0; i < pmu->nr; i++) {
		snprintf(name, sizeof(name), "%s%u", pmu->amd ? "PERF_CTR" : "IA32_PMC", i);
		add_counter(list, i, "general", name, pmu->ctr + i * pmu->stride, pmu->width_bits);
	}
	for (unsigned int i = 0; i < pmu->nr_fixed; i++) {
		snprintf(name, sizeof(name), "IA32_FIXED_CTR%u", i);
		add_counter(list, i, "fixed", name, MSR_FIXED_CTR0 + i, pmu->fixed_width_bits);
		if (i < ARRAY_SIZE(fixed_names))
			pmu_list_fact(list, name, "%s", fixed_names[i]);
	}
	if (pmu->amd)
		return;
	for (unsigned int i = 0; i < MIN(eax(leaf) >> 24, (uint32_t)ARRAY_SIZE(intel_events)); i++) {
		struct pmu_event *e = pmu_list_event(list);

		if (!e)
			return;
		e->group = "architectural";
		e->code = intel_codes[i];
		e->error = ebx(leaf) >> i & 1 ? "not available" : NULL;
		snprintf(e->name, sizeof(e->name), "%s", intel_events[i]);
	}
}

/* Counts instructions on the first general counter. Returns true if it moved. */
static int count(const struct probe *probe, const struct pmu *pmu, struct pmu_list *list, bool *moved)
{
	struct probe_op ops[] = {
		wrmsr(pmu->ctr, 0), wrmsr(pmu->ctl, EVNTSEL_INSTRUCTIONS),
		pmu->global ? wrmsr(pmu->global_ctl, 1) : cpuid(0),
		rdmsr(pmu->ctr), { .op = PROBE_LOOP, .arg = { TEST_LOOPS } }, rdmsr(pmu->ctr),
		wrmsr(pmu->ctl, 0),
	};
	const struct probe_op *before = &ops[3], *after = &ops[5];
	int ret = probe->run(probe->host, ops, ARRAY_SIZE(ops));
	uint64_t n;

	*moved = false;
	if (ret)
		return ret;
	if (ops[0].ret[0] || ops[1].ret[0] || before->ret[0] || after->ret[0]) {
		pmu_list_fact(list, "instructions", "<not counted>: the counter's MSRs fault");
		return 0;
	}
	n = after->ret[1] - before->ret[1];
	*moved = n != 0;
	if (!n)
		return 0;
	pmu_list_fact(list, "instructions", "%" PRIu64 " in a loop of %u (counter 0)", n, 2 * TEST_LOOPS);
	if (n < 2 * TEST_LOOPS - TEST_LOOPS / 10 || n > 2 * TEST_LOOPS + TEST_LOOPS / 10)
		pmu_list_note(list, "instructions are more than 5 %% off");
	return 0;
}

static void read_intel(struct pmu *pmu, const struct probe_op *leaf)
{
	pmu->version = eax(leaf) & 0xff;
	pmu->nr = eax(leaf) >> 8 & 0xff;
	pmu->width_bits = eax(leaf) >> 16 & 0xff;
	if (pmu->version >= 2) {
		pmu->nr_fixed = edx(leaf) & 0x1f;
		pmu->fixed_width_bits = edx(leaf) >> 5 & 0xff;
		pmu->global = true;
	}
	pmu->ctl = MSR_EVNTSEL0;
	pmu->ctr = MSR_PMC0;
	pmu->stride = 1;
	pmu->global_ctl = MSR_GLOBAL_CTRL;
}

static void read_amd(struct pmu *pmu, bool core, bool v2, unsigned int v2_counters)
{
	pmu->amd = true;
	pmu->width_bits = AMD_WIDTH_BITS;
	pmu->nr = core ? AMD_CORE_COUNTERS : AMD_LEGACY_COUNTERS;
	pmu->ctl = core ? MSR_F15H_CTL0 : MSR_K7_EVNTSEL0;
	pmu->ctr = core ? MSR_F15H_CTR0 : MSR_K7_PERFCTR0;
	pmu->stride = core ? 2 : 1;
	pmu->global_ctl = MSR_AMD_GLOBAL_CTL;
	if (v2) {
		pmu->global = true;
		pmu->nr = v2_counters ? v2_counters : pmu->nr;
	}
}

int x86_pmu_list(const struct probe *probe, struct pmu_list *list)
{
	enum { VENDOR, PMU, EXT_MAX, EXT, AMD_PMU };
	struct probe_op ops[] = {
		[VENDOR] = cpuid(LEAF_VENDOR), [PMU] = cpuid(LEAF_PMU), [EXT_MAX] = cpuid(LEAF_EXT_MAX),
		[EXT] = cpuid(LEAF_EXT), [AMD_PMU] = cpuid(LEAF_AMD_PMU),
	};
	struct pmu pmu = { 0 };
	bool amd, v2, moved;
	int ret;

	memset(list, 0, sizeof(*list));
	ret = probe->run(probe->host, ops, ARRAY_SIZE(ops));
	if (ret)
		return ret;
	/* "Auth", "Hygo": the first letters of AuthenticAMD and HygonGenuine. */
	amd = ebx(&ops[VENDOR]) == 0x68747541 || ebx(&ops[VENDOR]) == 0x6f677948;
	v2 = eax(&ops[EXT_MAX]) >= LEAF_AMD_PMU && (eax(&ops[AMD_PMU]) & 1);
	if (amd)
		read_amd(&pmu, ecx(&ops[EXT]) & EXT_ECX_PERFCTR_CORE, v2, ebx(&ops[AMD_PMU]) & 0xf);
	else if (eax(&ops[VENDOR]) >= LEAF_PMU)
		read_intel(&pmu, &ops[PMU]);
	list->present = pmu.nr > 0;
	if (list->present) {
		ret = count(probe, &pmu, list, &moved);
		if (ret)
			return ret;
		/*
		 * AMD's first four counters are older than CPUID bits for them: there is no other
		 * way to tell.
		 */
		if (amd && !moved && pmu.ctr == MSR_K7_PERFCTR0)
			list->present = false;
		else if (!moved)
			pmu_list_bug(list, "the CPUID leaves promise counters, but counter 0 does not move");
	}
	if (!list->present) {
		list->nr_facts = 0;
		return 0;
	}
	if (amd)
		snprintf(list->kind, sizeof(list->kind), "AMD %s", v2 ? "PerfMonV2" : "core counters");
	else
		snprintf(list->kind, sizeof(list->kind), "Intel PerfMon version %u", pmu.version);
	pmu_list_fact(list, "counters", "%u general, %u fixed", pmu.nr, pmu.nr_fixed);
	describe(&pmu, list, &ops[PMU]);
	return 0;
}
