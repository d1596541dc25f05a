// SPDX-License-Identifier: GPL-2.0-only
/* The console device: as a plain hvc0, and with channels beside it. */
#include "virtio/console.h"

#include <fcntl.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/virtio-guest.h"
#include "virtio/mmio.h"

#define MULTIPORT (UINT64_C(1) << VIRTIO_CONSOLE_F_MULTIPORT)
#define NR_QUEUES 8

/* The host's end of a channel. */
struct channel {
	uint8_t      got[256];
	size_t       nr_got;
	size_t       room;        /* write() takes no more than this */
	bool         open;
	unsigned int opens, closes, ready;
	/* What input_ready() sends. */
	struct virtio_device *dev;
	unsigned int port;
	const char  *send;
};

static size_t channel_write(void *opaque, const void *buf, size_t len)
{
	struct channel *c = opaque;

	len = MIN(len, c->room);
	CHECK(c->nr_got + len <= sizeof(c->got));
	memcpy(c->got + c->nr_got, buf, len);
	c->nr_got += len;
	c->room -= len;
	return len;
}

static void channel_open(void *opaque, bool open)
{
	struct channel *c = opaque;

	c->open = open;
	if (open)
		c->opens++;
	else
		c->closes++;
}

static void channel_ready(void *opaque)
{
	struct channel *c = opaque;

	c->ready++;
	if (c->send)
		c->send += virtio_console_send(c->dev, c->port, c->send, strlen(c->send));
}

struct fixture {
	struct memory         mem;
	struct bus            bus;
	struct fake_line      line;
	struct loop          *loop;
	int                   out_fd;
	int                   in_pipe[2];
	struct console       *console;
	struct virtio_device *dev;
	struct channel        channels[2];
	struct guest_ring     rings[NR_QUEUES];
};

static void setup_with(struct fixture *f, bool with_console, unsigned int nr_channels)
{
	struct virtio_console_port ports[2];
	struct console_options opt = { 0 };
	struct virtio_env env;
	struct irq_line irq;

	memset(f, 0, sizeof(*f));
	guest_memory_init(&f->mem);
	bus_init(&f->bus, "mmio");
	CHECK_EQ(loop_create(&f->loop), 0);
	f->out_fd = memfd_create("console", MFD_CLOEXEC);
	CHECK_EQ(pipe2(f->in_pipe, O_CLOEXEC), 0);
	opt.out_fd = f->out_fd;
	opt.in_fd = f->in_pipe[0];
	opt.loop = f->loop;
	CHECK_EQ(console_create(&f->console, &opt), 0);

	env = (struct virtio_env){ .mem = &f->mem, .loop = f->loop };
	for (unsigned int i = 0; i < nr_channels; i++) {
		f->channels[i].room = SIZE_MAX;
		f->channels[i].port = i + 1;
		ports[i] = (struct virtio_console_port){
			.name = i ? "org.lkvm.two" : "org.lkvm.one",
			.write = channel_write,
			.guest_open = channel_open,
			.input_ready = channel_ready,
			.opaque = &f->channels[i],
		};
	}
	CHECK_EQ(virtio_console_create(&f->dev, &env, with_console ? f->console : NULL, ports,
				       nr_channels), 0);
	f->channels[0].dev = f->dev;
	f->channels[1].dev = f->dev;
	irq = fake_irq(&f->line);
	CHECK_EQ(virtio_mmio_attach(f->dev, &f->bus, GUEST_MMIO, &irq, NULL), 0);
}

static void bring_up(struct fixture *f, uint64_t features)
{
	mmio_negotiate(&f->bus, VERSION_1 | features);
	CHECK(MMIO_R(&f->bus, STATUS) & ST_FEATURES_OK);
	for (unsigned int i = 0; i < f->dev->nr_queues; i++) {
		ring_init(&f->rings[i], &f->mem, GUEST_RING(i), 16);
		mmio_set_queue(&f->bus, i, &f->rings[i]);
	}
	mmio_driver_ok(&f->bus);
}

static void setup(struct fixture *f)
{
	setup_with(f, true, 0);
	bring_up(f, 0);
}

static void poll_all(struct fixture *f)
{
	for (unsigned int round = 0; round < 3; round++)
		for (unsigned int i = 0; i < f->dev->nr_queues; i++)
			virtio_queue_poll(f->dev, i);
}

