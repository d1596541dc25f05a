// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

static void test_defaults(void)
{
	struct config cfg;

	config_init(&cfg);
	CHECK_EQ(cfg.nr_cpus, 1);
	CHECK_EQ(cfg.ram_bytes, MIB(256));
	CHECK_EQ(cfg.console, CONSOLE_SERIAL);
	CHECK_EQ(cfg.virtio_transport, TRANSPORT_AUTO);
	CHECK_EQ(cfg.on_reboot, ON_REBOOT_EXIT);
	CHECK_EQ(cfg.pmu, CONFIG_AUTO);
	CHECK_STR(cfg.dev, "/dev/kvm");
	CHECK(!cfg.kernel && !cfg.firmware && !cfg.params && !cfg.command && !cfg.name);
	config_free(&cfg);
	CHECK(!cfg.dev);
	/* Freeing twice, and freeing nothing, is harmless. */
	config_free(&cfg);
}

/* A config that is fine but for what @spoil does to it: the line that config_validate() prints. */
static void check_invalid(void (*spoil)(struct config *cfg), const char *line)
{
	struct config cfg;

	config_init(&cfg);
	cfg.kernel = strdup("Image");
	spoil(&cfg);
	test_stderr_begin();
	CHECK_EQ(config_validate(&cfg), -EINVAL);
	CHECK_STR(test_stderr_end(), line);
	config_free(&cfg);
}

static void no_kernel(struct config *cfg)
{
	free(cfg->kernel);
	cfg->kernel = NULL;
}

static void kernel_and_firmware(struct config *cfg)
{
	cfg->firmware = strdup("fw.bin");
}

static void firmware_and_initrd(struct config *cfg)
{
	no_kernel(cfg);
	cfg->firmware = strdup("fw.bin");
	cfg->initrds[cfg->nr_initrds++] = strdup("initrd");
}

static void no_cpus(struct config *cfg)
{
	cfg->nr_cpus = 0;
}

static void many_cpus(struct config *cfg)
{
	cfg->nr_cpus = CONFIG_MAX_CPUS + 1;
}

static void little_ram(struct config *cfg)
{
	cfg->ram_bytes = KIB(640);
}

static void odd_ram(struct config *cfg)
{
	cfg->ram_bytes = MIB(1) + 4096;
}

static void name_with_slash(struct config *cfg)
{
	cfg->name = strdup("../x");
}

static void name_with_dot(struct config *cfg)
{
	cfg->name = strdup(".x");
}

static void pmu_without_pmu(struct config *cfg)
{
	cfg->pmu = CONFIG_OFF;
	cfg->arm.pmu_counters = 2;
}

static void command_in_firmware(struct config *cfg)
{
	free(cfg->kernel);
	cfg->kernel = NULL;
	cfg->firmware = strdup("fw");
	cfg->command = calloc(3, sizeof(char *));
	cfg->command[0] = strdup("true");
	cfg->command[1] = strdup("-x");
}

static void modules_without_command(struct config *cfg)
{
	cfg->modules = strdup("auto");
}

static void workdir_without_command(struct config *cfg)
{
	free(cfg->workdir);
	cfg->workdir = strdup("/tmp");
}

static void command_and_restart(struct config *cfg)
{
	cfg->command = calloc(2, sizeof(char *));
	cfg->command[0] = strdup("true");
	cfg->on_reboot = ON_REBOOT_RESTART;
}

static void kernel_at_firmware_address(struct config *cfg)
{
	cfg->arm.firmware_address = MIB(64);
}

static void spin_without_watchdog(struct config *cfg)
{
	cfg->stop_on_spin = true;
	cfg->progress_period_ms = 0;
}

static void root_without_command(struct config *cfg)
{
	cfg->root = strdup("/srv");
}

static void root_and_initrd(struct config *cfg)
{
	root_without_command(cfg);
	cfg->initrds[cfg->nr_initrds++] = strdup("initrd");
}

static void rw_without_root(struct config *cfg)
{
	cfg->root_rw = true;
}

static void rw_and_add(struct config *cfg)
{
	root_without_command(cfg);
	cfg->root_rw = true;
	cfg->adds = calloc(1, sizeof(*cfg->adds));
	cfg->nr_adds = cfg->adds != NULL;
}

static void rw_and_image(struct config *cfg)
{
	root_without_command(cfg);
	cfg->root_rw = true;
	cfg->root_type = ROOT_IMAGE;
}

static void legacy_and_virtiofs(struct config *cfg)
{
	cfg->virtio_transport = TRANSPORT_MMIO;
	cfg->transport_legacy = true;
	cfg->shares[cfg->nr_shares++].virtiofs = true;
}

