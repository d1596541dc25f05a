// SPDX-License-Identifier: GPL-2.0-only
#include "virtio/9p.h"

#include <assert.h>
#include <errno.h>
#include <linux/virtio_9p.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/byteorder.h"

/* As many buffers as Linux puts into one request (net/9p/trans_virtio.c: VIRTQUEUE_NUM). */
#define P9_QUEUE_SIZE 128
/* Requests before others (a reset) get their turn. */
#define P9_BATCH      8

#define P9_PCI_CLASS 0x018000 /* mass storage, other */

struct virtio_9p {
	struct virtio_device   dev;
	struct p9_server      *server;
	uint8_t               *request; /* P9_MAX_MESSAGE bytes each, of which only what is used gets memory */
	uint8_t               *answer;
	struct virtqueue_chain chain;   /* scratch, under the queue's lock */
};

static struct virtio_9p *to_9p(struct virtio_device *dev)
{
	return container_of(dev, struct virtio_9p, dev);
}

static bool p9_serve(struct virtio_device *dev, struct virtio_queue *queue)
{
	struct virtio_9p *p9 = to_9p(dev);
	struct virtqueue *vq = &queue->vq;
	unsigned int budget = P9_BATCH;

	if (!virtio_queue_begin(queue))
		return false;
	virtqueue_disable_kicks(vq);
	while (budget && virtqueue_next(vq, &p9->chain) > 0) {
		/* A copy: what has been checked must not change any more. */
		size_t len = virtqueue_read(&p9->chain.readable, p9->request, P9_MAX_MESSAGE);
		size_t room = MIN(p9->chain.writable.bytes, (uint64_t)P9_MAX_MESSAGE);

		budget--;
		len = p9_server_answer(p9->server, p9->request, len, p9->answer, room);
		if (!len) {
			virtqueue_fail(vq, "9P request without a header, or without room for an answer");
			break;
		}
		virtqueue_write(&p9->chain.writable, p9->answer, len);
		virtqueue_put(vq, &p9->chain, (uint32_t)len);
	}
	virtio_queue_end(queue);
	return !budget;
}

static void p9_reset(struct virtio_device *dev)
{
	p9_server_reset(to_9p(dev)->server);
}

static void p9_free(struct virtio_9p *p9)
{
	p9_server_destroy(p9->server);
	free(p9->request);
	free(p9->answer);
	free(p9);
}

static void p9_destroy(struct virtio_device *dev)
{
	p9_free(to_9p(dev));
}

/* struct virtio_9p_config: tag_len. What 9P itself says is little-endian always. */
static const uint8_t p9_config_widths[] = { 2, 0 };

static const struct virtio_ops p9_ops = {
	.serve = p9_serve,
	.reset = p9_reset,
	.destroy = p9_destroy,
};

int virtio_9p_create(struct virtio_device **dev, const struct virtio_env *env, struct p9_server *server,
		     const char *tag)
{
	size_t tag_len = strlen(tag);
	const struct virtio_device_info info = {
		.name = "virtio-9p",
		.ops = &p9_ops,
		.type = VIRTIO_ID_9P,
		.pci_class = P9_PCI_CLASS,
		.features = UINT64_C(1) << VIRTIO_9P_MOUNT_TAG,
		.config_bytes = (unsigned int)(offsetof(struct virtio_9p_config, tag) + tag_len),
		.config_widths = p9_config_widths,
		.nr_queues = 1,
		.queue_size = P9_QUEUE_SIZE,
		.own_thread = true,
	};
	struct virtio_9p *p9 = calloc(1, sizeof(*p9));
	int ret = -ENOMEM;

	assert(tag_len && tag_len <= VIRTIO_9P_TAG_BYTES);
	if (!p9) {
		p9_server_destroy(server);
		log_error("%s: out of memory", info.name);
		return ret;
	}
	p9->server = server;
	p9->request = malloc(P9_MAX_MESSAGE);
	p9->answer = malloc(P9_MAX_MESSAGE);
	if (p9->request && p9->answer)
		ret = virtio_device_init(&p9->dev, env, &info);
	else
		log_error("%s: out of memory", info.name);
	if (ret) {
		p9_free(p9);
		return ret;
	}
	put_le16(p9->dev.config + offsetof(struct virtio_9p_config, tag_len), (uint16_t)tag_len);
	memcpy(p9->dev.config + offsetof(struct virtio_9p_config, tag), tag, tag_len);
	*dev = &p9->dev;
	return 0;
}
