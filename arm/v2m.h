/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A GICv2m frame: a register whose writes raise SPIs, so that PCI devices have MSIs on a GIC without an ITS
 * (Arm DEN0029A, SBSA Appendix E; Linux drivers/irqchip/irq-gic-v2m.c). KVM has none. Pure.
 */
#ifndef ARM_V2M_H
#define ARM_V2M_H

#include "lkvm/bus.h"
#include "lkvm/types.h"

#define ARM_V2M_BYTES UINT64_C(0x1000)

struct arm_v2m {
	uint32_t first_id; /* interrupt id of the first SPI */
	uint32_t nr;
	/* Raises edge-triggered interrupt @id. Any thread. Returns 0 or -errno. */
	int (*raise)(void *ctx, uint32_t id);
	void *ctx;
};

/* bus_window.dev is a struct arm_v2m. */
extern const struct bus_ops arm_v2m_bus_ops;

/*
 * An MSI: written at @offset into the frame, @data as the guest set it up. Any thread. Returns 0, -EINVAL
 * if it is none of the frame's interrupts, or what raise() returns.
 */
int arm_v2m_send(struct arm_v2m *v2m, uint64_t offset, uint32_t data) LKVM_MUST_CHECK;

#endif
