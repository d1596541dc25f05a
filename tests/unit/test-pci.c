// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/pci.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "lkvm/byteorder.h"
#include "tests/unit/test.h"

#define ECAM  0x30000000u
#define IO    0x3f000000u
#define MEM32 0x40000000u
#define MEM64 0x400000000u

/* A device behind some BARs that remembers what it was asked. */
struct fake {
	struct pci_device *pci;
	uint64_t offset, value;
	unsigned int size, reads, writes;
	uint64_t answer;

	unsigned int moves, moved_bar;
	gpa_t        moved_to[PCI_MAX_BARS];
	unsigned int config_writes, config_reads;
	unsigned int config_offset, config_size;
	int          stamp_at; /* config_read() counts up the byte here */
};

static uint64_t fake_read(void *dev, uint64_t offset, unsigned int size)
{
	struct fake *fake = dev;

	fake->offset = offset;
	fake->size = size;
	fake->reads++;
	return fake->answer;
}

static void fake_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	struct fake *fake = dev;

	fake->offset = offset;
	fake->size = size;
	fake->value = value;
	fake->writes++;
}

static const struct bus_ops fake_ops = { .read = fake_read, .write = fake_write };

static void fake_moved(void *dev, unsigned int bar, gpa_t base)
{
	struct fake *fake = dev;

	fake->moves++;
	fake->moved_bar = bar;
	fake->moved_to[bar] = base;
}

static void fake_config_written(void *dev, unsigned int offset, unsigned int size)
{
	struct fake *fake = dev;

	fake->config_writes++;
	fake->config_offset = offset;
	fake->config_size = size;
}

static void fake_config_read(void *dev, unsigned int offset, unsigned int size)
{
	struct fake *fake = dev;

	(void)offset;
	(void)size;
	fake->config_reads++;
	if (fake->stamp_at)
		pci_config(fake->pci)[fake->stamp_at]++;
}

static const struct pci_device_ops fake_pci_ops = {
	.bar_moved = fake_moved,
	.config_written = fake_config_written,
	.config_read = fake_config_read,
};

struct rig {
	struct bus         mmio, pio;
	struct pci_host   *host;
	bool               levels[4];
	unsigned int       line_changes;
	struct msi_message msgs[64];
	unsigned int       nr_msgs;
};

static void on_level(void *chip, uint32_t irq, bool level)
{
	struct rig *rig = chip;

	CHECK(irq >= 16 && irq < 20);
	CHECK(rig->levels[irq - 16] != level);
	rig->levels[irq - 16] = level;
	rig->line_changes++;
}

static const struct irq_chip_ops chip_ops = { .set_level = on_level };

static int on_msi(void *ctx, const struct msi_message *msg)
{
	struct rig *rig = ctx;

	if (rig->nr_msgs < 64)
		rig->msgs[rig->nr_msgs] = *msg;
	rig->nr_msgs++;
	return 0;
}

static const struct machine_pci machine = {
	.ecam = { ECAM, MIB(16) },
	.io = { IO, KIB(64) },
	.mem32 = { MEM32, MIB(64) },
	.mem64 = { MEM64, GIB(8) },
	.msi = true,
};

static void rig_init_machine(struct rig *rig, const struct machine_pci *m, bool msi)
{
	const struct msi_sink sink = { .send = msi ? on_msi : NULL, .ctx = rig };
	struct irq_line intx[4];

	memset(rig, 0, sizeof(*rig));
	bus_init(&rig->mmio, "mmio");
	bus_init(&rig->pio, "pio");
	for (unsigned int i = 0; i < 4; i++)
		intx[i] = (struct irq_line){ .ops = &chip_ops, .chip = rig, .irq = 16 + i };
	CHECK_EQ(pci_host_create(&rig->host, m, &rig->mmio, &rig->pio, intx, &sink), 0);
}

static void rig_init(struct rig *rig)
{
	rig_init_machine(rig, &machine, true);
}

static void rig_exit(struct rig *rig)
{
	pci_host_destroy(rig->host);
}

static struct pci_device_info fake_info(struct fake *fake)
{
	struct pci_device_info info = {
		.vendor = 0x1af4, .device = 0x1042, .subsystem_vendor = 0x1234, .subsystem = 0x5678,
		.class_code = 0x010203, .revision = 1, .msix_vectors = 4, .msix_bar = 1,
		.ops = &fake_pci_ops, .dev = fake, .name = "fake",
	};

	memset(fake, 0, sizeof(*fake));
	info.bars[0] = (struct pci_bar){ .size_bytes = 0x4000, .ops = &fake_ops, .dev = fake };
	info.bars[4] = (struct pci_bar){ .size_bytes = MIB(1), .is_64bit = true,
					 .prefetchable = true, .ops = &fake_ops, .dev = fake };
	return info;
}

/* Adds a fake with a 32-bit BAR 0, MSI-X in BAR 1 and a 64-bit BAR 4; returns its slot. */
static unsigned int add_fake(struct rig *rig, struct fake *fake)
{
	struct pci_device_info info = fake_info(fake);

	CHECK_EQ(pci_device_add(rig->host, &info, &fake->pci), 0);
	return pci_slot(fake->pci);
}

static uint64_t mmio_read(struct rig *rig, uint64_t addr, unsigned int size)
{
	uint8_t data[8];

	CHECK_EQ(bus_access(&rig->mmio, addr, data, size, false), 0);
	return get_le(data, size);
}

static void mmio_write(struct rig *rig, uint64_t addr, unsigned int size, uint64_t value)
{
	uint8_t data[8];

	put_le(data, size, value);
	CHECK_EQ(bus_access(&rig->mmio, addr, data, size, true), 0);
}

static uint64_t cfg_addr(unsigned int slot, unsigned int offset)
{
	return ECAM + (slot << 15) + offset;
}

static uint32_t cfg_read(struct rig *rig, unsigned int slot, unsigned int offset, unsigned int size)
{
	return (uint32_t)mmio_read(rig, cfg_addr(slot, offset), size);
}

static void cfg_write(struct rig *rig, unsigned int slot, unsigned int offset, unsigned int size,
		      uint32_t value)
{
	mmio_write(rig, cfg_addr(slot, offset), size, value);
}

/* ---- configuration space ------------------------------------------------------------------------ */

