// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test.h"

/* Every image is /tmp/lkvm-test-disk-XXXXXX/img. */
static char dir[64], path[80];

static void image_remove(void)
{
	unlink(path);
	rmdir(dir);
}

/* Makes an image of @size bytes, whose byte at @i is pattern(@i). */
static uint8_t pattern(uint64_t i)
{
	return (uint8_t)(i * 13 + (i >> 8) * 7 + 1);
}

static void image_dir(const char *parent)
{
	snprintf(dir, sizeof(dir), "%s/lkvm-test-disk-XXXXXX", parent);
	if (!mkdtemp(dir))
		test_skip("no directory for temporary files");
	snprintf(path, sizeof(path), "%s/img", dir);
}

static void image_make(size_t size)
{
	uint8_t *buf = malloc(size + 1);
	int fd;

	image_dir("/tmp");
	for (size_t i = 0; i < size; i++)
		buf[i] = pattern(i);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, buf, size), size);
	close(fd);
	free(buf);
}

/* True if the file's bytes [@offset, @offset + @len) are the pattern shifted by @shift; 0: zeros. */
static bool image_has(uint64_t offset, size_t len, int shift)
{
	uint8_t *buf = malloc(len);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = pread(fd, buf, len, (off_t)offset) == (ssize_t)len;

	for (size_t i = 0; ok && i < len; i++)
		ok = buf[i] == (shift ? (uint8_t)(pattern(offset + i) + shift - 1) : 0);
	close(fd);
	free(buf);
	return ok;
}

static struct config_disk config(bool readonly, bool direct)
{
	return (struct config_disk){ .path = path, .readonly = readonly, .direct = direct };
}

static struct disk *open_ok(bool readonly, bool direct)
{
	const struct config_disk cfg = config(readonly, direct);
	struct disk *disk = NULL;
	int err = disk_open(&disk, &cfg);

	CHECK_EQ(err, 0);
	return disk;
}

/* Opening must fail with @want and one line that has @words; no fd is left. */
static void open_fails(bool readonly, bool direct, int want, const char *words)
{
	const struct config_disk cfg = config(readonly, direct);
	int fds = test_open_fds();
	struct disk *disk = NULL;
	const char *text;

	test_stderr_begin();
	CHECK_EQ(disk_open(&disk, &cfg), want);
	text = test_stderr_end();
	if (!strstr(text, words) || !strstr(text, path))
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", text, words);
	CHECK(strchr(text, '\n') == text + strlen(text) - 1);
	CHECK_EQ(test_open_fds(), fds);
}

/* ---- opening ------------------------------------------------------------------------------------ */

static void test_open(void)
{
	int fds = test_open_fds();
	struct disk *disk;

	disk_close(NULL);
	image_make(8192);
	disk = open_ok(false, false);
	CHECK_EQ(disk_size_bytes(disk), 8192);
	CHECK_EQ(disk_block_bytes(disk), 512);
	CHECK(!disk_readonly(disk));
	CHECK(disk_can_discard(disk));
	disk_close(disk);
	disk = open_ok(true, false);
	CHECK(disk_readonly(disk));
	CHECK(!disk_can_discard(disk));
	disk_close(disk);
	CHECK_EQ(test_open_fds(), fds);
	image_remove();
}

static void test_open_errors(void)
{
	image_dir("/tmp");
	open_fails(false, false, -ENOENT, "truncate");
	CHECK_EQ(mkdir(path, 0700), 0);
	open_fails(false, false, -EISDIR, strerror(EISDIR));
	open_fails(true, false, -EISDIR, "a directory");
	rmdir(path);
	CHECK_EQ(mkfifo(path, 0600), 0);
	open_fails(false, false, -EINVAL, "neither a file nor a block device"); /* and does not hang */
	open_fails(true, false, -EINVAL, "neither a file nor a block device");
	image_remove();

	image_make(0);
	open_fails(false, false, -EINVAL, "too few");
	image_remove();
	image_make(511);
	open_fails(false, false, -EINVAL, "511 bytes");
	image_remove();

	if (geteuid() != 0) {
		image_make(512);
		CHECK_EQ(chmod(path, 0400), 0);
		open_fails(false, false, -EACCES, ",ro");
		disk_close(open_ok(true, false));
		CHECK_EQ(chmod(path, 0), 0);
		open_fails(true, false, -EACCES, strerror(EACCES));
		image_remove();
	}
}

