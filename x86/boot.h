/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the boot CPU finds in memory, by boot protocol: the zero page of Linux's 64-bit protocol
 * (Documentation/arch/x86/boot.rst, zero-page.rst), PVH's start info
 * (xen/include/public/arch-x86/hvm/start_info.h), and the page tables and segments to run on. Pure.
 */
#ifndef X86_BOOT_H
#define X86_BOOT_H

#include "lkvm/machine.h"
#include "lkvm/memory.h"

/* Fields of a bzImage's setup header, as offsets into the image and into the zero page alike. */
#define X86_SETUP_HEADER        0x1f1
#define X86_SETUP_MAGIC         0x202 /* "HdrS" */
#define X86_SETUP_HEADER_MAX    0x290 /* end of the room for it in the zero page */
#define X86_SETUP_CMDLINE_SIZE  0x238

/* Address range types of e820 and PVH (ACPI 6.5 §15). */
enum x86_e820_type {
	X86_E820_RAM = 1,
	X86_E820_RESERVED = 2,
};

struct x86_e820_range {
	gpa_t              base;
	uint64_t           size_bytes;
	enum x86_e820_type type;
};
#define X86_E820_MAX 16

/* The memory map of @m, sorted. Returns the number of entries. */
unsigned int x86_e820(const struct machine *m, struct x86_e820_range out[X86_E820_MAX]);

struct x86_boot {
	const struct machine *machine;
	const char    *cmdline;
	gpa_t          initrd;
	uint64_t       initrd_bytes; /* 0: none */
	gpa_t          rsdp;         /* 0: none */
	const uint8_t *rng_seed;     /* NULL: none */
	size_t         rng_seed_bytes;
	/* Linux protocol only: a bzImage's bytes from X86_SETUP_HEADER on; NULL and 0 for an ELF file. */
	const uint8_t *setup_header;
	size_t         setup_header_bytes;
};

/*
 * Writes zero page, command line and setup data to their places in layout.h. Returns 0, -E2BIG when the
 * command line is longer than the kernel takes, or -EFAULT (both reported).
 */
int x86_boot_write_linux(struct memory *mem, const struct x86_boot *boot) LKVM_MUST_CHECK;

/* The same for PVH: start info, memory map, module list (the initrd) and command line. */
int x86_boot_write_pvh(struct memory *mem, const struct x86_boot *boot) LKVM_MUST_CHECK;

/* Writes page tables that map the first X86_BOOT_MAP_BYTES one to one. 0 or -EFAULT (reported). */
int x86_boot_write_page_tables(struct memory *mem) LKVM_MUST_CHECK;

/* Segments of the boot CPU, as selectors into the GDT and as descriptors. */
#define X86_BOOT_CS     0x10 /* __BOOT_CS and __BOOT_DS of the Linux protocol */
#define X86_BOOT_DS     0x18
#define X86_BOOT_TSS    0x20
#define X86_BOOT_GDT_ENTRIES 6 /* a 64-bit TSS descriptor takes two */

/* Writes the GDT for a boot CPU in 64-bit (@long_mode) or 32-bit mode. 0 or -EFAULT (reported). */
int x86_boot_write_gdt(struct memory *mem, bool long_mode) LKVM_MUST_CHECK;

/*
 * Writes the code at the reset vector that resets the machine: Linux jumps there in real mode when it knows no
 * other way (arch/x86/kernel/reboot.c, BOOT_BIOS), which is what it takes hardware-reduced ACPI without EFI for. 0
 * or -EFAULT (reported).
 */
int x86_boot_write_reset_vector(struct memory *mem) LKVM_MUST_CHECK;

#endif
