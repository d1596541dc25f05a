// SPDX-License-Identifier: GPL-2.0-only
#include "virtio/pci.h"

#include <assert.h>
#include <errno.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pci.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/byteorder.h"

/* virtio 1.3 §4.1.2, non-transitional devices. */
#define PCI_VENDOR_VIRTIO    0x1af4
#define PCI_DEVICE_MODERN    0x1040 /* + device type */
#define PCI_SUBSYSTEM_MODERN 0x0040
#define PCI_REVISION_MODERN  1
#define PCI_CAP_VENDOR       0x09
/* Legacy devices: their subsystem is the device type (§4.1.2.3). */
#define PCI_REVISION_LEGACY  0

/* BAR 0 holds the four structures, or the registers of a legacy device; BAR 1 the MSI-X table. */
#define BAR_REGISTERS 0
#define BAR_MSIX      1

#define COMMON_OFFSET 0x0000
#define COMMON_BYTES  sizeof(struct virtio_pci_common_cfg)
#define ISR_OFFSET    0x1000
#define ISR_BYTES     1
#define DEVICE_OFFSET 0x2000
#define NOTIFY_OFFSET 0x3000
#define NOTIFY_STEP   4 /* one address per queue, so that a doorbell need not look at the value */
#define BAR_BYTES     0x4000

/* §4.1.4.10; what follows is for the device's configuration. */
#define LEGACY_BAR_BYTES  256
#define LEGACY_PAGE_SHIFT 12
#define LEGACY_ALIGN      4096

/* Where a doorbell is bound. */
#define UNBOUND (-1)

struct virtio_pci {
	struct virtio_device    *dev;
	struct pci_device       *pci;
	struct virtio_irq_status irq; /* the ISR status and the INTx pin */

	/*
	 * Registers of the transport. The driver serialises its accesses; atomic in case it does
	 * not.
	 */
	_Atomic uint32_t         device_feature_select;
	_Atomic uint32_t         driver_feature_select;
	_Atomic uint16_t         queue_select;
	_Atomic uint16_t         config_vector;
	_Atomic uint16_t         queue_vectors[VIRTIO_MAX_QUEUES];

	/* The capability through which BARs are reached by configuration accesses (§4.1.4.9). */
	unsigned int             cfg_cap;

	struct ioevent_binder    ioevent;
	/* A leaf, taken also under the PCI device's own lock. Guards the rest. */
	pthread_mutex_t          bind_lock;
	gpa_t                    base;      /* of BAR 0; 0: not decoded */
	bool                     wanted[VIRTIO_MAX_QUEUES];
	int                      bound_len[VIRTIO_MAX_QUEUES]; /* as given to bind(), or UNBOUND */
};

/* ---- interrupts (virtio 1.3 §4.1.5.1.3, §4.1.5.3) -------------------------------------------- */

static void set_level(void *ctx, bool level)
{
	struct virtio_pci *t = ctx;

	pci_intx_set(t->pci, level);
}

/* A vector that the driver did not assign is beyond the table, and pci_msix_raise() ignores it. */
static void raise_vector(struct virtio_pci *t, uint16_t vector)
{
	if (virtio_is_live(t->dev))
		pci_msix_raise(t->pci, vector);
}

static void queue_irq(void *opaque, unsigned int queue)
{
	struct virtio_pci *t = opaque;

	if (pci_msix_enabled(t->pci))
		raise_vector(t, atomic_load(&t->queue_vectors[queue]));
	else
		virtio_irq_raise(&t->irq, t->dev, VIRTIO_IRQ_QUEUE);
}

static void config_irq(void *opaque)
{
	struct virtio_pci *t = opaque;

	/* The ISR bit is for both (§4.1.4.5.1); the pin is silent while MSI-X is on. */
	virtio_irq_raise(&t->irq, t->dev, VIRTIO_IRQ_CONFIG);
	if (pci_msix_enabled(t->pci))
		raise_vector(t, atomic_load(&t->config_vector));
}

static void reset(void *opaque)
{
	struct virtio_pci *t = opaque;

	atomic_store(&t->config_vector, VIRTIO_MSI_NO_VECTOR);
	for (unsigned int i = 0; i < t->dev->nr_queues; i++)
		atomic_store(&t->queue_vectors[i], VIRTIO_MSI_NO_VECTOR);
	virtio_irq_clear(&t->irq, UINT32_MAX);
}

