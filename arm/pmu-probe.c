// SPDX-License-Identifier: GPL-2.0-only
#include "arm/pmu-probe.h"

#include <inttypes.h>
#include <string.h>

/* Arm DDI0487 C5.2: encodings of MRS and MSR. The register is that of x0. */
#define SYS_REG(op0, op1, crn, crm, op2) \
	((uint32_t)((op0) & 1) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)
#define MRS 0xd5300000u
#define MSR 0xd5100000u
#define RET 0xd65f03c0u

/* Arm DDI0487 D24.5 (PMU registers) and D24.2. */
#define ID_AA64DFR0   SYS_REG(3, 0, 0, 5, 0)
#define PMMIR         SYS_REG(3, 0, 9, 14, 6)
#define PMCR          SYS_REG(3, 3, 9, 12, 0)
#define PMCNTENSET    SYS_REG(3, 3, 9, 12, 1)
#define PMCNTENCLR    SYS_REG(3, 3, 9, 12, 2)
#define PMCEID0       SYS_REG(3, 3, 9, 12, 6)
#define PMCEID1       SYS_REG(3, 3, 9, 12, 7)
#define PMCCNTR       SYS_REG(3, 3, 9, 13, 0)
#define PMCCFILTR     SYS_REG(3, 3, 14, 15, 7)
#define PMEVCNTR(n)   SYS_REG(3, 3, 14, 8 | (n) >> 3, (n) & 7)
#define PMEVTYPER(n)  SYS_REG(3, 3, 14, 12 | (n) >> 3, (n) & 7)

#define DFR0_PMUVER(v) ((unsigned int)((v) >> 8) & 0xf)
#define PMUVER_P4      5u /* PMMIR_EL1 exists */
#define PMUVER_P5      6u /* 64-bit event counters */
#define PMUVER_OTHER   0xfu

#define PMCR_E         (1u << 0)
#define PMCR_LC        (1u << 6) /* 64-bit cycle counter */
#define PMCR_LP        (1u << 7) /* 64-bit event counters */
#define PMCR_N(v)      ((unsigned int)((v) >> 11) & 0x1f)
#define CYCLE_BIT      (1u << 31)

/* PMEVTYPER<n>_EL0.NSH, PMCCFILTR_EL0.NSH: count at EL2, where the guest may be; RES0 where it has none. */
#define AT_EL2_TOO     (1u << 27)

#define INST_RETIRED   0x08
#define CPU_CYCLES     0x11

#define MAX_COUNTERS   31
#define TEST_LOOPS     100000 /* of two instructions */

