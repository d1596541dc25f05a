// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices with the legacy interface, in front of guests of either byte order: the mmio transport's version 1,
 * and what the models make of numbers.
 */
#include <fcntl.h>
#include <linux/virtio_9p.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_console.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lkvm/disk.h"
#include "tests/unit/virtio-guest.h"
#include "virtio/9p.h"
#include "virtio/balloon.h"
#include "virtio/blk.h"
#include "virtio/console.h"
#include "virtio/mmio.h"
#include "virtio/rng.h"

#define BIT(n)     (UINT64_C(1) << (n))
#define PAGE       4096u
#define QUEUE_SIZE 16
#define MAX_QUEUES 6
#define CONFIG     0x100u
#define SECTORS    0x12345u

#define HEADER (GUEST_DATA)
#define DATA   (GUEST_DATA + 0x1000)
#define STATUS_BYTE (GUEST_DATA + 0x3000)
#define TABLE  (GUEST_DATA + 0x4000)

struct fixture {
	struct memory         mem;
	struct bus            bus;
	struct fake_line      line;
	struct loop          *loop;
	struct virtio_device *dev;
	struct console       *console;
	struct guest_ring     rings[MAX_QUEUES];
	bool                  big;   /* the guest is big-endian */
	unsigned int          asked; /* how often the device wanted to know */
	int                   fd;    /* of the disk, or the console's output */
};

static bool guest_is_big(void *ctx)
{
	struct fixture *f = ctx;

	f->asked++;
	return f->big;
}

static void setup(struct fixture *f, bool big, int (*create)(struct fixture *f, const struct virtio_env *env))
{
	struct virtio_env env;
	struct irq_line irq;

	memset(f, 0, sizeof(*f));
	f->big = big;
	f->fd = -1;
	guest_memory_init(&f->mem);
	bus_init(&f->bus, "mmio");
	CHECK_EQ(loop_create(&f->loop), 0);
	env = (struct virtio_env){
		.mem = &f->mem, .loop = f->loop, .legacy = true, .guest_big_endian = guest_is_big, .ctx = f,
	};
	CHECK_EQ(create(f, &env), 0);
	irq = fake_irq(&f->line);
	CHECK_EQ(virtio_mmio_attach(f->dev, &f->bus, GUEST_MMIO, &irq, NULL), 0);
	/* As Linux does it: once, and before the reset. */
	MMIO_W(&f->bus, GUEST_PAGE_SIZE, PAGE);
}

static void teardown(struct fixture *f)
{
	virtio_device_ops.destroy(f->dev);
	if (f->console)
		console_destroy(f->console);
	if (f->fd >= 0)
		close(f->fd);
	loop_destroy(f->loop);
	memory_exit(&f->mem);
}

static uint8_t *in_guest(struct fixture *f, gpa_t gpa)
{
	return memory_ptr(&f->mem, gpa, 1);
}

static void put(struct fixture *f, gpa_t gpa, unsigned int len, uint64_t v)
{
	guest_put(f->big, in_guest(f, gpa), len, v);
}

/* virtio 1.3 §2.7.2 */
static void ring_init_legacy(struct fixture *f, unsigned int index, uint32_t align)
{
	struct guest_ring *r = &f->rings[index];

	ring_init(r, &f->mem, GUEST_RING(index), QUEUE_SIZE);
	r->avail = r->desc + 16 * QUEUE_SIZE;
	r->used = (r->avail + 2 * (3 + QUEUE_SIZE) + align - 1) & ~(gpa_t)(align - 1);
	r->big_endian = f->big;
}

static void set_queue(struct fixture *f, unsigned int index, uint32_t align)
{
	ring_init_legacy(f, index, align);
	MMIO_W(&f->bus, QUEUE_SEL, index);
	CHECK_EQ(MMIO_R(&f->bus, QUEUE_PFN), 0);
	MMIO_W(&f->bus, QUEUE_NUM, QUEUE_SIZE);
	MMIO_W(&f->bus, QUEUE_ALIGN, align);
	MMIO_W(&f->bus, QUEUE_PFN, (uint32_t)(f->rings[index].desc / PAGE));
}

