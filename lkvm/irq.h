/* SPDX-License-Identifier: GPL-2.0-only */
/* One wired interrupt, as a device sees it: it knows neither the chip behind it nor the number. */
#ifndef LKVM_IRQ_H
#define LKVM_IRQ_H

#include <errno.h>

#include "lkvm/types.h"

struct irq_chip_ops {
	/* Drives line @irq to @level. Any thread; must not block on guest progress. */
	void (*set_level)(void *chip, uint32_t irq, bool level);
	/* Optional (NULL): every write to @eventfd raises edge @irq. Returns 0 or -errno. */
	int (*attach_eventfd)(void *chip, uint32_t irq, int eventfd);
};

struct irq_line {
	const struct irq_chip_ops *ops; /* NULL: not connected */
	void                      *chip;
	uint32_t                   irq;
};

/* Drives the line. An unconnected line does nothing. Any thread. */
static inline void irq_line_set(const struct irq_line *line, bool level)
{
	if (line->ops)
		line->ops->set_level(line->chip, line->irq, level);
}

/* Lets writes to @eventfd raise the line. 0, or -ENOTSUP if the chip has no such thing. */
static inline int irq_line_attach_eventfd(const struct irq_line *line, int eventfd)
{
	if (!line->ops || !line->ops->attach_eventfd)
		return -ENOTSUP;
	return line->ops->attach_eventfd(line->chip, line->irq, eventfd);
}

#endif