static void teardown(struct fixture *f)
{
	virtio_device_ops.destroy(f->dev);
	console_destroy(f->console);
	loop_destroy(f->loop);
	close(f->out_fd);
	close(f->in_pipe[0]);
	close(f->in_pipe[1]);
	memory_exit(&f->mem);
}

static uint8_t *ram(struct fixture *f, gpa_t gpa)
{
	return memory_ptr(&f->mem, gpa, 1);
}

static void check_output(struct fixture *f, const char *want)
{
	char text[256] = "";

	CHECK(pread(f->out_fd, text, sizeof(text) - 1, 0) >= 0);
	CHECK_STR(text, want);
}

/* The guest writes @text to queue @index. */
static void guest_write(struct fixture *f, unsigned int index, const char *text)
{
	const struct guest_buf buf = {
		GUEST_DATA + 0x1000 * index + 0x100 * (f->rings[index].avail_idx % 16u),
		(uint32_t)strlen(text), false
	};

	memcpy(ram(f, buf.addr), text, buf.len);
	ring_add(&f->rings[index], &buf, 1);
	MMIO_W(&f->bus, QUEUE_NOTIFY, index);
}

/* ... and offers @nr buffers of @len bytes on it. */
static void guest_offer(struct fixture *f, unsigned int index, unsigned int nr, uint32_t len)
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct guest_buf buf = {GUEST_DATA + 0x1000 * index +
						      0x100 * (f->rings[index].avail_idx % 16u),
					      len, true};

		ring_add(&f->rings[index], &buf, 1);
	}
	MMIO_W(&f->bus, QUEUE_NOTIFY, index);
}

/* Takes what was received next on @index; it must be @want. */
static void guest_got(struct fixture *f, unsigned int index, const char *want)
{
	unsigned int slot = f->rings[index].used_seen % 16u;
	char text[256] = "";
	uint32_t id, len = 0;

	CHECK(ring_take(&f->rings[index], &id, &len));
	memcpy(text, ram(f, GUEST_DATA + 0x1000 * index + 0x100 * slot), MIN(len, 255u));
	CHECK_STR(text, want);
}

static bool guest_got_nothing(const struct fixture *f, unsigned int index)
{
	return ring_used_idx(&f->rings[index]) == f->rings[index].used_seen;
}

/* ---- port 0 ---------------------------------------------------------------------------------- */

static void test_config(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(MMIO_R(&f.bus, DEVICE_ID), VIRTIO_ID_CONSOLE);
	CHECK_EQ(mmio_get(&f.bus, VIRTIO_MMIO_CONFIG + 4, 4), 1);
	CHECK_EQ(MMIO_R(&f.bus, DEVICE_FEATURES) & 7,
		 1u << VIRTIO_CONSOLE_F_EMERG_WRITE | 1u << VIRTIO_CONSOLE_F_MULTIPORT);
	teardown(&f);
}

static void test_output(void)
{
	const struct guest_buf bufs[] = {
		{GUEST_DATA, 3, false},
		{GUEST_DATA + 16, 2, false},
		{GUEST_DATA + 64, 1, false},
	};
	struct fixture f;

	setup(&f);
	guest_write(&f, 1, "hello ");
	memcpy(ram(&f, GUEST_DATA), "wor", 3);
	memcpy(ram(&f, GUEST_DATA + 16), "ld", 2);
	memcpy(ram(&f, GUEST_DATA + 64), "\n", 1);
	ring_add(&f.rings[1], bufs, 3);
	virtio_queue_poll(f.dev, 1);
	CHECK_EQ(ring_must_take(&f.rings[1]), 0);
	CHECK_EQ(ring_must_take(&f.rings[1]), 0);
	CHECK(f.line.level);
	check_output(&f, "hello world\n");
	teardown(&f);
}

static void test_emergency_write(void)
{
	struct fixture f;

	setup_with(&f, true, 0);
	mmio_put(&f.bus, VIRTIO_MMIO_CONFIG + 8, 4, 'X'); /* nothing was negotiated */
	mmio_put(&f.bus, VIRTIO_MMIO_CONFIG + 8, 4, '\n');
	check_output(&f, "X\n");
	mmio_put(&f.bus, VIRTIO_MMIO_CONFIG + 4, 4, 'Y');
	check_output(&f, "X\n");
	teardown(&f);
}

