// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lkvm/log.h"
#include "tests/unit/test.h"

/* ---- a table of every kind of option ---------------------------------------------------------- */

struct target {
	char        *file;
	char        *text;
	bool         flag;
	bool         verbose;
	unsigned int number;
	uint64_t     size_bytes;
	uint64_t     time_ms;
	char         level[16];
	char         log[256]; /* calls of the compound keys, in order */
};

static int parse_level(void *target, const struct option_use *use LKVM_UNUSED, const char *arg,
		       bool enabled)
{
	struct target *t = target;

	snprintf(t->level, sizeof(t->level), "%s%s", enabled ? "+" : "-", arg ? arg : "");
	return 0;
}

static int parse_key(void *target, const struct option_use *use LKVM_UNUSED, const char *key,
		     const char *value)
{
	struct target *t = target;
	size_t n = strlen(t->log);

	snprintf(t->log + n, sizeof(t->log) - n, "[%s=%s]", key, value ? value : "(null)");
	return value && !strcmp(value, "fail") ? -EINVAL : 0;
}

static const struct option_key keys[] = {
	{ .name = "path", .parse = parse_key },
	{ .name = "ro", .flag = true, .parse = parse_key },
	{ .name = "serial", .parse = parse_key },
};

static int parse_thing(void *target, const struct option_use *use, const char *arg,
		       bool enabled LKVM_UNUSED)
{
	return options_parse_compound(target, use, arg, keys, ARRAY_SIZE(keys));
}

#define FIELD(f) .offset = offsetof(struct target, f)

static const struct option_spec specs[] = {
	{ .short_name = 'f', .long_name = "file", .aliases = "image picture", .metavar = "FILE",
	  .arches = OPT_ALL, .section = "One", .help = "a file", .parse = option_parse_string,
	  FIELD(file) },
	{ .long_name = "text", .metavar = "TEXT", .arches = OPT_ALL, .section = "One",
	  .help = "-words. and 'quotes', far too long for a single line of eighty columns of help",
	  .parse = option_parse_string, FIELD(text) },
	{ .short_name = 'x', .long_name = "flag", .negatable = true, .arches = OPT_ALL,
	  .section = "One", .help = "a flag", .parse = option_parse_bool, FIELD(flag) },
	{ .short_name = 'v', .long_name = "verbose", .arches = OPT_ALL, .section = "One",
	  .help = "talk", .parse = option_parse_bool, FIELD(verbose) },
	{ .short_name = 'n', .long_name = "number", .metavar = "N", .arches = OPT_ALL,
	  .section = "Two", .help = "a number", .parse = option_parse_uint, FIELD(number) },
	{ .short_name = 'm', .long_name = "mem", .aliases = "memory", .metavar = "SIZE",
	  .arches = OPT_ALL, .section = "Two", .help = "a size", .parse = option_parse_size,
	  FIELD(size_bytes) },
	{ .long_name = "timeout", .metavar = "TIME", .arches = OPT_ALL, .section = "Two",
	  .help = "a time", .parse = option_parse_duration, FIELD(time_ms) },
	{ .short_name = 'l', .long_name = "level", .metavar = "WORD", .optional_arg = true,
	  .negatable = true, .arches = OPT_ALL, .section = "Two", .help = "a level",
	  .parse = parse_level },
	{ .long_name = "thing", .metavar = "FILE[,KEY...]", .arches = OPT_ALL, .section = "Two",
	  .help = "a compound", .parse = parse_thing },
	{ .long_name = "gic", .metavar = "N", .arches = OPT_ARM64, .section = "Three",
	  .help = "arm only", .parse = option_parse_uint, FIELD(number) },
	{ .long_name = "disable-mte", .arches = OPT_ARM64, .section = "Three", .help = "arm only",
	  .parse = option_parse_bool, FIELD(flag) },
	{ .long_name = "disable-sbi-", .prefix = true, .metavar = "EXT", .arches = OPT_RISCV64,
	  .section = "Three", .help = "no such SBI extension", .parse = option_parse_string,
	  FIELD(text) },
	{ .long_name = "disable-", .prefix = true, .metavar = "EXT", .arches = OPT_RISCV64,
	  .section = "Three", .help = "no such extension", .parse = option_parse_string,
	  FIELD(file) },
	{ .long_name = "sdl", .arches = OPT_ALL, .section = "None", .refused = "lkvm has no graphics" },
	{ .short_name = 'F', .long_name = "flash", .metavar = "FILE", .arches = OPT_ALL,
	  .section = "None", .refused = "no flash here" },
};

