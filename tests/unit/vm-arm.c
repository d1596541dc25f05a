// SPDX-License-Identifier: GPL-2.0-only
/* arm64's vCPU set-up, interrupt controllers and exits against a fake KVM; arm64 only. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arm/arch.h"
#include "arm/layout.h"
#include "lkvm/arch.h"
#include "lkvm/byteorder.h"
#include "lkvm/doctor.h"
#include "lkvm/vm.h"
#include "tests/unit/fake-kvm.h"
#include "tests/unit/test.h"
#include "tests/unit/vm-fixture.h"

struct fixture {
	struct config cfg;
	struct vm    *vm;
	int           fds;
	int           kernel_fd; /* 0: none */
};

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->fds = test_open_fds();
	fake_kvm_reset();
	vm_fixture_host();
	vm_fixture_config(&f->cfg);
}

/* The same with a kernel: an Image of nothing but its header. */
static void setup_kernel(struct fixture *f)
{
	uint8_t image[4096] = { [18] = 1, [56] = 'A', 'R', 'M', 0x64 }; /* image_size 64 KiB */

	setup(f);
	f->kernel_fd = memfd_create("kernel", MFD_CLOEXEC);
	CHECK(write(f->kernel_fd, image, sizeof(image)) == sizeof(image));
	free(f->cfg.firmware);
	f->cfg.firmware = NULL;
	CHECK(asprintf(&f->cfg.kernel, "/proc/self/fd/%d", f->kernel_fd) > 0);
}

