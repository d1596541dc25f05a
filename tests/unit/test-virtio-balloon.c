// SPDX-License-Identifier: GPL-2.0-only
/* The balloon: whose pages go, and whose don't. A page that went reads as zeros. */
#include "virtio/balloon.h"

#include <linux/virtio_balloon.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/virtio-guest.h"
#include "virtio/mmio.h"

#define PAGE       BALLOON_PAGE_BYTES
#define PFN(gpa)   ((uint32_t)((gpa) / PAGE))
#define FILL       0x5a
#define LIST       (GUEST_RAM + 0x40000u) /* where the driver writes what it says */
#define STATS_VQ   (UINT64_C(1) << VIRTIO_BALLOON_F_STATS_VQ)
#define EVENT_IDX  (UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX)
#define NUM_PAGES  0
#define ACTUAL     4

struct fixture {
	struct memory         mem;
	struct bus            bus;
	struct fake_line      line;
	struct loop          *loop;
	struct virtio_device *dev;
	struct guest_ring     rings[3];
	unsigned int          told;  /* statistics */
	uint64_t              page;  /* the host's */
};

static void on_stats(void *opaque)
{
	struct fixture *f = opaque;

	f->told++;
}

static void negotiate_with(struct fixture *f, uint64_t features)
{
	mmio_negotiate(&f->bus, VERSION_1 | STATS_VQ | features);
	for (unsigned int i = 0; i < ARRAY_SIZE(f->rings); i++) {
		ring_init(&f->rings[i], &f->mem, GUEST_RING(i), 64);
		mmio_set_queue(&f->bus, i, &f->rings[i]);
	}
	mmio_driver_ok(&f->bus);
}

static void negotiate(struct fixture *f)
{
	negotiate_with(f, 0);
}

/* Older user-mode emulators take MADV_DONTNEED for a word of politeness. */
static bool pages_can_go(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool gone;

	*p = FILL;
	gone = !madvise(p, page, MADV_DONTNEED) && !*(volatile uint8_t *)p;
	munmap(p, page);
	return gone;
}

/* The host's pages are @host_page long, or as long as they are. */
static void setup(struct fixture *f, uint64_t host_page)
{
	struct virtio_env env;
	struct irq_line irq;

	if (!pages_can_go())
		test_skip("this emulator does not give pages back");
	memset(f, 0, sizeof(*f));
	guest_memory_init(&f->mem);
	bus_init(&f->bus, "mmio");
	CHECK_EQ(loop_create(&f->loop), 0);
	env = (struct virtio_env){ .mem = &f->mem, .loop = f->loop };
	irq = fake_irq(&f->line);
	CHECK_EQ(virtio_balloon_create(&f->dev, &env, on_stats, f), 0);
	f->page = MAX(host_page, (uint64_t)sysconf(_SC_PAGESIZE));
	virtio_balloon_set_host_page(f->dev, f->page);
	CHECK_EQ(virtio_mmio_attach(f->dev, &f->bus, GUEST_MMIO, &irq, NULL), 0);
	negotiate(f);
	memset(memory_ptr(&f->mem, GUEST_DATA, 0x100000), FILL, 0x100000);
}

static void teardown(struct fixture *f)
{
	virtio_device_ops.destroy(f->dev);
	loop_destroy(f->loop);
	memory_exit(&f->mem);
}

static void ring(struct fixture *f, unsigned int index)
{
	MMIO_W(&f->bus, QUEUE_NOTIFY, index);
	virtio_queue_poll(f->dev, index);
}

/* The driver names pages on queue @index. */
static void say(struct fixture *f, unsigned int index, const uint32_t *pfns, unsigned int nr)
{
	const struct guest_buf buf = { LIST, nr * 4, false };
	uint8_t *list = memory_ptr(&f->mem, LIST, nr * 4);

	for (unsigned int i = 0; i < nr; i++)
		put_le32(list + 4 * i, pfns[i]);
	ring_add(&f->rings[index], &buf, 1);
	ring(f, index);
}

