// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/rtas.h"

#include <errno.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "tests/unit/test.h"

#define RAM_BYTES 0x20000
#define ARGS      0x1000
#define BUID      UINT64_C(0x800000020000000)
#define MSI       UINT64_C(0x40000000000)

struct fixture {
	struct memory    mem;
	uint8_t         *ram;
	struct ppc_rtas  rtas;
	struct bus       mmio;
	struct pci_host *pci;
	char             out[64];
	size_t           out_len;
	char             panic[200];
	unsigned int     power_offs, reboots, stops;
	uint32_t         started;
	uint64_t         entry, r3;
	int              interrupts;
};

static void fake_write(void *ctx, const void *buf, size_t len)
{
	struct fixture *f = ctx;

	CHECK(len <= sizeof(f->out) - f->out_len);
	memcpy(f->out + f->out_len, buf, len);
	f->out_len += len;
}

static void fake_power_off(void *ctx)
{
	((struct fixture *)ctx)->power_offs++;
}

static void fake_reboot(void *ctx)
{
	((struct fixture *)ctx)->reboots++;
}

static void fake_os_term(void *ctx, const char *text)
{
	struct fixture *f = ctx;

	CHECK(strlen(text) < sizeof(f->panic));
	strcpy(f->panic, text);
}

static int fake_start_cpu(void *ctx, uint32_t cpu, uint64_t entry, uint64_t r3)
{
	struct fixture *f = ctx;

	if (cpu > 3)
		return RTAS_PARAMETER_ERROR;
	f->started = cpu;
	f->entry = entry;
	f->r3 = r3;
	return RTAS_SUCCESS;
}

static void fake_stop_self(void *ctx)
{
	((struct fixture *)ctx)->stops++;
}

static int fake_cpu_state(void *ctx, uint32_t cpu)
{
	(void)ctx;
	return cpu > 3 ? -1 : cpu ? RTAS_CPU_STOPPED : RTAS_CPU_RUNNING;
}

static int fake_start_interrupts(void *ctx)
{
	return ((struct fixture *)ctx)->interrupts;
}

static const struct ppc_rtas_ops ops = {
	.console_write = fake_write,
	.power_off = fake_power_off,
	.reboot = fake_reboot,
	.os_term = fake_os_term,
	.start_cpu = fake_start_cpu,
	.stop_self = fake_stop_self,
	.cpu_state = fake_cpu_state,
	.start_interrupts = fake_start_interrupts,
};

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	memory_init(&f->mem);
	CHECK_EQ(memory_add(&f->mem, "ram", 0, RAM_BYTES, false, NULL), 0);
	f->ram = memory_ptr(&f->mem, 0, 1);
	f->rtas = (struct ppc_rtas){
		.ops = &ops, .ctx = f, .memory = &f->mem, .buid = BUID, .msi_address = MSI,
	};
}

static void teardown(struct fixture *f)
{
	pci_host_destroy(f->pci);
	memory_exit(&f->mem);
}

/* Calls @token with @nr arguments; the status and the results, @nr_results of them in all, are in f->ram. */
static int32_t call_token(struct fixture *f, uint32_t token, unsigned int nr, const uint32_t *args,
			  unsigned int nr_results)
{
	put_be32(f->ram + ARGS, token);
	put_be32(f->ram + ARGS + 4, nr);
	put_be32(f->ram + ARGS + 8, nr_results);
	for (unsigned int i = 0; i < nr; i++)
		put_be32(f->ram + ARGS + 12 + 4 * i, args[i]);
	memset(f->ram + ARGS + 12 + (size_t)4 * nr, 0x5a, (size_t)4 * nr_results + 4);
	CHECK_EQ(ppc_rtas_call(&f->rtas, ARGS), 0);
	/* Nothing is written behind what was asked for. */
	CHECK_EQ(get_be32(f->ram + ARGS + 12 + 4 * (nr + nr_results)), 0x5a5a5a5a);
	return (int32_t)get_be32(f->ram + ARGS + 12 + 4 * nr);
}

static int32_t call(struct fixture *f, const char *name, unsigned int nr, const uint32_t *args,
		    unsigned int nr_results)
{
	uint32_t token = ppc_rtas_token(name);

	CHECK(token >= PPC_RTAS_TOKEN_FIRST);
	return call_token(f, token, nr, args, nr_results);
}

