// SPDX-License-Identifier: GPL-2.0-only
#include "arm/esr.h"

#include <string.h>

#include "tests/unit/test.h"

/* Syndromes as guests and hosts print them. */
static void test_esr(void)
{
	static const struct {
		uint64_t    esr;
		const char *text;
	} rows[] = {
		{ 0, "undefined instruction, or none" },
		{ 0x02000000, "undefined instruction, or none" },
		{ 0x56000000, "SVC" },
		{ 0x5a000000, "HVC" },
		{ 0xf2000800, "BRK" },
		{ 0x96000004, "data abort from the same EL, translation fault, level 0, read" },
		{ 0x96000044, "data abort from the same EL, translation fault, level 0, write" },
		{ 0x9600004f, "data abort from the same EL, permission fault, level 3, write" },
		{ 0x92000021, "data abort from a lower EL, alignment fault, read" },
		{ 0x96000010, "data abort from the same EL, external abort, read" },
		{ 0x96000150, "data abort from the same EL, external abort, cache maintenance" },
		{ 0x96000015, "data abort from the same EL, external abort on a page table walk, level 1, read" },
		{ 0x96000011, "data abort from the same EL, tag check fault, read" },
		{ 0x86000005, "instruction abort from the same EL, translation fault, level 1" },
		{ 0x82000006, "instruction abort from a lower EL, translation fault, level 2" },
		{ 0x86000010, "instruction abort from the same EL, external abort" },
		{ 0x8600003f, "instruction abort from the same EL, unknown fault" },
		{ 0xbe000000, "SError" },
		{ 0x0c000000, "exception class 0x03" },
		{ 0xffffffff0c000000, "exception class 0x03" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char buf[ARM_ESR_TEXT_BYTES];

		CHECK_STR(arm_esr_text(rows[i].esr, buf, sizeof(buf)), rows[i].text);
	}
}

/* Every class and fault fits the buffer that is meant for it. */
static void test_esr_fits(void)
{
	for (unsigned int ec = 0; ec < 64; ec++) {
		for (unsigned int iss = 0; iss < 0x200; iss++) {
			char buf[ARM_ESR_TEXT_BYTES], wide[2 * ARM_ESR_TEXT_BYTES];
			uint64_t esr = (uint64_t)ec << 26 | iss;

			CHECK_STR(arm_esr_text(esr, buf, sizeof(buf)), arm_esr_text(esr, wide, sizeof(wide)));
		}
	}
}

static void test_pstate(void)
{
	static const struct {
		uint64_t    pstate;
		const char *text;
		bool        own_sp;
	} rows[] = {
		{ 0x3c5, "nzcv DAIF EL1h", true },
		{ 0x3c4, "nzcv DAIF EL1t", false },
		{ 0x3c9, "nzcv DAIF EL2h", true },
		{ 0x60000000, "nZCv daif EL0", false },
		{ 0x900000c5, "NzcV daIF EL1h", true },
		{ 0x1d3, "nzcv dAIF AArch32 0x13", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char buf[ARM_PSTATE_TEXT_BYTES];

		CHECK_STR(arm_pstate_text(rows[i].pstate, buf, sizeof(buf)), rows[i].text);
		CHECK_EQ(arm_pstate_own_sp(rows[i].pstate), rows[i].own_sp);
	}
	/* EL0t, EL1h; AArch32's usr, svc, hyp. */
	CHECK(arm_pstate_is_user(0x0));
	CHECK(!arm_pstate_is_user(0x3c5));
	CHECK(arm_pstate_is_user(0x10));
	CHECK(!arm_pstate_is_user(0x13));
	CHECK(!arm_pstate_is_user(0x1a));
}

static void test_aarch32(void)
{
	static const struct {
		uint64_t    pstate;
		const char *sp, *lr;
	} rows[] = {
		{ 0x10, "sp_usr", "lr_usr" }, { 0x11, "sp_fiq", "lr_fiq" }, { 0x12, "sp_irq", "lr_irq" },
		{ 0x600000d3, "sp_svc", "lr_svc" }, { 0x17, "sp_abt", "lr_abt" }, { 0x1b, "sp_und", "lr_und" },
		{ 0x1f, "sp_usr", "lr_usr" },
	};
	unsigned int sp, lr;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK(arm_pstate_is_32bit(rows[i].pstate));
		arm_aarch32_bank(rows[i].pstate, &sp, &lr);
		CHECK_STR(arm_aarch32_reg_name(sp), rows[i].sp);
		CHECK_STR(arm_aarch32_reg_name(lr), rows[i].lr);
	}
	CHECK(!arm_pstate_is_32bit(0x3c5));
	CHECK_STR(arm_aarch32_reg_name(0), "r0");
	CHECK_STR(arm_aarch32_reg_name(24), "r8_fiq");
	CHECK_STR(arm_aarch32_reg_name(30), "lr_fiq");
}

const struct test arm_esr_tests[] = {
	{ "aarch32", test_aarch32 },
	{ "esr", test_esr },
	{ "esr_fits", test_esr_fits },
	{ "pstate", test_pstate },
	{ 0 },
};
