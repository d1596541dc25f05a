// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/arch.h"
#include "lkvm/log.h"
#include "lkvm/vm.h"

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
	/* Only true for a guest without translation; the page walk of a report says more. */
	if (info->have_pc)
		info->pc_memory = memory_find(&vcpu->vm->memory, info->pc) ? EXIT_PC_RAM : EXIT_PC_HOLE;
}

void report_vcpu_failure(struct vcpu *vcpu, const struct exit_record *rec)
{
	struct reg_set set = { 0 };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out) {
		/* Out of memory: say at least what happened. */
		log_error("vCPU %u: %s", vcpu->index, rec->what);
		return;
	}
	fprintf(out, "lkvm: vCPU %u stopped: %s\n", vcpu->index, rec->what);
	if (rec->name[0])
		fprintf(out, "  exit      %s\n", rec->name);
	if (rec->advice[0])
		fprintf(out, "  advice    %s\n", rec->advice);
	arch_vcpu_regs(vcpu, &set);
	reg_set_print(&set, out);
	if (fclose(out) == 0)
		log_write(text, len);
	free(text);
}
