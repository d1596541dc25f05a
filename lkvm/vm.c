// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lkvm/arch.h"
#include "lkvm/byteorder.h"
#include "lkvm/clock.h"
#include "lkvm/command.h"
#include "lkvm/guest-files.h"
#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "lkvm/report.h"
#include "lkvm/size.h"
#include "lkvm/vm-balloon.h"
#include "lkvm/vm-command.h"
#include "lkvm/vm-fs.h"
#include "lkvm/vm-stat.h"

/* How long a guest may go on printing after the first line of a panic before it is stopped. */
#define PANIC_GRACE_SECONDS 5

/* How long the console may take to get rid of its output once the run has been cut short. */
#define CONSOLE_STOP_WAIT_MS 1000

/* When a file that the guest was loaded from is about to change: how often the guest is asked to stop, how long. */
#define FILES_TRIES    5
#define FILES_PAUSE_MS 100

/* ---- KVM ---------------------------------------------------------------------------------------- */

static const char *open_advice(const char *dev, int err)
{
	struct stat st;

	if (err != EACCES && err != EPERM)
		return "`lkvm doctor` says what this host needs";
	/* Groups help only where the node lets its group in. */
	if (!stat(dev, &st) && (st.st_mode & 060) != 060)
		return "its mode keeps everybody but its owner out: as root, chgrp kvm and chmod 660 it, then join "
		       "group kvm";
	return "add yourself to group kvm, or run `lkvm doctor`";
}

static int open_kvm(struct vm *vm)
{
	const struct kvm_cap_need *need;
	size_t nr;
	int version;

	vm->kvm_fd = kvm_sys_open(vm->cfg->dev);
	if (vm->kvm_fd < 0) {
		int err = -vm->kvm_fd;

		log_error("cannot open %s: %s (%s)", vm->cfg->dev, strerror(err),
			  open_advice(vm->cfg->dev, err));
		return -err;
	}
	version = kvm_ioctl_val(vm->kvm_fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION) {
		if (version < 0)
			log_error("%s is no KVM device: KVM_GET_API_VERSION: %s", vm->cfg->dev,
				  strerror(-version));
		else
			log_error("%s speaks KVM API version %d, lkvm speaks %d", vm->cfg->dev, version,
				  KVM_API_VERSION);
		return version < 0 ? version : -EPROTO;
	}
	need = arch_required_caps(&nr);
	for (size_t i = 0; i < nr; i++) {
		if (kvm_check_cap(vm->kvm_fd, need[i].cap) > 0)
			continue;
		log_error("this host's KVM lacks %s, needed to %s (`lkvm doctor` lists all)",
			  need[i].name, need[i].purpose);
		return -ENOSYS;
	}
	return 0;
}

static int create_kvm_vm(struct vm *vm)
{
	int ret = arch_vm_type(vm, &vm->vm_type);

	if (ret)
		return ret;
	do {
		/* A signal that is pending makes some kernels give up half-way. */
		vm->fd = kvm_ioctl_val(vm->kvm_fd, KVM_CREATE_VM, vm->vm_type);
	} while (vm->fd == -EINTR);
	if (vm->fd < 0) {
		log_error("cannot create a VM: KVM_CREATE_VM: %s (`lkvm doctor` says what this host offers)",
			  strerror(-vm->fd));
		return vm->fd;
	}
	ret = kvm_ioctl_val(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (ret < (int)sizeof(struct kvm_run)) {
		log_error("cannot create a VM: KVM_GET_VCPU_MMAP_SIZE gives %d", ret);
		return ret < 0 ? ret : -EPROTO;
	}
	vm->run_bytes = (size_t)ret;
	return 0;
}

static int set_memslot(struct vm *vm, size_t slot_nr, const struct memory_region *r, uint64_t size_bytes)
{
	struct kvm_userspace_memory_region slot = {
		.slot = (uint32_t)slot_nr,
		.flags = r->readonly ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = r->gpa,
		.memory_size = size_bytes,
		.userspace_addr = (uintptr_t)r->host,
	};

	return kvm_ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot);
}

