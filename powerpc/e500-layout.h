/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where everything lies in an e500 guest's physical address space. It is laid out like Freescale's
 * MPC8544DS, and described as QEMU's paravirtual "ppce500" machine, which kernels with
 * CONFIG_PPC_QEMU_E500 take from the device tree. All of it is below 4 GiB, so that a guest reaches
 * it without MAS7.
 *
 *   0x0000_0000   RAM
 *   0xe000_0000   CCSR: the SoC's registers, 1 MiB
 *     + 0x0_4500    UART
 *     + 0x4_0000    MPIC (in KVM)
 *     + 0xe_0000    global utilities: reset
 *     + 0xf_f000    GPIO: power-off
 *   0xe010_0000   virtio-mmio slots
 *   0xe020_0000   pvpanic
 */
#ifndef PPC_E500_LAYOUT_H
#define PPC_E500_LAYOUT_H

#include "lkvm/machine.h"
#include "lkvm/types.h"

#define PPC_E500_RAM_BASE     UINT64_C(0)
#define PPC_E500_CCSR_BASE    UINT64_C(0xe0000000)
#define PPC_E500_CCSR_BYTES   UINT64_C(0x100000)
#define PPC_E500_UART_BASE    (PPC_E500_CCSR_BASE + 0x4500)
#define PPC_E500_MPIC_BASE    (PPC_E500_CCSR_BASE + 0x40000) /* KVM wants it aligned to its size */
#define PPC_E500_MPIC_BYTES   UINT64_C(0x40000)
#define PPC_E500_GUTS_BASE    (PPC_E500_CCSR_BASE + 0xe0000)
#define PPC_E500_GPIO_BASE    (PPC_E500_CCSR_BASE + 0xff000)
/* Of no SoC: where the probe guest of `lkvm doctor` asks for work. */
#define PPC_E500_PROBE_BASE   (PPC_E500_CCSR_BASE + 0xfe000)
#define PPC_E500_VIRTIO_BASE  UINT64_C(0xe0100000)
#define PPC_E500_VIRTIO_SLOTS 32
#define PPC_E500_PVPANIC_BASE UINT64_C(0xe0200000)

/*
 * Sources of the MPIC. Those from 16 on are the SoC's internal ones, which KVM's model takes as
 * level-triggered (Linux arch/powerpc/kvm/mpic.c, fsl_common_init()); the smallest MPIC has 80.
 */
#define PPC_E500_IRQ_UART     42
#define PPC_E500_IRQ_GPIO     47
#define PPC_E500_IRQ_FIRST    48
#define PPC_E500_NR_SOURCES   80

/*
 * Linux maps this much of RAM before it looks at its device tree (arch/powerpc/kernel/head_85xx.S:
 * "the first 64M of kernel memory"), and it is more than any kernel takes.
 */
#define PPC_E500_BOOT_BYTES   MIB(64)
/*
 * What Linux maps linearly, where an initrd must lie: 768 MiB, or less with a CONFIG_LOWMEM_SIZE.
 */
#define PPC_E500_INITRD_LIMIT MIB(512)

struct ppc_e500_params {
	unsigned int nr_cpus;
	uint64_t     ram_bytes;
};

/*
 * Fills @m. Returns 0, or -EINVAL (reported) for what the platform can't hold: more than one CPU,
 * RAM that is empty, not whole pages, or reaches the CCSR. Pure.
 */
int ppc_e500_machine_init(struct machine *m, const struct ppc_e500_params *p) LKVM_MUST_CHECK;

/*
 * The initial mapped area (ePAPR 1.1, "Initial Mapped Areas"): how much of RAM, from its start on,
 * the boot CPU's first TLB entry maps. It is a size that this TLB has, covers what Linux maps by
 * itself and all of [RAM's start, @end), and does not reach beyond RAM. Returns 0, or -ENOMEM
 * (reported) if there is no such size. Pure.
 */
int ppc_e500_boot_map(const struct machine *m, gpa_t end, uint64_t *size_bytes) LKVM_MUST_CHECK;

/*
 * Where a device tree of @fdt_bytes has to end, for a kernel that ends at @kernel_end and is entered with
 * @map_bytes of RAM mapped. Returns 0, or -ENOMEM (reported) if it can't be between the kernel and there,
 * however much RAM there is. Pure.
 */
int ppc_e500_fdt_limit(gpa_t kernel_end, uint64_t map_bytes, uint64_t fdt_bytes, gpa_t *limit) LKVM_MUST_CHECK;

#endif
