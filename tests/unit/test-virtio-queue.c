// SPDX-License-Identifier: GPL-2.0-only
#include "virtio/queue.h"

#include <errno.h>

#include "tests/unit/virtio-guest.h"

struct fixture {
	struct memory          mem;
	struct guest_ring      ring;
	struct virtqueue       vq;
	struct virtqueue_chain chain;
};

/* One at a time, so static: a chain is large. */
static struct fixture fixture;

static struct virtqueue_config ring_config(const struct guest_ring *r)
{
	return (struct virtqueue_config){
		.size = r->size,
		.desc = r->desc,
		.avail = r->avail,
		.used = r->used,
	};
}

static struct fixture *setup_with(uint16_t size, bool event_idx, bool indirect)
{
	struct fixture *f = &fixture;
	struct virtqueue_config cfg;

	guest_memory_init(&f->mem);
	ring_init(&f->ring, &f->mem, GUEST_RING(0), size);
	cfg = ring_config(&f->ring);
	cfg.event_idx = event_idx;
	cfg.indirect = indirect;
	CHECK_EQ(virtqueue_init(&f->vq, &f->mem, &cfg), 0);
	CHECK(!f->vq.why);
	return f;
}

static struct fixture *setup(void)
{
	return setup_with(8, false, true);
}

static void teardown(struct fixture *f)
{
	memory_exit(&f->mem);
}

static uint8_t *ram(struct fixture *f, gpa_t gpa)
{
	return memory_ptr(&f->mem, gpa, 1);
}

/* The queue must have refused what was offered, and stay broken. */
static void check_refused(struct fixture *f, const char *why)
{
	CHECK_EQ(virtqueue_get(&f->vq, &f->chain), -EPROTO);
	CHECK_STR(f->vq.why, why);
	CHECK_EQ(virtqueue_get(&f->vq, &f->chain), -EPROTO);
	CHECK_EQ(virtqueue_next(&f->vq, &f->chain), -EPROTO);
	CHECK(!virtqueue_enable_kicks(&f->vq));
	CHECK_EQ(ring_used_idx(&f->ring), 0);
}

/* Offers descriptor 0, which must be refused. */
static void offer_refused(struct fixture *f, const char *why)
{
	ring_offer(&f->ring, 0);
	check_refused(f, why);
	teardown(f);
}

static void test_empty(void)
{
	struct fixture *f = setup();

	CHECK_EQ(virtqueue_get(&f->vq, &f->chain), 0);
	CHECK_EQ(virtqueue_next(&f->vq, &f->chain), 0);
	CHECK(!virtqueue_should_notify(&f->vq));
	teardown(f);
}

static void test_chain(void)
{
	struct fixture *f = setup();
	const struct guest_buf bufs[] = {
		{ GUEST_DATA, 16, false },
		{ GUEST_DATA + 0x1000, 100, false },
		{ GUEST_DATA + 0x2000, 512, true },
		{ GUEST_DATA + 0x4000, 1, true },
	};
	uint32_t id = 0, len = 0;

	CHECK_EQ(ring_add(&f->ring, bufs, 4), 0);
	CHECK_EQ(ring_add(&f->ring, bufs + 1, 1), 4);
	CHECK_EQ(virtqueue_get(&f->vq, &f->chain), 1);
	CHECK_EQ(f->chain.head, 0);
	CHECK_EQ(f->chain.readable.nr, 2);
	CHECK_EQ(f->chain.readable.bytes, 116);
	CHECK(f->chain.readable.iov[1].iov_base == ram(f, GUEST_DATA + 0x1000));
	CHECK_EQ(f->chain.readable.iov[1].iov_len, 100);
	CHECK_EQ(f->chain.writable.nr, 2);
	CHECK_EQ(f->chain.writable.bytes, 513);
	CHECK_EQ(f->chain.writable_bytes, 513);
	CHECK(f->chain.writable.iov[0].iov_base == ram(f, GUEST_DATA + 0x2000));
	CHECK(f->chain.writable.iov[1].iov_base == ram(f, GUEST_DATA + 0x4000));
	virtqueue_put(&f->vq, &f->chain, 300);

	CHECK_EQ(virtqueue_get(&f->vq, &f->chain), 1);
	CHECK_EQ(f->chain.head, 4);
	CHECK_EQ(f->chain.writable.nr, 0);
	/* More than was offered can't have been written. */
	virtqueue_put(&f->vq, &f->chain, 7);
	CHECK_EQ(virtqueue_get(&f->vq, &f->chain), 0);

	CHECK(ring_take(&f->ring, &id, &len));
	CHECK_EQ(id, 0);
	CHECK_EQ(len, 300);
	CHECK(ring_take(&f->ring, &id, &len));
	CHECK_EQ(id, 4);
	CHECK_EQ(len, 0);
	CHECK(!ring_take(&f->ring, &id, &len));
	teardown(f);
}

