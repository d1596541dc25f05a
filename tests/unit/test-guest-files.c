// SPDX-License-Identifier: GPL-2.0-only
/* What is packed for a guest: paths, modules.dep, what ELF files need. */
#include "lkvm/guest-files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lkvm/elf-needs.h"
#include "lkvm/modules.h"
#include "tests/unit/test.h"

static void test_paths(void)
{
	static const struct {
		const char *workdir, *file, *path;
	} rows[] = {
		{ "/", "test", "/test" },
		{ "/", "./test", "/test" },
		{ "/", "a/./b//c", "/a/b/c" },
		{ "/", "../../x/y", "/x/y" },
		{ "/w/d", "t", "/w/d/t" },
		{ "/w/d", "../t", "/w/t" },
		{ "/w", "/usr/bin/t", "/usr/bin/t" },
		{ "/w", "/a/../b/", "/b" },
		{ "/w", "..", "/" },
		{ "/", ".", "/" },
	};
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK_EQ(guest_files_path(rows[i].workdir, rows[i].file, path, sizeof(path)), 0);
		CHECK_STR(path, rows[i].path);
	}
	CHECK_EQ(guest_files_path("/", "1234", path, 5), -ENAMETOOLONG);
	CHECK_EQ(guest_files_path("/", "123", path, 5), 0);
}

/* ---- modules ------------------------------------------------------------------------------------ */

static const char dep[] =
	"kernel/drivers/virtio/virtio_pci.ko.xz: kernel/drivers/virtio/virtio_ring.ko.xz kernel/drivers/virtio/virtio.ko.xz\n"
	"kernel/drivers/virtio/virtio-rng.ko:\n"
	"kernel/a/virtio_blk_not.ko.zst: x\n"
	"kernel/a/virtio_blk.ko.zst: x";

static void check_dep(const char *name, const char *want)
{
	const char *line = NULL;
	size_t len = 0;
	bool found = modules_dep_line(dep, strlen(dep), name, &line, &len);

	CHECK_EQ(found, want != NULL);
	if (found && want)
		CHECK(len >= strlen(want) && !memcmp(line, want, strlen(want)));
}

static void test_dep(void)
{
	check_dep("virtio_pci", "kernel/drivers/virtio/virtio_pci.ko.xz:");
	check_dep("virtio_rng", "kernel/drivers/virtio/virtio-rng.ko:");
	check_dep("virtio_blk", "kernel/a/virtio_blk.ko.zst: x");
	check_dep("virtio", NULL);
	check_dep("virtio_ring", NULL); /* has no line of its own here */
	check_dep("irtio_pci", NULL);
}

static void check_version(const void *data, size_t len, const char *want)
{
	char version[64] = "";
	bool found = modules_kernel_version(data, len, version, sizeof(version));

	CHECK_EQ(found, want != NULL);
	if (want)
		CHECK_STR(version, want);
}

static void test_version(void)
{
	static const char image[] = "\0Linux version %s (%s)\0Linux version 6.12.5-x+ (who@where)";
	uint8_t bz[0x300] = { 0 };

	check_version(image, sizeof(image), "6.12.5-x+");
	check_version("Linux version ", 14, NULL);
	check_version("nothing", 7, NULL);
	check_version("Linux version ../../etc (x)", 27, NULL);
	memcpy(bz + 0x202, "HdrS", 4);
	bz[0x20e] = 0x80;
	memcpy(bz + 0x280, "6.1.0-9-amd64 (x@y) #1", 22);
	check_version(bz, sizeof(bz), "6.1.0-9-amd64");
	bz[0x20f] = 0xff;
	check_version(bz, sizeof(bz), NULL);
}

/* A module and what it needs, in the order to load them. */
struct taken {
	char names[256];
	int  fail;
};

static int take(void *opaque, const char *file, int fd, uint64_t size)
{
	struct taken *t = opaque;
	size_t len = strlen(t->names);
	char byte = 0;

	CHECK_EQ(size, 1);
	CHECK_EQ(pread(fd, &byte, 1, 0), 1);
	snprintf(t->names + len, sizeof(t->names) - len, "%s:%c ", strrchr(file, '/') + 1, byte);
	return t->fail;
}

static void put_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f || fputs(text, f) < 0 || fclose(f))
		test_fail(__FILE__, __LINE__, "cannot write %s", path);
}

static void remove_tree(const char *dir)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	CHECK_EQ(system(command), 0);
}

