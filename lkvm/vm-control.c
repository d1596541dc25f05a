// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/vm-control.h"

#include <errno.h>

#ifdef HAVE_JANSSON

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lkvm/arch.h"
#include "lkvm/json.h"
#include "lkvm/run-report.h"
#include "lkvm/vm.h"

/* How long a pause may take: a vCPU that waits for a slow reader of the console can't be parked. */
#define PAUSE_WAIT_MS 1000

static const char *const vcpu_states[] = {
	[VCPU_IDLE] = "idle", [VCPU_RUNNING] = "running", [VCPU_PARKED] = "parked", [VCPU_ENDED] = "ended",
};

static int run_status(void *opaque, const json_t *args, json_t *result, char *error)
{
	struct vm *vm = opaque;

	(void)args;
	(void)error;
	json_object_set_new(result, "state", json_string(vm->user_paused ? "paused" : "running"));
	json_object_set_new(result, "arch", json_string(arch_name));
	json_object_set_new(result, "cpus", json_integer(vm->nr_vcpus));
	json_object_set_new(result, "memory_bytes", json_integer((json_int_t)machine_ram_bytes(&vm->machine)));
	json_object_set_new(result, "uptime_ms", json_integer((json_int_t)vm_uptime_ms(vm)));
	return 0;
}

static int run_pause(void *opaque, const json_t *args, json_t *result, char *error)
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
	return run_status(vm, args, result, error);
}

static int run_resume(void *opaque, const json_t *args, json_t *result, char *error)
{
	struct vm *vm = opaque;

	if (vm->user_paused) {
		vm->user_paused = false;
		vm_resume(vm);
	}
	return run_status(vm, args, result, error);
}

static int run_stop(void *opaque, const json_t *args, json_t *result, char *error)
{
	(void)args;
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

static int run_stat(void *opaque, const json_t *args, json_t *result, char *error)
{
	struct vm *vm = opaque;
	json_t *vcpus = json_array();

	run_status(vm, args, result, error);
	json_object_set_new(result, "resident_bytes", json_integer((json_int_t)resident_bytes()));
	pthread_mutex_lock(&vm->vcpu_lock);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		const struct vcpu *vcpu = vm->vcpus[i];

		json_array_append_new(vcpus, json_pack("{s:i, s:i, s:s, s:o, s:I}", "index", (int)i, "tid", vcpu->tid,
						       "state", vcpu_states[vcpu->state], "exits", run_report_exits(vcpu),
						       "unclaimed_accesses",
						       (json_int_t)atomic_load(&vcpu->mmio_unclaimed)));
	}
	pthread_mutex_unlock(&vm->vcpu_lock);
	json_object_set_new(result, "vcpus", vcpus);
	return 0;
}

/* At most as much of the console as it keeps. */
static int run_console_tail(void *opaque, const json_t *args, json_t *result, char *error)
{
	struct vm *vm = opaque;
	char text[CONTROL_MAX_LINE];

	(void)args;
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
	{ "console-tail", run_console_tail },
	{ NULL, NULL },
};

#else

const struct control_command vm_control_commands[] = { { NULL, NULL } };

#endif