static const struct option_set set = {
	.specs = specs, .nr = ARRAY_SIZE(specs), .command = "try", .arch = OPT_RISCV64,
};

static void target_free(struct target *t)
{
	free(t->file);
	free(t->text);
	memset(t, 0, sizeof(*t));
}

#define MAX_WORDS 16

/* Parses "try" and the words of @line (parted by spaces; "''" is an empty word). */
static int parse_line(const struct option_set *s, struct target *t, const char *line)
{
	char copy[512];
	char *argv[MAX_WORDS + 2] = { copy };
	char *save = NULL;
	int argc = 1;

	snprintf(copy, sizeof(copy), "try %s", line);
	strtok_r(copy, " ", &save);
	while (argc < MAX_WORDS) {
		char *w = strtok_r(NULL, " ", &save);

		if (!w)
			break;
		argv[argc++] = strcmp(w, "''") ? w : strchr(w, '\0');
	}
	return options_parse(s, argc, argv, t);
}

static void check_line(const char *line, int result)
{
	struct target t = { 0 };

	test_stderr_begin();
	CHECK_EQ(parse_line(&set, &t, line), result);
	CHECK_STR(test_stderr_end(), "");
	target_free(&t);
}

static void check_error_on(unsigned int arch, const char *line, const char *message)
{
	struct option_set s = set;
	struct target t = { 0 };
	char full[512];
	int ret;

	s.arch = arch;
	/* A hint stands in the same brackets as the way to help. */
	if (strchr(";?", message[strlen(message) - 1]))
		snprintf(full, sizeof(full), "lkvm: %s see lkvm help try)\n", message);
	else
		snprintf(full, sizeof(full), "lkvm: %s (see lkvm help try)\n", message);
	test_stderr_begin();
	ret = parse_line(&s, &t, line);
	CHECK_STR(test_stderr_end(), full);
	CHECK_EQ(ret, -EINVAL);
	target_free(&t);
}

static void check_error(const char *line, const char *message)
{
	check_error_on(OPT_RISCV64, line, message);
}

/* ---- numbers ---------------------------------------------------------------------------------- */

