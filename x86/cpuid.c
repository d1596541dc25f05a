// SPDX-License-Identifier: GPL-2.0-only
#include "x86/cpuid.h"

#include <string.h>

#include "lkvm/byteorder.h"

/* Leaves and bits: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E. */
#define LEAF_VENDOR         0x0u
#define LEAF_FEATURES       0x1u
#define LEAF_CACHES         0x4u /* Intel, by index */
#define LEAF_MONITOR        0x5u
#define LEAF_POWER          0x6u
#define LEAF_PMU            0xau
#define LEAF_TOPOLOGY       0xbu
#define LEAF_TOPOLOGY_V2    0x1fu
#define LEAF_PMU_EXT        0x23u
#define LEAF_EXT_FEATURES   0x80000001u
#define LEAF_ADDRESS_SIZES  0x80000008u
#define LEAF_AMD_CACHES     0x8000001du
#define LEAF_AMD_TOPOLOGY   0x8000001eu
#define LEAF_AMD_PMU        0x80000022u
#define LEAF_AMD_TOPOLOGY_V2 0x80000026u

#define FEATURES_ECX_PDCM         (1u << 15)
#define FEATURES_ECX_TSC_DEADLINE (1u << 24)
#define FEATURES_ECX_HYPERVISOR   (1u << 31)
#define FEATURES_EDX_HTT          (1u << 28)
#define FEATURES_EBX_COUNT_SHIFT  16
#define FEATURES_EBX_ID_SHIFT     24

#define EXT_ECX_CMP_LEGACY   (1u << 1)
#define EXT_ECX_PERFCTR_CORE (1u << 23)
#define EXT_ECX_PERFCTR_NB   (1u << 24)
#define EXT_ECX_PERFCTR_LLC  (1u << 28)

#define POWER_EAX_ARAT (1u << 2) /* the APIC timer never stops */

#define CACHE_EAX_TYPE(eax)   ((eax) & 0x1f)
#define CACHE_EAX_LEVEL(eax)  ((eax) >> 5 & 7)
#define CACHE_EAX_SHARE_SHIFT 14
#define CACHE_EAX_SHARE_MASK  0xfffu
#define CACHE_EAX_CORES_SHIFT 26
#define CACHE_EAX_CORES_MASK  0x3fu
#define CACHE_LEVEL_SHARED    3 /* L3; L1 and L2 are the core's own */

#define TOPOLOGY_SMT  1u
#define TOPOLOGY_CORE 2u

#define DEFAULT_PHYS_BITS 36 /* what PAE guaranteed before the leaf existed */

struct x86_cpuid_entry *x86_cpuid_find(struct x86_cpuid *cpuid, uint32_t function, uint32_t index)
{
	for (uint32_t i = 0; i < cpuid->nr; i++) {
		struct x86_cpuid_entry *e = &cpuid->entries[i];

		if (e->function == function && (!(e->flags & X86_CPUID_INDEXED) || e->index == index))
			return e;
	}
	return NULL;
}

static bool is_amd(struct x86_cpuid *cpuid)
{
	char vendor[13];

	x86_cpuid_vendor(cpuid, vendor);
	return !strcmp(vendor, "AuthenticAMD") || !strcmp(vendor, "HygonGenuine");
}

/* Bits of the APIC id that number the cores. */
static unsigned int core_bits(unsigned int nr_cpus)
{
	unsigned int bits = 0;

	while (1u << bits < nr_cpus)
		bits++;
	return bits;
}

static void clear_leaf(struct x86_cpuid *cpuid, uint32_t function)
{
	for (uint32_t i = 0; i < cpuid->nr; i++) {
		struct x86_cpuid_entry *e = &cpuid->entries[i];

		if (e->function == function)
			e->eax = e->ebx = e->ecx = e->edx = 0;
	}
}

static void drop_leaf(struct x86_cpuid *cpuid, uint32_t function)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < cpuid->nr; i++)
		if (cpuid->entries[i].function != function)
			cpuid->entries[kept++] = cpuid->entries[i];
	cpuid->nr = kept;
}

/* A full table loses the entry: the guest then falls back to older leaves, which say the same. */
static struct x86_cpuid_entry *add_entry(struct x86_cpuid *cpuid, uint32_t function, uint32_t index)
{
	struct x86_cpuid_entry *e;

	if (cpuid->nr >= X86_CPUID_MAX)
		return NULL;
	e = &cpuid->entries[cpuid->nr++];
	*e = (struct x86_cpuid_entry){
		.function = function,
		.index = index,
		.flags = X86_CPUID_INDEXED,
	};
	return e;
}

