/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of the host's PMUs a guest gets, as hosts with different kinds of CPUs have one for each kind, and what its
 * counters hold. Pure.
 */
#ifndef ARM_PMU_H
#define ARM_PMU_H

#include <sched.h>

#include "lkvm/types.h"

#define ARM_PMU_SYSFS "/sys/bus/event_source/devices"

/* The perf type of the CPUs' PMU called @name in @dir. 0, -ENOENT, or -errno of reading it. Silent. */
int arm_pmu_by_name(const char *dir, const char *name, int *type) LKVM_MUST_CHECK;

/* True if @dir has any PMU of a CPU. */
bool arm_pmu_exists(const char *dir);

/*
 * Looks in @dir (ARM_PMU_SYSFS) for a CPU's PMU that all of @cpus have, and puts its perf type into @type.
 * Returns 0; -ENOENT if there are only others, or none; or -errno of opening @dir. Silent.
 */
int arm_pmu_find(const char *dir, const cpu_set_t *cpus, int *type) LKVM_MUST_CHECK;

/*
 * True if no guest has set that event counter, or what it counts: KVM gives registers whose reset value is unknown
 * a pattern, and among those that it so enables are counters that nobody asked for. @event: PMEVTYPER<n>_EL0,
 * @value: PMEVCNTR<n>_EL0.
 */
bool arm_pmu_event_unset(uint64_t event, uint64_t value);
/* The same of PMCCNTR_EL0, which counts on from there. */
bool arm_pmu_cycles_unset(uint64_t value);

#endif
