// SPDX-License-Identifier: GPL-2.0-only
#include "virtio/fs.h"

#include <assert.h>
#include <errno.h>
#include <linux/virtio_fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lkvm/byteorder.h"

/* One for what must not wait (FUSE_FORGET, FUSE_INTERRUPT), and one for requests: virtiofsd has no more. */
#define FS_QUEUES         2
#define FS_REQUEST_QUEUES 1
/* Linux makes no request longer than the queue: this has room for the longest that FUSE knows. */
#define FS_QUEUE_SIZE     1024

#define FS_PCI_CLASS 0x018000 /* mass storage, other */

struct virtio_fs {
	struct virtio_device dev;
	struct vhost_user    vu;               /* under dev.lock */
	int                  call[FS_QUEUES];  /* eventfds: the back end wants an interrupt */
	bool                 runs[FS_QUEUES];  /* the back end has the queue; under dev.lock */
	bool                 is_lost;          /* loop thread */
	void               (*lost)(void *opaque, const char *why);
	void                *opaque;
};

static struct virtio_fs *to_fs(struct virtio_device *dev)
{
	return container_of(dev, struct virtio_fs, dev);
}

/* ---- what the driver does (vCPU threads, dev.lock held) ----------------------------------------- */

/* The loop notices, and says it. */
static void give_up(struct virtio_fs *fs)
{
	shutdown(fs->vu.fd, SHUT_RDWR);
}

/* The back end has no other memory, and would take a ring that is elsewhere for our mistake. */
static bool is_shared(const struct memory *mem, gpa_t gpa)
{
	const struct memory_region *r = memory_find(mem, gpa);

	return r && r->fd >= 0;
}

static int start_queue(struct virtio_fs *fs, struct virtio_queue *q)
{
	const struct memory *mem = fs->dev.mem;
	int ret;

	if (!is_shared(mem, q->desc) || !is_shared(mem, q->avail) || !is_shared(mem, q->used)) {
		log_guest(&fs->dev.guest_errors, "%s: queue %u: a ring is not in RAM; the device stops until the "
			  "guest resets it", fs->dev.name, q->index);
		atomic_fetch_or(&fs->dev.status, VIRTIO_CONFIG_S_NEEDS_RESET);
		return 0;
	}
	ret = vhost_user_start_queue(&fs->vu, q->index, &q->vq, q->eventfd, fs->call[q->index]);
	fs->runs[q->index] = !ret;
	return ret;
}

static void fs_activate(struct virtio_device *dev)
{
	struct virtio_fs *fs = to_fs(dev);
	int ret;

	ret = vhost_user_set_features(&fs->vu, dev->features);
	if (!ret)
		ret = vhost_user_set_memory(&fs->vu, dev->mem);
	for (unsigned int i = 0; i < FS_QUEUES && !ret; i++)
		if (dev->queues[i].ready)
			ret = start_queue(fs, &dev->queues[i]);
	if (ret)
		give_up(fs);
}

static void fs_queue_stop(struct virtio_device *dev, struct virtio_queue *q)
{
	struct virtio_fs *fs = to_fs(dev);

	if (fs->runs[q->index] && vhost_user_stop_queue(&fs->vu, q->index))
		give_up(fs);
	fs->runs[q->index] = false;
}

/* ---- what the back end does (loop) -------------------------------------------------------------- */

static void on_call(void *opaque, uint32_t events LKVM_UNUSED)
{
	struct virtio_queue *q = opaque;
	struct virtio_device *dev = q->dev;
	uint64_t count;

	if (read(to_fs(dev)->call[q->index], &count, sizeof(count)) == sizeof(count) && dev->transport_ops)
		dev->transport_ops->queue_irq(dev->transport, q->index);
}

