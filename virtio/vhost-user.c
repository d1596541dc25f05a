// SPDX-License-Identifier: GPL-2.0-only
#include "virtio/vhost-user.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lkvm/clock.h"

/* Front-end message types that are used here. */
enum request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	SET_VRING_ENABLE = 18,
};

static const char *const names[] = {
	[GET_FEATURES] = "GET_FEATURES", [SET_FEATURES] = "SET_FEATURES", [SET_OWNER] = "SET_OWNER",
	[SET_MEM_TABLE] = "SET_MEM_TABLE", [SET_VRING_NUM] = "SET_VRING_NUM", [SET_VRING_ADDR] = "SET_VRING_ADDR",
	[SET_VRING_BASE] = "SET_VRING_BASE", [GET_VRING_BASE] = "GET_VRING_BASE",
	[SET_VRING_KICK] = "SET_VRING_KICK", [SET_VRING_CALL] = "SET_VRING_CALL",
	[GET_PROTOCOL_FEATURES] = "GET_PROTOCOL_FEATURES", [SET_PROTOCOL_FEATURES] = "SET_PROTOCOL_FEATURES",
	[SET_VRING_ENABLE] = "SET_VRING_ENABLE",
};

#define FLAGS_VERSION    1u
#define FLAGS_REPLY      (1u << 2)
#define FLAGS_NEED_REPLY (1u << 3)
#define FLAGS_KNOWN      0xfu

/* Among virtio's feature bits: the back end knows protocol features. */
#define F_PROTOCOL_FEATURES (UINT64_C(1) << 30)
#define F_LOG_ALL           (UINT64_C(1) << 26) /* for migration */
#define F_VERSION_1         (UINT64_C(1) << VIRTIO_F_VERSION_1)

#define PROTOCOL_F_REPLY_ACK (UINT64_C(1) << 3)

struct header {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /* of the payload */
};

struct region {
	uint64_t gpa;
	uint64_t size;
	uint64_t user; /* where we have it: rings are told by such addresses */
	uint64_t offset;
};

union payload {
	uint64_t u64;
	struct { uint32_t index, num; } state;
	struct {
		uint32_t index, flags;
		uint64_t desc, used, avail, log;
	} addr;
	struct {
		uint32_t      nr, padding;
		struct region regions[VHOST_USER_MAX_REGIONS];
	} memory;
};

/* Layouts of the protocol, on all arches. */
_Static_assert(sizeof(struct header) == 12, "vhost-user header");
_Static_assert(sizeof(((union payload *)0)->addr) == 40, "vhost-user vring address");
_Static_assert(sizeof(((union payload *)0)->memory) == 8 + 32 * VHOST_USER_MAX_REGIONS, "vhost-user memory table");

/* The back end is lost: notes why, and returns @err. */
static int LKVM_PRINTF(3, 4) lost(struct vhost_user *vu, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(vu->why, sizeof(vu->why), fmt, ap);
	va_end(ap);
	vu->err = err;
	return err;
}

