// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/pmu-probe.h"

#include <stdlib.h>
#include <string.h>

#include "guest/probe.h"
#include "lkvm/probe-vm.h"
#include "powerpc/rtas.h"
#include "tests/unit/test.h"

/* A POWER9 whose counters move by what the test says. */
enum { MMCR2 = 785, PMC1 = 787, PMC6 = 792, MMCR0 = 795, MMCR1 = 798, PVR = 287, NR_SPRS = 1024 };

static struct {
	uint64_t spr[NR_SPRS];
	bool     absent;       /* every access to the PMU is an interrupt */
	bool     never_frozen;
	bool     silent;       /* no exceptions */
	bool     stuck[6];     /* counters that stand still */
} cpu;

static void loop(uint64_t instructions)
{
	if (cpu.spr[MMCR0] & PPC_MMCR0_FC && !cpu.never_frozen)
		return;
	for (unsigned int i = 0; i < 6; i++)
		if (!cpu.stuck[i] && (i > 3 || ppc_mmcr1_event(cpu.spr[MMCR1], i)))
			cpu.spr[PMC1 + i] = (uint32_t)(cpu.spr[PMC1 + i] + instructions);
	if (cpu.spr[PMC1] & 0x80000000 && cpu.spr[MMCR0] & PPC_MMCR0_PMXE && !cpu.silent)
		cpu.spr[MMCR0] |= PPC_MMCR0_PMAO | PPC_MMCR0_FC;
}

static int run(const struct probe_host *host LKVM_UNUSED, struct probe_op *ops, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct probe_op *op = &ops[i];
		uint32_t insn = (uint32_t)op->arg[0];
		unsigned int spr = (insn >> 16 & 0x1f) | (insn >> 6 & 0x3e0);

		if (op->op == PROBE_LOOP) {
			loop(2 * op->arg[0]);
			continue;
		}
		if (op->op != PROBE_INSN || op->arg[0] >> 32 != 0x4e800020)
			return -1;
		if (cpu.absent && spr != PVR) {
			op->ret[0] = PROBE_FAULT;
			op->ret[1] = 0xf60;
		} else if ((insn & 0xffe007ff) == 0x7c6002a6) {
			op->ret[1] = cpu.spr[spr];
		} else if ((insn & 0xffe007ff) == 0x7c6003a6) {
			cpu.spr[spr] = spr >= PMC1 && spr <= PMC6 ? (uint32_t)op->arg[1] : op->arg[1];
		} else {
			return -1;
		}
	}
	return 0;
}

static void setup(uint32_t pvr)
{
	memset(&cpu, 0, sizeof(cpu));
	cpu.spr[PVR] = pvr;
	cpu.spr[MMCR0] = PPC_MMCR0_FC;
}

static struct pmu_list *ask(void)
{
	const struct probe probe = { .run = run };
	struct pmu_list *list = malloc(sizeof(*list));

	CHECK_EQ(ppc_pmu_list(&probe, list), 0);
	return list;
}

static void test_good(void)
{
	struct pmu_list *list;

	setup(0x004e1202);
	list = ask();
	CHECK(list->present);
	CHECK_STR(list->kind, "POWER9 PMU");
	CHECK_EQ(list->nr_bugs, 0);
	CHECK_EQ(list->nr_notes, 0);
	CHECK_EQ(list->nr_counters, 6);
	CHECK_STR(list->counters[3].name, "PMC4");
	CHECK_EQ(list->counters[3].nr_events, 2);
	CHECK_EQ(list->counters[5].nr_events, 1);
	CHECK_EQ(list->nr_events, 4);
	CHECK_STR(list->events[0].name, "PM_INST_CMPL");
	CHECK(pmu_event_has(&list->events[0], 1));
	CHECK(pmu_event_has(&list->events[0], 4));
	CHECK(!pmu_event_has(&list->events[0], 5));
	CHECK(pmu_event_has(&list->events[2], 5));
	free(list);
	setup(0x00800200);
	list = ask();
	CHECK_STR(list->kind, "POWER10 PMU");
	free(list);
	setup(0x00990200);
	list = ask();
	CHECK_STR(list->kind, "Book3S PMU");
	free(list);
}

static void test_absent(void)
{
	struct pmu_list *list;

	setup(0x004e1202);
	cpu.absent = true;
	list = ask();
	CHECK(!list->present);
	CHECK_EQ(list->nr_bugs, 0);
	free(list);
}

static void test_broken(void)
{
	struct pmu_list *list;

	setup(0x004e1202);
	cpu.never_frozen = true;
	list = ask();
	CHECK_EQ(list->nr_bugs, 6);
	CHECK(strstr(list->bugs[0], "PMC1 counts although MMCR0[FC]"));
	free(list);

	setup(0x004e1202);
	cpu.stuck[1] = cpu.stuck[4] = cpu.silent = true;
	list = ask();
	CHECK_EQ(list->nr_bugs, 0);
	CHECK_EQ(list->nr_notes, 2);
	CHECK(strstr(list->notes[0], "PMC5, which counts PM_RUN_INST_CMPL, does not move"));
	CHECK(strstr(list->notes[1], "makes no exception"));
	CHECK(!pmu_event_has(&list->events[0], 2));
	CHECK_EQ(list->counters[1].nr_events, 0);
	CHECK_STR(list->events[2].error, "does not count");
	free(list);
}

/* The assembler cannot ask. */
static void test_token(void)
{
	CHECK_EQ(ppc_rtas_token("power-off"), PROBE_RTAS_POWER_OFF);
}

const struct test ppc_pmu_probe_tests[] = {
	{ "good", test_good },
	{ "absent", test_absent },
	{ "broken", test_broken },
	{ "power-off token", test_token },
	{ 0 },
};
