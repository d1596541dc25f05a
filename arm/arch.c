// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/arch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "arm/arch.h"
#include "arm/image.h"
#include "arm/layout.h"
#include "arm/pl011.h"
#include "arm/pl031.h"
#include "arm/pmu-probe.h"
#include "lkvm/boot-fdt.h"
#include "lkvm/cfi-flash.h"
#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "lkvm/probe-vm.h"

/* booting.rst: "The device tree blob must not exceed 2 megabytes in size". */
#define MAX_FDT_BYTES MIB(2)

const char arch_name[] = "arm64";

const struct kvm_cap_need *arch_required_caps(size_t *nr)
{
	static const struct kvm_cap_need needs[] = {
		{ KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY", "give the guest memory" },
		{ KVM_CAP_ONE_REG, "KVM_CAP_ONE_REG", "set vCPU registers" },
		{ KVM_CAP_DEVICE_CTRL, "KVM_CAP_DEVICE_CTRL", "set up the interrupt controller" },
		{ KVM_CAP_ARM_PSCI_0_2, "KVM_CAP_ARM_PSCI_0_2", "start vCPUs and power off" },
	};

	*nr = ARRAY_SIZE(needs);
	return needs;
}

/* ---- interrupts --------------------------------------------------------------------------------- */

struct irq_line arch_irq_line(struct vm *vm, uint32_t irq)
{
	return (struct irq_line){ .ops = &arm_gic_lines, .chip = vm, .irq = irq };
}

int arch_irqchip_init(struct vm *vm)
{
	int ret = arm_gic_init(vm);

	return ret ? ret : arm_pmu_init(vm);
}

/* ---- the machine -------------------------------------------------------------------------------- */

static bool has_rom(const struct vm *vm)
{
	return vm->machine.uart.kind == MACHINE_UART_ARCH;
}

/* Firmware that is linked to ROM makes a machine with ROM, unless told where to go. */
static bool wants_rom(const struct vm *vm)
{
	const struct config *cfg = vm->cfg;

	return cfg->firmware && !cfg->arm.firmware_address && !cfg->arm.aarch32 && arm_is_rom_firmware(&vm->image);
}

int arch_machine_init(struct vm *vm)
{
	int ipa_bits = kvm_check_cap(vm->kvm_fd, KVM_CAP_ARM_VM_IPA_SIZE);
	struct arm_platform_params params = {
		.nr_cpus = vm->cfg->nr_cpus,
		.ram_bytes = vm->cfg->ram_bytes,
		.ipa_bits = ipa_bits > 0 ? (unsigned int)ipa_bits : ARM_DEFAULT_IPA_BITS,
		.rom = wants_rom(vm),
	};

	if (vm->cfg->arm.e2h0 && !vm->cfg->arm.nested) {
		log_error("--e2h0 needs --nested: it says what kind of EL2 the guest gets");
		return -EINVAL;
	}
	if (vm->cfg->arm.aarch32 && (vm->cfg->arm.nested || vm->cfg->arm.sve_max_bits)) {
		log_error("--aarch32 and %s exclude each other", vm->cfg->arm.nested ? "--nested" : "--sve-max-vl");
		return -EINVAL;
	}
	if (vm->cfg->arm.sve_max_bits && vm->cfg->arm.disable_sve) {
		log_error("--sve-max-vl and --disable-sve exclude each other");
		return -EINVAL;
	}
	if (vm->cfg->console == CONSOLE_HV) {
		log_error("--console hv: arm64 has no console by hypervisor call, use serial or virtio");
		return -EINVAL;
	}
	/*
	 * When the host puts a copy in the place of a page of guest memory, KVM goes through all that the shadow
	 * page tables of nested guests could map, up to 52 bits of addresses (Linux arch/arm64/kvm/nested.c,
	 * kvm_nested_s2_unmap()): seconds, each time. Pages of shared memory are not copied on write.
	 */
	if (vm->cfg->arm.nested)
		vm->memory.share = true;
	return arm_machine_init(&vm->machine, &params);
}

/*
 * KVM_CREATE_VM takes the guest-physical address bits (KVM-API 4.2): no more than needed, as hosts differ in
 * what they have, and page tables grow with it. A KVM that can't be asked knows only 0, for 40.
 */
int arch_vm_type(struct vm *vm, unsigned long *type)
{
	*type = 0;
	if (kvm_check_cap(vm->kvm_fd, KVM_CAP_ARM_VM_IPA_SIZE) > 0)
		*type = arm_machine_ipa_bits(&vm->machine);
	return 0;
}

/* Exits that KVM makes only where somebody said that he serves them; a guest does without either. */
static void enable_exits(struct vm *vm)
{
	vm->arch->can_inject_abort = kvm_check_cap(vm->fd, KVM_CAP_ARM_INJECT_EXT_DABT) > 0;
	if (kvm_check_cap(vm->fd, KVM_CAP_ARM_NISV_TO_USER) > 0 &&
	    kvm_enable_cap(vm->fd, KVM_CAP_ARM_NISV_TO_USER, 0, 0))
		log_debug("KVM keeps accesses without a syndrome to itself");
	if (kvm_check_cap(vm->fd, KVM_CAP_ARM_SYSTEM_SUSPEND) > 0 &&
	    kvm_enable_cap(vm->fd, KVM_CAP_ARM_SYSTEM_SUSPEND, 0, 0))
		log_debug("KVM offers no system suspend");
}

/* Memory of its own, that the guest finds by a call and nobody counts as RAM. */
static int add_stolen_time(struct vm *vm)
{
	enum config_tristate wanted = vm->cfg->arm.pvtime;

	if (wanted == CONFIG_OFF || (wanted == CONFIG_AUTO && arm_is_flat(vm)))
		return 0;
	if (kvm_check_cap(vm->fd, KVM_CAP_STEAL_TIME) <= 0) {
		if (wanted == CONFIG_AUTO)
			return 0;
		log_error("--pvtime: this host's kernel counts no stolen time for guests");
		return -ENODEV;
	}
	vm->arch->pvtime = true;
	return memory_add(&vm->memory, "stolen time", ARM_PVTIME_BASE, ARM_PVTIME_BYTES, false, NULL);
}

/* ROM for firmware that wants it, and the flash of --flash: memory that the guest can't write. */
static int add_rom_and_flash(struct vm *vm)
{
	struct arch_vm *arch = vm->arch;
	int ret = 0;

	if ((has_rom(vm) || vm->cfg->flash) && kvm_check_cap(vm->fd, KVM_CAP_READONLY_MEM) <= 0) {
		log_error("%s: this host's KVM has no memory that guests can only read (KVM_CAP_READONLY_MEM)",
			  vm->cfg->flash ? "--flash" : "--firmware");
		return -ENODEV;
	}
	if (has_rom(vm))
		ret = memory_add(&vm->memory, "ROM", ARM_ROM_BASE, ARM_ROM_BYTES, true, NULL);
	if (ret || !vm->cfg->flash)
		return ret;
	arch->flash_fd = cfi_flash_open(vm->cfg->flash, ARM_FLASH_MAX_BYTES, &arch->flash_bytes);
	if (arch->flash_fd < 0)
		return arch->flash_fd;
	ret = memory_add(&vm->memory, "flash", ARM_FLASH_BASE, arch->flash_bytes, true, NULL);
	if (ret)
		return ret;
	ret = memory_load_file(&vm->memory, ARM_FLASH_BASE, arch->flash_fd, 0, arch->flash_bytes);
	if (ret)
		log_error("--flash: cannot read %s: %s", vm->cfg->flash, strerror(-ret));
	return ret;
}

/* Before Linux 6.2 KVM refuses memory that is shared with other processes in guests with tags. */
static bool shared_memory_has_tags(void)
{
	unsigned int major, minor;
	struct utsname host;

	return !uname(&host) && sscanf(host.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 2));
}

