/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtio-pci transport, MSI-X with INTx as fallback (virtio 1.3 §4.1): modern (1.x) only, or for
 * devices that are legacy that interface only, in an I/O BAR. Those must be of a type that drivers
 * before 1.0 know: block, console, entropy, balloon, 9P.
 */
#ifndef VIRTIO_PCI_H
#define VIRTIO_PCI_H

#include "lkvm/ioevent.h"
#include "lkvm/pci.h"
#include "lkvm/types.h"
#include "virtio/core.h"

/*
 * Puts @dev on @host's bus as the next function. Doorbells go through @ioevent (copied) where it
 * can; NULL or .bind NULL: every one is an exit. The device owns the transport; @host outlives it.
 * Before device_list_start(). 0 or -errno (reported).
 */
int virtio_pci_attach(struct virtio_device *dev, struct pci_host *host,
		      const struct ioevent_binder *ioevent) LKVM_MUST_CHECK;

#endif
