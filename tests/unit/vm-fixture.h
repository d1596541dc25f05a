/* SPDX-License-Identifier: GPL-2.0-only */
/* A small VM's config, and the registers and capabilities that a fake host must show for it. */
#ifndef TESTS_UNIT_VM_FIXTURE_H
#define TESTS_UNIT_VM_FIXTURE_H

#include "lkvm/config.h"

/* Flat firmware of a few bytes, 1 vCPU, 64 MiB, console to nowhere. vm_fixture_free() undoes it. */
void vm_fixture_config(struct config *cfg);
void vm_fixture_free(struct config *cfg);

/* @wanted vCPUs, or as many as this arch's platform has. */
unsigned int vm_fixture_cpus(unsigned int wanted);

/* After fake_kvm_reset(): registers that this arch's vCPU set-up reads. */
void vm_fixture_host(void);

/* After vm_create(): pc of all vCPUs is where no memory is; not on PCs, whose registers are all zero. */
void vm_fixture_pc_in_hole(void);

#endif
