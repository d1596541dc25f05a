// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pseries platform: a partition of a Power server as its hypervisor makes it (LoPAR, the "Linux on Power
 * Architecture Reference"), with KVM-HV below.
 */
#include "lkvm/arch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/platform/ppc.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lkvm/boot-fdt.h"
#include "lkvm/byteorder.h"
#include "lkvm/command.h"
#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "powerpc/host-cpu.h"
#include "powerpc/image.h"
#include "powerpc/mmu.h"
#include "powerpc/options.h"
#include "powerpc/pmu-probe.h"
#include "powerpc/pseries-fdt.h"
#include "powerpc/pseries-layout.h"
#include "powerpc/pseries.h"

/* MSR at entry: 64 bits wide, machine checks enabled, big-endian (LoPAR appendix B). */
#define MSR_SF UINT64_C(0x8000000000000000)
#define MSR_ME UINT64_C(0x1000)
#define MSR_LE UINT64_C(0x1)

/* ePAPR 1.1 §5.4.1: r6 at the entry of a boot wrapper; the value for CPUs that are not Book III-E. */
#define EPAPR_MAGIC 0x65504150u

/* How long a vCPU waits for another one before its guest has to ask again. */
#define OTHERS_WAIT_MS 1000

static const struct kvm_cap_need needs[] = {
	/* Of Book3S KVM only; the next one tells HV, whose number on /dev/kvm is 1, from PR. */
	{ KVM_CAP_PPC_PAPR, "KVM_CAP_PPC_PAPR", "run pseries guests" },
	{ KVM_CAP_PPC_ALLOC_HTAB, "KVM_CAP_PPC_ALLOC_HTAB",
	  "run guests in hypervisor mode (load kvm_hv; the PR kind of KVM is not supported)" },
	{ KVM_CAP_IRQ_XICS, "KVM_CAP_IRQ_XICS", "have an interrupt controller" },
	{ KVM_CAP_PPC_RTAS, "KVM_CAP_PPC_RTAS", "serve RTAS calls" },
	{ KVM_CAP_PPC_ENABLE_HCALL, "KVM_CAP_PPC_ENABLE_HCALL", "serve hypervisor calls" },
	{ KVM_CAP_ONE_REG, "KVM_CAP_ONE_REG", "set vCPU registers" },
};

/* ---- the machine -------------------------------------------------------------------------------- */

static int pseries_machine(struct vm *vm)
{
	const struct pseries_platform_params params = {
		.nr_cpus = vm->cfg->nr_cpus,
		.ram_bytes = vm->cfg->ram_bytes,
	};
	const char *kind = vm->cfg->transport_legacy ? "-legacy" : "";

	/* arch/powerpc/platforms/pseries makes no platform devices of what the tree has outside of its buses. */
	if (vm->cfg->virtio_transport == TRANSPORT_MMIO) {
		log_error("--virtio-transport mmio%s: Linux looks for virtio devices of a pseries guest on PCI only (use pci%s)",
			  kind, kind);
		return -EINVAL;
	}
	if (vm->cfg->pmu == CONFIG_OFF) {
		log_error("--pmu=off: KVM-HV gives every pseries guest performance counters");
		return -EINVAL;
	}
	return pseries_machine_init(&vm->machine, &params);
}

static int pseries_vm_type(struct vm *vm, unsigned long *type)
{
	(void)vm;
	*type = KVM_VM_PPC_HV;
	return 0;
}

/* ---- CPU ---------------------------------------------------------------------------------------- */

static struct pseries_cache host_cache(unsigned long bytes, unsigned long geometry, unsigned long block_bytes)
{
	return (struct pseries_cache){
		.bytes = (uint32_t)getauxval(bytes),
		.geometry = (uint32_t)getauxval(geometry),
		.block_bytes = (uint32_t)getauxval(block_bytes),
	};
}

/* False if there is no device tree of the host's. */
static bool describe_cpu(struct pseries_cpu *cpu)
{
	const struct pseries_host_cpu host = {
		.hwcap = getauxval(AT_HWCAP),
		.hwcap2 = getauxval(AT_HWCAP2),
		.timebase_hz = (uint32_t)__ppc_get_timebase_freq(),
		.platform = (const char *)getauxval(AT_PLATFORM),
		.base_platform = (const char *)getauxval(AT_BASE_PLATFORM),
		.d = host_cache(AT_L1D_CACHESIZE, AT_L1D_CACHEGEOMETRY, AT_DCACHEBSIZE),
		.i = host_cache(AT_L1I_CACHESIZE, AT_L1I_CACHEGEOMETRY, AT_ICACHEBSIZE),
	};

	pseries_cpu_describe(cpu, &host);
	if (!pseries_cpu_read(cpu, PPC_HOST_CPUS, &host))
		return true;
	pseries_cpu_guess(cpu, &host);
	return false;
}

/* ---- MMU ---------------------------------------------------------------------------------------- */

/*
 * Pages that the guest may use for its translations must not be larger than those that its memory is made of, where
 * KVM says that the hardware looks at real pages.
 */
