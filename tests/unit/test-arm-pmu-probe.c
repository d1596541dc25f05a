// SPDX-License-Identifier: GPL-2.0-only
#include "arm/pmu-probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/probe-vm.h"
#include "tests/unit/test.h"

/* A CPU whose registers are memory; the instruction, less its direction, is the register's name. */
#define MAX_REGS 200

static struct {
	uint32_t key;
	uint64_t value;
} regs[MAX_REGS];
static size_t nr_regs;
static bool undefined; /* all but ID_AA64DFR0_EL1 */
static bool stuck;
static bool at_el2;
static unsigned int counter_bits;

static const uint32_t dfr0 = 0x00080500, pmcr = 0x001b9c00, pmceid0 = 0x001b9cc0, pmceid1 = 0x001b9ce0;
static const uint32_t pmccntr = 0x001b9d00, pmccfiltr = 0x001befe0;

static uint64_t *reg(uint32_t key)
{
	for (size_t i = 0; i < nr_regs; i++)
		if (regs[i].key == key)
			return &regs[i].value;
	if (nr_regs == MAX_REGS)
		abort();
	regs[nr_regs].key = key;
	regs[nr_regs].value = 0;
	return &regs[nr_regs++].value;
}

static bool is_event_counter(uint32_t key)
{
	return key >= 0x001be800 && key < 0x001bec00; /* S3_3_C14_C8_0 to S3_3_C14_C11_7 */
}

/* Whether counter @full counts where the guest is: at EL2 with NSH (bit 27) of its type or filter. */
static bool counts_here(uint32_t full)
{
	uint32_t type = full == pmccntr ? pmccfiltr : full + 0x400; /* PMEVTYPER<n> for PMEVCNTR<n> */

	return !at_el2 || *reg(type & 0x000fffe0) >> 27 & 1;
}

static int run(const struct probe_host *host LKVM_UNUSED, struct probe_op *ops, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct probe_op *op = &ops[i];
		uint32_t insn = (uint32_t)op->arg[0];
		uint32_t key = insn & 0x000fffe0;

		if (op->op == PROBE_LOOP) {
			for (size_t k = 0; k < nr_regs && !stuck; k++) {
				uint32_t full = regs[k].key | 0x00100000;

				if ((is_event_counter(full) || full == pmccntr) && counts_here(full))
					regs[k].value += 2 * op->arg[0];
			}
			continue;
		}
		if (op->op != PROBE_INSN || op->arg[0] >> 32 != 0xd65f03c0)
			return -1;
		if (undefined && key != (dfr0 & 0x000fffe0)) {
			op->ret[0] = PROBE_FAULT;
			op->ret[1] = 0x02000000;
			continue;
		}
		if ((insn & 0xfff00000) == 0xd5300000)
			op->ret[1] = *reg(key);
		else if ((insn & 0xfff00000) == 0xd5100000)
			*reg(key) = is_event_counter(key | 0x00100000) && counter_bits == 32 ?
					    (uint32_t)op->arg[1] : op->arg[1];
		else
			return -1;
	}
	return 0;
}

static void setup(unsigned int version, unsigned int n)
{
	nr_regs = 0;
	undefined = false;
	stuck = false;
	at_el2 = false;
	counter_bits = 32;
	*reg(dfr0 & 0x000fffe0) = version << 8;
	*reg(pmcr & 0x000fffe0) = n << 11;
	*reg(pmceid0 & 0x000fffe0) = 1u << 0x11 | 1u << 8 | 1ull << 32 << 4;
	*reg(pmceid1 & 0x000fffe0) = 1u << 3;
}

static struct pmu_list *ask(void)
{
	const struct probe probe = { .run = run };
	struct pmu_list *list = malloc(sizeof(*list));

	CHECK_EQ(arm_pmu_list(&probe, list), 0);
	return list;
}

/* A guest that starts at EL2 counts there. */
static void test_el2(void)
{
	struct pmu_list *list;

	setup(1, 3);
	at_el2 = true;
	list = ask();
	CHECK_EQ(list->nr_bugs, 0);
	CHECK_EQ(list->nr_notes, 0);
	free(list);
}

static void test_good(void)
{
	struct pmu_list *list;

	setup(1, 3);
	list = ask();
	CHECK(list->present);
	CHECK_STR(list->kind, "PMUv3");
	CHECK_EQ(list->nr_bugs, 0);
	CHECK_EQ(list->nr_counters, 4);
	CHECK_STR(list->counters[2].name, "PMEVCNTR2_EL0");
	CHECK_EQ(list->counters[2].width_bits, 32);
	CHECK_EQ(list->counters[3].index, 31);
	CHECK_EQ(list->counters[3].width_bits, 64);
	CHECK_EQ(list->nr_events, 4);
	CHECK_STR(list->events[0].name, "INST_RETIRED");
	CHECK_STR(list->events[1].name, "CPU_CYCLES");
	CHECK_STR(list->events[2].name, "CNT_CYCLES");
	CHECK_EQ(list->events[2].code, 0x4004);
	CHECK_STR(list->events[3].name, "STALL_FRONTEND");
	free(list);

	setup(6, 31);
	counter_bits = 64;
	list = ask();
	CHECK_STR(list->kind, "PMUv3p5");
	CHECK_EQ(list->nr_counters, 32);
	CHECK_EQ(list->counters[30].width_bits, 64);
	CHECK_EQ(list->nr_bugs, 0);
	free(list);
}

static void test_absent(void)
{
	struct pmu_list *list;

	for (unsigned int version = 0; version < 16; version += 15) {
		setup(version, 0);
		undefined = true;
		list = ask();
		CHECK(!list->present);
		CHECK_EQ(list->nr_bugs, 0);
		free(list);
	}
}

static void test_bugs(void)
{
	struct pmu_list *list;

	setup(0, 4); /* not there, but readable */
	list = ask();
	CHECK(!list->present);
	CHECK_EQ(list->nr_bugs, 1);
	free(list);

	setup(1, 4);
	undefined = true;
	list = ask();
	CHECK(list->present);
	CHECK(list->nr_bugs == 1 && strstr(list->bugs[0], "PMCR_EL0 is undefined"));
	free(list);

	setup(1, 2);
	stuck = true;
	list = ask();
	CHECK(list->nr_bugs == 1 && strstr(list->bugs[0], "does not move"));
	CHECK(list->nr_notes == 1);
	free(list);
}

const struct test arm_pmu_probe_tests[] = {
	{ "good", test_good },
	{ "el2", test_el2 },
	{ "absent", test_absent },
	{ "bugs", test_bugs },
	{ 0 },
};