/* Reset up to features. */
static void negotiate(struct fixture *f, uint64_t features)
{
	MMIO_W(&f->bus, STATUS, 0);
	MMIO_W(&f->bus, STATUS, ST_ACK);
	MMIO_W(&f->bus, STATUS, ST_ACK | ST_DRIVER);
	MMIO_W(&f->bus, DRIVER_FEATURES_SEL, 0);
	MMIO_W(&f->bus, DRIVER_FEATURES, (uint32_t)features);
}

static void bring_up(struct fixture *f, uint64_t features)
{
	negotiate(f, features);
	for (unsigned int i = 0; i < f->dev->nr_queues && i < MAX_QUEUES; i++) {
		set_queue(f, i, PAGE);
		virtio_queue_poll(f->dev, i);
	}
	MMIO_W(&f->bus, STATUS, ST_ACK | ST_DRIVER | ST_DRIVER_OK);
}

static void ring(struct fixture *f, unsigned int index)
{
	MMIO_W(&f->bus, QUEUE_NOTIFY, index);
	virtio_queue_poll(f->dev, index);
}

/* A configuration field as Linux reads it: byte by byte, in the order in which they are in memory. */
static uint64_t config(struct fixture *f, unsigned int offset, unsigned int len)
{
	uint8_t bytes[8];

	for (unsigned int i = 0; i < len; i++)
		bytes[i] = (uint8_t)mmio_get(&f->bus, CONFIG + offset + i, 1);
	return guest_get(f->big, bytes, len);
}

/* ---- a disk ------------------------------------------------------------------------------------- */

