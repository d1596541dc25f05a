// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/arch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lkvm/boot-fdt.h"
#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "lkvm/probe-vm.h"
#include "riscv/arch.h"
#include "riscv/image.h"
#include "riscv/layout.h"
#include "riscv/plic.h"
#include "riscv/pmu-probe.h"

const char arch_name[] = "riscv64";

const struct kvm_cap_need *arch_required_caps(size_t *nr)
{
	static const struct kvm_cap_need needs[] = {
		{ KVM_CAP_ONE_REG, "KVM_CAP_ONE_REG", "set vCPU registers" },
		{ KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE", "see and wake stopped vCPUs" },
	};

	*nr = ARRAY_SIZE(needs);
	return needs;
}

/* ---- interrupt controllers ---------------------------------------------------------------------- */

/*
 * A hart's external interrupt, from the PLIC to KVM. KVM_INTERRUPT is the one vCPU ioctl that does not
 * wait for KVM_RUN to return, so any thread may make it.
 */
static void plic_drive(void *ctx, unsigned int hart, bool level)
{
	struct vm *vm = ctx;
	struct kvm_interrupt irq = { .irq = level ? KVM_INTERRUPT_SET : KVM_INTERRUPT_UNSET };
	int ret = kvm_ioctl(vm->vcpus[hart]->fd, KVM_INTERRUPT, &irq);

	if (ret)
		log_debug("KVM_INTERRUPT of vCPU %u: %s", hart, strerror(-ret));
}

static int plic_init(struct vm *vm)
{
	int ret;

	ret = riscv_plic_create(&vm->arch->plic, vm->nr_vcpus, RISCV_NR_SOURCES, plic_drive, vm);
	if (ret)
		return ret;
	return bus_add(&vm->mmio, &(struct bus_window){
					  .name = "plic",
					  .base = RISCV_PLIC_BASE,
					  .size_bytes = riscv_plic_bytes(vm->nr_vcpus),
					  .ops = &riscv_plic_bus_ops,
					  .dev = vm->arch->plic,
				  });
}

static void plic_destroy(struct vm *vm)
{
	riscv_plic_destroy(vm->arch->plic);
	vm->arch->plic = NULL;
}

static void plic_describe(const struct vm *vm, struct riscv_fdt *fdt)
{
	(void)vm;
	fdt->irqchip = RISCV_FDT_PLIC;
}

static void plic_set_level(void *chip, uint32_t irq, bool level)
{
	struct vm *vm = chip;

	riscv_plic_irq_ops.set_level(vm->arch->plic, irq, level);
}

static const struct irq_chip_ops plic_lines = {
	.set_level = plic_set_level,
};

static const struct riscv_irqchip riscv_plic_chip = {
	.name = "plic",
	.init = plic_init,
	.destroy = plic_destroy,
	.describe = plic_describe,
	.lines = &plic_lines,
};

static const char *const irqchip_names[] = { "aia", "aia-emul", "aia-hwaccel", "plic", NULL };

static bool irqchip_known(const char *name)
{
	for (unsigned int i = 0; irqchip_names[i]; i++)
		if (!strcmp(irqchip_names[i], name))
			return true;
	return false;
}

/* Takes the AIA where KVM has it, unless told otherwise; else the PLIC. */
static int choose_irqchip(struct vm *vm)
{
	const char *wanted = vm->cfg->irqchip;
	int ret;

	vm->arch->irqchip = &riscv_plic_chip;
	if (wanted && !strcmp(wanted, "plic"))
		return 0;
	/* Harts without Ssaia have no use for the AIA. */
	if (vm->cfg->riscv.isa[RISCV_ISA_EXT_SSAIA] == CONFIG_OFF) {
		if (!wanted)
			return 0;
		log_error("--isa ssaia=off: --irqchip %s needs it; use plic", wanted);
		return -EINVAL;
	}
	ret = riscv_aia_create(vm, wanted ? wanted : "aia");
	if (!ret) {
		vm->arch->irqchip = &riscv_aia;
		return 0;
	}
	if (ret != -ENODEV)
		return ret;
	if (!wanted)
		return 0;
	log_error("--irqchip %s: this host's KVM has no AIA (its CPUs lack Ssaia or IMSICs); use plic",
		  wanted);
	return -ENODEV;
}

/*
 * Every line of every device comes through here on its way to the chip, as an interrupt ends a system
 * suspend. (Eventfds attached to the AIA do not: they go to KVM directly.)
 */
static void line_set_level(void *chip, uint32_t irq, bool level)
{
	struct vm *vm = chip;
	uint64_t bit = UINT64_C(1) << (irq % 64);

	if (level)
		atomic_fetch_or(&vm->arch->lines_high, bit);
	else
		atomic_fetch_and(&vm->arch->lines_high, ~bit);
	vm->arch->irqchip->lines->set_level(vm, irq, level);
	if (level)
		riscv_wake(vm);
}

static int line_attach_eventfd(void *chip, uint32_t irq, int eventfd)
{
	struct vm *vm = chip;
	const struct irq_chip_ops *lines = vm->arch->irqchip->lines;

	return lines->attach_eventfd ? lines->attach_eventfd(vm, irq, eventfd) : -ENOTSUP;
}

static const struct irq_chip_ops line_ops = {
	.set_level = line_set_level,
	.attach_eventfd = line_attach_eventfd,
};
_Static_assert(RISCV_NR_SOURCES < 64, "a bit of lines_high for each line");

struct irq_line arch_irq_line(struct vm *vm, uint32_t irq)
{
	return (struct irq_line){ .ops = &line_ops, .chip = vm, .irq = irq };
}

static int msi_deliver(void *ctx, const struct msi_message *msg)
{
	struct vm *vm = ctx;
	int ret = vm->arch->irqchip->msi_send(vm, msg);

	riscv_wake(vm);
	return ret;
}

int arch_irqchip_init(struct vm *vm)
{
	int ret = vm->arch->irqchip->init(vm);

	if (!ret && vm->arch->irqchip->msi_send)
		vm->msi = (struct msi_sink){ .send = msi_deliver, .ctx = vm };
	return ret;
}

/* ---- SBI: where calls take effect --------------------------------------------------------------- */

static void sbi_console_write(void *ctx, const void *buf, size_t len)
{
	struct vm *vm = ctx;

	console_write(vm->console, buf, len);
}

static size_t sbi_console_read(void *ctx, void *buf, size_t len)
{
	struct vm *vm = ctx;

	return vm->arch->has_sbi_input ? console_input_read(&vm->arch->sbi_input, buf, len) : 0;
}

/* An MSI may have come between the guest's last look and the suspend. It shows where KVM emulates the IMSIC. */
static bool interrupt_is_pending(struct vcpu *vcpu)
{
	uint64_t sip, sie;

	return !kvm_get_reg(vcpu->fd, RISCV_REG_CSR(RISCV_CSR_SIP), &sip) &&
	       !kvm_get_reg(vcpu->fd, RISCV_REG_CSR(RISCV_CSR_SIE), &sie) && (sip & sie);
}

/*
 * KVM has stopped all other harts and set this one's registers for its return, so all that is left is to
 * keep it from running: a stopped vCPU sleeps in KVM_RUN, where kicks, pauses and stops reach it as ever,
 * until riscv_wake(). An interrupt that is already there ends the suspend at once.
 */
static void sbi_suspend(void *ctx)
{
	struct vcpu *vcpu = vcpu_current();
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_STOPPED };
	struct vm *vm = ctx;
	int ret;

	ret = kvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &mp);
	if (ret) {
		log_warning("vCPU %u: cannot suspend, going on: %s", vcpu->index, strerror(-ret));
		return;
	}
	log_info("the guest suspended itself; an interrupt wakes it");
	atomic_store(&vm->arch->suspended, vcpu);
	if (atomic_load(&vm->arch->lines_high) || interrupt_is_pending(vcpu))
		riscv_wake(vm);
}

