// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/vcpu.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lkvm/arch.h"
#include "lkvm/clock.h"
#include "lkvm/cpulist.h"
#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "lkvm/report.h"
#include "lkvm/vm.h"

struct vcpu_call {
	void (*fn)(struct vcpu *vcpu, void *arg);
	void *arg;
	bool  done;
	struct vcpu_call *next;
};

static __thread struct vcpu *current_vcpu;

struct vcpu *vcpu_current(void)
{
	return current_vcpu;
}

static int kick_signal(void)
{
	return SIGRTMIN;
}

/*
 * Runs on the kicked thread. Setting immediate_exit here, and not in vcpu_kick(), is what closes the race:
 * whether the signal comes before, in or after KVM_RUN, the next KVM_RUN returns EINTR.
 */
static void kick_handler(int sig)
{
	(void)sig;
	if (current_vcpu)
		current_vcpu->run->immediate_exit = 1;
}

/* KVM_CREATE_VCPU said @err. */
static int create_failed(struct vm *vm, unsigned int index, int err)
{
	/* KVM on x86 with the mediated PMU: it and perf events that count guests too exclude each other. */
	bool pmu_taken = err == -EBUSY && vm->pmu != CONFIG_OFF;

	if (pmu_taken && vm->pmu == CONFIG_AUTO)
		return vm_drop_pmu(vm, "perf events of the host that also count guests hold the PMU");
	log_error("cannot create vCPU %u: %s (%s)", index, strerror(-err),
		  pmu_taken ? "perf events of the host that also count guests hold the PMU: end them, or use "
			      "--pmu=auto" :
			      "`lkvm doctor` shows how many this host offers");
	return err;
}

int vcpu_create(struct vm *vm, unsigned int index, struct vcpu **out)
{
	struct vcpu *vcpu = calloc(1, sizeof(*vcpu));
	int ret;

	if (!vcpu) {
		log_error("out of memory for vCPU %u", index);
		return -ENOMEM;
	}
	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->fd = kvm_ioctl_val(vm->fd, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0) {
		ret = create_failed(vm, index, vcpu->fd);
		goto err;
	}
	ret = kvm_sys_map_run(vcpu->fd, vm->run_bytes, &vcpu->run);
	if (ret) {
		log_error("cannot map kvm_run of vCPU %u: %s", index, strerror(-ret));
		goto err;
	}
	ret = arch_vcpu_create(vcpu);
	if (ret)
		goto err;
	*out = vcpu;
	return 0;
err:
	vcpu_destroy(vcpu);
	return ret;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	if (!vcpu)
		return;
	arch_vcpu_destroy(vcpu);
	kvm_sys_unmap_run(vcpu->run, vcpu->vm->run_bytes);
	kvm_sys_close(vcpu->fd);
	free(vcpu);
}

/* Serves queued calls. Called and returns with vm->vcpu_lock held; drops it meanwhile. */
static void serve_calls(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct vcpu_call *call;

	while ((call = vcpu->calls)) {
		vcpu->calls = call->next;
		pthread_mutex_unlock(&vm->vcpu_lock);
		call->fn(vcpu, call->arg);
		pthread_mutex_lock(&vm->vcpu_lock);
		call->done = true;
		pthread_cond_broadcast(&vm->vcpu_cond);
	}
}

/* Parks while the VM is not released or paused, or the vCPU is offline. Returns false when the thread is to end. */
static bool serve_requests(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	bool go_on;

	pthread_mutex_lock(&vm->vcpu_lock);
	for (;;) {
		atomic_store(&vcpu->kicked, false);
		serve_calls(vcpu);
		if (vm->stopping || (vm->running && !vm->pause_count && !vcpu->offline))
			break;
		if (vcpu->state != VCPU_PARKED) {
			vcpu->state = VCPU_PARKED;
			pthread_cond_broadcast(&vm->vcpu_cond);
		}
		pthread_cond_wait(&vm->vcpu_cond, &vm->vcpu_lock);
	}
	go_on = !vm->stopping;
	if (go_on)
		vcpu->state = VCPU_RUNNING;
	pthread_mutex_unlock(&vm->vcpu_lock);
	return go_on;
}

