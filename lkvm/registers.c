// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/registers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "lkvm/arch.h"
#include "lkvm/kvm-sys.h"
#include "lkvm/log.h"
#include "lkvm/vcpu.h"

#define NAME_BYTES 64

static const char *const trip_words[] = {
	[TRIP_SAME] = "same", [TRIP_MOVES] = "moves", [TRIP_REFUSED] = "refused", [TRIP_DIFFERS] = "differs",
	[TRIP_UNREAD] = "unreadable",
};

size_t registers_id_bytes(uint64_t id)
{
	return (size_t)1 << ((id & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT);
}

int registers_list(struct vcpu *vcpu, uint64_t **ids, size_t *nr)
{
	struct kvm_reg_list none = { .n = 0 };
	struct kvm_reg_list *list;
	int ret;

	ret = kvm_ioctl(vcpu->fd, KVM_GET_REG_LIST, &none);
	if (ret != -E2BIG)
		return ret ? ret : -ENODATA;
	list = calloc(1, sizeof(*list) + none.n * sizeof(list->reg[0]));
	if (!list)
		return -ENOMEM;
	list->n = none.n;
	ret = kvm_ioctl(vcpu->fd, KVM_GET_REG_LIST, list);
	if (ret) {
		free(list);
		return ret;
	}
	*nr = (size_t)list->n;
	memmove(list, list->reg, *nr * sizeof(list->reg[0]));
	*ids = (uint64_t *)(void *)list;
	return 0;
}

/* Reads @e, sets it to what it is, and reads it again. */
static void trip(struct vcpu *vcpu, struct register_entry *e)
{
	uint8_t again[REGISTER_MAX_BYTES] = { 0 };

	e->err = arch_reg_get(vcpu, e->id, e->value);
	if (e->err) {
		e->trip = TRIP_UNREAD;
		return;
	}
	if (arch_reg_get(vcpu, e->id, again) || memcmp(again, e->value, e->bytes)) {
		e->trip = TRIP_MOVES;
		return;
	}
	e->err = arch_reg_set(vcpu, e->id, e->value);
	if (e->err) {
		e->trip = TRIP_REFUSED;
		return;
	}
	e->err = arch_reg_get(vcpu, e->id, again);
	e->trip = e->err || memcmp(again, e->value, e->bytes) ? TRIP_DIFFERS : TRIP_SAME;
}

int registers_read(struct vcpu *vcpu, struct register_entry **entries, size_t *nr)
{
	uint64_t *ids = NULL;
	int ret;

	ret = arch_reg_ids(vcpu, &ids, nr);
	if (ret) {
		log_error("KVM does not list a vCPU's registers: %s", strerror(-ret));
		return ret;
	}
	*entries = calloc(*nr ? *nr : 1, sizeof(**entries));
	if (!*entries) {
		log_error("out of memory for a vCPU's registers");
		free(ids);
		return -ENOMEM;
	}
	for (size_t i = 0; i < *nr; i++) {
		(*entries)[i].id = ids[i];
		(*entries)[i].bytes = MIN(arch_reg_bytes(ids[i]), (size_t)REGISTER_MAX_BYTES);
		trip(vcpu, &(*entries)[i]);
	}
	free(ids);
	return 0;
}

/* "0x" and the digits of a value in the host's byte order; long ones group by group, the last first. */
static void value_text(const struct register_entry *e, char *buf, size_t size)
{
	const uint16_t probe = 1;
	bool little = *(const uint8_t *)&probe;
	size_t len = (size_t)snprintf(buf, size, "0x");

	for (size_t i = 0; i < e->bytes && len + 3 <= size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%02x", e->value[little ? e->bytes - 1 - i : i]);
}

/* The name of @id, or "" if this build has none. */
static const char *name_of(uint64_t id, char *buf)
{
	buf[0] = '\0';
	arch_reg_name(id, buf, NAME_BYTES);
	return buf;
}

void registers_print(const struct register_entry *entries, size_t nr, FILE *out)
{
	unsigned int counts[ARRAY_SIZE(trip_words)] = { 0 };
	char value[2 * REGISTER_MAX_BYTES + 3], name[NAME_BYTES];
	unsigned int unknown = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct register_entry *e = &entries[i];

		counts[e->trip]++;
		unknown += !*name_of(e->id, name);
		fprintf(out, "0x%016llx %-28s %3zu  ", (unsigned long long)e->id, *name ? name : "-", e->bytes);
		value_text(e, value, sizeof(value));
		fputs(e->trip == TRIP_UNREAD ? "-" : value, out);
		if (e->trip != TRIP_SAME)
			fprintf(out, "  %s%s%s", trip_words[e->trip], e->err ? ": " : "",
				e->err ? strerror(-e->err) : "");
		fputc('\n', out);
	}
	fprintf(out, "\n%zu registers, %u without a name here; set to what was read: %u read the same, %u move, %u are "
		"refused, %u differ; %u can't be read\n", nr, unknown, counts[TRIP_SAME], counts[TRIP_MOVES],
		counts[TRIP_REFUSED], counts[TRIP_DIFFERS], counts[TRIP_UNREAD]);
}

#ifdef HAVE_JANSSON
int registers_print_json(const struct register_entry *entries, size_t nr, FILE *out)
{
	char id[24], value[2 * REGISTER_MAX_BYTES + 3], name[NAME_BYTES];
	json_t *array = json_array();
	json_t *root;
	int ret = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct register_entry *e = &entries[i];
		json_t *o;

		snprintf(id, sizeof(id), "0x%016llx", (unsigned long long)e->id);
		value_text(e, value, sizeof(value));
		name_of(e->id, name);
		o = json_pack("{s:s, s:s?, s:i, s:s?, s:s, s:s?}", "id", id, "name", *name ? name : NULL, "bytes",
			      (int)e->bytes, "value", e->trip == TRIP_UNREAD ? NULL : value, "set",
			      trip_words[e->trip], "error", e->err ? strerror(-e->err) : NULL);
		if (json_array_append_new(array, o))
			ret = -ENOMEM;
	}
	root = json_pack("{s:o}", "registers", array);
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
int registers_print_json(const struct register_entry *entries LKVM_UNUSED, size_t nr LKVM_UNUSED,
			 FILE *out LKVM_UNUSED)
{
	log_error("--json: jansson is not built into this lkvm");
	return -ENOSYS;
}
#endif