/* Leaf B (and 1F, of the same form): one thread per core, all cores in one package. */
static void set_topology(struct x86_cpuid *cpuid, uint32_t function, unsigned int nr_cpus)
{
	struct x86_cpuid_entry *e = x86_cpuid_find(cpuid, LEAF_VENDOR, 0);

	drop_leaf(cpuid, function);
	if (!e || e->eax < function)
		return;
	e = add_entry(cpuid, function, 0);
	if (!e)
		return;
	e->ebx = 1;
	e->ecx = TOPOLOGY_SMT << 8;
	e = add_entry(cpuid, function, 1);
	if (!e)
		return;
	e->eax = core_bits(nr_cpus);
	e->ebx = nr_cpus;
	e->ecx = TOPOLOGY_CORE << 8 | 1;
}

static void set_cache_sharing(struct x86_cpuid *cpuid, uint32_t function, unsigned int nr_cpus)
{
	uint32_t ids = (1u << core_bits(nr_cpus)) - 1;

	for (uint32_t i = 0; i < cpuid->nr; i++) {
		struct x86_cpuid_entry *e = &cpuid->entries[i];
		uint32_t share;

		if (e->function != function || !CACHE_EAX_TYPE(e->eax))
			continue;
		share = CACHE_EAX_LEVEL(e->eax) >= CACHE_LEVEL_SHARED ? ids : 0;
		e->eax &= ~(CACHE_EAX_SHARE_MASK << CACHE_EAX_SHARE_SHIFT);
		e->eax |= share << CACHE_EAX_SHARE_SHIFT;
		if (function == LEAF_CACHES) {
			e->eax &= ~(CACHE_EAX_CORES_MASK << CACHE_EAX_CORES_SHIFT);
			e->eax |= (ids & CACHE_EAX_CORES_MASK) << CACHE_EAX_CORES_SHIFT;
		}
	}
}

static void set_amd_topology(struct x86_cpuid *cpuid, unsigned int nr_cpus)
{
	struct x86_cpuid_entry *e = x86_cpuid_find(cpuid, LEAF_EXT_FEATURES, 0);

	if (e) {
		e->ecx &= ~EXT_ECX_CMP_LEGACY;
		if (nr_cpus > 1)
			e->ecx |= EXT_ECX_CMP_LEGACY;
	}
	e = x86_cpuid_find(cpuid, LEAF_ADDRESS_SIZES, 0);
	if (e)
		e->ecx = (e->ecx & 0xffff0000u) | core_bits(nr_cpus) << 12 | ((nr_cpus - 1) & 0xff);
	/* Thread and node numbers are 0; the ids are set per CPU. */
	clear_leaf(cpuid, LEAF_AMD_TOPOLOGY);
	drop_leaf(cpuid, LEAF_AMD_TOPOLOGY_V2);
}

static void clear_pmu(struct x86_cpuid *cpuid)
{
	struct x86_cpuid_entry *e = x86_cpuid_find(cpuid, LEAF_FEATURES, 0);

	if (e)
		e->ecx &= ~FEATURES_ECX_PDCM;
	e = x86_cpuid_find(cpuid, LEAF_EXT_FEATURES, 0);
	if (e)
		e->ecx &= ~(EXT_ECX_PERFCTR_CORE | EXT_ECX_PERFCTR_NB | EXT_ECX_PERFCTR_LLC);
	clear_leaf(cpuid, LEAF_PMU);
	clear_leaf(cpuid, LEAF_PMU_EXT);
	clear_leaf(cpuid, LEAF_AMD_PMU);
}

