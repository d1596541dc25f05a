// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/options.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	uint32_t    pvr;
} generations[] = {
	{ "power8", PPC_COMPAT_POWER8 },
	{ "power9", PPC_COMPAT_POWER9 },
	{ "power10", PPC_COMPAT_POWER10 },
	{ "power11", PPC_COMPAT_POWER11 },
};

const char *ppc_compat_name(uint32_t pvr)
{
	for (size_t i = 0; i < ARRAY_SIZE(generations); i++)
		if (generations[i].pvr == pvr)
			return generations[i].name;
	return NULL;
}

int ppc_parse_max_cpu_compat(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;

	for (size_t i = 0; i < ARRAY_SIZE(generations); i++)
		if (!strcmp(generations[i].name, arg)) {
			cfg->ppc_compat_pvr = generations[i].pvr;
			return 0;
		}
	return options_bad_value(use, arg, "power8, power9, power10 or power11");
}