static uint64_t ram_page_bytes(const struct config *cfg)
{
	struct statfs fs;

	if (cfg->hugetlbfs && !statfs(cfg->hugetlbfs, &fs))
		return (uint64_t)fs.f_bsize;
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool page_fits(const struct kvm_ppc_smmu_info *info, uint32_t shift, uint64_t ram_page)
{
	return shift && shift < 64 &&
	       (!(info->flags & KVM_PPC_PAGE_SIZES_REAL) || UINT64_C(1) << shift <= ram_page);
}

/* "ibm,segment-page-sizes" (LoPAR appendix C): base shift, SLB encoding, count, then pairs of shift and PTE encoding. */
static void add_page_sizes(struct pseries_cpu *cpu, const struct kvm_ppc_smmu_info *info, uint64_t ram_page)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < KVM_PPC_PAGE_SIZES_MAX_SZ; i++) {
		const struct kvm_ppc_one_seg_page_size *seg = &info->sps[i];
		unsigned int head = n;

		if (!page_fits(info, seg->page_shift, ram_page) ||
		    n + 3 + 2 * KVM_PPC_PAGE_SIZES_MAX_SZ > PSERIES_CPU_MAX_CELLS)
			continue;
		cpu->page_sizes[n++] = seg->page_shift;
		cpu->page_sizes[n++] = seg->slb_enc;
		cpu->page_sizes[n++] = 0;
		for (unsigned int j = 0; j < KVM_PPC_PAGE_SIZES_MAX_SZ; j++) {
			if (!page_fits(info, seg->enc[j].page_shift, ram_page))
				continue;
			cpu->page_sizes[n++] = seg->enc[j].page_shift;
			cpu->page_sizes[n++] = seg->enc[j].pte_enc;
			cpu->page_sizes[head + 2]++;
		}
		if (!cpu->page_sizes[head + 2])
			n = head;
	}
	cpu->nr_page_sizes = n;
}

static int set_up_hash(struct vm *vm)
{
	struct pseries_cpu *cpu = &vm->arch->cpu;
	struct kvm_ppc_smmu_info info;
	uint32_t order;
	int ret;

	memset(&info, 0, sizeof(info));
	ret = kvm_ioctl(vm->fd, KVM_PPC_GET_SMMU_INFO, &info);
	if (ret || info.flags & KVM_PPC_NO_HASH) {
		log_error("this host's KVM runs no guests with a hash MMU%s%s", ret ? ": " : "",
			  ret ? strerror(-ret) : "");
		return ret ? ret : -ENODEV;
	}
	add_page_sizes(cpu, &info, ram_page_bytes(vm->cfg));
	cpu->slb_entries = info.slb_size;
	cpu->segments_1t = info.flags & KVM_PPC_1T_SEGMENTS;

	/* It is contiguous memory of the host, of which there may not be enough in one piece. */
	order = pseries_htab_order(vm->cfg->ram_bytes);
	do {
		uint32_t given = order;

		ret = kvm_ioctl(vm->fd, KVM_PPC_ALLOCATE_HTAB, &given);
		if (ret >= 0)
			break;
	} while (ret == -ENOMEM && order-- > PSERIES_HTAB_MIN_ORDER);
	if (ret < 0) {
		log_error("cannot have a hash table for the guest's MMU: KVM_PPC_ALLOCATE_HTAB: %s%s", strerror(-ret),
			  ret == -ENOMEM ? " (give the guest less memory)" : " (this host's KVM may run radix guests only)");
		return ret;
	}
	cpu->htab_order = order;
	return 0;
}

static int set_process_table(struct vm *vm, uint32_t flags, uint64_t process_table)
{
	struct kvm_ppc_mmuv3_cfg cfg = {
		.flags = (flags & PPC_PROC_TBL_RADIX ? KVM_PPC_MMUV3_RADIX : 0) |
			 (flags & PPC_PROC_TBL_GTSE ? KVM_PPC_MMUV3_GTSE : 0),
		.process_table = process_table,
	};

	return kvm_ioctl(vm->fd, KVM_PPC_CONFIGURE_V3_MMU, &cfg);
}

static int set_up_radix(struct vm *vm)
{
	struct pseries_cpu *cpu = &vm->arch->cpu;
	struct kvm_ppc_rmmu_info info;
	int ret;

	memset(&info, 0, sizeof(info));
	ret = kvm_ioctl(vm->fd, KVM_PPC_GET_RMMU_INFO, &info);
	if (!ret)
		ret = set_process_table(vm, PPC_PROC_TBL_RADIX | PPC_PROC_TBL_GTSE, PPC_PATE1_RADIX);
	if (ret) {
		log_error("cannot give the guest a radix MMU: %s", strerror(-ret));
		return ret;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(cpu->radix_ap); i++)
		if (info.ap_encodings[i])
			cpu->radix_ap[cpu->nr_radix_ap++] = info.ap_encodings[i];
	cpu->radix = true;
	return 0;
}

/* A kernel that is entered with a device tree can't negotiate: what it will want is on its command line. */
static int set_up_mmu(struct vm *vm)
{
	bool can_radix = kvm_check_cap(vm->fd, KVM_CAP_PPC_MMU_RADIX) > 0;

	if (vm->arch->compat_pvr && vm->arch->compat_pvr < PPC_COMPAT_POWER9)
		can_radix = false;
	if (can_radix && !pseries_wants_hash(vm->cfg->params))
		return set_up_radix(vm);
	return set_up_hash(vm);
}

/* ---- hypervisor and RTAS calls: where they take effect ------------------------------------------ */

static void console_write_op(void *ctx, const void *buf, size_t len)
{
	struct vm *vm = ctx;

	console_write(vm->console, buf, len);
}

static void vty_write_op(void *ctx, unsigned int vty, const void *buf, size_t len)
{
	struct vm *vm = ctx;

	console_write(vm->arch->vtys[vty].console, buf, len);
}

