// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/arch.h"
#include "lkvm/fetch.h"
#include "lkvm/log.h"
#include "lkvm/vm.h"

/* What lies behind pc, through the guest's own page tables, and the bytes there as far as its page goes. */
static void capture_code(struct vcpu *vcpu, struct exit_info *info)
{
	const struct memory *mem = &vcpu->vm->memory;
	struct reg_set set = { 0 };
	struct walk w;
	uint64_t len;

	arch_vcpu_regs(vcpu, &set);
	arch_vcpu_translate(vcpu, info->pc + set.code_base, true, &w);
	if (w.result == WALK_UNKNOWN)
		return;
	info->pc_memory = w.result == WALK_MAPPED && memory_find(mem, w.gpa) ? EXIT_PC_RAM : EXIT_PC_HOLE;
	len = MIN(sizeof(info->code), 4096 - (info->pc & 4095));
	if (info->pc_memory == EXIT_PC_RAM && !memory_read(mem, w.gpa, info->code, len))
		info->code_len = (uint8_t)len;
}

void report_capture(struct vcpu *vcpu, int run_errno, uint32_t reason, struct exit_info *info)
{
	const struct kvm_run *run = vcpu->run;

	memset(info, 0, sizeof(*info));
	info->run_errno = run_errno;
	info->reason = reason;
	info->flags = run->flags;
	_Static_assert(sizeof(run->padding) >= EXIT_PAYLOAD_BYTES, "payload of kvm_run");
	memcpy(info->payload, run->padding, EXIT_PAYLOAD_BYTES);
	info->have_pc = arch_vcpu_pc(vcpu, &info->pc) == 0;
	if (info->have_pc)
		capture_code(vcpu, info);
}

void report_vcpu_failure(struct vcpu *vcpu, const struct exit_record *rec)
{
	struct vm *vm = vcpu->vm;

	pthread_mutex_lock(&vm->vcpu_lock);
	if (!vm->culprit) {
		vm->culprit = vcpu;
		vm->has_failure = rec != NULL;
		if (rec)
			vm->failure = *rec;
	}
	pthread_mutex_unlock(&vm->vcpu_lock);
}

void report_request(struct vcpu *vcpu)
{
	report_vcpu_failure(vcpu, NULL);
}

void report_print(struct vm *vm)
{
	const struct exit_record *rec = &vm->failure;
	struct reg_set set = { 0 };
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (!vm->culprit)
		return;
	out = open_memstream(&text, &len);
	if (!out) {
		/* Out of memory: say at least what happened. */
		log_error("vCPU %u: %s", vm->culprit->index, rec->what);
		return;
	}
	if (vm->has_failure)
		fprintf(out, "lkvm: vCPU %u stopped: %s\n", vm->culprit->index, rec->what);
	else
		fprintf(out, "lkvm: vCPU %u:\n", vm->culprit->index);
	if (rec->name && rec->name[0])
		fprintf(out, "  exit      %s\n", rec->name);
	if (rec->advice[0])
		fprintf(out, "  advice    %s\n", rec->advice);
	arch_vcpu_regs(vm->culprit, &set);
	reg_set_print(&set, out);
	if (fclose(out) == 0)
		log_write(text, len);
	free(text);
}
