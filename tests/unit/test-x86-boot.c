// SPDX-License-Identifier: GPL-2.0-only
#include "x86/boot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "tests/unit/test.h"
#include "x86/layout.h"
#include "x86/power.h"

struct fixture {
	struct machine m;
	struct memory  mem;
};

static void set_up(struct fixture *f, uint64_t ram_bytes)
{
	const struct x86_platform_params p = { .nr_cpus = 1, .ram_bytes = ram_bytes, .phys_bits = 48 };

	memset(f, 0, sizeof(*f));
	memory_init(&f->mem);
	CHECK_EQ(x86_machine_init(&f->m, &p), 0);
	/* The boot blocks are all in the first MiB. */
	CHECK_EQ(memory_add(&f->mem, "ram", 0, MIB(2), false, NULL), 0);
}

static void tear_down(struct fixture *f)
{
	memory_exit(&f->mem);
}

static const uint8_t *ptr(struct fixture *f, gpa_t gpa)
{
	return memory_ptr(&f->mem, gpa, 4096);
}

static void test_e820(void)
{
	struct x86_e820_range map[X86_E820_MAX];
	struct fixture f;
	unsigned int n;
	uint64_t ram = 0;

	set_up(&f, GIB(8));
	n = x86_e820(&f.m, map);
	CHECK(n <= X86_E820_MAX);
	for (unsigned int i = 0; i < n; i++) {
		CHECK(map[i].size_bytes > 0);
		if (i)
			CHECK(map[i].base >= map[i - 1].base + map[i - 1].size_bytes);
		if (map[i].type == X86_E820_RAM)
			ram += map[i].size_bytes;
		else
			CHECK_EQ(map[i].type, X86_E820_RESERVED);
	}
	/* All but the PC's 384 KiB below 1 MiB. */
	CHECK_EQ(ram, GIB(8) - KIB(384));
	CHECK_EQ(map[0].base, 0);
	CHECK_EQ(map[0].size_bytes, KIB(640));
	tear_down(&f);
}

static void test_linux(void)
{
	uint8_t header[0x268 - X86_SETUP_HEADER] = { 0 };
	uint8_t seed[32];
	struct fixture f;
	const uint8_t *zp, *sd;

	set_up(&f, GIB(8));
	memcpy(header + 0x202 - 0x1f1, "HdrS", 4);
	put_le16(header + 0x206 - 0x1f1, 0x20f);
	put_le32(header + 0x238 - 0x1f1, 2047);
	put_le32(header + 0x260 - 0x1f1, 0x123456);
	memset(seed, 0x5e, sizeof(seed));
	const struct x86_boot boot = {
		.machine = &f.m,
		.cmdline = "console=ttyS0 x",
		.initrd = 0x123456000,
		.initrd_bytes = 0x200000001,
		.rsdp = X86_ACPI,
		.rng_seed = seed,
		.rng_seed_bytes = sizeof(seed),
		.setup_header = header,
		.setup_header_bytes = sizeof(header),
	};

	CHECK_EQ(x86_boot_write_linux(&f.mem, &boot), 0);
	zp = ptr(&f, X86_BOOT_PARAMS);
	CHECK(!memcmp(zp + 0x202, "HdrS", 4));
	CHECK_EQ(get_le32(zp + 0x260), 0x123456);
	CHECK_EQ(zp[0x210], 0xff);
	CHECK(zp[0x211] & 1);
	CHECK_EQ(get_le64(zp + 0x70), X86_ACPI);
	CHECK_EQ(get_le32(zp + 0x218), 0x23456000);
	CHECK_EQ(get_le32(zp + 0x0c0), 1);
	CHECK_EQ(get_le32(zp + 0x21c), 1);
	CHECK_EQ(get_le32(zp + 0x0c4), 2);
	CHECK_EQ(get_le32(zp + 0x228), X86_BOOT_CMDLINE);
	CHECK_STR((const char *)ptr(&f, X86_BOOT_CMDLINE), "console=ttyS0 x");
	CHECK_EQ(zp[0x1e8], 6);
	CHECK_EQ(get_le64(zp + 0x2d0 + 2 * 20), MIB(1));
	CHECK_EQ(get_le64(zp + 0x2d0 + 2 * 20 + 8), GIB(3) - MIB(1));
	CHECK_EQ(get_le32(zp + 0x2d0 + 2 * 20 + 16), 1);
	CHECK_EQ(get_le64(zp + 0x250), X86_BOOT_SETUP_DATA);
	sd = ptr(&f, X86_BOOT_SETUP_DATA);
	CHECK_EQ(get_le64(sd), 0);
	CHECK_EQ(get_le32(sd + 8), 9);
	CHECK_EQ(get_le32(sd + 12), 32);
	CHECK(!memcmp(sd + 16, seed, 32));
	tear_down(&f);
}

