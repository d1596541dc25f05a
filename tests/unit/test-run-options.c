// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/run-options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/log.h"
#include "tests/unit/test.h"

#define MAX_WORDS 40

/* Parses "run" and the words of @line (parted by spaces; "''" is an empty word, '_' is a space in a word). */
static int parse_on(unsigned int arch, struct config *cfg, const char *line)
{
	char copy[1024];
	char *argv[MAX_WORDS + 2] = { copy };
	char *save = NULL;
	int argc = 1;

	snprintf(copy, sizeof(copy), "run %s", line);
	strtok_r(copy, " ", &save);
	while (argc < MAX_WORDS) {
		char *w = strtok_r(NULL, " ", &save);

		if (!w)
			break;
		argv[argc++] = strcmp(w, "''") ? w : strchr(w, '\0');
		for (; *w; w++)
			if (*w == '_')
				*w = ' ';
	}
	config_init(cfg);
	return run_options_parse(cfg, arch, argc, argv);
}

/* @line is fine on @arch: leaves the config to the caller. */
static void good_on(unsigned int arch, struct config *cfg, const char *line)
{
	test_stderr_begin();
	CHECK_EQ(parse_on(arch, cfg, line), 0);
	CHECK_STR(test_stderr_end(), "");
}

static void good(struct config *cfg, const char *line)
{
	good_on(OPT_RISCV64, cfg, line);
}

/*
 * @line is an error on @arch: "lkvm: @message (see lkvm help run)". A hint in @message has opened the
 * bracket.
 */
static void bad_on(unsigned int arch, const char *line, const char *message)
{
	struct config cfg;
	char full[1024];
	int ret;

	snprintf(full, sizeof(full), "lkvm: %s%ssee lkvm help run)\n", message,
		 strchr(";?", message[strlen(message) - 1]) ? " " : " (");
	test_stderr_begin();
	ret = parse_on(arch, &cfg, line);
	CHECK_STR(test_stderr_end(), full);
	CHECK_EQ(ret, -EINVAL);
	config_free(&cfg);
}

static void bad(const char *line, const char *message)
{
	bad_on(OPT_RISCV64, line, message);
}

/* The line that scripts written for kvmtool use. */
static void test_kvmtool_script(void)
{
	struct config cfg;

	good(&cfg, "--nodefaults --network mode=none --loglevel=warning --kernel Image --params "
		   "console=ttyS0_quiet --initrd initrd.gz --cpus 4");
	CHECK(cfg.nodefaults);
	CHECK_EQ(cfg.loglevel, LOG_WARNING);
	CHECK_STR(cfg.kernel, "Image");
	CHECK_STR(cfg.params, "console=ttyS0 quiet");
	CHECK_EQ(cfg.nr_initrds, 1);
	CHECK_STR(cfg.initrds[0], "initrd.gz");
	CHECK_EQ(cfg.nr_cpus, 4);
	CHECK_EQ(config_validate(&cfg), 0);
	config_free(&cfg);

	good(&cfg, "-k Image -i a -p quiet -c 2 -m 512 -d disk.img -n none --console virtio --rng --balloon --timeline t.svg --name vm1 "
		   "--debug --debug-mmio --virtio-transport mmio --hugetlbfs /huge --dev /dev/kvm2 "
		   "--dump-dtb x.dtb --irqchip plic --pmu");
	CHECK_EQ(cfg.ram_bytes, MIB(512));
	CHECK_EQ(cfg.nr_disks, 1);
	CHECK_STR(cfg.disks[0].path, "disk.img");
	CHECK_EQ(cfg.console, CONSOLE_VIRTIO);
	CHECK(cfg.rng);
	CHECK(cfg.balloon);
	CHECK_STR(cfg.timeline, "t.svg");
	CHECK_STR(cfg.name, "vm1");
	CHECK_EQ(cfg.loglevel, LOG_DEBUG);
	CHECK(cfg.debug_mmio);
	CHECK_EQ(cfg.virtio_transport, TRANSPORT_MMIO);
	CHECK_STR(cfg.hugetlbfs, "/huge");
	CHECK_STR(cfg.dev, "/dev/kvm2");
	CHECK_STR(cfg.dump_dtb, "x.dtb");
	CHECK_STR(cfg.irqchip, "plic");
	CHECK_EQ(cfg.pmu, CONFIG_ON);
	config_free(&cfg);
}

