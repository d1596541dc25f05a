// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compressed images: packed here with the libraries themselves, then unpacked, cut, damaged and
 * wrapped.
 */
#include "lkvm/unpack.h"

#include <errno.h>
#include <sys/stat.h>

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "tests/unit/image-util.h"
#include "tests/unit/test.h"

#define PLAIN_BYTES 1500000
#define MAX_PACKED  (PLAIN_BYTES + 65536)

static char cause[UNPACK_CAUSE_BYTES];

/* Half incompressible, half repetitive. */
static uint8_t *make_plain(size_t size)
{
	uint8_t *p = calloc(1, size ? size : 1);

	if (!p)
		abort();
	util_pattern(p, size / 2, 42);
	return p;
}

/* Packs into @out (MAX_PACKED). Returns the size; 0 if this build can't. */
static size_t pack(enum unpack_format format, const uint8_t *in, size_t size, uint8_t *out)
{
	switch (format) {
#ifdef HAVE_ZLIB
	case UNPACK_GZIP: {
		z_stream z = { 0 };
		size_t n;

		deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
		z.next_in = (Bytef *)(uintptr_t)in;
		z.avail_in = (uInt)size;
		z.next_out = out;
		z.avail_out = MAX_PACKED;
		CHECK_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
		n = MAX_PACKED - z.avail_out;
		deflateEnd(&z);
		return n;
	}
#endif
#ifdef HAVE_LZMA
	case UNPACK_XZ: {
		size_t n = 0;

		CHECK_EQ(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, in, size, out, &n,
						 MAX_PACKED), LZMA_OK);
		return n;
	}
	case UNPACK_LZMA: {
		lzma_stream z = LZMA_STREAM_INIT;
		lzma_options_lzma opt;
		size_t n;

		CHECK(!lzma_lzma_preset(&opt, 0));
		CHECK_EQ(lzma_alone_encoder(&z, &opt), LZMA_OK);
		z.next_in = in;
		z.avail_in = size;
		z.next_out = out;
		z.avail_out = MAX_PACKED;
		CHECK_EQ(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
		n = MAX_PACKED - z.avail_out;
		lzma_end(&z);
		return n;
	}
#endif
#ifdef HAVE_ZSTD
	case UNPACK_ZSTD: {
		size_t n = ZSTD_compress(out, MAX_PACKED, in, size, 1);

		CHECK(!ZSTD_isError(n));
		return n;
	}
#endif
	default:
		(void)in;
		(void)size;
		(void)out;
		return 0;
	}
}

static const enum unpack_format formats[] = { UNPACK_GZIP, UNPACK_XZ, UNPACK_LZMA, UNPACK_ZSTD };

/*
 * Probes and unpacks the first @size bytes of @data. Returns what failed, or 0 with the result
 * mapped.
 */
