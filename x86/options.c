// SPDX-License-Identifier: GPL-2.0-only
#include "x86/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lkvm/log.h"

enum { EAX, EBX, ECX, EDX };

/* Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E. Names as in Linux's /proc/cpuinfo. */
static const struct {
	const char *name;
	uint32_t    leaf;
	uint8_t     reg, bit;
} features[] = {
	{ "sse3", 1, ECX, 0 }, { "pclmulqdq", 1, ECX, 1 }, { "vmx", 1, ECX, 5 }, { "ssse3", 1, ECX, 9 },
	{ "fma", 1, ECX, 12 }, { "cx16", 1, ECX, 13 }, { "pdcm", 1, ECX, 15 }, { "pcid", 1, ECX, 17 },
	{ "sse4_1", 1, ECX, 19 }, { "sse4_2", 1, ECX, 20 }, { "x2apic", 1, ECX, 21 }, { "movbe", 1, ECX, 22 },
	{ "popcnt", 1, ECX, 23 }, { "tsc_deadline_timer", 1, ECX, 24 }, { "aes", 1, ECX, 25 },
	{ "xsave", 1, ECX, 26 }, { "avx", 1, ECX, 28 }, { "f16c", 1, ECX, 29 }, { "rdrand", 1, ECX, 30 },
	{ "hypervisor", 1, ECX, 31 }, { "mtrr", 1, EDX, 12 }, { "pge", 1, EDX, 13 }, { "pat", 1, EDX, 16 },
	{ "clflush", 1, EDX, 19 },
	{ "fsgsbase", 7, EBX, 0 }, { "bmi1", 7, EBX, 3 }, { "avx2", 7, EBX, 5 }, { "smep", 7, EBX, 7 },
	{ "bmi2", 7, EBX, 8 }, { "erms", 7, EBX, 9 }, { "invpcid", 7, EBX, 10 }, { "rtm", 7, EBX, 11 },
	{ "avx512f", 7, EBX, 16 }, { "rdseed", 7, EBX, 18 }, { "adx", 7, EBX, 19 }, { "smap", 7, EBX, 20 },
	{ "clflushopt", 7, EBX, 23 }, { "clwb", 7, EBX, 24 }, { "sha_ni", 7, EBX, 29 }, { "umip", 7, ECX, 2 },
	{ "pku", 7, ECX, 3 }, { "vaes", 7, ECX, 9 }, { "vpclmulqdq", 7, ECX, 10 }, { "la57", 7, ECX, 16 },
	{ "rdpid", 7, ECX, 22 }, { "fsrm", 7, EDX, 4 }, { "spec_ctrl", 7, EDX, 26 },
	{ "lahf_lm", 0x80000001, ECX, 0 }, { "svm", 0x80000001, ECX, 2 }, { "abm", 0x80000001, ECX, 5 },
	{ "sse4a", 0x80000001, ECX, 6 }, { "perfctr_core", 0x80000001, ECX, 23 }, { "syscall", 0x80000001, EDX, 11 },
	{ "nx", 0x80000001, EDX, 20 }, { "pdpe1gb", 0x80000001, EDX, 26 }, { "rdtscp", 0x80000001, EDX, 27 },
	{ "invtsc", 0x80000007, EDX, 8 },
};

/* "0x7.ebx.9" */
static bool parse_place(const char *text, struct config_cpuid_bit *b)
{
	static const char *const regs[] = { "eax", "ebx", "ecx", "edx" };
	char leaf[16], reg[4], end;
	unsigned int bit;
	uint64_t v;

	if (sscanf(text, "%15[0-9a-fx].%3[a-z].%2u%c", leaf, reg, &bit, &end) != 3 || bit > 31 || parse_u64(leaf, &v) ||
	    v > UINT32_MAX)
		return false;
	for (uint8_t i = 0; i < ARRAY_SIZE(regs); i++)
		if (!strcmp(regs[i], reg)) {
			b->leaf = (uint32_t)v;
			b->reg = i;
			b->bit = (uint8_t)bit;
			return true;
		}
	return false;
}

static int unknown(const struct option_use *use, const char *name)
{
	const char *words[ARRAY_SIZE(features) + 1];
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		words[i] = features[i].name;
	words[ARRAY_SIZE(features)] = NULL;
	near = nearest_word(name, words);
	log_error("%s: unknown feature '%s'%s%s%s; others are LEAF.REGISTER.BIT, such as 0x7.ebx.9 (see lkvm help run)",
		  use->name, name, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	return -EINVAL;
}

static int parse_one(void *target, const struct option_use *use, char *item)
{
	struct config *cfg = target;
	struct config_cpuid_bit *b = &cfg->cpuid[cfg->nr_cpuid];
	char *value = strchr(item, '=');
	bool found = false, on = true;

	if (cfg->nr_cpuid == CONFIG_MAX_CPUID_BITS) {
		log_error("%s: more than %d features", use->name, CONFIG_MAX_CPUID_BITS);
		return -EINVAL;
	}
	if (value)
		*value++ = '\0';
	if (value && parse_on_off(value, &on)) {
		log_error("%s: %s: bad value '%s', expected on or off (see lkvm help run)", use->name, item, value);
		return -EINVAL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(features) && !found; i++)
		if (!strcmp(features[i].name, item)) {
			b->leaf = features[i].leaf;
			b->reg = features[i].reg;
			b->bit = features[i].bit;
			found = true;
		}
	if (!found && !parse_place(item, b))
		return unknown(use, item);
	b->on = on;
	snprintf(b->name, sizeof(b->name), "%s", item);
	cfg->nr_cpuid++;
	return 0;
}

int x86_parse_cpuid(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	return options_parse_list(target, use, arg, parse_one);
}
