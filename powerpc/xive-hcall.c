// SPDX-License-Identifier: GPL-2.0-only
#include "powerpc/xive-hcall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/log.h"
#include "powerpc/pseries-layout.h"

/* Flags, in r4 on the way in and out. */
#define SOURCE_USES_HCALL 0x8 /* H_INT_GET_SOURCE_INFO: its pages are reached by H_INT_ESB */
#define SOURCE_IS_LSI     0x4
#define ROUTE_SET_EISN    0x2 /* H_INT_SET_SOURCE_CONFIG */
#define ROUTE_MASK        0x1
#define QUEUE_NOTIFY      0x1 /* H_INT_SET_QUEUE_CONFIG: always */
#define QUEUE_TOGGLE      0x2 /* H_INT_GET_QUEUE_CONFIG gives it */
#define QUEUE_DEBUG       0x1 /* ... if asked to */
#define ESB_STORE         0x1 /* H_INT_ESB; else a load */

#define EISN_MAX          0x7fffffffu /* Documentation/virt/kvm/devices/xive.rst: 31 bits */
#define ESB_OFFSETS       0x1000
#define QUEUE_BYTES       (UINT64_C(1) << PPC_XIVE_QUEUE_SHIFT)
#define NO_PAGE           UINT64_MAX

static void clear(struct ppc_xive *x)
{
	for (unsigned int i = 0; i < x->nr_sources; i++)
		x->routes[i] = (struct ppc_xive_route){
			.eisn = PSERIES_IRQ_FIRST + i,
			.priority = PPC_XIVE_MASKED,
		};
	memset(x->queues, 0, sizeof(*x->queues) * x->nr_cpus * PPC_XIVE_PRIORITIES);
}

int ppc_xive_init(struct ppc_xive *x, unsigned int nr_cpus, unsigned int nr_sources)
{
	pthread_mutex_init(&x->lock, NULL);
	x->nr_cpus = nr_cpus;
	x->nr_sources = nr_sources;
	x->routes = calloc(nr_sources, sizeof(*x->routes));
	x->queues = calloc((size_t)nr_cpus * PPC_XIVE_PRIORITIES, sizeof(*x->queues));
	if (!x->routes || !x->queues) {
		ppc_xive_exit(x);
		log_error("out of memory for the interrupt controller");
		return -ENOMEM;
	}
	clear(x);
	return 0;
}

void ppc_xive_exit(struct ppc_xive *x)
{
	free(x->routes);
	free(x->queues);
	x->routes = NULL;
	x->queues = NULL;
	pthread_mutex_destroy(&x->lock);
}

static struct ppc_xive_route *find_route(const struct ppc_xive *x, uint64_t lisn)
{
	uint64_t i = lisn - PSERIES_IRQ_FIRST;

	return i < x->nr_sources ? &x->routes[i] : NULL;
}

/* Both are in range. */
static struct ppc_xive_queue *get_queue(const struct ppc_xive *x, uint64_t cpu,
					uint64_t priority)
{
	return &x->queues[cpu * PPC_XIVE_PRIORITIES + priority];
}

/* ---- sources ------------------------------------------------------------------------------------ */

/* The bit of ppc_xive.asserted; 0: the source is none of PCI's INTx, and so no level. */
static uint32_t line_bit(uint64_t lisn)
{
	uint64_t i = lisn - PSERIES_IRQ_PCI_INTX;

	return i < PSERIES_NR_PCI_INTX ? 1u << i : 0;
}

void ppc_xive_set_level(struct ppc_xive *x, uint32_t lisn, bool level)
{
	uint32_t bit = line_bit(lisn);

	if (bit && level)
		atomic_fetch_or(&x->asserted, bit);
	else if (bit)
		atomic_fetch_and(&x->asserted, ~bit);
	/* A message names what the guest has written into its device. */
	if (level && find_route(x, lisn))
		x->ops->trigger(x->ctx, lisn);
}

