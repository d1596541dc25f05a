// SPDX-License-Identifier: GPL-2.0-only
/* An arm64 vCPU: features at KVM_ARM_VCPU_INIT, everything else through ONE_REG. */
#include "arm/arch.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/psci.h>
#include <stdlib.h>
#include <string.h>

#include "arm/esr.h"
#include "arm/layout.h"
#include "arm/mmu.h"
#include "arm/pmu.h"
#include "arm/pmu-probe.h"
#include "arm/reg-names.h"
#include "lkvm/arch.h"
#include "lkvm/cpulist.h"
#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "lkvm/registers.h"

/* ---- features ----------------------------------------------------------------------------------- */

static void add_feature(struct kvm_vcpu_init *init, unsigned int feature)
{
	init->features[feature / 32] |= 1u << feature % 32;
}

/*
 * The PMU of the CPUs that the vCPUs run on, where it has to be named: by the user, with --vcpu-affinity
 * on a host with different kinds of CPUs, and before its counters are chosen. Elsewhere
 * (type -1) KVM takes that of the CPU it is on. 0, or -errno, silent: @why says it, without a stop.
 */
static int find_pmu(struct vm *vm, int *type, char *why, size_t why_size)
{
	const char *list = vm->cfg->vcpu_affinity;
	cpu_set_t cpus, allowed;
	int ret;

	*type = -1;
	if (vm->cfg->pmu_device[0]) {
		ret = arm_pmu_by_name(ARM_PMU_SYSFS, vm->cfg->pmu_device, type);
		if (ret)
			snprintf(why, why_size, "device=%s: there is no such CPU's PMU in " ARM_PMU_SYSFS,
				 vm->cfg->pmu_device);
		return ret;
	}
	if (!list && !vm->cfg->arm.pmu_counters)
		return 0;
	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return 0; /* more CPUs than lkvm counts: KVM's choice must do */
	cpus = allowed;
	if (list && !cpulist_parse(list, &cpus))
		CPU_AND(&cpus, &cpus, &allowed);
	if (!CPU_COUNT(&cpus))
		return 0; /* the threads' start will report it */
	ret = arm_pmu_find(ARM_PMU_SYSFS, &cpus, type);
	if (ret)
		snprintf(why, why_size, "the host CPUs%s%s have no PMU in common: choose some of one kind with "
			 "--vcpu-affinity, or use --no-pmu", list ? " " : "", list ? list : "");
	return ret;
}

const char *arm_pmu_lacks(void)
{
	if (!arm_pmu_exists(ARM_PMU_SYSFS))
		return "its own kernel has none: the CPUs lack PMUv3, the firmware does not describe it, or the kernel "
		       "lacks CONFIG_ARM_PMUV3";
	return "its own kernel has one, but not a PMUv3 that KVM can share";
}

static int choose_pmu(struct vm *vm)
{
	enum config_tristate wanted = vm->pmu;
	char why[256];
	int ret;

	if (wanted == CONFIG_OFF)
		return 0;
	if (kvm_check_cap(vm->fd, KVM_CAP_ARM_PMU_V3) <= 0) {
		if (wanted == CONFIG_AUTO)
			return 0;
		log_error("--pmu: this host has no PMU for guests: %s (--pmu=auto does without)", arm_pmu_lacks());
		return -ENODEV;
	}
	ret = find_pmu(vm, &vm->arch->pmu_type, why, sizeof(why));
	if (ret && wanted == CONFIG_AUTO) {
		log_info("no PMU in the guest: %s", why);
		return 0;
	}
	if (ret) {
		log_error("--pmu: %s", why);
		return ret;
	}
	add_feature(&vm->arch->init, KVM_ARM_VCPU_PMU_V3);
	return 0;
}

static int choose_aarch32(struct vm *vm)
{
	if (!vm->cfg->arm.aarch32)
		return 0;
	if (kvm_check_cap(vm->fd, KVM_CAP_ARM_EL1_32BIT) <= 0) {
		log_error("--aarch32: this host's CPUs run no 32-bit kernels (AArch32 at EL1), as most newer ones");
		return -ENODEV;
	}
	add_feature(&vm->arch->init, KVM_ARM_VCPU_EL1_32BIT);
	return 0;
}

static int choose_sve(struct vm *vm)
{
	const struct config_arm *cfg = &vm->cfg->arm;

	if (cfg->disable_sve || cfg->aarch32)
		return 0;
	if (kvm_check_cap(vm->fd, KVM_CAP_ARM_SVE) > 0) {
		add_feature(&vm->arch->init, KVM_ARM_VCPU_SVE);
		return 0;
	}
	if (!cfg->sve_max_bits)
		return 0;
	log_error("--sve-max-vl: this host has no SVE for guests");
	return -ENODEV;
}

static int choose_el2(struct vm *vm)
{
	const struct config_arm *cfg = &vm->cfg->arm;

	if (!cfg->nested)
		return 0;
	if (kvm_check_cap(vm->fd, KVM_CAP_ARM_EL2) <= 0) {
		log_error("--nested: this host's KVM runs no guests at EL2: that takes CPUs with FEAT_NV2, "
			  "Linux 6.16 or newer, and kvm-arm.mode=nested on its command line");
		return -ENODEV;
	}
	if (cfg->e2h0 && kvm_check_cap(vm->fd, KVM_CAP_ARM_EL2_E2H0) <= 0) {
		log_error("--e2h0: this host's CPUs have no EL2 without VHE for guests");
		return -ENODEV;
	}
	add_feature(&vm->arch->init, KVM_ARM_VCPU_HAS_EL2);
	if (cfg->e2h0)
		add_feature(&vm->arch->init, KVM_ARM_VCPU_HAS_EL2_E2H0);
	return 0;
}

