// SPDX-License-Identifier: GPL-2.0-only
#include "virtio/core.h"

#include <assert.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lkvm/byteorder.h"

/*
 * Offered by every device. Not ACCESS_PLATFORM: addresses are guest-physical. Not
 * NOTIFICATION_DATA, RING_PACKED, IN_ORDER, RING_RESET: nothing here needs them.
 */
#define COMMON_FEATURES (UINT64_C(1) << VIRTIO_F_VERSION_1 | \
			 UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX | \
			 UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC)
/* No model here looks at how a request is cut into buffers. */
#define LEGACY_FEATURES (UINT64_C(1) << VIRTIO_F_ANY_LAYOUT)
#define LEGACY_MASK     UINT64_C(0xffffffff)

const char *virtio_name(const struct virtio_device *dev)
{
	return dev->name;
}

static void queues_free(struct virtio_device *dev, unsigned int nr)
{
	while (nr--) {
		close(dev->queues[nr].eventfd);
		pthread_mutex_destroy(&dev->queues[nr].lock);
	}
	free(dev->queues);
	dev->queues = NULL;
}

int virtio_device_init(struct virtio_device *dev, const struct virtio_env *env,
		       const struct virtio_device_info *info)
{
	unsigned int i;
	int ret;

	assert(info->nr_queues && info->nr_queues <= VIRTIO_MAX_QUEUES);
	assert(is_power_of_two(info->queue_size) && info->queue_size <= VIRTQUEUE_MAX_SIZE);
	assert(info->config_bytes <= VIRTIO_MAX_CONFIG_BYTES);

	memset(dev, 0, sizeof(*dev));
	dev->name = info->name;
	dev->ops = info->ops;
	dev->type = info->type;
	dev->pci_class = info->pci_class;
	dev->mem = env->mem;
	dev->offered = COMMON_FEATURES | info->features;
	if (env->legacy)
		dev->offered = (dev->offered & LEGACY_MASK) | LEGACY_FEATURES;
	dev->legacy = env->legacy;
	dev->guest_big_endian = env->guest_big_endian;
	dev->ctx = env->ctx;
	dev->config_widths = info->config_widths;
	dev->config_bytes = info->config_bytes;
	dev->nr_queues = info->nr_queues;
	dev->guest_errors.burst = 5;

	dev->queues = calloc(info->nr_queues, sizeof(*dev->queues));
	if (!dev->queues) {
		ret = -ENOMEM;
		goto err_report;
	}
	for (i = 0; i < info->nr_queues; i++) {
		struct virtio_queue *q = &dev->queues[i];

		q->dev = dev;
		q->index = i;
		q->max_size = info->queue_size;
		q->size = info->queue_size;
		q->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (q->eventfd < 0) {
			ret = -errno;
			goto err_queues;
		}
		pthread_mutex_init(&q->lock, NULL);
	}
	dev->loop = env->loop;
	if (info->own_thread) {
		ret = loop_create(&dev->loop);
		if (ret)
			goto err_queues;
		dev->own_loop = true;
	}
	pthread_mutex_init(&dev->lock, NULL);
	pthread_mutex_init(&dev->config_lock, NULL);
	return 0;

err_queues:
	queues_free(dev, i);
err_report:
	log_error("%s: cannot create the device: %s", info->name, strerror(-ret));
	return ret;
}

void virtio_device_exit(struct virtio_device *dev)
{
	/* The transport first: it holds doorbells in KVM that name our eventfds. */
	if (dev->transport_ops)
		dev->transport_ops->destroy(dev->transport);
	dev->transport_ops = NULL;
	if (dev->own_loop)
		loop_destroy(dev->loop);
	queues_free(dev, dev->nr_queues);
	pthread_mutex_destroy(&dev->config_lock);
	pthread_mutex_destroy(&dev->lock);
}

void virtio_attach(struct virtio_device *dev, const struct virtio_transport_ops *ops,
		   void *transport)
{
	assert(!dev->transport_ops);
	dev->transport_ops = ops;
	dev->transport = transport;
}

/* ---- serving queues -------------------------------------------------------------------------- */

bool virtio_is_live(const struct virtio_device *dev)
{
	return atomic_load(&dev->status) & VIRTIO_STATUS_LIVE;
}

