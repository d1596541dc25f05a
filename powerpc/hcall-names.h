/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of the PAPR's hypercalls and of what they return (arch/powerpc/include/asm/hvcall.h). Pure. */
#ifndef POWERPC_HCALL_NAMES_H
#define POWERPC_HCALL_NAMES_H

#include "lkvm/types.h"

/* "H_CEDE" ..., or NULL. Static. */
const char *ppc_hcall_name(uint64_t nr);
/* "H_PARAMETER" ... for a negative status, or NULL. Static. */
const char *ppc_hcall_status_name(int64_t status);

#endif
