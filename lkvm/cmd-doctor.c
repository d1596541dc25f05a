// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/cmd.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "lkvm/arch.h"
#include "lkvm/config.h"
#include "lkvm/doctor.h"
#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "lkvm/outcome.h"
#include "lkvm/probe-vm.h"
#include "lkvm/registers.h"
#include "lkvm/vm.h"

/* Free memory for a guest of the default size. */
#define ENOUGH_KIB       (256LL * 1024)

#define COLUMNS 100

#define HOST   "Host"
#define KVM    "KVM"
#define NEEDED "Capabilities that lkvm needs"
#define USEFUL "Capabilities that lkvm uses where they are"
#define ARCH   "This architecture"
#define PROBE  "Probe guest"

struct doctor_args {
	bool  json;
	bool  registers;
	char *dev;
};

static const struct option_spec doctor_options[] = {
	{ .long_name = "json", .arches = OPT_ALL, .section = "Options", .parse = option_parse_bool,
	  .offset = offsetof(struct doctor_args, json), .help = "print JSON" },
	{ .long_name = "registers", .arches = OPT_ALL, .section = "Options", .parse = option_parse_bool,
	  .offset = offsetof(struct doctor_args, registers),
	  .help = "print every register that KVM keeps of a new vCPU instead, and whether it can be set to "
		  "what was read" },
	{ .long_name = "dev", .metavar = "FILE", .arches = OPT_ALL, .section = "Options",
	  .parse = option_parse_string, .offset = offsetof(struct doctor_args, dev),
	  .help = "KVM device node, /dev/kvm unless given" },
};

static const size_t doctor_options_nr = ARRAY_SIZE(doctor_options);

/* What makes /dev/kvm appear, by architecture. */
static const struct {
	const char *arch;
	const char *remedy;
} kvm_sources[] = {
	{ "x86_64", "modprobe kvm_intel or kvm_amd; if that fails, switch on VT-x or SVM in the firmware, "
		    "or nested virtualisation in the machine below" },
	{ "arm64", "a kernel with CONFIG_KVM that was started at EL2 (dmesg | grep -i kvm says)" },
	{ "riscv64", "modprobe kvm; it needs CPUs with the H extension (isa in /proc/cpuinfo)" },
	{ "ppc64le", "modprobe kvm-hv (or kvm-pr)" },
	{ "ppc", "a kernel with CONFIG_KVM_E500V2 or CONFIG_KVM_E500MC" },
};

