/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver's side of virtio, for tests: guest memory, a ring to fill, and virtio-mmio registers.
 */
#ifndef TESTS_UNIT_VIRTIO_GUEST_H
#define TESTS_UNIT_VIRTIO_GUEST_H

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "lkvm/bus.h"
#include "lkvm/byteorder.h"
#include "lkvm/irq.h"
#include "lkvm/memory.h"
#include "tests/unit/test.h"
#include "virtio/core.h"

#define GUEST_RAM       0x80000000u
#define GUEST_RAM_BYTES 0x200000u
#define GUEST_ROM       0x10000000u
#define GUEST_ROM_BYTES 0x10000u
#define GUEST_MMIO      0x0a000000u

/* Where ring number n of a test lies, and what is free for data. */
#define GUEST_RING(n)   (GUEST_RAM + 0x8000u * (n))
#define GUEST_DATA      (GUEST_RAM + 0x100000u)

#define F_NEXT     VRING_DESC_F_NEXT
#define F_WRITE    VRING_DESC_F_WRITE
#define F_INDIRECT VRING_DESC_F_INDIRECT

static inline void guest_memory_init(struct memory *mem)
{
	memory_init(mem);
	CHECK_EQ(memory_add(mem, "ram", GUEST_RAM, GUEST_RAM_BYTES, false, NULL), 0);
	CHECK_EQ(memory_add(mem, "rom", GUEST_ROM, GUEST_ROM_BYTES, true, NULL), 0);
}

struct guest_ring {
	const struct memory *mem;
	uint16_t size;
	gpa_t    desc, avail, used;
	uint16_t avail_idx;  /* what the driver has published */
	uint16_t used_seen;  /* what it has taken back */
	uint16_t next_desc;
	bool     big_endian; /* the guest's byte order, with a legacy device */
};

/* Numbers of a guest of either byte order. */
static inline void guest_put(bool big_endian, void *p, unsigned int len, uint64_t v)
{
	if (big_endian)
		put_be(p, len, v);
	else
		put_le(p, len, v);
}

static inline uint64_t guest_get(bool big_endian, const void *p, unsigned int len)
{
	return big_endian ? get_be(p, len) : get_le(p, len);
}

/* Room for 256 entries within GUEST_RING()'s step. */
static inline void ring_init(struct guest_ring *r, const struct memory *mem, gpa_t base,
			     uint16_t size)
{
	*r = (struct guest_ring){
		.mem = mem,
		.size = size,
		.desc = base,
		.avail = base + 0x4000,
		.used = base + 0x6000,
	};
	memset(memory_ptr(mem, base, 0x8000), 0, 0x8000);
}

static inline void put_guest_desc(bool big_endian, void *p, uint64_t addr, uint32_t len, uint16_t flags,
				  uint16_t next)
{
	uint8_t *d = p;

	guest_put(big_endian, d, 8, addr);
	guest_put(big_endian, d + 8, 4, len);
	guest_put(big_endian, d + 12, 2, flags);
	guest_put(big_endian, d + 14, 2, next);
}

static inline void put_desc(void *p, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	put_guest_desc(false, p, addr, len, flags, next);
}

static inline void ring_desc(struct guest_ring *r, uint16_t i, uint64_t addr, uint32_t len,
			     uint16_t flags, uint16_t next)
{
	put_guest_desc(r->big_endian, memory_ptr(r->mem, r->desc + 16u * i, 16), addr, len, flags, next);
}

static inline void ring_set_avail_idx(struct guest_ring *r, uint16_t idx)
{
	uint16_t *p = memory_ptr(r->mem, r->avail + 2, 2);

	r->avail_idx = idx;
	__atomic_store_n(p, r->big_endian ? htobe16(idx) : htole16(idx), __ATOMIC_SEQ_CST);
}

static inline void ring_offer(struct guest_ring *r, uint16_t head)
{
	guest_put(r->big_endian, memory_ptr(r->mem, r->avail + 4 + 2u * (r->avail_idx % r->size), 2), 2, head);
	ring_set_avail_idx(r, (uint16_t)(r->avail_idx + 1));
}

struct guest_buf {
	uint64_t addr;
	uint32_t len;
	bool     write;
};

/*
 * Makes a chain of @nr buffers available, from the descriptors' next free place. Returns its head.
 */
static inline uint16_t ring_add(struct guest_ring *r, const struct guest_buf *bufs, unsigned int nr)
{
	uint16_t head = r->next_desc;

	for (unsigned int i = 0; i < nr; i++) {
		uint16_t at = r->next_desc;

		r->next_desc = (uint16_t)((at + 1) % r->size);
		ring_desc(r, at, bufs[i].addr, bufs[i].len,
			  (uint16_t)((bufs[i].write ? F_WRITE : 0) | (i + 1 < nr ? F_NEXT : 0)),
			  r->next_desc);
	}
	ring_offer(r, head);
	return head;
}

static inline uint16_t ring_used_idx(const struct guest_ring *r)
{
	uint16_t idx = __atomic_load_n((uint16_t *)memory_ptr(r->mem, r->used + 2, 2), __ATOMIC_SEQ_CST);

	return r->big_endian ? be16toh(idx) : le16toh(idx);
}