static void legacy_and_virtiofs_root(struct config *cfg)
{
	cfg->command = calloc(2, sizeof(*cfg->command));
	cfg->command[0] = strdup("cat");
	cfg->root = strdup("/");
	cfg->root_type = ROOT_VIRTIOFS;
	cfg->virtio_legacy = true;
}

static void test_invalid(void)
{
	check_invalid(no_kernel, "lkvm: no kernel given: use --kernel FILE (Image, bzImage, vmlinux ...) or "
				 "--firmware FILE\n");
	check_invalid(kernel_and_firmware, "lkvm: --kernel and --firmware exclude each other: firmware loads "
					   "its own kernel\n");
	check_invalid(firmware_and_initrd,
		      "lkvm: --initrd needs --kernel: firmware loads its own initrd\n");
	check_invalid(no_cpus, "lkvm: --cpus: 0 is not between 1 and 4096\n");
	check_invalid(many_cpus, "lkvm: --cpus: 4097 is not between 1 and 4096\n");
	check_invalid(little_ram, "lkvm: --mem: 655360 bytes is too little for a guest: at least 1M\n");
	check_invalid(odd_ram, "lkvm: --mem: 1052672 bytes is not a multiple of 64K\n");
	check_invalid(name_with_slash, "lkvm: --name: '../x' can't name a guest: 1 to 64 characters, no '/', "
				       "no '.' at the start\n");
	check_invalid(name_with_dot, "lkvm: --name: '.x' can't name a guest: 1 to 64 characters, no '/', "
				     "no '.' at the start\n");
	check_invalid(pmu_without_pmu,
		      "lkvm: --pmu=off and choices of its counters or events exclude each other\n");
	check_invalid(command_in_firmware, "lkvm: -- true: a command needs --kernel: firmware boots a system of "
					   "its own\n");
	check_invalid(modules_without_command, "lkvm: --modules needs a command to run in the guest (-- CMD)\n");
	check_invalid(workdir_without_command, "lkvm: --workdir needs a command to run in the guest (-- CMD)\n");
	check_invalid(command_and_restart, "lkvm: --on-reboot=restart and a command exclude each other: it would start "
					   "anew (-- true)\n");
	check_invalid(kernel_at_firmware_address,
		      "lkvm: --firmware-address needs --firmware: a kernel says itself where it goes\n");
	check_invalid(root_without_command, "lkvm: --root needs a command to run in the guest (-- CMD)\n");
	check_invalid(root_and_initrd, "lkvm: --root and --initrd exclude each other: the guest has one root\n");
	check_invalid(rw_without_root, "lkvm: --root-rw needs --root: it says that what the guest writes there goes to "
				       "the directory\n");
	check_invalid(rw_and_add, "lkvm: --add and --root-rw exclude each other: the file would be written to the "
				  "directory of --root\n");
	check_invalid(rw_and_image, "lkvm: --root-rw and type=image exclude each other: the image is a copy (use "
				    "type=virtiofs or 9p)\n");
	check_invalid(legacy_and_virtiofs, "lkvm: virtio-fs does not exist on legacy virtio (--virtio-transport "
					   "mmio-legacy): use 9P\n");
	check_invalid(legacy_and_virtiofs_root, "lkvm: virtio-fs does not exist on legacy virtio (--virtio-legacy): use "
						"9P\n");
	check_invalid(spin_without_watchdog, "lkvm: --stop-on-spin and --no-progress-watchdog exclude each other: it is "
					     "the watchdog that stops\n");
}

static void test_valid(void)
{
	struct config cfg;

	config_init(&cfg);
	cfg.kernel = strdup("Image");
	cfg.initrds[cfg.nr_initrds++] = strdup("initrd");
	cfg.nr_cpus = CONFIG_MAX_CPUS;
	cfg.ram_bytes = CONFIG_MIN_RAM;
	cfg.name = strdup("guest-1");
	CHECK_EQ(config_validate(&cfg), 0);
	cfg.ram_bytes = GIB(4096);
	CHECK_EQ(config_validate(&cfg), 0);
	free(cfg.kernel);
	cfg.kernel = NULL;
	free(cfg.initrds[--cfg.nr_initrds]);
	cfg.firmware = strdup("fw.bin");
	CHECK_EQ(config_validate(&cfg), 0);
	config_free(&cfg);
}

const struct test config_tests[] = {
	{ "defaults", test_defaults },
	{ "invalid", test_invalid },
	{ "valid", test_valid },
	{ 0 },
};
