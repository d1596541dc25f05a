/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio console device (virtio 1.3 §5.3). Port 0 is the guest's text console (hvc0). Further ports
 * are byte channels that the guest finds by name in /sys/class/virtio-ports. To a driver without
 * VIRTIO_CONSOLE_F_MULTIPORT there is port 0 alone.
 */
#ifndef VIRTIO_CONSOLE_H
#define VIRTIO_CONSOLE_H

#include "lkvm/console.h"
#include "lkvm/types.h"
#include "virtio/core.h"

/*
 * Besides port 0. Each has two queues; VIRTIO_MAX_QUEUES also holds port 0's and the two for
 * control.
 */
#define VIRTIO_CONSOLE_MAX_PORTS 30
#define VIRTIO_CONSOLE_MAX_NAME  64

/*
 * The host's end of a byte channel. Its functions are called on the device's thread, or on a vCPU's
 * where said, with a queue of the device locked: they must not call the device for the same port,
 * and blocking in write() holds up the other ports.
 */
struct virtio_console_port {
	const char *name; /* at most VIRTIO_CONSOLE_MAX_NAME bytes; outlives the device */
	/*
	 * The guest wrote. Returns how many bytes were taken; after fewer than @len the rest is
	 * offered again when virtio_console_output_ready() is called.
	 */
	size_t (*write)(void *opaque, const void *buf, size_t len);
	/*
	 * Optional: a process in the guest opened or closed the port; closed also by a reset (vCPU
	 * thread).
	 */
	void (*guest_open)(void *opaque, bool open);
	/*
	 * Optional: virtio_console_can_send() may have grown. Device thread, no queue locked: may
	 * send at once.
	 */
	void (*input_ready)(void *opaque);
	void *opaque;
};

/*
 * Makes the device: port 0 connected to @console, and ports[i] (copied) as port i + 1. With
 * @console NULL, port 0 is silent, and not shown to a driver that knows of several ports. Served on
 * a thread of its own, because console_write() blocks while the reader of stdout is slow. 0 or
 * -errno (reported).
 */
int virtio_console_create(struct virtio_device **dev, const struct virtio_env *env,
			  struct console *console, const struct virtio_console_port *ports,
			  unsigned int nr_ports) LKVM_MUST_CHECK;

/* For console_set_frontend(): what the user types goes to port 0. */
struct console_frontend virtio_console_frontend(struct virtio_device *dev);

/*
 * Towards the guest, on port @port (0: the console). can_send: how many bytes send() would take
 * now; 0 until the guest has opened the port. send: returns how many it took. One thread at a time
 * per port.
 */
size_t virtio_console_can_send(struct virtio_device *dev, unsigned int port);
size_t virtio_console_send(struct virtio_device *dev, unsigned int port, const void *buf,
			   size_t len);

/* A write() that took too little would take more now. Any thread. */
void virtio_console_output_ready(struct virtio_device *dev, unsigned int port);

/*
 * Tells the guest whether the host's end of channel @port is connected (at first it is): a closed
 * one reads as end of file there. Any thread.
 */
void virtio_console_set_open(struct virtio_device *dev, unsigned int port, bool open);

#endif
