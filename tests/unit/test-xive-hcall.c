// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/xive-hcall.h"

#include <errno.h>
#include <string.h>

#include "powerpc/pseries-layout.h"
#include "tests/unit/test.h"

#define NR_CPUS    2
#define NR_SOURCES 12
#define LINE       PSERIES_IRQ_PCI_INTX
#define MSI        PSERIES_IRQ_MSI
#define RAM_BYTES  MIB(1)
#define QUEUE      UINT64_C(0x20000)

struct fixture {
	struct memory   mem;
	struct ppc_xive x;
	int             ret; /* of the next operations */
	/* The last ones. */
	uint32_t        lisn, cpu;
	unsigned int    priority, offset;
	struct ppc_xive_route route;
	struct ppc_xive_queue queue;
	uint64_t        stored;
	unsigned int    routes, queues, syncs, resets, triggers, loads, stores;
	uint64_t        pq; /* what loads give */
};

static int set_route(void *ctx, uint32_t lisn, const struct ppc_xive_route *route)
{
	struct fixture *f = ctx;

	f->lisn = lisn;
	f->route = *route;
	f->routes++;
	return f->ret;
}

static int set_queue(void *ctx, uint32_t cpu, unsigned int priority, const struct ppc_xive_queue *queue)
{
	struct fixture *f = ctx;

	f->cpu = cpu;
	f->priority = priority;
	f->queue = *queue;
	f->queues++;
	return f->ret;
}

static int queue_state(void *ctx, uint32_t cpu, unsigned int priority, uint32_t *index, uint32_t *toggle)
{
	struct fixture *f = ctx;

	f->cpu = cpu;
	f->priority = priority;
	*index = 77;
	*toggle = 1;
	return f->ret;
}

static int sync_source(void *ctx, uint32_t lisn)
{
	struct fixture *f = ctx;

	f->lisn = lisn;
	f->syncs++;
	return f->ret;
}

static int reset(void *ctx)
{
	struct fixture *f = ctx;

	f->resets++;
	return f->ret;
}

static void trigger(void *ctx, uint32_t lisn)
{
	struct fixture *f = ctx;

	f->lisn = lisn;
	f->triggers++;
}

static uint64_t esb_load(void *ctx, uint32_t lisn, unsigned int offset)
{
	struct fixture *f = ctx;

	f->lisn = lisn;
	f->offset = offset;
	f->loads++;
	return f->pq;
}

static void esb_store(void *ctx, uint32_t lisn, unsigned int offset, uint64_t value)
{
	struct fixture *f = ctx;

	f->lisn = lisn;
	f->offset = offset;
	f->stored = value;
	f->stores++;
}

static const struct ppc_xive_ops ops = {
	.set_route = set_route,
	.set_queue = set_queue,
	.queue_state = queue_state,
	.sync = sync_source,
	.reset = reset,
	.trigger = trigger,
	.esb_load = esb_load,
	.esb_store = esb_store,
};

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	memory_init(&f->mem);
	CHECK_EQ(memory_add(&f->mem, "ram", 0, RAM_BYTES, false, NULL), 0);
	f->x = (struct ppc_xive){ .ops = &ops, .ctx = f, .memory = &f->mem };
	CHECK_EQ(ppc_xive_init(&f->x, NR_CPUS, NR_SOURCES), 0);
}

static void teardown(struct fixture *f)
{
	ppc_xive_exit(&f->x);
	memory_exit(&f->mem);
}

/* The results are in @call. */
static int64_t make(struct fixture *f, struct ppc_hcall *call)
{
	call->ret = 1;
	CHECK(ppc_xive_serve(&f->x, call));
	return call->ret;
}

#define CALL(f, number, ...) make(f, &(struct ppc_hcall){ .nr = (number), .args = { __VA_ARGS__ } })

static void test_others(void)
{
	/* Also those of OS reporting lines, which lie between the others. */
	static const uint64_t others[] = { 0, 0x3a4, 0x3a9, 0x3c0, 0x3c4, 0x3d4, UINT64_MAX };
	struct fixture f;

	setup(&f);
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
		CHECK(!ppc_xive_serve(&f.x, &(struct ppc_hcall){ .nr = others[i] }));
	teardown(&f);
}