/* With queue->lock held, which is dropped on false. */
static bool queue_is_live(struct virtio_queue *queue)
{
	const uint16_t mask = VIRTIO_STATUS_LIVE | VIRTIO_CONFIG_S_NEEDS_RESET;

	if (queue->ready && (atomic_load(&queue->dev->status) & mask) == VIRTIO_STATUS_LIVE)
		return true;
	pthread_mutex_unlock(&queue->lock);
	return false;
}

bool virtio_queue_begin(struct virtio_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	return queue_is_live(queue);
}

bool virtio_queue_trybegin(struct virtio_queue *queue)
{
	return pthread_mutex_trylock(&queue->lock) == 0 && queue_is_live(queue);
}

static void report_needs_reset(struct virtio_device *dev, unsigned int queue, const char *why)
{
	log_guest(&dev->guest_errors,
		  "%s: queue %u: %s; the device stops until the guest resets it",
		  dev->name, queue, why);
}

void virtio_queue_end(struct virtio_queue *queue)
{
	struct virtio_device *dev = queue->dev;
	const char *why = queue->vq.why;
	bool notify;

	notify = virtqueue_should_notify(&queue->vq);
	/*
	 * Under the lock, so that a reset that follows clears it and none that preceded is undone.
	 */
	if (why)
		atomic_fetch_or(&dev->status, VIRTIO_CONFIG_S_NEEDS_RESET);
	pthread_mutex_unlock(&queue->lock);

	if (why)
		report_needs_reset(dev, queue->index, why);
	if (!dev->transport_ops)
		return;
	if (notify)
		dev->transport_ops->queue_irq(dev->transport, queue->index);
	if (why) /* virtio 1.3 §2.1.2: a driver that runs is told */
		dev->transport_ops->config_irq(dev->transport);
}

void virtio_queue_kick(struct virtio_queue *queue)
{
	const uint64_t one = 1;
	ssize_t n;

	/* Fails only when the counter is full: then it has been rung. */
	n = write(queue->eventfd, &one, sizeof(one));
	(void)n;
}

static void serve(void *opaque, uint32_t events LKVM_UNUSED)
{
	struct virtio_queue *queue = opaque;
	uint64_t count;

	if (read(queue->eventfd, &count, sizeof(count)) != sizeof(count))
		return;
	if (queue->dev->ops->serve(queue->dev, queue))
		virtio_queue_kick(queue);
}

void virtio_queue_poll(struct virtio_device *dev, unsigned int index)
{
	assert(index < dev->nr_queues);
	serve(&dev->queues[index], EPOLLIN);
}

/* How many of the queues are served here. */
static unsigned int nr_served(const struct virtio_device *dev)
{
	return dev->ops->serve ? dev->nr_queues : 0;
}

static int device_start(void *opaque)
{
	struct virtio_device *dev = opaque;
	unsigned int i;
	int ret;

	for (i = 0; i < nr_served(dev); i++) {
		ret = loop_add(dev->loop, dev->queues[i].eventfd, EPOLLIN, serve, &dev->queues[i]);
		if (ret)
			goto err;
	}
	if (dev->ops->start) {
		ret = dev->ops->start(dev);
		if (ret)
			goto err;
	}
	if (dev->own_loop) {
		ret = loop_start(dev->loop, dev->name);
		if (ret)
			goto err_stop;
	}
	return 0;

err_stop:
	if (dev->ops->stop)
		dev->ops->stop(dev);
err:
	while (i--)
		loop_del(dev->loop, dev->queues[i].eventfd);
	log_error("%s: cannot start the device: %s", dev->name, strerror(-ret));
	return ret;
}

static void device_stop(void *opaque)
{
	struct virtio_device *dev = opaque;

	if (dev->own_loop)
		loop_stop(dev->loop);
	if (dev->ops->stop)
		dev->ops->stop(dev);
	for (unsigned int i = nr_served(dev); i--;)
		loop_del(dev->loop, dev->queues[i].eventfd);
}