/* Arm DDI0487 D12.11: common events; those of PMCEID0 and PMCEID1. */
static const char *const names[] = {
	[0x00] = "SW_INCR", [0x01] = "L1I_CACHE_REFILL", [0x02] = "L1I_TLB_REFILL", [0x03] = "L1D_CACHE_REFILL",
	[0x04] = "L1D_CACHE", [0x05] = "L1D_TLB_REFILL", [0x06] = "LD_RETIRED", [0x07] = "ST_RETIRED",
	[0x08] = "INST_RETIRED", [0x09] = "EXC_TAKEN", [0x0a] = "EXC_RETURN", [0x0b] = "CID_WRITE_RETIRED",
	[0x0c] = "PC_WRITE_RETIRED", [0x0d] = "BR_IMMED_RETIRED", [0x0e] = "BR_RETURN_RETIRED",
	[0x0f] = "UNALIGNED_LDST_RETIRED", [0x10] = "BR_MIS_PRED", [0x11] = "CPU_CYCLES", [0x12] = "BR_PRED",
	[0x13] = "MEM_ACCESS", [0x14] = "L1I_CACHE", [0x15] = "L1D_CACHE_WB", [0x16] = "L2D_CACHE",
	[0x17] = "L2D_CACHE_REFILL", [0x18] = "L2D_CACHE_WB", [0x19] = "BUS_ACCESS", [0x1a] = "MEMORY_ERROR",
	[0x1b] = "INST_SPEC", [0x1c] = "TTBR_WRITE_RETIRED", [0x1d] = "BUS_CYCLES", [0x1e] = "CHAIN",
	[0x1f] = "L1D_CACHE_ALLOCATE", [0x20] = "L2D_CACHE_ALLOCATE", [0x21] = "BR_RETIRED",
	[0x22] = "BR_MIS_PRED_RETIRED", [0x23] = "STALL_FRONTEND", [0x24] = "STALL_BACKEND", [0x25] = "L1D_TLB",
	[0x26] = "L1I_TLB", [0x27] = "L2I_CACHE", [0x28] = "L2I_CACHE_REFILL", [0x29] = "L3D_CACHE_ALLOCATE",
	[0x2a] = "L3D_CACHE_REFILL", [0x2b] = "L3D_CACHE", [0x2c] = "L3D_CACHE_WB", [0x2d] = "L2D_TLB_REFILL",
	[0x2e] = "L2I_TLB_REFILL", [0x2f] = "L2D_TLB", [0x30] = "L2I_TLB", [0x31] = "REMOTE_ACCESS",
	[0x32] = "LL_CACHE", [0x33] = "LL_CACHE_MISS", [0x34] = "DTLB_WALK", [0x35] = "ITLB_WALK",
	[0x36] = "LL_CACHE_RD", [0x37] = "LL_CACHE_MISS_RD", [0x38] = "REMOTE_ACCESS_RD",
	[0x39] = "L1D_CACHE_LMISS_RD", [0x3a] = "OP_RETIRED", [0x3b] = "OP_SPEC", [0x3c] = "STALL",
	[0x3d] = "STALL_SLOT_BACKEND", [0x3e] = "STALL_SLOT_FRONTEND", [0x3f] = "STALL_SLOT",
};

/* The same, from 0x4000. */
static const char *const names_4000[] = {
	[0x00] = "SAMPLE_POP", [0x01] = "SAMPLE_FEED", [0x02] = "SAMPLE_FILTRATE", [0x03] = "SAMPLE_COLLISION",
	[0x04] = "CNT_CYCLES", [0x05] = "STALL_BACKEND_MEM", [0x06] = "L1I_CACHE_LMISS",
	[0x09] = "L2D_CACHE_LMISS_RD", [0x0a] = "L2I_CACHE_LMISS", [0x0b] = "L3D_CACHE_LMISS_RD",
	[0x0c] = "TRB_WRAP", [0x10] = "TRCEXTOUT0", [0x11] = "TRCEXTOUT1", [0x12] = "TRCEXTOUT2",
	[0x13] = "TRCEXTOUT3", [0x18] = "CTI_TRIGOUT4", [0x19] = "CTI_TRIGOUT5", [0x1a] = "CTI_TRIGOUT6",
	[0x1b] = "CTI_TRIGOUT7", [0x20] = "LDST_ALIGN_LAT", [0x21] = "LD_ALIGN_LAT", [0x22] = "ST_ALIGN_LAT",
	[0x24] = "MEM_ACCESS_CHECKED", [0x25] = "MEM_ACCESS_CHECKED_RD", [0x26] = "MEM_ACCESS_CHECKED_WR",
};

const char *arm_pmu_event_name(unsigned int event)
{
	if (event < ARRAY_SIZE(names))
		return names[event];
	if (event >= 0x4000 && event - 0x4000 < ARRAY_SIZE(names_4000))
		return names_4000[event - 0x4000];
	return NULL;
}

static struct probe_op read_reg(uint32_t reg)
{
	return (struct probe_op){ .op = PROBE_INSN, .arg = { MRS | reg | (uint64_t)RET << 32 } };
}

static struct probe_op write_reg(uint32_t reg, uint64_t v)
{
	return (struct probe_op){ .op = PROBE_INSN, .arg = { MSR | reg | (uint64_t)RET << 32, v } };
}

