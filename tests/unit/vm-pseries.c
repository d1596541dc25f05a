// SPDX-License-Identifier: GPL-2.0-only
/* pseries' VM set-up, hypervisor and RTAS calls against a fake KVM; 64-bit powerpc only. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lkvm/arch.h"
#include "lkvm/byteorder.h"
#include "lkvm/vm.h"
#include "powerpc/arch.h"
#include "powerpc/options.h"
#include "powerpc/pseries-layout.h"
#include "powerpc/pseries.h"
#include "tests/unit/fake-kvm.h"
#include "tests/unit/image-util.h"
#include "tests/unit/test.h"
#include "tests/unit/vm-fixture.h"

#define MAX_SOURCES 128

/* Where guests have the arguments of RTAS calls. */
#define BLOCK UINT64_C(0x100000)

/* What lkvm told KVM. */
struct fixture {
	struct config cfg;
	struct vm    *vm;
	int           fds;

	struct kvm_regs   regs; /* the last ones that were set */
	unsigned int      nr_set_regs;
	unsigned int      papr, xics, xive, hcalls, tokens, smt;
	struct kvm_ppc_mmuv3_cfg mmu;
	unsigned int      nr_mmu;
	uint32_t          htab_order;
	uint32_t          device; /* the interrupt controller */
	uint32_t          sources[MAX_SOURCES];
	bool              levels[MAX_SOURCES];
	unsigned int      nr_sources;
	uint32_t          irq;
	unsigned int      nr_irqs;
	/* XIVE's: */
	uint64_t          source_config, queue_id;
	struct kvm_ppc_xive_eq queue;
	unsigned int      resets, syncs;
	struct kvm_userspace_memory_region slots[2]; /* beyond those of memory */
	/* What the guest does: the calls of each vCPU, by its turn. */
	_Atomic unsigned int step;
};

static void note_cap(struct fixture *f, const struct kvm_enable_cap *cap)
{
	f->papr += cap->cap == KVM_CAP_PPC_PAPR;
	f->xics += cap->cap == KVM_CAP_IRQ_XICS && cap->args[1] == f->xics;
	f->xive += cap->cap == KVM_CAP_PPC_IRQ_XIVE && cap->args[1] == f->xive;
	f->hcalls += cap->cap == KVM_CAP_PPC_ENABLE_HCALL && cap->args[1] == 1;
	if (cap->cap == KVM_CAP_PPC_SMT)
		f->smt = (unsigned int)cap->args[0];
}

/* What is done to an XIVE. */
static void note_xive_attr(struct fixture *f, const struct kvm_device_attr *attr)
{
	const void *p = (const void *)(uintptr_t)attr->addr;
	uint64_t state;

	switch (attr->group) {
	case KVM_DEV_XIVE_GRP_SOURCE:
		if (f->nr_sources == MAX_SOURCES)
			break;
		memcpy(&state, p, 8);
		f->sources[f->nr_sources] = (uint32_t)attr->attr;
		f->levels[f->nr_sources++] = state & KVM_XIVE_LEVEL_SENSITIVE;
		break;
	case KVM_DEV_XIVE_GRP_SOURCE_CONFIG:
		memcpy(&f->source_config, p, 8);
		break;
	case KVM_DEV_XIVE_GRP_EQ_CONFIG:
		f->queue_id = attr->attr;
		memcpy(&f->queue, p, sizeof(f->queue));
		break;
	case KVM_DEV_XIVE_GRP_SOURCE_SYNC:
		f->syncs++;
		break;
	case KVM_DEV_XIVE_GRP_CTRL:
		f->resets += attr->attr == KVM_DEV_XIVE_RESET;
		break;
	}
}