/* The guest gets what the CPU has; a kernel that can't use it leaves it alone. */
static void choose_pointer_auth(struct vm *vm)
{
	struct kvm_vcpu_init *init = &vm->arch->init;

	/* KVM wants both or neither. */
	if (kvm_check_cap(vm->fd, KVM_CAP_ARM_PTRAUTH_ADDRESS) > 0 &&
	    kvm_check_cap(vm->fd, KVM_CAP_ARM_PTRAUTH_GENERIC) > 0) {
		add_feature(init, KVM_ARM_VCPU_PTRAUTH_ADDRESS);
		add_feature(init, KVM_ARM_VCPU_PTRAUTH_GENERIC);
	}
}

int arm_vcpu_features(struct vm *vm)
{
	struct kvm_vcpu_init *init = &vm->arch->init;
	int ret;

	ret = kvm_ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, init);
	if (ret) {
		log_error("KVM does not tell which kind of vCPU this host runs: KVM_ARM_PREFERRED_TARGET: %s",
			  strerror(-ret));
		return ret;
	}
	memset(init->features, 0, sizeof(init->features));
	add_feature(init, KVM_ARM_VCPU_PSCI_0_2);
	/* KVM takes none of what only 64-bit guests know with a 32-bit one. */
	if (!vm->cfg->arm.aarch32)
		choose_pointer_auth(vm);
	ret = choose_aarch32(vm);
	if (!ret)
		ret = choose_sve(vm);
	if (!ret)
		ret = choose_el2(vm);
	return ret ? ret : choose_pmu(vm);
}

/* ---- set-up ------------------------------------------------------------------------------------- */

/* Linux arch/arm64/kvm/arm.c, kvm_setup_vcpu(): what the vCPU's PMU is, is settled when it is initialised. */
#define NO_CPU_PMU \
	"the kernel has no PMU for the host CPU that lkvm is on (where CPUs differ, --vcpu-affinity chooses)"

/* Also takes a vCPU that ran back to the state of power-on. 0 or -errno, silent. */
static int init_vcpu(struct vcpu *vcpu, bool powered)
{
	struct kvm_vcpu_init init = vcpu->vm->arch->init;

	if (!powered)
		add_feature(&init, KVM_ARM_VCPU_POWER_OFF);
	return kvm_ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init);
}

/* Those after the first wait until the guest starts them by PSCI. */
static int first_init(struct vcpu *vcpu)
{
	const struct kvm_vcpu_init *init = &vcpu->vm->arch->init;
	bool pmu = arm_has_feature(init, KVM_ARM_VCPU_PMU_V3);
	int ret = init_vcpu(vcpu, vcpu->index == 0);

	if (ret && pmu && vcpu->vm->pmu == CONFIG_AUTO)
		return vm_drop_pmu(vcpu->vm, "KVM cannot initialise vCPU %u with one: %s", vcpu->index, strerror(-ret));
	if (ret == -ENODEV && pmu)
		log_error("--pmu: KVM gives vCPU %u none: " NO_CPU_PMU " (--pmu=auto does without)", vcpu->index);
	else if (ret)
		log_error("KVM cannot initialise vCPU %u (features 0x%x): %s", vcpu->index, init->features[0],
			  strerror(-ret));
	return ret;
}

/*
 * The vector lengths that the guest has: a bit for each multiple of 128 bits, from 1 (KVM-API 4.68,
 * KVM_REG_ARM64_SVE_VLS). All up to --sve-max-vl that the host has.
 */
static int limit_sve(struct vcpu *vcpu)
{
	unsigned int max = vcpu->vm->cfg->arm.sve_max_bits / 128;
	uint64_t lengths[KVM_ARM64_SVE_VLS_WORDS];
	int ret;

	if (!max)
		return 0;
	ret = kvm_get_reg(vcpu->fd, KVM_REG_ARM64_SVE_VLS, lengths);
	if (!ret) {
		for (unsigned int i = max; i < 64 * ARRAY_SIZE(lengths); i++)
			lengths[i / 64] &= ~(UINT64_C(1) << i % 64);
		ret = kvm_set_reg(vcpu->fd, KVM_REG_ARM64_SVE_VLS, lengths);
	}
	if (ret)
		log_error("--sve-max-vl %u: KVM refuses it on vCPU %u: %s", 128 * max, vcpu->index,
			  strerror(-ret));
	return ret;
}

static int finish_sve(struct vcpu *vcpu)
{
	int feature = KVM_ARM_VCPU_SVE;
	int ret;

	if (!arm_has_feature(&vcpu->vm->arch->init, KVM_ARM_VCPU_SVE))
		return 0;
	ret = limit_sve(vcpu);
	if (ret)
		return ret;
	ret = kvm_ioctl(vcpu->fd, KVM_ARM_VCPU_FINALIZE, &feature);
	if (ret)
		log_error("KVM cannot finish SVE on vCPU %u: %s", vcpu->index, strerror(-ret));
	return ret;
}

