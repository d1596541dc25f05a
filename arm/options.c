// SPDX-License-Identifier: GPL-2.0-only
#include "arm/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arm/reg-names.h"
#include "lkvm/log.h"

/* Takes "[HI:LO]" or "[BIT]" off the end of @name. False if it is something else. */
static bool cut_field(char *name, struct config_arm_feature *f)
{
	char *open = strchr(name, '[');
	unsigned int hi, lo;
	char end = 0;

	f->lsb = 0;
	f->bits = 64;
	if (!open)
		return true;
	if (sscanf(open, "[%2u:%2u]%c", &hi, &lo, &end) != 2) {
		if (sscanf(open, "[%2u]%c", &hi, &end) != 1)
			return false;
		lo = hi;
	}
	if (end || hi > 63 || lo > hi || open[strlen(open) - 1] != ']')
		return false;
	f->lsb = (uint8_t)lo;
	f->bits = (uint8_t)(hi - lo + 1);
	*open = '\0';
	return true;
}

static int parse_one(void *target, const struct option_use *use, char *item)
{
	struct config *cfg = target;
	struct config_arm_feature *f = &cfg->arm.features[cfg->arm.nr_features];
	char *value = strchr(item, '=');

	if (cfg->arm.nr_features == CONFIG_MAX_ARM_FEATURES) {
		log_error("%s: more than %d features", use->name, CONFIG_MAX_ARM_FEATURES);
		return -EINVAL;
	}
	if (!value)
		return options_bad_value(use, item, "REGISTER=VALUE or REGISTER[HI:LO]=VALUE");
	*value++ = '\0';
	snprintf(f->name, sizeof(f->name), "%s", item);
	if (!cut_field(item, f) || parse_u64(value, &f->value) || (f->bits < 64 && f->value >> f->bits)) {
		log_error("%s: %s=%s: expected REGISTER=VALUE or REGISTER[HI:LO]=VALUE, with a value that fits "
			  "(see lkvm help run)", use->name, f->name, value);
		return -EINVAL;
	}
	f->id = arm_sysreg_id(item);
	if (!f->id) {
		log_error("%s: unknown register '%s': lkvm doctor --registers lists them, others are called as in "
			  "S3_0_C0_C4_0 (see lkvm help run)", use->name, item);
		return -EINVAL;
	}
	cfg->arm.nr_features++;
	return 0;
}

int arm_parse_cpu_feature(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	return options_parse_list(target, use, arg, parse_one);
}