static void test_input(void)
{
	struct fixture f;
	struct console_frontend fe;

	setup(&f);
	fe = virtio_console_frontend(f.dev);
	CHECK_EQ(fe.can_receive(fe.dev), 0);
	guest_offer(&f, 0, 2, 8);
	CHECK_EQ(fe.can_receive(fe.dev), 8);
	CHECK_EQ(fe.can_receive(fe.dev), 8);
	fe.receive(fe.dev, (const uint8_t *)"ab", 2);
	guest_got(&f, 0, "ab");
	CHECK(f.line.level);
	CHECK_EQ(fe.can_receive(fe.dev), 8);
	fe.receive(fe.dev, (const uint8_t *)"12345678", 8);
	guest_got(&f, 0, "12345678");
	CHECK_EQ(fe.can_receive(fe.dev), 0);
	CHECK_EQ(virtio_console_send(f.dev, 0, "lost", 4), 0);

	/* More than one buffer at a time. */
	guest_offer(&f, 0, 3, 4);
	CHECK_EQ(virtio_console_send(f.dev, 0, "abcdefghij", 10), 10);
	guest_got(&f, 0, "abcd");
	guest_got(&f, 0, "efgh");
	guest_got(&f, 0, "ij");
	teardown(&f);
}

/* A buffer that was taken but not filled is not touched after a reset. */
static void test_reset_drops_buffers(void)
{
	struct fixture f;

	setup(&f);
	guest_offer(&f, 0, 1, 8);
	CHECK_EQ(virtio_console_can_send(f.dev, 0), 8);
	MMIO_W(&f.bus, STATUS, 0);
	CHECK_EQ(virtio_console_can_send(f.dev, 0), 0);
	CHECK_EQ(virtio_console_send(f.dev, 0, "ghost", 5), 0);
	bring_up(&f, 0);
	CHECK_EQ(virtio_console_can_send(f.dev, 0), 0);
	CHECK_EQ(ring_used_idx(&f.rings[0]), 0);
	teardown(&f);
}

static void test_bad_receive_buffer(void)
{
	const struct guest_buf buf = { GUEST_DATA, 8, false };
	struct fixture f;

	setup(&f);
	ring_add(&f.rings[0], &buf, 1);
	test_stderr_begin();
	CHECK_EQ(virtio_console_can_send(f.dev, 0), 0);
	CHECK(strstr(test_stderr_end(), "receive buffer"));
	CHECK(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET);
	teardown(&f);
}

/* From the fd that the user types on, through the real console, with both threads running. */
static void test_typing(void)
{
	struct console_frontend fe;
	struct fixture f;
	unsigned int patience = 0;

	setup_with(&f, true, 0);
	fe = virtio_console_frontend(f.dev);
	console_set_frontend(f.console, &fe);
	CHECK_EQ(virtio_device_ops.start(f.dev), 0);
	CHECK_EQ(console_start(f.console), 0);
	CHECK_EQ(loop_start(f.loop, "main"), 0);
	/* Typed before there is a driver, and more than one buffer takes. */
	CHECK_EQ(write(f.in_pipe[1], "0123456789", 10), 10);
	bring_up(&f, 0);
	guest_offer(&f, 0, 2, 4);
	while (ring_used_idx(&f.rings[0]) < 2 && patience++ < 5000)
		usleep(1000);
	guest_got(&f, 0, "0123");
	guest_got(&f, 0, "4567");
	guest_offer(&f, 0, 1, 4);
	while (ring_used_idx(&f.rings[0]) < 3 && patience++ < 5000)
		usleep(1000);
	guest_got(&f, 0, "89");
	guest_write(&f, 1, "echo\n");
	while (ring_used_idx(&f.rings[1]) < 1 && patience++ < 5000)
		usleep(1000);
	loop_stop(f.loop);
	console_stop(f.console);
	virtio_device_ops.stop(f.dev);
	check_output(&f, "echo\n");
	teardown(&f);
}

/* ---- channels -------------------------------------------------------------------------------- */