static int unpack(const uint8_t *data, size_t size, uint64_t limit, uint8_t **out, uint64_t *out_bytes)
{
	int fds = test_open_fds();
	struct unpack_layer layer;
	uint8_t *copy = malloc(size ? size : 1);
	int fd = -1, ret;

	memcpy(copy, data, size);
	*out = NULL;
	cause[0] = '\0';
	ret = unpack_probe(copy, size, &layer, cause);
	if (ret > 0) {
		CHECK(range_within(layer.offset, layer.size_bytes, 0, size));
		ret = unpack_layer(copy, &layer, limit, &fd, out_bytes, cause);
		if (!ret) {
			struct stat st;

			CHECK_EQ(fstat(fd, &st), 0);
			CHECK_EQ(st.st_size, *out_bytes);
			CHECK(*out_bytes <= limit);
			if (*out_bytes)
				*out = mmap(NULL, (size_t)*out_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
			close(fd);
		}
	} else if (!ret) {
		ret = -ENOEXEC; /* nothing to unpack */
	}
	if (ret < 0 && ret != -ENOEXEC) {
		CHECK(cause[0] != '\0');
		CHECK(strchr(cause, '\n') == NULL);
	}
	free(copy);
	CHECK_EQ(test_open_fds(), fds);
	return ret;
}

static void drop(uint8_t *out, uint64_t size)
{
	if (out)
		munmap(out, (size_t)size);
}

static void test_round_trip(void)
{
	static const size_t sizes[] = { 1, 1000, 256 * 1024, 256 * 1024 + 1, 512 * 1024, PLAIN_BYTES };
	uint8_t *packed = malloc(MAX_PACKED);
	uint8_t *plain = make_plain(PLAIN_BYTES);
	unsigned int done = 0;

	for (unsigned int f = 0; f < ARRAY_SIZE(formats); f++) {
		for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
			size_t n = pack(formats[f], plain, sizes[s], packed);
			uint64_t size;
			uint8_t *out;

			if (!n)
				continue;
			CHECK_EQ(unpack_detect(packed, n), formats[f]);
			CHECK_EQ(unpack(packed, n, GIB(1), &out, &size), 0);
			CHECK_EQ(size, sizes[s]);
			CHECK(out && !memcmp(out, plain, sizes[s]));
			drop(out, size);
			/* The limit is exact. */
			CHECK_EQ(unpack(packed, n, sizes[s], &out, &size), 0);
			drop(out, size);
			CHECK_EQ(unpack(packed, n, sizes[s] - 1, &out, &size), -EFBIG);
			CHECK(strstr(cause, "unpacks to more than") != NULL);
			done++;
		}
	}
	free(packed);
	free(plain);
	if (!done)
		test_skip("built without any compression library");
}

static void test_nothing(void)
{
	uint8_t *packed = malloc(MAX_PACKED), *out;
	uint64_t size;

	for (unsigned int f = 0; f < ARRAY_SIZE(formats); f++) {
		size_t n = pack(formats[f], packed, 0, packed);

		if (!n)
			continue;
		CHECK_EQ(unpack(packed, n, 0, &out, &size), 0);
		CHECK_EQ(size, 0);
	}
	free(packed);
}

static void test_truncated(void)
{
	uint8_t *packed = malloc(MAX_PACKED), *out, *plain = make_plain(300);
	uint64_t size;

	for (unsigned int f = 0; f < ARRAY_SIZE(formats); f++) {
		size_t n = pack(formats[f], plain, 300, packed);

		for (size_t len = 0; len < n; len++) {
			int ret = unpack(packed, len, MIB(1), &out, &size);

			/* Without its magic number it is something else. */
			if (ret == -ENOEXEC && len < 13)
				continue;
			if (ret != -EINVAL || !strstr(cause, "ends too early"))
				test_fail(__FILE__, __LINE__, "%s cut to %zu bytes: %d, \"%s\"",
					  unpack_name(formats[f]), len, ret, cause);
			drop(out, size);
		}
	}
	free(packed);
	free(plain);
}

/*
 * One flipped byte is found by the checksum, or does not matter (a file name, a time). Never a
 * crash.
 */
static void test_damaged(void)
{
	uint8_t *packed = malloc(MAX_PACKED), *out, *plain = make_plain(300);
	unsigned int found = 0, total = 0;
	uint64_t size;

	for (unsigned int f = 0; f < ARRAY_SIZE(formats); f++) {
		size_t n = pack(formats[f], plain, 300, packed);

		for (size_t at = 4; at < n; at++) {
			int ret;

			packed[at] ^= 0x55;
			ret = unpack(packed, n, MIB(1), &out, &size);
			total++;
			found += ret < 0;
			if (!ret)
				drop(out, size);
			packed[at] ^= 0x55;
		}
	}
	free(packed);
	free(plain);
	if (!total)
		test_skip("built without any compression library");
	CHECK(found > total / 2);
}

