// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/uart8250.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

enum { RBR, THR = 0, DLL = 0, IER, DLM = 1, IIR, FCR = 2, LCR, MCR, LSR, MSR, SCR };

/* A UART behind a bus, its line, and no console. */
struct rig {
	struct uart8250 *uart;
	struct bus       bus;
	struct console_frontend fe;
	_Atomic bool     level;
	_Atomic unsigned int changes;
};

static void on_level(void *chip, uint32_t irq, bool level)
{
	struct rig *rig = chip;

	CHECK_EQ(irq, 5);
	CHECK(rig->level != level);
	rig->level = level;
	rig->changes++;
}

static const struct irq_chip_ops chip_ops = { .set_level = on_level };

static void rig_init_console(struct rig *rig, struct console *console)
{
	struct irq_line line = { .ops = &chip_ops, .chip = rig, .irq = 5 };
	struct bus_window w = {
		.name = "uart", .base = 0x3f8, .size_bytes = UART8250_BYTES,
		.ops = &uart8250_bus_ops,
	};

	memset(rig, 0, sizeof(*rig));
	CHECK_EQ(uart8250_create(&rig->uart, console, &line), 0);
	rig->fe = uart8250_frontend(rig->uart);
	bus_init(&rig->bus, "pio");
	w.dev = rig->uart;
	CHECK_EQ(bus_add(&rig->bus, &w), 0);
}

static void rig_init(struct rig *rig)
{
	rig_init_console(rig, NULL);
}

static void rig_exit(struct rig *rig)
{
	uart8250_device_ops.destroy(rig->uart);
}

static uint8_t in(struct rig *rig, unsigned int reg)
{
	uint8_t value;

	CHECK_EQ(bus_access(&rig->bus, 0x3f8 + reg, &value, 1, false), 0);
	return value;
}

static void out(struct rig *rig, unsigned int reg, uint8_t value)
{
	CHECK_EQ(bus_access(&rig->bus, 0x3f8 + reg, &value, 1, true), 0);
}

static void receive(struct rig *rig, const char *text)
{
	CHECK(rig->fe.can_receive(rig->fe.dev) >= strlen(text));
	rig->fe.receive(rig->fe.dev, (const uint8_t *)text, strlen(text));
}

static void test_reset_state(void)
{
	struct rig rig;

	rig_init(&rig);
	CHECK_EQ(in(&rig, IER), 0);
	CHECK_EQ(in(&rig, IIR), 0x01);
	CHECK_EQ(in(&rig, LSR), 0x60);
	CHECK_EQ(in(&rig, MSR), 0xb0);
	CHECK_EQ(in(&rig, MCR), 0);
	CHECK(!rig.level);
	CHECK_EQ(rig.changes, 0);
	rig_exit(&rig);
}

static void test_plain_registers(void)
{
	struct rig rig;

	rig_init(&rig);
	for (unsigned int v = 0; v < 256; v++) {
		out(&rig, SCR, (uint8_t)v);
		CHECK_EQ(in(&rig, SCR), v);
		out(&rig, LCR, (uint8_t)v);
		CHECK_EQ(in(&rig, LCR), v);
	}
	/* The divisor latch, apart from what shares its offsets. */
	out(&rig, LCR, 0x03);
	out(&rig, IER, 0x05);
	out(&rig, LCR, 0x83);
	out(&rig, DLL, 0x34);
	out(&rig, DLM, 0x12);
	CHECK_EQ(in(&rig, DLL), 0x34);
	CHECK_EQ(in(&rig, DLM), 0x12);
	out(&rig, LCR, 0x03);
	CHECK_EQ(in(&rig, IER), 0x05);
	CHECK_EQ(in(&rig, RBR), 0);
	/* Read-only registers. */
	out(&rig, LSR, 0xff);
	CHECK_EQ(in(&rig, LSR), 0x60);
	out(&rig, MSR, 0xff);
	CHECK_EQ(in(&rig, MSR), 0xb0);
	rig_exit(&rig);
}

