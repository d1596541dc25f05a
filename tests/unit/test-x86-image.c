// SPDX-License-Identifier: GPL-2.0-only
#include "x86/image.h"

#include <errno.h>

#include "tests/unit/image-util.h"
#include "tests/unit/test.h"

#define SECTS      3
#define CODE       ((SECTS + 1) * 512)
#define CODE_BYTES 4096
#define BZ_BYTES   (CODE + CODE_BYTES)

/* The setup header of a Linux 6.12 bzImage: protocol 2.15, relocatable. */
static void make_bzimage(uint8_t *buf)
{
	util_pattern(buf, BZ_BYTES, 21);
	memset(buf + 0x1f1, 0, 0x26c - 0x1f1);
	buf[0x1f1] = SECTS;
	put_le32(buf + 0x1f4, CODE_BYTES / 16);
	put_le16(buf + 0x1fe, 0xaa55);
	put_le16(buf + 0x200, 0x6aeb);
	memcpy(buf + 0x202, "HdrS", 4);
	put_le16(buf + 0x206, 0x020f);
	buf[0x211] = 1;
	put_le32(buf + 0x22c, 0x7fffffff);
	put_le32(buf + 0x230, MIB(2));
	buf[0x234] = 1;
	buf[0x235] = 21;
	put_le16(buf + 0x236, 0x7f);
	put_le32(buf + 0x238, 2047);
	put_le64(buf + 0x258, MIB(16));
	put_le32(buf + 0x260, 0x37dd000);
}

static void test_bzimage(void)
{
	struct machine m = util_machine(0, MIB(256));
	uint8_t buf[BZ_BYTES + 100];
	struct image_plan plan;

	make_bzimage(buf);
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), 0);
	CHECK_STR(plan.format, "x86 bzImage");
	CHECK_EQ(plan.segments[0].file_offset, CODE);
	CHECK_EQ(plan.segments[0].file_bytes, CODE_BYTES);
	CHECK_EQ(plan.segments[0].mem_bytes, CODE_BYTES);
	CHECK_EQ(plan.segments[0].gpa, MIB(16));
	CHECK_EQ(plan.entry, MIB(16) + 0x200);
	CHECK_EQ(plan.start, MIB(16));
	CHECK_EQ(plan.size_bytes, 0x37dd000);
	CHECK_EQ(plan.arch[X86_IMAGE_PROTOCOL], X86_BOOT_LINUX64);
	CHECK_EQ(plan.arch[X86_IMAGE_SETUP_OFFSET], 0x1f1);
	CHECK_EQ(plan.arch[X86_IMAGE_SETUP_BYTES], 0x26c - 0x1f1);
	CHECK_EQ(plan.arch[X86_IMAGE_INITRD_LIMIT], 0);

	/* An initrd that has to stay below. */
	put_le16(buf + 0x236, 1);
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), 0);
	CHECK_EQ(plan.arch[X86_IMAGE_INITRD_LIMIT], 0x80000000);
	put_le32(buf + 0x22c, UINT32_MAX);
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), 0);
	CHECK_EQ(plan.arch[X86_IMAGE_INITRD_LIMIT], GIB(4));

	/* A signature behind the kernel is not loaded. */
	make_bzimage(buf);
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES + 100, &m, &plan), 0);
	CHECK_EQ(plan.segments[0].file_bytes, CODE_BYTES);
	/* syssize rounds up. */
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES - 15, &m, &plan), 0);
	CHECK_EQ(plan.segments[0].file_bytes, CODE_BYTES - 15);
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES - 16, &m, &plan), -EINVAL);
	CHECK(util_said("truncated"));

	/* init_size below what is loaded; no preferred address. */
	put_le32(buf + 0x260, 1);
	put_le64(buf + 0x258, 0);
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), 0);
	CHECK_EQ(plan.start, MIB(1));
	CHECK_EQ(plan.size_bytes, CODE_BYTES);
	buf[0x234] = 0;
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), -EINVAL);
	CHECK(util_said("below 1 MiB"));
}

