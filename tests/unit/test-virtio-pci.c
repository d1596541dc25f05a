// SPDX-License-Identifier: GPL-2.0-only
/* The pci transport on the real host bridge, with an entropy device and a console behind it. */
#include "virtio/pci.h"

#include <errno.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pci.h>

#include "tests/unit/virtio-guest.h"
#include "virtio/console.h"
#include "virtio/rng.h"

#define ECAM_BASE  0x30000000u
#define MEM32_BASE 0x40000000u
#define IO_BASE    0x3f000000u
#define BDF        (1u << 3) /* the bridge is slot 0 */

#define PCI_COMMAND 0x04
#define COMMAND_MEM 0x0002
#define MSIX_CAP_ID 0x11

struct binding {
	gpa_t        addr;
	unsigned int len;
	int          eventfd;
};

struct fixture {
	struct memory          mem;
	struct bus             bus;
	struct fake_line       lines[4];
	struct msi_message     messages[64];
	unsigned int           nr_messages;
	struct binding         bound[16];
	unsigned int           nr_bound;
	unsigned int           wrong;
	bool                   no_any_length;
	struct loop           *loop;
	struct pci_host       *host;
	struct virtio_device  *dev;
	struct guest_ring      ring;
	/* What the driver found: config offsets, then places in BARs. */
	unsigned int           caps[6];
	unsigned int           msix_cap;
};

static int fake_send(void *ctx, const struct msi_message *msg)
{
	struct fixture *f = ctx;

	if (f->nr_messages < ARRAY_SIZE(f->messages))
		f->messages[f->nr_messages++] = *msg;
	return 0;
}

static int fake_bind(void *ctx, gpa_t addr, unsigned int len, bool has_match,
		     uint64_t match LKVM_UNUSED, int eventfd)
{
	struct fixture *f = ctx;

	if (!len && f->no_any_length)
		return -EINVAL;
	CHECK(!has_match);
	f->bound[f->nr_bound++] = (struct binding){ addr, len, eventfd };
	return 0;
}

static void fake_unbind(void *ctx, gpa_t addr, unsigned int len, bool has_match LKVM_UNUSED,
			uint64_t match LKVM_UNUSED, int eventfd)
{
	struct fixture *f = ctx;

	for (unsigned int i = 0; i < f->nr_bound; i++) {
		if (f->bound[i].addr == addr && f->bound[i].len == len &&
		    f->bound[i].eventfd == eventfd) {
			f->bound[i] = f->bound[--f->nr_bound];
			return;
		}
	}
	f->wrong++;
}

/* ---- the driver's hands ---------------------------------------------------------------------- */

static uint32_t cfg_get(struct fixture *f, unsigned int offset, unsigned int size)
{
	return pci_config_read(f->host, BDF, offset, size);
}

static void cfg_put(struct fixture *f, unsigned int offset, unsigned int size, uint32_t value)
{
	pci_config_write(f->host, BDF, offset, size, value);
}

static gpa_t bar_base(struct fixture *f, unsigned int bar)
{
	return cfg_get(f, 0x10 + 4 * bar, 4) & ~0xfu;
}

static uint64_t mem_get(struct fixture *f, gpa_t addr, unsigned int size)
{
	uint8_t data[8] = { 0 };

	CHECK_EQ(bus_access(&f->bus, addr, data, size, false), 0);
	return get_le(data, size);
}

static void mem_put(struct fixture *f, gpa_t addr, unsigned int size, uint64_t value)
{
	uint8_t data[8];

	put_le(data, size, value);
	CHECK_EQ(bus_access(&f->bus, addr, data, size, true), 0);
}

/* Address of byte @offset of structure @type. */
static gpa_t place(struct fixture *f, unsigned int type, unsigned int offset)
{
	unsigned int cap = f->caps[type];

	return bar_base(f, cfg_get(f, cap + VIRTIO_PCI_CAP_BAR, 1)) +
		cfg_get(f, cap + VIRTIO_PCI_CAP_OFFSET, 4) + offset;
}

static uint32_t common_get(struct fixture *f, unsigned int reg, unsigned int size)
{
	return (uint32_t)mem_get(f, place(f, VIRTIO_PCI_CAP_COMMON_CFG, reg), size);
}

