// SPDX-License-Identifier: GPL-2.0-only
/*
 * The floor of the start-up benchmark: the least that any VMM does to run the same bare-metal guest on this
 * host. Open, one VM, one memory slot, one vCPU, the interrupt controller where KVM has one that guests cannot be
 * without, run until the guest asks to be switched off, exit.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAM_BYTES (256ul << 20)
/*
 * Guests' RAM is for huge pages, which KVM maps only where host and guest addresses agree modulo their size. Linux
 * 6.7 and later put it there by themselves; what a huge page takes to be cleared is the host's choice
 * (transparent_hugepage/enabled), not the VMM's.
 */
#define HUGE_BYTES (2ul << 20)

static int die(const char *what)
{
	perror(what);
	return 125;
}

/* KVM's device of @type; fd or -1. */
static inline int create_device(int vm, uint32_t type)
{
	struct kvm_create_device dev = { .type = type };

	return ioctl(vm, KVM_CREATE_DEVICE, &dev) ? -1 : (int)dev.fd;
}

static inline int set_attr(int dev, uint32_t group, uint64_t attr, uint64_t value)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uintptr_t)&value };

	return ioctl(dev, KVM_SET_DEVICE_ATTR, &a);
}

static inline int connect_vcpu(int vcpu, uint32_t cap, int dev)
{
	struct kvm_enable_cap enable = { .cap = cap, .args = { (uint64_t)dev, 0 } };

	return ioctl(vcpu, KVM_ENABLE_CAP, &enable);
}

