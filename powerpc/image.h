/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel formats of powerpc, pseries (64-bit, either byte order) and e500 (32-bit, big-endian): ELF
 * vmlinux and zImage, uImage, and flat files. Pure.
 */
#ifndef PPC_IMAGE_H
#define PPC_IMAGE_H

#include "lkvm/image.h"
#include "lkvm/machine.h"

/* Indices in image_plan.arch. */
enum ppc_image_word {
	PPC_IMAGE_BITS, /* 32 or 64: width of the code at the entry; 0: the file does not tell */
	/*
	 * 1: linked to run where it is loaded, as boot wrappers (zImage.*) are. They refuse to
	 * start unless they are entered as ePAPR clients (ePAPR 1.1, "Boot CPU Initial Register
	 * State"), with the magic number in r6 and the IMA's size in r7.
	 */
	PPC_IMAGE_WRAPPER,
};

/*
 * Where the kernel @img goes. ELF files go to their physical addresses (a vmlinux to 0), a uImage
 * where its header says, and a flat vmlinux (known by its first instruction) to the start of RAM.
 * Sets plan->big_endian. Returns 0, -ENOEXEC, -EINVAL or -ENOMEM, reported.
 */
int ppc_image_plan(const struct image_file *img, const struct machine *machine, struct image_plan *plan)
	LKVM_MUST_CHECK;

/* Firmware: an ELF file as above, anything else flat at the start of RAM and entered there. */
int ppc_firmware_plan(const struct image_file *img, const struct machine *machine,
		      struct image_plan *plan) LKVM_MUST_CHECK;

/*
 * Whether @plan, of a kernel or of firmware, can be entered on a CPU that is @bits wide: a 64-bit one takes boot
 * wrappers of 32 bits, too. 0 or -EINVAL (reported).
 */
int ppc_image_check_width(const struct image_file *img, const struct image_plan *plan, unsigned int bits)
	LKVM_MUST_CHECK;

#endif