/* What Linux's serial8250 autoconfig() does and what it must find for "16550A". */
static void test_linux_autoconfig(void)
{
	struct rig rig;
	uint8_t status1, status2, mcr;

	rig_init(&rig);
	/* Is anything there? */
	out(&rig, IER, 0);
	CHECK_EQ(in(&rig, IER) & 0x0f, 0);
	out(&rig, IER, 0x0f);
	CHECK_EQ(in(&rig, IER) & 0x0f, 0x0f);
	out(&rig, IER, 0);
	/* The loopback test. */
	mcr = in(&rig, MCR);
	out(&rig, MCR, 0x10 | 0x0a);
	CHECK_EQ(in(&rig, MSR) & 0xf0, 0x90);
	out(&rig, MCR, mcr);
	/* Which one? */
	out(&rig, LCR, 0xbf);
	out(&rig, 2, 0); /* EFR */
	out(&rig, LCR, 0);
	out(&rig, FCR, 0x01);
	CHECK_EQ(in(&rig, IIR) >> 6, 3);
	/* Not a 16650 or later: no EFR behind DLAB. */
	out(&rig, LCR, 0x80);
	CHECK(in(&rig, 2) != 0);
	out(&rig, LCR, 0xbf);
	CHECK(in(&rig, 2) != 0);
	/* Not National Semiconductor's with EXCR. */
	out(&rig, LCR, 0);
	status1 = in(&rig, MCR);
	out(&rig, MCR, status1 ^ 0x10);
	out(&rig, LCR, 0xe0);
	status2 = in(&rig, 2);
	out(&rig, LCR, 0);
	out(&rig, MCR, status1);
	CHECK_EQ((status1 ^ status2) & 0x10, 0);
	/* Not a 16750: no 64 byte FIFO, with or without DLAB. */
	out(&rig, FCR, 0x21);
	CHECK_EQ(in(&rig, IIR) >> 5, 6);
	out(&rig, FCR, 0x01);
	out(&rig, LCR, 0x80);
	out(&rig, FCR, 0x21);
	CHECK_EQ(in(&rig, IIR) >> 5, 6);
	out(&rig, FCR, 0x01);
	out(&rig, LCR, 0);
	/* Not an XScale: no UUE bit. */
	out(&rig, IER, 0x40);
	CHECK_EQ(in(&rig, IER), 0);
	rig_exit(&rig);
}

/* serial8250_do_startup(): tests that decide whether Linux trusts the THRE interrupt. */
static void test_linux_thre(void)
{
	struct rig rig;

	rig_init(&rig);
	CHECK_EQ(in(&rig, LSR) & 0x60, 0x60);
	out(&rig, IER, 0x02);
	CHECK(rig.level);
	CHECK_EQ(in(&rig, IIR), 0x02);
	CHECK(!rig.level);
	CHECK_EQ(in(&rig, IIR), 0x01);
	out(&rig, IER, 0);
	/* Reasserted when it is enabled again. */
	out(&rig, IER, 0x02);
	CHECK_EQ(in(&rig, IIR), 0x02);
	out(&rig, IER, 0);
	CHECK(!rig.level);

	/* "Could the UART be one that lacks the interrupt at enabling?" */
	out(&rig, IER, 0x02);
	CHECK_EQ(in(&rig, LSR) & 0x40, 0x40);
	CHECK_EQ(in(&rig, IIR) & 0x01, 0);
	out(&rig, IER, 0);

	/* Writing the same value again is not enabling. */
	out(&rig, IER, 0x02);
	CHECK_EQ(in(&rig, IIR), 0x02);
	out(&rig, IER, 0x02);
	CHECK_EQ(in(&rig, IIR), 0x01);

	/* After a byte has left: again. Also what was not asked about stays until it is enabled. */
	out(&rig, THR, 'a');
	CHECK(rig.level);
	CHECK_EQ(in(&rig, IIR), 0x02);
	CHECK(!rig.level);
	out(&rig, THR, 'b');
	out(&rig, IER, 0);
	CHECK(!rig.level);
	out(&rig, IER, 0x02);
	CHECK(rig.level);
	rig_exit(&rig);
}

