// SPDX-License-Identifier: GPL-2.0-only
/*
 * What comes from the init of a hostile guest: the input is the channel's bytes, in chunks whose size its first
 * byte gives. Whatever they are, the host survives, and a command without a good status has not succeeded.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lkvm/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_ended(void *opaque, enum frame_end end, uint32_t code, const char *why)
{
	if (!why && (end > END_NOT_STARTED || (end == END_EXITED && code > 255)))
		abort();
	loop_quit(opaque);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char prog[] = "p";
	char *argv[] = { prog, NULL }, *env[] = { NULL };
	struct virtio_console_port port;
	struct command *cmd;
	struct loop *loop;
	size_t at = 1;

	if (size < 2)
		return 0;
	if (loop_create(&loop) || command_create(&cmd, loop))
		abort();
	port = command_port(cmd);
	if (command_start(cmd, &(struct command_job){ .argv = argv, .env = env, .workdir = "/", .ended = on_ended,
						      .opaque = loop, .fds = { -1, -1, -1 } }) < 0)
		abort();
	while (at < size) {
		size_t n = MIN(size - at, (size_t)data[0] + 1);

		if (port.write(port.opaque, data + at, n) != n)
			abort();
		at += n;
	}
	command_destroy(cmd);
	loop_destroy(loop);
	return 0;
}
