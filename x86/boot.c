// SPDX-License-Identifier: GPL-2.0-only
#include "x86/boot.h"

#include <errno.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "lkvm/log.h"
#include "x86/layout.h"
#include "x86/power.h"

/* Fields of the zero page (Documentation/arch/x86/zero-page.rst; arch/x86/include/uapi/asm/bootparam.h). */
#define ZERO_PAGE_BYTES   4096
#define ZP_ACPI_RSDP      0x070
#define ZP_EXT_RAMDISK    0x0c0 /* high halves of the fields in the setup header */
#define ZP_EXT_RAMDISK_SIZE 0x0c4
#define ZP_EXT_CMDLINE    0x0c8
#define ZP_E820_ENTRIES   0x1e8
#define ZP_VID_MODE       0x1fa
#define ZP_VERSION        0x206
#define ZP_TYPE_OF_LOADER 0x210
#define ZP_LOADFLAGS      0x211
#define ZP_RAMDISK        0x218
#define ZP_RAMDISK_SIZE   0x21c
#define ZP_CMDLINE        0x228
#define ZP_SETUP_DATA     0x250
#define ZP_E820           0x2d0
#define ZP_E820_BYTES     20    /* per entry */

#define VID_MODE_NORMAL   0xffff
#define LOADER_UNDEFINED  0xff
#define VERSION_NO_HEADER 0x020f
#define LOADED_HIGH       (1 << 0)

/* struct setup_data: next, type, length, bytes. */
#define SETUP_DATA_HEADER 16
#define SETUP_RNG_SEED    9

/* struct hvm_start_info, version 1. */
#define PVH_MAGIC         0x336ec578u
#define PVH_INFO_BYTES    56
#define PVH_MODULE_BYTES  32
#define PVH_RANGE_BYTES   24

/* Page table entries: Intel SDM volume 3, §4.5. */
#define PTE_PRESENT  (1u << 0)
#define PTE_WRITE    (1u << 1)
#define PTE_LARGE    (1u << 7)
#define PAGE_BYTES   4096
#define PTES         512

/* Descriptors (SDM volume 3, §3.4.5): flat, present, accessed. */
#define GDT_CODE64 0x00af9b000000ffffull
#define GDT_CODE32 0x00cf9b000000ffffull
#define GDT_DATA   0x00cf93000000ffffull
#define GDT_TSS    0x00008b0000000067ull /* busy, at 0: never used, but VMX wants one */

static void *boot_ptr(struct memory *mem, gpa_t gpa, uint64_t len)
{
	void *p = memory_ptr(mem, gpa, len);

	if (!p)
		log_error("no RAM at 0x%llx for what the guest boots from", (unsigned long long)gpa);
	return p;
}

unsigned int x86_e820(const struct machine *m, struct x86_e820_range out[X86_E820_MAX])
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < m->nr_ram; i++) {
		const struct machine_range *ram = &m->ram[i];

		if (ram->base) {
			out[n++] = (struct x86_e820_range){ ram->base, ram->size_bytes, X86_E820_RAM };
			continue;
		}
		/* The first MiB has PC traditions; from X86_ACPI on it holds our tables. */
		out[n++] = (struct x86_e820_range){ 0, X86_BASE_MEMORY_END, X86_E820_RAM };
		out[n++] = (struct x86_e820_range){ X86_ACPI, X86_HIGH_MEMORY - X86_ACPI,
						    X86_E820_RESERVED };
		out[n++] = (struct x86_e820_range){ X86_HIGH_MEMORY, ram->size_bytes - X86_HIGH_MEMORY,
						    X86_E820_RAM };
		if (m->pci.ecam.size_bytes)
			out[n++] = (struct x86_e820_range){ m->pci.ecam.base, m->pci.ecam.size_bytes,
							    X86_E820_RESERVED };
		out[n++] = (struct x86_e820_range){ X86_KVM_IDENTITY_MAP, X86_KVM_PAGES_BYTES,
						    X86_E820_RESERVED };
	}
	return n;
}

