// SPDX-License-Identifier: GPL-2.0-only
#include "virtio/blk.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/byteorder.h"

#define BLK_QUEUE_SIZE 256
/* A request is a header, data and a status byte: two descriptors are not data. */
#define BLK_SEG_MAX (BLK_QUEUE_SIZE - 2)

/*
 * Requests before the driver is told and others (a reset) get their turn: few, because the
 * interrupt for the first one waits for the last.
 */
#define BLK_BATCH 8

/* The unit of all sectors of the protocol, whatever the block size (virtio 1.3 §5.2.4). */
#define SECTOR_SHIFT 9
#define SECTOR_BYTES (1u << SECTOR_SHIFT)

/*
 * struct virtio_blk_req up to the data (virtio 1.3 §5.2.6): le32 type, le32 reserved, le64 sector.
 */
#define REQ_BYTES 16
/*
 * struct virtio_blk_discard_write_zeroes: le64 sector, le32 num_sectors, le32 flags. Little-endian on the legacy
 * interface, too (Linux include/uapi/linux/virtio_blk.h).
 */
#define SEGMENT_BYTES 16

#define DISCARD_MAX_SEGMENTS 64
#define DISCARD_MAX_SECTORS  (GIB(1) >> SECTOR_SHIFT)
/* Where the file system can't help, zeroes are written: keep one request short. */
#define ZEROES_MAX_SECTORS   (MIB(32) >> SECTOR_SHIFT)

#define BLK_PCI_CLASS 0x018000 /* mass storage, other */

#define FEATURE(name)        (UINT64_C(1) << VIRTIO_BLK_F_##name)
#define CONFIG_OFFSET(field) offsetof(struct virtio_blk_config, field)

struct virtio_blk {
	struct virtio_device   dev;
	struct disk           *disk;
	uint64_t               sectors;
	uint8_t                id[VIRTIO_BLK_ID_BYTES];
	_Atomic bool           writeback; /* what the driver set in configuration space */
	struct virtqueue_chain chain;     /* scratch, under the queue's lock */
};

static struct virtio_blk *to_blk(struct virtio_device *dev)
{
	return container_of(dev, struct virtio_blk, dev);
}

/* ---- requests (virtio 1.3 §5.2.6) ------------------------------------------------------------ */

/* The status byte for what the back end said; it has reported it. */
static uint8_t blk_result(int err)
{
	if (!err)
		return VIRTIO_BLK_S_OK;
	return err == -EOPNOTSUPP ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR;
}

static bool blk_in_range(const struct virtio_blk *blk, uint64_t sector, uint64_t bytes)
{
	return bytes % SECTOR_BYTES == 0 &&
		range_within(sector, bytes >> SECTOR_SHIFT, 0, blk->sectors);
}

/*
 * True if the driver relies on us to have data on stable storage when a write is done (§5.2.6.2).
 */
static bool blk_writes_through(const struct virtio_blk *blk)
{
	if (virtio_has_feature(&blk->dev, VIRTIO_BLK_F_CONFIG_WCE))
		return !atomic_load(&blk->writeback);
	return !virtio_has_feature(&blk->dev, VIRTIO_BLK_F_FLUSH);
}

static uint8_t blk_read(struct virtio_blk *blk, uint64_t sector)
{
	struct virtqueue_span *data = &blk->chain.writable;
	int err;

	if (!blk_in_range(blk, sector, data->bytes))
		return VIRTIO_BLK_S_IOERR;
	if (data->nr) {
		err = disk_read(blk->disk, data->iov, (int)data->nr, sector << SECTOR_SHIFT);
		if (err)
			return blk_result(err);
	}
	data->nr = 0; /* all of it was written */
	return VIRTIO_BLK_S_OK;
}

static uint8_t blk_write(struct virtio_blk *blk, uint64_t sector)
{
	const struct virtqueue_span *data = &blk->chain.readable;
	int err = 0;

	if (disk_readonly(blk->disk) || !blk_in_range(blk, sector, data->bytes))
		return VIRTIO_BLK_S_IOERR;
	if (data->nr)
		err = disk_write(blk->disk, data->iov, (int)data->nr, sector << SECTOR_SHIFT);
	if (!err && blk_writes_through(blk))
		err = disk_flush(blk->disk);
	return blk_result(err);
}

/*
 * Checks a segment of a discard or write-zeroes request. Flags come first: unknown ones are
 * "unsupported" whatever else is wrong (§5.2.6.2).
 */
