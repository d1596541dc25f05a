/* SPDX-License-Identifier: GPL-2.0-only */
/* --cpuid: features that an x86 guest is not to see. Parser for the table in lkvm/run-options.c. Pure. */
#ifndef X86_OPTIONS_H
#define X86_OPTIONS_H

#include "lkvm/config.h"
#include "lkvm/options.h"

/* "avx2=off,0x7.ebx.9=off": by Linux's name, or by leaf, register and bit. */
int x86_parse_cpuid(void *target, const struct option_use *use, const char *arg, bool enabled);

#endif
