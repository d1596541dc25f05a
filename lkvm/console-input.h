/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user typed and the guest has not read yet, for consoles without a buffer of their own: hypervisor calls.
 */
#ifndef LKVM_CONSOLE_INPUT_H
#define LKVM_CONSOLE_INPUT_H

#include <pthread.h>

#include "lkvm/console.h"
#include "lkvm/types.h"

struct console_input {
	pthread_mutex_t lock;
	struct console *console;
	uint8_t         buf[256];
	unsigned int    head; /* next to read */
	unsigned int    used;
};

/* @console is told when there is room again. */
void console_input_init(struct console_input *in, struct console *console);
void console_input_exit(struct console_input *in);
/* Takes up to @len bytes out; returns how many. Any thread. */
size_t console_input_read(struct console_input *in, void *buf, size_t len);
struct console_frontend console_input_frontend(struct console_input *in);

#endif
