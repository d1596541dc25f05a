// SPDX-License-Identifier: GPL-2.0-only
/*
 * The in-kernel GIC: v3 with an ITS or without, or v2 with a v2m frame of ours or without (Linux
 * Documentation/virt/kvm/devices/arm-vgic.rst, arm-vgic-v3.rst, arm-vgic-its.rst).
 */
#include "arm/arch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arm/layout.h"
#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"

/* GITS_TRANSLATER: where devices write their MSIs (Arm IHI0069 §12.19.14, 64 KiB above the control frame). */
#define ITS_TRANSLATER 0x10040

bool arm_has_device(int vm_fd, uint32_t type)
{
	struct kvm_create_device dev = { .type = type, .flags = KVM_CREATE_DEVICE_TEST };

	return kvm_ioctl(vm_fd, KVM_CREATE_DEVICE, &dev) == 0;
}

static int set_address(struct vm *vm, int fd, const char *what, uint64_t attr, uint64_t address)
{
	int ret = kvm_set_device_attr(fd, KVM_DEV_ARM_VGIC_GRP_ADDR, attr, &address);

	if (ret)
		log_error("KVM refuses address 0x%" PRIx64 " for the %s of its %s: %s", address, what,
			  vm->arch->irqchip->name, strerror(-ret));
	return ret;
}

/* ---- wired lines -------------------------------------------------------------------------------- */

/* Drives interrupt @id, an SPI. Any thread. */
static void drive(struct vm *vm, uint32_t id, bool level)
{
	kvm_set_irq_line(vm->fd, KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | id, level);
}

static void gic_set_level(void *chip, uint32_t irq, bool level)
{
	drive(chip, ARM_GIC_SPI_FIRST + irq, level);
}

/*
 * No eventfds: the device tree calls these lines level-triggered, and what KVM makes of an eventfd is a pulse,
 * which such a line forgets.
 */
const struct irq_chip_ops arm_gic_lines = {
	.set_level = gic_set_level,
};

/* ---- GICv3 and ITS ------------------------------------------------------------------------------ */

static int gicv3_place(struct vm *vm)
{
	int fd = vm->arch->gic_fd;
	int ret;

	ret = set_address(vm, fd, "distributor", KVM_VGIC_V3_ADDR_TYPE_DIST, ARM_GIC_DIST_BASE);
	if (ret)
		return ret;
	return set_address(vm, fd, "redistributors", KVM_VGIC_V3_ADDR_TYPE_REDIST, ARM_REDIST_BASE);
}

static int its_init(struct vm *vm)
{
	struct arch_vm *arch = vm->arch;
	int ret;

	arch->its_fd = kvm_create_device(vm->fd, KVM_DEV_TYPE_ARM_VGIC_ITS);
	if (arch->its_fd < 0) {
		ret = arch->its_fd;
		arch->its_fd = -1;
		log_error("cannot create KVM's ITS: %s (--irqchip gicv3 does without)", strerror(-ret));
		return ret;
	}
	ret = set_address(vm, arch->its_fd, "ITS", KVM_VGIC_ITS_ADDR_TYPE, ARM_ITS_BASE);
	if (ret)
		return ret;
	ret = kvm_set_device_attr(arch->its_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT,
				  NULL);
	if (ret)
		log_error("KVM cannot set up its ITS: %s", strerror(-ret));
	return ret;
}

static int its_msi_send(void *ctx, const struct msi_message *msg)
{
	struct vm *vm = ctx;

	return kvm_signal_msi(vm->fd, msg, true);
}
_Static_assert(ITS_TRANSLATER < ARM_ITS_BYTES, "KVM finds the ITS by the address of this register");

/* ---- GICv2 and v2m ------------------------------------------------------------------------------ */

static int gicv2_place(struct vm *vm)
{
	int fd = vm->arch->gic_fd;
	int ret;

	ret = set_address(vm, fd, "distributor", KVM_VGIC_V2_ADDR_TYPE_DIST, ARM_GIC_DIST_BASE);
	if (ret)
		return ret;
	return set_address(vm, fd, "CPU interface", KVM_VGIC_V2_ADDR_TYPE_CPU, ARM_GICV2_CPU_BASE);
}

/* The guest has made this SPI edge-triggered: the rising edge counts. */
static int v2m_raise(void *ctx, uint32_t id)
{
	drive(ctx, id, true);
	drive(ctx, id, false);
	return 0;
}

static int v2m_init(struct vm *vm)
{
	struct arm_v2m *v2m = &vm->arch->v2m;

	*v2m = (struct arm_v2m){
		.first_id = ARM_GIC_SPI_FIRST + ARM_SPI_V2M_FIRST,
		.nr = ARM_SPI_V2M_NR,
		.raise = v2m_raise,
		.ctx = vm,
	};
	return bus_add(&vm->mmio, &(struct bus_window){
					  .name = "gicv2m",
					  .base = ARM_V2M_BASE,
					  .size_bytes = ARM_V2M_BYTES,
					  .ops = &arm_v2m_bus_ops,
					  .dev = v2m,
				  });
}

static int v2m_msi_send(void *ctx, const struct msi_message *msg)
{
	struct vm *vm = ctx;

	if (msg->address < ARM_V2M_BASE)
		return -EINVAL;
	return arm_v2m_send(&vm->arch->v2m, msg->address - ARM_V2M_BASE, msg->data);
}

/* ---- choice ------------------------------------------------------------------------------------- */

