// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/plic.h"

#include <pthread.h>
#include <string.h>

#include "tests/unit/test.h"

#define HARTS   3
#define SOURCES 63

/* Register addresses (PLIC spec 1.0.0 chapter 3). */
#define PRIORITY(irq)   (4 * (irq))
#define PENDING(word)   (0x1000 + 4 * (word))
#define ENABLE(h, word) (0x2000 + 0x80 * (h) + 4 * (word))
#define THRESHOLD(h)    (0x200000 + 0x1000 * (h))
#define CLAIM(h)        (0x200004 + 0x1000 * (h))

struct fixture {
	struct riscv_plic *plic;
	bool               level[HARTS];
	unsigned int       calls;
};

static void drive(void *ctx, unsigned int hart, bool level)
{
	struct fixture *f = ctx;

	CHECK(hart < HARTS);
	f->level[hart] = level;
	f->calls++;
}

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	CHECK_EQ(riscv_plic_create(&f->plic, HARTS, SOURCES, drive, f), 0);
}

static uint32_t rd(struct fixture *f, uint64_t offset)
{
	return (uint32_t)riscv_plic_bus_ops.read(f->plic, offset, 4);
}

static void wr(struct fixture *f, uint64_t offset, uint32_t v)
{
	riscv_plic_bus_ops.write(f->plic, offset, 4, v);
}

static void line(struct fixture *f, uint32_t irq, bool level)
{
	riscv_plic_irq_ops.set_level(f->plic, irq, level);
}

static void enable(struct fixture *f, unsigned int hart, unsigned int irq)
{
	uint64_t reg = ENABLE(hart, irq / 32);

	wr(f, reg, rd(f, reg) | UINT32_C(1) << (irq % 32));
}

/* The whole life of one interrupt. */
static void test_life(void)
{
	struct fixture f;

	setup(&f);
	wr(&f, PRIORITY(5), 1);
	enable(&f, 0, 5);
	CHECK(!f.level[0]);

	line(&f, 5, true);
	CHECK(f.level[0]);
	CHECK(!f.level[1]);
	CHECK_EQ(rd(&f, PENDING(0)), 1 << 5);
	CHECK_EQ(rd(&f, CLAIM(0)), 5);
	CHECK(!f.level[0]);
	CHECK_EQ(rd(&f, PENDING(0)), 0);
	CHECK_EQ(rd(&f, CLAIM(0)), 0);

	/* Still high when completed: it comes again. */
	wr(&f, CLAIM(0), 5);
	CHECK(f.level[0]);
	CHECK_EQ(rd(&f, CLAIM(0)), 5);
	line(&f, 5, false);
	wr(&f, CLAIM(0), 5);
	CHECK(!f.level[0]);
	CHECK_EQ(rd(&f, CLAIM(0)), 0);
	riscv_plic_destroy(f.plic);
}

/* While claimed, the gateway holds back what the line does. */
static void test_gateway(void)
{
	struct fixture f;

	setup(&f);
	wr(&f, PRIORITY(7), 1);
	enable(&f, 0, 7);
	line(&f, 7, true);
	CHECK_EQ(rd(&f, CLAIM(0)), 7);
	line(&f, 7, false);
	line(&f, 7, true);
	CHECK(!f.level[0]);
	wr(&f, CLAIM(0), 7);
	CHECK(f.level[0]);

	/* A request once latched stays, even if the line falls. */
	line(&f, 7, false);
	CHECK(f.level[0]);
	CHECK_EQ(rd(&f, CLAIM(0)), 7);
	wr(&f, CLAIM(0), 7);
	CHECK(!f.level[0]);
	riscv_plic_destroy(f.plic);
}

