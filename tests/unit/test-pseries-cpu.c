// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/pseries-cpu.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "powerpc/options.h"
#include "tests/unit/cpus-util.h"

static const struct pseries_cpu_prop *find(const struct pseries_cpu *cpu, const char *name)
{
	for (unsigned int i = 0; i < cpu->nr_props; i++)
		if (!strcmp(cpu->props[i].name, name))
			return &cpu->props[i];
	return NULL;
}

static bool has(const struct pseries_cpu *cpu, unsigned int bit)
{
	size_t at = 2 + (bit >> 8);

	return at < cpu->pa_bytes && cpu->pa_features[at] & 0x80 >> (bit & 7);
}

static uint32_t cell(const struct pseries_cpu *cpu, const char *name)
{
	const struct pseries_cpu_prop *prop = find(cpu, name);

	return prop && prop->len == 4 ? get_be32(prop->data) : UINT32_MAX;
}

static const struct pseries_host_cpu power9 = { .platform = "power9", .base_platform = "power9" }, unknown = { 0 };

static void test_host_tree(void)
{
	static const uint8_t clock[] = { 0xee, 0x6b, 0x28, 0 }, features[] = { 2, 0, 0x10 };
	static const uint8_t power8_pvr[] = { 0x0f, 0, 0, 4 };
	static const struct pseries_host_cpu held = { .platform = "power8", .base_platform = "power9" };
	uint8_t pa[90] = { 26, 0, [2] = 0xf6, [24] = 0x80, [28] = 7, [29] = 1 /* the next list */ };
	struct pseries_cpu cpu = { 0 };

	cpus_setup();
	CHECK_EQ(pseries_cpu_read(&cpu, cpus_dir, &power9), -ENOENT);
	cpus_put("l2-cache@2000", "device_type", "cache", 6);
	cpus_put("ibm,powerpc-cpu-features", "isa", clock, sizeof(clock));
	CHECK_EQ(pseries_cpu_read(&cpu, cpus_dir, &power9), -ENOENT);
	cpus_put("PowerPC,POWER9@20", "clock-frequency", clock, sizeof(clock));
	cpus_put("PowerPC,POWER9@20", "ibm,pi-features", features, sizeof(features));
	cpus_put("PowerPC,POWER9@20", "ibm,pa-features", pa, sizeof(pa));
	cpus_put("PowerPC,POWER9@20", "reg", clock, sizeof(clock)); /* the host's own business */
	CHECK_EQ(pseries_cpu_read(&cpu, cpus_dir, &power9), 0);
	CHECK_STR(cpu.name, "PowerPC,POWER9");
	CHECK_EQ(cpu.nr_props, 2);
	CHECK_EQ(cell(&cpu, "clock-frequency"), 4000000000);
	CHECK(find(&cpu, "ibm,pi-features") && find(&cpu, "ibm,pi-features")->len == 3);
	CHECK_EQ(cpu.pa_bytes, 28);
	CHECK(has(&cpu, PSERIES_PA_TM));
	CHECK(!has(&cpu, PSERIES_PA_RADIX));
	/* The first CPU has number 0 in most machines. */
	cpus_put("PowerPC,POWER9@0", "ibm,pa-features", pa, 30);
	cpus_put("PowerPC,POWER9@0", "clock-frequency", clock, sizeof(clock));
	cpu.nr_props = 0;
	CHECK_EQ(pseries_cpu_read(&cpu, cpus_dir, &power9), 0);
	CHECK_STR(cpu.name, "PowerPC,POWER9");
	CHECK_EQ(cpu.nr_props, 1);
	/* A partition's tree always names a generation, which is of interest if it is not the CPU's. */
	cpus_put("PowerPC,POWER9@0", "cpu-version", power8_pvr, sizeof(power8_pvr));
	CHECK_EQ(pseries_cpu_read(&cpu, cpus_dir, &power9), 0);
	CHECK_EQ(cpu.held_to, 0);
	cpus_put("PowerPC,POWER9@20", "cpu-version", power8_pvr, sizeof(power8_pvr));
	CHECK_EQ(pseries_cpu_read(&cpu, cpus_dir, &held), 0);
	CHECK_STR(cpu.name, "PowerPC,POWER9");
	CHECK_EQ(cpu.held_to, 0x0f000004);
	cpus_put("PowerPC,POWER9@0", "cpu-version", clock, sizeof(clock));
	cpus_put("PowerPC,POWER9@20", "cpu-version", clock, sizeof(clock));
	CHECK_EQ(pseries_cpu_read(&cpu, cpus_dir, &held), 0);
	CHECK_EQ(cpu.held_to, 0);
	cpus_teardown();
	CHECK_EQ(pseries_cpu_read(&cpu, "/nonexistent", &unknown), -ENOENT);
}

