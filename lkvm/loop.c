// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lkvm/clock.h"
#include "lkvm/log.h"

#define LOOP_BATCH 16

struct loop_watch {
	struct loop_watch *next;
	int                fd;
	uint32_t           events; /* 0: silenced, and not in the epoll set */
	bool               dead;   /* loop_del() was called; freed after the batch */
	loop_fn           *fn;
	void              *opaque;
};

struct loop {
	int                epoll_fd;
	int                wake_fd;  /* eventfd, in the epoll set with a NULL pointer */
	_Atomic bool       quit;

	/*
	 * Guards the lists and the watches' events, because loop_modify() and loop_timer_set() come from any
	 * thread. Never held while a function runs.
	 */
	pthread_mutex_t    lock;
	struct loop_watch *watches;
	struct loop_watch *dead;     /* may still be named by events of the current batch */
	bool               in_batch;
	struct loop_timer *timers;   /* that are set */
	uint64_t           wakes_ms; /* until when the loop waits; 0 while it doesn't */

	pthread_t          thread;
	bool               has_thread;
	char               name[16];
};

int loop_create(struct loop **out)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct loop *loop;
	int err;

	loop = calloc(1, sizeof(*loop));
	if (!loop)
		return -ENOMEM;
	loop->wake_fd = -1;
	pthread_mutex_init(&loop->lock, NULL);

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		goto fail;
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->wake_fd < 0)
		goto fail;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &ev) < 0)
		goto fail;

	*out = loop;
	return 0;
fail:
	err = -errno;
	loop_destroy(loop);
	return err;
}

static void loop_free_list(struct loop_watch *w)
{
	while (w) {
		struct loop_watch *next = w->next;

		free(w);
		w = next;
	}
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	assert(!loop->has_thread && !loop->in_batch);
	loop_free_list(loop->watches);
	loop_free_list(loop->dead);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

static struct loop_watch **loop_find(struct loop *loop, int fd)
{
	struct loop_watch **p = &loop->watches;

	while (*p && (*p)->fd != fd)
		p = &(*p)->next;
	return p;
}

/*
 * Tells epoll what @w wants from now on. A silenced fd must leave the set altogether: epoll reports
 * EPOLLHUP and EPOLLERR even for an empty mask, and the loop would spin on them.
 */
static int loop_set_events(struct loop *loop, struct loop_watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };
	int op;

	if (w->events)
		op = events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
	else if (events)
		op = EPOLL_CTL_ADD;
	else
		return 0;

	if (epoll_ctl(loop->epoll_fd, op, w->fd, &ev) < 0)
		return -errno;
	w->events = events;
	return 0;
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn, void *opaque)
{
	struct loop_watch *w;
	int err;

	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->fd = fd;
	w->fn = fn;
	w->opaque = opaque;

	pthread_mutex_lock(&loop->lock);
	/* epoll itself would not notice a second watch of a silenced fd. */
	err = *loop_find(loop, fd) ? -EEXIST : loop_set_events(loop, w, events);
	if (!err) {
		w->next = loop->watches;
		loop->watches = w;
	}
	pthread_mutex_unlock(&loop->lock);
	if (err)
		free(w);
	return err;
}

int loop_modify(struct loop *loop, int fd, uint32_t events)
{
	struct loop_watch *w;
	int err;

	pthread_mutex_lock(&loop->lock);
	w = *loop_find(loop, fd);
	err = w ? loop_set_events(loop, w, events) : -ENOENT;
	pthread_mutex_unlock(&loop->lock);
	return err;
}

void loop_del(struct loop *loop, int fd)
{
	struct loop_watch **p, *w;

	pthread_mutex_lock(&loop->lock);
	p = loop_find(loop, fd);
	w = *p;
	if (w) {
		*p = w->next;
		/* May fail when the caller closed the fd before: then epoll has forgotten it, too. */
		(void)loop_set_events(loop, w, 0);
		w->dead = true;
		w->next = loop->dead;
		loop->dead = w;
		if (!loop->in_batch) {
			loop_free_list(loop->dead);
			loop->dead = NULL;
		}
	}
	pthread_mutex_unlock(&loop->lock);
}

/* What is left of @events for @w by the time its turn comes; 0 if it was deleted or silenced since. */
static uint32_t loop_wanted_events(struct loop *loop, const struct loop_watch *w, uint32_t events)
{
	uint32_t wanted;

	pthread_mutex_lock(&loop->lock);
	if (w->dead || !w->events)
		wanted = 0;
	else
		wanted = events & (w->events | EPOLLHUP | EPOLLERR);
	pthread_mutex_unlock(&loop->lock);
	return wanted;
}

/* ---- timers ------------------------------------------------------------------------------------- */

static void wake(struct loop *loop)
{
	uint64_t one = 1;
	/* Can only fail with EAGAIN, when there are 2^64 - 2 wake-ups already. */
	ssize_t put LKVM_UNUSED = write(loop->wake_fd, &one, sizeof(one));
}

static void drain_wake(struct loop *loop)
{
	uint64_t count;
	ssize_t got LKVM_UNUSED = read(loop->wake_fd, &count, sizeof(count));
}