/* The kernel's own limit counts; one character more is refused, with both numbers. */
static void test_cmdline_limit(void)
{
	uint8_t header[0x268 - X86_SETUP_HEADER] = { 0 };
	struct fixture f;
	char line[70000];
	struct x86_boot boot = { .cmdline = line, .setup_header = header,
				 .setup_header_bytes = sizeof(header) };

	set_up(&f, MIB(64));
	boot.machine = &f.m;
	put_le32(header + 0x238 - 0x1f1, 10);
	snprintf(line, sizeof(line), "0123456789");
	CHECK_EQ(x86_boot_write_linux(&f.mem, &boot), 0);
	snprintf(line, sizeof(line), "0123456789a");
	test_stderr_begin();
	CHECK_EQ(x86_boot_write_linux(&f.mem, &boot), -E2BIG);
	CHECK(strstr(test_stderr_end(), "11 characters, this kernel takes 10") != NULL);

	/* A kernel that takes more than there is room for. */
	put_le32(header + 0x238 - 0x1f1, UINT32_MAX);
	memset(line, 'x', sizeof(line));
	line[X86_BOOT_CMDLINE_MAX - 1] = '\0';
	CHECK_EQ(x86_boot_write_linux(&f.mem, &boot), 0);
	line[X86_BOOT_CMDLINE_MAX - 1] = 'x';
	line[X86_BOOT_CMDLINE_MAX] = '\0';
	test_stderr_begin();
	CHECK_EQ(x86_boot_write_linux(&f.mem, &boot), -E2BIG);
	test_stderr_end();
	tear_down(&f);
}

static void test_elf_without_header(void)
{
	struct fixture f;
	struct x86_boot boot = { .cmdline = "quiet" };
	const uint8_t *zp;

	set_up(&f, MIB(64));
	boot.machine = &f.m;
	CHECK_EQ(x86_boot_write_linux(&f.mem, &boot), 0);
	zp = ptr(&f, X86_BOOT_PARAMS);
	CHECK(!memcmp(zp + 0x202, "HdrS", 4));
	CHECK(get_le16(zp + 0x206) >= 0x20c);
	CHECK_EQ(get_le32(zp + 0x218), 0);
	CHECK_EQ(get_le64(zp + 0x250), 0);
	CHECK_STR((const char *)ptr(&f, X86_BOOT_CMDLINE), "quiet");
	tear_down(&f);
}

static void test_pvh(void)
{
	struct fixture f;
	struct x86_boot boot = { .cmdline = "a b", .rsdp = 0xe0000, .initrd = 0x1000000,
				 .initrd_bytes = 4096 };
	const uint8_t *info, *module, *map;

	set_up(&f, GIB(4));
	boot.machine = &f.m;
	CHECK_EQ(x86_boot_write_pvh(&f.mem, &boot), 0);
	info = ptr(&f, X86_BOOT_PVH_INFO);
	CHECK_EQ(get_le32(info), 0x336ec578);
	CHECK_EQ(get_le32(info + 4), 1);
	CHECK_EQ(get_le32(info + 12), 1);
	CHECK_EQ(get_le64(info + 24), X86_BOOT_CMDLINE);
	CHECK_EQ(get_le64(info + 32), 0xe0000);
	module = ptr(&f, get_le64(info + 16));
	CHECK_EQ(get_le64(module), 0x1000000);
	CHECK_EQ(get_le64(module + 8), 4096);
	map = ptr(&f, get_le64(info + 40));
	CHECK_EQ(get_le32(info + 48), 6);
	CHECK_EQ(get_le64(map), 0);
	CHECK_EQ(get_le64(map + 8), KIB(640));
	CHECK_EQ(get_le32(map + 16), 1);
	CHECK_EQ(get_le64(map + 5 * 24), GIB(4));
	CHECK_EQ(get_le64(map + 5 * 24 + 8), GIB(1));

	boot.initrd_bytes = 0;
	CHECK_EQ(x86_boot_write_pvh(&f.mem, &boot), 0);
	CHECK_EQ(get_le32(info + 12), 0);
	tear_down(&f);
}

