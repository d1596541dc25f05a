// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/stat-json.h"

#ifdef HAVE_JANSSON
#include <errno.h>
#include <jansson.h>
#include <string.h>

/* More than any KVM has; the other end may be anybody. */
#define MAX_VCPUS 4096

static const char *const units[] = { "", "ns", "us", "ms", "s", "bytes", "cycles" };

int stat_table_to_json(const struct stat_table *t, json_t *result)
{
	json_t *items = json_array();

	for (unsigned int i = 0; i < t->nr; i++) {
		const struct stat_item *item = &t->items[i];
		json_t *values = json_array();

		for (unsigned int v = 0; v < t->nr_vcpus; v++)
			json_array_append_new(values, json_integer((json_int_t)item->cells[v].value));
		json_array_append_new(items, json_pack("{s:i, s:s, s:s, s:b, s:i, s:s, s:o}", "source",
						       (int)item->source, "name", item->name, "unit", item->unit,
						       "level", item->instant, "state", (int)item->state, "why",
						       item->why, "values", values));
	}
	if (json_object_set_new(result, "cpus", json_integer(t->nr_vcpus)) ||
	    json_object_set_new(result, "seconds", json_real(t->seconds)) ||
	    json_object_set_new(result, "items", items))
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

struct stat_table *stat_table_from_json(const json_t *result)
{
	json_int_t cpus = json_integer_value(json_object_get(result, "cpus"));
	const json_t *items = json_object_get(result, "items");
	struct stat_table *t;

	if (cpus < 1 || cpus > MAX_VCPUS || !json_is_array(items))
		return NULL;
	t = stat_table_new((unsigned int)cpus);
	if (t)
		t->seconds = json_number_value(json_object_get(result, "seconds"));
	for (size_t i = 0; t && i < json_array_size(items); i++)
		if (add_item(t, json_array_get(items, i))) {
			stat_table_free(t);
			t = NULL;
		}
	return t;
}
#endif