int vm_add_memslot(struct vm *vm, const struct memory_region *r)
{
	int ret = set_memslot(vm, (size_t)(r - vm->memory.regions), r, r->size_bytes);
	char size[SIZE_TEXT_BYTES];

	if (ret)
		log_error("KVM refuses %s of %s at 0x%llx: %s (less --mem may do)", r->name,
			  size_text(size, r->size_bytes), (unsigned long long)r->gpa, strerror(-ret));
	return ret;
}

int vm_add_device_memslot(struct vm *vm, unsigned int nr, const struct memory_region *r)
{
	int ret = set_memslot(vm, MEMORY_MAX_REGIONS + nr, r, r->size_bytes);

	if (ret)
		log_error("KVM refuses the %s at 0x%llx: %s", r->name, (unsigned long long)r->gpa, strerror(-ret));
	return ret;
}

int vm_remove_memslot(struct vm *vm, const struct memory_region *r)
{
	/* KVM-API 4.35: a size of 0 deletes it */
	int ret = set_memslot(vm, (size_t)(r - vm->memory.regions), r, 0);

	if (ret)
		log_error("KVM does not give back %s at 0x%llx: %s", r->name, (unsigned long long)r->gpa,
			  strerror(-ret));
	return ret;
}

/* virtiofsd is to have it, too. */
static bool shares_memory(const struct vm *vm)
{
	bool share = vm->root.virtiofs;

	for (unsigned int i = 0; i < vm->cfg->nr_shares; i++)
		share |= vm->cfg->shares[i].virtiofs;
	return share;
}

static int create_memory(struct vm *vm)
{
	int ret;

	for (unsigned int i = 0; i < vm->machine.nr_ram; i++) {
		const struct machine_range *ram = &vm->machine.ram[i];

		ret = memory_add(&vm->memory, "ram", ram->base, ram->size_bytes, false,
				 vm->cfg->hugetlbfs);
		if (ret)
			return ret;
	}
	/* Slots are numbered by position, so they are registered once the table is complete. */
	for (unsigned int i = 0; i < vm->memory.nr_regions; i++) {
		ret = vm_add_memslot(vm, &vm->memory.regions[i]);
		if (ret)
			return ret;
	}
	place_init(&vm->place, &vm->machine);
	return 0;
}

/*
 * KVM compares what the guest wrote as a number of the host's byte order (virt/kvm/eventfd.c:
 * ioeventfd_in_range()), but the registers that have doorbells are little-endian.
 */
static uint64_t le_register_as_native(uint64_t value, unsigned int len)
{
	uint8_t bytes[8];
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	put_le(bytes, sizeof(bytes), value);
	memcpy(&v16, bytes, sizeof(v16));
	memcpy(&v32, bytes, sizeof(v32));
	memcpy(&v64, bytes, sizeof(v64));
	return len == 1 ? bytes[0] : len == 2 ? v16 : len == 4 ? v32 : v64;
}

static int ioevent_request(struct vm *vm, gpa_t addr, unsigned int len, bool has_match,
			   uint64_t match, int eventfd, uint32_t flags)
{
	struct kvm_ioeventfd io = {
		.datamatch = has_match ? le_register_as_native(match, len) : 0,
		.addr = addr,
		.len = len,
		.fd = eventfd,
		.flags = flags | (has_match ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0),
	};

	return kvm_ioctl(vm->fd, KVM_IOEVENTFD, &io);
}

static int ioevent_bind(void *ctx, gpa_t addr, unsigned int len, bool has_match, uint64_t match,
			int eventfd)
{
	return ioevent_request(ctx, addr, len, has_match, match, eventfd, 0);
}

