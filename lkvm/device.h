/* SPDX-License-Identifier: GPL-2.0-only */
/* The life of a device: created in order, started in order, stopped and destroyed in reverse. */
#ifndef LKVM_DEVICE_H
#define LKVM_DEVICE_H

#include "lkvm/types.h"

#define DEVICE_MAX 64

struct device_ops {
	/* All optional. start: host resources go live (threads, watched fds); main thread. 0 or -errno. */
	int (*start)(void *dev);
	/* Undoes start; after it no callback of the device runs. vCPUs and the main loop have stopped. */
	void (*stop)(void *dev);
	/*
	 * Keeps threads of the device off guest memory until thaw(). False if one is at work on it just now. Main
	 * thread, while it is started.
	 */
	bool (*freeze)(void *dev);
	void (*thaw)(void *dev);
	/* Frees the device. */
	void (*destroy)(void *dev);
};

struct device {
	const char              *name; /* not owned */
	const struct device_ops *ops;
	void                    *dev;
};

struct device_list {
	struct device devices[DEVICE_MAX];
	unsigned int  nr;
	unsigned int  nr_started;
};

/*
 * Takes ownership of @dev: device_list_destroy() will destroy it, also when this call fails.
 * Returns 0 or -ENOSPC (reported).
 */
int device_list_add(struct device_list *list, const char *name, const struct device_ops *ops,
		    void *dev) LKVM_MUST_CHECK;
/* Starts all in order; on a failure stops those already started and returns that -errno. */
int device_list_start(struct device_list *list) LKVM_MUST_CHECK;
/* Stops the started ones, last first. Legal at any time. */
void device_list_stop(struct device_list *list);
/* Freezes all, or none and returns false. */
bool device_list_freeze(struct device_list *list) LKVM_MUST_CHECK;
void device_list_thaw(struct device_list *list);
/* Destroys all, last first. */
void device_list_destroy(struct device_list *list);

#endif