/* Takes @timer off the list. With the lock held. */
static void timer_unset(struct loop *loop, struct loop_timer *timer)
{
	struct loop_timer **at = &loop->timers;

	while (*at && *at != timer)
		at = &(*at)->next;
	if (*at)
		*at = timer->next;
	timer->due_ms = 0;
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t ms, uint64_t period_ms, loop_fn *fn,
		    void *opaque)
{
	uint64_t now = clock_now_ms();

	pthread_mutex_lock(&loop->lock);
	if (!timer->due_ms) {
		timer->next = loop->timers;
		loop->timers = timer;
	}
	/* Time has begun a while ago when the first process runs, so this is never 0. */
	timer->due_ms = ms < UINT64_MAX - now ? now + ms : UINT64_MAX;
	timer->period_ms = period_ms;
	timer->fn = fn;
	timer->opaque = opaque;
	if (timer->due_ms < loop->wakes_ms)
		wake(loop);
	pthread_mutex_unlock(&loop->lock);
}

void loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
	pthread_mutex_lock(&loop->lock);
	timer_unset(loop, timer);
	pthread_mutex_unlock(&loop->lock);
}

uint64_t loop_timer_left(struct loop *loop, const struct loop_timer *timer)
{
	uint64_t now = clock_now_ms(), due;

	pthread_mutex_lock(&loop->lock);
	due = timer->due_ms;
	pthread_mutex_unlock(&loop->lock);
	return due > now ? due - now : 0;
}

/* The timer to serve next if it is due, unset or set for its next time. */
static bool take_due_timer(struct loop *loop, struct loop_timer *due)
{
	struct loop_timer *first = NULL;
	uint64_t now;

	pthread_mutex_lock(&loop->lock);
	for (struct loop_timer *t = loop->timers; t; t = t->next)
		if (!first || t->due_ms < first->due_ms)
			first = t;
	now = first ? clock_now_ms() : 0;
	if (first && first->due_ms > now)
		first = NULL;
	if (first) {
		*due = *first;
		if (!first->period_ms)
			timer_unset(loop, first);
		else
			first->due_ms = MAX(first->due_ms + first->period_ms, now + 1);
	}
	pthread_mutex_unlock(&loop->lock);
	return first;
}

static void run_timers(struct loop *loop)
{
	struct loop_timer due;

	while (!atomic_load(&loop->quit) && take_due_timer(loop, &due))
		due.fn(due.opaque, 0);
}

/* ---- running ------------------------------------------------------------------------------------ */

/* Returns for how many ms to wait, for epoll_wait(). */
static int loop_begin_batch(struct loop *loop)
{
	uint64_t first = UINT64_MAX, now;
	int timeout = -1;

	pthread_mutex_lock(&loop->lock);
	loop->in_batch = true;
	for (const struct loop_timer *t = loop->timers; t; t = t->next)
		first = MIN(first, t->due_ms);
	if (first != UINT64_MAX) {
		now = clock_now_ms();
		timeout = first > now ? (int)MIN(first - now, (uint64_t)INT32_MAX) : 0;
	}
	loop->wakes_ms = first;
	pthread_mutex_unlock(&loop->lock);
	return timeout;
}

/* From here on timers are looked at before the next wait. */
static void loop_waited(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	loop->wakes_ms = 0;
	pthread_mutex_unlock(&loop->lock);
}

static void loop_end_batch(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	loop->in_batch = false;
	loop_free_list(loop->dead);
	loop->dead = NULL;
	pthread_mutex_unlock(&loop->lock);
}

int loop_run(struct loop *loop)
{
	struct epoll_event batch[LOOP_BATCH];
	int err = 0;

	while (!err && !atomic_load(&loop->quit)) {
		int n, timeout;

		/* From before the wait: another thread's loop_del() is not legal now, but costs nothing. */
		timeout = loop_begin_batch(loop);
		n = epoll_wait(loop->epoll_fd, batch, LOOP_BATCH, timeout);
		loop_waited(loop);
		if (n < 0 && errno != EINTR)
			err = -errno;
		for (int i = 0; i < n && !atomic_load(&loop->quit); i++) {
			struct loop_watch *w = batch[i].data.ptr;
			uint32_t events = w ? loop_wanted_events(loop, w, batch[i].events) : 0;

			if (events)
				w->fn(w->opaque, events);
			if (!w)
				drain_wake(loop);
		}
		run_timers(loop);
		loop_end_batch(loop);
	}

	/* The request is used up; the loop may be run again. */
	drain_wake(loop);
	atomic_store(&loop->quit, false);
	return err;
}

void loop_quit(struct loop *loop)
{
	int saved_errno = errno;

	atomic_store(&loop->quit, true);
	wake(loop);
	errno = saved_errno;
}

static void *loop_thread(void *arg)
{
	struct loop *loop = arg;
	int err;

	pthread_setname_np(pthread_self(), loop->name);
	err = loop_run(loop);
	if (err)
		log_error("thread %s stopped: %s", loop->name, strerror(-err));
	return NULL;
}

int loop_start(struct loop *loop, const char *name)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP };
	sigset_t all, saved;
	int err;

	assert(!loop->has_thread);
	snprintf(loop->name, sizeof(loop->name), "%s", name);

	/* The new thread inherits the mask: signals are for the main thread. */
	sigfillset(&all);
	/* But a crash of this thread is to be handled like any other: see main.c. */
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		sigdelset(&all, crashes[i]);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	err = -pthread_create(&loop->thread, NULL, loop_thread, loop);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	loop->has_thread = !err;
	return err;
}

void loop_stop(struct loop *loop)
{
	if (!loop->has_thread)
		return;
	loop_quit(loop);
	pthread_join(loop->thread, NULL);
	loop->has_thread = false;
}