static const struct {
	unsigned int cap;
	const char  *name;
	const char  *purpose;
	bool         number; /* its value is a count, not just "present" */
} useful_caps[] = {
	{ KVM_CAP_MAX_VCPUS, "KVM_CAP_MAX_VCPUS", "most vCPUs of a guest", true },
	{ KVM_CAP_NR_VCPUS, "KVM_CAP_NR_VCPUS", "recommended limit of vCPUs", true },
	{ KVM_CAP_NR_MEMSLOTS, "KVM_CAP_NR_MEMSLOTS", "pieces of guest memory", true },
	{ KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT", "stop a vCPU without a lost signal", false },
	{ KVM_CAP_IOEVENTFD, "KVM_CAP_IOEVENTFD", "doorbells without an exit", false },
	{ KVM_CAP_IRQFD, "KVM_CAP_IRQFD", "interrupts from other threads", false },
	{ KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING", "routes of interrupts", false },
	{ KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI", "message-signalled interrupts", false },
	{ KVM_CAP_READONLY_MEM, "KVM_CAP_READONLY_MEM", "flash memory", false },
	{ KVM_CAP_ONE_REG, "KVM_CAP_ONE_REG", "registers one by one", false },
	{ KVM_CAP_BINARY_STATS_FD, "KVM_CAP_BINARY_STATS_FD", "KVM's own counters", false },
};

/* ---- what was found ----------------------------------------------------------------------------- */

enum doctor_state {
	DOCTOR_INFO, /* a plain fact */
	DOCTOR_OK,
	DOCTOR_WARN, /* something will not work or not well, but `lkvm run` does */
	DOCTOR_BAD,  /* `lkvm run` can't work */
};

struct doctor_fact {
	const char       *section; /* static */
	enum doctor_state state;
	char             *name;
	char             *value;
	char             *remedy;  /* one line, NULL: none */
};

struct findings {
	struct doctor_fact *facts;
	size_t              nr;
	size_t              room;
	bool                incomplete; /* memory ran out */
	double              instructions_per_second; /* of a guest; 0: not known */
};

static const struct {
	const char *word;   /* JSON */
	const char *mark;   /* text */
	const char *colour;
} states[] = {
	[DOCTOR_INFO] = { "info", "", "" },
	[DOCTOR_OK]   = { "ok", "ok", "\033[32m" },
	[DOCTOR_WARN] = { "warning", "warning", "\033[33m" },
	[DOCTOR_BAD]  = { "problem", "PROBLEM", "\033[31m" },
};

/*
 * Appends a fact. Those of one section are added one after another. @remedy may be NULL: it is one line.
 */
static void doctor_add(struct findings *d, const char *section, enum doctor_state state, const char *name,
		       const char *remedy, const char *fmt, ...) LKVM_PRINTF(6, 7);

static void doctor_add(struct findings *d, const char *section, enum doctor_state state, const char *name,
		       const char *remedy, const char *fmt, ...)
{
	struct doctor_fact *fact;
	va_list ap;

	if (d->nr == d->room) {
		size_t room = d->room ? 2 * d->room : 32;
		struct doctor_fact *facts = realloc(d->facts, room * sizeof(*facts));

		if (!facts) {
			d->incomplete = true;
			return;
		}
		d->facts = facts;
		d->room = room;
	}
	fact = &d->facts[d->nr];
	*fact = (struct doctor_fact){ .section = section, .state = state };
	va_start(ap, fmt);
	if (vasprintf(&fact->value, fmt, ap) < 0)
		fact->value = NULL;
	va_end(ap);
	fact->name = strdup(name);
	fact->remedy = remedy ? strdup(remedy) : NULL;
	if (!fact->value || !fact->name || (remedy && !fact->remedy)) {
		free(fact->value);
		free(fact->name);
		free(fact->remedy);
		d->incomplete = true;
		return;
	}
	d->nr++;
}

/* How many facts are DOCTOR_BAD; an incomplete list counts as one more. */
static size_t doctor_problems(const struct findings *d)
{
	size_t n = d->incomplete;

	for (size_t i = 0; i < d->nr; i++)
		n += d->facts[i].state == DOCTOR_BAD;
	return n;
}

static enum doctor_verdict verdict_of(const struct findings *d)
{
	return doctor_verdict(doctor_problems(d), d->instructions_per_second);
}

/* Prints @text, broken at spaces so that it ends at COLUMNS, continued at @indent, where it begins. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
	int column = indent;
	bool first = true;

	for (; *text; text += strspn(text, " ")) {
		int len = (int)strcspn(text, " ");

		if (!first && column + 1 + len > COLUMNS) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
			first = true;
		}
		column += fprintf(out, "%s%.*s", first ? "" : " ", len, text);
		first = false;
		text += len;
	}
	fputc('\n', out);
}

static void doctor_print_text(const struct findings *d, FILE *out, bool colour)
{
	const char *section = NULL;
	int width = 0;

	for (size_t i = 0; i < d->nr; i++)
		width = MAX(width, (int)strlen(d->facts[i].name));
	for (size_t i = 0; i < d->nr; i++) {
		const struct doctor_fact *fact = &d->facts[i];
		const char *mark = states[fact->state].mark;
		bool coloured = colour && *states[fact->state].colour;

		if (!section || strcmp(section, fact->section)) {
			fprintf(out, "%s%s%s%s\n", section ? "\n" : "", colour ? "\033[1m" : "",
				fact->section, colour ? "\033[0m" : "");
			section = fact->section;
		}
		fprintf(out, "  %s%-7s%s  %-*s  ", coloured ? states[fact->state].colour : "", mark,
			coloured ? "\033[0m" : "", width, fact->name);
		print_wrapped(out, fact->value, 2 + 7 + 2 + width + 2);
		/* One line, however long, so that a command in it can be copied. */
		if (fact->remedy)
			fprintf(out, "           to do: %s\n", fact->remedy);
	}
	if (d->incomplete)
		fprintf(out, "\n(memory ran out: the list is not complete)\n");
}

#ifdef HAVE_JANSSON
/* Returns 0, or -ENOMEM / -EIO / -ENOSYS (no JSON library), reported. */
static int doctor_print_json(const struct findings *d, FILE *out)
{
	json_t *facts = json_array();
	json_t *root;
	int ret = 0;

	for (size_t i = 0; i < d->nr; i++) {
		const struct doctor_fact *fact = &d->facts[i];
		json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s?}", "section", fact->section, "name",
				      fact->name, "state", states[fact->state].word, "value",
				      fact->value, "remedy", fact->remedy);

		if (json_array_append_new(facts, o))
			ret = -ENOMEM;
	}
	root = json_pack("{s:b, s:b, s:I, s:i, s:o}", "usable", doctor_problems(d) == 0, "linux",
			 verdict_of(d) == DOCTOR_WORKS, "instructions_per_second", (json_int_t)d->instructions_per_second,
			 "problems", (int)doctor_problems(d), "facts", facts);
	if (!root)
		ret = -ENOMEM;
	else if (!ret && json_dumpf(root, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER))
		ret = -EIO;
	json_decref(root);
	fputc('\n', out);
	if (ret)
		log_error("cannot write JSON: %s", strerror(-ret));
	return ret;
}
#else
static int doctor_print_json(const struct findings *d LKVM_UNUSED, FILE *out LKVM_UNUSED)
{
	log_error("--json: jansson is not built into this lkvm");
	return -ENOSYS;
}
#endif

