// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/console-input.h"

#include "tests/unit/test.h"

/* What is typed waits in order, and room comes back as it is read. */
static void test_input(void)
{
	const struct console_options opt = { .out_fd = -1, .in_fd = -1 };
	struct console *console;
	struct console_input in;
	struct console_frontend fe;
	uint8_t buf[512], want = 0, sent = 0;
	size_t room, n;

	CHECK_EQ(console_create(&console, &opt), 0);
	console_input_init(&in, console);
	fe = console_input_frontend(&in);
	CHECK_EQ(console_input_read(&in, buf, sizeof(buf)), 0);

	for (unsigned int round = 0; round < 10; round++) {
		room = fe.can_receive(fe.dev);
		CHECK(room > 0 && room <= sizeof(buf));
		for (size_t i = 0; i < room; i++)
			buf[i] = sent++;
		fe.receive(fe.dev, buf, room);
		CHECK_EQ(fe.can_receive(fe.dev), 0);
		/* More than there is room for is dropped, not written. */
		fe.receive(fe.dev, buf, 1);
		n = console_input_read(&in, buf, 100 + round);
		CHECK_EQ(n, 100 + round);
		for (size_t i = 0; i < n; i++)
			CHECK_EQ(buf[i], want++);
		CHECK_EQ(fe.can_receive(fe.dev), n);
	}
	console_input_exit(&in);
	console_destroy(console);
}

const struct test console_input_tests[] = {
	{ "order_and_room", test_input },
	{ 0 },
};