static size_t vty_read_op(void *ctx, unsigned int vty, void *buf, size_t len)
{
	struct vm *vm = ctx;

	return console_input_read(&vm->arch->vtys[vty].input, buf, len);
}

struct lpcr_change {
	uint64_t value, mask;
	int      ret;
};

static void change_lpcr(struct vcpu *vcpu, void *arg)
{
	struct lpcr_change *change = arg;
	uint64_t lpcr;
	int ret = ppc_get_reg(vcpu, KVM_REG_PPC_LPCR_64, &lpcr);

	if (!ret) {
		lpcr = (lpcr & ~change->mask) | change->value;
		ret = ppc_set_reg(vcpu, "LPCR", KVM_REG_PPC_LPCR_64, lpcr);
	}
	if (ret)
		change->ret = ret;
}

static int64_t set_lpcr_op(void *ctx, uint64_t value, uint64_t mask)
{
	struct lpcr_change change = { .value = value, .mask = mask };
	struct vm *vm = ctx;
	int64_t ret = H_SUCCESS;

	if (pthread_mutex_trylock(&vm->arch->others_lock))
		return H_LONG_BUSY_1_MSEC;
	for (unsigned int i = 0; i < vm->nr_vcpus && !ret; i++)
		if (vcpu_call(vm->vcpus[i], change_lpcr, &change, OTHERS_WAIT_MS))
			ret = H_LONG_BUSY_1_MSEC;
	pthread_mutex_unlock(&vm->arch->others_lock);
	return change.ret ? H_HARDWARE : ret;
}

static int64_t set_process_table_op(void *ctx, uint32_t flags, uint64_t process_table)
{
	struct vm *vm = ctx;
	int ret = set_process_table(vm, flags, process_table);

	if (ret)
		log_debug("KVM_PPC_CONFIGURE_V3_MMU: %s", strerror(-ret));
	return ret ? H_PARAMETER : H_SUCCESS;
}

static bool cpu_characteristics_op(void *ctx, uint64_t *character, uint64_t *behaviour)
{
	struct kvm_ppc_cpu_char c;
	struct vm *vm = ctx;

	memset(&c, 0, sizeof(c));
	if (kvm_ioctl(vm->fd, KVM_PPC_GET_CPU_CHAR, &c))
		return false;
	*character = c.character & c.character_mask;
	/* What KVM does not know is to be assumed. */
	*behaviour = c.behaviour | (KVM_PPC_CPU_BEHAV_FAVOUR_SECURITY & ~c.behaviour_mask);
	return true;
}

static const struct ppc_hcall_ops hcall_ops = {
	.vty_write = vty_write_op,
	.vty_read = vty_read_op,
	.set_lpcr = set_lpcr_op,
	.set_process_table = set_process_table_op,
	.cpu_characteristics = cpu_characteristics_op,
};

static void power_off_op(void *ctx)
{
	vm_request_stop(ctx, OUTCOME_POWEROFF, 0, "the guest powered off");
}

static void reboot_op(void *ctx)
{
	vm_request_stop(ctx, OUTCOME_REBOOT, 0, "the guest asked for a reset");
}

static void os_term_op(void *ctx, const char *text)
{
	char line[200];

	snprintf(line, sizeof(line), "the guest panicked (told through RTAS)%s%s", text[0] ? ": " : "", text);
	vm_guest_panicked(ctx, line, false);
}

/* Tells a POWER8 host how many of its threads count; others do not care. */
static void set_online(struct vcpu *vcpu, bool online)
{
	uint32_t v = online;

	if (kvm_set_reg(vcpu->fd, KVM_REG_PPC_ONLINE, &v))
		log_debug("vCPU %u: KVM does not know \"online\"", vcpu->index);
}

static int set_entry(struct vcpu *vcpu, uint64_t pc, uint64_t msr, const uint64_t *gpr, unsigned int nr_gprs)
{
	struct kvm_regs regs;

	memset(&regs, 0, sizeof(regs));
	regs.pc = pc;
	regs.msr = msr;
	memcpy(regs.gpr, gpr, nr_gprs * sizeof(*gpr));
	set_online(vcpu, true);
	return ppc_set_regs(vcpu, &regs);
}

struct cpu_start {
	uint64_t entry, r3;
	int      ret;
};

static void start_stopped(struct vcpu *vcpu, void *arg)
{
	struct cpu_start *start = arg;
	const uint64_t gpr[] = { 0, 0, 0, start->r3 };

	/* If it stopped itself, KVM has yet to store that call's results, and would do so over these registers. */
	vcpu->run->immediate_exit = 1;
	(void)kvm_ioctl_val(vcpu->fd, KVM_RUN, 0);
	start->ret = set_entry(vcpu, start->entry, MSR_SF | MSR_ME, gpr, ARRAY_SIZE(gpr));
}

static int start_cpu_op(void *ctx, uint32_t cpu, uint64_t entry, uint64_t r3)
{
	struct cpu_start start = { .entry = entry, .r3 = r3 };
	struct vm *vm = ctx;
	int ret = RTAS_SUCCESS;

	if (cpu >= vm->nr_vcpus)
		return RTAS_PARAMETER_ERROR;
	if (pthread_mutex_trylock(&vm->arch->others_lock))
		return RTAS_BUSY;
	if (!vcpu_is_offline(vm->vcpus[cpu]))
		ret = RTAS_HARDWARE_ERROR;
	else if (vcpu_call(vm->vcpus[cpu], start_stopped, &start, OTHERS_WAIT_MS))
		ret = RTAS_BUSY;
	else if (start.ret)
		ret = RTAS_HARDWARE_ERROR;
	else
		vcpu_set_offline(vm->vcpus[cpu], false);
	pthread_mutex_unlock(&vm->arch->others_lock);
	return ret;
}

