// SPDX-License-Identifier: GPL-2.0-only
#include "tests/unit/fake-kvm.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lkvm/kvm-sys.h"

#define MAX_FDS  256
#define MAX_REGS 1024
#define MAX_CAPS 32
#define RUN_BYTES (2 * 4096)

enum fake_fd {
	FD_NONE,
	FD_KVM,
	FD_VM,
	FD_VCPU,
	FD_DEVICE,
};

struct fake_reg {
	uint64_t id, value;
	int      get_err, set_err;
	bool     exists;
	bool     sticky;
};

static struct {
	pthread_mutex_t lock;
	unsigned int    calls, fail_at;
	int             fail_err;
	bool            failed;
	unsigned long   failed_request;
	struct {
		enum fake_fd kind;
		/* Of a vCPU: */
		unsigned int    index;
		struct kvm_run *run;
		uint64_t        nth; /* KVM_RUNs so far */
	} fds[MAX_FDS];
	struct {
		unsigned int cap;
		int          value;
	} caps[MAX_CAPS];
	unsigned int     nr_caps;
	struct fake_reg  regs[MAX_REGS];
	unsigned int     nr_regs;
	fake_kvm_run_fn *run_fn;
	void            *run_opaque;
	fake_kvm_ioctl_fn *ioctl_fn;
	void            *ioctl_opaque;
	unsigned int     irq_lines, msis;
	uint64_t         page_bytes;
} fake = { .lock = PTHREAD_MUTEX_INITIALIZER, .page_bytes = FAKE_PAGE_BYTES };

void fake_kvm_reset(void)
{
	pthread_mutex_lock(&fake.lock);
	fake.calls = 0;
	fake.fail_at = 0;
	fake.page_bytes = FAKE_PAGE_BYTES;
	fake.failed = false;
	fake.failed_request = 0;
	fake.nr_caps = 0;
	fake.nr_regs = 0;
	fake.run_fn = NULL;
	fake.run_opaque = NULL;
	fake.ioctl_fn = NULL;
	fake.ioctl_opaque = NULL;
	fake.irq_lines = 0;
	fake.msis = 0;
	pthread_mutex_unlock(&fake.lock);
}

void fake_kvm_fail(unsigned int n, int err)
{
	fake.fail_at = n ? fake.calls + n : 0;
	fake.fail_err = err;
	fake.failed = false;
}

bool fake_kvm_failed(void)
{
	return fake.failed;
}

unsigned int fake_kvm_calls(void)
{
	return fake.calls;
}

unsigned long fake_kvm_failed_request(void)
{
	return fake.failed_request;
}

void fake_kvm_on_run(fake_kvm_run_fn *fn, void *opaque)
{
	fake.run_fn = fn;
	fake.run_opaque = opaque;
}

void fake_kvm_on_ioctl(fake_kvm_ioctl_fn *fn, void *opaque)
{
	fake.ioctl_fn = fn;
	fake.ioctl_opaque = opaque;
}

void fake_kvm_set_cap(unsigned int cap, int value)
{
	for (unsigned int i = 0; i < fake.nr_caps; i++)
		if (fake.caps[i].cap == cap) {
			fake.caps[i].value = value;
			return;
		}
	if (fake.nr_caps == MAX_CAPS)
		abort();
	fake.caps[fake.nr_caps].cap = cap;
	fake.caps[fake.nr_caps++].value = value;
}

static struct fake_reg *find_reg(uint64_t id)
{
	for (unsigned int i = 0; i < fake.nr_regs; i++)
		if (fake.regs[i].id == id)
			return &fake.regs[i];
	if (fake.nr_regs == MAX_REGS)
		abort();
	fake.regs[fake.nr_regs] = (struct fake_reg){ .id = id };
	return &fake.regs[fake.nr_regs++];
}

uint64_t fake_kvm_reg(uint64_t id)
{
	return find_reg(id)->value;
}

void fake_kvm_reg_error(uint64_t id, int get_err, int set_err)
{
	find_reg(id)->get_err = get_err;
	find_reg(id)->set_err = set_err;
}

void fake_kvm_reg_sticky(uint64_t id)
{
	find_reg(id)->sticky = true;
}

