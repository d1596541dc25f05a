/* SPDX-License-Identifier: GPL-2.0-only */
/* Doorbells: a guest's register write that becomes an eventfd signal without a trip to user space. */
#ifndef LKVM_IOEVENT_H
#define LKVM_IOEVENT_H

#include "lkvm/types.h"

/*
 * What a device is given. Either call may be made from any thread. A device must also serve the same
 * register by MMIO and write the eventfd itself: not every KVM has KVM_CAP_IOEVENTFD.
 */
struct ioevent_binder {
	/*
	 * Signals @eventfd for writes of @len (1, 2, 4, 8; 0: any) bytes to MMIO @addr whose value is
	 * @match (if @has_match). Returns 0 or -errno; -ENOTSUP: this host has none.
	 */
	int (*bind)(void *ctx, gpa_t addr, unsigned int len, bool has_match, uint64_t match,
		    int eventfd);
	/* Undoes a bind() with the same arguments. */
	void (*unbind)(void *ctx, gpa_t addr, unsigned int len, bool has_match, uint64_t match,
		       int eventfd);
	void *ctx;
};

#endif