static void test_find(void)
{
	char dir[] = "/tmp/lkvm-test-XXXXXX";
	struct config cfg = { .modules = dir };
	struct taken t = { 0 };
	int fds = test_open_fds();

	if (!mkdtemp(dir))
		test_skip("no directory can be made in /tmp");
	put_file(dir, "modules.dep", "virtio_pci.ko: ring.ko virtio.ko\nvirtio_blk.ko: virtio.ko\nvirtio_mmio.ko:\n");
	put_file(dir, "virtio_pci.ko", "p");
	put_file(dir, "ring.ko", "r");
	put_file(dir, "virtio.ko", "v");
	put_file(dir, "virtio_mmio.ko", "m");
	put_file(dir, "virtio_blk.ko", "b");
	put_file(dir, "more.ko", "o");
	CHECK_EQ(modules_find(&cfg, NULL, take, &t), 0);
	CHECK_STR(t.names, "virtio.ko:v ring.ko:r virtio_pci.ko:p virtio_mmio.ko:m virtio_blk.ko:b ");
	/* What else is wanted, and what there is at all. */
	t.names[0] = '\0';
	put_file(dir, "modules.dep", "virtio_mmio.ko:\nmore.ko:\n");
	CHECK_EQ(modules_find(&cfg, (const char *const[]){ "none", "more", NULL }, take, &t), 0);
	CHECK_STR(t.names, "virtio_mmio.ko:m more.ko:o ");
	CHECK_EQ(modules_offer(&cfg, "more"), 1);
	CHECK_EQ(modules_offer(&cfg, "in-it"), 0);
	put_file(dir, "modules.builtin", "kernel/a.ko\nkernel/fs/in_it.ko\n");
	CHECK_EQ(modules_offer(&cfg, "in-it"), 1);
	CHECK_EQ(modules_offer(&cfg, "in"), 0);
	put_file(dir, "modules.dep", "virtio_pci.ko: ring.ko virtio.ko\n");
	t.fail = -ENOSPC;
	CHECK_EQ(modules_find(&cfg, NULL, take, &t), -ENOSPC);
	put_file(dir, "modules.dep", "virtio_pci.ko: gone.ko\n");
	test_stderr_begin();
	CHECK_EQ(modules_find(&cfg, NULL, take, &t), -ENOENT);
	CHECK(strstr(test_stderr_end(), "gone.ko, which modules.dep names"));
	remove_tree(dir);
	test_stderr_begin();
	CHECK_EQ(modules_find(&cfg, NULL, take, &t), -ENOENT);
	CHECK(strstr(test_stderr_end(), "modules.dep"));
	CHECK_EQ(test_open_fds(), fds);
}

/* ---- ELF ---------------------------------------------------------------------------------------- */

static void put(uint8_t *p, unsigned int bytes, uint64_t v, bool big)
{
	for (unsigned int i = 0; i < bytes; i++)
		p[big ? bytes - 1 - i : i] = (uint8_t)(v >> 8 * i);
}

/* A 64- or 32-bit program with an interpreter, two libraries and a runpath. */
static size_t make_elf(uint8_t *f, bool wide, bool big)
{
	static const char strings[] = "\0libone.so\0two.so.2\0$ORIGIN/lib:/x";
	const unsigned int word = wide ? 8 : 4;
	const size_t phoff = wide ? 64 : 52, phsize = wide ? 56 : 32, dyn = 0x200, str = 0x300, interp = 0x180;
	const uint64_t tags[][2] = { { 1, 1 }, { 1, 11 }, { 29, 20 }, { 5, 0x10000 + str }, { 0, 0 } };
	const uint64_t ph[][3] = { { 1, 0, 0x400 }, { 3, interp, 8 }, { 2, dyn, sizeof(tags) / 16 * 2 * word } };

	memset(f, 0, 0x400);
	memcpy(f, "\177ELF", 4);
	f[4] = wide ? 2 : 1;
	f[5] = big ? 2 : 1;
	put(f + 16, 2, 3, big);
	put(f + 18, 2, 243, big);
	put(f + (wide ? 32 : 28), word, phoff, big);
	put(f + (wide ? 54 : 42), 2, phsize, big);
	put(f + (wide ? 56 : 44), 2, ARRAY_SIZE(ph), big);
	for (size_t i = 0; i < ARRAY_SIZE(ph); i++) {
		uint8_t *p = f + phoff + i * phsize;

		put(p, 4, ph[i][0], big);
		put(p + (wide ? 8 : 4), word, ph[i][1], big);
		put(p + (wide ? 16 : 8), word, 0x10000 + ph[i][1], big);
		put(p + (wide ? 32 : 16), word, ph[i][2], big);
	}
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		put(f + dyn + i * 2 * word, word, tags[i][0], big);
		put(f + dyn + i * 2 * word + word, word, tags[i][1], big);
	}
	memcpy(f + str, strings, sizeof(strings));
	memcpy(f + interp, "/lib/ld", 8);
	return 0x400;
}

