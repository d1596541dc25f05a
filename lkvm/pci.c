// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sections named below are those of the PCI Local Bus Specification 3.0, unless they say PCIe.
 *
 * Locks, in the order in which they may be taken: a device's config_lock, its msix_lock, the host's
 * intx_lock. Accesses to BARs take none of them: where a BAR lies is one atomic word.
 */
#include "lkvm/pci.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "lkvm/log.h"

/* Configuration header, type 0: 6.1. */
#define PCI_VENDOR_ID           0x00
#define PCI_DEVICE_ID           0x02
#define PCI_COMMAND             0x04
#define PCI_STATUS              0x06
#define PCI_REVISION_ID         0x08
#define PCI_CLASS_PROG          0x09
#define PCI_CACHE_LINE_SIZE     0x0c
#define PCI_BAR0                0x10
#define PCI_SUBSYSTEM_VENDOR_ID 0x2c
#define PCI_SUBSYSTEM_ID        0x2e
#define PCI_CAPABILITY_LIST     0x34
#define PCI_INTERRUPT_LINE      0x3c
#define PCI_INTERRUPT_PIN       0x3d
#define PCI_FIRST_CAPABILITY    0x40

/* Command register: 6.2.2. PCI_COMMAND_IO is there where a BAR is. */
#define PCI_COMMAND_IO           0x0001
#define PCI_COMMAND_MEMORY       0x0002
#define PCI_COMMAND_MASTER       0x0004
#define PCI_COMMAND_PARITY       0x0040
#define PCI_COMMAND_SERR         0x0100
#define PCI_COMMAND_INTX_DISABLE 0x0400
#define PCI_COMMAND_WRITABLE                                                                       \
	(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |         \
	 PCI_COMMAND_INTX_DISABLE)

/* Status register, low byte: 6.2.3. */
#define PCI_STATUS_INTERRUPT 0x08
#define PCI_STATUS_CAP_LIST  0x10

/* BARs: 6.2.5.1. */
#define PCI_BAR_IO       0x1u
#define PCI_BAR_IO_FLAGS 0x3u
#define PCI_BAR_IO_BYTES 256 /* the most that one may have */
#define PCI_BAR_64BIT    0x4u
#define PCI_BAR_PREFETCH 0x8u
#define PCI_BAR_FLAGS    0xfu

/* MSI-X: 6.8.2. */
#define PCI_CAP_ID_MSIX      0x11
#define MSIX_CAP_BYTES       12
#define MSIX_CAP_CONTROL     2
#define MSIX_CAP_TABLE       4
#define MSIX_CAP_PBA         8
#define MSIX_CONTROL_ENABLE  0x8000
#define MSIX_CONTROL_MASKALL 0x4000
#define MSIX_MAX_VECTORS     2048
#define MSIX_ENTRY_BYTES     16
#define MSIX_ENTRY_MASKED    0x1 /* in its fourth word */

/* Extended configuration space, reached by ECAM: PCIe 5.0 7.2.2. */
#define PCI_EXT_CONFIG_BYTES 4096
#define ECAM_BUS_SHIFT       20
#define ECAM_DEVFN_SHIFT     12

/* Configuration mechanism #1: 3.2.2.3.2. */
#define PCI_PIO_BASE         0xcf8
#define PCI_PIO_BYTES        8
#define PCI_PIO_ADDRESS      0
#define PCI_PIO_CF9          1
#define PCI_PIO_DATA         4
#define PCI_PIO_ENABLE       0x80000000u

/*
 * BARs are counted in pages, so that a page never belongs to two devices and a place fits 32 bits. Of ports
 * there are few, and a page is what a BAR may have.
 */
#define BAR_PAGE_SHIFT    12
#define BAR_PAGE_BYTES    (1u << BAR_PAGE_SHIFT)
#define BAR_IO_PAGE_SHIFT 8
_Static_assert(1 << BAR_IO_PAGE_SHIFT == PCI_BAR_IO_BYTES, "one page of ports");

/* Below, PCs have other devices, and Linux places no BAR, whatever the machine. */
#define PCI_FIRST_PORT 0x1000

#define PCI_BRIDGE_VENDOR 0x1b36 /* Red Hat's "generic PCIe host bridge" */
#define PCI_BRIDGE_DEVICE 0x0008
#define PCI_BRIDGE_CLASS  0x060000

struct pci_bar_state {
	struct pci_bar     info;
	uint32_t           nr_pages;  /* 0: not implemented */
	/* Number of its first page in the host's windows, plus one; 0: not decoded. Read without a lock. */
	_Atomic uint32_t   place;
	gpa_t              base;      /* what bar_moved() was last told; under config_lock */
};

struct msix_entry {
	uint32_t words[4];
	bool     pending;
};

