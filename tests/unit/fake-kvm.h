/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A KVM made of plain memory, linked in the place of kvm-sys.c. It hands out real file descriptors (so
 * that leaks show), remembers register values, fails the Nth call on demand, and plays a script of exits.
 */
#ifndef TESTS_UNIT_FAKE_KVM_H
#define TESTS_UNIT_FAKE_KVM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

/* Back to a host where everything works and KVM_RUN says "powered off". */
void fake_kvm_reset(void);

/* Call number @n from now on (1 is the next, counting open, ioctl and mmap) fails with @err; 0: none. */
void fake_kvm_fail(unsigned int n, int err);
/* True if the failure has happened. */
bool fake_kvm_failed(void);
/* Calls so far since reset. */
unsigned int fake_kvm_calls(void);
/* "KVM_CREATE_VM" ... of the call that was failed, for messages. */
unsigned long fake_kvm_failed_request(void);

/* What kvm_sys_page_bytes() says; without this FAKE_PAGE_BYTES, whatever the host has. */
#define FAKE_PAGE_BYTES UINT64_C(0x10000)
void fake_kvm_set_page_bytes(uint64_t bytes);

/* What KVM_CHECK_EXTENSION says for @cap; without this every capability is 1 (vCPU counts 8). */
void fake_kvm_set_cap(unsigned int cap, int value);

/*
 * Called in the place of KVM_RUN on @vcpu_index; fills @run and returns 0 or -errno. NULL: power off. The
 * function runs on vCPU threads.
 */
typedef int fake_kvm_run_fn(struct kvm_run *run, unsigned int vcpu_index, uint64_t nth, void *opaque);
void fake_kvm_on_run(fake_kvm_run_fn *fn, void *opaque);

/*
 * Called with every counted ioctl before it is served, with a number or a pointer as argument; what it returns
 * but 0 is the answer. NULL: nobody. On the thread that makes it.
 */
typedef int fake_kvm_ioctl_fn(int fd, unsigned long request, unsigned long arg, void *opaque);
void fake_kvm_on_ioctl(fake_kvm_ioctl_fn *fn, void *opaque);
/* True if @fd is a vCPU's. */
bool fake_kvm_is_vcpu(int fd);

/* For a fake_kvm_run_fn: behaves like a guest that idles until somebody kicks the vCPU. Returns -EINTR. */
int fake_kvm_idle(struct kvm_run *run);

/* The value that a register of any vCPU has been set to last; 0 if never. */
uint64_t fake_kvm_reg(uint64_t id);
/* The errno (positive) that GET/SET_ONE_REG of @id answers from now on; 0: works. */
void fake_kvm_reg_error(uint64_t id, int get_err, int set_err);
/* SET_ONE_REG of @id says that it worked, but the value stays. */
void fake_kvm_reg_sticky(uint64_t id);
/* Makes the register exist with @value (then GET_REG_LIST lists it). */
void fake_kvm_set_reg(uint64_t id, uint64_t value);

/* Number of IRQ line changes and MSIs that were asked for. */
unsigned int fake_kvm_irq_lines(void);
unsigned int fake_kvm_msis(void);

#endif