/* Touching buffers of one direction become one; empty ones vanish, wherever they point. */
static void test_merge(void)
{
	struct fixture *f = setup();
	const struct guest_buf bufs[] = {
		{ GUEST_DATA, 16, false },
		{ UINT64_MAX, 0, false },
		{ GUEST_DATA + 16, 16, false },
		{ GUEST_DATA + 32, 32, true },
		{ 0, 0, true },
		{ GUEST_DATA + 64, 64, true },
		{ GUEST_DATA + 256, 1, true },
	};

	ring_add(&f->ring, bufs, 7);
	CHECK_EQ(virtqueue_get(&f->vq, &f->chain), 1);
	CHECK_EQ(f->chain.readable.nr, 1);
	CHECK_EQ(f->chain.readable.iov[0].iov_len, 32);
	CHECK_EQ(f->chain.writable.nr, 2);
	CHECK_EQ(f->chain.writable.iov[0].iov_len, 96);
	CHECK_EQ(f->chain.writable_bytes, 97);
	teardown(f);
}

static void test_bad_head(void)
{
	struct fixture *f = setup();

	ring_offer(&f->ring, 8);
	check_refused(f, "descriptor index is beyond the table");
	teardown(f);
}

static void test_bad_next(void)
{
	struct fixture *f = setup();

	ring_desc(&f->ring, 0, GUEST_DATA, 4, F_NEXT, 0xffff);
	offer_refused(f, "descriptor index is beyond the table");
}

static void test_loop(void)
{
	struct fixture *f = setup();

	ring_desc(&f->ring, 0, GUEST_DATA, 4, F_NEXT, 1);
	ring_desc(&f->ring, 1, GUEST_DATA + 64, 4, F_NEXT, 0);
	offer_refused(f, "descriptor chain loops");

	f = setup();
	ring_desc(&f->ring, 0, GUEST_DATA, 0, F_NEXT, 0);
	offer_refused(f, "descriptor chain loops");
}

/* Every descriptor of the table in one chain is not a loop. */
static void test_full_chain(void)
{
	struct fixture *f = setup();
	struct guest_buf bufs[8];

	for (unsigned int i = 0; i < 8; i++)
		bufs[i] = (struct guest_buf){ GUEST_DATA + 64 * i, 8, i >= 4 };
	ring_add(&f->ring, bufs, 8);
	CHECK_EQ(virtqueue_get(&f->vq, &f->chain), 1);
	CHECK_EQ(f->chain.readable.nr, 4);
	CHECK_EQ(f->chain.writable.nr, 4);
	teardown(f);
}

static void test_readable_after_writable(void)
{
	struct fixture *f = setup();

	ring_desc(&f->ring, 0, GUEST_DATA, 4, F_NEXT | F_WRITE, 1);
	ring_desc(&f->ring, 1, GUEST_DATA + 64, 4, 0, 0);
	offer_refused(f, "readable buffer after a writable one");

	/* An empty writable one counts, too. */
	f = setup();
	ring_desc(&f->ring, 0, GUEST_DATA, 0, F_NEXT | F_WRITE, 1);
	ring_desc(&f->ring, 1, GUEST_DATA + 64, 4, 0, 0);
	offer_refused(f, "readable buffer after a writable one");
}

