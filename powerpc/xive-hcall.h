/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * XIVE's hypervisor calls. By these a guest says where the events of its interrupt sources go; the
 * rest it does by loads and stores to pages of the sources and of its CPUs. Not in LoPAR's public
 * edition; as Linux makes them (arch/powerpc/sysdev/xive/spapr.c). Pure.
 */
#ifndef PPC_XIVE_HCALL_H
#define PPC_XIVE_HCALL_H

#include <pthread.h>
#include <stdatomic.h>

#include "lkvm/memory.h"
#include "lkvm/types.h"
#include "powerpc/hcall.h"

/* Function numbers (Linux arch/powerpc/include/asm/hvcall.h). */
#define H_INT_GET_SOURCE_INFO   0x3a8
#define H_INT_SET_SOURCE_CONFIG 0x3ac
#define H_INT_GET_SOURCE_CONFIG 0x3b0
#define H_INT_GET_QUEUE_INFO    0x3b4
#define H_INT_SET_QUEUE_CONFIG  0x3b8
#define H_INT_GET_QUEUE_CONFIG  0x3bc
#define H_INT_ESB               0x3c8
#define H_INT_SYNC              0x3cc
#define H_INT_RESET             0x3d0

/* A guest has priorities 0 to 6, and the host 7 (Linux arch/powerpc/kvm/book3s_xive.h). */
#define PPC_XIVE_PRIORITIES     7
#define PPC_XIVE_MASKED         0xff

/* log2 of an event queue's size: KVM has no other one (book3s_xive_native.c). */
#define PPC_XIVE_QUEUE_SHIFT    16

/* A source has two pages: a store to the first one triggers it, the second one is for all else. */
#define PPC_XIVE_ESB_PAGE_SHIFT 16
#define PPC_XIVE_ESB_BYTES      (UINT64_C(2) << PPC_XIVE_ESB_PAGE_SHIFT)

/*
 * Offsets in the second one (Linux arch/powerpc/include/asm/xive-regs.h). A load gives the source's
 * state before: bits P, an event is on its way or being handled, and Q, another one has come.
 */
#define PPC_XIVE_ESB_LOAD_EOI   0x000
#define PPC_XIVE_ESB_SET_PQ_00  0xc00

/* Where the events of a source go: to a queue of CPU @target, as the number @eisn. */
struct ppc_xive_route {
	uint32_t target;
	uint32_t eisn;
	uint8_t  priority; /* PPC_XIVE_MASKED: nowhere */
};

/* In guest memory. */
struct ppc_xive_queue {
	gpa_t        page;
	unsigned int shift; /* 0: there is none */
};

/* Where calls take effect: vCPU threads, sources and CPUs that exist. int is 0 or -errno. */
struct ppc_xive_ops {
	int (*set_route)(void *ctx, uint32_t lisn, const struct ppc_xive_route *route);
	int (*set_queue)(void *ctx, uint32_t cpu, unsigned int priority,
			 const struct ppc_xive_queue *queue);
	/* Where the next event will be stored, and the bit that will mark it as new. */
	int (*queue_state)(void *ctx, uint32_t cpu, unsigned int priority, uint32_t *index,
			   uint32_t *toggle);
	/* Returns once all events so far are in their queue. */
	int (*sync)(void *ctx, uint32_t lisn);
	/* No routes, no queues. */
	int (*reset)(void *ctx);
	/* The pages of a source. Any thread. */
	void (*trigger)(void *ctx, uint32_t lisn);
	uint64_t (*esb_load)(void *ctx, uint32_t lisn, unsigned int offset);
	void (*esb_store)(void *ctx, uint32_t lisn, unsigned int offset, uint64_t value);
};

struct ppc_xive {
	const struct ppc_xive_ops *ops;
	void                  *ctx;
	const struct memory   *memory;
	pthread_mutex_t        lock;   /* of what follows */
	unsigned int           nr_cpus, nr_sources;
	struct ppc_xive_route *routes; /* of source PSERIES_IRQ_FIRST + i */
	struct ppc_xive_queue *queues; /* PPC_XIVE_PRIORITIES of each CPU */
	_Atomic uint32_t       asserted; /* INTx lines, a bit for each; not under the lock */
};

/* ops, ctx and memory are set. @nr_sources from PSERIES_IRQ_FIRST on. 0 or -ENOMEM (reported). */
int ppc_xive_init(struct ppc_xive *x, unsigned int nr_cpus,
		  unsigned int nr_sources) LKVM_MUST_CHECK;
void ppc_xive_exit(struct ppc_xive *x);

/*
 * Drives source @lisn: PCI's INTx are levels; of others, 1 is an event and 0 nothing. One that does not
 * exist does nothing. Any thread.
 */
void ppc_xive_set_level(struct ppc_xive *x, uint32_t lisn, bool level);

/* Serves @call if it is one of these. Otherwise returns false. Any vCPU thread. */
bool ppc_xive_serve(struct ppc_xive *x, struct ppc_hcall *call);

#endif
