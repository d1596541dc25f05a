/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a cpio archive that Linux unpacks as initramfs: the format "newc", Linux
 * Documentation/driver-api/early-userspace/buffer-format.rst. It is made in memory.
 */
#ifndef LKVM_CPIO_H
#define LKVM_CPIO_H

#include <sys/types.h>

#include "lkvm/types.h"

struct cpio {
	int      fd;     /* memfd, -1: none */
	uint64_t size_bytes;
	uint32_t inode;  /* of the last entry */
	char     buf[8192]; /* entries that have not been written yet */
	size_t   len;
};

/* 0 or -errno. */
int cpio_create(struct cpio *cpio) LKVM_MUST_CHECK;
/* Closes the memfd, unless cpio_finish() gave it away. */
void cpio_destroy(struct cpio *cpio);

/*
 * An entry: a directory, a device (@rdev), a symbolic link (its target as @data) or a file. @name has no slash
 * at its start; directories above it must have been added before. 0 or -errno.
 */
int cpio_add(struct cpio *cpio, const char *name, mode_t mode, dev_t rdev, const void *data, size_t len)
	LKVM_MUST_CHECK;
/* A regular file with the first @len bytes of @fd; -EIO if it has fewer. */
int cpio_add_file(struct cpio *cpio, const char *name, mode_t mode, int fd, uint64_t len) LKVM_MUST_CHECK;

/* Ends the archive. 0 with the memfd, the caller's from now on, or -errno. */
int cpio_finish(struct cpio *cpio, int *fd) LKVM_MUST_CHECK;

#endif
