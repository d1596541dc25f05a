// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/run-options.h"

#include <errno.h>
#include <limits.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "arm/options.h"
#include "guest/frame.h"
#include "lkvm/cpulist.h"
#include "lkvm/log.h"
#include "lkvm/splat.h"
#include "powerpc/options.h"
#include "riscv/options.h"
#include "virtio/9p.h"
#include "virtio/fs.h"
#include "x86/options.h"

/* Where the hypervisor itself can print: SBI, sPAPR. */
#define OPT_HV_CONSOLE (OPT_RISCV64 | OPT_PPC64)

static int out_of_memory(void)
{
	log_error("out of memory");
	return -ENOMEM;
}

/* ---- parsers of single options ---------------------------------------------------------------- */

static int parse_initrd(void *target, const struct option_use *use, const char *arg,
			bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;

	if (!*arg)
		return options_bad_value(use, arg, "FILE");
	if (cfg->nr_initrds == CONFIG_MAX_INITRDS) {
		log_error("%s: more than %d initrds (concatenate some of them; see lkvm help run)",
			  use->name, CONFIG_MAX_INITRDS);
		return -EINVAL;
	}
	cfg->initrds[cfg->nr_initrds] = strdup(arg);
	if (!cfg->initrds[cfg->nr_initrds])
		return out_of_memory();
	cfg->nr_initrds++;
	return 0;
}

/* Given again, it adds: a script's parameters and those of its caller both count. */
static int parse_params(void *target, const struct option_use *use LKVM_UNUSED, const char *arg,
			bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;
	size_t old = cfg->params ? strlen(cfg->params) : 0;
	size_t len = strlen(arg);
	char *params;

	if (!len)
		return 0;
	params = realloc(cfg->params, old + 1 + len + 1);
	if (!params)
		return out_of_memory();
	if (old)
		params[old++] = ' ';
	memcpy(params + old, arg, len + 1);
	cfg->params = params;
	return 0;
}

#define CPUS_TEXT "4096"
_Static_assert(CONFIG_MAX_CPUS == 4096, "CPUS_TEXT says so");

static int parse_cpus(void *target, const struct option_use *use, const char *arg,
		      bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;
	uint64_t v;

	if (parse_u64(arg, &v) || v < 1 || v > CONFIG_MAX_CPUS)
		return options_bad_value(use, arg, "a number of CPUs, 1 to " CPUS_TEXT);
	cfg->nr_cpus = (unsigned int)v;
	return 0;
}

static int parse_mem(void *target, const struct option_use *use, const char *arg, bool enabled)
{
	/* Newer kvmtool places RAM on arm64 with SIZE@ADDRESS. */
	if (strchr(arg, '@')) {
		log_error("%s: '%s': the address of RAM can't be chosen in lkvm: give the size alone "
			  "(see lkvm help run)", use->name, arg);
		return -EINVAL;
	}
	return option_parse_size(target, use, arg, enabled);
}

static int parse_console(void *target, const struct option_use *use, const char *arg,
			 bool enabled LKVM_UNUSED)
{
	static const char *const words[] = {
		[CONSOLE_SERIAL] = "serial", [CONSOLE_VIRTIO] = "virtio", [CONSOLE_HV] = "hv", NULL,
	};
	struct config *cfg = target;
	int i = options_match_word(use, "value", arg, words);

	if (i < 0)
		return i;
	if (i == CONSOLE_HV && !(use->set->arch & OPT_HV_CONSOLE)) {
		log_error("%s: hv exists on riscv64 and ppc64le only (see lkvm help run)", use->name);
		return -EINVAL;
	}
	cfg->console = (enum config_console)i;
	return 0;
}

static int parse_transport(void *target, const struct option_use *use, const char *arg,
			   bool enabled LKVM_UNUSED)
{
	static const struct {
		enum config_transport transport;
		bool                  legacy;
	} kinds[] = {
		{ TRANSPORT_AUTO, false }, { TRANSPORT_PCI, false }, { TRANSPORT_MMIO, false },
		{ TRANSPORT_PCI, true }, { TRANSPORT_MMIO, true },
	};
	static const char *const words[] = { "auto", "pci", "mmio", "pci-legacy", "mmio-legacy", NULL };
	struct config *cfg = target;
	int i = options_match_word(use, "value", arg, words);

	if (i < 0)
		return i;
	cfg->virtio_transport = kinds[i].transport;
	cfg->transport_legacy = kinds[i].legacy;
	return 0;
}

static int parse_force_pci(void *target, const struct option_use *use LKVM_UNUSED,
			   const char *arg LKVM_UNUSED, bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;

	cfg->virtio_transport = TRANSPORT_PCI;
	return 0;
}

static int parse_irqchip(void *target, const struct option_use *use, const char *arg, bool enabled)
{
	static const char *const arm[] = { "auto", "gicv2", "gicv2m", "gicv3", "gicv3-its", NULL };
	static const char *const riscv[] = { "auto", "aia", "aia-emul", "aia-hwaccel", "plic", NULL };
	static const char *const x86[] = { "auto", "kernel", "split", NULL };
	static const char *const ppc64[] = { "auto", "xics", "xive", NULL };
	const char *const *words = use->set->arch == OPT_ARM64  ? arm :
				   use->set->arch == OPT_X86_64 ? x86 :
				   use->set->arch == OPT_PPC64  ? ppc64 :
								  riscv;
	int i = options_match_word(use, "value", arg, words);

	if (i < 0)
		return i;
	/* The best there is has no name of its own in the config. */
	return option_parse_string(target, use, arg, enabled && i > 0);
}

static int parse_tristate(void *target, const struct option_use *use, const char *arg, bool enabled)
{
	static const char *const words[] = {
		[CONFIG_AUTO] = "auto", [CONFIG_OFF] = "off", [CONFIG_ON] = "on", NULL,
	};
	enum config_tristate v;
	int i = enabled ? CONFIG_ON : CONFIG_OFF;

	if (arg)
		i = options_match_word(use, "value", arg, words);
	if (i < 0)
		return i;
	v = (enum config_tristate)i;
	memcpy((char *)target + use->spec->offset, &v, sizeof(v));
	return 0;
}

static int parse_affinity(void *target, const struct option_use *use, const char *arg, bool enabled)
{
	cpu_set_t cpus;

	if (cpulist_parse(arg, &cpus))
		return options_bad_value(use, arg, "a list of host CPUs such as 0-3,8");
	return option_parse_string(target, use, arg, enabled);
}

/* ---- arm64 ------------------------------------------------------------------------------------ */

static int parse_kaslr_seed(void *target, const struct option_use *use, const char *arg,
			    bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;

	if (parse_u64(arg, &cfg->arm.kaslr_seed))
		return options_bad_value(use, arg, "a 64-bit number");
	cfg->arm.has_kaslr_seed = true;
	return 0;
}