#if defined(__riscv)
/* The PLIC is no device of KVM, and not every host has its AIA. */
static int irqchip(int vm, int vcpu)
{
	(void)vm;
	(void)vcpu;
	return 0;
}
#define RAM_BASE 0x80000000ul
#define LOAD_AT  0ul
static int enter(int vm, int vcpu)
{
	uint64_t pc = RAM_BASE, zero = 0;
	struct kvm_one_reg reg_pc = { KVM_REG_RISCV | KVM_REG_SIZE_U64 | KVM_REG_RISCV_CORE | 0,
				      (uintptr_t)&pc };
	struct kvm_one_reg reg_a0 = { KVM_REG_RISCV | KVM_REG_SIZE_U64 | KVM_REG_RISCV_CORE | 10,
				      (uintptr_t)&zero };

	(void)vm;
	return ioctl(vcpu, KVM_SET_ONE_REG, &reg_pc) || ioctl(vcpu, KVM_SET_ONE_REG, &reg_a0);
}
static int is_poweroff(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_SYSTEM_EVENT;
}
#elif defined(__aarch64__)
#define RAM_BASE 0x40000000ul
#define LOAD_AT  0ul
#define GIC_DIST 0x8000000ul /* arm/layout.h */
#define GIC_CPUS 0xc000000ul
static int irqchip(int vm, int vcpu)
{
	int gic = create_device(vm, KVM_DEV_TYPE_ARM_VGIC_V3);
	int v2 = gic < 0;

	(void)vcpu;
	if (v2)
		gic = create_device(vm, KVM_DEV_TYPE_ARM_VGIC_V2);
	return gic < 0 ||
	       set_attr(gic, KVM_DEV_ARM_VGIC_GRP_ADDR,
			v2 ? KVM_VGIC_V2_ADDR_TYPE_DIST : KVM_VGIC_V3_ADDR_TYPE_DIST, GIC_DIST) ||
	       set_attr(gic, KVM_DEV_ARM_VGIC_GRP_ADDR,
			v2 ? KVM_VGIC_V2_ADDR_TYPE_CPU : KVM_VGIC_V3_ADDR_TYPE_REDIST, GIC_CPUS) ||
	       set_attr(gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, 0);
}
static int enter(int vm, int vcpu)
{
	struct kvm_vcpu_init init;
	uint64_t pc = RAM_BASE;
	struct kvm_one_reg reg_pc = {
		KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(regs.pc),
		(uintptr_t)&pc,
	};

	if (ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init))
		return -1;
	memset(init.features, 0, sizeof(init.features));
	init.features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2;
	return ioctl(vcpu, KVM_ARM_VCPU_INIT, &init) || ioctl(vcpu, KVM_SET_ONE_REG, &reg_pc);
}
static int is_poweroff(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_SYSTEM_EVENT;
}
#elif defined(__x86_64__)
#define RAM_BASE 0ul
#define LOAD_AT  0x100000ul
/* This one can do without. */
static int irqchip(int vm, int vcpu)
{
	(void)vm;
	(void)vcpu;
	return 0;
}
static int enter(int vm, int vcpu)
{
	struct kvm_sregs s;
	struct kvm_regs r = { .rip = LOAD_AT, .rflags = 2 };

	(void)vm;
	/* Flat 32-bit protected mode; the guest's first instructions mean the same in 32 and 64 bits. */
	if (ioctl(vcpu, KVM_GET_SREGS, &s))
		return -1;
	s.cs.base = s.ds.base = s.es.base = s.ss.base = 0;
	s.cs.limit = s.ds.limit = s.es.limit = s.ss.limit = ~0u;
	s.cs.g = s.ds.g = s.es.g = s.ss.g = 1;
	s.cs.db = s.ss.db = 1;
	s.cs.selector = 8;
	s.ds.selector = s.es.selector = s.ss.selector = 16;
	s.cr0 |= 1;
	return ioctl(vcpu, KVM_SET_SREGS, &s) || ioctl(vcpu, KVM_SET_REGS, &r);
}
static int is_poweroff(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_IO || run->exit_reason == KVM_EXIT_HLT;
}
#elif defined(__powerpc64__)
#define RAM_BASE 0ul
#define LOAD_AT  0ul
#define VM_TYPE  KVM_VM_PPC_HV
#define H_RTAS   0xf000
static int irqchip(int vm, int vcpu)
{
	int xics = create_device(vm, KVM_DEV_TYPE_XICS);

	if (xics < 0)
		return -1;
	/*
	 * Else a KVM on top of XIVE makes room for as many vCPUs as it can have, which takes longer than all the
	 * rest. One without has no such attribute.
	 */
	(void)set_attr(xics, KVM_DEV_XICS_GRP_CTRL, KVM_DEV_XICS_NR_SERVERS, 1);
	return connect_vcpu(vcpu, KVM_CAP_IRQ_XICS, xics);
}
static int enter(int vm, int vcpu)
{
	struct kvm_ppc_mmuv3_cfg radix = {
		.flags = KVM_PPC_MMUV3_RADIX | KVM_PPC_MMUV3_GTSE,
		.process_table = 1ul << 63, /* of radix kind; none yet */
	};
	struct kvm_enable_cap papr = { .cap = KVM_CAP_PPC_PAPR };
	uint32_t htab_order = 18; /* KVM's own would be larger */
	struct kvm_regs regs;

	if (ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_PPC_MMU_RADIX) > 0 ?
	    ioctl(vm, KVM_PPC_CONFIGURE_V3_MMU, &radix) : ioctl(vm, KVM_PPC_ALLOCATE_HTAB, &htab_order))
		return -1;
	memset(&regs, 0, sizeof(regs));
	regs.msr = 1ul << 63 | 1ul << 12; /* 64 bits wide, machine checks, big-endian */
	return ioctl(vcpu, KVM_ENABLE_CAP, &papr) || ioctl(vcpu, KVM_SET_REGS, &regs);
}
static int is_poweroff(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_PAPR_HCALL && run->papr_hcall.nr == H_RTAS;
}
#elif defined(__powerpc__)
#define RAM_BASE 0ul
#define LOAD_AT  0ul
#define NR_TLB0  512
#define NR_TLB1  16
#define MPIC     0xe0040000ul /* powerpc/e500-layout.h */
static int irqchip(int vm, int vcpu)
{
	int mpic = create_device(vm, KVM_DEV_TYPE_FSL_MPIC_42);

	return mpic < 0 || set_attr(mpic, KVM_DEV_MPIC_GRP_MISC, KVM_DEV_MPIC_BASE_ADDR, MPIC) ||
	       connect_vcpu(vcpu, KVM_CAP_IRQ_MPIC, mpic);
}
/* powerpc/e500-layout.h: its output is set up first, and then switches the power off. */
#define GPIO_DIR 0xe00ff000ul
#define GPIO_DAT 0xe00ff008ul
#define GOES_ON(run) ((run)->exit_reason == KVM_EXIT_MMIO && (run)->mmio.phys_addr == GPIO_DIR)
/* Of what KVM pins nothing else may be on the same pages. */
static struct kvm_book3e_206_tlb_entry tlb[NR_TLB0 + NR_TLB1] __attribute__((aligned(4096)));
static int enter(int vm, int vcpu)
{
	struct kvm_book3e_206_tlb_params geometry = {
		.tlb_sizes = { NR_TLB0, NR_TLB1 },
		.tlb_ways = { 4, NR_TLB1 },
	};
	struct kvm_config_tlb config = {
		.params = (uintptr_t)&geometry,
		.array = (uintptr_t)tlb,
		.mmu_type = KVM_MMU_FSL_BOOKE_NOHV,
		.array_len = sizeof(tlb),
	};
	struct kvm_enable_cap share = { .cap = KVM_CAP_SW_TLB, .args = { (uintptr_t)&config } };
	uint8_t bitmap[(NR_TLB0 + NR_TLB1 + 63) / 64 * 8] = { [NR_TLB0 / 8] = 1 };
	struct kvm_dirty_tlb dirty = { .bitmap = (uintptr_t)bitmap, .num_dirty = 1 };
	struct kvm_regs regs;

	(void)vm;
	if (ioctl(vcpu, KVM_ENABLE_CAP, &share))
		return -1;
	/* Valid, protected, 64 MiB at 0, with all rights. */
	tlb[NR_TLB0].mas1 = 0xc0000000 | 16 << 7;
	tlb[NR_TLB0].mas7_3 = 0x3f;
	memset(&regs, 0, sizeof(regs));
	regs.gpr[1] = 1; /* 0 is KVM's word for a critical section: powerpc/e500.c */
	return ioctl(vcpu, KVM_DIRTY_TLB, &dirty) || ioctl(vcpu, KVM_SET_REGS, &regs);
}
static int is_poweroff(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_MMIO && run->mmio.phys_addr == GPIO_DAT;
}
#endif
#ifndef VM_TYPE
#define VM_TYPE 0
#endif
/* Exits on the way to that one. */
#ifndef GOES_ON
#define GOES_ON(run) 0
#endif

