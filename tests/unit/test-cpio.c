// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/cpio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/unit/test.h"

static char archive[65536];

static size_t finish(struct cpio *cpio)
{
	ssize_t n;
	int fd = -1;

	CHECK_EQ(cpio_finish(cpio, &fd), 0);
	n = pread(fd, archive, sizeof(archive), 0);
	CHECK_EQ(n, cpio->size_bytes);
	close(fd);
	cpio_destroy(cpio);
	return (size_t)n;
}

static unsigned long field(size_t at, unsigned int i)
{
	char digits[9] = "";

	memcpy(digits, archive + at + 6 + 8 * i, 8);
	return strtoul(digits, NULL, 16);
}

/* Checks the entry at @at; returns where the next begins. */
static size_t check_entry(size_t at, const char *name, unsigned int mode, const char *data)
{
	size_t len = strlen(data);

	CHECK(at % 4 == 0);
	CHECK(!memcmp(archive + at, "070701", 6));
	CHECK_EQ(field(at, 1), mode);
	CHECK_EQ(field(at, 6), len);
	CHECK_EQ(field(at, 11), strlen(name) + 1);
	CHECK_STR(archive + at + 110, name);
	at = (at + 110 + strlen(name) + 1 + 3) & ~(size_t)3;
	CHECK(!memcmp(archive + at, data, len));
	return (at + len + 3) & ~(size_t)3;
}

static void test_entries(void)
{
	int fds = test_open_fds();
	struct cpio cpio;
	int file = memfd_create("file", MFD_CLOEXEC);
	size_t at = 0, len;

	CHECK_EQ(write(file, "12345", 5), 5);
	CHECK_EQ(cpio_create(&cpio), 0);
	CHECK_EQ(cpio_add(&cpio, "d", S_IFDIR | 0755, 0, NULL, 0), 0);
	CHECK_EQ(cpio_add(&cpio, "d/con", S_IFCHR | 0600, makedev(5, 1), NULL, 0), 0);
	CHECK_EQ(cpio_add(&cpio, "link", S_IFLNK | 0777, 0, "d/con", 5), 0);
	CHECK_EQ(cpio_add_file(&cpio, "some/file", 0100640, file, 5), 0);
	len = finish(&cpio);
	at = check_entry(at, "d", S_IFDIR | 0755, "");
	CHECK_EQ(field(at, 9), 5);
	CHECK_EQ(field(at, 10), 1);
	at = check_entry(at, "d/con", S_IFCHR | 0600, "");
	at = check_entry(at, "link", S_IFLNK | 0777, "d/con");
	at = check_entry(at, "some/file", S_IFREG | 0640, "12345");
	at = check_entry(at, "TRAILER!!!", 0, "");
	CHECK_EQ(at, len);
	close(file);
	CHECK_EQ(test_open_fds(), fds);
}

static void test_large(void)
{
	static char data[20001];
	struct cpio cpio;
	size_t at;

	memset(data, 'x', sizeof(data) - 1);
	CHECK_EQ(cpio_create(&cpio), 0);
	CHECK_EQ(cpio_add(&cpio, "small", S_IFREG | 0644, 0, "s", 1), 0);
	CHECK_EQ(cpio_add(&cpio, "large", S_IFREG | 0644, 0, data, sizeof(data) - 1), 0);
	finish(&cpio);
	at = check_entry(0, "small", S_IFREG | 0644, "s");
	at = check_entry(at, "large", S_IFREG | 0644, data);
	check_entry(at, "TRAILER!!!", 0, "");
}

static void test_failures(void)
{
	int file = memfd_create("file", MFD_CLOEXEC);
	struct cpio cpio;

	CHECK_EQ(cpio_create(&cpio), 0);
	/* It shrank after it was looked at. */
	CHECK_EQ(cpio_add_file(&cpio, "short", 0644, file, 10), -EIO);
	CHECK_EQ(cpio_add_file(&cpio, "huge", 0644, file, UINT64_C(1) << 32), -EFBIG);
	cpio_destroy(&cpio);
	close(file);
}

const struct test cpio_tests[] = {
	{ "entries", test_entries },
	{ "large", test_large },
	{ "failures", test_failures },
	{ 0 },
};
