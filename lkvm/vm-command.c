// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/vm-command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lkvm/clock.h"
#include "lkvm/command.h"
#include "lkvm/log.h"
#include "lkvm/outcome.h"
#include "lkvm/vm.h"
#include "virtio/console.h"

static void on_started(void *opaque)
{
	struct vm *vm = opaque;

	if (command_init_ms(vm->command))
		vm_watch_init_ran(vm, command_init_ms(vm->command));
	atomic_store(&vm->watch.command_start_ms, clock_now_ms());
	log_info("the command runs, %llu ms after the guest's start", (unsigned long long)vm_uptime_ms(vm));
}

static void on_ended(void *opaque, enum frame_end end, uint32_t code, const char *why)
{
	struct vm *vm = opaque;
	const char *name = vm->cfg->command[0];
	int status;

	atomic_store(&vm->watch.command_end_ms, clock_now_ms());
	if (why) {
		vm_request_stop(vm, OUTCOME_LOST, 0, "%s", why);
		return;
	}
	status = command_exit_status(end, code);
	switch (end) {
	case END_EXITED:
		vm_request_stop(vm, OUTCOME_COMMAND, status, "the command ended with status %u", code);
		return;
	case END_SIGNALED:
		vm_request_stop(vm, OUTCOME_COMMAND, status, "the command was ended by signal %u (%s)", code,
				strsignal((int)code));
		return;
	case END_NOT_STARTED:
		log_error("cannot run %s in the guest: %s%s", name, command_why_not_started(code),
			  code != ENOENT ? "" :
			  vm->cfg->root ? " (it must be in the directory of --root)" :
					  " (bring it with --add or --initrd)");
		vm_request_stop(vm, OUTCOME_COMMAND, status, "cannot run %s in the guest: %s", name,
				command_why_not_started(code));
		return;
	}
}

static int start(struct vm *vm)
{
	const struct config *cfg = vm->cfg;
	char term[64];
	struct command_job job = {
		.argv = cfg->command,
		.env = command_make_env(cfg->env, cfg->nr_env, term, sizeof(term)),
		.workdir = cfg->workdir,
		.user = cfg->user,
		.uid = cfg->uid,
		.gid = cfg->gid,
		.fds = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO },
		.keep_tail = cfg->junit || cfg->report,
		.judged = true,
		.started = on_started,
		.ended = on_ended,
		.opaque = vm,
	};
	int ret = job.env ? command_start(vm->command, &job) : -ENOMEM;

	free((void *)(uintptr_t)job.env);
	if (ret < 0)
		log_error("-- %s: %s%s", cfg->command[0], strerror(-ret),
			  ret == -E2BIG ? " (64 KiB of arguments and environment can be passed)" : "");
	return ret < 0 ? ret : 0;
}

int vm_command_create(struct vm *vm, const struct virtio_env *env, struct virtio_device **dev)
{
	struct virtio_console_port port;
	int ret;

	ret = command_create(&vm->command, vm->loop);
	if (!ret)
		ret = start(vm);
	if (ret)
		return ret;
	port = command_port(vm->command);
	ret = virtio_console_create(dev, env, NULL, &port, 1);
	if (!ret)
		command_set_device(vm->command, *dev, 1);
	return ret;
}