static const struct riscv_sbi_ops sbi_ops = {
	.console_write = sbi_console_write,
	.console_read = sbi_console_read,
	.suspend = sbi_suspend,
};

/* ---- the machine -------------------------------------------------------------------------------- */

int arch_machine_init(struct vm *vm)
{
	const char *irqchip = vm->cfg->irqchip;
	int gpa_bits = kvm_check_cap(vm->kvm_fd, KVM_CAP_VM_GPA_BITS);
	struct riscv_platform_params params = {
		.nr_cpus = vm->cfg->nr_cpus,
		.ram_bytes = vm->cfg->ram_bytes,
		/* Without the capability: Sv39x4, which every host with the H extension has. */
		.gpa_bits = gpa_bits > 0 ? (unsigned int)gpa_bits : 41,
	};

	if (irqchip && !irqchip_known(irqchip)) {
		log_error("--irqchip %s: unknown, this arch has aia, aia-emul, aia-hwaccel and plic", irqchip);
		return -EINVAL;
	}
	return riscv_machine_init(&vm->machine, &params);
}

int arch_vm_type(struct vm *vm, unsigned long *type)
{
	(void)vm;
	*type = 0;
	return 0;
}

int arch_vm_create(struct vm *vm)
{
	vm->arch = calloc(1, sizeof(*vm->arch));
	if (!vm->arch) {
		log_error("out of memory for the VM");
		return -ENOMEM;
	}
	vm->arch->aia_fd = -1;
	vm->arch->sbi = (struct riscv_sbi){ .ops = &sbi_ops, .ctx = vm, .memory = &vm->memory };
	return choose_irqchip(vm);
}

