/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all virtio devices share: feature negotiation, the status state machine, queues,
 * configuration space and interrupts (virtio 1.3 §2, §3). Three parties meet here:
 *
 *   the VM (vm.c)      creates a device, attaches it to a transport, starts, stops and destroys it;
 *   a transport        (mmio.c, pci.c) turns register accesses into the calls below;
 *   a device model     (blk.c, console.c, ...) a struct virtio_ops that works on queues.
 *
 * Order of calls, for each device:
 *   virtio_<type>_create(&dev, &env, back end ...)
 *   device_list_add(list, virtio_name(dev), &virtio_device_ops, dev)     owns it from here on
 *   virtio_mmio_attach(dev, ...) or virtio_pci_attach(dev, ...)          after the PCI host
 *   [console_set_frontend(console, virtio_console_frontend(dev))]
 *   device_list_start() ... device_list_stop() ... device_list_destroy()
 *
 * Threads. Register accesses come on any vCPU thread. A doorbell (QueueNotify) only signals the
 * queue's eventfd; the queue is served on the device's loop: its own thread if the model asks for
 * one, because it blocks, else the loop in struct virtio_env. Two locks:
 *   dev->lock    registers and life of the device: negotiation, queue set-up, reset. vCPU threads.
 *   queue->lock  the ring and what the model does with it. Held while the queue is served: a reset
 *                (dev->lock, then every queue's) waits until nobody uses guest memory any more.
 * No interrupt is raised, and no other module's lock is taken on behalf of a transport, while
 * either is held: a transport may call us with locks of its own bus held.
 *
 * The legacy interface, of drivers older than virtio 1.0, is a property of the device: registers of
 * the transport differ, there is no FEATURES_OK, only feature bits 0..31 exist, and the device runs
 * as soon as it has a queue, for many drivers use it before DRIVER_OK (§3.1.2). Rings,
 * configuration and requests are in the guest's own byte order (§2.5.3, §2.7.3), which is asked for
 * when the driver resets the device or begins to set it up.
 */
#ifndef VIRTIO_CORE_H
#define VIRTIO_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "lkvm/byteorder.h"
#include "lkvm/device.h"
#include "lkvm/log.h"
#include "lkvm/loop.h"
#include "lkvm/memory.h"
#include "lkvm/types.h"
#include "virtio/queue.h"

#define VIRTIO_MAX_QUEUES       64
#define VIRTIO_MAX_CONFIG_BYTES 256

struct virtio_device;

/* What a device gets of the VM. All of it outlives the device. */
struct virtio_env {
	const struct memory *mem;
	struct loop         *loop; /* serves devices without a thread of their own: the main loop */
	bool                 legacy; /* the legacy interface, and no other */
	/* With legacy: whether the vCPU on whose thread this is called is big-endian now. */
	bool               (*guest_big_endian)(void *ctx);
	void                *ctx;
};

struct virtio_queue {
	struct virtio_device *dev;
	unsigned int          index;
	uint16_t              max_size;
	int                   eventfd;     /* the doorbell */
	struct loop          *loop;        /* where the doorbell is watched */

	pthread_mutex_t       lock;
	struct virtqueue      vq;          /* under lock; meaningful while ready */
	bool                  ready;       /* under lock and dev->lock: either is enough to read */

	/* As the driver set them, under dev->lock. */
	uint16_t              size;
	gpa_t                 desc, avail, used;
};

/*
 * A device model. Calls of one device may come on several threads at once unless locks are named.
 */
struct virtio_ops {
	/*
	 * The driver made buffers available, or the device has just gone live. Loop thread, no lock
	 * held: the model works between virtio_queue_begin() and virtio_queue_end(). It bounds the
	 * work of one call and returns true if it left some: it is called again soon, after other
	 * events and resets had their turn. NULL: somebody else reads the queues' eventfds.
	 */
	bool (*serve)(struct virtio_device *dev, struct virtio_queue *queue);
	/*
	 * DRIVER_OK (legacy: the first queue is set up): dev->features is final. vCPU thread,
	 * dev->lock held; before any serve(). Optional.
	 */
	void (*activate)(struct virtio_device *dev);
	/*
	 * @queue is about to stop: forget chains that were taken from it. vCPU thread, queue->lock
	 * held. Optional.
	 */
	void (*queue_stop)(struct virtio_device *dev, struct virtio_queue *queue);
	/*
	 * The driver is gone: forget what it said. vCPU thread, dev->lock and all queue locks held.
	 * Optional.
	 */
	void (*reset)(struct virtio_device *dev);
	/*
	 * The driver wrote @size (1, 2, 4, 8) bytes of configuration space. vCPU thread. Optional.
	 */
	void (*config_write)(struct virtio_device *dev, unsigned int offset, unsigned int size,
			     uint64_t value);
	/* As in struct device_ops, around the start and stop of the device's thread. Optional. */
	int (*start)(struct virtio_device *dev);
	void (*stop)(struct virtio_device *dev);
	/* Frees the device model, after virtio_device_exit(). */
	void (*destroy)(struct virtio_device *dev);
};

/* Delivers interrupts. Any thread, no locks of the device held. */
struct virtio_transport_ops {
	void (*queue_irq)(void *transport, unsigned int queue);
	void (*config_irq)(void *transport);
	/* The device was reset: pending interrupts are void. */
	void (*reset)(void *transport);
	void (*destroy)(void *transport);
};

/* A bit of ours beside the driver's in struct virtio_device: see virtio_is_live(). */
#define VIRTIO_STATUS_LIVE 0x100

struct virtio_device {
	const char             *name;        /* "virtio-blk"; not owned */
	const struct virtio_ops *ops;
	uint32_t                type;        /* VIRTIO_ID_* */
	uint32_t                pci_class;   /* class << 16 | subclass << 8 | prog-if */
	const struct memory    *mem;
	struct loop            *loop;
	bool                    own_loop;
	unsigned int            nr_queues;
	struct virtio_queue    *queues;

	bool                    legacy;
	_Atomic bool            big_endian;  /* byte order; changes only while not live */
	bool                  (*guest_big_endian)(void *ctx); /* of struct virtio_env */
	void                   *ctx;
	const uint8_t          *config_widths; /* of struct virtio_device_info */

	const struct virtio_transport_ops *transport_ops; /* NULL: not attached */
	void                   *transport;

	pthread_mutex_t         lock;
	uint64_t                offered;     /* feature bits */
	uint64_t                features;    /* the driver's; final from FEATURES_OK to reset */
	/* Stored under dev->lock; NEEDS_RESET is added under a queue's. */
	_Atomic uint16_t        status;

	pthread_mutex_t         config_lock; /* a leaf: config[] and generation */
	uint8_t                 config[VIRTIO_MAX_CONFIG_BYTES]; /* as the driver reads it */
	unsigned int            config_bytes;
	uint32_t                generation;

	struct log_ratelimit    guest_errors;
};

/* What distinguishes one device from another. */
struct virtio_device_info {
	const char              *name;
	const struct virtio_ops *ops;
	uint32_t                 type;
	uint32_t                 pci_class;
	uint64_t                 features;     /* device-specific bits; the common ones are added */
	unsigned int             config_bytes;
	/*
	 * Bytes of each configuration field that is in the guest's order on the legacy interface,
	 * from offset 0 on, ended by 0. NULL: none is. Static.
	 */
	const uint8_t           *config_widths;
	unsigned int             nr_queues;
	uint16_t                 queue_size;   /* of every queue: a power of two */
	bool                     own_thread;   /* serve() blocks */
};

/* ---- for vm.c ---- */

/*
 * .dev is a struct virtio_device. destroy() also frees the transport and the back end that it owns.
 */
extern const struct device_ops virtio_device_ops;

const char *virtio_name(const struct virtio_device *dev);

/* ---- for device models ---- */

/*
 * Makes @dev, which the model has embedded. 0 or -errno (reported); then there is nothing to undo.
 */
int virtio_device_init(struct virtio_device *dev, const struct virtio_env *env,
		       const struct virtio_device_info *info) LKVM_MUST_CHECK;
/* Undoes it. Stopped devices only. Called by virtio_device_ops before ops->destroy(). */
void virtio_device_exit(struct virtio_device *dev);

/*
 * Locks @queue for work on queue->vq. False (and not locked) unless the driver runs: it has set the
 * queue up, said DRIVER_OK, and made no mistake since. Any thread.
 */
bool virtio_queue_begin(struct virtio_queue *queue) LKVM_MUST_CHECK;
/* The same, but false instead of waiting where somebody else holds the queue: for the main loop. */
bool virtio_queue_trybegin(struct virtio_queue *queue) LKVM_MUST_CHECK;
/*
 * Unlocks, then tells the driver what it is to know: used buffers, or, if the queue broke, that the
 * device needs a reset.
 */
void virtio_queue_end(struct virtio_queue *queue);

/* Makes serve() be called for @queue. Any thread, signal-safe. */
void virtio_queue_kick(struct virtio_queue *queue);

/* True if the driver accepted feature @bit. While the device is live. */
static inline bool virtio_has_feature(const struct virtio_device *dev, unsigned int bit)
{
	return dev->features >> bit & 1;
}

/* Numbers of requests, which are in the device's byte order. While the device is live. */
static inline uint16_t virtio_get16(const struct virtio_device *dev, const void *p)
{
	return dev->big_endian ? get_be16(p) : get_le16(p);
}

static inline uint32_t virtio_get32(const struct virtio_device *dev, const void *p)
{
	return dev->big_endian ? get_be32(p) : get_le32(p);
}

static inline uint64_t virtio_get64(const struct virtio_device *dev, const void *p)
{
	return dev->big_endian ? get_be64(p) : get_le64(p);
}

static inline void virtio_put16(const struct virtio_device *dev, void *p, uint16_t v)
{
	if (dev->big_endian)
		put_be16(p, v);
	else
		put_le16(p, v);
}

static inline void virtio_put32(const struct virtio_device *dev, void *p, uint32_t v)
{
	if (dev->big_endian)
		put_be32(p, v);
	else
		put_le32(p, v);
}

/* True from DRIVER_OK (legacy: or the first queue) until reset. Any thread. */
bool virtio_is_live(const struct virtio_device *dev);

/*
 * Changes configuration space, to bytes as the driver is to read them; if @tell, the driver gets a
 * configuration interrupt. Any thread; without locks of the device unless !@tell.
 */
void virtio_config_set(struct virtio_device *dev, unsigned int offset, const void *buf,
		       unsigned int len, bool tell);

/* ---- for transports, on any vCPU thread; numbers and selectors come from the guest unchecked ---- */

void virtio_attach(struct virtio_device *dev, const struct virtio_transport_ops *ops,
		   void *transport);

/* Feature words: @select 0 is bits 0..31, 1 is 32..63; others read 0 and ignore writes. */
uint32_t virtio_offered_features(const struct virtio_device *dev, uint32_t select);
uint32_t virtio_driver_features(struct virtio_device *dev, uint32_t select);
void virtio_set_driver_features(struct virtio_device *dev, uint32_t select, uint32_t bits);

uint8_t virtio_status(const struct virtio_device *dev);
/* As virtio 1.3 §2.1 says; 0 resets and returns when nothing of the device runs any more. */
void virtio_set_status(struct virtio_device *dev, uint8_t status);

/* Reads of queue registers; a queue that does not exist has 0 everywhere. */
uint16_t virtio_queue_max_size(const struct virtio_device *dev, uint32_t index);
uint16_t virtio_queue_size(struct virtio_device *dev, uint32_t index);
bool virtio_queue_ready(struct virtio_device *dev, uint32_t index);

enum virtio_ring {
	VIRTIO_RING_DESC,
	VIRTIO_RING_AVAIL,
	VIRTIO_RING_USED,
};

uint64_t virtio_queue_ring(struct virtio_device *dev, uint32_t index, enum virtio_ring ring);

/* Writes are ignored while the queue is ready. */
void virtio_queue_set_size(struct virtio_device *dev, uint32_t index, uint16_t size);
/* Sets the low or high half of a ring's address. */
void virtio_queue_set_ring(struct virtio_device *dev, uint32_t index, enum virtio_ring ring,
			   bool high, uint32_t half);
/*
 * The legacy interface has one address for all rings (virtio 1.3 §2.7.2): sets them to follow each
 * other from @base on, the used ring at a multiple of @align.
 */
void virtio_queue_set_legacy_rings(struct virtio_device *dev, uint32_t index, gpa_t base,
				   uint32_t align);
/* Checks the registers and makes the queue ready, or stops it. Returns whether it is ready now. */
bool virtio_queue_set_ready(struct virtio_device *dev, uint32_t index, bool ready);
/* The doorbell by register write. */
void virtio_queue_notify(struct virtio_device *dev, uint32_t index);

/* @size is 1, 2, 4 or 8. What lies beyond the device's configuration reads as 0. */
uint64_t virtio_config_read(struct virtio_device *dev, uint64_t offset, unsigned int size);
void virtio_config_write(struct virtio_device *dev, uint64_t offset, unsigned int size,
			 uint64_t value);
uint32_t virtio_config_generation(struct virtio_device *dev);

/*
 * The interrupt status register of both transports and the level-triggered line that follows it.
 * The bits are changed without a lock; whoever changed them then makes the line agree, and looks
 * again.
 */
struct virtio_irq_status {
	_Atomic uint32_t bits;
	void (*set_level)(void *ctx, bool level);
	void *ctx;
};

#define VIRTIO_IRQ_QUEUE  (1u << 0) /* virtio 1.3 §4.1.4.5, §4.2.2 */
#define VIRTIO_IRQ_CONFIG (1u << 1)

/* Sets @bits, unless @dev was reset meanwhile. */
void virtio_irq_raise(struct virtio_irq_status *irq, const struct virtio_device *dev,
		      uint32_t bits);
/* Clears @bits and returns what was set before. */
uint32_t virtio_irq_clear(struct virtio_irq_status *irq, uint32_t bits);

/* ---- for tests and fuzzers ---- */

/*
 * Serves queue @index if its doorbell was rung, as the loop does, on the calling thread. The device
 * is not started.
 */
void virtio_queue_poll(struct virtio_device *dev, unsigned int index);

#endif
