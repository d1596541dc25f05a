// SPDX-License-Identifier: GPL-2.0-only
#include "arm/image.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arm/layout.h"
#include "lkvm/byteorder.h"
#include "lkvm/log.h"
#include "lkvm/size.h"

/* Linux Documentation/arch/arm64/booting.rst, "Call the kernel image". Fields are little-endian. */
#define ARM_IMAGE_HEADER_BYTES 64
#define ARM_IMAGE_TEXT_OFFSET  8
#define ARM_IMAGE_SIZE         16
#define ARM_IMAGE_FLAGS        24
#define ARM_IMAGE_MAGIC_OFF    56 /* "ARM\x64" */

#define ARM_IMAGE_FLAG_BE        (1 << 0)
#define ARM_IMAGE_FLAG_PAGE(f)   ((unsigned int)((f) >> 1) & 3) /* 0: not told, 1: 4K, 2: 16K, 3: 64K */

/* Where image_size is 0 (before Linux 3.17), text_offset is this, whatever the field says. */
#define ARM_IMAGE_OLD_TEXT_OFFSET 0x80000
/* Such a kernel does not tell how large its BSS is. Linux of that time had less than 2 MiB. */
#define ARM_IMAGE_OLD_BSS MIB(8)

/*
 * A 32-bit zImage: Linux arch/arm/boot/compressed/head.S; where to put it: Documentation/arch/arm/booting.rst,
 * "above 32MiB". It needs some room behind it for its heap and stack.
 */
#define ZIMAGE_HEADER_BYTES 0x30
#define ZIMAGE_MAGIC_OFF    0x24
#define ZIMAGE_MAGIC        0x016f2818u
#define ZIMAGE_START        0x28
#define ZIMAGE_END          0x2c
#define ZIMAGE_OFFSET       MIB(32)
#define ZIMAGE_ROOM         MIB(1)

/* A64 instructions. */
#define A64_NOP      0xd503201fu
#define A64_B        0x14000000u
#define A64_B_OFFSET 0x03ffffffu /* in instructions */

/* Words of U-Boot's start, and where the header of an EFI firmware volume has its signature. */
#define UBOOT_NOP        4
#define UBOOT_TEXT_BASE  8
#define UBOOT_END        16
#define UBOOT_BSS        24
#define EFI_FV_SIGNATURE 40

/* "The Image must be placed text_offset bytes from a 2MB aligned base address". */
#define ARM_KERNEL_ALIGN MIB(2)

static gpa_t arm_kernel_base(const struct machine *machine)
{
	return machine->nr_ram ? align_up(machine->ram[0].base, ARM_KERNEL_ALIGN) : 0;
}

static bool arm_is_image(const struct image_file *img)
{
	return img->size_bytes >= ARM_IMAGE_HEADER_BYTES &&
	       !memcmp(img->data + ARM_IMAGE_MAGIC_OFF, "ARM\x64", 4);
}

static int arm_plan_image(const struct image_file *img, const struct machine *machine,
			  struct image_plan *plan)
{
	uint64_t text_offset = get_le64(img->data + ARM_IMAGE_TEXT_OFFSET);
	uint64_t image_size = get_le64(img->data + ARM_IMAGE_SIZE);
	uint64_t flags = get_le64(img->data + ARM_IMAGE_FLAGS);
	uint64_t base = arm_kernel_base(machine);
	unsigned int page = ARM_IMAGE_FLAG_PAGE(flags);
	char size[SIZE_TEXT_BYTES];

	if (!image_size) {
		text_offset = ARM_IMAGE_OLD_TEXT_OFFSET;
		flags = 0;
		page = 0;
	}
	/* Neither is larger than any RAM; so that no sum below can wrap. */
	if (text_offset > INT64_MAX - base || image_size > (uint64_t)INT64_MAX - base - text_offset) {
		log_error("%s: its arm64 Image header is damaged (text_offset %#" PRIx64 ", image_size %#" PRIx64 ")",
			  img->path, text_offset, image_size);
		return -EINVAL;
	}
	/* How much of image_size is file and how much BSS is written nowhere. */
	if (img->size_bytes <= ARM_IMAGE_HEADER_BYTES) {
		log_error("%s is truncated: %s of an arm64 Image", img->path,
			  size_text(size, img->size_bytes));
		return -EINVAL;
	}
	image_plan_flat(img, "arm64 Image", base + text_offset, plan);
	/* More than image_size means that something was appended, a signature for instance. */
	plan->size_bytes = MAX(image_size, img->size_bytes);
	plan->segments[0].mem_bytes = plan->size_bytes;
	if (!image_size)
		plan->size_bytes += ARM_IMAGE_OLD_BSS;
	plan->big_endian = flags & ARM_IMAGE_FLAG_BE;
	plan->arch[ARM_IMAGE_PAGE_BYTES] = page ? KIB(1) << 2 * page : 0;
	return image_plan_check(img, machine, plan);
}