static void test_sizes(void)
{
	static const struct {
		const char *text;
		uint64_t    bytes;
	} good[] = {
		{ "0", 0 }, { "1", MIB(1) }, { "512", MIB(512) }, { "512M", MIB(512) },
		{ "512m", MIB(512) }, { "64k", KIB(64) }, { "64K", KIB(64) }, { "2G", GIB(2) },
		{ "2GiB", GIB(2) }, { "2GB", GIB(2) }, { "2gb", GIB(2) }, { "2Gi", GIB(2) },
		{ "1T", GIB(1024) }, { "1P", GIB(1024) << 10 }, { "4096B", 4096 }, { "4096b", 4096 },
		{ "17592186044415", UINT64_MAX - MIB(1) + 1 }, { "16383P", UINT64_MAX << 50 },
		{ "18446744073709551615B", UINT64_MAX }, { "007", MIB(7) },
	};
	static const char *const bad[] = {
		"", "M", "x", "-1", "+1", " 1", "1 ", "1MM", "1X", "1.5G", "0x10", "1M2", "1iB", "1BB",
		"1Bi", "1Mx", "1MiBx", "1,", "\xff",
	};
	static const char *const large[] = {
		"17592186044416", "16384P", "18446744073709551616B", "99999999999999999999999999",
		"18446744073709551615", "18014398509481984K",
	};
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		v = 42;
		CHECK_EQ(parse_size(good[i].text, &v), 0);
		CHECK_EQ(v, good[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		v = 42;
		CHECK_EQ(parse_size(bad[i], &v), -EINVAL);
		CHECK_EQ(v, 42);
	}
	for (size_t i = 0; i < ARRAY_SIZE(large); i++) {
		v = 42;
		CHECK_EQ(parse_size(large[i], &v), -ERANGE);
		CHECK_EQ(v, 42);
	}
}

static void test_durations(void)
{
	static const struct {
		const char *text;
		uint64_t    ms;
	} good[] = {
		{ "0", 0 }, { "90", 90000 }, { "90s", 90000 }, { "5m", 300000 }, { "1h", 3600000 },
		{ "250ms", 250 }, { "9223372036854ms", 9223372036854 },
	};
	static const char *const bad[] = {
		"", "s", "-5", "5x", "5 s", "1m30s", "1.5s", "5S", "ms", "5mss",
	};
	static const char *const large[] = {
		"9223372036855ms", "18446744073709551616", "18446744073709551615h", "9223372037",
	};
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		CHECK_EQ(parse_duration(good[i].text, &v), 0);
		CHECK_EQ(v, good[i].ms);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(parse_duration(bad[i], &v), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(large); i++)
		CHECK_EQ(parse_duration(large[i], &v), -ERANGE);
}

static void test_u64(void)
{
	uint64_t v = 0;

	CHECK_EQ(parse_u64("18446744073709551615", &v), 0);
	CHECK_EQ(v, UINT64_MAX);
	CHECK_EQ(parse_u64("0xFFFFffffFFFFffff", &v), 0);
	CHECK_EQ(v, UINT64_MAX);
	CHECK_EQ(parse_u64("010", &v), 0);
	CHECK_EQ(v, 10);
	CHECK_EQ(parse_u64("18446744073709551616", &v), -ERANGE);
	CHECK_EQ(parse_u64("0x10000000000000000", &v), -ERANGE);
	CHECK_EQ(parse_u64("", &v), -EINVAL);
	CHECK_EQ(parse_u64("0x", &v), -EINVAL);
	CHECK_EQ(parse_u64("1x", &v), -EINVAL);
	CHECK_EQ(parse_u64("ff", &v), -EINVAL);
	CHECK_EQ(parse_u64("-1", &v), -EINVAL);
	CHECK_EQ(parse_u64("0xg", &v), -EINVAL);
	/* Too long and then no number at all: no number wins. */
	CHECK_EQ(parse_u64("99999999999999999999999x", &v), -EINVAL);
	CHECK_EQ(v, 10);
}

static void test_on_off(void)
{
	bool v = false;

	CHECK_EQ(parse_on_off("on", &v), 0);
	CHECK(v);
	CHECK_EQ(parse_on_off("off", &v), 0);
	CHECK(!v);
	CHECK_EQ(parse_on_off("1", &v), 0);
	CHECK(v);
	CHECK_EQ(parse_on_off("no", &v), 0);
	CHECK(!v);
	CHECK_EQ(parse_on_off("maybe", &v), -EINVAL);
	CHECK_EQ(parse_on_off("", &v), -EINVAL);
}

/* ---- near words ------------------------------------------------------------------------------- */

static void test_nearest(void)
{
	static const char *const words[] = { "kernel", "initrd", "params", "cpus", "mem", "rng", NULL };
	static const char *const none[] = { NULL };
	char longword[200];

	CHECK_STR(nearest_word("kernle", words), "kernel");
	CHECK_STR(nearest_word("kernel", words), "kernel");
	CHECK_STR(nearest_word("krnel", words), "kernel");
	CHECK_STR(nearest_word("kernell", words), "kernel");
	CHECK_STR(nearest_word("ker", words), "kernel");
	CHECK_STR(nearest_word("cpu", words), "cpus");
	CHECK_STR(nearest_word("men", words), "mem");
	CHECK_STR(nearest_word("param", words), "params");
	CHECK(!nearest_word("balloon", words));
	CHECK(!nearest_word("xyz", words));
	CHECK(!nearest_word("x", words));
	CHECK(!nearest_word("", words));
	CHECK(!nearest_word("kernel", none));
	memset(longword, 'k', sizeof(longword) - 1);
	longword[sizeof(longword) - 1] = '\0';
	CHECK(!nearest_word(longword, words));
}

/* ---- argv ------------------------------------------------------------------------------------- */

static void test_forms(void)
{
	struct target t = { 0 };

	CHECK_EQ(parse_line(&set, &t, "--file a --text=b --flag -n 7 -m2G --timeout 5m"), 10);
	CHECK_STR(t.file, "a");
	CHECK_STR(t.text, "b");
	CHECK(t.flag);
	CHECK_EQ(t.number, 7);
	CHECK_EQ(t.size_bytes, GIB(2));
	CHECK_EQ(t.time_ms, 300000);
	target_free(&t);

	/* Aliases; values with '=', with dashes, and of other options' names. */
	CHECK_EQ(parse_line(&set, &t, "--image=root=/dev/vda --text --flag --memory 1"), 6);
	CHECK_STR(t.file, "root=/dev/vda");
	CHECK_STR(t.text, "--flag");
	CHECK(!t.flag);
	CHECK_EQ(t.size_bytes, MIB(1));
	target_free(&t);

	/* Short ones together; the last takes a value, attached or not. */
	CHECK_EQ(parse_line(&set, &t, "-xvn3"), 2);
	CHECK(t.flag && t.verbose);
	CHECK_EQ(t.number, 3);
	target_free(&t);
	CHECK_EQ(parse_line(&set, &t, "-xf a"), 3);
	CHECK_STR(t.file, "a");
	target_free(&t);
	CHECK_EQ(parse_line(&set, &t, "-f -"), 3);
	CHECK_STR(t.file, "-");
	target_free(&t);

	/* A second use replaces the first. */
	CHECK_EQ(parse_line(&set, &t, "--file a --picture b -n1 -n2"), 7);
	CHECK_STR(t.file, "b");
	CHECK_EQ(t.number, 2);
	target_free(&t);
}

static void test_negation(void)
{
	struct target t = { .flag = true };

	CHECK_EQ(parse_line(&set, &t, "--no-flag"), 2);
	CHECK(!t.flag);
	CHECK_EQ(parse_line(&set, &t, "--flag=on"), 2);
	CHECK(t.flag);
	CHECK_EQ(parse_line(&set, &t, "--flag=off"), 2);
	CHECK(!t.flag);
	CHECK_EQ(parse_line(&set, &t, "--flag --no-flag --flag"), 4);
	CHECK(t.flag);
	target_free(&t);
	check_error("--no-verbose", "unknown option --no-verbose (did you mean --verbose?");
	check_error("--no-flag=1", "--no-flag takes no value, but '1' was given");
	check_error("--verbose=1", "--verbose takes no value, but '1' was given");
	check_error("--flag=maybe", "--flag: bad value 'maybe', expected on or off");
	check_error("--no-", "unknown option --no-");
}

static void test_optional_value(void)
{
	struct target t = { 0 };

	CHECK_EQ(parse_line(&set, &t, "--level word"), 2);
	CHECK_STR(t.level, "+");
	CHECK_EQ(parse_line(&set, &t, "--level=word"), 2);
	CHECK_STR(t.level, "+word");
	CHECK_EQ(parse_line(&set, &t, "--no-level"), 2);
	CHECK_STR(t.level, "-");
	CHECK_EQ(parse_line(&set, &t, "-l"), 2);
	CHECK_STR(t.level, "+");
	CHECK_EQ(parse_line(&set, &t, "-lx"), 2);
	CHECK_STR(t.level, "+x");
	target_free(&t);
}

static void test_where_it_stops(void)
{
	check_line("", 1);
	check_line("word --flag", 1);
	check_line("--flag word --flag", 2);
	check_line("--flag -- --flag", 2);
	check_line("- --flag", 1);
	check_line("'' --flag", 1);
	check_line("--help", -ECANCELED);
	check_line("-h", -ECANCELED);
	check_line("-xh", -ECANCELED);
	check_line("--flag --help --unknown", -ECANCELED);
}

static void test_unknown(void)
{
	check_error("--bogus", "unknown option --bogus");
	check_error("--fil a", "unknown option --fil (did you mean --file?");
	check_error("--imgae=a", "unknown option --imgae (did you mean --image?");
	check_error("--memroy 1", "unknown option --memroy (did you mean --memory?");
	check_error("--time 1", "unknown option --time (did you mean --timeout?");
	check_error("-z", "unknown option -z");
	check_error("-xz", "unknown option -z in -xz");
	check_error("--=x", "unknown option --");
	check_error("---file", "unknown option ---file (did you mean --file?");
	/* Abbreviations are not taken: a later option could make them mean something else. */
	check_error("--verb", "unknown option --verb (did you mean --verbose?");
	/* QEMU's habit. */
	check_error("-file a", "-file: long options begin with two dashes: --file");
	check_error("-mem=2G", "-mem: long options begin with two dashes: --mem");
	/* Nothing suggested that would be an error again: other arches' and refused options. */
	check_error("--gicc 1", "unknown option --gicc");
	check_error("--sdll", "unknown option --sdll");
}

static void test_values(void)
{
	check_error("--file", "--file needs a value: FILE");
	check_error("-f", "-f needs a value: FILE");
	check_error("--file --", "--file needs a value: FILE");
	check_error("--file=", "--file: value missing, expected FILE");
	check_error("--file ''", "--file: value missing, expected FILE");
	check_error("-n x", "-n: bad value 'x', expected a number");
	check_error("-n -1", "-n: bad value '-1', expected a number");
	check_error("-n 4294967296", "-n: bad value '4294967296', expected a number");
	check_error("--memory 12Q",
		    "--memory: bad value '12Q', expected a size such as 512M or 2G, or a number of MiB");
	check_error("-m 99999999999999999999",
		    "-m: bad value '99999999999999999999', expected less than 16 million terabytes");
	check_error("--timeout 5x", "--timeout: bad value '5x', expected a time such as 90s, 5m, 1h or "
				    "250ms, or a number of seconds");
	check_error("--timeout 18446744073709551615",
		    "--timeout: bad value '18446744073709551615', expected less than 292 years");
}

static void test_refused(void)
{
	check_error("--sdl", "--sdl: lkvm has no graphics");
	check_error("--sdl=1", "--sdl: lkvm has no graphics");
	check_error("--flash", "--flash: no flash here");
	check_error("--flash x", "--flash: no flash here");
	check_error("-F x", "-F: no flash here");
}

static void test_arches(void)
{
	struct option_set s = set;
	struct target t = { 0 };

	check_error("--gic 3", "--gic exists on arm64 only; this lkvm is for riscv64 guests");
	check_error_on(OPT_X86_64, "--disable-zbb",
		       "--disable-zbb exists on riscv64 only; this lkvm is for x86_64 guests");
	/* A full name of another arch is what the user means, not this arch's prefix. */
	check_error("--disable-mte", "--disable-mte exists on arm64 only; this lkvm is for riscv64 guests");

	s.arch = OPT_ARM64;
	CHECK_EQ(parse_line(&s, &t, "--gic 3 --disable-mte"), 4);
	CHECK_EQ(t.number, 3);
	CHECK(t.flag);
	target_free(&t);

	CHECK_EQ(option_arch("riscv64"), OPT_RISCV64);
	CHECK_EQ(option_arch("arm64"), OPT_ARM64);
	CHECK_EQ(option_arch("ppc64le"), OPT_PPC64);
	CHECK_EQ(option_arch("ppc"), OPT_PPC);
	CHECK_EQ(option_arch("x86_64"), OPT_X86_64);
	CHECK_EQ(option_arch("sparc"), 0);
}

static void test_prefix(void)
{
	struct target t = { 0 };

	CHECK_EQ(parse_line(&set, &t, "--disable-zbb --disable-sbi-dbcn"), 3);
	CHECK_STR(t.file, "zbb");
	CHECK_STR(t.text, "dbcn");
	target_free(&t);
	check_error("--disable-", "unknown option --disable-");
}

static void check_compound(const char *arg, const char *calls)
{
	struct target t = { 0 };
	char line[256];

	snprintf(line, sizeof(line), "--thing %s", arg);
	test_stderr_begin();
	CHECK_EQ(parse_line(&set, &t, line), 3);
	CHECK_STR(test_stderr_end(), "");
	CHECK_STR(t.log, calls);
	target_free(&t);
}

static void test_compound(void)
{
	check_compound("a.img", "[path=a.img]");
	check_compound("a.img,ro", "[path=a.img][ro=(null)]");
	check_compound("path=a.img,ro=off,serial=x", "[path=a.img][ro=off][serial=x]");
	check_compound("ro,path=a", "[ro=(null)][path=a]");
	check_compound("ro", "[ro=(null)]");
	check_compound("path=ro", "[path=ro]");
	check_compound("serial=a=b", "[serial=a=b]");
	/* No flag: it can't stand alone, so it is a file of that name. */
	check_compound("serial", "[path=serial]");
	/* Words that are no keys belong to the first one. */
	check_compound("/tmp/a=b,ro", "[path=/tmp/a=b][ro=(null)]");
	check_compound("a.b=c,ro", "[path=a.b=c][ro=(null)]");
	/* Doubled commas. */
	check_compound("a,,b,ro", "[path=a,b][ro=(null)]");
	check_compound(",,", "[path=,]");
	check_compound("a,,,ro", "[path=a,][ro=(null)]");
	check_compound("serial=,,,path=x", "[serial=,][path=x]");
	check_compound("serial=", "[serial=]");
}

static void test_compound_errors(void)
{
	check_error("--thing=", "--thing: value missing, expected FILE[,KEY...]");
	check_error("--thing a,or", "--thing: unknown key 'or' (did you mean ro? all: path, ro, serial;");
	check_error("--thing a,sreial=1",
		    "--thing: unknown key 'sreial' (did you mean serial? all: path, ro, serial;");
	check_error("--thing fiel=a", "--thing: unknown key 'fiel' (all: path, ro, serial;");
	check_error("--thing a,=1", "--thing: unknown key '' (all: path, ro, serial;");
	check_error("--thing a,path", "--thing: key 'path' needs a value: path=...");
	check_error("--thing a,ro,ro", "--thing: key 'ro' is given twice");
	check_error("--thing a,path=b", "--thing: key 'path' is given twice");
	check_error("--thing a,", "--thing: empty key (a comma too many? a comma in a value is written twice;");
	check_error("--thing ,a", "--thing: empty key (a comma too many? a comma in a value is written twice;");
}

/* A key's own failure ends the parse and is handed up. */
static void test_compound_key_fails(void)
{
	struct target t = { 0 };

	CHECK_EQ(parse_line(&set, &t, "--thing a,serial=fail,ro"), -EINVAL);
	CHECK_STR(t.log, "[path=a][serial=fail]");
	target_free(&t);
}

static void test_match_word(void)
{
	static const char *const words[] = { "serial", "virtio", "hv", NULL };
	const struct option_use use = { .spec = &specs[0], .set = &set, .name = "--console" };

	CHECK_EQ(options_match_word(&use, "value", "hv", words), 2);
	test_stderr_begin();
	CHECK_EQ(options_match_word(&use, "value", "seral", words), -EINVAL);
	CHECK_EQ(options_match_word(&use, "value", "", words), -EINVAL);
	CHECK_STR(test_stderr_end(),
		  "lkvm: --console: unknown value 'seral' (did you mean serial? all: serial, virtio, hv; "
		  "see lkvm help try)\n"
		  "lkvm: --console: unknown value '' (all: serial, virtio, hv; see lkvm help try)\n");
}

/* Values come from scripts: whatever is in them stays on one line. */
static void test_hostile_values(void)
{
	char big[8192];
	char *argv[] = { (char *)(uintptr_t)"try", big, NULL };
	struct target t = { 0 };
	const char *got;

	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	memcpy(big, "--\n\033", 4);
	test_stderr_begin();
	CHECK_EQ(options_parse(&set, 2, argv, &t), -EINVAL);
	got = test_stderr_end();
	CHECK(!strncmp(got, "lkvm: unknown option --??aaa", 28));
	CHECK_EQ(strchr(got, '\n') - got + 1, (ptrdiff_t)strlen(got));

	memset(big, ',', sizeof(big) - 1);
	memcpy(big, "--thing=", 8);
	test_stderr_begin();
	CHECK_EQ(options_parse(&set, 2, argv, &t), -EINVAL);
	test_stderr_end();
	target_free(&t);
}

/* ---- help ------------------------------------------------------------------------------------- */

static char *help_of(const struct option_set *s, void (*print)(const struct option_set *, FILE *))
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	print(s, f);
	fclose(f);
	return text;
}