struct pci_device {
	struct pci_host      *host;
	const char           *name;
	unsigned int          slot;
	const struct pci_device_ops *ops;
	void                 *dev;

	pthread_mutex_t       config_lock;
	uint8_t               config[PCI_CONFIG_BYTES];
	uint8_t               writable[PCI_CONFIG_BYTES]; /* bits that the guest can change */
	bool                  owned[PCI_CONFIG_BYTES];    /* in a capability that the device added */
	struct pci_bar_state  bars[PCI_MAX_BARS];
	unsigned int          cap_last;  /* 0: none yet */
	unsigned int          cap_next;  /* where the next one goes */

	pthread_mutex_t       msix_lock;
	struct msix_entry    *msix;
	unsigned int          nr_msix;
	unsigned int          msix_cap;
	bool                  msix_masked;
	_Atomic bool          msix_enabled;

	/* Changed under the host's intx_lock. */
	_Atomic bool          intx_level;
	bool                  intx_disabled;
};

/* A piece of CPU address space behind which BARs may lie. */
struct pci_window {
	struct pci_host     *host;
	struct machine_range range;      /* as BARs have it: of ports, or of CPU addresses */
	unsigned int         page_shift;
	uint32_t             first_page; /* its first page, counted over all windows */
	gpa_t                next_free;  /* for BARs that are being placed */
};

enum { WINDOW_IO, WINDOW_MEM32, WINDOW_MEM64, NR_WINDOWS };

struct pci_host {
	struct machine_pci    machine;
	struct pci_device    *slots[PCI_MAX_DEVICES];
	unsigned int          nr_slots;
	struct pci_window     windows[NR_WINDOWS];
	struct pci_bar_state *bars[PCI_MAX_DEVICES * PCI_MAX_BARS];
	unsigned int          nr_bars;
	struct msi_sink       msi;
	_Atomic uint32_t      pio_address;
	const struct bus_ops *cf9_ops; /* NULL: nobody shares the port */
	void                 *cf9_dev;

	pthread_mutex_t       intx_lock;
	struct irq_line       intx[4];
	uint32_t              intx_asserted[4]; /* slots that drive the line */
};

/* All ones in an access of @size bytes: what a read gets that nobody answers. */
static uint64_t ones(unsigned int size)
{
	return UINT64_MAX >> (64 - 8 * size);
}

/* ---- INTx --------------------------------------------------------------------------------------- */

static void intx_update(struct pci_device *dev)
{
	struct pci_host *host = dev->host;
	/* Every device uses pin A; the board rotates the pins by slot. */
	unsigned int pin = dev->slot % 4;
	uint32_t before = host->intx_asserted[pin];
	uint32_t bit = UINT32_C(1) << dev->slot;
	uint32_t after = before & ~bit;

	/* A function in MSI-X mode does not use its pin: 6.8.2.3. */
	if (dev->intx_level && !dev->intx_disabled && !dev->msix_enabled)
		after |= bit;
	host->intx_asserted[pin] = after;
	if (!before != !after)
		irq_line_set(&host->intx[pin], after);
}

void pci_intx_set(struct pci_device *dev, bool level)
{
	pthread_mutex_lock(&dev->host->intx_lock);
	dev->intx_level = level;
	intx_update(dev);
	pthread_mutex_unlock(&dev->host->intx_lock);
}

/* ---- MSI-X -------------------------------------------------------------------------------------- */

/* Sends what is pending and may go. Under msix_lock: once a vector is masked, nothing is under way. */
static void msix_deliver(struct pci_device *dev, unsigned int vector)
{
	struct msix_entry *e = &dev->msix[vector];
	struct msi_message msg;

	if (!e->pending || !dev->msix_enabled || dev->msix_masked ||
	    (e->words[3] & MSIX_ENTRY_MASKED))
		return;
	e->pending = false;
	msg = (struct msi_message){
		.address = e->words[0] | (uint64_t)e->words[1] << 32,
		.data = e->words[2],
		.devid = dev->slot << 3,
	};
	/* A message to nowhere is lost, as it is on a real bus; the sink has said so if it matters. */
	(void)msi_send(&dev->host->msi, &msg);
}

void pci_msix_raise(struct pci_device *dev, unsigned int vector)
{
	/* The number may come from the guest. */
	if (vector >= dev->nr_msix)
		return;
	pthread_mutex_lock(&dev->msix_lock);
	if (dev->msix_enabled) {
		dev->msix[vector].pending = true;
		msix_deliver(dev, vector);
	}
	pthread_mutex_unlock(&dev->msix_lock);
}

bool pci_msix_enabled(const struct pci_device *dev)
{
	return dev->msix_enabled;
}

