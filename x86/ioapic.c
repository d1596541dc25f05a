// SPDX-License-Identifier: GPL-2.0-only
#include "x86/ioapic.h"

#include <string.h>

/* Memory-mapped registers. */
#define IOREGSEL 0x00
#define IOWIN    0x10
#define IOEOI    0x40

/* Registers behind IOREGSEL. */
#define REG_ID      0x00
#define REG_VERSION 0x01
#define REG_ARB     0x02
#define REG_RTE     0x10 /* low half of pin 0; high half follows */

#define VERSION     0x20

#define RTE_VECTOR(rte)    ((uint8_t)(rte))
#define RTE_DELIVERY(rte)  ((uint32_t)((rte) >> 8 & 7))
#define RTE_LOGICAL(rte)   ((uint32_t)((rte) >> 11 & 1))
#define RTE_DEST(rte)      ((uint32_t)((rte) >> 56))
#define RTE_DELIVERY_STATUS (1ull << 12)
#define RTE_READ_ONLY      (RTE_DELIVERY_STATUS | X86_IOAPIC_RTE_REMOTE_IRR)
/* Bits that are not reserved: the low 17 and the destination. */
#define RTE_BITS           0xff0000000001ffffull

/* Message format: Intel SDM volume 3, §11.11. */
#define MSI_ADDRESS        0xfee00000u
#define MSI_DEST_SHIFT     12
#define MSI_LOGICAL_SHIFT  2
#define MSI_DELIVERY_SHIFT 8
#define MSI_ASSERT         (1u << 14)
#define MSI_LEVEL          (1u << 15)

/* Vectors below this are exceptions. */
#define VECTOR_FIRST 16

void x86_ioapic_init(struct x86_ioapic *dev, uint8_t id, const struct x86_ioapic_sink *sink)
{
	memset(dev, 0, sizeof(*dev));
	pthread_mutex_init(&dev->lock, NULL);
	dev->sink = *sink;
	dev->id = id;
	for (unsigned int i = 0; i < X86_IOAPIC_PINS; i++)
		dev->rte[i] = X86_IOAPIC_RTE_MASKED;
}

static struct msi_message rte_message(uint64_t rte)
{
	return (struct msi_message){
		.address = MSI_ADDRESS | RTE_DEST(rte) << MSI_DEST_SHIFT |
			   RTE_LOGICAL(rte) << MSI_LOGICAL_SHIFT,
		.data = RTE_VECTOR(rte) | RTE_DELIVERY(rte) << MSI_DELIVERY_SHIFT | MSI_ASSERT |
			(rte & X86_IOAPIC_RTE_LEVEL ? MSI_LEVEL : 0),
	};
}

static void deliver(struct x86_ioapic *dev, unsigned int pin)
{
	struct msi_message msg = rte_message(dev->rte[pin]);

	if (dev->rte[pin] & X86_IOAPIC_RTE_LEVEL)
		dev->rte[pin] |= X86_IOAPIC_RTE_REMOTE_IRR;
	dev->sink.send(dev->sink.ctx, &msg);
}

/* Delivers a level-triggered pin that is high and not yet in service. */
static void service_level(struct x86_ioapic *dev, unsigned int pin)
{
	uint64_t rte = dev->rte[pin];

	if ((rte & X86_IOAPIC_RTE_LEVEL) && (dev->lines & 1u << pin) &&
	    !(rte & (X86_IOAPIC_RTE_MASKED | X86_IOAPIC_RTE_REMOTE_IRR)))
		deliver(dev, pin);
}

void x86_ioapic_set_level(struct x86_ioapic *dev, uint32_t pin, bool level)
{
	bool was;

	if (pin >= X86_IOAPIC_PINS)
		return;
	pthread_mutex_lock(&dev->lock);
	was = dev->lines & 1u << pin;
	if (level)
		dev->lines |= 1u << pin;
	else
		dev->lines &= ~(1u << pin);
	if (dev->rte[pin] & X86_IOAPIC_RTE_LEVEL)
		service_level(dev, pin);
	else if (level && !was && !(dev->rte[pin] & X86_IOAPIC_RTE_MASKED))
		deliver(dev, pin); /* a masked edge is lost: 82093AA §3.2.4, bit 16 */
	pthread_mutex_unlock(&dev->lock);
}