static void doctor_free(struct findings *d)
{
	for (size_t i = 0; i < d->nr; i++) {
		free(d->facts[i].name);
		free(d->facts[i].value);
		free(d->facts[i].remedy);
	}
	free(d->facts);
	*d = (struct findings){ 0 };
}

/* ---- host ------------------------------------------------------------------------------------- */

static void check_limit(struct findings *d, int resource, const char *name, uint64_t enough, uint64_t unit,
			const char *suffix, const char *remedy)
{
	struct rlimit lim;

	if (getrlimit(resource, &lim))
		return;
	if (lim.rlim_cur == RLIM_INFINITY) {
		doctor_add(d, HOST, DOCTOR_OK, name, NULL, "no limit");
		return;
	}
	doctor_add(d, HOST, lim.rlim_cur >= enough ? DOCTOR_OK : DOCTOR_WARN, name,
		   lim.rlim_cur >= enough ? NULL : remedy, "%llu%s",
		   (unsigned long long)lim.rlim_cur / unit, suffix);
}

/* The number behind "@key:" in /proc/meminfo, as it stands there; -1 if there is none. */
static long long meminfo(const char *key)
{
	FILE *f = fopen("/proc/meminfo", "re");
	long long v = -1;
	char line[128];

	if (!f)
		return -1;
	while (v < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			v = strtoll(line + strlen(key) + 1, NULL, 10);
	fclose(f);
	return v;
}

static void check_host(struct findings *d)
{
	long long available_kib = meminfo("MemAvailable");
	long long huge = meminfo("HugePages_Free");
	struct utsname uts;
	cpu_set_t cpus;

	if (!uname(&uts))
		doctor_add(d, HOST, DOCTOR_INFO, "kernel", NULL, "%s %s %s", uts.sysname, uts.release,
			   uts.machine);
	if (!sched_getaffinity(0, sizeof(cpus), &cpus))
		doctor_add(d, HOST, DOCTOR_INFO, "CPUs", NULL, "%d", CPU_COUNT(&cpus));
	if (available_kib >= 0)
		doctor_add(d, HOST, available_kib >= ENOUGH_KIB ? DOCTOR_OK : DOCTOR_WARN,
			   "free memory",
			   available_kib >= ENOUGH_KIB ? NULL : "give guests less with --mem",
			   "%lld MiB", available_kib / 1024);
	if (huge > 0)
		doctor_add(d, HOST, DOCTOR_INFO, "free huge pages", NULL, "%lld of %lld KiB", huge,
			   meminfo("Hugepagesize"));
	check_limit(d, RLIMIT_AS, "address space", GIB(1), MIB(1), " MiB",
		    "raise it (ulimit -v), a guest's memory counts");
	check_limit(d, RLIMIT_NOFILE, "open files", 256, 1, "", "raise it (ulimit -n)");
	check_limit(d, RLIMIT_NPROC, "threads", 256, 1, "", "raise it (ulimit -u), every vCPU is one");
}

/* ---- KVM -------------------------------------------------------------------------------------- */

static const char *kvm_source(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kvm_sources); i++)
		if (!strcmp(kvm_sources[i].arch, arch_name))
			return kvm_sources[i].remedy;
	return "a kernel with KVM";
}

