// SPDX-License-Identifier: GPL-2.0-only
/* riscv's vCPU set-up and exits against a fake KVM; riscv64 only. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lkvm/arch.h"
#include "lkvm/vm.h"
#include "riscv/arch.h"
#include "riscv/layout.h"
#include "tests/unit/fake-kvm.h"
#include "tests/unit/test.h"
#include "tests/unit/vm-fixture.h"

#define VLENB (KVM_REG_RISCV | KVM_REG_SIZE_U64 | KVM_REG_RISCV_VECTOR | KVM_REG_RISCV_VECTOR_CSR_REG(vlenb))

struct fixture {
	struct config cfg;
	struct vm    *vm;
	int           fds;
};

/* A host with everything that lkvm turns on or off. */
static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->fds = test_open_fds();
	fake_kvm_reset();
	vm_fixture_host();
	fake_kvm_set_reg(RISCV_REG_SBI(RISCV_SBI_EXT_SUSP), 0);
	fake_kvm_set_reg(RISCV_REG_SBI(RISCV_SBI_EXT_PMU), 1);
	fake_kvm_set_reg(RISCV_REG_ISA(RISCV_ISA_EXT_I), 1);
	fake_kvm_set_reg(RISCV_REG_ISA(RISCV_ISA_EXT_SSAIA), 1);
	fake_kvm_set_reg(RISCV_REG_ISA(RISCV_ISA_EXT_ZICBOZ), 0); /* there, but off */
	vm_fixture_config(&f->cfg);
}

/* As --isa NAME=V. */
static void choose(struct fixture *f, const char *name, uint64_t v)
{
	unsigned int slot = riscv_config_slot(riscv_config_by_name(name));

	f->cfg.riscv.config[slot] = v;
	f->cfg.riscv.config_set |= 1u << slot;
}

static void teardown(struct fixture *f)
{
	vm_destroy(f->vm);
	vm_fixture_free(&f->cfg);
	CHECK_EQ(test_open_fds(), f->fds);
}

static void test_entry(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(fake_kvm_reg(RISCV_REG_CORE(RISCV_CORE_PC)), RISCV_RAM_BASE);
	CHECK_EQ(fake_kvm_reg(RISCV_REG_CORE(RISCV_CORE_A0)), 0);
	CHECK_EQ(fake_kvm_reg(RISCV_REG_CORE(RISCV_CORE_A1)), f.vm->boot.fdt);
	CHECK_EQ(fake_kvm_reg(RISCV_REG_SBI(RISCV_SBI_EXT_DBCN)), 1);
	CHECK_EQ(fake_kvm_reg(RISCV_REG_SBI(RISCV_SBI_EXT_SUSP)), 1);
	CHECK(riscv_isa_has(&f.vm->arch->cpu.isa, RISCV_ISA_EXT_I));
	CHECK(riscv_isa_has(&f.vm->arch->cpu.isa, RISCV_ISA_EXT_SSAIA));
	CHECK(!riscv_isa_has(&f.vm->arch->cpu.isa, RISCV_ISA_EXT_ZICBOZ));
	CHECK_EQ(f.vm->arch->cpu.timebase_hz, 10000000);
	CHECK_EQ(f.vm->arch->cpu.cbom_block_bytes, 64);
	CHECK_EQ(f.vm->arch->cpu.satp_mode, 8);
	teardown(&f);
}

/* A KVM that can't list its registers is asked for each. */
static void test_no_reg_list(void)
{
	struct fixture f;
	bool seen = false;

	for (unsigned int n = 1; !seen && n < 100; n++) {
		setup(&f);
		fake_kvm_fail(n, ENOTTY);
		test_stderr_begin();
		if (vm_create(&f.vm, &f.cfg))
			f.vm = NULL;
		test_stderr_end();
		seen = fake_kvm_failed_request() == KVM_GET_REG_LIST;
		if (seen) {
			CHECK(f.vm != NULL);
			CHECK(f.vm && riscv_isa_has(&f.vm->arch->cpu.isa, RISCV_ISA_EXT_I));
			CHECK_EQ(fake_kvm_reg(RISCV_REG_SBI(RISCV_SBI_EXT_DBCN)), 1);
		}
		teardown(&f);
	}
	CHECK(seen);
}