static void test_receive_interrupts(void)
{
	struct rig rig;
	char c;

	rig_init(&rig);
	out(&rig, IER, 0x01);
	CHECK(!rig.level);
	receive(&rig, "a");
	CHECK(rig.level);
	/* Without FIFO it is the holding register. */
	CHECK_EQ(in(&rig, IIR), 0x04);
	CHECK_EQ(in(&rig, LSR), 0x61);
	CHECK_EQ(in(&rig, RBR), 'a');
	CHECK(!rig.level);
	CHECK_EQ(in(&rig, LSR), 0x60);
	CHECK_EQ(in(&rig, RBR), 0); /* empty */

	/* FIFO with trigger level 8: below it, the time-out. */
	out(&rig, FCR, 0x81);
	receive(&rig, "1234567");
	CHECK(rig.level);
	CHECK_EQ(in(&rig, IIR), 0xcc);
	receive(&rig, "8");
	CHECK_EQ(in(&rig, IIR), 0xc4);
	CHECK_EQ(in(&rig, IIR), 0xc4); /* reading does not clear it */
	for (c = '1'; c <= '8'; c++)
		CHECK_EQ(in(&rig, RBR), c);
	CHECK(!rig.level);
	CHECK_EQ(in(&rig, IIR), 0xc1);

	/* All four trigger levels. */
	for (unsigned int i = 0; i < 4; i++) {
		static const unsigned int levels[4] = { 1, 4, 8, 14 };

		out(&rig, FCR, (uint8_t)(0x01 | i << 6));
		for (unsigned int n = 1; n <= levels[i]; n++) {
			receive(&rig, "x");
			CHECK_EQ(in(&rig, IIR), n < levels[i] ? 0xcc : 0xc4);
		}
		out(&rig, FCR, (uint8_t)(0x03 | i << 6));
		CHECK_EQ(in(&rig, LSR), 0x60);
		CHECK(!rig.level);
	}

	/* Receiving comes before transmitting, whose interrupt is not lost. */
	out(&rig, IER, 0x03);
	receive(&rig, "y");
	CHECK_EQ(in(&rig, IIR), 0xcc);
	CHECK_EQ(in(&rig, RBR), 'y');
	CHECK_EQ(in(&rig, IIR), 0xc2);
	CHECK_EQ(in(&rig, IIR), 0xc1);
	rig_exit(&rig);
}

static void test_loopback(void)
{
	struct rig rig;

	rig_init(&rig);
	out(&rig, MCR, 0x10);
	(void)in(&rig, MSR);
	for (unsigned int i = 0; i < 16; i++) {
		uint8_t want = (uint8_t)((i & 1) << 5 | (i & 2) << 3 | (i & 4) << 4 | (i & 8) << 4);

		out(&rig, MCR, (uint8_t)(0x10 | i));
		CHECK_EQ(in(&rig, MSR) & 0xf0, want);
	}
	/* Nothing from outside comes in meanwhile. */
	out(&rig, IER, 0x05);
	CHECK_EQ(rig.fe.can_receive(rig.fe.dev), 0);

	/* One byte without FIFO; the second overruns the first. */
	out(&rig, THR, 'a');
	CHECK_EQ(in(&rig, LSR), 0x61);
	CHECK_EQ(in(&rig, RBR), 'a');
	out(&rig, THR, 'a');
	out(&rig, THR, 'b');
	CHECK(rig.level);
	CHECK_EQ(in(&rig, IIR), 0x06);
	CHECK_EQ(in(&rig, LSR), 0x63);
	CHECK_EQ(in(&rig, LSR), 0x61); /* reading cleared it */
	CHECK_EQ(in(&rig, IIR), 0x04);
	CHECK_EQ(in(&rig, RBR), 'b');
	CHECK_EQ(in(&rig, LSR), 0x60);

	/* Sixteen with FIFO; it keeps what it has. */
	out(&rig, FCR, 0x07);
	for (unsigned int i = 0; i < 17; i++)
		out(&rig, THR, (uint8_t)('A' + i));
	CHECK_EQ(in(&rig, LSR), 0x63);
	for (unsigned int i = 0; i < 16; i++)
		CHECK_EQ(in(&rig, RBR), 'A' + i);
	CHECK_EQ(in(&rig, LSR), 0x60);

	out(&rig, MCR, 0);
	CHECK_EQ(in(&rig, MSR) & 0xf0, 0xb0);
	CHECK(rig.fe.can_receive(rig.fe.dev) > 0);
	rig_exit(&rig);
}

static void test_modem_interrupt(void)
{
	struct rig rig;

	rig_init(&rig);
	out(&rig, IER, 0x08);
	CHECK(!rig.level);
	/* In loopback our own outputs are the inputs: CTS, DSR and DCD drop. */
	out(&rig, MCR, 0x10);
	CHECK(rig.level);
	CHECK_EQ(in(&rig, IIR), 0x00);
	CHECK_EQ(in(&rig, MSR), 0x0b);
	CHECK(!rig.level);
	CHECK_EQ(in(&rig, MSR), 0x00);
	/* RI counts when it ends. */
	out(&rig, MCR, 0x14);
	CHECK_EQ(in(&rig, MSR), 0x40);
	CHECK(!rig.level);
	out(&rig, MCR, 0x10);
	CHECK(rig.level);
	CHECK_EQ(in(&rig, MSR), 0x04);
	CHECK_EQ(in(&rig, IIR), 0x01);
	rig_exit(&rig);
}