static int note_ioctl(int fd, unsigned long request, unsigned long arg, void *opaque)
{
	const void *p = (const void *)arg;
	const struct kvm_device_attr *attr = p;
	struct fixture *f = opaque;
	uint64_t state;

	(void)fd;
	switch (request) {
	case KVM_SET_REGS:
		memcpy(&f->regs, p, sizeof(f->regs));
		f->nr_set_regs++;
		break;
	case KVM_ENABLE_CAP:
		note_cap(f, p);
		break;
	case KVM_PPC_RTAS_DEFINE_TOKEN:
		f->tokens++;
		break;
	case KVM_PPC_CONFIGURE_V3_MMU:
		memcpy(&f->mmu, p, sizeof(f->mmu));
		f->nr_mmu++;
		break;
	case KVM_PPC_ALLOCATE_HTAB:
		memcpy(&f->htab_order, p, sizeof(f->htab_order));
		break;
	case KVM_IRQ_LINE:
		f->irq = ((const struct kvm_irq_level *)p)->irq;
		f->nr_irqs++;
		break;
	case KVM_CREATE_DEVICE:
		f->device = ((const struct kvm_create_device *)p)->type;
		break;
	case KVM_SET_USER_MEMORY_REGION: {
		const struct kvm_userspace_memory_region *slot = p;

		if (slot->slot >= MEMORY_MAX_REGIONS && slot->slot - MEMORY_MAX_REGIONS < ARRAY_SIZE(f->slots))
			f->slots[slot->slot - MEMORY_MAX_REGIONS] = *slot;
		break;
	}
	case KVM_SET_DEVICE_ATTR:
		if (f->device == KVM_DEV_TYPE_XIVE) {
			note_xive_attr(f, attr);
			break;
		}
		if (attr->group != KVM_DEV_XICS_GRP_SOURCES || f->nr_sources == MAX_SOURCES)
			break;
		memcpy(&state, (const void *)(uintptr_t)attr->addr, 8);
		f->sources[f->nr_sources] = (uint32_t)attr->attr;
		f->levels[f->nr_sources++] = state & KVM_XICS_LEVEL_SENSITIVE;
		break;
	}
	return 0;
}

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->fds = test_open_fds();
	fake_kvm_reset();
	fake_kvm_on_ioctl(note_ioctl, f);
	fake_kvm_set_cap(KVM_CAP_PPC_IRQ_XIVE, 0);
	vm_fixture_host();
	vm_fixture_config(&f->cfg);
}

static void teardown(struct fixture *f)
{
	vm_destroy(f->vm);
	vm_fixture_free(&f->cfg);
	CHECK_EQ(test_open_fds(), f->fds);
}

/* vm_create() that must fail with a line that has @expect. */
static void refused(struct fixture *f, int ret, const char *expect)
{
	const char *text;

	test_stderr_begin();
	CHECK_EQ(vm_create(&f->vm, &f->cfg), ret);
	text = test_stderr_end();
	if (!strstr(text, expect))
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", text, expect);
	teardown(f);
}

static void test_entry(void)
{
	struct fixture f;

	setup(&f);
	f.cfg.nr_cpus = 3;
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(f.vm->vm_type, KVM_VM_PPC_HV);
	CHECK_EQ(f.papr, 3);
	CHECK_EQ(f.xics, 3);
	CHECK_EQ(f.hcalls, 1);
	/* The boot CPU's registers only; the others wait. */
	CHECK_EQ(f.nr_set_regs, 1);
	CHECK_EQ(f.regs.pc, 0);
	CHECK_EQ(f.regs.msr, 0x8000000000001000);
	CHECK_EQ(f.regs.gpr[3], f.vm->boot.fdt);
	CHECK_EQ(f.regs.gpr[5], 0);
	CHECK(!vcpu_is_offline(f.vm->vcpus[0]));
	CHECK(vcpu_is_offline(f.vm->vcpus[1]) && vcpu_is_offline(f.vm->vcpus[2]));
	CHECK(f.vm->boot.fdt && f.vm->boot.fdt < PSERIES_BOOT_LIMIT);
	teardown(&f);
}