static void common_put(struct fixture *f, unsigned int reg, unsigned int size, uint64_t value)
{
	mem_put(f, place(f, VIRTIO_PCI_CAP_COMMON_CFG, reg), size, value);
}

#define COMMON_R(f, reg, size)      common_get(f, VIRTIO_PCI_COMMON_##reg, size)
#define COMMON_W(f, reg, size, val) common_put(f, VIRTIO_PCI_COMMON_##reg, size, val)

static uint8_t read_isr(struct fixture *f)
{
	return (uint8_t)mem_get(f, place(f, VIRTIO_PCI_CAP_ISR_CFG, 0), 1);
}

static void find_capabilities(struct fixture *f)
{
	unsigned int n = 0;

	for (unsigned int at = cfg_get(f, 0x34, 1); at && n < 16; at = cfg_get(f, at + 1, 1), n++) {
		uint8_t id = (uint8_t)cfg_get(f, at, 1);
		unsigned int type = cfg_get(f, at + VIRTIO_PCI_CAP_CFG_TYPE, 1);

		if (id == MSIX_CAP_ID) {
			f->msix_cap = at;
			continue;
		}
		CHECK_EQ(id, 9);
		CHECK(type >= 1 && type <= 5 && !f->caps[type]);
		if (type < ARRAY_SIZE(f->caps))
			f->caps[type] = at;
	}
	CHECK(n < 16);
}

static bool yes(void *ctx LKVM_UNUSED)
{
	return true;
}

static void setup_kind(struct fixture *f, bool msi, bool legacy,
		       int (*create)(struct virtio_device **, const struct virtio_env *))
{
	const struct machine_pci machine = {
		.ecam = { ECAM_BASE, MIB(1) },
		.io = { IO_BASE, KIB(64) },
		.mem32 = { MEM32_BASE, MIB(16) },
		.msi = msi,
	};
	const struct msi_sink sink = { msi ? fake_send : NULL, f };
	const struct ioevent_binder binder = { fake_bind, fake_unbind, f };
	struct virtio_env env;
	struct irq_line intx[4];

	memset(f, 0, sizeof(*f));
	guest_memory_init(&f->mem);
	bus_init(&f->bus, "mmio");
	for (unsigned int i = 0; i < 4; i++)
		intx[i] = fake_irq(&f->lines[i]);
	CHECK_EQ(pci_host_create(&f->host, &machine, &f->bus, NULL, intx, &sink), 0);
	CHECK_EQ(loop_create(&f->loop), 0);
	env = (struct virtio_env){ .mem = &f->mem, .loop = f->loop, .legacy = legacy, .guest_big_endian = yes };
	CHECK_EQ(create(&f->dev, &env), 0);
	CHECK_EQ(virtio_pci_attach(f->dev, f->host, &binder), 0);
	find_capabilities(f);
	cfg_put(f, PCI_COMMAND, 2, COMMAND_MEM);
	ring_init(&f->ring, &f->mem, GUEST_RING(0), 16);
}

static void setup_with(struct fixture *f, bool msi,
		       int (*create)(struct virtio_device **, const struct virtio_env *))
{
	setup_kind(f, msi, false, create);
}

static void setup(struct fixture *f, bool msi)
{
	setup_with(f, msi, virtio_rng_create);
}

static void teardown(struct fixture *f)
{
	virtio_device_ops.destroy(f->dev);
	CHECK_EQ(f->nr_bound, 0);
	CHECK_EQ(f->wrong, 0);
	pci_host_destroy(f->host);
	loop_destroy(f->loop);
	memory_exit(&f->mem);
}

/* Up to FEATURES_OK. */
static void negotiate(struct fixture *f)
{
	COMMON_W(f, STATUS, 1, 0);
	COMMON_W(f, STATUS, 1, ST_ACK | ST_DRIVER);
	COMMON_W(f, GFSELECT, 4, 1);
	COMMON_W(f, GF, 4, 1);
	COMMON_W(f, STATUS, 1, ST_ACK | ST_DRIVER | ST_FEATURES_OK);
	CHECK_EQ(COMMON_R(f, STATUS, 1), ST_ACK | ST_DRIVER | ST_FEATURES_OK);
}

