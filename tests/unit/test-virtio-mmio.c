// SPDX-License-Identifier: GPL-2.0-only
/* The mmio transport, and through it core.c: a device that echoes, driven by its registers. */
#include "virtio/mmio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/virtio-guest.h"

#define ECHO_TYPE       42
#define ECHO_QUEUE_SIZE 16
#define ECHO_FEATURE    (UINT64_C(1) << 3)
#define ECHO_CONFIG     10

struct echo {
	struct virtio_device   dev;
	struct virtqueue_chain chain;
	unsigned int           activated, resets, stops, batch;
	unsigned int           config_offset, config_size;
	uint64_t               config_value;
	_Atomic unsigned int   served;
};

static unsigned int echo_destroyed;

static struct echo *to_echo(struct virtio_device *dev)
{
	return container_of(dev, struct echo, dev);
}

static bool echo_serve(struct virtio_device *dev, struct virtio_queue *queue)
{
	struct echo *e = to_echo(dev);
	unsigned int budget = e->batch;
	uint8_t buf[64];

	if (!virtio_queue_begin(queue))
		return false;
	while (budget && virtqueue_next(&queue->vq, &e->chain) > 0) {
		size_t n = virtqueue_read(&e->chain.readable, buf, sizeof(buf));

		n = virtqueue_write(&e->chain.writable, buf, n);
		virtqueue_put(&queue->vq, &e->chain, (uint32_t)n);
		e->served++;
		budget--;
	}
	virtio_queue_end(queue);
	return !budget;
}

static void echo_activate(struct virtio_device *dev)
{
	to_echo(dev)->activated++;
}

static void echo_reset(struct virtio_device *dev)
{
	to_echo(dev)->resets++;
}

static void echo_queue_stop(struct virtio_device *dev, struct virtio_queue *queue LKVM_UNUSED)
{
	to_echo(dev)->stops++;
}

static void echo_config_write(struct virtio_device *dev, unsigned int offset, unsigned int size,
			      uint64_t value)
{
	struct echo *e = to_echo(dev);

	e->config_offset = offset;
	e->config_size = size;
	e->config_value = value;
}

static void echo_destroy(struct virtio_device *dev)
{
	echo_destroyed++;
	free(to_echo(dev));
}

static const struct virtio_ops echo_ops = {
	.serve = echo_serve,
	.activate = echo_activate,
	.queue_stop = echo_queue_stop,
	.reset = echo_reset,
	.config_write = echo_config_write,
	.destroy = echo_destroy,
};

/* ---- a binder of doorbells ------------------------------------------------------------------- */

struct binding {
	gpa_t        addr;
	unsigned int len;
	bool         has_match;
	uint64_t     match;
	int          eventfd;
};

struct fake_binder {
	struct binding bound[8];
	unsigned int   nr;
	int            error;
	unsigned int   wrong; /* unbinds that match nothing */
};

static int fake_bind(void *ctx, gpa_t addr, unsigned int len, bool has_match, uint64_t match,
		     int eventfd)
{
	struct fake_binder *b = ctx;

	if (b->error)
		return b->error;
	b->bound[b->nr++] = (struct binding){ addr, len, has_match, match, eventfd };
	return 0;
}

static void fake_unbind(void *ctx, gpa_t addr, unsigned int len, bool has_match, uint64_t match,
			int eventfd)
{
	struct fake_binder *b = ctx;

	for (unsigned int i = 0; i < b->nr; i++) {
		const struct binding *x = &b->bound[i];

		if (x->addr == addr && x->len == len && x->has_match == has_match &&
		    x->match == match && x->eventfd == eventfd) {
			b->bound[i] = b->bound[--b->nr];
			return;
		}
	}
	b->wrong++;
}

/* ---- fixture --------------------------------------------------------------------------------- */

struct fixture {
	struct memory        mem;
	struct bus           bus;
	struct fake_line     line;
	struct fake_binder   binder;
	struct loop         *loop;
	struct echo         *echo;
	struct virtio_device *dev;
	struct guest_ring    rings[2];
};