/* Models touch guest memory between virtio_queue_begin() and virtio_queue_end() only. */
static bool device_freeze(void *opaque)
{
	struct virtio_device *dev = opaque;
	unsigned int i;

	for (i = 0; i < dev->nr_queues && !pthread_mutex_trylock(&dev->queues[i].lock); i++)
		;
	if (i == dev->nr_queues)
		return true;
	while (i--)
		pthread_mutex_unlock(&dev->queues[i].lock);
	return false;
}

static void device_thaw(void *opaque)
{
	struct virtio_device *dev = opaque;

	for (unsigned int i = dev->nr_queues; i--;)
		pthread_mutex_unlock(&dev->queues[i].lock);
}

static void device_destroy(void *opaque)
{
	struct virtio_device *dev = opaque;

	if (!dev)
		return;
	virtio_device_exit(dev);
	dev->ops->destroy(dev);
}

const struct device_ops virtio_device_ops = {
	.start = device_start,
	.stop = device_stop,
	.freeze = device_freeze,
	.thaw = device_thaw,
	.destroy = device_destroy,
};

/* ---- features and status --------------------------------------------------------------------- */

uint32_t virtio_offered_features(const struct virtio_device *dev, uint32_t select)
{
	return select < 2 ? (uint32_t)(dev->offered >> 32 * select) : 0;
}

uint32_t virtio_driver_features(struct virtio_device *dev, uint32_t select)
{
	uint64_t features;

	pthread_mutex_lock(&dev->lock);
	features = dev->features;
	pthread_mutex_unlock(&dev->lock);
	return select < 2 ? (uint32_t)(features >> 32 * select) : 0;
}

/* There is no way to refuse features on the legacy interface, nor to say that they are final. dev->lock is held. */
static void set_legacy_features(struct virtio_device *dev, uint32_t bits)
{
	if (bits & ~dev->offered)
		log_guest(&dev->guest_errors, "%s: the guest's driver accepted features %#x, some of which were not offered",
			  dev->name, bits);
	if (virtio_is_live(dev))
		log_guest(&dev->guest_errors, "%s: the guest's driver set features when it had a queue already: they are "
			  "ignored", dev->name);
	else
		dev->features = bits & dev->offered;
}

void virtio_set_driver_features(struct virtio_device *dev, uint32_t select, uint32_t bits)
{
	unsigned int shift = 32 * select;

	if (select >= 2 || (dev->legacy && select))
		return;
	pthread_mutex_lock(&dev->lock);
	if (dev->legacy) {
		set_legacy_features(dev, bits);
		pthread_mutex_unlock(&dev->lock);
		return;
	}
	/*
	 * Once accepted they are settled (virtio 1.3 §2.2.1, §3.1.1): queues are laid out by them.
	 */
	if (!(atomic_load(&dev->status) & VIRTIO_CONFIG_S_FEATURES_OK)) {
		dev->features &= ~((uint64_t)UINT32_MAX << shift);
		dev->features |= (uint64_t)bits << shift;
	}
	pthread_mutex_unlock(&dev->lock);
}

uint8_t virtio_status(const struct virtio_device *dev)
{
	return (uint8_t)atomic_load(&dev->status);
}

/* Stops @q. Under its lock and the device's. */
static void queue_stop(struct virtio_queue *q)
{
	if (!q->ready)
		return;
	if (q->dev->ops->queue_stop)
		q->dev->ops->queue_stop(q->dev, q);
	q->ready = false;
	memset(&q->vq, 0, sizeof(q->vq));
}

/* dev->lock is held. */
static void reset(struct virtio_device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->nr_queues; i++)
		pthread_mutex_lock(&dev->queues[i].lock);
	atomic_store(&dev->status, 0);
	for (i = 0; i < dev->nr_queues; i++) {
		struct virtio_queue *q = &dev->queues[i];

		queue_stop(q);
		q->size = q->max_size;
		q->desc = 0;
		q->avail = 0;
		q->used = 0;
	}
	dev->features = 0;
	if (dev->ops->reset)
		dev->ops->reset(dev);
	while (i--)
		pthread_mutex_unlock(&dev->queues[i].lock);
}

/*
 * The bits that the driver's write of @value adds to status @old (virtio 1.3 §2.1): FEATURES_OK
 * only for features that we can live with, DRIVER_OK only after that, NEEDS_RESET never. None is
 * ever taken away.
 */
