// SPDX-License-Identifier: GPL-2.0-only
/* The block device on a real file. */
#include "virtio/blk.h"

#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/virtio-guest.h"
#include "virtio/mmio.h"

#define DISK_SECTORS 256u
#define BIT(n)       (UINT64_C(1) << (n))
#define ALL_FEATURES (VERSION_1 | BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_SEG_MAX) | \
		      BIT(VIRTIO_BLK_F_BLK_SIZE))

#define REQ    GUEST_DATA
#define DATA   (GUEST_DATA + 0x1000)
#define STATUS (GUEST_DATA + 0x800)

struct fixture {
	struct memory         mem;
	struct bus            bus;
	struct fake_line      line;
	struct loop          *loop;
	struct virtio_device *dev;
	struct guest_ring     ring;
	char                  path[64];
	int                   fd;      /* the image, behind the device's back */
	uint64_t              offered;
};

static uint8_t pattern(unsigned int byte)
{
	return (uint8_t)(byte * 7 + byte / 512);
}

static void setup_bytes(struct fixture *f, bool readonly, off_t bytes)
{
	struct config_disk cfg = { .readonly = readonly };
	struct virtio_env env;
	struct irq_line irq;
	struct disk *disk;

	memset(f, 0, sizeof(*f));
	snprintf(f->path, sizeof(f->path), "/tmp/lkvm-test-blk-XXXXXX");
	f->fd = mkstemp(f->path);
	CHECK(f->fd >= 0);
	for (unsigned int i = 0; i < bytes; i += 512) {
		uint8_t sector[512];

		for (unsigned int j = 0; j < 512; j++)
			sector[j] = pattern(i + j);
		CHECK_EQ(pwrite(f->fd, sector, 512, i), 512);
	}
	CHECK_EQ(ftruncate(f->fd, bytes), 0);
	cfg.path = f->path;
	CHECK_EQ(disk_open(&disk, &cfg), 0);

	guest_memory_init(&f->mem);
	bus_init(&f->bus, "mmio");
	CHECK_EQ(loop_create(&f->loop), 0);
	env = (struct virtio_env){ .mem = &f->mem, .loop = f->loop };
	irq = fake_irq(&f->line);
	CHECK_EQ(virtio_blk_create(&f->dev, &env, disk, "serial-number-that-is-too-long"), 0);
	CHECK_EQ(virtio_mmio_attach(f->dev, &f->bus, GUEST_MMIO, &irq, NULL), 0);
	f->offered = MMIO_R(&f->bus, DEVICE_FEATURES);
}

static void bring_up(struct fixture *f, uint64_t features)
{
	ring_init(&f->ring, &f->mem, GUEST_RING(0), 256);
	mmio_negotiate(&f->bus, features);
	CHECK(MMIO_R(&f->bus, STATUS) & ST_FEATURES_OK);
	mmio_set_queue(&f->bus, 0, &f->ring);
	mmio_driver_ok(&f->bus);
}

static void setup(struct fixture *f)
{
	setup_bytes(f, false, DISK_SECTORS * 512);
	bring_up(f, ALL_FEATURES | (f->offered &
				    (BIT(VIRTIO_BLK_F_DISCARD) | BIT(VIRTIO_BLK_F_WRITE_ZEROES))));
}

static void teardown(struct fixture *f)
{
	virtio_device_ops.destroy(f->dev);
	loop_destroy(f->loop);
	memory_exit(&f->mem);
	close(f->fd);
	unlink(f->path);
}

static uint8_t *ram(struct fixture *f, gpa_t gpa)
{
	return memory_ptr(&f->mem, gpa, 1);
}

static void put_request(struct fixture *f, uint32_t type, uint64_t sector)
{
	uint8_t *req = ram(f, REQ);

	put_le32(req, type);
	put_le32(req + 4, 0);
	put_le64(req + 8, sector);
	*ram(f, STATUS) = 0xee;
}

/* Offers the chain, lets the device serve it, and returns the used length. */
static uint32_t submit(struct fixture *f, const struct guest_buf *bufs, unsigned int nr)
{
	ring_add(&f->ring, bufs, nr);
	MMIO_W(&f->bus, QUEUE_NOTIFY, 0);
	virtio_queue_poll(f->dev, 0);
	return ring_must_take(&f->ring);
}