/*
 * Tags need memory that can hold them, which files and older kernels' huge pages can't. So with them the kernel
 * is read into memory, not mapped.
 */
static int enable_mte(struct vm *vm)
{
	int ret;

	if (vm->cfg->arm.disable_mte || vm->cfg->arm.aarch32 || vm->cfg->hugetlbfs ||
	    (vm->memory.share && !shared_memory_has_tags()) || kvm_check_cap(vm->fd, KVM_CAP_ARM_MTE) <= 0)
		return 0;
	ret = kvm_enable_cap(vm->fd, KVM_CAP_ARM_MTE, 0, 0);
	if (ret) {
		log_error("KVM refuses memory tagging: %s (--disable-mte does without)", strerror(-ret));
		return ret;
	}
	vm->arch->mte = true;
	vm->memory.copy_files = true;
	return 0;
}

int arch_vm_create(struct vm *vm)
{
	int ret;

	vm->arch = calloc(1, sizeof(*vm->arch));
	if (!vm->arch)
		goto no_memory;
	vm->arch->gic_fd = -1;
	vm->arch->its_fd = -1;
	vm->arch->flash_fd = -1;
	vm->arch->aborts.burst = 5;
	vm->arch->mpidr = calloc(vm->machine.nr_cpus, sizeof(*vm->arch->mpidr));
	if (!vm->arch->mpidr)
		goto no_memory;
	enable_exits(vm);
	ret = enable_mte(vm);
	if (ret)
		return ret;
	ret = arm_vcpu_features(vm);
	if (ret)
		return ret;
	ret = add_stolen_time(vm);
	if (ret)
		return ret;
	ret = add_rom_and_flash(vm);
	if (ret)
		return ret;
	return arm_gic_create(vm);
no_memory:
	log_error("out of memory for the VM");
	return -ENOMEM;
}

