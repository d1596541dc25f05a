// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/exit.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/exit-util.h"

static void put32(struct exit_info *info, size_t offset, uint32_t v)
{
	memcpy(info->payload + offset, &v, sizeof(v));
}

static void put64(struct exit_info *info, size_t offset, uint64_t v)
{
	memcpy(info->payload + offset, &v, sizeof(v));
}

static void decode(struct exit_info *info, struct exit_record *rec)
{
	*rec = exit_decode_checked(exit_decode_generic, info);
}

/* Numbers and names as the kernel headers have them, as far as these headers go. */
static void test_names(void)
{
#define SAME(r)                                                                                    \
	do {                                                                                       \
		CHECK_EQ(EXIT_REASON_##r, KVM_EXIT_##r);                                           \
		CHECK_STR(exit_reason_name(KVM_EXIT_##r), "KVM_EXIT_" #r);                         \
	} while (0)
	SAME(UNKNOWN);
	SAME(EXCEPTION);
	SAME(IO);
	SAME(HYPERCALL);
	SAME(DEBUG);
	SAME(HLT);
	SAME(MMIO);
	SAME(IRQ_WINDOW_OPEN);
	SAME(SHUTDOWN);
	SAME(FAIL_ENTRY);
	SAME(INTR);
	SAME(SET_TPR);
	SAME(TPR_ACCESS);
	SAME(S390_SIEIC);
	SAME(S390_RESET);
	SAME(DCR);
	SAME(NMI);
	SAME(INTERNAL_ERROR);
	SAME(OSI);
	SAME(PAPR_HCALL);
	SAME(S390_UCONTROL);
	SAME(WATCHDOG);
	SAME(S390_TSCH);
	SAME(EPR);
	SAME(SYSTEM_EVENT);
	SAME(S390_STSI);
	SAME(IOAPIC_EOI);
	SAME(HYPERV);
	SAME(ARM_NISV);
	SAME(X86_RDMSR);
	SAME(X86_WRMSR);
	SAME(DIRTY_RING_FULL);
	SAME(AP_RESET_HOLD);
	SAME(X86_BUS_LOCK);
	SAME(XEN);
	SAME(RISCV_SBI);
#ifdef KVM_EXIT_RISCV_CSR
	SAME(RISCV_CSR);
#endif
#ifdef KVM_EXIT_NOTIFY
	SAME(NOTIFY);
#endif
#ifdef KVM_EXIT_LOONGARCH_IOCSR
	SAME(LOONGARCH_IOCSR);
#endif
#ifdef KVM_EXIT_MEMORY_FAULT
	SAME(MEMORY_FAULT);
#endif
#ifdef KVM_EXIT_TDX
	SAME(TDX);
#endif
#ifdef KVM_EXIT_ARM_SEA
	SAME(ARM_SEA);
#endif
#ifdef KVM_EXIT_ARM_LDST64B
	SAME(ARM_LDST64B);
#endif
#ifdef KVM_EXIT_SNP_REQ_CERTS
	SAME(SNP_REQ_CERTS);
#endif
	for (uint32_t r = 0; r <= EXIT_REASON_SNP_REQ_CERTS; r++)
		CHECK(exit_reason_name(r) != NULL);
	CHECK(exit_reason_name(EXIT_REASON_SNP_REQ_CERTS + 1) == NULL);
	CHECK(exit_reason_name(EXIT_REASON_NOT_WRITTEN) == NULL);
}

/* Offsets of the payloads against the real structure. */
static void test_layout(void)
{
	static struct kvm_run run;
	struct exit_info info = { .reason = EXIT_REASON_MMIO };
	const uint8_t *payload = (const uint8_t *)&run.hw;

#define AT(member, offset) CHECK_EQ((const uint8_t *)&run.member - payload, offset)
	AT(hw.hardware_exit_reason, 0);
	AT(fail_entry.hardware_entry_failure_reason, 0);
	AT(fail_entry.cpu, 8);
	AT(io.direction, 0);
	AT(io.size, 1);
	AT(io.port, 2);
	AT(io.count, 4);
	AT(mmio.phys_addr, 0);
	AT(mmio.data, 8);
	AT(mmio.len, 16);
	AT(mmio.is_write, 20);
	AT(internal.suberror, 0);
	AT(internal.ndata, 4);
	AT(internal.data, 8);
	AT(emulation_failure.flags, 8);
	AT(emulation_failure.insn_size, 16);
	AT(emulation_failure.insn_bytes, 17);
	AT(system_event.type, 0);
	AT(system_event.ndata, 4);
	AT(system_event.data, 8);
	AT(msr.index, 12);
	AT(msr.data, 16);
	AT(arm_nisv.esr_iss, 0);
	AT(arm_nisv.fault_ipa, 8);
	AT(papr_hcall.nr, 0);
	AT(s390_sieic.ipa, 2);
	AT(s390_sieic.ipb, 4);
	AT(dcr.dcrn, 0);
	AT(dcr.is_write, 8);
	AT(eoi.vector, 0);
#ifdef KVM_EXIT_MEMORY_FAULT
	AT(memory_fault.flags, 0);
	AT(memory_fault.gpa, 8);
	AT(memory_fault.size, 16);
#endif
#ifdef KVM_EXIT_ARM_SEA
	AT(arm_sea.flags, 0);
	AT(arm_sea.esr, 8);
	AT(arm_sea.gva, 16);
	AT(arm_sea.gpa, 24);
#endif
#undef AT
	/* Beyond the end. */
	memset(info.payload, 0xff, sizeof(info.payload));
	CHECK_EQ(exit_payload_u32(&info, EXIT_PAYLOAD_BYTES - 4), UINT32_MAX);
	CHECK_EQ(exit_payload_u32(&info, EXIT_PAYLOAD_BYTES - 3), 0);
	CHECK_EQ(exit_payload_u64(&info, EXIT_PAYLOAD_BYTES - 7), 0);
	CHECK_EQ(exit_payload_u64(&info, SIZE_MAX), 0);
	CHECK_EQ(exit_payload_u8(&info, EXIT_PAYLOAD_BYTES), 0);
	CHECK_EQ(exit_payload_u16(&info, EXIT_PAYLOAD_BYTES - 1), 0);
}

/* Whatever the payload holds: a line comes out, and nothing is read or written out of bounds. */
static void test_any(void)
{
	static const uint8_t fill[] = { 0x00, 0xff, 0x01, 0x80 };
	static const int errnos[] = { 0, EFAULT, EINVAL, EIO, ENOMEM, EOPNOTSUPP, EHWPOISON, 9999 };
	struct exit_record rec;

	for (size_t f = 0; f < ARRAY_SIZE(fill); f++) {
		for (size_t e = 0; e < ARRAY_SIZE(errnos); e++) {
			for (uint32_t r = 0; r < 64; r++) {
				struct exit_info info = { .reason = r, .run_errno = errnos[e] };

				memset(info.payload, fill[f], sizeof(info.payload));
				decode(&info, &rec);
				if (errnos[e])
					CHECK_EQ(rec.verdict, EXIT_STOP);
				info.reason = EXIT_REASON_NOT_WRITTEN;
				decode(&info, &rec);
				CHECK_EQ(rec.verdict, EXIT_STOP);
				CHECK_STR(rec.name, "");
			}
		}
	}
}

static void test_unknown(void)
{
	struct exit_info info = { .reason = EXIT_REASON_UNKNOWN };
	struct exit_record rec;

	put64(&info, 0, 0x21);
	decode(&info, &rec);
	CHECK_STR(rec.name, "KVM_EXIT_UNKNOWN");
	CHECK_EQ(rec.verdict, EXIT_STOP);
	CHECK(strstr(rec.what, "0x21") != NULL);

	/* A negative errno in the place of a reason is said to be one. */
	put64(&info, 0, (uint64_t)-EINVAL);
	decode(&info, &rec);
	CHECK(strstr(rec.what, "-EINVAL") != NULL);

	info.reason = 200;
	decode(&info, &rec);
	CHECK_STR(rec.name, "KVM_EXIT_?");
	CHECK(strstr(rec.what, "200") != NULL);
	CHECK_EQ(rec.verdict, EXIT_STOP);
}

static void test_errno_alone(void)
{
	struct exit_info info = { .reason = EXIT_REASON_NOT_WRITTEN, .run_errno = EINVAL };
	struct exit_record rec;

	decode(&info, &rec);
	CHECK(strstr(rec.what, "EINVAL") != NULL);
	info.run_errno = 12345;
	decode(&info, &rec);
	CHECK(strstr(rec.what, "errno 12345") != NULL);
	CHECK_STR(exit_errno_name(EFAULT), "EFAULT");
	CHECK(exit_errno_name(0) == NULL);
}

static void test_both(void)
{
	struct exit_info info = { .reason = EXIT_REASON_MEMORY_FAULT, .run_errno = EFAULT };
	struct exit_record rec;

	put64(&info, 0, 1 << 3);
	put64(&info, 8, 0x80001000);
	put64(&info, 16, 0x1000);
	decode(&info, &rec);
	CHECK(strstr(rec.what, "0x80001000") != NULL);
	CHECK(strstr(rec.what, "private") != NULL);
	CHECK(strstr(rec.what, "EFAULT") != NULL);
	info.run_errno = EHWPOISON;
	decode(&info, &rec);
	CHECK(strstr(rec.advice, "EHWPOISON") != NULL);
}

static void test_fail_entry(void)
{
	struct exit_info info = { .reason = EXIT_REASON_FAIL_ENTRY };
	struct exit_record rec;

	put64(&info, 0, 0x80000021);
	put32(&info, 8, 3);
	decode(&info, &rec);
	CHECK(strstr(rec.what, "0x80000021") != NULL);
	CHECK(strstr(rec.what, "CPU 3") != NULL);
}

static void test_internal_error(void)
{
	struct exit_info info = { .reason = EXIT_REASON_INTERNAL_ERROR };
	struct exit_record rec;

	put32(&info, 0, 1);
	put32(&info, 4, 3);
	put64(&info, 8, 1);
	info.payload[16] = 2;
	info.payload[17] = 0x0f;
	info.payload[18] = 0x0b;
	decode(&info, &rec);
	CHECK(strstr(rec.what, "0f 0b") != NULL);
	CHECK(strstr(rec.what, "0b 00") == NULL);

	put64(&info, 8, 0);
	decode(&info, &rec);
	CHECK(strstr(rec.what, "nor fetch") != NULL);

	/* A count that no payload can hold. */
	put32(&info, 0, 4);
	put32(&info, 4, UINT32_MAX);
	put64(&info, 8, 0x31);
	decode(&info, &rec);
	CHECK(strstr(rec.what, "0x31") != NULL);

	put32(&info, 0, 77);
	put32(&info, 4, 0);
	decode(&info, &rec);
	CHECK(strstr(rec.what, "suberror 77") != NULL);
}

static void test_system_event(void)
{
	struct exit_info info = { .reason = EXIT_REASON_SYSTEM_EVENT };
	struct exit_record rec;

	put32(&info, 0, 3);
	decode(&info, &rec);
	CHECK(strstr(rec.what, "crash") != NULL);
	put32(&info, 0, 4);
	decode(&info, &rec);
	CHECK_EQ(rec.verdict, EXIT_RESUMABLE);
	put32(&info, 0, 99);
	put32(&info, 4, 1);
	put64(&info, 8, 0xabc);
	decode(&info, &rec);
	CHECK(strstr(rec.what, "99") != NULL);
	CHECK(strstr(rec.what, "0xabc") != NULL);
	CHECK_EQ(rec.verdict, EXIT_STOP);
}

static void test_access(void)
{
	struct exit_info info = { .reason = EXIT_REASON_MMIO };
	struct exit_record rec;

	put64(&info, 0, 0x10000000);
	info.payload[8] = 0x41;
	put32(&info, 16, 1);
	info.payload[20] = 1;
	decode(&info, &rec);
	CHECK_STR(rec.what, "write of 1 bytes at 0x10000000: 41");
	CHECK_EQ(rec.verdict, EXIT_RESUMABLE);
	info.payload[20] = 0;
	decode(&info, &rec);
	CHECK_STR(rec.what, "read of 1 bytes at 0x10000000");
}

/* A field for every member, with the value that lies there; arrays as far as there are fields. */
static void test_members(void)
{
	struct exit_record rec;

	for (uint32_t r = 0; r < EXIT_NR_REASONS; r++) {
		struct exit_info info = { .reason = r };
		size_t nr;
		const struct exit_member *m = exit_members(r, &nr);

		CHECK_EQ(m != NULL, nr != 0);
		for (size_t i = 0; i < nr; i++) {
			CHECK_EQ(m[i].reason, r);
			CHECK(m[i].offset + m[i].nr * m[i].size_bytes <= EXIT_PAYLOAD_BYTES);
			for (unsigned int e = 0; e < m[i].nr; e++)
				exit_payload_set(&info, m[i].offset + e * m[i].size_bytes, m[i].size_bytes, 3 + e);
		}
		decode(&info, &rec);
		for (size_t i = 0; i < nr; i++) {
			const struct exit_field *f;
			char name[32];

			snprintf(name, sizeof(name), m[i].nr > 1 ? "%s[%d]" : "%s", m[i].name, 2);
			f = exit_field_get(&rec, name);
			CHECK_STR(f->value, m[i].nr > 1 ? "0x5" : m[i].decimal ? "3" : "0x3");
		}
	}
	CHECK(exit_members(EXIT_REASON_HLT, &(size_t){ 0 }) == NULL);
	CHECK(exit_members(4711, &(size_t){ 0 }) == NULL);
}

static void test_ndata(void)
{
	static const uint32_t reasons[] = { EXIT_REASON_INTERNAL_ERROR, EXIT_REASON_SYSTEM_EVENT };
	struct exit_record rec;

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		struct exit_info info = { .reason = reasons[i] };

		exit_payload_set(&info, 0, 4, 2);
		decode(&info, &rec);
		CHECK_EQ(rec.nr_fields, 2);
		exit_payload_set(&info, 4, 4, 3);
		decode(&info, &rec);
		CHECK_EQ(rec.nr_fields, 5);
		exit_payload_set(&info, 4, 4, UINT32_MAX);
		decode(&info, &rec);
		CHECK_EQ(rec.nr_fields, 18);
	}
}

static void test_causes(void)
{
	for (int c = 0; c < EXIT_NR_CAUSES; c++) {
		const char *word = exit_cause_word((enum exit_cause)c);

		CHECK(word && word[0] && !strchr(word, ' '));
		CHECK(exit_cause_text((enum exit_cause)c) != NULL);
		for (int d = 0; d < c; d++)
			CHECK(strcmp(word, exit_cause_word((enum exit_cause)d)) != 0);
	}
	CHECK_STR(exit_cause_word(EXIT_NR_CAUSES), "unknown");
	CHECK_STR(exit_cause_word((enum exit_cause)-1), "unknown");
}

static void test_errnos(void)
{
	static const struct {
		int               err;
		enum exit_cause   cause;
		enum exit_verdict verdict;
	} rows[] = {
		{ EFAULT, EXIT_CAUSE_GUEST_MEMORY, EXIT_STOP }, { ENOMEM, EXIT_CAUSE_OUT_OF_MEMORY, EXIT_STOP },
		{ EINVAL, EXIT_CAUSE_SETUP, EXIT_STOP },        { ENOEXEC, EXIT_CAUSE_SETUP, EXIT_STOP },
		{ EHWPOISON, EXIT_CAUSE_BAD_MEMORY, EXIT_STOP }, { EIO, EXIT_CAUSE_KVM_BUG, EXIT_STOP },
		{ EBADF, EXIT_CAUSE_KVM_BUG, EXIT_STOP },       { ENOTTY, EXIT_CAUSE_KVM_BUG, EXIT_STOP },
		{ EINTR, EXIT_CAUSE_SIGNAL, EXIT_RESUMABLE },   { EAGAIN, EXIT_CAUSE_SIGNAL, EXIT_RESUMABLE },
		{ EOPNOTSUPP, EXIT_CAUSE_UNKNOWN, EXIT_STOP },  { 4711, EXIT_CAUSE_UNKNOWN, EXIT_STOP },
		{ 0, EXIT_CAUSE_KVM_BUG, EXIT_STOP },
	};
	char buf[80];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exit_info info = { .reason = EXIT_REASON_NOT_WRITTEN, .run_errno = rows[i].err };
		struct exit_record rec;

		decode(&info, &rec);
		CHECK_EQ(rec.cause, rows[i].cause);
		CHECK_EQ(rec.verdict, rows[i].verdict);
		CHECK_EQ(rec.nr_fields, 0);
		/* The same beside UNKNOWN, with which KVM begins. */
		if (rows[i].err) {
			info.reason = EXIT_REASON_UNKNOWN;
			put64(&info, 0, 0x31);
			decode(&info, &rec);
			CHECK_EQ(rec.cause, rows[i].cause);
			CHECK_EQ(rec.nr_fields, 0);
		}
	}
	for (int err = -1; err < 600; err++) {
		const char *name = exit_errno_name(err);

		if (name)
			CHECK_EQ(exit_errno_number(name), err);
	}
	CHECK_EQ(exit_errno_number("EWOULDBLOCK"), EAGAIN);
	CHECK_EQ(exit_errno_number("ENONSENSE"), 0);
	CHECK_STR(exit_errno_text(EINVAL, buf, sizeof(buf)), "EINVAL (Invalid argument)");
	CHECK_STR(exit_errno_text(524, buf, sizeof(buf)), "ENOTSUPP (internal to the kernel)");
	CHECK_STR(exit_errno_text(4711, buf, sizeof(buf)), "errno 4711");
}

/* The inner unions, which depend on a type. */
static void test_inner_unions(void)
{
	static const struct {
		uint32_t    reason;
		size_t      type_at;
		uint64_t    type;
		const char *name, *field;
		size_t      at;
		unsigned int size;
	} rows[] = {
		{ EXIT_REASON_HYPERV, 0, 1, "KVM_EXIT_HYPERV_SYNIC", "msg_page", 32, 8 },
		{ EXIT_REASON_HYPERV, 0, 2, "KVM_EXIT_HYPERV_HCALL", "params[1]", 32, 8 },
		{ EXIT_REASON_HYPERV, 0, 3, "KVM_EXIT_HYPERV_SYNDBG", "pending_page", 48, 8 },
		{ EXIT_REASON_XEN, 0, 1, "KVM_EXIT_XEN_HCALL", "params[5]", 72, 8 },
		{ EXIT_REASON_XEN, 0, 1, "KVM_EXIT_XEN_HCALL", "cpl", 12, 4 },
		{ EXIT_REASON_TDX, 8, 0x10002, "TDVMCALL_GET_QUOTE", "data[1]", 32, 8 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exit_info info = { .reason = rows[i].reason };
		struct exit_record rec;

		exit_payload_set(&info, rows[i].type_at, rows[i].type_at ? 8 : 4, rows[i].type);
		exit_payload_set(&info, rows[i].at, rows[i].size, 0x1234);
		decode(&info, &rec);
		SAYS(rec.what, rows[i].name);
		CHECK_EQ(rec.cause, EXIT_CAUSE_NOT_OFFERED);
		CHECK_STR(exit_field_get(&rec, rows[i].field)->value, "0x1234");
	}
}

static void test_bits(void)
{
	static const struct exit_name bits[] = { { 1, "ONE", NULL }, { 4, "FOUR", NULL } };
	char buf[16], tiny[4];

	CHECK_STR(exit_bits_text(bits, 2, 0, buf, sizeof(buf)), "none");
	CHECK_STR(exit_bits_text(bits, 2, 5, buf, sizeof(buf)), "ONE FOUR");
	CHECK_STR(exit_bits_text(bits, 2, 0x15, buf, sizeof(buf)), "ONE FOUR 0x10");
	CHECK_STR(exit_bits_text(bits, 2, 0x10, buf, sizeof(buf)), "0x10");
	CHECK_STR(exit_bits_text(bits, 2, 0x15, tiny, sizeof(tiny)), "ONE");
}

static void test_new_reason(void)
{
	struct exit_info info = { .reason = EXIT_NR_REASONS };
	struct exit_record rec;

	put64(&info, 8, 0xabcd);
	decode(&info, &rec);
	CHECK_EQ(rec.cause, EXIT_CAUSE_NEW_KERNEL);
	CHECK_STR(exit_field_get(&rec, "payload[1]")->value, "0xabcd");
}

static void test_rubbish(void)
{
	exit_decode_rubbish(exit_decode_generic);
}

const struct test exit_tests[] = {
	{ "names", test_names },
	{ "layout", test_layout },
	{ "any", test_any },
	{ "unknown", test_unknown },
	{ "errno_alone", test_errno_alone },
	{ "both", test_both },
	{ "fail_entry", test_fail_entry },
	{ "internal_error", test_internal_error },
	{ "system_event", test_system_event },
	{ "access", test_access },
	{ "members", test_members },
	{ "ndata", test_ndata },
	{ "causes", test_causes },
	{ "errnos", test_errnos },
	{ "inner_unions", test_inner_unions },
	{ "bits", test_bits },
	{ "new_reason", test_new_reason },
	{ "rubbish", test_rubbish },
	{ 0 },
};
