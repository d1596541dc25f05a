// SPDX-License-Identifier: GPL-2.0-only
/* The devices that config and machine ask for, on the VM's buses. The order here is the order of start. */
#include "lkvm/vm.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "guest/frame.h"
#include "lkvm/arch.h"
#include "lkvm/command.h"
#include "lkvm/disk.h"
#include "lkvm/log.h"
#include "lkvm/p9-server.h"
#include "lkvm/pci.h"
#include "lkvm/pvpanic.h"
#include "lkvm/uart8250.h"
#include "lkvm/vm-balloon.h"
#include "lkvm/vm-command.h"
#include "lkvm/vm-fs.h"
#include "virtio/9p.h"
#include "virtio/blk.h"
#include "virtio/console.h"
#include "virtio/core.h"
#include "virtio/mmio.h"
#include "virtio/pci.h"
#include "virtio/rng.h"

/* A UART at @place, whose host's end is @console. */
static int add_uart(struct vm *vm, const struct machine_device *place, const char *name, struct console *console,
		    struct console_frontend *fe)
{
	struct uart8250 *uart;
	struct irq_line irq;
	int ret;

	irq = arch_irq_line(vm, place->irq);
	ret = uart8250_create(&uart, console, &irq);
	if (ret)
		return ret;
	ret = device_list_add(&vm->devices, name, &uart8250_device_ops, uart);
	if (ret)
		return ret;
	*fe = uart8250_frontend(uart);
	return bus_add(place->space == MACHINE_PIO ? &vm->pio : &vm->mmio,
		       &(struct bus_window){
			       .name = name,
			       .base = place->base,
			       .size_bytes = place->size_bytes,
			       .ops = &uart8250_bus_ops,
			       .dev = uart,
		       });
}

static bool has_uart(const struct vm *vm)
{
	return vm->machine.uart.size_bytes && vm->machine.uart.kind == MACHINE_UART8250;
}

static int create_uart(struct vm *vm)
{
	const struct machine_device *place = &vm->machine.uart;
	struct console_frontend fe;
	int ret;

	if (!has_uart(vm))
		return 0;
	ret = add_uart(vm, place, "uart", vm->console, &fe);
	if (ret)
		return ret;
	if (vm->cfg->console == CONSOLE_SERIAL)
		console_set_frontend(vm->console, &fe);
	return machine_add_device(&vm->machine, place);
}

static void on_pvpanic(void *opaque, uint8_t event)
{
	if (event & PVPANIC_PANICKED)
		vm_guest_panicked(opaque, "the guest panicked (told through pvpanic)", false);
	else if (event & PVPANIC_SHUTDOWN)
		vm_request_stop(opaque, OUTCOME_POWEROFF, 0, "the guest powered off (told through pvpanic)");
}

static int create_pvpanic(struct vm *vm)
{
	const struct machine_device place = {
		.kind = MACHINE_PVPANIC,
		.base = vm->machine.pvpanic.base,
		.size_bytes = vm->machine.pvpanic.size_bytes,
		.irq = MACHINE_NO_IRQ,
	};
	int ret;

	if (!place.size_bytes)
		return 0;
	vm->pvpanic = (struct pvpanic){ .event = on_pvpanic, .opaque = vm };
	ret = bus_add(&vm->mmio, &(struct bus_window){
					 .name = "pvpanic",
					 .base = place.base,
					 .size_bytes = place.size_bytes,
					 .ops = &pvpanic_bus_ops,
					 .dev = &vm->pvpanic,
				 });
	return ret ? ret : machine_add_device(&vm->machine, &place);
}

static void destroy_pci(void *dev)
{
	pci_host_destroy(dev);
}

static int create_pci(struct vm *vm)
{
	static const struct device_ops ops = { .destroy = destroy_pci };
	const struct machine_pci *m = &vm->machine.pci;
	struct irq_line intx[4];
	int ret;

	if (!m->mem32.size_bytes)
		return 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(intx); i++)
		intx[i] = arch_irq_line(vm, m->intx_irq[i]);
	vm->machine.pci.msi = vm->msi.send != NULL;
	ret = pci_host_create(&vm->pci, m, &vm->mmio, m->ports ? &vm->pio : NULL, intx, &vm->msi);
	if (ret)
		return ret;
	return device_list_add(&vm->devices, "pci", &ops, vm->pci);
}