/* A virtio console is the guest's only hvc. */
static void test_dbcn_off(void)
{
	struct fixture f;

	setup(&f);
	f.cfg.console = CONSOLE_VIRTIO;
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(fake_kvm_reg(RISCV_REG_SBI(RISCV_SBI_EXT_DBCN)), 0);
	teardown(&f);
}

static void test_pmu(void)
{
	struct fixture f;
	const char *text;

	setup(&f);
	f.cfg.pmu = CONFIG_OFF;
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(fake_kvm_reg(RISCV_REG_SBI(RISCV_SBI_EXT_PMU)), 0);
	teardown(&f);

	setup(&f);
	fake_kvm_reg_error(RISCV_REG_SBI(RISCV_SBI_EXT_PMU), ENOENT, ENOENT);
	fake_kvm_reg_error(RISCV_REG_ISA(RISCV_ISA_EXT_SSCOFPMF), ENOENT, ENOENT);
	f.cfg.pmu = CONFIG_ON;
	test_stderr_begin();
	CHECK_EQ(vm_create(&f.vm, &f.cfg), -ENOENT);
	text = test_stderr_end();
	CHECK(strstr(text, "--pmu") != NULL);
	CHECK(strstr(text, "Sscofpmf") != NULL);
	f.vm = NULL;
	teardown(&f);

	/* Nothing to turn off, nothing asked for: both are fine. */
	for (int i = 0; i < 2; i++) {
		setup(&f);
		fake_kvm_reg_error(RISCV_REG_SBI(RISCV_SBI_EXT_PMU), ENOENT, ENOENT);
		f.cfg.pmu = i ? CONFIG_OFF : CONFIG_AUTO;
		CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
		teardown(&f);
	}
}

#define ZBA 17

/* vm_create() fails with @err and says @text, in one line. */
static void refused(struct fixture *f, int err, const char *expected)
{
	const char *text;

	test_stderr_begin();
	CHECK_EQ(vm_create(&f->vm, &f->cfg), err);
	text = test_stderr_end();
	if (!strstr(text, expected) || strchr(text, '\n') != strrchr(text, '\n'))
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", text, expected);
	f->vm = NULL;
	teardown(f);
}

static void test_extensions(void)
{
	struct fixture f;

	setup(&f);
	fake_kvm_set_reg(RISCV_REG_ISA(ZBA), 1);
	f.cfg.nr_cpus = 2;
	f.cfg.riscv.isa[ZBA] = CONFIG_OFF;
	f.cfg.riscv.isa[RISCV_ISA_EXT_ZICBOZ] = CONFIG_ON;
	f.cfg.riscv.sbi[RISCV_SBI_EXT_DBCN] = CONFIG_OFF;
	choose(&f, "mvendorid", 0x489);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(fake_kvm_reg(RISCV_REG_ISA(ZBA)), 0);
	CHECK_EQ(fake_kvm_reg(RISCV_REG_ISA(RISCV_ISA_EXT_ZICBOZ)), 1);
	CHECK_EQ(fake_kvm_reg(RISCV_REG_SBI(RISCV_SBI_EXT_DBCN)), 0);
	CHECK_EQ(fake_kvm_reg(RISCV_REG_CONFIG(2)), 0x489);
	/* What the device tree is written from. */
	CHECK(f.vm && !riscv_isa_has(&f.vm->arch->cpu.isa, ZBA));
	CHECK(f.vm && riscv_isa_has(&f.vm->arch->cpu.isa, RISCV_ISA_EXT_ZICBOZ));
	CHECK(f.vm && !(f.vm->arch->cpu.sbi_on >> RISCV_SBI_EXT_DBCN & 1));
	CHECK(f.vm && strstr(f.vm->boot.cmdline, "earlycon=sbi") == NULL);
	teardown(&f);

	/* Off what is not there: done. */
	setup(&f);
	fake_kvm_reg_error(RISCV_REG_ISA(ZBA), ENOENT, ENOENT);
	f.cfg.riscv.isa[ZBA] = CONFIG_OFF;
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	teardown(&f);
}

