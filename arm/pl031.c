// SPDX-License-Identifier: GPL-2.0-only
#include "arm/pl031.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lkvm/log.h"

/* Registers (Arm DDI0224 §3.2). */
#define RTC_DR   0x00 /* the time */
#define RTC_MR   0x04 /* alarm when the time is equal to this */
#define RTC_LR   0x08 /* writes set the time */
#define RTC_CR   0x0c /* bit 0: runs; it can't be stopped once it does */
#define RTC_IMSC 0x10 /* bit 0: the alarm interrupts */
#define RTC_RIS  0x14 /* bit 0: the alarm went off */
#define RTC_MIS  0x18 /* both of these */
#define RTC_ICR  0x1c /* writing 1 takes the alarm back */
#define RTC_ID   0xfe0 /* PeriphID0-3, PCellID0-3: a byte in each word */

#define RTC_ALARM 1u

static const uint8_t rtc_id[] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

struct arm_pl031 {
	pthread_mutex_t lock;
	struct irq_line irq;
	struct loop    *loop;     /* NULL: no alarms */
	int             timer_fd; /* armed for the next alarm; -1 without a loop */
	uint32_t        offset;   /* guest's time - host's time */
	uint32_t        match;
	uint32_t        load;     /* last value set */
	bool            alarm_set; /* a match has been written */
	bool            raised;
	bool            enabled;
};

static uint32_t host_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint32_t)ts.tv_sec;
}

/* All below with the lock held. */

static void update_irq(const struct arm_pl031 *rtc)
{
	irq_line_set(&rtc->irq, rtc->raised && rtc->enabled);
}

/*
 * Waits for the second that matches, modulo 2^32: one that lies behind comes round again in 136 years, one that
 * is now goes off at once.
 */
static void arm_timer(struct arm_pl031 *rtc)
{
	uint32_t wait = rtc->match - (host_time() + rtc->offset);
	struct itimerspec when = { .it_value.tv_sec = wait };

	if (rtc->timer_fd < 0 || !rtc->alarm_set)
		return;
	if (!wait)
		when.it_value.tv_nsec = 1;
	if (timerfd_settime(rtc->timer_fd, 0, &when, NULL))
		log_debug("cannot set the real-time clock's alarm: %s", strerror(errno));
}

static void on_alarm(void *opaque, uint32_t events)
{
	struct arm_pl031 *rtc = opaque;
	uint64_t times;

	(void)events;
	pthread_mutex_lock(&rtc->lock);
	/* Nothing to read: it was set anew meanwhile. */
	if (read(rtc->timer_fd, &times, sizeof(times)) == sizeof(times)) {
		rtc->raised = true;
		update_irq(rtc);
	}
	pthread_mutex_unlock(&rtc->lock);
}

static uint64_t pl031_read(void *dev, uint64_t offset, unsigned int size)
{
	struct arm_pl031 *rtc = dev;
	uint64_t v = 0;

	(void)size;
	if (offset >= RTC_ID && (offset - RTC_ID) / 4 < sizeof(rtc_id))
		return offset % 4 ? 0 : rtc_id[(offset - RTC_ID) / 4];

	pthread_mutex_lock(&rtc->lock);
	switch (offset) {
	case RTC_DR:
		v = host_time() + rtc->offset;
		break;
	case RTC_MR:
		v = rtc->match;
		break;
	case RTC_LR:
		v = rtc->load;
		break;
	case RTC_CR:
		v = 1;
		break;
	case RTC_IMSC:
		v = rtc->enabled;
		break;
	case RTC_RIS:
		v = rtc->raised;
		break;
	case RTC_MIS:
		v = rtc->raised && rtc->enabled;
		break;
	default:
		break;
	}
	pthread_mutex_unlock(&rtc->lock);
	return (uint32_t)v;
}

static void pl031_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	struct arm_pl031 *rtc = dev;
	uint32_t v = (uint32_t)value;

	(void)size;
	pthread_mutex_lock(&rtc->lock);
	switch (offset) {
	case RTC_MR:
		rtc->match = v;
		rtc->alarm_set = true;
		arm_timer(rtc);
		break;
	case RTC_LR:
		rtc->load = v;
		rtc->offset = v - host_time();
		arm_timer(rtc);
		break;
	case RTC_IMSC:
		rtc->enabled = v & RTC_ALARM;
		update_irq(rtc);
		break;
	case RTC_ICR:
		if (v & RTC_ALARM)
			rtc->raised = false;
		update_irq(rtc);
		break;
	default:
		break;
	}
	pthread_mutex_unlock(&rtc->lock);
}

const struct bus_ops arm_pl031_bus_ops = {
	.read = pl031_read,
	.write = pl031_write,
};

int arm_pl031_create(struct arm_pl031 **out, struct loop *loop, const struct irq_line *irq)
{
	struct arm_pl031 *rtc = calloc(1, sizeof(*rtc));
	int ret;

	if (!rtc) {
		log_error("out of memory for the real-time clock");
		return -ENOMEM;
	}
	rtc->irq = *irq;
	rtc->loop = loop;
	rtc->timer_fd = -1;
	if (loop) {
		rtc->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		if (rtc->timer_fd < 0) {
			ret = -errno;
			log_error("no timer for the real-time clock: %s", strerror(-ret));
			free(rtc);
			return ret;
		}
	}
	pthread_mutex_init(&rtc->lock, NULL);
	*out = rtc;
	return 0;
}

static int pl031_start(void *dev)
{
	struct arm_pl031 *rtc = dev;

	return rtc->loop ? loop_add(rtc->loop, rtc->timer_fd, EPOLLIN, on_alarm, rtc) : 0;
}

static void pl031_stop(void *dev)
{
	struct arm_pl031 *rtc = dev;

	if (rtc->loop)
		loop_del(rtc->loop, rtc->timer_fd);
}

static void pl031_destroy(void *dev)
{
	struct arm_pl031 *rtc = dev;

	if (rtc->timer_fd >= 0)
		close(rtc->timer_fd);
	pthread_mutex_destroy(&rtc->lock);
	free(rtc);
}

const struct device_ops arm_pl031_device_ops = {
	.start = pl031_start,
	.stop = pl031_stop,
	.destroy = pl031_destroy,
};