void arch_vm_destroy(struct vm *vm)
{
	if (!vm->arch)
		return;
	if (vm->arch->has_sbi_input)
		console_input_exit(&vm->arch->sbi_input);
	vm->arch->irqchip->destroy(vm);
	free(vm->arch);
	vm->arch = NULL;
}

static size_t sbi_can_receive(void *dev)
{
	struct vm *vm = dev;
	const struct console_frontend fe = console_input_frontend(&vm->arch->sbi_input);

	return fe.can_receive(fe.dev);
}

/* Input there raises no interrupt, as the guest polls for it; but it wakes a suspended one. */
static void sbi_receive(void *dev, const uint8_t *buf, size_t len)
{
	struct vm *vm = dev;
	const struct console_frontend fe = console_input_frontend(&vm->arch->sbi_input);

	fe.receive(fe.dev, buf, len);
	riscv_wake(vm);
}

/* With --console hv the guest's SBI console is the one that gets what is typed. */
int arch_devices_create(struct vm *vm)
{
	const struct console_frontend fe = {
		.can_receive = sbi_can_receive,
		.receive = sbi_receive,
		.dev = vm,
	};

	if (vm->cfg->console != CONSOLE_HV)
		return 0;
	console_input_init(&vm->arch->sbi_input, vm->console);
	vm->arch->has_sbi_input = true;
	console_set_frontend(vm->console, &fe);
	return 0;
}

/* ---- boot --------------------------------------------------------------------------------------- */

int arch_image_plan(struct vm *vm, const struct image_file *img, struct image_plan *plan)
{
	return riscv_image_plan(img, &vm->machine, plan);
}

int arch_firmware_plan(struct vm *vm, const struct image_file *img, struct image_plan *plan)
{
	return riscv_firmware_plan(img, &vm->machine, plan);
}

gpa_t arch_initrd_limit(const struct vm *vm)
{
	(void)vm;
	return RISCV_BOOT_LIMIT;
}

/*
 * earlycon: a kernel that dies before its console is up is heard all the same. Over SBI it costs one exit
 * per line; where DBCN is off (vcpu.c) the UART serves.
 *
 * No panic=: without it a guest that panicked says "end Kernel panic" and stays, which the console watcher
 * turns into the outcome. With panic=-1 it would reboot, and only the watcher could tell that from success.
 */
void arch_default_cmdline(const struct vm *vm, char *buf, size_t size)
{
	static const char *const by_console[] = {
		[CONSOLE_SERIAL] = "earlycon=sbi console=ttyS0",
		[CONSOLE_VIRTIO] = "earlycon console=hvc0",
		[CONSOLE_HV] = "earlycon=sbi console=hvc0",
	};

	if (vm->cfg->console == CONSOLE_SERIAL && !(vm->arch->cpu.sbi_on >> RISCV_SBI_EXT_DBCN & 1))
		snprintf(buf, size, "earlycon console=ttyS0");
	else
		snprintf(buf, size, "%s", by_console[vm->cfg->console]);
}