static void say_run(struct fixture *f, unsigned int index, gpa_t gpa, uint64_t bytes)
{
	uint32_t pfns[1024];

	for (unsigned int i = 0; i < bytes / PAGE; i++)
		pfns[i] = PFN(gpa) + i;
	say(f, index, pfns, (unsigned int)(bytes / PAGE));
	CHECK_EQ(ring_must_take(&f->rings[index]), 0);
}

/* How many of @bytes at @gpa are still what the guest wrote; others must be zero. */
static uint64_t kept(const struct fixture *f, gpa_t gpa, uint64_t bytes)
{
	const uint8_t *p = memory_ptr(&f->mem, gpa, bytes);
	uint64_t n = 0;

	for (uint64_t i = 0; i < bytes; i++) {
		CHECK(p[i] == FILL || !p[i]);
		n += p[i] == FILL;
	}
	return n;
}

static void test_inflate(void)
{
	struct fixture f;

	setup(&f, 0);
	CHECK_EQ(MMIO_R(&f.bus, DEVICE_ID), VIRTIO_ID_BALLOON);
	say_run(&f, 0, GUEST_DATA + 2 * f.page, 3 * f.page);
	CHECK(f.line.level);
	CHECK_EQ(kept(&f, GUEST_DATA, 0x100000), 0x100000 - 3 * f.page);
	CHECK_EQ(kept(&f, GUEST_DATA + 2 * f.page, 3 * f.page), 0);

	/* The guest takes some back and writes to them: they stay. */
	say_run(&f, 1, GUEST_DATA + 2 * f.page, f.page);
	memset(memory_ptr(&f.mem, GUEST_DATA + 2 * f.page, f.page), FILL, (size_t)f.page);
	say_run(&f, 0, GUEST_DATA, f.page);
	CHECK_EQ(kept(&f, GUEST_DATA + f.page, 2 * f.page), 2 * f.page);
	CHECK_EQ(kept(&f, GUEST_DATA, f.page), 0);
	teardown(&f);
}

/* A page of the host goes with the last of the guest's in it, in whatever order they come. */
static void test_large_host_pages(void)
{
	uint32_t pfns[64];
	unsigned int nr;
	struct fixture f;

	setup(&f, KIB(64));
	nr = (unsigned int)(f.page / PAGE);
	say_run(&f, 0, GUEST_DATA + PAGE, f.page - PAGE);
	CHECK_EQ(kept(&f, GUEST_DATA, 0x100000), 0x100000);
	/* One that is taken back counts no more. */
	say_run(&f, 1, GUEST_DATA + 3 * PAGE, PAGE);
	say_run(&f, 0, GUEST_DATA, PAGE);
	CHECK_EQ(kept(&f, GUEST_DATA, 0x100000), 0x100000);
	say_run(&f, 0, GUEST_DATA + 3 * PAGE, PAGE);
	CHECK_EQ(kept(&f, GUEST_DATA, f.page), 0);
	CHECK_EQ(kept(&f, GUEST_DATA + f.page, 0x100000 - f.page), 0x100000 - f.page);

	/* Downwards, across two. */
	for (unsigned int i = 0; i < 2 * nr; i++)
		pfns[i] = PFN(GUEST_DATA + 4 * f.page) - 1 - i;
	say(&f, 0, pfns, 2 * nr);
	CHECK_EQ(kept(&f, GUEST_DATA + 2 * f.page, 2 * f.page), 0);
	CHECK_EQ(kept(&f, GUEST_DATA, 0x100000), 0x100000 - 3 * f.page);

	/* After a reset nothing is remembered. */
	say_run(&f, 0, GUEST_DATA + 5 * f.page, f.page - PAGE);
	negotiate(&f);
	say_run(&f, 0, GUEST_DATA + 6 * f.page - PAGE, PAGE);
	CHECK_EQ(kept(&f, GUEST_DATA + 5 * f.page, f.page), f.page);
	teardown(&f);
}