static void test_bzimage_memory(void)
{
	struct machine m = util_machine(0, MIB(16) + 0x37dd000);
	uint8_t buf[BZ_BYTES];
	struct image_plan plan;

	make_bzimage(buf);
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), 0);
	m.ram[0].size_bytes--;
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), -ENOMEM);
	CHECK(util_said("takes 55.9 MiB of memory at 0x1000000"));
	CHECK(util_said("(-m)"));
}

static void test_bzimage_hostile(void)
{
	static const uint64_t addresses[] = { MIB(256), 1ull << 40, 1ull << 63, UINT64_MAX - 4096, UINT64_MAX };
	struct machine m = util_machine(0, MIB(256));
	uint8_t buf[BZ_BYTES];
	struct image_plan plan;

	for (unsigned int i = 0; i < ARRAY_SIZE(addresses); i++) {
		make_bzimage(buf);
		put_le64(buf + 0x258, addresses[i]);
		CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), -ENOMEM);
	}
	make_bzimage(buf);
	put_le32(buf + 0x260, UINT32_MAX);
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), -ENOMEM);
	make_bzimage(buf);
	buf[0x1f1] = 0xff;
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), -EINVAL);
	/* 0 means 4. */
	make_bzimage(buf);
	buf[0x1f1] = 0;
	put_le32(buf + 0x1f4, 0);
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), 0);
	CHECK_EQ(plan.segments[0].file_offset, 5 * 512);
	make_bzimage(buf);
	put_le32(buf + 0x1f4, UINT32_MAX);
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), -EINVAL);
	CHECK(util_said("truncated"));
	/* A header that ends before what is read of it, or behind the file. */
	make_bzimage(buf);
	buf[0x201] = 0x10;
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), -EINVAL);
	CHECK(util_said("impossible length"));

	make_bzimage(buf);
	put_le16(buf + 0x206, 0x020b);
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), -EINVAL);
	CHECK(util_said("boot protocol 2.11"));
	make_bzimage(buf);
	put_le16(buf + 0x236, 0x7e);
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), -EINVAL);
	CHECK(util_said("32-bit kernel"));
	make_bzimage(buf);
	buf[0x211] = 0;
	CHECK_EQ(util_plan(x86_image_plan, buf, BZ_BYTES, &m, &plan), -EINVAL);
	CHECK(util_said("zImage"));

	make_bzimage(buf);
	for (size_t len = 0; len < 0x206; len++)
		CHECK_EQ(util_plan(x86_image_plan, buf, len, &m, &plan), -ENOEXEC);
	for (size_t len = 0x206; len < BZ_BYTES - 16; len += len < 0x300 ? 1 : 37)
		CHECK_EQ(util_plan(x86_image_plan, buf, len, &m, &plan), -EINVAL);
}

/* Linux's vmlinux: p_paddr physical, e_entry physical too, and PVH's entry in a note. */
static struct util_elf vmlinux(void)
{
	return (struct util_elf){
		.is64 = true, .type = 2, .machine = 62, .entry = MIB(16), .nr = 3,
		.segments = {
			{ 1, 0x1000, 0xffffffff81000000, MIB(16), 0x400, 0x400, 0x200000 },
			{ 1, 0x1400, 0xffffffff82000000, MIB(32), 0x200, 0x100000, 0x200000 },
			{ 4, 0x1600, 0xffffffff81000200, MIB(16) + 0x200, 0x18, 0x18, 4 },
		},
	};
}

static void make_note(uint8_t *p, uint32_t type, uint32_t desc_bytes, uint64_t entry)
{
	put_le32(p, 4);
	put_le32(p + 4, desc_bytes);
	put_le32(p + 8, type);
	memcpy(p + 12, "Xen", 4);
	put_le64(p + 16, entry);
}