/* The best one first. */
static const struct arm_irqchip irqchips[] = {
	{
		.name = "gicv3-its",
		.device = KVM_DEV_TYPE_ARM_VGIC_V3,
		.fdt = ARM_FDT_GICV3,
		.msi = ARM_FDT_ITS,
		.max_cpus = ARM_MAX_CPUS,
		.place = gicv3_place,
		.init_msi = its_init,
		.msi_send = its_msi_send,
	}, {
		.name = "gicv3",
		.device = KVM_DEV_TYPE_ARM_VGIC_V3,
		.fdt = ARM_FDT_GICV3,
		.max_cpus = ARM_MAX_CPUS,
		.place = gicv3_place,
	}, {
		.name = "gicv2m",
		.device = KVM_DEV_TYPE_ARM_VGIC_V2,
		.fdt = ARM_FDT_GICV2,
		.msi = ARM_FDT_V2M,
		.max_cpus = ARM_GICV2_MAX_CPUS,
		.place = gicv2_place,
		.init_msi = v2m_init,
		.msi_send = v2m_msi_send,
	}, {
		.name = "gicv2",
		.device = KVM_DEV_TYPE_ARM_VGIC_V2,
		.fdt = ARM_FDT_GICV2,
		.max_cpus = ARM_GICV2_MAX_CPUS,
		.place = gicv2_place,
	},
};

static const struct arm_irqchip *find_irqchip(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(irqchips); i++)
		if (!strcmp(irqchips[i].name, name))
			return &irqchips[i];
	return NULL;
}

/* What makes @chip impossible here, or NULL. */
static const char *obstacle(struct vm *vm, const struct arm_irqchip *chip)
{
	/* KVM emulates no GICv2 that hypervisors could use. */
	if (vm->cfg->arm.nested && chip->fdt != ARM_FDT_GICV3)
		return "a guest at EL2 (--nested) needs a GICv3 to run guests";
	if (!arm_has_device(vm->fd, chip->device))
		return chip->fdt == ARM_FDT_GICV3 ? "this host's KVM has no GICv3 (its own GIC is a GICv2)" :
						    "this host's KVM has no GICv2 (its own GIC is a GICv3 "
						    "without compatibility)";
	if (chip->msi == ARM_FDT_ITS && !arm_has_device(vm->fd, KVM_DEV_TYPE_ARM_VGIC_ITS))
		return "this host's KVM has no ITS";
	if (vm->machine.nr_cpus > chip->max_cpus)
		return "a GICv2 serves no more than 8 CPUs";
	return NULL;
}

static int choose(struct vm *vm)
{
	const char *wanted = vm->cfg->irqchip;
	const struct arm_irqchip *chip = wanted ? find_irqchip(wanted) : NULL;
	const char *why = NULL;

	if (wanted && !chip) {
		log_error("--irqchip %s: unknown, this arch has gicv3-its, gicv3, gicv2m and gicv2", wanted);
		return -EINVAL;
	}
	if (chip) {
		why = obstacle(vm, chip);
		if (why)
			log_error("--irqchip %s: %s", wanted, why);
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(irqchips); i++) {
			if (irqchips[i].msi && arm_is_flat(vm))
				continue;
			chip = &irqchips[i];
			why = obstacle(vm, chip);
			if (!why)
				break;
		}
		/* The last one's reason: if that is its size, there was a GIC. */
		if (why)
			log_error("no interrupt controller for %u CPUs: %s (`lkvm doctor` tells more)",
				  vm->machine.nr_cpus, why);
	}
	vm->arch->irqchip = chip;
	return why ? -ENODEV : 0;
}

int arm_gic_create(struct vm *vm)
{
	int fd, ret;

	ret = choose(vm);
	if (ret)
		return ret;
	fd = kvm_create_device(vm->fd, vm->arch->irqchip->device);
	if (fd < 0) {
		log_error("cannot create KVM's %s: %s", vm->arch->irqchip->name, strerror(-fd));
		return fd;
	}
	vm->arch->gic_fd = fd;
	return 0;
}

int arm_gic_init(struct vm *vm)
{
	const struct arm_irqchip *chip = vm->arch->irqchip;
	/* KVM sets up each of them at the start, and an ITS turns no MSIs into SPIs: no more than needed. */
	uint32_t nr_irqs = chip->msi == ARM_FDT_V2M ? ARM_NR_IRQS : ARM_GIC_SPI_FIRST + ARM_SPI_V2M_FIRST;
	int ret;

	ret = chip->place(vm);
	if (ret)
		return ret;
	ret = kvm_set_device_attr(vm->arch->gic_fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr_irqs);
	if (ret) {
		log_error("KVM refuses %u interrupts for its %s: %s", nr_irqs, chip->name, strerror(-ret));
		return ret;
	}
	ret = kvm_set_device_attr(vm->arch->gic_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT,
				  NULL);
	if (ret) {
		log_error("KVM cannot set up its %s for %u vCPUs: %s", chip->name, vm->nr_vcpus,
			  strerror(-ret));
		return ret;
	}
	if (!chip->init_msi)
		return 0;
	ret = chip->init_msi(vm);
	if (!ret)
		vm->msi = (struct msi_sink){ .send = chip->msi_send, .ctx = vm };
	return ret;
}

void arm_gic_destroy(struct vm *vm)
{
	kvm_sys_close(vm->arch->its_fd);
	vm->arch->its_fd = -1;
	kvm_sys_close(vm->arch->gic_fd);
	vm->arch->gic_fd = -1;
}
