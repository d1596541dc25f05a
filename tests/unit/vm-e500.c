// SPDX-License-Identifier: GPL-2.0-only
/* e500's vCPU set-up and exits against a fake KVM; 32-bit powerpc only. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/arch.h"
#include "lkvm/byteorder.h"
#include "lkvm/doctor.h"
#include "lkvm/vm.h"
#include "powerpc/arch.h"
#include "powerpc/e500-layout.h"
#include "powerpc/e500.h"
#include "tests/unit/fake-kvm.h"
#include "tests/unit/image-util.h"
#include "tests/unit/test.h"
#include "tests/unit/vm-fixture.h"

/* What lkvm told KVM. */
struct fixture {
	struct config cfg;
	struct vm    *vm;
	int           fds;

	struct kvm_regs   regs;
	struct kvm_config_tlb tlb;
	struct kvm_book3e_206_tlb_params geometry;
	uint64_t          dirty_byte; /* of the bitmap: that with a bit set */
	uint8_t           dirty;
	uint64_t          mpic_base;
	bool              mpic_connected, watchdog;
	uint64_t          irq;
	uint32_t          level;
};

static void note_cap(struct fixture *f, const struct kvm_enable_cap *cap)
{
	if (cap->cap == KVM_CAP_SW_TLB) {
		memcpy(&f->tlb, (const void *)(uintptr_t)cap->args[0], sizeof(f->tlb));
		memcpy(&f->geometry, (const void *)(uintptr_t)f->tlb.params, sizeof(f->geometry));
	}
	f->mpic_connected |= cap->cap == KVM_CAP_IRQ_MPIC && cap->args[1] == 0;
	f->watchdog |= cap->cap == KVM_CAP_PPC_BOOKE_WATCHDOG;
}

