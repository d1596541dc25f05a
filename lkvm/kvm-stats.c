// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/kvm-stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lkvm/kvm-sys.h"

/* More than any kernel has; a file that claims more is not what we think it is. */
#define MAX_STATS      1024
#define MAX_NAME_BYTES 256
#define MAX_HEAD_BYTES (64 * 1024)
#define MAX_DATA_BYTES (1024 * 1024)

static const char *unit_of(uint32_t flags, int16_t exponent)
{
	switch (flags & KVM_STATS_UNIT_MASK) {
	case KVM_STATS_UNIT_BYTES:
		return "bytes";
	case KVM_STATS_UNIT_SECONDS:
		return exponent == -9 ? "ns" : exponent == -6 ? "us" : exponent == -3 ? "ms" : "s";
	case KVM_STATS_UNIT_CYCLES:
		return "cycles";
	default:
		return "";
	}
}

static enum kvm_stat_kind kind_of(uint32_t flags)
{
	switch (flags & KVM_STATS_TYPE_MASK) {
	case KVM_STATS_TYPE_CUMULATIVE:
		return KVM_STAT_CUMULATIVE;
	case KVM_STATS_TYPE_INSTANT:
		return KVM_STAT_INSTANT;
	case KVM_STATS_TYPE_PEAK:
		return KVM_STAT_PEAK;
	default:
		return KVM_STAT_HISTOGRAM;
	}
}

/* Room for what lies between the first value and the last. */
static int make_room(struct kvm_stats *s)
{
	uint64_t end = 0;

	s->data_at = s->nr ? UINT64_MAX : 0;
	for (size_t i = 0; i < s->nr; i++) {
		s->data_at = MIN(s->data_at, s->stats[i].offset);
		end = MAX(end, s->stats[i].offset + sizeof(uint64_t));
	}
	if (end - s->data_at > MAX_DATA_BYTES)
		return -EINVAL;
	s->data_bytes = (size_t)(end - s->data_at);
	s->data = malloc(s->data_bytes ? s->data_bytes : 1);
	return s->data ? 0 : -ENOMEM;
}

static void forget(struct kvm_stats *s)
{
	free(s->stats);
	free(s->data);
	*s = (struct kvm_stats){ .fd = s->fd };
}

int kvm_stats_parse(const uint8_t *file, size_t bytes, struct kvm_stats *s)
{
	struct kvm_stats_header head;
	size_t stride;
	int ret;

	*s = (struct kvm_stats){ .fd = s->fd };
	if (bytes < sizeof(head))
		return -EINVAL;
	memcpy(&head, file, sizeof(head));
	if (!head.name_size || head.name_size > MAX_NAME_BYTES || head.num_desc > MAX_STATS)
		return -EINVAL;
	stride = sizeof(struct kvm_stats_desc) + head.name_size;
	if (head.desc_offset > bytes || (bytes - head.desc_offset) / stride < head.num_desc)
		return -EINVAL;
	s->stats = calloc(head.num_desc ? head.num_desc : 1, sizeof(*s->stats));
	if (!s->stats)
		return -ENOMEM;
	for (uint32_t i = 0; i < head.num_desc; i++) {
		const uint8_t *at = file + head.desc_offset + i * stride;
		struct kvm_stat *stat = &s->stats[i];
		struct kvm_stats_desc desc;

		memcpy(&desc, at, sizeof(desc));
		stat->kind = kind_of(desc.flags);
		stat->unit = unit_of(desc.flags, desc.exponent);
		stat->offset = (uint64_t)head.data_offset + desc.offset;
		memcpy(stat->name, at + sizeof(desc), MIN((size_t)head.name_size, sizeof(stat->name) - 1));
	}
	s->nr = head.num_desc;
	ret = make_room(s);
	if (ret)
		forget(s);
	return ret;
}

int kvm_stats_open(int kvm_fd, struct kvm_stats *s)
{
	uint8_t *file = malloc(MAX_HEAD_BYTES);
	ssize_t n;
	int ret;

	*s = (struct kvm_stats){ .fd = -1 };
	if (!file)
		return -ENOMEM;
	ret = kvm_ioctl_val(kvm_fd, KVM_GET_STATS_FD, 0);
	if (ret < 0)
		goto out;
	s->fd = ret;
	n = pread(s->fd, file, MAX_HEAD_BYTES, 0);
	ret = n < 0 ? -errno : kvm_stats_parse(file, (size_t)n, s);
	if (ret)
		kvm_stats_close(s);
out:
	free(file);
	return ret;
}

void kvm_stats_close(struct kvm_stats *s)
{
	kvm_sys_close(s->fd);
	forget(s);
	s->fd = -1;
}

int kvm_stats_read(struct kvm_stats *s)
{
	ssize_t n = pread(s->fd, s->data, s->data_bytes, (off_t)s->data_at);

	s->data_got = n > 0 ? (size_t)n : 0;
	return n < 0 ? -errno : 0;
}

int kvm_stats_get(const struct kvm_stats *s, size_t i, uint64_t *value)
{
	uint64_t at = s->stats[i].offset - s->data_at;

	if (!range_within(at, sizeof(*value), 0, s->data_got))
		return -EIO;
	memcpy(value, s->data + at, sizeof(*value));
	return 0;
}
