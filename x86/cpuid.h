/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPUID leaves that a guest sees: what KVM supports, minus what was switched off, with the leaves that
 * depend on the VM's own shape (APIC ids, topology, caches' sharing) made true. Pure.
 */
#ifndef X86_CPUID_H
#define X86_CPUID_H

#include "lkvm/types.h"

#define X86_CPUID_MAX 256

/* As struct kvm_cpuid_entry2. */
struct x86_cpuid_entry {
	uint32_t function;
	uint32_t index;
	uint32_t flags;
	uint32_t eax, ebx, ecx, edx;
	uint32_t padding[3];
};
/* The index (ECX) matters: KVM_CPUID_FLAG_SIGNIFCANT_INDEX. */
#define X86_CPUID_INDEXED (1u << 0)

/* As struct kvm_cpuid2. */
struct x86_cpuid {
	uint32_t               nr;
	uint32_t               padding;
	struct x86_cpuid_entry entries[X86_CPUID_MAX];
};

/* Settled once per VM: one package of @nr_cpus cores, one thread each, one shared last-level cache. */
struct x86_cpuid_options {
	unsigned int nr_cpus;
	bool         pmu;          /* keep the performance counters' leaves */
	bool         tsc_deadline; /* KVM emulates that timer, whether or not it lists it */
};

/* The entry of @function and, where indexed, @index; NULL if there is none. */
struct x86_cpuid_entry *x86_cpuid_find(struct x86_cpuid *cpuid, uint32_t function, uint32_t index);

/* Rewrites what KVM supports (@cpuid) into what every CPU of the VM shows. */
void x86_cpuid_filter(struct x86_cpuid *cpuid, const struct x86_cpuid_options *opt);

/* Puts CPU @apic_id's own values into a filtered @cpuid; may be called again for the next CPU. */
void x86_cpuid_set_apic_id(struct x86_cpuid *cpuid, uint32_t apic_id);

/* Width of guest-physical addresses (36 where the CPU does not say), and "GenuineIntel" or the like. */
unsigned int x86_cpuid_phys_bits(struct x86_cpuid *cpuid);
void x86_cpuid_vendor(struct x86_cpuid *cpuid, char vendor[13]);
bool x86_cpuid_has_pmu(struct x86_cpuid *cpuid);

/*
 * Clears a bit (@reg 0 to 3: eax to edx) of @leaf, index 0, or looks whether it is set: bits that KVM does not
 * support can't be turned on. False if it was to be on and is not.
 */
bool x86_cpuid_set(struct x86_cpuid *cpuid, uint32_t leaf, unsigned int reg, unsigned int bit, bool on);

/* The MSRs of the general performance counters: those of the first, and the step to the next. */
struct x86_pmu_msrs {
	uint32_t     select;
	uint32_t     counter;
	uint32_t     stride;
	unsigned int nr;
};
/* False if there are none. */
bool x86_cpuid_pmu_msrs(struct x86_cpuid *cpuid, struct x86_pmu_msrs *msrs);

#endif