static void test_kernel_as_word(void)
{
	struct config cfg;

	good(&cfg, "bzImage -c 2");
	CHECK_STR(cfg.kernel, "bzImage");
	CHECK_EQ(cfg.nr_cpus, 2);
	config_free(&cfg);
	good(&cfg, "-c 2 bzImage -m 1G");
	CHECK_STR(cfg.kernel, "bzImage");
	CHECK_EQ(cfg.ram_bytes, GIB(1));
	config_free(&cfg);
	bad("-k Image ls -l", "unexpected word 'ls': a command to run in the guest goes behind --");
	bad("-f fw.bin ls", "unexpected word 'ls': a command to run in the guest goes behind --");
	bad("a b", "unexpected word 'b': a command to run in the guest goes behind --");
	bad("''", "an empty word is no option and no file");
}

static void test_aliases(void)
{
	struct config cfg;

	good(&cfg, "--kernel K --cmdline a --append b --memory 2G --initramfs i --firmware f");
	CHECK_STR(cfg.params, "a b");
	CHECK_EQ(cfg.ram_bytes, GIB(2));
	CHECK_STR(cfg.initrds[0], "i");
	CHECK_STR(cfg.firmware, "f");
	config_free(&cfg);
}

static void test_params(void)
{
	struct config cfg;

	good(&cfg, "-p a=1 -p '' -p b=\"c,_d\" --params=root=/dev/vda");
	CHECK_STR(cfg.params, "a=1 b=\"c, d\" root=/dev/vda");
	config_free(&cfg);
	good(&cfg, "-p ''");
	CHECK(!cfg.params);
	config_free(&cfg);
	/* A parameter may look like an option. */
	good(&cfg, "-p -s");
	CHECK_STR(cfg.params, "-s");
	config_free(&cfg);
}

static void test_initrds(void)
{
	struct config cfg;
	char line[256] = "";

	good(&cfg, "-i a -i b --initrd=c");
	CHECK_EQ(cfg.nr_initrds, 3);
	CHECK_STR(cfg.initrds[2], "c");
	config_free(&cfg);
	for (int i = 0; i < CONFIG_MAX_INITRDS + 1; i++)
		strcat(line, "-ix ");
	bad(line, "-i: more than 16 initrds (concatenate some of them;");
	bad("-i ''", "-i: value missing, expected FILE");
}

static void test_cpus(void)
{
	struct config cfg;

	good(&cfg, "-c 1 -c 0x10");
	CHECK_EQ(cfg.nr_cpus, 16);
	config_free(&cfg);
	bad("-c 0", "-c: bad value '0', expected a number of CPUs, 1 to 4096");
	bad("--cpus=-1", "--cpus: bad value '-1', expected a number of CPUs, 1 to 4096");
	bad("-c 4294967297", "-c: bad value '4294967297', expected a number of CPUs, 1 to 4096");
	bad("-c two", "-c: bad value 'two', expected a number of CPUs, 1 to 4096");
	bad("-c ''", "-c: value missing, expected a number of CPUs, 1 to 4096");
}

static void test_mem(void)
{
	bad("-m 12Q", "-m: bad value '12Q', expected a size such as 512M or 2G, or a number of MiB");
	bad("-m ''", "-m: value missing, expected a size such as 512M or 2G, or a number of MiB");
	bad("-m 18446744073709551615",
	    "-m: bad value '18446744073709551615', expected less than 16 million terabytes");
	bad("-m 512M@1G",
	    "-m: '512M@1G': the address of RAM can't be chosen in lkvm: give the size alone");
}

