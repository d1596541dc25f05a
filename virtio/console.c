// SPDX-License-Identifier: GPL-2.0-only
#include "virtio/console.h"

#include <assert.h>
#include <errno.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/byteorder.h"

#define CONSOLE_QUEUE_SIZE 64
/* Buffers before other queues of the device get their turn. */
#define CONSOLE_BATCH 32

/* Queues (virtio 1.3 §5.3.2): receiveq is what the guest receives. */
#define QUEUE_RX0        0
#define QUEUE_TX0        1
#define QUEUE_CONTROL_RX 2
#define QUEUE_CONTROL_TX 3

/* struct virtio_console_control: le32 id, le16 event, le16 value. */
#define CONTROL_BYTES 8

#define CONSOLE_PCI_CLASS 0x078000 /* communication controller, other */

#define CONFIG_OFFSET(field) offsetof(struct virtio_console_config, field)

struct port {
	struct virtio_console_port host;

	/* A chain that was taken and is not used up yet. Under the lock of its queue. */
	struct virtqueue_chain     rx;
	struct virtqueue_chain     tx;
	bool                       rx_held;
	bool                       tx_held;

	_Atomic bool               guest_open;
	_Atomic bool               host_open;
	_Atomic bool               ready;      /* the driver knows the port */
	/*
	 * Control messages to send, as bits 1 << VIRTIO_CONSOLE_*. Bits, not a list: a guest that
	 * asks without taking the answers can't make us store more than these.
	 */
	_Atomic unsigned int       pending;
};

struct virtio_console {
	struct virtio_device   dev;
	struct console        *console;  /* of port 0; NULL: none */
	struct virtqueue_chain control;  /* scratch of the device's thread */
	unsigned int           nr_ports; /* with port 0 */
	struct port            ports[];
};

static struct virtio_console *to_console(struct virtio_device *dev)
{
	return container_of(dev, struct virtio_console, dev);
}

static unsigned int rx_queue(unsigned int port)
{
	return port ? 2 * port + 2 : QUEUE_RX0;
}

static unsigned int tx_queue(unsigned int port)
{
	return rx_queue(port) + 1;
}

/* The port that data queue @index belongs to. */
static unsigned int queue_port(unsigned int index)
{
	return index < QUEUE_CONTROL_RX ? 0 : (index - 2) / 2;
}

static bool is_control(const struct virtio_queue *queue)
{
	return queue->index == QUEUE_CONTROL_RX || queue->index == QUEUE_CONTROL_TX;
}

/* ---- to the guest ---------------------------------------------------------------------------- */

/* Makes sure that port->rx holds a chain with room. Under the queue's lock. */
static bool port_hold_rx(struct port *port, struct virtqueue *vq)
{
	if (port->rx_held)
		return true;
	if (virtqueue_next(vq, &port->rx) <= 0)
		return false;
	if (!port->rx.writable.nr) {
		virtqueue_fail(vq, "receive buffer that can't be written");
		return false;
	}
	port->rx_held = true;
	return true;
}

/*
 * Linux throws away what arrives before it has a port ready, although its buffers are there: input
 * that was piped in before the guest booted would be lost. A driver that knows several ports says when.
 */
static bool port_listens(struct virtio_console *con, unsigned int index)
{
	if (!virtio_is_live(&con->dev))
		return false;
	if (!virtio_has_feature(&con->dev, VIRTIO_CONSOLE_F_MULTIPORT))
		return index == 0;
	return atomic_load(&con->ports[index].guest_open);
}

size_t virtio_console_can_send(struct virtio_device *dev, unsigned int index)
{
	struct virtio_console *con = to_console(dev);
	struct virtio_queue *queue = &dev->queues[rx_queue(index)];
	struct port *port = &con->ports[index];
	size_t room = 0;

	assert(index < con->nr_ports);
	/*
	 * The main loop must not wait here: a reset may hold this queue until a stuck reader of the output lets
	 * go of the other. Whoever holds it ends with port_input_ready() or a port that is opened anew.
	 */
	if (!port_listens(con, index) || !virtio_queue_trybegin(queue))
		return 0;
	if (port_hold_rx(port, &queue->vq))
		room = (size_t)MIN(port->rx.writable.bytes, (uint64_t)SIZE_MAX);
	virtio_queue_end(queue);
	return room;
}