/* A request with @len bytes of data at DATA. Returns its status. */
static uint8_t do_request(struct fixture *f, uint32_t type, uint64_t sector, uint32_t len,
			  bool write)
{
	const struct guest_buf bufs[] = {
		{ REQ, 16, false },
		{ DATA, len, write },
		{ STATUS, 1, true },
	};

	put_request(f, type, sector);
	CHECK_EQ(submit(f, bufs, 3), write ? len + 1 : 1);
	return *ram(f, STATUS);
}

static bool file_is(const struct fixture *f, off_t offset, const void *want, size_t len)
{
	uint8_t buf[4096];

	return len <= sizeof(buf) && pread(f->fd, buf, len, offset) == (ssize_t)len &&
		!memcmp(buf, want, len);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static uint64_t config(struct fixture *f, unsigned int offset, unsigned int size)
{
	return mmio_get(&f->bus, VIRTIO_MMIO_CONFIG + offset, size);
}

#define CONFIG(f, field)                                                                            \
	config(f, offsetof(struct virtio_blk_config, field),                                       \
	       sizeof(((struct virtio_blk_config *)0)->field))

static void test_config(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(MMIO_R(&f.bus, DEVICE_ID), VIRTIO_ID_BLOCK);
	CHECK_EQ(CONFIG(&f, capacity), DISK_SECTORS);
	CHECK_EQ(CONFIG(&f, seg_max), 254);
	CHECK_EQ(CONFIG(&f, blk_size), 512);
	CHECK_EQ(CONFIG(&f, wce), 1);
	CHECK(CONFIG(&f, max_write_zeroes_sectors) > 0);
	CHECK(CONFIG(&f, max_write_zeroes_seg) > 0);
	CHECK_EQ(config(&f, 60, 4), 0); /* secure erase is not ours */
	CHECK(f.offered & BIT(VIRTIO_BLK_F_FLUSH));
	CHECK(f.offered & BIT(VIRTIO_BLK_F_WRITE_ZEROES));
	CHECK(!(f.offered & BIT(VIRTIO_BLK_F_RO)));
	CHECK(!(f.offered & BIT(VIRTIO_BLK_F_SIZE_MAX)));
	CHECK(!(f.offered & BIT(VIRTIO_BLK_F_MQ)));
	teardown(&f);

	/* What does not fill a sector can't be had. */
	test_stderr_begin();
	setup_bytes(&f, false, 1000);
	CHECK(strstr(test_stderr_end(), "multiple of 512"));
	CHECK_EQ(CONFIG(&f, capacity), 1);
	bring_up(&f, ALL_FEATURES);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_IN, 1, 512, true), VIRTIO_BLK_S_IOERR);
	teardown(&f);
}

static void test_read(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_IN, 3, 4096, true), VIRTIO_BLK_S_OK);
	for (unsigned int i = 0; i < 4096; i++)
		if (*ram(&f, DATA + i) != pattern(3 * 512 + i)) {
			CHECK_EQ(i, 4096);
			break;
		}
	CHECK(f.line.level);
	/* The last sector, and nothing at all. */
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_IN, DISK_SECTORS - 1, 512, true), VIRTIO_BLK_S_OK);
	CHECK_EQ(*ram(&f, DATA + 511), pattern(DISK_SECTORS * 512 - 1));
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_IN, DISK_SECTORS, 0, true), VIRTIO_BLK_S_OK);
	teardown(&f);
}

static void test_write(void)
{
	struct fixture f;
	uint8_t data[1024];

	setup(&f);
	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i ^ 0x5a);
	memcpy(ram(&f, DATA), data, sizeof(data));
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_OUT, 100, sizeof(data), false), VIRTIO_BLK_S_OK);
	CHECK(file_is(&f, 100 * 512, data, sizeof(data)));
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_FLUSH, 0, 0, false), VIRTIO_BLK_S_OK);
	teardown(&f);
}