static uint8_t blk_check_segment(const struct virtio_blk *blk, bool zeroes, uint64_t sector,
				 uint32_t nr, uint32_t flags)
{
	uint32_t known = zeroes ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0;

	if (flags & ~known)
		return VIRTIO_BLK_S_UNSUPP;
	if (nr > (zeroes ? ZEROES_MAX_SECTORS : DISCARD_MAX_SECTORS) ||
	    !blk_in_range(blk, sector, (uint64_t)nr << SECTOR_SHIFT))
		return VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

static uint8_t blk_segments(struct virtio_blk *blk, bool zeroes)
{
	struct virtqueue_span *data = &blk->chain.readable;
	uint8_t raw[DISCARD_MAX_SEGMENTS * SEGMENT_BYTES];
	size_t len;
	uint8_t status;
	int err = 0;

	if (!virtio_has_feature(&blk->dev,
				zeroes ? VIRTIO_BLK_F_WRITE_ZEROES : VIRTIO_BLK_F_DISCARD))
		return VIRTIO_BLK_S_UNSUPP;
	if (!data->bytes || data->bytes % SEGMENT_BYTES || data->bytes > sizeof(raw))
		return VIRTIO_BLK_S_IOERR;
	len = virtqueue_read(data, raw, sizeof(raw));

	/* All are checked before the first is done. */
	for (const uint8_t *p = raw; p < raw + len; p += SEGMENT_BYTES) {
		status = blk_check_segment(blk, zeroes, get_le64(p), get_le32(p + 8),
					   get_le32(p + 12));
		if (status != VIRTIO_BLK_S_OK)
			return status;
	}
	for (const uint8_t *p = raw; p < raw + len; p += SEGMENT_BYTES) {
		uint64_t offset = get_le64(p) << SECTOR_SHIFT;
		uint64_t bytes = (uint64_t)get_le32(p + 8) << SECTOR_SHIFT;
		bool may_unmap = get_le32(p + 12) & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;

		if (!bytes)
			continue;
		if (zeroes)
			err = disk_write_zeroes(blk->disk, offset, bytes, may_unmap);
		else
			err = disk_discard(blk->disk, offset, bytes);
		if (err)
			return blk_result(err);
	}
	if (zeroes && blk_writes_through(blk))
		err = disk_flush(blk->disk);
	return blk_result(err);
}

static uint8_t blk_execute(struct virtio_blk *blk, const uint8_t *req)
{
	uint64_t sector = virtio_get64(&blk->dev, req + 8);

	switch (virtio_get32(&blk->dev, req)) {
	case VIRTIO_BLK_T_IN:
		return blk_read(blk, sector);
	case VIRTIO_BLK_T_OUT:
		return blk_write(blk, sector);
	case VIRTIO_BLK_T_FLUSH:
		return blk_result(disk_flush(blk->disk));
	case VIRTIO_BLK_T_GET_ID:
		virtqueue_write(&blk->chain.writable, blk->id, sizeof(blk->id));
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_DISCARD:
		return blk_segments(blk, false);
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return blk_segments(blk, true);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/* Serves blk->chain. */
static void blk_request(struct virtio_blk *blk, struct virtqueue *vq)
{
	uint8_t *status = virtqueue_last_byte(&blk->chain.writable);
	uint8_t req[REQ_BYTES];
	uint8_t result = VIRTIO_BLK_S_IOERR;

	if (!status) {
		virtqueue_fail(vq, "block request without a status byte");
		return;
	}
	if (virtqueue_read(&blk->chain.readable, req, sizeof(req)) == sizeof(req))
		result = blk_execute(blk, req);
	/*
	 * The status byte is the last one, so the used length has to cover all before it. What the
	 * request did not fill is zeroed: a length must not claim more than was written (§2.7.8.2).
	 */
	virtqueue_zero(&blk->chain.writable);
	*status = result;
	virtqueue_put(vq, &blk->chain, blk->chain.writable_bytes);
}

static bool blk_serve(struct virtio_device *dev, struct virtio_queue *queue)
{
	struct virtio_blk *blk = to_blk(dev);
	struct virtqueue *vq = &queue->vq;
	unsigned int budget = BLK_BATCH;

	if (!virtio_queue_begin(queue))
		return false;
	virtqueue_disable_kicks(vq);
	while (budget && virtqueue_next(vq, &blk->chain) > 0) {
		budget--;
		blk_request(blk, vq);
	}
	virtio_queue_end(queue);
	return !budget;
}

/* ---- configuration space --------------------------------------------------------------------- */

static void blk_set_writeback(struct virtio_blk *blk, bool writeback)
{
	const uint8_t byte = writeback;

	atomic_store(&blk->writeback, writeback);
	virtio_config_set(&blk->dev, CONFIG_OFFSET(wce), &byte, 1, false);
}

static void blk_activate(struct virtio_device *dev)
{
	/* §5.2.5.2: a driver that can't flush starts with writethrough. */
	if (!virtio_has_feature(dev, VIRTIO_BLK_F_FLUSH))
		blk_set_writeback(to_blk(dev), false);
}

static void blk_reset(struct virtio_device *dev)
{
	blk_set_writeback(to_blk(dev), true);
}

static void blk_config_write(struct virtio_device *dev, unsigned int offset, unsigned int size,
			     uint64_t value)
{
	if (offset == CONFIG_OFFSET(wce) && size == 1 &&
	    virtio_has_feature(dev, VIRTIO_BLK_F_CONFIG_WCE))
		blk_set_writeback(to_blk(dev), value & 1);
}

/* struct virtio_blk_config up to and with write_zeroes_may_unmap. */
static const uint8_t blk_config_widths[] = {
	8, 4, 4, 2, 1, 1, 4, 1, 1, 2, 4, 1, 1, 2, 4, 4, 4, 4, 4, 1, 0,
};

static void blk_fill_config(struct virtio_blk *blk)
{
	uint32_t block_sectors = disk_block_bytes(blk->disk) >> SECTOR_SHIFT;
	uint8_t *config = blk->dev.config;

	put_le64(config + CONFIG_OFFSET(capacity), blk->sectors);
	put_le32(config + CONFIG_OFFSET(seg_max), BLK_SEG_MAX);
	put_le32(config + CONFIG_OFFSET(blk_size), disk_block_bytes(blk->disk));
	config[CONFIG_OFFSET(wce)] = 1;
	put_le16(config + CONFIG_OFFSET(num_queues), 1);
	put_le32(config + CONFIG_OFFSET(max_discard_sectors), DISCARD_MAX_SECTORS);
	put_le32(config + CONFIG_OFFSET(max_discard_seg), DISCARD_MAX_SEGMENTS);
	put_le32(config + CONFIG_OFFSET(discard_sector_alignment), block_sectors);
	put_le32(config + CONFIG_OFFSET(max_write_zeroes_sectors), ZEROES_MAX_SECTORS);
	put_le32(config + CONFIG_OFFSET(max_write_zeroes_seg), DISCARD_MAX_SEGMENTS);
	config[CONFIG_OFFSET(write_zeroes_may_unmap)] = disk_can_discard(blk->disk);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void blk_destroy(struct virtio_device *dev)
{
	struct virtio_blk *blk = to_blk(dev);

	disk_close(blk->disk);
	free(blk);
}

static const struct virtio_ops blk_ops = {
	.serve = blk_serve,
	.activate = blk_activate,
	.reset = blk_reset,
	.config_write = blk_config_write,
	.destroy = blk_destroy,
};

static uint64_t blk_features(const struct disk *disk)
{
	uint64_t features = FEATURE(SEG_MAX) | FEATURE(BLK_SIZE) | FEATURE(FLUSH) |
		FEATURE(CONFIG_WCE);

	if (disk_readonly(disk))
		return features | FEATURE(RO);
	if (disk_can_discard(disk))
		features |= FEATURE(DISCARD);
	return features | FEATURE(WRITE_ZEROES);
}

int virtio_blk_create(struct virtio_device **dev, const struct virtio_env *env, struct disk *disk,
		      const char *id)
{
	const struct virtio_device_info info = {
		.name = "virtio-blk",
		.ops = &blk_ops,
		.type = VIRTIO_ID_BLOCK,
		.pci_class = BLK_PCI_CLASS,
		.features = blk_features(disk),
		/* Up to and with write zeroes: we have nothing of what newer headers append. */
		.config_bytes = CONFIG_OFFSET(unused1) + 3,
		.config_widths = blk_config_widths,
		.nr_queues = 1,
		.queue_size = BLK_QUEUE_SIZE,
		.own_thread = true,
	};
	uint64_t block_bytes = disk_block_bytes(disk);
	struct virtio_blk *blk = calloc(1, sizeof(*blk));
	int ret;

	if (!blk) {
		ret = -ENOMEM;
		log_error("%s: out of memory", info.name);
		goto err_close;
	}
	blk->disk = disk;
	blk->sectors = disk_size_bytes(disk) / block_bytes * block_bytes >> SECTOR_SHIFT;
	memcpy(blk->id, id, strnlen(id, sizeof(blk->id)));
	atomic_init(&blk->writeback, true);
	ret = virtio_device_init(&blk->dev, env, &info);
	if (ret)
		goto err_free;
	blk_fill_config(blk);
	*dev = &blk->dev;
	return 0;

err_free:
	free(blk);
err_close:
	disk_close(disk);
	return ret;
}