/* Where KVM counts the time that the host took from this vCPU (Arm DEN0057A). The guest asks by a call. */
static int set_stolen_time(struct vcpu *vcpu)
{
	uint64_t ipa = ARM_PVTIME_BASE + vcpu->index * ARM_PVTIME_CPU_BYTES;
	int ret;

	if (!vcpu->vm->arch->pvtime)
		return 0;
	ret = kvm_set_device_attr(vcpu->fd, KVM_ARM_VCPU_PVTIME_CTRL, KVM_ARM_VCPU_PVTIME_IPA, &ipa);
	if (ret)
		log_error("KVM refuses to count stolen time of vCPU %u: %s", vcpu->index, strerror(-ret));
	return ret;
}

static int get_reg(struct vcpu *vcpu, const char *name, uint64_t id, uint64_t *v)
{
	int ret = kvm_get_reg(vcpu->fd, id, v);

	if (ret)
		log_error("KVM does not tell %s of vCPU %u: %s", name, vcpu->index, strerror(-ret));
	return ret;
}

/* Why KVM does not take an ID register, as the end of a sentence. */
static const char *feature_refusal(int err)
{
	switch (-err) {
	case ENOENT:
		return "KVM has no such register";
	case EINVAL:
	case EPERM:
		return "KVM does not let guests have that: it is fixed, or more than the host has, or its kernel is older "
		       "than Linux 6.7";
	case EBUSY:
		return "too late, the VM has already run";
	default:
		return strerror(-err);
	}
}

/* The registers are the VM's, but each vCPU shows them: set on all, the first time counts. */
static int set_cpu_features(struct vcpu *vcpu)
{
	const struct config_arm *cfg = &vcpu->vm->cfg->arm;

	for (unsigned int i = 0; i < cfg->nr_features; i++) {
		const struct config_arm_feature *f = &cfg->features[i];
		uint64_t mask = (f->bits < 64 ? (UINT64_C(1) << f->bits) - 1 : ~UINT64_C(0)) << f->lsb;
		uint64_t v = 0, now = 0;
		int ret;

		ret = kvm_get_reg(vcpu->fd, f->id, &v);
		v = (v & ~mask) | (f->value << f->lsb & mask);
		if (!ret)
			ret = kvm_set_reg(vcpu->fd, f->id, &v);
		if (!ret)
			ret = kvm_get_reg(vcpu->fd, f->id, &now);
		if (!ret && now != v)
			ret = -EINVAL;
		if (ret) {
			log_error("--cpu-feature %s=0x%" PRIx64 ": vCPU %u: %s", f->name, f->value, vcpu->index,
				  feature_refusal(ret));
			return ret;
		}
	}
	return 0;
}

int arch_vcpu_create(struct vcpu *vcpu)
{
	struct arch_vm *arch = vcpu->vm->arch;
	int ret;

	ret = first_init(vcpu);
	if (ret)
		return ret;
	ret = finish_sve(vcpu);
	if (!ret)
		ret = set_cpu_features(vcpu);
	if (ret)
		return ret;
	ret = set_stolen_time(vcpu);
	if (ret)
		return ret;
	ret = get_reg(vcpu, "MPIDR_EL1", ARM_REG_MPIDR_EL1, &arch->mpidr[vcpu->index]);
	if (!ret && vcpu->index == 0)
		ret = get_reg(vcpu, "ID_AA64MMFR0_EL1", ARM_REG_ID_AA64MMFR0, &arch->mmfr0);
	return ret;
}

void arch_vcpu_destroy(struct vcpu *vcpu)
{
	(void)vcpu; /* nothing beyond the fd */
}

/* Which layer keeps KVM from setting attribute @attr of a vCPU's PMU, as a clause. */
static const char *pmu_refusal(uint64_t attr, int err)
{
	switch (-err) {
	case ENODEV:
		return NO_CPU_PMU;
	case ENXIO:
		return attr == KVM_ARM_VCPU_PMU_V3_SET_PMU ?
			       "KVM shares no host PMU of this kind: it is not of these CPUs, or the host's kernel is "
			       "older than Linux 5.18" :
			       "the host's kernel does not know of it";
	case EINVAL:
		return attr == KVM_ARM_VCPU_PMU_V3_IRQ ? "KVM's interrupt controller does not take it" :
							 "KVM does not take this value on this host";
	case EBUSY:
		return "KVM has settled it already";
	case EEXIST:
		return "KVM's interrupt controller has its interrupt in use";
	default:
		return strerror(-err);
	}
}

/* KVM said @err to attribute @attr of @vcpu's PMU, which is called @what. Returns what to pass up. */
static int pmu_refused(struct vcpu *vcpu, const char *what, uint64_t attr, int err)
{
	const char *why = pmu_refusal(attr, err);

	if (vcpu->vm->pmu == CONFIG_AUTO)
		return vm_drop_pmu(vcpu->vm, "KVM refuses %s: %s", what, why);
	log_error("--pmu: KVM gives vCPU %u none: it refuses %s: %s (--pmu=auto does without)", vcpu->index, what, why);
	return err;
}

static int set_pmu(struct vcpu *vcpu, const char *what, uint64_t attr, const void *val)
{
	int ret = kvm_set_device_attr(vcpu->fd, KVM_ARM_VCPU_PMU_V3_CTRL, attr, val);

	return ret ? pmu_refused(vcpu, what, attr, ret) : 0;
}