static uint8_t added_status(struct virtio_device *dev, uint8_t old, uint8_t value)
{
	uint8_t added = value & ~old & ~VIRTIO_CONFIG_S_NEEDS_RESET;
	uint64_t wrong = dev->features & ~dev->offered;

	if (dev->legacy)
		added &= ~VIRTIO_CONFIG_S_FEATURES_OK; /* which does not exist there */
	if (added & VIRTIO_CONFIG_S_FEATURES_OK &&
	    (wrong || !virtio_has_feature(dev, VIRTIO_F_VERSION_1))) {
		log_guest(&dev->guest_errors, "%s: the guest's driver asked for features %#llx, %s",
			  dev->name, (unsigned long long)dev->features,
			  wrong ? "some of which were not offered" :
			  "not VIRTIO_F_VERSION_1: legacy drivers are not supported");
		added &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	}
	if (added & VIRTIO_CONFIG_S_DRIVER_OK && !dev->legacy &&
	    !((old | added) & VIRTIO_CONFIG_S_FEATURES_OK)) {
		log_guest(&dev->guest_errors,
			  "%s: the guest's driver wants to run without FEATURES_OK", dev->name);
		added &= ~VIRTIO_CONFIG_S_DRIVER_OK;
	}
	if (added & VIRTIO_CONFIG_S_FAILED)
		log_guest(&dev->guest_errors, "%s: the guest's driver gave the device up",
			  dev->name);
	return added;
}

/* Nobody serves the device now: what it says from here on is in this order. dev->lock is held. */
static void set_byte_order(struct virtio_device *dev, bool big_endian)
{
	uint8_t *field = dev->config;

	if (dev->big_endian == big_endian)
		return;
	dev->big_endian = big_endian;
	pthread_mutex_lock(&dev->config_lock);
	for (const uint8_t *width = dev->config_widths; width && *width; field += *width++)
		put_be(field, *width, get_le(field, *width));
	pthread_mutex_unlock(&dev->config_lock);
}

/* dev->lock is held. */
static void go_live(struct virtio_device *dev)
{
	if (virtio_is_live(dev))
		return;
	if (dev->ops->activate)
		dev->ops->activate(dev);
	atomic_fetch_or(&dev->status, VIRTIO_STATUS_LIVE);
}

void virtio_set_status(struct virtio_device *dev, uint8_t value)
{
	/* Without locks: it is a question to KVM. */
	bool big_endian = dev->legacy && dev->guest_big_endian(dev->ctx);
	bool needs_reset = false;
	uint8_t added;

	pthread_mutex_lock(&dev->lock);
	if (!value)
		reset(dev);
	if (!virtio_is_live(dev))
		set_byte_order(dev, big_endian);
	if (!value) {
		pthread_mutex_unlock(&dev->lock);
		if (dev->transport_ops)
			dev->transport_ops->reset(dev->transport);
		return;
	}
	added = added_status(dev, virtio_status(dev), value);
	if (added & VIRTIO_CONFIG_S_DRIVER_OK)
		go_live(dev);
	/* Added, not stored: a queue may set NEEDS_RESET at this moment. */
	atomic_fetch_or(&dev->status, added);
	if (added & VIRTIO_CONFIG_S_DRIVER_OK) {
		needs_reset = atomic_load(&dev->status) & VIRTIO_CONFIG_S_NEEDS_RESET;
		/* Buffers may be there already, and devices may wait to speak first. */
		for (unsigned int i = 0; i < dev->nr_queues; i++)
			if (dev->queues[i].ready)
				virtio_queue_kick(&dev->queues[i]);
	}
	pthread_mutex_unlock(&dev->lock);
	/* The mistake was made during set-up, when the driver did not listen yet. */
	if (needs_reset && dev->transport_ops)
		dev->transport_ops->config_irq(dev->transport);
}

/* ---- queue registers ------------------------------------------------------------------------- */

static struct virtio_queue *queue_at(const struct virtio_device *dev, uint32_t index)
{
	return index < dev->nr_queues ? &dev->queues[index] : NULL;
}

uint16_t virtio_queue_max_size(const struct virtio_device *dev, uint32_t index)
{
	const struct virtio_queue *q = queue_at(dev, index);

	return q ? q->max_size : 0;
}

