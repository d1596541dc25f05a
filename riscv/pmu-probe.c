// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/pmu-probe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/log.h"
#include "riscv/layout.h"
#include "riscv/sbi.h"

/* SBI 3.0, chapter "Performance Monitoring Unit Extension". */
#define SBI_EXT_PMU        0x504d55
#define PMU_NUM_COUNTERS   0
#define PMU_GET_INFO       1
#define PMU_CFG_MATCH      2
#define PMU_START          3
#define PMU_STOP           4
#define PMU_FW_READ        5
#define PMU_SET_SHMEM      7
#define PMU_EVENT_INFO     8
#define CFG_CLEAR_VALUE    (1u << 1)
#define START_INIT_VALUE   (1u << 0)
#define STOP_RESET         (1u << 0)
#define STOP_SNAPSHOT      (1u << 1)
#define INFO_FIRMWARE      (UINT64_C(1) << 63)
#define INFO_CSR(info)     ((unsigned int)(info) & 0xfff)
#define INFO_WIDTH(info)   (((unsigned int)((info) >> 12) & 0x3f) + 1)
#define EVENT_INFO_BYTES   16 /* of an entry: the event in 32 bits, the answer in 32, its data in 64 */
#define EVENT_INFO_YES     (UINT64_C(1) << 32)
#define SNAPSHOT_VALUES    8 /* offset of the first counter's value, behind the overflow mask */

#define TYPE_HARDWARE 0u
#define TYPE_CACHE    1u
#define TYPE_FIRMWARE 15u
#define EVENT(type, code) ((uint64_t)(type) << 16 | (code))

#define SBI_EXT_TIME  0x54494d45
#define SBI_BASE_GET_SPEC_VERSION 0

/* KVM and the specification number 64 at most; what is beyond has no counter. */
#define MAX_COUNTERS  64
#define CSR_CYCLE     0xc00
#define INDEX_TIME    1

#define HW_CYCLES       EVENT(TYPE_HARDWARE, 1)
#define HW_INSTRUCTIONS EVENT(TYPE_HARDWARE, 2)
#define FW_SET_TIMER    EVENT(TYPE_FIRMWARE, 5)

#define TEST_LOOPS      100000 /* of two instructions */
#define TEST_SET_TIMERS 3

#define SCRATCH (RISCV_RAM_BASE + PROBE_SCRATCH_OFFSET)

static const char *const hw_names[] = {
	[1] = "CPU_CYCLES", [2] = "INSTRUCTIONS", [3] = "CACHE_REFERENCES", [4] = "CACHE_MISSES",
	[5] = "BRANCH_INSTRUCTIONS", [6] = "BRANCH_MISSES", [7] = "BUS_CYCLES",
	[8] = "STALLED_CYCLES_FRONTEND", [9] = "STALLED_CYCLES_BACKEND", [10] = "REF_CPU_CYCLES",
};

static const char *const fw_names[] = {
	"MISALIGNED_LOAD", "MISALIGNED_STORE", "ACCESS_LOAD", "ACCESS_STORE", "ILLEGAL_INSN", "SET_TIMER",
	"IPI_SENT", "IPI_RECEIVED", "FENCE_I_SENT", "FENCE_I_RECEIVED", "SFENCE_VMA_SENT",
	"SFENCE_VMA_RECEIVED", "SFENCE_VMA_ASID_SENT", "SFENCE_VMA_ASID_RECEIVED", "HFENCE_GVMA_SENT",
	"HFENCE_GVMA_RECEIVED", "HFENCE_GVMA_VMID_SENT", "HFENCE_GVMA_VMID_RECEIVED", "HFENCE_VVMA_SENT",
	"HFENCE_VVMA_RECEIVED", "HFENCE_VVMA_ASID_SENT", "HFENCE_VVMA_ASID_RECEIVED",
};

static const char *const cache_ids[] = { "L1D", "L1I", "LL", "DTLB", "ITLB", "BPU", "NODE" };
static const char *const cache_ops[] = { "READ", "WRITE", "PREFETCH" };
static const char *const cache_results[] = { "ACCESS", "MISS" };

