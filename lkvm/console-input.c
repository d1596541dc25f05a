// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/console-input.h"

#include <string.h>

void console_input_init(struct console_input *in, struct console *console)
{
	memset(in, 0, sizeof(*in));
	pthread_mutex_init(&in->lock, NULL);
	in->console = console;
}

void console_input_exit(struct console_input *in)
{
	pthread_mutex_destroy(&in->lock);
}

size_t console_input_read(struct console_input *in, void *buf, size_t len)
{
	uint8_t *out = buf;
	size_t done = 0;
	bool was_full;

	pthread_mutex_lock(&in->lock);
	was_full = in->used == sizeof(in->buf);
	while (done < len && in->used) {
		out[done++] = in->buf[in->head];
		in->head = (in->head + 1) % sizeof(in->buf);
		in->used--;
	}
	pthread_mutex_unlock(&in->lock);
	if (was_full && done)
		console_input_ready(in->console);
	return done;
}

static size_t input_can_receive(void *dev)
{
	struct console_input *in = dev;
	size_t room;

	pthread_mutex_lock(&in->lock);
	room = sizeof(in->buf) - in->used;
	pthread_mutex_unlock(&in->lock);
	return room;
}

static void input_receive(void *dev, const uint8_t *buf, size_t len)
{
	struct console_input *in = dev;

	pthread_mutex_lock(&in->lock);
	for (size_t i = 0; i < len && in->used < sizeof(in->buf); i++)
		in->buf[(in->head + in->used++) % sizeof(in->buf)] = buf[i];
	pthread_mutex_unlock(&in->lock);
}

struct console_frontend console_input_frontend(struct console_input *in)
{
	return (struct console_frontend){
		.can_receive = input_can_receive,
		.receive = input_receive,
		.dev = in,
	};
}
