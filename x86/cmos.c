// SPDX-License-Identifier: GPL-2.0-only
#include "x86/cmos.h"

#include <stdatomic.h>
#include <string.h>

/* MC146818A data sheet, table 1; the century is where the FADT's CENTURY field says. */
#define REG_SECONDS  0x00
#define REG_MINUTES  0x02
#define REG_HOURS    0x04
#define REG_WEEKDAY  0x06
#define REG_DAY      0x07
#define REG_MONTH    0x08
#define REG_YEAR     0x09
#define REG_A        0x0a
#define REG_B        0x0b
#define REG_D        0x0d
#define REG_CENTURY  0x32

#define REG_A_DIVIDER_32KHZ 0x20 /* and UIP clear: an answer is always whole */
#define REG_B_24H           0x02 /* and BCD */
#define REG_D_VALID         0x80

#define INDEX_NMI_DISABLE   0x80

static time_t host_now(void)
{
	return time(NULL);
}

void x86_cmos_init(struct x86_cmos *dev)
{
	memset(dev, 0, sizeof(*dev));
	dev->now = host_now;
}

static uint8_t bcd(int v)
{
	return (uint8_t)(v / 10 % 10 << 4 | v % 10);
}

static uint8_t read_register(const struct x86_cmos *dev, uint8_t index)
{
	time_t now = dev->now();
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		return 0;
	switch (index) {
	case REG_SECONDS:
		return bcd(tm.tm_sec);
	case REG_MINUTES:
		return bcd(tm.tm_min);
	case REG_HOURS:
		return bcd(tm.tm_hour);
	case REG_WEEKDAY:
		return bcd(tm.tm_wday + 1);
	case REG_DAY:
		return bcd(tm.tm_mday);
	case REG_MONTH:
		return bcd(tm.tm_mon + 1);
	case REG_YEAR:
		return bcd(tm.tm_year % 100);
	case REG_CENTURY:
		return bcd((tm.tm_year + 1900) / 100);
	case REG_A:
		return REG_A_DIVIDER_32KHZ;
	case REG_B:
		return REG_B_24H;
	case REG_D:
		return REG_D_VALID;
	default:
		return 0;
	}
}

static uint64_t cmos_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct x86_cmos *dev = opaque;

	(void)size;
	/* The index can't be read back on a PC. */
	return offset ? read_register(dev, atomic_load(&dev->index)) : 0xff;
}

static void cmos_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct x86_cmos *dev = opaque;

	(void)size;
	if (!offset)
		atomic_store(&dev->index, (uint8_t)(value & ~INDEX_NMI_DISABLE));
}

const struct bus_ops x86_cmos_bus_ops = {
	.read = cmos_read,
	.write = cmos_write,
};
