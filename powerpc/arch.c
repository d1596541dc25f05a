// SPDX-License-Identifier: GPL-2.0-only
/* Hands every function of lkvm/arch.h to the platform of this binary. */
#include "lkvm/arch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "lkvm/pmu-list.h"
#include "lkvm/probe-vm.h"
#include "lkvm/registers.h"
#include "powerpc/arch.h"
#include "powerpc/image.h"
#include "powerpc/pmu-probe.h"
#include "powerpc/e500-layout.h"
#include "powerpc/pseries-layout.h"
#include "powerpc/reg-names.h"

#ifdef __powerpc64__
const char arch_name[] = "ppc64le";
static const struct ppc_platform *const platform = &ppc_pseries;
#define WIDTH_BITS 64
#define EXIT_DECODE ppc_book3s_exit_decode
#define EXIT_CPU EXIT_CPU_UNKNOWN
#else
const char arch_name[] = "ppc";
static const struct ppc_platform *const platform = &ppc_e500;
#define WIDTH_BITS 32
#define EXIT_DECODE ppc_booke_exit_decode
#define EXIT_CPU EXIT_CPU_E500 /* KVM_MMU_FSL_BOOKE_NOHV, which e500.c asks for, exists there only */
#endif

const struct kvm_cap_need *arch_required_caps(size_t *nr)
{
	*nr = platform->nr_needs;
	return platform->needs;
}

int arch_machine_init(struct vm *vm)
{
	return platform->machine_init(vm);
}

int arch_vm_type(struct vm *vm, unsigned long *type)
{
	return platform->vm_type(vm, type);
}

int arch_vm_create(struct vm *vm)
{
	return platform->vm_create(vm);
}

void arch_vm_destroy(struct vm *vm)
{
	platform->vm_destroy(vm);
}

int arch_vcpu_create(struct vcpu *vcpu)
{
	return platform->vcpu_create(vcpu);
}

void arch_vcpu_destroy(struct vcpu *vcpu)
{
	platform->vcpu_destroy(vcpu);
}

int arch_irqchip_init(struct vm *vm)
{
	return platform->irqchip_init(vm);
}

struct irq_line arch_irq_line(struct vm *vm, uint32_t irq)
{
	return platform->irq_line(vm, irq);
}

int arch_devices_create(struct vm *vm)
{
	return platform->devices_create(vm);
}

int arch_image_plan(struct vm *vm, const struct image_file *img, struct image_plan *plan)
{
	int ret = ppc_image_plan(img, &vm->machine, plan);

	return ret ? ret : ppc_image_check_width(img, plan, WIDTH_BITS);
}

int arch_firmware_plan(struct vm *vm, const struct image_file *img, struct image_plan *plan)
{
	int ret = ppc_firmware_plan(img, &vm->machine, plan);

	return ret ? ret : ppc_image_check_width(img, plan, WIDTH_BITS);
}

gpa_t arch_initrd_limit(const struct vm *vm)
{
	return platform->initrd_limit(vm);
}

void arch_default_cmdline(const struct vm *vm, char *buf, size_t size)
{
	platform->default_cmdline(vm, buf, size);
}

int arch_boot_prepare(struct vm *vm)
{
	return platform->boot_prepare(vm);
}

int arch_vcpu_reset(struct vcpu *vcpu)
{
	return platform->vcpu_reset(vcpu);
}

enum vcpu_exit_action arch_vcpu_exit(struct vcpu *vcpu)
{
	return platform->vcpu_exit(vcpu);
}

/* KVM makes no system events here that could carry such a word. */
bool arch_event_is_failure(const struct kvm_run *run)
{
	(void)run;
	return false;
}

void arch_vcpu_regs(struct vcpu *vcpu, struct reg_set *set)
{
	ppc_vcpu_regs(vcpu, platform, set);
}

