// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/image.h"

#include <elf.h>
#include <errno.h>

#include "lkvm/byteorder.h"
#include "lkvm/log.h"
#include "lkvm/unpack.h"

/* U-Boot include/image.h: ih_arch, ih_os and ih_type. */
#define UIMAGE_ARCH_PPC    7
#define UIMAGE_OS_LINUX    5
#define UIMAGE_TYPE_KERNEL 2

/*
 * Neither uImage nor flat files tell how much BSS follows them. Twice what a 32-bit kernel with all
 * debugging options has.
 */
#define PPC_UNKNOWN_BSS MIB(16)

/*
 * With what Linux begins, in a flat file (vmlinux.bin) too: a no-op in the 32-bit kernels
 * (arch/powerpc/kernel/head_85xx.S), "tdi 0,0,0x48" in the 64-bit ones (FIXUP_ENDIAN in
 * arch/powerpc/include/asm/ppc_asm.h), which reads as a branch in the wrong byte order.
 */
#define PPC_FIRST_NOP    0x60000000u
#define PPC_FIRST_TDI_BE 0x08000048u
#define PPC_FIRST_TDI_LE 0x48000008u /* as a big-endian word */

/* A movable kernel starts at a 64 KiB boundary (Linux arch/powerpc/kernel/head_64.S). */
#define PPC_KERNEL_ALIGN KIB(64)

static gpa_t ppc_ram_base(const struct machine *machine)
{
	return machine->nr_ram ? machine->ram[0].base : 0;
}

/* Keeps the rest of RAM, up to PPC_UNKNOWN_BSS of it, free behind the image. */
static void ppc_reserve_bss(const struct machine *machine, struct image_plan *plan)
{
	for (unsigned int i = 0; i < machine->nr_ram; i++) {
		const struct machine_range *ram = &machine->ram[i];

		if (range_within(plan->start, plan->size_bytes, ram->base, ram->size_bytes))
			plan->size_bytes += MIN(PPC_UNKNOWN_BSS, ram->base + ram->size_bytes -
							plan->start - plan->size_bytes);
	}
}

/*
 * A wrapper of 64 bits is linked to 0 and runs wherever it is put (zImage.pseries), but unpacks the kernel to 0:
 * it must be out of that one's way (Linux arch/powerpc/boot/main.c, prep_kernel()). Half-way up both have room.
 */
#define PPC_WRAPPER_MAX_BASE MIB(256)

static int ppc_move_wrapper(const struct image_file *img, const struct machine *machine, uint16_t elf_machine,
			    struct image_plan *plan)
{
	uint64_t half = machine->nr_ram ? machine->ram[0].size_bytes / 2 : 0;
	int ret;

	ret = image_plan_elf(img, elf_machine, align_down(MIN(half, PPC_WRAPPER_MAX_BASE), PPC_KERNEL_ALIGN), plan);
	return ret ? ret : image_plan_check(img, machine, plan);
}

static int ppc_plan_elf(const struct image_file *img, const struct machine *machine,
			struct image_plan *plan)
{
	uint16_t elf_machine = image_elf_machine(img) == EM_PPC ? EM_PPC : EM_PPC64;
	unsigned int bits = image_elf_bits(img);
	uint64_t entry;
	int ret;

	ret = image_plan_elf_movable(img, elf_machine, machine, ppc_ram_base(machine),
				     PPC_KERNEL_ALIGN, plan);
	if (ret)
		return ret;
	/*
	 * A kernel is linked to its virtual address, in the upper half; e_entry is within the
	 * checked header.
	 */
	if (bits == 64)
		entry = plan->big_endian ? get_be64(img->data + offsetof(Elf64_Ehdr, e_entry))
					 : get_le64(img->data + offsetof(Elf64_Ehdr, e_entry));
	else
		entry = plan->big_endian ? get_be32(img->data + offsetof(Elf32_Ehdr, e_entry))
					 : get_le32(img->data + offsetof(Elf32_Ehdr, e_entry));
	if (!(entry >> (bits - 1))) {
		if (bits == 64 && plan->start == ppc_ram_base(machine))
			ret = ppc_move_wrapper(img, machine, elf_machine, plan);
		plan->arch[PPC_IMAGE_WRAPPER] = 1;
		plan->format = "ELF zImage";
	}
	plan->arch[PPC_IMAGE_BITS] = bits;
	return ret;
}

