// SPDX-License-Identifier: GPL-2.0-only
#include "x86/aml.h"

#include <string.h>

#include "lkvm/byteorder.h"

/* Opcodes: ACPI 6.5 §20.2.5, table 20.1. */
#define OP_ZERO     0x00
#define OP_ONE      0x01
#define OP_NAME     0x08
#define OP_BYTE     0x0a
#define OP_WORD     0x0b
#define OP_DWORD    0x0c
#define OP_STRING   0x0d
#define OP_QWORD    0x0e
#define OP_SCOPE    0x10
#define OP_BUFFER   0x11
#define OP_PACKAGE  0x12
#define OP_EXT      0x5b
#define OP_EXT_DEVICE 0x82

#define NAME_BYTES  4
/* The longest form of a package length: 28 bits in four bytes (§20.2.4). */
#define PKG_LENGTH_MAX 4

/* Resource descriptors (§6.4.2, §6.4.3). */
#define RES_IO        0x47 /* small, 7 bytes follow */
#define RES_END       0x79 /* small, 1 byte follows: checksum, 0 means "not used" */
#define RES_MEMORY32  0x86
#define RES_DWORD     0x87
#define RES_WORD      0x88
#define RES_INTERRUPT 0x89
#define RES_QWORD     0x8a

#define RES_IO_DECODE16 0x01

#define RES_TYPE_MEMORY 0
#define RES_TYPE_IO     1
#define RES_TYPE_BUS    2
/* Address space descriptors: minimum and maximum are fixed; the bridge produces. */
#define RES_SPACE_FLAGS 0x0c
#define RES_MEMORY_RW   0x01 /* read-write, not cached */
#define RES_IO_ENTIRE   0x03

#define RES_IRQ_CONSUMER 0x01
#define RES_IRQ_EDGE     0x02
#define RES_IRQ_SHARED   0x08

void aml_init(struct aml *aml, void *buf, size_t size)
{
	*aml = (struct aml){ .buf = buf, .size = size };
}

static void put(struct aml *aml, const void *bytes, size_t len)
{
	if (aml->overflow || len > aml->size - aml->len) {
		aml->overflow = true;
		return;
	}
	memcpy(aml->buf + aml->len, bytes, len);
	aml->len += len;
}

static void put_byte(struct aml *aml, uint8_t v)
{
	put(aml, &v, 1);
}

static void put_number(struct aml *aml, unsigned int len, uint64_t v)
{
	uint8_t bytes[8];

	put_le(bytes, len, v);
	put(aml, bytes, len);
}

static void put_name(struct aml *aml, const char *name)
{
	if (*name == '\\')
		put_byte(aml, (uint8_t)*name++);
	if (!*name) {
		put_byte(aml, 0); /* the root itself: a null name */
		return;
	}
	for (unsigned int i = 0; i < NAME_BYTES; i++)
		put_byte(aml, *name ? (uint8_t)*name++ : '_');
}

/* The mark of a container is where its length goes; the length is inserted at the end. */
void aml_end(struct aml *aml, size_t mark)
{
	uint8_t length[PKG_LENGTH_MAX];
	size_t body, total;
	unsigned int n;

	if (aml->overflow)
		return;
	body = aml->len - mark;
	if (body + 1 <= 0x3f) {
		n = 1;
		length[0] = (uint8_t)(body + 1);
	} else {
		/* The first byte holds the count of further bytes and the low four bits. */
		for (n = 2; body + n >= 1ull << (4 + 8 * (n - 1)); n++)
			;
		total = body + n;
		length[0] = (uint8_t)((n - 1) << 6 | (total & 0xf));
		for (unsigned int i = 1; i < n; i++)
			length[i] = (uint8_t)(total >> (4 + 8 * (i - 1)));
	}
	if (n > aml->size - aml->len) {
		aml->overflow = true;
		return;
	}
	memmove(aml->buf + mark + n, aml->buf + mark, body);
	memcpy(aml->buf + mark, length, n);
	aml->len += n;
}

size_t aml_scope(struct aml *aml, const char *name)
{
	size_t mark;

	put_byte(aml, OP_SCOPE);
	mark = aml->len;
	put_name(aml, name);
	return mark;
}

size_t aml_device(struct aml *aml, const char *name)
{
	size_t mark;

	put_byte(aml, OP_EXT);
	put_byte(aml, OP_EXT_DEVICE);
	mark = aml->len;
	put_name(aml, name);
	return mark;
}

size_t aml_package(struct aml *aml, uint8_t nr)
{
	size_t mark;

	put_byte(aml, OP_PACKAGE);
	mark = aml->len;
	put_byte(aml, nr);
	return mark;
}

void aml_name(struct aml *aml, const char *name)
{
	put_byte(aml, OP_NAME);
	put_name(aml, name);
}

