/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of KVM's riscv register ids. Pure. */
#ifndef RISCV_REG_NAMES_H
#define RISCV_REG_NAMES_H

#include "lkvm/types.h"

/* Puts "csr.sepc", "isa.zbb" ... into @buf; "" for an id that this build has no name for. */
void riscv_reg_name(uint64_t id, char *buf, size_t size);

#endif
