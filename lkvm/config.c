// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/log.h"

/* Sockets and files are named after the guest: the name must be one path component, and short. */
#define NAME_MAX_BYTES 64

static void clear(struct config *cfg)
{
	memset(cfg, 0, offsetof(struct config, arm.features));
}

void config_init(struct config *cfg)
{
	clear(cfg);
	cfg->nr_cpus = 1;
	cfg->ram_bytes = MIB(256);
	cfg->console = CONSOLE_SERIAL;
	cfg->virtio_transport = TRANSPORT_AUTO;
	cfg->on_reboot = ON_REBOOT_EXIT;
	cfg->control = true;
	cfg->progress_period_ms = CONFIG_PROGRESS_PERIOD_MS;
	cfg->loglevel = LOG_WARNING;
	cfg->dev = strdup("/dev/kvm");
	cfg->workdir = strdup("/");
}

void config_free(struct config *cfg)
{
	for (unsigned int i = 0; i < cfg->nr_initrds; i++)
		free(cfg->initrds[i]);
	for (unsigned int i = 0; i < cfg->nr_disks; i++)
		free(cfg->disks[i].path);
	for (unsigned int i = 0; i < cfg->nr_shares; i++) {
		free(cfg->shares[i].dir);
		free(cfg->shares[i].tag);
	}
	for (char **word = cfg->command; word && *word; word++)
		free(*word);
	free(cfg->command);
	for (unsigned int i = 0; i < cfg->nr_env; i++)
		free(cfg->env[i]);
	for (unsigned int i = 0; i < cfg->nr_allow; i++)
		free(cfg->allow[i]);
	free(cfg->allow);
	free(cfg->env);
	for (unsigned int i = 0; i < cfg->nr_adds; i++) {
		free(cfg->adds[i].file);
		free(cfg->adds[i].path);
	}
	free(cfg->adds);
	free(cfg->workdir);
	free(cfg->user);
	free(cfg->modules);
	free(cfg->root);
	free(cfg->vmlinux);
	free(cfg->kernel);
	free(cfg->firmware);
	free(cfg->flash);
	free(cfg->params);
	free(cfg->hugetlbfs);
	free(cfg->irqchip);
	free(cfg->vcpu_affinity);
	free(cfg->name);
	free(cfg->dev);
	free(cfg->console_log);
	free(cfg->report);
	free(cfg->junit);
	free(cfg->tap);
	free(cfg->timeline);
	free(cfg->dump_dtb);
	clear(cfg);
}

uint64_t config_timeout_left_ms(const struct config *cfg)
{
	if (!cfg->timeout_ms)
		return 0;
	return cfg->timeout_ms > cfg->timeout_spent_ms ? cfg->timeout_ms - cfg->timeout_spent_ms : 1;
}

static int validate_boot(const struct config *cfg)
{
	if (!cfg->kernel && !cfg->firmware) {
		log_error("no kernel given: use --kernel FILE (Image, bzImage, vmlinux ...) or "
			  "--firmware FILE");
		return -EINVAL;
	}
	if (cfg->kernel && cfg->firmware) {
		log_error("--kernel and --firmware exclude each other: firmware loads its own kernel");
		return -EINVAL;
	}
	if (cfg->firmware && cfg->nr_initrds) {
		log_error("--initrd needs --kernel: firmware loads its own initrd");
		return -EINVAL;
	}
	if (cfg->kernel && cfg->arm.firmware_address) {
		log_error("--firmware-address needs --firmware: a kernel says itself where it goes");
		return -EINVAL;
	}
	return 0;
}

static int validate_machine(const struct config *cfg)
{
	if (cfg->nr_cpus < 1 || cfg->nr_cpus > CONFIG_MAX_CPUS) {
		log_error("--cpus: %u is not between 1 and %d", cfg->nr_cpus, CONFIG_MAX_CPUS);
		return -EINVAL;
	}
	if (cfg->pmu == CONFIG_OFF && (cfg->nr_pmu_events || cfg->pmu_device[0] || cfg->arm.pmu_counters)) {
		log_error("--pmu=off and choices of its counters or events exclude each other");
		return -EINVAL;
	}
	if (cfg->balloon && cfg->hugetlbfs) {
		log_error("--balloon and --hugetlbfs exclude each other: guests give back pages that are smaller than huge ones");
		return -EINVAL;
	}
	if (cfg->ram_bytes < CONFIG_MIN_RAM) {
		log_error("--mem: %llu bytes is too little for a guest: at least 1M",
			  (unsigned long long)cfg->ram_bytes);
		return -EINVAL;
	}
	if (cfg->ram_bytes % CONFIG_RAM_ALIGN) {
		log_error("--mem: %llu bytes is not a multiple of 64K",
			  (unsigned long long)cfg->ram_bytes);
		return -EINVAL;
	}
	return 0;
}

