/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KVM-facing files of this arch share. The contract with the rest of lkvm is lkvm/arch.h.
 *
 * Power has two platforms that have little in common but the registers: pseries (64-bit servers, Book III-S,
 * a hypervisor below the guest) and e500 (32-bit embedded, Book III-E). Each binary has one of them: KVM for
 * one exists only in kernels that lack it for the other. struct arch_vm and struct arch_vcpu are the
 * platform's own.
 */
#ifndef PPC_ARCH_H
#define PPC_ARCH_H

#include "lkvm/arch.h"
#include "lkvm/kvm-compat.h"
#include "lkvm/vm.h"

/* Results, threads and order of calls are those of the function arch_NAME() in lkvm/arch.h. */
struct ppc_platform {
	const char *name; /* "pseries", "e500" */

	/* What it needs of KVM; the first one tells this platform's KVM from the other's. */
	const struct kvm_cap_need *needs;
	size_t                     nr_needs;

	int (*machine_init)(struct vm *vm);
	int (*vm_type)(struct vm *vm, unsigned long *type);
	int (*vm_create)(struct vm *vm);
	void (*vm_destroy)(struct vm *vm);
	int (*vcpu_create)(struct vcpu *vcpu);
	void (*vcpu_destroy)(struct vcpu *vcpu);
	int (*irqchip_init)(struct vm *vm);
	struct irq_line (*irq_line)(struct vm *vm, uint32_t irq);
	int (*devices_create)(struct vm *vm);
	gpa_t (*initrd_limit)(const struct vm *vm);
	void (*default_cmdline)(const struct vm *vm, char *buf, size_t size);
	int (*boot_prepare)(struct vm *vm);
	int (*vcpu_reset)(struct vcpu *vcpu);
	enum vcpu_exit_action (*vcpu_exit)(struct vcpu *vcpu);
	/* Adds what follows the general registers in a report, and how code runs: user, big_endian. */
	void (*vcpu_regs)(struct vcpu *vcpu, const struct kvm_regs *regs, struct reg_set *set);
	bool (*vcpu_big_endian)(struct vcpu *vcpu);
	/* arch_vcpu_translate(), with the registers at hand; the walks are those of powerpc/mmu.h. */
	void (*vcpu_translate)(struct vcpu *vcpu, const struct kvm_regs *regs, uint64_t va, bool fetch,
			       struct walk *w);
	void (*doctor)(const struct doctor *d, int kvm_fd, int vm_fd);
	const void *(*probe_guest)(size_t *size_bytes);
	int (*guest_counters)(struct vcpu *vcpu, struct guest_counter *counters, size_t max, const char **missing);
};

/*
 * KVM emulates what is privileged, but for the performance monitor (Linux arch/powerpc/kvm/e500_emulate.c): an
 * access is the guest's program interrupt, as tests/guest/ppc/pmr.S shows. So nobody is asked.
 */
#define E500_NO_PMU "KVM gives e500 guests none"

extern const struct ppc_platform ppc_pseries; /* pseries.c; in 64-bit binaries */
extern const struct ppc_platform ppc_e500;    /* e500.c; in 32-bit binaries */

/* ---- vcpu.c: the same on both ---- */

/* All general registers of @vcpu, with pc, msr and friends. 0 or -errno (reported). vCPU's thread. */
int ppc_get_regs(struct vcpu *vcpu, struct kvm_regs *regs) LKVM_MUST_CHECK;
int ppc_set_regs(struct vcpu *vcpu, const struct kvm_regs *regs) LKVM_MUST_CHECK;

/* System registers: what is in there depends on the platform. 0 or -errno (reported). vCPU's thread. */
int ppc_get_sregs(struct vcpu *vcpu, struct kvm_sregs *sregs) LKVM_MUST_CHECK;

/* Sets register @id (KVM_REG_PPC_*), @name for the error, of its own size. 0 or -errno (reported). */
int ppc_set_reg(struct vcpu *vcpu, const char *name, uint64_t id, uint64_t value) LKVM_MUST_CHECK;
/* Reads register @id of 4 or 8 bytes. 0 or -errno. Silent. */
int ppc_get_reg(struct vcpu *vcpu, uint64_t id, uint64_t *value) LKVM_MUST_CHECK;

/* arch_vcpu_regs(): the general registers, then @platform's. */
void ppc_vcpu_regs(struct vcpu *vcpu, const struct ppc_platform *platform, struct reg_set *set);

/* arch_vcpu_translate() */
void ppc_vcpu_translate(struct vcpu *vcpu, const struct ppc_platform *platform, uint64_t va, bool fetch,
			struct walk *w);

/* A register by KVM's id, for reports. */
struct ppc_named_reg {
	const char *name;
	uint64_t    id;
};

/* Adds @nr system registers through ONE_REG; those that KVM does not have are marked unknown. */
void ppc_add_regs(struct vcpu *vcpu, struct reg_set *set, const struct ppc_named_reg *regs, size_t nr);

#endif
