// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/device.h"

#include <errno.h>

#include "lkvm/log.h"

int device_list_add(struct device_list *list, const char *name, const struct device_ops *ops,
		    void *dev)
{
	if (list->nr == DEVICE_MAX) {
		log_error("no room for device %s: a machine holds at most %d devices", name,
			  DEVICE_MAX);
		/* It is ours since the call, and the list can't remember it. */
		if (ops->destroy)
			ops->destroy(dev);
		return -ENOSPC;
	}

	list->devices[list->nr++] = (struct device){ .name = name, .ops = ops, .dev = dev };
	return 0;
}

int device_list_start(struct device_list *list)
{
	while (list->nr_started < list->nr) {
		struct device *d = &list->devices[list->nr_started];
		int err = d->ops->start ? d->ops->start(d->dev) : 0;

		if (err) {
			log_debug("device %s did not start: error %d", d->name, -err);
			device_list_stop(list);
			return err;
		}
		list->nr_started++;
	}
	return 0;
}

void device_list_stop(struct device_list *list)
{
	while (list->nr_started) {
		struct device *d = &list->devices[--list->nr_started];

		if (d->ops->stop)
			d->ops->stop(d->dev);
	}
}

static void thaw(struct device_list *list, unsigned int nr)
{
	while (nr--)
		if (list->devices[nr].ops->thaw)
			list->devices[nr].ops->thaw(list->devices[nr].dev);
}

bool device_list_freeze(struct device_list *list)
{
	for (unsigned int i = 0; i < list->nr; i++) {
		const struct device *d = &list->devices[i];

		if (d->ops->freeze && !d->ops->freeze(d->dev)) {
			thaw(list, i);
			return false;
		}
	}
	return true;
}

void device_list_thaw(struct device_list *list)
{
	thaw(list, list->nr);
}

void device_list_destroy(struct device_list *list)
{
	device_list_stop(list);
	while (list->nr) {
		struct device *d = &list->devices[--list->nr];

		if (d->ops->destroy)
			d->ops->destroy(d->dev);
	}
}
