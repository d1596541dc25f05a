/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The front end of vhost-user: lets another process, the back end, serve a virtio device. It gets
 * guest memory and the device's queues, so what the guest asks of it does not come by here. Numbers
 * and layouts are those of QEMU's docs/interop/vhost-user.rst; all of it is in the host's byte order.
 *
 * Every request is answered, and waited for: 0 or -errno, which struct vhost_user remembers: after the
 * first failure all others fail at once, for the back end is lost. The caller serialises.
 */
#ifndef VIRTIO_VHOST_USER_H
#define VIRTIO_VHOST_USER_H

#include "lkvm/memory.h"
#include "lkvm/types.h"
#include "virtio/queue.h"

/* How long an answer may take: a back end first finishes what a queue holds, and hosts may be slow. */
#define VHOST_USER_TIMEOUT_MS 30000
/* Pieces of guest memory that every back end can take. */
#define VHOST_USER_MAX_REGIONS 8

struct vhost_user {
	int          fd;         /* a connected stream socket; the caller's */
	unsigned int timeout_ms; /* VHOST_USER_TIMEOUT_MS, unless changed */
	uint64_t     features;   /* virtio's, as the back end offers them */
	int          err;        /* -errno of what failed first; -ECONNRESET: it closed the connection */
	char         why[96];    /* for people, behind the back end's name: "refused SET_MEM_TABLE" */
};

/* Makes itself known over @fd, and asks what the back end can do. */
int vhost_user_open(struct vhost_user *vu, int fd) LKVM_MUST_CHECK;
/* What the driver accepted of @vu->features. */
int vhost_user_set_features(struct vhost_user *vu, uint64_t features) LKVM_MUST_CHECK;
/* All of @mem that has a file (memory.share). */
int vhost_user_set_memory(struct vhost_user *vu, const struct memory *mem) LKVM_MUST_CHECK;
/*
 * Lets the back end serve @vq, which is in that memory, as its queue @index from the first buffer on:
 * it reads the doorbell from eventfd @kick and signals interrupts to eventfd @call.
 */
int vhost_user_start_queue(struct vhost_user *vu, unsigned int index, const struct virtqueue *vq,
			   int kick, int call) LKVM_MUST_CHECK;
/* When this returns, the back end is done with the queue and does not touch it any more. */
int vhost_user_stop_queue(struct vhost_user *vu, unsigned int index) LKVM_MUST_CHECK;

#endif
