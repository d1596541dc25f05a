// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/exit.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"

static struct exit_record decode(const struct exit_info *info)
{
	struct exit_record rec;

	memset(&rec, 0xa5, sizeof(rec));
	arm_exit_decode(info, &rec);
	CHECK(rec.name != NULL);
	CHECK(memchr(rec.what, 0, sizeof(rec.what)) != NULL);
	CHECK(memchr(rec.advice, 0, sizeof(rec.advice)) != NULL);
	CHECK(rec.what[0] != '\0');
	return rec;
}

static void put32(struct exit_info *info, size_t offset, uint32_t v)
{
	memcpy(info->payload + offset, &v, sizeof(v));
}

static void put64(struct exit_info *info, size_t offset, uint64_t v)
{
	memcpy(info->payload + offset, &v, sizeof(v));
}

static void says(const char *text, const char *expect)
{
	if (!strstr(text, expect))
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", text, expect);
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
		says(rec.what, rows[i].what);
		says(rec.advice, rows[i].advice);
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
	says(rec.what, "without giving a reason");
	CHECK(strstr(rec.what, "1234") == NULL);
}

static void test_fail_entry(void)
{
	struct exit_info info = { .run_errno = EINVAL, .reason = EXIT_REASON_FAIL_ENTRY };
	struct exit_record rec = decode(&info);

	CHECK_EQ(rec.verdict, EXIT_STOP);
	says(rec.what, "PSTATE");
	/* A CPU without the PMU. */
	info.run_errno = 0;
	put64(&info, 0, 1);
	put32(&info, 8, 5);
	rec = decode(&info);
	says(rec.what, "host CPU 5");
	says(rec.advice, "--vcpu-affinity");
	/* KVM itself is gone. */
	put64(&info, 0, 0);
	rec = decode(&info);
	says(rec.what, "hypervisor part is gone");
	/* A reason of kernels to come is shown. */
	put64(&info, 0, 0x100);
	rec = decode(&info);
	says(rec.what, "0x100");
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
	says(rec.what, "kind of exception that KVM does not support");
	says(rec.advice, "Unsupported exception type");
}

static void test_accesses(void)
{
	struct exit_info info = { .reason = EXIT_REASON_ARM_NISV, .have_pc = true, .pc = 0x40000014 };
	struct exit_record rec;

	put64(&info, 0, 0x46);
	put64(&info, 8, 0xb000000);
	rec = decode(&info);
	CHECK_STR(rec.name, "KVM_EXIT_ARM_NISV");
	says(rec.what, "write of a device at 0xb000000 at pc 0x40000014");
	says(rec.what, "0x46");
	put64(&info, 0, 0x6);
	rec = decode(&info);
	says(rec.what, "read of a device");

	info.reason = EXIT_REASON_ARM_LDST64B;
	rec = decode(&info);
	CHECK_STR(rec.name, "KVM_EXIT_ARM_LDST64B");
	says(rec.what, "64-byte access to a device at 0xb000000");
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
		says(rec.what, rows[i].what);
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
	says(rec.what, "BRK");
	says(rec.what, "far 0x1000");
	info.flags = 1;
	rec = decode(&info);
	says(rec.what, "BRK");
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
	says(rec.what, "0x40002000");
	says(rec.what, "external abort");
}

/* Whatever KVM or a user of `lkvm explain` comes with, there is an answer. */
static void test_all_reasons(void)
{
	static const int errnos[] = { 0, EINVAL, EFAULT, ENOSYS, 9999 };

	for (uint32_t reason = 0; reason < 64; reason++) {
		for (size_t i = 0; i < ARRAY_SIZE(errnos); i++) {
			struct exit_info info = { .reason = reason, .run_errno = errnos[i] };

			decode(&info);
			memset(info.payload, 0xff, sizeof(info.payload));
			decode(&info);
		}
	}
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
	{ "all_reasons", test_all_reasons },
	{ 0 },
};
