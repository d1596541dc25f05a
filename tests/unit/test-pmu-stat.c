// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/pmu-stat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

static struct stat_table *table(double seconds, uint64_t cycles, uint64_t instructions, uint64_t exits)
{
	struct stat_table *t = stat_table_new(2);
	struct stat_item *item;

	t->seconds = seconds;
	item = stat_table_item(t, STAT_PERF, "cycles:G");
	item->cells[0] = (struct stat_cell){ cycles, 1000, 1000 };
	item->cells[1] = (struct stat_cell){ 0, 1000, 1000 };
	item = stat_table_item(t, STAT_PERF, "instructions:G");
	item->cells[0] = (struct stat_cell){ instructions, 1000, 500 }; /* shared: half of the time */
	item = stat_table_item(t, STAT_PERF, "cache-misses:G");
	stat_item_missing(item, STAT_NOT_SUPPORTED, "no \"such\" thing");
	stat_item_missing(item, STAT_NOT_COUNTED, "later reasons do not count");
	item = stat_table_item(t, STAT_PERF, "branches:G");
	item->cells[0] = (struct stat_cell){ 0, 1000, 0 }; /* never had a counter */
	item = stat_table_item(t, STAT_GUEST, "PMCCNTR");
	item->instant = true;
	stat_item_set(item, 0, 77);
	item = stat_table_item(t, STAT_KVM, "exits");
	stat_item_set(item, 0, exits);
	stat_item_set(item, 1, 5);
	stat_table_item(t, STAT_KVM, "idle");
	item = stat_table_item(t, STAT_TIME, "guest");
	item->unit = "ns";
	stat_item_set(item, 0, (uint64_t)(seconds * 5e8));
	return t;
}

static char *printed(const struct stat_table *t, const struct stat_format *f)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	stat_print(t, f, out);
	fclose(out);
	return text;
}

static void has(const char *text, const char *line)
{
	if (!strstr(text, line))
		test_fail(__FILE__, __LINE__, "no \"%s\" in:\n%s", line, text);
}

static void test_since(void)
{
	struct stat_table *a = table(1, 1000, 100, 10), *b = table(3, 4000, 300, 110);
	struct stat_table *d = stat_table_since(b, a);
	const struct stat_item *item;

	CHECK(d->seconds > 1.99 && d->seconds < 2.01);
	item = stat_table_find(d, STAT_PERF, "cycles:G");
	CHECK_EQ(item->cells[0].value, 3000);
	CHECK_EQ(item->cells[0].enabled_ns, 0);
	item = stat_table_find(d, STAT_KVM, "exits");
	CHECK_EQ(item->cells[0].value, 100);
	CHECK_EQ(item->cells[1].value, 0);
	CHECK_EQ(stat_item_sum(b, stat_table_find(b, STAT_KVM, "exits")).value, 115);
	/* A level stays. */
	CHECK_EQ(stat_table_find(d, STAT_GUEST, "PMCCNTR")->cells[0].value, 77);
	item = stat_table_find(d, STAT_PERF, "cache-misses:G");
	CHECK_EQ(item->state, STAT_NOT_SUPPORTED);
	CHECK_STR(item->why, "no \"such\" thing");
	CHECK(stat_table_find(d, STAT_KVM, "cycles:G") == NULL);
	stat_table_free(d);
	/* Time that is worked out from two clocks may step back: nothing then, and not nearly 2^64. */
	d = stat_table_since(a, b);
	CHECK_EQ(stat_table_find(d, STAT_KVM, "exits")->cells[0].value, 0);
	stat_table_free(a);
	stat_table_free(b);
	stat_table_free(d);
	stat_table_free(NULL);
}

static void test_text(void)
{
	struct stat_table *t = table(2, 1234567, 1000, 3995);
	struct stat_format f = { .guest = "g" };
	char *text = printed(t, &f);

	has(text, " Performance counter stats for guest 'g', 2 vCPUs:\n");
	has(text, "1,234,567      cycles:G ");
	has(text, "2,000      instructions:G                     #    0.002 insn per cycle   (50.00%)\n");
	has(text, "<not supported>      cache-misses:G                     # no \"such\" thing\n");
	has(text, "<not counted>      branches:G                         # other events had the counters\n");
	has(text, " guest's own counters:\n                  77      PMCCNTR ");
	has(text, " KVM's statistics:\n               4,000      exits                              #    2.000 K/sec\n");
	has(text, "1      others of KVM's are 0\n");
	has(text, "1000.00 msec guest                              #   25.000 % of the time\n");
	has(text, "2.000000000 seconds time elapsed\n");
	CHECK(strstr(text, "idle") == NULL);
	free(text);

	f.per_vcpu = true;
	f.interval = true;
	f.at_seconds = 7.5;
	text = printed(t, &f);
	has(text, "     7.500000000 vcpu0                  3,995      kvm/exits");
	has(text, "     7.500000000 vcpu1                      5      kvm/exits");
	CHECK(strstr(text, "seconds time elapsed") == NULL);
	free(text);

	f.many = true;
	text = printed(t, &f);
	has(text, "     7.500000000 g                vcpu0                  3,995      kvm/exits");
	has(text, "     7.500000000 g                vcpu0        <not supported>      cache-misses:G");
	free(text);
	/* A title says it. */
	f = (struct stat_format){ .guest = "g", .many = true };
	text = printed(t, &f);
	has(text, " for guest 'g', 2 vCPUs:\n");
	has(text, " KVM's statistics:\n               4,000      exits ");
	free(text);
	stat_table_free(t);
}