static void test_bridge(void)
{
	struct rig rig;

	rig_init(&rig);
	CHECK_EQ(cfg_read(&rig, 0, 0, 4), 0x00081b36);
	CHECK_EQ(cfg_read(&rig, 0, 0, 2), 0x1b36);
	CHECK_EQ(cfg_read(&rig, 0, 2, 2), 0x0008);
	CHECK_EQ(cfg_read(&rig, 0, 3, 1), 0x00);
	CHECK_EQ(cfg_read(&rig, 0, 8, 4) >> 8, 0x060000);
	CHECK_EQ(cfg_read(&rig, 0, 0x0e, 1), 0);
	CHECK_EQ(cfg_read(&rig, 0, 0x3d, 1), 0);
	CHECK_EQ(cfg_read(&rig, 0, 6, 2), 0);
	for (unsigned int bar = 0x10; bar < 0x28; bar += 4) {
		cfg_write(&rig, 0, bar, 4, 0xffffffff);
		CHECK_EQ(cfg_read(&rig, 0, bar, 4), 0);
	}
	/* Nobody else is there: other slots, functions, buses. */
	for (unsigned int slot = 1; slot < 32; slot++)
		CHECK_EQ(cfg_read(&rig, slot, 0, 4), 0xffffffff);
	for (unsigned int fn = 1; fn < 8; fn++)
		CHECK_EQ(mmio_read(&rig, ECAM + (fn << 12), 4), 0xffffffff);
	CHECK_EQ(mmio_read(&rig, ECAM + MIB(1), 4), 0xffffffff);
	CHECK_EQ(mmio_read(&rig, ECAM + MIB(16) - 4, 4), 0xffffffff);
	mmio_write(&rig, ECAM + MIB(1), 4, 0);
	/* No extended capabilities; no access that a bus can't make. */
	CHECK_EQ(cfg_read(&rig, 0, 0x100, 4), 0);
	CHECK_EQ(cfg_read(&rig, 0, 0xffc, 4), 0);
	CHECK_EQ(mmio_read(&rig, ECAM, 8), UINT64_MAX);
	mmio_write(&rig, ECAM, 8, 0);
	/* No I/O BAR is there yet. */
	CHECK_EQ(mmio_read(&rig, IO, 4), 0xffffffff);
	mmio_write(&rig, IO, 1, 0);
	rig_exit(&rig);
	pci_host_destroy(NULL);
}

static void test_header(void)
{
	struct fake fake;
	struct rig rig;
	unsigned int slot;

	rig_init(&rig);
	slot = add_fake(&rig, &fake);
	CHECK_EQ(slot, 1);
	CHECK_EQ(cfg_read(&rig, slot, 0, 4), 0x10421af4);
	CHECK_EQ(cfg_read(&rig, slot, 8, 4), 0x01020301);
	CHECK_EQ(cfg_read(&rig, slot, 0x2c, 4), 0x56781234);
	CHECK_EQ(cfg_read(&rig, slot, 0x3d, 1), 1);
	CHECK_EQ(cfg_read(&rig, slot, 6, 2), 0x0010);

	/* Whatever a guest writes: only these bits change. */
	for (unsigned int offset = 0; offset < 0x10; offset += 4)
		cfg_write(&rig, slot, offset, 4, 0xffffffff);
	for (unsigned int offset = 0x28; offset < 0x100; offset += 4)
		cfg_write(&rig, slot, offset, 4, 0xffffffff);
	CHECK_EQ(cfg_read(&rig, slot, 0, 4), 0x10421af4);
	CHECK_EQ(cfg_read(&rig, slot, 4, 2), 0x0546);
	CHECK_EQ(cfg_read(&rig, slot, 6, 2), 0x0010);
	CHECK_EQ(cfg_read(&rig, slot, 8, 4), 0x01020301);
	CHECK_EQ(cfg_read(&rig, slot, 0x0c, 4), 0x000000ff);
	CHECK_EQ(cfg_read(&rig, slot, 0x28, 4), 0);
	CHECK_EQ(cfg_read(&rig, slot, 0x2c, 4), 0x56781234);
	CHECK_EQ(cfg_read(&rig, slot, 0x30, 4), 0); /* no ROM */
	CHECK_EQ(cfg_read(&rig, slot, 0x34, 4), 0x40);
	CHECK_EQ(cfg_read(&rig, slot, 0x3c, 4), 0x000001ff);
	CHECK_EQ(cfg_read(&rig, slot, 0x40, 4), 0xc0030011);
	CHECK_EQ(cfg_read(&rig, slot, 0x44, 4), 0x00000001);
	CHECK_EQ(cfg_read(&rig, slot, 0x48, 4), 0x00000801);
	for (unsigned int offset = 0x4c; offset < 0x100; offset += 4)
		CHECK_EQ(cfg_read(&rig, slot, offset, 4), 0);
	/* One byte at a time. */
	cfg_write(&rig, slot, 4, 1, 0);
	CHECK_EQ(cfg_read(&rig, slot, 4, 2), 0x0500);
	cfg_write(&rig, slot, 5, 1, 0);
	CHECK_EQ(cfg_read(&rig, slot, 4, 2), 0);
	rig_exit(&rig);
}

static void test_by_number(void)
{
	struct fake fake;
	struct rig rig;
	unsigned int bdf;

	rig_init(&rig);
	bdf = add_fake(&rig, &fake) << 3;
	CHECK_EQ(pci_config_read(rig.host, bdf, 0, 4), 0x10421af4);
	CHECK_EQ(pci_config_read(rig.host, bdf, 2, 2), 0x1042);
	CHECK_EQ(pci_config_read(rig.host, bdf, 2, 1), 0x42);
	pci_config_write(rig.host, bdf, 4, 2, 2);
	CHECK_EQ(pci_config_read(rig.host, bdf, 4, 2), 2);
	/* Absent, beyond, odd: ones of the size asked for. */
	CHECK_EQ(pci_config_read(rig.host, bdf + 1, 0, 4), 0xffffffff);
	CHECK_EQ(pci_config_read(rig.host, bdf + 8, 0, 2), 0xffff);
	CHECK_EQ(pci_config_read(rig.host, 0x100 | bdf, 0, 1), 0xff);
	CHECK_EQ(pci_config_read(rig.host, UINT32_MAX, 0, 4), 0xffffffff);
	CHECK_EQ(pci_config_read(rig.host, bdf, 4096, 4), 0xffffffff);
	CHECK_EQ(pci_config_read(rig.host, bdf, UINT32_MAX, 1), 0xff);
	CHECK_EQ(pci_config_read(rig.host, bdf, 2, 4), 0xffffffff);
	CHECK_EQ(pci_config_read(rig.host, bdf, 1, 2), 0xffff);
	CHECK_EQ(pci_config_read(rig.host, bdf, 0, 0), 0xffffffff);
	CHECK_EQ(pci_config_read(rig.host, bdf, 0, 3), 0xffffff);
	CHECK_EQ(pci_config_read(rig.host, bdf, 0, 8), 0xffffffff);
	CHECK_EQ(pci_config_read(rig.host, bdf, 254, 4), 0xffffffff);
	CHECK_EQ(pci_config_read(rig.host, bdf, 4092, 4), 0);
	pci_config_write(rig.host, bdf, 254, 4, 0xffffffff);
	pci_config_write(rig.host, bdf, 5, 2, 0xffffffff);
	pci_config_write(rig.host, bdf, 4094, 2, 0xffffffff);
	pci_config_write(rig.host, bdf, 4, 8, 0xffffffff);
	pci_config_write(rig.host, bdf, 4, 0, 0xffffffff);
	CHECK_EQ(pci_config_read(rig.host, bdf, 4, 2), 2);
	rig_exit(&rig);
}

static uint64_t port_in(struct rig *rig, uint64_t port, unsigned int size)
{
	uint8_t data[8];

	CHECK_EQ(bus_access(&rig->pio, port, data, size, false), 0);
	return get_le(data, size);
}