static int create_disk(struct fixture *f, const struct virtio_env *env)
{
	struct config_disk cfg = { 0 };
	struct disk *disk;
	char path[40];

	f->fd = memfd_create("disk", MFD_CLOEXEC);
	CHECK_EQ(ftruncate(f->fd, (off_t)SECTORS * 512), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
	cfg.path = path;
	CHECK_EQ(disk_open(&disk, &cfg), 0);
	return virtio_blk_create(&f->dev, env, disk, "id");
}

/* One request of a sector, or of @len bytes of data. Returns the status byte. */
static uint8_t disk_request(struct fixture *f, uint32_t type, uint64_t sector, uint32_t len)
{
	bool in = type == VIRTIO_BLK_T_IN;
	const struct guest_buf bufs[] = {
		{ HEADER, 16, false }, { DATA, len, in }, { STATUS_BYTE, 1, true },
	};

	put(f, HEADER, 4, type);
	put(f, HEADER + 4, 4, 0);
	put(f, HEADER + 8, 8, sector);
	*in_guest(f, STATUS_BYTE) = 0xee;
	ring_add(&f->rings[0], bufs, 3);
	ring(f, 0);
	CHECK_EQ(ring_must_take(&f->rings[0]), in ? len + 1 : 1);
	return *in_guest(f, STATUS_BYTE);
}

static void read_and_write(struct fixture *f)
{
	uint8_t sector[512];

	memset(sector, 0x11, sizeof(sector));
	memset(in_guest(f, DATA), 0x77, 512);
	CHECK_EQ(pwrite(f->fd, sector, 512, 0x12344 * 512), 512);
	CHECK_EQ(disk_request(f, VIRTIO_BLK_T_OUT, 0x1234, 512), VIRTIO_BLK_S_OK);
	CHECK_EQ(pread(f->fd, sector, 512, 0x1234 * 512), 512);
	CHECK(sector[0] == 0x77 && sector[511] == 0x77);
	CHECK_EQ(disk_request(f, VIRTIO_BLK_T_IN, 0x12344, 512), VIRTIO_BLK_S_OK);
	CHECK(in_guest(f, DATA)[0] == 0x11 && in_guest(f, DATA)[511] == 0x11);
	CHECK_EQ(disk_request(f, VIRTIO_BLK_T_IN, SECTORS, 512), VIRTIO_BLK_S_IOERR);
}

static void check_disk(bool big)
{
	struct fixture f;

	setup(&f, big, create_disk);
	bring_up(&f, MMIO_R(&f.bus, DEVICE_FEATURES));
	CHECK_EQ(config(&f, offsetof(struct virtio_blk_config, capacity), 8), SECTORS);
	CHECK_EQ(config(&f, offsetof(struct virtio_blk_config, seg_max), 4), 254);
	CHECK_EQ(config(&f, offsetof(struct virtio_blk_config, blk_size), 4), 512);
	CHECK_EQ(config(&f, offsetof(struct virtio_blk_config, num_queues), 2), 1);
	CHECK_EQ(config(&f, offsetof(struct virtio_blk_config, max_write_zeroes_seg), 4), 64);
	/* One load of all of it finds the same. */
	CHECK_EQ(mmio_get(&f.bus, CONFIG, 8), big ? __builtin_bswap64(SECTORS) : SECTORS);
	read_and_write(&f);
	CHECK(f.line.level);
	CHECK_EQ(MMIO_R(&f.bus, INTERRUPT_STATUS), VIRTIO_MMIO_INT_VRING);

	/* Segments are little-endian, always. */
	put_le64(in_guest(&f, DATA), 0x1234);
	put_le32(in_guest(&f, DATA + 8), 1);
	put_le32(in_guest(&f, DATA + 12), 0);
	CHECK_EQ(disk_request(&f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16), VIRTIO_BLK_S_OK);
	CHECK_EQ(disk_request(&f, VIRTIO_BLK_T_IN, 0x1234, 512), VIRTIO_BLK_S_OK);
	CHECK_EQ(in_guest(&f, DATA)[0], 0);

	mmio_put(&f.bus, CONFIG + offsetof(struct virtio_blk_config, wce), 1, 0);
	CHECK_EQ(config(&f, offsetof(struct virtio_blk_config, wce), 1), 0);
	teardown(&f);
}

static void test_disk(void)
{
	check_disk(false);
	check_disk(true);
}

/* A guest that starts a kernel of the other byte order (kexec): what it is now counts from the reset on. */
static void test_other_kernel(void)
{
	struct fixture f;

	setup(&f, false, create_disk);
	bring_up(&f, 0);
	read_and_write(&f);
	f.big = true; /* an interrupt handler in the other order, say: nothing changes before a reset */
	MMIO_W(&f.bus, STATUS, ST_ACK | ST_DRIVER | ST_DRIVER_OK);
	CHECK_EQ(config(&f, 0, 8), __builtin_bswap64(SECTORS));
	bring_up(&f, 0);
	CHECK_EQ(config(&f, 0, 8), SECTORS);
	read_and_write(&f);
	f.big = false;
	bring_up(&f, 0);
	CHECK_EQ(config(&f, 0, 8), SECTORS);
	read_and_write(&f);
	teardown(&f);
}

/* Drivers that begin to set a device up without a reset. */
static void test_no_reset(void)
{
	struct fixture f;

	setup(&f, true, create_disk);
	MMIO_W(&f.bus, STATUS, ST_ACK);
	CHECK_EQ(config(&f, 0, 8), SECTORS);
	set_queue(&f, 0, PAGE);
	read_and_write(&f);
	teardown(&f);
}

static void check_rings(bool big, uint64_t features, uint32_t align)
{
	const struct guest_buf buf = { HEADER, 16, false };
	struct guest_ring *r;
	struct fixture f;

	setup(&f, big, create_disk);
	negotiate(&f, features);
	set_queue(&f, 0, align);
	r = &f.rings[0];
	read_and_write(&f);
	if (features & BIT(VIRTIO_RING_F_EVENT_IDX)) {
		CHECK_EQ(ring_avail_event(r), 3);
		ring_set_used_event(r, 4);
		MMIO_W(&f.bus, INTERRUPT_ACK, 3);
		CHECK_EQ(disk_request(&f, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
		CHECK(!f.line.level);
		CHECK_EQ(disk_request(&f, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
		CHECK(f.line.level);
	} else {
		put(&f, r->avail, 2, VRING_AVAIL_F_NO_INTERRUPT);
		MMIO_W(&f.bus, INTERRUPT_ACK, 3);
		CHECK_EQ(disk_request(&f, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
		CHECK(!f.line.level);
	}
	/* An indirect table, of the same order. */
	put_guest_desc(big, in_guest(&f, TABLE), HEADER, 16, F_NEXT, 1);
	put_guest_desc(big, in_guest(&f, TABLE + 16), DATA, 512, F_NEXT | F_WRITE, 2);
	put_guest_desc(big, in_guest(&f, TABLE + 32), STATUS_BYTE, 1, F_WRITE, 0);
	*in_guest(&f, STATUS_BYTE) = 0xee;
	ring_desc(r, 0, TABLE, 48, F_INDIRECT, 0);
	ring_offer(r, 0);
	test_stderr_begin();
	ring(&f, 0);
	if (features & BIT(VIRTIO_RING_F_INDIRECT_DESC)) {
		CHECK_EQ(ring_must_take(r), 513);
		CHECK_EQ(*in_guest(&f, STATUS_BYTE), 0);
		ring_add(r, &buf, 1); /* no status byte */
		ring(&f, 0);
	}
	CHECK(strstr(test_stderr_end(), "the device stops until the guest resets it"));
	CHECK(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET);
	teardown(&f);
}

static void test_rings(void)
{
	const uint64_t both = BIT(VIRTIO_RING_F_EVENT_IDX) | BIT(VIRTIO_RING_F_INDIRECT_DESC);

	for (unsigned int big = 0; big < 2; big++) {
		check_rings(big, 0, PAGE);
		check_rings(big, both, PAGE);
		check_rings(big, both, 64);
	}
}

/* ---- registers ---------------------------------------------------------------------------------- */

static void test_registers(void)
{
	const uint32_t common = 1u << VIRTIO_F_ANY_LAYOUT | 1u << VIRTIO_RING_F_EVENT_IDX |
				1u << VIRTIO_RING_F_INDIRECT_DESC;
	struct fixture f;

	setup(&f, false, create_disk);
	CHECK_EQ(MMIO_R(&f.bus, MAGIC_VALUE), 0x74726976);
	CHECK_EQ(MMIO_R(&f.bus, VERSION), 1);
	CHECK_EQ(MMIO_R(&f.bus, DEVICE_FEATURES) & common, common);
	MMIO_W(&f.bus, DEVICE_FEATURES_SEL, 1);
	CHECK_EQ(MMIO_R(&f.bus, DEVICE_FEATURES), 0); /* no VERSION_1 */
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_NUM_MAX), 256);
	/* What version 2 has is not there. */
	CHECK_EQ(MMIO_R(&f.bus, SHM_LEN_LOW), 0);
	CHECK_EQ(MMIO_R(&f.bus, CONFIG_GENERATION), 0);

	negotiate(&f, BIT(VIRTIO_BLK_F_FLUSH));
	MMIO_W(&f.bus, DRIVER_FEATURES_SEL, 1);
	MMIO_W(&f.bus, DRIVER_FEATURES, UINT32_MAX);
	CHECK_EQ(f.dev->features, BIT(VIRTIO_BLK_F_FLUSH));
	MMIO_W(&f.bus, STATUS, ST_ACK | ST_DRIVER | ST_FEATURES_OK);
	CHECK_EQ(MMIO_R(&f.bus, STATUS), ST_ACK | ST_DRIVER);
	ring_init_legacy(&f, 0, PAGE);
	MMIO_W(&f.bus, QUEUE_DESC_LOW, (uint32_t)f.rings[0].desc);
	MMIO_W(&f.bus, QUEUE_AVAIL_LOW, (uint32_t)f.rings[0].avail);
	MMIO_W(&f.bus, QUEUE_USED_LOW, (uint32_t)f.rings[0].used);
	MMIO_W(&f.bus, QUEUE_READY, 1);
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_READY), 0);
	CHECK(!virtio_queue_ready(f.dev, 0));

	set_queue(&f, 0, PAGE);
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_PFN), GUEST_RING(0) / PAGE);
	CHECK_EQ(virtio_queue_ring(f.dev, 0, VIRTIO_RING_AVAIL), f.rings[0].avail);
	CHECK_EQ(virtio_queue_ring(f.dev, 0, VIRTIO_RING_USED), GUEST_RING(0) + PAGE);
	/* A queue in use stays where it is; then it is stopped. */
	MMIO_W(&f.bus, QUEUE_PFN, GUEST_RING(1) / PAGE);
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_PFN), GUEST_RING(0) / PAGE);
	MMIO_W(&f.bus, QUEUE_PFN, 0);
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_PFN), 0);
	set_queue(&f, 0, PAGE);
	read_and_write(&f);
	/* A reset stops it, too, and leaves the size of pages alone. */
	MMIO_W(&f.bus, STATUS, 0);
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_PFN), 0);
	set_queue(&f, 0, PAGE);
	read_and_write(&f);

	/* A queue that does not exist. */
	MMIO_W(&f.bus, QUEUE_SEL, 77);
	MMIO_W(&f.bus, QUEUE_ALIGN, PAGE);
	MMIO_W(&f.bus, QUEUE_PFN, 1);
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_PFN), 0);
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_NUM_MAX), 0);
	teardown(&f);
}