static int ppc_plan_uimage(const struct image_file *img, const struct machine *machine,
			   struct image_plan *plan)
{
	char cause[UNPACK_CAUSE_BYTES] = "";
	int ret;

	ret = uimage_check(img->data, img->size_bytes, cause);
	if (ret) {
		log_error("%s: %s", img->path, cause);
		return ret;
	}
	if (img->data[UIMAGE_OFF_ARCH] != UIMAGE_ARCH_PPC ||
	    img->data[UIMAGE_OFF_OS] != UIMAGE_OS_LINUX ||
	    img->data[UIMAGE_OFF_TYPE] != UIMAGE_TYPE_KERNEL) {
		log_error("%s is a uImage, but not of a Linux kernel for powerpc (architecture %u, OS %u, type %u)",
			  img->path, img->data[UIMAGE_OFF_ARCH], img->data[UIMAGE_OFF_OS],
			  img->data[UIMAGE_OFF_TYPE]);
		return -EINVAL;
	}
	/* image_open() has unpacked what it could. */
	if (img->data[UIMAGE_OFF_COMP] != UIMAGE_COMP_NONE) {
		log_error("%s is a uImage that is packed in an unknown way (%u)", img->path,
			  img->data[UIMAGE_OFF_COMP]);
		return -EINVAL;
	}
	image_plan_flat(img, "uImage", get_be32(img->data + UIMAGE_OFF_LOAD), plan);
	plan->segments[0].file_offset = UIMAGE_HEADER_BYTES;
	plan->segments[0].file_bytes = get_be32(img->data + UIMAGE_OFF_SIZE);
	plan->segments[0].mem_bytes = plan->segments[0].file_bytes;
	plan->size_bytes = plan->segments[0].file_bytes;
	plan->entry = get_be32(img->data + UIMAGE_OFF_ENTRY);
	plan->big_endian = true;
	plan->arch[PPC_IMAGE_BITS] = 32;
	ppc_reserve_bss(machine, plan);
	return image_plan_check(img, machine, plan);
}

/* -ENOEXEC, silently, if the file does not begin as a kernel does. */
static int ppc_plan_flat(const struct image_file *img, const struct machine *machine,
			 struct image_plan *plan)
{
	uint32_t first = img->size_bytes >= 4 ? get_be32(img->data) : 0;

	if (first != PPC_FIRST_NOP && first != PPC_FIRST_TDI_BE && first != PPC_FIRST_TDI_LE)
		return -ENOEXEC;
	image_plan_flat(img, "flat vmlinux", ppc_ram_base(machine), plan);
	plan->big_endian = first != PPC_FIRST_TDI_LE;
	plan->arch[PPC_IMAGE_BITS] = first == PPC_FIRST_NOP ? 32 : 64;
	ppc_reserve_bss(machine, plan);
	return image_plan_check(img, machine, plan);
}

int ppc_image_plan(const struct image_file *img, const struct machine *machine, struct image_plan *plan)
{
	int ret;

	if (image_is_elf(img))
		return ppc_plan_elf(img, machine, plan);
	if (img->size_bytes >= 4 && get_be32(img->data) == UIMAGE_MAGIC)
		return ppc_plan_uimage(img, machine, plan);
	ret = ppc_plan_flat(img, machine, plan);
	if (ret != -ENOEXEC)
		return ret;
	return image_refuse(img, "a powerpc ELF vmlinux, zImage, uImage or flat vmlinux");
}

int ppc_firmware_plan(const struct image_file *img, const struct machine *machine,
		      struct image_plan *plan)
{
	if (image_is_elf(img))
		return ppc_plan_elf(img, machine, plan);
	image_plan_flat(img, "flat firmware", ppc_ram_base(machine), plan);
	return image_plan_check(img, machine, plan);
}

int ppc_image_check_width(const struct image_file *img, const struct image_plan *plan, unsigned int bits)
{
	uint64_t wants = plan->arch[PPC_IMAGE_BITS];

	if (!wants || wants == bits || (wants < bits && plan->arch[PPC_IMAGE_WRAPPER]))
		return 0;
	log_error("%s (%s) is for %u-bit PowerPC, and this guest is %u-bit: take a kernel for %s", img->path, plan->format,
		  (unsigned int)wants, bits, bits == 64 ? "pseries" : "e500 (Book E)");
	return -EINVAL;
}
