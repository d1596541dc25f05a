/* SPDX-License-Identifier: GPL-2.0-only */
/* The performance monitor of Book3S CPUs as a pseries guest sees it, asked by a probe guest. Pure. */
#ifndef PPC_PMU_PROBE_H
#define PPC_PMU_PROBE_H

#include "lkvm/pmu-list.h"
#include "lkvm/probe.h"

/*
 * Fills @list, but for the reason why a PMU is missing. Returns 0, also without one, or -errno
 * (reported).
 */
int ppc_pmu_list(const struct probe *probe, struct pmu_list *list) LKVM_MUST_CHECK;

/* Name of what event code @event of MMCR1 counts, "PM_CYC"; NULL if this build has none for it. */
const char *ppc_pmu_event_name(unsigned int event);

/* MMCR0 (Power ISA 3.0B, book III 9.4.4), the low word. */
#define PPC_MMCR0_FC     0x80000000u /* all counters stand still */
#define PPC_MMCR0_PMXE   0x04000000u /* exceptions */
#define PPC_MMCR0_FCECE  0x02000000u /* an exception freezes the counters */
#define PPC_MMCR0_PMC1CE 0x00008000u /* PMC1 makes exceptions */
#define PPC_MMCR0_PMCJCE 0x00004000u /* the others do */
#define PPC_MMCR0_CC56   0x00000100u /* PMC5 and PMC6 also count while the run latch is off */
#define PPC_MMCR0_PMAO   0x00000080u /* an exception has occurred */
#define PPC_MMCR0_FC14   0x00000020u /* PMC1 to PMC4 stand still */
#define PPC_MMCR0_FC56   0x00000010u /* PMC5 and PMC6 stand still */

/* What programmable counter PMC<@i + 1>, 0 to 3, counts by @mmcr1: its event code. */
static inline unsigned int ppc_mmcr1_event(uint64_t mmcr1, unsigned int i)
{
	return (unsigned int)(mmcr1 >> (24 - 8 * i)) & 0xff;
}

#endif