static void ioevent_unbind(void *ctx, gpa_t addr, unsigned int len, bool has_match, uint64_t match,
			   int eventfd)
{
	int ret = ioevent_request(ctx, addr, len, has_match, match, eventfd,
				  KVM_IOEVENTFD_FLAG_DEASSIGN);

	if (ret)
		log_debug("cannot remove the doorbell at 0x%llx: %s", (unsigned long long)addr,
			  strerror(-ret));
}

static int create_vcpus(struct vm *vm)
{
	unsigned int nr = vm->machine.nr_cpus;
	int max = nr > 1 ? kvm_check_cap(vm->kvm_fd, KVM_CAP_MAX_VCPUS) : 1;
	int ret;

	/* KVM_CAP_MAX_VCPUS is newer than KVM_CAP_NR_VCPUS; a host with neither guarantees 4. */
	if (!max)
		max = kvm_check_cap(vm->kvm_fd, KVM_CAP_NR_VCPUS);
	if (!max)
		max = 4;
	if (nr > (unsigned int)max) {
		log_error("--cpus %u: this host's KVM runs at most %d vCPUs in a VM", nr, max);
		return -EINVAL;
	}
	vm->vcpus = calloc(nr, sizeof(*vm->vcpus));
	if (!vm->vcpus) {
		log_error("out of memory for %u vCPUs", nr);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < nr; i++) {
		ret = vcpu_create(vm, i, &vm->vcpus[i]);
		if (ret)
			return ret;
		vm->nr_vcpus++;
	}
	return 0;
}

/* ---- images ------------------------------------------------------------------------------------- */

/* Once only: it may be a pipe. */
static int open_image(struct vm *vm)
{
	const struct config *cfg = vm->cfg;

	return cfg->kernel ? image_open(&vm->image, cfg->kernel, "kernel") :
			     image_open(&vm->image, cfg->firmware, "firmware");
}

static int load_kernel(struct vm *vm)
{
	const struct memory_region *region;
	bool firmware = !vm->cfg->kernel;
	struct image_plan plan = { 0 };
	struct image_file *img = &vm->image;
	int ret;

	ret = firmware ? arch_firmware_plan(vm, img, &plan) : arch_image_plan(vm, img, &plan);
	if (ret)
		return ret;
	/* Memory that is not RAM has no other use. */
	region = memory_find(&vm->memory, plan.start);
	if (!region || !region->readonly)
		ret = place_reserve(&vm->place, firmware ? "firmware" : "kernel", plan.start, plan.size_bytes);
	if (ret)
		return ret;
	ret = image_load_plan(img, &plan, &vm->memory);
	if (ret)
		return ret;
	vm->boot.entry = plan.entry;
	vm->boot.kernel_start = plan.start;
	vm->boot.kernel_bytes = plan.size_bytes;
	vm->boot.firmware = firmware;
	memcpy(vm->boot.arch, plan.arch, sizeof(vm->boot.arch));
	log_info("%s %s (%s%s%s) at 0x%llx, entry 0x%llx", firmware ? "firmware" : "kernel", img->path,
		 plan.format, img->packing[0] ? ", " : "", img->packing,
		 (unsigned long long)plan.start, (unsigned long long)plan.entry);
	image_close(img);
	return 0;
}

static int load_initrd(struct vm *vm)
{
	int own_fd = -1;
	int ret;

	if (vm->cfg->command) {
		ret = guest_files_pack(vm->cfg, vm->cfg->root ? &vm->root : NULL, &own_fd);
		if (ret)
			return ret;
	}
	ret = image_load_initrds(vm->cfg->initrds, vm->cfg->nr_initrds, own_fd, &vm->memory, &vm->place,
				 arch_initrd_limit(vm), &vm->boot.initrd, &vm->boot.initrd_bytes);
	if (own_fd >= 0)
		close(own_fd);
	return ret;
}