static void test_describe(void)
{
	const struct pseries_host_cpu host = {
		.hwcap = 0xdc0065c2, /* a POWER9's */
		.timebase_hz = 512000000,
		.d = { KIB(32), 8 << 16 | 128, 128 },
		.i = { KIB(32), 0xffffu << 16 | 64, 32 }, /* fully associative */
	};
	const struct pseries_host_cpu least = { .d = { KIB(64), 128, 0 } };
	struct pseries_cpu cpu = { 0 };

	pseries_cpu_describe(&cpu, &host);
	CHECK_EQ(cell(&cpu, "timebase-frequency"), 512000000);
	CHECK_EQ(cell(&cpu, "d-cache-size"), 32768);
	CHECK_EQ(cell(&cpu, "d-cache-line-size"), 128);
	CHECK_EQ(cell(&cpu, "d-cache-block-size"), 128);
	CHECK_EQ(cell(&cpu, "d-cache-sets"), 32);
	CHECK_EQ(cell(&cpu, "i-cache-line-size"), 64);
	CHECK_EQ(cell(&cpu, "i-cache-block-size"), 32);
	CHECK_EQ(cell(&cpu, "i-cache-sets"), 1);
	CHECK_EQ(cell(&cpu, "ibm,vmx"), 2);
	CHECK_EQ(cell(&cpu, "ibm,dfp"), 1);
	CHECK_EQ(cell(&cpu, "ibm,purr"), 1);
	CHECK_EQ(cpu.nr_props, 13);

	pseries_cpu_describe(&cpu, &least);
	CHECK_EQ(cell(&cpu, "timebase-frequency"), 512000000);
	CHECK_EQ(cell(&cpu, "d-cache-block-size"), 128);
	CHECK_EQ(cell(&cpu, "d-cache-size"), 65536);
	CHECK(!find(&cpu, "d-cache-sets"));
	CHECK_EQ(cell(&cpu, "i-cache-block-size"), 128);
	CHECK(!find(&cpu, "i-cache-size"));
	CHECK(!find(&cpu, "ibm,vmx") && !find(&cpu, "ibm,dfp"));
}

/* A list that says that it is longer than it is, is none. */
static void test_broken_features(void)
{
	static const uint8_t pa[] = { 66, 0, 0xff, 0xff };
	struct pseries_cpu cpu = { 0 };

	cpus_setup();
	cpus_put("cpu@0", "ibm,pa-features", pa, sizeof(pa));
	CHECK_EQ(pseries_cpu_read(&cpu, cpus_dir, &power9), 0);
	CHECK_EQ(cpu.pa_bytes, 0);
	pseries_cpu_set_feature(&cpu, PSERIES_PA_TM, true);
	CHECK_EQ(cpu.pa_bytes, 25);
	CHECK_EQ(cpu.pa_features[0], 23);
	/* What had been read is not taken for features. */
	CHECK_EQ(cpu.pa_features[2], 0);
	cpus_teardown();
}

static void test_features(void)
{
	struct pseries_cpu cpu = { .pa_features = { 24, 0, 0xf6 }, .pa_bytes = 26 };

	pseries_cpu_set_feature(&cpu, PSERIES_PA_RADIX, false);
	CHECK_EQ(cpu.pa_bytes, 26);
	pseries_cpu_set_feature(&cpu, PSERIES_PA_RADIX, true);
	CHECK(has(&cpu, PSERIES_PA_RADIX));
	CHECK_EQ(cpu.pa_bytes, 43);
	CHECK_EQ(cpu.pa_features[0], 41);
	CHECK_EQ(cpu.pa_features[2], 0xf6);
	pseries_cpu_set_feature(&cpu, PSERIES_PA_RADIX, false);
	CHECK(!has(&cpu, PSERIES_PA_RADIX));
	CHECK_EQ(cpu.pa_bytes, 43);
}

