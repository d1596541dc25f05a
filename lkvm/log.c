// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A write to a pipe of at most PIPE_BUF (4096) bytes is atomic: lines of several writers never mix. */
#define LOG_LINE_BYTES ((size_t)4096)

/* How long a full stderr may hold us up before lines are dropped. */
#define LOG_WAIT_MS 1000

static _Atomic int log_level = LOG_WARNING;

void log_set_level(enum log_level level)
{
	log_level = level;
}

enum log_level log_get_level(void)
{
	return log_level;
}

void log_write(const char *buf, size_t len)
{
	static _Atomic bool stuck;

	while (len) {
		struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };
		int ready = poll(&pfd, 1, stuck ? 0 : LOG_WAIT_MS);
		ssize_t n;

		if (ready == 0) {
			stuck = true;
			return;
		}
		/* A pipe that is ready takes PIPE_BUF bytes without blocking. */
		n = write(STDERR_FILENO, buf, MIN(len, LOG_LINE_BYTES));
		if (n >= 0) {
			stuck = false;
			buf += n;
			len -= (size_t)n;
		} else if (errno != EINTR && errno != EAGAIN) {
			return;
		}
	}
}

const char *log_output_strerror(int err)
{
	return err == EBADF ? "it is closed (send it to a file, or to /dev/null)" : strerror(err);
}

static void log_line(const char *prefix, const char *fmt, va_list ap) LKVM_PRINTF(2, 0);

static void log_line(const char *prefix, const char *fmt, va_list ap)
{
	static const char cut[] = " ...";
	char line[LOG_LINE_BYTES];
	size_t start = (size_t)snprintf(line, sizeof(line), "%s", prefix);
	size_t room = sizeof(line) - start - 1; /* the newline takes the place of the NUL */
	int saved = errno;
	int n;

	/* %m and strerror() in the arguments still see the caller's errno. */
	n = vsnprintf(line + start, room + 1, fmt, ap);
	if (n < 0)
		n = 0;
	if ((size_t)n > room) {
		memcpy(line + start + room - (sizeof(cut) - 1), cut, sizeof(cut) - 1);
		n = (int)room;
	}
	/* A file name or a guest's text must not break the line or drive the terminal. */
	for (char *p = line + start; p < line + start + n; p++)
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			*p = '?';
	line[start + (size_t)n] = '\n';
	log_write(line, start + (size_t)n + 1);
	errno = saved;
}

void log_message(enum log_level level, const char *fmt, ...)
{
	static const char *const prefixes[] = {
		[LOG_ERROR] = "lkvm: ",
		[LOG_WARNING] = "lkvm: warning: ",
		[LOG_INFO] = "lkvm: ",
		[LOG_DEBUG] = "lkvm: debug: ",
	};
	va_list ap;

	if ((int)level > log_level)
		return;
	va_start(ap, fmt);
	log_line(prefixes[level], fmt, ap);
	va_end(ap);
}

void log_fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("Fatal: ", fmt, ap);
	va_end(ap);
}

/* Takes one line from the budget. False: the line is to be left out. */
static bool ratelimit_take(struct log_ratelimit *rl, uint32_t *left_out)
{
	/* One lock for all budgets: 32-bit machines have no atomic window_start. */
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct timespec now;
	int64_t elapsed_s;
	bool ok;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	pthread_mutex_lock(&lock);
	/* Every second gives one line back. A zeroed budget is as old as the machine: it is full. */
	elapsed_s = (int64_t)now.tv_sec - rl->window_start;
	if (elapsed_s > 0) {
		rl->printed = rl->printed > elapsed_s ? rl->printed - (uint32_t)elapsed_s : 0;
		rl->window_start = now.tv_sec;
	}
	ok = rl->printed < MAX(rl->burst, 1);
	if (ok) {
		rl->printed++;
		*left_out = rl->suppressed;
		rl->suppressed = 0;
	} else if (rl->suppressed < UINT32_MAX) {
		rl->suppressed++;
	}
	pthread_mutex_unlock(&lock);
	return ok;
}

void log_guest(struct log_ratelimit *rl, const char *fmt, ...)
{
	int saved = errno;
	uint32_t left_out = 0;
	char text[512];
	va_list ap;

	if (log_level < LOG_WARNING || !ratelimit_take(rl, &left_out))
		return;
	errno = saved;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (left_out)
		log_warning("%s (%u more like it were left out)", text, left_out);
	else
		log_warning("%s", text);
	errno = saved;
}