static void count_exit(struct vcpu *vcpu, uint32_t reason)
{
	_Atomic uint64_t *slot = &vcpu->exits[MIN(reason, VCPU_EXIT_SLOTS - 1u)];

	/* The only writer is this thread, so no atomic add is needed, just an untorn store. */
	atomic_store_explicit(slot, atomic_load_explicit(slot, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

/* A guest may probe where nothing is: reads give ones, writes go nowhere, and both are counted. */
static void unclaimed_access(struct vcpu *vcpu, const char *space, uint64_t addr, unsigned int len,
			     bool is_write)
{
	atomic_fetch_add_explicit(&vcpu->mmio_unclaimed, 1, memory_order_relaxed);
	if (vcpu->vm->cfg->debug_mmio)
		log_message(LOG_WARNING, "vCPU %u: %s of %u bytes at %s 0x%llx: no device there",
			    vcpu->index, is_write ? "write" : "read", len, space,
			    (unsigned long long)addr);
}

static enum vcpu_exit_action serve_mmio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	unsigned int len = MIN(run->mmio.len, 8u);

	if (bus_access(&vcpu->vm->mmio, run->mmio.phys_addr, run->mmio.data, len, run->mmio.is_write))
		unclaimed_access(vcpu, "MMIO", run->mmio.phys_addr, len, run->mmio.is_write);
	return VCPU_RESUME;
}

static enum vcpu_exit_action serve_pio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	bool is_write = run->io.direction == KVM_EXIT_IO_OUT;
	uint64_t total = (uint64_t)run->io.size * run->io.count;

	if (!run->io.size || run->io.size > 8 ||
	    !range_within(run->io.data_offset, total, 0, vcpu->vm->run_bytes))
		return VCPU_UNHANDLED;
	for (uint32_t i = 0; i < run->io.count; i++) {
		uint8_t *data = (uint8_t *)run + run->io.data_offset + (uint64_t)i * run->io.size;

		if (bus_access(&vcpu->vm->pio, run->io.port, data, run->io.size, is_write))
			unclaimed_access(vcpu, "port", run->io.port, run->io.size, is_write);
	}
	return VCPU_RESUME;
}

static enum vcpu_exit_action serve_system_event(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	switch (vcpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
	case KVM_SYSTEM_EVENT_RESET:
		if (arch_event_is_failure(vcpu->run)) {
			vm_request_stop(vm, OUTCOME_PANIC, 0,
					"the guest ended and gave a system failure as the reason");
			return VCPU_STOP;
		}
		break;
	case KVM_SYSTEM_EVENT_CRASH:
		vm_request_stop(vm, OUTCOME_PANIC, 0, "the guest reported a crash");
		return VCPU_STOP;
	default: /* WAKEUP, SUSPEND and what the arch knows */
		return arch_vcpu_exit(vcpu);
	}
	if (vcpu->run->system_event.type == KVM_SYSTEM_EVENT_SHUTDOWN)
		vm_request_stop(vm, OUTCOME_POWEROFF, 0, "the guest powered off");
	else
		vm_request_stop(vm, OUTCOME_REBOOT, 0, "the guest asked for a reset");
	return VCPU_STOP;
}

/* Exits whose answer KVM picks up from kvm_run at the next KVM_RUN, looking at exit_reason again. */
static bool answer_is_pending(uint32_t reason)
{
	switch (reason) {
	case KVM_EXIT_INTR:
	case KVM_EXIT_UNKNOWN:
	case KVM_EXIT_HLT:
	case KVM_EXIT_DEBUG:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_SYSTEM_EVENT:
	case EXIT_REASON_NOT_WRITTEN:
		return false;
	default:
		return true;
	}
}

/*
 * Makes it visible whether the coming KVM_RUN writes exit_reason and hardware_exit_reason: neither is
 * cleared by the kernel. Not while KVM is still to fetch an answer, which arm64 and riscv find by the
 * exit_reason of the exit before (arch/{arm64,riscv}/kvm: kvm_arch_vcpu_ioctl_run).
 */
static void poison_exit(struct kvm_run *run)
{
	if (answer_is_pending(run->exit_reason))
		return;
	run->exit_reason = EXIT_REASON_NOT_WRITTEN;
	memset(&run->hw, 0, sizeof(run->hw));
}

static enum vcpu_exit_action give_up(struct vcpu *vcpu, const struct exit_record *rec)
{
	report_vcpu_failure(vcpu, rec);
	vm_request_stop(vcpu->vm, OUTCOME_VCPU_FAILED, 0, "vCPU %u: %s", vcpu->index, rec->what);
	return VCPU_STOP;
}

/* Nobody served this exit: explain it, and stop unless re-entering can help. */
static enum vcpu_exit_action unserved_exit(struct vcpu *vcpu, int run_errno)
{
	bool stop_on_any = vcpu->vm->cfg->on_unknown_exit == ON_UNKNOWN_EXIT_STOP;
	uint32_t reason = vcpu->run->exit_reason;
	struct exit_info info;
	struct exit_record rec;

	/* A failed KVM_RUN that still says MMIO (SBI, ...) has not got beyond the answer to the exit before. */
	if (run_errno && reason == vcpu->reason_before)
		reason = EXIT_REASON_NOT_WRITTEN;

	report_capture(vcpu, run_errno, reason, &info);
	info.stale = vcpu->payload_before && vcpu->payload_before == exit_payload_u64(&info, 0);
	arch_exit_decode(&info, &rec);
	switch (exit_policy_unserved(&vcpu->policy, &info, &rec, stop_on_any)) {
	case EXIT_GO_ON:
		return VCPU_RESUME;
	case EXIT_REPORT:
		log_warning("vCPU %u: %s: %s; going on", vcpu->index, rec.name, rec.what);
		return VCPU_RESUME;
	case EXIT_NO_PROGRESS:
		exit_what_more(&rec, ", again and again");
		exit_advise(&rec, "the guest was let go on and came back each time: look at its handler for this, and at its "
			    "exception vectors");
		break;
	case EXIT_GIVE_UP:
		break;
	}
	return give_up(vcpu, &rec);
}

/*
 * KVM_RUN came back for nothing: a kick, or a signal that is none of lkvm's business. A KVM that does only that
 * would keep lkvm busy for ever and say nothing.
 */
static enum vcpu_exit_action idle_return(struct vcpu *vcpu, int run_errno)
{
	struct exit_info info;
	struct exit_record rec;
	char buf[80];

	count_exit(vcpu, KVM_EXIT_INTR);
	if (atomic_load(&vcpu->kicked) || vcpu->run->immediate_exit) {
		exit_policy_kicked(&vcpu->policy);
		return VCPU_RESUME;
	}
	if (!exit_policy_idle_is_due(&vcpu->policy) || !exit_policy_spins(&vcpu->policy, (int64_t)clock_now_ms()))
		return VCPU_RESUME;

	report_capture(vcpu, run_errno, run_errno ? EXIT_REASON_NOT_WRITTEN : vcpu->run->exit_reason, &info);
	arch_exit_decode(&info, &rec);
	rec.verdict = EXIT_STOP;
	rec.cause = EXIT_CAUSE_KVM_BUG;
	exit_what(&rec, "KVM_RUN comes back at once, again and again: %s",
		  run_errno ? exit_errno_text(run_errno, buf, sizeof(buf)) : rec.name);
	exit_advise(&rec, "no signal is pending and nobody asked for it: this is a bug of the host's KVM");
	return give_up(vcpu, &rec);
}

static enum vcpu_exit_action run_once(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	enum vcpu_exit_action action;
	int ret;

	poison_exit(run);
	vcpu->reason_before = run->exit_reason;
	vcpu->payload_before = run->hw.hardware_exit_reason;
	ret = kvm_ioctl_val(vcpu->fd, KVM_RUN, 0);
	if (ret == -EINTR || ret == -EAGAIN)
		return idle_return(vcpu, -ret);
	if (ret >= 0 && (run->exit_reason == KVM_EXIT_INTR || run->exit_reason == KVM_EXIT_IRQ_WINDOW_OPEN))
		return idle_return(vcpu, 0);
	count_exit(vcpu, run->exit_reason);
	if (ret < 0)
		return unserved_exit(vcpu, -ret);

	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		action = serve_mmio(vcpu);
		break;
	case KVM_EXIT_IO:
		action = serve_pio(vcpu);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		action = serve_system_event(vcpu);
		break;
	default:
		action = arch_vcpu_exit(vcpu);
		break;
	}
	if (action == VCPU_UNHANDLED)
		return unserved_exit(vcpu, 0);
	exit_policy_progress(&vcpu->policy);
	return action;
}

