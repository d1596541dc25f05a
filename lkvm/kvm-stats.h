/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's binary statistics of a VM or vCPU (KVM-API 4.134 and "The kvm_stats_header"), by name.
 * Reading them neither stops nor disturbs a vCPU.
 */
#ifndef LKVM_KVM_STATS_H
#define LKVM_KVM_STATS_H

#include "lkvm/types.h"

#define KVM_STAT_NAME_BYTES 48

enum kvm_stat_kind {
	KVM_STAT_CUMULATIVE,
	KVM_STAT_INSTANT,
	KVM_STAT_PEAK,
	KVM_STAT_HISTOGRAM, /* linear or logarithmic: not a number */
};

struct kvm_stat {
	char               name[KVM_STAT_NAME_BYTES];
	enum kvm_stat_kind kind;
	const char        *unit;   /* "", "bytes", "ns", "us", "ms", "s", "cycles", "bool"; static */
	uint64_t           offset; /* in the file */
};

struct kvm_stats {
	int              fd;
	struct kvm_stat *stats;
	size_t           nr;
	uint8_t         *data;       /* all values, as of kvm_stats_read() */
	uint64_t         data_at;    /* where they are in the file */
	size_t           data_bytes;
	size_t           data_got;
};

/* Opens the statistics of VM or vCPU @kvm_fd. 0 or -errno (-ENOTTY: a kernel before 5.14). Silent. */
int kvm_stats_open(int kvm_fd, struct kvm_stats *s) LKVM_MUST_CHECK;
/* Legal after a failed open, and on { .fd = -1 }. */
void kvm_stats_close(struct kvm_stats *s);

/* Takes all values, in one look. 0 or -errno. Not on two threads at once. */
int kvm_stats_read(struct kvm_stats *s) LKVM_MUST_CHECK;

/* Of those, that of statistic @i, the first one of a histogram. 0, or -EIO if it did not come. */
int kvm_stats_get(const struct kvm_stats *s, size_t i, uint64_t *value) LKVM_MUST_CHECK;

/*
 * Takes the header and the descriptors of a file from memory, for kvm_stats_open() and tests. 0 or
 * -errno.
 */
int kvm_stats_parse(const uint8_t *file, size_t bytes, struct kvm_stats *s) LKVM_MUST_CHECK;

#endif
