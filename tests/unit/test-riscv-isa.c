// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/isa.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"

static struct riscv_isa_set set_of(const char *names)
{
	struct riscv_isa_set set = { 0 };
	char buf[256], *save, *name;

	strncpy(buf, names, sizeof(buf) - 1);
	buf[sizeof(buf) - 1] = '\0';
	for (name = strtok_r(buf, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
		const struct riscv_isa_ext *ext = riscv_isa_by_name(name);

		CHECK(ext != NULL);
		if (ext)
			riscv_isa_add(&set, ext->id);
	}
	return set;
}

/* Every number from 0 on has one name, and every name one number. */
static void test_table(void)
{
	CHECK_EQ(riscv_isa_exts_nr, 78);
	for (unsigned int id = 0; id < riscv_isa_exts_nr; id++) {
		const struct riscv_isa_ext *ext = riscv_isa_by_id(id);

		CHECK(ext != NULL);
		if (!ext)
			continue;
		CHECK_EQ(ext->id, id);
		CHECK(riscv_isa_by_name(ext->name) == ext);
		for (const char *c = ext->name; *c; c++)
			CHECK(islower((unsigned char)*c) || isdigit((unsigned char)*c));
	}
	CHECK(riscv_isa_by_id(78) == NULL);
	CHECK(riscv_isa_by_id(UINT32_MAX) == NULL);
	CHECK(riscv_isa_by_name("") == NULL);
	CHECK(riscv_isa_by_name("zb") == NULL);
}

/* Numbers as counted in the kernel's header. */
static void test_numbers(void)
{
	static const struct {
		unsigned int id;
		const char  *name;
	} rows[] = {
		{ 0, "a" }, { RISCV_ISA_EXT_H, "h" }, { RISCV_ISA_EXT_I, "i" },
		{ RISCV_ISA_EXT_ZICBOM, "zicbom" }, { RISCV_ISA_EXT_ZICBOZ, "zicboz" },
		{ 13, "zbb" }, { RISCV_ISA_EXT_SSAIA, "ssaia" }, { 15, "v" }, { 32, "zkr" },
		{ RISCV_ISA_EXT_SSCOFPMF, "sscofpmf" }, { 63, "ssnpm" },
		{ RISCV_ISA_EXT_ZICBOP, "zicbop" }, { 77, "zalasr" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_EQ(riscv_isa_by_name(rows[i].name)->id, rows[i].id);
	CHECK_EQ(riscv_isa_by_name("ZBB")->id, 13);
}

static void test_string(void)
{
	struct riscv_isa_set set = set_of("svpbmt zbb i m sstc c a zicsr d f zba");
	char buf[RISCV_ISA_STRING_BYTES];
	int len;

	len = riscv_isa_string(&set, buf, sizeof(buf));
	CHECK_STR(buf, "rv64imafdc_zicsr_zba_zbb_sstc_svpbmt");
	CHECK_EQ(len, strlen(buf));

	len = riscv_isa_list(&set, buf, sizeof(buf));
	CHECK_EQ(len, sizeof("i\0m\0a\0f\0d\0c\0zicsr\0zba\0zbb\0sstc\0svpbmt"));
	CHECK(!memcmp(buf, "i\0m\0a\0f\0d\0c\0zicsr\0zba\0zbb\0sstc\0svpbmt", (size_t)len));

	/* Numbers without a name are left out. */
	riscv_isa_add(&set, 200);
	CHECK(riscv_isa_has(&set, 200));
	CHECK(riscv_isa_string(&set, buf, sizeof(buf)) > 0);
	CHECK_STR(buf, "rv64imafdc_zicsr_zba_zbb_sstc_svpbmt");
}

static void test_room(void)
{
	struct riscv_isa_set all;
	char buf[RISCV_ISA_STRING_BYTES];
	int whole, list;

	memset(&all, 0xff, sizeof(all));
	whole = riscv_isa_string(&all, buf, sizeof(buf));
	CHECK(whole > 0);
	list = riscv_isa_list(&all, buf, sizeof(buf));
	CHECK(list > 0);
	/* Any less room fails, and writes nothing beyond it. */
	for (int size = 0; size <= whole; size++) {
		memset(buf, 0x55, sizeof(buf));
		CHECK_EQ(riscv_isa_string(&all, buf, (size_t)size), -ENOSPC);
		CHECK_EQ(buf[size], 0x55);
	}
	CHECK_EQ(riscv_isa_string(&all, buf, (size_t)whole + 1), whole);
	for (int size = 0; size < list; size++) {
		memset(buf, 0x55, sizeof(buf));
		CHECK_EQ(riscv_isa_list(&all, buf, (size_t)size), -ENOSPC);
		CHECK_EQ(buf[size], 0x55);
	}
	CHECK_EQ(riscv_isa_list(&all, buf, (size_t)list), list);
}

static void test_set(void)
{
	struct riscv_isa_set set = { 0 };

	riscv_isa_add(&set, 0);
	riscv_isa_add(&set, 63);
	riscv_isa_add(&set, 64);
	riscv_isa_add(&set, RISCV_ISA_MAX - 1);
	riscv_isa_add(&set, RISCV_ISA_MAX); /* ignored */
	CHECK(riscv_isa_has(&set, 63) && riscv_isa_has(&set, 64));
	CHECK(riscv_isa_has(&set, RISCV_ISA_MAX - 1));
	CHECK(!riscv_isa_has(&set, RISCV_ISA_MAX));
	CHECK(!riscv_isa_has(&set, 1));
	riscv_isa_remove(&set, 63);
	riscv_isa_remove(&set, UINT32_MAX);
	CHECK(!riscv_isa_has(&set, 63));
}

static void test_sbi(void)
{
	CHECK_EQ(riscv_sbi_exts_nr, 14);
	for (unsigned int id = 0; id < riscv_sbi_exts_nr; id++) {
		const struct riscv_sbi_ext *ext = riscv_sbi_by_id(id);

		CHECK(ext != NULL);
		if (!ext)
			continue;
		CHECK(riscv_sbi_by_name(ext->name) == ext);
		CHECK(riscv_sbi_by_eid(ext->first) == ext);
		CHECK(riscv_sbi_by_eid(ext->last) == ext);
	}
	CHECK_EQ(riscv_sbi_by_name("dbcn")->id, RISCV_SBI_EXT_DBCN);
	CHECK_EQ(riscv_sbi_by_name("SUSP")->id, RISCV_SBI_EXT_SUSP);
	CHECK_EQ(riscv_sbi_by_name("pmu")->id, RISCV_SBI_EXT_PMU);
	CHECK_STR(riscv_sbi_by_eid(0x09ff0000)->name, "vendor");
	/* Four letters of the name, big-endian. */
	CHECK_STR(riscv_sbi_by_eid(0x4442434e)->name, "dbcn");
	CHECK(riscv_sbi_by_eid(0x10) == NULL);
	CHECK(riscv_sbi_by_eid(0x100000004442434e) == NULL);
}

static void test_words(void)
{
	char buf[RISCV_EXT_WORD_BYTES];

	CHECK_STR(riscv_isa_word(RISCV_ISA_EXT_SSCOFPMF, buf), "sscofpmf");
	CHECK_STR(riscv_isa_word(RISCV_ISA_MAX - 1, buf), "isa-255");
	CHECK_STR(riscv_sbi_word(RISCV_SBI_EXT_PMU, buf), "pmu");
	CHECK_STR(riscv_sbi_word(63, buf), "sbi-63");
	for (size_t i = 0; i < riscv_config_regs_nr; i++) {
		if (riscv_config_regs[i].group == RISCV_GROUP_CONFIG)
			CHECK(riscv_config_by_reg(riscv_config_regs[i].reg) == &riscv_config_regs[i]);
		CHECK(riscv_config_by_name(riscv_config_regs[i].name) == &riscv_config_regs[i]);
	}
	CHECK(riscv_config_by_reg(0) == NULL && riscv_config_by_name("isa") == NULL);
}

const struct test riscv_isa_tests[] = {
	{ "table", test_table },
	{ "numbers", test_numbers },
	{ "string", test_string },
	{ "room", test_room },
	{ "set", test_set },
	{ "sbi", test_sbi },
	{ "words", test_words },
	{ 0 },
};