/* Header, data and status cut as no driver does: legal since VERSION_1 (§2.7.4). */
static void test_any_layout(void)
{
	struct fixture f;
	const struct guest_buf write[] = {
		{ REQ, 3, false }, { REQ + 3, 9, false }, { REQ + 12, 4 + 100, false },
		{ DATA, 412, false }, { STATUS, 1, true },
	};
	const struct guest_buf read[] = {
		{ REQ, 16, false }, { DATA, 500, true }, { DATA + 0x1000, 13, true },
	};
	uint8_t want[512];

	setup(&f);
	put_request(&f, VIRTIO_BLK_T_OUT, 7);
	memset(ram(&f, REQ + 16), 0x11, 100);
	memset(ram(&f, DATA), 0x22, 412);
	memset(want, 0x11, 100);
	memset(want + 100, 0x22, 412);
	CHECK_EQ(submit(&f, write, 5), 1);
	CHECK_EQ(*ram(&f, STATUS), VIRTIO_BLK_S_OK);
	CHECK(file_is(&f, 7 * 512, want, 512));

	put_request(&f, VIRTIO_BLK_T_IN, 7);
	*ram(&f, DATA + 0x1000 + 12) = 0xee;
	CHECK_EQ(submit(&f, read, 3), 513);
	CHECK_EQ(*ram(&f, DATA + 0x1000 + 12), VIRTIO_BLK_S_OK);
	CHECK(!memcmp(ram(&f, DATA), want, 500));
	CHECK(!memcmp(ram(&f, DATA + 0x1000), want + 500, 12));
	teardown(&f);
}

static void test_bounds(void)
{
	static const struct {
		uint64_t sector;
		uint32_t len;
	} bad[] = {
		{ DISK_SECTORS, 512 },
		{ DISK_SECTORS - 1, 1024 },
		{ 0, 511 },
		{ 0, 513 },
		{ 0, (DISK_SECTORS + 1) * 512 },
		{ UINT64_MAX, 512 },
		{ UINT64_MAX, 0 },
		{ UINT64_MAX >> 9, 512 },
		{ (UINT64_MAX >> 9) + 1, 512 }, /* its byte offset is 0 modulo 2^64 */
		{ UINT64_C(1) << 63, 512 },
	};
	struct fixture f;
	uint8_t first[512];

	setup(&f);
	for (unsigned int i = 0; i < 512; i++)
		first[i] = pattern(i);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		/* A failed read leaves no stale data that looks like an answer. */
		memset(ram(&f, DATA), 0x77, 512);
		CHECK_EQ(do_request(&f, VIRTIO_BLK_T_IN, bad[i].sector, bad[i].len, true),
			 VIRTIO_BLK_S_IOERR);
		if (bad[i].len)
			CHECK_EQ(*ram(&f, DATA), 0);
		CHECK_EQ(do_request(&f, VIRTIO_BLK_T_OUT, bad[i].sector, bad[i].len, false),
			 VIRTIO_BLK_S_IOERR);
	}
	CHECK(file_is(&f, 0, first, 512));
	/* None of these is the ring's fault. */
	CHECK(!(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET));
	teardown(&f);
}

static void test_get_id(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_GET_ID, 0, 20, true), VIRTIO_BLK_S_OK);
	CHECK(!memcmp(ram(&f, DATA), "serial-number-that-i", 20));
	memset(ram(&f, DATA), 0x77, 64);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_GET_ID, 0, 4, true), VIRTIO_BLK_S_OK);
	CHECK(!memcmp(ram(&f, DATA), "seri\x77", 5));
	memset(ram(&f, DATA), 0x77, 64);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_GET_ID, 0, 64, true), VIRTIO_BLK_S_OK);
	CHECK_EQ(*ram(&f, DATA + 20), 0);
	teardown(&f);
}

static void test_unsupported(void)
{
	static const uint32_t types[] = { 2, 3, 10, 14, 0x80000000, UINT32_MAX };
	struct fixture f;

	setup(&f);
	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++)
		CHECK_EQ(do_request(&f, types[i], 0, 512, i & 1), VIRTIO_BLK_S_UNSUPP);
	/* Not negotiated is not supported. */
	bring_up(&f, ALL_FEATURES);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_DISCARD, 0, 16, false), VIRTIO_BLK_S_UNSUPP);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, false), VIRTIO_BLK_S_UNSUPP);
	teardown(&f);
}