int arch_boot_prepare(struct vm *vm)
{
	const struct riscv_cpu *cpu = &vm->arch->cpu;
	struct boot_fdt_room rooms[BOOT_FDT_ROOMS];
	struct boot_fdt_seeds seeds;
	struct riscv_fdt params = {
		.machine = &vm->machine,
		.cmdline = vm->boot.cmdline,
		.initrd = vm->boot.initrd,
		.initrd_bytes = vm->boot.initrd_bytes,
		.isa = cpu->isa,
		.timebase_hz = (uint32_t)cpu->timebase_hz,
		.cbom_block_bytes = cpu->cbom_block_bytes,
		.cboz_block_bytes = cpu->cboz_block_bytes,
		.cbop_block_bytes = cpu->cbop_block_bytes,
		.satp_mode = (unsigned int)cpu->satp_mode,
	};
	size_t size_bytes;
	void *blob;
	int ret;

	vm->arch->irqchip->describe(vm, &params);
	boot_fdt_usual_rooms(vm, RISCV_BOOT_LIMIT, rooms);
	boot_fdt_seeds(&seeds);
	params.rng_seed = seeds.rng;
	params.kaslr_seed = seeds.kaslr;
	ret = riscv_fdt_build(&params, &blob, &size_bytes);
	return ret ? ret : boot_fdt_install(vm, blob, size_bytes, rooms, ARRAY_SIZE(rooms));
}

void arch_exit_decode(const struct exit_info *info, struct exit_record *rec)
{
	riscv_exit_decode(info, rec);
}

/* ---- doctor ------------------------------------------------------------------------------------- */

static void doctor_aia(const struct doctor *d, int vm_fd)
{
	uint32_t mode = KVM_DEV_RISCV_AIA_MODE_EMUL;
	uint32_t ids = 0;
	int fd = kvm_create_device(vm_fd, KVM_DEV_TYPE_RISCV_AIA);

	if (fd < 0) {
		doctor_say(d, "interrupt controller",
			   "PLIC in lkvm; no MSIs (KVM has no AIA here: the CPUs lack Ssaia or IMSICs)");
		return;
	}
	if (kvm_get_device_attr(fd, KVM_DEV_RISCV_AIA_GRP_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_MODE, &mode) ||
	    kvm_get_device_attr(fd, KVM_DEV_RISCV_AIA_GRP_CONFIG, KVM_DEV_RISCV_AIA_CONFIG_IDS, &ids))
		doctor_say(d, "interrupt controller", "AIA in KVM");
	else
		doctor_say(d, "interrupt controller", "AIA in KVM, %u MSI identities per hart, %s", ids,
			   mode == KVM_DEV_RISCV_AIA_MODE_EMUL ?
			   "emulated (the IMSICs have no guest interrupt files)" :
			   "hardware-accelerated where guest interrupt files are free");
	kvm_sys_close(fd);
}

static void doctor_sbi(const struct doctor *d, const struct riscv_cpu *cpu)
{
	char names[512] = "";
	size_t len = 0;

	for (unsigned int i = 0; i < 64; i++) {
		const struct riscv_sbi_ext *ext = riscv_sbi_by_id(i);

		if (!(cpu->sbi >> i & 1))
			continue;
		if (ext)
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
						len ? " " : "", ext->name);
		else
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%ssbi-%u",
						len ? " " : "", i);
		if (len >= sizeof(names))
			break;
	}
	doctor_say(d, "SBI extensions", "%s", names);
	doctor_say(d, "guest PMU", "%s", cpu->sbi >> RISCV_SBI_EXT_PMU & 1 ?
		   "SBI PMU" : "none (KVM needs Sscofpmf, and SBI PMU in the host's firmware)");
}

