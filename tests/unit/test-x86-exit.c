// SPDX-License-Identifier: GPL-2.0-only
/* One row for each thing that x86's KVM says. */
#include "lkvm/exit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/exit-util.h"

/* Payload words of KVM_EXIT_INTERNAL_ERROR: suberror, ndata, data. */
static struct exit_info internal(uint32_t suberror, uint32_t ndata, const uint64_t *data)
{
	struct exit_info info = { .reason = EXIT_REASON_INTERNAL_ERROR };

	memcpy(info.payload, &suberror, 4);
	memcpy(info.payload + 4, &ndata, 4);
	if (data)
		memcpy(info.payload + 8, data, MIN(ndata, 16u) * 8);
	return info;
}

static struct exit_info fail_entry(uint64_t reason, uint32_t cpu)
{
	struct exit_info info = { .reason = EXIT_REASON_FAIL_ENTRY, .run_errno = EINVAL };

	memcpy(info.payload, &reason, 8);
	memcpy(info.payload + 8, &cpu, 4);
	return info;
}

static void check(const struct exit_info *info, enum exit_verdict verdict, const char *name,
		  const char *what)
{
	const struct exit_record rec = exit_decode_checked(x86_exit_decode, info);

	CHECK_STR(rec.name, name);
	CHECK_EQ(rec.verdict, verdict);
	if (!strstr(rec.what, what))
		test_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", rec.what, what);
}

