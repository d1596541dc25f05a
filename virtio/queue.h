/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device's side of a split virtqueue (virtio 1.3 §2.7): get a chain of buffers, put it back,
 * ask whether the driver wants to hear of it. Pure: no lock, no thread, no device; the caller
 * serialises.
 *
 * Everything in the rings is the guest's and may change at any moment. Each field is read once,
 * checked and only then used. After the first mistake the queue is broken: virtqueue_get() fails
 * and @why says what was wrong, until virtqueue_init().
 */
#ifndef VIRTIO_QUEUE_H
#define VIRTIO_QUEUE_H

#include <sys/uio.h>

#include "lkvm/memory.h"
#include "lkvm/types.h"

/*
 * Bounds the queue size that a device may offer, the descriptors of a chain, and with both the
 * vector of a chain; as much as preadv(2) takes (UIO_MAXIOV).
 */
#define VIRTQUEUE_MAX_SIZE 1024

/* Bytes of each ring (virtio 1.3 §2.7, table "alignment and size"), used_event and avail_event included. */
#define VIRTQUEUE_DESC_BYTES(size)  (16 * (uint64_t)(size))
#define VIRTQUEUE_AVAIL_BYTES(size) (6 + 2 * (uint64_t)(size))
#define VIRTQUEUE_USED_BYTES(size)  (6 + 8 * (uint64_t)(size))

struct virtqueue_config {
	uint16_t size; /* power of two, at most VIRTQUEUE_MAX_SIZE */
	gpa_t    desc;
	gpa_t    avail;
	gpa_t    used;
	bool     event_idx; /* VIRTIO_F_EVENT_IDX was negotiated */
	bool     indirect;  /* VIRTIO_F_INDIRECT_DESC was negotiated */
	bool     big_endian; /* the legacy interface with a guest of that byte order */
};

struct virtqueue {
	const struct memory *mem;
	uint16_t       size;
	bool           event_idx;
	bool           indirect;
	bool           big_endian;
	const uint8_t *desc;  /* host addresses of the rings; NULL: not set up */
	const uint8_t *avail;
	uint8_t       *used;
	uint16_t       next_avail; /* the avail index that virtqueue_get() takes next */
	uint16_t       used_idx;   /* what we last stored in the used ring */
	uint16_t       decided;    /* used_idx at the last virtqueue_should_notify() */
	const char    *why;        /* the guest's mistake; NULL: none so far */
};

/* One direction of a chain. The functions below consume it from either end. */
struct virtqueue_span {
	struct iovec *iov;
	unsigned int  nr;
	uint64_t      bytes;
};

/* Buffers that follow each other in host memory have been merged, empty ones left out. */
struct virtqueue_chain {
	uint16_t              head;
	uint32_t              writable_bytes; /* as the driver offered them, saturated */
	struct virtqueue_span readable;       /* driver to device */
	struct virtqueue_span writable;       /* device to driver */
	struct iovec          iov[VIRTQUEUE_MAX_SIZE];
};

/*
 * Sets the queue up, empty, with all indices 0. Returns 0; -EINVAL for a size that is not a power
 * of two in range or a misaligned ring; -EFAULT for a ring that is not in guest memory (used ring:
 * writable memory). @vq->why says which. @mem must outlive the queue.
 */
int virtqueue_init(struct virtqueue *vq, const struct memory *mem,
		   const struct virtqueue_config *cfg) LKVM_MUST_CHECK;

/*
 * Takes the next chain that the driver made available. Returns 1 with @chain filled, 0 if there is
 * none, -EPROTO once the queue is broken. The chain's vectors stay valid for as long as guest
 * memory.
 */
int virtqueue_get(struct virtqueue *vq, struct virtqueue_chain *chain) LKVM_MUST_CHECK;

/*
 * Gives @chain back: the device wrote the first @written bytes of its writable part. The driver
 * sees it at once, but is told only as virtqueue_should_notify() says.
 */
void virtqueue_put(struct virtqueue *vq, const struct virtqueue_chain *chain, uint32_t written);

/* True if the driver wants an interrupt for what was put since the last call. */
bool virtqueue_should_notify(struct virtqueue *vq);

/* Asks the driver not to ring while we look at the queue anyway. A hint. */
void virtqueue_disable_kicks(struct virtqueue *vq);
/*
 * Asks the driver to ring for the next chain. Returns true if there is one already: then look
 * again.
 */
bool virtqueue_enable_kicks(struct virtqueue *vq);

/*
 * virtqueue_get() for those who serve what there is and then wait for the doorbell: when it finds
 * nothing, it asks the driver to ring and looks once more.
 */
int virtqueue_next(struct virtqueue *vq, struct virtqueue_chain *chain) LKVM_MUST_CHECK;

/* Breaks the queue because of what a chain holds. @why is static text; the first one stays. */
void virtqueue_fail(struct virtqueue *vq, const char *why);

/* Copies up to @len bytes out of / into the front of @span and consumes them. Returns how many. */
size_t virtqueue_read(struct virtqueue_span *span, void *buf, size_t len);
size_t virtqueue_write(struct virtqueue_span *span, const void *buf, size_t len);
/* Consumes @len bytes, which must be there, within the first piece of @span. */
void virtqueue_skip(struct virtqueue_span *span, size_t len);
/* Zeroes all of @span; consumes nothing. */
void virtqueue_zero(const struct virtqueue_span *span);
/* Consumes the last byte of @span and returns its address; NULL if the span is empty. */
uint8_t *virtqueue_last_byte(struct virtqueue_span *span);

#endif
