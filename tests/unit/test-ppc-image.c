// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/image.h"

#include <errno.h>
#include <string.h>

#include "lkvm/unpack.h"
#include "tests/unit/image-util.h"
#include "tests/unit/test.h"

#define EM_PPC32 20
#define EM_PPC64_ 21

static struct util_elf vmlinux(bool is64, bool big_endian)
{
	uint64_t base = is64 ? 0xc000000000000000 : 0xc0000000;

	return (struct util_elf){
		.is64 = is64, .big_endian = big_endian, .type = 2,
		.machine = is64 ? EM_PPC64_ : EM_PPC32, .entry = base, .nr = 2,
		.segments = {
			{ 1, 0x1000, base, 0, 0x800, 0x900000, 0x10000 },
			{ 4, 0x1400, base + 0x400, 0x400, 0x54, 0x54, 4 },
		},
	};
}

static void test_vmlinux(void)
{
	struct machine m = util_machine(0, MIB(64));

	for (unsigned int variant = 0; variant < 3; variant++) {
		struct util_elf e = vmlinux(variant < 2, variant > 0);
		static uint8_t buf[0x1800];
		struct image_plan plan;

		memset(buf, 0, sizeof(buf));
		util_elf(&e, buf);
		CHECK_EQ(util_plan(ppc_image_plan, buf, sizeof(buf), &m, &plan), 0);
		CHECK_STR(plan.format, "ELF vmlinux");
		CHECK_EQ(plan.entry, 0);
		CHECK_EQ(plan.start, 0);
		CHECK_EQ(plan.size_bytes, 0x900000);
		CHECK_EQ(plan.big_endian, variant > 0);
		CHECK_EQ(plan.arch[PPC_IMAGE_BITS], variant < 2 ? 64 : 32);
		CHECK_EQ(plan.arch[PPC_IMAGE_WRAPPER], 0);
	}
}

/* Each CPU takes its own kind; a 64-bit one boot wrappers of 32 bits, too, and either what does not tell. */
static void test_width(void)
{
	static const struct {
		unsigned int is, wrapper, cpu;
		int ret;
	} rows[] = {
		{ 64, 0, 64, 0 }, { 32, 0, 32, 0 }, { 0, 0, 32, 0 }, { 0, 0, 64, 0 }, { 32, 1, 64, 0 },
		{ 32, 0, 64, -EINVAL }, { 64, 0, 32, -EINVAL }, { 64, 1, 32, -EINVAL },
	};
	const struct image_file img = { .path = "vmlinux" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct image_plan plan = {
			.format = "ELF vmlinux",
			.arch = { [PPC_IMAGE_BITS] = rows[i].is, [PPC_IMAGE_WRAPPER] = rows[i].wrapper },
		};

		test_stderr_begin();
		CHECK_EQ(ppc_image_check_width(&img, &plan, rows[i].cpu), rows[i].ret);
		CHECK_EQ(strstr(test_stderr_end(), "take a kernel for") != NULL, rows[i].ret != 0);
	}
}

/* Debian's kernel for ppc64le: 47 MB in the file, and more in memory. */
static void test_large_vmlinux(void)
{
	struct machine m = util_machine(0, MIB(256));
	struct util_elf e = vmlinux(true, false);
	size_t size = 0x27447ac;
	uint8_t *buf = calloc(1, size);
	struct image_plan plan;

	e.segments[0].offset = 0x10000;
	e.segments[0].file_bytes = 0x27347ac;
	e.segments[0].mem_bytes = 0x287e650;
	util_elf(&e, buf);
	CHECK_EQ(util_plan(ppc_image_plan, buf, size, &m, &plan), 0);
	CHECK_EQ(plan.size_bytes, 0x287e650);
	m.ram[0].size_bytes = MIB(32);
	CHECK_EQ(util_plan(ppc_image_plan, buf, size, &m, &plan), -ENOMEM);
	CHECK(util_said("takes 40.5 MiB of memory at 0"));
	CHECK_EQ(util_plan(ppc_image_plan, buf, size - 1, &m, &plan), -EINVAL);
	CHECK(util_said("truncated"));
	free(buf);
}

/* zImage.pseries: linked to run at 64 MiB, 32-bit and big-endian or 64-bit and little-endian. */
static void test_wrapper(void)
{
	struct machine m = util_machine(0, MIB(128));

	for (unsigned int is64 = 0; is64 < 2; is64++) {
		struct util_elf e = vmlinux(is64, !is64);
		static uint8_t buf[0x1800];
		struct image_plan plan;

		e.segments[0].vaddr = e.segments[0].paddr = MIB(64);
		e.entry = MIB(64) + 0x40;
		memset(buf, 0, sizeof(buf));
		util_elf(&e, buf);
		CHECK_EQ(util_plan(ppc_image_plan, buf, sizeof(buf), &m, &plan), 0);
		CHECK_STR(plan.format, "ELF zImage");
		CHECK_EQ(plan.entry, MIB(64) + 0x40);
		CHECK_EQ(plan.arch[PPC_IMAGE_WRAPPER], 1);
		CHECK_EQ(plan.arch[PPC_IMAGE_BITS], is64 ? 64 : 32);
		CHECK_EQ(util_plan(ppc_firmware_plan, buf, sizeof(buf), &m, &plan), 0);
		CHECK_EQ(plan.entry, MIB(64) + 0x40);
	}
}

