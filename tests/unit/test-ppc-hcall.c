// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/hcall.h"

#include <stdlib.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "powerpc/hcall-names.h"
#include "tests/unit/test.h"

#define RAM_BYTES 0x10000
#define DEVICE    0x70000000u
#define VTY       0x71000000u
#define LIOBN     0x80000000u

struct fixture {
	struct memory      mem;
	struct bus         mmio;
	struct ppc_rtas    rtas;
	struct ppc_hcalls *h;
	uint8_t  out[64];
	size_t   out_len;
	const char *in;
	unsigned int vty; /* that was used last */
	uint64_t lpcr_value, lpcr_mask;
	int64_t  lpcr_ret;
	uint32_t table_flags;
	uint64_t table;
	unsigned int tables;
	bool     knows_cpu;
	uint64_t reg;
	unsigned int reg_size;
};

static void fake_write(void *ctx, unsigned int vty, const void *buf, size_t len)
{
	struct fixture *f = ctx;

	f->vty = vty;
	CHECK(len <= sizeof(f->out) - f->out_len);
	memcpy(f->out + f->out_len, buf, len);
	f->out_len += len;
}

static size_t fake_read(void *ctx, unsigned int vty, void *buf, size_t len)
{
	struct fixture *f = ctx;
	size_t n = MIN(len, strlen(f->in));

	f->vty = vty;
	memcpy(buf, f->in, n);
	f->in += n;
	return n;
}

static int64_t fake_set_lpcr(void *ctx, uint64_t value, uint64_t mask)
{
	struct fixture *f = ctx;

	f->lpcr_value = value;
	f->lpcr_mask = mask;
	return f->lpcr_ret;
}

static int64_t fake_set_process_table(void *ctx, uint32_t flags, uint64_t table)
{
	struct fixture *f = ctx;

	f->table_flags = flags;
	f->table = table;
	f->tables++;
	return H_SUCCESS;
}

static bool fake_characteristics(void *ctx, uint64_t *character, uint64_t *behaviour)
{
	struct fixture *f = ctx;

	*character = 0x11;
	*behaviour = 0x22;
	return f->knows_cpu;
}

static const struct ppc_hcall_ops ops = {
	.vty_write = fake_write,
	.vty_read = fake_read,
	.set_lpcr = fake_set_lpcr,
	.set_process_table = fake_set_process_table,
	.cpu_characteristics = fake_characteristics,
};

static uint64_t reg_read(void *dev, uint64_t offset, unsigned int size)
{
	struct fixture *f = dev;

	CHECK_EQ(offset, 0);
	f->reg_size = size;
	return f->reg;
}

static void reg_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	struct fixture *f = dev;

	CHECK_EQ(offset, 0);
	f->reg_size = size;
	f->reg = value;
}

static const struct bus_ops reg_ops = { .read = reg_read, .write = reg_write };

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->in = "";
	memory_init(&f->mem);
	CHECK_EQ(memory_add(&f->mem, "ram", 0, RAM_BYTES, false, NULL), 0);
	bus_init(&f->mmio, "mmio");
	CHECK_EQ(bus_add(&f->mmio, &(struct bus_window){
				.name = "reg", .base = DEVICE, .size_bytes = 8, .ops = &reg_ops, .dev = f,
			 }), 0);
	f->rtas = (struct ppc_rtas){ .memory = &f->mem };
	f->h = calloc(1, sizeof(*f->h));
	f->h->ops = &ops;
	f->h->ctx = f;
	f->h->memory = &f->mem;
	f->h->mmio = &f->mmio;
	f->h->rtas = &f->rtas;
	f->h->vtys[0] = VTY;
	f->h->vtys[1] = VTY + 1;
	f->h->liobn = LIOBN;
	f->h->radix = true;
	f->h->process_table = PPC_PATE1_RADIX;
}

static void teardown(struct fixture *f)
{
	free(f->h);
	memory_exit(&f->mem);
}

