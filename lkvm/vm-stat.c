// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/vm-stat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lkvm/arch.h"
#include "lkvm/kvm-stats.h"
#include "lkvm/log.h"
#include "lkvm/vm.h"

/* How long a vCPU may take to say what its guest's counters are: it may be busy with a slow device. */
#define GUEST_WAIT_MS 100

static const char halted[] = "halted or waiting";
static const char busy[] = "the vCPU is busy with a device";

/* Where a vCPU thread's time went, in nanoseconds. */
struct thread_time {
	bool     known;
	uint64_t guest, kernel, user;
};

struct guest_reading {
	int                  nr; /* or -errno */
	struct guest_counter counters[GUEST_COUNTER_MAX];
	const char          *missing;
};

/*
 * Of one vCPU. Opened by its thread, then read by the main thread; the rest is left behind by its
 * thread at its end.
 */
struct stat_vcpu {
	int                  perf[VM_STAT_MAX_EVENTS]; /* fd or -errno */
	struct kvm_stats     kvm;
	int                  kvm_err;
	bool                 opened;
	bool                 ended;
	bool                 no_guest; /* KVM never shows its counters: not stopped to ask. Main thread. */
	struct thread_time   last_time;
	struct guest_reading last_guest;
};

struct vm_stat {
	struct vm                    *vm;
	const struct vm_stat_options *opt;
	struct vm_observer            observer;
	struct stat_vcpu             *vcpus;
	struct timespec               start;
	int                           timer_fd;
};

/* ---- readings of one vCPU ----------------------------------------------------------------------- */

static uint64_t clock_tick_ns(void)
{
	return 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
}

/* /proc/PID/task/TID/stat (proc(5)): fields 14 utime, 15 stime, 43 guest_time, in clock ticks. */
static struct thread_time read_time(int tid)
{
	struct thread_time t = { 0 };
	unsigned long long utime = 0, stime = 0, guest = 0;
	char path[64], line[1024], *p;
	uint64_t tick_ns = clock_tick_ns();
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return t;
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	line[n > 0 ? n : 0] = '\0';
	p = strrchr(line, ')'); /* the name may hold anything */
	for (int field = 3; p && field <= 43; field++) {
		p = strchr(p, ' ');
		if (!p)
			return t;
		p++;
		if (field == 14)
			utime = strtoull(p, NULL, 10);
		else if (field == 15)
			stime = strtoull(p, NULL, 10);
		else if (field == 43)
			guest = strtoull(p, NULL, 10);
	}
	t.known = p != NULL;
	t.guest = guest * tick_ns;
	t.kernel = stime * tick_ns;
	t.user = utime > guest ? (utime - guest) * tick_ns : 0;
	return t;
}

static void read_guest(struct vcpu *vcpu, void *arg)
{
	struct guest_reading *r = arg;

	r->nr = arch_guest_counters(vcpu, r->counters, ARRAY_SIZE(r->counters), &r->missing);
}

/* @missing: why it can't be told; NULL: it can. */
static void add_part(struct stat_table *t, unsigned int index, const char *name, uint64_t ns, const char *missing)
{
	struct stat_item *item = stat_table_item(t, STAT_TIME, name);

	if (!item)
		return;
	item->unit = "ns";
	stat_item_set(item, index, ns);
	if (missing)
		stat_item_missing(item, STAT_NOT_SUPPORTED, missing);
}

static void add_time(struct stat_table *t, unsigned int index, const struct thread_time *time, double seconds)
{
	const char *missing = time->known ? NULL : "/proc does not tell";
	uint64_t spent = time->guest + time->kernel + time->user;
	uint64_t all = seconds > 0 ? (uint64_t)(seconds * 1e9) : 0;

	if (arch_no_guest_time) {
		add_part(t, index, "guest", 0, arch_no_guest_time);
		add_part(t, index, "guest and kernel (KVM)", time->guest + time->kernel, missing);
	} else {
		add_part(t, index, "guest", time->guest, missing);
		add_part(t, index, "kernel (KVM)", time->kernel, missing);
	}
	add_part(t, index, "lkvm", time->user, missing);
	add_part(t, index, halted, all > spent ? all - spent : 0, missing);
}

static void add_kvm(struct stat_table *t, unsigned int index, struct kvm_stats *kvm, int err)
{
	struct stat_item *item;
	uint64_t value;
	int ret;

	if (err) {
		item = stat_table_item(t, STAT_KVM, "exits");
		if (item && err == -ETIMEDOUT)
			stat_item_missing(item, STAT_NOT_COUNTED, busy);
		else if (item)
			stat_item_missing(item, STAT_NOT_SUPPORTED,
					  "KVM tells no statistics here: its kernel is older than Linux 5.14");
		return;
	}
	ret = kvm_stats_read(kvm);
	for (size_t i = 0; i < kvm->nr; i++) {
		const struct kvm_stat *stat = &kvm->stats[i];

		if (stat->kind == KVM_STAT_HISTOGRAM)
			continue;
		item = stat_table_item(t, STAT_KVM, stat->name);
		if (!item)
			return;
		item->unit = stat->unit;
		item->instant = stat->kind != KVM_STAT_CUMULATIVE;
		if (ret || kvm_stats_get(kvm, i, &value))
			stat_item_missing(item, STAT_NOT_COUNTED, "it can't be read");
		else
			stat_item_set(item, index, value);
	}
}