static void port_out(struct rig *rig, uint64_t port, unsigned int size, uint64_t value)
{
	uint8_t data[8];

	put_le(data, size, value);
	CHECK_EQ(bus_access(&rig->pio, port, data, size, true), 0);
}

static void test_ports(void)
{
	struct fake fake;
	struct rig rig;
	uint32_t dev;

	rig_init(&rig);
	dev = 0x80000000 | add_fake(&rig, &fake) << 11;
	/* What Linux does to find mechanism 1. */
	port_out(&rig, 0xcfb, 1, 0x01);
	CHECK_EQ(port_in(&rig, 0xcf8, 4), 0);
	port_out(&rig, 0xcf8, 4, 0x80000000);
	CHECK_EQ(port_in(&rig, 0xcf8, 4), 0x80000000);
	CHECK_EQ(port_in(&rig, 0xcfc, 4), 0x00081b36);

	port_out(&rig, 0xcf8, 4, dev | 0x2c);
	CHECK_EQ(port_in(&rig, 0xcfc, 4), 0x56781234);
	CHECK_EQ(port_in(&rig, 0xcfe, 2), 0x5678);
	CHECK_EQ(port_in(&rig, 0xcff, 1), 0x56);
	CHECK_EQ(port_in(&rig, 0xcfd, 1), 0x12);
	port_out(&rig, 0xcf8, 4, dev | 0x04);
	port_out(&rig, 0xcfc, 2, 0x0006);
	CHECK_EQ(port_in(&rig, 0xcfc, 2), 0x0006);
	port_out(&rig, 0xcfd, 1, 0x04);
	CHECK_EQ(port_in(&rig, 0xcfc, 2), 0x0406);

	/* Not enabled; nobody there; bits that do not exist. */
	port_out(&rig, 0xcf8, 4, dev & 0x7fffffff);
	CHECK_EQ(port_in(&rig, 0xcfc, 4), 0xffffffff);
	port_out(&rig, 0xcfc, 4, 0);
	port_out(&rig, 0xcf8, 4, 0x80ff0000);
	CHECK_EQ(port_in(&rig, 0xcfc, 2), 0xffff);
	port_out(&rig, 0xcf8, 4, 0xffffffff);
	CHECK_EQ(port_in(&rig, 0xcf8, 4), 0x80fffffc);
	port_out(&rig, 0xcf8, 4, dev | 0x04);
	CHECK_EQ(port_in(&rig, 0xcfc, 2), 0x0406);
	/* Narrow accesses to the address, as for the reset register at CF9. */
	port_out(&rig, 0xcf9, 1, 0x06);
	CHECK_EQ(port_in(&rig, 0xcf9, 1), 0xff);
	CHECK_EQ(port_in(&rig, 0xcf8, 2), 0xffff);
	CHECK_EQ(port_in(&rig, 0xcf8, 8), UINT64_MAX);
	CHECK_EQ(port_in(&rig, 0xcf8, 4), dev | 0x04);

	/* Bytes at CF9, and only these, reach whoever shares the port. */
	fake.answer = 0x5a;
	pci_host_share_cf9(rig.host, &fake_ops, &fake);
	port_out(&rig, 0xcf9, 1, 0x06);
	CHECK_EQ(fake.writes, 1);
	CHECK_EQ(fake.value, 0x06);
	CHECK_EQ(fake.offset, 0);
	CHECK_EQ(port_in(&rig, 0xcf9, 1), 0x5a);
	port_out(&rig, 0xcf8, 1, 0x06);
	port_out(&rig, 0xcfa, 2, 0x06);
	port_out(&rig, 0xcf8, 4, dev | 0x08);
	CHECK_EQ(port_in(&rig, 0xcf8, 4), dev | 0x08);
	CHECK_EQ(fake.reads, 1);
	CHECK_EQ(fake.writes, 1);
	rig_exit(&rig);
}

static uint64_t cf9_read(void *dev, uint64_t offset, unsigned int size)
{
	CHECK_EQ(offset, 0);
	CHECK_EQ(size, 1);
	return *(uint8_t *)dev;
}

static void cf9_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	CHECK_EQ(offset, 0);
	CHECK_EQ(size, 1);
	*(uint8_t *)dev = (uint8_t)value;
}

/* The reset register of PC chipsets gets bytes at CF9 and nothing else. */
static void test_cf9(void)
{
	static const struct bus_ops ops = { .read = cf9_read, .write = cf9_write };
	uint8_t reg = 0;
	struct rig rig;

	rig_init(&rig);
	pci_host_share_cf9(rig.host, &ops, &reg);
	port_out(&rig, 0xcf9, 1, 0x06);
	CHECK_EQ(reg, 6);
	CHECK_EQ(port_in(&rig, 0xcf9, 1), 6);
	port_out(&rig, 0xcf8, 4, 0x80000400);
	port_out(&rig, 0xcfa, 1, 0x55);
	port_out(&rig, 0xcf8, 1, 0x55);
	CHECK_EQ(reg, 6);
	CHECK_EQ(port_in(&rig, 0xcf8, 4), 0x80000400);
	rig_exit(&rig);
}

static void test_capabilities(void)
{
	uint8_t cap[20] = { 0x09, 0, 20, 5, 1, 2, 3 }, huge[255] = { 0x09 };
	struct fake fake;
	struct rig rig;
	unsigned int slot;
	int at, first;

	rig_init(&rig);
	slot = add_fake(&rig, &fake);
	first = pci_add_capability(fake.pci, cap, 19);
	CHECK_EQ(first, 0x4c); /* after MSI-X */
	at = pci_add_capability(fake.pci, cap, sizeof(cap));
	CHECK_EQ(at, 0x60); /* aligned */
	/* The list: MSI-X, then in the order of adding. */
	CHECK_EQ(cfg_read(&rig, slot, 0x34, 1), 0x40);
	CHECK_EQ(cfg_read(&rig, slot, 0x41, 1), 0x4c);
	CHECK_EQ(cfg_read(&rig, slot, 0x4d, 1), 0x60);
	CHECK_EQ(cfg_read(&rig, slot, 0x61, 1), 0);
	CHECK_EQ(cfg_read(&rig, slot, 0x60, 1), 9);

	/* Read-only until allowed; the device hears of both. */
	cfg_write(&rig, slot, 0x64, 4, 0xffffffff);
	CHECK_EQ(cfg_read(&rig, slot, 0x64, 4), 0x00030201);
	CHECK_EQ(fake.config_writes, 1);
	pci_config_allow_write(fake.pci, 0x64, 2);
	cfg_write(&rig, slot, 0x64, 4, 0xffffffff);
	CHECK_EQ(cfg_read(&rig, slot, 0x64, 4), 0x0003ffff);
	CHECK_EQ(fake.config_writes, 2);
	CHECK_EQ(fake.config_offset, 0x64);
	CHECK_EQ(fake.config_size, 4);
	/* What is not its own is not its business. */
	cfg_write(&rig, slot, 0x04, 2, 0);
	cfg_write(&rig, slot, 0x42, 2, 0);
	cfg_write(&rig, slot, 0x80, 4, 0);
	CHECK_EQ(fake.config_writes, 2);
	fake.config_reads = 0;
	(void)cfg_read(&rig, slot, 0x00, 4);
	(void)cfg_read(&rig, slot, 0x42, 2);
	CHECK_EQ(fake.config_reads, 0);
	/* Bytes that are made at the time of reading. */
	fake.stamp_at = 0x70;
	CHECK_EQ(cfg_read(&rig, slot, 0x70, 4), 1);
	CHECK_EQ(cfg_read(&rig, slot, 0x70, 1), 2);
	CHECK_EQ(fake.config_reads, 2);

	CHECK_EQ(pci_add_capability(fake.pci, huge, sizeof(huge)), -ENOSPC);
	CHECK_EQ(pci_add_capability(fake.pci, huge, 0x100 - 0x74), 0x74);
	CHECK_EQ(pci_add_capability(fake.pci, huge, 2), -ENOSPC);
	CHECK_EQ(pci_add_capability(fake.pci, huge, 0), -ENOSPC);
	pci_config_allow_write(fake.pci, 0x04, 4);
	pci_config_allow_write(fake.pci, 0xff, 2);
	pci_config_allow_write(fake.pci, UINT32_MAX, 2);
	cfg_write(&rig, slot, 0x04, 4, 0xffffffff);
	CHECK_EQ(cfg_read(&rig, slot, 0x04, 4), 0x00100546);
	rig_exit(&rig);
}

