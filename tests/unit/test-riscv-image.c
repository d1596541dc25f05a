// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/image.h"

#include <errno.h>

#include "tests/unit/image-util.h"
#include "tests/unit/test.h"

#define RAM 0x80000000ull

/* The header of a Linux 6.12 Image, with an EFI stub: text_offset 2 MiB, image_size 0x1e6b000. */
static void make_image(uint8_t *buf, size_t size)
{
	util_pattern(buf, size, 12);
	memset(buf, 0, 64);
	memcpy(buf, "MZ", 2);
	put_le64(buf + 8, MIB(2));
	put_le64(buf + 16, 0x1e6b000);
	put_le64(buf + 24, 0);
	put_le32(buf + 32, 2); /* version 0.2 */
	memcpy(buf + 48, "RISCV\0\0\0", 8);
	memcpy(buf + 56, "RSC\x05", 4);
	put_le32(buf + 60, 0x40); /* PE header */
}

static void test_image(void)
{
	struct machine m = util_machine(RAM, MIB(64));
	uint8_t buf[4096];
	struct image_plan plan;

	make_image(buf, sizeof(buf));
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_STR(plan.format, "riscv Image");
	CHECK_EQ(plan.nr_segments, 1);
	CHECK_EQ(plan.segments[0].gpa, RAM + MIB(2));
	CHECK_EQ(plan.segments[0].file_bytes, sizeof(buf));
	/* The BSS is zeroed, and nothing else may be put there. */
	CHECK_EQ(plan.segments[0].mem_bytes, 0x1e6b000);
	CHECK_EQ(plan.start, RAM + MIB(2));
	CHECK_EQ(plan.size_bytes, 0x1e6b000);
	CHECK_EQ(plan.entry, RAM + MIB(2));
	CHECK(!plan.big_endian);

	/* RAM that does not start at a 2 MiB boundary. */
	m.ram[0].base = RAM + MIB(1);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, RAM + MIB(4));

	/* Header version 0.1 had the old magic number only. */
	m.ram[0].base = RAM;
	memset(buf + 56, 0, 4);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), 0);
	/* Either one will do. */
	make_image(buf, sizeof(buf));
	memset(buf + 48, 0, 8);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), 0);
	memset(buf + 56, 0, 4);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), -ENOEXEC);
	CHECK(util_said("is not a riscv64 Image or ELF vmlinux"));
}

static void test_image_sizes(void)
{
	struct machine m = util_machine(RAM, MIB(64));
	uint8_t buf[4096];
	struct image_plan plan;

	make_image(buf, sizeof(buf));
	/* Larger than image_size: something was appended. */
	put_le64(buf + 16, 100);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.size_bytes, sizeof(buf));
	put_le64(buf + 16, 0);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.size_bytes, sizeof(buf));
	/* Exactly the RAM, and a byte more. */
	put_le64(buf + 16, MIB(62));
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), 0);
	put_le64(buf + 16, MIB(62) + 1);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), -ENOMEM);
	CHECK(util_said("the guest has 64 MiB of RAM from 0x80000000: give the guest more memory (-m)"));
	put_le64(buf + 8, 0);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, RAM);
}

static void test_image_hostile(void)
{
	static const uint64_t values[] = { 1ull << 31, 1ull << 40, INT64_MAX, 1ull << 63, UINT64_MAX - RAM,
					   UINT64_MAX - RAM - MIB(2), UINT64_MAX - 4096, UINT64_MAX };
	struct machine m = util_machine(RAM, MIB(64)), none = { .nr_ram = 0 };
	uint8_t buf[4096];
	struct image_plan plan;

	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		make_image(buf, sizeof(buf));
		put_le64(buf + 8, values[i]);
		CHECK(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan) < 0);
		make_image(buf, sizeof(buf));
		put_le64(buf + 16, values[i]);
		CHECK(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan) < 0);
		put_le64(buf + 8, values[i]);
		CHECK(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan) < 0);
	}
	make_image(buf, sizeof(buf));
	put_le64(buf + 24, 1);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), -EINVAL);
	CHECK(util_said("big-endian"));
	make_image(buf, sizeof(buf));
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &none, &plan), -ENOMEM);
}

