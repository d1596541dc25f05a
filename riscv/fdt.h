/* SPDX-License-Identifier: GPL-2.0-only */
/* The device tree of a riscv64 guest. Pure. */
#ifndef RISCV_FDT_H
#define RISCV_FDT_H

#include "lkvm/machine.h"
#include "lkvm/types.h"
#include "riscv/isa.h"

enum riscv_fdt_irqchip {
	RISCV_FDT_PLIC,
	RISCV_FDT_AIA, /* APLIC that sends MSIs to IMSICs */
};

struct riscv_fdt {
	const struct machine *machine;
	const char           *cmdline;
	gpa_t                 initrd;
	uint64_t              initrd_bytes;

	/* The harts, as read back from KVM. */
	struct riscv_isa_set  isa;
	uint32_t              timebase_hz;
	uint64_t              cbom_block_bytes; /* used with Zicbom ... */
	uint64_t              cboz_block_bytes; /* ... Zicboz ... */
	uint64_t              cbop_block_bytes; /* ... Zicbop */
	unsigned int          satp_mode;        /* as in satp.MODE: 8 Sv39, 9 Sv48, 10 Sv57 */

	enum riscv_fdt_irqchip irqchip;
	uint32_t              imsic_ids;        /* AIA: interrupt identities of each hart */
	unsigned int          hart_index_bits;  /* AIA */

	const uint8_t        *rng_seed;   /* FDT_RNG_SEED_BYTES or NULL */
	uint64_t              kaslr_seed; /* 0: none */
};

/* Builds the tree: *@blob (free() it) and *@size_bytes. 0 or -errno (reported). */
int riscv_fdt_build(const struct riscv_fdt *params, void **blob, size_t *size_bytes) LKVM_MUST_CHECK;

#endif