static void test_source_info(void)
{
	struct ppc_hcall call = { .nr = H_INT_GET_SOURCE_INFO, .args = { 0, MSI } };
	struct fixture f;

	setup(&f);
	CHECK_EQ(make(&f, &call), H_SUCCESS);
	CHECK_EQ(call.args[0], 0);
	CHECK_EQ(call.args[2], PSERIES_XIVE_ESB_BASE + (MSI - PSERIES_IRQ_FIRST) * 0x20000);
	CHECK_EQ(call.args[1], call.args[2] + 0x10000);
	CHECK_EQ(call.args[3], 16);
	/* A level's pages are not the guest's. */
	for (uint32_t lisn = LINE; lisn < LINE + 4; lisn++) {
		call = (struct ppc_hcall){ .nr = H_INT_GET_SOURCE_INFO, .args = { 0, lisn } };
		CHECK_EQ(make(&f, &call), H_SUCCESS);
		CHECK_EQ(call.args[0], 0xc);
		CHECK_EQ(call.args[1], UINT64_MAX);
		CHECK_EQ(call.args[2], UINT64_MAX);
	}
	CHECK_EQ(CALL(&f, H_INT_GET_SOURCE_INFO, 0, PSERIES_IRQ_FIRST + NR_SOURCES - 1), H_SUCCESS);
	CHECK_EQ(CALL(&f, H_INT_GET_SOURCE_INFO, 0, PSERIES_IRQ_FIRST + NR_SOURCES), H_P2);
	CHECK_EQ(CALL(&f, H_INT_GET_SOURCE_INFO, 0, PSERIES_IRQ_FIRST - 1), H_P2);
	CHECK_EQ(CALL(&f, H_INT_GET_SOURCE_INFO, 0, UINT64_C(1) << 32 | MSI), H_P2);
	CHECK_EQ(CALL(&f, H_INT_GET_SOURCE_INFO, 1, MSI), H_PARAMETER);
	teardown(&f);
}

static void test_queues(void)
{
	struct ppc_hcall call = { .nr = H_INT_GET_QUEUE_CONFIG, .args = { 1, 1, 6 } };
	struct fixture f;

	setup(&f);
	CHECK_EQ(make(&f, &call), H_SUCCESS);
	CHECK_EQ(call.args[0] | call.args[1] | call.args[2] | call.args[3], 0);

	CHECK_EQ(CALL(&f, H_INT_SET_QUEUE_CONFIG, 1, 1, 6, QUEUE, 16), H_SUCCESS);
	CHECK_EQ(f.queues, 1);
	CHECK_EQ(f.cpu, 1);
	CHECK_EQ(f.priority, 6);
	CHECK_EQ(f.queue.page, QUEUE);
	CHECK_EQ(f.queue.shift, 16);
	call = (struct ppc_hcall){ .nr = H_INT_GET_QUEUE_CONFIG, .args = { 0, 1, 6 } };
	CHECK_EQ(make(&f, &call), H_SUCCESS);
	CHECK_EQ(call.args[0], 1);
	CHECK_EQ(call.args[1], QUEUE);
	CHECK_EQ(call.args[2], 16);
	CHECK_EQ(call.args[3], 0);
	call = (struct ppc_hcall){ .nr = H_INT_GET_QUEUE_CONFIG, .args = { 1, 1, 6 } };
	CHECK_EQ(make(&f, &call), H_SUCCESS);
	CHECK_EQ(call.args[0], 3);
	CHECK_EQ(call.args[3], 77);
	call = (struct ppc_hcall){ .nr = H_INT_GET_QUEUE_INFO, .args = { 0, 1, 6 } };
	CHECK_EQ(make(&f, &call), H_SUCCESS);
	CHECK_EQ(call.args[0], UINT64_MAX);

	/* What KVM refuses is not remembered. */
	f.ret = -EINVAL;
	CHECK_EQ(CALL(&f, H_INT_SET_QUEUE_CONFIG, 0, 1, 6, 0, 0), H_HARDWARE);
	CHECK_EQ(CALL(&f, H_INT_GET_QUEUE_CONFIG, 1, 1, 6), H_HARDWARE);
	f.ret = 0;
	CHECK_EQ(CALL(&f, H_INT_SET_QUEUE_CONFIG, 0, 1, 6, 0, 0), H_SUCCESS);
	CHECK_EQ(f.queue.shift, 0);
	call = (struct ppc_hcall){ .nr = H_INT_GET_QUEUE_CONFIG, .args = { 1, 1, 6 } };
	CHECK_EQ(make(&f, &call), H_SUCCESS);
	CHECK_EQ(call.args[0] | call.args[1] | call.args[2], 0);
	teardown(&f);
}