static const char *version_name(unsigned int version)
{
	switch (version) {
	case 1:
		return "PMUv3";
	case 4:
		return "PMUv3p1";
	case PMUVER_P4:
		return "PMUv3p4";
	case PMUVER_P5:
		return "PMUv3p5";
	case 7:
		return "PMUv3p7";
	case 8:
		return "PMUv3p8";
	case 9:
		return "PMUv3p9";
	default:
		return "PMUv3 (version unknown)";
	}
}

/* Events from a PMCEID register: the low half names @base and up, the high half 0x4000 more. */
static void add_events(struct pmu_list *list, uint64_t pmceid, unsigned int base)
{
	for (unsigned int half = 0; half < 2; half++)
		for (unsigned int i = 0; i < 32; i++) {
			unsigned int code = base + i + 0x4000 * half;
			const char *name = arm_pmu_event_name(code);
			struct pmu_event *e;

			if (!(pmceid >> (32 * half + i) & 1))
				continue;
			e = pmu_list_event(list);
			if (!e)
				return;
			e->group = "common";
			e->code = code;
			snprintf(e->name, sizeof(e->name), "%s", name ? name : "?");
		}
}

static bool has_event(const struct pmu_list *list, uint64_t code)
{
	for (unsigned int i = 0; i < list->nr_events; i++)
		if (list->events[i].code == code)
			return true;
	return false;
}

/*
 * The operations of the second run: four for each event counter (write all ones, read back, write
 * zero, choose the event), then these, then the value of each.
 */
enum {
	OP_CONTROL,
	OP_CYCLE_FILTER,
	OP_CYCLE_CLEAR,
	OP_ENABLE,
	OP_LOOP,
	OP_DISABLE,
	OP_CYCLES,
	OP_COUNTERS,
};

static void judge(struct pmu_list *list, const struct probe_op *ops, unsigned int n, uint64_t event)
{
	const struct probe_op *widths = ops, *counts = ops + 4 * n;
	uint64_t cycles = counts[OP_CYCLES].ret[1];
	const char *name = event == INST_RETIRED ? "INST_RETIRED" : "CPU_CYCLES";
	unsigned int moved = 0;
	uint64_t sum = 0;
	struct pmu_counter *c;

	for (unsigned int i = 0; i < n; i++) {
		uint64_t ones = widths[4 * i + 1].ret[1];
		uint64_t count = counts[OP_COUNTERS + i].ret[1];

		c = pmu_list_counter(list);
		if (!c)
			return;
		c->index = i;
		c->type = "event";
		snprintf(c->name, sizeof(c->name), "PMEVCNTR%u_EL0", i);
		c->number = 0xdf40 + i; /* as in KVM's register ids */
		c->width_bits = ones > UINT32_MAX ? 64 : 32;
		c->nr_events = list->nr_events;
		if (widths[4 * i].ret[0] || widths[4 * i + 1].ret[0]) {
			c->error = "UNDEFINED";
			pmu_list_bug(list, "PMCR_EL0.N promises event counter %u, which is undefined", i);
			continue;
		}
		if ((uint32_t)ones != UINT32_MAX)
			pmu_list_bug(list, "event counter %u does not hold what is written: 0x%" PRIx64, i, ones);
		moved += count != 0;
		sum += count;
	}
	c = pmu_list_counter(list);
	if (c) {
		c->index = 31;
		c->type = "cycle";
		snprintf(c->name, sizeof(c->name), "PMCCNTR_EL0");
		c->number = 0xdce8;
		c->width_bits = 64;
		c->nr_events = 1;
	}
	pmu_list_fact(list, "cycles", "%" PRIu64 " in a loop of %u instructions", cycles, 2 * TEST_LOOPS);
	if (!cycles)
		pmu_list_bug(list, "the cycle counter does not move");
	if (!n)
		return;
	pmu_list_fact(list, "event counters", "%s counted by %u of %u, %" PRIu64 " on average", name, moved, n,
		      sum / n);
	if (moved < n)
		pmu_list_note(list, "%u of %u event counters do not count %s at the same time: the host has no more free",
			      n - moved, n, name);
}