void arch_vm_destroy(struct vm *vm)
{
	if (!vm->arch)
		return;
	arm_gic_destroy(vm);
	if (vm->arch->flash_fd >= 0)
		close(vm->arch->flash_fd);
	free(vm->arch->mpidr);
	free(vm->arch);
	vm->arch = NULL;
}

/* Puts a device of which there is one at its place on the bus, and says so in the machine. Takes @dev. */
static int add_device(struct vm *vm, const char *name, const struct machine_device *place,
		      const struct bus_ops *ops, const struct device_ops *life, void *dev)
{
	int ret = device_list_add(&vm->devices, name, life, dev);

	if (!ret)
		ret = bus_add(&vm->mmio, &(struct bus_window){
						 .name = name,
						 .base = place->base,
						 .size_bytes = place->size_bytes,
						 .ops = ops,
						 .dev = dev,
					 });
	return ret ? ret : machine_add_device(&vm->machine, place);
}

static int create_rtc(struct vm *vm)
{
	const struct machine_device place = {
		.kind = MACHINE_RTC,
		.base = ARM_RTC_BASE,
		.size_bytes = ARM_PL031_BYTES,
		.irq = ARM_SPI_RTC,
	};
	struct irq_line irq = arch_irq_line(vm, place.irq);
	struct arm_pl031 *rtc;
	int ret = arm_pl031_create(&rtc, vm->loop, &irq);

	return ret ? ret : add_device(vm, "rtc", &place, &arm_pl031_bus_ops, &arm_pl031_device_ops, rtc);
}

static int create_uart(struct vm *vm)
{
	const struct machine_device *place = &vm->machine.uart;
	struct irq_line irq = arch_irq_line(vm, place->irq);
	struct console_frontend fe;
	struct arm_pl011 *uart;
	int ret;

	if (!has_rom(vm))
		return 0;
	ret = arm_pl011_create(&uart, vm->console, &irq);
	if (ret)
		return ret;
	if (vm->cfg->console == CONSOLE_SERIAL) {
		fe = arm_pl011_frontend(uart);
		console_set_frontend(vm->console, &fe);
	}
	return add_device(vm, "uart", place, &arm_pl011_bus_ops, &arm_pl011_device_ops, uart);
}

/* A failure has been reported, and the device serves both kinds of access, so there is nothing else to do. */
static void set_flash_mapped(void *ctx, bool mapped)
{
	struct vm *vm = ctx;
	const struct memory_region *region = memory_find(&vm->memory, ARM_FLASH_BASE);

	if (mapped ? vm_add_memslot(vm, region) : vm_remove_memslot(vm, region))
		log_debug("the flash is slower now");
}

static int create_flash(struct vm *vm)
{
	const struct machine_device place = {
		.kind = MACHINE_FLASH,
		.base = ARM_FLASH_BASE,
		.size_bytes = vm->arch->flash_bytes,
		.irq = MACHINE_NO_IRQ,
	};
	const struct cfi_flash_options opt = {
		.fd = vm->arch->flash_fd,
		.array = memory_ptr(&vm->memory, ARM_FLASH_BASE, place.size_bytes),
		.size_bytes = place.size_bytes,
		.set_mapped = set_flash_mapped,
		.ctx = vm,
	};
	struct cfi_flash *flash;
	int ret;

	if (!place.size_bytes)
		return 0;
	vm->arch->flash_fd = -1;
	ret = cfi_flash_create(&flash, &opt);
	return ret ? ret : add_device(vm, "flash", &place, &cfi_flash_bus_ops, &cfi_flash_device_ops, flash);
}