/* ---- BARs --------------------------------------------------------------------------------------- */

static void test_bar_sizing(void)
{
	struct fake fake;
	struct rig rig;
	unsigned int slot;
	uint32_t before;

	rig_init(&rig);
	slot = add_fake(&rig, &fake);
	CHECK_EQ(cfg_read(&rig, slot, 0x10, 4), MEM32);
	CHECK_EQ(cfg_read(&rig, slot, 0x14, 4), MEM32 + 0x4000);
	CHECK_EQ(cfg_read(&rig, slot, 0x18, 4), 0);
	CHECK_EQ(cfg_read(&rig, slot, 0x1c, 4), 0);
	CHECK_EQ(cfg_read(&rig, slot, 0x20, 4), (uint32_t)MEM64 | 0xc);
	CHECK_EQ(cfg_read(&rig, slot, 0x24, 4), MEM64 >> 32);

	cfg_write(&rig, slot, 0x10, 4, 0xffffffff);
	CHECK_EQ(cfg_read(&rig, slot, 0x10, 4), 0xffffc000);
	cfg_write(&rig, slot, 0x14, 4, 0xffffffff);
	CHECK_EQ(cfg_read(&rig, slot, 0x14, 4), 0xfffff000);
	cfg_write(&rig, slot, 0x18, 4, 0xffffffff);
	CHECK_EQ(cfg_read(&rig, slot, 0x18, 4), 0);
	before = cfg_read(&rig, slot, 0x20, 4);
	cfg_write(&rig, slot, 0x20, 4, 0xffffffff);
	cfg_write(&rig, slot, 0x24, 4, 0xffffffff);
	CHECK_EQ(cfg_read(&rig, slot, 0x20, 4), 0xfff0000c);
	CHECK_EQ(cfg_read(&rig, slot, 0x24, 4), 0xffffffff);
	cfg_write(&rig, slot, 0x20, 4, before);
	CHECK_EQ(cfg_read(&rig, slot, 0x20, 4), before);
	/* Never decoded, so nothing has moved. */
	CHECK_EQ(fake.moves, 0);
	rig_exit(&rig);
}

static void test_bar_access(void)
{
	struct fake fake;
	struct rig rig;
	unsigned int slot;

	rig_init(&rig);
	slot = add_fake(&rig, &fake);
	/* Off until the guest turns it on. */
	CHECK_EQ(mmio_read(&rig, MEM32, 4), 0xffffffff);
	mmio_write(&rig, MEM32, 4, 0);
	CHECK_EQ(fake.reads + fake.writes, 0);

	cfg_write(&rig, slot, 4, 2, 2);
	CHECK_EQ(fake.moves, 2);
	CHECK_EQ(fake.moved_to[0], MEM32);
	CHECK_EQ(fake.moved_to[4], MEM64);
	fake.answer = 0x8877665544332211;
	CHECK_EQ(mmio_read(&rig, MEM32 + 0x3ffc, 4), 0x44332211);
	CHECK_EQ(fake.offset, 0x3ffc);
	CHECK_EQ(fake.size, 4);
	mmio_write(&rig, MEM64 + 0xffff8, 8, 0x123456789abcdef0);
	CHECK_EQ(fake.offset, 0xffff8);
	CHECK_EQ(fake.size, 8);
	CHECK_EQ(fake.value, 0x123456789abcdef0);
	CHECK_EQ(mmio_read(&rig, MEM64 + 0x100000, 4), 0xffffffff);
	CHECK_EQ(mmio_read(&rig, MEM32 + MIB(64) - 8, 8), UINT64_MAX);
	CHECK_EQ(mmio_read(&rig, MEM64 + GIB(8) - 1, 1), 0xff);
	CHECK_EQ(fake.reads, 1);
	CHECK_EQ(fake.writes, 1);

	/* Moved within the window ... */
	cfg_write(&rig, slot, 0x10, 4, MEM32 + MIB(32) + 0x2fff);
	CHECK_EQ(cfg_read(&rig, slot, 0x10, 4), MEM32 + MIB(32));
	CHECK_EQ(fake.moves, 3);
	CHECK_EQ(fake.moved_to[0], MEM32 + MIB(32));
	CHECK_EQ(mmio_read(&rig, MEM32, 1), 0xff);
	CHECK_EQ(mmio_read(&rig, MEM32 + MIB(32) + 0x3000, 1), 0x11);
	CHECK_EQ(fake.offset, 0x3000);
	/* ... to its very end, beyond, and outside. */
	cfg_write(&rig, slot, 0x10, 4, MEM32 + MIB(64) - 0x4000);
	CHECK_EQ(mmio_read(&rig, MEM32 + MIB(64) - 1, 1), 0x11);
	CHECK_EQ(fake.offset, 0x3fff);
	cfg_write(&rig, slot, 0x10, 4, MEM32 + MIB(64));
	CHECK_EQ(fake.moved_to[0], 0);
	cfg_write(&rig, slot, 0x10, 4, MEM32 - 0x4000);
	cfg_write(&rig, slot, 0x10, 4, 0);
	cfg_write(&rig, slot, 0x10, 4, ECAM);
	CHECK_EQ(fake.moves, 5);
	CHECK_EQ(cfg_read(&rig, 0, 0, 4), 0x00081b36);
	/* Writing what is there already moves nothing. */
	cfg_write(&rig, slot, 0x10, 4, MEM32);
	CHECK_EQ(fake.moves, 6);
	cfg_write(&rig, slot, 0x10, 4, MEM32);
	cfg_write(&rig, slot, 4, 2, 6);
	CHECK_EQ(fake.moves, 6);

	/* A 64-bit BAR may also lie in the 32-bit window. Halves are written one after the other. */
	cfg_write(&rig, slot, 0x20, 4, MEM32 + MIB(16));
	cfg_write(&rig, slot, 0x24, 4, 0);
	CHECK_EQ(fake.moved_to[4], MEM32 + MIB(16));
	mmio_write(&rig, MEM32 + MIB(16) + 4, 2, 1);
	CHECK_EQ(fake.offset, 4);

	/* Off again. */
	cfg_write(&rig, slot, 4, 2, 4);
	CHECK_EQ(fake.moved_to[0], 0);
	CHECK_EQ(fake.moved_to[4], 0);
	CHECK_EQ(mmio_read(&rig, MEM32, 4), 0xffffffff);
	rig_exit(&rig);
}

