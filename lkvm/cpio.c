// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/cpio.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define HEADER_BYTES 110

int cpio_create(struct cpio *cpio)
{
	memset(cpio, 0, sizeof(*cpio));
	cpio->fd = memfd_create("initramfs", MFD_CLOEXEC);
	return cpio->fd < 0 ? -errno : 0;
}

void cpio_destroy(struct cpio *cpio)
{
	if (cpio->fd >= 0)
		close(cpio->fd);
	cpio->fd = -1;
}

static int write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

static int flush(struct cpio *cpio)
{
	int ret = write_all(cpio->fd, cpio->buf, cpio->len);

	cpio->len = 0;
	return ret;
}

static int put(struct cpio *cpio, const void *data, size_t len)
{
	cpio->size_bytes += len;
	if (len > sizeof(cpio->buf) - cpio->len) {
		int ret = flush(cpio);

		if (ret)
			return ret;
	}
	if (len > sizeof(cpio->buf))
		return write_all(cpio->fd, data, len);
	memcpy(cpio->buf + cpio->len, data, len);
	cpio->len += len;
	return 0;
}

/* Entries and their data begin at multiples of 4. */
static int pad(struct cpio *cpio)
{
	return put(cpio, "\0\0\0", -cpio->size_bytes & 3);
}

static int put_header(struct cpio *cpio, const char *name, mode_t mode, dev_t rdev, uint64_t len)
{
	char header[HEADER_BYTES + 1];
	size_t name_bytes = strlen(name) + 1;
	int ret;

	if (len > UINT32_MAX)
		return -EFBIG;
	snprintf(header, sizeof(header), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", ++cpio->inode,
		 (unsigned int)mode, 0, 0, 1, 0, (unsigned int)len, 0, 0, major(rdev), minor(rdev),
		 (unsigned int)name_bytes, 0);
	ret = put(cpio, header, HEADER_BYTES);
	if (!ret)
		ret = put(cpio, name, name_bytes);
	return ret ? ret : pad(cpio);
}

int cpio_add(struct cpio *cpio, const char *name, mode_t mode, dev_t rdev, const void *data, size_t len)
{
	int ret = put_header(cpio, name, mode, rdev, len);

	if (!ret && len)
		ret = put(cpio, data, len);
	return ret ? ret : pad(cpio);
}

static int copy_all(int to, int from, uint64_t len)
{
	off_t at = 0;
	char buf[65536];

	while (len) {
		ssize_t n = sendfile(to, from, &at, (size_t)MIN(len, (uint64_t)1 << 30));

		/* Not every file system can. */
		if (n < 0 && (errno == EINVAL || errno == ENOSYS)) {
			n = pread(from, buf, (size_t)MIN(len, (uint64_t)sizeof(buf)), at);
			if (n > 0 && write_all(to, buf, (size_t)n))
				return -errno;
			at += n > 0 ? n : 0;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		len -= (uint64_t)n;
	}
	return 0;
}

int cpio_add_file(struct cpio *cpio, const char *name, mode_t mode, int fd, uint64_t len)
{
	int ret = put_header(cpio, name, S_IFREG | (mode & 07777), 0, len);

	if (!ret)
		ret = flush(cpio);
	if (!ret)
		ret = copy_all(cpio->fd, fd, len);
	if (ret)
		return ret;
	cpio->size_bytes += len;
	return pad(cpio);
}

int cpio_finish(struct cpio *cpio, int *fd)
{
	int ret = put_header(cpio, "TRAILER!!!", 0, 0, 0);

	if (!ret)
		ret = flush(cpio);
	if (ret)
		return ret;
	*fd = cpio->fd;
	cpio->fd = -1;
	return 0;
}
