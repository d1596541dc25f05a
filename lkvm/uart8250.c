// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 16550A as the National Semiconductor PC16550D data sheet describes it, with an infinitely fast
 * line: a transmitted byte is gone at once, so the transmitter is always empty.
 */
#include "lkvm/uart8250.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/log.h"

/* Registers: PC16550D table II. Where two share an offset: read/write, or DLAB set. */
#define UART_RBR 0
#define UART_THR 0
#define UART_DLL 0 /* DLAB */
#define UART_IER 1
#define UART_DLM 1 /* DLAB */
#define UART_IIR 2
#define UART_FCR 2
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define UART_MSR 6
#define UART_SCR 7

#define IER_RDI   0x01 /* received data available */
#define IER_THRI  0x02 /* transmitter holding register empty */
#define IER_RLSI  0x04 /* receiver line status */
#define IER_MSI   0x08 /* modem status */
#define IER_MASK  0x0f

#define IIR_NO_INT     0x01
#define IIR_MSI        0x00
#define IIR_THRI       0x02
#define IIR_RDI        0x04
#define IIR_RLSI       0x06
#define IIR_RX_TIMEOUT 0x0c
#define IIR_FIFO       0xc0

#define FCR_ENABLE     0x01
#define FCR_CLEAR_RX   0x02
#define FCR_TRIGGER    0xc0

#define LCR_DLAB       0x80

#define MCR_DTR        0x01
#define MCR_RTS        0x02
#define MCR_OUT1       0x04
#define MCR_OUT2       0x08
#define MCR_LOOP       0x10
#define MCR_MASK       0x1f

#define LSR_DR         0x01
#define LSR_OE         0x02
#define LSR_THRE       0x20
#define LSR_TEMT       0x40

#define MSR_DCTS       0x01
#define MSR_DDSR       0x02
#define MSR_TERI       0x04
#define MSR_DDCD       0x08
#define MSR_DELTA      0x0f
#define MSR_CTS        0x10
#define MSR_DSR        0x20
#define MSR_RI         0x40
#define MSR_DCD        0x80

/* The chip's own FIFO. What the host sends may queue deeper: the guest sees data ready all the same. */
#define UART_FIFO_BYTES 16
#define UART_RX_BYTES   64

/*
 * A guest that reads LSR this often with nothing in between polls for input. One that waits to send needs
 * to look once, since it finds the transmitter empty.
 */
#define UART_POLLS_FOR_INPUT 32

struct uart8250 {
	struct console *console;
	struct irq_line irq;

	pthread_mutex_t lock;
	uint8_t      ier, lcr, mcr, msr, scr, dll, dlm;
	uint8_t      lsr_errors;    /* LSR_OE, until LSR is read */
	bool         fifo_enabled;
	unsigned int rx_trigger;    /* bytes */
	bool         thri_pending;  /* the THRE interrupt's own flip-flop: PC16550D 8.6.4 */
	bool         irq_level;

	uint8_t      rx[UART_RX_BYTES];
	unsigned int rx_head, rx_count;
	unsigned int lsr_polls;     /* LSR reads in a row */
};

/* ---- receiver, modem lines ---------------------------------------------------------------------- */

static void uart_rx_push(struct uart8250 *u, uint8_t c)
{
	u->rx[(u->rx_head + u->rx_count) % UART_RX_BYTES] = c;
	u->rx_count++;
}

static uint8_t uart_rx_pop(struct uart8250 *u)
{
	uint8_t c;

	if (!u->rx_count)
		return 0;
	c = u->rx[u->rx_head];
	u->rx_head = (u->rx_head + 1) % UART_RX_BYTES;
	u->rx_count--;
	return c;
}

/* A byte that the guest sends to itself: MCR loopback. The chip's real depth counts here. */
static void uart_loop_back(struct uart8250 *u, uint8_t c)
{
	unsigned int depth = u->fifo_enabled ? UART_FIFO_BYTES : 1;

	if (u->rx_count < depth) {
		uart_rx_push(u, c);
		return;
	}
	u->lsr_errors |= LSR_OE;
	/* A full FIFO keeps what it has; the holding register is overwritten: PC16550D 8.6.2. */
	if (!u->fifo_enabled) {
		uart_rx_pop(u);
		uart_rx_push(u, c);
	}
}

/*
 * Does the guest read what it is sent? Linux clears the FIFO more than once while it brings the port up
 * and enables the receive interrupt last; what came before would be lost (`echo CMD | lkvm run`). Firmware
 * never enables it but polls.
 */
static bool uart_rx_open(const struct uart8250 *u)
{
	if (u->mcr & MCR_LOOP)
		return false;
	return (u->ier & IER_RDI) || u->lsr_polls >= UART_POLLS_FOR_INPUT;
}

static unsigned int uart_rx_room(const struct uart8250 *u)
{
	return uart_rx_open(u) ? UART_RX_BYTES - u->rx_count : 0;
}

