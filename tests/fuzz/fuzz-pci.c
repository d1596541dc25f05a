// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that does anything at all to a PCI bus with three devices, through every door there is, while
 * the devices raise interrupts. Checks what must hold whatever the guest does.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "lkvm/pci.h"

#define ECAM  0x30000000u
#define MEM32 0x40000000u
#define MEM64 0x400000000u

#define NR_DEVICES 3

struct fuzz_bar {
	uint64_t bytes;
};

static bool levels[4];

static uint64_t bar_read(void *dev, uint64_t offset, unsigned int size)
{
	const struct fuzz_bar *bar = dev;

	assert(range_within(offset, size, 0, bar->bytes));
	return offset;
}

static void bar_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	(void)value;
	bar_read(dev, offset, size);
}

static const struct bus_ops bar_ops = { .read = bar_read, .write = bar_write };

static void set_level(void *chip, uint32_t irq, bool level)
{
	(void)chip;
	assert(irq < 4 && levels[irq] != level);
	levels[irq] = level;
}

static const struct irq_chip_ops chip_ops = { .set_level = set_level };

static int send(void *ctx, const struct msi_message *msg)
{
	(void)ctx;
	assert(!(msg->address & 3));
	assert(msg->devid >> 3 >= 1 && msg->devid >> 3 <= NR_DEVICES);
	return 0;
}

static void bar_moved(void *dev, unsigned int bar, gpa_t base)
{
	const struct fuzz_bar *bars = dev;

	assert(bar < PCI_MAX_BARS && bars[bar].bytes);
	assert(!base || range_within(base, bars[bar].bytes, MEM32, MIB(64)) ||
	       range_within(base, bars[bar].bytes, MEM64, GIB(1)));
	assert(!(base & (bars[bar].bytes - 1)));
}

static void config_hook(void *dev, unsigned int offset, unsigned int size)
{
	(void)dev;
	assert(offset + size > 0x4c && offset < 0x80 && size <= 4);
}

static const struct pci_device_ops device_ops = {
	.bar_moved = bar_moved,
	.config_written = config_hook,
	.config_read = config_hook,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct machine_pci machine = {
		.ecam = { ECAM, MIB(2) },
		.io = { 0x3f000000, KIB(64) },
		.mem32 = { MEM32, MIB(64) },
		.mem64 = { MEM64, GIB(1) },
	};
	static const unsigned int vectors[NR_DEVICES] = { 3, 70, 2048 };
	struct fuzz_bar bars[PCI_MAX_BARS] = { [0] = { 0x4000 }, [2] = { 0x1000 }, [4] = { MIB(1) } };
	const struct msi_sink sink = { .send = send };
	struct pci_device *devices[NR_DEVICES];
	struct irq_line intx[4];
	struct pci_host *host;
	struct bus mmio, pio;
	uint8_t identity[64];

	bus_init(&mmio, "mmio");
	bus_init(&pio, "pio");
	memset(levels, 0, sizeof(levels));
	for (unsigned int i = 0; i < 4; i++)
		intx[i] = (struct irq_line){ .ops = &chip_ops, .irq = i };
	if (pci_host_create(&host, &machine, &mmio, &pio, intx, &sink))
		abort();
	for (unsigned int i = 0; i < NR_DEVICES; i++) {
		struct pci_device_info info = {
			.vendor = 0x1af4, .device = 0x1041, .class_code = 0x020000,
			.msix_vectors = vectors[i], .msix_bar = 1, .ops = &device_ops, .dev = bars,
			.name = "fuzz",
		};
		uint8_t cap[20] = { 0x09, 0, 20 };

		for (unsigned int b = 0; b < PCI_MAX_BARS; b++)
			info.bars[b] = (struct pci_bar){
				.size_bytes = bars[b].bytes, .is_64bit = b == 4,
				.prefetchable = b == 4, .ops = &bar_ops, .dev = &bars[b],
			};
		if (pci_device_add(host, &info, &devices[i]) ||
		    pci_add_capability(devices[i], cap, sizeof(cap)) != 0x4c)
			abort();
		pci_config_allow_write(devices[i], 0x54, 12);
	}
	memcpy(identity, pci_config(devices[0]), sizeof(identity));

	/* Each step is 12 bytes: what, size, 4 bytes of where, 6 of value. */
	for (; size >= 12; data += 12, size -= 12) {
		static const unsigned int sizes[] = { 1, 2, 4, 8 };
		unsigned int len = sizes[data[1] & 3];
		uint32_t where = get_le32(data + 2);
		uint8_t value[8] = { 0 };

		memcpy(value, data + 6, 6);
		if (data[1] & 4) /* ones are what hostile guests like best */
			memset(value, 0xff, sizeof(value));
		switch (data[0] % 8) {
		case 0:
			bus_access(&mmio, ECAM + where % MIB(2), value, len, data[0] & 8);
			break;
		case 1: /* where something is */
			bus_access(&mmio, ECAM + (where >> 8 & 3) * 0x8000 + (where & 0xff), value, len,
				   data[0] & 8);
			break;
		case 2:
			bus_access(&mmio, MEM32 + where % MIB(64), value, len, data[0] & 8);
			break;
		case 3:
			bus_access(&mmio, MEM64 + where % GIB(1), value, len, data[0] & 8);
			break;
		case 4:
			bus_access(&pio, 0xcf8 + where % 8, value, len, data[0] & 8);
			break;
		case 5:
			pci_msix_raise(devices[where % NR_DEVICES], data[6] | data[7] << 8);
			break;
		case 6:
			pci_intx_set(devices[where % NR_DEVICES], data[6] & 1);
			break;
		case 7:
			if (data[0] & 8)
				pci_config_write(host, where, get_le16(data + 6), data[8] % 10,
						 get_le32(data + 8));
			else
				pci_config_read(host, where, get_le16(data + 6), data[8] % 10);
			break;
		}
	}

	/* What no guest can change. */
	assert(!memcmp(identity, pci_config(devices[0]), 4));
	assert(!memcmp(identity + 8, pci_config(devices[0]) + 8, 4));
	assert(!memcmp(identity + 0x28, pci_config(devices[0]) + 0x28, 0x14));
	pci_host_destroy(host);
	return 0;
}
