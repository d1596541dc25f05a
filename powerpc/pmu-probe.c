// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/pmu-probe.h"

#include <inttypes.h>
#include <string.h>

/* Power ISA 3.0B, book I 3.3.17: the SPR's number has its halves exchanged. The register is r3. */
#define SPR(n)  ((uint32_t)((n) & 0x1f) << 16 | (uint32_t)((n) >> 5) << 11)
#define MFSPR   0x7c6002a6u
#define MTSPR   0x7c6003a6u
#define BLR     0x4e800020u

/* Power ISA 3.0B, book III 4.2.6 (PVR), figure 18; MMCR3 is of ISA 3.1. */
#define SPR_PVR    287
#define SPR_MMCR2  785
#define SPR_MMCRA  786
#define SPR_PMC1   787
#define SPR_MMCR0  795
#define SPR_MMCR1  798
#define SPR_MMCR3  754

#define PROGRAMMABLE 4 /* PMC1 to PMC4; PMC5 counts instructions, PMC6 cycles */
#define COUNTERS     6
#define TEST_LOOPS   100000 /* of two instructions */
#define NEARLY_FULL  0x7fffff00u /* bit 0 set is what makes an exception */

/* Those that every programmable counter takes, POWER8 to POWER11 (Linux arch/powerpc/perf/power*-events-list.h). */
static const struct {
	const char *name;
	uint8_t     code;
} events[] = {
	{ "PM_INST_CMPL", 0x02 },
	{ "PM_CYC", 0x1e },
};

const char *ppc_pmu_event_name(unsigned int event)
{
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i].code == event)
			return events[i].name;
	return NULL;
}

static struct probe_op read_spr(unsigned int spr)
{
	return (struct probe_op){ .op = PROBE_INSN, .arg = { MFSPR | SPR(spr) | (uint64_t)BLR << 32 } };
}

static struct probe_op write_spr(unsigned int spr, uint64_t v)
{
	return (struct probe_op){ .op = PROBE_INSN, .arg = { MTSPR | SPR(spr) | (uint64_t)BLR << 32, v } };
}

/* Linux arch/powerpc/include/asm/reg.h, PVR_*. */
static const char *cpu_name(uint32_t pvr)
{
	switch (pvr >> 16) {
	case 0x4b:
	case 0x4c:
	case 0x4d:
		return "POWER8";
	case 0x4e:
		return "POWER9";
	case 0x80:
		return "POWER10";
	case 0x82:
		return "POWER11";
	default:
		return "Book3S";
	}
}

/* All four programmable counters count @code; the guest's instructions are in between. */
static size_t count_ops(struct probe_op *op, unsigned int code, uint32_t control)
{
	struct probe_op *first = op;

	*op++ = write_spr(SPR_MMCR0, PPC_MMCR0_FC);
	*op++ = write_spr(SPR_MMCR1, (uint64_t)code * 0x01010101);
	for (unsigned int i = 0; i < COUNTERS; i++)
		*op++ = write_spr(SPR_PMC1 + i, 0);
	*op++ = write_spr(SPR_MMCR0, control);
	*op = (struct probe_op){ .op = PROBE_LOOP, .arg = { TEST_LOOPS } };
	op++;
	*op++ = write_spr(SPR_MMCR0, PPC_MMCR0_FC);
	for (unsigned int i = 0; i < COUNTERS; i++)
		*op++ = read_spr(SPR_PMC1 + i);
	return (size_t)(op - first);
}
#define COUNT_OPS   (5 + 2 * COUNTERS)
#define COUNT_VALUE (5 + COUNTERS) /* the first of the results */

/* The operations of the second run, one part after another. */
enum {
	OP_WIDTHS,                                   /* for each counter: all ones, read back */
	OP_RUNS = OP_WIDTHS + 2 * COUNTERS,          /* count_ops() for each event, and one frozen */
	OP_OVERFLOW = OP_RUNS + COUNT_OPS * (ARRAY_SIZE(events) + 1), /* PMC1 with an exception, then MMCR0 */
	OP_STATE = OP_OVERFLOW + 6,
	OP_TOTAL,
};

