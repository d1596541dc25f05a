/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One virtual machine. All state hangs off struct vm; two VMs can live in one process.
 *
 * Life: vm_create() builds everything from a config, in the order that docs/architecture.md tells;
 * vm_run() starts devices and vCPUs and serves the main loop until an outcome is set, then stops both;
 * vm_destroy() undoes the creation in reverse.
 */
#ifndef LKVM_VM_H
#define LKVM_VM_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "lkvm/bus.h"
#include "lkvm/config.h"
#include "lkvm/console.h"
#include "lkvm/device.h"
#include "lkvm/guest-root.h"
#include "lkvm/image.h"
#include "lkvm/ioevent.h"
#include "lkvm/irq.h"
#include "lkvm/loop.h"
#include "lkvm/machine.h"
#include "lkvm/memory.h"
#include "lkvm/msi.h"
#include "lkvm/outcome.h"
#include "lkvm/place.h"
#include "lkvm/pvpanic.h"
#include "lkvm/types.h"
#include "lkvm/vcpu.h"
#include "lkvm/vm-watch.h"

struct arch_vm;
struct command;
struct vm_balloon;
struct vm_fs;
struct pci_host;
struct vm_progress;
struct vm_stat_kept;

/* What the boot CPU finds; filled while images are loaded, used by arch_vcpu_reset(). */
struct vm_boot {
	gpa_t    entry;
	gpa_t    kernel_start;
	uint64_t kernel_bytes;
	gpa_t    initrd;
	uint64_t initrd_bytes; /* 0: none */
	gpa_t    fdt;          /* device tree or the arch's own boot block */
	uint64_t fdt_bytes;
	char    *cmdline;      /* owned by the vm */
	bool     firmware;
	uint64_t arch[4];      /* as in struct image_plan */
};

/* Told what the vCPUs' threads do; each on the thread it is about. Either may be NULL. */
struct vm_observer {
	void (*vcpu_start)(void *ctx, struct vcpu *vcpu); /* before its first KVM_RUN */
	void (*vcpu_end)(void *ctx, struct vcpu *vcpu);   /* after its last */
	void *ctx;
};

struct vm {
	const struct config *cfg;  /* outlives the vm */
	int               kvm_fd;
	int               fd;
	size_t            run_bytes; /* size of kvm_run */
	struct arch_vm   *arch;      /* owned by <arch>/arch.c */
	unsigned long     vm_type;   /* argument of KVM_CREATE_VM */
	enum config_tristate pmu;    /* cfg->pmu; auto becomes off by vm_drop_pmu() */
	struct machine    machine;
	struct memory     memory;
	struct place      place;
	struct loop      *loop;      /* the main loop */
	struct console   *console;
	struct device_list devices;
	struct command   *command;   /* `-- CMD`; NULL: none */
	struct guest_root root;      /* with cfg->root */
	struct console   *command_console; /* host's end of its serial port; NULL: none */
	struct vm_balloon *balloon;  /* --balloon; NULL: none */
	struct vm_fs     *fs;        /* directories that virtiofsd serves, a list */
	struct pci_host  *pci;       /* NULL without PCI; owned by devices */
	struct pvpanic    pvpanic;
	struct msi_sink   msi;       /* .send == NULL: no MSI */
	struct ioevent_binder ioevent; /* .bind == NULL: no KVM_CAP_IOEVENTFD */
	struct image_file image;     /* kernel or firmware, open from arch_machine_init() until it is loaded */
	struct vm_boot    boot;

	struct vcpu     **vcpus;
	unsigned int      nr_vcpus;

	/* vCPU protocol, under vcpu_lock; vcpu_cond says that any of it changed. */
	pthread_mutex_t   vcpu_lock;
	pthread_cond_t    vcpu_cond;
	bool              running;   /* released by vm_run() */
	unsigned int      pause_count;
	_Atomic bool      stopping;
	bool              user_paused; /* through the control socket. Main thread only. */
	uint64_t          start_ms;  /* CLOCK_MONOTONIC when vm_run() released the vCPUs; 0: not yet */

	const struct vm_observer *observer; /* NULL: none. Set before vm_run(). */
	struct vm_stat_kept *stat_kept; /* of each vCPU: vm_stat_snapshot(); NULL: nobody asked */
	struct vm_progress *progress; /* NULL: no watchdog. Main thread only. */
	/* What the report is to begin with, under vcpu_lock; the first one wins. NULL: nothing to report. */
	struct vcpu      *culprit;
	bool              has_failure;
	struct vcpu      *panic_vcpu; /* said first that the guest panicked, under vcpu_lock; NULL: not known */

