// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/cfi-flash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

#define BLOCK CFI_FLASH_BLOCK_BYTES
#define SIZE  (4 * BLOCK)
#define BOTH(x) ((uint32_t)(x) << 16 | (x))

struct rig {
	struct cfi_flash *flash;
	uint8_t *array;
	char     path[64];
	int      fd;       /* a second one of the file */
	bool     mapped;
	int      fds;
};

static void set_mapped(void *ctx, bool mapped)
{
	struct rig *rig = ctx;

	CHECK(mapped != rig->mapped);
	rig->mapped = mapped;
}

static void setup(struct rig *rig)
{
	struct cfi_flash_options opt = { .set_mapped = set_mapped, .ctx = rig };

	memset(rig, 0, sizeof(*rig));
	rig->fds = test_open_fds();
	rig->mapped = true;
	strcpy(rig->path, "/tmp/lkvm-flash-XXXXXX");
	rig->fd = mkstemp(rig->path);
	CHECK(rig->fd >= 0);
	CHECK_EQ(ftruncate(rig->fd, SIZE), 0);
	opt.fd = cfi_flash_open(rig->path, MIB(64), &opt.size_bytes);
	CHECK(opt.fd >= 0);
	CHECK_EQ(opt.size_bytes, SIZE);
	rig->array = calloc(1, SIZE);
	opt.array = rig->array;
	CHECK_EQ(cfi_flash_create(&rig->flash, &opt), 0);
}

static void teardown(struct rig *rig)
{
	cfi_flash_device_ops.destroy(rig->flash);
	close(rig->fd);
	unlink(rig->path);
	free(rig->array);
	CHECK_EQ(test_open_fds(), rig->fds);
}

static uint32_t get(struct rig *rig, uint64_t offset)
{
	return (uint32_t)cfi_flash_bus_ops.read(rig->flash, offset, 4);
}

static void put(struct rig *rig, uint64_t offset, uint32_t v)
{
	cfi_flash_bus_ops.write(rig->flash, offset, 4, v);
}

static void command(struct rig *rig, uint64_t offset, uint16_t c)
{
	put(rig, offset, BOTH(c));
}

/* The file has what the array has. */
static void check_file(struct rig *rig)
{
	uint8_t *copy = malloc(SIZE);

	CHECK_EQ(pread(rig->fd, copy, SIZE, 0), SIZE);
	CHECK(!memcmp(copy, rig->array, SIZE));
	free(copy);
}

static void test_query(void)
{
	static const char expect[] = "QRY\x01\x00\x31\x00";
	struct rig rig;

	setup(&rig);
	CHECK_EQ(get(&rig, 0x40), 0); /* the array */
	command(&rig, 0x55 * 4, 0x98);
	CHECK(!rig.mapped);
	for (unsigned int i = 0; i < sizeof(expect) - 1; i++)
		CHECK_EQ(get(&rig, 4 * (0x10 + i)), BOTH((uint8_t)expect[i]));
	CHECK_EQ(get(&rig, 4 * 0x27), BOTH(19)); /* 512 KiB each */
	CHECK_EQ(get(&rig, 4 * 0x2d), BOTH(3));  /* four blocks ... */
	CHECK_EQ(get(&rig, 4 * 0x30), BOTH(2));  /* ... of 128 KiB */
	CHECK_EQ(get(&rig, 4 * 0x31), BOTH('P'));
	CHECK_EQ(get(&rig, 4 * 0x41), 0);
	/* Half a bus, a byte of it, and two bus words. */
	CHECK_EQ(cfi_flash_bus_ops.read(rig.flash, 0x42, 2), 'Q');
	CHECK_EQ(cfi_flash_bus_ops.read(rig.flash, 0x41, 1), 0);
	CHECK_EQ(cfi_flash_bus_ops.read(rig.flash, 0x40, 8), (uint64_t)BOTH('R') << 32 | BOTH('Q'));
	command(&rig, 0, 0x90);
	CHECK_EQ(get(&rig, 0), BOTH(0x89));
	CHECK_EQ(get(&rig, BLOCK + 8), 0);
	command(&rig, 0, 0xf0);
	CHECK(rig.mapped);
	teardown(&rig);
}