/* What was reported once may have come much more often. */
static void report_resumed_exits(const struct vcpu *vcpu)
{
	const struct exit_policy *p = &vcpu->policy;

	if (p->total > p->nr_places)
		log_warning("vCPU %u: %llu exits that nobody served were handed back to the guest, at %u%s places",
			    vcpu->index, (unsigned long long)p->total, p->nr_places,
			    p->nr_places == EXIT_MAX_PLACES ? " or more" : "");
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	struct vm *vm = vcpu->vm;
	enum vcpu_exit_action action = VCPU_RESUME;
	char name[16];

	current_vcpu = vcpu;
	snprintf(name, sizeof(name), "vcpu%u", vcpu->index);
	pthread_setname_np(pthread_self(), name);
	vcpu->tid = gettid();
	if (vm->observer && vm->observer->vcpu_start)
		vm->observer->vcpu_start(vm->observer->ctx, vcpu);

	atomic_store(&vcpu->kicked, true); /* stop at the gate first */
	while (action == VCPU_RESUME) {
		/* Clear before looking: a kick from here on sets it again. See kick_handler(). */
		vcpu->run->immediate_exit = 0;
		atomic_thread_fence(memory_order_seq_cst);
		if (atomic_load(&vcpu->kicked) && !serve_requests(vcpu))
			break;
		action = run_once(vcpu);
	}
	report_resumed_exits(vcpu);
	if (vm->observer && vm->observer->vcpu_end)
		vm->observer->vcpu_end(vm->observer->ctx, vcpu);

	pthread_mutex_lock(&vm->vcpu_lock);
	serve_calls(vcpu);
	vcpu->state = VCPU_ENDED;
	pthread_cond_broadcast(&vm->vcpu_cond);
	pthread_mutex_unlock(&vm->vcpu_lock);
	return NULL;
}