static int make_cmdline(struct vm *vm)
{
	char defaults[512] = "";
	const char *params = vm->cfg->params ? vm->cfg->params : "";

	if (!vm->cfg->nodefaults)
		arch_default_cmdline(vm, defaults, sizeof(defaults));
	if (asprintf(&vm->boot.cmdline, "%s%s%s%s%s", defaults, defaults[0] && params[0] ? " " : "", params,
		     vm->cfg->command && (defaults[0] || params[0]) ? " " : "",
		     vm->cfg->command ? VM_COMMAND_PARAMS : "") < 0) {
		vm->boot.cmdline = NULL;
		log_error("out of memory for the kernel command line");
		return -ENOMEM;
	}
	return 0;
}

/* ---- main loop ---------------------------------------------------------------------------------- */

static void on_timeout(void *opaque, uint32_t events)
{
	struct vm *vm = opaque;

	(void)events;
	vm_request_stop(vm, OUTCOME_TIMEOUT, 0, "--timeout of %llu.%03llu s ran out",
			(unsigned long long)(vm->cfg->timeout_ms / 1000),
			(unsigned long long)(vm->cfg->timeout_ms % 1000));
}

static void on_panic_grace_over(void *opaque, uint32_t events)
{
	struct vm *vm = opaque;

	(void)events;
	vm_request_stop(vm, OUTCOME_PANIC, 0, "%s", vm->panic_text);
}

/* While nobody else writes to guest memory. False if somebody goes on with that. */
static bool keep_files(struct vm *vm)
{
	bool frozen;
	int ret = 0;

	if (vm_pause(vm, FILES_PAUSE_MS))
		return false;
	frozen = device_list_freeze(&vm->devices);
	if (frozen) {
		ret = memory_keep_files(&vm->memory);
		device_list_thaw(&vm->devices);
	}
	vm_resume(vm);
	if (ret)
		log_debug("cannot copy what the guest was loaded with: %s", strerror(-ret));
	return frozen && !ret;
}

/* Who wants to change the file waits for us. */
static void on_file_change(struct vm *vm)
{
	for (unsigned int i = 0; i < FILES_TRIES; i++)
		if (keep_files(vm))
			return;
	log_warning("a file that the guest was loaded from is being changed, and the guest will see it: it may crash (make "
		    "the new file under another name, and rename it)");
	memory_let_files_go(&vm->memory);
}

