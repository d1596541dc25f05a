/* SPDX-License-Identifier: GPL-2.0-only */
/* virtio 9P transport: device 9, whose configuration is in Linux include/uapi/linux/virtio_9p.h. */
#ifndef VIRTIO_9P_H
#define VIRTIO_9P_H

#include "lkvm/p9-server.h"
#include "lkvm/types.h"
#include "virtio/core.h"

/* The longest name that a guest can be told. */
#define VIRTIO_9P_TAG_BYTES 200u

/*
 * Gives the guest @server's directory by the name @tag, of 1 to VIRTIO_9P_TAG_BYTES characters. Owns @server
 * from now on: it is destroyed by the device's destroy(), and when this call fails. Served on a thread of its
 * own. 0 or -errno (reported).
 */
int virtio_9p_create(struct virtio_device **dev, const struct virtio_env *env, struct p9_server *server,
		     const char *tag) LKVM_MUST_CHECK;

#endif