static void test_csv(void)
{
	struct stat_table *t = table(2, 1000, 1000, 3995);
	struct stat_format f = { .guest = "g", .separator = ";" };
	char *text = printed(t, &f);

	has(text, "1000;;cycles:G;2000;100.00;0.50;GHz\n");
	has(text, "2000;;instructions:G;500;50.00;2.00;insn per cycle\n");
	has(text, "<not supported>;;cache-misses:G;0;0.00;;\n");
	has(text, "<not counted>;;branches:G;0;0.00;;\n");
	has(text, "4000;;kvm/exits;0;100.00;2000.00;/sec\n");
	has(text, "0;;kvm/idle;0;100.00;0.00;/sec\n");
	has(text, "1000000000;ns;time/guest;0;100.00;25.00;% of the time\n");
	CHECK(!strncmp(text, "1000;", 5));
	free(text);

	f.many = true;
	text = printed(t, &f);
	CHECK(!strncmp(text, "g;1000;;cycles:G;", 17));
	has(text, "\ng;<not counted>;;branches:G;0;0.00;;\n");
	free(text);
	f.interval = true;
	f.per_vcpu = true;
	f.at_seconds = 1;
	text = printed(t, &f);
	has(text, "\n1.000000000;g;vcpu1;5;;kvm/exits;0;100.00;2.50;/sec\n");
	free(text);
	stat_table_free(t);
}

static void test_json(void)
{
	struct stat_table *t = table(2, 1000, 1000, 3995);
	struct stat_format f = { .guest = "a\"b", .json = true, .per_vcpu = true, .interval = true, .at_seconds = 1 };
	char *text = printed(t, &f);

	has(text, "{\"interval\" : 1.000000000, \"guest\" : \"a\\\"b\", \"vcpu\" : 1, \"source\" : \"kvm\", "
		  "\"event\" : \"kvm/exits\", "
		  "\"counter-value\" : \"5.000000\", \"unit\" : \"\", \"event-runtime\" : 0, \"pcnt-running\" : 100.00, "
		  "\"metric-value\" : \"2.500000\", \"metric-unit\" : \"/sec\"}\n");
	has(text, "\"event\" : \"cache-misses:G\", \"counter-value\" : \"<not supported>\"");
	has(text, "\"reason\" : \"no \\\"such\\\" thing\"}\n");
	free(text);
	f = (struct stat_format){ .guest = "g", .json = true };
	text = printed(t, &f);
	has(text, "{\"guest\" : \"g\", \"source\" : \"perf\", \"event\" : \"cycles:G\", ");
	free(text);
	stat_table_free(t);
}

/* Two vCPUs: @ns of the guest's time on the second. */
static enum stat_state judged(double seconds, uint64_t ns)
{
	struct stat_table *t = stat_table_new(2);
	struct stat_item *item = stat_table_item(t, STAT_TIME, "guest");
	enum stat_state state;

	t->seconds = seconds;
	stat_item_set(item, 1, ns);
	stat_item_missing(stat_table_item(t, STAT_TIME, "untold"), STAT_NOT_SUPPORTED, "never");
	item = stat_table_item(t, STAT_TIME, "rest");
	stat_item_set(item, 0, 77);
	stat_item_set(stat_table_item(t, STAT_KVM, "exits"), 0, 5);
	stat_judge_ticks(t, "rest", 10000000);

	state = stat_table_find(t, STAT_TIME, "guest")->state;
	item = stat_table_item(t, STAT_TIME, "rest");
	CHECK_EQ(item->state, state);
	if (state != STAT_COUNTED)
		CHECK_STR(item->why, "too short to tell: the kernel counts in ticks of 10 ms");
	/* Of which later intervals are the difference. */
	CHECK_EQ(item->cells[0].value, 77);
	CHECK_STR(stat_table_find(t, STAT_TIME, "untold")->why, "never");
	CHECK_EQ(stat_table_find(t, STAT_KVM, "exits")->state, STAT_COUNTED);
	stat_table_free(t);
	return state;
}

static void test_ticks(void)
{
	CHECK_EQ(judged(0.002, 0), STAT_NOT_COUNTED);
	CHECK_EQ(judged(0.19, 0), STAT_NOT_COUNTED);
	CHECK_EQ(judged(0.21, 0), STAT_COUNTED);
	CHECK_EQ(judged(0.015, 10000000), STAT_COUNTED);
}

static void test_room(void)
{
	struct stat_table *t = stat_table_new(1);
	char name[16];

	for (int i = 0; i < STAT_MAX_ITEMS; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		CHECK(stat_table_item(t, STAT_KVM, name) != NULL);
	}
	CHECK(stat_table_item(t, STAT_KVM, "one too many") == NULL);
	CHECK(stat_table_item(t, STAT_KVM, "n3") == &t->items[3]);
	stat_table_free(t);
}

const struct test pmu_stat_tests[] = {
	{ "since", test_since },
	{ "text", test_text },
	{ "csv", test_csv },
	{ "json", test_json },
	{ "ticks", test_ticks },
	{ "room", test_room },
	{ 0 },
};