/* One that is linked to 0, where it will unpack the kernel. */
static void test_movable_wrapper(void)
{
	static const struct {
		uint64_t ram, base;
	} rows[] = {
		{ MIB(128), MIB(64) }, { MIB(65), MIB(32) + KIB(512) }, { GIB(2), MIB(256) },
	};
	static uint8_t buf[0x1800];

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct machine m = util_machine(0, rows[i].ram);
		struct util_elf e = vmlinux(true, false);
		struct image_plan plan;

		e.segments[0].vaddr = e.segments[0].paddr = 0;
		e.entry = 0x40;
		memset(buf, 0, sizeof(buf));
		util_elf(&e, buf);
		CHECK_EQ(util_plan(ppc_image_plan, buf, sizeof(buf), &m, &plan), 0);
		CHECK_STR(plan.format, "ELF zImage");
		CHECK_EQ(plan.start, rows[i].base);
		CHECK_EQ(plan.entry, rows[i].base + 0x40);
		CHECK_EQ(plan.arch[PPC_IMAGE_WRAPPER], 1);
		CHECK_EQ(plan.arch[PPC_IMAGE_BITS], 64);
	}
}

static void test_elf_wrong(void)
{
	struct machine m = util_machine(0, MIB(64));
	struct util_elf e = vmlinux(true, false);
	static uint8_t buf[0x1800];
	struct image_plan plan;

	e.machine = 62;
	util_elf(&e, buf);
	CHECK_EQ(util_plan(ppc_image_plan, buf, sizeof(buf), &m, &plan), -EINVAL);
	CHECK(util_said("ELF file for x86-64"));
	e = vmlinux(true, false);
	util_elf(&e, buf);
	for (size_t len = 4; len < 64 + 2 * 56; len++)
		CHECK_EQ(util_plan(ppc_image_plan, buf, len, &m, &plan), -EINVAL);
}

/* ---- uImage ---- */

#define PAYLOAD 5000

static size_t make_uimage(uint8_t *buf, uint32_t load, uint32_t entry)
{
	util_pattern(buf + UIMAGE_HEADER_BYTES, PAYLOAD, 3);
	memset(buf, 0, UIMAGE_HEADER_BYTES);
	put_be32(buf, UIMAGE_MAGIC);
	put_be32(buf + UIMAGE_OFF_SIZE, PAYLOAD);
	put_be32(buf + UIMAGE_OFF_LOAD, load);
	put_be32(buf + UIMAGE_OFF_ENTRY, entry);
	put_be32(buf + UIMAGE_OFF_DATA_CRC, uimage_crc32(0, buf + UIMAGE_HEADER_BYTES, PAYLOAD));
	buf[UIMAGE_OFF_OS] = 5;
	buf[UIMAGE_OFF_ARCH] = 7;
	buf[UIMAGE_OFF_TYPE] = 2;
	return UIMAGE_HEADER_BYTES + PAYLOAD;
}

static void seal(uint8_t *buf)
{
	put_be32(buf + UIMAGE_OFF_HEADER_CRC, 0);
	put_be32(buf + UIMAGE_OFF_HEADER_CRC, uimage_crc32(0, buf, UIMAGE_HEADER_BYTES));
}

static void test_uimage(void)
{
	struct machine m = util_machine(0, MIB(64));
	uint8_t buf[UIMAGE_HEADER_BYTES + PAYLOAD];
	size_t n = make_uimage(buf, 0x400000, 0x400010);
	struct image_plan plan;

	seal(buf);
	CHECK_EQ(util_plan(ppc_image_plan, buf, n, &m, &plan), 0);
	CHECK_STR(plan.format, "uImage");
	CHECK_EQ(plan.segments[0].file_offset, 64);
	CHECK_EQ(plan.segments[0].file_bytes, PAYLOAD);
	CHECK_EQ(plan.segments[0].gpa, 0x400000);
	CHECK_EQ(plan.entry, 0x400010);
	CHECK_EQ(plan.arch[PPC_IMAGE_BITS], 32);
	CHECK(plan.big_endian);
	/* Room for the BSS, as far as there is any. */
	CHECK(plan.size_bytes > PAYLOAD + MIB(1));
	m.ram[0].size_bytes = 0x400000 + PAYLOAD;
	CHECK_EQ(util_plan(ppc_image_plan, buf, n, &m, &plan), 0);
	CHECK_EQ(plan.size_bytes, PAYLOAD);
	m.ram[0].size_bytes--;
	CHECK_EQ(util_plan(ppc_image_plan, buf, n, &m, &plan), -ENOMEM);

	m.ram[0].size_bytes = MIB(64);
	for (size_t len = 4; len < n; len += len < 100 ? 1 : 123)
		CHECK_EQ(util_plan(ppc_image_plan, buf, len, &m, &plan), -EINVAL);
	for (size_t i = 4; i < n; i += i < 64 ? 1 : 333) {
		buf[i] ^= 4;
		CHECK_EQ(util_plan(ppc_image_plan, buf, n, &m, &plan), -EINVAL);
		CHECK(util_said("checksum"));
		buf[i] ^= 4;
	}
}

