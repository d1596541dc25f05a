// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's XIVE (Linux Documentation/virt/kvm/devices/xive.rst). The guest takes, ends and masks
 * interrupts by loads and stores to pages of the hardware, which KVM's device maps; from here
 * sources are triggered in the same way.
 */
#include "lkvm/arch.h"

#include <endian.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "powerpc/pseries-layout.h"
#include "powerpc/pseries.h"

#define PAGE_BYTES     (UINT64_C(1) << PPC_XIVE_ESB_PAGE_SHIFT)
#define TIMA_BYTES     (4 * PAGE_BYTES)
#define TIMA_OS_PAGE   2 /* the only one of them that KVM maps */

/* A register in a page of source @lisn; the first source that is mapped is 0. */
static volatile uint64_t *esb(const struct vm *vm, uint32_t lisn, unsigned int page,
			      unsigned int offset)
{
	uint8_t *pages = (uint8_t *)vm->arch->xive.esb + lisn * PPC_XIVE_ESB_BYTES;

	return (volatile uint64_t *)(pages + page * PAGE_BYTES + offset);
}

/* ---- calls of the guest ------------------------------------------------------------------------- */

static int set_route(void *ctx, uint32_t lisn, const struct ppc_xive_route *route)
{
	struct vm *vm = ctx;
	uint64_t v;

	/* From a CPU that there is not: KVM takes a mask that names the old target for no change. */
	if (route->priority == PPC_XIVE_MASKED)
		v = KVM_XIVE_SOURCE_MASKED_MASK | KVM_XIVE_SOURCE_SERVER_MASK;
	else
		v = (uint64_t)route->eisn << KVM_XIVE_SOURCE_EISN_SHIFT |
		    (uint64_t)route->target << KVM_XIVE_SOURCE_SERVER_SHIFT |
		    (uint64_t)route->priority << KVM_XIVE_SOURCE_PRIORITY_SHIFT;
	return kvm_set_device_attr(vm->arch->irqchip_fd, KVM_DEV_XIVE_GRP_SOURCE_CONFIG, lisn, &v);
}

static uint64_t queue_id(uint32_t cpu, unsigned int priority)
{
	return (uint64_t)cpu << KVM_XIVE_EQ_SERVER_SHIFT | priority << KVM_XIVE_EQ_PRIORITY_SHIFT;
}

static int set_queue(void *ctx, uint32_t cpu, unsigned int priority,
		     const struct ppc_xive_queue *queue)
{
	struct kvm_ppc_xive_eq eq = {
		.flags = KVM_XIVE_EQ_ALWAYS_NOTIFY, /* else KVM refuses it */
		.qshift = queue->shift,
		.qaddr = queue->page,
		.qtoggle = 1,
	};
	struct vm *vm = ctx;

	return kvm_set_device_attr(vm->arch->irqchip_fd, KVM_DEV_XIVE_GRP_EQ_CONFIG,
				   queue_id(cpu, priority), &eq);
}

static int queue_state(void *ctx, uint32_t cpu, unsigned int priority, uint32_t *index,
		       uint32_t *toggle)
{
	struct kvm_ppc_xive_eq eq = { 0 };
	struct vm *vm = ctx;
	int ret = kvm_get_device_attr(vm->arch->irqchip_fd, KVM_DEV_XIVE_GRP_EQ_CONFIG,
				      queue_id(cpu, priority), &eq);

	*index = eq.qindex;
	*toggle = eq.qtoggle;
	return ret;
}

static int sync_source(void *ctx, uint32_t lisn)
{
	struct vm *vm = ctx;

	return kvm_set_device_attr(vm->arch->irqchip_fd, KVM_DEV_XIVE_GRP_SOURCE_SYNC, lisn, NULL);
}

static int reset(void *ctx)
{
	struct vm *vm = ctx;

	return kvm_set_device_attr(vm->arch->irqchip_fd, KVM_DEV_XIVE_GRP_CTRL, KVM_DEV_XIVE_RESET, NULL);
}

/*
 * The fences put accesses to memory and to these pages in order: what was written before an event
 * is seen when it comes, and what follows a load finds the source in its new state.
 */
static void trigger(void *ctx, uint32_t lisn)
{
	atomic_thread_fence(memory_order_seq_cst);
	*esb(ctx, lisn, 0, 0) = 0;
}

static uint64_t esb_load(void *ctx, uint32_t lisn, unsigned int offset)
{
	uint64_t v;

	atomic_thread_fence(memory_order_seq_cst);
	v = be64toh(*esb(ctx, lisn, 1, offset));
	atomic_thread_fence(memory_order_seq_cst);
	return v;
}

static void esb_store(void *ctx, uint32_t lisn, unsigned int offset, uint64_t value)
{
	atomic_thread_fence(memory_order_seq_cst);
	*esb(ctx, lisn, 1, offset) = htobe64(value);
}

static const struct ppc_xive_ops hcall_ops = {
	.set_route = set_route,
	.set_queue = set_queue,
	.queue_state = queue_state,
	.sync = sync_source,
	.reset = reset,
	.trigger = trigger,
	.esb_load = esb_load,
	.esb_store = esb_store,
};

