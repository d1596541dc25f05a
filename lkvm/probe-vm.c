// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/probe-vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lkvm/arch.h"
#include "lkvm/log.h"
#include "lkvm/vm.h"

/* Probe guests end at once; on the slowest emulated host that takes seconds, not more. */
#define TIMEOUT_MS 60000
#define RAM_BYTES  MIB(64)

/* The image as a file that image.c can open. Returns its fd or -errno. */
static int image_file(const void *image, size_t size)
{
	int fd = memfd_create("lkvm-probe", MFD_CLOEXEC);
	const char *p = image;

	if (fd < 0)
		return -errno;
	while (size) {
		ssize_t n = write(fd, p, size);

		if (n <= 0) {
			int err = n < 0 ? errno : EIO;

			close(fd);
			return -err;
		}
		p += n;
		size -= (size_t)n;
	}
	return fd;
}

int probe_vm_init(struct probe_vm *p, const char *dev, const void *image, size_t image_bytes)
{
	struct config *cfg = &p->cfg;

	p->vm = NULL;
	config_init(cfg);
	p->image_fd = image_file(image, image_bytes);
	if (p->image_fd < 0) {
		log_error("cannot make the probe guest: memfd: %s", strerror(-p->image_fd));
		return p->image_fd;
	}
	cfg->nodefaults = true;
	cfg->ram_bytes = RAM_BYTES;
	cfg->timeout_ms = TIMEOUT_MS;
	free(cfg->dev);
	cfg->dev = strdup(dev);
	cfg->console_log = strdup("/dev/null");
	if (asprintf(&cfg->firmware, "/proc/self/fd/%d", p->image_fd) < 0)
		cfg->firmware = NULL;
	if (cfg->dev && cfg->console_log && cfg->firmware)
		return 0;
	log_error("out of memory for the probe guest");
	return -ENOMEM;
}

int probe_vm_create(struct probe_vm *p)
{
	return vm_create(&p->vm, &p->cfg);
}

void probe_vm_exit(struct probe_vm *p)
{
	vm_destroy(p->vm);
	config_free(&p->cfg);
	if (p->image_fd >= 0)
		close(p->image_fd);
	p->image_fd = -1;
	p->vm = NULL;
}

int probe_vm_hide_stdin(void)
{
	int copy = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		close(null);
	}
	return copy;
}

void probe_vm_restore_stdin(int copy)
{
	if (copy < 0)
		return;
	dup2(copy, STDIN_FILENO);
	close(copy);
}

/* What the guest left behind at @offset of its image. */
static int read_back(struct vm *vm, uint64_t offset, void *buf, size_t bytes)
{
	const void *p = memory_ptr(&vm->memory, vm->boot.kernel_start + offset, bytes);

	if (!p)
		return -EFAULT;
	memcpy(buf, p, bytes);
	return 0;
}

/* Runs the guest with the operations in its image, and takes them back. */
static int run_image(struct probe_vm *p, struct probe_op *ops, size_t nr)
{
	struct probe_script head;
	char text[256];
	int stdin_copy, ret;

	ret = probe_vm_create(p);
	if (ret)
		return ret;
	stdin_copy = probe_vm_hide_stdin();
	ret = vm_run(p->vm);
	probe_vm_restore_stdin(stdin_copy);
	if (ret)
		return ret;
	ret = read_back(p->vm, PROBE_SCRIPT_OFFSET, &head, sizeof(head));
	if (!ret)
		ret = read_back(p->vm, PROBE_SCRIPT_OFFSET + sizeof(head), ops, nr * sizeof(*ops));
	if (ret || head.done != nr) {
		outcome_format(&p->vm->outcome, text, sizeof(text));
		log_error("the probe guest did %llu of %zu operations: %s", ret ? 0 : (unsigned long long)head.done,
			  nr, text);
		return -EIO;
	}
	return 0;
}

int probe_vm_ops(const struct probe_host *host, struct probe_op *ops, size_t nr)
{
	const struct probe_script head = { .nr = nr };
	size_t guest_bytes, image_bytes;
	struct probe_vm p = { .image_fd = -1 };
	const void *guest = arch_probe_payload(&guest_bytes);
	char *image;
	int ret;

	if (!guest || guest_bytes > PROBE_SCRATCH_OFFSET) {
		log_error("there is no probe guest for %s", arch_name);
		return -ENOSYS;
	}
	image_bytes = PROBE_SCRIPT_OFFSET + sizeof(head) + nr * sizeof(*ops);
	image = calloc(1, image_bytes);
	if (!image) {
		log_error("out of memory for the probe guest");
		return -ENOMEM;
	}
	memcpy(image, guest, guest_bytes);
	memcpy(image + PROBE_SCRIPT_OFFSET, &head, sizeof(head));
	memcpy(image + PROBE_SCRIPT_OFFSET + sizeof(head), ops, nr * sizeof(*ops));
	ret = probe_vm_init(&p, host->dev, image, image_bytes);
	if (!ret) {
		p.cfg.pmu = host->pmu;
		if (host->cfg) {
			p.cfg.arm = host->cfg->arm;
			p.cfg.riscv = host->cfg->riscv;
			memcpy(p.cfg.cpuid, host->cfg->cpuid, sizeof(p.cfg.cpuid));
			p.cfg.nr_cpuid = host->cfg->nr_cpuid;
			memcpy(p.cfg.pmu_device, host->cfg->pmu_device, sizeof(p.cfg.pmu_device));
			memcpy(p.cfg.pmu_events, host->cfg->pmu_events, sizeof(p.cfg.pmu_events));
			p.cfg.nr_pmu_events = host->cfg->nr_pmu_events;
		}
		ret = run_image(&p, ops, nr);
	}
	probe_vm_exit(&p);
	free(image);
	return ret;
}