static void test_bar_placement(void)
{
	struct machine_pci m = machine;
	struct pci_device_info info;
	struct fake fakes[4];
	struct rig rig;
	const char *text;

	rig_init(&rig);
	/* A small BAR is rounded up to a page; a 64-bit one that is not prefetchable goes below 4 GiB. */
	info = fake_info(&fakes[0]);
	info.msix_vectors = 0;
	info.bars[0].size_bytes = 16;
	info.bars[4].prefetchable = false;
	CHECK_EQ(pci_device_add(rig.host, &info, &fakes[0].pci), 0);
	cfg_write(&rig, 1, 0x10, 4, 0xffffffff);
	CHECK_EQ(cfg_read(&rig, 1, 0x10, 4), 0xfffff000);
	CHECK_EQ(cfg_read(&rig, 1, 0x20, 4), (MEM32 + MIB(1)) | 4);
	CHECK_EQ(cfg_read(&rig, 1, 0x24, 4), 0);

	/* Too large: an error that names it, and nothing is lost to the next one. */
	info = fake_info(&fakes[1]);
	info.bars[0].size_bytes = MIB(64);
	test_stderr_begin();
	CHECK_EQ(pci_device_add(rig.host, &info, &fakes[1].pci), -ENOSPC);
	text = test_stderr_end();
	CHECK(strstr(text, "fake") && strstr(text, "BAR 0"));
	info = fake_info(&fakes[1]);
	CHECK_EQ(pci_device_add(rig.host, &info, &fakes[1].pci), 0);
	CHECK_EQ(pci_slot(fakes[1].pci), 2);
	CHECK_EQ(cfg_read(&rig, 2, 0x10, 4), MEM32 + MIB(2));
	CHECK_EQ(cfg_read(&rig, 2, 0x24, 4), MEM64 >> 32);

	/* Impossible ones. */
	test_stderr_begin();
	info = fake_info(&fakes[2]);
	info.bars[0].size_bytes = 0x5000;
	CHECK_EQ(pci_device_add(rig.host, &info, &fakes[2].pci), -EINVAL);
	info = fake_info(&fakes[2]);
	info.bars[5] = info.bars[0];
	CHECK_EQ(pci_device_add(rig.host, &info, &fakes[2].pci), -EINVAL);
	info = fake_info(&fakes[2]);
	info.bars[4].size_bytes = 0;
	info.bars[5] = (struct pci_bar){ .size_bytes = 0x1000, .is_64bit = true, .ops = &fake_ops };
	CHECK_EQ(pci_device_add(rig.host, &info, &fakes[2].pci), -EINVAL);
	info = fake_info(&fakes[2]);
	info.msix_bar = 0;
	CHECK_EQ(pci_device_add(rig.host, &info, &fakes[2].pci), -EINVAL);
	info.msix_bar = 5;
	CHECK_EQ(pci_device_add(rig.host, &info, &fakes[2].pci), -EINVAL);
	info.msix_bar = 6;
	CHECK_EQ(pci_device_add(rig.host, &info, &fakes[2].pci), -EINVAL);
	info.msix_bar = 1;
	info.msix_vectors = 2049;
	CHECK_EQ(pci_device_add(rig.host, &info, &fakes[2].pci), -EINVAL);
	(void)test_stderr_end();
	rig_exit(&rig);

	/* A machine without the high window. */
	m.mem64 = (struct machine_range){ 0, 0 };
	rig_init_machine(&rig, &m, true);
	info = fake_info(&fakes[3]);
	CHECK_EQ(pci_device_add(rig.host, &info, &fakes[3].pci), 0);
	CHECK_EQ(cfg_read(&rig, 1, 0x20, 4), (MEM32 + MIB(1)) | 0xc);
	CHECK_EQ(cfg_read(&rig, 1, 0x24, 4), 0);
	rig_exit(&rig);
}

static void test_machines(void)
{
	const struct irq_line none[4] = { { 0 } };
	const struct msi_sink no_msi = { 0 };
	struct machine_pci m = machine;
	struct pci_host *host;
	struct fake fake;
	struct rig rig;

	/* No ECAM (pseries), no ports, no lines, no MSI. */
	m.ecam.size_bytes = 0;
	bus_init(&rig.mmio, "mmio");
	CHECK_EQ(pci_host_create(&host, &m, &rig.mmio, NULL, none, &no_msi), 0);
	CHECK_EQ(rig.mmio.nr_windows, 3);
	rig.host = host;
	CHECK_EQ(add_fake(&rig, &fake), 1);
	CHECK_EQ(pci_config_read(host, 1 << 3, 0, 4), 0x10421af4);
	CHECK_EQ(pci_config_read(host, 1 << 3, 0x3d, 1), 0);
	CHECK_EQ(pci_config_read(host, 1 << 3, 0x34, 1), 0);
	CHECK_EQ(pci_config_read(host, 1 << 3, 0x14, 4), 0);
	pci_msix_raise(fake.pci, 0);
	CHECK(!pci_msix_enabled(fake.pci));
	pci_intx_set(fake.pci, true);
	pci_intx_set(fake.pci, false);
	pci_host_destroy(host);

	/* Windows that can't be. */
	test_stderr_begin();
	m = machine;
	m.mem32.base += 0x800;
	CHECK_EQ(pci_host_create(&host, &m, &rig.mmio, NULL, none, &no_msi), -EINVAL);
	m = machine;
	m.mem32.base = 0xffff0000;
	m.mem32.size_bytes = 0x20000;
	CHECK_EQ(pci_host_create(&host, &m, &rig.mmio, NULL, none, &no_msi), -EINVAL);
	m = machine;
	m.mem64.size_bytes = UINT64_C(1) << 45;
	CHECK_EQ(pci_host_create(&host, &m, &rig.mmio, NULL, none, &no_msi), -EINVAL);
	m = machine;
	m.mem64.base = ECAM;
	bus_init(&rig.mmio, "mmio");
	CHECK_EQ(pci_host_create(&host, &m, &rig.mmio, NULL, none, &no_msi), -EEXIST);
	(void)test_stderr_end();
}

