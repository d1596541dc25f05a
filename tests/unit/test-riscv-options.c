// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lkvm/run-options.h"
#include "riscv/isa.h"
#include "tests/unit/test.h"

static int parse(struct config *cfg, const char *option, const char *value)
{
	char name[64], arg[128];
	char *argv[] = { name, arg, NULL };

	snprintf(name, sizeof(name), "run");
	snprintf(arg, sizeof(arg), value ? "--%s=%s" : "--%s", option, value);
	return run_options_parse(cfg, OPT_RISCV64, 2, argv);
}

static void good(struct config *cfg, const char *option, const char *value)
{
	config_init(cfg);
	test_stderr_begin();
	CHECK_EQ(parse(cfg, option, value), 0);
	CHECK_STR(test_stderr_end(), "");
}

static void bad(const char *option, const char *value, const char *message)
{
	struct config cfg;
	const char *text;

	config_init(&cfg);
	test_stderr_begin();
	CHECK_EQ(parse(&cfg, option, value), -EINVAL);
	text = test_stderr_end();
	if (!strstr(text, message))
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", text, message);
	config_free(&cfg);
}

static void test_isa(void)
{
	struct config cfg;

	good(&cfg, "isa", "zbb=off,Sscofpmf=on,zba,isa-200=off");
	CHECK_EQ(cfg.riscv.isa[13], CONFIG_OFF);
	CHECK_EQ(cfg.riscv.isa[RISCV_ISA_EXT_SSCOFPMF], CONFIG_ON);
	CHECK_EQ(cfg.riscv.isa[17], CONFIG_ON);
	CHECK_EQ(cfg.riscv.isa[200], CONFIG_OFF);
	CHECK_EQ(cfg.riscv.isa[RISCV_ISA_EXT_I], CONFIG_AUTO);
	CHECK_EQ(cfg.riscv.config_set, 0);
	config_free(&cfg);

	bad("isa", "zbx=off", "--isa: unknown ISA extension 'zbx', did you mean 'zb");
	bad("isa", "isa-256=off", "unknown ISA extension 'isa-256'");
	bad("isa", "isa-=off", "unknown ISA extension 'isa-'");
	bad("isa", "zbb=maybe", "--isa: zbb: bad value 'maybe', expected on or off");
	bad("isa", "", "--isa");
	bad("isa", ",", "expected EXT=on|off,...");
}

static unsigned int slot(const char *name)
{
	return riscv_config_slot(riscv_config_by_name(name));
}

static void test_config_registers(void)
{
	struct config cfg;

	good(&cfg, "isa", "mvendorid=0x489,satp_mode=sv48,zicboz_block_size=64,mimpid=0,vlenb=32");
	CHECK_EQ(cfg.riscv.config_set, 1u << slot("mvendorid") | 1u << slot("satp_mode") |
					       1u << slot("zicboz_block_size") | 1u << slot("mimpid") |
					       1u << slot("vlenb"));
	CHECK_EQ(cfg.riscv.config[slot("mvendorid")], 0x489);
	CHECK_EQ(cfg.riscv.config[slot("satp_mode")], 9);
	CHECK_EQ(cfg.riscv.config[slot("zicboz_block_size")], 64);
	CHECK_EQ(cfg.riscv.config[slot("mimpid")], 0);
	CHECK_EQ(cfg.riscv.config[slot("vlenb")], 32);
	config_free(&cfg);

	good(&cfg, "custom-marchid", "7");
	CHECK_EQ(cfg.riscv.config_set, 1u << slot("marchid"));
	CHECK_EQ(cfg.riscv.config[slot("marchid")], 7);
	config_free(&cfg);

	bad("isa", "vlenb=wide", "--isa: vlenb: bad value 'wide', expected a number");
	bad("isa", "mvendorid", "--isa: mvendorid: bad value '', expected a number");
	bad("isa", "satp_mode=sv32", "expected sv39, sv48, sv57 or a number");
	bad("custom-mimpid", "x", "--custom-mimpid: mimpid: bad value 'x', expected a number");
}

static void test_sbi(void)
{
	struct config cfg;

	good(&cfg, "sbi", "pmu=on,sta=off,mpxy,legacy=off,sbi-60=on");
	CHECK_EQ(cfg.pmu, CONFIG_ON);
	CHECK_EQ(cfg.riscv.sbi[RISCV_SBI_EXT_PMU], CONFIG_AUTO);
	CHECK_EQ(cfg.riscv.sbi[10], CONFIG_OFF);
	CHECK_EQ(cfg.riscv.sbi[13], CONFIG_ON);
	CHECK_EQ(cfg.riscv.sbi[0], CONFIG_OFF);
	CHECK_EQ(cfg.riscv.sbi[60], CONFIG_ON);
	config_free(&cfg);

	bad("sbi", "pmx=on", "--sbi: unknown SBI extension 'pmx', did you mean 'pmu'?");
	bad("sbi", "sbi-64=on", "unknown SBI extension 'sbi-64'");
	bad("sbi", "sta=2", "--sbi: sta: bad value '2', expected on or off");
}

/* Every extension has kvmtool's option, and so has one that only its number tells. */
static void test_disable(void)
{
	struct config cfg;
	char option[64];

	for (size_t i = 0; i < riscv_isa_exts_nr; i++) {
		snprintf(option, sizeof(option), "disable-%s", riscv_isa_exts[i].name);
		good(&cfg, option, NULL);
		CHECK_EQ(cfg.riscv.isa[riscv_isa_exts[i].id], CONFIG_OFF);
		config_free(&cfg);
	}
	for (size_t i = 0; i < riscv_sbi_exts_nr; i++) {
		snprintf(option, sizeof(option), "disable-sbi-%s", riscv_sbi_exts[i].name);
		good(&cfg, option, NULL);
		if (riscv_sbi_exts[i].id == RISCV_SBI_EXT_PMU)
			CHECK_EQ(cfg.pmu, CONFIG_OFF);
		else
			CHECK_EQ(cfg.riscv.sbi[riscv_sbi_exts[i].id], CONFIG_OFF);
		config_free(&cfg);
	}
	good(&cfg, "disable-isa-99", NULL);
	CHECK_EQ(cfg.riscv.isa[99], CONFIG_OFF);
	config_free(&cfg);
	bad("disable-zbbb", NULL, "unknown ISA extension 'zbbb', did you mean 'zbb'?");
	bad("disable-sbi-sus", NULL, "unknown SBI extension 'sus', did you mean 'susp'?");
}

const struct test riscv_options_tests[] = {
	{ "isa", test_isa },
	{ "config_registers", test_config_registers },
	{ "sbi", test_sbi },
	{ "disable", test_disable },
	{ 0 },
};
