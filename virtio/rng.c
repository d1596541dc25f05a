// SPDX-License-Identifier: GPL-2.0-only
#include "virtio/rng.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define RNG_QUEUE_SIZE 64

/*
 * The device is served on the main loop, so neither a request nor a flood of them may keep it long.
 */
#define RNG_REQUEST_BYTES 4096
#define RNG_BATCH         16

/* getrandom(2) gives up to 256 bytes whole, without being interrupted. */
#define RNG_PIECE_BYTES 256

#define RNG_PCI_CLASS 0x00ff00

struct virtio_rng {
	struct virtio_device   dev;
	struct virtqueue_chain chain; /* scratch, under the queue's lock */
};

static uint32_t rng_fill(struct virtio_rng *rng)
{
	struct virtqueue_span *span = &rng->chain.writable;
	uint8_t piece[RNG_PIECE_BYTES];
	uint32_t done = 0;

	while (span->nr && done < RNG_REQUEST_BYTES) {
		size_t want = MIN(span->bytes, (uint64_t)sizeof(piece));
		ssize_t n = getrandom(piece, want, 0);

		if (n <= 0) {
			log_guest(&rng->dev.guest_errors, "%s: no random numbers from the host: %s",
				  rng->dev.name, strerror(errno));
			break;
		}
		done += (uint32_t)virtqueue_write(span, piece, (size_t)n);
	}
	return done;
}

static bool rng_serve(struct virtio_device *dev, struct virtio_queue *queue)
{
	struct virtio_rng *rng = container_of(dev, struct virtio_rng, dev);
	struct virtqueue *vq = &queue->vq;
	unsigned int budget = RNG_BATCH;

	if (!virtio_queue_begin(queue))
		return false;
	while (budget && virtqueue_next(vq, &rng->chain) > 0) {
		budget--;
		if (!rng->chain.writable.nr) { /* virtio 1.3 §5.4.6.1 */
			virtqueue_fail(vq, "request for entropy without a writable buffer");
			break;
		}
		virtqueue_put(vq, &rng->chain, rng_fill(rng));
	}
	virtio_queue_end(queue);
	return !budget;
}

static void rng_destroy(struct virtio_device *dev)
{
	free(container_of(dev, struct virtio_rng, dev));
}

static const struct virtio_ops rng_ops = {
	.serve = rng_serve,
	.destroy = rng_destroy,
};

int virtio_rng_create(struct virtio_device **dev, const struct virtio_env *env)
{
	const struct virtio_device_info info = {
		.name = "virtio-rng",
		.ops = &rng_ops,
		.type = VIRTIO_ID_RNG,
		.pci_class = RNG_PCI_CLASS,
		.nr_queues = 1,
		.queue_size = RNG_QUEUE_SIZE,
	};
	struct virtio_rng *rng = calloc(1, sizeof(*rng));
	int ret;

	if (!rng) {
		log_error("%s: out of memory", info.name);
		return -ENOMEM;
	}
	ret = virtio_device_init(&rng->dev, env, &info);
	if (ret) {
		free(rng);
		return ret;
	}
	*dev = &rng->dev;
	return 0;
}
