// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host's KVM says when registers and the PMU of a vCPU are set, in a new VM and after its first KVM_RUN
 * (which returns before the guest executes anything). One line each: "NAME before|after same|other: ok" or the
 * errno's name. "same" sets what was read, "other" something else. Runs in a test bed; no part of lkvm is in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lkvm/kvm-compat.h"

/* A register, and the bits in which another value than KVM's own differs. */
struct reg {
	const char *name;
	uint64_t    id;
	uint64_t    flip;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static const char *outcome(int ret)
{
	static const struct {
		int         err;
		const char *name;
	} names[] = {
		{ EBUSY, "EBUSY" }, { EINVAL, "EINVAL" }, { ENOENT, "ENOENT" }, { ENXIO, "ENXIO" }, { EPERM, "EPERM" },
		{ ENODEV, "ENODEV" }, { EEXIST, "EEXIST" }, { EOPNOTSUPP, "EOPNOTSUPP" },
	};

	if (ret >= 0)
		return "ok";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].err == errno)
			return names[i].name;
	return strerror(errno);
}

static int get(int vcpu, uint64_t id, uint64_t *v)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)v };

	return ioctl(vcpu, KVM_GET_ONE_REG, &reg);
}

static int set(int vcpu, uint64_t id, uint64_t v)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&v };

	return ioctl(vcpu, KVM_SET_ONE_REG, &reg);
}

/* Leaves every register as it was. */
static void try_regs(int vcpu, const char *when, const struct reg *regs, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct reg *r = &regs[i];
		uint64_t v = 0;

		if (get(vcpu, r->id, &v)) {
			printf("%s %s read: %s\n", r->name, when, outcome(-1));
			printf("%s %s other: %s\n", r->name, when, outcome(set(vcpu, r->id, r->flip)));
			continue;
		}
		printf("%s %s same: %s\n", r->name, when, outcome(set(vcpu, r->id, v)));
		printf("%s %s other: %s\n", r->name, when, outcome(set(vcpu, r->id, v ^ r->flip)));
		set(vcpu, r->id, v);
	}
}

static void run_once(int kvm, int vcpu)
{
	int bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	struct kvm_run *run;

	if (bytes < 0)
		die("KVM_GET_VCPU_MMAP_SIZE");
	run = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		die("kvm_run");
	run->immediate_exit = 1;
	if (!ioctl(vcpu, KVM_RUN, 0) || errno != EINTR)
		die("KVM_RUN did not end by immediate_exit");
}

#ifdef __riscv
#define ISA(n)    LKVM_REG_RISCV(KVM_REG_SIZE_U64, 7, 0, n)
#define SBI(n)    LKVM_REG_RISCV(KVM_REG_SIZE_U64, 8, 0, n)
#define CONFIG(n) LKVM_REG_RISCV(KVM_REG_SIZE_U64, 1, 0, n)

/* Numbers: riscv/isa.c. */
static const struct reg regs[] = {
	{ "isa.svpbmt", ISA(7), 1 },         /* can be switched */
	{ "isa.zbb", ISA(13), 1 },           /* nothing could keep the guest from it */
	{ "isa.h", ISA(4), 1 },              /* not for guests */
	{ "isa.250", ISA(250), 1 },          /* nobody's */
	{ "sbi.sta", SBI(10), 1 },
	{ "sbi.60", SBI(60), 1 },            /* nobody's */
	{ "config.isa", CONFIG(0), 1 << 5 }, /* F */
	{ "config.mvendorid", CONFIG(2), 0x489 },
	{ "config.zicboz_block_size", CONFIG(5), 0x7 },
	{ "config.satp_mode", CONFIG(6), 0x3 },
	{ "timer.frequency", LKVM_REG_RISCV(KVM_REG_SIZE_U64, 4, 0, 0), 1 },
};

static int create_vcpu(int vm)
{
	return ioctl(vm, KVM_CREATE_VCPU, 0);
}

