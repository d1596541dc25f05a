// SPDX-License-Identifier: GPL-2.0-only
#include "virtio/balloon.h"

#include <errno.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lkvm/byteorder.h"

enum {
	QUEUE_INFLATE,
	QUEUE_DEFLATE,
	QUEUE_STATS,
	NR_QUEUES,
};

#define BALLOON_QUEUE_SIZE 128
/*
 * Served on the main loop, so neither a request nor a flood of them may keep it long. Linux names 256
 * pages at a time.
 */
#define REQUEST_PAGES 1024
#define BALLOON_BATCH 4
#define PFN_BYTES     4
/* struct virtio_balloon_stat: le16 tag, le64 val, packed. */
#define STAT_BYTES    10
/* No driver has more; what is behind is not looked at. */
#define MAX_STATS     64

#define BALLOON_PCI_CLASS 0x00ff00

#define FEATURE(name)        (UINT64_C(1) << VIRTIO_BALLOON_F_##name)
#define CONFIG_OFFSET(field) offsetof(struct virtio_balloon_config, field)

struct virtio_balloon {
	struct virtio_device   dev;
	void                 (*on_stats)(void *opaque);
	void                  *opaque;
	uint64_t               host_page;

	/*
	 * Which pages are the host's, a bit for each BALLOON_PAGE_BYTES of a region: a page of the host goes
	 * when the guest has given all of it. Allocated with the first. Loop thread with a queue's lock, or
	 * all queues' locks.
	 */
	uint64_t              *pages[MEMORY_MAX_REGIONS];
	/* What is to go, not yet done: neighbours go together. */
	gpa_t                  run;
	uint64_t               run_bytes;
	bool                   told_failure;

	_Atomic uint32_t       actual;       /* pages, as the driver wrote it */
	_Atomic uint32_t       written;      /* that, with some of its bytes still to come */
	struct virtqueue_chain chain;        /* scratch of the loop's thread */

	/* Under the statistics queue's lock. */
	struct virtqueue_chain stats_chain;  /* the driver's buffer, if held: giving it back asks for new ones */
	bool                   stats_held;
	uint32_t               stats_valid;
	uint64_t               stats[BALLOON_STATS];
};

static struct virtio_balloon *to_balloon(struct virtio_device *dev)
{
	return container_of(dev, struct virtio_balloon, dev);
}

/* ---- pages --------------------------------------------------------------------------------------- */

/* Does what was put off. */
static void flush_run(struct virtio_balloon *b)
{
	int ret = b->run_bytes ? memory_discard(b->dev.mem, b->run, b->run_bytes) : 0;

	b->run_bytes = 0;
	if (!ret || b->told_failure)
		return;
	b->told_failure = true;
	log_warning("%s: the host does not take memory back: %s", b->dev.name, strerror(-ret));
}

static void discard(struct virtio_balloon *b, gpa_t gpa)
{
	/* Linux names neighbours downwards as often as upwards. */
	bool above = gpa == b->run + b->run_bytes, below = gpa + b->host_page == b->run;
	gpa_t start = below ? gpa : b->run;
	bool joins = b->run_bytes && (above || below) &&
		     memory_ptr(b->dev.mem, start, b->run_bytes + b->host_page);

	if (!joins) {
		flush_run(b);
		start = gpa;
	}
	b->run = start;
	b->run_bytes += b->host_page;
}

/* The bits of region @index; NULL if there are none, and unless @make. */
static uint64_t *bits_of(struct virtio_balloon *b, unsigned int index, bool make)
{
	uint64_t nr = b->dev.mem->regions[index].size_bytes / BALLOON_PAGE_BYTES;

	if (!b->pages[index] && make)
		b->pages[index] = calloc((size_t)(nr / 64 + 1), sizeof(uint64_t));
	return b->pages[index];
}

/* The guest gives page @gpa away (@give), or wants it back. False if it has no such page. */
static bool move_page(struct virtio_balloon *b, gpa_t gpa, bool give)
{
	const struct memory_region *r = memory_find(b->dev.mem, gpa);
	uint64_t at, host_pages, mask, *bits;

	if (!r || r->readonly)
		return false;
	bits = bits_of(b, (unsigned int)(r - b->dev.mem->regions), give);
	if (!bits)
		return true; /* nothing was given away; or no memory for the bits, and so nothing is */
	at = (gpa - r->gpa) / BALLOON_PAGE_BYTES;
	bits += at / 64;
	if (!give) {
		*bits &= ~(UINT64_C(1) << at % 64);
		return true;
	}
	*bits |= UINT64_C(1) << at % 64;
	/* Regions begin and end with a page of the host. */
	host_pages = b->host_page / BALLOON_PAGE_BYTES;
	mask = host_pages == 64 ? UINT64_MAX : (UINT64_C(1) << host_pages) - 1;
	mask <<= at % 64 & ~(host_pages - 1);
	if ((*bits & mask) == mask)
		discard(b, align_down(gpa, b->host_page));
	return true;
}

