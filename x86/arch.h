/* SPDX-License-Identifier: GPL-2.0-only */
/* What the KVM-facing files of this arch share. The contract with the rest of lkvm is lkvm/arch.h. */
#ifndef X86_ARCH_H
#define X86_ARCH_H

#include "lkvm/kvm-compat.h"
#include "lkvm/vm.h"
#include "x86/boot.h"
#include "x86/cmos.h"
#include "x86/cpuid.h"
#include "x86/i8042.h"
#include "x86/ioapic.h"
#include "x86/power.h"

/* An interrupt controller. All functions run on the main thread unless said otherwise. */
struct x86_irqchip {
	const char *name;  /* as in --irqchip */
	bool        pic;   /* it has 8259s, and there is a PIT */
	/* Before any vCPU. 0 or -errno (reported). */
	int (*create)(struct vm *vm);
	/* After all vCPUs. 0 or -errno (reported). */
	int (*init)(struct vm *vm);
	/* The wired lines; .chip is the vm. Any thread. */
	const struct irq_chip_ops *lines;
	/* KVM_EXIT_IOAPIC_EOI; NULL where there is none. vCPU's thread. */
	void (*eoi)(struct vm *vm, uint8_t vector);
};

/* ---- irqchip.c ---- */

/*
 * "kernel": PIC, IOAPIC and PIT in KVM, beside the local APICs: all that a PC has. "split": only the
 * local APICs in KVM, the IOAPIC here, neither PIC nor PIT. Every device window of KVM's own costs it an RCU
 * grace period when the VM is made or unmade, some milliseconds in all, which "split" does not pay.
 */
extern const struct x86_irqchip x86_irqchip_kernel;
extern const struct x86_irqchip x86_irqchip_split;

/* Delivers an MSI; @ctx is the vm. Any thread. */
int x86_msi_send(void *ctx, const struct msi_message *msg);

struct arch_vm {
	const struct x86_irqchip *irqchip;
	struct x86_cpuid  cpuid;        /* first what KVM supports, then what the guest sees */
	struct x86_ioapic ioapic;       /* split only */
	struct x86_power  power;
	struct x86_i8042  i8042;
	struct x86_cmos   cmos;
	uint8_t           setup_header[X86_SETUP_HEADER_MAX - X86_SETUP_HEADER];
	size_t            setup_header_bytes;
};

#endif