static void test_bad_queue(void)
{
	static const struct {
		uint32_t page, align, num, pfn;
		const char *why;
	} bad[] = {
		{ 0, PAGE, QUEUE_SIZE, GUEST_RAM / PAGE, "descriptor table is outside guest memory" },
		{ PAGE, PAGE, QUEUE_SIZE, UINT32_MAX, "descriptor table is outside guest memory" },
		{ UINT32_MAX, UINT32_MAX, 1024, UINT32_MAX, "larger than offered" },
		{ UINT32_MAX, UINT32_MAX, 256, UINT32_MAX, "misaligned ring" },
		{ PAGE, 0x80000000, QUEUE_SIZE, GUEST_RAM / PAGE + 1, "used ring is outside guest memory" },
		{ PAGE, 0, QUEUE_SIZE, GUEST_RAM / PAGE, "misaligned ring" },
		{ PAGE, 6, QUEUE_SIZE, GUEST_RAM / PAGE, "misaligned ring" },
		{ PAGE, PAGE, 12, GUEST_RAM / PAGE, "power of two" },
	};
	struct fixture f;

	setup(&f, false, create_disk);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		f.dev->guest_errors = (struct log_ratelimit){ .burst = 5 };
		negotiate(&f, 0);
		MMIO_W(&f.bus, GUEST_PAGE_SIZE, bad[i].page);
		MMIO_W(&f.bus, QUEUE_SEL, 0);
		MMIO_W(&f.bus, QUEUE_NUM, bad[i].num);
		MMIO_W(&f.bus, QUEUE_ALIGN, bad[i].align);
		test_stderr_begin();
		MMIO_W(&f.bus, QUEUE_PFN, bad[i].pfn);
		CHECK(strstr(test_stderr_end(), bad[i].why));
		CHECK_EQ(MMIO_R(&f.bus, QUEUE_PFN), 0);
		CHECK(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET);
	}
	MMIO_W(&f.bus, GUEST_PAGE_SIZE, PAGE);
	bring_up(&f, 0);
	read_and_write(&f);
	teardown(&f);
}

