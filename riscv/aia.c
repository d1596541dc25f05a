// SPDX-License-Identifier: GPL-2.0-only
/*
 * The in-kernel AIA: an APLIC that turns wired lines into MSIs, and one IMSIC per hart that takes them
 * (Linux Documentation/virt/kvm/devices/riscv... "RISC-V AIA", arch/riscv/kvm/aia_device.c).
 */
#include "riscv/arch.h"

#include <errno.h>
#include <string.h>

#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "riscv/layout.h"

/* Every hart's IMSIC at a multiple of its index: KVM takes the index out of the address. */
_Static_assert(RISCV_IMSIC_BASE % (RISCV_MAX_CPUS * RISCV_IMSIC_BYTES) == 0,
	       "IMSIC addresses share their base");

/* Bits that number @nr harts. */
static unsigned int index_bits(unsigned int nr)
{
	unsigned int bits = 0;

	while ((1u << bits) < nr)
		bits++;
	return bits;
}

static int set_config(struct vm *vm, const char *what, uint32_t attr, uint32_t value)
{
	int ret = kvm_set_device_attr(vm->arch->aia_fd, KVM_DEV_RISCV_AIA_GRP_CONFIG, attr, &value);

	if (ret)
		log_error("KVM refuses %u %s for the AIA: %s", value, what, strerror(-ret));
	return ret;
}

static int set_address(struct vm *vm, const char *what, uint64_t attr, uint64_t address)
{
	int ret = kvm_set_device_attr(vm->arch->aia_fd, KVM_DEV_RISCV_AIA_GRP_ADDR, attr, &address);

	if (ret)
		log_error("KVM refuses address 0x%llx for the AIA's %s: %s",
			  (unsigned long long)address, what, strerror(-ret));
	return ret;
}

/*
 * Emulation and hardware acceleration, if one was asked for by name. Otherwise KVM's own choice stands:
 * AUTO where the host has guest interrupt files, else EMUL.
 */
static int set_mode(struct vm *vm, const char *wanted)
{
	uint32_t mode;
	int ret;

	if (!strcmp(wanted, "aia"))
		return 0;
	mode = strcmp(wanted, "aia-hwaccel") ? KVM_DEV_RISCV_AIA_MODE_EMUL :
					       KVM_DEV_RISCV_AIA_MODE_HWACCEL;
	ret = kvm_set_device_attr(vm->arch->aia_fd, KVM_DEV_RISCV_AIA_GRP_CONFIG,
				  KVM_DEV_RISCV_AIA_CONFIG_MODE, &mode);
	if (ret == -EINVAL && mode == KVM_DEV_RISCV_AIA_MODE_HWACCEL)
		log_error("--irqchip aia-hwaccel: this host's IMSICs have no guest interrupt files (use aia, aia-emul or plic)");
	else if (ret)
		log_error("--irqchip %s: KVM refuses the mode: %s", wanted, strerror(-ret));
	return ret;
}

static void aia_destroy(struct vm *vm)
{
	kvm_sys_close(vm->arch->aia_fd);
	vm->arch->aia_fd = -1;
}

int riscv_aia_create(struct vm *vm, const char *wanted)
{
	int fd = kvm_create_device(vm->fd, KVM_DEV_TYPE_RISCV_AIA);
	int ret;

	/* EINVAL, ENOTTY: a KVM that does not know the type, or devices at all. */
	if (fd == -ENODEV || fd == -EINVAL || fd == -ENOTTY)
		return -ENODEV;
	if (fd < 0) {
		log_error("cannot create KVM's AIA: %s (--irqchip plic does without)", strerror(-fd));
		return fd;
	}
	vm->arch->aia_fd = fd;
	ret = set_mode(vm, wanted);
	if (ret)
		aia_destroy(vm); /* the VM has not chosen this chip: nobody else will */
	return ret;
}

static int aia_init(struct vm *vm)
{
	struct arch_vm *arch = vm->arch;
	int ret;

	arch->hart_index_bits = index_bits(vm->nr_vcpus);
	ret = kvm_get_device_attr(arch->aia_fd, KVM_DEV_RISCV_AIA_GRP_CONFIG,
				  KVM_DEV_RISCV_AIA_CONFIG_IDS, &arch->imsic_ids);
	if (ret) {
		log_error("KVM does not tell how many interrupts its AIA has: %s", strerror(-ret));
		return ret;
	}
	ret = set_config(vm, "wired interrupts", KVM_DEV_RISCV_AIA_CONFIG_SRCS, RISCV_NR_SOURCES);
	if (ret)
		return ret;
	ret = set_config(vm, "hart index bits", KVM_DEV_RISCV_AIA_CONFIG_HART_BITS,
			 arch->hart_index_bits);
	if (ret)
		return ret;
	ret = set_address(vm, "APLIC", KVM_DEV_RISCV_AIA_ADDR_APLIC, RISCV_APLIC_BASE);
	for (unsigned int i = 0; !ret && i < vm->nr_vcpus; i++)
		ret = set_address(vm, "IMSIC", KVM_DEV_RISCV_AIA_ADDR_IMSIC(i),
				  RISCV_IMSIC_BASE + i * RISCV_IMSIC_BYTES);
	if (ret)
		return ret;
	ret = kvm_set_device_attr(arch->aia_fd, KVM_DEV_RISCV_AIA_GRP_CTRL,
				  KVM_DEV_RISCV_AIA_CTRL_INIT, NULL);
	if (ret)
		log_error("KVM cannot set up its AIA for %u vCPUs: %s", vm->nr_vcpus, strerror(-ret));
	return ret;
}

static void aia_describe(const struct vm *vm, struct riscv_fdt *fdt)
{
	fdt->irqchip = RISCV_FDT_AIA;
	fdt->imsic_ids = vm->arch->imsic_ids;
	fdt->hart_index_bits = vm->arch->hart_index_bits;
}

static void aia_set_level(void *chip, uint32_t irq, bool level)
{
	struct vm *vm = chip;

	kvm_set_irq_line(vm->fd, irq, level);
}

/* KVM's default routing has GSI n = APLIC source n (kvm_riscv_setup_default_irq_routing()). */
static int aia_attach_eventfd(void *chip, uint32_t irq, int eventfd)
{
	struct vm *vm = chip;

	return kvm_attach_irqfd(vm->fd, irq, eventfd);
}

static const struct irq_chip_ops aia_lines = {
	.set_level = aia_set_level,
	.attach_eventfd = aia_attach_eventfd,
};

static int aia_msi_send(void *ctx, const struct msi_message *msg)
{
	struct vm *vm = ctx;

	return kvm_signal_msi(vm->fd, msg, false);
}

const struct riscv_irqchip riscv_aia = {
	.name = "aia",
	.init = aia_init,
	.destroy = aia_destroy,
	.describe = aia_describe,
	.lines = &aia_lines,
	.msi_send = aia_msi_send,
};
