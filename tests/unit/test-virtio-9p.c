// SPDX-License-Identifier: GPL-2.0-only
/* The device around the 9P server: what it says of itself, requests in pieces, a reset. */
#include "virtio/9p.h"

#include <linux/virtio_ids.h>

#include "lkvm/byteorder.h"
#include "tests/unit/virtio-guest.h"
#include "virtio/mmio.h"

#define REQUEST GUEST_DATA
#define ANSWER  (GUEST_DATA + 0x1000)

struct fixture {
	struct memory         mem;
	struct bus            bus;
	struct fake_line      line;
	struct loop          *loop;
	struct virtio_device *dev;
	struct guest_ring     ring;
};

static void bring_up(struct fixture *f)
{
	ring_init(&f->ring, &f->mem, GUEST_RING(0), 128);
	mmio_negotiate(&f->bus, VERSION_1 | 1);
	mmio_set_queue(&f->bus, 0, &f->ring);
	mmio_driver_ok(&f->bus);
}

static void setup(struct fixture *f)
{
	struct p9_server *server;
	struct virtio_env env;
	struct irq_line irq;

	memset(f, 0, sizeof(*f));
	guest_memory_init(&f->mem);
	bus_init(&f->bus, "mmio");
	CHECK_EQ(loop_create(&f->loop), 0);
	env = (struct virtio_env){ .mem = &f->mem, .loop = f->loop };
	irq = fake_irq(&f->line);
	CHECK_EQ(p9_server_create(&server, "--9p", "/", true), 0);
	CHECK_EQ(virtio_9p_create(&f->dev, &env, server, "a-tag"), 0);
	CHECK_EQ(virtio_mmio_attach(f->dev, &f->bus, GUEST_MMIO, &irq, NULL), 0);
	bring_up(f);
}

static void teardown(struct fixture *f)
{
	virtio_device_ops.destroy(f->dev);
	loop_destroy(f->loop);
	memory_exit(&f->mem);
}

static uint8_t *in_guest(struct fixture *f, gpa_t gpa)
{
	return memory_ptr(&f->mem, gpa, 0x1000);
}

/* Tversion, or with @fid a Tattach of it. Its length. */
static uint32_t put_request(struct fixture *f, const uint32_t *fid)
{
	static const char version[] = "\x64\xff\xff\x00\x20\x00\x00\x08\x00" "9P2000.L";
	uint8_t *p = in_guest(f, REQUEST) + 4;
	uint32_t len = 4 + sizeof(version) - 1;

	memcpy(p, version, sizeof(version) - 1);
	if (fid) {
		memset(p, 0, 64);
		p[0] = 104;
		put_le32(p + 3, *fid);
		len = P9_HEADER_BYTES + 4 + 4 + 2 + 2 + 4;
	}
	put_le32(p - 4, len);
	return len;
}

/* The type of the answer. */
static uint8_t request(struct fixture *f, const uint32_t *fid)
{
	uint32_t len = put_request(f, fid);
	const struct guest_buf bufs[] = {
		{ REQUEST, 3, false }, { REQUEST + 3, len - 3, false },
		{ ANSWER, 5, true }, { ANSWER + 5, 200, true },
	};
	uint32_t n;

	ring_add(&f->ring, bufs, 4);
	MMIO_W(&f->bus, QUEUE_NOTIFY, 0);
	virtio_queue_poll(f->dev, 0);
	n = ring_must_take(&f->ring);
	CHECK_EQ(n, get_le32(in_guest(f, ANSWER)));
	return in_guest(f, ANSWER)[4];
}

static void test_identity(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(MMIO_R(&f.bus, DEVICE_ID), VIRTIO_ID_9P);
	CHECK_EQ(virtio_config_read(f.dev, 0, 2), 5);
	CHECK_EQ(virtio_config_read(f.dev, 2, 4), get_le32("a-ta"));
	CHECK_EQ(virtio_config_read(f.dev, 6, 1), 'g');
	CHECK_EQ(virtio_config_read(f.dev, 7, 1), 0);
	teardown(&f);
}

static void test_requests(void)
{
	const uint32_t fid = 1;
	struct fixture f;

	setup(&f);
	CHECK_EQ(request(&f, NULL), 101);
	CHECK_EQ(request(&f, &fid), 105);
	CHECK_EQ(request(&f, &fid), 7); /* in use */
	CHECK(f.line.level);
	/* A driver that goes takes its session with it. */
	MMIO_W(&f.bus, STATUS, 0);
	bring_up(&f);
	CHECK_EQ(request(&f, &fid), 7); /* no version yet */
	CHECK_EQ(request(&f, NULL), 101);
	CHECK_EQ(request(&f, &fid), 105);
	teardown(&f);
}

static void test_no_room(void)
{
	struct fixture f;
	const struct guest_buf bufs[] = { { REQUEST, 21, false }, { ANSWER, 10, true } };

	setup(&f);
	put_request(&f, NULL);
	ring_add(&f.ring, bufs, 2);
	test_stderr_begin();
	virtio_queue_poll(f.dev, 0);
	CHECK(strstr(test_stderr_end(), "without room for an answer"));
	CHECK(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET);
	teardown(&f);
}

const struct test virtio_9p_tests[] = {
	{ "identity", test_identity },
	{ "requests", test_requests },
	{ "no room", test_no_room },
	{ 0 },
};
