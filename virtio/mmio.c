// SPDX-License-Identifier: GPL-2.0-only
#include "virtio/mmio.h"

#include <errno.h>
#include <linux/virtio_mmio.h>
#include <stdlib.h>
#include <string.h>

#define MMIO_MAGIC   0x74726976 /* "virt", virtio 1.3 §4.2.2 */
#define MMIO_VERSION 2
#define MMIO_LEGACY  1          /* §4.2.4 */
#define MMIO_VENDOR  0x4d564b4c /* "LKVM" */

struct virtio_mmio {
	struct virtio_device    *dev;
	gpa_t                    base;
	struct irq_line          line;
	struct virtio_irq_status irq;

	/* Selectors. The driver serialises its accesses; atomic in case it does not. */
	_Atomic uint32_t         device_features_sel;
	_Atomic uint32_t         driver_features_sel;
	_Atomic uint32_t         queue_sel;

	/* Legacy. Linux sets the page size once, before it resets the device: that changes neither. */
	_Atomic uint32_t         page_bytes;
	_Atomic uint32_t         queue_align[VIRTIO_MAX_QUEUES];

	struct ioevent_binder    ioevent;
	pthread_mutex_t          bind_lock; /* a leaf: bound[] */
	bool                     bound[VIRTIO_MAX_QUEUES];
};

/* ---- interrupts ------------------------------------------------------------------------------ */

static void set_level(void *ctx, bool level)
{
	struct virtio_mmio *t = ctx;

	irq_line_set(&t->line, level);
}

static void queue_irq(void *opaque, unsigned int queue LKVM_UNUSED)
{
	struct virtio_mmio *t = opaque;

	virtio_irq_raise(&t->irq, t->dev, VIRTIO_IRQ_QUEUE);
}

static void config_irq(void *opaque)
{
	struct virtio_mmio *t = opaque;

	virtio_irq_raise(&t->irq, t->dev, VIRTIO_IRQ_CONFIG);
}

static void reset(void *opaque)
{
	struct virtio_mmio *t = opaque;

	virtio_irq_clear(&t->irq, UINT32_MAX);
}

/* ---- doorbells ------------------------------------------------------------------------------- */

/*
 * Lets KVM ring @index's doorbell. Only once the driver sets the queue up, for each costs KVM a
 * grace period that guests without this driver need not wait for. It stays for the life of the
 * device: the eventfd does, and a doorbell of a dead queue does nothing.
 */
static void bind_doorbell(struct virtio_mmio *t, uint32_t index)
{
	if (!t->ioevent.bind || index >= t->dev->nr_queues)
		return;
	pthread_mutex_lock(&t->bind_lock);
	if (!t->bound[index])
		t->bound[index] =
			!t->ioevent.bind(t->ioevent.ctx, t->base + VIRTIO_MMIO_QUEUE_NOTIFY, 4,
					 true, index, t->dev->queues[index].eventfd);
	pthread_mutex_unlock(&t->bind_lock);
}

static void destroy(void *opaque)
{
	struct virtio_mmio *t = opaque;

	for (unsigned int i = 0; i < t->dev->nr_queues; i++)
		if (t->bound[i])
			t->ioevent.unbind(t->ioevent.ctx, t->base + VIRTIO_MMIO_QUEUE_NOTIFY, 4,
					  true, i, t->dev->queues[i].eventfd);
	pthread_mutex_destroy(&t->bind_lock);
	free(t);
}

static const struct virtio_transport_ops transport_ops = {
	.queue_irq = queue_irq,
	.config_irq = config_irq,
	.reset = reset,
	.destroy = destroy,
};

/* ---- registers (virtio 1.3 §4.2.2, legacy ones §4.2.4) ---------------------------------------- */

/* The page number by which the driver knows the queue. */
static uint32_t queue_pfn(struct virtio_mmio *t)
{
	struct virtio_device *dev = t->dev;
	uint32_t page = t->page_bytes;

	if (!page || !virtio_queue_ready(dev, t->queue_sel))
		return 0;
	return (uint32_t)(virtio_queue_ring(dev, t->queue_sel, VIRTIO_RING_DESC) / page);
}

static void set_queue_pfn(struct virtio_mmio *t, uint32_t queue, uint32_t pfn)
{
	if (queue >= t->dev->nr_queues)
		return;
	/* A product of 32-bit numbers: nothing that follows in the layout wraps, either. */
	virtio_queue_set_legacy_rings(t->dev, queue, (gpa_t)pfn * t->page_bytes, t->queue_align[queue]);
	if (virtio_queue_set_ready(t->dev, queue, pfn))
		bind_doorbell(t, queue);
}

static uint32_t read_version_register(struct virtio_mmio *t, uint64_t offset)
{
	struct virtio_device *dev = t->dev;

	if (dev->legacy)
		return offset == VIRTIO_MMIO_QUEUE_PFN ? queue_pfn(t) : 0;
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_READY:
		return virtio_queue_ready(dev, t->queue_sel);
	case VIRTIO_MMIO_SHM_LEN_LOW:
	case VIRTIO_MMIO_SHM_LEN_HIGH:
	case VIRTIO_MMIO_SHM_BASE_LOW:
	case VIRTIO_MMIO_SHM_BASE_HIGH:
		return UINT32_MAX; /* no such region, §4.2.2.1 */
	case VIRTIO_MMIO_CONFIG_GENERATION:
		return virtio_config_generation(dev);
	default: /* write-only and reserved */
		return 0;
	}
}