static void bring_up(struct fixture *f, uint16_t config_vector, uint16_t queue_vector)
{
	negotiate(f);
	COMMON_W(f, MSIX, 2, config_vector);
	COMMON_W(f, Q_SELECT, 2, 0);
	COMMON_W(f, Q_SIZE, 2, f->ring.size);
	COMMON_W(f, Q_MSIX, 2, queue_vector);
	COMMON_W(f, Q_DESCLO, 4, f->ring.desc);
	COMMON_W(f, Q_DESCHI, 4, 0);
	COMMON_W(f, Q_AVAILLO, 8, f->ring.avail);
	COMMON_W(f, Q_USEDLO, 8, f->ring.used);
	COMMON_W(f, Q_ENABLE, 2, 1);
	CHECK_EQ(COMMON_R(f, Q_ENABLE, 2), 1);
	COMMON_W(f, STATUS, 1, ST_ACK | ST_DRIVER | ST_FEATURES_OK | ST_DRIVER_OK);
}

static void enable_msix(struct fixture *f)
{
	gpa_t table = bar_base(f, cfg_get(f, f->msix_cap + 4, 4) & 7);
	unsigned int vectors = (cfg_get(f, f->msix_cap + 2, 2) & 0x7ff) + 1;

	for (unsigned int i = 0; i < vectors; i++) {
		mem_put(f, table + 16 * i, 4, 0xfee00000 + 16 * i);
		mem_put(f, table + 16 * i + 4, 4, 0);
		mem_put(f, table + 16 * i + 8, 4, 0x4000 + i);
		mem_put(f, table + 16 * i + 12, 4, 0);
	}
	cfg_put(f, f->msix_cap + 2, 2, 0x8000);
}

/* One request for random bytes, rung with a 16-bit write. */
static void request(struct fixture *f)
{
	const struct guest_buf buf = { GUEST_DATA, 8, true };
	unsigned int step =
		cfg_get(f, f->caps[VIRTIO_PCI_CAP_NOTIFY_CFG] + VIRTIO_PCI_NOTIFY_CAP_MULT, 4);

	ring_add(&f->ring, &buf, 1);
	COMMON_W(f, Q_SELECT, 2, 0);
	mem_put(f, place(f, VIRTIO_PCI_CAP_NOTIFY_CFG, step * COMMON_R(f, Q_NOFF, 2)), 2, 0);
	virtio_queue_poll(f->dev, 0);
}

