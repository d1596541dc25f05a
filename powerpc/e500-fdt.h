/* SPDX-License-Identifier: GPL-2.0-only */
/* The device tree of an e500 guest. Pure. */
#ifndef PPC_E500_FDT_H
#define PPC_E500_FDT_H

#include "lkvm/machine.h"
#include "lkvm/types.h"

/* Instructions of a hypercall: struct kvm_ppc_pvinfo. */
#define PPC_E500_HCALL_WORDS 4

struct ppc_e500_fdt {
	const struct machine *machine;
	const char           *cmdline;
	gpa_t                 initrd;
	uint64_t              initrd_bytes;

	uint32_t              clock_hz;     /* of the CPU; 0: unknown */
	uint32_t              timebase_hz;
	bool                  has_hcall;    /* KVM's ePAPR hypercalls ... */
	uint32_t              hcall[PPC_E500_HCALL_WORDS]; /* ... and how to make them */
	bool                  has_idle;     /* of these, EV_IDLE */

	const uint8_t        *rng_seed;     /* FDT_RNG_SEED_BYTES or NULL */
};

/* Builds the tree: *@blob (free() it) and *@size_bytes. 0 or -errno (reported). */
int ppc_e500_fdt_build(const struct ppc_e500_fdt *params, void **blob, size_t *size_bytes)
	LKVM_MUST_CHECK;

#endif
