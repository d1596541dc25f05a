// SPDX-License-Identifier: GPL-2.0-only
/* --cpu-feature of arm64, --max-cpu-compat of powerpc and --cpuid of x86-64. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lkvm/config.h"
#include "lkvm/run-options.h"
#include "tests/unit/test.h"
#include "powerpc/options.h"
#include "x86/cpuid.h"

static int parse(struct config *cfg, unsigned int arch, const char *option)
{
	char name[] = "run", word[160];
	char *argv[] = { name, word, NULL };

	config_init(cfg);
	snprintf(word, sizeof(word), "%s", option);
	return run_options_parse(cfg, arch, 2, argv);
}

static void bad(unsigned int arch, const char *option, const char *message)
{
	struct config cfg;
	const char *text;

	test_stderr_begin();
	CHECK_EQ(parse(&cfg, arch, option), -EINVAL);
	text = test_stderr_end();
	if (!strstr(text, message))
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", text, message);
	config_free(&cfg);
}

static void test_arm(void)
{
	struct config cfg;

	CHECK_EQ(parse(&cfg, OPT_ARM64, "--cpu-feature=ID_AA64ISAR0_EL1[7:4]=0,id_aa64pfr0_el1=0x11,S3_0_C0_C4_1[0]=1"),
		 0);
	CHECK_EQ(cfg.arm.nr_features, 3);
	CHECK_EQ(cfg.arm.features[0].id, 0x603000000013c030);
	CHECK_EQ(cfg.arm.features[0].lsb, 4);
	CHECK_EQ(cfg.arm.features[0].bits, 4);
	CHECK_STR(cfg.arm.features[0].name, "ID_AA64ISAR0_EL1[7:4]");
	CHECK_EQ(cfg.arm.features[1].bits, 64);
	CHECK_EQ(cfg.arm.features[1].value, 0x11);
	CHECK_EQ(cfg.arm.features[2].bits, 1);
	config_free(&cfg);

	bad(OPT_ARM64, "--cpu-feature=aes=0", "unknown register 'aes'");
	bad(OPT_ARM64, "--cpu-feature=ID_AA64ISAR0_EL1", "expected REGISTER=VALUE");
	bad(OPT_ARM64, "--cpu-feature=ID_AA64ISAR0_EL1[7:4]=16", "with a value that fits");
	bad(OPT_ARM64, "--cpu-feature=ID_AA64ISAR0_EL1[4:7]=1", "with a value that fits");
	bad(OPT_ARM64, "--cpu-feature=ID_AA64ISAR0_EL1[64]=1", "with a value that fits");
	bad(OPT_ARM64, "--cpu-feature=ID_AA64ISAR0_EL1[7:4=1", "with a value that fits");
	bad(OPT_RISCV64, "--cpu-feature=ID_AA64ISAR0_EL1=1", "exists on arm64 only");
}

static void test_x86(void)
{
	struct x86_cpuid cpuid = { .nr = 1, .entries = { { .function = 7, .ebx = 1u << 5 | 1u << 9 } } };
	struct config cfg;

	CHECK_EQ(parse(&cfg, OPT_X86_64, "--cpuid=avx2=off,nx=on,0x7.ebx.9=off,smap"), 0);
	CHECK_EQ(cfg.nr_cpuid, 4);
	CHECK(cfg.cpuid[0].leaf == 7 && cfg.cpuid[0].reg == 1 && cfg.cpuid[0].bit == 5 && !cfg.cpuid[0].on);
	CHECK(cfg.cpuid[1].leaf == 0x80000001 && cfg.cpuid[1].reg == 3 && cfg.cpuid[1].bit == 20);
	CHECK(cfg.cpuid[1].on);
	CHECK(cfg.cpuid[2].leaf == 7 && cfg.cpuid[2].reg == 1 && cfg.cpuid[2].bit == 9);
	CHECK(cfg.cpuid[3].on);
	config_free(&cfg);

	CHECK(x86_cpuid_set(&cpuid, 7, 1, 5, false));
	CHECK_EQ(cpuid.entries[0].ebx, 1u << 9);
	CHECK(x86_cpuid_set(&cpuid, 7, 1, 9, true));
	CHECK(!x86_cpuid_set(&cpuid, 7, 1, 5, true));
	CHECK(!x86_cpuid_set(&cpuid, 0x80000001, 3, 20, true));
	CHECK(x86_cpuid_set(&cpuid, 0x80000001, 3, 20, false));

	bad(OPT_X86_64, "--cpuid=avx3=off", "unknown feature 'avx3', did you mean 'avx'?");
	bad(OPT_X86_64, "--cpuid=avx2=maybe", "bad value 'maybe', expected on or off");
	bad(OPT_X86_64, "--cpuid=7.ebx.32=off", "unknown feature");
	bad(OPT_X86_64, "--cpuid=7.rbx.1=off", "unknown feature");
	bad(OPT_ARM64, "--cpuid=avx2=off", "exists on x86_64 only");
}

static void test_powerpc(void)
{
	struct config cfg;

	CHECK_EQ(parse(&cfg, OPT_PPC64, "--max-cpu-compat=power9"), 0);
	CHECK_EQ(cfg.ppc_compat_pvr, 0x0f000005);
	CHECK_STR(ppc_compat_name(cfg.ppc_compat_pvr), "power9");
	CHECK(!ppc_compat_name(0x004e1202));
	config_free(&cfg);
	bad(OPT_PPC64, "--max-cpu-compat=power7", "bad value 'power7', expected power8, power9, power10 or power11");
	bad(OPT_PPC, "--max-cpu-compat=power9", "exists on ppc64le only");
}

const struct test cpu_options_tests[] = {
	{ "arm", test_arm },
	{ "powerpc", test_powerpc },
	{ "x86", test_x86 },
	{ 0 },
};
