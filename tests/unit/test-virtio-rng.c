// SPDX-License-Identifier: GPL-2.0-only
#include "virtio/rng.h"

#include <linux/virtio_ids.h>

#include "tests/unit/virtio-guest.h"
#include "virtio/mmio.h"

struct fixture {
	struct memory         mem;
	struct bus            bus;
	struct fake_line      line;
	struct loop          *loop;
	struct virtio_device *dev;
	struct guest_ring     ring;
};

static void setup(struct fixture *f)
{
	struct virtio_env env;
	struct irq_line irq;

	memset(f, 0, sizeof(*f));
	guest_memory_init(&f->mem);
	bus_init(&f->bus, "mmio");
	CHECK_EQ(loop_create(&f->loop), 0);
	env = (struct virtio_env){ .mem = &f->mem, .loop = f->loop };
	irq = fake_irq(&f->line);
	CHECK_EQ(virtio_rng_create(&f->dev, &env), 0);
	CHECK_EQ(virtio_mmio_attach(f->dev, &f->bus, GUEST_MMIO, &irq, NULL), 0);
	ring_init(&f->ring, &f->mem, GUEST_RING(0), 64);
	mmio_negotiate(&f->bus, VERSION_1);
	mmio_set_queue(&f->bus, 0, &f->ring);
	mmio_driver_ok(&f->bus);
}

static void teardown(struct fixture *f)
{
	virtio_device_ops.destroy(f->dev);
	loop_destroy(f->loop);
	memory_exit(&f->mem);
}

static bool all_zero(const struct fixture *f, gpa_t gpa, unsigned int len)
{
	const uint8_t *p = memory_ptr(&f->mem, gpa, len);

	while (len--)
		if (*p++)
			return false;
	return true;
}

/* Nobody works on guest memory while it is frozen, and it is not frozen while somebody does. */
static void test_freeze(void)
{
	struct virtio_queue *queue;
	struct fixture f;

	setup(&f);
	queue = &f.dev->queues[0];
	CHECK(virtio_queue_begin(queue));
	CHECK(!virtio_device_ops.freeze(f.dev));
	virtio_queue_end(queue);
	CHECK(virtio_device_ops.freeze(f.dev));
	CHECK(!virtio_queue_trybegin(queue));
	virtio_device_ops.thaw(f.dev);
	CHECK(virtio_queue_trybegin(queue));
	virtio_queue_end(queue);
	teardown(&f);
}

static void test_fill(void)
{
	struct fixture f;
	const struct guest_buf bufs[] = {
		{ GUEST_DATA, 64, true },
		{ GUEST_DATA + 0x1000, 1000, true },
	};

	setup(&f);
	CHECK_EQ(MMIO_R(&f.bus, DEVICE_ID), VIRTIO_ID_RNG);
	ring_add(&f.ring, bufs, 2);
	virtio_queue_poll(f.dev, 0);
	CHECK_EQ(ring_must_take(&f.ring), 1064);
	CHECK(!all_zero(&f, GUEST_DATA, 64));
	CHECK(!all_zero(&f, GUEST_DATA + 0x1000 + 900, 100));
	CHECK(all_zero(&f, GUEST_DATA + 64, 64));
	CHECK(f.line.level);
	teardown(&f);
}

/* However much is asked for, the answer is short. */
static void test_bounded(void)
{
	struct fixture f;
	const struct guest_buf buf = { GUEST_DATA, 0x80000, true };

	setup(&f);
	for (unsigned int i = 0; i < 40; i++)
		ring_add(&f.ring, &buf, 1);
	virtio_queue_poll(f.dev, 0);
	CHECK(ring_used_idx(&f.ring) < 40);
	for (unsigned int i = 0; i < 10; i++)
		virtio_queue_poll(f.dev, 0);
	CHECK_EQ(ring_used_idx(&f.ring), 40);
	CHECK_EQ(ring_must_take(&f.ring), 4096);
	CHECK(all_zero(&f, GUEST_DATA + 4096, 4096));
	teardown(&f);
}

static void test_readable_only(void)
{
	struct fixture f;
	const struct guest_buf buf = { GUEST_DATA, 64, false };

	setup(&f);
	ring_add(&f.ring, &buf, 1);
	test_stderr_begin();
	virtio_queue_poll(f.dev, 0);
	CHECK(strstr(test_stderr_end(), "without a writable buffer"));
	CHECK(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET);
	teardown(&f);
}

const struct test virtio_rng_tests[] = {
	{ "freeze", test_freeze },
	{ "fill", test_fill },
	{ "bounded", test_bounded },
	{ "readable only", test_readable_only },
	{ 0 },
};
