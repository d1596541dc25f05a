// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/pmu-probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/probe-vm.h"
#include "tests/unit/test.h"

/* A hypervisor's SBI PMU, as KVM's, with faults to choose from. */
struct probe_host_state {
	bool     absent;
	unsigned nr_hw, nr_fw;
	bool     time_valid;   /* index 1 has an info */
	bool     wrong_csr;
	bool     takes_64;     /* index 64 is a counter as well */
	bool     mask_ignored; /* for the fixed events */
	bool     stuck;        /* counters do not move */
	bool     stop_twice;   /* stopping again is no error */
	bool     no_snapshot;
	bool     event_info;   /* as SBI 3.0 has it */
	bool     info_denies;  /* ... of events that counters take */
	bool     info_lax;     /* ... with any flags and place */
	/* state */
	struct {
		uint64_t event;
		uint64_t value;
		bool     running;
	} ctr[64];
	uint64_t scratch[512];
};

static struct probe_host_state hv;

static void kvm_like(void)
{
	hv = (struct probe_host_state){ .nr_hw = 6, .nr_fw = 4 };
}

static int64_t get_info(uint64_t i, uint64_t *info)
{
	*info = 0;
	if (i == 1 && hv.time_valid) {
		*info = 63ull << 12 | 0xc01;
		return 0;
	}
	if (i == 1 || i > 64 || (i == 64 && !hv.takes_64))
		return -3;
	if (i >= hv.nr_hw + hv.nr_fw)
		return 0;
	if (i >= hv.nr_hw)
		*info = 1ull << 63 | 63ull << 12;
	else
		*info = 63ull << 12 | (0xc00 + i + hv.wrong_csr);
	return 0;
}

static int64_t config(uint64_t base, uint64_t mask, uint64_t event, uint64_t *idx)
{
	bool fw = event >> 16 == 15;

	*idx = base;
	if (mask != 1 || base >= hv.nr_hw + hv.nr_fw)
		return -3;
	if (fw != (base >= hv.nr_hw))
		return -2;
	if (!fw && (event == 1 || event == 2)) {
		uint64_t fixed = event == 1 ? 0 : 2;

		if (base != fixed && !hv.mask_ignored)
			return -2;
		*idx = fixed;
	} else if (!fw && (event != 0x10019 || base < 3)) {
		return -2;
	}
	hv.ctr[*idx].event = event;
	hv.ctr[*idx].value = 0;
	hv.ctr[*idx].running = false;
	return 0;
}

static void tick(uint64_t event, uint64_t n)
{
	for (unsigned int i = 0; i < 64; i++)
		if (hv.ctr[i].running && hv.ctr[i].event == event && !hv.stuck)
			hv.ctr[i].value += n;
}

static int64_t event_info(uint64_t base, uint64_t nr, uint64_t flags)
{
	if (!hv.event_info)
		return -2;
	if ((flags || base % 16) && !hv.info_lax)
		return -3;
	for (uint64_t i = 0; i < nr && !(base % 16); i++) {
		uint64_t *entry = &hv.scratch[(base / 8 + 2 * i) % 512], event = (uint32_t)*entry;
		bool fw = event >> 16 == 15;

		if (fw || ((event == 1 || event == 2 || event == 0x10019) && !hv.info_denies))
			*entry |= 1ull << 32;
	}
	return 0;
}

static int64_t pmu_call(const struct probe_op *op, uint64_t *value)
{
	uint64_t i = op->arg[2];

	switch (op->arg[1]) {
	case 0:
		*value = hv.nr_hw + hv.nr_fw;
		return 0;
	case 1:
		return get_info(i, value);
	case 2:
		return config(i, op->arg[3], op->arg[5], value);
	case 3:
		hv.ctr[i].running = true;
		return 0;
	case 4: {
		bool was = hv.ctr[i].running;

		hv.ctr[i].running = false;
		if (op->arg[4] & 2)
			hv.scratch[1] = hv.ctr[i].value;
		if (op->arg[4] & 1)
			hv.ctr[i].event = 0;
		return was || hv.stop_twice ? 0 : -8;
	}
	case 5:
		*value = hv.ctr[i].value;
		return 0;
	case 7:
		if (hv.no_snapshot)
			return -2;
		return i != ~0ull && i % 4096 ? -3 : 0;
	case 8:
		return event_info(i, op->arg[4], op->arg[5]);
	default:
		return -2;
	}
}

