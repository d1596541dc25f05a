/* SPDX-License-Identifier: GPL-2.0-only */
/* virtio entropy device (virtio 1.3 §5.4): the host's getrandom(2). */
#ifndef VIRTIO_RNG_H
#define VIRTIO_RNG_H

#include "lkvm/types.h"
#include "virtio/core.h"

/* 0 or -errno (reported). Served on env->loop. */
int virtio_rng_create(struct virtio_device **dev, const struct virtio_env *env) LKVM_MUST_CHECK;

#endif