static int filter_events(struct vcpu *vcpu, const struct config_pmu_events *range, uint16_t first, uint16_t last)
{
	struct kvm_pmu_event_filter filter = {
		.base_event = first,
		.nevents = (uint16_t)(last - first + 1),
		.action = range->deny ? KVM_PMU_EVENT_DENY : KVM_PMU_EVENT_ALLOW,
	};
	char what[64];

	snprintf(what, sizeof(what), "%s=0x%x-0x%x", range->deny ? "deny" : "allow", range->first, range->last);
	return set_pmu(vcpu, what, KVM_ARM_VCPU_PMU_V3_FILTER, &filter);
}

/*
 * The filter is the VM's: set on one vCPU it holds for all. The first range decides what holds for
 * the rest.
 */
static int set_pmu_filter(struct vcpu *vcpu)
{
	const struct config *cfg = vcpu->vm->cfg;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < cfg->nr_pmu_events; i++) {
		const struct config_pmu_events *range = &cfg->pmu_events[i];
		/* All 65536 at once would be none: KVM counts them in 16 bits. */
		uint16_t last = range->first ? range->last : MIN(range->last, 0xfffeu);

		ret = filter_events(vcpu, range, range->first, last);
		if (!ret && last < range->last)
			ret = filter_events(vcpu, range, range->last, range->last);
	}
	return ret;
}

int arm_pmu_init(struct vm *vm)
{
	uint32_t counters = vm->cfg->arm.pmu_counters;
	int id = ARM_GIC_PPI_FIRST + ARM_PPI_PMU;
	int type = vm->arch->pmu_type;
	int ret = 0;

	if (!arm_has_feature(&vm->arch->init, KVM_ARM_VCPU_PMU_V3))
		return 0;
	if (counters && !kvm_has_device_attr(vm->vcpus[0]->fd, KVM_ARM_VCPU_PMU_V3_CTRL,
					     KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS)) {
		if (vm->pmu == CONFIG_AUTO)
			return vm_drop_pmu(vm, "this host's kernel is too old to give guests fewer counters than it has");
		log_error("--pmu: counters=%u: this host's kernel is too old to give guests fewer counters than it has",
			  counters);
		return -ENOSYS;
	}
	for (unsigned int i = 0; !ret && i < vm->nr_vcpus; i++) {
		struct vcpu *vcpu = vm->vcpus[i];

		ret = set_pmu(vcpu, "its interrupt", KVM_ARM_VCPU_PMU_V3_IRQ, &id);
		if (!ret && type >= 0)
			ret = set_pmu(vcpu, "the host's PMU that was chosen", KVM_ARM_VCPU_PMU_V3_SET_PMU, &type);
		if (!ret && counters)
			ret = set_pmu(vcpu, "its number of counters", KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS,
				      &counters);
		if (!ret && i == 0)
			ret = set_pmu_filter(vcpu);
		if (!ret)
			ret = set_pmu(vcpu, "to start it", KVM_ARM_VCPU_PMU_V3_INIT, NULL);
	}
	return ret;
}

static int set_reg(struct vcpu *vcpu, const char *name, uint64_t id, uint64_t v)
{
	int ret = kvm_set_reg(vcpu->fd, id, &v);

	if (ret)
		log_error("KVM refuses %s = 0x%" PRIx64 " on vCPU %u: %s", name, v, vcpu->index,
			  strerror(-ret));
	return ret;
}

/*
 * Linux Documentation/arch/arm/booting.rst: r0 = 0, r1 = machine type (none, as there is a device tree), r2 =
 * device tree; supervisor mode with interrupts masked and the MMU off is how KVM initialises vCPUs.
 */
static int reset_aarch32(struct vcpu *vcpu)
{
	int ret = set_reg(vcpu, "r1", ARM_REG_X(1), UINT32_MAX);

	return ret ? ret : set_reg(vcpu, "r2", ARM_REG_X(2), vcpu->vm->boot.fdt);
}

/*
 * Linux Documentation/arch/arm64/booting.rst: x0 = device tree, x1 to x3 = 0, EL1 with interrupts masked
 * and the MMU off. All but x0 is how KVM initialises vCPUs.
 */
int arch_vcpu_reset(struct vcpu *vcpu)
{
	const struct vm_boot *boot = &vcpu->vm->boot;
	int ret;

	if (vcpu->index)
		return 0;
	ret = set_reg(vcpu, "pc", ARM_REG_CORE(regs.pc), boot->entry);
	if (!ret && vcpu->vm->cfg->arm.aarch32)
		return reset_aarch32(vcpu);
	if (!ret)
		ret = set_reg(vcpu, "x0", ARM_REG_X(0), boot->fdt);
	return ret;
}

/* ---- exits -------------------------------------------------------------------------------------- */

/*
 * An access that the CPU does not describe (a load pair, an exclusive ...) to a place without memory: it is
 * answered as a bus would that has nobody there for it. Most likely it went astray.
 */
static enum vcpu_exit_action refuse_access(struct vcpu *vcpu)
{
	struct arch_vm *arch = vcpu->vm->arch;
	struct kvm_vcpu_events events = { .exception.ext_dabt_pending = 1 };
	uint64_t pc = 0;
	int ret;