uint16_t virtio_queue_size(struct virtio_device *dev, uint32_t index)
{
	struct virtio_queue *q = queue_at(dev, index);
	uint16_t size;

	if (!q)
		return 0;
	pthread_mutex_lock(&dev->lock);
	size = q->size;
	pthread_mutex_unlock(&dev->lock);
	return size;
}

bool virtio_queue_ready(struct virtio_device *dev, uint32_t index)
{
	struct virtio_queue *q = queue_at(dev, index);
	bool ready;

	if (!q)
		return false;
	pthread_mutex_lock(&dev->lock);
	ready = q->ready;
	pthread_mutex_unlock(&dev->lock);
	return ready;
}

static gpa_t *ring_register(struct virtio_queue *q, enum virtio_ring ring)
{
	switch (ring) {
	case VIRTIO_RING_DESC:
		return &q->desc;
	case VIRTIO_RING_AVAIL:
		return &q->avail;
	case VIRTIO_RING_USED:
		break;
	}
	return &q->used;
}

uint64_t virtio_queue_ring(struct virtio_device *dev, uint32_t index, enum virtio_ring ring)
{
	struct virtio_queue *q = queue_at(dev, index);
	uint64_t addr;

	if (!q)
		return 0;
	pthread_mutex_lock(&dev->lock);
	addr = *ring_register(q, ring);
	pthread_mutex_unlock(&dev->lock);
	return addr;
}

void virtio_queue_set_size(struct virtio_device *dev, uint32_t index, uint16_t size)
{
	struct virtio_queue *q = queue_at(dev, index);

	if (!q)
		return;
	pthread_mutex_lock(&dev->lock);
	if (!q->ready)
		q->size = size;
	pthread_mutex_unlock(&dev->lock);
}

void virtio_queue_set_ring(struct virtio_device *dev, uint32_t index, enum virtio_ring ring,
			   bool high, uint32_t half)
{
	struct virtio_queue *q = queue_at(dev, index);
	unsigned int shift = high ? 32 : 0;
	gpa_t *addr;

	if (!q)
		return;
	pthread_mutex_lock(&dev->lock);
	if (!q->ready) {
		addr = ring_register(q, ring);
		*addr &= ~((uint64_t)UINT32_MAX << shift);
		*addr |= (uint64_t)half << shift;
	}
	pthread_mutex_unlock(&dev->lock);
}

void virtio_queue_set_legacy_rings(struct virtio_device *dev, uint32_t index, gpa_t base, uint32_t align)
{
	struct virtio_queue *q = queue_at(dev, index);
	uint64_t step = MAX(align, 1u);

	if (!q)
		return;
	pthread_mutex_lock(&dev->lock);
	if (!q->ready) {
		q->desc = base;
		q->avail = q->desc + VIRTQUEUE_DESC_BYTES(q->size);
		/* Drivers are to ask for a power of two; what they do ask for is what they use. */
		q->used = (q->avail + VIRTQUEUE_AVAIL_BYTES(q->size) + step - 1) / step * step;
	}
	pthread_mutex_unlock(&dev->lock);
}

/* dev->lock and the queue's are held. Returns the mistake, or NULL. */
static const char *queue_start(struct virtio_queue *q)
{
	struct virtio_device *dev = q->dev;
	const struct virtqueue_config cfg = {
		.size = q->size,
		.desc = q->desc,
		.avail = q->avail,
		.used = q->used,
		.event_idx = virtio_has_feature(dev, VIRTIO_RING_F_EVENT_IDX),
		.indirect = virtio_has_feature(dev, VIRTIO_RING_F_INDIRECT_DESC),
		.big_endian = dev->big_endian,
	};

	/* The layout depends on the features. */
	if (!dev->legacy && !(atomic_load(&dev->status) & VIRTIO_CONFIG_S_FEATURES_OK))
		return "queue was set up before FEATURES_OK";
	if (q->size > q->max_size)
		return "queue is larger than offered";
	if (virtqueue_init(&q->vq, dev->mem, &cfg))
		return q->vq.why;
	q->ready = true;
	return NULL;
}

