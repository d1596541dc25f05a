/* SPDX-License-Identifier: GPL-2.0-only */
/* A vhost-user back end for tests: notes what it is asked, and answers well or, at one request, badly. */
#ifndef TESTS_UNIT_VHOST_BACKEND_H
#define TESTS_UNIT_VHOST_BACKEND_H

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/test.h"

/* Of docs/interop/vhost-user.rst. */
#define VU_GET_FEATURES          1u
#define VU_SET_FEATURES          2u
#define VU_SET_OWNER             3u
#define VU_SET_MEM_TABLE         5u
#define VU_SET_VRING_NUM         8u
#define VU_SET_VRING_ADDR        9u
#define VU_SET_VRING_BASE        10u
#define VU_GET_VRING_BASE        11u
#define VU_SET_VRING_KICK        12u
#define VU_SET_VRING_CALL        13u
#define VU_GET_PROTOCOL_FEATURES 15u
#define VU_SET_PROTOCOL_FEATURES 16u
#define VU_SET_VRING_ENABLE      18u

#define VU_F_PROTOCOL_FEATURES (UINT64_C(1) << 30)
#define VU_PROTOCOL_REPLY_ACK  (UINT64_C(1) << 3)

enum backend_fault {
	BACKEND_GOOD,
	BACKEND_CLOSES,
	BACKEND_REFUSES,  /* acknowledges with an error */
	BACKEND_BABBLES,  /* answers something else */
	BACKEND_CUTS,     /* half of an answer, and no more */
	BACKEND_SILENT,
};

struct backend_message {
	uint32_t     header[3]; /* request, flags, size */
	uint64_t     payload[40];
	int          fds[8];
	unsigned int nr_fds;
};

struct backend {
	int                    fd, front; /* its end of the connection, and ours */
	pthread_t              thread;
	uint64_t               features, protocol;
	uint32_t               fault_at;
	enum backend_fault     fault;
	struct backend_message seen[64];
	_Atomic unsigned int   nr;
};

static inline bool backend_read(int fd, struct backend_message *m)
{
	union {
		char           bytes[CMSG_SPACE(sizeof(m->fds))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { m->header, sizeof(m->header) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;

	memset(m, 0, sizeof(*m));
	if (recvmsg(fd, &msg, MSG_WAITALL) != (ssize_t)sizeof(m->header))
		return false;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		m->nr_fds = (unsigned int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(m->fds, CMSG_DATA(c), m->nr_fds * sizeof(int));
	}
	/* Asked for nothing, recv() would wait for something. */
	return m->header[2] <= sizeof(m->payload) && (!m->header[2] ||
	       recv(fd, m->payload, m->header[2], MSG_WAITALL) == (ssize_t)m->header[2]);
}

static inline void *backend_main(void *opaque)
{
	struct backend *b = opaque;

	while (b->nr < 64 && backend_read(b->fd, &b->seen[b->nr])) {
		const struct backend_message *m = &b->seen[b->nr];
		bool faulty = b->fault && m->header[0] == b->fault_at;
		struct { uint32_t header[3]; uint32_t value[2]; } answer = { { m->header[0], 5, 8 }, { 0 } };
		uint64_t value = 0;
		size_t len = sizeof(answer);

		b->nr++;
		if (m->header[0] == VU_GET_FEATURES)
			value = b->features;
		else if (m->header[0] == VU_GET_PROTOCOL_FEATURES)
			value = b->protocol;
		else if (m->header[0] == VU_GET_VRING_BASE)
			value = m->payload[0];
		else if (!(m->header[1] & 8))
			continue;
		if (faulty && b->fault == BACKEND_SILENT)
			continue;
		if (faulty && b->fault == BACKEND_CLOSES)
			break;
		if (faulty && b->fault == BACKEND_REFUSES)
			value = 1;
		if (faulty && b->fault == BACKEND_BABBLES)
			answer.header[0] = 99;
		if (faulty && b->fault == BACKEND_CUTS)
			len = 15;
		memcpy(answer.value, &value, sizeof(value));
		if (send(b->fd, &answer, len, MSG_NOSIGNAL) != (ssize_t)len)
			break;
	}
	shutdown(b->fd, SHUT_RDWR);
	return NULL;
}

static inline void backend_start(struct backend *b, uint64_t features)
{
	int fds[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	b->front = fds[0];
	b->fd = fds[1];
	b->features = features | VU_F_PROTOCOL_FEATURES;
	b->protocol = VU_PROTOCOL_REPLY_ACK | 1;
	b->nr = 0;
	CHECK_EQ(pthread_create(&b->thread, NULL, backend_main, b), 0);
}

/* Once the front end has closed its end, or was closed upon. */
static inline void backend_stop(struct backend *b)
{
	shutdown(b->fd, SHUT_RDWR);
	pthread_join(b->thread, NULL);
	close(b->fd);
	for (unsigned int i = 0; i < b->nr; i++)
		for (unsigned int k = 0; k < b->seen[i].nr_fds; k++)
			close(b->seen[i].fds[k]);
}

/* The @nth message of that kind that came, from 0; NULL if there was none. */
static inline const struct backend_message *backend_seen(const struct backend *b, uint32_t request,
							 unsigned int nth)
{
	for (unsigned int i = 0; i < b->nr; i++)
		if (b->seen[i].header[0] == request && !nth--)
			return &b->seen[i];
	return NULL;
}

#endif
