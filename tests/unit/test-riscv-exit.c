// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/exit.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/exit-util.h"

static struct exit_record decode(const struct exit_info *info)
{
	return exit_decode_checked(riscv_exit_decode, info);
}

static void put64(struct exit_info *info, size_t offset, uint64_t v)
{
	memcpy(info->payload + offset, &v, sizeof(v));
}

/* A failed fetch, as measured: EOPNOTSUPP, reason UNKNOWN, pc = the target. */
static void test_fetch(void)
{
	struct exit_info info = {
		.run_errno = EOPNOTSUPP, .reason = EXIT_REASON_UNKNOWN, .have_pc = true, .pc = 0x70000000,
	};
	struct exit_record rec = decode(&info);

	CHECK_EQ(rec.verdict, EXIT_STOP);
	CHECK_STR(rec.name, "KVM_EXIT_UNKNOWN");
	/* Nobody has looked at what is there. */
	CHECK_STR(rec.what, "instruction fetch failed at pc 0x70000000, or a device was accessed in a way that KVM "
			    "can't emulate (KVM_RUN: EOPNOTSUPP)");
	CHECK_EQ(rec.cause, EXIT_CAUSE_FETCH_FAILED);
	CHECK(strstr(rec.advice, "stvec") != NULL);

	info.pc_memory = EXIT_PC_HOLE;
	rec = decode(&info);
	CHECK_STR(rec.what, "instruction fetch failed at pc 0x70000000: no guest RAM there (KVM_RUN: EOPNOTSUPP)");

	/* The same errno with RAM at pc is a device access that KVM can't decode. */
	info.pc = 0x80000000;
	info.pc_memory = EXIT_PC_RAM;
	rec = decode(&info);
	CHECK(strstr(rec.what, "fetch") == NULL);
	CHECK(strstr(rec.what, "device memory") != NULL);
	CHECK_EQ(rec.cause, EXIT_CAUSE_DEVICE_ACCESS);

	info.have_pc = false;
	info.pc_memory = EXIT_PC_UNKNOWN;
	rec = decode(&info);
	CHECK(strstr(rec.what, "pc 0x") == NULL);
}

static void test_errnos(void)
{
	static const struct {
		int         err;
		const char *word;
	} rows[] = {
		{ EFAULT, "EFAULT" }, { EIO, "multiple" }, { ENOMEM, "page tables" }, { EINVAL, "EINVAL" },
		{ 4321, "errno 4321" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exit_info info = { .run_errno = rows[i].err, .reason = EXIT_REASON_UNKNOWN };
		struct exit_record rec = decode(&info);

		CHECK(strstr(rec.what, rows[i].word) != NULL);
		CHECK_EQ(rec.verdict, EXIT_STOP);
		CHECK_STR(rec.name, "KVM_EXIT_UNKNOWN");
		/* hardware_exit_reason means nothing here. */
		CHECK(strstr(rec.what, "hardware_exit_reason") == NULL);
	}
}

/* A dead VM: KVM_RUN fails with EIO before it writes a reason. */
static void test_not_written(void)
{
	struct exit_info info = { .run_errno = EIO, .reason = EXIT_REASON_NOT_WRITTEN };
	struct exit_record rec = decode(&info);

	CHECK(strstr(rec.what, "multiple") == NULL);
	CHECK(strstr(rec.what, "EIO") != NULL);
	CHECK_STR(rec.name, "");
}

static void test_no_vsfile(void)
{
	struct exit_info info = { .reason = EXIT_REASON_FAIL_ENTRY };
	struct exit_record rec;

	put64(&info, 0, 1);
	info.payload[8] = info.payload[11] = 0;
	memcpy(info.payload + 8, &(uint32_t){ 5 }, 4);
	rec = decode(&info);
	CHECK(strstr(rec.what, "host CPU 5") != NULL);
	CHECK(strstr(rec.advice, "aia-emul") != NULL);
	put64(&info, 0, 0x600);
	CHECK(strstr(decode(&info).what, "interrupt file") != NULL);
	put64(&info, 0, 2);
	CHECK(strstr(decode(&info).what, "interrupt file") == NULL);
}

static void test_sbi(void)
{
	struct exit_info info = { .reason = EXIT_REASON_RISCV_SBI };
	struct exit_record rec;

	put64(&info, 0, 0x4442434e);
	put64(&info, 8, 2);
	put64(&info, 16, 0x41);
	rec = decode(&info);
	CHECK(strstr(rec.what, "dbcn") != NULL);
	CHECK(strstr(rec.what, "function 2") != NULL);
	CHECK_EQ(rec.verdict, EXIT_RESUMABLE);
	put64(&info, 0, 0x12345);
	CHECK(strstr(decode(&info).what, "unknown") != NULL);
}

static void test_csr(void)
{
	struct exit_info info = { .reason = EXIT_REASON_RISCV_CSR };
	struct exit_record rec;

	put64(&info, 0, 0x15);
	rec = decode(&info);
	CHECK_STR(rec.what, "access to CSR 0x015 (seed)");
	CHECK_STR(exit_field_get(&rec, "csr_num")->meaning, "seed: entropy source (Zkr)");
	put64(&info, 0, 0x800);
	CHECK_STR(decode(&info).what, "access to CSR 0x800");
}

static void test_others(void)
{
	struct exit_info info = { .reason = EXIT_REASON_DEBUG, .have_pc = true, .pc = 0x80000000 };

	CHECK_STR(decode(&info).what, "the guest executed ebreak at pc 0x80000000");
	/* It never says UNKNOWN without an errno; what lies in the union then is another exit's. */
	info.reason = EXIT_REASON_UNKNOWN;
	put64(&info, 0, 0x10000000);
	CHECK_EQ(decode(&info).cause, EXIT_CAUSE_KVM_BUG);
	CHECK_EQ(decode(&info).nr_fields, 0);
}

static void test_rubbish(void)
{
	exit_decode_rubbish(riscv_exit_decode);
}

const struct test riscv_exit_tests[] = {
	{ "fetch", test_fetch },
	{ "errnos", test_errnos },
	{ "not_written", test_not_written },
	{ "no_vsfile", test_no_vsfile },
	{ "sbi", test_sbi },
	{ "csr", test_csr },
	{ "others", test_others },
	{ "rubbish", test_rubbish },
	{ 0 },
};
