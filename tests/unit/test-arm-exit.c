// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/exit.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/exit-util.h"

static struct exit_record decode(const struct exit_info *info)
{
	return exit_decode_checked(arm_exit_decode, info);
}

static void put32(struct exit_info *info, size_t offset, uint32_t v)
{
	memcpy(info->payload + offset, &v, sizeof(v));
}

static void put64(struct exit_info *info, size_t offset, uint64_t v)
{
	memcpy(info->payload + offset, &v, sizeof(v));
}

/* exit_reason is UNKNOWN from the start; an errno is all that a KVM_RUN that fails tells. */
static void test_errnos(void)
{
	static const struct {
		int         err;
		const char *what;
		const char *advice;
	} rows[] = {
		{ ENOSYS, "does not describe", "plain loads" },
		{ EFAULT, "could not provide a page of guest memory at pc 0x40001000", "--disable-mte" },
		{ ENOEXEC, "not been initialised", "" },
		{ EPERM, "SVE", "" },
		{ EINVAL, "KVM_RUN failed: EINVAL", "lkvm doctor" },
		{ 4321, "errno 4321", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exit_info info = {
			.run_errno = rows[i].err, .reason = EXIT_REASON_UNKNOWN,
			.have_pc = true, .pc = 0x40001000,
		};
		struct exit_record rec = decode(&info);

		CHECK_EQ(rec.verdict, EXIT_STOP);
		CHECK_STR(rec.name, "KVM_EXIT_UNKNOWN");
		SAYS(rec.what, rows[i].what);
		SAYS(rec.advice, rows[i].advice);
		/* hardware_exit_reason is never written here: what is there means nothing. */
		put64(&info, 0, 0xdeadbeef);
		info.have_pc = false;
		rec = decode(&info);
		CHECK(strstr(rec.what, "deadbeef") == NULL);
		CHECK(strstr(rec.what, "pc 0x") == NULL);
	}
}

static void test_unknown(void)
{
	struct exit_info info = { .reason = EXIT_REASON_UNKNOWN };
	struct exit_record rec;

	put64(&info, 0, 0x1234);
	rec = decode(&info);
	CHECK_EQ(rec.verdict, EXIT_STOP);
	SAYS(rec.what, "without giving a reason");
	CHECK(strstr(rec.what, "1234") == NULL);
}

static void test_fail_entry(void)
{
	struct exit_info info = { .run_errno = EINVAL, .reason = EXIT_REASON_FAIL_ENTRY };
	struct exit_record rec = decode(&info);

	CHECK_EQ(rec.verdict, EXIT_STOP);
	SAYS(rec.what, "PSTATE");
	/* A CPU without the PMU. */
	info.run_errno = 0;
	put64(&info, 0, 1);
	put32(&info, 8, 5);
	rec = decode(&info);
	SAYS(rec.what, "host CPU 5");
	SAYS(rec.advice, "--vcpu-affinity");
	/* KVM itself is gone. */
	put64(&info, 0, 0);
	rec = decode(&info);
	SAYS(rec.what, "hypervisor part is gone");
	/* A reason of kernels to come is shown. */
	put64(&info, 0, 0x100);
	rec = decode(&info);
	SAYS(rec.what, "0x100");
}

static void test_internal_error(void)
{
	struct exit_info info = { .reason = EXIT_REASON_INTERNAL_ERROR };
	struct exit_record rec;

	/* The suberror is what lay there before. */
	put32(&info, 0, 1);
	put32(&info, 4, 1000000);
	rec = decode(&info);
	CHECK_EQ(rec.verdict, EXIT_STOP);
	SAYS(rec.what, "kind of exception that KVM does not support");
	SAYS(rec.advice, "Unsupported exception type");
}

static void test_accesses(void)
{
	struct exit_info info = { .reason = EXIT_REASON_ARM_NISV, .have_pc = true, .pc = 0x40000014 };
	struct exit_record rec;

	put64(&info, 0, 0x46);
	put64(&info, 8, 0xb000000);
	rec = decode(&info);
	CHECK_STR(rec.name, "KVM_EXIT_ARM_NISV");
	SAYS(rec.what, "write of a device at 0xb000000 at pc 0x40000014");
	SAYS(rec.what, "0x46");
	put64(&info, 0, 0x6);
	rec = decode(&info);
	SAYS(rec.what, "read of a device");

	info.reason = EXIT_REASON_ARM_LDST64B;
	rec = decode(&info);
	CHECK_STR(rec.name, "KVM_EXIT_ARM_LDST64B");
	SAYS(rec.what, "64-byte access to a device at 0xb000000");
}

static void test_system_events(void)
{
	static const struct {
		uint32_t    type, ndata;
		uint64_t    flags;
		const char *what;
	} rows[] = {
		{ 1, 0, 1, "powered off" },
		{ 1, 1, 0, "powered off" },
		{ 1, 1, 1, "SYSTEM_OFF2" },
		{ 2, 1, 0, "asked for a reset" },
		{ 2, 1, 1, "SYSTEM_RESET2" },
		{ 5, 1, 1, "suspended" },
		{ 99, 1, 1, "system event 99" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exit_info info = { .reason = EXIT_REASON_SYSTEM_EVENT };
		struct exit_record rec;

		put32(&info, 0, rows[i].type);
		put32(&info, 4, rows[i].ndata);
		put64(&info, 8, rows[i].flags);
		rec = decode(&info);
		SAYS(rec.what, rows[i].what);
	}
}

static void test_debug(void)
{
	struct exit_info info = { .reason = EXIT_REASON_DEBUG };
	struct exit_record rec;

	put32(&info, 0, 0x3cu << 26);
	put32(&info, 4, 0xffffffff); /* not valid without the flag */
	put64(&info, 8, 0x1000);
	rec = decode(&info);
	SAYS(rec.what, "BRK");
	SAYS(rec.what, "far 0x1000");
	info.flags = 1;
	rec = decode(&info);
	SAYS(rec.what, "BRK");
}

static void test_sea(void)
{
	struct exit_info info = { .reason = EXIT_REASON_ARM_SEA };
	struct exit_record rec;

	put64(&info, 0, 1);
	put64(&info, 8, 0x24u << 26 | 0x10);
	put64(&info, 16, 0x1000);
	put64(&info, 24, 0x40002000);
	rec = decode(&info);
	CHECK_EQ(rec.verdict, EXIT_STOP);
	SAYS(rec.what, "0x40002000");
	SAYS(rec.what, "external abort");
}

static void test_causes_and_fields(void)
{
	static const struct {
		uint32_t        reason;
		int             err;
		uint64_t        first;
		enum exit_cause cause;
		const char     *field, *meaning;
	} rows[] = {
		{ EXIT_REASON_UNKNOWN, ENOSYS, 0, EXIT_CAUSE_DEVICE_ACCESS, NULL, NULL },
		{ EXIT_REASON_UNKNOWN, EFAULT, 0, EXIT_CAUSE_GUEST_MEMORY, NULL, NULL },
		{ EXIT_REASON_UNKNOWN, ENOEXEC, 0, EXIT_CAUSE_SETUP, NULL, NULL },
		{ EXIT_REASON_UNKNOWN, ENOMEM, 0, EXIT_CAUSE_OUT_OF_MEMORY, NULL, NULL },
		{ EXIT_REASON_UNKNOWN, 0, 0, EXIT_CAUSE_KVM_BUG, NULL, NULL },
		{ EXIT_REASON_FAIL_ENTRY, EINVAL, 0, EXIT_CAUSE_ENTRY_REFUSED, NULL, NULL },
		{ EXIT_REASON_FAIL_ENTRY, 0, 1, EXIT_CAUSE_WRONG_CPU, "hardware_entry_failure_reason",
		  "KVM_EXIT_FAIL_ENTRY_CPU_UNSUPPORTED" },
		{ EXIT_REASON_INTERNAL_ERROR, 0, 1, EXIT_CAUSE_UNEXPECTED_TRAP, NULL, NULL },
		{ EXIT_REASON_ARM_NISV, 0, 0x40, EXIT_CAUSE_DEVICE_ACCESS, "esr_iss", "write" },
		{ EXIT_REASON_ARM_LDST64B, 0, 0, EXIT_CAUSE_DEVICE_ACCESS, "esr_iss", "read" },
		{ EXIT_REASON_ARM_SEA, 0, 0, EXIT_CAUSE_BAD_MEMORY, "gpa", "not valid" },
		{ EXIT_REASON_HYPERCALL, 0, 0x84000000, EXIT_CAUSE_NOT_OFFERED, "nr", "SMCCC function" },
		{ EXIT_REASON_DEBUG, 0, 0, EXIT_CAUSE_DEBUG, "far", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exit_info info = { .reason = rows[i].reason, .run_errno = rows[i].err };
		struct exit_record rec;

		put64(&info, 0, rows[i].first);
		rec = decode(&info);
		CHECK_EQ(rec.cause, rows[i].cause);
		CHECK_EQ(rec.verdict, EXIT_STOP);
		if (rows[i].field)
			CHECK_STR(exit_field_get(&rec, rows[i].field)->meaning, rows[i].meaning);
		else
			CHECK_EQ(rec.nr_fields, 0); /* nothing there was written by this exit */
	}
}

static void test_rubbish(void)
{
	exit_decode_rubbish(arm_exit_decode);
}

const struct test arm_exit_tests[] = {
	{ "errnos", test_errnos },
	{ "unknown", test_unknown },
	{ "fail_entry", test_fail_entry },
	{ "internal_error", test_internal_error },
	{ "accesses", test_accesses },
	{ "system_events", test_system_events },
	{ "debug", test_debug },
	{ "sea", test_sea },
	{ "causes_and_fields", test_causes_and_fields },
	{ "rubbish", test_rubbish },
	{ 0 },
};
