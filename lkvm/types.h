/* SPDX-License-Identifier: GPL-2.0-only */
/* The few types and helpers that every file may use. */
#ifndef LKVM_TYPES_H
#define LKVM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address in guest-physical space. Becomes a host pointer only through memory_ptr(). */
typedef uint64_t gpa_t;

#define LKVM_MUST_CHECK    __attribute__((warn_unused_result))
#define LKVM_PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define LKVM_UNUSED        __attribute__((unused))
#define LKVM_NOINLINE      __attribute__((noinline))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

/* Rounds @x up to @align, a power of two. Wraps to 0 when the result does not fit. */
static inline uint64_t align_up(uint64_t x, uint64_t align)
{
	return (x + align - 1) & ~(align - 1);
}

/* Rounds @x down to @align, a power of two. */
static inline uint64_t align_down(uint64_t x, uint64_t align)
{
	return x & ~(align - 1);
}

static inline bool is_power_of_two(uint64_t x)
{
	return x && !(x & (x - 1));
}

/* True if [@start, @start + @len) lies wholly in [@base, @base + @size); no sum can wrap. */
static inline bool range_within(uint64_t start, uint64_t len, uint64_t base, uint64_t size)
{
	return start >= base && start - base <= size && len <= size - (start - base);
}

/* True if the two ranges share at least one byte. The ends must not wrap. */
static inline bool range_overlaps(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen)
{
	return alen && blen && a < b + blen && b < a + alen;
}

#endif