static void on_signal(void *opaque, uint32_t events)
{
	struct vm *vm = opaque;
	struct signalfd_siginfo info;
	struct sigaction sa;

	(void)events;
	if (read(vm->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if ((int)info.ssi_signo == vm->memory.lease_signal) {
		on_file_change(vm);
		return;
	}
	/* Shells start what runs in the background with SIGQUIT ignored; here it ends nothing. */
	if (info.ssi_signo == SIGQUIT) {
		report_live_stderr(vm);
		return;
	}
	/* What nohup or a background shell ignores stays ignored, though a signalfd gets it. */
	if (!sigaction((int)info.ssi_signo, NULL, &sa) && sa.sa_handler == SIG_IGN)
		return;
	switch (info.ssi_signo) {
	case SIGTSTP:
		console_restore_terminal();
		raise(SIGSTOP);
		return;
	case SIGCONT:
		console_continue(vm->console);
		return;
	}
	vm_request_stop(vm, OUTCOME_STOPPED, (int)info.ssi_signo, "stopped by signal %u (%s)",
			info.ssi_signo, strsignal((int)info.ssi_signo));
}

void vm_guest_panicked(struct vm *vm, const char *line, bool final)
{
	bool first;

	pthread_mutex_lock(&vm->vcpu_lock);
	first = !vm->panic_text[0];
	if (first) {
		snprintf(vm->panic_text, sizeof(vm->panic_text), "%s", line);
		/* The one to look at; pvpanic and hvc0 have other threads speak for it. */
		vm->panic_vcpu = vcpu_current();
	}
	pthread_mutex_unlock(&vm->vcpu_lock);

	if (first && vm->cfg->on_panic == ON_PANIC_REPORT)
		report_request(vm->panic_vcpu ? vm->panic_vcpu : vm->vcpus[0]);
	if (final)
		vm_request_stop(vm, OUTCOME_PANIC, 0, "%s", vm->panic_text);
	else if (first)
		loop_timer_set(vm->loop, &vm->panic_timer, PANIC_GRACE_SECONDS * 1000, 0, on_panic_grace_over, vm);
}

static void on_console_panic(void *opaque, const char *line, bool final)
{
	vm_guest_panicked(opaque, line, final);
}

static bool has_panicked(struct vm *vm)
{
	bool yes;

	pthread_mutex_lock(&vm->vcpu_lock);
	yes = vm->panic_text[0] != '\0';
	pthread_mutex_unlock(&vm->vcpu_lock);
	return yes;
}

static void on_console_line(void *opaque, const char *line)
{
	static const char rebooting[] = "Rebooting in ";
	struct vm *vm = opaque;

	vm_watch_line(vm, line);
	/*
	 * With panic=N this takes the place of the closing line, and the CPU is still in panic(): once it has
	 * rebooted, there is nothing left to see.
	 */
	if (!strncmp(splat_text(line), rebooting, sizeof(rebooting) - 1) && has_panicked(vm))
		vm_guest_panicked(vm, line, true);
}

static void on_console_quit(void *opaque)
{
	vm_request_stop(opaque, OUTCOME_STOPPED, SIGINT, "stopped from the terminal");
}

static void on_console_debug(void *opaque)
{
	report_live_stderr(opaque);
}

static int create_loop(struct vm *vm)
{
	int ret = loop_create(&vm->loop);

	if (ret)
		log_error("cannot set up the event loop: %s", strerror(-ret));
	else if (vm->cfg->timeout_ms)
		loop_timer_set(vm->loop, &vm->timeout_timer, config_timeout_left_ms(vm->cfg), 0, on_timeout, vm);
	return ret;
}

/*
 * From here on signals that end or stop a run are events of the loop. Threads inherit the mask, so
 * this comes before any of them. Until then, and after release_signals(), they end the process as they
 * always do: main.c.
 */
static int take_signals(struct vm *vm)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGTSTP, SIGCONT, SIGQUIT };
	sigset_t set;
	int ret;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	sigaddset(&set, vm->memory.lease_signal);
	pthread_sigmask(SIG_BLOCK, &set, &vm->old_sigmask);
	vm->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	ret = vm->signal_fd < 0 ? -errno : loop_add(vm->loop, vm->signal_fd, EPOLLIN, on_signal, vm);
	if (ret)
		log_error("cannot watch for signals: %s", strerror(-ret));
	return ret;
}

/*
 * See memory.h on leases. The signal is read with the others once the VM runs; it stays blocked for good, because
 * one may still be on its way when the leases are gone.
 */
