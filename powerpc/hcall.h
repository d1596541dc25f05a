/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hypervisor calls of a pseries guest that KVM leaves to user space (LoPAR chapter 14). Pure.
 */
#ifndef PPC_HCALL_H
#define PPC_HCALL_H

#include <stdatomic.h>

#include "lkvm/bus.h"
#include "lkvm/types.h"
#include "powerpc/rtas.h"

struct ppc_xive;

/* Function numbers (LoPAR chapter 14, "Hypervisor Call Function Table"). */
#define H_CLEAR_MOD               0x10
#define H_CLEAR_REF               0x14
#define H_GET_TCE                 0x1c
#define H_PUT_TCE                 0x20
#define H_LOGICAL_CI_LOAD         0x3c
#define H_LOGICAL_CI_STORE        0x40
#define H_GET_TERM_CHAR           0x54
#define H_PUT_TERM_CHAR           0x58
#define H_STUFF_TCE               0x138
#define H_PUT_TCE_INDIRECT        0x13c
#define H_GET_CPU_CHARACTERISTICS 0x1c8
#define H_SET_MODE                0x31c
#define H_REGISTER_PROC_TBL       0x37c
/* KVM's own (Documentation/virt/kvm/ppc-pv.rst and QEMU): what the code at RTAS' entry point makes. */
#define KVMPPC_H_RTAS             0xf000

/* Return codes (LoPAR chapter 14, "Hypervisor Call Return Code Table"). */
#define H_SUCCESS                 0
#define H_BUSY                    1
#define H_LONG_BUSY_1_MSEC        9900
#define H_HARDWARE                (-1)
#define H_FUNCTION                (-2)
#define H_PARAMETER               (-4)
#define H_P2                      (-55)
#define H_P3                      (-56)
#define H_P4                      (-57)
#define H_P5                      (-58)
#define H_UNSUPPORTED_FLAG_0      (-256)

/* H_REGISTER_PROC_TBL: r4 (Linux arch/powerpc/include/asm/hvcall.h, PROC_TABLE_*). */
#define PPC_PROC_TBL_MODIFY       0x10u
#define PPC_PROC_TBL_REGISTER     0x08u
#define PPC_PROC_TBL_RADIX        0x04u
#define PPC_PROC_TBL_SEGMENTS     0x02u
#define PPC_PROC_TBL_GTSE         0x01u

/* Partition table entry, second doubleword (Power ISA 3.0B book III, "Partition Table"): tables are trees. */
#define PPC_PATE1_RADIX           (UINT64_C(1) << 63)

/* LPCR (Power ISA 3.0B book III, chapter 2), as far as H_SET_MODE changes it. */
#define PPC_LPCR_ILE              UINT64_C(0x02000000)
#define PPC_LPCR_AIL_SHIFT        23
#define PPC_LPCR_AIL              (UINT64_C(3) << PPC_LPCR_AIL_SHIFT)

/*
 * The PCI bridge's IOMMU: a table of translations of 4 KiB pages, from bus address 0 on. Linux wants one to
 * exist, and fills it for drivers that ask for bus addresses; those of virtio do not, as its devices are given
 * guest-physical ones.
 */
#define PPC_TCE_WINDOW_BYTES      MIB(16)
#define PPC_TCE_SHIFT             12

/* The console, and a second terminal for the commands that lkvm runs in the guest. */
#define PPC_MAX_VTYS              2

struct ppc_hcall {
	uint64_t nr;
	uint64_t args[9]; /* in: r4 to r12; out: the same */
	int64_t  ret;     /* H_* */
};

/* Where calls take effect. vCPU threads. Those that return int64_t return H_*. */
struct ppc_hcall_ops {
	/* Terminal @vty, an index of vtys[]; reads take what is there for the guest. */
	void (*vty_write)(void *ctx, unsigned int vty, const void *buf, size_t len);
	size_t (*vty_read)(void *ctx, unsigned int vty, void *buf, size_t len);
	/* Sets the bits @mask of every CPU's LPCR. H_LONG_BUSY_1_MSEC: the guest must call again. */
	int64_t (*set_lpcr)(void *ctx, uint64_t value, uint64_t mask);
	/* @flags are PPC_PROC_TBL_RADIX and _GTSE; @process_table is doubleword 1 of a partition table entry. */
	int64_t (*set_process_table)(void *ctx, uint32_t flags, uint64_t process_table);
	/* KVM_PPC_GET_CPU_CHAR. False if KVM does not tell. */
	bool (*cpu_characteristics)(void *ctx, uint64_t *character, uint64_t *behaviour);
};

struct ppc_hcalls {
	const struct ppc_hcall_ops *ops;
	void                *ctx;
	const struct memory *memory;
	const struct bus    *mmio;
	struct ppc_rtas     *rtas;
	struct ppc_xive     *xive; /* NULL: the interrupt controller is an XICS, which KVM serves */
	uint32_t             vtys[PPC_MAX_VTYS]; /* unit addresses of the terminals; 0: none */
	bool                 radix;    /* the guest's MMU */
	uint64_t             process_table; /* as last registered */
	uint32_t             liobn;    /* by which calls name the IOMMU; 0: none */
	_Atomic uint64_t     tces[PPC_TCE_WINDOW_BYTES >> PPC_TCE_SHIFT];
};

/* Serves @call on any vCPU thread; several at once are legal. Always fills ret. */
void ppc_hcall_serve(struct ppc_hcalls *h, struct ppc_hcall *call);

#endif
