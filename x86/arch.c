// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/arch.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "lkvm/pci.h"
#include "lkvm/probe-vm.h"
#include "x86/acpi.h"
#include "x86/arch.h"
#include "x86/image.h"
#include "x86/layout.h"
#include "x86/mptable.h"
#include "x86/pmu-probe.h"

#define RNG_SEED_BYTES 32

/* arch/x86/kvm/pmu.c: KVM_PMU_EVENT_FILTER_MAX_EVENTS */
#define PMU_FILTER_MAX_EVENTS 300

const char arch_name[] = "x86_64";

const struct kvm_cap_need *arch_required_caps(size_t *nr)
{
	static const struct kvm_cap_need needs[] = {
		{ KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP", "give guests local APICs" },
		{ KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID", "tell guests what their CPUs can do" },
		{ KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI", "deliver interrupts of PCI devices" },
		{ KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING", "deliver interrupts" },
	};

	*nr = ARRAY_SIZE(needs);
	return needs;
}

/* ---- interrupt controllers ---------------------------------------------------------------------- */

static const struct x86_irqchip *const irqchips[] = { &x86_irqchip_kernel, &x86_irqchip_split };

/*
 * Kernels may be built without ACPI, without IOAPIC support, without anything but the oldest parts of a PC: they
 * get all of it. A flat image is entered with interrupts off in 64-bit mode, past everything that a PIC and a PIT
 * are for, and starts in a fraction of the time without them.
 */
static int choose_irqchip(struct vm *vm)
{
	const char *wanted = vm->cfg->irqchip;
	bool can_split = kvm_check_cap(vm->kvm_fd, KVM_CAP_SPLIT_IRQCHIP) > 0;

	vm->arch->irqchip = vm->cfg->kernel || !can_split ? &x86_irqchip_kernel : &x86_irqchip_split;
	if (!wanted)
		return 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(irqchips); i++) {
		if (strcmp(irqchips[i]->name, wanted))
			continue;
		vm->arch->irqchip = irqchips[i];
		if (irqchips[i] != &x86_irqchip_split || can_split)
			return 0;
		log_error("--irqchip split: this host's KVM lacks KVM_CAP_SPLIT_IRQCHIP; use kernel");
		return -ENODEV;
	}
	log_error("--irqchip %s: unknown, this arch has kernel and split", wanted);
	return -EINVAL;
}

struct irq_line arch_irq_line(struct vm *vm, uint32_t irq)
{
	return (struct irq_line){ .ops = vm->arch->irqchip->lines, .chip = vm, .irq = irq };
}

int arch_irqchip_init(struct vm *vm)
{
	int ret = vm->arch->irqchip->init(vm);

	if (!ret)
		vm->msi = (struct msi_sink){ .send = x86_msi_send, .ctx = vm };
	return ret;
}

/* ---- CPUID -------------------------------------------------------------------------------------- */

/* What this KVM can show to guests. 0 or -errno (reported). */
static int read_cpuid(int kvm_fd, struct x86_cpuid *cpuid)
{
	int ret;

	cpuid->nr = X86_CPUID_MAX;
	ret = kvm_ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, (struct kvm_cpuid2 *)(void *)cpuid);
	if (ret) {
		cpuid->nr = 0;
		log_error("KVM does not tell its CPUID leaves: KVM_GET_SUPPORTED_CPUID: %s", strerror(-ret));
	}
	return ret;
}

/* True if the file's first letter is N, as of a kernel module's parameter that is off. */
static bool says_no(const char *path)
{
	FILE *f = fopen(path, "re");
	int c = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return c == 'N' || c == '0';
}

/* Which layer keeps the PMU from guests, from the CPU upwards. */
static const char *pmu_lacks(void)
{
	if (access("/sys/bus/event_source/devices/cpu", F_OK))
		return "its own kernel has none: the CPU shows no counters, or this host is itself a guest without";
	if (says_no("/sys/module/kvm/parameters/enable_pmu"))
		return "kvm's module parameter enable_pmu is off";
	return "its own kernel has one, but KVM shows no counters";
}

/*
 * Before any vCPU. The first range decides: allow lists all that may be counted, deny all that may
 * not.
 */
static int set_event_filter(struct vm *vm)
{
	const struct config *cfg = vm->cfg;
	struct {
		struct kvm_pmu_event_filter head;
		uint64_t events[PMU_FILTER_MAX_EVENTS];
	} filter = { 0 };
	int ret;

	if (!cfg->nr_pmu_events || !x86_cpuid_has_pmu(&vm->arch->cpuid))
		return 0;
	if (kvm_check_cap(vm->kvm_fd, KVM_CAP_PMU_EVENT_FILTER) <= 0) {
		if (vm->pmu == CONFIG_AUTO)
			return vm_drop_pmu(vm, "this host's kernel has no filter of events");
		log_error("--pmu: allow and deny: this host's kernel has no filter of events");
		return -ENOSYS;
	}
	filter.head.action = cfg->pmu_events[0].deny ? KVM_PMU_EVENT_DENY : KVM_PMU_EVENT_ALLOW;
	for (unsigned int i = 0; i < cfg->nr_pmu_events; i++) {
		const struct config_pmu_events *range = &cfg->pmu_events[i];

		if (range->deny != cfg->pmu_events[0].deny) {
			log_error("--pmu: allow and deny exclude each other on x86_64");
			return -EINVAL;
		}
		for (uint32_t event = range->first; event <= range->last; event++) {
			if (filter.head.nevents == PMU_FILTER_MAX_EVENTS) {
				log_error("--pmu: allow and deny: more than %d events", PMU_FILTER_MAX_EVENTS);
				return -EINVAL;
			}
			filter.events[filter.head.nevents++] = event;
		}
	}
	ret = kvm_ioctl(vm->fd, KVM_SET_PMU_EVENT_FILTER, &filter.head);
	if (ret && vm->pmu == CONFIG_AUTO)
		return vm_drop_pmu(vm, "KVM refuses the filter of events: %s", strerror(-ret));
	if (ret)
		log_error("--pmu: KVM refuses the filter of events: %s", strerror(-ret));
	return ret;
}

static int filter_cpuid(struct vm *vm)
{
	struct x86_cpuid *cpuid = &vm->arch->cpuid;
	const struct x86_cpuid_options opt = {
		.nr_cpus = vm->cfg->nr_cpus,
		.pmu = vm->pmu != CONFIG_OFF,
		.tsc_deadline = kvm_check_cap(vm->kvm_fd, KVM_CAP_TSC_DEADLINE_TIMER) > 0,
	};

	if (vm->pmu == CONFIG_ON && !x86_cpuid_has_pmu(cpuid)) {
		log_error("--pmu: this host has no PMU for guests: %s (--pmu=auto does without)", pmu_lacks());
		return -ENODEV;
	}
	x86_cpuid_filter(cpuid, &opt);
	for (unsigned int i = 0; i < vm->cfg->nr_cpuid; i++) {
		const struct config_cpuid_bit *b = &vm->cfg->cpuid[i];

		if (!x86_cpuid_set(cpuid, b->leaf, b->reg, b->bit, b->on)) {
			log_error("--cpuid %s=on: this host's KVM does not have it for guests", b->name);
			return -ENOENT;
		}
	}
	return 0;
}

/* ---- the machine -------------------------------------------------------------------------------- */

int arch_machine_init(struct vm *vm)
{
	struct x86_platform_params params = {
		.nr_cpus = vm->cfg->nr_cpus,
		.ram_bytes = vm->cfg->ram_bytes,
	};
	int ret;

	vm->arch = calloc(1, sizeof(*vm->arch));
	if (!vm->arch) {
		log_error("out of memory for the VM");
		return -ENOMEM;
	}
	ret = choose_irqchip(vm);
	if (ret)
		return ret;
	ret = read_cpuid(vm->kvm_fd, &vm->arch->cpuid);
	if (ret)
		return ret;
	params.phys_bits = x86_cpuid_phys_bits(&vm->arch->cpuid);
	ret = x86_machine_init(&vm->machine, &params);
	return ret ? ret : filter_cpuid(vm);
}

int arch_vm_type(struct vm *vm, unsigned long *type)
{
	(void)vm;
	*type = 0;
	return 0;
}

/*
 * Intel CPUs without "unrestricted guest" run real mode in a virtual-8086 task and on an identity map, for which
 * KVM wants four pages that are not RAM. Others do not look at them.
 */
static int set_kvm_pages(struct vm *vm)
{
	uint64_t identity_map = X86_KVM_IDENTITY_MAP;
	int ret = 0;

	if (kvm_check_cap(vm->kvm_fd, KVM_CAP_SET_IDENTITY_MAP_ADDR) > 0)
		ret = kvm_ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
	if (!ret && kvm_check_cap(vm->kvm_fd, KVM_CAP_SET_TSS_ADDR) > 0)
		ret = kvm_ioctl_val(vm->fd, KVM_SET_TSS_ADDR, X86_KVM_TSS);
	if (ret)
		log_error("KVM refuses the pages it needs at 0x%llx: %s",
			  (unsigned long long)X86_KVM_IDENTITY_MAP, strerror(-ret));
	return ret;
}

int arch_vm_create(struct vm *vm)
{
	int ret;

	/* Absent on old kernels, where the CPUID leaves alone decide. */
	if (vm->pmu == CONFIG_OFF && kvm_check_cap(vm->kvm_fd, KVM_CAP_PMU_CAPABILITY) > 0) {
		ret = kvm_enable_cap(vm->fd, KVM_CAP_PMU_CAPABILITY, KVM_PMU_CAP_DISABLE, 0);
		if (ret)
			log_debug("KVM_CAP_PMU_CAPABILITY: %s", strerror(-ret));
	}
	ret = set_event_filter(vm);
	if (!ret)
		ret = set_kvm_pages(vm);
	return ret ? ret : vm->arch->irqchip->create(vm);
}

void arch_vm_destroy(struct vm *vm)
{
	free(vm->arch);
	vm->arch = NULL;
}

/* ---- devices ------------------------------------------------------------------------------------ */

static void on_power(void *opaque, enum x86_power_event event)
{
	struct vm *vm = opaque;

	if (event == X86_POWER_OFF)
		vm_request_stop(vm, OUTCOME_POWEROFF, 0, "the guest powered off");
	else
		vm_request_stop(vm, OUTCOME_REBOOT, 0, "the guest asked for a reset");
}

int arch_devices_create(struct vm *vm)
{
	struct arch_vm *arch = vm->arch;
	const struct irq_line keyboard = arch_irq_line(vm, X86_IRQ_KEYBOARD);
	const struct bus_window windows[] = {
		{ "i8042-data", X86_PORT_I8042 + X86_I8042_DATA, 1, &x86_i8042_data_ops, &arch->i8042, false },
		{ "i8042-command", X86_PORT_I8042 + X86_I8042_COMMAND, 1, &x86_i8042_command_ops,
		  &arch->i8042, false },
		{ "rtc", X86_PORT_CMOS, X86_CMOS_BYTES, &x86_cmos_bus_ops, &arch->cmos, false },
		{ "power", X86_PORT_POWER, X86_POWER_BYTES, &x86_power_bus_ops, &arch->power, false },
	};
	const struct machine_device rtc = {
		.kind = MACHINE_RTC,
		.space = MACHINE_PIO,
		.base = X86_PORT_CMOS,
		.size_bytes = X86_CMOS_BYTES,
		.irq = MACHINE_NO_IRQ,
	};
	int ret;

	arch->power = (struct x86_power){ .event = on_power, .opaque = vm };
	x86_i8042_init(&arch->i8042, &arch->power, &keyboard);
	x86_cmos_init(&arch->cmos);
	for (unsigned int i = 0; i < ARRAY_SIZE(windows); i++) {
		ret = bus_add(&vm->pio, &windows[i]);
		if (ret)
			return ret;
	}
	if (vm->pci)
		pci_host_share_cf9(vm->pci, &x86_cf9_bus_ops, &arch->power);
	return machine_add_device(&vm->machine, &rtc);
}

/* ---- boot --------------------------------------------------------------------------------------- */

/* The first MiB is for our tables, so it is taken before the image can be. */
static int reserve_tables(struct vm *vm)
{
	return place_reserve(&vm->place, "firmware tables", 0, X86_HIGH_MEMORY);
}

int arch_image_plan(struct vm *vm, const struct image_file *img, struct image_plan *plan)
{
	int ret = reserve_tables(vm);

	if (!ret)
		ret = x86_image_plan(img, &vm->machine, plan);
	if (ret)
		return ret;
	/* The header is part of what the kernel reads at boot, but not of what is loaded. */
	vm->arch->setup_header_bytes = MIN(plan->arch[X86_IMAGE_SETUP_BYTES],
					   sizeof(vm->arch->setup_header));
	memcpy(vm->arch->setup_header, img->data + plan->arch[X86_IMAGE_SETUP_OFFSET],
	       vm->arch->setup_header_bytes);
	return 0;
}

int arch_firmware_plan(struct vm *vm, const struct image_file *img, struct image_plan *plan)
{
	int ret;

	if (vm->cfg->params) {
		log_error("--params needs --kernel: x86 firmware gets its parameters from nobody");
		return -EINVAL;
	}
	ret = reserve_tables(vm);
	return ret ? ret : x86_firmware_plan(img, &vm->machine, plan);
}

gpa_t arch_initrd_limit(const struct vm *vm)
{
	return vm->boot.arch[X86_IMAGE_INITRD_LIMIT];
}

/*
 * earlyprintk: a kernel that dies before its console is up is heard all the same.
 *
 * No panic=: without it a guest that panicked says "end Kernel panic" and stays, which the console watcher turns
 * into the outcome. With panic=-1 it would reboot, and only the watcher could tell that from success.
 */
void arch_default_cmdline(const struct vm *vm, char *buf, size_t size)
{
	snprintf(buf, size, "%s", vm->cfg->console == CONSOLE_SERIAL ? "earlyprintk=ttyS0 console=ttyS0" :
								       "earlyprintk=ttyS0 console=hvc0");
}

/* What a PC's firmware leaves behind: ACPI and MP tables, and a way to reset. 0 or -errno (reported). */
static int write_tables(struct vm *vm)
{
	uint8_t *acpi = memory_ptr(&vm->memory, X86_ACPI, X86_ACPI_BYTES);
	uint8_t *mp = memory_ptr(&vm->memory, X86_MPTABLE, X86_MPTABLE_BYTES);
	size_t used;
	int ret;

	if (!acpi || !mp) {
		log_error("no RAM for the firmware tables");
		return -EFAULT;
	}
	ret = x86_acpi_build(&vm->machine, X86_ACPI, acpi, X86_ACPI_BYTES, &used);
	if (!ret)
		ret = x86_mptable_build(&vm->machine, X86_MPTABLE, mp, X86_MPTABLE_BYTES, &used);
	if (ret) {
		log_error("the firmware tables do not fit in their place");
		return ret;
	}
	return x86_boot_write_reset_vector(&vm->memory);
}

int arch_boot_prepare(struct vm *vm)
{
	enum x86_boot_protocol protocol = (enum x86_boot_protocol)vm->boot.arch[X86_IMAGE_PROTOCOL];
	uint8_t rng_seed[RNG_SEED_BYTES];
	struct x86_boot boot = {
		.machine = &vm->machine,
		.cmdline = vm->boot.cmdline,
		.initrd = vm->boot.initrd,
		.initrd_bytes = vm->boot.initrd_bytes,
		.rsdp = X86_ACPI,
		.setup_header = vm->arch->setup_header,
		.setup_header_bytes = vm->arch->setup_header_bytes,
	};
	int ret;

	if (protocol != X86_BOOT_FLAT) {
		ret = write_tables(vm);
		if (ret)
			return ret;
	}
	if (protocol == X86_BOOT_PVH) {
		ret = x86_boot_write_pvh(&vm->memory, &boot);
		return ret ? ret : x86_boot_write_gdt(&vm->memory, false);
	}
	if (protocol != X86_BOOT_FLAT) {
		/* Early in the host's own boot there may be no entropy yet: then the guest gathers its own. */
		if (getrandom(rng_seed, sizeof(rng_seed), GRND_NONBLOCK) == sizeof(rng_seed)) {
			boot.rng_seed = rng_seed;
			boot.rng_seed_bytes = sizeof(rng_seed);
		}
		ret = x86_boot_write_linux(&vm->memory, &boot);
		if (ret)
			return ret;
	}
	ret = x86_boot_write_page_tables(&vm->memory);
	return ret ? ret : x86_boot_write_gdt(&vm->memory, true);
}

/* Exit numbers are the vendor's, and the guest's CPU is this one. */
static enum exit_cpu exit_cpu(void)
{
	unsigned int eax, ebx, ecx, edx;

	if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx))
		return EXIT_CPU_UNKNOWN;
	if (ebx == signature_INTEL_ebx && ecx == signature_INTEL_ecx && edx == signature_INTEL_edx)
		return EXIT_CPU_INTEL;
	if (ebx == signature_AMD_ebx && ecx == signature_AMD_ecx && edx == signature_AMD_edx)
		return EXIT_CPU_AMD;
	return EXIT_CPU_UNKNOWN;
}

