// SPDX-License-Identifier: GPL-2.0-only
/*
 * As lkvm/uart8250.c with an infinitely fast line: a transmitted byte is gone at once, so the transmit FIFO is
 * always empty. Baud rate and framing are kept for reading back and mean nothing.
 */
#include "arm/pl011.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "lkvm/log.h"

/* Registers (Arm DDI0183 §3.2). */
#define UART_DR    0x00
#define UART_RSR   0x04 /* receive errors; there are none */
#define UART_FR    0x18
#define UART_ILPR  0x20
#define UART_IBRD  0x24
#define UART_FBRD  0x28
#define UART_LCR_H 0x2c
#define UART_CR    0x30
#define UART_IFLS  0x34
#define UART_IMSC  0x38
#define UART_RIS   0x3c
#define UART_MIS   0x40
#define UART_ICR   0x44
#define UART_DMACR 0x48
#define UART_ID    0xfe0 /* PeriphID0-3, PCellID0-3: a byte in each word */

#define FR_CTS  (1u << 0)
#define FR_DSR  (1u << 1)
#define FR_DCD  (1u << 2)
#define FR_RXFE (1u << 4)
#define FR_RXFF (1u << 6)
#define FR_TXFE (1u << 7)

#define INT_RX   (1u << 4)
#define INT_TX   (1u << 5)
#define INT_RT   (1u << 6) /* bytes that waited long enough */
#define INT_MASK 0x7ffu

#define CR_LBE   (1u << 7) /* loopback */
#define CR_RESET 0x300u    /* TXE, RXE */
#define IFLS_RESET 0x12u

/* The chip's own FIFO. What the host sends may queue deeper: the guest sees data ready all the same. */
#define FIFO_BYTES 32
#define RX_BYTES   64

/*
 * Does the guest read what it is sent? See uart8250.c: what comes before it enables the interrupt would be lost,
 * and firmware never does but polls. One that waits to send looks once, as it finds the transmitter empty.
 */
#define POLLS_FOR_INPUT 32