static void stop_self_op(void *ctx)
{
	struct vcpu *vcpu = vcpu_current();
	struct vm *vm = ctx;

	set_online(vcpu, false);
	vcpu_set_offline(vcpu, true);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		if (!vcpu_is_offline(vm->vcpus[i]))
			return;
	/* Nobody is left to start one. */
	vm_request_stop(vm, OUTCOME_HUNG, 0, "all CPUs of the guest have stopped themselves");
}

static int cpu_state_op(void *ctx, uint32_t cpu)
{
	struct vm *vm = ctx;

	if (cpu >= vm->nr_vcpus)
		return -1;
	return vcpu_is_offline(vm->vcpus[cpu]) ? RTAS_CPU_STOPPED : RTAS_CPU_RUNNING;
}

static int start_interrupts_op(void *ctx)
{
	struct vm *vm = ctx;

	if (vm->arch->irqchip != &pseries_xics)
		return RTAS_PARAMETER_ERROR;
	return pseries_xics_use(vm) ? RTAS_HARDWARE_ERROR : RTAS_SUCCESS;
}

static const struct ppc_rtas_ops rtas_ops = {
	.console_write = console_write_op,
	.power_off = power_off_op,
	.reboot = reboot_op,
	.os_term = os_term_op,
	.start_cpu = start_cpu_op,
	.stop_self = stop_self_op,
	.cpu_state = cpu_state_op,
	.start_interrupts = start_interrupts_op,
};

/* ---- the VM ------------------------------------------------------------------------------------- */

/*
 * Calls that KVM can serve but does not unless told to: of H_SET_MODE what is not left to user space all the
 * same, and for a hash MMU the two that reset bits of its table. Not the H_LOGICAL_CI ones, as KVM has no devices
 * for them.
 */
static void enable_hcalls(struct vm *vm)
{
	static const uint32_t calls[] = { H_SET_MODE, H_CLEAR_MOD, H_CLEAR_REF };
	unsigned int nr = vm->arch->cpu.radix ? 1 : ARRAY_SIZE(calls);

	for (unsigned int i = 0; i < nr; i++) {
		int ret = kvm_enable_cap(vm->fd, KVM_CAP_PPC_ENABLE_HCALL, calls[i], 1);

		if (ret)
			log_debug("hypervisor call 0x%x stays with user space: %s", calls[i], strerror(-ret));
	}
}

static int pseries_vm_create(struct vm *vm)
{
	struct arch_vm *arch = calloc(1, sizeof(*arch));
	int ret;

	if (!arch) {
		log_error("out of memory for the VM");
		return -ENOMEM;
	}
	vm->arch = arch;
	arch->irqchip_fd = -1;
	pthread_mutex_init(&arch->others_lock, NULL);
	pthread_mutex_init(&arch->xics.lock, NULL);
	arch->rtas = (struct ppc_rtas){
		.ops = &rtas_ops,
		.ctx = vm,
		.memory = &vm->memory,
		.buid = PSERIES_PHB_BUID,
		.msi_address = PSERIES_MSI_ADDRESS,
	};
	arch->hcalls.ops = &hcall_ops;
	arch->hcalls.ctx = vm;
	arch->hcalls.memory = &vm->memory;
	arch->hcalls.mmio = &vm->mmio;
	arch->hcalls.rtas = &arch->rtas;
	arch->hcalls.liobn = PSERIES_PHB_LIOBN;
	describe_cpu(&arch->cpu);
	arch->compat_pvr = vm->cfg->ppc_compat_pvr ? vm->cfg->ppc_compat_pvr : arch->cpu.held_to;
	/* POWER8 runs as many vCPUs on a core as they are numbered next to each other. */
	if (kvm_check_cap(vm->fd, KVM_CAP_PPC_SMT) > 1) {
		ret = kvm_enable_cap(vm->fd, KVM_CAP_PPC_SMT, 1, 0);
		if (ret)
			log_debug("vCPUs are threads of a core: %s", strerror(-ret));
	}
	ret = set_up_mmu(vm);
	if (ret)
		return ret;
	enable_hcalls(vm);
	if (arch->compat_pvr)
		pseries_cpu_hold_to(&arch->cpu, arch->compat_pvr);
	pseries_cpu_set_feature(&arch->cpu, PSERIES_PA_RADIX, arch->cpu.radix);
	if (kvm_check_cap(vm->fd, KVM_CAP_PPC_HTM) <= 0)
		pseries_cpu_set_feature(&arch->cpu, PSERIES_PA_TM, false);
	arch->hcalls.radix = arch->cpu.radix;
	arch->hcalls.process_table = arch->cpu.radix ? PPC_PATE1_RADIX : 0;
	return 0;
}

static void pseries_vm_destroy(struct vm *vm)
{
	struct arch_vm *arch = vm->arch;

	if (!arch)
		return;
	for (unsigned int i = 0; i < PPC_MAX_VTYS; i++)
		if (arch->vtys[i].console)
			console_input_exit(&arch->vtys[i].input);
	pseries_irqchip_destroy(vm);
	pthread_mutex_destroy(&arch->xics.lock);
	pthread_mutex_destroy(&arch->others_lock);
	free(arch);
	vm->arch = NULL;
}

/*
 * --max-cpu-compat, or what the host is held to: KVM hides what came later, and the device tree names the
 * generation in place of the CPU, which a kernel as old as the host's might not know.
 */
