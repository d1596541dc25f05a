// SPDX-License-Identifier: GPL-2.0-only
#define ZLIB_CONST
#include "lkvm/unpack.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "lkvm/byteorder.h"
#include "lkvm/size.h"

#define UNPACK_OUT_BYTES KIB(256)
/*
 * What liblzma may allocate: its dictionary is at most 128 MiB in what Linux's build makes (xz -9:
 * 64 MiB).
 */
#define UNPACK_XZ_MEMORY MIB(512)
/* No packed stream is shorter; less than this behind one is garbage, not another. */
#define UNPACK_MIN_STREAM 18

/* EFI zboot: Linux drivers/firmware/efi/libstub/zboot-header.S. Fields are little-endian. */
#define ZBOOT_MAGIC_OFF       4
#define ZBOOT_OFF_PAYLOAD     8
#define ZBOOT_OFF_SIZE        12
#define ZBOOT_OFF_COMPRESSION 24
#define ZBOOT_COMPRESSION_LEN 32 /* up to the PE magic at 0x38 */
#define ZBOOT_HEADER_BYTES    0x40

struct unpack_magic {
	enum unpack_format format;
	const char        *bytes;
	unsigned int       len;
};

static const struct unpack_magic unpack_magics[] = {
	{ UNPACK_GZIP, "\x1f\x8b\x08", 3 },           /* RFC 1952 §2.3.1; CM 8 is the only method */
	{ UNPACK_XZ, "\xfd" "7zXZ\0", 6 },            /* The .xz File Format §2.1.1.1 */
	{ UNPACK_ZSTD, "\x28\xb5\x2f\xfd", 4 },       /* RFC 8878 §3.1.1 */
	{ UNPACK_LZ4, "\x02\x21\x4c\x18", 4 },        /* lz4_Frame_format.md, legacy frame: lz4 -l */
	{ UNPACK_LZ4, "\x04\x22\x4d\x18", 4 },        /* lz4_Frame_format.md, frame */
	{ UNPACK_LZO, "\x89LZO\0\r\n\x1a\n", 9 },     /* lzop */
	{ UNPACK_BZIP2, "BZh", 3 },                   /* and a block magic, see below */
};

static const struct {
	const char *name;
	const char *tool;
} unpack_names[] = {
	[UNPACK_NONE]  = { "", "" },
	[UNPACK_GZIP]  = { "gzip", "gunzip" },
	[UNPACK_XZ]    = { "xz", "unxz" },
	[UNPACK_LZMA]  = { "lzma", "unlzma" },
	[UNPACK_ZSTD]  = { "zstd", "unzstd" },
	[UNPACK_BZIP2] = { "bzip2", "bunzip2" },
	[UNPACK_LZ4]   = { "lz4", "unlz4" },
	[UNPACK_LZO]   = { "lzo", "lzop -d" },
};

/*
 * .lzma has no magic number: a property byte (0x5d in everything that exists), a dictionary size
 * that is 2^n or 2^n + 2^(n-1), and an uncompressed size, unknown (all ones) or believable (XZ
 * Utils doc/lzma-file-format.txt §1.1).
 */
static bool looks_like_lzma(const uint8_t *data, uint64_t size_bytes)
{
	uint64_t unpacked;
	uint32_t dict;

	if (size_bytes < 13 || data[0] != 0x5d)
		return false;
	dict = get_le32(data + 1);
	while (dict && !(dict & 1))
		dict >>= 1;
	unpacked = get_le64(data + 5);
	return (dict == 1 || dict == 3) && get_le32(data + 1) >= KIB(4) &&
	       (unpacked == UINT64_MAX || (unpacked && unpacked < GIB(256)));
}

enum unpack_format unpack_detect(const uint8_t *data, uint64_t size_bytes)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(unpack_magics); i++) {
		const struct unpack_magic *m = &unpack_magics[i];

		if (size_bytes < m->len || memcmp(data, m->bytes, m->len))
			continue;
		/* "BZh9" and the digits of pi or of its square root. */
		if (m->format == UNPACK_BZIP2 &&
		    (size_bytes < 10 || (memcmp(data + 4, "1AY&SY", 6) &&
					 memcmp(data + 4, "\x17\x72\x45\x38\x50\x90", 6))))
			continue;
		return m->format;
	}
	return looks_like_lzma(data, size_bytes) ? UNPACK_LZMA : UNPACK_NONE;
}