static void test_bad_queues(void)
{
	static const struct {
		uint64_t args[5];
		int64_t  ret;
	} rows[] = {
		{ { 2, 0, 0, QUEUE, 16 }, H_PARAMETER },
		{ { 0, 0, 0, QUEUE, 16 }, H_PARAMETER }, /* KVM always notifies */
		{ { 1, NR_CPUS, 0, QUEUE, 16 }, H_P2 },
		{ { 1, UINT64_C(1) << 32, 0, QUEUE, 16 }, H_P2 },
		{ { 1, 0, 7, QUEUE, 16 }, H_P3 },
		{ { 1, 0, 0xff, QUEUE, 16 }, H_P3 },
		{ { 1, 0, 0, QUEUE + 0x1000, 16 }, H_P4 },
		{ { 1, 0, 0, RAM_BYTES, 16 }, H_P4 },
		{ { 1, 0, 0, PSERIES_XIVE_ESB_BASE, 16 }, H_P4 },
		{ { 1, 0, 0, QUEUE, 12 }, H_P5 },
		{ { 1, 0, 0, 0, 64 }, H_P5 },
	};
	struct fixture f;

	setup(&f);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ppc_hcall call = { .nr = H_INT_SET_QUEUE_CONFIG };

		memcpy(call.args, rows[i].args, sizeof(rows[i].args));
		if (make(&f, &call) != rows[i].ret)
			test_fail(__FILE__, __LINE__, "row %u: %d", i, (int)call.ret);
	}
	CHECK_EQ(f.queues, 0);
	CHECK_EQ(CALL(&f, H_INT_GET_QUEUE_CONFIG, 2, 0, 0), H_PARAMETER);
	CHECK_EQ(CALL(&f, H_INT_GET_QUEUE_CONFIG, 0, NR_CPUS, 0), H_P2);
	CHECK_EQ(CALL(&f, H_INT_GET_QUEUE_INFO, 1, 0, 0), H_PARAMETER);
	CHECK_EQ(CALL(&f, H_INT_GET_QUEUE_INFO, 0, 0, 7), H_P3);
	teardown(&f);
}