static void test_bad_address(void)
{
	static const struct {
		uint64_t addr;
		uint32_t len;
	} bad[] = {
		{ 0, 1 },
		{ GUEST_RAM - 1, 2 },
		{ GUEST_RAM + GUEST_RAM_BYTES, 1 },
		{ GUEST_RAM + GUEST_RAM_BYTES - 1, 2 },
		{ GUEST_RAM, GUEST_RAM_BYTES + 1 },
		{ GUEST_RAM, UINT32_MAX },
		{ UINT64_MAX, 1 },
		{ UINT64_MAX - 0xfff, 0x1001 },
		{ UINT64_MAX - 0x7fffffff, UINT32_MAX },
		{ GUEST_RAM | UINT64_C(1) << 63, 16 },
		{ GUEST_RAM | UINT64_C(1) << 32, 16 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fixture *f = setup();

		ring_desc(&f->ring, 0, bad[i].addr, bad[i].len, i & 1 ? F_WRITE : 0, 0);
		offer_refused(f, "buffer is outside guest memory");
	}
}

/* The last byte of memory is as good as any. */
static void test_edge_address(void)
{
	struct fixture *f = setup();
	const struct guest_buf bufs[] = {
		{ GUEST_RAM, GUEST_RAM_BYTES, false },
		{ GUEST_RAM + GUEST_RAM_BYTES - 1, 1, true },
	};

	ring_add(&f->ring, bufs, 2);
	CHECK_EQ(virtqueue_get(&f->vq, &f->chain), 1);
	CHECK_EQ(f->chain.readable.bytes, GUEST_RAM_BYTES);
	teardown(f);
}

/* What the guest can't write, the device won't write for it. */
static void test_readonly_memory(void)
{
	struct fixture *f = setup();
	struct virtqueue_config cfg = ring_config(&f->ring);
	struct virtqueue other;

	ring_desc(&f->ring, 0, GUEST_ROM, 16, 0, 0);
	ring_offer(&f->ring, 0);
	CHECK_EQ(virtqueue_get(&f->vq, &f->chain), 1);

	cfg.used = GUEST_ROM;
	CHECK_EQ(virtqueue_init(&other, &f->mem, &cfg), -EFAULT);
	CHECK_STR(other.why, "used ring is outside guest memory");

	ring_desc(&f->ring, 1, GUEST_ROM, 16, F_WRITE, 0);
	ring_offer(&f->ring, 1);
	check_refused(f, "buffer is outside guest memory");
	teardown(f);
}

static void test_too_many_bytes(void)
{
	struct fixture *f = &fixture;
	const gpa_t big = UINT64_C(0x100000000);
	struct virtqueue_config cfg;

	/* 17 times the same 256 MiB are more than a chain may hold, and more than 32 bits count. */
	guest_memory_init(&f->mem);
	CHECK_EQ(memory_add(&f->mem, "big", big, MIB(256), false, NULL), 0);
	ring_init(&f->ring, &f->mem, GUEST_RING(0), 32);
	cfg = ring_config(&f->ring);
	CHECK_EQ(virtqueue_init(&f->vq, &f->mem, &cfg), 0);
	for (uint16_t i = 0; i < 17; i++)
		ring_desc(&f->ring, i, big, (uint32_t)MIB(256), i < 16 ? F_NEXT : 0,
			  (uint16_t)(i + 1));
	offer_refused(f, "descriptor chain is longer than 4 GiB");

	/* 16 of them are just allowed; what is written is then told as well as 32 bits can. */
	guest_memory_init(&f->mem);
	CHECK_EQ(memory_add(&f->mem, "big", big, MIB(256), false, NULL), 0);
	ring_init(&f->ring, &f->mem, GUEST_RING(0), 32);
	CHECK_EQ(virtqueue_init(&f->vq, &f->mem, &cfg), 0);
	for (uint16_t i = 0; i < 16; i++)
		ring_desc(&f->ring, i, big, (uint32_t)MIB(256), i < 15 ? F_NEXT | F_WRITE : F_WRITE,
			  (uint16_t)(i + 1));
	ring_offer(&f->ring, 0);
	CHECK_EQ(virtqueue_get(&f->vq, &f->chain), 1);
	CHECK_EQ(f->chain.writable.bytes, GIB(4));
	CHECK_EQ(f->chain.writable_bytes, UINT32_MAX);
	teardown(f);
}

static void test_avail_jump(void)
{
	struct fixture *f = setup();

	ring_set_avail_idx(&f->ring, 8); /* full: legal */
	CHECK_EQ(virtqueue_get(&f->vq, &f->chain), 1);
	teardown(f);

	f = setup();
	ring_set_avail_idx(&f->ring, 9);
	check_refused(f, "available index jumped");
	teardown(f);

	/* Backwards is a jump, too. */
	f = setup();
	ring_set_avail_idx(&f->ring, 0xffff);
	check_refused(f, "available index jumped");
	teardown(f);
}

/* ---- indirect -------------------------------------------------------------------------------- */

static void test_indirect(void)
{
	struct fixture *f = setup();
	const gpa_t table = GUEST_DATA + 0x8001; /* no alignment is asked for */
	uint8_t *t = ram(f, table);

	put_desc(t, GUEST_DATA + 0x100, 16, F_NEXT, 2);
	put_desc(t + 16, GUEST_DATA + 0x300, 1, F_WRITE, 77);
	put_desc(t + 32, GUEST_DATA + 0x200, 32, F_NEXT | F_WRITE, 1);
	/* WRITE says nothing on the table's own descriptor; ordinary ones may come before it. */
	ring_desc(&f->ring, 3, GUEST_DATA, 8, F_NEXT, 5);
	ring_desc(&f->ring, 5, table, 48, F_INDIRECT | F_WRITE, 0);
	ring_offer(&f->ring, 3);
	CHECK_EQ(virtqueue_get(&f->vq, &f->chain), 1);
	CHECK_EQ(f->chain.head, 3);
	CHECK_EQ(f->chain.readable.nr, 2);
	CHECK_EQ(f->chain.readable.bytes, 24);
	CHECK_EQ(f->chain.writable.nr, 2);
	CHECK_EQ(f->chain.writable.bytes, 33);
	teardown(f);
}

static void test_indirect_not_negotiated(void)
{
	struct fixture *f = setup_with(8, false, false);

	ring_desc(&f->ring, 0, GUEST_DATA, 16, F_INDIRECT, 0);
	offer_refused(f, "indirect descriptor was not negotiated");
}

static void test_indirect_nested(void)
{
	struct fixture *f = setup();

	put_desc(ram(f, GUEST_DATA), GUEST_DATA + 0x100, 16, F_INDIRECT, 0);
	ring_desc(&f->ring, 0, GUEST_DATA, 16, F_INDIRECT, 0);
	offer_refused(f, "nested indirect descriptor");
}

static void test_indirect_next(void)
{
	struct fixture *f = setup();

	ring_desc(&f->ring, 0, GUEST_DATA, 16, F_INDIRECT | F_NEXT, 1);
	offer_refused(f, "indirect descriptor has a successor");
}

static void test_indirect_size(void)
{
	static const uint32_t bad[] = { 0, 1, 15, 17, 0xffffffff };

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fixture *f = setup();

		ring_desc(&f->ring, 0, GUEST_DATA, bad[i], F_INDIRECT, 0);
		offer_refused(f, "indirect table of a wrong size");
	}
}