static void test_trailing(void)
{
	uint8_t *packed = malloc(2 * MAX_PACKED), *out, *plain = make_plain(5000);
	uint64_t size;

	for (unsigned int f = 0; f < ARRAY_SIZE(formats); f++) {
		size_t n = pack(formats[f], plain, 5000, packed);

		if (!n)
			continue;
		/* The size that Linux's build appends, zeros, and noise. */
		put_le32(packed + n, 5000);
		CHECK_EQ(unpack(packed, n + 4, MIB(1), &out, &size), 0);
		CHECK_EQ(size, 5000);
		drop(out, size);
		memset(packed + n, 0, 4096);
		CHECK_EQ(unpack(packed, n + 4096, MIB(1), &out, &size), 0);
		CHECK_EQ(size, 5000);
		drop(out, size);
		util_pattern(packed + n, 4096, 77);
		CHECK_EQ(unpack(packed, n + 4096, MIB(1), &out, &size), 0);
		CHECK_EQ(size, 5000);
		CHECK(!memcmp(out, plain, 5000));
		drop(out, size);
		if (formats[f] == UNPACK_LZMA)
			continue;
		/* Two streams are one file. */
		memmove(packed + n, packed, n);
		CHECK_EQ(unpack(packed, 2 * n, MIB(1), &out, &size), 0);
		CHECK_EQ(size, 10000);
		CHECK(size != 10000 || !memcmp(out + 5000, plain, 5000));
		drop(out, size);
	}
	free(packed);
	free(plain);
}