/* As kvmtool takes them, and ",ro" besides. */
static void test_shares(void)
{
	struct config cfg;

	good(&cfg, "--9p /tmp --9p a/b,tag --9p c,second,tag,ro --9p d,ro,ro");
	CHECK_EQ(cfg.nr_shares, 4);
	CHECK_STR(cfg.shares[0].dir, "/tmp");
	CHECK_STR(cfg.shares[0].tag, "kvm_9p");
	CHECK(!cfg.shares[0].readonly && !cfg.shares[1].readonly);
	CHECK(cfg.shares[2].readonly && cfg.shares[3].readonly);
	CHECK_STR(cfg.shares[1].dir, "a/b");
	CHECK_STR(cfg.shares[1].tag, "tag");
	CHECK_STR(cfg.shares[2].tag, "second,tag");
	CHECK_STR(cfg.shares[3].dir, "d");
	CHECK_STR(cfg.shares[3].tag, "ro");
	config_free(&cfg);
	good(&cfg, "--9p /tmp,ro");
	CHECK_STR(cfg.shares[0].tag, "kvm_9p");
	CHECK(cfg.shares[0].readonly);
	config_free(&cfg);
	good(&cfg, "--virtiofs a --virtiofs b/c,tag,ro --9p d");
	CHECK_EQ(cfg.nr_shares, 3);
	CHECK_STR(cfg.shares[0].tag, "virtiofs");
	CHECK(cfg.shares[0].virtiofs && !cfg.shares[0].readonly);
	CHECK_STR(cfg.shares[1].dir, "b/c");
	CHECK(cfg.shares[1].virtiofs && cfg.shares[1].readonly && !cfg.shares[2].virtiofs);
	config_free(&cfg);
	bad("--virtiofs /tmp,a-name-of-more-than-thirty-six-letters",
	    "--virtiofs: '/tmp,a-name-of-more-than-thirty-six-letters': no guest can be told a TAG of more "
	    "than 36 characters");
	bad("--9p /tmp,tag --virtiofs /usr,tag", "--virtiofs: '/usr,tag': the guest would have two directories "
						 "called 'tag': give another TAG");
	bad("--9p ,tag", "--9p: bad value ',tag', expected DIR or DIR,TAG");
	bad("--9p /tmp,", "--9p: bad value '/tmp,', expected DIR or DIR,TAG");
	bad("--9p /tmp,lkvm.root", "--9p: bad value '/tmp,lkvm.root', expected another TAG, as lkvm.root is that of --root");
	bad("--9p /tmp --9p /usr", "--9p: '/usr': the guest would have two directories called 'kvm_9p': "
					 "give another TAG");
	bad("--9p /1,1 --9p /2,2 --9p /3,3 --9p /4,4 --9p /5,5 --9p /6,6 --9p /7,7 --9p /8,8 --9p /9,9",
	    "--9p: more than 8 directories");
}

static void test_root(void)
{
	struct config cfg;

	good(&cfg, "--root /srv/debian --root-rw");
	CHECK_STR(cfg.root, "/srv/debian");
	CHECK_EQ(cfg.root_type, ROOT_AUTO);
	CHECK(cfg.root_rw);
	config_free(&cfg);
	good(&cfg, "--root a,type=virtiofs");
	CHECK_EQ(cfg.root_type, ROOT_VIRTIOFS);
	config_free(&cfg);
	good(&cfg, "--root a,type=image --root path=b,type=9p");
	CHECK_STR(cfg.root, "b");
	CHECK_EQ(cfg.root_type, ROOT_9P);
	CHECK(!cfg.root_rw);
	config_free(&cfg);
	bad("--root path=", "--root: key 'path': no directory given");
	bad("--root type=9p", "--root: 'type=9p' names no directory: DIR[,type=virtiofs|9p|image]");
	bad("--root /,type=squashfs", "--root: unknown type 'squashfs' (all: auto, virtiofs, 9p, image;");
	bad("--root /,rw", "--root: unknown key 'rw' (all: path, type;");
}