static void setup_with(struct fixture *f, bool own_thread)
{
	const struct virtio_device_info info = {
		.name = "virtio-echo",
		.ops = &echo_ops,
		.type = ECHO_TYPE,
		.features = ECHO_FEATURE,
		.config_bytes = ECHO_CONFIG,
		.nr_queues = 2,
		.queue_size = ECHO_QUEUE_SIZE,
		.own_thread = own_thread,
	};
	struct ioevent_binder binder = { fake_bind, fake_unbind, &f->binder };
	struct virtio_env env;
	struct irq_line irq;

	memset(f, 0, sizeof(*f));
	guest_memory_init(&f->mem);
	bus_init(&f->bus, "mmio");
	CHECK_EQ(loop_create(&f->loop), 0);
	env = (struct virtio_env){ .mem = &f->mem, .loop = f->loop };
	f->echo = calloc(1, sizeof(*f->echo));
	f->echo->batch = 4;
	f->dev = &f->echo->dev;
	CHECK_EQ(virtio_device_init(f->dev, &env, &info), 0);
	irq = fake_irq(&f->line);
	CHECK_EQ(virtio_mmio_attach(f->dev, &f->bus, GUEST_MMIO, &irq, &binder), 0);
	for (unsigned int i = 0; i < 2; i++)
		ring_init(&f->rings[i], &f->mem, GUEST_RING(i), ECHO_QUEUE_SIZE);
}

static void setup(struct fixture *f)
{
	setup_with(f, false);
}

/* As a driver does that wants both queues. */
static void bring_up(struct fixture *f)
{
	mmio_negotiate(&f->bus, VERSION_1);
	mmio_set_queue(&f->bus, 0, &f->rings[0]);
	mmio_set_queue(&f->bus, 1, &f->rings[1]);
	mmio_driver_ok(&f->bus);
}

static void teardown(struct fixture *f)
{
	unsigned int before = echo_destroyed;

	virtio_device_ops.destroy(f->dev);
	CHECK_EQ(echo_destroyed, before + 1);
	CHECK_EQ(f->binder.nr, 0);
	CHECK_EQ(f->binder.wrong, 0);
	loop_destroy(f->loop);
	memory_exit(&f->mem);
}

static void offer_echo(struct fixture *f, unsigned int ring, unsigned int len)
{
	const struct guest_buf bufs[] = {
		{ GUEST_DATA, len, false },
		{ GUEST_DATA + 0x1000, len, true },
	};

	ring_add(&f->rings[ring], bufs, 2);
}

/* ---- registers ------------------------------------------------------------------------------- */

static void test_identity(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(MMIO_R(&f.bus, MAGIC_VALUE), 0x74726976);
	CHECK_EQ(MMIO_R(&f.bus, VERSION), 2);
	CHECK_EQ(MMIO_R(&f.bus, DEVICE_ID), ECHO_TYPE);
	CHECK_EQ(MMIO_R(&f.bus, STATUS), 0);
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_NUM_MAX), ECHO_QUEUE_SIZE);
	MMIO_W(&f.bus, QUEUE_SEL, 2);
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_NUM_MAX), 0);
	CHECK_EQ(MMIO_R(&f.bus, SHM_LEN_LOW), UINT32_MAX);
	CHECK_EQ(MMIO_R(&f.bus, SHM_LEN_HIGH), UINT32_MAX);
	/* Reserved, write-only and of a wrong width. */
	CHECK_EQ(mmio_get(&f.bus, 0xf0, 4), 0);
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_NOTIFY), 0);
	CHECK_EQ(mmio_get(&f.bus, VIRTIO_MMIO_MAGIC_VALUE, 1), 0);
	CHECK_EQ(mmio_get(&f.bus, VIRTIO_MMIO_MAGIC_VALUE, 8), 0);
	mmio_put(&f.bus, VIRTIO_MMIO_STATUS, 1, ST_ACK);
	CHECK_EQ(MMIO_R(&f.bus, STATUS), 0);
	teardown(&f);
}