int arch_devices_create(struct vm *vm)
{
	int ret = create_uart(vm);

	if (!ret)
		ret = create_rtc(vm);
	return ret ? ret : create_flash(vm);
}

/* ---- boot --------------------------------------------------------------------------------------- */

/* A kernel that the host's CPUs can't run stops before it can say so: say it here. */
static int check_kernel(const struct vm *vm, const struct image_file *img, const struct image_plan *plan)
{
	uint64_t mmfr0 = vm->arch->mmfr0;
	uint64_t page = plan->arch[ARM_IMAGE_PAGE_BYTES];

	if ((page == KIB(4) && ARM_MMFR0_FIELD(mmfr0, ARM_MMFR0_TGRAN4) == 15) ||
	    (page == KIB(16) && ARM_MMFR0_FIELD(mmfr0, ARM_MMFR0_TGRAN16) == 0) ||
	    (page == KIB(64) && ARM_MMFR0_FIELD(mmfr0, ARM_MMFR0_TGRAN64) == 15)) {
		log_error("%s is built for pages of %" PRIu64 " KiB, which this host's CPUs do not have",
			  img->path, page >> 10);
		return -EINVAL;
	}
	if (plan->big_endian && !ARM_MMFR0_FIELD(mmfr0, ARM_MMFR0_BIGEND)) {
		log_error("%s is a big-endian kernel, and this host's CPUs are little-endian only", img->path);
		return -EINVAL;
	}
	return 0;
}

int arch_image_plan(struct vm *vm, const struct image_file *img, struct image_plan *plan)
{
	int ret;

	if (vm->cfg->arm.aarch32)
		return arm_zimage_plan(img, &vm->machine, plan);
	ret = arm_image_plan(img, &vm->machine, plan);
	return ret ? ret : check_kernel(vm, img, plan);
}

int arch_firmware_plan(struct vm *vm, const struct image_file *img, struct image_plan *plan)
{
	gpa_t address = vm->cfg->arm.firmware_address;

	if (!address)
		return arm_firmware_plan(img, &vm->machine, plan);
	image_plan_flat(img, "flat firmware", address, plan);
	return image_plan_check(img, &vm->machine, plan);
}

gpa_t arch_initrd_limit(const struct vm *vm)
{
	return vm->cfg->arm.aarch32 ? ARM_AARCH32_BOOT_LIMIT : arm_boot_limit(vm->boot.kernel_start);
}

/*
 * earlycon: a kernel that dies before its console is up is heard all the same; stdout-path in the device tree
 * says where. No panic=: see riscv/arch.c.
 */
void arch_default_cmdline(const struct vm *vm, char *buf, size_t size)
{
	const char *serial = has_rom(vm) ? "ttyAMA0" : "ttyS0";

	snprintf(buf, size, "earlycon console=%s", vm->cfg->console == CONSOLE_VIRTIO ? "hvc0" : serial);
}

/* Firmware in ROM looks for it at the start of RAM. */
static int install_fdt(struct vm *vm, void *blob, size_t size_bytes)
{
	struct boot_fdt_room rooms[BOOT_FDT_ROOMS];

	if (size_bytes > MAX_FDT_BYTES) {
		log_error("the device tree takes %zu bytes, and arm64 kernels take no more than 2 MiB: use "
			  "fewer CPUs or devices", size_bytes);
		free(blob);
		return -EFBIG;
	}
	boot_fdt_usual_rooms(vm, arch_initrd_limit(vm), rooms);
	if (has_rom(vm))
		rooms[0] = (struct boot_fdt_room){ .low = ARM_RAM_BASE, .lowest = true };
	return boot_fdt_install(vm, blob, size_bytes, rooms, ARRAY_SIZE(rooms));
}