static void test_disks(void)
{
	struct config cfg;
	char line[256] = "";

	good(&cfg, "-d a.img,ro -d b.img,direct,serial=12345678901234567890 --disk path=/x=y,ro=off "
		   "--disk c,,d");
	CHECK_EQ(cfg.nr_disks, 4);
	CHECK_STR(cfg.disks[0].path, "a.img");
	CHECK(cfg.disks[0].readonly && !cfg.disks[0].direct);
	CHECK_STR(cfg.disks[0].serial, "");
	CHECK(!cfg.disks[1].readonly && cfg.disks[1].direct);
	CHECK_STR(cfg.disks[1].serial, "12345678901234567890");
	CHECK_STR(cfg.disks[2].path, "/x=y");
	CHECK(!cfg.disks[2].readonly);
	CHECK_STR(cfg.disks[3].path, "c,d");
	config_free(&cfg);

	bad("-d ro", "-d: 'ro' names no file: FILE[,ro][,direct][,serial=ID]");
	bad("-d path=", "-d: key 'path': no file given");
	bad("-d a,or", "-d: unknown key 'or' (did you mean ro? all: path, ro, direct, serial;");
	bad("-d a,format=qcow2", "-d: unknown key 'format' (all: path, ro, direct, serial;");
	bad("-d a,ro=perhaps", "-d: key 'ro': bad value 'perhaps', expected on or off");
	bad("-d a,serial=", "-d: key 'serial': '' is not 1 to 20 characters long");
	bad("-d a,serial=123456789012345678901",
	    "-d: key 'serial': '123456789012345678901' is not 1 to 20 characters long");
	bad("-d scsi:naa.1:1", "-d: scsi:naa.1:1: vhost-scsi disks are not built into this lkvm");
	for (int i = 0; i < CONFIG_MAX_DISKS + 1; i++)
		strcat(line, "-dx ");
	bad(line, "-d: more than 16 disks");
}

static void test_network(void)
{
	struct config cfg;

	good(&cfg, "-n none --network mode=none");
	config_free(&cfg);
	bad("-n user", "-n: mode=user: network devices are not built into this lkvm, mode=none works");
	bad("--network mode=tap,tapif=tap0",
	    "--network: mode=tap: network devices are not built into this lkvm, mode=none works");
	bad("-n trans=mmio", "-n: key 'trans': network devices are not built into this lkvm, mode=none works");
	bad("-n mode=nnoe", "-n: unknown mode 'nnoe' (did you mean none? all: none, user, tap;");
	bad("-n", "-n needs a value: mode=none");
}

static void test_words(void)
{
	struct config cfg;

	good(&cfg, "--console hv --loglevel info --virtio-transport pci --on-reboot exit --pmu=auto");
	CHECK_EQ(cfg.console, CONSOLE_HV);
	CHECK_EQ(cfg.loglevel, LOG_INFO);
	CHECK_EQ(cfg.virtio_transport, TRANSPORT_PCI);
	CHECK_EQ(cfg.pmu, CONFIG_AUTO);
	config_free(&cfg);
	good(&cfg, "--no-pmu --no-rng --no-debug-mmio");
	CHECK_EQ(cfg.pmu, CONFIG_OFF);
	config_free(&cfg);
	bad("--console seral",
	    "--console: unknown value 'seral' (did you mean serial? all: serial, virtio, hv;");
	bad("--loglevel 3", "--loglevel: unknown value '3' (all: error, warning, info, debug;");
	bad("--on-reboot again", "--on-reboot: unknown value 'again' (all: exit, restart;");
	good(&cfg, "--on-unknown-exit stop");
	CHECK_EQ(cfg.on_unknown_exit, ON_UNKNOWN_EXIT_STOP);
	config_free(&cfg);
	good(&cfg, "--on-unknown-exit report");
	CHECK_EQ(cfg.on_unknown_exit, ON_UNKNOWN_EXIT_REPORT);
	config_free(&cfg);
	bad("--on-unknown-exit die", "--on-unknown-exit: unknown value 'die' (all: report, stop;");
	bad("--pmu=maybe", "--pmu: unknown value 'maybe' (all: auto, off, on;");
}

