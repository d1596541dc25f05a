/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where everything lies in a pseries guest's physical ("real", in LoPAR's words) address space. Guests learn it from
 * the device tree; only bare-metal programs may rely on RAM starting at 0.
 *
 *   0             RAM, up to 2 GiB of it
 *   0x8000_0000   PCI 32-bit memory window
 *   0xc000_0000   PCI ports
 *   0xf000_0000   in the guest of `lkvm doctor`: a register that says what to do
 *   0x1_0000_0000 RAM beyond 2 GiB
 *   above RAM     PCI 64-bit memory window
 *   2^50          XIVE: the CPUs' pages, then those of its sources
 *
 * Everything else is reached by hypervisor and RTAS calls: the console, PCI configuration space, interrupts.
 */
#ifndef PSERIES_LAYOUT_H
#define PSERIES_LAYOUT_H

#include "lkvm/machine.h"
#include "lkvm/types.h"

#define PSERIES_LOW_RAM_BYTES  GIB(2)
#define PSERIES_PCI_MEM32_BASE UINT64_C(0x80000000)
#define PSERIES_PCI_MEM32_BYTES GIB(1)
#define PSERIES_PCI_IO_BASE    UINT64_C(0xc0000000)
#define PSERIES_PCI_IO_BYTES   KIB(64)
#define PSERIES_PROBE_BASE     UINT64_C(0xf0000000)
#define PSERIES_HIGH_RAM_BASE  GIB(4)
#define PSERIES_PCI_MEM64_BYTES GIB(16)

/*
 * Here end memory and PCI. It is more than KVM's memory slots take, and leaves room below what the smallest radix
 * tree of POWER9 translates (Power ISA 3.0B book III "Radix Tree Translation": 52 bits).
 */
#define PSERIES_SPACE          (UINT64_C(1) << 50)

/* Four pages of 64 KiB, the third one for a CPU's kernel, the last one for programs; then pages of sources. */
#define PSERIES_XIVE_TIMA_BASE PSERIES_SPACE
#define PSERIES_XIVE_ESB_BASE  (PSERIES_SPACE + GIB(4))

/*
 * Device tree, initrd and RTAS go below: with a hash MMU nothing else can be reached with translation off, and RTAS
 * takes 32-bit addresses (LoPAR chapter 7).
 */
#define PSERIES_BOOT_LIMIT     MIB(768)

/* By these RTAS and hypervisor calls know the PCI host bridge and the vterm. Any numbers would do. */
#define PSERIES_PHB_BUID       UINT64_C(0x800000020000000)
#define PSERIES_VTY_UNIT       0x71000000u /* the first one; others follow */
#define PSERIES_PHB_LIOBN      0x80000000u /* its IOMMU */

/* Where MSIs are said to be written to. Nothing is there; the data names the interrupt source. */
#define PSERIES_MSI_ADDRESS    UINT64_C(0x40000000000)

/*
 * Interrupt sources, without a gap. KVM's XICS has numbers from 16 on, and makes them in blocks of 1024
 * (arch/powerpc/kvm/book3s_xics.h). MSIs of PCI devices follow one another from PSERIES_IRQ_MSI on; after the last
 * one of these, an XIVE has sources for the CPUs' interrupts to each other.
 */
#define PSERIES_IRQ_FIRST      0x1000u
#define PSERIES_IRQ_VTY        PSERIES_IRQ_FIRST /* one for each terminal */
#define PSERIES_IRQ_PCI_INTX   (PSERIES_IRQ_FIRST + 2)
#define PSERIES_NR_PCI_INTX    4u
#define PSERIES_IRQ_MSI        (PSERIES_IRQ_PCI_INTX + PSERIES_NR_PCI_INTX)
#define PSERIES_NR_MSI         4096u

#define PSERIES_MAX_CPUS       2048 /* KVM_MAX_VCPUS of the largest kernel configurations */

struct pseries_platform_params {
	unsigned int nr_cpus;
	uint64_t     ram_bytes;
};

/*
 * Fills @m. Returns 0, or -EINVAL (reported) for what the platform can't hold: no or too many CPUs, RAM that is
 * empty, not whole pages, or beyond the address space. Pure.
 */
int pseries_machine_init(struct machine *m, const struct pseries_platform_params *p) LKVM_MUST_CHECK;

#endif
