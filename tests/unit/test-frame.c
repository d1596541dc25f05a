// SPDX-License-Identifier: GPL-2.0-only
#include "guest/frame.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

/* A frame as bytes; its length. */
static size_t make(uint8_t *buf, uint8_t type, uint16_t job, uint8_t stream, const char *text, uint32_t seq)
{
	struct frame frame = {
		.type = type, .job = job, .stream = stream, .len = (uint32_t)strlen(text),
		.payload = (const uint8_t *)text,
	};

	frame_header(&frame, seq, buf);
	memcpy(buf + FRAME_HEADER_BYTES, text, frame.len);
	return FRAME_HEADER_BYTES + frame.len;
}

static void test_layout(void)
{
	/* The wire format, which must not depend on the host. CRC-32 by an independent program. */
	static const uint8_t want[] = {
		0x4c, 0x4b, 3, FRAME_CREDIT, 0x34, 0x12, STREAM_OUT, 0, 7, 0, 0, 0, 3, 0, 0, 0,
		0x84, 0xc2, 0x77, 0xd7, 'a', 'b', 'c',
	};
	uint8_t buf[64];

	CHECK_EQ(make(buf, FRAME_CREDIT, 0x1234, STREAM_OUT, "abc", 7), sizeof(want));
	for (size_t i = 0; i < sizeof(want); i++)
		CHECK_EQ(buf[i], want[i]);
}

static void test_pieces(void)
{
	static struct frame_decoder dec;
	uint8_t buf[256];
	struct frame frame;
	size_t len, at = 0, used;
	int n = 0;

	memset(&dec, 0, sizeof(dec));
	len = make(buf, FRAME_HELLO, 0, 0, "", 0);
	len += make(buf + len, FRAME_DATA, 3, STREAM_ERR, "some text", 1);
	len += make(buf + len, FRAME_STATUS, 3, 0, "x", 2);
	/* One byte at a time. */
	for (; at < len; at++) {
		int ret = frame_decode(&dec, buf + at, 1, &used, &frame);

		CHECK_EQ(used, 1);
		CHECK(ret >= 0);
		if (ret > 0)
			n++;
		if (ret > 0 && n == 2) {
			CHECK_EQ(frame.type, FRAME_DATA);
			CHECK_EQ(frame.job, 3);
			CHECK_EQ(frame.stream, STREAM_ERR);
			CHECK_EQ(frame.len, 9);
			CHECK(!memcmp(frame.payload, "some text", 9));
		}
	}
	CHECK_EQ(n, 3);
	/* All at once: it stops at the end of each. */
	memset(&dec, 0, sizeof(dec));
	CHECK_EQ(frame_decode(&dec, buf, len, &used, &frame), 1);
	CHECK_EQ(used, FRAME_HEADER_BYTES);
	CHECK_EQ(frame_decode(&dec, buf + used, len - used, &used, &frame), 1);
	CHECK_EQ(used, FRAME_HEADER_BYTES + 9);
}

/* Any byte of a frame that matters, changed, breaks it, and what follows is not taken either. */
static void test_damage(void)
{
	uint8_t buf[64];
	size_t len = make(buf, FRAME_STATUS, 1, 0, "status", 0);

	for (size_t i = 0; i < len; i++) {
		struct frame_decoder *dec = calloc(1, sizeof(*dec));
		struct frame frame;
		size_t used;
		int ret;

		buf[i] ^= 0x10;
		ret = frame_decode(dec, buf, len, &used, &frame);
		/* A length that has grown: then the rest does not come. */
		if (i >= 12 && i < 16) {
			if (ret == 1)
				test_fail(__FILE__, __LINE__, "byte %zu", i);
		} else {
			CHECK_EQ(ret, -1);
			buf[i] ^= 0x10;
			CHECK_EQ(frame_decode(dec, buf, len, &used, &frame), -1);
			buf[i] ^= 0x10;
		}
		buf[i] ^= 0x10;
		free(dec);
	}
}

static void test_order(void)
{
	struct frame_decoder *dec = calloc(1, sizeof(*dec));
	uint8_t buf[64];
	struct frame frame;
	size_t used, len;

	len = make(buf, FRAME_HELLO, 0, 0, "", 0);
	CHECK_EQ(frame_decode(dec, buf, len, &used, &frame), 1);
	/* One is missing. */
	len = make(buf, FRAME_DATA, 0, STREAM_OUT, "x", 2);
	CHECK_EQ(frame_decode(dec, buf, len, &used, &frame), -1);
	free(dec);
}

const struct test frame_tests[] = {
	{ "layout", test_layout },
	{ "pieces", test_pieces },
	{ "damage", test_damage },
	{ "order", test_order },
	{ 0 },
};
