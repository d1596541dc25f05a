// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lkvm/clock.h"
#include "tests/unit/test.h"

struct watch {
	struct loop  *loop;
	int           fd;
	unsigned int  calls;
	uint32_t      events;
	struct watch *other;
	bool          quits;
};

static void make_loop(struct loop **loop)
{
	if (loop_create(loop))
		test_skip("no epoll here");
}

static int ready_eventfd(void)
{
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	CHECK(fd >= 0);
	return fd;
}

/* Readable after @ms. */
static int timer_after(unsigned int ms)
{
	const struct itimerspec when = { .it_value = { ms / 1000, (long)(ms % 1000) * 1000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_EQ(timerfd_settime(fd, 0, &when, NULL), 0);
	return fd;
}

static void drain(int fd)
{
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof(count));

	CHECK(n > 0);
}

static void on_count(void *opaque, uint32_t events)
{
	struct watch *w = opaque;

	w->calls++;
	w->events |= events;
	drain(w->fd);
	if (w->quits)
		loop_quit(w->loop);
}

static void on_quit(void *opaque, uint32_t events)
{
	(void)events;
	loop_quit(opaque);
}

static void test_life(void)
{
	int fds = test_open_fds();
	struct loop *loop;

	loop_destroy(NULL);
	make_loop(&loop);
	loop_stop(loop); /* never started */
	loop_destroy(loop);
	CHECK_EQ(test_open_fds(), fds);
}

static void test_event(void)
{
	struct watch w = { .quits = true };
	int fds = test_open_fds();
	struct loop *loop;

	make_loop(&loop);
	w.loop = loop;
	w.fd = ready_eventfd();
	CHECK_EQ(loop_add(loop, w.fd, EPOLLIN, on_count, &w), 0);
	CHECK_EQ(loop_run(loop), 0);
	CHECK_EQ(w.calls, 1);
	CHECK_EQ(w.events, EPOLLIN);
	/* The fd stays the caller's, also when the loop goes with it on board. */
	loop_destroy(loop);
	CHECK(fcntl(w.fd, F_GETFD) >= 0);
	close(w.fd);
	CHECK_EQ(test_open_fds(), fds);
}

static void test_quit_early(void)
{
	struct watch w = { .quits = true };
	struct loop *loop;

	make_loop(&loop);
	w.loop = loop;
	w.fd = ready_eventfd();
	CHECK_EQ(loop_add(loop, w.fd, EPOLLIN, on_count, &w), 0);
	loop_quit(loop);
	loop_quit(loop);
	CHECK_EQ(loop_run(loop), 0);
	CHECK_EQ(w.calls, 0);
	/* The request is used up. */
	CHECK_EQ(loop_run(loop), 0);
	CHECK_EQ(w.calls, 1);
	loop_destroy(loop);
	close(w.fd);
}

static void test_errors(void)
{
	struct loop *loop;
	int fd, file;

	make_loop(&loop);
	fd = eventfd(0, EFD_CLOEXEC);
	CHECK_EQ(loop_add(loop, fd, EPOLLIN, on_quit, loop), 0);
	CHECK_EQ(loop_add(loop, fd, EPOLLIN, on_quit, loop), -EEXIST);
	CHECK_EQ(loop_modify(loop, fd, 0), 0);
	CHECK_EQ(loop_modify(loop, fd, 0), 0);
	CHECK_EQ(loop_add(loop, fd, EPOLLIN, on_quit, loop), -EEXIST);
	CHECK_EQ(loop_modify(loop, fd, EPOLLIN), 0);
	loop_del(loop, fd);
	loop_del(loop, fd);
	CHECK_EQ(loop_modify(loop, fd, EPOLLIN), -ENOENT);
	CHECK_EQ(loop_add(loop, fd, 0, on_quit, loop), 0);
	loop_del(loop, fd);
	CHECK_EQ(loop_add(loop, -1, EPOLLIN, on_quit, loop), -EBADF);

	/* What epoll refuses, and a caller must read in another way. */
	file = memfd_create("file", MFD_CLOEXEC);
	CHECK_EQ(loop_add(loop, file, EPOLLIN, on_quit, loop), -EPERM);
	CHECK_EQ(loop_modify(loop, file, EPOLLIN), -ENOENT);
	close(file);

	/* A caller that closes before it deletes is forgiven. */
	CHECK_EQ(loop_add(loop, fd, EPOLLIN, on_quit, loop), 0);
	close(fd);
	loop_del(loop, fd);
	loop_destroy(loop);
}

/* Deletes the other watch, whose event is in the same batch. */
static void on_delete_other(void *opaque, uint32_t events)
{
	struct watch *w = opaque;

	(void)events;
	w->calls++;
	loop_del(w->loop, w->other->fd);
	close(w->other->fd);
	w->other->fd = -1;
	loop_quit(w->loop);
}

static void on_unwanted(void *opaque, uint32_t events)
{
	struct watch *w = opaque;

	(void)events;
	w->calls++;
}

/* As above, and the fd number is at once used again, by something that is not ready. */
static void on_replace_other(void *opaque, uint32_t events)
{
	struct watch *w = opaque;
	int fd = w->other->fd;
	int fresh = eventfd(0, EFD_CLOEXEC);

	(void)events;
	drain(w->fd);
	w->calls++;
	loop_del(w->loop, fd);
	CHECK_EQ(dup2(fresh, fd), fd);
	close(fresh);
	CHECK_EQ(loop_add(w->loop, fd, EPOLLIN, on_unwanted, w->other), 0);
}

static void on_silence_other(void *opaque, uint32_t events)
{
	struct watch *w = opaque;

	(void)events;
	drain(w->fd);
	w->calls++;
	CHECK_EQ(loop_modify(w->loop, w->other->fd, 0), 0);
}

/* Two ready watches that would each do @fn to the other; returns when the loop quits or after 20 ms. */
static void run_pair(loop_fn *fn, struct watch pair[2])
{
	struct loop *loop;
	int timer;

	make_loop(&loop);
	for (int i = 0; i < 2; i++) {
		pair[i].loop = loop;
		pair[i].other = &pair[1 - i];
		pair[i].fd = ready_eventfd();
		CHECK_EQ(loop_add(loop, pair[i].fd, EPOLLIN, fn, &pair[i]), 0);
	}
	timer = timer_after(20);
	CHECK_EQ(loop_add(loop, timer, EPOLLIN, on_quit, loop), 0);
	CHECK_EQ(loop_run(loop), 0);
	loop_destroy(loop);
	close(timer);
	for (int i = 0; i < 2; i++)
		if (pair[i].fd >= 0)
			close(pair[i].fd);
}

static void test_delete_in_batch(void)
{
	struct watch pair[2] = { 0 };

	run_pair(on_delete_other, pair);
	CHECK_EQ(pair[0].calls + pair[1].calls, 1);
}

static void test_replace_in_batch(void)
{
	struct watch pair[2] = { 0 };

	run_pair(on_replace_other, pair);
	CHECK_EQ(pair[0].calls + pair[1].calls, 1);
}

static void test_silence_in_batch(void)
{
	struct watch pair[2] = { 0 };

	run_pair(on_silence_other, pair);
	CHECK_EQ(pair[0].calls + pair[1].calls, 1);
}

static void on_delete_self(void *opaque, uint32_t events)
{
	struct watch *w = opaque;

	(void)events;
	w->calls++;
	loop_del(w->loop, w->fd);
	close(w->fd);
	w->fd = -1;
}

static void test_delete_self(void)
{
	struct watch pair[2] = { 0 };

	run_pair(on_delete_self, pair);
	CHECK_EQ(pair[0].calls, 1);
	CHECK_EQ(pair[1].calls, 1);
}

/* A hung-up fd is reported by epoll whatever the mask, yet a silenced one must be silent. */
static void test_silenced_hangup(void)
{
	struct watch w = { 0 };
	struct loop *loop;
	int fds[2], timer;

	make_loop(&loop);
	CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
	w.loop = loop;
	w.fd = fds[0];
	CHECK_EQ(loop_add(loop, fds[0], EPOLLIN, on_unwanted, &w), 0);
	CHECK_EQ(loop_modify(loop, fds[0], 0), 0);
	close(fds[1]);
	timer = timer_after(20);
	CHECK_EQ(loop_add(loop, timer, EPOLLIN, on_quit, loop), 0);
	CHECK_EQ(loop_run(loop), 0);
	CHECK_EQ(w.calls, 0);

	/* And comes back with its news. */
	loop_del(loop, timer);
	close(timer);
	loop_del(loop, fds[0]);
	CHECK_EQ(loop_add(loop, fds[0], 0, on_quit, loop), 0);
	CHECK_EQ(loop_modify(loop, fds[0], EPOLLIN), 0);
	CHECK_EQ(loop_run(loop), 0);
	loop_destroy(loop);
	close(fds[0]);
}

static void *modify_thread(void *opaque)
{
	struct watch *w = opaque;

	usleep(10000);
	CHECK_EQ(loop_modify(w->loop, w->fd, EPOLLIN), 0);
	return NULL;
}

static void test_modify_wakes(void)
{
	struct watch w = { .quits = true };
	pthread_t thread;
	struct loop *loop;

	make_loop(&loop);
	w.loop = loop;
	w.fd = ready_eventfd();
	CHECK_EQ(loop_add(loop, w.fd, 0, on_count, &w), 0);
	CHECK_EQ(pthread_create(&thread, NULL, modify_thread, &w), 0);
	CHECK_EQ(loop_run(loop), 0);
	pthread_join(thread, NULL);
	CHECK_EQ(w.calls, 1);
	loop_destroy(loop);
	close(w.fd);
}

struct own_thread {
	pthread_t   id;
	char        name[16];
	bool        signals_blocked;
	_Atomic int calls;
	int         fd;
};

static void on_own_thread(void *opaque, uint32_t events)
{
	struct own_thread *t = opaque;
	sigset_t set;

	(void)events;
	drain(t->fd);
	t->id = pthread_self();
	pthread_getname_np(pthread_self(), t->name, sizeof(t->name));
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	t->signals_blocked = sigismember(&set, SIGTERM) && sigismember(&set, SIGINT);
	t->calls++;
}

static void test_own_thread(void)
{
	struct own_thread t = { 0 };
	int fds = test_open_fds();
	struct loop *loop;

	make_loop(&loop);
	t.fd = ready_eventfd();
	CHECK_EQ(loop_add(loop, t.fd, EPOLLIN, on_own_thread, &t), 0);
	CHECK_EQ(loop_start(loop, "a-name-much-too-long"), 0);
	for (int i = 0; i < 10000 && !t.calls; i++)
		usleep(1000);
	loop_stop(loop);
	loop_stop(loop);
	CHECK_EQ(t.calls, 1);
	CHECK(!pthread_equal(t.id, pthread_self()));
	CHECK_STR(t.name, "a-name-much-too");
	CHECK(t.signals_blocked);

	/* And again. */
	CHECK_EQ(eventfd_write(t.fd, 1), 0);
	CHECK_EQ(loop_start(loop, "again"), 0);
	for (int i = 0; i < 10000 && t.calls < 2; i++)
		usleep(1000);
	loop_stop(loop);
	CHECK_EQ(t.calls, 2);
	loop_destroy(loop);
	close(t.fd);
	CHECK_EQ(test_open_fds(), fds);
}

static struct loop *signal_loop;

static void on_alarm(int sig)
{
	(void)sig;
	loop_quit(signal_loop);
}

static void test_quit_from_signal(void)
{
	const struct itimerval soon = { .it_value.tv_usec = 10000 };
	struct sigaction old, sa = { .sa_handler = on_alarm };

	make_loop(&signal_loop);
	sigaction(SIGALRM, &sa, &old);
	setitimer(ITIMER_REAL, &soon, NULL);
	CHECK_EQ(loop_run(signal_loop), 0);
	sigaction(SIGALRM, &old, NULL);
	loop_destroy(signal_loop);
}

/* More ready fds than fit in a batch: all are served. */
static void test_many(void)
{
	struct watch w[40] = { 0 };
	struct loop *loop;
	int timer;

	make_loop(&loop);
	for (int i = 0; i < 40; i++) {
		w[i].loop = loop;
		w[i].fd = ready_eventfd();
		CHECK_EQ(loop_add(loop, w[i].fd, EPOLLIN, on_count, &w[i]), 0);
	}
	timer = timer_after(20);
	CHECK_EQ(loop_add(loop, timer, EPOLLIN, on_quit, loop), 0);
	CHECK_EQ(loop_run(loop), 0);
	for (int i = 0; i < 40; i++) {
		CHECK_EQ(w[i].calls, 1);
		close(w[i].fd);
	}
	close(timer);
	loop_destroy(loop);
}

/* ---- timers ---- */

struct tick {
	struct loop      *loop;
	struct loop_timer timer, end;
	unsigned int      calls, last; /* quits after so many */
	uint64_t          at_ms;       /* of the last call */
	uint32_t          events;
};

static void on_tick(void *opaque, uint32_t events)
{
	struct tick *t = opaque;

	t->events |= events;
	t->at_ms = clock_now_ms();
	if (++t->calls == t->last)
		loop_quit(t->loop);
}

static void on_end(void *opaque, uint32_t events)
{
	struct tick *t = opaque;

	(void)events;
	loop_quit(t->loop);
}

static void test_timers(void)
{
	struct tick once = { .last = 1 }, often = { .last = 3 }, never = { .last = 1 };
	uint64_t start;

	make_loop(&once.loop);
	often.loop = never.loop = once.loop;
	CHECK_EQ(loop_timer_left(once.loop, &once.timer), 0);
	loop_timer_stop(once.loop, &never.timer);

	/* Once; and set anew while it is set, to a later time. */
	start = clock_now_ms();
	loop_timer_set(once.loop, &once.timer, 1, 0, on_tick, &once);
	loop_timer_set(once.loop, &once.timer, 30, 0, on_tick, &once);
	CHECK(loop_timer_left(once.loop, &once.timer) <= 30);
	loop_timer_set(once.loop, &never.timer, UINT64_MAX, 0, on_tick, &never);
	CHECK_EQ(loop_run(once.loop), 0);
	CHECK_EQ(once.calls, 1);
	CHECK_EQ(once.events, 0);
	CHECK(once.at_ms - start >= 30);
	CHECK_EQ(loop_timer_left(once.loop, &once.timer), 0);

	/* Periodic, and one that is stopped in time. */
	start = clock_now_ms();
	loop_timer_set(once.loop, &often.timer, 10, 5, on_tick, &often);
	loop_timer_set(once.loop, &never.timer, 0, 0, on_tick, &never);
	loop_timer_stop(once.loop, &never.timer);
	CHECK_EQ(loop_run(once.loop), 0);
	CHECK_EQ(often.calls, 3);
	CHECK(often.at_ms - start >= 20);
	CHECK_EQ(once.calls, 1);
	CHECK_EQ(never.calls, 0);
	loop_timer_stop(once.loop, &often.timer);
	loop_destroy(once.loop);
}

/* A function may stop its own timer, or set it anew. */
static void on_stop(void *opaque, uint32_t events)
{
	struct tick *t = opaque;

	on_tick(t, events);
	if (t->calls == 1)
		loop_timer_set(t->loop, &t->timer, 0, 1, on_stop, t);
	else
		loop_timer_stop(t->loop, &t->timer);
}

static void test_timer_own(void)
{
	struct tick t = { 0 };

	make_loop(&t.loop);
	loop_timer_set(t.loop, &t.timer, 0, 0, on_stop, &t);
	loop_timer_set(t.loop, &t.end, 30, 0, on_end, &t);
	CHECK_EQ(loop_run(t.loop), 0);
	CHECK_EQ(t.calls, 2);
	loop_destroy(t.loop);
}

static void *set_soon(void *opaque)
{
	struct tick *t = opaque;

	usleep(20000);
	loop_timer_set(t->loop, &t->timer, 1, 0, on_tick, t);
	return NULL;
}

/* From another thread, sooner than the loop would wake by itself: it is woken, once. */
static void test_timer_thread(void)
{
	struct tick t = { .last = 1 };
	pthread_t thread;
	uint64_t start = clock_now_ms();

	make_loop(&t.loop);
	loop_timer_set(t.loop, &t.end, 60000, 0, on_end, &t);
	CHECK_EQ(pthread_create(&thread, NULL, set_soon, &t), 0);
	CHECK_EQ(loop_run(t.loop), 0);
	CHECK_EQ(t.calls, 1);
	CHECK(clock_now_ms() - start < 30000);
	pthread_join(thread, NULL);
	loop_destroy(t.loop);
}

const struct test loop_tests[] = {
	{ "life", test_life },
	{ "event", test_event },
	{ "quit-early", test_quit_early },
	{ "errors", test_errors },
	{ "delete-in-batch", test_delete_in_batch },
	{ "replace-in-batch", test_replace_in_batch },
	{ "silence-in-batch", test_silence_in_batch },
	{ "delete-self", test_delete_self },
	{ "silenced-hangup", test_silenced_hangup },
	{ "modify-wakes", test_modify_wakes },
	{ "own-thread", test_own_thread },
	{ "quit-from-signal", test_quit_from_signal },
	{ "many", test_many },
	{ "timers", test_timers },
	{ "timer_own", test_timer_own },
	{ "timer_thread", test_timer_thread },
	{ 0 },
};