/* Opens the device, and explains why that fails. Returns the fd or -1. */
static int check_device(struct findings *d, const char *dev)
{
	struct stat st;
	int fd;

	if (stat(dev, &st)) {
		doctor_add(d, KVM, DOCTOR_BAD, dev,
			   errno == ENOENT ? kvm_source() : "make its directory accessible",
			   "%s", strerror(errno));
		return -1;
	}
	if (!S_ISCHR(st.st_mode)) {
		doctor_add(d, KVM, DOCTOR_BAD, dev, "remove it and load the KVM module again",
			   "not a device");
		return -1;
	}
	fd = kvm_sys_open(dev);
	if (fd >= 0) {
		doctor_add(d, KVM, DOCTOR_OK, dev, NULL, "can be opened");
		return fd;
	}
	if (fd == -EACCES || fd == -EPERM)
		doctor_add(d, KVM, DOCTOR_BAD, dev,
			   st.st_mode & S_IWGRP
				   ? "sudo usermod -aG kvm $USER, then log in again; a container needs the "
				     "device passed in"
				   : "sudo chgrp kvm /dev/kvm && sudo chmod 660 /dev/kvm, and join group kvm",
			   "%s (mode %04o, owner %u, group %u)", strerror(-fd), st.st_mode & 07777,
			   st.st_uid, st.st_gid);
	else
		doctor_add(d, KVM, DOCTOR_BAD, dev, kvm_source(), "%s", strerror(-fd));
	return -1;
}

static void check_version(struct findings *d, int kvm_fd)
{
	int version = kvm_ioctl_val(kvm_fd, KVM_GET_API_VERSION, 0);

	if (version == KVM_API_VERSION)
		doctor_add(d, KVM, DOCTOR_OK, "API version", NULL, "%d", version);
	else if (version < 0)
		doctor_add(d, KVM, DOCTOR_BAD, "API version",
			   version == -ENOTTY
				   ? "this is another device: name KVM's with --dev"
				   : "run lkvm on the machine itself, not under an emulator such as qemu-user",
			   "it does not answer: %s", strerror(-version));
	else
		doctor_add(d, KVM, DOCTOR_BAD, "API version", "a kernel newer than 2.6.22",
			   "%d, lkvm needs %d", version, KVM_API_VERSION);
}