static bool intx(const struct fixture *f)
{
	return f->lines[1].level; /* pin A of slot 1 */
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_identity(void)
{
	struct fixture f;

	setup(&f, true);
	CHECK_EQ(cfg_get(&f, 0, 4), (0x1040u + VIRTIO_ID_RNG) << 16 | 0x1af4);
	CHECK(cfg_get(&f, 8, 1) >= 1);
	CHECK_EQ(cfg_get(&f, 0x2c, 2), 0x1af4);
	CHECK(cfg_get(&f, 0x2e, 2) >= 0x40);
	for (unsigned int type = 1; type <= 5; type++) {
		unsigned int cap = f.caps[type];

		/* An entropy device has no configuration of its own. */
		CHECK_EQ(!!cap, type != VIRTIO_PCI_CAP_DEVICE_CFG);
		if (!cap || type == VIRTIO_PCI_CAP_PCI_CFG)
			continue;
		CHECK_EQ(cfg_get(&f, cap + VIRTIO_PCI_CAP_BAR, 1), 0);
		CHECK(range_within(cfg_get(&f, cap + VIRTIO_PCI_CAP_OFFSET, 4),
				   cfg_get(&f, cap + VIRTIO_PCI_CAP_LENGTH, 4), 0, 0x4000));
		/* Read-only. */
		cfg_put(&f, cap + VIRTIO_PCI_CAP_OFFSET, 4, 0xffffffff);
		CHECK(cfg_get(&f, cap + VIRTIO_PCI_CAP_OFFSET, 4) < 0x4000);
	}
	CHECK_EQ(cfg_get(&f, f.msix_cap + 2, 2), 1); /* two vectors */
	CHECK_EQ(COMMON_R(&f, NUMQ, 2), 1);
	teardown(&f);
}

static void test_common(void)
{
	struct fixture f;

	setup(&f, true);
	COMMON_W(&f, DFSELECT, 4, 1);
	CHECK_EQ(COMMON_R(&f, DFSELECT, 4), 1);
	CHECK_EQ(COMMON_R(&f, DF, 4), 1);
	CHECK_EQ(mem_get(&f, place(&f, VIRTIO_PCI_CAP_COMMON_CFG, 0), 8), UINT64_C(0x100000001));
	COMMON_W(&f, DFSELECT, 4, 2);
	CHECK_EQ(COMMON_R(&f, DF, 4), 0);
	COMMON_W(&f, GFSELECT, 4, 1);
	COMMON_W(&f, GF, 4, 0x12345678);
	CHECK_EQ(COMMON_R(&f, GF, 4), 0x12345678);
	CHECK_EQ(COMMON_R(&f, GF, 2), 0x5678); /* parts and wholes */
	CHECK_EQ(common_get(&f, VIRTIO_PCI_COMMON_GF + 2, 2), 0x1234);
	CHECK_EQ(common_get(&f, VIRTIO_PCI_COMMON_GF + 3, 1), 0x12);
	COMMON_W(&f, GF, 2, 0); /* a part is not written */
	CHECK_EQ(COMMON_R(&f, GF, 4), 0x12345678);
	COMMON_W(&f, GF, 4, 0);

	COMMON_W(&f, Q_SELECT, 2, 0);
	CHECK_EQ(COMMON_R(&f, Q_SIZE, 2), virtio_queue_max_size(f.dev, 0));
	CHECK_EQ(COMMON_R(&f, Q_MSIX, 2), VIRTIO_MSI_NO_VECTOR);
	CHECK_EQ(COMMON_R(&f, MSIX, 2), VIRTIO_MSI_NO_VECTOR);
	COMMON_W(&f, Q_MSIX, 2, 1);
	CHECK_EQ(COMMON_R(&f, Q_MSIX, 2), 1);
	COMMON_W(&f, Q_MSIX, 2, 2); /* there are two: 0 and 1 */
	CHECK_EQ(COMMON_R(&f, Q_MSIX, 2), VIRTIO_MSI_NO_VECTOR);
	/* queue_select and queue_size in one write are two fields. */
	COMMON_W(&f, Q_SELECT, 4, 8u << 16 | 0);
	CHECK_EQ(COMMON_R(&f, Q_SIZE, 2), 8);
	CHECK_EQ(COMMON_R(&f, Q_SELECT, 4), 8u << 16);
	COMMON_W(&f, Q_DESCLO, 8, UINT64_C(0x1122334455667788));
	CHECK_EQ(COMMON_R(&f, Q_DESCHI, 4), 0x11223344);
	CHECK_EQ(COMMON_R(&f, Q_DESCLO, 4), 0x55667788);
	COMMON_W(&f, Q_USEDHI, 4, 0x99);
	CHECK_EQ(virtio_queue_ring(f.dev, 0, VIRTIO_RING_USED), UINT64_C(0x9900000000));

	/* A queue that does not exist. */
	COMMON_W(&f, Q_SELECT, 2, 1);
	CHECK_EQ(COMMON_R(&f, Q_SIZE, 2), 0);
	CHECK_EQ(COMMON_R(&f, Q_MSIX, 2), VIRTIO_MSI_NO_VECTOR);
	CHECK_EQ(COMMON_R(&f, Q_NOFF, 2), 0);
	COMMON_W(&f, Q_SIZE, 2, 4);
	COMMON_W(&f, Q_MSIX, 2, 0);
	COMMON_W(&f, Q_ENABLE, 2, 1);
	CHECK_EQ(COMMON_R(&f, Q_ENABLE, 2), 0);
	CHECK_EQ(f.nr_bound, 0);

	/* Reset makes all of it new. */
	COMMON_W(&f, STATUS, 1, 0);
	COMMON_W(&f, Q_SELECT, 2, 0);
	CHECK_EQ(COMMON_R(&f, Q_SIZE, 2), virtio_queue_max_size(f.dev, 0));
	CHECK_EQ(COMMON_R(&f, Q_DESCLO, 4), 0);
	/* Holes, ends, and doorbells of no queue. */
	CHECK_EQ(mem_get(&f, bar_base(&f, 0) + 56, 8), 0);
	CHECK_EQ(mem_get(&f, bar_base(&f, 0) + 0x800, 4), 0);
	mem_put(&f, bar_base(&f, 0) + 0x800, 4, 1);
	mem_put(&f, bar_base(&f, 0) + 0x3ffc, 4, 1);
	teardown(&f);
}

static void test_msix(void)
{
	struct fixture f;

	setup(&f, true);
	enable_msix(&f);
	bring_up(&f, 0, 1);
	CHECK_EQ(COMMON_R(&f, Q_MSIX, 2), 1);
	request(&f);
	CHECK_EQ(ring_must_take(&f.ring), 8);
	CHECK_EQ(f.nr_messages, 1);
	CHECK_EQ(f.messages[0].data, 0x4001);
	CHECK_EQ(f.messages[0].devid, BDF);
	CHECK(!intx(&f));
	CHECK_EQ(read_isr(&f), 0); /* not for queues, with MSI-X */

	/* A driver that wants none for the queue gets none. */
	COMMON_W(&f, Q_MSIX, 2, VIRTIO_MSI_NO_VECTOR);
	request(&f);
	CHECK_EQ(f.nr_messages, 1);

	/* Broken ring: the configuration vector. */
	ring_offer(&f.ring, 0xffff);
	test_stderr_begin();
	mem_put(&f, place(&f, VIRTIO_PCI_CAP_NOTIFY_CFG, 0), 2, 0);
	virtio_queue_poll(f.dev, 0);
	CHECK(strstr(test_stderr_end(), "virtio-rng"));
	CHECK_EQ(f.nr_messages, 2);
	CHECK_EQ(f.messages[1].data, 0x4000);
	CHECK(COMMON_R(&f, STATUS, 1) & ST_NEEDS_RESET);
	CHECK_EQ(read_isr(&f), VIRTIO_PCI_ISR_CONFIG);
	CHECK(!intx(&f));

	COMMON_W(&f, STATUS, 1, 0);
	CHECK_EQ(COMMON_R(&f, MSIX, 2), VIRTIO_MSI_NO_VECTOR);
	teardown(&f);
}

static void test_intx(void)
{
	struct fixture f;

	setup(&f, false);
	CHECK_EQ(f.msix_cap, 0);
	bring_up(&f, VIRTIO_MSI_NO_VECTOR, VIRTIO_MSI_NO_VECTOR);
	request(&f);
	CHECK_EQ(ring_must_take(&f.ring), 8);
	CHECK(intx(&f));
	CHECK_EQ(read_isr(&f), 1);
	CHECK(!intx(&f));
	CHECK_EQ(read_isr(&f), 0);
	request(&f);
	CHECK(intx(&f));
	COMMON_W(&f, STATUS, 1, 0); /* a reset is an acknowledgement */
	CHECK(!intx(&f));
	CHECK_EQ(read_isr(&f), 0);
	teardown(&f);
}

static void test_doorbells_move(void)
{
	struct fixture f;
	gpa_t old, new;

	setup(&f, true);
	old = bar_base(&f, 0);
	new = MEM32_BASE + MIB(8);
	bring_up(&f, VIRTIO_MSI_NO_VECTOR, VIRTIO_MSI_NO_VECTOR);
	CHECK_EQ(f.nr_bound, 1);
	CHECK_EQ(f.bound[0].addr, place(&f, VIRTIO_PCI_CAP_NOTIFY_CFG, 0));
	CHECK_EQ(f.bound[0].len, 0);
	CHECK_EQ(f.bound[0].eventfd, f.dev->queues[0].eventfd);

	cfg_put(&f, PCI_COMMAND, 2, 0);
	CHECK_EQ(f.nr_bound, 0);
	cfg_put(&f, 0x10, 4, (uint32_t)new);
	CHECK_EQ(f.nr_bound, 0);
	cfg_put(&f, PCI_COMMAND, 2, COMMAND_MEM);
	CHECK_EQ(f.nr_bound, 1);
	CHECK_EQ(f.bound[0].addr - new, place(&f, VIRTIO_PCI_CAP_NOTIFY_CFG, 0) - new);
	CHECK(f.bound[0].addr >= new && old != new);
	request(&f);
	CHECK_EQ(ring_must_take(&f.ring), 8);
	teardown(&f);

	/* A host that needs the width. */
	setup(&f, true);
	f.no_any_length = true;
	bring_up(&f, VIRTIO_MSI_NO_VECTOR, VIRTIO_MSI_NO_VECTOR);
	CHECK_EQ(f.nr_bound, 1);
	CHECK_EQ(f.bound[0].len, 2);
	teardown(&f);
}

/* §4.1.4.9: all registers through configuration space. */
static void cfg_access_target(struct fixture *f, unsigned int bar, uint32_t offset, uint32_t len)
{
	unsigned int cap = f->caps[VIRTIO_PCI_CAP_PCI_CFG];

	cfg_put(f, cap + VIRTIO_PCI_CAP_BAR, 1, bar);
	cfg_put(f, cap + VIRTIO_PCI_CAP_OFFSET, 4, offset);
	cfg_put(f, cap + VIRTIO_PCI_CAP_LENGTH, 4, len);
}

static void test_config_access(void)
{
	static const struct {
		uint32_t bar, offset, len;
	} bad[] = {
		{1, 0, 4},	{6, 0, 4},	    {255, 0, 4},	{0, 0, 0},
		{0, 0, 3},	{0, 0, 8},	    {0, 1, 2},		{0, 2, 4},
		{0, 0x4000, 4}, {0, 0xfffffffc, 4}, {0, 0, 0xffffffff},
	};
	struct fixture f;
	unsigned int data;

	setup(&f, true);
	data = f.caps[VIRTIO_PCI_CAP_PCI_CFG] + 16;
	cfg_access_target(&f, 0, VIRTIO_PCI_COMMON_STATUS, 1);
	cfg_put(&f, data, 1, ST_ACK);
	CHECK_EQ(COMMON_R(&f, STATUS, 1), ST_ACK);
	CHECK_EQ(cfg_get(&f, data, 1), ST_ACK);
	cfg_access_target(&f, 0, VIRTIO_PCI_COMMON_NUMQ, 2);
	CHECK_EQ(cfg_get(&f, data, 2), 1);
	cfg_access_target(&f, 0, VIRTIO_PCI_COMMON_GF, 4);
	cfg_put(&f, data, 4, 0xcafef00d);
	CHECK_EQ(COMMON_R(&f, GF, 4), 0xcafef00d);
	CHECK_EQ(cfg_get(&f, data, 4), 0xcafef00d);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		cfg_access_target(&f, bad[i].bar, bad[i].offset, bad[i].len);
		cfg_put(&f, data, 4, 0x55aa55aa);
		cfg_get(&f, data, 4);
	}
	CHECK_EQ(COMMON_R(&f, GF, 4), 0xcafef00d);
	/* Reset, which drives the pin, from within a configuration access. */
	cfg_access_target(&f, 0, VIRTIO_PCI_COMMON_STATUS, 1);
	cfg_put(&f, data, 1, 0);
	CHECK_EQ(COMMON_R(&f, STATUS, 1), 0);
	teardown(&f);
}

