/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where everything lies in an arm64 guest's physical address space. Guests learn it from the device
 * tree; only firmware and bare-metal programs may rely on ARM_RAM_BASE and on the UART's place.
 *
 *   0x0000_0000   firmware that runs from ROM
 *   0x0400_0000   flash
 *   0x0800_0000   GIC distributor
 *   0x0801_0000   GICv2 CPU interface
 *   0x0802_0000   GICv2m frame
 *   0x0808_0000   GICv3 ITS
 *   0x0900_0000   UART
 *   0x0901_0000   RTC
 *   0x0902_0000   pvpanic
 *   0x0903_0000   register of doctor's probe guest
 *   0x0904_0000   stolen time, written by KVM
 *   0x0a00_0000   virtio-mmio slots
 *   0x0c00_0000   GICv3 redistributors, one frame per CPU
 *   0x1000_0000   PCI 32-bit memory window
 *   0x3eff_0000   PCI I/O ports
 *   0x3f00_0000   PCI configuration space (ECAM)
 *   0x4000_0000   RAM
 *   above RAM     PCI 64-bit memory window
 *
 * ROM at 0, RAM at 1 GiB with the device tree at its start, and a PL011 as the UART are what the firmware that
 * distributions ship for virtual machines (edk2's ArmVirtQemu, U-Boot's qemu_arm64) is built for.
 */
#ifndef ARM_LAYOUT_H
#define ARM_LAYOUT_H

#include "lkvm/machine.h"
#include "lkvm/types.h"

#define ARM_ROM_BASE          UINT64_C(0)
#define ARM_ROM_BYTES         MIB(64)
#define ARM_FLASH_BASE        UINT64_C(0x04000000)
#define ARM_FLASH_MAX_BYTES   MIB(64)
#define ARM_GIC_DIST_BASE     UINT64_C(0x08000000)
#define ARM_GICV2_DIST_BYTES  UINT64_C(0x1000)  /* KVM_VGIC_V2_DIST_SIZE */
#define ARM_GICV3_DIST_BYTES  UINT64_C(0x10000) /* KVM_VGIC_V3_DIST_SIZE */
#define ARM_GICV2_CPU_BASE    UINT64_C(0x08010000)
#define ARM_GICV2_CPU_BYTES   UINT64_C(0x2000)  /* KVM_VGIC_V2_CPU_SIZE */
#define ARM_V2M_BASE          UINT64_C(0x08020000) /* size: ARM_V2M_BYTES */
#define ARM_ITS_BASE          UINT64_C(0x08080000)
#define ARM_ITS_BYTES         UINT64_C(0x20000) /* KVM_VGIC_V3_ITS_SIZE */
#define ARM_UART_BASE         UINT64_C(0x09000000)
#define ARM_RTC_BASE          UINT64_C(0x09010000)
#define ARM_PVPANIC_BASE      UINT64_C(0x09020000)
#define ARM_PROBE_BASE        UINT64_C(0x09030000)
#define ARM_PVTIME_BASE       UINT64_C(0x09040000)
#define ARM_PVTIME_CPU_BYTES  UINT64_C(64)      /* Arm DEN0057A §3.2.1, struct pvclock_vcpu_stolen_time */
#define ARM_PVTIME_BYTES      UINT64_C(0x10000) /* one page of any host */
#define ARM_VIRTIO_BASE       UINT64_C(0x0a000000)
#define ARM_VIRTIO_SLOTS      32
#define ARM_REDIST_BASE       UINT64_C(0x0c000000)
#define ARM_REDIST_BYTES      UINT64_C(0x20000) /* per CPU: KVM_VGIC_V3_REDIST_SIZE */
#define ARM_PCI_MEM32_BASE    UINT64_C(0x10000000)
#define ARM_PCI_MEM32_BYTES   UINT64_C(0x20000000)
#define ARM_PCI_IO_BASE       UINT64_C(0x3eff0000)
#define ARM_PCI_IO_BYTES      UINT64_C(0x10000)
#define ARM_PCI_ECAM_BASE     UINT64_C(0x3f000000)
#define ARM_PCI_ECAM_BYTES    UINT64_C(0x100000) /* bus 0 */
#define ARM_PCI_MEM64_BYTES   GIB(16)
#define ARM_RAM_BASE          UINT64_C(0x40000000)

/* GIC interrupt ids (Arm IHI0069 §2.2.1): 0-15 SGIs, 16-31 PPIs, SPIs from here. */
#define ARM_GIC_PPI_FIRST     16
#define ARM_GIC_SPI_FIRST     32

/*
 * Wired lines are numbered as SPIs from 0, as in the device tree and in KVM's irqfd (GSI n is SPI n);
 * their interrupt id is 32 more. GICv2m turns MSIs into SPIs as well.
 */
#define ARM_SPI_UART          1
#define ARM_SPI_RTC           2
#define ARM_SPI_PCI_INTX      3 /* ..6 */
#define ARM_SPI_FIRST         8
#define ARM_SPI_V2M_FIRST     64
#define ARM_SPI_V2M_NR        128
#define ARM_NR_IRQS           256 /* ids in all with GICv2m; KVM wants a multiple of 32 */

/* PPIs, numbered from 0 as in the device tree (Arm DEN0094 "BSA" §3.6; KVM's own defaults). */
#define ARM_PPI_PMU           7
#define ARM_PPI_GIC_MAINT     9
#define ARM_PPI_TIMER_HYP     10
#define ARM_PPI_TIMER_VIRT    11
#define ARM_PPI_TIMER_HYP_VIRT 12
#define ARM_PPI_TIMER_SECURE  13
#define ARM_PPI_TIMER_PHYS    14

/* The redistributors fill the space up to the PCI window; so many is also all that KVM runs. */
#define ARM_MAX_CPUS          512
#define ARM_GICV2_MAX_CPUS    8 /* Arm IHI0048 §1.1 */

/* KVM's own least and, where it can't be asked, only size of the guest-physical space (KVM-API 4.2). */
#define ARM_MIN_IPA_BITS      32
#define ARM_DEFAULT_IPA_BITS  40

struct arm_platform_params {
	unsigned int nr_cpus;
	uint64_t     ram_bytes;
	unsigned int ipa_bits; /* the most guest-physical address bits that this host offers */
	bool         rom;      /* firmware runs from ROM: it wants a PL011 */
};

/*
 * Fills @m. Returns 0, or -EINVAL (reported) for what the platform can't hold: no or too many CPUs, RAM
 * that is empty, not whole pages, or beyond the host's guest-physical addresses. Pure.
 */
int arm_machine_init(struct machine *m, const struct arm_platform_params *p) LKVM_MUST_CHECK;

/* The guest-physical address bits that @m needs, at least ARM_MIN_IPA_BITS. Pure. */
unsigned int arm_machine_ipa_bits(const struct machine *m);

/* Linux Documentation/arch/arm/booting.rst: in memory that a 32-bit kernel maps directly, at least 704 MiB. */
#define ARM_AARCH32_BOOT_LIMIT (ARM_RAM_BASE + MIB(704))

/*
 * First address above which (exclusive) no initrd or device tree may lie with a kernel at @kernel: Linux
 * Documentation/arch/arm64/booting.rst wants the initrd in 32 GiB that begin at a multiple of 1 GiB and hold
 * the kernel. Pure.
 */
gpa_t arm_boot_limit(gpa_t kernel);

#endif
