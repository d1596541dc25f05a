// SPDX-License-Identifier: GPL-2.0-only
#include "arm/image.h"

#include <errno.h>

#include "tests/unit/image-util.h"
#include "tests/unit/test.h"

#define RAM 0x80000000ull

/* The header of a Linux 6.12 Image: text_offset 0, 4 KiB pages, may lie anywhere. */
static void make_image(uint8_t *buf, size_t size)
{
	util_pattern(buf, size, 13);
	memset(buf, 0, 64);
	memcpy(buf, "MZ@\xfa", 4);
	put_le64(buf + 8, 0);
	put_le64(buf + 16, 0x24f0000);
	put_le64(buf + 24, 0xa);
	memcpy(buf + 56, "ARM\x64", 4);
	put_le32(buf + 60, 0x40);
}

static void test_image(void)
{
	struct machine m = util_machine(RAM, MIB(64));
	uint8_t buf[4096];
	struct image_plan plan;

	make_image(buf, sizeof(buf));
	CHECK_EQ(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_STR(plan.format, "arm64 Image");
	CHECK_EQ(plan.entry, RAM);
	CHECK_EQ(plan.start, RAM);
	CHECK_EQ(plan.size_bytes, 0x24f0000);
	CHECK_EQ(plan.segments[0].file_bytes, sizeof(buf));
	CHECK_EQ(plan.segments[0].mem_bytes, 0x24f0000);
	CHECK_EQ(plan.arch[ARM_IMAGE_PAGE_BYTES], 4096);
	CHECK(!plan.big_endian);

	put_le64(buf + 8, 0x80000);
	m.ram[0].base = RAM + 0x1000;
	CHECK_EQ(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, RAM + MIB(2) + 0x80000);

	/* Byte order and page sizes. */
	put_le64(buf + 24, 1 | 2 << 1);
	CHECK_EQ(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK(plan.big_endian);
	CHECK_EQ(plan.arch[ARM_IMAGE_PAGE_BYTES], 16384);
	put_le64(buf + 24, 3 << 1);
	CHECK_EQ(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.arch[ARM_IMAGE_PAGE_BYTES], 65536);
	put_le64(buf + 24, 0);
	CHECK_EQ(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.arch[ARM_IMAGE_PAGE_BYTES], 0);
}

/* Before Linux 3.17: image_size 0, and text_offset of unknown byte order. */
static void test_old_image(void)
{
	struct machine m = util_machine(RAM, MIB(64));
	uint8_t buf[4096];
	struct image_plan plan;

	make_image(buf, sizeof(buf));
	put_le64(buf + 8, 0x0008000000000000);
	put_le64(buf + 16, 0);
	put_le64(buf + 24, 0xff);
	CHECK_EQ(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, RAM + 0x80000);
	CHECK(!plan.big_endian);
	CHECK_EQ(plan.segments[0].mem_bytes, sizeof(buf));
	/* Room for a BSS of unknown size. */
	CHECK(plan.size_bytes > sizeof(buf) + MIB(1));
}

static void test_hostile(void)
{
	static const uint64_t values[] = { 1ull << 31, 1ull << 40, INT64_MAX, 1ull << 63, UINT64_MAX - RAM,
					   UINT64_MAX - 4096, UINT64_MAX };
	struct machine m = util_machine(RAM, MIB(64)), none = { .nr_ram = 0 };
	uint8_t buf[4096];
	struct image_plan plan;

	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		make_image(buf, sizeof(buf));
		put_le64(buf + 8, values[i]);
		CHECK(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan) < 0);
		make_image(buf, sizeof(buf));
		put_le64(buf + 16, values[i]);
		CHECK(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan) < 0);
		put_le64(buf + 8, values[i]);
		CHECK(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan) < 0);
	}
	make_image(buf, sizeof(buf));
	CHECK_EQ(util_plan(arm_image_plan, buf, sizeof(buf), &none, &plan), -ENOMEM);
	m.ram[0].size_bytes = 0x24f0000 - 1;
	CHECK_EQ(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan), -ENOMEM);
	CHECK(util_said("takes 36.9 MiB of memory at 0x80000000"));
	m.ram[0].size_bytes = 0x24f0000;
	CHECK_EQ(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan), 0);
	for (size_t len = 0; len < 64; len++)
		CHECK_EQ(util_plan(arm_image_plan, buf, len, &m, &plan), -ENOEXEC);
	CHECK_EQ(util_plan(arm_image_plan, buf, 64, &m, &plan), -EINVAL);
}

