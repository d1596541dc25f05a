/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where everything lies in a riscv64 guest's physical address space. Guests learn it from the device
 * tree; only firmware and bare-metal programs may rely on RISCV_RAM_BASE and on the UART's place.
 *
 *   0x0800_0000   APLIC
 *   0x0c00_0000   PLIC
 *   0x1000_0000   UART
 *   0x1000_1000   pvpanic
 *   0x1000_2000   register of doctor's probe guest
 *   0x1010_0000   virtio-mmio slots
 *   0x1100_0000   PCI I/O ports
 *   0x2000_0000   IMSIC interrupt files, one page per hart
 *   0x3000_0000   PCI configuration space (ECAM)
 *   0x4000_0000   PCI 32-bit memory window
 *   0x8000_0000   RAM
 *   above RAM     PCI 64-bit memory window
 */
#ifndef RISCV_LAYOUT_H
#define RISCV_LAYOUT_H

#include "lkvm/machine.h"
#include "lkvm/types.h"

#define RISCV_APLIC_BASE       UINT64_C(0x08000000)
#define RISCV_APLIC_BYTES      UINT64_C(0x4000) /* KVM_DEV_RISCV_APLIC_SIZE */
#define RISCV_PLIC_BASE        UINT64_C(0x0c000000) /* size: riscv_plic_bytes() */
#define RISCV_UART_BASE        UINT64_C(0x10000000)
#define RISCV_PVPANIC_BASE     UINT64_C(0x10001000)
#define RISCV_PROBE_BASE       UINT64_C(0x10002000)
#define RISCV_VIRTIO_BASE      UINT64_C(0x10100000)
#define RISCV_VIRTIO_SLOTS     32
#define RISCV_PCI_IO_BASE      UINT64_C(0x11000000)
#define RISCV_PCI_IO_BYTES     UINT64_C(0x10000)
#define RISCV_IMSIC_BASE       UINT64_C(0x20000000)
#define RISCV_IMSIC_BYTES      UINT64_C(0x1000) /* per hart: KVM_DEV_RISCV_IMSIC_SIZE, no guest files */
#define RISCV_PCI_ECAM_BASE    UINT64_C(0x30000000)
#define RISCV_PCI_ECAM_BYTES   UINT64_C(0x100000) /* bus 0 */
#define RISCV_PCI_MEM32_BASE   UINT64_C(0x40000000)
#define RISCV_PCI_MEM32_BYTES  UINT64_C(0x40000000)
#define RISCV_PCI_MEM64_BYTES  GIB(16)
#define RISCV_RAM_BASE         UINT64_C(0x80000000)

/*
 * Wired interrupts, of the PLIC or the APLIC. Source 0 does not exist in either. No more than the 63
 * that the smallest IMSIC has identities for (AIA spec 1.0 §3.1; KVM wants sources <= identities).
 */
#define RISCV_IRQ_UART         1
#define RISCV_IRQ_PCI_INTX     2 /* ..5 */
#define RISCV_IRQ_FIRST        6
#define RISCV_NR_SOURCES       63

/* One page each from RISCV_IMSIC_BASE up to the ECAM, and far below what a PLIC can address. */
#define RISCV_MAX_CPUS         512

/*
 * Device tree and initrd must lie where any kernel maps them early: even with three-level page tables
 * (Sv39) Linux's linear map covers this much from the start of RAM (arch/riscv/mm/init.c, KERN_VIRT_SIZE).
 */
#define RISCV_BOOT_LIMIT       (RISCV_RAM_BASE + GIB(64))

struct riscv_platform_params {
	unsigned int nr_cpus;
	uint64_t     ram_bytes;
	unsigned int gpa_bits; /* guest-physical address bits of this host */
	bool         msi;      /* the interrupt controller delivers MSIs */
};

/*
 * Fills @m. Returns 0, or -EINVAL (reported) for what the platform can't hold: no or too many CPUs, RAM
 * that is empty, not whole pages, or beyond the host's guest-physical addresses. Pure.
 */
int riscv_machine_init(struct machine *m, const struct riscv_platform_params *p) LKVM_MUST_CHECK;

#endif