/* The control register in config[] was written. */
static void msix_update(struct pci_device *dev)
{
	uint16_t control = get_le16(dev->config + dev->msix_cap + MSIX_CAP_CONTROL);

	pthread_mutex_lock(&dev->msix_lock);
	dev->msix_enabled = control & MSIX_CONTROL_ENABLE;
	dev->msix_masked = control & MSIX_CONTROL_MASKALL;
	for (unsigned int i = 0; i < dev->nr_msix; i++) {
		if (!dev->msix_enabled)
			dev->msix[i].pending = false;
		msix_deliver(dev, i);
	}
	pthread_mutex_unlock(&dev->msix_lock);

	pthread_mutex_lock(&dev->host->intx_lock);
	intx_update(dev);
	pthread_mutex_unlock(&dev->host->intx_lock);
}

/* The table fills the BAR's first half, the PBA begins its second: a page of its own if it is large. */
static uint64_t msix_bar_bytes(unsigned int nr_vectors)
{
	uint64_t half = BAR_PAGE_BYTES / 2;

	while (half < (uint64_t)nr_vectors * MSIX_ENTRY_BYTES)
		half *= 2;
	return 2 * half;
}

static uint32_t msix_read_word(const struct pci_device *dev, uint64_t offset)
{
	uint64_t pba = msix_bar_bytes(dev->nr_msix) / 2;
	uint32_t bits = 0;

	if (offset < pba) {
		if (offset / MSIX_ENTRY_BYTES >= dev->nr_msix)
			return 0;
		return dev->msix[offset / MSIX_ENTRY_BYTES].words[offset / 4 % 4];
	}
	for (unsigned int i = 0; i < 32; i++) {
		uint64_t vector = (offset - pba) * 8 + i;

		if (vector < dev->nr_msix && dev->msix[vector].pending)
			bits |= UINT32_C(1) << i;
	}
	return bits;
}

static void msix_write_word(struct pci_device *dev, uint64_t offset, uint32_t value)
{
	uint64_t vector = offset / MSIX_ENTRY_BYTES;
	unsigned int word = offset / 4 % 4;

	if (vector >= dev->nr_msix) /* the PBA, too, is read-only */
		return;
	if (word == 0)
		value &= ~UINT32_C(3); /* messages are whole words: 6.8.2.4 */
	else if (word == 3)
		value &= MSIX_ENTRY_MASKED;
	dev->msix[vector].words[word] = value;
	msix_deliver(dev, (unsigned int)vector);
}

/* Table and PBA take whole words or pairs of them: 6.8.2. */
static uint64_t msix_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct pci_device *dev = opaque;
	uint64_t value;

	if (size < 4)
		return ones(size);
	pthread_mutex_lock(&dev->msix_lock);
	value = msix_read_word(dev, offset);
	if (size == 8)
		value |= (uint64_t)msix_read_word(dev, offset + 4) << 32;
	pthread_mutex_unlock(&dev->msix_lock);
	return value;
}

static void msix_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct pci_device *dev = opaque;

	if (size < 4)
		return;
	pthread_mutex_lock(&dev->msix_lock);
	msix_write_word(dev, offset, (uint32_t)value);
	if (size == 8)
		msix_write_word(dev, offset + 4, (uint32_t)(value >> 32));
	pthread_mutex_unlock(&dev->msix_lock);
}

static const struct bus_ops msix_bus_ops = {
	.read = msix_read,
	.write = msix_write,
};

/* ---- BARs --------------------------------------------------------------------------------------- */

/* The BAR that answers at @offset of the window, whose offset therein is put into @bar_offset. */
static const struct pci_bar_state *window_find(const struct pci_window *w, uint64_t offset,
					       uint64_t *bar_offset)
{
	const struct pci_host *host = w->host;
	uint32_t page = w->first_page + (uint32_t)(offset >> w->page_shift) + 1;

	for (unsigned int i = 0; i < host->nr_bars; i++) {
		const struct pci_bar_state *bar = host->bars[i];
		uint32_t place = atomic_load_explicit(&bar->place, memory_order_acquire);

		if (place && page - place < bar->nr_pages) {
			*bar_offset = (uint64_t)(page - place) << w->page_shift |
				      (offset & ((UINT64_C(1) << w->page_shift) - 1));
			return bar;
		}
	}
	return NULL;
}

static uint64_t window_read(void *opaque, uint64_t offset, unsigned int size)
{
	uint64_t bar_offset;
	const struct pci_bar_state *bar = window_find(opaque, offset, &bar_offset);

	return bar ? bar->info.ops->read(bar->info.dev, bar_offset, size) : ones(size);
}

static void window_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	uint64_t bar_offset;
	const struct pci_bar_state *bar = window_find(opaque, offset, &bar_offset);

	if (bar)
		bar->info.ops->write(bar->info.dev, bar_offset, size, value);
}