static void add_guest(struct stat_table *t, unsigned int index, const struct guest_reading *r)
{
	struct stat_item *item;

	if (r->nr <= 0) {
		item = stat_table_item(t, STAT_GUEST, "counters");
		if (item && r->nr < 0)
			stat_item_missing(item, STAT_NOT_SUPPORTED, r->missing ? r->missing : strerror(-r->nr));
		else if (item)
			stat_item_missing(item, STAT_NOT_COUNTED, "the guest has none running");
		return;
	}
	for (int i = 0; i < r->nr; i++) {
		item = stat_table_item(t, STAT_GUEST, r->counters[i].name);
		if (!item)
			return;
		/* The guest may set them as it likes. */
		item->instant = true;
		if (r->counters[i].unset)
			stat_item_missing(item, STAT_NOT_COUNTED, "the guest has not set it");
		else
			stat_item_set(item, index, r->counters[i].value);
	}
}

int vm_stat_open_perf(const struct perf_event *event, int tid)
{
	return arch_no_guest_events && perf_event_of_guest(event) ? -EOPNOTSUPP : perf_event_open(event, tid);
}

static const char *perf_refusal(const struct perf_event *event, int err)
{
	return arch_no_guest_events && perf_event_of_guest(event) ? arch_no_guest_events : perf_event_refusal(err);
}

void vm_stat_add_perf(struct stat_table *t, unsigned int index, const int *fds, const struct vm_stat_options *opt)
{
	struct perf_reading reading;
	struct stat_item *item;

	for (unsigned int i = 0; i < opt->nr_events; i++) {
		item = stat_table_item(t, STAT_PERF, opt->events[i].name);
		if (!item)
			return;
		item->unit = opt->events[i].is_time ? "ns" : "";
		if (fds[i] < 0) {
			stat_item_missing(item, STAT_NOT_SUPPORTED, perf_refusal(&opt->events[i], fds[i]));
		} else if (perf_event_read(fds[i], &reading)) {
			stat_item_missing(item, STAT_NOT_COUNTED, "it can't be read");
		} else {
			item->cells[index] = (struct stat_cell){
				reading.value, reading.enabled_ns, reading.running_ns,
			};
		}
	}
}

/* ---- as a VM's observer ------------------------------------------------------------------------- */

static void on_vcpu_start(void *ctx, struct vcpu *vcpu)
{
	struct vm_stat *s = ctx;
	struct stat_vcpu *v = &s->vcpus[vcpu->index];

	for (unsigned int i = 0; i < s->opt->nr_events; i++)
		v->perf[i] = vm_stat_open_perf(&s->opt->events[i], 0);
	if (s->opt->kvm)
		v->kvm_err = kvm_stats_open(vcpu->fd, &v->kvm);
	v->opened = true;
}

/* Its thread's time and its registers are gone soon. */
static void on_vcpu_end(void *ctx, struct vcpu *vcpu)
{
	struct vm_stat *s = ctx;
	struct stat_vcpu *v = &s->vcpus[vcpu->index];

	v->last_time = read_time(vcpu->tid);
	if (s->opt->guest)
		read_guest(vcpu, &v->last_guest);
	v->ended = true;
}

static void on_timer(void *ctx, uint32_t events)
{
	struct vm_stat *s = ctx;
	uint64_t n;

	(void)events;
	if (read(s->timer_fd, &n, sizeof(n)) == sizeof(n))
		s->opt->tick(s->opt->ctx);
}

int vm_stat_attach(struct vm *vm, const struct vm_stat_options *opt, struct vm_stat **stat)
{
	const struct itimerspec interval = {
		.it_value = { opt->interval_ms / 1000, (long)(opt->interval_ms % 1000) * 1000000 },
		.it_interval = { opt->interval_ms / 1000, (long)(opt->interval_ms % 1000) * 1000000 },
	};
	struct vm_stat *s = calloc(1, sizeof(*s));
	int ret;

	if (s)
		s->vcpus = calloc(vm->nr_vcpus, sizeof(*s->vcpus));
	if (!s || !s->vcpus) {
		free(s);
		log_error("out of memory for counting");
		return -ENOMEM;
	}
	s->vm = vm;
	s->opt = opt;
	s->timer_fd = -1;
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		s->vcpus[i].kvm.fd = -1;
	s->observer = (struct vm_observer){ .vcpu_start = on_vcpu_start, .vcpu_end = on_vcpu_end, .ctx = s };
	clock_gettime(CLOCK_MONOTONIC, &s->start);
	if (opt->interval_ms) {
		s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		ret = s->timer_fd < 0 || timerfd_settime(s->timer_fd, 0, &interval, NULL) ? -errno :
			loop_add(vm->loop, s->timer_fd, EPOLLIN, on_timer, s);
		if (ret) {
			log_error("cannot set a timer: %s", strerror(-ret));
			vm_stat_detach(s);
			return ret;
		}
	}
	vm->observer = &s->observer;
	*stat = s;
	return 0;
}

