/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The platform that a guest sees, as plain data: where RAM, windows and devices lie. Filled in by the
 * arch (<arch>_machine_init() in <arch>/platform.c), completed while devices are placed, and read by
 * whoever describes the platform to the guest (device tree, ACPI). No KVM, no pointers into devices.
 */
#ifndef LKVM_MACHINE_H
#define LKVM_MACHINE_H

#include "lkvm/types.h"

#define MACHINE_MAX_RAM     4
#define MACHINE_MAX_DEVICES 48

struct machine_range {
	uint64_t base;
	uint64_t size_bytes; /* 0: not present */
};

enum machine_space {
	MACHINE_MMIO,
	MACHINE_PIO,
};

enum machine_device_kind {
	MACHINE_UART8250,    /* reg-shift 0, byte registers */
	MACHINE_UART_ARCH,   /* one that only this arch has: it creates and describes it */
	MACHINE_VIRTIO_MMIO,
	MACHINE_PVPANIC,
	MACHINE_RTC,         /* the arch's usual one */
	MACHINE_FLASH,
};

/* A device that the guest can't discover by itself. */
struct machine_device {
	enum machine_device_kind kind;
	enum machine_space       space;
	uint64_t                 base;
	uint64_t                 size_bytes;
	uint32_t                 irq;      /* wired line, arch numbering; MACHINE_NO_IRQ if none */
};
#define MACHINE_NO_IRQ UINT32_MAX

/* A PCI host bridge: "pci-host-ecam-generic", or the arch's own kind where ecam is absent. */
struct machine_pci {
	struct machine_range ecam;   /* configuration space, 1 MiB per bus */
	struct machine_range io;     /* CPU address of port 0 and how many ports; with .ports: the ports of BARs */
	struct machine_range mem32;  /* CPU address == bus address */
	struct machine_range mem64;  /* above RAM, CPU address == bus address */
	uint32_t             intx_irq[4]; /* INTA..INTD of device 0; rotated by device number */
	bool                 ports;  /* the CPU has ports: configuration also through CF8/CFC */
	bool                 msi;    /* MSI messages are delivered */
};

struct machine {
	struct machine_range ram[MACHINE_MAX_RAM];
	unsigned int         nr_ram;
	unsigned int         nr_cpus;

	/* Windows from which devices get their place. */
	struct machine_device uart;          /* the first serial port */
	struct machine_device uart2;         /* the second, where it has a usual place; else size_bytes 0 */
	struct machine_range  virtio_mmio;   /* cut into MACHINE_VIRTIO_MMIO_SIZE pieces */
	struct machine_range  pvpanic;
	struct machine_pci    pci;           /* mem32.size_bytes == 0: no PCI */
	uint32_t              irq_first;     /* wired lines free for MMIO devices ... */
	uint32_t              nr_irqs;       /* ... and how many */

	/* Filled by machine_place(). */
	struct machine_device devices[MACHINE_MAX_DEVICES];
	unsigned int          nr_devices;
	unsigned int          nr_virtio_mmio;
	uint32_t              nr_irqs_used;
};

#define MACHINE_VIRTIO_MMIO_SIZE 0x1000

/* Sum of all RAM ranges in bytes. */
uint64_t machine_ram_bytes(const struct machine *m);

/*
 * Reports that @ram_bytes of RAM are more than the @most_bytes that guests with @gpa_bits address bits can have.
 * Returns -EINVAL.
 */
int machine_refuse_ram(uint64_t ram_bytes, unsigned int gpa_bits, uint64_t most_bytes);

/* Records a device with a place of its own. Returns 0 or -ENOSPC (reported). */
int machine_add_device(struct machine *m, const struct machine_device *dev) LKVM_MUST_CHECK;

/*
 * Gives the next virtio-mmio slot a window and a wired line, records it and copies it to @out.
 * Returns 0 or -ENOSPC (reported: names how many the platform has).
 */
int machine_place_virtio_mmio(struct machine *m, struct machine_device *out) LKVM_MUST_CHECK;

/*
 * Finds a place for a second serial port, records it and copies it to @out. Returns 0, or -ENOSPC (reported).
 */
int machine_place_uart2(struct machine *m, struct machine_device *out) LKVM_MUST_CHECK;

/* The next wired line to @irq. Returns 0 or -ENOSPC (reported). */
int machine_alloc_irq(struct machine *m, uint32_t *irq) LKVM_MUST_CHECK;

#endif
