/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU and its thread. Only that thread calls KVM_RUN and touches the vCPU's registers; everybody
 * else kicks it and asks (vcpu_call()). Kicking is race-free: the signal handler sets
 * kvm_run.immediate_exit, so a kick between the last check and KVM_RUN is not lost.
 */
#ifndef LKVM_VCPU_H
#define LKVM_VCPU_H

#include <limits.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "lkvm/exit-policy.h"
#include "lkvm/exit.h"
#include "lkvm/types.h"

struct vm;
struct arch_vcpu;
struct vcpu_call;

/* exits[] slots; the last one counts all reasons beyond. */
#define VCPU_EXIT_SLOTS 64

enum vcpu_state {
	VCPU_IDLE,    /* no thread yet */
	VCPU_RUNNING, /* in or about to enter KVM_RUN, or serving an exit */
	VCPU_PARKED,  /* waiting outside KVM_RUN: not released yet, or paused */
	VCPU_ENDED,   /* the thread has left its loop */
};

struct vcpu {
	struct vm        *vm;
	unsigned int      index;     /* 0 is the boot CPU */
	int               fd;
	struct kvm_run   *run;
	struct arch_vcpu *arch;      /* owned by <arch>/vcpu.c */
	pthread_t         thread;
	bool              has_thread;
	int               tid;       /* kernel thread id once running, for perf and reports */
	_Atomic bool      kicked;    /* look at calls, vm->stopping and vm->pause_count */
	struct vcpu_call *calls;     /* queue, under vm->vcpu_lock */
	enum vcpu_state   state;     /* under vm->vcpu_lock */
	bool              offline;   /* under vm->vcpu_lock: vcpu_set_offline() */
	/* kvm_run as it was before KVM_RUN: reason, first 8 bytes of the union. Thread only. */
	uint32_t          reason_before;
	uint64_t          payload_before;
	struct exit_policy policy; /* thread only */
	/* Exits to user space by reason. Written by the thread only. */
	_Atomic uint64_t  exits[VCPU_EXIT_SLOTS];
	_Atomic uint64_t  mmio_unclaimed;
	_Atomic uint64_t  calls_unserved; /* firmware calls that came here and nobody serves (riscv64) */
	_Atomic uint64_t  csrs_unserved;  /* accesses to CSRs that came here and read as 0 (riscv64) */
};

/* What an exit handler tells the run loop. */
enum vcpu_exit_action {
	VCPU_RESUME,    /* go on with KVM_RUN */
	VCPU_STOP,      /* the VM's outcome has been set; leave the loop */
	VCPU_UNHANDLED, /* nobody knew this exit: decode, report, stop with 121 */
};

/* Creates the KVM vCPU, maps kvm_run, calls arch_vcpu_create(). 0 or -errno (reported). Main thread. */
int vcpu_create(struct vm *vm, unsigned int index, struct vcpu **vcpu) LKVM_MUST_CHECK;
/* The thread must have ended. NULL is legal. */
void vcpu_destroy(struct vcpu *vcpu);

/* Starts the thread; it runs once vm_start() releases all of them. 0 or -errno (reported). */
int vcpu_start(struct vcpu *vcpu) LKVM_MUST_CHECK;
/* Waits for the thread to end; vm_request_stop() must have been called. */
void vcpu_join(struct vcpu *vcpu);

/* Makes the vCPU leave KVM_RUN and look at its requests. Any thread, with vm->vcpu_lock held. */
void vcpu_kick(struct vcpu *vcpu);

/* For the waits below and in vm.h. */
#define VCPU_WAIT_FOREVER UINT_MAX

/*
 * Runs @fn(@vcpu, @arg) on the vCPU's own thread, between two KVM_RUNs, and waits for it: the place to
 * read registers of a running guest. Works while paused; when the thread does not run (not started,
 * ended) @fn runs on the caller. Returns 0, or -ETIMEDOUT if @fn was not begun within @timeout_ms, as the
 * thread serves a device that is stuck; then @fn will not run. From a vCPU's thread only for that vCPU
 * itself, or under a lock that makes the caller the only one that does so: two that call each other
 * would wait for ever.
 */
int vcpu_call(struct vcpu *vcpu, void (*fn)(struct vcpu *vcpu, void *arg), void *arg, unsigned int timeout_ms)
	LKVM_MUST_CHECK;

/* Waits on vm->vcpu_cond, with vm->vcpu_lock held, until @deadline (of vcpu_deadline()). False: it is over. */
bool vcpu_wait(struct vm *vm, const struct timespec *deadline);
/* The time @timeout_ms from now, on the clock that vcpu_wait() wants; NULL for VCPU_WAIT_FOREVER. */
const struct timespec *vcpu_deadline(struct timespec *deadline, unsigned int timeout_ms);

/*
 * For platforms whose CPUs are started and stopped by user space: an offline vCPU parks outside KVM_RUN until it is
 * online again. Its registers are reached by vcpu_call() meanwhile. Any thread.
 */
void vcpu_set_offline(struct vcpu *vcpu, bool offline);
bool vcpu_is_offline(struct vcpu *vcpu);

/* The vCPU that runs on the calling thread, or NULL. */
struct vcpu *vcpu_current(void);

#endif
