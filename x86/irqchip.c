// SPDX-License-Identifier: GPL-2.0-only
/* The two interrupt controllers: all in KVM, or the IOAPIC here and the local APICs in KVM. */
#include "x86/arch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "x86/layout.h"

/* ---- all in KVM --------------------------------------------------------------------------------- */

static int kernel_create(struct vm *vm)
{
	/* The PIT's speaker port, 61, is KVM's then: Linux calibrates its TSC with it. */
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	int ret;

	ret = kvm_ioctl_val(vm->fd, KVM_CREATE_IRQCHIP, 0);
	if (ret) {
		log_error("KVM cannot create its interrupt controllers: %s (try --irqchip split)",
			  strerror(-ret));
		return ret;
	}
	ret = kvm_ioctl(vm->fd, KVM_CREATE_PIT2, &pit);
	if (ret) {
		/* A guest that has ACPI and a TSC deadline timer never looks at the PIT. */
		log_warning("KVM cannot create a timer (PIT), guests without TSC deadline timer will hang: %s",
			    strerror(-ret));
	}
	return 0;
}

static int kernel_init(struct vm *vm)
{
	(void)vm; /* KVM's default routing is one to one */
	return 0;
}

static void kernel_set_level(void *chip, uint32_t irq, bool level)
{
	struct vm *vm = chip;

	kvm_set_irq_line(vm->fd, irq, level);
}

static int kernel_attach_eventfd(void *chip, uint32_t irq, int eventfd)
{
	struct vm *vm = chip;

	return kvm_attach_irqfd(vm->fd, irq, eventfd);
}

static const struct irq_chip_ops kernel_lines = {
	.set_level = kernel_set_level,
	.attach_eventfd = kernel_attach_eventfd,
};

const struct x86_irqchip x86_irqchip_kernel = {
	.name = "kernel",
	.pic = true,
	.create = kernel_create,
	.init = kernel_init,
	.lines = &kernel_lines,
};

/* ---- IOAPIC here -------------------------------------------------------------------------------- */

static int split_create(struct vm *vm)
{
	/* How many of KVM's routes stand for IOAPIC pins, so that it looks there whose EOIs we want. */
	int ret = kvm_enable_cap(vm->fd, KVM_CAP_SPLIT_IRQCHIP, X86_IOAPIC_PINS, 0);

	if (ret)
		log_error("KVM cannot run local APICs without its own IOAPIC: %s (try --irqchip kernel)",
			  strerror(-ret));
	return ret;
}

static void split_send(void *ctx, const struct msi_message *msg)
{
	int ret = x86_msi_send(ctx, msg);

	if (ret)
		log_debug("an interrupt of the IOAPIC is lost: %s", strerror(-ret));
}

/*
 * KVM reports an EOI only of vectors that some route names, so every level-triggered pin gets one. Nothing is
 * ever sent through them.
 */
static void split_routes_changed(void *ctx)
{
	struct vm *vm = ctx;
	struct {
		struct kvm_irq_routing       head;
		struct kvm_irq_routing_entry entries[X86_IOAPIC_PINS];
	} routes = { 0 };
	struct msi_message msg;
	int ret;

	for (uint32_t pin = 0; pin < X86_IOAPIC_PINS; pin++) {
		struct kvm_irq_routing_entry *e = &routes.entries[routes.head.nr];

		if (!x86_ioapic_eoi_route(&vm->arch->ioapic, pin, &msg))
			continue;
		e->gsi = pin;
		e->type = KVM_IRQ_ROUTING_MSI;
		e->u.msi.address_lo = (uint32_t)msg.address;
		e->u.msi.address_hi = (uint32_t)(msg.address >> 32);
		e->u.msi.data = msg.data;
		routes.head.nr++;
	}
	ret = kvm_ioctl(vm->fd, KVM_SET_GSI_ROUTING, &routes.head);
	if (ret)
		log_error("KVM refuses the IOAPIC's routes, level-triggered interrupts will stop: %s",
			  strerror(-ret));
}

static int split_init(struct vm *vm)
{
	const struct x86_ioapic_sink sink = {
		.send = split_send,
		.routes_changed = split_routes_changed,
		.ctx = vm,
	};

	x86_ioapic_init(&vm->arch->ioapic, x86_ioapic_id(vm->nr_vcpus), &sink);
	return bus_add(&vm->mmio, &(struct bus_window){
					  .name = "ioapic",
					  .base = X86_IOAPIC,
					  .size_bytes = X86_IOAPIC_BYTES,
					  .ops = &x86_ioapic_bus_ops,
					  .dev = &vm->arch->ioapic,
				  });
}

static void split_set_level(void *chip, uint32_t irq, bool level)
{
	struct vm *vm = chip;

	x86_ioapic_set_level(&vm->arch->ioapic, irq, level);
}

static void split_eoi(struct vm *vm, uint8_t vector)
{
	x86_ioapic_eoi(&vm->arch->ioapic, vector);
}

static const struct irq_chip_ops split_lines = {
	.set_level = split_set_level,
};

const struct x86_irqchip x86_irqchip_split = {
	.name = "split",
	.create = split_create,
	.init = split_init,
	.lines = &split_lines,
	.eoi = split_eoi,
};

/* ---- both --------------------------------------------------------------------------------------- */

int x86_msi_send(void *ctx, const struct msi_message *msg)
{
	struct vm *vm = ctx;

	return kvm_signal_msi(vm->fd, msg, false);
}