static void test_routes(void)
{
	struct ppc_hcall call = { .nr = H_INT_GET_SOURCE_CONFIG, .args = { 0, MSI } };
	struct fixture f;

	setup(&f);
	CHECK_EQ(make(&f, &call), H_SUCCESS);
	CHECK_EQ(call.args[1], 0xff);
	CHECK_EQ(call.args[2], MSI);

	/* To queues that exist. */
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 2, MSI, 1, 6, 0x55), H_P3);
	CHECK_EQ(CALL(&f, H_INT_SET_QUEUE_CONFIG, 1, 1, 6, QUEUE, 16), H_SUCCESS);
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 2, MSI, 1, 6, 0x55), H_SUCCESS);
	CHECK_EQ(f.routes, 1);
	CHECK_EQ(f.lisn, MSI);
	CHECK_EQ(f.route.target, 1);
	CHECK_EQ(f.route.priority, 6);
	CHECK_EQ(f.route.eisn, 0x55);
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 2, MSI, 0, 6, 0x55), H_P3);
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 2, MSI, 1, 5, 0x55), H_P3);
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 2, MSI, NR_CPUS, 6, 0x55), H_P3);
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 2, MSI, UINT64_MAX, 6, 0x55), H_P3);
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 2, MSI, 1, 7, 0x55), H_P4);
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 2, MSI, 1, 6, UINT64_C(1) << 31), H_P5);
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 4, MSI, 1, 6, 0x55), H_PARAMETER);
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 2, 0, 1, 6, 0x55), H_P2);
	CHECK_EQ(f.routes, 1);

	/* The number stays unless it is given, also over a mask. */
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 0, MSI, 1, 6, 0x66), H_SUCCESS);
	CHECK_EQ(f.route.eisn, 0x55);
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 1, MSI, 1, 6, 0), H_SUCCESS);
	CHECK_EQ(f.route.priority, PPC_XIVE_MASKED);
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 0, MSI, 1, 6, 0), H_SUCCESS);
	CHECK_EQ(f.route.priority, 6);
	f.ret = -ENXIO;
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 0, MSI, 0, 0xff, 0), H_HARDWARE);
	call = (struct ppc_hcall){ .nr = H_INT_GET_SOURCE_CONFIG, .args = { 0, MSI } };
	CHECK_EQ(make(&f, &call), H_SUCCESS);
	CHECK_EQ(call.args[0], 1);
	CHECK_EQ(call.args[1], 6);
	CHECK_EQ(call.args[2], 0x55);
	f.ret = 0;
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 2, MSI, 99, 0xff, 0), H_SUCCESS);
	CHECK_EQ(f.route.priority, PPC_XIVE_MASKED);
	CHECK_EQ(CALL(&f, H_INT_GET_SOURCE_CONFIG, 1, MSI), H_PARAMETER);
	CHECK_EQ(CALL(&f, H_INT_GET_SOURCE_CONFIG, 0, 0), H_P2);
	teardown(&f);
}

static void test_reset(void)
{
	struct ppc_hcall call = { .nr = H_INT_GET_SOURCE_CONFIG, .args = { 0, MSI } };
	struct fixture f;

	setup(&f);
	CHECK_EQ(CALL(&f, H_INT_SET_QUEUE_CONFIG, 1, 0, 0, QUEUE, 16), H_SUCCESS);
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 2, MSI, 0, 0, 5), H_SUCCESS);
	CHECK_EQ(CALL(&f, H_INT_RESET, 1), H_PARAMETER);
	CHECK_EQ(f.resets, 0);
	CHECK_EQ(CALL(&f, H_INT_RESET, 0), H_SUCCESS);
	CHECK_EQ(f.resets, 1);
	CHECK_EQ(make(&f, &call), H_SUCCESS);
	CHECK_EQ(call.args[1], 0xff);
	CHECK_EQ(call.args[2], MSI);
	CHECK_EQ(CALL(&f, H_INT_SET_SOURCE_CONFIG, 2, MSI, 0, 0, 5), H_P3);

	CHECK_EQ(CALL(&f, H_INT_SYNC, 0, MSI), H_SUCCESS);
	CHECK_EQ(f.syncs, 1);
	CHECK_EQ(CALL(&f, H_INT_SYNC, 1, MSI), H_PARAMETER);
	CHECK_EQ(CALL(&f, H_INT_SYNC, 0, 0), H_P2);
	f.ret = -EINVAL;
	CHECK_EQ(CALL(&f, H_INT_SYNC, 0, MSI), H_HARDWARE);
	CHECK_EQ(CALL(&f, H_INT_RESET, 0), H_HARDWARE);
	teardown(&f);
}

