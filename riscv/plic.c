// SPDX-License-Identifier: GPL-2.0-only
#include "riscv/plic.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "lkvm/log.h"

/* Register map: PLIC spec 1.0.0, chapter 3 "Memory Map". */
#define PRIORITY_BASE   0x000000u /* one word per source */
#define PENDING_BASE    0x001000u /* one bit per source */
#define ENABLE_BASE     0x002000u /* one bit per source, per context */
#define ENABLE_STRIDE   0x80u
#define CONTEXT_BASE    0x200000u /* threshold, claim/complete */
#define CONTEXT_STRIDE  0x1000u
#define CONTEXT_THRESHOLD 0
#define CONTEXT_CLAIM     4

#define MAX_SOURCES     1024 /* source 0 included */
#define WORDS           (MAX_SOURCES / 32)
#define MAX_PRIORITY    7u   /* what SiFive's implementations have; others read back as 0..7 */

struct plic_context {
	uint32_t enable[WORDS];
	uint32_t threshold;
	bool     driven; /* the level last given to the hart */
};

struct riscv_plic {
	pthread_mutex_t      lock;
	riscv_plic_drive    *drive;
	void                *ctx;
	unsigned int         nr_harts;
	unsigned int         nr_sources;
	uint8_t              priority[MAX_SOURCES];
	/*
	 * Every source has a gateway for level-triggered lines (chapter 1): it latches one request, which
	 * stays pending until it is claimed, and none other before that one is completed.
	 */
	uint32_t             level[WORDS];
	uint32_t             pending[WORDS];
	uint32_t             claimed[WORDS];
	struct plic_context  contexts[]; /* nr_harts */
};

uint64_t riscv_plic_bytes(unsigned int nr_harts)
{
	return CONTEXT_BASE + (uint64_t)nr_harts * CONTEXT_STRIDE;
}

int riscv_plic_create(struct riscv_plic **out, unsigned int nr_harts, unsigned int nr_sources,
		      riscv_plic_drive *drive, void *ctx)
{
	struct riscv_plic *plic;

	plic = calloc(1, sizeof(*plic) + nr_harts * sizeof(plic->contexts[0]));
	if (!plic) {
		log_error("out of memory for the PLIC");
		return -ENOMEM;
	}
	pthread_mutex_init(&plic->lock, NULL);
	plic->nr_harts = nr_harts;
	plic->nr_sources = MIN(nr_sources, MAX_SOURCES - 1u);
	plic->drive = drive;
	plic->ctx = ctx;
	*out = plic;
	return 0;
}

void riscv_plic_destroy(struct riscv_plic *plic)
{
	if (!plic)
		return;
	pthread_mutex_destroy(&plic->lock);
	free(plic);
}

static bool bit_get(const uint32_t *words, unsigned int n)
{
	return words[n / 32] >> (n % 32) & 1;
}

static void bit_set(uint32_t *words, unsigned int n, bool v)
{
	if (v)
		words[n / 32] |= UINT32_C(1) << (n % 32);
	else
		words[n / 32] &= ~(UINT32_C(1) << (n % 32));
}

/*
 * The pending and enabled source of the highest priority above @threshold; among equals the lowest number.
 * 0: none.
 */
static unsigned int best_source(const struct riscv_plic *plic, const struct plic_context *c,
				uint32_t threshold)
{
	unsigned int best = 0;
	uint32_t best_priority = threshold;

	for (unsigned int w = 0; w <= plic->nr_sources / 32; w++) {
		uint32_t candidates = plic->pending[w] & c->enable[w];

		while (candidates) {
			unsigned int n = w * 32 + (unsigned int)__builtin_ctz(candidates);

			candidates &= candidates - 1;
			if (plic->priority[n] > best_priority) {
				best_priority = plic->priority[n];
				best = n;
			}
		}
	}
	return best;
}

/*
 * @force tells the hart even what it should know: KVM forgets the line's level when a hart is reset
 * (started by SBI HSM, resumed by SUSP), and its kernel then writes threshold or enables.
 */
static void update_context(struct riscv_plic *plic, unsigned int hart, bool force)
{
	struct plic_context *c = &plic->contexts[hart];
	bool level = best_source(plic, c, c->threshold) != 0;

	if (level == c->driven && !force)
		return;
	c->driven = level;
	plic->drive(plic->ctx, hart, level);
}

static void update_all(struct riscv_plic *plic)
{
	for (unsigned int i = 0; i < plic->nr_harts; i++)
		update_context(plic, i, false);
}

/* What a gateway does when its line or its claim changed. Returns true if it latched a request. */
static bool gateway(struct riscv_plic *plic, unsigned int irq)
{
	if (!bit_get(plic->level, irq) || bit_get(plic->claimed, irq) || bit_get(plic->pending, irq))
		return false;
	bit_set(plic->pending, irq, true);
	return true;
}

static void plic_set_level(void *chip, uint32_t irq, bool level)
{
	struct riscv_plic *plic = chip;

	if (!irq || irq > plic->nr_sources)
		return;
	pthread_mutex_lock(&plic->lock);
	bit_set(plic->level, irq, level);
	if (gateway(plic, irq))
		update_all(plic);
	pthread_mutex_unlock(&plic->lock);
}

