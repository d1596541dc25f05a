/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract that every arch fulfils, chosen at link time: one arch per binary, a missing function is
 * a link error. All of it runs on the main thread unless said otherwise. Functions that return int
 * return 0 or -errno and have reported the failure themselves, in one line.
 *
 * Order of calls (vm.c):
 *   arch_machine_init   layout of the platform from the config
 *   arch_vm_type        argument of KVM_CREATE_VM
 *   arch_vm_create      chips that must precede vCPUs
 *   arch_vcpu_create    once per vCPU, in index order
 *   arch_irqchip_init   chips that must follow vCPUs; from here on arch_irq_line() works
 *   arch_devices_create platform devices that only this arch has
 *   arch_image_plan     where the kernel goes
 *   arch_boot_prepare   device tree or boot tables, once all devices are placed
 *   arch_vcpu_reset     once per vCPU: registers at entry
 *   arch_vcpu_exit      on vCPU threads, while the guest runs
 *   arch_vcpu_destroy, arch_vm_destroy
 * From arch_vm_create() to arch_irqchip_init() any may call vm_drop_pmu(), and all starts over.
 */
#ifndef LKVM_ARCH_H
#define LKVM_ARCH_H

#include <stdio.h>

#include "lkvm/doctor.h"
#include "lkvm/regs.h"
#include "lkvm/vcpu.h"
#include "lkvm/vm.h"
#include "lkvm/walk.h"

struct fdt;        /* see fdt.h */
struct pmu_list;   /* see pmu-list.h */
struct probe_host; /* see probe-vm.h */

/* "riscv64", "arm64", "ppc64le", "x86_64", "ppc". */
extern const char arch_name[];

/* A KVM capability without which lkvm can't run, and what to tell the user. */
struct kvm_cap_need {
	unsigned int cap;     /* KVM_CAP_* */
	const char  *name;    /* "KVM_CAP_ONE_REG" */
	const char  *purpose; /* "set vCPU registers" */
};

/* The required capabilities; @nr entries, static. Checked on /dev/kvm before the VM is created. */
const struct kvm_cap_need *arch_required_caps(size_t *nr);

/*
 * Fills vm->machine from vm->cfg: RAM ranges, windows, lines. vm->kvm_fd is open for asking what the
 * host has, and vm->image for a look at it; no VM exists yet. Refuses what the platform can't hold (RAM
 * size, CPUs, irqchip name).
 */
int arch_machine_init(struct vm *vm) LKVM_MUST_CHECK;

/* The machine type for KVM_CREATE_VM: IPA bits on arm64, HV/PR on powerpc, 0 elsewhere. */
int arch_vm_type(struct vm *vm, unsigned long *type) LKVM_MUST_CHECK;

int arch_vm_create(struct vm *vm) LKVM_MUST_CHECK;
/* Undoes arch_vm_create() and arch_irqchip_init(). Legal when neither was called. */
void arch_vm_destroy(struct vm *vm);

/* vcpu->fd and vcpu->run are ready. Features and extensions are settled here. */
int arch_vcpu_create(struct vcpu *vcpu) LKVM_MUST_CHECK;
/* Legal when arch_vcpu_create() failed or was not called. */
void arch_vcpu_destroy(struct vcpu *vcpu);

/* Also sets vm->msi when this irqchip delivers MSIs. */
int arch_irqchip_init(struct vm *vm) LKVM_MUST_CHECK;

/* The wired line @irq as numbered in struct machine. After arch_irqchip_init(). */
struct irq_line arch_irq_line(struct vm *vm, uint32_t irq);

/* Devices of the platform beyond UART, pvpanic, PCI host and virtio (which vm.c makes from vm->machine). */
int arch_devices_create(struct vm *vm) LKVM_MUST_CHECK;

/*
 * Where the kernel image (vm->cfg->kernel) or firmware goes. Calls the arch's pure planner.
 */
int arch_image_plan(struct vm *vm, const struct image_file *img, struct image_plan *plan) LKVM_MUST_CHECK;
int arch_firmware_plan(struct vm *vm, const struct image_file *img, struct image_plan *plan)
	LKVM_MUST_CHECK;

/* The first address above which no initrd may lie (exclusive), 0 if there is no such limit. */
gpa_t arch_initrd_limit(const struct vm *vm);

/*
 * What the kernel's command line starts with unless --nodefaults: the console and what the platform
 * needs. Written to @buf.
 */
void arch_default_cmdline(const struct vm *vm, char *buf, size_t size);

/* Writes the device tree or boot tables into guest memory; sets vm->boot.fdt. Honours --dump-dtb. */
int arch_boot_prepare(struct vm *vm) LKVM_MUST_CHECK;