size_t virtio_console_send(struct virtio_device *dev, unsigned int index, const void *buf,
			   size_t len)
{
	struct virtio_console *con = to_console(dev);
	struct virtio_queue *queue = &dev->queues[rx_queue(index)];
	struct port *port = &con->ports[index];
	size_t done = 0;

	assert(index < con->nr_ports);
	if (!port_listens(con, index) || !virtio_queue_trybegin(queue))
		return 0;
	while (done < len && port_hold_rx(port, &queue->vq)) {
		size_t n = virtqueue_write(&port->rx.writable, (const uint8_t *)buf + done,
					   len - done);

		/*
		 * A half-full buffer is better than one that waits: people type one byte at a time.
		 */
		virtqueue_put(&queue->vq, &port->rx, (uint32_t)n);
		port->rx_held = false;
		done += n;
	}
	virtio_queue_end(queue);
	return done;
}

static size_t frontend_can_receive(void *dev)
{
	return virtio_console_can_send(dev, 0);
}

static void frontend_receive(void *dev, const uint8_t *buf, size_t len)
{
	/*
	 * Takes it all, unless a reset came since can_receive(): then nobody is there to miss it.
	 */
	(void)virtio_console_send(dev, 0, buf, len);
}

struct console_frontend virtio_console_frontend(struct virtio_device *dev)
{
	return (struct console_frontend){
		.can_receive = frontend_can_receive,
		.receive = frontend_receive,
		.dev = dev,
	};
}

/* The guest has made room: the sender may go on. */
static void port_input_ready(struct virtio_console *con, unsigned int index)
{
	struct port *port = &con->ports[index];

	if (index == 0) {
		if (con->console)
			console_input_ready(con->console);
	} else if (port->host.input_ready && port_listens(con, index)) {
		port->host.input_ready(port->host.opaque);
	}
}

/* ---- from the guest -------------------------------------------------------------------------- */

/* Hands port->tx to the host's end. Returns whether it took all. */
static bool port_write(struct virtio_console *con, unsigned int index)
{
	struct port *port = &con->ports[index];
	struct virtqueue_span *data = &port->tx.readable;

	while (data->nr) {
		const struct iovec *iov = data->iov;
		size_t n = iov->iov_len;

		if (index)
			n = port->host.write(port->host.opaque, iov->iov_base, n);
		else if (con->console)
			console_write(con->console, iov->iov_base, n);
		if (n < iov->iov_len) {
			virtqueue_skip(data, n);
			return false;
		}
		virtqueue_skip(data, n);
	}
	return true;
}

static bool port_serve_tx(struct virtio_console *con, unsigned int index,
			  struct virtio_queue *queue)
{
	struct port *port = &con->ports[index];
	struct virtqueue *vq = &queue->vq;
	unsigned int budget = CONSOLE_BATCH;

	if (!virtio_queue_begin(queue))
		return false;
	virtqueue_disable_kicks(vq);
	while (budget) {
		if (!port->tx_held && virtqueue_next(vq, &port->tx) <= 0)
			break;
		port->tx_held = true;
		if (!port_write(con, index))
			break; /* virtio_console_output_ready() brings us back */
		virtqueue_put(vq, &port->tx, 0);
		port->tx_held = false;
		budget--;
	}
	virtio_queue_end(queue);
	return !budget;
}

void virtio_console_output_ready(struct virtio_device *dev, unsigned int index)
{
	assert(index < to_console(dev)->nr_ports);
	virtio_queue_kick(&dev->queues[tx_queue(index)]);
}

/* ---- control (virtio 1.3 §5.3.6.2) ----------------------------------------------------------- */

static void port_tell(struct virtio_console *con, unsigned int index, unsigned int events)
{
	atomic_fetch_or(&con->ports[index].pending, events);
	virtio_queue_kick(&con->dev.queues[QUEUE_CONTROL_RX]);
}

void virtio_console_set_open(struct virtio_device *dev, unsigned int index, bool open)
{
	struct virtio_console *con = to_console(dev);

	assert(index && index < con->nr_ports);
	atomic_store(&con->ports[index].host_open, open);
	if (atomic_load(&con->ports[index].ready))
		port_tell(con, index, 1u << VIRTIO_CONSOLE_PORT_OPEN);
}

/* The driver has set port @index up: what it needs to know of it. */
static void control_port_ready(struct virtio_console *con, unsigned int index)
{
	struct port *port = &con->ports[index];
	unsigned int events = 0;

	/* Before host_open is looked at: see virtio_console_set_open(). */
	atomic_store(&port->ready, true);
	if (port->host.name)
		events |= 1u << VIRTIO_CONSOLE_PORT_NAME;
	if (atomic_load(&port->host_open))
		events |= 1u << VIRTIO_CONSOLE_PORT_OPEN;
	port_tell(con, index, events);
}

