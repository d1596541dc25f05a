// SPDX-License-Identifier: GPL-2.0-only
/* KVM's XICS (Linux Documentation/virt/kvm/devices/xics.rst); on hosts with an XIVE, KVM puts it on top of that. */
#include "lkvm/arch.h"

#include <string.h>

#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "powerpc/pseries-layout.h"
#include "powerpc/pseries.h"

/* A source that the guest has not set up: for CPU 0, at the lowest priority, which is never presented. */
#define SOURCE_RESET (UINT64_C(0xff) << KVM_XICS_PRIORITY_SHIFT)

static int add_source(struct vm *vm, uint32_t irq, bool level)
{
	uint64_t state = SOURCE_RESET | (level ? KVM_XICS_LEVEL_SENSITIVE : 0);
	int ret = kvm_set_device_attr(vm->arch->irqchip_fd, KVM_DEV_XICS_GRP_SOURCES, irq, &state);

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

static int add_sources(struct vm *vm)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < PPC_MAX_VTYS; i++)
		if (vm->arch->vtys[i].console)
			ret = add_source(vm, PSERIES_IRQ_VTY + i, false);
	if (!pci_host_has_devices(vm->pci))
		return ret;
	for (unsigned int i = 0; !ret && i < PSERIES_NR_PCI_INTX; i++)
		ret = add_source(vm, PSERIES_IRQ_PCI_INTX + i, true);
	for (unsigned int i = 0; !ret && i < vm->arch->xics.nr_msis; i++)
		ret = add_source(vm, PSERIES_IRQ_MSI + i, false);
	return ret;
}

/*
 * The first source alone takes a KVM on top of XIVE as long as to create the controller, and many guests, as of
 * tests, do without. So there are none before a guest calls RTAS for one.
 */
static int xics_start(struct vm *vm, unsigned int nr_msis)
{
	vm->arch->xics.nr_msis = nr_msis;
	return 0;
}

/* The sources before the tokens: KVM serves calls of other vCPUs from these on. */
int pseries_xics_use(struct vm *vm)
{
	struct pseries_xics *xics = &vm->arch->xics;
	int ret;

	pthread_mutex_lock(&xics->lock);
	if (!xics->state) {
		ret = add_sources(vm);
		if (!ret)
			ret = define_tokens(vm);
		for (unsigned int i = 0; !ret && i < ARRAY_SIZE(xics->raised); i++)
			if (xics->raised[i])
				kvm_set_irq_line(vm->fd, PSERIES_IRQ_FIRST + i, true);
		xics->state = ret ? ret : 1;
	}
	ret = MIN(xics->state, 0);
	pthread_mutex_unlock(&xics->lock);
	return ret;
}

static void xics_set_level(void *chip, uint32_t irq, bool level)
{
	struct vm *vm = chip;
	struct pseries_xics *xics = &vm->arch->xics;
	uint32_t line = irq - PSERIES_IRQ_FIRST;

	bool ready = xics->state > 0;

	if (!ready) {
		pthread_mutex_lock(&xics->lock);
		ready = xics->state > 0;
		if (!ready && line < ARRAY_SIZE(xics->raised))
			xics->raised[line] = level;
		pthread_mutex_unlock(&xics->lock);
	}
	if (ready)
		kvm_set_irq_line(vm->fd, irq, level);
}

static int xics_attach_eventfd(void *chip, uint32_t irq, int eventfd)
{
	struct vm *vm = chip;

	return kvm_attach_irqfd(vm->fd, irq, eventfd);
}

static const struct irq_chip_ops xics_lines = {
	.set_level = xics_set_level,
	.attach_eventfd = xics_attach_eventfd,
};

const struct pseries_irqchip pseries_xics = {
	.name = "xics",
	.device = KVM_DEV_TYPE_XICS,
	.ctrl_group = KVM_DEV_XICS_GRP_CTRL,
	.nr_servers = KVM_DEV_XICS_NR_SERVERS,
	.vcpu_cap = KVM_CAP_IRQ_XICS,
	.start = xics_start,
	.lines = &xics_lines,
};
