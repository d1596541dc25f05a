// SPDX-License-Identifier: GPL-2.0-only
/* The requests of kvm-sys.h that take a structure, spelt once. */
#include "lkvm/kvm-sys.h"

#include <errno.h>
#include <string.h>

#include "lkvm/log.h"

int kvm_check_cap(int fd, unsigned int cap)
{
	int ret = kvm_ioctl_val(fd, KVM_CHECK_EXTENSION, cap);

	return ret < 0 ? 0 : ret;
}

int kvm_enable_cap(int fd, unsigned int cap, uint64_t arg0, uint64_t arg1)
{
	struct kvm_enable_cap c = { .cap = cap, .args = { arg0, arg1 } };
	int ret = kvm_ioctl(fd, KVM_ENABLE_CAP, &c);

	return ret < 0 ? ret : 0;
}

int kvm_get_reg(int vcpu_fd, uint64_t id, void *val)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)val };

	return kvm_ioctl(vcpu_fd, KVM_GET_ONE_REG, &reg);
}

int kvm_set_reg(int vcpu_fd, uint64_t id, const void *val)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)val };

	return kvm_ioctl(vcpu_fd, KVM_SET_ONE_REG, &reg);
}

int kvm_set_device_attr(int fd, uint32_t group, uint64_t attr, const void *val)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uintptr_t)val };

	return kvm_ioctl(fd, KVM_SET_DEVICE_ATTR, &a);
}

int kvm_get_device_attr(int fd, uint32_t group, uint64_t attr, void *val)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uintptr_t)val };

	return kvm_ioctl(fd, KVM_GET_DEVICE_ATTR, &a);
}

bool kvm_has_device_attr(int fd, uint32_t group, uint64_t attr)
{
	struct kvm_device_attr a = { .group = group, .attr = attr };

	return kvm_ioctl(fd, KVM_HAS_DEVICE_ATTR, &a) == 0;
}

int kvm_create_device(int vm_fd, uint32_t type)
{
	struct kvm_create_device dev = { .type = type };
	int ret = kvm_ioctl(vm_fd, KVM_CREATE_DEVICE, &dev);

	return ret < 0 ? ret : (int)dev.fd;
}

void kvm_set_irq_line(int vm_fd, uint32_t irq, bool level)
{
	struct kvm_irq_level line = { .irq = irq, .level = level };
	int ret = kvm_ioctl(vm_fd, KVM_IRQ_LINE, &line);

	if (ret < 0)
		log_debug("KVM_IRQ_LINE 0x%x: %s", irq, strerror(-ret));
}

int kvm_attach_irqfd(int vm_fd, uint32_t gsi, int eventfd)
{
	struct kvm_irqfd irqfd = { .fd = (uint32_t)eventfd, .gsi = gsi };

	if (kvm_check_cap(vm_fd, KVM_CAP_IRQFD) <= 0)
		return -ENOTSUP;
	return kvm_ioctl(vm_fd, KVM_IRQFD, &irqfd);
}

int kvm_signal_msi(int vm_fd, const struct msi_message *msg, bool with_devid)
{
	struct kvm_msi msi = {
		.address_lo = (uint32_t)msg->address,
		.address_hi = (uint32_t)(msg->address >> 32),
		.data = msg->data,
		.flags = with_devid ? KVM_MSI_VALID_DEVID : 0,
		.devid = with_devid ? msg->devid : 0,
	};
	int ret = kvm_ioctl(vm_fd, KVM_SIGNAL_MSI, &msi);

	return ret < 0 ? ret : 0;
}
