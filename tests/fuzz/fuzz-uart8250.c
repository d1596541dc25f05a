// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that does anything at all to a serial port, while the host sends. The line must always be what
 * the registers say.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/uart8250.h"

static bool line_level;

static void set_level(void *chip, uint32_t irq, bool level)
{
	(void)chip;
	(void)irq;
	assert(line_level != level);
	line_level = level;
}

static const struct irq_chip_ops chip_ops = { .set_level = set_level };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct irq_line line = { .ops = &chip_ops };
	struct console_frontend fe;
	struct uart8250 *uart;
	struct console_options opt = { .out_fd = -1, .in_fd = -1 };
	struct console *console;

	line_level = false;
	if (console_create(&console, &opt) || uart8250_create(&uart, console, &line))
		abort();
	fe = uart8250_frontend(uart);

	for (; size >= 2; data += 2, size -= 2) {
		unsigned int reg = data[0] & 7, len = data[0] & 0x40 ? 1u << (data[1] & 3) : 1;
		size_t room = fe.can_receive(fe.dev);

		assert(room <= 64);
		switch (data[0] >> 3 & 3) {
		case 0:
		case 1:
			uart8250_bus_ops.write(uart, reg, len, data[1] * UINT64_C(0x0101010101010101));
			break;
		case 2:
			uart8250_bus_ops.read(uart, reg, len);
			break;
		case 3: {
			uint8_t text[64];

			memset(text, data[1], sizeof(text));
			fe.receive(fe.dev, text, MIN(room, (size_t)data[1]));
			break;
		}
		}
		/* Looking at LCR changes nothing; the interrupt is pending exactly when the line is high. */
		if (data[0] & 0x80) {
			bool high = line_level;

			assert(!(uart8250_bus_ops.read(uart, 2, 1) & 1) == high);
		}
	}
	uart8250_device_ops.destroy(uart);
	console_destroy(console);
	return 0;
}