/* The first RTAS call about them makes the sources; what has been raised before is not lost. */
static void test_xics(void)
{
	struct ppc_hcall set_xive = { .nr = KVMPPC_H_RTAS, .args = { BLOCK } };
	struct irq_line line;
	struct fixture f;
	uint8_t *block;

	setup(&f);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	line = pseries_irq_line(f.vm, PSERIES_IRQ_VTY);
	irq_line_set(&line, true);
	CHECK_EQ(f.nr_sources + f.tokens + f.nr_irqs, 0);
	block = memory_ptr(&f.vm->memory, BLOCK, 256);
	put_be32(block, ppc_rtas_token("ibm,set-xive"));
	put_be32(block + 4, 3);
	put_be32(block + 8, 1);
	for (unsigned int i = 0; i < 2; i++) { /* KVM leaves none to us from then on, but of those on their way */
		ppc_hcall_serve(&f.vm->arch->hcalls, &set_xive);
		CHECK_EQ(set_xive.ret, H_BUSY);
		CHECK_EQ(set_xive.args[0], BLOCK);
		CHECK_EQ(f.tokens, 4);
		/* The terminal's alone: nothing is on the PCI bus. */
		CHECK_EQ(f.nr_sources, 1);
		CHECK_EQ(f.sources[0], PSERIES_IRQ_VTY);
		CHECK(!f.levels[0]);
		CHECK_EQ(f.nr_irqs, 1);
		CHECK_EQ(f.irq, PSERIES_IRQ_VTY);
	}
	irq_line_set(&line, true);
	CHECK_EQ(f.nr_irqs, 2);
	teardown(&f);

	/* Refused: reported once. */
	setup(&f);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	fake_kvm_fail(2, EINVAL); /* after the source */
	test_stderr_begin();
	CHECK_EQ(pseries_xics_use(f.vm), -EINVAL);
	CHECK(strstr(test_stderr_end(), "KVM refuses the RTAS service ibm,set-xive") != NULL);
	test_stderr_begin();
	CHECK_EQ(pseries_xics_use(f.vm), -EINVAL);
	CHECK_STR(test_stderr_end(), "");
	teardown(&f);
}

static void test_mmu(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(f.mmu.flags, KVM_PPC_MMUV3_RADIX | KVM_PPC_MMUV3_GTSE);
	CHECK_EQ(f.mmu.process_table, UINT64_C(1) << 63);
	CHECK_EQ(f.htab_order, 0);
	teardown(&f);

	/* Asked for, and where KVM has no radix. */
	setup(&f);
	f.cfg.params = strdup("quiet disable_radix");
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(f.nr_mmu, 0);
	CHECK_EQ(f.htab_order, 19);
	teardown(&f);
	setup(&f);
	fake_kvm_set_cap(KVM_CAP_PPC_MMU_RADIX, 0);
	f.cfg.ram_bytes = GIB(4);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(f.htab_order, 25);
	CHECK(!f.vm->arch->hcalls.radix);
	teardown(&f);
}

/* The hash table is contiguous memory of the host: a smaller one is better than none. */
static void test_htab_fallback(void)
{
	static const int errnos[] = { ENOMEM, EINVAL };

	for (unsigned int i = 0; i < ARRAY_SIZE(errnos); i++) {
		bool seen = false;

		for (unsigned int n = 1; !seen && n < 60; n++) {
			struct fixture f;

			setup(&f);
			fake_kvm_set_cap(KVM_CAP_PPC_MMU_RADIX, 0);
			fake_kvm_fail(n, errnos[i]);
			test_stderr_begin();
			if (vm_create(&f.vm, &f.cfg))
				f.vm = NULL;
			seen = fake_kvm_failed_request() == KVM_PPC_ALLOCATE_HTAB;
			if (seen && errnos[i] == ENOMEM) {
				CHECK(f.vm != NULL);
				CHECK_EQ(f.htab_order, 18);
				CHECK(f.vm && f.vm->arch->cpu.htab_order == 18);
			} else if (seen) {
				CHECK(f.vm == NULL);
			}
			(void)test_stderr_end();
			teardown(&f);
		}
		CHECK(seen);
	}
}

