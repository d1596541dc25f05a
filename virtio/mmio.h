/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtio-mmio transport (virtio 1.3 §4.2): version 2, and version 1 for devices that are legacy. */
#ifndef VIRTIO_MMIO_H
#define VIRTIO_MMIO_H

#include "lkvm/bus.h"
#include "lkvm/ioevent.h"
#include "lkvm/irq.h"
#include "lkvm/types.h"
#include "virtio/core.h"

/* Registers (0x100 bytes) and configuration space. */
#define VIRTIO_MMIO_BYTES 0x200

/*
 * Puts @dev into the window at @base of @bus, with @irq (copied) as its level-triggered line.
 * Doorbells go through @ioevent (copied) where it can; NULL or .bind NULL: every one is an exit.
 * The device owns the transport. Before device_list_start(). 0 or -errno (reported).
 */
int virtio_mmio_attach(struct virtio_device *dev, struct bus *bus, gpa_t base,
		       const struct irq_line *irq,
		       const struct ioevent_binder *ioevent) LKVM_MUST_CHECK;

#endif