static uint32_t result(const struct fixture *f, unsigned int nr_args, unsigned int i)
{
	return get_be32(f->ram + ARGS + 12 + 4 * (nr_args + i));
}

#define ARGS_OF(...) sizeof((uint32_t[]){ __VA_ARGS__ }) / 4, (const uint32_t[]){ __VA_ARGS__ }

static void test_tokens(void)
{
	unsigned int kernel = 0, n = 0;

	for (; ppc_rtas_name(n); n++) {
		CHECK_EQ(ppc_rtas_token(ppc_rtas_name(n)), PPC_RTAS_TOKEN_FIRST + n);
		kernel += ppc_rtas_in_kernel(n);
	}
	CHECK(n > 10);
	CHECK_EQ(kernel, 4);
	CHECK(!ppc_rtas_in_kernel(n));
	CHECK_EQ(ppc_rtas_token("nvram-fetch"), 0);
	/* Bare-metal guests know them by number. */
	CHECK_EQ(ppc_rtas_token("power-off"), 0x2002);
	CHECK_EQ(ppc_rtas_token("query-cpu-stopped-state"), 0x2008);
}

static void test_power(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(call(&f, "display-character", ARGS_OF('x'), 1), 0);
	CHECK_EQ(call(&f, "display-character", ARGS_OF('\n'), 1), 0);
	CHECK_STR(f.out, "x\n");
	CHECK_EQ(call(&f, "power-off", ARGS_OF(UINT32_MAX, UINT32_MAX), 1), 0);
	CHECK_EQ(f.power_offs, 1);
	CHECK_EQ(call(&f, "system-reboot", 0, NULL, 1), 0);
	CHECK_EQ(f.reboots, 1);
	CHECK_EQ(call(&f, "get-time-of-day", 0, NULL, 8), 0);
	CHECK(result(&f, 0, 1) >= 2024);
	CHECK(result(&f, 0, 2) >= 1 && result(&f, 0, 2) <= 12);
	CHECK(result(&f, 0, 3) >= 1 && result(&f, 0, 3) <= 31);
	CHECK(result(&f, 0, 4) <= 23 && result(&f, 0, 5) <= 59 && result(&f, 0, 6) <= 60);
	CHECK(result(&f, 0, 7) < 1000000000);
	teardown(&f);
}

/* The text is the guest's: it ends where memory, or what can be printed, does. */
static void test_os_term(void)
{
	struct fixture f;

	setup(&f);
	memcpy(f.ram + 0x8000, "boom\0bang", 10);
	CHECK_EQ(call(&f, "ibm,os-term", ARGS_OF(0x8000), 1), 0);
	CHECK_STR(f.panic, "boom");
	memcpy(f.ram + RAM_BYTES - 3, "end", 3);
	CHECK_EQ(call(&f, "ibm,os-term", ARGS_OF(RAM_BYTES - 3), 1), 0);
	CHECK_STR(f.panic, "end");
	CHECK_EQ(call(&f, "ibm,os-term", ARGS_OF(0xfffffff0), 1), 0);
	CHECK_STR(f.panic, "");
	memset(f.ram + 0x8000, 'a', 0x1000);
	CHECK_EQ(call(&f, "ibm,os-term", ARGS_OF(0x8000), 1), 0);
	CHECK_EQ(strlen(f.panic), 159);
	memcpy(f.ram + 0x8000, "one\ntwo", 8);
	CHECK_EQ(call(&f, "ibm,os-term", ARGS_OF(0x8000), 1), 0);
	CHECK_STR(f.panic, "one");
	teardown(&f);
}

static void test_cpus(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(call(&f, "start-cpu", ARGS_OF(2, 0x4000, 0x77), 1), 0);
	CHECK_EQ(f.started, 2);
	CHECK_EQ(f.entry, 0x4000);
	CHECK_EQ(f.r3, 0x77);
	CHECK_EQ(call(&f, "start-cpu", ARGS_OF(4, 0x4000, 0), 1), RTAS_PARAMETER_ERROR);
	CHECK_EQ(call(&f, "query-cpu-stopped-state", ARGS_OF(0), 2), 0);
	CHECK_EQ(result(&f, 1, 1), RTAS_CPU_RUNNING);
	CHECK_EQ(call(&f, "query-cpu-stopped-state", ARGS_OF(1), 2), 0);
	CHECK_EQ(result(&f, 1, 1), RTAS_CPU_STOPPED);
	CHECK_EQ(call(&f, "query-cpu-stopped-state", ARGS_OF(9), 2), RTAS_PARAMETER_ERROR);
	CHECK_EQ(call(&f, "stop-self", 0, NULL, 1), 0);
	CHECK_EQ(f.stops, 1);
	teardown(&f);
}

