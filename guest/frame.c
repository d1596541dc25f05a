// SPDX-License-Identifier: GPL-2.0-only
#include "guest/frame.h"

/* IEEE 802.3, reflected; bit by bit, because what it covers is short. */
static uint32_t crc32(uint32_t crc, const uint8_t *p, size_t len)
{
	crc = ~crc;
	while (len--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static uint32_t frame_crc(const uint8_t *header, const uint8_t *payload, uint32_t len)
{
	uint32_t crc = crc32(0, header, 16);

	return header[3] == FRAME_DATA ? crc : crc32(crc, payload, len);
}

void frame_header(const struct frame *frame, uint32_t seq, uint8_t h[FRAME_HEADER_BYTES])
{
	h[0] = FRAME_MAGIC & 0xff;
	h[1] = FRAME_MAGIC >> 8;
	h[2] = FRAME_VERSION;
	h[3] = frame->type;
	h[4] = frame->job & 0xff;
	h[5] = (uint8_t)(frame->job >> 8);
	h[6] = frame->stream;
	h[7] = 0;
	frame_put_u32(h + 8, seq);
	frame_put_u32(h + 12, frame->len);
	frame_put_u32(h + 16, frame_crc(h, frame->payload, frame->len));
}

static int header_is_good(const struct frame_decoder *dec)
{
	const uint8_t *h = dec->buf;

	return h[0] == (FRAME_MAGIC & 0xff) && h[1] == FRAME_MAGIC >> 8 && h[2] == FRAME_VERSION &&
	       h[3] >= FRAME_HELLO && h[3] <= FRAME_LOG && h[6] < STREAM_COUNT && h[7] == 0 &&
	       frame_get_u32(h + 8) == dec->seq && frame_get_u32(h + 12) <= FRAME_MAX_PAYLOAD;
}

/* Takes bytes until dec->have is @want. Nonzero if it is. */
static int collect(struct frame_decoder *dec, uint32_t want, const uint8_t *data, size_t len, size_t *used)
{
	while (dec->have < want && *used < len)
		dec->buf[dec->have++] = data[(*used)++];
	return dec->have == want;
}

int frame_decode(struct frame_decoder *dec, const uint8_t *data, size_t len, size_t *used, struct frame *frame)
{
	const uint8_t *payload = dec->buf + FRAME_HEADER_BYTES;
	uint32_t bytes;

	*used = 0;
	if (dec->broken)
		return -1;
	if (dec->have < FRAME_HEADER_BYTES) {
		if (!collect(dec, FRAME_HEADER_BYTES, data, len, used))
			return 0;
		if (!header_is_good(dec))
			goto broken;
	}
	bytes = frame_get_u32(dec->buf + 12);
	if (!collect(dec, FRAME_HEADER_BYTES + bytes, data, len, used))
		return 0;
	if (frame_get_u32(dec->buf + 16) != frame_crc(dec->buf, payload, bytes))
		goto broken;
	frame->type = dec->buf[3];
	frame->job = (uint16_t)(dec->buf[4] | dec->buf[5] << 8);
	frame->stream = dec->buf[6];
	frame->len = bytes;
	frame->payload = payload;
	dec->have = 0;
	dec->seq++;
	return 1;
broken:
	dec->broken = 1;
	return -1;
}
