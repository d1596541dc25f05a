/* SPDX-License-Identifier: GPL-2.0-only */
/* What the KVM-facing files of the pseries platform share. */
#ifndef PSERIES_H
#define PSERIES_H

#include <pthread.h>

#include "lkvm/console-input.h"
#include "powerpc/arch.h"
#include "powerpc/hcall.h"
#include "powerpc/pseries-cpu.h"
#include "powerpc/pseries-layout.h"
#include "powerpc/rtas.h"
#include "powerpc/xive-hcall.h"

struct arch_vm {
	struct pseries_cpu cpu;
	uint32_t           compat_pvr; /* the generation of CPUs that guests are held to (options.h); 0: none */
	const struct pseries_irqchip *irqchip;
	int                irqchip_fd; /* -1: none yet */
	struct pseries_xive {
		struct ppc_xive hcalls;
		uint32_t        ipis;  /* the first of the sources for interrupts between CPUs */
		void           *tima, *esb; /* mapped pages of KVM's device */
		size_t          esb_bytes;
	} xive;
	struct pseries_xics {
		pthread_mutex_t lock;
		unsigned int    nr_msis;
		_Atomic int     state; /* 0: no sources yet; 1: there are; -errno: KVM refused one */
		/* Lines of devices, from PSERIES_IRQ_FIRST on, that have been raised before there were sources. */
		bool            raised[PSERIES_IRQ_MSI - PSERIES_IRQ_FIRST];
	} xics;
	struct ppc_rtas    rtas;
	struct ppc_hcalls  hcalls;
	struct pseries_vty {
		struct vm           *vm;
		struct console      *console; /* NULL: there is no such terminal */
		struct console_input input;
		struct irq_line      irq;
	} vtys[PPC_MAX_VTYS];
	/*
	 * Held by the vCPU that reaches into others (start-cpu, H_SET_MODE), for as long as it waits for them. Who
	 * does not get it tells its guest to try again, so that two vCPUs never wait for each other.
	 */
	pthread_mutex_t    others_lock;
};

/* An in-kernel interrupt controller. Functions return 0 or -errno (reported). */
struct pseries_irqchip {
	const char *name;                   /* as in --irqchip */
	uint32_t    device;                 /* KVM_DEV_TYPE_* */
	uint32_t    ctrl_group, nr_servers; /* the attribute that says how many vCPUs there are */
	uint32_t    vcpu_cap;               /* connects a vCPU */
	/* All devices are there, and want @nr_msis MSIs: makes their sources, or will do so on their first use. */
	int (*start)(struct vm *vm, unsigned int nr_msis);
	/* Undoes it, before arch->irqchip_fd is closed; legal without it. Or NULL. */
	void (*destroy)(struct vm *vm);
	/*
	 * A source as a line of a device; a message takes a level of 1 as one edge, and ignores 0. Messages from
	 * before there are sources are lost, as they are to a guest that has not set up the source.
	 */
	const struct irq_chip_ops *lines;
};

extern const struct pseries_irqchip pseries_xics; /* xics.c */
extern const struct pseries_irqchip pseries_xive; /* xive.c */

/*
 * Makes the sources, and KVM serve the RTAS calls about them, if that has not been done. 0 or -errno (reported the
 * first time). Any thread.
 */
int pseries_xics_use(struct vm *vm) LKVM_MUST_CHECK;

/* Adds the state of @vcpu's interrupts to a report. vCPU's thread. */
void pseries_xive_regs(struct vcpu *vcpu, struct reg_set *set);

/* ---- irqchip.c ---- */

/*
 * Makes the controller that --irqchip names, or the best one, and connects all vCPUs. Sets
 * arch->irqchip, arch->irqchip_fd and vm->msi. 0 or -errno (reported).
 */
int pseries_irqchip_init(struct vm *vm) LKVM_MUST_CHECK;

/* Legal when that was not called. */
void pseries_irqchip_destroy(struct vm *vm);

struct irq_line pseries_irq_line(struct vm *vm, uint32_t irq);

/* Why guests of this host can't have an XIVE, NULL if they can. @fd: /dev/kvm or a VM. */
const char *pseries_xive_obstacle(int fd);

#endif