static int create_console(struct virtio_device **dev, const struct virtio_env *env)
{
	return virtio_console_create(dev, env, NULL, NULL, 0);
}

static void test_device_config(void)
{
	struct fixture f;

	setup_with(&f, true, create_console);
	CHECK(f.caps[VIRTIO_PCI_CAP_DEVICE_CFG]);
	CHECK_EQ(cfg_get(&f, f.caps[VIRTIO_PCI_CAP_DEVICE_CFG] + VIRTIO_PCI_CAP_LENGTH, 4),
		 sizeof(struct virtio_console_config));
	CHECK_EQ(mem_get(&f, place(&f, VIRTIO_PCI_CAP_DEVICE_CFG, 4), 4), 1); /* max_nr_ports */
	CHECK_EQ(mem_get(&f, place(&f, VIRTIO_PCI_CAP_DEVICE_CFG, 0xf8), 8), 0);
	CHECK_EQ(COMMON_R(&f, NUMQ, 2), 4);
	teardown(&f);
}

/* ---- the legacy interface, with a big-endian driver ------------------------------------------- */

static uint32_t legacy_get(struct fixture *f, unsigned int reg, unsigned int size)
{
	return (uint32_t)mem_get(f, IO_BASE + bar_base(f, 0) + reg, size);
}