static void test_detect(void)
{
	static const struct {
		const char *bytes;
		unsigned int len;
		enum unpack_format format;
	} cases[] = {
		{ "\x1f\x8b\x08", 3, UNPACK_GZIP },
		{ "\x1f\x8b\x07", 3, UNPACK_NONE },
		{ "\x1f\x8b", 2, UNPACK_NONE },
		{ "\xfd" "7zXZ\0", 6, UNPACK_XZ },
		{ "\x28\xb5\x2f\xfd", 4, UNPACK_ZSTD },
		{ "\x02\x21\x4c\x18", 4, UNPACK_LZ4 },
		{ "\x04\x22\x4d\x18", 4, UNPACK_LZ4 },
		{ "BZh91AY&SY", 10, UNPACK_BZIP2 },
		{ "BZh9hello!", 10, UNPACK_NONE },
		{ "BZh", 3, UNPACK_NONE },
		{ "\x89LZO\0\r\n\x1a\n", 9, UNPACK_LZO },
		{ "\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff", 13, UNPACK_LZMA },
		{ "\x5d\0\0\0\x04\x00\x00\x10\0\0\0\0\0", 13, UNPACK_LZMA },
		{ "\x5d\0\0\x81\0\xff\xff\xff\xff\xff\xff\xff\xff", 13, UNPACK_NONE },
		{ "\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\x00", 13, UNPACK_NONE },
		{ "\x5d\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 13, UNPACK_NONE },
		{ "\x5d\0\0\x80\0\xff\xff", 7, UNPACK_NONE },
		{ "MZ", 2, UNPACK_NONE },
		{ "", 0, UNPACK_NONE },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t *copy = malloc(cases[i].len ? cases[i].len : 1);

		memcpy(copy, cases[i].bytes, cases[i].len);
		if (unpack_detect(copy, cases[i].len) != cases[i].format)
			test_fail(__FILE__, __LINE__, "case %u is not %s", i,
				  unpack_name(cases[i].format));
		free(copy);
	}
}

/* Formats that are known, but not unpacked, are named along with the tool for them. */
static void test_refused(void)
{
	uint8_t data[64] = "BZh91AY&SY", *out;
	uint64_t size;

	CHECK_EQ(unpack(data, sizeof(data), MIB(1), &out, &size), -ENOTSUP);
	CHECK(strstr(cause, "packed with bzip2") && strstr(cause, "(bunzip2)"));
	memcpy(data, "\x02\x21\x4c\x18", 4);
	CHECK_EQ(unpack(data, sizeof(data), MIB(1), &out, &size), -ENOTSUP);
	CHECK(strstr(cause, "packed with lz4") && strstr(cause, "(unlz4)"));
#ifndef HAVE_ZSTD
	memcpy(data, "\x28\xb5\x2f\xfd", 4);
	CHECK_EQ(unpack(data, sizeof(data), MIB(1), &out, &size), -ENOTSUP);
	CHECK(strstr(cause, "this lkvm was built without zstd"));
#endif
}

/* ---- EFI zboot ---- */

static size_t make_zboot(uint8_t *buf, const uint8_t *payload, size_t n, const char *compression)
{
	memset(buf, 0, 0x200);
	memcpy(buf, "MZ\0\0zimg", 8);
	put_le32(buf + 8, 0x200);
	put_le32(buf + 12, (uint32_t)n);
	snprintf((char *)buf + 24, 32, "%s", compression);
	put_le32(buf + 0x38, 0x818223cd);
	memcpy(buf + 0x200, payload, n);
	memset(buf + 0x200 + n, 0xcc, 300); /* the decompressor's own code */
	return 0x200 + n + 300;
}

static void test_zboot(void)
{
	uint8_t *packed = malloc(MAX_PACKED), *buf = malloc(MAX_PACKED), *plain = make_plain(9000), *out;
	struct unpack_layer layer;
	uint64_t size;

	for (unsigned int f = 0; f < ARRAY_SIZE(formats); f++) {
		size_t n = pack(formats[f], plain, 9000, packed), total;

		if (!n)
			continue;
		total = make_zboot(buf, packed, n, "whatever");
		CHECK_EQ(unpack_probe(buf, total, &layer, cause), 1);
		CHECK_STR(layer.wrapper, "zboot");
		CHECK_EQ(layer.format, formats[f]);
		CHECK_EQ(unpack(buf, total, MIB(1), &out, &size), 0);
		CHECK_EQ(size, 9000);
		CHECK(out && !memcmp(out, plain, 9000));
		drop(out, size);
		/* The whole payload must be there. */
		for (size_t len = 0x40; len < 0x200 + n; len += 37)
			CHECK_EQ(unpack(buf, len, MIB(1), &out, &size), -EINVAL);
	}

	/* A payload of unknown make, damaged fields. */
	make_zboot(buf, plain, 1000, "snappy\x1b[2J");
	CHECK_EQ(unpack(buf, 2000, MIB(1), &out, &size), -EINVAL);
	CHECK(strstr(cause, "(\"snappy?[2J\")") != NULL);
	memset(buf + 24, 'x', 40);
	CHECK_EQ(unpack(buf, 2000, MIB(1), &out, &size), -EINVAL);
	put_le32(buf + 8, UINT32_MAX);
	CHECK_EQ(unpack(buf, 2000, MIB(1), &out, &size), -EINVAL);
	put_le32(buf + 8, 2000);
	CHECK_EQ(unpack(buf, 2000, MIB(1), &out, &size), -EINVAL);
	put_le32(buf + 8, 0);
	CHECK_EQ(unpack(buf, 2000, MIB(1), &out, &size), -EINVAL);
	put_le32(buf + 8, 0x200);
	put_le32(buf + 12, 0);
	CHECK_EQ(unpack(buf, 2000, MIB(1), &out, &size), -EINVAL);
	put_le32(buf + 12, UINT32_MAX);
	CHECK_EQ(unpack(buf, 2000, MIB(1), &out, &size), -EINVAL);
	/* Less than a header is no zboot. */
	for (size_t len = 0; len < 0x40; len++)
		CHECK_EQ(unpack(buf, len, MIB(1), &out, &size), -ENOEXEC);
	free(packed);
	free(buf);
	free(plain);
}

/* ---- uImage ---- */

static size_t make_uimage(uint8_t *buf, const uint8_t *payload, size_t n, uint8_t comp)
{
	memset(buf, 0, UIMAGE_HEADER_BYTES);
	put_be32(buf, UIMAGE_MAGIC);
	put_be32(buf + UIMAGE_OFF_SIZE, (uint32_t)n);
	put_be32(buf + UIMAGE_OFF_LOAD, 0x400000);
	put_be32(buf + UIMAGE_OFF_ENTRY, 0x400010);
	put_be32(buf + UIMAGE_OFF_DATA_CRC, uimage_crc32(0, payload, n));
	buf[UIMAGE_OFF_OS] = 5;
	buf[UIMAGE_OFF_ARCH] = 7;
	buf[UIMAGE_OFF_TYPE] = 2;
	buf[UIMAGE_OFF_COMP] = comp;
	snprintf((char *)buf + 32, 32, "Linux-6.12");
	put_be32(buf + UIMAGE_OFF_HEADER_CRC, uimage_crc32(0, buf, UIMAGE_HEADER_BYTES));
	memcpy(buf + UIMAGE_HEADER_BYTES, payload, n);
	return UIMAGE_HEADER_BYTES + n;
}

static void test_crc(void)
{
	/* The check value that all CRC-32 implementations agree on. */
	CHECK_EQ(uimage_crc32(0, (const uint8_t *)"123456789", 9), 0xcbf43926);
	CHECK_EQ(uimage_crc32(0, (const uint8_t *)"", 0), 0);
	/* In two steps. */
	CHECK_EQ(uimage_crc32(uimage_crc32(0, (const uint8_t *)"1234", 4), (const uint8_t *)"56789", 5),
		 0xcbf43926);
}

static void test_uimage(void)
{
	uint8_t *packed = malloc(MAX_PACKED), *buf = malloc(MAX_PACKED), *plain = make_plain(9000), *out;
	struct unpack_layer layer;
	uint64_t size;
	size_t n, total;

	/* Uncompressed: nothing to do. */
	total = make_uimage(buf, plain, 9000, 0);
	CHECK_EQ(unpack_probe(buf, total, &layer, cause), 0);
	CHECK_EQ(uimage_check(buf, total, cause), 0);
	for (size_t len = 4; len < total; len += len < 100 ? 1 : 111)
		CHECK_EQ(uimage_check(buf, len, cause), -EINVAL);
	for (size_t len = 0; len < 4; len++)
		CHECK_EQ(uimage_check(buf, len, cause), -ENOEXEC);
	/* Any bit of header and payload matters. */
	for (size_t at = 4; at < total; at += at < 64 ? 1 : 501) {
		buf[at] ^= 0x10;
		CHECK_EQ(uimage_check(buf, total, cause), -EINVAL);
		buf[at] ^= 0x10;
	}

	n = pack(UNPACK_GZIP, plain, 9000, packed);
	if (!n) {
		free(packed);
		free(buf);
		free(plain);
		test_skip("built without zlib");
		return;
	}
	total = make_uimage(buf, packed, n, 1);
	CHECK_EQ(unpack_probe(buf, total, &layer, cause), 1);
	CHECK_STR(layer.wrapper, "uImage");
	CHECK_EQ(unpack(buf, total, MIB(1), &out, &size), 0);
	CHECK_EQ(size, UIMAGE_HEADER_BYTES + 9000);
	/* The result is a valid, uncompressed uImage with the same addresses. */
	CHECK_EQ(uimage_check(out, size, cause), 0);
	CHECK_EQ(out[UIMAGE_OFF_COMP], 0);
	CHECK_EQ(get_be32(out + UIMAGE_OFF_LOAD), 0x400000);
	CHECK_EQ(get_be32(out + UIMAGE_OFF_ENTRY), 0x400010);
	CHECK(!memcmp(out + UIMAGE_HEADER_BYTES, plain, 9000));
	CHECK_EQ(unpack_probe(out, size, &layer, cause), 0);
	drop(out, size);
	/* The limit counts the header. */
	CHECK_EQ(unpack(buf, total, 9000, &out, &size), -EFBIG);

	buf[total - 1] ^= 1;
	CHECK_EQ(unpack(buf, total, MIB(1), &out, &size), -EINVAL);
	CHECK(strstr(cause, "checksum") != NULL);
	total = make_uimage(buf, plain, 9000, 1);
	CHECK_EQ(unpack(buf, total, MIB(1), &out, &size), -EINVAL);
	CHECK(strstr(cause, "type 1") != NULL);
	free(packed);
	free(buf);
	free(plain);
}

/* ---- the whole way, through image_open() ---- */

static void test_open(void)
{
	uint8_t *packed = malloc(MAX_PACKED), *again = malloc(2 * MAX_PACKED), *plain = make_plain(20000);
	int fds = test_open_fds();
	struct image_file img;
	size_t n;
	int fd;

	n = pack(UNPACK_GZIP, plain, 20000, packed);
	if (!n) {
		free(packed);
		free(again);
		free(plain);
		test_skip("built without zlib");
		return;
	}
	fd = util_memfd(packed, n);
	CHECK_EQ(image_open(&img, util_fd_path(fd), "kernel"), 0);
	CHECK_STR(img.packing, "gzip");
	CHECK_EQ(img.size_bytes, 20000);
	CHECK(!memcmp(img.data, plain, 20000));
	image_close(&img);
	close(fd);

	/* gzip around zboot around gzip. */
	n = make_zboot(again, packed, n, "gzip");
	n = pack(UNPACK_GZIP, again, n, packed);
	fd = util_memfd(packed, n);
	CHECK_EQ(image_open(&img, util_fd_path(fd), "kernel"), 0);
	CHECK_STR(img.packing, "gzip/zboot/gzip");
	CHECK_EQ(img.size_bytes, 20000);
	CHECK(!memcmp(img.data, plain, 20000));
	image_close(&img);
	close(fd);

	/* Packed over and over. */
	memcpy(packed, plain, n = 100);
	for (unsigned int i = 0; i < 4; i++) {
		memcpy(again, packed, n);
		n = pack(UNPACK_GZIP, again, n, packed);
	}
	fd = util_memfd(packed, n);
	test_stderr_begin();
	CHECK_EQ(image_open(&img, util_fd_path(fd), "kernel"), -EINVAL);
	CHECK(strstr(test_stderr_end(), "packed more than 3 times over") != NULL);
	close(fd);

	/* Damaged: one line with the name. */
	n = pack(UNPACK_GZIP, plain, 20000, packed);
	fd = util_memfd(packed, n / 2);
	test_stderr_begin();
	CHECK_EQ(image_open(&img, util_fd_path(fd), "kernel"), -EINVAL);
	CHECK(strstr(test_stderr_end(),
		     ": its gzip data ends too early: the file is truncated, fetch or build it again\n"));
	close(fd);
	/* Nothing inside. */
	n = pack(UNPACK_GZIP, plain, 0, packed);
	fd = util_memfd(packed, n);
	test_stderr_begin();
	CHECK_EQ(image_open(&img, util_fd_path(fd), "kernel"), -EINVAL);
	CHECK(strstr(test_stderr_end(), "nothing is left") != NULL);
	close(fd);
	CHECK_EQ(test_open_fds(), fds);
	free(packed);
	free(again);
	free(plain);
}

const struct test unpack_tests[] = {
	{ "round_trip", test_round_trip },
	{ "nothing", test_nothing },
	{ "truncated", test_truncated },
	{ "damaged", test_damaged },
	{ "trailing", test_trailing },
	{ "detect", test_detect },
	{ "refused", test_refused },
	{ "zboot", test_zboot },
	{ "crc", test_crc },
	{ "uimage", test_uimage },
	{ "open", test_open },
	{ 0 },
};
