// SPDX-License-Identifier: GPL-2.0-only
/* Running a VM against scripted exits: outcomes, stopping, pausing, calls on vCPU threads. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lkvm/clock.h"
#include "lkvm/vm.h"
#include "tests/unit/fake-kvm.h"
#include "tests/unit/image-util.h"
#include "tests/unit/test.h"
#include "tests/unit/vm-fixture.h"

/* All vCPUs run, also where a guest would have to start those after the first. */
static int create_vm(struct vm **vm, const struct config *cfg)
{
	int ret = vm_create(vm, cfg);

	for (unsigned int i = 0; !ret && i < (*vm)->nr_vcpus; i++)
		vcpu_set_offline((*vm)->vcpus[i], false);
	return ret;
}

static enum config_on_unknown_exit on_unknown_exit;

static int run_vm(fake_kvm_run_fn *fn, void *opaque, unsigned int nr_cpus, uint64_t timeout_ms,
		  struct outcome *outcome, const char **text)
{
	struct config cfg;
	struct vm *vm = NULL;
	int fds = test_open_fds();
	int ret;

	fake_kvm_reset();
	vm_fixture_host();
	fake_kvm_on_run(fn, opaque);
	vm_fixture_config(&cfg);
	cfg.nr_cpus = vm_fixture_cpus(nr_cpus);
	cfg.timeout_ms = timeout_ms;
	cfg.on_unknown_exit = on_unknown_exit;
	test_stderr_begin();
	ret = create_vm(&vm, &cfg);
	if (!ret)
		ret = vm_run(vm);
	if (!ret)
		*outcome = vm->outcome;
	vm_destroy(vm);
	*text = test_stderr_end();
	vm_fixture_free(&cfg);
	CHECK_EQ(test_open_fds(), fds);
	return ret;
}

static int idle(struct kvm_run *run, unsigned int index, uint64_t nth, void *opaque)
{
	(void)index;
	(void)nth;
	(void)opaque;
	return fake_kvm_idle(run);
}

static void test_timeout(void)
{
	struct outcome o = { 0 };
	const char *text;

	CHECK_EQ(run_vm(idle, NULL, 4, 50, &o, &text), 0);
	CHECK_EQ(o.kind, OUTCOME_TIMEOUT);
	CHECK_EQ(outcome_exit_status(&o), 124);
	CHECK_STR(o.text, "--timeout of 0.050 s ran out");
}

struct event {
	uint32_t type;
	unsigned int on_cpu;
};

static int system_event(struct kvm_run *run, unsigned int index, uint64_t nth, void *opaque)
{
	const struct event *e = opaque;

	(void)nth;
	if (index != MIN(e->on_cpu, vm_fixture_cpus(4) - 1))
		return fake_kvm_idle(run);
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = e->type;
	run->system_event.ndata = 0;
	return 0;
}

static void test_system_events(void)
{
	static const struct {
		struct event event;
		enum outcome_kind kind;
		int status;
	} rows[] = {
		{ { KVM_SYSTEM_EVENT_SHUTDOWN, 0 }, OUTCOME_POWEROFF, 0 },
		{ { KVM_SYSTEM_EVENT_SHUTDOWN, 3 }, OUTCOME_POWEROFF, 0 },
		{ { KVM_SYSTEM_EVENT_RESET, 1 }, OUTCOME_REBOOT, 0 },
		{ { KVM_SYSTEM_EVENT_CRASH, 2 }, OUTCOME_PANIC, 120 },
		{ { 4711, 1 }, OUTCOME_VCPU_FAILED, 121 },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct event event = rows[i].event;
		struct outcome o = { 0 };
		const char *text;

		CHECK_EQ(run_vm(system_event, &event, 4, 20000, &o, &text), 0);
		CHECK_EQ(o.kind, rows[i].kind);
		CHECK_EQ(outcome_exit_status(&o), rows[i].status);
	}
}

struct raw_exit {
	uint32_t reason; /* EXIT_REASON_NOT_WRITTEN: left as it is */
	int      ret;
	bool     other_between; /* every second exit is one that is served */
	_Atomic uint64_t runs;
};

