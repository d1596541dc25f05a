// SPDX-License-Identifier: GPL-2.0-only
/*
 * The e500 platform: 32-bit Book E, as Linux's KVM_E500V2 offers it. The guest is entered as an
 * ePAPR client program, without firmware below it.
 */
#include "powerpc/e500.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/platform/ppc.h>
#include <time.h>

#include "lkvm/boot-fdt.h"
#include "lkvm/byteorder.h"
#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "powerpc/arch.h"
#include "powerpc/e500-fdt.h"
#include "powerpc/e500-layout.h"
#include "powerpc/host-cpu.h"

/* ePAPR 1.1, "Boot CPU Initial Register State": r6 tells a client that it is one. */
#define EPAPR_MAGIC 0x45504150u /* "EPAP" */

static const struct kvm_cap_need needs[] = {
	{ KVM_CAP_SW_TLB, "KVM_CAP_SW_TLB", "set the guest's first TLB entry" },
	{ KVM_CAP_IRQ_MPIC, "KVM_CAP_IRQ_MPIC", "deliver interrupts (CONFIG_KVM_MPIC)" },
};

/* ---- the machine ------------------------------------------------------------------------------ */

static int e500_machine_init(struct vm *vm)
{
	const struct ppc_e500_params params = {
		.nr_cpus = vm->cfg->nr_cpus,
		.ram_bytes = vm->cfg->ram_bytes,
	};

	if (vm->cfg->pmu == CONFIG_ON) {
		log_error("--pmu: this host has no PMU for guests: " E500_NO_PMU);
		return -ENODEV;
	}
	return ppc_e500_machine_init(&vm->machine, &params);
}

static int e500_vm_type(struct vm *vm, unsigned long *type)
{
	(void)vm;
	*type = 0;
	return 0;
}

static void power_off(void *ctx)
{
	vm_request_stop(ctx, OUTCOME_POWEROFF, 0, "the guest powered off");
}

static void reset(void *ctx)
{
	vm_request_stop(ctx, OUTCOME_REBOOT, 0, "the guest asked for a reset");
}

static int e500_vm_create(struct vm *vm)
{
	vm->arch = calloc(1, sizeof(*vm->arch));
	if (!vm->arch) {
		log_error("out of memory for the VM");
		return -ENOMEM;
	}
	vm->arch->mpic_fd = -1;
	vm->arch->power = (struct ppc_e500_power){
		.power_off = power_off,
		.reset = reset,
		.ctx = vm,
	};
	return 0;
}

static void e500_vm_destroy(struct vm *vm)
{
	if (!vm->arch)
		return;
	ppc_mpic_destroy(vm);
	free(vm->arch);
	vm->arch = NULL;
}

static struct irq_line e500_irq_line(struct vm *vm, uint32_t irq)
{
	return (struct irq_line){ .ops = &ppc_mpic_lines, .chip = vm, .irq = irq };
}

static int e500_devices_create(struct vm *vm)
{
	int ret;

	ret = bus_add(&vm->mmio, &(struct bus_window){
					 .name = "global utilities",
					 .base = PPC_E500_GUTS_BASE,
					 .size_bytes = PPC_E500_GUTS_BYTES,
					 .ops = &ppc_e500_guts_bus_ops,
					 .dev = &vm->arch->power,
					 .big_endian = true,
				 });
	if (ret)
		return ret;
	return bus_add(&vm->mmio, &(struct bus_window){
					  .name = "gpio",
					  .base = PPC_E500_GPIO_BASE,
					  .size_bytes = PPC_E500_GPIO_BYTES,
					  .ops = &ppc_e500_gpio_bus_ops,
					  .dev = &vm->arch->power,
					  .big_endian = true,
				  });
}

/* ---- vCPUs ------------------------------------------------------------------------------------ */