static int parse_firmware_address(void *target, const struct option_use *use, const char *arg,
				  bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;

	if (parse_u64(arg, &cfg->arm.firmware_address) || !cfg->arm.firmware_address)
		return options_bad_value(use, arg, "an address in RAM");
	return 0;
}

static int parse_arm_uint(void *target, const struct option_use *use, const char *arg,
			  bool enabled LKVM_UNUSED)
{
	unsigned int small;
	uint64_t v;

	if (parse_u64(arg, &v) || !v || v > UINT_MAX)
		return options_bad_value(use, arg, "a number, 1 or more");
	small = (unsigned int)v;
	memcpy((char *)target + use->spec->offset, &small, sizeof(small));
	return 0;
}

static int parse_sve_max_vl(void *target, const struct option_use *use, const char *arg,
			    bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;
	uint64_t v;

	/* Arm DDI0487 B1.2.2: up to 2048 bits, in steps of 128. */
	if (parse_u64(arg, &v) || !v || v > 2048 || v % 128)
		return options_bad_value(use, arg, "a number of bits, 128 to 2048 in steps of 128");
	cfg->arm.sve_max_bits = (unsigned int)v;
	return 0;
}

static int parse_loglevel(void *target, const struct option_use *use, const char *arg,
			  bool enabled LKVM_UNUSED)
{
	static const char *const words[] = {
		[LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info",
		[LOG_DEBUG] = "debug", NULL,
	};
	struct config *cfg = target;
	int i = options_match_word(use, "value", arg, words);

	if (i < 0)
		return i;
	cfg->loglevel = i;
	return 0;
}

static int parse_debug(void *target, const struct option_use *use LKVM_UNUSED,
		       const char *arg LKVM_UNUSED, bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;

	cfg->loglevel = LOG_DEBUG;
	return 0;
}

static int parse_progress_watchdog(void *target, const struct option_use *use LKVM_UNUSED,
				   const char *arg LKVM_UNUSED, bool enabled)
{
	struct config *cfg = target;

	cfg->progress_period_ms = enabled ? CONFIG_PROGRESS_PERIOD_MS : 0;
	return 0;
}

static int parse_on_reboot(void *target, const struct option_use *use, const char *arg,
			   bool enabled LKVM_UNUSED)
{
	static const char *const words[] = {
		[ON_REBOOT_EXIT] = "exit", [ON_REBOOT_RESTART] = "restart", NULL,
	};
	struct config *cfg = target;
	int i = options_match_word(use, "value", arg, words);

	if (i < 0)
		return i;
	cfg->on_reboot = (enum config_on_reboot)i;
	return 0;
}

static int parse_on_unknown_exit(void *target, const struct option_use *use, const char *arg,
				 bool enabled LKVM_UNUSED)
{
	static const char *const words[] = {
		[ON_UNKNOWN_EXIT_REPORT] = "report", [ON_UNKNOWN_EXIT_STOP] = "stop", NULL,
	};
	struct config *cfg = target;
	int i = options_match_word(use, "value", arg, words);

	if (i < 0)
		return i;
	cfg->on_unknown_exit = (enum config_on_unknown_exit)i;
	return 0;
}

static int parse_on_panic(void *target, const struct option_use *use, const char *arg,
			  bool enabled LKVM_UNUSED)
{
	static const char *const words[] = {
		[ON_PANIC_EXIT] = "exit", [ON_PANIC_REPORT] = "report", [ON_PANIC_REBOOT] = "reboot", NULL,
	};
	struct config *cfg = target;
	int i = options_match_word(use, "value", arg, words);

	if (i < 0)
		return i;
	cfg->on_panic = (enum config_on_panic)i;
	return 0;
}

static int parse_exit_code(void *target, const struct option_use *use, const char *arg,
			   bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;
	const char *equals = strchr(arg, '=');
	enum outcome_kind kind;
	char word[32];
	uint64_t v;

	snprintf(word, sizeof(word), "%.*s", equals ? (int)MIN(equals - arg, 31) : 0, arg);
	kind = outcome_kind_by_word(word);
	if (kind == OUTCOME_KINDS || parse_u64(equals + 1, &v) || v > 255)
		return options_bad_value(use, arg, "OUTCOME=N, such as panic=1, with poweroff, reboot, panic, vcpu-failed, "
					 "hung, lost, timeout, start-failed, output-lost or splat, and 0 to 255");
	cfg->exit_codes[kind] = (int)v + 1;
	return 0;
}

static int parse_fail_on(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	const char *words[SPLAT_KINDS + 2];
	struct config *cfg = target;
	char *copy, *save = NULL, *word;
	int i = 0;

	for (unsigned int kind = 0; kind < SPLAT_KINDS; kind++)
		words[kind] = splat_words[kind];
	words[SPLAT_KINDS] = "all";
	words[SPLAT_KINDS + 1] = NULL;
	copy = strdup(arg);
	if (!copy)
		return out_of_memory();
	word = strtok_r(copy, ",", &save);
	if (!word)
		i = options_bad_value(use, arg, "all, or some of warning,bug,kasan,kcsan,ubsan,lockdep,rcu-stall,hung-task,lockup");
	for (; word && i >= 0; word = strtok_r(NULL, ",", &save)) {
		i = options_match_word(use, "value", word, words);
		if (i >= 0)
			cfg->fail_on |= i == SPLAT_KINDS ? SPLAT_ALL : 1u << i;
	}
	free(copy);
	return i < 0 ? i : 0;
}

static int parse_allow(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;
	char **more;
	regex_t re;

	if (!*arg || regcomp(&re, arg, REG_EXTENDED | REG_NOSUB))
		return options_bad_value(use, arg, "an extended regular expression");
	regfree(&re);
	more = realloc(cfg->allow, (cfg->nr_allow + 1) * sizeof(*more));
	if (!more)
		return out_of_memory();
	cfg->allow = more;
	more[cfg->nr_allow] = strdup(arg);
	if (!more[cfg->nr_allow])
		return out_of_memory();
	cfg->nr_allow++;
	return 0;
}

/* ---- --disk ----------------------------------------------------------------------------------- */

static struct config_disk *disk_current(void *target)
{
	struct config *cfg = target;

	return &cfg->disks[cfg->nr_disks];
}

static int disk_path(void *target, const struct option_use *use, const char *key, const char *value)
{
	static const char scsi[] = "scsi:";

	if (!*value) {
		log_error("%s: key '%s': no file given (see lkvm help run)", use->name, key);
		return -EINVAL;
	}
	if (!strncmp(value, scsi, strlen(scsi))) {
		log_error("%s: %s: vhost-scsi disks are not built into this lkvm (see lkvm help run)",
			  use->name, value);
		return -EINVAL;
	}
	disk_current(target)->path = strdup(value);
	return disk_current(target)->path ? 0 : out_of_memory();
}

static int disk_flag(const struct option_use *use, const char *key, const char *value, bool *flag)
{
	*flag = true;
	if (value && parse_on_off(value, flag)) {
		log_error("%s: key '%s': bad value '%s', expected on or off (see lkvm help run)",
			  use->name, key, value);
		return -EINVAL;
	}
	return 0;
}

static int disk_ro(void *target, const struct option_use *use, const char *key, const char *value)
{
	return disk_flag(use, key, value, &disk_current(target)->readonly);
}

static int disk_direct(void *target, const struct option_use *use, const char *key, const char *value)
{
	return disk_flag(use, key, value, &disk_current(target)->direct);
}

static int disk_serial(void *target, const struct option_use *use, const char *key, const char *value)
{
	struct config_disk *disk = disk_current(target);

	/* virtio 1.3 §5.2.6: the id string has 20 bytes. */
	if (!*value || strlen(value) >= sizeof(disk->serial)) {
		log_error("%s: key '%s': '%s' is not 1 to %zu characters long (see lkvm help run)",
			  use->name, key, value, sizeof(disk->serial) - 1);
		return -EINVAL;
	}
	snprintf(disk->serial, sizeof(disk->serial), "%s", value);
	return 0;
}

static const struct option_key disk_keys[] = {
	{ .name = "path", .parse = disk_path },
	{ .name = "ro", .flag = true, .parse = disk_ro },
	{ .name = "direct", .flag = true, .parse = disk_direct },
	{ .name = "serial", .parse = disk_serial },
};

static int parse_disk(void *target, const struct option_use *use, const char *arg,
		      bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;
	int ret;

	if (cfg->nr_disks == CONFIG_MAX_DISKS) {
		log_error("%s: more than %d disks (see lkvm help run)", use->name, CONFIG_MAX_DISKS);
		return -EINVAL;
	}
	memset(disk_current(cfg), 0, sizeof(struct config_disk));
	ret = options_parse_compound(cfg, use, arg, disk_keys, ARRAY_SIZE(disk_keys));
	if (!ret && !disk_current(cfg)->path) {
		log_error("%s: '%s' names no file: FILE%s (see lkvm help run)", use->name, arg,
			  "[,ro][,direct][,serial=ID]");
		ret = -EINVAL;
	}
	if (ret) {
		free(disk_current(cfg)->path);
		disk_current(cfg)->path = NULL;
		return ret;
	}
	cfg->nr_disks++;
	return 0;
}

/* ---- --9p, --virtiofs ------------------------------------------------------------------------- */

/* kvmtool's "DIR,TAG", where its first comma parts them, or "DIR" alone; and a ",ro" of our own at the end. */
static int parse_share(struct config *cfg, const struct option_use *use, const char *arg, const char *default_tag,
		       size_t max_tag)
{
	struct config_share *share = &cfg->shares[cfg->nr_shares];
	size_t dir_len = strcspn(arg, ","), tag_len = strlen(arg + dir_len);
	const char *tag = arg + dir_len;
	bool readonly = tag_len >= 3 && !strcmp(tag + tag_len - 3, ",ro");

	if (cfg->nr_shares == CONFIG_MAX_SHARES) {
		log_error("%s: more than %d directories (see lkvm help run)", use->name, CONFIG_MAX_SHARES);
		return -EINVAL;
	}
	if (readonly)
		tag_len -= 3;
	if (tag_len) { /* the comma */
		tag++;
		tag_len--;
	} else {
		tag = default_tag;
		tag_len = strlen(tag);
	}
	if (!dir_len || !tag_len)
		return options_bad_value(use, arg, "DIR or DIR,TAG");
	if (tag_len > max_tag) {
		log_error("%s: '%s': no guest can be told a TAG of more than %zu characters (see lkvm help run)",
			  use->name, arg, max_tag);
		return -EINVAL;
	}
	if (tag_len == strlen(GUEST_ROOT) && !memcmp(tag, GUEST_ROOT, tag_len))
		return options_bad_value(use, arg, "another TAG, as " GUEST_ROOT " is that of --root");
	for (unsigned int i = 0; i < cfg->nr_shares; i++)
		if (strlen(cfg->shares[i].tag) == tag_len && !memcmp(cfg->shares[i].tag, tag, tag_len)) {
			log_error("%s: '%s': the guest would have two directories called '%s': give another TAG "
				  "(see lkvm help run)", use->name, arg, cfg->shares[i].tag);
			return -EINVAL;
		}
	*share = (struct config_share){
		.dir = strndup(arg, dir_len), .tag = strndup(tag, tag_len), .readonly = readonly,
	};
	cfg->nr_shares++;
	return share->dir && share->tag ? 0 : out_of_memory();
}

static int parse_9p(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	return parse_share(target, use, arg, "kvm_9p", VIRTIO_9P_TAG_BYTES);
}

static int parse_virtiofs(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;
	int ret = parse_share(cfg, use, arg, "virtiofs", VIRTIO_FS_TAG_BYTES);

	if (!ret)
		cfg->shares[cfg->nr_shares - 1].virtiofs = true;
	return ret;
}

/* ---- --network -------------------------------------------------------------------------------- */

static int network_mode(void *target LKVM_UNUSED, const struct option_use *use, const char *key,
			const char *value)
{
	static const char *const words[] = { "none", "user", "tap", NULL };
	int i = options_match_word(use, key, value, words);

	if (i > 0) {
		log_error("%s: mode=%s: network devices are not built into this lkvm, mode=none works "
			  "(see lkvm help run)", use->name, value);
		return -EINVAL;
	}
	return i;
}

/* Without a network there is nothing to set: kvmtool's keys are known, so that they are named right. */
static int network_other(void *target LKVM_UNUSED, const struct option_use *use, const char *key,
			 const char *value LKVM_UNUSED)
{
	log_error("%s: key '%s': network devices are not built into this lkvm, mode=none works "
		  "(see lkvm help run)", use->name, key);
	return -EINVAL;
}

static const struct option_key network_keys[] = {
	{ .name = "mode", .parse = network_mode },
	{ .name = "trans", .parse = network_other },
	{ .name = "script", .parse = network_other },
	{ .name = "downscript", .parse = network_other },
	{ .name = "guest_ip", .parse = network_other },
	{ .name = "host_ip", .parse = network_other },
	{ .name = "guest_mac", .parse = network_other },
	{ .name = "host_mac", .parse = network_other },
	{ .name = "tapif", .parse = network_other },
	{ .name = "fd", .parse = network_other },
	{ .name = "vhost", .parse = network_other },
	{ .name = "mq", .parse = network_other },
};

static int parse_network(void *target, const struct option_use *use, const char *arg,
			 bool enabled LKVM_UNUSED)
{
	return options_parse_compound(target, use, arg, network_keys, ARRAY_SIZE(network_keys));
}

/* ---- --pmu ------------------------------------------------------------------------------------ */

/* What only some arches' PMUs let one choose. */
static int pmu_key_arch(const struct option_use *use, const char *key, unsigned int arches, const char *names)
{
	if (use->set->arch & arches)
		return 0;
	log_error("%s: key '%s' exists on %s only (see lkvm help run)", use->name, key, names);
	return -EINVAL;
}

static int pmu_state(void *target, const struct option_use *use, const char *key LKVM_UNUSED,
		     const char *value)
{
	return parse_tristate(target, use, value, true);
}

static int pmu_counters(void *target, const struct option_use *use, const char *key, const char *value)
{
	struct config *cfg = target;
	uint64_t v;

	if (pmu_key_arch(use, key, OPT_ARM64, "arm64"))
		return -EINVAL;
	if (parse_u64(value, &v) || !v || v > 31) {
		log_error("%s: key '%s': bad value '%s', expected 1 to 31 (see lkvm help run)", use->name, key,
			  value);
		return -EINVAL;
	}
	cfg->arm.pmu_counters = (unsigned int)v;
	return 0;
}

static int pmu_device(void *target, const struct option_use *use, const char *key, const char *value)
{
	struct config *cfg = target;

	if (pmu_key_arch(use, key, OPT_ARM64, "arm64"))
		return -EINVAL;
	if (!*value || strchr(value, '/') || *value == '.' || strlen(value) >= sizeof(cfg->pmu_device)) {
		log_error("%s: key '%s': '%s' is no name in /sys/bus/event_source/devices (see lkvm help run)",
			  use->name, key, value);
		return -EINVAL;
	}
	snprintf(cfg->pmu_device, sizeof(cfg->pmu_device), "%s", value);
	return 0;
}

/* "0x11", "0x10-0x1f". */
static int parse_event_range(char *text, struct config_pmu_events *range)
{
	char *end = strchr(text, '-');
	uint64_t first, last;

	if (end)
		*end++ = '\0';
	if (parse_u64(text, &first) || parse_u64(end ? end : text, &last) || first > last || last > 0xffff)
		return -EINVAL;
	range->first = (uint16_t)first;
	range->last = (uint16_t)last;
	return 0;
}

static int pmu_events(void *target, const struct option_use *use, const char *key, const char *value)
{
	struct config *cfg = target;
	char *copy, *part, *save;
	int ret = 0;

	if (pmu_key_arch(use, key, OPT_ARM64 | OPT_X86_64, "arm64 and x86_64"))
		return -EINVAL;
	copy = strdup(value);
	if (!copy)
		return out_of_memory();
	part = strtok_r(copy, "+", &save);
	if (!part)
		ret = -EINVAL;
	for (; part && !ret; part = strtok_r(NULL, "+", &save)) {
		struct config_pmu_events *range = &cfg->pmu_events[cfg->nr_pmu_events];

		if (cfg->nr_pmu_events == CONFIG_MAX_PMU_EVENTS) {
			log_error("%s: more than %d ranges of events", use->name, CONFIG_MAX_PMU_EVENTS);
			free(copy);
			return -EINVAL;
		}
		ret = parse_event_range(part, range);
		range->deny = !strcmp(key, "deny");
		cfg->nr_pmu_events++;
	}
	free(copy);
	if (ret)
		log_error("%s: key '%s': bad value '%s', expected events such as 0x11+0x20-0x2f (see lkvm help run)",
			  use->name, key, value);
	return ret;
}

static const struct option_key pmu_keys[] = {
	{ .name = "state", .parse = pmu_state },
	{ .name = "counters", .parse = pmu_counters },
	{ .name = "device", .parse = pmu_device },
	{ .name = "allow", .parse = pmu_events },
	{ .name = "deny", .parse = pmu_events },
};

static int parse_pmu(void *target, const struct option_use *use, const char *arg, bool enabled)
{
	struct config *cfg = target;

	cfg->pmu = enabled ? CONFIG_ON : CONFIG_OFF; /* with keys alone as well */
	return arg ? options_parse_compound(target, use, arg, pmu_keys, ARRAY_SIZE(pmu_keys)) : 0;
}

/* ---- commands in the guest -------------------------------------------------------------------- */

static int parse_add(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;
	/* A colon parts file and path only before a path: file names may have some. */
	const char *path = strrchr(arg, ':');
	struct config_add *more;

	path = path && path[1] == '/' ? path : NULL;
	if (!*arg || path == arg)
		return options_bad_value(use, arg, "FILE or FILE:PATH");
	more = realloc(cfg->adds, (cfg->nr_adds + 1) * sizeof(*more));
	if (!more)
		return out_of_memory();
	cfg->adds = more;
	more[cfg->nr_adds] = (struct config_add){
		.file = path ? strndup(arg, (size_t)(path - arg)) : strdup(arg),
		.path = path ? strdup(path + 1) : NULL,
	};
	if (!more[cfg->nr_adds++].file || (path && !more[cfg->nr_adds - 1].path))
		return out_of_memory();
	return 0;
}

/* NAME=VALUE, or NAME with the value that lkvm itself has. */
int run_option_env(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;
	const char *value = strchr(arg, '=') ? "" : getenv(arg);
	char **more;

	if (!*arg || *arg == '=')
		return options_bad_value(use, arg, "NAME=VALUE or NAME");
	if (!value)
		return 0; /* not set here, so not there */
	more = realloc(cfg->env, (cfg->nr_env + 2) * sizeof(*more));
	if (!more)
		return out_of_memory();
	cfg->env = more;
	more[cfg->nr_env + 1] = NULL;
	if (asprintf(&more[cfg->nr_env], "%s%s%s", arg, strchr(arg, '=') ? "" : "=", value) < 0) {
		more[cfg->nr_env] = NULL;
		return out_of_memory();
	}
	cfg->nr_env++;
	return 0;
}

int run_option_user(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	static const char expected[] = "a user's name, UID or UID:GID";
	struct config *cfg = target;
	uint64_t uid = 0, gid;
	char first[24], *user = NULL;
	size_t len = strcspn(arg, ":");

	if (arg[0] < '0' || arg[0] > '9') {
		/* What /etc/passwd could have no line for. */
		if (!len || arg[len] || strchr(arg, '\n') || len > CONFIG_USER_CHARS)
			return options_bad_value(use, arg, expected);
		user = strdup(arg);
		if (!user)
			return out_of_memory();
	} else {
		snprintf(first, sizeof(first), "%.*s", (int)MIN(len, sizeof(first) - 1), arg);
		if (parse_u64(first, &uid) || len >= sizeof(first) || uid >= UINT32_MAX)
			return options_bad_value(use, arg, expected);
	}
	gid = uid;
	if (arg[len] && (parse_u64(arg + len + 1, &gid) || gid >= UINT32_MAX))
		return options_bad_value(use, arg, expected);
	free(cfg->user);
	cfg->user = user;
	cfg->uid = (uint32_t)uid;
	cfg->gid = (uint32_t)gid;
	return 0;
}

static int root_path(void *target, const struct option_use *use, const char *key, const char *value)
{
	struct config *cfg = target;

	if (!*value) {
		log_error("%s: key '%s': no directory given (see lkvm help run)", use->name, key);
		return -EINVAL;
	}
	free(cfg->root);
	cfg->root = strdup(value);
	return cfg->root ? 0 : out_of_memory();
}

static int root_type(void *target, const struct option_use *use, const char *key, const char *value)
{
	static const char *const words[] = {
		[ROOT_AUTO] = "auto", [ROOT_VIRTIOFS] = "virtiofs", [ROOT_9P] = "9p", [ROOT_IMAGE] = "image", NULL,
	};
	struct config *cfg = target;
	int i = options_match_word(use, key, value, words);

	if (i < 0)
		return i;
	cfg->root_type = (enum config_root_type)i;
	return 0;
}

static const struct option_key root_keys[] = {
	{ .name = "path", .parse = root_path },
	{ .name = "type", .parse = root_type },
};

static int parse_root(void *target, const struct option_use *use, const char *arg, bool enabled LKVM_UNUSED)
{
	struct config *cfg = target;
	int ret;

	cfg->root_type = ROOT_AUTO;
	ret = options_parse_compound(target, use, arg, root_keys, ARRAY_SIZE(root_keys));
	if (!ret && !cfg->root) {
		log_error("%s: '%s' names no directory: DIR[,type=virtiofs|9p|image] (see lkvm help run)", use->name, arg);
		ret = -EINVAL;
	}
	return ret;
}

/* ---- the table -------------------------------------------------------------------------------- */

#define CFG(field) offsetof(struct config, field)

#define BOOT    "Boot"
#define COMMAND "Command in the guest (-- CMD)"
#define MACHINE "Machine"
#define DEVICES "Devices"
#define RUN     "Run"
#define DEBUG   "Debugging"
#define ABSENT  "Known from kvmtool, but an error in this lkvm"

/* An option of kvmtool that is answered with @why. */
#define REFUSED(name, meta, on, why) \
	{ .long_name = (name), .metavar = (meta), .arches = (on), .section = ABSENT, .refused = (why) }

const struct option_spec run_options[] = {
	{ .short_name = 'k', .long_name = "kernel", .metavar = "FILE", .arches = OPT_ALL,
	  .section = BOOT, .parse = option_parse_string, .offset = CFG(kernel),
	  .help = "kernel to boot: Image, bzImage or vmlinux as this architecture has it, also compressed" },
	{ .short_name = 'i', .long_name = "initrd", .aliases = "initramfs", .metavar = "FILE",
	  .arches = OPT_ALL, .section = BOOT, .parse = parse_initrd,
	  .help = "initial RAM disk; may be given several times, the files are joined" },
	{ .short_name = 'p', .long_name = "params", .aliases = "cmdline append", .metavar = "TEXT",
	  .arches = OPT_ALL, .section = BOOT, .parse = parse_params,
	  .help = "kernel parameters, added behind lkvm's own; may be given several times" },
	{ .short_name = 'f', .long_name = "firmware", .metavar = "FILE", .arches = OPT_ALL,
	  .section = BOOT, .parse = option_parse_string, .offset = CFG(firmware),
	  .help = "flat firmware image to start instead of a kernel" },
	{ .short_name = 'F', .long_name = "flash", .metavar = "FILE", .arches = OPT_ARM64, .section = BOOT,
	  .parse = option_parse_string, .offset = CFG(flash),
	  .help = "CFI NOR flash that keeps what the guest writes to it in FILE: where firmware has its variables" },
	{ .long_name = "firmware-address", .metavar = "ADDRESS", .arches = OPT_ARM64, .section = BOOT,
	  .parse = parse_firmware_address,
	  .help = "where in RAM flat firmware goes and is entered; unless given, U-Boot and edk2 are put where they "
		  "are linked to, and any other at the start of RAM" },
	{ .long_name = "kaslr-seed", .metavar = "N", .arches = OPT_ARM64, .section = BOOT,
	  .parse = parse_kaslr_seed,
	  .help = "seed from which the kernel chooses its addresses, random unless given; 0: none" },
	{ .long_name = "nodefaults", .arches = OPT_ALL, .negatable = true, .section = BOOT,
	  .parse = option_parse_bool, .offset = CFG(nodefaults),
	  .help = "no kernel parameters and no devices but those asked for" },
	{ .long_name = "dump-dtb", .metavar = "FILE", .arches = OPT_FDT, .section = BOOT,
	  .parse = option_parse_string, .offset = CFG(dump_dtb),
	  .help = "write the guest's device tree to FILE" },

	{ .long_name = "add", .metavar = "FILE[:PATH]", .arches = OPT_ALL, .section = COMMAND,
	  .parse = parse_add,
	  .help = "put a file, a program with the libraries that it needs, or a directory into the guest; may be given "
		  "several times" },
	{ .long_name = "env", .metavar = "NAME[=VALUE]", .arches = OPT_ALL, .section = COMMAND, .parse = run_option_env,
	  .help = "an environment variable of the command, lkvm's own unless a value is given; may be given several times" },
	{ .long_name = "workdir", .metavar = "DIR", .arches = OPT_ALL, .section = COMMAND,
	  .parse = option_parse_string, .offset = CFG(workdir),
	  .help = "the command's working directory in the guest, / unless given" },
	{ .long_name = "user", .metavar = "USER", .arches = OPT_ALL, .section = COMMAND, .parse = run_option_user,
	  .help = "run the command as this user of the guest: a name, UID or UID:GID; 0 unless given" },
	{ .long_name = "modules", .metavar = "DIR|auto", .arches = OPT_ALL, .section = COMMAND,
	  .parse = option_parse_string, .offset = CFG(modules),
	  .help = "for a kernel whose virtio drivers are modules: where they are; auto: /lib/modules/VERSION" },

	{ .long_name = "root", .metavar = "DIR[,type=virtiofs|9p|image]", .arches = OPT_ALL, .section = COMMAND,
	  .parse = parse_root,
	  .help = "a directory of this host is the guest's root, in which the command is found; what the guest writes is "
		  "in memory; by virtio-fs, if there is a virtiofsd, or by 9P, or as an image that mke2fs makes of it, whichever "
		  "the kernel knows, as --modules shows; type chooses" },
	{ .long_name = "root-rw", .arches = OPT_ALL, .negatable = true, .section = COMMAND,
	  .parse = option_parse_bool, .offset = CFG(root_rw),
	  .help = "what the guest writes goes to the directory of --root, also the empty proc, sys, dev, run and tmp that it makes "
		  "there if they are missing" },

	{ .short_name = 'c', .long_name = "cpus", .metavar = "N", .arches = OPT_ALL,
	  .section = MACHINE, .parse = parse_cpus, .help = "number of CPUs, 1 unless given" },
	{ .short_name = 'm', .long_name = "mem", .aliases = "memory", .metavar = "SIZE",
	  .arches = OPT_ALL, .section = MACHINE, .parse = parse_mem, .offset = CFG(ram_bytes),
	  .help = "memory, 256M unless given; K, M, G or T, a bare number is MiB" },
	{ .long_name = "hugetlbfs", .metavar = "DIR", .arches = OPT_ALL, .section = MACHINE,
	  .parse = option_parse_string, .offset = CFG(hugetlbfs),
	  .help = "take memory from the hugetlbfs mounted on DIR" },
	{ .long_name = "irqchip", .metavar = "NAME", .arches = OPT_ARM64 | OPT_RISCV64 | OPT_X86_64 | OPT_PPC64,
	  .section = MACHINE, .parse = parse_irqchip, .offset = CFG(irqchip),
	  .help = "interrupt controller: gicv2, gicv2m, gicv3, gicv3-its (arm64); aia, aia-emul, "
		  "aia-hwaccel, plic (riscv64); kernel, split (x86_64); xics, xive (ppc64le); the best that the "
		  "host has unless given" },
	{ .long_name = "pmu", .metavar = "on|off|auto[,KEY...]", .optional_arg = true, .negatable = true,
	  .arches = OPT_ALL, .section = MACHINE, .parse = parse_pmu, .offset = CFG(pmu),
	  .help = "performance counters in the guest; auto, where the host can, unless given; keys: counters=N "
		  "and device=NAME, which of the host's PMUs (arm64); allow=EVENTS and deny=EVENTS, such as "
		  "0x11+0x20-0x2f (arm64, x86_64)" },
	{ .long_name = "pmu-counters", .metavar = "N", .arches = OPT_ARM64, .section = MACHINE,
	  .parse = parse_arm_uint, .offset = CFG(arm.pmu_counters), .help = "the same as --pmu=counters=N" },
	{ .long_name = "isa", .metavar = "EXT=on|off,...", .arches = OPT_RISCV64, .section = MACHINE,
	  .parse = riscv_parse_isa,
	  .help = "ISA extensions of the guest's harts, such as zbb=off,sscofpmf=on, which are as KVM makes "
		  "them unless given; isa-N by KVM's number; also mvendorid=N, marchid=N, mimpid=N, "
		  "satp_mode=sv48, zicbom_block_size=N, zicboz_block_size=N, zicbop_block_size=N and vlenb=N" },
	{ .long_name = "sbi", .metavar = "EXT=on|off,...", .arches = OPT_RISCV64, .section = MACHINE,
	  .parse = riscv_parse_sbi,
	  .help = "SBI extensions that the guest finds, such as pmu=on,sta=off,mpxy=on; sbi-N by KVM's number" },
	{ .long_name = "disable-sbi-", .prefix = true, .metavar = "EXT", .arches = OPT_RISCV64,
	  .section = MACHINE, .parse = riscv_parse_disable_sbi, .help = "the same as --sbi EXT=off" },
	{ .long_name = "disable-", .prefix = true, .metavar = "EXT", .arches = OPT_RISCV64,
	  .section = MACHINE, .parse = riscv_parse_disable_isa, .help = "the same as --isa EXT=off" },
	{ .long_name = "cpu-feature", .metavar = "REG[HI:LO]=N,...", .arches = OPT_ARM64, .section = MACHINE,
	  .parse = arm_parse_cpu_feature,
	  .help = "what the guest's CPUs say of themselves in ID registers, such as ID_AA64ISAR0_EL1[7:4]=0, which "
		  "is as the host has it unless given; KVM takes what is less than that" },
	{ .long_name = "cpuid", .metavar = "FEATURE=off,...", .arches = OPT_X86_64, .section = MACHINE,
	  .parse = x86_parse_cpuid,
	  .help = "features that the guest's CPUs do not show, such as avx2=off, by Linux's name or as "
		  "LEAF.REGISTER.BIT; =on: only start where the host has it" },
	{ .long_name = "custom-mvendorid", .metavar = "N", .arches = OPT_RISCV64, .section = MACHINE,
	  .parse = riscv_parse_custom_id, .help = "the same as --isa mvendorid=N" },
	{ .long_name = "custom-marchid", .metavar = "N", .arches = OPT_RISCV64, .section = MACHINE,
	  .parse = riscv_parse_custom_id, .help = "the same as --isa marchid=N" },
	{ .long_name = "custom-mimpid", .metavar = "N", .arches = OPT_RISCV64, .section = MACHINE,
	  .parse = riscv_parse_custom_id, .help = "the same as --isa mimpid=N" },
	{ .long_name = "vcpu-affinity", .metavar = "CPULIST", .arches = OPT_ALL, .section = MACHINE,
	  .parse = parse_affinity, .offset = CFG(vcpu_affinity),
	  .help = "host CPUs that run the guest's CPUs, such as 0-3,8" },
	{ .long_name = "disable-sve", .arches = OPT_ARM64, .section = MACHINE,
	  .parse = option_parse_bool, .offset = CFG(arm.disable_sve),
	  .help = "no scalable vectors in the guest" },
	{ .long_name = "sve-max-vl", .metavar = "BITS", .arches = OPT_ARM64, .section = MACHINE,
	  .parse = parse_sve_max_vl, .help = "longest scalable vector, the host's unless given" },
	{ .long_name = "disable-mte", .arches = OPT_ARM64, .section = MACHINE,
	  .parse = option_parse_bool, .offset = CFG(arm.disable_mte),
	  .help = "no memory tagging in the guest" },
	{ .long_name = "pvtime", .metavar = "on|off|auto", .optional_arg = true, .negatable = true,
	  .arches = OPT_ARM64, .section = MACHINE, .parse = parse_tristate, .offset = CFG(arm.pvtime),
	  .help = "tell the guest about time that the host took from it; auto, where the host can and the guest is no "
		  "flat image, unless given" },
	{ .long_name = "max-cpu-compat", .metavar = "NAME", .arches = OPT_PPC64, .section = MACHINE,
	  .parse = ppc_parse_max_cpu_compat,
	  .help = "a guest that sees no more than a CPU of power8, power9, power10 or power11; the host's unless given" },
	{ .long_name = "aarch32", .arches = OPT_ARM64, .section = MACHINE, .parse = option_parse_bool,
	  .offset = CFG(arm.aarch32), .help = "a 32-bit guest: zImage or 32-bit flat firmware" },
	{ .long_name = "nested", .arches = OPT_ARM64, .section = MACHINE, .parse = option_parse_bool,
	  .offset = CFG(arm.nested), .help = "start the guest at EL2, so that it can run guests" },
	{ .long_name = "e2h0", .arches = OPT_ARM64, .section = MACHINE, .parse = option_parse_bool,
	  .offset = CFG(arm.e2h0), .help = "with --nested: a CPU without virtualization host extensions" },
	{ .long_name = "override-bad-firmware-cntfrq", .metavar = "HZ", .arches = OPT_ARM64,
	  .section = MACHINE, .parse = parse_arm_uint, .offset = CFG(arm.timer_hz),
	  .help = "timer frequency to tell the guest where the host's firmware set a wrong one" },

	{ .short_name = 'd', .long_name = "disk", .metavar = "FILE[,KEY...]", .arches = OPT_ALL,
	  .section = DEVICES, .parse = parse_disk,
	  .help = "virtio disk from a raw file or block device; keys: ro, direct (no host cache), "
		  "serial=ID; may be given several times" },
	{ .long_name = "9p", .metavar = "DIR[,TAG][,ro]", .arches = OPT_ALL, .section = DEVICES, .parse = parse_9p,
	  .help = "share a directory with the guest, which mounts it by its TAG, kvm_9p unless given: mount -t 9p "
		  "-o trans=virtio,version=9p2000.L TAG /mnt; may be given several times" },
	{ .long_name = "virtiofs", .metavar = "DIR[,TAG][,ro]", .arches = OPT_ALL, .section = DEVICES,
	  .parse = parse_virtiofs,
	  .help = "the same by virtio-fs, which takes a virtiofsd here: mount -t virtiofs TAG /mnt; the TAG is virtiofs "
		  "unless given" },
	{ .short_name = 'n', .long_name = "network", .metavar = "mode=none", .arches = OPT_ALL,
	  .section = DEVICES, .parse = parse_network,
	  .help = "no network device, which is the default: others are not built into this lkvm" },
	{ .long_name = "console", .metavar = "KIND", .arches = OPT_ALL, .section = DEVICES,
	  .parse = parse_console,
	  .help = "guest's console: serial (default), virtio, or hv, a hypervisor call (riscv64, ppc64le)" },
	{ .long_name = "rng", .arches = OPT_ALL, .negatable = true, .section = DEVICES,
	  .parse = option_parse_bool, .offset = CFG(rng), .help = "virtio source of random numbers" },
	{ .long_name = "balloon", .arches = OPT_ALL, .negatable = true, .section = DEVICES,
	  .parse = option_parse_bool, .offset = CFG(balloon),
	  .help = "virtio memory balloon, with which lkvm balloon makes the guest smaller while it runs" },
	{ .long_name = "virtio-transport", .metavar = "KIND", .arches = OPT_ALL, .section = DEVICES,
	  .parse = parse_transport,
	  .help = "how virtio devices are attached: auto (default), pci or mmio; pci-legacy and mmio-legacy are the "
		  "interfaces that were before virtio 1.0, for kernels and firmware that know no other" },
	{ .long_name = "virtio-legacy", .arches = OPT_ALL, .negatable = true, .section = DEVICES,
	  .parse = option_parse_bool, .offset = CFG(virtio_legacy),
	  .help = "the legacy kind of the transport that --virtio-transport chooses" },
	{ .long_name = "force-pci", .arches = OPT_ARM64, .section = DEVICES,
	  .parse = parse_force_pci, .help = "the same as --virtio-transport pci" },

	{ .long_name = "name", .metavar = "NAME", .arches = OPT_ALL, .section = RUN,
	  .parse = option_parse_string, .offset = CFG(name),
	  .help = "name of the guest, for lkvm list and others, ps and top; guest-PID unless given" },
	{ .long_name = "control", .arches = OPT_ALL, .negatable = true, .section = RUN,
	  .parse = option_parse_bool, .offset = CFG(control),
	  .help = "a control socket, for lkvm list, pause, stop ..., which is the default" },
	{ .long_name = "pdeathsig", .arches = OPT_ALL, .negatable = true, .section = RUN,
	  .parse = option_parse_bool, .offset = CFG(pdeathsig),
	  .help = "end the guest when the process that started lkvm ends" },
	{ .long_name = "timeout", .metavar = "TIME", .arches = OPT_ALL, .section = RUN,
	  .parse = option_parse_duration, .offset = CFG(timeout_ms),
	  .help = "stop the guest after TIME (90, 90s, 5m, 1h, 250ms) with exit status 124; 0 is no limit, here and for the "
		  "other limits" },
	{ .long_name = "on-reboot", .metavar = "ACTION", .arches = OPT_ALL, .section = RUN,
	  .parse = parse_on_reboot, .help = "when the guest reboots: exit (default) or restart" },
	{ .long_name = "on-panic", .metavar = "ACTION", .arches = OPT_ALL, .section = RUN,
	  .parse = parse_on_panic, .help = "when the guest panics: exit (default), report, which also shows the state of its CPUs, or reboot, which "
		  "starts it anew" },
	{ .long_name = "boot-timeout", .metavar = "TIME", .arches = OPT_ALL, .section = RUN,
	  .parse = option_parse_duration, .offset = CFG(boot_timeout_ms),
	  .help = "stop the guest, with exit status 122, if its command does not run after TIME" },
	{ .long_name = "silence-timeout", .metavar = "TIME", .arches = OPT_ALL, .section = RUN,
	  .parse = option_parse_duration, .offset = CFG(silence_timeout_ms),
	  .help = "stop the guest, with exit status 122, when neither its console nor its command has said anything for TIME" },
	{ .long_name = "fail-on", .metavar = "KINDS", .arches = OPT_ALL, .section = RUN, .parse = parse_fail_on,
	  .help = "complaints of the guest's kernel that make a success a failure, with exit status 120: warning, bug, kasan, "
		  "kcsan, ubsan, lockdep, rcu-stall, hung-task, lockup, parted by commas, or all" },
	{ .long_name = "allow", .metavar = "REGEX", .arches = OPT_ALL, .section = RUN, .parse = parse_allow,
	  .help = "complaints of the guest's kernel that are expected; may be given several times" },
	{ .long_name = "exit-code", .metavar = "OUTCOME=N", .arches = OPT_ALL, .section = RUN,
	  .parse = parse_exit_code, .help = "exit status for an outcome, such as panic=1: "
		  "poweroff, reboot, panic, vcpu-failed, hung, lost, timeout, start-failed, output-lost or splat" },
	{ .long_name = "on-unknown-exit", .metavar = "ACTION", .arches = OPT_ALL, .section = RUN,
	  .parse = parse_on_unknown_exit,
	  .help = "when KVM can't do what the guest did, but the guest can go on: report (default) or stop, "
		  "with exit status 121" },
	{ .long_name = "console-log", .metavar = "FILE", .arches = OPT_ALL, .section = RUN,
	  .parse = option_parse_string, .offset = CFG(console_log),
	  .help = "write the guest's console to FILE instead of standard output" },
	{ .long_name = "report", .metavar = "FILE", .arches = OPT_ALL, .section = RUN,
	  .parse = option_parse_string, .offset = CFG(report),
	  .help = "write what happened to FILE as JSON" },
	{ .long_name = "junit", .metavar = "FILE", .arches = OPT_ALL, .section = RUN,
	  .parse = option_parse_string, .offset = CFG(junit),
	  .help = "write the outcome to FILE as JUnit XML, as CI systems show it" },
	{ .long_name = "tap", .metavar = "FILE", .arches = OPT_ALL, .section = RUN,
	  .parse = option_parse_string, .offset = CFG(tap), .help = "write the outcome to FILE as TAP" },
	{ .long_name = "timeline", .metavar = "FILE", .arches = OPT_ALL, .section = RUN,
	  .parse = option_parse_string, .offset = CFG(timeline),
	  .help = "draw where the time of the run went to FILE, as SVG" },
	{ .long_name = "dev", .metavar = "FILE", .arches = OPT_ALL, .section = RUN,
	  .parse = option_parse_string, .offset = CFG(dev),
	  .help = "KVM device node, /dev/kvm unless given" },

	{ .long_name = "loglevel", .metavar = "LEVEL", .arches = OPT_ALL, .section = DEBUG,
	  .parse = parse_loglevel,
	  .help = "how much lkvm says: error, warning (default), info or debug" },
	{ .long_name = "debug", .arches = OPT_ALL, .section = DEBUG, .parse = parse_debug,
	  .help = "the same as --loglevel debug" },
	{ .long_name = "vmlinux", .metavar = "FILE", .arches = OPT_ALL, .section = DEBUG,
	  .parse = option_parse_string, .offset = CFG(vmlinux),
	  .help = "ELF file of the guest's kernel, for names of functions in reports; kallsyms in the guest's memory "
		  "are used unless given" },
	{ .long_name = "stop-on-spin", .arches = OPT_ALL, .negatable = true, .section = DEBUG,
	  .parse = option_parse_bool, .offset = CFG(stop_on_spin),
	  .help = "end the run, with exit status 122, when the guest's kernel is in an endless loop in which nothing "
		  "changes for some 8 seconds" },
	{ .long_name = "progress-watchdog", .arches = OPT_ALL, .negatable = true, .section = DEBUG,
	  .parse = parse_progress_watchdog,
	  .help = "look at CPUs of the guest that burn time and do nothing, and end the run, with exit status 121, when "
		  "one can't fetch its next instruction; on unless --no-progress-watchdog" },
	{ .long_name = "debug-mmio", .arches = OPT_ALL, .negatable = true, .section = DEBUG,
	  .parse = option_parse_bool, .offset = CFG(debug_mmio),
	  .help = "report accesses to guest-physical addresses where nothing is" },

	REFUSED("vsock", "CID", OPT_ALL, "virtio sockets are not built into this lkvm"),
	REFUSED("vfio-pci", "[DOMAIN:]BUS:DEV.FN", OPT_ALL,
		"device assignment is not built into this lkvm"),
	REFUSED("shmem", "...", OPT_ALL, "shared memory devices are not built into this lkvm"),
	REFUSED("no-dhcp", NULL, OPT_ALL, "network devices are not built into this lkvm"),
	REFUSED("tty", "N", OPT_ALL, "further serial ports are not built into this lkvm"),
	REFUSED("sandbox", "SCRIPT", OPT_ALL,
		"a script in a directory as the root is --root DIR -- SCRIPT in this lkvm"),
	REFUSED("debug-single-step", NULL, OPT_ALL, "single stepping is not built into this lkvm"),
	REFUSED("debug-ioport", NULL, OPT_ALL, "tracing of port I/O is not built into this lkvm"),
	REFUSED("debug-iodelay", "MS", OPT_ALL, "delayed port I/O is not built into this lkvm"),
	REFUSED("gdb", "PORT", OPT_ALL, "a debugger stub is not built into this lkvm"),
	REFUSED("gdb-wait", NULL, OPT_ALL, "a debugger stub is not built into this lkvm"),
	REFUSED("sdl", NULL, OPT_ALL, "lkvm has no graphics"),
	REFUSED("gtk", NULL, OPT_ALL, "lkvm has no graphics"),
	REFUSED("vnc", NULL, OPT_ALL, "lkvm has no graphics"),
	REFUSED("vidmode", "MODE", OPT_X86_64, "lkvm has no graphics"),
};

const size_t run_options_nr = ARRAY_SIZE(run_options);

/* ---- words that are no options ---------------------------------------------------------------- */

static int take_command(struct config *cfg, int argc, char **argv)
{
	if (!argc) {
		log_error("-- needs a command to run in the guest (see lkvm help run)");
		return -EINVAL;
	}
	cfg->command = calloc((size_t)argc + 1, sizeof(*cfg->command));
	if (!cfg->command)
		return out_of_memory();
	for (int i = 0; i < argc; i++) {
		cfg->command[i] = strdup(argv[i]);
		if (!cfg->command[i])
			return out_of_memory();
	}
	return 0;
}

int run_options_parse(struct config *cfg, unsigned int arch, int argc, char **argv)
{
	const struct option_set set = {
		.specs = run_options, .nr = run_options_nr, .command = "run", .arch = arch,
	};

	for (;;) {
		int i = options_parse(&set, argc, argv, cfg);

		if (i < 0)
			return i;
		if (i >= argc)
			return 0;
		if (!strcmp(argv[i], "--"))
			return take_command(cfg, argc - i - 1, argv + i + 1);
		if (!*argv[i]) {
			log_error("an empty word is no option and no file (see lkvm help run)");
			return -EINVAL;
		}
		/* kvmtool takes a word that is no option for the kernel, and goes on with options. */
		if (cfg->kernel || cfg->firmware) {
			log_error("unexpected word '%s': a command to run in the guest goes behind -- "
				  "(see lkvm help run)", argv[i]);
			return -EINVAL;
		}
		cfg->kernel = strdup(argv[i]);
		if (!cfg->kernel)
			return out_of_memory();
		argc -= i;
		argv += i;
	}
}
