// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/machine.h"

#include <errno.h>
#include <inttypes.h>

#include "lkvm/log.h"
#include "lkvm/size.h"
#include "lkvm/uart8250.h"

uint64_t machine_ram_bytes(const struct machine *m)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < m->nr_ram; i++)
		sum += m->ram[i].size_bytes;
	return sum;
}

int machine_refuse_ram(uint64_t ram_bytes, unsigned int gpa_bits, uint64_t most_bytes)
{
	char wanted[SIZE_TEXT_BYTES], most[SIZE_TEXT_BYTES];

	log_error("--mem: %s of RAM do not fit: guests on this host have %u address bits, room for %s of RAM",
		  size_text(wanted, ram_bytes), gpa_bits, size_text(most, most_bytes));
	return -EINVAL;
}

int machine_add_device(struct machine *m, const struct machine_device *dev)
{
	if (m->nr_devices == MACHINE_MAX_DEVICES) {
		log_error("too many devices: this platform has room for %d besides those on PCI",
			  MACHINE_MAX_DEVICES);
		return -ENOSPC;
	}
	m->devices[m->nr_devices++] = *dev;
	return 0;
}

/* A slot of the virtio-mmio window for a device of @kind. */
static int place_mmio(struct machine *m, enum machine_device_kind kind, uint64_t size_bytes,
		      struct machine_device *out)
{
	uint64_t slots = m->virtio_mmio.size_bytes / MACHINE_VIRTIO_MMIO_SIZE;
	struct machine_device dev = {
		.kind = kind,
		.space = MACHINE_MMIO,
		.size_bytes = size_bytes,
	};
	int ret;

	if (m->nr_virtio_mmio >= slots) {
		if (slots)
			log_error("too many virtio-mmio devices: this platform has room for %" PRIu64 " (use --virtio-transport=pci, or fewer devices)",
				  slots);
		else
			log_error("this platform has no room for virtio-mmio devices (use --virtio-transport=pci)");
		return -ENOSPC;
	}
	/* Before a line is spent on it. */
	if (m->nr_devices == MACHINE_MAX_DEVICES)
		return machine_add_device(m, &dev);

	dev.base = m->virtio_mmio.base + (uint64_t)m->nr_virtio_mmio * MACHINE_VIRTIO_MMIO_SIZE;
	ret = machine_alloc_irq(m, &dev.irq);
	if (ret)
		return ret;
	ret = machine_add_device(m, &dev);
	if (ret)
		return ret;
	m->nr_virtio_mmio++;
	*out = dev;
	return 0;
}

int machine_place_virtio_mmio(struct machine *m, struct machine_device *out)
{
	return place_mmio(m, MACHINE_VIRTIO_MMIO, MACHINE_VIRTIO_MMIO_SIZE, out);
}

int machine_place_uart2(struct machine *m, struct machine_device *out)
{
	if (!m->uart2.size_bytes)
		return place_mmio(m, MACHINE_UART8250, UART8250_BYTES, out);
	*out = m->uart2;
	return machine_add_device(m, &m->uart2);
}

int machine_alloc_irq(struct machine *m, uint32_t *irq)
{
	if (m->nr_irqs_used >= m->nr_irqs) {
		log_error("too many devices: all %" PRIu32 " wired interrupts of this platform are taken (use --virtio-transport=pci, or fewer devices)",
			  m->nr_irqs);
		return -ENOSPC;
	}
	*irq = m->irq_first + m->nr_irqs_used++;
	return 0;
}