static void eoi_locked(struct x86_ioapic *dev, uint8_t vector)
{
	for (unsigned int pin = 0; pin < X86_IOAPIC_PINS; pin++) {
		if (!(dev->rte[pin] & X86_IOAPIC_RTE_REMOTE_IRR) || RTE_VECTOR(dev->rte[pin]) != vector)
			continue;
		dev->rte[pin] &= ~X86_IOAPIC_RTE_REMOTE_IRR;
		service_level(dev, pin);
	}
}

void x86_ioapic_eoi(struct x86_ioapic *dev, uint8_t vector)
{
	pthread_mutex_lock(&dev->lock);
	eoi_locked(dev, vector);
	pthread_mutex_unlock(&dev->lock);
}

bool x86_ioapic_eoi_route(const struct x86_ioapic *dev, uint32_t pin, struct msi_message *msg)
{
	uint64_t rte = dev->rte[pin];

	if (!(rte & X86_IOAPIC_RTE_LEVEL) || RTE_VECTOR(rte) < VECTOR_FIRST)
		return false;
	*msg = rte_message(rte);
	return true;
}

static bool same_eoi_route(uint64_t a, uint64_t b)
{
	const uint64_t matters = ~(RTE_READ_ONLY | X86_IOAPIC_RTE_MASKED);

	if (!((a | b) & X86_IOAPIC_RTE_LEVEL))
		return true;
	return (a & matters) == (b & matters);
}

static void write_rte(struct x86_ioapic *dev, unsigned int reg, uint32_t value)
{
	unsigned int pin = reg / 2;
	uint64_t old = dev->rte[pin];
	uint64_t new;

	if (reg % 2)
		new = (uint64_t)value << 32 | (uint32_t)old;
	else
		new = (old & ~0xffffffffull) | value;
	new = (new & RTE_BITS & ~RTE_READ_ONLY) | (old & RTE_READ_ONLY);
	/* Software ends a level interrupt on old IOAPICs by switching to edge and back. */
	if (!(new & X86_IOAPIC_RTE_LEVEL))
		new &= ~X86_IOAPIC_RTE_REMOTE_IRR;
	dev->rte[pin] = new;
	if (!same_eoi_route(old, new))
		dev->sink.routes_changed(dev->sink.ctx);
	service_level(dev, pin);
}

static uint32_t read_register(const struct x86_ioapic *dev)
{
	unsigned int reg = dev->index;

	switch (reg) {
	case REG_ID:
	case REG_ARB:
		return (uint32_t)dev->id << 24;
	case REG_VERSION:
		return VERSION | (X86_IOAPIC_PINS - 1) << 16;
	default:
		if (reg < REG_RTE || reg >= REG_RTE + 2 * X86_IOAPIC_PINS)
			return 0;
		reg -= REG_RTE;
		return (uint32_t)(dev->rte[reg / 2] >> (reg % 2 ? 32 : 0));
	}
}

static void write_register(struct x86_ioapic *dev, uint32_t value)
{
	unsigned int reg = dev->index;

	if (reg == REG_ID)
		dev->id = (uint8_t)(value >> 24);
	else if (reg >= REG_RTE && reg < REG_RTE + 2 * X86_IOAPIC_PINS)
		write_rte(dev, reg - REG_RTE, value);
}

static uint64_t ioapic_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct x86_ioapic *dev = opaque;
	uint64_t value = 0;

	(void)size;
	pthread_mutex_lock(&dev->lock);
	if (offset == IOREGSEL)
		value = dev->index;
	else if (offset == IOWIN)
		value = read_register(dev);
	pthread_mutex_unlock(&dev->lock);
	return value;
}

static void ioapic_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct x86_ioapic *dev = opaque;

	(void)size;
	pthread_mutex_lock(&dev->lock);
	if (offset == IOREGSEL)
		dev->index = (uint8_t)value;
	else if (offset == IOWIN)
		write_register(dev, (uint32_t)value);
	else if (offset == IOEOI)
		eoi_locked(dev, (uint8_t)value);
	pthread_mutex_unlock(&dev->lock);
}

const struct bus_ops x86_ioapic_bus_ops = {
	.read = ioapic_read,
	.write = ioapic_write,
};