static void legacy_put(struct fixture *f, unsigned int reg, unsigned int size, uint32_t value)
{
	mem_put(f, IO_BASE + bar_base(f, 0) + reg, size, value);
}

static void setup_legacy(struct fixture *f, bool msi,
			 int (*create)(struct virtio_device **, const struct virtio_env *))
{
	setup_kind(f, msi, true, create);
	cfg_put(f, PCI_COMMAND, 2, COMMAND_MEM | 1);
	/* virtio 1.3 §2.7.2, with an alignment of 4096. */
	f->ring.size = virtio_queue_max_size(f->dev, 0);
	f->ring.avail = f->ring.desc + 16u * f->ring.size;
	f->ring.used = align_up(f->ring.avail + 6 + 2u * f->ring.size, 4096);
	f->ring.big_endian = true;
}

static void legacy_bring_up(struct fixture *f, uint32_t features)
{
	legacy_put(f, VIRTIO_PCI_STATUS, 1, 0);
	legacy_put(f, VIRTIO_PCI_STATUS, 1, ST_ACK | ST_DRIVER);
	legacy_put(f, VIRTIO_PCI_GUEST_FEATURES, 4, features);
	legacy_put(f, VIRTIO_PCI_QUEUE_SEL, 2, 0);
	CHECK_EQ(legacy_get(f, VIRTIO_PCI_QUEUE_NUM, 2), f->ring.size);
	CHECK_EQ(legacy_get(f, VIRTIO_PCI_QUEUE_PFN, 4), 0);
	legacy_put(f, VIRTIO_PCI_QUEUE_PFN, 4, (uint32_t)(f->ring.desc >> 12));
	CHECK_EQ(legacy_get(f, VIRTIO_PCI_QUEUE_PFN, 4), f->ring.desc >> 12);
	legacy_put(f, VIRTIO_PCI_STATUS, 1, ST_ACK | ST_DRIVER | ST_DRIVER_OK);
	CHECK_EQ(legacy_get(f, VIRTIO_PCI_STATUS, 1), ST_ACK | ST_DRIVER | ST_DRIVER_OK);
}