/* ---- doorbells ------------------------------------------------------------------------------- */

static void bind_queue(struct virtio_pci *t, unsigned int i)
{
	gpa_t addr = t->base + NOTIFY_OFFSET + i * NOTIFY_STEP;
	int fd = t->dev->queues[i].eventfd;

	/* Any length first: on x86 it spares KVM the decoding of the instruction. */
	if (!t->ioevent.bind(t->ioevent.ctx, addr, 0, false, 0, fd))
		t->bound_len[i] = 0;
	else if (!t->ioevent.bind(t->ioevent.ctx, addr, 2, false, 0, fd))
		t->bound_len[i] = 2;
}

static void unbind_queue(struct virtio_pci *t, unsigned int i)
{
	t->ioevent.unbind(t->ioevent.ctx, t->base + NOTIFY_OFFSET + i * NOTIFY_STEP,
			  (unsigned int)t->bound_len[i], false, 0, t->dev->queues[i].eventfd);
	t->bound_len[i] = UNBOUND;
}

/* Makes the doorbells be where the BAR is, for queues that were ever in use. bind_lock is held. */
static void update_doorbells(struct virtio_pci *t)
{
	for (unsigned int i = 0; t->ioevent.bind && t->base && i < t->dev->nr_queues; i++)
		if (t->wanted[i] && t->bound_len[i] == UNBOUND)
			bind_queue(t, i);
}

static void remove_doorbells(struct virtio_pci *t)
{
	for (unsigned int i = 0; i < t->dev->nr_queues; i++)
		if (t->bound_len[i] != UNBOUND)
			unbind_queue(t, i);
}

static void want_doorbell(struct virtio_pci *t, unsigned int queue)
{
	pthread_mutex_lock(&t->bind_lock);
	t->wanted[queue] = true;
	update_doorbells(t);
	pthread_mutex_unlock(&t->bind_lock);
}

static void bar_moved(void *opaque, unsigned int bar, gpa_t base)
{
	struct virtio_pci *t = opaque;

	if (bar != BAR_REGISTERS)
		return;
	pthread_mutex_lock(&t->bind_lock);
	remove_doorbells(t);
	t->base = base;
	update_doorbells(t);
	pthread_mutex_unlock(&t->bind_lock);
}

/* ---- common configuration (virtio 1.3 §4.1.4.3) ---------------------------------------------- */

/* First byte and size of the field that holds byte @offset. */
static void common_field(uint64_t offset, unsigned int *start, unsigned int *size)
{
	if (offset < VIRTIO_PCI_COMMON_MSIX || offset >= VIRTIO_PCI_COMMON_Q_DESCLO)
		*size = 4;
	else if (offset == VIRTIO_PCI_COMMON_STATUS || offset == VIRTIO_PCI_COMMON_CFGGENERATION)
		*size = 1;
	else
		*size = 2;
	*start = (unsigned int)offset & ~(*size - 1);
}

static uint32_t ring_half(struct virtio_pci *t, enum virtio_ring ring, bool high)
{
	return (uint32_t)(virtio_queue_ring(t->dev, t->queue_select, ring) >> (high ? 32 : 0));
}

static uint32_t read_common_field(struct virtio_pci *t, unsigned int field)
{
	struct virtio_device *dev = t->dev;
	uint16_t queue = t->queue_select;

	switch (field) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		return t->device_feature_select;
	case VIRTIO_PCI_COMMON_DF:
		return virtio_offered_features(dev, t->device_feature_select);
	case VIRTIO_PCI_COMMON_GFSELECT:
		return t->driver_feature_select;
	case VIRTIO_PCI_COMMON_GF:
		return virtio_driver_features(dev, t->driver_feature_select);
	case VIRTIO_PCI_COMMON_MSIX:
		return t->config_vector;
	case VIRTIO_PCI_COMMON_NUMQ:
		return dev->nr_queues;
	case VIRTIO_PCI_COMMON_STATUS:
		return virtio_status(dev);
	case VIRTIO_PCI_COMMON_CFGGENERATION:
		return (uint8_t)virtio_config_generation(dev);
	case VIRTIO_PCI_COMMON_Q_SELECT:
		return queue;
	case VIRTIO_PCI_COMMON_Q_SIZE:
		return virtio_queue_size(dev, queue);
	case VIRTIO_PCI_COMMON_Q_MSIX:
		return queue < dev->nr_queues ? t->queue_vectors[queue] : VIRTIO_MSI_NO_VECTOR;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		return virtio_queue_ready(dev, queue);
	case VIRTIO_PCI_COMMON_Q_NOFF:
		return queue < dev->nr_queues ? queue : 0;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		return ring_half(t, VIRTIO_RING_DESC, field & 4);
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		return ring_half(t, VIRTIO_RING_AVAIL, field & 4);
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		return ring_half(t, VIRTIO_RING_USED, field & 4);
	default:
		return 0;
	}
}