static void test_indirect_outside(void)
{
	struct fixture *f = setup();

	ring_desc(&f->ring, 0, GUEST_RAM + GUEST_RAM_BYTES - 16, 32, F_INDIRECT, 0);
	offer_refused(f, "indirect table is outside guest memory");
	f = setup();
	ring_desc(&f->ring, 0, UINT64_MAX - 15, 32, F_INDIRECT, 0);
	offer_refused(f, "indirect table is outside guest memory");
	f = setup();
	ring_desc(&f->ring, 0, GUEST_RAM, 0xfffffff0, F_INDIRECT, 0);
	offer_refused(f, "indirect table is outside guest memory");
}

static void test_indirect_next_outside(void)
{
	struct fixture *f = setup();

	/* Index 2 is in the ring's table, but not in this one. */
	put_desc(ram(f, GUEST_DATA), GUEST_DATA + 0x100, 16, F_NEXT, 2);
	put_desc(ram(f, GUEST_DATA + 16), GUEST_DATA + 0x100, 16, 0, 0);
	ring_desc(&f->ring, 0, GUEST_DATA, 32, F_INDIRECT, 0);
	offer_refused(f, "descriptor index is beyond the table");
}

static void test_indirect_loop(void)
{
	struct fixture *f = setup();

	put_desc(ram(f, GUEST_DATA), GUEST_DATA + 0x100, 16, F_NEXT, 1);
	put_desc(ram(f, GUEST_DATA + 16), GUEST_DATA + 0x200, 16, F_NEXT, 0);
	ring_desc(&f->ring, 0, GUEST_DATA, 32, F_INDIRECT, 0);
	offer_refused(f, "descriptor chain loops");

	/* A table may be larger than the ring, and is bounded all the same. */
	f = setup();
	put_desc(ram(f, GUEST_DATA), GUEST_DATA + 0x100, 16, F_NEXT, 0);
	ring_desc(&f->ring, 0, GUEST_DATA, 0x80000, F_INDIRECT, 0);
	offer_refused(f, "descriptor chain is too long");
}