static int run(const struct probe_host *host LKVM_UNUSED, struct probe_op *ops, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct probe_op *op = &ops[i];

		switch (op->op) {
		case PROBE_LOOP:
			tick(1, 3 * op->arg[0]);
			tick(2, 2 * op->arg[0]);
			break;
		case PROBE_LOAD:
			op->ret[1] = hv.scratch[op->arg[0] / 8 % 512];
			break;
		case PROBE_STORE:
			hv.scratch[op->arg[0] / 8 % 512] = op->arg[1];
			break;
		case PROBE_INSN: {
			unsigned int csr = (unsigned int)(op->arg[0] >> 20 & 0xfff) - 0xc00;

			op->ret[0] = csr < 64 && hv.ctr[csr].event ? 0 : PROBE_FAULT;
			op->ret[1] = csr < 64 && hv.ctr[csr].event ? hv.ctr[csr].value : 2;
			break;
		}
		case PROBE_CALL:
			if (op->arg[0] == 0x10) {
				op->ret[1] = op->arg[1] == 0 ? 2ull << 24 : !hv.absent;
			} else if (op->arg[0] == 0x54494d45) {
				tick(0xf0005, 1);
			} else if (hv.absent) {
				op->ret[0] = (uint64_t)-2;
			} else {
				op->ret[0] = (uint64_t)pmu_call(op, &op->ret[1]);
			}
			break;
		default:
			return -1;
		}
	}
	return 0;
}

static struct pmu_list *ask(void)
{
	const struct probe probe = { .run = run };
	struct pmu_list *list = malloc(sizeof(*list));

	CHECK_EQ(riscv_pmu_list(&probe, list), 0);
	return list;
}

static bool says(const struct pmu_list *list, const char *text)
{
	for (unsigned int i = 0; i < list->nr_bugs; i++)
		if (strstr(list->bugs[i], text))
			return true;
	return false;
}

static const char *fact(const struct pmu_list *list, const char *name)
{
	for (unsigned int i = 0; i < list->nr_facts; i++)
		if (!strcmp(list->facts[i].name, name))
			return list->facts[i].value;
	return "";
}

static const struct pmu_event *event(const struct pmu_list *list, const char *name)
{
	for (unsigned int i = 0; i < list->nr_events; i++)
		if (!strcmp(list->events[i].name, name))
			return &list->events[i];
	return NULL;
}

static void test_good(void)
{
	struct pmu_list *list;

	kvm_like();
	list = ask();
	CHECK(list->present);
	CHECK_STR(list->kind, "SBI PMU (SBI 2.0)");
	CHECK_EQ(list->nr_bugs, 0);
	CHECK_EQ(list->nr_counters, 10);
	CHECK_STR(list->counters[0].name, "cycle");
	CHECK_EQ(list->counters[0].number, 0xc00);
	CHECK_EQ(list->counters[0].width_bits, 64);
	CHECK_EQ(list->counters[0].nr_events, 1);
	CHECK_STR(list->counters[1].error, "INVALID_PARAM");
	CHECK_STR(list->counters[3].name, "hpmcounter3");
	CHECK_STR(list->counters[6].type, "firmware");
	CHECK_EQ(list->counters[6].nr_events, 22);
	CHECK_EQ(list->nr_events, 10 + 42 + 22);
	CHECK_EQ(event(list, "CPU_CYCLES")->counters[0], 1);
	CHECK_EQ(event(list, "INSTRUCTIONS")->counters[0], 1 << 2);
	CHECK_EQ(event(list, "DTLB_READ_MISS")->counters[0], 7 << 3);
	CHECK_EQ(event(list, "SET_TIMER")->counters[0], 0xf << 6);
	CHECK_STR(event(list, "CACHE_MISSES")->error, "NOT_SUPPORTED");
	CHECK_EQ(event(list, "NODE_PREFETCH_MISS")->code, 0x10035);
	CHECK_STR(fact(list, "instructions"), "200000 in a loop of 200000 instructions (counter 2)");
	CHECK_STR(fact(list, "cycles"), "300000 in a loop of 200000 instructions (counter 0)");
	CHECK_STR(fact(list, "firmware event"), "SET_TIMER counted 3 of 3 calls (counter 6)");
	CHECK_STR(fact(list, "snapshot"), "yes, 200000 instructions");
	free(list);
}

