// SPDX-License-Identifier: GPL-2.0-only
/* KVM's statistics files, and a VM that is counted while it runs on a fake KVM. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lkvm/kvm-stats.h"
#include "lkvm/vm-stat.h"
#include "lkvm/vm.h"
#include "tests/unit/fake-kvm.h"
#include "tests/unit/test.h"
#include "tests/unit/vm-fixture.h"

#define NAME_BYTES 48

struct file {
	struct kvm_stats_header head;
	struct {
		uint32_t flags;
		int16_t  exponent;
		uint16_t size;
		uint32_t offset;
		uint32_t bucket_size;
		char     name[NAME_BYTES];
	} desc[4];
};

static void make_file(struct file *f)
{
	static const struct {
		uint32_t    flags;
		int16_t     exponent;
		const char *name;
	} descs[] = {
		{ KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_NONE, 0, "exits" },
		{ KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_SECONDS, -9, "halt_wait_ns" },
		{ KVM_STATS_TYPE_INSTANT | KVM_STATS_UNIT_BYTES, 0, "pages" },
		{ KVM_STATS_TYPE_LOG_HIST | KVM_STATS_UNIT_SECONDS, -9, "hist" },
	};

	memset(f, 0, sizeof(*f));
	f->head.name_size = NAME_BYTES;
	f->head.num_desc = ARRAY_SIZE(descs);
	f->head.desc_offset = offsetof(struct file, desc);
	f->head.data_offset = sizeof(*f);
	for (uint32_t i = 0; i < ARRAY_SIZE(descs); i++) {
		f->desc[i].flags = descs[i].flags;
		f->desc[i].exponent = descs[i].exponent;
		f->desc[i].size = 1;
		f->desc[i].offset = 8 * i;
		strcpy(f->desc[i].name, descs[i].name);
	}
}

static void test_parse(void)
{
	struct kvm_stats s = { .fd = -1 };
	struct file f;

	make_file(&f);
	CHECK_EQ(kvm_stats_parse((uint8_t *)&f, sizeof(f), &s), 0);
	CHECK_EQ(s.nr, 4);
	CHECK_STR(s.stats[0].name, "exits");
	CHECK_EQ(s.stats[0].kind, KVM_STAT_CUMULATIVE);
	CHECK_STR(s.stats[0].unit, "");
	CHECK_STR(s.stats[1].unit, "ns");
	CHECK_EQ(s.stats[1].offset, sizeof(f) + 8);
	CHECK_EQ(s.stats[2].kind, KVM_STAT_INSTANT);
	CHECK_STR(s.stats[2].unit, "bytes");
	CHECK_EQ(s.stats[3].kind, KVM_STAT_HISTOGRAM);
	kvm_stats_close(&s);
}

/* All values in one look, wherever in the file they begin; one that the file does not have any more is none. */
static void test_values(void)
{
	struct kvm_stats s = { .fd = -1 };
	uint64_t values[4] = { 11, 22, 33, 44 }, value = 0;
	struct file f;
	int ret;

	make_file(&f);
	CHECK_EQ(kvm_stats_parse((uint8_t *)&f, sizeof(f), &s), 0);
	s.fd = memfd_create("stats", MFD_CLOEXEC);
	CHECK(s.fd >= 0);
	CHECK_EQ(pwrite(s.fd, &f, sizeof(f), 0), (int)sizeof(f));
	CHECK_EQ(pwrite(s.fd, values, sizeof(values), sizeof(f)), (int)sizeof(values));
	ret = kvm_stats_read(&s);
	CHECK_EQ(ret, 0);
	for (size_t i = 0; i < 4; i++) {
		CHECK_EQ(kvm_stats_get(&s, i, &value), 0);
		CHECK_EQ(value, values[i]);
	}
	CHECK_EQ(ftruncate(s.fd, sizeof(f) + 20), 0);
	ret = kvm_stats_read(&s);
	CHECK_EQ(ret, 0);
	CHECK_EQ(kvm_stats_get(&s, 1, &value), 0);
	CHECK_EQ(kvm_stats_get(&s, 2, &value), -EIO);
	close(s.fd);
	s.fd = -1; /* the fake KVM knows its own files only */
	kvm_stats_close(&s);
}

/* Files that are not what they claim to be. */
static void test_broken(void)
{
	struct kvm_stats s = { .fd = -1 };
	struct file f;

	make_file(&f);
	for (size_t n = 0; n < sizeof(f); n++)
		CHECK_EQ(kvm_stats_parse((uint8_t *)&f, n, &s), -EINVAL);
	f.head.num_desc = 5;
	CHECK_EQ(kvm_stats_parse((uint8_t *)&f, sizeof(f), &s), -EINVAL);
	make_file(&f);
	f.head.num_desc = UINT32_MAX;
	CHECK_EQ(kvm_stats_parse((uint8_t *)&f, sizeof(f), &s), -EINVAL);
	make_file(&f);
	f.head.name_size = 0;
	CHECK_EQ(kvm_stats_parse((uint8_t *)&f, sizeof(f), &s), -EINVAL);
	make_file(&f);
	f.head.desc_offset = UINT32_MAX;
	CHECK_EQ(kvm_stats_parse((uint8_t *)&f, sizeof(f), &s), -EINVAL);
	/* Names without an end are cut. */
	make_file(&f);
	memset(f.desc[0].name, 'x', NAME_BYTES);
	CHECK_EQ(kvm_stats_parse((uint8_t *)&f, sizeof(f), &s), 0);
	CHECK_EQ(strlen(s.stats[0].name), KVM_STAT_NAME_BYTES - 1);
	kvm_stats_close(&s);
}

/* On a KVM without statistics nothing is made up. */
static void test_run(void)
{
	static const struct vm_stat_options opt = { .kvm = true, .guest = true, .time = true };
	const struct stat_item *item;
	struct vm_stat *stat = NULL;
	int fds = test_open_fds();
	struct stat_table *t;
	struct vm *vm = NULL;
	struct config cfg;

	fake_kvm_reset();
	vm_fixture_host();
	vm_fixture_config(&cfg);
	cfg.nr_cpus = vm_fixture_cpus(2);
	CHECK_EQ(vm_create(&vm, &cfg), 0);
	CHECK_EQ(vm_stat_attach(vm, &opt, &stat), 0);
	CHECK_EQ(vm_run(vm), 0);
	t = vm_stat_read(stat);
	CHECK(t && t->nr_vcpus == cfg.nr_cpus && t->seconds > 0);
	item = stat_table_find(t, STAT_KVM, "exits");
	CHECK(item && item->state == STAT_NOT_SUPPORTED && strstr(item->why, "5.14"));
	item = stat_table_find(t, STAT_TIME, "halted or waiting");
	CHECK(item && item->cells[0].value > 0);
	/* A few milliseconds; more if this host is busy. */
	CHECK(item->state == STAT_COUNTED || (item->state == STAT_NOT_COUNTED && strstr(item->why, "too short")));
	stat_table_free(t);
	vm_stat_detach(stat);
	vm_destroy(vm);
	vm_fixture_free(&cfg);
	CHECK_EQ(test_open_fds(), fds);
}

const struct test vm_stats_tests[] = {
	{ "parse", test_parse },
	{ "broken", test_broken },
	{ "values", test_values },
	{ "run", test_run },
	{ 0 },
};
