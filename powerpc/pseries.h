/* SPDX-License-Identifier: GPL-2.0-only */
/* What the KVM-facing files of the pseries platform share. */
#ifndef PSERIES_H
#define PSERIES_H

#include <pthread.h>

#include "lkvm/console-input.h"
#include "powerpc/arch.h"
#include "powerpc/hcall.h"
#include "powerpc/pseries-cpu.h"
#include "powerpc/rtas.h"

struct arch_vm {
	struct pseries_cpu cpu;
	int                xics_fd; /* -1: none yet */
	struct ppc_rtas    rtas;
	struct ppc_hcalls  hcalls;
	struct pseries_vty {
		struct vm           *vm;
		struct console      *console; /* NULL: there is no such terminal */
		struct console_input input;
		uint32_t             irq;
	} vtys[PPC_MAX_VTYS];
	/*
	 * Held by the vCPU that reaches into others (start-cpu, H_SET_MODE), for as long as it waits for them. Who
	 * does not get it tells its guest to try again, so that two vCPUs never wait for each other.
	 */
	pthread_mutex_t    others_lock;
};

/* ---- xics.c ---- */

/*
 * Makes KVM's interrupt controller: XICS as the guest sees it, whatever the host's own is (on an XIVE KVM uses that
 * below it). After all vCPUs. 0 or -errno (reported), with arch->xics_fd set.
 */
int pseries_xics_init(struct vm *vm) LKVM_MUST_CHECK;

/* Makes source @irq; @level: a wired line, else a message. 0 or -errno (reported). */
int pseries_xics_add_source(struct vm *vm, uint32_t irq, bool level) LKVM_MUST_CHECK;

/* A source as a line of a device; messages are pulsed. */
extern const struct irq_chip_ops pseries_xics_lines;

/* Delivers a message whose data is the number of a source. ctx is the vm. Any thread. */
int pseries_xics_send(void *ctx, const struct msi_message *msg);

#endif