/* KVM's own services come here before KVM knows of them, and then go to KVM, with all results yet to be stored. */
static void test_interrupts(void)
{
	struct fixture f;

	setup(&f);
	f.interrupts = RTAS_PARAMETER_ERROR;
	CHECK_EQ(call(&f, "ibm,set-xive", ARGS_OF(1, 2, 3), 1), RTAS_PARAMETER_ERROR);
	f.interrupts = RTAS_HARDWARE_ERROR;
	CHECK_EQ(call(&f, "ibm,int-on", ARGS_OF(1), 1), RTAS_HARDWARE_ERROR);
	f.interrupts = RTAS_SUCCESS;
	put_be32(f.ram + ARGS, ppc_rtas_token("ibm,get-xive"));
	put_be32(f.ram + ARGS + 4, 1);
	put_be32(f.ram + ARGS + 8, 3);
	put_be32(f.ram + ARGS + 16, 0x5a5a5a5a);
	CHECK_EQ(ppc_rtas_call(&f.rtas, ARGS), -EAGAIN);
	CHECK_EQ((int32_t)result(&f, 1, 0), RTAS_BUSY);
	teardown(&f);
}

/* Argument blocks that no guest in its senses makes. */
static void test_hostile(void)
{
	static const uint32_t nothing[16];
	struct fixture f;

	setup(&f);
	CHECK_EQ(call_token(&f, 0, 0, NULL, 1), RTAS_PARAMETER_ERROR);
	CHECK_EQ(call_token(&f, PPC_RTAS_TOKEN_FIRST - 1, 0, NULL, 1), RTAS_PARAMETER_ERROR);
	CHECK_EQ(call_token(&f, UINT32_MAX, 16, nothing, 16), RTAS_PARAMETER_ERROR);
	/* Too few arguments, too few results, none at all. */
	CHECK_EQ(call(&f, "start-cpu", ARGS_OF(1, 2), 1), RTAS_PARAMETER_ERROR);
	CHECK_EQ(call(&f, "get-time-of-day", 0, NULL, 3), 0);
	(void)call(&f, "get-time-of-day", 0, NULL, 0);
	(void)call(&f, "get-time-of-day", 0, NULL, 16);

	put_be32(f.ram + ARGS + 4, 17);
	CHECK_EQ(ppc_rtas_call(&f.rtas, ARGS), -EFAULT);
	put_be32(f.ram + ARGS + 4, 0);
	put_be32(f.ram + ARGS + 8, UINT32_MAX);
	CHECK_EQ(ppc_rtas_call(&f.rtas, ARGS), -EFAULT);
	CHECK_EQ(ppc_rtas_call(&f.rtas, RAM_BYTES - 11), -EFAULT);
	put_be32(f.ram + RAM_BYTES - 12, ppc_rtas_token("system-reboot"));
	put_be32(f.ram + RAM_BYTES - 8, 0);
	put_be32(f.ram + RAM_BYTES - 4, 0);
	CHECK_EQ(ppc_rtas_call(&f.rtas, RAM_BYTES - 12), 0);
	CHECK_EQ(f.reboots, 1);
	put_be32(f.ram + RAM_BYTES - 4, 1);
	CHECK_EQ(ppc_rtas_call(&f.rtas, RAM_BYTES - 12), -EFAULT);
	CHECK_EQ(f.reboots, 1);
	CHECK_EQ(ppc_rtas_call(&f.rtas, UINT64_MAX - 4), -EFAULT);
	teardown(&f);
}

/* ---- PCI ---------------------------------------------------------------------------------------- */

static uint64_t no_read(void *dev, uint64_t offset, unsigned int size)
{
	(void)dev;
	(void)offset;
	(void)size;
	return 0;
}