void vm_stat_detach(struct vm_stat *s)
{
	if (!s)
		return;
	s->vm->observer = NULL;
	for (unsigned int i = 0; i < s->vm->nr_vcpus; i++) {
		struct stat_vcpu *v = &s->vcpus[i];

		for (unsigned int k = 0; v->opened && k < s->opt->nr_events; k++)
			if (v->perf[k] >= 0)
				close(v->perf[k]);
		kvm_stats_close(&v->kvm);
	}
	if (s->timer_fd >= 0) {
		loop_del(s->vm->loop, s->timer_fd);
		close(s->timer_fd);
	}
	free(s->vcpus);
	free(s);
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* The guest's counters, from its thread; or why not. */
static void ask_guest(struct vcpu *vcpu, struct guest_reading *r)
{
	if (vcpu_call(vcpu, read_guest, r, GUEST_WAIT_MS)) {
		r->nr = -ETIMEDOUT;
		r->missing = busy;
	}
}

/*
 * Of one vCPU, kept from one snapshot to the next. Reading the statistics disturbs nobody, but KVM opens them like
 * every vCPU ioctl: after KVM_RUN has returned.
 */
struct vm_stat_kept {
	struct kvm_stats kvm;
	int              kvm_err;
	bool             opened;
	bool             no_guest; /* as in stat_vcpu */
};

/* What only the vCPU's thread may ask, for one look. */
struct look {
	struct vm_stat_kept *kept;
	bool                 want_guest;
	struct guest_reading guest;
};

static void look_at(struct vcpu *vcpu, void *arg)
{
	struct look *look = arg;

	if (look->want_guest)
		read_guest(vcpu, &look->guest);
	if (!look->kept->opened)
		look->kept->kvm_err = kvm_stats_open(vcpu->fd, &look->kept->kvm);
	look->kept->opened = true;
}

struct stat_table *vm_stat_read(struct vm_stat *s)
{
	struct stat_table *t = stat_table_new(s->vm->nr_vcpus);

	if (!t)
		return NULL;
	t->seconds = seconds_since(&s->start);
	for (unsigned int i = 0; i < s->vm->nr_vcpus; i++) {
		struct vcpu *vcpu = s->vm->vcpus[i];
		struct stat_vcpu *v = &s->vcpus[i];
		struct guest_reading guest = v->last_guest;
		struct thread_time time = v->ended ? v->last_time : read_time(vcpu->tid);

		if (!v->opened)
			continue;
		vm_stat_add_perf(t, i, v->perf, s->opt);
		if (s->opt->guest) {
			if (!v->ended && !v->no_guest)
				ask_guest(vcpu, &guest);
			else if (!v->ended)
				read_guest(vcpu, &guest); /* says why not, and touches no register */
			v->no_guest = guest.nr == -ENOTSUP;
			add_guest(t, i, &guest);
		}
		if (s->opt->kvm)
			add_kvm(t, i, &v->kvm, v->kvm_err);
		if (s->opt->time)
			add_time(t, i, &time, t->seconds);
	}
	stat_judge_ticks(t, halted, clock_tick_ns());
	return t;
}

static struct vm_stat_kept *kept_of(struct vm *vm)
{
	if (!vm->stat_kept)
		vm->stat_kept = calloc(vm->nr_vcpus, sizeof(*vm->stat_kept));
	return vm->stat_kept;
}

struct stat_table *vm_stat_snapshot(struct vm *vm, bool guest)
{
	struct vm_stat_kept *kept = kept_of(vm);
	struct stat_table *t = kept ? stat_table_new(vm->nr_vcpus) : NULL;

	if (!t)
		return NULL;
	t->seconds = (double)vm_uptime_ms(vm) / 1000;
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		struct thread_time time = read_time(vm->vcpus[i]->tid);
		struct look look = { .kept = &kept[i], .want_guest = guest };
		int err = 0;

		if (guest && kept[i].no_guest && kept[i].opened)
			read_guest(vm->vcpus[i], &look.guest); /* says why not, and touches no register */
		else if (guest || !kept[i].opened)
			err = vcpu_call(vm->vcpus[i], look_at, &look, GUEST_WAIT_MS);
		if (err) {
			look.guest.nr = -ETIMEDOUT;
			look.guest.missing = busy;
		}
		if (guest) {
			kept[i].no_guest = look.guest.nr == -ENOTSUP;
			add_guest(t, i, &look.guest);
		}
		add_kvm(t, i, &kept[i].kvm, kept[i].opened ? kept[i].kvm_err : -ETIMEDOUT);
		add_time(t, i, &time, t->seconds);
	}
	stat_judge_ticks(t, halted, clock_tick_ns());
	return t;
}

void vm_stat_forget(struct vm *vm)
{
	for (unsigned int i = 0; vm->stat_kept && i < vm->nr_vcpus; i++)
		if (vm->stat_kept[i].opened)
			kvm_stats_close(&vm->stat_kept[i].kvm);
	free(vm->stat_kept);
	vm->stat_kept = NULL;
}