	if (!arch->can_inject_abort)
		return VCPU_UNHANDLED;
	if (arch_vcpu_pc(vcpu, &pc))
		pc = 0;
	ret = kvm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
	if (ret) {
		log_error("vCPU %u: KVM_SET_VCPU_EVENTS: %s", vcpu->index, strerror(-ret));
		return VCPU_UNHANDLED;
	}
	/* Both exits have it at the same place (KVM-API 5, KVM_EXIT_ARM_NISV and KVM_EXIT_ARM_LDST64B). */
	log_guest(&arch->aborts, "vCPU %u: device access at 0x%" PRIx64 " by an instruction that KVM cannot "
		  "emulate, pc 0x%" PRIx64 ": the guest gets an external abort", vcpu->index,
		  (uint64_t)vcpu->run->arm_nisv.fault_ipa, pc);
	return VCPU_RESUME;
}

/* What a PSCI call returns in x0 (Arm DEN0022 §5.2.2). */
static enum vcpu_exit_action answer_psci(struct vcpu *vcpu, int64_t result)
{
	return set_reg(vcpu, "x0", ARM_REG_X(0), (uint64_t)result) ? VCPU_UNHANDLED : VCPU_RESUME;
}

/*
 * PSCI SYSTEM_SUSPEND (Arm DEN0022 §5.20): x1 is where to go on after waking, x2 what to find in x0 there. The
 * other vCPUs are off, which is the guest's duty. So this one gets the state of power-on now, and sleeps in KVM
 * until an interrupt is there for it: KVM_SYSTEM_EVENT_WAKEUP.
 */
static enum vcpu_exit_action suspend_system(struct vcpu *vcpu)
{
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_SUSPENDED };
	uint64_t entry, context;
	int ret;

	if (get_reg(vcpu, "x1", ARM_REG_X(1), &entry) || get_reg(vcpu, "x2", ARM_REG_X(2), &context))
		return VCPU_UNHANDLED;
	if (!memory_find(&vcpu->vm->memory, entry))
		return answer_psci(vcpu, PSCI_RET_INVALID_ADDRESS);
	/* Tried before anything is lost. */
	ret = kvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &mp);
	if (ret) {
		log_warning("vCPU %u: cannot suspend the guest, it goes on: %s", vcpu->index,
			    strerror(-ret));
		return answer_psci(vcpu, PSCI_RET_DENIED);
	}
	/* Initialising makes the vCPU runnable again. */
	ret = init_vcpu(vcpu, true);
	if (ret)
		log_error("KVM cannot initialise vCPU %u for a suspend: %s", vcpu->index, strerror(-ret));
	if (ret || set_reg(vcpu, "pc", ARM_REG_CORE(regs.pc), entry) || set_reg(vcpu, "x0", ARM_REG_X(0), context))
		return VCPU_UNHANDLED;
	ret = kvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &mp);
	if (ret)
		return VCPU_UNHANDLED;
	log_info("the guest suspended itself; an interrupt wakes it");
	return VCPU_RESUME;
}

static enum vcpu_exit_action wake_system(struct vcpu *vcpu)
{
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };

	return kvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &mp) ? VCPU_UNHANDLED : VCPU_RESUME;
}

static enum vcpu_exit_action serve_system_event(struct vcpu *vcpu)
{
	switch (vcpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SUSPEND:
		return suspend_system(vcpu);
	case KVM_SYSTEM_EVENT_WAKEUP:
		return wake_system(vcpu);
	default:
		return VCPU_UNHANDLED;
	}
}

enum vcpu_exit_action arch_vcpu_exit(struct vcpu *vcpu)
{
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_ARM_NISV:
	case KVM_EXIT_ARM_LDST64B:
		return refuse_access(vcpu);
	case KVM_EXIT_SYSTEM_EVENT:
		return serve_system_event(vcpu);
	default:
		return VCPU_UNHANDLED;
	}
}

/* ---- reports ------------------------------------------------------------------------------------ */

bool arch_event_is_failure(const struct kvm_run *run)
{
	(void)run; /* PSCI gives no reason; what KVM passes on tells SYSTEM_RESET2 from SYSTEM_RESET */
	return false;
}

int arch_vcpu_pc(struct vcpu *vcpu, uint64_t *pc)
{
	return kvm_get_reg(vcpu->fd, ARM_REG_CORE(regs.pc), pc);
}

struct named_reg {
	const char   *name;
	uint64_t      id;
	enum reg_role role;
};

/* A register, 0 if KVM does not have it. */
static uint64_t optional_reg(struct vcpu *vcpu, uint64_t id)
{
	uint64_t v = 0;

	return kvm_get_reg(vcpu->fd, id, &v) ? 0 : v;
}

static void add_reg(struct vcpu *vcpu, struct reg_set *set, enum reg_group group, const struct named_reg *reg)
{
	uint64_t v = 0;
	int ret = kvm_get_reg(vcpu->fd, reg->id, &v);

	reg_add(set, group, reg->role, reg->name, 8, !ret, v);
}

/* The system registers of an exception level, by what they are for. */
struct el_regs {
	bool     el2;
	uint64_t sctlr, tcr, ttbr0, ttbr1, tcr2, pir, pire0, mair, esr, far, elr, spsr, vbar, tpidr, sp;
};

