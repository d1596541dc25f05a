// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/pseries-cpu.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "powerpc/host-cpu.h"
#include "powerpc/options.h"

/* Linux arch/powerpc/include/uapi/asm/cputable.h */
#define PPC_FEATURE_HAS_ALTIVEC 0x10000000u
#define PPC_FEATURE_HAS_DFP     0x00000400u
#define PPC_FEATURE_HAS_VSX     0x00000080u
#define PPC_FEATURE2_ARCH_3_00  0x00800000u

/* What AT_L1?_CACHEGEOMETRY has in place of a number of ways (Linux arch/powerpc/kernel/setup_64.c). */
#define WAYS_UNKNOWN 0
#define WAYS_ALL     0xffff

/* The rate at which all Power server CPUs with a hypervisor mode that Linux supports count time. */
#define TIMEBASE_HZ 512000000u

/* ibm,pa-features, as a guest that is told nothing else needs them: MMU and FPU are there, little-endian works. */
#define PA_MMU          (0u << 8 | 0)
#define PA_FPU          (0u << 8 | 1)
#define PA_NO_EXECUTE   (0u << 8 | 6)
#define PA_TRUE_LE      (5u << 8 | 0)

/* Its length without the two bytes of the head, up to what the architecture level brought (LoPAR appendix C). */
#define PA_BYTES_207 24u
#define PA_BYTES_300 64u

/* The cache line of every CPU that has a hypervisor mode. */
#define CACHE_LINE_BYTES 128

static void add_prop(struct pseries_cpu *cpu, const char *name, const void *data, size_t len)
{
	struct pseries_cpu_prop *prop = &cpu->props[cpu->nr_props++];

	assert(cpu->nr_props <= PSERIES_CPU_MAX_PROPS && len <= sizeof(prop->data));
	prop->name = name;
	prop->len = len;
	memcpy(prop->data, data, len);
}

static void add_u32(struct pseries_cpu *cpu, const char *name, uint32_t v)
{
	uint8_t be[4];

	put_be32(be, v);
	add_prop(cpu, name, be, sizeof(be));
}

/* ---- what the kernel says ----------------------------------------------------------------------- */

/* Properties of a cache, in the order in which add_cache() gives them. */
static const char *const d_cache[] = { "d-cache-block-size", "d-cache-size", "d-cache-line-size", "d-cache-sets" };
static const char *const i_cache[] = { "i-cache-block-size", "i-cache-size", "i-cache-line-size", "i-cache-sets" };

static void add_cache(struct pseries_cpu *cpu, const char *const names[4], const struct pseries_cache *cache)
{
	uint32_t ways = cache->geometry >> 16, line = cache->geometry & 0xffff;

	add_u32(cpu, names[0], cache->block_bytes ? cache->block_bytes : CACHE_LINE_BYTES);
	if (!cache->bytes || !line)
		return;
	add_u32(cpu, names[1], cache->bytes);
	add_u32(cpu, names[2], line);
	/* Open Firmware says 1 set of a fully associative one. */
	if (ways != WAYS_UNKNOWN)
		add_u32(cpu, names[3], ways == WAYS_ALL ? 1 : cache->bytes / line / ways);
}

void pseries_cpu_describe(struct pseries_cpu *cpu, const struct pseries_host_cpu *host)
{
	cpu->nr_props = 0;
	add_u32(cpu, "timebase-frequency", host->timebase_hz ? host->timebase_hz : TIMEBASE_HZ);
	add_cache(cpu, d_cache, &host->d);
	add_cache(cpu, i_cache, &host->i);
	if (host->hwcap & PPC_FEATURE_HAS_ALTIVEC)
		add_u32(cpu, "ibm,vmx", host->hwcap & PPC_FEATURE_HAS_VSX ? 2 : 1); /* LoPAR appendix C */
	if (host->hwcap & PPC_FEATURE_HAS_DFP)
		add_u32(cpu, "ibm,dfp", 1);
	/* Part of the architecture for as long as there has been KVM-HV. */
	add_u32(cpu, "ibm,purr", 1);
	add_u32(cpu, "ibm,spurr", 1);
}

/* ---- what the device tree says ------------------------------------------------------------------ */

static void copy_prop(struct pseries_cpu *cpu, const struct ppc_host_cpu *host, const char *name)
{
	uint8_t buf[PSERIES_CPU_PROP_BYTES + 1];
	int len = ppc_host_cpu_prop(host, name, buf, sizeof(buf));

	if (len >= 0)
		add_prop(cpu, name, buf, (size_t)len);
}

/* "power9" -> "PowerPC,POWER9@0", as the firmware of every such machine calls the first CPU if it has number 0. */
static void likely_node(char *node, size_t size, const char *platform)
{
	size_t at = (size_t)snprintf(node, size, "PowerPC,%s@0", platform);

	for (size_t i = strlen("PowerPC,"); i < MIN(at, size); i++)
		if (node[i] >= 'a' && node[i] <= 'z')
			node[i] -= 'a' - 'A';
}

/*
 * A host that is itself a guest may be held to an earlier generation than its CPU is of, or know no later one. Then
 * its kernel has two names for it, and in the device tree is the generation's (Linux arch/powerpc/kernel/prom.c,
 * early_init_dt_scan_cpus()).
 */