const char *riscv_sbi_error_name(int64_t error)
{
	static const char *const names[] = {
		"SUCCESS", "FAILED", "NOT_SUPPORTED", "INVALID_PARAM", "DENIED", "INVALID_ADDRESS",
		"ALREADY_AVAILABLE", "ALREADY_STARTED", "ALREADY_STOPPED", "NO_SHMEM", "INVALID_STATE",
		"BAD_RANGE", "TIMEOUT", "IO", "DENIED_LOCKED",
	};

	if (error <= 0 && (uint64_t)-error < ARRAY_SIZE(names))
		return names[-error];
	return "unknown error";
}

/* ---- scripts ------------------------------------------------------------------------------------ */

struct script {
	struct probe_op *ops;
	size_t           nr, room;
	bool             failed; /* out of memory */
};

/* The index of a new operation; results are looked at by it. */
static size_t add(struct script *s, const struct probe_op *op)
{
	if (s->nr == s->room) {
		size_t room = s->room ? 2 * s->room : 256;
		struct probe_op *ops = realloc(s->ops, room * sizeof(*ops));

		if (!ops) {
			s->failed = true;
			return 0;
		}
		s->ops = ops;
		s->room = room;
	}
	s->ops[s->nr] = *op;
	return s->nr++;
}

static size_t add_call(struct script *s, uint64_t ext, uint64_t fid, uint64_t a0, uint64_t a1, uint64_t a2,
		       uint64_t a3)
{
	return add(s, &(struct probe_op){ .op = PROBE_CALL, .arg = { ext, fid, a0, a1, a2, a3 } });
}

static size_t add_pmu(struct script *s, uint64_t fid, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	return add_call(s, SBI_EXT_PMU, fid, a0, a1, a2, a3);
}

/* csrrs a0, @csr, zero; ret */
static size_t add_csr_read(struct script *s, unsigned int csr)
{
	uint64_t code = (0x00002573u | (uint32_t)csr << 20) | UINT64_C(0x00008067) << 32;

	return add(s, &(struct probe_op){ .op = PROBE_INSN, .arg = { code } });
}

static int run(const struct probe *probe, struct script *s)
{
	if (s->failed) {
		log_error("out of memory for the probe guest");
		return -ENOMEM;
	}
	return probe->run(probe->host, s->ops, s->nr);
}

static int64_t error_of(const struct script *s, size_t i)
{
	return (int64_t)s->ops[i].ret[0];
}

static uint64_t value_of(const struct script *s, size_t i)
{
	return s->ops[i].ret[1];
}

/* ---- counters ----------------------------------------------------------------------------------- */

static void check_info(struct pmu_list *list, unsigned int index, unsigned int nr, int64_t error, uint64_t info,
		       bool *seen_firmware)
{
	struct pmu_counter *c;
	bool firmware = info & INFO_FIRMWARE;

	if (index >= nr) {
		/* Beyond the last: an error by the specification. KVM says success and 0 up to 63. */
		if (!error && info)
			pmu_list_bug(list, "counter %u of %u has an info, 0x%" PRIx64, index, nr, info);
		else if (!error && index >= MAX_COUNTERS)
			pmu_list_bug(list, "counter %u of %u exists", index, nr);
		return;
	}
	c = pmu_list_counter(list);
	if (!c)
		return;
	c->index = index;
	if (index == INDEX_TIME) {
		c->type = "time";
		c->error = riscv_sbi_error_name(error);
		if (error != SBI_ERR_INVALID_PARAM)
			pmu_list_bug(list, "counter 1, which is the time, answers %s instead of INVALID_PARAM",
				     riscv_sbi_error_name(error));
		return;
	}
	if (error) {
		c->type = "?";
		c->error = riscv_sbi_error_name(error);
		pmu_list_bug(list, "counter %u of %u has no info: %s", index, nr, c->error);
		return;
	}
	c->type = firmware ? "firmware" : "hardware";
	c->width_bits = INFO_WIDTH(info);
	if (firmware) {
		*seen_firmware = true;
		return;
	}
	c->number = INFO_CSR(info);
	if (index == 0)
		snprintf(c->name, sizeof(c->name), "cycle");
	else if (index == 2)
		snprintf(c->name, sizeof(c->name), "instret");
	else
		snprintf(c->name, sizeof(c->name), "hpmcounter%u", index);
	if (c->number != CSR_CYCLE + index)
		pmu_list_bug(list, "counter %u is CSR 0x%x, not 0x%x", index, c->number, CSR_CYCLE + index);
	if (*seen_firmware)
		pmu_list_bug(list, "hardware counter %u is behind firmware counters", index);
	if (c->width_bits < 2)
		pmu_list_bug(list, "counter %u has %u bits", index, c->width_bits);
}