static void test_fail_entry(void)
{
	static const struct {
		uint64_t    reason;
		const char *what;
	} rows[] = {
		{ 0x80000021, "0x80000021 (INVALID_STATE: invalid guest state), host CPU 3" },
		{ 0x80000022, "0x80000022 (MSR_LOAD_FAIL: a guest MSR can't be loaded)" },
		{ 0x80000029, "0x80000029 (MCE_DURING_VMENTRY: machine check)" },
		{ 7, "0x7 (VMXERR_ENTRY_INVALID_CONTROL_FIELD: VM entry with invalid control fields)" },
		{ 8, "0x8 (VMXERR_ENTRY_INVALID_HOST_STATE_FIELD: VM entry with invalid host-state fields)" },
		{ UINT64_MAX, "(SVM_EXIT_ERR: invalid guest state, says AMD's VMRUN)" },
		{ 0x80000123, "refused to enter the guest: 0x80000123, host CPU 3" },
		{ 0x1234, "refused to enter the guest: 0x1234, host CPU 3" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exit_info info = fail_entry(rows[i].reason, 3);

		check(&info, EXIT_STOP, "KVM_EXIT_FAIL_ENTRY", rows[i].what);
	}
}

static void test_emulation(void)
{
	uint64_t data[16] = { 0 };
	struct exit_info info;

	/* Flags, then the instruction's length and bytes, then the exit reason of an AMD CPU. */
	data[0] = 1;
	info = internal(1, 8, data);
	info.payload[16] = 3;
	memcpy(info.payload + 17, "\x0f\xae\x38", 3);
	data[3] = 0x400;
	memcpy(info.payload + 8 + 3 * 8, &data[3], 8);
	info.have_pc = true;
	info.pc = 0xffffffff81000000;
	check(&info, EXIT_STOP, "KVM_EXIT_INTERNAL_ERROR",
	      "KVM can't emulate the guest's instruction at pc 0xffffffff81000000, which begins 0f ae 38; exit "
	      "reason 0x400 (NPF)");

	/* A length that does not fit is not believed. */
	info.payload[16] = 255;
	check(&info, EXIT_STOP, "KVM_EXIT_INTERNAL_ERROR", "0f ae 38 00");

	/* No bytes: they could not be fetched. */
	memset(data, 0, sizeof(data));
	data[1] = 48;
	info = internal(1, 6, data);
	info.have_pc = true;
	info.pc = 0xe4000000;
	check(&info, EXIT_STOP, "KVM_EXIT_INTERNAL_ERROR",
	      "instruction fetch failed at pc 0xe4000000; exit reason 0x30 (Intel EPT_VIOLATION; AMD WRITE_DR0)");

	/* Old kernels say nothing at all, whatever failed. */
	info = internal(1, 0, NULL);
	check(&info, EXIT_STOP, "KVM_EXIT_INTERNAL_ERROR",
	      "KVM can't emulate the guest's instruction, or not fetch it");

	/* A count beyond the payload. */
	info = internal(1, UINT32_MAX, data);
	check(&info, EXIT_STOP, "KVM_EXIT_INTERNAL_ERROR", "instruction fetch failed");
}

static void test_other_internal(void)
{
	static const uint64_t delivery[] = { 0x80000b0e, 48, 0x182, 0xfee00000, 1 };
	static const uint64_t unexpected[] = { 0x21, 1 };
	static const uint64_t simultaneous[] = { 0x80000b08, 0x80000b0e, 0, 2 };
	struct exit_info info;

	info = internal(3, 5, delivery);
	check(&info, EXIT_STOP, "KVM_EXIT_INTERNAL_ERROR", "vectoring info 0x80000b0e");
	check(&info, EXIT_STOP, "KVM_EXIT_INTERNAL_ERROR", "exit reason 0x30 (Intel EPT_VIOLATION");
	info = internal(4, 2, unexpected);
	check(&info, EXIT_STOP, "KVM_EXIT_INTERNAL_ERROR", "did not expect: 0x21");
	info = internal(2, 4, simultaneous);
	check(&info, EXIT_STOP, "KVM_EXIT_INTERNAL_ERROR", "0x80000b0e");
	/* Without data the generic words remain. */
	info = internal(3, 0, NULL);
	check(&info, EXIT_STOP, "KVM_EXIT_INTERNAL_ERROR", "could not deliver an event");
	info = internal(4, 0, NULL);
	check(&info, EXIT_STOP, "KVM_EXIT_INTERNAL_ERROR", "did not expect");
	info = internal(77, 0, NULL);
	check(&info, EXIT_STOP, "KVM_EXIT_INTERNAL_ERROR", "77");
}

static void test_unknown(void)
{
	struct exit_info info = { .reason = EXIT_REASON_UNKNOWN };
	uint64_t reason = 49;

	memcpy(info.payload, &reason, 8);
	check(&info, EXIT_STOP, "KVM_EXIT_UNKNOWN", "0x31 (Intel EPT_MISCONFIG; AMD WRITE_DR1)");
	reason = 60;
	memcpy(info.payload, &reason, 8);
	check(&info, EXIT_STOP, "KVM_EXIT_UNKNOWN", "0x3c (ENCLS)");
	reason = 0x52;
	memcpy(info.payload, &reason, 8);
	check(&info, EXIT_STOP, "KVM_EXIT_UNKNOWN", "0x52 (exception #MC)");
}

static void test_others(void)
{
	struct exit_info info = { .reason = EXIT_REASON_SHUTDOWN };

	check(&info, EXIT_STOP, "KVM_EXIT_SHUTDOWN", "triple fault");
	info.reason = EXIT_REASON_HLT;
	check(&info, EXIT_STOP, "KVM_EXIT_HLT", "halted");
	info.reason = EXIT_REASON_X86_BUS_LOCK;
	check(&info, EXIT_RESUMABLE, "KVM_EXIT_X86_BUS_LOCK", "bus lock");
	info.reason = EXIT_REASON_NOT_WRITTEN;
	info.run_errno = EFAULT;
	check(&info, EXIT_STOP, "", "EFAULT");
}

static struct exit_record unexpected(uint64_t reason, enum exit_cpu cpu)
{
	const uint64_t data[] = { reason, 1 };
	struct exit_info info = internal(EXIT_SUBERROR_UNEXPECTED_EXIT_REASON, 2, data);

	info.cpu = cpu;
	return exit_decode_checked(x86_exit_decode, &info);
}

/* Every exit reason by its name, and only by the vendor's own if that is known. */
static void test_hardware_reasons(void)
{
	static const struct {
		uint64_t    reason;
		const char *intel, *amd;
	} rows[] = {
		{ 0, "EXCEPTION_NMI", "READ_CR0" },     { 0x30, "EPT_VIOLATION", "WRITE_DR0" },
		{ 0x31, "EPT_MISCONFIG", "WRITE_DR1" }, { 0x400, NULL, "NPF" },
		{ 0x4e, NULL, "exception #PF" },        { 0x4a, "BUS_LOCK", "exception #TS" },
		{ 0x5d, NULL, "exception #VC" },        { 0x5f, NULL, "exception vector 0x1f" },
		{ 0x94, NULL, "CR4_WRITE_TRAP" },       { 0x55, "MSR_WRITE_IMM", "exception #CP" },
		{ UINT64_MAX, NULL, "ERR" },            { 0x3e8, NULL, NULL },
		{ 0x100000030, NULL, NULL },
	};
	char both[64];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exit_record rec;
		char end[64];

		if (rows[i].intel && rows[i].amd)
			snprintf(both, sizeof(both), "(Intel %s; AMD %s)", rows[i].intel, rows[i].amd);
		else if (rows[i].intel || rows[i].amd)
			snprintf(both, sizeof(both), "(%s)", rows[i].intel ? rows[i].intel : rows[i].amd);
		else
			snprintf(both, sizeof(both), "did not expect: 0x%llx",
				 (unsigned long long)rows[i].reason);
		SAYS(unexpected(rows[i].reason, EXIT_CPU_UNKNOWN).what, both);
		rec = unexpected(rows[i].reason, EXIT_CPU_INTEL);
		snprintf(end, sizeof(end), rows[i].intel ? "(%s)" : "did not expect: 0x", rows[i].intel);
		SAYS(rec.what, end);
		CHECK_EQ(rec.cause, EXIT_CAUSE_UNEXPECTED_TRAP);
		rec = unexpected(rows[i].reason, EXIT_CPU_AMD);
		snprintf(end, sizeof(end), rows[i].amd ? "(%s)" : "did not expect: 0x", rows[i].amd);
		SAYS(rec.what, end);
		CHECK_STR(exit_field_get(&rec, "data[1]")->meaning, "host CPU");
	}
}

