// SPDX-License-Identifier: GPL-2.0-only
/* Lines as people find them in logs. */
#include "lkvm/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/exit-util.h"

static struct explain_result res;

static const struct explain_reading *find(const char *arch)
{
	for (unsigned int i = 0; i < res.nr; i++)
		if (strstr(res.readings[i].arches, arch))
			return &res.readings[i];
	return NULL;
}

/* One reading each: what a pasted line is taken for. */
static const struct {
	const char     *text, *arch; /* arch: of the reading that is looked at */
	unsigned int    nr;          /* readings */
	uint32_t        reason;
	int             run_errno;
	enum exit_cause cause;
	const char     *what;
} rows[] = {
	/* The issue's own examples. */
	{ "0xffffffff7c0006ff", "ppc-booke", 1, EXIT_REASON_UNKNOWN, 0, EXIT_CAUSE_EMULATION_FAILED,
	  "instruction 0x7c0006ff" },
	{ "KVM: unknown exit, hardware reason ffffffffffffffea", "ppc-book3s", 2, EXIT_REASON_UNKNOWN, 0,
	  EXIT_CAUSE_NESTED, "-22, that is -EINVAL" },
	{ "KVM_EXIT_FAIL_ENTRY 0x80000021", "x86_64", 1, EXIT_REASON_FAIL_ENTRY, 0, EXIT_CAUSE_ENTRY_REFUSED,
	  "INVALID_STATE" },
	{ "errno EOPNOTSUPP", "riscv64", 2, EXIT_REASON_UNKNOWN, EOPNOTSUPP, EXIT_CAUSE_FETCH_FAILED,
	  "instruction fetch failed" },
	/* QEMU. */
	{ "qemu-system-ppc: KVM: unknown exit, hardware reason 21", "ppc-booke", 2, EXIT_REASON_UNKNOWN, 0,
	  EXIT_CAUSE_UNEXPECTED_TRAP, "BOOKE_INTERRUPT_SPE_FP_DATA" },
	{ "KVM: entry failed, hardware error 0x80000021", "x86_64", 1, EXIT_REASON_FAIL_ENTRY, 0,
	  EXIT_CAUSE_ENTRY_REFUSED, "INVALID_STATE" },
	{ "KVM: entry failed, hardware error 0xffffffff", "x86_64", 1, EXIT_REASON_FAIL_ENTRY, 0,
	  EXIT_CAUSE_ENTRY_REFUSED, "AMD's VMRUN" },
	{ "KVM: entry failed, hardware error 0x5", "x86_64", 1, EXIT_REASON_FAIL_ENTRY, 0,
	  EXIT_CAUSE_ENTRY_REFUSED, "VMXERR_VMRESUME_NONLAUNCHED_VMCS" },
	{ "KVM internal error. Suberror: 1\nextra data[0]: 0x0000000000000000\nextra data[1]: 0x0000000000000400",
	  "x86_64", 1, EXIT_REASON_INTERNAL_ERROR, 0, EXIT_CAUSE_FETCH_FAILED, "0x400 (NPF)" },
	{ "KVM internal error. Suberror: 3\nextra data[0]: 0x0000000080000b0e\nextra data[1]: 0x0000000000000031",
	  "x86_64", 1, EXIT_REASON_INTERNAL_ERROR, 0, EXIT_CAUSE_EVENT_DELIVERY, "exception #PF" },
	{ "extra data[1]: 0x0000000000000031", "any", 1, EXIT_REASON_INTERNAL_ERROR, 0, EXIT_CAUSE_KVM_BUG, "0x0 0x31" },
	{ "error: kvm run failed Bad address", "arm64", 3, EXIT_REASON_UNKNOWN, EFAULT, EXIT_CAUSE_GUEST_MEMORY,
	  "page of guest memory" },
	{ "error: kvm run failed Function not implemented", "arm64", 2, EXIT_REASON_UNKNOWN, ENOSYS,
	  EXIT_CAUSE_DEVICE_ACCESS, "does not describe" },
	{ "kvm_run_exit: cpu_index 0, reason 8", "x86_64", 1, EXIT_REASON_SHUTDOWN, 0, EXIT_CAUSE_TRIPLE_FAULT,
	  "triple fault" },
	/* With its registers, whose names are words of ours. */
	{ "KVM internal error. Suberror: 1\nemulation failure\nRAX=0000000000000000 RBX=0000000000000001\n"
	  "RIP=ffffffff81000000 RFL=00010246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=0\nCR0=80050033 CR2=0000000000000000",
	  "x86_64", 1, EXIT_REASON_INTERNAL_ERROR, 0, EXIT_CAUSE_EMULATION_FAILED, "at pc 0xffffffff81000000" },
	{ "KVM internal error. Suberror: 1", "x86_64", 1, EXIT_REASON_INTERNAL_ERROR, 0, EXIT_CAUSE_EMULATION_FAILED,
	  "or not fetch it" },
	{ "HLT", "any", 1, EXIT_REASON_HLT, 0, EXIT_CAUSE_HALTED, "halted" },
	/* kvmtool. */
	{ "KVM exit reason: 0 (\"KVM_EXIT_UNKNOWN\")\nKVM exit code: 18446744073709551594", "ppc-book3s", 2,
	  EXIT_REASON_UNKNOWN, 0, EXIT_CAUSE_NESTED, "-22, that is -EINVAL" },
	{ "KVM exit reason: 24 (\"KVM_EXIT_SYSTEM_EVENT\")", "any", 1, EXIT_REASON_SYSTEM_EVENT, 0,
	  EXIT_CAUSE_NEW_KERNEL, "kernel is newer" },
	{ "KVM_RUN failed: Invalid argument", "any", 1, EXIT_REASON_UNKNOWN, EINVAL, EXIT_CAUSE_SETUP, "EINVAL" },
	{ "KVM exit code: 17 (\"KVM_EXIT_INTERNAL_ERROR\")", "any", 1, EXIT_REASON_INTERNAL_ERROR, 0,
	  EXIT_CAUSE_KVM_BUG, "KVM does what it should not" },
	{ "KVM: exit 8", "x86_64", 1, EXIT_REASON_SHUTDOWN, 0, EXIT_CAUSE_TRIPLE_FAULT, "triple" },
	{ "exit 0", "any", 1, EXIT_REASON_UNKNOWN, 0, EXIT_CAUSE_UNEXPECTED_TRAP, "no handler" },
	/* Rust VMMs. */
	{ "Unexpected exit reason on vcpu run: FailEntry(2147483681, 0)", "x86_64", 1, EXIT_REASON_FAIL_ENTRY, 0,
	  EXIT_CAUSE_ENTRY_REFUSED, "0x80000021 (INVALID_STATE" },
	{ "VcpuExit::SystemEvent(2, [])", "any", 1, EXIT_REASON_SYSTEM_EVENT, 0, EXIT_CAUSE_POWER, "a reset" },
	{ "Received KVM_EXIT_FAIL_ENTRY: reason 2147483681, cpu 2", "x86_64", 1, EXIT_REASON_FAIL_ENTRY, 0,
	  EXIT_CAUSE_ENTRY_REFUSED, "(INVALID_STATE: invalid guest state), host CPU 2" },
	{ "Received KVM_EXIT_FAIL_ENTRY signal: 2147483681 on cpu 2", "x86_64", 1, EXIT_REASON_FAIL_ENTRY, 0,
	  EXIT_CAUSE_ENTRY_REFUSED, "(INVALID_STATE: invalid guest state), host CPU 2" },
	{ "hardware_entry_failure_reason: 2147483681", "x86_64", 1, EXIT_REASON_FAIL_ENTRY, 0,
	  EXIT_CAUSE_ENTRY_REFUSED, "INVALID_STATE" },
	{ "Failure during vcpu run: Bad address (os error 14)", "arm64", 3, EXIT_REASON_UNKNOWN, EFAULT,
	  EXIT_CAUSE_GUEST_MEMORY, "page of guest memory" },
	{ "vcpu run: something (os error 38)", "arm64", 2, EXIT_REASON_UNKNOWN, ENOSYS, EXIT_CAUSE_DEVICE_ACCESS,
	  "does not describe" },
	/* Host kernels. */
	{ "[  123.456789] kvmppc_handle_exit: emulation at c0001234 failed (7c0006ff)", "ppc-booke", 1,
	  EXIT_REASON_UNKNOWN, 0, EXIT_CAUSE_EMULATION_FAILED, "0x7c0006ff at pc 0xc0001234" },
	{ "MACHINE CHECK: 80008000", "ppc-booke", 1, EXIT_REASON_UNKNOWN, 0, EXIT_CAUSE_MACHINE_CHECK,
	  "MCSR 0x80008000" },
	{ "trap=0x700 | pc=0xc000000000001234 | msr=0x8000000000001033", "ppc-book3s", 1, EXIT_REASON_UNKNOWN, 0,
	  EXIT_CAUSE_UNEXPECTED_TRAP, "BOOK3S_INTERRUPT_PROGRAM (illegal or privileged instruction, or trap) at pc "
	  "0xc000000000001234" },
	{ "KVM trap in HV mode!\ntrap=0x200 | pc=0x1234 | msr=0x9000000000001033", "ppc-book3s", 1,
	  EXIT_REASON_INTERNAL_ERROR, 0, EXIT_CAUSE_MACHINE_CHECK, "hypervisor mode, trap 0x200" },
	{ "KVM trap in HV mode!", "ppc-book3s", 1, EXIT_REASON_INTERNAL_ERROR, 0, EXIT_CAUSE_KVM_BUG, "suberror 0" },
	{ "kvm [77]: VCPU exit error -95\nkvm [77]: SEPC=0x70000000 SSTATUS=0x100 HSTATUS=0x2002001c0\n"
	  "kvm [77]: SCAUSE=0x14 STVAL=0x70000000 HTVAL=0x1c000000 HTINST=0x0", "riscv64", 1, EXIT_REASON_UNKNOWN,
	  EOPNOTSUPP, EXIT_CAUSE_FETCH_FAILED, "fetch failed at pc 0x70000000: no guest RAM" },
	{ "SCAUSE=0x17", "riscv64", 1, EXIT_REASON_UNKNOWN, EOPNOTSUPP, EXIT_CAUSE_DEVICE_ACCESS, "device memory" },
	{ "vcpu0, Unsupported exception type: 7", "arm64", 1, EXIT_REASON_INTERNAL_ERROR, 0,
	  EXIT_CAUSE_UNEXPECTED_TRAP, "does not support" },
	{ "vmx: unexpected exit reason 0x31", "x86-intel", 1, EXIT_REASON_INTERNAL_ERROR, 0,
	  EXIT_CAUSE_UNEXPECTED_TRAP, "0x31 (EPT_MISCONFIG)" },
	{ "svm: unexpected exit reason 0x31", "x86-amd", 1, EXIT_REASON_INTERNAL_ERROR, 0,
	  EXIT_CAUSE_UNEXPECTED_TRAP, "0x31 (WRITE_DR1)" },
	{ "ESR_EL2: 0x96000046", "arm64", 1, EXIT_REASON_UNKNOWN, 0, EXIT_CAUSE_UNKNOWN,
	  "data abort from the same EL, translation fault, level 2, write" },
	{ "0x92000046", "arm64", 1, EXIT_REASON_UNKNOWN, 0, EXIT_CAUSE_UNKNOWN, "data abort from a lower EL" },
	{ "kvm [2502822]: Unsupported guest sys_reg access at: ffff80008003e9f0 [000000c5]\n"
	  "                 { Op0( 3), Op1( 0), CRn(10), CRm( 4), Op2( 4), func_read },", "arm64", 1, EXIT_REASON_NOT_WRITTEN, 0,
	  EXIT_CAUSE_NOT_OFFERED, "that the guest accessed at pc 0xffff80008003e9f0: S3_0_C10_C4_4, read" },
	{ "kvm [7617]: Unsupported guest sys_reg access at: 23f425fd0 [80000209]", "arm64", 1, EXIT_REASON_NOT_WRITTEN, 0,
	  EXIT_CAUSE_NOT_OFFERED, "at pc 0x23f425fd0" },
	{ "kvm [7]: Unsupported guest CP15 access at: c0101234 [600001d3]", "arm64", 1, EXIT_REASON_NOT_WRITTEN, 0,
	  EXIT_CAUSE_NOT_OFFERED, "coprocessor register" },
	{ "kvm [10652]: load/store instruction decoding not implemented", "arm64", 1, EXIT_REASON_UNKNOWN, ENOSYS,
	  EXIT_CAUSE_DEVICE_ACCESS, "does not describe" },
	{ "kvm [4711]: Data abort outside memslots with no valid syndrome info", "arm64", 1, EXIT_REASON_UNKNOWN, ENOSYS,
	  EXIT_CAUSE_DEVICE_ACCESS, "does not describe" },
	{ "kvm_mmio_nisv: ipa 0x0000000009000000, esr 0x0000000093c08007, far 0xffff800080000000, pc 0xffff800080001234", "arm64", 1,
	  EXIT_REASON_UNKNOWN, ENOSYS, EXIT_CAUSE_DEVICE_ACCESS, "a device at pc 0xffff800080001234 with an instruction that" },
	{ "KVM: FAILED VMRUN WITH VMCB:", "x86-amd", 1, EXIT_REASON_NOT_WRITTEN, 0, EXIT_CAUSE_ENTRY_REFUSED, "refused VMRUN" },
	{ "[47175.214140] SVM: VMCB 00000000a4006788, last attempted VMRUN on CPU 81\n[47175.215862] SVM: VMCB Control Area:",
	  "x86-amd", 1, EXIT_REASON_NOT_WRITTEN, 0, EXIT_CAUSE_UNKNOWN, "did not enter" },
	{ "set kvm_amd.dump_invalid_vmcb=1 to dump internal KVM state.", "x86-amd", 1, EXIT_REASON_NOT_WRITTEN, 0,
	  EXIT_CAUSE_UNKNOWN, "did not enter" },
	{ "[23031085.916249] kvm [9737]: vcpu6, guest rIP: 0xffffffffb190d1b5 vmx: unexpected exit reason 0x3\n"
	  "[23031085.916251] set kvm_intel.dump_invalid_vmcs=1 to dump internal KVM state.", "x86-intel", 2,
	  EXIT_REASON_NOT_WRITTEN, 0, EXIT_CAUSE_UNKNOWN, "did not enter" },
	{ "kvm_intel: VMCS 00000000deadbeef, last attempted VM-entry on CPU 3\nkvm_intel: *** Guest State ***", "x86-intel", 1,
	  EXIT_REASON_NOT_WRITTEN, 0, EXIT_CAUSE_UNKNOWN, "did not enter" },
	{ "VM-Entry failed", "any", 1, EXIT_REASON_FAIL_ENTRY, 0, EXIT_CAUSE_ENTRY_REFUSED, "does not enter the guest" },
	{ "kvm: vmwrite failed: field=681e val=0 err=12", "x86-intel", 1, EXIT_REASON_NOT_WRITTEN, 0, EXIT_CAUSE_KVM_BUG,
	  "field 0x681e, VM-instruction error 12 (there is no such field)" },
	{ "kvm [18663]: vcpu0, guest rIP: 0x407de7 unhandled wrmsr: 0x1d9 data 0x1", "x86_64", 1, EXIT_REASON_NOT_WRITTEN, 0,
	  EXIT_CAUSE_NOT_OFFERED, "MSR 0x1d9, 0x1 written" },
	{ "kvm_intel: kvm [18663]: vcpu0, guest rIP: 0x407de7 Unhandled WRMSR(0x1d9) = 0x3", "x86_64", 1,
	  EXIT_REASON_NOT_WRITTEN, 0, EXIT_CAUSE_NOT_OFFERED, "MSR 0x1d9, 0x3 written" },
	{ "kvm_amd: kvm [1]: vcpu0, guest rIP: 0x1234 Unhandled RDMSR(0xc0011029)", "x86_64", 1, EXIT_REASON_NOT_WRITTEN, 0,
	  EXIT_CAUSE_NOT_OFFERED, "MSR 0xc0011029" },
	{ "kvm [1]: vcpu0, guest rIP: 0x1234 ignored rdmsr: 0x34 data 0x0", "x86_64", 1, EXIT_REASON_NOT_WRITTEN, 0,
	  EXIT_CAUSE_NOT_OFFERED, "as if it had: MSR 0x34" },
	{ "kvm_riscv_handle_sbi: Unhandled SBI exit with extension-id 1145193294", "riscv64", 1, EXIT_REASON_RISCV_SBI, 0,
	  EXIT_CAUSE_REQUEST, "dbcn" },
	{ "kvm_riscv_handle_sbi: un-handled SBI EXIT, specific reasons is 10", "riscv64", 1, EXIT_REASON_RISCV_SBI, 0,
	  EXIT_CAUSE_REQUEST, "0xa" },
	{ "Unhandled SBI call\nextension_id=0x4442434e function_id=0x0", "riscv64", 1, EXIT_REASON_RISCV_SBI, 0,
	  EXIT_CAUSE_REQUEST, "dbcn" },
	{ "exit_nr 33", "ppc-booke", 1, EXIT_REASON_UNKNOWN, 0, EXIT_CAUSE_UNEXPECTED_TRAP, "BOOKE_INTERRUPT_SPE_FP_DATA" },
	{ "kvmppc_handle_exit: unexpected SPE interrupt 33 at c0001234", "ppc-booke", 1, EXIT_REASON_UNKNOWN, 0,
	  EXIT_CAUSE_UNEXPECTED_TRAP, "BOOKE_INTERRUPT_SPE_FP_DATA" },
	{ "exit_nr=0x700 | pc=0xc000000000001234 | msr=0x8000000000001033", "ppc-book3s", 1, EXIT_REASON_UNKNOWN, 0,
	  EXIT_CAUSE_UNEXPECTED_TRAP, "BOOK3S_INTERRUPT_PROGRAM" },
	{ "Couldn't emulate instruction 0x7c0006ff (op 31 xop 895)", "ppc-booke", 1, EXIT_REASON_UNKNOWN, 0,
	  EXIT_CAUSE_EMULATION_FAILED, "0x7c0006ff" },
	{ "kvmppc_emulate_mmio: emulation failed (7c00052c)", "ppc", 1, EXIT_REASON_NOT_WRITTEN, 0, EXIT_CAUSE_DEVICE_ACCESS,
	  "can't emulate: 0x7c00052c" },
	{ "kvm [3]: Guest access to device memory using unsupported instruction (opcode: 0x7c00052c)", "ppc", 1,
	  EXIT_REASON_NOT_WRITTEN, 0, EXIT_CAUSE_DEVICE_ACCESS, "can't emulate: 0x7c00052c" },
	{ "KVM: Got unsupported MMU fault", "ppc-book3s", 1, EXIT_REASON_NOT_WRITTEN, 0, EXIT_CAUSE_KVM_BUG, "EFAULT" },
	{ "KVM: Got radix HV page fault with DSISR=8000000", "ppc-book3s", 1, EXIT_REASON_NOT_WRITTEN, 0,
	  EXIT_CAUSE_DEVICE_ACCESS, "kind of memory" },
	/* lkvm's own. */
	{ "vCPU 0: instruction fetch failed at pc 0x70000000: no guest RAM there (KVM_RUN: EOPNOTSUPP)", "riscv64",
	  2, EXIT_REASON_UNKNOWN, EOPNOTSUPP, EXIT_CAUSE_FETCH_FAILED, "at pc 0x70000000" },
	{ "vCPU 0: instruction fetch failed at pc 0xe4000000; exit reason 0x1000 (exit status 121)", "x86_64", 1,
	  EXIT_REASON_INTERNAL_ERROR, 0, EXIT_CAUSE_EMULATION_FAILED, "or not fetch it" },
	{ "lkvm: vCPU 0: instruction fetch fails at 0x200: no memory behind this address", "any", 1,
	  EXIT_REASON_NOT_WRITTEN, 0, EXIT_CAUSE_FETCH_FAILED, "made no exit" },
	/* Not KVM_RUN's. */
	{ "Could not access KVM kernel module: Permission denied", "any", 1, EXIT_REASON_NOT_WRITTEN, EACCES,
	  EXIT_CAUSE_SETUP, "before the guest ran: EACCES" },
	{ "ioctl(KVM_CREATE_VM) failed: 16 Device or resource busy", "any", 1, EXIT_REASON_NOT_WRITTEN, EBUSY,
	  EXIT_CAUSE_SETUP, "EBUSY" },
	/* By hand. */
	{ "KVM_EXIT_FAIL_ENTRY reason 7", "x86_64", 1, EXIT_REASON_FAIL_ENTRY, 0, EXIT_CAUSE_ENTRY_REFUSED,
	  "VMXERR_ENTRY_INVALID_CONTROL_FIELD" },
	{ "kvm_exit_fail_entry 1 cpu 5", "arm64", 3, EXIT_REASON_FAIL_ENTRY, 0, EXIT_CAUSE_WRONG_CPU,
	  "host CPU 5" },
	{ "exit_reason=9 hardware_entry_failure_reason=0x22", "any", 1, EXIT_REASON_FAIL_ENTRY, 0,
	  EXIT_CAUSE_ENTRY_REFUSED, "0x22" },
	{ "KVM_EXIT_INTERNAL_ERROR 4 0x31", "x86_64", 1, EXIT_REASON_INTERNAL_ERROR, 0,
	  EXIT_CAUSE_UNEXPECTED_TRAP, "0x31" },
	{ "KVM_INTERNAL_ERROR_DELIVERY_EV 0x80000b0e 48", "x86_64", 1, EXIT_REASON_INTERNAL_ERROR, 0,
	  EXIT_CAUSE_EVENT_DELIVERY, "exit reason 0x30" },
	{ "KVM_SYSTEM_EVENT_CRASH", "any", 1, EXIT_REASON_SYSTEM_EVENT, 0, EXIT_CAUSE_GUEST_CRASH, "crash" },
	{ "KVM_EXIT_MEMORY_FAULT gpa 0x80001000 size 4096 flags 8 EFAULT", "any", 1, EXIT_REASON_MEMORY_FAULT,
	  EFAULT, EXIT_CAUSE_GUEST_MEMORY, "0x80001000, 0x1000 bytes, accessed as private memory" },
	{ "KVM_EXIT_MMIO phys_addr=0x10000000 len=4", "any", 1, EXIT_REASON_MMIO, 0, EXIT_CAUSE_REQUEST,
	  "read of 4 bytes at 0x10000000" },
	{ "KVM_EXIT_MMIO", "any", 1, EXIT_REASON_MMIO, 0, EXIT_CAUSE_REQUEST, "wants something served" },
	{ "KVM_EXIT_HLT", "any", 1, EXIT_REASON_HLT, 0, EXIT_CAUSE_HALTED, "halted" },
	{ "exit reason 200", "any", 1, 200, 0, EXIT_CAUSE_NEW_KERNEL, "exit reason 200" },
	{ "hcall 0xe0", "ppc-book3s", 1, EXIT_REASON_PAPR_HCALL, 0, EXIT_CAUSE_REQUEST, "H_CEDE" },
	{ "sbi 0x4442434e", "riscv64", 1, EXIT_REASON_RISCV_SBI, 0, EXIT_CAUSE_REQUEST, "dbcn" },
	{ "csr 15", "riscv64", 1, EXIT_REASON_RISCV_CSR, 0, EXIT_CAUSE_REQUEST, "seed" },
	{ "instruction 7c0006ff", "ppc-booke", 1, EXIT_REASON_UNKNOWN, 0, EXIT_CAUSE_EMULATION_FAILED,
	  "0x7c0006ff" },
	{ "trap e40", "ppc-book3s", 1, EXIT_REASON_UNKNOWN, 0, EXIT_CAUSE_UNEXPECTED_TRAP, "H_EMUL_ASSIST" },
	{ "hardware reason -22", "ppc-book3s", 2, EXIT_REASON_UNKNOWN, 0, EXIT_CAUSE_NESTED, "-22" },
	{ "ffffffffffffffea", "ppc-book3s", 2, EXIT_REASON_UNKNOWN, 0, EXIT_CAUSE_NESTED, "-22" },
	{ "0xfffffffe_00000008", "ppc-booke", 1, EXIT_REASON_UNKNOWN, 0, EXIT_CAUSE_MACHINE_CHECK,
	  "MCSR 0x00000008" },
	{ "0x80000021", "x86_64", 1, EXIT_REASON_FAIL_ENTRY, 0, EXIT_CAUSE_ENTRY_REFUSED, "INVALID_STATE" },
	{ "-22", "any", 1, EXIT_REASON_UNKNOWN, EINVAL, EXIT_CAUSE_SETUP, "EINVAL" },
	{ "-EINVAL", "any", 1, EXIT_REASON_UNKNOWN, EINVAL, EXIT_CAUSE_SETUP, "EINVAL" },
	{ "errno -14", "riscv64", 3, EXIT_REASON_UNKNOWN, EFAULT, EXIT_CAUSE_GUEST_MEMORY, "EFAULT" },
	{ "errno 4711", "any", 1, EXIT_REASON_UNKNOWN, 4711, EXIT_CAUSE_UNKNOWN, "errno 4711" },
	{ "KVM_RUN returned -524", "any", 1, EXIT_REASON_UNKNOWN, 524, EXIT_CAUSE_UNKNOWN, "ENOTSUPP" },
	{ "triple fault", "x86_64", 1, EXIT_REASON_SHUTDOWN, 0, EXIT_CAUSE_TRIPLE_FAULT, "triple fault" },
};