/* Pages that are no memory, or not the guest's to give away, are left alone, and the others are not. */
static void test_bad_pages(void)
{
	const gpa_t end = GUEST_RAM + GUEST_RAM_BYTES;
	struct fixture f;
	uint32_t pfns[] = { PFN(GUEST_MMIO), 0, UINT32_MAX, PFN(GUEST_ROM), PFN(GUEST_RAM) - 1, PFN(end) };
	uint8_t *rom;

	setup(&f, 0);
	rom = memory_ptr(&f.mem, GUEST_ROM, 1);
	*rom = 1;
	test_stderr_begin();
	say(&f, 0, pfns, ARRAY_SIZE(pfns));
	CHECK(strstr(test_stderr_end(), "6 pages that the guest does not have, such as 0xa000000, were ignored"));
	CHECK_EQ(ring_must_take(&f.rings[0]), 0);
	CHECK_EQ(*rom, 1);
	test_stderr_begin();
	say(&f, 1, pfns, ARRAY_SIZE(pfns));
	CHECK(strstr(test_stderr_end(), "6 pages"));
	/* The last page of all. */
	say_run(&f, 0, end - f.page, f.page);
	CHECK_EQ(kept(&f, GUEST_DATA, 0x100000), 0x100000 - f.page);
	CHECK(!(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET));
	teardown(&f);
}

/* Neither an endless list nor a torn one. */
static void test_bad_requests(void)
{
	const struct guest_buf huge = { GUEST_RAM, GUEST_RAM_BYTES, false }, torn = { LIST, 7, false },
			       writable = { LIST, 64, true };
	struct fixture f;

	setup(&f, 0);
	put_le32(memory_ptr(&f.mem, LIST, 8), PFN(GUEST_DATA));
	put_le32(memory_ptr(&f.mem, LIST + 4, 4), PFN(GUEST_DATA + f.page));
	say_run(&f, 1, GUEST_DATA, f.page);
	ring_add(&f.rings[0], &torn, 1);
	ring_add(&f.rings[0], &writable, 1);
	ring(&f, 0);
	CHECK_EQ(ring_must_take(&f.rings[0]), 0);
	CHECK_EQ(ring_must_take(&f.rings[0]), 0);
	CHECK_EQ(kept(&f, GUEST_DATA + f.page, f.page), f.page);

	ring_add(&f.rings[0], &huge, 1);
	test_stderr_begin();
	ring(&f, 0);
	CHECK(strstr(test_stderr_end(), "balloon request of too many pages"));
	CHECK(MMIO_R(&f.bus, STATUS) & ST_NEEDS_RESET);
	teardown(&f);
}

static void test_config(void)
{
	struct balloon_state s;
	struct fixture f;

	setup(&f, 0);
	virtio_balloon_set_target(f.dev, MIB(1));
	CHECK(f.line.level);
	CHECK_EQ(mmio_get(&f.bus, 0x100 + NUM_PAGES, 4), MIB(1) / PAGE);
	mmio_put(&f.bus, 0x100 + ACTUAL, 4, 7);
	mmio_put(&f.bus, 0x100 + NUM_PAGES, 4, 9);
	CHECK_EQ(mmio_get(&f.bus, 0x100 + ACTUAL, 4), 7);
	virtio_balloon_state(f.dev, &s);
	CHECK(s.live);
	CHECK_EQ(s.target_bytes, MIB(1));
	CHECK_EQ(s.actual_bytes, 7 * PAGE);
	/* What is wanted outlives a reset; what is given does not. */
	MMIO_W(&f.bus, STATUS, 0);
	virtio_balloon_state(f.dev, &s);
	CHECK(!s.live);
	CHECK_EQ(s.target_bytes, MIB(1));
	CHECK_EQ(s.actual_bytes, 0);
	teardown(&f);
}

static void put_stat(struct fixture *f, unsigned int i, uint16_t tag, uint64_t value)
{
	uint8_t *p = memory_ptr(&f->mem, LIST + 10 * i, 10);

	put_le16(p, tag);
	put_le64(p + 2, value);
}