/* The order of old drivers: a queue is used at once, in probe(), and DRIVER_OK comes when all is done. */
static void test_before_driver_ok(void)
{
	struct fixture f;

	setup(&f, true, create_disk);
	negotiate(&f, 0);
	CHECK(!virtio_is_live(f.dev));
	set_queue(&f, 0, PAGE);
	CHECK(virtio_is_live(f.dev));
	CHECK_EQ(MMIO_R(&f.bus, STATUS), ST_ACK | ST_DRIVER);
	read_and_write(&f);
	CHECK(f.line.level);
	MMIO_W(&f.bus, INTERRUPT_ACK, 3);
	/* Without FLUSH the driver relies on writes being stable: settled before the first of them. */
	CHECK_EQ(config(&f, offsetof(struct virtio_blk_config, wce), 1), 0);
	/* News would find a driver that is not ready for them. */
	virtio_config_set(f.dev, 0, f.dev->config, 8, true);
	CHECK(!f.line.level);
	test_stderr_begin();
	MMIO_W(&f.bus, DRIVER_FEATURES, (uint32_t)BIT(VIRTIO_BLK_F_FLUSH));
	CHECK(strstr(test_stderr_end(), "virtio-blk: the guest's driver set features when it had a queue already"));
	CHECK_EQ(f.dev->features, 0);
	MMIO_W(&f.bus, STATUS, ST_ACK | ST_DRIVER | ST_DRIVER_OK);
	CHECK_EQ(MMIO_R(&f.bus, STATUS), ST_ACK | ST_DRIVER | ST_DRIVER_OK);
	virtio_config_set(f.dev, 0, f.dev->config, 8, true);
	CHECK_EQ(MMIO_R(&f.bus, INTERRUPT_STATUS), VIRTIO_MMIO_INT_CONFIG);
	read_and_write(&f);

	test_stderr_begin();
	negotiate(&f, BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_SCSI));
	CHECK(strstr(test_stderr_end(), "not offered"));
	CHECK_EQ(f.dev->features, BIT(VIRTIO_BLK_F_FLUSH));
	teardown(&f);
}

