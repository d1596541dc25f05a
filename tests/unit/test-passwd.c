// SPDX-License-Identifier: GPL-2.0-only
#include "guest/passwd.h"

#include <string.h>

#include "lkvm/types.h"
#include "tests/unit/test.h"

static const char text[] =
	"# comment\n"
	"root:x:0:0:root:/root:/bin/bash\n"
	"\n"
	"www:x:33:34:www:/var/www:\n"
	"www-data:x:35:36:ww:/var/www:/usr/sbin/nologin\n"
	"bad:x:abc:1:::\n"
	"empty:x::1:::\n"
	"negative:x:-1:1:::\n"
	"large:x:4294967295:1:::\n"
	"larger:x:1:4294967296:::\n"
	"short:x:7\n"
	"x:root:44:45:::\n"
	"twice:x:z:1:::\n"
	"twice:x:50:51:::\n"
	"most:x:4294967294:4294967294:::\n"
	"bare:x:60:61\n"
	"last:x:70:71:::";

/* Finds @name in pieces of @step bytes. */
static int find(const char *name, size_t step, uint32_t *uid, uint32_t *gid)
{
	struct passwd_search s = { .name = name };
	int ret;

	for (size_t at = 0; at < sizeof(text) - 1; at += step)
		passwd_search(&s, text + at, sizeof(text) - 1 - at < step ? sizeof(text) - 1 - at : step);
	ret = passwd_search(&s, "\n", 1);
	*uid = s.uid;
	*gid = s.gid;
	return ret;
}

static void test_found(void)
{
	static const struct { const char *name; uint32_t uid, gid; } rows[] = {
		{ "root", 0, 0 },
		{ "www", 33, 34 },
		{ "www-data", 35, 36 },
		{ "x", 44, 45 },
		{ "twice", 50, 51 },
		{ "most", 4294967294u, 4294967294u },
		{ "bare", 60, 61 },
		{ "last", 70, 71 },
	};
	uint32_t uid, gid;

	for (size_t step = 1; step <= sizeof(text); step = step * 3 + 1) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			CHECK_EQ(find(rows[i].name, step, &uid, &gid), 1);
			CHECK_EQ(uid, rows[i].uid);
			CHECK_EQ(gid, rows[i].gid);
		}
	}
}

/* A byte that ends the name looked for, and then what is behind that in memory. */
static void test_nul(void)
{
	static const char name[] = "root\0more";
	struct passwd_search s = { .name = name };
	static const char line[] = "root\0more:x:5:6:::\n";

	CHECK_EQ(passwd_search(&s, line, sizeof(line) - 1), 0);
	CHECK_EQ(passwd_search(&s, "root:x:7:8:::\n", strlen("root:x:7:8:::\n")), 1);
	CHECK_EQ(s.uid, 7);
}

static void test_not_found(void)
{
	static const char *const names[] = {
		"ww", "www-", "nobody", "bad", "empty", "negative", "large", "larger", "short", "# comment", "Root", "roo", "roott",
	};
	uint32_t uid, gid;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		CHECK_EQ(find(names[i], 5, &uid, &gid), 0);
}

const struct test passwd_tests[] = {
	{ "found", test_found },
	{ "not-found", test_not_found },
	{ "nul", test_nul },
	{ 0 },
};