static void teardown(struct fixture *f)
{
	vm_destroy(f->vm);
	if (f->kernel_fd)
		close(f->kernel_fd);
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

static bool has(const struct fixture *f, unsigned int feature)
{
	return arm_has_feature(&f->vm->arch->init, feature);
}

static void test_entry(void)
{
	struct fixture f;

	setup(&f);
	f.cfg.nr_cpus = 3;
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(fake_kvm_reg(ARM_REG_CORE(regs.pc)), ARM_RAM_BASE);
	CHECK_EQ(fake_kvm_reg(ARM_REG_X(0)), f.vm->boot.fdt);
	CHECK(f.vm->boot.fdt >= ARM_RAM_BASE && f.vm->boot.fdt % 8 == 0);
	/* RAM and PCI windows need 35 bits, and the fake host has 40. */
	CHECK_EQ(f.vm->vm_type, 35);
	teardown(&f);

	setup(&f);
	f.cfg.arm.firmware_address = ARM_RAM_BASE + MIB(1);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(fake_kvm_reg(ARM_REG_CORE(regs.pc)), ARM_RAM_BASE + MIB(1));
	teardown(&f);
	setup(&f);
	f.cfg.arm.firmware_address = 0x1000;
	refused(&f, -ENOMEM, "memory");
}

struct filters {
	struct kvm_pmu_event_filter all[8];
	unsigned int nr;
};

static int note_filter(int fd, unsigned long request, unsigned long arg, void *opaque)
{
	const struct kvm_device_attr *attr = (const void *)arg;
	struct filters *f = opaque;

	/* The GIC's distributor has the same numbers. */
	if (request == KVM_SET_DEVICE_ATTR && fake_kvm_is_vcpu(fd) && attr->group == KVM_ARM_VCPU_PMU_V3_CTRL &&
	    attr->attr == KVM_ARM_VCPU_PMU_V3_FILTER && f->nr < ARRAY_SIZE(f->all))
		memcpy(&f->all[f->nr++], (const void *)(uintptr_t)attr->addr, sizeof(f->all[0]));
	return 0;
}

/* KVM counts in 16 bits, in which all events are none. */
static void test_pmu_filter(void)
{
	static const struct config_pmu_events ranges[] = {
		{ 0, 0xffff, false }, { 1, 0xffff, true }, { 0x11, 0x11, false },
	};
	static const struct kvm_pmu_event_filter want[] = {
		{ .base_event = 0, .nevents = 0xffff }, { .base_event = 0xffff, .nevents = 1 },
		{ .base_event = 1, .nevents = 0xffff, .action = KVM_PMU_EVENT_DENY },
		{ .base_event = 0x11, .nevents = 1 },
	};
	struct filters filters = { .nr = 0 };
	struct fixture f;

	setup(&f);
	fake_kvm_on_ioctl(note_filter, &filters);
	memcpy(f.cfg.pmu_events, ranges, sizeof(ranges));
	f.cfg.nr_pmu_events = ARRAY_SIZE(ranges);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(filters.nr, ARRAY_SIZE(want));
	CHECK(!memcmp(filters.all, want, sizeof(want)));
	teardown(&f);
}

/* KVM's answer to one attribute of a vCPU's PMU, or to KVM_ARM_VCPU_INIT with a PMU. */
struct refusal {
	uint64_t attr; /* INIT_WITH_PMU: of KVM_ARM_VCPU_INIT */
	int      err;
	unsigned int nr, skip; /* so often it came, so often it was taken before */
};
#define INIT_WITH_PMU UINT64_MAX

static int refuse(int fd, unsigned long request, unsigned long arg, void *opaque)
{
	struct refusal *r = opaque;
	bool hit = false;

	if (request == KVM_ARM_VCPU_INIT) {
		hit = r->attr == INIT_WITH_PMU && arm_has_feature((const void *)arg, KVM_ARM_VCPU_PMU_V3);
	} else if (request == KVM_SET_DEVICE_ATTR && fake_kvm_is_vcpu(fd)) {
		const struct kvm_device_attr *attr = (const void *)arg;

		hit = attr->group == KVM_ARM_VCPU_PMU_V3_CTRL && attr->attr == r->attr;
	}
	return hit && r->nr++ >= r->skip ? -r->err : 0;
}

static bool fdt_has(const struct fixture *f, const char *text)
{
	const void *fdt = memory_ptr(&f->vm->memory, f->vm->boot.fdt, f->vm->boot.fdt_bytes);

	return memmem(fdt, f->vm->boot.fdt_bytes, text, strlen(text)) != NULL;
}

static const struct {
	uint64_t attr;
	const char *what;
	bool when_chosen; /* only where the host's PMU, or the number of counters, is chosen */
} pmu_steps[] = {
	{ INIT_WITH_PMU, "", false },
	{ KVM_ARM_VCPU_PMU_V3_IRQ, "it refuses its interrupt: ", false },
	{ KVM_ARM_VCPU_PMU_V3_SET_PMU, "it refuses the host's PMU that was chosen: ", true },
	{ KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS, "it refuses its number of counters: ", true },
	{ KVM_ARM_VCPU_PMU_V3_FILTER, "it refuses deny=0x11-0x12: ", false },
	{ KVM_ARM_VCPU_PMU_V3_INIT, "it refuses to start it: ", false },
};

/* Step @i of a guest of two vCPUs is refused to vCPU @vcpu with @err, with --pmu=auto or on. */
static void pmu_refused(size_t i, int err, unsigned int vcpu, bool on)
{
	struct refusal r = { .attr = pmu_steps[i].attr, .err = err, .skip = vcpu };
	char want[128], rest[] = " (--pmu=auto does without)\n";
	struct fixture f;
	const char *text;
	int ret;

	setup(&f);
	f.cfg.nr_cpus = 2;
	f.cfg.irqchip = strdup("gicv2m"); /* has a window on the bus by then */
	f.cfg.pmu = on ? CONFIG_ON : CONFIG_AUTO;
	f.cfg.pmu_events[0] = (struct config_pmu_events){ 0x11, 0x12, true };
	f.cfg.nr_pmu_events = 1;
	if (!pmu_steps[i].when_chosen)
		fake_kvm_on_ioctl(refuse, &r);
	test_stderr_begin();
	ret = vm_create(&f.vm, &f.cfg);
	if (pmu_steps[i].when_chosen) {
		CHECK_EQ(ret, 0);
		CHECK(fdt_has(&f, "arm,armv8-pmuv3"));
		f.vm->arch->pmu_type = 8;
		f.cfg.arm.pmu_counters = 4;
		fake_kvm_on_ioctl(refuse, &r);
		ret = arm_pmu_init(f.vm);
		if (ret == -ERESTART) { /* what vm_create() makes of that, the other steps show */
			CHECK_EQ(f.vm->pmu, CONFIG_OFF);
			ret = 0;
		}
	} else if (!ret) {
		CHECK(!has(&f, KVM_ARM_VCPU_PMU_V3) && !fdt_has(&f, "arm,armv8-pmuv3"));
		CHECK_EQ(f.vm->nr_vcpus, 2);
	}
	text = test_stderr_end();
	CHECK_EQ(ret, on ? -err : 0);
	CHECK_EQ(r.nr, vcpu + 1);
	if (!on) {
		CHECK_STR(text, "");
	} else if (r.attr != INIT_WITH_PMU || err == ENODEV) {
		snprintf(want, sizeof(want), "lkvm: --pmu: KVM gives vCPU %u none: %s", vcpu, pmu_steps[i].what);
		CHECK(!strncmp(text, want, strlen(want)));
		/* A cause, one line, and the way out. */
		CHECK(strlen(text) > strlen(want) + strlen(rest) + 10);
		CHECK_STR(text + strlen(text) - strlen(rest), rest);
		CHECK(strchr(text, '\n') == text + strlen(text) - 1);
	}
	teardown(&f);
}

/* auto does without and says nothing; on says which layer. */
static void test_pmu_refused(void)
{
	static const int errs[] = { EBUSY, ENODEV, ENXIO, EINVAL, EEXIST, EPERM };

	for (size_t i = 0; i < ARRAY_SIZE(pmu_steps); i++)
		for (size_t e = 0; e < ARRAY_SIZE(errs); e++)
			for (unsigned int k = 0; k < 4; k++)
				/* The filter is the VM's, and set on the first vCPU. */
				if (k < 2 || pmu_steps[i].attr != KVM_ARM_VCPU_PMU_V3_FILTER)
					pmu_refused(i, errs[e], k / 2, k % 2);
}

/* What is not the PMU's fault comes again without one, and is said then. */
static int refuse_any_init(int fd, unsigned long request, unsigned long arg, void *opaque)
{
	(void)fd;
	(void)arg;
	(void)opaque;
	return request == KVM_ARM_VCPU_INIT ? -EINVAL : 0;
}

static void test_init_refused(void)
{
	struct fixture f;

	setup(&f);
	fake_kvm_on_ioctl(refuse_any_init, NULL);
	refused(&f, -EINVAL, "lkvm: KVM cannot initialise vCPU 0 (features 0x");
}

/* A kernel that has no choice of counters. */
static int no_choice(int fd, unsigned long request, unsigned long arg, void *opaque)
{
	const struct kvm_device_attr *attr = (const void *)arg;

	(void)opaque;
	return request == KVM_HAS_DEVICE_ATTR && fake_kvm_is_vcpu(fd) &&
	       attr->attr == KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS ? -ENXIO : 0;
}

static void test_pmu_counters(void)
{
	struct fixture f;
	const char *text;

	for (unsigned int on = 0; on < 2; on++) {
		setup(&f);
		f.cfg.pmu = on ? CONFIG_ON : CONFIG_AUTO;
		CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
		f.cfg.arm.pmu_counters = 4;
		fake_kvm_on_ioctl(no_choice, NULL);
		test_stderr_begin();
		CHECK_EQ(arm_pmu_init(f.vm), on ? -ENOSYS : -ERESTART);
		text = test_stderr_end();
		CHECK(on ? strstr(text, "counters=4: this host's kernel is too old") != NULL : !*text);
		teardown(&f);
	}
}

/* Firmware for ROM finds the device tree at the start of RAM, a PL011, and its variables in the flash. */
static void test_rom(void)
{
	uint8_t uboot[64] = { 0x0a, 0, 0, 0x14, 0x1f, 0x20, 0x03, 0xd5, [16] = 64, [24] = 64 };
	char flash[] = "/tmp/lkvm-flash-XXXXXX";
	int fd = memfd_create("uboot", MFD_CLOEXEC);
	int flash_fd = mkstemp(flash);
	struct bus_window const *w;
	uint8_t data[4] = { 0x98, 0, 0x98, 0 };
	struct fixture f;

	CHECK(write(fd, uboot, sizeof(uboot)) == sizeof(uboot));
	CHECK_EQ(ftruncate(flash_fd, MIB(1)), 0);
	setup(&f);
	free(f.cfg.firmware);
	CHECK(asprintf(&f.cfg.firmware, "/proc/self/fd/%d", fd) > 0);
	f.cfg.flash = strdup(flash);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(fake_kvm_reg(ARM_REG_CORE(regs.pc)), 0);
	CHECK_EQ(f.vm->boot.fdt, ARM_RAM_BASE);
	CHECK(!memcmp(memory_ptr(&f.vm->memory, 0, sizeof(uboot)), uboot, sizeof(uboot)));
	w = bus_find(&f.vm->mmio, ARM_UART_BASE + 0x18);
	CHECK(w && !strcmp(w->name, "uart"));
	CHECK_EQ(bus_access(&f.vm->mmio, ARM_FLASH_BASE + 0x154, data, 4, true), 0);
	CHECK_EQ(bus_access(&f.vm->mmio, ARM_FLASH_BASE + 0x40, data, 4, false), 0);
	CHECK_EQ(data[0], 'Q');
	teardown(&f);

	setup(&f);
	f.cfg.flash = strdup(flash);
	fake_kvm_set_cap(KVM_CAP_READONLY_MEM, 0);
	refused(&f, -ENODEV, "KVM_CAP_READONLY_MEM");
	unlink(flash);
	setup(&f);
	f.cfg.flash = strdup(flash);
	refused(&f, -ENOENT, "--flash: cannot open");
	close(flash_fd);
	close(fd);
}

/* A KVM that can't be asked for its guest-physical address bits has 40, and takes no number. */
static void test_old_ipa(void)
{
	struct fixture f;

	setup(&f);
	fake_kvm_set_cap(KVM_CAP_ARM_VM_IPA_SIZE, 0);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(f.vm->vm_type, 0);
	teardown(&f);
	setup(&f);
	fake_kvm_set_cap(KVM_CAP_ARM_VM_IPA_SIZE, 36);
	f.cfg.ram_bytes = GIB(64);
	refused(&f, -EINVAL, "36 address bits");
}

/* A 32-bit guest is entered by its own protocol, and has nothing that KVM takes with 64-bit ones only. */
static void test_aarch32(void)
{
	struct fixture f;

	setup(&f);
	f.cfg.arm.aarch32 = true;
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK(has(&f, KVM_ARM_VCPU_EL1_32BIT));
	CHECK(!has(&f, KVM_ARM_VCPU_SVE) && !has(&f, KVM_ARM_VCPU_PTRAUTH_ADDRESS) && !f.vm->arch->mte);
	CHECK_EQ(fake_kvm_reg(ARM_REG_X(1)), UINT32_MAX);
	CHECK_EQ(fake_kvm_reg(ARM_REG_X(2)), f.vm->boot.fdt);
	teardown(&f);
	setup(&f);
	f.cfg.arm.aarch32 = true;
	fake_kvm_set_cap(KVM_CAP_ARM_EL1_32BIT, 0);
	refused(&f, -ENODEV, "no 32-bit kernels");
	setup(&f);
	f.cfg.arm.aarch32 = true;
	f.cfg.arm.nested = true;
	refused(&f, -EINVAL, "exclude each other");
}

static void test_features(void)
{
	struct fixture f;

	setup_kernel(&f);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK(has(&f, KVM_ARM_VCPU_PSCI_0_2));
	CHECK(has(&f, KVM_ARM_VCPU_PMU_V3));
	CHECK(has(&f, KVM_ARM_VCPU_SVE));
	CHECK(has(&f, KVM_ARM_VCPU_PTRAUTH_ADDRESS));
	CHECK(has(&f, KVM_ARM_VCPU_PTRAUTH_GENERIC));
	CHECK(!has(&f, KVM_ARM_VCPU_HAS_EL2));
	CHECK(!has(&f, KVM_ARM_VCPU_EL1_32BIT));
	CHECK(!has(&f, KVM_ARM_VCPU_POWER_OFF));
	CHECK(f.vm->arch->pvtime);
	CHECK(memory_find(&f.vm->memory, ARM_PVTIME_BASE) != NULL);
	CHECK(f.vm->arch->mte && f.vm->memory.copy_files);
	teardown(&f);

	setup(&f);
	f.cfg.arm.disable_sve = true;
	f.cfg.arm.disable_mte = true;
	f.cfg.arm.pvtime = CONFIG_OFF;
	f.cfg.pmu = CONFIG_OFF;
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK(!has(&f, KVM_ARM_VCPU_SVE));
	CHECK(!has(&f, KVM_ARM_VCPU_PMU_V3));
	CHECK(!f.vm->arch->pvtime && !memory_find(&f.vm->memory, ARM_PVTIME_BASE));
	CHECK(!f.vm->arch->mte && !f.vm->memory.copy_files);
	teardown(&f);

	setup(&f);
	f.cfg.arm.nested = true;
	f.cfg.arm.e2h0 = true;
	f.cfg.arm.sve_max_bits = 256;
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK(has(&f, KVM_ARM_VCPU_HAS_EL2));
	CHECK(has(&f, KVM_ARM_VCPU_HAS_EL2_E2H0));
	/* Memory of which the host never makes copies. */
	CHECK(f.vm->memory.share);
	teardown(&f);

	setup(&f);
	f.cfg.arm.nested = true;
	f.cfg.irqchip = strdup("gicv2");
	refused(&f, -ENODEV, "--irqchip gicv2: a guest at EL2 (--nested) needs a GICv3");
}

static const struct reg *find_by_name(const struct reg_set *set, const char *name)
{
	for (unsigned int i = 0; i < set->nr; i++)
		if (!strcmp(set->regs[i].name, name))
			return &set->regs[i];
	return NULL;
}

/* What rules a vCPU at EL2, or at EL0 under a VHE hypervisor, are EL2's registers; below, those of EL1. */
static void test_el2_regs(void)
{
	const uint64_t el2h = 0x3c9, el1h = 0x3c5, el0t = 0;
	const uint64_t e2h = UINT64_C(1) << 34, tge = UINT64_C(1) << 27, vm = 1;
	static struct reg_set set;
	struct fixture f;
	struct walk w;

	setup(&f);
	f.cfg.arm.nested = true;
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	fake_kvm_set_reg(ARM_REG_SCTLR_EL1, 0);
	fake_kvm_set_reg(ARM_REG_SCTLR_EL2, 1);
	fake_kvm_set_reg(ARM_REG_TCR_EL2, 0x3f); /* a size that there is not: seen in the walk */
	fake_kvm_set_reg(ARM_REG_SP_EL2, 0x5e12);
	fake_kvm_set_reg(ARM_REG_CORE(sp_el1), 0x5e11);
	fake_kvm_set_reg(ARM_REG_ESR_EL2, 0x96000045);
	static const struct {
		uint64_t    pstate, hcr;
		bool        el2;
		const char *why;
	} rows[] = {
		{ el2h, e2h, true, "TCR_EL2.T0SZ 63 is out of range" },
		{ el2h, 0, true, "TCR_EL2.T0SZ 63 is out of range" },
		{ el0t, e2h | tge, true, "TCR_EL2.T0SZ 63 is out of range" },
		{ el0t, e2h, false, "" },
		{ el0t, tge, false, "" },
		{ el1h, e2h | tge, false, "" },
		{ el1h, e2h | vm, false, "this is a guest of the guest, whose stage 2 lkvm does not follow" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_kvm_set_reg(ARM_REG_CORE(regs.pstate), rows[i].pstate);
		fake_kvm_set_reg(ARM_REG_HCR_EL2, rows[i].hcr);
		arch_vcpu_translate(f.vm->vcpus[0], 0x1000, false, &w);
		CHECK_STR(w.why, rows[i].why);
		memset(&set, 0, sizeof(set));
		arch_vcpu_regs(f.vm->vcpus[0], &set);
		CHECK(!find_by_name(&set, "sctlr_el1") == rows[i].el2);
		CHECK(!find_by_name(&set, "sctlr_el2") != rows[i].el2);
		CHECK(find_by_name(&set, "hcr_el2"));
		CHECK_EQ(find_by_name(&set, "sp")->value, rows[i].pstate == el2h ? 0x5e12 :
			 rows[i].pstate == el1h ? 0x5e11 : 0);
	}
	/* Without VHE there is no TTBR1_EL2 to ask for. */
	fake_kvm_set_reg(ARM_REG_CORE(regs.pstate), el2h);
	fake_kvm_set_reg(ARM_REG_HCR_EL2, 0);
	fake_kvm_reg_error(ARM_REG_TTBR1_EL2, ENOENT, 0);
	arch_vcpu_translate(f.vm->vcpus[0], 0x1000, false, &w);
	CHECK_STR(w.why, "TCR_EL2.T0SZ 63 is out of range");
	fake_kvm_set_reg(ARM_REG_HCR_EL2, e2h);
	arch_vcpu_translate(f.vm->vcpus[0], 0x1000, false, &w);
	CHECK_STR(w.why, "KVM does not give the translation registers: No such file or directory");
	teardown(&f);

	/* Other guests are not asked. */
	setup(&f);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	memset(&set, 0, sizeof(set));
	arch_vcpu_regs(f.vm->vcpus[0], &set);
	CHECK(!find_by_name(&set, "hcr_el2"));
	teardown(&f);
}

/* A host with none of it: quiet where nothing was asked for, an error that names it where something was. */
static void bare_host(struct fixture *f)
{
	static const unsigned int caps[] = {
		KVM_CAP_ARM_PMU_V3, KVM_CAP_ARM_SVE, KVM_CAP_ARM_PTRAUTH_ADDRESS, KVM_CAP_ARM_MTE,
		KVM_CAP_STEAL_TIME, KVM_CAP_ARM_EL2, KVM_CAP_ARM_SYSTEM_SUSPEND, KVM_CAP_ARM_NISV_TO_USER,
	};

	setup(f);
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++)
		fake_kvm_set_cap(caps[i], 0);
}

#define ISAR0 UINT64_C(0x603000000013c030)

static void test_bare_host(void)
{
	struct fixture f;
	const char *text;

	bare_host(&f);
	test_stderr_begin();
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	text = test_stderr_end();
	CHECK_STR(text, "");
	CHECK_EQ(f.vm->arch->init.features[0], 1u << KVM_ARM_VCPU_PSCI_0_2);
	CHECK(!f.vm->arch->pvtime && !f.vm->arch->mte);
	teardown(&f);

	bare_host(&f);
	f.cfg.pmu = CONFIG_ON;
	refused(&f, -ENODEV, "--pmu: this host has no PMU");
	bare_host(&f);
	f.cfg.arm.pvtime = CONFIG_ON;
	refused(&f, -ENODEV, "--pvtime");
	bare_host(&f);
	f.cfg.arm.sve_max_bits = 128;
	refused(&f, -ENODEV, "--sve-max-vl: this host has no SVE");
	bare_host(&f);
	f.cfg.arm.nested = true;
	refused(&f, -ENODEV, "FEAT_NV2");
}

static void feature(struct fixture *f, uint64_t value, unsigned int lsb, unsigned int bits)
{
	setup(f);
	f->cfg.arm.features[0] = (struct config_arm_feature){
		.id = ISAR0, .value = value, .lsb = (uint8_t)lsb, .bits = (uint8_t)bits, .name = "F",
	};
	f->cfg.arm.nr_features = 1;
	fake_kvm_set_reg(ISAR0, 0x1110);
}

static void test_cpu_feature(void)
{
	struct fixture f;

	feature(&f, 0, 4, 4);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(fake_kvm_reg(ISAR0), 0x1100);
	teardown(&f);
	feature(&f, 7, 0, 64);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(fake_kvm_reg(ISAR0), 7);
	teardown(&f);

	feature(&f, 2, 4, 4);
	fake_kvm_reg_error(ISAR0, 0, EINVAL);
	refused(&f, -EINVAL, "--cpu-feature F=0x2: vCPU 0: KVM does not let guests have that");
	feature(&f, 2, 4, 4);
	fake_kvm_reg_error(ISAR0, 0, EBUSY);
	refused(&f, -EBUSY, "too late, the VM has already run");
	feature(&f, 2, 4, 4);
	fake_kvm_reg_error(ISAR0, ENOENT, 0);
	refused(&f, -ENOENT, "KVM has no such register");
	feature(&f, 2, 4, 4);
	fake_kvm_reg_sticky(ISAR0);
	refused(&f, -EINVAL, "KVM does not let guests have that");
}

static void test_contradictions(void)
{
	struct fixture f;

	setup(&f);
	f.cfg.arm.e2h0 = true;
	refused(&f, -EINVAL, "--e2h0 needs --nested");
	setup(&f);
	f.cfg.arm.disable_sve = true;
	f.cfg.arm.sve_max_bits = 128;
	refused(&f, -EINVAL, "exclude each other");
	setup(&f);
	f.cfg.console = CONSOLE_HV;
	refused(&f, -EINVAL, "--console hv");
}

/* ---- interrupt controllers ---------------------------------------------------------------------- */

static void test_irqchips(void)
{
	static const struct {
		const char *name;
		enum arm_fdt_irqchip fdt;
		enum arm_fdt_msi msi;
	} rows[] = {
		{ "gicv3-its", ARM_FDT_GICV3, ARM_FDT_ITS },
		{ "gicv3", ARM_FDT_GICV3, ARM_FDT_NO_MSI },
		{ "gicv2m", ARM_FDT_GICV2, ARM_FDT_V2M },
		{ "gicv2", ARM_FDT_GICV2, ARM_FDT_NO_MSI },
		{ NULL, ARM_FDT_GICV3, ARM_FDT_ITS }, /* the best */
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup_kernel(&f);
		f.cfg.irqchip = rows[i].name ? strdup(rows[i].name) : NULL;
		CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
		CHECK_EQ(f.vm->arch->irqchip->fdt, rows[i].fdt);
		CHECK_EQ(f.vm->arch->irqchip->msi, rows[i].msi);
		CHECK_EQ(f.vm->msi.send != NULL, rows[i].msi != ARM_FDT_NO_MSI);
		CHECK_EQ(f.vm->arch->its_fd >= 0, rows[i].msi == ARM_FDT_ITS);
		teardown(&f);
	}
	/* A flat image has no use for MSIs, unless it says so. */
	setup(&f);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_STR(f.vm->arch->irqchip->name, "gicv3");
	CHECK(!f.vm->msi.send && !f.vm->arch->pvtime);
	teardown(&f);
	setup(&f);
	f.cfg.irqchip = strdup("gicv3-its");
	f.cfg.arm.pvtime = CONFIG_ON;
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK(f.vm->msi.send && f.vm->arch->pvtime);
	teardown(&f);
	setup(&f);
	f.cfg.irqchip = strdup("plic");
	refused(&f, -EINVAL, "gicv3-its, gicv3, gicv2m and gicv2");
	setup(&f);
	fake_kvm_set_cap(KVM_CAP_MAX_VCPUS, 512);
	f.cfg.irqchip = strdup("gicv2");
	f.cfg.nr_cpus = 9;
	refused(&f, -ENODEV, "no more than 8 CPUs");
}

/* Without a GICv3, whatever else is asked for: each question after that KVM answers with a yes. */
static void test_fallback(void)
{
	struct fixture f;
	bool seen = false;

	for (unsigned int n = 1; !seen && n < 100; n++) {
		setup_kernel(&f);
		fake_kvm_fail(n, ENODEV);
		test_stderr_begin();
		if (vm_create(&f.vm, &f.cfg))
			f.vm = NULL;
		test_stderr_end();
		seen = fake_kvm_failed_request() == KVM_CREATE_DEVICE;
		if (seen) {
			CHECK(f.vm != NULL);
			if (f.vm)
				CHECK_STR(f.vm->arch->irqchip->name, "gicv3");
		}
		teardown(&f);
	}
	CHECK(seen);
}

static void test_msi(void)
{
	const struct msi_message good = { .address = ARM_ITS_BASE + 0x10040, .data = 3, .devid = 8 };
	struct msi_message msg = { .address = ARM_V2M_BASE + 0x40, .data = 96 };
	struct fixture f;
	struct irq_line line;

	setup_kernel(&f);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(msi_send(&f.vm->msi, &good), 0);
	CHECK_EQ(fake_kvm_msis(), 1);
	line = arch_irq_line(f.vm, ARM_SPI_UART);
	irq_line_set(&line, true);
	CHECK_EQ(fake_kvm_irq_lines(), 1);
	/* A pulse would be lost on a level-triggered line. */
	CHECK_EQ(irq_line_attach_eventfd(&line, 0), -ENOTSUP);
	teardown(&f);

	/* v2m: both edges of an SPI, and nothing for what is none of its own. */
	setup(&f);
	f.cfg.irqchip = strdup("gicv2m");
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(msi_send(&f.vm->msi, &msg), 0);
	CHECK_EQ(fake_kvm_irq_lines(), 2);
	msg.data = 33;
	CHECK_EQ(msi_send(&f.vm->msi, &msg), -EINVAL);
	msg.address = 0x40;
	msg.data = 96;
	CHECK_EQ(msi_send(&f.vm->msi, &msg), -EINVAL);
	CHECK_EQ(msi_send(&f.vm->msi, &good), -EINVAL);
	CHECK_EQ(fake_kvm_irq_lines(), 2);
	CHECK_EQ(fake_kvm_msis(), 0);
	CHECK(bus_find(&f.vm->mmio, ARM_V2M_BASE + 8) != NULL);
	teardown(&f);
}

/* ---- kernels ------------------------------------------------------------------------------------ */

static void plan(struct fixture *f, uint64_t mmfr0, uint64_t flags, int want, const char *expect)
{
	uint8_t data[4096] = { 0 };
	const struct image_file img = { .path = "Image", .data = data, .size_bytes = sizeof(data), .fd = -1 };
	struct image_plan p = { 0 };
	const char *text;

	put_le64(data + 16, sizeof(data));
	put_le64(data + 24, flags);
	memcpy(data + 56, "ARM\x64", 4);
	f->vm->arch->mmfr0 = mmfr0;
	test_stderr_begin();
	CHECK_EQ(arch_image_plan(f->vm, &img, &p), want);
	text = test_stderr_end();
	if (!strstr(text, expect))
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", text, expect);
}

/* Kernels that this CPU can't run would stop before they could say so. */
static void test_kernels(void)
{
	struct fixture f;

	setup(&f);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	plan(&f, 0, 1 << 1, 0, "");
	plan(&f, 0, 3 << 1, 0, "");
	plan(&f, 0, 0, 0, "");
	plan(&f, 0, 2 << 1, -EINVAL, "pages of 16 KiB");
	plan(&f, 1 << 20, 2 << 1, 0, "");
	plan(&f, UINT64_C(15) << 28, 1 << 1, -EINVAL, "pages of 4 KiB");
	plan(&f, UINT64_C(15) << 24, 3 << 1, -EINVAL, "pages of 64 KiB");
	plan(&f, 0, 1, -EINVAL, "little-endian only");
	plan(&f, 1 << 8, 1, 0, "");
	teardown(&f);
}

/* ---- exits -------------------------------------------------------------------------------------- */

static void power_off(struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
	run->system_event.ndata = 0;
}

static int strays(struct kvm_run *run, unsigned int index, uint64_t nth, void *opaque)
{
	(void)index;
	(void)opaque;
	if (nth >= 100) {
		power_off(run);
		return 0;
	}
	run->exit_reason = nth % 2 ? EXIT_REASON_ARM_LDST64B : EXIT_REASON_ARM_NISV;
	run->arm_nisv.esr_iss = 0x46;
	run->arm_nisv.fault_ipa = 0xb000000;
	return 0;
}

/* Answered by an abort; the log is not flooded. */
static void test_aborts(void)
{
	struct fixture f;
	unsigned int lines = 0;
	const char *text;

	setup(&f);
	fake_kvm_on_run(strays, NULL);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	test_stderr_begin();
	CHECK_EQ(vm_run(f.vm), 0);
	text = test_stderr_end();
	CHECK_EQ(f.vm->outcome.kind, OUTCOME_POWEROFF);
	CHECK(strstr(text, "0xb000000") != NULL);
	for (; *text; text++)
		lines += *text == '\n';
	CHECK(lines >= 1 && lines < 20);
	teardown(&f);

	setup(&f);
	fake_kvm_set_cap(KVM_CAP_ARM_INJECT_EXT_DABT, 0);
	fake_kvm_on_run(strays, NULL);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	test_stderr_begin();
	CHECK_EQ(vm_run(f.vm), 0);
	text = test_stderr_end();
	CHECK_EQ(outcome_exit_status(&f.vm->outcome), 121);
	CHECK(strstr(text, "write of a device at 0xb000000") != NULL);
	teardown(&f);
}

static void system_event(struct kvm_run *run, uint32_t type, uint64_t entry, uint64_t context)
{
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = type;
	run->system_event.ndata = 0;
	fake_kvm_set_reg(ARM_REG_X(1), entry);
	fake_kvm_set_reg(ARM_REG_X(2), context);
}

static int suspends(struct kvm_run *run, unsigned int index, uint64_t nth, void *opaque)
{
	(void)index;
	(void)opaque;
	switch (nth) {
	case 0:
		system_event(run, KVM_SYSTEM_EVENT_SUSPEND, 0x1000, 1);
		return 0;
	case 1: /* refused: there is no RAM at the entry point */
		CHECK_EQ(fake_kvm_reg(ARM_REG_X(0)), (uint64_t)-9);
		system_event(run, KVM_SYSTEM_EVENT_SUSPEND, ARM_RAM_BASE + 0x100, 0x1234);
		return 0;
	case 2: /* asleep, with the state it wakes with */
		CHECK_EQ(fake_kvm_reg(ARM_REG_CORE(regs.pc)), ARM_RAM_BASE + 0x100);
		CHECK_EQ(fake_kvm_reg(ARM_REG_X(0)), 0x1234);
		system_event(run, KVM_SYSTEM_EVENT_WAKEUP, 0, 0);
		return 0;
	default:
		power_off(run);
		return 0;
	}
}

static void test_suspend(void)
{
	struct fixture f;

	setup(&f);
	fake_kvm_on_run(suspends, NULL);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	CHECK_EQ(vm_run(f.vm), 0);
	CHECK_EQ(f.vm->outcome.kind, OUTCOME_POWEROFF);
	teardown(&f);
}

static void collect(void *ctx, const char *name, const char *value)
{
	unsigned int *n = ctx;

	CHECK(name[0] && value[0]);
	(*n)++;
}

/* The facts for doctor, with a VM to ask and without. */
static void test_doctor(void)
{
	struct fixture f;
	unsigned int n = 0, without = 0;
	struct doctor with_vm = { .say = collect, .ctx = &n };
	struct doctor without_vm = { .say = collect, .ctx = &without };

	setup(&f);
	CHECK_EQ(vm_create(&f.vm, &f.cfg), 0);
	arch_doctor(&with_vm, f.vm->kvm_fd, f.vm->fd);
	arch_doctor(&without_vm, f.vm->kvm_fd, -1);
	CHECK(n > 8);
	CHECK(without >= 2 && without < n);
	teardown(&f);
}

const struct test vm_arm_tests[] = {
	{ "entry", test_entry },
	{ "pmu_filter", test_pmu_filter },
	{ "pmu_refused", test_pmu_refused },
	{ "init_refused", test_init_refused },
	{ "pmu_counters", test_pmu_counters },
	{ "rom", test_rom },
	{ "aarch32", test_aarch32 },
	{ "old_ipa", test_old_ipa },
	{ "features", test_features },
	{ "el2_regs", test_el2_regs },
	{ "bare_host", test_bare_host },
	{ "cpu_feature", test_cpu_feature },
	{ "contradictions", test_contradictions },
	{ "irqchips", test_irqchips },
	{ "fallback", test_fallback },
	{ "msi", test_msi },
	{ "kernels", test_kernels },
	{ "aborts", test_aborts },
	{ "suspend", test_suspend },
	{ "doctor", test_doctor },
	{ 0 },
};
