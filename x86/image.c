// SPDX-License-Identifier: GPL-2.0-only
#include "x86/image.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "lkvm/log.h"

/* The setup header: Linux Documentation/arch/x86/boot.rst. Fields are little-endian. */
#define BZ_SETUP_SECTS      0x1f1
#define BZ_SYSSIZE          0x1f4 /* of the protected-mode code, in 16 bytes */
#define BZ_JUMP_DISTANCE    0x201 /* from 0x202 to the end of the header */
#define BZ_MAGIC            0x202 /* "HdrS" */
#define BZ_VERSION          0x206
#define BZ_LOADFLAGS        0x211
#define BZ_INITRD_ADDR_MAX  0x22c
#define BZ_RELOCATABLE      0x234
#define BZ_XLOADFLAGS       0x236
#define BZ_PREF_ADDRESS     0x258
#define BZ_INIT_SIZE        0x260
#define BZ_HEADER_END       0x264 /* of what is read here */

#define BZ_SECTOR_BYTES     512
#define BZ_DEFAULT_SECTS    4     /* where setup_sects is 0 */
#define BZ_MIN_VERSION      0x020c /* the first with xloadflags: Linux 3.8 */
#define BZ_LOADED_HIGH      (1 << 0)
#define BZ_XLF_KERNEL_64    (1 << 0)
#define BZ_XLF_ABOVE_4G     (1 << 1)
#define BZ_ENTRY64          0x200 /* of the 64-bit entry in the protected-mode code */
#define BZ_LOW_LIMIT        MIB(1)

/* xen/include/public/elfnote.h: the address at which PVH enters, 32 or 64 bits wide. */
#define XEN_NOTE_NAME         "Xen"
#define XEN_NOTE_PHYS32_ENTRY 18

static bool x86_is_bzimage(const struct image_file *img)
{
	return img->size_bytes >= BZ_MAGIC + 4 && !memcmp(img->data + BZ_MAGIC, "HdrS", 4);
}

/* What must be right in a bzImage's header for its 64-bit entry. 0 or -EINVAL (reported). */
static int x86_check_bzimage(const struct image_file *img)
{
	uint16_t version;

	if (img->size_bytes < BZ_HEADER_END) {
		log_error("%s is truncated: the setup header of a bzImage is cut off", img->path);
		return -EINVAL;
	}
	version = get_le16(img->data + BZ_VERSION);
	if (version < BZ_MIN_VERSION) {
		log_error("%s is a bzImage of boot protocol %u.%02u, and lkvm needs 2.12 (Linux 3.8 or newer)",
			  img->path, version >> 8, version & 0xff);
		return -EINVAL;
	}
	if (!(get_le16(img->data + BZ_XLOADFLAGS) & BZ_XLF_KERNEL_64)) {
		log_error("%s is a bzImage of a 32-bit kernel, and lkvm boots 64-bit ones", img->path);
		return -EINVAL;
	}
	if (!(img->data[BZ_LOADFLAGS] & BZ_LOADED_HIGH)) {
		log_error("%s is a zImage that wants to run below 1 MiB, and lkvm boots bzImages",
			  img->path);
		return -EINVAL;
	}
	return 0;
}

static int x86_plan_bzimage(const struct image_file *img, const struct machine *machine,
			    struct image_plan *plan)
{
	uint64_t sects, code_offset, code_bytes, sys_bytes, header_end;
	struct image_segment *seg;
	uint16_t xloadflags;
	int ret;

	ret = x86_check_bzimage(img);
	if (ret)
		return ret;
	sects = img->data[BZ_SETUP_SECTS] ? img->data[BZ_SETUP_SECTS] : BZ_DEFAULT_SECTS;
	code_offset = (sects + 1) * BZ_SECTOR_BYTES;
	sys_bytes = (uint64_t)get_le32(img->data + BZ_SYSSIZE) * 16;
	/* syssize rounds up to 16 bytes, which not every build pads. */
	if (code_offset + BZ_ENTRY64 >= img->size_bytes ||
	    sys_bytes > align_up(img->size_bytes - code_offset, 16)) {
		log_error("%s is truncated: its bzImage header announces %" PRIu64 " bytes, and it has %" PRIu64,
			  img->path, code_offset + sys_bytes, img->size_bytes);
		return -EINVAL;
	}
	/* What follows syssize is not the kernel's: a signature, for instance. */
	code_bytes = img->size_bytes - code_offset;
	if (sys_bytes && sys_bytes < code_bytes)
		code_bytes = sys_bytes;