static void check_caps(struct findings *d, int kvm_fd, int vm_fd)
{
	const struct kvm_cap_need *need;
	size_t nr;

	need = arch_required_caps(&nr);
	for (size_t i = 0; i < nr; i++) {
		bool present = kvm_check_cap(kvm_fd, need[i].cap) > 0;

		doctor_add(d, NEEDED, present ? DOCTOR_OK : DOCTOR_BAD, need[i].name,
			   present ? NULL : "a newer kernel, or one with more of KVM switched on",
			   "%s (%s)", present ? "present" : "missing", need[i].purpose);
	}
	for (size_t i = 0; i < ARRAY_SIZE(useful_caps); i++) {
		/* Some depend on the kind of VM. */
		int v = kvm_check_cap(vm_fd >= 0 ? vm_fd : kvm_fd, useful_caps[i].cap);

		if (v > 0 && useful_caps[i].number)
			doctor_add(d, USEFUL, DOCTOR_OK, useful_caps[i].name, NULL, "%d (%s)", v,
				   useful_caps[i].purpose);
		else
			doctor_add(d, USEFUL, v > 0 ? DOCTOR_OK : DOCTOR_INFO, useful_caps[i].name,
				   NULL, "%s (%s)", v > 0 ? "present" : "missing",
				   useful_caps[i].purpose);
	}
}

static void say_arch(void *ctx, const char *name, const char *value)
{
	doctor_add(ctx, ARCH, DOCTOR_INFO, name, NULL, "%s", value);
}

/* Returns true if a guest may be tried. */
static bool check_kvm(struct findings *d, const char *dev)
{
	int kvm_fd = check_device(d, dev);
	int vm_fd;

	if (kvm_fd < 0)
		return false;
	check_version(d, kvm_fd);
	if (doctor_problems(d)) {
		kvm_sys_close(kvm_fd);
		return false;
	}
	/*
	 * A VM of the default kind, just to ask. Where the arch wants another kind, the probe below decides
	 * whether VMs can be made.
	 */
	vm_fd = kvm_ioctl_val(kvm_fd, KVM_CREATE_VM, 0);
	if (vm_fd < 0)
		doctor_add(d, KVM, DOCTOR_WARN, "plain VM", NULL, "KVM_CREATE_VM: %s", strerror(-vm_fd));
	check_caps(d, kvm_fd, vm_fd);
	arch_doctor(&(struct doctor){ .say = say_arch, .ctx = d }, kvm_fd, vm_fd);
	if (vm_fd >= 0)
		kvm_sys_close(vm_fd);
	kvm_sys_close(kvm_fd);
	return !doctor_problems(d);
}

/* ---- probe guest ------------------------------------------------------------------------------ */

/*
 * A KVM can do everything and yet be of little use: one without VMX, SVM or the like behind it interprets
 * instructions. Linux takes thousands of millions of them to boot.
 */
static void judge_speed(struct findings *d, double per_second)
{
	double millions = per_second / 1e6;

	if (per_second <= 0)
		return;
	d->instructions_per_second = per_second;
	if (doctor_verdict(0, per_second) == DOCTOR_WORKS)
		doctor_add(d, PROBE, DOCTOR_OK, "speed", NULL, "about %.0f million instructions/s", millions);
	else
		doctor_add(d, PROBE, DOCTOR_WARN, "speed",
			   "use a test bed (tests/hosts/run --list), or a machine with hardware virtualisation",
			   "about %.1f million instructions/s: this KVM emulates; Linux guests are not practical",
			   millions);
}

/* The register through which the guest asks for work. 0 or -errno (reported). */
static int add_meter(struct vm *vm, struct doctor_meter *meter)
{
	if (!arch_probe_work.instructions)
		return 0;
	return bus_add(arch_probe_work.space == MACHINE_PIO ? &vm->pio : &vm->mmio,
		       &(struct bus_window){
			       .name = "probe",
			       .base = arch_probe_work.base,
			       .size_bytes = sizeof(uint32_t),
			       .ops = &doctor_meter_bus_ops,
			       .dev = meter,
		       });
}