/* The driver is there: which ports it may set up. */
static void control_device_ready(struct virtio_console *con)
{
	/*
	 * That port 0 is a console comes along, not after PORT_READY as for other news. With one round
	 * trip more, a fast guest could open its console before it has one, and do without.
	 */
	if (con->console)
		port_tell(con, 0, 1u << VIRTIO_CONSOLE_PORT_ADD | 1u << VIRTIO_CONSOLE_CONSOLE_PORT);
	for (unsigned int i = 1; i < con->nr_ports; i++)
		port_tell(con, i, 1u << VIRTIO_CONSOLE_PORT_ADD);
}

/* Returns a mask of the port whose sender may go on now. */
static uint64_t control_message(struct virtio_console *con, const uint8_t *msg)
{
	uint32_t id = virtio_get32(&con->dev, msg);
	uint16_t event = virtio_get16(&con->dev, msg + 4);
	bool value = virtio_get16(&con->dev, msg + 6);

	if (event == VIRTIO_CONSOLE_DEVICE_READY) {
		if (value)
			control_device_ready(con);
		else
			log_guest(&con->dev.guest_errors, "%s: the guest's driver failed to set up",
				  con->dev.name);
		return 0;
	}
	if (id >= con->nr_ports) {
		log_guest(&con->dev.guest_errors,
			  "%s: control message %u for port %u, which does not exist", con->dev.name,
			  event, id);
		return 0;
	}
	switch (event) {
	case VIRTIO_CONSOLE_PORT_READY:
		if (value)
			control_port_ready(con, id);
		else
			log_guest(&con->dev.guest_errors,
				  "%s: the guest's driver failed to set up port %u", con->dev.name,
				  id);
		return 0;
	case VIRTIO_CONSOLE_PORT_OPEN:
		if (atomic_exchange(&con->ports[id].guest_open, value) != value &&
		    con->ports[id].host.guest_open)
			con->ports[id].host.guest_open(con->ports[id].host.opaque, value);
		return value ? UINT64_C(1) << id : 0;
	default:
		return 0;
	}
}

static bool control_serve_tx(struct virtio_console *con, struct virtio_queue *queue)
{
	struct virtqueue *vq = &queue->vq;
	unsigned int budget = CONSOLE_BATCH;
	uint64_t opened = 0;

	if (!virtio_queue_begin(queue))
		return false;
	while (budget && virtqueue_next(vq, &con->control) > 0) {
		uint8_t msg[CONTROL_BYTES];

		budget--;
		if (virtqueue_read(&con->control.readable, msg, sizeof(msg)) != sizeof(msg)) {
			virtqueue_fail(vq, "control message is too short");
			break;
		}
		opened |= control_message(con, msg);
		virtqueue_put(vq, &con->control, 0);
	}
	virtio_queue_end(queue);
	/* Senders may call us back, so not before the queue is unlocked. */
	for (unsigned int i = 0; i < con->nr_ports; i++)
		if (opened >> i & 1)
			port_input_ready(con, i);
	return !budget;
}

/* Sends one message in con->control. False if the buffer was too small. */
static bool control_send(struct virtio_console *con, struct virtqueue *vq, unsigned int index,
			 unsigned int event)
{
	const struct port *port = &con->ports[index];
	const char *name = event == VIRTIO_CONSOLE_PORT_NAME ? port->host.name : "";
	uint16_t value = event == VIRTIO_CONSOLE_PORT_OPEN ? atomic_load(&port->host_open) : 1;
	size_t len = strlen(name);
	uint8_t msg[CONTROL_BYTES];

	virtio_put32(&con->dev, msg, index);
	virtio_put16(&con->dev, msg + 4, (uint16_t)event);
	virtio_put16(&con->dev, msg + 6, value);
	if (con->control.writable.bytes < CONTROL_BYTES + len) {
		virtqueue_fail(vq, "control buffer is too small");
		return false;
	}
	virtqueue_write(&con->control.writable, msg, sizeof(msg));
	virtqueue_write(&con->control.writable, name, len);
	virtqueue_put(vq, &con->control, (uint32_t)(CONTROL_BYTES + len));
	return true;
}

/* The lowest pending event of any port: PORT_ADD comes before the others by its number. */
static bool control_next(struct virtio_console *con, unsigned int *index, unsigned int *event)
{
	for (unsigned int i = 0; i < con->nr_ports; i++) {
		unsigned int pending = atomic_load(&con->ports[i].pending);

		if (!pending)
			continue;
		*index = i;
		*event = (unsigned int)__builtin_ctz(pending);
		return true;
	}
	return false;
}