static void test_esb(void)
{
	struct ppc_hcall call = { .nr = H_INT_ESB, .args = { 0, MSI, PPC_XIVE_ESB_LOAD_EOI } };
	struct fixture f;

	setup(&f);
	f.pq = 3;
	CHECK_EQ(make(&f, &call), H_SUCCESS);
	CHECK_EQ(call.args[0], 3);
	CHECK_EQ(f.offset, PPC_XIVE_ESB_LOAD_EOI);
	call = (struct ppc_hcall){ .nr = H_INT_ESB, .args = { 1, MSI, 0x400, 0x1234 } };
	CHECK_EQ(make(&f, &call), H_SUCCESS);
	CHECK_EQ(call.args[0], UINT64_MAX);
	CHECK_EQ(f.stores, 1);
	CHECK_EQ(f.offset, 0x400);
	CHECK_EQ(f.stored, 0x1234);
	CHECK_EQ(CALL(&f, H_INT_ESB, 2, MSI, 0), H_PARAMETER);
	CHECK_EQ(CALL(&f, H_INT_ESB, 0, 0, 0), H_P2);
	CHECK_EQ(CALL(&f, H_INT_ESB, 0, MSI, 0x1000), H_P3);
	CHECK_EQ(CALL(&f, H_INT_ESB, 1, MSI, 4), H_P3);
	CHECK_EQ(f.loads, 1);
	CHECK_EQ(f.stores, 1);
	CHECK_EQ(f.triggers, 0);
	teardown(&f);
}

/* A message is an event for each 1; a level is one as long as it is asserted. */
static void test_levels(void)
{
	struct ppc_hcall eoi = { .nr = H_INT_ESB, .args = { 0, LINE + 1, PPC_XIVE_ESB_LOAD_EOI } };
	struct fixture f;

	setup(&f);
	ppc_xive_set_level(&f.x, MSI, true);
	ppc_xive_set_level(&f.x, MSI, true);
	ppc_xive_set_level(&f.x, MSI, false);
	CHECK_EQ(f.triggers, 2);
	CHECK_EQ(f.lisn, MSI);
	ppc_xive_set_level(&f.x, PSERIES_IRQ_FIRST + NR_SOURCES, true);
	ppc_xive_set_level(&f.x, 0, true);
	ppc_xive_set_level(&f.x, UINT32_MAX, true);
	CHECK_EQ(f.triggers, 2);
	CHECK_EQ(CALL(&f, H_INT_ESB, 0, MSI, PPC_XIVE_ESB_SET_PQ_00), H_SUCCESS);
	CHECK_EQ(f.triggers, 2);

	ppc_xive_set_level(&f.x, LINE + 1, true);
	CHECK_EQ(f.triggers, 3);
	f.pq = 2;
	CHECK_EQ(make(&f, &eoi), H_SUCCESS);
	CHECK_EQ(eoi.args[0], 0);
	CHECK_EQ(f.offset, PPC_XIVE_ESB_SET_PQ_00);
	CHECK_EQ(f.triggers, 4);
	CHECK_EQ(f.lisn, LINE + 1);
	/* Asserted while it is masked: it comes with the unmasking. The next line is another one. */
	CHECK_EQ(CALL(&f, H_INT_ESB, 0, LINE + 1, 0xd00), H_SUCCESS);
	CHECK_EQ(CALL(&f, H_INT_ESB, 0, LINE + 2, PPC_XIVE_ESB_SET_PQ_00), H_SUCCESS);
	CHECK_EQ(f.triggers, 4);
	CHECK_EQ(CALL(&f, H_INT_ESB, 0, LINE + 1, PPC_XIVE_ESB_SET_PQ_00), H_SUCCESS);
	CHECK_EQ(f.triggers, 5);
	ppc_xive_set_level(&f.x, LINE + 1, false);
	eoi.args[0] = 0;
	CHECK_EQ(make(&f, &eoi), H_SUCCESS);
	CHECK_EQ(f.triggers, 5);
	teardown(&f);
}

const struct test xive_hcall_tests[] = {
	{ "others", test_others },
	{ "source_info", test_source_info },
	{ "queues", test_queues },
	{ "bad_queues", test_bad_queues },
	{ "routes", test_routes },
	{ "reset", test_reset },
	{ "esb", test_esb },
	{ "levels", test_levels },
	{ 0 },
};