static uint32_t read_register(struct virtio_mmio *t, uint64_t offset)
{
	struct virtio_device *dev = t->dev;

	switch (offset) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return MMIO_MAGIC;
	case VIRTIO_MMIO_VERSION:
		return dev->legacy ? MMIO_LEGACY : MMIO_VERSION;
	case VIRTIO_MMIO_DEVICE_ID:
		return dev->type;
	case VIRTIO_MMIO_VENDOR_ID:
		return MMIO_VENDOR;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return virtio_offered_features(dev, t->device_features_sel);
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return virtio_queue_max_size(dev, t->queue_sel);
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		return atomic_load(&t->irq.bits);
	case VIRTIO_MMIO_STATUS:
		return virtio_status(dev);
	default:
		return read_version_register(t, offset);
	}
}

static void write_legacy_register(struct virtio_mmio *t, uint64_t offset, uint32_t queue, uint32_t value)
{
	switch (offset) {
	case VIRTIO_MMIO_GUEST_PAGE_SIZE:
		t->page_bytes = value;
		break;
	case VIRTIO_MMIO_QUEUE_ALIGN:
		if (queue < t->dev->nr_queues)
			t->queue_align[queue] = value;
		break;
	case VIRTIO_MMIO_QUEUE_PFN:
		set_queue_pfn(t, queue, value);
		break;
	default: /* read-only and reserved */
		break;
	}
}

static void write_modern_register(struct virtio_mmio *t, uint64_t offset, uint32_t queue, uint32_t value)
{
	struct virtio_device *dev = t->dev;

	switch (offset) {
	case VIRTIO_MMIO_QUEUE_READY:
		if (virtio_queue_set_ready(dev, queue, value & 1))
			bind_doorbell(t, queue);
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
		virtio_queue_set_ring(dev, queue, VIRTIO_RING_DESC, offset & 4, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
		virtio_queue_set_ring(dev, queue, VIRTIO_RING_AVAIL, offset & 4, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_LOW:
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		virtio_queue_set_ring(dev, queue, VIRTIO_RING_USED, offset & 4, value);
		break;
	default: /* read-only, reserved, and SHMSel: no region can be selected anyway */
		break;
	}
}

static void write_register(struct virtio_mmio *t, uint64_t offset, uint32_t value)
{
	struct virtio_device *dev = t->dev;
	uint32_t queue = t->queue_sel;

	switch (offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		t->device_features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		virtio_set_driver_features(dev, t->driver_features_sel, value);
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		t->driver_features_sel = value;
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		t->queue_sel = value;
		break;
	case VIRTIO_MMIO_QUEUE_NUM:
		/* A size that does not fit 16 bits is as wrong as 0, which queue set-up refuses. */
		virtio_queue_set_size(dev, queue, value <= UINT16_MAX ? (uint16_t)value : 0);
		break;
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		virtio_queue_notify(dev, value);
		break;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		virtio_irq_clear(&t->irq, value);
		break;
	case VIRTIO_MMIO_STATUS:
		virtio_set_status(dev, (uint8_t)value);
		break;
	default:
		if (dev->legacy)
			write_legacy_register(t, offset, queue, value);
		else
			write_modern_register(t, offset, queue, value);
		break;
	}
}

static uint64_t mmio_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct virtio_mmio *t = opaque;

	if (offset >= VIRTIO_MMIO_CONFIG)
		return virtio_config_read(t->dev, offset - VIRTIO_MMIO_CONFIG, size);
	/* Control registers take aligned 32-bit accesses only (§4.2.2.2). */
	return size == 4 && offset % 4 == 0 ? read_register(t, offset) : 0;
}

static void mmio_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct virtio_mmio *t = opaque;

	if (offset >= VIRTIO_MMIO_CONFIG)
		virtio_config_write(t->dev, offset - VIRTIO_MMIO_CONFIG, size, value);
	else if (size == 4 && offset % 4 == 0)
		write_register(t, offset, (uint32_t)value);
}

static const struct bus_ops mmio_ops = {
	.read = mmio_read,
	.write = mmio_write,
};

int virtio_mmio_attach(struct virtio_device *dev, struct bus *bus, gpa_t base,
		       const struct irq_line *irq, const struct ioevent_binder *ioevent)
{
	struct virtio_mmio *t = calloc(1, sizeof(*t));
	const struct bus_window window = {
		.name = dev->name,
		.base = base,
		.size_bytes = VIRTIO_MMIO_BYTES,
		.ops = &mmio_ops,
		.dev = t,
	};
	int ret;

	if (!t) {
		log_error("%s: out of memory", dev->name);
		return -ENOMEM;
	}
	t->dev = dev;
	t->base = base;
	t->line = *irq;
	t->irq.set_level = set_level;
	t->irq.ctx = t;
	if (ioevent)
		t->ioevent = *ioevent;
	pthread_mutex_init(&t->bind_lock, NULL);
	ret = bus_add(bus, &window);
	if (ret) {
		pthread_mutex_destroy(&t->bind_lock);
		free(t);
		return ret;
	}
	virtio_attach(dev, &transport_ops, t);
	return 0;
}