/* What the MMU would make of the tables. */
static bool translate(struct fixture *f, uint64_t va, uint64_t *pa)
{
	uint64_t pml4e, pdpte, pde;

	pml4e = get_le64(ptr(f, X86_BOOT_PML4) + 8 * (va >> 39 & 511));
	if (!(pml4e & 1))
		return false;
	pdpte = get_le64(ptr(f, pml4e & ~UINT64_C(0xfff)) + 8 * (va >> 30 & 511));
	if (!(pdpte & 1))
		return false;
	pde = get_le64(ptr(f, pdpte & ~UINT64_C(0xfff)) + 8 * (va >> 21 & 511));
	if ((pde & 0x83) != 0x83)
		return false;
	*pa = (pde & ~UINT64_C(0x1fffff)) | (va & 0x1fffff);
	return true;
}

static void test_page_tables(void)
{
	static const uint64_t mapped[] = { 0, 0x100000, 0xfee00000, 0xffffffff, 0x80000000, 0x3fffffff };
	struct fixture f;
	uint64_t pa;

	set_up(&f, MIB(64));
	CHECK_EQ(x86_boot_write_page_tables(&f.mem), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(mapped); i++) {
		CHECK(translate(&f, mapped[i], &pa));
		CHECK_EQ(pa, mapped[i]);
	}
	CHECK(!translate(&f, GIB(4), &pa));
	CHECK(!translate(&f, UINT64_C(0xffffffff80000000), &pa));
	/* They end before the command line begins. */
	CHECK(X86_BOOT_PML4 + 6 * 4096 <= X86_BOOT_CMDLINE);
	tear_down(&f);
}

static void test_gdt(void)
{
	struct fixture f;
	const uint8_t *gdt;

	set_up(&f, MIB(64));
	CHECK_EQ(x86_boot_write_gdt(&f.mem, true), 0);
	gdt = ptr(&f, 0) + X86_BOOT_GDT;
	CHECK_EQ(get_le64(gdt), 0);
	CHECK(get_le64(gdt + X86_BOOT_CS) >> 53 & 1);    /* L */
	CHECK(!(get_le64(gdt + X86_BOOT_CS) >> 54 & 1)); /* D */
	CHECK_EQ(x86_boot_write_gdt(&f.mem, false), 0);
	CHECK(!(get_le64(gdt + X86_BOOT_CS) >> 53 & 1));
	CHECK(get_le64(gdt + X86_BOOT_CS) >> 54 & 1);
	tear_down(&f);
}

/* The real-mode code writes the reset value to the reset port. */
static void test_reset_vector(void)
{
	struct fixture f;
	const uint8_t *p;

	set_up(&f, MIB(64));
	CHECK_EQ(x86_boot_write_reset_vector(&f.mem), 0);
	p = memory_ptr(&f.mem, 0xffff0, 16);
	CHECK_EQ(p[0], 0xba); /* mov $imm16, %dx */
	CHECK_EQ(get_le16(p + 1), X86_PORT_POWER + X86_POWER_RESET);
	CHECK_EQ(p[3], 0xb0); /* mov $imm8, %al */
	CHECK_EQ(p[4], X86_POWER_RESET_VALUE);
	CHECK_EQ(p[5], 0xee); /* out %al, %dx */
	tear_down(&f);
}

static void test_no_memory(void)
{
	struct fixture f;
	struct x86_boot boot = { .cmdline = "" };

	set_up(&f, MIB(64));
	boot.machine = &f.m;
	memory_exit(&f.mem);
	memory_init(&f.mem);
	test_stderr_begin();
	CHECK_EQ(x86_boot_write_linux(&f.mem, &boot), -EFAULT);
	CHECK_EQ(x86_boot_write_pvh(&f.mem, &boot), -EFAULT);
	CHECK_EQ(x86_boot_write_page_tables(&f.mem), -EFAULT);
	CHECK_EQ(x86_boot_write_gdt(&f.mem, true), -EFAULT);
	CHECK_EQ(x86_boot_write_reset_vector(&f.mem), -EFAULT);
	CHECK(strstr(test_stderr_end(), "no RAM at 0x7000") != NULL);
	tear_down(&f);
}

const struct test x86_boot_tests[] = {
	{ "e820", test_e820 },
	{ "linux", test_linux },
	{ "cmdline-limit", test_cmdline_limit },
	{ "elf-without-header", test_elf_without_header },
	{ "pvh", test_pvh },
	{ "page-tables", test_page_tables },
	{ "gdt", test_gdt },
	{ "reset-vector", test_reset_vector },
	{ "no-memory", test_no_memory },
	{ 0 },
};