#define SAME_PLACE(member)                                                      \
	_Static_assert(offsetof(struct ppc_booke_tlb_entry, member) ==          \
		       offsetof(struct kvm_book3e_206_tlb_entry, member),       \
		       "place of " #member " in a TLB entry")

/*
 * Gives KVM the array in which it keeps the guest's TLB. KVM pins its pages, so it must not be
 * memory that somebody else gets when this vCPU is gone.
 */
static int share_tlb(struct vcpu *vcpu)
{
	struct kvm_book3e_206_tlb_params geometry = {
		.tlb_sizes = { PPC_E500_TLB0_ENTRIES, PPC_E500_TLB1_ENTRIES },
		.tlb_ways = { PPC_E500_TLB0_WAYS, PPC_E500_TLB1_ENTRIES },
	};
	struct kvm_config_tlb config = {
		.params = (uintptr_t)&geometry,
		.mmu_type = KVM_MMU_FSL_BOOKE_NOHV,
		.array_len = sizeof(struct ppc_e500_tlb),
	};
	void *tlb;
	int ret;

	SAME_PLACE(mas1);
	SAME_PLACE(mas2);
	SAME_PLACE(mas7_3);
	_Static_assert(sizeof(struct ppc_booke_tlb_entry) == sizeof(struct kvm_book3e_206_tlb_entry),
		       "size of a TLB entry");
	tlb = mmap(NULL, sizeof(struct ppc_e500_tlb), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (tlb == MAP_FAILED) {
		log_error("out of memory for the TLB of vCPU %u", vcpu->index);
		return -ENOMEM;
	}
	vcpu->arch->tlb = tlb;
	config.array = (uintptr_t)tlb;
	ret = kvm_enable_cap(vcpu->fd, KVM_CAP_SW_TLB, (uintptr_t)&config, 0);
	if (ret)
		log_error("KVM refuses a TLB of %d and %d entries for vCPU %u: %s", PPC_E500_TLB0_ENTRIES,
			  PPC_E500_TLB1_ENTRIES, vcpu->index, strerror(-ret));
	return ret;
}

static int e500_vcpu_create(struct vcpu *vcpu)
{
	int ret;

	vcpu->arch = calloc(1, sizeof(*vcpu->arch));
	if (!vcpu->arch) {
		log_error("out of memory for vCPU %u", vcpu->index);
		return -ENOMEM;
	}
	ret = share_tlb(vcpu);
	if (ret)
		return ret;
	/* Without it the guest's watchdog timer runs out unheard. */
	ret = kvm_enable_cap(vcpu->fd, KVM_CAP_PPC_BOOKE_WATCHDOG, 0, 0);
	if (ret)
		log_debug("vCPU %u: no watchdog: %s", vcpu->index, strerror(-ret));
	return 0;
}

static void e500_vcpu_destroy(struct vcpu *vcpu)
{
	if (!vcpu->arch)
		return;
	if (vcpu->arch->tlb)
		munmap(vcpu->arch->tlb, sizeof(*vcpu->arch->tlb));
	free(vcpu->arch);
	vcpu->arch = NULL;
}

/* Tells KVM that entry @index of the shared array is new. */
static int dirty_tlb(struct vcpu *vcpu, unsigned int index)
{
	uint8_t bitmap[(PPC_E500_TLB0_ENTRIES + PPC_E500_TLB1_ENTRIES + 63) / 64 * 8] = { 0 };
	struct kvm_dirty_tlb dirty = { .bitmap = (uintptr_t)bitmap, .num_dirty = 1 };
	int ret;

	bitmap[index / 8] = (uint8_t)(1u << index % 8);
	ret = kvm_ioctl(vcpu->fd, KVM_DIRTY_TLB, &dirty);
	if (ret)
		log_error("KVM_DIRTY_TLB of vCPU %u: %s", vcpu->index, strerror(-ret));
	return ret;
}

static int e500_vcpu_reset(struct vcpu *vcpu)
{
	const struct vm *vm = vcpu->vm;
	/*
	 * r1 is nothing to be used, just not 0: KVM holds interrupts back from a guest whose r1 is
	 * the word "critical" of its magic page, which is 0 to begin with (Linux
	 * arch/powerpc/kvm/booke.c, kvmppc_booke_irqprio_deliver()).
	 */
	struct kvm_regs regs = {
		.pc = vm->boot.entry,
		.gpr = {
			[1] = PPC_E500_RAM_BASE + vm->arch->boot_map_bytes - 16,
			[3] = vm->boot.fdt,
			[6] = EPAPR_MAGIC,
			[7] = vm->arch->boot_map_bytes,
		},
	};
	int ret;

	ppc_e500_tlb_entry_init(&vcpu->arch->tlb->tlb1[0], PPC_E500_RAM_BASE, PPC_E500_RAM_BASE,
				vm->arch->boot_map_bytes);
	ret = dirty_tlb(vcpu, PPC_E500_TLB0_ENTRIES);
	return ret ? ret : ppc_set_regs(vcpu, &regs);
}

static enum vcpu_exit_action e500_vcpu_exit(struct vcpu *vcpu)
{
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_WATCHDOG:
		vm_request_stop(vcpu->vm, OUTCOME_HUNG, 0, "the guest did not reset its watchdog timer in time");
		return VCPU_STOP;
	default:
		return VCPU_UNHANDLED;
	}
}

/* ---- boot ------------------------------------------------------------------------------------- */

static gpa_t e500_initrd_limit(const struct vm *vm)
{
	(void)vm;
	return PPC_E500_INITRD_LIMIT;
}

/* The kernel's early console is the device tree's stdout-path. */
static void e500_default_cmdline(const struct vm *vm, char *buf, size_t size)
{
	snprintf(buf, size, "console=%s", vm->cfg->console == CONSOLE_VIRTIO ? "hvc0" : "ttyS0");
}

#define MEASURE_NS 20000000

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The frequency of the host's timebase, which its guests share. */
static uint32_t timebase_hz(void)
{
	const struct timespec pause = { .tv_nsec = MEASURE_NS };
	uint64_t hz = __ppc_get_timebase_freq();
	uint64_t ticks, ns;

	if (hz)
		return (uint32_t)hz;
	/* No vDSO and no /proc/cpuinfo. */
	ns = now_ns();
	ticks = __ppc_get_timebase();
	nanosleep(&pause, NULL);
	ticks = __ppc_get_timebase() - ticks;
	ns = now_ns() - ns;
	hz = ticks * 1000000000 / ns;
	log_info("the timebase's frequency is not in /proc/cpuinfo: measured %" PRIu64 " Hz", hz);
	return (uint32_t)hz;
}

/* The host CPU's clock, of which a guest makes nothing but a line of its log; 0: unknown. */
static uint32_t clock_hz(void)
{
	struct ppc_host_cpu cpu;
	uint8_t cell[4 + 1];
	/* The name that it has in an MPC8544, and in QEMU. */
	int len = ppc_host_cpu_find(&cpu, PPC_HOST_CPUS, "PowerPC,8544@0", "clock-frequency", cell, sizeof(cell));

	return len == 4 ? get_be32(cell) : 0;
}

/* Hypercalls are KVM's own affair; it only has to be told how they are made. */
static void describe_hypercalls(int vm_fd, struct ppc_e500_fdt *fdt)
{
	struct kvm_ppc_pvinfo info = { 0 };
	int ret = kvm_ioctl(vm_fd, KVM_PPC_GET_PVINFO, &info);

	_Static_assert(sizeof(fdt->hcall) == sizeof(info.hcall), "length of a hypercall");
	if (ret) {
		log_debug("no hypercalls: KVM_PPC_GET_PVINFO: %s", strerror(-ret));
		return;
	}
	fdt->has_hcall = true;
	memcpy(fdt->hcall, info.hcall, sizeof(fdt->hcall));
	fdt->has_idle = info.flags & KVM_PPC_PVINFO_FLAGS_EV_IDLE;
}

static int e500_boot_prepare(struct vm *vm)
{
	struct ppc_e500_fdt params = {
		.machine = &vm->machine,
		.cmdline = vm->boot.cmdline,
		.initrd = vm->boot.initrd,
		.initrd_bytes = vm->boot.initrd_bytes,
		.clock_hz = clock_hz(),
		.timebase_hz = timebase_hz(),
	};
	struct boot_fdt_seeds seeds;
	const gpa_t end = vm->boot.kernel_start + vm->boot.kernel_bytes;
	struct boot_fdt_room rooms[BOOT_FDT_ROOMS];
	gpa_t limit;
	size_t size_bytes;
	void *blob;
	int ret;

	ret = ppc_e500_boot_map(&vm->machine, end, &vm->arch->boot_map_bytes);
	if (ret)
		return ret;
	describe_hypercalls(vm->fd, &params);
	boot_fdt_seeds(&seeds);
	params.rng_seed = seeds.rng;
	ret = ppc_e500_fdt_build(&params, &blob, &size_bytes);
	if (ret)
		return ret;
	ret = ppc_e500_fdt_limit(end, vm->arch->boot_map_bytes, size_bytes, &limit);
	if (ret) {
		free(blob);
		return ret;
	}
	boot_fdt_usual_rooms(vm, limit, rooms);
	return boot_fdt_install(vm, blob, size_bytes, rooms, BOOT_FDT_ROOMS);
}

/* ---- reports ---------------------------------------------------------------------------------- */

static bool e500_vcpu_big_endian(struct vcpu *vcpu LKVM_UNUSED)
{
	return true; /* but for pages whose TLB entry has its E bit set, which Linux does not use */
}

static void e500_vcpu_regs(struct vcpu *vcpu, const struct kvm_regs *regs, struct reg_set *set)
{
	struct kvm_sregs sregs;
	int ret = kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	char text[sizeof(set->notes[0])];

	(void)regs;
	set->big_endian = true;
	if (ret) {
		reg_note(set, "KVM does not give the system registers: %s", strerror(-ret));
	} else {
		const struct {
			const char   *name;
			enum reg_role role;
			uint64_t      value;
		} all[] = {
			{ "esr", ROLE_PLAIN, sregs.u.e.esr },       { "dear", ROLE_FAULT, sregs.u.e.dear },
			{ "ivpr", ROLE_PLAIN, sregs.u.e.ivpr },     { "csrr0", ROLE_PLAIN, sregs.u.e.csrr0 },
			{ "csrr1", ROLE_PLAIN, sregs.u.e.csrr1 },   { "mcsrr0", ROLE_PLAIN, sregs.u.e.mcsrr0 },
			{ "mcsrr1", ROLE_PLAIN, sregs.u.e.mcsrr1 }, { "mcsr", ROLE_PLAIN, sregs.u.e.mcsr },
			{ "tcr", ROLE_PLAIN, sregs.u.e.tcr },       { "tsr", ROLE_PLAIN, sregs.u.e.tsr },
			{ "dec", ROLE_PLAIN, sregs.u.e.dec },       { "pvr", ROLE_PLAIN, sregs.pvr },
		};

		for (size_t i = 0; i < ARRAY_SIZE(all); i++)
			reg_add(set, REG_SYSTEM, all[i].role, all[i].name, 4, true, all[i].value);
	}
	/* Of the guest's MMU what it has there to stay: Linux maps its kernel in TLB1. */
	for (unsigned int i = 0; i < PPC_E500_TLB1_ENTRIES; i++) {
		const struct ppc_booke_tlb_entry *e = &vcpu->arch->tlb->tlb1[i];

		if (!ppc_e500_tlb_entry_valid(e))
			continue;
		ppc_e500_tlb_entry_text(e, text, sizeof(text));
		reg_note(set, "tlb1[%u] %s", i, text);
	}
}

static void e500_vcpu_translate(struct vcpu *vcpu, const struct kvm_regs *regs, uint64_t va,
				bool fetch, struct walk *w)
{
	const struct ppc_booke_tlb mmu = {
		.msr = regs->msr,
		.pid = { (uint32_t)regs->pid },
		.entries = vcpu->arch->tlb->tlb0,
		.nr_tlb0 = PPC_E500_TLB0_ENTRIES,
		.nr_tlb1 = PPC_E500_TLB1_ENTRIES,
	};

	ppc_booke_walk(&mmu, va, fetch, w);
}

/* ---- doctor ----------------------------------------------------------------------------------- */

static void e500_doctor(const struct doctor *d, int kvm_fd, int vm_fd)
{
	struct ppc_e500_fdt fdt = { 0 };
	struct kvm_sregs sregs;
	int fd;

	doctor_say(d, "platform", "e500 (Book E); one vCPU in a VM");
	doctor_say(d, "timebase", "%" PRIu32 " Hz", timebase_hz());
	doctor_say(d, "watchdog", "%s", kvm_check_cap(kvm_fd, KVM_CAP_PPC_BOOKE_WATCHDOG) > 0 ?
		   "the guest's own; its end is told" : "KVM does not tell when the guest's runs out");
	if (vm_fd < 0)
		return;
	fd = kvm_create_device(vm_fd, KVM_DEV_TYPE_FSL_MPIC_42);
	if (fd < 0)
		doctor_say(d, "interrupt controller", "none (MPIC 4.2: %s)", strerror(-fd));
	else
		doctor_say(d, "interrupt controller", "MPIC 4.2 in KVM");
	kvm_sys_close(fd);
	describe_hypercalls(vm_fd, &fdt);
	doctor_say(d, "hypercalls", "%s", !fdt.has_hcall ? "none" : fdt.has_idle ? "ePAPR, with idle" : "ePAPR");
	fd = kvm_ioctl_val(vm_fd, KVM_CREATE_VCPU, 0);
	if (fd < 0) {
		doctor_say(d, "vCPU", "cannot create one: %s", strerror(-fd));
		return;
	}
	if (!kvm_ioctl(fd, KVM_GET_SREGS, &sregs))
		doctor_say(d, "guest CPU", "PVR 0x%08" PRIx32 "%s", sregs.pvr,
			   sregs.pvr >> 16 == 0x8021 ? " (e500v2)" : "");
	kvm_sys_close(fd);
}

/* Maps the SoC's registers; the work; then switches the power off with the GPIO. */
static const void *e500_probe_guest(size_t *size_bytes)
{
	static const uint8_t code[] = {
		0x3d, 0x20, 0x10, 0x01, /* lis   r9, 0x1001 */
		0x7d, 0x30, 0x9b, 0xa6, /* mtspr MAS0, r9       TLB1, entry 1 */
		0x3d, 0x20, 0x80, 0x00, /* lis   r9, 0x8000 */
		0x61, 0x29, 0x05, 0x00, /* ori   r9, r9, 0x500 */
		0x7d, 0x31, 0x9b, 0xa6, /* mtspr MAS1, r9       valid, 1 MiB */
		0x3d, 0x40, 0xe0, 0x00, /* lis   r10, 0xe000 */
		0x61, 0x49, 0x00, 0x0a, /* ori   r9, r10, 0xa */
		0x7d, 0x32, 0x9b, 0xa6, /* mtspr MAS2, r9       cache-inhibited, guarded */
		0x61, 0x49, 0x00, 0x05, /* ori   r9, r10, 0x5 */
		0x7d, 0x33, 0x9b, 0xa6, /* mtspr MAS3, r9       the kernel may read and write */
		0x7c, 0x00, 0x07, 0xa4, /* tlbwe */
		0x4c, 0x00, 0x01, 0x2c, /* isync */
		0x3d, 0x40, 0xe0, 0x10, /* lis   r10, 0xe010    the end of it */
		0x38, 0xc0, 0xe0, 0x00, /* li    r6, -0x2000 */
		0x7c, 0xa6, 0x54, 0x2c, /* lwbrx r5, r6, r10 */
		0x28, 0x05, 0x00, 0x00, /* cmplwi r5, 0 */
		0x41, 0x82, 0x00, 0x10, /* beq   .+16 */
		0x7c, 0xa9, 0x03, 0xa6, /* mtctr r5 */
		0x42, 0x00, 0x00, 0x00, /* bdnz  . */
		0x4b, 0xff, 0xff, 0xec, /* b     .-20 */
		0x3d, 0x20, 0x80, 0x00, /* lis   r9, 0x8000 */
		0x91, 0x2a, 0xf0, 0x00, /* stw   r9, -0x1000(r10)  pin 0 is an output ... */
		0x91, 0x2a, 0xf0, 0x08, /* stw   r9, -0xff8(r10)   ... and high */
		0x48, 0x00, 0x00, 0x00, /* b     . */
	};

	_Static_assert(PPC_E500_PROBE_BASE == 0xe00fe000 && PPC_E500_GPIO_BASE == 0xe00ff000, "addresses in the code");
	*size_bytes = sizeof(code);
	return code;
}

static int e500_guest_counters(struct vcpu *vcpu, struct guest_counter *counters, size_t max,
			       const char **missing)
{
	(void)vcpu;
	(void)counters;
	(void)max;
	*missing = "the guest has no PMU";
	return -ENOTSUP;
}

const struct ppc_platform ppc_e500 = {
	.name = "e500",
	.needs = needs,
	.nr_needs = ARRAY_SIZE(needs),
	.machine_init = e500_machine_init,
	.vm_type = e500_vm_type,
	.vm_create = e500_vm_create,
	.vm_destroy = e500_vm_destroy,
	.vcpu_create = e500_vcpu_create,
	.vcpu_destroy = e500_vcpu_destroy,
	.irqchip_init = ppc_mpic_create,
	.irq_line = e500_irq_line,
	.devices_create = e500_devices_create,
	.initrd_limit = e500_initrd_limit,
	.default_cmdline = e500_default_cmdline,
	.boot_prepare = e500_boot_prepare,
	.vcpu_reset = e500_vcpu_reset,
	.vcpu_exit = e500_vcpu_exit,
	.vcpu_regs = e500_vcpu_regs,
	.vcpu_big_endian = e500_vcpu_big_endian,
	.vcpu_translate = e500_vcpu_translate,
	.doctor = e500_doctor,
	.probe_guest = e500_probe_guest,
	.guest_counters = e500_guest_counters,
};