static void test_elf(void)
{
	const uint64_t link = 0xffff800080000000;
	struct machine m = util_machine(RAM, MIB(64));
	struct util_elf e = {
		.is64 = true, .type = 3, .machine = 183, .entry = link, .nr = 2,
		.segments = {
			{ 1, 0x1000, link, link, 0x800, 0x800, 0x10000 },
			{ 1, 0x1800, link + MIB(20), link + MIB(20), 0x800, 0x100000, 0x10000 },
		},
	};
	static uint8_t buf[0x2000];
	struct image_plan plan;

	util_elf(&e, buf);
	CHECK_EQ(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, RAM);
	CHECK_EQ(plan.segments[1].gpa, RAM + MIB(20));
	CHECK_EQ(plan.size_bytes, MIB(21));

	/* Before Linux 5.8, text began 512 KiB into the 2 MiB. */
	for (unsigned int i = 0; i < 2; i++) {
		e.segments[i].vaddr += 0x80000;
		e.segments[i].paddr += 0x80000;
	}
	e.entry += 0x80000;
	util_elf(&e, buf);
	CHECK_EQ(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, RAM + 0x80000);

	e.big_endian = true;
	memset(buf, 0, sizeof(buf));
	util_elf(&e, buf);
	CHECK_EQ(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK(plan.big_endian);
}

static void test_firmware(void)
{
	struct machine m = util_machine(RAM, MIB(1));
	uint8_t buf[1000];
	struct image_plan plan;

	util_pattern(buf, sizeof(buf), 5);
	CHECK_EQ(util_plan(arm_firmware_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, RAM);
	CHECK_EQ(plan.size_bytes, sizeof(buf));
	CHECK_EQ(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan), -ENOEXEC);
	memcpy(buf + 0x24, "\x18\x28\x6f\x01", 4);
	CHECK_EQ(util_plan(arm_image_plan, buf, sizeof(buf), &m, &plan), -ENOEXEC);
	CHECK(util_said("it looks like a 32-bit ARM zImage (an arm64 host runs it, with --aarch32"));
}

static void test_zimage(void)
{
	struct machine m = util_machine(RAM, MIB(64));
	uint8_t buf[1000] = { 0 };
	struct image_plan plan;

	put_le(buf + 0x24, 4, 0x016f2818);
	put_le(buf + 0x2c, 4, sizeof(buf));
	CHECK_EQ(util_plan(arm_zimage_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.start, RAM);
	CHECK_EQ(plan.entry, RAM + MIB(32));
	CHECK_EQ(plan.segments[0].gpa, RAM + MIB(32));
	CHECK_EQ(util_plan(arm_zimage_plan, buf, sizeof(buf) - 1, &m, &plan), -EINVAL);
	CHECK(util_said("truncated or damaged"));
	put_le(buf + 0x28, 4, sizeof(buf));
	CHECK_EQ(util_plan(arm_zimage_plan, buf, sizeof(buf), &m, &plan), -EINVAL);
	put_le(buf + 0x28, 4, 0);
	m = util_machine(RAM, MIB(32));
	CHECK_EQ(util_plan(arm_zimage_plan, buf, sizeof(buf), &m, &plan), -ENOMEM);
	buf[0x24] = 0;
	CHECK_EQ(util_plan(arm_zimage_plan, buf, sizeof(buf), &m, &plan), -ENOEXEC);
	CHECK_EQ(util_plan(arm_zimage_plan, buf, 0x2f, &m, &plan), -ENOEXEC);
	memcpy(buf + 56, "ARM\x64", 4);
	CHECK_EQ(util_plan(arm_zimage_plan, buf, sizeof(buf), &m, &plan), -ENOEXEC);
	CHECK(util_said("leave --aarch32 out"));
}

static bool is_rom(const void *data, size_t size)
{
	struct image_file img;
	bool rom;

	util_image(&img, data, size);
	rom = arm_is_rom_firmware(&img);
	util_image_free(&img);
	return rom;
}

/* U-Boot and edk2 say where they are linked to. */
static void test_rom(void)
{
	struct machine m = util_machine(RAM, MIB(1));
	uint8_t uboot[4096] = { 0 }, edk2[4200] = { 0 };
	struct image_plan plan;
	struct image_file img;

	put_le(uboot, 4, 0x1400000a);
	put_le(uboot + 4, 4, 0xd503201f);
	put_le(uboot + 16, 8, sizeof(uboot));
	put_le(uboot + 24, 8, sizeof(uboot));
	CHECK(is_rom(uboot, sizeof(uboot)));
	CHECK(!is_rom(uboot, 63));
	CHECK(!is_rom(uboot, 64)); /* it ends beyond the file */
	put_le(uboot + 8, 8, RAM);
	CHECK(!is_rom(uboot, sizeof(uboot)));
	put_le(uboot + 8, 8, 0);
	put_le(uboot, 4, 0x9400000a); /* bl */
	CHECK(!is_rom(uboot, sizeof(uboot)));
	put_le(uboot, 4, 0x1400000a);

	put_le(edk2, 4, 0x14000400);
	memcpy(edk2 + 4096 + 40, "_FVH", 4);
	CHECK(is_rom(edk2, sizeof(edk2)));
	CHECK(is_rom(edk2, 4096 + 44));
	CHECK(!is_rom(edk2, 4096 + 43));
	put_le(edk2, 4, 0x17ffffff); /* backwards */
	CHECK(!is_rom(edk2, sizeof(edk2)));

	/* Only a machine that is made for it has ROM. */
	CHECK_EQ(util_plan(arm_firmware_plan, uboot, sizeof(uboot), &m, &plan), 0);
	CHECK_EQ(plan.entry, RAM);
	m.uart.kind = MACHINE_UART_ARCH;
	util_image(&img, uboot, sizeof(uboot));
	CHECK_EQ(arm_firmware_plan(&img, &m, &plan), 0);
	CHECK_EQ(plan.entry, 0);
	CHECK_EQ(plan.size_bytes, sizeof(uboot));
	img.size_bytes = MIB(65);
	test_stderr_begin();
	CHECK_EQ(arm_firmware_plan(&img, &m, &plan), -ENOMEM);
	CHECK(strstr(test_stderr_end(), "ROM has 64 MiB"));
	util_image_free(&img);
}

const struct test arm_image_tests[] = {
	{ "image", test_image },
	{ "old_image", test_old_image },
	{ "hostile", test_hostile },
	{ "elf", test_elf },
	{ "firmware", test_firmware },
	{ "zimage", test_zimage },
	{ "rom", test_rom },
	{ 0 },
};
