/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decompression of kernel images: finds what a file is packed with and unpacks it into a memfd,
 * from which it can be mapped into guest memory. Every result is bounded in size. Knows no file
 * names; errors come back as a cause to put behind one.
 */
#ifndef LKVM_UNPACK_H
#define LKVM_UNPACK_H

#include "lkvm/types.h"

enum unpack_format {
	UNPACK_NONE,
	UNPACK_GZIP,
	UNPACK_XZ,
	UNPACK_LZMA,
	UNPACK_ZSTD,
	/* Recognised, to be refused by name. */
	UNPACK_BZIP2,
	UNPACK_LZ4,
	UNPACK_LZO,
};

/* The outermost packing of a file. */
struct unpack_layer {
	enum unpack_format format;
	/*
	 * "zboot": the payload of an EFI zboot image. "uImage": compressed behind a U-Boot header.
	 * NULL: plain.
	 */
	const char *wrapper;
	uint64_t    offset;       /* of the packed bytes in the file ... */
	uint64_t    size_bytes;   /* ... and how many */
};

#define UNPACK_CAUSE_BYTES 160

/* What the bytes are packed with, by their magic number. */
enum unpack_format unpack_detect(const uint8_t *data, uint64_t size_bytes);

/* "gzip", "zstd" ...; "" for UNPACK_NONE. */
const char *unpack_name(enum unpack_format format);

/*
 * Looks for something to unpack. Returns 1 with @layer filled in, 0 if the file is as it should be,
 * or -EINVAL with the reason in @cause (UNPACK_CAUSE_BYTES) when a wrapper is damaged. Pure.
 */
int unpack_probe(const uint8_t *data, uint64_t size_bytes, struct unpack_layer *layer, char *cause)
	LKVM_MUST_CHECK;

/*
 * Unpacks @layer of the file @data into a new memfd of at most @limit_bytes. What follows the
 * packed stream is ignored, as many tools append something. A uImage becomes an uncompressed
 * uImage, with new sizes and checksums. Returns 0 with @fd and @size_bytes, -ENOTSUP (format
 * unknown to this build), -EINVAL (corrupt or truncated), -EFBIG (larger than the limit) or -errno,
 * with the reason in @cause.
 */
int unpack_layer(const uint8_t *data, const struct unpack_layer *layer, uint64_t limit_bytes, int *fd,
		 uint64_t *size_bytes, char *cause) LKVM_MUST_CHECK;

/* U-Boot's legacy image header, big-endian (u-boot include/image.h, struct legacy_img_hdr). */
#define UIMAGE_MAGIC          0x27051956u
#define UIMAGE_HEADER_BYTES   64
#define UIMAGE_OFF_HEADER_CRC 4  /* of the header with this field 0 */
#define UIMAGE_OFF_SIZE       12 /* of the payload */
#define UIMAGE_OFF_LOAD       16
#define UIMAGE_OFF_ENTRY      20
#define UIMAGE_OFF_DATA_CRC   24
#define UIMAGE_OFF_OS         28
#define UIMAGE_OFF_ARCH       29
#define UIMAGE_OFF_TYPE       30
#define UIMAGE_OFF_COMP       31
#define UIMAGE_COMP_NONE      0

/*
 * Checks a uImage's header, payload size and both checksums. Returns 0, -ENOEXEC if it is no uImage
 * at all, or -EINVAL with the reason in @cause. Pure.
 */
int uimage_check(const uint8_t *data, uint64_t size_bytes, char *cause) LKVM_MUST_CHECK;

/* The CRC-32 of IEEE 802.3, as in gzip; @crc is 0 at first. */
uint32_t uimage_crc32(uint32_t crc, const uint8_t *data, uint64_t len);

#endif