int vcpu_start(struct vcpu *vcpu)
{
	struct sigaction sa = { .sa_handler = kick_handler };
	pthread_attr_t attr;
	cpu_set_t cpus;
	sigset_t set;
	int ret;

	if (sigaction(kick_signal(), &sa, NULL)) {
		ret = errno;
		goto err;
	}
	/* The thread must be able to take the signal, whatever the caller blocks. */
	sigemptyset(&set);
	sigaddset(&set, kick_signal());
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);

	ret = pthread_attr_init(&attr);
	if (ret)
		goto err;
	pthread_attr_setstacksize(&attr, 256 * 1024);
	if (vcpu->vm->cfg->vcpu_affinity && !cpulist_parse(vcpu->vm->cfg->vcpu_affinity, &cpus))
		pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	ret = pthread_create(&vcpu->thread, &attr, vcpu_thread, vcpu);
	pthread_attr_destroy(&attr);
	if (ret == EINVAL && vcpu->vm->cfg->vcpu_affinity) {
		log_error("--vcpu-affinity %s: this process may run on none of these CPUs",
			  vcpu->vm->cfg->vcpu_affinity);
		return -ret;
	}
	if (ret)
		goto err;
	pthread_mutex_lock(&vcpu->vm->vcpu_lock);
	vcpu->has_thread = true;
	pthread_mutex_unlock(&vcpu->vm->vcpu_lock);
	return 0;