static void doctor_cpu(const struct doctor *d, int vm_fd)
{
	char isa[RISCV_ISA_STRING_BYTES];
	struct riscv_cpu cpu;
	int fd = kvm_ioctl_val(vm_fd, KVM_CREATE_VCPU, 0);

	if (fd < 0) {
		doctor_say(d, "vCPU", "cannot create one: %s", strerror(-fd));
		return;
	}
	if (!riscv_cpu_read(fd, &cpu)) {
		if (riscv_isa_string(&cpu.isa, isa, sizeof(isa)) > 0)
			doctor_say(d, "guest ISA", "%s", isa);
		doctor_sbi(d, &cpu);
		doctor_say(d, "guest MMU", "%s", cpu.satp_mode == 10 ? "Sv57" : cpu.satp_mode == 9 ? "Sv48" :
			   cpu.satp_mode == 8 ? "Sv39" : "unknown");
		doctor_say(d, "timebase", "%" PRIu64 " Hz", cpu.timebase_hz);
	}
	kvm_sys_close(fd);
}

void arch_doctor(const struct doctor *d, int kvm_fd, int vm_fd)
{
	int gpa_bits = kvm_check_cap(kvm_fd, KVM_CAP_VM_GPA_BITS);

	if (gpa_bits > 0)
		doctor_say(d, "guest-physical addresses", "%d bits", gpa_bits);
	doctor_say(d, "vCPUs in a VM", "up to %d", kvm_check_cap(kvm_fd, KVM_CAP_MAX_VCPUS));
	if (vm_fd < 0)
		return;
	/* The AIA wants to be first: it can't be made once a vCPU has run. */
	doctor_aia(d, vm_fd);
	doctor_cpu(d, vm_fd);
}

const struct doctor_work arch_probe_work = {
	.space = MACHINE_MMIO,
	.base = RISCV_PROBE_BASE,
	.instructions = 2,
};

/* The work; then SBI SRST (SBI 3.0 chapter 10): a0 = 0 shut down, a1 = 0 without a reason. */
const void *arch_probe_guest(size_t *size_bytes)
{
	static const uint32_t code[] = {
		0x100026b7, /* lui   a3, 0x10002 */
		0x0006a503, /* lw    a0, 0(a3) */
		0x00050863, /* beqz  a0, .+16 */
		0xfff50513, /* addi  a0, a0, -1 */
		0xfe051ee3, /* bnez  a0, .-4 */
		0xff1ff06f, /* j     .-16 */
		0x535258b7, /* lui   a7, 0x53525 */
		0x3548889b, /* addiw a7, a7, 0x354    extension 0x53525354 "SRST" */
		0x00000813, /* li    a6, 0            system reset */
		0x00000513, /* li    a0, 0 */
		0x00000593, /* li    a1, 0 */
		0x00000073, /* ecall */
		0x10500073, /* wfi */
		0xffdff06f, /* j     .-4 */
	};

	_Static_assert(RISCV_PROBE_BASE == 0x10002000, "address in the code");

	*size_bytes = sizeof(code);
	return code;
}

/* guest/probe-riscv64.S */
extern const char probe_guest[], probe_guest_end[];

const void *arch_probe_payload(size_t *size_bytes)
{
	*size_bytes = (size_t)(probe_guest_end - probe_guest);
	return probe_guest;
}

/* Asks a vCPU that never runs. */
static void say_why_no_pmu(const struct probe_host *host, struct pmu_list *list)
{
	int kvm_fd = kvm_sys_open(host->dev);
	int vm_fd = kvm_fd < 0 ? kvm_fd : kvm_ioctl_val(kvm_fd, KVM_CREATE_VM, 0);
	int vcpu_fd = vm_fd < 0 ? vm_fd : kvm_ioctl_val(vm_fd, KVM_CREATE_VCPU, 0);

	snprintf(list->missing, sizeof(list->missing), "%s",
		 host->pmu == CONFIG_OFF ? "it is switched off" :
		 vcpu_fd < 0 ? strerror(-vcpu_fd) : riscv_pmu_lacks(vcpu_fd));
	kvm_sys_close(vcpu_fd);
	kvm_sys_close(vm_fd);
	kvm_sys_close(kvm_fd);
}

int arch_pmu_list(const struct probe_host *host, struct pmu_list *list)
{
	const struct probe probe = { .run = probe_vm_ops, .host = host };
	int ret = riscv_pmu_list(&probe, list);

	if (!ret && !list->present)
		say_why_no_pmu(host, list);
	return ret;
}
