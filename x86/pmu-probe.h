/* SPDX-License-Identifier: GPL-2.0-only */
/* The performance counters that an x86 guest sees, asked by a probe guest. Pure. */
#ifndef X86_PMU_PROBE_H
#define X86_PMU_PROBE_H

#include "lkvm/pmu-list.h"
#include "lkvm/probe.h"

/*
 * Fills @list, but for the reason why a PMU is missing. Returns 0, also without one, or
 * -errno (reported).
 */
int x86_pmu_list(const struct probe *probe, struct pmu_list *list) LKVM_MUST_CHECK;

#endif