static int ask_counting(const struct probe *probe, struct pmu_list *list, unsigned int version, unsigned int n)
{
	struct probe_op ops[4 * MAX_COUNTERS + OP_COUNTERS + MAX_COUNTERS];
	uint64_t event = has_event(list, INST_RETIRED) ? INST_RETIRED : CPU_CYCLES;
	uint64_t all = CYCLE_BIT | ((UINT64_C(1) << n) - 1);
	struct probe_op *op = ops;
	int ret;

	for (unsigned int i = 0; i < n; i++) {
		*op++ = write_reg(PMEVCNTR(i), ~UINT64_C(0));
		*op++ = read_reg(PMEVCNTR(i));
		*op++ = write_reg(PMEVCNTR(i), 0);
		*op++ = write_reg(PMEVTYPER(i), event | AT_EL2_TOO);
	}
	*op++ = write_reg(PMCR, PMCR_E | PMCR_LC | (version >= PMUVER_P5 ? PMCR_LP : 0));
	*op++ = write_reg(PMCCFILTR, AT_EL2_TOO);
	*op++ = write_reg(PMCCNTR, 0);
	*op++ = write_reg(PMCNTENSET, all);
	*op = (struct probe_op){ .op = PROBE_LOOP, .arg = { TEST_LOOPS } };
	op++;
	*op++ = write_reg(PMCNTENCLR, all);
	*op++ = read_reg(PMCCNTR);
	for (unsigned int i = 0; i < n; i++)
		*op++ = read_reg(PMEVCNTR(i));
	ret = probe->run(probe->host, ops, (size_t)(op - ops));
	if (!ret)
		judge(list, ops, n, event);
	return ret;
}

int arm_pmu_list(const struct probe *probe, struct pmu_list *list)
{
	enum { DFR0, CONTROL, EVENTS0, EVENTS1, MIR };
	struct probe_op ops[] = {
		[DFR0] = read_reg(ID_AA64DFR0), [CONTROL] = read_reg(PMCR), [EVENTS0] = read_reg(PMCEID0),
		[EVENTS1] = read_reg(PMCEID1), [MIR] = read_reg(PMMIR),
	};
	unsigned int version, n;
	int ret;

	memset(list, 0, sizeof(*list));
	ret = probe->run(probe->host, ops, ARRAY_SIZE(ops));
	if (ret)
		return ret;
	version = DFR0_PMUVER(ops[DFR0].ret[1]);
	list->present = version && version != PMUVER_OTHER;
	if (!list->present) {
		if (!ops[CONTROL].ret[0])
			pmu_list_bug(list, "ID_AA64DFR0_EL1 has no PMU, but PMCR_EL0 can be read");
		return 0;
	}
	snprintf(list->kind, sizeof(list->kind), "%s", version_name(version));
	if (ops[CONTROL].ret[0]) {
		pmu_list_bug(list, "ID_AA64DFR0_EL1 has a PMU, but PMCR_EL0 is undefined (ESR 0x%" PRIx64 ")",
			     ops[CONTROL].ret[1]);
		return 0;
	}
	n = PMCR_N(ops[CONTROL].ret[1]);
	pmu_list_fact(list, "counters", "%u, and one of cycles", n);
	if (version >= PMUVER_P4 && !ops[MIR].ret[0])
		pmu_list_fact(list, "PMMIR_EL1", "0x%" PRIx64, ops[MIR].ret[1]);
	add_events(list, ops[EVENTS0].ret[1], 0);
	add_events(list, ops[EVENTS1].ret[1], 0x20);
	return ask_counting(probe, list, version, n);
}