static void test_odd_size(void)
{
	struct disk *disk;
	const char *text;

	image_make(1000);
	test_stderr_begin();
	disk = open_ok(false, false);
	text = test_stderr_end();
	CHECK(strstr(text, "warning") && strstr(text, "488 bytes"));
	CHECK_EQ(disk_size_bytes(disk), 512);
	disk_close(disk);
	image_remove();
}

static void test_foreign_formats(void)
{
	static const struct {
		char head[9];
		const char *name;
	} heads[] = {
		{ "QFI\xfb\0\0\0\3", "qcow2" },
		{ "QED\0", "QED" },
		{ "KDMV\1", "VMDK" },
		{ "vhdxfile", "VHDX" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		int fd;

		image_make(4096);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		CHECK_EQ(pwrite(fd, heads[i].head, 8, 0), 8);
		close(fd);
		open_fails(false, false, -EINVAL, heads[i].name);
		open_fails(true, true, -EINVAL, "qemu-img convert");
		image_remove();
	}
}

/* One writer or several readers, also within one process. */
static void test_locks(void)
{
	struct disk *one, *two;
	const char *lock_error = "in use by another process";

	image_make(4096);
	one = open_ok(false, false);
	if (disk_readonly(one))
		return;
	{
		const struct config_disk cfg = config(false, false);

		test_stderr_begin();
		if (disk_open(&two, &cfg) == 0) {
			(void)test_stderr_end();
			disk_close(two);
			disk_close(one);
			image_remove();
			test_skip("no file locks here");
		}
		CHECK(strstr(test_stderr_end(), ",ro"));
	}
	open_fails(false, false, -EBUSY, lock_error);
	open_fails(true, false, -EBUSY, lock_error);
	disk_close(one);

	one = open_ok(true, false);
	two = open_ok(true, false);
	open_fails(false, false, -EBUSY, lock_error);
	disk_close(one);
	open_fails(false, false, -EBUSY, lock_error);
	disk_close(two);
	disk_close(open_ok(false, false));
	image_remove();
}

/* ---- reading and writing ------------------------------------------------------------------------ */

#define DISK_BYTES (512 * 1024 + 512)

static uint32_t random_state;

static uint32_t next_random(void)
{
	random_state = random_state * 1103515245 + 12345;
	return random_state >> 8;
}

/*
 * Random transfers of @unit-sized pieces, checked against a copy in memory. The buffers lie anywhere,
 * their lengths are whatever, some are empty.
 */
static void transfer_at_random(bool direct, uint32_t unit)
{
	uint8_t *model = malloc(DISK_BYTES), *buf = malloc(DISK_BYTES + 4096);
	struct disk *disk;

	image_make(DISK_BYTES);
	for (size_t i = 0; i < DISK_BYTES; i++)
		model[i] = pattern(i);
	disk = open_ok(false, direct);
	CHECK_EQ(disk_size_bytes(disk), DISK_BYTES);
	random_state = unit;

	for (int round = 0; round < 200; round++) {
		uint64_t offset = (uint64_t)next_random() % (DISK_BYTES / unit) * unit;
		uint64_t max = MIN(DISK_BYTES - offset, round % 10 ? 40000 : DISK_BYTES);
		uint64_t len = (next_random() % (max / unit) + 1) * unit, left = len;
		size_t at = next_random() % 3 ? next_random() % 4096 : 0;
		struct iovec iov[300];
		int nr = 0;

		while (left) {
			size_t n = next_random() % (len / 4 + 2);

			if (nr == 299 || n > left)
				n = left;
			iov[nr].iov_base = buf + at;
			iov[nr++].iov_len = n;
			at += n;
			left -= n;
		}
		at -= len;
		if (next_random() % 2) {
			memset(buf + at, 0xee, len);
			CHECK_EQ(disk_read(disk, iov, nr, offset), 0);
			CHECK(!memcmp(buf + at, model + offset, len));
		} else {
			for (size_t i = 0; i < len; i++)
				buf[at + i] = (uint8_t)next_random();
			memcpy(model + offset, buf + at, len);
			CHECK_EQ(disk_write(disk, iov, nr, offset), 0);
		}
	}
	CHECK_EQ(disk_flush(disk), 0);
	disk_close(disk);

	{
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		struct stat st;

		CHECK_EQ(fstat(fd, &st), 0);
		CHECK_EQ(st.st_size, DISK_BYTES); /* did not grow */
		CHECK_EQ(pread(fd, buf, DISK_BYTES, 0), DISK_BYTES);
		CHECK(!memcmp(buf, model, DISK_BYTES));
		close(fd);
	}
	image_remove();
	free(model);
	free(buf);
}

static void test_transfer(void)
{
	transfer_at_random(false, 1);
	transfer_at_random(false, 512);
}

static bool has_direct(void)
{
	int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void test_direct(void)
{
	bool ok;

	image_make(DISK_BYTES);
	ok = has_direct();
	image_remove();
	if (!ok)
		test_skip("the file system of /tmp has no O_DIRECT");
	transfer_at_random(true, 4096);
	transfer_at_random(true, 512);
	transfer_at_random(true, 1);
}

/* Well-aligned requests in one piece, as guests make them. */
static void test_direct_aligned(void)
{
	struct disk *disk;
	struct iovec iov[2];
	void *buf = NULL;

	image_make(65536);
	if (!has_direct()) {
		image_remove();
		test_skip("the file system of /tmp has no O_DIRECT");
	}
	CHECK_EQ(posix_memalign(&buf, 4096, 16384), 0);
	disk = open_ok(false, true);
	iov[0] = (struct iovec){ (uint8_t *)buf + 8192, 8192 };
	iov[1] = (struct iovec){ buf, 4096 };
	CHECK_EQ(disk_read(disk, iov, 2, 4096), 0);
	CHECK_EQ(((uint8_t *)buf)[8192], pattern(4096));
	CHECK_EQ(((uint8_t *)buf)[0], pattern(12288));
	memset(buf, 0, 16384);
	CHECK_EQ(disk_write(disk, iov, 2, 0), 0);
	CHECK(image_has(0, 12288, 0));
	CHECK(image_has(12288, 65536 - 12288, 1));
	disk_close(disk);
	free(buf);
	image_remove();
}

static void test_no_direct(void)
{
	struct stat st;
	int fd;

	/* A file of a pseudo file system, which has none; of those in /sys the size is a page. */
	snprintf(path, sizeof(path), "/sys/kernel/uevent_seqnum");
	if (stat(path, &st) || st.st_size < 512)
		test_skip("no file without O_DIRECT at hand");
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		test_skip("no file without O_DIRECT at hand");
	}
	open_fails(true, true, -EINVAL, "leave out ,direct");
}

static void test_many_buffers(void)
{
	static uint8_t buf[3000];
	struct iovec iov[3000];
	struct disk *disk;

	image_make(4096);
	disk = open_ok(false, false);
	for (int i = 0; i < 3000; i++)
		iov[i] = (struct iovec){ &buf[i], 1 };
	CHECK_EQ(disk_read(disk, iov, 3000, 1000), 0);
	for (uint64_t i = 0; i < 3000; i++)
		CHECK_EQ(buf[i], pattern(1000 + i));
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(disk_write(disk, iov, 3000, 1), 0);
	CHECK(image_has(1, 3000, 0));
	CHECK(image_has(3001, 1095, 1));

	/* Nothing but empty ones. */
	for (int i = 0; i < 3000; i++)
		iov[i].iov_len = 0;
	CHECK_EQ(disk_read(disk, iov, 3000, 0), 0);
	iov[2999].iov_len = 1;
	CHECK_EQ(disk_read(disk, iov, 3000, 4095), 0);
	CHECK_EQ(buf[2999], pattern(4095));
	CHECK_EQ(disk_read(disk, NULL, 0, 4096), 0);
	disk_close(disk);
	image_remove();
}

static void test_bounds(void)
{
	uint8_t buf[1024] = { 0 };
	struct iovec iov[2] = { { buf, 512 }, { buf, 512 } };
	struct disk *disk;

	image_make(4096);
	disk = open_ok(false, false);
	CHECK_EQ(disk_read(disk, iov, 2, 4096 - 1024), 0);
	CHECK_EQ(disk_read(disk, iov, 2, 4096 - 1023), -EINVAL);
	CHECK_EQ(disk_write(disk, iov, 2, 4096 - 512), -EINVAL);
	CHECK_EQ(disk_read(disk, iov, 1, UINT64_MAX - 100), -EINVAL);
	CHECK_EQ(disk_read(disk, iov, 1, UINT64_C(1) << 63), -EINVAL);
	iov[0].iov_len = SIZE_MAX;
	CHECK_EQ(disk_read(disk, iov, 2, 0), -EINVAL);
	CHECK_EQ(disk_discard(disk, 4096, 1), -EINVAL);
	CHECK_EQ(disk_discard(disk, UINT64_MAX, 2), -EINVAL);
	CHECK_EQ(disk_write_zeroes(disk, 0, 4097, true), -EINVAL);
	CHECK_EQ(disk_write_zeroes(disk, 4096, UINT64_MAX, false), -EINVAL);
	CHECK_EQ(disk_write_zeroes(disk, 4096, 0, false), 0);
	CHECK_EQ(disk_discard(disk, 4096, 0), 0);
	CHECK(image_has(0, 4096, 1));
	disk_close(disk);
	image_remove();
}

static void test_readonly(void)
{
	uint8_t buf[512] = { 0 };
	struct iovec iov = { buf, 512 };
	struct disk *disk;

	image_make(4096);
	disk = open_ok(true, false);
	CHECK_EQ(disk_read(disk, &iov, 1, 512), 0);
	CHECK_EQ(buf[0], pattern(512));
	CHECK_EQ(disk_write(disk, &iov, 1, 0), -EROFS);
	CHECK_EQ(disk_discard(disk, 0, 512), -EROFS);
	CHECK_EQ(disk_write_zeroes(disk, 0, 512, true), -EROFS);
	CHECK_EQ(disk_flush(disk), 0);
	CHECK(image_has(0, 4096, 1));
	disk_close(disk);
	image_remove();
}

/* Somebody truncates the file under a running guest. */
static void test_shrunk(void)
{
	uint8_t buf[1024];
	struct iovec iov = { buf, 1024 };
	struct disk *disk;
	const char *text;

	image_make(4096);
	disk = open_ok(false, false);
	CHECK_EQ(truncate(path, 512), 0);
	test_stderr_begin();
	CHECK_EQ(disk_read(disk, &iov, 1, 0), -EIO);
	CHECK_EQ(disk_read(disk, &iov, 1, 2048), -EIO);
	text = test_stderr_end();
	CHECK(strstr(text, path) && strstr(text, "read 1024 bytes at 0"));
	disk_close(disk);
	image_remove();
}

/* The host's disk is full, or the user's limit reached. */
static void test_host_error(void)
{
	struct rlimit old, limit;
	struct sigaction old_sa, ign = { .sa_handler = SIG_IGN };
	uint8_t buf[1024] = { 0 };
	struct iovec iov = { buf, 1024 };
	struct disk *disk;
	const char *text;

	image_make(4096);
	disk = open_ok(false, false);
	sigaction(SIGXFSZ, &ign, &old_sa);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	limit.rlim_cur = 2048;
	setrlimit(RLIMIT_FSIZE, &limit);
	test_stderr_begin();
	if (disk_write(disk, &iov, 1, 2048) == 0) {
		(void)test_stderr_end();
	} else {
		for (int i = 0; i < 100; i++)
			CHECK_EQ(disk_write(disk, &iov, 1, 2048), -EFBIG);
		text = test_stderr_end();
		CHECK(strstr(text, strerror(EFBIG)));
		CHECK(strlen(text) < 2000); /* not a line for each */
	}
	setrlimit(RLIMIT_FSIZE, &old);
	sigaction(SIGXFSZ, &old_sa, NULL);
	disk_close(disk);
	image_remove();
}

/* ---- discarding and zeroing --------------------------------------------------------------------- */

static uint64_t image_blocks(void)
{
	struct stat st;

	CHECK_EQ(stat(path, &st), 0);
	return (uint64_t)st.st_blocks;
}

static void test_discard(void)
{
	struct disk *disk;
	uint64_t before;
	int err;

	image_make(1 << 20);
	disk = open_ok(false, false);
	CHECK_EQ(disk_flush(disk), 0);
	before = image_blocks();
	err = disk_discard(disk, 4096, 512 * 1024);
	if (err == -EOPNOTSUPP) {
		CHECK(!disk_can_discard(disk));
		CHECK_EQ(disk_discard(disk, 0, 4096), -EOPNOTSUPP);
	} else {
		CHECK_EQ(err, 0);
		CHECK(image_blocks() < before);
		CHECK(image_has(4096, 512 * 1024, 0));
	}
	CHECK(image_has(0, 4096, 1));
	CHECK(image_has(4096 + 512 * 1024, 1024, 1));
	CHECK_EQ(disk_discard(disk, 0, 0), 0);
	disk_close(disk);
	image_remove();
}

static void zero_ranges(bool direct)
{
	static const struct { uint64_t offset, len; } ranges[] = {
		{ 512, 512 }, { 4096, 4096 }, { 10000, 3 }, { 100 * 1024, 300 * 1024 },
		{ DISK_BYTES - 1, 1 }, { DISK_BYTES - 512, 512 },
	};

	for (int may_unmap = 0; may_unmap < 2; may_unmap++) {
		for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
			uint64_t end = ranges[i].offset + ranges[i].len;
			struct disk *disk;
			struct stat st;

			image_make(DISK_BYTES);
			disk = open_ok(false, direct);
			CHECK_EQ(disk_write_zeroes(disk, ranges[i].offset, ranges[i].len, may_unmap),
				 0);
			disk_close(disk);
			CHECK(image_has(0, ranges[i].offset, 1));
			CHECK(image_has(ranges[i].offset, ranges[i].len, 0));
			CHECK(image_has(end, DISK_BYTES - end, 1));
			CHECK_EQ(stat(path, &st), 0);
			CHECK_EQ(st.st_size, DISK_BYTES);
			image_remove();
		}
	}
}