/* Takes @dev, whatever happens. */
static int attach_virtio(struct vm *vm, struct virtio_device *dev)
{
	const char *kind = vm->cfg->transport_legacy ? "-legacy" : "";
	struct machine_device place;
	struct irq_line irq;
	int ret;

	ret = device_list_add(&vm->devices, virtio_name(dev), &virtio_device_ops, dev);
	if (ret)
		return ret;
	if (vm->pci && vm->cfg->virtio_transport != TRANSPORT_MMIO)
		return virtio_pci_attach(dev, vm->pci, &vm->ioevent);
	if (vm->cfg->virtio_transport == TRANSPORT_PCI) {
		log_error("--virtio-transport pci%s: this machine has no PCI (use mmio%s)", kind, kind);
		return -EINVAL;
	}
	ret = machine_place_virtio_mmio(&vm->machine, &place);
	if (ret)
		return ret;
	irq = arch_irq_line(vm, place.irq);
	return virtio_mmio_attach(dev, &vm->mmio, place.base, &irq, &vm->ioevent);
}

static int create_virtio_console(struct vm *vm, const struct virtio_env *env)
{
	struct console_frontend fe;
	struct virtio_device *dev;
	int ret;

	if (vm->cfg->console != CONSOLE_VIRTIO)
		return 0;
	ret = virtio_console_create(&dev, env, vm->console, NULL, 0);
	if (ret)
		return ret;
	ret = attach_virtio(vm, dev);
	if (ret)
		return ret;
	fe = virtio_console_frontend(dev);
	console_set_frontend(vm->console, &fe);
	return 0;
}

/* A second serial port is the way to commands for kernels that have no driver for virtio-console at hand. */
static int create_command_uart(struct vm *vm)
{
	struct console_options opt = command_serial(vm->command);
	struct machine_device place;
	struct console_frontend fe;
	int ret;

	if (!has_uart(vm))
		return 0;
	ret = machine_place_uart2(&vm->machine, &place);
	if (!ret)
		ret = console_create(&vm->command_console, &opt);
	if (!ret)
		ret = add_uart(vm, &place, "uart2", vm->command_console, &fe);
	if (!ret)
		command_set_serial(vm->command, &fe);
	return ret;
}

static int create_command(struct vm *vm, const struct virtio_env *env)
{
	struct virtio_device *dev;
	int ret;

	if (!vm->cfg->command)
		return 0;
	ret = vm_command_create(vm, env, &dev);
	if (!ret)
		ret = attach_virtio(vm, dev);
	return ret ? ret : create_command_uart(vm);
}

static int create_virtio_rng(struct vm *vm, const struct virtio_env *env)
{
	struct virtio_device *dev;
	int ret;

	if (!vm->cfg->rng)
		return 0;
	ret = virtio_rng_create(&dev, env);
	return ret ? ret : attach_virtio(vm, dev);
}

static int create_virtio_balloon(struct vm *vm, const struct virtio_env *env)
{
	struct virtio_device *dev;
	int ret;

	if (!vm->cfg->balloon)
		return 0;
	ret = vm_balloon_create(vm, env, &dev);
	return ret ? ret : attach_virtio(vm, dev);
}

/* Each use locks the image against the other, which would look like another process's. */
static int refuse_second_use(const struct config *cfg, unsigned int index)
{
	const struct config_disk *disk = &cfg->disks[index];
	struct stat st, other;

	if (stat(disk->path, &st))
		return 0; /* disk_open() says it better */
	for (unsigned int i = 0; i < index; i++) {
		if (stat(cfg->disks[i].path, &other) || other.st_dev != st.st_dev || other.st_ino != st.st_ino)
			continue;
		if (disk->readonly && cfg->disks[i].readonly)
			continue;
		log_error("disk %s is given twice: guests see each --disk as a disk of its own, so only with ,ro "
			  "on both can they share a file", disk->path);
		return -EINVAL;
	}
	return 0;
}

static int create_virtio_blk(struct vm *vm, const struct virtio_env *env, unsigned int index)
{
	const struct config_disk *cfg = &vm->cfg->disks[index];
	struct virtio_device *dev;
	struct disk *disk;
	char serial[sizeof(cfg->serial)];
	int ret;

	ret = refuse_second_use(vm->cfg, index);
	if (ret)
		return ret;
	ret = disk_open(&disk, cfg);
	if (ret)
		return ret;
	snprintf(serial, sizeof(serial), "lkvm-disk%u", index);
	ret = virtio_blk_create(&dev, env, disk, cfg->serial[0] ? cfg->serial : serial);
	return ret ? ret : attach_virtio(vm, dev);
}