const char *unpack_name(enum unpack_format format)
{
	return unpack_names[format].name;
}

/* ---- wrappers -------------------------------------------------------------------------------- */

static int probe_zboot(const uint8_t *data, uint64_t size_bytes, struct unpack_layer *layer, char *cause)
{
	char compression[ZBOOT_COMPRESSION_LEN + 1] = "";

	if (size_bytes < ZBOOT_HEADER_BYTES || memcmp(data, "MZ", 2) ||
	    memcmp(data + ZBOOT_MAGIC_OFF, "zimg", 4))
		return 0;
	layer->wrapper = "zboot";
	layer->offset = get_le32(data + ZBOOT_OFF_PAYLOAD);
	layer->size_bytes = get_le32(data + ZBOOT_OFF_SIZE);
	if (layer->offset < ZBOOT_HEADER_BYTES || !layer->size_bytes ||
	    !range_within(layer->offset, layer->size_bytes, 0, size_bytes)) {
		snprintf(cause, UNPACK_CAUSE_BYTES,
			 "the payload of this EFI zboot image lies beyond the end of the file: it is truncated or damaged");
		return -EINVAL;
	}
	layer->format = unpack_detect(data + layer->offset, layer->size_bytes);
	if (layer->format == UNPACK_NONE) {
		memcpy(compression, data + ZBOOT_OFF_COMPRESSION, ZBOOT_COMPRESSION_LEN);
		for (char *c = compression; *c; c++)
			if (*c < ' ' || *c > '~')
				*c = '?';
		snprintf(cause, UNPACK_CAUSE_BYTES,
			 "the payload of this EFI zboot image is packed in a way that lkvm does not know (\"%s\")",
			 compression);
		return -EINVAL;
	}
	return 1;
}

static int probe_uimage(const uint8_t *data, uint64_t size_bytes, struct unpack_layer *layer, char *cause)
{
	int ret;

	if (size_bytes < UIMAGE_HEADER_BYTES || get_be32(data) != UIMAGE_MAGIC ||
	    data[UIMAGE_OFF_COMP] == UIMAGE_COMP_NONE)
		return 0;
	ret = uimage_check(data, size_bytes, cause);
	if (ret)
		return ret;
	layer->wrapper = "uImage";
	layer->offset = UIMAGE_HEADER_BYTES;
	layer->size_bytes = get_be32(data + UIMAGE_OFF_SIZE);
	layer->format = unpack_detect(data + layer->offset, layer->size_bytes);
	if (layer->format == UNPACK_NONE) {
		snprintf(cause, UNPACK_CAUSE_BYTES,
			 "the payload of this uImage is packed in a way that lkvm does not know (type %u)",
			 data[UIMAGE_OFF_COMP]);
		return -EINVAL;
	}
	return 1;
}

int unpack_probe(const uint8_t *data, uint64_t size_bytes, struct unpack_layer *layer, char *cause)
{
	int ret;

	memset(layer, 0, sizeof(*layer));
	ret = probe_zboot(data, size_bytes, layer, cause);
	if (!ret)
		ret = probe_uimage(data, size_bytes, layer, cause);
	if (ret)
		return ret;
	layer->format = unpack_detect(data, size_bytes);
	layer->size_bytes = size_bytes;
	return layer->format != UNPACK_NONE;
}

uint32_t uimage_crc32(uint32_t crc, const uint8_t *data, uint64_t len)
{
#ifdef HAVE_ZLIB
	for (; len; data += MIN(len, GIB(1)), len -= MIN(len, GIB(1)))
		crc = (uint32_t)crc32(crc, data, (uInt)MIN(len, GIB(1)));
	return crc;
#else
	/* Four bits at a time: remainders of the reflected polynomial 0xedb88320. */
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};

	crc = ~crc;
	while (len--) {
		crc ^= *data++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
#endif
}

/* The header's checksum, which counts itself as zero. */
static uint32_t uimage_header_crc(const uint8_t *header)
{
	uint8_t copy[UIMAGE_HEADER_BYTES];

	memcpy(copy, header, sizeof(copy));
	put_be32(copy + UIMAGE_OFF_HEADER_CRC, 0);
	return uimage_crc32(0, copy, sizeof(copy));
}

