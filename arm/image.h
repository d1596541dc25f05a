/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel formats of arm64: the Image, an ELF vmlinux, and flat firmware. Pure. */
#ifndef ARM_IMAGE_H
#define ARM_IMAGE_H

#include "lkvm/image.h"
#include "lkvm/machine.h"

/* Indices in image_plan.arch. */
enum arm_image_word {
	ARM_IMAGE_PAGE_BYTES, /* page size that the kernel is built for; 0: the file does not tell */
};

/*
 * Where the kernel @img goes in the first RAM range of @machine. An Image goes to the first 2 MiB
 * boundary plus its text_offset; an ELF file to its physical addresses if they are in RAM, else
 * (Linux's vmlinux is linked to its virtual address) as a whole to that boundary. Returns 0,
 * -ENOEXEC, -EINVAL or -ENOMEM, reported.
 */
int arm_image_plan(const struct image_file *img, const struct machine *machine, struct image_plan *plan)
	LKVM_MUST_CHECK;

/*
 * The same for a 32-bit guest: a zImage goes far enough above the start of RAM to unpack itself there. Returns
 * -ENOEXEC, -EINVAL or -ENOMEM, reported.
 */
int arm_zimage_plan(const struct image_file *img, const struct machine *machine, struct image_plan *plan)
	LKVM_MUST_CHECK;

/*
 * Whether the file says that it is linked to ROM at address 0: U-Boot of QEMU's virt machine, and edk2's firmware
 * devices.
 */
bool arm_is_rom_firmware(const struct image_file *img);

/*
 * Firmware: an ELF file as above; what is linked to ROM, if @machine is made for that (arm_platform_params.rom);
 * anything else flat at the start of RAM and entered there. Returns as arm_image_plan().
 */
int arm_firmware_plan(const struct image_file *img, const struct machine *machine,
		      struct image_plan *plan) LKVM_MUST_CHECK;

#endif
