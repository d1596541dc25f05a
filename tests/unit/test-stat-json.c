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
	CHECK_EQ(stat_table_to_json(t, o), 0);
	back = stat_table_from_json(o);
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
		CHECK(stat_table_from_json(o) == NULL);
		json_decref(o);
	}
}

const struct test stat_json_tests[] = {
	{ "round_trip", test_round_trip },
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