static const struct bus_ops window_bus_ops = {
	.read = window_read,
	.write = window_write,
};

/* The address in BAR register @i. */
static gpa_t bar_address(const struct pci_device *dev, unsigned int i)
{
	const uint8_t *reg = dev->config + PCI_BAR0 + 4 * i;
	gpa_t addr = get_le32(reg) & ~(dev->bars[i].info.is_io ? PCI_BAR_IO_FLAGS : PCI_BAR_FLAGS);

	if (dev->bars[i].info.is_64bit)
		addr |= (uint64_t)get_le32(reg + 4) << 32;
	return addr;
}

/* The place of @bar at @addr as in struct pci_bar_state, 0 if it is in no window of its space. */
static uint32_t bar_place(const struct pci_host *host, const struct pci_bar *bar, gpa_t addr)
{
	for (unsigned int i = 0; i < NR_WINDOWS; i++) {
		const struct pci_window *w = &host->windows[i];

		if (bar->is_io == (i == WINDOW_IO) &&
		    range_within(addr, bar->size_bytes, w->range.base, w->range.size_bytes))
			return w->first_page + (uint32_t)((addr - w->range.base) >> w->page_shift) + 1;
	}
	return 0;
}

/* BAR registers or an enable bit were written. Under config_lock. */
static void bars_update(struct pci_device *dev)
{
	uint16_t command = get_le16(dev->config + PCI_COMMAND);

	for (unsigned int i = 0; i < PCI_MAX_BARS; i++) {
		struct pci_bar_state *bar = &dev->bars[i];
		gpa_t base = 0;
		uint32_t place = 0;

		if (!bar->nr_pages)
			continue;
		if (command & (bar->info.is_io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)) {
			base = bar_address(dev, i);
			place = bar_place(dev->host, &bar->info, base);
			if (!place)
				base = 0;
		}
		if (base == bar->base)
			continue;
		bar->base = base;
		atomic_store_explicit(&bar->place, place, memory_order_release);
		if (dev->ops && dev->ops->bar_moved && bar->info.ops != &msix_bus_ops)
			dev->ops->bar_moved(dev->dev, i, base);
	}
}

/* Gives BAR @i an address in the window that suits it. */
static int bar_allot(struct pci_device *dev, unsigned int i, gpa_t next[NR_WINDOWS])
{
	static const char *const names[NR_WINDOWS] = { "I/O", "32-bit", "64-bit" };
	const struct pci_host *host = dev->host;
	struct pci_bar_state *bar = &dev->bars[i];
	const uint64_t size = bar->info.size_bytes;
	uint8_t *reg = dev->config + PCI_BAR0 + 4 * i;
	uint8_t *writable = dev->writable + PCI_BAR0 + 4 * i;
	unsigned int which = WINDOW_MEM32;
	const struct machine_range *range;
	uint32_t flags = 0;
	gpa_t addr;

	/* What must not be prefetched must lie below 4 GiB even so: PCIe 5.0 7.5.1.2.1. */
	if (bar->info.is_64bit && bar->info.prefetchable &&
	    host->windows[WINDOW_MEM64].range.size_bytes)
		which = WINDOW_MEM64;
	if (bar->info.is_io)
		which = WINDOW_IO;
	range = &host->windows[which].range;

	addr = align_up(next[which], size);
	if (addr < next[which] || !range_within(addr, size, range->base, range->size_bytes)) {
		log_error("PCI device %s: no room for BAR %u of %#" PRIx64 " bytes in the %s window of %#"
			  PRIx64 " bytes", dev->name, i, size, names[which], range->size_bytes);
		return -ENOSPC;
	}
	next[which] = addr + size;

	if (bar->info.prefetchable)
		flags |= PCI_BAR_PREFETCH;
	if (bar->info.is_io)
		flags |= PCI_BAR_IO;
	if (bar->info.is_64bit)
		flags |= PCI_BAR_64BIT;
	/* A guest that sizes the BAR writes ones and finds the bits that stick: 6.2.5.1. */
	put_le32(reg, (uint32_t)addr | flags);
	put_le32(writable, (uint32_t)~(size - 1));
	if (bar->info.is_64bit) {
		put_le32(reg + 4, (uint32_t)(addr >> 32));
		put_le32(writable + 4, (uint32_t)(~(size - 1) >> 32));
	}
	return 0;
}

/* ---- configuration space ------------------------------------------------------------------------ */

static bool owned_by_device(const struct pci_device *dev, unsigned int offset, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		if (dev->owned[offset + i])
			return true;
	return false;
}

static bool touches(unsigned int offset, unsigned int size, unsigned int reg, unsigned int reg_size)
{
	return range_overlaps(offset, size, reg, reg_size);
}