/* Bounded by the events that can be pending. */
static void control_serve_rx(struct virtio_console *con, struct virtio_queue *queue)
{
	struct virtqueue *vq = &queue->vq;
	unsigned int index, event;

	if (!virtio_queue_begin(queue))
		return;
	while (control_next(con, &index, &event) && virtqueue_next(vq, &con->control) > 0) {
		/* Before its value is looked at: a change after that is pending again. */
		atomic_fetch_and(&con->ports[index].pending, ~(1u << event));
		if (!control_send(con, vq, index, event))
			break;
	}
	virtio_queue_end(queue);
}

/* ---- device ---------------------------------------------------------------------------------- */

static bool console_serve(struct virtio_device *dev, struct virtio_queue *queue)
{
	struct virtio_console *con = to_console(dev);
	unsigned int port;

	if (queue->index == QUEUE_CONTROL_RX) {
		control_serve_rx(con, queue);
		return false;
	}
	if (queue->index == QUEUE_CONTROL_TX)
		return control_serve_tx(con, queue);
	port = queue_port(queue->index);
	if (queue->index == tx_queue(port))
		return port_serve_tx(con, port, queue);
	port_input_ready(con, port);
	return false;
}

static void console_queue_stop(struct virtio_device *dev, struct virtio_queue *queue)
{
	struct port *port;

	if (is_control(queue))
		return;
	port = &to_console(dev)->ports[queue_port(queue->index)];
	if (queue->index & 1)
		port->tx_held = false;
	else
		port->rx_held = false;
}

static void console_reset(struct virtio_device *dev)
{
	struct virtio_console *con = to_console(dev);

	for (unsigned int i = 0; i < con->nr_ports; i++) {
		struct port *port = &con->ports[i];

		atomic_store(&port->pending, 0);
		atomic_store(&port->ready, false);
		if (atomic_exchange(&port->guest_open, false) && port->host.guest_open)
			port->host.guest_open(port->host.opaque, false);
	}
}

static void console_config_write(struct virtio_device *dev, unsigned int offset,
				 unsigned int size, uint64_t value)
{
	struct virtio_console *con = to_console(dev);
	/* The least significant byte. */
	unsigned int at = CONFIG_OFFSET(emerg_wr) + (dev->big_endian ? 3 : 0);
	uint8_t c;

	/* §5.3.4: works at any time, even before the driver has negotiated anything. */
	if (!con->console || !range_within(at, 1, offset, size))
		return;
	c = (uint8_t)(value >> 8 * (at - offset));
	console_write(con->console, &c, 1);
}

/* struct virtio_console_config: cols, rows, max_nr_ports, emerg_wr. */
static const uint8_t console_config_widths[] = { 2, 2, 4, 4, 0 };

static void console_destroy_device(struct virtio_device *dev)
{
	free(to_console(dev));
}

static const struct virtio_ops console_ops = {
	.serve = console_serve,
	.queue_stop = console_queue_stop,
	.reset = console_reset,
	.config_write = console_config_write,
	.destroy = console_destroy_device,
};

int virtio_console_create(struct virtio_device **dev, const struct virtio_env *env,
			  struct console *console, const struct virtio_console_port *ports,
			  unsigned int nr_ports)
{
	struct virtio_device_info info = {
		.name = "virtio-console",
		.ops = &console_ops,
		.type = VIRTIO_ID_CONSOLE,
		.pci_class = CONSOLE_PCI_CLASS,
		.features = UINT64_C(1) << VIRTIO_CONSOLE_F_MULTIPORT,
		.config_bytes = sizeof(struct virtio_console_config),
		.config_widths = console_config_widths,
		.nr_queues = nr_ports ? tx_queue(nr_ports) + 1 : QUEUE_CONTROL_TX + 1,
		.queue_size = CONSOLE_QUEUE_SIZE,
		.own_thread = true,
	};
	struct virtio_console *con;
	int ret;

	assert(nr_ports <= VIRTIO_CONSOLE_MAX_PORTS);
	if (console)
		info.features |= UINT64_C(1) << VIRTIO_CONSOLE_F_EMERG_WRITE;

	con = calloc(1, sizeof(*con) + (nr_ports + 1) * sizeof(con->ports[0]));
	if (!con) {
		log_error("%s: out of memory", info.name);
		return -ENOMEM;
	}
	con->console = console;
	con->nr_ports = nr_ports + 1;
	for (unsigned int i = 0; i < nr_ports; i++) {
		assert(strlen(ports[i].name) <= VIRTIO_CONSOLE_MAX_NAME);
		con->ports[i + 1].host = ports[i];
		atomic_init(&con->ports[i + 1].host_open, true);
	}
	ret = virtio_device_init(&con->dev, env, &info);
	if (ret) {
		free(con);
		return ret;
	}
	put_le32(con->dev.config + CONFIG_OFFSET(max_nr_ports), con->nr_ports);
	*dev = &con->dev;
	return 0;
}