static void test_legacy_virtio(void)
{
	static const struct {
		const char *args;
		enum config_transport transport;
		bool legacy;
	} all[] = {
		{ "--virtio-transport mmio-legacy", TRANSPORT_MMIO, true },
		{ "--virtio-transport pci-legacy", TRANSPORT_PCI, true },
		{ "--virtio-transport pci-legacy --virtio-transport mmio", TRANSPORT_MMIO, false },
		{ "--virtio-legacy", TRANSPORT_AUTO, true },
		{ "--virtio-legacy --virtio-transport mmio", TRANSPORT_MMIO, true },
		{ "--virtio-transport pci --virtio-legacy", TRANSPORT_PCI, true },
		{ "--virtio-legacy --no-virtio-legacy", TRANSPORT_AUTO, false },
		{ "--virtio-transport auto", TRANSPORT_AUTO, false },
	};
	struct config cfg;

	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		good(&cfg, all[i].args);
		CHECK_EQ(cfg.virtio_transport, all[i].transport);
		CHECK_EQ(config_legacy_virtio(&cfg), all[i].legacy);
		config_free(&cfg);
	}
	bad("--virtio-transport legacy", "--virtio-transport: unknown value 'legacy' (all: auto, pci, mmio, pci-legacy, "
					 "mmio-legacy;");
}

static void test_timeout(void)
{
	struct config cfg;

	good(&cfg, "--timeout 1h --console-log /tmp/x");
	CHECK_EQ(cfg.timeout_ms, 3600000);
	CHECK_STR(cfg.console_log, "/tmp/x");
	config_free(&cfg);
}

static void test_pmu(void)
{
	struct config cfg;

	good_on(OPT_ARM64, &cfg, "--pmu=auto,counters=4,device=armv8-pmuv3,deny=0x11+0x20-0x2f,allow=0x24");
	CHECK_EQ(cfg.pmu, CONFIG_AUTO);
	CHECK_EQ(cfg.arm.pmu_counters, 4);
	CHECK_STR(cfg.pmu_device, "armv8-pmuv3");
	CHECK_EQ(cfg.nr_pmu_events, 3);
	CHECK_EQ(cfg.pmu_events[0].first, 0x11);
	CHECK_EQ(cfg.pmu_events[0].last, 0x11);
	CHECK(cfg.pmu_events[0].deny);
	CHECK_EQ(cfg.pmu_events[1].last, 0x2f);
	CHECK_EQ(cfg.pmu_events[2].first, 0x24);
	CHECK(!cfg.pmu_events[2].deny);
	config_free(&cfg);

	/* Choices mean that it is wanted. */
	good_on(OPT_X86_64, &cfg, "--pmu=allow=0xc0");
	CHECK_EQ(cfg.pmu, CONFIG_ON);
	config_free(&cfg);
	good_on(OPT_X86_64, &cfg, "--pmu=off");
	CHECK_EQ(cfg.pmu, CONFIG_OFF);
	config_free(&cfg);
}

