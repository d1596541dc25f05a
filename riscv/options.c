// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/options.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lkvm/log.h"
#include "riscv/isa.h"

_Static_assert(RISCV_ISA_MAX == CONFIG_RISCV_ISA_IDS, "a switch for each extension");

#define SATP_MODE 6

/* What kvmtool calls the extension that KVM calls v01. */
#define LEGACY "legacy"

#define MAX_NAMES 128

/* The number behind @prefix ("isa-"), or -1. */
static int numbered(const char *name, const char *prefix, unsigned int limit)
{
	uint64_t id;

	if (strncasecmp(name, prefix, strlen(prefix)) || parse_u64(name + strlen(prefix), &id) || id >= limit)
		return -1;
	return (int)id;
}

static int unknown(const struct option_use *use, const char *kind, const char *name,
		   const char *const words[])
{
	const char *near = nearest_word(name, words);

	log_error("%s: unknown %s extension '%s'%s%s%s; one that lkvm has no name for is %s-N, by KVM's number "
		  "(see lkvm help run)", use->name, kind, name, near ? ", did you mean '" : "", near ? near : "",
		  near ? "'?" : "", !strcmp(kind, "ISA") ? "isa" : "sbi");
	return -EINVAL;
}

/* The number of an ISA extension, or -EINVAL (reported). */
static int isa_id(const struct option_use *use, const char *name)
{
	const struct riscv_isa_ext *ext = riscv_isa_by_name(name);
	int id = ext ? ext->id : numbered(name, "isa-", CONFIG_RISCV_ISA_IDS);
	const char *words[MAX_NAMES + 1];
	size_t nr = 0;

	if (id >= 0)
		return id;
	for (size_t i = 0; i < riscv_isa_exts_nr && nr < MAX_NAMES; i++)
		words[nr++] = riscv_isa_exts[i].name;
	for (size_t i = 0; i < riscv_config_regs_nr && nr < MAX_NAMES; i++)
		words[nr++] = riscv_config_regs[i].name;
	words[nr] = NULL;
	return unknown(use, "ISA", name, words);
}

static int sbi_id(const struct option_use *use, const char *name)
{
	const struct riscv_sbi_ext *ext = riscv_sbi_by_name(strcasecmp(name, LEGACY) ? name : "v01");
	int id = ext ? ext->id : numbered(name, "sbi-", CONFIG_RISCV_SBI_IDS);
	const char *words[MAX_NAMES + 1];
	size_t nr = 0;

	if (id >= 0)
		return id;
	for (size_t i = 0; i < riscv_sbi_exts_nr && nr < MAX_NAMES - 1; i++)
		words[nr++] = riscv_sbi_exts[i].name;
	words[nr++] = LEGACY;
	words[nr] = NULL;
	return unknown(use, "SBI", name, words);
}

static void set_sbi(struct config *cfg, int id, bool on)
{
	if (id == RISCV_SBI_EXT_PMU)
		cfg->pmu = on ? CONFIG_ON : CONFIG_OFF;
	else
		cfg->riscv.sbi[id] = on ? CONFIG_ON : CONFIG_OFF;
}

static int bad_key(const struct option_use *use, const char *key, const char *value, const char *expected)
{
	log_error("%s: %s: bad value '%s', expected %s (see lkvm help run)", use->name, key, value, expected);
	return -EINVAL;
}

static int set_config(struct config *cfg, const struct option_use *use, const struct riscv_config_reg *reg,
		      const char *value)
{
	static const char *const modes[] = { [8] = "sv39", [9] = "sv48", [10] = "sv57" };
	bool satp = reg == riscv_config_by_reg(SATP_MODE);
	uint64_t v = 0;

	if (satp)
		for (unsigned int i = 8; value && i < ARRAY_SIZE(modes); i++)
			if (!strcasecmp(value, modes[i]))
				v = i;
	if (!v && (!value || parse_u64(value, &v)))
		return bad_key(use, reg->name, value ? value : "",
			       satp ? "sv39, sv48, sv57 or a number" : "a number");
	cfg->riscv.config[riscv_config_slot(reg)] = v;
	cfg->riscv.config_set |= 1u << riscv_config_slot(reg);
	return 0;
}

/* Cuts "NAME=VALUE" in two; NULL: there is no value. */
static char *cut_value(char *item)
{
	char *value = strchr(item, '=');

	if (value)
		*value++ = '\0';
	return value;
}

static int isa_item(void *target, const struct option_use *use, char *name)
{
	struct config *cfg = target;
	const char *value = cut_value(name);
	const struct riscv_config_reg *reg = riscv_config_by_name(name);
	bool on = true;
	int id;

	if (reg)
		return set_config(cfg, use, reg, value);
	id = isa_id(use, name);
	if (id < 0)
		return id;
	if (value && parse_on_off(value, &on))
		return bad_key(use, name, value, "on or off");
	cfg->riscv.isa[id] = on ? CONFIG_ON : CONFIG_OFF;
	return 0;
}

static int sbi_item(void *target, const struct option_use *use, char *name)
{
	const char *value = cut_value(name);
	int id = sbi_id(use, name);
	bool on = true;

	if (id < 0)
		return id;
	if (value && parse_on_off(value, &on))
		return bad_key(use, name, value, "on or off");
	set_sbi(target, id, on);
	return 0;
}

int riscv_parse_isa(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	return options_parse_list(target, use, arg, isa_item);
}

int riscv_parse_sbi(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	return options_parse_list(target, use, arg, sbi_item);
}

int riscv_parse_disable_isa(void *target, const struct option_use *use, const char *arg,
			    bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;
	int id = isa_id(use, arg);

	if (id < 0)
		return id;
	cfg->riscv.isa[id] = CONFIG_OFF;
	return 0;
}

int riscv_parse_disable_sbi(void *target, const struct option_use *use, const char *arg,
			    bool enabled LKVM_UNUSED)
{
	int id = sbi_id(use, arg);

	if (id < 0)
		return id;
	set_sbi(target, id, false);
	return 0;
}

int riscv_parse_custom_id(void *target, const struct option_use *use, const char *arg,
			  bool enabled LKVM_UNUSED)
{
	const struct riscv_config_reg *reg = riscv_config_by_name(use->spec->long_name + strlen("custom-"));

	if (!reg)
		return -EINVAL; /* the table of options and that of registers disagree */
	return set_config(target, use, reg, arg);
}