static void watch_files(struct vm *vm)
{
	sigset_t set;

	vm->memory.lease_signal = SIGRTMIN + 1; /* SIGRTMIN is for kicks */
	sigemptyset(&set);
	sigaddset(&set, vm->memory.lease_signal);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void release_signals(struct vm *vm)
{
	pthread_sigmask(SIG_SETMASK, &vm->old_sigmask, NULL);
	if (vm->signal_fd < 0)
		return;
	loop_del(vm->loop, vm->signal_fd);
	close(vm->signal_fd);
	vm->signal_fd = -1;
}

static int create_console(struct vm *vm)
{
	struct console_options opt = {
		.out_fd = STDOUT_FILENO,
		.in_fd = STDIN_FILENO,
		.loop = vm->loop,
		.on_panic = on_console_panic,
		.on_line = on_console_line,
		.on_quit = on_console_quit,
		.on_debug = on_console_debug,
		.opaque = vm,
	};

	/* Standard input and output are the command's. */
	if (vm->cfg->command) {
		opt.out_fd = STDERR_FILENO;
		opt.in_fd = -1;
	}
	if (vm->cfg->console_log) {
		vm->console_log_fd = open(vm->cfg->console_log,
					  O_WRONLY | O_CREAT | O_CLOEXEC |
					  (vm->cfg->console_log_append ? O_APPEND : O_TRUNC),
					  0666);
		if (vm->console_log_fd < 0) {
			int err = errno;

			log_error("--console-log: cannot open %s: %s", vm->cfg->console_log,
				  strerror(err));
			return -err;
		}
		opt.out_fd = vm->console_log_fd;
	}
	return console_create(&vm->console, &opt);
}

/* ---- life --------------------------------------------------------------------------------------- */

/* What KVM has of the VM, before anything is put into it. -ERESTART: vm_drop_pmu() was called. */
static int create_machine(struct vm *vm)
{
	int ret;

	memset(&vm->machine, 0, sizeof(vm->machine));
	memory_init(&vm->memory);
	vm->memory.share = shares_memory(vm);
	bus_init(&vm->mmio, "mmio");
	bus_init(&vm->pio, "pio");

	ret = arch_machine_init(vm);
	if (ret)
		return ret;
	ret = create_kvm_vm(vm);
	if (ret)
		return ret;
	ret = arch_vm_create(vm);
	if (ret)
		return ret;
	ret = create_memory(vm);
	if (ret)
		return ret;
	ret = create_vcpus(vm);
	return ret ? ret : arch_irqchip_init(vm);
}

static void destroy_machine(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		vcpu_destroy(vm->vcpus[i]);
	vm->nr_vcpus = 0;
	free(vm->vcpus);
	vm->vcpus = NULL;
	arch_vm_destroy(vm);
	kvm_sys_close(vm->fd);
	vm->fd = -1;
	memory_exit(&vm->memory);
}

int vm_drop_pmu(struct vm *vm, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	log_info("no PMU in the guest: %s", why);
	vm->pmu = CONFIG_OFF;
	return -ERESTART;
}

int vm_create(struct vm **out, const struct config *cfg)
{
	struct vm *vm = malloc(sizeof(*vm));
	int ret;

	if (!vm) {
		log_error("out of memory for the VM");
		return -ENOMEM;
	}
	memset(vm, 0, offsetof(struct vm, watch.splats.quotes));
	vm->cfg = cfg;
	vm->pmu = cfg->pmu;
	vm->kvm_fd = -1;
	vm->fd = -1;
	vm->signal_fd = -1;
	vm->console_log_fd = -1;
	vm->image.fd = -1;
	pthread_mutex_init(&vm->vcpu_lock, NULL);
	pthread_cond_init(&vm->vcpu_cond, NULL);
	ret = vm_watch_init(vm);
	if (ret)
		goto err;
	ret = open_kvm(vm);
	if (ret)
		goto err;
	ret = open_image(vm);
	if (ret)
		goto err;
	ret = cfg->root ? guest_root_choose(&vm->root, cfg, guest_root_no_virtiofs(cfg)) : 0;
	if (ret)
		goto err;
	ret = create_loop(vm);
	if (ret)
		goto err;
	ret = create_machine(vm);
	if (ret == -ERESTART) {
		destroy_machine(vm);
		ret = create_machine(vm);
	}
	if (ret)
		goto err;
	vm->ioevent = (struct ioevent_binder){ .ctx = vm };
	if (kvm_check_cap(vm->fd, KVM_CAP_IOEVENTFD) > 0) {
		vm->ioevent.bind = ioevent_bind;
		vm->ioevent.unbind = ioevent_unbind;
	}
	ret = create_console(vm);
	if (ret)
		goto err;
	ret = vm_devices_create(vm);
	if (ret)
		goto err;
	ret = arch_devices_create(vm);
	if (ret)
		goto err;
	watch_files(vm);
	ret = load_kernel(vm);
	if (ret)
		goto err;
	ret = load_initrd(vm);
	if (ret)
		goto err;
	ret = make_cmdline(vm);
	if (ret)
		goto err;
	ret = arch_boot_prepare(vm);
	if (ret)
		goto err;
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		ret = arch_vcpu_reset(vm->vcpus[i]);
		if (ret)
			goto err;
	}
	*out = vm;
	return 0;
err:
	vm_destroy(vm);
	return ret;
}