/* Modern devices never ask. */
static void test_modern(void)
{
	struct virtio_env env;
	struct irq_line irq;
	struct fixture f;

	memset(&f, 0, sizeof(f));
	f.big = true;
	guest_memory_init(&f.mem);
	bus_init(&f.bus, "mmio");
	CHECK_EQ(loop_create(&f.loop), 0);
	env = (struct virtio_env){ .mem = &f.mem, .loop = f.loop, .guest_big_endian = guest_is_big, .ctx = &f };
	CHECK_EQ(create_disk(&f, &env), 0);
	irq = fake_irq(&f.line);
	CHECK_EQ(virtio_mmio_attach(f.dev, &f.bus, GUEST_MMIO, &irq, NULL), 0);
	CHECK_EQ(MMIO_R(&f.bus, VERSION), 2);
	CHECK(!(MMIO_R(&f.bus, DEVICE_FEATURES) & 1u << VIRTIO_F_ANY_LAYOUT));
	mmio_negotiate(&f.bus, VERSION_1);
	MMIO_W(&f.bus, GUEST_PAGE_SIZE, PAGE);
	MMIO_W(&f.bus, QUEUE_ALIGN, PAGE);
	MMIO_W(&f.bus, QUEUE_PFN, GUEST_RAM / PAGE);
	CHECK(!virtio_queue_ready(f.dev, 0));
	CHECK_EQ(MMIO_R(&f.bus, QUEUE_PFN), 0);
	CHECK_EQ(mmio_get(&f.bus, CONFIG, 8), SECTORS);
	CHECK_EQ(f.asked, 0);
	teardown(&f);
}

/* ---- the console -------------------------------------------------------------------------------- */

static size_t take_all(void *opaque LKVM_UNUSED, const void *buf LKVM_UNUSED, size_t len)
{
	return len;
}

static int create_console(struct fixture *f, const struct virtio_env *env)
{
	const struct virtio_console_port port = { .name = "a.port", .write = take_all };
	struct console_options opt = { .in_fd = -1 };

	f->fd = memfd_create("console", MFD_CLOEXEC);
	opt.out_fd = f->fd;
	opt.loop = env->loop;
	CHECK_EQ(console_create(&f->console, &opt), 0);
	return virtio_console_create(&f->dev, env, f->console, &port, 1);
}