static void test_write_zeroes(void)
{
	zero_ranges(false);
}

static void test_write_zeroes_direct(void)
{
	bool ok;

	image_make(512);
	ok = has_direct();
	image_remove();
	if (!ok)
		test_skip("the file system of /tmp has no O_DIRECT");
	zero_ranges(true);
}

/* tmpfs punches holes but has no ZERO_RANGE: plain writes do it. */
static void test_zeroes_by_writing(void)
{
	uint8_t zero[8192] = { 0 }, buf[8192];
	struct iovec iov = { buf, sizeof(buf) };
	struct disk *disk;
	int fd;

	image_dir("/dev/shm");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK_EQ(ftruncate(fd, 1 << 20), 0);
	close(fd);
	disk = open_ok(false, false);
	memset(buf, 0xaa, sizeof(buf));
	for (uint64_t at = 0; at < 1 << 20; at += sizeof(buf))
		CHECK_EQ(disk_write(disk, &iov, 1, at), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(disk_write_zeroes(disk, 512, (1 << 20) - 1024, i), 0);
		CHECK_EQ(disk_read(disk, &iov, 1, 0), 0);
		CHECK(buf[511] == 0xaa && !memcmp(buf + 512, zero, sizeof(buf) - 512));
		CHECK_EQ(disk_read(disk, &iov, 1, 512 * 1024), 0);
		CHECK(!memcmp(buf, zero, sizeof(buf)));
		CHECK_EQ(disk_read(disk, &iov, 1, (1 << 20) - sizeof(buf)), 0);
		CHECK(!memcmp(buf, zero, sizeof(buf) - 512) && buf[sizeof(buf) - 512] == 0xaa);
	}
	disk_close(disk);
	image_remove();
}