/* ---- set-up ------------------------------------------------------------------------------------- */

static int add_source(struct vm *vm, uint32_t irq)
{
	uint64_t state = irq - PSERIES_IRQ_PCI_INTX < PSERIES_NR_PCI_INTX ? KVM_XIVE_LEVEL_SENSITIVE : 0;
	int ret = kvm_set_device_attr(vm->arch->irqchip_fd, KVM_DEV_XIVE_GRP_SOURCE, irq, &state);

	if (ret)
		log_error("KVM refuses interrupt source 0x%x: %s", irq, strerror(-ret));
	return ret;
}

static int map_pages(struct vm *vm, const char *name, unsigned int first, size_t size_bytes,
		     void **map)
{
	int ret = kvm_sys_map_device(vm->arch->irqchip_fd, first * PAGE_BYTES, size_bytes, map);

	if (ret)
		log_error("cannot map the %s: %s (--irqchip xics does without)", name, strerror(-ret));
	return ret;
}

/*
 * All sources of devices, be they used or not, and one for each CPU behind them: then there are none but
 * real pages in that piece of the guest's address space.
 */
static int xive_start(struct vm *vm, unsigned int nr_msis)
{
	struct pseries_xive *xive = &vm->arch->xive;
	uint32_t ipis = PSERIES_IRQ_MSI + nr_msis, end = ipis + vm->nr_vcpus;
	struct memory_region tima = {
		.name = "pages of the XIVE's CPUs",
		.gpa = PSERIES_XIVE_TIMA_BASE + TIMA_OS_PAGE * PAGE_BYTES,
		.size_bytes = PAGE_BYTES,
	};
	struct memory_region sources = {
		.name = "pages of the XIVE's sources",
		.gpa = PSERIES_XIVE_ESB_BASE,
		.size_bytes = (end - PSERIES_IRQ_FIRST) * PPC_XIVE_ESB_BYTES,
	};
	int ret = 0;

	for (uint32_t irq = PSERIES_IRQ_FIRST; irq < end && !ret; irq++)
		ret = add_source(vm, irq);
	if (ret)
		return ret;
	xive->esb_bytes = end * PPC_XIVE_ESB_BYTES;
	ret = map_pages(vm, tima.name, KVM_XIVE_TIMA_PAGE_OFFSET, TIMA_BYTES, &xive->tima);
	if (!ret)
		ret = map_pages(vm, sources.name, KVM_XIVE_ESB_PAGE_OFFSET, xive->esb_bytes,
				&xive->esb);
	if (ret)
		return ret;
	tima.host = (uint8_t *)xive->tima + TIMA_OS_PAGE * PAGE_BYTES;
	sources.host = (uint8_t *)xive->esb + PSERIES_IRQ_FIRST * PPC_XIVE_ESB_BYTES;
	ret = vm_add_device_memslot(vm, 0, &tima);
	if (!ret)
		ret = vm_add_device_memslot(vm, 1, &sources);
	if (ret)
		return ret;
	xive->ipis = ipis;
	xive->hcalls.ops = &hcall_ops;
	xive->hcalls.ctx = vm;
	xive->hcalls.memory = &vm->memory;
	ret = ppc_xive_init(&xive->hcalls, vm->nr_vcpus, end - PSERIES_IRQ_FIRST);
	if (!ret)
		vm->arch->hcalls.xive = &xive->hcalls;
	return ret;
}
_Static_assert(PSERIES_IRQ_VTY + PPC_MAX_VTYS == PSERIES_IRQ_PCI_INTX, "no gap between sources");

static void xive_destroy(struct vm *vm)
{
	struct pseries_xive *xive = &vm->arch->xive;

	kvm_sys_unmap_device(xive->esb, xive->esb_bytes);
	kvm_sys_unmap_device(xive->tima, TIMA_BYTES);
	if (vm->arch->hcalls.xive)
		ppc_xive_exit(&xive->hcalls);
}

static void xive_set_level(void *chip, uint32_t irq, bool level)
{
	struct vm *vm = chip;

	if (vm->arch->hcalls.xive)
		ppc_xive_set_level(vm->arch->hcalls.xive, irq, level);
}

static const struct irq_chip_ops xive_lines = {
	.set_level = xive_set_level,
};

/* As the CPU's page shows it: NSR, CPPR, IPB and others, one byte each (Linux asm/xive-regs.h). */
void pseries_xive_regs(struct vcpu *vcpu, struct reg_set *set)
{
	uint64_t state[2] = { 0 };
	int ret = kvm_get_reg(vcpu->fd, KVM_REG_PPC_VP_STATE, state);

	reg_add(set, REG_SYSTEM, ROLE_PLAIN, "xive", 8, !ret, be64toh(state[0]));
}

const struct pseries_irqchip pseries_xive = {
	.name = "xive",
	.device = KVM_DEV_TYPE_XIVE,
	.ctrl_group = KVM_DEV_XIVE_GRP_CTRL,
	.nr_servers = KVM_DEV_XIVE_NR_SERVERS,
	.vcpu_cap = KVM_CAP_PPC_IRQ_XIVE,
	.start = xive_start,
	.destroy = xive_destroy,
	.lines = &xive_lines,
};