static int create_virtio_9p(struct vm *vm, const struct virtio_env *env, const char *option, const char *dir,
			    const char *tag, bool readonly)
{
	struct p9_server *server;
	struct virtio_device *dev;
	int ret;

	ret = p9_server_create(&server, option, dir, readonly);
	if (!ret)
		ret = virtio_9p_create(&dev, env, server, tag);
	return ret ? ret : attach_virtio(vm, dev);
}

static int create_virtio_fs(struct vm *vm, const struct virtio_env *env, const struct vm_fs_share *share)
{
	struct virtio_device *dev;
	int ret;

	ret = vm_fs_create(vm, env, share, &dev);
	return ret ? ret : attach_virtio(vm, dev);
}

static int create_share(struct vm *vm, const struct virtio_env *env, const struct config_share *share)
{
	const struct vm_fs_share fs = {
		.option = "--virtiofs", .dir = share->dir, .tag = share->tag, .readonly = share->readonly,
		.level = LOG_ERROR,
	};

	return share->virtiofs ? create_virtio_fs(vm, env, &fs) :
		create_virtio_9p(vm, env, "--9p", share->dir, share->tag, share->readonly);
}

static int create_root_disk(struct vm *vm, const struct virtio_env *env)
{
	struct virtio_device *dev;
	struct disk *disk;
	int ret;

	ret = guest_root_make_image(vm->cfg, &disk);
	if (!ret)
		ret = virtio_blk_create(&dev, env, disk, GUEST_ROOT);
	return ret ? ret : attach_virtio(vm, dev);
}

/* The directory of --root, by whatever way the guest can take it. */
static int create_root(struct vm *vm, const struct virtio_env *env)
{
	const struct config *cfg = vm->cfg;
	const struct vm_fs_share fs = {
		.option = "--root", .dir = cfg->root, .tag = GUEST_ROOT, .readonly = !cfg->root_rw,
		.constant = !cfg->root_rw, .level = cfg->root_type == ROOT_AUTO ? LOG_INFO : LOG_ERROR,
	};
	int ret;

	if (!cfg->root)
		return 0;
	ret = vm->root.virtiofs ? create_virtio_fs(vm, env, &fs) : 0;
	/* It may be too old, or not allowed to do here what it does. */
	if (ret && cfg->root_type == ROOT_AUTO)
		ret = guest_root_choose(&vm->root, cfg, "virtiofsd cannot");
	if (!ret && vm->root.p9)
		ret = create_virtio_9p(vm, env, "--root", cfg->root, GUEST_ROOT, !cfg->root_rw);
	if (!ret && vm->root.image)
		ret = create_root_disk(vm, env);
	return ret;
}

/* Register accesses of legacy devices come here, on the thread of the vCPU that makes them. */
static bool guest_big_endian(void *ctx LKVM_UNUSED)
{
	return arch_vcpu_big_endian(vcpu_current());
}

int vm_devices_create(struct vm *vm)
{
	const struct virtio_env env = {
		.mem = &vm->memory, .loop = vm->loop, .legacy = config_legacy_virtio(vm->cfg),
		.guest_big_endian = guest_big_endian,
	};
	int ret;

	ret = create_uart(vm);
	if (ret)
		return ret;
	ret = create_pvpanic(vm);
	if (ret)
		return ret;
	ret = create_pci(vm);
	if (ret)
		return ret;
	ret = create_virtio_console(vm, &env);
	if (ret)
		return ret;
	ret = create_command(vm, &env);
	if (!ret)
		ret = create_root(vm, &env);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < vm->cfg->nr_disks; i++) {
		ret = create_virtio_blk(vm, &env, i);
		if (ret)
			return ret;
	}
	for (unsigned int i = 0; i < vm->cfg->nr_shares; i++) {
		ret = create_share(vm, &env, &vm->cfg->shares[i]);
		if (ret)
			return ret;
	}
	ret = create_virtio_rng(vm, &env);
	return ret ? ret : create_virtio_balloon(vm, &env);
}
