/* SPDX-License-Identifier: GPL-2.0-only */
/* Message-signalled interrupts: from a device's (address, data) pair to KVM. */
#ifndef LKVM_MSI_H
#define LKVM_MSI_H

#include "lkvm/types.h"

struct msi_message {
	uint64_t address;
	uint32_t data;
	uint32_t devid; /* PCI requester id: bus << 8 | devfn; an arm64 ITS needs it */
};

/* What a PCI device is given. Tests hand it their own. */
struct msi_sink {
	/* Delivers one message now. Any thread. Returns 0 or -errno (the message was lost). */
	int (*send)(void *ctx, const struct msi_message *msg);
	void *ctx;
};

static inline int msi_send(const struct msi_sink *sink, const struct msi_message *msg)
{
	return sink->send(sink->ctx, msg);
}

#endif