/* No attach_eventfd: nobody but this code could raise a line on behalf of KVM. */
const struct irq_chip_ops riscv_plic_irq_ops = {
	.set_level = plic_set_level,
};

/* The interrupt stops being pending for everybody and is the claimer's until completed. */
static uint32_t claim(struct riscv_plic *plic, unsigned int hart)
{
	/* The threshold masks notifications, not claims (spec §8 "Interrupt Claim Process"). */
	unsigned int irq = best_source(plic, &plic->contexts[hart], 0);

	if (irq) {
		bit_set(plic->pending, irq, false);
		bit_set(plic->claimed, irq, true);
		update_all(plic);
	}
	return irq;
}

/* Ignored unless enabled for the context, as spec §9 "Interrupt Completion" has it. */
static void complete(struct riscv_plic *plic, unsigned int hart, uint32_t irq)
{
	if (!irq || irq > plic->nr_sources || !bit_get(plic->contexts[hart].enable, irq))
		return;
	bit_set(plic->claimed, irq, false);
	if (gateway(plic, irq))
		update_all(plic);
}

/* Words that hold a bit of an existing source; the bit of source 0 does not exist. */
static uint32_t enable_mask(const struct riscv_plic *plic, unsigned int word)
{
	uint32_t mask = UINT32_MAX;

	if (word > plic->nr_sources / 32)
		return 0;
	if (word == plic->nr_sources / 32 && plic->nr_sources % 32 != 31)
		mask = (UINT32_C(1) << (plic->nr_sources % 32 + 1)) - 1;
	return word ? mask : mask & ~UINT32_C(1);
}

static uint32_t read_word(struct riscv_plic *plic, uint64_t offset)
{
	uint64_t hart;
	uint64_t word;

	if (offset < PENDING_BASE) {
		word = offset / 4;
		return word <= plic->nr_sources ? plic->priority[word] : 0;
	}
	if (offset < ENABLE_BASE) {
		word = (offset - PENDING_BASE) / 4;
		return word < WORDS ? plic->pending[word] : 0;
	}
	if (offset < CONTEXT_BASE) {
		hart = (offset - ENABLE_BASE) / ENABLE_STRIDE;
		word = (offset - ENABLE_BASE) % ENABLE_STRIDE / 4;
		return hart < plic->nr_harts ? plic->contexts[hart].enable[word] : 0;
	}
	hart = (offset - CONTEXT_BASE) / CONTEXT_STRIDE;
	if (hart >= plic->nr_harts)
		return 0;
	switch ((offset - CONTEXT_BASE) % CONTEXT_STRIDE) {
	case CONTEXT_THRESHOLD:
		return plic->contexts[hart].threshold;
	case CONTEXT_CLAIM:
		return claim(plic, (unsigned int)hart);
	default:
		return 0;
	}
}

static void write_word(struct riscv_plic *plic, uint64_t offset, uint32_t v)
{
	uint64_t hart;
	uint64_t word;

	if (offset < PENDING_BASE) {
		word = offset / 4;
		if (!word || word > plic->nr_sources)
			return;
		plic->priority[word] = v & MAX_PRIORITY;
		update_all(plic);
		return;
	}
	if (offset < ENABLE_BASE)
		return; /* pending bits are read-only */
	if (offset < CONTEXT_BASE) {
		hart = (offset - ENABLE_BASE) / ENABLE_STRIDE;
		word = (offset - ENABLE_BASE) % ENABLE_STRIDE / 4;
		if (hart >= plic->nr_harts)
			return;
		plic->contexts[hart].enable[word] = v & enable_mask(plic, (unsigned int)word);
		update_context(plic, (unsigned int)hart, true);
		return;
	}
	hart = (offset - CONTEXT_BASE) / CONTEXT_STRIDE;
	if (hart >= plic->nr_harts)
		return;
	switch ((offset - CONTEXT_BASE) % CONTEXT_STRIDE) {
	case CONTEXT_THRESHOLD:
		plic->contexts[hart].threshold = v & MAX_PRIORITY;
		update_context(plic, (unsigned int)hart, true);
		break;
	case CONTEXT_CLAIM:
		complete(plic, (unsigned int)hart, v);
		break;
	}
}

/* Only aligned words exist (spec chapter 3); anything else reads as zero and changes nothing. */
static bool is_word(uint64_t offset, unsigned int size)
{
	return size == 4 && offset % 4 == 0;
}

static uint64_t plic_read(void *dev, uint64_t offset, unsigned int size)
{
	struct riscv_plic *plic = dev;
	uint32_t v;

	if (!is_word(offset, size))
		return 0;
	pthread_mutex_lock(&plic->lock);
	v = read_word(plic, offset);
	pthread_mutex_unlock(&plic->lock);
	return v;
}

static void plic_write(void *dev, uint64_t offset, unsigned int size, uint64_t value)
{
	struct riscv_plic *plic = dev;

	if (!is_word(offset, size))
		return;
	pthread_mutex_lock(&plic->lock);
	write_word(plic, offset, (uint32_t)value);
	pthread_mutex_unlock(&plic->lock);
}

const struct bus_ops riscv_plic_bus_ops = {
	.read = plic_read,
	.write = plic_write,
};