static int note_ioctl(int fd, unsigned long request, unsigned long arg, void *opaque)
{
	const void *p = (const void *)arg;
	const struct kvm_device_attr *attr = p;
	struct fixture *f = opaque;

	(void)fd;
	switch (request) {
	case KVM_SET_REGS:
		memcpy(&f->regs, p, sizeof(f->regs));
		break;
	case KVM_ENABLE_CAP:
		note_cap(f, p);
		break;
	case KVM_DIRTY_TLB: {
		const struct kvm_dirty_tlb *dirty = p;
		const uint8_t *bitmap = (const void *)(uintptr_t)dirty->bitmap;

		CHECK_EQ(dirty->num_dirty, 1);
		while (!bitmap[f->dirty_byte])
			f->dirty_byte++;
		f->dirty = bitmap[f->dirty_byte];
		break;
	}
	case KVM_SET_DEVICE_ATTR:
		if (attr->group == KVM_DEV_MPIC_GRP_MISC && attr->attr == KVM_DEV_MPIC_BASE_ADDR) {
			memcpy(&f->mpic_base, (const void *)(uintptr_t)attr->addr, 8);
		} else if (attr->group == KVM_DEV_MPIC_GRP_IRQ_ACTIVE) {
			f->irq = attr->attr;
			memcpy(&f->level, (const void *)(uintptr_t)attr->addr, 4);
		}
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
	vm_fixture_host();
	vm_fixture_config(&f->cfg);
	test_stderr_begin();
}

static void teardown(struct fixture *f)
{
	test_stderr_end();
	vm_destroy(f->vm);
	vm_fixture_free(&f->cfg);
	CHECK_EQ(test_open_fds(), f->fds);
}

/* ePAPR's entry, and the TLB entry that the guest starts with. */
static void test_entry(void)
{
	struct fixture f;
	struct walk w;

	setup(&f);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(f.regs.pc, 0);
	CHECK_EQ(f.regs.msr, 0);
	CHECK(f.regs.gpr[1] != 0);
	CHECK_EQ(f.regs.gpr[3], f.vm->boot.fdt);
	CHECK_EQ(f.regs.gpr[4], 0);
	CHECK_EQ(f.regs.gpr[5], 0);
	CHECK_EQ(f.regs.gpr[6], 0x45504150);
	CHECK_EQ(f.regs.gpr[7], MIB(64));
	CHECK_EQ(f.regs.gpr[8], 0);
	CHECK_EQ(f.regs.gpr[9], 0);

	CHECK_EQ(f.tlb.mmu_type, KVM_MMU_FSL_BOOKE_NOHV);
	CHECK_EQ(f.tlb.array_len, 528 * 24);
	CHECK_EQ(f.tlb.array, (uintptr_t)f.vm->vcpus[0]->arch->tlb);
	CHECK_EQ(f.tlb.array % 4096, 0);
	CHECK_EQ(f.geometry.tlb_sizes[0], 512);
	CHECK_EQ(f.geometry.tlb_ways[0], 4);
	CHECK_EQ(f.geometry.tlb_sizes[1], 16);
	CHECK_EQ(f.geometry.tlb_ways[1], 16);
	CHECK_EQ(f.geometry.tlb_sizes[2] | f.geometry.tlb_ways[3], 0);
	CHECK_EQ(f.vm->vcpus[0]->arch->tlb->tlb1[0].mas1, 0xc0000800); /* valid, protected, 64 MiB */
	CHECK_EQ(f.dirty_byte * 8, 512);
	CHECK_EQ(f.dirty, 1);
	/* Nothing but RAM is mapped, and the device tree is. */
	arch_vcpu_translate(f.vm->vcpus[0], f.vm->boot.fdt, false, &w);
	CHECK_EQ(w.result, WALK_MAPPED);
	CHECK_EQ(w.gpa, f.vm->boot.fdt);
	CHECK(memory_find(&f.vm->memory, w.gpa) != NULL);
	arch_vcpu_translate(f.vm->vcpus[0], MIB(64), true, &w);
	CHECK_EQ(w.result, WALK_UNMAPPED);
	CHECK(f.watchdog);
	teardown(&f);
}

static void test_interrupts(void)
{
	struct irq_line line;
	struct fixture f;

	setup(&f);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(f.mpic_base, PPC_E500_MPIC_BASE);
	CHECK(f.mpic_connected);
	line = arch_irq_line(f.vm, 50);
	irq_line_set(&line, true);
	CHECK_EQ(f.irq, 50);
	CHECK_EQ(f.level, 1);
	irq_line_set(&line, false);
	CHECK_EQ(f.level, 0);
	/* Lines are levels; an eventfd would be an edge. */
	CHECK_EQ(irq_line_attach_eventfd(&line, 0), -ENOTSUP);
	teardown(&f);
}

/* What a flat 64-bit kernel begins with: it would run into nothing that can be reported. */
static void test_wrong_kernel(void)
{
	static const uint8_t kernel[4096] = { 0x08, 0x00, 0x00, 0x48 };
	struct fixture f;
	int fd;

	setup(&f);
	fd = util_memfd(kernel, sizeof(kernel));
	free(f.cfg.firmware);
	f.cfg.firmware = NULL;
	f.cfg.kernel = strdup(util_fd_path(fd));
	CHECK_EQ(vm_create(&f.vm, &f.cfg), -EINVAL);
	CHECK(strstr(test_stderr_end(), "take a kernel for e500"));
	test_stderr_begin();
	close(fd);
	teardown(&f);
}

static void test_refused(void)
{
	static const struct {
		unsigned int         nr_cpus;
		enum config_tristate pmu;
		const char          *expect;
		int                  ret;
	} rows[] = {
		{ 2, CONFIG_AUTO, "--cpus 2", -EINVAL },
		{ 1, CONFIG_ON, "--pmu", -ENODEV },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;
		const char *text;

		setup(&f);
		f.cfg.nr_cpus = rows[i].nr_cpus;
		f.cfg.pmu = rows[i].pmu;
		CHECK_EQ(vm_create(&f.vm, &f.cfg), rows[i].ret);
		text = test_stderr_end();
		CHECK(strstr(text, rows[i].expect) != NULL);
		test_stderr_begin();
		teardown(&f);
	}
}

/* An optional one: without it the guest runs as well. */
static void test_no_watchdog(void)
{
	bool seen = false;

	for (unsigned int n = 1; !seen && n < 100; n++) {
		struct fixture f;

		setup(&f);
		fake_kvm_fail(n, EINVAL);
		if (vm_create(&f.vm, &f.cfg))
			f.vm = NULL;
		/* The first KVM_ENABLE_CAP is the TLB's, the last the MPIC's. */
		seen = fake_kvm_failed_request() == KVM_ENABLE_CAP && f.vm;
		teardown(&f);
	}
	CHECK(seen);
}

/* ---- exits ------------------------------------------------------------------------------------ */

static int exit_of(struct kvm_run *run, unsigned int index, uint64_t nth, void *opaque)
{
	(void)index;
	(void)nth;
	memcpy(run, opaque, sizeof(*run));
	return 0;
}

static void write_word(struct kvm_run *run, uint64_t addr, uint32_t value)
{
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = addr;
	run->mmio.len = 4;
	run->mmio.is_write = 1;
	put_be32(run->mmio.data, value);
}

static void test_exits(void)
{
	static const enum outcome_kind kinds[] = { OUTCOME_HUNG, OUTCOME_REBOOT, OUTCOME_VCPU_FAILED };

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct kvm_run run = { 0 };
		struct fixture f;

		setup(&f);
		if (i == 0)
			run.exit_reason = KVM_EXIT_WATCHDOG;
		else if (i == 1)
			write_word(&run, PPC_E500_GUTS_BASE + PPC_E500_GUTS_RSTCR, PPC_E500_RSTCR_HRESET);
		else
			run.exit_reason = KVM_EXIT_EPR; /* only with an MPIC in user space */
		fake_kvm_on_run(exit_of, &run);
		CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
		CHECK_EQ(vm_run(f.vm), 0);
		CHECK_EQ(f.vm->outcome.kind, kinds[i]);
		teardown(&f);
	}
}

