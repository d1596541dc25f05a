/* SPDX-License-Identifier: GPL-2.0-only */
/* Options of `run` that only powerpc has. Parsers for the table in lkvm/run-options.c. Pure. */
#ifndef PPC_OPTIONS_H
#define PPC_OPTIONS_H

#include "lkvm/config.h"
#include "lkvm/options.h"

/* --max-cpu-compat power8: the CPU generation that a pseries guest is held to. */
int ppc_parse_max_cpu_compat(void *target, const struct option_use *use, const char *arg, bool enabled);

/* The generation whose logical PVR is @pvr, "power8"; NULL if there is none. */
const char *ppc_compat_name(uint32_t pvr);

/* Logical PVRs (Linux arch/powerpc/include/asm/reg.h, PVR_ARCH_*): a later architecture has a greater one. */
#define PPC_COMPAT_POWER8  0x0f000004u /* Power ISA 2.07 */
#define PPC_COMPAT_POWER9  0x0f000005u /* 3.0: the first with a radix MMU */
#define PPC_COMPAT_POWER10 0x0f000006u /* 3.1 */
#define PPC_COMPAT_POWER11 0x0f000007u

#endif