/* A vector that can't be had reads back as none (§4.1.5.1.2.1). */
static uint16_t usable_vector(const struct virtio_pci *t, uint32_t vector)
{
	return vector <= t->dev->nr_queues ? (uint16_t)vector : VIRTIO_MSI_NO_VECTOR;
}

static void write_common_field(struct virtio_pci *t, unsigned int field, uint32_t value)
{
	struct virtio_device *dev = t->dev;
	uint16_t queue = t->queue_select;

	switch (field) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		t->device_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		t->driver_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		virtio_set_driver_features(dev, t->driver_feature_select, value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		t->config_vector = usable_vector(t, value);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		virtio_set_status(dev, (uint8_t)value);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		t->queue_select = (uint16_t)value;
		break;
	case VIRTIO_PCI_COMMON_Q_SIZE:
		virtio_queue_set_size(dev, queue, (uint16_t)value);
		break;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		if (queue < dev->nr_queues)
			t->queue_vectors[queue] = usable_vector(t, value);
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		/* 0 is no way to stop a queue here (§4.1.4.3.2). */
		if (value == 1 && virtio_queue_set_ready(dev, queue, true))
			want_doorbell(t, queue);
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		virtio_queue_set_ring(dev, queue, VIRTIO_RING_DESC, field & 4, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		virtio_queue_set_ring(dev, queue, VIRTIO_RING_AVAIL, field & 4, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		virtio_queue_set_ring(dev, queue, VIRTIO_RING_USED, field & 4, value);
		break;
	default: /* read-only */
		break;
	}
}

/* Reads of any width: a part of a field or several. */
static uint64_t read_common(struct virtio_pci *t, uint64_t offset, unsigned int size)
{
	uint8_t bytes[8] = { 0 };
	uint8_t value[4];

	for (unsigned int i = 0; i < size;) {
		unsigned int start, field_size, skip, n;

		common_field(offset + i, &start, &field_size);
		skip = (unsigned int)(offset + i) - start;
		n = MIN(field_size - skip, size - i);
		put_le32(value, read_common_field(t, start));
		memcpy(bytes + i, value + skip, n);
		i += n;
	}
	return get_le(bytes, 8);
}

/* Writes take effect for the fields that they cover whole; drivers write no others (§4.1.3.1). */
static void write_common(struct virtio_pci *t, uint64_t offset, unsigned int size, uint64_t value)
{
	for (unsigned int i = 0; i < size;) {
		unsigned int start, field_size;
		uint64_t mask;

		common_field(offset + i, &start, &field_size);
		mask = UINT64_MAX >> (64 - 8 * field_size);
		if (start == offset + i && field_size <= size - i)
			write_common_field(t, start, (uint32_t)(value >> 8 * i & mask));
		i = (unsigned int)(start + field_size - offset);
	}
}

/* ---- BAR 0 ----------------------------------------------------------------------------------- */

static uint64_t bar_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct virtio_pci *t = opaque;

	if (range_within(offset, size, COMMON_OFFSET, COMMON_BYTES))
		return read_common(t, offset - COMMON_OFFSET, size);
	if (offset == ISR_OFFSET) /* reading acknowledges (§4.1.4.5.1) */
		return virtio_irq_clear(&t->irq, UINT32_MAX);
	if (range_within(offset, size, DEVICE_OFFSET, VIRTIO_MAX_CONFIG_BYTES))
		return virtio_config_read(t->dev, offset - DEVICE_OFFSET, size);
	return 0;
}

static void bar_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct virtio_pci *t = opaque;

	if (range_within(offset, size, COMMON_OFFSET, COMMON_BYTES))
		write_common(t, offset - COMMON_OFFSET, size, value);
	else if (range_within(offset, size, DEVICE_OFFSET, VIRTIO_MAX_CONFIG_BYTES))
		virtio_config_write(t->dev, offset - DEVICE_OFFSET, size, value);
	else if (offset >= NOTIFY_OFFSET && offset % NOTIFY_STEP == 0)
		virtio_queue_notify(t->dev, (uint32_t)(offset - NOTIFY_OFFSET) / NOTIFY_STEP);
}