static void test_absent(void)
{
	struct pmu_list *list;

	kvm_like();
	hv.absent = true;
	list = ask();
	CHECK(!list->present);
	CHECK_EQ(list->nr_bugs, 0);
	CHECK_EQ(list->nr_counters, 0);
	free(list);
}

static void test_bugs(void)
{
	static const struct {
		size_t      offset;
		const char *says;
	} cases[] = {
		{ offsetof(struct probe_host_state, time_valid), "counter 1, which is the time, answers SUCCESS" },
		{ offsetof(struct probe_host_state, wrong_csr), "counter 3 is CSR 0xc04, not 0xc03" },
		{ offsetof(struct probe_host_state, takes_64), "counter 0x40 answers SUCCESS instead of INVALID_PARAM" },
		{ offsetof(struct probe_host_state, mask_ignored),
		  "CPU_CYCLES was asked for on one counter alone, but given another, 4 times" },
		{ offsetof(struct probe_host_state, stuck), "instructions does not move" },
		{ offsetof(struct probe_host_state, stop_twice), "twice answers SUCCESS instead of ALREADY_STOPPED" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pmu_list *list;

		kvm_like();
		*((bool *)&hv + cases[i].offset) = true;
		list = ask();
		if (!says(list, cases[i].says))
			test_fail(__FILE__, __LINE__, "no bug says: %s", cases[i].says);
		free(list);
	}
}

static void test_no_snapshot(void)
{
	struct pmu_list *list;

	kvm_like();
	hv.no_snapshot = true;
	list = ask();
	CHECK_EQ(list->nr_bugs, 0);
	CHECK_STR(fact(list, "snapshot"), "NOT_SUPPORTED");
	free(list);
}

static void test_event_info(void)
{
	struct pmu_list *list;

	kvm_like();
	list = ask();
	CHECK_STR(fact(list, "event info"), "NOT_SUPPORTED");
	free(list);
	hv.event_info = true;
	list = ask();
	CHECK_EQ(list->nr_bugs, 0);
	CHECK_STR(fact(list, "event info"), "yes, 25 of 74 events");
	CHECK_STR(fact(list, "snapshot"), "yes, 200000 instructions");
	free(list);
	hv.info_denies = true;
	list = ask();
	CHECK(says(list, "the list of events and the counters disagree about 3 events, the first is CPU_CYCLES"));
	free(list);
	hv.info_denies = false;
	hv.info_lax = true;
	list = ask();
	CHECK(says(list, "the list of events with unknown flags answers SUCCESS, and where it is not aligned SUCCESS"));
	free(list);
}

static void test_many_counters(void)
{
	struct pmu_list *list;

	/* The most there can be; and more than that. */
	kvm_like();
	hv.nr_hw = 32;
	hv.nr_fw = 32;
	list = ask();
	CHECK_EQ(list->nr_counters, 64);
	CHECK_EQ(list->nr_bugs, 0);
	free(list);
	kvm_like();
	hv.nr_fw = 100;
	list = ask();
	CHECK(says(list, "106 counters: 1 to 64 are possible"));
	free(list);
}

static int fails(const struct probe_host *host LKVM_UNUSED, struct probe_op *ops LKVM_UNUSED, size_t nr LKVM_UNUSED)
{
	return -5;
}

static void test_run_fails(void)
{
	const struct probe probe = { .run = fails };
	struct pmu_list *list = malloc(sizeof(*list));

	CHECK_EQ(riscv_pmu_list(&probe, list), -5);
	free(list);
}

static void test_errors(void)
{
	CHECK_STR(riscv_sbi_error_name(0), "SUCCESS");
	CHECK_STR(riscv_sbi_error_name(-9), "NO_SHMEM");
	CHECK_STR(riscv_sbi_error_name(-15), "unknown error");
	CHECK_STR(riscv_sbi_error_name(1), "unknown error");
	CHECK_STR(riscv_sbi_error_name(INT64_MIN), "unknown error");
}

const struct test riscv_pmu_probe_tests[] = {
	{ "good", test_good },
	{ "absent", test_absent },
	{ "bugs", test_bugs },
	{ "no_snapshot", test_no_snapshot },
	{ "event_info", test_event_info },
	{ "many_counters", test_many_counters },
	{ "run_fails", test_run_fails },
	{ "errors", test_errors },
	{ 0 },
};
