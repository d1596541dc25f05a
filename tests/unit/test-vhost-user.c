// SPDX-License-Identifier: GPL-2.0-only
/* vhost-user: what goes to the back end, byte for byte, and one that does not answer as it should. */
#include "virtio/vhost-user.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "lkvm/byteorder.h"
#include "tests/unit/vhost-backend.h"

struct fixture {
	struct backend    backend;
	struct vhost_user vu;
	struct memory     mem;
	unsigned int      fds;
};

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->fds = test_open_fds();
	memory_init(&f->mem);
	f->mem.share = true;
	CHECK_EQ(memory_add(&f->mem, "ram", GIB(2), MIB(4), false, NULL), 0);
	CHECK_EQ(memory_add(&f->mem, "rom", 0, KIB(64), true, NULL), 0);
	CHECK_EQ(memory_add(&f->mem, "ram", GIB(4), KIB(64), false, NULL), 0);
}

static void teardown(struct fixture *f)
{
	close(f->vu.fd);
	backend_stop(&f->backend);
	memory_exit(&f->mem);
	CHECK_EQ(test_open_fds(), f->fds);
}

static void open_backend(struct fixture *f)
{
	backend_start(&f->backend, UINT64_C(0x130000000) | 1 << 26);
	CHECK_EQ(vhost_user_open(&f->vu, f->backend.front), 0);
}

/* All that a queue takes, on a ring that starts at the first RAM. */
static int run_queue(struct fixture *f, int kick, int call)
{
	const struct virtqueue_config cfg = {
		.size = 64, .desc = GIB(2), .avail = GIB(2) + 1024, .used = GIB(2) + 2048,
	};
	struct virtqueue vq;
	int ret;

	CHECK_EQ(virtqueue_init(&vq, &f->mem, &cfg), 0);
	ret = vhost_user_set_features(&f->vu, UINT64_C(1) << 32);
	if (!ret)
		ret = vhost_user_set_memory(&f->vu, &f->mem);
	if (!ret)
		ret = vhost_user_start_queue(&f->vu, 1, &vq, kick, call);
	return ret ? ret : vhost_user_stop_queue(&f->vu, 1);
}

/* @words as they are in memory: the protocol has the host's order. */
static void check_payload(const struct backend_message *m, uint32_t flags, const void *bytes, size_t size)
{
	CHECK(m != NULL);
	CHECK_EQ(m->header[1], flags);
	CHECK_EQ(m->header[2], size);
	CHECK(!size || !memcmp(m->payload, bytes, size));
}

static void test_open(void)
{
	const uint64_t acks = VU_PROTOCOL_REPLY_ACK;
	struct fixture f;

	setup(&f);
	open_backend(&f);
	/* Without those that are no feature of virtio. */
	CHECK_EQ(f.vu.features, UINT64_C(0x130000000) & ~VU_F_PROTOCOL_FEATURES);
	CHECK_EQ(f.vu.err, 0);
	CHECK_EQ(vhost_user_set_features(&f.vu, 0), 0); /* waits until all was seen */
	CHECK_EQ(f.backend.seen[0].header[0], VU_SET_OWNER);
	check_payload(&f.backend.seen[0], 1, NULL, 0);
	CHECK_EQ(f.backend.seen[1].header[0], VU_GET_FEATURES);
	check_payload(backend_seen(&f.backend, VU_SET_PROTOCOL_FEATURES, 0), 1, &acks, sizeof(acks));
	teardown(&f);
}

static void test_messages(void)
{
	const uint64_t features = UINT64_C(1) << 32 | VU_F_PROTOCOL_FEATURES, index = 1;
	const uint32_t num[] = { 1, 64 }, zero[] = { 1, 0 }, one[] = { 1, 1 };
	const struct backend_message *m;
	struct fixture f;
	uint8_t *host, *other;
	eventfd_t count;
	int kick, call;

	setup(&f);
	kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	open_backend(&f);
	CHECK_EQ(run_queue(&f, kick, call), 0);
	check_payload(backend_seen(&f.backend, VU_SET_FEATURES, 0), 9, &features, sizeof(features));

	/* Two regions, as the third cannot be written; each 4 u64, behind the number of them. */
	host = f.mem.regions[1].host;
	{
		const struct {
			uint32_t nr, padding;
			uint64_t regions[2][4];
		} table = {
			2, 0, { { GIB(2), MIB(4), (uintptr_t)host, 0 },
				{ GIB(4), KIB(64), (uintptr_t)f.mem.regions[2].host, 0 } },
		};

		m = backend_seen(&f.backend, VU_SET_MEM_TABLE, 0);
		check_payload(m, 9, &table, sizeof(table));
		CHECK_EQ(m->nr_fds, 2);
	}
	other = mmap(NULL, (size_t)MIB(4), PROT_READ, MAP_SHARED, m->fds[0], 0);
	host[MIB(3)] = 0x5a;
	CHECK(other != MAP_FAILED && other[MIB(3)] == 0x5a);
	munmap(other, (size_t)MIB(4));

	check_payload(backend_seen(&f.backend, VU_SET_VRING_NUM, 0), 9, num, sizeof(num));
	check_payload(backend_seen(&f.backend, VU_SET_VRING_BASE, 0), 9, zero, sizeof(zero));
	{
		const struct {
			uint32_t index, flags;
			uint64_t desc, used, avail, log;
		} addr = { 1, 0, (uintptr_t)host, (uintptr_t)host + 2048, (uintptr_t)host + 1024, 0 };

		check_payload(backend_seen(&f.backend, VU_SET_VRING_ADDR, 0), 9, &addr, sizeof(addr));
	}
	m = backend_seen(&f.backend, VU_SET_VRING_KICK, 0);
	check_payload(m, 9, &index, sizeof(index));
	CHECK_EQ(m->nr_fds, 1);
	CHECK(eventfd_read(kick, &count) < 0);
	CHECK_EQ(eventfd_write(m->fds[0], 1), 0);
	CHECK_EQ(eventfd_read(kick, &count), 0);
	m = backend_seen(&f.backend, VU_SET_VRING_CALL, 0);
	check_payload(m, 9, &index, sizeof(index));
	CHECK(eventfd_read(call, &count) < 0);
	CHECK_EQ(eventfd_write(m->fds[0], 1), 0);
	CHECK_EQ(eventfd_read(call, &count), 0);
	check_payload(backend_seen(&f.backend, VU_SET_VRING_ENABLE, 0), 9, one, sizeof(one));
	check_payload(backend_seen(&f.backend, VU_SET_VRING_ENABLE, 1), 9, zero, sizeof(zero));
	check_payload(backend_seen(&f.backend, VU_GET_VRING_BASE, 0), 1, zero, sizeof(zero));
	close(kick);
	close(call);
	teardown(&f);
}

