// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/vm-balloon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "lkvm/clock.h"
#include "lkvm/log.h"
#include "lkvm/size.h"
#include "lkvm/vm.h"
#include "virtio/balloon.h"

/* How long the guest has for its statistics: it has to schedule a worker for them. */
#define STATS_WAIT_MS 1000

/* A request that waits for statistics. */
struct balloon_wait {
	struct vm_balloon   *balloon;
	struct balloon_wait *next;
	struct control_call *call;
};

struct vm_balloon {
	struct vm            *vm;
	struct virtio_device *dev;      /* owned by vm->devices */
	uint64_t              stats_ms; /* when statistics came last */
	struct balloon_wait  *waits;    /* all for the same statistics */
	int                   timer_fd; /* of the waits; -1: there were none yet */
};

#ifdef HAVE_JANSSON

/* By the protocol's tags. Sizes are in bytes. */
static const char *const stat_names[BALLOON_STATS] = {
	"swap_in_bytes", "swap_out_bytes", "major_faults", "minor_faults", "free_bytes", "total_bytes",
	"available_bytes", "cache_bytes", "hugetlb_allocations", "hugetlb_failures", "oom_kills",
};

static void describe(const struct vm_balloon *balloon, json_t *result)
{
	uint64_t ram = machine_ram_bytes(&balloon->vm->machine);
	struct balloon_state s;
	json_t *stats;

	virtio_balloon_state(balloon->dev, &s);
	json_object_set_new(result, "memory_bytes", json_integer((json_int_t)ram));
	json_object_set_new(result, "target_bytes", json_integer((json_int_t)(ram - s.target_bytes)));
	/* What the guest says may be anything. */
	json_object_set_new(result, "current_bytes", json_integer((json_int_t)(ram - MIN(ram, s.actual_bytes))));
	json_object_set_new(result, "driver", json_boolean(s.live));
	if (!s.stats_valid)
		return;
	stats = json_object();
	for (unsigned int i = 0; i < BALLOON_STATS; i++) {
		json_int_t value = (json_int_t)(s.stats[i] & INT64_MAX);

		if (s.stats_valid >> i & 1)
			json_object_set_new(stats, stat_names[i], json_integer(value));
	}
	json_object_set_new(result, "statistics", stats);
	json_object_set_new(result, "statistics_age_ms",
			    json_integer((json_int_t)(clock_now_ms() - balloon->stats_ms)));
}

static void arm_timer(struct vm_balloon *balloon, unsigned int ms)
{
	const struct itimerspec when = {
		.it_value = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 },
	};

	if (balloon->timer_fd >= 0)
		timerfd_settime(balloon->timer_fd, 0, &when, NULL);
}

/* With what is known now. */
static void answer_all(struct vm_balloon *balloon)
{
	while (balloon->waits) {
		struct balloon_wait *wait = balloon->waits;
		json_t *result = json_object();

		balloon->waits = wait->next;
		describe(balloon, result);
		control_reply(wait->call, result, 0, NULL);
		free(wait);
	}
	arm_timer(balloon, 0);
}

static void on_timer(void *opaque, uint32_t events)
{
	struct vm_balloon *balloon = opaque;
	uint64_t expirations;

	(void)events;
	if (read(balloon->timer_fd, &expirations, sizeof(expirations)) == sizeof(expirations))
		answer_all(balloon);
}

static void on_stats(void *opaque)
{
	struct vm_balloon *balloon = opaque;

	balloon->stats_ms = clock_now_ms();
	answer_all(balloon);
}

static void cancel(struct control_call *call)
{
	struct balloon_wait *wait = call->opaque, **p = &wait->balloon->waits;

	while (*p != wait)
		p = &(*p)->next;
	*p = wait->next;
	free(wait);
}

static int start_timer(struct vm_balloon *balloon)
{
	int ret;

	if (balloon->timer_fd < 0) {
		balloon->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		if (balloon->timer_fd < 0)
			return -errno;
		ret = loop_add(balloon->vm->loop, balloon->timer_fd, EPOLLIN, on_timer, balloon);
		if (ret) {
			close(balloon->timer_fd);
			balloon->timer_fd = -1;
			return ret;
		}
	}
	arm_timer(balloon, STATS_WAIT_MS);
	return 0;
}

/* Answers when the guest has told how it is, which it may not do in time, or ever. */
static int wait_for_stats(struct vm_balloon *balloon, struct control_call *call)
{
	struct balloon_wait *wait = malloc(sizeof(*wait));

	if (!wait || start_timer(balloon)) {
		free(wait);
		return -ENOMEM;
	}
	*wait = (struct balloon_wait){ .balloon = balloon, .next = balloon->waits, .call = call };
	balloon->waits = wait;
	call->opaque = wait;
	call->cancel = cancel;
	return CONTROL_LATER;
}

static int set_target(struct vm_balloon *balloon, const json_t *target, char *error)
{
	uint64_t ram = machine_ram_bytes(&balloon->vm->machine);
	json_int_t bytes = json_integer_value(target);
	char size[SIZE_TEXT_BYTES];

	if (!json_is_integer(target) || bytes <= 0 || bytes % BALLOON_PAGE_BYTES || (uint64_t)bytes > ram) {
		snprintf(error, CONTROL_ERROR_BYTES, "the guest's memory can be 4 KiB to %s, in steps of 4 KiB",
			 size_text(size, ram));
		return -EINVAL;
	}
	virtio_balloon_set_target(balloon->dev, ram - (uint64_t)bytes);
	return 0;
}

int vm_balloon_control(void *opaque, struct control_call *call, json_t *result, char *error)
{
	struct vm *vm = opaque;
	struct vm_balloon *balloon = vm->balloon;
	const json_t *target = json_object_get(call->args, "target_bytes");
	int ret = 0;

	if (!balloon) {
		snprintf(error, CONTROL_ERROR_BYTES, "it was started without --balloon");
		return -ENOTSUP;
	}
	if (target)
		ret = set_target(balloon, target, error);
	/* Who comes while others wait gets what they get. */
	else if (!vm->user_paused && (balloon->waits || virtio_balloon_ask_stats(balloon->dev)))
		ret = wait_for_stats(balloon, call);
	if (!ret)
		describe(balloon, result);
	return ret;
}

#else

static void on_stats(void *opaque LKVM_UNUSED)
{
}

#endif

int vm_balloon_create(struct vm *vm, const struct virtio_env *env, struct virtio_device **dev)
{
	struct vm_balloon *balloon = calloc(1, sizeof(*balloon));
	int ret;

	if (!balloon) {
		log_error("--balloon: out of memory");
		return -ENOMEM;
	}
	balloon->vm = vm;
	balloon->timer_fd = -1;
	ret = virtio_balloon_create(&balloon->dev, env, on_stats, balloon);
	if (ret) {
		free(balloon);
		return ret;
	}
	vm->balloon = balloon;
	*dev = balloon->dev;
	return 0;
}

void vm_balloon_destroy(struct vm *vm)
{
	struct vm_balloon *balloon = vm->balloon;

	if (!balloon)
		return;
	if (balloon->timer_fd >= 0) {
		loop_del(vm->loop, balloon->timer_fd);
		close(balloon->timer_fd);
	}
	free(balloon);
	vm->balloon = NULL;
}