static struct ppc_hcall call(struct fixture *f, uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct ppc_hcall call = { .nr = nr, .args = { a, b, c, d }, .ret = 4711 };

	ppc_hcall_serve(f->h, &call);
	return call;
}

/* The numbers are those by which reports name them. */
static void test_numbers(void)
{
	static const struct {
		uint64_t nr;
		const char *name;
	} rows[] = {
		{ H_CLEAR_MOD, "H_CLEAR_MOD" }, { H_CLEAR_REF, "H_CLEAR_REF" }, { H_GET_TCE, "H_GET_TCE" },
		{ H_PUT_TCE, "H_PUT_TCE" }, { H_LOGICAL_CI_LOAD, "H_LOGICAL_CI_LOAD" },
		{ H_LOGICAL_CI_STORE, "H_LOGICAL_CI_STORE" }, { H_GET_TERM_CHAR, "H_GET_TERM_CHAR" },
		{ H_PUT_TERM_CHAR, "H_PUT_TERM_CHAR" }, { H_STUFF_TCE, "H_STUFF_TCE" },
		{ H_PUT_TCE_INDIRECT, "H_PUT_TCE_INDIRECT" },
		{ H_GET_CPU_CHARACTERISTICS, "H_GET_CPU_CHARACTERISTICS" }, { H_SET_MODE, "H_SET_MODE" },
		{ H_REGISTER_PROC_TBL, "H_REGISTER_PROC_TBL" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *name = ppc_hcall_name(rows[i].nr);

		CHECK_STR(name ? name : "", rows[i].name);
	}
	CHECK_STR(ppc_hcall_status_name(H_PARAMETER), "H_PARAMETER");
	CHECK_STR(ppc_hcall_status_name(H_P2), "H_P2");
}

static void test_console(void)
{
	struct ppc_hcall c;
	struct fixture f;

	setup(&f);
	CHECK_EQ(call(&f, H_PUT_TERM_CHAR, VTY, 10, 0x3031323334353637, 0x3839ffffffffffff).ret, H_SUCCESS);
	CHECK_EQ(f.out_len, 10);
	CHECK(!memcmp(f.out, "0123456789", 10));
	CHECK_EQ(call(&f, H_PUT_TERM_CHAR, VTY, 17, 0, 0).ret, H_PARAMETER);
	CHECK_EQ(call(&f, H_PUT_TERM_CHAR, VTY, UINT64_MAX, 0, 0).ret, H_PARAMETER);
	CHECK_EQ(call(&f, H_PUT_TERM_CHAR, 0, 1, 0, 0).ret, H_PARAMETER);
	CHECK_EQ(f.out_len, 10);

	f.in = "nineteen characters";
	c = call(&f, H_GET_TERM_CHAR, VTY, 0, 0, 0);
	CHECK_EQ(c.ret, H_SUCCESS);
	CHECK_EQ(c.args[0], 16);
	CHECK_EQ(c.args[1], 0x6e696e657465656e);
	c = call(&f, H_GET_TERM_CHAR, VTY, 0, 0, 0);
	CHECK_EQ(c.args[0], 3);
	CHECK_EQ(c.args[1], UINT64_C(0x657273) << 40);
	c = call(&f, H_GET_TERM_CHAR, VTY, 0, 0, 0);
	CHECK_EQ(c.args[0], 0);
	CHECK_EQ(call(&f, H_GET_TERM_CHAR, 1, 0, 0, 0).ret, H_PARAMETER);

	f.in = "a\rb";
	c = call(&f, H_GET_TERM_CHAR, VTY, 0, 0, 0);
	CHECK_EQ(c.args[0], 2);
	CHECK_EQ(c.args[1], UINT64_C(0x610d) << 48);
	CHECK_EQ(call(&f, H_GET_TERM_CHAR, VTY, 0, 0, 0).args[0], 1);

	/* The second one, and none beyond. */
	CHECK_EQ(call(&f, H_PUT_TERM_CHAR, VTY + 1, 1, 0, 0).ret, H_SUCCESS);
	CHECK_EQ(f.vty, 1);
	CHECK_EQ(call(&f, H_PUT_TERM_CHAR, VTY + 2, 1, 0, 0).ret, H_PARAMETER);

	/* Without vterms there is not even terminal 0. */
	f.h->vtys[0] = f.h->vtys[1] = 0;
	CHECK_EQ(call(&f, H_PUT_TERM_CHAR, 0, 1, 0, 0).ret, H_PARAMETER);
	CHECK_EQ(call(&f, H_GET_TERM_CHAR, 0, 0, 0, 0).ret, H_PARAMETER);
	teardown(&f);
}

static void test_cache_inhibited(void)
{
	struct ppc_hcall c;
	struct fixture f;

	setup(&f);
	/* The register is a little-endian one; the call's values are big-endian. */
	f.reg = 0x11223344;
	c = call(&f, H_LOGICAL_CI_LOAD, 4, DEVICE, 0, 0);
	CHECK_EQ(c.ret, H_SUCCESS);
	CHECK_EQ(c.args[0], 0x44332211);
	CHECK_EQ(f.reg_size, 4);
	CHECK_EQ(call(&f, H_LOGICAL_CI_STORE, 2, DEVICE, 0xaabb, 0).ret, H_SUCCESS);
	CHECK_EQ(f.reg, 0xbbaa);
	/* RAM, and where nothing is. */
	CHECK_EQ(call(&f, H_LOGICAL_CI_STORE, 8, 0x100, 0x0102030405060708, 0).ret, H_SUCCESS);
	CHECK_EQ(*(uint8_t *)memory_ptr(&f.mem, 0x107, 1), 8);
	CHECK_EQ(call(&f, H_LOGICAL_CI_LOAD, 1, 0x101, 0, 0).args[0], 2);
	CHECK_EQ(call(&f, H_LOGICAL_CI_LOAD, 8, UINT64_MAX - 7, 0, 0).args[0], UINT64_MAX);
	CHECK_EQ(call(&f, H_LOGICAL_CI_LOAD, 3, DEVICE, 0, 0).ret, H_PARAMETER);
	CHECK_EQ(call(&f, H_LOGICAL_CI_STORE, 16, DEVICE, 0, 0).ret, H_PARAMETER);
	CHECK_EQ(call(&f, H_LOGICAL_CI_STORE, 0, DEVICE, 0, 0).ret, H_PARAMETER);
	teardown(&f);
}

static void test_set_mode(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(call(&f, H_SET_MODE, 1, 4, 0, 0).ret, H_SUCCESS);
	CHECK_EQ(f.lpcr_value, PPC_LPCR_ILE);
	CHECK_EQ(f.lpcr_mask, PPC_LPCR_ILE);
	CHECK_EQ(call(&f, H_SET_MODE, 0, 4, 0, 0).ret, H_SUCCESS);
	CHECK_EQ(f.lpcr_value, 0);
	CHECK_EQ(call(&f, H_SET_MODE, 3, 3, 0, 0).ret, H_SUCCESS);
	CHECK_EQ(f.lpcr_value, UINT64_C(3) << 23);
	CHECK_EQ(f.lpcr_mask, UINT64_C(3) << 23);
	f.lpcr_ret = H_LONG_BUSY_1_MSEC;
	CHECK_EQ(call(&f, H_SET_MODE, 1, 4, 0, 0).ret, H_LONG_BUSY_1_MSEC);
	CHECK_EQ(call(&f, H_SET_MODE, 2, 4, 0, 0).ret, H_UNSUPPORTED_FLAG_0);
	CHECK_EQ(call(&f, H_SET_MODE, 1, 3, 0, 0).ret, H_UNSUPPORTED_FLAG_0);
	CHECK_EQ(call(&f, H_SET_MODE, 2, 3, 0, 0).ret, H_UNSUPPORTED_FLAG_0);
	CHECK_EQ(call(&f, H_SET_MODE, 1, 9, 0, 0).ret, H_P2);
	CHECK_EQ(call(&f, H_SET_MODE, 1, 4, 1, 0).ret, H_P3);
	CHECK_EQ(call(&f, H_SET_MODE, 1, 4, 0, 1).ret, H_P4);
	teardown(&f);
}

static void test_process_table(void)
{
	const uint64_t new = PPC_PROC_TBL_MODIFY | PPC_PROC_TBL_REGISTER;
	const uint64_t radix = PPC_PROC_TBL_RADIX | PPC_PROC_TBL_GTSE;
	struct fixture f;

	setup(&f);
	CHECK_EQ(call(&f, H_REGISTER_PROC_TBL, new | radix, 0x1230000, 0, 12).ret, H_SUCCESS);
	CHECK_EQ(f.table, PPC_PATE1_RADIX | 0x1230000 | 12);
	CHECK_EQ(f.table_flags, radix);
	CHECK_EQ(f.h->process_table, f.table);
	/* As it was, then none. */
	CHECK_EQ(call(&f, H_REGISTER_PROC_TBL, radix, 0, 0, 0).ret, H_SUCCESS);
	CHECK_EQ(f.table, PPC_PATE1_RADIX | 0x1230000 | 12);
	CHECK_EQ(call(&f, H_REGISTER_PROC_TBL, PPC_PROC_TBL_MODIFY, 0, 0, 0).ret, H_SUCCESS);
	CHECK_EQ(f.table, PPC_PATE1_RADIX);

	f.tables = 0;
	CHECK_EQ(call(&f, H_REGISTER_PROC_TBL, new | radix, 0x1230800, 0, 12).ret, H_P2);
	CHECK_EQ(call(&f, H_REGISTER_PROC_TBL, new | radix, UINT64_C(1) << 60, 0, 12).ret, H_P2);
	CHECK_EQ(call(&f, H_REGISTER_PROC_TBL, new | radix, 0x1230000, 5, 12).ret, H_P3);
	CHECK_EQ(call(&f, H_REGISTER_PROC_TBL, new | radix, 0x1230000, 0, 25).ret, H_P4);
	CHECK_EQ(call(&f, H_REGISTER_PROC_TBL, 0x20 | radix, 0, 0, 0).ret, H_PARAMETER);
	/* The MMU is what it is. */
	CHECK_EQ(call(&f, H_REGISTER_PROC_TBL, new, 0x1230000, 0, 12).ret, H_PARAMETER);
	CHECK_EQ(call(&f, H_REGISTER_PROC_TBL, 0, 0, 0, 0).ret, H_PARAMETER);
	f.h->radix = false;
	f.h->process_table = 0;
	CHECK_EQ(call(&f, H_REGISTER_PROC_TBL, new | radix, 0x1230000, 0, 12).ret, H_PARAMETER);
	CHECK_EQ(call(&f, H_REGISTER_PROC_TBL, new, 0x1230000, 0, 12).ret, H_PARAMETER);
	CHECK_EQ(f.tables, 0);
	CHECK_EQ(call(&f, H_REGISTER_PROC_TBL, 0, 0, 0, 0).ret, H_SUCCESS);
	CHECK_EQ(f.table, 0);
	CHECK_EQ(f.table_flags, 0);
	teardown(&f);
}

static void test_tces(void)
{
	const uint64_t last = PPC_TCE_WINDOW_BYTES - 0x1000;
	struct fixture f;

	setup(&f);
	CHECK_EQ(call(&f, H_PUT_TCE, LIOBN, 0x3000, 0xabc003, 0).ret, H_SUCCESS);
	CHECK_EQ(call(&f, H_GET_TCE, LIOBN, 0x3fff, 0, 0).args[0], 0xabc003);
	CHECK_EQ(call(&f, H_STUFF_TCE, LIOBN, 0x3000, 7, 2).ret, H_SUCCESS);
	CHECK_EQ(call(&f, H_GET_TCE, LIOBN, 0x4000, 0, 0).args[0], 7);
	CHECK_EQ(call(&f, H_GET_TCE, LIOBN, 0x5000, 0, 0).args[0], 0);
	put_be64(memory_ptr(&f.mem, 0x1000, 16), 0x111);
	put_be64(memory_ptr(&f.mem, 0x1008, 8), 0x222);
	CHECK_EQ(call(&f, H_PUT_TCE_INDIRECT, LIOBN, last - 0x1000, 0x1000, 2).ret, H_SUCCESS);
	CHECK_EQ(call(&f, H_GET_TCE, LIOBN, last, 0, 0).args[0], 0x222);
	/* Other tables, and what lies beyond the window or guest memory. */
	CHECK_EQ(call(&f, H_PUT_TCE, 1, 0, 0, 0).ret, H_PARAMETER);
	CHECK_EQ(call(&f, H_GET_TCE, LIOBN, last + 0x1000, 0, 0).ret, H_PARAMETER);
	CHECK_EQ(call(&f, H_STUFF_TCE, LIOBN, last, 0, 2).ret, H_PARAMETER);
	CHECK_EQ(call(&f, H_STUFF_TCE, LIOBN, 0x1000, 0, UINT64_MAX).ret, H_PARAMETER);
	CHECK_EQ(call(&f, H_PUT_TCE, LIOBN, UINT64_MAX, 0, 0).ret, H_PARAMETER);
	CHECK_EQ(call(&f, H_PUT_TCE_INDIRECT, LIOBN, 0, RAM_BYTES - 8, 2).ret, H_PARAMETER);
	CHECK_EQ(call(&f, H_PUT_TCE_INDIRECT, LIOBN, 0, 0, 513).ret, H_PARAMETER);
	CHECK_EQ(call(&f, H_PUT_TCE_INDIRECT, LIOBN, 0, 0, UINT64_C(1) << 61).ret, H_PARAMETER);
	teardown(&f);
}

static void test_others(void)
{
	struct ppc_hcall c;
	struct fixture f;

	setup(&f);
	CHECK_EQ(call(&f, H_GET_CPU_CHARACTERISTICS, 0, 0, 0, 0).ret, H_FUNCTION);
	f.knows_cpu = true;
	c = call(&f, H_GET_CPU_CHARACTERISTICS, 0, 0, 0, 0);
	CHECK_EQ(c.ret, H_SUCCESS);
	CHECK_EQ(c.args[0], 0x11);
	CHECK_EQ(c.args[1], 0x22);
	CHECK_EQ(call(&f, 0x104, 0, 0, 0, 0).ret, H_FUNCTION);
	CHECK_EQ(call(&f, UINT64_MAX, 0, 0, 0, 0).ret, H_FUNCTION);
	/* RTAS: a block, and none. */
	put_be32(memory_ptr(&f.mem, 0x100, 4), 1);
	put_be32(memory_ptr(&f.mem, 0x104, 4), 0);
	put_be32(memory_ptr(&f.mem, 0x108, 4), 1);
	CHECK_EQ(call(&f, KVMPPC_H_RTAS, 0x100, 0, 0, 0).ret, H_SUCCESS);
	CHECK_EQ(get_be32(memory_ptr(&f.mem, 0x10c, 4)), (uint32_t)RTAS_PARAMETER_ERROR);
	CHECK_EQ(call(&f, KVMPPC_H_RTAS, RAM_BYTES, 0, 0, 0).ret, H_PARAMETER);
	teardown(&f);
}

const struct test ppc_hcall_tests[] = {
	{ "numbers", test_numbers },
	{ "console", test_console },
	{ "cache_inhibited", test_cache_inhibited },
	{ "set_mode", test_set_mode },
	{ "process_table", test_process_table },
	{ "tces", test_tces },
	{ "others", test_others },
	{ 0 },
};