/*
 * Is the console to be told of room? When the guest begins to read, and when the queue has run empty: not
 * at every byte of a full one, which would wake the loop for each.
 */
static bool uart_rx_wants_more(const struct uart8250 *u, bool was_open, unsigned int had)
{
	return uart_rx_open(u) && (was_open ? had && !u->rx_count : u->rx_count < UART_RX_BYTES);
}

/* The modem lines that MCR and the (always present) other side make: PC16550D 8.8. */
static uint8_t uart_modem_lines(const struct uart8250 *u)
{
	uint8_t lines = 0;

	if (!(u->mcr & MCR_LOOP))
		return MSR_DCD | MSR_DSR | MSR_CTS;
	if (u->mcr & MCR_RTS)
		lines |= MSR_CTS;
	if (u->mcr & MCR_DTR)
		lines |= MSR_DSR;
	if (u->mcr & MCR_OUT1)
		lines |= MSR_RI;
	if (u->mcr & MCR_OUT2)
		lines |= MSR_DCD;
	return lines;
}

static void uart_update_modem(struct uart8250 *u)
{
	uint8_t now = uart_modem_lines(u);
	uint8_t changed = (uint8_t)(now ^ u->msr) & 0xf0;
	uint8_t delta = u->msr & MSR_DELTA;

	if (changed & MSR_CTS)
		delta |= MSR_DCTS;
	if (changed & MSR_DSR)
		delta |= MSR_DDSR;
	if ((changed & MSR_RI) && !(now & MSR_RI)) /* its trailing edge only */
		delta |= MSR_TERI;
	if (changed & MSR_DCD)
		delta |= MSR_DDCD;
	u->msr = now | delta;
}

/* ---- interrupts --------------------------------------------------------------------------------- */

/* The pending interrupt of highest priority: PC16550D table V. */
static uint8_t uart_iir(const struct uart8250 *u)
{
	if ((u->ier & IER_RLSI) && u->lsr_errors)
		return IIR_RLSI;
	if ((u->ier & IER_RDI) && u->rx_count) {
		/* Below the trigger level it is the time-out, which on this line is over at once. */
		if (!u->fifo_enabled || u->rx_count >= u->rx_trigger)
			return IIR_RDI;
		return IIR_RX_TIMEOUT;
	}
	if ((u->ier & IER_THRI) && u->thri_pending)
		return IIR_THRI;
	if ((u->ier & IER_MSI) && (u->msr & MSR_DELTA))
		return IIR_MSI;
	return IIR_NO_INT;
}

static void uart_update_irq(struct uart8250 *u)
{
	bool level = uart_iir(u) != IIR_NO_INT;

	/* Under the lock, so that levels reach the interrupt controller in the order they had here. */
	if (level != u->irq_level) {
		u->irq_level = level;
		irq_line_set(&u->irq, level);
	}
}

/* ---- registers ---------------------------------------------------------------------------------- */

static void uart_write_fcr(struct uart8250 *u, uint8_t value)
{
	static const unsigned int triggers[4] = { 1, 4, 8, 14 };

	/*
	 * The chip also clears the FIFOs when the enable bit changes. We keep what was received: Linux
	 * enables the FIFO after the receive interrupt, and input may have come in between.
	 */
	u->fifo_enabled = value & FCR_ENABLE;
	if (!u->fifo_enabled)
		return; /* the other bits want the enable bit: PC16550D 8.5 */
	u->rx_trigger = triggers[(value & FCR_TRIGGER) >> 6];
	if (value & FCR_CLEAR_RX)
		u->rx_count = 0;
}

/* Returns true if @value is to go to the console. */
static bool uart_write_locked(struct uart8250 *u, unsigned int reg, uint8_t value)
{
	bool transmit = false;

	u->lsr_polls = 0;
	switch (reg) {
	case UART_THR:
		if (u->lcr & LCR_DLAB) {
			u->dll = value;
			break;
		}
		/* The byte has left by the time the guest looks: empty again. */
		u->thri_pending = true;
		if (u->mcr & MCR_LOOP)
			uart_loop_back(u, value);
		else
			transmit = true;
		break;
	case UART_IER:
		if (u->lcr & LCR_DLAB) {
			u->dlm = value;
			break;
		}
		/* Enabling it while the transmitter is empty raises it, each time anew: Linux tests that. */
		if ((value & IER_THRI) && !(u->ier & IER_THRI))
			u->thri_pending = true;
		u->ier = value & IER_MASK;
		break;
	case UART_FCR:
		uart_write_fcr(u, value);
		break;
	case UART_LCR:
		u->lcr = value;
		break;
	case UART_MCR:
		u->mcr = value & MCR_MASK;
		uart_update_modem(u);
		break;
	case UART_SCR:
		u->scr = value;
		break;
	default: /* LSR and MSR are the factory's */
		break;
	}
	uart_update_irq(u);
	return transmit;
}

