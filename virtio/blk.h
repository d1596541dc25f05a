/* SPDX-License-Identifier: GPL-2.0-only */
/* virtio block device (virtio 1.3 §5.2) on a disk back end. */
#ifndef VIRTIO_BLK_H
#define VIRTIO_BLK_H

#include "lkvm/disk.h"
#include "lkvm/types.h"
#include "virtio/core.h"

/*
 * Makes a disk of @disk, which it owns from now on: it is closed by the device's destroy(), and
 * when this call fails. @id (at most 20 characters count) is the serial number that the guest can
 * ask for. Served on a thread of its own. 0 or -errno (reported).
 */
int virtio_blk_create(struct virtio_device **dev, const struct virtio_env *env, struct disk *disk,
		      const char *id) LKVM_MUST_CHECK;

#endif