static int send_message(struct vhost_user *vu, const struct header *h, const void *payload, const int *fds,
			unsigned int nr_fds)
{
	/* Aligned as the kernel wants its headers. */
	union {
		char           bytes[CMSG_SPACE(VHOST_USER_MAX_REGIONS * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov[] = {
		{ (void *)(uintptr_t)h, sizeof(*h) }, { (void *)(uintptr_t)payload, h->size },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = ARRAY_SIZE(iov) };
	ssize_t n;

	if (nr_fds) {
		struct cmsghdr *c = &control.align;

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nr_fds * sizeof(int));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
	}
	/* It has answered all that came before, so its socket has room: one call takes it all. */
	do
		n = sendmsg(vu->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)(sizeof(*h) + h->size))
		return 0;
	if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
		return lost(vu, -ECONNRESET, "closed the connection");
	return lost(vu, -EIO, "does not take %s: %s", names[h->request], n < 0 ? strerror(errno) : "no room");
}

/* All @len bytes of an answer to @request, by @deadline. */
static int receive(struct vhost_user *vu, enum request request, void *buf, size_t len, int64_t deadline)
{
	uint8_t *at = buf;

	while (len) {
		ssize_t n = recv(vu->fd, at, len, MSG_DONTWAIT);
		struct pollfd p = { .fd = vu->fd, .events = POLLIN };
		int64_t left = deadline - (int64_t)clock_now_ms();

		if (n > 0) {
			at += n;
			len -= (size_t)n;
		} else if (!n || (n < 0 && errno == ECONNRESET)) {
			return lost(vu, -ECONNRESET, "closed the connection");
		} else if (errno != EAGAIN && errno != EINTR) {
			return lost(vu, -errno, "cannot be heard: %s", strerror(errno));
		} else if (left <= 0) {
			return lost(vu, -ETIMEDOUT, "did not answer %s for %u s", names[request],
				    vu->timeout_ms / 1000);
		} else {
			poll(&p, 1, (int)left);
		}
	}
	return 0;
}

/*
 * Sends @request with @size bytes of @payload, and takes its answer of @reply_size bytes (0: none) in
 * their place.
 */
static int ask(struct vhost_user *vu, enum request request, uint32_t flags, union payload *payload,
	       size_t size, size_t reply_size, const int *fds, unsigned int nr_fds)
{
	struct header h = {
		.request = request, .flags = FLAGS_VERSION | flags, .size = (uint32_t)size,
	};
	int64_t deadline = (int64_t)clock_now_ms() + vu->timeout_ms;
	int ret;

	if (vu->err)
		return vu->err;
	ret = send_message(vu, &h, payload, fds, nr_fds);
	if (ret || !reply_size)
		return ret;
	ret = receive(vu, request, &h, sizeof(h), deadline);
	if (ret)
		return ret;
	if (h.request != request || (h.flags & FLAGS_KNOWN & ~FLAGS_NEED_REPLY) != (FLAGS_VERSION | FLAGS_REPLY) ||
	    h.size != reply_size)
		return lost(vu, -EPROTO, "answered %s with message %u of %u bytes, flags %#x", names[request],
			    h.request, h.size, h.flags);
	return receive(vu, request, payload, reply_size, deadline);
}

/* A request that has no answer of its own: the back end says whether it did it. */
static int order(struct vhost_user *vu, enum request request, union payload *payload, size_t size, const int *fds,
		 unsigned int nr_fds)
{
	int ret = ask(vu, request, FLAGS_NEED_REPLY, payload, size, sizeof(payload->u64), fds, nr_fds);

	if (ret)
		return ret;
	return payload->u64 ? lost(vu, -EPROTO, "refused %s", names[request]) : 0;
}

static int order_state(struct vhost_user *vu, enum request request, unsigned int index, uint32_t num)
{
	union payload p = { .state = { .index = index, .num = num } };

	return order(vu, request, &p, sizeof(p.state), NULL, 0);
}

static int order_fd(struct vhost_user *vu, enum request request, unsigned int index, int fd)
{
	union payload p = { .u64 = index };

	return order(vu, request, &p, sizeof(p.u64), &fd, 1);
}

int vhost_user_open(struct vhost_user *vu, int fd)
{
	union payload p = { 0 };
	int ret;

	*vu = (struct vhost_user){ .fd = fd, .timeout_ms = VHOST_USER_TIMEOUT_MS };
	ret = ask(vu, SET_OWNER, 0, &p, 0, 0, NULL, 0);
	if (!ret)
		ret = ask(vu, GET_FEATURES, 0, &p, 0, sizeof(p.u64), NULL, 0);
	if (ret)
		return ret;
	vu->features = p.u64 & ~(F_PROTOCOL_FEATURES | F_LOG_ALL);
	if (!(p.u64 & F_PROTOCOL_FEATURES))
		return lost(vu, -EPROTO, "knows no protocol features");
	/* The devices that are served so, virtio-fs, have no legacy interface. */
	if (!(p.u64 & F_VERSION_1))
		return lost(vu, -EPROTO, "cannot serve devices of virtio 1 (it offers no VIRTIO_F_VERSION_1)");
	ret = ask(vu, GET_PROTOCOL_FEATURES, 0, &p, 0, sizeof(p.u64), NULL, 0);
	if (ret)
		return ret;
	/* All that is wanted: without it nobody could say whether a request succeeded. */
	if (!(p.u64 & PROTOCOL_F_REPLY_ACK))
		return lost(vu, -EPROTO, "cannot acknowledge requests");
	p.u64 = PROTOCOL_F_REPLY_ACK;
	return ask(vu, SET_PROTOCOL_FEATURES, 0, &p, sizeof(p.u64), 0, NULL, 0);
}

int vhost_user_set_features(struct vhost_user *vu, uint64_t features)
{
	union payload p = { .u64 = features | F_PROTOCOL_FEATURES };

	return order(vu, SET_FEATURES, &p, sizeof(p.u64), NULL, 0);
}

int vhost_user_set_memory(struct vhost_user *vu, const struct memory *mem)
{
	int fds[VHOST_USER_MAX_REGIONS];
	union payload p = { 0 };
	uint32_t nr = 0;

	for (unsigned int i = 0; i < mem->nr_regions; i++) {
		const struct memory_region *r = &mem->regions[i];

		if (r->fd < 0)
			continue;
		if (nr == VHOST_USER_MAX_REGIONS)
			return lost(vu, -E2BIG, "cannot take more than %d pieces of memory", VHOST_USER_MAX_REGIONS);
		p.memory.regions[nr] = (struct region){
			.gpa = r->gpa, .size = r->size_bytes, .user = (uintptr_t)r->host,
		};
		fds[nr++] = r->fd;
	}
	p.memory.nr = nr;
	return order(vu, SET_MEM_TABLE, &p, 8 + nr * sizeof(struct region), fds, nr);
}

int vhost_user_start_queue(struct vhost_user *vu, unsigned int index, const struct virtqueue *vq,
			   int kick, int call)
{
	union payload addr = {
		.addr = {
			.index = index,
			.desc = (uintptr_t)vq->desc,
			.used = (uintptr_t)vq->used,
			.avail = (uintptr_t)vq->avail,
		},
	};
	int ret;

	ret = order_state(vu, SET_VRING_NUM, index, vq->size);
	if (!ret)
		ret = order_state(vu, SET_VRING_BASE, index, 0);
	if (!ret)
		ret = order(vu, SET_VRING_ADDR, &addr, sizeof(addr.addr), NULL, 0);
	if (!ret)
		ret = order_fd(vu, SET_VRING_CALL, index, call);
	/* With this it starts; but it looks at no doorbell before the last. */
	if (!ret)
		ret = order_fd(vu, SET_VRING_KICK, index, kick);
	return ret ? ret : order_state(vu, SET_VRING_ENABLE, index, 1);
}

int vhost_user_stop_queue(struct vhost_user *vu, unsigned int index)
{
	union payload p = { .state = { .index = index } };
	int ret = order_state(vu, SET_VRING_ENABLE, index, 0);

	/* Where it got to does not matter: the driver begins anew. */
	return ret ? ret : ask(vu, GET_VRING_BASE, 0, &p, sizeof(p.state), sizeof(p.state), NULL, 0);
}