static uint8_t uart_read_locked(struct uart8250 *u, unsigned int reg)
{
	uint8_t value = 0;

	if (reg != UART_LSR && !(reg == UART_RBR && u->rx_count))
		u->lsr_polls = 0;

	switch (reg) {
	case UART_RBR:
		value = u->lcr & LCR_DLAB ? u->dll : uart_rx_pop(u);
		break;
	case UART_IER:
		value = u->lcr & LCR_DLAB ? u->dlm : u->ier;
		break;
	case UART_IIR:
		value = uart_iir(u);
		if (value == IIR_THRI)
			u->thri_pending = false;
		if (u->fifo_enabled)
			value |= IIR_FIFO;
		break;
	case UART_LCR:
		value = u->lcr;
		break;
	case UART_MCR:
		value = u->mcr;
		break;
	case UART_LSR:
		value = LSR_THRE | LSR_TEMT | u->lsr_errors;
		if (u->rx_count)
			value |= LSR_DR;
		u->lsr_errors = 0;
		if (u->lsr_polls < UART_POLLS_FOR_INPUT)
			u->lsr_polls++;
		break;
	case UART_MSR:
		value = u->msr;
		u->msr &= (uint8_t)~MSR_DELTA;
		break;
	case UART_SCR:
		value = u->scr;
		break;
	}
	uart_update_irq(u);
	return value;
}

/* ---- bus ---------------------------------------------------------------------------------------- */

/* Every access reaches the chip one register at a time, as on the ISA bus. */
static uint64_t uart_read(void *dev, uint64_t offset, unsigned int size)
{
	struct uart8250 *u = dev;
	uint64_t value = 0;
	unsigned int had;
	bool was_open, more;

	pthread_mutex_lock(&u->lock);
	was_open = uart_rx_open(u);
	had = u->rx_count;
	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)uart_read_locked(u, (offset + i) % UART8250_BYTES) << (8 * i);
	more = uart_rx_wants_more(u, was_open, had);
	pthread_mutex_unlock(&u->lock);

	if (more && u->console)
		console_input_ready(u->console);
	return value;
}

static void uart_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	struct uart8250 *u = dev;

	for (unsigned int i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)(value >> (8 * i));
		bool was_open, transmit, more;
		unsigned int had;

		pthread_mutex_lock(&u->lock);
		was_open = uart_rx_open(u);
		had = u->rx_count;
		transmit = uart_write_locked(u, (offset + i) % UART8250_BYTES, byte);
		more = uart_rx_wants_more(u, was_open, had);
		pthread_mutex_unlock(&u->lock);

		if (!u->console)
			continue;
		/*
		 * Without the lock: console_write() waits for a slow reader, and the loop thread takes the
		 * lock to bring input. The guest's own lock keeps the bytes of its CPUs in order, for a CPU
		 * gives it up only after its store to THR, that is this function, is done.
		 */
		if (transmit)
			console_write(u->console, &byte, 1);
		if (more)
			console_input_ready(u->console);
	}
}

const struct bus_ops uart8250_bus_ops = {
	.read = uart_read,
	.write = uart_write,
};

/* ---- input -------------------------------------------------------------------------------------- */

static size_t uart_can_receive(void *dev)
{
	struct uart8250 *u = dev;
	size_t room;

	pthread_mutex_lock(&u->lock);
	room = uart_rx_room(u);
	pthread_mutex_unlock(&u->lock);
	return room;
}

static void uart_receive(void *dev, const uint8_t *buf, size_t len)
{
	struct uart8250 *u = dev;

	pthread_mutex_lock(&u->lock);
	/* There was room for @len a moment ago; loopback's own bytes may have taken it since. */
	while (len-- && u->rx_count < UART_RX_BYTES)
		uart_rx_push(u, *buf++);
	uart_update_irq(u);
	pthread_mutex_unlock(&u->lock);
}

struct console_frontend uart8250_frontend(struct uart8250 *uart)
{
	return (struct console_frontend){
		.can_receive = uart_can_receive,
		.receive = uart_receive,
		.dev = uart,
	};
}

/* ---- life --------------------------------------------------------------------------------------- */

int uart8250_create(struct uart8250 **uart, struct console *console, const struct irq_line *irq)
{
	struct uart8250 *u = calloc(1, sizeof(*u));

	if (!u) {
		log_error("out of memory for the serial port");
		return -ENOMEM;
	}
	pthread_mutex_init(&u->lock, NULL);
	u->console = console;
	u->irq = *irq;
	u->rx_trigger = 1;
	/* 115200 baud at UART8250_CLOCK_HZ, in case the guest asks before it sets its own. */
	u->dll = 1;
	u->lcr = 0x03; /* 8 data bits, no parity */
	u->msr = uart_modem_lines(u);
	*uart = u;
	return 0;
}

static void uart_destroy(void *dev)
{
	struct uart8250 *u = dev;

	pthread_mutex_destroy(&u->lock);
	free(u);
}

const struct device_ops uart8250_device_ops = {
	.destroy = uart_destroy,
};
