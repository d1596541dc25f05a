// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/perf-event.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *const perf_event_names[] = {
	"cycles", "instructions", "cache-references", "cache-misses", "branches", "branch-misses", "bus-cycles",
	"stalled-cycles-frontend", "stalled-cycles-backend", "ref-cycles", "cpu-clock", "task-clock", "page-faults",
	"context-switches", "cpu-migrations", "minor-faults", "major-faults", NULL,
};

static const struct {
	uint32_t type;
	uint32_t config;
} numbers[] = {
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_BUS_CYCLES },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_STALLED_CYCLES_FRONTEND },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_STALLED_CYCLES_BACKEND },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_REF_CPU_CYCLES },
	{ PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK },
	{ PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK },
	{ PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS },
	{ PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES },
	{ PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS },
	{ PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN },
	{ PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MAJ },
};
_Static_assert(ARRAY_SIZE(numbers) + 1 == ARRAY_SIZE(perf_event_names), "a number for each name");

/* The part of @text before the colon; what is behind it says whom to count. */
static int parse_modifier(const char *mod, struct perf_event *e)
{
	bool guest = false, host = false;

	for (; *mod; mod++) {
		if (*mod == 'G')
			guest = true;
		else if (*mod == 'H')
			host = true;
		else
			return -EINVAL;
	}
	if (!guest && !host)
		return -EINVAL;
	e->exclude_host = !host;
	e->exclude_guest = !guest;
	return 0;
}

int perf_event_parse(const char *text, struct perf_event *e)
{
	size_t len = strcspn(text, ":");
	char name[32], *end;
	bool found = false;

	*e = (struct perf_event){ .exclude_host = true };
	if (!len || len >= sizeof(name))
		return -EINVAL;
	memcpy(name, text, len);
	name[len] = '\0';
	for (size_t i = 0; perf_event_names[i] && !found; i++)
		if (!strcmp(perf_event_names[i], name)) {
			e->type = numbers[i].type;
			e->config = numbers[i].config;
			found = true;
		}
	if (!found && name[0] == 'r' && name[1]) {
		e->type = PERF_TYPE_RAW;
		e->config = strtoull(name + 1, &end, 16);
		found = !*end && name[1] != '-' && name[1] != '+';
	}
	if (!found)
		return -EINVAL;
	if (e->type == PERF_TYPE_SOFTWARE) {
		/* The kernel counts these for the thread, whatever it runs. */
		e->exclude_host = false;
		e->is_time = e->config == PERF_COUNT_SW_CPU_CLOCK || e->config == PERF_COUNT_SW_TASK_CLOCK;
		snprintf(e->name, sizeof(e->name), "%s", name);
		return text[len] ? -EINVAL : 0;
	}
	if (text[len] && parse_modifier(text + len + 1, e))
		return -EINVAL;
	snprintf(e->name, sizeof(e->name), "%s:%s%s", name, e->exclude_guest ? "" : "G", e->exclude_host ? "" : "H");
	return 0;
}

bool perf_event_of_guest(const struct perf_event *e)
{
	return e->type != PERF_TYPE_SOFTWARE && !e->exclude_guest;
}

int perf_event_open(const struct perf_event *e, int tid)
{
	struct perf_event_attr attr = {
		.type = e->type,
		.size = sizeof(attr),
		.config = e->config,
		.exclude_host = e->exclude_host,
		.exclude_guest = e->exclude_guest,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
	};
	long fd = syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

int perf_event_read(int fd, struct perf_reading *reading)
{
	uint64_t buf[3];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n < 0)
		return -errno;
	if (n != sizeof(buf))
		return -EIO;
	*reading = (struct perf_reading){ .value = buf[0], .enabled_ns = buf[1], .running_ns = buf[2] };
	return 0;
}

const char *perf_event_refusal(int err)
{
	switch (-err) {
	case ENOENT:
		return "the host's PMU does not have it";
	case EOPNOTSUPP:
		return "the host's PMU can't count it for a guest alone, or KVM holds the PMU for guests";
	case EACCES:
	case EPERM:
		return "not allowed: needs CAP_PERFMON, or a lower /proc/sys/kernel/perf_event_paranoid";
	case EBUSY:
		return "the host's PMU is taken";
	case ENOSYS:
		return "the host's kernel has no perf events";
	case EINVAL:
		return "the host's kernel does not understand it";
	default:
		return strerror(-err);
	}
}