	struct outcome    outcome;   /* first one wins, under vcpu_lock */
	char              panic_text[200]; /* first line of a panic seen; "" if none. vcpu_lock */
	struct loop_timer timeout_timer; /* --timeout */
	struct loop_timer panic_timer;  /* how long a panicking guest may go on talking */
	int               signal_fd;    /* SIGTERM and friends, and memory.lease_signal */
	int               console_log_fd;
	sigset_t          old_sigmask;  /* before signal_fd took its signals; valid with loop */

	struct vm_watch   watch;
	/*
	 * From the end of watch on nothing is zeroed when a VM is made: it is large, most starts touch little of
	 * it, and every page that they touch costs them time.
	 */
	struct exit_record failure;     /* of culprit, if has_failure */
	struct bus        pio;
	struct bus        mmio;
};

/* Builds the machine. 0 or -errno; everything reported, nothing left behind on failure. */
int vm_create(struct vm **vm, const struct config *cfg) LKVM_MUST_CHECK;
void vm_destroy(struct vm *vm);

/*
 * The part of vm_destroy() that others may wait for: disks are unlocked, virtiofsd has ended, huge pages are back.
 * A process that ends next may leave the rest to the kernel, which takes a whole process apart in less time than it
 * does its parts. The guest has ended; of @vm only vm_destroy() may be called.
 */
void vm_let_go(struct vm *vm);

/*
 * With --pmu=auto, where KVM refuses the PMU that it promised: the guest goes without one. KVM takes no feature
 * back, so vm_create() starts over, with vm->pmu off, once the caller has passed up what this returns: -ERESTART.
 * From arch_vm_create(), arch_vcpu_create() and arch_irqchip_init(), only while vm->pmu is auto. @fmt says why, as
 * a clause.
 */
int vm_drop_pmu(struct vm *vm, const char *fmt, ...) LKVM_MUST_CHECK LKVM_PRINTF(2, 3);

/* Runs the guest until vm->outcome is set. Returns 0, or -errno if it could not be started (reported). */
int vm_run(struct vm *vm) LKVM_MUST_CHECK;

/*
 * Sets the outcome (the first caller wins) and makes everything stop. Any thread; returns at once.
 * @fmt is the line for people.
 */
void vm_request_stop(struct vm *vm, enum outcome_kind kind, int status, const char *fmt, ...)
	LKVM_PRINTF(4, 5);

/*
 * The guest said that it panicked: @line is what it said. The VM stops with OUTCOME_PANIC, if @final at once, else
 * after a few seconds in which the guest may finish its message. Any thread.
 */
void vm_guest_panicked(struct vm *vm, const char *line, bool final);

/*
 * Parks all vCPUs outside KVM_RUN and waits until they are; nests. Returns 0, or -ETIMEDOUT if one of them did not
 * park within @timeout_ms (or VCPU_WAIT_FOREVER), as it serves a device that is stuck: then nothing is paused. Not
 * from a vCPU thread.
 */
int vm_pause(struct vm *vm, unsigned int timeout_ms) LKVM_MUST_CHECK;
void vm_resume(struct vm *vm);

/* How long the guest has been running, pauses included. */
uint64_t vm_uptime_ms(const struct vm *vm);

/*
 * The no-progress watchdog: looks at vCPUs that burn CPU time without exits. Started when the vCPUs run, on the
 * main loop; vm-progress.c. Start: 0 or -errno (reported). Stop is legal if never started.
 */
int vm_progress_start(struct vm *vm) LKVM_MUST_CHECK;
void vm_progress_stop(struct vm *vm);

/*
 * Registers region @r of guest memory as memslot, and takes it back: then accesses are exits. vm_create() registers
 * all regions that exist after arch_vm_create(). Any thread. 0 or -errno (reported).
 */
int vm_add_memslot(struct vm *vm, const struct memory_region *r) LKVM_MUST_CHECK;
int vm_remove_memslot(struct vm *vm, const struct memory_region *r) LKVM_MUST_CHECK;
/*
 * Registers the arch's memslot @nr (from 0 on): pages of a KVM device, which are no memory to lkvm and its devices.
 * 0 or -errno (reported).
 */
int vm_add_device_memslot(struct vm *vm, unsigned int nr, const struct memory_region *r) LKVM_MUST_CHECK;

/*
 * Makes the devices that config and machine ask for (UART, pvpanic, PCI host, virtio) and puts them on
 * the buses; vm-devices.c. Called once by vm_create(). 0 or -errno (reported).
 */
int vm_devices_create(struct vm *vm) LKVM_MUST_CHECK;

#endif