err:
	log_error("cannot start the thread of vCPU %u: %s", vcpu->index, strerror(ret));
	return -ret;
}

void vcpu_join(struct vcpu *vcpu)
{
	if (vcpu->has_thread)
		pthread_join(vcpu->thread, NULL);
	vcpu->has_thread = false;
}

void vcpu_kick(struct vcpu *vcpu)
{
	atomic_store(&vcpu->kicked, true);
	/* A thread takes the lock once more before it ends: until then it is there, after that it may be joined. */
	if (vcpu->has_thread && vcpu->state != VCPU_ENDED && vcpu != current_vcpu)
		pthread_kill(vcpu->thread, kick_signal());
}

void vcpu_set_offline(struct vcpu *vcpu, bool offline)
{
	pthread_mutex_lock(&vcpu->vm->vcpu_lock);
	vcpu->offline = offline;
	if (offline)
		vcpu_kick(vcpu);
	else
		pthread_cond_broadcast(&vcpu->vm->vcpu_cond);
	pthread_mutex_unlock(&vcpu->vm->vcpu_lock);
}

bool vcpu_is_offline(struct vcpu *vcpu)
{
	bool offline;

	pthread_mutex_lock(&vcpu->vm->vcpu_lock);
	offline = vcpu->offline;
	pthread_mutex_unlock(&vcpu->vm->vcpu_lock);
	return offline;
}

const struct timespec *vcpu_deadline(struct timespec *deadline, unsigned int timeout_ms)
{
	if (timeout_ms == VCPU_WAIT_FOREVER)
		return NULL;
	clock_gettime(CLOCK_MONOTONIC, deadline);
	deadline->tv_sec += timeout_ms / 1000;
	deadline->tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (deadline->tv_nsec >= 1000000000) {
		deadline->tv_sec++;
		deadline->tv_nsec -= 1000000000;
	}
	return deadline;
}

bool vcpu_wait(struct vm *vm, const struct timespec *deadline)
{
	if (!deadline)
		return pthread_cond_wait(&vm->vcpu_cond, &vm->vcpu_lock) == 0;
	return pthread_cond_clockwait(&vm->vcpu_cond, &vm->vcpu_lock, CLOCK_MONOTONIC, deadline) == 0;
}

/* Takes a call that is not begun out of the queue. False: it is not there, so it is being served. */
static bool withdraw_call(struct vcpu *vcpu, const struct vcpu_call *call)
{
	for (struct vcpu_call **at = &vcpu->calls; *at; at = &(*at)->next) {
		if (*at != call)
			continue;
		*at = call->next;
		return true;
	}
	return false;
}

int vcpu_call(struct vcpu *vcpu, void (*fn)(struct vcpu *vcpu, void *arg), void *arg, unsigned int timeout_ms)
{
	struct vm *vm = vcpu->vm;
	struct vcpu_call call = { .fn = fn, .arg = arg };
	const struct timespec *deadline;
	struct vcpu_call **tail;
	struct timespec ts;
	int ret = 0;

	if (vcpu == current_vcpu) {
		fn(vcpu, arg);
		return 0;
	}
	deadline = vcpu_deadline(&ts, timeout_ms);
	pthread_mutex_lock(&vm->vcpu_lock);
	if (!vcpu->has_thread || vcpu->state == VCPU_ENDED) {
		pthread_mutex_unlock(&vm->vcpu_lock);
		fn(vcpu, arg);
		return 0;
	}
	for (tail = &vcpu->calls; *tail; tail = &(*tail)->next)
		;
	*tail = &call;
	vcpu_kick(vcpu);
	pthread_cond_broadcast(&vm->vcpu_cond); /* it may be parked */
	while (!call.done) {
		if (vcpu_wait(vm, deadline))
			continue;
		if (withdraw_call(vcpu, &call)) {
			ret = -ETIMEDOUT;
			break;
		}
		deadline = NULL; /* @fn is running, with the caller's data */
	}
	pthread_mutex_unlock(&vm->vcpu_lock);
	return ret;
}