static void test_rows(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct explain_reading *r;

		CHECK_EQ(explain(NULL, rows[i].text, &res), 0);
		r = find(rows[i].arch);
		if (res.nr != rows[i].nr || !r) {
			test_fail(__FILE__, __LINE__, "\"%s\": %u readings, %s of %s", rows[i].text, res.nr,
				  r ? "one" : "none", rows[i].arch);
			continue;
		}
		if (r->rec.reason != rows[i].reason || r->rec.run_errno != rows[i].run_errno ||
		    r->rec.cause != rows[i].cause || !strstr(r->rec.what, rows[i].what))
			test_fail(__FILE__, __LINE__, "\"%s\" is read as reason %u, errno %d, %s: %s", rows[i].text,
				  r->rec.reason, r->rec.run_errno, exit_cause_word(r->rec.cause), r->rec.what);
		CHECK(r->as[0] != '\0');
	}
}

/* What a line says is not looked for in one of the other kind that follows. */
static void test_msr_lines(void)
{
	CHECK_EQ(explain(NULL, "kvm: vcpu0 ignored rdmsr: 0x10 data 0x0\nkvm: vcpu0 unhandled wrmsr: 0x1d9 data 0x1", &res), 0);
	CHECK_EQ(res.nr, 2);
	CHECK(strstr(res.readings[0].rec.what, "MSR 0x1d9, 0x1 written") != NULL);
	CHECK(strstr(res.readings[1].rec.what, "MSR 0x10") != NULL);
	CHECK(strstr(res.readings[1].rec.what, "written") == NULL);
}