static void on_hangup(void *opaque, uint32_t events LKVM_UNUSED)
{
	struct virtio_fs *fs = opaque;
	char why[sizeof(fs->vu.why)];
	bool closed;

	loop_del(fs->dev.loop, fs->vu.fd);
	fs->is_lost = true;
	pthread_mutex_lock(&fs->dev.lock);
	closed = !fs->vu.err || fs->vu.err == -ECONNRESET;
	memcpy(why, fs->vu.why, sizeof(why));
	pthread_mutex_unlock(&fs->dev.lock);
	fs->lost(fs->opaque, closed ? NULL : why);
}

static int fs_start(struct virtio_device *dev)
{
	struct virtio_fs *fs = to_fs(dev);
	unsigned int i;
	/* Only its end: what it sends are answers, for others to read. */
	int ret = loop_add(dev->loop, fs->vu.fd, EPOLLRDHUP, on_hangup, fs);

	if (ret)
		return ret;
	for (i = 0; i < FS_QUEUES; i++) {
		ret = loop_add(dev->loop, fs->call[i], EPOLLIN, on_call, &dev->queues[i]);
		if (ret)
			goto err;
	}
	return 0;
err:
	while (i--)
		loop_del(dev->loop, fs->call[i]);
	loop_del(dev->loop, fs->vu.fd);
	return ret;
}

static void fs_stop(struct virtio_device *dev)
{
	struct virtio_fs *fs = to_fs(dev);

	for (unsigned int i = FS_QUEUES; i--;)
		loop_del(dev->loop, fs->call[i]);
	if (!fs->is_lost)
		loop_del(dev->loop, fs->vu.fd);
}

/* ---- life --------------------------------------------------------------------------------------- */

static void fs_free(struct virtio_fs *fs)
{
	for (unsigned int i = 0; i < FS_QUEUES; i++)
		if (fs->call[i] >= 0)
			close(fs->call[i]);
	close(fs->vu.fd);
	free(fs);
}

static void fs_destroy(struct virtio_device *dev)
{
	fs_free(to_fs(dev));
}

static const struct virtio_ops fs_ops = {
	.activate = fs_activate,
	.queue_stop = fs_queue_stop,
	.start = fs_start,
	.stop = fs_stop,
	.destroy = fs_destroy,
};

int virtio_fs_create(struct virtio_device **dev, const struct virtio_env *env, const struct vhost_user *vu,
		     const char *tag, void (*lost)(void *opaque, const char *why), void *opaque)
{
	const struct virtio_device_info info = {
		.name = "virtio-fs",
		.ops = &fs_ops,
		.type = VIRTIO_ID_FS,
		.pci_class = FS_PCI_CLASS,
		.config_bytes = sizeof(struct virtio_fs_config),
		.nr_queues = FS_QUEUES,
		.queue_size = FS_QUEUE_SIZE,
	};
	struct virtio_fs *fs = calloc(1, sizeof(*fs));
	size_t tag_len = strlen(tag);
	int ret = 0;

	assert(tag_len && tag_len <= VIRTIO_FS_TAG_BYTES);
	if (!fs) {
		log_error("%s: out of memory", info.name);
		close(vu->fd);
		return -ENOMEM;
	}
	fs->vu = *vu;
	fs->lost = lost;
	fs->opaque = opaque;
	for (unsigned int i = 0; i < FS_QUEUES; i++) {
		fs->call[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (fs->call[i] < 0 && !ret)
			ret = -errno;
	}
	if (ret)
		log_error("%s: cannot create the device: %s", info.name, strerror(-ret));
	else
		ret = virtio_device_init(&fs->dev, env, &info);
	if (ret) {
		fs_free(fs);
		return ret;
	}
	/* The queues are the back end's: what it cannot do, the device cannot. */
	fs->dev.offered &= vu->features;
	memcpy(fs->dev.config + offsetof(struct virtio_fs_config, tag), tag, tag_len);
	put_le32(fs->dev.config + offsetof(struct virtio_fs_config, num_request_queues), FS_REQUEST_QUEUES);
	*dev = &fs->dev;
	return 0;
}
