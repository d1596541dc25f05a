// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/vm-control.h"

#include <errno.h>

#ifdef HAVE_JANSSON

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lkvm/arch.h"
#include "lkvm/command.h"
#include "lkvm/json.h"
#include "lkvm/report.h"
#include "lkvm/stat-json.h"
#include "lkvm/vm-balloon.h"
#include "lkvm/run-report.h"
#include "lkvm/vm-stat.h"
#include "lkvm/vm.h"

/* How long a pause may take: a vCPU that waits for a slow reader of the console can't be parked. */
#define PAUSE_WAIT_MS 1000

static const char *const vcpu_states[] = {
	[VCPU_IDLE] = "idle", [VCPU_RUNNING] = "running", [VCPU_PARKED] = "parked", [VCPU_ENDED] = "ended",
};

static int run_status(void *opaque, struct control_call *call, json_t *result, char *error)
{
	struct vm *vm = opaque;

	(void)call;
	(void)error;
	json_object_set_new(result, "state", json_string(vm->user_paused ? "paused" : "running"));
	json_object_set_new(result, "arch", json_string(arch_name));
	json_object_set_new(result, "cpus", json_integer(vm->nr_vcpus));
	json_object_set_new(result, "memory_bytes", json_integer((json_int_t)machine_ram_bytes(&vm->machine)));
	json_object_set_new(result, "uptime_ms", json_integer((json_int_t)vm_uptime_ms(vm)));
	return 0;
}

static int run_pause(void *opaque, struct control_call *call, json_t *result, char *error)
{
	struct vm *vm = opaque;

	if (!vm->user_paused) {
		if (vm_pause(vm, PAUSE_WAIT_MS)) {
			snprintf(error, CONTROL_ERROR_BYTES,
				 "a vCPU does not stop: it waits for a slow reader of the console");
			return -EBUSY;
		}
		vm->user_paused = true;
	}
	return run_status(vm, call, result, error);
}

static int run_resume(void *opaque, struct control_call *call, json_t *result, char *error)
{
	struct vm *vm = opaque;

	if (vm->user_paused) {
		vm->user_paused = false;
		vm_resume(vm);
	}
	return run_status(vm, call, result, error);
}

static int run_stop(void *opaque, struct control_call *call, json_t *result, char *error)
{
	(void)call;
	(void)result;
	(void)error;
	vm_request_stop(opaque, OUTCOME_STOPPED, 0, "stopped by lkvm stop");
	return 0;
}

/* Pages of this process that are in memory, guest's and lkvm's own; 0 if unknown. */
static uint64_t resident_bytes(void)
{
	unsigned long long total, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%llu %llu", &total, &resident) != 2)
		resident = 0;
	fclose(f);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int run_stat(void *opaque, struct control_call *call, json_t *result, char *error)
{
	struct vm *vm = opaque;
	json_t *vcpus = json_array();

	run_status(vm, call, result, error);
	json_object_set_new(result, "resident_bytes", json_integer((json_int_t)resident_bytes()));
	pthread_mutex_lock(&vm->vcpu_lock);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		const struct vcpu *vcpu = vm->vcpus[i];

		json_array_append_new(vcpus, json_pack("{s:i, s:i, s:s, s:o, s:I, s:I, s:I}", "index", (int)i,
						       "tid", vcpu->tid, "state", vcpu_states[vcpu->state],
						       "exits", run_report_exits(vcpu), "unclaimed_accesses",
						       (json_int_t)atomic_load(&vcpu->mmio_unclaimed),
						       "unserved_calls",
						       (json_int_t)atomic_load(&vcpu->calls_unserved),
						       "unserved_csrs",
						       (json_int_t)atomic_load(&vcpu->csrs_unserved)));
	}
	pthread_mutex_unlock(&vm->vcpu_lock);
	json_object_set_new(result, "vcpus", vcpus);
	return 0;
}

/* ---- exec --------------------------------------------------------------------------------------- */

struct exec {
	struct vm           *vm;
	struct control_call *call;
	int                  job;
};

static void exec_ended(void *opaque, enum frame_end end, uint32_t code, const char *why)
{
	static const char *const words[] = {
		[END_EXITED] = "exited", [END_SIGNALED] = "signaled", [END_NOT_STARTED] = "not-started",
	};
	struct exec *exec = opaque;

	if (why)
		control_reply(exec->call, NULL, -EPIPE, why);
	else
		control_reply(exec->call, json_pack("{s:s, s:I}", "end", words[end], "code", (json_int_t)code), 0, NULL);
	free(exec);
}

static void exec_cancel(struct control_call *call)
{
	struct exec *exec = call->opaque;

	command_kill(exec->vm->command, exec->job, SIGHUP);
	command_forget(exec->vm->command, exec->job);
	free(exec);
}

/* The strings of the array @list, NULL-terminated; NULL if it is none, or memory is out. They stay JSON's. */
static char **strings_of(const json_t *list)
{
	size_t nr = json_array_size(list);
	char **strings = json_is_array(list) || !list ? calloc(nr + 1, sizeof(*strings)) : NULL;

	for (size_t i = 0; strings && i < nr; i++) {
		const char *string = json_string_value(json_array_get(list, i));

		if (!string) {
			free(strings);
			return NULL;
		}
		strings[i] = (char *)(uintptr_t)string;
	}
	return strings;
}

