// SPDX-License-Identifier: GPL-2.0-only
/*
 * The names of hardware exits against the kernel's own tables, where this host's headers have them. They call some
 * numbers by names that lkvm/exit.h uses for others, hence a file of its own.
 */
#include "tests/unit/exit-util.h"

#include <stdio.h>

#if defined(__x86_64__) && __has_include(<asm/vmx.h>) && __has_include(<asm/svm.h>)
#include <asm/svm.h>
#include <asm/vmx.h>
#endif

#ifdef VMX_EXIT_REASONS
static struct exit_record unexpected(uint64_t reason, enum exit_cpu cpu)
{
	struct exit_info info = { .reason = 17 /* KVM_EXIT_INTERNAL_ERROR */, .cpu = cpu };

	exit_payload_set(&info, EXIT_INTERNAL_SUBERROR, 4, EXIT_SUBERROR_UNEXPECTED_EXIT_REASON);
	exit_payload_set(&info, EXIT_INTERNAL_NDATA, 4, 1);
	exit_payload_set(&info, EXIT_INTERNAL_DATA, 8, reason);
	return exit_decode_checked(x86_exit_decode, &info);
}

static void test_kernel_tables(void)
{
	static const struct {
		uint64_t    reason;
		const char *name;
	} vmx[] = { VMX_EXIT_REASONS };
	static const uint64_t svm[] = {
		SVM_EXIT_READ_CR0, SVM_EXIT_READ_CR2, SVM_EXIT_READ_CR3, SVM_EXIT_READ_CR4, SVM_EXIT_READ_CR8,
		SVM_EXIT_WRITE_CR0, SVM_EXIT_WRITE_CR8, SVM_EXIT_READ_DR0, SVM_EXIT_READ_DR7, SVM_EXIT_WRITE_DR0,
		SVM_EXIT_WRITE_DR7, SVM_EXIT_INTR, SVM_EXIT_NMI, SVM_EXIT_VINTR, SVM_EXIT_CR0_SEL_WRITE,
		SVM_EXIT_TR_WRITE, SVM_EXIT_RDTSC, SVM_EXIT_CPUID, SVM_EXIT_HLT, SVM_EXIT_IOIO, SVM_EXIT_MSR,
		SVM_EXIT_TASK_SWITCH, SVM_EXIT_SHUTDOWN, SVM_EXIT_VMRUN, SVM_EXIT_VMMCALL, SVM_EXIT_SKINIT,
		SVM_EXIT_MWAIT_COND, SVM_EXIT_XSETBV, SVM_EXIT_RDPRU, SVM_EXIT_EFER_WRITE_TRAP,
		SVM_EXIT_CR0_WRITE_TRAP, SVM_EXIT_INVPCID, SVM_EXIT_NPF, SVM_EXIT_AVIC_INCOMPLETE_IPI,
		SVM_EXIT_AVIC_UNACCELERATED_ACCESS, SVM_EXIT_VMGEXIT, (uint64_t)SVM_EXIT_ERR,
	};

	for (size_t i = 0; i < ARRAY_SIZE(vmx); i++) {
		char name[64];

		snprintf(name, sizeof(name), "0x%llx (%s)", (unsigned long long)vmx[i].reason, vmx[i].name);
		SAYS(unexpected(vmx[i].reason, EXIT_CPU_INTEL).what, name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(svm); i++)
		SAYS(unexpected(svm[i], EXIT_CPU_AMD).what, " (");
}
#else
static void test_kernel_tables(void)
{
	test_skip("these headers have no asm/vmx.h");
}
#endif

const struct test x86_exit_tables_tests[] = {
	{ "kernel_tables", test_kernel_tables },
	{ 0 },
};