static void console_says(struct fixture *f, const char *text)
{
	char buf[64] = "";

	CHECK_EQ(pread(f->fd, buf, sizeof(buf) - 1, 0), (ssize_t)strlen(text));
	CHECK_STR(buf, text);
}

/* A message on the control queue, and the first answer. */
static void control(struct fixture *f, uint32_t id, uint16_t event, uint16_t value)
{
	const struct guest_buf out = { HEADER, 8, false };

	put(f, HEADER, 4, id);
	put(f, HEADER + 4, 2, event);
	put(f, HEADER + 6, 2, value);
	ring_add(&f->rings[3], &out, 1);
	ring(f, 3);
	ring_must_take(&f->rings[3]);
}

static void check_console(bool big)
{
	const struct guest_buf text = { DATA, 5, false }, room = { DATA, 64, true };
	struct fixture f;

	setup(&f, big, create_console);
	bring_up(&f, BIT(VIRTIO_CONSOLE_F_MULTIPORT));
	CHECK_EQ(config(&f, offsetof(struct virtio_console_config, max_nr_ports), 4), 2);
	for (unsigned int i = 0; i < 3; i++)
		ring_add(&f.rings[2], &room, 1);
	control(&f, 0xffffffff, VIRTIO_CONSOLE_DEVICE_READY, 1);
	virtio_queue_poll(f.dev, 2);
	CHECK_EQ(ring_used_idx(&f.rings[2]), 3);
	/* The last one that it wrote: there is a port 1. */
	CHECK_EQ(ring_must_take(&f.rings[2]), 8);
	CHECK_EQ(guest_get(big, in_guest(&f, DATA), 4), 1);
	CHECK_EQ(guest_get(big, in_guest(&f, DATA + 4), 2), VIRTIO_CONSOLE_PORT_ADD);
	CHECK_EQ(guest_get(big, in_guest(&f, DATA + 6), 2), 1);

	memcpy(in_guest(&f, DATA), "hello", 5);
	ring_add(&f.rings[1], &text, 1);
	ring(&f, 1);
	CHECK_EQ(ring_must_take(&f.rings[1]), 0);
	/* A character in an emergency: as a word, and as one of its bytes. */
	mmio_put(&f.bus, CONFIG + 8, 4, big ? (uint32_t)'!' << 24 : '!');
	for (unsigned int i = 0; i < 4; i++)
		mmio_put(&f.bus, CONFIG + 8 + i, 1, i == (big ? 3 : 0) ? '?' : 0);
	console_says(&f, "hello!?");
	teardown(&f);
}

static void test_console(void)
{
	check_console(false);
	check_console(true);
}

/* ---- the others --------------------------------------------------------------------------------- */

static void on_stats(void *opaque LKVM_UNUSED)
{
}

static int create_balloon(struct fixture *f, const struct virtio_env *env)
{
	return virtio_balloon_create(&f->dev, env, on_stats, NULL);
}

