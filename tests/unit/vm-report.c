// SPDX-License-Identifier: GPL-2.0-only
/* Files of a run for machines. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "lkvm/run-report.h"
#include "tests/unit/test.h"

static void check_xml(const char *text, const char *want)
{
	char buf[256] = "";
	FILE *out = fmemopen(buf, sizeof(buf), "w");

	run_report_xml(out, text);
	fclose(out);
	CHECK_STR(buf, want);
}

static void test_xml(void)
{
	check_xml("plain \t\n", "plain \t\n");
	check_xml("<a b=\"c\">&</a>", "&lt;a b=&quot;c&quot;&gt;&amp;&lt;/a&gt;");
	check_xml("\x1b[31mred\x01\x7f", "?[31mred??");
	check_xml("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	/* Cut, overlong, surrogate, not in XML, beyond Unicode. */
	check_xml("\xc3", "?");
	check_xml("\xe2\x82", "??");
	check_xml("\xc0\xaf", "??");
	check_xml("\xe0\x80\xaf", "???");
	check_xml("\xed\xa0\x80", "???");
	check_xml("\xef\xbf\xbf", "???");
	check_xml("\xf4\x90\x80\x80", "????");
	check_xml("\xff" "a", "?a");
}

static void read_file(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(buf, 1, size - 1, f) : 0;

	buf[n] = '\0';
	if (f)
		fclose(f);
}

static void test_files(void)
{
	static char text[16384];
	char dir[] = "/tmp/lkvm-test-XXXXXX", junit[64], tap[64], json[64], bad[64];
	static char kernel[] = "dir/Image", name[] = "it's #1 <\xff>", word[] = "run";
	char *argv[] = { word, name, NULL };
	struct config cfg = { .kernel = kernel, .name = name };
	struct outcome outcome = { .kind = OUTCOME_PANIC, .text = "it's\nso" };
	struct run_report r = { .cfg = &cfg, .outcome = &outcome, .argv = argv };
	int fds = test_open_fds();

	if (!mkdtemp(dir))
		test_skip("no directory can be made in /tmp");
	snprintf(junit, sizeof(junit), "%s/junit", dir);
	snprintf(tap, sizeof(tap), "%s/tap", dir);
	snprintf(json, sizeof(json), "%s/json", dir);
	snprintf(bad, sizeof(bad), "%s/no/where", dir);
	cfg.junit = bad;
	test_stderr_begin();
	CHECK_EQ(run_report_prepare(&cfg), -ENOENT);
	CHECK(strstr(test_stderr_end(), "--junit: cannot write "));
	cfg.junit = junit;
	cfg.tap = tap;
#ifdef HAVE_JANSSON
	cfg.report = json;
#endif
	CHECK_EQ(run_report_prepare(&cfg), 0);
	CHECK_EQ(access(junit, F_OK), 0);
	CHECK_EQ(run_report_write(&r), 0);
	read_file(tap, text, sizeof(text));
	CHECK_STR(text, "TAP version 13\n1..1\nnot ok 1 - it's _1 <\xff>\n  ---\n  outcome: 'panic'\n"
			"  message: 'guest panic: it''s?so (exit status 120)'\n  exit_status: 120\n  ...\n");
	read_file(junit, text, sizeof(text));
	CHECK(strstr(text, "failures=\"1\" errors=\"0\""));
	CHECK(strstr(text, "name=\"it's #1 &lt;?&gt;\""));
	CHECK(strstr(text, "<failure type=\"panic\" message=\"guest panic: it's\nso (exit status 120)\">"));
#ifdef HAVE_JANSSON
	json_t *root = json_load_file(json, 0, NULL);

	CHECK_STR(json_string_value(json_object_get(root, "outcome")), "panic");
	CHECK_STR(json_string_value(json_object_get(root, "name")), "it's #1 <?>");
	CHECK_EQ(json_integer_value(json_object_get(root, "exit_status")), 120);
	CHECK(json_is_false(json_object_get(root, "ok")));
	json_decref(root);
#endif
	outcome = (struct outcome){ .kind = OUTCOME_COMMAND };
	CHECK_EQ(run_report_write(&r), 0);
	read_file(tap, text, sizeof(text));
	CHECK_STR(text, "TAP version 13\n1..1\nok 1 - it's _1 <\xff>\n");
	read_file(junit, text, sizeof(text));
	CHECK(strstr(text, "failures=\"0\"") && !strstr(text, "<failure"));
	unlink(junit);
	unlink(tap);
	unlink(json);
	rmdir(dir);
	CHECK_EQ(test_open_fds(), fds);
}

const struct test vm_report_tests[] = {
	{ "xml", test_xml },
	{ "files", test_files },
	{ 0 },
};