static void test_elf(void)
{
	static uint8_t f[0x400];
	struct elf_needs needs, other;

	for (int kind = 0; kind < 4; kind++) {
		size_t len = make_elf(f, kind & 1, kind & 2);

		CHECK_EQ(elf_needs_read(f, len, &needs), 0);
		CHECK_EQ(needs.bits, kind & 1 ? 64 : 32);
		CHECK_EQ(needs.machine, 243);
		CHECK_STR(needs.interp, "/lib/ld");
		CHECK_EQ(needs.nr_needed, 2);
		CHECK_STR(needs.needed[0], "libone.so");
		CHECK_STR(needs.needed[1], "two.so.2");
		CHECK_STR(needs.runpath, "$ORIGIN/lib:/x");
		if (kind)
			CHECK(!elf_needs_same_kind(&needs, &other));
		other = needs;
		CHECK(elf_needs_same_kind(&needs, &other));
		/* Cut anywhere, and each byte changed: an answer, and nothing read outside. */
		for (size_t cut = 0; cut < len; cut++) {
			uint8_t *copy = malloc(cut ? cut : 1);
			int ret;

			memcpy(copy, f, cut);
			ret = elf_needs_read(copy, cut, &other);
			CHECK(ret == 0 || ret == -ENOEXEC || ret == -EINVAL);
			free(copy);
			f[cut] ^= 0xff;
			ret = elf_needs_read(f, len, &other);
			CHECK(ret == 0 || ret == -ENOEXEC || ret == -EINVAL);
			f[cut] ^= 0xff;
		}
		CHECK_EQ(elf_needs_read(f, len, &other), 0);
	}
	CHECK_EQ(elf_needs_read((const uint8_t *)"#!/bin/sh\n", 10, &needs), -ENOEXEC);
}

/* ---- the archive -------------------------------------------------------------------------------- */

/* Whether the archive in @fd holds these bytes. */
static bool has(int fd, const void *bytes, size_t len)
{
	struct stat st;
	bool found = false;
	char *all;

	if (fstat(fd, &st))
		return false;
	all = malloc((size_t)st.st_size);
	if (all && pread(fd, all, (size_t)st.st_size, 0) == st.st_size)
		found = memmem(all, (size_t)st.st_size, bytes, len) != NULL;
	free(all);
	return found;
}

#define HAS(fd, literal) has(fd, literal, sizeof(literal) - 1)

static void test_pack(void)
{
	char dir[] = "/tmp/lkvm-test-XXXXXX", path[64], tree[64], link[64];
	char command[64];
	char *argv[] = { command, NULL };
	char workdir[] = "/w";
	struct config_add add = { .file = tree };
	struct config cfg = { .command = argv, .workdir = workdir, .adds = &add, .nr_adds = 1 };
	const struct guest_root root = { .fs = "some-fs" };
	int fds = test_open_fds();
	int fd = -1;

	if (!mkdtemp(dir))
		test_skip("no directory can be made in /tmp");
	snprintf(tree, sizeof(tree), "%s/tree", dir);
	snprintf(path, sizeof(path), "%s/tree/file", dir);
	snprintf(link, sizeof(link), "%s/tree/link", dir);
	snprintf(command, sizeof(command), "%s/prog", dir);
	CHECK_EQ(mkdir(tree, 0750), 0);
	put_file(dir, "tree/file", "contents of the file");
	put_file(dir, "prog", "contents of the command");
	CHECK_EQ(symlink("file", link), 0);

	CHECK_EQ(guest_files_pack(&cfg, NULL, &fd), 0);
	CHECK(HAS(fd, "\0.lkvm/init") || HAS(fd, ".lkvm/init"));
	CHECK(HAS(fd, "contents of the file"));
	CHECK(HAS(fd, "contents of the command"));
	CHECK(HAS(fd, "l\0file\0/tmp/lkvm-test-"));
	CHECK(HAS(fd, "d\000750\0/tmp/lkvm-test-"));
	close(fd);

	/* Where there is a root, the command is in it; the root comes before what goes into it. */
	CHECK_EQ(guest_files_pack(&cfg, &root, &fd), 0);
	CHECK(HAS(fd, "r\0some-fs\0ro\0d\000750\0/tmp/lkvm-test-"));
	CHECK(!HAS(fd, "contents of the command"));
	close(fd);

	/* To another place; with an initrd an absolute command comes from there. */
	add.path = strdup("/elsewhere");
	cfg.nr_initrds = 1;
	CHECK_EQ(guest_files_pack(&cfg, NULL, &fd), 0);
	CHECK(HAS(fd, "\0/elsewhere/file\0"));
	CHECK(!HAS(fd, "contents of the command"));
	close(fd);
	free(add.path);
	add.path = NULL;

	remove_tree(dir);
	test_stderr_begin();
	CHECK_EQ(guest_files_pack(&cfg, NULL, &fd), -ENOENT);
	CHECK(strstr(test_stderr_end(), "/tree: No such file or directory"));
	CHECK_EQ(test_open_fds(), fds);
}

const struct test guest_files_tests[] = {
	{ "paths", test_paths },
	{ "dep", test_dep },
	{ "version", test_version },
	{ "find", test_find },
	{ "elf", test_elf },
	{ "pack", test_pack },
	{ 0 },
};
