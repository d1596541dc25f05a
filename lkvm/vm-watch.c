// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/vm-watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lkvm/clock.h"
#include "lkvm/command.h"
#include "lkvm/log.h"
#include "lkvm/report.h"
#include "lkvm/vm.h"

/* A limit is noticed at most this much too late. */
#define TICK_MS 100

static bool is_allowed(void *opaque, const char *line)
{
	const struct vm_watch *watch = opaque;

	for (unsigned int i = 0; i < watch->nr_allow; i++)
		if (!regexec(&watch->allow[i], line, 0, NULL, 0))
			return true;
	return false;
}

/* A kernel that is told to be quiet keeps warnings off its console: what --fail-on waits for may never be seen. */
static void warn_if_quiet(const struct config *cfg)
{
	const char *quiet = cfg->params && cfg->fail_on & 1u << SPLAT_WARNING ? strstr(cfg->params, "quiet") : NULL;

	if (quiet && (quiet == cfg->params || quiet[-1] == ' ') && (!quiet[5] || quiet[5] == ' '))
		log_warning("--fail-on: the guest's kernel prints no warnings with the parameter quiet");
}

int vm_watch_init(struct vm *vm)
{
	struct vm_watch *watch = &vm->watch;
	const struct config *cfg = vm->cfg;

	warn_if_quiet(cfg);
	pthread_mutex_init(&watch->lock, NULL);
	watch->splats.allow = is_allowed;
	watch->splats.opaque = watch;
	if (!cfg->nr_allow)
		return 0;
	watch->allow = calloc(cfg->nr_allow, sizeof(*watch->allow));
	if (!watch->allow) {
		log_error("out of memory for --allow");
		return -ENOMEM;
	}
	for (; watch->nr_allow < cfg->nr_allow; watch->nr_allow++) {
		const char *pattern = cfg->allow[watch->nr_allow];

		if (regcomp(&watch->allow[watch->nr_allow], pattern, REG_EXTENDED | REG_NOSUB)) {
			log_error("--allow: '%s' is no regular expression", pattern);
			return -EINVAL;
		}
	}
	return 0;
}

void vm_watch_exit(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->watch.nr_allow; i++)
		regfree(&vm->watch.allow[i]);
	free(vm->watch.allow);
	pthread_mutex_destroy(&vm->watch.lock);
}

/* Linux' init/main.c: "Run /init as init process", unless it was told to be quiet. */
static bool is_init(const char *line)
{
	const char *text = splat_text(line);

	return !strncmp(text, "Run /", 5) && strstr(text, " as init process");
}

/* The first time counts. */
static void happened(_Atomic uint64_t *when, uint64_t ms)
{
	uint64_t never = 0;

	if (!atomic_load_explicit(when, memory_order_relaxed))
		atomic_compare_exchange_strong(when, &never, ms);
}

void vm_watch_init_ran(struct vm *vm, uint64_t since_ms)
{
	/* It is the guest who says so. */
	if (since_ms >= vm->start_ms && since_ms <= clock_now_ms())
		happened(&vm->watch.init_ms, since_ms);
}

void vm_watch_line(struct vm *vm, const char *line)
{
	struct vm_watch *watch = &vm->watch;

	happened(&watch->first_line_ms, clock_now_ms());
	if (is_init(line))
		happened(&watch->init_ms, clock_now_ms());
	pthread_mutex_lock(&watch->lock);
	splats_take(&watch->splats, line);
	oops_take(&watch->oops, line);
	pthread_mutex_unlock(&watch->lock);
}

/* ---- time limits -------------------------------------------------------------------------------- */

static void hung(struct vm *vm, const char *option, uint64_t ms, const char *what)
{
	report_request(vm->vcpus[0]);
	vm_request_stop(vm, OUTCOME_HUNG, 0, "%s (%s of %llu.%03llu s)", what, option, (unsigned long long)(ms / 1000),
			(unsigned long long)(ms % 1000));
}

static void on_tick(void *opaque, uint32_t events)
{
	struct vm *vm = opaque;
	struct vm_watch *watch = &vm->watch;
	const struct config *cfg = vm->cfg;
	uint64_t now = clock_now_ms(), heard;

	(void)events;
	heard = console_written(vm->console) + (vm->command ? command_received(vm->command) : 0);
	/* Somebody has paused the guest: it can't say anything. */
	if (heard != watch->heard || vm->user_paused) {
		watch->heard = heard;
		watch->heard_ms = now;
	}
	if (cfg->silence_timeout_ms && now - watch->heard_ms >= cfg->silence_timeout_ms)
		hung(vm, "--silence-timeout", cfg->silence_timeout_ms, "it says nothing any more");
	if (cfg->boot_timeout_ms && !atomic_load(&watch->command_start_ms) &&
	    now - vm->start_ms >= cfg->boot_timeout_ms)
		hung(vm, "--boot-timeout", cfg->boot_timeout_ms, "the command has not been started");
}

void vm_watch_start(struct vm *vm)
{
	struct vm_watch *watch = &vm->watch;

	watch->heard_ms = clock_now_ms();
	if (vm->cfg->silence_timeout_ms || vm->cfg->boot_timeout_ms)
		loop_timer_set(vm->loop, &watch->tick, TICK_MS, TICK_MS, on_tick, vm);
}

void vm_watch_stop(struct vm *vm)
{
	atomic_store(&vm->watch.end_ms, clock_now_ms());
	loop_timer_stop(vm->loop, &vm->watch.tick);
}

/* ---- the end ------------------------------------------------------------------------------------ */

/* The first complaint of a kind in @mask. */
static const char *first_quote(const struct splats *splats, unsigned int mask)
{
	for (unsigned int i = 0; i < splats->nr_quotes; i++)
		if (!splats->quotes[i].allowed && mask >> splats->quotes[i].kind & 1)
			return splats->quotes[i].line;
	return "";
}

void vm_watch_settle(struct vm *vm)
{
	const struct splats *splats = &vm->watch.splats;
	unsigned int mask = vm->cfg->fail_on;
	struct outcome *o = &vm->outcome;
	char summary[160];

	if (splats_count(splats, mask) && !outcome_is_bad(o) && !outcome_exit_status(o)) {
		splats_summary(splats, mask, summary, sizeof(summary));
		o->kind = OUTCOME_SPLAT;
		o->status = 0;
		snprintf(o->text, sizeof(o->text), "%.60s: %.130s", summary, first_quote(splats, mask));
	} else if (splats_count(splats, SPLAT_ALL)) {
		splats_summary(splats, SPLAT_ALL, summary, sizeof(summary));
		log_warning("the guest's kernel complained (%s): %s", summary, first_quote(splats, SPLAT_ALL));
	}
}