void aml_integer(struct aml *aml, uint64_t v)
{
	if (v == 0) {
		put_byte(aml, OP_ZERO);
	} else if (v == 1) {
		put_byte(aml, OP_ONE);
	} else if (v <= UINT8_MAX) {
		put_byte(aml, OP_BYTE);
		put_number(aml, 1, v);
	} else if (v <= UINT16_MAX) {
		put_byte(aml, OP_WORD);
		put_number(aml, 2, v);
	} else if (v <= UINT32_MAX) {
		put_byte(aml, OP_DWORD);
		put_number(aml, 4, v);
	} else {
		put_byte(aml, OP_QWORD);
		put_number(aml, 8, v);
	}
}

void aml_string(struct aml *aml, const char *s)
{
	put_byte(aml, OP_STRING);
	put(aml, s, strlen(s) + 1);
}

static unsigned int hex_digit(char c)
{
	return c <= '9' ? (unsigned int)(c - '0') : (unsigned int)(c - 'A' + 10);
}

/* §19.3.4: three letters of five bits and four hex digits, the bytes swapped. */
void aml_eisa_id(struct aml *aml, const char *id)
{
	uint8_t bytes[4];
	uint32_t v = (uint32_t)(id[0] - '@') << 26 | (uint32_t)(id[1] - '@') << 21 |
		     (uint32_t)(id[2] - '@') << 16 | hex_digit(id[3]) << 12 | hex_digit(id[4]) << 8 |
		     hex_digit(id[5]) << 4 | hex_digit(id[6]);

	put_be32(bytes, v);
	put_byte(aml, OP_DWORD);
	put(aml, bytes, sizeof(bytes));
}

void aml_name_integer(struct aml *aml, const char *name, uint64_t v)
{
	aml_name(aml, name);
	aml_integer(aml, v);
}

void aml_name_string(struct aml *aml, const char *name, const char *s)
{
	aml_name(aml, name);
	aml_string(aml, s);
}

/*
 * A template is a buffer: its length stands twice, as the package's and as an integer before the bytes. The
 * integer is a word, so that its place can be kept free.
 */
size_t aml_resources(struct aml *aml)
{
	size_t mark;

	put_byte(aml, OP_BUFFER);
	mark = aml->len;
	put_byte(aml, OP_WORD);
	put_number(aml, 2, 0);
	return mark;
}

void aml_resources_end(struct aml *aml, size_t mark)
{
	put_byte(aml, RES_END);
	put_byte(aml, 0);
	if (aml->overflow)
		return;
	put_le16(aml->buf + mark + 1, (uint16_t)(aml->len - mark - 3));
	aml_end(aml, mark);
}

void aml_io(struct aml *aml, uint16_t base, uint8_t len)
{
	put_byte(aml, RES_IO);
	put_byte(aml, RES_IO_DECODE16);
	put_number(aml, 2, base);
	put_number(aml, 2, base);
	put_byte(aml, 1);
	put_byte(aml, len);
}

static void large(struct aml *aml, uint8_t type, uint16_t len)
{
	put_byte(aml, type);
	put_number(aml, 2, len);
}

void aml_memory32(struct aml *aml, uint32_t base, uint32_t len)
{
	large(aml, RES_MEMORY32, 9);
	put_byte(aml, 1); /* read-write */
	put_number(aml, 4, base);
	put_number(aml, 4, len);
}

void aml_interrupt(struct aml *aml, uint32_t gsi, bool level, bool shared)
{
	large(aml, RES_INTERRUPT, 6);
	put_byte(aml, (uint8_t)(RES_IRQ_CONSUMER | (level ? 0 : RES_IRQ_EDGE) |
				(shared ? RES_IRQ_SHARED : 0)));
	put_byte(aml, 1); /* one interrupt */
	put_number(aml, 4, gsi);
}

/* The address space descriptors differ in the width of their five numbers. */
static void bridge(struct aml *aml, uint8_t res, unsigned int width, uint8_t type, uint8_t type_flags,
		   uint64_t first, uint64_t last)
{
	large(aml, res, (uint16_t)(3 + 5 * width));
	put_byte(aml, type);
	put_byte(aml, RES_SPACE_FLAGS);
	put_byte(aml, type_flags);
	put_number(aml, width, 0); /* granularity */
	put_number(aml, width, first);
	put_number(aml, width, last);
	put_number(aml, width, 0); /* translation */
	put_number(aml, width, last - first + 1);
}

void aml_bridge_bus(struct aml *aml, uint16_t first, uint16_t last)
{
	bridge(aml, RES_WORD, 2, RES_TYPE_BUS, 0, first, last);
}

void aml_bridge_io(struct aml *aml, uint16_t first, uint16_t last)
{
	bridge(aml, RES_WORD, 2, RES_TYPE_IO, RES_IO_ENTIRE, first, last);
}

void aml_bridge_memory32(struct aml *aml, uint32_t first, uint32_t last)
{
	bridge(aml, RES_DWORD, 4, RES_TYPE_MEMORY, RES_MEMORY_RW, first, last);
}

void aml_bridge_memory64(struct aml *aml, uint64_t first, uint64_t last)
{
	bridge(aml, RES_QWORD, 8, RES_TYPE_MEMORY, RES_MEMORY_RW, first, last);
}
