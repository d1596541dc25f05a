// SPDX-License-Identifier: GPL-2.0-only
/*
 * The looks of the no-progress watchdog (progress.h). Every second the main loop reads two numbers of
 * each vCPU: the CPU time of its thread and the count of its exits. Only a vCPU that burned time and
 * made no exit is kicked and looked at, so a guest that does anything, or sleeps, pays nothing.
 */
#include "lkvm/vm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lkvm/arch.h"
#include "lkvm/fetch.h"
#include "lkvm/log.h"
#include "lkvm/progress.h"
#include "lkvm/report.h"

/* A vCPU is looked at if it burned one 16th of the time: a busy host may have no more for it. */
#define SUSPECT_SHARE 16

/* How long the main loop waits for a vCPU that serves a device just now. */
#define LOOK_TIMEOUT_MS 100

struct watched {
	struct progress judge;
	uint64_t        cpu_ns;  /* of the thread, at the last tick */
	uint64_t        exits;
	uint64_t        wait_ns; /* for a host CPU, at the last look; 0: not known */
};

struct vm_progress {
	struct loop_timer tick;
	uint64_t        tick_ns; /* when the last one was */
	struct watched *cpus;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t thread_ns(struct vcpu *vcpu)
{
	clockid_t clock;

	return pthread_getcpuclockid(vcpu->thread, &clock) ? 0 : clock_ns(clock);
}

/* How long the thread has waited for a host CPU so far; 0 where the host's kernel does not tell. */
static uint64_t thread_wait_ns(const struct vcpu *vcpu)
{
	unsigned long long run, wait = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/schedstat", vcpu->tid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu %llu", &run, &wait) != 2)
		wait = 0;
	fclose(f);
	return wait;
}

/* Exits that the guest made. Kicks end as KVM_EXIT_INTR. */
static uint64_t count_exits(const struct vcpu *vcpu)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < VCPU_EXIT_SLOTS; i++)
		if (i != KVM_EXIT_INTR)
			sum += atomic_load_explicit(&vcpu->exits[i], memory_order_relaxed);
	return sum;
}

/* ---- a look, on the vCPU's thread --------------------------------------------------------------- */

struct look_request {
	struct progress *judge;
	bool             full;
};

/* An exception vector that can't be fetched hides what came first. */
#define VECTOR_BYTES 0x800u

static void stop_failed_fetch(struct vcpu *vcpu, const struct reg_set *set, const struct walk *w,
			      const struct fetch_place *place, enum fetch_verdict verdict)
{
	const struct reg *vector = reg_find(set, ROLE_VECTOR);

	struct exit_record rec = {
		.name = "", .reason = EXIT_REASON_NOT_WRITTEN, .cause = EXIT_CAUSE_FETCH_FAILED,
		.verdict = EXIT_STOP,
	};

	fetch_text(w, place, verdict, rec.what, sizeof(rec.what));
	/* riscv keeps a mode in the two lowest bits. */
	if (vector && w->va - (vector->value & ~(uint64_t)3) < VECTOR_BYTES)
		exit_advise(&rec, "that is the guest's own exception vector (%s): an exception came first, and taking it "
			    "fails for ever, of which KVM says nothing; the link register tells what ran before",
			    vector->name);
	else
		exit_advise(&rec, "the guest jumped there, and KVM retries it for ever and says nothing; the link register "
			    "tells where from");
	report_vcpu_failure(vcpu, &rec);
	vm_request_stop(vcpu->vm, OUTCOME_VCPU_FAILED, 0, "vCPU %u: %s", vcpu->index, rec.what);
}

static void tell_spinning(struct vcpu *vcpu, uint64_t pc)
{
	uint64_t seconds = PROGRESS_SPIN_LOOKS * vcpu->vm->cfg->progress_period_ms / 1000;

	if (!vcpu->vm->cfg->stop_on_spin) {
		log_warning("vCPU %u is spinning at pc 0x%" PRIx64 ": an endless loop in the guest's kernel, in which no "
			    "register has changed for %" PRIu64 " s (SIGQUIT shows more, --stop-on-spin ends it)",
			    vcpu->index, pc, seconds);
		return;
	}
	report_request(vcpu);
	vm_request_stop(vcpu->vm, OUTCOME_HUNG, 0, "vCPU %u is spinning at pc 0x%" PRIx64
			": an endless loop in the guest's kernel", vcpu->index, pc);
}

