// SPDX-License-Identifier: GPL-2.0-only
/* KVM's XICS (Linux Documentation/virt/kvm/devices/xics.rst). */
#include "lkvm/arch.h"

#include <errno.h>
#include <string.h>

#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "powerpc/pseries-layout.h"
#include "powerpc/pseries.h"

/* A source that the guest has not set up: for CPU 0, at the lowest priority, which is never presented. */
#define SOURCE_RESET (UINT64_C(0xff) << KVM_XICS_PRIORITY_SHIFT)

int pseries_xics_add_source(struct vm *vm, uint32_t irq, bool level)
{
	uint64_t state = SOURCE_RESET | (level ? KVM_XICS_LEVEL_SENSITIVE : 0);
	int ret = kvm_set_device_attr(vm->arch->xics_fd, KVM_DEV_XICS_GRP_SOURCES, irq, &state);

	if (ret)
		log_error("KVM refuses interrupt source 0x%x: %s", irq, strerror(-ret));
	return ret;
}

/* By its name, as KVM knows which services it has. */
static int define_tokens(struct vm *vm)
{
	struct kvm_rtas_token_args token;
	int ret;

	for (unsigned int i = 0; ppc_rtas_name(i); i++) {
		if (!ppc_rtas_in_kernel(i))
			continue;
		memset(&token, 0, sizeof(token));
		strncpy(token.name, ppc_rtas_name(i), sizeof(token.name) - 1);
		token.token = PPC_RTAS_TOKEN_FIRST + i;
		ret = kvm_ioctl(vm->fd, KVM_PPC_RTAS_DEFINE_TOKEN, &token);
		if (ret) {
			log_error("KVM refuses the RTAS service %s: %s", token.name, strerror(-ret));
			return ret;
		}
	}
	return 0;
}

int pseries_xics_init(struct vm *vm)
{
	uint32_t servers = vm->nr_vcpus;
	int ret;

	vm->arch->xics_fd = kvm_create_device(vm->fd, KVM_DEV_TYPE_XICS);
	if (vm->arch->xics_fd < 0) {
		ret = vm->arch->xics_fd;
		log_error("cannot create the interrupt controller: XICS: %s (the host's kernel needs CONFIG_KVM_XICS)",
			  strerror(-ret));
		return ret;
	}
	/* Only spares an XIVE host's interrupt resources; older kernels do not have it. */
	if (kvm_set_device_attr(vm->arch->xics_fd, KVM_DEV_XICS_GRP_CTRL, KVM_DEV_XICS_NR_SERVERS, &servers))
		log_debug("this KVM's XICS has a fixed number of servers");
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		ret = kvm_enable_cap(vm->vcpus[i]->fd, KVM_CAP_IRQ_XICS, (uint64_t)vm->arch->xics_fd, i);
		if (ret) {
			log_error("cannot connect vCPU %u to the interrupt controller: %s", i, strerror(-ret));
			return ret;
		}
	}
	return define_tokens(vm);
}

static void set_level(void *chip, uint32_t irq, bool level)
{
	struct vm *vm = chip;

	kvm_set_irq_line(vm->fd, irq, level);
}

static int attach_eventfd(void *chip, uint32_t irq, int eventfd)
{
	struct vm *vm = chip;

	return kvm_attach_irqfd(vm->fd, irq, eventfd);
}

const struct irq_chip_ops pseries_xics_lines = {
	.set_level = set_level,
	.attach_eventfd = attach_eventfd,
};

/* A message source takes a level of 1 as one edge, and ignores 0. */
int pseries_xics_send(void *ctx, const struct msi_message *msg)
{
	struct vm *vm = ctx;

	if (msg->data < PSERIES_IRQ_MSI || msg->data - PSERIES_IRQ_MSI >= PSERIES_NR_MSI)
		return -EINVAL;
	kvm_set_irq_line(vm->fd, msg->data, true);
	return 0;
}
