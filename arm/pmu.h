/* SPDX-License-Identifier: GPL-2.0-only */
/* Which of the host's PMUs a guest gets: hosts with different kinds of CPUs have one for each kind. Pure. */
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

#endif