static uint32_t device_config_read(struct pci_device *dev, unsigned int offset, unsigned int size)
{
	uint32_t value;

	if (offset >= PCI_CONFIG_BYTES) /* no extended capabilities */
		return 0;

	pthread_mutex_lock(&dev->config_lock);
	dev->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTERRUPT;
	if (dev->intx_level)
		dev->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
	if (dev->ops && dev->ops->config_read && owned_by_device(dev, offset, size))
		dev->ops->config_read(dev->dev, offset, size);
	value = (uint32_t)get_le(dev->config + offset, size);
	pthread_mutex_unlock(&dev->config_lock);
	return value;
}

static void device_config_write(struct pci_device *dev, unsigned int offset, unsigned int size,
				uint32_t value)
{
	if (offset >= PCI_CONFIG_BYTES)
		return;

	pthread_mutex_lock(&dev->config_lock);
	for (unsigned int i = offset; i < offset + size; i++, value >>= 8)
		dev->config[i] = (dev->config[i] & ~dev->writable[i]) |
				 ((uint8_t)value & dev->writable[i]);

	if (touches(offset, size, PCI_COMMAND, 2)) {
		pthread_mutex_lock(&dev->host->intx_lock);
		dev->intx_disabled =
			get_le16(dev->config + PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE;
		intx_update(dev);
		pthread_mutex_unlock(&dev->host->intx_lock);
	}
	if (touches(offset, size, PCI_COMMAND, 2) ||
	    touches(offset, size, PCI_BAR0, 4 * PCI_MAX_BARS))
		bars_update(dev);
	if (dev->nr_msix && touches(offset, size, dev->msix_cap + MSIX_CAP_CONTROL, 2))
		msix_update(dev);
	if (dev->ops && dev->ops->config_written && owned_by_device(dev, offset, size))
		dev->ops->config_written(dev->dev, offset, size);
	pthread_mutex_unlock(&dev->config_lock);
}

/* The function, if there is one and the access is one that a bus can make. */
static struct pci_device *config_target(const struct pci_host *host, unsigned int bdf,
					unsigned int offset, unsigned int size)
{
	unsigned int slot = bdf >> 3;

	if ((bdf & 7) || slot >= PCI_MAX_DEVICES) /* another function, another bus */
		return NULL;
	if ((size != 1 && size != 2 && size != 4) || offset % size ||
	    offset >= PCI_EXT_CONFIG_BYTES)
		return NULL;
	return host->slots[slot];
}

uint32_t pci_config_read(struct pci_host *host, unsigned int bdf, unsigned int offset,
			 unsigned int size)
{
	struct pci_device *dev = config_target(host, bdf, offset, size);

	if (!dev)
		return size >= 1 && size <= 4 ? (uint32_t)ones(size) : UINT32_MAX;
	return device_config_read(dev, offset, size);
}

void pci_config_write(struct pci_host *host, unsigned int bdf, unsigned int offset,
		      unsigned int size, uint32_t value)
{
	struct pci_device *dev = config_target(host, bdf, offset, size);

	if (dev)
		device_config_write(dev, offset, size, value);
}

unsigned int pci_msix_vectors(struct pci_host *host, unsigned int bdf)
{
	struct pci_device *dev = config_target(host, bdf, 0, 4);

	return dev ? dev->nr_msix : 0;
}

int pci_msix_program(struct pci_host *host, unsigned int bdf, unsigned int vector, uint64_t address,
		     uint32_t data)
{
	struct pci_device *dev = config_target(host, bdf, 0, 4);

	if (!dev || vector >= dev->nr_msix)
		return -ENOENT;
	pthread_mutex_lock(&dev->msix_lock);
	msix_write_word(dev, vector * MSIX_ENTRY_BYTES, (uint32_t)address);
	msix_write_word(dev, vector * MSIX_ENTRY_BYTES + 4, (uint32_t)(address >> 32));
	msix_write_word(dev, vector * MSIX_ENTRY_BYTES + 8, data);
	pthread_mutex_unlock(&dev->msix_lock);
	return 0;
}

static uint64_t ecam_read(void *opaque, uint64_t offset, unsigned int size)
{
	if (size > 4)
		return ones(size);
	return pci_config_read(opaque, (unsigned int)(offset >> ECAM_DEVFN_SHIFT),
			       offset % PCI_EXT_CONFIG_BYTES, size);
}

static void ecam_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	if (size <= 4)
		pci_config_write(opaque, (unsigned int)(offset >> ECAM_DEVFN_SHIFT),
				 offset % PCI_EXT_CONFIG_BYTES, size, (uint32_t)value);
}

static const struct bus_ops ecam_bus_ops = {
	.read = ecam_read,
	.write = ecam_write,
};