static uint32_t read_generation(const struct ppc_host_cpu *node, const struct pseries_host_cpu *host)
{
	uint8_t cell[4 + 1];
	uint32_t pvr;

	if (!host->platform || !host->base_platform || !strcmp(host->platform, host->base_platform) ||
	    ppc_host_cpu_prop(node, "cpu-version", cell, sizeof(cell)) != 4)
		return 0;
	pvr = get_be32(cell);
	return ppc_compat_name(pvr) ? pvr : 0;
}

int pseries_cpu_read(struct pseries_cpu *cpu, const char *cpus, const struct pseries_host_cpu *kernel)
{
	struct ppc_host_cpu host;
	char node[32];
	int len;

	if (kernel->platform)
		likely_node(node, sizeof(node), kernel->platform);
	/* What tells a CPU from its caches, and from a list of all CPUs' features. */
	len = ppc_host_cpu_find(&host, cpus, kernel->platform ? node : NULL, "ibm,pa-features", cpu->pa_features,
				sizeof(cpu->pa_features));

	if (len < 0)
		return len;
	/* The first of what may be several lists, each with its length. */
	if (len >= 2 && cpu->pa_features[0] + 2 <= len)
		cpu->pa_bytes = cpu->pa_features[0] + 2u;
	snprintf(cpu->name, sizeof(cpu->name), "%.*s", (int)strcspn(host.node, "@"), host.node);
	copy_prop(cpu, &host, "clock-frequency");
	copy_prop(cpu, &host, "ibm,pi-features");
	cpu->held_to = read_generation(&host, kernel);
	return 0;
}

void pseries_cpu_guess(struct pseries_cpu *cpu, const struct pseries_host_cpu *host)
{
	snprintf(cpu->name, sizeof(cpu->name), "PowerPC,Power");
	cpu->pa_bytes = 0;
	pseries_cpu_set_feature(cpu, PA_MMU, true);
	pseries_cpu_set_feature(cpu, PA_FPU, true);
	pseries_cpu_set_feature(cpu, PA_NO_EXECUTE, true);
	pseries_cpu_set_feature(cpu, PA_TRUE_LE, true);
	pseries_cpu_set_feature(cpu, PSERIES_PA_RADIX, host->hwcap2 & PPC_FEATURE2_ARCH_3_00);
}

/* ---- features ----------------------------------------------------------------------------------- */

void pseries_cpu_set_feature(struct pseries_cpu *cpu, unsigned int bit, bool on)
{
	size_t at = 2 + (bit >> 8);
	uint8_t mask = (uint8_t)(0x80 >> (bit & 7));

	if (at >= cpu->pa_bytes) {
		if (!on)
			return;
		if (cpu->pa_bytes < 2)
			memset(cpu->pa_features, 0, sizeof(cpu->pa_features));
		else
			memset(cpu->pa_features + cpu->pa_bytes, 0, at + 1 - cpu->pa_bytes);
		cpu->pa_bytes = at + 1;
		cpu->pa_features[0] = (uint8_t)(cpu->pa_bytes - 2);
	}
	if (on)
		cpu->pa_features[at] |= mask;
	else
		cpu->pa_features[at] &= (uint8_t)~mask;
}

void pseries_cpu_hold_to(struct pseries_cpu *cpu, uint32_t pvr)
{
	size_t most = PSERIES_PA_BYTES;

	if (pvr < PPC_COMPAT_POWER9)
		most = PA_BYTES_207;
	else if (pvr < PPC_COMPAT_POWER10)
		most = PA_BYTES_300;
	if (cpu->pa_bytes <= 2 + most)
		return;
	cpu->pa_bytes = 2 + most;
	cpu->pa_features[0] = (uint8_t)most;
}

/* As the kernel reads a boolean parameter (lib/kstrtox.c). */
static bool means_yes(const char *value, size_t len)
{
	if (!len)
		return false;
	if (strchr("yY1tT", *value))
		return true;
	return len >= 2 && (value[0] == 'o' || value[0] == 'O') && (value[1] == 'n' || value[1] == 'N');
}

/* The next word of *@params, which moves on. *@len is 0 at the end. */
static const char *next_word(const char **params, size_t *len)
{
	const char *word = *params + strspn(*params, " \t\n");

	*len = strcspn(word, " \t\n");
	*params = word + *len;
	return word;
}

bool pseries_wants_hash(const char *params)
{
	static const char name[] = "disable_radix";
	const size_t name_len = sizeof(name) - 1;
	const char *p = params ? params : "", *word;
	bool wants = false;
	size_t len;

	while (word = next_word(&p, &len), len) {
		if (len < name_len || strncmp(word, name, name_len))
			continue;
		if (len == name_len)
			wants = true;
		else if (word[name_len] == '=')
			wants = means_yes(word + name_len + 1, len - name_len - 1);
	}
	return wants;
}

bool pseries_params_have(const char *params, const char *wanted)
{
	const char *p = params ? params : "", *word;
	size_t len;

	while (word = next_word(&p, &len), len)
		if (len == strlen(wanted) && !strncmp(word, wanted, len))
			return true;
	return false;
}

unsigned int pseries_htab_order(uint64_t ram_bytes)
{
	unsigned int order = 0;

	while (order < 63 && (UINT64_C(1) << order) < ram_bytes)
		order++;
	order = order > 7 ? order - 7 : 0;
	return MIN(MAX(order, PSERIES_HTAB_MIN_ORDER), PSERIES_HTAB_MAX_ORDER);
}
