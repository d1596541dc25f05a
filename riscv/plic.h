/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PLIC for hosts whose KVM has no AIA: the guest's wired interrupts are sorted in user space and one
 * external-interrupt line per hart goes to KVM. Contexts are the harts' supervisor modes, context N being
 * hart N. Pure: the lines leave through a callback.
 * (RISC-V Platform-Level Interrupt Controller specification 1.0.0)
 */
#ifndef RISCV_PLIC_H
#define RISCV_PLIC_H

#include "lkvm/bus.h"
#include "lkvm/irq.h"
#include "lkvm/types.h"

struct riscv_plic;

/* Drives the external interrupt of @hart. Called with the PLIC's lock held; any thread. */
typedef void riscv_plic_drive(void *ctx, unsigned int hart, bool level);

/* Sources 1..@nr_sources (at most 1023), @nr_harts contexts. 0 or -ENOMEM (reported). */
int riscv_plic_create(struct riscv_plic **plic, unsigned int nr_harts, unsigned int nr_sources,
		      riscv_plic_drive *drive, void *ctx) LKVM_MUST_CHECK;
/* NULL is legal. */
void riscv_plic_destroy(struct riscv_plic *plic);

/* Size of the register window for @nr_harts contexts. */
uint64_t riscv_plic_bytes(unsigned int nr_harts);

/* bus_window.dev and irq_line.chip are the struct riscv_plic. */
extern const struct bus_ops riscv_plic_bus_ops;
extern const struct irq_chip_ops riscv_plic_irq_ops;

#endif
