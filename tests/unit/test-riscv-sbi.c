// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/sbi.h"

#include <stdatomic.h>
#include <string.h>

#include "tests/unit/test.h"

#define RAM 0x80000000ULL

struct fixture {
	struct memory    mem;
	struct riscv_sbi sbi;
	uint8_t         *ram;
	uint8_t          out[8192];
	size_t           out_len;
	const char      *in;
	unsigned int     suspends;
};

static void fake_write(void *ctx, const void *buf, size_t len)
{
	struct fixture *f = ctx;

	CHECK(len <= sizeof(f->out) - f->out_len);
	memcpy(f->out + f->out_len, buf, len);
	f->out_len += len;
}

static size_t fake_read(void *ctx, void *buf, size_t len)
{
	struct fixture *f = ctx;
	size_t n = MIN(len, strlen(f->in));

	memcpy(buf, f->in, n);
	f->in += n;
	return n;
}

static void fake_suspend(void *ctx)
{
	((struct fixture *)ctx)->suspends++;
}

static const struct riscv_sbi_ops ops = {
	.console_write = fake_write,
	.console_read = fake_read,
	.suspend = fake_suspend,
};

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->in = "";
	memory_init(&f->mem);
	CHECK_EQ(memory_add(&f->mem, "ram", RAM, 0x10000, false, NULL), 0);
	f->ram = memory_ptr(&f->mem, RAM, 1);
	f->sbi = (struct riscv_sbi){ .ops = &ops, .ctx = f, .memory = &f->mem };
}

static struct riscv_sbi_call call(struct fixture *f, uint64_t ext, uint64_t fn, uint64_t a0, uint64_t a1,
				  uint64_t a2)
{
	struct riscv_sbi_call c = {
		.extension = ext, .function = fn, .args = { a0, a1, a2 }, .error = 77, .value = 77,
	};

	riscv_sbi_handle(&f->sbi, &c);
	return c;
}

static void check_result(struct riscv_sbi_call c, int64_t error, uint64_t value)
{
	CHECK_EQ(c.error, error);
	CHECK_EQ(c.value, value);
}

static void test_write(void)
{
	struct fixture f;

	setup(&f);
	memcpy(f.ram + 0x100, "hello", 5);
	check_result(call(&f, SBI_EXT_DBCN, 0, 5, RAM + 0x100, 0), 0, 5);
	CHECK_EQ(f.out_len, 5);
	CHECK(!memcmp(f.out, "hello", 5));
	/* The last byte of RAM, and not the one after it. */
	check_result(call(&f, SBI_EXT_DBCN, 0, 1, RAM + 0xffff, 0), 0, 1);
	check_result(call(&f, SBI_EXT_DBCN, 0, 2, RAM + 0xffff, 0), -3, 0);
	CHECK_EQ(f.out_len, 6);
	/* A large buffer is taken in parts; the guest asks again. */
	check_result(call(&f, SBI_EXT_DBCN, 0, 0x10000, RAM, 0), 0, 4096);
	memory_exit(&f.mem);
}

static void test_bad_buffers(void)
{
	static const uint64_t rows[][3] = {
		{ 1, RAM - 1, 0 },
		{ 2, RAM - 1, 0 },
		{ 0x10001, RAM, 0 },
		{ UINT64_MAX, RAM, 0 },
		{ UINT64_MAX, UINT64_MAX, 0 },
		{ 1, UINT64_MAX, 0 },
		{ 1, 0, 0 },
		{ 1, RAM, 1 },
		{ 1, RAM, UINT64_MAX },
	};
	struct fixture f;

	setup(&f);
	f.in = "never read";
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		check_result(call(&f, SBI_EXT_DBCN, 0, rows[i][0], rows[i][1], rows[i][2]), -3, 0);
		check_result(call(&f, SBI_EXT_DBCN, 1, rows[i][0], rows[i][1], rows[i][2]), -3, 0);
	}
	/* Nothing to move is no error, wherever it is. */
	check_result(call(&f, SBI_EXT_DBCN, 0, 0, 0, 0), 0, 0);
	check_result(call(&f, SBI_EXT_DBCN, 1, 0, UINT64_MAX, 1), 0, 0);
	CHECK_EQ(f.out_len, 0);
	CHECK_STR(f.in, "never read");
	memory_exit(&f.mem);
}

