// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/test.h"

/* The words of case @c, parted by spaces. Static buffer. */
static const char *line_of(const struct suite_case *c)
{
	static char line[512];

	line[0] = '\0';
	for (unsigned int i = 0; i < c->nr_args; i++) {
		strcat(line, i ? " " : "");
		strcat(line, c->argv[i]);
	}
	return line;
}

static void test_good(void)
{
	static const char text[] =
		"kernel = 'Image'\nargs = ['--rng']\ntimeout = '5m'\nretries = 1\n"
		"[[case]]\nname = 'plain'\ncommand = ['true']\n"
		"[[case]]\nname = 'smp'\ncpus = [1, 2]\nmem = '1G'\nparams = ['a b', 'c']\nargs = []\nexpect = 'panic'\nretries = 0\n"
		"[[case]]\nname = 'kernels'\nkernel = ['x/one', 'y/two']\nadd = ['f', 'g:/h']\nexpect = 3\nskip = true\n";
	char error[SUITE_ERROR_BYTES];
	struct suite s;

	CHECK_EQ(suite_parse(&s, text, error), 0);
	CHECK_STR(error, "");
	CHECK_EQ(s.nr, 7);
	CHECK_STR(s.cases[0].name, "plain");
	CHECK_STR(line_of(&s.cases[0]), "run --kernel Image --timeout 5m --rng -- true");
	CHECK_EQ(s.cases[0].retries, 1);
	CHECK_STR(s.cases[1].name, "smp[params=a b,cpus=1]");
	CHECK_STR(s.cases[2].name, "smp[params=a b,cpus=2]");
	CHECK_STR(s.cases[4].name, "smp[params=c,cpus=2]");
	CHECK_STR(line_of(&s.cases[4]), "run --kernel Image --params c --cpus 2 --mem 1G --timeout 5m");
	CHECK_EQ(s.cases[4].expect_outcome, OUTCOME_PANIC);
	CHECK_EQ(s.cases[4].retries, 0);
	CHECK_STR(s.cases[6].name, "kernels[kernel=two]");
	CHECK_STR(line_of(&s.cases[6]), "run --kernel y/two --timeout 5m --add f --add g:/h --rng");
	CHECK_EQ(s.cases[6].expect_status, 3);
	CHECK(s.cases[6].skip && !s.cases[4].skip);

	suite_shard(&s, 2, 3);
	CHECK_EQ(s.nr, 2);
	CHECK_STR(s.cases[0].name, "smp[params=a b,cpus=1]");
	CHECK_STR(s.cases[1].name, "smp[params=c,cpus=2]");
	suite_free(&s);
}

static void test_bad(void)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "", "there is no [[case]]" },
		{ "[[case]]\n", "line 1: a case needs a name, a string without '[', ']' and '/'" },
		{ "[[case]]\nname = 'a/b'", "line 1: a case needs a name, a string without '[', ']' and '/'" },
		{ "[case]\nname = 'a'", "line 1: unknown table 'case': cases are [[case]]" },
		{ "[[tests]]\nname = 'a'", "line 1: unknown table 'tests': cases are [[case]]" },
		{ "[[case]]\nname = 'a'\n[[case]]\nname = 'a'", "two cases are called 'a'" },
		{ "[[case]]\nname = 'a'\nkernl = 'x'", "line 3: unknown key 'kernl' (did you mean kernel?)" },
		{ "qqqq = 1\n[[case]]\nname = 'a'", "line 1: unknown key 'qqqq'" },
		{ "[[case]]\nname = 'a'\ncpus = []", "line 3: 'cpus' is empty, so there is no case" },
		{ "[[case]]\nname = 'a'\nretries = 'x'", "line 3: retries is a number, 20 at most" },
		{ "[[case]]\nname = 'a'\nexpect = 'good'", "line 3: expect is \"ok\", an exit status, or an outcome such as "
							   "\"panic\" or \"hung\" (docs/exit-codes.md)" },
		{ "[[case]]\nname = 'a'\nfirmware = 3", "line 3: 'firmware' is made of strings, in quotes: 3 is none" },
		{ "args = [7]\n[[case]]\nname = 'a'", "line 1: 'args' is made of strings, in quotes: 7 is none" },
		{ "[[case]]\nname = 'a'\ncommand = true", "line 3: 'command' is made of strings, in quotes: true is none" },
		{ "[[case]]\nname = 'a'\nadd = [1, 2]", "line 3: 'add' is made of strings, in quotes: 1 is none" },
		{ "[[case]]\nname = 'a'\ncpus = true", "line 3: 'cpus' is made of numbers or strings, in quotes: true is none" },
		{ "[[case]]\nname = 'a'\nskip = 'true'", "line 3: skip is true or false, without quotes" },
		{ "[[case]]\nname = 'a'\nskip = 1", "line 3: skip is true or false, without quotes" },
		{ "[[case]\n", "line 1: the name of a table is not closed by ]]" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char error[SUITE_ERROR_BYTES];
		struct suite s;

		CHECK_EQ(suite_parse(&s, rows[i].text, error), -EINVAL);
		CHECK_STR(error, rows[i].error);
		suite_free(&s);
	}
}

static void test_verdicts(void)
{
	struct suite_case ok = { 0 }, three = { .expect_status = 3 }, panic = { .expect_outcome = OUTCOME_PANIC };
	struct suite_case t120 = { .expect_status = 120 };

	CHECK(suite_passed(&ok, "command", 0));
	CHECK(suite_passed(&ok, "poweroff", 0));
	CHECK(suite_passed(&ok, NULL, 0));
	CHECK(!suite_passed(&ok, "command", 1));
	CHECK(suite_passed(&three, "command", 3));
	CHECK(suite_passed(&panic, "panic", 120));
	CHECK(!suite_passed(&panic, "command", 120));
	CHECK(!suite_passed(&panic, NULL, 120));
	/* A panic is not a command that ended with 120. */
	CHECK(!suite_passed(&t120, "panic", 120));
	CHECK(suite_passed(&t120, "command", 120));
}

const struct test suite_tests[] = {
	{ "good", test_good },
	{ "bad", test_bad },
	{ "verdicts", test_verdicts },
	{ 0 },
};