static int exec_start(struct vm *vm, struct control_call *call, char *const *argv, char *const *env, char *error)
{
	const char *workdir = json_string_value(json_object_get(call->args, "workdir"));
	struct exec *exec = malloc(sizeof(*exec));
	struct command_job job = {
		.argv = argv, .env = env, .workdir = workdir ? workdir : "/", .ended = exec_ended, .opaque = exec,
		.user = json_string_value(json_object_get(call->args, "user")),
		.uid = (uint32_t)json_integer_value(json_object_get(call->args, "uid")),
		.gid = (uint32_t)json_integer_value(json_object_get(call->args, "gid")),
	};

	if (!exec)
		return -ENOMEM;
	memcpy(job.fds, call->fds, sizeof(job.fds));
	*exec = (struct exec){ .vm = vm, .call = call };
	exec->job = command_start(vm->command, &job);
	if (exec->job < 0) {
		int ret = exec->job;

		if (ret == -EAGAIN)
			snprintf(error, CONTROL_ERROR_BYTES, "%d commands run already", COMMAND_MAX_JOBS);
		free(exec);
		return ret;
	}
	call->opaque = exec;
	call->cancel = exec_cancel;
	return CONTROL_LATER;
}

static int run_exec(void *opaque, struct control_call *call, json_t *result, char *error)
{
	struct vm *vm = opaque;
	char **argv, **env;
	int ret;

	(void)result;
	_Static_assert(CONTROL_MAX_FDS == STREAM_COUNT, "a command's streams");
	if (!vm->command) {
		snprintf(error, CONTROL_ERROR_BYTES, "it was started without -- CMD, so it has nothing that runs commands");
		return -ENOTSUP;
	}
	if (call->nr_fds != STREAM_COUNT) {
		snprintf(error, CONTROL_ERROR_BYTES, "exec needs three descriptors with the request (SCM_RIGHTS)");
		return -EINVAL;
	}
	argv = strings_of(json_object_get(call->args, "argv"));
	env = strings_of(json_object_get(call->args, "env"));
	if (argv && argv[0] && env) {
		ret = exec_start(vm, call, argv, env, error);
	} else {
		snprintf(error, CONTROL_ERROR_BYTES, "exec needs \"argv\", and \"env\" if any, as arrays of strings");
		ret = -EINVAL;
	}
	free(argv);
	free(env);
	return ret;
}

/* ------------------------------------------------------------------------------------------------- */

/* The text console, for whoever has the other end of a socket. */
static int run_console(void *opaque, struct control_call *call, json_t *result, char *error)
{
	struct vm *vm = opaque;
	int fd = call->nr_fds ? call->fds[0] : -1;
	socklen_t len = sizeof(int);
	int ret, type = 0;

	(void)result;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) || type != SOCK_STREAM) {
		snprintf(error, CONTROL_ERROR_BYTES, "console needs a stream socket with the request (SCM_RIGHTS)");
		return -EINVAL;
	}
	call->fds[0] = -1;
	ret = console_attach(vm->console, fd);
	if (ret == -EBUSY)
		snprintf(error, CONTROL_ERROR_BYTES, "%d others have it already", CONSOLE_MAX_WATCHERS);
	return ret;
}

/* Everything that `lkvm pmu stat` shows, but for perf events, which it counts itself by the threads' ids. */
static int run_pmu_stat(void *opaque, struct control_call *call, json_t *result, char *error)
{
	struct vm *vm = opaque;
	const json_t *guest = json_object_get(call->args, "guest");
	struct stat_table *t = vm_stat_snapshot(vm, !json_is_false(guest));
	json_int_t known = json_integer_value(json_object_get(call->args, "known"));
	json_t *tids = json_array();
	int ret;

	ret = t ? stat_table_to_json(t, known, result) : -ENOMEM;
	stat_table_free(t);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		json_array_append_new(tids, json_integer(vm->vcpus[i]->tid));
	json_object_set_new(result, "tids", tids);
	if (ret)
		snprintf(error, CONTROL_ERROR_BYTES, "out of memory");
	return ret;
}

/* What every vCPU is doing, as a report of a crash would have it. */
static int run_debug(void *opaque, struct control_call *call, json_t *result, char *error)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)call;
	(void)error;
	if (!out)
		return -ENOMEM;
	report_live(opaque, out);
	if (fclose(out) == 0)
		json_object_set_new(result, "text", json_text(text));
	free(text);
	return 0;
}

/* At most as much of the console as it keeps. */
static int run_console_tail(void *opaque, struct control_call *call, json_t *result, char *error)
{
	struct vm *vm = opaque;
	char text[CONTROL_MAX_LINE];

	(void)call;
	(void)error;
	console_tail(vm->console, text, sizeof(text));
	json_object_set_new(result, "text", json_text(text));
	return 0;
}

const struct control_command vm_control_commands[] = {
	{ "status", run_status },
	{ "pause", run_pause },
	{ "resume", run_resume },
	{ "stop", run_stop },
	{ "stat", run_stat },
	{ "pmu-stat", run_pmu_stat },
	{ "console-tail", run_console_tail },
	{ "console", run_console },
	{ "debug", run_debug },
	{ "balloon", vm_balloon_control },
	{ "exec", run_exec },
	{ NULL, NULL },
};

#else

const struct control_command vm_control_commands[] = { { NULL, NULL } };

#endif