void vm_let_go(struct vm *vm)
{
	image_close(&vm->image);
	device_list_destroy(&vm->devices);
	vm_balloon_destroy(vm);
	vm_fs_destroy(vm);
	if (vm->cfg->hugetlbfs)
		memory_exit(&vm->memory);
}

void vm_destroy(struct vm *vm)
{
	if (!vm)
		return;
	vm_let_go(vm);
	vm_stat_forget(vm);
	console_destroy(vm->command_console);
	command_destroy(vm->command);
	vm_watch_exit(vm);
	console_destroy(vm->console);
	if (vm->console_log_fd >= 0)
		close(vm->console_log_fd);
	destroy_machine(vm);
	kvm_sys_close(vm->kvm_fd);
	loop_destroy(vm->loop);
	free(vm->boot.cmdline);
	pthread_cond_destroy(&vm->vcpu_cond);
	pthread_mutex_destroy(&vm->vcpu_lock);
	free(vm);
}

/* The guest went away, and the status of its command did not come: never a success. Under vcpu_lock. */
static void settle_command(struct vm *vm)
{
	struct outcome *o = &vm->outcome;

	if (o->kind == OUTCOME_POWEROFF || o->kind == OUTCOME_REBOOT) {
		snprintf(o->text, sizeof(o->text), "it %s before the command's status came",
			 o->kind == OUTCOME_POWEROFF ? "powered off" : "rebooted");
		o->kind = OUTCOME_LOST;
	} else if (o->kind == OUTCOME_STOPPED && !o->status) {
		o->status = SIGTERM;
	}
}

/*
 * A guest that panicked may then reboot (panic=-1), power off, fault three times (reboot=t) or hang: all of that is
 * still a panic. So is what lkvm stop ends, which would be a success.
 */
static bool hides_panic(const struct outcome *o)
{
	switch (o->kind) {
	case OUTCOME_POWEROFF:
	case OUTCOME_REBOOT:
	case OUTCOME_VCPU_FAILED:
	case OUTCOME_HUNG:
	case OUTCOME_LOST:
	case OUTCOME_TIMEOUT:
		return true;
	case OUTCOME_STOPPED:
		return !o->status;
	default:
		return false;
	}
}

/* Under vcpu_lock. */
static void settle_outcome(struct vm *vm)
{
	if (vm->cfg->command && !vm->panic_text[0])
		settle_command(vm);
	if (!vm->panic_text[0] || !hides_panic(&vm->outcome))
		return;
	vm->outcome.kind = OUTCOME_PANIC;
	vm->outcome.status = 0;
	memcpy(vm->outcome.text, vm->panic_text, sizeof(vm->outcome.text));
}

uint64_t vm_uptime_ms(const struct vm *vm)
{
	return vm->start_ms ? clock_now_ms() - vm->start_ms : 0;
}