int uimage_check(const uint8_t *data, uint64_t size_bytes, char *cause)
{
	uint64_t payload;

	if (size_bytes < 4 || get_be32(data) != UIMAGE_MAGIC)
		return -ENOEXEC;
	if (size_bytes < UIMAGE_HEADER_BYTES) {
		snprintf(cause, UNPACK_CAUSE_BYTES, "the header of this uImage is cut off");
		return -EINVAL;
	}
	if (get_be32(data + UIMAGE_OFF_HEADER_CRC) != uimage_header_crc(data)) {
		snprintf(cause, UNPACK_CAUSE_BYTES,
			 "the header checksum of this uImage is wrong: the file is damaged");
		return -EINVAL;
	}
	payload = get_be32(data + UIMAGE_OFF_SIZE);
	if (!payload || payload > size_bytes - UIMAGE_HEADER_BYTES) {
		snprintf(cause, UNPACK_CAUSE_BYTES, "this uImage is %s", payload ? "truncated" : "empty");
		return -EINVAL;
	}
	if (get_be32(data + UIMAGE_OFF_DATA_CRC) !=
	    uimage_crc32(0, data + UIMAGE_HEADER_BYTES, payload)) {
		snprintf(cause, UNPACK_CAUSE_BYTES,
			 "the payload's checksum in this uImage is wrong: the file is damaged");
		return -EINVAL;
	}
	return 0;
}

/* ---- streams --------------------------------------------------------------------------------- */

/* One unpacking under way: what is left of the input, and the memfd that fills up. */
struct unpacking {
	enum unpack_format format;
	const uint8_t     *in;
	uint64_t           in_left;
	uint8_t           *out; /* UNPACK_OUT_BYTES */
	int                fd;
	uint64_t           written;
	uint64_t           limit;
	char              *cause;
};

static int LKVM_PRINTF(3, 4) unpack_fail(struct unpacking *u, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(u->cause, UNPACK_CAUSE_BYTES, fmt, ap);
	va_end(ap);
	return err;
}

static int LKVM_UNUSED unpack_corrupt(struct unpacking *u, const char *detail)
{
	return unpack_fail(u, -EINVAL, "its %s data is damaged%s%s%s: fetch or build the file again",
			   unpack_name(u->format), detail ? " (" : "", detail ? detail : "",
			   detail ? ")" : "");
}

static int LKVM_UNUSED unpack_truncated(struct unpacking *u)
{
	return unpack_fail(u, -EINVAL, "its %s data ends too early: the file is truncated, fetch or build it again",
			   unpack_name(u->format));
}