int main(int argc, char **argv)
{
	struct kvm_userspace_memory_region slot = { .memory_size = RAM_BYTES, .guest_phys_addr = RAM_BASE };
	struct kvm_run *run;
	struct stat st;
	int kvm, vm, vcpu, fd, run_bytes;
	char *ram;

	if (argc != 2) {
		fprintf(stderr, "usage: floor GUEST.bin\n");
		return 125;
	}
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return die("/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, VM_TYPE);
	run_bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (vm < 0 || run_bytes < 0)
		return die("KVM_CREATE_VM");
	ram = mmap(NULL, RAM_BYTES + HUGE_BYTES, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ram == MAP_FAILED)
		return die("mmap");
	ram += -(uintptr_t)ram & (HUGE_BYTES - 1);
	slot.userspace_addr = (uintptr_t)ram;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot))
		return die("KVM_SET_USER_MEMORY_REGION");
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || read(fd, ram + LOAD_AT, (size_t)st.st_size) != st.st_size)
		return die(argv[1]);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		return die("KVM_CREATE_VCPU");
	run = mmap(NULL, (size_t)run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		return die("kvm_run");
	if (enter(vm, vcpu))
		return die("registers");
	if (irqchip(vm, vcpu))
		return die("interrupt controller");
	do {
		if (ioctl(vcpu, KVM_RUN, 0))
			return die("KVM_RUN");
	} while (GOES_ON(run));
	return is_poweroff(run) ? 0 : 1;
}