int vm_run(struct vm *vm)
{
	int ret;

	ret = take_signals(vm);
	if (ret)
		goto out_signals;
	ret = console_start(vm->console);
	if (ret)
		goto out_signals;
	ret = device_list_start(&vm->devices);
	if (ret)
		goto out_console;
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		ret = vcpu_start(vm->vcpus[i]);
		if (ret) {
			vm_request_stop(vm, OUTCOME_START_FAILED, 0, "cannot start vCPU %u", i);
			goto out_vcpus;
		}
	}
	pthread_mutex_lock(&vm->vcpu_lock);
	vm->start_ms = clock_now_ms();
	vm->running = true;
	pthread_cond_broadcast(&vm->vcpu_cond);
	pthread_mutex_unlock(&vm->vcpu_lock);

	vm_watch_start(vm);
	ret = vm_progress_start(vm);
	if (ret) {
		vm_request_stop(vm, OUTCOME_START_FAILED, 0, "the guest cannot be watched");
		goto out_vcpus;
	}
	ret = loop_run(vm->loop);
	vm_progress_stop(vm);
	if (ret) {
		log_error("the event loop failed: %s", strerror(-ret));
		vm_request_stop(vm, OUTCOME_START_FAILED, 0, "the event loop failed");
	}
	release_signals(vm);
out_vcpus:
	vm_watch_stop(vm);
	vm_fs_hang_up(vm);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		vcpu_join(vm->vcpus[i]);
	report_print(vm);
	device_list_stop(&vm->devices);
out_console:
	console_stop(vm->console);
	/* The last, unfinished line of the console has been looked at now. */
	pthread_mutex_lock(&vm->vcpu_lock);
	settle_outcome(vm);
	pthread_mutex_unlock(&vm->vcpu_lock);
	vm_watch_settle(vm);
out_signals:
	release_signals(vm);
	return ret;
}

/* How long the console may take to get rid of its output, now that @kind ends the run. */
static void limit_console(struct vm *vm, enum outcome_kind kind)
{
	/*
	 * Who asks for an end does not want to wait for a stuck reader; the last words of a guest that ended by
	 * itself are kept for a slow one, within --timeout.
	 */
	if (kind == OUTCOME_TIMEOUT || kind == OUTCOME_STOPPED || kind == OUTCOME_HUNG)
		console_limit_wait(vm->console, CONSOLE_STOP_WAIT_MS);
	else if (vm->cfg->timeout_ms)
		console_limit_wait(vm->console, CONSOLE_STOP_WAIT_MS +
				   (unsigned int)MIN(loop_timer_left(vm->loop, &vm->timeout_timer),
						     (uint64_t)INT32_MAX));
}

void vm_request_stop(struct vm *vm, enum outcome_kind kind, int status, const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&vm->vcpu_lock);
	if (vm->outcome.kind == OUTCOME_NONE) {
		vm->outcome.kind = kind;
		vm->outcome.status = status;
		va_start(ap, fmt);
		vsnprintf(vm->outcome.text, sizeof(vm->outcome.text), fmt, ap);
		va_end(ap);
		settle_outcome(vm);
	}
	vm->stopping = true;
	limit_console(vm, kind);
	pthread_cond_broadcast(&vm->vcpu_cond);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		vcpu_kick(vm->vcpus[i]);
	pthread_mutex_unlock(&vm->vcpu_lock);
	loop_quit(vm->loop);
}

/* Under vcpu_lock. */
static void unpause(struct vm *vm)
{
	if (--vm->pause_count == 0)
		pthread_cond_broadcast(&vm->vcpu_cond);
}

int vm_pause(struct vm *vm, unsigned int timeout_ms)
{
	const struct timespec *deadline;
	struct timespec ts;
	int ret = 0;

	deadline = vcpu_deadline(&ts, timeout_ms);
	pthread_mutex_lock(&vm->vcpu_lock);
	vm->pause_count++;
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		vcpu_kick(vm->vcpus[i]);
	for (unsigned int i = 0; i < vm->nr_vcpus && !ret; i++)
		while (vm->vcpus[i]->state == VCPU_RUNNING && !ret)
			if (!vcpu_wait(vm, deadline))
				ret = -ETIMEDOUT;
	if (ret)
		unpause(vm);
	pthread_mutex_unlock(&vm->vcpu_lock);
	return ret;
}

void vm_resume(struct vm *vm)
{
	pthread_mutex_lock(&vm->vcpu_lock);
	unpause(vm);
	pthread_mutex_unlock(&vm->vcpu_lock);
}
