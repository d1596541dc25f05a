// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/stat-svg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

static void add(struct stat_svg *svg, double at, uint64_t exits, bool per_vcpu)
{
	struct stat_table *t = stat_table_new(2);
	struct stat_item *item = stat_table_item(t, STAT_KVM, "exits");

	t->seconds = 0.5;
	stat_item_set(item, 0, exits);
	stat_item_set(item, 1, 1);
	item = stat_table_item(t, STAT_PERF, "cycles:G");
	stat_item_missing(item, STAT_NOT_SUPPORTED, "no");
	item = stat_table_item(t, STAT_TIME, "guest");
	item->unit = "ns";
	stat_item_set(item, 0, 99);
	stat_table_item(t, STAT_KVM, "never");
	CHECK_EQ(stat_svg_add(svg, t, at, per_vcpu), 0);
	stat_table_free(t);
}

static char *written(const struct stat_svg *svg, const char *title)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	stat_svg_write(svg, title, out);
	fclose(out);
	return text;
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void test_chart(void)
{
	struct stat_svg *svg = stat_svg_new();
	char *text;

	for (int i = 1; i <= 100; i++)
		add(svg, 0.5 * i, (uint64_t)(500 * i), false);
	text = written(svg, "a<b>&c");
	CHECK(strstr(text, "<svg xmlns=\"http://www.w3.org/2000/svg\"") == text);
	CHECK(strstr(text, "Guest a&lt;b&gt;&amp;c</text>") != NULL);
	/* What can't be counted, what is no rate and what never happened has no line. */
	CHECK_EQ(count(text, "<path class=\"line\""), 1);
	CHECK(strstr(text, ">kvm/exits</text>") != NULL);
	CHECK(strstr(text, "prefers-color-scheme: dark") != NULL);
	CHECK(strstr(text, "time in seconds") != NULL && strstr(text, "per second") != NULL);
	/* The last point: at the right end, 100002 a second, on an axis that ends at a million. */
	CHECK(strstr(text, "L670.0 104.0\"/>") != NULL);
	CHECK(strstr(text, ">100 k</text>") != NULL && strstr(text, ">1 M</text>") != NULL);
	CHECK(strstr(text, ">10 M</text>") == NULL);
	CHECK(strstr(text, "nan") == NULL && strstr(text, "inf") == NULL);
	free(text);
	stat_svg_free(svg);
	stat_svg_free(NULL);
}

static void test_per_vcpu(void)
{
	struct stat_svg *svg = stat_svg_new();
	char *text;

	add(svg, 0.5, 7, true);
	text = written(svg, "g");
	CHECK_EQ(count(text, "<path class=\"line\""), 2);
	CHECK(strstr(text, ">kvm/exits, vCPU 1</text>") != NULL);
	CHECK_EQ(count(text, "<circle"), 2);
	free(text);
	stat_svg_free(svg);
}

static void test_empty(void)
{
	struct stat_svg *svg = stat_svg_new();
	char *text = written(svg, "g");

	CHECK(strstr(text, "</svg>") != NULL);
	CHECK(strstr(text, "nan") == NULL && strstr(text, "inf") == NULL);
	free(text);
	stat_svg_free(svg);
}

const struct test stat_svg_tests[] = {
	{ "chart", test_chart },
	{ "per_vcpu", test_per_vcpu },
	{ "empty", test_empty },
	{ 0 },
};