/* A level's pages are reached by H_INT_ESB only: there is more to do, see load_esb(). */
static int64_t get_source_info(struct ppc_xive *x, struct ppc_hcall *call)
{
	uint64_t lisn = call->args[1];
	gpa_t pages = PSERIES_XIVE_ESB_BASE + (lisn - PSERIES_IRQ_FIRST) * PPC_XIVE_ESB_BYTES;

	if (call->args[0])
		return H_PARAMETER;
	if (!find_route(x, lisn))
		return H_P2;
	if (line_bit(lisn)) {
		call->args[0] = SOURCE_USES_HCALL | SOURCE_IS_LSI;
		call->args[1] = NO_PAGE;
		call->args[2] = NO_PAGE;
	} else {
		call->args[0] = 0;
		call->args[1] = pages + PPC_XIVE_ESB_BYTES / 2;
		call->args[2] = pages;
	}
	call->args[3] = PPC_XIVE_ESB_PAGE_SHIFT;
	return H_SUCCESS;
}

static int64_t set_source_config(struct ppc_xive *x, const struct ppc_hcall *call)
{
	uint64_t flags = call->args[0], target = call->args[2];
	uint64_t priority = call->args[3], eisn = call->args[4];
	struct ppc_xive_route *old = find_route(x, call->args[1]);
	struct ppc_xive_route route;

	if (flags & ~(uint64_t)(ROUTE_SET_EISN | ROUTE_MASK))
		return H_PARAMETER;
	if (!old)
		return H_P2;
	route = *old;
	if (priority == PPC_XIVE_MASKED) {
		route.priority = PPC_XIVE_MASKED;
	} else {
		if (priority >= PPC_XIVE_PRIORITIES)
			return H_P4;
		/* Without a queue KVM would warn in the host's log. */
		if (target >= x->nr_cpus || !get_queue(x, target, priority)->shift)
			return H_P3;
		if (flags & ROUTE_SET_EISN) {
			if (eisn > EISN_MAX)
				return H_P5;
			route.eisn = (uint32_t)eisn;
		}
		route.target = (uint32_t)target;
		route.priority = flags & ROUTE_MASK ? PPC_XIVE_MASKED : (uint8_t)priority;
	}
	if (x->ops->set_route(x->ctx, (uint32_t)call->args[1], &route))
		return H_HARDWARE;
	*old = route;
	return H_SUCCESS;
}

static int64_t get_source_config(struct ppc_xive *x, struct ppc_hcall *call)
{
	const struct ppc_xive_route *route = find_route(x, call->args[1]);

	if (call->args[0])
		return H_PARAMETER;
	if (!route)
		return H_P2;
	call->args[0] = route->target;
	call->args[1] = route->priority;
	call->args[2] = route->eisn;
	return H_SUCCESS;
}

static int64_t sync_source(struct ppc_xive *x, const struct ppc_hcall *call)
{
	if (call->args[0])
		return H_PARAMETER;
	if (!find_route(x, call->args[1]))
		return H_P2;
	return x->ops->sync(x->ctx, (uint32_t)call->args[1]) ? H_HARDWARE : H_SUCCESS;
}

/*
 * All that KVM has are sources of messages. What makes one ready for the next event (PQ = 00), an
 * end of interrupt or an unmask, is that event if a level is asserted.
 */
static uint64_t load_esb(struct ppc_xive *x, uint32_t lisn, unsigned int offset)
{
	uint32_t bit = line_bit(lisn);
	bool ends = bit && offset == PPC_XIVE_ESB_LOAD_EOI;
	uint64_t before;

	if (ends)
		offset = PPC_XIVE_ESB_SET_PQ_00;
	before = x->ops->esb_load(x->ctx, lisn, offset);
	if (offset == PPC_XIVE_ESB_SET_PQ_00 && atomic_load(&x->asserted) & bit)
		x->ops->trigger(x->ctx, lisn);
	return ends ? 0 : before;
}

static int64_t access_esb(struct ppc_xive *x, struct ppc_hcall *call)
{
	uint64_t flags = call->args[0], lisn = call->args[1], offset = call->args[2];

	if (flags & ~(uint64_t)ESB_STORE)
		return H_PARAMETER;
	if (!find_route(x, lisn))
		return H_P2;
	if (offset >= ESB_OFFSETS || offset % 8)
		return H_P3;
	if (flags & ESB_STORE) {
		x->ops->esb_store(x->ctx, (uint32_t)lisn, (unsigned int)offset, call->args[3]);
		call->args[0] = UINT64_MAX;
	} else {
		call->args[0] = load_esb(x, (uint32_t)lisn, (unsigned int)offset);
	}
	return H_SUCCESS;
}

/* ---- queues ------------------------------------------------------------------------------------- */