static uint64_t counted(const struct probe_op *ops, unsigned int run, unsigned int counter)
{
	return ops[OP_RUNS + run * COUNT_OPS + COUNT_VALUE + counter].ret[1];
}

static void judge_events(const struct probe_op *ops, struct pmu_list *list)
{
	unsigned int frozen = ARRAY_SIZE(events);

	for (unsigned int e = 0; e < ARRAY_SIZE(events); e++) {
		struct pmu_event *event = pmu_list_event(list);
		unsigned int takers = 0;

		if (!event)
			return;
		event->group = "common";
		event->code = events[e].code;
		snprintf(event->name, sizeof(event->name), "%s", events[e].name);
		for (unsigned int i = 0; i < PROGRAMMABLE; i++)
			if (counted(ops, e, i)) {
				pmu_event_takes(event, i + 1);
				list->counters[i].nr_events++;
				takers++;
			}
		if (takers)
			pmu_list_fact(list, events[e].name, "counted by PMC1 to PMC4: %u of %u, %" PRIu64
				      " by PMC1, in a loop of %u instructions", takers, PROGRAMMABLE,
				      counted(ops, e, 0), 2 * TEST_LOOPS);
		else
			event->error = "does not count";
	}
	for (unsigned int i = 0; i < COUNTERS; i++) {
		uint64_t moved = counted(ops, frozen, i);

		if (moved)
			pmu_list_bug(list, "PMC%u counts although MMCR0[FC] is set: %" PRIu64, i + 1, moved);
	}
	for (unsigned int i = PROGRAMMABLE; i < COUNTERS; i++) {
		const char *what = i == 4 ? "PM_RUN_INST_CMPL" : "PM_RUN_CYC";
		struct pmu_event *event = pmu_list_event(list);
		uint64_t n = counted(ops, 0, i);

		if (!event)
			return;
		event->group = "fixed";
		event->code = i == 4 ? 0xfa : 0xf4;
		snprintf(event->name, sizeof(event->name), "%s", what);
		if (n) {
			pmu_event_takes(event, i + 1);
			list->counters[i].nr_events++;
			pmu_list_fact(list, what, "%" PRIu64 " by PMC%u", n, i + 1);
		} else {
			event->error = "does not count";
			pmu_list_note(list, "PMC%u, which counts %s, does not move", i + 1, what);
		}
	}
}

static void judge(const struct probe_op *ops, struct pmu_list *list)
{
	uint64_t state = ops[OP_STATE].ret[1];

	for (unsigned int i = 0; i < COUNTERS; i++) {
		const struct probe_op *width = &ops[OP_WIDTHS + 2 * i];
		struct pmu_counter *c = pmu_list_counter(list);

		if (!c)
			return;
		c->index = i + 1;
		c->type = i < PROGRAMMABLE ? "event" : "fixed";
		c->number = SPR_PMC1 + i;
		c->width_bits = 32;
		snprintf(c->name, sizeof(c->name), "PMC%u", i + 1);
		if (width[0].ret[0] || width[1].ret[0]) {
			c->error = "interrupt";
			pmu_list_bug(list, "PMC%u cannot be accessed: interrupt 0x%" PRIx64, i + 1,
				     width[0].ret[0] ? width[0].ret[1] : width[1].ret[1]);
		} else if (width[1].ret[1] != UINT32_MAX) {
			pmu_list_bug(list, "PMC%u does not hold what is written: 0x%" PRIx64, i + 1, width[1].ret[1]);
		}
	}
	judge_events(ops, list);
	if (state & PPC_MMCR0_PMAO)
		pmu_list_fact(list, "overflow", "makes an exception%s",
			      state & PPC_MMCR0_FC ? ", which freezes the counters" : "");
	else
		pmu_list_note(list, "a counter that overflows makes no exception (MMCR0 0x%" PRIx64 ")", state);
}