static void test_vm_instruction_errors(void)
{
	for (uint64_t nr = 1; nr <= 28; nr++) {
		struct exit_info info = fail_entry(nr, 0);
		const struct exit_record rec = exit_decode_checked(x86_exit_decode, &info);
		bool has_name = nr != 14 && nr != 21 && nr != 27; /* the SDM leaves these out */

		CHECK_EQ(strstr(rec.what, "VMXERR_") != NULL, has_name);
		CHECK_EQ(rec.specific, has_name);
		CHECK_EQ(rec.cause, EXIT_CAUSE_ENTRY_REFUSED);
	}
}

static void test_fields(void)
{
	/* #PF while a page fault was delivered, as AMD tells it. */
	static const uint64_t delivery[] = { 0x80000b0e, 0x400, 0x100000002, UINT64_MAX, 3 };
	static const uint64_t simultaneous[] = { 0x80000b08, 0x80000b0e, 2, 3 };
	uint64_t data[16] = { 0 };
	struct exit_info info = internal(EXIT_SUBERROR_DELIVERY_EV, 5, delivery);
	struct exit_record rec = exit_decode_checked(x86_exit_decode, &info);

	CHECK_EQ(rec.cause, EXIT_CAUSE_EVENT_DELIVERY);
	SAYS(rec.what, "(exception #PF, vectoring info 0x80000b0e)");
	CHECK_STR(exit_field_get(&rec, "suberror")->meaning, "KVM_INTERNAL_ERROR_DELIVERY_EV");
	CHECK_STR(exit_field_get(&rec, "data[0]")->meaning, "vectoring info: exception #PF");
	SAYS(exit_field_get(&rec, "data[1]")->meaning, "exit reason NPF");
	CHECK_STR(exit_field_get(&rec, "data[3]")->meaning, "no guest-physical address");
	CHECK_STR(exit_field_get(&rec, "data[4]")->value, "0x3");

	info = internal(EXIT_SUBERROR_SIMUL_EX, 4, simultaneous);
	rec = exit_decode_checked(x86_exit_decode, &info);
	CHECK_STR(exit_field_get(&rec, "data[0]")->meaning, "vectoring info: exception #DF");
	CHECK_STR(exit_field_get(&rec, "data[1]")->meaning, "interrupt info: exception #PF");

	data[0] = 1;
	data[3] = 0x400;
	info = internal(EXIT_SUBERROR_EMULATION, 8, data);
	info.payload[16] = 2;
	memcpy(info.payload + 17, "\x0f\x0b", 2);
	info.flags = 1;
	rec = exit_decode_checked(x86_exit_decode, &info);
	CHECK_EQ(rec.cause, EXIT_CAUSE_EMULATION_FAILED);
	CHECK_EQ(rec.insn_len, 2);
	CHECK(!memcmp(rec.insn, "\x0f\x0b", 2));
	CHECK_STR(exit_field_get(&rec, "data[1]")->meaning, "insn_size 2, insn_bytes 0f 0b");
	SAYS(exit_field_get(&rec, "data[3]")->meaning, "exit reason NPF");
	CHECK_STR(exit_field_get(&rec, "data[7]")->meaning, "error code");
	CHECK_STR(exit_field_get(&rec, "run->flags")->meaning, "KVM_RUN_X86_SMM");

	/* The exit came while #UD was delivered: as KVM on an AMD CPU says it, then on an Intel one. */
	data[6] = 0x80000306;
	info = internal(EXIT_SUBERROR_EMULATION, 8, data);
	info.payload[16] = 2;
	memcpy(info.payload + 17, "\x0f\x0b", 2);
	rec = exit_decode_checked(x86_exit_decode, &info);
	CHECK_EQ(rec.cause, EXIT_CAUSE_EVENT_DELIVERY);
	SAYS(rec.what, "(exception #UD)");
	CHECK_EQ(rec.insn_len, 0);
	info.cpu = EXIT_CPU_INTEL; /* there the same word is the exit's own event */
	rec = exit_decode_checked(x86_exit_decode, &info);
	CHECK_EQ(rec.cause, EXIT_CAUSE_EMULATION_FAILED);
	info = internal(EXIT_SUBERROR_EMULATION, 6, (const uint64_t[16]){ 0, 48, 0x182, 0x80000306 });
	rec = exit_decode_checked(x86_exit_decode, &info);
	CHECK_EQ(rec.cause, EXIT_CAUSE_EVENT_DELIVERY);

	info = internal(EXIT_SUBERROR_EMULATION, 6, (const uint64_t[16]){ 0, 48 });
	rec = exit_decode_checked(x86_exit_decode, &info);
	CHECK_EQ(rec.cause, EXIT_CAUSE_FETCH_FAILED);
	CHECK_EQ(rec.insn_len, 0);

	info = (struct exit_info){ .reason = EXIT_REASON_DEBUG };
	exit_payload_set(&info, 0, 4, 1);
	exit_payload_set(&info, 8, 8, 0x1000);
	rec = exit_decode_checked(x86_exit_decode, &info);
	CHECK_STR(rec.what, "debug exception #DB at pc 0x1000");
	CHECK_STR(exit_field_get(&rec, "dr7")->value, "0x0");

	info = (struct exit_info){ .reason = EXIT_REASON_HYPERCALL };
	exit_payload_set(&info, 0, 8, 12);
	rec = exit_decode_checked(x86_exit_decode, &info);
	CHECK_STR(exit_field_get(&rec, "nr")->meaning, "KVM_HC_MAP_GPA_RANGE");
}

