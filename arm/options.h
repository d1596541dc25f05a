/* SPDX-License-Identifier: GPL-2.0-only */
/* --cpu-feature: what an arm64 vCPU says of itself. Parser for the table in lkvm/run-options.c. Pure. */
#ifndef ARM_OPTIONS_H
#define ARM_OPTIONS_H

#include "lkvm/config.h"
#include "lkvm/options.h"

/* "ID_AA64ISAR0_EL1[7:4]=0,ID_AA64PFR0_EL1=0x1101...": a field, or all of a register. */
int arm_parse_cpu_feature(void *target, const struct option_use *use, const char *arg, bool enabled);

#endif