static void test_help(void)
{
	char *text = help_of(&set, options_print_help);

	CHECK_STR(text,
		  "\nOne:\n"
		  "  -f, --file FILE            a file (also --image, --picture)\n"
		  "      --text TEXT            -words. and 'quotes', far too long for a single\n"
		  "                             line of eighty columns of help\n"
		  "  -x, --flag                 a flag\n"
		  "  -v, --verbose              talk\n"
		  "\nTwo:\n"
		  "  -n, --number N             a number\n"
		  "  -m, --mem SIZE             a size (also --memory)\n"
		  "      --timeout TIME         a time\n"
		  "  -l, --level[=WORD]         a level\n"
		  "      --thing FILE[,KEY...]  a compound\n"
		  "\nThree:\n"
		  "      --disable-sbi-EXT      no such SBI extension\n"
		  "      --disable-EXT          no such extension\n"
		  "\nNone:\n"
		  "      --sdl                  lkvm has no graphics\n"
		  "  -F, --flash FILE           no flash here\n");
	free(text);
}

static void test_man(void)
{
	char *text = help_of(&set, options_print_man);

	CHECK(strstr(text, ".PP\n.I One\n.TP\n.B \\-f, \\-\\-file FILE\n"
			   "a file (also \\-\\-image, \\-\\-picture).\n"));
	/* A dot or a quote at the start of a line would be a request. */
	CHECK(strstr(text, ".TP\n.B \\-\\-text TEXT\n\\-words. and 'quotes', far"));
	CHECK(strstr(text, ".B \\-\\-gic N\narm only (arm64).\n"));
	CHECK(strstr(text, ".B \\-\\-disable\\-EXT\nno such extension (riscv64).\n"));
	free(text);
}

const struct test options_tests[] = {
	{ "sizes", test_sizes },
	{ "durations", test_durations },
	{ "u64", test_u64 },
	{ "on-off", test_on_off },
	{ "nearest", test_nearest },
	{ "forms", test_forms },
	{ "negation", test_negation },
	{ "optional-value", test_optional_value },
	{ "where-it-stops", test_where_it_stops },
	{ "unknown", test_unknown },
	{ "values", test_values },
	{ "refused", test_refused },
	{ "arches", test_arches },
	{ "prefix", test_prefix },
	{ "compound", test_compound },
	{ "compound-errors", test_compound_errors },
	{ "compound-key-fails", test_compound_key_fails },
	{ "match-word", test_match_word },
	{ "hostile-values", test_hostile_values },
	{ "help", test_help },
	{ "man", test_man },
	{ 0 },
};