static void check_balloon(bool big)
{
	const struct guest_buf buf = { DATA, 20, false }, list = { DATA, 4, false };
	struct balloon_state s;
	struct fixture f;

	setup(&f, big, create_balloon);
	bring_up(&f, BIT(VIRTIO_BALLOON_F_STATS_VQ));
	/* Its configuration is little-endian for all. */
	virtio_balloon_set_target(f.dev, 0x123 * (uint64_t)BALLOON_PAGE_BYTES);
	CHECK_EQ(mmio_get(&f.bus, CONFIG, 1), 0x23);
	CHECK_EQ(mmio_get(&f.bus, CONFIG + 1, 1), 0x01);
	mmio_put(&f.bus, CONFIG + 4, 1, 0x45);
	mmio_put(&f.bus, CONFIG + 5, 1, 0x01);
	virtio_balloon_state(f.dev, &s);
	CHECK_EQ(s.actual_bytes, 0);
	mmio_put(&f.bus, CONFIG + 6, 2, 0);
	virtio_balloon_state(f.dev, &s);
	CHECK_EQ(s.actual_bytes, 0x145 * (uint64_t)BALLOON_PAGE_BYTES);
	CHECK_EQ(mmio_get(&f.bus, CONFIG + 4, 4), 0x145);
	mmio_put(&f.bus, CONFIG, 8, UINT64_MAX); /* not from where it may */
	CHECK_EQ(mmio_get(&f.bus, CONFIG + 4, 4), 0x145);

	/* Page numbers and statistics are not. */
	put(&f, DATA, 4, (GUEST_MMIO >> 12) + 7);
	ring_add(&f.rings[0], &list, 1);
	test_stderr_begin();
	ring(&f, 0);
	CHECK(strstr(test_stderr_end(), "1 page that the guest does not have, such as 0xa007000"));
	CHECK_EQ(ring_must_take(&f.rings[0]), 0);
	put(&f, DATA, 2, VIRTIO_BALLOON_S_MEMFREE);
	put(&f, DATA + 2, 8, 0x1234567);
	put(&f, DATA + 10, 2, VIRTIO_BALLOON_S_MEMTOT);
	put(&f, DATA + 12, 8, UINT64_MAX);
	ring_add(&f.rings[2], &buf, 1);
	ring(&f, 2);
	virtio_balloon_state(f.dev, &s);
	CHECK_EQ(s.stats_valid, 1u << VIRTIO_BALLOON_S_MEMFREE);
	CHECK_EQ(s.stats[VIRTIO_BALLOON_S_MEMFREE], 0x1234567);
	teardown(&f);
}

static void test_balloon(void)
{
	check_balloon(false);
	check_balloon(true);
}

static int create_9p(struct fixture *f, const struct virtio_env *env)
{
	struct p9_server *server;

	CHECK_EQ(p9_server_create(&server, "--9p", "/", true), 0);
	return virtio_9p_create(&f->dev, env, server, "tag");
}

static int create_rng(struct fixture *f, const struct virtio_env *env)
{
	return virtio_rng_create(&f->dev, env);
}

static void test_9p_and_rng(void)
{
	static const char version[] = "\x15\0\0\0\x64\xff\xff\x00\x20\x00\x00\x08\x00" "9P2000.L";
	const struct guest_buf bufs[] = { { DATA, sizeof(version) - 1, false }, { DATA + 0x100, 64, true } };

	for (unsigned int big = 0; big < 2; big++) {
		struct fixture f;

		setup(&f, big, create_9p);
		bring_up(&f, 1u << VIRTIO_9P_MOUNT_TAG);
		CHECK_EQ(config(&f, 0, 2), 3);
		CHECK_EQ(config(&f, 2, 1), 't');
		CHECK_EQ(config(&f, 4, 1), 'g');
		/* The protocol has an order of its own. */
		memcpy(in_guest(&f, DATA), version, sizeof(version) - 1);
		ring_add(&f.rings[0], bufs, 2);
		ring(&f, 0);
		CHECK_EQ(ring_must_take(&f.rings[0]), sizeof(version) - 1);
		CHECK_EQ(get_le32(in_guest(&f, DATA + 0x100)), sizeof(version) - 1);
		teardown(&f);

		setup(&f, big, create_rng);
		bring_up(&f, 0);
		memset(in_guest(&f, DATA + 0x100), 0, 64);
		ring_add(&f.rings[0], bufs + 1, 1);
		ring(&f, 0);
		CHECK_EQ(ring_must_take(&f.rings[0]), 64);
		teardown(&f);
	}
}

const struct test virtio_legacy_tests[] = {
	{ "disk", test_disk },
	{ "other kernel", test_other_kernel },
	{ "no reset", test_no_reset },
	{ "rings", test_rings },
	{ "registers", test_registers },
	{ "bad queue", test_bad_queue },
	{ "before DRIVER_OK", test_before_driver_ok },
	{ "modern", test_modern },
	{ "console", test_console },
	{ "balloon", test_balloon },
	{ "9p and rng", test_9p_and_rng },
	{ 0 },
};