static int hold_to_generation(struct vcpu *vcpu)
{
	bool asked = vcpu->vm->cfg->ppc_compat_pvr;
	uint32_t pvr = vcpu->vm->arch->compat_pvr;
	int ret;

	if (!pvr)
		return 0;
	ret = kvm_set_reg(vcpu->fd, KVM_REG_PPC_ARCH_COMPAT, &pvr);
	if (ret && !asked) {
		log_debug("the host's CPU is held to %s, its guests' are not: %s", ppc_compat_name(pvr),
			  strerror(-ret));
		return 0;
	}
	if (ret == -EINVAL)
		log_error("--max-cpu-compat: this host has no %s guests: its CPU, or its kernel's KVM, is older (take an "
			  "earlier one)", ppc_compat_name(pvr));
	else if (ret)
		log_error("--max-cpu-compat: KVM refuses %s: %s", ppc_compat_name(pvr), strerror(-ret));
	vcpu->vm->arch->cpu.pvr = pvr;
	return ret;
}

static int pseries_vcpu_create(struct vcpu *vcpu)
{
	struct kvm_sregs sregs;
	int ret;

	/* Without it KVM-HV does not run the vCPU. */
	ret = kvm_enable_cap(vcpu->fd, KVM_CAP_PPC_PAPR, 0, 0);
	if (ret) {
		log_error("cannot make vCPU %u that of a pseries guest: KVM_CAP_PPC_PAPR: %s", vcpu->index,
			  strerror(-ret));
		return ret;
	}
	if (vcpu->index == 0) {
		ret = ppc_get_sregs(vcpu, &sregs);
		if (ret)
			return ret;
		vcpu->vm->arch->cpu.pvr = sregs.pvr;
	}
	return hold_to_generation(vcpu);
}

static void pseries_vcpu_destroy(struct vcpu *vcpu)
{
	(void)vcpu; /* nothing beyond the fd */
}

static size_t vty_can_receive(void *dev)
{
	struct pseries_vty *vty = dev;
	const struct console_frontend fe = console_input_frontend(&vty->input);

	return fe.can_receive(fe.dev);
}

static void vty_receive(void *dev, const uint8_t *buf, size_t len)
{
	struct pseries_vty *vty = dev;
	const struct console_frontend fe = console_input_frontend(&vty->input);

	fe.receive(fe.dev, buf, len);
	irq_line_set(&vty->irq, true);
}

/* Terminal @i, whose host's end is @console. */
static struct console_frontend add_vty(struct vm *vm, unsigned int i, struct console *console)
{
	struct pseries_vty *vty = &vm->arch->vtys[i];

	vty->vm = vm;
	vty->console = console;
	vty->irq = pseries_irq_line(vm, PSERIES_IRQ_VTY + i);
	console_input_init(&vty->input, console);
	vm->arch->hcalls.vtys[i] = PSERIES_VTY_UNIT + i;
	return (struct console_frontend){
		.can_receive = vty_can_receive,
		.receive = vty_receive,
		.dev = vty,
	};
}

/*
 * The console and, for kernels without a driver for virtio-console at hand, a second terminal for commands. None
 * beside a virtio console, which is to be the guest's first one, and its hvc0.
 */
static int create_vtys(struct vm *vm)
{
	struct console_options opt;
	struct console_frontend fe;
	int ret;

	if (vm->cfg->console == CONSOLE_VIRTIO)
		return 0;
	fe = add_vty(vm, 0, vm->console);
	console_set_frontend(vm->console, &fe);
	if (!vm->cfg->command)
		return 0;
	opt = command_serial(vm->command);
	ret = console_create(&vm->command_console, &opt);
	if (ret)
		return ret;
	fe = add_vty(vm, 1, vm->command_console);
	command_set_serial(vm->command, &fe);
	return 0;
}

static int pseries_devices_create(struct vm *vm)
{
	int ret = create_vtys(vm), nr_msis = 0;

	if (ret)
		return ret;
	vm->arch->rtas.pci = vm->pci;
	if (pci_host_has_devices(vm->pci))
		nr_msis = ppc_rtas_assign_msis(&vm->arch->rtas, PSERIES_IRQ_MSI, PSERIES_NR_MSI);
	return nr_msis < 0 ? nr_msis : vm->arch->irqchip->start(vm, (unsigned int)nr_msis);
}

/* ---- boot --------------------------------------------------------------------------------------- */

static gpa_t pseries_initrd_limit(const struct vm *vm)
{
	(void)vm;
	return PSERIES_BOOT_LIMIT;
}

/* The vterm and a virtio console are both hvc0, as there is never more than one of them. */
static void pseries_default_cmdline(const struct vm *vm, char *buf, size_t size)
{
	(void)vm;
	snprintf(buf, size, "console=hvc0");
}

static int place_rtas(struct vm *vm, const struct boot_fdt_room rooms[BOOT_FDT_ROOMS], gpa_t *gpa)
{
	size_t bytes;
	const void *code = ppc_rtas_code(&bytes);
	int ret = -ENOMEM;

	for (unsigned int i = 0; i < BOOT_FDT_ROOMS && ret; i++)
		ret = place_find(&vm->place, "RTAS", PPC_RTAS_BYTES, PPC_RTAS_BYTES, rooms[i].low, rooms[i].high, true,
				 gpa);
	if (!ret)
		ret = memory_write(&vm->memory, *gpa, code, bytes);
	if (ret)
		log_error("no room for RTAS in guest RAM: give it more with --mem");
	return ret;
}