static void test_features(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(MMIO_R(&f.bus, DEVICE_FEATURES),
		 ECHO_FEATURE | 1u << VIRTIO_RING_F_EVENT_IDX | 1u << VIRTIO_RING_F_INDIRECT_DESC);
	MMIO_W(&f.bus, DEVICE_FEATURES_SEL, 1);
	CHECK_EQ(MMIO_R(&f.bus, DEVICE_FEATURES), 1); /* VERSION_1 and nothing else */
	MMIO_W(&f.bus, DEVICE_FEATURES_SEL, 2);
	CHECK_EQ(MMIO_R(&f.bus, DEVICE_FEATURES), 0);
	MMIO_W(&f.bus, DEVICE_FEATURES_SEL, UINT32_MAX);
	CHECK_EQ(MMIO_R(&f.bus, DEVICE_FEATURES), 0);

	test_stderr_begin();
	mmio_negotiate(&f.bus, ECHO_FEATURE); /* a legacy driver */
	CHECK(!(MMIO_R(&f.bus, STATUS) & ST_FEATURES_OK));
	CHECK(strstr(test_stderr_end(), "VIRTIO_F_VERSION_1"));
	test_stderr_begin();
	mmio_negotiate(&f.bus, VERSION_1 | UINT64_C(1) << 4);
	CHECK(!(MMIO_R(&f.bus, STATUS) & ST_FEATURES_OK));
	/* Not even then may it run. */
	MMIO_W(&f.bus, STATUS, ST_ACK | ST_DRIVER | ST_DRIVER_OK);
	CHECK_EQ(MMIO_R(&f.bus, STATUS), ST_ACK | ST_DRIVER);
	CHECK(strstr(test_stderr_end(), "not offered"));
	CHECK_EQ(f.echo->activated, 0);

	mmio_negotiate(&f.bus, VERSION_1 | ECHO_FEATURE);
	CHECK_EQ(MMIO_R(&f.bus, STATUS), ST_ACK | ST_DRIVER | ST_FEATURES_OK);
	/* Settled: a later write changes nothing. */
	MMIO_W(&f.bus, DRIVER_FEATURES_SEL, 0);
	MMIO_W(&f.bus, DRIVER_FEATURES, UINT32_MAX);
	CHECK_EQ(f.dev->features, VERSION_1 | ECHO_FEATURE);
	MMIO_W(&f.bus, DRIVER_FEATURES_SEL, 2);
	MMIO_W(&f.bus, DRIVER_FEATURES, UINT32_MAX);
	CHECK_EQ(f.dev->features, VERSION_1 | ECHO_FEATURE);
	teardown(&f);
}

static void test_status(void)
{
	struct fixture f;

	setup(&f);
	bring_up(&f);
	CHECK_EQ(f.echo->activated, 1);
	/* Bits can't be cleared one by one, nor NEEDS_RESET be set by the driver. */
	MMIO_W(&f.bus, STATUS, ST_ACK | ST_NEEDS_RESET);
	CHECK_EQ(MMIO_R(&f.bus, STATUS), ST_ACK | ST_DRIVER | ST_FEATURES_OK | ST_DRIVER_OK);
	MMIO_W(&f.bus, STATUS, ST_DRIVER_OK);
	CHECK_EQ(f.echo->activated, 1);

	MMIO_W(&f.bus, STATUS, 0);
	CHECK_EQ(MMIO_R(&f.bus, STATUS), 0);
	CHECK_EQ(f.echo->stops, 2);
	CHECK_EQ(f.dev->features, 0);
	MMIO_W(&f.bus, QUEUE_SEL, 0);
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_READY), 0);

	test_stderr_begin();
	MMIO_W(&f.bus, STATUS, VIRTIO_CONFIG_S_FAILED);
	CHECK(strstr(test_stderr_end(), "gave the device up"));
	teardown(&f);
}

