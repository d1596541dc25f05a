// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/stat-json.h"

#ifdef HAVE_JANSSON
#include <errno.h>
#include <jansson.h>
#include <string.h>

/* More than any KVM has; the other end may be anybody. */
#define MAX_VCPUS 4096

static const char *const units[] = { "", "ns", "us", "ms", "s", "bytes", "cycles" };

static uint32_t add_text(uint32_t hash, const char *text)
{
	do
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	while (*text++);
	return hash;
}

/* FNV-1a, of 32 bits: every reader of JSON has such numbers. */
int64_t stat_table_shape(const struct stat_table *t)
{
	uint32_t hash = 2166136261u ^ t->nr_vcpus;

	for (unsigned int i = 0; i < t->nr; i++) {
		const struct stat_item *item = &t->items[i];

		hash = add_text(add_text(add_text(hash ^ item->hash, item->name), item->unit), item->why);
		hash = (hash ^ (uint32_t)item->state << 1 ^ item->instant) * 16777619u;
	}
	return hash ? hash : 1;
}

static json_t *values_of(const struct stat_table *t, const struct stat_item *item, json_t *values)
{
	for (unsigned int v = 0; v < t->nr_vcpus; v++)
		json_array_append_new(values, json_integer((json_int_t)item->cells[v].value));
	return values;
}

int stat_table_to_json(const struct stat_table *t, int64_t known, json_t *result)
{
	int64_t shape = stat_table_shape(t);
	json_t *items = json_array();

	for (unsigned int i = 0; i < t->nr; i++) {
		const struct stat_item *item = &t->items[i];

		if (shape == known)
			values_of(t, item, items);
		else
			json_array_append_new(items, json_pack("{s:i, s:s, s:s, s:b, s:i, s:s, s:o}", "source",
							       (int)item->source, "name", item->name, "unit",
							       item->unit, "level", item->instant, "state",
							       (int)item->state, "why", item->why, "values",
							       values_of(t, item, json_array())));
	}
	if (json_object_set_new(result, "cpus", json_integer(t->nr_vcpus)) ||
	    json_object_set_new(result, "seconds", json_real(t->seconds)) ||
	    json_object_set_new(result, "shape", json_integer(shape)) ||
	    json_object_set_new(result, shape == known ? "values" : "items", items))
		return -ENOMEM;
	return 0;
}

static const char *known_unit(const char *unit)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(units[i], unit))
			return units[i];
	return "";
}

static int add_item(struct stat_table *t, const json_t *o)
{
	json_int_t source = json_integer_value(json_object_get(o, "source"));
	json_int_t state = json_integer_value(json_object_get(o, "state"));
	const char *name = json_string_value(json_object_get(o, "name"));
	const char *unit = json_string_value(json_object_get(o, "unit"));
	const char *why = json_string_value(json_object_get(o, "why"));
	const json_t *values = json_object_get(o, "values");
	struct stat_item *item;

	if (source < 0 || source >= STAT_SOURCES || !name || !unit || !why ||
	    json_array_size(values) != t->nr_vcpus)
		return -EINVAL;
	item = stat_table_item(t, (enum stat_source)source, name);
	if (!item)
		return -ENOMEM;
	item->unit = known_unit(unit);
	item->instant = json_is_true(json_object_get(o, "level"));
	if (state == STAT_NOT_SUPPORTED || state == STAT_NOT_COUNTED)
		stat_item_missing(item, (enum stat_state)state, why);
	for (unsigned int v = 0; v < t->nr_vcpus; v++)
		stat_item_set(item, v, (uint64_t)json_integer_value(json_array_get(values, v)));
	return 0;
}

/* Items as in @before, with values of now. */
static int add_values(struct stat_table *t, const json_t *values, const struct stat_table *before)
{
	if (json_array_size(values) != (size_t)before->nr * t->nr_vcpus)
		return -EINVAL;
	for (unsigned int i = 0; i < before->nr; i++) {
		const struct stat_item *old = &before->items[i];
		struct stat_item *item = stat_table_item(t, old->source, old->name);

		if (!item)
			return -ENOMEM;
		item->unit = old->unit;
		item->instant = old->instant;
		if (old->state != STAT_COUNTED)
			stat_item_missing(item, old->state, old->why);
		for (unsigned int v = 0; v < t->nr_vcpus; v++)
			stat_item_set(item, v, (uint64_t)json_integer_value(
						       json_array_get(values, (size_t)i * t->nr_vcpus + v)));
	}
	return 0;
}

static int add_items(struct stat_table *t, const json_t *items)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < json_array_size(items); i++)
		ret = add_item(t, json_array_get(items, i));
	return ret;
}

struct stat_table *stat_table_from_json(const json_t *result, const struct stat_table *before)
{
	json_int_t cpus = json_integer_value(json_object_get(result, "cpus"));
	const json_t *items = json_object_get(result, "items");
	const json_t *values = json_object_get(result, "values");
	struct stat_table *t;

	if (cpus < 1 || cpus > MAX_VCPUS)
		return NULL;
	if (!json_is_array(items) && (!json_is_array(values) || !before || before->nr_vcpus != cpus))
		return NULL;
	t = stat_table_new((unsigned int)cpus);
	if (!t)
		return NULL;
	t->seconds = json_number_value(json_object_get(result, "seconds"));
	if (!(items ? add_items(t, items) : add_values(t, values, before)))
		return t;
	stat_table_free(t);
	return NULL;
}
#endif
