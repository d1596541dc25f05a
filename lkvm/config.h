/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user asked for, as plain data: argv -> options.c -> struct config -> config_validate() ->
 * build. Devices read config, never argv. All strings and arrays are owned by the config.
 */
#ifndef LKVM_CONFIG_H
#define LKVM_CONFIG_H

#include "lkvm/outcome.h"
#include "lkvm/types.h"

#define CONFIG_MAX_DISKS   16
#define CONFIG_MAX_INITRDS 16
#define CONFIG_MAX_SHARES  8
#define CONFIG_MAX_CPUS    4096 /* beyond any KVM's limit; the host's own is asked for later */
#define CONFIG_PROGRESS_PERIOD_MS 1000
#define CONFIG_MIN_RAM     MIB(1)
#define CONFIG_RAM_ALIGN   KIB(64) /* the largest page of any host */

enum config_console {
	CONSOLE_SERIAL, /* the arch's UART */
	CONSOLE_VIRTIO, /* hvc0 on virtio-console */
	CONSOLE_HV,     /* hvc0 on a hypervisor call: SBI DBCN, sPAPR vty */
};

enum config_transport {
	TRANSPORT_AUTO, /* PCI where the machine has it, else MMIO */
	TRANSPORT_PCI,
	TRANSPORT_MMIO,
};

enum config_on_reboot {
	ON_REBOOT_EXIT,
	ON_REBOOT_RESTART,
};

/* What to do about an exit of KVM that nobody serves but that the guest can go on from. */
enum config_on_unknown_exit {
	ON_UNKNOWN_EXIT_REPORT, /* say it once per place, and go on */
	ON_UNKNOWN_EXIT_STOP,
};

enum config_on_panic {
	ON_PANIC_EXIT,
	ON_PANIC_REPORT, /* exit, and say what every vCPU was doing */
	ON_PANIC_REBOOT, /* start the guest anew */
};

enum config_tristate {
	CONFIG_AUTO, /* have it where the host can, quietly go without where not */
	CONFIG_OFF,
	CONFIG_ON,   /* have it or fail */
};

struct config_disk {
	char *path;
	bool  readonly;
	bool  direct;   /* O_DIRECT */
	char  serial[21]; /* virtio-blk id, NUL-terminated; "" = derived from the index */
};

/* --9p, --virtiofs: a directory of the host as a device. */
struct config_share {
	char *dir;
	char *tag;      /* the name that the guest knows it by */
	bool  readonly;
	bool  virtiofs; /* virtio-fs, served by virtiofsd; else virtio-9p */
};

/* How the directory of --root gets into the guest. */
enum config_root_type {
	ROOT_AUTO,
	ROOT_VIRTIOFS,
	ROOT_9P,
	ROOT_IMAGE, /* as a file system that is made of it */
};

/* Events that a guest's PMU may count, or may not. Numbers as the arch has them. */
struct config_pmu_events {
	uint16_t first;
	uint16_t last;
	bool     deny;
};

#define CONFIG_MAX_PMU_EVENTS 32

/* --add: a file or directory of the host for the guest. */
struct config_add {
	char *file;
	char *path; /* in the guest; NULL: the same as the host's */
};

/* A field of an ID register, as the guest is to read it. */
struct config_arm_feature {
	uint64_t id;       /* KVM's, of the register */
	uint64_t value;
	uint8_t  lsb, bits;
	char     name[40]; /* as the user wrote it */
};

#define CONFIG_MAX_ARM_FEATURES 32

/* A bit of CPUID, as an x86 guest is to see it. */
struct config_cpuid_bit {
	uint32_t leaf;
	uint8_t  reg; /* 0: eax, ebx, ecx, edx */
	uint8_t  bit;
	bool     on;
	char     name[32]; /* as the user wrote it */
};

/* Of a user's name; useradd(8) and others stop at 32. */
#define CONFIG_USER_CHARS 255
#define CONFIG_MAX_CPUID_BITS 64

/* What only arm64 guests have. */
struct config_arm {
	unsigned int nr_features;
	uint64_t     firmware_address; /* where flat firmware goes; 0: the start of RAM */
	uint64_t     kaslr_seed;       /* with has_kaslr_seed; 0: none is given to the guest */
	bool         has_kaslr_seed;   /* false: a random one */
	unsigned int timer_hz;         /* told to the guest in place of what CNTFRQ_EL0 says; 0: nothing */
	unsigned int pmu_counters;     /* event counters of each vCPU; 0: as many as the host has */
	unsigned int sve_max_bits;     /* longest vector; 0: as long as the host has */
	bool         disable_sve;
	bool         disable_mte;
	bool         aarch32;          /* the guest starts in 32-bit state */
	bool         nested;           /* the guest starts at EL2 and can run guests of its own */
	bool         e2h0;             /* ... with HCR_EL2.E2H always 0 */
	enum config_tristate pvtime;   /* stolen time */
	struct config_arm_feature features[CONFIG_MAX_ARM_FEATURES]; /* the last: see struct config */
};

#define CONFIG_RISCV_ISA_IDS     256
#define CONFIG_RISCV_SBI_IDS     64
#define CONFIG_RISCV_CONFIG_REGS 16

/* What only riscv64 guests have. Arrays of extensions are by KVM's numbers (riscv/isa.h). */
struct config_riscv {
	uint8_t  isa[CONFIG_RISCV_ISA_IDS]; /* enum config_tristate; auto: as KVM makes vCPUs */
	uint8_t  sbi[CONFIG_RISCV_SBI_IDS]; /* ... except that of the PMU, which config.pmu decides */
	uint64_t config[CONFIG_RISCV_CONFIG_REGS]; /* mvendorid ...: riscv_config_slot() */
	uint32_t config_set;                /* which of these were given, a bit for each */
};