static void no_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	(void)dev;
	(void)offset;
	(void)size;
	(void)value;
}

static const struct bus_ops no_ops = { .read = no_read, .write = no_write };

static int no_msi(void *ctx, const struct msi_message *msg)
{
	(void)ctx;
	(void)msg;
	return 0;
}

static void add_pci(struct fixture *f, unsigned int vectors)
{
	static const struct machine_pci machine = {
		.mem32 = { 0x80000000, MIB(64) },
	};
	static const struct irq_line lines[4];
	const struct msi_sink sink = { .send = no_msi };
	const struct pci_device_info info = {
		.vendor = 0x1af4, .device = 0x1042, .class_code = 0x018000,
		.bars[0] = { .size_bytes = 0x1000, .ops = &no_ops },
		.msix_vectors = vectors, .msix_bar = 1, .name = "fake",
	};
	struct pci_device *dev;

	bus_init(&f->mmio, "mmio");
	CHECK_EQ(pci_host_create(&f->pci, &machine, &f->mmio, NULL, lines, &sink), 0);
	CHECK_EQ(pci_device_add(f->pci, &info, &dev), 0);
	CHECK_EQ(pci_device_add(f->pci, &info, &dev), 0);
	f->rtas.pci = f->pci;
}

#define BUID_ARGS (uint32_t)(BUID >> 32), (uint32_t)BUID

static void test_pci_config(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(call(&f, "read-pci-config", ARGS_OF(0x800, 4), 2), RTAS_HARDWARE_ERROR);
	CHECK_EQ(call(&f, "ibm,read-pci-config", ARGS_OF(0x800, BUID_ARGS, 4), 2), RTAS_PARAMETER_ERROR);
	add_pci(&f, 3);
	CHECK_EQ(call(&f, "ibm,read-pci-config", ARGS_OF(0x800, BUID_ARGS, 4), 2), 0);
	CHECK_EQ(result(&f, 4, 1), 0x10421af4);
	CHECK_EQ(call(&f, "read-pci-config", ARGS_OF(0x802, 2), 2), 0);
	CHECK_EQ(result(&f, 2, 1), 0x1042);
	/* Absent functions read as ones; another bridge does not exist. */
	CHECK_EQ(call(&f, "ibm,read-pci-config", ARGS_OF(0x3000, BUID_ARGS, 2), 2), 0);
	CHECK_EQ(result(&f, 4, 1), 0xffff);
	CHECK_EQ(call(&f, "ibm,read-pci-config", ARGS_OF(0x800, 0, 1, 4), 2), RTAS_PARAMETER_ERROR);
	CHECK_EQ(call(&f, "ibm,read-pci-config", ARGS_OF(0x800, BUID_ARGS, 3), 2), RTAS_PARAMETER_ERROR);
	CHECK_EQ(call(&f, "ibm,write-pci-config", ARGS_OF(0x804, BUID_ARGS, 2, 6), 1), 0);
	CHECK_EQ(pci_config_read(f.pci, 8, 4, 2), 6);
	CHECK_EQ(call(&f, "write-pci-config", ARGS_OF(0x804, 2, 2), 1), 0);
	CHECK_EQ(pci_config_read(f.pci, 8, 4, 2), 2);
	CHECK_EQ(call(&f, "ibm,write-pci-config", ARGS_OF(0x804, BUID_ARGS, 8, 6), 1), RTAS_PARAMETER_ERROR);
	/* Bits 31 to 28 are the upper ones of the register's number: extended space, which is empty. */
	CHECK_EQ(call(&f, "ibm,read-pci-config", ARGS_OF(0x10000800, BUID_ARGS, 4), 2), 0);
	CHECK_EQ(result(&f, 4, 1), 0);
	teardown(&f);
}