void arch_exit_decode(const struct exit_info *info, struct exit_record *rec)
{
	struct exit_info known = *info;

	if (known.cpu == EXIT_CPU_UNKNOWN)
		known.cpu = exit_cpu();
	x86_exit_decode(&known, rec);
}

/* ---- doctor ------------------------------------------------------------------------------------- */

static bool module_says_yes(const char *path)
{
	char c = 'N';
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, &c, 1) != 1)
		c = 'N';
	close(fd);
	return c == 'Y' || c == '1';
}

/* The host CPU's own flags: information, never a reason to refuse. */
static void doctor_host_cpu(const struct doctor *d)
{
	unsigned int eax, ebx, ecx = 0, edx;
	bool vmx, svm;

	vmx = __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & (1u << 5);
	ecx = 0;
	svm = __get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) && ecx & (1u << 2);
	if (vmx || svm)
		doctor_say(d, "virtualisation", "%s", vmx ? "VMX (Intel)" : "SVM (AMD)");
	else
		doctor_say(d, "virtualisation", "the CPU shows neither VMX nor SVM: this KVM works without; "
			   "what the probe guest says of its speed counts");
	doctor_say(d, "nested guests", "%s",
		   module_says_yes("/sys/module/kvm_intel/parameters/nested") ||
				   module_says_yes("/sys/module/kvm_amd/parameters/nested") ?
			   "on" : "off");
}