static void test_arch_options(void)
{
	struct config cfg;

	good_on(OPT_ARM64, &cfg, "--irqchip gicv3-its --force-pci --dump-dtb x");
	CHECK_STR(cfg.irqchip, "gicv3-its");
	CHECK_EQ(cfg.virtio_transport, TRANSPORT_PCI);
	config_free(&cfg);
	good_on(OPT_RISCV64, &cfg, "--irqchip aia --irqchip auto");
	CHECK(!cfg.irqchip);
	config_free(&cfg);
	bad_on(OPT_ARM64, "--irqchip plic", "--irqchip: unknown value 'plic' (all: auto, gicv2, gicv2m, gicv3, "
					    "gicv3-its;");
	good_on(OPT_X86_64, &cfg, "--irqchip split");
	CHECK_STR(cfg.irqchip, "split");
	config_free(&cfg);
	bad_on(OPT_X86_64, "--irqchip gicv3", "--irqchip: unknown value 'gicv3' (all: auto, kernel, split;");
	good_on(OPT_PPC64, &cfg, "--irqchip xive");
	CHECK_STR(cfg.irqchip, "xive");
	config_free(&cfg);
	bad_on(OPT_PPC64, "--irqchip plic", "--irqchip: unknown value 'plic' (all: auto, xics, xive;");
	bad_on(OPT_PPC, "--irqchip xics",
	       "--irqchip exists on riscv64, arm64, ppc64le, x86_64 only; this lkvm is for ppc guests");
	bad_on(OPT_X86_64, "--console hv", "--console: hv exists on riscv64 and ppc64le only");
	bad_on(OPT_ARM64, "--console=hv", "--console: hv exists on riscv64 and ppc64le only");
	bad_on(OPT_X86_64, "--dump-dtb x",
	       "--dump-dtb exists on riscv64, arm64, ppc64le, ppc only; this lkvm is for x86_64 guests");
	bad_on(OPT_RISCV64, "--vidmode=3", "--vidmode exists on x86_64 only; this lkvm is for riscv64 guests");
	bad_on(OPT_X86_64, "--vidmode=3", "--vidmode: lkvm has no graphics");
	bad_on(OPT_PPC64, "--disable-zbb",
	       "--disable-zbb exists on riscv64 only; this lkvm is for ppc64le guests");
	bad_on(OPT_RISCV64, "--disable-mte",
	       "--disable-mte exists on arm64 only; this lkvm is for riscv64 guests");
}

static void test_arm(void)
{
	struct config cfg;

	good_on(OPT_ARM64, &cfg, "--disable-sve --disable-mte --no-pvtime --nested --e2h0 --pmu-counters 3 "
				 "--kaslr-seed 0x1122334455667788 --firmware-address 0x41000000 "
				 "--override-bad-firmware-cntfrq 1000000");
	CHECK(cfg.arm.disable_sve && cfg.arm.disable_mte && cfg.arm.nested && cfg.arm.e2h0);
	CHECK_EQ(cfg.arm.pvtime, CONFIG_OFF);
	CHECK_EQ(cfg.arm.pmu_counters, 3);
	CHECK_EQ(cfg.arm.kaslr_seed, 0x1122334455667788);
	CHECK(cfg.arm.has_kaslr_seed);
	CHECK_EQ(cfg.arm.firmware_address, 0x41000000);
	CHECK_EQ(cfg.arm.timer_hz, 1000000);
	config_free(&cfg);
	good_on(OPT_ARM64, &cfg, "--sve-max-vl 256 --pvtime");
	CHECK_EQ(cfg.arm.sve_max_bits, 256);
	CHECK_EQ(cfg.arm.pvtime, CONFIG_ON);
	config_free(&cfg);
	bad_on(OPT_ARM64, "--sve-max-vl 100",
	       "--sve-max-vl: bad value '100', expected a number of bits, 128 to 2048 in steps of 128");
	bad_on(OPT_ARM64, "--sve-max-vl 4096",
	       "--sve-max-vl: bad value '4096', expected a number of bits, 128 to 2048 in steps of 128");
	bad_on(OPT_ARM64, "--sve-max-vl 0",
	       "--sve-max-vl: bad value '0', expected a number of bits, 128 to 2048 in steps of 128");
	bad_on(OPT_ARM64, "--kaslr-seed x", "--kaslr-seed: bad value 'x', expected a 64-bit number");
	bad_on(OPT_ARM64, "--firmware-address 0",
	       "--firmware-address: bad value '0', expected an address in RAM");
	bad_on(OPT_RISCV64, "--pmu=counters=2", "--pmu: key 'counters' exists on arm64 only");
	bad_on(OPT_X86_64, "--pmu=on,device=armv8_pmuv3_0", "--pmu: key 'device' exists on arm64 only");
	bad_on(OPT_PPC64, "--pmu=deny=1", "--pmu: key 'deny' exists on arm64 and x86_64 only");
	bad_on(OPT_ARM64, "--pmu=counters=32", "--pmu: key 'counters': bad value '32', expected 1 to 31");
	bad_on(OPT_ARM64, "--pmu=device=../x",
	       "--pmu: key 'device': '../x' is no name in /sys/bus/event_source/devices");
	bad_on(OPT_ARM64, "--pmu=deny=5-4", "--pmu: key 'deny': bad value '5-4', expected events such as 0x11+0x20-0x2f");
	bad_on(OPT_ARM64, "--pmu=deny=0x10000",
	       "--pmu: key 'deny': bad value '0x10000', expected events such as 0x11+0x20-0x2f");
	bad_on(OPT_ARM64, "--pmu-counters 4294967296",
	       "--pmu-counters: bad value '4294967296', expected a number, 1 or more");
	good_on(OPT_ARM64, &cfg, "--aarch32");
	CHECK(cfg.arm.aarch32);
	config_free(&cfg);
}

