/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RTAS, the run-time firmware of a pseries guest (LoPAR chapter 7). The guest calls a few instructions in its own
 * RAM, which pass the call on to the hypervisor: everything happens here. Pure.
 */
#ifndef PPC_RTAS_H
#define PPC_RTAS_H

#include "lkvm/memory.h"
#include "lkvm/pci.h"
#include "lkvm/types.h"

/* Return statuses (LoPAR chapter 7, "RTAS Status Word Values"). */
#define RTAS_SUCCESS         0
#define RTAS_HARDWARE_ERROR  (-1)
#define RTAS_BUSY            (-2)
#define RTAS_PARAMETER_ERROR (-3)

/* CPU_status of query-cpu-stopped-state. */
#define RTAS_CPU_STOPPED     0
#define RTAS_CPU_RUNNING     2

/* What the guest may call: the name of service @i, NULL beyond the last. Its token is PPC_RTAS_TOKEN_FIRST + @i. */
const char *ppc_rtas_name(unsigned int i);
/*
 * True if KVM serves it, an XICS' own; it must be told the token (KVM_PPC_RTAS_DEFINE_TOKEN), for which the first
 * call of any such service is early enough (start_interrupts() below).
 */
bool ppc_rtas_in_kernel(unsigned int i);
#define PPC_RTAS_TOKEN_FIRST 0x2000u

/* The token of service @name; 0 if there is none. */
uint32_t ppc_rtas_token(const char *name);

/*
 * The code at the entry point, at most PPC_RTAS_BYTES, big-endian: RTAS runs in that byte order whatever the guest
 * (LoPAR chapter 7).
 */
#define PPC_RTAS_BYTES 4096
const void *ppc_rtas_code(size_t *size_bytes);

/* Where calls take effect. All on vCPU threads, several at once. */
struct ppc_rtas_ops {
	void (*console_write)(void *ctx, const void *buf, size_t len);
	void (*power_off)(void *ctx);
	void (*reboot)(void *ctx);
	/* The operating system has panicked, and says so in @text; it goes on after the call. */
	void (*os_term)(void *ctx, const char *text);
	/* Makes stopped CPU @cpu run at @entry with @r3. An RTAS status. */
	int (*start_cpu)(void *ctx, uint32_t cpu, uint64_t entry, uint64_t r3);
	/* The calling CPU runs no further. */
	void (*stop_self)(void *ctx);
	/* RTAS_CPU_*, or -1 if there is no CPU @cpu. */
	int (*cpu_state)(void *ctx, uint32_t cpu);
	/* Has KVM serve what is its own. An RTAS status; the guest makes its call once more after RTAS_SUCCESS. */
	int (*start_interrupts)(void *ctx);
};

struct ppc_rtas {
	const struct ppc_rtas_ops *ops;
	void                *ctx;
	const struct memory *memory;
	struct pci_host     *pci;     /* NULL: none */
	uint64_t             buid;    /* of that */
	uint64_t             msi_address;
	/* Each device has its sources from the start, as many as it has vectors, from this number on. */
	uint32_t             msi_source[PCI_MAX_DEVICES];
};

/*
 * Gives each device of rtas->pci its interrupt sources, of those from @first on. Returns how many that takes, or
 * -ENOSPC (reported) if it is more than @nr. Once all devices are there.
 */
int ppc_rtas_assign_msis(struct ppc_rtas *rtas, uint32_t first, uint32_t nr) LKVM_MUST_CHECK;

/*
 * Serves the call whose argument block is at @args in guest memory. Returns 0; -EFAULT if there is no such block,
 * so that no status could be stored; or -EAGAIN if the guest is to make it again, for KVM: its status says so, too,
 * to firmware that makes calls by code of its own. Any vCPU thread.
 */
int ppc_rtas_call(struct ppc_rtas *rtas, gpa_t args) LKVM_MUST_CHECK;

#endif
