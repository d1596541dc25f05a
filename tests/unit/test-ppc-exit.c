// SPDX-License-Identifier: GPL-2.0-only
/* One row for each thing that powerpc's KVMs say. Book E first, then Book3S. */
#include "lkvm/exit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "powerpc/hcall-names.h"
#include "tests/unit/exit-util.h"

static struct exit_info unknown(uint64_t hw)
{
	struct exit_info info = { .reason = EXIT_REASON_UNKNOWN };

	exit_payload_set(&info, 0, 8, hw);
	return info;
}

static void put_code(struct exit_info *info, uint32_t word)
{
	info->have_pc = true;
	info->pc_memory = EXIT_PC_RAM;
	info->code_len = 4;
	for (unsigned int i = 0; i < 4; i++)
		info->code[i] = (uint8_t)(word >> (24 - 8 * i));
}

/* hardware_exit_reason of Book E. */
static void test_booke_rows(void)
{
	static const struct {
		uint64_t          hw;
		enum exit_cpu     cpu;
		enum exit_cause   cause;
		enum exit_verdict verdict;
		const char       *what;
	} rows[] = {
		/* As measured on an e500v2: an illegal and an unknown-SPR instruction. */
		{ 0xffffffff7c0006ff, EXIT_CPU_UNKNOWN, EXIT_CAUSE_EMULATION_FAILED, EXIT_RESUMABLE,
		  "can't emulate the guest's instruction 0x7c0006ff" },
		{ 0xffffffff00000000, EXIT_CPU_UNKNOWN, EXIT_CAUSE_EMULATION_FAILED, EXIT_RESUMABLE,
		  "instruction 0x00000000" },
		/* Not an errno: a word of the guest. */
		{ 0xffffffffffffffea, EXIT_CPU_UNKNOWN, EXIT_CAUSE_EMULATION_FAILED, EXIT_RESUMABLE,
		  "instruction 0xffffffea" },
		{ 0xffffffffffffffff, EXIT_CPU_UNKNOWN, EXIT_CAUSE_FETCH_FAILED, EXIT_RESUMABLE,
		  "instruction fetch failed, or the guest executed the word 0xffffffff" },
		{ 0xfffffffe00000008, EXIT_CPU_E500, EXIT_CAUSE_MACHINE_CHECK, EXIT_STOP,
		  "MCSR 0x00000008 (MCSR_BUS_RBERR)" },
		{ 0xfffffffe80008000, EXIT_CPU_E500MC, EXIT_CAUSE_MACHINE_CHECK, EXIT_STOP,
		  "(MCSR_MCP MCSR_LD)" },
		{ 0xfffffffe00000000, EXIT_CPU_E500, EXIT_CAUSE_MACHINE_CHECK, EXIT_STOP, "(none)" },
		{ 0xfffffffe00200000, EXIT_CPU_E500, EXIT_CAUSE_MACHINE_CHECK, EXIT_STOP, "(0x200000)" },
		{ 0x21, EXIT_CPU_UNKNOWN, EXIT_CAUSE_UNEXPECTED_TRAP, EXIT_STOP,
		  "BOOKE_INTERRUPT_SPE_FP_DATA, or on e6500 BOOKE_INTERRUPT_ALTIVEC_ASSIST (33)" },
		{ 0x21, EXIT_CPU_E500, EXIT_CAUSE_UNEXPECTED_TRAP, EXIT_STOP,
		  "BOOKE_INTERRUPT_SPE_FP_DATA (33)" },
		{ 0x21, EXIT_CPU_E500MC, EXIT_CAUSE_UNEXPECTED_TRAP, EXIT_STOP,
		  "BOOKE_INTERRUPT_ALTIVEC_ASSIST (33)" },
		{ 0x22, EXIT_CPU_UNKNOWN, EXIT_CAUSE_UNEXPECTED_TRAP, EXIT_STOP,
		  "BOOKE_INTERRUPT_SPE_FP_ROUND (34)" },
		{ 0x22, EXIT_CPU_E500MC, EXIT_CAUSE_UNEXPECTED_TRAP, EXIT_STOP, "number 34" },
		{ 0x3f, EXIT_CPU_UNKNOWN, EXIT_CAUSE_UNEXPECTED_TRAP, EXIT_STOP, "number 63" },
		{ 0, EXIT_CPU_UNKNOWN, EXIT_CAUSE_UNKNOWN, EXIT_STOP, "without a reason" },
		{ 0x123456789, EXIT_CPU_UNKNOWN, EXIT_CAUSE_UNEXPECTED_TRAP, EXIT_STOP, "0x123456789" },
		{ 0xfffffffd00000000, EXIT_CPU_UNKNOWN, EXIT_CAUSE_UNEXPECTED_TRAP, EXIT_STOP,
		  "0xfffffffd00000000" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exit_info info = unknown(rows[i].hw);
		struct exit_record rec;
		char hex[24];

		info.cpu = rows[i].cpu;
		rec = exit_decode_checked(ppc_booke_exit_decode, &info);
		CHECK_STR(rec.name, "KVM_EXIT_UNKNOWN");
		CHECK_EQ(rec.cause, rows[i].cause);
		CHECK_EQ(rec.verdict, rows[i].verdict);
		SAYS(rec.what, rows[i].what);
		snprintf(hex, sizeof(hex), "0x%" PRIx64, rows[i].hw);
		CHECK_STR(exit_field_get(&rec, "hardware_exit_reason")->value, hex);
	}
}

static void test_booke_interrupts(void)
{
	static const char *const names[] = {
		NULL, "MACHINE_CHECK", "DATA_STORAGE", "INST_STORAGE", "EXTERNAL", "ALIGNMENT", "PROGRAM",
		"FP_UNAVAIL", "SYSCALL", "AP_UNAVAIL", "DECREMENTER", "FIT", "WATCHDOG", "DTLB_MISS", "ITLB_MISS",
		"DEBUG", [32] = "SPE_UNAVAIL", "SPE_FP_DATA", "SPE_FP_ROUND", "PERFORMANCE_MONITOR", "DOORBELL",
		"DOORBELL_CRITICAL", "GUEST_DBELL", "GUEST_DBELL_CRIT", "HV_SYSCALL", "HV_PRIV", "LRAT_ERROR",
	};

	for (uint64_t nr = 1; nr < ARRAY_SIZE(names); nr++) {
		struct exit_info info = unknown(nr);
		struct exit_record rec = exit_decode_checked(ppc_booke_exit_decode, &info);
		char full[64];

		CHECK_EQ(rec.verdict, EXIT_STOP);
		if (!names[nr])
			continue;
		CHECK(rec.specific);
		snprintf(full, sizeof(full), "BOOKE_INTERRUPT_%s", names[nr]);
		SAYS(rec.what, full);
		SAYS(exit_field_get(&rec, "hardware_exit_reason")->meaning, full);
	}
}

/* The all-ones value is told from the word 0xffffffff by what guest memory at pc holds. */
static void test_booke_fetch(void)
{
	struct exit_info info = unknown(UINT64_MAX);
	struct exit_record rec;

	info.have_pc = true;
	info.pc = 0xc0001234;
	info.pc_memory = EXIT_PC_HOLE;
	rec = exit_decode_checked(ppc_booke_exit_decode, &info);
	CHECK_EQ(rec.cause, EXIT_CAUSE_FETCH_FAILED);
	CHECK_STR(rec.what, "instruction fetch failed at pc 0xc0001234: no guest memory there");
	CHECK_EQ(rec.insn_len, 0);
	CHECK_STR(exit_field_get(&rec, "hardware_exit_reason")->meaning, "KVM_INST_FETCH_FAILED");

	put_code(&info, 0xffffffff);
	rec = exit_decode_checked(ppc_booke_exit_decode, &info);
	CHECK_EQ(rec.cause, EXIT_CAUSE_EMULATION_FAILED);
	CHECK_EQ(rec.verdict, EXIT_RESUMABLE);
	SAYS(rec.what, "the guest executed 0xffffffff at pc 0xc0001234");
	CHECK_EQ(rec.insn_len, 4);

	put_code(&info, 0x60000000);
	rec = exit_decode_checked(ppc_booke_exit_decode, &info);
	CHECK_EQ(rec.cause, EXIT_CAUSE_FETCH_FAILED);
	SAYS(rec.what, "though guest memory there holds 0x60000000");

	/* Half a word is none. */
	put_code(&info, 0xffffffff);
	info.code_len = 3;
	rec = exit_decode_checked(ppc_booke_exit_decode, &info);
	CHECK_EQ(rec.cause, EXIT_CAUSE_FETCH_FAILED);
}

static void test_booke_instruction(void)
{
	struct exit_info info = unknown(0xffffffff7c0006ff);
	struct exit_record rec;

	put_code(&info, 0x7c0006ff);
	info.pc = 0x100;
	rec = exit_decode_checked(ppc_booke_exit_decode, &info);
	CHECK_STR(rec.what, "KVM can't emulate the guest's instruction 0x7c0006ff at pc 0x100");
	CHECK_EQ(rec.insn_len, 4);
	CHECK(!memcmp(rec.insn, "\x7c\x00\x06\xff", 4));
	CHECK_STR(exit_field_get(&rec, "instruction")->meaning, "primary opcode 31, extended opcode 895");
	put_code(&info, 0x38600000);
	rec = exit_decode_checked(ppc_booke_exit_decode, &info);
	SAYS(rec.what, "0x7c0006ff at pc 0x100, where now 0x38600000 is");
}

static void test_booke_machine_check_ambiguous(void)
{
	struct exit_info info = unknown(0xfffffffe20000001);
	struct exit_record rec = exit_decode_checked(ppc_booke_exit_decode, &info);

	CHECK_STR(exit_field_get(&rec, "MCSR")->meaning, "e500v2: MCSR_DCP_PERR MCSR_BUS_RPERR");
	CHECK_STR(exit_field_get(&rec, "MCSR of e500mc")->meaning, "MCSR_DCPERR_MC MCSR_BSL2_ERR");
}

static void test_stale(void)
{
	struct exit_info info = unknown(0xffffffff7c0006ff);
	struct exit_record rec;

	info.stale = true;
	rec = exit_decode_checked(ppc_booke_exit_decode, &info);
	CHECK_EQ(rec.verdict, EXIT_STOP);
	CHECK_EQ(rec.cause, EXIT_CAUSE_UNKNOWN);
	SAYS(exit_field_get(&rec, "hardware_exit_reason")->meaning, "left over");
	info = unknown(0x700);
	info.stale = true;
	rec = exit_decode_checked(ppc_book3s_exit_decode, &info);
	CHECK_EQ(rec.cause, EXIT_CAUSE_UNKNOWN);
}

/* An errno beside UNKNOWN: the payload says nothing. */
static void test_failed_run(void)
{
	static exit_decode_fn *const fns[] = { ppc_booke_exit_decode, ppc_book3s_exit_decode };

	for (size_t i = 0; i < ARRAY_SIZE(fns); i++) {
		struct exit_info info = unknown(0xffffffff7c0006ff);
		struct exit_record rec;

		info.run_errno = ENOMEM;
		rec = exit_decode_checked(fns[i], &info);
		CHECK_EQ(rec.verdict, EXIT_STOP);
		CHECK_EQ(rec.cause, EXIT_CAUSE_OUT_OF_MEMORY);
		CHECK_EQ(rec.nr_fields, 0);
		CHECK(strstr(rec.what, "7c0006ff") == NULL);
		/* kvmppc_sanity_check(): no suberror is written. */
		info.reason = EXIT_REASON_INTERNAL_ERROR;
		info.run_errno = EINVAL;
		rec = exit_decode_checked(fns[i], &info);
		CHECK_EQ(rec.cause, EXIT_CAUSE_SETUP);
		CHECK_EQ(rec.nr_fields, 0);
		SAYS(rec.what, "EINVAL");
	}
}

static void test_booke_others(void)
{
	struct exit_info info = { .reason = EXIT_REASON_EPR };
	struct exit_record rec = exit_decode_checked(ppc_booke_exit_decode, &info);

	CHECK_EQ(rec.cause, EXIT_CAUSE_REQUEST);
	SAYS(exit_field_get(&rec, "epr")->meaning, "vector");
	info.reason = EXIT_REASON_WATCHDOG;
	rec = exit_decode_checked(ppc_booke_exit_decode, &info);
	CHECK_EQ(rec.cause, EXIT_CAUSE_WATCHDOG);
	CHECK_EQ(rec.verdict, EXIT_STOP);
	SAYS(rec.what, "TCR[WRC]");
	info.reason = EXIT_REASON_DEBUG;
	exit_payload_set(&info, 0, 8, 0xc0000100);
	exit_payload_set(&info, 8, 4, 1 << 1 | 1 << 3);
	rec = exit_decode_checked(ppc_booke_exit_decode, &info);
	CHECK_EQ(rec.cause, EXIT_CAUSE_DEBUG);
	CHECK_STR(rec.what, "debug event at 0xc0000100: KVMPPC_DEBUG_BREAKPOINT KVMPPC_DEBUG_WATCH_READ");
}

static void test_book3s_traps(void)
{
	struct exit_info info;
	static const struct {
		uint64_t    trap;
		const char *name;
	} rows[] = {
		{ 0x100, "SYSTEM_RESET" }, { 0x200, "MACHINE_CHECK" }, { 0x300, "DATA_STORAGE" },
		{ 0x380, "DATA_SEGMENT" }, { 0x400, "INST_STORAGE" }, { 0x480, "INST_SEGMENT" },
		{ 0x500, "EXTERNAL" }, { 0x502, "EXTERNAL_HV" }, { 0x600, "ALIGNMENT" }, { 0x700, "PROGRAM" },
		{ 0x800, "FP_UNAVAIL" }, { 0x900, "DECREMENTER" }, { 0x980, "HV_DECREMENTER" },
		{ 0xa00, "DOORBELL" }, { 0xc00, "SYSCALL" }, { 0xd00, "TRACE" }, { 0xe00, "H_DATA_STORAGE" },
		{ 0xe20, "H_INST_STORAGE" }, { 0xe40, "H_EMUL_ASSIST" }, { 0xe60, "HMI" },
		{ 0xe80, "H_DOORBELL" }, { 0xea0, "H_VIRT" }, { 0xf00, "PERFMON" }, { 0xf20, "ALTIVEC" },
		{ 0xf40, "VSX" }, { 0xf60, "FAC_UNAVAIL" }, { 0xf80, "H_FAC_UNAVAIL" },
		{ 0x1500, "HV_SOFTPATCH" }, { 0x5555, "HV_RM_HARD" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exit_record rec;
		char full[64];

		info = unknown(rows[i].trap);
		info.have_pc = true;
		info.pc = 0xc000000000008000;
		rec = exit_decode_checked(ppc_book3s_exit_decode, &info);
		snprintf(full, sizeof(full), "trap 0x%" PRIx64 ", BOOK3S_INTERRUPT_%s (", rows[i].trap,
			 rows[i].name);
		SAYS(rec.what, full);
		SAYS(rec.what, "at pc 0xc000000000008000");
		CHECK_EQ(rec.verdict, EXIT_STOP);
		CHECK_EQ(rec.cause,
			 rows[i].trap == 0x200 ? EXIT_CAUSE_MACHINE_CHECK : EXIT_CAUSE_UNEXPECTED_TRAP);
		CHECK(rec.specific);
	}
	info = unknown(0x4242);
	CHECK(!exit_decode_checked(ppc_book3s_exit_decode, &info).specific);
}

/* What a hypervisor below returns: QEMU's "unknown exit, hardware reason ffffffffffffffea". */
static void test_book3s_nested(void)
{
	static const struct {
		int64_t     value;
		const char *what;
	} rows[] = {
		{ -22, "-22, that is -EINVAL (Invalid argument), or as a hypercall's status H_RT_PARM" },
		{ -4, "-EINTR (Interrupted system call), or as a hypercall's status H_PARAMETER" },
		{ -55, "H_P2" },
		{ -1000, "-errno 1000" },
	};
	struct exit_info info;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exit_record rec;

		info = unknown((uint64_t)rows[i].value);
		rec = exit_decode_checked(ppc_book3s_exit_decode, &info);
		CHECK_EQ(rec.cause, EXIT_CAUSE_NESTED);
		CHECK_EQ(rec.verdict, EXIT_STOP);
		SAYS(rec.what, rows[i].what);
		SAYS(rec.advice, "itself a guest");
	}
	info = unknown(0);
	SAYS(exit_decode_checked(ppc_book3s_exit_decode, &info).what, "without a reason");
	info = unknown(0x123456789abc);
	SAYS(exit_decode_checked(ppc_book3s_exit_decode, &info).what, "0x123456789abc");
}

/* The trap lies over suberror on a little-endian host, over ndata on a big-endian one. */
static void test_book3s_trap_in_hv_mode(void)
{
	for (int big = 0; big < 2; big++) {
		struct exit_info info = { .reason = EXIT_REASON_INTERNAL_ERROR };
		struct exit_record rec;

		exit_payload_set(&info, big ? 4 : 0, 4, 0x200);
		rec = exit_decode_checked(ppc_book3s_exit_decode, &info);
		CHECK_STR(rec.name, "KVM_EXIT_INTERNAL_ERROR");
		CHECK_EQ(rec.cause, EXIT_CAUSE_MACHINE_CHECK);
		SAYS(rec.what, "hypervisor mode, trap 0x200 (BOOK3S_INTERRUPT_MACHINE_CHECK)");
		CHECK_STR(exit_field_get(&rec, "trap")->value, "0x200");
	}
	/* As this host's KVM writes it. */
	{
		struct exit_info info = { .reason = EXIT_REASON_INTERNAL_ERROR };

		exit_payload_set(&info, 0, 8, 0x700);
		SAYS(exit_decode_checked(ppc_book3s_exit_decode, &info).what,
		     "trap 0x700 (BOOK3S_INTERRUPT_PROGRAM)");
	}
	/* An internal error proper. */
	{
		struct exit_info info = { .reason = EXIT_REASON_INTERNAL_ERROR };

		exit_payload_set(&info, 0, 4, EXIT_SUBERROR_EMULATION);
		SAYS(exit_decode_checked(ppc_book3s_exit_decode, &info).what, "could not emulate");
	}
}

static void test_book3s_others(void)
{
	struct exit_info info = { .reason = EXIT_REASON_FAIL_ENTRY };
	struct exit_record rec = exit_decode_checked(ppc_book3s_exit_decode, &info);

	SAYS(rec.what, "page tables");
	info.run_errno = EINVAL;
	SAYS(exit_decode_checked(ppc_book3s_exit_decode, &info).what, "transactional memory");
	exit_payload_set(&info, 0, 8, 5);
	SAYS(exit_decode_checked(ppc_book3s_exit_decode, &info).what, "0x5");

	info = (struct exit_info){ .reason = EXIT_REASON_NMI, .flags = 3 };
	rec = exit_decode_checked(ppc_book3s_exit_decode, &info);
	CHECK_EQ(rec.cause, EXIT_CAUSE_MACHINE_CHECK);
	CHECK_STR(rec.what, "machine check while the guest ran, the host did not recover");
	CHECK_STR(exit_field_get(&rec, "flags")->meaning, "KVM_RUN_PPC_NMI_DISP_NOT_RECOV");
	info.flags = 1;
	SAYS(exit_decode_checked(ppc_book3s_exit_decode, &info).what, "the host recovered");
	info.flags = 2;
	SAYS(exit_decode_checked(ppc_book3s_exit_decode, &info).what, "in part");
	info.flags = 0;
	SAYS(exit_decode_checked(ppc_book3s_exit_decode, &info).what, "unknown effect");

	info = (struct exit_info){ .reason = EXIT_REASON_DEBUG };
	SAYS(exit_decode_checked(ppc_book3s_exit_decode, &info).what, "debug event at 0x0: none");
}

static void test_hcalls(void)
{
	struct exit_info info = { .reason = EXIT_REASON_PAPR_HCALL };
	struct exit_record rec;

	exit_payload_set(&info, 0, 8, 0xe0);
	rec = exit_decode_checked(ppc_book3s_exit_decode, &info);
	CHECK_STR(rec.what, "PAPR hypercall 0xe0 (H_CEDE)");
	CHECK_EQ(rec.verdict, EXIT_RESUMABLE);
	CHECK_STR(exit_field_get(&rec, "nr")->meaning, "H_CEDE");
	CHECK_STR(exit_field_get(&rec, "args[8]")->value, "0x0");
	exit_payload_set(&info, 0, 8, 0xdead);
	rec = exit_decode_checked(ppc_book3s_exit_decode, &info);
	CHECK_STR(rec.what, "PAPR hypercall 0xdead");
	CHECK(!rec.specific);

	CHECK_STR(ppc_hcall_name(0x04), "H_REMOVE");
	CHECK_STR(ppc_hcall_name(0x58), "H_PUT_TERM_CHAR");
	CHECK_STR(ppc_hcall_name(0x300), "H_RANDOM");
	CHECK_STR(ppc_hcall_name(0x480), "H_GUEST_RUN_VCPU");
	CHECK_STR(ppc_hcall_name(0xf000), "H_RTAS");
	CHECK_STR(ppc_hcall_name(0xf804), "H_ENTER_NESTED");
	CHECK(ppc_hcall_name(0) == NULL);
	CHECK(ppc_hcall_name(UINT64_MAX) == NULL);
	CHECK(ppc_hcall_name(0x1000000000004) == NULL);
	CHECK_STR(ppc_hcall_status_name(-1), "H_HARDWARE");
	CHECK_STR(ppc_hcall_status_name(-87), "H_GUEST_VCPU_STATE_NOT_HV_OWNED");
	CHECK(ppc_hcall_status_name(0) == NULL);
	CHECK(ppc_hcall_status_name(4) == NULL);
	CHECK(ppc_hcall_status_name(INT64_MIN) == NULL);
}

static void test_all_reasons(void)
{
	exit_decode_rubbish(ppc_booke_exit_decode);
	exit_decode_rubbish(ppc_book3s_exit_decode);
}

const struct test ppc_exit_tests[] = {
	{ "booke_rows", test_booke_rows },
	{ "booke_interrupts", test_booke_interrupts },
	{ "booke_fetch", test_booke_fetch },
	{ "booke_instruction", test_booke_instruction },
	{ "booke_machine_check_ambiguous", test_booke_machine_check_ambiguous },
	{ "stale", test_stale },
	{ "failed_run", test_failed_run },
	{ "booke_others", test_booke_others },
	{ "book3s_traps", test_book3s_traps },
	{ "book3s_nested", test_book3s_nested },
	{ "book3s_trap_in_hv_mode", test_book3s_trap_in_hv_mode },
	{ "book3s_others", test_book3s_others },
	{ "hcalls", test_hcalls },
	{ "all_reasons", test_all_reasons },
	{ 0 },
};