static const struct bus_ops bar_ops = {
	.read = bar_read,
	.write = bar_write,
};

/* ---- the legacy interface (virtio 1.3 §4.1.4.10) --------------------------------------------- */

/* Two more registers are there while MSI-X is enabled. */
static unsigned int legacy_config_offset(const struct virtio_pci *t)
{
	return VIRTIO_PCI_CONFIG_OFF(pci_msix_enabled(t->pci));
}

static uint32_t legacy_queue_pfn(struct virtio_pci *t)
{
	if (!virtio_queue_ready(t->dev, t->queue_select))
		return 0;
	return (uint32_t)(virtio_queue_ring(t->dev, t->queue_select, VIRTIO_RING_DESC) >> LEGACY_PAGE_SHIFT);
}

static void legacy_set_queue_pfn(struct virtio_pci *t, uint32_t pfn)
{
	uint16_t queue = t->queue_select;

	virtio_queue_set_legacy_rings(t->dev, queue, (gpa_t)pfn << LEGACY_PAGE_SHIFT, LEGACY_ALIGN);
	(void)virtio_queue_set_ready(t->dev, queue, pfn);
}

/* Registers are little-endian, as all of PCI; the device's configuration is bytes here. */
static uint64_t legacy_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct virtio_pci *t = opaque;
	struct virtio_device *dev = t->dev;
	unsigned int config = legacy_config_offset(t);
	uint16_t queue = t->queue_select;

	if (offset >= config)
		return virtio_config_read(dev, offset - config, size);
	switch (offset) {
	case VIRTIO_PCI_HOST_FEATURES:
		return virtio_offered_features(dev, 0);
	case VIRTIO_PCI_GUEST_FEATURES:
		return virtio_driver_features(dev, 0);
	case VIRTIO_PCI_QUEUE_PFN:
		return legacy_queue_pfn(t);
	case VIRTIO_PCI_QUEUE_NUM:
		return virtio_queue_max_size(dev, queue);
	case VIRTIO_PCI_QUEUE_SEL:
		return queue;
	case VIRTIO_PCI_STATUS:
		return virtio_status(dev);
	case VIRTIO_PCI_ISR: /* reading acknowledges */
		return virtio_irq_clear(&t->irq, UINT32_MAX);
	case VIRTIO_MSI_CONFIG_VECTOR:
		return t->config_vector;
	case VIRTIO_MSI_QUEUE_VECTOR:
		return queue < dev->nr_queues ? t->queue_vectors[queue] : VIRTIO_MSI_NO_VECTOR;
	default:
		return 0;
	}
}

static void legacy_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct virtio_pci *t = opaque;
	struct virtio_device *dev = t->dev;
	unsigned int config = legacy_config_offset(t);
	uint16_t queue = t->queue_select;

	if (offset >= config) {
		virtio_config_write(dev, offset - config, size, value);
		return;
	}
	switch (offset) {
	case VIRTIO_PCI_GUEST_FEATURES:
		virtio_set_driver_features(dev, 0, (uint32_t)value);
		break;
	case VIRTIO_PCI_QUEUE_PFN:
		legacy_set_queue_pfn(t, (uint32_t)value);
		break;
	case VIRTIO_PCI_QUEUE_SEL:
		t->queue_select = (uint16_t)value;
		break;
	case VIRTIO_PCI_QUEUE_NOTIFY:
		virtio_queue_notify(dev, (uint16_t)value);
		break;
	case VIRTIO_PCI_STATUS:
		virtio_set_status(dev, (uint8_t)value);
		break;
	case VIRTIO_MSI_CONFIG_VECTOR:
		t->config_vector = usable_vector(t, (uint16_t)value);
		break;
	case VIRTIO_MSI_QUEUE_VECTOR:
		if (queue < dev->nr_queues)
			t->queue_vectors[queue] = usable_vector(t, (uint16_t)value);
		break;
	default: /* read-only */
		break;
	}
}