static void test_affinity(void)
{
	struct config cfg;

	good_on(OPT_RISCV64, &cfg, "--vcpu-affinity 0-3,8");
	CHECK_STR(cfg.vcpu_affinity, "0-3,8");
	config_free(&cfg);
	bad("--vcpu-affinity 3-0", "--vcpu-affinity: bad value '3-0', expected a list of host CPUs such as "
				   "0-3,8");
}

/* Known names whose feature is missing are errors that say so, with and without a value. */
static void test_refused(void)
{
	bad("--vsock 3", "--vsock: virtio sockets are not built into this lkvm");
	bad("--sdl", "--sdl: lkvm has no graphics");
	bad("--vnc", "--vnc: lkvm has no graphics");
	bad("--gtk", "--gtk: lkvm has no graphics");
	bad("--tty 1", "--tty: further serial ports are not built into this lkvm");
}

/* Every option of the table, on every arch: accepted, or an error in one line that names it. */
static void test_every_option(void)
{
	for (size_t i = 0; i < run_options_nr; i++) {
		const struct option_spec *spec = &run_options[i];

		for (unsigned int arch = 1; arch <= OPT_X86_64; arch <<= 1) {
			char line[128];
			struct config cfg;
			const char *text;
			int ret;

			snprintf(line, sizeof(line), "--%s%s", spec->long_name,
				 spec->prefix ? "x" : spec->metavar ? "=1" : "");
			test_stderr_begin();
			ret = parse_on(arch, &cfg, line);
			text = test_stderr_end();
			config_free(&cfg);
			if (!ret) {
				CHECK_STR(text, "");
				CHECK(spec->arches & arch);
				CHECK(!spec->refused);
				continue;
			}
			CHECK_EQ(ret, -EINVAL);
			snprintf(line, sizeof(line), "lkvm: --%s", spec->long_name);
			CHECK(!strncmp(text, line, strlen(line)));
			CHECK(strstr(text, "see lkvm help run)\n"));
			CHECK_EQ(strchr(text, '\n') - text + 1, (ptrdiff_t)strlen(text));
		}
	}
}

/* The table itself: no name twice for one arch, texts as they should be. */
static void test_table(void)
{
	for (size_t i = 0; i < run_options_nr; i++) {
		const struct option_spec *a = &run_options[i];

		CHECK(a->long_name && a->section && a->arches);
		CHECK(!a->help != !a->refused);
		CHECK(!a->parse == !!a->refused);
		CHECK(!a->help || (a->help[0] && a->help[strlen(a->help) - 1] != '.'));
		for (size_t j = i + 1; j < run_options_nr; j++) {
			const struct option_spec *b = &run_options[j];

			if (!(a->arches & b->arches))
				continue;
			CHECK(strcmp(a->long_name, b->long_name));
			CHECK(!a->short_name || a->short_name != b->short_name);
		}
	}
}

