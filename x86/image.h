/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel formats of x86-64: bzImage, ELF vmlinux (by PVH or in long mode), and flat images. Pure.
 */
#ifndef X86_IMAGE_H
#define X86_IMAGE_H

#include "lkvm/image.h"
#include "lkvm/machine.h"

/*
 * How the boot CPU enters the image. All but PVH: 64-bit mode, paging on, memory mapped one to one.
 */
enum x86_boot_protocol {
	/*
	 * bzImage, Documentation/arch/x86/boot.rst "64-bit Boot Protocol": rsi = zero page, with
	 * setup header
	 */
	X86_BOOT_LINUX64,
	/*
	 * ELF with a XEN_ELFNOTE_PHYS32_ENTRY note: 32-bit protected mode, no paging, ebx = start
	 * info
	 */
	X86_BOOT_PVH,
	/* ELF without such a note: as LINUX64, but there is no setup header to copy */
	X86_BOOT_ELF64,
	/* A file without structure, for bare-metal tests: registers are 0 */
	X86_BOOT_FLAT,
};

/* Indices in image_plan.arch. */
enum x86_image_word {
	X86_IMAGE_PROTOCOL,     /* enum x86_boot_protocol */
	X86_IMAGE_SETUP_OFFSET, /* LINUX64: the setup header's place in the file ... */
	X86_IMAGE_SETUP_BYTES,  /* ... and length; both 0 for others */
	X86_IMAGE_INITRD_LIMIT, /* no initrd at or above this address; 0: anywhere */
};

/*
 * Where the kernel @img goes. A bzImage's protected-mode part goes to pref_address with init_size
 * bytes reserved; an ELF file to its physical addresses. Returns 0, -ENOEXEC, -EINVAL or -ENOMEM,
 * reported.
 */
int x86_image_plan(const struct image_file *img, const struct machine *machine, struct image_plan *plan)
	LKVM_MUST_CHECK;

/* Where flat images are loaded and entered: below are the tables that the VMM builds. */
#define X86_FLAT_BASE MIB(1)

/* Firmware: an ELF file as above, anything else flat (X86_BOOT_FLAT) at X86_FLAT_BASE. */
int x86_firmware_plan(const struct image_file *img, const struct machine *machine,
		      struct image_plan *plan) LKVM_MUST_CHECK;

#endif