static const struct bus_ops legacy_ops = {
	.read = legacy_read,
	.write = legacy_write,
};

/* Those types that drivers before virtio 1.0 know have numbers of their own (§4.1.2). 0: none. */
static uint16_t legacy_device_id(uint32_t type)
{
	switch (type) {
	case VIRTIO_ID_BLOCK:
		return 0x1001;
	case VIRTIO_ID_BALLOON:
		return 0x1002;
	case VIRTIO_ID_CONSOLE:
		return 0x1003;
	case VIRTIO_ID_RNG:
		return 0x1005;
	case VIRTIO_ID_9P:
		return 0x1009;
	default:
		return 0;
	}
}

/* ---- access by configuration space (virtio 1.3 §4.1.4.9) ------------------------------------- */

/* True if the capability's fields ask for an access that is legal; then it is described. */
static bool cfg_target(struct virtio_pci *t, uint64_t *offset, unsigned int *size)
{
	const uint8_t *cap = pci_config(t->pci) + t->cfg_cap;

	*offset = get_le32(cap + VIRTIO_PCI_CAP_OFFSET);
	*size = get_le32(cap + VIRTIO_PCI_CAP_LENGTH);
	return cap[VIRTIO_PCI_CAP_BAR] == BAR_REGISTERS &&
		(*size == 1 || *size == 2 || *size == 4) && *offset % *size == 0 &&
		range_within(*offset, *size, 0, BAR_BYTES);
}

static bool hits_cfg_data(const struct virtio_pci *t, unsigned int offset, unsigned int size)
{
	return range_overlaps(offset, size,
			      t->cfg_cap + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data), 4);
}

static uint8_t *cfg_data(struct virtio_pci *t)
{
	return pci_config(t->pci) + t->cfg_cap + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data);
}

static void config_written(void *opaque, unsigned int offset, unsigned int size)
{
	struct virtio_pci *t = opaque;
	uint64_t bar_offset;
	unsigned int len;

	if (hits_cfg_data(t, offset, size) && cfg_target(t, &bar_offset, &len))
		bar_write(t, bar_offset, len, get_le(cfg_data(t), len));
}

static void config_read(void *opaque, unsigned int offset, unsigned int size)
{
	struct virtio_pci *t = opaque;
	uint64_t bar_offset;
	unsigned int len;

	if (hits_cfg_data(t, offset, size) && cfg_target(t, &bar_offset, &len))
		put_le(cfg_data(t), len, bar_read(t, bar_offset, len));
}

static const struct pci_device_ops pci_ops = {
	.bar_moved = bar_moved,
	.config_written = config_written,
	.config_read = config_read,
};

/* ---- life ------------------------------------------------------------------------------------ */

static void destroy(void *opaque)
{
	struct virtio_pci *t = opaque;

	remove_doorbells(t);
	pthread_mutex_destroy(&t->bind_lock);
	free(t);
}

static const struct virtio_transport_ops transport_ops = {
	.queue_irq = queue_irq,
	.config_irq = config_irq,
	.reset = reset,
	.destroy = destroy,
};

/* Adds one of the structures of §4.1.4, @len bytes of capability. Returns its offset. */
static unsigned int add_capability(struct virtio_pci *t, uint8_t type, unsigned int len,
				   uint32_t offset, uint32_t length)
{
	uint8_t cap[sizeof(struct virtio_pci_cfg_cap)] = {
		[VIRTIO_PCI_CAP_VNDR] = PCI_CAP_VENDOR,
		[VIRTIO_PCI_CAP_LEN] = (uint8_t)len,
		[VIRTIO_PCI_CAP_CFG_TYPE] = type,
		[VIRTIO_PCI_CAP_BAR] = BAR_REGISTERS,
	};
	int at;

	put_le32(cap + VIRTIO_PCI_CAP_OFFSET, offset);
	put_le32(cap + VIRTIO_PCI_CAP_LENGTH, length);
	if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
		put_le32(cap + VIRTIO_PCI_NOTIFY_CAP_MULT, NOTIFY_STEP);
	at = pci_add_capability(t->pci, cap, len);
	assert(at > 0); /* 12 + 88 bytes of the 192 that there are */
	return (unsigned int)at;
}