/* What virtiofsd serves is of virtio 1.0 and later. */
static int validate_legacy_virtio(const struct config *cfg)
{
	bool share = cfg->root && cfg->root_type == ROOT_VIRTIOFS;

	for (unsigned int i = 0; i < cfg->nr_shares; i++)
		share |= cfg->shares[i].virtiofs;
	if (!share || !config_legacy_virtio(cfg))
		return 0;
	log_error("virtio-fs does not exist on legacy virtio (%s): use 9P",
		  cfg->virtio_legacy ? "--virtio-legacy" : cfg->virtio_transport == TRANSPORT_MMIO ?
		  "--virtio-transport mmio-legacy" : "--virtio-transport pci-legacy");
	return -EINVAL;
}

static int validate_command(const struct config *cfg)
{
	if (cfg->command && !cfg->kernel) {
		log_error("-- %s: a command needs --kernel: firmware boots a system of its own", cfg->command[0]);
		return -EINVAL;
	}
	if (cfg->command && cfg->workdir[0] != '/') {
		log_error("--workdir: '%s' is not an absolute path in the guest", cfg->workdir);
		return -EINVAL;
	}
	if (cfg->command && cfg->on_reboot == ON_REBOOT_RESTART) {
		log_error("--on-reboot=restart and a command exclude each other: it would start anew (-- %s)", cfg->command[0]);
		return -EINVAL;
	}
	/* These would have no effect, and nothing that a user asks for is ignored. */
	if (!cfg->command && (cfg->nr_adds || cfg->nr_env || cfg->modules || cfg->root || cfg->user || cfg->uid ||
			      cfg->gid || strcmp(cfg->workdir, "/"))) {
		log_error("%s needs a command to run in the guest (-- CMD)",
			  cfg->root ? "--root" : cfg->nr_adds ? "--add" : cfg->nr_env ? "--env" : cfg->modules ? "--modules" :
			  cfg->user || cfg->uid || cfg->gid ? "--user" : "--workdir");
		return -EINVAL;
	}
	return 0;
}

static int validate_root(const struct config *cfg)
{
	const char *why = NULL;

	if (cfg->root_rw && !cfg->root)
		why = "--root-rw needs --root: it says that what the guest writes there goes to the directory";
	else if (cfg->root && cfg->nr_initrds)
		why = "--root and --initrd exclude each other: the guest has one root";
	else if (cfg->root_rw && cfg->nr_adds)
		why = "--add and --root-rw exclude each other: the file would be written to the directory of --root";
	else if (cfg->root_rw && cfg->root_type == ROOT_IMAGE)
		why = "--root-rw and type=image exclude each other: the image is a copy (use type=virtiofs or 9p)";
	if (!why)
		return 0;
	log_error("%s", why);
	return -EINVAL;
}

static int validate_run(const struct config *cfg)
{
	if (cfg->name && (!cfg->name[0] || cfg->name[0] == '.' || strchr(cfg->name, '/') ||
			  strlen(cfg->name) > NAME_MAX_BYTES)) {
		log_error("--name: '%s' can't name a guest: 1 to %d characters, no '/', no '.' at the start",
			  cfg->name, NAME_MAX_BYTES);
		return -EINVAL;
	}
	if (!cfg->dev || !cfg->workdir) { /* config_init() could not report it */
		log_error("out of memory");
		return -EINVAL;
	}
	if (cfg->boot_timeout_ms && !cfg->command) {
		log_error("--boot-timeout needs a command, whose start it waits for (-- CMD); see --timeout and --silence-timeout");
		return -EINVAL;
	}
	if (cfg->stop_on_spin && !cfg->progress_period_ms) {
		log_error("--stop-on-spin and --no-progress-watchdog exclude each other: it is the watchdog that stops");
		return -EINVAL;
	}
	return validate_command(cfg);
}

int config_validate(const struct config *cfg)
{
	int ret;

	ret = validate_boot(cfg);
	if (!ret)
		ret = validate_root(cfg);
	if (!ret)
		ret = validate_machine(cfg);
	if (!ret)
		ret = validate_legacy_virtio(cfg);
	if (!ret)
		ret = validate_run(cfg);
	return ret;
}