static int pseries_boot_prepare(struct vm *vm)
{
	struct boot_fdt_room rooms[BOOT_FDT_ROOMS];
	struct boot_fdt_seeds seeds;
	struct pseries_fdt params = {
		.machine = &vm->machine,
		.cpu = &vm->arch->cpu,
		.cmdline = vm->boot.cmdline,
		.initrd = vm->boot.initrd,
		.initrd_bytes = vm->boot.initrd_bytes,
		.nr_vtys = !!vm->arch->vtys[0].console + !!vm->arch->vtys[1].console,
		/* A partition without devices has no PCI bus either. */
		.pci = pci_host_has_devices(vm->pci) ? vm->pci : NULL,
		.nr_msis = PSERIES_NR_MSI,
		.xive_ipis = vm->arch->xive.ipis,
	};
	size_t size_bytes;
	void *blob;
	int ret;

	boot_fdt_usual_rooms(vm, PSERIES_BOOT_LIMIT, rooms);
	ret = place_rtas(vm, rooms, &params.rtas);
	if (ret)
		return ret;
	boot_fdt_seeds(&seeds);
	params.rng_seed = seeds.rng;
	ret = pseries_fdt_build(&params, &blob, &size_bytes);
	return ret ? ret : boot_fdt_install(vm, blob, size_bytes, rooms, BOOT_FDT_ROOMS);
}

/* How far from 0 on a boot wrapper may use memory as its own: to what lies above it. */
static uint64_t wrapper_memory(const struct vm *vm)
{
	uint64_t end = vm->machine.ram[0].size_bytes;

	for (unsigned int i = 0; i < vm->place.nr_taken; i++)
		if (vm->place.taken[i].gpa >= vm->boot.kernel_start + vm->boot.kernel_bytes)
			end = MIN(end, vm->place.taken[i].gpa);
	return end;
}

/*
 * Linux arch/powerpc/kernel/head_64.S: r3 = device tree, r4 = where the kernel is, r5 = 0 as there is no Open
 * Firmware to call. Boot wrappers want ePAPR's registers. The other CPUs wait for RTAS' start-cpu.
 */
static int pseries_vcpu_reset(struct vcpu *vcpu)
{
	const struct vm_boot *boot = &vcpu->vm->boot;
	uint64_t gpr[8] = { 0, 0, 0, boot->fdt };

	if (vcpu->index) {
		vcpu_set_offline(vcpu, true);
		return 0;
	}
	if (boot->arch[PPC_IMAGE_WRAPPER]) {
		gpr[6] = EPAPR_MAGIC;
		gpr[7] = wrapper_memory(vcpu->vm);
	} else {
		gpr[4] = boot->kernel_start;
	}
	return set_entry(vcpu, boot->entry, boot->arch[PPC_IMAGE_BITS] == 32 ? MSR_ME : MSR_SF | MSR_ME, gpr,
			 ARRAY_SIZE(gpr));
}

/* ---- exits -------------------------------------------------------------------------------------- */

static enum vcpu_exit_action pseries_vcpu_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct ppc_hcall call = { 0 };

	if (run->exit_reason != KVM_EXIT_PAPR_HCALL)
		return VCPU_UNHANDLED;
	call.nr = run->papr_hcall.nr;
	for (unsigned int i = 0; i < ARRAY_SIZE(call.args); i++)
		call.args[i] = run->papr_hcall.args[i];
	ppc_hcall_serve(&vcpu->vm->arch->hcalls, &call);
	run->papr_hcall.ret = (uint64_t)call.ret;
	for (unsigned int i = 0; i < ARRAY_SIZE(call.args); i++)
		run->papr_hcall.args[i] = call.args[i];
	return vcpu->vm->stopping ? VCPU_STOP : VCPU_RESUME;
}

/* ---- reports ------------------------------------------------------------------------------------ */

static bool pseries_vcpu_big_endian(struct vcpu *vcpu)
{
	struct kvm_regs regs;

	return !kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs) && !(regs.msr & MSR_LE);
}

static void pseries_vcpu_regs(struct vcpu *vcpu, const struct kvm_regs *regs, struct reg_set *set)
{
	static const struct ppc_named_reg named[] = {
		{ "dsisr", KVM_REG_PPC_DSISR }, { "lpcr", KVM_REG_PPC_LPCR_64 }, { "fscr", KVM_REG_PPC_FSCR },
	};
	static const struct ppc_named_reg icp = { "icp", KVM_REG_PPC_ICP_STATE };
	uint64_t dar = 0;
	int ret = ppc_get_reg(vcpu, KVM_REG_PPC_DAR, &dar);

	reg_add(set, REG_SYSTEM, ROLE_FAULT, "dar", 8, !ret, dar);
	ppc_add_regs(vcpu, set, named, ARRAY_SIZE(named));
	if (vcpu->vm->arch->irqchip == &pseries_xive)
		pseries_xive_regs(vcpu, set);
	else
		ppc_add_regs(vcpu, set, &icp, 1);
	set->halted = vcpu_is_offline(vcpu);
	set->big_endian = !(regs->msr & MSR_LE);
	if (!(regs->msr & MSR_SF))
		set->bits = 32;
	if (set->halted)
		reg_note(set, "not started by the guest, or stopped by itself");
}

