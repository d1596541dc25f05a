/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only door to KVM: every ioctl on a KVM file descriptor, and the mmap of kvm_run, goes through
 * the functions below. Tests link tests/unit/fake-kvm.c in the place of kvm-sys.c.
 */
#ifndef LKVM_KVM_SYS_H
#define LKVM_KVM_SYS_H

#include <linux/kvm.h>

#include "lkvm/msi.h"
#include "lkvm/types.h"

/* Opens @path (normally "/dev/kvm") read-write, close-on-exec. Returns the fd or -errno. Silent. */
int kvm_sys_open(const char *path);

/* ioctl(2) on a KVM fd. Returns its result (>= 0) or -errno. Silent. Use the checked macros below. */
int kvm_sys_ioctl(int fd, unsigned long request, unsigned long arg);

/* Maps the shared kvm_run area of a vCPU. Returns 0 or -errno. Unmap with kvm_sys_unmap_run(). */
int kvm_sys_map_run(int vcpu_fd, size_t size_bytes, struct kvm_run **run);
void kvm_sys_unmap_run(struct kvm_run *run, size_t size_bytes);

/* Maps [@offset, @offset + @size_bytes) of a KVM device, shared. 0 or -errno. Unmap with kvm_sys_unmap_device(). */
int kvm_sys_map_device(int fd, uint64_t offset, size_t size_bytes, void **map) LKVM_MUST_CHECK;
/* The host's pages, in which KVM counts offsets of devices and may limit what is mapped of them. */
uint64_t kvm_sys_page_bytes(void);
/* NULL is legal. */
void kvm_sys_unmap_device(void *map, size_t size_bytes);

/* Closes a KVM fd; -1 is legal. */
void kvm_sys_close(int fd);

/* ioctl with a pointer: the build fails unless *argp has the size that the request encodes. */
#define kvm_ioctl(fd, request, argp)                                                     \
	({                                                                               \
		_Static_assert(_IOC_SIZE(request) == sizeof(*(argp)),                    \
			       "argument size of " #request);                            \
		kvm_sys_ioctl(fd, request, (unsigned long)(argp));                       \
	})

/* ioctl with a number or nothing: the build fails if the request wants a pointer. */
#define kvm_ioctl_val(fd, request, val)                                                  \
	({                                                                               \
		_Static_assert(_IOC_SIZE(request) == 0, #request " takes a pointer");    \
		kvm_sys_ioctl(fd, request, (unsigned long)(val));                        \
	})

/*
 * KVM_CHECK_EXTENSION on /dev/kvm or on a VM fd. Returns the extension's value, 0 when absent (an
 * error of the ioctl counts as absent).
 */
int kvm_check_cap(int fd, unsigned int cap);

/* KVM_ENABLE_CAP on a VM or vCPU fd with up to four arguments. Returns 0 or -errno. */
int kvm_enable_cap(int fd, unsigned int cap, uint64_t arg0, uint64_t arg1) LKVM_MUST_CHECK;

/* KVM_GET_ONE_REG / KVM_SET_ONE_REG; @val points to the register's size in host order. 0 or -errno. */
int kvm_get_reg(int vcpu_fd, uint64_t id, void *val) LKVM_MUST_CHECK;
int kvm_set_reg(int vcpu_fd, uint64_t id, const void *val) LKVM_MUST_CHECK;

/*
 * KVM_SET_DEVICE_ATTR / KVM_HAS_DEVICE_ATTR on a device, VM or vCPU fd. @val as the attribute wants
 * it, NULL where it takes none. Returns 0 or -errno.
 */
int kvm_set_device_attr(int fd, uint32_t group, uint64_t attr, const void *val) LKVM_MUST_CHECK;
int kvm_get_device_attr(int fd, uint32_t group, uint64_t attr, void *val) LKVM_MUST_CHECK;
bool kvm_has_device_attr(int fd, uint32_t group, uint64_t attr);

/* KVM_IRQ_LINE: drives line @irq, in the arch's encoding. Failures go to the debug log. Any thread. */
void kvm_set_irq_line(int vm_fd, uint32_t irq, bool level);

/* KVM_IRQFD: every write to @eventfd raises @gsi. 0, -ENOTSUP without KVM_CAP_IRQFD, or -errno. */
int kvm_attach_irqfd(int vm_fd, uint32_t gsi, int eventfd) LKVM_MUST_CHECK;

/*
 * KVM_SIGNAL_MSI. @with_devid: the irqchip looks at the requester id (arm64 ITS). Returns 0, also when the
 * guest has the interrupt masked or unmapped, or -errno. Any thread.
 */
int kvm_signal_msi(int vm_fd, const struct msi_message *msg, bool with_devid);

/* KVM_CREATE_DEVICE. Returns the new fd or -errno. */
int kvm_create_device(int vm_fd, uint32_t type) LKVM_MUST_CHECK;

#endif