static void test_program(void)
{
	struct rig rig;

	setup(&rig);
	command(&rig, BLOCK, 0x20);
	command(&rig, BLOCK, 0xd0);
	CHECK_EQ(get(&rig, BLOCK), BOTH(0x80));
	command(&rig, BLOCK + 8, 0x40);
	put(&rig, BLOCK + 8, 0x12345678);
	CHECK_EQ(get(&rig, 0), BOTH(0x80));
	command(&rig, 0, 0xff);
	CHECK(rig.mapped);
	CHECK_EQ(get(&rig, BLOCK + 8), 0x12345678);
	CHECK_EQ(get(&rig, BLOCK + 12), 0xffffffff);
	CHECK_EQ(get(&rig, 2 * BLOCK), 0);
	/* Bits go from one to zero only. */
	command(&rig, BLOCK + 8, 0x10);
	put(&rig, BLOCK + 8, 0xffff0000);
	command(&rig, 0, 0xff);
	CHECK_EQ(get(&rig, BLOCK + 8), 0x12340000);
	check_file(&rig);
	teardown(&rig);
}

static void test_buffer(void)
{
	struct rig rig;

	setup(&rig);
	memset(rig.array + BLOCK, 0xff, BLOCK);
	command(&rig, BLOCK, 0xe8);
	CHECK_EQ(get(&rig, BLOCK), BOTH(0x80));
	put(&rig, BLOCK, BOTH(2));
	for (unsigned int i = 0; i < 3; i++)
		put(&rig, BLOCK + 512 + 4 * i, 0x01010101 * (i + 1));
	CHECK_EQ(rig.array[BLOCK + 512], 0xff); /* not yet */
	command(&rig, BLOCK, 0xd0);
	CHECK_EQ(get(&rig, BLOCK), BOTH(0x80));
	CHECK_EQ(rig.array[BLOCK + 511], 0xff);
	CHECK_EQ(rig.array[BLOCK + 512], 1);
	CHECK_EQ(rig.array[BLOCK + 512 + 11], 3);
	CHECK_EQ(rig.array[BLOCK + 512 + 12], 0xff);

	/* Too many; into another block; beyond the buffer; not confirmed: nothing is written. */
	memcpy(rig.array, rig.array + BLOCK, BLOCK);
	command(&rig, 0, 0x50);
	command(&rig, 0, 0xe8);
	put(&rig, 0, BOTH(128));
	CHECK_EQ(get(&rig, 0), BOTH(0xb0));
	command(&rig, 0, 0x50);
	CHECK_EQ(get(&rig, 0), BOTH(0x80));
	command(&rig, 0, 0xe8);
	put(&rig, 0, 0);
	put(&rig, BLOCK, 0);
	CHECK_EQ(get(&rig, 0), BOTH(0xb0));
	command(&rig, 0, 0xe8);
	put(&rig, 0, BOTH(1));
	put(&rig, 0, 0);
	put(&rig, 512, 0);
	CHECK_EQ(get(&rig, 0), BOTH(0xb0));
	command(&rig, 0, 0xe8);
	put(&rig, 0, 0);
	put(&rig, 0, 0);
	command(&rig, 0, 0xff);
	CHECK_EQ(get(&rig, 0), BOTH(0xb0));
	CHECK(!memcmp(rig.array, rig.array + BLOCK, BLOCK));
	teardown(&rig);
}