static void test_indirect_long(void)
{
	const unsigned int max = VIRTQUEUE_MAX_SIZE;
	struct fixture *f = setup();

	/* As long as it may be ... */
	for (unsigned int i = 0; i < max; i++)
		put_desc(ram(f, GUEST_DATA + 16 * i), GUEST_DATA + 0x8000 + 64 * i, 32,
			 (uint16_t)((i + 1 < max ? F_NEXT : 0) | (i > 10 ? F_WRITE : 0)),
			 (uint16_t)(i + 1));
	ring_desc(&f->ring, 0, GUEST_DATA, 16 * max, F_INDIRECT, 0);
	ring_offer(&f->ring, 0);
	CHECK_EQ(virtqueue_get(&f->vq, &f->chain), 1);
	CHECK_EQ(f->chain.readable.nr, 11);
	CHECK_EQ(f->chain.writable.nr, max - 11);

	/* ... and one more. */
	ring_desc(&f->ring, 1, GUEST_DATA + 0x7000, 8, F_NEXT, 0);
	ring_offer(&f->ring, 1);
	check_refused(f, "descriptor chain is too long");
	teardown(f);
}

/* ---- notifications --------------------------------------------------------------------------- */

/* Takes and puts back @nr chains. */
static void cycle(struct fixture *f, unsigned int nr)
{
	while (nr--) {
		ring_offer(&f->ring, 0);
		CHECK_EQ(virtqueue_get(&f->vq, &f->chain), 1);
		virtqueue_put(&f->vq, &f->chain, 0);
	}
}

static void test_notify_flag(void)
{
	struct fixture *f = setup();

	ring_desc(&f->ring, 0, GUEST_DATA, 4, 0, 0);
	cycle(f, 1);
	CHECK(virtqueue_should_notify(&f->vq));
	CHECK(!virtqueue_should_notify(&f->vq)); /* nothing new */
	put_le16(ram(f, f->ring.avail), VRING_AVAIL_F_NO_INTERRUPT);
	cycle(f, 2);
	CHECK(!virtqueue_should_notify(&f->vq));
	put_le16(ram(f, f->ring.avail), 0);
	CHECK(!virtqueue_should_notify(&f->vq)); /* those were decided on */
	cycle(f, 1);
	CHECK(virtqueue_should_notify(&f->vq));
	teardown(f);
}

static void test_notify_event(void)
{
	struct fixture *f = setup_with(8, true, false);

	ring_desc(&f->ring, 0, GUEST_DATA, 4, 0, 0);
	/* The flag has no meaning with event indices. */
	put_le16(ram(f, f->ring.avail), VRING_AVAIL_F_NO_INTERRUPT);
	cycle(f, 1); /* used index 0 -> 1, event 0 */
	CHECK(virtqueue_should_notify(&f->vq));
	cycle(f, 1); /* event 0 is in the past */
	CHECK(!virtqueue_should_notify(&f->vq));
	ring_set_used_event(&f->ring, 4);
	cycle(f, 2); /* -> 4: not yet beyond 4 */
	CHECK(!virtqueue_should_notify(&f->vq));
	cycle(f, 1);
	CHECK(virtqueue_should_notify(&f->vq));
	ring_set_used_event(&f->ring, 6);
	cycle(f, 7); /* 5 -> 12, passing it */
	CHECK(virtqueue_should_notify(&f->vq));
	teardown(f);
}