/* What a flat 32-bit kernel begins with: it would run into nothing that can be reported. */
static void test_wrong_kernel(void)
{
	static const uint8_t kernel[4096] = { 0x60, 0x00, 0x00, 0x00 };
	int fd = util_memfd(kernel, sizeof(kernel));
	struct fixture f;

	setup(&f);
	free(f.cfg.firmware);
	f.cfg.firmware = NULL;
	f.cfg.kernel = strdup(util_fd_path(fd));
	refused(&f, -EINVAL, "take a kernel for pseries");
	close(fd);
}

static void test_refused(void)
{
	struct fixture f;

	setup(&f);
	f.cfg.virtio_transport = TRANSPORT_MMIO;
	refused(&f, -EINVAL, "--virtio-transport mmio");
	setup(&f);
	f.cfg.pmu = CONFIG_OFF;
	refused(&f, -EINVAL, "--pmu=off");
	setup(&f);
	fake_kvm_set_cap(KVM_CAP_PPC_ALLOC_HTAB, 0);
	refused(&f, -ENOSYS, "load kvm_hv");
}

static void test_compat(void)
{
	struct fixture f;

	setup(&f);
	f.cfg.ppc_compat_pvr = PPC_COMPAT_POWER9;
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(fake_kvm_reg(KVM_REG_PPC_ARCH_COMPAT), PPC_COMPAT_POWER9);
	CHECK_EQ(f.vm->arch->cpu.pvr, PPC_COMPAT_POWER9);
	CHECK(f.vm->arch->cpu.radix);
	teardown(&f);
	setup(&f);
	f.cfg.ppc_compat_pvr = PPC_COMPAT_POWER8;
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK(!f.vm->arch->cpu.radix);
	teardown(&f);
	setup(&f);
	f.cfg.ppc_compat_pvr = PPC_COMPAT_POWER11;
	fake_kvm_reg_error(KVM_REG_PPC_ARCH_COMPAT, 0, EINVAL);
	refused(&f, -EINVAL, "this host has no power11 guests");
}

/* POWER8's vCPUs would be threads of one core. */
static void test_smt(void)
{
	struct fixture f;

	setup(&f);
	fake_kvm_set_cap(KVM_CAP_PPC_SMT, 8);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(f.smt, 1);
	teardown(&f);
}

/* ---- running ------------------------------------------------------------------------------------ */

static void hcall(struct kvm_run *run, uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	run->exit_reason = KVM_EXIT_PAPR_HCALL;
	run->papr_hcall.nr = nr;
	run->papr_hcall.args[0] = a;
	run->papr_hcall.args[1] = b;
	run->papr_hcall.args[2] = c;
	run->papr_hcall.args[3] = d;
}

/* An RTAS call with a block for each vCPU. */
static uint64_t rtas(struct fixture *f, struct kvm_run *run, unsigned int cpu, const char *name,
		     unsigned int nr_args, uint32_t a, uint32_t b, uint32_t c)
{
	uint64_t block = BLOCK + 256 * cpu;
	uint8_t *p = memory_ptr(&f->vm->memory, block, 256);

	put_be32(p, ppc_rtas_token(name));
	put_be32(p + 4, nr_args);
	put_be32(p + 8, 2);
	put_be32(p + 12, a);
	put_be32(p + 16, b);
	put_be32(p + 20, c);
	if (nr_args < 3)
		put_be32(p + 12 + 4 * nr_args, 0x5a5a5a5a);
	hcall(run, KVMPPC_H_RTAS, block, 0, 0, 0);
	return block;
}

static int32_t rtas_result(const struct fixture *f, unsigned int cpu, unsigned int at)
{
	return (int32_t)get_be32(memory_ptr(&f->vm->memory, BLOCK + 256 * cpu + 12 + 4 * at, 4));
}