void fake_kvm_set_reg(uint64_t id, uint64_t value)
{
	find_reg(id)->value = value;
	find_reg(id)->exists = true;
}

unsigned int fake_kvm_irq_lines(void)
{
	return fake.irq_lines;
}

unsigned int fake_kvm_msis(void)
{
	return fake.msis;
}

int fake_kvm_idle(struct kvm_run *run)
{
	while (!__atomic_load_n(&run->immediate_exit, __ATOMIC_SEQ_CST))
		usleep(200);
	return -EINTR;
}

/* Counts a call. Returns the errno that it is to fail with, or 0. */
static int count_call(unsigned long request)
{
	int err = 0;

	pthread_mutex_lock(&fake.lock);
	fake.calls++;
	if (fake.fail_at && fake.calls == fake.fail_at) {
		fake.failed = true;
		fake.failed_request = request;
		err = fake.fail_err;
	}
	pthread_mutex_unlock(&fake.lock);
	return err;
}

static int new_fd(enum fake_fd kind, unsigned int index)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fd >= MAX_FDS)
		abort();
	fake.fds[fd].kind = kind;
	fake.fds[fd].index = index;
	fake.fds[fd].nth = 0;
	return fd;
}

static enum fake_fd fd_kind(int fd)
{
	return fd >= 0 && fd < MAX_FDS ? fake.fds[fd].kind : FD_NONE;
}

bool fake_kvm_is_vcpu(int fd)
{
	return fd_kind(fd) == FD_VCPU;
}

int kvm_sys_open(const char *path)
{
	int err = count_call(0);

	(void)path;
	return err ? -err : new_fd(FD_KVM, 0);
}

void kvm_sys_close(int fd)
{
	if (fd < 0)
		return;
	if (fd_kind(fd) == FD_NONE)
		abort(); /* closed twice, or not one of ours */
	fake.fds[fd].kind = FD_NONE;
	close(fd);
}

int kvm_sys_map_run(int vcpu_fd, size_t size_bytes, struct kvm_run **run)
{
	int err = count_call(0);

	if (err)
		return -err;
	if (fd_kind(vcpu_fd) != FD_VCPU || size_bytes != RUN_BYTES)
		return -EINVAL;
	*run = calloc(1, RUN_BYTES);
	if (!*run)
		return -ENOMEM;
	fake.fds[vcpu_fd].run = *run;
	return 0;
}

void kvm_sys_unmap_run(struct kvm_run *run, size_t size_bytes)
{
	(void)size_bytes;
	free(run);
}

int kvm_sys_map_device(int fd, uint64_t offset, size_t size_bytes, void **map)
{
	int err = count_call(0);

	(void)offset;
	if (err)
		return -err;
	if (fd_kind(fd) != FD_DEVICE)
		return -EINVAL;
	*map = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return *map == MAP_FAILED ? -errno : 0;
}

void fake_kvm_set_page_bytes(uint64_t bytes)
{
	fake.page_bytes = bytes;
}

uint64_t kvm_sys_page_bytes(void)
{
	return fake.page_bytes;
}

void kvm_sys_unmap_device(void *map, size_t size_bytes)
{
	if (map)
		munmap(map, size_bytes);
}

static int check_extension(unsigned int cap)
{
	for (unsigned int i = 0; i < fake.nr_caps; i++)
		if (fake.caps[i].cap == cap)
			return fake.caps[i].value;
	switch (cap) {
	case KVM_CAP_NR_VCPUS:
	case KVM_CAP_MAX_VCPUS:
		return 8;
	case KVM_CAP_ARM_VM_IPA_SIZE:
		return 40;
	case KVM_CAP_VM_GPA_BITS: /* riscv, Sv39x4 */
		return 41;
	default:
		return 1;
	}
}