static void test_fifo_control(void)
{
	struct rig rig;

	rig_init(&rig);
	CHECK_EQ(in(&rig, IIR), 0x01);
	out(&rig, FCR, 0xc1);
	CHECK_EQ(in(&rig, IIR), 0xc1);
	/* Without the enable bit the others do not count. */
	out(&rig, IER, 0x01);
	receive(&rig, "a");
	out(&rig, FCR, 0xc6);
	CHECK_EQ(in(&rig, IIR), 0x04);
	CHECK_EQ(in(&rig, LSR), 0x61);
	/* Linux turns the FIFO on after the interrupt: what has come stays. */
	out(&rig, FCR, 0x01);
	CHECK_EQ(in(&rig, RBR), 'a');
	receive(&rig, "b");
	out(&rig, FCR, 0x03);
	CHECK_EQ(in(&rig, LSR), 0x60);
	rig_exit(&rig);
}

/* Input waits until the guest reads: else Linux would clear it away while it starts the port. */
static void test_input_gate(void)
{
	struct rig rig;

	rig_init(&rig);
	CHECK_EQ(rig.fe.can_receive(rig.fe.dev), 0);
	/* Linux's start of the port: FIFOs cleared, registers read until quiet, the interrupt last. */
	out(&rig, FCR, 0x01);
	out(&rig, FCR, 0x07);
	out(&rig, FCR, 0x00);
	for (int i = 0; i < 4; i++) {
		(void)in(&rig, LSR);
		(void)in(&rig, RBR);
		(void)in(&rig, IIR);
		(void)in(&rig, MSR);
	}
	CHECK_EQ(rig.fe.can_receive(rig.fe.dev), 0);
	/* Output with a look at LSR before and after each byte is not reading. */
	for (int i = 0; i < 200; i++) {
		(void)in(&rig, LSR);
		out(&rig, THR, 'x');
		(void)in(&rig, LSR);
	}
	CHECK_EQ(rig.fe.can_receive(rig.fe.dev), 0);
	out(&rig, IER, 0x05);
	CHECK_EQ(rig.fe.can_receive(rig.fe.dev), 64);
	receive(&rig, "0123456789012345678901234567890123456789012345678901234567890123");
	CHECK_EQ(rig.fe.can_receive(rig.fe.dev), 0);
	/* Too much all the same is dropped, not written over the end. */
	rig.fe.receive(rig.fe.dev, (const uint8_t *)"zz", 2);
	for (int i = 0; i < 64; i++)
		CHECK_EQ(in(&rig, RBR), '0' + i % 10);
	CHECK_EQ(in(&rig, LSR), 0x60);
	out(&rig, IER, 0);
	CHECK_EQ(rig.fe.can_receive(rig.fe.dev), 0);

	/* Firmware polls. */
	for (int i = 0; i < 100; i++)
		CHECK_EQ(in(&rig, LSR), 0x60);
	CHECK_EQ(rig.fe.can_receive(rig.fe.dev), 64);
	receive(&rig, "ab");
	CHECK_EQ(in(&rig, LSR), 0x61);
	CHECK_EQ(in(&rig, RBR), 'a');
	CHECK(rig.fe.can_receive(rig.fe.dev) > 0);
	CHECK_EQ(in(&rig, RBR), 'b');
	CHECK(!rig.level);
	/* It hands over to an OS. */
	out(&rig, FCR, 0x07);
	CHECK_EQ(rig.fe.can_receive(rig.fe.dev), 0);
	rig_exit(&rig);
}

/* Wider accesses are so many single ones. */
static void test_wide_access(void)
{
	struct rig rig;
	uint8_t data[8] = { 0, 0x0a, 0x01, 0x1b, 0x0f, 0, 0, 0x5a };

	rig_init(&rig);
	out(&rig, MCR, 0x10);
	CHECK_EQ(bus_access(&rig.bus, 0x3f8, data, 8, true), 0);
	CHECK_EQ(in(&rig, IER), 0x0a);
	CHECK_EQ(in(&rig, LCR), 0x1b);
	CHECK_EQ(in(&rig, SCR), 0x5a);
	CHECK_EQ(bus_access(&rig.bus, 0x3fb, data, 2, false), 0);
	CHECK_EQ(data[0], 0x1b);
	CHECK_EQ(data[1], 0x0f);
	memset(data, 0, sizeof(data));
	CHECK_EQ(bus_access(&rig.bus, 0x3fc, data, 4, false), 0);
	CHECK_EQ(data[0], 0x0f);
	CHECK_EQ(data[1], 0x61); /* the byte that went to THR came back */
	CHECK_EQ(data[3], 0x5a);
	rig_exit(&rig);
}

