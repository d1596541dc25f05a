/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Intel MultiProcessor table, for kernels without ACPI or with acpi=off: CPUs, buses, the IOAPIC and which
 * line of which bus ends where. Intel MultiProcessor Specification 1.4, §4. Pure.
 */
#ifndef X86_MPTABLE_H
#define X86_MPTABLE_H

#include "lkvm/machine.h"

/*
 * Builds the floating pointer (first) and the configuration table for guest address @gpa (16-byte aligned)
 * into @buf. Returns 0 with *@used set, or -ENOSPC.
 */
int x86_mptable_build(const struct machine *m, gpa_t gpa, uint8_t *buf, size_t size, size_t *used)
	LKVM_MUST_CHECK;

#endif