static int power_off(struct kvm_run *run, unsigned int index, uint64_t nth, void *opaque)
{
	(void)index;
	(void)opaque;
	write_word(run, PPC_E500_GPIO_BASE + (nth ? PPC_E500_GPIO_DAT : PPC_E500_GPIO_DIR),
		   PPC_E500_GPIO_POWER_BIT);
	return 0;
}

static void test_power_off(void)
{
	struct fixture f;

	setup(&f);
	fake_kvm_on_run(power_off, NULL);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(vm_run(f.vm), 0);
	CHECK_EQ(f.vm->outcome.kind, OUTCOME_POWEROFF);
	teardown(&f);
}

/* A report has the TLB in it. */
static void test_regs(void)
{
	struct reg_set set = { 0 };
	struct fixture f;

	setup(&f);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	arch_vcpu_regs(f.vm->vcpus[0], &set);
	CHECK(set.big_endian);
	CHECK_EQ(set.bits, 32);
	CHECK(reg_find(&set, ROLE_FAULT) != NULL);
	CHECK_EQ(set.nr_notes, 1);
	CHECK_STR(set.notes[0], "tlb1[0] 0x00000000 -> 0x000000000, 65536 KiB, kernel rwx, user rwx, space 0, pid 0");
	teardown(&f);
}

const struct test vm_e500_tests[] = {
	{ "entry", test_entry },
	{ "interrupts", test_interrupts },
	{ "refused", test_refused },
	{ "wrong_kernel", test_wrong_kernel },
	{ "no_watchdog", test_no_watchdog },
	{ "exits", test_exits },
	{ "power_off", test_power_off },
	{ "regs", test_regs },
	{ 0 },
};