static void test_bus_full(void)
{
	static struct fake fakes[31];
	struct pci_device_info info;
	struct fake extra;
	struct rig rig;

	rig_init(&rig);
	for (unsigned int i = 0; i < 31; i++)
		CHECK_EQ(add_fake(&rig, &fakes[i]), i + 1);
	test_stderr_begin();
	info = fake_info(&extra);
	CHECK_EQ(pci_device_add(rig.host, &info, &extra.pci), -ENOSPC);
	CHECK(strstr(test_stderr_end(), "fake"));
	/* All at once: each answers at its own addresses only. */
	for (unsigned int i = 0; i < 31; i++)
		cfg_write(&rig, i + 1, 4, 2, 2);
	for (unsigned int i = 0; i < 31; i++) {
		fakes[i].answer = i;
		CHECK_EQ(mmio_read(&rig, fakes[i].moved_to[0], 4), i);
		CHECK_EQ(mmio_read(&rig, fakes[i].moved_to[4] + 0x1000, 4), i);
		CHECK_EQ(fakes[i].reads, 2);
	}
	rig_exit(&rig);
}

/* ---- I/O BARs ----------------------------------------------------------------------------------- */

/* Adds a fake with 64 ports in BAR 0, and memory in BAR 2. */
static unsigned int add_io_fake(struct rig *rig, struct fake *fake)
{
	struct pci_device_info info = fake_info(fake);

	info.bars[0].size_bytes = 64;
	info.bars[0].is_io = true;
	info.bars[2] = (struct pci_bar){ .size_bytes = 0x1000, .ops = &fake_ops, .dev = fake };
	CHECK_EQ(pci_device_add(rig->host, &info, &fake->pci), 0);
	return pci_slot(fake->pci);
}

static void test_io_bar(void)
{
	struct fake a, b;
	struct rig rig;
	unsigned int first, second;

	rig_init(&rig);
	first = add_io_fake(&rig, &a);
	second = add_io_fake(&rig, &b);
	/* Not at port 0, and as far apart as no BAR is long. */
	CHECK_EQ(cfg_read(&rig, first, 0x10, 4), 0x1001);
	CHECK_EQ(cfg_read(&rig, second, 0x10, 4), 0x1101);
	cfg_write(&rig, first, 0x10, 4, 0xffffffff);
	CHECK_EQ(cfg_read(&rig, first, 0x10, 4), 0xffffff01);
	cfg_write(&rig, first, 0x10, 4, 0x1001);

	/* Memory and ports have an enable bit each. */
	a.answer = 0x1a;
	b.answer = 0x1b;
	CHECK_EQ(mmio_read(&rig, IO + 0x1004, 1), 0xff);
	cfg_write(&rig, first, 4, 2, 2);
	CHECK_EQ(mmio_read(&rig, IO + 0x1004, 1), 0xff);
	CHECK_EQ(a.reads, 0);
	CHECK_EQ(a.moved_to[0], 0);
	cfg_write(&rig, first, 4, 2, 1);
	cfg_write(&rig, second, 4, 2, 1);
	CHECK_EQ(cfg_read(&rig, first, 4, 2), 1);
	CHECK_EQ(a.moved_to[0], 0x1000);
	CHECK_EQ(a.moved_to[2], 0);
	CHECK_EQ(mmio_read(&rig, IO + 0x1004, 1), 0x1a);
	CHECK_EQ(a.offset, 4);
	CHECK_EQ(mmio_read(&rig, IO + 0x10ff, 1), 0x1a);
	CHECK_EQ(a.offset, 0xff);
	CHECK_EQ(mmio_read(&rig, IO + 0x1112, 2), 0x1b);
	CHECK_EQ(b.offset, 0x12);
	CHECK_EQ(mmio_read(&rig, IO + 0x1200, 4), 0xffffffff);
	mmio_write(&rig, IO + 0x1110, 4, 0x12345678);
	CHECK_EQ(b.value, 0x12345678);
	CHECK_EQ(b.size, 4);

	/* Moved; and to where no port is, or no port may be of that kind. */
	cfg_write(&rig, first, 0x10, 4, 0xff00);
	CHECK_EQ(mmio_read(&rig, IO + 0x1004, 1), 0xff);
	CHECK_EQ(mmio_read(&rig, IO + 0xff10, 1), 0x1a);
	cfg_write(&rig, first, 0x10, 4, 0x10000);
	CHECK_EQ(a.moved_to[0], 0);
	cfg_write(&rig, first, 0x10, 4, MEM32);
	CHECK_EQ(a.moved_to[0], 0);
	cfg_write(&rig, first, 0x18, 4, 0x1000);
	cfg_write(&rig, first, 4, 2, 3);
	CHECK_EQ(a.moved_to[2], 0);
	CHECK_EQ(mmio_read(&rig, IO + 0x1004, 1), 0xff);
	rig_exit(&rig);
}

/* Where the CPU has ports, they are its own. */
static void test_io_bar_ports(void)
{
	struct machine_pci m = machine;
	struct pci_device_info info;
	struct fake a, b;
	struct rig rig;
	unsigned int slot;

	m.ports = true;
	m.io = (struct machine_range){ 0xc000, 0x100 };
	rig_init_machine(&rig, &m, true);
	slot = add_io_fake(&rig, &a);
	CHECK_EQ(cfg_read(&rig, slot, 0x10, 4), 0xc001);
	cfg_write(&rig, slot, 4, 2, 1);
	a.answer = 7;
	CHECK_EQ(port_in(&rig, 0xc013, 1), 7);
	CHECK_EQ(a.offset, 0x13);
	port_out(&rig, 0xc010, 2, 99);
	CHECK_EQ(a.value, 99);

	test_stderr_begin();
	info = fake_info(&b);
	info.bars[0].size_bytes = 256;
	info.bars[0].is_io = true;
	CHECK_EQ(pci_device_add(rig.host, &info, &b.pci), -ENOSPC);
	info.bars[0].size_bytes = 512; /* more than one may have */
	CHECK_EQ(pci_device_add(rig.host, &info, &b.pci), -EINVAL);
	info.bars[0].size_bytes = 64;
	info.bars[0].is_64bit = true;
	CHECK_EQ(pci_device_add(rig.host, &info, &b.pci), -EINVAL);
	CHECK(strstr(test_stderr_end(), "no room for BAR 0 of 0x100 bytes in the I/O window of 0x100 bytes"));
	rig_exit(&rig);
}

/* ---- INTx --------------------------------------------------------------------------------------- */