int arch_boot_prepare(struct vm *vm)
{
	const struct arch_vm *arch = vm->arch;
	struct boot_fdt_seeds seeds;
	struct arm_fdt params = {
		.machine = &vm->machine,
		.cmdline = vm->boot.cmdline,
		.initrd = vm->boot.initrd,
		.initrd_bytes = vm->boot.initrd_bytes,
		.mpidr = arch->mpidr,
		.timer_hz = vm->cfg->arm.timer_hz,
		.el2 = arm_has_feature(&arch->init, KVM_ARM_VCPU_HAS_EL2),
		.pmu = arm_has_feature(&arch->init, KVM_ARM_VCPU_PMU_V3),
		.irqchip = arch->irqchip->fdt,
		.msi = vm->msi.send ? arch->irqchip->msi : ARM_FDT_NO_MSI,
	};
	size_t size_bytes;
	void *blob;
	int ret;

	boot_fdt_seeds(&seeds);
	params.rng_seed = seeds.rng;
	params.kaslr_seed = vm->cfg->arm.has_kaslr_seed ? vm->cfg->arm.kaslr_seed : seeds.kaslr;

	ret = arm_fdt_build(&params, &blob, &size_bytes);
	return ret ? ret : install_fdt(vm, blob, size_bytes);
}

void arch_exit_decode(const struct exit_info *info, struct exit_record *rec)
{
	arm_exit_decode(info, rec);
}

/* ---- doctor ------------------------------------------------------------------------------------- */

static void doctor_gic(const struct doctor *d, int vm_fd)
{
	bool v2 = arm_has_device(vm_fd, KVM_DEV_TYPE_ARM_VGIC_V2);
	bool v3 = arm_has_device(vm_fd, KVM_DEV_TYPE_ARM_VGIC_V3);
	bool its = v3 && arm_has_device(vm_fd, KVM_DEV_TYPE_ARM_VGIC_ITS);

	doctor_say(d, "interrupt controllers", "%s%s%s%s", its ? "gicv3-its " : "", v3 ? "gicv3 " : "",
		   v2 ? "gicv2m gicv2" : "", v2 || v3 ? "" : "none: KVM needs a GIC with virtualisation");
}

static void doctor_cap(const struct doctor *d, int vm_fd, const char *name, unsigned int cap,
		       const char *none)
{
	doctor_say(d, name, "%s", kvm_check_cap(vm_fd, cap) > 0 ? "yes" : none);
}

/* The lengths that vCPU @fd may have: a bit for each multiple of 128 bits, from 1. */
static void doctor_sve(const struct doctor *d, int fd, bool sve)
{
	uint64_t lengths[KVM_ARM64_SVE_VLS_WORDS];
	unsigned int max = 0;

	if (sve && !kvm_get_reg(fd, KVM_REG_ARM64_SVE_VLS, lengths))
		for (unsigned int i = 0; i < 64 * ARRAY_SIZE(lengths); i++)
			if (lengths[i / 64] >> i % 64 & 1)
				max = i + 1;
	if (max)
		doctor_say(d, "SVE", "vectors of up to %u bits", 128 * max);
	else
		doctor_say(d, "SVE", "%s", sve ? "yes" : "no");
}

static void doctor_cpu(const struct doctor *d, int vm_fd)
{
	struct kvm_vcpu_init init = { 0 };
	uint64_t midr, mmfr0, pmcr;
	int fd = kvm_ioctl_val(vm_fd, KVM_CREATE_VCPU, 0);
	bool pmu = kvm_check_cap(vm_fd, KVM_CAP_ARM_PMU_V3) > 0;
	bool sve = kvm_check_cap(vm_fd, KVM_CAP_ARM_SVE) > 0;

	if (fd < 0) {
		doctor_say(d, "vCPU", "cannot create one: %s", strerror(-fd));
		return;
	}
	if (kvm_ioctl(vm_fd, KVM_ARM_PREFERRED_TARGET, &init))
		goto out;
	init.features[0] = (uint32_t)pmu << KVM_ARM_VCPU_PMU_V3 | (uint32_t)sve << KVM_ARM_VCPU_SVE;
	if (kvm_ioctl(fd, KVM_ARM_VCPU_INIT, &init))
		goto out;
	if (!kvm_get_reg(fd, ARM_REG_MIDR_EL1, &midr))
		doctor_say(d, "CPU", "MIDR_EL1 0x%08x", (unsigned int)midr);
	if (!kvm_get_reg(fd, ARM_REG_ID_AA64MMFR0, &mmfr0))
		doctor_say(d, "guest page sizes", "%s%s%s",
			   ARM_MMFR0_FIELD(mmfr0, ARM_MMFR0_TGRAN4) == 15 ? "" : "4K ",
			   ARM_MMFR0_FIELD(mmfr0, ARM_MMFR0_TGRAN16) == 0 ? "" : "16K ",
			   ARM_MMFR0_FIELD(mmfr0, ARM_MMFR0_TGRAN64) == 15 ? "" : "64K");
	/* PMCR_EL0.N, Arm DDI0487 D19.5.11 */
	if (pmu && !kvm_get_reg(fd, ARM_REG_PMCR_EL0, &pmcr))
		doctor_say(d, "guest PMU", "PMUv3, %u event counters", (unsigned int)(pmcr >> 11) & 0x1f);
	else
		doctor_say(d, "guest PMU", "%s", pmu ? "PMUv3" : "none (the host's own kernel has no PMUv3)");
	doctor_sve(d, fd, sve);
out:
	kvm_sys_close(fd);
}