static void test_lock(void)
{
	struct rig rig;

	setup(&rig);
	command(&rig, BLOCK, 0x60);
	command(&rig, BLOCK, 0x01);
	command(&rig, 0, 0x90);
	CHECK_EQ(get(&rig, BLOCK + 8), BOTH(1));
	CHECK_EQ(get(&rig, 8), 0);
	command(&rig, BLOCK, 0x20);
	command(&rig, BLOCK, 0xd0);
	CHECK_EQ(get(&rig, BLOCK), BOTH(0xa2));
	CHECK_EQ(rig.array[BLOCK], 0);
	command(&rig, BLOCK, 0x60);
	command(&rig, BLOCK, 0xd0);
	command(&rig, 0, 0x50);
	command(&rig, BLOCK, 0x20);
	command(&rig, BLOCK, 0xd0);
	CHECK_EQ(get(&rig, BLOCK), BOTH(0x80));
	CHECK_EQ(rig.array[BLOCK], 0xff);
	/* An erase that is not confirmed, and a lock command that is none. */
	command(&rig, 0, 0x20);
	command(&rig, 0, 0xff);
	CHECK_EQ(get(&rig, 0), BOTH(0xb0));
	CHECK_EQ(rig.array[0], 0);
	command(&rig, 0, 0x50);
	command(&rig, 0, 0x60);
	command(&rig, 0, 0x77);
	CHECK_EQ(get(&rig, 0), BOTH(0xb0));
	teardown(&rig);
}

/* Every access of every size at every place with any value is served within the array. */
static void test_hostile(void)
{
	uint32_t seed = 1;
	struct rig rig;

	setup(&rig);
	for (unsigned int i = 0; i < 200000; i++) {
		unsigned int size, offset;

		seed = seed * 1664525 + 1013904223;
		size = 1u << (seed >> 30);
		offset = (seed >> 3) % SIZE & ~7u;
		if (seed & 4)
			offset = SIZE - size;
		if (seed & 1)
			cfi_flash_bus_ops.read(rig.flash, offset, size);
		else
			cfi_flash_bus_ops.write(rig.flash, offset, size, seed >> 5 & 0xff);
	}
	teardown(&rig);
}

static void refused(const char *path, const char *expect)
{
	uint64_t size;
	const char *text;
	int fds = test_open_fds();

	test_stderr_begin();
	CHECK(cfi_flash_open(path, MIB(64), &size) < 0);
	text = test_stderr_end();
	if (!strstr(text, expect))
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", text, expect);
	CHECK_EQ(test_open_fds(), fds);
}

static void test_open(void)
{
	struct rig rig;

	setup(&rig);
	refused(rig.path, "in use by another guest");
	CHECK_EQ(ftruncate(rig.fd, SIZE - 1), 0);
	refused(rig.path, "truncate -s");
	CHECK_EQ(ftruncate(rig.fd, MIB(128)), 0);
	refused(rig.path, "up to 64 MiB");
	CHECK_EQ(ftruncate(rig.fd, 0), 0);
	refused(rig.path, "is no flash");
	refused("/tmp", "/tmp");
	refused("/no/such/file", "cannot open /no/such/file for writing: No such file");
	teardown(&rig);
}

/* A file that can't be written shows as a flash that can't: the guest is told. */
static void test_unwritable(void)
{
	struct rig rig = { .mapped = true };
	struct cfi_flash_options opt = {
		.fd = open("/dev/full", O_RDWR | O_CLOEXEC), .size_bytes = BLOCK, .set_mapped = set_mapped, .ctx = &rig,
	};

	rig.array = calloc(1, BLOCK);
	opt.array = rig.array;
	CHECK_EQ(cfi_flash_create(&rig.flash, &opt), 0);
	test_stderr_begin();
	command(&rig, 0, 0x20);
	command(&rig, 0, 0xd0);
	CHECK_EQ(get(&rig, 0), BOTH(0xa0));
	CHECK(strstr(test_stderr_end(), "flash's file: No space left"));
	cfi_flash_device_ops.destroy(rig.flash);
	free(rig.array);
}

const struct test cfi_flash_tests[] = {
	{ "query", test_query },
	{ "program", test_program },
	{ "buffer", test_buffer },
	{ "lock", test_lock },
	{ "hostile", test_hostile },
	{ "open", test_open },
	{ "unwritable", test_unwritable },
	{ 0 },
};
