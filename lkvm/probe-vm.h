/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A throw-away VM that runs a small flat guest without console, disks or any other thing of the
 * user's.
 */
#ifndef LKVM_PROBE_VM_H
#define LKVM_PROBE_VM_H

#include "lkvm/config.h"
#include "lkvm/probe.h"

struct vm;

struct probe_vm {
	struct config cfg;
	struct vm    *vm;    /* NULL before create */
	int           image_fd;
};

/*
 * Fills @p->cfg: nothing but the flat guest @image at the arch's firmware address, and a time
 * limit. The caller may change it, then calls probe_vm_create() and vm_run(@p->vm) within
 * probe_vm_hide_stdin(). 0 or -errno (reported). probe_vm_exit() is due in either case.
 */
int probe_vm_init(struct probe_vm *p, const char *dev, const void *image, size_t image_bytes) LKVM_MUST_CHECK;
int probe_vm_create(struct probe_vm *p) LKVM_MUST_CHECK;
void probe_vm_exit(struct probe_vm *p);

/*
 * Puts /dev/null in the place of standard input, so that the guest takes no typed-ahead words and
 * leaves the terminal alone. Returns a copy of the old one for probe_vm_restore_stdin(), or -1.
 */
int probe_vm_hide_stdin(void);
void probe_vm_restore_stdin(int copy);

/* Where guests are probed, and as what. */
struct probe_host {
	const char          *dev;
	enum config_tristate pmu; /* config.pmu of the VM */
	const struct config *cfg; /* NULL, or the PMU's and the CPUs' options to take over */
};
/* For struct probe. */
int probe_vm_ops(const struct probe_host *host, struct probe_op *ops, size_t nr) LKVM_MUST_CHECK;

#endif