static void test_elf(void)
{
	struct machine m = util_machine(0, MIB(256));
	struct util_elf e = vmlinux();
	static uint8_t buf[0x1800];
	struct image_plan plan;

	util_elf(&e, buf);
	CHECK_EQ(util_plan(x86_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, MIB(16));
	CHECK_EQ(plan.arch[X86_IMAGE_PROTOCOL], X86_BOOT_ELF64);
	CHECK_EQ(plan.size_bytes, MIB(17));
	CHECK_EQ(plan.arch[X86_IMAGE_SETUP_BYTES], 0);

	make_note(buf + 0x1600, 18, 8, MIB(16) + 0x100);
	CHECK_EQ(util_plan(x86_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, MIB(16) + 0x100);
	CHECK_EQ(plan.arch[X86_IMAGE_PROTOCOL], X86_BOOT_PVH);
	make_note(buf + 0x1600, 18, 4, MIB(16) + 0x180);
	CHECK_EQ(util_plan(x86_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, MIB(16) + 0x180);
	/* Entries that can't be. */
	make_note(buf + 0x1600, 18, 8, MIB(1));
	CHECK_EQ(util_plan(x86_image_plan, buf, sizeof(buf), &m, &plan), -EINVAL);
	make_note(buf + 0x1600, 18, 8, UINT64_MAX);
	CHECK_EQ(util_plan(x86_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.arch[X86_IMAGE_PROTOCOL], X86_BOOT_ELF64);
	make_note(buf + 0x1600, 18, 2, MIB(16));
	CHECK_EQ(util_plan(x86_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.arch[X86_IMAGE_PROTOCOL], X86_BOOT_ELF64);

	/* Firmware may be ELF as well. */
	CHECK_EQ(util_plan(x86_firmware_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, MIB(16));
	/* Not where RAM is: it can't be moved. */
	m.ram[0].size_bytes = MIB(33) - 1;
	CHECK_EQ(util_plan(x86_image_plan, buf, sizeof(buf), &m, &plan), -ENOMEM);
}

static void test_elf32(void)
{
	struct machine m = util_machine(0, MIB(256));
	struct util_elf e = vmlinux();
	static uint8_t buf[0x1800];
	struct image_plan plan;

	e.is64 = false;
	e.machine = 3;
	for (unsigned int i = 0; i < e.nr; i++)
		e.segments[i].vaddr &= UINT32_MAX;
	util_elf(&e, buf);
	CHECK_EQ(util_plan(x86_image_plan, buf, sizeof(buf), &m, &plan), -EINVAL);
	CHECK(util_said("without a PVH entry point"));
	make_note(buf + 0x1600, 18, 4, MIB(16) + 4);
	CHECK_EQ(util_plan(x86_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.arch[X86_IMAGE_PROTOCOL], X86_BOOT_PVH);
	CHECK_EQ(plan.entry, MIB(16) + 4);
}

static void test_flat(void)
{
	struct machine m = util_machine(0, MIB(2));
	uint8_t buf[1000];
	struct image_plan plan;

	util_pattern(buf, sizeof(buf), 9);
	CHECK_EQ(util_plan(x86_firmware_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, X86_FLAT_BASE);
	CHECK_EQ(plan.arch[X86_IMAGE_PROTOCOL], X86_BOOT_FLAT);
	CHECK_EQ(util_plan(x86_image_plan, buf, sizeof(buf), &m, &plan), -ENOEXEC);
	CHECK(util_said("is not an x86 bzImage or ELF vmlinux"));
	m.ram[0].size_bytes = MIB(1) + 999;
	CHECK_EQ(util_plan(x86_firmware_plan, buf, sizeof(buf), &m, &plan), -ENOMEM);
}

const struct test x86_image_tests[] = {
	{ "bzimage", test_bzimage },
	{ "bzimage_memory", test_bzimage_memory },
	{ "bzimage_hostile", test_bzimage_hostile },
	{ "elf", test_elf },
	{ "elf32", test_elf32 },
	{ "flat", test_flat },
	{ 0 },
};