static void try_more(int vcpu, const char *when)
{
	(void)vcpu;
	(void)when;
}
#else
static const struct reg regs[] = {
	{ "ID_AA64ISAR0_EL1", ARM64_SYS_REG(3, 0, 0, 6, 0), UINT64_C(1) << 60 }, /* RNDR, bits 63:60, which -cpu max has */
	{ "ID_AA64MMFR2_EL1", ARM64_SYS_REG(3, 0, 0, 7, 2), UINT64_C(0xf) << 24 }, /* NV, bits 27:24: nothing is 15 */
	{ "unknown", ARM64_SYS_REG(3, 7, 15, 15, 7), 1 }, /* nobody's */
	{ "fw_feat.std_bmap", KVM_REG_ARM_STD_BMAP, 1 },
	{ "fw_feat.std_hyp_bmap", KVM_REG_ARM_STD_HYP_BMAP, 1u << 31 }, /* bits that KVM does not know */
};

#define GIC_DIST   UINT64_C(0x08000000)
#define GIC_REDIST UINT64_C(0x0c000000)
#define PMU_ID     23

static int gic;

static int attr(int fd, uint32_t group, uint64_t number, const void *value)
{
	struct kvm_device_attr a = { .group = group, .attr = number, .addr = (uintptr_t)value };

	return ioctl(fd, KVM_SET_DEVICE_ATTR, &a);
}

static int create_vcpu(int vm)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	struct kvm_vcpu_init init;
	int vcpu;

	if (ioctl(vm, KVM_CREATE_DEVICE, &dev))
		die("GICv3");
	gic = (int)dev.fd;
	if (ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init))
		die("KVM_ARM_PREFERRED_TARGET");
	memset(init.features, 0, sizeof(init.features));
	init.features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2 | 1u << KVM_ARM_VCPU_PMU_V3;
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu >= 0 && ioctl(vcpu, KVM_ARM_VCPU_INIT, &init))
		die("KVM_ARM_VCPU_INIT");
	return vcpu;
}

static void try_attr(int vcpu, const char *name, const char *when, uint64_t number, const void *value)
{
	printf("pmu.%s %s other: %s\n", name, when, outcome(attr(vcpu, KVM_ARM_VCPU_PMU_V3_CTRL, number, value)));
}

/* The PMU's attributes, in an order in which each is taken the first time, and the chip that it needs. */
static void try_more(int vcpu, const char *when)
{
	struct kvm_pmu_event_filter filter = { .base_event = 0x11, .nevents = 1, .action = KVM_PMU_EVENT_DENY };
	uint64_t dist = GIC_DIST, redist = GIC_REDIST;
	uint32_t irqs = 64, counters = 1, many = 64;
	int id = PMU_ID;

	try_attr(vcpu, "init-early", when, KVM_ARM_VCPU_PMU_V3_INIT, NULL);
	if (!strcmp(when, "before") &&
	    (attr(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist) ||
	     attr(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &redist) ||
	     attr(gic, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &irqs) ||
	     attr(gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL)))
		die("GICv3");
	try_attr(vcpu, "irq", when, KVM_ARM_VCPU_PMU_V3_IRQ, &id);
	try_attr(vcpu, "irq-again", when, KVM_ARM_VCPU_PMU_V3_IRQ, &id);
	try_attr(vcpu, "counters-64", when, KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS, &many);
	try_attr(vcpu, "counters-1", when, KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS, &counters);
	try_attr(vcpu, "filter", when, KVM_ARM_VCPU_PMU_V3_FILTER, &filter);
	try_attr(vcpu, "init", when, KVM_ARM_VCPU_PMU_V3_INIT, NULL);
	try_attr(vcpu, "init-again", when, KVM_ARM_VCPU_PMU_V3_INIT, NULL);
}
#endif

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
	int vcpu = vm < 0 ? -1 : create_vcpu(vm);

	if (vcpu < 0)
		die("/dev/kvm");
	try_regs(vcpu, "before", regs, sizeof(regs) / sizeof(regs[0]));
	try_more(vcpu, "before");
	run_once(kvm, vcpu);
	try_regs(vcpu, "after", regs, sizeof(regs) / sizeof(regs[0]));
	try_more(vcpu, "after");
	return 0;
}