	image_plan_flat(img, "x86 bzImage", get_le64(img->data + BZ_PREF_ADDRESS), plan);
	/*
	 * A relocatable kernel can be entered anywhere, but still unpacks itself to pref_address or
	 * above: other places need no less memory.
	 */
	if (plan->start < BZ_LOW_LIMIT && !img->data[BZ_RELOCATABLE]) {
		log_error("%s: its bzImage header wants %#" PRIx64 ", below 1 MiB, for the kernel",
			  img->path, plan->start);
		return -EINVAL;
	}
	plan->start = MAX(plan->start, BZ_LOW_LIMIT);
	seg = &plan->segments[0];
	seg->file_offset = code_offset;
	seg->file_bytes = code_bytes;
	seg->mem_bytes = code_bytes;
	seg->gpa = plan->start;
	plan->entry = plan->start + BZ_ENTRY64;
	plan->size_bytes = MAX(code_bytes, get_le32(img->data + BZ_INIT_SIZE));

	plan->arch[X86_IMAGE_PROTOCOL] = X86_BOOT_LINUX64;
	header_end = BZ_MAGIC + img->data[BZ_JUMP_DISTANCE];
	if (header_end < BZ_HEADER_END || header_end > img->size_bytes) {
		log_error("%s: its bzImage setup header has an impossible length of %" PRIu64 " bytes",
			  img->path, header_end - BZ_SETUP_SECTS);
		return -EINVAL;
	}
	plan->arch[X86_IMAGE_SETUP_OFFSET] = BZ_SETUP_SECTS;
	plan->arch[X86_IMAGE_SETUP_BYTES] = header_end - BZ_SETUP_SECTS;
	xloadflags = get_le16(img->data + BZ_XLOADFLAGS);
	if (!(xloadflags & BZ_XLF_ABOVE_4G))
		plan->arch[X86_IMAGE_INITRD_LIMIT] =
			(uint64_t)get_le32(img->data + BZ_INITRD_ADDR_MAX) + 1;
	return image_plan_check(img, machine, plan);
}

/* The entry point for PVH, if the file has one. */
static bool x86_pvh_entry(const struct image_file *img, gpa_t *entry)
{
	uint32_t desc_bytes;
	const uint8_t *desc;

	if (image_elf_note(img, XEN_NOTE_NAME, XEN_NOTE_PHYS32_ENTRY, &desc, &desc_bytes))
		return false;
	if (desc_bytes != 4 && desc_bytes != 8)
		return false;
	*entry = get_le(desc, desc_bytes);
	/* 32-bit code. A note that says otherwise is not for us. */
	return *entry <= UINT32_MAX;
}

static int x86_plan_elf(const struct image_file *img, const struct machine *machine,
			struct image_plan *plan)
{
	bool is32 = image_elf_machine(img) == EM_386;
	gpa_t pvh;
	int ret;

	/* Not movable: neither kind of entry code finds out where it is. */
	ret = image_plan_elf(img, is32 ? EM_386 : EM_X86_64, 0, plan);
	if (ret)
		return ret;
	plan->format = "ELF vmlinux";
	/* Either way the initrd's address goes through a 32-bit field, or may. */
	plan->arch[X86_IMAGE_INITRD_LIMIT] = GIB(4);
	plan->arch[X86_IMAGE_PROTOCOL] = X86_BOOT_ELF64;
	if (x86_pvh_entry(img, &pvh)) {
		plan->format = "ELF vmlinux (PVH)";
		plan->entry = pvh;
		plan->arch[X86_IMAGE_PROTOCOL] = X86_BOOT_PVH;
	} else if (is32) {
		log_error("%s is a 32-bit ELF file without a PVH entry point: lkvm has no way to enter it",
			  img->path);
		return -EINVAL;
	}
	return image_plan_check(img, machine, plan);
}

int x86_image_plan(const struct image_file *img, const struct machine *machine, struct image_plan *plan)
{
	if (image_is_elf(img))
		return x86_plan_elf(img, machine, plan);
	if (x86_is_bzimage(img))
		return x86_plan_bzimage(img, machine, plan);
	return image_refuse(img, "an x86 bzImage or ELF vmlinux");
}

int x86_firmware_plan(const struct image_file *img, const struct machine *machine,
		      struct image_plan *plan)
{
	if (image_is_elf(img))
		return x86_plan_elf(img, machine, plan);
	image_plan_flat(img, "flat firmware", X86_FLAT_BASE, plan);
	plan->arch[X86_IMAGE_PROTOCOL] = X86_BOOT_FLAT;
	return image_plan_check(img, machine, plan);
}
