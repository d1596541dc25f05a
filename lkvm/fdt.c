// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/fdt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libfdt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lkvm/byteorder.h"
#include "lkvm/log.h"
#include "lkvm/uart8250.h"

/* Holds an ordinary guest's tree; grows by doubling for guests with many CPUs. */
#define FDT_FIRST_BYTES KIB(4)
/* What libfdt's int sizes can count, far above what any guest takes. */
#define FDT_MAX_BYTES MIB(64)

#define FDT_MAX_NAME 128

/* PCI binding to Open Firmware §2.2.1: phys.hi of an address in "ranges". */
#define FDT_PCI_PREFETCHABLE 0x40000000u
#define FDT_PCI_SPACE_IO     0x01000000u
#define FDT_PCI_SPACE_MEM32  0x02000000u
#define FDT_PCI_SPACE_MEM64  0x03000000u
/*
 * interrupt-map-mask: only the low two bits of the device number matter, as INTx rotates by four.
 */
#define FDT_PCI_MAP_DEVICES 4
#define FDT_PCI_MAP_PINS    4
#define FDT_PCI_DEVFN_SHIFT 8

/* Most cells of one interrupt specifier, and of an interrupt controller's unit address. */
#define FDT_MAX_IRQ_CELLS     8
#define FDT_MAX_ADDRESS_CELLS 4

/* Remembers the first error. */
static void fdt_fail(struct fdt *fdt, int err)
{
	if (!fdt->err)
		fdt->err = err;
}

void fdt_begin(struct fdt *fdt)
{
	int ret;

	memset(fdt, 0, sizeof(*fdt));
	fdt->next_phandle = 1;
	fdt->size_bytes = FDT_FIRST_BYTES;
	fdt->buf = malloc(fdt->size_bytes);
	if (!fdt->buf) {
		fdt_fail(fdt, -ENOMEM);
		return;
	}
	/* Looking for each name among all others would take as long as all the rest of a small guest's start. */
	ret = fdt_create_with_flags(fdt->buf, (int)fdt->size_bytes, FDT_CREATE_FLAG_NO_NAME_DEDUP);
	if (!ret)
		ret = fdt_finish_reservemap(fdt->buf);
	if (ret)
		fdt_fail(fdt, -EINVAL);
}

static bool fdt_grow(struct fdt *fdt)
{
	size_t size = fdt->size_bytes * 2;
	void *buf = size <= FDT_MAX_BYTES ? realloc(fdt->buf, size) : NULL;

	if (buf)
		fdt->buf = buf;
	if (!buf || fdt_resize(buf, buf, (int)size) < 0) {
		fdt_fail(fdt, -ENOMEM);
		return false;
	}
	fdt->size_bytes = size;
	return true;
}

/*
 * Looks at what libfdt returned: true if the call is to be made again, with more room. Anything but
 * lack of room is a mistake of the caller (a property after a subnode, an end without a beginning).
 */
static bool fdt_again(struct fdt *fdt, int ret)
{
	if (!ret)
		return false;
	if (ret == -FDT_ERR_NOSPACE)
		return fdt_grow(fdt);
	fdt_fail(fdt, -EINVAL);
	return false;
}

int fdt_end(struct fdt *fdt, void **blob, size_t *size_bytes)
{
	int ret = 0;

	if (fdt->depth)
		fdt_fail(fdt, -EINVAL);
	if (!fdt->err) {
		do {
			ret = fdt_finish(fdt->buf);
		} while (fdt_again(fdt, ret));
	}
	if (fdt->err) {
		ret = fdt->err;
		log_error("cannot build the guest's device tree: %s",
			  ret == -ENOMEM ? "out of memory" : "its nodes and properties are out of order");
		free(fdt->buf);
		fdt->buf = NULL;
		return ret;
	}
	*blob = fdt->buf;
	*size_bytes = fdt_totalsize(fdt->buf);
	fdt->buf = NULL;
	return 0;
}