static int arm_plan_elf(const struct image_file *img, const struct machine *machine,
			struct image_plan *plan)
{
	return image_plan_elf_movable(img, EM_AARCH64, machine, arm_kernel_base(machine),
				      ARM_KERNEL_ALIGN, plan);
}

int arm_image_plan(const struct image_file *img, const struct machine *machine, struct image_plan *plan)
{
	if (arm_is_image(img))
		return arm_plan_image(img, machine, plan);
	if (image_is_elf(img))
		return arm_plan_elf(img, machine, plan);
	return image_refuse(img, "an arm64 Image or ELF vmlinux");
}

int arm_zimage_plan(const struct image_file *img, const struct machine *machine, struct image_plan *plan)
{
	uint64_t base = arm_kernel_base(machine);
	uint32_t start, end;

	if (arm_is_image(img)) {
		log_error("%s is an arm64 Image, and --aarch32 wants a 32-bit ARM zImage: leave --aarch32 out", img->path);
		return -ENOEXEC;
	}
	if (img->size_bytes < ZIMAGE_HEADER_BYTES || get_le32(img->data + ZIMAGE_MAGIC_OFF) != ZIMAGE_MAGIC)
		return image_refuse(img, "a 32-bit ARM zImage, which --aarch32 wants");
	start = get_le32(img->data + ZIMAGE_START);
	end = get_le32(img->data + ZIMAGE_END);
	if (end <= start || end - start > img->size_bytes) {
		log_error("%s is truncated or damaged: %u bytes of zImage in a file of %" PRIu64, img->path, end - start,
			  img->size_bytes);
		return -EINVAL;
	}
	image_plan_flat(img, "32-bit ARM zImage", base + ZIMAGE_OFFSET, plan);
	plan->start = base;
	plan->size_bytes = ZIMAGE_OFFSET + img->size_bytes + ZIMAGE_ROOM;
	return image_plan_check(img, machine, plan);
}

/*
 * U-Boot (arch/arm/cpu/armv8/start.S) begins with a branch, a nop, the address that it is linked to, and two
 * offsets from its start: of its end and of its BSS.
 */
static bool arm_is_rom_u_boot(const struct image_file *img)
{
	uint64_t end = get_le64(img->data + UBOOT_END);

	return get_le32(img->data + UBOOT_NOP) == A64_NOP && get_le64(img->data + UBOOT_TEXT_BASE) == 0 &&
	       end && end <= img->size_bytes && end >= get_le64(img->data + UBOOT_BSS);
}

/*
 * edk2's firmware device begins with a branch to the entry of its first volume, whose header (UEFI PI 1.8, volume
 * 3, §3.2.1) the entry is part of.
 */
static bool arm_is_edk2(const struct image_file *img)
{
	uint64_t volume = (uint64_t)(get_le32(img->data) & A64_B_OFFSET) * 4;

	return img->size_bytes >= EFI_FV_SIGNATURE + 4 && volume <= img->size_bytes - EFI_FV_SIGNATURE - 4 &&
	       !memcmp(img->data + volume + EFI_FV_SIGNATURE, "_FVH", 4);
}

bool arm_is_rom_firmware(const struct image_file *img)
{
	return img->size_bytes >= ARM_IMAGE_HEADER_BYTES && (get_le32(img->data) & ~A64_B_OFFSET) == A64_B &&
	       (arm_is_rom_u_boot(img) || arm_is_edk2(img));
}

static int arm_plan_rom(const struct image_file *img, struct image_plan *plan)
{
	char size[SIZE_TEXT_BYTES], rom[SIZE_TEXT_BYTES];

	if (img->size_bytes > ARM_ROM_BYTES) {
		log_error("%s is %s of firmware, and ROM has %s", img->path, size_text(size, img->size_bytes),
			  size_text(rom, ARM_ROM_BYTES));
		return -ENOMEM;
	}
	image_plan_flat(img, "firmware in ROM", ARM_ROM_BASE, plan);
	return 0;
}

int arm_firmware_plan(const struct image_file *img, const struct machine *machine,
		      struct image_plan *plan)
{
	if (image_is_elf(img))
		return arm_plan_elf(img, machine, plan);
	if (machine->uart.kind == MACHINE_UART_ARCH)
		return arm_plan_rom(img, plan);
	image_plan_flat(img, "flat firmware", machine->nr_ram ? machine->ram[0].base : 0, plan);
	return image_plan_check(img, machine, plan);
}