void x86_cpuid_filter(struct x86_cpuid *cpuid, const struct x86_cpuid_options *opt)
{
	struct x86_cpuid_entry *e = x86_cpuid_find(cpuid, LEAF_FEATURES, 0);
	bool amd = is_amd(cpuid);

	if (e) {
		e->ecx |= FEATURES_ECX_HYPERVISOR;
		if (opt->tsc_deadline)
			e->ecx |= FEATURES_ECX_TSC_DEADLINE;
		e->edx &= ~FEATURES_EDX_HTT;
		if (opt->nr_cpus > 1)
			e->edx |= FEATURES_EDX_HTT;
		e->ebx &= ~(0xffu << FEATURES_EBX_COUNT_SHIFT);
		e->ebx |= MIN(1u << core_bits(opt->nr_cpus), 0xffu) << FEATURES_EBX_COUNT_SHIFT;
	}
	/* The host's monitor line sizes and thermal sensors are none of the guest's. */
	clear_leaf(cpuid, LEAF_MONITOR);
	e = x86_cpuid_find(cpuid, LEAF_POWER, 0);
	if (e) {
		e->eax &= POWER_EAX_ARAT;
		e->ebx = e->ecx = e->edx = 0;
	}
	if (!opt->pmu)
		clear_pmu(cpuid);
	set_cache_sharing(cpuid, amd ? LEAF_AMD_CACHES : LEAF_CACHES, opt->nr_cpus);
	set_topology(cpuid, LEAF_TOPOLOGY, opt->nr_cpus);
	set_topology(cpuid, LEAF_TOPOLOGY_V2, opt->nr_cpus);
	if (amd)
		set_amd_topology(cpuid, opt->nr_cpus);
}

void x86_cpuid_set_apic_id(struct x86_cpuid *cpuid, uint32_t apic_id)
{
	bool amd = is_amd(cpuid);

	for (uint32_t i = 0; i < cpuid->nr; i++) {
		struct x86_cpuid_entry *e = &cpuid->entries[i];

		switch (e->function) {
		case LEAF_FEATURES:
			e->ebx &= ~(0xffu << FEATURES_EBX_ID_SHIFT);
			e->ebx |= apic_id << FEATURES_EBX_ID_SHIFT;
			break;
		case LEAF_TOPOLOGY:
		case LEAF_TOPOLOGY_V2:
			e->edx = apic_id;
			break;
		case LEAF_AMD_TOPOLOGY:
			if (amd) {
				e->eax = apic_id;
				e->ebx = apic_id & 0xff;
			}
			break;
		default:
			break;
		}
	}
}

unsigned int x86_cpuid_phys_bits(struct x86_cpuid *cpuid)
{
	const struct x86_cpuid_entry *e = x86_cpuid_find(cpuid, LEAF_ADDRESS_SIZES, 0);
	unsigned int bits, guest_bits;

	if (!e || !(e->eax & 0xff))
		return DEFAULT_PHYS_BITS;
	bits = e->eax & 0xff;
	/* GuestPhysAddrSize: what KVM's second-level tables reach, when that is less. */
	guest_bits = e->eax >> 16 & 0xff;
	if (guest_bits)
		bits = MIN(bits, guest_bits);
	return MIN(bits, 52u);
}

void x86_cpuid_vendor(struct x86_cpuid *cpuid, char vendor[13])
{
	const struct x86_cpuid_entry *e = x86_cpuid_find(cpuid, LEAF_VENDOR, 0);

	memset(vendor, 0, 13);
	if (!e)
		return;
	put_le32(vendor, e->ebx);
	put_le32(vendor + 4, e->edx);
	put_le32(vendor + 8, e->ecx);
}

bool x86_cpuid_has_pmu(struct x86_cpuid *cpuid)
{
	const struct x86_cpuid_entry *e = x86_cpuid_find(cpuid, LEAF_PMU, 0);

	if (e && (e->eax & 0xff))
		return true;
	e = x86_cpuid_find(cpuid, LEAF_EXT_FEATURES, 0);
	return e && is_amd(cpuid) && (e->ecx & EXT_ECX_PERFCTR_CORE);
}

bool x86_cpuid_pmu_msrs(struct x86_cpuid *cpuid, struct x86_pmu_msrs *msrs)
{
	const struct x86_cpuid_entry *e = x86_cpuid_find(cpuid, LEAF_PMU, 0);

	if (!x86_cpuid_has_pmu(cpuid))
		return false;
	if (e && (e->eax & 0xff))
		*msrs = (struct x86_pmu_msrs){ 0x186, 0xc1, 1, e->eax >> 8 & 0xff };
	else
		*msrs = (struct x86_pmu_msrs){ 0xc0010200, 0xc0010201, 2, 6 };
	return true;
}

bool x86_cpuid_set(struct x86_cpuid *cpuid, uint32_t leaf, unsigned int reg, unsigned int bit, bool on)
{
	struct x86_cpuid_entry *e = x86_cpuid_find(cpuid, leaf, 0);
	uint32_t *value;

	if (!e)
		return !on;
	value = reg == 0 ? &e->eax : reg == 1 ? &e->ebx : reg == 2 ? &e->ecx : &e->edx;
	if (on)
		return *value >> bit & 1;
	*value &= ~(1u << bit);
	return true;
}
