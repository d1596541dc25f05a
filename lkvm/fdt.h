/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device tree under construction: libfdt's sequential-write functions with a buffer that grows
 * and an error that sticks, so that builders read as a list of properties and check once at the
 * end. Pure.
 */
#ifndef LKVM_FDT_H
#define LKVM_FDT_H

#include "lkvm/machine.h"
#include "lkvm/types.h"

#define FDT_RNG_SEED_BYTES 64

struct fdt {
	void  *buf;
	size_t size_bytes; /* allocated */
	int    err;        /* first error, -errno; later calls do nothing */
	uint32_t next_phandle;
	/* libfdt takes trees of any shape; these find what a reader would not: see fdt_end(). */
	unsigned int depth;  /* nodes begun and not ended */
	bool   child_ended;  /* a subnode of the current node is complete: no property may follow */
};

/* Starts a tree (its root node is not begun). fdt_end() must follow. */
void fdt_begin(struct fdt *fdt);
/*
 * Ends the tree: *@blob (free() it) and *@size_bytes. Returns 0 or the first error (reported):
 * -ENOMEM, or -EINVAL for nodes left open, properties behind subnodes, and other mistakes of the
 * caller.
 */
int fdt_end(struct fdt *fdt, void **blob, size_t *size_bytes) LKVM_MUST_CHECK;

/* Writes a finished tree to file @path, for --dump-dtb. 0 or -errno (reported). */
int fdt_dump(const char *path, const void *blob, size_t size_bytes) LKVM_MUST_CHECK;

void fdt_node(struct fdt *fdt, const char *name);
/* A node with a unit address: NAME@UNIT, in hexadecimal. */
void fdt_node_at(struct fdt *fdt, const char *name, uint64_t unit);
void fdt_node_end(struct fdt *fdt);
void fdt_empty(struct fdt *fdt, const char *name);
void fdt_u32(struct fdt *fdt, const char *name, uint32_t v);
void fdt_u64(struct fdt *fdt, const char *name, uint64_t v);
void fdt_str(struct fdt *fdt, const char *name, const char *v);
/* Any bytes; a list of strings is one after another, each with its NUL, @len in all. */
void fdt_bytes(struct fdt *fdt, const char *name, const void *v, size_t len);
/* @nr cells; converted to big endian. */
void fdt_cells(struct fdt *fdt, const char *name, const uint32_t *cells, size_t nr);
/* "reg" with #address-cells = #size-cells = 2 of one range. */
void fdt_reg64(struct fdt *fdt, uint64_t base, uint64_t size_bytes);

/*
 * Pieces that are the same on every device-tree platform. Interrupts are given by the arch's
 * @irq_cells callback: it appends the specifier of wired line @irq (level, high) to @cells and
 * returns their number.
 */
typedef unsigned int fdt_irq_cells(void *ctx, uint32_t irq, uint32_t *cells);

struct fdt_platform {
	const struct machine *machine;
	const char           *cmdline;
	gpa_t                 initrd;
	uint64_t              initrd_bytes;
	uint32_t              irq_phandle;  /* interrupt-parent of wired lines */
	unsigned int          irq_address_cells; /* its #address-cells, for interrupt-map */
	uint32_t              msi_phandle;  /* 0: none */
	bool                  msi_map;      /* msi-map (with requester ids) instead of msi-parent */
	fdt_irq_cells        *irq_cells;
	void                 *irq_ctx;
	const uint8_t        *rng_seed;     /* FDT_RNG_SEED_BYTES or NULL */
	uint64_t              kaslr_seed;   /* 0: none */
	const char           *stdout_path;  /* NULL: the UART, if any, as a child of the root */
};

void fdt_add_chosen(struct fdt *fdt, const struct fdt_platform *p);
/* The properties of that node, for platforms that have more to say in it. */
void fdt_chosen_properties(struct fdt *fdt, const struct fdt_platform *p);
void fdt_add_memory(struct fdt *fdt, const struct fdt_platform *p);
/*
 * All of machine->devices that are MMIO: UART, virtio-mmio, pvpanic, RTC (compatible per
 * @rtc_compatible; NULL leaves it to the arch), flash.
 */
void fdt_add_devices(struct fdt *fdt, const struct fdt_platform *p, const char *rtc_compatible);
/* Of a PCI host bridge of any kind: "ranges" and the mapping of INTx. */
void fdt_pci_properties(struct fdt *fdt, const struct fdt_platform *p);
/* The generic ECAM host bridge with all that and MSI, if the machine has one. */
void fdt_add_pci(struct fdt *fdt, const struct fdt_platform *p);

#endif