static void run(struct fixture *f, fake_kvm_run_fn *fn, unsigned int nr_cpus, enum outcome_kind outcome)
{
	setup(f);
	fake_kvm_on_run(fn, f);
	f->cfg.nr_cpus = nr_cpus;
	f->cfg.timeout_ms = 20000;
	test_stderr_begin();
	CHECK_EQ(vm_create(&f->vm, &f->cfg), 0);
	CHECK_EQ(vm_run(f->vm), 0);
	(void)test_stderr_end();
	CHECK_EQ(f->vm->outcome.kind, outcome);
}

/* CPU 0 sets the byte order, starts CPU 1, which stops itself, starts it again; that powers off. */
static int start_and_stop(struct kvm_run *run, unsigned int cpu, uint64_t nth, void *opaque)
{
	struct fixture *f = opaque;
	unsigned int step = atomic_load(&f->step);

	(void)nth;
	if (cpu == 1) {
		CHECK(step >= 4);
		if (step == 4) {
			CHECK_EQ(f->regs.pc, 0x4000);
			CHECK_EQ(f->regs.gpr[3], 0x55);
			CHECK_EQ(f->regs.msr, 0x8000000000001000);
			rtas(f, run, 1, "stop-self", 0, 0, 0, 0);
			atomic_store(&f->step, 5);
			return 0;
		}
		CHECK_EQ(f->regs.gpr[3], 0x66);
		rtas(f, run, 1, "power-off", 2, 0, 0, 0);
		return 0;
	}
	switch (step) {
	case 0:
		hcall(run, H_SET_MODE, 1, 4, 0, 0);
		break;
	case 1:
		CHECK_EQ(run->papr_hcall.ret, H_SUCCESS);
		hcall(run, 0x7ff8, 0, 0, 0, 0);
		break;
	case 2:
		CHECK_EQ(run->papr_hcall.ret, (uint64_t)H_FUNCTION);
		rtas(f, run, 0, "query-cpu-stopped-state", 1, 1, 0, 0);
		break;
	case 3:
		CHECK_EQ(rtas_result(f, 0, 1), 0);
		CHECK_EQ(rtas_result(f, 0, 2), RTAS_CPU_STOPPED);
		rtas(f, run, 0, "start-cpu", 3, 1, 0x4000, 0x55);
		break;
	case 4: /* CPU 1's turn, after which nobody kicks this one */
		while (atomic_load(&f->step) == 4 && !run->immediate_exit)
			usleep(200);
		run->exit_reason = KVM_EXIT_INTR;
		return -EINTR;
	case 5: /* until it is seen to be stopped */
		rtas(f, run, 0, "query-cpu-stopped-state", 1, 1, 0, 0);
		break;
	case 6:
		if (rtas_result(f, 0, 2) != RTAS_CPU_STOPPED) {
			atomic_store(&f->step, 5);
			usleep(200);
			return -EINTR;
		}
		rtas(f, run, 0, "start-cpu", 3, 1, 0x5000, 0x66);
		break;
	default:
		if (step == 7)
			CHECK_EQ(rtas_result(f, 0, 3), 0);
		return fake_kvm_idle(run);
	}
	atomic_store(&f->step, step + 1);
	return 0;
}

static void test_cpus(void)
{
	struct fixture f;

	run(&f, start_and_stop, 2, OUTCOME_POWEROFF);
	CHECK_EQ(fake_kvm_reg(KVM_REG_PPC_LPCR_64) & PPC_LPCR_ILE, PPC_LPCR_ILE);
	CHECK_EQ(f.nr_set_regs, 3);
	teardown(&f);
}

static int panic_and_reboot(struct kvm_run *run, unsigned int cpu, uint64_t nth, void *opaque)
{
	struct fixture *f = opaque;

	(void)cpu;
	if (nth)
		rtas(f, run, 0, "system-reboot", 0, 0, 0, 0);
	else
		rtas(f, run, 0, "ibm,os-term", 1, 0x2000, 0, 0);
	return 0;
}

static int reboot(struct kvm_run *run, unsigned int cpu, uint64_t nth, void *opaque)
{
	(void)cpu;
	(void)nth;
	rtas(opaque, run, 0, "system-reboot", 0, 0, 0, 0);
	return 0;
}

