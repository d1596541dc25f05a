// SPDX-License-Identifier: GPL-2.0-only
/* The virtio-fs device between a driver and a back end: what it passes on, and when the back end is lost. */
#include "virtio/fs.h"

#include <linux/virtio_ids.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>

#include "lkvm/clock.h"
#include "tests/unit/vhost-backend.h"
#include "tests/unit/virtio-guest.h"
#include "virtio/mmio.h"

#define EVENT_IDX (UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX)

struct fixture {
	struct memory         mem;
	struct bus            bus;
	struct fake_line      line;
	struct loop          *loop;
	struct virtio_device *dev;
	struct guest_ring     rings[2];
	struct backend        backend;
	_Atomic unsigned int  lost;
	char                  why[96]; /* valid with lost */
	unsigned int          fds;
};

/* How long answers may take. */
static unsigned int timeout_ms = 200;

static void on_lost(void *opaque, const char *why)
{
	struct fixture *f = opaque;

	snprintf(f->why, sizeof(f->why), "%s", why ? why : "closed");
	f->lost++;
}

static void setup_with(struct fixture *f, uint32_t fault_at, enum backend_fault fault)
{
	struct virtio_env env;
	struct vhost_user vu;
	struct irq_line irq;

	memset(f, 0, sizeof(*f));
	f->fds = test_open_fds();
	f->mem.share = true;
	CHECK_EQ(memory_add(&f->mem, "ram", GUEST_RAM, GUEST_RAM_BYTES, false, NULL), 0);
	CHECK_EQ(memory_add(&f->mem, "rom", GUEST_ROM, GUEST_ROM_BYTES, true, NULL), 0);
	bus_init(&f->bus, "mmio");
	CHECK_EQ(loop_create(&f->loop), 0);
	env = (struct virtio_env){ .mem = &f->mem, .loop = f->loop };
	irq = fake_irq(&f->line);
	f->backend.fault_at = fault_at;
	f->backend.fault = fault;
	backend_start(&f->backend, VERSION_1 | EVENT_IDX | 1);
	CHECK_EQ(vhost_user_open(&vu, f->backend.front), 0);
	vu.timeout_ms = timeout_ms;
	CHECK_EQ(virtio_fs_create(&f->dev, &env, &vu, "a-tag", on_lost, f), 0);
	CHECK_EQ(virtio_mmio_attach(f->dev, &f->bus, GUEST_MMIO, &irq, NULL), 0);
	CHECK_EQ(virtio_device_ops.start(f->dev), 0);
	CHECK_EQ(loop_start(f->loop, "test"), 0);
}

static void setup(struct fixture *f)
{
	setup_with(f, 0, BACKEND_GOOD);
}

static void teardown(struct fixture *f)
{
	loop_stop(f->loop);
	virtio_device_ops.stop(f->dev);
	virtio_device_ops.destroy(f->dev);
	backend_stop(&f->backend);
	loop_destroy(f->loop);
	memory_exit(&f->mem);
	CHECK_EQ(test_open_fds(), f->fds);
}