static const uint8_t uart_id[] = { 0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

/* Registers that only keep what was written. */
enum kept {
	KEPT_ILPR,
	KEPT_IBRD,
	KEPT_FBRD,
	KEPT_LCR_H,
	KEPT_CR,
	KEPT_IFLS,
	KEPT_DMACR,
	NR_KEPT,
};

static const struct {
	uint32_t offset;
	uint32_t mask;
} kept_regs[NR_KEPT] = {
	[KEPT_ILPR] = { UART_ILPR, 0xff },
	[KEPT_IBRD] = { UART_IBRD, 0xffff },
	[KEPT_FBRD] = { UART_FBRD, 0x3f },
	[KEPT_LCR_H] = { UART_LCR_H, 0xff },
	[KEPT_CR] = { UART_CR, 0xff87 },
	[KEPT_IFLS] = { UART_IFLS, 0x3f },
	[KEPT_DMACR] = { UART_DMACR, 0x7 },
};

struct arm_pl011 {
	struct console *console;
	struct irq_line irq;

	pthread_mutex_t lock;
	uint32_t     kept[NR_KEPT];
	uint32_t     imsc;
	bool         tx_done;    /* the transmit interrupt, until cleared */
	bool         irq_level;
	uint8_t      rx[RX_BYTES];
	unsigned int rx_head, rx_count;
	unsigned int polls;      /* FR reads in a row */
};

/* All below with the lock held, up to pl011_read(). */

static void rx_push(struct arm_pl011 *u, uint8_t c)
{
	u->rx[(u->rx_head + u->rx_count) % RX_BYTES] = c;
	u->rx_count++;
}

static uint8_t rx_pop(struct arm_pl011 *u)
{
	uint8_t c;

	if (!u->rx_count)
		return 0;
	c = u->rx[u->rx_head];
	u->rx_head = (u->rx_head + 1) % RX_BYTES;
	u->rx_count--;
	return c;
}

static bool rx_open(const struct arm_pl011 *u)
{
	if (u->kept[KEPT_CR] & CR_LBE)
		return false;
	return (u->imsc & (INT_RX | INT_RT)) || u->polls >= POLLS_FOR_INPUT;
}

static unsigned int rx_room(const struct arm_pl011 *u)
{
	return rx_open(u) ? RX_BYTES - u->rx_count : 0;
}

/* As long as there is something to read, no write to ICR makes a guest miss it. */
static uint32_t raw_interrupts(const struct arm_pl011 *u)
{
	return (u->rx_count ? INT_RX | INT_RT : 0) | (u->tx_done ? INT_TX : 0);
}

static void update_irq(struct arm_pl011 *u)
{
	bool level = raw_interrupts(u) & u->imsc;

	if (level == u->irq_level)
		return;
	u->irq_level = level;
	irq_line_set(&u->irq, level);
}

static uint32_t flags(const struct arm_pl011 *u)
{
	return FR_CTS | FR_DSR | FR_DCD | FR_TXFE | (u->rx_count ? 0 : FR_RXFE) |
	       (u->rx_count >= FIFO_BYTES ? FR_RXFF : 0);
}

static uint32_t read_reg(struct arm_pl011 *u, uint64_t offset)
{
	for (unsigned int i = 0; i < NR_KEPT; i++)
		if (offset == kept_regs[i].offset)
			return u->kept[i];
	switch (offset) {
	case UART_DR:
		return rx_pop(u);
	case UART_FR:
		if (u->polls < POLLS_FOR_INPUT)
			u->polls++;
		return flags(u);
	case UART_IMSC:
		return u->imsc;
	case UART_RIS:
		return raw_interrupts(u);
	case UART_MIS:
		return raw_interrupts(u) & u->imsc;
	default:
		return 0;
	}
}

static void write_reg(struct arm_pl011 *u, uint64_t offset, uint32_t v)
{
	for (unsigned int i = 0; i < NR_KEPT; i++)
		if (offset == kept_regs[i].offset)
			u->kept[i] = v & kept_regs[i].mask;
	switch (offset) {
	case UART_DR:
		u->polls = 0;
		u->tx_done = true;
		if (u->kept[KEPT_CR] & CR_LBE && u->rx_count < FIFO_BYTES)
			rx_push(u, (uint8_t)v);
		break;
	case UART_IMSC:
		u->imsc = v & INT_MASK;
		break;
	case UART_ICR:
		if (v & INT_TX)
			u->tx_done = false;
		break;
	default:
		break;
	}
}

static uint64_t pl011_read(void *dev, uint64_t offset, unsigned int size)
{
	struct arm_pl011 *u = dev;
	bool was_open, wants_more;
	unsigned int had;
	uint32_t v;

	(void)size;
	if (offset >= UART_ID && (offset - UART_ID) / 4 < sizeof(uart_id))
		return offset % 4 ? 0 : uart_id[(offset - UART_ID) / 4];

	pthread_mutex_lock(&u->lock);
	was_open = rx_open(u);
	had = u->rx_count;
	v = read_reg(u, offset);
	update_irq(u);
	/* When the guest begins to read, and when the queue has run empty; not at every byte of a full one. */
	wants_more = rx_open(u) && (!was_open || (had && !u->rx_count));
	pthread_mutex_unlock(&u->lock);
	if (wants_more && u->console)
		console_input_ready(u->console);
	return v;
}

static void pl011_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	struct arm_pl011 *u = dev;
	uint8_t c = (uint8_t)value;
	bool was_open, opened, looped;

	(void)size;
	pthread_mutex_lock(&u->lock);
	was_open = rx_open(u);
	looped = u->kept[KEPT_CR] & CR_LBE;
	write_reg(u, offset, (uint32_t)value);
	opened = !was_open && rx_open(u);
	update_irq(u);
	pthread_mutex_unlock(&u->lock);
	/* Without the lock, as it may wait for a slow reader. */
	if (offset == UART_DR && !looped && u->console)
		console_write(u->console, &c, 1);
	if (opened && u->console)
		console_input_ready(u->console);
}

const struct bus_ops arm_pl011_bus_ops = {
	.read = pl011_read,
	.write = pl011_write,
};

static size_t pl011_can_receive(void *dev)
{
	struct arm_pl011 *u = dev;
	size_t room;

	pthread_mutex_lock(&u->lock);
	room = rx_room(u);
	pthread_mutex_unlock(&u->lock);
	return room;
}

static void pl011_receive(void *dev, const uint8_t *buf, size_t len)
{
	struct arm_pl011 *u = dev;

	pthread_mutex_lock(&u->lock);
	for (size_t i = 0; i < len && u->rx_count < RX_BYTES; i++)
		rx_push(u, buf[i]);
	update_irq(u);
	pthread_mutex_unlock(&u->lock);
}

struct console_frontend arm_pl011_frontend(struct arm_pl011 *uart)
{
	return (struct console_frontend){
		.can_receive = pl011_can_receive,
		.receive = pl011_receive,
		.dev = uart,
	};
}

int arm_pl011_create(struct arm_pl011 **out, struct console *console, const struct irq_line *irq)
{
	struct arm_pl011 *u = calloc(1, sizeof(*u));

	if (!u) {
		log_error("out of memory for the UART");
		return -ENOMEM;
	}
	u->console = console;
	u->irq = *irq;
	u->kept[KEPT_CR] = CR_RESET;
	u->kept[KEPT_IFLS] = IFLS_RESET;
	pthread_mutex_init(&u->lock, NULL);
	*out = u;
	return 0;
}

static void pl011_destroy(void *dev)
{
	struct arm_pl011 *u = dev;

	pthread_mutex_destroy(&u->lock);
	free(u);
}

const struct device_ops arm_pl011_device_ops = {
	.destroy = pl011_destroy,
};