/* True if the address register selects something; @bdf and @offset get what @port reaches. */
static bool pio_target(struct pci_host *host, uint64_t port, unsigned int *bdf,
		       unsigned int *offset)
{
	uint32_t address = host->pio_address;

	*bdf = address >> 8 & 0xffff;
	*offset = (address & 0xfc) | (port & 3);
	return address & PCI_PIO_ENABLE;
}

static uint64_t pio_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct pci_host *host = opaque;
	unsigned int bdf, reg;

	if (offset == PCI_PIO_ADDRESS && size == 4)
		return host->pio_address;
	if (offset == PCI_PIO_CF9 && size == 1 && host->cf9_ops)
		return host->cf9_ops->read(host->cf9_dev, 0, size);
	if (offset < PCI_PIO_DATA || size > 4 || !pio_target(host, offset, &bdf, &reg))
		return ones(size);
	return pci_config_read(host, bdf, reg, size);
}

static void pio_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct pci_host *host = opaque;
	unsigned int bdf, reg;

	/* Only whole words address; smaller ones are for others that share the port: 3.2.2.3.2. */
	if (offset == PCI_PIO_ADDRESS && size == 4)
		host->pio_address = (uint32_t)value & (PCI_PIO_ENABLE | 0x00fffffc);
	else if (offset == PCI_PIO_CF9 && size == 1 && host->cf9_ops)
		host->cf9_ops->write(host->cf9_dev, 0, size, value);
	else if (offset >= PCI_PIO_DATA && size <= 4 && pio_target(host, offset, &bdf, &reg))
		pci_config_write(host, bdf, reg, size, (uint32_t)value);
}

static const struct bus_ops pio_bus_ops = {
	.read = pio_read,
	.write = pio_write,
};

bool pci_host_has_devices(const struct pci_host *host)
{
	return host && host->nr_slots > 1; /* the bridge is in the first one */
}

void pci_host_share_cf9(struct pci_host *host, const struct bus_ops *ops, void *dev)
{
	host->cf9_ops = ops;
	host->cf9_dev = dev;
}

/* ---- devices ------------------------------------------------------------------------------------ */

int pci_add_capability(struct pci_device *dev, const uint8_t *body, unsigned int len)
{
	unsigned int at = dev->cap_next;

	if (len < 2 || len > PCI_CONFIG_BYTES - at)
		return -ENOSPC;
	memcpy(dev->config + at, body, len);
	memset(dev->owned + at, true, len);
	/* Appended, so that a guest finds them in the order in which they were added. */
	dev->config[at + 1] = 0;
	dev->config[dev->cap_last ? dev->cap_last + 1 : PCI_CAPABILITY_LIST] = (uint8_t)at;
	dev->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	dev->cap_last = at;
	dev->cap_next = (unsigned int)align_up(at + len, 4);
	return (int)at;
}

void pci_config_allow_write(struct pci_device *dev, unsigned int offset, unsigned int len)
{
	if (offset < PCI_FIRST_CAPABILITY || offset >= PCI_CONFIG_BYTES ||
	    len > PCI_CONFIG_BYTES - offset)
		return;
	memset(dev->writable + offset, 0xff, len);
}

uint8_t *pci_config(struct pci_device *dev)
{
	return dev->config;
}

unsigned int pci_slot(const struct pci_device *dev)
{
	return dev->slot;
}

static int msix_init(struct pci_device *dev, unsigned int nr_vectors, unsigned int bar)
{
	uint8_t cap[MSIX_CAP_BYTES] = { PCI_CAP_ID_MSIX };
	uint64_t bytes = msix_bar_bytes(nr_vectors);
	int at;

	if (nr_vectors > MSIX_MAX_VECTORS || bar >= PCI_MAX_BARS || dev->bars[bar].nr_pages ||
	    (bar && dev->bars[bar - 1].nr_pages && dev->bars[bar - 1].info.is_64bit)) {
		log_error("PCI device %s: impossible MSI-X with %u vectors in BAR %u", dev->name,
			  nr_vectors, bar);
		return -EINVAL;
	}
	dev->msix = calloc(nr_vectors, sizeof(dev->msix[0]));
	if (!dev->msix) {
		log_error("out of memory for PCI device %s", dev->name);
		return -ENOMEM;
	}
	dev->nr_msix = nr_vectors;
	for (unsigned int i = 0; i < nr_vectors; i++)
		dev->msix[i].words[3] = MSIX_ENTRY_MASKED; /* until the guest sets it up */

	put_le16(cap + MSIX_CAP_CONTROL, (uint16_t)(nr_vectors - 1));
	put_le32(cap + MSIX_CAP_TABLE, bar);
	put_le32(cap + MSIX_CAP_PBA, (uint32_t)(bytes / 2) | bar);
	at = pci_add_capability(dev, cap, sizeof(cap));
	if (at < 0)
		return at;
	dev->msix_cap = (unsigned int)at;
	/* Ours, not the device's. */
	memset(dev->owned + at, false, sizeof(cap));
	put_le16(dev->writable + at + MSIX_CAP_CONTROL, MSIX_CONTROL_ENABLE | MSIX_CONTROL_MASKALL);

	dev->bars[bar].info = (struct pci_bar){
		.size_bytes = bytes,
		.ops = &msix_bus_ops,
		.dev = dev,
	};
	dev->bars[bar].nr_pages = (uint32_t)(bytes >> BAR_PAGE_SHIFT);
	return 0;
}