static const struct el_regs el1_regs = {
	.sctlr = ARM_REG_SCTLR_EL1, .tcr = ARM_REG_TCR_EL1, .ttbr0 = ARM_REG_TTBR0_EL1, .ttbr1 = ARM_REG_TTBR1_EL1,
	.tcr2 = ARM_REG_TCR2_EL1, .pir = ARM_REG_PIR_EL1, .pire0 = ARM_REG_PIRE0_EL1, .mair = ARM_REG_MAIR_EL1,
	.esr = ARM_REG_ESR_EL1, .far = ARM_REG_FAR_EL1, .elr = ARM_REG_CORE(elr_el1), .spsr = ARM_REG_CORE(spsr[0]),
	.vbar = ARM_REG_VBAR_EL1, .tpidr = ARM_REG_TPIDR_EL1, .sp = ARM_REG_CORE(sp_el1),
};

static const struct el_regs el2_regs = {
	.el2 = true,
	.sctlr = ARM_REG_SCTLR_EL2, .tcr = ARM_REG_TCR_EL2, .ttbr0 = ARM_REG_TTBR0_EL2, .ttbr1 = ARM_REG_TTBR1_EL2,
	.tcr2 = ARM_REG_TCR2_EL2, .pir = ARM_REG_PIR_EL2, .pire0 = ARM_REG_PIRE0_EL2, .mair = ARM_REG_MAIR_EL2,
	.esr = ARM_REG_ESR_EL2, .far = ARM_REG_FAR_EL2, .elr = ARM_REG_ELR_EL2, .spsr = ARM_REG_SPSR_EL2,
	.vbar = ARM_REG_VBAR_EL2, .tpidr = ARM_REG_TPIDR_EL2, .sp = ARM_REG_SP_EL2,
};

/* HCR_EL2 of a guest that starts at EL2, else 0. */
static uint64_t guest_hcr(struct vcpu *vcpu)
{
	bool has_el2 = arm_has_feature(&vcpu->vm->arch->init, KVM_ARM_VCPU_HAS_EL2);

	return has_el2 ? optional_reg(vcpu, ARM_REG_HCR_EL2) : 0;
}

/* Those that rule a vCPU with these. With VHE, EL0 may belong to EL2. */
static const struct el_regs *ruling_regs(uint64_t pstate, uint64_t hcr)
{
	const uint64_t host = ARM_HCR_E2H | ARM_HCR_TGE;

	if (arm_pstate_is_el2(pstate) || (arm_pstate_is_user(pstate) && (hcr & host) == host))
		return &el2_regs;
	return &el1_regs;
}

/* TCR_EL1, or TCR_EL2 in the form of TCR_EL1. */
static uint64_t tcr_as_el1(const struct el_regs *el, uint64_t tcr, uint64_t hcr)
{
	return el->el2 && !(hcr & ARM_HCR_E2H) ? arm_mmu_tcr_of_el2(tcr) : tcr;
}

static bool is_32bit_guest(struct vcpu *vcpu)
{
	return arm_has_feature(&vcpu->vm->arch->init, KVM_ARM_VCPU_EL1_32BIT);
}

static void add_notes(struct vcpu *vcpu, struct reg_set *set, const struct el_regs *el, uint64_t pstate)
{
	uint64_t esr = optional_reg(vcpu, el->esr);
	char text[ARM_ESR_TEXT_BYTES], from[ARM_PSTATE_TEXT_BYTES];
	struct kvm_mp_state mp;

	reg_note(set, "pstate     %016" PRIx64 "  %s", pstate, arm_pstate_text(pstate, text, sizeof(text)));
	/* Guests of 32 bits have other registers for it, and leave this one as KVM has made it. */
	if (esr && !is_32bit_guest(vcpu))
		reg_note(set, "last exception: %s, taken from %s", arm_esr_text(esr, text, sizeof(text)),
			 arm_pstate_text(optional_reg(vcpu, el->spsr), from, sizeof(from)));
	if (kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &mp)) {
		reg_note(set, "the vCPU is in an unknown state");
		return;
	}
	set->halted = mp.mp_state == KVM_MP_STATE_STOPPED || mp.mp_state == KVM_MP_STATE_SUSPENDED;
	reg_note(set, "the vCPU is %s", mp.mp_state == KVM_MP_STATE_STOPPED ? "switched off" :
		 mp.mp_state == KVM_MP_STATE_SUSPENDED ? "suspended" : "switched on");
}