static void look(struct vcpu *vcpu, void *arg)
{
	const struct look_request *req = arg;
	struct fetch_place place = { 0 };
	struct progress_look seen;
	struct reg_set set = { 0 };
	struct walk w;

	arch_vcpu_regs(vcpu, &set);
	if (!reg_find(&set, ROLE_PC) || set.halted) {
		progress_reset(req->judge);
		return;
	}
	seen = (struct progress_look){
		.pc = reg_value(&set, ROLE_PC) + set.code_base,
		.lr = reg_value(&set, ROLE_LR),
		.sp = reg_value(&set, ROLE_SP),
		.hash = reg_set_hash(&set),
		.user = set.user,
		.full = req->full,
	};
	arch_vcpu_translate(vcpu, seen.pc, true, &w);
	if (w.result == WALK_MAPPED)
		fetch_place_find(&vcpu->vm->memory, &vcpu->vm->mmio, &vcpu->vm->machine, w.gpa, &place);
	seen.verdict = fetch_check(&w, &place);
	switch (progress_judge(req->judge, &seen)) {
	case PROGRESS_NONE:
		break;
	case PROGRESS_FETCH_FAILS:
		stop_failed_fetch(vcpu, &set, &w, &place, seen.verdict);
		break;
	case PROGRESS_SPINS:
		tell_spinning(vcpu, seen.pc);
		break;
	}
}

/* ---- ticks, on the main loop -------------------------------------------------------------------- */

static void watch(struct vcpu *vcpu, struct watched *watched, uint64_t elapsed_ns)
{
	uint64_t cpu_ns = thread_ns(vcpu), exits = count_exits(vcpu), wait_ns = 0;
	uint64_t burned_ns = cpu_ns - watched->cpu_ns;
	bool suspect = exits == watched->exits && burned_ns > elapsed_ns / SUSPECT_SHARE;
	struct look_request req = { .judge = &watched->judge };

	watched->cpu_ns = cpu_ns;
	watched->exits = exits;
	if (suspect) {
		/* What ran or wanted to for three quarters of the time was not asleep. */
		wait_ns = thread_wait_ns(vcpu);
		if (watched->wait_ns)
			burned_ns += wait_ns - watched->wait_ns;
		req.full = burned_ns > elapsed_ns / 4 * 3;
		/* One that can't be asked in time serves a device, which is progress. */
		suspect = !vcpu_call(vcpu, look, &req, LOOK_TIMEOUT_MS);
	}
	watched->wait_ns = wait_ns;
	if (!suspect)
		progress_reset(&watched->judge);
}

static void on_tick(void *opaque, uint32_t events)
{
	struct vm *vm = opaque;
	struct vm_progress *p = vm->progress;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	(void)events;
	for (unsigned int i = 0; i < vm->nr_vcpus && !vm->stopping; i++)
		watch(vm->vcpus[i], &p->cpus[i], now - p->tick_ns);
	p->tick_ns = now;
}

int vm_progress_start(struct vm *vm)
{
	uint64_t ms = vm->cfg->progress_period_ms;
	struct vm_progress *p;

	if (!ms)
		return 0;
	p = calloc(1, sizeof(*p));
	if (p)
		p->cpus = calloc(vm->nr_vcpus, sizeof(*p->cpus));
	if (!p || !p->cpus) {
		log_error("cannot watch the guest's progress: %s", strerror(ENOMEM));
		free(p);
		return -ENOMEM;
	}
	vm->progress = p;
	p->tick_ns = clock_ns(CLOCK_MONOTONIC);
	loop_timer_set(vm->loop, &p->tick, ms, ms, on_tick, vm);
	return 0;
}

void vm_progress_stop(struct vm *vm)
{
	struct vm_progress *p = vm->progress;

	if (!p)
		return;
	loop_timer_stop(vm->loop, &p->tick);
	free(p->cpus);
	free(p);
	vm->progress = NULL;
}