static int bars_init(struct pci_device *dev, const struct pci_bar bars[PCI_MAX_BARS])
{
	for (unsigned int i = 0; i < PCI_MAX_BARS; i++) {
		unsigned int shift = bars[i].is_io ? BAR_IO_PAGE_SHIFT : BAR_PAGE_SHIFT;
		struct pci_bar_state *bar = &dev->bars[i];

		if (!bars[i].size_bytes)
			continue;
		bar->info = bars[i];
		bar->info.size_bytes = MAX(bars[i].size_bytes, UINT64_C(1) << shift);
		bar->nr_pages = (uint32_t)(bar->info.size_bytes >> shift);
		if (!is_power_of_two(bar->info.size_bytes) || !bar->info.ops ||
		    bar->info.size_bytes >> shift > UINT32_MAX ||
		    (bars[i].is_io && (bar->nr_pages > 1 || bars[i].is_64bit || bars[i].prefetchable)) ||
		    (bar->info.is_64bit && (i + 1 == PCI_MAX_BARS || bars[i + 1].size_bytes))) {
			log_error("PCI device %s: impossible BAR %u of %#" PRIx64 " bytes", dev->name,
				  i, bars[i].size_bytes);
			return -EINVAL;
		}
		if (bars[i].is_io)
			dev->writable[PCI_COMMAND] |= PCI_COMMAND_IO;
	}
	return 0;
}

static void pci_device_free(struct pci_device *dev)
{
	if (!dev)
		return;
	pthread_mutex_destroy(&dev->msix_lock);
	pthread_mutex_destroy(&dev->config_lock);
	free(dev->msix);
	free(dev);
}

static void config_init_header(struct pci_device *dev, const struct pci_device_info *info)
{
	uint8_t *c = dev->config;

	put_le16(c + PCI_VENDOR_ID, info->vendor);
	put_le16(c + PCI_DEVICE_ID, info->device);
	c[PCI_REVISION_ID] = info->revision;
	put_le(c + PCI_CLASS_PROG, 3, info->class_code);
	put_le16(c + PCI_SUBSYSTEM_VENDOR_ID, info->subsystem_vendor);
	put_le16(c + PCI_SUBSYSTEM_ID, info->subsystem);
	if (info->class_code != PCI_BRIDGE_CLASS && dev->host->intx[dev->slot % 4].ops)
		c[PCI_INTERRUPT_PIN] = 1; /* INTA */

	put_le16(dev->writable + PCI_COMMAND, PCI_COMMAND_WRITABLE);
	dev->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	dev->writable[PCI_INTERRUPT_LINE] = 0xff; /* the guest's scratch pad: 6.2.4 */
}

int pci_device_add(struct pci_host *host, const struct pci_device_info *info,
		   struct pci_device **out)
{
	gpa_t next[NR_WINDOWS];
	struct pci_device *dev;
	int err;

	if (host->nr_slots == PCI_MAX_DEVICES) {
		log_error("no PCI slot left for %s: the bus has %d", info->name, PCI_MAX_DEVICES);
		return -ENOSPC;
	}
	dev = calloc(1, sizeof(*dev));
	if (!dev) {
		log_error("out of memory for PCI device %s", info->name);
		return -ENOMEM;
	}
	pthread_mutex_init(&dev->config_lock, NULL);
	pthread_mutex_init(&dev->msix_lock, NULL);
	dev->host = host;
	dev->name = info->name;
	dev->slot = host->nr_slots;
	dev->ops = info->ops;
	dev->dev = info->dev;
	dev->cap_next = PCI_FIRST_CAPABILITY;
	config_init_header(dev, info);

	err = bars_init(dev, info->bars);
	if (!err && info->msix_vectors && host->msi.send)
		err = msix_init(dev, info->msix_vectors, info->msix_bar);
	if (err)
		goto fail;

