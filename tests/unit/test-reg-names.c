// SPDX-License-Identifier: GPL-2.0-only
/* Register ids from the tables of KVM's API documentation and uapi headers. */
#include <stdio.h>
#include <string.h>

#include "arm/reg-names.h"
#include "powerpc/reg-names.h"
#include "riscv/reg-names.h"
#include "tests/unit/test.h"

static void check(void (*name)(uint64_t id, char *buf, size_t size), uint64_t id, const char *expected)
{
	char buf[64];

	name(id, buf, sizeof(buf));
	CHECK_STR(buf, expected);
}

static void test_riscv(void)
{
	static const struct {
		uint64_t    id;
		const char *name;
	} cases[] = {
		{ 0x8030000001000000, "config.isa" }, { 0x8030000001000002, "config.mvendorid" },
		{ 0x8030000001000006, "config.satp_mode" }, { 0x8030000001000063, "" },
		{ 0x8030000002000000, "core.pc" }, { 0x8030000002000020, "core.mode" }, { 0x8030000002000021, "" },
		{ 0x8030000003000004, "csr.sepc" }, { 0x8030000003010001, "csr.aia.iprio1" },
		{ 0x8030000003020000, "csr.smstateen.sstateen0" }, { 0x8030000003030000, "" },
		{ 0x8030000004000001, "timer.time" }, { 0x8020000005000003, "fp_f.f3" },
		{ 0x8020000006000020, "fp_d.fcsr" }, { 0x803000000700000d, "isa.zbb" },
		{ 0x80300000070000fa, "isa.isa-250" }, { 0x8030000008000006, "sbi.pmu" },
		{ 0x8030000008010000, "sbi.multi_en0" }, { 0x8030000008020001, "sbi.multi_dis1" },
		{ 0x8030000009000004, "vector.vlenb" }, { 0x8040000009000025, "vector.v31" },
		{ 0x803000000a000001, "sbi_state.sta.shmem_hi" },
		{ 0x803000000a010005, "sbi_state.fwft.pointer_masking.value" }, { 0x803000000b000000, "" },
		{ 0x603000000013dce0, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(riscv_reg_name, cases[i].id, cases[i].name);
}

static void test_powerpc(void)
{
	static const struct {
		uint64_t    id;
		const char *name;
	} cases[] = {
		{ 0x1030000000000010, "MMCR0" }, { 0x1020000000000018, "PMC1" }, { 0x102000000000001f, "PMC8" },
		{ 0x1030000000000020, "FPR0" }, { 0x103000000000003f, "FPR31" }, { 0x104000000000007f, "VSR31" },
		{ 0x103000000000008c, "ICP_STATE" }, { 0x102000000000008c, "MAS0" }, { 0x10200000000000b5, "LPCR" },
		{ 0x10300000000000b5, "LPCR_64" }, { 0x10200000000000b7, "ARCH_COMPAT" },
		{ 0x1030000080000000, "TM_GPR0" }, { 0x104000008000005f, "TM_VSR63" }, { 0x1030000080000060, "TM_CR" },
		{ 0x10200000000000b6, "" }, { 0x1030000000000fff, "" }, { 0x8030000001000000, "" },
	};
	uint64_t ids[400];
	size_t nr = ppc_reg_ids(ids, ARRAY_SIZE(ids));
	char name[64];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(ppc_reg_name, cases[i].id, cases[i].name);
	CHECK(nr > 200 && nr <= ARRAY_SIZE(ids));
	CHECK(ppc_reg_ids(NULL, 0) == nr);
	for (size_t i = 0; i < nr; i++) {
		ppc_reg_name(ids[i], name, sizeof(name));
		CHECK(name[0]);
		for (size_t k = 0; k < i; k++)
			CHECK(ids[k] != ids[i]);
	}
}

static void test_arm(void)
{
	static const struct {
		uint64_t    id;
		const char *name;
	} cases[] = {
		{ 0x6030000000100000, "core.x0" }, { 0x603000000010003c, "core.x30" }, { 0x6030000000100040, "core.pc" },
		{ 0x6040000000100054, "core.v0" }, { 0x60400000001000d0, "core.v31" }, { 0x60200000001000d5, "core.fpcr" },
		{ 0x603000000013dce0, "PMCR_EL0" }, { 0x603000000013df41, "PMEVCNTR1_EL0" },
		{ 0x603000000013df7e, "PMEVTYPER30_EL0" }, { 0x603000000013df7f, "PMCCFILTR_EL0" },
		{ 0x603000000013c080, "SCTLR_EL1" }, { 0x603000000013c028, "ID_AA64DFR0_EL1" },
		{ 0x6030000000138004, "DBGBVR0_EL1" }, { 0x603000000013800f, "DBGWCR1_EL1" },
		{ 0x603000000013c00f, "ID_MMFR3_EL1" },
		{ 0x603000000013fff8, "S3_7_C15_C15_0" },
		{ 0x6030000000140000, "fw.psci_version" }, { 0x6030000000160001, "fw_feat.std_hyp_bmap" },
		{ 0x606000000015ffff, "sve.vls" }, { 0x6080000000150020, "sve.z1.0" }, { 0x6050000000150400, "sve.p0.0" },
		{ 0x6050000000150600, "sve.ffr.0" }, { 0x6020000000110001, "demux.ccsidr1" }, { 0x6030000000170000, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(arm_reg_name, cases[i].id, cases[i].name);
	CHECK_EQ(arm_sysreg_id("pmcr_el0"), 0x603000000013dce0);
	CHECK_EQ(arm_sysreg_id("S3_3_C9_C12_0"), 0x603000000013dce0);
	CHECK_EQ(arm_sysreg_id("S3_3_C9_C16_0"), 0);
	CHECK_EQ(arm_sysreg_id("S3_3_C9_C12_0x"), 0);
	CHECK_EQ(arm_sysreg_id("nothing"), 0);
}

const struct test reg_names_tests[] = {
	{ "riscv", test_riscv },
	{ "arm", test_arm },
	{ "powerpc", test_powerpc },
	{ 0 },
};