static void test_queue_registers(void)
{
	struct fixture f;

	setup(&f);
	mmio_negotiate(&f.bus, VERSION_1);
	mmio_set_queue(&f.bus, 1, &f.rings[1]);
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_READY), 1);
	/* A queue in use can't be changed. */
	MMIO_W(&f.bus, QUEUE_NUM, 4);
	MMIO_W(&f.bus, QUEUE_DESC_LOW, 0);
	CHECK_EQ(virtio_queue_size(f.dev, 1), ECHO_QUEUE_SIZE);
	CHECK_EQ(virtio_queue_ring(f.dev, 1, VIRTIO_RING_DESC), f.rings[1].desc);
	MMIO_W(&f.bus, QUEUE_READY, 0);
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_READY), 0);
	CHECK_EQ(f.echo->stops, 1);
	MMIO_W(&f.bus, QUEUE_DESC_HIGH, 0x12345678);
	MMIO_W(&f.bus, QUEUE_AVAIL_HIGH, 0x9abcdef0);
	MMIO_W(&f.bus, QUEUE_USED_LOW, 0x55);
	CHECK_EQ(virtio_queue_ring(f.dev, 1, VIRTIO_RING_DESC),
		 UINT64_C(0x12345678) << 32 | f.rings[1].desc);
	CHECK_EQ(virtio_queue_ring(f.dev, 1, VIRTIO_RING_AVAIL),
		 UINT64_C(0x9abcdef0) << 32 | f.rings[1].avail);
	CHECK_EQ(virtio_queue_ring(f.dev, 1, VIRTIO_RING_USED), 0x55);

	/* One that does not exist. */
	MMIO_W(&f.bus, QUEUE_SEL, 77);
	MMIO_W(&f.bus, QUEUE_NUM, 4);
	MMIO_W(&f.bus, QUEUE_DESC_LOW, 4);
	MMIO_W(&f.bus, QUEUE_READY, 1);
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_READY), 0);
	MMIO_W(&f.bus, QUEUE_NOTIFY, 77);
	MMIO_W(&f.bus, QUEUE_NOTIFY, UINT32_MAX);
	CHECK_EQ(MMIO_R(&f.bus, STATUS), ST_ACK | ST_DRIVER | ST_FEATURES_OK);
	teardown(&f);
}