static void serve_pages(struct virtio_balloon *b, struct virtqueue *vq, bool give)
{
	struct virtqueue_span *span = &b->chain.readable;
	uint8_t pfn[PFN_BYTES];
	unsigned int bad = 0;
	gpa_t first_bad = 0;

	/* Not looked at, pages that the guest takes back would count as the host's. */
	if (span->bytes > REQUEST_PAGES * PFN_BYTES) {
		virtqueue_fail(vq, "balloon request of too many pages");
		return;
	}
	while (virtqueue_read(span, pfn, sizeof(pfn)) == sizeof(pfn)) {
		gpa_t gpa = (gpa_t)virtio_get32(&b->dev, pfn) * BALLOON_PAGE_BYTES;

		if (!move_page(b, gpa, give) && !bad++)
			first_bad = gpa;
	}
	flush_run(b);
	if (bad)
		log_guest(&b->dev.guest_errors,
			  "%s: %u page%s that the guest does not have, such as %#llx, were ignored", b->dev.name, bad,
			  bad == 1 ? "" : "s", (unsigned long long)first_bad);
	virtqueue_put(vq, &b->chain, 0);
}

/* ---- statistics ---------------------------------------------------------------------------------- */

static void read_stats(struct virtio_balloon *b)
{
	uint8_t stat[STAT_BYTES];

	b->stats_valid = 0;
	for (unsigned int i = 0; i < MAX_STATS; i++) {
		unsigned int tag;
		uint64_t value;

		if (virtqueue_read(&b->stats_chain.readable, stat, sizeof(stat)) != sizeof(stat))
			break;
		tag = virtio_get16(&b->dev, stat);
		value = virtio_get64(&b->dev, stat + 2);
		/* A driver says all ones where it does not know. */
		if (tag >= BALLOON_STATS || value == UINT64_MAX)
			continue;
		b->stats[tag] = value;
		b->stats_valid |= 1u << tag;
	}
}

static void serve_stats(struct virtio_balloon *b, struct virtio_queue *queue)
{
	bool news = false;

	if (!virtio_queue_begin(queue))
		return;
	/* Kept until somebody asks; meanwhile there is no other (§5.5.6.3). */
	if (!b->stats_held && virtqueue_next(&queue->vq, &b->stats_chain) > 0) {
		b->stats_held = true;
		read_stats(b);
		news = true;
	}
	virtio_queue_end(queue);
	if (news)
		b->on_stats(b->opaque);
}

bool virtio_balloon_ask_stats(struct virtio_device *dev)
{
	struct virtio_queue *queue = &dev->queues[QUEUE_STATS];
	struct virtio_balloon *b = to_balloon(dev);
	bool asked;

	if (!virtio_queue_begin(queue))
		return false;
	asked = b->stats_held;
	if (asked)
		virtqueue_put(&queue->vq, &b->stats_chain, 0);
	b->stats_held = false;
	/* serve_stats() stopped at the buffer that it kept, and so has not asked for a kick with the next one. */
	if (asked && virtqueue_enable_kicks(&queue->vq))
		virtio_queue_kick(queue);
	virtio_queue_end(queue);
	return asked;
}

/* ---- device -------------------------------------------------------------------------------------- */

static bool balloon_serve(struct virtio_device *dev, struct virtio_queue *queue)
{
	struct virtio_balloon *b = to_balloon(dev);
	struct virtqueue *vq = &queue->vq;
	unsigned int budget = BALLOON_BATCH;

	if (queue->index == QUEUE_STATS) {
		serve_stats(b, queue);
		return false;
	}
	if (!virtio_queue_begin(queue))
		return false;
	while (budget && virtqueue_next(vq, &b->chain) > 0) {
		budget--;
		serve_pages(b, vq, queue->index == QUEUE_INFLATE);
	}
	virtio_queue_end(queue);
	return !budget;
}

