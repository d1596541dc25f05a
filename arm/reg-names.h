/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of KVM's arm64 register ids. Pure. */
#ifndef ARM_REG_NAMES_H
#define ARM_REG_NAMES_H

#include "lkvm/types.h"

/*
 * Puts "core.x0", "SCTLR_EL1" ... into @buf; a system register without a name here is called by its
 * encoding, "S3_0_C1_C0_0"; "" for other ids that this build does not know.
 */
void arm_reg_name(uint64_t id, char *buf, size_t size);

/* The id of the system register called @name in any case of letters (or S3_0_C1_C0_0); 0 if unknown. */
uint64_t arm_sysreg_id(const char *name);

#endif
