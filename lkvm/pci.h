/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI host bridge with one bus and the functions on it. Configuration space is reached through ECAM
 * (a bus window), through ports CF8/CFC on x86, or by calls (RTAS on pseries).
 */
#ifndef LKVM_PCI_H
#define LKVM_PCI_H

#include "lkvm/bus.h"
#include "lkvm/irq.h"
#include "lkvm/machine.h"
#include "lkvm/msi.h"
#include "lkvm/types.h"

#define PCI_MAX_DEVICES  32
#define PCI_MAX_BARS     6
#define PCI_CONFIG_BYTES 256

struct pci_host;
struct pci_device;

struct pci_bar {
	uint64_t size_bytes;          /* power of two, rounded up to 4 KiB (256 if is_io); 0: not implemented */
	bool     is_io;               /* ports, at most 256 of them; else memory */
	bool     is_64bit;            /* takes the next index too */
	bool     prefetchable;
	const struct bus_ops *ops;    /* offset is relative to the BAR */
	void    *dev;
};

struct pci_device_ops {
	/* A BAR's base (in I/O space a port) or its enable bit changed: doorbells must be moved. Any vCPU
	 * thread, under the device's configuration lock. @base is 0 when the BAR is not decoded. Optional. */
	void (*bar_moved)(void *dev, unsigned int bar, gpa_t base);
	/* Configuration write that hit a capability added by the device: config[] has been changed where
	 * that is allowed. Under the device's configuration lock. Optional. */
	void (*config_written)(void *dev, unsigned int offset, unsigned int size);
	/* Lets the device refresh config[] bytes of its capabilities before a read hits them. Under the
	 * device's configuration lock. Optional. */
	void (*config_read)(void *dev, unsigned int offset, unsigned int size);
};

/* Identity and resources at registration. */
struct pci_device_info {
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint32_t class_code;          /* class << 16 | subclass << 8 | prog-if */
	uint8_t  revision;
	struct pci_bar bars[PCI_MAX_BARS];
	unsigned int msix_vectors;    /* 0: no MSI-X. Table and PBA live in a BAR of their own, below */
	unsigned int msix_bar;        /* an index that bars[] leaves free (32-bit memory BAR) */
	const struct pci_device_ops *ops;
	void *dev;
	const char *name;
};

/*
 * Creates the bridge for machine->pci and registers its windows (those whose size is not 0) on @mmio
 * (ECAM, io, mem32, mem64) and @pio (NULL: none; else CF8/CFC, and with machine->pci.ports io). @intx[i] is
 * the line of INTx pin i of slot 0, rotated by slot. @msi may have .send NULL: then no device shows MSI-X.
 * Returns 0 or -errno (reported); after a failure @mmio and @pio must not be used any more.
 */
int pci_host_create(struct pci_host **host, const struct machine_pci *m, struct bus *mmio,
		    struct bus *pio, const struct irq_line intx[4], const struct msi_sink *msi)
	LKVM_MUST_CHECK;
void pci_host_destroy(struct pci_host *host);

/* Whether anything is on the bus beside the bridge. NULL has nothing. */
bool pci_host_has_devices(const struct pci_host *host);

/*
 * Hands byte accesses to port CF9 to @ops (offset 0) and @dev: PC chipsets have their reset register there,
 * inside CF8's four bytes. Before the vCPUs start.
 */
void pci_host_share_cf9(struct pci_host *host, const struct bus_ops *ops, void *dev);

/*
 * Adds a function in the next free slot; its BARs get addresses at once (so a kernel told to probe only finds
 * them assigned) and may be moved by the guest. Returns 0 or -errno (reported).
 */
int pci_device_add(struct pci_host *host, const struct pci_device_info *info,
		   struct pci_device **dev) LKVM_MUST_CHECK;

/* Appends a capability (id in body[0], body[1] is filled in) at the next free place. Returns its
 * offset in config space or -ENOSPC. */
int pci_add_capability(struct pci_device *dev, const uint8_t *body, unsigned int len) LKVM_MUST_CHECK;

/* Lets the guest write @len bytes at @offset of a capability; all others are read-only. */
void pci_config_allow_write(struct pci_device *dev, unsigned int offset, unsigned int len);

/* The device's configuration bytes, little-endian, under its lock when called from pci_device_ops. */
uint8_t *pci_config(struct pci_device *dev);

/* Raises MSI-X vector @vector (remembered as pending while masked). Any thread. */
void pci_msix_raise(struct pci_device *dev, unsigned int vector);
bool pci_msix_enabled(const struct pci_device *dev);
/* Drives the INTx pin (honours the disable bit). Any thread. */
void pci_intx_set(struct pci_device *dev, bool level);

/*
 * For platforms whose firmware programs MSI-X in the guest's stead (RTAS): how many vectors function @bdf has, 0 if
 * there is none or no such function; and the message of one of them, as if the guest had written it to the table.
 * Any vCPU thread. The latter returns 0 or -ENOENT.
 */
unsigned int pci_msix_vectors(struct pci_host *host, unsigned int bdf);
int pci_msix_program(struct pci_host *host, unsigned int bdf, unsigned int vector, uint64_t address,
		     uint32_t data) LKVM_MUST_CHECK;

/* Slot number on bus 0. */
unsigned int pci_slot(const struct pci_device *dev);

/*
 * Configuration access by number, for RTAS and CF8/CFC: @bdf = bus << 8 | devfn, @offset 0..4095, @size
 * 1, 2, 4. Absent functions and impossible accesses read as ones. Any vCPU thread.
 */
uint32_t pci_config_read(struct pci_host *host, unsigned int bdf, unsigned int offset,
			 unsigned int size);
void pci_config_write(struct pci_host *host, unsigned int bdf, unsigned int offset,
		      unsigned int size, uint32_t value);

#endif