/* All around 16 bits, in steps that do not divide them. */
static void test_wrap(void)
{
	struct fixture *f = setup_with(8, true, false);
	unsigned int wanted = 0, told = 0;
	uint16_t event = 0;

	ring_desc(&f->ring, 0, GUEST_DATA, 4, 0, 0);
	ring_set_used_event(&f->ring, event);
	for (unsigned int i = 0; i < 70000; i += 7) {
		uint16_t before = f->vq.used_idx;
		uint16_t after = (uint16_t)(before + 7);
		bool crossed = (uint16_t)(event - before) < 7;

		CHECK(!virtqueue_enable_kicks(&f->vq));
		CHECK_EQ(ring_avail_event(&f->ring), before);
		cycle(f, 7);
		CHECK_EQ(f->vq.used_idx, after);
		wanted += crossed;
		if (virtqueue_should_notify(&f->vq)) {
			told++;
			event = (uint16_t)(after + 19);
			ring_set_used_event(&f->ring, event);
		}
	}
	CHECK_EQ(told, wanted);
	CHECK(told > 2000);
	CHECK_EQ(virtqueue_get(&f->vq, &f->chain), 0);
	teardown(f);
}

static void test_kicks(void)
{
	struct fixture *f = setup();

	ring_desc(&f->ring, 0, GUEST_DATA, 4, 0, 0);
	virtqueue_disable_kicks(&f->vq);
	CHECK_EQ(get_le16(ram(f, f->ring.used)), VRING_USED_F_NO_NOTIFY);
	CHECK(!virtqueue_enable_kicks(&f->vq));
	CHECK_EQ(get_le16(ram(f, f->ring.used)), 0);
	ring_offer(&f->ring, 0);
	CHECK(virtqueue_enable_kicks(&f->vq)); /* came in between */
	CHECK_EQ(virtqueue_next(&f->vq, &f->chain), 1);
	CHECK_EQ(virtqueue_next(&f->vq, &f->chain), 0);
	teardown(f);

	f = setup_with(8, true, false);
	ring_desc(&f->ring, 0, GUEST_DATA, 4, 0, 0);
	virtqueue_disable_kicks(&f->vq);
	CHECK_EQ(get_le16(ram(f, f->ring.used)), 0);
	cycle(f, 3);
	CHECK_EQ(ring_avail_event(&f->ring), 0);
	CHECK_EQ(virtqueue_next(&f->vq, &f->chain), 0);
	CHECK_EQ(ring_avail_event(&f->ring), 3);
	teardown(f);
}

/* ---- set-up ---------------------------------------------------------------------------------- */

static void check_init(struct fixture *f, const struct virtqueue_config *cfg, int ret,
		       const char *why)
{
	struct virtqueue vq;

	CHECK_EQ(virtqueue_init(&vq, &f->mem, cfg), ret);
	CHECK_STR(vq.why, why);
	CHECK_EQ(virtqueue_get(&vq, &f->chain), -EPROTO);
}

static void test_init(void)
{
	static const uint16_t bad_sizes[] = { 0, 3, 7, 100, 2048, 0x8000, 0xffff };
	struct fixture *f = setup();
	const struct virtqueue_config good = ring_config(&f->ring);
	struct virtqueue_config cfg;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad_sizes); i++) {
		cfg = good;
		cfg.size = bad_sizes[i];
		check_init(f, &cfg, -EINVAL, "queue size is not a power of two in range");
	}
	cfg = good;
	cfg.desc += 8;
	check_init(f, &cfg, -EINVAL, "misaligned ring");
	cfg = good;
	cfg.avail += 1;
	check_init(f, &cfg, -EINVAL, "misaligned ring");
	cfg = good;
	cfg.used += 2;
	check_init(f, &cfg, -EINVAL, "misaligned ring");
	cfg = good;
	cfg.desc = GUEST_RAM + GUEST_RAM_BYTES - 16;
	check_init(f, &cfg, -EFAULT, "descriptor table is outside guest memory");
	cfg = good;
	cfg.avail = GUEST_RAM + GUEST_RAM_BYTES - 20; /* the event index does not fit */
	check_init(f, &cfg, -EFAULT, "available ring is outside guest memory");
	cfg = good;
	cfg.used = UINT64_MAX - 3;
	check_init(f, &cfg, -EFAULT, "used ring is outside guest memory");
	teardown(f);
}