int fdt_dump(const char *path, const void *blob, size_t size_bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	size_t done = 0;
	int ret = 0;

	if (fd < 0) {
		ret = -errno;
		log_error("--dump-dtb: cannot create %s: %s", path, strerror(-ret));
		return ret;
	}
	while (!ret && done < size_bytes) {
		ssize_t n = write(fd, (const uint8_t *)blob + done, size_bytes - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			ret = n ? -errno : -EIO;
	}
	if (close(fd) && !ret)
		ret = -errno;
	if (ret)
		log_error("--dump-dtb: cannot write %s: %s", path, strerror(-ret));
	return ret;
}

void fdt_node(struct fdt *fdt, const char *name)
{
	int ret;

	if (fdt->err)
		return;
	do {
		ret = fdt_begin_node(fdt->buf, name);
	} while (fdt_again(fdt, ret));
	fdt->depth++;
	fdt->child_ended = false;
}

/* By hand: a tree has many of them, and printf() would take longer than libfdt. */
void fdt_node_at(struct fdt *fdt, const char *name, uint64_t unit)
{
	size_t len = strlen(name);
	char full[FDT_MAX_NAME];
	unsigned int digits = 1;

	if (len > sizeof(full) - sizeof("@0123456789abcdef")) {
		fdt_fail(fdt, -EINVAL);
		return;
	}
	memcpy(full, name, len);
	full[len++] = '@';
	while (digits < 16 && unit >> (4 * digits))
		digits++;
	while (digits--)
		full[len++] = "0123456789abcdef"[unit >> (4 * digits) & 15];
	full[len] = '\0';
	fdt_node(fdt, full);
}

void fdt_node_end(struct fdt *fdt)
{
	int ret;

	if (!fdt->depth)
		fdt_fail(fdt, -EINVAL);
	if (fdt->err)
		return;
	do {
		ret = fdt_end_node(fdt->buf);
	} while (fdt_again(fdt, ret));
	fdt->depth--;
	fdt->child_ended = true;
}

/* Room for a property's @len bytes; NULL if there is none, or had been an error before. */
static uint8_t *fdt_value(struct fdt *fdt, const char *name, size_t len)
{
	void *value = NULL;
	int ret;

	if (len > FDT_MAX_BYTES || !fdt->depth || fdt->child_ended)
		fdt_fail(fdt, -EINVAL);
	if (fdt->err)
		return NULL;
	do {
		ret = fdt_property_placeholder(fdt->buf, name, (int)len, &value);
	} while (fdt_again(fdt, ret));
	return fdt->err ? NULL : value;
}

void fdt_bytes(struct fdt *fdt, const char *name, const void *v, size_t len)
{
	uint8_t *value = fdt_value(fdt, name, len);

	if (value)
		memcpy(value, v, len);
}

void fdt_empty(struct fdt *fdt, const char *name)
{
	fdt_bytes(fdt, name, "", 0);
}

void fdt_u32(struct fdt *fdt, const char *name, uint32_t v)
{
	fdt_cells(fdt, name, &v, 1);
}

void fdt_u64(struct fdt *fdt, const char *name, uint64_t v)
{
	uint8_t *value = fdt_value(fdt, name, sizeof(v));

	if (value)
		put_be64(value, v);
}

void fdt_str(struct fdt *fdt, const char *name, const char *v)
{
	fdt_bytes(fdt, name, v, strlen(v) + 1);
}

void fdt_cells(struct fdt *fdt, const char *name, const uint32_t *cells, size_t nr)
{
	uint8_t *value = fdt_value(fdt, name, nr <= FDT_MAX_BYTES / 4 ? nr * 4 : SIZE_MAX);

	for (size_t i = 0; value && i < nr; i++)
		put_be32(value + i * 4, cells[i]);
}

/* Appends @v as two cells; returns the number of cells so far. */
static unsigned int cells_add64(uint32_t *cells, unsigned int n, uint64_t v)
{
	cells[n++] = (uint32_t)(v >> 32);
	cells[n++] = (uint32_t)v;
	return n;
}

void fdt_reg64(struct fdt *fdt, uint64_t base, uint64_t size_bytes)
{
	uint32_t cells[4];
	unsigned int n;

	n = cells_add64(cells, 0, base);
	n = cells_add64(cells, n, size_bytes);
	fdt_cells(fdt, "reg", cells, n);
}

/* The first serial port that the guest has, or NULL. */
static const struct machine_device *fdt_first_uart(const struct machine *m)
{
	for (unsigned int i = 0; i < m->nr_devices; i++)
		if ((m->devices[i].kind == MACHINE_UART8250 || m->devices[i].kind == MACHINE_UART_ARCH) &&
		    m->devices[i].space == MACHINE_MMIO)
			return &m->devices[i];
	return NULL;
}

/* Devicetree specification §3.6, and Documentation/arch/arm64/booting.rst for the seeds. */
void fdt_chosen_properties(struct fdt *fdt, const struct fdt_platform *p)
{
	const struct machine_device *uart = fdt_first_uart(p->machine);
	char path[FDT_MAX_NAME];

	if (p->cmdline)
		fdt_str(fdt, "bootargs", p->cmdline);
	if (p->initrd_bytes) {
		fdt_u64(fdt, "linux,initrd-start", p->initrd);
		fdt_u64(fdt, "linux,initrd-end", p->initrd + p->initrd_bytes);
	}
	if (p->rng_seed)
		fdt_bytes(fdt, "rng-seed", p->rng_seed, FDT_RNG_SEED_BYTES);
	if (p->kaslr_seed)
		fdt_u64(fdt, "kaslr-seed", p->kaslr_seed);
	if (p->stdout_path) {
		fdt_str(fdt, "stdout-path", p->stdout_path);
	} else if (uart) {
		snprintf(path, sizeof(path), "/serial@%" PRIx64, uart->base);
		fdt_str(fdt, "stdout-path", path);
	}
}

void fdt_add_chosen(struct fdt *fdt, const struct fdt_platform *p)
{
	fdt_node(fdt, "chosen");
	fdt_chosen_properties(fdt, p);
	fdt_node_end(fdt);
}

void fdt_add_memory(struct fdt *fdt, const struct fdt_platform *p)
{
	const struct machine *m = p->machine;

	for (unsigned int i = 0; i < m->nr_ram; i++) {
		if (!m->ram[i].size_bytes)
			continue;
		fdt_node_at(fdt, "memory", m->ram[i].base);
		fdt_str(fdt, "device_type", "memory");
		fdt_reg64(fdt, m->ram[i].base, m->ram[i].size_bytes);
		fdt_node_end(fdt);
	}
}

/* The specifier of line @irq into @cells (FDT_MAX_IRQ_CELLS); 0 if the callback gave nonsense. */
static unsigned int fdt_irq_specifier(struct fdt *fdt, const struct fdt_platform *p, uint32_t irq,
				      uint32_t *cells)
{
	unsigned int nr = p->irq_cells ? p->irq_cells(p->irq_ctx, irq, cells) : 0;

	if (!nr || nr > FDT_MAX_IRQ_CELLS) {
		fdt_fail(fdt, -EINVAL);
		return 0;
	}
	return nr;
}

static void fdt_add_interrupt(struct fdt *fdt, const struct fdt_platform *p, uint32_t irq)
{
	uint32_t cells[FDT_MAX_IRQ_CELLS];

	if (irq == MACHINE_NO_IRQ)
		return;
	fdt_u32(fdt, "interrupt-parent", p->irq_phandle);
	fdt_cells(fdt, "interrupts", cells, fdt_irq_specifier(fdt, p, irq, cells));
}

static void fdt_add_device(struct fdt *fdt, const struct fdt_platform *p,
			   const struct machine_device *dev, const char *rtc_compatible)
{
	static const char ns16550[] = "ns16550a\0ns16550";

	switch (dev->kind) {
	case MACHINE_UART8250:
		fdt_node_at(fdt, "serial", dev->base);
		/* Linux on powerpc finds its early console by this type and the second word. */
		fdt_str(fdt, "device_type", "serial");
		fdt_bytes(fdt, "compatible", ns16550, sizeof(ns16550));
		fdt_u32(fdt, "clock-frequency", UART8250_CLOCK_HZ);
		fdt_u32(fdt, "current-speed", 115200);
		break;
	case MACHINE_VIRTIO_MMIO:
		/* Linux Documentation/devicetree/bindings/virtio/mmio.yaml */
		fdt_node_at(fdt, "virtio_mmio", dev->base);
		fdt_str(fdt, "compatible", "virtio,mmio");
		fdt_empty(fdt, "dma-coherent");
		break;
	case MACHINE_PVPANIC:
		/* No binding document: what Linux drivers/misc/pvpanic/pvpanic-mmio.c matches. */
		fdt_node_at(fdt, "pvpanic", dev->base);
		fdt_str(fdt, "compatible", "qemu,pvpanic-mmio");
		break;
	case MACHINE_RTC:
		if (!rtc_compatible)
			return;
		fdt_node_at(fdt, "rtc", dev->base);
		fdt_str(fdt, "compatible", rtc_compatible);
		break;
	case MACHINE_FLASH:
		/* Linux Documentation/devicetree/bindings/mtd/mtd-physmap.yaml: two 16-bit chips */
		fdt_node_at(fdt, "flash", dev->base);
		fdt_str(fdt, "compatible", "cfi-flash");
		fdt_u32(fdt, "bank-width", 4);
		break;
	default:
		return;
	}
	fdt_reg64(fdt, dev->base, dev->size_bytes);
	fdt_add_interrupt(fdt, p, dev->irq);
	fdt_node_end(fdt);
}

void fdt_add_devices(struct fdt *fdt, const struct fdt_platform *p, const char *rtc_compatible)
{
	const struct machine *m = p->machine;

	for (unsigned int i = 0; i < m->nr_devices; i++)
		if (m->devices[i].space == MACHINE_MMIO)
			fdt_add_device(fdt, p, &m->devices[i], rtc_compatible);
}

/* One entry of "ranges": child address (3 cells), CPU address (2), size (2). */
static unsigned int fdt_pci_range(uint32_t *cells, unsigned int n, uint32_t space, uint64_t bus_address,
				  const struct machine_range *r)
{
	if (!r->size_bytes)
		return n;
	cells[n++] = space;
	n = cells_add64(cells, n, bus_address);
	n = cells_add64(cells, n, r->base);
	return cells_add64(cells, n, r->size_bytes);
}

/*
 * interrupt-map: for each device number modulo 4 and each pin, the line it is wired to
 * (Devicetree specification §2.4.3; PCI-to-PCI bridge specification §9.1 for the rotation).
 */
static void fdt_pci_interrupt_map(struct fdt *fdt, const struct fdt_platform *p)
{
	static const uint32_t mask[] = {
		(FDT_PCI_MAP_DEVICES - 1) << (FDT_PCI_DEVFN_SHIFT + 3), 0, 0, 7,
	};
	uint32_t cells[FDT_PCI_MAP_DEVICES * FDT_PCI_MAP_PINS *
		       (3 + 1 + 1 + FDT_MAX_ADDRESS_CELLS + FDT_MAX_IRQ_CELLS)];
	unsigned int n = 0;

	if (p->irq_address_cells > FDT_MAX_ADDRESS_CELLS) {
		fdt_fail(fdt, -EINVAL);
		return;
	}
	for (unsigned int slot = 0; slot < FDT_PCI_MAP_DEVICES; slot++) {
		for (unsigned int pin = 0; pin < FDT_PCI_MAP_PINS; pin++) {
			cells[n++] = slot << (FDT_PCI_DEVFN_SHIFT + 3);
			cells[n++] = 0;
			cells[n++] = 0;
			cells[n++] = pin + 1;
			cells[n++] = p->irq_phandle;
			for (unsigned int i = 0; i < p->irq_address_cells; i++)
				cells[n++] = 0;
			n += fdt_irq_specifier(fdt, p,
					       p->machine->pci.intx_irq[(pin + slot) % FDT_PCI_MAP_PINS],
					       cells + n);
		}
	}
	fdt_cells(fdt, "interrupt-map", cells, n);
	fdt_cells(fdt, "interrupt-map-mask", mask, ARRAY_SIZE(mask));
}

void fdt_pci_properties(struct fdt *fdt, const struct fdt_platform *p)
{
	const struct machine_pci *pci = &p->machine->pci;
	uint32_t cells[3 * 7];
	unsigned int n = 0;

	n = fdt_pci_range(cells, n, FDT_PCI_SPACE_IO, 0, &pci->io);
	n = fdt_pci_range(cells, n, FDT_PCI_SPACE_MEM32, pci->mem32.base, &pci->mem32);
	n = fdt_pci_range(cells, n, FDT_PCI_SPACE_MEM64 | FDT_PCI_PREFETCHABLE, pci->mem64.base,
			  &pci->mem64);
	fdt_cells(fdt, "ranges", cells, n);
	fdt_pci_interrupt_map(fdt, p);
}

/* Linux Documentation/devicetree/bindings/pci/host-generic-pci.yaml */
void fdt_add_pci(struct fdt *fdt, const struct fdt_platform *p)
{
	const struct machine_pci *pci = &p->machine->pci;
	uint32_t buses = (uint32_t)(pci->ecam.size_bytes >> 20);

	if (!buses)
		return;
	fdt_node_at(fdt, "pci", pci->ecam.base);
	fdt_str(fdt, "compatible", "pci-host-ecam-generic");
	fdt_str(fdt, "device_type", "pci");
	fdt_u32(fdt, "#address-cells", 3);
	fdt_u32(fdt, "#size-cells", 2);
	fdt_u32(fdt, "#interrupt-cells", 1);
	fdt_u32(fdt, "linux,pci-domain", 0);
	fdt_cells(fdt, "bus-range", (const uint32_t[]){ 0, MIN(buses, 256) - 1 }, 2);
	fdt_reg64(fdt, pci->ecam.base, pci->ecam.size_bytes);
	fdt_empty(fdt, "dma-coherent");
	fdt_pci_properties(fdt, p);

	/* pci-msi.txt: requester ids 0 to 0xffff map to themselves */
	if (p->msi_phandle && p->msi_map)
		fdt_cells(fdt, "msi-map", (const uint32_t[]){ 0, p->msi_phandle, 0, 0x10000 }, 4);
	else if (p->msi_phandle)
		fdt_u32(fdt, "msi-parent", p->msi_phandle);
	fdt_node_end(fdt);
}