static void test_truncated(void)
{
	struct machine m = util_machine(RAM, MIB(64));
	uint8_t buf[80];
	struct image_plan plan;

	make_image(buf, sizeof(buf));
	for (size_t len = 0; len < 64; len++)
		CHECK_EQ(util_plan(riscv_image_plan, buf, len, &m, &plan), -ENOEXEC);
	CHECK_EQ(util_plan(riscv_image_plan, buf, 64, &m, &plan), -EINVAL);
	CHECK(util_said("truncated"));
	CHECK_EQ(util_plan(riscv_image_plan, buf, 65, &m, &plan), 0);
}

/* Linux's vmlinux, linked to its virtual address, with p_paddr counted from 0 or equal to it. */
static void test_elf(void)
{
	const uint64_t link = 0xffffffff80000000;
	struct machine m = util_machine(RAM, MIB(64));
	struct util_elf e = {
		.is64 = true, .type = 2, .machine = 243, .entry = link, .nr = 2,
		.segments = {
			{ 1, 0x1000, link, 0, 0x800, 0x800, 0x1000 },
			{ 1, 0x1800, link + MIB(12), MIB(12), 0x800, 0x300000, 0x1000 },
		},
	};
	static uint8_t buf[0x2000];
	struct image_plan plan;

	util_elf(&e, buf);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_STR(plan.format, "ELF vmlinux");
	CHECK_EQ(plan.entry, RAM + MIB(2));
	CHECK_EQ(plan.start, RAM + MIB(2));
	CHECK_EQ(plan.segments[1].gpa, RAM + MIB(14));
	CHECK_EQ(plan.size_bytes, MIB(15));

	e.segments[0].paddr = link;
	e.segments[1].paddr = link + MIB(12);
	util_elf(&e, buf);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, RAM + MIB(2));
	CHECK_EQ(plan.segments[1].gpa, RAM + MIB(14));

	/* A bare-metal program linked into RAM stays where it is; it may be firmware too. */
	e.entry = RAM + 0x100;
	for (unsigned int i = 0; i < 2; i++)
		e.segments[i].vaddr = e.segments[i].paddr = RAM + i * MIB(1);
	util_elf(&e, buf);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, RAM + 0x100);
	CHECK_EQ(plan.start, RAM);
	CHECK_EQ(util_plan(riscv_firmware_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.entry, RAM + 0x100);

	e.segments[1].paddr = RAM + MIB(63);
	util_elf(&e, buf);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), -ENOMEM);
	e.is64 = false;
	memset(buf, 0, sizeof(buf));
	util_elf(&e, buf);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), -EINVAL);
	CHECK(util_said("32-bit RISC-V"));
	e.machine = 183;
	util_elf(&e, buf);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), -EINVAL);
	CHECK(util_said("ELF file for arm64"));
}

static void test_firmware(void)
{
	struct machine m = util_machine(RAM, MIB(1));
	uint8_t buf[1000];
	struct image_plan plan;

	util_pattern(buf, sizeof(buf), 5);
	CHECK_EQ(util_plan(riscv_firmware_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_STR(plan.format, "flat firmware");
	CHECK_EQ(plan.entry, RAM);
	CHECK_EQ(plan.size_bytes, sizeof(buf));
	m.ram[0].size_bytes = 999;
	CHECK_EQ(util_plan(riscv_firmware_plan, buf, sizeof(buf), &m, &plan), -ENOMEM);
}

static void test_wrong_files(void)
{
	struct machine m = util_machine(RAM, MIB(64));
	uint8_t buf[0x400] = { 1 };
	struct image_plan plan;

	memcpy(buf + 56, "ARM\x64", 4);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), -ENOEXEC);
	CHECK(util_said("it looks like an arm64 Image (an arm64 host runs it, or give a kernel for this one)"));
	memset(buf, 0, sizeof(buf));
	memcpy(buf + 0x202, "HdrS", 4);
	CHECK_EQ(util_plan(riscv_image_plan, buf, sizeof(buf), &m, &plan), -ENOEXEC);
	CHECK(util_said("it looks like an x86 bzImage"));
}

const struct test riscv_image_tests[] = {
	{ "image", test_image },
	{ "image_sizes", test_image_sizes },
	{ "image_hostile", test_image_hostile },
	{ "truncated", test_truncated },
	{ "elf", test_elf },
	{ "firmware", test_firmware },
	{ "wrong_files", test_wrong_files },
	{ 0 },
};
