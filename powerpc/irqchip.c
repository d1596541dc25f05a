// SPDX-License-Identifier: GPL-2.0-only
/* Which of KVM's interrupt controllers a pseries guest has, and what is the same for both. */
#include "lkvm/arch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "powerpc/options.h"
#include "powerpc/pseries-layout.h"
#include "powerpc/pseries.h"

/* AT_HWCAP2 (Linux arch/powerpc/include/uapi/asm/cputable.h, PPC_FEATURE2_ARCH_3_00): POWER9 or later. */
#define HWCAP2_ARCH_3_00 0x00800000ul

/* ---- choice ------------------------------------------------------------------------------------- */

static bool host_booted_with(const char *word)
{
	char buf[4096];
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	if (fd >= 0)
		close(fd);
	buf[n < 0 ? 0 : n] = '\0';
	return pseries_params_have(buf, word);
}

/*
 * KVM gives no more than four pages of the host for the CPUs', and counts their place in such pages, while those of
 * the hardware are of 64 KiB (Linux arch/powerpc/kvm/book3s_xive_native.c, kvmppc_xive_native_mmap()).
 */
static bool pages_too_small(void)
{
	return kvm_sys_page_bytes() < UINT64_C(1) << PPC_XIVE_ESB_PAGE_SHIFT;
}

/*
 * KVM only says that there is none (Linux arch/powerpc/kvm/powerpc.c). Which layer lacks what, from
 * the CPU upwards.
 */
const char *pseries_xive_obstacle(int fd)
{
	if (kvm_check_cap(fd, KVM_CAP_PPC_IRQ_XIVE) > 0)
		return pages_too_small() ? "this host's kernel has pages of 4 KiB, and KVM shares an XIVE in pages of "
					   "64 KiB only" : NULL;
	if (!(getauxval(AT_HWCAP2) & HWCAP2_ARCH_3_00))
		return "this host's CPUs are older than POWER9";
	if (access("/proc/device-tree/ibm,opal", F_OK))
		return "this host is itself a guest; KVM gives guests an XIVE on the bare metal only";
	if (host_booted_with(PSERIES_XIVE_OFF))
		return "this host was booted with xive=off";
	return "this host's firmware (OPAL) does not tell the state of XIVE's queues, or its kernel lacks "
	       "CONFIG_KVM_XIVE";
}

static bool cpus_too_old(const struct vm *vm)
{
	return vm->arch->compat_pvr && vm->arch->compat_pvr < PPC_COMPAT_POWER9;
}

/*
 * As with the MMU, nothing is negotiated with a kernel that is entered with a device tree. Other
 * programs get the controller that is set up, and used, with less.
 */
static const struct pseries_irqchip *best(const struct vm *vm)
{
	if (!vm->cfg->kernel || cpus_too_old(vm) ||
	    pseries_params_have(vm->cfg->params, PSERIES_XIVE_OFF) ||
	    kvm_check_cap(vm->fd, KVM_CAP_PPC_IRQ_XIVE) <= 0 || pages_too_small())
		return &pseries_xics;
	return &pseries_xive;
}

static int choose(struct vm *vm)
{
	const char *wanted = vm->cfg->irqchip;
	const char *why;

	if (!wanted) {
		vm->arch->irqchip = best(vm);
		return 0;
	}
	if (!strcmp(wanted, pseries_xics.name)) {
		vm->arch->irqchip = &pseries_xics;
		return 0;
	}
	if (strcmp(wanted, pseries_xive.name)) {
		log_error("--irqchip %s: unknown, this arch has xive and xics", wanted);
		return -EINVAL;
	}
	why = cpus_too_old(vm) ? "--max-cpu-compat is for CPUs without" : pseries_xive_obstacle(vm->fd);
	if (why) {
		log_error("--irqchip xive: %s; use xics", why);
		return -ENODEV;
	}
	vm->arch->irqchip = &pseries_xive;
	return 0;
}

/* ---- set-up ------------------------------------------------------------------------------------- */

/* A message's data is the number of a source. */
static int msi_to_source(void *ctx, const struct msi_message *msg)
{
	struct vm *vm = ctx;

	if (msg->data < PSERIES_IRQ_MSI || msg->data - PSERIES_IRQ_MSI >= PSERIES_NR_MSI)
		return -EINVAL;
	vm->arch->irqchip->lines->set_level(vm, msg->data, true);
	return 0;
}

int pseries_irqchip_init(struct vm *vm)
{
	const struct pseries_irqchip *chip;
	uint32_t servers = vm->nr_vcpus;
	int ret = choose(vm);

	if (ret)
		return ret;
	chip = vm->arch->irqchip;
	vm->arch->irqchip_fd = kvm_create_device(vm->fd, chip->device);
	if (vm->arch->irqchip_fd < 0) {
		ret = vm->arch->irqchip_fd;
		log_error("cannot create the interrupt controller: %s: %s", chip->name, strerror(-ret));
		return ret;
	}
	/* Only spares an XIVE host's interrupt resources; older kernels do not have it. */
	if (kvm_set_device_attr(vm->arch->irqchip_fd, chip->ctrl_group, chip->nr_servers, &servers))
		log_debug("this KVM's %s has a fixed number of servers", chip->name);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		ret = kvm_enable_cap(vm->vcpus[i]->fd, chip->vcpu_cap, (uint64_t)vm->arch->irqchip_fd,
				     i);
		if (ret) {
			log_error("cannot connect vCPU %u to the interrupt controller: %s", i, strerror(-ret));
			return ret;
		}
	}
	vm->msi = (struct msi_sink){ .send = msi_to_source, .ctx = vm };
	return 0;
}

void pseries_irqchip_destroy(struct vm *vm)
{
	if (vm->arch->irqchip && vm->arch->irqchip->destroy)
		vm->arch->irqchip->destroy(vm);
	kvm_sys_close(vm->arch->irqchip_fd);
	vm->arch->irqchip_fd = -1;
}

struct irq_line pseries_irq_line(struct vm *vm, uint32_t irq)
{
	return (struct irq_line){ .ops = vm->arch->irqchip->lines, .chip = vm, .irq = irq };
}
