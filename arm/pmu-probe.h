/* SPDX-License-Identifier: GPL-2.0-only */
/* PMUv3 as a guest sees it, asked by a probe guest. Pure. */
#ifndef ARM_PMU_PROBE_H
#define ARM_PMU_PROBE_H

#include "lkvm/pmu-list.h"
#include "lkvm/probe.h"

/*
 * Fills @list, but for the reason why a PMU is missing. Returns 0, also without one, or -errno
 * (reported).
 */
int arm_pmu_list(const struct probe *probe, struct pmu_list *list) LKVM_MUST_CHECK;

/* Name of an event, "CPU_CYCLES"; NULL if this build has none for it. */
const char *arm_pmu_event_name(unsigned int event);

#endif