/* At each request: the same error from then on, and words for it. */
static void check_fault(uint32_t request, enum backend_fault fault, int err, const char *why)
{
	struct fixture f;
	unsigned int asked;
	int ret, kick;

	setup(&f);
	kick = eventfd(0, EFD_CLOEXEC);
	f.backend.fault_at = request;
	f.backend.fault = fault;
	backend_start(&f.backend, UINT64_C(1) << 32);
	ret = vhost_user_open(&f.vu, f.backend.front);
	f.vu.timeout_ms = 200;
	if (!ret)
		ret = run_queue(&f, kick, kick);
	CHECK_EQ(ret, err);
	CHECK_EQ(f.vu.err, err);
	CHECK_STR(f.vu.why, why);
	asked = f.backend.nr;
	CHECK_EQ(vhost_user_set_features(&f.vu, 0), err);
	CHECK_STR(f.vu.why, why);
	CHECK_EQ(f.backend.nr, asked);
	close(kick);
	teardown(&f);
}

static void test_faults(void)
{
	check_fault(VU_GET_FEATURES, BACKEND_CLOSES, -ECONNRESET, "closed the connection");
	check_fault(VU_GET_FEATURES, BACKEND_BABBLES, -EPROTO, "answered GET_FEATURES with message 99 of 8 bytes, flags 0x5");
	check_fault(VU_SET_MEM_TABLE, BACKEND_REFUSES, -EPROTO, "refused SET_MEM_TABLE");
	check_fault(VU_SET_VRING_ADDR, BACKEND_SILENT, -ETIMEDOUT, "did not answer SET_VRING_ADDR for 0 s");
	check_fault(VU_SET_VRING_KICK, BACKEND_CUTS, -ETIMEDOUT, "did not answer SET_VRING_KICK for 0 s");
	check_fault(VU_SET_VRING_ENABLE, BACKEND_CLOSES, -ECONNRESET, "closed the connection");
	check_fault(VU_GET_VRING_BASE, BACKEND_BABBLES, -EPROTO, "answered GET_VRING_BASE with message 99 of 8 bytes, flags 0x5");
}

/* Back ends that cannot say whether they did what they were asked. */
static void test_old_backends(void)
{
	struct fixture f;

	setup(&f);
	backend_start(&f.backend, 0);
	f.backend.features = 1;
	CHECK_EQ(vhost_user_open(&f.vu, f.backend.front), -EPROTO);
	CHECK_STR(f.vu.why, "knows no protocol features");
	close(f.vu.fd);
	backend_stop(&f.backend);
	backend_start(&f.backend, UINT64_C(0x30000000));
	CHECK_EQ(vhost_user_open(&f.vu, f.backend.front), -EPROTO);
	CHECK_STR(f.vu.why, "cannot serve devices of virtio 1 (it offers no VIRTIO_F_VERSION_1)");
	close(f.vu.fd);
	backend_stop(&f.backend);
	backend_start(&f.backend, UINT64_C(1) << 32);
	f.backend.protocol = 1;
	CHECK_EQ(vhost_user_open(&f.vu, f.backend.front), -EPROTO);
	CHECK_STR(f.vu.why, "cannot acknowledge requests");
	teardown(&f);
}

static void test_gone(void)
{
	struct fixture f;

	setup(&f);
	open_backend(&f);
	shutdown(f.backend.fd, SHUT_RDWR);
	CHECK_EQ(vhost_user_set_features(&f.vu, 0), -ECONNRESET);
	CHECK_STR(f.vu.why, "closed the connection");
	teardown(&f);
}

static void test_regions(void)
{
	struct fixture f;

	setup(&f);
	open_backend(&f);
	for (unsigned int i = 0; i < 6; i++)
		CHECK_EQ(memory_add(&f.mem, "ram", GIB(5) + i * MIB(1), KIB(64), false, NULL), 0);
	CHECK_EQ(vhost_user_set_memory(&f.vu, &f.mem), 0);
	CHECK_EQ(memory_add(&f.mem, "ram", GIB(6), KIB(64), false, NULL), 0);
	CHECK_EQ(vhost_user_set_memory(&f.vu, &f.mem), -E2BIG);
	CHECK_STR(f.vu.why, "cannot take more than 8 pieces of memory");
	teardown(&f);
}

const struct test vhost_user_tests[] = {
	{ "open", test_open },
	{ "messages", test_messages },
	{ "faults", test_faults },
	{ "old_backends", test_old_backends },
	{ "gone", test_gone },
	{ "regions", test_regions },
	{ 0 },
};
