/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An IOAPIC in user space, for machines whose local APICs alone are in KVM (--irqchip split): wired lines go
 * in, messages to local APICs come out. Intel 82093AA data sheet; version 0x20 with the EOI register of the
 * ICH family. Pure.
 */
#ifndef X86_IOAPIC_H
#define X86_IOAPIC_H

#include <pthread.h>

#include "lkvm/bus.h"
#include "lkvm/msi.h"
#include "x86/layout.h"

/* Redirection table entry (82093AA §3.2.4). */
#define X86_IOAPIC_RTE_REMOTE_IRR (1ull << 14) /* level: delivered, EOI outstanding */
#define X86_IOAPIC_RTE_LEVEL      (1ull << 15)
#define X86_IOAPIC_RTE_MASKED     (1ull << 16)

/* Where the IOAPIC's output goes. Both are called under its lock, from any thread. */
struct x86_ioapic_sink {
	void (*send)(void *ctx, const struct msi_message *msg);
	/* x86_ioapic_eoi_route() of some pin has changed. */
	void (*routes_changed)(void *ctx);
	void *ctx;
};

struct x86_ioapic {
	pthread_mutex_t        lock;
	struct x86_ioapic_sink sink;
	uint8_t                id;
	uint8_t                index; /* register selected */
	uint32_t               lines; /* level of each pin */
	uint64_t               rte[X86_IOAPIC_PINS];
};

/* @dev holds no resource but its lock; there is nothing to undo. */
void x86_ioapic_init(struct x86_ioapic *dev, uint8_t id, const struct x86_ioapic_sink *sink);

/* Drives pin @pin. Any thread. */
void x86_ioapic_set_level(struct x86_ioapic *dev, uint32_t pin, bool level);

/* A local APIC has finished a level-triggered interrupt with @vector. Any thread. */
void x86_ioapic_eoi(struct x86_ioapic *dev, uint8_t vector);

/*
 * The message of pin @pin, if it is one whose EOI the IOAPIC must hear of: level-triggered, also while masked,
 * because an interrupt may be in service then. For routes_changed(), under the lock.
 */
bool x86_ioapic_eoi_route(const struct x86_ioapic *dev, uint32_t pin, struct msi_message *msg);

/* bus_window.dev is a struct x86_ioapic. */
extern const struct bus_ops x86_ioapic_bus_ops;

#endif