static void test_command(void)
{
	struct config cfg;

	good(&cfg, "-k K -- ls -l --kernel");
	CHECK_STR(cfg.kernel, "K");
	CHECK(cfg.command);
	CHECK_STR(cfg.command[0], "ls");
	CHECK_STR(cfg.command[1], "-l");
	CHECK_STR(cfg.command[2], "--kernel");
	CHECK(!cfg.command[3]);
	config_free(&cfg);
	good(&cfg, "K -- --");
	CHECK_STR(cfg.command[0], "--");
	config_free(&cfg);
	bad("-k K --", "-- needs a command to run in the guest");
}

static void test_help(void)
{
	struct config cfg;

	test_stderr_begin();
	CHECK_EQ(parse_on(OPT_RISCV64, &cfg, "-k K --help"), -ECANCELED);
	config_free(&cfg);
	CHECK_EQ(parse_on(OPT_RISCV64, &cfg, "K -h"), -ECANCELED);
	config_free(&cfg);
	CHECK_STR(test_stderr_end(), "");
}

static void test_hints(void)
{
	bad("--kernle K", "unknown option --kernle (did you mean --kernel?");
	bad("--cpu 2", "unknown option --cpu (did you mean --cpus?");
	bad("-kernel K", "-kernel: long options begin with two dashes: --kernel");
	bad("--kernel", "--kernel needs a value: FILE");
	bad("--kernel=", "--kernel: value missing, expected FILE");
}

static void test_user(void)
{
	struct config cfg;

	good_on(OPT_ARM64, &cfg, "K --user 7 -- c");
	CHECK(!cfg.user);
	CHECK_EQ(cfg.uid, 7);
	CHECK_EQ(cfg.gid, 7);
	config_free(&cfg);
	good_on(OPT_ARM64, &cfg, "K --user www-data --user 7:0 -- c");
	CHECK(!cfg.user);
	CHECK_EQ(cfg.uid, 7);
	CHECK_EQ(cfg.gid, 0);
	config_free(&cfg);
	good_on(OPT_ARM64, &cfg, "K --user 7 --user www-data -- c");
	CHECK_STR(cfg.user, "www-data");
	CHECK_EQ(cfg.uid, 0);
	CHECK_EQ(cfg.gid, 0);
	config_free(&cfg);
	bad("K --user 7x -- c", "--user: bad value '7x', expected a user's name, UID or UID:GID");
	bad("K --user 7: -- c", "--user: bad value '7:', expected a user's name, UID or UID:GID");
	bad("K --user :7 -- c", "--user: bad value ':7', expected a user's name, UID or UID:GID");
	bad("K --user me:7 -- c", "--user: bad value 'me:7', expected a user's name, UID or UID:GID");
	bad("K --user 4294967295 -- c", "--user: bad value '4294967295', expected a user's name, UID or UID:GID");
}

const struct test run_options_tests[] = {
	{ "kvmtool-script", test_kvmtool_script },
	{ "kernel-as-word", test_kernel_as_word },
	{ "aliases", test_aliases },
	{ "params", test_params },
	{ "initrds", test_initrds },
	{ "cpus", test_cpus },
	{ "mem", test_mem },
	{ "disks", test_disks },
	{ "shares", test_shares },
	{ "root", test_root },
	{ "network", test_network },
	{ "words", test_words },
	{ "legacy virtio", test_legacy_virtio },
	{ "timeout", test_timeout },
	{ "arch-options", test_arch_options },
	{ "pmu", test_pmu },
	{ "arm", test_arm },
	{ "affinity", test_affinity },
	{ "refused", test_refused },
	{ "every-option", test_every_option },
	{ "table", test_table },
	{ "command", test_command },
	{ "user", test_user },
	{ "help", test_help },
	{ "hints", test_hints },
	{ 0 },
};
