/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM's powerpc register ids: KVM does not list them on this arch. Pure. */
#ifndef PPC_REG_NAMES_H
#define PPC_REG_NAMES_H

#include "lkvm/types.h"

/* Puts the ids of all registers that this build knows into @ids, at most @max; returns how many there are. */
size_t ppc_reg_ids(uint64_t *ids, size_t max);

/* Puts "MMCR0", "VSR31" ... into @buf; "" for an id that this build has no name for. Other arches' ids are none. */
void ppc_reg_name(uint64_t id, char *buf, size_t size);

#endif