/* Probe, number of counters and the info of each, also of those that can't exist. */
static int ask_counters(const struct probe *probe, struct pmu_list *list, bool *there)
{
	static const uint64_t beyond[] = { MAX_COUNTERS, MAX_COUNTERS + 1, UINT64_C(1) << 31, ~UINT64_C(0) };
	size_t probed, spec, number, infos, extra;
	struct script s = { 0 };
	bool seen_firmware = false;
	unsigned int nr;
	int ret;

	spec = add_call(&s, SBI_EXT_BASE, SBI_BASE_GET_SPEC_VERSION, 0, 0, 0, 0);
	probed = add_call(&s, SBI_EXT_BASE, SBI_BASE_PROBE_EXTENSION, SBI_EXT_PMU, 0, 0, 0);
	number = add_pmu(&s, PMU_NUM_COUNTERS, 0, 0, 0, 0);
	infos = s.nr;
	for (unsigned int i = 0; i < MAX_COUNTERS; i++)
		add_pmu(&s, PMU_GET_INFO, i, 0, 0, 0);
	extra = s.nr;
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++)
		add_pmu(&s, PMU_GET_INFO, beyond[i], 0, 0, 0);
	ret = run(probe, &s);
	if (ret)
		goto out;

	*there = value_of(&s, probed) != 0;
	if (!*there) {
		if (error_of(&s, number) != SBI_ERR_NOT_SUPPORTED)
			pmu_list_bug(list, "probing finds no PMU extension, but its calls answer %s",
				     riscv_sbi_error_name(error_of(&s, number)));
		goto out;
	}
	snprintf(list->kind, sizeof(list->kind), "SBI PMU (SBI %u.%u)",
		 (unsigned int)(value_of(&s, spec) >> 24) & 0x7f, (unsigned int)value_of(&s, spec) & 0xffffff);
	if (error_of(&s, number)) {
		pmu_list_bug(list, "the number of counters can't be had: %s",
			     riscv_sbi_error_name(error_of(&s, number)));
		goto out;
	}
	nr = (unsigned int)MIN(value_of(&s, number), (uint64_t)UINT32_MAX);
	pmu_list_fact(list, "counters", "%u", nr);
	if (!nr || nr > MAX_COUNTERS)
		pmu_list_bug(list, "%u counters: 1 to %u are possible", nr, MAX_COUNTERS);
	for (unsigned int i = 0; i < MAX_COUNTERS; i++)
		check_info(list, i, nr, error_of(&s, infos + i), value_of(&s, infos + i), &seen_firmware);
	if (nr < MAX_COUNTERS && !error_of(&s, infos + nr))
		pmu_list_note(list, "counters %u to %u do not exist, but asking for their info is no error", nr,
			      MAX_COUNTERS - 1);
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++)
		if (error_of(&s, extra + i) != SBI_ERR_INVALID_PARAM)
			pmu_list_bug(list, "counter 0x%" PRIx64 " answers %s instead of INVALID_PARAM", beyond[i],
				     riscv_sbi_error_name(error_of(&s, extra + i)));
out:
	free(s.ops);
	return ret;
}

/* ---- events ------------------------------------------------------------------------------------- */