static void add_system_regs(struct vcpu *vcpu, struct reg_set *set, const struct el_regs *el)
{
	const struct {
		const char   *name; /* "esr" for esr_el1 or esr_el2 */
		uint64_t      id;
		enum reg_role role;
	} banked[] = {
		{ "esr", el->esr, ROLE_PLAIN },     { "far", el->far, ROLE_FAULT },
		{ "elr", el->elr, ROLE_PLAIN },     { "spsr", el->spsr, ROLE_PLAIN },
		{ "vbar", el->vbar, ROLE_VECTOR },  { "sctlr", el->sctlr, ROLE_PLAIN },
		{ "tcr", el->tcr, ROLE_PLAIN },     { "mair", el->mair, ROLE_PLAIN },
		{ "ttbr0", el->ttbr0, ROLE_PLAIN }, { "ttbr1", el->ttbr1, ROLE_PLAIN },
		{ "tpidr", el->tpidr, ROLE_PLAIN },
	};
	static const struct named_reg others[] = {
		{ "sp_el0", ARM_REG_CORE(regs.sp), ROLE_PLAIN }, { "par_el1", ARM_REG_PAR_EL1, ROLE_PLAIN },
		{ "mpidr_el1", ARM_REG_MPIDR_EL1, ROLE_PLAIN },  { "hcr_el2", ARM_REG_HCR_EL2, ROLE_PLAIN },
	};
	bool has_el2 = arm_has_feature(&vcpu->vm->arch->init, KVM_ARM_VCPU_HAS_EL2);
	enum reg_role role;
	char name[16];

	for (unsigned int i = 0; i < ARRAY_SIZE(banked); i++) {
		snprintf(name, sizeof(name), "%s_el%d", banked[i].name, el->el2 ? 2 : 1);
		/* Of guests of 32 bits it is two addresses in one: of data, and of an instruction. */
		role = is_32bit_guest(vcpu) && banked[i].role == ROLE_FAULT ? ROLE_PLAIN : banked[i].role;
		add_reg(vcpu, set, REG_SYSTEM, &(struct named_reg){ name, banked[i].id, role });
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
		if (has_el2 || others[i].id != ARM_REG_HCR_EL2)
			add_reg(vcpu, set, REG_SYSTEM, &others[i]);
}

/* PSTATE (Arm DDI0487 C5.2.19) */
#define PSTATE_E  (1u << 9) /* byte order of data in 32-bit state */
/* SCTLR_ELx: byte order of data at that level and at EL0; instructions are always little-endian */
#define SCTLR_E0E (1u << 24)
#define SCTLR_EE  (1u << 25)

/* Of data, in the state that @pstate says. */
static bool is_big_endian(struct vcpu *vcpu, const struct el_regs *el, uint64_t pstate)
{
	if (arm_pstate_is_32bit(pstate))
		return pstate & PSTATE_E;
	return optional_reg(vcpu, el->sctlr) & (arm_pstate_is_user(pstate) ? SCTLR_E0E : SCTLR_EE);
}

bool arch_vcpu_big_endian(struct vcpu *vcpu)
{
	uint64_t pstate = optional_reg(vcpu, ARM_REG_CORE(regs.pstate));

	return is_big_endian(vcpu, ruling_regs(pstate, guest_hcr(vcpu)), pstate);
}

static void add_general(struct vcpu *vcpu, struct reg_set *set, const struct el_regs *el, uint64_t pstate)
{
	char name[8];

	for (unsigned int i = 0; i < 31; i++) {
		snprintf(name, sizeof(name), "x%u", i);
		add_reg(vcpu, set, REG_GENERAL, &(struct named_reg){
			name, ARM_REG_X(i), i == 29 ? ROLE_FP : i == 30 ? ROLE_LR : ROLE_PLAIN });
	}
	add_reg(vcpu, set, REG_GENERAL, &(struct named_reg){
		"sp", arm_pstate_own_sp(pstate) ? el->sp : ARM_REG_CORE(regs.sp), ROLE_SP });
}

/* By the names that 32-bit code has for them; each mode has sp and lr of its own. */
static void add_general_32(struct vcpu *vcpu, struct reg_set *set, uint64_t pstate)
{
	unsigned int sp, lr;

	arm_aarch32_bank(pstate, &sp, &lr);
	for (unsigned int i = 0; i < 31; i++) {
		enum reg_role role = i == sp ? ROLE_SP : i == lr ? ROLE_LR : ROLE_PLAIN;

		add_reg(vcpu, set, REG_GENERAL, &(struct named_reg){ arm_aarch32_reg_name(i), ARM_REG_X(i), role });
	}
}

void arch_vcpu_regs(struct vcpu *vcpu, struct reg_set *set)
{
	uint64_t pstate = optional_reg(vcpu, ARM_REG_CORE(regs.pstate));
	uint64_t hcr = guest_hcr(vcpu);
	const struct el_regs *el = ruling_regs(pstate, hcr);
	uint64_t tcr = tcr_as_el1(el, optional_reg(vcpu, el->tcr), hcr);

	set->bits = arm_pstate_is_32bit(pstate) ? 32 : 64;
	if (set->bits == 32)
		add_general_32(vcpu, set, pstate);
	else
		add_general(vcpu, set, el, pstate);
	add_reg(vcpu, set, REG_GENERAL, &(struct named_reg){ "pc", ARM_REG_CORE(regs.pc), ROLE_PC });
	add_system_regs(vcpu, set, el);
	set->user = arm_pstate_is_user(pstate);
	set->big_endian = is_big_endian(vcpu, el, pstate);
	set->frames = set->bits == 64 ? FRAMES_UP : FRAMES_NONE;
	/* With FEAT_PAuth return addresses on the stack are signed above the bits that TCR_ELx.TnSZ leaves. */
	if (set->bits == 64) {
		set->signed_bits[0] = (uint8_t)(64 - (tcr & 0x3f));
		set->signed_bits[1] = (uint8_t)(64 - (tcr >> 16 & 0x3f));
	}
	set->vector_symbol = "vectors";
	add_notes(vcpu, set, el, pstate);
}

void arch_vcpu_translate(struct vcpu *vcpu, uint64_t va, bool fetch, struct walk *w)
{
	struct walk_memory mem = memory_for_walk(&vcpu->vm->memory);
	uint64_t pstate = optional_reg(vcpu, ARM_REG_CORE(regs.pstate));
	uint64_t hcr = guest_hcr(vcpu);
	const struct el_regs *el = ruling_regs(pstate, hcr);
	struct arm_mmu mmu = {
		/* These exist since FEAT_S1PIE. */
		.tcr2 = optional_reg(vcpu, el->tcr2),
		.pir = optional_reg(vcpu, el->pir),
		.pire0 = optional_reg(vcpu, el->pire0),
		.el2 = el->el2,
		.alone = el->el2 && !(hcr & ARM_HCR_E2H),
		.user = arm_pstate_is_user(pstate),
		.aarch32 = arm_has_feature(&vcpu->vm->arch->init, KVM_ARM_VCPU_EL1_32BIT),
	};
	const struct {
		uint64_t  id;
		uint64_t *value;
	} needed[] = {
		{ el->sctlr, &mmu.sctlr }, { el->tcr, &mmu.tcr },
		{ el->ttbr0, &mmu.ttbr0 }, { el->ttbr1, &mmu.ttbr1 },
	};

	/* TTBR1_EL2, the last, is there with VHE only. */
	size_t nr = ARRAY_SIZE(needed) - mmu.alone;

	(void)fetch; /* both see the same tables */
	for (size_t i = 0; i < nr; i++) {
		int ret = kvm_get_reg(vcpu->fd, needed[i].id, needed[i].value);

		if (ret) {
			walk_init(w, va, mmu.user);
			walk_fail(w, WALK_UNKNOWN, "KVM does not give the translation registers: %s",
				  strerror(-ret));
			return;
		}
	}
	if (!el->el2 && hcr & ARM_HCR_VM) {
		walk_init(w, va, mmu.user);
		walk_fail(w, WALK_UNKNOWN, "this is a guest of the guest, whose stage 2 lkvm does not follow");
		return;
	}
	mmu.tcr = tcr_as_el1(el, mmu.tcr, hcr);
	arm_mmu_walk(&mmu, &mem, va, w);
}

/* ---- registers by KVM's ids --------------------------------------------------------------------- */

int arch_reg_ids(struct vcpu *vcpu, uint64_t **ids, size_t *nr)
{
	return registers_list(vcpu, ids, nr);
}

size_t arch_reg_bytes(uint64_t id)
{
	return registers_id_bytes(id);
}

int arch_reg_get(struct vcpu *vcpu, uint64_t id, void *value)
{
	return kvm_get_reg(vcpu->fd, id, value);
}

int arch_reg_set(struct vcpu *vcpu, uint64_t id, const void *value)
{
	return kvm_set_reg(vcpu->fd, id, value);
}

void arch_reg_name(uint64_t id, char *buf, size_t size)
{
	arm_reg_name(id, buf, size);
}

/* ---- the guest's own performance counters ------------------------------------------------------- */

/* PMCNTENSET_EL0 names those that are on; PMEVTYPER<n>_EL0 (Arm DDI0487 D24.5) what they count. */
const char *const arch_no_guest_events = NULL, *const arch_no_guest_time = NULL;

int arch_guest_counters(struct vcpu *vcpu, struct guest_counter *counters, size_t max, const char **missing)
{
	uint64_t enabled, control, event, value;
	unsigned int nr;
	size_t n = 0;

	*missing = NULL;
	if (!arm_has_feature(&vcpu->vm->arch->init, KVM_ARM_VCPU_PMU_V3)) {
		*missing = "the guest has no PMU";
		return -ENOTSUP;
	}
	if (kvm_get_reg(vcpu->fd, ARM_REG_PMCR_EL0, &control) ||
	    kvm_get_reg(vcpu->fd, ARM_REG_PMCNTENSET_EL0, &enabled))
		return -EIO;
	/* PMCR_EL0.E switches all of them. */
	if (!(control & 1))
		return 0;
	nr = (unsigned int)(control >> 11) & 0x1f;
	for (unsigned int i = 0; i < nr && n < max; i++) {
		const char *name;

		if (!(enabled >> i & 1) || kvm_get_reg(vcpu->fd, ARM_REG_PMEVTYPER_EL0(i), &event) ||
		    kvm_get_reg(vcpu->fd, ARM_REG_PMEVCNTR_EL0(i), &value))
			continue;
		event &= 0xffff;
		if (arm_pmu_event_unset(event, value)) {
			counters[n] = (struct guest_counter){ .unset = true };
			snprintf(counters[n++].name, sizeof(counters->name), "PMEVCNTR%u", i);
			continue;
		}
		name = arm_pmu_event_name((unsigned int)event);
		counters[n] = (struct guest_counter){ .value = value };
		snprintf(counters[n++].name, sizeof(counters->name), "PMEVCNTR%u %s(0x%x)", i, name ? name : "",
			 (unsigned int)event);
	}
	if (enabled >> 31 & 1 && n < max && !kvm_get_reg(vcpu->fd, ARM_REG_PMCCNTR_EL0, &value)) {
		counters[n] = (struct guest_counter){ .value = value, .unset = arm_pmu_cycles_unset(value) };
		snprintf(counters[n].name, sizeof(counters->name), "PMCCNTR%s", counters[n].unset ? "" : " CPU_CYCLES");
		n++;
	}
	return (int)n;
}
