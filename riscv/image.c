// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/image.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "lkvm/log.h"
#include "lkvm/size.h"

/* Linux Documentation/arch/riscv/boot-image-header.rst. Fields are little-endian. */
#define RISCV_IMAGE_HEADER_BYTES 64
#define RISCV_IMAGE_TEXT_OFFSET  8
#define RISCV_IMAGE_SIZE         16
#define RISCV_IMAGE_FLAGS        24
#define RISCV_IMAGE_MAGIC_OFF    48 /* "RISCV\0\0\0", deprecated since header version 0.2 */
#define RISCV_IMAGE_MAGIC2_OFF   56 /* "RSC\x05" */
#define RISCV_IMAGE_FLAG_BE      (1 << 0)

/* Linux Documentation/arch/riscv/boot.rst: a 64-bit kernel lies at a PMD boundary. */
#define RISCV_KERNEL_ALIGN MIB(2)
/* The text_offset that Linux gives its 64-bit Images, for ELF files, which don't tell. */
#define RISCV_ELF_OFFSET MIB(2)

static gpa_t riscv_kernel_base(const struct machine *machine)
{
	return machine->nr_ram ? align_up(machine->ram[0].base, RISCV_KERNEL_ALIGN) : 0;
}

static bool riscv_is_image(const struct image_file *img)
{
	return img->size_bytes >= RISCV_IMAGE_HEADER_BYTES &&
	       (!memcmp(img->data + RISCV_IMAGE_MAGIC2_OFF, "RSC\x05", 4) ||
		!memcmp(img->data + RISCV_IMAGE_MAGIC_OFF, "RISCV\0\0\0", 8));
}

static int riscv_plan_image(const struct image_file *img, const struct machine *machine,
			    struct image_plan *plan)
{
	uint64_t text_offset = get_le64(img->data + RISCV_IMAGE_TEXT_OFFSET);
	uint64_t image_size = get_le64(img->data + RISCV_IMAGE_SIZE);
	uint64_t flags = get_le64(img->data + RISCV_IMAGE_FLAGS);
	uint64_t base = riscv_kernel_base(machine);
	char size[SIZE_TEXT_BYTES];

	if (flags & RISCV_IMAGE_FLAG_BE) {
		log_error("%s is a big-endian riscv Image, and riscv64 guests are little-endian",
			  img->path);
		return -EINVAL;
	}
	/* Neither is larger than any RAM; so that no sum below can wrap. */
	if (text_offset > INT64_MAX - base || image_size > (uint64_t)INT64_MAX - base - text_offset) {
		log_error("%s: its riscv Image header is damaged (text_offset %#" PRIx64 ", image_size %#" PRIx64 ")",
			  img->path, text_offset, image_size);
		return -EINVAL;
	}
	/*
	 * image_size counts the BSS, so that a file is smaller than it. How much smaller is written
	 * nowhere: a truncated file shows only when nothing follows the header.
	 */
	if (img->size_bytes <= RISCV_IMAGE_HEADER_BYTES) {
		log_error("%s is truncated: %s of a riscv Image", img->path,
			  size_text(size, img->size_bytes));
		return -EINVAL;
	}
	image_plan_flat(img, "riscv Image", base + text_offset, plan);
	/* More than image_size means that something was appended, a signature for instance. */
	plan->size_bytes = MAX(image_size, img->size_bytes);
	plan->segments[0].mem_bytes = plan->size_bytes;
	return image_plan_check(img, machine, plan);
}

static int riscv_plan_elf(const struct image_file *img, const struct machine *machine,
			  struct image_plan *plan)
{
	int ret;

	if (image_elf_machine(img) == EM_RISCV && image_elf_bits(img) == 32) {
		log_error("%s is a 32-bit RISC-V ELF file, and this guest is riscv64", img->path);
		return -EINVAL;
	}
	ret = image_plan_elf_movable(img, EM_RISCV, machine,
				     riscv_kernel_base(machine) + RISCV_ELF_OFFSET,
				     RISCV_KERNEL_ALIGN, plan);
	if (!ret && plan->big_endian) {
		log_error("%s is a big-endian kernel, and KVM's riscv64 guests are little-endian", img->path);
		return -EINVAL;
	}
	return ret;
}

int riscv_image_plan(const struct image_file *img, const struct machine *machine,
		     struct image_plan *plan)
{
	if (riscv_is_image(img))
		return riscv_plan_image(img, machine, plan);
	if (image_is_elf(img))
		return riscv_plan_elf(img, machine, plan);
	return image_refuse(img, "a riscv64 Image or ELF vmlinux");
}

int riscv_firmware_plan(const struct image_file *img, const struct machine *machine,
			struct image_plan *plan)
{
	if (image_is_elf(img))
		return riscv_plan_elf(img, machine, plan);
	image_plan_flat(img, "flat firmware", machine->nr_ram ? machine->ram[0].base : 0, plan);
	return image_plan_check(img, machine, plan);
}