static void name_events(struct pmu_list *list)
{
	struct pmu_event *e;

	for (unsigned int i = 1; i < ARRAY_SIZE(hw_names) && (e = pmu_list_event(list)); i++) {
		e->group = "hardware";
		e->code = EVENT(TYPE_HARDWARE, i);
		snprintf(e->name, sizeof(e->name), "%s", hw_names[i]);
	}
	for (unsigned int i = 0; i < 2 * 3 * ARRAY_SIZE(cache_ids) && (e = pmu_list_event(list)); i++) {
		unsigned int id = i / 6, op = i / 2 % 3, result = i % 2;

		e->group = "cache";
		e->code = EVENT(TYPE_CACHE, id << 3 | op << 1 | result);
		snprintf(e->name, sizeof(e->name), "%s_%s_%s", cache_ids[id], cache_ops[op],
			 cache_results[result]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(fw_names) && (e = pmu_list_event(list)); i++) {
		e->group = "firmware";
		e->code = EVENT(TYPE_FIRMWARE, i);
		snprintf(e->name, sizeof(e->name), "%s", fw_names[i]);
	}
}

static bool is_firmware_event(const struct pmu_event *e)
{
	return e->code >> 16 == TYPE_FIRMWARE;
}

static bool is_firmware_counter(const struct pmu_counter *c)
{
	return !c->error && !c->name[0];
}

/* Tries each event on each counter of its kind. */
static int ask_events(const struct probe *probe, struct pmu_list *list)
{
	struct script s = { 0 };
	size_t at = 0;
	int ret;

	name_events(list);
	for (unsigned int i = 0; i < list->nr_events; i++)
		for (unsigned int j = 0; j < list->nr_counters; j++) {
			const struct pmu_counter *c = &list->counters[j];

			if (c->error || is_firmware_counter(c) != is_firmware_event(&list->events[i]))
				continue;
			add_pmu(&s, PMU_CFG_MATCH, c->index, 1, CFG_CLEAR_VALUE, list->events[i].code);
			add_pmu(&s, PMU_STOP, c->index, 1, STOP_RESET, 0);
		}
	ret = s.nr ? run(probe, &s) : 0;
	for (unsigned int i = 0; !ret && i < list->nr_events; i++) {
		struct pmu_event *e = &list->events[i];
		unsigned int strayed = 0;

		e->error = riscv_sbi_error_name(SBI_ERR_NOT_SUPPORTED);
		for (unsigned int j = 0; j < list->nr_counters; j++) {
			struct pmu_counter *c = &list->counters[j];

			if (c->error || is_firmware_counter(c) != is_firmware_event(e))
				continue;
			if (error_of(&s, at)) {
				if (!e->counters[0])
					e->error = riscv_sbi_error_name(error_of(&s, at));
			} else if (value_of(&s, at) != c->index) {
				strayed++;
			} else {
				pmu_event_takes(e, c->index);
				c->nr_events++;
			}
			at += 2;
		}
		if (strayed)
			pmu_list_bug(list, "%s was asked for on one counter alone, but given another, %u times", e->name,
				     strayed);
		if (e->counters[0])
			e->error = NULL;
	}
	free(s.ops);
	return ret;
}

/* What the list of events in shared memory says of each, which SBI 3.0 has: the same as the counters say. */
static int ask_event_info(const struct probe *probe, struct pmu_list *list)
{
	unsigned int n = MIN(list->nr_events, (unsigned int)(PROBE_SCRATCH_BYTES / EVENT_INFO_BYTES));
	size_t flags, misaligned, call, entries;
	unsigned int offered = 0, wrong = 0;
	const char *first = "";
	struct script s = { 0 };
	int ret;

	for (unsigned int i = 0; i < n; i++) {
		const gpa_t at = SCRATCH + (gpa_t)i * EVENT_INFO_BYTES;

		add(&s, &(struct probe_op){ .op = PROBE_STORE, .arg = { at, list->events[i].code } });
		add(&s, &(struct probe_op){ .op = PROBE_STORE, .arg = { at + 8, 0 } });
	}
	flags = add_pmu(&s, PMU_EVENT_INFO, SCRATCH, 0, 1, 1);
	misaligned = add_pmu(&s, PMU_EVENT_INFO, SCRATCH + 8, 0, 1, 0);
	call = add_pmu(&s, PMU_EVENT_INFO, SCRATCH, 0, n, 0);
	entries = s.nr;
	for (unsigned int i = 0; i < n; i++)
		add(&s, &(struct probe_op){ .op = PROBE_LOAD, .arg = { SCRATCH + (gpa_t)i * EVENT_INFO_BYTES } });
	ret = run(probe, &s);
	if (ret)
		goto out;
	if (error_of(&s, call)) {
		pmu_list_fact(list, "event info", "%s", riscv_sbi_error_name(error_of(&s, call)));
		if (error_of(&s, call) != SBI_ERR_NOT_SUPPORTED)
			pmu_list_bug(list, "the list of events can't be had: %s",
				     riscv_sbi_error_name(error_of(&s, call)));
		goto out;
	}
	if (error_of(&s, flags) != SBI_ERR_INVALID_PARAM || error_of(&s, misaligned) != SBI_ERR_INVALID_PARAM)
		pmu_list_bug(list, "the list of events with unknown flags answers %s, and where it is not aligned %s, "
			     "instead of INVALID_PARAM", riscv_sbi_error_name(error_of(&s, flags)),
			     riscv_sbi_error_name(error_of(&s, misaligned)));
	for (unsigned int i = 0; i < n; i++) {
		bool yes = value_of(&s, entries + i) & EVENT_INFO_YES;

		offered += yes;
		if (yes != !list->events[i].error && !wrong++)
			first = list->events[i].name;
	}
	pmu_list_fact(list, "event info", "yes, %u of %u events", offered, n);
	if (wrong)
		pmu_list_bug(list, "the list of events and the counters disagree about %u events, the first is %s", wrong,
			     first);
out:
	free(s.ops);
	return ret;
}

/* ---- counting ----------------------------------------------------------------------------------- */

/* The first counter that takes event @code, or -1. */
static int counter_for(const struct pmu_list *list, uint64_t code)
{
	for (unsigned int i = 0; i < list->nr_events; i++)
		for (unsigned int j = 0; list->events[i].code == code && j < MAX_COUNTERS; j++)
			if (pmu_event_has(&list->events[i], j))
				return (int)j;
	return -1;
}

/* Counts @code over a loop, and reads the counter's CSR before, after, and once it is released. */
struct count {
	size_t config, start, before, after, stop, stop_again, reset, released;
	int    counter;
};

static void add_count(struct script *s, const struct pmu_list *list, uint64_t code, struct count *c)
{
	c->counter = counter_for(list, code);
	if (c->counter < 0)
		return;
	c->config = add_pmu(s, PMU_CFG_MATCH, (unsigned int)c->counter, 1, CFG_CLEAR_VALUE, code);
	c->start = add_pmu(s, PMU_START, (unsigned int)c->counter, 1, START_INIT_VALUE, 0);
	c->before = add_csr_read(s, CSR_CYCLE + (unsigned int)c->counter);
	add(s, &(struct probe_op){ .op = PROBE_LOOP, .arg = { TEST_LOOPS } });
	c->after = add_csr_read(s, CSR_CYCLE + (unsigned int)c->counter);
	c->stop = add_pmu(s, PMU_STOP, (unsigned int)c->counter, 1, 0, 0);
	c->stop_again = add_pmu(s, PMU_STOP, (unsigned int)c->counter, 1, 0, 0);
	c->reset = add_pmu(s, PMU_STOP, (unsigned int)c->counter, 1, STOP_RESET, 0);
	c->released = add_csr_read(s, CSR_CYCLE + (unsigned int)c->counter);
}

static void judge_count(struct pmu_list *list, const struct script *s, const struct count *c, const char *name,
			uint64_t expected)
{
	uint64_t n;

	if (c->counter < 0) {
		pmu_list_fact(list, name, "<not supported>");
		return;
	}
	if (error_of(s, c->config) || error_of(s, c->start) || error_of(s, c->before) || error_of(s, c->after)) {
		pmu_list_fact(list, name, "<not counted>: config %s, start %s, reading %s",
			      riscv_sbi_error_name(error_of(s, c->config)),
			      riscv_sbi_error_name(error_of(s, c->start)),
			      error_of(s, c->before) || error_of(s, c->after) ? "faults" : "works");
		pmu_list_bug(list, "%s is offered on counter %d, but does not count", name, c->counter);
		return;
	}
	n = value_of(s, c->after) - value_of(s, c->before);
	pmu_list_fact(list, name, "%" PRIu64 " in a loop of %u instructions (counter %d)", n, 2 * TEST_LOOPS,
		      c->counter);
	if (!n)
		pmu_list_bug(list, "%s does not move", name);
	/* The calls and exceptions around the loop count as well, but they are few. */
	if (expected && (n < expected - expected / 20 || n > expected + expected / 20))
		pmu_list_note(list, "%s is more than 5 %% off", name);
	if (error_of(s, c->stop) || error_of(s, c->reset) == SBI_ERR_INVALID_PARAM)
		pmu_list_bug(list, "counter %d can't be stopped: %s", c->counter,
			     riscv_sbi_error_name(error_of(s, c->stop)));
	if (error_of(s, c->stop_again) != -8)
		pmu_list_bug(list, "stopping counter %d twice answers %s instead of ALREADY_STOPPED", c->counter,
			     riscv_sbi_error_name(error_of(s, c->stop_again)));
	if (!error_of(s, c->released))
		pmu_list_note(list, "counter %d can be read when no event is on it", c->counter);
}

/* A firmware event that the guest makes itself: SET_TIMER. */
struct fw_count {
	size_t config, start, before, after;
	int    counter;
};

static void add_fw_count(struct script *s, const struct pmu_list *list, struct fw_count *c)
{
	c->counter = counter_for(list, FW_SET_TIMER);
	if (c->counter < 0)
		return;
	c->config = add_pmu(s, PMU_CFG_MATCH, (unsigned int)c->counter, 1, CFG_CLEAR_VALUE, FW_SET_TIMER);
	c->start = add_pmu(s, PMU_START, (unsigned int)c->counter, 1, START_INIT_VALUE, 0);
	c->before = add_pmu(s, PMU_FW_READ, (unsigned int)c->counter, 0, 0, 0);
	for (int i = 0; i < TEST_SET_TIMERS; i++)
		add_call(s, SBI_EXT_TIME, 0, ~UINT64_C(0), 0, 0, 0);
	c->after = add_pmu(s, PMU_FW_READ, (unsigned int)c->counter, 0, 0, 0);
	add_pmu(s, PMU_STOP, (unsigned int)c->counter, 1, STOP_RESET, 0);
}

static void judge_fw_count(struct pmu_list *list, const struct script *s, const struct fw_count *c)
{
	static const char name[] = "firmware event";
	uint64_t n;

	if (c->counter < 0) {
		pmu_list_fact(list, name, "<not supported>");
		return;
	}
	if (error_of(s, c->config) || error_of(s, c->start) || error_of(s, c->before) || error_of(s, c->after)) {
		pmu_list_fact(list, name, "<not counted>: start %s, read %s",
			      riscv_sbi_error_name(error_of(s, c->start)),
			      riscv_sbi_error_name(error_of(s, c->before)));
		pmu_list_bug(list, "SET_TIMER is offered on counter %d, but does not count", c->counter);
		return;
	}
	n = value_of(s, c->after) - value_of(s, c->before);
	pmu_list_fact(list, name, "SET_TIMER counted %" PRIu64 " of %d calls (counter %d)", n, TEST_SET_TIMERS,
		      c->counter);
	if (n != TEST_SET_TIMERS)
		pmu_list_bug(list, "SET_TIMER counted %" PRIu64 " of %d calls", n, TEST_SET_TIMERS);
}

/* A counter's value in shared memory. */
struct snapshot {
	size_t misaligned, set, config, start, stop, value, clear;
	int    counter;
};

static void add_snapshot(struct script *s, const struct pmu_list *list, struct snapshot *n)
{
	n->counter = counter_for(list, HW_INSTRUCTIONS);
	n->misaligned = add_pmu(s, PMU_SET_SHMEM, SCRATCH + 8, 0, 0, 0);
	n->set = add_pmu(s, PMU_SET_SHMEM, SCRATCH, 0, 0, 0);
	if (n->counter >= 0) {
		n->config = add_pmu(s, PMU_CFG_MATCH, (unsigned int)n->counter, 1, CFG_CLEAR_VALUE,
				    HW_INSTRUCTIONS);
		n->start = add_pmu(s, PMU_START, (unsigned int)n->counter, 1, START_INIT_VALUE, 0);
		add(s, &(struct probe_op){ .op = PROBE_LOOP, .arg = { TEST_LOOPS } });
		n->stop = add_pmu(s, PMU_STOP, (unsigned int)n->counter, 1, STOP_SNAPSHOT, 0);
		n->value = add(s, &(struct probe_op){ .op = PROBE_LOAD, .arg = { SCRATCH + SNAPSHOT_VALUES } });
		add_pmu(s, PMU_STOP, (unsigned int)n->counter, 1, STOP_RESET, 0);
	}
	n->clear = add_pmu(s, PMU_SET_SHMEM, ~UINT64_C(0), ~UINT64_C(0), 0, 0);
}

static void judge_snapshot(struct pmu_list *list, const struct script *s, const struct snapshot *n)
{
	if (error_of(s, n->set)) {
		pmu_list_fact(list, "snapshot", "%s", riscv_sbi_error_name(error_of(s, n->set)));
		return;
	}
	if (error_of(s, n->misaligned) != SBI_ERR_INVALID_PARAM)
		pmu_list_bug(list, "snapshot memory that is not aligned answers %s instead of INVALID_PARAM",
			     riscv_sbi_error_name(error_of(s, n->misaligned)));
	if (error_of(s, n->clear))
		pmu_list_bug(list, "snapshot memory can't be taken back: %s",
			     riscv_sbi_error_name(error_of(s, n->clear)));
	if (n->counter < 0 || error_of(s, n->config) || error_of(s, n->start) || error_of(s, n->stop)) {
		pmu_list_fact(list, "snapshot", "yes");
		return;
	}
	pmu_list_fact(list, "snapshot", "yes, %" PRIu64 " instructions", value_of(s, n->value));
	if (!value_of(s, n->value))
		pmu_list_bug(list, "a snapshot of a counter that ran is 0");
}

static int ask_counting(const struct probe *probe, struct pmu_list *list)
{
	struct count cycles = { 0 }, instructions = { 0 };
	struct snapshot snapshot = { 0 };
	struct fw_count fw = { 0 };
	struct script s = { 0 };
	int ret;

	add_count(&s, list, HW_CYCLES, &cycles);
	add_count(&s, list, HW_INSTRUCTIONS, &instructions);
	add_fw_count(&s, list, &fw);
	add_snapshot(&s, list, &snapshot);
	ret = run(probe, &s);
	if (!ret) {
		judge_count(list, &s, &cycles, "cycles", 0);
		judge_count(list, &s, &instructions, "instructions", 2 * TEST_LOOPS);
		judge_fw_count(list, &s, &fw);
		judge_snapshot(list, &s, &snapshot);
	}
	free(s.ops);
	return ret;
}

int riscv_pmu_list(const struct probe *probe, struct pmu_list *list)
{
	int ret;

	memset(list, 0, sizeof(*list));
	ret = ask_counters(probe, list, &list->present);
	if (ret || !list->present)
		return ret;
	ret = ask_events(probe, list);
	if (!ret)
		ret = ask_event_info(probe, list);
	return ret ? ret : ask_counting(probe, list);
}