void arch_doctor(const struct doctor *d, int kvm_fd, int vm_fd)
{
	int ipa_bits = kvm_check_cap(kvm_fd, KVM_CAP_ARM_VM_IPA_SIZE);

	doctor_say(d, "guest-physical addresses", "%d bits", ipa_bits > 0 ? ipa_bits : ARM_DEFAULT_IPA_BITS);
	doctor_say(d, "vCPUs in a VM", "up to %d", kvm_check_cap(kvm_fd, KVM_CAP_MAX_VCPUS));
	if (vm_fd < 0)
		return;
	doctor_gic(d, vm_fd);
	doctor_cpu(d, vm_fd);
	doctor_cap(d, vm_fd, "pointer authentication", KVM_CAP_ARM_PTRAUTH_ADDRESS, "no");
	doctor_cap(d, vm_fd, "memory tagging", KVM_CAP_ARM_MTE, "no");
	doctor_cap(d, vm_fd, "stolen time", KVM_CAP_STEAL_TIME, "no");
	doctor_cap(d, vm_fd, "system suspend", KVM_CAP_ARM_SYSTEM_SUSPEND, "no");
	doctor_cap(d, vm_fd, "32-bit guests", KVM_CAP_ARM_EL1_32BIT, "no");
	doctor_cap(d, vm_fd, "nested guests", KVM_CAP_ARM_EL2,
		   "no (they take FEAT_NV2, Linux 6.16 and kvm-arm.mode=nested)");
}

const struct doctor_work arch_probe_work = {
	.space = MACHINE_MMIO,
	.base = ARM_PROBE_BASE,
	.instructions = 2,
};

/* The work; then PSCI SYSTEM_OFF (Arm DEN0022 §5.10). */
const void *arch_probe_guest(size_t *size_bytes)
{
	static const uint32_t code[] = {
		0xd2a12061, /* movz x1, #0x903, lsl #16 */
		0xb9400020, /* ldr  w0, [x1] */
		0x34000080, /* cbz  w0, .+16 */
		0x71000400, /* subs w0, w0, #1 */
		0x54ffffe1, /* b.ne .-4 */
		0x17fffffc, /* b    .-16 */
		0x52800100, /* mov  w0, #0x8 */
		0x72b08000, /* movk w0, #0x8400, lsl #16 */
		0xd4000002, /* hvc  #0 */
		0xd503207f, /* wfi */
		0x17ffffff, /* b    .-4 */
	};

	_Static_assert(ARM_PROBE_BASE == 0x9030000, "address in the code");

	*size_bytes = sizeof(code);
	return code;
}

/* guest/probe-arm64.S */
extern const char probe_guest[], probe_guest_end[];

const void *arch_probe_payload(size_t *size_bytes)
{
	*size_bytes = (size_t)(probe_guest_end - probe_guest);
	return probe_guest;
}

int arch_pmu_list(const struct probe_host *host, struct pmu_list *list)
{
	const struct probe probe = { .run = probe_vm_ops, .host = host };
	int ret = arm_pmu_list(&probe, list);

	if (!ret && !list->present)
		snprintf(list->missing, sizeof(list->missing), "%s",
			 host->pmu == CONFIG_OFF ? "it is switched off" : arm_pmu_lacks());
	return ret;
}