/* On its own a small number can be many things. */
static void test_number_alone(void)
{
	CHECK_EQ(explain(NULL, "1", &res), 0);
	CHECK_EQ(res.nr, 8);
	CHECK_STR(res.readings[0].as, "hardware_exit_reason 0x1");
	CHECK(find("riscv64") && find("arm64") && find("ppc-booke") && find("x86_64"));
	CHECK(!find("ppc-book3s"));
	/* With an arch, only what it is there. */
	CHECK_EQ(explain("ppc-booke", "1", &res), 0);
	for (unsigned int i = 0; i < res.nr; i++)
		CHECK(!strcmp(res.readings[i].arches, "ppc-booke") || !strcmp(res.readings[i].arches, "any"));
	/* Hexadecimal numbers are no errno. */
	CHECK_EQ(explain(NULL, "0x16", &res), 0);
	for (unsigned int i = 0; i < res.nr; i++)
		CHECK_EQ(res.readings[i].rec.run_errno, 0);
	/* Two of them. */
	CHECK_EQ(explain(NULL, "0x700 0x80000021", &res), 0);
	CHECK_EQ(res.nr, 2);
}

static void test_arches(void)
{
	static const struct {
		const char *word, *arch;
	} names[] = {
		{ "e500", "ppc-e500v2" }, { "e6500", "ppc-e500mc" }, { "PSERIES", "ppc-book3s" },
		{ "ppc", "ppc" },        { "powerpc", "ppc" },
		 { "vmx", "x86-intel" },    { "amd64", "x86_64" },
		{ "aarch64", "arm64" },   { "riscv64", "riscv64" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		CHECK_STR(explain_arch(names[i].word), names[i].arch);
	CHECK(explain_arch("vax") == NULL);
	CHECK(explain_arch("") == NULL);
	/* Whatever the text, it is answered for the one that was asked for. */
	for (const char *const *arch = explain_arches; *arch; arch++) {
		CHECK_EQ(explain(*arch, "hardware reason 21", &res), 0);
		CHECK_EQ(res.nr, 1);
		CHECK(!strncmp(res.readings[0].arches, *arch, strlen(*arch)));
	}
	CHECK_EQ(explain("ppc-e500v2", "hardware reason 21", &res), 0);
	SAYS(res.readings[0].rec.what, "BOOKE_INTERRUPT_SPE_FP_DATA (33)");
	CHECK_EQ(explain("x86-amd", "hardware reason 21", &res), 0);
	SAYS(res.readings[0].rec.what, "(READ_DR1)");
}

static void test_nothing_known(void)
{
	static const char *const texts[] = {
		"", " ", "hello world", "hello 5", "dead beef", "reason", "suberror", "errno", "data[0]", "0x", "0xg",
		"123456789012345678901234567890", "io debug nmi", "errno 0", "[ 12.345678]", "emulation at 5", "99999999999",
		"cat: /etc/x: No such file or directory", "killed by signal 9", "-", "a - b",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int ret = explain(NULL, texts[i], &res);

		if (ret != -ENOENT)
			test_fail(__FILE__, __LINE__, "\"%s\" is read as %s", texts[i],
				  res.nr ? res.readings[0].as : "?");
	}
	/* With an arch, any number gets an answer. */
	CHECK_EQ(explain("x86_64", "99999999999", &res), 0);
	CHECK_EQ(explain("ppc", "99999999999", &res), 0);
	CHECK_EQ(explain("arm64", "99999999999", &res), 0);
	SAYS(res.readings[0].rec.what, "never writes");
}

/* Long text is cut, counts are clamped, nothing is read beyond. */
static void test_limits(void)
{
	char *text = malloc(200000);
	size_t len;

	memset(text, 'x', 199999);
	text[199999] = '\0';
	CHECK_EQ(explain(NULL, text, &res), -ENOENT);
	text[0] = '\0';
	len = 0;
	for (int i = 0; i < 1000; i++)
		len += (size_t)sprintf(text + len, "%d ", i);
	CHECK_EQ(explain(NULL, text, &res), 0);
	CHECK_EQ(res.nr, EXPLAIN_MAX_READINGS);
	free(text);
	CHECK_EQ(explain(NULL, "suberror 4 data[99999]: 5 data[15]: 6 ndata 4294967295", &res), 0);
	CHECK_EQ(explain(NULL, "KVM_EXIT_OSI 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", &res), 0);
	CHECK_EQ(explain(NULL, "KVM_EXIT_PAPR_HCALL 0xe0 0 args[8] 7 args[9] 8", &res), 0);
	CHECK_STR(exit_field_get(&find("ppc-book3s")->rec, "args[8]")->value, "0x7");
}

const struct test explain_tests[] = {
	{ "rows", test_rows },
	{ "msr_lines", test_msr_lines },
	{ "number_alone", test_number_alone },
	{ "arches", test_arches },
	{ "nothing_known", test_nothing_known },
	{ "limits", test_limits },
	{ 0 },
};
