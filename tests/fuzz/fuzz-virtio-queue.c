// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring walk on a hostile ring: the input is where the rings lie, and what guest memory holds.
 * Every byte that a chain names is touched, so that a pointer beyond guest memory is found by the
 * sanitizer.
 */
#include <string.h>

#include "lkvm/byteorder.h"
#include "lkvm/log.h"
#include "lkvm/memory.h"
#include "virtio/queue.h"

#define RAM       0x10000u
#define RAM_BYTES 0x10000u
#define ROM       0x40000u
#define ROM_BYTES 0x10000u

/* Flags, log2 of the queue size with the byte order in its top bit, and three ring addresses in 16-byte units. */
#define HEADER_BYTES 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct memory mem;
static struct virtqueue_chain chain;

static void setup(void)
{
	log_set_level(LOG_ERROR);
	memory_init(&mem);
	if (memory_add(&mem, "ram", RAM, RAM_BYTES, false, NULL) ||
	    memory_add(&mem, "rom", ROM, ROM_BYTES, true, NULL))
		__builtin_trap();
}

/* Uses @chain as a device would. */
static uint32_t use_chain(uint8_t how)
{
	uint8_t buf[64], *last;
	uint32_t sum = 0;

	for (unsigned int i = 0; i < chain.readable.nr; i++) {
		const volatile uint8_t *p = chain.readable.iov[i].iov_base;

		sum += p[0] + p[chain.readable.iov[i].iov_len - 1];
	}
	if (how & 1) {
		last = virtqueue_last_byte(&chain.writable);
		if (last)
			*last = how;
	}
	while (virtqueue_read(&chain.readable, buf, how % sizeof(buf) + 1))
		sum += buf[0];
	if (how & 2)
		virtqueue_zero(&chain.writable);
	else
		sum += (uint32_t)virtqueue_write(&chain.writable, buf, sizeof(buf));
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct virtqueue_config cfg;
	struct virtqueue vq;
	uint32_t done = 0;

	if (!mem.nr_regions)
		setup();
	if (size < HEADER_BYTES)
		return 0;
	memset(memory_ptr(&mem, RAM, RAM_BYTES), 0, RAM_BYTES);
	memcpy(memory_ptr(&mem, RAM, RAM_BYTES), data + HEADER_BYTES,
	       MIN(size - HEADER_BYTES, (size_t)RAM_BYTES));
	cfg = (struct virtqueue_config){
		.event_idx = data[0] & 1,
		.indirect = data[0] & 2,
		.big_endian = data[1] & 0x80,
		.size = (uint16_t)(1u << data[1] % 12),
		.desc = RAM + (gpa_t)get_le16(data + 2) * 16,
		.avail = RAM + (gpa_t)get_le16(data + 4) * 16,
		.used = RAM + (gpa_t)get_le16(data + 6) * 16,
	};
	if (virtqueue_init(&vq, &mem, &cfg))
		return 0;
	for (unsigned int i = 0; i < 64; i++) {
		if (virtqueue_next(&vq, &chain) <= 0)
			break;
		/*
		 * Devices put what they have written; a hostile driver may have aimed that at the
		 * rings.
		 */
		done += use_chain(data[0] >> 2);
		virtqueue_put(&vq, &chain, done);
		(void)virtqueue_should_notify(&vq);
		if (i % 3 == 0)
			virtqueue_disable_kicks(&vq);
	}
	return 0;
}