static int raw_exit(struct kvm_run *run, unsigned int index, uint64_t nth, void *opaque)
{
	struct raw_exit *e = opaque;

	if (index)
		return fake_kvm_idle(run);
	atomic_fetch_add(&e->runs, 1);
	if (e->other_between && nth % 2) {
		run->exit_reason = KVM_EXIT_MMIO;
		run->mmio.len = 4;
		run->mmio.is_write = 0;
		run->mmio.phys_addr = 0;
		return 0;
	}
	if (e->reason != EXIT_REASON_NOT_WRITTEN)
		run->exit_reason = e->reason;
	if (e->reason == KVM_EXIT_IO) {
		run->io.size = 1;
		run->io.count = 1;
		run->io.data_offset = 4096;
	}
	return e->ret;
}

/* Served without an end: a guest that makes nothing else is a busy guest, which only its user can call too busy. */
static bool is_served(uint32_t reason)
{
	static const uint32_t always[] = { KVM_EXIT_MMIO, KVM_EXIT_IO };
#if defined(__riscv)
	static const uint32_t here[] = { EXIT_REASON_RISCV_SBI, EXIT_REASON_RISCV_CSR };
#elif defined(__aarch64__)
	static const uint32_t here[] = { EXIT_REASON_ARM_NISV, EXIT_REASON_ARM_LDST64B };
#elif defined(__powerpc64__)
	static const uint32_t here[] = { EXIT_REASON_PAPR_HCALL };
#elif defined(__powerpc__)
	static const uint32_t here[] = { KVM_EXIT_WATCHDOG }; /* a hang: see vm-e500.c */
#else
	static const uint32_t here[] = { EXIT_REASON_IOAPIC_EOI };
#endif

	for (unsigned int i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (always[i] == reason)
			return true;
	for (unsigned int i = 0; i < sizeof(here) / sizeof(here[0]); i++)
		if (here[i] == reason)
			return true;
	return false;
}

static bool is_idle(uint32_t reason, int ret)
{
	return ret == -EINTR || ret == -EAGAIN ||
	       (!ret && (reason == KVM_EXIT_INTR || reason == KVM_EXIT_IRQ_WINDOW_OPEN));
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* More than any of these takes, sanitizers and emulators included; the VM's own --timeout is longer. */
#define BOUND_MS 15000

/*
 * A vCPU that does nothing but this exit: the VM ends with the right status, a report that names what KVM said,
 * after no more KVM_RUNs than the policy allows, and in time.
 */
static void check_raw_exit(uint32_t reason, int ret)
{
	struct raw_exit e = { .reason = reason, .ret = ret };
	const char *name = exit_reason_name(reason);
	const char *err = exit_errno_name(-ret);
	bool served = !ret && is_served(reason);
	uint64_t most = is_idle(reason, ret) ? EXIT_IDLE_RETURNS_MAX + 1 : EXIT_REPEATS_MAX;
	int64_t start = now_ms();
	struct outcome o = { 0 };
	const char *text;

	CHECK_EQ(run_vm(raw_exit, &e, 2, served ? 20 : 2 * BOUND_MS, &o, &text), 0);
	if (o.kind == OUTCOME_HUNG && reason == KVM_EXIT_WATCHDOG && served)
		return;
	if (o.kind != (served ? OUTCOME_TIMEOUT : OUTCOME_VCPU_FAILED))
		test_fail(__FILE__, __LINE__, "exit %u with %d: outcome %s", reason, ret, outcome_word(o.kind));
	CHECK_EQ(outcome_exit_status(&o), served ? 124 : 121);
	if (now_ms() - start > BOUND_MS)
		test_fail(__FILE__, __LINE__, "exit %u with %d: %lld ms", reason, ret,
			  (long long)(now_ms() - start));
	if (served)
		return;
	if (e.runs > most)
		test_fail(__FILE__, __LINE__, "exit %u with %d: %llu KVM_RUNs", reason, ret,
			  (unsigned long long)e.runs);
	if (ret && !is_idle(reason, ret))
		CHECK_EQ(e.runs, 1); /* a failed KVM_RUN is never tried again */
	if (!strstr(text, "vCPU 0 stopped: "))
		test_fail(__FILE__, __LINE__, "exit %u with %d: report is \"%s\"", reason, ret, text);
	if (name && !is_idle(reason, ret) && !strstr(text, name))
		test_fail(__FILE__, __LINE__, "exit %u with %d: no %s in \"%s\"", reason, ret, name, text);
	if (ret && !strstr(text, err ? err : "errno "))
		test_fail(__FILE__, __LINE__, "exit %u with %d: no %s in \"%s\"", reason, ret, err, text);
}

/* Whatever the kernel says, with whatever errno. */
static void test_no_exit_spins(void)
{
	static const int errnos[] = {
		0, EPERM, ENOENT, EINTR, EIO, ENOEXEC, EBADF, EAGAIN, ENOMEM, EFAULT, EBUSY, EINVAL, ENOTTY,
		ENOSYS, EOPNOTSUPP, EHWPOISON, 4711,
	};

	for (uint32_t reason = 0; reason < EXIT_NR_REASONS + 3; reason++) {
		if (reason == KVM_EXIT_SYSTEM_EVENT)
			continue; /* below */
		for (unsigned int i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
			check_raw_exit(reason, -errnos[i]);
	}
	check_raw_exit(INT32_MAX, 0);
	check_raw_exit(EXIT_REASON_NOT_WRITTEN, 0);
}

static void test_no_errno_spins(void)
{
	static const uint32_t reasons[] = { KVM_EXIT_UNKNOWN, KVM_EXIT_MMIO, EXIT_REASON_NOT_WRITTEN };

	for (unsigned int i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		for (int err = 1; err < 134; err++)
			check_raw_exit(reasons[i], -err);
		check_raw_exit(reasons[i], -524);
		check_raw_exit(reasons[i], -4095);
	}
}

static int unknown_event(struct kvm_run *run, unsigned int index, uint64_t nth, void *opaque)
{
	const struct raw_exit *e = opaque;

	(void)nth;
	if (index)
		return fake_kvm_idle(run);
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = e->reason;
	run->system_event.ndata = UINT32_MAX;
	return e->ret;
}

/* Types that no arch serves, with a count that can't be; and all types when KVM_RUN fails. */
static void test_no_system_event_spins(void)
{
	static const int errnos[] = { 0, EINVAL, EFAULT, 4711 };

	for (uint32_t type = 0; type < 12; type++) {
		for (unsigned int i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
			struct raw_exit e = { .reason = type, .ret = -errnos[i] };
			int64_t start = now_ms();
			struct outcome o = { 0 };
			const char *text;

			if (!e.ret && type >= KVM_SYSTEM_EVENT_SHUTDOWN && type <= KVM_SYSTEM_EVENT_SUSPEND)
				continue; /* served; see test_system_events() and the arch's own tests */
			CHECK_EQ(run_vm(unknown_event, &e, 2, 2 * BOUND_MS, &o, &text), 0);
			CHECK_EQ(outcome_exit_status(&o), 121);
			CHECK(now_ms() - start < BOUND_MS);
			CHECK(strstr(text, "KVM_EXIT_SYSTEM_EVENT") != NULL);
		}
	}
}

/* Resumable, reported once, given up on in the end. */
static void test_unserved_again_and_again(void)
{
	struct raw_exit e = { .reason = EXIT_REASON_X86_BUS_LOCK };
	struct outcome o = { 0 };
	const char *text, *first;

	CHECK_EQ(run_vm(raw_exit, &e, 1, 2 * BOUND_MS, &o, &text), 0);
	CHECK_EQ(outcome_exit_status(&o), 121);
	CHECK_EQ(e.runs, EXIT_REPEATS_MAX);
	CHECK(strstr(text, "warning: vCPU 0: KVM_EXIT_X86_BUS_LOCK: the guest used a bus lock; going on\n") != NULL);
	first = strstr(text, "going on");
	CHECK(first && !strstr(first + 1, "going on"));
	CHECK(strstr(text, "bus lock, again and again") != NULL);
	CHECK(strstr(text, "999 exits that nobody served were handed back to the guest, at 1 places") != NULL);
}

/* The same between other exits: the guest gets somewhere, and is let go on. */
static void test_unserved_with_progress(void)
{
	struct raw_exit e = { .reason = EXIT_REASON_X86_BUS_LOCK, .other_between = true };
	struct outcome o = { 0 };
	const char *text, *first;

	CHECK_EQ(run_vm(raw_exit, &e, 1, 300, &o, &text), 0);
	CHECK_EQ(outcome_exit_status(&o), 124);
	CHECK(strstr(text, "warning: vCPU 0: KVM_EXIT_X86_BUS_LOCK: the guest used a bus lock; going on\n") != NULL);
	first = strstr(text, "going on");
	CHECK(first && !strstr(first + 1, "going on"));
	CHECK(strstr(text, "were handed back to the guest") != NULL);
}

static void test_stop_on_unknown_exit(void)
{
	struct raw_exit e = { .reason = EXIT_REASON_X86_BUS_LOCK };
	struct outcome o = { 0 };
	const char *text;

	on_unknown_exit = ON_UNKNOWN_EXIT_STOP;
	CHECK_EQ(run_vm(raw_exit, &e, 1, 2 * BOUND_MS, &o, &text), 0);
	on_unknown_exit = ON_UNKNOWN_EXIT_REPORT;
	CHECK_EQ(outcome_exit_status(&o), 121);
	CHECK_EQ(e.runs, 1);
	CHECK(strstr(text, "vCPU 0 stopped: the guest used a bus lock\n") != NULL);
	CHECK(strstr(text, "going on") == NULL);
}

static void test_errno_without_exit_reason(void)
{
	struct raw_exit e = { .reason = EXIT_REASON_NOT_WRITTEN, .ret = -EFAULT };
	struct outcome o = { 0 };
	const char *text;

	CHECK_EQ(run_vm(raw_exit, &e, 1, 20000, &o, &text), 0);
	CHECK_EQ(outcome_exit_status(&o), 121);
	CHECK(strstr(text, "EFAULT") != NULL);
}

struct pause_test {
	struct vm *vm;
	_Atomic uint64_t entries;
	uint64_t during_pause;
	unsigned int calls;
	bool right_thread;
};

static int busy(struct kvm_run *run, unsigned int index, uint64_t nth, void *opaque)
{
	struct pause_test *t = opaque;

	(void)index;
	(void)nth;
	atomic_fetch_add(&t->entries, 1);
	usleep(500); /* without it, this is a KVM that spins */
	run->exit_reason = KVM_EXIT_INTR;
	return -EINTR;
}

static void on_vcpu(struct vcpu *vcpu, void *arg)
{
	struct pause_test *t = arg;

	t->calls++;
	t->right_thread = vcpu_current() == vcpu;
}

static void *pauser(void *arg)
{
	struct pause_test *t = arg;
	uint64_t before;

	while (atomic_load(&t->entries) < 100)
		usleep(100);
	for (int i = 0; i < 50; i++) {
		CHECK_EQ(vm_pause(t->vm, VCPU_WAIT_FOREVER), 0);
		before = atomic_load(&t->entries);
		usleep(300);
		t->during_pause += atomic_load(&t->entries) - before;
		CHECK_EQ(vcpu_call(t->vm->vcpus[i % (int)t->vm->nr_vcpus], on_vcpu, t, VCPU_WAIT_FOREVER), 0);
		vm_resume(t->vm);
		CHECK_EQ(vcpu_call(t->vm->vcpus[i % (int)t->vm->nr_vcpus], on_vcpu, t, VCPU_WAIT_FOREVER), 0);
	}
	vm_request_stop(t->vm, OUTCOME_STOPPED, SIGTERM, "test over");
	return NULL;
}

static void test_pause_and_call(void)
{
	struct pause_test t = { 0 };
	struct config cfg;
	pthread_t thread;

	fake_kvm_reset();
	vm_fixture_host();
	fake_kvm_on_run(busy, &t);
	vm_fixture_config(&cfg);
	cfg.nr_cpus = vm_fixture_cpus(2);
	if (create_vm(&t.vm, &cfg)) {
		CHECK(!"vm_create");
		vm_fixture_free(&cfg);
		return;
	}
	pthread_create(&thread, NULL, pauser, &t);
	CHECK_EQ(vm_run(t.vm), 0);
	pthread_join(thread, NULL);
	CHECK_EQ(t.during_pause, 0);
	CHECK_EQ(t.calls, 100);
	CHECK(t.right_thread);
	CHECK_EQ(outcome_exit_status(&t.vm->outcome), 128 + SIGTERM);
	/* The threads have ended: calls run here. */
	CHECK_EQ(vcpu_call(t.vm->vcpus[0], on_vcpu, &t, VCPU_WAIT_FOREVER), 0);
	CHECK_EQ(t.calls, 101);
	vm_destroy(t.vm);
	vm_fixture_free(&cfg);
}

struct stuck_test {
	struct vm   *vm;
	_Atomic bool stuck, release;
	unsigned int calls;
	int          call_ret, pause_ret, late_pause_ret;
};

/* A vCPU in a device that does not come back, as far as others can see. */
static int stuck_run(struct kvm_run *run, unsigned int vcpu_index, uint64_t nth, void *opaque)
{
	struct stuck_test *t = opaque;

	(void)vcpu_index;
	(void)nth;
	atomic_store(&t->stuck, true);
	do
		usleep(500);
	while (!atomic_load(&t->release));
	run->exit_reason = KVM_EXIT_INTR;
	return -EINTR;
}

static void count_call(struct vcpu *vcpu, void *arg)
{
	struct stuck_test *t = arg;

	(void)vcpu;
	t->calls++;
}

static void *impatient(void *arg)
{
	struct stuck_test *t = arg;

	while (!atomic_load(&t->stuck))
		usleep(100);
	t->call_ret = vcpu_call(t->vm->vcpus[0], count_call, t, 20);
	t->pause_ret = vm_pause(t->vm, 20);
	atomic_store(&t->release, true);
	/* Neither of them is left behind. */
	t->late_pause_ret = vm_pause(t->vm, VCPU_WAIT_FOREVER);
	vm_resume(t->vm);
	vm_request_stop(t->vm, OUTCOME_STOPPED, SIGTERM, "test over");
	return NULL;
}

static void test_stuck_vcpu_does_not_hold_others_up(void)
{
	struct stuck_test t = { 0 };
	struct config cfg;
	pthread_t thread;

	fake_kvm_reset();
	vm_fixture_host();
	fake_kvm_on_run(stuck_run, &t);
	vm_fixture_config(&cfg);
	if (create_vm(&t.vm, &cfg)) {
		CHECK(!"vm_create");
		vm_fixture_free(&cfg);
		return;
	}
	pthread_create(&thread, NULL, impatient, &t);
	CHECK_EQ(vm_run(t.vm), 0);
	pthread_join(thread, NULL);
	CHECK_EQ(t.call_ret, -ETIMEDOUT);
	CHECK_EQ(t.pause_ret, -ETIMEDOUT);
	CHECK_EQ(t.late_pause_ret, 0);
	CHECK_EQ(t.calls, 0);
	vm_destroy(t.vm);
	vm_fixture_free(&cfg);
}

struct offline_test {
	struct vm *vm;
	_Atomic uint64_t entries[2];
	unsigned int calls, early;
};

static int note_entry(struct kvm_run *run, unsigned int index, uint64_t nth, void *opaque)
{
	struct offline_test *t = opaque;

	(void)nth;
	atomic_fetch_add(&t->entries[index], 1);
	return fake_kvm_idle(run);
}

static void count_offline_call(struct vcpu *vcpu, void *arg)
{
	struct offline_test *t = arg;

	CHECK(vcpu_is_offline(vcpu));
	t->calls++;
}

static void *starter(void *arg)
{
	struct offline_test *t = arg;
	struct vcpu *vcpu = t->vm->vcpus[1];

	while (!atomic_load(&t->entries[0]))
		usleep(100);
	/* It is out of the guest, but there, and in the way of nobody. */
	CHECK_EQ(vcpu_call(vcpu, count_offline_call, t, VCPU_WAIT_FOREVER), 0);
	CHECK_EQ(vm_pause(t->vm, VCPU_WAIT_FOREVER), 0);
	vm_resume(t->vm);
	CHECK_EQ(vcpu_call(vcpu, count_offline_call, t, VCPU_WAIT_FOREVER), 0);
	t->early = (unsigned int)atomic_load(&t->entries[1]);
	vcpu_set_offline(vcpu, false);
	while (!atomic_load(&t->entries[1]))
		usleep(100);
	vcpu_set_offline(vcpu, true);
	CHECK_EQ(vcpu_call(vcpu, count_offline_call, t, VCPU_WAIT_FOREVER), 0);
	vm_request_stop(t->vm, OUTCOME_POWEROFF, 0, "done");
	return NULL;
}

static void test_offline(void)
{
	struct offline_test t = { 0 };
	struct config cfg;
	pthread_t thread;

	if (vm_fixture_cpus(2) < 2)
		test_skip("the platform has one CPU");
	fake_kvm_reset();
	vm_fixture_host();
	fake_kvm_on_run(note_entry, &t);
	vm_fixture_config(&cfg);
	cfg.nr_cpus = 2;
	if (vm_create(&t.vm, &cfg)) {
		CHECK(!"vm_create");
		vm_fixture_free(&cfg);
		return;
	}
	vcpu_set_offline(t.vm->vcpus[1], true);
	pthread_create(&thread, NULL, starter, &t);
	CHECK_EQ(vm_run(t.vm), 0);
	pthread_join(thread, NULL);
	CHECK_EQ(t.early, 0);
	CHECK_EQ(t.calls, 3);
	vm_destroy(t.vm);
	vm_fixture_free(&cfg);
}

struct kick_test {
	struct vm *vm;
	_Atomic bool done;
};

static void *kicker(void *arg)
{
	struct kick_test *t = arg;
	struct pause_test p = { 0 };

	/* Each call must interrupt a guest that idles in KVM_RUN: a lost kick hangs here, and times out. */
	for (int i = 0; i < 2000; i++)
		CHECK_EQ(vcpu_call(t->vm->vcpus[0], on_vcpu, &p, VCPU_WAIT_FOREVER), 0);
	atomic_store(&t->done, p.calls == 2000);
	vm_request_stop(t->vm, OUTCOME_POWEROFF, 0, "done");
	return NULL;
}

static void test_no_kick_is_lost(void)
{
	struct kick_test t = { 0 };
	struct config cfg;
	pthread_t thread;

	fake_kvm_reset();
	vm_fixture_host();
	fake_kvm_on_run(idle, NULL);
	vm_fixture_config(&cfg);
	cfg.timeout_ms = 120000;
	if (create_vm(&t.vm, &cfg)) {
		CHECK(!"vm_create");
		vm_fixture_free(&cfg);
		return;
	}
	pthread_create(&thread, NULL, kicker, &t);
	CHECK_EQ(vm_run(t.vm), 0);
	pthread_join(thread, NULL);
	CHECK_EQ(t.vm->outcome.kind, OUTCOME_POWEROFF);
	CHECK(atomic_load(&t.done));
	vm_destroy(t.vm);
	vm_fixture_free(&cfg);
}

/* Once it has ended, its thread may have been joined, and its id is nobody's or another's. */
static void test_ended_vcpu_is_not_kicked(void)
{
	struct vcpu vcpu = { .has_thread = true, .state = VCPU_ENDED };

	vcpu_kick(&vcpu);
	CHECK(atomic_load(&vcpu.kicked));
}

/* lkvm stop does not make a success of a guest that is talking about its panic. */
static void test_stopped_after_panic(void)
{
	static const struct {
		int  signal;
		bool panicked;
		enum outcome_kind kind;
		int  status;
	} rows[] = {
		{ 0, false, OUTCOME_STOPPED, 0 },
		{ 0, true, OUTCOME_PANIC, 120 },
		{ SIGTERM, true, OUTCOME_STOPPED, 128 + SIGTERM },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config cfg;
		struct vm *vm;

		fake_kvm_reset();
		vm_fixture_host();
		vm_fixture_config(&cfg);
		CHECK_EQ(vm_create(&vm, &cfg), 0);
		if (rows[i].panicked)
			vm_guest_panicked(vm, "Kernel panic - not syncing: x", false);
		vm_request_stop(vm, OUTCOME_STOPPED, rows[i].signal, "stopped by lkvm stop");
		CHECK_EQ(vm->outcome.kind, rows[i].kind);
		CHECK_EQ(outcome_exit_status(&vm->outcome), rows[i].status);
		vm_destroy(vm);
		vm_fixture_free(&cfg);
	}
}

static int hang_up_and_end(struct kvm_run *run, unsigned int vcpu_index, uint64_t nth, void *opaque)
{
	(void)vcpu_index;
	(void)opaque;
	if (nth == 0) {
		kill(getpid(), SIGHUP);
		kill(getpid(), SIGTERM);
	}
	return fake_kvm_idle(run);
}

static void is_late(int sig)
{
	(void)sig;
}

/* nohup's SIGHUP is not heard; of two that are, the lower one comes first. */
static void test_ignored_signal(void)
{
	static const struct {
		sighandler_t hangup;
		int status;
	} rows[] = {
		{ SIG_DFL, 128 + SIGHUP },
		{ SIG_IGN, 128 + SIGTERM },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config cfg;
		struct vm *vm;

		fake_kvm_reset();
		vm_fixture_host();
		fake_kvm_on_run(hang_up_and_end, NULL);
		vm_fixture_config(&cfg);
		signal(SIGHUP, rows[i].hangup);
		signal(SIGTERM, is_late); /* where it was not the first */
		CHECK_EQ(vm_create(&vm, &cfg), 0);
		CHECK_EQ(vm_run(vm), 0);
		CHECK_EQ(outcome_exit_status(&vm->outcome), rows[i].status);
		vm_destroy(vm);
		signal(SIGHUP, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		vm_fixture_free(&cfg);
	}
}

/* The last that a kernel says of its panic ends the run at once; the same words before do not. */
static void test_panic_is_over(void)
{
	static const char *const last[] = {
		"[    1.0] ---[ end Kernel panic - not syncing: x ]---\n",
		"[    1.0] Rebooting in 180 seconds..\n",
	};

	for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++) {
		struct config cfg;
		struct vm *vm;

		fake_kvm_reset();
		vm_fixture_host();
		vm_fixture_config(&cfg);
		CHECK_EQ(vm_create(&vm, &cfg), 0);
		console_write(vm->console, last[1], strlen(last[1]));
		CHECK_STR(vm->panic_text, "");
		vm_guest_panicked(vm, "Kernel panic - not syncing: x", false);
		CHECK_EQ(vm->outcome.kind, OUTCOME_NONE);
		console_write(vm->console, last[i], strlen(last[i]));
		CHECK_EQ(vm->outcome.kind, OUTCOME_PANIC);
		CHECK_STR(vm->outcome.text, "Kernel panic - not syncing: x");
		vm_destroy(vm);
		vm_fixture_free(&cfg);
	}
}

struct change_test {
	struct vm   *vm;
	const char  *path;
	int          status; /* of the process that makes the file anew */
	_Atomic bool runs;
};

static int note_run(struct kvm_run *run, unsigned int index, uint64_t nth, void *opaque)
{
	struct change_test *t = opaque;

	(void)index;
	(void)nth;
	atomic_store(&t->runs, true);
	return fake_kvm_idle(run);
}

static void *changer(void *arg)
{
	struct change_test *t = arg;
	pid_t pid;

	while (!atomic_load(&t->runs))
		usleep(100);
	pid = fork();
	if (pid == 0) {
		int fd = open(t->path, O_WRONLY | O_TRUNC);

		_exit(fd < 0 || write(fd, "new", 3) != 3);
	}
	CHECK_EQ(waitpid(pid, &t->status, 0), pid);
	vm_request_stop(t->vm, OUTCOME_POWEROFF, 0, "done");
	return NULL;
}

/* The kernel is built anew in its place while a guest of it runs, which keeps the old one. */
static void test_file_changes(void)
{
	char path[] = "/tmp/lkvm-test-XXXXXX";
	struct change_test t = { .path = path, .status = -1 };
	int fd = mkstemp(path);
	static uint8_t data[256 << 10];
	const uint8_t *now;
	struct config cfg;
	pthread_t thread;
	bool leased;

	util_pattern(data, sizeof(data), 11);
	CHECK_EQ(write(fd, data, sizeof(data)), sizeof(data));
	close(fd);
	fake_kvm_reset();
	vm_fixture_host();
	fake_kvm_on_run(note_run, &t);
	vm_fixture_config(&cfg);
	cfg.nr_cpus = vm_fixture_cpus(2);
	cfg.rng = true;
	cfg.timeout_ms = 60000;
	free(cfg.firmware);
	cfg.firmware = strdup(path);
	if (create_vm(&t.vm, &cfg)) {
		CHECK(!"vm_create");
		unlink(path);
		vm_fixture_free(&cfg);
		return;
	}
	leased = t.vm->memory.nr_files;
	if (leased) {
		pthread_create(&thread, NULL, changer, &t);
		CHECK_EQ(vm_run(t.vm), 0);
		pthread_join(thread, NULL);
		CHECK_EQ(t.status, 0);
		CHECK_EQ(t.vm->outcome.kind, OUTCOME_POWEROFF);
		now = memory_ptr(&t.vm->memory, t.vm->boot.kernel_start, sizeof(data));
		CHECK(now && !memcmp(now, data, sizeof(data)));
	}
	vm_destroy(t.vm);
	unlink(path);
	vm_fixture_free(&cfg);
	if (!leased)
		test_skip("there are no leases here");
}

/* Burns CPU time without an exit, until it is kicked. */
static int burn(struct kvm_run *run, unsigned int index, uint64_t nth, void *opaque)
{
	(void)nth, (void)opaque;
	if (index)
		return fake_kvm_idle(run);
	while (!__atomic_load_n(&run->immediate_exit, __ATOMIC_SEQ_CST))
		;
	return -EINTR;
}

/* At address 0 is RAM on PCs and e500, so that this is a loop there, and no memory elsewhere. */
static void test_no_progress(void)
{
	struct vm *vm = NULL;
	struct config cfg;
	const char *text;
	int ret;

	fake_kvm_reset();
	vm_fixture_host();
	fake_kvm_on_run(burn, NULL);
	vm_fixture_config(&cfg);
	cfg.nr_cpus = vm_fixture_cpus(2);
	cfg.timeout_ms = 60000;
	cfg.progress_period_ms = 20;
	cfg.stop_on_spin = true;
	test_stderr_begin();
	ret = vm_create(&vm, &cfg);
	vm_fixture_pc_in_hole();
	if (ret || vm_run(vm)) {
		CHECK(!"vm_create, vm_run");
	} else if (memory_find(&vm->memory, 0)) {
		CHECK_EQ(vm->outcome.kind, OUTCOME_HUNG);
		CHECK(strstr(vm->outcome.text, "vCPU 0 is spinning at pc 0x0"));
	} else {
		CHECK_EQ(vm->outcome.kind, OUTCOME_VCPU_FAILED);
		CHECK(strstr(vm->outcome.text, "vCPU 0: instruction fetch fails at 0x0: no memory behind this address"));
	}
	vm_destroy(vm);
	text = test_stderr_end();
	CHECK(strstr(text, "vCPU 0"));
	vm_fixture_free(&cfg);
}

/* When init began is what the guest says: only what can be is believed. */
static void test_init_ran(void)
{
	struct vm vm = { .start_ms = clock_now_ms() };

	vm_watch_init_ran(&vm, vm.start_ms - 1);
	vm_watch_init_ran(&vm, vm.start_ms - UINT32_MAX); /* more than the host's uptime */
	vm_watch_init_ran(&vm, clock_now_ms() + 60000);
	CHECK_EQ(vm.watch.init_ms, 0);
	vm_watch_init_ran(&vm, vm.start_ms);
	CHECK_EQ(vm.watch.init_ms, vm.start_ms);
}

const struct test vm_run_tests[] = {
	{ "timeout", test_timeout },
	{ "system_events", test_system_events },
	{ "no_exit_spins", test_no_exit_spins },
	{ "no_errno_spins", test_no_errno_spins },
	{ "no_system_event_spins", test_no_system_event_spins },
	{ "unserved_again_and_again", test_unserved_again_and_again },
	{ "unserved_with_progress", test_unserved_with_progress },
	{ "stop_on_unknown_exit", test_stop_on_unknown_exit },
	{ "errno_without_exit_reason", test_errno_without_exit_reason },
	{ "pause_and_call", test_pause_and_call },
	{ "stuck_vcpu_does_not_hold_others_up", test_stuck_vcpu_does_not_hold_others_up },
	{ "offline", test_offline },
	{ "no_kick_is_lost", test_no_kick_is_lost },
	{ "ended_vcpu_is_not_kicked", test_ended_vcpu_is_not_kicked },
	{ "stopped_after_panic", test_stopped_after_panic },
	{ "ignored_signal", test_ignored_signal },
	{ "panic_is_over", test_panic_is_over },
	{ "file_changes", test_file_changes },
	{ "no_progress", test_no_progress },
	{ "init_ran", test_init_ran },
	{ 0 },
};