bool virtio_queue_set_ready(struct virtio_device *dev, uint32_t index, bool ready)
{
	struct virtio_queue *q = queue_at(dev, index);
	const char *why = NULL;
	bool is_ready, live = false;

	if (!q)
		return false;
	pthread_mutex_lock(&dev->lock);
	pthread_mutex_lock(&q->lock);
	if (!ready)
		queue_stop(q);
	else if (!q->ready)
		why = queue_start(q);
	is_ready = q->ready;
	live = virtio_is_live(dev);
	if (why)
		atomic_fetch_or(&dev->status, VIRTIO_CONFIG_S_NEEDS_RESET);
	pthread_mutex_unlock(&q->lock);
	if (dev->legacy && is_ready) {
		go_live(dev);
		virtio_queue_kick(q);
	}
	pthread_mutex_unlock(&dev->lock);

	if (why) {
		report_needs_reset(dev, index, why);
		if (live && dev->transport_ops)
			dev->transport_ops->config_irq(dev->transport);
	}
	return is_ready;
}

void virtio_queue_notify(struct virtio_device *dev, uint32_t index)
{
	struct virtio_queue *q = queue_at(dev, index);

	if (q)
		virtio_queue_kick(q);
}

/* ---- configuration space --------------------------------------------------------------------- */

void virtio_config_set(struct virtio_device *dev, unsigned int offset, const void *buf,
		       unsigned int len, bool tell)
{
	assert(range_within(offset, len, 0, dev->config_bytes));
	pthread_mutex_lock(&dev->config_lock);
	memcpy(dev->config + offset, buf, len);
	dev->generation++;
	pthread_mutex_unlock(&dev->config_lock);
	/* A driver that has a queue may not be ready to be told of changes yet: so this waits for DRIVER_OK. */
	if (tell && dev->transport_ops && (virtio_status(dev) & VIRTIO_CONFIG_S_DRIVER_OK))
		dev->transport_ops->config_irq(dev->transport);
}

uint64_t virtio_config_read(struct virtio_device *dev, uint64_t offset, unsigned int size)
{
	uint8_t bytes[8] = { 0 };

	pthread_mutex_lock(&dev->config_lock);
	for (unsigned int i = 0; i < size && i < sizeof(bytes); i++)
		if (range_within(offset, i + 1, 0, dev->config_bytes))
			bytes[i] = dev->config[offset + i];
	pthread_mutex_unlock(&dev->config_lock);
	return get_le(bytes, 8);
}

void virtio_config_write(struct virtio_device *dev, uint64_t offset, unsigned int size,
			 uint64_t value)
{
	if (dev->ops->config_write && range_within(offset, size, 0, dev->config_bytes))
		dev->ops->config_write(dev, (unsigned int)offset, size, value);
}

uint32_t virtio_config_generation(struct virtio_device *dev)
{
	uint32_t generation;

	pthread_mutex_lock(&dev->config_lock);
	generation = dev->generation;
	pthread_mutex_unlock(&dev->config_lock);
	return generation;
}

/* ---- interrupt status ------------------------------------------------------------------------ */

/*
 * No lock is held over set_level(), for it may take one that the guest's access to the status
 * register holds already. Two threads may thus set the line in either order; but the last one to do
 * so then finds that it disagrees with the bits, and goes round again.
 */
static void update_line(struct virtio_irq_status *irq)
{
	bool level;

	do {
		level = atomic_load(&irq->bits);
		irq->set_level(irq->ctx, level);
	} while (level != (atomic_load(&irq->bits) != 0));
}

void virtio_irq_raise(struct virtio_irq_status *irq, const struct virtio_device *dev, uint32_t bits)
{
	if ((atomic_fetch_or(&irq->bits, bits) & bits) == bits)
		return; /* the driver has yet to acknowledge them: the line is high */
	/*
	 * A reset clears the status first and the bits second. If it came in between, nobody is
	 * there to acknowledge: take the bits back rather than leave the line high for ever.
	 */
	if (!virtio_is_live(dev))
		atomic_fetch_and(&irq->bits, ~bits);
	update_line(irq);
}

uint32_t virtio_irq_clear(struct virtio_irq_status *irq, uint32_t bits)
{
	uint32_t old = atomic_fetch_and(&irq->bits, ~bits);

	update_line(irq);
	return old;
}
