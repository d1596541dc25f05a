// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's model of Freescale's MPIC (Linux arch/powerpc/kvm/mpic.c,
 * Documentation/virt/kvm/devices/mpic.rst). Of its two versions 4.2 has the external proxy mode, in
 * which a CPU finds the interrupt's vector in its EPR; Linux's "QEMU e500" machine uses nothing
 * else.
 */
#include "powerpc/e500.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "powerpc/e500-layout.h"

int ppc_mpic_create(struct vm *vm)
{
	uint64_t base = PPC_E500_MPIC_BASE;
	int fd, ret;

	fd = kvm_create_device(vm->fd, KVM_DEV_TYPE_FSL_MPIC_42);
	if (fd < 0) {
		log_error("cannot create the interrupt controller (MPIC 4.2): %s (the host's kernel needs CONFIG_KVM_MPIC)",
			  strerror(-fd));
		return fd;
	}
	vm->arch->mpic_fd = fd;
	ret = kvm_set_device_attr(fd, KVM_DEV_MPIC_GRP_MISC, KVM_DEV_MPIC_BASE_ADDR, &base);
	if (ret) {
		log_error("KVM refuses the MPIC at 0x%" PRIx64 ": %s", base, strerror(-ret));
		return ret;
	}
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		ret = kvm_enable_cap(vm->vcpus[i]->fd, KVM_CAP_IRQ_MPIC, (unsigned int)fd, i);
		if (ret) {
			log_error("KVM does not connect vCPU %u to the MPIC: %s", i, strerror(-ret));
			return ret;
		}
	}
	return 0;
}

void ppc_mpic_destroy(struct vm *vm)
{
	kvm_sys_close(vm->arch->mpic_fd);
	vm->arch->mpic_fd = -1;
}

/*
 * Not KVM_IRQ_LINE: that needs a routing table, and there is none to begin with. No eventfds
 * either: they raise edges, and the lines here are level-triggered.
 */
static void mpic_set_level(void *chip, uint32_t irq, bool level)
{
	struct vm *vm = chip;
	uint32_t active = level;
	int ret = kvm_set_device_attr(vm->arch->mpic_fd, KVM_DEV_MPIC_GRP_IRQ_ACTIVE, irq, &active);

	if (ret)
		log_debug("MPIC source %" PRIu32 ": %s", irq, strerror(-ret));
}

const struct irq_chip_ops ppc_mpic_lines = {
	.set_level = mpic_set_level,
};