/* Set-up mistakes: the device asks for a reset, says so when the driver runs, and recovers. */
static void test_bad_queue(void)
{
	static const struct {
		uint32_t reg, value;
		const char *why;
	} bad[] = {
		{ VIRTIO_MMIO_QUEUE_NUM, 0, "power of two" },
		{ VIRTIO_MMIO_QUEUE_NUM, 12, "power of two" },
		{ VIRTIO_MMIO_QUEUE_NUM, 0x10010, "power of two" },
		{ VIRTIO_MMIO_QUEUE_NUM, 2 * ECHO_QUEUE_SIZE, "larger than offered" },
		{ VIRTIO_MMIO_QUEUE_DESC_LOW, 8, "misaligned" },
		{ VIRTIO_MMIO_QUEUE_DESC_HIGH, 1, "descriptor table" },
		{ VIRTIO_MMIO_QUEUE_AVAIL_HIGH, 0xffffffff, "available ring" },
		{ VIRTIO_MMIO_QUEUE_USED_LOW, GUEST_ROM, "used ring" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fixture f;

		setup(&f);
		mmio_negotiate(&f.bus, VERSION_1);
		mmio_set_queue(&f.bus, 0, &f.rings[0]);
		MMIO_W(&f.bus, QUEUE_READY, 0);
		mmio_put(&f.bus, bad[i].reg, 4, bad[i].value);
		test_stderr_begin();
		MMIO_W(&f.bus, QUEUE_READY, 1);
		CHECK(strstr(test_stderr_end(), bad[i].why));
		CHECK_EQ(MMIO_R(&f.bus, QUEUE_READY), 0);
		CHECK(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET);
		CHECK(!f.line.level);
		mmio_driver_ok(&f.bus);
		CHECK_EQ(MMIO_R(&f.bus, INTERRUPT_STATUS), VIRTIO_MMIO_INT_CONFIG);

		bring_up(&f);
		CHECK_EQ(MMIO_R(&f.bus, STATUS),
			 ST_ACK | ST_DRIVER | ST_FEATURES_OK | ST_DRIVER_OK);
		CHECK(!f.line.level);
		offer_echo(&f, 0, 8);
		virtio_queue_poll(f.dev, 0);
		CHECK_EQ(ring_must_take(&f.rings[0]), 8);
		teardown(&f);
	}
}

static void test_queue_before_features(void)
{
	struct fixture f;

	setup(&f);
	MMIO_W(&f.bus, STATUS, ST_ACK | ST_DRIVER);
	test_stderr_begin();
	mmio_set_queue(&f.bus, 0, &f.rings[0]);
	CHECK(strstr(test_stderr_end(), "before FEATURES_OK"));
	CHECK(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET);
	teardown(&f);
}

static void test_config(void)
{
	const uint8_t bytes[ECHO_CONFIG] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	struct fixture f;
	uint32_t generation;

	setup(&f);
	generation = MMIO_R(&f.bus, CONFIG_GENERATION);
	virtio_config_set(f.dev, 0, bytes, sizeof(bytes), true);
	CHECK(!f.line.level); /* nobody listens yet */
	CHECK(MMIO_R(&f.bus, CONFIG_GENERATION) != generation);
	CHECK_EQ(mmio_get(&f.bus, VIRTIO_MMIO_CONFIG, 1), 1);
	CHECK_EQ(mmio_get(&f.bus, VIRTIO_MMIO_CONFIG + 2, 2), 0x0403);
	CHECK_EQ(mmio_get(&f.bus, VIRTIO_MMIO_CONFIG + 4, 4), 0x08070605);
	CHECK_EQ(mmio_get(&f.bus, VIRTIO_MMIO_CONFIG, 8), UINT64_C(0x0807060504030201));
	CHECK_EQ(mmio_get(&f.bus, VIRTIO_MMIO_CONFIG + 8, 4), 0x0a09); /* half beyond the end */
	CHECK_EQ(mmio_get(&f.bus, VIRTIO_MMIO_CONFIG + 0xf8, 8), 0);

	mmio_put(&f.bus, VIRTIO_MMIO_CONFIG + 6, 2, 0xbeef);
	CHECK_EQ(f.echo->config_offset, 6);
	CHECK_EQ(f.echo->config_size, 2);
	CHECK_EQ(f.echo->config_value, 0xbeef);
	mmio_put(&f.bus, VIRTIO_MMIO_CONFIG + 8, 4, 1); /* beyond the end: not the device's */
	CHECK_EQ(f.echo->config_offset, 6);

	bring_up(&f);
	virtio_config_set(f.dev, 3, bytes, 1, false);
	CHECK(!f.line.level);
	virtio_config_set(f.dev, 3, bytes, 1, true);
	CHECK(f.line.level);
	CHECK_EQ(MMIO_R(&f.bus, INTERRUPT_STATUS), VIRTIO_MMIO_INT_CONFIG);
	teardown(&f);
}

/* ---- data ------------------------------------------------------------------------------------ */

static void test_echo(void)
{
	struct fixture f;

	setup(&f);
	bring_up(&f);
	virtio_queue_poll(f.dev, 0); /* DRIVER_OK rang, for buffers that are there already */
	memcpy(memory_ptr(&f.mem, GUEST_DATA, 5), "hello", 5);
	offer_echo(&f, 0, 5);
	virtio_queue_poll(f.dev, 0); /* no doorbell yet: nothing happens */
	CHECK_EQ(ring_used_idx(&f.rings[0]), 0);
	MMIO_W(&f.bus, QUEUE_NOTIFY, 0);
	virtio_queue_poll(f.dev, 1);
	CHECK_EQ(ring_used_idx(&f.rings[0]), 0);
	virtio_queue_poll(f.dev, 0);
	CHECK_EQ(ring_must_take(&f.rings[0]), 5);
	CHECK(!memcmp(memory_ptr(&f.mem, GUEST_DATA + 0x1000, 5), "hello", 5));

	CHECK(f.line.level);
	CHECK_EQ(MMIO_R(&f.bus, INTERRUPT_STATUS), VIRTIO_MMIO_INT_VRING);
	virtio_config_set(f.dev, 0, "", 1, true);
	CHECK_EQ(MMIO_R(&f.bus, INTERRUPT_STATUS), VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG);
	MMIO_W(&f.bus, INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
	CHECK(f.line.level);
	MMIO_W(&f.bus, INTERRUPT_ACK, VIRTIO_MMIO_INT_CONFIG);
	CHECK(!f.line.level);
	CHECK_EQ(f.line.raised, 1);
	teardown(&f);
}

/* A batch ends, and the rest is served in another call without a new doorbell. */
static void test_budget(void)
{
	struct fixture f;

	setup(&f);
	bring_up(&f);
	for (unsigned int i = 0; i < 6; i++)
		offer_echo(&f, 0, 4);
	virtio_queue_poll(f.dev, 0);
	CHECK_EQ(ring_used_idx(&f.rings[0]), 4);
	virtio_queue_poll(f.dev, 0);
	CHECK_EQ(ring_used_idx(&f.rings[0]), 6);
	teardown(&f);
}

static void test_not_live(void)
{
	struct fixture f;

	setup(&f);
	mmio_negotiate(&f.bus, VERSION_1);
	mmio_set_queue(&f.bus, 0, &f.rings[0]);
	offer_echo(&f, 0, 4);
	MMIO_W(&f.bus, QUEUE_NOTIFY, 0);
	virtio_queue_poll(f.dev, 0);
	CHECK_EQ(ring_used_idx(&f.rings[0]), 0);
	mmio_driver_ok(&f.bus); /* rings by itself */
	virtio_queue_poll(f.dev, 0);
	CHECK_EQ(ring_used_idx(&f.rings[0]), 1);

	/* A stopped queue is left alone. */
	MMIO_W(&f.bus, QUEUE_SEL, 0);
	MMIO_W(&f.bus, QUEUE_READY, 0);
	offer_echo(&f, 0, 4);
	MMIO_W(&f.bus, QUEUE_NOTIFY, 0);
	virtio_queue_poll(f.dev, 0);
	CHECK_EQ(ring_used_idx(&f.rings[0]), 1);
	teardown(&f);
}

static void test_needs_reset(void)
{
	struct fixture f;

	setup(&f);
	bring_up(&f);
	offer_echo(&f, 0, 4);
	ring_offer(&f.rings[0], ECHO_QUEUE_SIZE); /* no such descriptor */
	MMIO_W(&f.bus, QUEUE_NOTIFY, 0);
	test_stderr_begin();
	virtio_queue_poll(f.dev, 0);
	CHECK(strstr(test_stderr_end(), "virtio-echo: queue 0: descriptor index is beyond the table"));
	CHECK(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET);
	/* What was done before counts. */
	CHECK_EQ(ring_used_idx(&f.rings[0]), 1);
	CHECK_EQ(MMIO_R(&f.bus, INTERRUPT_STATUS), VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG);

	/* The other queue rests, too. */
	offer_echo(&f, 1, 4);
	MMIO_W(&f.bus, QUEUE_NOTIFY, 1);
	virtio_queue_poll(f.dev, 1);
	CHECK_EQ(ring_used_idx(&f.rings[1]), 0);

	MMIO_W(&f.bus, STATUS, 0);
	CHECK_EQ(MMIO_R(&f.bus, STATUS), 0);
	CHECK_EQ(MMIO_R(&f.bus, INTERRUPT_STATUS), 0);
	CHECK(!f.line.level);
	ring_init(&f.rings[0], &f.mem, GUEST_RING(0), ECHO_QUEUE_SIZE);
	ring_init(&f.rings[1], &f.mem, GUEST_RING(1), ECHO_QUEUE_SIZE);
	bring_up(&f);
	offer_echo(&f, 1, 4);
	virtio_queue_poll(f.dev, 1);
	CHECK_EQ(ring_used_idx(&f.rings[1]), 1);
	teardown(&f);
}

/* A flood of mistakes is a handful of lines. */
static void test_quiet(void)
{
	struct fixture f;
	const char *text;
	unsigned int lines = 0;

	setup(&f);
	test_stderr_begin();
	for (unsigned int i = 0; i < 200; i++)
		mmio_negotiate(&f.bus, 0);
	text = test_stderr_end();
	while ((text = strchr(text, '\n'))) {
		text++;
		lines++;
	}
	CHECK(lines >= 5 && lines <= 20);
	teardown(&f);
}

/* ---- doorbells ------------------------------------------------------------------------------- */

static void test_doorbells(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(f.binder.nr, 0); /* not before somebody wants them */
	mmio_negotiate(&f.bus, VERSION_1);
	mmio_set_queue(&f.bus, 1, &f.rings[1]);
	CHECK_EQ(f.binder.nr, 1);
	CHECK_EQ(f.binder.bound[0].addr, GUEST_MMIO + VIRTIO_MMIO_QUEUE_NOTIFY);
	CHECK_EQ(f.binder.bound[0].len, 4);
	CHECK(f.binder.bound[0].has_match);
	CHECK_EQ(f.binder.bound[0].match, 1);
	CHECK_EQ(f.binder.bound[0].eventfd, f.dev->queues[1].eventfd);
	MMIO_W(&f.bus, STATUS, 0);
	bring_up(&f);
	CHECK_EQ(f.binder.nr, 2); /* none twice */
	teardown(&f);
}

static void test_no_doorbells(void)
{
	struct fixture f;

	setup(&f);
	f.binder.error = -ENOTSUP;
	bring_up(&f);
	CHECK_EQ(f.binder.nr, 0);
	offer_echo(&f, 0, 4);
	MMIO_W(&f.bus, QUEUE_NOTIFY, 0);
	virtio_queue_poll(f.dev, 0);
	CHECK_EQ(ring_used_idx(&f.rings[0]), 1);
	teardown(&f);
}

static void test_window_taken(void)
{
	struct irq_line irq = { 0 };
	struct fixture f;

	setup(&f);
	test_stderr_begin();
	CHECK_EQ(virtio_mmio_attach(f.dev, &f.bus, GUEST_MMIO + 0x100, &irq, NULL), -EEXIST);
	test_stderr_end();
	teardown(&f);
}

/* ---- threads --------------------------------------------------------------------------------- */

/* Resets and set-ups while the device's thread serves: nobody may see a ring that is gone. */
static void test_reset_race(void)
{
	struct fixture f;
	unsigned int rounds = 0;

	setup_with(&f, true);
	CHECK_EQ(virtio_device_ops.start(f.dev), 0);
	while (rounds < 200) {
		ring_init(&f.rings[0], &f.mem, GUEST_RING(0), ECHO_QUEUE_SIZE);
		ring_init(&f.rings[1], &f.mem, GUEST_RING(1), ECHO_QUEUE_SIZE);
		bring_up(&f);
		for (unsigned int i = 0; i < 8; i++) {
			offer_echo(&f, i & 1, 4);
			MMIO_W(&f.bus, QUEUE_NOTIFY, i & 1);
		}
		if (rounds % 16 == 0)
			while (ring_used_idx(&f.rings[0]) != 4 || !f.line.level)
				usleep(100);
		MMIO_W(&f.bus, STATUS, 0);
		CHECK(!(MMIO_R(&f.bus, STATUS)));
		/* Scribble: the device must be out of here by now. */
		memset(memory_ptr(&f.mem, GUEST_RING(0), 0x10000), 0xff, 0x10000);
		rounds++;
	}
	virtio_device_ops.stop(f.dev);
	CHECK(!f.line.level);
	CHECK_EQ(MMIO_R(&f.bus, INTERRUPT_STATUS), 0);
	CHECK(f.echo->served > 0);
	teardown(&f);
}

/* On a loop that the device shares. */
static void test_shared_loop(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(virtio_device_ops.start(f.dev), 0);
	CHECK_EQ(loop_start(f.loop, "test"), 0);
	bring_up(&f);
	offer_echo(&f, 1, 4);
	MMIO_W(&f.bus, QUEUE_NOTIFY, 1);
	for (unsigned int i = 0; i < 10000 && !f.line.level; i++)
		usleep(1000);
	CHECK(f.line.level);
	CHECK_EQ(ring_used_idx(&f.rings[1]), 1);
	loop_stop(f.loop);
	virtio_device_ops.stop(f.dev);
	teardown(&f);
}

static void test_no_leak(void)
{
	struct fixture f;
	int fds = test_open_fds();

	setup_with(&f, true);
	CHECK_EQ(virtio_device_ops.start(f.dev), 0);
	virtio_device_ops.stop(f.dev);
	teardown(&f);
	CHECK_EQ(test_open_fds(), fds);
	virtio_device_ops.destroy(NULL);
}

/* However few fds there are, the failure is clean. */
static void test_out_of_fds(void)
{
	const struct virtio_device_info info = {
		.name = "virtio-echo",
		.ops = &echo_ops,
		.nr_queues = 2,
		.queue_size = ECHO_QUEUE_SIZE,
		.own_thread = true,
	};
	const struct virtio_env env = { 0 };
	int fds = test_open_fds();
	struct rlimit old, low;
	struct echo *e = calloc(1, sizeof(*e));
	unsigned int failures = 0;
	int probe = fcntl(0, F_DUPFD_CLOEXEC, 0); /* the lowest free one */
	int ret;

	close(probe);
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
	test_stderr_begin();
	for (unsigned int room = 0; room < 8; room++) {
		low = old;
		low.rlim_cur = (rlim_t)probe + 2 + room; /* the two are test_stderr_begin()'s */
		CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
		ret = virtio_device_init(&e->dev, &env, &info);
		CHECK_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
		if (!ret)
			virtio_device_exit(&e->dev);
		else
			CHECK_EQ(ret, -EMFILE);
		failures += ret != 0;
	}
	CHECK(strstr(test_stderr_end(), "virtio-echo: cannot create the device: Too many open files"));
	CHECK(failures >= 3 && failures < 8);
	free(e);
	CHECK_EQ(test_open_fds(), fds);
}

const struct test virtio_mmio_tests[] = {
	{ "identity", test_identity },
	{ "features", test_features },
	{ "status", test_status },
	{ "queue registers", test_queue_registers },
	{ "bad queue", test_bad_queue },
	{ "queue before features", test_queue_before_features },
	{ "config", test_config },
	{ "echo", test_echo },
	{ "budget", test_budget },
	{ "not live", test_not_live },
	{ "needs reset", test_needs_reset },
	{ "quiet", test_quiet },
	{ "doorbells", test_doorbells },
	{ "no doorbells", test_no_doorbells },
	{ "window taken", test_window_taken },
	{ "reset race", test_reset_race },
	{ "shared loop", test_shared_loop },
	{ "no leak", test_no_leak },
	{ "out of fds", test_out_of_fds },
	{ 0 },
};
