/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ACPI tables of the x86 machine: RSDP, XSDT, FADT (hardware-reduced: no SCI, no PM timer; power-off and
 * reset through power.h), MADT, MCFG and a DSDT with the devices that the guest can't discover. Pure.
 */
#ifndef X86_ACPI_H
#define X86_ACPI_H

#include "lkvm/machine.h"

/*
 * Builds the tables for guest address @gpa (16-byte aligned) into @buf. The RSDP comes first. Returns 0 with
 * *@used set, or -ENOSPC.
 */
int x86_acpi_build(const struct machine *m, gpa_t gpa, uint8_t *buf, size_t size, size_t *used)
	LKVM_MUST_CHECK;

#endif