static void test_read(void)
{
	struct fixture f;

	setup(&f);
	check_result(call(&f, SBI_EXT_DBCN, 1, 16, RAM, 0), 0, 0);
	f.in = "input";
	check_result(call(&f, SBI_EXT_DBCN, 1, 3, RAM, 0), 0, 3);
	check_result(call(&f, SBI_EXT_DBCN, 1, 16, RAM + 3, 0), 0, 2);
	CHECK(!memcmp(f.ram, "input\0", 6));
	memory_exit(&f.mem);
}

static void test_write_byte(void)
{
	struct fixture f;

	setup(&f);
	check_result(call(&f, SBI_EXT_DBCN, 2, 0xffffff41, 0, 0), 0, 0);
	CHECK_EQ(f.out_len, 1);
	CHECK_EQ(f.out[0], 'A');
	check_result(call(&f, SBI_EXT_DBCN, 3, 0, 0, 0), -2, 0);
	memory_exit(&f.mem);
}

/* Results in a0 alone; a1 is the caller's. */
static void test_legacy(void)
{
	struct fixture f;

	setup(&f);
	check_result(call(&f, SBI_EXT_LEGACY_PUTCHAR, 0, 'x', 0x1234, 0), 0, 0x1234);
	CHECK_EQ(f.out[0], 'x');
	check_result(call(&f, SBI_EXT_LEGACY_GETCHAR, 0, 0, 0x1234, 0), -1, 0x1234);
	f.in = "\xff";
	check_result(call(&f, SBI_EXT_LEGACY_GETCHAR, 0, 0, 0x1234, 0), 0xff, 0x1234);
	memory_exit(&f.mem);
}

static void test_probe(void)
{
	struct fixture f;

	setup(&f);
	check_result(call(&f, SBI_EXT_BASE, SBI_BASE_PROBE_EXTENSION, 0x08000000, 0, 0), 0, 0);
	check_result(call(&f, SBI_EXT_BASE, SBI_BASE_PROBE_EXTENSION, 0x09abcdef, 0, 0), 0, 0);
	memory_exit(&f.mem);
}

static void test_unknown(void)
{
	static const uint64_t exts[] = {
		0x08000000, 0x09abcdef, 0x4d505859, 0x504d55, 0, 3, UINT64_MAX, 0x100000004442434e,
	};
	struct fixture f;

	setup(&f);
	for (size_t i = 0; i < ARRAY_SIZE(exts); i++)
		check_result(call(&f, exts[i], i, 1, RAM, 0), -2, 0);
	check_result(call(&f, SBI_EXT_BASE, 0, 0, 0, 0), -2, 0);
	CHECK_EQ(f.out_len, 0);
	memory_exit(&f.mem);
}

static void test_suspend(void)
{
	struct fixture f;

	setup(&f);
	check_result(call(&f, SBI_EXT_SUSP, 0, 0, RAM, 0x55), 0, 0);
	CHECK_EQ(f.suspends, 1);
	check_result(call(&f, SBI_EXT_SUSP, 1, 0, RAM, 0), -2, 0);
	CHECK_EQ(f.suspends, 1);
	memory_exit(&f.mem);
}

const struct test riscv_sbi_tests[] = {
	{ "write", test_write },
	{ "bad_buffers", test_bad_buffers },
	{ "read", test_read },
	{ "write_byte", test_write_byte },
	{ "legacy", test_legacy },
	{ "probe", test_probe },
	{ "unknown", test_unknown },
	{ "suspend", test_suspend },
	{ 0 },
};