static void test_priorities(void)
{
	struct fixture f;

	setup(&f);
	for (unsigned int irq = 1; irq <= 4; irq++) {
		wr(&f, PRIORITY(irq), irq == 3 ? 7 : 2);
		enable(&f, 0, irq);
		line(&f, irq, true);
	}
	/* The highest first, then by number. */
	CHECK_EQ(rd(&f, CLAIM(0)), 3);
	CHECK_EQ(rd(&f, CLAIM(0)), 1);
	CHECK_EQ(rd(&f, CLAIM(0)), 2);
	CHECK_EQ(rd(&f, CLAIM(0)), 4);
	CHECK_EQ(rd(&f, CLAIM(0)), 0);
	/* Priority 0 never interrupts and can't be claimed. */
	line(&f, 1, true);
	wr(&f, PRIORITY(1), 0);
	wr(&f, CLAIM(0), 1);
	CHECK(!f.level[0]);
	CHECK_EQ(rd(&f, CLAIM(0)), 0);
	wr(&f, PRIORITY(1), 1);
	CHECK(f.level[0]);
	/* Three bits of priority exist. */
	wr(&f, PRIORITY(2), 0xffffffff);
	CHECK_EQ(rd(&f, PRIORITY(2)), 7);
	wr(&f, PRIORITY(0), 1);
	CHECK_EQ(rd(&f, PRIORITY(0)), 0);
	riscv_plic_destroy(f.plic);
}

static void test_threshold(void)
{
	struct fixture f;

	setup(&f);
	wr(&f, PRIORITY(9), 3);
	enable(&f, 1, 9);
	wr(&f, THRESHOLD(1), 3);
	CHECK_EQ(rd(&f, THRESHOLD(1)), 3);
	line(&f, 9, true);
	CHECK(!f.level[1]);
	wr(&f, THRESHOLD(1), 2);
	CHECK(f.level[1]);
	wr(&f, THRESHOLD(1), 7);
	CHECK(!f.level[1]);
	/* It masks notifications, not claims. */
	CHECK_EQ(rd(&f, CLAIM(1)), 9);
	riscv_plic_destroy(f.plic);
}

/* One interrupt for two harts: whoever claims it has it. */
static void test_two_harts(void)
{
	struct fixture f;

	setup(&f);
	wr(&f, PRIORITY(40), 1);
	enable(&f, 0, 40);
	enable(&f, 2, 40);
	line(&f, 40, true);
	CHECK(f.level[0] && f.level[2] && !f.level[1]);
	CHECK_EQ(rd(&f, PENDING(1)), 1 << 8);
	CHECK_EQ(rd(&f, CLAIM(2)), 40);
	CHECK(!f.level[0] && !f.level[2]);
	CHECK_EQ(rd(&f, CLAIM(0)), 0);
	/* Completion by a hart for which it is not enabled is ignored. */
	wr(&f, CLAIM(1), 40);
	CHECK(!f.level[0]);
	wr(&f, CLAIM(0), 40);
	CHECK(f.level[0] && f.level[2]);
	riscv_plic_destroy(f.plic);
}

/* Writing enables or the threshold tells the hart its level anew: it may have been reset. */
static void test_redrive(void)
{
	struct fixture f;
	unsigned int calls;

	setup(&f);
	wr(&f, PRIORITY(3), 1);
	enable(&f, 1, 3);
	line(&f, 3, true);
	CHECK(f.level[1]);
	f.level[1] = false; /* what a reset of the hart does */
	calls = f.calls;
	wr(&f, THRESHOLD(1), 0);
	CHECK(f.level[1]);
	CHECK_EQ(f.calls, calls + 1);
	/* But what changes nothing for a hart costs it nothing. */
	calls = f.calls;
	line(&f, 3, true);
	line(&f, 9, true);
	CHECK_EQ(f.calls, calls);
	riscv_plic_destroy(f.plic);
}