/* The guest sends a control message. */
static void control(struct fixture *f, uint32_t id, uint16_t event, uint16_t value)
{
	const gpa_t gpa = GUEST_DATA + 0x1000 * 3 + 16 * (f->rings[3].avail_idx % 16u);
	const struct guest_buf buf = { gpa, 8, false };

	put_le32(ram(f, gpa), id);
	put_le16(ram(f, gpa + 4), event);
	put_le16(ram(f, gpa + 6), value);
	ring_add(&f->rings[3], &buf, 1);
	MMIO_W(&f->bus, QUEUE_NOTIFY, 3);
}

/* The next control message must be this one. */
static void check_control(struct fixture *f, uint32_t id, uint16_t event, uint16_t value,
			  const char *name)
{
	unsigned int slot = f->rings[2].used_seen % 16u;
	const uint8_t *msg = ram(f, GUEST_DATA + 0x1000 * 2 + 0x100 * slot);

	CHECK_EQ(ring_must_take(&f->rings[2]), 8 + strlen(name));
	CHECK_EQ(get_le32(msg), id);
	CHECK_EQ(get_le16(msg + 4), event);
	CHECK_EQ(get_le16(msg + 6), value);
	CHECK(!memcmp(msg + 8, name, strlen(name)));
}

/* A driver of several ports gets no input for the console, either, before it has it open. */
static void test_early_input(void)
{
	struct console_frontend fe;
	struct fixture f;

	setup_with(&f, true, 0);
	fe = virtio_console_frontend(f.dev);
	bring_up(&f, MULTIPORT);
	guest_offer(&f, 0, 1, 8);
	guest_offer(&f, 2, 4, 64);
	poll_all(&f);
	CHECK_EQ(fe.can_receive(fe.dev), 0);
	CHECK_EQ(virtio_console_send(f.dev, 0, "early", 5), 0);
	control(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	poll_all(&f);
	check_control(&f, 0, VIRTIO_CONSOLE_PORT_ADD, 1, "");
	check_control(&f, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, "");
	control(&f, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	poll_all(&f);
	CHECK(guest_got_nothing(&f, 2));
	CHECK_EQ(fe.can_receive(fe.dev), 0);
	control(&f, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	poll_all(&f);
	CHECK_EQ(fe.can_receive(fe.dev), 8);
	fe.receive(fe.dev, (const uint8_t *)"late", 4);
	guest_got(&f, 0, "late");
	MMIO_W(&f.bus, STATUS, 0);
	CHECK_EQ(fe.can_receive(fe.dev), 0);
	teardown(&f);
}

/* Two channels whose ports the driver has taken; channel 1 is open. */
static void setup_channels(struct fixture *f)
{
	setup_with(f, true, 2);
	bring_up(f, MULTIPORT);
	guest_offer(f, 2, 12, 64);
	control(f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	poll_all(f);
	check_control(f, 0, VIRTIO_CONSOLE_PORT_ADD, 1, "");
	check_control(f, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, "");
	check_control(f, 1, VIRTIO_CONSOLE_PORT_ADD, 1, "");
	check_control(f, 2, VIRTIO_CONSOLE_PORT_ADD, 1, "");
	for (uint16_t i = 0; i < 3; i++)
		control(f, i, VIRTIO_CONSOLE_PORT_READY, 1);
	poll_all(f);
	check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	check_control(f, 1, VIRTIO_CONSOLE_PORT_NAME, 1, "org.lkvm.one");
	check_control(f, 2, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	check_control(f, 2, VIRTIO_CONSOLE_PORT_NAME, 1, "org.lkvm.two");
	CHECK(guest_got_nothing(f, 2));
	control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	poll_all(f);
	CHECK(f->channels[0].open && !f->channels[1].open);
}

static void test_channels(void)
{
	struct fixture f;

	setup_channels(&f);
	CHECK_EQ(mmio_get(&f.bus, VIRTIO_MMIO_CONFIG + 4, 4), 3);

	/* Out, each to its own end. */
	guest_write(&f, 1, "console\n");
	guest_write(&f, 5, "first");
	guest_write(&f, 7, "second");
	poll_all(&f);
	check_output(&f, "console\n");
	CHECK(f.channels[0].nr_got == 5 && !memcmp(f.channels[0].got, "first", 5));
	CHECK(f.channels[1].nr_got == 6 && !memcmp(f.channels[1].got, "second", 6));

	/* In: nothing for a channel that nobody in the guest has open. */
	guest_offer(&f, 4, 1, 16);
	guest_offer(&f, 6, 1, 16);
	poll_all(&f);
	CHECK_EQ(f.channels[0].ready, 2); /* opened, and got buffers */
	CHECK_EQ(f.channels[1].ready, 0);
	CHECK_EQ(virtio_console_can_send(f.dev, 1), 16);
	CHECK_EQ(virtio_console_can_send(f.dev, 2), 0);
	CHECK_EQ(virtio_console_send(f.dev, 2, "x", 1), 0);
	CHECK_EQ(virtio_console_send(f.dev, 1, "to one", 6), 6);
	guest_got(&f, 4, "to one");

	f.channels[1].send = "to two";
	control(&f, 2, VIRTIO_CONSOLE_PORT_OPEN, 1);
	poll_all(&f);
	CHECK_EQ(f.channels[1].ready, 1);
	guest_got(&f, 6, "to two");

	control(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	poll_all(&f);
	CHECK(!f.channels[0].open);
	CHECK_EQ(virtio_console_can_send(f.dev, 1), 0);

	/* Reset closes what was open, once. */
	MMIO_W(&f.bus, STATUS, 0);
	CHECK_EQ(f.channels[0].closes, 1);
	CHECK_EQ(f.channels[1].closes, 1);
	CHECK(!f.channels[1].open);
	teardown(&f);
}

/* A channel whose reader is slow holds up its writer, and nobody else. */
static void test_slow_reader(void)
{
	struct fixture f;

	setup_channels(&f);
	f.channels[0].room = 4;
	guest_write(&f, 5, "0123456789");
	guest_write(&f, 5, "abc");
	guest_write(&f, 7, "free");
	poll_all(&f);
	CHECK_EQ(f.channels[0].nr_got, 4);
	CHECK_EQ(f.channels[1].nr_got, 4);
	CHECK(guest_got_nothing(&f, 5));
	f.channels[0].room = 3;
	poll_all(&f); /* nothing, before it is said that there is room */
	CHECK_EQ(f.channels[0].nr_got, 4);
	virtio_console_output_ready(f.dev, 1);
	poll_all(&f);
	CHECK_EQ(f.channels[0].nr_got, 7);
	f.channels[0].room = SIZE_MAX;
	virtio_console_output_ready(f.dev, 1);
	poll_all(&f);
	CHECK(f.channels[0].nr_got == 13 && !memcmp(f.channels[0].got, "0123456789abc", 13));
	CHECK_EQ(ring_used_idx(&f.rings[5]), 2);

	/* What was not taken is gone with the driver. */
	f.channels[0].room = 0;
	guest_write(&f, 5, "gone");
	poll_all(&f);
	MMIO_W(&f.bus, STATUS, 0);
	f.channels[0].room = SIZE_MAX;
	virtio_console_output_ready(f.dev, 1);
	poll_all(&f);
	CHECK_EQ(f.channels[0].nr_got, 13);
	teardown(&f);
}

static void test_host_closes(void)
{
	struct fixture f;

	setup_channels(&f);
	virtio_console_set_open(f.dev, 1, false);
	poll_all(&f);
	check_control(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	/* Twice before the guest looks is once, and the last counts. */
	virtio_console_set_open(f.dev, 1, true);
	virtio_console_set_open(f.dev, 1, false);
	poll_all(&f);
	check_control(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	CHECK(guest_got_nothing(&f, 2));

	/* A driver that comes later finds it closed; before it knows the port it is not told. */
	MMIO_W(&f.bus, STATUS, 0);
	bring_up(&f, MULTIPORT);
	guest_offer(&f, 2, 8, 64);
	virtio_console_set_open(f.dev, 1, false);
	poll_all(&f);
	CHECK(guest_got_nothing(&f, 2));
	control(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	poll_all(&f);
	check_control(&f, 1, VIRTIO_CONSOLE_PORT_NAME, 1, "org.lkvm.one");
	CHECK(guest_got_nothing(&f, 2));
	teardown(&f);
}

/* Requests without buffers for the answers: they are remembered, but not piled up. */
static void test_control_backlog(void)
{
	struct fixture f;

	setup_with(&f, true, 2);
	bring_up(&f, MULTIPORT);
	for (unsigned int i = 0; i < 100; i++) {
		control(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
		control(&f, 2, VIRTIO_CONSOLE_PORT_READY, 1);
		poll_all(&f);
	}
	CHECK(guest_got_nothing(&f, 2));
	guest_offer(&f, 2, 4, 64);
	poll_all(&f);
	check_control(&f, 0, VIRTIO_CONSOLE_PORT_ADD, 1, "");
	check_control(&f, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, "");
	check_control(&f, 1, VIRTIO_CONSOLE_PORT_ADD, 1, "");
	check_control(&f, 2, VIRTIO_CONSOLE_PORT_ADD, 1, "");
	guest_offer(&f, 2, 8, 64);
	poll_all(&f);
	check_control(&f, 2, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	check_control(&f, 2, VIRTIO_CONSOLE_PORT_NAME, 1, "org.lkvm.two");
	CHECK(guest_got_nothing(&f, 2));
	teardown(&f);
}

static void test_bad_control(void)
{
	const struct guest_buf shorter = { GUEST_DATA, 7, false };
	struct fixture f;

	setup_channels(&f);
	/* Nonsense is ignored ... */
	test_stderr_begin();
	control(&f, 3, VIRTIO_CONSOLE_PORT_OPEN, 1);
	control(&f, UINT32_MAX, VIRTIO_CONSOLE_PORT_READY, 1);
	control(&f, 1, VIRTIO_CONSOLE_PORT_READY, 0);
	control(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 0);
	control(&f, 1, 99, 1);
	poll_all(&f);
	CHECK(strstr(test_stderr_end(), "does not exist"));
	CHECK(guest_got_nothing(&f, 2));
	CHECK(!(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET));
	/* ... but not what has no meaning at all. */
	test_stderr_begin();
	ring_add(&f.rings[3], &shorter, 1);
	MMIO_W(&f.bus, QUEUE_NOTIFY, 3);
	poll_all(&f);
	CHECK(strstr(test_stderr_end(), "too short"));
	CHECK(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET);

	MMIO_W(&f.bus, STATUS, 0);
	bring_up(&f, MULTIPORT);
	guest_offer(&f, 2, 1, 7);
	control(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	test_stderr_begin(); /* by now too many lines for another one */
	poll_all(&f);
	test_stderr_end();
	CHECK(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET);
	teardown(&f);
}

/* A driver that takes no MULTIPORT has the console, and the channels stay quiet. */
static void test_single_port_driver(void)
{
	struct fixture f;

	setup_with(&f, true, 2);
	bring_up(&f, 0);
	guest_write(&f, 1, "only me\n");
	guest_offer(&f, 0, 1, 8);
	poll_all(&f);
	check_output(&f, "only me\n");
	CHECK_EQ(virtio_console_send(f.dev, 0, "in", 2), 2);
	CHECK_EQ(virtio_console_can_send(f.dev, 1), 0);
	teardown(&f);
}

/* Channels without a console: no port 0 is announced. */
static void test_no_console(void)
{
	struct fixture f;

	setup_with(&f, false, 1);
	CHECK(!(MMIO_R(&f.bus, DEVICE_FEATURES) & 1u << VIRTIO_CONSOLE_F_EMERG_WRITE));
	mmio_put(&f.bus, VIRTIO_MMIO_CONFIG + 8, 4, 'X');
	bring_up(&f, MULTIPORT);
	guest_offer(&f, 2, 4, 64);
	control(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	guest_write(&f, 1, "to nobody");
	poll_all(&f);
	check_control(&f, 1, VIRTIO_CONSOLE_PORT_ADD, 1, "");
	CHECK(guest_got_nothing(&f, 2));
	CHECK_EQ(ring_used_idx(&f.rings[1]), 1);
	check_output(&f, "");
	teardown(&f);
}

const struct test virtio_console_tests[] = {
	{ "config", test_config },
	{ "output", test_output },
	{ "emergency write", test_emergency_write },
	{ "input", test_input },
	{ "reset drops buffers", test_reset_drops_buffers },
	{ "bad receive buffer", test_bad_receive_buffer },
	{ "typing", test_typing },
	{ "early input", test_early_input },
	{ "channels", test_channels },
	{ "slow reader", test_slow_reader },
	{ "host closes", test_host_closes },
	{ "control backlog", test_control_backlog },
	{ "bad control", test_bad_control },
	{ "single-port driver", test_single_port_driver },
	{ "no console", test_no_console },
	{ 0 },
};
