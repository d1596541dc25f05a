// SPDX-License-Identifier: GPL-2.0-only
/* The system calls behind kvm-sys.h. No other file issues an ioctl on a KVM fd. */
#include "lkvm/kvm-sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

int kvm_sys_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int kvm_sys_ioctl(int fd, unsigned long request, unsigned long arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int kvm_sys_map_device(int fd, uint64_t offset, size_t size_bytes, void **map)
{
	void *p = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);

	if (p == MAP_FAILED)
		return -errno;
	*map = p;
	return 0;
}

uint64_t kvm_sys_page_bytes(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

void kvm_sys_unmap_device(void *map, size_t size_bytes)
{
	if (map)
		munmap(map, size_bytes);
}

int kvm_sys_map_run(int vcpu_fd, size_t size_bytes, struct kvm_run **run)
{
	void *p;
	int ret = kvm_sys_map_device(vcpu_fd, 0, size_bytes, &p);

	if (!ret)
		*run = p;
	return ret;
}

void kvm_sys_unmap_run(struct kvm_run *run, size_t size_bytes)
{
	kvm_sys_unmap_device(run, size_bytes);
}

void kvm_sys_close(int fd)
{
	if (fd >= 0)
		close(fd);
}