static void doctor_guest_cpu(const struct doctor *d, int kvm_fd)
{
	struct x86_cpuid *cpuid = calloc(1, sizeof(*cpuid));
	char vendor[13];

	if (!cpuid || read_cpuid(kvm_fd, cpuid)) {
		free(cpuid);
		return;
	}
	x86_cpuid_vendor(cpuid, vendor);
	doctor_say(d, "guest CPU", "%s", vendor);
	doctor_say(d, "guest-physical addresses", "%u bits", x86_cpuid_phys_bits(cpuid));
	doctor_say(d, "guest PMU", "%s", x86_cpuid_has_pmu(cpuid) ? "yes" :
		   "none (kvm's module parameter enable_pmu is off, or this host is a guest without)");
	free(cpuid);
}

static void doctor_tsc(const struct doctor *d, int vm_fd)
{
	int fd = kvm_ioctl_val(vm_fd, KVM_CREATE_VCPU, 0);
	int khz;

	if (fd < 0) {
		doctor_say(d, "vCPU", "cannot create one: %s", strerror(-fd));
		return;
	}
	khz = kvm_ioctl_val(fd, KVM_GET_TSC_KHZ, 0);
	if (khz > 0)
		doctor_say(d, "guest TSC", "%d.%03d MHz", khz / 1000, khz % 1000);
	else
		doctor_say(d, "guest TSC", "frequency unknown (the host's TSC is not stable)");
	kvm_sys_close(fd);
}

