// SPDX-License-Identifier: GPL-2.0-only
/*
 * A block device behind virtio-mmio, driven by a hostile guest: the input is a list of register
 * accesses, and what guest memory holds. The device is served on this thread. There are two of them:
 * the other one has the legacy interface, and a guest of either byte order.
 */
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lkvm/bus.h"
#include "lkvm/byteorder.h"
#include "lkvm/disk.h"
#include "lkvm/log.h"
#include "lkvm/memory.h"
#include "virtio/blk.h"
#include "virtio/mmio.h"

#define RAM        0x10000u
#define RAM_BYTES  0x10000u
#define MMIO_BASE  0x1000000u
#define DISK_BYTES 0x10000

/* Each access is a register in 4-byte units, a width and a value. */
#define ACCESS_BYTES 6
#define MAX_ACCESSES 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct memory mem;
static struct bus bus;
static struct loop *loop;
static struct virtio_device *devs[2], *dev; /* the latter is of this input */
static gpa_t base;
static bool big_endian;

static bool guest_big_endian(void *ctx LKVM_UNUSED)
{
	return big_endian;
}

static void add_device(const struct config_disk *cfg, bool legacy)
{
	static const struct irq_line no_irq;
	const struct virtio_env env = {
		.mem = &mem, .loop = loop, .legacy = legacy, .guest_big_endian = guest_big_endian,
	};
	struct disk *disk;

	if (disk_open(&disk, cfg) || virtio_blk_create(&devs[legacy], &env, disk, "fuzz") ||
	    virtio_mmio_attach(devs[legacy], &bus, MMIO_BASE + (legacy ? VIRTIO_MMIO_BYTES : 0), &no_irq, NULL))
		__builtin_trap();
}

static void setup(void)
{
	struct config_disk cfg = { 0 };
	char path[32];
	int fd[2];

	log_set_level(LOG_ERROR);
	memory_init(&mem);
	bus_init(&bus, "mmio");
	if (loop_create(&loop) || memory_add(&mem, "ram", RAM, RAM_BYTES, false, NULL))
		__builtin_trap();
	cfg.path = path;
	for (unsigned int i = 0; i < ARRAY_SIZE(fd); i++) {
		fd[i] = memfd_create("disk", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[i]);
		if (fd[i] < 0 || ftruncate(fd[i], DISK_BYTES))
			__builtin_trap();
		add_device(&cfg, i);
	}
}

static void put(uint64_t offset, unsigned int size, uint64_t value)
{
	uint8_t bytes[8];

	put_le(bytes, size, value);
	bus_access(&bus, base + offset, bytes, size, true);
}

static void put_reg(uint64_t offset, uint32_t value)
{
	put(offset, 4, value);
}

/* What nearly every input would have to find out first: a driver that is up, with a ring of 16. */
static void bring_up(uint32_t features)
{
	put_reg(VIRTIO_MMIO_STATUS, 3);
	put_reg(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	put_reg(VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)dev->offered & features);
	if (dev->legacy) {
		put_reg(VIRTIO_MMIO_QUEUE_SEL, 0);
		put_reg(VIRTIO_MMIO_QUEUE_NUM, 16);
		put_reg(VIRTIO_MMIO_GUEST_PAGE_SIZE, 0x1000);
		put_reg(VIRTIO_MMIO_QUEUE_ALIGN, 0x100); /* so that all rings are where they are below */
		put_reg(VIRTIO_MMIO_QUEUE_PFN, RAM / 0x1000);
		return;
	}
	put_reg(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	put_reg(VIRTIO_MMIO_DRIVER_FEATURES, 1);
	put_reg(VIRTIO_MMIO_STATUS, 0xb);
	put_reg(VIRTIO_MMIO_QUEUE_SEL, 0);
	put_reg(VIRTIO_MMIO_QUEUE_NUM, 16);
	put_reg(VIRTIO_MMIO_QUEUE_DESC_LOW, RAM);
	put_reg(VIRTIO_MMIO_QUEUE_AVAIL_LOW, RAM + 0x100);
	put_reg(VIRTIO_MMIO_QUEUE_USED_LOW, RAM + 0x200);
	put_reg(VIRTIO_MMIO_QUEUE_READY, 1);
	put_reg(VIRTIO_MMIO_STATUS, 0xf);
}

static void access_register(const uint8_t *a)
{
	static const unsigned int widths[] = { 4, 1, 2, 8 };
	uint64_t offset = (uint64_t)a[0] * 4 % VIRTIO_MMIO_BYTES;
	unsigned int width = widths[a[1] & 3];
	uint8_t bytes[8];

	if (a[1] & 4)
		bus_access(&bus, base + offset, bytes, width, false);
	else
		put(offset, width, get_le32(a + 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int nr;
	size_t used;

	if (!devs[0])
		setup();
	if (size < 6)
		return 0;
	nr = data[0] % MAX_ACCESSES;
	used = MIN(6 + (size_t)nr * ACCESS_BYTES, size);
	memset(memory_ptr(&mem, RAM, RAM_BYTES), 0, RAM_BYTES);
	memcpy(memory_ptr(&mem, RAM, RAM_BYTES), data + used, MIN(size - used, (size_t)RAM_BYTES));

	dev = devs[data[1] >> 1 & 1];
	base = MMIO_BASE + (dev->legacy ? VIRTIO_MMIO_BYTES : 0);
	big_endian = data[1] & 4;
	put_reg(VIRTIO_MMIO_STATUS, 0);
	if (data[1] & 1)
		bring_up(get_le32(data + 2));
	virtio_queue_poll(dev, 0);
	for (size_t at = 6; at + ACCESS_BYTES <= used; at += ACCESS_BYTES) {
		access_register(data + at);
		virtio_queue_poll(dev, 0);
	}
	return 0;
}
