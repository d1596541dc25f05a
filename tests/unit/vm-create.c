// SPDX-License-Identifier: GPL-2.0-only
/* Building a VM on a KVM that fails: every failure is one line and leaves nothing behind. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lkvm/arch.h"
#include "lkvm/virtiofsd.h"
#include "lkvm/vm.h"
#include "tests/unit/fake-kvm.h"
#include "tests/unit/test.h"
#include "tests/unit/vm-fixture.h"

static unsigned int count_lines(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* Builds and runs a VM with call @n failing with @err. Returns false once @n is beyond the last call. */
static bool fail_nth(const struct config *cfg, unsigned int n, int err)
{
	const char *text;
	struct vm *vm = NULL;
	int fds = test_open_fds();
	int ret, run = 0;

	fake_kvm_reset();
	vm_fixture_host();
	fake_kvm_fail(n, err);
	test_stderr_begin();
	ret = vm_create(&vm, cfg);
	if (!ret)
		run = vm_run(vm);
	text = test_stderr_end();

	if (ret) {
		if (count_lines(text) != 1 || strncmp(text, "lkvm: ", 6))
			test_fail(__FILE__, __LINE__, "failure of call %u (request 0x%lx): not one line: \"%s\"",
				  n, fake_kvm_failed_request(), text);
		CHECK(ret < 0);
		CHECK(vm == NULL);
	} else {
		/* What failed was something that a guest can do without. */
		if (!run)
			CHECK_EQ(vm->outcome.kind, OUTCOME_POWEROFF);
		else
			CHECK(count_lines(text) >= 1);
		vm_destroy(vm);
	}
	CHECK_EQ(test_open_fds(), fds);
	return fake_kvm_failed();
}

static void every_call_fails(unsigned int nr_cpus, int err)
{
	struct config cfg;
	unsigned int n = 1;

	vm_fixture_config(&cfg);
	cfg.nr_cpus = vm_fixture_cpus(nr_cpus);
	while (fail_nth(&cfg, n, err))
		n++;
	/* There were calls to fail: open, create, slots, vCPUs ... */
	CHECK(n > 10);
	vm_fixture_free(&cfg);
}

static void test_every_call_fails_eio(void)
{
	every_call_fails(1, EIO);
}

static void test_every_call_fails_enomem_smp(void)
{
	every_call_fails(4, ENOMEM);
}

/* KVM on x86 whose mediated PMU the host's own events hold: no vCPU with a PMU. @opaque: how often it says so. */
static int pmu_is_taken(int fd, unsigned long request, unsigned long arg, void *opaque)
{
	unsigned int *times = opaque;

	(void)fd;
	(void)arg;
	return request == KVM_CREATE_VCPU && *times && (*times)-- ? -EBUSY : 0;
}