/* Each refusal of KVM is a sentence of its own. */
static void test_extension_errors(void)
{
	static const struct {
		int         get, set;
		bool        on;
		int         ret;
		const char *says;
	} cases[] = {
		{ ENOENT, 0, true, -ENOENT, "--isa zba=on: this host has none: its CPUs" },
		{ EINVAL, 0, true, -ENOENT, "--isa zba=on: this host has none" },
		{ 0, EINVAL, true, -EINVAL, "this host has it, but KVM does not let guests use it" },
		{ 0, EINVAL, false, -EINVAL, "--isa zba=off: vCPU 0: KVM can't take it away from guests" },
		{ 0, EBUSY, false, -EBUSY, "too late, the vCPU has already run" },
		{ 0, EOPNOTSUPP, true, -EOPNOTSUPP, "this host's kernel can't change it" },
		{ EIO, 0, true, -EIO, "Input/output error" },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(&f);
		fake_kvm_set_reg(RISCV_REG_ISA(ZBA), !cases[i].on);
		fake_kvm_reg_error(RISCV_REG_ISA(ZBA), cases[i].get, cases[i].set);
		f.cfg.riscv.isa[ZBA] = cases[i].on ? CONFIG_ON : CONFIG_OFF;
		refused(&f, cases[i].ret, cases[i].says);
	}

	setup(&f);
	fake_kvm_set_reg(RISCV_REG_ISA(ZBA), 1);
	fake_kvm_reg_sticky(RISCV_REG_ISA(ZBA));
	f.cfg.riscv.isa[ZBA] = CONFIG_OFF;
	refused(&f, -EIO, "KVM accepted that, but the extension is still on");

	setup(&f);
	fake_kvm_reg_error(RISCV_REG_SBI(13), ENOENT, ENOENT);
	f.cfg.riscv.sbi[13] = CONFIG_ON;
	refused(&f, -ENOENT, "--sbi mpxy=on: this host has none");

	setup(&f);
	fake_kvm_reg_error(RISCV_REG_CONFIG(6), 0, EINVAL);
	choose(&f, "satp_mode", 10);
	refused(&f, -EINVAL, "--isa satp_mode=0xa: vCPU 0: KVM has this host's value");

	setup(&f);
	fake_kvm_set_reg(RISCV_REG_CONFIG(2), 1);
	fake_kvm_reg_sticky(RISCV_REG_CONFIG(2));
	choose(&f, "mvendorid", 7);
	refused(&f, -EIO, "--isa mvendorid=0x7: vCPU 0: KVM accepted that, but it is 0x1");

	/* vlenb is one of the vector registers, which are there with V alone. */
	setup(&f);
	choose(&f, "vlenb", 32);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(fake_kvm_reg(VLENB), 32);
	teardown(&f);
	setup(&f);
	fake_kvm_reg_error(VLENB, 0, EINVAL);
	choose(&f, "vlenb", 32);
	refused(&f, -EINVAL, "--isa vlenb=0x20: vCPU 0: KVM has this host's value");
	setup(&f);
	fake_kvm_reg_error(VLENB, 0, ENOENT);
	choose(&f, "vlenb", 32);
	refused(&f, -ENOENT, "--isa vlenb=0x20: vCPU 0: this host has none");
	setup(&f);
	fake_kvm_reg_error(VLENB, 0, EBUSY);
	choose(&f, "vlenb", 32);
	refused(&f, -EBUSY, "--isa vlenb=0x20: vCPU 0: too late, the vCPU has already run");

	/* Ssaia goes with the interrupt controller. */
	setup(&f);
	f.cfg.irqchip = strdup("plic");
	f.cfg.riscv.isa[RISCV_ISA_EXT_SSAIA] = CONFIG_ON;
	refused(&f, -EINVAL, "--isa ssaia=on: this guest has a PLIC");
	setup(&f);
	f.cfg.irqchip = strdup("aia");
	f.cfg.riscv.isa[RISCV_ISA_EXT_SSAIA] = CONFIG_OFF;
	refused(&f, -EINVAL, "--isa ssaia=off: --irqchip aia needs it");
	setup(&f);
	f.cfg.riscv.isa[RISCV_ISA_EXT_SSAIA] = CONFIG_OFF;
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK(f.vm && !strcmp(f.vm->arch->irqchip->name, "plic"));
	teardown(&f);
}