static void test_uimage_hostile(void)
{
	static const struct {
		unsigned int offset;
		uint8_t value;
	} bad[] = {
		{ UIMAGE_OFF_ARCH, 2 }, { UIMAGE_OFF_OS, 4 }, { UIMAGE_OFF_TYPE, 4 }, { UIMAGE_OFF_COMP, 9 },
	};
	struct machine m = util_machine(0, MIB(64));
	uint8_t buf[UIMAGE_HEADER_BYTES + PAYLOAD];
	size_t n = sizeof(buf);
	struct image_plan plan;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		make_uimage(buf, 0, 0);
		buf[bad[i].offset] = bad[i].value;
		seal(buf);
		CHECK_EQ(util_plan(ppc_image_plan, buf, n, &m, &plan), -EINVAL);
	}
	make_uimage(buf, UINT32_MAX, UINT32_MAX);
	seal(buf);
	CHECK_EQ(util_plan(ppc_image_plan, buf, n, &m, &plan), -ENOMEM);
	make_uimage(buf, 0x1000, 0xfff);
	seal(buf);
	CHECK_EQ(util_plan(ppc_image_plan, buf, n, &m, &plan), -EINVAL);
	CHECK(util_said("lies outside of what it loads"));
	make_uimage(buf, 0, 0);
	put_be32(buf + UIMAGE_OFF_SIZE, UINT32_MAX);
	seal(buf);
	CHECK_EQ(util_plan(ppc_image_plan, buf, n, &m, &plan), -EINVAL);
	CHECK(util_said("truncated"));
	make_uimage(buf, 0, 0);
	put_be32(buf + UIMAGE_OFF_SIZE, 0);
	seal(buf);
	CHECK_EQ(util_plan(ppc_image_plan, buf, n, &m, &plan), -EINVAL);
	CHECK(util_said("empty"));
}

static void test_flat(void)
{
	static const struct {
		uint32_t first;
		unsigned int bits;
		bool big_endian;
	} kernels[] = {
		{ 0x60000000, 32, true }, { 0x08000048, 64, true }, { 0x48000008, 64, false },
	};
	struct machine m = util_machine(0, MIB(64));
	uint8_t buf[1000];
	struct image_plan plan;

	util_pattern(buf, sizeof(buf), 2);
	for (unsigned int i = 0; i < ARRAY_SIZE(kernels); i++) {
		put_be32(buf, kernels[i].first);
		CHECK_EQ(util_plan(ppc_image_plan, buf, sizeof(buf), &m, &plan), 0);
		CHECK_STR(plan.format, "flat vmlinux");
		CHECK_EQ(plan.entry, 0);
		CHECK_EQ(plan.arch[PPC_IMAGE_BITS], kernels[i].bits);
		CHECK_EQ(plan.big_endian, kernels[i].big_endian);
		CHECK_EQ(plan.segments[0].file_bytes, sizeof(buf));
		CHECK(plan.size_bytes > MIB(1));
	}
	m.ram[0].size_bytes = 999;
	CHECK_EQ(util_plan(ppc_image_plan, buf, sizeof(buf), &m, &plan), -ENOMEM);
	for (size_t len = 0; len < 4; len++)
		CHECK_EQ(util_plan(ppc_image_plan, buf, len, &m, &plan), -ENOEXEC);
	/* Anything else is no kernel, but may be firmware. */
	m.ram[0].size_bytes = MIB(64);
	util_pattern(buf, sizeof(buf), 2);
	CHECK_EQ(util_plan(ppc_image_plan, buf, sizeof(buf), &m, &plan), -ENOEXEC);
	CHECK_EQ(util_plan(ppc_firmware_plan, buf, sizeof(buf), &m, &plan), 0);
	CHECK_EQ(plan.size_bytes, sizeof(buf));
	CHECK_EQ(plan.arch[PPC_IMAGE_BITS], 0);
	CHECK_EQ(util_plan(ppc_image_plan, "#!/bin/sh\nexit 0\n", 17, &m, &plan), -ENOEXEC);
	CHECK(util_said("it looks like a script"));
}

const struct test ppc_image_tests[] = {
	{ "vmlinux", test_vmlinux },
	{ "width", test_width },
	{ "large_vmlinux", test_large_vmlinux },
	{ "wrapper", test_wrapper },
	{ "movable_wrapper", test_movable_wrapper },
	{ "elf_wrong", test_elf_wrong },
	{ "uimage", test_uimage },
	{ "uimage_hostile", test_uimage_hostile },
	{ "flat", test_flat },
	{ 0 },
};