void arch_vcpu_translate(struct vcpu *vcpu, uint64_t va, bool fetch, struct walk *w)
{
	ppc_vcpu_translate(vcpu, platform, va, fetch, w);
}

void arch_exit_decode(const struct exit_info *info, struct exit_record *rec)
{
	struct exit_info known = *info;

	known.cpu = EXIT_CPU;
	EXIT_DECODE(&known, rec);
}

void arch_doctor(const struct doctor *d, int kvm_fd, int vm_fd)
{
	platform->doctor(d, kvm_fd, vm_fd);
}

#ifdef __powerpc64__
const struct doctor_work arch_probe_work = {
	.space = MACHINE_MMIO,
	.base = PSERIES_PROBE_BASE,
	.instructions = 1,
};
#else
const struct doctor_work arch_probe_work = {
	.space = MACHINE_MMIO,
	.base = PPC_E500_PROBE_BASE,
	.instructions = 1,
};
#endif

const void *arch_probe_guest(size_t *size_bytes)
{
	return platform->probe_guest(size_bytes);
}

#ifdef __powerpc64__
/* arch/powerpc/perf/core-book3s.c knows no exclude_host, and KVM-HV switches the counters. */
const char *const arch_no_guest_events = "KVM-HV takes the host's counters away while the guest runs",
		 *const arch_no_guest_time = "the kernel counts the guest's time as its own";

/* guest/probe-ppc64le.S */
extern const char probe_guest[], probe_guest_end[];

const void *arch_probe_payload(size_t *size_bytes)
{
	*size_bytes = (size_t)(probe_guest_end - probe_guest);
	return probe_guest;
}

int arch_pmu_list(const struct probe_host *host, struct pmu_list *list)
{
	const struct probe probe = { .run = probe_vm_ops, .host = host };
	int ret = ppc_pmu_list(&probe, list);

	if (!ret && !list->present)
		snprintf(list->missing, sizeof(list->missing), "MMCR0 cannot be read");
	return ret;
}
#else
/* arch/powerpc/perf/core-fsl-emb.c knows no exclude_host either. */
const char *const arch_no_guest_events = "the kernel does not tell the guest's from its own",
		 *const arch_no_guest_time = NULL;

const void *arch_probe_payload(size_t *size_bytes)
{
	*size_bytes = 0;
	return NULL;
}

int arch_pmu_list(const struct probe_host *host, struct pmu_list *list)
{
	memset(list, 0, sizeof(*list));
	snprintf(list->missing, sizeof(list->missing), "%s",
		 host->pmu == CONFIG_OFF ? "it is switched off" : E500_NO_PMU);
	return 0;
}
#endif
/* KVM on powerpc has ONE_REG, but does not list what there is: those that can be read are what this vCPU has. */
int arch_reg_ids(struct vcpu *vcpu, uint64_t **ids, size_t *nr)
{
	uint8_t value[REGISTER_MAX_BYTES];
	size_t known = ppc_reg_ids(NULL, 0);

	*ids = calloc(known, sizeof(**ids));
	if (!*ids)
		return -ENOMEM;
	ppc_reg_ids(*ids, known);
	*nr = 0;
	for (size_t i = 0; i < known; i++) {
		int ret = kvm_get_reg(vcpu->fd, (*ids)[i], value);

		/* EPERM: VP_STATE in a VM without XIVE. */
		if (ret != -EINVAL && ret != -ENXIO && ret != -EPERM)
			(*ids)[(*nr)++] = (*ids)[i];
	}
	return 0;
}

size_t arch_reg_bytes(uint64_t id)
{
	return registers_id_bytes(id);
}

bool arch_vcpu_big_endian(struct vcpu *vcpu)
{
	return platform->vcpu_big_endian(vcpu);
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
	ppc_reg_name(id, buf, size);
}

int arch_guest_counters(struct vcpu *vcpu, struct guest_counter *counters, size_t max, const char **missing)
{
	return platform->guest_counters(vcpu, counters, max, missing);
}