/* Takes the next used element. False if there is none. */
static inline bool ring_take(struct guest_ring *r, uint32_t *id, uint32_t *len)
{
	const uint8_t *e;

	if (ring_used_idx(r) == r->used_seen)
		return false;
	e = memory_ptr(r->mem, r->used + 4 + 8u * (r->used_seen % r->size), 8);
	r->used_seen++;
	*id = (uint32_t)guest_get(r->big_endian, e, 4);
	*len = (uint32_t)guest_get(r->big_endian, e + 4, 4);
	return true;
}

/* The next used element must be there: returns its length. */
static inline uint32_t ring_must_take(struct guest_ring *r)
{
	uint32_t id, len = 0;

	CHECK(ring_take(r, &id, &len));
	return len;
}

/* The event index of either side. */
static inline void ring_set_used_event(struct guest_ring *r, uint16_t event)
{
	guest_put(r->big_endian, memory_ptr(r->mem, r->avail + 4 + 2u * r->size, 2), 2, event);
}

static inline uint16_t ring_avail_event(const struct guest_ring *r)
{
	return (uint16_t)guest_get(r->big_endian, memory_ptr(r->mem, r->used + 4 + 8u * r->size, 2), 2);
}

/* A line that remembers what it was driven to. */
struct fake_line {
	_Atomic bool         level;
	_Atomic unsigned int raised; /* edges from low to high */
};

static inline void fake_line_set(void *chip, uint32_t irq LKVM_UNUSED, bool level)
{
	struct fake_line *line = chip;

	if (!atomic_exchange(&line->level, level) && level)
		line->raised++;
}

static const struct irq_chip_ops fake_line_ops = { .set_level = fake_line_set };

static inline struct irq_line fake_irq(struct fake_line *line)
{
	return (struct irq_line){ .ops = &fake_line_ops, .chip = line };
}

/* Registers of a virtio-mmio device at GUEST_MMIO. */
static inline uint64_t mmio_get(const struct bus *bus, uint64_t offset, unsigned int size)
{
	uint8_t data[8] = { 0 };

	CHECK_EQ(bus_access(bus, GUEST_MMIO + offset, data, size, false), 0);
	return get_le(data, size);
}

static inline void mmio_put(const struct bus *bus, uint64_t offset, unsigned int size,
			    uint64_t value)
{
	uint8_t data[8];

	put_le(data, size, value);
	CHECK_EQ(bus_access(bus, GUEST_MMIO + offset, data, size, true), 0);
}

#define MMIO_R(bus, reg)      ((uint32_t)mmio_get(bus, VIRTIO_MMIO_##reg, 4))
#define MMIO_W(bus, reg, val) mmio_put(bus, VIRTIO_MMIO_##reg, 4, val)

#define ST_ACK         VIRTIO_CONFIG_S_ACKNOWLEDGE
#define ST_DRIVER      VIRTIO_CONFIG_S_DRIVER
#define ST_FEATURES_OK VIRTIO_CONFIG_S_FEATURES_OK
#define ST_DRIVER_OK   VIRTIO_CONFIG_S_DRIVER_OK
#define ST_NEEDS_RESET VIRTIO_CONFIG_S_NEEDS_RESET

#define VERSION_1 (UINT64_C(1) << VIRTIO_F_VERSION_1)

/* Reset to FEATURES_OK. */
static inline void mmio_negotiate(const struct bus *bus, uint64_t features)
{
	MMIO_W(bus, STATUS, 0);
	MMIO_W(bus, STATUS, ST_ACK | ST_DRIVER);
	for (unsigned int i = 0; i < 2; i++) {
		MMIO_W(bus, DRIVER_FEATURES_SEL, i);
		MMIO_W(bus, DRIVER_FEATURES, (uint32_t)(features >> 32 * i));
	}
	MMIO_W(bus, STATUS, ST_ACK | ST_DRIVER | ST_FEATURES_OK);
}

static inline void mmio_set_queue(const struct bus *bus, unsigned int index,
				  const struct guest_ring *r)
{
	MMIO_W(bus, QUEUE_SEL, index);
	MMIO_W(bus, QUEUE_NUM, r->size);
	MMIO_W(bus, QUEUE_DESC_LOW, (uint32_t)r->desc);
	MMIO_W(bus, QUEUE_DESC_HIGH, (uint32_t)(r->desc >> 32));
	MMIO_W(bus, QUEUE_AVAIL_LOW, (uint32_t)r->avail);
	MMIO_W(bus, QUEUE_AVAIL_HIGH, (uint32_t)(r->avail >> 32));
	MMIO_W(bus, QUEUE_USED_LOW, (uint32_t)r->used);
	MMIO_W(bus, QUEUE_USED_HIGH, (uint32_t)(r->used >> 32));
	MMIO_W(bus, QUEUE_READY, 1);
}

static inline void mmio_driver_ok(const struct bus *bus)
{
	MMIO_W(bus, STATUS, ST_ACK | ST_DRIVER | ST_FEATURES_OK | ST_DRIVER_OK);
}

#endif