static void test_short_request(void)
{
	const struct guest_buf no_header[] = { { STATUS, 1, true } };
	const struct guest_buf half_header[] = { { REQ, 15, false }, { STATUS, 1, true } };
	const struct guest_buf no_status[] = { { REQ, 16, false }, { DATA, 512, false } };
	struct fixture f;

	setup(&f);
	put_request(&f, VIRTIO_BLK_T_FLUSH, 0);
	CHECK_EQ(submit(&f, no_header, 1), 1);
	CHECK_EQ(*ram(&f, STATUS), VIRTIO_BLK_S_IOERR);
	put_request(&f, VIRTIO_BLK_T_FLUSH, 0);
	CHECK_EQ(submit(&f, half_header, 2), 1);
	CHECK_EQ(*ram(&f, STATUS), VIRTIO_BLK_S_IOERR);

	put_request(&f, VIRTIO_BLK_T_OUT, 0);
	ring_add(&f.ring, no_status, 2);
	MMIO_W(&f.bus, QUEUE_NOTIFY, 0);
	test_stderr_begin();
	virtio_queue_poll(f.dev, 0);
	CHECK(strstr(test_stderr_end(), "without a status byte"));
	CHECK(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET);
	bring_up(&f, ALL_FEATURES);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_IN, 0, 512, true), VIRTIO_BLK_S_OK);
	teardown(&f);
}

static void test_readonly(void)
{
	struct fixture f;

	setup_bytes(&f, true, DISK_SECTORS * 512);
	CHECK(f.offered & BIT(VIRTIO_BLK_F_RO));
	CHECK(!(f.offered & BIT(VIRTIO_BLK_F_DISCARD)));
	CHECK(!(f.offered & BIT(VIRTIO_BLK_F_WRITE_ZEROES)));
	bring_up(&f, ALL_FEATURES | BIT(VIRTIO_BLK_F_RO));
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_IN, 0, 512, true), VIRTIO_BLK_S_OK);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_OUT, 0, 512, false), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_FLUSH, 0, 0, false), VIRTIO_BLK_S_OK);
	/* A driver that does not know of RO is told by the errors. */
	bring_up(&f, ALL_FEATURES);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_OUT, 0, 512, false), VIRTIO_BLK_S_IOERR);
	teardown(&f);
}

static void put_segment(struct fixture *f, unsigned int i, uint64_t sector, uint32_t nr,
			uint32_t flags)
{
	uint8_t *p = ram(f, DATA + 16 * i);

	put_le64(p, sector);
	put_le32(p + 8, nr);
	put_le32(p + 12, flags);
}

static void test_write_zeroes(void)
{
	static const uint8_t zeroes[1024];
	struct fixture f;
	uint8_t want[512];

	setup(&f);
	put_segment(&f, 0, 10, 2, 0);
	put_segment(&f, 1, 20, 1, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
	put_segment(&f, 2, 0, 0, 0);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 48, false), VIRTIO_BLK_S_OK);
	CHECK(file_is(&f, 10 * 512, zeroes, 1024));
	CHECK(file_is(&f, 20 * 512, zeroes, 512));
	for (unsigned int i = 0; i < 512; i++)
		want[i] = pattern(12 * 512 + i);
	CHECK(file_is(&f, 12 * 512, want, 512));

	/* Nothing is done if any segment is wrong. */
	put_segment(&f, 0, 12, 1, 0);
	put_segment(&f, 1, DISK_SECTORS, 1, 0);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 32, false), VIRTIO_BLK_S_IOERR);
	put_segment(&f, 1, 0, 1, 2);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 32, false), VIRTIO_BLK_S_UNSUPP);
	put_segment(&f, 1, UINT64_MAX, 2, 0);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 32, false), VIRTIO_BLK_S_IOERR);
	put_segment(&f, 1, 0, UINT32_MAX, 0);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 32, false), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 0, false), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 17, false), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16 * 65, false), VIRTIO_BLK_S_IOERR);
	CHECK(file_is(&f, 12 * 512, want, 512));
	teardown(&f);
}

