/* SPDX-License-Identifier: GPL-2.0-only */
/* Unaligned loads and stores of a stated byte order, on any host. */
#ifndef LKVM_BYTEORDER_H
#define LKVM_BYTEORDER_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define BYTEORDER_ACCESSORS(order, bits)                                      \
	static inline uint##bits##_t get_##order##bits(const void *p)         \
	{                                                                     \
		uint##bits##_t v;                                             \
		memcpy(&v, p, sizeof(v));                                     \
		return order##bits##toh(v);                                   \
	}                                                                     \
	static inline void put_##order##bits(void *p, uint##bits##_t v)       \
	{                                                                     \
		v = hto##order##bits(v);                                      \
		memcpy(p, &v, sizeof(v));                                     \
	}

BYTEORDER_ACCESSORS(le, 16)
BYTEORDER_ACCESSORS(le, 32)
BYTEORDER_ACCESSORS(le, 64)
BYTEORDER_ACCESSORS(be, 16)
BYTEORDER_ACCESSORS(be, 32)
BYTEORDER_ACCESSORS(be, 64)

/* Reads @len (1..8) bytes at @p as one little-endian number. */
static inline uint64_t get_le(const void *p, unsigned int len)
{
	const uint8_t *b = p;
	uint64_t v = 0;

	while (len--)
		v = v << 8 | b[len];
	return v;
}

/* Reads @len (1..8) bytes at @p as one big-endian number. */
static inline uint64_t get_be(const void *p, unsigned int len)
{
	const uint8_t *b = p;
	uint64_t v = 0;

	while (len--)
		v = v << 8 | *b++;
	return v;
}

/* Stores the low @len (1..8) bytes of @v at @p, least significant first. */
static inline void put_le(void *p, unsigned int len, uint64_t v)
{
	uint8_t *b = p;

	for (; len--; v >>= 8)
		*b++ = (uint8_t)v;
}

/* Stores the low @len (1..8) bytes of @v at @p, most significant first. */
static inline void put_be(void *p, unsigned int len, uint64_t v)
{
	uint8_t *b = p;

	for (; len--; v >>= 8)
		b[len] = (uint8_t)v;
}

#endif