struct config {
	/* What to boot. */
	char        *kernel;    /* NULL with firmware */
	char        *firmware;  /* flat image at the arch's reset address */
	char        *flash;     /* file of a NOR flash, NULL: none */
	char        *initrds[CONFIG_MAX_INITRDS];
	unsigned int nr_initrds;
	char        *params;    /* appended to the default command line; NULL: none */
	bool         nodefaults; /* no default command line, no devices that were not asked for */

	/* The machine. */
	unsigned int nr_cpus;
	uint64_t     ram_bytes;
	char        *hugetlbfs; /* mount point, NULL: ordinary memory */
	enum config_console   console;
	enum config_transport virtio_transport;
	bool         transport_legacy; /* ... of its -legacy kind */
	bool         virtio_legacy;    /* --virtio-legacy: that kind of whatever transport it is */
	char        *irqchip;   /* arch's own word ("gicv3", "aia", "plic"), NULL: the best there is */
	enum config_tristate  pmu;
	char         pmu_device[64];  /* arm64: which of the host's PMUs, by its name in sysfs; "": the CPUs' own */
	struct config_pmu_events pmu_events[CONFIG_MAX_PMU_EVENTS]; /* the first decides what holds for others */
	unsigned int nr_pmu_events;
	struct config_disk    disks[CONFIG_MAX_DISKS];
	unsigned int          nr_disks;
	struct config_share   shares[CONFIG_MAX_SHARES];
	unsigned int          nr_shares;
	bool         rng;
	bool         balloon;
	char        *vcpu_affinity; /* list of host CPUs for all vCPUs (cpulist.h); NULL: none */
	struct config_riscv   riscv;
	uint32_t              ppc_compat_pvr; /* the CPU generation to be held to (powerpc/options.h); 0: none */
	unsigned int          nr_cpuid;

	/* The run. */
	char        *name;        /* NULL: guest-PID */
	bool         control;     /* register the guest and listen on a control socket */
	bool         pdeathsig;   /* end with the process that started lkvm */
	char        *dev;         /* KVM device node */
	uint64_t     timeout_ms;  /* 0: none */
	uint64_t     timeout_spent_ms; /* of that, by earlier lives of the guest */
	enum config_on_reboot on_reboot;
	enum config_on_unknown_exit on_unknown_exit;
	enum config_on_panic on_panic;
	uint64_t     boot_timeout_ms;    /* until the command runs; 0: none */
	uint64_t     silence_timeout_ms; /* without output of the guest; 0: none */
	int          exit_codes[OUTCOME_KINDS]; /* plus 1; 0: the usual one */
	unsigned int fail_on;     /* 1 << SPLAT_...: complaints of the guest's kernel that fail the run */
	char       **allow;       /* extended regular expressions of complaints that are expected */
	unsigned int nr_allow;
	char        *console_log; /* file for the guest console, NULL: stdout */
	bool         console_log_append; /* do not empty that file: it has an earlier life of the guest */
	char        *report;      /* files for machines: JSON, JUnit, TAP; NULL: none */
	char        *junit;
	char        *tap;
	char        *timeline;    /* file for a picture, NULL: none */
	char        *dump_dtb;    /* file, NULL: no */
	int          loglevel;    /* enum log_level */
	char        *vmlinux;     /* ELF file with the kernel's symbols, NULL: kallsyms will have to do */
	uint64_t     progress_period_ms; /* between looks of the no-progress watchdog; 0: it is off */
	bool         stop_on_spin; /* an endless loop in the guest's kernel ends the run */
	bool         debug_mmio;  /* report accesses that no device claims */

	/* `-- CMD ARGS`: NULL-terminated, NULL if none. */
	char       **command;
	char        *workdir;     /* absolute, in the guest */
	char        *modules;     /* where kernel modules are; "auto"; NULL: none */
	char       **env;         /* "NAME=VALUE", NULL-terminated; NULL: none */
	unsigned int nr_env;
	struct config_add *adds;
	unsigned int nr_adds;
	char        *root;        /* a directory that is the guest's root; NULL: it is in memory */
	enum config_root_type root_type;
	bool         root_rw;     /* what the guest writes goes there */
	char        *user;        /* by name; NULL: uid and gid count */
	uint32_t     uid, gid;

	/* Large, rarely used and valid as far as a count says: nobody zeroes them, from arm.features on. */
	struct config_arm     arm;
	struct config_cpuid_bit cpuid[CONFIG_MAX_CPUID_BITS]; /* x86 */
};

/* Defaults: 1 CPU, 256 MiB, serial console, "/dev/kvm". */
void config_init(struct config *cfg);
/* Frees everything that the config owns. */
void config_free(struct config *cfg);

/* Whether virtio devices have the interface that was before virtio 1.0. */
static inline bool config_legacy_virtio(const struct config *cfg)
{
	return cfg->transport_legacy || cfg->virtio_legacy;
}

/* Of --timeout what earlier lives of the guest have left, at least 1 ms; 0 without --timeout. */
uint64_t config_timeout_left_ms(const struct config *cfg);

/*
 * Checks what can be checked without a host: a kernel or firmware is named, counts and sizes are sane,
 * options do not contradict each other. Returns 0 or -EINVAL, reported in one line. Pure.
 */
int config_validate(const struct config *cfg) LKVM_MUST_CHECK;

#endif
