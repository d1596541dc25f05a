// SPDX-License-Identifier: GPL-2.0-only
#include "x86/i8042.h"

#include <string.h>

#define STATUS_OUTPUT_FULL (1 << 0)
#define STATUS_SYSTEM      (1 << 2) /* self-test passed */
#define STATUS_UNLOCKED    (1 << 4) /* the case's key */
#define STATUS_AUX_OUTPUT  (1 << 5)

#define CONTROL_KBD_IRQ     (1 << 0)
#define CONTROL_SYSTEM      (1 << 2)
#define CONTROL_KBD_DISABLE (1 << 4)
#define CONTROL_AUX_DISABLE (1 << 5)

#define CMD_READ_CONTROL   0x20
#define CMD_WRITE_CONTROL  0x60
#define CMD_AUX_DISABLE    0xa7
#define CMD_AUX_ENABLE     0xa8
#define CMD_AUX_TEST       0xa9
#define CMD_SELF_TEST      0xaa
#define CMD_KBD_TEST       0xab
#define CMD_KBD_DISABLE    0xad
#define CMD_KBD_ENABLE     0xae
#define CMD_READ_OUTPUT    0xd0
#define CMD_WRITE_OUTPUT   0xd1
#define CMD_KBD_LOOP       0xd2
#define CMD_AUX_LOOP       0xd3
#define CMD_AUX_SEND       0xd4
#define CMD_RESET          0xfe

#define SELF_TEST_PASSED   0x55
#define PORT_TEST_PASSED   0x00
#define PORT_TEST_CLOCK_LOW 0x01 /* nothing connected there */
#define OUTPUT_PORT        0x03 /* A20 on, CPU not held in reset */
#define OUTPUT_PORT_RUN    0x01 /* 0 in this bit resets the CPU */
#define DEVICE_ERROR       0xfc /* a device's answer "I can't"; probing ends at once */

void x86_i8042_init(struct x86_i8042 *dev, const struct x86_power *power, const struct irq_line *irq)
{
	memset(dev, 0, sizeof(*dev));
	pthread_mutex_init(&dev->lock, NULL);
	dev->power = *power;
	dev->irq = *irq;
	dev->control = CONTROL_KBD_IRQ | CONTROL_SYSTEM;
}

/* The line follows the output buffer. Under the lock, so that levels arrive in order. */
static void update_irq(struct x86_i8042 *dev)
{
	irq_line_set(&dev->irq, dev->nr_output && !dev->from_aux && (dev->control & CONTROL_KBD_IRQ));
}

static void answer(struct x86_i8042 *dev, uint8_t byte, bool from_aux)
{
	dev->output[0] = byte;
	dev->nr_output = 1;
	dev->from_aux = from_aux;
}

static uint64_t read_data(void *opaque, uint64_t offset, unsigned int size)
{
	struct x86_i8042 *dev = opaque;
	uint8_t byte;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&dev->lock);
	byte = dev->output[0];
	if (dev->nr_output) {
		dev->output[0] = dev->output[1];
		dev->nr_output--;
	}
	update_irq(dev);
	pthread_mutex_unlock(&dev->lock);
	return byte;
}

static uint64_t read_status(void *opaque, uint64_t offset, unsigned int size)
{
	struct x86_i8042 *dev = opaque;
	uint8_t status = STATUS_SYSTEM | STATUS_UNLOCKED;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&dev->lock);
	if (dev->nr_output)
		status |= STATUS_OUTPUT_FULL | (dev->from_aux ? STATUS_AUX_OUTPUT : 0);
	pthread_mutex_unlock(&dev->lock);
	return status;
}

/* Returns true if the guest resets the machine. Under the lock. */
static bool write_parameter(struct x86_i8042 *dev, uint8_t value)
{
	switch (dev->command) {
	case CMD_WRITE_CONTROL:
		dev->control = value;
		return false;
	case CMD_WRITE_OUTPUT:
		return !(value & OUTPUT_PORT_RUN);
	case CMD_KBD_LOOP:
		answer(dev, value, false);
		return false;
	case CMD_AUX_LOOP:
		answer(dev, value, true);
		return false;
	case CMD_AUX_SEND:
		answer(dev, DEVICE_ERROR, true);
		return false;
	default:
		/* For the keyboard. */
		answer(dev, DEVICE_ERROR, false);
		return false;
	}
}

static bool write_command_locked(struct x86_i8042 *dev, uint8_t cmd)
{
	dev->command = 0;
	switch (cmd) {
	case CMD_READ_CONTROL:
		answer(dev, dev->control, false);
		break;
	case CMD_WRITE_CONTROL:
	case CMD_WRITE_OUTPUT:
	case CMD_KBD_LOOP:
	case CMD_AUX_LOOP:
	case CMD_AUX_SEND:
		dev->command = cmd;
		break;
	case CMD_AUX_DISABLE:
		dev->control |= CONTROL_AUX_DISABLE;
		break;
	case CMD_AUX_ENABLE:
		dev->control &= (uint8_t)~CONTROL_AUX_DISABLE;
		break;
	case CMD_KBD_DISABLE:
		dev->control |= CONTROL_KBD_DISABLE;
		break;
	case CMD_KBD_ENABLE:
		dev->control &= (uint8_t)~CONTROL_KBD_DISABLE;
		break;
	case CMD_SELF_TEST:
		answer(dev, SELF_TEST_PASSED, false);
		break;
	case CMD_KBD_TEST:
		answer(dev, PORT_TEST_PASSED, false);
		break;
	case CMD_AUX_TEST:
		answer(dev, PORT_TEST_CLOCK_LOW, false);
		break;
	case CMD_READ_OUTPUT:
		answer(dev, OUTPUT_PORT, false);
		break;
	case CMD_RESET:
		return true;
	default:
		break;
	}
	return false;
}

static void write_register(struct x86_i8042 *dev, uint8_t value,
			   bool (*write)(struct x86_i8042 *dev, uint8_t value))
{
	bool reset;

	pthread_mutex_lock(&dev->lock);
	reset = write(dev, value);
	if (write == write_parameter)
		dev->command = 0;
	update_irq(dev);
	pthread_mutex_unlock(&dev->lock);
	if (reset)
		dev->power.event(dev->power.opaque, X86_POWER_REBOOT);
}

static void write_data(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	(void)offset;
	(void)size;
	write_register(opaque, (uint8_t)value, write_parameter);
}

static void write_command(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	(void)offset;
	(void)size;
	write_register(opaque, (uint8_t)value, write_command_locked);
}

const struct bus_ops x86_i8042_data_ops = {
	.read = read_data,
	.write = write_data,
};

const struct bus_ops x86_i8042_command_ops = {
	.read = read_status,
	.write = write_command,
};