static int stop_self(struct kvm_run *run, unsigned int cpu, uint64_t nth, void *opaque)
{
	(void)nth;
	rtas(opaque, run, cpu, "stop-self", 0, 0, 0, 0);
	return 0;
}

static void test_outcomes(void)
{
	struct fixture f;

	run(&f, panic_and_reboot, 1, OUTCOME_PANIC);
	CHECK(strstr(f.vm->outcome.text, "told through RTAS") != NULL);
	teardown(&f);
	run(&f, reboot, 1, OUTCOME_REBOOT);
	teardown(&f);
	/* The other CPU was never started. */
	run(&f, stop_self, 2, OUTCOME_HUNG);
	teardown(&f);
}

/* An MSI is an edge of the source that its data names; numbers of other sources are none. */
static void test_msi(void)
{
	struct msi_message msg = { .data = PSERIES_IRQ_MSI + 3 };
	struct fixture f;

	setup(&f);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(pseries_xics_use(f.vm), 0);
	CHECK_EQ(msi_send(&f.vm->msi, &msg), 0);
	CHECK_EQ(f.irq, PSERIES_IRQ_MSI + 3);
	CHECK_EQ(f.nr_irqs, 1);
	msg.data = PSERIES_IRQ_VTY;
	CHECK_EQ(msi_send(&f.vm->msi, &msg), -EINVAL);
	msg.data = UINT32_MAX;
	CHECK_EQ(msi_send(&f.vm->msi, &msg), -EINVAL);
	CHECK_EQ(f.nr_irqs, 1);
	teardown(&f);
}

/* ---- XIVE --------------------------------------------------------------------------------------- */

static void test_irqchip(void)
{
	static const struct {
		const char *wanted, *params;
		uint32_t    pvr;
		int         cap;
		bool        flat, small_pages;
		const struct pseries_irqchip *chip;
	} rows[] = {
		{ .cap = 1, .chip = &pseries_xive },
		{ .cap = 1, .flat = true, .chip = &pseries_xics },
		{ .cap = 0, .chip = &pseries_xics },
		{ .cap = 1, .small_pages = true, .chip = &pseries_xics },
		{ .wanted = "xics", .cap = 1, .chip = &pseries_xics },
		{ .wanted = "xive", .cap = 1, .chip = &pseries_xive },
		/* It only makes Linux say that it does not obey. */
		{ .wanted = "xive", .params = "xive=off", .cap = 1, .chip = &pseries_xive },
		{ .params = "quiet xive=off", .cap = 1, .chip = &pseries_xics },
		{ .pvr = PPC_COMPAT_POWER8, .cap = 1, .chip = &pseries_xics },
		{ .pvr = PPC_COMPAT_POWER9, .cap = 1, .chip = &pseries_xive },
	};
	static const uint8_t kernel[4096] = { 0x48, 0x00, 0x00, 0x08 };
	int fd = util_memfd(kernel, sizeof(kernel));
	struct fixture f;

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(&f);
		if (!rows[i].flat) {
			free(f.cfg.firmware);
			f.cfg.firmware = NULL;
			f.cfg.kernel = strdup(util_fd_path(fd));
		}
		fake_kvm_set_cap(KVM_CAP_PPC_IRQ_XIVE, rows[i].cap);
		if (rows[i].small_pages)
			fake_kvm_set_page_bytes(KIB(4));
		f.cfg.irqchip = rows[i].wanted ? strdup(rows[i].wanted) : NULL;
		f.cfg.params = rows[i].params ? strdup(rows[i].params) : NULL;
		f.cfg.ppc_compat_pvr = rows[i].pvr;
		CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
		if (f.vm->arch->irqchip != rows[i].chip)
			test_fail(__FILE__, __LINE__, "row %u: %s", i, f.vm->arch->irqchip->name);
		teardown(&f);
	}
	close(fd);

	setup(&f);
	f.cfg.irqchip = strdup("xive");
	refused(&f, -ENODEV, "--irqchip xive: this host");
	setup(&f);
	fake_kvm_set_cap(KVM_CAP_PPC_IRQ_XIVE, 1);
	fake_kvm_set_page_bytes(KIB(4));
	f.cfg.irqchip = strdup("xive");
	refused(&f, -ENODEV, "--irqchip xive: this host's kernel has pages of 4 KiB, and KVM shares an XIVE in pages of 64 "
			     "KiB only; use xics");
	setup(&f);
	f.cfg.irqchip = strdup("xive");
	f.cfg.ppc_compat_pvr = PPC_COMPAT_POWER8;
	refused(&f, -ENODEV, "--irqchip xive: --max-cpu-compat is for CPUs without; use xics");
	setup(&f);
	f.cfg.irqchip = strdup("plic");
	refused(&f, -EINVAL, "--irqchip plic: unknown, this arch has xive and xics");
}