/* @max excludes the NUL. */
static int write_cmdline(struct memory *mem, const char *cmdline, uint64_t max)
{
	size_t len = strlen(cmdline);
	char *p;

	max = MIN(max, X86_BOOT_CMDLINE_MAX - 1);
	if (len > max) {
		log_error("the kernel command line has %zu characters, this kernel takes %llu", len,
			  (unsigned long long)max);
		return -E2BIG;
	}
	p = boot_ptr(mem, X86_BOOT_CMDLINE, len + 1);
	if (!p)
		return -EFAULT;
	memcpy(p, cmdline, len + 1);
	return 0;
}

static int write_rng_seed(struct memory *mem, const struct x86_boot *boot)
{
	uint8_t *p = boot_ptr(mem, X86_BOOT_SETUP_DATA, SETUP_DATA_HEADER + boot->rng_seed_bytes);

	if (!p)
		return -EFAULT;
	put_le64(p, 0); /* the last one */
	put_le32(p + 8, SETUP_RNG_SEED);
	put_le32(p + 12, (uint32_t)boot->rng_seed_bytes);
	memcpy(p + SETUP_DATA_HEADER, boot->rng_seed, boot->rng_seed_bytes);
	return 0;
}

int x86_boot_write_linux(struct memory *mem, const struct x86_boot *boot)
{
	const size_t header_bytes = MIN(boot->setup_header_bytes,
					(size_t)(X86_SETUP_HEADER_MAX - X86_SETUP_HEADER));
	struct x86_e820_range e820[X86_E820_MAX];
	unsigned int nr_e820 = x86_e820(boot->machine, e820);
	uint8_t *zp = boot_ptr(mem, X86_BOOT_PARAMS, ZERO_PAGE_BYTES);
	int ret;

	if (!zp)
		return -EFAULT;
	memset(zp, 0, ZERO_PAGE_BYTES);
	if (header_bytes) {
		memcpy(zp + X86_SETUP_HEADER, boot->setup_header, header_bytes);
	} else {
		/* An ELF file has none: say which protocol this is. */
		memcpy(zp + X86_SETUP_MAGIC, "HdrS", 4);
		put_le16(zp + ZP_VERSION, VERSION_NO_HEADER);
		put_le32(zp + X86_SETUP_CMDLINE_SIZE, X86_BOOT_CMDLINE_MAX - 1);
	}
	ret = write_cmdline(mem, boot->cmdline, get_le32(zp + X86_SETUP_CMDLINE_SIZE));
	if (ret)
		return ret;
	put_le32(zp + ZP_CMDLINE, (uint32_t)X86_BOOT_CMDLINE);
	put_le16(zp + ZP_VID_MODE, VID_MODE_NORMAL);
	zp[ZP_TYPE_OF_LOADER] = LOADER_UNDEFINED;
	zp[ZP_LOADFLAGS] |= LOADED_HIGH;
	if (boot->initrd_bytes) {
		put_le32(zp + ZP_RAMDISK, (uint32_t)boot->initrd);
		put_le32(zp + ZP_RAMDISK_SIZE, (uint32_t)boot->initrd_bytes);
		put_le32(zp + ZP_EXT_RAMDISK, (uint32_t)(boot->initrd >> 32));
		put_le32(zp + ZP_EXT_RAMDISK_SIZE, (uint32_t)(boot->initrd_bytes >> 32));
	}
	put_le64(zp + ZP_ACPI_RSDP, boot->rsdp);
	if (boot->rng_seed) {
		ret = write_rng_seed(mem, boot);
		if (ret)
			return ret;
		put_le64(zp + ZP_SETUP_DATA, X86_BOOT_SETUP_DATA);
	}
	zp[ZP_E820_ENTRIES] = (uint8_t)nr_e820;
	for (unsigned int i = 0; i < nr_e820; i++) {
		uint8_t *e = zp + ZP_E820 + i * ZP_E820_BYTES;

		put_le64(e, e820[i].base);
		put_le64(e + 8, e820[i].size_bytes);
		put_le32(e + 16, e820[i].type);
	}
	return 0;
}