static void test_discard(void)
{
	struct fixture f;
	uint8_t status;

	setup(&f);
	if (!(f.offered & BIT(VIRTIO_BLK_F_DISCARD))) {
		teardown(&f);
		test_skip("no discard here");
	}
	put_segment(&f, 0, 8, 8, 0);
	status = do_request(&f, VIRTIO_BLK_T_DISCARD, 0, 16, false);
	CHECK(status == VIRTIO_BLK_S_OK || status == VIRTIO_BLK_S_UNSUPP);
	put_segment(&f, 0, 8, 8, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_DISCARD, 0, 16, false), VIRTIO_BLK_S_UNSUPP);
	put_segment(&f, 0, DISK_SECTORS - 1, 2, 0);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_DISCARD, 0, 16, false), VIRTIO_BLK_S_IOERR);
	teardown(&f);
}

static void test_cache_mode(void)
{
	const unsigned int wce = VIRTIO_MMIO_CONFIG + offsetof(struct virtio_blk_config, wce);
	struct fixture f;

	setup(&f);
	/* Without CONFIG_WCE it is not the driver's to change. */
	mmio_put(&f.bus, wce, 1, 0);
	CHECK_EQ(mmio_get(&f.bus, wce, 1), 1);
	bring_up(&f, ALL_FEATURES | BIT(VIRTIO_BLK_F_CONFIG_WCE));
	mmio_put(&f.bus, wce, 1, 0);
	CHECK_EQ(mmio_get(&f.bus, wce, 1), 0);
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_OUT, 0, 512, false), VIRTIO_BLK_S_OK);
	MMIO_W(&f.bus, STATUS, 0);
	CHECK_EQ(mmio_get(&f.bus, wce, 1), 1);
	/* A driver that can't flush starts with writethrough. */
	bring_up(&f, VERSION_1 | BIT(VIRTIO_BLK_F_CONFIG_WCE));
	CHECK_EQ(mmio_get(&f.bus, wce, 1), 0);
	teardown(&f);
}

/* The image shrinks under the device: an I/O error, not a crash. */
static void test_truncated(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(ftruncate(f.fd, 512), 0);
	test_stderr_begin();
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_IN, 0, 1024, true), VIRTIO_BLK_S_IOERR);
	test_stderr_end();
	CHECK_EQ(do_request(&f, VIRTIO_BLK_T_IN, 0, 512, true), VIRTIO_BLK_S_OK);
	teardown(&f);
}

/* On its own thread, with many requests in flight and interrupts by event index. */
static void test_thread(void)
{
	const struct guest_buf bufs[] = {
		{ REQ, 16, false },
		{ DATA, 1024, true },
		{ STATUS, 1, true },
	};
	struct fixture f;

	setup_bytes(&f, false, DISK_SECTORS * 512);
	bring_up(&f, ALL_FEATURES | BIT(VIRTIO_RING_F_EVENT_IDX));
	CHECK_EQ(virtio_device_ops.start(f.dev), 0);
	put_request(&f, VIRTIO_BLK_T_IN, 1);
	for (unsigned int round = 0; round < 50; round++) {
		uint16_t want = (uint16_t)(ring_used_idx(&f.ring) + 60);
		unsigned int patience = 0;

		ring_set_used_event(&f.ring, (uint16_t)(want - 1));
		for (unsigned int i = 0; i < 60; i++)
			ring_add(&f.ring, bufs, 3);
		MMIO_W(&f.bus, QUEUE_NOTIFY, 0);
		while (!f.line.level && patience++ < 10000)
			usleep(1000);
		CHECK_EQ(ring_used_idx(&f.ring), want);
		MMIO_W(&f.bus, INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
		CHECK(!f.line.level);
	}
	CHECK_EQ(f.line.raised, 50);
	virtio_device_ops.stop(f.dev);
	CHECK_EQ(*ram(&f, DATA), pattern(512));
	teardown(&f);
}

const struct test virtio_blk_tests[] = {
	{ "config", test_config },
	{ "read", test_read },
	{ "write", test_write },
	{ "any layout", test_any_layout },
	{ "bounds", test_bounds },
	{ "get id", test_get_id },
	{ "unsupported", test_unsupported },
	{ "short request", test_short_request },
	{ "read-only", test_readonly },
	{ "write zeroes", test_write_zeroes },
	{ "discard", test_discard },
	{ "cache mode", test_cache_mode },
	{ "truncated", test_truncated },
	{ "thread", test_thread },
	{ 0 },
};