static void test_intx(void)
{
	struct fake fakes[9];
	struct rig rig;

	rig_init(&rig);
	for (unsigned int i = 1; i < 9; i++)
		CHECK_EQ(add_fake(&rig, &fakes[i]), i);
	/* (pin + slot) % 4. */
	for (unsigned int i = 1; i < 9; i++) {
		pci_intx_set(fakes[i].pci, true);
		for (unsigned int line = 0; line < 4; line++)
			CHECK_EQ(rig.levels[line], line == i % 4);
		pci_intx_set(fakes[i].pci, true);
		pci_intx_set(fakes[i].pci, false);
		CHECK(!rig.levels[i % 4]);
	}
	CHECK_EQ(rig.line_changes, 16);

	/* Slots 1 and 5 share a line. */
	pci_intx_set(fakes[1].pci, true);
	pci_intx_set(fakes[5].pci, true);
	CHECK_EQ(cfg_read(&rig, 1, 6, 2), 0x0018);
	CHECK_EQ(cfg_read(&rig, 5, 6, 1), 0x18);
	CHECK_EQ(cfg_read(&rig, 2, 6, 2), 0x0010);
	pci_intx_set(fakes[1].pci, false);
	CHECK(rig.levels[1]);
	CHECK_EQ(cfg_read(&rig, 1, 6, 2), 0x0010);
	pci_intx_set(fakes[5].pci, false);
	CHECK(!rig.levels[1]);

	/* The disable bit: the pin is quiet, the status tells. */
	pci_intx_set(fakes[2].pci, true);
	CHECK(rig.levels[2]);
	cfg_write(&rig, 2, 4, 2, 0x0400);
	CHECK(!rig.levels[2]);
	CHECK_EQ(cfg_read(&rig, 2, 6, 2), 0x0018);
	cfg_write(&rig, 2, 4, 1, 0);
	CHECK(!rig.levels[2]);
	cfg_write(&rig, 2, 4, 2, 0);
	CHECK(rig.levels[2]);

	/* MSI-X instead of the pin. */
	cfg_write(&rig, 2, 0x42, 2, 0x8000);
	CHECK(!rig.levels[2]);
	cfg_write(&rig, 2, 0x42, 2, 0);
	CHECK(rig.levels[2]);
	pci_intx_set(fakes[2].pci, false);
	CHECK(!rig.levels[2]);
	rig_exit(&rig);
}

/* ---- MSI-X -------------------------------------------------------------------------------------- */

#define TABLE (MEM32 + 0x4000) /* of the first fake */
#define PBA   (TABLE + 0x800)

static void msix_set_up(struct rig *rig, unsigned int vector)
{
	mmio_write(rig, TABLE + 16 * vector, 4, 0xfee01003);
	mmio_write(rig, TABLE + 16 * vector + 4, 4, 0x12345678);
	mmio_write(rig, TABLE + 16 * vector + 8, 4, 0x4000 + vector);
	mmio_write(rig, TABLE + 16 * vector + 12, 4, 0);
}

static void test_msix(void)
{
	struct fake fake;
	struct rig rig;

	rig_init(&rig);
	CHECK_EQ(add_fake(&rig, &fake), 1);
	CHECK_EQ(cfg_read(&rig, 1, 0x42, 2), 3);
	cfg_write(&rig, 1, 4, 2, 6);

	/* Not enabled: nothing is sent, nothing remembered. */
	CHECK(!pci_msix_enabled(fake.pci));
	pci_msix_raise(fake.pci, 0);
	cfg_write(&rig, 1, 0x42, 2, 0x8000);
	CHECK(pci_msix_enabled(fake.pci));
	CHECK_EQ(rig.nr_msgs, 0);
	CHECK_EQ(mmio_read(&rig, PBA, 8), 0);

	/* Masked from the start: pending. */
	CHECK_EQ(mmio_read(&rig, TABLE + 12, 4), 1);
	pci_msix_raise(fake.pci, 2);
	pci_msix_raise(fake.pci, 2);
	CHECK_EQ(rig.nr_msgs, 0);
	CHECK_EQ(mmio_read(&rig, PBA, 4), 4);
	CHECK_EQ(mmio_read(&rig, PBA, 8), 4);
	CHECK_EQ(mmio_read(&rig, PBA + 4, 4), 0);
	msix_set_up(&rig, 2);
	CHECK_EQ(rig.nr_msgs, 1);
	CHECK_EQ(rig.msgs[0].address, 0x12345678fee01000);
	CHECK_EQ(rig.msgs[0].data, 0x4002);
	CHECK_EQ(rig.msgs[0].devid, 1 << 3);
	CHECK_EQ(mmio_read(&rig, PBA, 4), 0);
	pci_msix_raise(fake.pci, 2);
	CHECK_EQ(rig.nr_msgs, 2);

	/* The function mask. */
	msix_set_up(&rig, 0);
	cfg_write(&rig, 1, 0x43, 1, 0xc0);
	pci_msix_raise(fake.pci, 0);
	pci_msix_raise(fake.pci, 2);
	pci_msix_raise(fake.pci, 3);
	CHECK_EQ(rig.nr_msgs, 2);
	CHECK_EQ(mmio_read(&rig, PBA, 4), 0xd);
	cfg_write(&rig, 1, 0x43, 1, 0x80);
	CHECK_EQ(rig.nr_msgs, 4);
	CHECK_EQ(mmio_read(&rig, PBA, 4), 8);

	/* A mask bit in the table, in an 8-byte write. */
	mmio_write(&rig, TABLE + 8, 8, 0xffffffffffffffff);
	CHECK_EQ(mmio_read(&rig, TABLE + 8, 8), 0x1ffffffff);
	pci_msix_raise(fake.pci, 0);
	CHECK_EQ(rig.nr_msgs, 4);
	mmio_write(&rig, TABLE + 8, 8, 0x77);
	CHECK_EQ(rig.nr_msgs, 5);
	CHECK_EQ(rig.msgs[4].data, 0x77);

	/* Off: what was pending is forgotten. */
	cfg_write(&rig, 1, 0x42, 2, 0);
	CHECK_EQ(mmio_read(&rig, PBA, 4), 0);
	pci_msix_raise(fake.pci, 2);
	CHECK_EQ(rig.nr_msgs, 5);
	rig_exit(&rig);
}

/* What firmware programs in the guest's stead is what the guest finds in the table. */
static void test_msix_program(void)
{
	struct fake fake;
	struct rig rig;

	rig_init(&rig);
	CHECK_EQ(add_fake(&rig, &fake), 1);
	CHECK_EQ(pci_msix_vectors(rig.host, 1 << 3), 4);
	CHECK_EQ(pci_msix_vectors(rig.host, 0), 0);
	CHECK_EQ(pci_msix_vectors(rig.host, 2 << 3), 0);
	CHECK_EQ(pci_msix_vectors(rig.host, 1 << 8 | 1 << 3), 0);
	cfg_write(&rig, 1, 4, 2, 6);
	CHECK_EQ(pci_msix_program(rig.host, 1 << 3, 3, 0x40000000004, 0x1234), 0);
	CHECK_EQ(mmio_read(&rig, TABLE + 48, 8), 0x40000000004);
	CHECK_EQ(mmio_read(&rig, TABLE + 56, 8), 0x100001234);
	CHECK_EQ(pci_msix_program(rig.host, 1 << 3, 4, 0, 0), -ENOENT);
	CHECK_EQ(pci_msix_program(rig.host, 0, 0, 0, 0), -ENOENT);
	cfg_write(&rig, 1, 0x42, 2, 0x8000);
	mmio_write(&rig, TABLE + 60, 4, 0);
	pci_msix_raise(fake.pci, 3);
	CHECK_EQ(rig.nr_msgs, 1);
	CHECK_EQ(rig.msgs[0].data, 0x1234);
	rig_exit(&rig);
}