static void test_unconnected(void)
{
	struct irq_line none = { 0 };
	struct uart8250 *uart;

	CHECK_EQ(uart8250_create(&uart, NULL, &none), 0);
	uart8250_bus_ops.write(uart, THR, 1, 'a');
	uart8250_bus_ops.write(uart, IER, 1, 0x0f);
	uart8250_device_ops.destroy(uart);
}

/* ---- with a console ----------------------------------------------------------------------------- */

static void test_output(void)
{
	struct console_options opt = { .in_fd = -1 };
	struct console *console;
	struct rig rig;
	char buf[64];
	int p[2];

	CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
	opt.out_fd = p[1];
	CHECK_EQ(console_create(&console, &opt), 0);
	rig_init_console(&rig, console);
	out(&rig, MCR, 0x10);
	out(&rig, THR, '!'); /* loopback does not leave the chip */
	out(&rig, MCR, 0x00);
	out(&rig, LCR, 0x80);
	out(&rig, THR, '!'); /* nor does the divisor */
	out(&rig, LCR, 0x03);
	for (const char *c = "hello\n"; *c; c++)
		out(&rig, THR, (uint8_t)*c);
	CHECK_EQ(console_tail(console, buf, sizeof(buf)), 6);
	CHECK_STR(buf, "hello\n");
	rig_exit(&rig);
	console_destroy(console);
	close(p[0]);
	close(p[1]);
}

/* Through pipe, loop and FIFO to a guest that reads in bursts: all of it, in order. */
static void test_input(void)
{
	struct console_options opt = { .out_fd = -1 };
	struct console *console;
	char sent[1000], got[1000];
	size_t nr_got = 0;
	struct loop *loop;
	struct rig rig;
	int p[2];

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)('a' + i % 26);
	CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
	CHECK_EQ(loop_create(&loop), 0);
	opt.in_fd = p[0];
	opt.loop = loop;
	CHECK_EQ(console_create(&console, &opt), 0);
	rig_init_console(&rig, console);
	console_set_frontend(console, &rig.fe);
	CHECK_EQ(console_start(console), 0);
	CHECK_EQ(loop_start(loop, "loop"), 0);
	CHECK_EQ(write(p[1], sent, sizeof(sent)), sizeof(sent));
	usleep(5000);
	out(&rig, FCR, 0x07);
	out(&rig, IER, 0x01);
	out(&rig, FCR, 0x81);

	for (int tries = 0; tries < 5000 && nr_got < sizeof(got); tries++) {
		while (rig.level && nr_got < sizeof(got)) {
			CHECK(in(&rig, LSR) & 0x01);
			got[nr_got++] = (char)in(&rig, RBR);
		}
		usleep(200);
	}
	CHECK_EQ(nr_got, sizeof(sent));
	CHECK(!memcmp(sent, got, sizeof(sent)));
	CHECK(!(in(&rig, LSR) & 0x01));
	loop_stop(loop);
	console_stop(console);
	rig_exit(&rig);
	console_destroy(console);
	loop_destroy(loop);
	close(p[0]);
	close(p[1]);
}

static void *hammer(void *opaque)
{
	struct rig *rig = opaque;
	unsigned int seed = (unsigned int)(uintptr_t)&seed;

	for (int i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		if (seed & 0x10000)
			uart8250_bus_ops.write(rig->uart, seed >> 20 & 7, 1, seed >> 8 & 0xff);
		else
			uart8250_bus_ops.read(rig->uart, seed >> 20 & 7, 1);
		if ((seed & 0xf) == 0) {
			size_t room = rig->fe.can_receive(rig->fe.dev);

			rig->fe.receive(rig->fe.dev, (const uint8_t *)"abcdefgh", MIN(room, 8));
		}
	}
	return NULL;
}

/* Several vCPUs at once; the line's changes must alternate (on_level checks). */
static void test_threads(void)
{
	pthread_t threads[4];
	struct rig rig;

	rig_init(&rig);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, hammer, &rig), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	out(&rig, LCR, 0);
	out(&rig, IER, 0);
	CHECK(!rig.level);
	rig_exit(&rig);
}

const struct test uart8250_tests[] = {
	{ "reset-state", test_reset_state },
	{ "plain-registers", test_plain_registers },
	{ "linux-autoconfig", test_linux_autoconfig },
	{ "linux-thre", test_linux_thre },
	{ "receive-interrupts", test_receive_interrupts },
	{ "loopback", test_loopback },
	{ "modem-interrupt", test_modem_interrupt },
	{ "fifo-control", test_fifo_control },
	{ "input-gate", test_input_gate },
	{ "wide-access", test_wide_access },
	{ "unconnected", test_unconnected },
	{ "output", test_output },
	{ "input", test_input },
	{ "threads", test_threads },
	{ 0 },
};