static int64_t xive_call(struct fixture *f, uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	struct ppc_hcall call = { .nr = nr, .args = { a, b, c, d, e } };

	ppc_hcall_serve(&f->vm->arch->hcalls, &call);
	return call.ret;
}

static void setup_xive(struct fixture *f)
{
	setup(f);
	fake_kvm_set_cap(KVM_CAP_PPC_IRQ_XIVE, 1);
	f->cfg.irqchip = strdup("xive");
	f->cfg.nr_cpus = 3;
	f->cfg.rng = true;
	CHECK_EQ(vm_create(&f->vm, &f->cfg), 0);
}

/* The sources are one piece: terminals, INTx, messages, CPUs. Their pages, and those of CPUs, are the guest's. */
static void test_xive(void)
{
	const struct pseries_xive *xive;
	struct fixture f;

	setup_xive(&f);
	xive = &f.vm->arch->xive;
	CHECK_EQ(f.xive, 3);
	CHECK_EQ(f.xics, 0);
	CHECK_EQ(f.tokens, 0);
	CHECK(f.nr_sources > 6 + 3);
	for (unsigned int i = 0; i < f.nr_sources; i++) {
		CHECK_EQ(f.sources[i], PSERIES_IRQ_FIRST + i);
		CHECK_EQ(f.levels[i], i >= 2 && i < 6);
	}
	CHECK_EQ(xive->ipis, PSERIES_IRQ_FIRST + f.nr_sources - 3);
	CHECK_EQ(f.slots[0].guest_phys_addr, PSERIES_XIVE_TIMA_BASE + 0x20000);
	CHECK_EQ(f.slots[0].memory_size, 0x10000);
	CHECK_EQ(f.slots[0].userspace_addr, (uintptr_t)xive->tima + 0x20000);
	CHECK_EQ(f.slots[1].guest_phys_addr, PSERIES_XIVE_ESB_BASE);
	CHECK_EQ(f.slots[1].memory_size, f.nr_sources * 0x20000);
	CHECK_EQ(f.slots[1].userspace_addr, (uintptr_t)xive->esb + PSERIES_IRQ_FIRST * 0x20000);
	/* Pages of a device are no memory for others. */
	CHECK(!memory_ptr(&f.vm->memory, PSERIES_XIVE_ESB_BASE, 8));
	teardown(&f);
}

