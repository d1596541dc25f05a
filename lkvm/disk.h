/* SPDX-License-Identifier: GPL-2.0-only */
/* A disk's back end: a raw file or a block device. Calls block; one thread at a time per disk. */
#ifndef LKVM_DISK_H
#define LKVM_DISK_H

#include <sys/uio.h>

#include "lkvm/config.h"
#include "lkvm/types.h"

struct disk;

/* Opens and locks (one writer or several readers) the image. 0 or -errno (reported, with the way out). */
int disk_open(struct disk **disk, const struct config_disk *cfg) LKVM_MUST_CHECK;
void disk_close(struct disk *disk);

uint64_t disk_size_bytes(const struct disk *disk);
/* Logical block size that the guest is told: 512, or a block device's own. */
uint32_t disk_block_bytes(const struct disk *disk);
bool disk_readonly(const struct disk *disk);
bool disk_can_discard(const struct disk *disk);

/*
 * All of the vector at @offset or -errno (-EIO on a short transfer, -EINVAL beyond the end, -EROFS,
 * -ENOSPC). The host's errors are reported, at a limited rate. Nothing need be aligned.
 */
int disk_read(struct disk *disk, const struct iovec *iov, int nr, uint64_t offset) LKVM_MUST_CHECK;
int disk_write(struct disk *disk, const struct iovec *iov, int nr, uint64_t offset) LKVM_MUST_CHECK;
int disk_flush(struct disk *disk) LKVM_MUST_CHECK;
/* Frees the range; its contents are then undefined. -EOPNOTSUPP (silent) where the host can't. */
int disk_discard(struct disk *disk, uint64_t offset, uint64_t len) LKVM_MUST_CHECK;
/* The range reads as zeros afterwards; @may_unmap allows to free it. */
int disk_write_zeroes(struct disk *disk, uint64_t offset, uint64_t len, bool may_unmap) LKVM_MUST_CHECK;

#endif