/* The arguments that all calls about queues begin with: flags, CPU, priority. */
static int64_t check_queue(const struct ppc_xive *x, const struct ppc_hcall *call, uint64_t flags)
{
	if (call->args[0] & ~flags)
		return H_PARAMETER;
	if (call->args[1] >= x->nr_cpus)
		return H_P2;
	return call->args[2] >= PPC_XIVE_PRIORITIES ? H_P3 : H_SUCCESS;
}

/* The page where notifications are controlled: there is none, as KVM always notifies. */
static int64_t get_queue_info(struct ppc_xive *x, struct ppc_hcall *call)
{
	int64_t ret = check_queue(x, call, 0);

	if (!ret) {
		call->args[0] = NO_PAGE;
		call->args[1] = 0;
	}
	return ret;
}

static int64_t set_queue_config(struct ppc_xive *x, const struct ppc_hcall *call)
{
	struct ppc_xive_queue queue = { 0 };
	uint64_t shift = call->args[4];
	int64_t ret = check_queue(x, call, QUEUE_NOTIFY);

	if (ret)
		return ret;
	if (shift) {
		if (!(call->args[0] & QUEUE_NOTIFY))
			return H_PARAMETER;
		if (shift != PPC_XIVE_QUEUE_SHIFT)
			return H_P5;
		queue.page = call->args[3];
		queue.shift = PPC_XIVE_QUEUE_SHIFT;
		if (queue.page % QUEUE_BYTES || !memory_ptr(x->memory, queue.page, QUEUE_BYTES))
			return H_P4;
	}
	if (x->ops->set_queue(x->ctx, (uint32_t)call->args[1], (unsigned int)call->args[2],
			      &queue))
		return H_HARDWARE;
	*get_queue(x, call->args[1], call->args[2]) = queue;
	return H_SUCCESS;
}

static int64_t get_queue_config(struct ppc_xive *x, struct ppc_hcall *call)
{
	int64_t ret = check_queue(x, call, QUEUE_DEBUG);
	const struct ppc_xive_queue *queue;
	uint32_t index = 0, toggle = 0;

	if (ret)
		return ret;
	queue = get_queue(x, call->args[1], call->args[2]);
	if (queue->shift && call->args[0] & QUEUE_DEBUG &&
	    x->ops->queue_state(x->ctx, (uint32_t)call->args[1], (unsigned int)call->args[2],
				&index, &toggle))
		return H_HARDWARE;
	call->args[0] = (queue->shift ? QUEUE_NOTIFY : 0) | (toggle ? QUEUE_TOGGLE : 0);
	call->args[1] = queue->page;
	call->args[2] = queue->shift;
	call->args[3] = index;
	return H_SUCCESS;
}

/* ---- all calls ---------------------------------------------------------------------------------- */

static int64_t reset(struct ppc_xive *x, const struct ppc_hcall *call)
{
	if (call->args[0])
		return H_PARAMETER;
	if (x->ops->reset(x->ctx))
		return H_HARDWARE;
	clear(x);
	return H_SUCCESS;
}

static int64_t serve(struct ppc_xive *x, struct ppc_hcall *call)
{
	switch (call->nr) {
	case H_INT_GET_SOURCE_INFO:
		return get_source_info(x, call);
	case H_INT_SET_SOURCE_CONFIG:
		return set_source_config(x, call);
	case H_INT_GET_SOURCE_CONFIG:
		return get_source_config(x, call);
	case H_INT_GET_QUEUE_INFO:
		return get_queue_info(x, call);
	case H_INT_SET_QUEUE_CONFIG:
		return set_queue_config(x, call);
	case H_INT_GET_QUEUE_CONFIG:
		return get_queue_config(x, call);
	case H_INT_ESB:
		return access_esb(x, call);
	case H_INT_SYNC:
		return sync_source(x, call);
	case H_INT_RESET:
		return reset(x, call);
	default: /* the rest is of OS reporting lines, which KVM does not have */
		return H_FUNCTION;
	}
}

bool ppc_xive_serve(struct ppc_xive *x, struct ppc_hcall *call)
{
	if (call->nr < H_INT_GET_SOURCE_INFO || call->nr > H_INT_RESET)
		return false;
	pthread_mutex_lock(&x->lock);
	call->ret = serve(x, call);
	pthread_mutex_unlock(&x->lock);
	return call->ret != H_FUNCTION;
}