static void test_msix_hostile(void)
{
	struct pci_device_info info;
	struct fake fake;
	struct rig rig;

	rig_init(&rig);
	CHECK_EQ(add_fake(&rig, &fake), 1);
	cfg_write(&rig, 1, 4, 2, 6);
	cfg_write(&rig, 1, 0x42, 2, 0xffff);
	CHECK_EQ(cfg_read(&rig, 1, 0x42, 2), 0xc003);
	cfg_write(&rig, 1, 0x42, 2, 0x8000);

	/* Vectors that do not exist. */
	for (unsigned int i = 0; i < 4; i++)
		msix_set_up(&rig, i);
	pci_msix_raise(fake.pci, 4);
	pci_msix_raise(fake.pci, 0xffff);
	pci_msix_raise(fake.pci, UINT32_MAX);
	CHECK_EQ(rig.nr_msgs, 0);
	/* The table's whole page, also where there is no table; the PBA is read-only. */
	for (unsigned int offset = 0; offset < 0x1000; offset += 4)
		mmio_write(&rig, TABLE + offset, 4, 0xffffffff);
	for (unsigned int offset = 0; offset < 0x1000; offset += 8)
		mmio_write(&rig, TABLE + offset, 8, UINT64_MAX);
	CHECK_EQ(mmio_read(&rig, TABLE, 4), 0xfffffffc);
	CHECK_EQ(mmio_read(&rig, TABLE + 48 + 8, 8), 0x1ffffffff);
	for (unsigned int offset = 64; offset < 0x1000; offset += 8)
		CHECK_EQ(mmio_read(&rig, TABLE + offset, 8), 0);
	CHECK_EQ(rig.nr_msgs, 0);
	/* Sizes that the table does not take. */
	mmio_write(&rig, TABLE, 1, 0);
	mmio_write(&rig, TABLE, 2, 0);
	CHECK_EQ(mmio_read(&rig, TABLE, 4), 0xfffffffc);
	CHECK_EQ(mmio_read(&rig, TABLE, 1), 0xff);
	CHECK_EQ(mmio_read(&rig, TABLE + 2, 2), 0xffff);
	rig_exit(&rig);

	/* The largest table, and vectors beyond the first words of its PBA. */
	rig_init(&rig);
	info = fake_info(&fake);
	info.msix_vectors = 2048;
	info.bars[0].size_bytes = 0;
	CHECK_EQ(pci_device_add(rig.host, &info, &fake.pci), 0);
	CHECK_EQ(cfg_read(&rig, 1, 0x42, 2), 2047);
	CHECK_EQ(cfg_read(&rig, 1, 0x48, 4), 0x8001);
	cfg_write(&rig, 1, 4, 2, 6);
	cfg_write(&rig, 1, 0x42, 2, 0x8000);
	pci_msix_raise(fake.pci, 2047);
	pci_msix_raise(fake.pci, 64);
	CHECK_EQ(mmio_read(&rig, MEM32 + 0x8000 + 2048 / 8 - 8, 8), UINT64_C(1) << 63);
	CHECK_EQ(mmio_read(&rig, MEM32 + 0x8000 + 8, 4), 1);
	CHECK_EQ(mmio_read(&rig, MEM32 + 0x8000 + 2048 / 8, 8), 0);
	mmio_write(&rig, MEM32 + 2047 * 16 + 12, 4, 0);
	CHECK_EQ(rig.nr_msgs, 1);
	rig_exit(&rig);
}

/* ---- threads ------------------------------------------------------------------------------------ */

struct hammer {
	struct rig   *rig;
	struct fake  *fake;
	_Atomic bool *stop;
};

static void *hammer_config(void *opaque)
{
	struct hammer *h = opaque;

	for (unsigned int i = 0; i < 3000; i++) {
		cfg_write(h->rig, 1, 4, 2, i & 2);
		cfg_write(h->rig, 1, 0x10, 4, MEM32 + MIB(i % 4));
		cfg_write(h->rig, 1, 0x42, 2, i & 1 ? 0x8000 : 0xc000);
		(void)cfg_read(h->rig, 1, 4, 4);
	}
	*h->stop = true;
	return NULL;
}

static void *hammer_irq(void *opaque)
{
	struct hammer *h = opaque;

	while (!*h->stop) {
		pci_msix_raise(h->fake->pci, 1);
		pci_intx_set(h->fake->pci, true);
		pci_intx_set(h->fake->pci, false);
	}
	return NULL;
}

static _Atomic unsigned int plain_reads;

static uint64_t plain_read(void *dev, uint64_t offset, unsigned int size)
{
	(void)dev;
	(void)size;
	plain_reads++;
	return offset;
}

static void plain_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	(void)dev;
	(void)offset;
	(void)size;
	(void)value;
}

static const struct bus_ops plain_ops = { .read = plain_read, .write = plain_write };

static void *hammer_bar(void *opaque)
{
	struct hammer *h = opaque;

	while (!*h->stop) {
		uint64_t v = mmio_read(h->rig, MEM32 + MIB(1) + 0x123, 1);

		/* Either nobody or the right register. */
		CHECK(v == 0xff || v == 0x23);
	}
	return NULL;
}

static int null_msi(void *ctx, const struct msi_message *msg)
{
	(void)ctx;
	(void)msg;
	return 0;
}

static void null_level(void *chip, uint32_t irq, bool level)
{
	(void)chip;
	(void)irq;
	(void)level;
}

static void test_threads(void)
{
	static const struct irq_chip_ops null_chip = { .set_level = null_level };
	const struct msi_sink sink = { .send = null_msi };
	void *(*const fns[])(void *) = { hammer_config, hammer_irq, hammer_irq, hammer_bar };
	struct irq_line intx[4];
	_Atomic bool stop = false;
	pthread_t threads[4];
	struct hammer h;
	struct pci_device_info info;
	struct fake fake;
	struct rig rig;

	memset(&rig, 0, sizeof(rig));
	bus_init(&rig.mmio, "mmio");
	for (unsigned int i = 0; i < 4; i++)
		intx[i] = (struct irq_line){ .ops = &null_chip, .irq = i };
	CHECK_EQ(pci_host_create(&rig.host, &machine, &rig.mmio, NULL, intx, &sink), 0);
	info = fake_info(&fake);
	info.ops = NULL;
	info.bars[0].ops = &plain_ops;
	CHECK_EQ(pci_device_add(rig.host, &info, &fake.pci), 0);
	h = (struct hammer){ &rig, &fake, &stop };
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, fns[i], &h), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	rig_exit(&rig);
}

const struct test pci_tests[] = {
	{ "bridge", test_bridge },
	{ "header", test_header },
	{ "by-number", test_by_number },
	{ "ports", test_ports },
	{ "cf9", test_cf9 },
	{ "capabilities", test_capabilities },
	{ "bar-sizing", test_bar_sizing },
	{ "bar-access", test_bar_access },
	{ "bar-placement", test_bar_placement },
	{ "machines", test_machines },
	{ "bus-full", test_bus_full },
	{ "io-bar", test_io_bar },
	{ "io-bar-ports", test_io_bar_ports },
	{ "intx", test_intx },
	{ "msix", test_msix },
	{ "msix-program", test_msix_program },
	{ "msix-hostile", test_msix_hostile },
	{ "threads", test_threads },
	{ 0 },
};