static void test_msis(void)
{
	struct fixture f;
	uint8_t bytes[4];

	setup(&f);
	CHECK_EQ(ppc_rtas_assign_msis(&f.rtas, 0x1010, 64), 0);
	add_pci(&f, 3);
	CHECK_EQ(ppc_rtas_assign_msis(&f.rtas, 0x1010, 6), 6);
	/* The second device's follow those of the first. */
	CHECK_EQ(call(&f, "ibm,change-msi", ARGS_OF(0x1000, BUID_ARGS, 4, 2, 1), 4), 0);
	CHECK_EQ(result(&f, 6, 1), 2);
	CHECK_EQ(result(&f, 6, 2), 2);
	CHECK_EQ(result(&f, 6, 3), 2);
	CHECK_EQ(call(&f, "ibm,query-interrupt-source-number", ARGS_OF(0x1000, BUID_ARGS, 1), 3), 0);
	CHECK_EQ(result(&f, 4, 1), 0x1010 + 3 + 1);
	CHECK_EQ(result(&f, 4, 2), 1);
	CHECK_EQ(call(&f, "ibm,query-interrupt-source-number", ARGS_OF(0x1000, BUID_ARGS, 3), 3),
		 RTAS_PARAMETER_ERROR);
	/* What the table holds now: address and data of vector 1. */
	pci_config_write(f.pci, 16, 4, 2, 2);
	CHECK_EQ(bus_access(&f.mmio, pci_config_read(f.pci, 16, 0x14, 4) + 16 + 4, bytes, 4, false), 0);
	CHECK_EQ(get_le32(bytes), MSI >> 32);
	CHECK_EQ(bus_access(&f.mmio, pci_config_read(f.pci, 16, 0x14, 4) + 16 + 8, bytes, 4, false), 0);
	CHECK_EQ(get_le32(bytes), 0x1014);
	/* More than there are: as many as there are. None: given back. */
	CHECK_EQ(call(&f, "ibm,change-msi", ARGS_OF(0x800, BUID_ARGS, 4, 8, 1), 4), 0);
	CHECK_EQ(result(&f, 6, 1), 3);
	CHECK_EQ(call(&f, "ibm,change-msi", ARGS_OF(0x800, BUID_ARGS, 3, 0, 1), 3), 0);
	CHECK_EQ(result(&f, 6, 1), 0);
	/* Plain MSI, unknown functions, and devices that are not there or have none. */
	CHECK_EQ(call(&f, "ibm,change-msi", ARGS_OF(0x800, BUID_ARGS, 3, 1, 1), 4), RTAS_PARAMETER_ERROR);
	CHECK_EQ(call(&f, "ibm,change-msi", ARGS_OF(0x800, BUID_ARGS, 9, 1, 1), 4), RTAS_PARAMETER_ERROR);
	CHECK_EQ(call(&f, "ibm,change-msi", ARGS_OF(0x1800, BUID_ARGS, 4, 1, 1), 4), RTAS_PARAMETER_ERROR);
	CHECK_EQ(call(&f, "ibm,change-msi", ARGS_OF(0, BUID_ARGS, 4, 1, 1), 4), RTAS_PARAMETER_ERROR);
	CHECK_EQ(call(&f, "ibm,change-msi", ARGS_OF(0x800, 1, 2, 4, 1, 1), 4), RTAS_PARAMETER_ERROR);
	test_stderr_begin();
	CHECK_EQ(ppc_rtas_assign_msis(&f.rtas, 0x1010, 5), -ENOSPC);
	CHECK(strstr(test_stderr_end(), "too many interrupts") != NULL);
	teardown(&f);
}

static void test_code(void)
{
	size_t bytes;
	const uint8_t *code = ppc_rtas_code(&bytes);

	CHECK(bytes <= PPC_RTAS_BYTES);
	CHECK_EQ(get_be32(code), 0x7c641b78);             /* mr r4, r3 */
	CHECK_EQ(get_be32(code + 4), 0x3c600000);         /* lis r3, 0: the call again after H_BUSY */
	CHECK_EQ(get_be32(code + 12), 0x44000022);        /* sc 1 */
	CHECK_EQ(get_be32(code + 20), 0x41820000 | (uint16_t)(4 - 20)); /* beq */
	CHECK_EQ(get_be32(code + bytes - 4), 0x4e800020); /* blr */
}

const struct test ppc_rtas_tests[] = {
	{ "tokens", test_tokens },
	{ "power", test_power },
	{ "os_term", test_os_term },
	{ "cpus", test_cpus },
	{ "interrupts", test_interrupts },
	{ "hostile", test_hostile },
	{ "pci_config", test_pci_config },
	{ "msis", test_msis },
	{ "code", test_code },
	{ 0 },
};
