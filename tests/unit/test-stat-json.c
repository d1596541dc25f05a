// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/stat-json.h"

#include <string.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "tests/unit/test.h"

#ifdef HAVE_JANSSON
static void test_round_trip(void)
{
	struct stat_table *t = stat_table_new(2), *back;
	struct stat_item *item = stat_table_item(t, STAT_KVM, "halt_wait_ns");
	json_t *o = json_object();

	item->unit = "ns";
	stat_item_set(item, 1, 1234567890123);
	item = stat_table_item(t, STAT_GUEST, "counters");
	item->instant = true;
	stat_item_missing(item, STAT_NOT_SUPPORTED, "why not");
	CHECK_EQ(stat_table_to_json(t, 0, o), 0);
	back = stat_table_from_json(o, NULL);
	CHECK(back && back->nr == 2 && back->nr_vcpus == 2);
	if (back) {
		CHECK_STR(back->items[0].name, "halt_wait_ns");
		CHECK_STR(back->items[0].unit, "ns");
		CHECK_EQ(back->items[0].cells[1].value, 1234567890123);
		CHECK(!back->items[0].instant && back->items[1].instant);
		CHECK_EQ(back->items[1].state, STAT_NOT_SUPPORTED);
		CHECK_STR(back->items[1].why, "why not");
	}
	stat_table_free(back);
	stat_table_free(t);
	json_decref(o);
}

/* One who knows the shape gets values alone; what changes it makes the rest come again. */
static void test_shape(void)
{
	struct stat_table *t = stat_table_new(2), *before = stat_table_new(2), *back;
	struct stat_item *item = stat_table_item(t, STAT_KVM, "exits");
	int64_t shape;
	json_t *o = json_object();

	stat_item_set(item, 0, 5);
	stat_item_set(item, 1, 6);
	item = stat_table_item(t, STAT_KVM, "wait_ns");
	item->unit = "ns";
	stat_item_set(item, 1, 7);
	stat_item_missing(stat_table_item(t, STAT_GUEST, "counters"), STAT_NOT_COUNTED, "none");
	t->seconds = 1.5;
	shape = stat_table_shape(t);
	CHECK_EQ(stat_table_to_json(t, shape, o), 0);
	CHECK(!json_object_get(o, "items"));
	CHECK_EQ(json_array_size(json_object_get(o, "values")), 6);
	back = stat_table_from_json(o, t);
	CHECK(back && back->nr == 3 && back->seconds == 1.5);
	if (back) {
		CHECK_EQ(stat_table_shape(back), shape);
		CHECK_STR(back->items[1].name, "wait_ns");
		CHECK_EQ(back->items[0].cells[1].value, 6);
		CHECK_EQ(back->items[1].cells[1].value, 7);
		CHECK_EQ(back->items[2].state, STAT_NOT_COUNTED);
	}
	/* Values without names, of another number of vCPUs, or of items. */
	CHECK(!stat_table_from_json(o, NULL));
	CHECK(!stat_table_from_json(o, before));
	stat_table_free(before);
	before = stat_table_new(3);
	CHECK(!stat_table_from_json(o, before));
	json_decref(o);

	stat_item_set(&t->items[0], 0, 50);
	CHECK_EQ(stat_table_shape(t), shape);
	stat_item_missing(&t->items[0], STAT_NOT_COUNTED, "the vCPU is busy with a device");
	CHECK(stat_table_shape(t) != shape);
	o = json_object();
	CHECK_EQ(stat_table_to_json(t, shape, o), 0);
	CHECK_EQ(json_array_size(json_object_get(o, "items")), 3);
	json_decref(o);
	stat_table_free(before);
	stat_table_free(back);
	stat_table_free(t);
}

/* The other end may say anything. */
static void test_hostile(void)
{
	static const char *const bad[] = {
		"{}", "{\"cpus\":1}", "{\"cpus\":0,\"items\":[]}", "{\"cpus\":100000,\"items\":[]}",
		"{\"cpus\":-1,\"items\":[]}", "{\"cpus\":1,\"items\":{}}", "{\"cpus\":1,\"items\":[1]}",
		"{\"cpus\":1,\"items\":[{\"source\":9,\"name\":\"a\",\"unit\":\"\",\"why\":\"\",\"values\":[1]}]}",
		"{\"cpus\":1,\"items\":[{\"source\":-1,\"name\":\"a\",\"unit\":\"\",\"why\":\"\",\"values\":[1]}]}",
		"{\"cpus\":1,\"items\":[{\"source\":2,\"name\":1,\"unit\":\"\",\"why\":\"\",\"values\":[1]}]}",
		"{\"cpus\":1,\"items\":[{\"source\":2,\"name\":\"a\",\"unit\":\"\",\"why\":\"\",\"values\":[1,2]}]}",
		"{\"cpus\":2,\"items\":[{\"source\":2,\"name\":\"a\",\"unit\":\"\",\"why\":\"\",\"values\":[1]}]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *o = json_loads(bad[i], 0, NULL);

		CHECK(o != NULL);
		CHECK(stat_table_from_json(o, NULL) == NULL);
		json_decref(o);
	}
}

const struct test stat_json_tests[] = {
	{ "round_trip", test_round_trip },
	{ "shape", test_shape },
	{ "hostile", test_hostile },
	{ 0 },
};
#else
static void test_absent(void)
{
	test_skip("no JSON in this build");
}

const struct test stat_json_tests[] = {
	{ "absent", test_absent },
	{ 0 },
};
#endif