/* Sets the registers with which @vcpu enters the guest, from vm->boot; secondary CPUs wait. */
int arch_vcpu_reset(struct vcpu *vcpu) LKVM_MUST_CHECK;

/*
 * An exit that the generic code does not serve itself (it does MMIO, IO, INTR, SYSTEM_EVENT). vCPU's
 * thread.
 */
enum vcpu_exit_action arch_vcpu_exit(struct vcpu *vcpu);

/* True if a KVM_SYSTEM_EVENT_{SHUTDOWN,RESET} in @run carries the guest's word that it failed. vCPU's thread. */
bool arch_event_is_failure(const struct kvm_run *run);

/* Reads the program counter. vCPU's thread. 0 or -errno. Silent. */
int arch_vcpu_pc(struct vcpu *vcpu, uint64_t *pc) LKVM_MUST_CHECK;

/*
 * Fills @set (cleared by the caller) with general and telling system registers, by their ABI names; what
 * KVM does not give is marked unknown. Also says who runs (user), whether KVM has it halted, byte order and
 * width of the code, and how frames are linked. vCPU's thread. Silent.
 */
void arch_vcpu_regs(struct vcpu *vcpu, struct reg_set *set);

/*
 * Whether data accesses of @vcpu are big-endian now: the byte order of legacy virtio. vCPU's thread. Silent: what
 * KVM does not tell is little-endian.
 */
bool arch_vcpu_big_endian(struct vcpu *vcpu);

/*
 * Walks @va through the vCPU's own translation, as instruction fetches see it with @fetch. Always fills @w;
 * what can't be done is WALK_UNKNOWN with the reason. vCPU's thread. Silent.
 */
void arch_vcpu_translate(struct vcpu *vcpu, uint64_t va, bool fetch, struct walk *w);

/* <arch>_exit_decode(). Any thread. */
void arch_exit_decode(const struct exit_info *info, struct exit_record *rec);

/*
 * What this host offers beyond generic capabilities, for `lkvm doctor`: one doctor_say() per fact. @kvm_fd is open,
 * @vm_fd is a throw-away VM or -1.
 */
void arch_doctor(const struct doctor *d, int kvm_fd, int vm_fd);

/*
 * A tiny flat guest that powers off, for doctor's proof that guests run: code, its size and
 * where it is to be loaded (relative to the arch's firmware address it starts at byte 0).
 */
const void *arch_probe_guest(size_t *size_bytes);
/* What it does before that, where doctor puts the register: to see how fast guests execute. */
extern const struct doctor_work arch_probe_work;

/*
 * Every register that KVM keeps of a vCPU, by the arch's ids (KVM's own where it has ONE_REG for all, MSR
 * numbers on x86): their list (free() it), size, and value in host order. 0 or -errno, all silent. The
 * name of an id that this build does not know is "". vCPU's thread; arch_reg_name() and _bytes() any.
 */
int arch_reg_ids(struct vcpu *vcpu, uint64_t **ids, size_t *nr) LKVM_MUST_CHECK;
size_t arch_reg_bytes(uint64_t id);
int arch_reg_get(struct vcpu *vcpu, uint64_t id, void *value) LKVM_MUST_CHECK;
int arch_reg_set(struct vcpu *vcpu, uint64_t id, const void *value) LKVM_MUST_CHECK;
void arch_reg_name(uint64_t id, char *buf, size_t size);

/* One of the guest's own performance counters, as it runs now. */
struct guest_counter {
	char     name[48]; /* the counter and what it counts: "PMEVCNTR0 INST_RETIRED" */
	uint64_t value;
	bool     unset;    /* it runs, but from a value that the guest has not chosen: no count */
};
#define GUEST_COUNTER_MAX 40

/*
 * The counters that the guest has running on @vcpu, at most @max; returns how many. -ENOTSUP: KVM does not show
 * them, @missing says so for people (static); -errno. Silent. vCPU's thread.
 */
int arch_guest_counters(struct vcpu *vcpu, struct guest_counter *counters, size_t max, const char **missing);

/*
 * Why the host's kernel does not tell what is a guest's from what is its own, as a clause: in hardware perf events
 * of a vCPU's thread, and in the thread's time. NULL: it does.
 */
extern const char *const arch_no_guest_events, *const arch_no_guest_time;

/* The guest that does the operations of probe.h (guest/probe-ARCH.S) and its size; NULL if this arch has none. */
const void *arch_probe_payload(size_t *size_bytes);

/*
 * What the PMU of a guest on @host offers, asked from inside, for `lkvm pmu list`. A host without one is no error:
 * then @list says why. 0 or -errno (reported).
 */
int arch_pmu_list(const struct probe_host *host, struct pmu_list *list) LKVM_MUST_CHECK;

#endif