/* Registers that do not exist, and sizes that are not words. */
static void test_hostile(void)
{
	static const uint64_t offsets[] = {
		0, PRIORITY(SOURCES + 1), PRIORITY(1023), PENDING(0), PENDING(31), 0x1080, 0x1ffc,
		ENABLE(0, 2), ENABLE(HARTS, 0), ENABLE(HARTS - 1, 31), 0x1ffffc, CLAIM(HARTS), THRESHOLD(HARTS),
		0x200008, 0x200ffc, 0x3fffffc,
	};
	struct fixture f;

	setup(&f);
	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		wr(&f, offsets[i], UINT32_MAX);
		CHECK_EQ(rd(&f, offsets[i]), 0);
	}
	wr(&f, ENABLE(0, 0), UINT32_MAX);
	CHECK_EQ(rd(&f, ENABLE(0, 0)), UINT32_MAX & ~1u); /* source 0 does not exist */
	wr(&f, ENABLE(0, 1), UINT32_MAX);
	CHECK_EQ(rd(&f, ENABLE(0, 1)), UINT32_MAX);

	wr(&f, PRIORITY(1), 1);
	riscv_plic_bus_ops.write(f.plic, PRIORITY(1), 1, 5);
	riscv_plic_bus_ops.write(f.plic, PRIORITY(1), 8, 5);
	riscv_plic_bus_ops.write(f.plic, PRIORITY(1) + 1, 4, 5);
	CHECK_EQ(rd(&f, PRIORITY(1)), 1);
	CHECK_EQ(riscv_plic_bus_ops.read(f.plic, PRIORITY(1), 8), 0);

	line(&f, 0, true);
	line(&f, SOURCES + 1, true);
	line(&f, UINT32_MAX, true);
	CHECK_EQ(rd(&f, PENDING(0)), 0);
	wr(&f, CLAIM(0), 0);
	wr(&f, CLAIM(0), 1024);
	wr(&f, CLAIM(0), UINT32_MAX);
	riscv_plic_destroy(f.plic);
	riscv_plic_destroy(NULL);
}

/* As many sources as a PLIC can have, and a number of them that does not fill a word. */
static void test_sizes(void)
{
	static const unsigned int sizes[] = { 1, 31, 32, 33, 1023, 5000 };
	struct fixture f = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned int last = MIN(sizes[i], 1023u);
		uint32_t mask = last % 32 == 31 ? UINT32_MAX : (UINT32_C(1) << (last % 32 + 1)) - 1;

		CHECK_EQ(riscv_plic_create(&f.plic, 1, sizes[i], drive, &f), 0);
		wr(&f, PRIORITY(last), 1);
		wr(&f, ENABLE(0, last / 32), UINT32_MAX);
		CHECK_EQ(rd(&f, ENABLE(0, last / 32)), last / 32 ? mask : mask & ~1u);
		line(&f, last, true);
		CHECK_EQ(rd(&f, CLAIM(0)), last);
		riscv_plic_destroy(f.plic);
	}
	CHECK_EQ(riscv_plic_bytes(1), 0x201000);
	CHECK_EQ(riscv_plic_bytes(512), 0x400000);
}

#define ROUNDS 2000

static void *raise_lines(void *arg)
{
	struct fixture *f = arg;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		line(f, 1 + i % SOURCES, true);
		line(f, 1 + i % SOURCES, false);
	}
	return NULL;
}

/* Devices raise lines while harts claim: nothing is lost that was latched, nothing crashes. */
static void test_threads(void)
{
	struct fixture f;
	pthread_t t[2];
	uint32_t irq;

	setup(&f);
	for (unsigned int irq_nr = 1; irq_nr <= SOURCES; irq_nr++) {
		wr(&f, PRIORITY(irq_nr), 1);
		enable(&f, 0, irq_nr);
	}
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		CHECK_EQ(pthread_create(&t[i], NULL, raise_lines, &f), 0);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		irq = rd(&f, CLAIM(0));
		if (irq)
			wr(&f, CLAIM(0), irq);
	}
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		pthread_join(t[i], NULL);
	while ((irq = rd(&f, CLAIM(0))))
		wr(&f, CLAIM(0), irq);
	CHECK(!f.level[0]);
	riscv_plic_destroy(f.plic);
}

const struct test riscv_plic_tests[] = {
	{ "life", test_life },
	{ "gateway", test_gateway },
	{ "priorities", test_priorities },
	{ "threshold", test_threshold },
	{ "two_harts", test_two_harts },
	{ "redrive", test_redrive },
	{ "hostile", test_hostile },
	{ "sizes", test_sizes },
	{ "threads", test_threads },
	{ 0 },
};