static void legacy_request(struct fixture *f)
{
	const struct guest_buf buf = { GUEST_DATA, 8, true };

	ring_add(&f->ring, &buf, 1);
	legacy_put(f, VIRTIO_PCI_QUEUE_NOTIFY, 2, 0);
	virtio_queue_poll(f->dev, 0);
	CHECK_EQ(ring_must_take(&f->ring), 8);
}

static void test_legacy(void)
{
	struct fixture f;

	setup_legacy(&f, false, virtio_rng_create);
	CHECK_EQ(cfg_get(&f, 0, 4), 0x10051af4);
	CHECK_EQ(cfg_get(&f, 8, 1), 0);
	CHECK_EQ(cfg_get(&f, 0x2c, 4), VIRTIO_ID_RNG << 16 | 0x1af4);
	CHECK_EQ(cfg_get(&f, 0x10, 4), 0x1001);
	CHECK_EQ(cfg_get(&f, 0x34, 1), 0); /* no capabilities: no modern device */
	CHECK_EQ(legacy_get(&f, VIRTIO_PCI_HOST_FEATURES, 4),
		 1u << VIRTIO_F_ANY_LAYOUT | 1u << VIRTIO_RING_F_EVENT_IDX | 1u << VIRTIO_RING_F_INDIRECT_DESC);
	legacy_bring_up(&f, 1u << VIRTIO_RING_F_INDIRECT_DESC);
	CHECK_EQ(legacy_get(&f, VIRTIO_PCI_GUEST_FEATURES, 4), 1u << VIRTIO_RING_F_INDIRECT_DESC);
	legacy_request(&f);
	CHECK(intx(&f));
	CHECK_EQ(legacy_get(&f, VIRTIO_PCI_ISR, 1), 1);
	CHECK_EQ(legacy_get(&f, VIRTIO_PCI_ISR, 1), 0);
	CHECK(!intx(&f));
	/* Stopped, and reset. */
	legacy_put(&f, VIRTIO_PCI_QUEUE_PFN, 4, 0);
	CHECK_EQ(legacy_get(&f, VIRTIO_PCI_QUEUE_PFN, 4), 0);
	legacy_put(&f, VIRTIO_PCI_QUEUE_PFN, 4, (uint32_t)(f.ring.desc >> 12));
	legacy_put(&f, VIRTIO_PCI_STATUS, 1, 0);
	CHECK_EQ(legacy_get(&f, VIRTIO_PCI_QUEUE_PFN, 4), 0);
	/* A queue that does not exist. */
	legacy_put(&f, VIRTIO_PCI_QUEUE_SEL, 2, 9);
	CHECK_EQ(legacy_get(&f, VIRTIO_PCI_QUEUE_SEL, 2), 9);
	CHECK_EQ(legacy_get(&f, VIRTIO_PCI_QUEUE_NUM, 2), 0);
	legacy_put(&f, VIRTIO_PCI_QUEUE_PFN, 4, 1);
	CHECK_EQ(legacy_get(&f, VIRTIO_PCI_QUEUE_PFN, 4), 0);
	teardown(&f);
}