static void run_probe(struct findings *d, struct probe_vm *p)
{
	static const char remedy[] = "the lines on standard error say why; dmesg may say more";
	struct doctor_meter meter = { .now = doctor_now };
	double start, create_s;
	int ret, stdin_copy;
	char text[256];

	start = doctor_now();
	ret = probe_vm_create(p);
	create_s = doctor_now() - start;
	if (!ret)
		ret = add_meter(p->vm, &meter);
	if (ret) {
		doctor_add(d, PROBE, DOCTOR_BAD, "creation", remedy, "failed: %s", strerror(-ret));
		return;
	}
	stdin_copy = probe_vm_hide_stdin();
	ret = vm_run(p->vm);
	probe_vm_restore_stdin(stdin_copy);
	outcome_format(&p->vm->outcome, text, sizeof(text));
	if (ret)
		doctor_add(d, PROBE, DOCTOR_BAD, "run", remedy, "failed: %s", strerror(-ret));
	else if (p->vm->outcome.kind != OUTCOME_POWEROFF && p->vm->outcome.kind != OUTCOME_REBOOT)
		doctor_add(d, PROBE, DOCTOR_BAD, "run", remedy, "%s", text);
	else
		doctor_add(d, PROBE, DOCTOR_OK, "run", NULL, "started and powered off (%.1f ms to create)",
			   create_s * 1e3);
	judge_speed(d, meter.per_second * arch_probe_work.instructions);
}

static void check_probe(struct findings *d, const char *dev)
{
	struct probe_vm p;
	size_t size = 0;
	const void *code = arch_probe_guest(&size);

	if (!code || !size) {
		doctor_add(d, PROBE, DOCTOR_INFO, "run", NULL, "there is none for this architecture");
		return;
	}
	if (probe_vm_init(&p, dev, code, size))
		doctor_add(d, PROBE, DOCTOR_WARN, "run", NULL, "not tried: see standard error");
	else
		run_probe(d, &p);
	probe_vm_exit(&p);
}

/* ---- registers -------------------------------------------------------------------------------- */

/* Of a vCPU that was never run, in a VM without a guest to speak of. Returns the exit status. */
static int print_registers(const char *dev, bool json)
{
	static const uint8_t nothing[16];
	struct register_entry *entries = NULL;
	struct probe_vm p;
	size_t nr;
	int ret;

	ret = probe_vm_init(&p, dev, nothing, sizeof(nothing));
	if (!ret)
		ret = probe_vm_create(&p);
	if (!ret)
		ret = registers_read(p.vm->vcpus[0], &entries, &nr);
	if (!ret && json)
		ret = registers_print_json(entries, nr, stdout);
	else if (!ret)
		registers_print(entries, nr, stdout);
	free(entries);
	probe_vm_exit(&p);
	return ret ? EXIT_STATUS_START_FAILED : 0;
}

/* ---- the command ------------------------------------------------------------------------------ */

static bool want_colour(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb");
}

static int cmd_doctor_main(int argc, char **argv)
{
	struct doctor_args args = { 0 };
	struct findings d = { 0 };
	enum doctor_verdict verdict;
	const char *dev;
	char line[80];
	int status;

	if (!cmd_parse(&cmd_doctor, argc, argv, &args, &status))
		goto out;
	dev = args.dev ? args.dev : "/dev/kvm";
	if (args.registers) {
		status = print_registers(dev, args.json);
		goto out;
	}
	check_host(&d);
	if (check_kvm(&d, dev))
		check_probe(&d, dev);
	verdict = verdict_of(&d);
	status = doctor_exit_status(verdict);
	if (args.json) {
		if (doctor_print_json(&d, stdout))
			status = EXIT_STATUS_START_FAILED;
	} else {
		doctor_print_text(&d, stdout, want_colour());
		printf("\n%s\n", doctor_last_line(verdict, doctor_problems(&d), line, sizeof(line)));
	}
out:
	doctor_free(&d);
	free(args.dev);
	return status;
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.summary = "say what this host can do, and how to mend what it can't",
	.usage = "doctor [--registers] [--json] [--dev FILE]",
	.description = "Checks the KVM device and its permissions, the capabilities that lkvm needs and those "
		       "that it uses, memory and limits, and runs a tiny probe guest, whose speed it measures. A problem comes with "
		       "what to do about it.\n\n"
		       "Exit status: 0 if lkvm run works on this host, 125 if it does not, or only for tiny guests: some KVMs "
		       "emulate, which Linux takes hours to boot on.",
	.run = cmd_doctor_main,
	.options = doctor_options,
	.nr_options = &doctor_options_nr,
};