/* Appends the first @len bytes of u->out to the memfd. */
static int LKVM_UNUSED unpack_emit(struct unpacking *u, uint64_t len)
{
	char size[SIZE_TEXT_BYTES];

	if (len > u->limit - u->written)
		return unpack_fail(u, -EFBIG, "its %s data unpacks to more than %s: that is no kernel",
				   unpack_name(u->format), size_text(size, u->limit));
	for (uint64_t done = 0; done < len;) {
		ssize_t n = write(u->fd, u->out + done, (size_t)(len - done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int err = errno;

			return unpack_fail(u, -err, "cannot store the unpacked data: %s", strerror(err));
		}
		done += (uint64_t)n;
	}
	u->written += len;
	return 0;
}

/* True if another stream of the same kind follows, as `cat a.gz b.gz` makes. */
static bool LKVM_UNUSED unpack_more(const struct unpacking *u)
{
	return u->in_left >= UNPACK_MIN_STREAM && unpack_detect(u->in, u->in_left) == u->format;
}

static void LKVM_UNUSED unpack_consume(struct unpacking *u, uint64_t n)
{
	u->in += n;
	u->in_left -= n;
}

#ifdef HAVE_ZLIB
static int unpack_gzip(struct unpacking *u)
{
	z_stream z = { 0 };
	int ret, err = 0;

	/* 15: the largest window; + 16: gzip framing only. */
	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return unpack_fail(u, -ENOMEM, "out of memory");
	for (;;) {
		uint64_t fed = MIN(u->in_left, GIB(1));

		z.next_in = u->in;
		z.avail_in = (uInt)fed;
		z.next_out = u->out;
		z.avail_out = (uInt)UNPACK_OUT_BYTES;
		ret = inflate(&z, Z_NO_FLUSH);
		unpack_consume(u, fed - z.avail_in);
		if (ret != Z_OK && ret != Z_STREAM_END && ret != Z_BUF_ERROR) {
			err = ret == Z_MEM_ERROR ? unpack_fail(u, -ENOMEM, "out of memory")
						 : unpack_corrupt(u, z.msg);
			break;
		}
		err = unpack_emit(u, UNPACK_OUT_BYTES - z.avail_out);
		if (err)
			break;
		if (ret == Z_STREAM_END) {
			if (!unpack_more(u))
				break;
			inflateReset(&z);
		} else if (!u->in_left && z.avail_out) {
			/* Room left to write to, and nothing left to read. */
			err = unpack_truncated(u);
			break;
		}
	}
	inflateEnd(&z);
	return err;
}
#endif

#ifdef HAVE_LZMA
static int unpack_xz_error(struct unpacking *u, lzma_ret ret)
{
	switch (ret) {
	case LZMA_MEM_ERROR:
		return unpack_fail(u, -ENOMEM, "out of memory");
	case LZMA_MEMLIMIT_ERROR:
		return unpack_fail(u, -EINVAL, "its %s data wants a dictionary larger than any kernel's: unpack it first (%s)",
				   unpack_name(u->format), unpack_names[u->format].tool);
	case LZMA_OPTIONS_ERROR:
		return unpack_fail(u, -ENOTSUP, "its %s data uses a filter that this lkvm's liblzma does not know: unpack it first (%s)",
				   unpack_name(u->format), unpack_names[u->format].tool);
	case LZMA_BUF_ERROR:
		return unpack_truncated(u);
	default:
		return unpack_corrupt(u, NULL);
	}
}

/* .xz and .lzma: one stream. */
static int unpack_xz_stream(struct unpacking *u, lzma_stream *z)
{
	lzma_ret ret;
	int err;

	do {
		uint64_t fed = MIN(u->in_left, GIB(1));

		z->next_in = u->in;
		z->avail_in = (size_t)fed;
		z->next_out = u->out;
		z->avail_out = UNPACK_OUT_BYTES;
		ret = lzma_code(z, LZMA_RUN);
		unpack_consume(u, fed - z->avail_in);
		if (ret != LZMA_OK && ret != LZMA_STREAM_END)
			return unpack_xz_error(u, ret);
		err = unpack_emit(u, UNPACK_OUT_BYTES - z->avail_out);
		if (err)
			return err;
		if (ret == LZMA_OK && !u->in_left && z->avail_out)
			return unpack_truncated(u);
	} while (ret != LZMA_STREAM_END);
	return 0;
}

static int unpack_xz(struct unpacking *u)
{
	lzma_stream z = LZMA_STREAM_INIT;
	int err;

	do {
		lzma_ret ret = u->format == UNPACK_XZ ? lzma_stream_decoder(&z, UNPACK_XZ_MEMORY, 0)
						      : lzma_alone_decoder(&z, UNPACK_XZ_MEMORY);

		err = ret == LZMA_OK ? unpack_xz_stream(u, &z) : unpack_xz_error(u, ret);
	} while (!err && u->format == UNPACK_XZ && unpack_more(u));
	lzma_end(&z);
	return err;
}
#endif

#ifdef HAVE_ZSTD
static int unpack_zstd(struct unpacking *u)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	size_t ret;
	int err;

	if (!z)
		return unpack_fail(u, -ENOMEM, "out of memory");
	for (;;) {
		ZSTD_inBuffer in = { u->in, (size_t)MIN(u->in_left, GIB(1)), 0 };
		ZSTD_outBuffer out = { u->out, UNPACK_OUT_BYTES, 0 };

		ret = ZSTD_decompressStream(z, &out, &in);
		if (ZSTD_isError(ret)) {
			err = unpack_corrupt(u, ZSTD_getErrorName(ret));
			break;
		}
		unpack_consume(u, in.pos);
		err = unpack_emit(u, out.pos);
		if (err)
			break;
		if (!ret) { /* the end of a frame; the next call begins another */
			if (!unpack_more(u))
				break;
		} else if (!u->in_left && out.pos < UNPACK_OUT_BYTES) {
			err = unpack_truncated(u);
			break;
		}
	}
	ZSTD_freeDStream(z);
	return err;
}
#endif

