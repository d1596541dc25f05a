/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The x86-64 machine's addresses, ports and interrupt lines. Everything that describes the machine to the
 * guest (e820, ACPI, MP table) and everything that implements it takes them from here.
 *
 *   0x00000000  RAM; its first MiB holds the tables below
 *   0xc0000000  PCI memory window (32 bits)
 *   0xe0000000  PCI configuration space (ECAM), one bus
 *   0xe8000000  virtio-mmio
 *   0xe9000000  pvpanic
 *   0xfec00000  IOAPIC, 0xfee00000 local APIC, 0xfffbc000 pages that KVM needs on VMX hosts
 *   4 GiB       the rest of RAM, then the PCI memory window (64 bits)
 */
#ifndef X86_LAYOUT_H
#define X86_LAYOUT_H

#include "lkvm/machine.h"
#include "lkvm/types.h"

/* RAM below the hole for devices; what does not fit goes on at 4 GiB. */
#define X86_RAM_LOW_MAX      GIB(3)
#define X86_RAM_HIGH         GIB(4)

#define X86_PCI_MEM32        0xc0000000ull
#define X86_PCI_MEM32_BYTES  MIB(512)
#define X86_PCI_PORTS        0xc000 /* of BARs */
#define X86_PCI_NR_PORTS     0x4000
#define X86_PCI_ECAM         0xe0000000ull
#define X86_PCI_ECAM_BYTES   MIB(1)
/* The 64-bit window: behind RAM, where the CPU's physical addresses allow. */
#define X86_PCI_MEM64_ALIGN  GIB(64)
#define X86_PCI_MEM64_BYTES  GIB(64)

#define X86_VIRTIO_MMIO      0xe8000000ull
#define X86_PVPANIC          0xe9000000ull

#define X86_IOAPIC           0xfec00000ull
#define X86_IOAPIC_BYTES     0x1000
#define X86_LAPIC            0xfee00000ull
#define X86_LAPIC_BYTES      0x1000
/* Documentation/virt/kvm/api.rst: KVM_SET_IDENTITY_MAP_ADDR one page, KVM_SET_TSS_ADDR three. */
#define X86_KVM_IDENTITY_MAP 0xfffbc000ull
#define X86_KVM_TSS          0xfffbd000ull
#define X86_KVM_PAGES_BYTES  0x4000

/* The first MiB of RAM. */
#define X86_BOOT_GDT         0x500ull    /* boot CPU's segments */
#define X86_BOOT_PVH_INFO    0x1000ull   /* hvm_start_info and what it points to */
#define X86_BOOT_PARAMS      0x7000ull   /* the "zero page" of Documentation/arch/x86/zero-page.rst */
#define X86_BOOT_SETUP_DATA  0x8000ull
#define X86_BOOT_PML4        0x9000ull   /* page tables: PML4, PDPT, and a page directory per GiB */
#define X86_BOOT_CMDLINE     0x10000ull
#define X86_BOOT_CMDLINE_MAX 0x10000ull
#define X86_BASE_MEMORY_END  0xa0000ull  /* where a PC's video memory begins */
#define X86_ACPI             0xe0000ull  /* ACPI 6.5 §5.2.5.1: an RSDP is sought from here to 1 MiB */
#define X86_ACPI_BYTES       0x10000ull
#define X86_MPTABLE          0xf0000ull  /* MP 1.4 §4: ... and an MP table from here */
#define X86_MPTABLE_BYTES    0xfff0ull
#define X86_RESET_VECTOR     0xffff0ull  /* F000:FFF0 in real mode */
#define X86_HIGH_MEMORY      MIB(1)      /* flat images start here */

/* The memory that the boot CPU's own page tables map one to one. */
#define X86_BOOT_MAP_BYTES   GIB(4)

/* Least RAM: the first MiB and something to run in. */
#define X86_RAM_MIN_BYTES    MIB(2)

/* Ports. */
#define X86_PORT_COM1        0x3f8
#define X86_PORT_COM2        0x2f8
#define X86_PORT_I8042       0x60   /* data at 0x60, command and status at 0x64 */
#define X86_PORT_CMOS        0x70
#define X86_PORT_PROBE       0x5f0  /* register of doctor's probe guest */
#define X86_PORT_POWER       0x600  /* power.h */

/*
 * Interrupt lines are IOAPIC pins (GSIs). ISA devices keep their traditional ones; virtio-mmio takes
 * what ISA leaves free and four above; PCI's four are the last, out of reach of legacy probing.
 */
#define X86_IRQ_KEYBOARD     1
#define X86_IRQ_COM2         3
#define X86_IRQ_COM1         4
#define X86_IRQ_RTC          8
#define X86_IRQ_MMIO_FIRST   9
#define X86_IRQ_MMIO_COUNT   11
#define X86_IRQ_PCI_INTX     20
#define X86_IOAPIC_PINS      24

/* APIC ids are 8 bits wide in the MP table and the MADT entries we use; 0xff addresses all. */
#define X86_MAX_CPUS         255

/* The IOAPIC's own id: beyond every CPU's where that is possible. */
static inline uint8_t x86_ioapic_id(unsigned int nr_cpus)
{
	return nr_cpus < X86_MAX_CPUS ? (uint8_t)nr_cpus : 0;
}

struct x86_platform_params {
	unsigned int nr_cpus;
	uint64_t     ram_bytes;
	unsigned int phys_bits; /* guest-physical address bits of this host */
};

/*
 * Fills @m. Returns 0, or -EINVAL (reported) for what the platform can't hold: too many CPUs, too little RAM,
 * or more than the host's guest-physical addresses reach. Pure.
 */
int x86_machine_init(struct machine *m, const struct x86_platform_params *p) LKVM_MUST_CHECK;

#endif
