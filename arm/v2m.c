// SPDX-License-Identifier: GPL-2.0-only
#include "arm/v2m.h"

#include <errno.h>

/* Registers (SBSA Appendix E.6). */
#define V2M_MSI_TYPER     0x008 /* first interrupt id in bits 25:16, number in bits 9:0 */
#define V2M_MSI_SETSPI_NS 0x040
#define V2M_TYPER_FIRST_SHIFT 16

int arm_v2m_send(struct arm_v2m *v2m, uint64_t offset, uint32_t data)
{
	if (offset != V2M_MSI_SETSPI_NS || data < v2m->first_id || data - v2m->first_id >= v2m->nr)
		return -EINVAL;
	return v2m->raise(v2m->ctx, data);
}

static uint64_t v2m_read(void *dev, uint64_t offset, unsigned int size)
{
	const struct arm_v2m *v2m = dev;

	(void)size;
	switch (offset) {
	case V2M_MSI_TYPER:
		return v2m->first_id << V2M_TYPER_FIRST_SHIFT | v2m->nr;
	default: /* IIDR and the ID registers too: nobody's, so no quirks */
		return 0;
	}
}

/* A CPU may write the register just as a device does. */
static void v2m_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	(void)size;
	if (arm_v2m_send(dev, offset, (uint32_t)value))
		return; /* no such register or interrupt: nothing happens */
}

const struct bus_ops arm_v2m_bus_ops = {
	.read = v2m_read,
	.write = v2m_write,
};