static int ask_counting(const struct probe *probe, struct pmu_list *list)
{
	static struct probe_op ops[OP_TOTAL];
	struct probe_op *op = ops;
	int ret;

	for (unsigned int i = 0; i < COUNTERS; i++) {
		*op++ = write_spr(SPR_PMC1 + i, UINT32_MAX);
		*op++ = read_spr(SPR_PMC1 + i);
	}
	for (size_t e = 0; e < ARRAY_SIZE(events); e++)
		op += count_ops(op, events[e].code, PPC_MMCR0_CC56);
	op += count_ops(op, events[0].code, PPC_MMCR0_FC);

	*op++ = write_spr(SPR_MMCR0, PPC_MMCR0_FC);
	*op++ = write_spr(SPR_MMCR1, (uint64_t)events[0].code << 24);
	*op++ = write_spr(SPR_PMC1, NEARLY_FULL);
	*op++ = write_spr(SPR_MMCR0, PPC_MMCR0_PMXE | PPC_MMCR0_FCECE | PPC_MMCR0_PMC1CE | PPC_MMCR0_FC56);
	*op = (struct probe_op){ .op = PROBE_LOOP, .arg = { TEST_LOOPS } };
	op++;
	*op++ = write_spr(SPR_MMCR2, 0); /* an end to the loop's block, where a host looks at what it counted */
	*op++ = read_spr(SPR_MMCR0);

	ret = probe->run(probe->host, ops, ARRAY_SIZE(ops));
	if (!ret)
		judge(ops, list);
	return ret;
}

int ppc_pmu_list(const struct probe *probe, struct pmu_list *list)
{
	enum { PVR, CONTROL, EVENTS, FREEZE, SAMPLING, MORE };
	struct probe_op ops[] = {
		[PVR] = read_spr(SPR_PVR), [CONTROL] = read_spr(SPR_MMCR0), [EVENTS] = read_spr(SPR_MMCR1),
		[FREEZE] = read_spr(SPR_MMCR2), [SAMPLING] = read_spr(SPR_MMCRA), [MORE] = read_spr(SPR_MMCR3),
	};
	bool isa31;
	int ret;

	memset(list, 0, sizeof(*list));
	ret = probe->run(probe->host, ops, ARRAY_SIZE(ops));
	if (ret)
		return ret;
	list->present = !ops[CONTROL].ret[0];
	if (!list->present)
		return 0;
	/* Nothing need come of an SPR that a CPU lacks: mfspr then leaves the register as it was. */
	isa31 = ops[PVR].ret[1] >> 16 >= 0x80;
	snprintf(list->kind, sizeof(list->kind), "%s PMU", cpu_name((uint32_t)ops[PVR].ret[1]));
	pmu_list_fact(list, "PVR", "0x%08" PRIx64, ops[PVR].ret[1]);
	pmu_list_fact(list, "counters", "%u, and one each of instructions and cycles", PROGRAMMABLE);
	pmu_list_fact(list, "MMCR0 at start", "0x%08" PRIx64 "%s", ops[CONTROL].ret[1],
		      ops[CONTROL].ret[1] & PPC_MMCR0_FC ? ", frozen" : "");
	if (ops[EVENTS].ret[0] || ops[FREEZE].ret[0] || ops[SAMPLING].ret[0] || (isa31 && ops[MORE].ret[0]))
		pmu_list_bug(list, "there is MMCR0, but not%s%s%s%s", ops[EVENTS].ret[0] ? " MMCR1" : "",
			     ops[FREEZE].ret[0] ? " MMCR2" : "", ops[SAMPLING].ret[0] ? " MMCRA" : "",
			     isa31 && ops[MORE].ret[0] ? " MMCR3" : "");
	return ask_counting(probe, list);
}
