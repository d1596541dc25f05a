/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a pseries guest is told about its CPUs. KVM-HV runs the host's own kind only, so there is no table of kinds:
 * the host's kernel and its device tree describe them, and KVM says what its guests get of that. Pure.
 */
#ifndef PSERIES_CPU_H
#define PSERIES_CPU_H

#include "lkvm/types.h"

#define PSERIES_CPU_MAX_PROPS   16
#define PSERIES_CPU_PROP_BYTES  128
#define PSERIES_PA_BYTES        96
#define PSERIES_CPU_MAX_CELLS   80

/* A first-level cache as the host's kernel tells every program (Linux arch/powerpc/include/uapi/asm/auxvec.h). */
struct pseries_cache {
	uint32_t bytes;      /* AT_L1?_CACHESIZE; 0: not known, nor the geometry */
	uint32_t geometry;   /* AT_L1?_CACHEGEOMETRY: ways << 16 | bytes of a line */
	uint32_t block_bytes; /* AT_?CACHEBSIZE, of dcbz and icbi */
};

/* What the host's kernel says of its CPUs without being asked. */
struct pseries_host_cpu {
	uint64_t hwcap, hwcap2; /* AT_HWCAP, AT_HWCAP2 */
	uint32_t timebase_hz;   /* 0: not known */
	const char *platform, *base_platform; /* AT_PLATFORM, AT_BASE_PLATFORM: "power9"; NULL: not known */
	struct pseries_cache d, i;
};

struct pseries_cpu_prop {
	const char *name; /* static */
	uint8_t     data[PSERIES_CPU_PROP_BYTES];
	size_t      len;
};

struct pseries_cpu {
	char     name[32];      /* node name without its unit address: "PowerPC,POWER9" */
	uint32_t pvr;
	uint32_t held_to;       /* the generation that the host is held to (powerpc/options.h); 0: its CPU's own */
	/* Told to the guest as the host has them. */
	struct pseries_cpu_prop props[PSERIES_CPU_MAX_PROPS];
	unsigned int nr_props;
	/* "ibm,pa-features" (LoPAR appendix C): a number of bytes, a type, then bits, most significant first. */
	uint8_t  pa_features[PSERIES_PA_BYTES];
	size_t   pa_bytes;

	/* The guest's MMU: one or the other. */
	bool     radix;
	uint32_t radix_ap[8];   /* "ibm,processor-radix-AP-encodings" */
	unsigned int nr_radix_ap;
	unsigned int htab_order; /* log2 of the hash table's bytes */
	uint32_t slb_entries;
	bool     segments_1t;
	uint32_t page_sizes[PSERIES_CPU_MAX_CELLS]; /* "ibm,segment-page-sizes" */
	unsigned int nr_page_sizes; /* cells of that */
};

/* Bits of ibm,pa-features: byte << 8 | bit, bit 0 being the most significant (Linux arch/powerpc/kernel/prom.c). */
#define PSERIES_PA_TM    (22u << 8 | 0)
#define PSERIES_PA_RADIX (40u << 8 | 0)

/* Adds the properties that follow from @host. */
void pseries_cpu_describe(struct pseries_cpu *cpu, const struct pseries_host_cpu *host);

/*
 * Adds what only the device tree's folder @cpus (PPC_HOST_CPUS) has of the first CPU there: name, pa_features,
 * clock rate, and held_to where the @kernel takes the CPU for an earlier one. Returns 0, or -ENOENT
 * (silent) if the host has no such tree.
 */
int pseries_cpu_read(struct pseries_cpu *cpu, const char *cpus, const struct pseries_host_cpu *kernel)
	LKVM_MUST_CHECK;

/* The same without a device tree: the least that kernels want to know. */
void pseries_cpu_guess(struct pseries_cpu *cpu, const struct pseries_host_cpu *host);

/* Switches a feature bit (PSERIES_PA_*), growing the list where it is too short. */
void pseries_cpu_set_feature(struct pseries_cpu *cpu, unsigned int bit, bool on);

/* Takes away the features that came after the generation with logical PVR @pvr (powerpc/options.h). */
void pseries_cpu_hold_to(struct pseries_cpu *cpu, uint32_t pvr);

/*
 * True if the kernel parameters @params ask for a hash MMU ("disable_radix", with or without a value that means yes;
 * Linux Documentation/admin-guide/kernel-parameters.txt).
 */
bool pseries_wants_hash(const char *params);

/* True if the word @wanted is among @params. */
bool pseries_params_have(const char *params, const char *wanted);
/* By this a kernel, be it the guest's or the host's, is told to use an XICS. */
#define PSERIES_XIVE_OFF "xive=off"

/* log2 of the hash table's size for @ram_bytes of RAM: a 128th of it, as is usual, within KVM's limits. */
unsigned int pseries_htab_order(uint64_t ram_bytes);
#define PSERIES_HTAB_MIN_ORDER 18
#define PSERIES_HTAB_MAX_ORDER 46

#endif