static void test_xive_calls(void)
{
	uint32_t lisn = PSERIES_IRQ_MSI;
	struct ppc_hcall load = { .nr = H_INT_ESB, .args = { 0, lisn, 0xc00 } };
	struct msi_message msg = { .data = lisn };
	struct fixture f;
	uint8_t *page;

	setup_xive(&f);
	CHECK_EQ(xive_call(&f, H_INT_SET_QUEUE_CONFIG, 1, 2, 6, 0x10000, 16), H_SUCCESS);
	CHECK_EQ(f.queue_id, 2 << 3 | 6);
	CHECK_EQ(f.queue.flags, KVM_XIVE_EQ_ALWAYS_NOTIFY);
	CHECK_EQ(f.queue.qaddr, 0x10000);
	CHECK_EQ(f.queue.qshift, 16);
	/* Where a new one begins: KVM would restore anything else. */
	CHECK_EQ(f.queue.qindex, 0);
	CHECK_EQ(f.queue.qtoggle, 1);
	CHECK_EQ(xive_call(&f, H_INT_GET_QUEUE_CONFIG, 1, 2, 6, 0, 0), H_SUCCESS);
	CHECK_EQ(xive_call(&f, H_INT_SET_SOURCE_CONFIG, 2, lisn, 2, 6, 0x77), H_SUCCESS);
	CHECK_EQ(f.source_config, UINT64_C(0x77) << 33 | 2 << 3 | 6);
	CHECK_EQ(xive_call(&f, H_INT_SET_SOURCE_CONFIG, 0, lisn, 2, 0xff, 0), H_SUCCESS);
	CHECK(f.source_config & KVM_XIVE_SOURCE_MASKED_MASK);
	CHECK_EQ(xive_call(&f, H_INT_SYNC, 0, lisn, 0, 0, 0), H_SUCCESS);
	CHECK_EQ(f.syncs, 1);
	CHECK_EQ(xive_call(&f, H_INT_RESET, 0, 0, 0, 0, 0), H_SUCCESS);
	CHECK_EQ(f.resets, 1);
	CHECK_EQ(xive_call(&f, 0x3c0, 0, 0, 0, 0, 0), H_FUNCTION);

	/* A store to the first page triggers; the second one's registers are big-endian. */
	page = (uint8_t *)f.vm->arch->xive.esb + lisn * 0x20000;
	memset(page, 0xff, 8);
	CHECK_EQ(msi_send(&f.vm->msi, &msg), 0);
	CHECK_EQ(get_be64(page), 0);
	CHECK_EQ(f.nr_irqs, 0);
	/* There are no pages behind those of all sources. */
	msg.data = PSERIES_IRQ_MSI + PSERIES_NR_MSI - 1;
	CHECK_EQ(msi_send(&f.vm->msi, &msg), 0);
	put_be64(page + 0x10000 + 0xc00, 2);
	ppc_hcall_serve(&f.vm->arch->hcalls, &load);
	CHECK_EQ(load.ret, H_SUCCESS);
	CHECK_EQ(load.args[0], 2);
	CHECK_EQ(xive_call(&f, H_INT_ESB, 1, lisn, 0x400, 0x12, 0), H_SUCCESS);
	CHECK_EQ(get_be64(page + 0x10000 + 0x400), 0x12);
	teardown(&f);
}

/* Each device has sources; a virtio console takes the vterm's place. */
static void test_devices(void)
{
	struct fixture f;

	setup(&f);
	f.cfg.console = CONSOLE_VIRTIO;
	f.cfg.rng = true;
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(f.vm->arch->hcalls.vtys[0], 0);
	CHECK_EQ(pseries_xics_use(f.vm), 0);
	/* INTx are levels, messages are not. */
	CHECK(f.nr_sources > 4);
	CHECK_EQ(f.sources[0], PSERIES_IRQ_PCI_INTX);
	CHECK(f.levels[0] && f.levels[3]);
	CHECK_EQ(f.sources[4], PSERIES_IRQ_MSI);
	CHECK(!f.levels[4]);
	teardown(&f);
}

const struct test vm_pseries_tests[] = {
	{ "entry", test_entry },
	{ "xics", test_xics },
	{ "mmu", test_mmu },
	{ "htab_fallback", test_htab_fallback },
	{ "refused", test_refused },
	{ "wrong_kernel", test_wrong_kernel },
	{ "compat", test_compat },
	{ "smt", test_smt },
	{ "cpus", test_cpus },
	{ "outcomes", test_outcomes },
	{ "msi", test_msi },
	{ "irqchip", test_irqchip },
	{ "xive", test_xive },
	{ "xive_calls", test_xive_calls },
	{ "devices", test_devices },
	{ 0 },
};
