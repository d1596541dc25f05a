// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/timeline-svg.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

static char *written(const struct timeline *t)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	timeline_svg_write(t, out);
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

/* Each phase ends where the next one that happened begins; the bars are as wide as they are long. */
static void test_phases(void)
{
	struct timeline t = {
		.title = "a<b>&c", .outcome = "the command's \x01 <end>", .at = { 0, 0.5, 1, 1.5, 2, 3, 4 }, .end = 4,
	};
	char *text = written(&t);

	CHECK(strstr(text, "<svg xmlns=\"http://www.w3.org/2000/svg\"") == text);
	CHECK(strstr(text, "Guest a&lt;b&gt;&amp;c</text>") != NULL);
	CHECK(strstr(text, "the command's   &lt;end&gt;</text>") != NULL);
	CHECK(strstr(text, "seconds since lkvm was started") != NULL);
	/* 610 for 4 seconds, from 230 on. */
	CHECK(strstr(text, "x=\"230.0\" y=\"72\" width=\"76.2\"") != NULL);
	CHECK(strstr(text, "x=\"306.2\" y=\"102\" width=\"76.2\"") != NULL);
	CHECK(strstr(text, "x=\"535.0\" y=\"192\" width=\"152.5\"") != NULL);
	CHECK(strstr(text, "x=\"840.0\" y=\"252\" width=\"1.0\"") != NULL);
	CHECK_EQ(count(text, ">500 ms</text>"), 4);
	CHECK_EQ(count(text, ">1.00 s</text>"), 2);
	CHECK_EQ(count(text, ">0 ms</text>"), 1);
	CHECK(!strstr(text, "How often"));
	CHECK(!strcmp(text + strlen(text) - 7, "</svg>\n"));
	free(text);
}

/* What did not happen has no row, and a run that never was has a picture, too. */
static void test_absent(void)
{
	struct timeline t = { .title = "t", .outcome = "o", .at = { 0, 1, -1, -1, -1, -1, 3 }, .end = 3 };
	char *text = written(&t);

	CHECK(!strstr(text, "command") && !strstr(text, "console"));
	CHECK(strstr(text, ">2.00 s</text>") != NULL);
	free(text);

	t = (struct timeline){ .title = "t", .outcome = "o", .at = { 0, -1, -1, -1, -1, -1, -1 } };
	text = written(&t);
	CHECK(strstr(text, "lkvm sets the guest up") && strstr(text, ">0 ms</text>"));
	CHECK(!strstr(text, "nan") && !strstr(text, "inf"));
	free(text);
}

static void test_exits(void)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };
	static const uint64_t counts[] = { 5, 0, 9, 1, 9, 300, 2, 4, 8, 7 };
	struct timeline t = { .title = "t", .outcome = "o", .at = { 0, -1, -1, -1, -1, -1, -1 }, .end = 1 };
	char *text, order[TIMELINE_EXITS + 1] = "";

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		timeline_add_exits(&t, names[i], counts[i]);
	CHECK_EQ(t.nr_exits, TIMELINE_EXITS);
	for (unsigned int i = 0; i < t.nr_exits; i++)
		order[i] = t.exits[i].name[0];
	CHECK_STR(order, "fceijahg");
	text = written(&t);
	CHECK(strstr(text, "How often") && strstr(text, ">300</text>") && strstr(text, ">f</text>"));
	CHECK(strstr(text, "width=\"610.0\" height=\"12\"") != NULL);
	CHECK(strstr(text, "width=\"18.3\" height=\"12\"") != NULL);
	free(text);
}

const struct test timeline_svg_tests[] = {
	{ "phases", test_phases },
	{ "absent", test_absent },
	{ "exits", test_exits },
	{ 0 },
};