static void test_guess(void)
{
	struct pseries_host_cpu host = { .hwcap2 = 0 };
	struct pseries_cpu cpu = { 0 };

	pseries_cpu_guess(&cpu, &host);
	CHECK(has(&cpu, 0) && has(&cpu, 1) && has(&cpu, 5 << 8));
	CHECK(!has(&cpu, PSERIES_PA_RADIX));
	host.hwcap2 = 0x00800000;
	pseries_cpu_guess(&cpu, &host);
	CHECK(has(&cpu, PSERIES_PA_RADIX));
	CHECK_EQ(cpu.nr_props, 0);
}

static void test_hold_to(void)
{
	static const struct {
		uint32_t pvr;
		size_t   bytes;
	} rows[] = {
		{ PPC_COMPAT_POWER11, 70 }, { PPC_COMPAT_POWER10, 70 }, { PPC_COMPAT_POWER9, 66 },
		{ PPC_COMPAT_POWER8, 26 },
		{ PPC_COMPAT_POWER9, 26 }, /* what is gone does not come back */
	};
	struct pseries_cpu cpu = { .pa_features = { 68, 0, 0xf6 }, .pa_bytes = 70 };

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		pseries_cpu_hold_to(&cpu, rows[i].pvr);
		CHECK_EQ(cpu.pa_bytes, rows[i].bytes);
		CHECK_EQ(cpu.pa_features[0], rows[i].bytes - 2);
		CHECK_EQ(cpu.pa_features[2], 0xf6);
	}
	memset(&cpu, 0, sizeof(cpu));
	pseries_cpu_hold_to(&cpu, PPC_COMPAT_POWER8);
	CHECK_EQ(cpu.pa_bytes, 0);
}

static void test_wants_hash(void)
{
	static const struct {
		const char *params;
		bool wants;
	} rows[] = {
		{ NULL, false }, { "", false }, { "quiet", false }, { "disable_radix", true },
		{ "quiet disable_radix panic=-1", true }, { "disable_radix=yes", true }, { "disable_radix=1", true },
		{ "disable_radix=on", true }, { "disable_radix=off", false }, { "disable_radix=0", false },
		{ "disable_radix=", false }, { "disable_radixes", false }, { "no_disable_radix", false },
		{ "disable_radix disable_radix=no", false }, { "\tdisable_radix\n", true },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		if (pseries_wants_hash(rows[i].params) != rows[i].wants)
			test_fail(__FILE__, __LINE__, "\"%s\"", rows[i].params);
}

static void test_params_have(void)
{
	CHECK(!pseries_params_have(NULL, "xive=off"));
	CHECK(!pseries_params_have("", "xive=off"));
	CHECK(!pseries_params_have("xive=on xive=offs no_xive=off xive", "xive=off"));
	CHECK(pseries_params_have("xive=off", "xive=off"));
	CHECK(pseries_params_have("quiet\txive=off\n", "xive=off"));
}

static void test_htab_order(void)
{
	CHECK_EQ(pseries_htab_order(MIB(16)), 18);
	CHECK_EQ(pseries_htab_order(MIB(512)), 22);
	CHECK_EQ(pseries_htab_order(MIB(512) + 1), 23);
	CHECK_EQ(pseries_htab_order(GIB(2)), 24);
	CHECK_EQ(pseries_htab_order(UINT64_MAX), 46);
	CHECK_EQ(pseries_htab_order(0), 18);
}

const struct test pseries_cpu_tests[] = {
	{ "host_tree", test_host_tree },
	{ "describe", test_describe },
	{ "broken_features", test_broken_features },
	{ "features", test_features },
	{ "guess", test_guess },
	{ "hold_to", test_hold_to },
	{ "wants_hash", test_wants_hash },
	{ "params_have", test_params_have },
	{ "htab_order", test_htab_order },
	{ 0 },
};