static void test_not_believed(void)
{
	struct exit_info info = { .reason = EXIT_REASON_UNKNOWN, .stale = true };
	struct exit_record rec;

	exit_payload_set(&info, 0, 8, 0x31);
	rec = exit_decode_checked(x86_exit_decode, &info);
	CHECK_EQ(rec.cause, EXIT_CAUSE_UNKNOWN);
	info.stale = false;
	info.run_errno = EFAULT;
	rec = exit_decode_checked(x86_exit_decode, &info);
	CHECK_EQ(rec.nr_fields, 0);
	CHECK_EQ(rec.cause, EXIT_CAUSE_GUEST_MEMORY);
	CHECK_STR(rec.name, "KVM_EXIT_UNKNOWN");
}

static void test_rubbish(void)
{
	exit_decode_rubbish(x86_exit_decode);
}

const struct test x86_exit_tests[] = {
	{ "fail-entry", test_fail_entry },
	{ "emulation", test_emulation },
	{ "other-internal", test_other_internal },
	{ "unknown", test_unknown },
	{ "others", test_others },
	{ "hardware_reasons", test_hardware_reasons },
	{ "vm_instruction_errors", test_vm_instruction_errors },
	{ "fields", test_fields },
	{ "not_believed", test_not_believed },
	{ "rubbish", test_rubbish },
	{ 0 },
};
