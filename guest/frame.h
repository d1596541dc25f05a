/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lkvm and the init in the guest say to each other, over any reliable byte channel, and how it is
 * framed. Both sides are built from this file. Pure; needs no C library.
 *
 * A frame is a header of FRAME_HEADER_BYTES, little-endian, and a payload:
 *
 *   0  u16 magic       4  u16 job      8  u32 sequence number, from 0 in each direction
 *   2  u8  version     6  u8  stream  12  u32 payload bytes
 *   3  u8  type        7  u8  0       16  u32 CRC-32 of the 16 bytes above and, but for FRAME_DATA,
 *                                         the payload
 *
 * The life of a command (a "job"): the host sends EXEC, the guest STARTED, both DATA on its streams, and the
 * guest STATUS, which ends the job. STATUS tells how many bytes of output there were, so that none can be
 * missing. A sender of DATA has a window, WINDOW_* bytes at first, which CREDIT widens: who does not read
 * holds up nobody else. CLOSE on a stream means end of file from its sender, and "nobody reads this any
 * more" from its receiver.
 */
#ifndef GUEST_FRAME_H
#define GUEST_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_MAGIC         0x4b4cu /* "LK" */
#define FRAME_VERSION       3
#define FRAME_HEADER_BYTES  20
#define FRAME_MAX_PAYLOAD   65536
/* With its header no longer than Linux writes to a virtio-console port at once (32 KiB). */
#define FRAME_MAX_DATA      (32768 - FRAME_HEADER_BYTES)

enum frame_type {
	FRAME_HELLO = 1, /* guest: it is there; u32: for how many milliseconds */
	FRAME_EXEC,      /* host: u32 uid, u32 gid, u32 arguments, u32 variables; then NUL-ended: working
			    directory, user's name ("": uid and gid count), arguments, environment */
	FRAME_STARTED,   /* guest: the program runs */
	FRAME_DATA,      /* bytes of a stream */
	FRAME_CREDIT,    /* u32: as many more bytes may be sent */
	FRAME_CLOSE,
	FRAME_STATUS,    /* guest: u32 frame_end, u32 code, u64 bytes of stdout, u64 bytes of stderr */
	FRAME_KILL,      /* host: u32 signal, for the job's process group */
	FRAME_LOG,       /* guest: a line for people */
};

enum frame_stream {
	STREAM_IN,
	STREAM_OUT,
	STREAM_ERR,
	STREAM_COUNT,
};

enum frame_end {
	END_EXITED,      /* code: exit status */
	END_SIGNALED,    /* code: signal */
	END_NOT_STARTED, /* code: Linux errno of the generic numbers, as the kernel gave it; or NO_SUCH_... */
};

/* The guest has no /etc/passwd, or it has no line for the user. */
#define NO_SUCH_USER    0x10000u
/* Its working directory can't be entered. */
#define NO_SUCH_WORKDIR 0x10001u

#define WINDOW_IN  65536u
#define WINDOW_OUT 262144u /* also stderr's */

#define STATUS_BYTES 24

/* What init finds in the guest, made by lkvm/guest-files.c. */
#define GUEST_DIR  "/.lkvm"
#define GUEST_INIT GUEST_DIR "/init"
#define GUEST_PORT "lkvm.0"
/* The root's 9P tag, or serial number of its disk. */
#define GUEST_ROOT "lkvm.root"
/* A file system of --root: virtiofs, or 9p in kernels that have no virtiofs. */
#define GUEST_ROOT_EITHER "virtiofs or 9p"

struct frame {
	uint8_t        type;
	uint16_t       job;
	uint8_t        stream;
	uint32_t       len;
	const uint8_t *payload;
};

/* Collects a frame. Zeroed: at the beginning of a channel. */
struct frame_decoder {
	uint32_t seq;
	uint32_t have;     /* bytes of header and payload so far */
	uint8_t  broken;
	uint8_t  buf[FRAME_HEADER_BYTES + FRAME_MAX_PAYLOAD];
};

/*
 * Takes bytes of [@data, @data + @len) up to the end of a frame; @used says how many. Returns 1 with @frame,
 * whose payload is valid until the next call; 0 when all bytes are used and more are needed; -1 when this is
 * no frame that can be (bad magic, version, type, length, sequence or CRC): then for ever.
 */
int frame_decode(struct frame_decoder *dec, const uint8_t *data, size_t len, size_t *used, struct frame *frame);

/*
 * Writes the header of @frame, numbered @seq, to @header; the payload follows it on the channel.
 */
void frame_header(const struct frame *frame, uint32_t seq, uint8_t header[FRAME_HEADER_BYTES]);

static inline uint32_t frame_get_u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void frame_put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static inline uint64_t frame_get_u64(const uint8_t *p)
{
	return frame_get_u32(p) | (uint64_t)frame_get_u32(p + 4) << 32;
}

static inline void frame_put_u64(uint8_t *p, uint64_t v)
{
	frame_put_u32(p, (uint32_t)v);
	frame_put_u32(p + 4, (uint32_t)(v >> 32));
}

#endif