/* Creates a VM on a host where KVM_CREATE_DEVICE fails with @err. */
static int create_without_aia(struct fixture *f, const char *irqchip, int err, const char **text)
{
	int ret = -1;

	for (unsigned int n = 1; n < 100; n++) {
		setup(f);
		free(f->cfg.irqchip);
		f->cfg.irqchip = irqchip ? strdup(irqchip) : NULL;
		fake_kvm_fail(n, err);
		test_stderr_begin();
		ret = vm_create(&f->vm, &f->cfg);
		*text = test_stderr_end();
		if (ret)
			f->vm = NULL;
		if (fake_kvm_failed_request() == KVM_CREATE_DEVICE)
			return ret;
		teardown(f);
	}
	CHECK(false);
	setup(f);
	return ret;
}

static void test_irqchip(void)
{
	struct fixture f;
	const char *text;

	setup(&f);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_STR(f.vm->arch->irqchip->name, "aia");
	CHECK(f.vm->msi.send != NULL);
	teardown(&f);

	/* Falls back, without MSIs and without Ssaia in what guests are told. */
	CHECK_EQ(create_without_aia(&f, NULL, ENODEV, &text), 0);
	CHECK_STR(text, "");
	if (f.vm) {
		CHECK_STR(f.vm->arch->irqchip->name, "plic");
		CHECK(f.vm->msi.send == NULL);
		CHECK(!riscv_isa_has(&f.vm->arch->cpu.isa, RISCV_ISA_EXT_SSAIA));
	}
	teardown(&f);

	/* Asked for by name: an error that names the way out. */
	CHECK_EQ(create_without_aia(&f, "aia", ENODEV, &text), -ENODEV);
	CHECK(strstr(text, "--irqchip aia") != NULL && strstr(text, "plic") != NULL);
	teardown(&f);
	CHECK_EQ(create_without_aia(&f, NULL, EBUSY, &text), -EBUSY);
	teardown(&f);
}

/* ---- exits -------------------------------------------------------------------------------------- */

static void sbi_exit(struct kvm_run *run, unsigned long ext, unsigned long fn, unsigned long a0,
		     unsigned long a1)
{
	run->exit_reason = KVM_EXIT_RISCV_SBI;
	run->riscv_sbi.extension_id = ext;
	run->riscv_sbi.function_id = fn;
	memset(run->riscv_sbi.args, 0, sizeof(run->riscv_sbi.args));
	run->riscv_sbi.args[0] = a0;
	run->riscv_sbi.args[1] = a1;
	run->riscv_sbi.ret[0] = run->riscv_sbi.ret[1] = 99;
}

static void power_off(struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
	run->system_event.ndata = 0;
}

/* Each exit's answer is looked at in the next KVM_RUN, as KVM does. */
static int exits(struct kvm_run *run, unsigned int index, uint64_t nth, void *opaque)
{
	static unsigned long seeds[2];

	(void)index;
	(void)opaque;
	switch (nth) {
	case 0:
		sbi_exit(run, SBI_EXT_DBCN, SBI_DBCN_WRITE, 4, RISCV_RAM_BASE);
		return 0;
	case 1:
		CHECK_EQ(run->riscv_sbi.ret[0], 0);
		CHECK_EQ(run->riscv_sbi.ret[1], 4);
		sbi_exit(run, 0x09000000, 1, 0, 0);
		return 0;
	case 2:
		CHECK_EQ(run->riscv_sbi.ret[0], (unsigned long)SBI_ERR_NOT_SUPPORTED);
		CHECK_EQ(run->riscv_sbi.ret[1], 0);
		__attribute__((fallthrough));
	case 3:
		if (nth == 3)
			seeds[0] = run->riscv_csr.ret_value;
		run->exit_reason = KVM_EXIT_RISCV_CSR;
		run->riscv_csr.csr_num = 0x015;
		run->riscv_csr.ret_value = 0;
		return 0;
	case 4:
		seeds[1] = run->riscv_csr.ret_value;
		/* OPST: 16 bits of entropy, and 14 bits of nothing. */
		CHECK_EQ(seeds[0] >> 16, 0x8000);
		CHECK_EQ(seeds[1] >> 16, 0x8000);
		run->exit_reason = KVM_EXIT_RISCV_CSR;
		run->riscv_csr.csr_num = 0x15c; /* stopei */
		run->riscv_csr.ret_value = 99;
		return 0;
	default:
		CHECK_EQ(run->riscv_csr.ret_value, 0);
		power_off(run);
		return 0;
	}
}