static void bring_up(struct fixture *f)
{
	mmio_negotiate(&f->bus, VERSION_1 | EVENT_IDX);
	for (unsigned int i = 0; i < 2; i++) {
		ring_init(&f->rings[i], &f->mem, GUEST_RING(i), 64);
		mmio_set_queue(&f->bus, i, &f->rings[i]);
	}
	mmio_driver_ok(&f->bus);
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static void test_identity(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(MMIO_R(&f.bus, DEVICE_ID), VIRTIO_ID_FS);
	CHECK_EQ(virtio_config_read(f.dev, 0, 4), get_le32("a-ta"));
	CHECK_EQ(virtio_config_read(f.dev, 4, 2), 'g');
	CHECK_EQ(virtio_config_read(f.dev, 36, 4), 1);
	/* Not those that only one of the two knows: INDIRECT_DESC, and bit 0. */
	CHECK_EQ(f.dev->offered, VERSION_1 | EVENT_IDX);
	teardown(&f);
}

static void test_queues(void)
{
	uintptr_t ram;
	eventfd_t count;
	struct fixture f;
	const struct backend_message *m;

	setup(&f);
	ram = (uintptr_t)memory_ptr(&f.mem, GUEST_RAM, 1);
	bring_up(&f);
	CHECK_EQ(backend_seen(&f.backend, VU_SET_FEATURES, 0)->payload[0],
		 VERSION_1 | EVENT_IDX | VU_F_PROTOCOL_FEATURES);
	CHECK_EQ(backend_seen(&f.backend, VU_SET_MEM_TABLE, 0)->nr_fds, 1);
	for (unsigned int i = 0; i < 2; i++) {
		m = backend_seen(&f.backend, VU_SET_VRING_ADDR, i);
		CHECK_EQ(((const uint32_t *)m->payload)[0], i);
		CHECK_EQ(m->payload[1], ram + f.rings[i].desc - GUEST_RAM);
		CHECK_EQ(m->payload[2], ram + f.rings[i].used - GUEST_RAM);
		CHECK_EQ(m->payload[3], ram + f.rings[i].avail - GUEST_RAM);
		/* There may be buffers already; and then the doorbell is the back end's alone. */
		m = backend_seen(&f.backend, VU_SET_VRING_KICK, i);
		CHECK_EQ(eventfd_read(m->fds[0], &count), 0);
		MMIO_W(&f.bus, QUEUE_NOTIFY, i);
		nap();
		CHECK_EQ(eventfd_read(m->fds[0], &count), 0);
	}
	CHECK(!f.line.level);
	CHECK_EQ(eventfd_write(backend_seen(&f.backend, VU_SET_VRING_CALL, 1)->fds[0], 1), 0);
	while (!f.line.level)
		nap();
	CHECK_EQ(MMIO_R(&f.bus, INTERRUPT_STATUS), VIRTIO_IRQ_QUEUE);

	/* Stopped, one by one, when the driver goes; and it all begins anew. */
	CHECK(!backend_seen(&f.backend, VU_GET_VRING_BASE, 0));
	MMIO_W(&f.bus, STATUS, 0);
	CHECK(backend_seen(&f.backend, VU_GET_VRING_BASE, 1) != NULL);
	bring_up(&f);
	CHECK(backend_seen(&f.backend, VU_SET_VRING_KICK, 3) != NULL);
	CHECK_EQ(f.lost, 0);
	teardown(&f);
}

/* A driver that stops one queue; one that never makes the other; one that gives up without a queue. */
static void test_some_queues(void)
{
	struct fixture f;

	setup(&f);
	ring_init(&f.rings[1], &f.mem, GUEST_RING(1), 64);
	mmio_negotiate(&f.bus, VERSION_1);
	mmio_set_queue(&f.bus, 1, &f.rings[1]);
	mmio_driver_ok(&f.bus);
	CHECK(backend_seen(&f.backend, VU_SET_VRING_KICK, 0) && !backend_seen(&f.backend, VU_SET_VRING_KICK, 1));
	MMIO_W(&f.bus, QUEUE_SEL, 1);
	MMIO_W(&f.bus, QUEUE_READY, 0);
	CHECK(backend_seen(&f.backend, VU_GET_VRING_BASE, 0) != NULL);
	MMIO_W(&f.bus, STATUS, 0);
	mmio_negotiate(&f.bus, VERSION_1);
	mmio_set_queue(&f.bus, 1, &f.rings[1]);
	MMIO_W(&f.bus, STATUS, 0);
	CHECK(!backend_seen(&f.backend, VU_GET_VRING_BASE, 1));
	CHECK_EQ(f.lost, 0);
	teardown(&f);
}

/* A ring where the back end has no memory is the guest's mistake. */
static void test_ring_in_rom(void)
{
	struct fixture f;

	setup(&f);
	ring_init(&f.rings[1], &f.mem, GUEST_RING(1), 64);
	f.rings[1].desc = GUEST_ROM;
	mmio_negotiate(&f.bus, VERSION_1);
	mmio_set_queue(&f.bus, 1, &f.rings[1]);
	test_stderr_begin();
	mmio_driver_ok(&f.bus);
	CHECK(strstr(test_stderr_end(), "virtio-fs: queue 1: a ring is not in RAM"));
	CHECK(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET);
	CHECK(!backend_seen(&f.backend, VU_SET_VRING_ADDR, 0));
	bring_up(&f);
	CHECK(!(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET));
	CHECK(backend_seen(&f.backend, VU_SET_VRING_ADDR, 1) != NULL);
	CHECK_EQ(f.lost, 0);
	teardown(&f);
}

static void check_lost(uint32_t request, enum backend_fault fault, const char *why)
{
	struct fixture f;

	setup_with(&f, request, fault);
	bring_up(&f);
	if (request == VU_GET_VRING_BASE)
		MMIO_W(&f.bus, STATUS, 0);
	while (!f.lost)
		nap();
	CHECK_STR(f.why, why);
	/* The guest may go on as it likes: nobody is asked any more, and it is told once. */
	bring_up(&f);
	nap();
	CHECK_EQ(f.lost, 1);
	teardown(&f);
}

static void test_lost(void)
{
	struct fixture f;

	check_lost(VU_SET_FEATURES, BACKEND_REFUSES, "refused SET_FEATURES");
	check_lost(VU_SET_MEM_TABLE, BACKEND_CLOSES, "closed");
	check_lost(VU_SET_VRING_ADDR, BACKEND_SILENT, "did not answer SET_VRING_ADDR for 0 s");
	check_lost(VU_GET_VRING_BASE, BACKEND_BABBLES, "answered GET_VRING_BASE with message 99 of 8 bytes, flags 0x5");
	/* While nobody talks to it. */
	setup(&f);
	bring_up(&f);
	shutdown(f.backend.fd, SHUT_RDWR);
	while (!f.lost)
		nap();
	CHECK_STR(f.why, "closed");
	teardown(&f);
}

static void *let_go(void *opaque)
{
	struct fixture *f = opaque;

	MMIO_W(&f->bus, STATUS, 0);
	return NULL;
}

/* Who shuts the connection down, by whatever descriptor, ends the wait for an answer. */
static void test_hang_up(void)
{
	struct fixture f;
	uint64_t start;
	pthread_t vcpu;
	int fd;

	timeout_ms = 60000;
	setup_with(&f, VU_GET_VRING_BASE, BACKEND_SILENT);
	timeout_ms = 200;
	bring_up(&f);
	fd = dup(f.backend.front);
	start = clock_now_ms();
	CHECK_EQ(pthread_create(&vcpu, NULL, let_go, &f), 0);
	while (!backend_seen(&f.backend, VU_GET_VRING_BASE, 0))
		nap();
	CHECK_EQ(f.lost, 0);
	CHECK_EQ(shutdown(fd, SHUT_RDWR), 0);
	pthread_join(vcpu, NULL);
	CHECK(clock_now_ms() - start < 30000);
	close(fd);
	teardown(&f);
}

const struct test virtio_fs_tests[] = {
	{ "identity", test_identity },
	{ "queues", test_queues },
	{ "some_queues", test_some_queues },
	{ "ring_in_rom", test_ring_in_rom },
	{ "lost", test_lost },
	{ "hang_up", test_hang_up },
	{ 0 },
};