static void test_statistics(void)
{
	const struct guest_buf buf = { LIST, 40, false };
	struct balloon_state s;
	struct fixture f;

	setup(&f, 0);
	CHECK(!virtio_balloon_ask_stats(f.dev));
	put_stat(&f, 0, VIRTIO_BALLOON_S_MEMFREE, 123456);
	put_stat(&f, 1, 4711, 1);                              /* of a newer driver */
	put_stat(&f, 2, VIRTIO_BALLOON_S_AVAIL, UINT64_MAX);   /* it does not know */
	put_stat(&f, 3, VIRTIO_BALLOON_S_MEMTOT, 1);
	ring_add(&f.rings[2], &buf, 1);
	ring(&f, 2);
	CHECK_EQ(f.told, 1);
	CHECK_EQ(ring_used_idx(&f.rings[2]), 0);
	virtio_balloon_state(f.dev, &s);
	CHECK_EQ(s.stats_valid, 1u << VIRTIO_BALLOON_S_MEMFREE | 1u << VIRTIO_BALLOON_S_MEMTOT);
	CHECK_EQ(s.stats[VIRTIO_BALLOON_S_MEMFREE], 123456);

	/* The buffer goes back once for each time that it comes. */
	CHECK(virtio_balloon_ask_stats(f.dev));
	CHECK_EQ(ring_must_take(&f.rings[2]), 0);
	CHECK(!virtio_balloon_ask_stats(f.dev));
	put_stat(&f, 0, VIRTIO_BALLOON_S_MEMFREE, 654321);
	ring_add(&f.rings[2], &buf, 1);
	ring(&f, 2);
	CHECK_EQ(f.told, 2);
	virtio_balloon_state(f.dev, &s);
	CHECK_EQ(s.stats[VIRTIO_BALLOON_S_MEMFREE], 654321);

	/* A driver that goes takes its buffer along. */
	negotiate(&f);
	CHECK(!virtio_balloon_ask_stats(f.dev));
	virtio_balloon_state(f.dev, &s);
	CHECK_EQ(s.stats_valid, 0);
	teardown(&f);
}

/* The driver makes statistics available and rings only if it was asked to, as Linux does. */
static void offer_stats(struct fixture *f, uint64_t bytes_free)
{
	const struct guest_buf buf = { LIST, 10, false };
	struct guest_ring *r = &f->rings[2];
	uint16_t before = r->avail_idx;

	put_stat(f, 0, VIRTIO_BALLOON_S_MEMFREE, bytes_free);
	ring_add(r, &buf, 1);
	if (vring_need_event(ring_avail_event(r), r->avail_idx, before))
		MMIO_W(&f->bus, QUEUE_NOTIFY, 2);
	virtio_queue_poll(f->dev, 2);
}

static void test_statistics_event_idx(void)
{
	struct balloon_state s;
	struct fixture f;

	setup(&f, 0);
	negotiate_with(&f, EVENT_IDX);
	offer_stats(&f, 1000);
	CHECK_EQ(f.told, 1);
	/* Also where the 16-bit index turns over. */
	for (unsigned int i = 1; i <= 0x10001 && f.told == i; i++) {
		CHECK(virtio_balloon_ask_stats(f.dev));
		CHECK_EQ(ring_must_take(&f.rings[2]), 0);
		offer_stats(&f, 1000 + i);
		CHECK_EQ(f.told, 1 + i);
	}
	CHECK_EQ(f.told, 0x10002);
	virtio_balloon_state(f.dev, &s);
	CHECK_EQ(s.stats[VIRTIO_BALLOON_S_MEMFREE], 1000 + 0x10001);

	/* A buffer that came too early is not read before its turn, and then without a kick. */
	f.told = 0;
	offer_stats(&f, 5);
	CHECK_EQ(f.told, 0);
	CHECK(virtio_balloon_ask_stats(f.dev));
	CHECK_EQ(f.told, 0);
	virtio_queue_poll(f.dev, 2);
	CHECK_EQ(f.told, 1);
	virtio_balloon_state(f.dev, &s);
	CHECK_EQ(s.stats[VIRTIO_BALLOON_S_MEMFREE], 5);
	teardown(&f);
}

const struct test virtio_balloon_tests[] = {
	{ "inflate", test_inflate },
	{ "large host pages", test_large_host_pages },
	{ "bad pages", test_bad_pages },
	{ "bad requests", test_bad_requests },
	{ "config", test_config },
	{ "statistics", test_statistics },
	{ "statistics with event indices", test_statistics_event_idx },
	{ 0 },
};
