// SPDX-License-Identifier: GPL-2.0-only
#include "virtio/queue.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <stdatomic.h>
#include <string.h>

#include "lkvm/byteorder.h"

/* struct virtq_avail and virtq_used (virtio 1.3 §2.7.6, §2.7.8): flags, idx, ring, event. */
#define RING_FLAGS 0
#define RING_IDX   2
#define RING_SLOTS 4

#define DESC_BYTES 16

/* A split ring may not describe more than 2^32 bytes in one chain (virtio 1.3 §2.7.5.2). */
#define CHAIN_MAX_BYTES (UINT64_C(1) << 32)

struct descriptor {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

/* The rings are 2-byte aligned (checked at set-up), and regions start on a page. */
static uint16_t load16(const struct virtqueue *vq, const uint8_t *p, int order)
{
	uint16_t v = __atomic_load_n((const uint16_t *)(const void *)p, order);

	return vq->big_endian ? be16toh(v) : le16toh(v);
}

static void store16(const struct virtqueue *vq, uint8_t *p, uint16_t v, int order)
{
	__atomic_store_n((uint16_t *)(void *)p, vq->big_endian ? htobe16(v) : htole16(v), order);
}

static int fail(struct virtqueue *vq, const char *why)
{
	virtqueue_fail(vq, why);
	return -EPROTO;
}

void virtqueue_fail(struct virtqueue *vq, const char *why)
{
	if (!vq->why)
		vq->why = why;
}

/*
 * What the guest can't write the device must not write either: a device would otherwise be a way
 * around a read-only memslot.
 */
static void *writable_ptr(const struct memory *mem, gpa_t gpa, uint64_t len)
{
	const struct memory_region *region = memory_find(mem, gpa);

	if (!region || region->readonly)
		return NULL;
	return memory_ptr(mem, gpa, len);
}

int virtqueue_init(struct virtqueue *vq, const struct memory *mem,
		   const struct virtqueue_config *cfg)
{
	*vq = (struct virtqueue){
		.mem = mem,
		.size = cfg->size,
		.event_idx = cfg->event_idx,
		.indirect = cfg->indirect,
		.big_endian = cfg->big_endian,
	};
	if (!is_power_of_two(cfg->size) || cfg->size > VIRTQUEUE_MAX_SIZE) {
		vq->why = "queue size is not a power of two in range";
		return -EINVAL;
	}
	/* virtio 1.3 §2.7, table "alignment and size". */
	if (cfg->desc % 16 || cfg->avail % 2 || cfg->used % 4) {
		vq->why = "misaligned ring";
		return -EINVAL;
	}
	vq->desc = memory_ptr(mem, cfg->desc, VIRTQUEUE_DESC_BYTES(cfg->size));
	vq->avail = memory_ptr(mem, cfg->avail, VIRTQUEUE_AVAIL_BYTES(cfg->size));
	vq->used = writable_ptr(mem, cfg->used, VIRTQUEUE_USED_BYTES(cfg->size));
	if (!vq->desc || !vq->avail || !vq->used) {
		vq->why = !vq->desc ? "descriptor table is outside guest memory" :
			!vq->avail ? "available ring is outside guest memory" :
			"used ring is outside guest memory";
		return -EFAULT;
	}
	return 0;
}

/*
 * Takes one snapshot of a descriptor. An indirect table may lie at any address, so this is a byte
 * copy; the fence keeps the compiler from going back to guest memory for a field that has been
 * checked.
 */
static void read_descriptor(const struct virtqueue *vq, struct descriptor *d, const uint8_t *p)
{
	uint8_t raw[DESC_BYTES];

	memcpy(raw, p, sizeof(raw));
	atomic_signal_fence(memory_order_seq_cst);
	if (vq->big_endian) {
		d->addr = get_be64(raw);
		d->len = get_be32(raw + 8);
		d->flags = get_be16(raw + 12);
		d->next = get_be16(raw + 14);
		return;
	}
	d->addr = get_le64(raw);
	d->len = get_le32(raw + 8);
	d->flags = get_le16(raw + 12);
	d->next = get_le16(raw + 14);
}

static int add_buffer(struct virtqueue *vq, struct virtqueue_chain *chain,
		      const struct descriptor *d)
{
	bool write = d->flags & VRING_DESC_F_WRITE;
	struct virtqueue_span *span = write ? &chain->writable : &chain->readable;
	struct iovec *last;
	void *ptr;

	if (d->len > CHAIN_MAX_BYTES - chain->readable.bytes - chain->writable.bytes)
		return fail(vq, "descriptor chain is longer than 4 GiB");
	if (!d->len)
		return 0;
	ptr = write ? writable_ptr(vq->mem, d->addr, d->len) : memory_ptr(vq->mem, d->addr, d->len);
	if (!ptr)
		return fail(vq, "buffer is outside guest memory");
	last = span->nr ? &span->iov[span->nr - 1] : NULL;
	/* Both pieces lie in guest memory, so their sum is the size of mapped memory: it fits. */
	if (last && (uint8_t *)last->iov_base + last->iov_len == ptr) {
		last->iov_len += d->len;
	} else {
		/* virtqueue_get() keeps a chain to VIRTQUEUE_MAX_SIZE descriptors. */
		assert(chain->readable.nr + chain->writable.nr < VIRTQUEUE_MAX_SIZE);
		span->iov[span->nr++] = (struct iovec){ .iov_base = ptr, .iov_len = d->len };
	}
	span->bytes += d->len;
	return 0;
}

static int walk(struct virtqueue *vq, uint16_t head, struct virtqueue_chain *chain)
{
	const uint8_t *table = vq->desc;
	uint32_t entries = vq->size;   /* of the table that we are in */
	uint32_t left = entries;       /* descriptors before this must be a loop */
	unsigned int seen = 0;         /* over both tables */
	bool in_indirect = false;
	bool writing = false;
	uint16_t index = head;
	struct descriptor d;
	int ret;

	for (;;) {
		if (index >= entries)
			return fail(vq, "descriptor index is beyond the table");
		if (!left--)
			return fail(vq, "descriptor chain loops");
		read_descriptor(vq, &d, table + (size_t)index * DESC_BYTES);

		if (d.flags & VRING_DESC_F_INDIRECT) {
			/* virtio 1.3 §2.7.5.3.1; WRITE is to be ignored here (§2.7.5.3.2). */
			if (!vq->indirect)
				return fail(vq, "indirect descriptor was not negotiated");
			if (in_indirect)
				return fail(vq, "nested indirect descriptor");
			if (d.flags & VRING_DESC_F_NEXT)
				return fail(vq, "indirect descriptor has a successor");
			if (!d.len || d.len % DESC_BYTES)
				return fail(vq, "indirect table of a wrong size");
			table = memory_ptr(vq->mem, d.addr, d.len);
			if (!table)
				return fail(vq, "indirect table is outside guest memory");
			in_indirect = true;
			entries = d.len / DESC_BYTES;
			left = entries;
			index = 0;
			continue;
		}
		if (++seen > VIRTQUEUE_MAX_SIZE)
			return fail(vq, "descriptor chain is too long");
		if (d.flags & VRING_DESC_F_WRITE) {
			/* The writable part begins where the readable one ended. */
			if (!writing)
				chain->writable.iov = chain->iov + chain->readable.nr;
			writing = true;
		} else if (writing) {
			return fail(vq, "readable buffer after a writable one"); /* §2.7.4.2 */
		}
		ret = add_buffer(vq, chain, &d);
		if (ret)
			return ret;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return 0;
		index = d.next;
	}
}

int virtqueue_get(struct virtqueue *vq, struct virtqueue_chain *chain)
{
	uint16_t idx, head, waiting;
	int ret;

	if (vq->why)
		return -EPROTO;
	/* Acquire: the ring slot and the descriptors were written before the index. */
	idx = load16(vq, vq->avail + RING_IDX, __ATOMIC_ACQUIRE);
	waiting = (uint16_t)(idx - vq->next_avail);
	if (!waiting)
		return 0;
	if (waiting > vq->size)
		return fail(vq, "available index jumped");
	head = load16(vq, vq->avail + RING_SLOTS + 2 * (vq->next_avail & (vq->size - 1)),
		      __ATOMIC_RELAXED);

	chain->head = head;
	chain->readable = (struct virtqueue_span){ .iov = chain->iov };
	chain->writable = (struct virtqueue_span){ .iov = chain->iov };
	ret = walk(vq, head, chain);
	if (ret)
		return ret;
	chain->writable_bytes = (uint32_t)MIN(chain->writable.bytes, (uint64_t)UINT32_MAX);
	vq->next_avail++;
	return 1;
}

void virtqueue_put(struct virtqueue *vq, const struct virtqueue_chain *chain, uint32_t written)
{
	uint8_t *slot = vq->used + RING_SLOTS + 8 * (size_t)(vq->used_idx & (vq->size - 1));
	uint32_t len = MIN(written, chain->writable_bytes);

	if (vq->big_endian) {
		put_be32(slot, chain->head);
		put_be32(slot + 4, len);
	} else {
		put_le32(slot, chain->head);
		put_le32(slot + 4, len);
	}
	/* Release: data and slot are visible before the index that publishes them. */
	store16(vq, vq->used + RING_IDX, ++vq->used_idx, __ATOMIC_RELEASE);
}

bool virtqueue_should_notify(struct virtqueue *vq)
{
	uint16_t put, event;

	put = (uint16_t)(vq->used_idx - vq->decided);
	if (!put)
		return false;
	vq->decided = vq->used_idx;
	/*
	 * The driver stores its wish and then looks at the used index; we stored the index and now
	 * look at its wish. Without full fences on both sides each could miss the other's store.
	 */
	atomic_thread_fence(memory_order_seq_cst);
	if (!vq->event_idx)
		return !(load16(vq, vq->avail + RING_FLAGS, __ATOMIC_RELAXED) &
			 VRING_AVAIL_F_NO_INTERRUPT);
	/*
	 * virtio 1.3 §2.7.7.2: notify when used_event is among the indices just put; all modulo
	 * 2^16.
	 */
	event = load16(vq, vq->avail + RING_SLOTS + 2 * (size_t)vq->size, __ATOMIC_RELAXED);
	return (uint16_t)(vq->used_idx - event - 1) < put;
}

void virtqueue_disable_kicks(struct virtqueue *vq)
{
	/*
	 * With event indices an avail_event that stays behind says the same; flags must be 0 then.
	 */
	if (!vq->event_idx)
		store16(vq, vq->used + RING_FLAGS, VRING_USED_F_NO_NOTIFY, __ATOMIC_RELAXED);
}

bool virtqueue_enable_kicks(struct virtqueue *vq)
{
	if (vq->why)
		return false;
	if (vq->event_idx) /* avail_event follows the used ring (virtio 1.3 §2.7.10) */
		store16(vq, vq->used + RING_SLOTS + 8 * (size_t)vq->size, vq->next_avail,
			__ATOMIC_RELAXED);
	else
		store16(vq, vq->used + RING_FLAGS, 0, __ATOMIC_RELAXED);
	/* As in virtqueue_should_notify(), with the roles swapped. */
	atomic_thread_fence(memory_order_seq_cst);
	return load16(vq, vq->avail + RING_IDX, __ATOMIC_RELAXED) != vq->next_avail;
}

int virtqueue_next(struct virtqueue *vq, struct virtqueue_chain *chain)
{
	int ret = virtqueue_get(vq, chain);

	if (ret || !virtqueue_enable_kicks(vq))
		return ret;
	return virtqueue_get(vq, chain);
}

/* Takes up to @len bytes off the front of @span's first piece. */
static void *take(struct virtqueue_span *span, size_t *len)
{
	struct iovec *iov = span->iov;
	void *ptr = iov->iov_base;

	*len = MIN(*len, iov->iov_len);
	iov->iov_base = (uint8_t *)ptr + *len;
	iov->iov_len -= *len;
	span->bytes -= *len;
	if (!iov->iov_len) {
		span->iov++;
		span->nr--;
	}
	return ptr;
}

size_t virtqueue_read(struct virtqueue_span *span, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len && span->nr) {
		size_t n = len - done;
		const void *ptr = take(span, &n);

		memcpy((uint8_t *)buf + done, ptr, n);
		done += n;
	}
	/* What was copied is a snapshot: see read_descriptor(). */
	atomic_signal_fence(memory_order_seq_cst);
	return done;
}

size_t virtqueue_write(struct virtqueue_span *span, const void *buf, size_t len)
{
	size_t done = 0;

	while (done < len && span->nr) {
		size_t n = len - done;
		void *ptr = take(span, &n);

		memcpy(ptr, (const uint8_t *)buf + done, n);
		done += n;
	}
	return done;
}

void virtqueue_skip(struct virtqueue_span *span, size_t len)
{
	assert(span->nr && len <= span->iov->iov_len);
	take(span, &len);
}

void virtqueue_zero(const struct virtqueue_span *span)
{
	for (unsigned int i = 0; i < span->nr; i++)
		memset(span->iov[i].iov_base, 0, span->iov[i].iov_len);
}

uint8_t *virtqueue_last_byte(struct virtqueue_span *span)
{
	struct iovec *iov;
	uint8_t *ptr;

	if (!span->nr)
		return NULL;
	iov = &span->iov[span->nr - 1];
	ptr = (uint8_t *)iov->iov_base + --iov->iov_len;
	span->bytes--;
	if (!iov->iov_len)
		span->nr--;
	return ptr;
}
