/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SBI PMU extension as a guest sees it: asked by a probe guest, compared with what the
 * specification says. Pure.
 */
#ifndef RISCV_PMU_PROBE_H
#define RISCV_PMU_PROBE_H

#include "lkvm/pmu-list.h"
#include "lkvm/probe.h"

/*
 * Fills @list, but for the reason why a PMU is missing. Returns 0, also without one, or -errno
 * (reported).
 */
int riscv_pmu_list(const struct probe *probe, struct pmu_list *list) LKVM_MUST_CHECK;

/* "SUCCESS", "INVALID_PARAM" ...; static. */
const char *riscv_sbi_error_name(int64_t error);

#endif