/* One group of eight entries out of KVM's stream of them (Documentation/virt/kvm/api.rst 4.78). */
static int read_pteg(void *ctx, uint64_t pteg, uint64_t hpte[16])
{
	struct vm *vm = ctx;
	struct kvm_get_htab_fd req = { .start_index = pteg * 8 };
	/* A record of the group's valid entries, which goes on where others follow, and others behind holes. */
	uint8_t buf[1024];
	int fd = kvm_ioctl(vm->fd, KVM_PPC_GET_HTAB_FD, &req);
	ssize_t n;

	memset(hpte, 0, 16 * sizeof(*hpte));
	if (fd < 0)
		return fd;
	n = read(fd, buf, sizeof(buf));
	if (n < 0)
		n = -errno;
	kvm_sys_close(fd);
	for (ssize_t at = 0; at + (ssize_t)sizeof(struct kvm_get_htab_header) <= n;) {
		struct kvm_get_htab_header head;

		memcpy(&head, buf + at, sizeof(head));
		at += (ssize_t)sizeof(head);
		for (unsigned int i = 0; i < head.n_valid && at + 16 <= n; i++, at += 16) {
			uint64_t slot = (uint64_t)head.index + i - pteg * 8;

			if (slot < 8) {
				hpte[2 * slot] = get_be64(buf + at);
				hpte[2 * slot + 1] = get_be64(buf + at + 8);
			}
		}
	}
	return n < 0 ? (int)n : 0;
}

static void translate_hash(struct vcpu *vcpu, const struct kvm_regs *regs, uint64_t va, bool fetch,
			   struct walk *w)
{
	struct ppc_slb_entry slb[64];
	struct kvm_sregs sregs;
	struct ppc_hash mmu = {
		.msr = regs->msr,
		.slb = slb,
		.nr_slb = ARRAY_SIZE(slb),
		.order = vcpu->vm->arch->cpu.htab_order,
		.read_pteg = read_pteg,
		.ctx = vcpu->vm,
	};
	int ret = kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);

	if (ret) {
		walk_init(w, va, false);
		walk_fail(w, WALK_UNKNOWN, "KVM does not give the segments: %s", strerror(-ret));
		return;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(slb); i++)
		slb[i] = (struct ppc_slb_entry){ sregs.u.s.ppc64.slb[i].slbe, sregs.u.s.ppc64.slb[i].slbv };
	ppc_hash_walk(&mmu, va, fetch, w);
}

static void pseries_vcpu_translate(struct vcpu *vcpu, const struct kvm_regs *regs, uint64_t va, bool fetch,
				   struct walk *w)
{
	struct walk_memory mem = memory_for_walk(&vcpu->vm->memory);
	struct ppc_radix mmu = { .msr = regs->msr };
	uint64_t pid = 0;
	int ret;

	if (!vcpu->vm->arch->cpu.radix) {
		translate_hash(vcpu, regs, va, fetch, w);
		return;
	}
	mmu.process_table = vcpu->vm->arch->hcalls.process_table;
	ret = ppc_get_reg(vcpu, KVM_REG_PPC_PID, &pid);
	if (ret) {
		walk_init(w, va, false);
		walk_fail(w, WALK_UNKNOWN, "KVM does not give the PID register: %s", strerror(-ret));
		return;
	}
	mmu.pid = (uint32_t)pid;
	ppc_radix_walk(&mmu, &mem, va, fetch, w);
}

/* ---- doctor ------------------------------------------------------------------------------------- */

static void doctor_cpu(const struct doctor *d, int vm_fd)
{
	struct pseries_cpu cpu = { 0 };
	struct kvm_sregs sregs;
	int fd = kvm_ioctl_val(vm_fd, KVM_CREATE_VCPU, 0);
	bool known;

	if (fd < 0) {
		doctor_say(d, "vCPU", "cannot create one: %s", strerror(-fd));
		return;
	}
	known = describe_cpu(&cpu);
	if (!known)
		doctor_say(d, "host's device tree", "none: guests are told the least about their CPUs");
	if (!kvm_ioctl(fd, KVM_GET_SREGS, &sregs))
		doctor_say(d, "guest CPU", "%s, PVR 0x%08x%s%s", known ? cpu.name : "unknown", sregs.pvr,
			   cpu.held_to ? ", which, as the host's, is held to " : "",
			   cpu.held_to ? ppc_compat_name(cpu.held_to) : "");
	kvm_sys_close(fd);
}

static void pseries_doctor(const struct doctor *d, int kvm_fd, int vm_fd)
{
	int fd = vm_fd >= 0 ? vm_fd : kvm_fd;
	bool radix = kvm_check_cap(fd, KVM_CAP_PPC_MMU_RADIX) > 0;
	struct kvm_ppc_smmu_info info;
	bool hash = false;

	memset(&info, 0, sizeof(info));
	if (vm_fd >= 0 && !kvm_ioctl(vm_fd, KVM_PPC_GET_SMMU_INFO, &info))
		hash = !(info.flags & KVM_PPC_NO_HASH) &&
		       (!radix || kvm_check_cap(fd, KVM_CAP_PPC_MMU_HASH_V3) > 0);
	doctor_say(d, "guest MMU", "%s%s%s", radix ? "radix" : "", radix && hash ? ", hash (disable_radix)" : "",
		   !radix && hash ? "hash" : !radix ? "none" : "");
	if (pseries_xive_obstacle(fd))
		doctor_say(d, "interrupt controller", "xics (no xive: %s)", pseries_xive_obstacle(fd));
	else
		doctor_say(d, "interrupt controller", "xive, xics");
	doctor_say(d, "vCPUs in a VM", "up to %d", kvm_check_cap(kvm_fd, KVM_CAP_MAX_VCPUS));
	doctor_say(d, "transactional memory", "%s", kvm_check_cap(fd, KVM_CAP_PPC_HTM) > 0 ? "yes" : "no");
	doctor_say(d, "nested guests", "%s", kvm_check_cap(fd, KVM_CAP_PPC_NESTED_HV) > 0 ?
		   "KVM can" : "no (kvm_hv's parameter nested)");
	if (vm_fd >= 0)
		doctor_cpu(d, vm_fd);
}

