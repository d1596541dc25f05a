/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory balloon (virtio 1.3 §5.5): the guest is asked to do without some of its memory, and what it
 * names is given back to the host. Everything here but creation is for the device's loop, the main loop,
 * unless said otherwise.
 */
#ifndef VIRTIO_BALLOON_H
#define VIRTIO_BALLOON_H

#include "virtio/core.h"

/* The unit of the protocol, whatever the pages of guest and host are (§5.5.6). */
#define BALLOON_PAGE_BYTES 4096

/* Tags of statistics that we know (§5.5.6.3), by number. */
#define BALLOON_STATS 11

struct balloon_state {
	bool     live;            /* the guest has a driver for it */
	uint64_t target_bytes;    /* that the guest is to do without ... */
	uint64_t actual_bytes;    /* ... and does, as it says */
	uint32_t stats_valid;     /* a bit for each statistic that the guest has told; 0: none yet */
	uint64_t stats[BALLOON_STATS];
};

/*
 * 0 or -errno (reported). @on_stats is called with @opaque when the guest has told statistics; loop thread,
 * no locks held.
 */
int virtio_balloon_create(struct virtio_device **dev, const struct virtio_env *env,
			  void (*on_stats)(void *opaque), void *opaque) LKVM_MUST_CHECK;

/* Any thread. */
void virtio_balloon_state(struct virtio_device *dev, struct balloon_state *state);

/* Asks the guest to do without @bytes, whole pages, or as many as the protocol can say (16 TiB). Any thread. */
void virtio_balloon_set_target(struct virtio_device *dev, uint64_t bytes);

/* Asks the guest for statistics. False if it will not answer: without a driver, or asked before. */
bool virtio_balloon_ask_stats(struct virtio_device *dev) LKVM_MUST_CHECK;

/* ---- for tests ---- */

/* Takes the host's pages for @bytes long, a power of two and no less than they are. Before the first request. */
void virtio_balloon_set_host_page(struct virtio_device *dev, uint64_t bytes);

#endif