void arch_doctor(const struct doctor *d, int kvm_fd, int vm_fd)
{
	doctor_host_cpu(d);
	doctor_guest_cpu(d, kvm_fd);
	doctor_say(d, "vCPUs in a VM", "up to %d",
		   MIN(kvm_check_cap(kvm_fd, KVM_CAP_MAX_VCPUS), X86_MAX_CPUS));
	doctor_say(d, "interrupt controller", "kernel (PIC, IOAPIC and PIT in KVM)%s",
		   kvm_check_cap(kvm_fd, KVM_CAP_SPLIT_IRQCHIP) > 0 ? ", split (IOAPIC in lkvm)" : "");
	if (vm_fd >= 0)
		doctor_tsc(d, vm_fd);
}

const struct doctor_work arch_probe_work = {
	.space = MACHINE_PIO,
	.base = X86_PORT_PROBE,
	.instructions = 2,
};

/* 64-bit mode: the work; then S5 to the sleep control register (power.h). */
const void *arch_probe_guest(size_t *size_bytes)
{
	static const uint8_t code[] = {
		0x66, 0xba, 0xf0, 0x05, /* mov  $0x5f0, %dx */
		0xed,                   /* in   (%dx), %eax */
		0x85, 0xc0,             /* test %eax, %eax */
		0x74, 0x06,             /* jz   .+8 */
		0xff, 0xc8,             /* dec  %eax */
		0x75, 0xfc,             /* jnz  .-2 */
		0xeb, 0xf1,             /* jmp  to the start */
		0x66, 0xba, 0x00, 0x06, /* mov $0x600, %dx */
		0xb0, 0x34,             /* mov $0x34, %al */
		0xee,                   /* out %al, %dx */
		0xf4,                   /* hlt */
		0xeb, 0xfd,             /* jmp back to it */
	};
	_Static_assert(X86_PORT_PROBE == 0x5f0, "port in the code");
	_Static_assert(X86_PORT_POWER + X86_POWER_SLEEP_CONTROL == 0x600, "port in the code");
	_Static_assert((X86_POWER_S5 << X86_POWER_SLP_TYP_SHIFT | X86_POWER_SLP_EN) == 0x34,
		       "value in the code");

	*size_bytes = sizeof(code);
	return code;
}

/* guest/probe-x86_64.S */
extern const char probe_guest[], probe_guest_end[];

const void *arch_probe_payload(size_t *size_bytes)
{
	*size_bytes = (size_t)(probe_guest_end - probe_guest);
	return probe_guest;
}

int arch_pmu_list(const struct probe_host *host, struct pmu_list *list)
{
	const struct probe probe = { .run = probe_vm_ops, .host = host };
	int ret = x86_pmu_list(&probe, list);

	if (!ret && !list->present)
		snprintf(list->missing, sizeof(list->missing), "%s",
			 host->pmu == CONFIG_OFF ? "it is switched off" : pmu_lacks());
	return ret;
}
