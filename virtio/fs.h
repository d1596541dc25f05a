/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio-fs (virtio 1.3 §5.11): a directory of the host, which another process, virtiofsd, serves
 * through vhost-user. What is here is the device's registers, and the way of its interrupts.
 */
#ifndef VIRTIO_FS_H
#define VIRTIO_FS_H

#include "lkvm/types.h"
#include "virtio/core.h"
#include "virtio/vhost-user.h"

/* The longest name that a guest can be told. */
#define VIRTIO_FS_TAG_BYTES 36u

/*
 * Gives the guest what the back end of @vu, just opened, serves, by the name @tag of 1 to
 * VIRTIO_FS_TAG_BYTES characters. env->mem must be shared. The connection, vu->fd, is the device's
 * from now on: it is closed by destroy(), and when this call fails. @lost is called once if the back
 * end misbehaves while the device is started; @why says how (vhost_user.why), and is NULL if it closed
 * the connection; on env->loop, no locks held. 0 or -errno (reported).
 */
int virtio_fs_create(struct virtio_device **dev, const struct virtio_env *env, const struct vhost_user *vu,
		     const char *tag, void (*lost)(void *opaque, const char *why), void *opaque) LKVM_MUST_CHECK;

#endif
