// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/toml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/test.h"

static void test_good(void)
{
	static const char text[] =
		"# a comment\n"
		"a = \"x\\t\\\"\\u00e9\" # another\r\n"
		"'b c' = 'raw \\n'\n"
		"n=-12\n"
		"yes = true\n"
		"list = [ 1, 2,\n  # within\n  3, ]\n"
		"none = []\n"
		"[one]\n"
		"a = 'other'\n"
		"\n"
		"[[case]]\n"
		"name = \"first\"\n"
		"[[ case ]]\n"
		"name = \"second\"";
	char error[TOML_ERROR_BYTES];
	const struct toml_entry *e;
	struct toml t;

	CHECK_EQ(toml_parse(&t, text, error), 0);
	CHECK_STR(error, "");
	CHECK_EQ(t.nr_tables, 4);
	CHECK_STR(t.tables[3].name, "case");
	CHECK(t.tables[3].array && !t.tables[1].array);
	e = toml_find(&t, 0, "a");
	CHECK_STR(e->values[0], "x\t\"\xc3\xa9");
	CHECK_EQ(e->line, 2);
	CHECK(!e->array && e->used);
	CHECK_STR(toml_find(&t, 0, "b c")->values[0], "raw \\n");
	CHECK_STR(toml_find(&t, 0, "n")->values[0], "-12");
	CHECK_EQ(toml_find(&t, 0, "n")->type, TOML_INTEGER);
	CHECK_EQ(toml_find(&t, 0, "yes")->type, TOML_BOOLEAN);
	e = toml_find(&t, 0, "list");
	CHECK_EQ(e->nr, 3);
	CHECK_STR(e->values[2], "3");
	CHECK(toml_find(&t, 0, "none")->array);
	CHECK_STR(toml_find(&t, 1, "a")->values[0], "other");
	CHECK_STR(toml_find(&t, 2, "name")->values[0], "first");
	CHECK_STR(toml_find(&t, 3, "name")->values[0], "second");
	CHECK(!toml_find(&t, 3, "a"));
	toml_free(&t);
}

static void test_bad(void)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "a", "line 1: 'a' has no value: a = is missing" },
		{ "\n= 1", "line 2: '= 1' is no key" },
		{ "a = ", "line 1: '' is no string, whole number, boolean or array of these" },
		{ "a = 1.5", "line 1: '1.5' is no string, whole number, boolean or array of these" },
		{ "a = -", "line 1: '-' is no string, whole number, boolean or array of these" },
		{ "a = \"x", "line 1: a string does not end" },
		{ "a = \"\\q\"", "line 1: a string has an unknown escape, \\q" },
		{ "a = \"\\u12\"", "line 1: \\u needs 4 hexadecimal digits" },
		{ "a = \"\\u0000\"", "line 1: \\u0000 is no character that a string can hold" },
		{ "a = \"\"\"x\"\"\"", "line 1: strings over several lines are not understood" },
		{ "a = 1 2", "line 1: '2' is one thing too much" },
		{ "a = [1 2]", "line 1: the array 'a' lacks a comma" },
		{ "a = [1, 'x']", "line 1: the values of 'a' are not all of one kind" },
		{ "a = [1,\n", "line 2: the array 'a' does not end" },
		{ "a = [[1]]", "line 1: '[1' is no string, whole number, boolean or array of these" },
		{ "a = 1\na = 2", "line 2: 'a' is there already" },
		{ "[t", "line 1: the name of a table is not closed by ]" },
		{ "[[t]", "line 1: the name of a table is not closed by ]]" },
		{ "[t]\n[t]", "line 2: the table 't' is there already" },
		{ "[[t]]\n[t]", "line 2: the table 't' is there already" },
		{ "a.b = 1", "line 1: 'a' has no value: a = is missing" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char error[TOML_ERROR_BYTES];
		struct toml t;

		CHECK_EQ(toml_parse(&t, rows[i].text, error), -EINVAL);
		CHECK_STR(error, rows[i].error);
		toml_free(&t);
	}
}

/* Cut anywhere, it is parsed or refused. */
static void test_cut(void)
{
	static const char text[] = "a = \"x\\u00e9\"\n[b]\nc = [1,\n2]\n[[d]]\ne = 'f' # g\n";
	char error[TOML_ERROR_BYTES], copy[sizeof(text)];
	struct toml t;

	for (size_t len = 0; len < sizeof(text); len++) {
		int ret;

		snprintf(copy, sizeof(copy), "%.*s", (int)len, text);
		ret = toml_parse(&t, copy, error);
		CHECK(ret == 0 || (ret == -EINVAL && error[0]));
		toml_free(&t);
	}
}

const struct test toml_tests[] = {
	{ "good", test_good },
	{ "bad", test_bad },
	{ "cut", test_cut },
	{ 0 },
};