/* ---- spans ----------------------------------------------------------------------------------- */

static void test_spans(void)
{
	uint8_t a[4] = "abcd", b[1] = "e", c[3] = "fgh", buf[16] = { 0 };
	struct iovec iov[] = { { a, 4 }, { b, 1 }, { c, 3 } };
	struct virtqueue_span span = { iov, 3, 8 };

	CHECK_EQ(virtqueue_read(&span, buf, 2), 2);
	CHECK(!memcmp(buf, "ab", 2));
	CHECK(virtqueue_last_byte(&span) == c + 2);
	CHECK_EQ(span.bytes, 5);
	CHECK_EQ(virtqueue_read(&span, buf, 4), 4);
	CHECK(!memcmp(buf, "cdef", 4));
	CHECK_EQ(span.nr, 1);
	CHECK(virtqueue_last_byte(&span) == c + 1);
	CHECK_EQ(span.nr, 0);
	CHECK_EQ(span.bytes, 0);
	CHECK(!virtqueue_last_byte(&span));
	CHECK_EQ(virtqueue_read(&span, buf, 4), 0);

	struct iovec iov2[] = { { a, 4 }, { b, 1 }, { c, 3 } };

	span = (struct virtqueue_span){ iov2, 3, 8 };
	virtqueue_skip(&span, 1);
	CHECK_EQ(virtqueue_write(&span, "123456", 6), 6);
	CHECK(!memcmp(a, "a123", 4) && b[0] == '4' && !memcmp(c, "56h", 3));
	CHECK_EQ(virtqueue_write(&span, "789", 3), 1);
	CHECK_EQ(c[2], '7');
	CHECK_EQ(span.nr, 0);

	struct iovec iov3[] = { { a, 4 }, { b, 1 } };

	span = (struct virtqueue_span){ iov3, 2, 5 };
	virtqueue_zero(&span);
	CHECK(!a[0] && !a[3] && !b[0] && c[0]);
	CHECK_EQ(span.bytes, 5);
}

/* The first reason stays. */
static void test_first_reason(void)
{
	struct fixture *f = setup();

	virtqueue_fail(&f->vq, "one");
	virtqueue_fail(&f->vq, "two");
	check_refused(f, "one");
	teardown(f);
}

const struct test virtio_queue_tests[] = {
	{ "empty", test_empty },
	{ "chain", test_chain },
	{ "merge", test_merge },
	{ "bad head", test_bad_head },
	{ "bad next", test_bad_next },
	{ "loop", test_loop },
	{ "full chain", test_full_chain },
	{ "readable after writable", test_readable_after_writable },
	{ "bad address", test_bad_address },
	{ "edge address", test_edge_address },
	{ "read-only memory", test_readonly_memory },
	{ "too many bytes", test_too_many_bytes },
	{ "avail jump", test_avail_jump },
	{ "indirect", test_indirect },
	{ "indirect not negotiated", test_indirect_not_negotiated },
	{ "indirect nested", test_indirect_nested },
	{ "indirect next", test_indirect_next },
	{ "indirect size", test_indirect_size },
	{ "indirect outside", test_indirect_outside },
	{ "indirect next outside", test_indirect_next_outside },
	{ "indirect loop", test_indirect_loop },
	{ "indirect long", test_indirect_long },
	{ "notify flag", test_notify_flag },
	{ "notify event", test_notify_event },
	{ "wrap", test_wrap },
	{ "kicks", test_kicks },
	{ "init", test_init },
	{ "spans", test_spans },
	{ "first reason", test_first_reason },
	{ 0 },
};