int x86_boot_write_pvh(struct memory *mem, const struct x86_boot *boot)
{
	const size_t modules = PVH_INFO_BYTES, map = PVH_INFO_BYTES + PVH_MODULE_BYTES;
	struct x86_e820_range e820[X86_E820_MAX];
	unsigned int nr_e820 = x86_e820(boot->machine, e820);
	size_t len = map + nr_e820 * PVH_RANGE_BYTES;
	uint8_t *info = boot_ptr(mem, X86_BOOT_PVH_INFO, len);
	int ret;

	if (!info)
		return -EFAULT;
	ret = write_cmdline(mem, boot->cmdline, X86_BOOT_CMDLINE_MAX - 1);
	if (ret)
		return ret;
	memset(info, 0, len);
	put_le32(info, PVH_MAGIC);
	put_le32(info + 4, 1); /* version: it has a memory map */
	put_le64(info + 24, X86_BOOT_CMDLINE);
	put_le64(info + 32, boot->rsdp);
	put_le64(info + 40, X86_BOOT_PVH_INFO + map);
	put_le32(info + 48, nr_e820);
	if (boot->initrd_bytes) {
		put_le32(info + 12, 1);
		put_le64(info + 16, X86_BOOT_PVH_INFO + modules);
		put_le64(info + modules, boot->initrd);
		put_le64(info + modules + 8, boot->initrd_bytes);
	}
	for (unsigned int i = 0; i < nr_e820; i++) {
		uint8_t *e = info + map + i * PVH_RANGE_BYTES;

		put_le64(e, e820[i].base);
		put_le64(e + 8, e820[i].size_bytes);
		put_le32(e + 16, e820[i].type);
	}
	return 0;
}

int x86_boot_write_page_tables(struct memory *mem)
{
	const unsigned int nr_pd = X86_BOOT_MAP_BYTES / GIB(1);
	const gpa_t pdpt = X86_BOOT_PML4 + PAGE_BYTES, pd = pdpt + PAGE_BYTES;
	uint8_t *p = boot_ptr(mem, X86_BOOT_PML4, (2 + nr_pd) * PAGE_BYTES);

	if (!p)
		return -EFAULT;
	/* Guest memory is zero: nothing else needs to be written. */
	put_le64(p, pdpt | PTE_PRESENT | PTE_WRITE);
	p += PAGE_BYTES;
	for (unsigned int i = 0; i < nr_pd; i++)
		put_le64(p + 8 * i, (pd + i * PAGE_BYTES) | PTE_PRESENT | PTE_WRITE);
	p += PAGE_BYTES;
	for (unsigned int i = 0; i < nr_pd * PTES; i++)
		put_le64(p + 8 * i, i * MIB(2) | PTE_PRESENT | PTE_WRITE | PTE_LARGE);
	return 0;
}

int x86_boot_write_gdt(struct memory *mem, bool long_mode)
{
	uint8_t *gdt = boot_ptr(mem, X86_BOOT_GDT, X86_BOOT_GDT_ENTRIES * 8);

	if (!gdt)
		return -EFAULT;
	memset(gdt, 0, X86_BOOT_GDT_ENTRIES * 8);
	put_le64(gdt + X86_BOOT_CS, long_mode ? GDT_CODE64 : GDT_CODE32);
	put_le64(gdt + X86_BOOT_DS, GDT_DATA);
	put_le64(gdt + X86_BOOT_TSS, GDT_TSS);
	return 0;
}

int x86_boot_write_reset_vector(struct memory *mem)
{
	static const uint8_t code[] = {
		0xba, 0x00, 0x00,             /* mov $port, %dx */
		0xb0, X86_POWER_RESET_VALUE,  /* mov $value, %al */
		0xee,                         /* out %al, %dx */
		0xf4,                         /* hlt */
		0xeb, 0xfd,                   /* jmp back to it */
	};
	uint8_t *p = boot_ptr(mem, X86_RESET_VECTOR, sizeof(code));

	if (!p)
		return -EFAULT;
	memcpy(p, code, sizeof(code));
	put_le16(p + 1, X86_PORT_POWER + X86_POWER_RESET);
	return 0;
}
