/* SPDX-License-Identifier: GPL-2.0-only */
/* lkvm's own messages: one line each, on stderr. Any thread. */
#ifndef LKVM_LOG_H
#define LKVM_LOG_H

#include "lkvm/types.h"

enum log_level {
	LOG_ERROR,
	LOG_WARNING,
	LOG_INFO,
	LOG_DEBUG,
};

/* Sets the most talkative level that is printed. Default LOG_WARNING. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/*
 * Prints "lkvm: MESSAGE\n" in one write(2), so that lines of several threads never mix. LOG_WARNING
 * lines carry "warning: ". Preserves errno.
 */
void log_message(enum log_level level, const char *fmt, ...) LKVM_PRINTF(2, 3);

#define log_error(...)   log_message(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_message(LOG_DEBUG, __VA_ARGS__)

/*
 * Writes @len bytes of finished lines to stderr. A reader that is stuck holds the caller up for a second
 * once, then lines are dropped until it takes some again: lkvm's end must not depend on it.
 */
void log_write(const char *buf, size_t len);

/*
 * Why output that others wait for could not be written: strerror(@err), @err > 0. Of a stream that was closed when
 * lkvm began it says that, and the way out (main.c has a file that can't be written to take its number).
 */
const char *log_output_strerror(int err);

/* As log_error(), but the line begins "Fatal: " as kvmtool's do; scripts look for those words. */
void log_fatal(const char *fmt, ...) LKVM_PRINTF(1, 2);

/* A budget of messages for one kind of guest mistake: @burst at once, then one per second. */
struct log_ratelimit {
	uint32_t burst;        /* set by the owner, e.g. 5 */
	uint32_t printed;      /* in the current second */
	uint32_t suppressed;   /* in total since the last printed line */
	int64_t  window_start; /* CLOCK_MONOTONIC seconds */
};

/*
 * log_warning() for guest errors, so that a guest can't flood the log. Says how many lines were left
 * out when it prints again. Any thread; the counters are approximate.
 */
void log_guest(struct log_ratelimit *rl, const char *fmt, ...) LKVM_PRINTF(2, 3);

#endif