/*
 * The work, asked for by the call for devices that guests make with translation off: behind a hash MMU an address
 * without memory is not mapped then. Last RTAS' power-off, by the hypervisor call that its code would make.
 * Big-endian, loaded and entered at 0.
 */
static const void *pseries_probe_guest(size_t *size_bytes)
{
	static uint8_t code[] = {
		0x38, 0x60, 0x00, 0x3c, /* li     r3, 0x3c     H_LOGICAL_CI_LOAD */
		0x38, 0x80, 0x00, 0x04, /* li     r4, 4        bytes */
		0x38, 0xa0, 0x00, 0x00, /* li     r5, 0 */
		0x64, 0xa5, 0xf0, 0x00, /* oris   r5, r5, 0xf000 */
		0x44, 0x00, 0x00, 0x22, /* sc     1 */
		0x90, 0x80, 0x00, 0x5c, /* stw    r4, 92(0)    it is little-endian */
		0x38, 0xc0, 0x00, 0x5c, /* li     r6, 92 */
		0x7c, 0xa0, 0x34, 0x2c, /* lwbrx  r5, 0, r6 */
		0x28, 0x05, 0x00, 0x00, /* cmplwi r5, 0 */
		0x41, 0x82, 0x00, 0x10, /* beq    .+16 */
		0x7c, 0xa9, 0x03, 0xa6, /* mtctr  r5 */
		0x42, 0x00, 0x00, 0x00, /* bdnz   . */
		0x4b, 0xff, 0xff, 0xd0, /* b      .-48         to the start */
		0x38, 0x80, 0x00, 0x44, /* li     r4, 68       the argument block below */
		0x3c, 0x60, 0x00, 0x00, /* lis    r3, 0 */
		0x60, 0x63, 0xf0, 0x00, /* ori    r3, r3, 0xf000  KVMPPC_H_RTAS */
		0x44, 0x00, 0x00, 0x22, /* sc     1 */
		0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, /* token, 2 arguments, 1 result */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
		0, 0, 0, 0, /* what is to be done */
	};

	_Static_assert(H_LOGICAL_CI_LOAD == 0x3c, "call in the code");
	_Static_assert(PSERIES_PROBE_BASE == 0xf0000000, "address in the code");
	put_be32(code + 68, ppc_rtas_token("power-off"));
	*size_bytes = sizeof(code);
	return code;
}

/* What counts is in the registers once the guest has left the CPU; MMCR0 says which counters stand still. */
static int pseries_guest_counters(struct vcpu *vcpu, struct guest_counter *counters, size_t max,
				  const char **missing)
{
	uint64_t control, events, value;
	size_t n = 0;

	*missing = NULL;
	if (ppc_get_reg(vcpu, KVM_REG_PPC_MMCR0, &control) || ppc_get_reg(vcpu, KVM_REG_PPC_MMCR1, &events))
		return -EIO;
	if (control & PPC_MMCR0_FC)
		return 0;
	for (unsigned int i = 0; i < 6 && n < max; i++) {
		unsigned int event = i < 4 ? ppc_mmcr1_event(events, i) : 0;
		const char *name = i == 4 ? "PM_RUN_INST_CMPL" : i == 5 ? "PM_RUN_CYC" : ppc_pmu_event_name(event);

		if (control & (i < 4 ? PPC_MMCR0_FC14 : PPC_MMCR0_FC56) || (i < 4 && !event) ||
		    ppc_get_reg(vcpu, KVM_REG_PPC_PMC1 + i, &value))
			continue;
		if (i < 4)
			snprintf(counters[n].name, sizeof(counters[n].name), "PMC%u %s(0x%02x)", i + 1,
				 name ? name : "", event);
		else
			snprintf(counters[n].name, sizeof(counters[n].name), "PMC%u %s", i + 1, name);
		counters[n++].value = value;
	}
	return (int)n;
}

const struct ppc_platform ppc_pseries = {
	.name = "pseries",
	.needs = needs,
	.nr_needs = ARRAY_SIZE(needs),
	.machine_init = pseries_machine,
	.vm_type = pseries_vm_type,
	.vm_create = pseries_vm_create,
	.vm_destroy = pseries_vm_destroy,
	.vcpu_create = pseries_vcpu_create,
	.vcpu_destroy = pseries_vcpu_destroy,
	.irqchip_init = pseries_irqchip_init,
	.irq_line = pseries_irq_line,
	.devices_create = pseries_devices_create,
	.initrd_limit = pseries_initrd_limit,
	.default_cmdline = pseries_default_cmdline,
	.boot_prepare = pseries_boot_prepare,
	.vcpu_reset = pseries_vcpu_reset,
	.vcpu_exit = pseries_vcpu_exit,
	.vcpu_regs = pseries_vcpu_regs,
	.vcpu_big_endian = pseries_vcpu_big_endian,
	.vcpu_translate = pseries_vcpu_translate,
	.doctor = pseries_doctor,
	.probe_guest = pseries_probe_guest,
	.guest_counters = pseries_guest_counters,
};