static void test_exits(void)
{
	struct fixture f;

	setup(&f);
	fake_kvm_on_run(exits, NULL);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(vm_run(f.vm), 0);
	CHECK_EQ(f.vm->outcome.kind, OUTCOME_POWEROFF);
	CHECK_EQ(f.vm->vcpus[0]->calls_unserved, 1);
	CHECK_EQ(f.vm->vcpus[0]->csrs_unserved, 1);
	teardown(&f);
}

/* Asleep in KVM_RUN from the SUSP call until a kick; the first thing after it is power-off. */
static int suspend_once(struct kvm_run *run, unsigned int index, uint64_t nth, void *opaque)
{
	_Atomic bool *asleep = opaque;

	(void)index;
	switch (nth) {
	case 0:
		sbi_exit(run, SBI_EXT_SUSP, SBI_SUSP_SYSTEM_SUSPEND, 0, RISCV_RAM_BASE);
		return 0;
	case 1:
		CHECK_EQ(run->riscv_sbi.ret[0], 0);
		*asleep = true;
		run->exit_reason = KVM_EXIT_INTR;
		return fake_kvm_idle(run);
	default:
		power_off(run);
		return 0;
	}
}

struct waker {
	struct vm   *vm;
	_Atomic bool asleep;
};

static void *raise_line(void *arg)
{
	struct waker *w = arg;
	struct irq_line line = arch_irq_line(w->vm, RISCV_IRQ_UART);

	while (!w->asleep)
		usleep(1000);
	CHECK(w->vm->arch->suspended == w->vm->vcpus[0]);
	irq_line_set(&line, true);
	CHECK(w->vm->arch->suspended == NULL);
	return NULL;
}

static void test_suspend(void)
{
	struct fixture f;
	struct waker w = { 0 };
	pthread_t thread;

	setup(&f);
	fake_kvm_on_run(suspend_once, &w.asleep);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	w.vm = f.vm;
	CHECK_EQ(pthread_create(&thread, NULL, raise_line, &w), 0);
	CHECK_EQ(vm_run(f.vm), 0);
	pthread_join(thread, NULL);
	CHECK_EQ(f.vm->outcome.kind, OUTCOME_POWEROFF);
	teardown(&f);
}

/* By the time of the next KVM_RUN the suspend must be over. */
static int suspend_pending(struct kvm_run *run, unsigned int index, uint64_t nth, void *opaque)
{
	struct vm **vm = opaque;

	(void)index;
	if (nth == 0) {
		sbi_exit(run, SBI_EXT_SUSP, SBI_SUSP_SYSTEM_SUSPEND, 0, RISCV_RAM_BASE);
		return 0;
	}
	CHECK(atomic_load(&(*vm)->arch->suspended) == NULL);
	power_off(run);
	return 0;
}

/* An MSI that came just before the suspend: no line tells of it, the pending bit does. */
static void test_suspend_with_pending_interrupt(void)
{
	const uint64_t external = 1 << 9; /* sip.SEIP, RISC-V privileged spec 12.1.3 */
	struct fixture f;

	setup(&f);
	fake_kvm_set_reg(RISCV_REG_CSR(RISCV_CSR_SIP), external);
	fake_kvm_set_reg(RISCV_REG_CSR(RISCV_CSR_SIE), external);
	fake_kvm_on_run(suspend_pending, &f.vm);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(vm_run(f.vm), 0);
	CHECK_EQ(f.vm->outcome.kind, OUTCOME_POWEROFF);
	teardown(&f);
}

const struct test vm_riscv_tests[] = {
	{ "entry", test_entry },
	{ "no_reg_list", test_no_reg_list },
	{ "dbcn_off", test_dbcn_off },
	{ "pmu", test_pmu },
	{ "extensions", test_extensions },
	{ "extension_errors", test_extension_errors },
	{ "irqchip", test_irqchip },
	{ "exits", test_exits },
	{ "suspend", test_suspend },
	{ "suspend_with_pending_interrupt", test_suspend_with_pending_interrupt },
	{ 0 },
};