/* ---- block devices ------------------------------------------------------------------------------ */

/* Binds the image to a loop device that goes away when closed; its fd, or -1. */
static int loop_attach(char *dev, size_t size)
{
	struct loop_info64 info = { .lo_flags = LO_FLAGS_AUTOCLEAR };
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int nr = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);
	int file, fd;

	if (control >= 0)
		close(control);
	if (nr < 0)
		return -1;
	snprintf(dev, size, "/dev/loop%d", nr);
	fd = open(dev, O_RDWR | O_CLOEXEC);
	file = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0 && (ioctl(fd, LOOP_SET_FD, file) || ioctl(fd, LOOP_SET_STATUS64, &info))) {
		close(fd);
		fd = -1;
	}
	close(file);
	return fd;
}

static void test_block_device(void)
{
	uint8_t buf[8192], zero[8192] = { 0 };
	struct iovec iov = { buf + 1, 4096 };
	char dev[32];
	int fd;

	image_make(1 << 20);
	fd = loop_attach(dev, sizeof(dev));
	if (fd < 0) {
		image_remove();
		test_skip("no loop devices for us here");
	}
	for (int direct = 0; direct < 2; direct++) {
		const struct config_disk cfg = { .path = dev, .direct = direct };
		struct disk *disk, *two;
		int err;

		CHECK_EQ(disk_open(&disk, &cfg), 0);
		CHECK_EQ(disk_size_bytes(disk), 1 << 20);
		CHECK_EQ(disk_block_bytes(disk), 512);
		test_stderr_begin();
		CHECK_EQ(disk_open(&two, &cfg), -EBUSY);
		(void)test_stderr_end();

		CHECK_EQ(disk_read(disk, &iov, 1, 512 * 1024), 0);
		CHECK_EQ(buf[1], pattern(512 * 1024));
		memset(buf, 0xaa, sizeof(buf));
		CHECK_EQ(disk_write(disk, &iov, 1, 512), 0);
		memset(buf, 0, sizeof(buf));
		CHECK_EQ(disk_read(disk, &iov, 1, 512), 0);
		CHECK(buf[1] == 0xaa && buf[4096] == 0xaa);
		for (int may_unmap = 0; may_unmap < 2; may_unmap++) {
			CHECK_EQ(disk_write(disk, &iov, 1, 512), 0);
			CHECK_EQ(disk_write_zeroes(disk, 1024, 3000, may_unmap), 0);
			CHECK_EQ(disk_read(disk, &iov, 1, 512), 0);
			CHECK(buf[1] == 0xaa && buf[512] == 0xaa);
			CHECK(!memcmp(buf + 513, zero, 3000));
			CHECK(buf[513 + 3000] == 0xaa && buf[4096] == 0xaa);
			memset(buf, 0xaa, sizeof(buf));
		}
		err = disk_discard(disk, 65536, 65536);
		CHECK(err == 0 || err == -EOPNOTSUPP);
		CHECK_EQ(disk_discard(disk, 100, 100), err); /* no whole block in there */
		CHECK_EQ(disk_flush(disk), 0);
		disk_close(disk);
	}
	close(fd);
	image_remove();
}

const struct test disk_tests[] = {
	{ "open", test_open },
	{ "open-errors", test_open_errors },
	{ "odd-size", test_odd_size },
	{ "foreign-formats", test_foreign_formats },
	{ "locks", test_locks },
	{ "transfer", test_transfer },
	{ "direct", test_direct },
	{ "direct-aligned", test_direct_aligned },
	{ "no-direct", test_no_direct },
	{ "many-buffers", test_many_buffers },
	{ "bounds", test_bounds },
	{ "readonly", test_readonly },
	{ "shrunk", test_shrunk },
	{ "host-error", test_host_error },
	{ "discard", test_discard },
	{ "write-zeroes", test_write_zeroes },
	{ "write-zeroes-direct", test_write_zeroes_direct },
	{ "zeroes-by-writing", test_zeroes_by_writing },
	{ "block-device", test_block_device },
	{ 0 },
};