static void balloon_config_write(struct virtio_device *dev, unsigned int offset, unsigned int size,
				 uint64_t value)
{
	const unsigned int start = CONFIG_OFFSET(actual), end = start + PFN_BYTES;
	struct virtio_balloon *b = to_balloon(dev);
	uint32_t pages, mask;
	uint8_t bytes[PFN_BYTES];

	if (!range_within(offset, size, start, PFN_BYTES))
		return;
	/* On the legacy interface drivers write byte after byte: the last one counts. */
	mask = (uint32_t)(UINT64_MAX >> (64 - 8 * size) << 8 * (offset - start));
	pages = (atomic_load(&b->written) & ~mask) | ((uint32_t)(value << 8 * (offset - start)) & mask);
	atomic_store(&b->written, pages);
	if (offset + size != end)
		return;
	atomic_store(&b->actual, pages);
	put_le32(bytes, pages);
	virtio_config_set(dev, start, bytes, sizeof(bytes), false);
}

static void balloon_queue_stop(struct virtio_device *dev, struct virtio_queue *queue)
{
	struct virtio_balloon *b = to_balloon(dev);

	if (queue->index != QUEUE_STATS)
		return;
	b->stats_held = false;
	b->stats_valid = 0;
}

/* All pages are the guest's again: it starts anew, or its driver has taken them back. */
static void balloon_reset(struct virtio_device *dev)
{
	struct virtio_balloon *b = to_balloon(dev);

	for (unsigned int i = 0; i < MEMORY_MAX_REGIONS; i++) {
		free(b->pages[i]);
		b->pages[i] = NULL;
	}
	balloon_config_write(dev, CONFIG_OFFSET(actual), PFN_BYTES, 0);
}

static void balloon_destroy(struct virtio_device *dev)
{
	struct virtio_balloon *b = to_balloon(dev);

	for (unsigned int i = 0; i < MEMORY_MAX_REGIONS; i++)
		free(b->pages[i]);
	free(b);
}

static const struct virtio_ops balloon_ops = {
	.serve = balloon_serve,
	.queue_stop = balloon_queue_stop,
	.reset = balloon_reset,
	.config_write = balloon_config_write,
	.destroy = balloon_destroy,
};

void virtio_balloon_state(struct virtio_device *dev, struct balloon_state *state)
{
	struct virtio_queue *queue = &dev->queues[QUEUE_STATS];
	struct virtio_balloon *b = to_balloon(dev);

	*state = (struct balloon_state){
		.live = virtio_is_live(dev),
		.target_bytes = virtio_config_read(dev, CONFIG_OFFSET(num_pages), 4) * BALLOON_PAGE_BYTES,
		.actual_bytes = (uint64_t)atomic_load(&b->actual) * BALLOON_PAGE_BYTES,
	};
	pthread_mutex_lock(&queue->lock);
	state->stats_valid = b->stats_valid;
	memcpy(state->stats, b->stats, sizeof(state->stats));
	pthread_mutex_unlock(&queue->lock);
}

void virtio_balloon_set_target(struct virtio_device *dev, uint64_t bytes)
{
	uint8_t pages[4];

	put_le32(pages, (uint32_t)MIN(bytes / BALLOON_PAGE_BYTES, (uint64_t)UINT32_MAX));
	virtio_config_set(dev, CONFIG_OFFSET(num_pages), pages, sizeof(pages), true);
}

void virtio_balloon_set_host_page(struct virtio_device *dev, uint64_t bytes)
{
	to_balloon(dev)->host_page = bytes;
}

int virtio_balloon_create(struct virtio_device **dev, const struct virtio_env *env,
			  void (*on_stats)(void *opaque), void *opaque)
{
	const struct virtio_device_info info = {
		.name = "virtio-balloon",
		.ops = &balloon_ops,
		.type = VIRTIO_ID_BALLOON,
		.pci_class = BALLOON_PCI_CLASS,
		/*
		 * MUST_TELL_HOST: a page of the host goes with all of the guest's in it, so it has to be known
		 * which are in use. DEFLATE_ON_OOM: better a guest that is larger than asked for than one that
		 * kills its processes.
		 */
		.features = FEATURE(MUST_TELL_HOST) | FEATURE(STATS_VQ) | FEATURE(DEFLATE_ON_OOM),
		/*
		 * Up to and with actual: what follows goes with features that are not offered. Little-endian on the
		 * legacy interface, too (§5.5.4), so there are no config_widths.
		 */
		.config_bytes = CONFIG_OFFSET(actual) + 4,
		.nr_queues = NR_QUEUES,
		.queue_size = BALLOON_QUEUE_SIZE,
	};
	struct virtio_balloon *b = calloc(1, sizeof(*b));
	int ret;

	if (!b) {
		log_error("%s: out of memory", info.name);
		return -ENOMEM;
	}
	ret = virtio_device_init(&b->dev, env, &info);
	if (ret) {
		free(b);
		return ret;
	}
	b->on_stats = on_stats;
	b->opaque = opaque;
	b->host_page = (uint64_t)sysconf(_SC_PAGESIZE);
	*dev = &b->dev;
	return 0;
}