static void test_legacy_msix(void)
{
	struct fixture f;

	setup_legacy(&f, true, virtio_rng_create);
	legacy_put(&f, VIRTIO_MSI_CONFIG_VECTOR, 2, 0); /* not there yet: configuration, of which there is none */
	enable_msix(&f);
	CHECK_EQ(legacy_get(&f, VIRTIO_MSI_CONFIG_VECTOR, 2), VIRTIO_MSI_NO_VECTOR);
	legacy_bring_up(&f, 0);
	legacy_put(&f, VIRTIO_MSI_QUEUE_VECTOR, 2, 1);
	CHECK_EQ(legacy_get(&f, VIRTIO_MSI_QUEUE_VECTOR, 2), 1);
	legacy_put(&f, VIRTIO_MSI_CONFIG_VECTOR, 2, 2); /* there are two: 0 and 1 */
	CHECK_EQ(legacy_get(&f, VIRTIO_MSI_CONFIG_VECTOR, 2), VIRTIO_MSI_NO_VECTOR);
	legacy_put(&f, VIRTIO_MSI_CONFIG_VECTOR, 2, 0);
	legacy_request(&f);
	CHECK_EQ(f.nr_messages, 1);
	CHECK_EQ(f.messages[0].data, 0x4001);
	CHECK(!intx(&f));
	legacy_put(&f, VIRTIO_PCI_STATUS, 1, 0);
	CHECK_EQ(legacy_get(&f, VIRTIO_MSI_QUEUE_VECTOR, 2), VIRTIO_MSI_NO_VECTOR);
	teardown(&f);
}

/* The device's configuration moves when MSI-X is enabled, and is in the driver's byte order. */
static void test_legacy_config(void)
{
	const unsigned int nr_ports = offsetof(struct virtio_console_config, max_nr_ports);
	struct fixture f;

	setup_legacy(&f, true, create_console);
	CHECK_EQ(cfg_get(&f, 2, 2), 0x1003);
	legacy_put(&f, VIRTIO_PCI_STATUS, 1, ST_ACK);
	CHECK_EQ(legacy_get(&f, 20 + nr_ports, 4), 1u << 24);
	CHECK_EQ(legacy_get(&f, 20 + nr_ports + 3, 1), 1);
	enable_msix(&f);
	CHECK_EQ(legacy_get(&f, 24 + nr_ports, 4), 1u << 24);
	CHECK_EQ(legacy_get(&f, 0xfc, 4), 0);
	teardown(&f);
}

static void test_bus_full(void)
{
	const struct ioevent_binder none = { 0 };
	struct virtio_device *devs[PCI_MAX_DEVICES];
	struct fixture f;
	unsigned int nr = 0;
	int ret = 0;

	setup(&f, true);
	test_stderr_begin();
	while (nr < PCI_MAX_DEVICES) {
		const struct virtio_env env = { .mem = &f.mem, .loop = f.loop };

		CHECK_EQ(virtio_rng_create(&devs[nr], &env), 0);
		ret = virtio_pci_attach(devs[nr++], f.host, &none);
		if (ret)
			break;
	}
	test_stderr_end();
	CHECK_EQ(ret, -ENOSPC);
	CHECK_EQ(nr, PCI_MAX_DEVICES - 1); /* the bridge and the first one are there, too */
	while (nr--)
		virtio_device_ops.destroy(devs[nr]);
	teardown(&f);
}

const struct test virtio_pci_tests[] = {
	{ "identity", test_identity },
	{ "common", test_common },
	{ "msix", test_msix },
	{ "intx", test_intx },
	{ "doorbells move", test_doorbells_move },
	{ "config access", test_config_access },
	{ "device config", test_device_config },
	{ "bus full", test_bus_full },
	{ "legacy", test_legacy },
	{ "legacy msix", test_legacy_msix },
	{ "legacy config", test_legacy_config },
	{ 0 },
};