static void add_capabilities(struct virtio_pci *t)
{
	const unsigned int plain = sizeof(struct virtio_pci_cap);

	add_capability(t, VIRTIO_PCI_CAP_COMMON_CFG, plain, COMMON_OFFSET, COMMON_BYTES);
	add_capability(t, VIRTIO_PCI_CAP_NOTIFY_CFG, sizeof(struct virtio_pci_notify_cap),
		       NOTIFY_OFFSET, t->dev->nr_queues * NOTIFY_STEP);
	add_capability(t, VIRTIO_PCI_CAP_ISR_CFG, plain, ISR_OFFSET, ISR_BYTES);
	if (t->dev->config_bytes)
		add_capability(t, VIRTIO_PCI_CAP_DEVICE_CFG, plain, DEVICE_OFFSET,
			       t->dev->config_bytes);
	t->cfg_cap = add_capability(t, VIRTIO_PCI_CAP_PCI_CFG, sizeof(struct virtio_pci_cfg_cap),
				    0, 0);
	pci_config_allow_write(t->pci, t->cfg_cap + VIRTIO_PCI_CAP_BAR, 1);
	pci_config_allow_write(t->pci, t->cfg_cap + VIRTIO_PCI_CAP_OFFSET, 8);
	pci_config_allow_write(t->pci,
			       t->cfg_cap + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data), 4);
}

static void make_legacy(struct pci_device_info *info, const struct virtio_device *dev)
{
	info->device = legacy_device_id(dev->type);
	info->subsystem = (uint16_t)dev->type;
	info->revision = PCI_REVISION_LEGACY;
	info->bars[BAR_REGISTERS].size_bytes = LEGACY_BAR_BYTES;
	info->bars[BAR_REGISTERS].is_io = true;
	info->bars[BAR_REGISTERS].ops = &legacy_ops;
	info->ops = NULL; /* its doorbells are exits, wherever the BAR is */
}

int virtio_pci_attach(struct virtio_device *dev, struct pci_host *host,
		      const struct ioevent_binder *ioevent)
{
	struct virtio_pci *t = calloc(1, sizeof(*t));
	struct pci_device_info info = {
		.vendor = PCI_VENDOR_VIRTIO,
		.device = (uint16_t)(PCI_DEVICE_MODERN + dev->type),
		.subsystem_vendor = PCI_VENDOR_VIRTIO,
		.subsystem = PCI_SUBSYSTEM_MODERN,
		.class_code = dev->pci_class,
		.revision = PCI_REVISION_MODERN,
		.bars[BAR_REGISTERS] = {
			.size_bytes = BAR_BYTES,
			.ops = &bar_ops,
			.dev = t,
		},
		.msix_vectors = dev->nr_queues + 1,
		.msix_bar = BAR_MSIX,
		.ops = &pci_ops,
		.dev = t,
		.name = dev->name,
	};
	int ret;

	if (!t) {
		log_error("%s: out of memory", dev->name);
		return -ENOMEM;
	}
	if (dev->legacy) {
		assert(legacy_device_id(dev->type));
		assert(VIRTIO_PCI_CONFIG_OFF(1) + dev->config_bytes <= LEGACY_BAR_BYTES);
		make_legacy(&info, dev);
	}
	t->dev = dev;
	t->irq.set_level = set_level;
	t->irq.ctx = t;
	atomic_init(&t->config_vector, VIRTIO_MSI_NO_VECTOR);
	for (unsigned int i = 0; i < dev->nr_queues; i++) {
		atomic_init(&t->queue_vectors[i], VIRTIO_MSI_NO_VECTOR);
		t->bound_len[i] = UNBOUND;
	}
	if (ioevent)
		t->ioevent = *ioevent;
	pthread_mutex_init(&t->bind_lock, NULL);
	ret = pci_device_add(host, &info, &t->pci);
	if (ret) {
		pthread_mutex_destroy(&t->bind_lock);
		free(t);
		return ret;
	}
	virtio_attach(dev, &transport_ops, t);
	if (!dev->legacy)
		add_capabilities(t);
	return 0;
}