	/* On a copy: a device that does not fit takes nothing away. */
	for (unsigned int i = 0; i < NR_WINDOWS; i++)
		next[i] = host->windows[i].next_free;
	for (unsigned int i = 0; i < PCI_MAX_BARS; i++) {
		if (!dev->bars[i].nr_pages)
			continue;
		err = bar_allot(dev, i, next);
		if (err)
			goto fail;
	}
	for (unsigned int i = 0; i < NR_WINDOWS; i++)
		host->windows[i].next_free = next[i];
	for (unsigned int i = 0; i < PCI_MAX_BARS; i++)
		if (dev->bars[i].nr_pages)
			host->bars[host->nr_bars++] = &dev->bars[i];
	host->slots[host->nr_slots++] = dev;
	*out = dev;
	return 0;
fail:
	pci_device_free(dev);
	return err;
}

/* ---- host --------------------------------------------------------------------------------------- */

static int host_add_window(struct bus *bus, const char *name, const struct machine_range *range,
			   const struct bus_ops *ops, void *dev)
{
	const struct bus_window window = {
		.name = name,
		.base = range->base,
		.size_bytes = range->size_bytes,
		.ops = ops,
		.dev = dev,
	};

	return range->size_bytes ? bus_add(bus, &window) : 0;
}

static int host_init_windows(struct pci_host *host)
{
	const struct machine_pci *m = &host->machine;
	const struct machine_range ranges[NR_WINDOWS] = {
		[WINDOW_IO] = { m->ports ? m->io.base : 0, m->io.size_bytes },
		[WINDOW_MEM32] = m->mem32,
		[WINDOW_MEM64] = m->mem64,
	};
	uint64_t nr_pages = 0;

	for (unsigned int i = 0; i < NR_WINDOWS; i++) {
		struct pci_window *w = &host->windows[i];

		w->host = host;
		w->range = ranges[i];
		w->page_shift = i == WINDOW_IO ? BAR_IO_PAGE_SHIFT : BAR_PAGE_SHIFT;
		w->next_free = i == WINDOW_IO ? MAX(w->range.base, PCI_FIRST_PORT) : w->range.base;
		w->first_page = (uint32_t)nr_pages;
		nr_pages += w->range.size_bytes >> w->page_shift;
		/* Room for the numbers of struct pci_bar_state: 16 TiB in all. */
		if (nr_pages >= UINT32_MAX ||
		    (w->range.base | w->range.size_bytes) % (UINT64_C(1) << w->page_shift) ||
		    (i != WINDOW_MEM64 && w->range.size_bytes &&
		     !range_within(w->range.base, w->range.size_bytes, 0, i == WINDOW_IO ? KIB(64) : GIB(4)))) {
			log_error("impossible PCI window at %#" PRIx64 " of %#" PRIx64 " bytes",
				  w->range.base, w->range.size_bytes);
			return -EINVAL;
		}
	}
	return 0;
}

int pci_host_create(struct pci_host **out, const struct machine_pci *m, struct bus *mmio,
		    struct bus *pio, const struct irq_line intx[4], const struct msi_sink *msi)
{
	static const struct machine_range pio_range = { PCI_PIO_BASE, PCI_PIO_BYTES };
	const struct pci_device_info bridge = {
		.vendor = PCI_BRIDGE_VENDOR,
		.device = PCI_BRIDGE_DEVICE,
		.class_code = PCI_BRIDGE_CLASS,
		.name = "host bridge",
	};
	struct pci_device *dev;
	struct pci_host *host;
	int err;

	host = calloc(1, sizeof(*host));
	if (!host) {
		log_error("out of memory for the PCI host bridge");
		return -ENOMEM;
	}
	pthread_mutex_init(&host->intx_lock, NULL);
	host->machine = *m;
	host->msi = *msi;
	memcpy(host->intx, intx, sizeof(host->intx));

	err = host_init_windows(host);
	if (!err)
		err = pci_device_add(host, &bridge, &dev);
	if (!err)
		err = host_add_window(mmio, "pci-ecam", &m->ecam, &ecam_bus_ops, host);
	if (!err)
		err = host_add_window(m->ports && pio ? pio : mmio, "pci-io", &m->io, &window_bus_ops,
				      &host->windows[WINDOW_IO]);
	if (!err)
		err = host_add_window(mmio, "pci-mem32", &m->mem32, &window_bus_ops,
				      &host->windows[WINDOW_MEM32]);
	if (!err)
		err = host_add_window(mmio, "pci-mem64", &m->mem64, &window_bus_ops,
				      &host->windows[WINDOW_MEM64]);
	if (!err && pio)
		err = host_add_window(pio, "pci-config", &pio_range, &pio_bus_ops, host);
	if (err) {
		pci_host_destroy(host);
		return err;
	}
	*out = host;
	return 0;
}

void pci_host_destroy(struct pci_host *host)
{
	if (!host)
		return;
	for (unsigned int i = 0; i < host->nr_slots; i++)
		pci_device_free(host->slots[i]);
	pthread_mutex_destroy(&host->intx_lock);
	free(host);
}
