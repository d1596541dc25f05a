/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel formats of riscv64: the Image, an ELF vmlinux, and flat firmware. Pure. */
#ifndef RISCV_IMAGE_H
#define RISCV_IMAGE_H

#include "lkvm/image.h"
#include "lkvm/machine.h"

/*
 * Where the kernel @img goes in the first RAM range of @machine. An Image goes to the first 2 MiB
 * boundary plus its text_offset; an ELF file to its physical addresses if they are in RAM, else
 * (Linux's vmlinux is linked to 0 or to its virtual address) as a whole 2 MiB above that boundary,
 * as its Image would. Returns 0, -ENOEXEC, -EINVAL or -ENOMEM, reported.
 */
int riscv_image_plan(const struct image_file *img, const struct machine *machine,
		     struct image_plan *plan) LKVM_MUST_CHECK;

/*
 * Firmware: an ELF file as above, anything else flat at the start of RAM and entered there. Returns
 * as riscv_image_plan().
 */
int riscv_firmware_plan(const struct image_file *img, const struct machine *machine,
			struct image_plan *plan) LKVM_MUST_CHECK;

#endif