static void test_pmu_taken(void)
{
	static const struct {
		enum config_tristate pmu;
		unsigned int times;
		const char *expect; /* NULL: the guest is made, without a word */
	} rows[] = {
		{ CONFIG_AUTO, 1, NULL },
		{ CONFIG_AUTO, 2, "lkvm: cannot create vCPU 0: Device or resource busy (`lkvm doctor`" },
		{ CONFIG_ON, 1, "hold the PMU: end them, or use --pmu=auto)" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned int times = rows[i].times;
		struct config cfg;
		struct vm *vm = NULL;
		const char *text;
		int ret, fds;

		vm_fixture_config(&cfg);
		fds = test_open_fds();
		cfg.pmu = rows[i].pmu;
		fake_kvm_reset();
		vm_fixture_host();
		fake_kvm_on_ioctl(pmu_is_taken, &times);
		test_stderr_begin();
		ret = vm_create(&vm, &cfg);
		text = test_stderr_end();
		if (!rows[i].expect) {
			CHECK_EQ(ret, 0);
			CHECK_STR(text, "");
			if (!ret)
				CHECK_EQ(vm->pmu, CONFIG_OFF);
			vm_destroy(vm);
		} else if (times) {
			CHECK(strstr(text, "--pmu: this host has no PMU") != NULL); /* known before */
		} else {
			CHECK_EQ(ret, -EBUSY);
			CHECK(strstr(text, rows[i].expect) != NULL);
			CHECK_EQ(count_lines(text), 1);
		}
		CHECK_EQ(test_open_fds(), fds);
		vm_fixture_free(&cfg);
	}
}

static void create_fails_on(const char *dev, const char *expect, int expect_ret)
{
	struct config cfg;
	struct vm *vm = NULL;
	const char *text;
	int ret;

	vm_fixture_config(&cfg);
	if (dev) {
		free(cfg.dev);
		cfg.dev = strdup(dev);
	}
	test_stderr_begin();
	ret = vm_create(&vm, &cfg);
	text = test_stderr_end();
	CHECK_EQ(ret, expect_ret);
	if (!strstr(text, expect))
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", text, expect);
	if (!ret)
		vm_destroy(vm);
	vm_fixture_free(&cfg);
}

static void create_fails(const char *expect, int expect_ret)
{
	create_fails_on(NULL, expect, expect_ret);
}

static void test_no_permission(void)
{
	char dev[] = "/tmp/lkvm-test-XXXXXX";
	int fd = mkstemp(dev);

	if (fd < 0)
		test_skip("cannot write to /tmp");
	fake_kvm_reset();
	vm_fixture_host();
	/* What helps depends on whom the device node lets in. */
	fchmod(fd, 0660);
	fake_kvm_fail(1, EACCES);
	create_fails_on(dev, "Permission denied (add yourself to group kvm", -EACCES);
	fchmod(fd, 0600);
	fake_kvm_fail(1, EACCES);
	create_fails_on(dev, "Permission denied (its mode keeps everybody but its owner out", -EACCES);
	close(fd);
	unlink(dev);
}

static void test_capability_missing(void)
{
	const struct kvm_cap_need *need;
	char expect[80];
	size_t nr;

	need = arch_required_caps(&nr);
	CHECK(nr > 0);
	for (size_t i = 0; i < nr; i++) {
		fake_kvm_reset();
		vm_fixture_host();
		fake_kvm_set_cap(need[i].cap, 0);
		snprintf(expect, sizeof(expect), "lacks %s, needed to ", need[i].name);
		create_fails(expect, -ENOSYS);
	}
}

static void test_too_many_cpus(void)
{
	struct config cfg;
	struct vm *vm = NULL;
	const char *text;

	if (vm_fixture_cpus(3) < 3)
		test_skip("the platform has one CPU");
	fake_kvm_reset();
	vm_fixture_host();
	fake_kvm_set_cap(KVM_CAP_MAX_VCPUS, 2);
	vm_fixture_config(&cfg);
	cfg.nr_cpus = 3;
	test_stderr_begin();
	CHECK_EQ(vm_create(&vm, &cfg), -EINVAL);
	text = test_stderr_end();
	CHECK(strstr(text, "at most 2 vCPUs") != NULL);
	vm_fixture_free(&cfg);
}

/* Directories are shared, and given back whatever fails; one that is not there is an error before anything runs. */
static void test_shares(void)
{
	struct config cfg;
	struct vm *vm;
	int fds;

	vm_fixture_config(&cfg);
	fds = test_open_fds();
	cfg.shares[0] = (struct config_share){ .dir = strdup("/"), .tag = strdup("top"), .readonly = true };
	cfg.shares[1] = (struct config_share){ .dir = strdup("/tmp"), .tag = strdup("tmp") };
	cfg.nr_shares = 2;
	for (unsigned int n = 1; fail_nth(&cfg, n, EIO); n++)
		;
	free(cfg.shares[1].dir);
	cfg.shares[1].dir = strdup("/no/such/dir");
	fake_kvm_reset();
	vm_fixture_host();
	test_stderr_begin();
	CHECK_EQ(vm_create(&vm, &cfg), -ENOENT);
	CHECK_STR(test_stderr_end(), "lkvm: --9p: cannot share /no/such/dir: No such file or directory\n");
	CHECK_EQ(test_open_fds(), fds);
	vm_fixture_free(&cfg);
}

/* A virtiofsd that ends at once, or is none: told, and nothing is left; with --root there are other ways. */
static void test_virtiofs(void)
{
	char dir[] = "/tmp/lkvm-test-XXXXXX", program[64];
	char *path = strdup(getenv("PATH") ? getenv("PATH") : "");
	struct config cfg;
	struct vm *vm;
	FILE *out;
	int fds;

	if (!mkdtemp(dir))
		test_skip("cannot write to /tmp");
	snprintf(program, sizeof(program), "%s/virtiofsd", dir);
	out = fopen(program, "we");
	CHECK(out && fputs("#!/bin/sh\necho 'error: what it says' >&2\nexit 2\n", out) >= 0 && !fclose(out));
	CHECK_EQ(chmod(program, 0755), 0);
	setenv("PATH", dir, 1);
	vm_fixture_config(&cfg);
	fds = test_open_fds();
	cfg.shares[0] = (struct config_share){ .dir = strdup("/"), .tag = strdup("top"), .virtiofs = true };
	cfg.nr_shares = 1;
	fake_kvm_reset();
	vm_fixture_host();
	test_stderr_begin();
	CHECK_EQ(vm_create(&vm, &cfg), -ECONNRESET);
	CHECK(strstr(test_stderr_end(), "/virtiofsd, which is to serve /, ended with status 2: error: what it says\n"));
	CHECK_EQ(test_open_fds(), fds);

	/* The memory that it was to have stays shared. */
	free(cfg.shares[0].dir);
	free(cfg.shares[0].tag);
	cfg.nr_shares = 0;
	cfg.root = strdup(dir);
	fake_kvm_reset();
	vm_fixture_host();
	CHECK_EQ(vm_create(&vm, &cfg), 0);
	CHECK(!vm->root.virtiofs && vm->root.p9 && !vm->fs);
	CHECK_EQ(vm->memory.share, virtiofsd_has_room());
	vm_destroy(vm);
	CHECK_EQ(test_open_fds(), fds);

	setenv("PATH", path, 1);
	free(path);
	unlink(program);
	rmdir(dir);
	vm_fixture_free(&cfg);
}

static void test_two_vms_at_once(void)
{
	struct config cfg;
	struct vm *a = NULL, *b = NULL;

	fake_kvm_reset();
	vm_fixture_host();
	vm_fixture_config(&cfg);
	if (vm_create(&a, &cfg) || vm_create(&b, &cfg)) {
		CHECK(!"two VMs in one process");
	} else {
		CHECK_EQ(vm_run(b), 0);
		CHECK_EQ(b->outcome.kind, OUTCOME_POWEROFF);
		CHECK_EQ(a->outcome.kind, OUTCOME_NONE);
		CHECK_EQ(vm_run(a), 0);
		CHECK_EQ(a->outcome.kind, OUTCOME_POWEROFF);
	}
	vm_destroy(b);
	vm_destroy(a);
	vm_fixture_free(&cfg);
}

/* Another guest may have the disk at once, and the rest can still be taken apart. */
static void test_let_go(void)
{
	char path[] = "/tmp/lkvm-unit-disk-XXXXXX";
	struct vm *a = NULL, *b = NULL;
	struct config cfg;
	int fd = mkstemp(path), fds;

	CHECK(fd >= 0 && !ftruncate(fd, 1 << 20));
	close(fd);
	vm_fixture_config(&cfg);
	cfg.disks[0].path = strdup(path);
	cfg.nr_disks = 1;
	fake_kvm_reset();
	vm_fixture_host();
	fds = test_open_fds();
	if (vm_create(&a, &cfg) || vm_run(a)) {
		CHECK(!"a guest with a disk");
	} else {
		test_stderr_begin();
		CHECK(vm_create(&b, &cfg) < 0);
		CHECK(strstr(test_stderr_end(), path) != NULL);
		vm_let_go(a);
		CHECK(test_open_fds() > fds);
		CHECK_EQ(vm_create(&b, &cfg), 0);
	}
	vm_destroy(b);
	vm_destroy(a);
	CHECK_EQ(test_open_fds(), fds);
	vm_fixture_free(&cfg);
	unlink(path);
}

const struct test vm_create_tests[] = {
	{ "every_call_fails_eio", test_every_call_fails_eio },
	{ "every_call_fails_enomem_smp", test_every_call_fails_enomem_smp },
	{ "pmu_taken", test_pmu_taken },
	{ "no_permission", test_no_permission },
	{ "capability_missing", test_capability_missing },
	{ "too_many_cpus", test_too_many_cpus },
	{ "shares", test_shares },
	{ "virtiofs", test_virtiofs },
	{ "let_go", test_let_go },
	{ "two_vms_at_once", test_two_vms_at_once },
	{ 0 },
};