static int one_reg(const struct kvm_one_reg *req, bool set)
{
	size_t size = 1ul << ((req->id & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT);
	void *user = (void *)(uintptr_t)req->addr;
	struct fake_reg *reg;
	int err = 0;

	pthread_mutex_lock(&fake.lock);
	reg = find_reg(req->id);
	if (set ? reg->set_err : reg->get_err) {
		err = -(set ? reg->set_err : reg->get_err);
	} else if (set && reg->sticky) {
		err = 0;
	} else if (size == 4) {
		uint32_t v = (uint32_t)reg->value;

		memcpy(set ? (void *)&v : user, set ? user : (void *)&v, 4);
		if (set)
			reg->value = v;
	} else if (size == 8) {
		memcpy(set ? (void *)&reg->value : user, set ? user : (void *)&reg->value, 8);
	} else if (!set) {
		memset(user, 0, size);
	}
	pthread_mutex_unlock(&fake.lock);
	return err;
}

static int reg_list(struct kvm_reg_list *list)
{
	uint64_t n = 0, room = list->n;

	pthread_mutex_lock(&fake.lock);
	for (unsigned int i = 0; i < fake.nr_regs; i++)
		if (fake.regs[i].exists) {
			if (n < room)
				list->reg[n] = fake.regs[i].id;
			n++;
		}
	pthread_mutex_unlock(&fake.lock);
	list->n = n;
	return n > room ? -E2BIG : 0;
}

static int run_vcpu(int fd)
{
	struct kvm_run *run = fake.fds[fd].run;

	if (__atomic_load_n(&run->immediate_exit, __ATOMIC_SEQ_CST)) {
		run->exit_reason = KVM_EXIT_INTR;
		return -EINTR;
	}
	if (fake.run_fn)
		return fake.run_fn(run, fake.fds[fd].index, fake.fds[fd].nth++, fake.run_opaque);
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
	run->system_event.ndata = 0;
	return 0;
}

int kvm_sys_ioctl(int fd, unsigned long request, unsigned long arg)
{
	void *p = (void *)arg;
	int err;

	if (request == KVM_RUN) /* not counted: how often it is called depends on timing */
		return fd_kind(fd) == FD_VCPU ? run_vcpu(fd) : -ENOTTY;
	err = count_call(request);
	if (err)
		return -err;
	if (fd_kind(fd) == FD_NONE)
		return -EBADF;
	if (fake.ioctl_fn) {
		err = fake.ioctl_fn(fd, request, arg, fake.ioctl_opaque);
		if (err)
			return err;
	}

	switch (request) {
	case KVM_GET_API_VERSION:
		return KVM_API_VERSION;
	case KVM_CHECK_EXTENSION:
		return check_extension((unsigned int)arg);
	case KVM_CREATE_VM:
		return new_fd(FD_VM, 0);
	case KVM_GET_VCPU_MMAP_SIZE:
		return RUN_BYTES;
	case KVM_CREATE_VCPU:
		return new_fd(FD_VCPU, (unsigned int)arg);
	case KVM_CREATE_DEVICE: {
		int dev;

		if (((struct kvm_create_device *)p)->flags & KVM_CREATE_DEVICE_TEST)
			return 0;
		dev = new_fd(FD_DEVICE, 0);
		if (dev >= 0)
			((struct kvm_create_device *)p)->fd = (uint32_t)dev;
		return dev < 0 ? dev : 0;
	}
	case KVM_GET_ONE_REG:
		return one_reg(p, false);
	case KVM_SET_ONE_REG:
		return one_reg(p, true);
	case KVM_GET_STATS_FD:
		return -ENOTTY;
	case KVM_GET_REG_LIST:
		return reg_list(p);
	case KVM_IRQ_LINE:
		fake.irq_lines++;
		return 0;
	case KVM_SIGNAL_MSI:
		fake.msis++;
		return 1;
	case KVM_GET_DEVICE_ATTR:
		memset((void *)(uintptr_t)((struct kvm_device_attr *)p)->addr, 0, 4);
		return 0;
#ifdef __x86_64__ /* its structure exists nowhere else */
	case KVM_GET_SUPPORTED_CPUID:
		((struct kvm_cpuid2 *)p)->nent = 0;
		return 0;
#endif
	default:
		/* Structures that are only read come back as zeros. */
		if (_IOC_DIR(request) == _IOC_READ)
			memset(p, 0, _IOC_SIZE(request));
		return 0;
	}
}