static int unpack_stream(struct unpacking *u)
{
	switch (u->format) {
#ifdef HAVE_ZLIB
	case UNPACK_GZIP:
		return unpack_gzip(u);
#endif
#ifdef HAVE_LZMA
	case UNPACK_XZ:
	case UNPACK_LZMA:
		return unpack_xz(u);
#endif
#ifdef HAVE_ZSTD
	case UNPACK_ZSTD:
		return unpack_zstd(u);
#endif
	case UNPACK_BZIP2:
	case UNPACK_LZ4:
	case UNPACK_LZO:
		return unpack_fail(u, -ENOTSUP, "it is packed with %s, which lkvm does not unpack: unpack it first (%s), or pack it with gzip, xz or zstd",
				   unpack_name(u->format), unpack_names[u->format].tool);
	default:
		return unpack_fail(u, -ENOTSUP, "it is packed with %s, and this lkvm was built without %s: unpack it first (%s)",
				   unpack_name(u->format), unpack_name(u->format),
				   unpack_names[u->format].tool);
	}
}

/* Puts the header in front of an unpacked uImage and makes it say the truth. */
static int uimage_rewrite(struct unpacking *u, const uint8_t *old_header)
{
	uint8_t header[UIMAGE_HEADER_BYTES];
	uint64_t payload = u->written - UIMAGE_HEADER_BYTES;
	uint8_t *map;

	if (payload > UINT32_MAX)
		return unpack_fail(u, -EFBIG, "this uImage unpacks to more than 4 GiB");
	map = mmap(NULL, (size_t)u->written, PROT_READ, MAP_SHARED, u->fd, 0);
	if (map == MAP_FAILED) {
		int err = errno;

		return unpack_fail(u, -err, "cannot map the unpacked data: %s", strerror(err));
	}
	memcpy(header, old_header, sizeof(header));
	put_be32(header + UIMAGE_OFF_SIZE, (uint32_t)payload);
	put_be32(header + UIMAGE_OFF_DATA_CRC, uimage_crc32(0, map + UIMAGE_HEADER_BYTES, payload));
	header[UIMAGE_OFF_COMP] = UIMAGE_COMP_NONE;
	put_be32(header + UIMAGE_OFF_HEADER_CRC, uimage_header_crc(header));
	munmap(map, (size_t)u->written);
	if (pwrite(u->fd, header, sizeof(header), 0) != sizeof(header))
		return unpack_fail(u, -EIO, "cannot store the unpacked data");
	return 0;
}

int unpack_layer(const uint8_t *data, const struct unpack_layer *layer, uint64_t limit_bytes, int *fd,
		 uint64_t *size_bytes, char *cause)
{
	bool uimage = layer->wrapper && !strcmp(layer->wrapper, "uImage");
	struct unpacking u = {
		.format = layer->format,
		.in = data + layer->offset,
		.in_left = layer->size_bytes,
		.limit = limit_bytes,
		.cause = cause,
	};
	int ret;

	u.out = malloc(UNPACK_OUT_BYTES);
	u.fd = memfd_create("lkvm-image", MFD_CLOEXEC);
	if (!u.out || u.fd < 0) {
		ret = u.out ? -errno : -ENOMEM;
		snprintf(cause, UNPACK_CAUSE_BYTES, "no memory to unpack it to: %s", strerror(-ret));
		goto fail;
	}
	if (uimage) {
		memcpy(u.out, data, UIMAGE_HEADER_BYTES);
		ret = unpack_emit(&u, UIMAGE_HEADER_BYTES);
		if (ret)
			goto fail;
	}
	ret = unpack_stream(&u);
	if (!ret && uimage)
		ret = uimage_rewrite(&u, data);
	if (ret)
		goto fail;
	free(u.out);
	*fd = u.fd;
	*size_bytes = u.written;
	return 0;
fail:
	free(u.out);
	if (u.fd >= 0)
		close(u.fd);
	return ret;
}
